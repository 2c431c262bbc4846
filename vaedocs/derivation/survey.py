"""A first look over a display and its hypotheses: which names are densities, variables, functions.

LaTeX does not declare what it means by ``q`` or ``f(z)``. The survey looks at every use before any
piece is elaborated, so that ``z`` means the same in all of them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeGuard

from vaedocs.derivation import syntax as s
from vaedocs.derivation.spelling import is_parameter, letter, spell, stem, walk

DENSITY_LETTERS = frozenset(["p", "q", "r", "P", "Q", "R", "Pr", "pi", "rho"])
DIVERGENCES = frozenset(["KL", "kl", "D_KL", "D"])
ENTROPIES = frozenset({"H", "h"})
FUNCTION_LETTERS = frozenset("fghFGT")  # f^{-1}(x) is a function at x, A^{-1}(x) a product
INFORMATION = frozenset({"I", "MI"})
FAMILIES = {
    "N": "normal",
    "Normal": "normal",
    "Bernoulli": "bernoulli",
    "Bern": "bernoulli",
    "Ber": "bernoulli",
    "Categorical": "categorical",
    "Cat": "categorical",
    "Uniform": "uniform",
    "Unif": "uniform",
    "U": "uniform",
    "Binomial": "binomial",
    "Bin": "binomial",
    "Exponential": "exponential",
    "Exp": "exponential",
    "Laplace": "laplace",
}


def family(head: s.Node) -> str:
    r"""The family a head names, ``"normal"`` for ``\mathcal{N}``; empty if it names none."""
    if not isinstance(head, s.Name) or head.subscripts or head.indices:
        return ""
    if head.base in {"N", "U"} and head.style not in {"cal", "rm"}:
        return ""
    return FAMILIES.get(head.base, "") if head.style else ""


def is_divergence(head: s.Node) -> bool:
    r"""Whether a head names the KL divergence: ``KL``, ``D_{KL}``, ``\mathbb{KL}``,
    ``D_{\mathbb{KL}}``, ``\mathcal{D}_{KL}``.
    """
    if not isinstance(head, s.Name):
        return False
    if head.base in {"KL", "kl", "KLD"} and not head.subscripts:
        return True
    return head.base in {"D", "d", "KL"} and any(
        isinstance(part, s.Name | s.Words)
        and spell(part).upper().replace(" ", "").endswith(("KL", "KL}", "K L"))
        for part in head.subscripts
    )


def is_divergence_call(node: s.Node) -> bool:
    r"""Whether a call is a KL divergence; a bare ``D(p \| q)`` is one too."""
    if not isinstance(node, s.Call) or not isinstance(node.head, s.Name):
        return False
    if is_divergence(node.head):
        return True
    plain = node.head.base in {"D", "d"} and not (node.head.subscripts or node.head.indices)
    return plain and "||" in node.separators


_DENSITY_WORDS = re.compile(r"\b(density|densities|mass function|distribution|pmf)\b")


@dataclass
class Signature:
    """How a head is used: names left and right of its bar, in order, as spelt stems."""

    left: tuple[str, ...]
    right: tuple[str, ...] = ()


@dataclass
class Survey:
    """What the uses say: ``signatures`` of every density head, ``random`` variables, heads of
    ``functions``, and names that stand alone (``bare``).
    """

    signatures: dict[str, list[Signature]] = field(default_factory=lambda: defaultdict(list))
    random: dict[str, None] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    uses: Counter[str] = field(default_factory=Counter)  # how often each of these
    parameter_heads: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    separate: set[str] = field(
        default_factory=set
    )  # stems whose decorated forms are variables of their own
    plain: set[str] = field(default_factory=set)  # stems seen without decoration in a density
    conditioned_parameters: set[str] = field(default_factory=set)
    random_parameters: set[str] = field(default_factory=set)
    index_hints: dict[str, s.Node] = field(default_factory=dict)  # stem -> upper limit of its index
    vectors: dict[str, s.Node] = field(default_factory=dict)  # p of Σ_k p_k: one probability each
    not_densities: set[str] = field(default_factory=set)
    declared_heads: set[str] = field(default_factory=set)  # "u(x) is a probability mass function"
    family_functions: set[str] = field(default_factory=set)  # σ(x) as a parameter of a Gaussian
    bare_heads: set[str] = field(
        default_factory=set
    )  # heads that stand without arguments in a divergence, an entropy, an expectation

    measures: set[str] = field(default_factory=set)  # P of P(X > a), where P(x) is never written
    data: set[frozenset[str]] = field(default_factory=set)  # x, where p(x) is not p_\theta(x)
    priors: dict[str, set[str]] = field(default_factory=dict)  # head -> z of a p(z) without θ
    iid: set[str] = field(default_factory=set)  # stems of i.i.d. copies x_1, …, x_N; "" for all
    same: dict[str, str] = field(default_factory=dict)  # a of \delta(x - a): a value of x
    parameters: dict[str, s.Name] = field(default_factory=dict)  # θ, φ, wherever they stand

    def gradient_variables(self, body: s.Node) -> tuple[s.Name, ...]:
        r"""In what ``\nabla f`` is taken that does not say so: the only parameter in sight, or
        where there is none the only argument of the functions in f.
        """
        found = dict(self.parameters)
        calls = [node for node in walk(body) if isinstance(node, s.Call)]
        if not found and not any(is_density_call(call, self) for call in calls):
            items = [item for call in calls for group in call.groups for item in group]
            found = {spell(item): item for item in items if isinstance(item, s.Name)}
        return tuple(found.values()) if len(found) == 1 else ()

    def slot(self, name: s.Name) -> str:
        """The slot a name fills: ``z_1`` is a copy of ``z`` unless its decorated forms are
        variables of their own.
        """
        base = stem_of_variable(name)
        if base in self.separate:
            return spell(name)
        return self.same.get(base, base)


def stem_of_variable(name: s.Name) -> str:
    """The letter of a variable, without index, prime or tilde."""
    text = letter(name.base, name.style)
    for accent in reversed(name.accents):
        if accent not in {"tilde", "widetilde"}:
            text = f"\\{accent}{{{text}}}"
    return text


def decorated(name: s.Name) -> bool:
    """Whether a name carries something that may number copies: an index, a prime, a tilde."""
    return bool(
        name.subscripts or name.indices or name.primes or set(name.accents) & {"tilde", "widetilde"}
    )


def head_stem(head: s.Name) -> str:
    """A density's head without its parameters: ``q_\\phi`` is ``q``, ``q_1`` and
    ``p_{\\text{data}}`` keep their subscripts.
    """
    kept = [
        spell(part)
        for part in head.subscripts
        if isinstance(part, s.Number | s.Words) or (isinstance(part, s.Name) and part.style)
    ]
    return stem(head) + (f"_{{{','.join(kept)}}}" if kept else "")


def is_density_head(node: s.Node, survey: Survey | None = None) -> bool:
    """Whether a name is one of the letters kept for densities and mass functions."""
    if not isinstance(node, s.Name):
        return False
    if survey is not None and spell(node) in survey.declared_heads:
        return True
    if node.base not in DENSITY_LETTERS:
        return False
    if (
        node.style not in {"", "bb", "cal", "rm"}
        or (node.style == "cal" and node.base in {"P", "Q", "R"})
        or node.indices
    ):
        return False
    if survey is not None and stem(node) in survey.vectors:
        return False
    if survey is not None and spell(node) in survey.not_densities:
        return False
    return not (node.style == "bb" and node.base != "P")


def subscripted_variable(head: s.Name, left: list[s.Node], found: Survey) -> s.Name | None:
    """The z of ``p_z(f(x))``: the variable of a density at an expression is its subscript."""
    if len(left) != 1 or isinstance(left[0], s.Name | s.Relation) or len(head.subscripts) != 1:
        return None
    (part,) = head.subscripts
    if not isinstance(part, s.Name) or part.style or is_parameter(part) or len(part.base) > 1:
        return None
    lower = part.base.lower()
    return replace(part, base=lower) if lower in found.bare else part


def is_density_call(node: s.Node, survey: Survey | None = None) -> bool:
    """Whether a call is a density at a point: ``p(x | z)``, ``g(x | y)``; not ``\\pi(3)`` or ``H(x
    | y)``.
    """
    if not isinstance(node, s.Call) or not isinstance(node.head, s.Name) or family(node.head):
        return False
    if node.head.base in {"P", "Q", "R"} and all(
        is_parameter(item) for group in node.groups for item in group
    ):
        return False  # Q(θ | θ_t) of the EM algorithm is a function of parameters
    if is_density_head(node.head, survey):
        return (
            node.head.base not in {"pi", "rho"}
            or bool(node.separators)
            or (all(isinstance(item, s.Name) for group in node.groups for item in group))
        )
    small = (
        len(node.head.base) == 1
        and node.head.base.islower()
        and node.head.base not in "dh"
        and not node.head.style
    )
    return small and node.separators[:1] == ("|",) and "||" not in node.separators


def is_event(node: s.Node) -> TypeGuard[s.Relation]:
    r"""Whether an argument of a density is an event, as in ``P(X \geq a)``, and no value."""
    if not isinstance(node, s.Relation):
        return False
    return node.symbol in {"<", "<=", ">", ">="} or (
        node.symbol in {"=", "!="} and not isinstance(node.left, s.Name)
    )


def survey(trees: list[s.Node], given: int = 0) -> Survey:
    """Look at every use in ``trees``, of which the first ``given`` are hypotheses."""
    found = Survey()
    for tree in trees[:given]:
        found.iid |= _said_to_be_copies(tree)
    calls: list[s.Call] = []
    informed: list[s.Call] = []
    _numbers_called_densities(trees, found)
    for tree in trees:
        if (
            isinstance(tree, s.Chain)
            and isinstance(tree.left, s.Words)
            and _DENSITY_WORDS.search(tree.left.text)
        ):
            found.declared_heads |= set(re.findall(r"(\\?[A-Za-z]+)\s*\([^()]*\)", tree.left.text))
            found.declared_heads |= set(
                re.findall(r"^\s*([A-Za-z])\s+(?:is|are|normali)", tree.left.text)
            )
        if (
            isinstance(tree, s.Chain)
            and isinstance(tree.left, s.Call | s.Name)
            and _DENSITY_WORDS.search(tree.words)
        ):
            head = tree.left.head if isinstance(tree.left, s.Call) else tree.left
            found.declared_heads.add(spell(head))
    for tree in trees:
        for node in walk(tree):
            if isinstance(node, s.Call) and is_density_call(node, found):
                calls.append(node)
            if isinstance(node, s.Name) and is_parameter(node):
                found.parameters.setdefault(spell(node), node)
            if isinstance(node, s.Call) and _informs(node):
                informed.append(node)
            if isinstance(node, s.Call) and isinstance(node.head, s.Name):
                found.called.add(spell(node.head))
            if (
                isinstance(node, s.Call)
                and isinstance(node.head, s.Power)
                and isinstance(node.head.base, s.Name)
                and node.head.base.base in FUNCTION_LETTERS
                and spell(node.head.exponent) == "-1"
            ):
                found.called.add(spell(node.head.base))
            if isinstance(node, s.BigOperator) and node.upper is not None:
                _hint_indices(node, found)
        _collect_bare(tree, found)
    called = {stem(call.head) for call in calls if isinstance(call.head, s.Name)}
    found.vectors = {
        name: limit
        for name, limit in found.index_hints.items()
        if name in DENSITY_LETTERS - {"pi", "rho"} and name not in called
    }
    _separate(calls, found)
    _separate(informed, found)
    _measures(calls, found)
    for tree in trees:
        _same_space(tree, calls, found)
    for call in calls:
        _sign(call, found)
    for call in calls:
        for name in _in_events(call):  # P(|X - \mu| \geq a)
            if name.base.isupper() and name.base.lower() not in found.random:
                found.random.setdefault(found.slot(name), None)
    _priors(calls, found)
    _data_beside_model(trees, found)
    for tree in trees:
        _drawn(tree, found)
        for node in walk(tree):
            match node:
                case s.Call() if (
                    "||" in node.separators
                    or is_divergence(node.head)
                    or (isinstance(node.head, s.Name) and node.head.base in ENTROPIES)
                ):
                    found.bare_heads |= {
                        spell(item)
                        for group in node.groups
                        for item in group
                        if is_density_head(item)
                    }
                case s.Sampling():
                    if node.distribution is not None and is_density_head(node.distribution):
                        found.bare_heads.add(spell(node.distribution))
                    for variable in node.variables:
                        if isinstance(variable, s.Name):
                            found.random.setdefault(found.slot(variable), None)
                    target = node.distribution
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
                            found.family_functions.add(spell(head))
                    if len(node.groups) == 1:
                        continue
                    for item in node.groups[0]:
                        if isinstance(item, s.Name):
                            found.random.setdefault(found.slot(item), None)
    return found


def _numbers_called_densities(trees: list[s.Node], found: Survey) -> None:
    r"""``\mathrm{Bern}(p)``: a letter of a density that is a family's parameter is a number."""
    parameters: set[str] = set()
    densities: set[str] = set()
    for tree in trees:
        for node in walk(tree):
            if not isinstance(node, s.Call) or not isinstance(node.head, s.Name):
                continue
            items = [item for group in node.groups for item in group]
            if family(node.head):
                parameters |= {spell(item) for item in node.groups[-1] if is_density_head(item)}
            elif all(isinstance(item, s.Name | s.Relation) for item in items):
                densities.add(spell(node.head))
    found.not_densities |= parameters - densities


