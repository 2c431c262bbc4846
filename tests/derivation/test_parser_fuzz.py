"""Whatever stands in a display, the answer is a tree or one clear refusal; no token is dropped."""
# ruff: noqa: PT017 - most inputs may go either way, so there is nothing that must raise

from __future__ import annotations

import random
import re
import time

import parser_table
import pytest
from brief_tree import tree
from hypothesis import given, settings
from hypothesis import strategies as st

from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.parser import parse, parse_statements

REAL = [latex for latex, _ in parser_table.everything()]
PIECES = re.compile(r"\\(?:[A-Za-z]+|.)|\d+|[A-Za-z]|\s+|.", re.DOTALL)
SOUP = sorted({piece for latex in REAL for piece in PIECES.findall(latex)})


def outcome(text: str) -> str:
    """The short form of the tree, or the refusal; anything else raised fails the test."""
    try:
        return tree(parse(text))
    except NotCheckable as refusal:
        assert refusal.message, text
        assert 0 <= refusal.start < refusal.end, text
        assert refusal.start <= len(text), text
        assert refusal.line >= 1, text
        assert refusal.column >= 1, text
        assert "^" in refusal.excerpt(), text
        return "refused"


def mangled(latex: str, chance: random.Random) -> str:
    """Real LaTeX with a few of its tokens cut, swapped, doubled, replaced, or its end missing."""
    pieces = PIECES.findall(latex)
    for _ in range(chance.randint(1, 3)):
        if not pieces:
            break
        i, j = chance.randrange(len(pieces)), chance.randrange(len(pieces))
        change = chance.randrange(5)
        if change == 0:
            pieces = pieces[: max(i, 1)]
        elif change == 1:
            pieces[i], pieces[j] = pieces[j], pieces[i]
        elif change == 2:
            del pieces[i]
        elif change == 3:
            pieces.insert(i, pieces[j])
        else:
            pieces[i] = chance.choice(SOUP)
    return "".join(pieces)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_arbitrary_text(text: str) -> None:
    outcome(text)


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(SOUP), max_size=40))
def test_soup_of_latex_tokens(pieces: list[str]) -> None:
    outcome("".join(pieces))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(SOUP), max_size=30).map("".join)))
def test_arbitrary_statements(text: str) -> None:
    try:
        for chain in parse_statements(text):
            tree(chain)
    except NotCheckable as refusal:
        assert refusal.message


def test_real_latex_cut_and_swapped() -> None:
    chance = random.Random(7)
    for _ in range(1500):
        outcome(mangled(chance.choice(REAL), chance))


@pytest.mark.slow
def test_fifty_thousand_inputs() -> None:
    chance = random.Random(50_000)
    for i in range(50_000):
        if i % 3:
            outcome(mangled(chance.choice(REAL), chance))
        else:
            outcome("".join(chance.choices(SOUP, k=chance.randint(1, 40))))


# ------------------------------------------------------------------------- nothing dropped
# Pieces without which a display may read the same: blanks, sizes of brackets, fonts that only make
# bold, alignment, punctuation at the end of a statement, words that lead on.
SILENT = re.compile(
    r"""\s+ | \\[,;:!>\s/] | \\(?:left|right|middle|[bB]igg?[lrm]?|quad|qquad|displaystyle
    |scriptstyle
    |limits
    |nolimits|notag|nonumber|mathop|mathrel|mathbin|operatorname|bm|boldsymbol|mathbf|vec|mathit
    |bf|it|boxed|color|textcolor|hspace|label|tag|text|mathrm|textsc|mathsf|rm|aligned|vert|mid
    |mathcal|mathscr|mathbb|E|dots|ldots|cdots|cal|le|leq|leqslant|ge|geq|lVert|rVert
    |lvert|rvert|tfrac|dfrac) |
    \\\\ | [{}&,.;*%()\[\]~] | \\begin | \\end""",
    re.VERBOSE,
)
FRAMED = re.compile(
    r"\\(?:begin|end|label|tag|color|textcolor|hspace)\s*\{[^{}]*\}(?:\{[rcl|]+\})?"
    r"|\\\\\[[^\]]*\]|%[^\n]*"
)


