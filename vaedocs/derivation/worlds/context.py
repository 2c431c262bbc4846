"""What one comparison talks about: names, spaces, heads, functions, and which kind of world can
hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, Integer, Symbol, Tuple, log

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.theory import Fact, Shape
from vaedocs.derivation.worlds.labels import labels
from vaedocs.derivation.worlds.sight import Sight, base_name

Pin = tuple[str, tuple[Expr, ...], Expr]  # a function, a place, its value there


@dataclass(frozen=True)
class Factor:
    """One factor of a joint: ``slots`` given ``conditions``, with a declared ``formula`` (in
    ``symbols``, slot to name) or free."""

    slots: tuple[str, ...]
    conditions: tuple[str, ...]
    formula: Expr | None = None
    symbols: tuple[tuple[str, str], ...] = ()


class Context(Sight):
    """The analysis of ``left``, ``right`` and all that ``theory`` says about what they mention."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for e in self.expressions:
            self.visit(e)
        found = [self.pin(fact) for fact in self.theory.constraints]
        self.pins = [pin for pin in found if pin is not None]
        self.keep_constraints()
        self.functions_of: dict[str, list[tuple[str, frozenset[str], frozenset[str]]]] = {}
        for key in self.settled():
            self.functions_of.setdefault(key[0], []).append(key)
        optima = [e for e in self._seen if isinstance(e, ex.Extremum)]
        bound = {v.name for e in optima for v in e.bound if isinstance(v, Symbol)}
        self.fading |= {name for name, info in self.functions.items() if info.fading}
        self.chosen = bound & {*self.heads, *self.functions} - {*self.slot_of}  # of all there are
        self.labels = labels(self)
        self.join_versions()
        self.order: dict[str, list[Factor]] = {}
        for head in self.heads:
            self.order[head] = self.factors(head)
        self._told.clear()  # what was asked before all was seen
        self._members.clear()

    def keep_constraints(self) -> None:
        """The constraints that speak of something met here, and those that speak of these, and so
        on."""
        waiting = list(self.theory.constraints)
        changed = True
        while changed:
            changed = False
            for fact in list(waiting):
                sides = self.unfolded(fact)
                names = {s.name for side in sides for s in side.free_symbols}
                heads = {d.head for side in sides for d in side.atoms(ex.Density)}
                functions = {a.name for side in sides for a in side.atoms(ex.Apply)}
                if self.pin(fact) is not None:
                    waiting.remove(fact)
                    continue
                about = names & set(self.symbols) or heads & set(self.heads)
                if about or (functions and functions <= set(self.functions)):
                    waiting.remove(fact)
                    self.constraints.append(fact)
                    self.visit(fact.left)
                    self.visit(fact.right)
                    changed = True

    def unfolded(self, fact: Fact) -> list[Expr]:
        """Both sides of a hypothesis, and what is defined of the names that they are."""
        sides = [fact.left, fact.right]
        for side in sides:
            if isinstance(side, Symbol) and side.name in self.definitions:
                sides.append(self.definitions[side.name].right)
        return sides

    def settled(self) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
        """The y that are functions of x, as H(y | x) = 0 says: head, y, x."""
        for fact in self.constraints:
            if fact.relation != "=" or Integer(0) not in (fact.left, fact.right):
                continue
            for side in self.unfolded(fact):
                mean = -side if isinstance(-side, ex.Expectation) else side
                inner = mean.args[0] if isinstance(mean, ex.Expectation) else None
                for log_ in inner.atoms(log) if inner is not None else ():
                    d = log_.args[0]
                    if isinstance(d, ex.Density) and inner in {log_, -log_} and d.conditions:
                        yield d.key

    def pin(self, fact: Fact) -> Pin | None:
        """The name, the place and the value of a fact like f(1) = 0."""
        for left, right in ((fact.left, fact.right), (fact.right, fact.left)):
            if fact.relation != "=" or not isinstance(left, ex.Apply) or not right.is_Rational:
                continue
            if left.is_scalar() and all(a.is_Rational for a in left.args[2]):
                return left.name, tuple(left.args[2]), right
        return None

    def join_versions(self) -> None:
        """Let the versions of a density that labels tell apart have the same variables."""
        families: dict[str, list[str]] = {}
        for head in self.heads:
            if self.version(head) is not None:
                families.setdefault(self.theory.versions[head][0], []).append(head)
        for heads in families.values():
            slots = tuple(sorted({slot for head in heads for slot in self.heads[head]}))
            self.heads.update(dict.fromkeys(heads, slots))

    def version(self, head: str) -> Symbol | None:
        """The label that tells a density of a family from the others: the θ' of p_θ'."""
        _, name = self.theory.versions.get(head, ("", ""))
        return self.symbols[name] if name in self.labels else None

    # -- asking ----------------------------------------------------------------------------------

    def expressions_seen(self) -> Iterator[Expr]:
        """Every expression inside the claim and what it rests on."""
        return (e for e in self._seen if isinstance(e, Expr))

    def shape(self, name: str) -> Shape:
        """The declared shape of a name; that of its slot where it fills one."""
        if name in self._shapes:
            return self._shapes[name]
        if name in self.slot_of or name in self.theory.variables:
            return self.variable(self.slot_of.get(name, name)).shape
        return ()

    def tags(self, name: str) -> frozenset[str]:
        """The domain tags of a name."""
        found = self._told.get(name)
        if found is None:
            found = self._told[name] = self._all_tags(name)
        return found

    def _all_tags(self, name: str) -> frozenset[str]:
        tags = self._tags.get(name, frozenset())
        symbol = self.symbols.get(name)
        if symbol is not None:  # what SymPy was told, it used
            told = (
                ("positive", symbol.is_positive),
                ("nonnegative", symbol.is_nonnegative),
                ("integer", symbol.is_integer and symbol.is_positive),
                ("whole", symbol.is_integer),
            )
            tags = tags | {tag for tag, known in told if known}
        return tags | {"unit"} if name in self.unit and "simplex" not in tags else tags

    def is_random(self, name: str) -> bool:
        """Whether a name takes its values in a space: it fills a slot of some density or is
        integrated."""
        return name in self.slot_of

    def members(self, space: str) -> list[str]:
        """The slots of one space."""
        found = self._members.get(space)
        if found is None:
            slots = {s for head in self.heads.values() for s in head} | set(self.slot_of.values())
            found = self._members[space] = sorted(s for s in slots if self.space(s) == space)
        return found

    def parameters(self) -> list[str]:
        """Names to be drawn: neither random nor defined."""
        return [n for n in self.symbols if n not in self.slot_of and n not in self.definitions]

    def labels_of(self, head: str) -> list[Symbol]:
        """The labels on which the tables of a head depend."""
        if (own := self.version(head)) is not None:
            return [own]
        return [p for p in self.theory.parameters.get(head, ()) if p.name in self.labels]

    def parameters_of(self, head: str, factor: Factor) -> tuple[Symbol, ...]:
        """On what a factor without formula depends beside its conditions."""
        if self.theory.without_parameters(head, (*factor.slots, *factor.conditions)):
            return ()
        return self.theory.parameters.get(head, ())

    # -- joints ----------------------------------------------------------------------------------

    def factors(self, head: str) -> list[Factor]:
        """An order in which the joint of ``head`` can be drawn so that declared formulas and
        independences hold."""
        slots = list(self.heads[head])
        declared: list[Factor] = []
        placed: list[str] = []
        for key, formula, pairs in self.formulas(head):
            own = [d for d in _densities(formula) if d.head == head]
            if not own:
                declared.append(
                    Factor(tuple(sorted(key[1])), tuple(sorted(key[2])), formula, pairs)
                )
                continue
            for d in _densities(formula):  # q(z) := ∫ q(z|x) p(x) dx says that q(x) is p(x)
                taken = [s for s, _ in d.values]
                conditioned = {s for o in own for s, _ in o.conditions}
                alone = d.head != head and not d.conditions and len(taken) == 1
                if alone and taken[0] in slots and taken[0] in conditioned:
                    slot, value = d.values[0]
                    declared.append(Factor((slot,), (), d, ((slot, base_name(value)),)))
        for factor in reversed(declared):  # p(x) beside p(z) and p(x | z) says nothing new
            if _follows(factor, others := [f for f in declared if f is not factor]):
                declared = others
        allowed: dict[str, set[str]] = {}  # on what a slot with a rule may depend
        needed: dict[str, set[str]] = {}  # what stands before it
        images = [
            (h, y, x, frozenset(slots) - x - y) for h, y, x in self.functions_of.get(head, ())
        ]
        for owner, group, kept, dropped in (*self.theory.independences, *images):
            for slot in group if owner == head else ():
                rule = set(kept | group)
                allowed[slot] = allowed[slot] & rule if slot in allowed else rule
                needed.setdefault(slot, set()).update((kept | dropped) & set(slots) - {slot})
        for owner, fixed in self.theory.fixed:
            for slot in fixed & set(slots) if owner == head else ():
                allowed[slot] = allowed.get(slot, set(fixed)) & fixed
                needed.setdefault(slot, set())
        mentioned = set().union(*needed.values())
        inputs = self._inputs(head, declared)
        _, best, before = self.theory.chosen.get(head, (head, (), ()))
        first = {*before} or {*best}
        result: list[Factor] = []
        rest = declared
        while len(placed) < len(slots):
            ready = [f for f in rest if set(f.conditions) <= set(placed)]
            rest = [f for f in rest if f not in ready]
            for f in ready:
                if not set(f.slots) & set(placed):
                    result.append(f)
                    placed.extend(f.slots)
            if ready:
                continue
            open_slots = [s for s in slots if s not in placed]
            promised = {s for f in rest for s in f.slots}
            wanted = [s for f in rest for s in f.conditions if s in open_slots]
            able = [s for s in (*wanted, *open_slots) if s not in promised]
            # p(x | z, y) = p(x | z): first z and y, then x given z; all that no rule speaks of
            # comes after.
            ruled = [s for s in able if s in needed and needed[s] <= set(placed)]
            fair = sorted(
                (s for s in able if s not in needed),
                key=lambda s: (s not in first, s not in mentioned),
            )
            slot = (ruled or fair or able or open_slots)[0]
            if slot in allowed:
                given = [s for s in placed if s in allowed[slot]]
            else:
                given = [
                    s for s in placed if slot not in needed.get(s, set()) - allowed.get(s, set())
                ]
            if slot in inputs:
                given = []
            near = self._together(head, slot) if slot in allowed else set()
            before, least = (frozenset(s for s in some if s in near) for some in (placed, given))
            if slot in allowed and not self._said(head, slot, before, least):
                self.narrow = "the independences given hold in more models than were tried"
            result.append(Factor((slot,), tuple(given)))
            placed.append(slot)
        return result

    def _inputs(self, head: str, declared: list[Factor]) -> set[str]:
        """The X of p(w | y, X) beside a given p(w) and p(y | w): it stands behind all bars, and
        what is given is a law of all others without it."""
        made = {s for f in declared for s in f.slots}
        own = [d for d in self._seen if isinstance(d, ex.Density) and d.head == head]
        always = set(self.heads[head]).intersection(*({s for s, _ in d.conditions} for d in own))
        return always - made if made | always == {*self.heads[head]} else set()

    def _together(self, head: str, slot: str) -> set[str]:
        """The slots that stand with this one in a density of the head, or with one that does: of
        all others, nothing is said that joins them.
        """
        keys = [d.key for d in self._seen if isinstance(d, ex.Density)]
        keys += [key for key, _, _ in self.formulas(head)]
        joints = [key[1] | key[2] for key in keys if key[0] == head]
        joints += [f[1] | f[2] | f[3] for f in self.theory.independences if f[0] == head]
        found, size = {slot}, 0
        while size < len(found):
            size = len(found)
            found |= {s for slots in joints if slots & found for s in slots}
        return found

    def _said(self, head: str, slot: str, before: frozenset[str], given: frozenset[str]) -> bool:
        """Whether p(slot | before) = p(slot | given) follows from what is given, step by step."""
        facts = [f for f in self.theory.independences if f[0] == head and slot in f[1]]
        facts += [
            (owner, slots, frozenset(), before - slots)
            for owner, slots in self.theory.fixed
            if owner == head and slot in slots
        ]
        smaller = True
        while before != given and smaller:
            smaller = False
            for _, group, kept, dropped in facts:
                stay = before & (kept | group)
                if kept <= before and before - stay <= dropped and stay < before:
                    before, smaller = stay, True
        return before == given


def _follows(factor: Factor, others: list[Factor]) -> bool:
    """Whether the others have this factor's density in theirs, which can be drawn without it."""
    names = {*factor.slots, *factor.conditions}
    larger = [f for f in others if names < {*f.slots, *f.conditions}]
    if not any(set(factor.slots) <= set(f.slots) for f in larger):
        return False
    made = {slot for f in others for slot in f.slots}
    reached = {slot for f in others for slot in f.conditions} - made
    for _ in others:
        for f in others:
            reached |= set(f.slots) if reached >= set(f.conditions) else set()
    return names <= reached


def _densities(e: Expr) -> list[ex.Density]:
    """Every density inside, those in slots included."""
    found, stack = [], [e]
    while stack:
        node = stack.pop()
        if isinstance(node, ex.Density):
            found.append(node)
        if isinstance(node, (Expr, Tuple)):
            stack.extend(node.args)
    return found
