"""One style: text stays text, colours follow the page, the same bytes on every run."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from vaedocs.drawing import COLOURS, arrow, axes, box, describe, diagram, svg


def curve(**options: object) -> str:
    figure, ax = axes(height=2.4)
    ax.plot([0, 1, 2], [0, 1, 4], marker="o", label="a curve", **options)
    ax.set(xlabel=r"latent $z_1$", ylabel="nats")
    ax.legend()
    return svg(figure, "A curve", "Rises <fast> & high.")


def test_every_colour_follows_the_page() -> None:
    drawing = curve(color=COLOURS["orange"])
    assert "var(--vaedocs-orange, #b8590d)" in drawing
    bare = re.sub(r"var\(--vaedocs-\w+, #[0-9a-f]{6}\)", "", drawing)
    assert not re.search(r"[:\"]\s*#[0-9a-f]{3,6}[;\"]", bare)


def test_a_colour_of_ones_own_is_refused() -> None:
    with pytest.raises(ValueError, match="uses the colour #123456, which cannot follow light and"):
        curve(color="#123456")


def test_text_is_text_in_the_pages_font() -> None:
    drawing = curve()
    assert re.search(r'<text style="[^"]*font-family: inherit;[^>]*>nats</text>', drawing)
    assert ">latent\u00a0</tspan>" in drawing
    assert re.search(r"font-style: italic[^>]*KaTeX_Math[^>]*>z</tspan>", drawing)
    assert "DejaVu" not in drawing
    assert "STIX" not in drawing.replace("'STIX Two Math'", "")


def test_words_and_mathematics_keep_their_order() -> None:
    figure, ax = axes()
    ax.set_xlabel(r"one $x$, two $y$ three")
    runs = re.findall(r"<tspan[^>]*>([^<]*)</tspan>", svg(figure, "T"))
    assert "".join(runs).replace("\u00a0", " ") == "one x, two y three"
    assert len(runs) == 5


def test_text_is_never_too_small() -> None:
    figure, ax = axes()
    ax.text(0.5, 0.5, "small", fontsize=4)
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg(figure, "T"))]
    assert min(sizes) >= 11


def test_it_is_well_formed_and_named() -> None:
    root = etree.fromstring(curve())
    space = {"s": "http://www.w3.org/2000/svg"}
    title, words = root.find("s:title", space), root.find("s:desc", space)
    assert title.text == "A curve"
    assert words.text == "Rises <fast> & high."
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {words.get('id')}"
    assert root.find(".//s:style", space) is None, "a style element would reach into the page"
    assert "width" not in root.attrib


def test_the_same_bytes_every_time() -> None:
    assert curve() == curve()


def test_two_figures_share_a_page() -> None:
    one, two = curve(), curve(color=COLOURS["red"])
    ids = [set(re.findall(r'\bid="([^"]+)"', drawing)) for drawing in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for drawing, known in zip((one, two), ids, strict=True):
        assert set(re.findall(r'(?:url\(#|xlink:href="#)([^")]+)', drawing)) <= known
    # Instant navigation sets `href` on whatever has one, and on <use> that raises an error.
    assert not re.search(r'\shref="', one)


def test_arrows_run_from_edge_to_edge() -> None:
    figure, ax = diagram(4, 1)
    one, two = box(ax, 0.5, 0.5, width=0.6), box(ax, 3.5, 0.5, width=0.6, shape="circle")
    arrow(ax, one, two, "map")
    assert one.right == pytest.approx((0.8, 0.5))
    assert two.left == pytest.approx((3.2, 0.5))
    assert two.top == pytest.approx((3.5, 0.8))
    root = etree.fromstring(svg(figure, "T"))
    numbers = [re.findall(r"[-\d.]+", path.get("d")) for path in root.iterfind(".//{*}path")]
    line = next(n for n in numbers if len(n) == 6 and n[1] == n[3] == n[5] == "36")
    assert 0.8 * 72 < float(line[0]) < 0.8 * 72 + 4
    assert 3.2 * 72 - 8 < float(line[4]) < 3.2 * 72


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda ax: box(ax, 0, 0, colour="pink"), 'colour is "pink"; expected one of ink, muted'),
        (lambda ax: box(ax, 0, 0, shape="star"), 'shape is "star"; expected "box", "circle"'),
        (lambda ax: arrow(ax, (0, 0), (1, 1), colour="pink"), 'colour is "pink"'),
        (lambda ax: svg(ax.figure, " "), "title is empty"),
        (lambda ax: axes(width=9), "width is 9 inches; give at most 6.4"),
    ],
)
def test_bad_arguments_in_words(call: object, words: str) -> None:
    _, ax = diagram()
    with pytest.raises(ValueError, match=re.escape(words)):
        call(ax)  # type: ignore[operator]


def test_describe_replaces() -> None:
    drawing = describe(curve(), "Other", "Words")
    assert drawing.count("<title") == drawing.count("<desc") == 1
    assert drawing.count("aria-labelledby") == drawing.count('role="img"') == 1
    assert ">Other</title>" in drawing


def test_matplotlibs_own_settings_are_left_alone() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    curve()
    assert dict(matplotlib.rcParams) == before
