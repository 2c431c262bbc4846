"""Ask the checker, and hand its answers on as plain data.

This runs in the worker process, so that a changed checker is a fresh checker. What is a display,
and what the comments above it say, is the checker's own reading: a page and ``vaedocs check``
cannot differ.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Protocol


class Row(Protocol):
    """What the page needs to know of a row; ``vaedocs.derivation`` gives more."""

    line: int
    relation: str
    verdict: str
    method: str
    uses: Sequence[str]
    seconds: float


def displays(request: dict[str, Any]) -> dict[str, Any]:
    """The displays of ``request["text"]``, or the line and words of what cannot be read."""
    from vaedocs.derivation.sources import SourceError, find_displays

    try:
        found = find_displays(request["path"], request["text"])
    except SourceError as error:
        return {"line": error.line, "message": error.message}
    return {"displays": [vars(display) for display in found]}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Check ``request["latex"]`` under ``given`` and the ``definitions`` made above it."""
    module, _, name = str(request["checker"]).rpartition(".")
    check = getattr(importlib.import_module(module), name, None)
    if check is None:
        raise RuntimeError(f'{module} has no "{name}"; see the options check and checker')
    besides = {"holds": request["holds"]} if request["holds"] else {}
    report = check(
        request["latex"], request["given"], definitions=request["definitions"], **besides
    )
    return {
        "rows": [plain(row, number) for number, row in enumerate(report.rows, 1)],
        "held": [plain(row, 1) for row in getattr(report, "held", ())],
        "hypotheses": [str(text) for text in getattr(report, "hypotheses", ())],
        "definitions": [str(text) for text in getattr(report, "definitions", ())],
    }


def plain(row: Row, number: int) -> dict[str, Any]:
    """A row as plain data; ``lines`` is what a reader is told where it fails."""
    found = getattr(row, "counterexample", None)
    told = found.get("description", "") if isinstance(found, dict) else found or ""
    lines = getattr(row, "lines", None)
    return {
        "number": int(getattr(row, "number", number)),
        "line": int(row.line),
        "column": int(getattr(row, "column", 0)),
        "relation": str(row.relation),
        "left": str(getattr(row, "left", "")),
        "verdict": str(row.verdict),
        "method": str(row.method or ""),
        "uses": [str(use) for use in row.uses],
        "counterexample": str(told),
        "sides": [found.get("left"), found.get("right")] if isinstance(found, dict) else [],
        "residual": str(getattr(row, "residual", "") or ""),
        "message": str(getattr(row, "message", "") or ""),
        "hint": str(getattr(row, "hint", "") or ""),
        "author_hint": str(getattr(row, "author_hint", "") or ""),
        "seconds": round(float(row.seconds or 0.0), 4),
        "lines": [str(line) for line in lines()] if callable(lines) else [],
    }
