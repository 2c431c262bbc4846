r"""Two letters for one variable: the y of ``\mathbb{E}_{p_\theta(y)}[E_\theta(y)]`` beside a given
``p_\theta(x) = e^{-E_\theta(x)} / Z``.
"""

from __future__ import annotations

from dataclasses import replace

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.rewrite.trees import rebuilt, substitute
from vaedocs.derivation.spelling import names_in, spell, stem, walk


def one_variable(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    """With x' for a y over which the display averages, where a formula of p(x) is given, nothing
    is said of y and no other density has it.
    """
    given: dict[str, s.Name] = {}
    for chain in statements:
        call = chain.left if chain.links else None
        if isinstance(call, s.Call) and look.is_density_call(call) and len(call.items) == 1:
            (item,), formula = call.items, chain.links[0].right
            if isinstance(item, s.Name) and item in names_in(formula):
                given.setdefault(stem(call.head), item)  # type: ignore[arg-type]
    if not given:
        return display, statements
    nodes = list(walk(display))
    told = {spell(name) for chain in statements for name in names_in(chain)}
    averaged = {
        spell(call.items[0]): given[stem(call.head)]
        for node in nodes
        if isinstance(node, s.Sampling) and isinstance(call := node.distribution, s.Call)
        if isinstance(call.head, s.Name) and stem(call.head) in given and len(call.items) == 1
    }
    densities = [n for n in nodes if isinstance(n, s.Call) and look.is_density_call(n)]
    change: dict[str, s.Node] = {}
    for name, x in averaged.items():
        own = [call for call in densities if name in {spell(n) for n in names_in(call)}]
        alone = all(len(call.items) == 1 and spell(call.items[0]) == name for call in own)
        if name not in told and alone and name != spell(x):
            change[name] = replace(x, primes=x.primes + 1)
    if not change:
        return display, statements
    return rebuilt(display, lambda node: substitute(node, change)), statements
