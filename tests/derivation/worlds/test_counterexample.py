"""Counterexamples: small, visible, in words; and recomputed here by other means than those that
found them."""

from __future__ import annotations

import itertools
import json
import math
from fractions import Fraction

import pytest
from sympy import Expr, Integer, Symbol, log, symbols

from vaedocs.derivation import worlds
from vaedocs.derivation.expressions import (
    KL,
    Apply,
    Derivative,
    Entropy,
    Expectation,
    Normal,
    density,
)
from vaedocs.derivation.theory import Theory
from vaedocs.derivation.worlds import Counterexample

x, z, m, s = symbols("x z m s")


def refutation(
    relation: str, left: Expr, right: Expr, theory: Theory | None = None
) -> Counterexample:
    outcome = worlds.test(relation, left, right, theory or Theory())
    assert outcome.status == "refuted"
    assert outcome.counterexample is not None
    return outcome.counterexample


def numbers(values: list[str]) -> list[float]:
    return [float(Fraction(v)) for v in values]


def test_the_smallest_density_above_one() -> None:
    found = refutation("<=", log(density("p", x)), Integer(0))
    assert found.description == "x takes 1 value with weight 1/2; p(x) = 2"
    assert found.exact == ("log(2)", "0")
    assert found.left == pytest.approx(math.log(2))
    found = refutation(">=", Entropy(density("p", x), (x,)), Integer(0))
    assert found.description == "x takes 1 value with weight 1/2; p(x) = 2"


def test_a_swapped_divergence_is_recomputed_from_its_values() -> None:
    p, q = density("p", z), density("q", z)
    found = refutation("=", KL(p, q, (z,)), KL(q, p, (z,)))
    w, a, b = (numbers(found.values[k]) for k in ("weights of z", "p(z)", "q(z)"))
    assert sum(u * v for u, v in zip(w, a, strict=True)) == pytest.approx(1)
    assert sum(u * v for u, v in zip(w, b, strict=True)) == pytest.approx(1)
    assert found.left == pytest.approx(
        sum(u * v * math.log(v / t) for u, v, t in zip(w, a, b, strict=True))
    )
    assert found.right == pytest.approx(
        sum(u * t * math.log(t / v) for u, v, t in zip(w, a, b, strict=True))
    )
    assert abs(found.difference) >= 0.05


@pytest.mark.parametrize("seed", range(5))
def test_a_wrong_bound_is_recomputed_from_its_values(seed: int) -> None:
    """log p(x) = reconstruction + KL to the prior, from weights and tables alone."""
    posterior, likelihood = density("q", z, given=(x,)), density("p", x, given=(z,))
    right = Expectation(log(likelihood), posterior, (z,)) + KL(posterior, density("p", z), (z,))
    found = worlds.test("=", log(density("p", x)), right, Theory(), seed=seed).counterexample
    assert found is not None
    values = found.values

    def table(key: str) -> list[float]:
        made = values[key]
        return numbers(made if isinstance(made, list) else [made])

    w, q, prior, p_x_z = (table(k) for k in ("weights of z", "q(z | x)", "p(z)", "p(x | z)"))
    evidence = sum(u * a * b for u, a, b in zip(w, prior, p_x_z, strict=True))
    assert table("p(x)")[0] == pytest.approx(evidence)
    assert found.left == pytest.approx(math.log(evidence))
    expected = sum(
        u * v * (math.log(b) + math.log(v / a))
        for u, v, a, b in zip(w, q, prior, p_x_z, strict=True)
    )
    assert found.right == pytest.approx(expected)


def test_few_points_and_small_numbers() -> None:
    posterior = density("q", z, given=(x,))
    wrong = Expectation(log(density("p", x, z)), posterior, (z,)) - Entropy(posterior, (z,))
    found = refutation("=", log(density("p", x)), wrong)
    sizes = [len(found.values[k]) for k in found.values if k.startswith("weights")]
    assert max(sizes) == 2
    assert abs(found.difference) >= 0.05
    assert len(found.description) < 250
    texts = itertools.chain.from_iterable(
        v if isinstance(v, list) else [v] for v in found.values.values()
    )
    assert all(Fraction(t).denominator <= 60 for t in texts)


def test_only_what_occurs_is_told() -> None:
    found = refutation("=", density("p", x), density("q", x))
    assert set(found.values) <= {"weights of x", "p(x)", "q(x)", "observed x"}


def test_parameters_of_smooth_models_are_simple_and_named_as_readers_write_them() -> None:
    mu, sigma = Symbol(r"\mu"), Symbol(r"\sigma_q", positive=True)
    found = refutation("=", Entropy(Normal(z, mu, sigma), (z,)), log(sigma))
    assert set(found.values) == {"μ", "σ_q"}
    assert found.description == "; ".join(f"{k} = {Fraction(v)}" for k, v in found.values.items())
    assert all(Fraction(v).denominator <= 4 for v in found.values.values())


def test_a_gradient_is_refuted_with_sixty_digits() -> None:
    phi = Symbol(r"\phi")
    q = density("q", z)
    left = Derivative("partial", Entropy(q, (z,)), (phi,))
    outcome = worlds.test("=", left, -left, Theory(parameters={"q": (phi,)}))
    assert outcome.method == "finite spaces at 40 digits"
    assert outcome.counterexample is not None
    assert "φ = " in outcome.counterexample.description


def test_a_ratio_that_varies_is_shown_twice() -> None:
    found = refutation("prop", density("p", z, given=(x,)), density("p", x, given=(z,)))
    one, other = found.values["ratios"]
    assert one != pytest.approx(other)
    assert found.description.startswith(
        f"the ratio of the two sides is {one:.6g} at the 2nd value of z "
        f"and {other:.6g} at the 1st value of z"
    )


def test_a_ratio_that_varies_in_a_smooth_model_is_shown_with_numbers_that_can_be_checked() -> None:
    p = density("p", x)
    found = refutation("prop", Derivative("partial", p, (x,)), -(x**2) * p)
    assert found.description == (
        "the ratio of the two sides is 1 at x = 1 and -1 at x = -1\nwhere p(x) = N(0, 1)"
    )
    slopes = [-at * math.exp(-(at**2) / 2) for at in (1, -1)]
    others = [-(at**2) * math.exp(-(at**2) / 2) for at in (1, -1)]
    ratios = [slope / other for slope, other in zip(slopes, others, strict=True)]
    assert found.values["ratios"] == pytest.approx(ratios)


def test_a_smooth_model_that_refutes_is_one_that_can_be_written_down() -> None:
    at, at_zero = Apply("f", True, (z,)), Apply("f", True, (Integer(0),))
    found = refutation("=", Expectation(at, Normal(z, Integer(0), Integer(1)), (z,)), at_zero)
    assert found.description == "f(z) = z^2"
    assert (found.left, found.right) == (1.0, 0.0)


def test_values_are_json() -> None:
    found = refutation(
        "=", Entropy(Normal(z, m, s**2), (z,)), m, Theory(domains={s: frozenset({"positive"})})
    )
    assert json.loads(json.dumps(found.values)) == found.values