def _informs(call: s.Call) -> bool:
    """Whether a call is an entropy or an information of variables."""
    return isinstance(call.head, s.Name) and call.head.base in {"H", "h", "I", "MI"}


def _hint_indices(node: s.BigOperator, found: Survey) -> None:
    names = {spell(index) for index in node.indices}
    for inner in walk(node.body):
        if isinstance(inner, s.Name) and inner.subscripts and spell(inner.subscripts[-1]) in names:
            whole = replace(inner, subscripts=inner.subscripts[:-1])
            found.index_hints.setdefault(spell(whole), node.upper)  # type: ignore[arg-type]


def _collect_bare(node: s.Node, found: Survey) -> None:
    from vaedocs.derivation.spelling import children

    if isinstance(node, s.Call):
        power = isinstance(node.head, s.Power) and isinstance(node.head.base, s.Name)
        if not isinstance(node.head, s.Name) and not power:
            _collect_bare(node.head, found)
        for group in node.groups:
            for item in group:
                _collect_bare(item, found)
        return
    if isinstance(node, s.Name):
        found.bare.add(spell(node))
        found.uses[spell(node)] += 1
        return
    for child in children(node):
        _collect_bare(child, found)


def arguments(call: s.Call) -> tuple[list[s.Node], list[s.Node], list[s.Node]]:
    """Left of the bar, right of it, and behind a semicolon. A slash between two names, ``p(x /
    z)``, is read as the bar.
    """
    left = list(call.groups[0])
    right: list[s.Node] = []
    parameters: list[s.Node] = []
    for separator, group in zip(call.separators, call.groups[1:], strict=True):
        (right if separator == "|" else parameters).extend(group)
    only = left[0] if len(left) == 1 and not call.separators else None
    if isinstance(only, s.Product) and only.operators == ("slash",):
        left, right = [only.factors[0]], [only.factors[1]]
    return left, right, parameters


