r"""Optima over all functions, point by point: ``\max_D \int p \log D + q \log(1 - D)\,dx``.

Where what is optimised is an integral of known functions of f(x), f is best where the derivative in
its value at x vanishes, for every x (the equation of Euler and Lagrange without derivatives). It is
the one optimum if what is integrated is concave, or convex for a minimum, in that value.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Dummy, Expr, Integer, Symbol, diff, exp, expand, log, simplify, solve

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.theory import FunctionInfo, Theory
from vaedocs.derivation.worlds.arithmetic import CannotEvaluate


@dataclass(frozen=True)
class Best:
    """The ``function`` that is stationary, as a formula in its argument, the ``value`` of what is
    optimised there, and whether it is ``sure`` that this is the optimum."""

    function: Expr
    value: Expr
    sure: bool


def functions_of(place: ex.Extremum, theory: Theory) -> tuple[list[ex.Apply], Expr]:
    """Where the function over which an optimum is taken stands, and what is optimised, written
    out."""
    names = {v.name for v in place.bound if isinstance(v, Symbol)} & theory.functions.keys()
    body = place.args[1]
    for _ in theory.definitions if names else ():
        body = body.xreplace({s: theory.definitions[s].right for s in theory.definitions})
    return [a for a in body.atoms(ex.Apply) if a.name in names], body


def best(place: ex.Extremum, theory: Theory) -> Best | None:
    """The best function of an optimum over functions; None for an optimum over something else.

    Raises :class:`CannotEvaluate` where it is not found.
    """
    calls, body = functions_of(place, theory)
    if not calls:
        return None
    call, unknown = calls[0], "an optimum over all functions"
    info = theory.functions.get(call.name, FunctionInfo(call.name))
    said = info.shape or info.convex or info.concave or info.increasing or info.invertible
    if len(calls) > 1 or len(place.bound) > 1 or said or body.has(ex.Extremum):
        raise CannotEvaluate(unknown)
    where = set(call.args[2])
    if not all(isinstance(v, Symbol) for v in where):
        raise CannotEvaluate(unknown)
    integrals = _outermost(body, call)
    names = {node: Dummy(f"A_{k}", positive=True) for k, node in enumerate(integrals)}
    outer = body.xreplace(names)
    if outer.has(ex.Apply) and call in outer.atoms(ex.Apply):
        raise CannotEvaluate(unknown)
    kind = str(place.args[0].name)
    low, arg = kind in {"min", "inf", "argmin"}, kind.startswith("arg")
    t, slope, sure = Dummy("t", real=True), Integer(0), True
    weights: dict[Expr, Expr] = {}
    for node, name in names.items():
        share = diff(outer, name)
        inner = expand(node.args[0].xreplace({call: t}))
        of_log = (share * name).is_number and isinstance(inner, exp)  # log E[e^T] is convex in T
        sure = sure and (share.is_number or (of_log and not arg))  # T + c is as good as T
        share = share.xreplace(dict.fromkeys(names.values(), Integer(1)))
        weight = node.args[1] if isinstance(node, ex.Expectation) else Integer(1)
        if not share.is_number or not where <= set(node.bound) or weight.has(ex.Apply):
            raise CannotEvaluate(unknown)
        others = [v for v in node.bound if v not in where]
        for term in Add.make_args(inner):
            factor, shape = term.as_independent(t)
            masks = {a: Dummy(positive=True) for a in factor.atoms(ex.Density, ex.Family)}
            sign = factor.xreplace(masks)
            sure = sure and _bends(shape, t, share * sign, low)
            turn = -1 if sign.is_nonpositive else 1
            sign, factor = turn * sign, turn * factor
            made = ex.Integral(weight * factor, (), others) if others else weight * factor
            mask = weights.setdefault(made, Dummy(positive=sign.is_nonnegative or None, real=True))
            slope += turn * share * mask * diff(shape, t)
    try:
        found = [root for root in solve(slope, t) if root.is_real is not False]
    except NotImplementedError:
        raise CannotEvaluate(unknown) from None
    allowed = [root for root in found if _inside(root, info, body, call)]
    if len(allowed) != 1:
        raise CannotEvaluate(unknown)
    made = allowed[0].xreplace({mask: weight for weight, mask in weights.items()})
    return Best(made, body.xreplace({call: made}), sure)


def _outermost(e: Expr, call: ex.Apply) -> list[Expr]:
    """The averages and integrals in which the function stands."""
    if isinstance(e, ex.Expectation) or (isinstance(e, ex.Integral) and not e.args[1]):
        return [e] if call in e.atoms(ex.Apply) else []
    return [node for a in e.args if isinstance(a, Expr) for node in _outermost(a, call)]


def _bends(shape: Expr, t: Symbol, share: Expr, low: bool) -> bool:
    """Whether ``share · shape(t)`` is concave in t; convex, where ``low``."""
    share = share if low else -share  # now: whether it is convex
    if shape.is_polynomial(t):
        degree = shape.as_poly(t).degree()
        return degree < 2 or (degree == 2 and bool((share * diff(shape, t, 2)).is_nonnegative))
    if isinstance(shape, log | exp) and shape.args[0].is_polynomial(t):
        straight = shape.args[0].as_poly(t).degree() == 1
        return straight and bool((-share if isinstance(shape, log) else share).is_nonnegative)
    return False


def _inside(root: Expr, info: FunctionInfo, body: Expr, call: ex.Apply) -> bool:
    """Whether a function may have this value: its logarithm, and what is declared, ask for more."""
    logs = [part.args[0] for part in body.atoms(log) if call in part.atoms(ex.Apply)]
    positive = [inner.xreplace({call: root}) for inner in logs if not inner.atoms(ex.Binder)]
    positive += [root] * info.positive + [root, 1 - root] * info.unit
    if info.nonnegative and not simplify(root).is_nonnegative:
        return False
    for relation, end in info.bounds:
        gap = simplify(root - end if relation[0] == ">" else end - root)
        if not (gap.is_nonnegative if "=" in relation else gap.is_positive):
            return False
    return all(simplify(value).is_positive for value in positive)


def without_functions(e: Expr, theory: Theory) -> Expr:
    """An expression in which optima over functions have been found; those of which it is not sure
    stay where they are."""
    changes: dict[Expr, Expr] = {}
    for place in sorted(e.atoms(ex.Extremum), key=str):
        try:
            found = best(place, theory)
        except CannotEvaluate:
            continue
        if found is not None and found.sure:
            is_place = str(place.args[0].name).startswith("arg")
            changes[place] = found.function if is_place else found.value
    return e.xreplace(changes) if changes else e
