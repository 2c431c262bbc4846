"""What a reader's browser makes of the built book: run after the site is built.

`nox -s site browser`. Where there is no Chromium or no fresh site the tests are skipped and say
why; in CI (the variable CI) that is a failure.
"""

from __future__ import annotations

import functools
import gzip
import http.server
import os
import re
import shutil
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from house import CONFIGURATION, DOCS, NAV, PACKAGE, SITE, pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser
LIGHT, DARK = "rgb(253, 253, 252)", "rgb(22, 24, 29)"  # --book-paper of book.css


def cannot(reason: str) -> None:
    """Skip loudly where a person works; fail where nobody would read the skip."""
    if os.environ.get("CI"):
        pytest.fail(f"the browser tests cannot run: {reason}")
    pytest.skip(f"BROWSER NOT TESTED: {reason}")


def one_page_of_each_part() -> list[str]:
    """Home, then the first page of every part of the navigation."""
    return ["index.md", *(pages(part)[0] for part in CONFIGURATION["nav"][1:])]


def url_of(page: str) -> str:
    """The address of a page below the site's.

    >>> url_of("index.md"), url_of("entropy.md"), url_of("labs/a.py")
    ('', 'entropy/', 'labs/a/')
    """
    return "" if page == "index.md" else page.rsplit(".", 1)[0] + "/"


@pytest.fixture(scope="module")
def site() -> Path:
    """The built site, if it is there and not older than what it is made of."""
    home = SITE / "index.html"
    if not home.is_file():
        cannot("site/ is not built; run `nox -s site` first")
    sources = [*DOCS.rglob("*.md"), *PACKAGE.rglob("*.py")]
    newest = max(sources, key=lambda file: file.stat().st_mtime)
    if newest.stat().st_mtime > home.stat().st_mtime:
        cannot(f"site/ is older than {newest.name}; run `nox -s site` first")
    return SITE


@pytest.fixture(scope="module")
def address(site: Path) -> str:
    """Where the book believes it is served: instant navigation needs this to be true."""
    canonical = re.search(r'rel="canonical" href="([^"]+)"', (site / "index.html").read_text())
    assert canonical, "the home page has no canonical address"
    return canonical[1]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files and keep the test's output free of a line per request."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def browser(site: Path, address: str) -> Iterator[Browser]:
    """Chromium, in which the book's address leads to a server of this test on a free port."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
    if executable is None:
        cannot("no Chromium found; on Debian: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    where = urllib.parse.urlsplit(address)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    book = f"{where.hostname}:{where.port or 80}"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                f"--host-resolver-rules=MAP {book} 127.0.0.1:{server.server_port}",
            ],
        )
        yield browser
        browser.close()
    server.shutdown()
    server.server_close()


class Reader:
    """A page of the browser that writes down what goes wrong on it."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        self.loads = 0
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("request", self._see_request)
        self.page.on("response", self._see_response)

    def _hear(self, message: object) -> None:
        if message.type in ("error", "warning"):  # type: ignore[attr-defined]
            self.problems.append(f"console: {message.text}")  # type: ignore[attr-defined]

    def _see_request(self, request: object) -> None:
        url = request.url  # type: ignore[attr-defined]
        if not url.startswith((self.address, "data:", "blob:")):
            self.problems.append(f"request to another host: {url}")
        self.loads += request.is_navigation_request()  # type: ignore[attr-defined]

    def _see_response(self, response: object) -> None:
        if response.status >= 400:  # type: ignore[attr-defined]
            self.problems.append(f"{response.status}: {response.url}")  # type: ignore[attr-defined]

    def open(self, page: str) -> Page:
        """Open a page of the book and wait until it has settled."""
        self.page.goto(self.address + url_of(page), wait_until="networkidle")
        return self.page


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Reader]:
    """A fresh reader, who prefers light, at a desk."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    yield Reader(context, address)
    context.close()


@pytest.mark.parametrize("page", one_page_of_each_part())
def test_a_page_loads_cleanly(reader: Reader, page: str) -> None:
    """No console error, no missing file, no request to another host, one first heading."""
    opened = reader.open(page)
    assert reader.problems == []
    assert opened.locator("h1").count() == 1
    assert opened.locator("meta[name=description]").get_attribute("content")
    assert opened.locator(".katex-error").count() == 0


@pytest.mark.parametrize("page", [p for p in NAV if (PACKAGE / p).with_suffix(".py").is_file()])
def test_mathematics_is_typeset(reader: Reader, page: str) -> None:
    """Each section shows rendered displays, visible and with a size, and no bare dollar signs."""
    opened = reader.open(page)
    displays = opened.locator(".katex-display")
    assert displays.count() >= 1
    displays.first.scroll_into_view_if_needed()
    box = displays.first.locator(".katex-html").bounding_box()
    assert box is not None
    assert box["width"] > 20
    assert box["height"] > 10
    text = opened.locator("article").inner_text()
    assert "$$" not in text
    assert "\\begin{" not in re.sub(r"(?s)<math.*?</math>", "", text)
    assert reader.problems == []


@pytest.mark.parametrize("page", NAV)
def test_a_telephone_need_not_scroll_sideways(browser: Browser, address: str, page: str) -> None:
    """At 390 px wide, long equations and code scroll inside their own boxes."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    reader = Reader(context, address)
    opened = reader.open(page)
    width = opened.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"{page} is {width} px wide"
    assert reader.problems == []
    context.close()


