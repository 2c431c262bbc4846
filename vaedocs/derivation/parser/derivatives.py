r"""Fractions, among them derivatives, and the operators ``\nabla`` and ``\partial``."""

from __future__ import annotations

from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.lexer.tokens import Token
from vaedocs.derivation.parser.cursor import Level
from vaedocs.derivation.parser.integrals import Integrals
from vaedocs.derivation.spelling import spell


class Derivatives(Integrals):
    """Quotients and derivatives."""

    def fraction(self) -> s.Node:
        """``\\frac``: a quotient, a derivative, or ``dz`` over something."""
        if self.is_derivative():
            return self.derivative_fraction()
        token = self.take()
        numerator = self.numerator()
        denominator = self.argument()
        return s.Fraction(numerator, denominator, span=self.span(token.start))

    def numerator(self) -> s.Node:
        """A numerator may hold the differential of the integral around it."""
        waiting = [r for r in self.level.integrals if not r.variables]
        if not waiting or not self.at("lbrace"):
            return self.argument()
        if not self.has_differential(self.pos + 1, self.tok.partner):
            return self.argument()
        opening = self.take()
        node: s.Node = s.Number("1", span=(opening.start, opening.end))
        if not self.at_differential():
            node = self.product()
        if not self.at_differential():
            self.refuse("a differential inside a sum", hint="write it behind the fraction")
        self.differentials(waiting[-1])
        self.expect("rbrace", "", "the differential must end this numerator")
        return node

    def is_derivative(self) -> bool:
        r"""Whether this is ``\frac{\partial f}{\partial x}`` or ``\frac{df}{dx}``."""
        if not self.at("cmd", "frac"):
            return False
        tokens, i = self.tokens, self.pos + 1
        if tokens[i].kind == "lbrace":
            top, below = tokens[i + 1], tokens[i].partner + 1
        else:
            top, below = tokens[i], i + 1
        if below >= len(tokens) or tokens[below].kind != "lbrace":
            return False
        first, second = tokens[below + 1], tokens[below + 2]
        if top.kind == "cmd" and top.text == "partial":
            return first.kind == "cmd" and first.text == "partial"
        if top.kind == "letter" and top.text == "d" and top.style != "cal":
            return (
                first.kind == "letter"
                and first.text == "d"
                and second.kind in ("letter", "accent", "word")
                and self.tokens[self.pos + 2].kind != "sub"
            )
        return False

    def derivative_fraction(self) -> s.Node:
        token = self.take()
        outer, self.level = self.level, Level(unevaluated=True)
        body: s.Node | None = None
        order: s.Node | None = None
        if self.at("lbrace"):
            self.take()
            self.take()  # d or \partial
            if self.tok.kind == "sup":
                self.take()
                order = self.argument()
            if not self.at("rbrace"):
                body = self.product()
            self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand in a derivative")
        else:
            self.take()
        variables = self.derivative_variables()
        squared = order is None and len(variables) == 2 and len({*variables}) == 1
        if squared:  # \frac{\partial}{\partial\sigma^2}: in the variance, not twice in sigma
            variables = variables[:1]
        if order is not None and order != s.Number(str(len(variables)), span=order.span):
            self.refuse("the orders above and below differ", order)
        if order is None and len(variables) != 1:
            self.refuse("the orders above and below differ", token)
        self.deeper()
        if body is None:
            self.level = Level(outer.bar, outer.integrals, outer.script, True)
            self.score, self.by, self.acting = self.pos, variables, "partial"
            body = self.operand("derivative")
        self.depth -= 1
        self.level = outer
        node: s.Node = s.Derivative("partial", body, variables, span=self.span(token.start))
        if squared:
            twice = (s.Number("2", span=node.span), variables[0])
            node = s.Fraction(node, s.Product(twice, ("",), span=node.span), span=node.span)
        return node

    def derivative_variables(self) -> tuple[s.Node, ...]:
        """The denominator of a derivative: ``\\partial x\\,\\partial y``, ``dx^2``."""
        self.expect("lbrace", "", "the derivative says not by what")
        variables: list[s.Node] = []
        while not self.at("rbrace"):
            sign = self.tok
            if not (sign.text == "partial" or (sign.kind == "letter" and sign.text == "d")):
                self.refuse(f"{self.shown(sign)} cannot stand below a derivative")
            self.take()
            start = self.tok.start
            node = self.factor()
            times = 1
            if isinstance(node, s.Group) and isinstance(node.body, s.Power):
                node = node.body  # \partial (\sigma^2)
            if isinstance(node, s.Power) and spell(node.exponent) != "-1":  # \Sigma^{-1}
                if not isinstance(node.exponent, s.Number) or not node.exponent.text.isdigit():
                    self.refuse("how often is this derived?", node.exponent, "write a number")
                times, node = int(node.exponent.text), node.base
                if not 1 <= times <= 9:
                    self.refuse("a derivative of this order", (start, self.tok.start))
            variables.extend([node] * times)
        self.take()
        if not variables:
            self.refuse("the derivative says not by what")
        return tuple(variables)

    def differential_operator(self) -> s.Node:
        r"""``\nabla_\phi f``, ``\nabla \cdot f``, ``\nabla^2 f``, ``\partial_x f``."""
        token = self.take()
        kind = "partial" if token.text == "partial" else "gradient"
        variables: tuple[s.Node, ...] = ()
        power: s.Node | None = None
        raised = ""
        while self.tok.kind in ("sub", "sup"):
            if self.take().kind == "sub":
                variables = self.script_list()
            elif not (raised := self.special_superscript()):
                power = self.argument()
        if raised not in ("", "T"):
            self.refuse("a derivative of this order", token, "write \\frac{\\partial^3}{…}")
        if power is not None:
            if not (isinstance(power, s.Number) and power.text == "2"):
                self.refuse("a derivative of this order", power, "write \\frac{\\partial^3}{…}")
            kind = "hessian" if kind == "gradient" else kind
            if kind == "partial":
                variables = variables * 2
        if kind == "gradient" and self.at("op", "dot"):
            self.take()
            kind = "divergence"
        if kind == "partial" and not variables:
            return self.slashed_derivative(token)
        outer = self.level
        self.level = Level(outer.bar, outer.integrals, outer.script, True)
        self.deeper()
        self.score, self.by, self.acting = self.pos, variables, kind
        body = self.operand("derivative")
        self.depth -= 1
        self.level = outer
        if isinstance(body, s.Function) and isinstance(turned := body.argument, s.Transpose):
            body = replace(turned, operand=replace(body, argument=turned.operand))  # \log p(x)^\top
        if isinstance(body, s.Transpose):
            inner = s.Derivative(kind, body.operand, variables, span=self.span(token.start))  # type: ignore[arg-type]
            return s.Transpose(inner, body.inverse, span=self.span(token.start))
        made = s.Derivative(kind, body, variables, span=self.span(token.start))  # type: ignore[arg-type]
        return s.Transpose(made, span=made.span) if raised else made

    def slashed_derivative(self, token: Token) -> s.Node:
        r"""``\partial f / \partial x``."""
        hint = "write \\frac{\\partial f}{\\partial x} or \\partial_x f"
        if not self.starts_factor():
            self.refuse("the derivative of what?", token, hint)
        body = self.factor()
        if not self.at("op", "slash") or self.peek().text != "partial":
            self.refuse("the derivative by what?", token, hint)
        self.take()
        self.take()
        variable = self.factor()
        return s.Derivative("partial", body, (variable,), span=self.span(token.start))
