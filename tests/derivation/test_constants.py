"""Inequalities between plain numbers are computed with certainty, however close they are."""

import pytest

from vaedocs.derivation import check

TRUE = [
    r"\log 3 > \log 2",
    "e < 3",
    r"(1/2)^{10} < 1/10",
    r"e^{\pi} > \pi^e",
    r"\sqrt{2} + \sqrt{3} < \sqrt{10}",
    r"\log 2 \neq \frac{7}{10}",
    r"\sigma(1) < 1",
    r"\tanh 1 < 1",
    r"e^{-100} > 0",
    r"\log 2 < \log 2 + 10^{-30}",
    r"e^{\pi\sqrt{163}} < 262537412640768744",
    r"(-2)^3 < 2^{-3}",
]
FALSE = [
    r"\log 3 < \log 2",
    "e > 3",
    r"\sqrt{2} + \sqrt{3} \geq \sqrt{10}",
    r"\log 8 > 3 \log 2",
    r"\log 8 \neq 3 \log 2",
    r"\log 4 - 2 \log 2 < 0",
    r"e^{\pi\sqrt{163}} > 262537412640768744",
    r"\sigma(1) > \tanh 1",
]


@pytest.mark.parametrize("latex", TRUE)
def test_it_is_computed(latex: str) -> None:
    report = check(latex)
    assert report.verdict == "computed", str(report)
    assert report.rows[0].method == "interval arithmetic"


@pytest.mark.parametrize("latex", FALSE)
def test_its_reverse_is_refuted(latex: str) -> None:
    assert check(latex).verdict == "refuted"


@pytest.mark.parametrize("latex", [r"\log 8 \geq 3 \log 2", r"\log(-1) < 3", r"\frac10 > 2"])
def test_no_interval_tells(latex: str) -> None:
    assert all(row.method != "interval arithmetic" for row in check(latex).rows)
