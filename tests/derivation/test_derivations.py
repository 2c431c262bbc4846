"""The acceptance table: every derivation of derivations.toml is judged as labelled."""

import tomllib
from pathlib import Path

import pytest

from vaedocs.derivation import check
from vaedocs.derivation.report import FAILURES, REFUTED

CASES = tomllib.loads((Path(__file__).parent / "derivations.toml").read_text())["derivation"]
RIGHT = [case for case in CASES if "wrong" not in case]
WRONG = [case for case in CASES if "wrong" in case]


def named(case):
    return " ".join(case["latex"].split())[:60]


def test_the_table_is_large_enough_to_mean_something():
    assert len(RIGHT) >= 130
    assert len(WRONG) >= 70
    assert sum("source" in case for case in CASES) >= 20


@pytest.mark.parametrize("case", RIGHT, ids=named)
def test_a_right_derivation_passes(case):
    report = check(case["latex"], case.get("given", ()))
    assert report.ok, str(report)


@pytest.mark.parametrize("case", WRONG, ids=named)
def test_a_wrong_derivation_is_refuted_in_the_row_at_fault(case):
    report = check(case["latex"], case.get("given", ()))
    failing = [row for row in report.rows if row.verdict in FAILURES]
    assert failing, str(report)
    assert failing[0].verdict == REFUTED, str(report)
    assert failing[0].number == case["wrong"], str(report)


@pytest.mark.parametrize("case", WRONG, ids=named)
def test_a_refutation_shows_numbers_that_differ(case):
    report = check(case["latex"], case.get("given", ()))
    row = next(row for row in report.rows if row.verdict == REFUTED)
    if row.method == "shapes":
        assert row.message
        return
    example = row.counterexample
    assert example is not None
    assert example["description"].strip()
    assert example["left"] != example["right"] or row.relation in {">", "<", "!="}
