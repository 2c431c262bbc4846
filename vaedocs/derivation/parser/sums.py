r"""``\sum`` and ``\prod``: what stands below and above them, and where they end."""

from __future__ import annotations

from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.letters import INDEX_LETTERS
from vaedocs.derivation.lexer.tokens import Token
from vaedocs.derivation.parser.cursor import Level
from vaedocs.derivation.parser.moments import Moments
from vaedocs.derivation.spelling import children, names_in


class Sums(Moments):
    """Sums and products over indices."""

    def big_operator(self, name: str = "") -> s.Node:
        token = self.take()
        lower_items: tuple[s.Node, ...] = ()
        upper = None
        while self.tok.kind in ("sub", "sup"):
            above = self.take().kind == "sup"
            if above:
                if upper is not None:
                    self.refuse("a second upper limit")
                upper = self.argument()
            else:
                if lower_items:
                    self.refuse("a second lower limit")
                lower_items = self.limits_below()
        return self.big_body(token, name or token.text, lower_items, upper)

    def limits_below(self) -> tuple[s.Node, ...]:
        if self.at("lbrace") and self.peek().kind == "cmd" and self.peek().text == "substack":
            self.take()
            self.take()
            self.expect("lbrace", "", "\\substack needs braces")
            outer, self.level = self.level, Level(bar="separates", script=True)
            items = [self.item()]
            while self.tok.kind in ("newline", "comma"):
                self.take()
                items.append(self.item())
            self.level = outer
            self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand below a sum")
            self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand below a sum")
            return self.without_dots(items)
        return self.script_list()

    def big_body(
        self, token: Token, name: str, below: tuple[s.Node, ...], upper: s.Node | None
    ) -> s.Node:
        first: tuple[s.Node, ...] = ()
        domains = [p for p in below if isinstance(p, s.Relation) and p.symbol == "in"]
        if len(domains) > 1 and len(domains) == len(below):  # x \in X, y \in Y: a sum in a sum
            first, below = below[:-1], below[-1:]
        indices, lower, domain, condition, upper = self.read_limits(below, upper, token)
        minus = self.tok if name == "sum" and self.at("op", "-") else None
        if minus is not None:  # \sum_i -p_i \log p_i
            self.take()
        if not self.starts_factor() and self.tok.kind != "bar":
            word = {"sum": "sum", "prod": "product"}.get(name, "union")
            self.refuse(
                f"the {word} of what?", hint="write its terms, in brackets if they are a sum"
            )
        self.deeper()
        body = self.product()
        if minus is not None:
            body = s.Sum(((-1, body),), span=self.span(minus.start))
        body, beside = self.parted(body, indices) if name == "prod" else (body, ())
        if name == "prod" and isinstance(body, s.Product):
            self.check_product_ends(body, indices)
        self.depth -= 1
        span = self.span(token.start)
        kind = s.BigOperator(
            name if name in ("sum", "cup", "cap") else "prod",  # type: ignore[arg-type]
            indices, body, lower, upper, domain, condition, span=span,
        )  # fmt: skip
        for relation in reversed(first):
            assert isinstance(relation, s.Relation)
            kind = replace(kind, body=kind, indices=(relation.left,), domain=relation.right)
        if not beside:
            return kind
        signs, factors = zip(*beside, strict=True)
        return s.Product((kind, *factors), signs, span=span)

    @staticmethod
    def parted(
        body: s.Node, indices: tuple[s.Node, ...]
    ) -> tuple[s.Node, tuple[tuple[str, s.Node], ...]]:
        r"""What a product multiplies, and the factors behind it with their signs.

        In ``\prod_i a_i \prod_i b_i`` the second product counts anew with the index of the first,
        so it stands beside it; so does what follows the \cdot of ``\prod_i a_i \cdot b``, where
        no factor holds the index any more.
        """
        if not isinstance(body, s.Product):
            return body, ()
        last = body.factors[-1]
        again = last.factors[0] if isinstance(last, s.Product) else last
        counts = isinstance(again, s.BigOperator) and (again.name, again.indices)
        if counts == ("prod", indices) and body.operators[-1] in ("", "dot", "times"):
            cut = len(body.factors) - 1
        else:
            names = [index for index in indices if isinstance(index, s.Name)]
            held = [
                k
                for k, f in enumerate(body.factors)
                if any(mentions(f, n) for n in names)
                and not (isinstance(f, s.BigOperator) and f.indices == indices)
            ]
            start = held[-1] if held else len(body.operators)
            dots = (k for k, sign in enumerate(body.operators) if sign in ("dot", "times"))
            cut = next((k + 1 for k in dots if k >= start), 0)
        if not cut:
            return body, ()
        beside = tuple(zip(body.operators[cut - 1 :], body.factors[cut:], strict=True))
        if cut == 1:
            return body.factors[0], beside
        first = replace(body, factors=body.factors[:cut], operators=body.operators[: cut - 1])
        return first, beside

    def read_limits(
        self, below: tuple[s.Node, ...], upper: s.Node | None, token: Token
    ) -> tuple[tuple[s.Node, ...], s.Node | None, s.Node | None, s.Relation | None, s.Node | None]:
        """Sort what stands below a sum: indices, lower limit, domain, condition."""
        indices: list[s.Node] = []
        lower = domain = None
        condition: s.Relation | None = None
        for part in below:
            if not isinstance(part, s.Relation):
                if isinstance(part, s.Number):
                    self.refuse("which index starts here?", part, "write i = 1")
                names = part.factors if isinstance(part, s.Product) else (part,)
                if any(isinstance(n, s.Name) and n.base == "all" for n in names):
                    self.refuse("words below a sum", part, "write the index alone")
                indices.extend(names)
                continue
            left, right, symbol = part.left, part.right, part.symbol
            if isinstance(left, s.Relation) and isinstance(left.left, s.Relation):
                first = left.left  # 1 <= i < j <= n
                if condition is None and upper is None and first.symbol == symbol == "<=":
                    condition = s.Relation(left.symbol, first.right, left.right, span=left.span)
                    indices.extend((first.right, left.right))
                    lower, upper = first.left, right
                    continue
            if isinstance(left, s.Relation):  # 1 <= i <= n
                if left.symbol != "<=" or symbol != "<=" or upper is not None:
                    self.refuse(
                        "two relations below one sum", part, "write i = 1 and the end above"
                    )
                indices.append(left.right)
                lower, upper = left.left, right
            elif symbol == "=":
                indices.append(left)
                if lower is not None and lower != right:
                    self.refuse("two lower limits", part, "write two sums")
                lower = right
            elif symbol == "in":
                items = s.members(left)
                indices.extend(items)
                if domain is not None:
                    self.refuse("two domains", part, "write two sums")
                domain = right
            elif symbol in ("!=", "<", "<=", ">", ">="):
                if condition is not None:
                    self.refuse("two conditions below one sum", part, "write two sums")
                condition = part
                new = [
                    side
                    for side in (left, right)
                    if isinstance(side, s.Name)
                    and side not in indices
                    and (side is left or (symbol in ("<", ">") and side.base in INDEX_LETTERS))
                ]
                indices.extend(new)
            else:
                self.refuse("what does this say of the index?", part, "write i = 1, or i \\in S")
        # "\sum_{i, j \in S}" and "\sum_{i = 1, i \neq j}" repeat no index.
        unique = tuple(dict.fromkeys(indices))
        if upper is not None and not unique:
            self.refuse("which index ends here?", token, "write the index below: \\sum_{i=1}^{N}")
        return unique, lower, domain, condition, upper

    def check_product_ends(self, body: s.Product, indices: tuple[s.Node, ...]) -> None:
        r"""``\prod_i a_i c``: does c stand inside? Only a factor with the index surely does."""
        if not indices:
            return
        names = [index for index in indices if isinstance(index, s.Name)]
        last = body.factors[-1]
        indexed = [any(mentions(factor, name) for name in names) for factor in body.factors]
        if any(indexed) and not indexed[-1]:
            self.refuse(
                "is this factor inside the product?",
                last,
                "put it before \\prod, or brackets around what is multiplied",
            )

    def trails(self, term: s.Node, later: s.Node) -> bool:
        """Whether ``later`` uses an index of the sum that ends ``term``, as if it stood inside."""
        last = term.factors[-1] if isinstance(term, s.Product) else term
        if not isinstance(last, s.BigOperator):
            return False
        names = {n.base for n in last.indices if isinstance(n, s.Name) and n.base in INDEX_LETTERS}
        return bool(names) and _indexed_by(later, names)


def mentions(node: s.Node, name: s.Name) -> bool:
    """Whether ``name``'s letter occurs in ``node`` (also as an index)."""
    return any((n.base, n.style) == (name.base, name.style) for n in names_in(node))


def _indexed_by(node: s.Node, names: set[str]) -> bool:
    """Whether a name in ``node`` carries one of ``names`` as an index that nothing in it binds."""
    if isinstance(node, s.Name):
        marks = (*node.subscripts, *node.indices)
        return any(n.base in names and not n.style for mark in marks for n in names_in(mark))
    if isinstance(node, s.BigOperator):
        rest = names - {index.base for index in node.indices if isinstance(index, s.Name)}
        return bool(rest) and _indexed_by(node.body, rest)
    return any(_indexed_by(child, names) for child in children(node))
