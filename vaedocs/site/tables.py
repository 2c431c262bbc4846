"""Tables that the book makes of itself: its symbols, and the length and coverage of its pages."""

from __future__ import annotations

import html
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from vaedocs.site import pages, typesetting
from vaedocs.site.pieces import Block, Prose, front_matter
from vaedocs.site.reading import read

if TYPE_CHECKING:
    from vaedocs.site.ledger import Entry

SPACES = re.compile(r"^ +$", re.MULTILINE)


def symbols() -> list[dict[str, str]]:
    r"""The symbols of the book, in the order of the pages that introduce them.

    >>> symbols()[0]["latex"], symbols()[0]["page"]
    ('x', 'autoencoders_and_pca')
    """
    file = resources.files("vaedocs.derivation") / "notation.toml"
    found: list[dict[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))["symbol"]
    return found


def notation(docs: Path, url: Callable[[str], str]) -> str:
    """The symbols as a table; `url` turns a page's source into its address from here."""
    lines = []
    for symbol in symbols():
        source = f"{symbol['page']}.md"
        title = html.escape(pages.title(docs / source))
        cells = (
            typesetting.typeset(symbol["latex"]),
            html.escape(symbol["meaning"]),
            html.escape(symbol["shape"]),
            f'<a href="{html.escape(url(source))}">{title}</a>',
        )
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return _table(("Symbol", "Meaning", "Shape", "Introduced in"), lines)


def words(text: str) -> int:
    r"""How many words of prose a page has: a formula or a computed number counts as one.

    Displays, code, figures' descriptions and comments do not count; captions do.

    >>> words("---\ntitle: T\n---\n# A title\n\nLet $x$ be [one](a.md).\n\n$$ x = 1 $$\n\nDone.")
    7
    """
    _, above = front_matter(text)
    lines = SPACES.sub("", text.expandtabs(4)).split("\n")[above:]
    total = 0
    for piece in read(lines, pages.BLOCKS).pieces:
        if isinstance(piece, Block):
            span = lines[piece.body : piece.end - 1]
        elif isinstance(piece, Prose):
            span = lines[piece.start : piece.end]
        else:
            continue
        prose = re.sub(r"<[^>]+>|\]\([^)]*\)|\{:[^}]*\}", " ", "\n".join(span))
        prose = re.sub(r"\{\{.*?\}\}|\$[^$]*\$|`[^`]*`", " formula ", prose)
        total += len(re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*", prose))
    return total


def lengths(docs: Path, found: list[Entry], url: Callable[[str], str]) -> str:
    """For every page with displays: its words, its rows, and how many of them are certain."""
    rows: dict[str, Counter[str]] = {}
    for entry in found:
        of_page = rows.setdefault(entry.equation.source, Counter())
        if entry.report and not entry.wrong:
            of_page.update(row["verdict"] for row in entry.report.rows)
    lines = []
    for source, verdicts in sorted(rows.items(), key=lambda item: pages.place(docs / item[0])):
        sure = verdicts["proved"] + verdicts["computed"]
        claims = verdicts.total() - verdicts["definition"] - verdicts["assumption"]
        count = words((docs / source).read_text(encoding="utf-8-sig").replace("\r\n", "\n"))
        share = f"{100 * sure / claims:.0f}%" if claims else "\u2013"
        title = html.escape(pages.title(docs / source))
        link = f'<a href="{html.escape(url(source))}">{title}</a>'
        lines.append(
            f"<tr><td>{link}</td><td>{count:,}</td><td>{claims}</td><td>{sure}</td>"
            f"<td>{share}</td></tr>"
        )
    if not lines:
        return ""
    heads = ("Page", "Words", "Rows that claim something", "Proved or computed", "Share")
    return (
        '<h2 id="page-by-page">Page by page</h2><p>A formula in the text counts as one word. '
        "Displays and code do not count.</p>" + _table(heads, lines)
    )


def _table(heads: tuple[str, ...], lines: list[str]) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
