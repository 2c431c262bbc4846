"""From a world that refutes a relation to one that a reader can follow: few points, small numbers,
a visible gap."""

from __future__ import annotations

import re
import sys
from fractions import Fraction
from itertools import product
from typing import Any

from sympy import Expr, Symbol

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.arithmetic import (
    CannotEvaluate,
    Inexact,
    LogNumber,
    OutOfTime,
    Undefined,
    spell,
)
from vaedocs.derivation.worlds.context import base_name
from vaedocs.derivation.worlds.corners import near
from vaedocs.derivation.worlds.effort import Effort
from vaedocs.derivation.worlds.matrices import Mat
from vaedocs.derivation.worlds.outcome import Counterexample

F = Fraction
VISIBLE = 0.05
ORDINALS = ("1st", "2nd", "3rd", "4th", "5th", "6th")
_WORDS = (
    "alpha beta gamma delta varepsilon epsilon zeta eta vartheta theta lambda mu nu xi pi rho "
    "sigma tau varphi phi psi omega Sigma Lambda Omega Phi Psi Gamma Delta Theta ell"
)
_SIGNS = "αβγδεεζηϑθλμνξπρστφφψωΣΛΩΦΨΓΔΘℓ"
GREEK = sorted(zip(_WORDS.split(), _SIGNS, strict=True), key=lambda pair: -len(pair[0]))
TRIALS = 20
STYLES = re.compile(r"\\(mathcal|mathrm|mathbf|mathbb|boldsymbol|text|operatorname)\b")
NUMBER = re.compile(r"[\d/.]+")
POLISH = 20_000  # points that the search for simpler numbers may evaluate


def entries(v: Any) -> list[Any]:
    return v.entries() if isinstance(v, Mat) else [v]


def plain(v: Any) -> str:
    """A number as a reader writes it."""
    if isinstance(v, Mat):
        if v.shape[1] == 1:
            return "[" + ", ".join(plain(a) for a in v.entries()) + "]"
        return "[" + ", ".join("[" + ", ".join(plain(a) for a in r) + "]" for r in v.rows) + "]"
    if isinstance(v, (Fraction, int)):
        f = F(v)
        return str(f) if len(str(f)) <= 9 else decimal(float(f))
    if isinstance(v, LogNumber):
        text = spell(v)
        return text if len(text) < 30 else f"{float(v):.6g}"
    f = F(float(v)).limit_denominator(64)
    return str(f) if abs(float(f) - float(v)) < 1e-12 else decimal(float(v))


def decimal(v: float) -> str:
    """Five digits; more where these would look like a whole number that it is not."""
    digits = next(
        (n for n in (5, 8, 12) if v == int(v) or not float(f"{v:.{n}g}").is_integer()), 15
    )
    return f"{v:.{digits}g}"


def shown(name: Any) -> str:
    """A name without backslashes: θ, z_1."""
    text = name if isinstance(name, str) else f"{name[0]}_{','.join(map(str, name[1:]))}"
    text = STYLES.sub("", text)
    for word, sign in GREEK:
        text = text.replace("\\" + word, sign)
    return text.replace("\\", "").replace("{", "").replace("}", "")


def nicest(comparison: Any, pair: Any) -> Counterexample:
    """The simplest counterexample found in a short time, starting from the present world."""
    world = comparison.world
    best = (weigh(comparison, pair), state(world))
    before, world.effort = world.effort, Effort(POLISH)
    if comparison.relation != "!=":
        for candidate in candidates(comparison, best[1]):
            if world.effort.left() <= 0:
                break
            try:
                candidate()
                failing = comparison.fails()
            except (Undefined, CannotEvaluate, Inexact, OutOfTime, ArithmeticError):
                continue
            if failing is not None:
                weight = weigh(comparison, failing, best[0])
                if weight < best[0]:
                    best = (weight, state(world))
    restore(world, best[1])
    world.effort = Effort(sys.maxsize)
    final = comparison.values() or pair
    world.effort = before
    told = describe(world, comparison.sides)
    gaps = [abs(float(a - b)) for a, b in zip(entries(final[0]), entries(final[1]), strict=True)]
    at = gaps.index(max(gaps))
    a, b = entries(final[0])[at], entries(final[1])[at]
    text = told.description
    if len(gaps) > 1:
        text += f"\n(entry {at + 1} of {len(gaps)} of both sides)"
    exact = ("", "")
    if world.numbers.exact:
        spelt = spell(a), spell(b)
        exact = spelt if max(map(len, spelt)) <= 60 else exact
    return Counterexample(float(a), float(b), float(a - b), text.strip(), exact, told.values)


