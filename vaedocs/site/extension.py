"""The Python-Markdown extension: a page's source in, typeset and checked mathematics out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import HTML_PLACEHOLDER_RE

from vaedocs.site import assets, code, pages, references, typesetting
from vaedocs.site.state import PageState
from vaedocs.site.worker import Worker
from vaedocs.site.writing import Write


class CheckedPages(Extension):
    """Options are documented in the page "Use it on your own site"."""

    def __init__(self, **options: Any):
        self.config = {
            "docs": ["", "The docs folder; found by itself under MkDocs and Zensical."],
            "check": [False, "Check every display; a refuted or unreadable one fails the build."],
            "checker": [
                "vaedocs.derivation.check",
                "The function that checks: check(text, given).",
            ],
            "macros": [{}, "Further shorthands: name with backslash to meaning, #1 for arguments."],
            "repo_url": ["", "Where the code can be read, for links to lines."],
            "branch": ["main", "The branch those links point into."],
            "tests": ["tests", "Where the tests are, to name those that cover a function shown."],
            "require_tests": [False, "Fail where a function shown has no test."],
            "code": ["", "The folder of the pages that show files; empty for no such pages."],
            "cache": [
                ".cache/vaedocs",
                "Where answers are kept between builds; empty for nowhere.",
            ],
            "ledger": ["", "The page of the ledger, such as ledger.md, for links to it."],
            "require_reason": [True, "A display that is only tested needs <!-- tested: why -->."],
            "directory_urls": [True, "As use_directory_urls in mkdocs.yml, for links made here."],
            "timeout": [600, "Seconds before a figure, value or check is given up."],
        }
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Python-Markdown's name)
        """Called by Python-Markdown for each page, and by MkDocs once before it lists the files."""
        docs = pages.docs_folder(md, str(self.getConfig("docs")))
        if docs.is_dir():
            # Before the files are listed, so that MkDocs copies them with the rest.
            assets.publish(docs)
            if folder := str(self.getConfig("code")):
                code.publish(docs, Path(str(self.getConfig("tests"))), folder)
        cache = str(self.getConfig("cache"))
        worker = _worker(Path(cache) if cache else None, float(self.getConfig("timeout")))
        state = PageState(self, md, worker)
        md.registerExtension(self)
        # Before NormalizeWhitespace (30) and snippets (32): the text as it is in the file.
        md.preprocessors.register(Locate(md, state), "vaedocs-locate", 1000)
        # After them, before fenced code (25) and raw HTML (20): line numbers still hold.
        md.preprocessors.register(Write(md, state), "vaedocs", 29)
        # After inline patterns (20), before the anchors are collected and the contents made (5).
        md.treeprocessors.register(Finish(md, state), "vaedocs", 8)


_workers: dict[tuple[Path | None, float], Worker] = {}


def _worker(cache: Path | None, timeout: float) -> Worker:
    """One worker for all pages of a build; each page has its own extension object."""
    return _workers.setdefault((cache, timeout), Worker(cache, timeout))


class Locate(Preprocessor):
    """Find out which file this is, while the text is still as it is in the file."""

    def __init__(self, md: Markdown, state: PageState):
        super().__init__(md)
        self.state = state

    def run(self, lines: list[str]) -> list[str]:
        state = self.state
        state.worker.look_again()
        state.docs = pages.docs_folder(self.md, str(state.option("docs")))
        state.page = pages.find_page(self.md, "\n".join(lines), state.docs)
        return lines


class Finish(Treeprocessor):
    """Give displays their ids, citations their references, and headings their names in words."""

    def __init__(self, md: Markdown, state: PageState):
        super().__init__(md)
        self.state = state

    def run(self, root: ElementTree.Element) -> None:
        for element in root.iter():
            mark = (element.text or "").strip()
            if element.tag in ("p", "li", "dd") and mark in self.state.displays:
                wrapper = element
                if element.tag != "p":
                    element.text = ""
                    wrapper = ElementTree.Element("div")
                    wrapper.text = mark
                    element.insert(0, wrapper)
                wrapper.tag = "div"
                for name, value in self.state.displays[mark].items():
                    wrapper.set(name, value)
            elif element.tag == "a" and re.search(r"#eq[:-]", element.get("href") or ""):
                element.set("class", "vaedocs-ref")
            elif element.tag == "a" and not element.get("title"):
                reference = references.cited(element.get("href") or "", self.state.docs)
                if reference:
                    element.set("title", reference)
            elif re.fullmatch(r"h[1-6]", str(element.tag)):
                self.heading(element)

    def heading(self, element: ElementTree.Element) -> None:
        text = "".join(element.itertext())
        if not HTML_PLACEHOLDER_RE.search(text):
            return

        def words(match: re.Match[str]) -> str:
            return typesetting.plain(str(self.md.htmlStash.rawHtmlBlocks[int(match[1])]))

        text = HTML_PLACEHOLDER_RE.sub(words, text)
        element.set("data-toc-label", text)
        if "id" not in element.attrib:
            slug = re.sub(r"[^\w\s-]", "", text.lower()).strip()
            element.set("id", re.sub(r"[\s-]+", "-", slug) or "section")
