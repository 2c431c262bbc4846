"""Which file is being built, and what its equations are called.

Python-Markdown hands an extension text without a name. MkDocs and Zensical each leave the name with
a processor of theirs, where we look first. Otherwise the text is looked for in the files of the
docs folder: a page is the file that ends with the text at hand. Either way the file is read, so
that messages give the file's own lines, front matter counted.
"""

from __future__ import annotations

import posixpath
import re
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vaedocs.site.pieces import Fault, Reading, front_matter
from vaedocs.site.reading import read

if TYPE_CHECKING:
    from markdown import Markdown

BLOCKS = ("source", "code", "figure", "output", "ledger", "notation")


@dataclass
class Page:
    """A page: its file (None when it cannot be told), its name in messages, its front matter."""

    file: Path | None
    name: str
    source: str  # relative to the docs folder, with forward slashes; "" when not known
    offset: int = 0  # lines of the file above the text's first
    meta: dict[str, str] = field(default_factory=dict)

    def message(self, fault: Fault) -> str:
        """A fault as ``page:line:column: words``, with the file's own line."""
        column = f":{fault.column}" if fault.column else ""
        return f"{self.name}:{fault.line + self.offset}{column}: {fault.message}"


class PageErrors(Exception):
    """All that is wrong with one page, one line each."""


def page_errors(messages: list[str]) -> Exception:
    """An exception which MkDocs, where it is the caller, reports without a traceback."""
    text = "\n".join(messages)
    if "mkdocs" in sys.modules:
        from mkdocs.exceptions import BuildError

        class MkDocsPageErrors(PageErrors, BuildError):  # type: ignore[misc, unused-ignore]
            pass

        return MkDocsPageErrors(text)
    return PageErrors(text)


def docs_folder(md: Markdown, option: str) -> Path:
    """The docs folder: the option, else what MkDocs or Zensical says, else ``docs``."""
    if option:
        return Path(option).resolve()
    relpath = _registered(md.treeprocessors, "relpath")
    config = getattr(relpath, "config", None)
    if config is not None and "docs_dir" in config:
        return Path(config["docs_dir"]).resolve()
    context = _registered(md.preprocessors, "rendering_context")
    config = getattr(context, "config", None) or {}
    return Path(config.get("docs_dir") or "docs").resolve()


def find_page(md: Markdown, text: str, docs: Path) -> Page:
    """Tell which page `text` is (see the module's first words)."""
    source = ""
    named = getattr(_registered(md.treeprocessors, "relpath"), "file", None)
    if named is not None:
        source = str(named.src_uri)
    context = getattr(_registered(md.preprocessors, "rendering_context"), "page", None)
    if not source and context is not None:
        source = str(context.path).replace("\\", "/")
    if source and (docs / source).is_file():
        return _page(docs / source, text, docs)
    for file in sorted(docs.rglob("*.md")) if docs.is_dir() and text.strip() else ():
        if _body_offset(file.read_text(encoding="utf-8-sig"), text) is not None:
            return _page(file, text, docs)
    return Page(None, source or "(this text)", source)


def _registered(registry: object, name: str) -> object | None:
    try:
        return registry[name]  # type: ignore[index, no-any-return]
    except (KeyError, ValueError, IndexError):
        return None


def _page(file: Path, text: str, docs: Path) -> Page:
    whole = file.read_text(encoding="utf-8-sig")
    meta, above = front_matter(whole)
    offset = _body_offset(whole, text)
    if offset is None:
        # A plugin changed the text: its lines are then only about right.
        offset = above
    return Page(file, shown(file), file.relative_to(docs).as_posix(), offset, meta)


def _body_offset(whole: str, text: str) -> int | None:
    """How many lines of a file stand above `text`, if the file is front matter and `text`."""
    whole = whole.replace("\r\n", "\n").rstrip()
    body = text.replace("\r\n", "\n").rstrip()
    if not body or not whole.endswith(body):
        return None
    above = whole[: len(whole) - len(body)]
    if above.strip() and front_matter(above + "\n")[1] < above.rstrip().count("\n") + 1:
        return None
    return above.count("\n")


