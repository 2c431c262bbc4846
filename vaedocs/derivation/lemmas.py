"""Inequalities: a difference is shown to be non-negative by a named lemma, or not at all.

Gibbs: ∫ w log(w / v) ≥ 0 for a density w and any v > 0 with ∫ v = 1. Everything about lower bounds
is an instance: for the difference d = ∫ w log r the lemma asks whether v = w / r integrates to one.
Jensen's log E ≥ E log is the case v = a / ∫ a.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

import sympy
from sympy import Symbol

from vaedocs.derivation.normal_form import NormalForm, TooLarge
from vaedocs.derivation.polynomials import (
    ONE,
    UNIT,
    ZERO,
    Monomial,
    Polynomial,
    raise_to,
    times,
)

DEPTH = 3


@dataclass(frozen=True)
class Weighted:
    """A term c · ∫ w log a: coefficient, weight, bound variables, the logarithm's argument."""

    coefficient: Fraction
    weight: Monomial
    bound: frozenset[Symbol]
    argument: Polynomial
    whole: Monomial


def nonnegative(
    form: NormalForm, difference: Polynomial, depth: int = DEPTH
) -> tuple[str, ...] | None:
    """The lemmas by which ``difference`` ≥ 0, or None."""
    if not difference:
        return ("reflexivity",)
    if all(c > 0 and _nonnegative_monomial(m) for m, c in difference.terms.items()):
        return ("a sum of non-negative terms",)
    for lemma in (
        _common_factor,
        _termwise,
        _gibbs,
        _mass,
        tangent,
        _variance,
        _concavity,
        _square,
    ):
        try:
            found = lemma(form, difference, depth)
        except TooLarge:
            found = None
        if found is not None:
            return found
    return None


def _nonnegative_monomial(monomial: Monomial) -> bool:
    return all(
        atom.positive
        or power % 2 == 0
        or (atom.kind == "leaf" and bool(atom.data.is_nonnegative) and power > 0)
        for atom, power in monomial
    )


def _common_factor(form: NormalForm, d: Polynomial, depth: int) -> tuple[str, ...] | None:
    shared, rest = form.content(d)
    if not shared or depth == 0 or not _nonnegative_monomial(shared) or rest == d:
        return None
    if any(atom.kind in {"integral", "marginal", "conditional"} for atom, _ in shared):
        return None
    return nonnegative(form, rest, depth - 1)


def _termwise(form: NormalForm, d: Polynomial, depth: int) -> tuple[str, ...] | None:
    """Σ_i a_i ≥ 0 where every a_i is."""
    ranges = set()
    body = ZERO
    for monomial, coefficient in d.ordered():
        sums = [a for a, p in monomial if a.kind == "sum" and p == 1]
        if len(sums) != 1:
            return None
        index, lower, upper, inner = sums[0].data
        ranges.add((index, lower, upper))
        rest = frozenset(pair for pair in monomial if pair[0] != sums[0])
        body = body + Polynomial.monomial(times(inner, rest), coefficient)
    if len(ranges) != 1 or depth == 0:
        return None
    return nonnegative(form, body, depth - 1)


# -- Gibbs
# ------------------------------------------------------------------------------------------------


def _weighted(monomial: Monomial, coefficient: Fraction) -> Weighted | None:
    """Read one term as c · ∫ w log a."""
    logs = [a for a, p in monomial if a.kind == "log" and p == 1]
    integrals = [a for a, p in monomial if a.kind == "integral" and p == 1]
    if len(logs) == 1 and not integrals:
        rest = frozenset(pair for pair in monomial if pair[0] != logs[0])
        return Weighted(coefficient, rest, frozenset(), logs[0].data, monomial)
    if len(integrals) == 1 and not logs:
        bound, inner = integrals[0].data
        inner_logs = [a for a, p in inner if a.kind == "log" and p == 1]
        if len(inner_logs) != 1:
            return None
        outer = frozenset(pair for pair in monomial if pair[0] != integrals[0])
        weight = times(frozenset(pair for pair in inner if pair[0] != inner_logs[0]), outer)
        return Weighted(coefficient, weight, bound, inner_logs[0].data, monomial)
    return None


