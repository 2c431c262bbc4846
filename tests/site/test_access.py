"""Verdicts and formulas by keyboard, by clipboard, and for assistive technology."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from house import DOCS, NAV
from reader import Reader

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def test_a_verdict_is_opened_read_and_closed_by_keyboard(reader: Reader) -> None:
    """From the equation's number: Tab, Enter, the panel's words, Escape, and back at the mark."""
    opened = reader.open("lower_bound.md")
    equation = opened.locator(".vaedocs-equation[data-verdict=proved]:has(.vaedocs-panel ul)").first
    panel, summary = equation.locator(".vaedocs-panel"), equation.locator("summary")
    assert not panel.is_visible()
    equation.locator(".vaedocs-number").focus()
    opened.keyboard.press("Tab")
    assert summary.evaluate("element => element === document.activeElement")
    number = equation.locator(".vaedocs-number").inner_text().strip("()")
    assert summary.get_attribute("aria-label") == f"Equation {number}: proved. How it was checked"
    opened.keyboard.press("Enter")
    panel.wait_for(state="visible")
    words = panel.inner_text()
    assert words.startswith("Proved. Derived by rewriting")
    for part in ("Given:", "Row", "Verdict", "Used", "How", "normal form", "product rule"):
        assert part in words
    assert "\\log" in panel.locator("pre").inner_text()
    assert panel.get_by_role("link", name="Its line in the ledger").is_visible()
    opened.keyboard.press("Tab")
    assert panel.evaluate("element => element.contains(document.activeElement)")
    opened.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    assert summary.evaluate("element => element === document.activeElement")
    assert reader.problems == []


def test_a_panel_that_scrolls_says_what_it_is(browser: Browser, address: str) -> None:
    """On a telephone a long derivation's panel scrolls sideways: by key, and with a name."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = Reader(context, address).open("lower_bound.md")
    opened.evaluate("document.querySelectorAll('.vaedocs-verdict').forEach(d => { d.open = true })")
    panels = opened.get_by_role("group", name="How it was checked, scrolls")
    panels.first.wait_for()
    assert set(panels.evaluate_all("all => all.map(box => box.className)")) == {"vaedocs-panel"}
    context.close()


def heard(opened: Page, selector: str) -> list[str]:
    """What Chromium tells assistive technology of an element: roles and names, in order."""
    devtools = opened.context.new_cdp_session(opened)
    devtools.send("Accessibility.enable")
    found = devtools.send(
        "Runtime.evaluate", {"expression": f"document.querySelector({selector!r})"}
    )
    tree = devtools.send("Accessibility.queryAXTree", {"objectId": found["result"]["objectId"]})
    return [
        f"{node['role']['value']} {node.get('name', {}).get('value', '')}".strip()
        for node in tree["nodes"]
        if not node["ignored"]
    ]


def test_a_screen_reader_hears_the_verdict(reader: Reader) -> None:
    """The formula, its number and its verdict; once opened, the panel's table and its buttons."""
    opened = reader.open("lower_bound.md")
    selector = ".vaedocs-equation[data-verdict=proved]:has(.vaedocs-panel ul)"
    equation = opened.locator(selector).first
    number = equation.locator(".vaedocs-number").inner_text().strip("()")
    told = heard(opened, selector)
    mark = f"DisclosureTriangle Equation {number}: proved. How it was checked"
    for part in (f"group Equation {number}", f"link ({number})", mark):
        assert part in told
    assert any(part.startswith("MathML") for part in told)
    assert "columnheader Row" not in told, "closed, the panel is silent"
    equation.locator("summary").click()
    told = heard(opened, selector)
    for part in ("columnheader Row", "cell proved", "cell normal form", "button Copy LaTeX",
                 f"group LaTeX of equation {number}", "link Its line in the ledger"):  # fmt: skip
        assert part in told
    assert "navigation" not in told
    assert "button Copy to clipboard" not in told, "one button copies it"
    assert reader.problems == []


def test_the_line_in_the_ledger_is_there(reader: Reader) -> None:
    """The panel's link leads to the equation's own line, and that line leads back."""
    opened = reader.open("lower_bound.md")
    equation = opened.locator(".vaedocs-equation[id^='eq:']").first
    identifier = equation.get_attribute("id")
    equation.locator("summary").click()
    equation.get_by_role("link", name="Its line in the ledger").click()
    opened.wait_for_url("**/ledger/#*")
    line = opened.locator(f"tr[id='{opened.url.partition('#')[2]}']")
    line.wait_for(state="visible")
    assert str(line.locator("a").first.get_attribute("href")).endswith(f"/#{identifier}")
    assert reader.problems == []


def test_the_ledger_can_be_filtered_and_sorted(reader: Reader) -> None:
    """Words and a verdict leave the lines that have them; a head sorts, and says so."""
    opened = reader.open("ledger.md")
    lines = opened.locator(".vaedocs-ledger tbody tr:visible")
    everything = lines.count()
    opened.get_by_role("combobox", name="Verdict").select_option("computed")
    assert 0 < lines.count() < everything
    assert set(lines.locator("td:nth-child(3)").all_inner_texts()) == {"computed"}
    opened.get_by_role("combobox", name="Verdict").select_option("")
    opened.get_by_label("Find").fill("gibbs")
    assert 0 < lines.count() < everything
    assert opened.locator(".vaedocs-ledger-tools output").inner_text() == f"{lines.count()} shown"
    opened.get_by_label("Find").fill("")
    opened.get_by_role("button", name="Seconds").click()
    seconds = [float(text) for text in lines.locator("td:last-child").all_inner_texts()]
    assert seconds == sorted(seconds)
    head = opened.locator(".vaedocs-ledger th", has_text="Seconds")
    assert head.get_attribute("aria-sort") == "ascending"


