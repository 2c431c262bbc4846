"""Rewriting of syntax trees: names replaced, lists written out, indices gathered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.spelling import children, names_in, spell, stem, walk

Tree = TypeVar("Tree", bound=s.Node)


def substitute(node: s.Node, mapping: dict[str, s.Node]) -> s.Node:
    """Replace names (by their spelling) in a syntax tree; a head that is replaced by a density call
    gives that call.
    """

    def change(inner: s.Node) -> s.Node | None:
        if isinstance(inner, s.Name):
            return mapping.get(spell(inner))
        return None

    return rebuild(node, change)


def at_index(body: s.Node, mapping: dict[str, s.Node]) -> s.Node:
    """``body`` with other indices in it; a sum inside whose own index would meet one of them gets
    another index.
    """
    new = {spell(n) for item in mapping.values() for n in names_in(item)}

    def renamed(inner: s.Node) -> s.Node | None:
        if not isinstance(inner, s.BigOperator):
            return None
        own = [i for i in inner.indices if isinstance(i, s.Name) and spell(i) in new]
        fresh: dict[str, s.Node] = {spell(i): replace(i, primes=i.primes + 1) for i in own}
        if not fresh:
            return None
        bound = (inner.indices, inner.body, inner.condition)
        indices, below, condition = (
            _rebuilt(_rebuilt(part, renamed), lambda name: fresh.get(spell(name))) for part in bound
        )
        made: dict[str, Any] = {"indices": indices, "body": below, "condition": condition}
        return replace(inner, **made)

    made_anew = substitute(rebuild(body, renamed), mapping)
    return rebuild(made_anew, _counted) if any(map(_is_whole, mapping.values())) else made_anew


def _is_whole(node: s.Node) -> bool:
    return isinstance(node, s.Number) and node.text.isdigit()


def _counted(node: s.Node) -> s.Node | None:
    """``x_{2-1}`` as ``x_1``."""
    sums = [part for part in getattr(node, "subscripts", ()) if isinstance(part, s.Sum)]
    if not any(all(_is_whole(term) for _, term in part.terms) for part in sums):
        return None
    assert isinstance(node, s.Name | s.Component)

    def told(part: s.Node) -> s.Node:
        terms = part.terms if isinstance(part, s.Sum) else ()
        if not terms or not all(_is_whole(term) for _, term in terms):
            return part
        total = sum(sign * int(term.text) for sign, term in terms if isinstance(term, s.Number))
        return s.Number(str(total), span=part.span) if total >= 0 else part

    return replace(node, subscripts=tuple(map(told, node.subscripts)))


def rebuild(node: s.Node, change: Callable[[s.Node], s.Node | None]) -> s.Node:
    """A copy of a tree in which ``change`` has replaced some nodes."""
    changed = change(node)
    if changed is not None:
        return changed
    if not children(node):
        return node
    updates: dict[str, Any] = {}
    for name in type(node).__dataclass_fields__:
        if name == "span":
            continue
        old = getattr(node, name)
        new = _rebuilt(old, change)
        if new is not old:
            updates[name] = new
    if isinstance(node, s.Call) and isinstance(updates.get("head"), s.Call):
        # p(x) where p has become q(z | x) or N(m, v): the density itself, or the family at x.
        made = updates["head"]
        assert isinstance(made, s.Call)
        if look.family(made.head) and len(made.groups) == 1:
            return replace(made, groups=(node.groups[0], made.groups[0]), separators=(";",))
        return made
    if isinstance(node, s.Call) and look.is_density_head(node.head) and "head" in updates:
        mixture = updates.pop("head")
        call = replace(node, **updates)
        return _at(mixture, call) if _is_mixture(mixture) else replace(call, head=mixture)
    return replace(node, **updates) if updates else node


def _is_mixture(node: s.Node) -> bool:
    """Whether every term of a sum is a density, or numbers times one."""
    if isinstance(node, s.Name | s.Call):
        return False
    if isinstance(node, s.Group):
        return _is_mixture(node.body)
    terms = [term for _, term in node.terms] if isinstance(node, s.Sum) else [node]
    return all(sum(map(look.is_density_head, names_in(term))) == 1 for term in terms)


def _at(mixture: s.Node, call: s.Call) -> s.Node:
    r"""``(\lambda p + (1 - \lambda) q)(x)``: \lambda p(x) + (1 - \lambda) q(x)."""

    def change(node: s.Node) -> s.Node | None:
        head = isinstance(node, s.Name) and look.is_density_head(node)
        return node if isinstance(node, s.Call) else replace(call, head=node) if head else None

    return s.Group(rebuild(mixture, change), span=mixture.span)


def rebuilt(tree: Tree, change: Callable[[s.Node], s.Node | None]) -> Tree:
    """The same where what is below the top changes: a display stays a display."""
    made = rebuild(tree, change)
    assert isinstance(made, type(tree))
    return made


def rewritten(
    display: s.Display, statements: list[s.Chain], change: Callable[[s.Node], s.Node | None]
) -> tuple[s.Display, list[s.Chain]]:
    """A display and its hypotheses, with what ``change`` replaces in them."""
    return rebuilt(display, change), [rebuilt(chain, change) for chain in statements]


def _rebuilt(value: object, change: Callable[[s.Node], s.Node | None]) -> object:
    if isinstance(value, s.Node):
        return rebuild(value, change)
    if isinstance(value, s.Link):
        right = rebuild(value.right, change)
        return value if right is value.right else replace(value, right=right)
    if isinstance(value, tuple):
        new = tuple(_rebuilt(item, change) for item in value)
        return value if all(a is b for a, b in zip(new, value, strict=True)) else new
    return value


def used_indices(node: s.Node) -> set[str]:
    """Names that stand in subscripts or parenthesised superscripts, and are not bound by a sum
    inside.
    """
    if isinstance(node, s.BigOperator):
        return used_indices(node.body) - {spell(index) for index in node.indices}
    own: set[str] = set()
    if isinstance(node, s.Name):
        own = {
            spell(inner) for part in (*node.subscripts, *node.indices) for inner in names_in(part)
        }
    return own.union(*(used_indices(child) for child in children(node)))


def loose_names(node: s.Node, bound: frozenset[str] = frozenset()) -> set[str]:
    """Names with subscripts of which no sum around them binds a letter."""
    if isinstance(node, s.BigOperator):
        bound = bound | {spell(index) for index in node.indices}
    found: set[str] = set()
    if isinstance(node, s.Name) and node.subscripts:
        inside = {spell(n) for part in node.subscripts for n in names_in(part)}
        if not inside & bound:
            found.add(spell(node))
    return found.union(*(loose_names(child, bound) for child in children(node)))


def stepwise(display: s.Display, statements: list[s.Chain]) -> str | None:
    r"""The t of a display about ``q(x_t \mid x_0)``, of which ``q(x_t \mid x_{t-1})`` is given."""
    for call in (n for chain in statements for n in walk(chain) if look.is_density_call(n)):
        marks: dict[str, set[str]] = {}
        for name in walk(call):
            if isinstance(name, s.Name) and len(name.subscripts) == 1:
                marks.setdefault(stem(name), set()).add(spell(name.subscripts[0]))
        for base, found in marks.items():
            letter = next((m for m in sorted(found) if f"{m}-1" in found), None)
            starts = {f"{base}_0", f"{base}_1"}
            names = {spell(n) for chain in display.chains for n in walk(chain)}
            if letter is None or not starts & names or f"{base}_{letter}" not in names:
                continue
            if at_step(display, letter, 2) != display:  # \prod_{t=1}^T speaks of no single t
                return letter
    return None


def at_step(tree: Tree, letter: str, value: int) -> Tree:
    """A tree with a number for a letter, and x_1 for x_{2-1}."""

    def change(inner: s.Node) -> s.Node | None:
        if isinstance(inner, s.BigOperator) and letter in map(spell, inner.indices):
            return inner
        if isinstance(inner, s.Name) and spell(inner) == letter:
            return s.Number(str(value), span=inner.span)
        if isinstance(inner, s.Sum):
            parts = [(sign, rebuild(term, change)) for sign, term in inner.terms]
            whole = [(sign, t) for sign, t in parts if isinstance(t, s.Number) and t.text.isdigit()]
            numbers = [sign * int(term.text) for sign, term in whole]
            if len(numbers) == len(parts) and sum(numbers) >= 0:
                return s.Number(str(sum(numbers)), span=inner.span)
        return None

    return rebuilt(tree, change)


def unbound_names(node: s.Node) -> Iterator[s.Name]:
    """The names of an expression that no inner expectation averages over."""
    if isinstance(node, s.Expectation) and not node.samplings:
        for item in node.condition:
            yield from unbound_names(item)
        return
    if isinstance(node, s.Name):
        yield node
    for child in children(node):
        yield from unbound_names(child)


def split_indices(subscripts: tuple[s.Node, ...]) -> tuple[s.Node, ...]:
    """``A_{ij}``: two letters side by side are two indices."""
    if (
        len(subscripts) == 1
        and isinstance(subscripts[0], s.Product)
        and set(subscripts[0].operators) == {""}
    ):
        return subscripts[0].factors
    return subscripts


def has_bare_identity(node: s.Node) -> bool:
    """Whether an I has no size of its own here; in ``A + I`` it has that of A."""
    if isinstance(node, s.Name):
        return node.base == "I" and not node.subscripts and not node.indices
    if isinstance(node, s.Sum) and len(node.terms) > 1:
        return all(has_bare_identity(term) for _, term in node.terms)
    return any(map(has_bare_identity, children(node)))


def differences(one: s.Node, other: s.Node) -> Iterator[tuple[s.Node, s.Node]]:
    """Where two trees differ: the 1 and n of ``x_1`` and ``x_n``."""
    below, beside = children(one), children(other)
    if one == other:
        return
    if type(one) is not type(other) or not below or len(below) != len(beside):
        yield one, other
        return
    for a, b in zip(below, beside, strict=True):
        yield from differences(a, b)


def at_places(node: s.Node, places: set[tuple[int, int]], item: s.Node) -> s.Node:
    """A tree with something else at these places."""
    return rebuild(node, lambda n: replace(item, span=n.span) if n.span in places else None)


def as_run(node: s.Node) -> s.Range | None:
    r"""``x_1, \dots, x_n``, also with ``x_2`` written out."""
    if isinstance(node, s.Range):
        return node
    *before, run = s.members(node)
    if not before or not isinstance(run, s.Range) or run.start is None:
        return None
    ones = {n.span for n in walk(before[0]) if isinstance(n, s.Number) and n.text == "1"}

    for k, item in enumerate((*before, run.start), 1):
        if spell(at_places(before[0], ones, s.Number(str(k), span=node.span))) != spell(item):
            return None
    return replace(run, start=before[0], span=node.span)
