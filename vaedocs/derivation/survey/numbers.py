"""Which letters of densities stand for numbers and functions here, and are no densities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.spelling import spell, stem, walk
from vaedocs.derivation.survey.heads import (
    ENTROPIES,
    Survey,
    family,
    is_density_head,
)
from vaedocs.derivation.survey.quotients import not_normalised

DENSITY_WORDS = re.compile(r"\b(density|densities|mass functions?|distributions?|p[dm]fs?)\b")


def numbers_called_densities(trees: list[s.Node], given: int, found: Survey) -> None:
    r"""A letter of a density that is a family's parameter, ``\mathrm{Bern}(p)``, that is declared,
    ``0 < p < 1``, ``P \in \mathbb{R}^{N \times N}``, or in which a derivative is taken, is no
    density, unless it is written as one.
    """
    numbers = {spell(name) for tree in trees[:given] for name in declared(tree)}
    densities: set[str] = set()
    alone: set[str] = set()
    before_sums: set[str] = set()
    for tree in trees:
        for node in walk(tree):
            if isinstance(node, s.Product):
                alone |= {spell(factor) for factor in node.factors if is_density_head(factor)}
            if isinstance(node, s.Derivative):
                numbers |= {spell(item) for item in node.variables if is_density_head(item)}
            if isinstance(node, s.Sum) and any(isinstance(t, s.Number) for _, t in node.terms):
                numbers |= {spell(t) for _, t in node.terms if is_density_head(t)}  # 1 - p
            if isinstance(node, s.Sampling) and node.distribution is not None:
                densities.add(spell(node.distribution))
            if not isinstance(node, s.Call) or not isinstance(node.head, s.Name):
                continue
            items = node.items
            if family(node.head):
                numbers |= {spell(item) for item in node.groups[-1] if is_density_head(item)}
            elif all(isinstance(item, s.Name | s.Relation) for item in items):
                densities.add(spell(node.head))
            elif len(items) == 1 and isinstance(items[0], s.Sum):
                before_sums.add(spell(node.head))
            if "||" in node.separators:
                densities |= set(map(spell, items))
    for tree in trees[:given]:
        if (name := written_out(tree)) is not None:
            own = [spell(name)] if not name.subscripts else [stem(name) + "_"]  # p_i, and p_j
            used = {head for head in densities if head.split("_")[0] == stem(name)}
            numbers |= set(own) if not used else set()
    numbers |= before_sums & alone  # r_n \log f + r_n (x_n - \mu)
    found.not_densities |= (numbers - densities) | set(probabilities(trees))
    found.not_densities |= {name for tree in trees[:given] for name in mixture(tree)}
    found.not_densities |= not_normalised(trees)
    if by_hand := {head for tree in trees[:given] if (head := named_by_hand(tree))}:
        found.not_densities |= by_hand - laws(trees)


def named_by_hand(tree: s.Node) -> str:
    r"""The r of ``r(x) := x^2``, whose value is what it says, be it a density or not."""
    link = tree.only if isinstance(tree, s.Chain) else None
    left = tree.left if isinstance(tree, s.Chain) and link and link.symbol == ":=" else None
    if not isinstance(left, s.Call) or not isinstance(left.head, s.Name) or left.separators:
        return ""
    law = isinstance(link.right, s.Call) and bool(family(link.right.head)) if link else True
    return spell(left.head) if left.head.base in {"r", "R", "rho"} and not law else ""


def laws(trees: list[s.Node]) -> set[str]:
    """The heads that are used as only densities are: averaged over, compared, conditioned."""
    used: list[s.Node] = []
    for node in (one for tree in trees for one in walk(tree)):
        if isinstance(node, s.Sampling) and node.distribution is not None:
            used.append(node.distribution)
        elif isinstance(node, s.Call) and node.separators:
            used += node.items if "||" in node.separators else (node,)
        elif isinstance(node, s.Call) and getattr(node.head, "base", "") in ENTROPIES:
            used += node.items
    return {spell(one.head if isinstance(one, s.Call) else one) for one in used}


def said_to_be_densities(trees: list[s.Node], given: int) -> set[str]:
    r"""The \phi_K of ``\phi_K = \mathcal{N}(0, K)`` and the u of ``u(x) := \frac1n``, where it is
    taken at a point, compared as in ``D(p \| u)``, or averaged over.
    """
    made: dict[str, bool] = {}  # whether a law is given, and not its values
    for tree in trees[:given]:
        link = tree.only if isinstance(tree, s.Chain) else None
        if link is None or link.symbol not in {"=", ":=", "=="}:
            continue
        law = isinstance(link.right, s.Call) and bool(family(link.right.head))
        match tree:
            case s.Chain(left=s.Name() as head) if law and not is_density_head(head):
                made[spell(head)] = True
            case s.Chain(left=s.Call(head=s.Name() as head, separators=())):
                if not is_density_head(head) and not family(head):
                    made.setdefault(spell(head), False)
    used: set[str] = set()
    for node in (one for tree in trees for one in walk(tree)) if made else ():
        if isinstance(node, s.Call) and isinstance(node.head, s.Name):
            if "||" in node.separators or node.head.base in ENTROPIES:
                used |= {spell(i.head if isinstance(i, s.Call) else i) for i in node.items}
            used |= {name for name in [spell(node.head)] if made.get(name)}
        elif isinstance(node, s.Sampling) and node.distribution is not None:
            law_ = node.distribution
            used.add(spell(law_.head if isinstance(law_, s.Call) else law_))
    return used & made.keys()


def mixture(tree: s.Node) -> Iterator[str]:
    r"""The R of ``R = \frac12 (p + q)``: a name for these two, as M would be."""
    if not isinstance(tree, s.Chain) or len(tree.links) != 1 or not isinstance(tree.left, s.Name):
        return
    right = list(walk(tree.links[0].right))
    heads = [t for node in right if isinstance(node, s.Sum) for _, t in node.terms]
    called = any(isinstance(node, s.Call) for node in right)
    if heads and not called and is_density_head(tree.left) and all(map(is_density_head, heads)):
        yield spell(tree.left)


def probabilities(trees: list[s.Node]) -> Iterator[str]:
    r"""The \pi of ``\mathrm{Cat}(z; \pi(x))`` and ``q(z = k \mid x) = \pi_k(x)``: a function."""
    for node in (one for tree in trees for one in walk(tree)):
        calls: list[s.Node] = []
        if isinstance(node, s.Call) and family(node.head) == "categorical":
            calls = list(node.groups[-1])
        elif isinstance(node, s.Chain) and isinstance(node.left, s.Call):
            if estimates(node, trees):
                yield spell(node.left.head)
            labelled = any(isinstance(item, s.Relation) for item in node.left.groups[0])
            calls = [link.right for link in node.links] if labelled else []
        for call in calls:
            head = call.head if isinstance(call, s.Call) and "|" not in call.separators else None
            if isinstance(head, s.Name) and head.base in {"pi", "rho"}:
                yield from (stem(head), stem(head) + "_")


def estimates(chain: s.Chain, trees: list[s.Node]) -> bool:
    r"""Whether ``\hat p(x) := \frac1K \sum_{k=1}^K p(x \mid z_k)`` is made of draws."""
    head = chain.left.head if isinstance(chain.left, s.Call) else None
    if not isinstance(head, s.Name) or not head.accents or not is_density_head(head):
        return False
    parts = [node for link in chain.links for node in walk(link.right)]
    sums = {spell(i) for node in parts if isinstance(node, s.BigOperator) for i in node.indices}
    marks = {spell(m) for n in parts if isinstance(n, s.Name) for m in (*n.subscripts, *n.indices)}
    if not sums & marks or any(spell(n.head) == r"\delta" for n in parts if isinstance(n, s.Call)):
        return False
    laws = (n.distribution for t in trees for n in walk(t) if isinstance(n, s.Sampling))
    return all(
        spell(law.head if isinstance(law, s.Call) else law) != spell(head) for law in laws if law
    )


def written_out(tree: s.Node) -> s.Name | None:
    r"""The p_i of ``p_i := \frac{e^{z_i}}{\sum_k e^{z_k}}``, which is made of no density."""
    if not isinstance(tree, s.Chain) or [link.symbol for link in tree.links] not in (["="], [":="]):
        return None
    left, right = tree.left, tree.links[0].right
    if not isinstance(left, s.Name) or not is_density_head(left):
        return None
    inside = [node for node in walk(right) if isinstance(node, s.Name | s.Call)]
    own = spell(replace(left, subscripts=()))
    other = (n for n in inside if isinstance(n, s.Name) and is_density_head(n) and stem(n) != own)
    families = any(isinstance(n, s.Call) and family(n.head) for n in inside)
    return None if families or any(True for _ in other) else left


def declared(tree: s.Node) -> Iterator[s.Name]:
    """The letters of densities whose size, or whose set, a hypothesis gives."""
    symbols = {link.symbol for link in tree.links} if isinstance(tree, s.Chain) else set()
    if not isinstance(tree, s.Chain) or tree.left is None or not symbols <= {"in", "<", "<="}:
        return
    if DENSITY_WORDS.search(tree.words):
        return
    sides = [tree.left] if "in" in symbols else [tree.left, *(link.right for link in tree.links)]
    target = tree.links[0].right if "in" in symbols else None
    of_densities = isinstance(target, s.Name) and bool(target.style)  # p \in \mathcal{P}
    if isinstance(target, s.Power) and spell(target.base) == r"\Delta":
        of_densities = True  # a probability vector has an entropy
    if len(sides) == 2 or of_densities:
        return
    for side in sides:
        for item in s.members(side):
            if isinstance(item, s.Name) and is_density_head(item):
                yield item
