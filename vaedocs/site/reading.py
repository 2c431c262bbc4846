"""Read a Markdown page into prose, displays, blocks and code, each with the line it stands on.

Python-Markdown's own passes lose line numbers, and leave a misspelt block as text. So the page is
read once, before any of them, by rules that are stricter than Markdown's: what looks like a display
or a block and is not well formed is an error with its line, never text.
"""

from __future__ import annotations

import difflib
import re

from vaedocs.site.pieces import Block, Display, Fault, Note, Piece, Prose, Reading, Verbatim

FENCE = re.compile(r"^(?P<prefix>[ >]*(?:[-*+] +|\d+[.)] +)?)(?P<mark>`{3,}|~{3,})(?P<info>.*)$")
BLOCK = re.compile(r"^(?P<indent>[ >]*)(?P<mark>/{3,})(?P<rest>.*)$")
PREFIX = re.compile(r"^[ ]*(?:>[ ]?)*[ ]*")
OPENER = re.compile(r"^[ >]*(?:[-*+] |\d+[.)] |!!!|\?\?\?|===|\[\^|: )")
LABEL = re.compile(r"\\label\{([^{}]*)\}")
NOTES = ("given", "holds", "tested", "wrong", "right")
RAW = re.compile(r"^[ ]*<(script|style|svg|pre|math|textarea)\b", re.IGNORECASE)


def read(lines: list[str], ours: tuple[str, ...] = (), theirs: tuple[str, ...] = ()) -> Reading:
    """Read the lines of a page (front matter removed).

    Args:
        lines: the page's lines.
        ours: names of the blocks of this extension.
        theirs: names of other extensions' ``///`` blocks, handed on untouched.

    >>> [type(piece).__name__ for piece in read(["Hear:", "", "$$ x = y $$"]).pieces]
    ['Prose', 'Verbatim', 'Display']
    """
    return _Reader(lines, ours, theirs).read()


