"""Random values inside the declared domains: numbers, vectors, matrices.

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

from sympy import Expr, Symbol

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.theory import Variable
from vaedocs.derivation.worlds.arithmetic import Undefined
from vaedocs.derivation.worlds.context import Context
from vaedocs.derivation.worlds.hypotheses import Hypotheses
from vaedocs.derivation.worlds.labels import MEMBERS
from vaedocs.derivation.worlds.matrices import Mat, column, identity
from vaedocs.derivation.worlds.scales import MANY, grown

F = Fraction
REALS = tuple(
    F(s) for s in ["-2", "-3/2", "-1", "-1/2", "-1/3", "1/3", "1/2", "2/3", "3/4", "3/2", "2"]
)
POSITIVES = tuple(F(s) for s in ["1/2", "1/2", "1/3", "2/3", "3/4", "5/4", "3/2", "2", "2", "3"])
SMALL = tuple(
    F(s) for s in ["1/2", "2/3", "3/4", "4/5", "5/4", "4/3", "3/2"]
)  # scales that quadrature likes
EXTREMES = tuple(F(s) for s in ["1/16", "1/8", "1/4", "1/2", "2", "4", "8"])
ENTRIES = {f"entries {sort}" for sort in ("simplex", "unit", "positive", "nonnegative")}
UNITS = tuple(F(s) for s in ["1/4", "1/3", "1/2", "2/3", "3/4", "1/5", "4/5"])
TURNS = ((F(3, 5), F(4, 5)), (F(4, 5), F(3, 5)), (F(5, 13), F(12, 13)), (F(8, 17), F(15, 17)))


def convert(value: Any, number: Callable[[Any], Any]) -> Any:
    """A drawn value as numbers of the wanted kind."""
    return value.map(number) if isinstance(value, Mat) else number(value)


class World(Hypotheses):
    """A world whose parameters and functions are drawn; ``raw`` holds what was drawn, as
    rationals."""

    # whether sizes are drawn from a wider range, since the usual ones did not meet the hypotheses
    wide = False
    nested = False  # whether an optimum is taken inside an optimum
    many = 0  # the one size that all dimensions and counts have, where it is chosen
    scale = 0  # of the numbers in the claim, where what is drawn is to be as large

    def __init__(self, context: Context, numbers: Any, seed: Any = 0, style: str = "plain"):
        self.seed = seed
        self.salts: dict[Any, Any] = {}  # groups that were drawn anew
        self.corner: dict[str, Fraction] = {}  # values that are chosen, not drawn
        super().__init__(context, numbers, style)

    # -- drawing
    # -------------------------------------------------------------------------------------

    def range_of_index(self, index: str) -> range:
        """The values of an index that no sum binds."""

        def ends(relation: str) -> list[int]:
            facts = [f for f in self.context.constraints if str(f.left) == index]
            return [self.integer(f.right)() for f in facts if f.relation == relation]

        return range(max(ends(">="), default=1), min(ends("<="), default=1) + 1)

    def at_every_index(self) -> Iterator[None]:
        """This world once for all values of the indices that no sum binds: a claim about A_ij is
        one about every i and j."""
        context = self.context
        names = sorted(n for n in context.parameters() if "index" in context.tags(n))
        if not names:
            yield
            return
        for at in product(*map(self.range_of_index, names)):
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
        if any(not 1 <= s <= (MANY if self.many and len(sizes) == 1 else 12) for s in sizes):
            raise Undefined("a shape that is not positive")
        return sizes

    def draw_parameter(self, name: str, key: Any) -> Any:
        rng, tags = self.rng(key), self.context.tags(name) | self.extra_tags.get(name, set())
        if name in self.context.counting and not self.context.shape(name):
            return F(self.count_of(name))
        if "index" in tags:
            return F(rng.choice(self.range_of_index(name) or [1]))
        if name in self.context.labels and not self.smooth:
            return F(rng.randrange(MEMBERS))
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
            return self.within(name, rng, self.draw_number(rng, tags), tags)
        declared = self.theory.variables.get(name)
        if (
            len(shape) == 1
            and declared is not None
            and (declared.values or declared.low is not None)
        ):
            return column(self.draw_declared(rng, declared) for _ in range(shape[0]))
        if "simplex" in tags:
            parts = [1 if self.style == "even" else rng.randint(1, 5) for _ in range(shape[0])]
            return column(F(p, sum(parts)) for p in parts)
        if "onehot" in tags:
            hot = rng.randrange(shape[0])
            return column(F(int(k == hot)) for k in range(shape[0]))
        if len(shape) == 1 and "orthonormal" in tags:
            return self.draw_matrix(rng, tags, *shape, 1)
        if len(shape) == 1:
            drawn = (self.draw_number(rng, tags) for _ in range(shape[0]))
            return column(self.within(name, rng, value, tags) for value in drawn)
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
        ends = (variable.low, variable.high)
        if variable.discrete and all(end is not None and end.is_finite for end in ends):
            low, high = self.integer(variable.low)(), self.integer(variable.high)()
            if high < low:
                raise Undefined(f"{slot} has no values")
            return [number(k) for k in range(low, high + 1)]
        if "onehot" in self.context.tags(slot) and variable.shape:
            size = self.sizes(variable.shape)[0]
            return [column(number(int(i == k)) for i in range(size)) for k in range(size)]
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
        elif isinstance(p, ex.Apply):
            count = (*self.sizes(self.context.functions[p.name].shape), 3)[0]
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
        if math.isinf(low) or math.isinf(high):
            start = high if math.isinf(low) else low
            share = grown(self.scale, rng, rng.choice(UNITS), {"positive"})
            return F(start).limit_denominator(100) + (share if math.isinf(high) else -share) * 2
        share = grown(self.scale, rng, rng.choice(UNITS), {"unit"})
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
        if self.many:
            return (self.many,)
        if self.wide:
            return (1, 2, 3, 4)
        return (2, 3) if self.style != "tiny" else (1, 2)

    def draw_number(self, rng: random.Random, tags: frozenset[str] | set[str]) -> Fraction:
        """A random number with these domain tags."""
        return F(grown(self.scale, rng, self.small_number(rng, tags), tags))

    def within(
        self,
        name: str,
        rng: random.Random,
        value: Fraction,
        tags: frozenset[str] | set[str],
    ) -> Fraction:
        """A drawn number, moved to where the hypotheses want it."""
        said = [(sign[0], self(end)()) for sign, end in self.margins.get(name, ())]
        ends = [(sign, F(float(end)).limit_denominator(10**6)) for sign, end in said]
        low = max((end for sign, end in ends if sign == ">"), default=value - 1)
        high = min((end for sign, end in ends if sign == "<"), default=value + 1)
        if low < value < high:
            return value
        if ends and tags & {"positive", "nonnegative", "unit", "integer"}:
            ends, low = [*ends, (">", F(0))], max(low, F("integer" in tags))
        whole, signs = tags & {"integer", "whole"}, {sign for sign, _ in ends}
        if len(signs) == 2:
            gap = max(F(0), high - low)
            return low + (rng.randint(0, int(gap)) if whole else rng.choice(UNITS) * gap)
        closed = all(sign.endswith("=") for sign, _ in self.margins[name])
        share = rng.choice((F(1), F(1), F(2)) if whole else POSITIVES)
        share = F(0) if closed and rng.random() < 0.2 else share
        return low + share if ">" in signs else high - share

    def small_number(self, rng: random.Random, tags: frozenset[str] | set[str]) -> Fraction:
        """One that is easy to follow."""
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
            still = rng.random() < 0.2  # at the identity many claims are equalities
            for i in range(0 if still else size):
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
        if tags & ENTRIES and not tags & {"spd", "psd", "symmetric", "diagonal", "triangular"}:
            return entrywise(a, set(tags), self.style == "even")
        if n != m:
            return a
        if "antisymmetric" in tags:
            return a + -a.transpose()
        if "idempotent" in tags:  # the identity beside anything, above zeros
            rank, oblique = rng.randint(0, n), "symmetric" not in tags
            block = Mat(
                [F(i == j and i < rank) + v * (oblique and i < rank <= j) for j, v in enumerate(r)]
                for i, r in enumerate(a.rows)
            )
            q = self.draw_matrix(rng, {"orthogonal"}, n, n)
            return q * block * q.transpose()
        if "positive diagonal" in tags:
            a = Mat(
                [abs(v) if i == j else v for j, v in enumerate(r)] for i, r in enumerate(a.rows)
            )
        if "spd" in tags or "positive" in tags:
            ridge = (
                F(1, 2) if self.style != "extreme" else F(1, 100)
            )  # nearly flat in one direction
            b = a.map(lambda v: v / 2)
            return b * b.transpose() + identity(n, ridge)
        if "psd" in tags:  # of a rank that is not full
            b = Mat([[v if j else F(0) for j, v in enumerate(row)] for row in a.rows])
            return b * b.transpose()
        if "symmetric" in tags and rng.random() < 0.3:  # of one sign, which is rare by chance
            b = a.map(lambda v: v / 2)
            return b * b.transpose() if rng.random() < 0.5 else -(b * b.transpose())
        if "symmetric" in tags:
            return Mat([[a.rows[min(i, j)][max(i, j)] for j in range(n)] for i in range(n)])
        if "triangular" in tags:
            return Mat([[a.rows[i][j] if j <= i else F(0) for j in range(n)] for i in range(n)])
        if "positive diagonal" in tags:
            return a
        for _ in range(20):
            if a.determinant():
                return a
            a = Mat([[real() for _ in range(m)] for _ in range(n)])
        return a


def entrywise(a: Mat, tags: set[str], even: bool) -> Mat:
    """A matrix whose entries have these signs, or whose rows or columns add up to 1."""
    zero = F(0) if tags & ENTRIES == {"entries nonnegative"} else F(1, 2)
    sizes = a.map(lambda v: F(1) if even else max(zero, v))
    if "entries unit" in tags:
        return sizes.map(lambda v: v / 2)
    if "entries simplex" not in tags:
        return sizes
    turned = sizes.transpose() if "entries columns" in tags else sizes
    made = Mat([v / sum(row) for v in row] for row in turned.rows)
    return made.transpose() if "entries columns" in tags else made


def base_of(key: Any) -> str:
    """The name of a cell's family."""
    return key[0] if isinstance(key, tuple) else key


def group_of(key: Any) -> Any:
    """What a drawn value belongs to: a head, a function, an observed variable, a parameter."""
    if isinstance(key, tuple):
        if key[0] in {"mass", "law", "logit", "gauss"}:
            return ("head", key[1])
        if key[0] == "slope":
            return ("head", key[1][1])
        if key[0] in {"function", "coefficients", "line"}:
            return ("function", key[1])
        if key[0] == "observed":
            return ("observed", key[1][0] if isinstance(key[1], tuple) else key[1])
        if key[0] in {"weight", "coordinates", "range"}:
            return ("space", key[1])
        return ("parameter", key[0])
    return ("parameter", key)
