# ruff: noqa: E501 (a table of pairs reads better with each pair on one line)
"""The verdicts beside the displays of a page: what is shown, and what may not be published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import html
from markup import complaint

if TYPE_CHECKING:
    from conftest import Convert


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
        ("<!-- given: x discrete -->\n<!-- holds: I(x) \\geq 0 -->\n$$ I(x) :=\n+\\log p(x) $$",
         "docs/page.md:3: row 1 is wrong: the comment above the display says that $I(x) \\geq 0$ holds"),
        ("<!-- holds: \\log x = y -->\n$$\nx\n= x\n$$",
         "docs/page.md:3: row 1 is not as the comment above the display has it"),
        ("<!-- wrong: 2 -->\n$$\n\\begin{aligned}\nx &= x + 0 \\\\\n&= x\n\\end{aligned}\n$$",
         "docs/page.md:5: row 2 is declared wrong, but it is proved"),
        ("<!-- holds: x = y -->\n\nA\n", 'docs/page.md:1: this "holds" comment belongs to no display'),
        ("<!-- hold: x = y -->\n$$ x = x $$", 'comment "hold"; did you mean "holds"?'),
    ],
)  # fmt: skip
def test_what_the_checker_says_is_told_with_page_and_line(
    convert: Convert, text: str, expected: str
) -> None:
    """As above, with the checker of the book."""
    assert expected in complaint(convert, text, check=True)


def test_the_panel_lists_what_must_hold_besides(convert: Convert) -> None:
    text = "<!-- given: x discrete -->\n<!-- holds: I(x) \\geq 0 -->\n$$ I(x) := -\\log p(x) $$"
    panel = html.fromstring(f"<div>{convert(text, check=True)}</div>").xpath("//details")[0]
    (listed,) = panel.xpath('.//p[contains(., "Must hold besides")]/following-sibling::ul[1]/li')
    assert listed.xpath(".//math")
    assert listed.xpath("string(i)") == "row 1: proved"
    assert "nothing is claimed; checked by its consequence" in panel.xpath("string(.)")


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


def test_the_ledger_follows_the_sections_and_other_pages_come_after(
    checked: Convert, docs: Path
) -> None:
    for name, meta in (("a", ""), ("b", "section: 10"), ("c", "section: 2")):
        (docs / f"{name}.md").write_text(f"---\ntitle: {name}\n{meta}\n---\n$$ x $$\n", "utf-8")
    markup = checked("# Ledger\n\n/// ledger\n///", name="ledger.md")
    tree = html.fromstring(f"<div>{markup}</div>")
    lines = tree.xpath('//div[@class="vaedocs-ledger"]//tbody/tr')
    assert [line[0].text for line in lines] == ["c", "b", "a"]
    assert [line[1].get("data-key") for line in lines] == ["0", "1", "2"]
