"""The gate: what a built site must hold before anybody reads it.

    python -m vaedocs.site.gate site/

Builders pass many mistakes in silence: a misspelt block stays as text, a link goes nowhere, a
display has no verdict. So the HTML itself is read, page by page, and every rule below says what it
found and where. ``--unchecked`` is for a site that typesets its displays without checking them;
``--like other/`` asks for the same displays, with the same verdicts, as another build has.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from vaedocs.site import addresses
from vaedocs.site.built import (
    BuiltPage,
    Element,
    Finding,
    Rule,
    Site,
    has_class,
    read_site,
    words_of,
)
from vaedocs.site.verdicts import FAILING, VERDICTS

# --- the rules ------------------------------------------------------------------------------------

RULES: list[Rule] = [addresses.links, addresses.foreign_requests]


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function


@rule
def verdicts(page: BuiltPage, site: Site) -> Iterator[Finding]:
    """Every display stands in our element and carries a verdict that may be published."""
    name = "display without a verdict"
    for drawn in page.select(f"//*[{has_class('katex-display')}]"):
        if not drawn.xpath(f"ancestor::*[{has_class('vaedocs-equation')}]"):
            yield page.find(drawn, name, f'typeset outside the extension: "{words_of(drawn)}"')
    for display in page.select(f"//*[{has_class('vaedocs-equation')}]"):
        verdict, identifier = display.get("data-verdict"), display.get("id", "?")
        if verdict is None:
            if not site.unchecked:
                yield page.find(display, name, f"{identifier} was never checked")
            continue
        if verdict not in VERDICTS:
            yield page.find(display, name, f'{identifier} has the unknown verdict "{verdict}"')
        wrong = display.get("data-wrong") is not None
        if verdict in FAILING and not (wrong and verdict == "refuted"):
            yield page.find(display, name, f"{identifier} is {verdict} and published")
        if wrong and verdict != "refuted":
            yield page.find(display, name, f"{identifier} is shown as wrong but is {verdict}")
        if not page.select(f".//*[{has_class('vaedocs-panel')}]", display):
            yield page.find(display, name, f"{identifier} has no panel to open")


_LEFTOVERS = (
    (r"(?m)^\s*/{3,}", "///"),
    (r"-{1,}8<-{1,}", "--8<--"),
    (r"\$\$", "$$"),
    (r"\$\\[A-Za-z]", "$\\"),
    (r"\\(?:eq)?ref\s*\{", "\\eqref"),
    (r"\\label\s*\{", "\\label"),
    (r"\\begin\s*\{", "\\begin"),
    (r"\{\{.*?\}\}", "{{ }}"),
    (r"(?m)^\s*(?:!!!|\?\?\?\+?) ", "!!! or ???"),
    (r"\{:?\s*[.#][\w-]+[^{}]*\}", "{: } attributes"),
    (r"wzxhzdk:\d|klzzwxh:", "a placeholder"),
)


@rule
def leftovers(page: BuiltPage, site: Site) -> Iterator[Finding]:
    """No syntax that should have become something else is left in the text."""
    for element in _body(page).iter():
        if not isinstance(element.tag, str) or _is_verbatim(element):
            continue
        texts = [element.text or ""] + [child.tail or "" for child in element]
        for text in texts:
            for pattern, name in _LEFTOVERS:
                if match := re.search(pattern, text):
                    near = " ".join(text[max(match.start() - 20, 0) : match.end() + 30].split())
                    yield page.find(element, "leftover syntax", f'{name} in "{near}"')


def _is_verbatim(element: Element) -> bool:
    names = ("code", "pre", "script", "style", "svg", "math", "kbd", "textarea", "template")
    return element.tag in names or bool(
        element.xpath(
            "ancestor::code | ancestor::pre | ancestor::script | ancestor::style | ancestor::svg "
            "| ancestor::math | ancestor::kbd"
        )
    )


def _body(page: BuiltPage) -> Element:
    """The article where the theme marks one, else all of the page."""
    for path in (f"//article[{has_class('md-content__inner')}]", "//main", "//body"):
        if found := page.select(path):
            return found[0]
    return page.tree


@rule
def formulas(page: BuiltPage, site: Site) -> Iterator[Finding]:
    """Formulas are typeset, and the page loads what makes them look so."""
    for error in page.select(f"//*[{has_class('katex-error')}]"):
        yield page.find(error, "formula", f'KaTeX could not read "{words_of(error)}"')
    formula = page.select(f"//*[{has_class('katex')}]")
    linked = page.tree.xpath('//link[@rel="stylesheet" and contains(@href, "vaedocs.css")]')
    if formula and not linked and not page.tree.xpath('//style[contains(., ".katex-display")]'):
        message = "no style sheet for mathematics: add assets/vaedocs/vaedocs.css to extra_css"
        yield page.find(formula[0], "formula", message)


@rule
def code_boxes(page: BuiltPage, site: Site) -> Iterator[Finding]:
    """No code box is empty."""
    for box in page.select("//pre"):
        if not words_of(box):
            yield page.find(box, "empty code box", "a snippet that includes nothing?")


@rule
def descriptions(page: BuiltPage, site: Site) -> Iterator[Finding]:
    """Every picture says what is to be seen."""
    name = "missing alt text"
    for image in page.select("//img"):
        if not (image.get("alt") or "").strip() and image.get("aria-hidden") != "true":
            yield page.find(image, name, f"img {image.get('src', '?')[:80]}")
    for drawing in page.select('//svg[@role="img"]'):
        named = drawing.get("aria-label") or "".join(drawing.xpath("./title/text()"))
        if not named.strip():
            yield page.find(drawing, name, "an svg with role img has neither title nor aria-label")
    for figure in page.select(f"//figure[{has_class('vaedocs-figure')}]"):
        if not "".join(figure.xpath(".//svg/desc/text()")).strip():
            yield page.find(figure, name, f"figure {figure.get('data-object', '?')}")


@rule
def identifiers(page: BuiltPage, site: Site) -> Iterator[Finding]:
    """An id stands once on a page, or links to it go to the wrong place."""
    seen: set[str] = set()
    for element in _body(page).iter():
        identifier = element.get("id") if isinstance(element.tag, str) else None
        if identifier and identifier in seen:
            yield page.find(element, "duplicate id", identifier)
        seen.add(identifier or "")


@rule
def ledger(page: BuiltPage, site: Site) -> Iterator[Finding]:
    """The ledger tells of every display of the site, with the verdict that stands there."""
    name = "ledger"
    for kept in page.select('//template[@id="vaedocs-ledger"]'):
        book = json.loads("".join(kept.itertext()) or "{}")
        listed: dict[tuple[str, str], str] = {}
        for display in book.get("displays", []):
            listed[(display["page"], display["id"])] = display["verdict"]
        told = sorted(f"{identifier} {verdict}" for (_, identifier), verdict in listed.items())
        shown = sorted(
            f"{display.get('id')} {display.get('data-verdict')}"
            for other in site.pages.values()
            for display in other.select(f"//*[{has_class('vaedocs-equation')}]")
        )
        for line in sorted(set(told) ^ set(shown)):
            where = (
                "stands in the ledger but on no page" if line in told else "is not in the ledger"
            )
            yield page.find(kept, name, f"{line} {where}")
        if len(told) != len(shown) and set(told) == set(shown):
            yield page.find(kept, name, f"{len(told)} displays listed, {len(shown)} on the pages")


def inspect(folder: Path, unchecked: bool = False) -> list[Finding]:
    """All that is wrong with a built site.

    Raises:
        FileNotFoundError: if there is no page to look at.
    """
    site = read_site(folder, unchecked)
    if not site.pages:
        raise FileNotFoundError(f"no HTML below {folder}: build the site first")
    found = [
        finding for page in site.pages.values() for check in RULES for finding in check(page, site)
    ]
    found.extend(addresses.style_sheets(site))
    return sorted(set(found), key=lambda found: (str(found.file), found.line, str(found)))


def displays(site: Site) -> dict[tuple[str, str], str]:
    """Page and id of every display of a site, with its verdict."""
    return {
        (page.file.relative_to(site.folder).as_posix(), str(display.get("id"))): str(
            display.get("data-verdict")
        )
        for page in site.pages.values()
        for display in page.select(f"//*[{has_class('vaedocs-equation')}]")
    }


def differences(folder: Path, other: Path) -> list[Finding]:
    """Where two builds of one book differ in their displays or in what is said of them."""
    one, two = displays(read_site(folder)), displays(read_site(other))
    return [
        Finding(
            folder / page,
            1,
            "not the same build",
            f"{identifier} is {one.get((page, identifier), 'not there')}, "
            f"and {two.get((page, identifier), 'not there')} in {other}",
        )
        for page, identifier in sorted({*one, *two})
        if one.get((page, identifier)) != two.get((page, identifier))
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m vaedocs.site.gate", description=__doc__)
    parser.add_argument("site", type=Path, nargs="?", default=Path("site"))
    parser.add_argument("--unchecked", action="store_true", help="displays need no verdict")
    parser.add_argument("--like", type=Path, metavar="other", help="a build to compare with")
    options = parser.parse_args(arguments)
    try:
        found = inspect(options.site, options.unchecked)
        if options.like:
            found += differences(options.site, options.like)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    for finding in found:
        print(finding)
    pages = len(list(options.site.rglob("*.html")))
    if found:
        print(f"{len(found)} findings in {pages} pages.", file=sys.stderr)
        return 1
    print(f"{pages} pages pass.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
