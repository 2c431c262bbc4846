"""What single uses say of a name: draws, priors, data, measures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.letters import FUNCTION_LETTERS, VARIABLES, is_index_letter, is_parameter
from vaedocs.derivation.spelling import children, names_in, spell, stem, walk
from vaedocs.derivation.survey.copies import IID
from vaedocs.derivation.survey.events import events_in
from vaedocs.derivation.survey.heads import (
    SETS,
    Signature,
    Survey,
    arguments,
    decorated,
    has_parameter,
    head_stem,
    is_density_head,
    is_divergence_call,
    is_event,
    stem_of_variable,
    subscripted_variable,
)
from vaedocs.derivation.survey.outcomes import weighed


def data_set(node: s.BigOperator) -> s.Name | None:
    r"""The \mathcal{D} of ``\sum_{x \in \mathcal{D}}``, a set of data; ``x \in \mathcal{X}`` takes
    all values, as what a density weighs does in A_x, and a set of indices has no data.
    """
    domain, index = node.domain, node.indices[0] if node.indices else None
    if not isinstance(domain, s.Name) or index is None:
        return None
    if not isinstance(index, s.Name):
        return domain
    same = domain.base.lower() == index.base.lower()
    if (same or is_alphabet(domain, index)) and spell(index) in weighed(node.body):
        return None
    if index.subscripts or index.indices:
        return domain
    return None if same or is_index_letter(index) else domain


def is_alphabet(domain: s.Name, name: s.Name) -> bool:
    r"""Whether a set carries the letter of a variable below: ``\mathcal{A}_X``, the S_x of x."""
    marks = domain.subscripts
    named = len(marks) == 1 and isinstance(marks[0], s.Name) and not marks[0].subscripts
    letter = marks[0].base if named and isinstance(marks[0], s.Name) else ""
    return domain.base in ("A", "S", "V") and letter.lower() == name.base.lower()


def whole(domain: s.Node, names: tuple[s.Node, ...]) -> bool:
    r"""Whether a set holds all values: ``\mathbb{R}^d``, ``\Omega``, the ``\mathcal{X}`` of x."""
    match domain:
        case s.Group(bracket="("):
            return whole(domain.body, names)
        case s.Product() if {*domain.operators} == {"times"}:
            return all(whole(factor, names) for factor in domain.factors)
        case s.Power(base=s.Name(style="bb")):
            return spell(domain.exponent) not in {"+", "++"} and whole(domain.base, names)
        case s.Name(accents=(), starred=False):
            if (domain.style, domain.base) == ("bb", "R") or domain.base == "Omega":
                return not domain.subscripts
            inside = [n for name in names for n in names_in(name)]
            return any(is_alphabet(domain, n) for n in inside) or any(
                n.base.lower() == domain.base.lower()
                and domain.primes <= n.primes
                and domain.subscripts in ((), n.subscripts)
                for n in inside
            )
    return False


def index_set(node: s.BigOperator) -> s.Name | s.Call | None:
    r"""The S of ``\sum_{i \in S}``, which holds some of the indices; ``\mathcal{I}`` holds all."""
    domain = node.domain
    if not isinstance(domain, s.Name | s.Call) or whole(domain, node.indices):
        return None
    return domain if all(map(is_index_letter, node.indices)) else None


def informs(call: s.Call) -> bool:
    """Whether a call is an entropy or an information of variables."""
    return isinstance(call.head, s.Name) and call.head.base in {"H", "h", "I", "MI"}


def hint_indices(node: s.BigOperator, found: Survey) -> None:
    """The limit of a sum over j is the size of every a_j inside."""
    names = {spell(index) for index in node.indices}
    for inner in walk(node.body):
        if isinstance(inner, s.Name) and inner.subscripts and spell(inner.subscripts[-1]) in names:
            whole = replace(inner, subscripts=inner.subscripts[:-1])
            if node.upper is None:
                found.counted.add(spell(whole))
            else:
                found.index_hints.setdefault(spell(whole), node.upper)


def hint_classes(trees: list[s.Node], calls: list[s.Call], found: Survey) -> None:
    r"""The \mu_k beside ``p(x \mid z = k)`` is one of K, of which the class k has its own."""
    said = [n for call in calls for g in call.groups for n in g if isinstance(n, s.Relation)]
    if classes := {spell(n.right) for n in said if n.symbol == "=" and is_index_letter(n.right)}:
        for node in (node for tree in trees for node in walk(tree)):
            if not isinstance(node, s.Name) or node.indices or len(node.subscripts) != 1:
                continue
            index = spell(node.subscripts[0])
            if index in classes and stem(node) not in found.random:
                limit = s.Name(index.upper(), span=node.span)
                found.index_hints.setdefault(stem(node), limit)


def bare_functions(trees: list[s.Node], found: Survey) -> set[str]:
    r"""The f of ``\mathbb{E}_q[f]``: a function of what is averaged over, if it never stands
    outside of a mean, or beside a variable as in ``\mathbb{E}_q[f z]``, as a number would.
    """
    within: set[str] = set()
    without: set[str] = set()

    def look(node: s.Node, inside: bool) -> None:
        if isinstance(node, s.Expectation) and node.samplings:
            for sampling in node.samplings:
                look(sampling, inside)
            look(node.body, not any(found.slot(n) in found.random for n in _in_the_open(node.body)))
            return
        if isinstance(node, s.Chain) and any(link.symbol == ":" for link in node.links):
            return  # f : \mathcal{X} \to \mathbb{R}
        if isinstance(node, s.Name) and node.base in FUNCTION_LETTERS and not node.style:
            indexed = any(not is_parameter(part) for part in (*node.subscripts, *node.indices))
            (within if inside and not indexed else without).add(spell(node))
            return
        below = children(node)
        if isinstance(node, s.Call) and isinstance(node.head, s.Name):
            below = node.items
        for child in below:
            ends = isinstance(node, s.Name | s.Range | s.BigOperator)
            look(child, inside and (not ends or child is getattr(node, "body", None)))

    for tree in trees:
        look(tree, False)
    return within - without


def _in_the_open(node: s.Node) -> Iterator[s.Name]:
    """The names of an expression that are no arguments of densities."""
    if isinstance(node, s.Name):
        yield node
    elif not is_density_head(getattr(node, "head", None)):  # type: ignore[arg-type]
        for child in children(node):
            yield from _in_the_open(child)


def endless(node: s.BigOperator) -> bool:
    """Whether a sum goes on to infinity."""
    return node.upper is not None and spell(node.upper) == "oo"


def counts(node: s.BigOperator, calls: list[s.Call], found: Survey) -> None:
    r"""Where the X of ``\sum_{k=1}^\infty P(X = k)`` begins: the smallest limit of such sums."""
    if not endless(node) or not isinstance(node.lower, s.Number) or not node.lower.text.isdigit():
        return
    inside, first = set(map(id, walk(node.body))), int(node.lower.text)
    for call in calls:
        for item in [*arguments(call)[0], *arguments(call)[1]] if id(call) in inside else []:
            name, value = (item.left, item.right) if isinstance(item, s.Relation) else (item, item)
            if is_event(item):
                continue
            if isinstance(name, s.Name) and spell(value) in map(spell, node.indices):
                slot = found.slot(name)
                found.endless[slot] = min(first, found.endless.get(slot, first))


def collect_bare(node: s.Node, found: Survey) -> None:
    """Count the names that stand alone, heads of calls left out."""
    if isinstance(node, s.Call):
        power = isinstance(node.head, s.Power) and isinstance(node.head.base, s.Name)
        if not isinstance(node.head, s.Name) and not power:
            collect_bare(node.head, found)
        for group in node.groups:
            for item in group:
                collect_bare(item, found)
        return
    if isinstance(node, s.Name):
        found.bare.add(spell(node))
        found.uses[spell(node)] += 1
        return
    for child in children(node):
        collect_bare(child, found)


def optimised_functions(trees: list[s.Node]) -> set[str]:
    r"""The D of ``\max_D \mathbb{E}_{p(x)}[\log D(x)]`` and of ``\max_D V(D)``, a function."""
    nodes = [node for tree in trees for node in walk(tree)]
    over = {spell(item) for n in nodes if isinstance(n, s.Extremum) for item in n.over}
    called: set[str] = set()
    other: set[str] = set()
    for node in nodes:
        if isinstance(node, s.Call) and isinstance(node.head, s.Name):
            items = node.items
            if spell(node.head) in over and all(isinstance(i, s.Name | s.Call) for i in items):
                called.add(spell(node.head))
            continue
        alone = [node.body] if isinstance(node, s.Extremum) else children(node)
        other |= {spell(child) for child in alone if isinstance(child, s.Name)}
    return called - other


def same_space(tree: s.Node, calls: list[s.Call], found: Survey) -> None:
    r"""The a of Dirac's ``\delta(x - a)`` is a value of x, also in p(a)."""
    for node in walk(tree):
        if not isinstance(node, s.Call) or spell(node.head) != r"\delta":
            continue
        items = node.items
        terms = items[0].terms if len(items) == 1 and isinstance(items[0], s.Sum) else ()
        names = [term for _, term in terms if isinstance(term, s.Name)]
        if [sign for sign, _ in terms] != [1, -1] or len(names) != 2 or any(map(decorated, names)):
            continue
        first, second = (stem_of_variable(name) for name in names)
        seen = [{spell(n) for n in names_in(call)} for call in calls]
        if first != second and not any({first, second} <= inside for inside in seen):
            found.same[second] = first