def shown(file: Path) -> str:
    """A path as a message should show it: from the working folder, where it lies below."""
    try:
        return file.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(file)


# --- numbers and labels over all pages ------------------------------------------------------------


@dataclass(frozen=True)
class Equation:
    """A display as other pages may refer to it."""

    source: str  # page, relative to the docs folder
    identifier: str
    number: str
    label: str | None
    line: int


def equations(source: str, reading: Reading, meta: dict[str, str], offset: int) -> list[Equation]:
    """Name and number the displays of one page: ``eq:…`` from the label, else by their order."""
    section = meta.get("section", "")
    found = []
    for count, display in enumerate(reading.displays, 1):
        number = f"{section}.{count}" if section else str(count)
        identifier = display.label or f"eq-{count}"
        line = display.start + 1 + offset
        found.append(Equation(source, identifier, number, display.label, line))
    return found


def all_equations(docs: Path) -> list[Equation]:
    """The displays of every page below the docs folder, read again only where a file changed."""
    found: list[Equation] = []
    for file in sorted(docs.rglob("*.md")) if docs.is_dir() else ():
        status = file.stat()
        found.extend(_of_file(file, docs, status.st_mtime_ns, status.st_size))
    return found


@lru_cache(maxsize=4096)
def _of_file(file: Path, docs: Path, stamp: int, size: int) -> tuple[Equation, ...]:
    text = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    meta, above = front_matter(text)
    lines = text.split("\n")[above:]
    reading = read([re.sub(r"^ +$", "", line.expandtabs(4)) for line in lines], BLOCKS)
    return tuple(equations(file.relative_to(docs).as_posix(), reading, meta, above))


def ledger_anchor(equation: Equation) -> str:
    """The fragment of an equation's line in the ledger."""
    page = equation.source.removesuffix(".md").replace("/", "-")
    return f"#{page}-{equation.identifier.replace(':', '-')}"


def title(file: Path) -> str:
    """A page's title: front matter's, else its first heading, else the file's name.

    >>> title(Path("nowhere/lower_bound.md"))
    'Lower bound'
    """
    if file.is_file():
        text = file.read_text(encoding="utf-8-sig")
        meta, above = front_matter(text)
        if "title" in meta:
            return meta["title"]
        for line in text.split("\n")[above:]:
            if match := re.match(r"#\s+(.*?)\s*#*\s*(?:\{.*\})?$", line):
                return match[1]
    return file.stem.replace("_", " ").replace("-", " ").capitalize()


def place(file: Path) -> tuple[float, str]:
    """A key to sort pages by: in the order of the sections, and the other pages after them.

    Args:
        file: a page whose front matter may say ``section: 3``.
    """
    meta, _ = front_matter(file.read_text(encoding="utf-8-sig").replace("\r\n", "\n"))
    section = meta.get("section", "")
    return (float(section) if section.isdigit() else float("inf"), str(file))


def is_zensical(md: Markdown) -> bool:
    """Whether Zensical is the caller: it rewrites links in HTML too, from sources to addresses."""
    return _registered(md.preprocessors, "rendering_context") is not None


def url(start: str, target: str, directories: bool = True) -> str:
    """The relative URL from one page to another, both given as sources below the docs folder.

    >>> url("lower_bound.md", "ledger.md")
    '../ledger/'
    >>> url("index.md", "ledger.md"), url("lower_bound.md", "ledger.md", directories=False)
    ('ledger/', 'ledger.html')
    """

    def place(source: str) -> str:
        bare = source.removesuffix(".md")
        if not directories:
            return bare + ".html"
        folder, _, name = bare.rpartition("/")
        if name in ("index", "README"):
            return f"{folder}/" if folder else ""
        return bare + "/"

    folder = posixpath.dirname(place(start)) or "."
    goal = place(target)
    path = posixpath.relpath(goal or ".", folder)
    return path + "/" if directories and path != "." else ("./" if directories else path)
