"""Worlds beside a world: small random moves of what was drawn, and simple fractions near it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from vaedocs.derivation.worlds.draw import World
from vaedocs.derivation.worlds.matrices import Mat, identity

F = Fraction


def step(world: World, state: dict[Any, Any], rng: random.Random, spread: float) -> None:
    """Put ``world`` into a neighbour of ``state``."""
    for moving in (False, True):  # first the state itself: what is drawn anew must see its sizes
        made = stepped(world, state, rng, spread) if moving else state
        world.raw_values.clear()
        world.raw_values.update(made)
        world.renew()


def stepped(world: World, raw: dict[Any, Any], rng: random.Random, spread: float) -> dict[Any, Any]:
    """A copy of raw values with some of them moved inside their domains."""
    made = dict(raw)
    keys = [k for k in made if movable(world, k)]
    if not keys:
        return made
    for key in rng.sample(keys, min(len(keys), rng.choice((1, 1, 2, 3, len(keys))))):
        made[key] = moved(world, key, made[key], rng, spread)
    return made


def movable(world: World, key: Any) -> bool:
    """Whether a raw value may be moved."""
    if isinstance(key, tuple) and key[0] == "weight":
        return not world.is_discrete(key[1])  # type: ignore[attr-defined]
    if isinstance(key, tuple) and key[0] == "coordinates":
        whole = {"integer", "whole"} & world.tags_of_places(key[1])  # type: ignore[attr-defined]
        return not whole and key[1] in world.places  # type: ignore[attr-defined]
    name = key[0] if isinstance(key, tuple) else key
    return name not in world.context.counting | world.context.labels


def moved(world: World, key: Any, value: Any, rng: random.Random, spread: float) -> Any:
    """A neighbour of a raw value."""

    def scale(v: Any) -> float:
        return min(1e6, max(1e-6, float(v) * math.exp(spread * rng.gauss(0, 1))))

    def shift(v: Any) -> float:
        return float(v) + spread * rng.gauss(0, 1)

    def squash(v: Any) -> float:
        p = min(1 - 1e-6, max(1e-6, float(v)))
        return 1 / (1 + (1 - p) / p * math.exp(-spread * rng.gauss(0, 1)))

    def by(tags: Any) -> Callable[[Any], float]:
        return (
            squash
            if "unit" in tags
            else scale
            if {"positive", "nonnegative", "spd", "positive diagonal"} & set(tags)
            else shift
        )

    if isinstance(key, tuple) and key[0] in {"mass", "weight"}:
        return [scale(v) for v in value]
    if isinstance(key, tuple) and key[0] == "coordinates":
        tags = world.tags_of_places(key[1])  # type: ignore[attr-defined]
        return [v.map(by(tags)) if isinstance(v, Mat) else by(tags)(v) for v in value]
    if isinstance(key, tuple) and key[0] == "observed":
        if not world.smooth:
            return rng.randrange(6)
        return value.map(shift) if isinstance(value, Mat) else shift(value)
    if isinstance(key, tuple) and key[0] in {"function", "coefficients"}:
        info = world.context.functions.get(key[1])
        if key[0] == "coefficients" or info is None:
            return [min(1.5, max(-1.5, shift(v))) for v in value]
        return [by(world.function_tags(key[1], info))(v) for v in value]
    if isinstance(key, tuple) and key[0] in {"law", "logit", "slope"}:
        return [min(1.0, max(-1.0, shift(v))) for v in value]
    if isinstance(key, tuple) and key[0] == "gauss":  # mean, spread, slopes
        return [scale(v) if i == 1 else shift(v) for i, v in enumerate(value)]
    if isinstance(key, tuple) and key[0] == "line":  # power, constant, coefficients
        return [v if i == 0 else shift(v) for i, v in enumerate(value)]
    name = key[0] if isinstance(key, tuple) else key
    tags = world.context.tags(name) | world.extra_tags.get(name, set())
    if "integer" in tags:
        return max(1, int(value) + rng.choice((-1, 1)))  # counts and indices are positive
    if "whole" in tags and not isinstance(value, Mat):
        made = int(value) + rng.choice((-1, 1))
        return max(0, made) if "nonnegative" in tags else made
    if isinstance(value, Mat):
        if "spd" in tags and value.shape[1] > 1:  # M A M^T is positive definite as A is
            turn = identity(value.shape[0], 1.0).map(lambda v: v + spread * rng.gauss(0, 0.3))
            return turn * value.map(float) * turn.transpose()
        fixed = tags & {"simplex", "onehot"} or any("ortho" in tag for tag in tags)
        if value.shape[1] > 1 or fixed:
            world.salts[("parameter", name)] = rng.random()
            return world.draw_parameter(name, key)
        return value.map(by(tags))
    return by(tags)(value)


def rounded(raw: dict[Any, Any], digits: int) -> dict[Any, Any]:
    """Raw values as simple fractions."""

    def nice(v: Any) -> Any:
        if not isinstance(v, float):
            return v
        found = F(v).limit_denominator(digits)
        if v > 0 and found <= 0:
            return F(1, max(1, round(1 / v)))
        return found

    made: dict[Any, Any] = {}
    for key, value in raw.items():
        if isinstance(key, tuple) and key[0] == "mass":
            total = sum(value)
            value = [float(v / total) for v in value]
            parts = [
                max(F(round(v * digits)), F(1))
                if v * digits >= 0.5 or digits < 100
                else F(max(1, round(v * digits * 100)), 100)
                for v in value
            ]
            made[key] = parts
        elif isinstance(value, list):
            made[key] = [v.map(nice) if isinstance(v, Mat) else nice(v) for v in value]
            told = isinstance(key, tuple) and key[0] == "coordinates"
            if told and any(v in made[key][:k] for k, v in enumerate(made[key])):
                made[key] = rounded({0: value}, 10**6)[0]  # points that fell together
        elif isinstance(value, Mat):
            moved_spd = value.shape[1] > 1 and isinstance(value.rows[0][0], float)
            root = value.cholesky(math.sqrt).map(nice) if moved_spd else None
            made[key] = value.map(nice) if root is None else root * root.transpose()
        else:
            made[key] = nice(value)
    return made
