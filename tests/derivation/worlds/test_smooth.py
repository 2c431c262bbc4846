"""Smooth worlds: quadrature, random densities, exact Gaussian algebra against integration."""

from __future__ import annotations

import math

import mpmath
import pytest
from sympy import Expr, Integer, Symbol, exp, log, sin, symbols

from vaedocs.derivation import worlds
from vaedocs.derivation.expressions import (
    Apply,
    Expectation,
    Identity,
    Integral,
    Inverse,
    Normal,
    Transpose,
    Zeros,
    density,
)
from vaedocs.derivation.theory import Fact, Family, Theory, Variable
from vaedocs.derivation.worlds.context import Context
from vaedocs.derivation.worlds.laws import grid, half_line, hermite, legendre, panels
from vaedocs.derivation.worlds.smooth import SmoothWorld

x, z, m, s = symbols("x z m s")
p_x, p_z = density("p", x), density("p", z)
likelihood, posterior = density("p", x, given=(z,)), density("p", z, given=(x,))


def test_rules_of_quadrature() -> None:
    assert sum(w * u**6 for u, w in hermite(4)) == pytest.approx(15, rel=1e-12)
    assert sum(w * u**6 for u, w in legendre(4)) == pytest.approx(2 / 7, rel=1e-12)
    assert sum(w * u**3 * math.exp(-u) for u, w in half_line(0)) == pytest.approx(6, rel=1e-9)
    assert sum(w * math.cos(u) for u, w in panels(0, 7, 0)) == pytest.approx(math.sin(7), rel=1e-10)
    for dimension in (1, 2, 3):
        points, cell = grid(dimension, 0)
        mass = sum(math.exp(-sum(u * u for u in p) / 2) for p in points) * cell
        assert mass == pytest.approx((2 * math.pi) ** (dimension / 2), rel=1e-7)


@pytest.mark.parametrize(
    "variable",
    [
        Variable(x),
        Variable(x, low=Integer(0), high=Integer(2)),
        Variable(x, low=Integer(0)),
        Variable(x, discrete=True),
        Variable(x, values=(Integer(0), Integer(1)), discrete=True),
    ],
)
def test_random_densities_are_normalised(variable: Variable) -> None:
    theory = Theory(variables={"x": variable})
    total = Integral(likelihood, (), (x,))
    world = SmoothWorld(Context(theory, (total, Normal(z, 0, 1))), seed=3)
    for seed in range(3):
        world.redraw(seed)
        assert world(total)() == pytest.approx(1, abs=1e-8)


def test_conditionals_from_quadrature_obey_the_product_rule() -> None:
    left, right = density("p", x, z), posterior * p_x
    world = SmoothWorld(Context(Theory(), (left, right)), seed=1)
    for seed in range(3):
        world.redraw(seed)
        assert world(left)() == pytest.approx(world(right)(), rel=1e-9)


def gaussian_model(mean: Expr, variance: Expr) -> Theory:
    families = [Family(p_z.key, Normal(z, 1, 4)), Family(likelihood.key, Normal(x, mean, variance))]
    return Theory(families={f.key: f for f in families})


def test_linear_models_are_exact_and_agree_with_integration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theory = gaussian_model(3 * z - 2, Integer(9))
    context = Context(theory, (p_x, posterior))

    def values() -> list[float]:
        world = SmoothWorld(context)
        world.env.update(x=4.0, z=0.5)
        return [world(p_x)(), world(posterior)()]

    exact = values()
    # x has mean 3 · 1 - 2 and variance 9 · 4 + 9;
    # z given x has variance 1 / (1/4 + 1) and mean variance · (1/4 + (x + 2)/3)
    variance = 1 / (1 / 4 + 1)
    expected = [
        mpmath.npdf(4, 1, math.sqrt(45)),
        mpmath.npdf(0.5, variance * (1 / 4 + 6 / 3), math.sqrt(variance)),
    ]
    assert exact == pytest.approx([float(v) for v in expected], rel=1e-12)
    monkeypatch.setattr(SmoothWorld, "is_linear", lambda self, factor: False)
    assert values() == pytest.approx(exact, rel=1e-9)


