"""Write a page: mathematics, blocks, values and references become placeholders for their HTML."""

from __future__ import annotations

import html
import posixpath
import re

from markdown import Markdown
from markdown.preprocessors import Preprocessor

from vaedocs.site import blocks, ledger, pages, typesetting, verdicts
from vaedocs.site.objects import NoSuchObject
from vaedocs.site.pieces import Block, Display, Note, Prose, Verbatim
from vaedocs.site.reading import read, unknown
from vaedocs.site.state import PageState
from vaedocs.site.vendor import VendorError
from vaedocs.site.worker import WorkerError

INLINE = re.compile(
    r"""
    (?P<code>(?<!`)(?P<ticks>`+)(?!`)(?:.+?)(?<!`)(?P=ticks)(?!`))
  | (?P<ref>(?P<dollar>\$)?\\(?:eq)?ref\{(?P<label>[^{}]*)\}(?(dollar)\$))
  | (?P<label_out>\\label\{[^{}]*\})
  | (?P<escape>\\.)
  | (?P<comment><!--.*?-->)
  | (?P<tag></?[A-Za-z][^<>]*>)
  | (?P<value>\{\{(?P<inner>[^{}]*)\}\})
  | (?P<double>\$\$)
  | \$(?P<math>(?![\s$])(?:\\.|\{\{[^{}]*\}\}|[^$\\`])+?(?<!\s))\$(?!\d)
    """,
    re.VERBOSE | re.DOTALL,
)
SLOT = re.compile(r"\{\{[^{}]*\}\}")
POWER = re.compile(r"(?P<digits>[-\u2212]?\d+(?:\.\d+)?)e(?P<sign>[+-])0*(?P<power>\d+)")
RAISED = str.maketrans(
    "0123456789\u2212", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b"
)
VALUE = re.compile(r"\{\{\s*(?P<name>[A-Za-z_][\w.]*)\s*(?:\|\s*(?P<form>[^{}]*?))?\s*\}\}")


def with_power(text: str, form: str) -> str:
    r"""A number that Python wrote with an ``e``, as people write it; other text as it is.

    Args:
        text: the value.
        form: where it stands: ``"html"``, ``"latex"`` or ``"plain"``.

    >>> with_power("2e-08", "html")
    '2\xa0×\xa010<sup>−8</sup>'
    >>> with_power("1.5e+06", "plain"), with_power("2e-08", "latex"), with_power("0.25", "html")
    ('1.5\xa0×\xa010⁶', '2 \\times 10^{-8}', '0.25')
    """
    match = POWER.fullmatch(text)
    if not match:
        return html.escape(text) if form == "html" else text
    power = match["power"] if match["sign"] == "+" else f"\u2212{match['power']}"
    if form == "latex":
        return f"{match['digits']} \\times 10^{{{power}}}".replace("\u2212", "-")
    raised = f"<sup>{power}</sup>" if form == "html" else power.translate(RAISED)
    return f"{match['digits']}\u00a0\u00d7\u00a010{raised}"


