"""Citations that say what they cite: the words of a reference, for the link's tooltip.

A page cites by linking to an anchor of the page of references, ``references.md#shannon-1948``. The
link's ``title`` then holds the reference, and the theme shows it when the link is pointed at or
reached with the Tab key. Nothing is typed twice: the words are those of the page of references.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from pathlib import Path

# One paragraph: **Shannon, 1948.** Claude E. Shannon. … *What the book takes from it.*
ENTRY = re.compile(
    r"^\*\*[^*]*?(?P<year>\d{4})?\.\*\*\s+(?P<words>.*?)\n\{:\s*#(?P<anchor>[\w-]+)[^}]*\}",
    re.M | re.S,
)


def entries(text: str) -> dict[str, str]:
    r"""The references on a page by their anchors, as plain text without the closing comment.

    >>> entries('''**Shannon, 1948.** Claude E. Shannon. "[A theory](https://x.y/z)". *Bell
    ... Journal* 27. *What we take from it.*
    ... {: #shannon-1948 .reference }''')
    {'shannon-1948': 'Claude E. Shannon. “A theory”. Bell Journal 27, 1948.'}
    """
    found = {}
    for match in ENTRY.finditer(text):
        words, year = _plain(match["words"]), match["year"] or ""
        found[match["anchor"]] = words if year in words else f"{words.rstrip('.')}, {year}."
    return found


def _plain(words: str) -> str:
    words = " ".join(words.split())
    words = re.sub(r"\s*\*[^*]*\*$", "", words)  # the comment in italics at the end
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", words).replace("*", "")
    return html.unescape(re.sub(r'"([^"]*)"', "“\\1”", words))


def cited(href: str, docs: Path) -> str:
    """The reference that a link points to, or "" where it is no citation.

    Args:
        href: the link as the author wrote it, ``references.md#shannon-1948``.
        docs: the folder that holds ``references.md``.
    """
    page, _, anchor = href.partition("#")
    file = docs / "references.md"
    if page.rpartition("/")[2] != file.name or not anchor or not file.is_file():
        return ""
    return _of(file, file.stat().st_mtime_ns).get(anchor, "")


@lru_cache(maxsize=4)
def _of(file: Path, changed: int) -> dict[str, str]:
    """``changed`` is part of the key: a server that runs for long sees an edited reference."""
    return entries(file.read_text(encoding="utf-8-sig").replace("\r\n", "\n"))
