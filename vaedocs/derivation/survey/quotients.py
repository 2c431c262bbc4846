r"""What a density is made of before it is normalised: the ``\tilde p`` of
``p(x) = \tilde p(x) / Z`` is no density, and the Z says what it adds up to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from vaedocs.derivation import syntax as s
from vaedocs.derivation.spelling import children, spell
from vaedocs.derivation.survey.heads import family, is_density_call, is_density_head

Pieces = tuple[s.Call, s.Name | s.Call]  # \tilde p(x), and Z


def unnormalised(tree: s.Node) -> Iterator[Pieces]:
    r"""The ``\tilde p(x)`` and the Z of every ``p(x) = \tilde p(x) / Z`` in a statement."""
    if not isinstance(tree, s.Chain) or not equates(tree):
        return
    sides = [tree.left, *(link.right for link in tree.links)]
    for left, right in pairwise(sides):
        if left is not None and right is not None and is_density_call(left):
            yield from quotients(left, right)


def equates(chain: s.Chain) -> bool:
    return all(link.symbol in {"=", ":=", "=="} for link in chain.links)


def quotients(left: s.Node, right: s.Node) -> Iterator[Pieces]:
    r"""``\tilde p(x)`` and Z, where the right side is their quotient."""
    if not isinstance(left, s.Call):
        return
    for body, z in _divided(right):
        known = spell(body.head) == spell(left.head) or family(body.head)
        if not known and items_of(body) <= items_of(left):
            yield body, z


def items_of(call: s.Call) -> set[str]:
    return {spell(item) for item in call.items}


def _divided(node: s.Node) -> Iterator[Pieces]:
    pair: tuple[s.Node, s.Node] | None = None
    if isinstance(node, s.Fraction):
        pair = (node.numerator, node.denominator)
    elif isinstance(node, s.Product) and len(node.factors) == 2:
        first, second = node.factors
        if node.operators == ("slash",):
            pair = (first, second)
        elif isinstance(first, s.Fraction) and spell(first.numerator) == "1":
            pair = (second, first.denominator)
    if pair is None or not isinstance(pair[0], s.Call) or not isinstance(pair[1], s.Name | s.Call):
        return
    if not is_density_call(pair[1]) and not is_density_head(pair[1]):
        yield pair[0], pair[1]


def _at(call: s.Node) -> str:
    return " ".join(spell(item) for item in call.items) if isinstance(call, s.Call) else ""


def rewards(tree: s.Node, exponent: bool = False) -> Iterator[s.Call]:
    r"""The r(x, y) of ``\exp(r(x, y) / \beta)``, ``\sigma(r(x, y_1) - r(x, y_2))`` and
    ``r(x, y) = \beta \log \dots``: a number of either sign.
    """
    head = tree.head if exponent and isinstance(tree, s.Call) else None
    if isinstance(head, s.Name) and head.base in {"r", "R"}:
        yield tree  # type: ignore[misc]
    if isinstance(tree, s.Function):
        exponent = tree.name in {"exp", "sigmoid"}
    inside = {id(tree.exponent)} if isinstance(tree, s.Power) and spell(tree.base) == "e" else set()
    if isinstance(tree, s.Call) and spell(tree.head) == r"\sigma":
        inside = {id(item) for item in tree.groups[0]}
    if isinstance(tree, s.Chain) and tree.left is not None and equates(tree):
        inside = {id(tree.left)} if any(_has_log(link.right) for link in tree.links) else set()
    for child in children(tree):
        yield from rewards(child, exponent or id(child) in inside)


def _has_log(node: s.Node) -> bool:
    """Whether a logarithm is a term, or a factor of one."""
    if isinstance(node, s.Sum | s.Product | s.Group):
        return any(map(_has_log, children(node)))
    return isinstance(node, s.Function) and node.name in {"log", "ln"}


def not_normalised(trees: Sequence[s.Node]) -> set[str]:
    """The heads that such quotients, and exponents, show to be no densities."""
    found = {spell(body.head) for tree in trees for body, _ in unnormalised(tree)}
    found |= {spell(call.head) for tree in trees for call in rewards(tree)}
    for tree in trees:
        if not isinstance(tree, s.Chain) or len(tree.links) != 1 or not equates(tree):
            continue
        left, right = tree.left, tree.links[0].right
        over: tuple[s.Node, ...] = ()
        if isinstance(right, s.Fraction):
            over = (right.numerator, right.denominator)
        elif isinstance(right, s.Product) and right.operators == ("slash",):
            over = right.factors
        if isinstance(left, s.Call) and over:
            calls = [n for n in (left, *over) if is_density_call(n)]
            heads = [spell(call.head) for call in calls if isinstance(call, s.Call)]
            if len(set(heads)) == 3 and heads[0] not in "pq" and len(set(map(_at, calls))) == 1:
                found.add(heads[0])  # the ratio r(x) = p(x) / q(x)
        if not isinstance(left, s.Call) or not isinstance(right, s.Product):
            continue
        if len(right.factors) != 2 or right.operators == ("slash",) or not is_density_call(left):
            continue
        z, density = right.factors
        if not isinstance(density, s.Call) or not is_density_call(density):
            continue
        same = list(map(spell, left.groups[0])) == list(map(spell, density.groups[0]))
        scale = isinstance(z, s.Name | s.Call) and not (is_density_head(z) or is_density_call(z))
        if same and scale and left.separators == density.separators:
            found |= {spell(left.head)} - {spell(density.head)}  # \tilde p(x) = Z p(x)
    return found
