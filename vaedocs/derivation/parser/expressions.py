r"""Sums, products and factors: how what stands side by side belongs together."""

from __future__ import annotations

from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.lexer.tokens import Token
from vaedocs.derivation.parser.brackets import Brackets
from vaedocs.derivation.parser.cursor import Dots

STARTS = frozenset(("letter", "word", "number", "open", "lbrace", "func", "ext", "accent", "begin"))
# Commands that are no operand by themselves.
NO_START = frozenset(("forall", "top", "prime", "star", "substack", "dots", "over"))


def multiplied(node: s.Node, start: Token) -> s.Node | None:
    r"""The ``b`` of a factor ``\prod_i a_i \cdot b``, which ends the product."""
    ends = start.kind == "cmd" and isinstance(node, s.Product) and node.operators[0] != ""
    return node.factors[1] if ends and isinstance(node, s.Product) else None


class Expressions(Brackets):
    """The arithmetic of the language."""

    def expression(self) -> s.Node:
        """A sum that is complete: dots in it stand between two terms."""
        node = self.sum()
        if isinstance(node, Dots):
            self.refuse("dots that stand between nothing", node, "write the terms around them")
        return node

    def sum(self) -> s.Node:
        """Terms with signs."""
        self.deeper()
        start = self.tok.start
        terms: list[tuple[int, s.Node]] = []
        sign = self.sign()
        signed = sign != 0
        self.opening = -1 if signed else self.pos  # where a maximum would take the whole sum
        terms.append((sign or 1, self.product(dots=True)))
        while True:
            if self.tok.kind == "op" and self.tok.text in ("+", "-"):
                sign = self.sign()
            elif self.signed_brace():
                sign = 1  # the sign is printed inside the brace
            else:
                break
            terms.append((sign, self.product(dots=True)))
            # A plain sum takes the next terms along, as its readers do; behind a sign or a factor
            # it is not clear.
            plain = isinstance(terms[-2][1], s.BigOperator) and terms[-2][0] > 0
            if self.trails(terms[-2][1], terms[-1][1]) and not plain:
                self.refuse(
                    "does the sum reach over this term too?",
                    terms[-1][1],
                    "put brackets around all that is summed, or give one index another name",
                )
        self.depth -= 1
        if len(terms) == 1 and not signed:
            return terms[0][1]
        if any(isinstance(term, Dots) for _, term in terms):
            terms = self.ranged(terms)
        return s.Sum(tuple(terms), span=self.span(start))

    def sign(self) -> int:
        """+1 or -1 and its token taken; 0 if there is none."""
        if self.tok.kind != "op" or self.tok.text not in ("+", "-"):
            return 0
        sign = 1 if self.take().text == "+" else -1
        if self.tok.kind == "op" and self.tok.text in ("+", "-"):
            self.refuse("two signs in a row", hint="put brackets around the signed term")
        return sign

    def ranged(self, terms: list[tuple[int, s.Node]]) -> list[tuple[int, s.Node]]:
        r"""``a_1 + \dots + a_n`` as one ``Range`` term."""
        out: list[tuple[int, s.Node]] = []
        i = 0
        while i < len(terms):
            sign, term = terms[i]
            if isinstance(term, Dots):
                if not out or isinstance(out[-1][1], (Dots, s.Range)):
                    self.refuse("dots with no term before them", term, "write the first term")
                first, start = out.pop()
                stop = terms[i + 1] if i + 1 < len(terms) else None
                if isinstance(stop, tuple) and isinstance(stop[1], Dots):
                    self.refuse("dots behind dots", stop[1])
                if first != sign or (stop and stop[0] != sign):
                    self.refuse("the signs around these dots differ", term)
                end = stop[1].span[1] if stop else term.span[1]
                node = s.Range(start, stop[1] if stop else None, span=(start.span[0], end))
                out.append((sign, node))
                i += 2
            else:
                out.append((sign, term))
                i += 1
        return out

    def product(self, *, dots: bool = False) -> s.Node:
        """Factors side by side or with a multiplication or division sign between them.

        With ``dots``, dots may stand for the whole product: a term of a sum or an entry of a list.
        """
        start = self.tok.start
        first = self.dots() if dots and self.at("cmd", "dots") else self.factor()
        factors = [first]
        operators: list[str] = []
        while True:
            token = self.tok
            negated = False
            if token.kind == "op":
                if token.text in ("+", "-"):
                    break
                self.take()
                if token.text != "slash" and self.at_differential():
                    break  # e^{-x^2} \cdot dx
                negated = token.text in ("dot", "times") and self.at("op", "-")
                if negated:  # a \cdot -b
                    self.take()
                if self.tok.kind == "op" and not self.placeholder():
                    self.refuse(
                        f"{self.shown(self.tok)} right behind {self.shown(token)}",
                        hint="put brackets around a signed factor",
                    )
                operators.append(token.text)
            elif token.kind == "cmd" and token.text == "dots" and not self.after_comma():
                operators.append("")
            elif not self.starts_factor() or self.at_differential():
                break
            else:
                operators.append("")
            at = self.tok
            factors.append(self.dots() if self.at("cmd", "dots") else self.factor())
            if operators[-1] == "slash" and (behind := multiplied(factors[-1], at)):
                self.check_slash([*factors, behind])
            if negated:
                factors[-1] = s.Sum(((-1, factors[-1]),), span=factors[-1].span)
            if operators[-1] == "" and len(operators) > 1 and operators[-2] == "slash":
                self.check_slash(factors)
        if len(factors) == 1:
            return first
        if {*operators} == {"circ"} and (made := self.composition(factors, start)) is not None:
            return made
        if any(isinstance(factor, Dots) for factor in factors):
            factors, operators = self.ranged_factors(factors, operators)
        if len(factors) == 1:
            return factors[0]
        return s.Product(tuple(factors), tuple(operators), span=self.span(start))

    def dots(self) -> s.Node:
        token = self.take()
        return Dots(span=(token.start, token.end))

    def after_comma(self) -> bool:
        return self.pos > 0 and self.tokens[self.pos - 1].kind == "comma"

    def check_slash(self, factors: list[s.Node]) -> None:
        r"""``1/2 (…)`` is read from left to right; ``1/2\sigma^2`` could mean two things."""
        before, divisor, after = factors[-3:]
        numeric = isinstance(before, s.Number) and isinstance(divisor, s.Number)
        if numeric and not isinstance(after, (s.Name, s.Power)):
            return
        if isinstance(divisor, s.Group):
            return
        self.refuse(
            "does this factor belong to the denominator?",
            after,
            "write \\frac{…}{…}, or brackets around the denominator",
        )

    def ranged_factors(
        self, factors: list[s.Node], operators: list[str]
    ) -> tuple[list[s.Node], list[str]]:
        r"""``a_1 \cdots a_n`` as one ``Range`` factor."""
        out: list[s.Node] = [factors[0]]
        between: list[str] = []
        i = 1
        while i < len(factors):
            factor = factors[i]
            if isinstance(factor, Dots):
                if isinstance(out[-1], (Dots, s.Range)) or i + 1 >= len(factors):
                    self.refuse("dots that stand between nothing", factor, "write both ends")
                if {"slash", "circ"} & {*operators[i - 1 : i + 1]} or isinstance(
                    factors[i + 1], Dots
                ):
                    self.refuse("dots in a quotient or a composition", factor)
                start, stop = out.pop(), factors[i + 1]
                out.append(s.Range(start, stop, span=(start.span[0], stop.span[1])))
                i += 2
            else:
                out.append(factor)
                between.append(operators[i - 1])
                i += 1
        if isinstance(out[0], Dots):
            self.refuse("dots that stand between nothing", out[0], "write both ends")
        return out, between

    def starts_factor(self) -> bool:
        """Whether another factor starts here, side by side with the last."""
        token = self.tok
        kind = token.kind
        if kind in STARTS:
            return True
        if kind == "cmd":
            return token.text not in NO_START and not self.signed_brace()
        if kind == "bar":
            return self.opens_bars(token)
        return False

    def signed_brace(self) -> bool:
        r"""Whether ``\underbrace{- …}`` starts here: a term with its sign inside the brace."""
        if self.tok.kind != "cmd" or self.tok.text not in ("underbrace", "overbrace"):
            return False
        inside = self.peek(2)
        return inside.kind == "op" and inside.text in ("+", "-")

    def turns_over(self) -> bool:
        r"""Whether ``^{-1}`` or ``^\top`` follows, which hangs on the last letter before it."""
        after = [self.peek(k).text for k in (1, 2, 3, 4)]
        return self.tok.kind == "sup" and (after[0] == "top" or after == ["{", "-", "1", "}"])

    def factor(self) -> s.Node:
        """One operand with everything that hangs on it."""
        start = self.tok.start
        node = self.atom()
        while True:
            token = self.tok
            kind = token.kind
            if kind in ("sup", "sub", "prime"):
                if isinstance(node, s.Power):
                    self.refuse(
                        "a script behind a power", hint="put brackets around the first power"
                    )
                if isinstance(node, s.Product) and self.turns_over():  # \mathbf{AB}^{-1}
                    *first, last = node.factors
                    last = self.attach(last, self.scripts(name=isinstance(last, s.Name)), start)
                    node = replace(node, factors=(*first, last))
                    continue
                if isinstance(node, (s.Product, s.Sum)):
                    self.refuse(
                        "a script behind braces that are not printed",
                        hint="brackets show the reader what it belongs to",
                    )
                node = self.attach(node, self.scripts(name=isinstance(node, s.Name)), start)
            elif kind == "bang":
                self.take()
                node = s.Function("factorial", node, typed="!", span=self.span(start))
            elif (
                kind == "bar"
                and self.peek().kind == "sub"
                and token.text == "|"
                and not self.level.unevaluated
                and not (self.level.bar == "|" and token.side != "middle")
            ):
                self.take()
                node = self.evaluated(node, start)
            else:
                return node

    def atom(self) -> s.Node:
        """One operand without what hangs on it, except for names."""
        token = self.tok
        kind = token.kind
        if kind == "letter" or kind == "word":
            return self.named()
        if kind == "number":
            return self.numeral()
        if kind == "open":
            return self.bracketed()
        if kind == "lbrace":
            return self.braced()
        if kind == "func":
            return self.function()
        if kind == "cmd":
            return self.command()
        if kind == "accent":
            return self.called(self.accented(), token.start)
        if kind == "bar":
            return self.bars()
        if kind == "ext":
            return self.extremum()
        if kind == "begin":
            return self.environment()
        if kind == "text":
            return self.spoken()
        if kind in ("op", "period") and self.placeholder():
            self.take()
            return s.Name("cdot", span=(token.start, token.end))
        if kind == "op" and token.text in ("+", "-"):
            self.refuse(
                f"{self.shown(token)} where a factor should stand",
                hint="put brackets around a signed factor",
            )
        if kind in ("rel", "close", "rbrace"):
            self.refuse(
                f"something is missing before {self.shown(token)}", hint="write what stands there"
            )
        if kind in ("sup", "sub", "prime"):
            self.refuse("a script with nothing before it", hint="write what it belongs to")
        if kind == "end":
            self.refuse("the formula ends where something should follow")
        self.refuse(f"{self.shown(token)} cannot stand here")

    def placeholder(self) -> bool:
        r"""Whether this is the dot of ``p(\cdot \mid x)`` or ``p(.)``."""
        if self.tok.text not in ("dot", "."):
            return False
        after = self.peek().kind
        return after in ("close", "bar", "comma", "semicolon", "rbrace")
