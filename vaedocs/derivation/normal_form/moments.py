"""Moments in the normal form: of a number under a Gaussian, and of vectors under any weight."""

from __future__ import annotations

from fractions import Fraction

from sympy import Expr, Integer, Mul, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation.normal_form.gaussians import Chain, Gaussians
from vaedocs.derivation.polynomials import UNIT, Atom, Monomial, Polynomial
from vaedocs.derivation.shapes import shape

Chains = list[tuple[Chain, Polynomial]]


class Moments(Gaussians):
    """Knows means and covariances."""

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

    # -- vectors and matrices
    # -----------------------------------------------------------------------------------------

    def _covariance(self, a: Expr, b: Expr, weight: Expr, bound: tuple[Symbol, ...]) -> Chains:
        """E[a bᵀ] - E[a] E[b]ᵀ."""
        made = self._mean(a * e.Transpose(b), weight, bound)
        left, right = self._mean(a, weight, bound), self._turned(self._mean(b, weight, bound))
        return made + [(x + y, -c * d) for x, c in left for y, d in right]

    def _turned(self, chains: Chains) -> Chains:
        return [(tuple(self._transposed(f) for f in reversed(chain)), c) for chain, c in chains]

    def _mean(self, body: Expr, weight: Expr, bound: tuple[Symbol, ...]) -> Chains:
        """Expectations of vectors: constants pulled out, independent factors taken apart, the
        moments of a declared Gaussian.
        """
        made: Chains = []
        for chain, coefficient in self._chains(body):
            touched = [k for k, f in enumerate(chain) if f.free_symbols & set(bound)]
            if not touched:
                made.append((chain, self.form.integrate(self.form.of(weight) * coefficient, bound)))
                continue
            if coefficient.free & frozenset(bound):
                return [((e.Expectation(body, weight, bound),), UNIT)]
            first, last = touched[0], touched[-1]
            inner = self._mean_of_core(chain[first : last + 1], weight, bound)
            made += [(chain[:first] + c + chain[last + 1 :], coefficient * d) for c, d in inner]
        return made

    def _mean_of_core(self, core: Chain, weight: Expr, bound: tuple[Symbol, ...]) -> Chains:
        """The expectation of a product that begins and ends with a random factor."""
        kept = tuple(v for v in bound if any(v in f.free_symbols for f in core))
        own = self._marginal_weight(weight, [v for v in bound if v not in kept])
        if own is not None:
            weight, bound = own, kept
        if len(core) == 2 and self._independent(core, weight, bound):
            left, right = (self._mean_of_core((f,), weight, bound) for f in core)
            return [(a + b, c * d) for a, c in left for b, d in right]
        if len(core) == 1 and isinstance(core[0], e.Transpose):
            return self._turned(self._mean_of_core((core[0].args[0],), weight, bound))
        families = self.form.rules.families and len(bound) == 1
        normal = self._normal_of(weight, bound[0]) if families else None
        if normal is not None:
            z, mean = bound[0], self._chains(normal.args[1])
            if core == (z,):
                return mean
            if core == (z, e.Transpose(z)):
                outer = [(a + b, c * d) for a, c in mean for b, d in self._turned(mean)]
                return self._chains(normal.args[2]) + outer
        return [((e.Expectation(Mul(*core), weight, bound),), UNIT)]

    def _independent(self, core: Chain, weight: Expr, bound: tuple[Symbol, ...]) -> bool:
        """Whether two factors are made of variables that are independent under a weight."""
        first, second = ({v for v in bound if v in f.free_symbols} for f in core)
        single = self.form.of(weight).single() if not first & second else None
        if single is None or self._marginal_weight(weight, list(bound)) != 1:
            return False
        inside = frozenset(pair for pair in single[0] if pair[0].free & set(bound))
        groups = self.form._components(frozenset(bound), inside)
        return all(not (group & first and group & second) for group, _ in groups)

    def _marginal_weight(self, weight: Expr, dropped: list[Symbol]) -> Expr | None:
        """The weight without some of its variables; None if they cannot be integrated out."""
        factors = list(Mul.make_args(weight))
        while dropped:
            for variable in dropped:
                own = [k for k, f in enumerate(factors) if variable in f.free_symbols]
                rest = self._without(factors[own[0]], variable) if len(own) == 1 else None
                if rest is not None:
                    factors[own[0]] = rest
                    dropped = [v for v in dropped if v != variable]
                    break
            else:
                return None
        return Mul(*factors)

    def _without(self, density: Expr, variable: Symbol) -> Expr | None:
        """∫ density over one of its variables."""
        if isinstance(density, e.Family):
            alone = density.args[0] == variable
            inside = any(variable in a.free_symbols for a in density.args[1:])
            fact = "a declared family integrates to one"
            return Integer(1) if alone and not inside and self.form.allows(fact) else None
        if not isinstance(density, e.Density):
            return None
        values = [pair for pair in density.values if pair[1] != variable]
        rest = [value for _, value in (*values, *density.conditions)]
        if len(values) + 1 != len(density.values) or any(variable in v.free_symbols for v in rest):
            return None
        fact = f"marginalisation of {density.head}" if values else f"{density.head} normalises"
        if not self.form.allows(fact):
            return None
        return e.Density(density.head, values, density.conditions) if values else Integer(1)

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