def significant(latex: str) -> list[tuple[int, int]]:
    """Where the letters, digits, signs and commands stand that must each leave a trace."""
    framed = [m.span() for m in FRAMED.finditer(latex)]
    return [
        piece.span()
        for piece in PIECES.finditer(latex)
        if not SILENT.fullmatch(piece.group())
        and not any(a <= piece.start() < b for a, b in framed)
    ]


def test_every_token_leaves_a_trace() -> None:
    """Leaving out any letter, number, sign or command changes the tree, or is refused."""
    traceless = []
    for latex in REAL:
        whole = outcome(latex)
        for start, end in significant(latex):
            without = latex[:start] + " " + latex[end:]
            if outcome(without) == whole:
                traceless.append((latex[start:end], latex))
    unexplained = [pair for pair in traceless if pair not in parser_table.REDUNDANT]
    assert not unexplained


def test_every_letter_is_in_the_tree() -> None:
    """Another letter in place of a letter gives another tree."""
    traceless = []
    for latex in REAL:
        whole = outcome(latex)
        framed = [m.span() for m in FRAMED.finditer(latex)]
        for match in re.finditer(r"(?<![\\A-Za-z])[a-zA-Z](?![A-Za-z])", latex):
            if any(a <= match.start() < b for a, b in framed):
                continue
            other = "Y" if match.group() != "Y" else "W"
            changed = latex[: match.start()] + other + latex[match.end() :]
            if outcome(changed) == whole:
                traceless.append((match.group(), latex))
    assert not traceless


# ----------------------------------------------------------------------------- hostile input
HOSTILE = {
    "a megabyte of braces": "{" * 1_000_000,
    "braces": "{" * 20_000 + "}" * 20_000,
    "a hundred fractions": r"\frac{1}{" * 100 + "1" + "}" * 100,
    "a tower": "10^{10^{10}}",
    "brackets": "(" * 100 + "x" + ")" * 100,
    "terms": "+".join(["x"] * 20_000),
    "a list": "x," * 20_000 + "x",
    "bars": "|" * 40_000,
    "absolute values": "|a|+" * 10_000 + "a",
    "integrals": r"\int a + " * 5_000 + "a",
    "sums": r"\sum " * 9_000,
    "logarithms": r"\log " * 9_000,
    "equalities": "a=" * 20_000 + "a",
    "spaces": r"a=b \quad " * 5_000 + "c=d",
    "rows": r"a&=b\\" * 8_000,
    "underbraces": r"\underbrace{" * 200 + "a" + "}_{b}" * 200,
    "primes": "x" + "'" * 40_000,
    "accents": r"\hat" * 10_000 + " x",
    "differentials": r"\int " + "dx" * 20_000,
    "hints": "a=b % by: x\n=c" * 3_000,
    "macros": r"\KL{" * 300 + "q" + "}{p}" * 300,
    "openings": r"\left(" * 8_000,
    "alignment": "&" * 49_000,
    "subscripts": "x_" * 20_000,
    "texts": r"\text{a} " * 5_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_ends_soon(name: str) -> None:
    started = time.process_time()
    outcome_or_tree(HOSTILE[name])
    assert time.process_time() - started < 3.0


def outcome_or_tree(text: str) -> None:
    try:
        parse(text)
    except NotCheckable as refusal:
        assert refusal.message


def test_no_input_reaches_the_recursion_limit() -> None:
    """The depth is counted: a refusal says where, and does not depend on the caller's stack."""
    deepest = 0
    for depth in range(1, 200, 7):
        for opening, closing in [("(", ")"), (r"\frac{1}{", "}"), (r"\log\left(", r"\right)")]:
            try:
                parse(opening * depth + "x" + closing * depth)
                deepest = max(deepest, depth)
            except NotCheckable as refusal:
                assert "inside one another" in refusal.message
    assert deepest >= 15
