# ruff: noqa: E501 (a table of pairs reads better with each pair on one line)
"""What the extension makes of a page, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import html

from vaedocs.site import references, tables
from vaedocs.site.pages import PageErrors

if TYPE_CHECKING:
    from conftest import Convert


def words(markup: str) -> str:
    """The text a reader sees: MathML and verbatim LaTeX left out."""
    tree = html.fromstring(f"<div>{markup}</div>")
    for hidden in tree.xpath('//*[@class="katex-mathml"]'):
        hidden.drop_tree()
    return " ".join(tree.text_content().replace("\u200b", "").split())


def complaint(convert: Convert, text: str, **options: object) -> str:
    with pytest.raises(PageErrors) as caught:
        convert(text, **options)
    return str(caught.value)


# --- mathematics ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "costs $5 and $6 in all",
        "`$x$`",
        "``a ` $x$``",
        "    $HOME:$PATH",
        "```sh\necho $A $B\n```",
        "~~~\n$$\n~~~",
        r"\$x\$",
        "a $ b $ c",
        "<!-- $x$ -->",
        "`a` and $3 to $4",
    ],
)
def test_a_dollar_in_prose_and_code_stays(convert: Convert, text: str) -> None:
    assert "katex" not in convert(text)


@pytest.mark.parametrize(
    "text",
    ["$a_1 * b_2 * c_3$", "$a < b$ and $b > a$", "$x$, $y$.", "**$x$**", "| a |\n|---|\n| $p(x|z)$ |",
     "[$x$](#a)", "$a\nb$", "- $x$", "$\\{x\\}$", "$x$-axis", "$x^2$"],
)  # fmt: skip
def test_inline_formulas(convert: Convert, text: str) -> None:
    markup = convert(text)
    assert "<math" in markup
    assert "<em>" not in markup
    assert "$" not in words(markup)


@pytest.mark.parametrize(
    "frame",
    ["{}", "- item\n\n    {}", '!!! note "T"\n\n    {}', '??? success "Answer"\n\n    Text.\n\n    {}',
     "1. one\n\n    - two\n\n        {}", "> {}"],
)  # fmt: skip
def test_a_display_stands_anywhere(convert: Convert, frame: str) -> None:
    tree = html.fromstring(f"<div>{convert(frame.format('$$ x < y $$'))}</div>")
    (display,) = tree.xpath('//div[@class="vaedocs-equation"]')
    assert display.get("id") == "eq-1"
    assert display.getparent().tag != "p"
    (scroll,) = display.xpath('./span[@class="vaedocs-scroll"]')
    assert (scroll.get("tabindex"), scroll.get("role"), scroll.get("aria-label")) == (
        "0",
        "group",
        "Equation 1",
    )
    assert display.xpath('./a[@href="#eq-1"]/text()') == ["(1)"]
    assert display.xpath("string(.//annotation)").strip() == "x < y"
    assert re.fullmatch(r"--vaedocs-height:\d+\.\d\d", display.get("style"))


def test_without_a_checker_nothing_is_claimed(convert: Convert) -> None:
    assert "data-verdict" not in convert("$$ x $$")
    assert "Copy the LaTeX of equation 1" in convert("$$ x $$")


def test_a_heading_is_named_once(convert: Convert) -> None:
    tree = html.fromstring(convert("## The density $p(x)$"))
    assert tree.get("id") == "the-density-px"
    assert tree.xpath("string(.)") == "The density p(x)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Line\n\nA $x + \\fracc$ b", "docs/page.md:3:8: KaTeX cannot read $x + \\fracc$: "
         "Undefined control sequence: \\fracc"),
        ("A\n\n$$\nx &= y \\\\\n  \\bad\n$$", "docs/page.md:4:3: KaTeX cannot read this display: "
         "Expected 'EOF', got '&'"),
        ("$$\nx\n  + \\bad\n$$", "docs/page.md:3:5: KaTeX cannot read this display: Undefined "
         "control sequence: \\bad"),
        ("a $$ x $$ b", "docs/page.md:1:3: $$ in a paragraph: a display stands alone, on its own lines"),
        ("See \\eqref{eq:nil}.", 'docs/page.md:1:5: no equation is labelled "eq:nil"'),
        ("---\ndescription: d\n---\n\nSee \\eqref{eq:nil}.", "docs/page.md:5:5: "),
        ("$$ \\label{eq:elbow} x $$\n\n\\eqref{eq:elbo}", 'docs/page.md:3:1: no equation is called '
         '"eq:elbo"; did you mean "eq:elbow"?'),
        ("$$ \\label{eq:a} x $$\n\n$$ \\label{eq:a} y $$",
         'docs/page.md:3: label "eq:a" is already used at docs/page.md:1'),
        ("\\label{eq:a}", "docs/page.md:1:1: \\label belongs inside a $$ display"),
        ("{{ nothing }}", 'docs/page.md:1:1: "{{ nothing }}" is not a value'),
        ("{{ vaedocs.nowhere.x }}", 'docs/page.md:1:1: vaedocs has no "nowhere"'),
        ("/// sorce | a\n///", 'docs/page.md:1: no block is called "sorce"; did you mean "source"?'),
        ("/// source |\n///", "docs/page.md:1: /// source names no object"),
        ("/// source | vaedocs.site.reading.raed\n///",
         'docs/page.md:1: vaedocs.site.reading has no "raed"; did you mean "read"'),
        ("/// source | vaedocs.site.readnig\n///",
         'docs/page.md:1: vaedocs.site has no "readnig"; did you mean "reading"'),
        ("/// source | vaedocs.site.reading.read\n    linenos: true\n///",
         'docs/page.md:1: /// source has no options; found "linenos"'),
        ("/// source | vaedocs.site.reading.read\n\nText\n///",
         "docs/page.md:3: /// source takes no text; this line is lost"),
        ("/// figure | drawings.figure\n///",
         'docs/page.md:1: /// figure | drawings.figure: no "alt"; add the line'),
        ("/// figure | drawings.figure\n    atl: x\n///",
         'docs/page.md:1: no option of /// figure is called "atl"; did you mean "alt"?'),
        ("/// figure | drawings.figrue\n    alt: x\n///",
         'docs/page.md:1: drawings has no "figrue"; did you mean "figure"'),
        ("/// figure | drawings.broken\n    alt: x\n///",
         "docs/page.md:1: drawings.broken() raised ZeroDivisionError: division by zero (drawings.py:"),
        ("/// figure | drawings.number\n    alt: x\n///",
         "docs/page.md:1: drawings.number() returned a float; expected a Figure or SVG"),
        ("/// ledger\n///", "docs/page.md:1: /// ledger needs the option check: true"),
    ],
)  # fmt: skip
def test_every_error_names_page_and_line(
    convert: Convert, drawings: None, text: str, expected: str
) -> None:
    assert expected in complaint(convert, text)


def test_all_that_is_wrong_is_told_at_once(convert: Convert) -> None:
    told = complaint(convert, "$\\bad$\n\n\\eqref{eq:x}\n\n/// sauce\n///").split("\n")
    assert [line.split(":")[1] for line in told] == ["1", "3", "5"]


# --- references -----------------------------------------------------------------------------------


def test_references_within_and_across_pages(convert: Convert, docs: Path) -> None:
    (docs / "part").mkdir()
    other = "---\nsection: 8\n---\n# The bound\n\n$$ x $$\n\n$$ \\label{eq:elbo} y $$\n"
    (docs / "part" / "bound.md").write_text(other, encoding="utf-8")
    (docs / "plain.md").write_text("# A *plain* page\n\n$$ \\label{eq:p} y $$\n", encoding="utf-8")
    markup = convert("$$ \\label{eq:a} x $$\n\nSee \\eqref{eq:a}, \\eqref{eq:elbo}, \\eqref{eq:p}.")
    assert 'title="The bound, equation 8.2"' in markup
    found = re.findall(r'<a class="vaedocs-ref" href="([^"]*)"[^>]*>(.*?)</a>', markup)
    assert found == [
        ("#eq:a", "(1)"),
        ("part/bound.md#eq:elbo", "(8.2)"),
        ("plain.md#eq:p", "(1) of A <em>plain</em> page"),
    ]


def test_the_right_one_of_two_equal_endings_is_taken(convert: Convert, docs: Path) -> None:
    """A page whose text is the end of another page's is still found by its own file."""
    (docs / "a.md").write_text("# Title\n\nSee \\eqref{eq:nil}.", encoding="utf-8")
    assert complaint(convert, "See \\eqref{eq:nil}.").startswith("docs/page.md:1:5")


