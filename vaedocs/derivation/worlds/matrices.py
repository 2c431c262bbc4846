"""Small matrices over any kind of number; a column vector has one column."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Undefined


class Mat:
    """An immutable matrix, as a tuple of rows.

    >>> a = Mat([[2, 1], [1, 1]])
    >>> a * a.inverse()
    Mat(((1, 0), (0, 1)))
    """

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[Iterable[Any]]):
        self.rows = tuple(map(tuple, rows))

    def __repr__(self) -> str:
        shown = tuple(tuple(int(v) if v == int(v) else v for v in r) for r in self.rows)
        return f"Mat({shown})"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.rows[0])

    def __hash__(self) -> int:
        return hash(self.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mat) and self.rows == other.rows

    def entries(self) -> list[Any]:
        """All entries, row by row."""
        return [v for row in self.rows for v in row]

    def map(self, f: Callable[[Any], Any]) -> Mat:
        """``f`` of every entry."""
        return Mat([[f(v) for v in row] for row in self.rows])

    def with_other(self, other: Any, f: Callable[[Any, Any], Any], verb: str) -> Mat:
        """``f`` entry by entry; shapes must agree, and a 1 × 1 matrix is a number."""
        if not isinstance(other, Mat) and self.shape == (1, 1):
            other = Mat([[other]])
        if not isinstance(other, Mat):
            raise CannotEvaluate(f"cannot {verb} a number and a {self.words()}")
        if other.shape != self.shape:
            raise CannotEvaluate(f"cannot {verb} a {self.words()} and a {other.words()}")
        return Mat(
            [
                [f(a, b) for a, b in zip(r, s, strict=True)]
                for r, s in zip(self.rows, other.rows, strict=True)
            ]
        )

    def words(self) -> str:
        """``2 × 3 matrix``."""
        return f"{len(self.rows)} × {len(self.rows[0])} matrix"

    def __add__(self, other: Any) -> Mat:
        return self.with_other(other, lambda a, b: a + b, "add")

    def __radd__(self, other: Any) -> Mat:
        return self.__add__(other)

    def __sub__(self, other: Any) -> Mat:
        return self.with_other(other, lambda a, b: a - b, "subtract")

    def __neg__(self) -> Mat:
        return self.map(lambda v: -v)

    def __mul__(self, other: Any) -> Mat:
        if not isinstance(other, Mat):
            return self.map(lambda v: v * other)
        if len(self.rows[0]) != len(other.rows):
            raise CannotEvaluate(f"a {self.words()} cannot multiply a {other.words()}")
        columns = list(zip(*other.rows, strict=True))
        return Mat([[_dot(row, column) for column in columns] for row in self.rows])

    def __rmul__(self, other: Any) -> Mat:
        return self.map(lambda v: other * v)

    def __truediv__(self, other: Any) -> Mat:
        if not other:
            raise Undefined("division by zero")
        return self.map(lambda v: v / other)

    def transpose(self) -> Mat:
        """Rows become columns."""
        return Mat(zip(*self.rows, strict=True))

    def square(self, verb: str) -> int:
        """The size of a square matrix."""
        n, m = self.shape
        if n != m:
            raise CannotEvaluate(f"a {self.words()} has no {verb}")
        return n

    def trace(self) -> Any:
        """The sum of the diagonal."""
        return _sum(self.rows[i][i] for i in range(self.square("trace")))

    def determinant(self) -> Any:
        """By elimination."""
        n, a, flip = self.square("determinant"), [list(r) for r in self.rows], False
        result: Any = None
        for k in range(n):
            p = max(range(k, n), key=lambda i: abs(a[i][k]))
            if not a[p][k]:
                return a[p][k] * 0
            if p != k:
                a[k], a[p], flip = a[p], a[k], not flip
            result = a[k][k] if result is None else result * a[k][k]
            for i in range(k + 1, n):
                f = a[i][k] / a[k][k]
                a[i] = [u - f * v for u, v in zip(a[i], a[k], strict=True)]
        return -result if flip else result

    def inverse(self) -> Mat:
        """By Gauss and Jordan, with pivots."""
        n = self.square("inverse")
        zero = self.rows[0][0] * 0
        a = [list(r) + [zero + (i == j) for j in range(n)] for i, r in enumerate(self.rows)]
        for k in range(n):
            p = max(range(k, n), key=lambda i: abs(a[i][k]))
            if not a[p][k]:
                raise Undefined("a singular matrix has no inverse")
            a[k], a[p] = a[p], a[k]
            pivot = a[k][k]
            a[k] = [v / pivot for v in a[k]]
            for i in range(n):
                if i != k and a[i][k]:
                    f = a[i][k]
                    a[i] = [u - f * v for u, v in zip(a[i], a[k], strict=True)]
        return Mat(r[n:] for r in a)

    def cholesky(self, sqrt: Callable[[Any], Any]) -> Mat:
        """The lower triangular L with L Lᵀ equal to this matrix; :class:`Undefined` if it is not
        positive definite."""
        n = self.square("Cholesky factor")
        low: list[list[Any]] = [[0.0] * n for _ in range(n)]
        for i in range(n):
            for j in range(i + 1):
                rest = self.rows[i][j] - sum(low[i][k] * low[j][k] for k in range(j))
                if i == j:
                    if rest <= 0:
                        raise Undefined("a covariance matrix that is not positive definite")
                    low[i][i] = sqrt(rest)
                else:
                    low[i][j] = rest / low[j][j]
        return Mat(low)

    def power(self, n: int) -> Mat:
        """An integer power of a square matrix."""
        size = self.square("power")
        base = self.inverse() if n < 0 else self
        zero = self.rows[0][0] * 0
        result = identity(size, zero + 1)
        for _ in range(abs(n)):
            result = result * base
        return result


def _dot(row: Iterable[Any], column: Iterable[Any]) -> Any:
    return _sum(a * b for a, b in zip(row, column, strict=True))


def _sum(values: Iterable[Any]) -> Any:
    total: Any = None
    for v in values:
        total = v if total is None else total + v
    return total


def identity(n: int, one: Any) -> Mat:
    """The identity matrix with ``one`` on its diagonal."""
    return Mat([[one if i == j else one * 0 for j in range(n)] for i in range(n)])


def column(values: Iterable[Any]) -> Mat:
    """A column vector."""
    return Mat([v] for v in values)
