"""Change one sign in a display of the book: the page is not published, and the row is named.

Every sign of every display is turned over, in claims, in definitions and in what is wrong on
purpose. Where a claim stays true, or nothing is claimed, ``<!-- holds: … -->`` must notice.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import markdown
import pytest

from vaedocs.derivation import check
from vaedocs.derivation import report as r
from vaedocs.derivation.page import judged as page_of
from vaedocs.derivation.page import problems
from vaedocs.derivation.parser import parse_statements
from vaedocs.derivation.sources import Display, find_displays
from vaedocs.site.pages import PageErrors
from vaedocs.site.pieces import front_matter

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "labs").glob("*.py")])
# The first sign of each of these is also turned over in the page itself, as a builder reads it.
LABELS = [
    "eq:noise-slope",
    "eq:gap",
    "eq:gap-split",
    "eq:softmax-weighted",
    "eq:linear-joint-split",
    "eq:leave-one-out",
    "eq:mean-variance",
    "eq:complete-square",
    "eq:elbo-terms",
    "eq:surgery",
    "eq:information",  # a definition
    "eq:axis",  # and one of a function
    "eq:reparameterised",  # true with either sign: noise and its negative have one law
    "eq:second-moment",  # true with either sign: an average that is zero
    "eq:wrong-half",  # wrong with either sign
]
# Where the sign is turned over in the comment as well, the comment is true again, and why.
EQUALLY_TRUE = {
    r"(x - U U^\top x)^\top (x - U U^\top x)": "the projection of x stands at right angles to "
    "what is left of x, so that either sign gives the squared length of x less its projection's",
    r"\frac{\lambda - c - 0}{2 (0 + c)^2}": "a zero is added or subtracted, and the sum squared",
    r"\lambda^1 (1 - \lambda)^0": "whatever is raised to the power 0, the power is 1",
}
# Where a plus or minus is no sign of a formula.
OUTSIDE = re.compile(
    r"\\label\{[^}]*\}|\\text\w*\{[^}]*\}|\\\\\s*\[[^\]]*\]|\\(?:begin|end)\{[^}]*\}|(?<!\\)%.*"
)


def signs(latex: str) -> list[int]:
    """Where the signs of a formula stand: between terms, before them, in indices and powers."""
    bare = OUTSIDE.sub(lambda match: " " * len(match[0]), latex)
    return [match.start() for match in re.finditer(r"[+-]", bare)]


def turned(latex: str, at: int) -> str:
    return latex[:at] + {"+": "-", "-": "+"}[latex[at]] + latex[at + 1 :]


def judged(page: Path) -> Iterator[tuple[Display, r.Report, tuple[str, ...]]]:
    """The displays of a page, their verdicts, and what is defined above each."""
    for display, report, definitions in page_of(find_displays(page)):
        yield replace(display, path=page.name), report, definitions


def complaints(display: Display, definitions: tuple[str, ...]) -> list[str]:
    """What is said of one display of a page."""
    report = check(
        display.latex,
        display.given,
        path=display.path,
        line=display.line,
        definitions=definitions,
        holds=display.holds,
    )
    return problems(display, report, strict=True)


def named(told: list[str], line: int, report: r.Report) -> bool:
    """Whether a complaint gives the row in which a line stands, or the row that follows from it."""
    above = max((row.line for row in report.rows if row.line <= line), default=report.line)
    below = min((row.line for row in report.rows if row.line > line), default=above)
    found = [re.match(r"[^:]+:(\d+):(?:\d+:)? row \d+ (?:is|could) ", one) for one in told]
    return any(at and (above <= int(at[1]) <= line or int(at[1]) == below) for at in found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_sign_of_every_row_is_told(page: Path) -> None:
    """The message gives the page, a line of the row or of the next one, and its number."""
    silent = []
    for display, report, definitions in judged(page):
        for at in signs(display.latex):
            told = complaints(replace(display, latex=turned(display.latex, at)), definitions)
            line = display.line + display.latex.count("\n", 0, at)
            if not named(told, line, report):
                near = f"{display.latex[max(at - 30, 0) : at]}[{display.latex[at]}]"
                silent.append(f"{page.name}:{line}: after “{near}”: {told}")
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_must_hold_is_mathematics_and_no_copy(page: Path) -> None:
    """With its sign turned over in the comment too, it is refuted: but for some, said above."""
    alike = []
    for display, _, definitions in judged(page):
        for statement in "\n".join(display.holds).split("\n"):
            left = parse_statements(statement)[0].left if statement else None
            part = statement[slice(*left.span)] if left else ""
            for at in signs(part) if part in display.latex else ():
                other = turned(part, at)
                changed = replace(
                    display,
                    latex=display.latex.replace(part, other),
                    holds=tuple(text.replace(part, other) for text in display.holds),
                )
                if not complaints(changed, definitions):
                    alike.append(part.strip())
    assert set(alike) <= EQUALLY_TRUE.keys(), alike


def test_the_signs_are_there() -> None:
    """A page or an exception that went out of use must not thin the test out unnoticed."""
    displays = [display for page in PAGES for display in find_displays(page)]
    assert sum(len(signs(display.latex)) for display in displays) >= 600
    held = [text for display in displays for text in display.holds]
    assert all(any(part in text for text in held) for part in EQUALLY_TRUE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_definition_has_a_consequence(page: Path) -> None:
    """A definition claims nothing: what follows from it does."""
    for _, report, _ in judged(page):
        defined = {row.index: row for row in report.rows if row.verdict == r.DEFINITION}
        free = defined.keys() - {row.index for row in report.held}
        assert not free, [f"{page.name}:{defined[k].line}: {defined[k].left}" for k in free]


# --- as a builder reads it ------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """One sign of one page: where it stands."""

    page: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}:{self.column}"


def labelled() -> list[Change]:
    """The first sign of each display in LABELS."""
    found = []
    for page in (page for page in PAGES if page.suffix == ".md"):
        for display in find_displays(page):
            if display.label in LABELS:
                before = display.latex[: signs(display.latex)[0]]
                first = display.column - 1 if "\n" not in before else -before.rfind("\n") - 1
                line = display.line + before.count("\n")
                found.append(Change(page.stem, line, first + len(before) + 1))
    return found


def turned_over(change: Change, docs: Path) -> Path:
    """A copy of the docs folder with that sign turned over."""
    shutil.copytree(ROOT / "docs", docs, ignore=shutil.ignore_patterns("assets", "images"))
    page = docs / f"{change.page}.md"
    lines = page.read_text(encoding="utf-8").split("\n")
    lines[change.line - 1] = turned(lines[change.line - 1], change.column - 1)
    page.write_text("\n".join(lines), encoding="utf-8")
    return page


def publish(page: Path) -> None:
    """Convert one page as a builder does, every display checked."""
    text = page.read_text(encoding="utf-8")
    body = "\n".join(text.split("\n")[front_matter(text)[1] :])
    options = {"check": True, "docs": str(page.parent), "cache": str(ROOT / ".cache/vaedocs")}
    md = markdown.Markdown(
        extensions=["tables", "attr_list", "md_in_html", "footnotes", "vaedocs.site"],
        extension_configs={"vaedocs.site": options},
    )
    md.convert(body)


def test_the_displays_are_there() -> None:
    """A label that went out of use must not thin the test out unnoticed."""
    assert len(labelled()) == len(LABELS)


@pytest.mark.parametrize("change", labelled(), ids=str)
def test_one_sign_stops_the_page(
    change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message gives the page, a line of the display, and the row or its neighbour."""
    monkeypatch.chdir(ROOT)
    page = turned_over(change, tmp_path / "docs")
    with pytest.raises(PageErrors) as caught:
        publish(page)
    told = [line for line in str(caught.value).split("\n") if f"{change.page}.md:" in line]
    rows = [re.search(r":(\d+):?\d*: row (\d+) is (wrong|not|vacuous)", line) for line in told]
    assert any(row and abs(int(row[1]) - change.line) <= 1 for row in rows), str(caught.value)
