"""What a page is made of: prose, displays, blocks and code, each with the lines it stands on."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """Something wrong at a line and column (both from 1; column 0 is the whole line)."""

    line: int
    column: int
    message: str


@dataclass
class Piece:
    """A run of lines: ``lines[start:end]``, counted from 0."""

    start: int
    end: int


class Prose(Piece):
    """Text in which inline mathematics, values and references are looked for."""


class Verbatim(Piece):
    """Fenced or indented code, comments and raw HTML: handed on untouched."""


@dataclass
class Note(Piece):
    """A comment that belongs to the display below it: ``<!-- given: … -->``, ``<!-- wrong -->``."""

    word: str = ""
    text: str = ""


@dataclass
class Display(Piece):
    """A ``$$ … $$`` paragraph."""

    prefix: str = ""
    latex: str = ""  # without the dollars and the container's indentation; labels are blanked
    columns: list[int] = field(default_factory=list)  # where each line of `latex` begins
    label: str | None = None
    notes: dict[str, str] = field(default_factory=dict)  # word to text, as in reading.NOTES

    def place(self, position: int) -> tuple[int, int]:
        """Line and column (from 1) of an offset into ``latex``."""
        before = self.latex[:position].split("\n")
        row = min(len(before), len(self.columns)) - 1
        return self.start + row + 1, self.columns[row] + len(before[-1]) + 1


@dataclass
class Block(Piece):
    """A ``/// name | argument`` … ``///`` block of ours."""

    prefix: str = ""
    name: str = ""
    argument: str = ""
    options: dict[str, str] = field(default_factory=dict)
    body: int = 0  # first line of the content, from 0


@dataclass
class Reading:
    pieces: list[Piece]
    faults: list[Fault]

    @property
    def displays(self) -> list[Display]:
        return [piece for piece in self.pieces if isinstance(piece, Display)]


def front_matter(text: str) -> tuple[dict[str, str], int]:
    """The plain ``key: value`` pairs of a page's front matter, and how many lines it takes.

    >>> front_matter("---\\nsection: 8\\n---\\n# Title")
    ({'section': '8'}, 3)
    """
    lines = text.split("\n")
    if not lines or lines[0].rstrip() != "---":
        return {}, 0
    meta: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            return meta, number + 1
        key, colon, value = line.partition(":")
        if colon and not line.startswith((" ", "#", "-")):
            meta[key.strip()] = value.strip().strip("\"'")
    return {}, 0
