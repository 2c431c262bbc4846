r"""Two letters for one variable: the y of ``\mathbb{E}_{p_\theta(y)}[E_\theta(y)]`` beside a given
``p_\theta(x) = e^{-E_\theta(x)} / Z``.
"""

from __future__ import annotations

from dataclasses import replace

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.letters import is_index_letter
from vaedocs.derivation.rewrite.trees import differences, rebuilt, substitute
from vaedocs.derivation.spelling import names_in, spell, stem, walk


def counted(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    r"""With k' for the j of ``\sum_{j=1}^K p(x \mid j)`` beside p(x | k): another of its values."""
    sums = [n for n in walk(display) if isinstance(n, s.BigOperator) and len(n.indices) == 1]
    if not sums:
        return display, statements
    calls = [n for t in (display, *statements) for n in walk(t) if look.is_density_call(n)]
    told = {spell(name) for chain in statements for name in names_in(chain)}

    def change(node: s.Node) -> s.Node | None:
        if node not in sums or not isinstance(node, s.BigOperator) or node.name != "sum":
            return None
        (j,) = node.indices
        own = [n for n in walk(node.body) if isinstance(n, s.Call) and n in calls and j in n.items]
        if not own or not is_index_letter(j) or spell(j) in told:
            return None
        pairs = [[*differences(a, b)] for a in own for b in calls if a.head == b.head]  # type: ignore[attr-defined]
        found = {spell(b): b for (a, b), *more in filter(None, pairs) if a == j and not more}
        only, *others = found.values() or (j,)
        if others or not isinstance(only, s.Name) or only.primes or not is_index_letter(only):
            return None
        return substitute(node, {spell(j): replace(only, primes=1)}) if only != j else None

    return rebuilt(display, change), statements


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
