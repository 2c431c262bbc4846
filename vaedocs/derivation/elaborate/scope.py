"""What the parts of the elaborator share: the scope, complaints with their place, symbols and
shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Expr, Integer, Symbol, oo

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.shapes import ShapeMismatch, describe, shape
from vaedocs.derivation.spelling import names_in, spell
from vaedocs.derivation.theory import DensityKey, Shape, Theory, Variable

CONST = Symbol(r"\text{const}", real=True)


class Mismatch(NotCheckable):
    """Readable, but wrong before any number is put in: shapes or spaces that do not fit."""

    method = "shapes"
    counterexample: dict[str, Any] | None = None


@dataclass(frozen=True)
class Macro:
    """A definition: ``parameters`` as the author wrote them (none: a plain name) and the body's
    syntax.
    """

    parameters: tuple[s.Node, ...]
    body: s.Node
    literal: str  # the spelling of the whole left side
    text: str = ""
    name: s.Name | None = None  # of ``w_k := …``: what is defined, for every k


@dataclass
class Claimed:
    """A claim found in a brace: ``left relation right``, and where."""

    relation: str
    left: Expr
    right: Expr
    span: s.Span
    defines: Symbol | None = None


class NeedsInteger(Exception):
    """A limit (K, T) has to be made concrete before the display can be read."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NeedsShape(Exception):
    """A vector whose size was a guess has the one that its place asks for: read all again."""

    def __init__(self, name: str, shape: Shape) -> None:
        super().__init__(name)
        self.name, self.shape = name, shape


@dataclass
class Scope:
    """What the elaborator shares between hypotheses and rows."""

    theory: Theory
    survey: look.Survey
    macros: dict[str, list[Macro]] = field(default_factory=dict)
    declared_shapes: dict[str, Shape] = field(default_factory=dict)
    declared_tags: dict[str, set[str]] = field(default_factory=dict)
    aliases: dict[str, Macro] = field(default_factory=dict)  # q_x(z) read as q(z | x)
    integers: dict[str, int] = field(default_factory=dict)  # K = 2 while a general K is tried out
    unrolled: set[str] = field(default_factory=set)  # limits that had to be made concrete
    differentiated: set[str] = field(default_factory=set)
    transforms: dict[str, Macro] = field(default_factory=dict)  # z = g(ε), both random
    branches: dict[DensityKey, dict[Any, Expr]] = field(default_factory=dict)  # p(x | y = 1) = …
    noise: dict[str, str] = field(default_factory=dict)  # of z = x + ε: which is the noise, ε
    loose: set[str] = field(default_factory=set)  # x_t of a display where no sum binds t
    determined: set[str] = field(default_factory=set)  # constants that normalise a density
    valued: set[str] = field(default_factory=set)  # functions whose set of values is declared
    impossible: list[s.Node] = field(default_factory=list)  # A \\cap B of disjoint events
    sequences: bool = False  # whether the display has a range or a sum, x_{1:T}
    copies: set[str] = field(default_factory=set)  # stems of vectors numbered by an index, μ_k
    numbered: set[str] = field(default_factory=set)  # stems met under a bound index, β_s
    known_numbered: set[str] = field(default_factory=set)  # … when the display was read before
    guesses: dict[str, Shape] = field(default_factory=dict)  # of letters that nobody declared
    defining: list[tuple[str, ...]] = field(default_factory=list)  # names being looked up

    def know_whole(self, macro: Macro | None) -> None:
        """Enter a matrix whose entries were defined, if it is spoken of and nothing else said."""
        if macro is None or macro.literal not in self.survey.bare:
            return
        if "integer" not in self.declared_tags.get(macro.literal, set()):
            self.macros.setdefault(macro.literal, [macro])


