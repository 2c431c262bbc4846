r"""Functions and how far they reach: logarithms, traces, roots, maxima, limits.

How far an operator without brackets reaches is where mathematicians read differently. What has one
reading is read; what has two (``\log p(x) q(z)``) is refused with a question.
"""

from __future__ import annotations

from vaedocs.derivation import syntax as s
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.lexer import vocabulary as v
from vaedocs.derivation.lexer.tokens import Token
from vaedocs.derivation.parser.cursor import ENDS, Level
from vaedocs.derivation.parser.expressions import Expressions, multiplied
from vaedocs.derivation.parser.reach import coefficient, constant, numeric, plain, ratio
from vaedocs.derivation.spelling import spell, walk

INSIDE = {
    "log": "the logarithm", "exp": "the exponential", "det": "the determinant", "tr": "the trace",
    "diag": "the diagonal matrix", "derivative": "the derivative",
}  # fmt: skip
BRACKETS = ("(", "[", "{")
FACTORS = frozenset(("letter", "word", "number", "close", "rbrace", "prime"))  # these end one
PRINTED = frozenset(("letter", "word", "number", "open", "lbrace", "accent"))
INVERTED = {
    "sin": "\\arcsin", "cos": "\\arccos", "tan": "\\arctan", "tanh": "\\mathrm{artanh}",
    "sinh": "\\log(x + \\sqrt{x^2 + 1})", "cosh": "\\log(x + \\sqrt{x^2 - 1})", "log": "\\exp",
    "sigmoid": "\\log\\frac{x}{1 - x}",
}  # fmt: skip
LAWS = frozenset("pqrPQ")
MINUS_ONE = s.Sum(((-1, s.Number("1", span=(0, 0))),), span=(0, 0))


