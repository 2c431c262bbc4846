"""A display's verdict, its panel, and the ledger of all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from vaedocs.site import ledger, ledger_page, pages, verdicts

HERE = Path(__file__).parent


def row(verdict: str, **more: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "number": 1,
        "line": 1,
        "relation": "=",
        "verdict": verdict,
        "method": "normal form",
        "uses": [],
        "counterexample": "",
        "sides": [],
        "residual": "",
        "message": "",
        "hint": "",
        "author_hint": "",
        "seconds": 0.1,
        "lines": [],
    }
    return plain | more


@pytest.mark.parametrize(
    ("kinds", "verdict"),
    [
        (["definition"], "definition"),
        (["definition", "assumption"], "assumption"),
        (["definition", "proved"], "proved"),
        (["proved", "computed"], "computed"),
        (["proved", "tested", "computed"], "tested"),
        (["tested", "vacuous"], "vacuous"),
        (["vacuous", "not checkable"], "not checkable"),
        (["not checkable", "refuted"], "refuted"),
    ],
)
def test_a_display_is_as_good_as_its_worst_row(kinds: list[str], verdict: str) -> None:
    assert verdicts.Report([row(kind) for kind in kinds]).verdict == verdict


def test_the_marks_differ_in_shape() -> None:
    shown = [*verdicts.PASSING, "refuted"]
    assert len({verdicts.mark(kind) for kind in shown}) == len(shown)


def test_a_counterexample_is_told_in_numbers() -> None:
    wrong = row(
        "refuted",
        counterexample="z takes 2 values",
        sides=[0.30681, -1.5],
        residual=r"-2 \log x",
        hint=r"did you flip the sign of $\log x$?",
    )
    text = verdicts.panel(verdicts.Report([wrong]), number="1", latex="x")
    for part in ("z takes 2 values", "0.3068, right side -1.5", "flip the sign of <span"):
        assert part in text
    assert text.count("<math") == 2
    assert "$" not in text


def test_words_behind_a_formula_stay_and_are_told_once() -> None:
    space = r"\Sigma \in \mathbb{R}^{M \times M}"
    report = verdicts.Report([row("proved")], [f"{space} symmetric"], [space, r"\mu > 0"])
    text = verdicts.panel(report, number="1", latex="x")
    given, _, assumed = text.partition("Assumed:")
    assert given.count("<math") == 1
    assert "symmetric</li>" in given
    assert "mathbb{R}" not in assumed
    assert assumed.count("<math") == 1


def test_a_counterexample_says_which_claim_it_is_against() -> None:
    told = "the claim in the brace (\u201c\u2264 0\u201d) fails"
    wrong = row("refuted", counterexample="z takes 1 value", message=told)
    assert f"{told}<br>z takes" in verdicts.panel(verdicts.Report([wrong]), number="1", latex="x")


def entry(identifier: str, verdict: str, *uses: str, wrong: bool = False) -> ledger.Entry:
    equation = pages.Equation("one.md", identifier, "1", None, 7)
    report = verdicts.Report([row(verdict, uses=list(uses))])
    return ledger.Entry(equation, "x < y", report, wrong, "One")


def test_wrong_on_purpose_is_counted_apart() -> None:
    book = ledger.data([entry("eq-1", "proved"), entry("eq-2", "refuted", wrong=True)])
    assert book["counts"] == {"proved": 1}
    assert book["refuted on purpose"] == 1
    assert [display["line"] for display in book["displays"]] == [7, 7]


def test_a_built_ledger_is_written_out_as_data(tmp_path: Path) -> None:
    found = [entry("eq-1", "proved", "product rule"), entry("eq-2", "computed", "</template>")]
    markup = ledger_page.page(ledger.data(found), lambda source: f"../{source}/")
    assert "What rests on what" in markup
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "index.html").write_text(f"<body>{markup}</body>", "utf-8")
    ledger.export(tmp_path)
    book = json.loads((tmp_path / "ledger" / "ledger.json").read_text(encoding="utf-8"))
    assert [display["verdict"] for display in book["displays"]] == ["proved", "computed"]
    assert book["displays"][1]["uses"] == ["</template>"]
    badge = etree.parse(str(tmp_path / "ledger" / "badge.svg")).getroot()
    assert badge.get("aria-label") == "equations: 2 of 2 checked"


def test_the_badge_does_not_hide_a_failure() -> None:
    assert "1 of 2 checked" in ledger_page.badge({"proved": 1, "refuted": 1})
    assert "#24803d" not in ledger_page.badge({"proved": 1, "refuted": 1})
