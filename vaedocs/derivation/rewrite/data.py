r"""What is a list of others: the data D of ``p(D \mid \theta) = \prod_n p(x_n \mid \theta)``, the
vector z of ``q(z) = \prod_j q_j(z_j)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.rewrite.trees import rebuild, rewritten
from vaedocs.derivation.spelling import children, names_in, spell, walk

EQUALITIES = frozenset({"=", ":=", "=="})


def of_data(
    left: s.Node | None, right: s.Node, by_law: bool = False
) -> tuple[s.Call, s.BigOperator] | None:
    r"""The p(D) and the \prod_n p(x_n) of ``p(D) = \prod_n p(x_n)`` and of ``\log p(D) = \sum_n
    \log p(x_n)``, which say what the data D are; ``by_law``, also of ``p(D) = \prod_n
    \mathcal{N}(x_n; 0, 1)``.
    """
    log = left if isinstance(left, s.Function) and left.name in {"log", "ln"} else None
    if log is not None:
        left = s.bare(log.argument)
    if not isinstance(left, s.Call) or not isinstance(right, s.BigOperator | s.Function):
        return None
    body = right.body if isinstance(right, s.BigOperator) else right
    if log is not None and isinstance(body, s.Function):
        inside = s.bare(body.argument)
        if body == replace(log, argument=body.argument) and isinstance(right, s.BigOperator):
            right = replace(right, name="prod" if right.name == "sum" else "cap", body=inside)
        elif body == replace(log, argument=body.argument):  # \log \prod_n
            right = inside
    elif log is not None:
        return None
    if not isinstance(right, s.BigOperator) or right.name != "prod":
        return None
    one, marks = right.body, set(map(spell, right.indices))
    law = by_law and isinstance(one, s.Call) and bool(look.family(one.head) and one.separators)
    if not isinstance(one, s.Call) or not (law or one.head == left.head) or len(marks) != 1:
        return None

    def numbered(node: s.Node) -> bool:
        own = isinstance(node, s.Name) and (*node.subscripts, *node.indices)
        return bool(own) and marks <= set(map(spell, own or ()))

    (data, *more), *given = look.arguments(left)
    values, *conditions = look.arguments(one)
    parts = {node for group in conditions for node in group if numbered(node)}
    whole = {part.base.upper() for part in parts if isinstance(part, s.Name)}
    said = {spell(n) for group in given for n in group if getattr(n, "base", "") not in whole}
    told = {spell(node) for group in conditions for node in group if node not in parts}
    if more or not (law or said == told) or not all(map(numbered, values)):
        return None
    capitals = [node for group in given for node in group if _capital(node)]
    beside = whole & {_letter_of(node) for node in capitals}
    labels = beside and [_letter_of(node) for node in values] == [_letter_of(data)]
    return (left, right) if _capital(data) or labels else None  # p(y | X) = \prod_n p(y_n | x_n)


def _letter_of(node: s.Node) -> str:
    """The letter of a name; empty for anything else."""
    return node.base if isinstance(node, s.Name) else ""


def _capital(node: s.Node) -> bool:
    """Whether a name can stand for data: D, X, \\mathcal{D}."""
    plain = isinstance(node, s.Name) and not (node.subscripts or node.indices)
    return plain and len(node.base) == 1 and node.base.isupper()  # type: ignore[attr-defined]


def elsewhere(trees: list[s.Node], stated: s.Node, data: s.Node) -> bool:
    r"""Whether data stand in another density than the one that says what they are: in ``p(\theta
    \mid D)`` or p(D) beside ``p(D \mid \theta) = \prod_n p(x_n \mid \theta)``.
    """
    calls = (node for tree in trees for node in walk(tree) if isinstance(node, s.Call))
    return any(data in call.items and call != stated for call in calls)


def apart(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    r"""With ``\mathcal{X}`` for the X of ``p(X) = \prod_n p(x_n)``: no value of x."""
    found: set[str] = set()
    for chain in (*statements, *display.chains):
        pair = of_data(chain.left, chain.links[0].right, True) if len(chain.links) else None
        if pair is not None:
            (data,), given, _ = look.arguments(pair[0])
            assert isinstance(pair[1].body, s.Call)
            values, conditions, _ = look.arguments(pair[1].body)
            small = {node.base for node in (*values, *conditions) if isinstance(node, s.Name)}
            trees: list[s.Node] = [*statements, display]
            names = [node for node in (data, *given) if node == data or _capital(node)]
            names = [node for node in names if not elsewhere(trees, pair[0], node)]
            found |= {spell(node) for node in names if node.base.lower() in small}  # type: ignore[attr-defined]
    if not found:
        return display, statements

    def change(node: s.Node) -> s.Node | None:
        if isinstance(node, s.Name) and spell(node) in found:
            return replace(node, base=node.base.upper(), style="cal")
        return None

    return rewritten(display, statements, change)


def listed(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    r"""With ``z_{1:d}`` for every z of which a density is compared with, or said to be, a product
    over the coordinates z_j; unless z also stands for itself, as in f(z).
    """
    for vector, (size, letter) in _vectors([*statements, display]).items():
        rest = [chain for chain in statements if not _is_set(chain, vector)]
        if all(_only_listed(tree, vector) for tree in (*rest, display)):
            display, statements = rewritten(display, rest, _listing(vector, letter, size))
    return display, statements


def _vectors(trees: list[s.Node]) -> dict[str, tuple[s.Node, str]]:
    """The vectors, how many coordinates they have, and the letter of these."""
    found: dict[str, tuple[s.Node, str]] = {}
    for node in (one for tree in trees for one in walk(tree)):
        pairs: list[tuple[s.Node, s.Node]] = []
        if isinstance(node, s.Call) and "||" in node.separators:
            sides = node.items
            pairs = [(a, b) for a in sides for b in sides if a is not b]
        elif isinstance(node, s.Chain) and node.left is not None:
            rights = [link.right for link in node.links if link.symbol in EQUALITIES]
            pairs = [(node.left, right) for right in rights]
        for whole, product in pairs:
            for values, conditions, size in _products(product):
                if not (isinstance(whole, s.Call) and look.is_density_call(whole)):
                    continue
                left, right, _ = look.arguments(whole)
                vectors = _among(left, values)
                if len(left) == len(values) == 1 and of_data(whole, product):
                    vectors = [(spell(left[0]), values[0].base)]
                    if not elsewhere(trees, whole, left[0]):
                        continue
                found |= {vector: (size, letter) for vector, letter in vectors}
                if vectors and values:  # p(y | X) = \prod_n p(y_n | x_n)
                    found |= {v: (size, letter) for v, letter in _among(right, conditions)}
    return {vector: told for vector, told in found.items() if not _has_family(trees, vector)}


def _among(whole: list[s.Node], parts: list[s.Name]) -> list[tuple[str, str]]:
    """The vectors that are made of these parts: x or X of x_n."""
    letters = {spell(replace(part, subscripts=())) for part in parts}
    found: list[tuple[str, str]] = []
    for item in (one for one in whole if isinstance(one, s.Name)):
        small = replace(item, base=item.base.lower())
        same = next((n for n in (item, small) if spell(n) in letters), None)
        if same is not None:
            found.append((spell(item), same.base))
    return found


def _products(node: s.Node) -> Iterator[tuple[list[s.Name], list[s.Name], s.Node]]:
    r"""The y_n, the x_n and the N of ``\prod_{n=1}^{N} p(y_n \mid x_n)``."""
    if not isinstance(node, s.BigOperator) or node.name != "prod" or len(node.indices) != 1:
        return
    if node.lower is not None and spell(node.lower) != "1":
        return
    for call in walk(node.body):
        if isinstance(call, s.Call) and look.is_density_call(call):
            left, right = (
                [i for i in group if isinstance(i, s.Name) and i.subscripts == node.indices]
                for group in look.arguments(call)[:2]
            )
            yield left, right, node.upper or s.Name("d", span=node.span)


def _has_family(trees: list[s.Node], vector: str) -> bool:
    """Whether the vector has a Gaussian of its own, which is one of vectors."""
    return any(
        isinstance(node, s.Chain)
        and node.left is not None
        and vector in map(spell, walk(node.left))
        and any(
            isinstance(link.right, s.Call) and bool(look.family(link.right.head))
            for link in node.links
        )
        for tree in trees
        for node in walk(tree)
    )


def _is_set(chain: s.Chain, vector: str) -> bool:
    r"""``z \in \mathbb{R}^d`` or ``z = (z_1, \dots, z_d)``."""
    if chain.left is None or spell(chain.left) != vector or len(chain.links) != 1:
        return False
    right = chain.links[0].right
    inner = s.bare(right)
    return chain.links[0].symbol == "in" or isinstance(inner, s.Sequence | s.Range)


def _is_quantity(head: s.Node) -> bool:
    r"""Whether a call is of a name that is a word, ``\mathrm{TC}(z)``, or an information."""
    word = isinstance(head, s.Name) and head.style == "rm" and len(head.base) > 1
    return word or (isinstance(head, s.Name) and head.base in {"H", "h", "I"})


def _only_listed(node: s.Node, vector: str) -> bool:
    """Whether the vector stands only where a list of variables can stand."""
    if isinstance(node, s.Name):
        return spell(node) != vector
    if isinstance(node, s.Call) and (look.is_density_call(node) or _is_quantity(node.head)):
        items = [item for item in node.items if not isinstance(item, s.Name)]
        return all(_only_listed(item, vector) for item in items)
    below = children(node)
    if isinstance(node, s.Integral | s.Sampling):
        below = tuple(item for item in below if item not in node.variables)
    return all(_only_listed(item, vector) for item in below)


def _listing(vector: str, letter: str, size: s.Node) -> Callable[[s.Node], s.Node | None]:
    def change(node: s.Node) -> s.Node | None:
        if isinstance(node, s.Name) and spell(node) == vector:
            start = s.Number("1", span=node.span)
            style = node.style if letter == node.base else ""  # \mathcal{D} of x_n
            own = s.Range(start, size, span=node.span)
            return replace(node, base=letter, style=style, subscripts=(own,))
        if isinstance(node, s.BigOperator) and node.upper is None and len(node.indices) == 1:
            (index,) = node.indices
            parts = {
                spell(replace(n, subscripts=()))
                for n in names_in(node.body)
                if n.subscripts == (index,)
            }
            if parts & {vector, letter} and node.domain is None and node.condition is None:
                start = s.Number("1", span=node.span)
                body = rebuild(node.body, change)
                return replace(node, body=body, lower=start, upper=size)
        return None

    return change
