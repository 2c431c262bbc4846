"""What an optimum is searched over, as numbers on the line: a parameter in its domain, the entries
of an orthonormal matrix, the tables of a density."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from sympy import Symbol

from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Undefined
from vaedocs.derivation.worlds.hypotheses import pattern_tags
from vaedocs.derivation.worlds.matrices import Mat, column

Numbers = list[float]
SHAPED = {"psd", "antisymmetric", "idempotent", "onehot", "integer", "whole", "triangular"}
WHOLE = {"integer", "whole"}
MANY = 60
FAR = 40.0  # from here on the logarithm of odds counts as infinite
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Dial:
    """Where a search starts, what the cell of the name holds ``at`` some numbers, the closed ends
    of its interval, whether nothing is missing at the edge of its domain, and all ``values`` of a
    whole number that are looked at."""

    start: Numbers
    at: Callable[[Numbers], Any]
    ends: tuple[float, ...] = ()
    compact: bool = False
    values: tuple[float, ...] = ()  # where these are all that is looked at


def dial(world: Any, name: str) -> Dial:
    """The dial of one name over which an optimum is taken."""
    context = world.context
    if name in context.chosen:
        return (_values if name in context.functions else _tables)(world, name)
    value = world(context.symbols[name])()
    tags = context.tags(name) | world.extra_tags.get(name, set())
    if any("ortho" in tag for tag in tags):
        return _orthonormal(value, "orthonormal_rows" in tags)
    if "simplex" in tags:
        logs = [math.log(max(float(v), 1e-9)) for v in value.entries()]
        return Dial(logs, lambda u: column(shares(u)), compact=True)
    if {"spd", "symmetric"} & tags and isinstance(value, Mat) and not {"diagonal"} & tags:
        return _symmetric(value, "spd" in tags)
    if tags & WHOLE and not isinstance(value, Mat):
        return _whole(*_interval(world, name, tags)[2:])
    if tags & (SHAPED | {"spd", "diagonal"}) and context.shape(name):
        raise CannotEvaluate(f"an optimum over the constrained {name}")
    there, back, ends, *_ = _interval(world, name, tags)
    if not isinstance(value, Mat):
        return Dial([back(value)], lambda u: there(u[0]), ends)
    height, width = value.shape

    def matrix(u: Numbers) -> Mat:
        entries = [there(v) for v in u]
        return Mat(entries[i * width : (i + 1) * width] for i in range(height))

    return Dial([back(v) for v in value.entries()], matrix)


def _whole(ends: tuple[float, ...], low: float, high: float) -> Dial:
    """Whole numbers; an optimum at the last of many that are looked at counts as not attained."""
    values = map(float, range(-MANY, MANY + 1))
    return Dial([], lambda u: u[0], values=tuple(v for v in values if low < v < high or v in ends))


def shares(logs: Numbers) -> Numbers:
    """Positive numbers that add up to 1, from their logarithms up to a common term."""
    top = max(logs)
    sizes = [math.exp(max(v - top, -FAR)) for v in logs]
    return [v / sum(sizes) for v in sizes]


def _tables(world: Any, head: str) -> Dial:
    """All densities of a finite space: the odds of every row of every table."""
    rows: dict[Any, tuple[int, int]] = {}
    size = 0
    _, own, given_ = world.theory.chosen.get(head, (head, frozenset(), frozenset()))
    for factor in world.context.order[head]:
        slots = {*factor.slots}
        if factor.formula is not None:
            raise CannotEvaluate(f"an optimum over a {head} of which something is given")
        if own and not slots <= own:
            if slots - given_ and not {*factor.conditions} >= own:
                raise CannotEvaluate(f"an optimum over {head} of some variables alone")
            continue  # what stands behind the bar, and what comes after
        count = math.prod(len(world.space(slot)) for slot in factor.slots)
        for given in product(*(range(len(world.space(slot))) for slot in factor.conditions)):
            rows[factor.slots, given] = (size, size + count - 1)
            size += count - 1
    world.rows_of[head] = rows
    return Dial([0.0] * size, tuple, compact=True)


def _values(world: Any, name: str) -> Dial:
    """All functions of a finite space: their values at the places where they stand."""
    keys = [key for key in world.raw_values if key[:2] == ("function", name)]
    if any(len(world.raw_values[key]) > 1 for key in keys):
        raise CannotEvaluate(f"an optimum over all functions {name} whose values are vectors")
    tags = world.function_tags(name, world.context.functions[name])
    there, back, *_ = _interval(world, name, tags)
    world.rows_of[name] = {key: (k, k + 1) for k, key in enumerate(keys)}
    start = [back(float(world.raw_values[key][0])) for key in keys]
    return Dial(start, lambda u: tuple(map(there, u)), compact="unit" in tags)


def _orthonormal(value: Any, rows: bool) -> Dial:
    """Orthonormal columns (or rows): those of any matrix, made so one after the other."""
    whole = value.transpose() if rows else value
    height, width = whole.shape

    def at(u: Numbers) -> Mat:
        made: list[Numbers] = []
        for j in range(width):
            v = u[j * height : (j + 1) * height]
            for w in made:
                share = sum(a * b for a, b in zip(v, w, strict=True))
                v = [a - share * b for a, b in zip(v, w, strict=True)]
            size = math.sqrt(sum(a * a for a in v))
            if size < 1e-5 * (1 + max(map(abs, u))):
                raise Undefined("columns that depend on each other")
            made.append([a / size for a in v])
        found = Mat(made)  # the columns, as rows
        return found if rows else found.transpose()

    return Dial([float(v) for v in whole.transpose().entries()], at, compact=True)


def _symmetric(value: Mat, positive: bool) -> Dial:
    """Symmetric matrices; positive definite ones by their Cholesky factors."""
    size = len(value.rows)
    places = [(i, j) for i in range(size) for j in range(i + 1)]
    whole = value.map(float)
    start = whole.cholesky(math.sqrt) if positive else whole

    def at(u: Numbers) -> Mat:
        rows = [[0.0] * size for _ in range(size)]
        for (i, j), v in zip(places, u, strict=True):
            rows[i][j] = math.exp(min(v, 300)) if positive and i == j else v
            rows[j][i] = rows[j][i] if positive else rows[i][j]
        low = Mat(rows)
        return low * low.transpose() if positive else low

    first = [start.rows[i][j] for i, j in places]
    pairs = zip(places, first, strict=True)
    return Dial([math.log(v) if positive and i == j else v for (i, j), v in pairs], at)


def _interval(
    world: Any, name: str, tags: set[str]
) -> tuple[Callable[[float], float], Callable[[float], float], tuple[float, ...], float, float]:
    """A map from the line onto a parameter's interval, the map back, the closed ends, and both
    ends."""
    low, high, ends = -math.inf, math.inf, set()
    variable = world.theory.variables.get(name)
    if variable is not None and variable.low is not None and variable.high is not None:
        low, high = (float(world(v)()) for v in (variable.low, variable.high))
    elif "unit" in tags:
        low, high = 0.0, 1.0
    elif tags & {"positive", "nonnegative", "spd", "integer"}:  # the integers count from 1
        low = 0.0
    ends |= {low} if {"low end", "nonnegative"} & tags and "positive" not in tags else set()
    ends |= {high} if "high end" in tags else set()
    for fact in world.theory.constraints:
        if pattern_tags(fact) is not None:
            continue
        left, right, relation = fact.left, fact.right, fact.relation
        if right == Symbol(name) or str(right) == name:
            left, right, relation = right, left, TURNED.get(relation, "")
        if name not in {s.name for side in (left, right) for s in side.free_symbols}:
            continue
        if str(left) != name or name in map(str, right.free_symbols) or relation not in TURNED:
            raise CannotEvaluate(f"an optimum where {fact.left} {fact.relation} {fact.right}")
        end = float(world(right)())
        low, high = (max(low, end), high) if relation[0] == ">" else (low, min(high, end))
        ends |= {end} if relation.endswith("=") else set()
    closed = tuple(end for end in (low, high) if end in ends)
    if math.isfinite(low) and math.isfinite(high):
        width = high - low

        def back(v: float) -> float:
            share = 2 * (float(v) - low) / width - 1
            return 2 * math.atanh(max(-0.99, min(0.99, share)))

        return lambda u: low + width * (0.5 + 0.5 * math.tanh(u / 2)), back, closed, low, high
    if math.isfinite(low) or math.isfinite(high):
        end, way = (low, 1) if math.isfinite(low) else (high, -1)
        return (
            lambda u: end + way * math.exp(min(u, 300)),
            lambda v: math.log(max(way * (float(v) - end), 0.01)),
            closed,
            *(low, high),
        )
    return float, float, (), low, high
