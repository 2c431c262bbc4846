"""Derivatives by central differences of eighth order."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from sympy import Symbol

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Inexact, Undefined
from vaedocs.derivation.worlds.core import Thunk
from vaedocs.derivation.worlds.matrices import Mat

STENCIL = tuple(
    enumerate((Fraction(4, 5), Fraction(-1, 5), Fraction(4, 105), Fraction(-1, 280)), start=1)
)


def derivative(world: Any, e: ex.Derivative) -> Thunk:
    """The compiled derivative of ``e`` in ``world``."""
    kind, body, variables = str(e.args[0].name), e.args[1], e.args[2]
    if world.numbers.exact:
        raise Inexact("a derivative")
    value = world(body)
    if kind == "partial":
        for v in variables:
            value = along(world, value, v, None)
        return value
    variable = variables[0]
    if kind == "gradient":
        first = gradient(world, value, variable)
        if e.is_scalar():
            return lambda: _entry(first())
        return first
    if kind == "jacobian":
        return jacobian(world, value, variable)
    if kind == "hessian":
        return jacobian(world, gradient(world, value, variable), variables[-1])
    if kind == "laplacian":
        second = jacobian(world, gradient(world, value, variable), variable)
        return lambda: second().trace()
    if kind == "divergence":
        slopes = jacobian(world, value, variable)
        return lambda: slopes().trace()
    raise CannotEvaluate(f"a derivative of the kind {kind}")


def _entry(v: Any) -> Any:
    if isinstance(v, Mat):
        if v.shape != (1, 1):
            raise CannotEvaluate("a gradient in a vector is not a number")
        return v.rows[0][0]
    return v


def target(world: Any, variable: Any) -> tuple[Any, tuple[Callable[[], int], ...]]:
    """The cell of a variable, and which entry of it is meant (none for all)."""
    if isinstance(variable, ex.Component):
        array = variable.args[0]
        return world.cell(array), tuple(world.integer(i) for i in variable.args[1])
    if isinstance(variable, (Symbol, ex.Item)):
        return world.cell(variable), ()
    raise CannotEvaluate(f"a derivative with respect to {variable}")


def along(world: Any, value: Thunk, variable: Any, entry: tuple[int, int] | None) -> Thunk:
    """∂ value / ∂ variable, or in one entry of it."""
    key, indices = target(world, variable)
    load = world(variable.args[0] if isinstance(variable, ex.Component) else variable)
    env, number = world.env, world.numbers.number
    stencil = [(k, number(c)) for k, c in STENCIL]

    def slope() -> Any:
        cell, centre = key(), load()
        at = entry
        if indices:
            numbers = [i() for i in indices]
            at = (numbers[0] - 1, numbers[1] - 1 if len(numbers) > 1 else 0)
        if isinstance(centre, Mat) and at is None:
            if centre.shape != (1, 1):
                raise CannotEvaluate(f"a partial derivative in the {centre.words()} {variable}")
            at = (0, 0)
        old, h, total = env.get(cell), world.numbers.step, None
        for k, c in stencil:
            env[cell] = _moved(centre, at, h * k)
            up = value()
            env[cell] = _moved(centre, at, -h * k)
            part = (up - value()) * c
            total = part if total is None else total + part
        world.restore(cell, old)
        return total / h

    return slope


def _moved(centre: Any, at: tuple[int, int] | None, step: Any) -> Any:
    if not isinstance(centre, Mat):
        return centre + step
    rows = [list(r) for r in centre.rows]
    if at is None or not (at[0] < len(rows) and at[1] < len(rows[0])):
        raise Undefined(f"a {centre.words()} has no such component")
    rows[at[0]][at[1]] = rows[at[0]][at[1]] + step
    return Mat(rows)


def gradient(world: Any, value: Thunk, variable: Any) -> Thunk:
    """All partial derivatives, in the shape of the variable."""
    if isinstance(variable, ex.Component):
        return along(world, value, variable, None)
    load = world(variable)
    slopes: dict[Any, Thunk] = {}

    def compute() -> Any:
        centre = load()
        if not isinstance(centre, Mat):
            if None not in slopes:
                slopes[None] = along(world, value, variable, None)
            return slopes[None]()
        n, m = centre.shape
        made = []
        for i in range(n):
            row = []
            for j in range(m):
                if (i, j) not in slopes:
                    slopes[i, j] = along(world, value, variable, (i, j))
                row.append(_entry(slopes[i, j]()))
            made.append(row)
        return Mat(made)

    return compute


def jacobian(world: Any, value: Thunk, variable: Any) -> Thunk:
    """∂ value_i / ∂ variable_j."""
    load = world(variable)
    slopes: dict[int, Thunk] = {}

    def compute() -> Any:
        centre = load()
        count = centre.shape[0] if isinstance(centre, Mat) else 1
        columns = []
        for j in range(count):
            if j not in slopes:
                slopes[j] = along(
                    world, value, variable, (j, 0) if isinstance(centre, Mat) else None
                )
            v = slopes[j]()
            columns.append(v.entries() if isinstance(v, Mat) else [v])
        return Mat(zip(*columns, strict=True))

    return compute
