"""The normal form: two expressions with the same one are equal.

Every density becomes a ratio of marginals of its head's joint, p(z | x) = p(x, z) / p(x);
logarithms of positive products become sums;
integrals are split, factors free of the variable pulled out, and the one rule of integration
applied: a marginal loses a variable that nothing
else depends on. Bound variables get canonical names. What no rule can do stays as an atom, so
equality is never claimed by guessing.

``Rules`` switches single facts off; a step uses a fact exactly if it fails without it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import permutations

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation.calculus import Calculus
from vaedocs.derivation.linear import Linear
from vaedocs.derivation.polynomials import (
    ONE,
    UNIT,
    ZERO,
    Atom,
    Monomial,
    Polynomial,
    depends,
    raise_to,
    spelt,
    times,
)
from vaedocs.derivation.theory import Theory

LIMIT = 4000  # terms beyond which an expression is refused as too large


class TooLarge(Exception):
    """The normal form would not fit; the checker falls back on testing."""


@dataclass(frozen=True)
class Rules:
    """Which facts may be used. ``without`` holds the names of those switched off."""

    without: frozenset[str] = frozenset()
    families: bool = False  # use the formulas of declared families, and moments of Gaussians

    def allows(self, fact: str) -> bool:
        """Whether a fact may be used."""
        return fact not in self.without


@dataclass
class NormalForm:
    """Computes normal forms in one theory under one set of rules; ``offered`` collects the facts
    that came up.
    """

    theory: Theory
    rules: Rules = field(default_factory=Rules)
    offered: dict[str, None] = field(default_factory=dict)
    memo: dict[Expr, Polynomial] = field(default_factory=dict)
    counter: int = 0

    def __post_init__(self) -> None:
        self.linear = Linear(self.theory, self)
        self.calculus = Calculus(self.theory, self)

    def allows(self, fact: str) -> bool:
        """Whether a fact may be used; remembers that it was wanted."""
        self.offered.setdefault(fact)
        return self.rules.allows(fact)

    # -- expressions to polynomials
    # ---------------------------------------------------------------------

    def of(self, expr: Expr) -> Polynomial:
        """The normal form of a scalar expression."""
        made = self.memo.get(expr)
        if made is None:
            made = self._of(expr)
            if len(made.terms) > LIMIT:
                raise TooLarge
            self.memo[expr] = made
        return made

    def _of(self, expr: Expr) -> Polynomial:
        if isinstance(expr, e.Binder):
            expr = self.apart(expr)
        match expr:
            case Rational():
                return Polynomial.of(Fraction(int(expr.p), int(expr.q)))
            case Symbol():
                fact = self.theory.definitions.get(expr)
                if fact is not None and self.allows(fact.name):
                    return self.of(fact.right)
                return self.leaf(expr)
            case Add():
                total = ZERO
                for part in expr.args:
                    total = total + self.of(part)
                return total
            case Mul():
                result = UNIT
                for part in expr.args:
                    result = result * self.of(part)
                    if len(result.terms) > LIMIT:
                        raise TooLarge
                return result
            case Pow():
                return self._power(expr)
            case _ if expr == sympy.E:
                return self._exp(UNIT)
            case sympy.exp():
                return self._exp(self.of(expr.args[0]))
            case sympy.log():
                return self.log(self.of(expr.args[0]))
            case e.Density():
                return self._density(expr)
            case e.Family():
                return Polynomial.of(self._family_atom(expr))
            case e.KL():
                p, q, bound = expr.args[0], expr.args[1], expr.bound
                return self.integrate(
                    self.of(p) * (self.log(self.of(p)) - self.log(self.of(q))), bound
                )
            case e.Entropy():
                p = self.of(expr.args[0])
                return -self.integrate(p * self.log(p), expr.bound)
            case e.CrossEntropy():
                return -self.integrate(
                    self.of(expr.args[0]) * self.log(self.of(expr.args[1])), expr.bound
                )
            case e.Expectation() if expr.is_commutative:
                return self.integrate(self.of(expr.args[0]) * self.of(expr.args[1]), expr.bound)
            case e.Variance() if expr.is_commutative:
                return self._covariance(expr.args[0], expr.args[0], expr.args[1], expr.bound)
            case e.Covariance() if expr.is_commutative:
                return self._covariance(expr.args[0], expr.args[1], expr.args[2], expr.bound)
            case e.Integral() if expr.is_commutative and not expr.args[1]:
                return self.integrate(self.of(expr.args[0]), expr.bound)
            case e.Sum() if expr.is_commutative:
                return self.sum(self.of(expr.args[0]), expr.args[1], expr.args[2], expr.bound[0])
            case e.Product() if expr.is_commutative:
                body = self.log(self.of(expr.args[0]))
                return self._exp(self.sum(body, expr.args[1], expr.args[2], expr.bound[0]))
            case e.Sigmoid():
                return self.of(1 / (1 + sympy.exp(-expr.args[0])))
            case e.Softplus():
                return self.of(sympy.log(1 + sympy.exp(expr.args[0])))
            case sympy.tanh():
                grown = sympy.exp(2 * expr.args[0])
                return self.of((grown - 1) / (grown + 1))
            case e.Derivative() if expr.is_commutative:
                made = self.calculus.derivative(expr)
                return self.leaf(expr) if made is None else made
            case (
                e.Scalar()
                | e.Norm()
                | e.Trace()
                | e.Determinant()
                | e.Component()
                | e.LogDeterminant()
            ):
                return self.linear.scalar(expr)
        return self.leaf(expr)

    def apart(self, expr: e.Binder) -> e.Binder:
        """The same with other names for bound variables that are also defined: in E_q[z] the z is
        q's, whatever ``z := …`` says of the one outside.
        """
        names = {v: self._fresh(v) for v in expr.bound if v in self.theory.definitions}
        return expr.xreplace(names) if names else expr

    def leaf(self, expr: Expr) -> Polynomial:
        """An expression that stays as it is."""
        return Polynomial.of(
            Atom("leaf", expr, frozenset(expr.free_symbols), bool(expr.is_positive))
        )

    def _power(self, expr: Pow) -> Polynomial:
        base, exponent = expr.base, expr.exp
        if not isinstance(exponent, Rational):
            return self._exp(self.of(exponent) * self.log(self.of(base)))
        made = self.of(base)
        power = Fraction(int(exponent.p), int(exponent.q))
        if isinstance(base, e.Norm) and power.denominator == 1 and power % 2 == 0:
            made, power = self.linear.squared_norm(base), power / 2
        return self.power(made, power)

    def power(self, base: Polynomial, exponent: Fraction) -> Polynomial:
        """A rational power of a polynomial."""
        if exponent.denominator == 1 and 0 <= exponent <= 8:
            result = UNIT
            for _ in range(int(exponent)):
                result = result * base
                if len(result.terms) > LIMIT:
                    raise TooLarge
            return result
        single = base.single()
        if single:
            monomial, coefficient = single
            if exponent.denominator == 1 and coefficient:
                return Polynomial.monomial(
                    raise_to(monomial, exponent), coefficient ** int(exponent)
                )
            if coefficient > 0 and all(atom.positive for atom, _ in monomial):
                number = self._numeric_power(coefficient, exponent)
                return Polynomial.monomial(raise_to(monomial, exponent)) * number
        monomial, rest = self.content(base)
        if monomial and (exponent.denominator == 1 or all(a.positive for a, _ in monomial)):
            return Polynomial.monomial(raise_to(monomial, exponent)) * self.power(rest, exponent)
        atom = Atom("power", (base, Fraction(1)), base.free, base.positive())
        return Polynomial.monomial(frozenset([(atom, exponent)]))

    def _numeric_power(self, coefficient: Fraction, exponent: Fraction) -> Polynomial:
        value = Rational(coefficient.numerator, coefficient.denominator) ** Rational(
            exponent.numerator, exponent.denominator
        )
        number, rest = value.as_coeff_Mul()
        made = (
            Polynomial.of(Fraction(int(number.p), int(number.q)))
            if isinstance(number, Rational)
            else UNIT
        )
        return made if rest == 1 else made * self.leaf(rest)

    def content(self, poly: Polynomial) -> tuple[Monomial, Polynomial]:
        """The largest monomial that divides every term, and the quotient, scaled to a canonical
        leading coefficient of one sum.
        """
        terms = list(poly.terms)
        if len(terms) < 2:
            return ONE, poly
        common = dict(terms[0])
        for monomial in terms[1:]:
            here = dict(monomial)
            for atom in list(common):
                low = min(common[atom], here.get(atom, Fraction(0)))
                if low:
                    common[atom] = low
                else:
                    del common[atom]
            for atom, power in here.items():
                if (
                    atom not in common
                    and power < 0
                    and all(dict(m).get(atom, Fraction(0)) < 0 for m in terms)
                ):
                    common[atom] = power
        for atom in {a for m in terms for a, p in m if p < 0}:
            common[atom] = min(dict(m).get(atom, Fraction(0)) for m in terms)
        shared = frozenset((a, p) for a, p in common.items() if p)
        if not shared:
            return ONE, poly
        inverse = raise_to(shared, Fraction(-1))
        return shared, Polynomial({times(m, inverse): c for m, c in poly.terms.items()})

    # -- exponential and logarithm
    # --------------------------------------------------------------------------

    def _exp(self, argument: Polynomial) -> Polynomial:
        """exp of a sum is a product with one factor for each term, so that exp(a) exp(-a) is 1."""
        result = UNIT
        for monomial, coefficient in argument.terms.items():
            inner = self._logarithm_in(monomial)
            if inner is not None:
                result = result * self.power(inner, coefficient)
            else:
                atom = Atom("exp", Polynomial.monomial(monomial), depends(monomial), True)
                result = result * Polynomial.monomial(frozenset([(atom, coefficient)]))
        return result

    def _logarithm_in(self, monomial: Monomial) -> Polynomial | None:
        if len(monomial) == 1:
            ((atom, power),) = monomial
            if power == 1 and atom.kind == "log":
                return atom.data
        return None

    def log(self, argument: Polynomial) -> Polynomial:
        """The logarithm: a sum over positive factors; of a sum, an atom."""
        single = argument.single()
        if single:
            monomial, coefficient = single
            if coefficient > 0 and all(atom.positive for atom, _ in monomial):
                total = self._log_number(coefficient)
                for atom, power in monomial:
                    total = total + self._log_atom(atom).scaled(power)
                return total
        if argument.positive():
            monomial, rest = self.content(argument)
            scale = sum(rest.terms.values(), Fraction(0)) if rest.terms else Fraction(1)
            scale = Fraction(min(rest.terms.values())) if rest.terms else scale
            rest = rest.scaled(1 / scale)
            total = (
                self.log(Polynomial.monomial(monomial)) + self._log_number(scale)
                if monomial
                else self._log_number(scale)
            )
            return total + self._log_atom_of(rest)
        return self._log_atom_of(argument)

    def _log_atom_of(self, argument: Polynomial) -> Polynomial:
        return Polynomial.of(Atom("log", argument, argument.free))

    def _log_number(self, value: Fraction) -> Polynomial:
        total = ZERO
        for number, sign in ((value.numerator, 1), (value.denominator, -1)):
            for prime, count in sympy.factorint(number).items():
                if prime != 1:
                    made = sympy.log(Integer(prime))
                    total = total + Polynomial.of(Atom("leaf", made, frozenset(), True)).scaled(
                        Fraction(sign * count)
                    )
        return total

    def _log_atom(self, atom: Atom) -> Polynomial:
        if atom.kind == "exp":
            return atom.data
        if atom.kind == "power":
            return self._log_atom_of(atom.data[0])
        if atom.kind == "marginal" and self.rules.families:
            made = self._log_by_family(atom)
            if made is not None:
                return made
        if atom.kind == "family" and self.rules.families:
            return self._log_family(atom.data)
        return self._log_atom_of(Polynomial.of(atom))

    def _log_by_family(self, atom: Atom) -> Polynomial | None:
        """log p(x, z) = log N(x; …) + log p(z), where p(x | z) is declared."""
        head, pairs = atom.data
        slots = frozenset(slot for slot, _ in pairs)
        for key, family in self.theory.families.items():
            if (
                key[0] == head
                and key[1] | key[2] == slots
                and self.allows(f"the form of {self._family_name(key)}")
            ):
                values = dict(pairs)
                formula = family.formula.xreplace(
                    {self.theory.variables[slot].symbol: value for slot, value in values.items()}
                )
                rest = frozenset((slot, value) for slot, value in pairs if slot in key[2])
                total = self._log_family(formula)
                return total + self.log(self.marginal(head, rest)) if rest else total
        marginal = self.linear.linear_gaussian(head, pairs)
        return self._log_family(marginal) if marginal is not None else None

    @staticmethod
    def _family_name(key: tuple[str, frozenset[str], frozenset[str]]) -> str:
        head, left, right = key
        return (
            f"{head}({', '.join(sorted(left))}{' | ' + ', '.join(sorted(right)) if right else ''})"
        )

    def _log_family(self, formula: Expr) -> Polynomial:
        made = self.linear.log_density(formula)
        if made is None:
            return self._log_atom_of(Polynomial.of(self._family_atom(formula)))
        return self.of(made)

    def _family_atom(self, formula: Expr) -> Atom:
        return Atom("family", formula, frozenset(formula.free_symbols), True)

    # -- densities
    # --------------------------------------------------------------------------------------------

    def _density(self, expr: e.Density) -> Polynomial:
        head = expr.head
        values, conditions = frozenset(expr.values), frozenset(expr.conditions)
        defined = self.theory.density_definitions.get(expr.key)
        if defined is not None and defined.relation == "=" and self._defining(expr, defined.left):
            name = defined.name
            if self.allows(name):
                return self._unfold(expr, defined.left, defined.right)
        if not self.allows(f"the product rule for {head}"):
            free = frozenset().union(*(v.free_symbols for _, v in (*values, *conditions)))
            return Polynomial.of(Atom("conditional", (head, values, conditions), free, True))
        joint = self.marginal(head, values | conditions)
        return (
            joint * self.power(self.marginal(head, conditions), Fraction(-1))
            if conditions
            else joint
        )

    def _defining(self, expr: e.Density, left: Expr) -> bool:
        return isinstance(left, e.Density) and bool(left.values)

    def _unfold(self, expr: e.Density, left: Expr, right: Expr) -> Polynomial:
        assert isinstance(left, e.Density)
        mapping = {
            old: new
            for (slot, new), (_, old) in zip(
                (*expr.values, *expr.conditions), (*left.values, *left.conditions), strict=True
            )
            if old != new
        }
        return self.of(rename(right, mapping)) if mapping else self.of(right)

    def marginal(self, head: str, pairs: frozenset[tuple[str, Expr]]) -> Polynomial:
        """A marginal of a head's joint at values, split where the theory declares independence."""
        if not pairs:
            return UNIT
        slots = {slot for slot, _ in pairs}
        for owner, separated, kept, dropped in self.theory.independences:
            others = slots - separated - kept
            if not (
                owner == head
                and separated < slots
                and kept <= slots
                and others
                and others <= dropped
            ):
                continue
            if self.allows(self._independence_name(head, separated, kept, dropped)):
                alone = frozenset((s, v) for s, v in pairs if s in separated | kept)
                without = frozenset((s, v) for s, v in pairs if s not in separated)
                shared = frozenset((s, v) for s, v in pairs if s in kept)
                result = self._marginal_atom(head, alone) * self.marginal(head, without)
                return (
                    result * self.power(self._marginal_atom(head, shared), Fraction(-1))
                    if shared
                    else result
                )
        return self._marginal_atom(head, pairs)

    @staticmethod
    def _independence_name(
        head: str, separated: frozenset[str], kept: frozenset[str], dropped: frozenset[str]
    ) -> str:
        given = f" given {', '.join(sorted(kept))}" if kept else ""
        one, other = ", ".join(sorted(separated)), ", ".join(sorted(dropped))
        return f"{one} independent of {other}{given} under {head}"

    def _marginal_atom(self, head: str, pairs: frozenset[tuple[str, Expr]]) -> Polynomial:
        free = frozenset().union(*(value.free_symbols for _, value in pairs))
        return Polynomial.of(Atom("marginal", (head, pairs), free, True))

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

    def _fresh(self, like: Symbol) -> Symbol:
        self.counter += 1
        name = like.name.split("#")[0] + f"#f{self.counter}"
        return Symbol(name, **like._assumptions_orig)

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
        for variable in sorted(bound, key=str):
            made = self._eliminate(variable, monomial, outside)
            if made is not None:
                rest = bound - {variable}
                return made.map(lambda m, rest=rest: self._integral(rest, m))  # type: ignore[misc]
        return Polynomial.of(self._integral_atom(bound, monomial))

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
        slots = [slot for slot, value in pairs if value == variable]
        if len(slots) != 1 or sum(variable in value.free_symbols for _, value in pairs) != 1:
            return None
        left = frozenset(pair for pair in pairs if pair[0] != slots[0])
        made = self.marginal(head, left)
        # ∫ p(x, z) / p(x) dz = 1 is the normalisation of p(z | x); what leaves a density behind is
        # a marginalisation.
        single = made.single()
        inverse = single is not None and all((a, Fraction(-p)) in rest for a, p in single[0])
        if not left or inverse:
            return made if self.allows(f"{head} normalises") else None
        return made if self.allows(f"marginalisation of {head}") else None

    def _integral_atom(self, bound: frozenset[Symbol], monomial: Monomial) -> Atom:
        names, renamed = self._canonical(bound, monomial)
        positive = all(atom.positive or power % 2 == 0 for atom, power in renamed)
        return Atom("integral", (names, renamed), depends(renamed) - names, positive)

    def _canonical(
        self, bound: frozenset[Symbol], monomial: Monomial
    ) -> tuple[frozenset[Symbol], Monomial]:
        """Bound variables numbered so that equal integrals look equal: the numbering with the
        smallest key.
        """
        variables = sorted(bound, key=self._type)
        best: tuple[str, Monomial, tuple[Symbol, ...]] | None = None
        orders = permutations(variables) if len(variables) <= 4 else [tuple(variables)]
        types = [self._type(v) for v in variables]
        if len(set(types)) == len(types):  # one order only: no keys to compare
            names = {v: self._canonical_symbol(v, k) for k, v in enumerate(variables)}
            return frozenset(names.values()), self._rename(monomial, names)
        for order in orders:
            if [self._type(v) for v in order] != types:
                continue
            mapping = {v: self._canonical_symbol(v, k) for k, v in enumerate(order)}
            made = self._rename(monomial, mapping)
            key = spelt(made)
            if best is None or key < best[0]:
                best = (key, made, tuple(mapping.values()))
        assert best is not None
        return frozenset(best[2]), best[1]

    def _type(self, variable: Symbol) -> str:
        name = variable.name.split("#")[0].lstrip("·")
        for slot, declared in self.theory.variables.items():
            if declared.symbol.name == name:
                return slot
        return name.split("_")[0].rstrip("'")

    def _canonical_symbol(self, variable: Symbol, number: int) -> Symbol:
        return Symbol(f"·{self._type(variable)}#{number}", **variable._assumptions_orig)

    def _rename(self, monomial: Monomial, mapping: dict[Symbol, Symbol]) -> Monomial:
        if all(k == v for k, v in mapping.items()):
            return monomial
        result: Monomial = ONE
        for atom, power in monomial:
            result = times(result, frozenset([(self.renamed(atom, mapping), power)]))
        return result

    def rename_polynomial(self, poly: Polynomial, mapping: dict[Symbol, Symbol]) -> Polynomial:
        """A polynomial with variables renamed."""
        total: dict[Monomial, Fraction] = {}
        for monomial, coefficient in poly.terms.items():
            made = self._rename(monomial, mapping)
            total[made] = total.get(made, Fraction(0)) + coefficient
        return Polynomial(total)

    def renamed(self, atom: Atom, mapping: dict[Symbol, Symbol]) -> Atom:
        """An atom with its free variables renamed."""
        relevant = {old: new for old, new in mapping.items() if old in atom.free}
        if not relevant:
            return atom
        free = frozenset(relevant.get(v, v) for v in atom.free)
        match atom.kind:
            case "leaf" | "family":
                data = rename(atom.data, relevant)
            case "marginal":
                data = (atom.data[0], frozenset((s, rename(v, relevant)) for s, v in atom.data[1]))
            case "conditional":
                data = (
                    atom.data[0],
                    *(
                        frozenset((s, rename(v, relevant)) for s, v in pairs)
                        for pairs in atom.data[1:]
                    ),
                )
            case "score":
                data = (
                    atom.data[0],
                    atom.data[1],
                    frozenset((s, rename(v, relevant)) for s, v in atom.data[2]),
                )
            case "log" | "exp":
                data = self.rename_polynomial(atom.data, relevant)
            case "power":
                data = (self.rename_polynomial(atom.data[0], relevant), atom.data[1])
            case "integral":
                names, inner = atom.data
                data = self._canonical(names, self._rename(inner, relevant))
            case _:
                index, lower, upper, inner = atom.data
                data = (
                    index,
                    rename(lower, relevant),
                    rename(upper, relevant),
                    self._rename(inner, relevant),
                )
        return Atom(atom.kind, data, free, atom.positive)

    # -- finite sums
    # ----------------------------------------------------------------------------------------------

    def sum(self, body: Polynomial, lower: Expr, upper: Expr, index: Symbol) -> Polynomial:
        """Σ over an index, term by term: free factors are pulled out, a constant is counted."""
        return body.map(lambda monomial: self._sum(monomial, lower, upper, index))

    def _sum(self, monomial: Monomial, lower: Expr, upper: Expr, index: Symbol) -> Polynomial:
        outside = frozenset((a, p) for a, p in monomial if index not in a.free)
        inside = monomial - outside
        result = Polynomial.monomial(outside)
        if not inside:
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


def rename(expr: Expr, mapping: dict[Symbol, Expr]) -> Expr:
    """Replace free symbols in an expression; bound ones of the same name stay, and are never
    captured.
    """
    if not isinstance(expr, sympy.Basic) or not expr.free_symbols & set(mapping):
        return expr
    if isinstance(expr, e.Density):
        return e.Density(
            expr.args[0],
            [(s, rename(v, mapping)) for s, v in expr.values],
            [(s, rename(v, mapping)) for s, v in expr.conditions],
        )
    if isinstance(expr, e.Binder):
        inner = {old: new for old, new in mapping.items() if old not in expr.bound}
        incoming = {symbol for new in inner.values() for symbol in new.free_symbols}
        clash = {
            v: Symbol(v.name + "#c", **v._assumptions_orig) for v in expr.bound if v in incoming
        }
        arguments = [rename(rename(a, clash) if clash else a, inner) for a in expr.args[:-1]]
        return type(expr)(*arguments, sympy.Tuple(*(clash.get(v, v) for v in expr.bound)))
    if isinstance(expr, Symbol):
        return mapping.get(expr, expr)
    if not expr.args:
        return expr
    return expr.func(*(rename(a, mapping) for a in expr.args))
