r"""Averages that name no density, where it is said once what they are over."""

from __future__ import annotations

from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.parser.conventions import is_convention
from vaedocs.derivation.rewrite.trees import rebuild, rewritten


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


def _bare(mean: s.Expectation) -> tuple[str, tuple[s.Sampling, ...]]:
    return mean.kind, mean.samplings
