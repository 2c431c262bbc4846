"""What one comparison mentions: every name, head and function met in it and in what is declared of
these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sympy import Add, Expr, Mul, Symbol, exp

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.theory import DensityKey, Fact, FunctionInfo, Theory, Variable

CONTINUOUS = (ex.Normal, ex.Uniform, ex.Exponential, ex.Laplace, ex.Beta, ex.Gamma)
INTEGRATING = (
    ex.Expectation,
    ex.Variance,
    ex.Covariance,
    ex.Integral,
    ex.KL,
    ex.Entropy,
    ex.CrossEntropy,
)


def base_name(variable: Any) -> str:
    """The name of a symbol, of an item's family, of a component's array."""
    while not isinstance(variable, Symbol):
        variable = variable.args[0]
    return str(variable.name)


def is_formula(e: Expr, names: set[str]) -> bool:
    """Whether these names stand in a formula of known functions alone."""
    plain = {type(part) for part in e.atoms(ex.Binder)} <= {ex.Sum, ex.Product}
    known = plain and not e.atoms(ex.Density, ex.Family, ex.Apply)
    return known and bool(names & {symbol.name for symbol in e.free_symbols})


@dataclass
class Sight:
    """What was met in ``expressions``, and in what ``theory`` says about it."""

    theory: Theory
    expressions: tuple[Expr, ...]
    slot_of: dict[str, str] = field(default_factory=dict)  # what fills a slot, or is integrated
    heads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    varying: set[str] = field(default_factory=set)  # bound, differentiated or substituted names
    symbols: dict[str, Symbol] = field(default_factory=dict)  # every symbol met
    definitions: dict[str, Fact] = field(default_factory=dict)
    functions: dict[str, FunctionInfo] = field(default_factory=dict)
    constants: dict[str, list[Expr]] = field(default_factory=dict)  # numbers that fill a slot
    unit: set[str] = field(default_factory=set)  # functions and parameters that are probabilities
    energies: dict[str, int] = field(default_factory=dict)  # E of ∫ e^{-E(x)} dx -> 1
    fading: set[str] = field(default_factory=set)  # functions that vanish far out
    families: set[str] = field(default_factory=set)  # names with items
    counting: set[str] = field(default_factory=set)  # names that count: sizes and limits of sums
    narrow: str = ""  # why fewer models are drawn than the hypotheses allow
    continuous: str = ""  # why finite spaces cannot hold it
    constraints: list[Fact] = field(default_factory=list)
    binary: dict[str, Expr] = field(default_factory=dict)  # slots with a declared discrete family
    _seen: set[Any] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.definitions = {s.name: fact for s, fact in self.theory.definitions.items()}
        self._shapes = {s.name: shape for s, shape in self.theory.shapes.items()}
        self._tags = {s.name: tags for s, tags in self.theory.domains.items()}
        self._spaces: dict[str, str] = {}
        self._told: dict[str, frozenset[str]] = {}
        self._members: dict[str, list[str]] = {}
        claims = (*self.expressions, *(fact.right for fact in self.definitions.values()))
        self.optima = any(claim.has(ex.Extremum) for claim in claims)
        for shape in self._shapes.values():
            self.count(*shape)
        for variable in self.theory.variables.values():
            if variable.discrete and variable.high is not None:  # one of 1, …, K
                self.count(variable.high)

    def count(self, *sizes: Expr) -> None:
        """Take note of names that count."""
        self.counting.update(s.name for size in sizes for s in size.free_symbols)

    def visit(self, e: Any) -> None:
        """Take note of ``e`` and of everything declared about it."""
        stack = [e]
        while stack:
            e = stack.pop()
            if e in self._seen or not hasattr(e, "args"):
                continue
            self._seen.add(e)
            if isinstance(e, Symbol):
                self.symbols.setdefault(e.name, e)
                if e.name in self.definitions:
                    stack.append(self.definitions[e.name].right)
                shape = self._shapes.get(e.name, ())
                stack.extend(shape)
                self.count(*shape)
                continue
            if isinstance(e, ex.Density):
                stack.extend(self.visit_density(e))
                stack.extend(v for _, v in (*e.values, *e.conditions))
                continue
            stack.extend(e.args)
            self.visit_node(e)
            if isinstance(e, ex.Apply):
                stack.extend(end for _, end in self.functions[e.name].bounds)

    def visit_node(self, e: Any) -> None:
        if isinstance(e, CONTINUOUS):
            self.continuous = self.continuous or f"{type(e).__name__} is continuous"
        if isinstance(e, ex.Poisson):
            self.continuous = self.continuous or "a count has no end"
        if isinstance(e, (ex.Bernoulli, ex.Categorical, ex.Binomial)):
            for a in e.args[1:]:
                if isinstance(a, (ex.Apply, Symbol)) and not isinstance(e, ex.Binomial):
                    self.unit.add(a.name)
            if isinstance(e, ex.Binomial):
                self.count(e.args[1])
                if isinstance(e.args[2], (ex.Apply, Symbol)):
                    self.unit.add(e.args[2].name)
            if isinstance(e.args[0], Symbol):
                self.slot_of.setdefault(e.args[0].name, e.args[0].name)
                self.binary.setdefault(e.args[0].name, e)
        if isinstance(e, ex.Binder):
            for v in e.bound:
                self.varying.add(base_name(v))
                if isinstance(e, INTEGRATING):
                    self.slot_of.setdefault(base_name(v), self.home(base_name(v)))
            if isinstance(e, ex.Integral) and not e.args[1]:
                self.energies.update(_energies(e))
            if isinstance(e, ex.Integral) and e.args[1]:
                self.continuous = self.continuous or "an integral has limits"
            elif isinstance(e, ex.Integral):
                self.note_formula(e.args[0], {base_name(v): base_name(v) for v in e.bound})
        if isinstance(e, ex.Sum) and e.args[2].is_infinite:
            self.continuous = self.continuous or "a sum goes on to infinity"
        if isinstance(e, (ex.Sum, ex.Product)):
            self.count(*e.args[1:3])
        if isinstance(e, ex.Stack):
            self.count(e.args[1])
        if isinstance(e, (ex.Identity, ex.Ones, ex.Zeros)):
            self.count(*e.args)
        if isinstance(e, ex.Derivative):
            self.varying.update(base_name(v) for v in e.args[2])
        if isinstance(e, ex.Evaluated):
            self.varying.update(base_name(pair[0]) for pair in e.args[1])
        if isinstance(e, ex.Item):
            self.families.add(base_name(e.args[0]))
        if isinstance(e, ex.Apply):
            known = self.theory.functions.get(e.name)
            self.functions.setdefault(e.name, known or FunctionInfo(e.name))
            if e.name.endswith("^{-1}"):
                self.continuous = self.continuous or "the inverse of a function"
            if known is not None and known.unit:
                self.unit.add(e.name)

    def home(self, name: str) -> str:
        """The slot in whose space a bound variable lies: x for x'."""
        plain = name.rstrip("'")
        return (
            plain if name not in self.theory.variables and plain in self.theory.variables else name
        )

    def visit_density(self, e: ex.Density) -> Iterator[Expr]:
        slots = set(self.heads.get(e.head, ()) or self.theory.models.get(e.head, ()))
        for slot, value in (*e.values, *e.conditions):
            slots.add(slot)
            if isinstance(value, (Symbol, ex.Item)):
                name = base_name(value)
                known = self.slot_of.get(name)
                if known is None or known == name:
                    self.slot_of[name] = slot
                if known is not None and known != slot:
                    self.join(known, slot)
                self.varying.update(n for n in (name,) if isinstance(value, ex.Item))
            elif value.is_number:
                seen = self.constants.setdefault(slot, [])
                if value not in seen:
                    seen.append(value)
        new = tuple(sorted(slots))
        first = e.head not in self.heads
        self.heads[e.head] = new
        if first:
            yield from self.theory.parameters.get(e.head, ())
            if self.optima and e.head in self.theory.versions:
                name = self.theory.versions[e.head][1]
                yield self.theory.symbols.get(name, Symbol(name))
            for key, formula, pairs in self.formulas(e.head):
                if formula.has(ex.Binder):  # what it binds is kept, and must change with these
                    self.varying.update(name for _, name in pairs)
                yield formula
                self.note_formula(formula, {n: s for s, n in pairs if s in key[1]})
                self.heads[e.head] = tuple(sorted({*self.heads[e.head], *key[1], *key[2]}))

    def note_formula(self, formula: Expr, slots: dict[str, str]) -> None:
        """A density that is a formula in numbers, or the integral of one, is about lengths, which
        points with weights have not."""
        variables = [self.variable(self.slot_of.get(slot, slot)) for slot in slots.values()]
        counted = any(v.discrete or v.values or v.symbol.is_integer for v in variables)
        counted = counted and not any(v.high is not None and v.high.is_infinite for v in variables)
        if not counted and is_formula(formula, set(slots)):
            self.continuous = self.continuous or "a formula of a number on the line"

    def formulas(self, head: str) -> Iterator[tuple[DensityKey, Expr, tuple[tuple[str, str], ...]]]:
        """Every declared formula of a head: its key, the formula, and which name stands for which
        slot."""
        for key, family in self.theory.families.items():
            if key[0] == head:
                pairs = tuple((s, self.variable(s).symbol.name) for s in sorted(key[1] | key[2]))
                yield key, family.formula, pairs
        for key, fact in self.theory.density_definitions.items():
            if key[0] == head:
                left = fact.left
                if isinstance(left, ex.Density):
                    pairs = tuple((s, base_name(v)) for s, v in (*left.values, *left.conditions))
                else:
                    pairs = tuple(
                        (s, self.variable(s).symbol.name) for s in sorted(key[1] | key[2])
                    )
                yield key, fact.right, pairs

    def variable(self, slot: str) -> Variable:
        """The declared variable of a slot, or a scalar one."""
        found = self.theory.variables.get(slot)
        if found is None:
            symbol = self.symbols.get(slot, Symbol(slot))
            found = Variable(symbol, self._shapes.get(slot, ()))
        return found

    def join(self, a: str, b: str) -> None:
        """Let two slots have the same points, since one name fills both."""
        a, b = self.space(a), self.space(b)
        if a != b:
            self._spaces[max(a, b)] = min(a, b)

    def space(self, slot: str) -> str:
        """The space that a slot shares with others."""
        while slot in self._spaces:
            slot = self._spaces[slot]
        return slot


def _energies(e: ex.Integral) -> Iterator[tuple[str, int]]:
    """The E of ∫ e^{-E(x)} dx, which must grow for the integral to exist, and with which sign."""
    if e.args[0].has(ex.Density, ex.Family):
        return
    for exponential in e.args[0].atoms(exp):
        for term in Add.make_args(exponential.args[0]):
            factor, rest = term.as_coeff_Mul()
            for inner in Mul.make_args(rest):
                if isinstance(inner, ex.Apply) and inner.free_symbols & set(e.bound):
                    yield inner.name, 1 if factor < 0 else -1
