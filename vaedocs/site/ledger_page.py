"""The ledger as a reader sees it: counts, a table to sort and filter, what rests on what, a badge.

Everything here is made of the plain data of ``vaedocs.site.ledger``.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from vaedocs.site import pages, verdicts


def coverage(counts: dict[str, int]) -> str:
    """Coverage in words.

    >>> coverage({"proved": 118, "computed": 14, "definition": 2})
    '134 displays: 118 proved, 14 computed, 2 definitions'
    """
    listed = [
        f"{counts[name]} {_plural(name, counts[name])}" for name in _ORDER if counts.get(name)
    ]
    total = sum(counts.values())
    return f"{total} display{'' if total == 1 else 's'}: " + (", ".join(listed) or "none")


def _plural(name: str, count: int) -> str:
    return f"{name}s" if count != 1 and name in ("definition", "assumption") else name


_ORDER = ("proved", "computed", "tested", "definition", "assumption", *verdicts.FAILING)


def page(book: dict[str, Any], url: Callable[[str], str]) -> str:
    """The ledger as HTML: counts, a table to sort and filter, and what rests on what.

    `book` is what ``ledger.data`` gives; `url` turns a page's source into its address from here.
    """
    counts = book["counts"]
    items = "".join(
        f'<li data-verdict="{name}"><b>{counts[name]}</b> {_plural(name, counts[name])}</li>'
        for name in _ORDER
        if counts.get(name)
    )
    wrong = book["refuted on purpose"]
    if wrong:
        items += f'<li data-verdict="refuted"><b>{wrong}</b> wrong on purpose, refuted</li>'
    total = sum(book["rows"].values())
    sure = book["rows"].get("proved", 0) + book["rows"].get("computed", 0)
    claims = total - book["rows"].get("definition", 0) - book["rows"].get("assumption", 0)
    share = (
        f" Of {claims} rows that claim something, {sure} are proved or computed"
        f" ({100 * sure / claims:.0f}%)."
        if claims
        else ""
    )
    options = "".join(f"<option>{name}</option>" for name in (*_ORDER[:5], "refuted"))
    heads = ("Page", "Equation", "Verdict", "Facts used", "Method", "Seconds")
    head = "".join(f'<th scope="col"><button type="button">{name}</button></th>' for name in heads)
    lines = "".join(_line_of(display, url, row) for row, display in enumerate(book["displays"]))
    # Not a script: a theme that swaps pages without a reload runs the scripts of the new one.
    text = html.escape(json.dumps(book, ensure_ascii=False), quote=False)
    return (
        f"<p>{html.escape(coverage(counts))}.{share}</p>"
        f'<ul class="vaedocs-counts">{items}</ul>'
        '<p class="vaedocs-ledger-tools"><label>Find <input type="search"></label>'
        f'<label>Verdict <select><option value="">all</option>{options}</select></label>'
        f'<output aria-live="polite">{len(book["displays"])} shown</output></p>'
        '<div class="vaedocs-ledger" tabindex="0" role="group" aria-label="The ledger">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
        f"{_resting(book['displays'], url)}"
        f'<template id="vaedocs-ledger">{text}</template>'
    )


def _link(display: dict[str, Any], url: Callable[[str], str]) -> str:
    target = url(display["page"])
    return f'<a href="{html.escape(target)}#{display["id"]}">({html.escape(display["number"])})</a>'


def _line_of(display: dict[str, Any], url: Callable[[str], str], place: int) -> str:
    equation = pages.Equation(display["page"], display["id"], "", None, 0)
    name = display["title"] or display["page"]
    label = f" <code>{html.escape(display['label'])}</code>" if display["label"] else ""
    verdict = (
        f'<span class="vaedocs-kind">{verdicts.mark(display["verdict"])}{display["verdict"]}</span>'
    )
    verdict += " on purpose" if display["wrong"] else ""
    cells = (
        html.escape(name),
        _link(display, url) + label,
        verdict,
        ", ".join(map(verdicts.with_mathematics, display["uses"])) or "\u2013",
        ", ".join(map(verdicts.with_mathematics, display["methods"])) or "\u2013",
        f"{display['seconds']:.2f}",
    )
    # Sorted by its equations, the table is in the reading order again.
    columns = "".join(
        f'<td data-key="{place}">{cell}</td>' if column == 1 else f"<td>{cell}</td>"
        for column, cell in enumerate(cells)
    )
    anchor = pages.ledger_anchor(equation)[1:]
    return f'<tr id="{anchor}" data-verdict="{display["verdict"]}">{columns}</tr>'


def _resting(displays: list[dict[str, Any]], url: Callable[[str], str]) -> str:
    """Which displays rest on which fact, the most used fact first: computed, never typed."""
    resting: dict[str, list[dict[str, Any]]] = {}
    for display in displays:
        if not display["wrong"]:
            for use in display["uses"]:
                resting.setdefault(use, []).append(display)
    if not resting:
        return ""
    widest = max(len(found) for found in resting.values())
    lines = []
    for fact, found in sorted(resting.items(), key=lambda item: (-len(item[1]), item[0])):
        pages_of: dict[str, list[str]] = {}
        for display in found:
            title = display["title"] or display["page"]
            pages_of.setdefault(title, []).append(_link(display, url))
        links = "; ".join(f"{html.escape(t)} {', '.join(at)}" for t, at in pages_of.items())
        bar = (
            f'<svg viewBox="0 0 100 6" width="100" height="6" aria-hidden="true"><rect width="'
            f'{100 * len(found) / widest:.0f}" height="6" fill="var(--vaedocs-green)"/></svg>'
        )
        named = verdicts.with_mathematics(fact)
        lines.append(f"<tr><td>{named}</td><td>{len(found)} {bar}</td><td>{links}</td></tr>")
    return (
        '<h2 id="what-rests-on-what">What rests on what</h2>'
        "<p>Each fact was dropped in turn and the row checked again; a row uses the facts "
        "without which it fails. A line is as thick as the number of displays it stands for.</p>"
        f"{_graph(resting, dict.fromkeys(d['title'] or d['page'] for d in displays))}"
        '<table><thead><tr><th scope="col">Fact</th><th scope="col">Displays</th>'
        f'<th scope="col">Where</th></tr></thead><tbody>{"".join(lines)}</tbody></table>'
    )


def _graph(resting: dict[str, list[dict[str, Any]]], reading: Iterable[str], most: int = 16) -> str:
    """Facts on the left, pages on the right, a line where a page's displays rest on a fact.

    Pages stand in the order of `reading`, their titles.
    """
    facts = sorted(resting, key=lambda fact: (-len(resting[fact]), fact))[:most]
    named = {d["title"] or d["page"] for fact in facts for d in resting[fact]}
    titles = [title for title in reading if title in named]
    step, width = 26, 740
    tall = step * max(len(facts), len(titles)) + 8

    def height(place: int, count: int) -> float:
        return tall * (place + 0.5) / count

    lines, words = [], []
    for row, fact in enumerate(facts):
        y = height(row, len(facts))
        label = html.escape(_short(verdicts.in_words(fact), 40))
        words.append(f'<text x="250" y="{y:.0f}" text-anchor="end">{label}</text>')
        for title, count in Counter(d["title"] or d["page"] for d in resting[fact]).items():
            z = height(titles.index(title), len(titles))
            lines.append(
                f'<path d="M258 {y:.0f}C320 {y:.0f} 330 {z:.0f} 392 {z:.0f}" '
                f'stroke-width="{min(1 + count, 9)}"/>'
            )
    for row, title in enumerate(titles):
        y = height(row, len(titles))
        words.append(f'<text x="400" y="{y:.0f}">{html.escape(_short(title, 50))}</text>')
    return (
        '<div class="vaedocs-graph" tabindex="0" role="group" aria-label="Facts and pages">'
        f'<svg viewBox="0 0 {width} {tall}" width="{width}" height="{tall}" role="img" '
        'aria-label="Which facts the displays of which pages rest on; the table below says the '
        'same in words."><g fill="none" stroke="var(--vaedocs-blue)" stroke-opacity="0.35">'
        f'{"".join(lines)}</g><g fill="var(--vaedocs-ink)" font-size="12" '
        f'dominant-baseline="central">{"".join(words)}</g></svg></div>'
    )


def _short(label: str, room: int) -> str:
    """As much of a label as a side of the drawing has room for, in letters.

    >>> _short("the definition of L", 15)
    'the definition\u2026'
    """
    return label if len(label) <= room else label[: room - 1].rstrip() + "\u2026"


def badge(counts: dict[str, int]) -> str:
    """A badge for a README, made from the ledger's counts."""
    total = sum(counts.values())
    bad = sum(counts.get(name, 0) for name in verdicts.FAILING)
    left, right = "equations", f"{total - bad} of {total} checked"
    colour = "#24803d" if total and not bad else "#c0322f"
    a, b = 7 * len(left) + 12, round(6.6 * len(right)) + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{a + b}" height="20" role="img" '
        f'aria-label="{left}: {right}"><title>{left}: {right}</title>'
        f'<rect width="{a + b}" height="20" rx="3" fill="#3b414d"/>'
        f'<path d="M{a} 0h{b - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{b - 3}z" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" '
        f'text-anchor="middle"><text x="{a / 2:g}" y="14">{left}</text>'
        f'<text x="{a + b / 2:g}" y="14">{right}</text></g></svg>\n'
    )
