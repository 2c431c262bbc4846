r"""From characters to tokens: every character of a display becomes a token or is known layout.

A token keeps its place in the source. Spellings are unified here (see ``vocabulary``); what only
places ink (``\,``, ``\displaystyle``, comments) is left out, and nothing else is: a character or
command that is not known is refused with its place.
"""

from __future__ import annotations

from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.lexer.commands import Commands
from vaedocs.derivation.lexer.tokens import Token, Tokens

__all__ = ["LONGEST", "Token", "Tokens", "lex"]

LONGEST = 50_000  # characters of one display: a row that nobody can read is not checked either


def lex(source: str, start: int = 0, end: int | None = None) -> Tokens:
    r"""Cut ``source[start:end]`` into tokens.

    Raises ``NotCheckable`` for what is too long, not closed, or not known.

    >>> [token.text for token in lex(r"\hat x \leq 2").tokens]
    ['hat', 'x', '<=', '2']
    """
    stop = len(source) if end is None else end
    if stop - start > LONGEST:
        raise NotCheckable(
            f"this display has {stop - start} characters; at most {LONGEST} are read",
            source,
            start,
            start + 1,
            "split it into several displays",
        )
    lexer = Commands(source)
    lexer.run(source, start, stop)
    if lexer.braces:
        opened = lexer.braces[-1].at
        raise NotCheckable("this brace is never closed", source, opened, opened + 1, "add }")
    return Tokens(lexer.tokens, lexer.hints, lexer.label)