# --- values, code, figures ------------------------------------------------------------------------


@pytest.fixture
def drawings(docs: Path) -> None:
    (docs.parent / "drawings.py").write_text(
        "from typing import NamedTuple\n\n"
        "class Sides(NamedTuple):\n    direct: float\n    detour: float\n\n"
        "half = {'nats': -0.6931}\n\n"
        "def triangle():\n    return Sides(2.0, 1.0)\n\n"
        "def number():\n    return 0.15484\n\n"
        "def missing():\n    return float('nan')\n\n"
        "def broken():\n    return 1 / 0\n\n"
        "def needs(x):\n    return x\n\n"
        "def dies():\n    import os\n    os._exit(3)\n\n"
        "def figure():\n    '''A dot.\n\n    >>> 1\n    1\n    '''\n"
        '    return \'<svg viewBox="0 0 9 9"><circle r="3"/></svg>\'\n',
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ drawings.number | .3f }} nats", "0.155 nats"),
        ("{{drawings.triangle.direct|.0f}}", "2"),
        ("{{ drawings.half.nats | .2f }}", "\u22120.69"),
        ("`{{ drawings.number }}`", "{{ drawings.number }}"),
        ("$x = {{ drawings.half.nats | .1f }}$", "x=\u22120.7"),
    ],
)
def test_values_are_computed(convert: Convert, drawings: None, text: str, expected: str) -> None:
    assert expected in words(convert(text)).replace(" ", " ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ drawings.number }}", "drawings.number is 0.15484; say how many digits: {{ "),
        ("{{ drawings.numbr | .1f }}", 'drawings has no "numbr"; did you mean "number"?'),
        ("{{ drawings.triangle.dircet | .1f }}", 'has no "dircet"; did you mean "direct"'),
        ("{{ drawings.triangle }}", "drawings.triangle is a Sides; expected one number or text"),
        ("{{ drawings.missing | .1f }}", "drawings.missing is not a number (nan)"),
        (
            "{{ drawings.broken | .1f }}",
            "drawings.broken() raised ZeroDivisionError: division by zero",
        ),
        (
            "{{ drawings.needs | .1f }}",
            "drawings.needs() raised TypeError: needs() missing 1 required",
        ),
        ("{{ drawings.number | .3q }}", 'format ".3q" does not fit 0.15484'),
        ("{{ drawings.dies | .1f }}", "the process that evaluated it died (exit status 3)"),
    ],
)
def test_a_value_that_cannot_be_had_stops_the_build(
    convert: Convert, drawings: None, text: str, expected: str
) -> None:
    told = complaint(convert, f"Text\nand {text}")
    assert told.startswith("docs/page.md:2:5: ")
    assert expected in told


