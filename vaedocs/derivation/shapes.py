"""Shapes of expressions: () a number, (n,) a column, (1, n) a row, (n, m) a matrix, with symbolic n
and m.
"""

from __future__ import annotations

from sympy import Add, Expr, Integer, Mul, Pow, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation.theory import Shape, Theory

ONE = Integer(1)


class ShapeMismatch(ValueError):
    """Two shapes that cannot be combined; the message names both."""


def describe(shape: Shape) -> str:
    """A shape in words: ``a number``, ``in R^N``, ``N×M``."""
    if not shape:
        return "a number"
    if len(shape) == 1:
        return f"in R^{shape[0]}"
    return f"{shape[0]}×{shape[1]}"


def multiply(left: Shape, right: Shape) -> Shape:
    """The shape of a matrix product."""
    if not left:
        return right
    if not right:
        return left
    if len(left) == 1 and len(right) == 1:
        raise ShapeMismatch(
            f"a column {describe(left)} cannot multiply a column {describe(right)}"
            r": write \odot for the elementwise product, or transpose one for the inner product"
        )
    if len(left) == 1:
        if right[0] != 1:
            raise ShapeMismatch(
                f"a column {describe(left)} cannot multiply a {describe(right)} matrix from "
                f"the left"
            )
        return (left[0], right[1])
    if left[1] != right[0]:
        raise ShapeMismatch(
            f"a {describe(left)} matrix cannot multiply something {describe(right)}"
        )
    if len(right) == 1:
        return () if left[0] == 1 else (left[0],)
    if left[0] == 1 and right[1] == 1:
        return ()
    return (left[0], right[1])


def shape(expr: Expr, theory: Theory) -> Shape:
    """The shape of an elaborated expression."""
    if expr.is_commutative is not False and not isinstance(expr, Symbol):
        return ()
    match expr:
        case Symbol():
            return theory.shapes.get(expr, ()) or _shape_of_copy(expr, theory)
        case Add():
            return next((made for a in expr.args if (made := shape(a, theory))), ())
        case Mul():
            result: Shape = ()
            for factor in expr.args:
                result = multiply(result, shape(factor, theory))
            return result
        case Pow():
            return shape(expr.base, theory)
        case e.Transpose():
            inner = shape(expr.args[0], theory)
            return (Integer(1), inner[0]) if len(inner) == 1 else (inner[1], inner[0])
        case e.Extremum():
            return shape(expr.bound[0], theory)
        case e.Stack():
            return (*shape(expr.args[0], theory), expr.args[1])
        case e.Inverse() | e.Hadamard() | e.Binder():
            if isinstance(expr, e.Variance):
                inner = shape(expr.args[0], theory)
                return (inner[0], inner[0])
            if isinstance(expr, e.Covariance):
                sides = [shape(side, theory) or (Integer(1),) for side in expr.args[:2]]
                return (sides[0][0], sides[1][0])
            return shape(expr.args[0], theory)
        case e.Elementwise():
            return shape(expr.args[1], theory)
        case e.Diag():
            inner = shape(expr.args[0], theory)
            if not inner:
                raise ShapeMismatch("diag needs a vector or a matrix")
            return (inner[0], inner[0]) if len(inner) == 1 else (inner[0],)
        case e.Identity():
            return (expr.args[0], expr.args[0])
        case e.Ones():
            return (expr.args[0],)
        case e.Zeros():
            return tuple(expr.args)
        case e.Array():
            blocks = [[(*shape(cell, theory), ONE, ONE)[:2] for cell in row] for row in expr.args]
            height, width = Add(*(row[0][0] for row in blocks)), Add(*(b[1] for b in blocks[0]))
            return (height,) if width == 1 else (height, width)
        case e.Apply():
            info = theory.functions.get(expr.name)
            return info.shape if info else ()
        case e.Item() | e.Evaluated():
            return shape(expr.args[0], theory)
        case e.Derivative():
            return _derivative_shape(expr, theory)
    return ()


def _shape_of_copy(symbol: Symbol, theory: Theory) -> Shape:
    """The normal form numbers bound variables (``z#1``, ``·z#0``): each has the shape of its
    original.
    """
    name = symbol.name.split("#")[0].lstrip("·")
    if name == symbol.name:
        return ()
    original = theory.symbols.get(name)
    if original is None and name in theory.variables:
        original = theory.variables[name].symbol
    return theory.shapes.get(original, ()) if original is not None else ()


def _derivative_shape(expr: e.Derivative, theory: Theory) -> Shape:
    kind, body, variables = expr.args[0].name, expr.args[1], expr.args[2]
    inner = shape(body, theory)
    by = shape(variables[0], theory) if variables else ()
    if kind == "hessian":
        return (by[0], by[0]) if by else ()
    if kind in {"laplacian", "divergence"}:
        return ()
    if len(variables) == 2 and by and shape(variables[1], theory) and not inner:
        return (by[0], by[0])
    if inner and by:
        return (inner[0], by[0])
    return inner or by
