r"""Reading LaTeX: from the text of a display, or of its hypotheses, to the syntax tree.

A hand-written parser for the notation that people use for densities, expectations, divergences,
integrals, sums and matrices. It refuses what it cannot read in one way only, with the place and a
hint; it never passes over a token.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

from vaedocs.derivation import syntax as s
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.lexer import lex
from vaedocs.derivation.parser.conventions import EACH, convention
from vaedocs.derivation.parser.layout import arrange
from vaedocs.derivation.parser.phrases import (
    BESIDES,
    JOINED,
    as_spoken,
    split_statements,
    spoken_tail,
)
from vaedocs.derivation.parser.statements import Statements

__all__ = ["parse", "parse_statements"]

FENCES = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))


def parse(text: str) -> s.Display:
    r"""The syntax tree of one display.

    ``text`` is its body, with or without ``$$ … $$``, ``\[ … \]`` and environments. Relations are
    numbered from 1 in reading order (``Link.row``). Raises ``NotCheckable`` with the place and a
    hint for anything else than the language of the book.

    >>> display = parse(r"\log p(x) \geq \mathcal{L}")
    >>> display.chains[0].links[0].symbol
    '>='
    """
    start, end = body(text)
    return _guarded(text, start, end)


def parse_statements(text: str) -> list[s.Chain]:
    r"""Hypotheses: one statement a line, or ``;`` between statements outside brackets.

    A phrase in plain words (``x discrete``) is a chain whose left side is ``Words``; words behind a
    statement are its ``words``. Raises ``NotCheckable`` as ``parse`` does.

    >>> [chain.words for chain in parse_statements("A \\in S symmetric; x discrete")]
    ['symmetric', '']
    """
    out: list[s.Chain] = []
    pending = split_statements(text)[::-1]
    while pending:
        start, end = pending.pop()
        start, end = body(text, start, end)
        if each := EACH.match(text, start, end):  # said of f_i, it is said of every i
            start = each.end()
        if (said := convention(text, start, end, parse)) is not None:
            out += said
            continue
        spoken = spoken_tail(text, start, end)
        if spoken == start:
            words = s.Words(as_spoken(text[start:end]), span=(start, end))
            out.append(s.Chain(words, span=(start, end)))
            continue
        joined, besides = JOINED.match(text, spoken, end), BESIDES.match(text, spoken, end)
        if joined and spoken_tail(text, joined.end(), end) == joined.end():
            joined = None
        if joined := joined or besides:
            out.extend(_guarded(text, start, spoken).chains)
            pending.append((joined.end(), end))
            continue
        chains = list(_guarded(text, start, spoken).chains)
        if not chains:
            raise NotCheckable("an empty statement", text, start, end, "remove it")
        tail = " ".join(text[spoken:end].strip().rstrip(".").split())
        if tail:
            chains[-1] = replace(chains[-1], words=f"{chains[-1].words} {tail}".strip())
        out.extend(chains)
    return [one for chain in out for one in _drawn(chain)]


def _drawn(chain: s.Chain) -> list[s.Chain]:
    r"""``x = (a, b) \sim \mathcal{N}(\mu, \Sigma)`` says what x is, and how it is drawn."""
    if [link.symbol for link in chain.links] != ["=", "~"]:
        return [chain]
    return [replace(chain, links=(link,)) for link in chain.links]


def body(text: str, start: int = 0, end: int | None = None) -> tuple[int, int]:
    """Where the formula stands in ``text``, without blanks and fences."""
    stop = len(text) if end is None else end
    while True:
        inner = text[start:stop]
        start += len(inner) - len(inner.lstrip())
        stop = start + len(inner.strip())
        for opening, closing in FENCES:
            long_enough = stop - start >= len(opening) + len(closing)
            if (
                long_enough
                and text.startswith(opening, start)
                and text.endswith(closing, start, stop)
            ):
                start, stop = start + len(opening), stop - len(closing)
                break
        else:
            return start, stop


def _guarded(source: str, start: int, end: int) -> s.Display:
    try:
        return _display(source, start, end)
    except RecursionError:
        raise NotCheckable(
            "this formula is nested too deeply", source, start, end, "name its parts"
        ) from None


def _display(source: str, start: int, end: int) -> s.Display:
    found = lex(source, start, end)
    tokens = arrange(found.tokens, source)
    if not tokens:
        raise NotCheckable("there is no formula here", source, start, end, "write one")
    parser = Statements(tokens, source, start, end)
    chains = parser.chains()
    parser.finish()
    return s.Display(tuple(_hinted(chains, found.hints)), found.label, span=(start, end))


def _hinted(chains: list[s.Chain], hints: list[tuple[int, str]]) -> list[s.Chain]:
    """Give each ``% by: …`` to the last relation before it."""
    if not hints:
        return chains
    places = sorted(
        (link.span[0], i, j) for i, chain in enumerate(chains) for j, link in enumerate(chain.links)
    )
    found: dict[tuple[int, int], str] = {}
    for at, words in hints:
        before = bisect_left(places, (at, 0, 0))
        if before:
            _, i, j = places[before - 1]
            found[i, j] = f"{found.get((i, j), '')} {words}".strip()
    return [
        replace(
            chain,
            links=tuple(
                replace(link, hint=f"{link.hint} {found[i, j]}".strip())
                if (i, j) in found
                else link
                for j, link in enumerate(chain.links)
            ),
        )
        for i, chain in enumerate(chains)
    ]