def _terms(d: Polynomial) -> list[Weighted] | None:
    made = [_weighted(m, c) for m, c in d.ordered()]
    numbers = [c for (m, c), w in zip(d.ordered(), made, strict=True) if w is None and not m]
    rest = [w for w in made if w is not None]
    if len(rest) + len(numbers) != len(made):
        return None
    if numbers:
        return None
    # log of a prime is a leaf, not a log atom: let it in as a constant argument
    return rest


def _constants(d: Polynomial) -> tuple[Polynomial, Fraction | None, Polynomial]:
    """Split off terms c · log(prime): they are the logarithm of a rational number."""
    rest: dict[Monomial, Fraction] = {}
    value = Polynomial.of(1)
    for monomial, coefficient in d.ordered():
        if len(monomial) == 1:
            ((atom, power),) = monomial
            if (
                atom.kind == "leaf"
                and isinstance(atom.data, sympy.log)
                and power == 1
                and atom.data.args[0].is_Integer
                and coefficient.denominator == 1
            ):
                number = Fraction(int(atom.data.args[0])) ** int(coefficient)
                value = value.scaled(number)
                continue
        rest[monomial] = coefficient
    return Polynomial(rest), value.constant(), value


def _mappings(
    form: NormalForm, inner: frozenset[Symbol], outer: frozenset[Symbol]
) -> list[dict[Symbol, Symbol]]:
    names = sorted(inner, key=str)
    targets = sorted(outer, key=str)
    if len(names) > len(targets):
        return []
    found = []
    for order in permutations(targets, len(names)):
        if all(form._type(a) == form._type(b) for a, b in zip(names, order, strict=True)):
            found.append(dict(zip(names, order, strict=True)))
    return found[:24]


def _as_logarithm(
    form: NormalForm, term: Weighted, weight: Monomial, bound: frozenset[Symbol]
) -> Polynomial | None:
    """The argument a with term = c ∫ weight · log a, the term's variables named as the weight's."""
    target = Polynomial.monomial(term.whole)
    found: list[Polynomial] = []
    for mapping in _mappings(form, term.bound, bound) if term.bound else [{}]:
        argument = form.rename_polynomial(term.argument, mapping) if mapping else term.argument
        if (
            form.integrate(Polynomial.monomial(weight) * form.log(argument), tuple(bound)) == target
            and argument not in found
        ):
            found.append(argument)
    if not found:
        return None
    # Copies of one variable: c·log a(z_1) stands for Σ log a(z_k) if the coefficient can be
    # shared out.
    share = Fraction(1, len(found))
    if len(found) > 1 and (term.coefficient * share).denominator == 1:
        product = UNIT
        for argument in found:
            product = (
                product * form.power(argument, share) if argument.single() else product * argument
            )
        if all(argument.single() for argument in found):
            return product
    return found[0]


def _is_one(form: NormalForm, weight: Polynomial, bound: frozenset[Symbol]) -> bool:
    return form.integrate(weight, tuple(bound)) == UNIT


def _gibbs(form: NormalForm, d: Polynomial, depth: int) -> tuple[str, ...] | None:
    body, constant, _ = _constants(d)
    terms = _terms(body)
    if not terms or constant is None:
        return None
    weights: dict[tuple[Monomial, frozenset[Symbol]], None] = {}
    for term in sorted(terms, key=lambda t: -len(t.bound)):
        weights.setdefault((term.weight, term.bound))
    for weight, bound in list(weights)[:6]:
        if not bound or not _nonnegative_monomial(weight):
            continue
        if not _is_one(form, Polynomial.monomial(weight), bound):
            continue
        found = _gibbs_with(form, d, terms, constant, weight, bound, depth)
        if found is not None:
            return found
    return None