def data_beside_model(trees: list[s.Node], found: Survey) -> None:
    r"""``D_{KL}(p(x) \| p_\theta(x))`` compares two densities, and ``\mathbb{E}_{p(x)}[\log
    p_\theta(x)]`` is an average over data: there p(x) is no value of the model p_\theta.
    """

    def key(node: s.Node) -> frozenset[str] | None:
        head = node.head if isinstance(node, s.Call) else node
        if not isinstance(head, s.Name) or head.base != "p" or head_stem(head) != "p":
            return None
        if not isinstance(node, s.Call):
            return frozenset()
        left, right, _ = arguments(node)
        names = [item for item in left if isinstance(item, s.Name)]
        given = [item for item in right if not is_parameter(item)]
        return None if given or len(names) < len(left) else frozenset(map(found.slot, names))

    for node in (one for tree in trees for one in walk(tree)):
        pairs: list[tuple[s.Node | None, s.Node]] = []
        if is_divergence_call(node) and isinstance(node, s.Call):
            items = node.items
            pairs = [(items[0], items[1]), (items[1], items[0])] if len(items) == 2 else []
        if isinstance(node, s.Expectation):
            inside = [one for one in walk(node.body) if isinstance(one, s.Call)]
            pairs = [(one.distribution, call) for one in node.samplings for call in inside]
        for plain, model in pairs:
            if not isinstance(plain, s.Call | s.Name) or not isinstance(model, s.Call | s.Name):
                continue
            first, second = key(plain), key(model)
            if has_parameter(plain) or not has_parameter(model) or first is None or second is None:
                continue
            if (first or second) == (second or first):
                found.data.add(first or second)