def _separate(calls: list[s.Call], found: Survey) -> None:
    """Find the stems whose decorated forms meet in one density: x_t and x_{t-1}, z_1 and z_2,
    x_{1:T}.
    """
    for call in calls:
        left, right, parameters = arguments(call)
        if isinstance(call.head, s.Name) and call.head.base in {"I", "MI"}:
            right = [*right, *parameters]
        seen: dict[str, set[str]] = defaultdict(set)
        for item in (*left, *right):
            if isinstance(item, s.Relation):
                item = item.left
            if isinstance(item, s.Range) and isinstance(item.start, s.Name):
                item = replace(item.start, subscripts=(item,), indices=())
            if not isinstance(item, s.Name):
                continue
            base = stem_of_variable(item)
            if found.iid & {base, ""}:
                continue  # x_1, …, x_N are copies of one x
            if not decorated(item):
                found.plain.add(base)
            seen[base].add(spell(item))
            if any(isinstance(part, s.Range) for part in item.subscripts):
                found.separate.add(base)
        for base, forms in seen.items():
            if len(forms) > 1:
                found.separate.add(base)


def _same_space(tree: s.Node, calls: list[s.Call], found: Survey) -> None:
    r"""The a of Dirac's ``\delta(x - a)`` is a value of x, also in p(a)."""
    for node in walk(tree):
        if not isinstance(node, s.Call) or spell(node.head) != r"\delta":
            continue
        items = [item for group in node.groups for item in group]
        terms = items[0].terms if len(items) == 1 and isinstance(items[0], s.Sum) else ()
        names = [term for _, term in terms if isinstance(term, s.Name)]
        if [sign for sign, _ in terms] != [1, -1] or len(names) != 2 or any(map(decorated, names)):
            continue
        first, second = (stem_of_variable(name) for name in names)
        seen = [{spell(n) for n in walk(call) if isinstance(n, s.Name)} for call in calls]
        if first != second and not any({first, second} <= inside for inside in seen):
            found.same[second] = first


