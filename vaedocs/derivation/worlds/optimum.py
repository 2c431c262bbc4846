"""Maxima and minima: over a finite space by looking at all points, else by a search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sympy import Expr, Symbol

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Inexact, Rough, Undefined
from vaedocs.derivation.worlds.core import Thunk
from vaedocs.derivation.worlds.descent import Vector, descent, newton, simplex
from vaedocs.derivation.worlds.dials import MANY, dial
from vaedocs.derivation.worlds.labels import MEMBERS


def extremum(world: Any, e: ex.Extremum) -> Thunk:
    """The compiled ``max``, ``min``, ``sup``, ``inf``, ``argmax`` or ``argmin``."""
    name = str(e.args[0].name)
    sign = -1.0 if name in {"max", "sup", "argmax"} else 1.0
    world.nested = world.nested or e.args[1].has(ex.Extremum)
    body = world(e.args[1])
    names = [v.name for v in e.bound if isinstance(v, Symbol)]
    if len(names) < len(e.bound):
        raise CannotEvaluate("an optimum is taken over plain names")

    def compute() -> Any:
        value, at = optimise(world, body, names, sign, name in {"sup", "inf"})
        if not name.startswith("arg"):
            return value
        if len(at) > 1:
            raise CannotEvaluate("the place of an optimum in several names")
        return at[0]

    return compute


def optimise(
    world: Any, body: Thunk, names: Sequence[str], sign: float, closed: bool = False
) -> tuple[Any, list[Any]]:
    """The best value of ``body`` and where it is attained; ``sign`` is 1 for a minimum. ``closed``:
    a bound that is only approached will do."""
    context, env = world.context, world.env
    if world.smooth and context.chosen & {*names}:
        kind = "functions" if context.functions.keys() & {*names} else "densities"
        raise CannotEvaluate(f"an optimum over all {kind}")
    old = [(n, env.get(n)) for n in names]
    try:
        if world.smooth:
            return searched(world, body, names, sign, closed)
        looked = [n for n in names if n not in context.chosen]
        dense = [n for n in names if n in context.chosen]
        refuse_constraints(world, looked)
        if dense and world.numbers.name != "floats":
            raise Rough("an optimum over all densities or functions")
        if dense:
            body()  # shows at which places functions stand
        inside = body if not dense else lambda: searched(world, body, dense, sign, closed)[0]
        return among_points(world, inside, looked, sign)
    finally:
        for n, v in old:
            world.restore(n, v)


def searched(
    world: Any, body: Thunk, names: Sequence[str], sign: float, closed: bool
) -> tuple[Any, list[Any]]:
    """The best value by a search, from a few starts."""
    env, dials = world.env, [dial(world, n) for n in names]
    first: Vector = [u for one in dials for u in one.start]
    moving = list(range(len(first)))

    def place(u: Vector) -> list[Any]:
        whole, made, k = list(first), [], 0
        for i, v in zip(moving, u, strict=True):
            whole[i] = v
        for one in dials:
            made.append(one.at(whole[k : k + len(one.start)]))
            k += len(one.start)
        return made

    def f(u: Vector) -> float:
        try:
            env.update(zip(names, place(u), strict=True))
        except Undefined:
            return math.inf
        return value_at()

    def value_at() -> float:
        world.tick()
        try:
            value = body()
        except (Undefined, OverflowError, ZeroDivisionError):
            return math.inf
        return sign * float(value) if math.isfinite(value) else math.inf

    if dials[0].values:
        if len(names) > 1:
            raise CannotEvaluate("an optimum over a whole number and something else")
        sizes = []
        for value in dials[0].values:
            env[names[0]] = value
            sizes.append((value_at(), value))
        best, there = min(sizes)
        if abs(there) >= MANY or not math.isfinite(best):
            raise Undefined("the optimum is not attained")
        return sign * best, [there]
    if world.context.chosen & {*names}:  # some rows of a table may not matter
        centre = f(first)
        moved = [[v + 0.37 * (i == k) for i, v in enumerate(first)] for k in moving]
        moving = [k for k, u in enumerate(moved) if f(u) != centre]
        if not moving:
            return sign * centre, place([])
    begin = [first[i] for i in moving]
    if len(begin) > MOST:
        raise CannotEvaluate(f"an optimum over {len(begin)} numbers")
    brief = world.nested and not world.context.chosen  # hundreds of searches for one value
    starts_at = [[x + shift for x in begin] for shift in ((0.0,) if brief else (0.0, 1.3))]
    if any(one.compact for one in dials):
        starts_at.append([x + 1.3 * (-1) ** i for i, x in enumerate(begin)])
    if len(begin) == 1:  # of u / |u| the other sign lies behind a gap
        starts_at.append([-begin[0] - 0.7])
    search = simplex if len(begin) <= FEW else descent
    found = min((search(f, start) for start in starts_at), key=f)
    found = newton(f, found)
    if not any(one.compact for one in dials):
        at = PROBES[:3] if brief else PROBES
        probes = [[*found[:i], u, *found[i + 1 :]] for i in range(len(begin)) for u in at]
        for probe in sorted(probes, key=f)[: 1 if brief else 5]:  # of several optima the best one
            if max(abs(u - v) for u, v in zip(probe, found, strict=True)) > 0.6:
                found = min(found, newton(f, search(f, probe)), key=f)
    best = f(found)
    if len(names) == 1:
        for end in dials[0].ends:
            env[names[0]] = end
            if (value := value_at()) <= best + 1e-9 * (1 + abs(best)):
                return sign * value, [end]
    best = 0.0 if abs(best) < NOISE else best
    far = any(abs(v) > 25 for v in found) and not any(one.compact for one in dials)
    if (far and not closed) or not math.isfinite(best):
        raise Undefined("the optimum is not attained")
    return sign * best, place(found)


def refuse_constraints(world: Any, names: Sequence[str]) -> None:
    """The search would leave the place where a hypothesis holds."""
    for fact in world.theory.constraints:
        held = {v.name for side in (fact.left, fact.right) for v in side.free_symbols}
        if held & set(names):
            raise CannotEvaluate(f"an optimum where {fact.left} {fact.relation} {fact.right}")


FEW, MOST = 4, 10  # numbers of one search
PROBES = (0.0, -6.0, 6.0, -24.0, -12.0, *(k / 2 for k in range(-8, 9) if k), 12.0, 24.0)
NOISE = 1e-13  # below this a best value is zero


def among_points(
    world: Any, body: Thunk, names: Sequence[str], sign: float
) -> tuple[Any, list[Any]]:
    """The best point of finite spaces."""
    if not all(world.context.is_random(n) or n in world.context.labels for n in names):
        raise Inexact("an optimum over a parameter")
    best: Any = None
    at: list[Any] = []

    def level(i: int) -> None:
        nonlocal best, at
        if i == len(names):
            value = body()
            if best is None or (value < best if sign > 0 else value > best):
                best = value
                at = [content(world, n, world.env[n]) for n in names]
            return
        for k in range(count(world, names[i])):
            world.env[names[i]] = k
            level(i + 1)

    level(0)
    return best, at


def count(world: Any, name: str) -> int:
    """How many points or members a name runs through."""
    slot = world.context.slot_of.get(name)
    return MEMBERS if slot is None else len(world.space(slot))


def content(world: Any, name: str, k: int) -> Any:
    """What the k-th of them is."""
    return k if name in world.context.labels else world.coordinate(name, k)


def cell(world: Any, name: str, value: Any) -> Any:
    """What a variable's cell holds at a value: in a finite world the number of the point."""
    if world.smooth or not world.context.is_random(name):
        return value
    points = world.space(world.context.slot_of[name])
    if value not in points:
        raise Undefined(f"{name} does not take this value")
    return points.index(value)


