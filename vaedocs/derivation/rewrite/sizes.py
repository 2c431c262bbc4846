r"""Sizes named like a matrix: ``W \in \mathbb{R}^{D \times M}`` beside ``M := W^\top W``."""

from __future__ import annotations

from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.rewrite.trees import rebuild, rewritten, substitute
from vaedocs.derivation.spelling import names_in, spell, walk


def sizes_apart(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    r"""With ``\mathcal{M}`` for a size M where M is also made of matrices."""
    spaces = [
        (chain.left, n)
        for chain in statements
        for n in walk(chain)
        if isinstance(n, s.Power) and spell(n.base) == r"\mathbb{R}"
    ]
    sizes = {spell(name) for _, space in spaces for name in names_in(space.exponent)}
    if not sizes:
        return display, statements
    matrices = {spell(left) for left, space in spaces if isinstance(space.exponent, s.Product)}
    made = {
        spell(chain.left)
        for chain in statements
        for link in chain.links
        for n in walk(link.right)
        if link.symbol in {"=", ":="} and isinstance(n, s.Name) and spell(n) in matrices
    }
    both = sizes & made
    own: dict[str, s.Node] = {name: s.Name(name, style="cal", span=(0, 0)) for name in both}

    def change(node: s.Node) -> s.Node | None:
        if isinstance(node, s.Power) and spell(node.base) == r"\mathbb{R}":
            return replace(node, exponent=substitute(node.exponent, own))
        if isinstance(node, s.BigOperator) and node.upper is not None:
            body, upper = rebuild(node.body, change), substitute(node.upper, own)
            return replace(node, body=body, upper=upper)
        if isinstance(node, s.Name) and node.base in {"I", "1", "0"} and node.subscripts:
            parts = tuple(substitute(part, own) for part in node.subscripts)
            return replace(node, subscripts=parts)
        return None

    return rewritten(display, statements, change) if both else (display, statements)
