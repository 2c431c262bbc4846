r"""Characters, letters and numbers as tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import decomposition, name, normalize

from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.letters import INDEX_LETTERS
from vaedocs.derivation.lexer import vocabulary as v
from vaedocs.derivation.lexer.tokens import Token

PIECE = re.compile(
    r"""(?P<space>[\s~]+) | (?P<comment>%[^\n]*) | (?P<command>\\(?:[A-Za-z]+|.)) |
    (?P<number>\d{1,3}(?:\{,\}\d{3})+(?:\.\d+)?|\d+(?:\.\d+|\.(?=\s*[-+*/]))?|\.\d+) |
    (?P<letters>[A-Za-z]+) |
    (?P<relation>:\s*&?\s*=|=\s*:|<=|>=) | (?P<dots>\.\.\.) | (?P<char>.)""",
    re.VERBOSE | re.DOTALL,
)
TEN = re.compile(r"[eE][+-]?\d+")
SPACING = re.compile(r"\\[,;:!>\s]|[\s~]+")
DIFFERENTIALS = re.compile(r"[a-zA-Z]?(?:d[a-zA-Z])+")
SIMPLE: dict[str, str] = {
    "^": "sup", "_": "sub", "'": "prime", ",": "comma", ";": "semicolon", ":": "colon",
    ".": "period", "&": "amp", "!": "bang",
}  # fmt: skip
# Function names that are one word wherever they stand, even without a backslash.
ALWAYS = v.split(
    "log ln Log Ln exp sin cos tanh sinh cosh sigmoid softmax softplus lim trace logdet"
)


@dataclass(slots=True)
class _Brace:
    at: int
    style: str | None  # the font that letters inside take
    script: bool  # inside a sub- or superscript, where letters in a row are a word


class Characters:
    """All that is no command."""

    def __init__(self, source: str):
        self.source = source
        self.tokens: list[Token] = []
        self.hints: list[tuple[int, str]] = []
        self.label = ""
        self.braces: list[_Brace] = []
        self.place: tuple[int, int] | None = None  # of the macro or character being replaced
        self.expanding: list[str] = []  # macros inside whose definition we are
        self.next_style: str | None = None  # font waiting for its brace
        self.run_style: str | None = None  # \rm, \bf: font of the letters that follow

    def put(
        self, kind: str, text: str, start: int, end: int, style: str = "", side: str = ""
    ) -> None:
        if self.place is not None:
            start, end = self.place
        self.tokens.append(Token(kind, text, start, end, style, side))

    def refuse(self, message: str, start: int, end: int, hint: str = "") -> NotCheckable:
        if self.place is not None:
            start, end = self.place
        return NotCheckable(message, self.source, start, end, hint)

    def run(self, text: str, at: int, stop: int) -> None:
        """Read ``text[at:stop]``; ``text`` is the source, or stands in for a piece of it."""
        match = PIECE.match
        while at < stop:
            piece = match(text, at, stop)
            assert piece is not None  # the last alternative takes any character
            kind, found, after = piece.lastgroup, piece.group(), piece.end()
            if kind == "command":
                after = self.command(text, found[1:], at, after, stop)
            elif kind == "letters":
                behind = text[after : after + 2].lstrip()[:1]  # tr(A) and tr (A)
                self.letters(found, at, followed_by=behind)
            elif kind == "number":
                self.number(found, at, TEN.match(text, after, stop))
            elif kind == "relation":
                self.put("rel", v.RELATIONS["".join(found.replace("&", "").split())], at, after)
            elif kind == "char":
                after = self.character(text, found, at, after, stop)
            elif kind == "dots":
                self.put("cmd", "dots", at, after)
            elif kind == "comment":
                self.comment(found, at)
            at = after

    def comment(self, found: str, at: int) -> None:
        note = re.match(r"%\s*(?:by|because|reason)\s*:\s*(.+)", found)
        if note:
            self.hints.append((at, note.group(1).strip()))

    def character(self, text: str, char: str, at: int, after: int, stop: int) -> int:
        simple = SIMPLE.get(char)
        if simple:
            self.put(simple, char, at, after)
        elif char == "{":
            last = self.tokens[-1].kind if self.tokens else ""
            outer = self.braces[-1] if self.braces else None
            style = self.next_style
            if style is None and outer is not None:
                style = outer.style
            self.next_style = None
            script = last in ("sup", "sub") or (outer is not None and outer.script)
            self.braces.append(_Brace(at, style, script))
            self.put("lbrace", "{", at, after)
        elif char == "}":
            if not self.braces:
                raise self.refuse("this brace closes nothing", at, after, "remove it, or open it")
            self.braces.pop()
            self.run_style = None
            self.put("rbrace", "}", at, after)
        elif char == "|":
            self.bar("|", at, after)
        elif char in "=<>":
            self.put("rel", char, at, after)
        elif char in v.OPERATORS:
            self.put("op", v.OPERATORS[char], at, after)
        elif char in "([":
            self.put("open", char, at, after)
        elif char in ")]":
            self.put("close", char, at, after)
        elif char in v.UNICODE:
            self.instead(v.UNICODE[char], at, after)
        elif decomposition(char).startswith(("<super>", "<sub>")):  # x₁², x⁽ⁱ⁾
            kind = decomposition(char).split()[0]
            while after < stop and decomposition(text[after]).startswith(kind):
                after += 1
            sign = "^" if kind == "<super>" else "_"
            self.instead(f"{sign}{{{normalize('NFKC', text[at:after])}}}", at, after)
        elif decomposition(char).startswith("<font>"):  # 𝐱, 𝒟, 𝔼
            fonts = (font for word, font in v.UNICODE_FONTS.items() if word in name(char))
            self.instead(f"{next(fonts, '')}{{{normalize('NFKC', char)}}}", at, after)
        elif char in v.COMBINING and self.tokens and self.tokens[-1].kind == "letter":
            letter = self.tokens.pop()  # the accent stands before its letter in LaTeX
            self.put("accent", v.COMBINING[char], at, after)
            self.tokens.append(letter)
        elif normalize("NFD", char) != char:
            self.instead(normalize("NFD", char), at, after)
        elif char == "\\":
            raise self.refuse("a backslash with nothing behind it", at, after, "remove it")
        elif char == "$":
            raise self.refuse(
                "a dollar sign inside a display", at, after, "one display holds one formula"
            )
        else:
            raise self.refuse(
                f"the character {char!r} is not part of the language",
                at,
                after,
                "write it in LaTeX",
            )
        return after

    def instead(self, replacement: str, start: int, end: int) -> None:
        """Read ``replacement`` as if it stood at ``start:end``."""
        outer = self.place
        if outer is None:
            self.place = (start, end)
        self.run(replacement, 0, len(replacement))
        self.place = outer

    def letters(self, found: str, at: int, followed_by: str) -> None:
        brace = self.braces[-1] if self.braces else None
        style = self.run_style if self.run_style is not None else brace.style if brace else None
        self.run_style = None
        last = self.tokens[-1].kind if self.tokens else ""
        if last in ("sup", "sub"):  # TeX takes one letter only
            self.put("letter", found[0], at, at + 1, style or "")
            if len(found) > 1:
                self.letters(found[1:], at + 1, followed_by)
            return
        end = at + len(found)
        script = brace is not None and brace.script
        if len(found) == 1:
            self.put("letter", found, at, end, style or "")
        elif (
            style == "rm"
            or (style in ("cal", "bb") and found.isupper())
            or found in v.WORDS
            or found in v.EXTREMA
            or found in ALWAYS
            or (found in v.HEADS and followed_by in ("(", "[", "_", "\\"))
        ):
            self.word(found, at, end)
        elif found.startswith("log") and not script:
            self.word("log", at, at + 3)
            self.letters(found[3:], at + 3, followed_by)
        elif (
            script and ((len(found) > 2 and not INDEX_LETTERS.issuperset(found)) or found.isupper())
        ) or (len(found) > 3 and not DIFFERENTIALS.fullmatch(found)):
            self.word(found, at, end)
        else:
            for i, letter in enumerate(found):
                self.put("letter", letter, at + i, at + i + 1, style or "")

    def word(self, name: str, start: int, end: int, style: str = "rm") -> None:
        """A name of several letters, or a known function."""
        if name in v.EXTREMA:
            self.put("ext", v.EXTREMA[name], start, end)
        elif name in v.FUNCTIONS:
            self.put("func", v.FUNCTIONS[name], start, end)
        elif name in v.CONSTANT:
            self.put("text", "const", start, end)
        elif len(name) == 1 and name.isalpha():
            self.put("letter", name, start, end, style)
        elif name.isdigit():
            self.put("number", name, start, end)
        elif name == "lim":
            self.put("cmd", "lim", start, end)
        elif len(name) == 2 and name[0] == "d" and name != "do":
            self.put("letter", "d", start, end, style)
            self.put("letter", name[1], start, end)
        else:
            self.put("word", name, start, end, style)

    def number(self, found: str, at: int, power: re.Match[str] | None) -> None:
        if power:
            raise self.refuse(
                f"is {found}{power.group()} a power of ten?",
                at,
                power.end(),
                "write 10^{-5}, or put a space between the number and e",
            )
        if "{,}" in found:  # 1{,}000
            self.put("number", found.replace("{,}", "").rstrip("."), at, at + len(found))
            return
        last = self.tokens[-1] if self.tokens else None
        if last is None or not found.isdigit() or len(found) == 1:
            take = 0
        elif last.kind in ("sup", "sub"):
            take = 1
        elif last.kind == "cmd" and last.text in ("frac", "binom"):
            take = 2
        elif last.kind == "cmd" and last.text == "sqrt":
            take = 1
        else:
            take = 0
        for i in range(take):  # \frac12 and x^23: TeX takes one digit at a time
            self.put("number", found[i], at + i, at + i + 1)
        if found[take:]:
            self.put("number", found[take:], at + take, at + len(found))

    def bar(self, text: str, start: int, end: int, side: str = "") -> None:
        last = self.tokens[-1] if self.tokens else None
        if (
            text == "|"
            and last is not None
            and last.kind == "bar"
            and last.text == "|"
            and last.style == ""
            and side in ("", "middle")
            and self.place is None
        ):
            between = self.source[last.end : start]
            mids = side == "middle" and last.side == "middle"
            mids |= self.source[start:end] == self.source[last.start : last.end] == "\\vert"
            if not between or (SPACING.sub("", between) == "" and ("\\!" in between or mids)):
                last.style = "pair"
                self.put("bar", "|", start, end, style="second", side=side)
                return
        self.put("bar", text, start, end, side=side)

    def command(self, text: str, name: str, at: int, after: int, stop: int) -> int:
        raise NotImplementedError  # in commands.py
