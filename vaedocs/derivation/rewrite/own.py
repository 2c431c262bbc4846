r"""Notation that only the author knows, written out where it stands: norms, as
``\|v\|_A^2 := v^\top A v``, and the Jacobian J of f without the point at which it is taken.
"""

from __future__ import annotations

from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.rewrite.trees import rebuild, rewritten, substitute
from vaedocs.derivation.spelling import spell, walk
from vaedocs.derivation.survey.heads import family

KNOWN = frozenset(("F", "TV", "oo", "p", "q", "r", r"\infty"))


def at_points(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    r"""Both with J(x) for a bare J that is the Jacobian of f, where f is taken at x alone."""
    points: dict[str, tuple[s.Node, ...]] = {}
    for chain in statements:
        right = chain.only and chain.only.right
        if not isinstance(chain.left, s.Call) or not isinstance(right, s.Derivative):
            continue
        nodes = [node for tree in (display, *statements) for node in walk(tree)]
        own, body = chain.left.items, right.body
        calls = [n for n in nodes if isinstance(body, s.Call) and isinstance(n, s.Call)]
        found = {n.items for n in calls if n.head == body.head} - {own}  # type: ignore[attr-defined]
        if isinstance(body, s.Call) and body.items == own and len(found) == 1:
            points[spell(chain.left.head)] = found.pop()
    if not points:
        return display, statements

    def change(node: s.Node) -> s.Node | None:
        if isinstance(node, s.Call):
            groups = tuple(tuple(rebuild(i, change) for i in group) for group in node.groups)
            return replace(node, groups=groups)
        if isinstance(node, s.Name) and spell(node) in points:
            return s.Call(node, (points[spell(node)],), span=node.span)
        return None

    return rewritten(display, statements, change)


def no_families(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    r"""Both where the ``\mathcal{U}(x) := …`` of one's own is no uniform distribution."""
    own = set()
    for chain in (*statements, *display.chains):
        left = chain.left
        if isinstance(left, s.Sum) and len(left.terms) == 1:
            left = left.terms[0][1]  # -\mathcal{U}(x) := …
        defined = bool(chain.links) and chain.links[0].symbol == ":="
        if not defined or not isinstance(left, s.Call) or left.separators:
            continue
        if family(left.head) in {"normal", "uniform"}:
            own.add(left.head)

    def change(node: s.Node) -> s.Node | None:
        return replace(node, style="own") if isinstance(node, s.Name) and node in own else None

    return rewritten(display, statements, change) if own else (display, statements)


def of_ones_own(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    """Both with the definition for every norm with such a letter below it."""
    defined = {}
    for chain in statements:
        link, (norm, square) = chain.only, _norm(chain.left)
        if link is not None and link.symbol == ":=" and norm is not None:
            defined[spell(norm.order)] = norm, square, link.right
    if not defined:
        return display, statements

    def change(node: s.Node) -> s.Node | None:
        norm, square = _norm(node)
        if norm is None or (known := defined.get(spell(norm.order))) is None:
            return None
        (own, squared, right), body = known, rebuild(norm.body, change)
        if isinstance(own.body, s.Name):  # said of v, it is said of all
            right = substitute(right, {spell(own.body): s.Group(body, span=body.span)})
        elif own.body != norm.body:
            return None
        if square and not squared:
            return s.Power(s.Group(right, span=node.span), _two(node), span=node.span)
        if squared and not square:
            return s.Function("sqrt", right, span=node.span)
        return s.Group(right, span=node.span)

    return rewritten(display, statements, change)


def _two(node: s.Node) -> s.Node:
    return s.Number("2", span=node.span)


def _norm(node: s.Node | None) -> tuple[s.Bars | None, bool]:
    """A norm that has no meaning of its own, and whether it is squared."""
    square = isinstance(node, s.Power) and node.exponent == _two(node)
    inner = node.base if square and isinstance(node, s.Power) else node
    if not isinstance(inner, s.Bars) or not inner.double or inner.order is None:
        return None, False
    name = spell(inner.order).removeprefix(r"\mathrm{").removeprefix(r"\text{").removesuffix("}")
    known = name in KNOWN or isinstance(inner.order, s.Number)
    return (None, False) if known else (inner, square)
