"""The code that a site speaks of, as pages of the site: each line has an anchor to link to.

A Markdown extension cannot add pages. So with the option ``code: code`` a page of a few lines is
written below the docs folder for every module that a ``/// source`` block shows, and for every test
file that one names, before the files there are listed. What such a page says comes from its block,
``/// code | package/module.py``, which reads the file anew in every build. Keep the folder out of
version control. ``/// code`` alone lists the files, in the reading order.
"""

from __future__ import annotations

import ast
import html
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vaedocs.site import objects, pages
from vaedocs.site.pieces import Block, front_matter
from vaedocs.site.reading import read

MARK = "# Written before each build, and not by hand: see vaedocs.site.code."
STUB = """---
{mark}
title: {path}
description: The file {path}, line by line.
search:
  exclude: true
hide: [toc]
---

# `{path}`

/// code | {path}
///
"""


@dataclass
class Shown:
    """A file of which pages speak."""

    file: Path
    path: str  # in the repository, with forward slashes
    ranges: set[tuple[int, int]] = field(default_factory=set)  # the lines of what pages show
    pages: list[str] = field(default_factory=list)  # their sources, in the reading order
    is_test: bool = False

    @property
    def summary(self) -> str:
        """The first sentence of the file's docstring, which says what it is for."""
        said = ast.get_docstring(ast.parse(self.file.read_text(encoding="utf-8"))) or ""
        return re.split(r"(?<=\.)\s|\n\n", said.strip())[0].replace("\n", " ")


def root_of(file: Path, name: str) -> Path:
    """The folder in which the package of a dotted name lies: paths begin there."""
    top = name.split(".")[0]
    for folder in file.parents:
        if folder.name == top:
            return folder.parent
    return file.parent


def named_tests(name: str, found: objects.Source, folder: Path) -> list[objects.Test]:
    """The tests that name an object, those of the nearest file first."""
    tests = objects.tests_of(name, folder) if folder.is_dir() else []
    stem = found.file.stem
    return sorted(tests, key=lambda test: (stem not in test.file.stem, test.file.name, test.line))


def path_of(file: Path, root: Path) -> str:
    """A file's path in the repository; of one that lies elsewhere, its folder and name."""
    file, root = file.resolve(), root.resolve()
    inside = root in file.parents
    return file.relative_to(root if inside else file.parents[1]).as_posix()


def source_of(path: str, folder: str) -> str:
    """The page that shows a file, as a source below the docs folder.

    >>> source_of("vaedocs/kl_divergence.py", "code")
    'code/vaedocs/kl_divergence.md'
    """
    return f"{folder}/{path.removesuffix('.py')}.md"


def anchor(first: int, last: int) -> str:
    """The fragment of some lines.

    >>> anchor(41, 60), anchor(7, 7)
    ('L41-L60', 'L7')
    """
    return f"L{first}-L{last}" if last > first else f"L{first}"


_known: dict[tuple[Path, Path, str], tuple[list[tuple[str, int]], dict[str, Shown]]] = {}


def shown(docs: Path, tests: Path, folder: str) -> dict[str, Shown]:
    """The files of which the pages below `docs` speak, by path, in the reading order.

    They are looked for again when a page, a test or one of these files has changed.
    """
    key = (docs, tests, folder)
    written = [page for page in docs.rglob("*.md") if docs / folder not in page.parents]
    before, kept = _known.get(key, ([], {}))
    rest = [*tests.rglob("test_*.py"), *(one.file for one in kept.values())]
    if before and before == _marks([*written, *rest]):
        return kept
    made: dict[str, Shown] = {}
    for page in sorted(written, key=pages.place):
        source = page.relative_to(docs).as_posix()
        for name in _sources(page):
            try:
                found = objects.find(name)
            except objects.NoSuchObject:
                continue  # the page itself says so, at its line
            root = root_of(found.file, name)
            spoken = [(found.file, found.first, found.last)]
            named = named_tests(name, found, tests)[:2]
            for file, first, last in spoken + [(t.file, t.line, t.line) for t in named]:
                path = path_of(file, root)
                one = made.setdefault(path, Shown(file, path, is_test=file != found.file))
                one.ranges.add((first, last))
                if source not in one.pages:
                    one.pages.append(source)
    rest = [*tests.rglob("test_*.py"), *(one.file for one in made.values())]
    _known[key] = (_marks([*written, *rest]), made)
    return made


