"""What a display may assume: shapes, domains, models, families, definitions.

A :class:`Theory` is made from the hypotheses of a display (``given``) and from the standard reading
where they are silent: one joint model p over all variables named; q any normalised density over its
variables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from sympy import Expr, Symbol

Shape = tuple[Expr, ...]  # () a number, (n,) a column vector, (n, m) a matrix
DensityKey = tuple[str, frozenset[str], frozenset[str]]  # head, slots, condition slots

Bound = Literal["<", "<=", ">", ">="]
Independence = tuple[str, frozenset[str], frozenset[str], frozenset[str]]  # see Theory


@dataclass(frozen=True)
class Variable:
    """A random variable: its ``symbol`` (whose name is the slot's), ``shape``, whether it is
    ``discrete``, and its ``values`` where declared ({0, 1}).
    """

    symbol: Symbol
    shape: Shape = ()
    discrete: bool = False
    values: tuple[Expr, ...] = ()
    low: Expr | None = None  # a scalar's interval, where declared
    high: Expr | None = None


@dataclass(frozen=True)
class FunctionInfo:
    """An unknown function: the ``shape`` of its value, ``positive`` or ``nonnegative`` values,
    ``convex``/``concave``, ``invertible`` (a smooth bijection), ``increasing``, and ``bounds`` of
    all values, ``("<=", M)``.
    """

    name: str
    shape: Shape = ()
    positive: bool = False
    nonnegative: bool = False
    convex: bool = False
    concave: bool = False
    invertible: bool = False
    increasing: bool = False
    symmetric: bool = False  # k(x, y) = k(y, x)
    kernel: bool = False  # symmetric and positive semidefinite
    many_to_one: bool = False  # takes few values, so that a function of X may tell less than X
    unit: bool = False  # values in [0, 1]
    spd: bool = False  # values are symmetric positive definite matrices
    simplex: bool = False  # values are probabilities that add up to 1
    bounds: tuple[tuple[Bound, Expr], ...] = ()
    bit: bool = False  # whether a place lies in a set: values in {0, 1}
    fading: bool = False  # vanishes far out
    values_of: str = ""  # the variable whose values it takes, k^*(x) of a label


@dataclass(frozen=True)
class Fact:
    """A relation to be used or respected: ``left relation right``; ``text`` is the author's,
    ``name`` is how a report calls it.
    """

    relation: str
    left: Expr
    right: Expr
    name: str
    text: str = ""


@dataclass(frozen=True)
class Family:
    """A declared density with a formula: ``p(x | z) = Normal(x, f(z), c I)``, written in the slots'
    own symbols.
    """

    key: DensityKey
    formula: Expr
    text: str = ""


@dataclass
class Theory:
    """All that holds before the first row.

    ``models`` maps a density's head to the slots of its joint (sorted names); ``parameters`` a head
    to the symbols it depends on (θ, φ), where a display differentiates in them or compares two
    values; ``fixed`` are the marginals of a head that no parameter enters, the prior p(z) beside
    p_θ(x | z); ``independences`` are ``(head, slots, kept, dropped)``: p(slots | kept, dropped) =
    p(slots | kept); ``domains`` tags a symbol: ``positive``, ``nonnegative``, ``integer``, ``unit``
    (in [0, 1]), ``spd``, ``psd``, ``symmetric``, ``orthonormal`` (columns), ``orthogonal``,
    ``invertible``, ``diagonal``, ``simplex``.
    """

    symbols: dict[str, Symbol] = field(default_factory=dict)
    shapes: dict[Symbol, Shape] = field(default_factory=dict)
    domains: dict[Symbol, frozenset[str]] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    models: dict[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: dict[str, tuple[Symbol, ...]] = field(default_factory=dict)
    versions: dict[str, tuple[str, str]] = field(default_factory=dict)  # p_θ': p_θ, θ'
    chosen: dict[str, DensityKey] = field(default_factory=dict)  # what an optimum is taken over
    fixed: set[tuple[str, frozenset[str]]] = field(default_factory=set)  # see below
    families: dict[DensityKey, Family] = field(default_factory=dict)
    density_definitions: dict[DensityKey, Fact] = field(default_factory=dict)
    sampled: dict[str, Expr] = field(default_factory=dict)  # z: q(z), where z_k \sim q(z)
    independences: list[Independence] = field(default_factory=list)
    definitions: dict[Symbol, Fact] = field(default_factory=dict)
    functions: dict[str, FunctionInfo] = field(default_factory=dict)
    constraints: list[Fact] = field(default_factory=list)
    varying: dict[str, tuple[Symbol, ...]] = field(default_factory=dict)  # ∝, const: in what
    free_of: dict[Symbol, tuple[Symbol, ...]] = field(default_factory=dict)  # Z: not of these
    assumed: list[str] = field(default_factory=list)  # every hypothesis, as a reader should see it

    def tags(self, symbol: Symbol) -> frozenset[str]:
        """The domain tags of a symbol."""
        return self.domains.get(symbol, frozenset())

    def add_tags(self, symbol: Symbol, *tags: str) -> None:
        """Declare more about a symbol's domain."""
        self.domains[symbol] = self.tags(symbol) | set(tags)

    def without_parameters(self, head: str, slots: Iterable[str]) -> bool:
        """Whether the density of these slots is one that no parameter enters."""
        return any(owner == head and set(slots) <= group for owner, group in self.fixed)

    def follows(self, key: DensityKey) -> bool:
        """Whether a density follows from the declared formulas of its head: what it speaks of can
        be reached from them, and what it is a density of is itself declared.
        """
        head, slots, given = key
        declared = [k for k in (*self.families, *self.density_definitions) if k[0] == head]
        made = frozenset[str]().union(*(k[1] for k in declared))
        reached = frozenset[str]().union(*(k[2] for k in declared)) - made
        for _ in declared:
            for k in declared:
                reached |= k[1] if k[2] <= reached else frozenset()
        return slots <= made and slots | given <= reached
