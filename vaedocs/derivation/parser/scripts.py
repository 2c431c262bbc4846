r"""Sub- and superscripts, and accents."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.lexer.tokens import Token
from vaedocs.derivation.parser.cursor import ENDS, Level
from vaedocs.derivation.parser.lists import Lists

SQUARE = s.Number("2", span=(0, 0))


@dataclass(slots=True)
class Script:
    """What stands above and below a symbol, sorted by what it means."""

    subscripts: tuple[s.Node, ...] = ()
    indices: tuple[s.Node, ...] = ()
    primes: int = 0
    starred: bool = False
    transposed: str = ""  # "T" or "-T"
    power: s.Node | None = None
    above: bool = False


class Scripts(Lists):
    """Everything that hangs on a symbol."""

    def scripts(self, *, name: bool) -> Script:
        """All scripts behind a symbol; for a ``name``, a bracketed superscript is an index."""
        script = Script()
        below = False
        while True:
            kind = self.tok.kind
            if kind == "sub":
                if below:
                    self.refuse("a second subscript", hint="put both into one pair of braces")
                below = True
                self.take()
                script.subscripts = self.script_list()
            elif kind == "prime":
                self.take()
                script.primes += 1
            elif kind == "sup":
                if script.above:
                    self.refuse("a second superscript", hint="put brackets around the first power")
                script.above = True
                self.take()
                self.superscript(script, name)
            else:
                return script

    def script_list(self) -> tuple[s.Node, ...]:
        """The comma-separated parts of a subscript."""
        if not self.at("lbrace"):
            return (self.single(),)
        if sign := self.only_signs():
            return (sign,)
        outer, self.level = self.level, Level(bar="separates", script=True)
        opening = self.take()
        if self.at("rbrace"):
            self.refuse("an empty subscript", opening, "remove it")
        groups, separators = self.lists()
        self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand in a subscript")
        self.level = outer
        if not separators:
            return tuple(map(self.worded, groups[0]))
        if all(mark == ";" for mark in separators):
            return tuple(item for group in groups for item in group)
        if separators == ("|",):
            items, conditions = groups
            span = (items[0].span[0], conditions[-1].span[1])
            return (s.Conditioned(items, conditions, span=span),)
        self.refuse("two bars in one subscript", opening, "one bar separates what is given")

    def worded(self, node: s.Node) -> s.Node:
        r"""The word of ``p_{data}``, which is no product of letters; ``A_{ijk}`` has indices."""
        text = self.source[slice(*node.span)]
        if not isinstance(node, s.Product) or not text.isalpha() or not text.islower():
            return node
        word = len(text) > 2 and set(text) & set("aeo") and not set(text) <= set("ijklmnostuvwxyz")
        return s.Name(text, "rm", span=node.span) if word else node

    def only_signs(self) -> s.Name | None:
        r"""``{+}`` or ``{++}`` of ``\mathbb{R}_{+}``, ``{**}`` or ``{*f}`` of a kernel, ``K_{*f}``:
        taken; else None.
        """
        inside = self.tokens[self.pos + 1 : self.tok.partner]
        typed = ["*" if t.text == "star" else self.source[t.start : t.end] for t in inside]
        letters = {t for t in typed if "*" in typed and t.isalpha() and len(t) == 1}
        if not 0 < len(inside) < 3 or not {*typed} <= {"+", "-", "*"} | letters:
            return None
        start = self.take().start
        for _ in inside:
            self.take()
        self.take()
        return s.Name("".join(typed), span=self.span(start))

    def single(self) -> s.Node:
        """A script without braces: TeX takes one symbol."""
        token = self.tok
        kind = token.kind
        if kind in ("letter", "word", "func", "ext", "text"):
            self.take()
            style = token.style or ("rm" if kind != "letter" else "")
            return s.Name(token.text, style, span=(token.start, token.end))
        if kind == "number":
            self.take()
            return s.Number(token.text, span=(token.start, token.end))
        if kind == "op" and token.text in ("dot", "circ", "+", "-"):
            self.take()
            base = "*" if token.text == "dot" else token.text
            if self.source[token.start : token.end] == "\\cdot":
                base = "cdot"
            return s.Name(base, span=(token.start, token.end))
        if kind == "cmd" and token.text in ("infty", "star", "top"):
            self.take()
            if token.text == "infty":
                return s.Number("oo", span=(token.start, token.end))
            base = "*" if token.text == "star" else token.text
            return s.Name(base, span=(token.start, token.end))
        if kind == "accent":
            return self.accented(scripted=False)
        if kind == "cmd" and token.text == "frac":
            return self.factor()
        if kind in ENDS or kind == "end":
            self.refuse("an empty sub- or superscript", self.tokens[self.pos - 1], "remove it")
        before = self.tokens[self.pos - 1]
        if before.kind == "cmd" or before.text == "rbrace" or before.kind == "rbrace":
            self.refuse(f"{self.shown(token)} cannot stand here", token, "an argument is missing")
        self.refuse(
            f"{self.shown(token)} cannot be a sub- or superscript", hint="put it into braces"
        )

    def superscript(self, script: Script, name: bool) -> None:
        """Read what stands behind ``^`` into ``script``."""
        if self.special(script):
            return
        sign = self.only_signs() if self.at("lbrace") and name else None
        if sign or (name and self.tok.kind == "op" and self.tok.text in ("+", "-")):
            script.indices = (sign or self.single(),)
            return
        if not self.at("lbrace"):
            node = self.single()
            if name and isinstance(node, s.Name) and node.style == "rm" and len(node.base) > 1:
                script.indices = (node,)
            else:
                script.power = node
            return
        opening = self.take()
        outer, self.level = self.level, Level(bar="separates", script=True)
        inside = self.peek(0)
        closing = self.tokens[opening.partner]
        whole = inside.kind == "open" and inside.partner == opening.partner - 1
        if name and whole and inside.text in ("(", "["):
            self.take()
            groups, separators = self.lists()
            if separators:
                self.refuse("a bar or semicolon in an index", opening)
            self.expect("close", "", "this index is not closed")
            script.indices = groups[0]
        elif name and inside.kind == "number" and self.is_index_behind(self.peek(1)):
            script.power = self.single()  # \sigma^{2(i)}
            self.take()
            script.indices = (self.item(),)
            self.expect("close", "", "this index is not closed")
        elif name and inside.kind == "open" and inside.text == "(" and self.is_short_index(inside):
            self.take()  # \\mu^{(i)2}
            script.indices = (self.item(),)
            self.expect("close", "", "this index is not closed")
            if self.at("number"):
                script.power = self.single()
            else:
                script.transposed = "T"
                self.take()
        else:
            if self.at("rbrace"):
                self.refuse("an empty superscript", opening, "remove it")
            groups, separators = self.lists()
            items = groups[0]
            word = (
                isinstance(items[0], s.Name) and items[0].style == "rm" and len(items[0].base) > 1
            )
            listed = len(items) > 1 or isinstance(items[0], s.Range)
            if separators or (listed and not name):
                self.refuse("a list cannot be an exponent", (opening.start, closing.end))
            if listed or (word and name):
                script.indices = items
            else:
                script.power = items[0]
        self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand in a superscript")
        self.level = outer

    def is_index_behind(self, opening: Token) -> bool:
        """``(i)`` up to the end of the superscript."""
        return (
            opening.kind == "open"
            and opening.text == "("
            and opening.partner == self.pos + 3
            and self.tokens[opening.partner + 1].kind == "rbrace"
        )

    def is_short_index(self, opening: Token) -> bool:
        r"""``(i)`` and then only a number or ``\\top``: an index and a power or transpose."""
        close = opening.partner
        last = self.tokens[close + 1]
        return (
            close == self.pos + 2
            and self.tokens[close + 2].kind == "rbrace"
            and (last.kind == "number" or last.text == "top" or last.text == "T")
        )

    def special(self, script: Script) -> bool:
        """Read a transpose, a star or primes into ``script``; False if none stands here."""
        found = self.special_superscript()
        if found in ("T", "-T"):
            script.transposed = found
        elif found == "*":
            script.starred = True
        else:
            script.primes += len(found)
        return bool(found)

    def special_superscript(self) -> str:
        """``T``, ``-T``, ``*`` or primes, taken; else an empty string."""
        braced = self.at("lbrace")
        first = self.pos + braced
        last = self.tok.partner if braced else self.pos + 1
        inside = self.tokens[first:last]
        if not inside or len(inside) > 3:
            return ""
        what = ""
        minus = inside[0].kind == "op" and inside[0].text == "-" and len(inside) == 2
        sole = inside[-1] if len(inside) == 1 or minus else None
        if sole is not None:
            if (sole.kind == "cmd" and sole.text == "top") or (
                sole.kind == "letter" and sole.text == "T"
            ):
                what = "-T" if minus else "T"
            elif not minus and (
                (sole.kind == "cmd" and sole.text in ("star", "bullet"))
                or (sole.kind == "op" and sole.text == "dot")
            ):
                what = "*"
        if not what and all(t.kind == "prime" or t.text == "prime" for t in inside):
            what = "'" * len(inside)
        if what:
            for _ in range(last - self.pos + braced):
                self.take()
        return what

    # ------------------------------------------------------------------ attaching
    def attach(self, node: s.Node, script: Script, start: int) -> s.Node:
        """``node`` with its scripts; a name takes most of them into itself."""
        span = self.span(start)
        if isinstance(node, s.Name):
            if script.subscripts and node.subscripts:
                self.refuse("a second subscript", span, "put both into one pair of braces")
            if script.indices and node.indices:
                self.refuse("a second index above", span, "put both into one pair of brackets")
            node = s.Name(
                node.base,
                node.style,
                node.accents,
                node.primes + script.primes,
                node.starred or script.starred,
                node.subscripts or script.subscripts,
                node.indices or script.indices,
                span=span,
            )
        else:
            bracketed = isinstance(node, s.Group) and node.bracket == "["
            if bracketed and script.subscripts and script.power not in (None, SQUARE):
                self.refuse(
                    "limits behind a bracket", span, "write the difference of the two values"
                )
            listed = isinstance(node, s.Group) and node.bracket == "{"
            if (
                listed
                and script.power
                and any(isinstance(part, s.Relation) for part in script.subscripts)
            ):  # \{x_i\}_{i=1}^{N}: from where to where
                script.subscripts = (*script.subscripts, script.power)
                script.power = None
            if script.subscripts:
                node = s.Component(node, script.subscripts, span=span)
            if script.primes:
                self.refuse(
                    "a prime behind something that is no name", span, "write f'(x), or a derivative"
                )
            if script.starred:
                self.refuse("a star behind something that is no name", span, "give it a name")
            if script.indices:
                script.power = (
                    script.indices[0]
                    if len(script.indices) == 1
                    else self.refuse("a list cannot be an exponent", span)
                )
        if script.transposed:
            lettered = self.source[slice(*span)].rstrip(" }").endswith(("^T", "{T", " T"))
            node = s.Transpose(node, script.transposed == "-T", lettered, span=span)
        if script.power is not None:
            node = s.Power(node, script.power, span=span)
        return node

    def accented(self, *, scripted: bool = True) -> s.Node:
        r"""``\hat{x}``, ``\tilde{\mathcal{L}}_1``: the accent belongs to the name."""
        token = self.take()
        self.deeper()
        if self.at("lbrace"):
            opening = self.take()
            outer, self.level = self.level, Level()
            node = self.expression()
            self.level = outer
            self.expect("rbrace", "", f"{self.shown(self.tok)} cannot stand below an accent")
        elif self.at("accent"):
            opening, node = self.tok, self.accented(scripted=False)
        else:
            opening, node = self.tok, self.single()
        self.depth -= 1
        if isinstance(node, s.Power) and isinstance(node.base, s.Name):
            self.refuse("an accent over a power", opening, "write \\hat{x}^2")
        if isinstance(node, s.Number) and len(node.text) == 1:
            node = s.Name(node.text, span=node.span)
        if (
            token.text == "bar"
            and isinstance(node, s.Product)
            and {"cup", "cap"} & {*node.operators}
        ):
            return s.Function("not", node, span=self.span(token.start))
        if not isinstance(node, s.Name):
            self.refuse(
                f"{self.shown(token)} over something that is no name",
                opening,
                "give the quantity a name, and define it",
            )
        name = replace(node, accents=(token.text, *node.accents), span=self.span(token.start))
        return self.attach(name, self.scripts(name=True), token.start) if scripted else name
