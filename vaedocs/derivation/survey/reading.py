"""The survey itself: what all uses together say."""

from __future__ import annotations

import re

from vaedocs.derivation import syntax as s
from vaedocs.derivation.letters import DENSITY_LETTERS, FUNCTION_LETTERS, NOISE, is_parameter
from vaedocs.derivation.spelling import names_in, spell, stem, walk
from vaedocs.derivation.survey.copies import (
    drawn_apart,
    said_apart,
    said_to_be_copies,
    separate,
    varying_together,
)
from vaedocs.derivation.survey.events import find_events
from vaedocs.derivation.survey.heads import (
    ENTROPIES,
    Survey,
    arguments,
    family,
    head_stem,
    is_density_call,
    is_density_head,
    is_divergence,
)
from vaedocs.derivation.survey.numbers import (
    DENSITY_WORDS,
    numbers_called_densities,
    said_to_be_densities,
)
from vaedocs.derivation.survey.outcomes import sampled
from vaedocs.derivation.survey.uses import (
    LETTER,
    add_signature,
    bare_functions,
    collect_bare,
    counts,
    data_beside_model,
    data_set,
    drawn,
    hint_classes,
    hint_indices,
    in_events,
    independent,
    index_set,
    informs,
    made_of_others,
    measures,
    optimised_functions,
    priors,
    same_space,
)
from vaedocs.derivation.survey.versions import compared, numbered_heads, versions

CHANCES = ("bernoulli", "binomial", "categorical")
NO_VARIABLE = re.compile(r"do(es)?( not|n't) (depend|involve)")