@pytest.mark.parametrize(("width", "last"), [(390, 4), (1440, 6)])
def test_the_ledger_is_not_cut_off(browser: Browser, address: str, width: int, last: int) -> None:
    """Its last column ends inside its box: on a telephone the facts, at a desk the seconds."""
    context = browser.new_context(viewport={"width": width, "height": 844})
    opened = Reader(context, address).open("ledger.md")
    box = opened.locator(".vaedocs-ledger").bounding_box()
    heads = [head.bounding_box() for head in opened.locator(".vaedocs-ledger th:visible").all()]
    assert box is not None
    assert len(heads) == last
    assert all(h is not None and h["x"] + h["width"] <= box["x"] + box["width"] + 1 for h in heads)
    drawn = opened.locator(".vaedocs-graph svg").bounding_box()
    words = opened.locator(".vaedocs-graph text").all()
    ends = [place["x"] + place["width"] for word in words if (place := word.bounding_box())]
    assert drawn is not None
    assert max(ends) <= drawn["x"] + drawn["width"] + 1
    context.close()


def test_no_tooltip_lies_on_an_open_panel(reader: Reader) -> None:
    opened = reader.open("lower_bound.md")
    summary = opened.locator(".vaedocs-verdict > summary").first
    summary.hover()
    tooltip = opened.locator(".md-tooltip2")
    tooltip.wait_for(state="visible")
    summary.click()
    tooltip.wait_for(state="hidden")


def test_latex_is_copied(browser: Browser, address: str) -> None:
    """The button puts on the clipboard what the author wrote, once, and says that it did."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address.rstrip("/"))
    opened = Reader(context, address).open("lower_bound.md")
    equation = opened.locator(".vaedocs-equation").first
    equation.locator("summary").click()
    button = equation.get_by_role("button", name="Copy LaTeX")
    button.click()
    equation.get_by_role("button", name="Copied").wait_for()
    copied = opened.evaluate("navigator.clipboard.readText()")
    assert copied.split() == equation.locator(".vaedocs-panel pre").inner_text().split()
    source = (DOCS / "lower_bound.md").read_text(encoding="utf-8").split("$$")[1]
    assert copied.split() == re.sub(r"\\label\{[^{}]*\}", "", source).split()
    context.close()


AUDIT = """() => {
  const found = [];
  const say = (element, words) => found.push(
    words + ": " + element.outerHTML.replace(/\\s+/g, " ").slice(0, 120));
  const shown = element => element.checkVisibility({visibilityProperty: true});
  const name = element => (element.getAttribute("aria-label") || element.title
    || (element.getAttribute("aria-labelledby") || "").split(" ")
        .map(id => document.getElementById(id)?.textContent || "").join("")
    || [...(element.labels || [])].map(l => l.textContent + (l.title || "")).join("")
    || element.innerText || [...element.querySelectorAll("[aria-label], img[alt], svg title")]
        .map(e => e.getAttribute("aria-label") || e.getAttribute("alt") || e.textContent).join("")
    || "").trim();
  for (const element of document.querySelectorAll("article *")) {
    const style = getComputedStyle(element);
    const scrolls = (/auto|scroll/.test(style.overflowX)
        && element.scrollWidth > element.clientWidth + 1)
      || (/auto|scroll/.test(style.overflowY) && element.scrollHeight > element.clientHeight + 1);
    if (!scrolls || !shown(element)) continue;
    if (element.tabIndex < 0) say(element, "a scroll box that no key reaches");
    else if (!name(element)) say(element, "a scroll box without a name");
  }
  for (const element of document.querySelectorAll(
      "article a[href], article button, article summary, article input, article select"))
    if (shown(element) && !name(element)) say(element, "a control without a name");
  for (const element of document.querySelectorAll("article [tabindex]"))
    if (element.tabIndex > 0) say(element, "an order of its own for the Tab key");
  for (const element of document.querySelectorAll("article [aria-hidden=true]"))
    if (element.querySelector("a[href], button, [tabindex='0']"))
      say(element, "focus goes where nothing is read out");
  for (const element of document.querySelectorAll("article .katex"))
    if (!element.querySelector("math") && !element.getAttribute("aria-label"))
      say(element, "a formula that is not read out");
  const levels = [...document.querySelectorAll("article :is(h1, h2, h3, h4, h5, h6)")]
    .map(heading => Number(heading.tagName[1]));
  levels.forEach((level, at) => {
    if (at && level > levels[at - 1] + 1) found.push(`h${levels[at - 1]} is followed by h${level}`);
  });
  if (!document.documentElement.lang) found.push("the page does not say its language");
  return found;
}"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("page", [*NAV, "code/vaedocs/kl_divergence.md"])
def test_everything_can_be_reached_and_has_a_name(
    browser: Browser, address: str, page: str, width: int
) -> None:
    """Scroll boxes take the focus, controls have names, formulas are read out, headings nest."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    opened = Reader(context, address).open(page)
    opened.evaluate("document.querySelectorAll('article details').forEach(d => { d.open = true })")
    opened.evaluate("window.dispatchEvent(new Event('resize'))")
    assert opened.evaluate(AUDIT) == []
    context.close()


def test_the_audit_can_fail(reader: Reader) -> None:
    """A scroll box without the focus, a nameless button and a skipped heading are all found."""
    opened = reader.open("notation.md")
    opened.evaluate(
        "document.querySelector('article').insertAdjacentHTML('beforeend', "
        "'<h2>A</h2><h4>B</h4><button></button>"
        '<p style="width:9em;overflow:auto;white-space:nowrap">' + "word " * 40 + "</p>')"
    )
    found = "\n".join(opened.evaluate(AUDIT))
    for words in ("no key reaches: <p", "without a name: <button", "h2 is followed by h4"):
        assert words in found
