r"""Walking over the tokens, and what all parts of the parser share.

Every token is taken exactly once: ``take`` marks it, and ``finish`` refuses a display of which any
token was left over, so nothing that the author typed can be passed over in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from vaedocs.derivation import syntax as s
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.lexer.tokens import Token

# Tokens behind which a bracket, a cell or a statement is over.
ENDS = frozenset(("close", "rbrace", "end", "break"))
Reading = Callable[[], s.Node]
DEEPEST = 48  # expressions inside one another; nobody reads more


@dataclass(frozen=True)
class Dots(s.Node):
    r"""``\dots`` before it is known what it stands between; never left in a finished tree."""


@dataclass(slots=True)
class OpenIntegral:
    """An integral that still waits for ``needs`` differentials."""

    needs: int
    variables: list[s.Node] = field(default_factory=list)


@dataclass(slots=True)
class Level:
    """What the innermost bracket says about the tokens inside it."""

    bar: str = ""  # what a bar does between operands: "|" or "||" closes, "separates", or ""
    integrals: list[OpenIntegral] = field(default_factory=list)
    script: bool = False  # in a sub- or superscript, where ":" makes a range
    unevaluated: bool = False  # "|_{x=a}" belongs to what stands around, not to the operand


class Cursor:
    """A position in the tokens of one display."""

    def __init__(self, tokens: list[Token], source: str, start: int, end: int):
        self.tokens = [*tokens, Token("end", "the end", max(end - 1, start), max(end, start + 1))]
        self.source = source
        self.start = start
        self.pos = 0
        self.tok = self.tokens[0]
        self.taken = bytearray(len(self.tokens))
        self.depth = 0
        self.opening = -1  # where the innermost unsigned sum starts
        self.level = Level()
        self.score = -1  # where the operand of a gradient starts
        self.by: tuple[s.Node, ...] = ()  # in what that gradient is taken
        self.acting = ""  # gradient, hessian, divergence or partial

    def take(self) -> Token:
        """The current token; the cursor moves on."""
        token = self.tok
        if token.kind == "end" and self.pos == len(self.tokens) - 1:
            self.refuse("the formula ends where something should follow")
        self.taken[self.pos] += 1
        self.pos += 1
        self.tok = self.tokens[self.pos]
        return token

    def peek(self, ahead: int = 1) -> Token:
        """A token further on."""
        return self.tokens[min(self.pos + ahead, len(self.tokens) - 1)]

    def at(self, kind: str, text: str | None = None) -> bool:
        """Whether the current token is of this kind (and text)."""
        return self.tok.kind == kind and (text is None or self.tok.text == text)

    def span(self, start: int) -> s.Span:
        """From ``start`` to the end of what was taken last."""
        return start, max(self.tokens[self.pos - 1].end if self.pos else start, start)

    def refuse(
        self, message: str, at: Token | s.Node | s.Span | None = None, hint: str = ""
    ) -> NoReturn:
        """Raise ``NotCheckable`` at a token, a node or a span."""
        place = self.tok if at is None else at
        if isinstance(place, Token):
            start, end = place.start, place.end
        elif isinstance(place, s.Node):
            start, end = place.span
        else:
            start, end = place
        raise NotCheckable(message, self.source, start, end, hint)

    def expect(self, kind: str, text: str, missing: str, hint: str = "") -> Token:
        """Take a token of this kind, or say what is missing."""
        if self.tok.kind != kind or (text and self.tok.text != text):
            self.refuse(missing, hint=hint)
        return self.take()

    def shown(self, token: Token) -> str:
        """A token as its author typed it, for a message."""
        if token.kind == "end":
            return "the end of the formula"
        return self.source[token.start : token.end].strip() or token.text

    def deeper(self) -> None:
        """Count one more expression inside another."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(
                f"more than {DEEPEST} expressions inside one another",
                hint="give the inner parts names of their own",
            )

    def finish(self) -> None:
        """Refuse the display if any token was not taken exactly once."""
        for token, times in zip(self.tokens[:-1], self.taken, strict=False):
            if times != 1:
                self.refuse(f"{self.shown(token)} could not be placed", token)

    # What the modules beside this one write.
    sum: Reading
    expression: Reading
    factor: Reading
    braced: Reading
    in_braces: Reading
    bracketed: Reading
    named: Reading
    moment: Reading
    function: Reading
    command: Reading
    extremum: Reading
    environment: Reading
    starts_factor: Callable[[], bool]
    at_differential: Callable[[], bool]
    is_derivative: Callable[[], bool]
    starts_moment: Callable[[Token], bool]
    trails: Callable[[s.Node, s.Node], bool]
    samplings: Callable[[], tuple[s.Sampling, ...]]
    called: Callable[[s.Node, int], s.Node]
    evaluated: Callable[[s.Node, int], s.Node]
    without_dots: Callable[[list[s.Node]], tuple[s.Node, ...]]
    matrix_as_cases: Callable[[s.Matrix], s.Node]

    def product(self, *, dots: bool = False) -> s.Node:
        raise NotImplementedError

    def big_operator(self, name: str = "") -> s.Node:
        raise NotImplementedError
