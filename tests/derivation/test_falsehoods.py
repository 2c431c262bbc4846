"""Single statements: the false ones are refuted, and their true neighbours pass.

One to a line, hypotheses behind ``%``. Strict inequalities that hold but for one point, claims
that fail only far out, dimensions that must not be confused, factors, conditions and orders.
"""

from pathlib import Path

import pytest

from vaedocs.derivation import check

HERE = Path(__file__).parent


def statements(name: str) -> list[tuple[str, str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("  % ") for line in lines]
    return [(latex, "\n".join(given.split(" ; "))) for latex, _, given in pairs]


FALSE, TRUE = statements("falsehoods.txt"), statements("truths.txt")
TRAPS = statements("traps.txt")  # hypotheses half understood, names with two meanings


def test_the_tables_are_long() -> None:
    assert len(FALSE) >= 385
    assert len(TRUE) >= 90


@pytest.mark.parametrize(("latex", "given"), FALSE)
def test_a_false_statement_is_refuted_with_numbers(latex: str, given: str) -> None:
    report = check(latex, given)
    assert report.verdict == "refuted", str(report)
    (first, *_) = report.wrong
    assert first.method == "shapes" or first.counterexample


@pytest.mark.parametrize(("latex", "given"), TRAPS)
def test_what_does_not_hold_does_not_pass(latex: str, given: str) -> None:
    report = check(latex, given)
    assert not report.ok, str(report)
    assert "bug of the checker" not in str(report)


@pytest.mark.parametrize(("latex", "given"), TRUE)
def test_a_true_statement_passes(latex: str, given: str) -> None:
    report = check(latex, given)
    assert report.ok, str(report)
