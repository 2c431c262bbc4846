r"""Sets of values: which of them hold all values, and what is said of the others beforehand.

``P(A)`` beside ``\int_A p(x)\,dx`` is the probability that x lies in A, and the set of
``\max_{x \in [0, 1]}`` is where x lies in the whole display.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeGuard

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.rewrite.trees import rebuild, rewritten
from vaedocs.derivation.spelling import children, names_in, spell, walk

SIGNS = {"in", "<", "<=", ">", ">="}


def joined(item: s.Node) -> Iterator[s.Node]:
    r"""The A and B of ``A \cap B``, which happen together."""
    if isinstance(item, s.Group):
        yield from joined(item.body)
    elif isinstance(item, s.Product) and {*item.operators} in ({"cap"}, {""}):
        for factor in item.factors:
            yield from joined(factor)
    else:
        yield item


def with_sets(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    """Both with the sets of integrals and of optima read beforehand, where there are any."""
    told = {
        (spell(chain.left), _named(link.right))  # x \in \mathcal{M} is all of its values
        for chain in statements
        for link in chain.links
        if link.symbol == "in" and not isinstance(link.right, s.Group)
    }

    def all_values(node: s.Node) -> s.Node | None:
        match node:
            case s.Integral(lower=s.Node() as domain, upper=None, variables=names):
                if all((spell(name), _named(domain)) in told for name in names):
                    return replace(node, lower=None, body=rebuild(node.body, all_values))
            case s.BigOperator(domain=s.Node() as domain, indices=names):
                if all((spell(name), _named(domain)) in told for name in names):
                    return replace(node, domain=None, body=rebuild(node.body, all_values))
        return None

    if told:
        display, statements = rewritten(display, statements, all_values)
    nodes = [node for tree in (display, *statements) for node in walk(tree)]
    regions: dict[str, s.Node] = {}  # the x of each A
    inside: dict[str, set[s.Relation]] = {}  # where the x of \max_x is said to lie
    names_of: dict[s.Node, s.Node] = {}
    for node in nodes:
        if isinstance(node, s.Integral) and node.lower is not None and node.upper is None:
            if len(node.variables) == 1 and not look.whole(node.lower, node.variables):
                regions |= dict.fromkeys(look.events_in(node.lower) or (), node.variables[0])
        elif isinstance(node, s.Extremum):
            for item in node.over:
                if (name := _bound_by(item, node.body)) is not None:
                    inside.setdefault(spell(name), set()).add(item)  # type: ignore[arg-type]
                    names_of[item] = name
    if not regions and not inside:
        return display, statements
    free = {spell(n) for tree in display.chains for n in _unbound(tree)}
    moved = {k: kept.pop() for k, kept in inside.items() if len(kept) == 1 and k not in free}

    def change(node: s.Node) -> s.Node | None:
        if isinstance(node, s.Extremum) and any(item in moved.values() for item in node.over):
            names = dict.fromkeys(names_of[i] if i in moved.values() else i for i in node.over)
            return replace(node, over=tuple(names))
        if not isinstance(node, s.Call) or not look.is_probability(node):
            return None
        if not all({*(look.events_in(item) or "?")} <= regions.keys() for item in node.items):
            return None
        (at, *_) = regions.values()
        groups = tuple(
            tuple(s.Relation("in", at, item, span=item.span) for item in group)
            for group in node.groups
        )
        return replace(node, groups=groups)

    made, kept = rewritten(display, statements, change)
    return made, [*kept, *map(_said, moved.values())]


def _bound_by(item: s.Node, body: s.Node) -> s.Node | None:
    r"""The name of which something below an optimum says where it lies: ``x > 0``, ``0 \le t \le
    1``, ``U^\top U = I``."""
    if not isinstance(item, s.Relation):
        return None
    if isinstance(item.left, s.Relation):
        name = item.left.right
        return name if bounding(item) and isinstance(name, s.Name) else None
    if bounding(item):
        return item.left if isinstance(item.left, s.Name) and _understood(item) else None
    if item.symbol != "=" or isinstance(item.left, s.Name | s.Bars):
        return None
    if isinstance(item.left, s.BigOperator):
        return None  # of all \pi_k: where \pi lies is said above
    inside = {spell(name) for name in names_in(body)}
    names = {spell(name): name for name in names_in(item.left) if spell(name) in inside}
    return next(iter(names.values())) if len(names) == 1 else None


def _said(item: s.Relation) -> s.Chain:
    """The same, as a statement."""
    if isinstance(item.left, s.Relation):
        made, first = item.left.left, s.Link(item.left.symbol, item.left.right, span=(0, 0))
        return s.Chain(made, (first, s.Link(item.symbol, item.right, span=(0, 0))), span=(0, 0))
    return s.Chain(item.left, (s.Link(item.symbol, item.right, span=(0, 0)),), span=(0, 0))


def _named(domain: s.Node) -> str:
    r"""The \Delta of ``\Delta^{K-1}``."""
    return spell(domain.base if isinstance(domain, s.Power) else domain)


def bounding(item: s.Node) -> TypeGuard[s.Relation]:
    r"""Whether what stands below an optimum leaves some values out: ``x > 0``, ``x \in [0, 1]``."""
    bounds = isinstance(item, s.Relation) and item.symbol in SIGNS
    return bounds and not look.whole(item.right, (item.left,))  # type: ignore[attr-defined]


def _understood(item: s.Relation) -> bool:
    """Whether a hypothesis can say the same."""
    listed = isinstance(item.right, s.Group) and item.right.bracket == "{"
    return not listed and not (item.symbol == "in" and isinstance(item.right, s.Name))


def _unbound(node: s.Node, bound: frozenset[str] = frozenset()) -> Iterator[s.Name]:
    """The names that no optimum above them binds."""
    if isinstance(node, s.Name) and spell(node) not in bound:
        yield node
    if isinstance(node, s.Extremum):
        below = ((item, _bound_by(item, node.body)) for item in node.over)
        bound |= {spell(name or getattr(item, "left", item)) for item, name in below}
    for child in children(node):
        yield from _unbound(child, bound)
