"""pytest plugin: every row of every display below the docs folder is a test item, named by page,
line and label.

Enable it with ``-p vaedocs.derivation.pytest_plugin`` and name the folder in the ini option
``vaedocs_docs``. A failure shows the checker's message, not a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from vaedocs.derivation import report as r
from vaedocs.derivation.page import check_page, problems
from vaedocs.derivation.sources import Display, SourceError, find_displays


class WrongRow(Exception):
    """A row that fails; its text is the checker's message."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini options."""
    parser.addini(
        "vaedocs_docs", "folders whose displays are checked, row by row", type="paths", default=[]
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect Markdown pages and percent notebooks below the folders named in ``vaedocs_docs``."""
    folders = parent.config.getini("vaedocs_docs")
    inside = any(Path(folder).resolve() in file_path.resolve().parents for folder in folders)
    if inside and file_path.suffix in {".md", ".py", ".ipynb", ".tex"}:
        return Page.from_parent(parent, path=file_path)
    return None


class Page(pytest.File):
    """One page: its rows are checked when the first of them runs."""

    reports: list[tuple[Display, r.Report]] | None = None

    def displays(self) -> list[Display]:
        """The page's displays."""
        from dataclasses import replace

        shown = (
            self.path.relative_to(self.config.rootpath)
            if self.config.rootpath in self.path.parents
            else self.path
        )
        return [replace(display, path=str(shown)) for display in find_displays(self.path)]

    def collect(self) -> Iterable[pytest.Item]:
        """One item a row; the parser alone tells how many a display has."""
        try:
            displays = self.displays()
        except SourceError as error:
            yield RowItem.from_parent(
                self,
                name=f"line {error.line}",
                display=0,
                row=0,
                line=error.line,
                problem=f"{self.path}:{error.line}: {error.message}",
            )
            return
        for number, display in enumerate(displays):
            for row in _rows(display):
                name = f"{display.line}{'::' + display.label if display.label else ''}::row {row}"
                yield RowItem.from_parent(
                    self, name=name, display=number, row=row, line=display.line
                )

    def report(self, number: int) -> tuple[Display, r.Report]:
        """The report on one display; checks the whole page once."""
        if self.reports is None:
            self.reports = check_page(self.displays())
        return self.reports[number]


def _rows(display: Display) -> Iterator[int]:
    """The rows of a display, by their number; a gallery piece is one item."""
    from vaedocs.derivation.errors import NotCheckable
    from vaedocs.derivation.parser import parse

    if display.wrong is not None:
        yield 0
        return
    try:
        tree = parse(display.latex)
    except NotCheckable:
        yield 0
        return
    rows = [link.row for chain in tree.chains for link in chain.links]
    yield from rows or [0]


class RowItem(pytest.Item):
    """One row of one display; row 0 is the display as a whole."""

    def __init__(
        self, *, display: int, row: int, line: int, problem: str = "", **keywords: object
    ) -> None:
        super().__init__(**keywords)  # type: ignore[arg-type]
        self.display, self.row, self.line, self.problem = display, row, line, problem

    def runtest(self) -> None:
        """Fail with the checker's words if the row fails."""
        if self.problem:
            raise WrongRow(self.problem)
        page = self.parent
        assert isinstance(page, Page)
        display, report = page.report(self.display)
        if self.row == 0 or display.wrong is not None:
            found = problems(display, report, strict=True)
        else:
            from dataclasses import replace

            rows = tuple(row for row in report.rows if row.index == self.row)
            held = tuple(row for row in report.held if row.index == self.row)
            found = problems(display, replace(report, rows=rows, held=held), strict=True)
            if not rows:
                found = list(report.problems()) or [
                    f"{display.path}:{display.line}: row {self.row} has no verdict"
                ]
        if found:
            raise WrongRow("\n".join(found))

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str:
        """The message alone."""
        if isinstance(excinfo.value, WrongRow):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where pytest says the item stands."""
        return self.path, self.line - 1, f"{self.path.name}:{self.name}"