class Write(Preprocessor):
    """Replace mathematics, blocks and values by placeholders for their HTML."""

    def __init__(self, md: Markdown, state: PageState):
        super().__init__(md)
        self.state = state

    def run(self, lines: list[str]) -> list[str]:
        state = self.state
        state.faults, state.displays = [], {}
        processor = getattr(self.md.parser, "blockprocessors", {})
        theirs: tuple[str, ...] = ()
        if "blocks" in processor:
            theirs = tuple(getattr(processor["blocks"], "blocks", {}))
        reading = read(lines, pages.BLOCKS, theirs)
        state.faults.extend(reading.faults)
        own = pages.equations(state.page.source, reading, state.page.meta, state.page.offset)
        self.collect_labels(own)
        numbers = iter(own)
        self.entries = iter(self.checked(reading.displays, own, lines))
        written: list[str] = []
        try:
            for piece in reading.pieces:
                span = lines[piece.start : piece.end]
                if isinstance(piece, Prose):
                    written.extend(self.prose("\n".join(span), piece.start).split("\n"))
                elif isinstance(piece, Display):
                    mark = self.display(piece, next(numbers))
                    written.extend(["", piece.prefix + mark, ""])
                elif isinstance(piece, Note):
                    written.append("")
                elif isinstance(piece, Block):
                    written.extend(self.block(piece, lines))
                elif isinstance(piece, Verbatim):
                    written.extend(span)
        except VendorError as error:
            raise pages.page_errors([f"{state.page.name}: {error}"]) from None
        state.stop_if_faulty()
        return written

    def checked(
        self, pieces: list[Display], own: list[pages.Equation], lines: list[str]
    ) -> list[ledger.Entry]:
        """The displays of this page with their verdicts, if that is asked for."""
        state = self.state
        if not state.option("check") or state.faults:
            return []
        text = "\n".join(lines)
        if state.page.file is not None:
            text = state.page.file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        entries, faults = ledger.check_page(state.page.name, text, pieces, own, state.context())
        for fault in (*faults, *(fault for entry in entries for fault in entry.faults)):
            state.fault(fault.line - state.page.offset, fault.column, fault.message)
        return entries

    # --- labels and references ---

    def collect_labels(self, own: list[pages.Equation]) -> None:
        state = self.state
        here = state.page.source
        others = [e for e in pages.all_equations(state.docs) if e.source != here]
        state.labels = {}
        for equation in (*others, *own):
            if equation.label is None:
                continue
            first = state.labels.setdefault(equation.label, equation)
            if first is not equation and equation.source == here:
                where = f"{pages.shown(state.docs / first.source)}:{first.line}"
                line = equation.line - state.page.offset
                state.fault(
                    line, 0, f'label "{equation.label}" is already used at {where}; choose another'
                )

    def reference(self, label: str, line: int, column: int) -> str:
        state = self.state
        equation = state.labels.get(label)
        if equation is None:
            words = unknown("equation", label, tuple(state.labels)) if state.labels else ""
            if len(words) > 300 or not words:
                words = (
                    words.partition("(there")[0]
                    or f'no equation is labelled "{label}"; write \\label{{{label}}} in its display'
                )
            state.fault(line, column, words.strip())
            return ""
        if equation.source == state.page.source:
            return f"[({equation.number})](#{equation.identifier})"
        folder = posixpath.dirname(state.page.source)
        path = posixpath.relpath(equation.source, folder or ".")
        number = f"({equation.number})"
        title = pages.title(state.docs / equation.source)
        if "." not in equation.number:
            # Without section numbers, "(3)" alone would be mistaken for this page's.
            number = f"({equation.number}) of {title}"
        hint = title.replace("\\", "").replace('"', "\u201d")
        return f'[{number}]({path}#{equation.identifier} "{hint}, equation {equation.number}")'

    # --- prose ---

    def prose(self, text: str, start: int) -> str:
        state = self.state

        def place(position: int) -> tuple[int, int]:
            before = text[:position].split("\n")
            return start + len(before), len(before[-1]) + 1

        def replace(match: re.Match[str]) -> str:
            line, column = place(match.start())
            if match["math"] is not None:
                above = text.rfind("\n", 0, match.start()) + 1
                heading = text.startswith("#", above)
                return self.inline(match["math"], line, column, heading)
            if match["value"] is not None:
                return with_power(self.value(match["value"], line, column), "html")
            if match["ref"] is not None:
                return self.reference(match["label"], line, column)
            if match["label_out"] is not None:
                state.fault(line, column, "\\label belongs inside a $$ display")
                return ""
            if match["double"] is not None:
                state.fault(
                    line, column, "$$ in a paragraph: a display stands alone, on its own lines"
                )
                return match[0]
            if match["escape"] == "\\$":
                return "$"
            return match[0]

        return INLINE.sub(replace, text)

    def inline(self, latex: str, line: int, column: int, heading: bool = False) -> str:
        state = self.state
        latex = VALUE.sub(
            lambda m: (
                with_power(self.value(m[0], line, column), "latex") if "." in m["name"] else m[0]
            ),
            latex,
        )
        latex = re.sub(r"\s*\n[ >]*", " ", latex).replace("\u2212", "-")
        try:
            markup = typesetting.typeset(latex, macros=state.option("macros"))
        except typesetting.BadFormula as error:
            at = max(error.position, 0)
            state.fault(line, column + 1 + at, f"KaTeX cannot read ${latex}$: {error}")
            return ""
        return state.store(typesetting.for_heading(markup) if heading else markup)

    def value(self, text: str, line: int, column: int) -> str:
        match = VALUE.fullmatch(text)
        if not match or "." not in match["name"]:
            self.state.fault(
                line,
                column,
                f'"{text}" is not a value; write {{{{ package.module.function | .3f }}}}, '
                "or put it in code marks if it is not meant as one",
            )
            return ""
        try:
            return self.state.worker.value(match["name"], match["form"] or "")
        except (WorkerError, NoSuchObject) as error:
            self.state.fault(line, column, str(error))
            return ""

    # --- displays and blocks ---

    def display(self, piece: Display, equation: pages.Equation) -> str:
        state = self.state
        entry = next(self.entries, None)
        try:
            markup = typesetting.typeset(
                piece.latex.strip("\n"), display=True, macros=state.option("macros")
            )
        except typesetting.BadFormula as error:
            skipped = len(piece.latex) - len(piece.latex.lstrip("\n"))
            line, column = piece.place(min(max(error.position, 0) + skipped, len(piece.latex)))
            state.fault(line, column, f"KaTeX cannot read this display: {error}")
            return ""
        attributes: dict[str, str] = {}
        slot = ""
        if entry is not None and entry.report is not None:
            slot = verdicts.panel(
                entry.report,
                number=equation.number,
                latex=piece.latex,
                ledger=state.ledger_link(equation),
                source=state.source_link(equation.line),
                macros=state.option("macros"),
                is_open=entry.wrong,
            )
            attributes["data-verdict"] = entry.report.verdict
            if entry.wrong:
                attributes["data-wrong"] = ""
        inner = typesetting.frame(markup, equation.number, equation.identifier, slot)
        mark = state.store(inner)
        tall = typesetting.height(markup)
        state.displays[mark] = {
            "class": "vaedocs-equation",
            "id": equation.identifier,
            "style": f"--vaedocs-height:{tall:.2f}",
            "data-search-exclude": "",
            **attributes,
        }
        return mark

    def block(self, piece: Block, lines: list[str]) -> list[str]:
        state = self.state
        builder = {name: getattr(blocks, name) for name in pages.BLOCKS}
        if "alt" in piece.options:
            piece.options["alt"] = SLOT.sub(
                lambda slot: with_power(self.value(slot[0], piece.start + 1, 0), "plain"),
                piece.options["alt"],
            )
        try:
            before, after = builder[piece.name](piece, state)
        except (blocks.BlockError, WorkerError, NoSuchObject) as error:
            state.fault(piece.start + 1, 0, str(error))
            return []
        content = lines[piece.body : piece.end - 1]
        if not after:
            for number, line in enumerate(content, piece.body + 1):
                if line.strip():
                    state.fault(number, 0, f"/// {piece.name} takes no text; this line is lost")
            return ["", piece.prefix + state.store(before), ""]
        inner = self.prose("\n".join(content), piece.body).split("\n")
        opening, closing = state.store(before), state.store(after)
        return ["", piece.prefix + opening, "", *inner, "", piece.prefix + closing, ""]
