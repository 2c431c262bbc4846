"""What ``≈``, ``∝`` and constants claim: means of estimates, and the variables a constant must not
contain.
"""

from __future__ import annotations

import sympy
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation.prove import prove
from vaedocs.derivation.theory import Theory
from vaedocs.derivation.worlds import Outcome, test


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


def _sampler(slot: str, theory: Theory) -> Expr | None:
    """The density that samples of a variable come from: q's if there is one, else p's."""
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
    else none.
    """
    if isinstance(left, e.Density):
        return tuple(v for _, v in left.values if isinstance(v, Symbol))
    if isinstance(left, sympy.log) and isinstance(left.args[0], e.Density):
        return free_variables(left.args[0], right, theory)
    return ()


def opposite_optima(left: Expr, right: Expr, theory: Theory, seed: int) -> Outcome | None:
    """The refutation of arg min f = arg min g where f + g does not depend on what is optimised
    over, but f does.
    """
    if not (isinstance(left, e.Extremum) and isinstance(right, e.Extremum)):
        return None
    turned = {"argmin": "argmax", "argmax": "argmin"}.get(right.args[0].name)
    if turned is None or left.args[0].name != right.args[0].name:
        return None
    if prove(theory, "=", left, e.Extremum(turned, right.args[1], right.bound)) is None:
        return None
    outcome = test("=", left.args[1], right.args[1], theory, seed=seed)
    return outcome if outcome.status == "refuted" else None