class _Reader:
    def __init__(self, lines: list[str], ours: tuple[str, ...], theirs: tuple[str, ...]):
        self.lines = lines
        self.ours, self.theirs = ours, theirs
        self.pieces: list[Piece] = []
        self.faults: list[Fault] = []
        self.notes: list[Note] = []
        self.open_theirs = 0

    def read(self) -> Reading:
        at = 0
        while at < len(self.lines):
            at = self.step(at)
        self.stray_notes()
        return Reading(self.pieces, self.faults)

    def fault(self, at: int, message: str, column: int = 0) -> None:
        self.faults.append(Fault(at + 1, column, message))

    def step(self, at: int) -> int:
        line = self.lines[at]
        if not line.strip(" >"):
            self.pieces.append(Verbatim(at, at + 1))
            return at + 1
        if self.is_indented_code(at):
            end = at
            indent = len(line) - len(line.lstrip(" "))
            while end < len(self.lines) and (
                not self.lines[end].strip() or self.lines[end].startswith(" " * indent)
            ):
                end += 1
            self.pieces.append(Verbatim(at, end))
            return end
        if match := FENCE.match(line):
            return self.fence(at, match)
        if line.lstrip(" >").startswith("<!--"):
            return self.comment(at)
        if line.lstrip(" >").startswith("$$"):
            return self.display(at)
        self.stray_notes()
        if (match := BLOCK.match(line)) and not match["rest"].startswith("/"):
            return self.block(at, match)
        if match := RAW.match(line):
            return self.raw(at, match[1].lower())
        return self.prose(at)

    def is_indented_code(self, at: int) -> bool:
        """Whether an indented line after a blank one is code, not the inside of a container."""
        line = self.lines[at]
        indent = len(line) - len(line.lstrip(" "))
        if indent < 4 or (at > 0 and self.lines[at - 1].strip()):
            return False
        for above in range(at - 1, -1, -1):
            other = self.lines[above]
            if not other.strip():
                continue
            depth = len(other) - len(other.lstrip(" "))
            if depth < indent:
                # A list item or box holds what is 4 deeper; only 8 deeper is code inside it.
                return indent >= depth + (8 if OPENER.match(other) else 4)
        return True

    def fence(self, at: int, match: re.Match[str]) -> int:
        mark = match["mark"]
        if mark[0] == "`" and "`" in match["info"]:
            return self.prose(at)
        closing = re.compile(rf"^[ >]*{re.escape(mark[0])}{{{len(mark)},}}\s*$")
        for end in range(at + 1, len(self.lines)):
            if closing.match(self.lines[end]):
                self.pieces.append(Verbatim(at, end + 1))
                return end + 1
        self.fault(at, f"the code that opens here with {mark} is never closed")
        self.pieces.append(Verbatim(at, len(self.lines)))
        return len(self.lines)

    def raw(self, at: int, tag: str) -> int:
        end = at
        while end < len(self.lines) and f"</{tag}" not in self.lines[end].lower():
            end += 1
        self.pieces.append(Verbatim(at, min(end + 1, len(self.lines))))
        return min(end + 1, len(self.lines))

    def comment(self, at: int) -> int:
        end = at
        while end < len(self.lines) and "-->" not in self.lines[end]:
            end += 1
        if end == len(self.lines):
            self.fault(at, "the comment that opens here is never closed: add -->")
            self.pieces.append(Verbatim(at, end))
            return end
        text = "\n".join(line[len(_prefix(line)) :] for line in self.lines[at : end + 1])
        inner, _, after = text[4:].partition("-->")
        if re.match(r"\s*given\s+page\s*:", inner):
            self.pieces.append(Note(at, end + 1, word="given page", text=inner.strip()))
            return end + 1
        word = re.match(r"\s*(\w+)\s*(?::\s*|$)", inner)
        if not word or word[1] not in NOTES:
            close = difflib.get_close_matches(word[1].lower(), NOTES, 1, 0.7) if word else []
            if word and close:
                self.fault(at, f'comment "{word[1]}"; did you mean "{close[0]}"?')
            self.pieces.append(Verbatim(at, end + 1))
            return end + 1
        if after.strip():
            self.fault(end, f'text after the comment: "{after.strip()}"; put it on its own line')
        if word[1] == "tested" and not inner[word.end() :].strip():
            self.fault(at, '"tested:" needs a reason: why is the display not proved?')
        note = Note(at, end + 1, word=word[1], text=inner[word.end() :].strip())
        self.notes.append(note)
        self.pieces.append(note)
        return end + 1

    def stray_notes(self) -> None:
        for note in self.notes:
            self.fault(
                note.start,
                f'this "{note.word}" comment belongs to no display: '
                "put it directly above the $$ it is for",
            )
        self.notes = []

    def display(self, at: int) -> int:
        prefix = _prefix(self.lines[at])
        first = self.lines[at][len(prefix) + 2 :]
        if (
            at > 0
            and self.lines[at - 1].strip(" >")
            and not self.lines[at - 1].rstrip().endswith("-->")
        ):
            self.fault(at, "a display stands alone: leave a blank line above $$", len(prefix) + 1)
        rows, columns = [first], [len(prefix) + 2]
        end = at
        while "$$" not in rows[-1]:
            end += 1
            if end == len(self.lines) or not self.lines[end].strip(" >"):
                self.fault(
                    at,
                    "this display is not closed: end it with $$ (no blank line inside)",
                    len(prefix) + 1,
                )
                self.notes = []
                self.pieces.append(Verbatim(at, end))
                return end
            line = self.lines[end]
            cut = min(len(prefix), len(_prefix(line)))
            rows.append(line[cut:])
            columns.append(cut)
        rows[-1], _, after = rows[-1].partition("$$")
        if after.strip():
            self.fault(end, f'text after the display: "{after.strip()}"; a display stands alone', 0)
        elif end + 1 < len(self.lines) and self.lines[end + 1].strip(" >"):
            self.fault(end + 1, "a display stands alone: leave a blank line below $$")
        latex = "\n".join(rows)
        labels = LABEL.findall(latex)
        if len(labels) > 1:
            self.fault(at, f"one display, two labels ({', '.join(labels)}): keep one")
        if "\\label" in LABEL.sub("", latex):
            self.fault(at, "a \\label without its braces: write \\label{eq:name}")
        label = labels[0] if labels else None
        if label is not None and not re.fullmatch(r"eq:[A-Za-z0-9_.-]+", label):
            self.fault(at, f'label "{label}"; write \\label{{eq:name}}: letters, digits, - and _')
        # Blanked, not removed: positions in the formula stay positions on the page.
        latex = LABEL.sub(lambda match: " " * len(match[0]), latex)
        notes = {note.word: note.text for note in self.notes}
        display = Display(
            at, end + 1, prefix=prefix, latex=latex, columns=columns, label=label, notes=notes
        )
        if not latex.strip():
            self.fault(at, "an empty display")
        if "<!--" in latex:
            self.fault(at, "a comment inside a display: put it above the $$")
        self.notes = []
        self.pieces.append(display)
        return end + 1

    def block(self, at: int, match: re.Match[str]) -> int:
        rest = match["rest"].strip()
        name, _, argument = (part.strip() for part in rest.partition("|"))
        if not rest:
            if self.open_theirs:
                self.open_theirs -= 1
                self.pieces.append(Verbatim(at, at + 1))
            else:
                self.fault(at, "/// closes nothing: no block is open here")
                self.pieces.append(Verbatim(at, at + 1))
            return at + 1
        if name in self.theirs:
            self.open_theirs += 1
            self.pieces.append(Verbatim(at, at + 1))
            return at + 1
        if name not in self.ours:
            self.fault(at, unknown("block", name, (*self.ours, *self.theirs)))
            self.pieces.append(Verbatim(at, at + 1))
            self.open_theirs += 1
            return at + 1
        prefix = match["indent"]
        end = at + 1
        while end < len(self.lines):
            inner = BLOCK.match(self.lines[end])
            if inner and inner["indent"] == prefix and inner["mark"] == match["mark"]:
                if inner["rest"].strip():
                    end = len(self.lines)
                break
            end += 1
        if end >= len(self.lines):
            self.fault(at, f'the block "/// {name}" is not closed: end it with a line "///"')
            self.pieces.append(Verbatim(at, at + 1))
            return at + 1
        block = Block(at, end + 1, prefix=prefix, name=name, argument=argument, body=at + 1)
        self.options(block, end)
        self.pieces.append(block)
        return end + 1

    def options(self, block: Block, end: int) -> None:
        key = ""
        while block.body < end:
            line = self.lines[block.body][len(block.prefix) :]
            if not line.strip() or not line.startswith("    "):
                break
            option = re.match(r"^    ([A-Za-z_][\w-]*)\s*:\s*(.*)$", line)
            if option:
                key = option[1]
                block.options[key] = option[2].strip()
            elif key and line.startswith("     "):
                block.options[key] += " " + line.strip()
            else:
                self.fault(block.body, f'expected an option "name: value", found "{line.strip()}"')
            block.body += 1
        for name, value in block.options.items():
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                block.options[name] = value[1:-1]

    def prose(self, at: int) -> int:
        end = at + 1
        while end < len(self.lines):
            line = self.lines[end]
            if not line.strip(" >") or FENCE.match(line) or line.lstrip(" >").startswith("$$"):
                break
            if BLOCK.match(line) or line.lstrip(" >").startswith("<!--") or RAW.match(line):
                break
            end += 1
        self.pieces.append(Prose(at, end))
        return end


def _prefix(line: str) -> str:
    match = PREFIX.match(line)
    return match[0] if match else ""


def unknown(kind: str, name: str, names: tuple[str, ...]) -> str:
    """Say that a name is not known, and which one may have been meant.

    >>> unknown("block", "sauce", ("source", "figure"))
    'no block is called "sauce"; did you mean "source"? (there are: figure, source)'
    """
    close = difflib.get_close_matches(name, names, 1)
    hint = f'; did you mean "{close[0]}"?' if close else ";"
    return f'no {kind} is called "{name}"{hint} (there are: {", ".join(sorted(names))})'
