"""What ``≈``, ``∝`` and constants claim: means of estimates, and the variables a constant must not
contain.
"""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Mul, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation.normal_form import NormalForm, TooLarge
from vaedocs.derivation.prove import follows
from vaedocs.derivation.theory import Theory
from vaedocs.derivation.worlds import Outcome, test

NEAR = 0.1  # of the left side: a number further off is no approximation of it


def averaged(expr: Expr, theory: Theory) -> Expr:
    """A Monte Carlo estimate with every sum over samples replaced by its mean: Σ_l f(z^{(l)}) by
    Σ_l E[f(z)].
    """
    if isinstance(expr, e.Sum):
        (index,) = expr.bound
        copies = {
            part
            for part in sympy.preorder_traversal(expr.args[0])
            if isinstance(part, e.Item) and part.args[1] == index
        }
        slots = {
            part: slot
            for part in copies
            for slot, variable in theory.variables.items()
            if variable.symbol == part.args[0]
        }
        if len(copies) == 1 and slots:
            (copy,) = copies
            weight = _sampler(slots[copy], theory)
            if weight is not None:
                z = theory.variables[slots[copy]].symbol
                return expr.func(
                    e.Expectation(expr.args[0].xreplace({copy: z}), weight, (z,)), *expr.args[1:]
                )
        return expr
    if isinstance(expr, sympy.Add | sympy.Mul):
        return expr.func(*(averaged(part, theory) for part in expr.args))
    return expr


def closeness(theory: Theory, left: Expr, right: Expr) -> str:
    """How near two plain numbers are, for ``≈``: nothing where a side is no number.

    >>> from sympy import Rational, pi
    >>> closeness(Theory(), pi, Rational(22, 7)), closeness(Theory(), pi, Rational(4))
    ('the sides differ by 0.04 %', 'far apart: they differ by 27 %')
    """
    values = [_number(theory, side) for side in (left, right)]
    if values[0] is None or values[1] is None:
        return ""
    gap, size = abs(values[0] - values[1]), abs(values[0])
    if 0 in values:
        told, far = f"differ by {gap:.2g}", gap > NEAR
    else:
        share = float(f"{100 * gap / size:.2g}")  # 100, not 1e+02
        told, far = f"differ by {share:g} %", gap > NEAR * size
    return f"far apart: they {told}" if far else f"the sides {told}"


def _number(theory: Theory, side: Expr) -> float | None:
    """The value of a side that is one in every model."""
    try:
        if side.free_symbols or side.atoms(e.Node):
            made = NormalForm(theory).of(side).constant()
            return None if made is None else float(made)
        return float(side)
    except (TooLarge, TypeError, OverflowError):
        return None


def _sampler(slot: str, theory: Theory) -> Expr | None:
    """The density that samples of a variable come from: the one that is said; else q's if there is
    one, else p's.
    """
    if slot in theory.sampled:
        return theory.sampled[slot]
    for head in sorted(theory.models, key=lambda name: (name == "p", name)):
        slots = theory.models[head]
        if slot in slots:
            given = [other for other in slots if other != slot] if head != "p" else []
            return e.Density(
                head,
                [(slot, theory.variables[slot].symbol)],
                [(other, theory.variables[other].symbol) for other in given],
            )
    return None


def free_variables(left: Expr, right: Expr, theory: Theory) -> tuple[Symbol, ...]:
    """The variables that "constant" must not depend on: those left of the bar of the first density,
    else none. Of data, which the right side does not name, those behind it.
    """
    if isinstance(left, e.Density):
        values = tuple(v for _, v in left.values if isinstance(v, Symbol))
        behind = tuple(v for _, v in left.conditions if v in right.free_symbols)
        return values if not behind or right.free_symbols & {*values} else behind
    if isinstance(left, sympy.log) and isinstance(left.args[0], e.Density):
        return free_variables(left.args[0], right, theory)
    return ()


def up_to(left: Expr, right: Expr, constants: set[Symbol]) -> tuple[str, Expr, Expr] | None:
    r"""What ``f = g + C`` and ``f = \frac{1}{Z} e^{g + C}`` claim: an equation up to a term, or up
    to a factor; None where the constants stand otherwise.
    """
    sides = [_without(side, constants) for side in (left, right)]
    kinds = {made[0] for made in sides if made is not None} - {""}
    if None in sides or len(kinds) != 1:
        return None
    return kinds.pop(), *(made[1] for made in sides if made is not None)


def _without(side: Expr, constants: set[Symbol]) -> tuple[str, Expr] | None:
    """``"const"`` or ``"prop"``, and a side without its constant terms, or factors."""
    if not side.free_symbols & constants:
        return "", side
    kind = "const" if isinstance(side, Add | Symbol) else "prop"
    kept = []
    for part in (Add if kind == "const" else Mul).make_args(side):
        if not part.free_symbols & constants:
            kept.append(part)
        elif not part.free_symbols <= constants:
            inner = _without(part.args[0], constants) if isinstance(part, sympy.exp) else None
            if inner is None or inner[0] != "const" or kind == "const":
                return None
            kept.append(sympy.exp(inner[1]))
    return kind, Add(*kept) if kind == "const" else Mul(*kept)


def opposite_optima(left: Expr, right: Expr, theory: Theory, seed: int) -> Outcome | None:
    """The refutation of arg min f = arg min g where f + g does not depend on what is optimised
    over, but f does.
    """
    if not (isinstance(left, e.Extremum) and isinstance(right, e.Extremum)):
        return None
    turned = {"argmin": "argmax", "argmax": "argmin"}.get(right.args[0].name)
    if turned is None or left.args[0].name != right.args[0].name:
        return None
    if not follows(theory, "=", left, e.Extremum(turned, right.args[1], right.bound)):
        return None
    outcome = test("=", left.args[1], right.args[1], theory, seed=seed)
    return outcome if outcome.status == "refuted" else None