def test_nonlinear_models_are_not_taken_for_linear() -> None:
    for mean in (z**2, sin(z), Apply("f", True, (z,))):
        theory = gaussian_model(mean, Integer(1))
        world = SmoothWorld(Context(theory, (p_x,)))
        assert not any(world.is_linear(f) for f in world.context.order["p"] if f.conditions)
    theory = gaussian_model(z**2, Integer(1))
    world = SmoothWorld(Context(theory, (p_x,)))
    world.env["x"] = 2.0
    integrand = lambda v: mpmath.npdf(v, 1, 2) * mpmath.npdf(2, v * v, 1)  # noqa: E731
    assert world(p_x)() == pytest.approx(
        float(mpmath.quad(integrand, [-9, -2, 0, 2, 11])), rel=1e-8
    )


def test_expectations_against_mpmath() -> None:
    body = exp(sin(z)) / (1 + z**2)
    e = Expectation(body, Normal(z, m, s**2), (z,))
    world = SmoothWorld(Context(Theory(domains={s: frozenset({"positive"})}), (e,)))
    world.env.update(m=0.3, s=0.8)
    world.at_level(3)
    integrand = lambda v: mpmath.exp(mpmath.sin(v)) / (1 + v**2) * mpmath.npdf(v, 0.3, 0.8)  # noqa: E731
    assert world(e)() == pytest.approx(float(mpmath.quad(integrand, [-8, -2, 0, 2, 8])), rel=1e-9)


n, k = symbols("N K", integer=True, positive=True)
c = Symbol("c", positive=True)
vx, vz, mu = (Symbol(name, commutative=False) for name in ("X", "Z", "mu"))
w = Symbol("W", commutative=False)
evidence = density("p", vx)
given_z, given_x = density("p", vx, given=(vz,)), density("p", vz, given=(vx,))
pca = Theory(
    shapes={vx: (n,), mu: (n,), vz: (k,), w: (n, k)},
    variables={"X": Variable(vx, (n,)), "Z": Variable(vz, (k,))},
    families={
        density("p", vz).key: Family(density("p", vz).key, Normal(vz, Zeros(k), Identity(k))),
        given_z.key: Family(given_z.key, Normal(vx, w * vz + mu, c * Identity(n))),
    },
)
inner = Transpose(w) * w + c * Identity(k)


@pytest.mark.parametrize(
    ("status", "left", "right"),
    [
        ("agrees", evidence, Normal(vx, mu, w * Transpose(w) + c * Identity(n))),
        ("refuted", evidence, Normal(vx, mu, w * Transpose(w) + c**2 * Identity(n))),
        ("refuted", evidence, Normal(vx, -mu, w * Transpose(w) + c * Identity(n))),
        (
            "agrees",
            given_x,
            Normal(vz, Inverse(inner) * Transpose(w) * (vx - mu), c * Inverse(inner)),
        ),
        ("refuted", given_x, Normal(vz, Inverse(inner) * Transpose(w) * vx, c * Inverse(inner))),
        ("refuted", given_x, Normal(vz, Inverse(inner) * Transpose(w) * (vx - mu), Inverse(inner))),
    ],
)
def test_probabilistic_pca(status: str, left: Expr, right: Expr) -> None:
    assert worlds.test("=", left, right, pca).status == status


def test_slow_convergence_is_no_refutation_but_a_kink_is_no_excuse() -> None:
    deviation = Expectation(abs(z), Normal(z, 0, s**2), (z,))
    theory = Theory(domains={s: frozenset({"positive"})})
    true = s * (2 / Symbol("r")) ** Integer(1)
    theory.definitions[Symbol("r")] = Fact("=", Symbol("r"), (2 * log(exp(1)) * 3), "r")
    assert worlds.test("=", deviation, true, theory).status == "refuted"
    assert worlds.test("=", deviation, deviation + s / 10**7, theory).status != "refuted"