def test_code_is_shown_as_it_runs(convert: Convert, docs: Path, drawings: None) -> None:
    tests = docs.parent / "tests"
    tests.mkdir()
    (tests / "test_drawings.py").write_text(
        "import drawings as d\n\ndef test_dot():\n    assert d.figure()\n\n"
        "def test_other():\n    assert d.number()\n",
        encoding="utf-8",
    )
    text = "/// source | drawings.figure\n///"
    markup = convert(text, repo_url="https://example.org/r", require_tests=True)
    assert ">>> 1" in html.fromstring(markup).text_content()
    source = (docs.parent / "drawings.py").read_text(encoding="utf-8").split("\n")
    first = source.index("def figure():") + 1
    link = f"https://example.org/r/blob/main/drawings.py#L{first}-L{first + 6}"
    assert f'<a href="{link}">drawings.py, lines {first} to {first + 6}</a>' in markup
    assert "its doctest and <a" in markup
    assert "tests/test_drawings.py#L3" in markup
    assert "test_other" not in markup


def test_code_without_a_test_can_be_refused(convert: Convert, drawings: None) -> None:
    text = "/// source | drawings.broken\n///"
    assert "tested by" not in convert(text)
    told = complaint(convert, text, require_tests=True)
    assert "drawings.broken is shown, but no test below tests/ names it" in told


