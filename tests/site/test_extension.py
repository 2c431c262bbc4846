# ruff: noqa: E501 (a table of pairs reads better with each pair on one line)
"""What the extension makes of a page, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import html
from markup import complaint, words

from vaedocs.site import references, tables

if TYPE_CHECKING:
    from conftest import Convert


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
