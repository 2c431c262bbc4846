r"""Joint densities that are written out: ``p(x, z) = \frac{1}{2 \pi} e^{-z^2 / 2 - (x - z)^2 / 2}``
is a law of x given z and a law of z.
"""

from __future__ import annotations

from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation.hypotheses.written_out import family_of
from vaedocs.derivation.theory import Theory

Laws = list[tuple[e.Density, e.Normal]]


def taken_apart(formula: Expr, target: e.Density, theory: Theory) -> tuple[Laws, Expr] | None:
    """A normal law for each variable of a joint density, given those that come behind it in the
    list, and the mass of the formula; None if it is no such joint.
    """
    left, laws, rest = list(target.values), Laws(), formula
    while left:
        for pair in left:
            slot, value = pair
            known = isinstance(value, Symbol) and slot in theory.variables
            found = family_of(rest, value, theory.variables[slot], theory) if known else None
            if found is None or not isinstance(found[0], e.Normal) or found[1].has(value):
                continue
            left = [other for other in left if other != pair]
            density = e.Density(target.head, [pair], [*left, *target.conditions])
            laws.append((density, found[0]))
            rest = found[1]
            break
        else:
            return None
    return laws, rest
