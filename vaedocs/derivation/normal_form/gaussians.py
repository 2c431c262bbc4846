"""Families with a formula in the normal form: log densities, moments of Gaussians, and Gaussians
that are linear functions of others."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Add, Expr, Integer, Mul, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation.polynomials import UNIT, Atom, Monomial, Polynomial
from vaedocs.derivation.shapes import shape
from vaedocs.derivation.theory import Theory

if TYPE_CHECKING:
    from vaedocs.derivation.normal_form.form import NormalForm

Chain = tuple[Expr, ...]
SYMMETRIC = {"spd", "symmetric", "diagonal"}


class Gaussians:
    """Knows formulas; what it needs of matrices, ``Linear`` does."""

    theory: Theory
    form: NormalForm

    def _chains(self, expr: Expr) -> list[tuple[Chain, Polynomial]]:
        raise NotImplementedError

    def _transposed(self, factor: Expr) -> Expr:
        raise NotImplementedError

    def component(self, vector: Expr, index: Expr) -> Expr:
        """The entry of a vector expression, as a scalar expression."""
        raise NotImplementedError

    def log_density(self, formula: Expr) -> Expr | None:
        """The logarithm of a density with a formula, as an expression; None where the support is no
        whole space.
        """
        if isinstance(formula, e.Normal):
            return self._log_normal(*formula.args)
        if isinstance(formula, e.Bernoulli):
            value, probability = formula.args
            size = shape(value, self.theory)
            if not size:
                return value * sympy.log(probability) + (1 - value) * sympy.log(1 - probability)
            index = Symbol("·#k", integer=True, positive=True)
            v, p = self.component(value, index), self.component(probability, index)
            return e.Sum(
                v * sympy.log(p) + (1 - v) * sympy.log(1 - p), Integer(1), size[0], (index,)
            )
        if isinstance(formula, e.Laplace):
            value, location, scale = formula.args
            return -sympy.log(2 * scale) - sympy.Abs(value - location) / scale
        return None

    def _log_normal(self, value: Expr, mean: Expr, covariance: Expr) -> Expr:
        size = shape(value, self.theory)
        two_pi = 2 * sympy.pi
        if not size:
            return (
                -sympy.log(two_pi) / 2
                - sympy.log(covariance) / 2
                - (value - mean) ** 2 / (2 * covariance)
            )
        n = size[0]
        index = Symbol("·#k", integer=True, positive=True)
        variance = self._variance_entry(covariance, index)
        if variance is not None:
            d = self.component(value, index) - self.component(mean, index)
            body = -sympy.log(two_pi) / 2 - sympy.log(variance) / 2 - d**2 / (2 * variance)
            return e.Sum(body, Integer(1), n, (index,))
        d = value - mean
        quadratic = e.Scalar(e.Transpose(d) * e.Inverse(covariance) * d)
        return -n * sympy.log(two_pi) / 2 - sympy.log(e.Determinant(covariance)) / 2 - quadratic / 2

    def _variance_entry(self, covariance: Expr, index: Expr) -> Expr | None:
        """The variance of one component, where the covariance is diagonal."""
        match covariance:
            case e.Identity():
                return Integer(1)
            case e.Diag():
                return self.component(covariance.args[0], index)
            case Mul():
                rest = [a for a in covariance.args if not a.is_commutative]
                inner = self._variance_entry(rest[0], index) if len(rest) == 1 else None
                return (
                    None
                    if inner is None
                    else Mul(*(a for a in covariance.args if a.is_commutative), inner)
                )
            case Add():
                parts = [self._variance_entry(a, index) for a in covariance.args]
                return None if any(p is None for p in parts) else Add(*parts)
        return None

    def linear_gaussian(self, head: str, pairs: frozenset[tuple[str, Expr]]) -> Expr | None:
        """p(x) = N(A m + b, A S A^T + C) where p(x | z) = N(A z + b, C) and p(z) = N(m, S) are
        declared.
        """
        if len(pairs) != 1:
            return None
        ((slot, value),) = pairs
        for key, family in self.theory.families.items():
            if key[0] != head or key[1] != {slot} or len(key[2]) != 1:
                continue
            (hidden,) = key[2]
            prior = self.theory.families.get((head, key[2], frozenset()))
            if prior is None or not isinstance(prior.formula, e.Normal):
                continue
            if not isinstance(family.formula, e.Normal):
                continue
            z = self.theory.variables[hidden].symbol
            _, mean, noise = family.formula.args
            _, inner_mean, inner_covariance = prior.formula.args
            split = self._affine(mean, z)
            if split is None or z in noise.free_symbols:
                continue
            if not self.form.allows(
                "a linear function of a Gaussian, with Gaussian noise, is Gaussian"
            ):
                return None
            slope, offset = split
            central = isinstance(inner_mean, e.Zeros) or inner_mean == 0
            centre = offset if central else slope * inner_mean + offset
            if centre == 0 and shape(value, self.theory):
                centre = e.Zeros(*shape(value, self.theory))
            spread = self._sandwich(slope, inner_covariance) + noise
            made = e.Normal(self.theory.variables[slot].symbol, centre, spread)
            return made.xreplace({self.theory.variables[slot].symbol: value})
        return None

    @staticmethod
    def _affine(mean: Expr, z: Symbol) -> tuple[Expr, Expr] | None:
        """A and b with mean = A z + b."""
        slope: list[Expr] = []
        offset: list[Expr] = []
        for term in Add.make_args(mean.expand()):
            if z not in term.free_symbols:
                offset.append(term)
                continue
            factors = list(Mul.make_args(term))
            if factors.count(z) != 1 or (z.is_commutative is False and factors[-1] != z):
                return None
            factors.remove(z)
            if any(z in factor.free_symbols for factor in factors):
                return None
            slope.append(Mul(*factors))
        return (Add(*slope), Add(*offset)) if slope else None

    @staticmethod
    def _sandwich(slope: Expr, covariance: Expr) -> Expr:
        """A S A^T, without the identity in the middle."""
        if slope.is_commutative:
            return slope**2 * covariance
        parts = Mul.make_args(covariance)
        numbers = [a for a in parts if a.is_commutative]
        rest = [a for a in parts if not a.is_commutative and not isinstance(a, e.Identity)]
        outer = (
            Mul(*(a for a in Mul.make_args(slope) if a.is_commutative))
            if isinstance(slope, Mul)
            else Integer(1)
        )
        inner = slope / outer
        return outer**2 * Mul(*numbers) * Mul(inner, *rest, e.Transpose(inner))

    def moment(
        self, variable: Symbol, touching: list[tuple[Atom, Fraction]], rest: Monomial
    ) -> Polynomial | None:
        """∫ N(z; m, v) · (polynomial in z) dz, times what does not depend on z; None if this is no
        such integral.
        """
        density = [
            pair for pair in touching if pair[0].kind in {"family", "marginal"} and pair[1] == 1
        ]
        others = [pair for pair in touching if pair not in density]
        if (
            len(density) != 1
            or not others
            or any(a.kind != "leaf" or p < 0 or p.denominator != 1 for a, p in others)
        ):
            return None
        found = self._gaussian(variable, density[0][0])
        if found is None:
            return None
        normal, left_over = found
        mean, covariance = normal.args[1], normal.args[2]
        outside = left_over * Polynomial.monomial(rest)
        if not shape(variable, self.theory):
            if any(a.data != variable for a, _ in others):
                return None
            return outside * self._moments(
                self.form.of(mean), self.form.of(covariance), int(others[0][1])
            )
        return self._vector_moment(variable, mean, covariance, others, outside)

    def _gaussian(self, variable: Symbol, atom: Atom) -> tuple[e.Normal, Polynomial] | None:
        """The normal density of a variable behind an atom, and the marginal that stays behind."""
        if atom.kind == "family":
            formula = atom.data
            ok = (
                isinstance(formula, e.Normal)
                and formula.args[0] == variable
                and not any(variable in a.free_symbols for a in formula.args[1:])
            )
            return (formula, UNIT) if ok else None
        head, pairs = atom.data
        slots = [slot for slot, value in pairs if value == variable]
        if len(slots) != 1:
            return None
        everything = frozenset(slot for slot, _ in pairs)
        key = (head, frozenset(slots), everything - set(slots))
        family = self.theory.families.get(key)
        if (
            family is None
            or not isinstance(family.formula, e.Normal)
            or not self.form.allows(f"the form of {self.form._family_name(key)}")
        ):
            return None
        formula = self._instantiated(family.formula, dict(pairs))
        left = frozenset(pair for pair in pairs if pair[0] not in slots)
        return formula, self.form.marginal(head, left)

    def _moments(self, mean: Polynomial, variance: Polynomial, order: int) -> Polynomial:
        """E[z^n] = m E[z^{n-1}] + (n - 1) v E[z^{n-2}]."""
        previous, current = UNIT, mean
        if order == 0:
            return UNIT
        for n in range(2, order + 1):
            previous, current = (
                current,
                mean * current + (variance * previous).scaled(Fraction(n - 1)),
            )
        return current

    def _vector_moment(
        self,
        z: Symbol,
        mean: Expr,
        covariance: Expr,
        others: list[tuple[Atom, Fraction]],
        outside: Polynomial,
    ) -> Polynomial | None:
        if all(isinstance(a.data, e.Component) and a.data.args[0] == z for a, _ in others):
            if len(others) == 1:
                (index,) = others[0][0].data.args[1]
                variance = self._variance_entry(covariance, index)
                order = int(others[0][1])
                entry = self.form.of(self.component(mean, index))
                if order == 1:
                    return outside * entry
                if variance is not None:
                    return outside * self._moments(entry, self.form.of(variance), order)
                if order == 2:
                    return outside * (
                        entry * entry + self.form.of(e.Component(covariance, (index, index)))
                    )
            return None
        if len(others) != 1 or others[0][1] != 1 or not isinstance(others[0][0].data, e.Scalar):
            return None
        inner = others[0][0].data.args[0]
        factors = inner.args if isinstance(inner, Mul) else (inner,)
        places = [k for k, f in enumerate(factors) if z in f.free_symbols]
        if len(places) == 1 and factors[places[0]] in (z, e.Transpose(z)):
            changed = list(factors)
            changed[places[0]] = mean if factors[places[0]] == z else e.Transpose(mean)
            return outside * self.form.of(e.Scalar(Mul(*changed)))
        if places == [0, len(factors) - 1] and factors[0] == e.Transpose(z) and factors[-1] == z:
            middle = Mul(*factors[1:-1])
            value = e.Trace(middle * covariance) + e.Scalar(e.Transpose(mean) * middle * mean)
            return outside * self.form.of(value)
        return None

    def _moment_matrix(
        self, core: Chain, weight: Expr, bound: tuple[Symbol, ...]
    ) -> list[tuple[Chain, Polynomial]] | None:
        if not self.form.rules.families or len(bound) != 1:
            return None
        normal = self._normal_of(weight, bound[0])
        if normal is None:
            return None
        z, mean, covariance = bound[0], normal.args[1], normal.args[2]
        if core == (z,) or core == (e.Transpose(z),):
            pairs = self._chains(mean)
            return (
                pairs
                if core == (z,)
                else [(tuple(self._transposed(f) for f in reversed(c)), d) for c, d in pairs]
            )
        if core == (z, e.Transpose(z)):
            outer = [
                (a + tuple(self._transposed(f) for f in reversed(b)), c * d)
                for a, c in self._chains(mean)
                for b, d in self._chains(mean)
            ]
            return self._chains(covariance) + outer
        return None

    def _normal_of(self, weight: Expr, variable: Symbol) -> e.Normal | None:
        if isinstance(weight, e.Normal) and weight.args[0] == variable:
            return weight
        if isinstance(weight, e.Density) and weight.key in self.theory.families:
            family = self.theory.families[weight.key]
            formula = self._instantiated(family.formula, dict((*weight.values, *weight.conditions)))
            if (
                isinstance(formula, e.Normal)
                and formula.args[0] == variable
                and self.form.allows(f"the form of {self.form._family_name(weight.key)}")
            ):
                return formula
        return None

    def _instantiated(self, formula: Expr, values: dict[str, Expr]) -> Expr:
        return formula.xreplace(
            {self.theory.variables[slot].symbol: value for slot, value in values.items()}
        )
