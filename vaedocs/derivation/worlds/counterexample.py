"""From a world that refutes a relation to one that a reader can follow: few points, small numbers,
a visible gap."""

from __future__ import annotations

import math
import re
import sys
from fractions import Fraction
from itertools import product
from typing import Any

from vaedocs.derivation.worlds.arithmetic import (
    CannotEvaluate,
    Inexact,
    OutOfTime,
    Undefined,
    spell,
)
from vaedocs.derivation.worlds.corners import near
from vaedocs.derivation.worlds.description import describe, entries
from vaedocs.derivation.worlds.effort import Effort
from vaedocs.derivation.worlds.matrices import Mat
from vaedocs.derivation.worlds.outcome import Counterexample

F = Fraction
VISIBLE = 0.05
TRIALS = 20
NUMBER = re.compile(r"[\d/.]+")
CROWD = 100  # drawn values: no simpler numbers make so many easy to follow
POLISH = 20_000  # points that the search for simpler numbers may evaluate


def nicest(comparison: Any, pair: Any) -> Counterexample:
    """The simplest counterexample found in a short time, starting from the present world."""
    world = comparison.world
    best = (weigh(comparison, pair), state(world))
    before, world.effort = world.effort, Effort(POLISH)
    if comparison.relation != "!=" and len(world.raw_values) < CROWD:
        for candidate in candidates(comparison, best[1]):
            if world.effort.left() <= 0:
                break
            try:
                candidate()
                failing = comparison.fails()
            except (Undefined, CannotEvaluate, Inexact, OutOfTime, ArithmeticError):
                continue
            if failing is not None:
                weight = weigh(comparison, failing, best[0])
                if weight < best[0]:
                    best = (weight, state(world))
    restore(world, best[1])
    world.effort = Effort(sys.maxsize)
    final = comparison.values() or pair
    world.effort = before
    told = describe(world, comparison.sides)
    gaps = [abs(float(a - b)) for a, b in zip(entries(final[0]), entries(final[1]), strict=True)]
    at = gaps.index(max(gaps))
    a, b = entries(final[0])[at], entries(final[1])[at]
    if world.smooth and max(gaps) > 1e-6 * max(abs(a), abs(b)):
        # the last digits are the quadrature's
        big = min(1.0, max(abs(a), abs(b)))
        a, b = (round(v, 12 - math.frexp(max(big, abs(v)))[1] // 3) for v in (a, b))
    text = told.description
    if len(gaps) > 1:
        text += f"\n(entry {at + 1} of {len(gaps)} of both sides)"
    exact = ("", "")
    if world.numbers.exact:
        spelt = spell(a), spell(b)
        exact = spelt if max(map(len, spelt)) <= 60 else exact
    return Counterexample(float(a), float(b), float(a - b), text.strip(), exact, told.values)


def state(world: Any) -> tuple[Any, ...]:
    """All that determines a world."""
    return (
        dict(world.raw_values),
        dict(world.salts),
        world.seed,
        world.style,
        getattr(world, "size", 0),
        dict(getattr(world, "sizes_of", {})),
    )


def restore(world: Any, saved: tuple[Any, ...]) -> None:
    """Put a world back into a state."""
    raw, salts, world.seed, world.style, size, sizes_of = saved
    if not world.smooth:
        world.size, world.sizes_of = size, dict(sizes_of)
    world.raw_values.clear()
    world.raw_values.update(raw)
    world.salts = dict(salts)
    world.renew()


def candidates(comparison: Any, start: tuple[Any, ...]) -> Any:
    """Worlds to try: small random ones, with fewer points, and the found one with some numbers made
    simple."""
    world = comparison.world
    spaces = sorted({world.context.space(s) for s in set(world.context.slot_of.values())})

    corners = near(world, 30, 2) or [{}]

    def tiny(i: int, sizes: dict[str, int], style: str = "tiny", simple: bool = False) -> Any:
        def make() -> None:
            world.style, world.corner = style, corners[i % len(corners)] if simple else {}
            if not world.smooth:
                world.size, world.sizes_of = 2, sizes
            try:
                world.redraw((comparison.seed, "tiny", i))
                comparison.values()  # draws what is needed at this corner
            finally:
                world.corner = {}

        return make

    def even(i: int) -> Any:
        def make() -> None:
            restore(world, start)
            for n, (key, value) in enumerate(list(world.raw_values.items())):
                if (n + i) % 3 == 0 and isinstance(key, tuple) and key[0] in {"mass", "weight"}:
                    world.raw_values[key] = [F(1)] * len(value)
            world.renew()

        return make

    def rough(digits: int) -> Any:
        def make() -> None:
            restore(world, start)
            simple = {k: simplified(v, digits, k) for k, v in world.raw_values.items()}
            world.raw_values.update(simple)
            world.renew()

        return make

    def styled(style: str, i: int) -> Any:
        def make() -> None:
            world.style = style
            if not world.smooth:
                world.size, world.sizes_of = 2, {}
            world.redraw((comparison.seed, style, i))

        return make

    if world.smooth:
        return [
            *(rough(d) for d in (1, 2, 4, 8)),
            *(tiny(i, {}, "gauss", simple=True) for i in range(10)),
            *(tiny(i, {}, simple=True) for i in range(len(corners) + 6)),
            *(tiny(i, {}) for i in range(6)),
            *(styled("extreme", i) for i in range(4)),
        ]
    few = [dict(zip(spaces, s, strict=False)) for s in product((1, 2), repeat=min(len(spaces), 3))]
    few = [{**dict.fromkeys(spaces, 2), **sizes} for sizes in few] or [{}]
    few += few[-1:] * (len(few) > 1)
    found = [tiny(i, few[i % len(few)], "simple", simple=True) for i in range(2 * TRIALS)]
    found += [tiny(i, few[-1], "steep", simple=True) for i in range(TRIALS // 2)]
    found += [tiny(i, few[i % len(few)]) for i in range(TRIALS)]
    found += [tiny(TRIALS + i, few[-1]) for i in range(6)] + [even(i) for i in range(3)]
    return found + [styled("bold", i) for i in range(10)]


def simplified(value: Any, digits: int, key: Any = None) -> Any:
    """A raw value of a smooth world with simpler numbers (what it was where it would vanish)."""

    def nice(v: Any) -> Any:
        near = F(v).limit_denominator(digits)
        return near if near else v

    if isinstance(value, list):
        told = isinstance(key, tuple) and key[0] in {"gauss", "line"}
        return [nice(v) for v in value] if told else value
    return value.map(nice) if isinstance(value, Mat) else nice(value)


def weigh(comparison: Any, pair: Any, best: tuple[float, float] = (3, 0)) -> tuple[float, float]:
    """How hard a counterexample is to follow: less is better, and ``best`` is the best so far."""
    gap = max(abs(float(a - b)) for a, b in zip(entries(pair[0]), entries(pair[1]), strict=True))
    size = max(abs(float(v)) for side in pair for v in entries(side))
    invisible = 2 if gap < 1e-3 else 1 if gap < VISIBLE * min(1, size) or gap > 1e6 else 0
    if invisible > best[0]:
        return (invisible, 0)
    world, context = comparison.world, comparison.context
    told = describe(world, comparison.sides)
    words = NUMBER.sub("", told.description)
    bulk = (
        len(words)
        + 150 * (gap < VISIBLE)
        + 60 * words.count("a mixture of two Gaussians")  # of which only the shape is told
        + 3 * sum(map(effort_to_read, NUMBER.findall(told.description)))
    )
    if not world.smooth:
        sizes = [len(v) for v in world.weights.values()]
        observed = {context.space(context.slot_of[n]) for n in told.observed}
        averaged = [len(v) for space, v in world.weights.items() if space not in observed]
        bulk += 25 * sum(max(0, size - 2) for size in sizes)
        bulk += 45 * averaged.count(1) * (comparison.relation == "=")
        bulk += 60 * (
            bool(sizes) and max(sizes) == 1 and comparison.relation == "="
        )  # where nothing can vary, too much is equal
    return (invisible, bulk)


def effort_to_read(number: str) -> float:
    """0 and 1 are read at a glance, 2 and 1/2 nearly so, 197/480 is not."""
    above, _, below = number.partition("/")
    if "." in number or not above.isdigit():
        return 30
    return min(30.0, 0.9 * int(above)) + (min(30.0, float(below)) if below.isdigit() else 0)
