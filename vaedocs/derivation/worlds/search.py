# ruff: noqa: PT028 - the name `test` is the one that callers know
"""Look for a world in which a relation fails.

Equalities: a handful of worlds, exactly. Inequalities: many worlds in floats with extreme weights
and tables, then
random steps uphill on the violation from the best of them; what was found is confirmed exactly, or
on finer grids.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Add, Expr, Mul, Symbol, preorder_traversal

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.theory import Fact, Theory
from vaedocs.derivation.worlds.arithmetic import (
    CannotEvaluate,
    OutOfTime,
)
from vaedocs.derivation.worlds.claims import Claim, over_densities, unfolded
from vaedocs.derivation.worlds.comparison import (
    EXACT,
    INEQUALITIES,
    POINTS,
    SMOOTH,
    NoInstance,
)
from vaedocs.derivation.worlds.context import Context
from vaedocs.derivation.worlds.finite_search import Finite
from vaedocs.derivation.worlds.measures import needs_lengths
from vaedocs.derivation.worlds.outcome import Method, Outcome
from vaedocs.derivation.worlds.sight import base_name
from vaedocs.derivation.worlds.smooth_search import Smooth
from vaedocs.derivation.worlds.variations import without_functions

FEW = 4
JOINT = 20  # variables of one density
PLANE = 6  # how much more a grid of two variables costs than a table


def test(
    relation: str,
    left: Expr,
    right: Expr,
    theory: Theory,
    *,
    seed: int = 0,
    points: int = POINTS,
    free_of: Sequence[Symbol] = (),
) -> Outcome:
    """Look for a counterexample to ``left relation right`` among the worlds of ``theory``.

    ``relation`` is ``=``, ``<=``, ``>=``, ``<``, ``>``, ``!=``, ``prop`` (equal up to a factor that
    does not change with the
    variables in ``free_of``) or ``const`` (up to such a term). ``points`` is how much may be
    computed, in evaluated points. An agreement proves nothing.

    >>> from sympy import log, symbols
    >>> from vaedocs.derivation.expressions import density
    >>> x = symbols("x")
    >>> test("<=", log(density("p", x)), symbols("x") * 0, Theory()).status
    'refuted'
    """
    optima = [e for side in (left, right) for e in side.atoms(ex.Extremum)]
    if optima:  # which cost hundreds of evaluations, and one inside another hundreds of these
        points *= 16 if any(e.args[1].has(ex.Extremum) for e in optima) else 4
    found = _tried(relation, left, right, theory, seed, points, free_of)
    said = [fact.name for fact in theory.constraints if found.status == "refuted" and of_all(fact)]
    if said:  # it was heeded at the drawn places only
        reason = f"it fails where {said[0]} holds in some places, and it is said to hold everywhere"
        return Outcome("undecided", found.method, reason=reason)
    return found


def of_all(fact: Fact) -> bool:
    """Whether a hypothesis speaks of a function or a density at several places, or of its slope:
    f(-x) = f(x), p(-x) = p(x), f' = f."""
    places: dict[str, set[Expr]] = {}
    for side in (fact.left, fact.right):
        if any(slope.has(ex.Apply) for slope in side.atoms(ex.Derivative)):
            return True
        for call in side.atoms(ex.Apply):
            places.setdefault(call.name, set()).add(call.args[2])
        for density in side.atoms(ex.Density):
            places.setdefault(f"{density.head} ", set()).add(density.args[1])
    moved = [at for one in places.values() if len(one) > 1 for at in one]
    inside = (part for at in moved for part in preorder_traversal(at))
    return any(isinstance(part, Add | Mul) and part.free_symbols for part in inside)


def _tried(
    relation: str,
    left: Expr,
    right: Expr,
    theory: Theory,
    seed: int,
    points: int,
    free_of: Sequence[Symbol],
) -> Outcome:
    method: Method = EXACT
    try:
        left, right = unfolded(left, theory), unfolded(right, theory)
        left, right = (without_functions(side, theory) for side in (left, right))
        context = Context(theory, (left, right))
        joint = max((len(slots) for slots in context.heads.values()), default=0)
        if joint > JOINT:
            raise CannotEvaluate(f"a joint of {joint} variables is too large to be tried")
        if (found := of_all_densities(context, relation, left, right, seed, points)) is not None:
            return found
        if not needs_smooth(context):
            if relation in INEQUALITIES and needs_lengths(context, left, right, seed):
                return on_the_line(context, relation, left, right, seed, points)
            try:
                return Finite(context, relation, left, right, seed, points, free_of).run()
            except CannotEvaluate as error:
                finite_reason = error.reason
                try:
                    method = SMOOTH
                    return Smooth(context, relation, left, right, seed, points, free_of).run()
                except CannotEvaluate:
                    return Outcome("undecided", EXACT, reason=finite_reason)
        method = SMOOTH
        found = Smooth(context, relation, left, right, seed, points, free_of).run()
        few = found.status != "refuted" and found.instances < FEW
        if few and relation in INEQUALITIES and points >= POINTS:  # integrals over a plane
            return Smooth(context, relation, left, right, seed, 3 * points, free_of).run()
        return found
    except CannotEvaluate as error:
        return Outcome("undecided", method, reason=error.reason)
    except NoInstance as error:
        return Outcome("vacuous", method, reason=str(error))
    except OutOfTime:
        return Outcome("undecided", method, reason=f"not decided within {points} points")
    except RecursionError:
        return Outcome("undecided", method, reason="the expression is nested too deeply")


