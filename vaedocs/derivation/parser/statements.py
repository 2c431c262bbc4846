r"""Chains of relations: rows, the words between them, and what qualifies them."""

from __future__ import annotations

from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.lexer import vocabulary as v
from vaedocs.derivation.lexer.tokens import Token
from vaedocs.derivation.parser.cursor import Dots
from vaedocs.derivation.parser.phrases import as_spoken
from vaedocs.derivation.parser.structures import Structures

# Words behind which the conditions of a statement follow as formulas.
MARKERS = v.split("for if when where with whenever given assuming provided forall") | frozenset(
    (
        "for all",
        "for any",
        "for every",
        "for each",
        "if and only if",
        "provided that",
        "such that",
        "subject to",
    )
)
ENDINGS = frozenset(("end", "break", "imp", "semicolon"))


class Statements(Structures):
    """A whole display."""

    row = 0
    main: int | None = None  # the chain in the left column, where another stands beside it

    def chains(self) -> list[s.Chain]:
        """All chains of the display, in reading order."""
        out: list[s.Chain] = []
        connective, active, beside = "", -1, -1
        while True:
            kind = self.tok.kind
            if kind == "break" and (self.tok.side != "beside" or self.main is None):
                self.main = active if self.tok.side == "beside" else None
            if kind in ("break", "semicolon", "comma") or (
                kind == "period" and self.peek().kind in ("end", "break", "text")
            ):
                self.take()
            elif kind == "imp":
                connective = self.take().text
            elif kind == "end":
                if connective:
                    self.refuse("what follows from this?", self.tok)
                return out
            elif kind == "text" and self.introduces(out):
                self.take()  # "where L_T = …" in a row of its own is a statement
            elif kind == "text" and out and self.concludes():
                self.take()
                connective = "=>"
            elif kind == "text" and self.aside(out):
                pass
            elif kind == "cmd" and self.tok.text == "forall":
                self.qualify(out)
            elif kind == "open" and out and self.qualified_in_brackets(out):
                pass
            elif kind == "rel" and self.tok.text != ":" and out and not connective:
                if self.main is not None and self.tok.first:
                    active = beside if self.tok.side == "beside" else self.main
                    self.tok.first = False  # it is known now what this row goes on with
                out[active] = self.links(out[active].left, out[active], out[active].span[0])
            else:
                chain = self.statement()
                if self.is_index_range(chain) and out and out[active].links:
                    link = chain.links[0]
                    assert chain.left is not None
                    relation = s.Relation(link.symbol, chain.left, link.right, span=chain.span)
                    self.row -= 1
                    qualifier = (*out[active].qualifier, relation)
                    out[active] = replace(out[active], qualifier=qualifier)
                    continue
                out.append(replace(chain, connective=connective))
                connective, active = "", len(out) - 1
                beside = active if self.main is not None else -1

    def introduces(self, out: list[s.Chain]) -> bool:
        r"""Whether ``\text{where}`` starts a row that defines something."""
        words = self.tok.text.strip(" ,.;:").lower()
        if words not in ("where", "with", "and let") or not out:
            return False
        if self.pos and self.tokens[self.pos - 1].kind != "break":
            return False
        depth = 0
        for token in self.tokens[self.pos + 1 :]:
            depth += token.kind in ("open", "lbrace", "begin")
            depth -= token.kind in ("close", "rbrace", "end")
            if depth == 0 and token.kind in ("rel", "break", "end"):
                return token.text in ("=", ":=", "==", "~")
        return False

    def is_index_range(self, chain: s.Chain) -> bool:
        r"""``i = 1, \dots, N`` behind a statement says where it holds."""
        if len(chain.links) != 1 or chain.links[0].symbol not in ("=", "in"):
            return False
        right = chain.links[0].right
        if isinstance(right, s.Group) and right.bracket == "{":
            right = right.body
        items = s.members(right)
        counted = len(items) > 1 and all(isinstance(item, s.Number) for item in items)
        ranged = any(isinstance(item, s.Range) for item in items)
        return isinstance(chain.left, s.Name) and (
            ranged or (counted and chain.links[0].symbol == "=")
        )

    # -------------------------------------------------------------------- one chain
    def statement(self) -> s.Chain:
        start = self.tok.start
        if self.tok.kind == "rel":
            return self.links(None, None, start)
        left = self.side(opening=True)
        return self.links(left, None, start)

    def links(self, left: s.Node | None, before: s.Chain | None, start: int) -> s.Chain:
        """The relations behind ``left``, added to those of the chain ``before``."""
        links: list[s.Link] = list(before.links) if before else []
        while self.tok.kind == "rel" or (self.at("colon") and left is not None):
            if self.main is not None and self.tok.first:
                break  # which of the two columns does this row go on with?
            token = self.take()
            symbol = token.text
            if self.tok.kind == "rel":
                self.refuse(
                    f"{self.shown(self.tok)} right behind {self.shown(token)}",
                    hint="something is missing between the two",
                )
            right = self.side(opening=False)
            hint = token.style
            if hint == "+const":
                hint = ""
                const = s.Words("const", span=(token.start, token.end))
                terms = right.terms if isinstance(right, s.Sum) else ((1, right),)
                right = s.Sum((*terms, (1, const)), span=right.span)
            right = self.constant_term(right)
            self.row += 1
            links.append(s.Link(symbol, right, (token.start, token.end), self.row, hint))
        chain = s.Chain(left, tuple(links), span=self.span(start))
        if before is not None:
            chain = replace(before, links=tuple(links), span=(before.span[0], self.span(start)[1]))
        return self.trailing(chain)

    def constant_term(self, right: s.Node) -> s.Node:
        """``… + C`` ends with a constant, not with a quantity called C (unless C is declared)."""
        if not isinstance(right, s.Sum):
            return right
        sign, last = right.terms[-1]
        if sign != 1 or not isinstance(last, s.Name) or last != s.Name("C", span=last.span):
            return right
        words = s.Words("C", span=last.span)
        return s.Sum((*right.terms[:-1], (sign, words)), span=right.span)

    def side(self, *, opening: bool) -> s.Node:
        """One side of a relation: an expression, or a list of them."""
        start = self.tok.start
        if self.tok.kind in ENDINGS:
            self.refuse(f"something is missing before {self.shown(self.tok)}")
        if self.at("cmd", "dots"):
            self.refuse(
                "dots in place of a side of a relation",
                hint="write the statements in between, or one with an index",
            )
        items = [self.sum()]
        while self.at("comma"):
            after = self.peek()
            dots = after.kind == "cmd" and after.text == "dots"
            listed = dots or isinstance(items[-1], Dots)
            if after.kind in ("text", "end", "break", "imp") or after.text == "forall":
                break
            if not opening and not listed and self.tok.style in ("rel", "later"):
                break
            self.take()
            items.append(self.sum())
        items = list(self.without_dots(items))
        node = items[0]
        if len(items) > 1 or isinstance(node, s.Range):
            node = s.Sequence(tuple(items), span=self.span(start))
        if isinstance(node, Dots):
            self.refuse("dots that stand between nothing", node)
        if self.tok.kind == "bar":
            self.take()
            conditions = [self.sum()]
            while self.at("comma") and self.tok.style != "":
                self.take()
                conditions.append(self.sum())
            conditions = list(self.without_dots(conditions))
            given = s.members(node)
            node = s.Conditioned(given, tuple(conditions), span=self.span(start))
        return node

    # ------------------------------------------------------------------- the words
    def trailing(self, chain: s.Chain) -> s.Chain:
        """Reasons and qualifiers behind a chain."""
        holder = [chain]
        while True:
            token = self.tok
            if token.kind == "text":
                if self.joins(token):
                    return holder[0]
                if not self.aside(holder):
                    break
            elif token.kind == "cmd" and token.text == "forall":
                self.qualify(holder)
            elif token.kind == "comma" and (
                self.peek().text == "forall" or self.peek().kind == "text"
            ):
                self.take()
            else:
                break
        token = self.tok
        if token.kind not in ("end", "break", "comma", "semicolon", "imp", "rel", "period"):
            self.refuse(f"{self.shown(token)} cannot stand here", token, self.advice(token.kind))
        if token.kind == "period" and self.peek().kind not in ("end", "break", "text"):
            self.refuse("a full stop inside a formula", token, "remove it, or write \\cdot")
        return holder[0]

    def advice(self, kind: str) -> str:
        if kind == "bar":
            return "a bar stands inside brackets, as in p(x \\mid z), or in pairs, as in |x|"
        if kind in ("close", "rbrace"):
            return "open it first, or remove it"
        if kind == "text":
            return "words stand between statements, not inside them"
        return "put \\quad or a new row between two statements"

    def aside(self, out: list[s.Chain]) -> bool:
        r"""``\text{…}`` between statements: joins, qualifies, or gives a reason. True if taken."""
        token = self.tok
        words = token.text.strip(" ,.;:").lower()
        first = words.split(" ")[0].strip("(),.:;") if words else ""
        after = self.peek()
        if words == "or":
            self.refuse("two statements with “or” between them", token, "show each of them")
        if self.joins(token):
            self.take()
            return True
        whole = words.startswith("(") or after.kind == "rel"  # "(by definition) = c" goes on
        if first in v.REASONS and out and not whole:
            self.take()
            self.hinted(out, self.rest(token))
            return True
        closed = after.kind in (
            "end",
            "break",
            "comma",
            "period",
            "semicolon",
            "text",
            "imp",
            "rel",
        )
        if first in v.QUALIFYING and out and not closed:
            self.take()
            if words in MARKERS:
                self.qualify(out)
            else:  # "with equality iff p = q": words and formulas that only a reader understands
                words = f"{out[-1].words} {self.rest(token)}".strip()
                out[-1] = replace(out[-1], words=words)
            return True
        if token.text == "const" or (not closed and not words.startswith("(")):
            return False
        if not out:
            if after.kind in ("rel", "end"):
                return False
            self.take()
            return True
        self.take()
        self.hinted(out, token.text)
        return True

    def hinted(self, out: list[s.Chain], words: str) -> None:
        """Give the last relation a reason; words where there is no relation."""
        last = out[-1]
        if last.links:
            link = last.links[-1]
            hint = f"{link.hint} {words}".strip()
            out[-1] = replace(last, links=(*last.links[:-1], replace(link, hint=hint)))
        else:
            out[-1] = replace(last, words=f"{last.words} {words}".strip())

    def rest(self, first: Token) -> str:
        """Everything up to the end of the row as words, as typed."""
        end = first.end
        while self.tok.kind not in ("end", "break", "imp") and not self.tok.first:
            end = self.take().end
        return as_spoken(self.source[first.start : end]).strip(" ,.;:")

    def concludes(self) -> bool:
        """Whether “hence” or “so” leads to a statement, which then claims and defines nothing."""
        words = self.tok.text.strip(" ,.;:").lower().split()
        if not self.joins(self.tok) or not set(words) & v.CONCLUDING:
            return False
        return self.peek().kind not in ("end", "rel", "text", "imp")

    def joins(self, token: Token) -> bool:
        """Whether these words only lead from one statement to the next."""
        words = token.text.strip(" ,.;:").lower().split()
        return bool(words) and all(word in v.JOINING for word in words)

    def qualify(self, out: list[s.Chain]) -> None:
        r"""``\forall i``, ``\text{for } x > 0``: where the chain before it holds."""
        if self.at("cmd", "forall"):
            token = self.take()
            if not out:
                self.refuse("a condition before its statement", token, "write it behind")
        qualifiers: list[s.Node] = []
        while True:
            start = self.tok.start
            left = self.side(opening=True)
            node: s.Node = left
            while self.tok.kind == "rel" and not self.tok.first:
                symbol = self.take().text
                right = self.side(opening=False)
                node = s.Relation(symbol, node, right, span=self.span(start))
            qualifiers.append(node)
            if (self.at("text") and self.tok.text in ("and", "all")) or (
                self.at("comma") and self.peek().kind not in ("text", "end", "break")
            ):
                self.take()
            else:
                break
        last = out[-1]
        span = (last.span[0], qualifiers[-1].span[1])
        out[-1] = replace(last, qualifier=(*last.qualifier, *qualifiers), span=span)

    def qualified_in_brackets(self, out: list[s.Chain]) -> bool:
        """``(x > 0)`` behind a statement, or a reason in brackets."""
        opening = self.tok
        inside = self.tokens[self.pos + 1 : opening.partner]
        behind = self.tokens[opening.partner + 1]
        ends = behind.kind in ("end", "break", "comma", "period", "semicolon") or behind.first
        if not ends:
            return False
        if opening.text != "(" or not any(token.kind == "rel" for token in inside):
            return False
        self.take()
        groups, separators = self.lists()
        if separators:
            self.refuse("a bar in a condition", opening)
        self.expect("close", "", f"{self.shown(self.tok)} cannot stand in a condition")
        last = out[-1]
        span = self.span(last.span[0])
        out[-1] = replace(last, qualifier=(*last.qualifier, *groups[0]), span=span)
        return True
