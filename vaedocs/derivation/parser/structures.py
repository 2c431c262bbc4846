r"""Braces with a note, stacked operators, matrices and cases."""

from __future__ import annotations

from vaedocs.derivation import syntax as s
from vaedocs.derivation.lexer import vocabulary as v
from vaedocs.derivation.lexer.tokens import Token
from vaedocs.derivation.parser.cursor import ENDS, Dots, Level
from vaedocs.derivation.parser.derivatives import Derivatives
from vaedocs.derivation.parser.moments import TAILS
from vaedocs.derivation.spelling import spell


class Structures(Derivatives):
    """What is built of several pieces, and the choice among all commands."""

    def command(self) -> s.Node:
        """An operand that starts with a command."""
        token = self.tok
        name = token.text
        if name == "frac":
            return self.fraction()
        if name in ("sum", "prod", "cup", "cap"):
            return self.big_operator()
        if name in ("int", "iint", "iiint"):
            return self.integral()
        if name in ("partial", "nabla"):
            return self.differential_operator()
        if name == "sqrt":
            return self.root()
        if name == "infty":
            self.take()
            return s.Number("oo", span=(token.start, token.end))
        if name in ("underbrace", "overbrace"):
            return self.underbrace()
        if name in ("overset", "underset"):
            return self.stacked()
        if name == "arg":
            return self.extremum()
        if name == "lim":
            return self.limit()
        if name == "binom":
            self.take()
            top, bottom = self.argument(), self.argument()
            pair = s.Sequence((top, bottom), span=(top.span[0], bottom.span[1]))
            return s.Function("binom", pair, span=self.span(token.start))
        if name == "dots":
            self.refuse("dots that stand between nothing", token, "write what they stand between")
        if name in ("neg", "setminus"):
            self.take()
            operand = self.factor()
            return s.Function("not", operand, span=self.span(token.start))
        if name == "bullet":
            self.take()
            return s.Name("cdot", span=(token.start, token.end))
        self.refuse(f"{self.shown(token)} cannot stand here")

    # -------------------------------------------------------------- underbraces
    def underbrace(self) -> s.Node:
        token = self.take()
        self.expect("lbrace", "", f"{self.shown(token)} around what?", "put it into braces")
        self.deeper()
        outer = self.level
        self.level = Level("", [], False, outer.unevaluated)
        body = self.expression()
        self.level = outer
        self.depth -= 1
        self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand inside this brace", "")
        claims: tuple[s.Claim, ...] = ()
        words = ""
        mark = "sub" if token.text == "underbrace" else "sup"
        if self.tok.kind == mark:
            self.take()
            claims, words = self.note()
        return s.Underbrace(body, claims, words, span=self.span(token.start))

    def note(self) -> tuple[tuple[s.Claim, ...], str]:
        """What is written below a brace: claims, words, or both."""
        if not self.at("lbrace"):
            node = self.single()
            word = node.base if isinstance(node, s.Name) and node.style == "rm" else ""
            return (s.Claim("=", node, True, span=node.span),), word
        opening = self.take()
        outer, self.level = self.level, Level()
        words: list[str] = []
        claims: list[s.Claim] = []
        stacked = self.at("cmd", "substack")
        if stacked:
            self.take()
            opening = self.expect("lbrace", "", "\\substack needs braces")
        while not self.at("rbrace"):
            self.part(opening, words, claims)
        self.level = outer
        for _ in range(2 if stacked else 1):
            self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand in the note of a brace")
        return tuple(claims), " ".join(words)

    def part(self, opening: Token, words: list[str], claims: list[s.Claim]) -> None:
        """Words, a claim, or a name with claims behind it, up to a comma or a new line."""
        before = len(words)
        self.text_run(words)
        if self.tok.kind in ("comma", "semicolon", "newline"):
            self.take()
        elif self.is_label() or (len(words) > before and self.tok.kind not in ("rel", "rbrace")):
            self.all_words(opening, words)  # "does not depend on \theta"
        elif self.tok.kind != "rbrace":
            if self.tok.kind != "rel":
                node = self.expression()
                if isinstance(node, s.Name) and node.style == "rm":
                    words.append(node.base)
                claims.append(s.Claim("=", node, True, span=node.span))
            while self.tok.kind == "rel":
                relation = self.take()
                right = self.expression()
                span = (relation.start, right.span[1])
                claims.append(s.Claim(relation.text, right, span=span))

    def text_run(self, words: list[str]) -> None:
        while self.tok.kind == "text" or (
            self.tok.kind in ("comma", "period", "semicolon", "colon") and words
        ):
            words.append(self.take().text)

    def is_label(self) -> bool:
        """``(a)`` or ``(1)`` as the whole note."""
        token = self.tok
        return (
            token.kind == "open"
            and token.text == "("
            and token.partner == self.pos + 2
            and self.tokens[token.partner + 1].kind == "rbrace"
        )

    def all_words(self, opening: Token, words: list[str]) -> None:
        """Take the rest of the note as words, as typed; a claim among them is not passed over."""
        start = self.tok.start
        end = self.tokens[opening.partner].start
        while self.pos < opening.partner and self.tok.kind != "newline":
            if self.tok.kind == "rel":
                self.refuse(
                    "a claim inside the words of a brace",
                    hint="set a comma before it: \\text{…},\\ \\geq 0",
                )
            end = self.take().end
        words.append(" ".join(self.source[start:end].split()))

    # ---------------------------------------------------------- \underset, \overset
    def stacked(self) -> s.Node:
        r"""``\underset{z \sim q}{\mathbb{E}}``: the operator with its subscript moved below."""
        token = self.take()
        if not self.at("lbrace"):
            self.refuse(f"{self.shown(token)} needs braces")
        head = self.tokens[self.tok.partner + 1]
        inside = self.tokens[self.tok.partner + 2] if head.kind == "lbrace" else head
        if token.text == "underset":
            moment = v.MOMENTS.get(inside.text)
            if inside.style == "bb":
                moment = {"V": "Var", "C": "Cov"}.get(inside.text) or moment
            if moment and inside.kind in ("letter", "word"):
                samplings = self.samplings()
                self.head()
                return self.moment_body(moment, samplings, None, token)
            if inside.kind == "ext" or inside.text == "arg":
                over = self.script_list()
                return self.extremum_body(self.head(), over, token, True)
            if inside.text in ("sum", "prod"):
                below, name = self.limits_below(), self.head()
                upper = None
                if self.tok.kind == "sup":
                    self.take()
                    upper = self.argument()
                return self.big_body(token, name, below, upper)
        inner = self.tokens[self.pos + 1]
        if inner.kind == "text" and self.tok.partner == self.pos + 2:  # a note, as under a brace
            self.take()
            words = self.take().text
            self.take()
            return s.Underbrace(self.argument(), (), words, span=self.span(token.start))
        self.refuse(
            f"{self.shown(token)} on something that takes no limits",
            token,
            "write a subscript, or an accent such as \\hat",
        )

    def head(self) -> str:
        """The name of an operator that stands alone, perhaps in braces."""
        braced = self.at("lbrace")
        if braced:
            self.take()
        name = self.take().text
        if name == "arg":
            name += self.expect("ext", "", "arg of what?", "write \\arg\\max").text
        if self.tok.kind == "word" and self.tok.text in TAILS:  # \mathbb{V}\mathrm{ar}
            self.take()
        if braced:
            self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand here")
        return name

    # ------------------------------------------------------------- matrices, cases
    def environment(self) -> s.Node:
        token = self.take()
        self.deeper()
        outer, self.level = self.level, Level()
        node: s.Node
        if token.text in v.CASES:
            node = self.cases(token)
        else:
            rows = self.cells()
            if len({len(row) for row in rows}) != 1:
                self.refuse("the rows of this matrix differ in length", token)
            self.expect("end", "", f"{self.shown(self.tok)} cannot stand in a matrix")
            span = self.span(token.start)
            node = self.with_dots(rows, token, span)
        self.level = outer
        self.depth -= 1
        return node

    def cells(self) -> tuple[tuple[s.Node, ...], ...]:
        rows: list[tuple[s.Node, ...]] = []
        while not self.at("end"):
            row: list[s.Node] = [self.cell()]
            while self.at("amp"):
                self.take()
                row.append(self.cell())
            rows.append(tuple(row))
            if self.at("newline"):
                self.take()
                continue
            break
        if not rows:
            self.refuse("an empty matrix")
        return tuple(rows)

    def with_dots(self, rows: tuple[tuple[s.Node, ...], ...], token: Token, span: s.Span) -> s.Node:
        r"""``x_1 \\ \vdots \\ x_n`` is a list, ``x_1 & \dots & x_n`` a row of it; dots in the
        middle of a diagonal matrix are its other entries.
        """
        rows = self.with_zeros(rows)
        cells = [cell for row in rows for cell in row]
        dots = [k for k, cell in enumerate(cells) if isinstance(cell, Dots)]
        if not dots:
            return s.Matrix(rows, token.text == "vmatrix", span=span)
        size = (len(rows), len(rows[0]))
        if 1 in size and len(dots) == 1 and dots[0] == len(cells) - 2 > 0:
            run = s.Range(cells[-3], cells[-1], span=span)
            items = (*cells[:-3], run)
            inner = s.Sequence(items, span=span) if len(items) > 1 else run
            column = size[1] == 1 and token.text != "vmatrix"
            return s.Group(inner, "[", span=span) if column else s.Matrix(((inner,),), span=span)
        zeros = size == (3, 3) and all(spell(cells[k]) == "0" for k in (1, 2, 3, 5, 6, 7))
        if zeros and dots == [4] and token.text != "vmatrix":
            group = s.Group(s.Range(cells[0], cells[8], span=span), span=span)
            return s.Function("diag", group, span=span)
        self.refuse("how does this matrix go on?", token, "write a list, [x_1, \\dots, x_n]")

    def with_zeros(self, rows: tuple[tuple[s.Node, ...], ...]) -> tuple[tuple[s.Node, ...], ...]:
        """The empty places of a diagonal matrix are zeros."""
        blank = [c for row in rows for c in row if isinstance(c, s.Words) and not c.text]
        beside = [cell for i, row in enumerate(rows) for j, cell in enumerate(row) if i != j]
        zero = [cell for cell in beside if isinstance(cell, s.Number) and cell.text == "0"]
        if blank and (len(rows) != len(rows[0]) or len(beside) != len(zero) + len(blank)):
            self.refuse("an empty place in a matrix", blank[0], "write 0")
        return tuple(
            tuple(s.Number("0", span=c.span) if c in blank else c for c in row) for row in rows
        )

    def cell(self) -> s.Node:
        """One entry: an expression, or a condition beside the value of a case."""
        if self.tok.kind in ("newline", "amp", "end"):  # an empty place of a diagonal matrix
            return s.Words("", span=(self.tok.start, self.tok.end))
        if self.at("cmd", "dots") and self.peek().kind in ("newline", "amp", "end"):
            token = self.take()
            return Dots(span=(token.start, token.end))
        if self.tok.kind == "text":
            words = self.take()
            if self.tok.kind in ("newline", "amp", *ENDS):
                return s.Words(words.text, span=(words.start, words.end))
            left = self.expression()
            if self.tok.kind != "rel":
                self.refuse("a condition without a relation", left)
        else:
            left = self.expression()
        start = left.span[0]
        while self.tok.kind == "rel":
            symbol = self.take().text
            right = self.expression()
            left = s.Relation(symbol, left, right, span=self.span(start))
        return left

    def matrix_as_cases(self, matrix: s.Matrix) -> s.Node:
        branches: list[tuple[s.Node, s.Chain | None]] = []
        for row in matrix.rows:
            if len(row) > 2:
                self.refuse("a case has a value and a condition", row[2])
            condition = self.condition(row[1]) if len(row) == 2 else None
            branches.append((row[0], condition))
        return s.Cases(tuple(branches), span=matrix.span)

    def condition(self, node: s.Node) -> s.Chain | None:
        """The condition of a case as a chain; None for ``otherwise``."""
        if isinstance(node, s.Words):
            if node.text.strip(" .,").lower() in ("otherwise", "else"):
                return None
            self.refuse("this condition is words", node, "write it as a relation")
        links: list[s.Link] = []
        while isinstance(node, s.Relation):
            links.append(s.Link(node.symbol, node.right, node.right.span))
            node = node.left
        if not links:
            self.refuse("a condition without a relation", node)
        span = (node.span[0], links[0].right.span[1])
        return s.Chain(node, tuple(reversed(links)), span=span)

    def cases(self, token: Token) -> s.Node:
        branches: list[tuple[s.Node, s.Chain | None]] = []
        while not self.at("end"):
            value = self.expression()
            self.skip_comma()
            condition: s.Chain | None = None
            if self.at("amp"):
                self.take()
            if self.tok.kind not in ("newline", "end"):
                node = self.cell()
                self.skip_comma()
                condition = self.condition(node)
            branches.append((value, condition))
            if not self.at("newline"):
                break
            self.take()
        self.expect("end", "", f"{self.shown(self.tok)} cannot stand in a list of cases")
        if not branches:
            self.refuse("cases without a case", token)
        return s.Cases(tuple(branches), span=self.span(token.start))

    def skip_comma(self) -> None:
        closing = self.peek().kind in ("amp", "newline", "end", "text")
        if self.tok.kind in ("comma", "period", "semicolon") and closing:
            self.take()
