"""The smallest value of a function of a few numbers: a search, then Newton steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from vaedocs.derivation.worlds.arithmetic import Undefined
from vaedocs.derivation.worlds.matrices import Mat

Vector = list[float]


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


def descent(f: Callable[[Vector], float], start: Vector, steps: int = 60) -> Vector:
    """Broyden, Fletcher, Goldfarb and Shanno's search, for more numbers than a simplex likes."""
    n, h, x = len(start), 1e-4, list(start)
    bend = [[float(i == j) for j in range(n)] for i in range(n)]  # of the inverse Hessian

    def slope(at: Vector) -> Vector:
        sides = [[[*at[:i], at[i] + d, *at[i + 1 :]] for d in (h, -h)] for i in range(n)]
        return [(f(up) - f(down)) / (2 * h) for up, down in sides]

    here, g = f(x), slope(x)
    for _ in range(steps):
        way = [-sum(a * b for a, b in zip(row, g, strict=True)) for row in bend]
        fall, size = sum(a * b for a, b in zip(way, g, strict=True)), 1.0
        if not math.isfinite(fall) or fall >= -1e-14:
            break
        while size > 1e-6 and not f(new := [a + size * b for a, b in zip(x, way, strict=True)]) < (
            here + 1e-4 * size * fall
        ):
            size /= 2
        if size <= 1e-6:
            break
        after = slope(new)
        s = [a - b for a, b in zip(new, x, strict=True)]
        y = [a - b for a, b in zip(after, g, strict=True)]
        x, here, g, along = new, f(new), after, sum(a * b for a, b in zip(s, y, strict=True))
        if along > 1e-14:
            by = [sum(a * b for a, b in zip(row, y, strict=True)) for row in bend]
            share = 1 + sum(a * b for a, b in zip(y, by, strict=True)) / along
            bend = [
                [
                    bend[i][j] + (share * s[i] * s[j] - by[i] * s[j] - s[i] * by[j]) / along
                    for j in range(n)
                ]
                for i in range(n)
            ]
    return x


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
