"""Comparison in finite worlds, and the search uphill for a violated inequality."""

from __future__ import annotations

import math
import random
from itertools import product
from typing import Any

from vaedocs.derivation.worlds.arithmetic import (
    CannotEvaluate,
    Digits,
    Exact,
    Floats,
    Inexact,
    OutOfTime,
    Rough,
    Undefined,
    is_zero,
    sign,
)
from vaedocs.derivation.worlds.comparison import (
    CLIMBS,
    DIGITS,
    EXACT,
    INEQUALITIES,
    PLACES,
    RANDOM_WORLDS,
    SEARCHED,
    SIZES,
    STEPS,
    STYLES,
    Comparison,
    Pair,
)
from vaedocs.derivation.worlds.copies import in_copies
from vaedocs.derivation.worlds.corners import dips, far, near
from vaedocs.derivation.worlds.counterexample import nicest
from vaedocs.derivation.worlds.description import entries
from vaedocs.derivation.worlds.effort import Effort
from vaedocs.derivation.worlds.finite import FiniteWorld
from vaedocs.derivation.worlds.measures import placed
from vaedocs.derivation.worlds.neighbours import rounded, step
from vaedocs.derivation.worlds.outcome import Outcome
from vaedocs.derivation.worlds.scales import at_scale, scale_of, sizes_at

SIZES_APART = (1, 4, 12, 150)  # what is said of few things may fail for many
SIZED = 3_000  # points that may be evaluated at each of these sizes
GLANCED = (30, 1, 45)  # how many worlds, climbs and steps where the claim was derived
CLIMB = 30_000  # points that the search uphill may evaluate