LETTER = re.compile(r"\\[a-z]+\b(?!_)|(?<!\\)\b[a-zA-Z]\b(?![(_])")


def independent(tree: s.Node, found: Survey) -> None:
    r"""The letters of “a and b independent” are random, where nothing else says so, and the x of
    ``\epsilon \sim \mathcal{N}(0, 1) independent of x``; the c of “c independent of x” is not.
    """
    if not isinstance(tree, s.Chain):
        return
    words = tree.left.text if isinstance(tree.left, s.Words) else tree.words
    if "independent" in words and not IID.search(words):
        names = set(LETTER.findall(words.partition(" given ")[0])) & found.bare - found.events
        if not isinstance(tree.left, s.Words) or " of " not in words or names <= VARIABLES:
            for name in sorted(n for n in names if n.swapcase() not in found.random):
                found.random.setdefault(name, None)


def made_of_others(tree: s.Node, informed: list[s.Call], found: Survey) -> None:
    r"""The Z of ``Z = X + \epsilon`` is random where its entropy is spoken of, and so is X."""
    match tree:
        case s.Chain(left=s.Name() as left, links=(s.Link(symbol="=", right=right),)):
            items = [item for call in informed for item in call.items]
            if left in items and not isinstance(right, s.Call) and not is_density_head(left):
                for name in (left, *names_in(right)):
                    if name in items or spell(name) in VARIABLES:
                        found.random.setdefault(found.slot(name), None)


