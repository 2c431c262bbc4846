"""Random values inside the declared domains: numbers, vectors, matrices, functions.

Everything is drawn as a rational number from a generator seeded by the world and the name, so that
the same
world can be computed in floats, exactly and with sixty digits, and does not depend on the order of
the draws.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

from sympy import Dummy, Expr, Symbol, solve

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.theory import Fact, FunctionInfo, Variable
from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Inexact, Undefined
from vaedocs.derivation.worlds.context import Context
from vaedocs.derivation.worlds.evaluate import Evaluator
from vaedocs.derivation.worlds.matrices import Mat, column, identity

F = Fraction
REALS = tuple(
    F(s) for s in ["-2", "-3/2", "-1", "-1/2", "-1/3", "1/3", "1/2", "2/3", "3/4", "3/2", "2"]
)
POSITIVES = tuple(F(s) for s in ["1/2", "1/2", "1/3", "2/3", "3/4", "5/4", "3/2", "2", "2", "3"])
SMALL = tuple(
    F(s) for s in ["1/2", "2/3", "3/4", "4/5", "5/4", "4/3", "3/2"]
)  # scales that quadrature likes
EXTREMES = tuple(F(s) for s in ["1/16", "1/8", "1/4", "1/2", "2", "4", "8"])
UNITS = tuple(F(s) for s in ["1/4", "1/3", "1/2", "2/3", "3/4", "1/5", "4/5"])
TURNS = ((F(3, 5), F(4, 5)), (F(4, 5), F(3, 5)), (F(5, 13), F(12, 13)), (F(8, 17), F(15, 17)))


def convert(value: Any, number: Callable[[Any], Any]) -> Any:
    """A drawn value as numbers of the wanted kind."""
    return value.map(number) if isinstance(value, Mat) else number(value)


def pattern_tags(fact: Fact) -> tuple[str, str] | None:
    """``UᵀU = I``, ``A = Aᵀ``, ``Σ π_k = 1`` as a domain tag of U, A, π."""
    for left, right in ((fact.left, fact.right), (fact.right, fact.left)):
        if isinstance(left, ex.Scalar):
            left = left.args[0]
        if isinstance(right, ex.Identity) and left.is_Mul and len(left.args) == 2:
            a, b = left.args
            if isinstance(a, ex.Transpose) and a.args[0] == b and isinstance(b, Symbol):
                return b.name, "orthonormal"
            if isinstance(b, ex.Transpose) and b.args[0] == a and isinstance(a, Symbol):
                return a.name, "orthonormal_rows"
        if isinstance(left, ex.Transpose) and left.args[0] == right and isinstance(right, Symbol):
            return right.name, "symmetric"
        if (
            isinstance(left, ex.Transpose)
            and isinstance(right, ex.Inverse)
            and left.args == right.args
        ):
            return left.args[0].name, "orthogonal"
        if (
            isinstance(left, ex.Sum)
            and right == 1
            and isinstance(left.args[0], (ex.Component, ex.Item))
        ):
            array = left.args[0].args[0]
            if isinstance(array, Symbol) and isinstance(left.args[0], ex.Component):
                return array.name, "simplex"
    return None


class World(Evaluator):
    """A world whose parameters and functions are drawn; ``raw`` holds what was drawn, as
    rationals."""

    smooth = False
    # whether sizes are drawn from a wider range, since the usual ones did not meet the hypotheses
    wide = False

    def __init__(self, context: Context, numbers: Any, seed: Any = 0, style: str = "plain"):
        super().__init__(context, numbers)
        self.seed, self.style = seed, style
        self.salts: dict[Any, Any] = {}  # groups that were drawn anew
        self.raw_values: dict[Any, Any] = {}
        self.corner: dict[str, Fraction] = {}  # values that are chosen, not drawn
        self.extra_tags: dict[str, set[str]] = {}
        self.computed: dict[str, Expr] = {}
        self.function_sizes: dict[str, tuple[int, ...]] = {}
        self.packed: dict[Any, Any] = {}
        self.checks: list[tuple[str, Any, Any, tuple[str, ...]]] = []
        self._prepare_constraints()

    # -- constraints
    # ---------------------------------------------------------------------------------

    def _prepare_constraints(self) -> None:
        free = set(self.context.parameters())
        for fact in self.context.constraints:
            tag = pattern_tags(fact) if fact.relation == "=" else None
            if tag is not None:
                self.extra_tags.setdefault(tag[0], set()).add(tag[1])
                continue
            if fact.relation == "=" and self._tied(fact):
                continue
            if fact.relation == "=":
                self._solve(fact, free)
            everywhere = self._everywhere(fact)
            try:
                self.checks.append((fact.relation, self(fact.left), self(fact.right), everywhere))
            except CannotEvaluate as error:
                raise CannotEvaluate(
                    f"the hypothesis {fact.text or fact.name} cannot be evaluated: {error.reason}"
                ) from error

    def _tied(self, fact: Fact) -> bool:
        """Whether an equation ties random variables to each other, as z = μ + σε does; then one is
        computed."""
        names = [s.name for side in (fact.left, fact.right) for s in side.free_symbols]
        random_names = {n for n in names if self.context.is_random(n)}
        if not random_names:
            return False
        for left, right in ((fact.left, fact.right), (fact.right, fact.left)):
            if not isinstance(left, Symbol) or left.name not in random_names or not self.smooth:
                continue
            if left.name in self.computed or not self._may_compute(left.name, right):
                continue
            slot = self.context.slot_of[left.name]
            factors = [f for order in self.context.order.values() for f in order if slot in f.slots]
            if all(f.formula is not None for f in factors):
                self.computed[left.name] = right
                return True
        raise CannotEvaluate(
            f"{fact.text or fact.name} ties random variables whose densities are not declared"
        )

    def _solve(self, fact: Fact, free: set[str]) -> None:
        """Let one parameter of an equation be computed from the others."""
        for left, right in ((fact.left, fact.right), (fact.right, fact.left)):
            name = left.name if isinstance(left, Symbol) else ""
            if name in free - set(self.computed) and self._may_compute(name, right):
                self.computed[name] = right
                return
        left, right, value = fact.left, fact.right, Dummy("value", real=True)
        given: Expr = value  # what stands on a side that only a world can compute, as Var(x) = s^2
        if left.atoms(ex.Node):
            left, given = value, left
        if right.atoms(ex.Node):
            right, given = value, right if given is value else given
        if left == right or not (left.is_commutative and right.is_commutative):
            return
        for symbol in sorted(left.free_symbols | right.free_symbols, key=str):
            if symbol.name not in free or symbol.name in self.computed:
                continue
            try:
                roots = solve(left - right, symbol)
            except NotImplementedError:
                continue
            for root in sorted(roots, key=str, reverse=True):
                computed = root.xreplace({value: given})
                if root.is_real is not False and self._may_compute(symbol.name, computed):
                    self.computed[symbol.name] = computed
                    return

    def _may_compute(self, name: str, e: Expr) -> bool:
        """Whether ``e`` does not lead back to ``name``."""
        stack, seen = list(self.dependencies(e)), set()
        while stack:
            n = stack.pop()
            if n == name:
                return False
            if n in self.computed and n not in seen:
                seen.add(n)
                stack.extend(self.dependencies(self.computed[n]))
        return True

    def admissible(self) -> bool:
        """Whether the hypotheses hold in this world."""
        exact = self.numbers.exact
        for relation, left, right, everywhere in self.checks:
            try:
                for _ in self.at_points(everywhere):
                    if not holds(relation, left(), right(), exact):
                        return False
            except Undefined:
                return False
        return True

    def _everywhere(self, fact: Fact) -> tuple[str, ...]:
        """The random variables at all values of which a hypothesis is meant: those that the claim
        averages over, and those that functions stand at."""
        if fact.relation not in {"<", "<=", ">", ">="}:
            return ()
        context = self.context
        observed = {n for e in context.expressions for n in self.observed_in(e)}
        said = {s.name: s for side in (fact.left, fact.right) for s in side.free_symbols}
        inside = {
            s.name
            for side in (fact.left, fact.right)
            for call in side.atoms(ex.Apply)
            for s in call.free_symbols
        }
        names = [n for n in sorted(said) if context.is_random(n)]
        made = tuple(n for n in names if n not in observed or n in inside)
        context.varying.update(made)
        return made

    def observed_in(self, e: Expr) -> set[str]:
        """The names that stand free in an expression, its definitions unfolded."""
        names: set[str] = set()
        for s in e.free_symbols:
            fact = self.context.definitions.get(s.name)
            names |= {s.name} if fact is None else self.observed_in(fact.right)
        return names

    def at_points(self, names: tuple[str, ...]) -> Iterator[None]:
        """This world with these variables at all of their points, or at many."""
        if not names:
            yield
            return
        saved = {n: self.env.get(n) for n in names}
        try:
            for at in product(*(self.points_of(n) for n in names)):
                self.env.update(zip(names, at, strict=True))
                yield
        finally:
            for name, old in saved.items():
                self.restore(name, old)

    def points_of(self, name: str) -> list[Any]:
        """Where a hypothesis about all values of a variable is looked at."""
        raise NotImplementedError

    # -- drawing
    # -------------------------------------------------------------------------------------

    def last(self, index: str) -> int:
        """The largest value of an index that no sum binds."""
        facts = [f for f in self.context.constraints if f.relation == "<="]
        ends = [f.right for f in facts if str(f.left) == index]
        return min((self.integer(end)() for end in ends), default=1)

    def at_every_index(self) -> Iterator[None]:
        """This world once for all values of the indices that no sum binds: a claim about A_ij is
        one about every i and j."""
        context = self.context
        names = sorted(n for n in context.parameters() if "index" in context.tags(n))
        if not names:
            yield
            return
        for at in product(*(range(1, self.last(name) + 1) for name in names)):
            self.raw_values.update(zip(names, map(F, at), strict=True))
            self.renew()
            yield

    def rng(self, key: Any) -> random.Random:
        """The generator that belongs to a name."""
        return random.Random(f"{self.seed}|{key}|{self.salts.get(group_of(key), '')}")

    def redraw_group(self, group: Any, salt: Any) -> None:
        """Draw one group of values anew and keep all others."""
        self.salts[group] = salt
        for key in [k for k in self.raw_values if group_of(k) == group]:
            del self.raw_values[key]
        self.renew()

    def redraw(self, seed: Any, style: str | None = None) -> None:
        """Become another world."""
        self.seed = seed
        self.style = style or self.style
        self.raw_values.clear()
        self.salts.clear()
        self.renew()

    def renew(self) -> None:
        """Forget everything computed from ``raw_values``."""
        self.env.clear()
        self.function_sizes.clear()
        self.packed.clear()
        self.forget()

    def draw_cell(self, key: Any) -> Any:
        name = key[0] if isinstance(key, tuple) else key
        if key in self.computed:
            value = self(self.computed[key])()
        elif self.context.is_random(name):
            value = self.draw_random(key, self.context.slot_of[name])
        else:
            raw = self.raw_values.get(key)
            if raw is None:
                raw = self.raw_values[key] = self.draw_parameter(name, key)
            value = convert(raw, self.numbers.number)
        self.env[key] = value
        return value

    def draw_random(self, key: Any, slot: str) -> Any:
        """A value of a random variable that nobody integrates: an observed x."""
        raise NotImplementedError

    def sizes(self, shape: tuple[Expr, ...]) -> tuple[int, ...]:
        """The dimensions of a shape in this world."""
        sizes = tuple(self.integer(s)() for s in shape)
        if any(not 1 <= s <= 12 for s in sizes):
            raise Undefined("a shape that is not positive")
        return sizes

    def draw_parameter(self, name: str, key: Any) -> Any:
        rng, tags = self.rng(key), self.context.tags(name) | self.extra_tags.get(name, set())
        if name in self.context.counting and not self.context.shape(name):
            return F(self.count_of(name))
        if "index" in tags:
            return F(rng.randint(1, self.last(name)))
        shape = self.sizes(self.context.shape(name))
        if name in self.corner:
            chosen = self.corner[name]
            if len(shape) < 2:
                return column([chosen] * shape[0]) if shape else chosen
            return identity(shape[0], chosen)
        if not shape:
            declared = self.theory.variables.get(name)
            if declared is not None and (declared.values or declared.low is not None):
                return self.draw_declared(rng, declared)
            return self.draw_number(rng, tags)
        declared = self.theory.variables.get(name)
        if (
            len(shape) == 1
            and declared is not None
            and (declared.values or declared.low is not None)
        ):
            return column(self.draw_declared(rng, declared) for _ in range(shape[0]))
        if "simplex" in tags:
            parts = [rng.randint(1, 5) for _ in range(shape[0])]
            return column(F(p, sum(parts)) for p in parts)
        if len(shape) == 1:
            return column(self.draw_number(rng, tags) for _ in range(shape[0]))
        return self.draw_matrix(rng, tags, *shape[:2])

    def all_of(self, values: list[Any], shape: tuple[Expr, ...]) -> list[Any]:
        """All values of a variable; all vectors of such values where it is a vector."""
        sizes = self.sizes(shape)
        return [column(v) for v in product(values, repeat=sizes[0])] if sizes else values

    def listed_values(self, slot: str) -> list[Any] | None:
        """The values that a variable is declared to take, by name or by its family."""
        variable, number = self.context.variable(slot), self.numbers.number
        if variable.values:
            return self.all_of([self(v)() for v in variable.values], variable.shape)
        if variable.discrete and variable.low is not None and variable.high is not None:
            low, high = self.integer(variable.low)(), self.integer(variable.high)()
            return [number(k) for k in range(low, high + 1)]
        family = self.context.binary.get(slot) or next(
            (f.formula for key, f in self.theory.families.items() if key[1] == {slot}), None
        )
        if isinstance(family, ex.Binomial):
            return [number(k) for k in range(self.integer(family.args[1])() + 1)]
        if isinstance(family, ex.Bernoulli):
            return self.all_of([number(0), number(1)], variable.shape)
        if not isinstance(family, ex.Categorical):
            return None
        sizes = self.sizes(variable.shape)
        if sizes:
            bits = [[number(int(i == k)) for i in range(sizes[0])] for k in range(sizes[0])]
            return [column(b) for b in bits]
        p, count = family.args[1], 3
        if isinstance(p, ex.Array):
            count = len(p.args)
        elif isinstance(p, Symbol):
            count = (*self.sizes(self.context.shape(p.name)), 3)[0]
        return [number(k + 1) for k in range(count)]

    def declared(self, e: ex.Density) -> tuple[Expr, dict[str, str]] | None:
        """The formula that defines this very density, unless the joint was built from it."""
        for key, formula, pairs in self.context.formulas(e.head):
            if key == e.key:
                used = any(f.formula == formula for f in self.context.order[e.head])
                return None if used else (formula, dict(pairs))
        return None

    def draw_declared(self, rng: random.Random, variable: Variable) -> Fraction:
        """A number from a declared set or interval."""
        if variable.values:
            return F(str(self(rng.choice(variable.values))()))
        low = float(self(variable.low)()) if variable.low is not None else -math.inf
        high = float(self(variable.high)()) if variable.high is not None else math.inf
        share = rng.choice(UNITS)
        if math.isinf(low) or math.isinf(high):
            start = high if math.isinf(low) else low
            return F(start).limit_denominator(100) + (share if math.isinf(high) else -share) * 2
        return F(low).limit_denominator(100) + share * F(high - low).limit_denominator(100)

    def count_of(self, name: str) -> int:
        """A dimension; in most worlds different names have different ones, for a claim that mixes
        them up must not pass because they happen to be equal."""
        order = sorted(set(self.counts()))
        if self.rng("sizes apart").random() < 0.3:
            return self.rng(name).choice(order)
        self.rng("order of sizes").shuffle(order)
        return order[sorted(self.context.counting).index(name) % len(order)]

    def counts(self) -> tuple[int, ...]:
        """From which dimensions are drawn."""
        if self.wide:
            return (1, 2, 3, 4)
        return (2, 3) if self.style != "tiny" else (1, 2)

    def draw_number(self, rng: random.Random, tags: frozenset[str] | set[str]) -> Fraction:
        positive = SMALL if self.smooth else POSITIVES
        if self.style == "extreme":
            positive = EXTREMES
        if "integer" in tags:
            return F(rng.randint(1, 4))
        if "whole" in tags:
            return F(rng.randint(0 if "nonnegative" in tags else -3, 4))
        if "unit" in tags:
            return rng.choice(UNITS if self.style != "extreme" else (F(1, 16), F(1, 2), F(15, 16)))
        if "positive" in tags or "nonnegative" in tags or "spd" in tags:
            return rng.choice(positive)
        if self.smooth and self.style != "extreme":
            return rng.choice(REALS[2:-1])
        return rng.choice(REALS)

    def draw_matrix(
        self, rng: random.Random, tags: frozenset[str] | set[str], n: int, m: int
    ) -> Mat:
        def real() -> Fraction:
            return F(rng.choice((-3, -2, -1, 1, 2, 3)), 2)

        if "orthonormal" in tags or "orthogonal" in tags or "orthonormal_rows" in tags:
            rows = (
                "orthonormal_rows" in tags
                and "orthonormal" not in tags
                and "orthogonal" not in tags
            )
            size, take = (m, n) if rows else (n, m)
            if take > size:
                raise Undefined("more orthonormal vectors than dimensions")
            q = identity(size, F(1))
            for i in range(size):
                for j in range(i + 1, size):
                    c, s = rng.choice(TURNS)
                    turn = [list(r) for r in identity(size, F(1)).rows]
                    turn[i][i], turn[j][j], turn[i][j], turn[j][i] = c, c, -s, s
                    q = q * Mat(turn)
            q = Mat(r[:take] for r in q.rows)
            if rng.random() < 0.5:
                q = -q
            return q.transpose() if rows else q
        if n == m and "diagonal" in tags:
            sign = "spd" in tags or "positive" in tags
            values = [rng.choice(SMALL) if sign else real() for _ in range(n)]
            return Mat([[values[i] if i == j else F(0) for j in range(n)] for i in range(n)])
        a = Mat([[real() for _ in range(m)] for _ in range(n)])
        if n != m:
            return a
        if "spd" in tags or "positive" in tags:
            b = a.map(lambda v: v / 2)
            return b * b.transpose() + identity(n, F(1, 2))
        if "psd" in tags:  # of a rank that is not full
            b = Mat([[v if j else F(0) for j, v in enumerate(row)] for row in a.rows])
            return b * b.transpose()
        if "symmetric" in tags:
            return Mat([[a.rows[min(i, j)][max(i, j)] for j in range(n)] for i in range(n)])
        if "triangular" in tags:
            return Mat([[a.rows[i][j] if j <= i else F(0) for j in range(n)] for i in range(n)])
        for _ in range(20):
            if a.determinant():
                return a
            a = Mat([[real() for _ in range(m)] for _ in range(n)])
        return a

    # -- functions
    # -------------------------------------------------------------------------------------

    def apply(self, name: str, values: tuple[Any, ...]) -> Any:
        info = self.context.functions[name]
        shape = self.function_sizes.get(name)
        if shape is None:
            shape = self.function_sizes[name] = self.sizes(info.shape)
        count = math.prod(shape)
        entries: list[Any] = []
        for v in values:
            entries += v.entries() if isinstance(v, Mat) else [v]
        if self.shaped(info) or self.smooth:
            made = [self.formula(name, info, i, entries) for i in range(count)]
        else:
            key = ("function", name, tuple(F(float(v)).limit_denominator(10**6) for v in entries))
            raw = self.raw_values.get(key)
            if raw is None:
                rng, tags = self.rng(key), self.function_tags(name, info)
                raw = [self.draw_number(rng, tags) for _ in range(count)]
                if info.nonnegative and not info.positive:  # zero here and there, or everywhere
                    share = self.rng(("zeros", name)).choice((F(1, 4), 1))
                    raw = [F(0) if rng.random() < share else v for v in raw]
                if info.bounds:
                    raw = [self.drawn_between(info, v, rng) for v in raw]
                self.raw_values[key] = raw
            elif info.bounds:
                raw = self.raw_values[key] = [self.between(info, v) for v in raw]
            made = [self.numbers.number(v) for v in raw]
        if len(shape) == 2:
            matrix = Mat(made[i * shape[1] : (i + 1) * shape[1]] for i in range(shape[0]))
            if info.spd:
                half = matrix.map(lambda v: v / 2)
                number = self.numbers.number
                return half * half.transpose() + identity(shape[0], number(F(1, 2)))
            return matrix
        return column(made) if shape else made[0]

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

    def formula(self, name: str, info: FunctionInfo, i: int, u: list[Any]) -> Any:
        """The ``i``-th value of a random function with the declared form: coefficients from the
        name alone."""
        if name.endswith("^{-1}"):
            return self.inverse_formula(name.removesuffix("^{-1}"), i, u)
        pack = self.packed.get((name, i, len(u)))
        if pack is None:
            pack = self.packed[name, i, len(u)] = self.pack(name, i, len(u))
        number = self.numbers.number
        slopes, waves, constant, size, phase = pack
        size = abs(size) + number(F(1, 8))
        linear, wave = constant, phase
        for v, a, b in zip(u, slopes, waves, strict=True):
            linear, wave = linear + a * v, wave + b * v
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

    def pack(self, name: str, i: int, count: int) -> tuple[Any, ...]:
        """The coefficients of a random function's ``i``-th value in ``count`` entries."""
        key = ("coefficients", name, i, count)
        raw = self.raw_values.get(key)
        if raw is None:
            rng = self.rng(key)
            raw = [F(rng.choice((-3, -2, -1, 1, 2, 3)), 4) for _ in range(2 * count)]
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


