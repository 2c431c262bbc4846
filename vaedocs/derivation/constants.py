"""Two numbers compared by intervals that are certain to hold them."""

from __future__ import annotations

from typing import Any

import sympy
from mpmath.ctx_iv import MPIntervalContext
from sympy import Add, Expr, Mul, Pow, Rational

from vaedocs.derivation import expressions as e

METHOD = "interval arithmetic"
BITS = (120, 480)
LARGE = 10_000  # an exponent beyond it is left alone


class Outside(ValueError):
    """No number that the intervals know."""


def certain(relation: str, left: Expr, right: Expr) -> bool:
    """Whether ``left relation right`` for sure, for <, >, <=, >= and != between plain numbers.

    >>> certain("<", sympy.E, sympy.Integer(3)), certain("<", sympy.Integer(3), sympy.E)
    (True, False)
    >>> certain("<=", sympy.log(8), 3 * sympy.log(2))  # equal: no interval tells
    False
    """
    signs = {"<": {-1}, "<=": {-1}, ">": {1}, ">=": {1}, "!=": {-1, 1}}.get(relation)
    if signs is None or left.free_symbols or right.free_symbols:
        return False
    try:
        return any(_sign(left, right, bits) in signs for bits in BITS)
    except (Outside, ArithmeticError):
        return False


def _sign(left: Expr, right: Expr, bits: int) -> int:
    """-1 or 1 where the interval around left - right is well away from zero, else 0."""
    iv = MPIntervalContext()
    iv.prec = bits
    gap = _interval(iv, left) - _interval(iv, right)
    away = iv.mpf(2) ** (-bits // 2)  # far more than a last digit rounded the wrong way
    return (gap.a > away.b) - (gap.b < -away.b)


def _interval(iv: Any, expr: Expr) -> Any:
    match expr:
        case Rational():
            return iv.mpf(int(expr.p)) / iv.mpf(int(expr.q))
        case _ if expr == sympy.pi:
            return iv.pi + iv.mpf(0)
        case _ if expr == sympy.E:
            return iv.exp(iv.mpf(1))
        case Add():
            return sum((_interval(iv, part) for part in expr.args), iv.mpf(0))
        case Mul():
            product = iv.mpf(1)
            for part in expr.args:
                product = product * _interval(iv, part)
            return product
        case Pow() if expr.exp.is_Integer and abs(int(expr.exp)) <= LARGE:
            base = _interval(iv, expr.base)
            power = base ** abs(int(expr.exp))
            return power if expr.exp > 0 else 1 / _nonzero(power)
        case Pow():
            return _exp(iv, _interval(iv, expr.exp) * iv.log(_positive(_interval(iv, expr.base))))
        case sympy.exp():
            return _exp(iv, _interval(iv, expr.args[0]))
        case sympy.log():
            return iv.log(_positive(_interval(iv, expr.args[0])))
        case e.Sigmoid():
            return 1 / (1 + _exp(iv, -_interval(iv, expr.args[0])))
        case e.Softplus():
            return iv.log(1 + _exp(iv, _interval(iv, expr.args[0])))
        case sympy.tanh():
            grown = _exp(iv, 2 * _interval(iv, expr.args[0]))
            return 1 - 2 / (grown + 1)
    raise Outside


def _exp(iv: Any, argument: Any) -> Any:
    if not (argument.b < LARGE and argument.a > -LARGE):
        raise Outside
    return iv.exp(argument)


def _positive(value: Any) -> Any:
    if not value.a > 0:
        raise Outside
    return value


def _nonzero(value: Any) -> Any:
    if not (value.a > 0 or value.b < 0):
        raise Outside
    return value