def attained(world: Any, e: ex.Extremum, there: Expr) -> tuple[Thunk, Thunk]:
    """For a claim "argmin f = there": the optimum of f, and f at the claimed place."""
    name = str(e.args[0].name)
    sign = -1.0 if name == "argmax" else 1.0
    body = world(e.args[1])
    names = [v.name for v in e.bound]
    if world.context.chosen & {*names}:
        raise CannotEvaluate("the place of an optimum over all densities or functions")
    if len(names) > 1 and not isinstance(there, ex.Extremum):
        raise CannotEvaluate("the place of an optimum in several names")
    target = None if isinstance(there, ex.Extremum) else world(there)
    other = None
    if isinstance(there, ex.Extremum):
        other_sign = -1.0 if str(there.args[0].name) == "argmax" else 1.0
        other_body, other_names = world(there.args[1]), [v.name for v in there.bound]
        if len(other_names) != len(names):
            raise CannotEvaluate("two optima over different numbers of names")
        other = (other_body, other_names, other_sign)

    def best() -> Any:
        return optimise(world, body, names, sign)[0]

    def claimed() -> Any:
        values = optimise(world, *other)[1] if other is not None else [target()]  # type: ignore[misc]
        old = [(n, world.env.get(n)) for n in names]
        try:
            world.env.update({n: cell(world, n, v) for n, v in zip(names, values, strict=True)})
            return body()
        finally:
            for n, v in old:
                world.restore(n, v)

    return best, claimed
