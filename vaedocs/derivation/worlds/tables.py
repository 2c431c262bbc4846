"""Joint tables of finite worlds: every density is an entry of one, divided by marginals of it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from sympy import Symbol

from vaedocs.derivation.worlds.arithmetic import Undefined
from vaedocs.derivation.worlds.context import Factor
from vaedocs.derivation.worlds.dials import shares
from vaedocs.derivation.worlds.matrices import Mat
from vaedocs.derivation.worlds.scales import grown
from vaedocs.derivation.worlds.spaces import Spaces

F = Fraction
Config = tuple[int, ...]  # the index of a point for each slot
MASSES = {
    "plain": (1, 1, 2, 3, 4, 5),
    "extreme": (1, 1, 2, 30, 1000, 10**5),
    "tiny": (1, 2, 3),
    "bold": (1, 1, 3, 9, 99),
    "flat": (5, 6, 7),
    "even": (1,),
    "simple": (1, 1, 2, 3),
    "steep": (1, 4),
    "sharp": (1,),
    "level": (1, 2, 3),  # functions have one value everywhere
}
SHARP = 10**6  # how much more likely one value is than the others, where the style is sharp


class Tables(Spaces):
    """A world in which every head is one table. ``raw`` keys: ``("mass", head, slots, conditions,
    *labels)`` and, where a parameter moves a mass, ``("slope", mass, parameter, entry)``."""

    def __init__(self, *args: Any, **named: Any):
        self.tables: dict[Any, dict[Config, Any]] = {}
        self.plans: dict[str, tuple[list[tuple[Factor, list[int]]], list[int]]] = {}
        super().__init__(*args, **named)

    def renew(self) -> None:
        super().renew()
        self.tables.clear()

    def masses(self, head: str, factor: Factor, given: tuple[int, ...], count: int) -> list[Any]:
        """The masses of one row of a free factor, normalised."""
        chosen = self.env.get(head) if head in self.context.chosen else None
        if chosen is not None and (row := self.rows_of[head].get((factor.slots, given))):
            return shares([0.0, *chosen[slice(*row)]])
        context = self.context
        apart = {*context.labels, *context.slot_of}
        parameters = [
            p.name
            for p in context.parameters_of(head, factor)
            if p.name in context.varying and p.name not in apart
        ]
        family, _ = self.context.theory.versions.get(head, (head, ""))
        of_all = self.context.theory.without_parameters(head, (*factor.slots, *factor.conditions))
        at = () if of_all else self.members(head)
        key = ("mass", family if at else head, factor.slots, given, *at)
        raw = self.raw_values.get(key)
        if raw is None or len(raw) != count:
            rng = self.rng(key)
            drawn = [F(rng.choice(MASSES[self.style])) for _ in range(count)]
            raw = [grown(self.scale, rng, m, {"positive"}) for m in drawn]
            if self.style == "sharp" and given:
                raw[sum(given) % count] *= SHARP
            self.raw_values[key] = raw
        values = [self.numbers.number(v) for v in raw]
        if parameters:
            for p in parameters:
                value = self.raw(Symbol(p))()
                entries = value.entries() if isinstance(value, Mat) else [value]
                for n, v in enumerate(entries):
                    slopes = self.raw_values.get(("slope", key, p, n))
                    if slopes is None:
                        rng = self.rng(("slope", key, p, n))
                        slopes = [F(rng.randint(-4, 4), 4) for _ in range(2 * count)]
                        self.raw_values[("slope", key, p, n)] = slopes
                    number, exp = self.numbers.number, self.numbers.exp
                    values = [
                        m * exp(number(slopes[i]) * v + number(slopes[count + i]) * v * v / 2)
                        for i, m in enumerate(values)
                    ]
        if any(y == {*factor.slots} for _, y, _ in self.context.functions_of.get(head, ())):
            chosen = raw.index(max(raw))
            return [self.numbers.number(F(int(i == chosen))) for i in range(count)]
        total = sum(values[1:], values[0])
        return [v / total for v in values]

    def members(self, head: str) -> tuple[int, ...]:
        """Which member of its family a head is at present, for each of its labels."""
        return tuple([int(self(label)()) for label in self.context.labels_of(head)])

    def state(self, head: str) -> tuple[Any, ...]:
        """The values of the parameters on which the tables of a head depend."""
        names = [
            n
            for n in sorted(self.head_dependencies(head))
            if n in self.context.varying and n not in self.context.slot_of
        ]
        members = self.members(head) if self.context.labels else ()
        return (
            *members,
            *(
                self.env[n] if n in self.env else self.draw_cell(n)
                for n in names
                if not n.startswith("*") and n not in self.context.chosen
            ),
            *(self.env.get(n) for n in names if n in self.context.chosen),
        )

    def joint(self, head: str, state: tuple[Any, ...]) -> dict[Config, Any]:
        """Density of every configuration of a head's slots, in their sorted order."""
        key = (head, state)
        found = self.tables.get(key)
        if found is not None:
            return found
        steps, order = self.plan(head)
        table: list[tuple[Config, Any]] = [((), None)]
        for factor, at in steps:
            measures = self.measures(factor)
            rows: dict[Config, list[tuple[Config, Any]]] = {}
            grown: list[tuple[Config, Any]] = []
            for config, value in table:
                given = tuple([config[i] for i in at])
                row = rows.get(given)
                if row is None:
                    row = rows[given] = self.row(head, factor, given, measures)
                for indices, d in row:
                    grown.append((config + indices, d if value is None else value * d))
            table = grown
        found = self.tables[key] = {tuple([c[i] for i in order]): v for c, v in table}
        return found

    def plan(self, head: str) -> tuple[list[tuple[Factor, list[int]]], list[int]]:
        """The factors of a head, each with the places of its conditions among the slots before it,
        and where its slots, sorted, are found in the end."""
        found = self.plans.get(head)
        if found is None:
            placed: list[str] = []
            steps = []
            for factor in self.context.order[head]:
                steps.append((factor, [placed.index(c) for c in factor.conditions]))
                placed.extend(factor.slots)
            order = [placed.index(s) for s in self.context.heads[head]]
            found = self.plans[head] = (steps, order)
        return found

    def measures(self, factor: Factor) -> list[tuple[Config, Any]]:
        """The weight of every configuration of a factor's slots."""
        made: list[tuple[Config, Any]] = [((), None)]
        for slot in factor.slots:
            weights = list(enumerate(self.weights_of(slot)))
            made = [
                ((*config, i), w if m is None else m * w) for config, m in made for i, w in weights
            ]
        return made

    def row(
        self, head: str, factor: Factor, given: Config, measures: list[tuple[Config, Any]]
    ) -> list[tuple[Config, Any]]:
        """The densities of one factor, given the indices of its conditions."""
        if factor.formula is None:
            masses = self.masses(head, factor, given, len(measures))
            return [
                (config, m if w == 1 else m / w)
                for (config, w), m in zip(measures, masses, strict=True)
            ]
        names = dict(factor.symbols)
        value = self.number_of(factor.formula)
        old = dict(self.env)
        made = []
        try:
            for s, i in zip(factor.conditions, given, strict=True):
                self.env[names[s]] = i
            for indices, _ in measures:
                for s, i in zip(factor.slots, indices, strict=True):
                    self.env[names[s]] = i
                made.append((indices, value()))
        finally:
            for name in names.values():
                self.restore(name, old.get(name))
        total = made[0][1] * measures[0][1]
        for (_, v), (_, w) in zip(made[1:], measures[1:], strict=True):
            total = total + v * w
        if abs(float(total) - 1) > 1e-9 or any(v < 0 for _, v in made):
            raise Undefined(f"the declared {head} is no density here")
        return made

    def marginal(
        self, head: str, slots: tuple[str, ...], state: tuple[Any, ...]
    ) -> dict[Config, Any]:
        """The joint summed over all other slots."""
        key = (head, slots, state)
        found = self.tables.get(key)
        if found is not None:
            return found
        own = self.context.heads[head]
        joint = self.joint(head, state)
        if slots == own:
            return joint
        at = [own.index(s) for s in slots]
        rest = [(i, self.weights_of(s)) for i, s in enumerate(own) if s not in slots]
        rest = [(i, weights) for i, weights in rest if any(w != 1 for w in weights)]
        found = {}
        for config, value in joint.items():
            for i, w in rest:
                value = value * w[config[i]]
            short = tuple([config[i] for i in at])
            found[short] = value if short not in found else found[short] + value
        self.tables[key] = found
        return found

    def entry(
        self, head: str, top: tuple[str, ...], bottom: tuple[str, ...], below: list[int]
    ) -> Callable[[tuple[int, ...]], Any]:
        """One entry of a conditional, from the joint; a factor of it does without."""
        own, rest = {*top} - {*bottom}, {*bottom}
        order = self.context.order[head]
        factor = next((f for f in order if {*f.slots} == own and {*f.conditions} == rest), None)
        if factor is not None:
            return self.of_factor(head, factor, top)

        def compute(at: tuple[int, ...]) -> Any:
            state = self.state(head)
            value = self.marginal(head, top, state)[at]
            if bottom:
                value = value / self.marginal(head, bottom, state)[tuple(at[i] for i in below)]
            return value

        return compute

    def of_factor(
        self, head: str, factor: Factor, top: tuple[str, ...]
    ) -> Callable[[tuple[int, ...]], Any]:
        """One entry of a factor: the p(x) of a joint may be that of which another is made."""
        given_at = [top.index(slot) for slot in factor.conditions]
        own_at = [top.index(slot) for slot in factor.slots]

        def compute(at: tuple[int, ...]) -> Any:
            given = tuple([at[i] for i in given_at])
            key = (head, factor.slots, given, "row", self.state(head))
            if key not in self.tables:
                self.tables[key] = dict(self.row(head, factor, given, self.measures(factor)))
            return self.tables[key][tuple([at[i] for i in own_at])]

        return compute
