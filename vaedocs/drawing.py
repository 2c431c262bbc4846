"""The one figure style of the book: few colours, real text, light and dark from one drawing.

A figure is drawn once, in matplotlib, with the colours of ``COLOURS`` only. ``svg`` then writes
each of them as a CSS variable, so that the page decides what "ink" or "blue" looks like on a light
or a dark ground, and text stays text: it takes the page's font, can be selected and is searched.

>>> figure, ax = axes(height=2.4)
>>> _ = ax.plot([0, 1, 2], [0, 1, 4], color=COLOURS["blue"])
>>> picture = svg(figure, "A parabola", "Three points on y = x squared.")
>>> "var(--vaedocs-blue" in picture and picture.startswith("<svg")
True
"""

from __future__ import annotations

import hashlib
import html
import io
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import matplotlib
import matplotlib.colors
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch, Polygon
from matplotlib.text import Text

# The values are what a reader without our style sheet sees, so they are proper colours on white;
# no two are equal, because the writer recognises a colour by its value.
COLOURS: dict[str, str] = {
    "ink": "#1f2430",
    "muted": "#5f6775",
    "grid": "#d5d9e0",
    "surface": "#fdfdfc",
    "blue": "#2b66c3",
    "orange": "#b8590d",
    "green": "#24803d",
    "red": "#c0322f",
    "purple": "#7a4bb5",
}
# What matplotlib paints when nobody chose a colour: its text, legend frame and ground.
_DEFAULTS = {"#000000": "ink", "#ffffff": "surface", "#cccccc": "grid"}
_CYCLE = ("blue", "orange", "green", "purple", "red", "muted")
SMALLEST_TEXT = 11.0  # points at 6.4 inches: about 9 px on a telephone 390 px wide

