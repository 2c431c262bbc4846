r"""What displays take for granted.

Of a change of variables, what the map makes and that it is invertible: nobody says so beside
``p_X(x) = p_Z(f(x)) |\det \partial f(x) / \partial x|``. It is listed among what was assumed. Of
``D(p(y \mid x) \| q(y \mid x))``, that it is averaged over x: said where only then a row holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.letters import DENSITY_LETTERS
from vaedocs.derivation.rewrite.trees import rebuilt
from vaedocs.derivation.spelling import spell, stem, walk
from vaedocs.derivation.survey import is_divergence_call

ONE_TO_ONE = ("invertible", "bijecti", "diffeomorphism")


def supposed(display: s.Display, statements: list[s.Chain]) -> str:
    """The statements ``z = f(x)`` and ``f invertible``, as far as nobody makes them, where the
    volume of f stands in the display.
    """
    volumes = [n for n in walk(display) if isinstance(n, s.Bars) or _is_det(n)]
    told = {spell(n) for node in volumes for n in walk(node) if isinstance(n, s.Name)}
    slopes = [c for c in statements if spell(getattr(c.left, "head", c.left)) in told and c.only]
    volumes += [chain.links[0].right for chain in slopes]  # of a J(x) := ∂f(x) / ∂x
    maps = {stem(name) for node in volumes for inner in walk(node) for name in _sloped(inner)}
    if not maps:
        return ""
    known = {spell(c.left) for c in statements for link in c.links if link.symbol in {"=", ":="}}
    others = [node for chain in statements if chain not in slopes for node in walk(chain)]
    known |= {spell(node.head) for node in others if isinstance(node, s.Call)}
    space = _space(display, statements)
    found = [text for node in walk(display) for text in _image(node, maps, known, space)]
    found += [text for chain in statements for text in _made(chain, maps, space)]
    words = " ".join(f"{spell(chain.left)} {chain.words}" for chain in statements)
    said = any(word in words for word in ONE_TO_ONE)
    return "\n".join(dict.fromkeys(t for t in found if not (said and ONE_TO_ONE[0] in t)))


def members(display: s.Display, statements: list[s.Chain]) -> str:
    r"""That p_{\theta_0} is p_\theta at \theta = \theta_0, where a row takes both and sets
    \theta = \theta_0, and nobody says what p_{\theta_0} is.
    """
    nodes = [node for tree in (*statements, display) for node in walk(tree)]
    known = {spell(c.left.head) for c in statements if isinstance(c.left, s.Call)}
    heads = {spell(n): n for n in nodes if isinstance(n, s.Name) and len(n.subscripts) == 1}
    calls = [n for n in nodes if isinstance(n, s.Call)]
    calls = [n for n in calls if all(isinstance(item, s.Name) for item in n.items)]
    found = []
    for at in (p for node in nodes if isinstance(node, s.Evaluated) for p in node.substitutions):
        for head in heads.values() if isinstance(at.right, s.Name) else ():
            other = replace(head, subscripts=(at.right,))
            if head.subscripts != (at.left,) or spell(other) not in heads.keys() - known:
                continue
            tails = (spell(n)[len(spell(n.head)) :] for n in calls if n.head in (head, other))
            tail = next(tails, "(x)" if head.base in DENSITY_LETTERS else "")
            if not tail:
                continue  # x_t at t = s is no value of a function
            found.append(f"{spell(other)}{tail} := {spell(head)}{tail}|_{{{spell(at)}}}")
    return "\n".join(dict.fromkeys(found))


def _is_det(node: s.Node) -> bool:
    return isinstance(node, s.Function) and node.name in {"det", "logdet"}


def _sloped(node: s.Node) -> Iterator[s.Name]:
    r"""The f of ``\partial f(x) / \partial x``, of ``d f^{-1} / d y`` and of ``J_f(x)``."""
    if isinstance(node, s.Derivative):
        body = node.body.head if isinstance(node.body, s.Call) else node.body
        body = body.base if isinstance(body, s.Power) else body
        yield from [body] if isinstance(body, s.Name) else []
    if isinstance(node, s.Name) and node.base == "J":
        yield from (part for part in node.subscripts if isinstance(part, s.Name))


def _image(node: s.Node, maps: set[str], known: set[str], space: str) -> Iterator[str]:
    """What ``p_Z(f(x))`` says of f: z is f(x); and ``p_X(f^{-1}(y))``: y is f(x)."""
    if not isinstance(node, s.Call) or not isinstance(node.head, s.Name) or len(node.items) != 1:
        return
    (item,), marks = node.items, node.head.subscripts
    if not isinstance(item, s.Call) or len(item.items) != 1 or len(marks) != 1:
        return
    head = item.head.base if isinstance(item.head, s.Power) else item.head
    letter, value = spell(marks[0]).lower(), spell(item.items[0])
    new = isinstance(head, s.Name) and stem(head) in maps and not known & {spell(head), letter}
    if not new or letter == value or not (letter.isalpha() and isinstance(item.items[0], s.Name)):
        return
    yield from [f"{letter}, {value} \\in {space}"] if space else []
    if item.head is head:
        yield f"{letter} = {spell(item)}"
    elif spell(item.head) == spell(head) + "^{-1}":
        yield f"{value} = {spell(head)}({letter})"
    yield f"{spell(head)} {ONE_TO_ONE[0]}"


def _made(chain: s.Chain, maps: set[str], space: str) -> Iterator[str]:
    """Of ``z = f(x)``, and of the steps ``z_k = f_k(z_{k-1})`` of a flow: f is invertible."""
    made = chain.only and chain.only.right
    if not isinstance(chain.left, s.Name) or not isinstance(made, s.Call) or len(made.items) != 1:
        return
    if isinstance(made.head, s.Name) and {stem(chain.left), stem(made.head)} & maps:
        pair = f"{spell(chain.left)}, {spell(made.items[0])}"
        yield from [f"{pair} \\in {space}"] if space and not chain.left.subscripts else []
        yield f"{spell(made.head)} {ONE_TO_ONE[0]}"


def _space(display: s.Display, statements: list[s.Chain]) -> str:
    r"""The \mathbb{R}^D that somebody names, D where only a letter shows that there are several."""
    for node in (node for chain in statements for node in walk(chain)):
        if isinstance(node, s.Power) and spell(node.base) == r"\mathbb{R}":
            return spell(node)
    trees = [*statements, display]
    turned = any(isinstance(node, s.Transpose) for tree in trees for node in walk(tree))
    several = turned or any(spell(n) == "I" for chain in statements for n in walk(chain))
    return r"\mathbb{R}^{D}" if several else ""


def averaged(display: s.Display) -> tuple[s.Display, str]:
    r"""The display with ``\mathbb{E}_{p(x)}`` before every ``D(p(y \mid x) \| q(y \mid x))`` that
    nothing averages, and the last of these; "" if there is none.
    """
    found = ""

    def mean(node: s.Node) -> s.Node | None:
        nonlocal found
        if isinstance(node, s.Expectation | s.Integral | s.BigOperator):
            return node
        sides = node.items if isinstance(node, s.Call) and is_divergence_call(node) else ()
        calls = [side for side in sides if isinstance(side, s.Call) and side.separators == ("|",)]
        if len(calls) != 2 or calls[0].groups[1] != calls[1].groups[1]:
            return None
        found, given = spell(node), calls[0].groups[1]
        over = replace(calls[0], groups=(given,), separators=())
        return s.Expectation((s.Sampling(given, over, span=node.span),), node, span=node.span)

    return rebuilt(display, mean), found