def has_parameter(node: s.Node) -> bool:
    r"""Whether a density is written with a parameter: ``p_\theta``, ``p(x; \theta)``."""
    head = node.head if isinstance(node, s.Call) else node
    items = [item for group in node.groups for item in group] if isinstance(node, s.Call) else []
    parts = head.subscripts if isinstance(head, s.Name) else ()
    return any(map(is_parameter, (*parts, *items)))


def _data_beside_model(trees: list[s.Node], found: Survey) -> None:
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
            items = [item for group in node.groups for item in group]
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


IID = re.compile(r"\bi\.?\s?i\.?\s?d\b|\bindependent and identically")


def _said_to_be_copies(tree: s.Node) -> set[str]:
    r"""The x of ``x_1, \dots, x_N i.i.d.`` and of ``p(x_1, \dots, x_N) = \prod_i p(x_i)``."""
    if not isinstance(tree, s.Chain) or tree.left is None:
        return set()
    left = tree.left
    if isinstance(left, s.Words):
        return {""} if IID.search(left.text) else set()
    product = (
        isinstance(left, s.Call)
        and len(tree.links) == 1
        and isinstance(tree.links[0].right, s.BigOperator)
        and tree.links[0].right.name == "prod"
    )
    if not (product or IID.search(tree.words) or any(IID.search(k.hint) for k in tree.links)):
        return set()
    items = [item for group in left.groups for item in group] if isinstance(left, s.Call) else []
    if product and not all(isinstance(item, s.Range) for item in items):
        return set()  # given θ: the copies are independent in another model, p(θ, x_1, …)
    names = [node for node in walk(left) if isinstance(node, s.Name) and decorated(node)]
    return {stem_of_variable(name) for name in names} or {""}


