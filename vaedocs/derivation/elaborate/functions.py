"""Known functions, log to diag, of numbers and vectors."""

from __future__ import annotations

import sympy
from sympy import Expr, Integer

from vaedocs.derivation import expressions as e
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.arithmetic import Arithmetic
from vaedocs.derivation.shapes import describe

ELEMENTWISE = {
    "log": sympy.log,
    "exp": sympy.exp,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "tanh": sympy.tanh,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "abs": sympy.Abs,
    "sign": sympy.sign,
    "sigmoid": e.Sigmoid,
    "softplus": e.Softplus,
}


class Functions(Arithmetic):
    """Reads the functions that the language knows."""

    def _function(self, node: s.Function) -> Expr:
        made = self._plain_function(node)
        return sympy.Pow(made, self.scalar(node.power)) if node.power is not None else made

    def _plain_function(self, node: s.Function) -> Expr:
        name = node.name
        if name == "dim":
            return self._dim(node.argument)
        if name == "binom" and isinstance(node.argument, s.Sequence):
            n, k = (self.scalar(item) for item in node.argument.items)
            return sympy.binomial(n, k)
        argument = self.expression(node.argument)
        inner = self.shape(argument)
        match name:
            case "det" | "tr" | "rank":
                if len(inner) == 0:
                    return argument
                if len(inner) != 2 or inner[0] != inner[1]:
                    raise self.mismatch(
                        node, f"{name} needs a square matrix, this is {describe(inner)}"
                    )
                return e.Determinant(argument) if name == "det" else e.Trace(argument)
            case "diag":
                if isinstance(argument, e.Array) or inner:
                    return e.Diag(argument)
                if isinstance(node.argument, s.Group | s.Name | s.Power | s.Call) and isinstance(
                    argument, Expr
                ):
                    return e.Diag(self.as_vector(argument))
                raise self.mismatch(node, "diag needs a vector")
            case "log" | "ln" if node.subscript is not None:
                return sympy.log(argument) / sympy.log(self.scalar(node.subscript))
            case "sqrt" if node.subscript is not None:
                return argument ** (1 / self.scalar(node.subscript))
            case "sqrt" if inner:
                return e.Elementwise("sqrt", argument)
            case "relu" if not inner:
                return sympy.Max(Integer(0), argument)
            case "factorial" if not inner:
                return sympy.factorial(argument)
        name = {"ln": "log"}.get(name, name)
        if name not in ELEMENTWISE:
            raise self.refuse(node, f"the function {name} is not in the language")
        if len(inner) == 1:
            return e.Elementwise(name, argument)
        if inner:
            raise self.mismatch(
                node,
                f"{name} of a {describe(inner)} matrix: the language has it for numbers and "
                f"vectors",
            )
        return ELEMENTWISE[name](argument)

    def _dim(self, node: s.Node) -> Expr:
        made = self.shape(self.expression(node))
        return made[0] if made else Integer(1)