def test_the_test_of_foreign_requests_can_fail(reader: Reader) -> None:
    """A page that asks another host for a picture is noticed."""
    opened = reader.open("index.md")
    opened.evaluate(
        "() => new Promise(done => { const image = new Image(); "
        "image.onerror = image.onload = done; image.src = 'http://elsewhere.invalid/a.png' })"
    )
    assert any("another host" in problem for problem in reader.problems)


def test_search_finds_a_word(reader: Reader) -> None:
    """Type a word, get the page that is about it; the dialog has a name."""
    opened = reader.open("index.md")
    opened.locator("label.md-search__icon[for=__search]").first.is_visible()
    opened.locator("input.md-search__input").click()
    opened.keyboard.type("entropy", delay=20)
    result = opened.locator(".md-search-result__item a[href*='entropy']").first
    result.wait_for(timeout=10_000)
    assert "ntropy" in result.inner_text()
    assert opened.get_by_role("dialog", name="Search the book").count() == 1
    assert reader.problems == []


def test_instant_navigation_keeps_the_mathematics(reader: Reader) -> None:
    """Following a link swaps the page without a new load, and its displays are there."""
    opened = reader.open("notation.md")
    loads = reader.loads
    opened.locator("article a[href*='kl_divergence']").first.click()
    opened.wait_for_url("**/kl_divergence/*")
    opened.locator(".katex-display").first.wait_for()
    assert reader.loads == loads, "the link was a full page load"
    assert reader.problems == []


def ground(page: Page) -> str:
    """The colour behind the text."""
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_dark_mode_follows_the_system_and_the_button(browser: Browser, address: str) -> None:
    """Dark where the system is dark; the button changes it, and the choice is kept."""
    context = browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 900})
    reader = Reader(context, address)
    opened = reader.open("entropy.md")
    assert ground(opened) == DARK
    opened.locator("label[title='Follow the system']:visible, form label:visible").first.click()
    assert ground(opened) == LIGHT
    reader.open("information.md")
    assert ground(opened) == LIGHT
    assert reader.problems == []
    context.close()


def luminance(colour: str) -> float:
    """Relative luminance of an `rgb(…)` colour (WCAG 2).

    >>> luminance("rgb(255, 255, 255)"), luminance("rgb(0, 0, 0)")
    (1.0, 0.0)
    """
    channels = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(browser: Browser, address: str, scheme: str) -> None:
    """Body, links, navigation and footer reach the contrast of WCAG AA (4.5) on their ground."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    opened = Reader(context, address).open("entropy.md")
    for selector in (
        "article p",
        "article p a",
        ".md-nav__link:visible",
        ".md-copyright__highlight",
    ):
        colours = opened.locator(selector).first.evaluate(
            """element => {
              let ground = element
              while (/, 0\\)$|transparent/.test(getComputedStyle(ground).backgroundColor))
                ground = ground.parentElement
              return [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor]
            }"""
        )
        one, two = sorted(map(luminance, colours))
        assert (two + 0.05) / (one + 0.05) >= 4.5, f"{selector}: {colours}"
    context.close()


# --- verdicts and formulas by keyboard, and for assistive technology ------------------------------


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
@pytest.mark.parametrize("page", NAV)
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


HEAVIEST = 400_000  # bytes of a first visit, compressed as every static host sends it


@pytest.mark.parametrize("name", NAV)
def test_a_first_visit_is_light(browser: Browser, address: str, name: str) -> None:
    """HTML, styles, scripts, pictures and the fonts used, before the reader touches anything."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    weights: dict[str, int] = {}

    def weigh(response: object) -> None:
        url, body = response.url, response.body()  # type: ignore[attr-defined]
        packed = url.endswith((".woff2", ".png", ".zip")) or url.startswith("data:")
        weights[url] = len(body) if packed else len(gzip.compress(body, 6))

    answers: list[object] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(address + url_of(name), wait_until="networkidle")
    for answer in answers:
        weigh(answer)
    context.close()
    assert len(weights) > 3, "the page, a style and a script at least"
    assert not [url for url in weights if "search_index" in url], "nobody searched yet"
    assert sum(weights.values()) < HEAVIEST, sorted(weights.items(), key=lambda item: -item[1])[:4]


def test_a_citation_shows_its_reference_to_the_keyboard(reader: Reader) -> None:
    """Reached with the Tab key, a citation says what it cites."""
    opened = reader.open("kl_divergence.md")
    opened.locator("a[href*='#kullback-1951']").first.focus()
    shown = opened.locator("[role=tooltip], .md-tooltip2--active, .md-tooltip--active")
    shown.filter(has_text="On information and sufficiency").first.wait_for(timeout=5_000)
    assert reader.problems == []
