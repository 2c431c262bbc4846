"""Smooth worlds: declared families and random smooth densities, integrated on uniform grids in
floats.

A head's joint is a product of factors along the order that ``Context`` found: declared formulas
where there are any,
random mixtures of two Gaussians with smoothly moving means elsewhere. Marginals and conditionals
that are no
factor come from quadrature. ``level`` refines every grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from sympy import E, Expr, Pow, Symbol, expand, log

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.algebra import as_matrix
from vaedocs.derivation.worlds.arithmetic import CannotEvaluate
from vaedocs.derivation.worlds.context import Factor
from vaedocs.derivation.worlds.core import Thunk
from vaedocs.derivation.worlds.joint_gaussian import At, JointGaussian, gaussian_average
from vaedocs.derivation.worlds.kinks import Kinks
from vaedocs.derivation.worlds.laws import (
    Law,
    MixtureLaw,
    NormalLaw,
    half_line,
    panels,
    unit_interval,
)
from vaedocs.derivation.worlds.matrices import Mat, column
from vaedocs.derivation.worlds.sight import base_name

FAR = -7.0  # the logarithm of a density that is small


class SmoothWorld(Kinks):
    """A world of densities on the line, the plane and finite sets."""

    # -- densities
    # -----------------------------------------------------------------------------------------

    def _density(self, e: ex.Density) -> Thunk:
        log = self.log(e)

        def value() -> Any:
            v = log()
            return math.exp(v) if v > -745 else 0.0

        return value

    def log_density(self, e: ex.Density) -> Thunk:
        slots = [s for s, _ in e.values]
        if len(set(slots)) < len(slots):
            if len(set(slots)) > 1:
                raise CannotEvaluate(f"{e} fills one slot twice")
            return self.log_of([ex.Density(e.head, [pair], e.conditions) for pair in e.values])
        fillers = [(s, self(v)) for s, v in (*e.values, *e.conditions)]
        left, right, head = frozenset(slots), frozenset(s for s, _ in e.conditions), e.head
        declared = self.declared(e)
        key = e.key
        otherwise = self.log_conditional(head, left, right)
        if declared is not None:
            formula, names = declared
            factor = Factor(tuple(slots), (), formula, tuple(names.items()))
            inside = self.log(formula)

            def by_formula() -> Any:
                at = {s: f() for s, f in fillers}
                if key in self.busy:
                    return otherwise(at)
                self.busy.add(key)
                try:
                    return self.with_names(factor, at, inside)
                finally:
                    self.busy.discard(key)

            return by_formula
        return lambda: otherwise({s: f() for s, f in fillers})

    def log_conditional(
        self, head: str, left: frozenset[str], right: frozenset[str]
    ) -> Callable[[At], float]:
        """log p(left | right) as a function of all values."""
        order = self.context.order[head]
        parents = {s: set(f.conditions) | (set(f.slots) - {s}) for f in order for s in f.slots}
        own = [f for f in order if set(f.slots) & left]
        below = set(left)
        for f in order:
            if set(f.conditions) & below:
                below |= set(f.slots)
        direct = (
            all(set(f.conditions) | set(f.slots) <= left | right for f in own)
            and not (below - left) & right
        )
        if direct and all(set(f.slots) <= left for f in own):
            if len(own) == 1:
                only = own[0]
                return lambda at: self.log_factor(head, only, at)
            return lambda at: sum(self.log_factor(head, f, at) for f in own)
        top, bottom = self.log_marginal(head, left | right, parents), None
        if right:
            bottom = self.log_marginal(head, right, parents)
            return lambda at: top(at) - bottom(at)
        return top

    def log_marginal(
        self, head: str, slots: frozenset[str], parents: dict[str, set[str]]
    ) -> Callable[[At], float]:
        """log p(slots), integrating over what lies behind them."""
        closure, stack = set(slots), list(slots)
        while stack:
            for p in parents[stack.pop()]:
                if p not in closure:
                    closure.add(p)
                    stack.append(p)
        factors = [f for f in self.context.order[head] if set(f.slots) & closure]
        hidden = [f for f in factors if not set(f.slots) & slots]
        ordered = sorted(slots)
        parameters = [p.name for p in self.theory.parameters.get(head, ())] + sorted(
            self.head_dependencies(head)
        )
        varying = [
            n
            for n in dict.fromkeys(parameters)
            if n in self.context.varying and n not in self.context.slot_of
        ]
        env = self.env

        def compute(at: At) -> float:
            if self.style == "gauss" and lines:
                joint = self.linear_gaussian(head, factors, varying)
                return joint.log_density(ordered, at)
            key = (head, slots, tuple(at[s] for s in ordered), tuple(env.get(n) for n in varying))
            found = self.known.get(key)
            if found is None:
                found = self.known[key] = settled(at) if hidden else total(at, self.level)
            return found

        def settled(at: At) -> float:
            """The value on a grid that is fine enough where hidden variables are pinned down; far
            out, where a density hardly counts, less will do."""
            known = self.hulls.setdefault(("extra", head, slots), {})
            found, level = known.get(True, known.get(False, 0)), self.level
            value = total(at, level + found)
            near = value > FAR
            if near in known:
                return total(at, level + known[near]) if known[near] > found else value
            while found < 6:
                after = total(at, level + found + 2)
                if abs(after - value) * min(1.0, math.exp(min(0.0, after - FAR))) < 1e-9:
                    break
                found, value = found + 2, after
            known[near] = found
            return value

        lines = bool(hidden) and all(
            self.is_linear(f) or self.is_free_line(f) or self.copy_of(f) for f in factors
        )
        linear = all(self.is_linear(f) for f in factors)
        if linear and hidden:
            return lambda at: self.linear_gaussian(head, factors, varying).log_density(ordered, at)
        roots = [f for f in factors if not self.is_linear(f)]
        moved = any(f.conditions and f.formula is None for f in roots)
        if lines and len(roots) < 3 and not moved:
            return lambda at: self.log_of_mixture(head, factors, roots, varying, ordered, at)

        def total(at: At, fineness: int) -> float:
            if not hidden:
                return sum(self.log_factor(head, f, at) for f in factors)
            here = dict(at)
            logs: list[float] = []

            def level(i: int, value: float) -> None:
                if i == len(factors):
                    logs.append(value)
                    return
                f = factors[i]
                if f in hidden:
                    nodes = self.law_of_factor(head, f, here).nodes(fineness)
                    self.tick(len(nodes))
                    for point, measure in nodes:
                        here[f.slots[0]] = point
                        level(i + 1, value + math.log(measure) + self.log_factor(head, f, here))
                    return
                level(i + 1, value + self.log_factor(head, f, here))

            level(0, 0.0)
            top = max(logs)
            if top == -math.inf:
                return top
            return top + math.log(math.fsum(math.exp(v - top) for v in logs))

        return compute

    def is_free_line(self, factor: Factor) -> bool:
        """Whether a factor has no formula and is a density on the line: a Gaussian with a linear
        mean in a simple world."""
        slots = (*factor.slots, *factor.conditions)
        ends = any(self.context.variable(s).low is not None for s in slots)
        return factor.formula is None and not (
            ends or any(self.discrete_values(s) is not None for s in slots)
        )

    def copy_of(self, factor: Factor) -> tuple[str, Factor, Expr] | None:
        """Of which free density a factor is a copy, and by what it is moved: the one of Z = X + ε
        given X is that of ε, moved by X."""
        formula, names = factor.formula, dict(factor.symbols)
        if not isinstance(formula, ex.Density) or formula.conditions or len(formula.values) > 1:
            return None
        slot, at = formula.values[0]
        own = next((v for v in at.free_symbols if v.name == names[factor.slots[0]]), None)
        source = next(f for f in self.context.order[formula.head] if slot in f.slots)
        if own is None or source.conditions or not self.is_free_line(source):
            return None
        by = expand(own - at)
        others = [names[s] for s in factor.conditions]
        fits = not by.has(own) and not self.context.variable(slot).shape
        return (formula.head, source, by) if fits and self.is_affine(by, others) else None

    def parts_of(self, head: str, factor: Factor, at: At) -> Sequence[tuple[float, NormalLaw]]:
        """The Gaussians of which a density is a mixture, with their shares."""
        copy = self.copy_of(factor)
        if copy is None:
            return self.mixture(head, factor, at).parts  # type: ignore[return-value]
        owner, source, by = copy
        step = self.with_names(factor, at, self(by))
        parts: Any = self.mixture(owner, source, {}).parts
        return [(share, NormalLaw(law.mean + step, law.spread)) for share, law in parts]

    def log_of_mixture(
        self,
        head: str,
        factors: Sequence[Factor],
        roots: Sequence[Factor],
        varying: Sequence[str],
        slots: Sequence[str],
        at: At,
    ) -> float:
        """The log density of linear factors behind mixtures of Gaussians: a mixture, exactly."""
        found = self.mixed(head, factors, roots, varying, at)
        logs = [math.log(share) + joint.log_density(slots, at) for share, joint in found]
        if len(logs) == 1:
            return logs[0]
        top = max(logs)
        return top + math.log(sum(math.exp(v - top) for v in logs))

    def mixed(
        self,
        head: str,
        factors: Sequence[Factor],
        roots: Sequence[Factor],
        varying: Sequence[str],
        at: At,
    ) -> list[tuple[float, JointGaussian]]:
        """The Gaussians of which the joint of linear factors is a mixture, and their shares."""
        made = []
        for chosen in product(range(1 if self.style == "gauss" else 2), repeat=len(roots)):
            parts = [self.parts_of(head, f, at) for f in roots]
            share = math.prod(p[k][0] for p, k in zip(parts, chosen, strict=True))
            which = {f.slots[0]: k for f, k in zip(roots, chosen, strict=True)}
            made.append((share, self.linear_gaussian(head, factors, varying, which)))
        return made if self.style != "gauss" else [(1.0, made[0][1])]

    def range_of(self, head: str, slot: str) -> Law:
        """Where a slot's marginal has its mass; of Z = X + ε exactly."""
        order = self.context.order[head]
        moved = next(f for f in order if slot in f.slots)
        if self.copy_of(moved) is None:
            return super().range_of(head, slot)
        factors = [f for f in order if {*f.slots} & {slot, *moved.conditions}]
        if any(f.conditions for f in factors if f is not moved) or not all(
            self.is_linear(f) or self.is_free_line(f) or f is moved for f in factors
        ):
            return super().range_of(head, slot)
        roots = [f for f in factors if not self.is_linear(f)]
        zeros: At = dict.fromkeys(moved.conditions, 0.0)
        laws = []
        for share, joint in self.mixed(head, factors, roots, (), zeros):
            (k,) = joint.at[slot]
            laws.append((share, NormalLaw(joint.mean[k], math.sqrt(joint.covariance[k][k]))))
        return MixtureLaw(tuple(laws))

    def linear_gaussian(
        self,
        head: str,
        factors: Sequence[Factor],
        varying: Sequence[str],
        which: dict[str, int] | None = None,
    ) -> JointGaussian:
        """The joint Gaussian of linear factors, exactly; ``which`` part of a free mixture."""
        key = (
            "joint",
            head,
            tuple((which or {}).items()),
            tuple(f.slots for f in factors),
            tuple(self.env.get(n) for n in varying),
        )
        found = self.known.get(key)
        if found is not None:
            return found
        zeros: At = {}
        made = JointGaussian()
        for f in factors:
            slot = f.slots[0]
            shape = self.sizes(self.context.variable(slot).shape)
            zeros[slot] = column([0.0] * shape[0]) if shape else 0.0
            here = {s: zeros[s] for s in (*f.conditions, slot)}

            def law(at: At, f: Any = f) -> Any:
                if not self.is_linear(f):
                    return self.parts_of(head, f, at)[(which or {}).get(f.slots[0], 0)][1]
                return self.with_names(f, at, lambda: self.normal_law(f.formula))

            base, spread = law(here).moments()
            slopes: list[tuple[str, int, list[float]]] = []
            for c in f.conditions:
                entries = as_matrix(zeros[c]).entries()
                for j in range(len(entries)):
                    unit = [float(i == j) for i in range(len(entries))]
                    moved = law({**here, c: column(unit) if isinstance(zeros[c], Mat) else unit[0]})
                    step = (moved.moments()[0] - base).entries()
                    slopes.append((c, j, step))
            made.add(slot, base.entries(), spread * spread.transpose(), slopes)
        self.known[key] = made
        return made

    # -- integrals
    # --------------------------------------------------------------------------------------------

    def points(self, key: Any, guide: Sequence[Expr]) -> Callable[[], list[tuple[Any, Any]]]:
        expression = guide[0]

        def run() -> list[tuple[Any, Any]]:
            return self.law(expression, key).nodes(self.level)

        return run

    def in_order(self, variables: Sequence[Any], guide: Sequence[Expr]) -> Sequence[Any]:
        """Conditions before what depends on them."""
        if len(variables) < 2:
            return variables
        after: dict[str, set[str]] = {base_name(v): set() for v in variables}
        stack: list[Any] = list(guide)
        while stack:
            e = stack.pop()
            if isinstance(e, ex.Density):
                conditions = {s.name for _, v in e.conditions for s in v.free_symbols}
                for _, v in e.values:
                    for s in v.free_symbols:
                        if s.name in after:
                            after[s.name] |= conditions & set(after)
                slots = {s: base_name(v) for s, v in e.values if isinstance(v, (Symbol, ex.Item))}
                for f in self.context.order[e.head]:
                    for s in f.slots:
                        if s in slots and slots[s] in after:
                            after[slots[s]] |= {slots[c] for c in f.conditions if c in slots} & set(
                                after
                            )
            elif (
                isinstance(e, ex.Family)
                and isinstance(e.args[0], Symbol)
                and e.args[0].name in after
            ):
                for a in e.args[1:]:
                    after[e.args[0].name] |= {s.name for s in a.free_symbols} & set(after)
            elif hasattr(e, "args"):
                stack.extend(e.args)
        result: list[Any] = []
        rest = list(variables)
        while rest:
            done = {base_name(v) for v in result}
            chosen = next(
                (v for v in rest if after[base_name(v)] - {base_name(v)} <= done), rest[0]
            )
            result.append(chosen)
            rest.remove(chosen)
        return result

    def weighted(
        self, weight: Expr, bodies: Sequence[Expr], variables: Sequence[Any]
    ) -> Callable[[Thunk], Any]:
        plain = super().weighted(weight, bodies, variables)
        parts = self.gaussian_parts(weight, variables)
        degrees = [self.degree(body, name) for body in bodies for name, _ in parts]
        if not parts or None in degrees or sum(degrees) > 12:  # type: ignore[arg-type]
            return plain
        degree, env = sum(degrees), self.env  # type: ignore[arg-type]

        def polynomial(f: Thunk) -> Any:
            def level(i: int) -> Any:
                if i == len(parts):
                    return f()
                name, own = parts[i]
                law = self.exact_law(own, name)
                if not isinstance(law, NormalLaw):
                    raise CannotEvaluate("a factor that is no Gaussian")
                old, total = env.get(name), None
                nodes = law.gauss(degree)
                self.tick(len(nodes))
                for point, w in nodes:
                    env[name] = point
                    v = level(i + 1) * w
                    total = v if total is None else total + v
                self.restore(name, old)
                return total

            if len(parts) == 1 and not isinstance(
                self.exact_law(parts[0][1], parts[0][0]), NormalLaw
            ):
                return plain(f)
            return level(0)

        return polynomial

    def average_log(self, e: Any, weight: Expr, terms: Sequence[tuple[Expr, int]]) -> Thunk:
        plain = super().average_log(e, weight, terms)
        if (
            len(e.bound) != 1
            or not isinstance(e.bound[0], Symbol)
            or e.bound[0].name in self.context.families
        ):
            return plain
        name = e.bound[0].name

        def compute() -> Any:
            p = self.exact_law(weight, name)
            if not isinstance(p, NormalLaw):
                return plain()
            total = 0.0
            for term, s in terms:
                q = p if term == weight else self.exact_law(term, name)
                if not isinstance(q, NormalLaw):
                    return plain()
                total += s * gaussian_average(p, q)
            return total

        return compute

    def limited(self, e: ex.Integral) -> Thunk:
        if len(e.bound) != 1 or not isinstance(e.bound[0], Symbol):
            raise CannotEvaluate("an integral with limits over several variables at once")
        name, body, env = e.bound[0].name, self(e.args[0]), self.env
        limits = e.args[1][0]
        ends = [self(limit) for limit in limits]
        rough = [p for p in e.args[0].atoms(Pow) if not p.exp.is_Integer and p.base != E]
        steep = any(part.has(e.bound[0]) for part in (*rough, *e.args[0].atoms(log))) or self.steep

        def compute() -> Any:
            low, high = (float(end()) for end in ends)
            back = high < low
            if back:
                low, high = high, low
            if math.isinf(low) and math.isinf(high):
                nodes = self.law(e.args[0], name).nodes(self.level)
            elif math.isinf(high):
                nodes = [(low + x, w) for x, w in half_line(self.level)]
            elif math.isinf(low):
                nodes = [(high - x, w) for x, w in half_line(self.level)]
            elif steep:
                width = high - low
                nodes = [(low + width * x, width * w) for x, w in unit_interval(self.level)]
            else:
                nodes = panels(low, high, self.level)
            self.tick(len(nodes))
            old = env.get(name)
            total: Any = None
            for point, w in nodes:
                env[name] = point
                v = body() * w
                total = v if total is None else total + v
            self.restore(name, old)
            return -total if back else total

        return compute
