r"""Brackets, bars, angle brackets and braces."""

from __future__ import annotations

from vaedocs.derivation import syntax as s
from vaedocs.derivation.letters import FUNCTION_LETTERS
from vaedocs.derivation.lexer.tokens import Token
from vaedocs.derivation.parser.cursor import Dots, Level
from vaedocs.derivation.parser.names import Names


class Brackets(Names):
    """What an opening bracket or bar starts."""

    def bracketed(self) -> s.Node:
        """An expression, list, norm or average in brackets."""
        token = self.take()
        closing = self.tokens[token.partner]
        self.deeper()
        outer = self.level
        bar = token.text if token.text in ("|", "||") else "separates"
        self.level = Level(bar="" if token.text in ("|", "||", ".") else bar)
        if self.at("close"):
            self.refuse("empty brackets", (token.start, self.tok.end), "write what is inside")
        start = self.tok.start
        groups, separators = self.lists()
        if self.at("cmd", "over") and not separators and len(groups[0]) == 1:
            groups = ((self.over(groups[0][0], start),),)  # \left( a \over b \right)
        self.level = outer
        self.depth -= 1
        self.expect("close", "", f"{self.shown(self.tok)} cannot stand inside these brackets")
        span = self.span(token.start)
        if token.text == "<":
            return self.angled(groups, separators, token)
        if separators and token.text not in ("(", "[", "{"):
            self.refuse("a bar or semicolon inside these brackets", span)
        inner = (groups[0][0].span[0], groups[-1][-1].span[1])
        body: s.Node
        if separators:
            marks = ("|", ":") if token.text == "{" else ("|",)
            if len(groups) > 2 or separators[0] not in marks:
                self.refuse(
                    "what does this separator mean?", span, "one bar may stand between brackets"
                )
            body = s.Conditioned(groups[0], groups[1], span=inner)
        elif len(groups[0]) > 1:
            body = s.Sequence(groups[0], span=inner)
        else:
            body = groups[0][0]
        if token.text in ("|", "||"):
            return self.normed(body, token.text == "||", token)
        if token.text == ".":
            return self.evaluated(body, token.start)
        if token.text in ("floor", "ceil"):
            return s.Function(token.text, body, span=span)
        if closing.text == ".":  # \left\{ \begin{array} … \right.
            if isinstance(body, s.Matrix):
                return self.matrix_as_cases(body)
            if isinstance(body, s.Cases):
                return body
            self.refuse("this brace is never closed", token, "write \\right\\}")
        if isinstance(body, s.Matrix) and token.text in ("(", "["):
            return body
        if token.text == "(" and self.at("open", "(") and (made := self.composed(body)) is not None:
            return made
        bracket = token.text
        if {"(": ")", "[": "]"}.get(bracket, closing.text) != closing.text:
            bracket += closing.text
        return s.Group(body, bracket, span=span)

    def composition(self, factors: list[s.Node], start: int) -> s.Node | None:
        r"""``f \circ g(x)`` as f(g(x)), and ``f_K \circ \dots \circ f_1(z)`` as a function of the
        names of the steps, with its argument below; None where no functions stand.
        """
        last = factors[-1]
        called = isinstance(last, s.Call) and len(last.items) == 1
        heads = [*factors[:-1], last.head if isinstance(last, s.Call) and called else last]
        names = [head for head in heads if isinstance(head, s.Name)]
        dotted = len(names) < len(heads)
        if not all(isinstance(head, (s.Name, Dots)) for head in heads):
            return None
        alike = len({(name.base, name.style) for name in names}) == 1 and names[0].subscripts
        if not (dotted and alike) and not all(name.base in FUNCTION_LETTERS for name in names):
            return None
        made = last.items[0] if isinstance(last, s.Call) and called else None
        if dotted:
            if made is not None:  # each is a function: its argument says so
                heads = [s.Call(h, ((made,),), span=h.span) if h in names else h for h in heads]
            steps = s.Sequence(self.without_dots(heads), span=self.span(start))
            return s.Function("compose", steps, subscript=made, span=self.span(start))
        for name in reversed(names):
            made = made and s.Call(name, ((made,),), span=self.span(start))
        return made

    def composed(self, body: s.Node) -> s.Node | None:
        r"""``(f \circ g)(x)``: the composition in the brackets before its argument."""
        if isinstance(body, s.Function) and body.name == "compose" and body.subscript is None:
            steps: list[s.Node] = []
            for item in s.members(body.argument):
                ends = (item.start, item.stop) if isinstance(item, s.Range) else (item,)
                dots = Dots(span=item.span)
                steps += [end for end in (ends[0], dots, *ends[1:])[: 2 * len(ends) - 1] if end]
        elif isinstance(body, s.Product) and {*body.operators} == {"circ"}:
            steps = [*body.factors]
        else:
            return None
        last = steps[-1]
        if not isinstance(last, s.Name):
            return None
        steps[-1] = self.called(last, last.span[0])
        return self.composition(steps, body.span[0])

    def bars(self) -> s.Node:
        """``|x|`` or ``||x||`` with bars that do not say whether they open or close."""
        token = self.take()
        double = token.text == "||"
        if token.style == "pair" and token.partner % 2 == 1:
            double = True
            self.take()
        self.deeper()
        outer, self.level = self.level, Level(bar="||" if double else "|")
        body = self.expression()
        self.level = outer
        self.depth -= 1
        last = self.tok
        closes = last.kind == "bar" and (
            (last.text == "||" or last.style == "pair") if double else last.text == "|"
        )
        if not closes or last.side == "middle":
            self.refuse(
                "this bar is never closed", token, "write \\left| … \\right| or \\lVert … \\rVert"
            )
        if double and last.style == "pair":
            self.take()
        self.take()
        return self.normed(body, double, token)

    def normed(self, body: s.Node, double: bool, token: Token) -> s.Node:
        """An absolute value or norm, with its order below."""
        order = None
        if self.tok.kind == "sub":
            self.take()
            items = self.script_list()
            if len(items) > 1:
                self.refuse("two orders of one norm", items[1])
            order = items[0]
        elif self.tok.kind == "sup" and double:
            script = self.scripts(name=False)
            if script.subscripts:
                if len(script.subscripts) > 1:
                    self.refuse("two orders of one norm", script.subscripts[1])
                order, script.subscripts = script.subscripts[0], ()
            bars = s.Bars(body, double, order, span=self.span(token.start))
            return self.attach(bars, script, token.start)
        return s.Bars(body, double, order, span=self.span(token.start))

    def angled(
        self, groups: tuple[tuple[s.Node, ...], ...], separators: tuple[str, ...], token: Token
    ) -> s.Node:
        r"""``\langle a, b \rangle`` or ``\langle f \rangle_q``."""
        items = tuple(item for group in groups for item in group)
        if len(items) == 2 and (len(groups) == 1 or separators == ("|",)):
            return s.Inner(items[0], items[1], span=self.span(token.start))
        if len(items) != 1:
            self.refuse("more than two entries between angle brackets", token)
        samplings: tuple[s.Sampling, ...] = ()
        if self.tok.kind == "sub":
            self.take()
            samplings = self.samplings()
        return s.Expectation(samplings, items[0], span=self.span(token.start))

    def braced(self) -> s.Node:
        """Braces that are not printed: what is inside must stay together without them."""
        token = self.take()
        outer = self.level
        self.level = Level(
            "separates" if outer.bar == "separates" else "", [], outer.script, outer.unevaluated
        )
        before = self.tokens[self.pos - 2].kind if self.pos > 1 else ""
        node = self.in_braces()
        self.level = outer
        self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand inside braces")
        if isinstance(node, s.Sum) and self.beside(before):
            self.refuse(
                "braces are not printed, so the reader takes this sum apart",
                (token.start, self.tokens[self.pos - 1].end),
                "write \\left( … \\right)",
            )
        return self.called(node, token.start) if isinstance(node, s.Name) else node

    def in_braces(self) -> s.Node:
        r"""What stands between braces; ``{a \over b}`` is a fraction of all that stands there."""
        start = self.tok.start
        node = self.expression()
        return self.over(node, start) if self.at("cmd", "over") else node

    def over(self, node: s.Node, start: int) -> s.Node:
        """The fraction of what stands before ``\\over`` and what stands behind it."""
        over = self.take()
        if self.at("letter", "d") or self.at("cmd", "partial"):
            self.refuse("is this a derivative?", over, "write \\frac{d f}{d x}")
        return s.Fraction(node, self.expression(), span=self.span(start))

    def beside(self, before: str) -> bool:
        """Whether a brace group stands beside something that would take part of it."""
        if before in ("letter", "word", "number", "close", "rbrace", "func"):
            return True
        if before == "op" and self.tokens[self.pos - 1].kind == "rbrace":
            return True
        after = self.tok
        return self.starts_factor() or (after.kind == "op" and after.text not in ("+", "-"))

    def opens_bars(self, token: Token) -> bool:
        """Whether this bar, behind an operand, opens an absolute value or norm."""
        if token.side == "middle" or self.peek().kind == "sub":
            return False
        double = token.text == "||" or token.style == "pair"
        bar = self.level.bar
        if bar == "|" and (token.style == "pair" or not double):
            return False  # it closes the absolute value around it
        if bar == "||" and double:
            return False
        return token.partner % 2 == 1

    def evaluated(self, node: s.Node, start: int) -> s.Node:
        """``_{x = a}`` behind a bar."""
        self.expect("sub", "", "where is it evaluated?", "write \\right|_{x = a}")
        relations = []
        for item in self.script_list():
            if not isinstance(item, s.Relation):
                self.refuse("where is it evaluated?", item, "write x = a below the bar")
            relations.append(item)
        return s.Evaluated(node, tuple(relations), span=self.span(start))
