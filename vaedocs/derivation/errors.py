"""What the checker says when it cannot read something: where, what, and what to write instead."""

from __future__ import annotations


class NotCheckable(ValueError):
    """The text cannot be read as mathematics of the book's language.

    ``message`` says what was found, ``hint`` what to write; ``start`` and ``end`` are offsets in
    ``source``.
    """

    def __init__(
        self, message: str, source: str = "", start: int = 0, end: int = 0, hint: str = ""
    ):
        super().__init__(message)
        self.message = message
        self.source = source
        self.start = start
        self.end = max(end, start + 1)
        self.hint = hint

    @property
    def line(self) -> int:
        """The line of ``source``, from 1."""
        return self.source.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """The column in that line, from 1."""
        return self.start - (self.source.rfind("\n", 0, self.start) + 1) + 1

    def excerpt(self) -> str:
        """The line at fault with a caret below it."""
        lines = self.source.split("\n")
        text = lines[self.line - 1] if self.line <= len(lines) else ""
        width = max(1, min(self.end - self.start, len(text) - self.column + 1))
        return f"{text}\n{' ' * (self.column - 1)}{'^' * width}"