def of_all_densities(
    context: Context, relation: str, left: Expr, right: Expr, seed: int, points: int
) -> Outcome | None:
    """The outcome of a claim about the best density, if it is decided as one about all of them."""
    try:
        claim = over_densities(context, relation, left, right)
    except CannotEvaluate:
        claim = None
    found = None if claim is None else settled(claim, context.theory, seed, points)
    return None if found is None or found.status == "undecided" else found


def on_the_line(
    context: Context, relation: str, left: Expr, right: Expr, seed: int, points: int
) -> Outcome:
    """The outcome of a claim that joins densities with lengths: no finite space refutes it."""
    try:
        found = Smooth(context, relation, left, right, seed, points * PLANE).run()
        if found.status != "undecided":
            return found
    except (CannotEvaluate, NoInstance, OutOfTime):
        pass
    found = Finite(context, relation, left, right, seed, points).run()
    if found.status == "refuted":
        reason = "it fails on finite spaces, where lengths mean nothing; no density was tried"
        return Outcome("undecided", SMOOTH, reason=reason)
    return found


def settled(claim: Claim, theory: Theory, seed: int, points: int) -> Outcome:
    """The outcome of a claim about all densities."""
    left, right = claim.left, claim.right
    found = test(
        claim.relation, left, right, theory, seed=seed, points=points, free_of=claim.free_of
    )
    if claim.relation == "const" and found.status == "refuted":
        reason = "two optima over all densities, of quantities that are not the same up to a term"
        return Outcome("undecided", found.method, reason=reason)
    if claim.attained is not None and found.status == "agrees":
        reached = test("=", left, claim.attained, theory, seed=seed, points=points)
        shown = reached.counterexample
        if shown is not None and (shown.left < shown.right) == (claim.relation == ">="):
            return reached  # what is said to be the best value is passed
        if reached.status != "agrees":
            return Outcome(
                "undecided", found.method, reason="it is not clear where the optimum is attained"
            )
    return found


def needs_smooth(context: Context) -> bool:
    """Whether finite spaces cannot hold the expressions."""
    if context.continuous:
        return True
    moved: set[str] = set()
    for e in context._seen:
        if isinstance(e, ex.Derivative):
            moved |= {base_name(v) for v in e.args[2]}
            if any(base_name(v) in context.slot_of for v in e.args[2]):
                return True
        if isinstance(e, ex.Integral) and (alone := _moved(context, e)):
            context.fading |= alone
            return True
    optima = [e for e in context._seen if isinstance(e, ex.Extremum)]
    found = {*context.slot_of, *context.labels, *context.chosen}  # in a finite space
    optima = [e for e in optima if not all(base_name(v) in found for v in e.bound)]
    for e in optima:
        calls = e.args[1].atoms(ex.Apply)  # which attain a largest and a smallest value
        context.fading |= {call.name for call in calls if set(e.bound) & call.free_symbols}
        if calls and any(set(e.bound) & o.free_symbols for o in e.args[1].atoms(ex.Extremum)):
            context.narrow = "an optimum inside an optimum was tried for few functions"
    inside = {v.name for e in context._seen if isinstance(e, ex.Apply) for v in e.free_symbols}
    return (
        bool(optima) or bool(moved & inside) or bool(moved and inside & context.definitions.keys())
    )


def _moved(context: Context, e: ex.Integral) -> set[str]:
    r"""The f of ``\int f(x / a) \, dx`` over all of a line, where it stands at another place."""
    bound = {v for v in e.bound if not context.variable(context.slot_of[base_name(v)]).discrete}
    body = e.args[0]
    if any(bound & density.free_symbols for density in body.atoms(ex.Density)):
        return set()
    calls = [call for call in body.atoms(ex.Apply) if bound & call.free_symbols]
    places = [place for call in calls for place in call.args[2]]
    moved = any(p not in bound and not p.has(ex.Apply) for p in places)
    return {call.name for call in calls} if moved else set()
