"""Three kinds of numbers: floats to search, exact polynomials in logarithms of primes, and many
digits.

A finite world computes with rational numbers and their logarithms. Logarithms of different primes
are linearly
independent over the rationals, so that an equation linear in logarithms is decided without any
tolerance.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import mpmath

Monomial = tuple[int, ...]  # logarithms multiplied, sorted: (2, 3) is log 2 · log 3
DIGITS = 60
_TRIAL = tuple(p for p in range(2, 1000) if all(p % d for d in range(2, math.isqrt(p) + 1)))

LOG2PI = math.log(2 * math.pi)


class CannotEvaluate(ValueError):
    """An expression has no value in any world: shapes clash, spaces differ, a limit is missing.
    ``reason`` says which."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class Undefined(ArithmeticError):
    """A value does not exist in this one world: a division by zero, the logarithm of a negative
    number."""


class Inexact(ArithmeticError):
    """The value is no polynomial in logarithms: the same world must be computed with digits
    instead."""


class Rough(Inexact):
    """The value is found by a search: the world must be computed in floats instead."""


class OutOfTime(RuntimeError):
    """The time granted to one comparison is spent."""


class LogNumber:
    """A polynomial with rational coefficients in logarithms of positive integers.

    >>> x = exact_log(Fraction(3, 4))
    >>> x + exact_log(Fraction(4, 3))
    Fraction(0, 1)
    >>> x * 2
    LogNumber(-4*log(2) + 2*log(3))
    """

    __slots__ = ("terms",)

    def __init__(self, terms: dict[Monomial, Fraction]):
        self.terms = terms

    def __repr__(self) -> str:
        return f"LogNumber({spell(self)})"

    def __add__(self, other: Any) -> Any:
        terms = dict(self.terms)
        for m, c in _terms(other).items():
            terms[m] = terms.get(m, 0) + c
        return _made(terms)

    __radd__ = __add__

    def __neg__(self) -> LogNumber:
        return LogNumber({m: -c for m, c in self.terms.items()})

    def __sub__(self, other: Any) -> Any:
        terms = dict(self.terms)
        for m, c in _terms(other).items():
            terms[m] = terms.get(m, 0) - c
        return _made(terms)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, (Fraction, int)):
            if other == 1:  # the weight of most points
                return self
            return (
                LogNumber({m: c * other for m, c in self.terms.items()}) if other else Fraction(0)
            )
        if not isinstance(other, LogNumber):
            return NotImplemented
        terms: dict[Monomial, Fraction] = {}
        for m, c in self.terms.items():
            for n, d in other.terms.items():
                key = tuple(sorted(m + n))
                terms[key] = terms.get(key, 0) + c * d
        return _made(terms)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, (Fraction, int)):
            if not other:
                raise Undefined("division by zero")
            return LogNumber({m: c / other for m, c in self.terms.items()})
        raise Inexact("a quotient of logarithms")

    def __rtruediv__(self, other: Any) -> Any:
        raise Inexact("a quotient of logarithms")

    def __pow__(self, n: int) -> Any:
        if n < 0 or n != int(n):
            raise Inexact("a power of a logarithm")
        result: Any = Fraction(1)
        for _ in range(int(n)):
            result = self * result
        return result

    def __float__(self) -> float:
        return float(_numeric(self))

    def __lt__(self, other: Any) -> bool:
        return sign(self - other) < 0

    def __gt__(self, other: Any) -> bool:
        return sign(self - other) > 0

    def __le__(self, other: Any) -> bool:
        return sign(self - other) <= 0

    def __ge__(self, other: Any) -> bool:
        return sign(self - other) >= 0

    def __abs__(self) -> Any:
        return -self if sign(self) < 0 else self

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LogNumber) and self.terms == other.terms


def _terms(x: Any) -> dict[Monomial, Fraction]:
    if isinstance(x, LogNumber):
        return x.terms
    return {(): Fraction(x)} if x else {}


def _made(terms: dict[Monomial, Fraction]) -> Any:
    kept = {m: c for m, c in terms.items() if c}
    if not kept:
        return Fraction(0)
    if len(kept) == 1 and () in kept:
        return kept[()]
    return LogNumber(kept)