def state(world: Any) -> tuple[Any, ...]:
    """All that determines a world."""
    return (
        dict(world.raw_values),
        dict(world.salts),
        world.seed,
        world.style,
        getattr(world, "size", 0),
        dict(getattr(world, "sizes_of", {})),
    )


def restore(world: Any, saved: tuple[Any, ...]) -> None:
    """Put a world back into a state."""
    raw, salts, world.seed, world.style, size, sizes_of = saved
    if not world.smooth:
        world.size, world.sizes_of = size, dict(sizes_of)
    world.raw_values.clear()
    world.raw_values.update(raw)
    world.salts = dict(salts)
    world.renew()


def candidates(comparison: Any, start: tuple[Any, ...]) -> Any:
    """Worlds to try: small random ones, with fewer points, and the found one with some numbers made
    simple."""
    world = comparison.world
    spaces = sorted({world.context.space(s) for s in set(world.context.slot_of.values())})

    corners = near(world, 30, 2) or [{}]

    def tiny(i: int, sizes: dict[str, int], style: str = "tiny", simple: bool = False) -> Any:
        def make() -> None:
            world.style, world.corner = style, corners[i % len(corners)] if simple else {}
            if not world.smooth:
                world.size, world.sizes_of = 2, sizes
            try:
                world.redraw((comparison.seed, "tiny", i))
                comparison.values()  # draws what is needed at this corner
            finally:
                world.corner = {}

        return make

    def even(i: int) -> Any:
        def make() -> None:
            restore(world, start)
            for n, (key, value) in enumerate(list(world.raw_values.items())):
                if (n + i) % 3 == 0 and isinstance(key, tuple) and key[0] in {"mass", "weight"}:
                    world.raw_values[key] = [F(1)] * len(value)
            world.renew()

        return make

    def rough(digits: int) -> Any:
        def make() -> None:
            restore(world, start)
            simple = {k: simplified(v, digits) for k, v in world.raw_values.items()}
            world.raw_values.update(simple)
            world.renew()

        return make

    def styled(style: str, i: int) -> Any:
        def make() -> None:
            world.style = style
            if not world.smooth:
                world.size, world.sizes_of = 2, {}
            world.redraw((comparison.seed, style, i))

        return make

    if world.smooth:
        return [
            *(tiny(i, {}, simple=True) for i in range(len(corners) + 6)),
            *(tiny(i, {}) for i in range(6)),
            *(rough(d) for d in (1, 2, 4, 8)),
            *(styled("extreme", i) for i in range(4)),
        ]
    few = [dict(zip(spaces, s, strict=False)) for s in product((1, 2), repeat=min(len(spaces), 3))]
    few = [{**dict.fromkeys(spaces, 2), **sizes} for sizes in few] or [{}]
    few += few[-1:] * (len(few) > 1)
    found = [tiny(i, few[i % len(few)], "simple", simple=True) for i in range(2 * TRIALS)]
    found += [tiny(i, few[-1], "steep", simple=True) for i in range(TRIALS // 2)]
    found += [tiny(i, few[i % len(few)]) for i in range(TRIALS)]
    found += [tiny(TRIALS + i, few[-1]) for i in range(6)] + [even(i) for i in range(3)]
    return found + [styled("bold", i) for i in range(10)]


def simplified(value: Any, digits: int) -> Any:
    """A raw value of a smooth world with simpler numbers (what it was where it would vanish)."""

    def nice(v: Any) -> Any:
        near = F(v).limit_denominator(digits)
        return near if near else v

    if isinstance(value, list):
        return value
    return value.map(nice) if isinstance(value, Mat) else nice(value)


def weigh(comparison: Any, pair: Any, best: tuple[float, float] = (3, 0)) -> tuple[float, float]:
    """How hard a counterexample is to follow: less is better, and ``best`` is the best so far."""
    gap = max(abs(float(a - b)) for a, b in zip(entries(pair[0]), entries(pair[1]), strict=True))
    size = max(abs(float(v)) for side in pair for v in entries(side))
    invisible = 2 if gap < 1e-3 else 1 if gap < VISIBLE * min(1, size) or gap > 1e6 else 0
    if invisible > best[0]:
        return (invisible, 0)
    world, context = comparison.world, comparison.context
    told = describe(world, comparison.sides)
    words = NUMBER.sub("", told.description)
    bulk = (
        len(words)
        + 150 * (gap < VISIBLE)
        + 3 * sum(map(effort_to_read, NUMBER.findall(told.description)))
    )
    if not world.smooth:
        sizes = [len(v) for v in world.weights.values()]
        observed = {context.space(context.slot_of[n]) for n in told.observed}
        averaged = [len(v) for space, v in world.weights.items() if space not in observed]
        bulk += 25 * sum(max(0, size - 2) for size in sizes)
        bulk += 45 * averaged.count(1) * (comparison.relation == "=")
        bulk += 60 * (
            bool(sizes) and max(sizes) == 1 and comparison.relation == "="
        )  # where nothing can vary, too much is equal
    return (invisible, bulk)


def effort_to_read(number: str) -> float:
    """0 and 1 are read at a glance, 2 and 1/2 nearly so, 197/480 is not."""
    above, _, below = number.partition("/")
    if "." in number or not above.isdigit():
        return 30
    return min(30.0, 0.9 * int(above)) + (min(30.0, float(below)) if below.isdigit() else 0)


class Told:
    """A description and the same for JSON."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.values: dict[str, Any] = {}
        self.observed: list[str] = []  # random variables at one point, not averaged over

    def add(self, text: str, key: str, value: Any) -> None:
        """One line, once."""
        if key not in self.values:
            self.lines.append(text)
            self.values[key] = jsonable(value)

    @property
    def description(self) -> str:
        """The lines, joined; a few per row."""
        return "; ".join(self.lines)


def jsonable(v: Any) -> Any:
    """Numbers as strings where exact, floats otherwise."""
    if isinstance(v, Mat):
        return [[jsonable(a) for a in r] for r in v.rows]
    if isinstance(v, (list, tuple)):
        return [jsonable(a) for a in v]
    if isinstance(v, (Fraction, int, str)):
        return str(v)
    return float(v)


def mentioned(
    world: Any, sides: Any
) -> tuple[list[ex.Density], list[ex.Apply], list[str], set[str]]:
    """What occurs in both sides, definitions unfolded: densities, functions, free names, names used
    as numbers."""
    densities: list[ex.Density] = []
    applied: list[ex.Apply] = []
    free: dict[str, None] = {}
    numbers: set[str] = set()
    context = world.context

    def look(e: Any, bound: frozenset[str]) -> None:
        if isinstance(e, Symbol):
            if e.name in context.definitions and e.name not in bound:
                look(context.definitions[e.name].right, bound)
            else:
                numbers.add(e.name)
                if e.name not in bound:
                    free[e.name] = None
        elif isinstance(e, ex.Density):
            if e not in densities:
                densities.append(e)
            for _, v in (*e.values, *e.conditions):
                if isinstance(v, (Symbol, ex.Item)):
                    if (
                        isinstance(v, Symbol)
                        and v.name in context.definitions
                        and v.name not in bound
                    ):
                        look(v, bound)
                    elif base_name(v) not in bound:
                        free[base_name(v)] = None
                else:
                    look(v, bound)
            for key, formula, pairs in context.formulas(e.head):
                if key == e.key:
                    look(formula, bound | {n for _, n in pairs})
        else:
            if isinstance(e, ex.Apply) and e not in applied:
                applied.append(e)
            inner = bound
            if isinstance(e, ex.Binder):
                inner = bound | {base_name(v) for v in e.bound}
                for a in e.args[:-1]:
                    look(a, inner)
                return
            for a in getattr(e, "args", ()):
                look(a, inner)

    for side in sides:
        look(side, frozenset())
    return densities, applied, list(free), numbers


def describe(world: Any, sides: tuple[Expr, ...]) -> Told:
    """The world in the words of the expressions."""
    told = Told()
    densities, applied, free, numbers = mentioned(world, sides)
    context = world.context
    told.observed = [name for name in free if context.is_random(name)]
    for name in free:
        if context.is_random(name) or name in context.definitions:
            continue
        for key in [
            k for k in list(world.env) if k == name or (isinstance(k, tuple) and k[0] == name)
        ]:
            told.add(f"{shown(key)} = {plain(world.env[key])}", shown(key), world.env[key])
    if world.smooth:
        smooth_lines(world, densities, applied, free, told)
        return told
    slots = list(dict.fromkeys(s for d in densities for s, _ in (*d.values, *d.conditions)))
    slots += [
        context.slot_of[n]
        for n in numbers
        if n in context.slot_of and context.slot_of[n] not in slots
    ]
    for slot in slots:
        finite_space(world, slot, numbers, told)
    for d in densities:
        finite_density(world, d, free, told)
    for (kind, *rest), value in [
        (k, v) for k, v in world.raw_values.items() if isinstance(k, tuple)
    ]:
        if kind == "function":
            name, arguments = rest
            inside = ", ".join(plain(a) for a in arguments)
            made = value[0] if len(value) == 1 else Mat([[v] for v in value])
            told.add(f"{shown(name)}({inside}) = {plain(made)}", f"{shown(name)}({inside})", made)
    for key in [k for k in world.env if context.is_random(k if isinstance(k, str) else k[0])]:
        slot = context.slot_of[key if isinstance(key, str) else key[0]]
        if (key if isinstance(key, str) else key[0]) in free and len(world.space(slot)) > 1:
            at = world.env[key]
            point = world.space(slot)[at]
            text = f"{shown(key)} is observed at its {ORDINALS[at]} value"
            told.add(text, f"observed {shown(key)}", point)
    return told


def finite_space(world: Any, slot: str, numbers: set[str], told: Told) -> None:
    """``z takes 2 values with weights 1, 1/2``."""
    weights = world.weights_of(slot)
    count = len(weights)
    text = f"{shown(slot)} takes {count} value{'s' * (count > 1)}"
    names = {n for n, s in world.context.slot_of.items() if s == slot}
    if names & numbers:
        text += " " + ", ".join(plain(p) for p in world.space(slot))
    if any(w != 1 for w in weights):
        text += f" with weight{'s' * (count > 1)} " + ", ".join(plain(w) for w in weights)
    told.add(text, f"weights of {shown(slot)}", weights)


def finite_density(world: Any, d: ex.Density, free: list[str], told: Told) -> None:
    """``p(x|z) = …`` at all points of what is bound, at the observed point of what is free."""
    fillers = [*d.values, *d.conditions]
    context = world.context
    axes: list[list[int]] = []
    symbols: list[str] = []
    for slot, value in fillers:
        if not isinstance(value, Symbol):
            if value.is_number or isinstance(value, ex.Item):
                value = Symbol(base_name(value)) if isinstance(value, ex.Item) else None
            if value is None:
                return
        name = value.name
        symbols.append(slot)
        observed = name in free and name in world.env
        axes.append([world.env[name]] if observed else list(range(len(world.space(slot)))))
    left = ", ".join(shown(s) for s, _ in d.values)
    right = ", ".join(shown(s) for s, _ in d.conditions)
    title = f"{shown(d.head)}({left}" + (f" | {right})" if right else ")")
    names = [f"{s}" for s in symbols]
    generic = ex.Density(
        d.head,
        [(s, Symbol(context.variable(s).symbol.name)) for s, _ in d.values],
        [(s, Symbol(context.variable(s).symbol.name)) for s, _ in d.conditions],
    )
    if any(
        context.slot_of.get(context.variable(s).symbol.name, s) != s
        or context.variable(s).symbol.name in context.definitions
        for s in names
    ):
        generic = d
    value = world(generic)
    cells = [v.name for _, v in (*generic.values, *generic.conditions)]
    saved = dict(world.env)

    def table(i: int) -> Any:
        if i < 0:
            return value()
        rows = []
        for k in axes[i]:
            world.env[cells[i]] = k
            rows.append(table(i - 1))
        return rows[0] if len(rows) == 1 else rows

    try:
        made = table(len(axes) - 1)  # conditions outside, values inside
    except (Undefined, CannotEvaluate, ArithmeticError):
        return
    finally:
        world.env.clear()
        world.env.update(saved)

    def text(rows: Any) -> str:
        return (
            "[" + ", ".join(text(r) for r in rows) + "]" if isinstance(rows, list) else plain(rows)
        )

    told.add(f"{title} = {text(made)}", title, made)


def smooth_lines(
    world: Any, densities: list[ex.Density], applied: list[ex.Apply], free: list[str], told: Told
) -> None:
    """Observed values, function values where they are free, and the laws of densities without
    formula."""
    context = world.context
    for name in free:
        if context.is_random(name) and name in world.env:
            told.add(f"{shown(name)} = {plain(world.env[name])}", shown(name), world.env[name])
    for e in applied:
        try:
            value = world(e)()
        except (Undefined, CannotEvaluate, ArithmeticError, OutOfTime):
            continue
        arguments = ", ".join(shown(str(a)) for a in e.args[2])
        if all(s.name in world.env for s in e.args[2].free_symbols):
            told.add(
                f"{shown(e.name)}({arguments}) = {plain(value)}",
                f"{shown(e.name)}({arguments})",
                value,
            )
    for d in densities:
        factors = context.order[d.head]
        if any(f.formula is None and set(f.slots) & {s for s, _ in d.values} for f in factors):
            left = ", ".join(shown(s) for s, _ in d.values)
            right = ", ".join(shown(s) for s, _ in d.conditions)
            title = f"{shown(d.head)}({left}" + (f" | {right})" if right else ")")
            told.add(f"{title} a mixture of two Gaussians", title, "a mixture of two Gaussians")