class Base:
    """One source text, the scope it is read in, and what every part of the elaborator needs."""

    _value_size: Expr | None = None

    def __init__(self, scope: Scope, source: str) -> None:
        self.scope = scope
        self.theory = scope.theory
        self.source = source
        self.indices: dict[str, Expr] = {}  # bound indices in scope
        self.claims: list[Claimed] = []
        self.flown: frozenset[str] = frozenset()  # the z of a flow over whose z_0 a mean is
        self.under: tuple[Expr, ...] = ()  # what the innermost mean averages over
        self.held: frozenset[str] = frozenset()  # variables that a binder above binds

    def refuse(self, node: s.Node, message: str, hint: str = "") -> NotCheckable:
        """The error to raise for ``node``."""
        return NotCheckable(message, self.source, *node.span, hint=hint)

    def mismatch(self, node: s.Node, message: str, hint: str = "") -> Mismatch:
        """The error for something that cannot be right, whatever the numbers."""
        return Mismatch(message, self.source, *node.span, hint=hint)

    @contextmanager
    def holding(self, *slots: str) -> Iterator[None]:
        """Below, these variables are bound: they do not stand for what they are made of."""
        outer = self.held
        self.held = outer | set(slots)
        try:
            yield
        finally:
            self.held = outer

    @contextmanager
    def counting(self, values: Mapping[str, Expr]) -> Iterator[None]:
        """Below, these indices have these values."""
        outer = self.indices
        self.indices = {**outer, **values}
        try:
            yield
        finally:
            self.indices = outer

    def made_of(self, slot: str) -> Expr | None:
        """What a free variable is made of, where ``z = g(\\epsilon)`` is given; else None."""
        made = self.scope.transforms.get(slot)
        if made is None or slot in self.held or self.beside_its_noise(slot):
            return None
        with self.holding(slot):
            return self.expression(made.body)

    def beside_its_noise(self, slot: str) -> bool:
        r"""Whether z = x + ε is a value of its own: p(z) is spoken of, and the noise is not."""
        noise, survey = self.scope.noise.get(slot), self.scope.survey
        if noise is None:
            return False
        names = (n for tree in survey.display for n in names_in(tree))
        known = {name for uses in survey.signatures.values() for one in uses for name in one.left}
        known |= {name for uses in survey.signatures.values() for one in uses for name in one.right}
        return slot in known and noise not in map(survey.slot, names)

    def guessed(self, expr: Expr) -> bool:
        """Whether this is a letter in R^d, where the author never wrote a d."""
        d = self.theory.symbols.get("d")
        made = shape(expr, self.theory) if isinstance(expr, Symbol) else ()
        if made and self.scope.guesses.get(str(expr)) == made:
            return True
        return made == (d,) and d is not None and "d" not in self.scope.survey.bare

    @contextmanager
    def shapes_at(self, node: s.Node) -> Iterator[None]:
        """Place a shape error at ``node``."""
        try:
            yield
        except ShapeMismatch as error:
            sizes = {str(d) for made in self.scope.declared_shapes.values() for d in made}
            made = {name for name, size in self.scope.declared_shapes.items() if size}
            if twofold := sizes & (self.scope.macros.keys() | made):
                message = f"{min(twofold)} is a size, and a quantity too"
                raise self.refuse(node, message, "use two letters") from None
            raise self.mismatch(node, str(error)) from None

    def symbol(self, name: str, base: str = "") -> Symbol:
        """The symbol called ``name``; ``base`` is its stem, under which shapes may be declared for
        all indices.
        """
        found = self.theory.symbols.get(name)
        if found is not None:
            return found
        declared = self.scope.declared_shapes
        made_shape = declared.get(name, declared.get(base + "_", ()))
        tags = self.scope.declared_tags.get(name, set()) | self.scope.declared_tags.get(
            base + "_", set()
        )
        tags = tags | {f"entries {t}" for t in self.scope.declared_tags.get(base + "__", ())}
        if name in self.scope.survey.vectors:
            tags = tags | {"simplex", "positive"}
        if base in {r"\sigma", r"\tau"} or name in {r"\sigma", r"\tau"}:
            tags = tags | {"positive"}
        assumptions: dict[str, bool] = {"real": True}
        if made_shape:
            assumptions = {"commutative": False}
        elif "integer" in tags:
            assumptions = {"integer": True, "positive": True}
        elif "whole" in tags:
            assumptions = {"integer": True}
            if "nonnegative" in tags:
                assumptions["nonnegative"] = True
        elif "positive" in tags:
            assumptions = {"positive": True}
        elif "nonnegative" in tags:
            assumptions = {"nonnegative": True}
        symbol = Symbol(name, **assumptions)
        self.theory.symbols[name] = symbol
        if made_shape:
            self.theory.shapes[symbol] = made_shape
        if tags:
            self.theory.add_tags(symbol, *tags)
        return symbol

    def dimension(self, node: s.Node) -> Expr:
        """A size: a number or a positive integer symbol."""
        if isinstance(node, s.Name):
            name = spell(node)
            if name in self.scope.integers:
                return Integer(self.scope.integers[name])
            # A D met before, in 1 / D, keeps its symbol until all is read again.
            self.scope.declared_tags.setdefault(name, set()).add("integer")
            return self.symbol(name)
        return self.scalar(node)

    def size_of_set(self, node: s.Name) -> Symbol:
        r"""How many members ``\mathcal{D}`` has."""
        name = f"|{spell(node)}|"
        self.scope.declared_tags.setdefault(name, set()).add("integer")
        return self.symbol(name)

    def variable(self, slot: str) -> Variable:
        """The random variable of a slot, made when it is first asked for."""
        if slot not in self.theory.variables:
            symbol = self.symbol(slot, slot.split("_")[0].split("^")[0])
            made = Variable(symbol, self.theory.shapes.get(symbol, ()))
            if symbol.is_positive and not symbol.is_integer:  # the \sigma of p(x \mid \sigma)
                made = replace(made, low=Integer(0), high=oo)
            self.theory.variables[slot] = made
        return self.theory.variables[slot]

    def set_shape(self, symbol: Symbol, new: Shape) -> Symbol:
        """Give a symbol the shape that its use shows, and return the symbol to use from now on."""
        if self.theory.shapes.get(symbol, ()) == new:
            return symbol
        name = symbol.name
        self.scope.declared_shapes[name] = new
        self.theory.symbols.pop(name, None)
        self.theory.shapes.pop(symbol, None)
        made = self.symbol(name, name)
        self.theory.shapes[made] = new
        self.theory.add_tags(made, *self.theory.domains.pop(symbol, frozenset()))
        for slot, variable in self.theory.variables.items():
            if variable.symbol == symbol:
                self.theory.variables[slot] = replace(variable, symbol=made, shape=new)
        return made

    def scalar(self, node: s.Node) -> Expr:
        """A number-valued expression."""
        made = self.expression(node)
        if shape(made, self.theory):
            raise self.mismatch(
                node, f"a number is needed here, this is {describe(shape(made, self.theory))}"
            )
        return made

    def expression(self, node: s.Node) -> Expr:
        """The meaning of any expression."""
        method: Callable[[s.Node], Expr] | None = getattr(
            self, "_" + type(node).__name__.lower(), None
        )
        if method is None:
            if isinstance(node, s.Relation):
                raise self.refuse(
                    node,
                    "a relation stands where a value is needed",
                    "the probability of an event is written P(x > a), or as an integral",
                )
            if isinstance(node, s.Limit):
                raise self.refuse(
                    node,
                    "limits are not in the language",
                    "state an equation or an inequality that holds at every value",
                )
            raise self.refuse(
                node,
                f"a {type(node).__name__.lower()} has no meaning here",
                "write a number, a name or a formula",
            )
        return method(node)

    def shape(self, expr: Expr) -> Shape:
        """The shape of an expression in this theory."""
        return shape(expr, self.theory)

    @contextmanager
    def sized(self, target: Shape | None) -> Iterator[None]:
        """Give a bare ``I`` the size of what it stands beside."""
        outer = self._value_size
        if target and len(target) == 2 and target[0] == target[1]:
            self._value_size = target[0]
        try:
            yield
        finally:
            self._value_size = outer

    def refresh(self, bound: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
        return tuple(
            self.theory.symbols.get(v.name, v) if isinstance(v, Symbol) else v for v in bound
        )

    def refreshed(self, made: Expr) -> Expr:
        """The expression with symbols whose shape has become known meanwhile."""
        changes = {
            v: self.theory.symbols[v.name]
            for v in made.free_symbols
            if self.theory.symbols.get(v.name, v) != v
        }
        return made.xreplace(changes) if changes else made

    # -- what later parts define, and earlier parts already use
    # --------------------------------------

    def distribution(
        self, node: s.Node, like: tuple[Expr, ...] = ()
    ) -> tuple[Expr, tuple[Symbol, ...]]:
        """A density and the variables it is a density of."""
        raise NotImplementedError

    # the variables that a name or a list of names stands for
    expand: Callable[[s.Node], list[s.Name]]
    # all pieces of a range with concrete ends
    pieces: Callable[[s.Range], list[s.Node]]
    # the same behind a term or factor
    pieces_behind: Callable[[s.Node | None, s.Range], list[s.Node]]
    # the slot that a name fills
    slot: Callable[[s.Name], str]
    # the name with known integers in its subscripts
    concrete: Callable[[s.Name], s.Name]
    # the probability of an event
    _probability: Callable[[s.Call], Expr]
    # the free names of an expression, and instead of a defined one those it is made of
    _looked_through: Callable[[s.Node], Iterator[s.Name]]
    # the Jensen-Shannon divergence, or the total variation
    _symmetric_divergence: Callable[[str, tuple[s.Node, ...]], Expr]
    # 1 where a comparison holds, else 0
    indicator: Callable[[s.Relation], Expr]
    # the last of the indices of a sum without a limit
    last: Callable[[s.BigOperator], s.Node]
    # 1 where what has these names lies in a set, at these values, else 0
    within: Callable[[s.Node, tuple[s.Node, ...], tuple[Expr, ...]], Expr]
    # an indicator with a comparison behind or below it; None for anything else
    indicated: Callable[[s.Name, tuple[s.Node, ...]], Expr | None]
    # head and argument of a call that is a product, a(b + c); None for a function
    call_as_product: Callable[[s.Call], tuple[Expr, Expr] | None]
