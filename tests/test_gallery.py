"""The gallery of wrong steps: every wrong one is refuted where it says, every right one passes.

Where the page explains what the panel shows, a test holds the panel to the explanation.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from house import DOCS

from vaedocs.derivation import Report, Row, check
from vaedocs.derivation.page import check_page, problems
from vaedocs.derivation.report import PROVED, REFUTED
from vaedocs.derivation.sources import Display, find_displays

PAGE = DOCS / "gallery.md"
TEXT = PAGE.read_text(encoding="utf-8")
DISPLAYS = find_displays(PAGE)
WRONG = [display for display in DISPLAYS if display.wrong is not None]


@pytest.fixture(scope="module")
def reports() -> dict[int, tuple[Display, Report]]:
    """The page is checked once, in order, as the build does it."""
    return {display.line: (display, report) for display, report in check_page(DISPLAYS)}


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda d: d.label or f"line {d.line}")
def test_a_display_is_what_it_is_said_to_be(
    display: Display, reports: dict[int, tuple[Display, Report]]
) -> None:
    found = problems(*reports[display.line], strict=True)
    assert not found, "\n".join(found)


def test_the_gallery_is_as_large_as_it_claims_to_be() -> None:
    assert len(WRONG) >= 20
    assert all(display.wrong and display.wrong.isdigit() for display in WRONG), "name the row"
    assert len({display.label for display in WRONG}) == len(WRONG), "each has a label of its own"
    assert len(DISPLAYS) - len(WRONG) >= len(WRONG) + 5, "a right statement each, and false alarms"


def test_each_piece_names_its_source_and_the_section_that_explains_it() -> None:
    pieces = re.split(r"^### ", TEXT.split("## False alarms")[0], flags=re.M)[1:]
    assert len(pieces) == len(WRONG)
    for piece in pieces:
        title = piece.splitlines()[0]
        before, after = piece.split("<!-- wrong", 1)
        assert "https://github.com/" in before, f"{title}: where was it seen?"
        assert re.search(r"\]\(\w+\.md#[\w-]+\)", after), f"{title}: no link to a section"
        assert "<!-- right -->" in after, f"{title}: no right statement"


def test_a_wrong_display_that_is_right_fails_the_page() -> None:
    """The rule of the page in reverse: what is not refuted is a problem."""
    display = Display("gallery.md", 1, "p(x, z) = p(x \\mid z) p(z)", wrong="1")
    ((_, report),) = check_page([display])
    assert problems(display, report) == [
        "gallery.md:1: row 1 is declared wrong, but no row of it was refuted"
    ]


def refuted(report: Report) -> Row:
    return next(row for row in report.rows if row.verdict == REFUTED)


def sides(row: Row) -> tuple[float, float]:
    assert row.counterexample is not None
    return float(row.counterexample["left"]), float(row.counterexample["right"])


def description(row: Row) -> str:
    assert row.counterexample is not None
    return str(row.counterexample["description"])


# What the page says of a panel, as a test of the panel.
SAID: dict[str, Callable[[Report], bool]] = {
    "eq:wrong-half": lambda r: (
        sides(refuted(r)) == (0, 0.5) and description(refuted(r)) == "μ = 0; σ = 1"
    ),
    "eq:wrong-log-squared": lambda r: not re.search(r"\\mu", refuted(r).residual),
    "eq:wrong-log-sign": lambda r: "flip the sign" in refuted(r).hint,
    "eq:wrong-loss": lambda r: (
        [row.verdict for row in r.rows] == [REFUTED, PROVED] and sum(sides(refuted(r))) == 0
    ),
    "eq:wrong-reward": lambda r: "ratio of the two sides" in description(refuted(r)),
    "eq:wrong-proportional": lambda r: "ratio of the two sides" in description(refuted(r)),
    "eq:wrong-ratio": lambda r: sides(refuted(r)) == (0, 1),
    "eq:wrong-log-q": lambda r: (
        "q(z | x) = [1/2, 1/2]; p(z | x) = [1/2, 1/2]; p(x) = 1" in description(refuted(r))
        and sides(refuted(r))[0] == 0
    ),
    "eq:wrong-information": lambda r: "p(x) = 2" in description(refuted(r)),
    "eq:wrong-entropy": lambda r: (
        [row.verdict for row in r.rows] == [PROVED, REFUTED]
        and "weight 1/2" in description(refuted(r))
    ),
    "eq:wrong-cross-entropy": lambda r: sides(refuted(r))[0] < 0,
    "eq:wrong-braces": lambda r: "brace" in refuted(r).message and sides(refuted(r))[0] > 0,
    "eq:wrong-grey": lambda r: sides(refuted(r))[0] < sides(refuted(r))[1] == 1,
    "eq:wrong-distance": lambda r: sides(refuted(r)) == pytest.approx((2, 1)),
    "eq:wrong-asymmetric": lambda r: len(set(sides(refuted(r)))) == 1,
    "eq:wrong-variables": lambda r: refuted(r).method == "shapes",
    "eq:wrong-prior": lambda r: (
        "x takes 1 value; p(z | x) = 1/2" in description(refuted(r))
        and "p(z) = 1/2" in description(refuted(r))
    ),
    "eq:wrong-rows": lambda r: "cannot multiply" in refuted(r).message,
    "eq:wrong-leaky": lambda r: sides(refuted(r))[0] < sides(refuted(r))[1],
}


@pytest.mark.parametrize("label", SAID)
def test_the_panel_shows_what_the_page_says_of_it(
    label: str, reports: dict[int, tuple[Display, Report]]
) -> None:
    (report,) = (report for display, report in reports.values() if display.label == label)
    assert SAID[label](report), str(report)


# The easier examples that the page gives in words, for a reader without a panel.
BY_HAND = {
    "half": r"0^2 + 1^2 - \log 1 - \frac{1}{2} = \frac{1}{2}",
    "bracket, right": r"D_{KL}(\mathcal{N}(0, 1) \| \mathcal{N}(d, 1)) = \frac{1}{2} d^2",
    "bracket, wrong": r"\frac{1}{2} \log[1 - 1 + 1 + d^2] = \frac{1}{2} \log(1 + d^2)",
    "grey": r"\int_0^1 (1/2)^x (1 - 1/2)^{1 - x} \, dx = \frac{1}{2}",
    "variance": r"\mathrm{Var}_{\mathcal{N}(\zeta; 0, 1)}[2 \zeta + g] = 4",
}


@pytest.mark.parametrize("example", BY_HAND.values(), ids=list(BY_HAND))
def test_an_example_by_hand_is_right(example: str) -> None:
    report = check(example)
    assert report.ok, str(report)
    doubled = check(example + r" \cdot 2")
    assert doubled.verdict == REFUTED, "the test above can fail"
