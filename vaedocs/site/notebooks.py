"""Typeset the mathematics of notebook pages after the build.

    python -m vaedocs.site.notebooks site/ [--check]

mkdocs-jupyter does not run Markdown extensions on a notebook's cells: it leaves ``$…$`` in the
HTML, and a loader for a script that typesets in the browser. Here the loader goes, and every
formula in a Markdown cell is typeset as on any other page. With ``--check`` displays are checked.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
from dataclasses import replace
from pathlib import Path

from vaedocs.site import ledger, pages, typesetting, verdicts
from vaedocs.site.pieces import Display
from vaedocs.site.vendor import VendorError
from vaedocs.site.worker import Worker

_LOADERS = (
    r"<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->",
    r'<script type="module">(?:(?!</script>).)*?mermaid(?:(?!</script>).)*?</script>',
)
_COPIED = re.compile(r'<div (class="clipboard-copy-txt"[^>]*)>(.*?)</div>', re.DOTALL)
_CELL = '<div class="jp-RenderedHTMLCommon jp-RenderedMarkdown'
_SKIP = re.compile(r"<(code|pre|script|style|svg)\b.*?</\1>|<!--.*?-->|<[^>]+>", re.DOTALL)
_FORMULA = re.compile(
    r"\$\$(?P<display>.+?)\$\$"
    r"|(?P<environment>\\begin\{(?P<name>align\*?|equation\*?|gather\*?)\}.+?\\end\{(?P=name)\})"
    r"|(?<!\\)\$(?P<inline>(?![\s$])(?:\\.|[^$\\])+?(?<!\s))\$(?!\d)",
    re.DOTALL,
)


class Notebook:
    """One built notebook page."""

    def __init__(self, file: Path, context: ledger.Context | None):
        self.file, self.context = file, context
        self.problems: list[str] = []
        self.displays = 0

    def rewrite(self, text: str) -> str:
        """The page with its formulas typeset; ``problems`` tells what could not be."""
        for loader in _LOADERS:
            text = re.sub(loader, "", text, flags=re.DOTALL)
        # What the copy button copies is code, and no place for formulas.
        text = _COPIED.sub(r"<pre \1>\2</pre>", text)
        parts, at = [], 0
        while (start := text.find(_CELL, at)) >= 0:
            end = _closing(text, start)
            parts += [text[at:start], self.cell(text[start:end])]
            at = end
        return "".join(parts) + text[at:]

    def cell(self, text: str) -> str:
        # A display may hold <br> or run over tags' edges only if Markdown broke it: so formulas
        # are looked for between tags, and what is left over is found by the gate.
        parts, at, given = [], 0, ""
        for tag in [*_SKIP.finditer(text), None]:
            end = tag.start() if tag else len(text)
            parts.append(_FORMULA.sub(lambda m, g=given: self.formula(m, g), text[at:end]))  # type: ignore[misc]
            if tag:
                note = re.fullmatch(r"<!--\s*given:(.*?)-->", tag[0], re.DOTALL)
                given = html.unescape(note[1]) if note else given if tag[0][1] == "p" else ""
                parts.append("" if note else tag[0])
                at = tag.end()
        return re.sub(
            r'<p>\s*(<div class="vaedocs-equation".*?</div>)\s*</p>',
            r"\1",
            "".join(parts),
            flags=re.S,
        )

    def formula(self, match: re.Match[str], given: str) -> str:
        text = html.unescape(match["display"] or match["environment"] or match["inline"])
        try:
            if match["inline"]:
                return typesetting.typeset(text)
            return self.display(text, given)
        except typesetting.BadFormula as error:
            self.problems.append(f"{self.file}: KaTeX cannot read ${text.strip()}$: {error}")
            return html.escape(match[0])

    def display(self, text: str, given: str) -> str:
        text = text.strip("\n")
        markup = typesetting.typeset(text, display=True)
        self.displays += 1
        number, identifier = str(self.displays), f"eq-{self.displays}"
        equation = pages.Equation(self.file.parent.name, identifier, number, None, 0)
        slot, verdict = "", ""
        if self.context:
            piece = Display(0, text.count("\n") + 1, latex=text, columns=[2])
            source = (f"<!-- given:{given}-->\n" if given else "") + f"$${text}$$\n"
            equation = replace(equation, line=source[: source.index("$$")].count("\n") + 1)
            (entry,), faults = ledger.check_page(
                str(self.file), source, [piece], [equation], self.context
            )
            for fault in (*faults, *entry.faults):
                self.problems.append(f"{self.file}: display {number}: {fault.message}")
            if entry.report:
                slot = verdicts.panel(entry.report, number=number, latex=text)
                verdict = f' data-verdict="{entry.report.verdict}"'
        inner = typesetting.frame(markup, number, identifier, slot)
        tall = typesetting.height(markup)
        return (
            f'<div class="vaedocs-equation" id="{identifier}"{verdict} data-search-exclude '
            f'style="--vaedocs-height:{tall:.2f}">{inner}</div>'
        )


def _closing(text: str, start: int) -> int:
    """Where the ``div`` that opens at `start` ends."""
    depth = 0
    for tag in re.compile(r"<(/?)div\b[^>]*>").finditer(text, start):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return tag.end()
    return len(text)


def rewrite_all(site: Path, check: bool = False) -> tuple[int, list[str]]:
    """Typeset every notebook page below `site`; return how many, and what is wrong with them."""
    context = None
    if check:
        worker = Worker(Path(".cache/vaedocs"))
        context = ledger.Context(worker, {})
    count, problems = 0, []
    for file in sorted(site.rglob("*.html")):
        text = file.read_text(encoding="utf-8")
        if 'class="jupyter-wrapper"' not in text:  # a style sheet may speak of it, too
            continue
        notebook = Notebook(file, context)
        fresh = notebook.rewrite(text)
        problems += notebook.problems
        if fresh != text:
            file.write_text(fresh, encoding="utf-8")
        count += 1
    return count, problems


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m vaedocs.site.notebooks", description=__doc__)
    parser.add_argument("site", type=Path, nargs="?", default=Path("site"))
    parser.add_argument("--check", action="store_true", help="check displays, too")
    options = parser.parse_args(arguments)
    try:
        count, problems = rewrite_all(options.site, options.check)
    except VendorError as error:
        count, problems = 0, [str(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{count} notebook pages typeset.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
