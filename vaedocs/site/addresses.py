"""Where a built site leads: its own links and anchors, and what it asks of other hosts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from vaedocs.site.built import BuiltPage, Element, Finding, Site, has_class


def links(page: BuiltPage, site: Site) -> Iterator[Finding]:
    """Every internal link leads to a file, and to an anchor that is there."""
    for element in page.tree.iter():
        if not isinstance(element.tag, str):
            continue
        for attribute in ("href", "src", "data-src", "poster"):
            address = element.get(attribute)
            if address is None or (
                element.tag in ("base", "use", "image", "a") and _is_in_svg(element)
            ):
                continue
            problem = _follow(address.strip(), element, attribute, page, site)
            if problem:
                yield page.find(element, "dead link", f'{attribute}="{address}" {problem}')
        for address in _style_addresses(element.text or "") if element.tag == "style" else ():
            problem = _follow(address, element, "url", page, site)
            if problem:
                yield page.find(element, "dead link", f"url({address}) {problem}")


def _is_in_svg(element: Element) -> bool:
    return element.tag != "a" and bool(element.xpath("ancestor::svg"))


def _follow(address: str, element: Element, kind: str, page: BuiltPage, site: Site) -> str:
    """What is wrong with an address, or "" when it leads somewhere (or out of the site)."""
    if not address:
        return "is empty" if kind == "src" else ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "is not an address"
    if parts.scheme in ("mailto", "data", "javascript", "tel", "blob"):
        return ""
    if parts.netloc and parts.netloc != site.host:
        return ""
    if element.tag == "link" and element.get("rel") in ("canonical", "alternate"):
        return ""
    here = page.file.resolve()
    path = unquote(parts.path)
    if path.startswith("/"):
        if not path.startswith(site.base):
            return f"leaves the site, which is at {site.base}"
        target = (site.folder / path[len(site.base) :].lstrip("/")).resolve()
    elif path:
        target = Path(posixpath.normpath((here.parent / path).as_posix()))
    else:
        target = here
    if target.is_dir() or path.endswith("/"):
        target = target / "index.html"
    if not target.is_file():
        return "leads to no file"
    fragment = unquote(parts.fragment)
    if fragment and element.tag == "a" and target.suffix == ".html" and fragment != "top":
        known = site.anchors.get(target.resolve(), set())
        if fragment not in known and not fragment.startswith(":~:"):
            return f'leads to no anchor "{fragment}"'
    return ""


def foreign_requests(page: BuiltPage, site: Site) -> Iterator[Finding]:
    """Reading a page asks nothing of another host."""
    name = "request to another host"
    loads = {"stylesheet", "icon", "preload", "modulepreload", "preconnect", "dns-prefetch",
             "prefetch", "manifest", "shortcut"}  # fmt: skip
    for element in page.tree.iter():
        if not isinstance(element.tag, str):
            continue
        addresses: list[str] = []
        if element.tag == "link" and loads & set((element.get("rel") or "").split()):
            addresses.append(element.get("href", ""))
        elif element.tag not in ("a", "link", "form"):
            addresses += [element.get(key, "") for key in ("src", "data", "poster")]
            addresses += [
                part.split()[0] for part in element.get("srcset", "").split(",") if part.strip()
            ]
        styles = [element.get("style", "")]
        if element.tag == "style":
            styles.append(element.text or "")
        addresses += [address for style in styles for address in _style_addresses(style)]
        for address in addresses:
            if _is_foreign(address, site):
                yield page.find(element, name, address)
    if page.select(f"//*[{has_class('mermaid')}]"):
        message = "a mermaid diagram is drawn by a script from elsewhere"
        yield page.find(None, name, message)


def _style_addresses(style: str) -> list[str]:
    return [
        match[1].strip("\"' ")
        for match in re.finditer(r"(?:url\(|@import\s+)([^);]+)", style)
        if not match[1].strip("\"' ").startswith("data:")
    ]


def _is_foreign(address: str, site: Site) -> bool:
    parts = urlsplit(address.strip())
    return bool(parts.netloc) and parts.netloc != site.host


def style_sheets(site: Site) -> Iterator[Finding]:
    """Style sheets, too, ask nothing of another host."""
    for file in sorted(site.folder.rglob("*.css")):
        for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
            for address in _style_addresses(line):
                if _is_foreign(address, site):
                    yield Finding(file, number, "request to another host", address[:120])
