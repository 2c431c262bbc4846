"""What comparing two expressions in worlds of either kind has in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations
from typing import Any

from sympy import Abs, Expr, Max, Min, Piecewise, Symbol, sign

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.arithmetic import (
    CannotEvaluate,
    OutOfTime,
    Undefined,
)
from vaedocs.derivation.worlds.claims import is_place
from vaedocs.derivation.worlds.context import Context
from vaedocs.derivation.worlds.corners import Corner, counted, meeting, near
from vaedocs.derivation.worlds.description import describe, entries
from vaedocs.derivation.worlds.draw import group_of
from vaedocs.derivation.worlds.effort import Effort
from vaedocs.derivation.worlds.matrices import Mat, column
from vaedocs.derivation.worlds.optimum import attained
from vaedocs.derivation.worlds.outcome import Method, Outcome
from vaedocs.derivation.worlds.up_to import UpTo

EXACT: Method = "exact finite spaces"
DIGITS: Method = "finite spaces at 40 digits"
SEARCHED: Method = "finite spaces and a search"
SMOOTH: Method = "random smooth models"
STYLES = ("plain", "flat", "plain", "extreme", "tiny", "plain")
SIZES = (2, 2, 3, 2, 2, 3)
INEQUALITIES = {"<=": 1, "<": 1, ">=": -1, ">": -1}
Pair = tuple[Any, Any]
# Counts, not times, so that the same seed gives the same outcome on every machine.
RANDOM_WORLDS, CLIMBS, STEPS = 90, 3, 90
POINTS = 50_000
CORNERS = 40
PLACES = 240  # worlds in which two places are compared: most optima are at one of few by chance
FEW = 3  # instances below which an equality is tried in many more worlds
OUTSIDE = {  # of a function's domain
    "the logarithm of a number that is not positive",
    "the square root of a negative number",
    "a broken power of a negative number",
}
BRANCHING = (Abs, Max, Min, Piecewise, sign)  # where equality may fail at one value alone


class NoInstance(RuntimeError):
    """No admissible world could be drawn."""


class Comparison(UpTo):
    """One relation between two expressions in worlds of one kind."""

    method: Method
    world: Any
    shape_world: Callable[[int], None]  # gives the world the style of the i-th instance
    differ: Callable[[Pair], bool]  # whether two values are certainly different
    refuted: Callable[[Pair], Outcome]  # the outcome for the present world
    inequality: Callable[[], Outcome]

    def __init__(
        self,
        context: Context,
        relation: str,
        left: Expr,
        right: Expr,
        seed: int,
        points: int,
        free_of: Sequence[Symbol] = (),
    ):
        self.context, self.relation = context, relation
        self.sides = (left, right)
        self.seed, self.free_of = seed, free_of
        self.effort = Effort(points)
        self.glance = points < POINTS  # a second opinion on what was derived
        self.instances = 0
        self.several = False  # whether an instance had more than one dimension
        self.undefined = ""
        self.lonely = ""  # an allowed world in which only one side has a value

    # -- worlds ------------------------------------------------------------------------------------

    def use(self, world: Any) -> None:
        """Compile both sides in ``world``."""
        self.world = world
        world.effort = self.effort
        left, right = self.sides
        places = [side for side in self.sides if is_place(side)]
        if places and self.relation not in {"=", "!="}:
            if any({v.name for v in place.bound} & self.context.labels for place in places):
                raise CannotEvaluate("the place of an optimum among names without a value")
        elif places:
            place, other = (left, right) if is_place(left) else (right, left)
            if not world.smooth:  # two optima often lie at one of a few points by chance
                self.count = PLACES
            self.left, self.right = attained(world, place, other)
            if is_place(other):  # each at the other's optimum
                back = attained(world, other, place)
                both = (self.left, back[0]), (self.right, back[1])
                self.left, self.right = (
                    lambda parts=parts: column(f() for f in parts) for parts in both
                )
            return
        self.left, self.right = world(left), world(right)

    def admissible_worlds(self, count: int, start: int = 0) -> Iterator[int]:
        """Put the world into ``count`` admissible states, one after the other."""
        tries, found = 0, 0
        while found < count:
            if self.instances and self.effort.left() <= 0:
                return
            i = start + tries
            tries += 1
            self.shape_world(i)
            self.world.wide = tries > 25 and not found
            self.world.redraw((self.seed, i))
            inside = False
            for _ in self.world.at_every_index():
                try:
                    here = self.world.admissible()
                except Undefined as error:
                    self.undefined = str(error)
                    here = False
                if here:
                    inside = True
                    yield i
            found += inside
            if inside:
                continue
            if tries > 200 and not found:
                raise NoInstance("no instance of the hypotheses could be drawn")
            elif tries > 200 + 10 * count:
                return

    def at_corners(
        self, chosen: Sequence[Corner], points: int = 2, style: str = "even"
    ) -> Iterator[int]:
        """Put the world into the admissible ones of these corners, all tables even."""
        try:
            for i, corner in enumerate(chosen):
                self.shape_world(0)
                self.world.style, self.world.corner, self.world.size = style, corner, points
                self.world.redraw((self.seed, "corner", i))
                try:
                    if not self.world.admissible() or self.values() is None:
                        continue
                except Undefined:
                    continue
                self.world.corner = {}  # all is drawn; what is drawn anew is drawn freely
                yield i
        finally:
            self.world.corner = {}

    def touches(self) -> Pair | None:
        """Both sides at a simple world where they are equal, which refutes < and, of plain numbers,
        ≠."""
        left, right = self.sides
        if self.relation == "!=" and any(
            side.atoms(ex.Node) or not side.is_commutative for side in self.sides
        ):
            return None  # E[f(z)] ≠ f(E[z]) says that they are not the same in general
        size = 2 if self.world.smooth else 3
        chosen = near(self.world, CORNERS, size) + meeting(self.world, left, right)
        if any(info.bounds or info.nonnegative for info in self.context.functions.values()):
            chosen = chosen + chosen[:3] * 8  # functions drawn anew may reach a bound everywhere
        for points in (2, 1):  # a discrete variable may be a constant, one with a density may not
            if points == 1 and not self.all_discrete():
                break
            level = chosen[:2] * 6 if self.context.functions else []
            for style, corners in (("even", chosen), ("level", level)):
                for _ in self.at_corners(corners, points, style):
                    pair = self.values()
                    if pair is not None and self.same(pair):
                        return pair
        return None

    def all_discrete(self) -> bool:
        """Whether every variable lives in a finite space where densities are masses."""
        slots = set(self.context.slot_of.values())
        return bool(slots) and not self.world.smooth and all(map(self.world.is_discrete, slots))

    def same(self, pair: Pair) -> bool:
        """Whether two values are certainly equal, up to the last digits."""
        return all(
            a == b or abs(a - b) <= 1e-12 * abs(b)
            for a, b in zip(entries(pair[0]), entries(pair[1]), strict=True)
        )

    def values(self) -> Pair | None:
        """Both sides in the present world; None where they are undefined."""
        self.world.tick(4)  # what a comparison costs beside its points
        found: list[Any] = []
        for side in (self.left, self.right):
            try:
                found.append(side())
            except Undefined as error:
                self.undefined = str(error)
            except (ZeroDivisionError, OverflowError, ValueError) as error:
                if isinstance(error, CannotEvaluate):
                    raise
                self.undefined = "division by zero"
                return None
        if len(found) == 1 and self.undefined in OUTSIDE and not self.lonely and self.told_apart():
            self.lonely = describe(self.world, self.sides).description
        if len(found) < 2:
            return None
        a, b = found
        a, b = unify(a, b)
        for v in (*entries(a), *entries(b)):
            if isinstance(v, float) and not math.isfinite(v):
                self.undefined = "a value is infinite"
                return None
        return a, b

    def told_apart(self) -> bool:
        """Whether someone said where the claim is to hold, x ≠ 0, so that it must have a meaning
        there."""
        if any(fact.relation == "!=" for fact in self.context.constraints):
            return True
        tags = [self.context.tags(name) for name in self.context.parameters()]
        return any("invertible" in own and "spd" not in own for own in tags)

    def run(self) -> Outcome:
        """The outcome of the comparison."""
        if self.relation in INEQUALITIES:
            return self.inequality()
        if self.relation in {"prop", "const"}:
            return self.up_to()
        return self.equality()

    def finish(self) -> Outcome:
        """Nothing was found."""
        if self.context.narrow:
            return Outcome("undecided", self.method, reason=self.context.narrow)
        if self.lonely:
            reason = f"one side has no value ({self.undefined}) where {self.lonely}"
            return Outcome("undecided", self.method, reason=reason)
        if self.instances:
            return Outcome("agrees", self.method, self.instances)
        return Outcome(
            "undecided",
            self.method,
            reason=f"no world gives both sides a value: {self.undefined or 'time ran out'}",
        )

    # -- relations ---------------------------------------------------------------------------------

    def equality(self) -> Outcome:
        claim_equal = self.relation != "!="
        last: Pair | None = None
        within: list[dict[str, int]] = []  # the sizes of worlds with a value, and of those without
        without: list[dict[str, int]] = []
        if not claim_equal and (equal := self.touches()) is not None:
            return self.refuted(equal)
        for _ in self.instances_of_equality(claim_equal):
            try:
                pair = self.values()
            except OutOfTime:
                break
            (without if pair is None else within).append(self.sizes())
            if pair is None:
                continue
            if self.differ(pair):
                if claim_equal:
                    return self.refuted(pair)
                self.instances += 1
                return self.finish()
            self.instances += 1
            self.several = self.several or self.of_several()
            last = pair
        if not claim_equal and last is not None:
            return self.refuted(last)
        if last is not None and not self.several and not self.context.narrow:
            reason = "it holds in one dimension, and has no value in worlds of more"
            return Outcome("undecided", self.method, reason=reason)
        for m, n in combinations(sorted(within[0]) if within else (), 2):
            if all(at[m] == at[n] for at in within) and any(at[m] != at[n] for at in without):
                reason = f"it holds where {m} = {n}, and has no value elsewhere"
                return Outcome("undecided", self.method, reason=reason)
        return self.finish()

    def sizes(self) -> dict[str, int]:
        """The sizes that were chosen for the present world."""
        drawn = {name: self.world.raw_values.get(name) for name in self.context.counting}
        return {name: size for name, size in drawn.items() if size is not None}

    def of_several(self) -> bool:
        """Whether some size of the present world is above one, or none can be chosen."""
        drawn = self.sizes().values()
        return not drawn or any(size > 1 for size in drawn)

    def instances_of_equality(self, claim_equal: bool) -> Iterator[int]:
        """Worlds to compare two sides in: at simple numbers too, where these may matter."""
        worlds = self.unlike()
        if claim_equal and any(side.has(*BRANCHING) for side in self.sides):
            worlds = chain(self.at_corners(near(self.world, CORNERS)), worlds)
        if claim_equal and (chosen := counted(self.world)):
            worlds = chain(worlds, self.at_corners(chosen))
        return worlds

    def unlike(self) -> Iterator[int]:
        """Admissible worlds; more of them if a number was the same in each, as p > 1 may be 2, and
        many if few gave both sides a value: a z that is a variance may have been 1 in the only one.
        """
        seen: dict[Any, set[Any]] = {}
        for i in self.admissible_worlds(self.count):
            yield i
            for name, value in self.world.raw_values.items():
                if not isinstance(value, list | Mat):
                    seen.setdefault(name, set()).add(value)
        alike = self.context.constraints and any(len(values) == 1 for values in seen.values())
        few = self.instances < (1 if self.glance else FEW)
        more = 8 if few else 2 if alike and not self.glance else 0
        for i in self.admissible_worlds(more * self.count, start=300):
            yield i
            if few and self.instances >= self.count:
                return

    count: int  # worlds in which two sides are compared
    simple = 0  # the number of the instance with the smallest numbers

    def violation(self, pair: Pair) -> float:
        """How far an inequality is violated, as a float (positive: violated)."""
        direction = INEQUALITIES[self.relation]
        return max(
            direction * float(a - b)
            for a, b in zip(entries(pair[0]), entries(pair[1]), strict=True)
        )

    def groups(self) -> list[Any]:
        """What can be drawn anew while all else stays."""
        found = {group_of(k) for k in self.world.raw_values}
        counting = self.context.counting
        return sorted((g for g in found if g[0] != "space" and g[1] not in counting), key=str)


def unify(a: Any, b: Any) -> Pair:
    """Two values of one shape: a 1 × 1 matrix is a number."""
    if isinstance(a, Mat) != isinstance(b, Mat):
        m = a if isinstance(a, Mat) else b
        if m.shape == (1, 1):
            return (m.rows[0][0], b) if m is a else (a, m.rows[0][0])
        other = b if m is a else a
        if not any(entries(other)):  # A = 0
            zero = m.map(lambda v: v * 0)
            return (m, zero) if m is a else (zero, m)
        raise CannotEvaluate(f"a {m.words()} is compared with a number")
    if isinstance(a, Mat) and a.shape != b.shape:
        raise CannotEvaluate(f"a {a.words()} is compared with a {b.words()}")
    return a, b