class Functions(Expressions):
    """Operators that take one operand to their right."""

    def argument(self) -> s.Node:
        """An argument of a command: in braces, or one symbol."""
        if not self.at("lbrace"):
            if self.at("number") and len(self.tok.text) > 1:
                self.refuse("which digits belong to this argument?", hint="put it into braces")
            return self.single()
        self.take()
        self.deeper()
        outer, self.level = self.level, Level()
        if self.at("rbrace"):
            self.refuse("empty braces where something should stand", hint="fill them")
        node = self.in_braces()
        self.level = outer
        self.depth -= 1
        self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand inside these braces")
        return node

    def operand(self, word: str) -> s.Node:
        """What an operator without brackets takes, or the question how far it reaches."""
        inside = INSIDE.get(word, f"the argument of {word}")
        hint = (
            f"write \\{word}\\left( … \\right)" if word != "derivative" else "write brackets"
        ) + ", or put \\cdot before the factor if it is outside"
        question = (
            "does the derivative act on this factor too?"
            if word == "derivative"
            else f"is this factor inside {inside}?"
        )
        token = self.tok
        began = self.pos
        score = self.score == began - (word != "derivative")
        acting = self.acting if word == "derivative" else ""
        if token.kind == "op" and not self.placeholder():
            self.refuse(
                f"a sign right behind {word}" if word != "derivative" else "a sign behind ∂",
                hint="put brackets around what it applies to",
            )
        if not self.starts_factor() and token.kind != "bar":
            self.refuse(f"{word} of what?", hint="write what it applies to")
        if token.kind == "open" and token.text in BRACKETS and word != "derivative":
            return self.bracket_operand(word, question, hint)
        parts: list[s.Node] = []
        while True:
            start = self.tok
            node = self.factor()
            grouped = isinstance(node, s.Group) and start.kind in ("open", "lbrace")
            grouped = grouped or (start.kind == "lbrace" and isinstance(node, s.Fraction))
            row = isinstance(node, s.Transpose) and isinstance(node.operand, s.Group)
            if row and word == "derivative" and not parts and self.starts_factor():
                rest = self.product()  # (x - \mu)^\top A (x - \mu)
                factors = rest.factors if isinstance(rest, s.Product) else (rest,)
                signs = rest.operators if isinstance(rest, s.Product) else ()
                return s.Product((node, *factors), ("", *signs), span=self.span(token.start))
            if outside := multiplied(node, start):
                self.refuse(question, outside, hint.split(", or")[0])
            parts.append(node)
            if self.braced_argument(start, parts):
                if self.tok.kind in PRINTED or self.tok.text in ("frac", "sqrt"):
                    self.refuse(question, self.tok, hint)  # the reader does not see the braces
                grouped = True
                break
            if not plain(node) or (grouped and len(parts) == 1):
                break
            if not self.starts_factor() or self.at_differential():
                break
            if self.tok.kind == "func" and word not in ("log", "derivative"):
                break  # \det A \det B and \sin x \cos x are products
            if self.at_integral() and not all(map(numeric, parts)):
                break  # \log 2\pi\sigma^2 \int p(x)\,dx
        first = parts[0]
        while word == "log" and ratio(parts[-1]) and self.at("cmd", "frac"):
            parts.append(self.factor())  # \log\frac{p(x)}{q(x)}\frac{q(x)}{r(x)}
        ratios = all(ratio(part) for part in parts)
        mixed = not plain(parts[-1]) and not all(numeric(p) for p in parts[:-1])
        if len(parts) > 1 and not ratios and (mixed or ratio(parts[-2])):
            self.refuse(question, parts[-1], hint)
        follows = self.tok
        if grouped and len(parts) == 1:
            if follows.kind == "open" and follows.text in BRACKETS:
                self.refuse(question, follows, hint)
            return (
                first.body
                if isinstance(first, s.Group)
                and not isinstance(first.body, (s.Sequence, s.Conditioned))
                else first
            )
        chained = (
            word == "derivative"
            and follows.kind == "cmd"
            and (follows.text in ("nabla", "partial") or self.is_derivative())
        )
        chained = chained or (follows.kind == "func" and word not in ("log", "derivative"))
        chained = chained or (word == "derivative" and isinstance(parts[-1], s.Transpose))
        big = follows.kind == "cmd" and follows.text in ("int", "iint", "sum")
        chained = chained or (word == "log" and self.weighs())
        chained = chained or (word == "log" and big)  # \log p(x) \int q(z)\,dz
        opened = follows.kind == "open" and follows.text in BRACKETS
        behind = self.peek() if opened else follows  # \nabla \log p(x) (\nabla \log p(x))^\top
        acts = behind.kind == "cmd" and behind.text == "nabla"
        chained = chained or (word in ("log", "derivative") and acts)
        while word == "log" and coefficient(parts[-1]) and self.at_exponential():
            parts.append(self.factor())  # \log \frac{1}{\sqrt{2\pi}} e^{-x^2/2}
            follows = self.tok
        if self.starts_factor() and not self.at_differential() and not chained:
            chained = score and (self.behind_score(first) or self.by_parts(acting, first, began))
            if not chained:
                self.refuse(question, follows, hint)
        if follows.kind == "op" and follows.text == "slash":
            self.refuse(question.replace("factor", "divisor"), follows, hint)
        if len(parts) == 1:
            return first
        span = (first.span[0], parts[-1].span[1])
        return s.Product(tuple(parts), ("",) * (len(parts) - 1), span=span)

    def braced_argument(self, start: Token, parts: list[s.Node]) -> bool:
        r"""Whether the braces of ``\log {2\pi} \int q(z)\,dz`` hold the whole argument."""
        return (
            start.kind == "lbrace"
            and len(parts) == 1
            and isinstance(parts[0], (s.Product, s.Power))
            and plain(parts[0])
            and self.starts_factor()
            and not self.at_differential()
        )

    def at_integral(self) -> bool:
        return self.tok.kind == "cmd" and self.tok.text in ("int", "iint", "iiint")

    def at_exponential(self) -> bool:
        r"""Whether ``e^{…}`` or ``\exp(…)`` stands here: a logarithm would stand behind it."""
        if self.tok.kind == "letter" and self.tok.text == "e":
            return self.peek().kind == "sup"
        return self.tok.kind == "func" and self.tok.text == "exp"

    def weighs(self) -> bool:
        r"""Whether the density of ``\int \log p(x \mid z) q(z) \, dz`` follows, which weighs the
        integrand: nothing else does.
        """

        def last(kind: str, names: tuple[str, ...], start: int = 0) -> int:
            places = range(start, self.pos)
            found = (k for k in places if self.tokens[k].kind == kind)
            return max((k for k in found if self.tokens[k].text in names), default=-1)

        start = last("cmd", ("int", "iint", "iiint"))
        if not self.level.integrals or start < 0 or not self.starts_factor():
            return False
        before = self.tokens[start : last("func", ("log",), start)]
        if any(token.kind == "letter" and token.text in LAWS for token in before):
            return False
        place = self.pos, bytes(self.taken), self.depth
        try:
            rest = self.product()
        except NotCheckable:  # what stands here is read for good elsewhere
            rest = s.Number("1", span=(0, 0))
        over = self.peek().text if self.at_differential() else ""
        self.pos, self.depth = place[0], place[2]
        self.taken[:] = place[1]
        self.tok = self.tokens[self.pos]
        factors = rest.factors if isinstance(rest, s.Product) else (rest,)
        return any(
            isinstance(item, s.Name) and item.base == over
            for one in factors
            if isinstance(one, s.Call)
            if isinstance(one.head, s.Name) and one.head.base in LAWS
            for item in one.groups[0]
        )

    def behind_score(self, node: s.Node) -> bool:
        r"""Whether what follows ``\nabla_\phi \log q_\phi(z)`` surely stands behind it.

        Nobody takes the logarithm of ``q_\phi(z) (f(z) - b)``, and a value ``f(z)`` that does not
        mention what the gradient is taken in may as well stand in front.
        """
        if isinstance(node, s.Function) and node.name == "log":
            node = node.argument
        if not isinstance(node, s.Call):
            return False
        if self.at("open") and self.tok.text in BRACKETS:
            inside = self.tokens[self.pos + 1 : self.tok.partner]
            depth = 0
            for token in inside:
                depth += {"open": 1, "lbrace": 1, "close": -1, "rbrace": -1}.get(token.kind, 0)
                if depth == 0 and token.kind == "op" and token.text in ("+", "-"):
                    return True
        place = self.pos, bytes(self.taken), self.depth
        rest = self.product()
        self.pos, self.depth = place[0], place[2]
        self.taken[:] = place[1]
        self.tok = self.tokens[self.pos]
        names = {spell(name) for part in self.by for name in walk(part)}
        parts = list(walk(rest))
        free = not any(isinstance(part, s.Name) and spell(part) in names for part in parts)
        return bool(names) and free and any(isinstance(part, s.Call) for part in parts)

    def by_parts(self, acting: str, node: s.Node, at: int) -> bool:
        r"""Whether the \nabla before ``at`` acts on the call there alone: it is of second order, or
        a \nabla stands behind a factor too, as in ``\nabla f(x) g(x) + f(x) \nabla g(x)``.
        """
        if acting != "gradient" or not isinstance(node, s.Call):
            return acting == "hessian" and isinstance(node, s.Call)
        side, own = [k for k, t in enumerate(self.tokens) if t.kind in ("rel", "break", "end")], at
        start = max((k for k in side if k < at), default=-1)
        stop = min(k for k in side if k > at)
        while self.tokens[own].text != "nabla":
            own -= 1
        return any(
            self.tokens[k].text == "nabla" and self.tokens[k - 1].kind in FACTORS and k != own
            for k in range(start + 2, stop)
        )

    def bracket_operand(self, word: str, question: str, hint: str) -> s.Node:
        """An operand in brackets ends with them."""
        token = self.tok
        node = self.bracketed()
        closed = self.tok
        if closed.kind in ("sup", "sub", "prime") and word not in v.TIGHT:
            inner = s.bare(node)
            if closed.kind == "sup" and constant(inner):
                node = self.attach(node, self.scripts(name=False), token.start)
                if self.starts_factor() and not self.at_differential():
                    self.refuse(question, self.tok, hint)
                return node
            self.refuse(
                f"does this script belong to {INSIDE.get(word, word)} or to its argument?",
                closed,
                f"write \\left(\\{word} …\\right)^2 or \\{word}\\left(…^2\\right)",
            )
        if closed.kind == "open" and closed.text in BRACKETS and word not in v.TIGHT:
            self.refuse(question, closed, hint)
        if isinstance(node, s.Group):
            if isinstance(node.body, s.Conditioned):
                self.refuse(f"a bar inside the brackets of {word}", node)
            return node.body
        return node

    def function(self) -> s.Node:
        """``log``, ``exp``, ``tr`` …, with power and base, and its argument."""
        token = self.take()
        name = token.text
        power = subscript = None
        while self.tok.kind in ("sup", "sub"):
            if self.tok.kind == "sup":
                if power is not None:
                    self.refuse("a second superscript")
                if name == "exp":
                    self.refuse("a power of exp", hint="write e^{…} or \\exp\\left(…\\right)")
                self.take()
                power = self.argument()
                if power == MINUS_ONE and name in INVERTED:
                    self.refuse_inverse(name, token)
            else:
                if subscript is not None:
                    self.refuse("a second subscript")
                self.take()
                items = self.script_list()
                if len(items) > 1:
                    self.refuse("two bases", items[1])
                subscript = items[0]
        if self.tok.kind in ENDS or self.tok.kind in ("comma", "end", "bar", "rel"):
            absolute = (
                self.tok.kind == "bar" and self.tok.side != "middle" and (self.tok.partner % 2 == 1)
            )
            if not absolute and power is None:
                # The function itself: "activation = tanh", "f = \log".
                self.refuse(f"{self.shown(token)} of what?", token, "write what it applies to")
        self.deeper()
        argument = self.operand(name)
        self.depth -= 1
        span = self.span(token.start)
        if name == "logdet":
            inner = s.Function("det", argument, span=span)
            return s.Function("log", inner, power, subscript, span=span)
        return s.Function(name, argument, power, subscript, span=span)

    def refuse_inverse(self, name: str, token: Token) -> None:
        r"""``\sin^{-1} x`` is the inverse function to some readers, the reciprocal to others."""
        self.refuse(
            f"is this the inverse function of {name}, or one over {name}?",
            (token.start, self.tokens[self.pos - 1].end),
            f"write \\frac{{1}}{{\\{name} x}} for one over it; the inverse is {INVERTED[name]}",
        )

    def root(self) -> s.Node:
        token = self.take()
        order = None
        if self.at("open", "["):
            self.take()
            order = self.expression()
            self.expect("close", "]", "this root's order is not closed")
        drawn = self.source[token.start] == "√" and self.at("open", "(")
        argument = s.bare(self.bracketed()) if drawn else self.argument()
        return s.Function("sqrt", argument, subscript=order, span=self.span(token.start))

    def extremum(self) -> s.Node:
        r"""``\max``, ``\arg\min`` …: of a list in brackets, or over the names below."""
        at_start = self.opening == self.pos
        token = self.take()
        name = token.text
        if name == "arg":
            if self.tok.kind != "ext":
                self.refuse("arg of what?", hint="write \\arg\\max or \\arg\\min")
            name = "arg" + self.take().text
        over: tuple[s.Node, ...] = ()
        if self.tok.kind == "sub":
            self.take()
            over = self.script_list()
        elif self.tok.kind == "sup":
            self.refuse(f"a power of {name}", hint="put brackets around the whole")
        if self.level.script and not over and self.tok.kind in ("rbrace", "comma"):
            return s.Name(name, "rm", span=(token.start, token.end))  # \sigma_{\min}
        return self.extremum_body(name, over, token, at_start)

    def extremum_body(
        self, name: str, over: tuple[s.Node, ...], token: Token, at_start: bool
    ) -> s.Node:
        self.deeper()
        opened = self.tok
        if not self.starts_factor() and opened.kind != "op" and opened.kind != "bar":
            self.refuse(f"{name} of what?", hint="write what it is taken of")
        body: s.Node
        if opened.kind == "open" and opened.text in BRACKETS and not over:
            body = self.bracketed()
            if isinstance(body, s.Group) and not isinstance(body.body, s.Conditioned):
                body = body.body
        elif at_start or name.startswith("arg"):
            body = self.sum()  # nothing else can be meant: the maximum of the whole
            only = s.bare(body)
            body = only if not isinstance(only, (s.Sequence, s.Conditioned)) else body
        else:
            minus = self.at("op", "-")  # -\min_\theta -\log p(x)
            if minus:
                self.take()
            body = self.product()
            if minus:
                body = s.Sum(((-1, body),), span=body.span)
            if isinstance(body, s.Group) and not isinstance(body.body, s.Conditioned):
                body = body.body
        self.depth -= 1
        return s.Extremum(name, over, body, span=self.span(token.start))

    def limit(self) -> s.Node:
        token = self.take()
        if self.tok.kind != "sub":
            self.refuse("the limit of what, going where?", token, "write \\lim_{n \\to \\infty}")
        self.take()
        items = self.script_list()
        where = items[0]
        if len(items) != 1 or not isinstance(where, s.Relation) or where.symbol != "->":
            self.refuse("going where?", items[0], "write \\lim_{n \\to \\infty}")
        self.deeper()
        body = self.product()
        self.depth -= 1
        return s.Limit(where.left, where.right, body, span=self.span(token.start))
