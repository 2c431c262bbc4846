"""Typeset LaTeX while the page is built: KaTeX inside the ``quickjs`` wheel, no browser script.

The output is HTML for the eye and MathML for everything else. A formula that KaTeX refuses raises
``BadFormula`` with KaTeX's own words and the offset at which it stopped.
"""

from __future__ import annotations

import html
import json
import re
import threading
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

from vaedocs.site import vendor


class BadFormula(ValueError):
    """KaTeX refused a formula; ``position`` is the offset into it, or -1."""

    def __init__(self, message: str, position: int):
        super().__init__(message)
        self.position = position


@lru_cache(maxsize=1)
def shared_macros() -> dict[str, str]:
    r"""The shorthands that pages may use and the checker reads (``derivation/macros.toml``).

    >>> shared_macros()["\\R"]
    '\\mathbb{R}'
    """
    text = (resources.files("vaedocs.derivation") / "macros.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["macros"])


def expand(latex: str, macros: dict[str, str]) -> str:
    r"""Write the macros out, for a reader who does not have them (the checker, the clipboard).

    >>> expand(r"\KL{q}{p} \geq 0", {r"\KL": r"D(#1 \| #2)"})
    'D(q \\| p) \\geq 0'
    """
    for name, meaning in macros.items():
        count = len(set(re.findall(r"#(\d)", meaning)))
        pattern = re.compile(re.escape(name) + r"(?![A-Za-z])\s*")
        at = 0
        while match := pattern.search(latex, at):
            end, arguments = match.end(), []
            for _ in range(count):
                argument, end = _argument(latex, end)
                arguments.append(argument)
            text = re.sub(r"#(\d)", lambda m, found=arguments: found[int(m[1]) - 1], meaning)  # type: ignore[misc]
            tail = latex[end:]
            gap = " " if text[-1:].isalpha() and tail[:1].isalpha() else ""
            latex = latex[: match.start()] + text + gap + tail
            at = match.start() + len(text)
    return latex


def _argument(latex: str, at: int) -> tuple[str, int]:
    while at < len(latex) and latex[at].isspace():
        at += 1
    if latex[at : at + 1] != "{":
        return latex[at : at + 1], at + 1
    depth = 0
    for end in range(at, len(latex)):
        if latex[end] == "{" and latex[end - 1 : end] != "\\":
            depth += 1
        elif latex[end] == "}" and latex[end - 1 : end] != "\\":
            depth -= 1
            if depth == 0:
                return latex[at + 1 : end], end + 1
    return latex[at + 1 :], len(latex)


_here = threading.local()  # a QuickJS context belongs to the thread that made it

_RENDER = """
function render(text, options) {
  try {
    return JSON.stringify({html: katex.renderToString(text, JSON.parse(options))});
  } catch (error) {
    var place = typeof error.position === "number" ? error.position : -1;
    var words = String(error.rawMessage || error.message || error);
    return JSON.stringify({error: words, place: place});
  }
}
"""


def _engine() -> Any:
    if not hasattr(_here, "render"):
        import quickjs

        context = quickjs.Context()
        source = (vendor.ensure() / "katex.min.js").read_text(encoding="utf-8")
        context.eval(source)
        context.eval(_RENDER)
        _here.context, _here.render = context, context.get("render")
    return _here.render


@lru_cache(maxsize=8192)
def _katex(latex: str, display: bool, macros: tuple[tuple[str, str], ...]) -> str:
    options = {
        "displayMode": display,
        "output": "htmlAndMathml",
        "throwOnError": True,
        "trust": False,
        # Of KaTeX's lenient readings, only letters such as an accented one in \text are harmless.
        "strict": "ignore",
        "macros": dict(macros),
    }
    answer = json.loads(_engine()(latex, json.dumps(options)))
    if "error" in answer:
        words = re.sub(
            r" at (?:position \d+|end of input): .*$", "", answer["error"], flags=re.DOTALL
        )
        raise BadFormula(words, answer["place"])
    return str(answer["html"])


def typeset(latex: str, *, display: bool = False, macros: dict[str, str] | None = None) -> str:
    r"""HTML and MathML of a formula.

    Args:
        latex: the formula, without dollars.
        display: as a paragraph of its own.
        macros: further shorthands, name with backslash to meaning.

    Raises:
        BadFormula: KaTeX refused it.
        VendorError: KaTeX is not here and could not be fetched.

    >>> 'class="katex"' in typeset(r"\log p(x)")
    True
    >>> typeset(r"\fracc{1}{2}")
    Traceback (most recent call last):
      ...
    vaedocs.site.typesetting.BadFormula: Undefined control sequence: \fracc
    """
    known = {**shared_macros(), **(macros or {})}
    text = _katex(latex, display, tuple(known.items()))
    if not display:
        # The source is worth its bytes only where a button copies it.
        text = re.sub(r"<annotation .*?</annotation>", "", text, flags=re.DOTALL)
    # The eye's copy must not be searched as well. A search index tells elements apart by their
    # name alone, and spans are everywhere in KaTeX's output: so this one gets a name of its own.
    start = '<span class="katex-html" aria-hidden="true">'
    head, found, tail = text.rpartition(start)
    if found:
        closing = "</span></span>" + ("</span>" if display else "")
        tail = tail.removesuffix(closing)
        text = (
            f'{head}<vaedocs-math class="katex-html" aria-hidden="true" data-search-exclude>'
            f"{tail}</vaedocs-math>" + closing.removeprefix("</span>")
        )
    return text


def height(markup: str) -> float:
    """How tall a typeset display is, in its own em: what the browser may reserve before it paints.

    >>> round(height(typeset(r"x = y", display=True)), 1)
    0.6
    """
    _, _, drawn = markup.rpartition("aria-hidden")
    struts = re.findall(r'class="(?:katex-)?strut" style="height:([\d.]+)em', drawn)
    return max((float(strut) for strut in struts), default=1.0)


def frame(markup: str, number: str, identifier: str, slot: str = "") -> str:
    """A typeset display in a box that scrolls by itself, its number as a permanent link, its slot.

    `slot` holds the verdict; without one, a button that copies the LaTeX.
    """
    number = html.escape(number)
    slot = slot or (
        f'<button class="vaedocs-copy" type="button" data-done="\u2713" '
        f'title="Copy LaTeX" aria-label="Copy the LaTeX of equation {number}">\u29c9</button>'
    )
    return (
        f'<span class="vaedocs-scroll" tabindex="0" role="group" aria-label="Equation {number}">'
        f'{markup}</span><a class="vaedocs-number" href="#{identifier}" '
        f'title="Link to equation {number}">({number})</a>{slot}'
    )


def for_heading(markup: str) -> str:
    """One copy of the words: titles are made of a heading's text, and two would say it twice.

    >>> for_heading(typeset("x"))[:50]
    '<span class="katex" role="img" aria-label="x"><vae'
    """
    words = html.escape(plain(markup))
    start = markup.index('<span class="katex-mathml">')
    end = markup.index("</math></span>") + len("</math></span>")
    head = markup[:start].replace('class="katex"', f'class="katex" role="img" aria-label="{words}"')
    return head + markup[end:].replace("\u200b", "")


def plain(markup: str) -> str:
    """The words of a formula for a table of contents: its MathML without the tags.

    >>> plain(typeset("p(x)"))
    'p(x)'
    """
    inner = re.search(r"<math.*?</math>", markup, flags=re.DOTALL)
    text = re.sub(
        r"<annotation .*?</annotation>", "", inner[0] if inner else markup, flags=re.DOTALL
    )
    return html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\u2061", " ")