@lru_cache(maxsize=20_000)
def _factors(n: int) -> tuple[tuple[int, int], ...]:
    """Small primes and their exponents; what is left above a thousand stays whole (see
    :func:`_refined`)."""
    found = []
    for p in _TRIAL:
        if p * p > n:
            break
        e = 0
        while n % p == 0:
            n //= p
            e += 1
        if e:
            found.append((p, e))
    if n > 1:
        found.append((n, 1))
    return tuple(found)


@lru_cache(maxsize=20_000)
def exact_log(x: Fraction) -> Any:
    """log x of a positive rational as a :class:`LogNumber`."""
    if x <= 0:
        raise Undefined("the logarithm of a number that is not positive")
    terms: dict[Monomial, Fraction] = {}
    for p, e in _factors(x.numerator):
        terms[(p,)] = Fraction(e)
    for p, e in _factors(x.denominator):
        terms[(p,)] = terms.get((p,), Fraction(0)) - e
    return _made(terms)


def _refined(x: LogNumber) -> LogNumber:
    """The same number over pairwise coprime integers, so that equal numbers have equal terms."""
    big = sorted({n for m in x.terms for n in m if n > 1000})
    if len(big) < 2:
        return x
    base: list[int] = []
    while big:
        n = big.pop()
        for b in base:
            g = math.gcd(n, b)
            if g > 1:
                base.remove(b)
                big += [k for k in (g, n // g, b // g) if k > 1]
                break
        else:
            base.append(n)
    result: Any = Fraction(0)
    for m, c in x.terms.items():
        term: Any = c
        for n in m:
            factor: Any = Fraction(0)
            if n <= 1000:
                factor = LogNumber({(n,): Fraction(1)})
            else:
                for b in base:
                    while n % b == 0:
                        n //= b
                        factor = factor + LogNumber({(b,): Fraction(1)})
            term = factor * term
        result = result + term
    return result if isinstance(result, LogNumber) else LogNumber(_terms(result))


_mp = mpmath.mp.clone()
_mp.dps = DIGITS


@lru_cache(maxsize=20_000)
def _digits_log(n: int) -> Any:
    return _mp.log(n)


def _numeric(x: Any) -> Any:
    """``x`` with :data:`DIGITS` digits."""
    if isinstance(x, LogNumber):
        total = _mp.mpf(0)
        for m, c in x.terms.items():
            term = _mp.mpf(c.numerator) / c.denominator
            for n in m:
                term *= _digits_log(n)
            total += term
        return total
    if isinstance(x, (Fraction, int)):
        return _mp.mpf(x.numerator) / x.denominator
    return _mp.mpf(x)


def is_zero(x: Any) -> bool:
    """Whether an exact number is zero; with digits, whether it is below 1e-40.

    >>> is_zero(exact_log(Fraction(6)) - exact_log(Fraction(2)) - exact_log(Fraction(3)))
    True
    """
    if isinstance(x, (Fraction, int)):
        return x == 0
    if isinstance(x, LogNumber):
        x = _refined(x)
        if not x.terms:
            return True
        if all(len(m) <= 1 for m in x.terms):
            return False
        return bool(abs(_numeric(x)) < _mp.mpf(10) ** -50)
    return bool(abs(_mp.mpf(x)) < _mp.mpf(10) ** -40)


def sign(x: Any) -> int:
    """-1, 0 or 1."""
    if is_zero(x):
        return 0
    return 1 if _numeric(x) > 0 else -1


def spell(x: Any) -> str:
    """An exact number as a reader writes it: ``1/2*log(3) - 1``."""
    if isinstance(x, float):
        return f"{x:.6g}"
    if not isinstance(x, LogNumber):
        return str(x) if isinstance(x, (Fraction, int)) else mpmath.nstr(x, 6)
    parts = []
    for m, c in sorted(x.terms.items(), key=lambda item: (-len(item[0]), item[0])):
        logs = "*".join(f"log({n})" for n in m)
        size = "" if logs and abs(c) == 1 else str(abs(c))
        parts.append(("- " if c < 0 else "+ ") + "*".join(s for s in (size, logs) if s))
    text = " ".join(parts)
    return text[2:] if text.startswith("+ ") else "-" + text[2:]


class Floats:
    """Double precision, to search and to integrate."""

    exact = False
    name = "floats"
    step = 0.05  # of a numerical derivative of eighth order
    pi, e = math.pi, math.e
    log2pi = LOG2PI

    def number(self, x: Any) -> Any:
        """A constant of this kind."""
        return float(x)

    def log(self, x: Any) -> Any:
        if x <= 0:
            raise Undefined("the logarithm of a number that is not positive")
        return math.log(x)

    def exp(self, x: Any) -> Any:
        if x > 700:
            raise Undefined("a number too large")
        return math.exp(x)

    def sqrt(self, x: Any) -> Any:
        if x < 0:
            raise Undefined("the square root of a negative number")
        return math.sqrt(x)

    def power(self, x: Any, y: Any) -> Any:
        if y == int(y):
            y = int(y)
            if x == 0 and y < 0:
                raise Undefined("division by zero")
        elif x < 0:
            raise Undefined("a broken power of a negative number")
        try:
            return x**y
        except (OverflowError, ZeroDivisionError) as error:
            raise Undefined("a number too large") from error

    def function(self, name: str, *x: Any) -> Any:
        """sin, cos, tanh, … by name."""
        try:
            found = getattr(math, name, None)
            return found(*x) if found else float(getattr(mpmath, name)(*x))
        except (ValueError, OverflowError) as error:
            raise Undefined(f"{name} is not defined there") from error


class Exact:
    """Rational numbers and logarithms; everything else raises :class:`Inexact`."""

    exact = True
    name = "exact"

    @property
    def pi(self) -> Any:
        raise Inexact("pi")

    e = log2pi = step = pi

    def number(self, x: Any) -> Any:
        return Fraction(int(x.p), int(x.q)) if hasattr(x, "p") else Fraction(x)

    def log(self, x: Any) -> Any:
        if isinstance(x, LogNumber):
            raise Inexact("the logarithm of a logarithm")
        return exact_log(x)

    def exp(self, x: Any) -> Any:
        if not x:
            return Fraction(1)
        if isinstance(x, LogNumber) and all(
            len(m) == 1 and c.denominator == 1 and abs(c) < 50 for m, c in x.terms.items()
        ):
            return math.prod(
                (Fraction(m[0]) ** int(c) for m, c in x.terms.items()), start=Fraction(1)
            )
        raise Inexact("an exponential")

    def sqrt(self, x: Any) -> Any:
        if isinstance(x, Fraction):
            if x < 0:
                raise Undefined("the square root of a negative number")
            top, bottom = math.isqrt(x.numerator), math.isqrt(x.denominator)
            if top * top == x.numerator and bottom * bottom == x.denominator:
                return Fraction(top, bottom)
        raise Inexact("a square root")

    def power(self, x: Any, y: Any) -> Any:
        if isinstance(y, Fraction) and y.denominator == 1 and abs(y) < 200:
            if not x and y < 0:
                raise Undefined("division by zero")
            return x ** int(y)
        if y == Fraction(1, 2):
            return self.sqrt(x)
        if y == Fraction(-1, 2) and x:
            return 1 / self.sqrt(x)
        raise Inexact("a power")

    def function(self, name: str, *x: Any) -> Any:
        raise Inexact(name)


class Digits:
    """Sixty decimal digits."""

    exact = False
    name = "digits"
    step = _mp.mpf(10) ** -6

    def __init__(self) -> None:
        self.pi, self.e, self.log2pi = +_mp.pi, +_mp.e, _mp.log(2 * _mp.pi)

    def number(self, x: Any) -> Any:
        if hasattr(x, "p"):
            return _mp.mpf(int(x.p)) / int(x.q)
        return _numeric(x)

    def log(self, x: Any) -> Any:
        if x <= 0:
            raise Undefined("the logarithm of a number that is not positive")
        return _mp.log(x)

    def exp(self, x: Any) -> Any:
        if x > 5000:
            raise Undefined("a number too large")
        return _mp.exp(x)

    def sqrt(self, x: Any) -> Any:
        if x < 0:
            raise Undefined("the square root of a negative number")
        return _mp.sqrt(x)

    def power(self, x: Any, y: Any) -> Any:
        if y == int(y):
            if x == 0 and y < 0:
                raise Undefined("division by zero")
            return x ** int(y)
        if x < 0:
            raise Undefined("a broken power of a negative number")
        return _mp.power(x, y)

    def function(self, name: str, *x: Any) -> Any:
        names = {"lgamma": "loggamma"}
        value = getattr(_mp, names.get(name, name))(*x)
        if isinstance(value, _mp.mpc):
            raise Undefined(f"{name} is not defined there")
        return value
