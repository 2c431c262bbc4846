"""Maxima and minima over named parameters, by a simplex search and Newton steps; over a finite
space by looking at all points."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from sympy import Expr, Symbol

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Inexact, Undefined
from vaedocs.derivation.worlds.core import Thunk
from vaedocs.derivation.worlds.labels import MEMBERS
from vaedocs.derivation.worlds.matrices import Mat

Vector = list[float]


def extremum(world: Any, e: ex.Extremum) -> Thunk:
    """The compiled ``max``, ``min``, ``sup``, ``inf``, ``argmax`` or ``argmin``."""
    name = str(e.args[0].name)
    sign = -1.0 if name in {"max", "sup", "argmax"} else 1.0
    body = world(e.args[1])
    names = [v.name for v in e.bound if isinstance(v, Symbol)]
    if len(names) < len(e.bound):
        raise CannotEvaluate("an optimum is taken over plain names")

    def compute() -> Any:
        value, at = optimise(world, body, names, sign)
        if not name.startswith("arg"):
            return value
        if len(at) > 1:
            raise CannotEvaluate("the place of an optimum in several names")
        return at[0]

    return compute


def optimise(world: Any, body: Thunk, names: Sequence[str], sign: float) -> tuple[Any, list[Any]]:
    """The best value of ``body`` and where it is attained; ``sign`` is 1 for a minimum."""
    context, env = world.context, world.env
    if any(n in context.heads and n not in context.slot_of for n in names):
        raise CannotEvaluate("an optimum over all densities")
    if any(n in context.functions for n in names):
        raise CannotEvaluate("an optimum over all functions")
    old = [(n, env.get(n)) for n in names]
    try:
        if not world.smooth:
            refuse_constraints(world, names)
            return among_points(world, body, names, sign)
        starts = [world(context.symbols[n])() for n in names]
        shapes = [v.shape if isinstance(v, Mat) else None for v in starts]
        maps = [bounds(world, n) for n in names]
        refuse_constraints(world, names)

        def place(u: Vector) -> list[Any]:
            made, k = [], 0
            for shape, (there, _) in zip(shapes, maps, strict=True):
                size = shape[0] * shape[1] if shape else 1
                entries = [there(v) for v in u[k : k + size]]
                k += size
                made.append(
                    Mat(entries[i * shape[1] : (i + 1) * shape[1]] for i in range(shape[0]))
                    if shape
                    else entries[0]
                )
            return made

        def f(u: Vector) -> float:
            env.update(zip(names, place(u), strict=True))
            world.tick()
            try:
                value = body()
            except (Undefined, OverflowError, ZeroDivisionError):
                return math.inf
            return sign * float(value) if math.isfinite(value) else math.inf

        first: Vector = []
        for v, (_, back) in zip(starts, maps, strict=True):
            first += [back(x) for x in (v.entries() if isinstance(v, Mat) else [v])]
        if len(first) > 4:
            raise CannotEvaluate(f"an optimum over {len(first)} numbers")
        starts_at = [[x + shift for x in first] for shift in (0.0, 1.3)]
        if len(first) == 1:  # of u / |u| the other sign lies behind a gap
            starts_at.append([-first[0] - 0.7])
        found = min((simplex(f, start) for start in starts_at), key=f)
        found = newton(f, found)
        probes = [[*found[:i], u, *found[i + 1 :]] for i in range(len(first)) for u in PROBES]
        for probe in sorted(probes, key=f)[:5]:  # of several optima the best one
            if max(abs(u - v) for u, v in zip(probe, found, strict=True)) > 0.6:
                found = min(found, newton(f, simplex(f, probe)), key=f)
        if any(abs(v) > 25 for v in found) or not math.isfinite(f(found)):
            raise Undefined("the optimum is not attained")
        return sign * f(found), place(found)
    finally:
        for n, v in old:
            world.restore(n, v)


def refuse_constraints(world: Any, names: Sequence[str]) -> None:
    """The search would leave the place where a hypothesis holds."""
    for fact in world.theory.constraints:
        held = {v.name for side in (fact.left, fact.right) for v in side.free_symbols}
        if held & set(names):
            raise CannotEvaluate(f"an optimum where {fact.left} {fact.relation} {fact.right}")


PROBES = (-24.0, -12.0, -6.0, *(k / 2 for k in range(-8, 9)), 6.0, 12.0, 24.0)


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


def bounds(world: Any, name: str) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """A map from the line onto a parameter's domain, and back."""
    tags = world.context.tags(name) | world.extra_tags.get(name, set())
    if tags & {
        "orthonormal",
        "orthogonal",
        "simplex",
        "onehot",
        "spd",
        "integer",
    } and world.context.shape(name):
        raise CannotEvaluate(f"an optimum over the constrained {name}")
    variable = world.theory.variables.get(name)
    if variable is not None and variable.low is not None and variable.high is not None:
        low, high = (float(world(v)()) for v in (variable.low, variable.high))
        if math.isfinite(low) != math.isfinite(high):
            end, way = (low, 1) if math.isfinite(low) else (high, -1)
            return (
                lambda u: end + way * math.exp(min(u, 300)),
                lambda v: math.log(max(way * (float(v) - end), 0.01)),
            )
        if math.isfinite(low):
            return (
                lambda u: low + (high - low) * (0.5 + 0.5 * math.tanh(u / 2)),
                lambda v: (
                    2 * math.atanh(max(-0.99, min(0.99, 2 * (float(v) - low) / (high - low) - 1)))
                ),
            )
    if "unit" in tags:
        return lambda u: 0.5 + 0.5 * math.tanh(u / 2), lambda v: 2 * math.atanh(2 * float(v) - 1)
    if tags & {"positive", "nonnegative", "spd"}:
        return lambda u: math.exp(min(u, 300)), lambda v: math.log(float(v))
    return float, float


