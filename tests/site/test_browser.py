"""What a reader's browser makes of the built book: run after the site is built.

`nox -s site browser`. Where there is no Chromium or no fresh site the tests are skipped and say
why; in CI (the variable CI) that is a failure.
"""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Literal

import pytest
from house import CONFIGURATION, NAV, PACKAGE, pages
from reader import PATIENCE, Reader, url_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
LIGHT, DARK = "rgb(253, 253, 252)", "rgb(22, 24, 29)"  # --book-paper of book.css


def one_page_of_each_part() -> list[str]:
    """Home, then the first page of every part of the navigation."""
    return ["index.md", *(pages(part)[0] for part in CONFIGURATION["nav"][1:])]


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


def test_the_whole_page_is_drawn_without_scrolling(reader: Reader) -> None:
    """A picture of a page, or a program that reads it, finds no display that was left out."""
    opened = reader.open("lower_bound.md")
    assert opened.locator(".katex-display").count() > 5
    drawn = """() => [...document.querySelectorAll(".katex-display")].every(
        display => display.closest("details:not([open])") // an answer that is folded
            || display.checkVisibility({contentVisibilityAuto: true}))"""
    opened.wait_for_function(drawn, timeout=60_000)


@pytest.mark.parametrize("page", [*NAV, "code/vaedocs/kl_divergence.md"])
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
    result.wait_for()
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


def test_styles_stay_in_order_when_pages_are_swapped(reader: Reader) -> None:
    """From the home page into a folder and back: the same sheets in one order, fonts found."""
    sheets = (
        "[...document.querySelectorAll('head style')].map(s => s.textContent)"
        ".filter(text => !text.startsWith('@font-face')).map(text => text.length)"
    )
    opened = reader.open("index.md")
    first = opened.evaluate(sheets)
    assert len(first) >= 4
    assert opened.locator("link[rel=stylesheet]").count() == 0
    opened.locator("article a[href*='kl_divergence']").first.click()
    opened.wait_for_url("**/kl_divergence/*")
    opened.locator(".katex-display").first.wait_for()
    opened.wait_for_function("[...document.fonts].some(font => font.status === 'loaded')")
    assert opened.evaluate(sheets) == first
    opened.locator("a.md-logo:visible").first.click()
    opened.wait_for_url(reader.address)
    opened.locator("article .lead").first.wait_for()
    assert opened.evaluate(sheets) == first
    assert reader.loads == 1
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


HEAVIEST = 400_000  # bytes of a first visit, compressed as every static host sends it


@pytest.mark.parametrize("name", NAV)
def test_a_first_visit_is_light(browser: Browser, address: str, name: str) -> None:
    """HTML, styles, scripts, pictures and the fonts used, before the reader touches anything."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
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
    shown.filter(has_text="On information and sufficiency").first.wait_for()
    assert reader.problems == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_caption_leads_to_lines_that_are_marked(
    browser: Browser, address: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    """The lines begin below the header, stand out from the others, and are those of the caption."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    reader = Reader(context, address)
    opened = reader.open("kl_divergence.md")
    opened.locator("h2").last.scroll_into_view_if_needed()  # the theme writes its anchor down
    link = opened.locator(".vaedocs-source figcaption a[href*='kl_divergence/#L']").first
    first, last = re.findall(r"\d+", link.inner_text())
    link.click()
    opened.wait_for_url(f"**/code/vaedocs/kl_divergence/#L{first}-L{last}")
    opened.wait_for_timeout(500)
    marked, plain = opened.locator(":target"), opened.locator(f"#L{int(last) + 1}")
    box, bar = marked.bounding_box(), opened.locator("header.md-header").bounding_box()
    assert box is not None
    assert bar is not None
    assert bar["height"] <= box["y"] <= bar["height"] + 60
    assert marked.inner_text().startswith("def ")
    colour = "element => getComputedStyle(element).backgroundColor"
    assert marked.evaluate(colour) != plain.evaluate(colour)
    assert opened.evaluate("location.hash") == f"#L{first}-L{last}"
    before = "element => getComputedStyle(element, '::before').content"
    assert plain.evaluate(before) != "none", "a line has its number"
    assert opened.locator(".vaedocs-code pre").evaluate(before) == "none", "the box has none"
    assert reader.problems == []
    context.close()
