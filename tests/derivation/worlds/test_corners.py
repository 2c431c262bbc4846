"""Counterexamples that a teacher would write, and the simple worlds behind them."""

from fractions import Fraction

import pytest
from sympy import Symbol

from vaedocs.derivation import check
from vaedocs.derivation.theory import Theory
from vaedocs.derivation.worlds.arithmetic import Exact, OutOfTime
from vaedocs.derivation.worlds.context import Context
from vaedocs.derivation.worlds.corners import far, meeting, near
from vaedocs.derivation.worlds.effort import Effort
from vaedocs.derivation.worlds.finite import FiniteWorld

KL = r"D_{KL}(\mathcal{N}(\mu, \sigma^2) \,\|\, \mathcal{N}(0, 1))"
# statement, hypotheses, the counterexample in words
TAUGHT = [
    (r"\log(a + b) = \log a + \log b", "a > 0\nb > 0", "a = 1; b = 1"),
    (r"(a + b)^2 = a^2 + b^2", "", "a = 1; b = 1"),
    (r"\sqrt{t^2} = t", "", "t = -1"),
    (r"t^2 > 0", "", "t = 0"),
    (r"(2 a - 7)^2 > 0", "", "a = 7/2"),
    (KL + r" = \mu^2 + \sigma^2 - \log \sigma - \frac{1}{2}", r"\sigma > 0", "μ = 0; σ = 1"),
    (KL + r" > 0", r"\sigma > 0", "μ = 0; σ = 1"),
    (r"p(x) \leq 1", "", "x takes 1 value with weight 1/2; p(x) = 2"),
    (
        r"D_{KL}(q(z) \,\|\, p(z)) > 0",
        "",
        "z takes 2 values; q(z) = [1/2, 1/2]; p(z) = [1/2, 1/2]",
    ),
    (r"e^\ell = \mathcal{R}", r"\mathcal{R} > 0", "ℓ = 0; R = 2"),
]


@pytest.mark.parametrize(("latex", "given", "taught"), TAUGHT)
def test_a_counterexample_is_one_that_a_teacher_would_write(
    latex: str, given: str, taught: str
) -> None:
    (row,) = check(latex, given).wrong
    assert row.counterexample is not None
    assert row.counterexample["description"] == taught


def world(left, right, **domains):
    theory = Theory(domains={Symbol(n): frozenset({tag}) for n, tag in domains.items()})
    return FiniteWorld(Context(theory, (left, right)), Exact())


def test_simple_values_come_first_and_stay_in_their_domains() -> None:
    a, s = Symbol("a"), Symbol("s")
    corners = near(world(a, s, s="positive"), 30)
    assert corners[0] == {"a": 0, "s": 1}
    assert all(corner["s"] > 0 for corner in corners)
    assert {"a": Fraction(-1), "s": Fraction(1)} in corners
    assert all(corner["s"] > 0 for corner in far(world(a, s, s="positive")))


def test_plain_polynomials_meet_at_their_rational_roots() -> None:
    a = Symbol("a")
    both = ((2 * a - 7) * (a + 1), a * 0)
    assert meeting(world(*both), *both) == [{"a": -1}, {"a": Fraction(7, 2)}]
    assert meeting(world(*both, a="positive"), *both) == [{"a": Fraction(7, 2)}]


def test_dimensions_with_different_names_are_different_in_most_worlds() -> None:
    given = "U \\in \\mathbb{R}^{N \\times M}\nU^\\top U = I_M"
    assert check(r"\mathrm{tr}(U U^\top) = M", given).verdict == "proved"
    assert check(r"\mathrm{tr}(U U^\top) = N", given).verdict == "refuted"


def test_an_effort_ends_by_points_and_not_by_time() -> None:
    effort = Effort(10)
    effort.spend(10)
    with pytest.raises(OutOfTime):
        effort.spend()
