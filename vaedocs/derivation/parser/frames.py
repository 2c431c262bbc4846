r"""Brackets that must close, and frames that carry no meaning: environments, boxes, colours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vaedocs.derivation.lexer import vocabulary as v
from vaedocs.derivation.lexer.tokens import Token, refuse
from vaedocs.derivation.parser.phrases import as_spoken

DEEPEST = 200  # brackets and braces inside one another
ARITY = {
    "frac": 2, "binom": 2, "sqrt": 1, "overset": 2, "underset": 2, "underbrace": 1, "overbrace": 1,
    "boxed": 1, "coloured": 1, "substack": 1,
}  # fmt: skip
SHOWN = {"{": "\\{", "<": "\\langle", ">": "\\rangle", ".": "\\left.", "||": "\\|", "}": "\\}"}
PAIRS = {"{": "}", "<": ">", "(": ")", "[": "]"}
# Braces around one of these change nothing: {x}, {=}, {\\sum}.
SOLE = frozenset(("op", "text", "letter", "word", "func", "ext", "cmd", "prime", "comma", "rel"))


EDGES = frozenset(("open", "close", "comma", "semicolon", "bar"))
ENDS = frozenset(("newline", "end", "amp", "period"))
AFTER_REASON = ENDS | {"comma", "rel"}
SUMMED = frozenset(("op", "rel"))  # before these a constant is a term
WIDE = re.compile(r"\s*(?:(?:\\[; ]|~|\\enspace|\\,\s*\\,)\s*)+")
STOPS = frozenset(("comma", "semicolon", "period"))


@dataclass(slots=True)
class _Frame:
    token: Token
    kind: str  # "bracket", "brace", "argument", "boxed", "coloured", "display", "matrix"
    at: int = 0  # the place of a bracket among the tokens
    pending: int = 0  # arguments that the command before this frame still takes
    rows: bool = False  # holds a relation, a row break or an alignment mark
    size: int = 0
    sole: str = ""  # kind of the only token inside
    matrix: bool = False  # holds a matrix or array


def unwrap(tokens: list[Token], source: str) -> list[Token]:
    """Check that all brackets close, and take away what is only a frame."""
    stack: list[_Frame] = []
    pending = 0  # arguments still expected at this level
    wrap = ""  # the wrapper whose argument comes next
    for i, token in enumerate(tokens):
        kind = token.kind
        if stack and kind != "rbrace":
            top = stack[-1]
            top.size += 1
            top.sole = kind
            if kind in ("rel", "newline", "amp"):
                top.rows = True
        if kind == "lbrace":
            name = wrap if wrap and pending else "argument" if pending else "brace"
            stack.append(_Frame(token, name, i, max(pending - 1, 0)))
            pending, wrap = 0, ""
        elif kind == "rbrace":
            frame = stack.pop() if stack else None
            if frame is None or frame.kind == "bracket":
                at = frame.token if frame else token
                raise refuse(
                    f"{_shown(at)} is not closed inside these braces", source, at, "close it first"
                )
            if frame.kind in ("display", "matrix"):
                raise refuse(f"\\begin{{{frame.token.text}}} is never ended", source, frame.token)
            pending = frame.pending
            scripted = i + 1 < len(tokens) and tokens[i + 1].kind in ("sup", "sub")
            stopped = frame.size > 1 and tokens[i - 1].kind in STOPS
            if stopped and frame.kind != "argument" and not scripted:
                tokens[i - 1 : i + 1] = token, tokens[i - 1]  # \\boxed{a + b.}: it ends the row
            opened = frame.at
            if not frame.size and opened and tokens[opened - 1].kind in ("sup", "sub"):
                tokens[opened - 1].kind = frame.token.kind = token.kind = "drop"  # \sum_k^{ }
                continue
            # {=} is a sign; braces around whole rows are a frame; {} prints nothing.
            framing = frame.rows or frame.size == 0 or (frame.size == 1 and frame.sole in SOLE)
            if frame.kind == "coloured" and not scripted:
                framing = True
            beside = (tokens[opened - 1].kind, tokens[min(i + 1, len(tokens) - 1)].kind)
            framing = framing or (beside[0] in EDGES and beside[1] in EDGES)  # p({x, z})
            framing = framing or _is_operator(tokens[opened + 1 : i])
            inside = tokens[opened + 1 : i]
            framing = framing or [t.text for t in inside[:-1]] == ["d"]  # {dx}
            framing = framing or (not scripted and _is_signed(tokens, opened, i))
            if frame.kind != "argument" and framing:
                if stack and frame.rows:
                    stack[-1].rows = True
                frame.token.kind = token.kind = "drop"
        elif kind == "open":
            stack.append(_Frame(token, "bracket", i, pending))
            pending = 0
        elif kind == "close":
            bar = bool(stack) and (stack[-1].token.text, token.text) == (".", "|")
            if bar and i + 1 < len(tokens) and tokens[i + 1].kind in ("letter", "word", "accent"):
                stack.pop().token.kind = "drop"  # \left. f \right| x is f | x
                token.kind, token.side = "bar", "middle"
                continue
            if _is_note(tokens, i, source):
                stack.pop()
                tokens[i - 2].kind = token.kind = "drop"
                if tokens[i - 1].text == "const" and tokens[max(i - 4, 0)].kind not in SUMMED:
                    tokens[i - 1].text = "(constant)"  # a remark, and no term
                continue
            if stack and _is_reason(tokens, i, stack[-1].at):
                _say(tokens, stack.pop().at, i, source)
                continue
            pending = _close(stack, token, source)
        elif kind == "begin":
            # An array that stands by itself is a frame like aligned; in brackets it is a matrix.
            free = token.text == "array" and not (stack and stack[-1].kind == "bracket")
            matrix = (token.text in v.MATRICES or token.text in v.CASES) and not free
            if stack:
                stack[-1].matrix = matrix
            stack.append(_Frame(token, "matrix" if matrix else "display"))
            pending = 0
        elif kind == "end":
            frame = stack.pop() if stack else None
            if frame is None or frame.kind not in ("display", "matrix"):
                at = frame.token if frame else token
                raise refuse(f"{_shown(at)} is not closed here", source, at, "close it first")
            if frame.token.text != token.text:
                raise refuse(
                    f"\\end{{{token.text}}} ends \\begin{{{frame.token.text}}}", source, token
                )
            if frame.kind == "display":
                if stack and frame.rows:
                    stack[-1].rows = True
                frame.token.kind = token.kind = "drop"
        elif kind == "cmd":
            pending = max(pending - 1, 0) + ARITY.get(token.text, 0)
            if token.text in ("boxed", "coloured"):
                wrap = token.text
                token.kind = "drop"
        elif kind in ("sup", "sub", "accent"):
            pending = max(pending - (kind == "accent"), 0) + 1
        elif pending:
            pending -= 1
        if len(stack) > DEEPEST:
            raise refuse(
                f"more than {DEEPEST} brackets inside one another", source, token, "name the parts"
            )
    if stack:
        frame = stack[-1]
        raise refuse(f"{_shown(frame.token)} is never closed", source, frame.token, "close it")
    return [token for token in tokens if token.kind != "drop"]


def _is_note(tokens: list[Token], i: int, source: str) -> bool:
    r"""Whether a bracket closes a reason at the end of a row, ``\quad (\text{Jensen})``."""
    last = i + 1 == len(tokens) or tokens[i + 1].kind in ENDS
    if not last or i < 3 or [token.kind for token in tokens[i - 2 : i]] != ["open", "text"]:
        return False
    before = tokens[i - 3]
    wide = WIDE.fullmatch(source[before.end : tokens[i - 2].start]) is not None
    return before.kind in ("quad", "amp") or (wide and before.kind not in SUMMED)


def _is_reason(tokens: list[Token], i: int, at: int) -> bool:
    r"""Whether the bracket from ``at`` to ``i`` justifies a row, ``(\because b = 1 - a)``."""
    first = tokens[at + 1]
    if first.kind != "text" or tokens[at].kind != "open" or not (i > at + 2 or " " in first.text):
        return False
    ends = i + 1 == len(tokens) or tokens[i + 1].kind in AFTER_REASON
    return ends and first.text.strip(" ,.;:").lower().split(" ")[0] in v.REASONS


def _say(tokens: list[Token], at: int, i: int, source: str) -> None:
    """Make one remark of the bracket from ``at`` to ``i``."""
    opened = tokens[at]
    for token in tokens[at + 1 : i + 1]:
        token.kind = "drop"
    opened.kind, opened.text = "text", as_spoken(source[opened.start : tokens[i].end])
    opened.end = tokens[i].end


def _is_signed(tokens: list[Token], at: int, i: int) -> bool:
    r"""``a {\color{red}{+ b}}``, which is printed a + b; ``\sum_i {-a + b}`` may mean another."""
    first = next((t for t in tokens[at + 1 : i] if t.kind not in ("lbrace", "drop")), None)
    while at > 0 and tokens[at].kind in ("lbrace", "drop"):
        at -= 1
    scripted = tokens[at - 1].kind in ("sub", "sup")
    return (
        tokens[at].kind in ("letter", "word", "number", "close")
        and not scripted
        and first is not None
        and (first.kind, first.text) in (("op", "+"), ("op", "-"))
    )


def _is_operator(tokens: list[Token]) -> bool:
    r"""``\mathbb{E}_{q}``, the operator alone: in braces it acts on what stands behind them."""
    if len(tokens) < 3 or tokens[0].text not in v.MOMENTS or tokens[1].kind != "sub":
        return False
    depth = 0
    for place, token in enumerate(tokens[2:], 2):
        depth += {"lbrace": 1, "rbrace": -1}.get(token.kind, 0)
        if depth == 0:
            return place == len(tokens) - 1
    return False


def _shown(token: Token) -> str:
    if token.kind == "begin":
        return f"\\begin{{{token.text}}}"
    return SHOWN.get(token.text, token.text)


def _close(stack: list[_Frame], token: Token, source: str) -> int:
    """Match a closing bracket; returns the arguments expected behind it."""
    while True:
        frame = stack[-1] if stack else None
        if frame is None or frame.kind != "bracket":
            if token.text == ".":
                raise refuse("\\right. closes nothing", source, token, "remove it")
            raise refuse(f"{_shown(token)} closes nothing", source, token, "open it or remove it")
        opened, closed = frame.token.text, token.text
        if opened == "." and closed == ".":
            frame.token.kind = token.kind = "drop"
        elif closed == ".":
            if opened == "{" and frame.matrix:  # \left\{ \begin{array} … \right.
                pass
            elif opened == "{" and frame.rows:  # a brace before several statements
                frame.token.kind = token.kind = "drop"
                if len(stack) > 1:
                    stack[-2].rows = True
            else:  # the bracket goes on in the next row, behind \left.
                token.kind = "drop"
                return 0
        elif opened == ".":
            if closed == "|":
                pass  # \left. f \right|_{x = a}
            else:
                frame.token.kind = "drop"
                stack.pop()
                if stack:
                    stack[-1].rows = stack[-1].rows or frame.rows
                continue
        elif opened == "||" and closed in (")", "]", "}"):  # KL(q \lVert p)
            frame.token.kind = "bar"
            stack.pop()
            continue
        elif PAIRS.get(opened, opened) != closed and not (opened in "([" and closed in ")]"):
            raise refuse(
                f"{_shown(frame.token)} is closed by {_shown(token)}",
                source,
                token,
                "close brackets in the order in which they were opened",
            )
        stack.pop()
        return frame.pending
