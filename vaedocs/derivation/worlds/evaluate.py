"""From an expression to a function without arguments that computes it in one world."""

from __future__ import annotations

from typing import Any

from sympy import Expr

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Undefined
from vaedocs.derivation.worlds.binders import Binders
from vaedocs.derivation.worlds.core import Thunk


class Evaluator(Binders):
    """Compiles every expression of the language."""

    # -- calculus
    # --------------------------------------------------------------------------------------------

    def _evaluated(self, e: ex.Evaluated) -> Thunk:
        body = self(e.args[0])
        pairs = [(self.cell(pair[0]), self.setting(pair[0], pair[1])) for pair in e.args[1]]
        env = self.env

        def compute() -> Any:
            new = [(key(), value()) for key, value in pairs]
            old = [(key, env.get(key)) for key, _ in new]
            env.update(new)
            try:
                return body()
            finally:
                for key, value in old:
                    self.restore(key, value)

        return compute

    def setting(self, variable: Any, value: Expr) -> Thunk:
        """What to write into a variable's cell."""
        return self(value)

    def _derivative(self, e: ex.Derivative) -> Thunk:
        from vaedocs.derivation.worlds.calculus import derivative

        return self.remember(e, derivative(self, e))

    def _extremum(self, e: ex.Extremum) -> Thunk:
        from vaedocs.derivation.worlds.optimum import extremum

        return self.remember(e, extremum(self, e))

    def _nan(self, e: Expr) -> Thunk:
        raise CannotEvaluate("the expression is not defined (0/0 or ∞ - ∞)")

    def _complexinfinity(self, e: Expr) -> Thunk:
        def undefined() -> Any:
            raise Undefined("division by zero")

        return undefined

    def _infinity(self, e: Expr) -> Thunk:
        return lambda: float("inf")

    def _negativeinfinity(self, e: Expr) -> Thunk:
        return lambda: float("-inf")
