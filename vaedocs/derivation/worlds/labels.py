r"""Labels: the names of an optimum that only tell densities and functions apart, as the θ of
``\max_\theta \log p_\theta(x)``.

Nothing is counted with such a name, so what is claimed must hold whatever it runs through, and a
few members of a family do: each has tables of its own, and the best one is found by looking.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy import Basic, Symbol, Tuple

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.sight import Sight

MEMBERS = 3  # of the family through which a label runs
Group = set[str | None]  # names with the same values; None: a number, or a point of a space


def labels(context: Sight) -> frozenset[str]:
    """The labels among the names over which ``context`` takes optima, and those set to them."""
    optima = [e for e in context._seen if isinstance(e, ex.Extremum)]
    names = {v.name for e in optima for v in e.bound if isinstance(v, Symbol)}
    names -= {*context.slot_of, *context.heads, *context.functions}
    if not names:
        return frozenset()
    alike: list[Group] = [{name, None} for name in (*context.slot_of, *context.heads)]
    for fact in context.constraints:
        alike += [{s.name, None} for side in (fact.left, fact.right) for s in side.free_symbols]
    for name, fact in context.definitions.items():
        place = isinstance(fact.right, ex.Extremum) and str(fact.right.args[0].name)[:3] == "arg"
        alike.append({name, *map(_name, fact.right.bound if place else (fact.right,))})
    together: dict[Any, Group] = {}  # the versions of a density, the arguments of a function
    for head in context.heads.keys() & context.theory.versions.keys():
        owner, version = context.theory.versions[head]
        together.setdefault(owner, set()).add(version)
    for e in context._seen:
        alike += [{s.name, None} for s in _counted(e)]
        if isinstance(e, ex.Evaluated):
            alike += [set(map(_name, pair)) for pair in e.args[1]]
        if isinstance(e, ex.Apply):
            for i, a in enumerate(e.args[2]):
                together.setdefault((e.name, i), _form(context, e.name)).add(_name(a))
    alike += together.values()
    found: set[str] = set()
    for name in names:
        family: Group = {name}
        size = 0
        while None not in family and size < len(family):
            size = len(family)
            family = family.union(*(group for group in alike if group & family))
        found |= set() if None in family else {n for n in family if n is not None}
    return frozenset(found)


def _name(e: Any) -> str | None:
    return e.name if isinstance(e, Symbol) else None


def _counted(e: Any) -> Iterator[Symbol]:
    """The names that stand directly in an expression that counts with them."""
    if not isinstance(e, Basic):
        return
    if isinstance(e, ex.Apply | ex.Density | Tuple):
        return
    body = isinstance(e, ex.Binder | ex.Evaluated)  # and what it binds or sets
    parts = e.args[:-1] if body else e.args
    for part in parts:
        for p in part.args if isinstance(part, Tuple) else (part,):
            if isinstance(p, Symbol):
                yield p


def _form(context: Sight, name: str) -> Group:
    """Whether a function must have a form, which a table has not."""
    info = context.functions[name]
    told = info.convex or info.concave or info.invertible or info.increasing
    formed = told or info.symmetric or info.kernel or name.endswith("^{-1}")
    return {None} if formed else set()
