r"""Integrals: which differential belongs to which of them, and where they end."""

from __future__ import annotations

from vaedocs.derivation import syntax as s
from vaedocs.derivation.lexer import vocabulary as v
from vaedocs.derivation.lexer.tokens import Token
from vaedocs.derivation.parser.cursor import ENDS, Level, OpenIntegral
from vaedocs.derivation.parser.sums import Sums

MEASURES = v.split("P Q F G p q mu nu pi lambda")


class Integrals(Sums):
    """Integrals with their differentials at the end, in front, or in a numerator."""

    def at_differential(self) -> bool:
        """Whether ``dz`` starts here, for an integral that waits for it."""
        token = self.tok
        if token.kind != "letter" or token.text != "d" or not self.level.integrals:
            return False
        after = self.peek()
        if after.kind in ("letter", "accent", "word"):
            return True
        if after.kind == "lbrace":
            return self.peek(2).kind in ("letter", "accent")
        return False

    def integral(self) -> s.Node:
        token = self.take()
        lower = upper = None
        below: tuple[s.Node, ...] = ()
        while self.tok.kind in ("sub", "sup"):
            if self.take().kind == "sup":
                upper = self.argument()
            else:
                below = self.script_list()
        record = OpenIntegral({"int": 1, "iint": 2, "iiint": 3}[token.text])
        outer = self.level
        self.level = Level(outer.bar, [*outer.integrals, record], outer.script, outer.unevaluated)
        self.deeper()
        body = self.integrand(record, below, token)
        self.depth -= 1
        self.level = outer
        variables = tuple(record.variables)
        if len(below) == 1:
            lower = below[0]
        elif below and upper is None:
            lower = None
        if upper is None and below:
            names = [
                part.left if isinstance(part, s.Relation) and part.symbol == "in" else part
                for part in below
            ]
            domains = [p.right for p in below if isinstance(p, s.Relation) and p.symbol == "in"]
            if not variables:
                variables = tuple(names)
            if all(name in variables for name in names):
                lower = domains[0] if domains else None
            elif len(below) > 1:
                self.refuse("what do these limits say?", below[1], "write one integral for each")
        return s.Integral(body, variables, lower, upper, span=self.span(token.start))

    def integrand(self, record: OpenIntegral, below: tuple[s.Node, ...], token: Token) -> s.Node:
        """The body, wherever its differentials stand."""
        if self.at("lbrace") and self.has_differential(self.pos + 1, self.tok.partner):
            self.take()
            body = self.integrand(record, below, token)
            self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand under the integral")
            return body
        start = self.tok.start
        if self.at_differential():
            self.differentials(record)
            if self.starts_factor() and not self.at_differential():
                return self.product()
            return s.Number("1", span=self.span(start))
        terms: list[tuple[int, s.Node]] = []
        while True:
            sign = self.sign()
            if not self.starts_factor() and self.tok.kind != "bar":
                self.refuse("the integral of what?", token, "write the integrand and dz")
            node = self.product()
            terms.append((sign or 1, node))
            if self.at_differential():
                self.differentials(record)
            if record.variables:
                break
            more = self.tok.kind == "op" and self.tok.text in ("+", "-")
            if not more or not self.has_differential(self.pos, len(self.tokens) - 1):
                break
        if not record.variables and not self.names_variable(below):
            self.refuse(
                "the integral has no differential",
                token,
                "write dz at its end (and brackets around an integrand that is a sum)",
            )
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        return s.Sum(tuple(terms), span=(start, terms[-1][1].span[1]))

    def names_variable(self, below: tuple[s.Node, ...]) -> bool:
        """``\\int_z`` without ``dz`` still says over what."""
        return bool(below) and all(
            (isinstance(part, s.Name) and part.style in ("", "rm"))
            or (isinstance(part, s.Relation) and part.symbol == "in")
            for part in below
        )

    def has_differential(self, start: int, stop: int) -> bool:
        """Whether ``dz`` stands at this level before the statement ends."""
        i = start
        while i < stop:
            token = self.tokens[i]
            if token.kind in ("open", "lbrace", "begin"):
                i = token.partner
            elif token.kind in ENDS or token.kind in ("rel", "comma", "end"):
                return False
            elif (
                token.kind == "letter"
                and token.text == "d"
                and self.tokens[i - 1].kind not in ("sub", "sup")
                and self.tokens[i + 1].kind in ("letter", "accent", "word")
            ):
                return True
            i += 1
        return False

    def differentials(self, record: OpenIntegral) -> None:
        """Take the run of ``dz``: as many as this integral may have."""
        waiting = sum(
            max(other.needs - len(other.variables), 0)
            for other in self.level.integrals
            if other is not record
        )
        run = self.count_run()
        count = max(record.needs, run - waiting)
        taken = 0
        while self.at_differential() and taken < count:
            record.variables.append(self.differential())
            taken += 1
            if self.at("cmd", "dots") and self.peek().text == "d":
                self.take()
                if not self.at_differential():
                    self.refuse("which differential comes last?", hint="write dz_1 \\dots dz_K")
                first = record.variables.pop()
                last = self.differential()
                record.variables.append(s.Range(first, last, span=(first.span[0], last.span[1])))
                taken += 1

    def count_run(self) -> int:
        """How many differentials follow one another from here."""
        tokens, i, count = self.tokens, self.pos, 0
        last = len(tokens) - 1  # the end of the formula

        def behind(i: int) -> int:
            """Behind the symbol or group at ``i``."""
            while i < last and tokens[i].kind == "accent":
                i += 1
            return min(tokens[i].partner + 1 if tokens[i].kind == "lbrace" else i + 1, last)

        while tokens[i].kind == "letter" and tokens[i].text == "d":
            count += 1
            i = behind(i + 1)
            while tokens[i].kind in ("sub", "sup", "prime"):
                i = i + 1 if tokens[i].kind == "prime" else behind(i + 1)
            if tokens[i].kind == "cmd" and tokens[i].text == "dots":
                i += 1
        return count

    def differential(self) -> s.Node:
        """``dz``, ``d\\mathbf{z}_{1:T}``, ``d\\mu(x)``."""
        self.take()
        token = self.tok
        if token.kind == "accent":
            return self.accented()
        if token.kind == "lbrace":
            self.take()
            node = self.differential_name()
            self.expect("rbrace", "", "this differential is not closed")
            return node
        return self.differential_name()

    def differential_name(self) -> s.Node:
        if self.at("accent"):
            return self.accented()
        if self.tok.kind not in ("letter", "word"):
            self.refuse(f"d{self.shown(self.tok)} is no differential", hint="write dz")
        token = self.take()
        node: s.Node = s.Name(token.text, token.style, span=(token.start, token.end))
        if self.tok.kind in ("sub", "sup", "prime"):
            node = self.attach(node, self.scripts(name=True), token.start)
        opened = self.tok
        if (
            opened.kind == "open"
            and opened.text == "("
            and token.text in MEASURES
            and opened.partner == self.pos + 2
        ):
            return self.called(node, token.start)
        return node
