"""A built site as the gate reads it: its pages as trees, and which anchors stand on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from lxml import etree, html

Element: TypeAlias = Any  # lxml.html.HtmlElement; lxml has no types


@dataclass(frozen=True)
class Finding:
    """One thing wrong: which file, which rule, in words."""

    file: Path
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}"


@dataclass
class BuiltPage:
    file: Path
    tree: Element

    def select(self, path: str, within: Element | None = None) -> list[Element]:
        found = (self.tree if within is None else within).xpath(path)
        return [element for element in found if isinstance(element, etree._Element)]

    def find(self, element: Element | None, rule: str, message: str) -> Finding:
        line = 1 if element is None else int(element.sourceline or 1)
        return Finding(self.file, line, rule, message)


@dataclass
class Site:
    folder: Path
    unchecked: bool = False
    base: str = "/"  # the path of the site's own address
    host: str = ""
    pages: dict[Path, BuiltPage] = field(default_factory=dict)
    anchors: dict[Path, set[str]] = field(default_factory=dict)


def has_class(name: str) -> str:
    return f'contains(concat(" ", normalize-space(@class), " "), " {name} ")'


def read_site(folder: Path, unchecked: bool = False) -> Site:
    """Parse every HTML file below `folder`."""
    site = Site(folder, unchecked)
    for file in sorted(folder.rglob("*.html")):
        parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
        tree = html.parse(str(file), parser=parser).getroot()
        if tree is None:
            continue
        site.pages[file.resolve()] = BuiltPage(file, tree)
        names = {str(name) for name in tree.xpath("//@id | //a/@name")}
        site.anchors[file.resolve()] = names
    home = site.pages.get((folder / "index.html").resolve())
    for address in home.tree.xpath('//link[@rel="canonical"]/@href') if home else ():
        parts = urlsplit(str(address))
        site.host, site.base = parts.netloc, parts.path or "/"
    return site


Rule = Callable[[BuiltPage, Site], Iterator[Finding]]


def words_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())[:80]