_STYLE: dict[str, Any] = {
    "font.size": 12,
    "axes.titlesize": 12.5,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.titlecolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["muted"],
    "ytick.labelcolor": COLOURS["muted"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.color": COLOURS["grid"],
    "lines.linewidth": 2.0,
    "mathtext.fontset": "stix",
    "svg.fonttype": "none",
    "axes.prop_cycle": cycler(color=[COLOURS[name] for name in _CYCLE]),
}


def axes(
    width: float = 6.4, height: float = 3.6, rows: int = 1, columns: int = 1, **kw: Any
) -> tuple[Figure, Any]:
    """Make a figure in the book's style, `width` by `height` inches.

    Args:
        width: at most 6.4, so that text stays readable on a telephone.
        height: inches.
        rows: rows of axes.
        columns: columns of axes.
        kw: handed to ``Figure.subplots`` (``sharex``, ``width_ratios``, …).

    Returns:
        The figure, and one ``Axes`` (or an array of them, when there are several).

    Raises:
        ValueError: if `width` is over 6.4 inches.

    >>> figure, grid = axes(rows=1, columns=2, sharey=True)
    >>> grid.shape
    (2,)
    """
    if not 0 < width <= 6.4:
        raise ValueError(
            f"width is {width} inches; give at most 6.4, or its text is too small at 390 px"
        )
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(rows, columns, **kw)


def diagram(width: float = 6.4, height: float = 2.4) -> tuple[Figure, Axes]:
    """Make an empty drawing ground whose coordinates are inches from the lower left corner.

    >>> figure, ax = diagram(4, 2)
    >>> ax.get_xlim()
    (np.float64(0.0), np.float64(4.0))
    """
    figure, ax = axes(width, height)
    figure.set_layout_engine("none")
    ax.set_position((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    return figure, ax


@dataclass(frozen=True)
class Box:
    """A box on a diagram: where it is, and the patch an arrow ends on."""

    x: float
    y: float
    width: float
    height: float
    patch: Patch

    @property
    def left(self) -> tuple[float, float]:
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y

    @property
    def top(self) -> tuple[float, float]:
        return self.x, self.y + self.height / 2

    @property
    def bottom(self) -> tuple[float, float]:
        return self.x, self.y - self.height / 2


def box(
    ax: Axes,
    x: float,
    y: float,
    text: str = "",
    *,
    width: float = 1.2,
    height: float = 0.6,
    colour: str = "ink",
    fill: float = 0.08,
    shape: str = "box",
    size: float = 12,
) -> Box:
    """Draw a labelled box centred on (x, y), in the axes' own units.

    Args:
        ax: the axes, best from ``diagram`` (units are inches there).
        x: centre.
        y: centre.
        text: one or two short lines; ``$…$`` is mathematics.
        width: full width (the diameter of a circle).
        height: full height.
        colour: a name in ``COLOURS``.
        fill: opacity of the ground, 0 to 1.
        shape: "box", "circle", "encoder" (narrowing to the right) or "decoder" (widening).
        size: text size in points.

    Returns:
        A ``Box`` with ``left``, ``right``, ``top``, ``bottom``; ``arrow`` accepts it as an end.

    Raises:
        ValueError: if the colour or the shape is not one of ours.
    """
    paint = _colour(colour)
    half, tall = width / 2, height / 2
    style: dict[str, Any] = {"edgecolor": paint, "linewidth": 1.5, "zorder": 2, "clip_on": False}
    patch: Patch
    if shape == "circle":
        height = width
        patch = Circle((x, y), half, **style)
    elif shape == "box":
        corner = min(0.08, tall / 2)
        patch = FancyBboxPatch(
            (x - half, y - tall),
            width,
            height,
            boxstyle=f"round,pad=0,rounding_size={corner}",
            **style,
        )
    elif shape in ("encoder", "decoder"):
        near, far = (tall, tall * 0.55) if shape == "encoder" else (tall * 0.55, tall)
        corners = [
            (x - half, y - near),
            (x + half, y - far),
            (x + half, y + far),
            (x - half, y + near),
        ]
        patch = Polygon(corners, joinstyle="round", **style)
    else:
        raise ValueError(f'shape is "{shape}"; expected "box", "circle", "encoder" or "decoder"')
    patch.set_facecolor((*matplotlib.colors.to_rgb(paint), fill))
    ax.add_patch(patch)
    if text:
        ax.text(x, y, text, ha="center", va="center", color=COLOURS["ink"], fontsize=size, zorder=3)
    return Box(x, y, width, height, patch)


def arrow(
    ax: Axes,
    start: Box | tuple[float, float],
    end: Box | tuple[float, float],
    text: str = "",
    *,
    colour: str = "muted",
    bend: float = 0.0,
    dashed: bool = False,
    size: float = 11,
) -> None:
    """Draw an arrow from `start` to `end`, each a point or a ``Box`` (then from edge to edge).

    Args:
        ax: the axes.
        start: point or box.
        end: point or box.
        text: a short label above the middle.
        colour: a name in ``COLOURS``.
        bend: curvature; positive bends to the right of the direction of travel.
        dashed: a dashed line, for what does not always happen.
        size: text size in points.

    Raises:
        ValueError: if the colour is not one of ours.
    """
    a = (start.x, start.y) if isinstance(start, Box) else start
    b = (end.x, end.y) if isinstance(end, Box) else end
    ax.add_patch(
        FancyArrowPatch(
            a,
            b,
            arrowstyle="-|>",
            mutation_scale=13,
            connectionstyle=f"arc3,rad={bend}",
            patchA=start.patch if isinstance(start, Box) else None,
            patchB=end.patch if isinstance(end, Box) else None,
            shrinkA=2,
            shrinkB=2,
            linewidth=1.5,
            linestyle=(0, (4, 3)) if dashed else "solid",
            color=_colour(colour),
            zorder=1.5,
            clip_on=False,
        )
    )
    if text:
        # The middle of the visible part, not of the centres, when boxes differ in width.
        sideways = abs(b[0] - a[0]) > abs(b[1] - a[1])
        if isinstance(start, Box):
            a = (start.right if b[0] > a[0] else start.left) if sideways else a
        if isinstance(end, Box):
            b = (end.left if b[0] > a[0] else end.right) if sideways else b
        middle = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
        # arc3 puts its control point `bend` of the length aside; the curve passes half way to it.
        apex = middle[0] + bend * (b[1] - a[1]) / 2, middle[1] - bend * (b[0] - a[0]) / 2
        below = bend * (b[0] - a[0]) > 0
        ax.annotate(
            text,
            apex,
            xytext=(0, -5 if below else 5),
            textcoords="offset points",
            ha="center",
            va="top" if below else "bottom",
            color=COLOURS["ink"],
            fontsize=size,
        )


def svg(figure: Figure, title: str, description: str = "") -> str:
    """Write a figure as one inline ``<svg>`` element, the same bytes on every run.

    Colours of ``COLOURS`` become CSS variables with the light colour as a fallback; text stays
    text; width follows the page. `title` is what a pointer sees, `description` what is read aloud.

    Raises:
        ValueError: if the title is empty, or the figure uses a colour that is not ours (an unknown
            colour would not follow light and dark).
    """
    if not title.strip():
        raise ValueError("title is empty; say in a few words what the figure is")
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_math_fontfamily("stix")
        if float(text.get_fontsize()) < SMALLEST_TEXT:
            text.set_fontsize(SMALLEST_TEXT)
    buffer = io.StringIO()
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": "vaedocs"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawing = buffer.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"\s*<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    body = drawing[drawing.index(">") + 1 : drawing.rindex("</svg>")]
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.DOTALL)
    # matplotlib's style element says "*", which in a page means everything.
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = _paint(body)
    body = _set_type(body)
    body = re.sub(r'\bd="([^"]*)"', lambda m: f'd="{_round(m[1])}"', body)
    body = re.sub(r"\n\s*", "\n", body).strip()
    width, height = (72 * inches for inches in figure.get_size_inches())
    key = hashlib.sha256(f"{title}\n{description}\n{body}".encode()).hexdigest()[:8]
    body = _own_ids(body, key)
    return describe(
        f'<svg class="vaedocs-drawing" viewBox="0 0 {width:g} {height:g}" '
        f'style="width:100%;max-width:{width / 72 * 100:.0f}px;height:auto;'
        f'stroke-linejoin:round;stroke-linecap:butt" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'role="img">\n{body}\n</svg>',
        title,
        description,
    )


def describe(drawing: str, title: str, description: str = "") -> str:
    """Give an ``<svg>`` its accessible title and description, replacing those it has.

    >>> named = describe("<svg></svg>", "A dot", "Nothing else.")
    >>> named.endswith('>A dot</title><desc id="f7402b12d">Nothing else.</desc></svg>')
    True
    """
    drawing = drawing[drawing.index("<svg") :]
    head, body = drawing[: drawing.index(">")], drawing[drawing.index(">") + 1 :]
    head = re.sub(r'\s(role|aria-labelledby|aria-label)="[^"]*"', "", head)
    body = re.sub(r"^\s*<title[^>]*>.*?</title>", "", body, flags=re.DOTALL)
    body = re.sub(r"^\s*<desc[^>]*>.*?</desc>", "", body, flags=re.DOTALL)
    key = "f" + hashlib.sha256((title + description + body).encode()).hexdigest()[:7]
    names = f'<title id="{key}t">{html.escape(title, quote=False)}</title>'
    label = f"{key}t"
    if description:
        names += f'<desc id="{key}d">{html.escape(description, quote=False)}</desc>'
        label += f" {key}d"
    return f'{head} role="img" aria-labelledby="{label}">{names}{body}'


def _colour(name: str) -> str:
    if name not in COLOURS:
        raise ValueError(f'colour is "{name}"; expected one of {", ".join(COLOURS)}')
    return COLOURS[name]


def _paint(body: str) -> str:
    """Put a CSS variable where a colour of ours stands; refuse any other colour."""
    names = {value: name for name, value in COLOURS.items()} | _DEFAULTS

    def variable(match: re.Match[str]) -> str:
        name = names.get(match[0].lower())
        if name is None:
            raise ValueError(
                f"the figure uses the colour {match[0]}, which cannot follow light and dark; "
                f"use vaedocs.drawing.COLOURS ({', '.join(COLOURS)}), with alpha for shades"
            )
        return f"var(--vaedocs-{name}, {COLOURS[name]})"

    # Only where a colour can stand: an id or a PNG in base64 may hold "#" and hexadecimal too.
    short = r'(?<=[:"\s])#([0-9a-fA-F])([0-9a-fA-F])([0-9a-fA-F])\b(?=[;"])'
    body = re.sub(short, r"#\1\1\2\2\3\3", body)
    return re.sub(r'(?<=[:"\s])#[0-9a-fA-F]{6}\b(?=[;"\s])', variable, body)


_SPAN = re.compile(r'<tspan x="([-\d.]+)" y="([-\d.]+)" style="([^"]*)">([^<]*)</tspan>')


def _set_type(body: str) -> str:
    """Let text take the page's font, and mathematics KaTeX's, whose widths STIX resembles."""

    def face(match: re.Match[str]) -> str:
        if "STIX" not in match[2]:
            return f"{match[1]}font-family: inherit"
        upright = "KaTeX_Main, 'STIX Two Math', 'Times New Roman', serif"
        slanted = "italic" in match[1]
        return f"{match[1]}font-family: {'KaTeX_Math, ' if slanted else ''}{upright}"

    body = re.sub(r"((?:font-[a-z]+: [^;\"]*; )*)font-family: ([^;\"]*)", face, body)

    body = re.sub(r"<text\b[^>]*>(?:\s*<tspan [^>]*>[^<]*</tspan>)+\s*</text>", _join_words, body)

    def plain(match: re.Match[str]) -> str:
        # Some letters come as mathematical italic code points, which KaTeX's fonts lack.
        if not any(0x1D400 <= ord(letter) <= 0x1D7FF for letter in match[2]):
            return match[0]
        slant = "font-style: italic; font-family: KaTeX_Math, KaTeX_Main"
        opening = match[1].replace("font-family: KaTeX_Main", slant)
        return f"{opening}{unicodedata.normalize('NFKC', match[2])}</tspan>"

    return re.sub(r"(<tspan\b[^>]*>)([^<]*)</tspan>", plain, body)


def _join_words(text: re.Match[str]) -> str:
    """Put the letters of a word together again, which mathematics beside it has pulled apart.

    matplotlib places each of them by itself, in its own font's widths, and lists them by style.
    """
    spans: list[list[str]] = []
    for span in sorted(_SPAN.findall(text[0]), key=lambda found: float(found[0])):
        x, y, style, letters = span
        if spans and spans[-1][1:3] == [y, style] and "font-family: inherit" in style:
            spans[-1][3] += letters
        else:
            spans.append([x, y, style, letters])
    head = text[0][: text[0].index(">") + 1]
    rows = (
        f'<tspan x="{x}" y="{y}" style="{style}">{words}</tspan>' for x, y, style, words in spans
    )
    return head + "\n" + "\n".join(rows) + "\n</text>"


def _round(path: str) -> str:
    """Keep a hundredth of a point: finer than any screen, and half the bytes."""

    def short(number: re.Match[str]) -> str:
        return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")

    return re.sub(r"\s+", " ", re.sub(r"-?\d+\.\d{3,}", short, path)).strip()


def _own_ids(body: str, key: str) -> str:
    """Drop ids that nothing points to; mark the rest, so that two figures can share a page."""
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', body))

    def rename(match: re.Match[str]) -> str:
        return f' id="{key}-{match[1]}"' if match[1] in used else ""

    body = re.sub(r'\sid="([^"]*)"', rename, body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", body)
    return re.sub(r'(?:xlink:)?href="#([^"]+)"', rf'xlink:href="#{key}-\1"', body)
