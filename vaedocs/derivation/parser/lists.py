r"""The lists that stand in brackets and subscripts: entries, separators, ranges, dots."""

from __future__ import annotations

from vaedocs.derivation import syntax as s
from vaedocs.derivation.parser.cursor import ENDS, Cursor, Dots

Groups = tuple[tuple[s.Node, ...], ...]


class Lists(Cursor):
    """Entries with commas, bars and semicolons between them."""

    def lists(self) -> tuple[Groups, tuple[str, ...]]:
        """Comma lists up to the closing bracket, and the separators between them."""
        groups: list[tuple[s.Node, ...]] = []
        separators: list[str] = []
        items: list[s.Node] = [self.item()]
        while True:
            token = self.tok
            if token.kind == "comma":
                self.take()
                items.append(self.item())
            elif mark := self.separator():
                groups.append(self.without_dots(items))
                separators.append(mark)
                items = [self.item()]
            else:
                groups.append(self.without_dots(items))
                return tuple(groups), tuple(separators)

    def separator(self) -> str:
        """Take a bar, semicolon or colon that separates; else return nothing."""
        token = self.tok
        if token.kind == "semicolon" or (token.kind == "colon" and not self.level.script):
            return self.take().text
        if token.kind != "bar":
            return ""
        if token.style == "pair":
            self.take()
            self.take()
            return "||"
        return self.take().text

    def item(self) -> s.Node:
        """One entry of a list: an expression, a relation, a range or dots."""
        token = self.tok
        if token.kind in ENDS or token.kind == "comma":
            self.refuse(
                f"something is missing before {self.shown(token)}", hint="write what stands there"
            )
        if token.kind == "rel" and token.text in ("<", "<=", ">", ">="):
            return self.half_range()
        if token.kind == "colon":
            self.take()
            stop = self.expression() if self.starts_factor() else None
            return s.Range(None, stop, span=self.span(token.start))
        left = self.sum()
        if isinstance(left, Dots):
            if self.tok.kind not in ("comma", *ENDS, "bar", "semicolon"):
                self.refuse("dots that stand between nothing", left, "write commas around them")
            return left
        if self.at("colon") and self.level.script:
            self.take()
            stop = None if self.tok.kind in ENDS or self.at("comma") else self.expression()
            return s.Range(left, stop, span=self.span(token.start))
        while self.tok.kind == "rel":
            symbol = self.take().text
            right = self.expression()
            left = s.Relation(symbol, left, right, span=self.span(token.start))
        return left

    def half_range(self) -> s.Node:
        r"""``<t``, ``\leq t``, ``>t``, ``\geq t``; ``Range(None, t)`` stops before t."""
        token = self.take()
        edge = self.expression()
        span = self.span(token.start)
        if isinstance(edge, s.Number) and edge.text == "0":  # \mathbb{R}_{>0}
            return s.Relation(token.text, s.Name("cdot", span=span), edge, span=span)
        beyond = self.one_more(edge, span)
        if token.text == "<":
            return s.Range(None, edge, span=span)
        if token.text == "<=":
            return s.Range(None, beyond, span=span)
        if token.text == ">":
            return s.Range(beyond, None, span=span)
        return s.Range(edge, None, span=span)

    def one_more(self, edge: s.Node, span: s.Span) -> s.Node:
        """``t + 1`` for ``t``, and ``t`` for ``t - 1``, so that x_{<t} and x_{\\leq t-1} agree."""
        one = s.Number("1", span=span)
        terms = edge.terms if isinstance(edge, s.Sum) else ((1, edge),)
        if terms[-1] == (-1, one):
            terms = terms[:-1]
            return terms[0][1] if len(terms) == 1 and terms[0][0] == 1 else s.Sum(terms, span=span)
        return s.Sum((*terms, (1, one)), span=span)

    def without_dots(self, items: list[s.Node]) -> tuple[s.Node, ...]:
        r"""``a, \dots, b`` as one ``Range``."""
        if not any(isinstance(item, Dots) for item in items):
            return tuple(items)
        out: list[s.Node] = []
        i = 0
        while i < len(items):
            item = items[i]
            if isinstance(item, Dots):
                if not out or isinstance(out[-1], s.Range):
                    self.refuse("dots with nothing before them", item, "write the first entry")
                start = out.pop()
                stop = items[i + 1] if i + 1 < len(items) else None
                if isinstance(stop, Dots):
                    self.refuse("dots behind dots", stop)
                end = stop.span[1] if stop else item.span[1]
                out.append(s.Range(start, stop, span=(start.span[0], end)))
                i += 2
            else:
                out.append(item)
                i += 1
        return tuple(out)
