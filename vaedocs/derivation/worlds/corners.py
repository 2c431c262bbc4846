"""Worlds at simple numbers: 0, 1, -1, 2, one half. Equality cases and limits hide there, and a
reader can follow them."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import sympy
from sympy import Expr

from vaedocs.derivation import expressions as ex

F = Fraction
REALS = tuple(F(s) for s in ("0", "1", "-1", "2", "1/2", "-2", "3"))
POSITIVES = tuple(F(s) for s in ("1", "2", "1/2", "3", "1/3"))
UNITS = tuple(F(s) for s in ("1/2", "1/3", "2/3"))
INTEGERS = tuple(map(F, (1, 2, 3)))
WHOLE = tuple(map(F, (0, 1, 2, 3, -1, -2)))
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
        if name in context.counting or name in context.heads or name in world.computed:
            continue
        multiple = len(set(context.shape(name))) < 2 and not any("ortho" in t for t in tags)
        if limited or tags & {"simplex", "onehot"} or not multiple:
            continue
        if "unit" in tags:
            found[name] = UNITS
        elif tags & {"integer"}:
            found[name] = INTEGERS
        elif "whole" in tags:
            found[name] = WHOLE[: 4 if "nonnegative" in tags else 6]
        elif tags & {"positive", "spd"}:
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


def far(world: Any) -> list[Corner]:
    """One value very large or very small, all others simple (and none of them 0)."""
    values = scalars(world)
    made = []
    for name, own in values.items():
        for large in LARGE:
            if allowed(large, own) and (F(1, 2) in own or abs(large) == 150):  # 150! has a float
                made.append({n: large if n == name else values[n][-1] for n in values})
    return made[:12]


def meeting(world: Any, left: Expr, right: Expr) -> list[Corner]:
    """Where two plain polynomials meet: rational roots of their difference in one of the names."""
    difference = left - right
    values = scalars(world)
    names = sorted(difference.free_symbols, key=str)
    if (
        difference.atoms(ex.Node)
        or not difference.is_commutative
        or any(s.name not in values for s in names)
    ):
        return []
    made = []
    for symbol in names:
        others = {s: sympy.Integer(1) for s in names if s != symbol}
        alone = difference.subs(others)
        if not alone.is_polynomial(symbol):
            continue
        for root in sorted(sympy.Poly(alone, symbol).ground_roots(), key=lambda r: (abs(r), r)):
            at = F(int(root.p), int(root.q))
            if allowed(at, values[symbol.name]):
                made.append({symbol.name: at, **{s.name: F(1) for s in others}})
    return made
