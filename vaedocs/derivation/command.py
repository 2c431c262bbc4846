"""``vaedocs check PATH…``: check every display of Markdown, LaTeX, notebooks and scripts."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from vaedocs.derivation.report import Report
    from vaedocs.derivation.sources import Display

OK, WRONG, MISUSE = 0, 1, 2


def add_parser(subparsers: Any) -> None:
    """Add ``check`` to the command line."""
    parser = subparsers.add_parser(
        "check",
        help="check every display of your pages, row by row",
        description="Check every displayed equation, row by row. Exit status: 0 all right, 1 "
        "something is refuted or cannot be read, 2 misuse.",
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="Markdown, LaTeX, notebooks (.ipynb, py:percent), folders, or - for standard input",
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="write everything that was found to FILE (- for standard output)",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="say for every row how it was decided and what it uses",
    )
    parser.add_argument(
        "--format",
        choices=("text", "github"),
        default="text",
        help="how problems are printed; github makes annotations",
    )
    parser.add_argument(
        "--strict", action="store_true", help="a row that is only tested needs its author's reason"
    )
    parser.add_argument(
        "--given",
        action="append",
        default=[],
        metavar="STATEMENT",
        help="a hypothesis for every display, in LaTeX; may be repeated",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry out ``vaedocs check`` and return the exit status."""
    from vaedocs.derivation.page import problems
    from vaedocs.derivation.report import PROVED

    started = time.perf_counter()
    try:
        pages = list(_pages(arguments.paths))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        print(f"vaedocs check: {_words(error)}", file=sys.stderr)
        return MISUSE
    checked: list[tuple[Display, Report]] = []
    failures: list[str] = []
    total = sum(len(displays) for _, displays, _ in pages)
    with _Progress(total) as progress:
        for path, displays, problem in pages:
            if problem:
                failures.append(f"{path}:{problem}")
            for display, report in _checked(displays, arguments.given, progress):
                checked.append((display, report))
                failures += problems(display, report, strict=arguments.strict)
    if arguments.explain and arguments.json != "-":
        _explain(checked)
    if arguments.json != "-":
        for failure in failures:
            print(_annotation(failure) if arguments.format == "github" else failure)
    verdicts = Counter(row.verdict for _, report in checked for row in report.rows)
    if arguments.json:
        problem = _write(arguments.json, [report.to_json() for _, report in checked])
        if problem:
            print(problem, file=sys.stderr)
            return MISUSE
    if arguments.json != "-":
        counted = ", ".join(
            f"{count} {verdict}"
            for verdict, count in sorted(
                verdicts.items(), key=lambda item: (item[0] != PROVED, -item[1])
            )
        )
        seconds = time.perf_counter() - started
        rows = sum(verdicts.values())
        print(
            f"{len(checked)} display{'s' * (len(checked) != 1)}, {rows} row{'s' * (rows != 1)}"
            + (f": {counted}" if counted else "")
            + f" ({seconds:.1f} s)"
        )
    return WRONG if failures else OK


def _pages(paths: list[str]) -> Iterator[tuple[str, list[Display], str]]:
    """Path, displays and a problem of each file."""
    from vaedocs.derivation.sources import SourceError, find_displays, find_files

    for name in paths:
        if name == "-":
            files: list[tuple[str, str | None]] = [("<stdin>", sys.stdin.read())]
        else:
            if not Path(name).exists():
                raise FileNotFoundError(2, "no such file or folder", name)
            files = [(str(path), None) for path in find_files([name])]
        for path, text in files:
            try:
                yield path, find_displays(path, text), ""
            except SourceError as error:
                yield path, [], f"{error.line}: {error.message}"


def _checked(
    displays: list[Display], given: list[str], progress: _Progress
) -> Iterator[tuple[Display, Report]]:
    from vaedocs.derivation.check import check
    from vaedocs.derivation.page import check_page

    def one(latex: str, own: tuple[str, ...], **keywords: Any) -> Report:
        progress.step()
        return check(latex, (*given, *own), **keywords)

    return iter(check_page(displays, one))


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {(error.strerror or str(error)).lower()}"
    return (
        f"this file cannot be read as text: {error}"
        if isinstance(error, UnicodeDecodeError)
        else f"this is no notebook: {error}"
    )


def _explain(checked: list[tuple[Display, Report]]) -> None:
    for display, report in checked:
        name = f" ({report.label})" if report.label else ""
        print(f"{display.path}:{display.line}{name}")
        for statement in report.hypotheses:
            print(f"     given {statement}")
        print("\n".join(f"  {line}" for line in str(report).split("\n")))


def _annotation(failure: str) -> str:
    """A problem as GitHub shows it beside the line."""
    place, _, message = failure.partition(": ")
    path, line, *column = place.split(":")
    where = f"file={path},line={line}" + (f",col={column[0]}" if column else "")
    text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error {where}::{text}"


def _write(target: str, data: list[dict[str, Any]]) -> str:
    text = json.dumps(data, indent=1, ensure_ascii=False, default=str) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return ""
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        return f"vaedocs check: {target} cannot be written: {error.strerror}"
    return ""


class _Progress:
    """``checking 12/80`` on a terminal, once it takes more than a second."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total, self.done, self.started = total, 0, time.perf_counter()
        self.stream = stream or sys.stderr
        self.shown = False

    def __enter__(self) -> _Progress:
        return self

    def step(self) -> None:
        """One more display begins."""
        self.done += 1
        if self.stream.isatty() and time.perf_counter() - self.started > 1:
            self.stream.write(f"\rchecking {self.done}/{self.total}")
            self.stream.flush()
            self.shown = True

    def __exit__(self, *_: object) -> None:
        if self.shown:
            self.stream.write("\r" + " " * 30 + "\r")
            self.stream.flush()
