"""Integrals of what has a kink or a jump, ``|x - a|`` or ``x > a``.

Cut there, each piece is smooth, and quadrature is sharp again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import Any

from sympy import Abs, Expr, Max, Min, Symbol, sign
from sympy.core.relational import Relational

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.core import Thunk
from vaedocs.derivation.worlds.laws import (
    HalfLineLaw,
    Law,
    Nodes,
    PointsLaw,
    TwoSidedLaw,
    half_line,
    panels,
)
from vaedocs.derivation.worlds.polynomials import Degrees


def edges(e: Any, name: str) -> list[Expr]:
    """Expressions that vanish where ``e`` has a kink or a jump in the variable ``name``.

    >>> edges(Abs(Symbol("x") - 1), "x")
    [x - 1]
    """
    found: list[Expr] = []
    stack: list[Any] = [e]
    while stack:
        node = stack.pop()
        if isinstance(node, (ex.Density, ex.Binder)):
            continue
        if isinstance(node, (Abs, sign)):
            found.append(node.args[0])
        elif isinstance(node, (Max, Min)):
            found += [a - b for a, b in combinations(node.args, 2)]
        elif isinstance(node, Relational):
            gap = node.lhs - node.rhs
            inner = {a: a.args[0] for a in gap.atoms(Abs)}
            found += [gap.xreplace(inner), gap.xreplace({a: -b for a, b in inner.items()})]
        stack.extend(getattr(node, "args", ()))
    return [f for f in dict.fromkeys(found) if name in {s.name for s in f.free_symbols}]


def pieces(law: Law, cuts: Sequence[float], level: int) -> Nodes:
    """Points and measures for an integrand that is smooth between ``cuts``."""
    nodes: Nodes = []
    if isinstance(law, HalfLineLaw):
        ends = [law.start, *sorted(c for c in cuts if c > law.start)]
        nodes = [(ends[-1] + law.scale * x, law.scale * w) for x, w in half_line(level)]
        width = law.scale
    elif isinstance(law, TwoSidedLaw):
        ends, width = [law.centre, *cuts], law.scale
        tail = [(law.scale * x, law.scale * w) for x, w in half_line(level)]
        nodes = [(max(ends) + x, w) for x, w in tail] + [(min(ends) - x, w) for x, w in tail]
    else:
        low, high, scale = law.hull()
        ends, width = [low, *(c for c in cuts if low < c < high), high], 1.5 * scale
    for a, b in pairwise(sorted(set(ends))):
        nodes += panels(a, b, level, width)
    return nodes


class Kinks(Degrees):
    """A world that looks for kinks before it integrates over one number."""

    def integrator(
        self, variables: Sequence[Any], guide: Sequence[Expr], inside: Sequence[Expr]
    ) -> Callable[[Thunk], Any]:
        plain = super().integrator(variables, guide, inside)
        if len(variables) != 1 or not isinstance(variables[0], Symbol):
            return plain
        name = variables[0].name
        slot = self.context.slot_of.get(name, name)
        found = [f for e in (*guide, *inside) for f in edges(e, name)]
        found = [f for f in dict.fromkeys(found) if self.degree(f, name) == 1]
        if not found or name in self.context.families or self.context.variable(slot).shape:
            return plain
        zeros, env = [self.number_of(f) for f in found], self.env

        def cuts() -> list[float]:
            places = []
            for zero in zeros:
                env[name] = 0.0
                at_zero = zero()
                env[name] = 1.0
                slope = zero() - at_zero
                places += [-at_zero / slope] if slope else []
            return places

        def run(f: Thunk) -> Any:
            if self.discrete_values(slot) is not None:
                return plain(f)
            law, old = self.law(guide[0], name), env.get(name)
            if isinstance(law, PointsLaw):
                return plain(f)
            try:
                nodes, total = pieces(law, cuts(), self.level), None
                self.tick(len(nodes))
                for point, measure in nodes:
                    env[name] = point
                    value = f()
                    if value is not None:
                        total = value * measure if total is None else total + value * measure
            finally:
                self.restore(name, old)
            return total

        return run
