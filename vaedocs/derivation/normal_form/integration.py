"""Integrals and finite sums in the normal form, term by term."""

from __future__ import annotations

from fractions import Fraction

from sympy import Expr, Integer, Symbol

from vaedocs.derivation.normal_form.base import without
from vaedocs.derivation.normal_form.powers import Powers
from vaedocs.derivation.polynomials import (
    UNIT,
    ZERO,
    Atom,
    Monomial,
    Polynomial,
    depends,
    times,
)


class Integration(Powers):
    """Integrates monomials: free factors are pulled out, densities lose a variable."""

    # -- integration
    # --------------------------------------------------------------------------------------------

    def _covariance(self, a: Expr, b: Expr, weight: Expr, bound: tuple[Symbol, ...]) -> Polynomial:
        w, left, right = self.of(weight), self.of(a), self.of(b)
        product = self.integrate(w * left * right, bound)
        return product - self.integrate(w * left, bound) * self.integrate(w * right, bound)

    def integrate(self, body: Polynomial, bound: tuple[Symbol, ...]) -> Polynomial:
        """∫ body over the bound variables, term by term."""
        return body.map(lambda monomial: self._integral(frozenset(bound), monomial))

    def _integral(self, bound: frozenset[Symbol], monomial: Monomial) -> Polynomial:
        for atom, power in monomial:
            if atom.kind in {"integral", "sum"} and power == 1 and atom.free & bound:
                rest = frozenset((a, p) for a, p in monomial if a != atom)
                return self._merge(bound, atom, rest)
        outside = frozenset((a, p) for a, p in monomial if not a.free & bound)
        inside = monomial - outside
        result = Polynomial.monomial(outside)
        for variables, part in self._components(bound, inside):
            result = result * self._component(variables, part, outside)
        return result

    def _merge(self, bound: frozenset[Symbol], atom: Atom, rest: Monomial) -> Polynomial:
        """An integral or sum under an integral: one over both, with fresh names inside."""
        if atom.kind == "sum":
            index, lower, upper, inner = atom.data
            fresh = self._fresh(index)
            inner = self._rename(inner, {index: fresh})
            body = self._integral(bound, times(inner, rest))
            return self.sum(body, lower, upper, fresh)
        variables, inner = atom.data
        fresh_names = {v: self._fresh(v) for v in variables}
        inner = self._rename(inner, fresh_names)
        return self._integral(bound | frozenset(fresh_names.values()), times(inner, rest))

    def _components(
        self, bound: frozenset[Symbol], inside: Monomial
    ) -> list[tuple[frozenset[Symbol], Monomial]]:
        """Independent groups of bound variables, each with its factors."""
        groups: list[tuple[set[Symbol], set[tuple[Atom, Fraction]]]] = [({v}, set()) for v in bound]
        for pair in inside:
            touched = [g for g in groups if g[0] & pair[0].free]
            merged: tuple[set[Symbol], set[tuple[Atom, Fraction]]] = (set(), {pair})
            for group in touched:
                merged[0].update(group[0])
                merged[1].update(group[1])
                groups.remove(group)
            groups.append(merged)
        return [(frozenset(v), frozenset(m)) for v, m in groups]

    def _component(
        self, bound: frozenset[Symbol], monomial: Monomial, outside: Monomial
    ) -> Polynomial:
        if not monomial and (number := self._number_of_values(bound)) is not None:
            return self.of(number)
        for variable in sorted(bound, key=str):
            made = self._eliminate(variable, monomial, outside)
            if made is not None:
                rest = bound - {variable}
                return made.map(lambda m, rest=rest: self._integral(rest, m))  # type: ignore[misc]
        return Polynomial.of(self._integral_atom(bound, monomial))

    def _number_of_values(self, bound: frozenset[Symbol]) -> Expr | None:
        r"""K for a variable that is declared to be one of 1, …, K."""
        variable = next(iter(bound)) if len(bound) == 1 else None
        if not isinstance(variable, Symbol):
            return None
        known = self.theory.variables.get(self._type(variable))
        if not known or not known.discrete or known.low != 1 or known.high is None:
            return None
        return None if known.high.is_infinite else known.high

    def _eliminate(
        self, variable: Symbol, monomial: Monomial, outside: Monomial
    ) -> Polynomial | None:
        """The integral over one variable, if a rule does it; ``outside`` are the factors pulled out
        before.
        """
        touching = [(atom, power) for atom, power in monomial if variable in atom.free]
        rest = frozenset(pair for pair in monomial if variable not in pair[0].free)
        if len(touching) == 1 and touching[0][1] == 1:
            made = self._integrate_density(variable, touching[0][0], rest | outside)
            if made is not None:
                return made * Polynomial.monomial(rest)
        scored = self.calculus.integrate_score(variable, touching)
        if scored is not None:
            return scored * Polynomial.monomial(rest)
        if self.rules.families:
            return self.linear.moment(variable, touching, rest)
        return None

    def _integrate_density(self, variable: Symbol, atom: Atom, rest: Monomial) -> Polynomial | None:
        if (
            atom.kind == "family"
            and atom.data.args[0] == variable
            and variable not in atom.data.free_symbols - {variable}
            and not any(variable in a.free_symbols for a in atom.data.args[1:])
        ):
            return UNIT if self.allows("a declared family integrates to one") else None
        if atom.kind == "conditional":
            head, values, conditions = atom.data
            slots = [slot for slot, value in values if value == variable]
            inside = (
                any(variable in v.free_symbols for _, v in conditions)
                or sum(variable in v.free_symbols for _, v in values) != 1
            )
            if len(slots) != 1 or inside:
                return None
            left = frozenset(pair for pair in values if pair[0] != slots[0])
            if not left:
                return UNIT if self.allows(f"{head} normalises") else None
            if not self.allows(f"marginalisation of {head}"):
                return None
            free = frozenset().union(*(v.free_symbols for _, v in (*left, *conditions)))
            return Polynomial.of(Atom("conditional", (head, left, conditions), free, True))
        if atom.kind != "marginal":
            return None
        head, pairs = atom.data
        if (others := without(pairs, variable)) is None:
            return None
        made = self.marginal(head, others)
        # ∫ p(x, z) / p(x) dz = 1 is the normalisation of p(z | x); what leaves a density behind is
        # a marginalisation.
        single = made.single()
        inverse = single is not None and all((a, Fraction(-p)) in rest for a, p in single[0])
        if not others or inverse:
            return made if self.allows(f"{head} normalises") else None
        return made if self.allows(f"marginalisation of {head}") else None

    def _integral_atom(self, bound: frozenset[Symbol], monomial: Monomial) -> Atom:
        names, renamed = self._canonical(bound, monomial)
        positive = all(atom.positive or power % 2 == 0 for atom, power in renamed)
        return Atom("integral", (names, renamed), depends(renamed) - names, positive)

    # -- finite sums
    # ----------------------------------------------------------------------------------------------

    def sum(self, body: Polynomial, lower: Expr, upper: Expr, index: Symbol) -> Polynomial:
        """Σ over an index, term by term: free factors are pulled out, a constant is counted."""
        return body.map(lambda monomial: self._sum(monomial, lower, upper, index))

    def _sum(self, monomial: Monomial, lower: Expr, upper: Expr, index: Symbol) -> Polynomial:
        outside = frozenset((a, p) for a, p in monomial if index not in a.free)
        inside = monomial - outside
        result = Polynomial.monomial(outside)
        if not inside and not upper.is_infinite:
            return result * self.of(upper - lower + 1)
        if lower.is_Integer and upper.is_Integer and int(upper) - int(lower) < 8:
            total = ZERO
            for k in range(int(lower), int(upper) + 1):
                total = total + Polynomial.monomial(self._rename(inside, {index: Integer(k)}))
            return result * total
        for atom, power in inside:
            if atom.kind == "sum" and power == 1 and index in atom.free:
                inner_index, low, high, body = atom.data
                fresh = self._fresh(inner_index)
                rest = frozenset(pair for pair in inside if pair[0] != atom)
                inner = self._sum(
                    times(self._rename(body, {inner_index: fresh}), rest), lower, upper, index
                )
                single = inner.single()
                if (
                    single
                    and any(a.kind == "sum" for a, _ in single[0])
                    and low.free_symbols | high.free_symbols == set()
                ):
                    return result * self.sum(inner, low, high, fresh)
        canonical = Symbol("·#i", integer=True, positive=True)
        while any(canonical in a.free for a, _ in inside) and canonical != index:
            canonical = Symbol(canonical.name + "i", integer=True, positive=True)
        made = self._rename(inside, {index: canonical})
        positive = all(a.positive or p % 2 == 0 for a, p in made)
        free = (depends(made) - {canonical}) | lower.free_symbols | upper.free_symbols
        return result * Polynomial.of(
            Atom("sum", (canonical, lower, upper, made), frozenset(free), positive)
        )
