"""What the processors of one page share: where it is, its options, its faults, its equations."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaedocs.site import ledger, pages
from vaedocs.site.pieces import Fault
from vaedocs.site.worker import Worker

if TYPE_CHECKING:
    from markdown import Extension, Markdown


class PageState:
    """What the processors of one page share."""

    def __init__(self, extension: Extension, md: Markdown, worker: Worker):
        self.extension, self.md, self.worker = extension, md, worker
        self.page = pages.Page(None, "(this text)", "")
        self.docs = Path("docs")
        self.faults: list[Fault] = []
        self.displays: dict[str, dict[str, str]] = {}  # placeholder -> attributes of its wrapper
        self.labels: dict[str, pages.Equation] = {}

    def option(self, name: str) -> Any:
        return self.extension.getConfig(name)

    def fault(self, line: int, column: int, message: str) -> None:
        self.faults.append(Fault(line, column, message))

    def stop_if_faulty(self) -> None:
        if self.faults:
            faults = sorted(self.faults, key=lambda fault: (fault.line, fault.column))
            raise pages.page_errors([self.page.message(fault) for fault in faults])

    def context(self) -> ledger.Context:
        """What the checking of a display depends on besides the display."""
        return ledger.Context(
            self.worker,
            dict(self.option("macros")),
            bool(self.option("require_reason")),
            str(self.option("checker")),
        )

    def ledger_link(self, equation: pages.Equation) -> str:
        """From this page to an equation's line in the ledger, as a URL; "" without a ledger."""
        target = str(self.option("ledger"))
        if not target or not self.page.source:
            return ""
        anchor = pages.ledger_anchor(equation)
        return self.url(target) + anchor

    def url(self, target: str) -> str:
        """How HTML on this page refers to another page, given as a source."""
        if pages.is_zensical(self.md):
            return posixpath.relpath(target, posixpath.dirname(self.page.source) or ".")
        return pages.url(self.page.source, target, bool(self.option("directory_urls")))

    def source_link(self, line: int) -> str:
        """The page's own source in the repository, at a line; "" without ``repo_url``."""
        repo = str(self.option("repo_url")).rstrip("/")
        if not repo or self.page.file is None:
            return ""
        path = pages.shown(self.page.file)
        return f"{repo}/blob/{self.option('branch')}/{path}?plain=1#L{line}"

    def store(self, markup: str) -> str:
        return str(self.md.htmlStash.store(markup))
