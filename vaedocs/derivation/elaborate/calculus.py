"""Derivatives, evaluation at a point, optima, and the claims in braces."""

from __future__ import annotations

import sympy
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.scope import Claimed
from vaedocs.derivation.elaborate.sums import Sums
from vaedocs.derivation.shapes import shape
from vaedocs.derivation.spelling import spell
from vaedocs.derivation.theory import Fact


class Calculus(Sums):
    """Reads derivatives, optima and braces."""

    def _derivative(self, node: s.Derivative) -> Expr:
        body = self.expression(node.body)
        variables = [self._derivative_variable(item, node) for item in node.variables]
        if not variables:
            raise self.refuse(node, "a gradient must say in which variable", r"write \nabla_\phi")
        self._refuse_unknown_dependence(node, body, variables)
        inner, by = self.shape(body), self.shape(variables[0])
        kind: str = node.kind
        if kind == "partial" and (inner or by) and len(variables) == 1:
            kind = "jacobian" if inner and by else "gradient" if by else "partial"
        if kind == "partial" and len(variables) == 2 and by:
            kind = "hessian"
        if kind == "gradient" and inner and by:
            kind = "jacobian"
        made = e.Derivative(kind, body, variables, True)
        scalar = not shape(e.Derivative(kind, body, variables, False), self.theory)
        return made if scalar else e.Derivative(kind, body, variables, False)

    def _refuse_unknown_dependence(
        self, node: s.Derivative, body: Expr, variables: list[Expr]
    ) -> None:
        """A name of which nothing is known is no constant: its derivative is not 0 but unknown."""
        own = {inner for variable in variables for inner in variable.free_symbols}
        if isinstance(body, Symbol) and body not in self.theory.definitions and body not in own:
            name, by = body.name, spell(node.variables[0])
            raise self.refuse(
                node,
                f"nothing says how {name} depends on {by}, so its derivative is unknown",
                f"define it in what is given, for example {name} := …, or write {name}({by})",
            )

    def _derivative_variable(self, item: s.Node, node: s.Derivative) -> Expr:
        made = self.expression(item)
        if not isinstance(made, Symbol | e.Component | e.Item):
            raise self.refuse(
                node, "a derivative is taken in a variable", r"write \frac{\partial}{\partial x}"
            )
        return made

    def _evaluated(self, node: s.Evaluated) -> Expr:
        pairs = [(self.expression(r.left), self.expression(r.right)) for r in node.substitutions]
        return e.Evaluated(self.expression(node.body), pairs)

    def _extremum(self, node: s.Extremum) -> Expr:
        if not node.over:
            body = node.body.body if isinstance(node.body, s.Group) else node.body
            if isinstance(body, s.Sequence) and node.name in {"max", "min"}:
                made = [self.scalar(item) for item in body.items]
                return sympy.Max(*made) if node.name == "max" else sympy.Min(*made)
            raise self.refuse(node, f"{node.name} must say over what", rf"write \{node.name}_\phi")
        over: list[Expr] = []
        for item in node.over:
            target = item.left if isinstance(item, s.Relation) else item
            if isinstance(target, s.Call):
                target = target.head
            if not isinstance(target, s.Name):
                raise self.refuse(
                    item, "an optimum is taken over a name", "write the variable below it, _\\phi"
                )
            if look.is_density_head(target, self.scope.survey) and self.knows_head(target):
                over.append(Symbol(self.head_name(target, set())[0]))
            else:
                over.append(self.expression(target))
        return e.Extremum(node.name, self.scalar(node.body), over)

    def _underbrace(self, node: s.Underbrace) -> Expr:
        body = self.expression(node.body)
        for claim in node.claims:
            self._claim(claim, body)
        return body

    def _claim(self, claim: s.Claim, body: Expr) -> None:
        right = claim.right
        name = spell(right)
        if (
            claim.relation in {"=", ":="}
            and isinstance(right, s.Name | s.Call)
            and self._nowhere_said(right)
            and not self.macro(name, ())
            and name not in self.theory.symbols
        ):
            symbol = self.symbol(name, name)
            self.theory.definitions[symbol] = Fact(
                "=", symbol, body, f"the definition of {name}", name
            )
            self.claims.append(Claimed(":=", symbol, body, claim.span, symbol))
            return
        self.claims.append(Claimed(claim.relation, body, self.expression(right), claim.span))

    def _nowhere_said(self, node: s.Name | s.Call) -> bool:
        """Whether a brace gives a name for the first time: ``\\mathcal{L}(\\theta)``."""
        if isinstance(node, s.Name):
            return not self.knows_head(node)
        head = node.head
        if not isinstance(head, s.Name) or not head.style or look.family(head):
            return False
        if look.is_divergence_call(node) or look.is_density_call(node, self.scope.survey):
            return False
        items = [item for group in node.groups for item in group]
        names = all(isinstance(item, s.Name | s.Conditioned) for item in items)
        known = spell(head) in self.theory.functions or spell(head) in self.scope.macros
        return names and not known and head.base not in {"H", "h", "I", "MI"}
