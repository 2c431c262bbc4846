"""Vectors and matrices in the normal form: chains of factors, traces, determinants and components.

A matrix expression becomes a sum of chains (products of atomic matrices) with polynomial
coefficients. A number made of matrices is put into one canonical shape: an inner product is a sum
over components, ``x^T A x`` and its transpose are one, a trace does not know where it starts.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation.normal_form.gaussians import Chain
from vaedocs.derivation.normal_form.moments import Moments
from vaedocs.derivation.normal_form.renaming import rename
from vaedocs.derivation.polynomials import UNIT, ZERO, Atom, Polynomial
from vaedocs.derivation.shapes import shape
from vaedocs.derivation.theory import Theory

if TYPE_CHECKING:
    from vaedocs.derivation.normal_form.form import NormalForm

SYMMETRIC = {"spd", "symmetric", "diagonal"}


class Linear(Moments):
    """The part of the normal form that knows shapes."""

    def __init__(self, theory: Theory, form: NormalForm) -> None:
        self.theory = theory
        self.form = form

    # -- chains
    # -----------------------------------------------------------------------------------------

    def chains(self, expr: Expr) -> dict[Chain, Polynomial]:
        """A matrix expression as a sum of products of atomic matrices."""
        total: dict[Chain, Polynomial] = {}
        for chain, coefficient in self._chains(expr):
            reduced = self._reduce(chain)
            total[reduced] = total.get(reduced, ZERO) + coefficient
        return {chain: c for chain, c in total.items() if c}

    def _chains(self, expr: Expr) -> list[tuple[Chain, Polynomial]]:
        if expr.is_commutative:
            return [((), self.form.of(expr))]
        match expr:
            case Add():
                return [pair for part in expr.args for pair in self._chains(part)]
            case Mul():
                result: list[tuple[Chain, Polynomial]] = [((), UNIT)]
                for part in expr.args:
                    result = [(a + b, c * d) for a, c in result for b, d in self._chains(part)]
                return result
            case Pow() if expr.exp.is_Integer and expr.exp > 0:
                return self._chains_of_power(expr)
            case Symbol() if expr in self.theory.definitions and self.form.allows(
                self.theory.definitions[expr].name
            ):
                return self._chains(self.theory.definitions[expr].right)
            case e.Identity():
                return [((), UNIT)]
            case e.Zeros():
                return []
            case e.Transpose():
                return [
                    (tuple(self._transposed(f) for f in reversed(chain)), c)
                    for chain, c in self._chains(expr.args[0])
                ]
            case e.Inverse():
                return self._inverse(expr)
            case e.Diag() if self._is_constant_vector(expr.args[0]):
                return [((), UNIT)]
            case e.Expectation():
                body, weight = expr.args[:2]
                return self._mean(body, weight, expr.bound)
            case e.Variance():
                body, weight = expr.args[:2]
                return self._covariance(body, body, weight, expr.bound)
            case e.Covariance():
                a, b, weight = expr.args[:3]
                return self._covariance(a, b, weight, expr.bound)
        return [((expr,), UNIT)]

    def _chains_of_power(self, expr: Pow) -> list[tuple[Chain, Polynomial]]:
        result: list[tuple[Chain, Polynomial]] = [((), UNIT)]
        for _ in range(int(expr.exp)):
            result = [(a + b, c * d) for a, c in result for b, d in self._chains(expr.base)]
        return result

    def _is_constant_vector(self, expr: Expr) -> bool:
        return isinstance(expr, e.Ones)

    def _transposed(self, factor: Expr) -> Expr:
        if isinstance(factor, e.Transpose):
            return factor.args[0]
        if self._symmetric(factor):
            return factor
        return e.Transpose(factor)

    def _symmetric(self, factor: Expr) -> bool:
        if isinstance(factor, e.Inverse):
            return self._symmetric(factor.args[0])
        if isinstance(factor, Symbol):
            return bool(self.theory.tags(factor) & SYMMETRIC)
        if isinstance(factor, Add):
            return all(self._symmetric(a) for a in factor.args)
        if isinstance(factor, Mul):
            inner = [a for a in factor.args if not a.is_commutative]
            if (
                len(inner) == 2
                and isinstance(inner[1], e.Transpose)
                and inner[1].args[0] == inner[0]
            ):
                return True
            return len(inner) == 1 and self._symmetric(inner[0])
        return isinstance(factor, e.Diag | e.Identity) and len(shape(factor, self.theory)) == 2

    def _inverse(self, expr: Expr) -> list[tuple[Chain, Polynomial]]:
        inner = expr.args[0]
        pairs = self._chains(inner)
        if len(pairs) == 1:
            chain, coefficient = pairs[0]
            if all(len(set(shape(f, self.theory))) == 1 for f in chain):
                flipped = tuple(
                    f.args[0] if isinstance(f, e.Inverse) else e.Inverse(f) for f in reversed(chain)
                )
                return [(flipped, self.form.power(coefficient, Fraction(-1)))]
        return [((e.Inverse(inner),), UNIT)]

    def _reduce(self, chain: Chain) -> Chain:
        """Cancel A⁻¹A and use what is declared of orthonormal columns."""
        work = list(chain)
        position = 0
        while position + 1 < len(work):
            left, right = work[position], work[position + 1]
            cancels = (isinstance(left, e.Inverse) and left.args[0] == right) or (
                isinstance(right, e.Inverse) and right.args[0] == left
            )
            if cancels or self._orthonormal(left, right):
                del work[position : position + 2]
                position = max(0, position - 1)
            else:
                position += 1
        return tuple(work)

    def _orthonormal(self, left: Expr, right: Expr) -> bool:
        first = (
            isinstance(left, e.Transpose) and left.args[0] == right and isinstance(right, Symbol)
        )
        second = (
            isinstance(right, e.Transpose) and right.args[0] == left and isinstance(left, Symbol)
        )
        if first and self.theory.tags(right) & {"orthonormal", "orthogonal"}:
            return self.form.allows(f"{right} has orthonormal columns")
        if second and self.theory.tags(left) & {"orthonormal_rows", "orthogonal"}:
            return self.form.allows(f"{left} has orthonormal rows")
        return False

    # -- numbers made of matrices
    # -------------------------------------------------------------------------

    def scalar(self, expr: Expr) -> Polynomial:
        """A scalar node: an inner product, a norm, a trace, a determinant, a component."""
        match expr:
            case e.Scalar():
                return self._sum_of(self.chains(expr.args[0]), self._scalar_chain)
            case e.Trace():
                size = shape(expr.args[0], self.theory)[0]
                return self._sum_of(self.chains(expr.args[0]), lambda c: self._trace_chain(c, size))
            case e.Norm():
                if expr.args[1] == 2 or str(expr.args[1]) == "F":
                    return self.form.power(self.squared_norm(expr), Fraction(1, 2))
                return self.form.leaf(expr)
            case e.Determinant():
                return self._determinant(expr.args[0])
            case e.LogDeterminant():
                return self.form.log(self._determinant(expr.args[0]))
            case e.Component():
                return self._component(expr)
        return self.form.leaf(expr)

    def _sum_of(self, chains: dict[Chain, Polynomial], one: object) -> Polynomial:
        total = ZERO
        for chain, coefficient in chains.items():
            total = total + coefficient * one(chain)  # type: ignore[operator]
        return total

    def squared_norm(self, norm: Expr) -> Polynomial:
        """‖v‖² as an inner product; of a matrix, tr AᵀA."""
        body = norm.args[0]
        if len(shape(body, self.theory)) == 2:
            return self.scalar(e.Trace(e.Transpose(body) * body))
        return self.scalar(e.Scalar(e.Transpose(body) * body))

    def _averaged(self, chain: Chain, wrap: type[Expr]) -> Polynomial | None:
        """tr(A E[B]) = E[tr(A B)]: an expectation inside a chain is taken outside."""
        for position, factor in enumerate(chain):
            if isinstance(factor, e.Expectation):
                fresh = {v: self.form._fresh(v) for v in factor.bound}
                body, weight = (part.xreplace(fresh) for part in factor.args[:2])
                inner = wrap(Mul(*chain[:position], body, *chain[position + 1 :]))
                return self.form.integrate(
                    self.form.of(weight) * self.form.of(inner), tuple(fresh.values())
                )
        return None

    def _scalar_chain(self, chain: Chain) -> Polynomial:
        if not chain:
            return UNIT
        averaged = self._averaged(chain, e.Scalar)
        if averaged is not None:
            return averaged
        for position in range(1, len(chain)):
            if len(shape(Mul(*chain[:position]) if position > 1 else chain[0], self.theory)) == 0:
                return self._scalar_chain(chain[:position]) * self._scalar_chain(chain[position:])
        if len(chain) == 2:
            u = self._transposed(chain[0])
            n = shape(u, self.theory)[0]
            index = Symbol("·#k", integer=True, positive=True)
            return self.form.of(
                e.Sum(
                    self.component(u, index) * self.component(chain[1], index),
                    Integer(1),
                    n,
                    (index,),
                )
            )
        flipped = tuple(self._transposed(f) for f in reversed(chain))
        best = min(chain, flipped, key=str)
        return self.form.leaf(e.Scalar(Mul(*best)))

    def _trace_chain(self, chain: Chain, size: Expr) -> Polynomial:
        """The trace of a chain; that of the empty one is its ``size``."""
        if not chain:
            return self.form.of(size)
        averaged = self._averaged(chain, e.Trace)
        if averaged is not None:
            return averaged
        for k in range(len(chain)):
            rotated = chain[k:] + chain[:k]
            inner = shape(rotated[0], self.theory)
            if len(inner) == 2 and inner[0] == 1:
                return self._scalar_chain(rotated)
        flipped = tuple(self._transposed(f) for f in reversed(chain))
        rotations = [c[k:] + c[:k] for c in (chain, flipped) for k in range(len(c))]
        best, size = min(
            ((self._reduce(r), shape(r[0], self.theory)[0]) for r in rotations),
            key=lambda pair: (len(pair[0]), str(pair[0])),
        )
        if len(best) < len(chain):
            return self._trace_chain(best, size)
        index = Symbol("·#k", integer=True, positive=True)
        for k, factor in enumerate(best):
            entry = self._on_diagonal(factor, index)
            if entry is not None:  # tr(A diag(d)) = Σ_j A_jj d_j
                around = best[k + 1 :] + best[:k]
                if around:
                    entry = entry * e.Component(Mul(*around), (index, index))
                return self.form.of(
                    e.Sum(entry, Integer(1), shape(factor, self.theory)[0], (index,))
                )
        return self.form.leaf(e.Trace(Mul(*best)))

    def _on_diagonal(self, factor: Expr, index: Expr) -> Expr | None:
        """The entry on the diagonal of a matrix that has no others."""
        if isinstance(factor, e.Diag) and len(shape(factor.args[0], self.theory)) == 1:
            return self.component(factor.args[0], index)
        if isinstance(factor, Symbol) and "diagonal" in self.theory.tags(factor):
            return e.Component(factor, (index, index))
        return None

    def _determinant(self, body: Expr) -> Polynomial:
        size = shape(body, self.theory)[0]
        pairs = self._chains(body)
        if len(pairs) == 1:
            chain, coefficient = pairs[0]
            if all(len(set(shape(f, self.theory))) == 1 for f in chain):
                result = (
                    UNIT
                    if coefficient == UNIT
                    else self.form._exp(self.form.of(size) * self.form.log(coefficient))
                )
                for factor in chain:
                    result = result * self._atomic_determinant(factor)
                return result
        return Polynomial.of(
            Atom("leaf", e.Determinant(body), frozenset(body.free_symbols), self._positive(body))
        )

    def _atomic_determinant(self, factor: Expr) -> Polynomial:
        if isinstance(factor, e.Transpose):
            return self._atomic_determinant(factor.args[0])
        if isinstance(factor, e.Inverse):
            return self.form.power(self._determinant(factor.args[0]), Fraction(-1))
        if isinstance(factor, e.Diag):
            index = Symbol("·#k", integer=True, positive=True)
            entry = self.component(factor.args[0], index)
            n = shape(factor.args[0], self.theory)[0]
            return self.form._exp(self.form.of(e.Sum(sympy.log(entry), Integer(1), n, (index,))))
        return Polynomial.of(
            Atom(
                "leaf",
                e.Determinant(factor),
                frozenset(factor.free_symbols),
                self._positive(factor),
            )
        )

    def _positive(self, body: Expr) -> bool:
        if isinstance(body, Symbol):
            return "spd" in self.theory.tags(body)
        if isinstance(body, Add):
            return all(self._positive(a) or self._gram(a) for a in body.args) and any(
                self._positive(a) for a in body.args
            )
        if isinstance(body, Mul):
            inner = [a for a in body.args if not a.is_commutative]
            return (
                len(inner) == 1
                and all(a.is_positive for a in body.args if a.is_commutative)
                and self._positive(inner[0])
            )
        if isinstance(body, e.Apply):
            info = self.theory.functions.get(body.name)
            return bool(info and info.spd)
        return isinstance(body, e.Identity)

    @staticmethod
    def _gram(body: Expr) -> bool:
        inner = [a for a in body.args if not a.is_commutative]
        return (len(inner) == 2 and e.Transpose(inner[0]) == inner[1]) or (
            len(inner) == 2 and isinstance(inner[0], e.Transpose) and inner[0].args[0] == inner[1]
        )

    # -- components
    # -----------------------------------------------------------------------------------------

    def component(self, vector: Expr, index: Expr) -> Expr:
        """The entry of a vector expression, as a scalar expression."""
        match vector:
            case Add():
                return Add(*(self.component(a, index) for a in vector.args))
            case Mul():
                numbers = [a for a in vector.args if a.is_commutative]
                rest = [a for a in vector.args if not a.is_commutative]
                if len(rest) == 1:
                    return Mul(*numbers, self.component(rest[0], index))
                spread = vector.expand()
                if isinstance(spread, Add):
                    return self.component(spread, index)
                if numbers:
                    return Mul(*numbers, self.component(Mul(*rest), index))
            case e.Elementwise():
                return self._entry(
                    str(vector.args[0]), self.component(vector.args[1], index), vector
                )
            case e.Hadamard():
                return Mul(*(self.component(a, index) for a in vector.args))
            case e.Stack() if vector.args[0].is_commutative:
                return rename(vector.args[0], {vector.bound[0]: index})
            case e.Ones():
                return Integer(1)
            case e.Zeros():
                return Integer(0)
            case e.Derivative() if (
                vector.args[0].name == "gradient"
                and vector.args[1].is_commutative
                and len(vector.args[2]) == 1
            ):
                return e.Derivative(
                    "partial", vector.args[1], (e.Component(vector.args[2][0], (index,)),)
                )
            case Symbol() if vector in self.theory.definitions and self.form.allows(
                self.theory.definitions[vector].name
            ):
                return self.component(self.theory.definitions[vector].right, index)
        made = e.Component(vector, (index,))
        return made

    @staticmethod
    def _entry(name: str, inner: Expr, vector: Expr) -> Expr:
        match name:
            case "square":
                return inner**2
            case "reciprocal":
                return 1 / inner
            case "power":
                return inner ** vector.args[2]
            case "sqrt":
                return sympy.sqrt(inner)
            case "exp":
                return sympy.exp(inner)
            case "log":
                return sympy.log(inner)
        return e.Component(vector, (Symbol("·"),)).func(vector, (inner,))

    def _component(self, expr: e.Component) -> Polynomial:
        array, indices = expr.args[0], list(expr.args[1])
        if len(indices) == 1:
            made = self.component(array, indices[0])
            if made != expr:
                return self.form.of(made)
        if len(indices) == 2 and isinstance(array, e.Stack):
            column = rename(array.args[0], {array.bound[0]: indices[1]})
            return self.form.of(self.component(column, indices[0]))
        if len(indices) == 2 and not array.is_commutative:
            chains = self.chains(array)
            if all(chains):
                return self._sum_of(chains, lambda chain: self._chain_entry(chain, *indices))
        return self._entry_leaf(expr)

    def _chain_entry(self, chain: Chain, row: Expr, column: Expr) -> Polynomial:
        """An entry of a product: factors that are diagonal only scale rows and columns."""
        if len(chain) > 1 or row == column:
            for factor, rest, index in (
                (chain[0], chain[1:], row),
                (chain[-1], chain[:-1], column),
            ):
                entry = self._on_diagonal(factor, index)
                if entry is not None and (rest or isinstance(factor, e.Diag)):
                    left = self._chain_entry(rest, row, column) if rest else UNIT
                    return self.form.of(entry) * left
        flipped = tuple(self._transposed(f) for f in reversed(chain))
        choices = [(chain, row, column), (flipped, column, row)]
        best, *indices = min(choices, key=lambda c: (len(str(c[0])), str(c[0])))
        return self._entry_leaf(e.Component(Mul(*best), indices))

    def _entry_leaf(self, expr: e.Component) -> Polynomial:
        array = expr.args[0]
        base = array.args[0] if isinstance(array, e.Item) else array
        signs = {"positive", "simplex"}
        if len(set(expr.args[1])) < len(expr.args[1]):  # on the diagonal
            signs |= {"spd", "positive diagonal"}
        positive = isinstance(base, Symbol) and bool(self.theory.tags(base) & signs)
        if isinstance(base, e.Apply):
            info = self.theory.functions.get(base.name)
            positive = bool(info and info.positive)
        return Polynomial.of(Atom("leaf", expr, frozenset(expr.free_symbols), positive))