def survey(trees: list[s.Node], given: int = 0) -> Survey:
    """Look at every use in ``trees``, of which the first ``given`` are hypotheses."""
    found = Survey(display=trees[given:], trees=trees)
    for tree in trees[:given]:
        found.iid |= said_to_be_copies(tree)
    found.random.update(dict.fromkeys(sorted(found.iid - {""})))
    calls: list[s.Call] = []
    informed: list[s.Call] = []
    numbers_called_densities(trees, given, found)
    for tree in trees:
        if (
            isinstance(tree, s.Chain)
            and isinstance(tree.left, s.Words)
            and DENSITY_WORDS.search(tree.left.text)
        ):
            found.declared_heads |= set(re.findall(r"(\\?[A-Za-z]+)\s*\([^()]*\)", tree.left.text))
            found.declared_heads |= set(
                re.findall(r"^\s*([A-Za-z])\s+(?:is|are|normali)", tree.left.text)
            )
        if (
            isinstance(tree, s.Chain)
            and isinstance(tree.left, s.Call | s.Name)
            and DENSITY_WORDS.search(tree.words)
        ):
            head = tree.left.head if isinstance(tree.left, s.Call) else tree.left
            found.declared_heads.add(spell(head))
    found.declared_heads |= said_to_be_densities(trees, given)
    for tree in trees:
        match tree:
            case s.Chain(left=s.Name() as one, links=(s.Link(symbol="~", right=s.Call() as law),)):
                if is_density_call(law, found) and one in arguments(law)[0]:
                    found.laws[spell(one)] = law
        sides = (tree.left, *(one.right for one in tree.links)) if isinstance(tree, s.Chain) else ()
        if any(isinstance(side, s.Number) and side.text == "1" for side in sides):
            found.ones |= {spell(side) for side in sides if isinstance(side, s.BigOperator)}
        for node in walk(tree):
            if isinstance(node, s.Call) and is_density_call(node, found):
                calls.append(node)
            if isinstance(node, s.BigOperator) and (name := data_set(node)) is not None:
                found.sets.add(spell(name))
            if isinstance(node, s.BigOperator) and (domain := index_set(node)) is not None:
                found.index_sets.setdefault(spell(domain), node)
            if isinstance(node, s.Name) and is_parameter(node):
                found.parameters.setdefault(spell(node), node)
            if isinstance(node, s.Call) and informs(node):
                informed.append(node)
            if isinstance(node, s.Call) and family(node.head) in CHANCES[:2]:
                found.chances |= {spell(n) for n in node.groups[-1] if isinstance(n, s.Name)}
            if isinstance(node, s.Call) and isinstance(node.head, s.Name) and not eulers(node):
                found.called.add(spell(node.head))
                if node.head.base == "h" and "|" in node.separators:
                    found.entropic.add(spell(node.head))
            if (
                isinstance(node, s.Call)
                and isinstance(node.head, s.Power)
                and isinstance(node.head.base, s.Name)
                and node.head.base.base in FUNCTION_LETTERS
                and spell(node.head.exponent) == "-1"
            ):
                found.called.add(spell(node.head.base))
            if isinstance(node, s.BigOperator):
                hint_indices(node, found)
                found.limits[spell(node.upper) if node.upper is not None else ""] += 1
        collect_bare(tree, found)
    if any(spell(one.head) in {"I", "MI"} for one in informed):  # beside them, h is too
        parts = (n for one in informed for group in one.groups for i in group for n in walk(i))
        inside = {spell(node.head) for node in parts if isinstance(node, s.Call)}
        found.entropic |= {"h"} - inside
    found.bare -= optimised_functions(trees)
    called = {stem(call.head) for call in calls if isinstance(call.head, s.Name)}
    greek = {r"\pi", r"\rho"} & {spell(i) for one in informed for i in one.items}
    unlimited = dict.fromkeys(sorted(found.counted), s.Name("n", span=(0, 0)))
    found.vectors = {
        name: limit
        for name, limit in (unlimited | found.index_hints).items()
        if name in DENSITY_LETTERS | greek and name not in called
    }
    for counted in found.vectors.keys() & compared(trees):
        del found.vectors[counted]
    if not found.iid:
        varying_together(trees[:given], trees[given:], found)
    separate(calls, found)
    separate(informed, found)
    found.events, numbered, found.partitions = find_events(trees)
    found.separate = (found.separate | numbered) - found.partitions
    drawn_apart(trees, found)
    for tree in trees[:given]:
        said_apart(tree, found)
    measures(calls, found)
    for tree in trees:
        same_space(tree, calls, found)
    for call in calls:
        add_signature(call, found)
    hint_classes(trees, calls, found)
    for call in calls:
        for name in in_events(call):  # P(|X - \mu| \geq a)
            if name.base.isupper() and name.base.lower() not in found.random:
                found.random.setdefault(found.slot(name), None)
    for tree in trees:
        for node in walk(tree):
            if isinstance(node, s.BigOperator):
                counts(node, calls, found)
    versions(trees, calls, found)
    numbered_heads(trees, found)
    priors(calls, found)
    data_beside_model(trees, found)
    found.sampled = sampled(trees, found)
    for tree in trees:
        drawn(tree, found)
        for node in walk(tree):
            match node:
                case s.Call() if (
                    "||" in node.separators
                    or is_divergence(node.head)
                    or (isinstance(node.head, s.Name) and node.head.base in ENTROPIES)
                ):
                    found.bare_heads |= {
                        spell(item) for item in node.items if is_density_head(item)
                    }
                    found.bare_heads |= {
                        spell(inner)
                        for item in node.items
                        for inner in names_in(item)
                        if stem(inner) in found.numbered
                    }
                case s.Sampling():
                    if node.distribution is not None and is_density_head(node.distribution):
                        found.bare_heads.add(spell(node.distribution))
                    for variable in node.variables:
                        if isinstance(variable, s.Name):
                            found.random.setdefault(found.slot(variable), None)
                    target = node.distribution
                    match target:
                        case s.Call(head=s.Name() as said) if is_density_call(target, found):
                            found.averaged.setdefault(head_stem(said), []).append(target)
                    if (
                        isinstance(target, s.Name)
                        and not is_density_head(target)
                        and not (node.variables or is_parameter(target))
                    ):
                        found.random.setdefault(found.slot(target), None)
                case s.Call() if isinstance(node.head, s.Name) and family(node.head):
                    for inner in (part for item in node.groups[-1] for part in walk(item)):
                        if isinstance(inner, s.Call):
                            head = (
                                inner.head.base if isinstance(inner.head, s.Power) else inner.head
                            )
                            if spell(head) != r"\sigma" or family(node.head) not in CHANCES:
                                found.family_functions.add(spell(head))  # Bern(σ(a)) is logistic
                    if len(node.groups) == 1:
                        continue
                    for item in node.groups[0]:
                        if isinstance(item, s.Name):
                            found.random.setdefault(found.slot(item), None)
                            found.pictured.setdefault(found.slot(item), []).append(node)
    for tree in trees[:given]:
        independent(tree, found)
        made_of_others(tree, informed, found)
        if isinstance(tree, s.Chain):
            if NO_VARIABLE.match(tree.words) and isinstance(tree.left, s.Name):
                found.beside.add(spell(tree.left))  # Z, which does not depend on z
            words = tree.left.text if isinstance(tree.left, s.Words) else tree.words
            if re.search(r"\b(fixed|constants?)\b", words) and not DENSITY_WORDS.search(words):
                letters = LETTER.findall(words) + [spell(n) for n in walk(tree)]
                found.fixed |= {letter for letter in letters if letter not in found.called}
    for tree in trees:
        noise(tree, found)
    found.bare_functions = bare_functions(trees, found)
    integrals = [n for tree in trees for n in walk(tree) if isinstance(n, s.Integral)]
    for letter in (spell(v) for node in integrals for v in node.variables):
        if len(letter) == 1 and letter.upper() in found.random:  # the x of a drawn X
            found.random.setdefault(letter, None)
            del found.random[letter.upper()]
    return found


def noise(tree: s.Node, found: Survey) -> None:
    r"""The \epsilon of ``\mathbb{E}[\epsilon]`` is random, where no other letter could be."""
    for node in walk(tree):
        if isinstance(node, s.Expectation) and not node.samplings:
            names = {found.slot(n): n for n in walk(node.body) if isinstance(n, s.Name)}
            if names.keys() <= NOISE - found.fixed:
                found.noise.update(names)
                found.random.update(dict.fromkeys(sorted(names)))


def eulers(node: s.Call) -> bool:
    r"""``e (P + N)``: Euler's number before a bracket, as in ``2 \pi e (P + N)``."""
    arguments = node.items
    return (
        spell(node.head) == "e"
        and len(arguments) == 1
        and isinstance(arguments[0], s.Sum | s.Number)
    )
