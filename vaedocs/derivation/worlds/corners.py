"""Worlds at simple numbers: 0, 1, -1, 2, one half. Equality cases and limits hide there, and a
reader can follow them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import sympy
from mpmath.libmp.libhyper import NoConvergence
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as ex

F = Fraction
REALS = tuple(F(s) for s in ("0", "1", "-1", "2", "1/2", "-2", "3"))
POSITIVES = tuple(F(s) for s in ("1", "2", "1/2", "3", "1/3"))
UNITS = tuple(F(s) for s in ("1/2", "1/3", "2/3"))
INTEGERS = tuple(map(F, (1, 2, 3)))
WHOLE = tuple(map(F, (0, 1, 2, 3, -1, -2)))
COUNTED = tuple(map(F, range(1, 13)))  # where two formulas in a whole number may part
LARGE = tuple(F(s) for s in ("10000", "-10000", "1/10000", "150", "-150"))
Corner = dict[str, Fraction]


def scalars(world: Any) -> dict[str, tuple[Fraction, ...]]:
    """The parameters of a world that are real numbers, vectors of one number or multiples of the
    identity, with simple values."""
    found = {}
    context = world.context
    for name in sorted(context.parameters()):
        tags = context.tags(name) | world.extra_tags.get(name, set())
        declared = context.theory.variables.get(name)
        limited = declared is not None and (declared.values or declared.low is not None)
        if (
            name in context.counting
            or name in context.heads
            or name in context.labels | {*world.computed}
        ):
            continue
        formed = tags & {"antisymmetric", "idempotent"} or any("ortho" in t for t in tags)
        multiple = len(set(context.shape(name))) < 2 and not formed
        if limited or tags & {"simplex", "onehot"} or not multiple:
            continue
        if "unit" in tags:
            found[name] = UNITS
        elif tags & {"integer"}:
            found[name] = INTEGERS
        elif "whole" in tags:
            found[name] = WHOLE[: 4 if "nonnegative" in tags else 6]
        elif tags & {"positive", "spd", "positive diagonal"}:
            found[name] = POSITIVES
        else:
            some = REALS[1:] if "invertible" in tags else REALS
            found[name] = tuple(v for v in some if v >= 0 or "nonnegative" not in tags)
    return found


def allowed(value: Fraction, simple: tuple[Fraction, ...]) -> bool:
    """Whether a value lies in the domain that these simple ones belong to."""
    if simple == UNITS:
        return 0 < value < 1
    if F(1, 2) not in simple:
        return value.denominator == 1 and (min(simple) < 0 or value >= min(simple))  # integers
    return min(simple) < 0 or value > 0 or (value == 0 and 0 in simple)


def near(world: Any, count: int, size: int = 3) -> list[Corner]:
    """The simplest ``count`` choices of values not above ``size``, the simplest first."""
    values = {n: [v for v in vs if abs(v) <= size] for n, vs in scalars(world).items()}
    few = 7 if len(values) < 4 else 3 if len(values) < 7 else 2
    ranges = [range(min(few, len(v))) for v in values.values()]
    if len(ranges) > 9:
        return [{name: v[0] for name, v in values.items()}]
    order = sorted(product(*ranges), key=lambda at: (sum(at), max(at, default=0)))
    return [
        {name: v[i] for (name, v), i in zip(values.items(), at, strict=True)}
        for at in order[:count]
    ]


def counted(world: Any) -> list[Corner]:
    """Whole numbers up to twelve for the names that stand for one, the others at their simplest."""
    known = scalars(world)
    return [
        {n: at if n == name else own[0] for n, own in known.items()}
        for name, values in known.items()
        if values in (INTEGERS, WHOLE, WHOLE[:4])
        for at in COUNTED
    ]


def far(world: Any) -> list[Corner]:
    """One value very large or very small, all others simple (and none of them 0)."""
    values = scalars(world)
    made = []
    for name, own in values.items():
        for large in LARGE:
            if allowed(large, own) and (F(1, 2) in own or abs(large) == 150):  # 150! has a float
                made.append({n: large if n == name else values[n][-1] for n in values})
    return made[:12]


def alone(world: Any, left: Expr, right: Expr) -> Iterator[tuple[Symbol, sympy.Poly]]:
    """The difference of two plain polynomials in each of its names, all others being one."""
    difference = left - right
    names = sorted(difference.free_symbols, key=str)
    known = scalars(world)
    if (
        difference.atoms(ex.Node)
        or not difference.is_commutative
        or any(s.name not in known for s in names)
    ):
        return
    for symbol in names:
        inner = difference.subs({s: sympy.Integer(1) for s in names if s != symbol})
        if inner.is_polynomial(symbol):
            yield symbol, sympy.Poly(inner, symbol)


def placed(world: Any, left: Expr, right: Expr, name: Symbol, at: F) -> list[Corner]:
    """The corner with one name at this value and the others at one, if it is allowed there."""
    others = {s.name: F(1) for s in left.free_symbols | right.free_symbols if s != name}
    return [{name.name: at, **others}] if allowed(at, scalars(world)[name.name]) else []


def meeting(world: Any, left: Expr, right: Expr) -> list[Corner]:
    """Where two plain polynomials meet: rational roots of their difference in one of the names."""
    made = []
    for symbol, poly in alone(world, left, right):
        for root in sorted(poly.ground_roots(), key=lambda r: (abs(r), r)):
            made += placed(world, left, right, symbol, F(int(root.p), int(root.q)))
    return made


def dips(world: Any, left: Expr, right: Expr) -> list[Corner]:
    """Between two roots of the difference of two plain polynomials, where its sign may change."""
    made = []
    for symbol, poly in alone(world, left, right):
        if not 2 <= poly.degree() <= 8:
            continue
        try:
            found = poly.sqf_part().nroots()
        except NoConvergence:
            continue
        roots = sorted(float(sympy.re(r)) for r in found if abs(sympy.im(r)) < 1e-9)
        for a, b in pairwise(roots):
            made += placed(world, left, right, symbol, F((a + b) / 2).limit_denominator(1000))
    return made