class Finite(Comparison):
    """Comparison in finite worlds."""

    simple = 4

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.method = EXACT
        self.count = PLACES if self.context.labels else 3 if self.glance else 6
        self.build(Exact())

    def build(self, numbers: Any) -> None:
        """A world of this kind of numbers; digits where the exact kind does not do."""
        try:
            self.use(FiniteWorld(self.context, numbers, self.seed))
        except Inexact:
            self.to_digits()

    def to_digits(self) -> None:
        self.method = DIGITS
        self.use(FiniteWorld(self.context, Digits(), self.seed))

    def to_floats(self) -> None:
        self.method = SEARCHED
        self.use(FiniteWorld(self.context, Floats(), self.seed))

    def shape_world(self, i: int) -> None:
        self.world.style, self.world.size = STYLES[i % 6], SIZES[i % 6]
        if self.context.chosen:
            self.world.size = 2

    def run(self) -> Outcome:
        try:
            return super().run()
        except Rough:
            self.to_floats()
            self.instances = 0
            return super().run()
        except Inexact:
            self.to_digits()
            self.instances = 0
            return super().run()

    def slack(self) -> float:
        """How much of two numbers that are not exact may differ."""
        return 1e-7 if self.method == SEARCHED else 1e-25

    def differ(self, pair: Pair) -> bool:
        for a, b in zip(entries(pair[0]), entries(pair[1]), strict=True):
            gap = a - b
            if self.method == EXACT:
                if not is_zero(gap):
                    return True
            elif abs(gap) > self.slack() * (1 + abs(a) + abs(b)):
                return True
        return False

    def same(self, pair: Pair) -> bool:
        if self.method == EXACT:
            return not self.differ(pair)
        return all(
            abs(a - b) <= self.slack() * abs(b)
            for a, b in zip(entries(pair[0]), entries(pair[1]), strict=True)
        )

    def violated(self, pair: Pair) -> bool:
        """Whether an inequality is certainly violated."""
        direction = INEQUALITIES[self.relation]
        for a, b in zip(entries(pair[0]), entries(pair[1]), strict=True):
            gap = (a - b) * direction
            if self.method == EXACT:
                if sign(gap) > 0:
                    return True
            elif gap > self.slack() * (1 + abs(a) + abs(b)):
                return True
        return False

    def fails(self) -> Pair | None:
        """The values of both sides if the relation certainly fails in the present world."""
        if not self.world.admissible():
            return None
        pair = self.values()
        if pair is None:
            return None
        failed = self.violated(pair) if self.relation in INEQUALITIES else self.differ(pair)
        return pair if failed else None

    def refuted(self, pair: Pair) -> Outcome:
        return Outcome("refuted", self.method, self.instances + 1, nicest(self, pair))

    # -- inequalities
    # --------------------------------------------------------------------------------

    def inequality(self) -> Outcome:
        # A few exact worlds first: most wrong claims fail at once, and every number must exist.
        strict = self.relation in {"<", ">"}
        equal: Pair | None = None
        always_equal = True
        for _ in self.admissible_worlds(3):
            pair = self.values()
            if pair is None:
                continue
            self.instances += 1
            if self.violated(pair):
                return self.refuted(pair)
            if self.differ(pair):
                always_equal = False
            else:
                equal = pair
        if strict and always_equal and equal is not None:
            return self.refuted(equal)
        if not self.instances:
            return self.finish()
        if strict and (equal := self.touches()) is not None:
            return self.refuted(equal)
        for _ in self.at_corners(far(self.world) + dips(self.world, *self.sides)):
            pair = self.values()
            if pair is not None and self.violated(pair):
                return self.refuted(pair)
        if (pair := self.at_sizes(strict)) is not None:
            return self.refuted(pair)
        slow = self.world
        fast = FiniteWorld(self.context, Floats(), self.seed)
        fast.places = {self.context.space(slot) for slot in placed(self.context)}
        left, right = self.left, self.right
        try:
            self.use(fast)
            fast.effort = Effort(min(CLIMB, self.effort.left()))
            raw = self.climb()
        except (Inexact, OutOfTime):
            raw = None
        finally:
            self.world, self.left, self.right = slow, left, right
        if raw is not None:
            for digits in (2, 4, 8, 12, 16, 24, 48, 100, 1000, 10**6, 10**12):
                self.become(fast, rounded(raw, digits))
                pair = self.fails()
                if pair is not None:
                    return self.refuted(pair)
        if (pair := self.at_scale()) is not None:
            return self.refuted(pair)
        if (found := in_copies(self, INEQUALITIES[self.relation])) is not None:
            return Outcome("refuted", self.method, self.instances + 1, found)
        return self.finish()

    def at_scale(self) -> Pair | None:
        """Both sides where the relation fails at the scale of the numbers that it names."""
        if not (scale := scale_of(self.context)):
            return None
        before = (self.world, self.left, self.right, self.method)
        self.to_digits()
        self.world.effort = Effort(CLIMB)
        try:
            for _ in at_scale(self.world, scale, self.seed):
                try:
                    if (pair := self.fails()) is not None:
                        return pair
                except (Undefined, ArithmeticError, ValueError):
                    continue
        except OutOfTime:
            pass
        self.world, self.left, self.right, self.method = before
        return None

    def at_sizes(self, strict: bool) -> Pair | None:
        """Both sides where the relation fails for one thing alone, or for many alike: K = 1, and
        what holds for few."""
        limit, world = self.effort, self.world
        slots = {self.context.space(slot) for slot in self.context.slot_of.values()}
        if not (self.context.counting or slots) or len(slots) > 2:
            return None
        apart = [*SIZES_APART, *sizes_at(scale_of(self.context))]
        for many, style in product(apart, ("even", "sharp") if len(slots) == 2 else ("even",)):
            if many == 1 and not (self.context.counting or self.all_discrete()):
                continue
            if many > world.stride and slots:
                continue
            world.many, world.effort = many, Effort(SIZED + 4 * many)
            try:
                for _ in self.at_corners(near(world, 8, 1), many, style):
                    pair = self.values()
                    if pair is not None and (self.violated(pair) or (strict and self.same(pair))):
                        return pair
            except (CannotEvaluate, Inexact, OutOfTime, ArithmeticError):
                continue
            finally:
                world.many, world.effort = 0, limit
        return None

    def become(self, other: FiniteWorld, raw: dict[Any, Any]) -> None:
        """Put the exact world into a state that another one found."""
        self.world.size, self.world.style, self.world.seed = other.size, other.style, other.seed
        self.world.sizes_of = dict(other.sizes_of)
        self.world.salts = dict(other.salts)
        self.world.raw_values.clear()
        self.world.raw_values.update(raw)
        self.world.renew()

    def score(self) -> float:
        """The violation in the present world, minus infinity where it has none."""
        try:
            if not self.world.admissible():
                return -math.inf
            pair = self.values()
        except (Undefined, OverflowError):
            return -math.inf
        if pair is None:
            return -math.inf
        value = self.violation(pair)
        scale = max(abs(float(v)) for side in pair for v in entries(side))
        self.share = value / (1e-4 + scale)
        return value

    share = 0.0

    def climb(self) -> dict[Any, Any] | None:
        """The raw values of a world with a clear violation, or None."""
        world, rng = self.world, random.Random(f"climb {self.seed}")
        found: list[tuple[float, int, dict[Any, Any], str, int, Any, float]] = []
        worlds, climbs, steps = GLANCED if self.glance else (RANDOM_WORLDS, CLIMBS, STEPS)
        i = 0
        while i < worlds:
            style, size = STYLES[i % 6], SIZES[i % 6]
            world.style, world.size = style, size
            world.redraw((self.seed, "climb", i))
            value = self.score()
            i += 1
            if value > -math.inf:
                self.instances += 1
                found.append(
                    (value, i, dict(world.raw_values), style, size, world.seed, self.share)
                )
                if value > 1e-7:
                    break
        # Uphill on the violation itself, and on its share of both sides: the first is stuck where
        # both sides vanish.
        by_size = sorted(found, key=lambda t: (-t[0], t[1]))
        by_share = sorted(found, key=lambda t: (-t[6], t[1]))
        if by_size and by_size[0][0] > 1e-7:
            _, _, raw, world.style, world.size, world.seed, _ = by_size[0]
            return raw
        starts = [(0, t) for t in by_size[:climbs]] + [(1, t) for t in by_share[:climbs]]
        for aim, (size_, _, raw, style, size, seed, share) in starts:
            world.style, world.size, world.seed = style, size, seed
            best, state, idle = (size_, share)[aim], raw, 0
            for _ in range(steps):
                if idle > 60:
                    break
                # big and small steps side by side: the gap often hides in a corner
                spread = math.exp(rng.uniform(-2.5, 1.0))
                step(world, state, rng, spread)
                value = self.score()
                self.instances += 1
                if value > 1e-7:
                    return dict(world.raw_values)
                if aim and value > -math.inf:
                    value = self.share
                if value > best:
                    gain = value - best
                    best, state, idle = (
                        value,
                        dict(world.raw_values),
                        0 if gain > 1e-9 else idle + 1,
                    )
                else:
                    idle += 1
        return None
