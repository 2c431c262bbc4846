"""The displays of one file, checked in order: definitions made above hold below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from vaedocs.derivation import report as r
from vaedocs.derivation.check import check
from vaedocs.derivation.sources import Display


def check_page(
    displays: Iterable[Display], checker: Callable[..., r.Report] = check
) -> list[tuple[Display, r.Report]]:
    """Reports on the displays of one page."""
    return [(display, report) for display, report, _ in judged(displays, checker)]


def judged(
    displays: Iterable[Display], checker: Callable[..., r.Report] = check
) -> Iterator[tuple[Display, r.Report, tuple[str, ...]]]:
    """The same, one after the other, each with the definitions that stand above it."""
    definitions: tuple[str, ...] = ()
    for display in displays:
        report = checker(
            display.latex,
            display.given,
            path=display.path,
            line=display.line,
            definitions=definitions,
            **({"holds": display.holds} if display.holds else {}),
        )
        rows = tuple(
            replace(row, column=row.column + display.column - 1)
            if row.line == display.line
            else row
            for row in report.rows
        )
        report = replace(report, rows=rows)
        if report.label != display.label and display.label:
            report = replace(report, label=display.label)
        yield display, report, definitions
        if display.wrong is None:
            definitions = (*definitions, *report.definitions)


def problems(display: Display, report: r.Report, *, strict: bool = False) -> list[str]:
    """What is wrong with a display, as messages that begin with their place; empty if nothing is.

    A piece of the gallery (``wrong``) must be refuted, in the row it names. With ``strict`` a
    tested row needs its author's reason.
    """
    if display.wrong is not None:
        path = display.path or "<text>"
        refuted = [row.number for row in report.rows if row.verdict == r.REFUTED]
        lines = {str(row.number): row.line for row in reversed(report.rows)}
        if not refuted:
            unread = [row for row in report.rows if row.verdict in (r.NOT_CHECKABLE, r.VACUOUS)]
            if unread:
                return report.problems()
            which = f"row {display.wrong}" if display.wrong in lines else "this display"
            place = f"{path}:{lines.get(display.wrong, display.line)}"
            return [f"{place}: {which} is declared wrong, but no row of it was refuted"]
        if display.wrong.isdigit() and int(display.wrong) not in refuted:
            place, rows = f"{path}:{lines[str(refuted[0])]}", ", ".join(map(str, refuted))
            return [f"{place}: row {display.wrong} is declared wrong; refuted was row {rows}"]
        return replace(report, rows=()).problems()  # what must hold besides, does it?
    made = report.problems()
    if strict and display.tested is None:
        for row in report.rows:
            if row.verdict == r.TESTED:
                made.append(
                    f"{display.path or '<text>'}:{row.line}: row {row.number} is tested, not "
                    f"proved ({row.method}); "
                    "if that is the best one can have, say why above the display: <!-- tested: "
                    "reason -->"
                )
    return made
