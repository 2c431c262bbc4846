"""What the lexer hands on."""

from __future__ import annotations

from dataclasses import dataclass, field

from vaedocs.derivation.errors import NotCheckable


@dataclass(slots=True)
class Token:
    """One piece of the source: ``text`` is unified (``<=``), the offsets are what was typed."""

    kind: str
    text: str
    start: int
    end: int
    style: str = ""  # of a letter: cal, bb, frak, rm; of a bar: "pair" before its twin in ||
    side: str = ""  # left, right or middle where \left, \bigr, \middle … say so
    first: bool = False  # of a row that goes on with the chain above
    partner: int = -1  # index of the matching bracket, brace or \end


@dataclass(slots=True)
class Tokens:
    """What the lexer found: the tokens, and what the display says beside its mathematics."""

    tokens: list[Token]
    hints: list[tuple[int, str]] = field(default_factory=list)  # "% by: …" with its offset
    label: str = ""


def refuse(message: str, source: str, token: Token, hint: str = "") -> NotCheckable:
    """The refusal of what stands at ``token``."""
    return NotCheckable(message, source, token.start, token.end, hint)
