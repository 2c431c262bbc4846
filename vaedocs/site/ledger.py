"""Check displays, and keep the book's ledger: every display, its verdict and what it rests on.

The page shows the ledger where it says ``/// ledger``. After the build, ::

    python -m vaedocs.site.ledger site/

writes the same data as ``ledger.json`` beside that page, and a badge for the README.
"""

from __future__ import annotations

import html
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vaedocs.site import ledger_page, pages, typesetting, verdicts
from vaedocs.site.objects import NoSuchObject
from vaedocs.site.pieces import Display, Fault, front_matter
from vaedocs.site.reading import read
from vaedocs.site.worker import Worker, WorkerError

CRASH = (
    "  the fault is the checker's, not the page's: report it with the display, "
    "and leave the display out until it is mended"
)


@dataclass(frozen=True)
class Context:
    """What the checking of a page depends on besides the page."""

    worker: Worker
    macros: dict[str, str]  # the site's own; the shared ones the checker reads by itself
    require_reason: bool = True
    checker: str = "vaedocs.derivation.check"


@dataclass
class Entry:
    """A display with its report, or with what is wrong with it (lines of the file, from 1)."""

    equation: pages.Equation
    latex: str
    report: verdicts.Report | None = None
    wrong: bool = False
    title: str = ""  # the page's
    faults: list[Fault] = field(default_factory=list)


def check_page(
    name: str, text: str, pieces: list[Display], equations: list[pages.Equation], context: Context
) -> tuple[list[Entry], list[Fault]]:
    """Check the displays of a page in order: what one defines, those below may use.

    Args:
        name: how messages call the page.
        text: the whole file, front matter included, or the text at hand where there is no file.
        pieces: the displays as they will be shown.
        equations: their names and lines in `text`.
        context: the checker.

    Returns:
        One entry for each of `pieces`, and what is wrong with the page as a whole. A display that
        only one of the two readings finds is a fault, for it would be shown unchecked.
    """
    entries = [Entry(e, p.latex.strip()) for e, p in zip(equations, pieces, strict=True)]
    try:
        found = context.worker.displays(name, text)
    except WorkerError as error:
        found = {"line": 1, "message": f"the checker cannot read this page: {error}"}
    if "message" in found:
        return entries, [Fault(found["line"], 0, found["message"])]
    faults: list[Fault] = []
    waiting = {
        entry.equation.line: (entry, piece) for entry, piece in zip(entries, pieces, strict=True)
    }
    definitions: list[str] = []
    for display in found["displays"]:
        entry, piece = waiting.pop(display["line"], (None, None))
        if entry is None or piece is None:
            words = (
                "the checker reads a display here, which the page does not show as one: write $$"
            )
            faults.append(Fault(display["line"], 0, words))
            continue
        definitions += _check(entry, piece, display, definitions, context)
    for entry, _ in waiting.values():
        words = "the checker does not see this display: put $$ at the beginning of a line"
        entry.faults.append(Fault(entry.equation.line, 0, words))
    for entry in entries:
        if entry.faults:
            entry.report = None
    return entries, faults


def _check(
    entry: Entry, piece: Display, display: dict[str, Any], definitions: list[str], context: Context
) -> list[str]:
    """Ask the checker about one display; return the definitions it adds to the page."""
    request = {
        "latex": typesetting.expand(display["latex"], context.macros),
        "given": [typesetting.expand(text, context.macros) for text in display["given"]],
        "holds": [typesetting.expand(text, context.macros) for text in display["holds"]],
        "definitions": list(definitions),
        "checker": context.checker,
    }
    entry.wrong = display["wrong"] is not None
    first = entry.equation.line
    try:
        answer = context.worker.check(request)
        given = [line for text in display["given"] for line in verdicts.statements(text)]
        report = verdicts.Report(
            answer["rows"],
            given,
            answer["hypotheses"],
            display["tested"] or "",
            answer["held"],
        )
        verdict = report.verdict
    except (WorkerError, NoSuchObject, ValueError) as error:
        name = entry.equation.label or entry.equation.identifier
        entry.faults.append(
            Fault(first, 0, f"the checker failed on display {name}: {error}\n{CRASH}")
        )
        return []
    entry.report = report
    for row in report.held:
        if row["verdict"] in verdicts.FAILING:
            entry.faults.append(_row_fault(row, piece, first))
    if entry.wrong:
        refuted = [row["number"] for row in report.rows if row["verdict"] == "refuted"]
        said = str(display["wrong"])
        if not refuted:
            named = [row for row in report.rows if str(row["number"]) == said]
            line = first + max(named[0]["line"], 1) - 1 if named else first
            words = (
                f"{f'row {said}' if named else 'this display'} is declared wrong, but it is "
                f"{verdict}: mend the mistake it should show, or mark it <!-- right -->"
            )
            entry.faults.append(Fault(line, 0, words))
        elif said and not said.isdigit():
            words = f'"wrong: {said}"; write <!-- wrong --> or <!-- wrong: 2 --> for row 2'
            entry.faults.append(Fault(first, 0, words))
        elif said and int(said) not in refuted:
            rows = ", ".join(map(str, refuted))
            words = f"row {said} is declared wrong, but the checker refutes row {rows}"
            entry.faults.append(Fault(first, 0, words))
        return []
    for row in report.failing():
        entry.faults.append(_row_fault(row, piece, first))
    if verdict == "tested" and context.require_reason and not report.reason:
        weak = [row for row in report.rows if row["verdict"] == "tested"]
        rows = ", ".join(str(row["number"]) for row in weak)
        words = (
            f"row {rows} is tested, not proved; state the hypotheses more fully, or say above the "
            "display why that is the best one can have: <!-- tested: reason -->"
        )
        entry.faults.append(Fault(first + max(weak[0]["line"], 1) - 1, 0, words))
    return [str(text) for text in answer["definitions"]]