def _gibbs_with(
    form: NormalForm,
    d: Polynomial,
    terms: list[Weighted],
    constant: Fraction,
    weight: Monomial,
    bound: frozenset[Symbol],
    depth: int,
) -> tuple[str, ...] | None:
    matched: list[tuple[Weighted, Polynomial]] = []
    unmatched: list[Weighted] = []
    for term in terms:
        argument = _as_logarithm(form, term, weight, bound)
        if argument is None:
            unmatched.append(term)
        else:
            matched.append((term, argument))
    scales = sorted({abs(t.coefficient) for t, _ in matched})
    choices: list[list[tuple[Weighted, Polynomial]]] = [matched]
    free = [pair for pair in matched if not pair[0].bound]
    if unmatched and free:
        choices.append([pair for pair in matched if pair not in free])
    for chosen in choices:
        for scale in scales:
            if _normalised(
                form,
                chosen,
                constant if len(chosen) == len(matched) else Fraction(1),
                weight,
                bound,
                scale,
            ):
                rest = d
                for term, _ in chosen:
                    rest = rest - Polynomial.monomial(term.whole, term.coefficient)
                if len(chosen) == len(matched):
                    rest, _, _ = _constants(rest)
                if not rest:
                    return ("Gibbs' inequality",)
                if depth and (more := nonnegative(form, rest, depth - 1)):
                    return tuple(dict.fromkeys(("Gibbs' inequality", *more)))
    return None


def _normalised(
    form: NormalForm,
    chosen: list[tuple[Weighted, Polynomial]],
    constant: Fraction,
    weight: Monomial,
    bound: frozenset[Symbol],
    scale: Fraction,
) -> bool:
    """Whether v = w / r integrates to one, where d = scale · ∫ w log r."""
    v = Polynomial.monomial(weight)
    for term, argument in chosen:
        exponent = -term.coefficient / scale
        if exponent.denominator != 1:
            return False
        v = v * form.power(argument, exponent)
    if scale == 1:
        v = v.scaled(1 / constant)
    elif constant != 1:
        return False
    return v != Polynomial.monomial(weight) and _is_one(form, v, bound)


# -- the others
# -------------------------------------------------------------------------------------------


def _mass(form: NormalForm, d: Polynomial, depth: int) -> tuple[str, ...] | None:
    """-∫ w log m ≥ 0 for a conditional or marginal probability mass m."""
    terms = _terms(d)
    if not terms:
        return None
    longest = max(terms, key=lambda t: len(t.bound))
    ratio: Monomial = ONE
    for term in terms:
        argument = (
            term.argument
            if not longest.bound
            else _as_logarithm(form, term, longest.weight, longest.bound)
        )
        if argument is None or (single := argument.single()) is None or single[1] != 1:
            return None
        if not longest.bound and term.weight:
            return None
        ratio = times(ratio, raise_to(single[0], -term.coefficient))
    if not all(_nonnegative_monomial(frozenset([pair])) for pair in longest.weight):
        return None
    if _is_mass(form, ratio):
        return ("a probability mass never exceeds 1",)
    return None


def _is_mass(form: NormalForm, ratio: Monomial) -> bool:
    above = [(a, p) for a, p in ratio if p > 0]
    below = [(a, p) for a, p in ratio if p < 0]
    if len(above) != 1 or above[0][1] != 1 or len(below) > 1 or above[0][0].kind != "marginal":
        return False
    head, pairs = above[0][0].data
    given: frozenset[tuple[str, object]] = frozenset()
    if below:
        atom, power = below[0]
        if (
            power != -1
            or atom.kind != "marginal"
            or atom.data[0] != head
            or not atom.data[1] < pairs
        ):
            return False
        given = atom.data[1]
    slots = [slot for slot, _ in pairs - given]
    return all(
        slot in form.theory.variables and form.theory.variables[slot].discrete for slot in slots
    )


def tangent(form: NormalForm, d: Polynomial, depth: int) -> tuple[str, ...] | None:
    """t - 1 - log t ≥ 0 for t > 0."""
    for monomial, coefficient in d.ordered():
        if coefficient < 0 and len(monomial) == 1:
            ((atom, power),) = monomial
            if atom.kind == "log" and power == 1:
                t = atom.data
                for argument in (t, form.power(t, Fraction(-1))):
                    made = (argument - UNIT - form.log(argument)).scaled(abs(coefficient))
                    if made == d:
                        return ("log t ≤ t - 1",)
    constant = -d.terms.get(ONE, Fraction(0))
    if constant > 0:
        plain = Polynomial(
            {m: c for m, c in d.ordered() if m and not any(a.kind == "log" for a, _ in m)}
        )
        t = plain.scaled(1 / constant)
        if plain and t.positive() and (t - UNIT - form.log(t)).scaled(constant) == d:
            return ("log t ≤ t - 1",)
    logs = [a for m in d.terms for a, p in m if a.kind == "log"]
    if logs:
        total = UNIT
        for monomial, coefficient in d.ordered():
            for atom, power in monomial:
                if (
                    atom.kind == "log"
                    and power == 1
                    and len(monomial) == 1
                    and coefficient.denominator == 1
                ):
                    total = total * form.power(atom.data, -coefficient)
        if total - UNIT - form.log(total) == d:
            return ("log t ≤ t - 1",)
    return None