def simplex(f: Callable[[Vector], float], start: Vector, steps: int = 250) -> Vector:
    """Nelder and Mead's search."""
    n = len(start)
    points = [list(start)] + [[x + 0.5 * (i == j) for j, x in enumerate(start)] for i in range(n)]
    ranked = sorted((f(p), p) for p in points)
    for _ in range(steps):
        worst = ranked[-1]
        if abs(worst[0] - ranked[0][0]) < 1e-12 * (1 + abs(ranked[0][0])) and worst[0] < math.inf:
            break
        middle = [sum(p[j] for _, p in ranked[:-1]) / n for j in range(n)]

        def along(t: float, middle: Vector = middle, worst: Any = worst) -> tuple[float, Vector]:
            p = [m + t * (m - w) for m, w in zip(middle, worst[1], strict=True)]
            return f(p), p

        tried = along(1.0)
        if tried[0] < ranked[0][0]:
            tried = min(tried, along(2.0))
        elif tried[0] >= ranked[-2][0]:
            tried = min(along(0.5), along(-0.5))
            if tried[0] >= worst[0]:
                best = ranked[0][1]
                ranked = [ranked[0]] + [
                    (f(q), q)
                    for q in (
                        [(a + b) / 2 for a, b in zip(p, best, strict=True)] for _, p in ranked[1:]
                    )
                ]
                ranked.sort()
                continue
        ranked[-1] = tried
        ranked.sort()
    return ranked[0][1]


def newton(f: Callable[[Vector], float], x: Vector, rounds: int = 4) -> Vector:
    """A few Newton steps with numerical derivatives, kept only while they help."""
    n, h = len(x), 0.02

    def shifted(base: Vector, *moves: tuple[int, float]) -> float:
        p = list(base)
        for i, d in moves:
            p[i] += d
        return f(p)

    for _ in range(rounds):
        centre = f(x)
        slope = [
            (
                8 * (shifted(x, (i, h)) - shifted(x, (i, -h)))
                - shifted(x, (i, 2 * h))
                + shifted(x, (i, -2 * h))
            )
            / (12 * h)
            for i in range(n)
        ]
        bend = [
            [
                (
                    shifted(x, (i, h), (j, h))
                    - shifted(x, (i, h), (j, -h))
                    - shifted(x, (i, -h), (j, h))
                    + shifted(x, (i, -h), (j, -h))
                )
                / (4 * h * h)
                for j in range(n)
            ]
            for i in range(n)
        ]
        try:
            step = (Mat(bend).inverse() * Mat([[s] for s in slope])).entries()
        except (Undefined, ZeroDivisionError):
            return x
        new = [a - b for a, b in zip(x, step, strict=True)]
        if not all(map(math.isfinite, new)) or f(new) > centre + 1e-9 * (1 + abs(centre)):
            return x
        x = new
        if max(map(abs, step)) < 1e-10:
            break
    return x


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