def base_of(key: Any) -> str:
    """The name of a cell's family."""
    return key[0] if isinstance(key, tuple) else key


def group_of(key: Any) -> Any:
    """What a drawn value belongs to: a head, a function, an observed variable, a parameter."""
    if isinstance(key, tuple):
        if key[0] in {"mass", "law", "logit"}:
            return ("head", key[1])
        if key[0] == "slope":
            return ("head", key[1][1])
        if key[0] in {"function", "coefficients"}:
            return ("function", key[1])
        if key[0] == "observed":
            return ("observed", key[1][0] if isinstance(key[1], tuple) else key[1])
        if key[0] in {"weight", "coordinates", "range"}:
            return ("space", key[1])
        return ("parameter", key[0])
    return ("parameter", key)


def holds(relation: str, a: Any, b: Any, exact: bool) -> bool:
    """Whether a declared relation holds between two values."""
    if isinstance(a, Mat) != isinstance(b, Mat):  # x ≠ 0 of a vector
        m, number = (a, b) if isinstance(a, Mat) else (b, a)
        zeros = m.map(lambda v: v * 0)
        return number == 0 and holds(relation, *((m, zeros) if m is a else (zeros, m)), exact)
    if isinstance(a, Mat) or isinstance(b, Mat):
        if not (isinstance(a, Mat) and isinstance(b, Mat) and a.shape == b.shape):
            return False
        pairs = list(zip(a.entries(), b.entries(), strict=True))
        if relation == "!=":
            return any(holds("!=", u, v, exact) for u, v in pairs)
        return all(holds(relation, u, v, exact) for u, v in pairs)
    gap = float(a - b)
    slack = 0.0 if exact else 1e-9 * (1 + abs(float(a)))
    if relation == "=":
        return abs(gap) <= max(slack, 1e-12)
    if relation == "!=":
        return abs(gap) > 1e-9
    if relation in {"<", ">"}:
        return gap < 0 if relation == "<" else gap > 0
    if relation in {"<=", ">="}:
        return gap <= slack if relation == "<=" else gap >= -slack
    return True