def test_a_figure_has_its_words(convert: Convert, drawings: None) -> None:
    markup = convert(
        "/// figure | drawings.figure\n    alt: A dot & <more>\n\nThe *caption* of $x$.\n///"
    )
    tree = html.fromstring(markup)
    assert tree.xpath("string(.//desc)") == "A dot & <more>"
    assert tree.xpath("string(.//title)") == "Figure"
    assert tree.xpath("string(.//figcaption//em)") == "caption"
    assert tree.xpath(".//figcaption//math")
    assert "wzxhzdk" not in markup


# --- verdicts -------------------------------------------------------------------------------------


def test_a_verdict_stands_beside_its_display(checked: Convert) -> None:
    text = "<!-- given:\nx discrete\n\\sigma > 0\n-->\n$$ \\label{eq:a} x = y $$"
    tree = html.fromstring(checked(text, repo_url="https://example.org/r", ledger="ledger.md"))
    (display,) = tree.xpath('descendant-or-self::*[@id="eq:a"]')
    assert display.get("data-verdict") == "proved"
    (summary,) = display.xpath(".//summary")
    assert summary.get("aria-label") == "Equation 1: proved. How it was checked"
    panel = display.xpath("string(.//section)")
    for part in ("Derived by rewriting", "x discrete", "product rule", "normal form", "Copy LaTeX"):
        assert part in panel
    assert display.xpath("string(.//section//pre)") == "x = y"
    links = display.xpath(".//section//a/@href")
    assert links == [
        "../ledger/#page-eq-a",
        "https://example.org/r/blob/main/docs/page.md?plain=1#L5",
    ]
    assert not display.xpath(".//div"), "a div inside would end a search index's skipping"


