"""A world in the words of the expressions: what is drawn in it, and only what they speak of."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import mpmath
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.arithmetic import (
    CannotEvaluate,
    LogNumber,
    OutOfTime,
    Undefined,
    spell,
)
from vaedocs.derivation.worlds.factors import HEADS
from vaedocs.derivation.worlds.labels import MEMBERS
from vaedocs.derivation.worlds.matrices import Mat
from vaedocs.derivation.worlds.sight import base_name

F = Fraction
ORDINALS = ("1st", "2nd", "3rd", *(f"{k}th" for k in range(4, 13)))
_WORDS = (
    "alpha beta gamma delta varepsilon epsilon zeta eta vartheta theta lambda mu nu xi pi rho "
    "sigma tau varphi phi psi omega Sigma Lambda Omega Phi Psi Gamma Delta Theta ell"
)
_SIGNS = "αβγδεεζηϑθλμνξπρστφφψωΣΛΩΦΨΓΔΘℓ"
GREEK = sorted(zip(_WORDS.split(), _SIGNS, strict=True), key=lambda pair: -len(pair[0]))
STYLES = re.compile(r"\\(mathcal|mathrm|mathbf|mathbb|boldsymbol|text|operatorname)\b")


def entries(v: Any) -> list[Any]:
    """All entries of a matrix, or the number itself."""
    return v.entries() if isinstance(v, Mat) else [v]


def plain(v: Any) -> str:
    """A number as a reader writes it."""
    if isinstance(v, Mat):
        if v.shape[1] == 1:
            return "[" + several(v.entries()) + "]"
        return "[" + ", ".join("[" + ", ".join(plain(a) for a in r) + "]" for r in v.rows) + "]"
    if v and not isinstance(v, LogNumber) and not 1e-12 < abs(v) < 1e15:
        top, bottom = (v.numerator, v.denominator) if isinstance(v, (Fraction, int)) else (v, 1)
        return str(mpmath.nstr(mpmath.mpf(top) / bottom, 3))
    if isinstance(v, (Fraction, int)):
        f = F(v)
        return str(f) if len(str(f)) <= 9 else decimal(float(f))
    if isinstance(v, LogNumber):
        text = spell(v)
        return text if len(text) < 30 else f"{float(v):.6g}"
    f = F(float(v)).limit_denominator(64)
    return str(f) if abs(float(f) - float(v)) < 1e-12 else decimal(float(v))


def several(values: list[Any]) -> str:
    """Numbers, with dots where they are many."""
    told = [plain(v) for v in (values if len(values) <= 12 else [*values[:3], values[-1]])]
    return ", ".join(told) if len(values) <= 12 else ", ".join((*told[:3], "…", told[3]))


def decimal(v: float) -> str:
    """Five digits; more where these would look like a whole number that it is not."""
    digits = next(
        (n for n in (5, 8, 12) if v == int(v) or not float(f"{v:.{n}g}").is_integer()), 15
    )
    return f"{v:.{digits}g}"


def shown(name: Any) -> str:
    """A name without backslashes: θ, z_1."""
    text = (
        name if isinstance(name, str) else f"{name[0].rstrip('_')}_{','.join(map(str, name[1:]))}"
    )
    text = STYLES.sub("", text)
    for word, sign in GREEK:
        text = text.replace("\\" + word, sign)
    return text.replace("\\", "").replace("{", "").replace("}", "")


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


def describe(world: Any, sides: tuple[Expr, ...], moving: frozenset[str] = frozenset()) -> Told:
    """The world in the words of the expressions; names that move are left out."""
    told = Told()
    densities, applied, named, numbers = mentioned(world, sides)
    free = [name for name in named if name not in moving]
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
        text += " " + several(world.space(slot))
    if any(w != 1 for w in weights):
        text += f" with weight{'s' * (count > 1)} " + ", ".join(plain(w) for w in weights)
    told.add(text, f"weights of {shown(slot)}", weights)


def finite_density(world: Any, d: ex.Density, free: list[str], told: Told) -> None:
    """``p(x|z) = …`` at all points of what is bound, at the observed point of what is free."""
    fillers = [*d.values, *d.conditions]
    context = world.context
    if all(value.is_number for _, value in fillers):
        parts = [
            ", ".join(f"{shown(s)} = {v}" for s, v in part) for part in (d.values, d.conditions)
        ]
        title = f"{shown(d.head)}({' | '.join(filter(None, parts))})"
        made = world(d)()
        told.add(f"{title} = {plain(made)}", title, made)
        return
    axes: list[list[int]] = []
    symbols: list[str] = []
    for slot, value in fillers:
        if not isinstance(value, Symbol):
            if not isinstance(value, ex.Item):
                return
            value = Symbol(base_name(value))
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

    defined = context.definitions.keys() | world.env.keys()
    members = [label.name for label in context.labels_of(d.head) if label.name not in defined]
    for name in members:  # one table after the other
        cells.append(name)
        axes.append(list(range(MEMBERS)))
        title += f" for {MEMBERS} values of {shown(name)}"

    try:
        made = table(len(axes) - 1)  # conditions outside, values inside
    except (Undefined, CannotEvaluate, ArithmeticError):
        return
    finally:
        world.env.clear()
        world.env.update(saved)

    def text(rows: Any) -> str:
        if isinstance(rows, list) and len(rows) > 6 and all(row == rows[0] for row in rows):
            return f"{text(rows[0])} at each"
        return (
            "[" + ", ".join(text(r) for r in rows) + "]" if isinstance(rows, list) else plain(rows)
        )

    told.add(f"{title} = {text(made)}", title, made)


def smooth_lines(
    world: Any, densities: list[ex.Density], applied: list[ex.Apply], free: list[str], told: Told
) -> None:
    """Observed values, functions or their values where these are free, and the laws of densities
    without formula."""
    context = world.context
    for name in free:
        if context.is_random(name) and name in world.env:
            told.add(f"{shown(name)} = {plain(world.env[name])}", shown(name), world.env[name])
    for e in applied:
        arguments = [shown(str(a)).replace("t'", "t") for a in e.args[2]]  # of g'(X)
        title = f"{shown(e.name)}({', '.join(arguments)})"
        line = world.raw_values.get(("line", e.name, len(arguments)))
        scalars = all(isinstance(a, Symbol) and not context.shape(a.name) for a in e.args[2])
        if line is not None and scalars:
            power, start, *slopes = line
            raised = [f"{name}^{power}" for name in arguments] if power > 1 else arguments
            made = linear(start, slopes, raised)
            size = math.prod(world.function_sizes.get(e.name, ()))
            made = f"[{', '.join([made] * size)}]" if not e.is_scalar() else made
            told.add(f"{title} = {made}", title, made)
            continue
        if any(isinstance(k, tuple) and k[:2] == ("line", e.name) for k in world.raw_values):
            continue
        try:
            value = world(e)()
        except (Undefined, CannotEvaluate, ArithmeticError, OutOfTime):
            continue
        inside = {s.name for s in e.args[2].free_symbols}
        if inside <= set(free) and all(name in world.env for name in inside):
            told.add(f"{title} = {plain(value)}", title, value)
    for d in densities:
        own, given = ([s for s, _ in pairs] for pairs in (d.values, d.conditions))
        free_factors = [f for f in context.order[d.head] if f.formula is None]
        if world.style == "gauss":
            for f in free_factors:
                simple_law(world, d.head, f, told)
        elif any(set(f.slots) & set(own) for f in free_factors):
            title = title_of(d.head, own, given)
            law = counted(world, d.head, free_factors[0]) or "a mixture of two Gaussians"
            told.add(f"{title} {law}", title, law)


def counted(world: Any, head: str, factor: Any) -> str:
    """``= 1/2, 1/3, 1/12, …`` of a variable that counts without end."""
    first = world.first_count(factor.slots[0])
    if first is None or factor.conditions:
        return ""
    masses = [
        plain(math.exp(world.log_free(head, factor, {factor.slots[0]: first + k})))
        for k in range(HEADS)
    ]
    return f"= {', '.join(masses)}, and then half of the one before for each"


def title_of(head: str, slots: list[str], conditions: list[str]) -> str:
    """``p(x | z)``."""
    left, right = (", ".join(map(shown, names)) for names in (slots, conditions))
    return f"{shown(head)}({left}" + (f" | {right})" if right else ")")


def simple_law(world: Any, head: str, factor: Any, told: Told) -> None:
    """``p(x | z) = N(z + 1, 1)``."""
    (slot, *more), conditions = factor.slots, list(factor.conditions)
    title = title_of(head, [slot, *more], conditions)
    raw = world.raw_values.get(("gauss", head, slot))
    varying = [p.name for p in world.context.parameters_of(head, factor)]
    names = [*conditions, *(n for n in varying if n in world.context.varying)]
    shapes = [world.context.shape(n) for n in (slot, *names)]
    kinds = {"law", "logit"}
    if raw is None and not any(
        isinstance(k, tuple) and k[0] in kinds and k[1:3] == (head, slot) for k in world.raw_values
    ):
        return  # nothing depended on it
    if raw is None:
        law = "a smooth density"
    elif any(shapes) or len(raw) != len(names) + 2:
        law = "a Gaussian"
    else:
        law = f"N({linear(raw[0], raw[2:], list(map(shown, names)))}, {plain(raw[1] ** 2)})"
    told.add(f"{title}{' =' * law.startswith('N(')} {law}", title, law)


def linear(start: Fraction, slopes: list[Fraction], names: list[str]) -> str:
    """``2 z + 1``."""
    made = ""
    for slope, name in [*zip(slopes, names, strict=True), *([(start, "")] if start else [])]:
        size = plain(abs(slope)) if abs(slope) != 1 or not name else ""
        sign = ("-" if slope < 0 else "") if not made else (" - " if slope < 0 else " + ")
        made += sign + " ".join(part for part in (size, name) if part)
    return made or "0"