def _row_fault(row: dict[str, Any], piece: Display, first: int) -> Fault:
    words = row["lines"] or [
        f"row {row['number']} is {'wrong' if row['verdict'] == 'refuted' else row['verdict']}",
        *(f"  {line}" for line in row["counterexample"].split("\n") if line),
    ]
    if row["verdict"] == "vacuous":
        words = [*words, "  do the hypotheses contradict one another? see the given comment above"]
    column = 0
    if row["verdict"] == "not checkable" and row["column"]:
        column = row["column"] + (piece.columns[0] if row["line"] <= 1 else 0)
    return Fault(first + max(row["line"], 1) - 1, column, "\n".join(words))


# --- the whole book -------------------------------------------------------------------------------


def entries(docs: Path, context: Context) -> list[Entry]:
    """Every display below the docs folder in reading order; answers are kept, so again is cheap."""
    found = []
    for file in sorted(docs.rglob("*.md"), key=pages.place):
        text = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        meta, above = front_matter(text)
        lines = [re.sub(r"^ +$", "", line.expandtabs(4)) for line in text.split("\n")[above:]]
        reading = read(lines, pages.BLOCKS)
        source = file.relative_to(docs).as_posix()
        named = pages.equations(source, reading, meta, above)
        fresh, _ = check_page(pages.shown(file), text, reading.displays, named, context)
        for entry in fresh:
            entry.title = pages.title(file)
        found += fresh
    return found


def data(found: list[Entry]) -> dict[str, Any]:
    """The ledger as plain data, as it is written to ``ledger.json``."""
    displays: list[dict[str, Any]] = []
    for entry in found:
        report = entry.report
        displays.append(
            {
                "page": entry.equation.source,
                "title": entry.title,
                "line": entry.equation.line,
                "id": entry.equation.identifier,
                "number": entry.equation.number,
                "label": entry.equation.label,
                "latex": entry.latex,
                "verdict": report.verdict if report else "not checkable",
                "wrong": entry.wrong,
                "given": report.given if report else [],
                "uses": report.uses if report else [],
                "methods": report.methods if report else [],
                "seconds": round(report.seconds, 3) if report else 0.0,
                "rows": report.rows if report else [],
                "holds": [row["left"] for row in report.held] if report else [],
            }
        )
    right = [display for display in displays if not display["wrong"]]
    rows = Counter(row["verdict"] for display in right for row in display["rows"])
    return {
        "displays": displays,
        "counts": dict(Counter(display["verdict"] for display in right)),
        "rows": dict(rows),
        "refuted on purpose": len(displays) - len(right),
    }


def export(site: Path) -> list[Path]:
    """Write ``ledger.json`` and ``badge.svg`` beside every built page that holds a ledger."""
    written = []
    pattern = re.compile(r'<template id="vaedocs-ledger">(.*?)</template>', re.S)
    for file in sorted(site.rglob("*.html")):
        match = pattern.search(file.read_text(encoding="utf-8"))
        if match:
            book = json.loads(html.unescape(match[1]))
            for name, text in (
                ("ledger.json", json.dumps(book, ensure_ascii=False, indent=1) + "\n"),
                ("badge.svg", ledger_page.badge(book["counts"])),
            ):
                (file.parent / name).write_text(text, encoding="utf-8")
                written.append(file.parent / name)
    return written


def main() -> int:
    site = Path(sys.argv[1] if len(sys.argv) > 1 else "site")
    written = export(site) if site.is_dir() else []
    if not written:
        print(f"no built ledger below {site}: build a page with /// ledger first", file=sys.stderr)
        return 1
    print("\n".join(str(path) for path in written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
