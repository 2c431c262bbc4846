"""Claims about optima over all densities, as claims about every density."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Symbol

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.theory import Theory
from vaedocs.derivation.worlds.arithmetic import (
    CannotEvaluate,
)
from vaedocs.derivation.worlds.context import Context
from vaedocs.derivation.worlds.variations import best, functions_of


def is_place(e: Expr) -> bool:
    """Whether an expression is an argmin or argmax."""
    return isinstance(e, ex.Extremum) and str(e.args[0].name).startswith("arg")


def unfolded(e: Expr, theory: Theory) -> Expr:
    """A name that was defined as an optimum, as that optimum."""
    seen = set()
    while isinstance(e, Symbol) and e in theory.definitions and e not in seen:
        seen.add(e)
        if isinstance(theory.definitions[e].right, ex.Extremum):
            return theory.definitions[e].right
        e = theory.definitions[e].right
    return e


@dataclass(frozen=True)
class Claim:
    """What a claim about the best density says of all densities; ``attained``: the value that an
    optimum must reach."""

    relation: str
    left: Expr
    right: Expr
    free_of: tuple[Symbol, ...]
    attained: Expr | None


def over_densities(context: Context, relation: str, left: Expr, right: Expr) -> Claim | None:
    """A claim about the best density, as one about all densities: ``argmin_q f(q) = r`` says f(r) ≤
    f(q)."""
    for place, other in ((left, right), (right, left)):
        if not (isinstance(place, ex.Extremum) and relation == "="):
            continue
        found = best(place, context.theory)
        if found is not None:  # f(x) ≤ f(T) for all T, and reached where f is stationary
            low, arg = str(place.args[0].name) in {"argmin", "min", "inf"}, is_place(place)
            (call,), body = functions_of(place, context.theory)
            value = body.xreplace({call: other}) if arg else other
            return Claim("<=" if low else ">=", value, body, (), None if arg else found.value)
        heads = [v.name for v in place.bound if v.name in context.heads]
        if not heads:
            continue
        head, body, kind = heads[0], place.args[1], str(place.args[0].name)
        low = kind in {"argmin", "min", "inf"}
        _, own, given = context.theory.chosen.get(head, (head, (), ()))
        if own and {*context.heads[head]} - {*own, *given}:
            raise CannotEvaluate("an optimum over some variables of a density")
        if len(place.bound) > 1 or body.has(ex.Extremum):
            raise CannotEvaluate("an optimum over a density and something else")
        if isinstance(other, ex.Extremum):
            if [v.name for v in other.bound] != [head]:
                raise CannotEvaluate("optima over different densities")
            same = low == (str(other.args[0].name) in {"argmin", "min", "inf"})
            rest = other.args[1] if same else -other.args[1]
            return Claim("const", body, rest, (Symbol(head),), None)
        used = {d for d in body.atoms(ex.Density) if d.head == head}
        relation = "<=" if low else ">="
        if kind.startswith("arg"):
            return Claim(relation, body.xreplace(dict.fromkeys(used, other)), body, (), None)
        true = {d: ex.Density("p", d.values, d.conditions) for d in used}
        return Claim(relation, other, body, (), body.xreplace(true))
    return None
