r"""Families that are written out: ``\lambda e^{-\lambda x}`` is the exponential family."""

from __future__ import annotations

import sympy
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e


def family_of(
    formula: Expr, x: Symbol, low: Expr | None = None, high: Expr | None = None
) -> e.Family | None:
    """The family whose density a formula is, if its normaliser is right; else None.

    Args:
        formula: written in `x`, a number on the line or, if declared, between `low` and `high`.

    >>> x, m, s, rate = sympy.symbols("x m s lambda")
    >>> family_of(sympy.exp(-((x - m) ** 2) / (2 * s**2)) / (s * sympy.sqrt(2 * sympy.pi)), x)
    Normal(x, m, s**2)
    >>> family_of(rate * sympy.exp(-rate * x), x)
    Exponential(x, lambda)
    >>> family_of(1 / (s - m), x, m, s)
    Uniform(x, m, s)
    >>> family_of(sympy.exp(-(x**2) / 2), x)
    """
    if low is not None and high is not None and sympy.simplify(formula * (high - low) - 1) == 0:
        return e.Uniform(x, low, high)
    if not formula.has(sympy.exp) or not isinstance(x, Symbol):
        return None
    logarithm = sympy.expand(_logarithm(formula))
    if not logarithm.is_polynomial(x):
        return None
    degree = sympy.degree(logarithm, x)
    constant, slope = logarithm.coeff(x, 0), logarithm.coeff(x, 1)
    if degree == 1:
        return e.Exponential(x, -slope) if _equal(constant, sympy.log(-slope)) else None
    if degree != 2:
        return None
    variance = sympy.cancel(-1 / (2 * logarithm.coeff(x, 2)))
    mean = sympy.cancel(slope * variance)
    normaliser = -(mean**2) / (2 * variance) - sympy.log(2 * sympy.pi * variance) / 2
    return e.Normal(x, mean, variance) if _equal(constant, normaliser) else None


def _equal(left: Expr, right: Expr) -> bool:
    """Whether two expressions agree where every logarithm in them is one of a positive number."""
    return bool(sympy.simplify(sympy.expand(_logarithm(sympy.exp(left - right)))) == 0)


def _logarithm(positive: Expr) -> Expr:
    """The logarithm of a density, split as far as it goes: its factors are positive."""
    split = sympy.expand_log(sympy.log(positive), force=True)
    return sympy.expand_log(sympy.expand(split), force=True)