def test_the_weakest_row_names_a_display(checked: Convert) -> None:
    text = "<!-- tested: by hand -->\n$$ a := b \\text{definition} \\\\ c \\\\ d \\text{tested} $$"
    assert 'data-verdict="tested"' in checked(text)
    assert "by hand" in checked(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Text\n\n$$\na = b \\\\\nc = d \\text{refuted}\n$$",
         "docs/page.md:5: row 2 is wrong\n  left 1, right 2"),
        ("$$ a \\text{vacuous} $$", "docs/page.md:1: row 1 is vacuous\n  do the hypotheses "
         "contradict one another? see the given comment above"),
        ("$$ a \\text{not checkable} $$", "docs/page.md:1: row 1 is not checkable"),
        ("$$ a \\text{tested} $$", "docs/page.md:1: row 1 is tested, not proved; state the hypotheses"),
        ("$$\na \\\\\nb \\text{tested}\n$$", "docs/page.md:3: row 2 is tested, not proved"),
        ("$$ \\label{eq:a} a \\text{crash} $$", "docs/page.md:1: the checker failed on display eq:a: "
         "RuntimeError: the checker stumbled (checks.py:13)\n  the fault is the checker's, not the page's"),
        ("$$ a \\text{fine} $$", "the checker gave no known verdict: ['fine']"),
        ("<!-- wrong -->\n$$ a $$", "docs/page.md:2: this display is declared wrong, but it is proved"),
        ("<!-- wrong: row 1 -->\n$$ a \\\\ b \\text{refuted} $$",
         "docs/page.md:2: row 1 is declared wrong, but the checker refutes row 2"),
        ("<!-- wrong: second -->\n$$ a \\text{refuted} $$", 'docs/page.md:2: "wrong: second"; write '),
        ("\\[ a = b \\]", "docs/page.md:1: the checker reads a display here, which the page does not show"),
        ("---\nwrong: true\n---\n$$ a $$", "docs/page.md:4: this display is declared wrong"),
        ("---\nwrong: true\n---\n<!-- right -->\n$$ a \\text{refuted} $$",
         "docs/page.md:5: row 1 is wrong"),
    ],
)  # fmt: skip
def test_what_may_not_be_published(checked: Convert, text: str, expected: str) -> None:
    assert expected in complaint(checked, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A\n\n$$ \\log x = = 2 $$", "docs/page.md:3:13: = right behind =\n"),
        ("A\n\n$$ \\log x = = 2 $$", "something is missing between the two"),
        ("$$\n\\log p(x) p(z) = \\log p(x) + \\log p(z)\n$$",
         "docs/page.md:2:11: is this factor inside the logarithm?"),
        ("<!-- given:\nx > 0\nx < 0\n-->\n$$ x = x + 1 $$",
         "docs/page.md:5: row 1 is vacuous: no instance of the hypotheses could be drawn\n"
         "  do the hypotheses contradict one another?"),
        ("<!-- given:\nx > 0\nx < 0\n-->\n$$ \\log x^2 = 2 \\log x $$", "docs/page.md:5: row 1 is vac"),
        ("<!-- given: x is yellow -->\n$$ x = x $$",
         "docs/page.md:2: in what is given: the words “is yellow” are not understood"),
        ("<!-- given: x > 0 -->\n$$ \\log x^2 = 3 \\log x $$", "docs/page.md:2: row 1 is wrong\n"),
    ],
)  # fmt: skip
def test_what_the_checker_says_is_told_with_page_and_line(
    convert: Convert, text: str, expected: str
) -> None:
    """As above, with the checker of the book."""
    assert expected in complaint(convert, text, check=True)


def test_a_gallery_shows_its_counterexamples(checked: Convert) -> None:
    text = "---\nwrong: true\n---\n$$ a \\text{refuted} $$\n\n<!-- right -->\n$$ b $$"
    tree = html.fromstring(f"<div>{checked(text)}</div>")
    wrong, right = tree.xpath('//*[@class="vaedocs-equation"]')
    assert wrong.get("data-wrong") is not None
    assert wrong.xpath("./details/@open")
    assert "left 1, right 2" in wrong.xpath("string(.)")
    assert right.get("data-verdict") == "proved"
    assert right.get("data-wrong") is None


def test_a_changed_checker_is_asked_again(checked: Convert, docs: Path) -> None:
    """Nothing stale: the kept answer is the old checker's, and the running process too."""
    assert 'data-verdict="proved"' in checked("$$ x = y $$")
    assert len(list(Path(".cache/vaedocs").glob("check-*.json"))) == 1
    file = docs.parent / "checks.py"
    file.write_text(file.read_text(encoding="utf-8").replace('"proved"', '"computed"'), "utf-8")
    assert 'data-verdict="computed"' in checked("$$ x = y $$")


