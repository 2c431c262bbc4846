"""Put a built site's style sheets into its pages: nothing is awaited before the first words.

    python -m vaedocs.site.styles site/

A browser shows nothing of a page until every style sheet that it links to is there, and it learns
of them from the page itself: one more journey over the network. Scripts above the text wait as
well, and with them all that comes after. A sheet that stands in the page costs its bytes again on
each page, and no journey. Pages that name their sheets from another host, or from the root of their
own, are left as they are.
"""

from __future__ import annotations

import argparse
import posixpath
import re
import sys
from functools import lru_cache
from pathlib import Path

_LINK = re.compile(r"<link\b[^>]*>")
_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_URL = re.compile(r"""url\((["']?)(?!["']|data:|[a-z]+://|/|\#)([^)"']+)\1\)""")
_DROPPED = re.compile(r'^\ufeff?(?:@charset "[^"]*";)?|/\*# sourceMappingURL=.*?\*/', re.S)


def inlined(page: str, place: str, site: Path) -> str:
    """A page with its style sheets in place of the links to them.

    Args:
        page: its HTML.
        place: where it is, relative to the site, with forward slashes: ``entropy/index.html``.
        site: the folder of the built site.
    """
    head, found, body = page.partition("</head>")

    def replace(match: re.Match[str]) -> str:
        attributes = dict(re.findall(r'([\w-]+)=["\']?([^"\'\s>]*)', match[0]))
        address = attributes.get("href", "")
        if attributes.get("rel") != "stylesheet" or re.match(r"/|[a-z]+:", address):
            return match[0]
        folder = posixpath.dirname(place)
        sheet = posixpath.normpath(posixpath.join(folder, address.partition("?")[0]))
        if sheet.startswith("..") or not (site / sheet).is_file():
            return match[0]
        faces, rules = _sheet(site / sheet)
        if re.search(r"@import\b|</style", rules):
            return match[0]
        media = f' media="{attributes["media"]}"' if "media" in attributes else ""
        # The addresses of fonts depend on the page's folder. They stand apart, so that the rest is
        # the same text on every page, and a theme that swaps pages leaves it where it is.
        texts = (_from(folder, sheet, faces), _from(folder, sheet, rules))
        return "".join(f"<style{media}>{text}</style>" for text in texts if text)

    return _LINK.sub(replace, head) + found + body


@lru_cache(maxsize=64)
def _sheet(file: Path) -> tuple[str, str]:
    """The font faces of a style sheet, and all else."""
    text = _DROPPED.sub("", file.read_text(encoding="utf-8"))
    return "".join(_FACE.findall(text)), _FACE.sub("", text).strip()


def _from(folder: str, sheet: str, text: str) -> str:
    """The text of a sheet with its addresses as seen from the folder of a page.

    >>> _from("part/one", "assets/a.css", "b{src:url(fonts/c.woff2);d:url(data:x)}")
    'b{src:url(../../assets/fonts/c.woff2);d:url(data:x)}'
    """

    def seen(match: re.Match[str]) -> str:
        target = posixpath.join(posixpath.dirname(sheet), match[2].strip())
        return f"url({posixpath.relpath(target, folder or '.')})"

    return _URL.sub(seen, text)


def inline_all(site: Path) -> int:
    """Put the style sheets into every page below `site`; return how many pages have changed."""
    count = 0
    for file in sorted(site.rglob("*.html")):
        text = file.read_text(encoding="utf-8")
        fresh = inlined(text, file.relative_to(site).as_posix(), site)
        if fresh != text:
            file.write_text(fresh, encoding="utf-8")
            count += 1
    return count


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m vaedocs.site.styles", description=__doc__)
    parser.add_argument("site", type=Path, nargs="?", default=Path("site"))
    options = parser.parse_args(arguments)
    _sheet.cache_clear()
    if not any(options.site.rglob("*.html")):
        print(f"no HTML below {options.site}: build the site first", file=sys.stderr)
        return 1
    print(f"{inline_all(options.site)} pages carry their style sheets.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