def _drawn(tree: s.Node, found: Survey) -> None:
    r"""The z of ``z \sim \mathcal{N}(0, I)`` is random."""
    if not isinstance(tree, s.Chain) or not tree.links or tree.links[0].symbol != "~":
        return
    left = tree.left
    items = left.items if isinstance(left, s.Sequence | s.Conditioned) else (left,)
    for item in items:
        if isinstance(item, s.Name):
            found.random.setdefault(found.slot(item), None)


def _priors(calls: list[s.Call], found: Survey) -> None:
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
        free = {slot for slot, written in alone.items() if not written} & causes
        # p(x) of data beside p_\theta(x | z) is the evidence, written without care.
        hidden = {slot for slot in free if slot[:1].lower() not in {"x", "y"}}
        found.priors[head] = free & latent if latent else hidden


def _in_events(call: s.Call) -> Iterator[s.Name]:
    """The single letters in the events of ``P(X > a)``."""
    for item in arguments(call)[0]:
        for name in walk(item) if is_event(item) else ():
            if isinstance(name, s.Name) and len(name.base) == 1:
                yield name


def _measures(calls: list[s.Call], found: Survey) -> None:
    r"""``P(X > a)`` and ``P(X = x)`` speak of the density p, unless P(x) is a density itself."""
    plain: set[str] = set()
    for call in calls:
        assert isinstance(call.head, s.Name)
        if call.head.base in {"P", "Pr"}:
            values = [item for item in arguments(call)[0] if not isinstance(item, s.Relation)]
            (plain if values else found.measures).add(head_stem(call.head))
    found.measures -= plain


def _sign(call: s.Call, found: Survey) -> None:
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
        return tuple(made)

    head = head_stem(call.head)
    head = "p" if head in found.measures else head
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
