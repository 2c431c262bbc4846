"""Characters to tokens: spellings become one, places are kept, the unknown is refused."""

from __future__ import annotations

import pytest

from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.lexer import LONGEST, lex


def short(source: str) -> str:
    return " ".join(f"{token.kind}:{token.text}" for token in lex(source).tokens)


TABLE = [
    (r"x \leq 2.5", "letter:x rel:<= number:2.5"),
    ("x <= 2", "letter:x rel:<= number:2"),
    (r"\mathbf{x}", "letter:x"),
    (r"\mathbf x y", "letter:x letter:y"),
    (r"\boldsymbol\mu", "letter:mu"),
    (r"\mathrm{KL}", "word:KL"),
    (r"\operatorname*{arg\,max}", "ext:argmax"),
    (r"\mathrm{d}z", "letter:d letter:z"),
    ("dzdx", "letter:d letter:z letter:d letter:x"),
    ("p(x)dx", "letter:p open:( letter:x close:) letter:d letter:x"),
    ("loss", "word:loss"),
    ("xyz", "letter:x letter:y letter:z"),
    ("log p", "func:log letter:p"),
    ("logp", "func:log letter:p"),
    ("p_{data}", "letter:p sub:_ lbrace:{ word:data rbrace:}"),
    ("x_{ij}", "letter:x sub:_ lbrace:{ letter:i letter:j rbrace:}"),
    ("x_12", "letter:x sub:_ number:1 number:2"),
    (r"\frac12", "cmd:frac number:1 number:2"),
    (r"\left( a \right)", "open:( letter:a close:)"),
    (r"q\|p", "letter:q bar:|| letter:p"),
    ("q||p", "letter:q bar:| bar:| letter:p"),
    (r"\text{ELBO}", "word:ELBO"),
    (r"\text{by Bayes}", "text:by Bayes"),
    (r"\text{const.}", "text:const"),
    (r"a \, b \; c \! d", "letter:a letter:b letter:c letter:d"),
    ("a % by: Bayes", "letter:a"),
    (r"a \\[4pt] b", "letter:a newline:\\ letter:b"),
    ("μ² ≤ ∫", "letter:mu sup:^ lbrace:{ number:2 rbrace:} rel:<= cmd:int"),
    (r"\R^N", "letter:R sup:^ letter:N"),
    (r"\begin{array}{rcl} a \end{array}", "begin:array letter:a end:array"),
    (r"a \not= b", "letter:a rel:!= letter:b"),
    (r"\phantom{xyz} a \label{eq:1}", "letter:a"),
]


@pytest.mark.parametrize(("source", "expected"), TABLE)
def test_tokens(source: str, expected: str) -> None:
    assert short(source) == expected


def test_tokens_keep_their_places() -> None:
    source = r"\hat{x} \geq \mathbf{y}"
    assert [source[token.start : token.end] for token in lex(source).tokens] == [
        r"\hat", "{", "x", "}", r"\geq", r"\mathbf{y}",
    ]  # fmt: skip


def test_part_of_a_text_keeps_the_places_of_the_whole() -> None:
    source = "ab cd ef"
    assert [(token.start, token.end) for token in lex(source, 3, 5).tokens] == [(3, 4), (4, 5)]


def test_hint_and_label() -> None:
    found = lex("\\label{eq:a} a = b % by: product rule\n")
    assert found.label == "eq:a"
    assert [words for _, words in found.hints] == ["product rule"]


def test_shorthands_are_those_of_the_pages() -> None:
    assert short(r"\KL{q}{p}") == short(r"D_{\mathrm{KL}}\left(q \,\|\, p\right)")


REFUSED = [
    ("a @ b", "the character '@' is not part of the language", 2),
    (r"\unknown x", r"\unknown is not part of the language", 0),
    ("{a", "this brace is never closed", 0),
    ("a}", "this brace closes nothing", 1),
    (r"\left x", r"\leftx is no bracket", 0),
    ("a $ b", "a dollar sign inside a display", 2),
    ("1e-5", "is 1e-5 a power of ten?", 0),
    (
        "x" * (LONGEST + 1),
        f"this display has {LONGEST + 1} characters; at most {LONGEST} are read",
        0,
    ),
    ("a \\", "a backslash with nothing behind it", 2),
]


@pytest.mark.parametrize(("source", "message", "start"), REFUSED, ids=lambda value: str(value)[:20])
def test_refuses(source: str, message: str, start: int) -> None:
    with pytest.raises(NotCheckable) as caught:
        lex(source)
    assert caught.value.message == message
    assert caught.value.start == start
    assert caught.value.hint
