"""Known functions, log to diag, of numbers and vectors."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, Integer, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.arithmetic import Arithmetic
from vaedocs.derivation.shapes import ShapeMismatch, describe
from vaedocs.derivation.spelling import spell

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


LARGEST = 150  # whose factorial has some 260 digits


class Functions(Arithmetic):
    """Reads the functions that the language knows."""

    def _function(self, node: s.Function) -> Expr:
        made = self._plain_function(node)
        return sympy.Pow(made, self.scalar(node.power)) if node.power is not None else made

    def composed(self, node: s.Function) -> s.Node:
        r"""``f_K \circ \dots \circ f_1(z)`` at a known K as the calls inside one another."""
        before: list[s.Node] = []  # up to the dots, and behind them
        behind: list[s.Node] = []
        for item in s.members(node.argument):
            if isinstance(item, s.Range) and item.start and item.stop:
                before, behind = [*before, item.start], [item.stop]
            else:
                (behind or before).append(item)
        heads = [call.head for call in (*before, *behind) if isinstance(call, s.Call)]
        names = [self.concrete(head) for head in heads if isinstance(head, s.Name)]
        if node.subscript is None or len(names) < 2 or not all(n.subscripts for n in names):
            raise self.refuse(node, "a composition of what, at what?", r"write f_K(\dots f_1(z))")
        first, last = names[0], names[-1]
        rising = spell(first.subscripts[0]) == "1"
        ends = (first, last) if rising else (last, first)
        steps = self.pieces(s.Range(*ends, span=node.span))
        outward = steps[::-1] if rising else steps  # the innermost first
        made, told = [spell(step) for step in outward[::-1]], [spell(n) for n in names]
        if (told[: len(before)], told[len(before) :]) != (
            made[: len(before)],
            made[-len(behind) :],
        ):
            raise self.refuse(node, "it is not clear how this composition goes on")
        value = node.subscript
        for step in outward:
            value = s.Call(step, ((value,),), span=node.span)
        return value

    def _plain_function(self, node: s.Function) -> Expr:
        name = node.name
        if node.typed == "e^" and ("e" in self.scope.macros or "e" in self.scope.declared_shapes):
            raise self.refuse(
                node,
                "e is Euler's number here, and something else above",
                r"write \exp(…), or take another letter for the other",
            )
        if name == "dim":
            return self._dim(node.argument)
        if name == "binom" and isinstance(node.argument, s.Sequence):
            n, k = (self.scalar(item) for item in node.argument.items)
            if n.is_Number and k.is_Number and abs(n) > LARGEST:
                raise self.refuse(node, "this number is too large to be worked with")
            return sympy.binomial(n, k)
        if name == "compose":
            return self.expression(self.composed(node))
        argument = self._run(node.argument) if name == "diag" else None
        if name == "softmax" and isinstance(node.argument, s.Sum):
            argument = self._spread(node.argument)
        argument = self.expression(node.argument) if argument is None else argument
        if name == "softmax":
            with self.shapes_at(node):
                vector, total = self._softmax(argument)
            if not self.shape(vector):
                raise self.refuse(node, "softmax needs a vector", r"declare a \in \mathbb{R}^K")
            return e.Elementwise("exp", vector) / total
        inner = self.shape(argument)
        match name:
            case "det" | "tr":
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
                if isinstance(node.argument, s.Group | s.Name | s.Power | s.Call | s.Function):
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
                if argument.is_Number and argument > LARGEST:
                    raise self.refuse(node, "this number is too large to be worked with")
                return sympy.factorial(argument)
        name = {"ln": "log"}.get(name, name)
        if name == "log" and isinstance(argument, e.Apply) and not inner:
            info = self.theory.functions[argument.name]
            self.theory.functions[argument.name] = replace(info, positive=True)
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

    def _entry(self, vector: Expr, index: Expr) -> Expr:
        """The entry of a vector, or of a family a_1, …, a_K that is written like one."""
        return e.Component(vector, (index,)) if self.shape(vector) else e.Item(vector, index)

    def _run(self, node: s.Node) -> Expr | None:
        r"""``\lambda_1, \dots, \lambda_n`` as the vector λ, also of their squares."""
        node = s.bare(node)
        node = node.items[0] if isinstance(node, s.Sequence) and len(node.items) == 1 else node
        if not isinstance(node, s.Range) or node.start is None or node.stop is None:
            return None
        first, last = node.start, node.stop
        power = first.exponent if isinstance(first, s.Power) else None
        first = first.base if isinstance(first, s.Power) else first
        last = last.base if isinstance(last, s.Power) else last
        if not isinstance(first, s.Name) or not isinstance(last, s.Name) or not last.subscripts:
            return None
        size, whole = last.subscripts[0], replace(first, subscripts=())
        if len(first.subscripts) != 1 or spell(first.subscripts[0]) != "1":
            return None
        if not isinstance(size, s.Name) or spell(size) in self.scope.integers:
            return None
        made = self._reshape(self.symbol(spell(whole), spell(whole)), (self.dimension(size),))
        return made if power is None else self.raised(made, power, node)

    def _spread(self, node: s.Sum) -> Expr:
        r"""The argument of ``\mathrm{softmax}(x + c)``: a number is added to every entry."""
        numbers = [isinstance(t, s.Name) and self.is_declared_number(t) for _, t in node.terms]
        rest = [pair for pair, number in zip(node.terms, numbers, strict=True) if not number]
        if not rest or not any(numbers):
            return self.expression(node)
        made = self.expression(replace(node, terms=tuple(rest)))
        for (sign, term), number in zip(node.terms, numbers, strict=True):
            if number and len(self.shape(made)) == 1:
                made += sign * self.expression(term) * e.Ones(*self.shape(made))
        return made

    def is_declared_number(self, name: s.Name) -> bool:
        r"""Whether ``c \in \mathbb{R}`` is said of a name."""
        return self.scope.declared_shapes.get(spell(name)) == ()

    def _softmax(self, argument: Expr) -> tuple[Expr, Expr]:
        r"""The vector a of ``\mathrm{softmax}(a)``, and ``\sum_j e^{a_j}``."""
        hint = self.scope.survey.index_hints.get(str(argument))
        family = isinstance(argument, Symbol) and hint is not None
        vector = argument if family or self.shape(argument) else self.as_vector(argument)
        made = self.shape(vector)
        if len(made) > 1:
            raise ShapeMismatch(f"softmax needs a vector, this is {describe(made)}")
        index = Symbol("j'", integer=True, positive=True)
        size = made[0] if made or hint is None else self.dimension(hint)
        return vector, e.Sum(sympy.exp(self._entry(vector, index)), 1, size, (index,))

    def _component(self, node: s.Component) -> Expr:
        body = node.body
        if not isinstance(body, s.Function) or body.name != "softmax" or len(node.subscripts) > 1:
            return super()._component(node)
        with self.shapes_at(node):
            vector, total = self._softmax(self.expression(body.argument))
        return sympy.exp(self._entry(vector, self.dimension(node.subscripts[0]))) / total

    def _dim(self, node: s.Node) -> Expr:
        made = self.shape(self.expression(node))
        return made[0] if made else Integer(1)