def drawn(tree: s.Node, found: Survey) -> None:
    r"""The z of ``z \sim \mathcal{N}(0, I)`` is random."""
    if not isinstance(tree, s.Chain) or not tree.links or tree.links[0].symbol != "~":
        return
    left = tree.left
    items = left.items if isinstance(left, s.Sequence | s.Conditioned) else (left,)
    for item in items:
        if isinstance(item, s.Name):
            found.random.setdefault(found.slot(item), None)


def priors(calls: list[s.Call], found: Survey) -> None:
    r"""The z of a prior p(z) that is written without the parameter of ``p_\theta(x \mid z)``."""
    latent = {slot for sig in found.signatures.get("q", ()) for slot in sig.left}
    for head in found.parameter_heads:
        own = [call for call in calls if isinstance(call.head, s.Name)]
        own = [call for call in own if head_stem(call.head) == head]  # type: ignore[arg-type]
        alone: dict[str, bool] = {}  # z of p(z): whether it is ever written with a parameter
        causes: set[str] = set()
        for call in own:
            left, right, _ = arguments(call)
            lefts = {found.slot(item) for item in left if isinstance(item, s.Name)}
            rights = {found.slot(i) for i in right if isinstance(i, s.Name) and not is_parameter(i)}
            if len(lefts) == 1 and not rights:
                (slot,) = lefts
                alone[slot] = alone.get(slot, False) or has_parameter(call)
            elif has_parameter(call):
                causes |= rights
        free = {slot for slot, written in alone.items() if not written}
        if not any(arguments(call)[2] for call in own):  # beside p(x; \theta) it would be written
            free &= causes
        # p(x) of data beside p_\theta(x | z) is the evidence, written without care.
        hidden = {slot for slot in free if slot[:1].lower() not in {"x", "y"}}
        found.priors[head] = free & latent if latent else hidden


def in_events(call: s.Call) -> Iterator[s.Name]:
    """The single letters in the events of ``P(X > a)``."""
    for item in arguments(call)[0]:
        for name in walk(item.left if item.symbol in SETS else item) if is_event(item) else ():
            if isinstance(name, s.Name) and len(name.base) == 1:
                yield name


def measures(calls: list[s.Call], found: Survey) -> None:
    r"""``P(X > a)`` and ``P(X = x)`` speak of the density p, unless P(x) is a density itself."""
    plain: set[str] = set()
    for call in calls:
        assert isinstance(call.head, s.Name)
        if call.head.base in {"P", "Pr"}:
            values = [item for item in arguments(call)[0] if not isinstance(item, s.Relation)]
            (plain if values else found.measures).add(head_stem(call.head))
    found.measures -= plain


def add_signature(call: s.Call, found: Survey) -> None:
    """Take down how a density is used: its names left and right of the bar, its parameters."""
    left, right, parameters = arguments(call)
    if not isinstance(call.head, s.Name):
        return

    def names(items: list[s.Node]) -> tuple[str, ...]:
        made = []
        for item in items:
            if isinstance(item, s.Relation):
                item = item.left
            if isinstance(item, s.Name):
                made.append(found.slot(item))
                if decorated(item) and made[-1] == spell(item):
                    found.decorated_slots[made[-1]] = item
            elif found.events:
                made += [name for name in events_in(item) or () if name in found.events]
        return tuple(made)

    head = head_stem(call.head)
    head = found.model if head in found.measures else head
    for item in left:
        if is_parameter(item):
            found.random_parameters.add(spell(item))
    lefts = names(left)
    inside = subscripted_variable(call.head, left, found)
    if inside is not None:
        lefts = names([inside])
    rights = tuple(
        n
        for n, item in zip(
            names(right), [i for i in right if isinstance(i, s.Name | s.Relation)], strict=False
        )
        if not is_parameter(item)
    )
    if not any(map(is_event, left)):
        found.signatures[head].append(Signature(lefts, rights))
    for slot in (*lefts, *rights):
        found.random.setdefault(slot, None)
    for item in (*call.head.subscripts, *right, *parameters):
        if is_parameter(item):
            found.parameter_heads[head].add(spell(item))
