"""Finite worlds: every random variable has a few points with base-measure weights, every head is
one table.

A density is mass divided by weight, so it may exceed 1, as densities do; a discrete variable has
weights 1.
Conditionals and marginals follow from the joint of their head. Nothing is rounded.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from sympy import Expr, Symbol
from sympy.core.relational import Relational

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Undefined
from vaedocs.derivation.worlds.context import Factor, base_name
from vaedocs.derivation.worlds.core import Thunk
from vaedocs.derivation.worlds.draw import World, convert
from vaedocs.derivation.worlds.matrices import Mat, column
from vaedocs.derivation.worlds.scales import grown

F = Fraction
JOINT = 9  # variables of one density: their cells are counted by powers of a stride
STRIDES = {1: 2_500, 2: 12, 3: 12}  # how many points a variable may have in a joint of so many
MASSES = {
    "plain": (1, 1, 2, 3, 4, 5),
    "extreme": (1, 1, 2, 30, 1000, 10**5),
    "tiny": (1, 2, 3),
    "bold": (1, 1, 3, 9, 99),
    "flat": (5, 6, 7),
    "even": (1,),
    "simple": (1, 1, 2, 3),
    "steep": (1, 4),
    "sharp": (1,),
}
WEIGHTS = {
    "plain": tuple(F(s) for s in ["1", "1/2", "2", "1/4", "3/2", "3", "1/3"]),
    "extreme": tuple(F(s) for s in ["1", "1/16", "8", "1/64", "32"]),
    "tiny": tuple(F(s) for s in ["1", "1/2", "2"]),
    "bold": tuple(F(s) for s in ["1", "1", "1/2", "1/8", "8"]),
    "flat": tuple(F(s) for s in ["1", "1/8", "8", "1/2"]),
    "even": (F(1),),
    "simple": (F(1),),
    "steep": (F(1),),
    "sharp": (F(1),),
}
SHARP = 10**6  # how much more likely one value is than the others, where the style is sharp


class FiniteWorld(World):
    """A world of tables. ``raw`` keys: ``("weight", space)``, ``("mass", head, factor,
    conditions)``, names."""

    def __init__(self, *args: Any, size: int = 2, **named: Any):
        self.size = size
        joint = max((len(slots) for slots in args[0].heads.values()), default=0)
        self.stride = STRIDES.get(max(1, joint), 6)
        if joint > JOINT:
            raise CannotEvaluate(f"a joint of {joint} variables is too large to be tried")
        self.places: set[str] = set()  # spaces whose points may move, since where they lie matters
        self.sizes_of: dict[str, int] = {}  # where a space has another number of points
        self.cells_of: dict[Any, list[Any]] = {}
        self.tables: dict[Any, dict[Any, Any]] = {}
        self.busy: set[Any] = set()
        self.spaces: dict[str, list[Any]] = {}
        self.weights: dict[str, list[Any]] = {}
        super().__init__(*args, **named)

    def renew(self) -> None:
        super().renew()
        for cell in self.cells_of.values():
            cell[:] = [None] * len(cell)
        self.tables.clear()
        self.spaces.clear()
        self.weights.clear()

    # -- spaces ------------------------------------------------------------------------------------

    def space(self, slot: str) -> list[Any]:
        """The coordinates of a slot's points."""
        name = self.context.space(slot)
        found = self.spaces.get(name)
        if found is not None:
            return found
        members = self.context.members(name) or [slot]
        points: list[Any] = []
        for member in members:
            points = self.listed_values(member) or points
        if not points:
            variable = self.context.variable(slot)
            constants = [self(c)() for m in members for c in self.context.constants.get(m, [])]
            raw = self.raw_values.get(("coordinates", name))
            if raw is None:
                rng = self.rng(("coordinates", name))
                count = max(self.sizes_of.get(name, self.size), len(constants))
                shape = self.sizes(variable.shape)
                raw, tries = [], 0
                count += count == len(constants) == 1 and name not in self.sizes_of
                while len(raw) < count:
                    tries += 1
                    value = (
                        column(self.place(rng, slot, tries) for _ in range(shape[0]))
                        if shape
                        else self.place(rng, slot, tries)
                    )
                    if value not in raw:
                        raw.append(value)
                self.raw_values[("coordinates", name)] = raw
            points = [self.inside(slot, v) for v in raw]
            points = constants + points[len(constants) :]
        if len(points) > self.stride:
            raise CannotEvaluate(
                f"the variable {slot} takes {len(points)} values, too many for a finite space"
            )
        self.spaces[name] = points
        return points

    def ends(self, slot: str) -> tuple[Expr | None, Expr | None]:
        """The finite ends of a variable's interval."""
        variable = self.context.variable(slot)
        low, high = (
            None if end is None or end.is_infinite else end for end in (variable.low, variable.high)
        )
        return low, high

    def place(self, rng: random.Random, slot: str, tries: int) -> Fraction:
        """A number for a coordinate; of an interval with an end, how far it is from there."""
        tags, told = self.context.tags(slot), self.ends(slot) != (None, None)
        inside = {"unit"} if None not in self.ends(slot) else {"positive"} if told else set()
        return F(grown(self.scale, rng, self.small_place(rng, slot, tries), tags | inside))

    def tags_of_places(self, space: str) -> set[str]:
        """What ``raw`` coordinates of a space must be: see ``inside``."""
        slots = self.context.members(space) or [space]
        tags = set().union(*(self.context.tags(slot) for slot in slots))
        if any(None not in self.ends(slot) for slot in slots):
            return {"unit"}
        return tags | ({"positive"} if any(self.ends(s) != (None, None) for s in slots) else set())

    def small_place(self, rng: random.Random, slot: str, tries: int) -> Fraction:
        """One that is easy to follow."""
        tags, ends = self.context.tags(slot), self.ends(slot)
        if self.context.variable(slot).discrete and None in ends and ends != (None, None):
            return F(rng.randint(0, 3 + tries // 2))  # it counts from its end
        if "unit" in tags or None not in ends:
            return F(rng.randint(1, 5 + tries), 6 + tries)
        if "positive" in tags or ends != (None, None):
            return F(rng.randint(1, 8 + tries), 3)
        if "nonnegative" in tags:
            return F(rng.randint(0, 8 + tries), 3)
        return F(rng.randint(-2 - tries // 9, 3 + tries // 9))

    def inside(self, slot: str, raw: Any) -> Any:
        """The coordinate that ``raw`` stands for, in the variable's own interval."""
        value = convert(raw, self.numbers.number)
        low, high = (None if end is None else self(end)() for end in self.ends(slot))
        if low is None and high is None:
            return value
        start, scale = (high, -1) if low is None else (low, 1 if high is None else high - low)
        return (
            value.map(lambda v: start + scale * v)
            if isinstance(value, Mat)
            else (start + scale * value)
        )

    def is_discrete(self, space: str) -> bool:
        """Whether densities on a space are masses."""
        return any(
            self.context.variable(s).discrete
            or self.context.variable(s).values
            or self.listed_values(s)
            for s in self.context.members(space)
        )

    def weights_of(self, slot: str) -> list[Any]:
        """The base-measure weights of a slot's points."""
        name = self.context.space(slot)
        found = self.weights.get(name)
        if found is None:
            count = len(self.space(slot))
            raw = self.raw_values.get(("weight", name))
            if raw is None:
                rng = self.rng(("weight", name))
                raw = [F(1)] * count
                if not self.is_discrete(name):
                    drawn = [rng.choice(WEIGHTS[self.style]) for _ in range(count)]
                    raw = [grown(self.scale, rng, w, {"positive"}) for w in drawn]
                self.raw_values[("weight", name)] = raw
            found = self.weights[name] = [self.numbers.number(w) for w in raw]
        return found

    def points(self, key: Any, guide: Sequence[Expr]) -> Callable[[], list[tuple[Any, Any]]]:
        name: str = key[0] if isinstance(key, tuple) else key
        slot: str = self.context.slot_of.get(name, name)
        made: dict[Any, Any] = {}
        self.memos.append(made)

        def run() -> list[tuple[Any, Any]]:
            found = made.get(0)
            if found is None:
                found = made[0] = list(enumerate(self.weights_of(slot)))
            return found

        return run

    def coordinate(self, name: str, value: Any) -> Any:
        return self.space(self.context.slot_of[name])[value]

    def points_of(self, name: str) -> list[Any]:
        return list(range(len(self.space(self.context.slot_of[name]))))

    def draw_random(self, key: Any, slot: str) -> int:
        raw = self.raw_values.get(("observed", key))
        count = len(self.space(slot))
        if raw is None:
            raw = self.raw_values[("observed", key)] = self.rng(("observed", key)).randrange(count)
        return raw % count

    # -- joints
    # --------------------------------------------------------------------------------------

    def masses(self, head: str, factor: Factor, given: tuple[int, ...], count: int) -> list[Any]:
        """The masses of one row of a free factor, normalised."""
        parameters = [
            p.name
            for p in self.context.parameters_of(head, factor)
            if p.name in self.context.varying
        ]
        key = ("mass", head, factor.slots, given)
        raw = self.raw_values.get(key)
        if raw is None or len(raw) != count:
            rng = self.rng(key)
            drawn = [F(rng.choice(MASSES[self.style])) for _ in range(count)]
            raw = [grown(self.scale, rng, m, {"positive"}) for m in drawn]
            if self.style == "sharp" and given:
                raw[sum(given) % count] *= SHARP
            self.raw_values[key] = raw
        values = [self.numbers.number(v) for v in raw]
        if parameters:
            for p in parameters:
                value = self.raw(Symbol(p))()
                entries = value.entries() if isinstance(value, Mat) else [value]
                for n, v in enumerate(entries):
                    slopes = self.raw_values.get(("slope", key, p, n))
                    if slopes is None:
                        rng = self.rng(("slope", key, p, n))
                        slopes = [F(rng.randint(-4, 4), 4) for _ in range(2 * count)]
                        self.raw_values[("slope", key, p, n)] = slopes
                    number, exp = self.numbers.number, self.numbers.exp
                    values = [
                        m * exp(number(slopes[i]) * v + number(slopes[count + i]) * v * v / 2)
                        for i, m in enumerate(values)
                    ]
        total = sum(values[1:], values[0])
        return [v / total for v in values]

    def state(self, head: str) -> tuple[Any, ...]:
        """The values of the parameters on which the tables of a head depend."""
        names = [
            n
            for n in sorted(self.head_dependencies(head))
            if n in self.context.varying and n not in self.context.slot_of
        ]
        return tuple(
            self.env[n] if n in self.env else self.draw_cell(n)
            for n in names
            if not n.startswith("*")
        )

    def joint(self, head: str, state: tuple[Any, ...]) -> dict[tuple[int, ...], Any]:
        """Density of every configuration of a head's slots, in their sorted order."""
        key = (head, state)
        found = self.tables.get(key)
        if found is not None:
            return found
        slots = self.context.heads[head]
        table: dict[tuple[tuple[str, int], ...], Any] = {(): None}
        for factor in self.context.order[head]:
            sizes = [len(self.space(s)) for s in factor.slots]
            weights = [self.weights_of(s) for s in factor.slots]
            rows: dict[tuple[int, ...], Any] = {}
            grown: dict[tuple[tuple[str, int], ...], Any] = {}
            for config, value in table.items():
                placed = dict(config)
                given = tuple(placed[c] for c in factor.conditions)
                if given not in rows:
                    rows[given] = self.row(head, factor, given, sizes, weights)
                for indices, d in rows[given]:
                    grown[(*config, *zip(factor.slots, indices, strict=True))] = (
                        d if value is None else value * d
                    )
            table = grown
        result = {}
        for config, value in table.items():
            placed = dict(config)
            result[tuple(placed[s] for s in slots)] = value
        self.tables[key] = result
        return result

    def row(
        self,
        head: str,
        factor: Factor,
        given: tuple[int, ...],
        sizes: list[int],
        weights: list[Any],
    ) -> list[Any]:
        """The densities of one factor, given the indices of its conditions."""
        configs = list(product(*map(range, sizes)))
        measures = []
        for indices in configs:
            m = weights[0][indices[0]]
            for w, i in zip(weights[1:], indices[1:], strict=True):
                m = m * w[i]
            measures.append(m)
        if factor.formula is None:
            masses = self.masses(head, factor, given, len(configs))
            return [(c, m / w) for c, m, w in zip(configs, masses, measures, strict=True)]
        names = dict(factor.symbols)
        value = self.number_of(factor.formula)
        old = dict(self.env)
        made = []
        try:
            for s, i in zip(factor.conditions, given, strict=True):
                self.env[names[s]] = i
            for indices in configs:
                for s, i in zip(factor.slots, indices, strict=True):
                    self.env[names[s]] = i
                made.append((indices, value()))
        finally:
            for name in names.values():
                self.restore(name, old.get(name))
        total = made[0][1] * measures[0]
        for (_, v), m in zip(made[1:], measures[1:], strict=True):
            total = total + v * m
        if abs(float(total) - 1) > 1e-9 or any(v < 0 for _, v in made):
            raise Undefined(f"the declared {head} is no density here")
        return made

    def marginal(
        self, head: str, slots: tuple[str, ...], state: tuple[Any, ...]
    ) -> dict[tuple[int, ...], Any]:
        """The joint summed over all other slots."""
        key = (head, slots, state)
        found = self.tables.get(key)
        if found is not None:
            return found
        own = self.context.heads[head]
        joint = self.joint(head, state)
        if slots == own:
            return joint
        at = [own.index(s) for s in slots]
        rest = [(i, self.weights_of(s)) for i, s in enumerate(own) if s not in slots]
        found = {}
        for config, value in joint.items():
            for i, w in rest:
                value = value * w[config[i]]
            short = tuple(config[i] for i in at)
            found[short] = value if short not in found else found[short] + value
        self.tables[key] = found
        return found

    def _piecewise(self, e: Expr) -> Thunk:
        """An event, ``x > a``: a density has no mass where x is just a."""
        made, event = super()._piecewise(e), e.args[0].args[1]
        outcomes = [branch.args[0] for branch in e.args]
        names = {s.name for s in event.free_symbols if self.context.is_random(s.name)}
        slots = [self.context.variable(self.context.slot_of[n]) for n in names]
        if outcomes != [1, 0] or not slots or any(v.discrete or v.values for v in slots):
            return made
        ties = [(self(part.lhs), self(part.rhs)) for part in event.atoms(Relational)]

        def off_the_edge() -> Any:
            if any(left() == right() for left, right in ties):
                raise Undefined("a value on the edge of an event, which has no probability")
            return made()

        return off_the_edge

    # -- densities
    # ---------------------------------------------------------------------------------------

    def index(self, slot: str, value: Expr) -> Callable[[], int]:
        """The index of the point that fills a slot."""
        if (
            isinstance(value, (Symbol, ex.Item))
            and base_name(value) not in self.context.definitions
        ):
            return self.raw(value)
        compute, env = self(value), self.env
        name = value.name if isinstance(value, Symbol) else None

        def find() -> int:
            if name is not None and name in env:
                return int(env[name])  # bound, although it has a definition elsewhere
            v = compute()
            for i, p in enumerate(self.space(slot)):
                if p == v or (
                    not isinstance(p, Mat)
                    and not isinstance(v, Mat)
                    and abs(float(p) - float(v)) < 1e-12
                ):
                    return i
            raise CannotEvaluate(f"the point {value} of {slot} is not in its finite space")

        return find

    def _density(self, e: ex.Density) -> Thunk:
        slots = [s for s, _ in e.values]
        if len(set(slots)) < len(slots):
            return self.copies(e)
        fillers = {s: self.index(s, v) for s, v in (*e.values, *e.conditions)}
        top = tuple(sorted(fillers))
        bottom = tuple(sorted(s for s, _ in e.conditions))
        declared = self.declared(e)
        head = e.head
        getters = [fillers[s] for s in top]
        below = [top.index(s) for s in bottom]
        fallback = self.entry(head, top, bottom, below)
        if declared is not None:
            fallback = self.by_formula(e, declared, top, fallback)
        if self.parametric(head):
            cell: dict[Any, Any] = {}
            self.memos.append(cell)

            def parametric() -> Any:
                at = tuple([g() for g in getters])
                key = (at, self.state(head))
                value = cell.get(key)
                if value is None:
                    value = cell[key] = fallback(at)
                return value

            return parametric
        names = [
            v.name if isinstance(v, Symbol) and v.name not in self.context.definitions else None
            for v in (dict((*e.values, *e.conditions))[s] for s in top)
        ]
        cells = self.cells_of.setdefault(
            (*e.key, tuple(sorted(names, key=str)) if declared else ()),
            [None] * self.stride ** len(top),
        )
        env, draw, stride = self.env, self.draw_cell, self.stride
        if len(top) == 1 and names[0] is not None:
            only = names[0]

            def one() -> Any:
                i = env[only] if only in env else draw(only)
                value = cells[i]
                if value is None:
                    value = cells[i] = fallback((i,))
                return value

            return one
        if len(top) == 2 and None not in names:
            a, b = names

            def two() -> Any:
                i = env[a] if a in env else draw(a)
                j = env[b] if b in env else draw(b)
                value = cells[i * stride + j]
                if value is None:
                    value = cells[i * stride + j] = fallback((i, j))
                return value

            return two

        def many() -> Any:
            at = tuple([g() for g in getters])
            k = 0
            for i in at:
                k = k * stride + i
            value = cells[k]
            if value is None:
                value = cells[k] = fallback(at)
            return value

        return many

    def parametric(self, head: str) -> bool:
        """Whether the tables of a head change with something that varies."""
        names = self.head_dependencies(head) & self.context.varying
        return any(n not in self.context.slot_of for n in names)

    def copies(self, e: ex.Density) -> Thunk:
        """p(z_1, z_2 | x) with both in the slot z: independent copies."""
        if len({s for s, _ in e.values}) > 1:
            raise CannotEvaluate(f"{e} fills one slot twice")
        parts = [self(ex.Density(e.head, [pair], e.conditions)) for pair in e.values]

        def together() -> Any:
            value = parts[0]()
            for part in parts[1:]:
                value = value * part()
            return value

        return together

    def entry(
        self, head: str, top: tuple[str, ...], bottom: tuple[str, ...], below: list[int]
    ) -> Callable[[tuple[int, ...]], Any]:
        """One entry of a conditional, from the joint."""

        def compute(at: tuple[int, ...]) -> Any:
            state = self.state(head)
            value = self.marginal(head, top, state)[at]
            if bottom:
                value = value / self.marginal(head, bottom, state)[tuple(at[i] for i in below)]
            return value

        return compute

    def by_formula(
        self,
        e: ex.Density,
        declared: tuple[Expr, dict[str, str]],
        top: tuple[str, ...],
        otherwise: Any,
    ) -> Any:
        """One entry of a density that is defined by a formula."""
        formula, names = declared
        key = e.key

        def compute(at: tuple[int, ...]) -> Any:
            if key in self.busy:
                return otherwise(at)
            value = self.number_of(formula)
            self.busy.add(key)
            old = {n: self.env.get(n) for n in names.values()}
            try:
                for s, i in zip(top, at, strict=True):
                    self.env[names[s]] = i
                return value()
            finally:
                self.busy.discard(key)
                for n, v in old.items():
                    self.restore(n, v)

        return compute

    def setting(self, variable: Any, value: Expr) -> Thunk:
        name = base_name(variable)
        if self.context.is_random(name):
            return self.index(self.context.slot_of[name], value)
        return self(value)
