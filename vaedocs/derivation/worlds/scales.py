"""Worlds at the scale of the numbers that a claim names: what holds up to 100 may fail at 101.

A divergence below 100 asks for probabilities like e^-200, a mean below 1000 for values beyond it,
and ``\\|x\\|_1 <= 100 \\|x\\|`` for more than ten thousand entries.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from vaedocs.derivation.worlds.context import Context

F = Fraction
LARGE = 5  # beyond which the usual worlds are too small
POWER, FLOAT = 2_000, 250  # the powers of ten down to which and up to which is drawn
MANY = 20_000  # the largest number of entries
WORLDS = 60


def scale_of(context: Context) -> int:
    """The largest number in a claim, or one over the smallest; 0 where none is far from one."""
    numbers = [abs(float(e)) for e in context.expressions_seen() if e.is_Rational and e]
    far = max((max(n, 1 / n) for n in numbers), default=1)
    return min(int(far) + 1, 10**9) if far >= LARGE else 0


def sizes_at(scale: int) -> list[int]:
    """How many things there must be for a number to be too small."""
    return [n for n in (scale + 1, 4 * scale, scale * scale + 1) if scale and n <= MANY]


def grown(scale: int, rng: random.Random, value: Any, tags: Any) -> Any:
    """A drawn number moved, now and then, as far out as the numbers of the claim are."""
    if not scale or rng.random() < 0.4:
        return value
    if "integer" in tags or "whole" in tags:
        return value * (scale + 1)
    far = rng.choice((scale, scale**2, 3 * scale, 10 ** min(scale, POWER)))
    if "unit" in tags:
        return rng.choice((F(1, far + 1), F(far, far + 1)))
    if {"positive", "spd"} & set(tags) and rng.random() < 0.5:
        return value / far
    return value * min(far, 10**FLOAT)


def at_scale(world: Any, scale: int, seed: Any) -> Iterator[None]:
    """Put a world into states at this scale."""
    world.scale = scale
    try:
        for i in range(WORLDS if scale else 0):
            world.style = "plain"
            if not world.smooth:
                world.size, world.sizes_of = (2, 2, 3)[i % 3], {}
            world.redraw((seed, "scale", i))
            yield
    finally:
        world.scale = 0