def _marks(files: list[Path]) -> list[tuple[str, int]]:
    return sorted({(str(file), file.stat().st_mtime_ns) for file in files if file.is_file()})


def _sources(page: Path) -> list[str]:
    """The objects that a page shows."""
    text = page.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    lines = text.expandtabs(4).split("\n")[front_matter(text)[1] :]
    blocks = [piece for piece in read(lines, pages.BLOCKS).pieces if isinstance(piece, Block)]
    return [block.argument for block in blocks if block.name == "source"]


def publish(docs: Path, tests: Path, folder: str) -> list[Path]:
    """Write a page for each file below `docs`/`folder`, and remove those of other days."""
    wanted = {
        docs / source_of(path, folder): STUB.format(mark=MARK, path=path)
        for path in shown(docs, tests, folder)
    }
    for page in (docs / folder).rglob("*.md"):
        if page not in wanted and MARK in page.read_text(encoding="utf-8"):
            page.unlink()
    for page, text in wanted.items():
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
    return list(wanted)


# --- what the blocks become -----------------------------------------------------------------------


def listing(one: Shown, title: Callable[[str], str], url: Callable[[str], str]) -> str:
    """A file with an anchor at every line and at all lines that a page shows."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    text = one.file.read_text(encoding="utf-8").rstrip("\n")
    marked = highlight(text, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))
    # Names are in the ink of the page: what has no colour needs no element.
    marked = re.sub(r'<span class="(?:n|w)">([^<]*)</span>', r"\1", marked.rstrip("\n"))
    opened: dict[int, list[str]] = {}
    closed: dict[int, int] = {}
    for first, last in sorted(one.ranges, key=lambda lines: (lines[0], -lines[1])):
        if last > first:
            mark = f'<span class="vaedocs-lines" id="{anchor(first, last)}">'
            opened.setdefault(first, []).append(mark)
            closed[last] = closed.get(last, 0) + 1
    lines = [
        f'{"".join(opened.get(number, ()))}<span id="L{number}">{line}\n</span>'
        f"{'</span>' * closed.get(number, 0)}"
        for number, line in enumerate(marked.split("\n"), 1)
    ]
    path = html.escape(one.path)
    return (
        f"<p>{_about(one, title, url)}</p>"
        f'<div class="highlight vaedocs-code" data-search-exclude><pre tabindex="0" role="group" '
        f'aria-label="The file {path}"><code>{"".join(lines)}</code></pre></div>'
    )


def contents(
    files: dict[str, Shown], folder: str, title: Callable[[str], str], url: Callable[[str], str]
) -> str:
    """The files in the reading order, each with what it is for and the pages that speak of it."""
    parts = []
    for name, is_test in (("Modules", False), ("Tests", True)):
        items = "".join(
            f'<dt><a href="{html.escape(url(source_of(path, folder)))}"><code>{html.escape(path)}'
            f"</code></a></dt><dd>{_about(one, title, url)}</dd>"
            for path, one in files.items()
            if one.is_test == is_test
        )
        if items:
            parts.append(f'<h2 id="{name.lower()}">{name}</h2><dl>{items}</dl>')
    return "".join(parts)


def _about(one: Shown, title: Callable[[str], str], url: Callable[[str], str]) -> str:
    """What a file is for, and the pages that speak of it."""
    links = ", ".join(
        f'<a href="{html.escape(url(page))}">{html.escape(title(page))}</a>' for page in one.pages
    )
    return f"{_words(one.summary)} Shown or named in {links}.".strip()


def _words(text: str) -> str:
    """A docstring's sentence as HTML: what stands between backquotes is code.

    >>> _words("The ``loss`` of `a` & b.")
    'The <code>loss</code> of <code>a</code> &amp; b.'
    """
    text = html.escape(re.sub(r":\w+:(?=`)", "", text), quote=False)
    return re.sub(r"(`+)(.+?)\1", r"<code>\2</code>", text)


def main() -> int:
    """``python -m vaedocs.site.code docs code tests`` writes the pages without a build."""
    docs, folder, tests = (*sys.argv[1:4], *("docs", "code", "tests")[len(sys.argv[1:4]) :])
    if not Path(docs).is_dir():
        print(f"{docs} is not a folder; give the docs folder", file=sys.stderr)
        return 1
    print(f"{len(publish(Path(docs).resolve(), Path(tests), folder))} pages below {docs}/{folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
