"""Factors of a smooth joint: declared formulas, and random densities where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from sympy import Expr

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.arithmetic import LOG2PI, CannotEvaluate, Floats, Undefined
from vaedocs.derivation.worlds.binders import LONGEST, SETTLED
from vaedocs.derivation.worlds.context import Context, Factor
from vaedocs.derivation.worlds.draw import World
from vaedocs.derivation.worlds.joint_gaussian import At, log_normal
from vaedocs.derivation.worlds.laws import (
    HalfLineLaw,
    IntervalLaw,
    Law,
    MixtureLaw,
    NormalLaw,
    PointsLaw,
    UnitLaw,
)
from vaedocs.derivation.worlds.matrices import Mat, column

F = Fraction
HEADS = 3  # of how many counts a random density has a mass of its own


class Factors(World):
    """A world that knows the factors of every head: their densities, and where their mass lies."""

    smooth = True

    def __init__(
        self,
        context: Context,
        seed: Any = 0,
        style: str = "plain",
        level: int = 0,
        numbers: Any = None,
    ):
        self.level = level
        self.steep = any(isinstance(f.formula, ex.Beta) for f in context.theory.families.values())
        self.known: dict[Any, Any] = {}
        self.busy: set[Any] = set()
        self.hulls: dict[Any, Any] = {}
        super().__init__(context, numbers or Floats(), seed, style)

    def renew(self) -> None:
        super().renew()
        self.known.clear()
        self.hulls.clear()

    def at_level(self, level: int) -> None:
        """The same world on finer grids (and with another step of numerical derivatives)."""
        self.level = level
        self.numbers.step = 0.05 / 1.3**level
        self.forget()
        self.known.clear()

    def needs_log(self, a: Expr) -> bool:
        return self.is_density_like(a)

    def counts(self) -> tuple[int, ...]:
        if self.many:
            return (self.many,)
        if self.wide:
            return (1, 2, 3, 4)
        return (1, 2, 2, 3) if self.style != "tiny" else (1, 1, 2)

    def law(self, e: Expr, name: Any) -> Law:
        """Where ``e``, as a function of the variable in cell ``name``, has its mass."""
        raise NotImplementedError

    # -- factors -----------------------------------------------------------------------------------

    def discrete_values(self, slot: str) -> list[Any] | None:
        """The values of a slot that takes finitely many."""
        found = self.listed_values(slot)
        if self.first_count(slot) is not None:
            return None
        if found is None and self.context.variable(slot).discrete:
            constants = [self(c)() for c in self.context.constants.get(slot, [])]
            more = [v for v in (1.0, 2.0, 3.0) if v not in constants]
            found = constants + more[: max(0, 3 - len(constants))]
        return found

    def first_count(self, slot: str) -> int | None:
        """From where on a variable counts that takes infinitely many values."""
        variable = self.context.variable(slot)
        low, high = variable.low, variable.high
        if not variable.discrete or variable.values or low is None or high is None:
            return None
        return self.integer(low)() if low.is_finite and high.is_infinite else None

    def counted_law(self, first: int, log: Callable[[float], float]) -> PointsLaw:
        """The counts from ``first`` on, as far as a density with this logarithm has mass."""
        values: list[float] = []
        logs: list[float] = []
        while len(logs) < SETTLED or max(logs[-SETTLED:]) > max(logs) - 42:
            if len(logs) == LONGEST:
                raise Undefined("a density of counts that does not decay")
            values.append(float(first + len(logs)))
            logs.append(log(values[-1]))
        self.tick(len(logs))
        top = max(logs) if max(logs) > -math.inf else 0.0
        return PointsLaw(tuple(values), tuple(math.exp(v - top) for v in logs))

    def coefficients(self, key: Any, count: int) -> list[float]:
        """Random numbers that belong to ``key``, in [-1, 1]."""
        raw = self.raw_values.get(key)
        if raw is None or len(raw) < count:
            rng = self.rng(key)
            raw = self.raw_values[key] = [F(rng.randint(-8, 8), 8) for _ in range(count)]
        return [float(v) for v in raw]

    def law_of_factor(self, head: str, factor: Factor, at: At) -> Law:
        """Where the mass of a factor lies, given its conditions."""
        if factor.formula is not None:
            if len(factor.slots) > 1:
                raise CannotEvaluate(f"a declared joint formula of {', '.join(factor.slots)}")
            return self.with_names(
                factor, at, lambda: self.law(factor.formula, dict(factor.symbols)[factor.slots[0]])
            )
        slot = factor.slots[0]
        values = self.discrete_values(slot)
        if values is not None:
            return PointsLaw(
                tuple(values),
                tuple(math.exp(self.log_free(head, factor, {**at, slot: v})) for v in values),
            )
        if (first := self.first_count(slot)) is not None:
            key = ("counts", head, slot, *self.features(at, factor, head))
            if key not in self.known:
                self.known[key] = self.counted_law(
                    first, lambda v: self.log_free(head, factor, {**at, slot: v})
                )
            return self.known[key]
        return self.law_between_ends(slot) or self.mixture(head, factor, at)

    def law_between_ends(self, slot: str) -> Law | None:
        """The law of a variable with a declared interval or half line; None without one."""
        variable = self.context.variable(slot)
        low = None if variable.low is None else self(variable.low)()
        high = None if variable.high is None else self(variable.high)()
        if low is None or not math.isfinite(low):
            return None
        if high is None or not math.isfinite(high):
            return HalfLineLaw(low, 1.0)
        return UnitLaw() if self.steep and (low, high) == (0, 1) else IntervalLaw(low, high)

    def features(self, at: At, factor: Factor, head: str) -> list[float]:
        """All entries of the conditions, and of the head's parameters that vary."""
        entries: list[float] = []
        for c in factor.conditions:
            v = at[c]
            entries += v.entries() if isinstance(v, Mat) else [v]
        for p in self.context.parameters_of(head, factor):
            if p.name in self.context.varying:
                v = self.raw(p)()
                entries += v.entries() if isinstance(v, Mat) else [v]
        return entries

    def mixture(self, head: str, factor: Factor, at: At) -> MixtureLaw:
        """A random mixture of two Gaussians whose means move smoothly with the conditions."""
        entries = self.features(at, factor, head)
        key = ("mixture", head, factor.slots, *entries)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.new_mixture(head, factor.slots[0], entries)
        return found

    def new_mixture(self, head: str, slot: str, entries: list[float]) -> MixtureLaw:
        shape = self.sizes(self.context.variable(slot).shape)
        d = shape[0] if shape else 1
        if self.style == "gauss":
            start, spread, *slopes = map(float, self.simple_normal(head, slot, len(entries)))
            at = start + sum(a * u for a, u in zip(slopes, entries, strict=True))
            plain = NormalLaw(at, spread)
            if shape:
                square = [[spread * (i == j) for j in range(d)] for i in range(d)]
                plain = NormalLaw(column([at] * d), Mat(square))
            return MixtureLaw(((0.5, plain), (0.5, plain)))
        means: list[list[float]] = [[], []]
        sizes: list[list[float]] = [[], []]
        for i in range(d):
            c = self.coefficients(("law", head, slot, i), 6 + 4 * len(entries))
            m, s, rest = c[0] / 2, 0.0, c[6:]
            for k, u in enumerate(entries):
                a, b, w, phase = rest[4 * k : 4 * k + 4]
                wave = math.sin((0.7 + 0.3 * w) * u + 3 * phase)
                m += 0.45 * a * u + 0.6 * b * wave
                s += 0.2 * a * math.cos(0.8 * u + 2 * b)
            size = (0.8 + 0.25 * c[1]) * math.exp(s) * self.narrow(c[2])
            gap = (0.25 + 0.2 * c[3]) * size
            means[0].append(m - gap)
            means[1].append(m + 1.5 * gap)
            sizes[0].append(size)
            sizes[1].append(size * (0.8 + 0.1 * c[4]))
        share = 0.55 + 0.1 * self.coefficients(("law", head, slot, 0), 6)[5]
        if not shape:
            return MixtureLaw(
                (
                    (share, NormalLaw(means[0][0], sizes[0][0])),
                    (1 - share, NormalLaw(means[1][0], sizes[1][0])),
                )
            )
        laws = [
            NormalLaw(
                column(m), Mat([[s[i] if i == j else 0.0 for j in range(d)] for i in range(d)])
            )
            for m, s in zip(means, sizes, strict=True)
        ]
        return MixtureLaw(((share, laws[0]), (1 - share, laws[1])))

    def simple_normal(self, head: str, slot: str, count: int) -> list[Fraction]:
        """Mean, standard deviation and slopes of a Gaussian that a reader can follow."""
        key = ("gauss", head, slot)
        raw: list[Fraction] | None = self.raw_values.get(key)
        if raw is None or len(raw) < count + 2:
            rng = self.rng(key)
            raw = [F(rng.choice((0, 0, 1))), rng.choice((F(1), F(1), F(1, 2), F(2)))]
            raw += [F(rng.choice((1, 1, -1, 2))) for _ in range(count)]
            self.raw_values[key] = raw
        return raw[: count + 2]

    def narrow(self, c: float) -> float:
        """A factor on standard deviations: small ones make densities exceed 1."""
        return 10 ** (-1 + 0.6 * c) if self.style == "extreme" else 1.0

    def log_free(self, head: str, factor: Factor, at: At) -> float:
        """The log density of a factor without formula."""
        slot = factor.slots[0]
        kind = self.hulls.get(("kind", slot))
        if kind is None:
            free = self.discrete_values(slot) is None and self.context.variable(slot).low is None
            kind = self.hulls[("kind", slot)] = "line" if free else "other"
        values = self.discrete_values(slot) if kind == "other" else None
        entries = self.features(at, factor, head) if kind == "other" else []
        first = self.first_count(slot) if kind == "other" else None
        if values is not None or first is not None:
            logits = []
            for k in range(len(values) if values is not None else HEADS):
                c = self.coefficients(("logit", head, slot, k), 1 + 3 * len(entries))
                total = 1.2 * c[0]
                for j, u in enumerate(entries):
                    a, b, w = c[1 + 3 * j : 4 + 3 * j]
                    total += 0.6 * a * u + 0.7 * b * math.sin(u + 3 * w)
                logits.append(total)
            top = max(logits)
            if values is None:  # these and a geometric tail, of as much mass as the last of them
                n = round(at[slot] - first)
                if n < 0 or n + first != at[slot]:
                    return -math.inf
                mass = sum(math.exp(v - top) for v in (*logits, logits[-1]))
                tail = max(0, n - HEADS + 1) * math.log(2)
                return logits[min(n, HEADS - 1)] - tail - top - math.log(mass)
            i = next((i for i, v in enumerate(values) if v == at[slot]), None)
            if i is None:
                raise Undefined(f"{slot} does not take this value")
            return logits[i] - top - math.log(sum(math.exp(v - top) for v in logits))
        variable = self.context.variable(slot)
        low = None if variable.low is None else self(variable.low)()
        high = None if variable.high is None else self(variable.high)()
        if kind == "other" and low is not None and math.isfinite(low):
            c = self.coefficients(("law", head, slot, 0), 6 + 4 * len(entries))
            moved = sum(
                c[6 + 4 * k] * math.sin(u + 3 * c[7 + 4 * k]) for k, u in enumerate(entries)
            )
            if high is not None and math.isfinite(high):
                t = (at[slot] - low) / (high - low)
                if not 0 <= t <= 1:
                    return -math.inf
                a, b = 0.6 * math.sin(c[0] * 2 + moved), 0.3 * c[1]
                return math.log(
                    (1 + a * math.cos(math.pi * t) + b * math.cos(2 * math.pi * t)) / (high - low)
                )
            t = at[slot] - low
            if t <= 0:
                return -math.inf
            rate = math.exp(0.4 * math.sin(c[0] * 2 + moved))
            # a gamma density of shape 2, mixed with an exponential
            share = 0.5 + 0.3 * c[1]
            return math.log(
                share * rate * math.exp(-rate * t)
                + (1 - share) * rate * rate * t * math.exp(-rate * t)
            )
        law = self.mixture(head, factor, at)
        v = at[slot]
        if not isinstance(v, Mat):
            (w1, n1), (w2, n2) = law.parts
            s1, s2 = n1.spread, n2.spread  # type: ignore[attr-defined]
            a, b = (v - n1.mean) / s1, (v - n2.mean) / s2  # type: ignore[attr-defined]
            one, two = math.log(w1 / s1) - a * a / 2, math.log(w2 / s2) - b * b / 2
            if one < two:
                one, two = two, one
            return one - LOG2PI / 2 + math.log1p(math.exp(two - one))
        logs = [math.log(share) + log_normal(v, part) for share, part in law.parts]  # type: ignore[arg-type]
        top = max(logs)
        return top + math.log(sum(math.exp(x - top) for x in logs))

    def with_names(self, factor: Factor, at: At, f: Callable[[], Any]) -> Any:
        """``f()`` while the factor's own symbols stand for ``at``."""
        env, pairs = self.env, [(n, s) for s, n in factor.symbols if s in at]
        old = [(n, env.get(n)) for n, _ in pairs]
        for n, s in pairs:
            env[n] = at[s]
        try:
            return f()
        finally:
            for n, v in old:
                if v is None:
                    env.pop(n, None)
                else:
                    env[n] = v

    def log_factor(self, head: str, factor: Factor, at: At) -> float:
        """The log density of one factor."""
        if factor.formula is None:
            return self.log_free(head, factor, at)
        return self.with_names(factor, at, self.log(factor.formula))
