"""The blocks of a page: ``/// source``, ``/// code``, ``/// figure``, ``/// ledger`` …

Each builder takes the block and the state of its page, and returns the HTML before and after the
block's text (the second is empty where a block takes no text).
"""

from __future__ import annotations

import html
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

from vaedocs.site import code as files
from vaedocs.site import objects, pages, tables
from vaedocs.site.pieces import Block
from vaedocs.site.reading import unknown
from vaedocs.site.worker import ALT_SLOT

if TYPE_CHECKING:
    from vaedocs.site.state import PageState


class BlockError(ValueError):
    """What is wrong with a block, for its author."""


def _require(piece: Block, options: tuple[str, ...], needed: tuple[str, ...] = ()) -> None:
    for option in piece.options:
        if option not in options:
            if not options:
                raise BlockError(f'/// {piece.name} has no options; found "{option}"')
            raise BlockError(unknown(f"option of /// {piece.name}", option, options))
    for option in needed:
        if not piece.options.get(option):
            raise BlockError(
                f'/// {piece.name} | {piece.argument}: no "{option}"; add the line '
                f'"    {option}: …" directly below the header, indented by 4 spaces'
            )


def _object(piece: Block) -> str:
    if not piece.argument:
        raise BlockError(
            f"/// {piece.name} names no object: /// {piece.name} | package.module.name"
        )
    return piece.argument


def source(piece: Block, state: PageState) -> tuple[str, str]:
    """The code of an object, highlighted, with its lines in the repository and its tests."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    _require(piece, ())
    name = _object(piece)
    found = objects.find(name)
    if not found.text.strip():
        raise BlockError(f"{name} has no code to show")
    code = highlight(found.text, PythonLexer(), HtmlFormatter(cssclass="highlight", wrapcode=True))
    root = files.root_of(found.file, name)
    path = files.path_of(found.file, root)
    where = f"{html.escape(path)}, lines {found.first} to {found.last}"
    where = _linked(where, path, files.anchor(found.first, found.last), state)
    caption = (
        f"<code>{html.escape(name)}</code><span>{where}</span>{_tests(name, found, root, state)}"
    )
    return (
        f'<figure class="vaedocs-source"><figcaption>{caption}</figcaption>\n{code}</figure>',
        "",
    )


def _linked(words: str, path: str, anchor: str, state: PageState) -> str:
    """Words that lead to lines of a file: on this site, else in the repository, else nowhere."""
    folder, repo = str(state.option("code")), str(state.option("repo_url")).rstrip("/")
    if folder:
        # A target of its own: a theme that swaps pages would lose the place, and mark no line.
        link = f"{state.url(files.source_of(path, folder))}#{anchor}"
        return f'<a href="{html.escape(link)}" target="_self">{words}</a>'
    if repo:
        link = f"{repo}/blob/{state.option('branch')}/{path}#{anchor}"
        return f'<a href="{html.escape(link)}">{words}</a>'
    return words


def _tests(name: str, found: objects.Source, root: Path, state: PageState) -> str:
    folder = Path(str(state.option("tests")))
    tests = files.named_tests(name, found, folder)
    words = []
    # The doctest stands in the code shown, so it comes first; then the nearest test file's.
    if re.search(r"^\s*>>> ", found.text, re.MULTILINE):
        words.append("its doctest")
    for test in tests[:2]:
        shown = f"<code>{html.escape(test.name)}</code>"
        words.append(_linked(shown, files.path_of(test.file, root), f"L{test.line}", state))
    if len(tests) > 2:
        words.append(f"{len(tests) - 2} more")
    if not words:
        if state.option("require_tests"):
            raise BlockError(
                f"{name} is shown, but no test below {folder}/ names it and it has no doctest"
            )
        return ""
    listed = words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
    return f"<span>tested by {listed}</span>"


def code(piece: Block, state: PageState) -> tuple[str, str]:
    """The files that pages speak of; or one of them, with an anchor at every line."""
    _require(piece, ())
    folder = str(state.option("code"))
    if not folder:
        raise BlockError("/// code needs the option code: the folder of the pages that show files")
    found = files.shown(state.docs, Path(str(state.option("tests"))), folder)

    def title(source: str) -> str:
        return pages.title(state.docs / source)

    if not piece.argument:
        markup = files.contents(found, folder, title, state.url)
        return f'<div class="vaedocs-book">{markup}</div>', ""
    if piece.argument not in found:
        raise BlockError(unknown("file that a page speaks of", piece.argument, tuple(found)))
    one = found[piece.argument]
    return f'<div class="vaedocs-book">{files.listing(one, title, state.url)}</div>', ""


def figure(piece: Block, state: PageState) -> tuple[str, str]:
    """A figure drawn by a function: inline SVG, its description (required), its caption."""
    _require(piece, ("alt",), ("alt",))
    name = _object(piece)
    objects.find(name)  # a misspelt name is answered from the source, before anything is run
    drawing = state.worker.figure(name)
    drawing = drawing.replace(ALT_SLOT, html.escape(piece.options["alt"], quote=False))
    before = (
        f'<figure class="vaedocs-figure" data-object="{html.escape(name)}">{drawing}<figcaption>'
    )
    return before, "</figcaption></figure>"


def output(piece: Block, state: PageState) -> tuple[str, str]:
    """What a function says, as a terminal would show it: computed, never typed."""
    _require(piece, ())
    name = _object(piece)
    objects.find(name)
    said = state.worker.value(name, "")
    if not said.strip():
        raise BlockError(f"{name} gave no text to show")
    caption = f"<code>{html.escape(name)}</code><span>run when this page was built</span>"
    return (
        f'<figure class="vaedocs-source vaedocs-output"><figcaption>{caption}</figcaption>\n'
        f'<div class="highlight"><pre tabindex="0"><code>{html.escape(said)}</code></pre></div>'
        "</figure>",
        "",
    )


def ledger(piece: Block, state: PageState) -> tuple[str, str]:
    """Every display of the book with its verdict."""
    from vaedocs.site import ledger as books
    from vaedocs.site import ledger_page

    _require(piece, ())
    if not state.option("check"):
        raise BlockError("/// ledger needs the option check: true")
    found = books.entries(state.docs, state.context())
    markup = ledger_page.page(books.data(found), state.url)
    markup += tables.lengths(state.docs, found, state.url)
    # Written beside this page after the build. Zensical takes addresses in HTML for those of
    # sources, so there it is named from the folder above.
    data = "ledger.json"
    if pages.is_zensical(state.md):
        data = f"{posixpath.basename(state.page.source).removesuffix('.md')}/{data}"
    markup += f'<p>The same, for programs: <a href="{data}">ledger.json</a>.</p>'
    # One element, so that it goes into the page as a block.
    return f'<div class="vaedocs-book">{markup}</div>', ""


def notation(piece: Block, state: PageState) -> tuple[str, str]:
    """The symbols of the book, from the one file that holds them."""
    _require(piece, ())
    return tables.notation(state.docs, state.url), ""
