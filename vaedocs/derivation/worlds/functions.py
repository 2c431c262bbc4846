"""Random functions: tables of values in finite worlds, formulas where they need a form."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from sympy import Expr

from vaedocs.derivation.theory import FunctionInfo
from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Inexact, Undefined
from vaedocs.derivation.worlds.context import Context
from vaedocs.derivation.worlds.evaluate import Evaluator
from vaedocs.derivation.worlds.matrices import Mat, column, identity

F = Fraction


class Functions(Evaluator):
    """A world's functions; ``raw_values`` holds what was drawn of them."""

    smooth = False
    rng: Callable[[Any], random.Random]  # the generator that belongs to a name
    sizes: Callable[[tuple[Expr, ...]], tuple[int, ...]]  # the dimensions of a shape
    draw_number: Callable[[random.Random, frozenset[str] | set[str]], Fraction]  # with these tags

    def __init__(self, context: Context, numbers: Any, style: str):
        super().__init__(context, numbers)
        self.style = style
        self.raw_values: dict[Any, Any] = {}
        self.function_sizes: dict[str, tuple[int, ...]] = {}
        self.packed: dict[Any, Any] = {}
        self.rows_of: dict[str, dict[Any, tuple[int, int]]] = {}  # of what is searched for

    def apply(self, name: str, values: tuple[Any, ...]) -> Any:
        info = self.context.functions[name]
        shape = self.function_sizes.get(name)
        if shape is None:
            shape = self.function_sizes[name] = self.sizes(info.shape)
        count = math.prod(shape)
        entries: list[Any] = []
        for v in values:
            entries += v.entries() if isinstance(v, Mat) else [v]
        if info.values_of or info.bit:
            return self.one_of(info, entries)
        if (info.symmetric or info.kernel) and len(values) == 2:
            return self.symmetric(info, entries[: len(entries) // 2], entries[len(entries) // 2 :])
        if self.shaped(info) or self.smooth:
            made = [self.formula(name, info, i, entries) for i in range(count)]
        else:
            key = ("function", name, tuple(F(float(v)).limit_denominator(10**6) for v in entries))
            chosen = self.env.get(name) if name in self.context.chosen else None
            if chosen is not None and (row := self.rows_of[name].get(key)):
                return chosen[row[0]]
            raw = self.raw_values.get(key)
            if key[2] in (given := self.pins(name)):
                raw = self.raw_values[key] = [given[key[2]]]
            elif raw is None:
                level = self.style == "level"  # one value everywhere
                rng = self.rng(("level", name) if level else key)
                tags = self.function_tags(name, info)
                raw = [self.draw_number(rng, tags) for _ in range(count)]
                if level and not tags:
                    raw = [F(rng.choice((0, 1, -1)))] * count
                if info.many_to_one:  # one of two values
                    few = self.rng(("values", name))
                    pair = [[self.draw_number(few, tags) for _ in range(count)] for _ in "ab"]
                    raw = rng.choice(pair)
                if info.nonnegative and not info.positive:  # zero here and there, or everywhere
                    share = self.rng(("zeros", name)).choice((F(1, 4), 1))
                    raw = [F(0) if rng.random() < share else v for v in raw]
                if info.bounds:
                    raw = [self.drawn_between(info, v, rng) for v in raw]
                self.raw_values[key] = raw
            elif info.bounds:
                raw = self.raw_values[key] = [self.between(info, v) for v in raw]
            made = [self.numbers.number(v) for v in raw]
        if info.simplex:
            total = sum(made[1:], made[0])
            made = [v / total for v in made]
        if len(shape) == 2:
            matrix = Mat(made[i * shape[1] : (i + 1) * shape[1]] for i in range(shape[0]))
            if info.spd:
                half = matrix.map(lambda v: v / 2)
                number = self.numbers.number
                return half * half.transpose() + identity(shape[0], number(F(1, 2)))
            return matrix
        return column(made) if shape else made[0]

    def one_of(self, info: FunctionInfo, entries: list[Any]) -> Any:
        """A value of a variable: on the line it changes at few places, in a space anywhere."""
        bits = [self.numbers.number(F(bit)) for bit in (0, 1)]
        known = bits if info.bit else self.listed_values(info.values_of)
        if not known:
            raise CannotEvaluate(f"the values of {info.values_of} are not known")
        key = ("function", info.name, tuple(float(v) for v in entries))
        if self.smooth:
            place = self.formula(info.name, FunctionInfo(info.name), 0, entries)
            return known[math.floor(place) % len(known)]
        if key not in self.raw_values:
            self.raw_values[key] = [F(self.rng(key).randrange(2 if info.bit else 12))]
        return known[int(self.raw_values[key][0]) % len(known)]

    def listed_values(self, slot: str) -> list[Any] | None:
        """The values that a variable is declared to take."""
        raise NotImplementedError

    def symmetric(self, info: FunctionInfo, x: list[Any], y: list[Any]) -> Any:
        """k(x, y) = k(y, x); a kernel is a sum of products f(x) f(y)."""
        name, plain = info.name, replace(info, symmetric=False, kernel=False)
        if info.kernel:
            first, second = (
                [self.formula(f"{name}·{i}", plain, 0, at) for i in range(3)] for at in (x, y)
            )
            return sum((a * b for a, b in zip(first, second, strict=True)), self.numbers.number(0))
        return (self.formula(name, plain, 0, x + y) + self.formula(name, plain, 0, y + x)) / 2

    def bounds_of(
        self, info: FunctionInfo
    ) -> tuple[list[Fraction], list[Fraction], list[Fraction]]:
        """The largest lower bound of a function's values and the smallest upper one, if any, and
        which of them are values."""
        ends = [(relation, F(float(self(end)()))) for relation, end in info.bounds]
        low = sorted(v for relation, v in ends if relation[0] == ">")[-1:]
        high = sorted(v for relation, v in ends if relation[0] == "<")[:1]
        if low and high and low > high:
            raise Undefined("a function with values above one bound and below a smaller one")
        beyond = {v for relation, v in ends if "=" not in relation}
        return low, high, [v for v in low + high if v not in beyond]

    def between(self, info: FunctionInfo, v: Fraction) -> Fraction:
        """``v`` if it lies inside a function's bounds, else a value that does."""
        low, high, reached = self.bounds_of(info)
        if v in reached or (all(end < v for end in low) and all(v < end for end in high)):
            return v
        share = F(1, 2 + int(abs(v) * 4) % 3)
        if low and high:
            return low[0] + share * (high[0] - low[0])
        return low[0] + share if low else high[0] - share

    def drawn_between(self, info: FunctionInfo, v: Fraction, rng: random.Random) -> Fraction:
        """A new value of a bounded function."""
        end = self.at_end(info, rng)
        return self.between(info, v) if end is None else end

    def at_end(self, info: FunctionInfo, rng: random.Random) -> Fraction | None:
        """A bound that a function reaches: everywhere, here and there, or (None) not here."""
        reached, style = self.bounds_of(info)[2], self.rng(("ends", info.name))
        how = style.random()
        if not reached or how > 0.6:
            return None
        return style.choice(reached) if how < 0.25 else rng.choice([*reached, None])

    def function_tags(self, name: str, info: FunctionInfo) -> set[str]:
        """Domain tags of a function's values."""
        tags = {"positive"} if info.positive or info.nonnegative else set()
        return tags | ({"unit"} if name in self.context.unit else set())

    @staticmethod
    def shaped(info: FunctionInfo) -> bool:
        """Whether a function must have a form, so that a table of random values will not do."""
        return info.convex or info.concave or info.invertible or info.increasing

    def pins(self, name: str) -> dict[tuple[Fraction, ...], Fraction]:
        """The places at which the value of a function is given, as f(1) = 0, and these values."""
        return {
            tuple(F(int(a.p), int(a.q)) for a in at): F(int(value.p), int(value.q))
            for function, at, value in self.context.pins
            if function == name
        }

    def formula(self, name: str, info: FunctionInfo, i: int, u: list[Any]) -> Any:
        """The ``i``-th value of a random function with the declared form, moved to where it has
        the value that is given."""
        made, pins = self.free_formula(name, info, i, u), self.pins(name)
        if name in self.context.energies and self.smooth:
            bowl = sum((v * v for v in u), self.numbers.number(0)) / 2
            return made + bowl * self.context.energies[name]
        told = info.convex or info.concave or info.increasing or info.invertible or info.bounds
        if name in self.context.fading and not told:
            return made * self.numbers.exp(-sum((v * v for v in u), self.numbers.number(0)) / 2)
        for at, value in pins.items():
            here = self.free_formula(name, info, i, [self.numbers.number(a) for a in at])
            shaped = info.positive or info.nonnegative or info.bounds or name in self.context.unit
            if len(pins) > 1 or shaped:
                raise Undefined(f"given values of {name}")
            made = made + (self.numbers.number(value) - here)
        return made

    def free_formula(self, name: str, info: FunctionInfo, i: int, u: list[Any]) -> Any:
        """The ``i``-th value of a random function with the declared form: coefficients from the
        name alone."""
        if name.endswith("^{-1}"):
            return self.inverse_formula(name.removesuffix("^{-1}"), i, u)
        line = self.simple_line(name, info, len(u))
        if line is not None:
            power, start, *slopes = line
            return sum((a * v ** int(power) for a, v in zip(slopes, u, strict=True)), start)
        pack = self.packed.get((name, i, len(u)))
        if pack is None:
            pack = self.packed[name, i, len(u)] = self.pack(name, i, len(u))
        number = self.numbers.number
        slopes, waves, constant, size, phase = pack
        size = abs(size) + number(F(1, 8))
        linear, wave = constant, phase
        for v, a, b in zip(u, slopes, waves, strict=True):
            linear, wave = linear + a * v, wave + b * v
        if (info.convex or info.concave) and self.style == "level":
            return size
        if info.convex or info.concave:
            bowl = size * linear * linear
            for v in u:
                bowl = bowl + v * v / 4
            if info.positive:
                bowl = bowl + size
            elif not info.nonnegative:
                bowl = bowl + wave / 2
            return bowl if info.convex else -bowl
        if info.increasing or info.invertible:
            # y_i = a u_i + wiggle + something of the earlier components: triangular, hence a
            # bijection
            v = u[min(i, len(u) - 1)]
            rest = constant
            for w, a in zip(u[:i], slopes, strict=False):
                rest = rest + a * w
            slope = abs(slopes[min(i, len(u) - 1)]) + number(F(1, 2))
            y = slope * v + rest
            if self.smooth:
                y = y + number(F(2, 5)) * self.numbers.function("sin", v)
                return self.numbers.exp(y / 2) if info.positive else y
            return y + v * v * v / 8
        sin = self.numbers.function
        if info.bounds:
            low, high, _ = ([number(v) for v in ends] for ends in self.bounds_of(info))
            end = self.at_end(info, random.Random(0))
            if end is not None:
                return number(end)
            if low and high:
                share = number(F(1, 2)) + sin("sin", linear + wave) * size / 3
                return low[0] + (high[0] - low[0]) * share
            return low[0] + linear * linear / 4 if low else high[0] - linear * linear / 4
        if name in self.context.unit:
            return number(F(1, 2)) + sin("sin", linear + wave) * size / 3
        if info.positive:
            return size + (1 + sin("sin", linear + wave)) / 4
        if info.nonnegative:
            return linear * linear / 4
        return linear / 2 + size * sin("sin", wave)

    def simple_line(self, name: str, info: FunctionInfo, count: int) -> list[Any] | None:
        """Power, constant and coefficients of a function that a reader can follow: a line or a
        parabola, where it may be one."""
        told = info.convex or info.concave or info.positive or info.nonnegative or info.bounds
        context = self.context
        special = name in context.unit or name in context.energies or name in context.fading
        if self.style != "gauss" or told or info.spd or special:
            return None
        raw = self.raw_values.get(("line", name, count))
        if raw is None:
            rng = self.rng(("line", name, count))
            slopes = (1, 1, 2) if info.increasing or info.invertible else (1, 1, -1, 2)
            raw = [F(1 if len(slopes) == 3 else rng.choice((1, 2))), F(rng.choice((0, 0, 1)))]
            raw += [F(rng.choice(slopes)) for _ in range(count)]
            self.raw_values["line", name, count] = raw
        return [self.numbers.number(v) for v in raw]

    def pack(self, name: str, i: int, count: int) -> tuple[Any, ...]:
        """The coefficients of a random function's ``i``-th value in ``count`` entries."""
        key = ("coefficients", name, i, count)
        raw = self.raw_values.get(key)
        if raw is None:
            rng = self.rng(key)
            slopes = (0,) if self.style == "level" else (-3, -2, -1, 1, 2, 3)
            raw = [F(rng.choice(slopes), 4) for _ in range(2 * count)]
            raw += [F(rng.choice(c), 4) for c in ((-2, -1, 1, 2), (2, 3, 4), (-6, -2, 2, 4))]
            self.raw_values[key] = raw
        made = [self.numbers.number(r) for r in raw]
        return made[:count], made[count : 2 * count], *made[2 * count :]

    def inverse_formula(self, name: str, i: int, y: list[Any]) -> Any:
        """The inverse of a random bijection, by Newton's method, one component after the other."""
        info = self.context.functions.get(name) or FunctionInfo(name, invertible=True)
        info = FunctionInfo(name, info.shape, info.positive, invertible=True)
        if not self.smooth:
            raise Inexact("the inverse of a function")
        u: list[Any] = []
        for j in range(i + 1):
            target = y[j]
            v = target * 0
            padding = [v] * (len(y) - j - 1)
            for _ in range(80):
                h = self.numbers.number(F(1, 1000))
                f = self.formula(name, info, j, [*u, v, *padding]) - target
                up = self.formula(name, info, j, [*u, v + h, *padding]) - target
                down = self.formula(name, info, j, [*u, v - h, *padding]) - target
                step = f / ((up - down) / (2 * h))
                v = v - max(min(step, 2), -2)
                if abs(step) < 1e-14:
                    break
            u.append(v)
        return u[i]
