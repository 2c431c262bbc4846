"""Hypotheses as people write them: where one ends, and where its plain words begin."""

from __future__ import annotations

import re

from vaedocs.derivation.lexer import vocabulary as v
from vaedocs.derivation.lexer.characters import ALWAYS, DIFFERENTIALS

SHORT = v.split("""is are and of the not all for any has have iid a an or with on at be by if no
    i.i.d. i.i.d odd even pdf pmf pd psd spd""")
RUN = re.compile(r"\\(?:[A-Za-z]+|.)|i\.i\.d\.?|[A-Za-z][A-Za-z\-]*|[{}()\[\]]|.", re.DOTALL)
NAMES = frozenset(v.WORDS | set(v.FUNCTIONS) | set(v.EXTREMA) | set(v.MOMENTS) | ALWAYS) - {
    "prior", "loss", "constant", "const",
}  # fmt: skip


JOINED = re.compile(r"and\s+")
BESIDES = re.compile(  # with U orthogonal
    r"(?:with|where)\s+(?=(?:\\[A-Za-z]+|[A-Za-z](?![A-Za-z]))(?:_\w|_\{[^{}]*\})?"
    r"\s+(?:is\s+|are\s+)?[a-z]{4,})"
)
SAID = re.compile(r"\\(?:text|mathrm|textrm|mbox)\s*\{([^{}]*)\}")


def as_spoken(phrase: str) -> str:
    r"""A phrase without the LaTeX that only says that it is one."""
    return " ".join(SAID.sub(r"\1", phrase.replace("$", "")).split())


def split_statements(text: str) -> list[tuple[int, int]]:
    """The ranges of the statements in ``text``: by line, and by ``;`` outside brackets."""
    out: list[tuple[int, int]] = []
    start = depth = 0
    i = 0
    while i < len(text):
        char = text[i]
        if char == "\\":
            if text.startswith("\\{", i) or text.startswith("\\begin", i):
                depth += 1
            elif text.startswith("\\}", i) or text.startswith("\\end{", i):
                depth -= 1
            i += 2
            continue
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif (char == "\n" or char == ";") and depth <= 0:
            out.append((start, i))
            start, depth = i + 1, 0
        i += 1
    out.append((start, len(text)))
    return [(a, b) for a, b in out if text[a:b].strip() and not text[a:b].lstrip().startswith("%")]


def spoken_tail(text: str, start: int, end: int) -> int:
    """Where plain English begins in a statement: ``end`` if nowhere, ``start`` if it is all words.

    Words before any relation make the whole statement a phrase.
    """
    depth = 0
    related = False
    said = any(" " in words.group(1) for words in SAID.finditer(text, start, end))
    for piece in RUN.finditer(text, start, end):
        found = piece.group()
        if found in ("{", "(", "[", "\\{"):
            depth += 1
        elif found in ("}", ")", "]", "\\}"):
            depth -= 1
        elif depth > 0:
            continue
        elif found[0] == "\\":
            related = related or (found[1:] in v.RELATIONS)
        elif found in "=<>≤≥∈~:":
            related = True
        elif found[0].isalpha() and _english(found, text, piece.start(), piece.end(), end):
            return piece.start() if related else start
    return start if said and not related else end


def _english(word: str, text: str, at: int, after: int, end: int) -> bool:
    if word in SHORT:
        # "a" alone is a letter, unless words follow it
        if len(word) == 1:
            return bool(re.match(r"\s+[a-z]{4,}", text[after:end])) and at > 0
        return True
    longest = max(map(len, word.split("-")))  # "one-hot" is a word, y-Xw is a difference
    if len(word) < 4 or longest < 3 or word in NAMES or DIFFERENTIALS.fullmatch(word):
        return False
    return not re.match(r"\s*[(\[_^]", text[after:end])
