r"""Averages that name no density, where it is said once what they are over."""

from __future__ import annotations

from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.parser.conventions import is_convention
from vaedocs.derivation.rewrite.trees import rebuild, rewritten
from vaedocs.derivation.spelling import names_in, spell


def over_what(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    r"""With ``\mathbb{E}_{q(z \mid x)}[f]`` for ``\mathbb{E}[f]``, beside
    ``\mathbb{E} := \mathbb{E}_{q(z \mid x)}``.
    """
    told = [chain for chain in statements if is_convention(chain)]
    means = {_bare(c.left): c.links[0].right for c in told if isinstance(c.left, s.Expectation)}
    if not means:
        return display, statements

    def change(node: s.Node) -> s.Node | None:
        if not isinstance(node, s.Expectation) or node.condition:
            return None
        key = _bare(node)
        mean = means.get(key) or (None if node.samplings else means.get(("E", ())))
        if not isinstance(mean, s.Expectation):
            return None
        return replace(node, samplings=mean.samplings, body=rebuild(node.body, change))

    rest = [chain for chain in statements if chain not in told]
    display, rest = rewritten(display, rest, change)
    return display, [*rest, *told]


def by_letter(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    r"""With ``\mathbb{E}_y[y]`` for ``\mathbb{E}_Y[y]``, whose body has no Y, and
    ``\mathbb{E}_x`` for ``\mathbb{E}_{x,y}`` where y is made of x.
    """
    made = {
        spell(chain.left): set(map(spell, names_in(chain.links[0].right)))
        for chain in statements
        if isinstance(chain.left, s.Name) and chain.links and chain.links[0].symbol in {":=", "="}
    }

    def change(node: s.Node) -> s.Node | None:
        if not isinstance(node, s.Expectation) or not any(n.variables for n in node.samplings):
            return None
        inside = {spell(name): name for name in names_in(node.body) if not name.subscripts}

        def small(item: s.Node) -> s.Node:
            letter = spell(item)
            plain = len(letter) == 1 and letter.isupper() and letter not in inside
            return inside.get(letter.lower(), item) if plain else item

        def own(one: s.Sampling) -> s.Sampling:
            if one.distribution is not None:
                return one
            names = tuple(map(small, one.variables))
            drawn = set(map(spell, names))
            kept = tuple(n for n in names if not made.get(spell(n), set()) & drawn)
            return replace(one, variables=kept or names)

        samplings = tuple(map(own, node.samplings))
        if samplings == node.samplings:
            return None
        return replace(node, samplings=samplings, body=rebuild(node.body, change))

    return rewritten(display, statements, change)


def _bare(mean: s.Expectation) -> tuple[str, tuple[s.Sampling, ...]]:
    return mean.kind, mean.samplings