def test_a_kept_answer_is_not_computed_again(checked: Convert) -> None:
    checked("$$ x = y $$")
    (kept,) = Path(".cache/vaedocs").glob("check-*.json")
    kept.write_text(kept.read_text(encoding="utf-8").replace("proved", "computed"), "utf-8")
    assert 'data-verdict="computed"' in checked("$$ x = y $$")
    kept.unlink()
    assert 'data-verdict="proved"' in checked("$$ x = y $$")
    kept.write_text("{ broken", encoding="utf-8")
    assert 'data-verdict="proved"' in checked("$$ x = y $$")


def test_the_ledger_lists_every_page(checked: Convert, docs: Path) -> None:
    (docs / "one.md").write_text(
        "Let $x$ be.\n\n$$ \\label{eq:a} x $$\n\n$$ y \\text{computed} $$\n", "utf-8"
    )
    (docs / "gallery.md").write_text("---\nwrong: true\n---\n$$ z \\text{refuted} $$\n", "utf-8")
    markup = checked("# Ledger\n\n/// ledger\n///", name="ledger.md")
    text = html.fromstring(f"<div>{markup}</div>").text_content()
    assert "2 displays: 1 proved, 1 computed." in text
    assert "Of 2 rows that claim something, 2 are proved or computed (100%)." in text
    (line,) = html.fromstring(f"<div>{markup}</div>").xpath('//tr[td/a[@href="../one/"]]')
    assert [cell.text_content() for cell in line] == ["One", "3", "2", "2", "100%"]
    assert 'href="../one/#eq:a"' in markup
    assert '<tr id="one-eq-a" data-verdict="proved">' in markup
    assert "product rule" in text
    assert "refuted on purpose" in text


# --- citations ------------------------------------------------------------------------------------


def test_a_citation_holds_its_reference(convert: Convert, docs: Path) -> None:
    """The words come from the page of references, and follow it when it changes."""
    page = docs / "references.md"
    page.write_text(
        '**Gibbs, 1902.** J. Willard Gibbs. "[Principles](https://x.y)". *Press.* *The inequality.*\n'
        "{: #gibbs-1902 .reference }\n",
        encoding="utf-8",
    )
    text = (
        "[Gibbs](references.md#gibbs-1902), [more](references.md#nobody), [other](a.md#gibbs-1902)"
    )
    titles = html.fromstring(convert(text)).xpath("//a/@title")
    assert titles == ["J. Willard Gibbs. “Principles”. Press, 1902."]


def test_an_authors_own_title_stays(convert: Convert, docs: Path) -> None:
    (docs / "references.md").write_text(
        "**A, 1.** Words.\n{: #a-1 .reference }\n", encoding="utf-8"
    )
    markup = convert('[A](references.md#a-1 "mine")')
    assert html.fromstring(markup).xpath("//a/@title") == ["mine"]


def test_every_reference_of_the_book_is_read() -> None:
    """Each anchor of the page of references has words, and none keeps Markdown in them."""
    text = (Path(__file__).parents[2] / "docs" / "references.md").read_text(encoding="utf-8")
    found = references.entries(text)
    assert set(found) == set(re.findall(r"\{: #([\w-]+) \.reference \}", text))
    assert all(len(words) > 40 and not set(words) & set('*[]"') for words in found.values())


# --- the notation page ----------------------------------------------------------------------------


def test_the_notation_is_typeset_from_its_file(convert: Convert) -> None:
    """One line for each symbol, with its formula and a link to the page that introduces it."""
    markup = convert("/// notation\n///", name="notation.md")
    lines = html.fromstring(f"<div>{markup}</div>").xpath("//tr")
    listed = tables.symbols()
    assert len(lines) == 1 + len(listed)
    for line, symbol in zip(lines[1:], listed, strict=True):
        formula, meaning, shape, page = line.xpath("./td")
        assert formula.xpath(".//math")
        assert (meaning.text_content(), shape.text_content()) == (
            symbol["meaning"],
            symbol["shape"],
        )
        assert page.xpath("./a/@href") == [f"../{symbol['page']}/"]