def _variance(form: NormalForm, d: Polynomial, depth: int) -> tuple[str, ...] | None:
    """E[a²] ≥ (E[a])²."""
    for monomial, coefficient in d.ordered():
        squares = [a for a, p in monomial if a.kind == "integral" and p == 2]
        if coefficient == -1 and len(squares) == 1:
            bound, inner = squares[0].data
            outer = [(a, p / 2) for a, p in monomial if a != squares[0]]
            densities = frozenset(
                (a, p) for a, p in inner if a.kind in {"marginal", "family", "conditional"}
            )
            weight = times(densities, frozenset(outer))
            value = inner - densities
            if _is_one(form, Polynomial.monomial(weight), bound):
                second = form.integrate(
                    Polynomial.monomial(times(weight, raise_to(value, Fraction(2)))), tuple(bound)
                )
                if second - Polynomial.monomial(monomial) == d:
                    return ("a variance is non-negative",)
    return None


def _concavity(form: NormalForm, d: Polynomial, depth: int) -> tuple[str, ...] | None:
    """log(Σ a_k m_k) ≥ Σ (a_k / a) log(a m_k): the logarithm is concave; also against the averages
    that leave one term out.
    """
    if depth == 0:
        return None
    for monomial, coefficient in d.ordered():
        term = _weighted(monomial, coefficient)
        if (
            term is None
            or coefficient <= 0
            or not _nonnegative_monomial(term.weight)
            or len(term.argument.terms) < 2
            or not term.argument.positive()
        ):
            continue
        for lower in (_logs_of_terms, _logs_of_averages):
            below = lower(form, term.argument)
            if below is None:
                continue
            replaced = (
                form.integrate(Polynomial.monomial(term.weight) * below, tuple(term.bound))
                if term.bound
                else Polynomial.monomial(term.weight) * below
            )
            rest = d - Polynomial.monomial(monomial, coefficient) + replaced.scaled(coefficient)
            more = nonnegative(form, rest, depth - 1)
            if more is not None:
                return tuple(
                    dict.fromkeys(
                        (
                            "the logarithm is concave (Jensen)",
                            *(m for m in more if m != "reflexivity"),
                        )
                    )
                )
    return None


def _logs_of_terms(form: NormalForm, argument: Polynomial) -> Polynomial | None:
    total = sum(argument.terms.values(), Fraction(0))
    made = form._log_number(total)
    for monomial, coefficient in argument.ordered():
        made = made + form.log(Polynomial.monomial(monomial)).scaled(coefficient / total)
    return made


def _logs_of_averages(form: NormalForm, argument: Polynomial) -> Polynomial | None:
    count = len(argument.terms)
    if count < 3 or len(set(argument.terms.values())) != 1:
        return None
    made = ZERO
    for monomial, coefficient in argument.ordered():
        rest = (argument - Polynomial.monomial(monomial, coefficient)).scaled(
            Fraction(count, count - 1)
        )
        made = made + form.log(rest).scaled(Fraction(1, count))
    return made


def _square(form: NormalForm, d: Polynomial, depth: int) -> tuple[str, ...] | None:
    """A polynomial in plain symbols that factors into squares and positive factors."""
    total = sympy.Integer(0)
    for monomial, coefficient in d.ordered():
        product = sympy.Rational(coefficient.numerator, coefficient.denominator)
        for atom, power in monomial:
            if atom.kind != "leaf":
                return None
            product = product * atom.data ** sympy.Rational(power.numerator, power.denominator)
        total = total + product
    if len(d.terms) > 12 or not total.is_commutative:
        return None
    factored = sympy.factor(total)
    return ("a square is non-negative",) if factored.is_nonnegative else None
