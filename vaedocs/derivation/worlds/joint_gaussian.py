"""Gaussian algebra: a joint grown factor by factor, averages of log densities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from vaedocs.derivation.worlds.algebra import as_matrix
from vaedocs.derivation.worlds.arithmetic import LOG2PI, CannotEvaluate
from vaedocs.derivation.worlds.laws import (
    NormalLaw,
)
from vaedocs.derivation.worlds.matrices import Mat, column

At = dict[str, Any]  # slot -> value


class JointGaussian:
    """A Gaussian over named vectors, grown one linear factor at a time."""

    def __init__(self) -> None:
        self.at: dict[str, list[int]] = {}
        self.mean: list[float] = []
        self.covariance: list[list[float]] = []
        self.parts: dict[Any, Any] = {}

    def add(
        self, slot: str, base: list[float], noise: Mat, slopes: list[tuple[str, int, list[float]]]
    ) -> None:
        """``slot`` = base + Σ slope · entry + noise."""
        old, size = len(self.mean), len(base)
        a = [[0.0] * old for _ in range(size)]
        for c, j, step in slopes:
            for i, v in enumerate(step):
                a[i][self.at[c][j]] = v
        self.at[slot] = list(range(old, old + size))
        cross = [
            [sum(a[i][k] * self.covariance[k][j] for k in range(old)) for j in range(old)]
            for i in range(size)
        ]
        own = [
            [noise.rows[i][j] + sum(cross[i][k] * a[j][k] for k in range(old)) for j in range(size)]
            for i in range(size)
        ]
        self.mean += [
            base[i] + sum(a[i][k] * self.mean[k] for k in range(old)) for i in range(size)
        ]
        for j, row in enumerate(self.covariance):
            row.extend(cross[i][j] for i in range(size))
        self.covariance += [cross[i] + own[i] for i in range(size)]

    def log_density(self, slots: Sequence[str], at: At) -> float:
        """The log density of some of the vectors."""
        found = self.parts.get(tuple(slots))
        if found is None:
            pick = [k for s in slots for k in self.at[s]]
            part = Mat([[self.covariance[i][j] for j in pick] for i in pick])
            law = NormalLaw(column(self.mean[k] for k in pick), part.cholesky(math.sqrt))
            found = self.parts[tuple(slots)] = (law.mean, law.spread.inverse(), law.spread)
        mean, back, low = found
        values = column(v for s in slots for v in as_matrix(at[s]).entries())
        u = (back * (values - mean)).entries()
        logs = sum(math.log(low.rows[i][i]) for i in range(len(u)))
        return -0.5 * (len(u) * LOG2PI + sum(v * v for v in u)) - logs


def log_normal(v: Any, law: NormalLaw) -> float:
    """The log density of a Gaussian with a diagonal spread."""
    if not isinstance(v, Mat):
        u = (v - law.mean) / law.spread
        return -0.5 * (LOG2PI + u * u) - math.log(law.spread)
    total = 0.0
    for i, (x, m) in enumerate(zip(v.entries(), law.mean.entries(), strict=True)):
        s = law.spread.rows[i][i]
        total += -0.5 * (LOG2PI + ((x - m) / s) ** 2) - math.log(s)
    return total


def gaussian_average(p: NormalLaw, q: NormalLaw) -> float:
    """∫ p log q of two Gaussians, in closed form."""
    (m, low), (n, root) = p.moments(), q.moments()
    if m.shape != n.shape:
        raise CannotEvaluate(f"a divergence between densities of a {m.words()} and a {n.words()}")
    back = root.inverse()
    whitened = (back * low).entries()
    moved = (back * (n - m)).entries()
    d = len(m.rows)
    logs = sum(math.log(root.rows[i][i]) for i in range(d))
    return -0.5 * (d * LOG2PI + sum(v * v for v in whitened) + sum(v * v for v in moved)) - logs
