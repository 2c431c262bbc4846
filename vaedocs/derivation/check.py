"""From a display to verdicts: read, elaborate, prove, and always try to refute.

``check(text, given=…)`` is the whole checker. Every row goes two ways: the normal form and the
lemmas look for a proof, random worlds look for a counterexample. Where both succeed the checker
contradicts itself, and says so.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import replace

from vaedocs.derivation import report as r
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.besides import besides, words_behind
from vaedocs.derivation.elaborate import (
    NeedsInteger,
    NeedsShape,
    Scope,
)
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.guesses import bold, guesses, sized
from vaedocs.derivation.hypotheses import Hypotheses
from vaedocs.derivation.parser import parse, parse_statements
from vaedocs.derivation.rewrite import as_one
from vaedocs.derivation.rewrite.composed import from_start, in_steps
from vaedocs.derivation.rewrite.mean_field import SIGNS, best_factor, in_two_factors, less_sure
from vaedocs.derivation.rewrite.supposed import averaged, members, supposed
from vaedocs.derivation.rewrite.trees import (
    at_step,
    loose_names,
    stepwise,
)
from vaedocs.derivation.rows.places import DECLARE, Step
from vaedocs.derivation.rows.steps import Steps
from vaedocs.derivation.rows.verdicts import Verdicts
from vaedocs.derivation.spelling import names_in, spell, walk
from vaedocs.derivation.theory import Theory
from vaedocs.derivation.worlds.description import shown

FEW, MANY = 5, 12  # a number for which two or three things are too few, and how many are tried


def check(
    text: str,
    given: str | Iterable[str] = (),
    *,
    path: str = "",
    line: int = 1,
    definitions: Iterable[str] = (),
    holds: str | Iterable[str] = (),
    seed: int = 0,
) -> r.Report:
    r"""Check a display row by row.

    ``text`` is the body of one display in LaTeX; ``given`` its hypotheses, as one text or several
    statements; ``definitions`` are statements of earlier displays that may be used; ``holds`` is
    what must hold besides (see ``besides``); ``path`` and ``line`` say where the text begins, for
    the messages.

    >>> bound = r"\mathbb{E}_{q(z \mid x)}\left[\log \frac{p(x, z)}{q(z \mid x)}\right]"
    >>> report = check(r"\log p(x) \geq " + bound)
    >>> report.verdict
    'proved'
    >>> report.rows[0].uses
    ("Gibbs' inequality", 'p normalises', 'q normalises')
    """
    started = time.perf_counter()
    statements = given if isinstance(given, str) else "\n".join(given)
    base = _Check(text, statements, path, line, tuple(definitions), seed)
    try:
        rows, theory = base.run()
    except Exception as error:  # a page must never be published, or lost, because the checker broke
        rows, theory, base.display = [base.broken(error)], None, None
    report = r.Report(
        latex=text.strip(),
        rows=tuple(rows),
        hypotheses=tuple(theory.assumed) if theory else (),
        label=base.display.label if base.display else "",
        path=path,
        line=line,
        seconds=time.perf_counter() - started,
        definitions=tuple(base.introduced),
    )

    def judge(statement: str, models: tuple[str, ...]) -> r.Report:
        known = (*base.definitions, *report.definitions)
        return check(statement, "\n".join((statements, *models)), definitions=known, seed=seed)

    report = replace(report, rows=words_behind(report.rows, base.display, judge))
    if not (holds := holds if isinstance(holds, str) else "\n".join(holds)).strip():
        return report

    def place(offset: int) -> tuple[int, int]:
        return base._line_of_display(offset), base._place(offset)[0]

    held = besides(report, text, holds, judge, place)
    return replace(report, held=held, seconds=time.perf_counter() - started)


def _as_average(row: r.Row, divergence: str) -> r.Row:
    r"""A row that holds only if a divergence of conditional densities is averaged, with words that
    say so. Of a bare ``D(p \| q)`` this is what information theory means, and the row is not wrong.
    """
    if row.ok:
        return row
    message = f"{divergence} depends on what is given in it; only its average makes this row right"
    hint = r"write the average, \mathbb{E}_{p(x)}[…], if it is meant"
    if not divergence.startswith("D("):
        return replace(row, message=message, hint=hint)
    return replace(
        row, verdict=r.NOT_CHECKABLE, message=message, hint=hint, counterexample=None, residual=""
    )


class _Check(Steps, Verdicts):
    """One run over one display."""

    def broken(self, error: Exception) -> r.Row:
        """The row of a display on which the checker itself failed."""
        message = (
            f"the checker broke on this display ({type(error).__name__}: {error}); "
            "this is a bug of the checker, please report it with the display"
        )
        return r.Row(1, self.line, 1, "", "", "", r.NOT_CHECKABLE, message=message)

    display: s.Display | None = None  # once it was read

    def run(self) -> tuple[list[r.Row], Theory | None]:
        try:
            display = parse(self.text)
        except NotCheckable as error:
            return [self.refused(error)], None
        self.display = display
        try:
            statements = parse_statements(self.given) if self.given.strip() else []
        except NotCheckable as error:
            return [self.refused(error, "in what is given: ")], None
        if (r"\frac" in self.text or "J" in self.text) and (more := supposed(display, statements)):
            statements = self._supposing(more)
        if "|_{" in self.text and (more := members(display, statements)):
            statements = self._supposing(more)
        if r"\circ" in self.given and (more := in_steps(display, statements)):
            statements = self._supposing(more)
        if "_0" in self.given or r"\circ" in self.given:
            display, statements = from_start(display, statements)
        signs = SIGNS.search(self.text)
        factors = in_two_factors(display, statements) if signs else None
        if signs and (more := best_factor(*(factors or (display, statements)))):
            statements = self._supposing(more)
            factors = in_two_factors(display, statements)
        self.display, statements = as_one(*(factors or (display, statements)))
        display = self.display
        rows, theory = self._otherwise(display, statements, *self._settled(display, statements))
        return [less_sure(row) for row in rows] if factors else rows, theory

    def _supposing(self, more: str) -> list[s.Chain]:
        """What is given, and what a display takes for granted besides."""
        self.given = f"{self.given}\n{more}".strip()
        return parse_statements(self.given)

    def _otherwise(
        self, display: s.Display, statements: list[s.Chain], rows: list[r.Row], theory: Theory
    ) -> tuple[list[r.Row], Theory]:
        """What another reading makes of a display in which something fails."""
        if any(not w.ok and (w.method == "shapes" or DECLARE in w.hint) for w in rows):
            before = dict(self.guesses)
            self.guesses |= bold(self.text + self.given, statements, display)
            again = self._settled(display, statements) if self.guesses != before else (rows, theory)
            if not any(w.method == "shapes" or w.verdict == r.NOT_CHECKABLE for w in again[0]):
                return again
            self.guesses = before
        *first, last = rows
        if last.relation in {"<", ">", "<=", ">="} and any(w.verdict == r.REFUTED for w in first):
            self.between = True  # \quad a < b behind what fails without it
            again = self._settled(display, statements)
            return again if all(row.ok for row in again[0]) else (rows, theory)
        if r"\|" in self.text and any(w.verdict == r.REFUTED for w in rows):
            meant, divergence = averaged(display)
            if divergence and all(row.ok for row in self._settled(meant, statements)[0]):
                return [_as_average(row, divergence) for row in rows], theory
        return rows, theory

    def _settled(self, display: s.Display, statements: list[s.Chain]) -> tuple[list[r.Row], Theory]:
        integers: dict[str, int] = {}
        for _ in range(12):
            try:
                rows, theory = self._judged(display, statements, integers)
                return self._step_by_step(display, statements, rows), theory
            except NeedsInteger as need:
                integers = {**integers, need.name: 2}
            except NeedsShape as need:
                self.shapes[need.name] = need.shape
        raise AssertionError("limits do not settle")

    def _step_by_step(
        self, display: s.Display, statements: list[s.Chain], rows: list[r.Row]
    ) -> list[r.Row]:
        """Of ``q(x_t | x_0)``, where only ``q(x_t | x_{t-1})`` is given: tried at t = 2 and 3."""
        letter = None if all(row.ok for row in rows) else stepwise(display, statements)
        if letter is None:
            return rows
        made: list[list[r.Row]] = []
        for value in (2, 3):
            one = at_step(display, letter, value)
            made.append(self._rows_at(one, statements, {"T": value}, {letter: value})[0])
        new = {row.verdict for m in made for row in m} - {row.verdict for row in rows}
        if {len(m) for m in made} != {len(rows)} or new & {r.ASSUMPTION, r.DEFINITION}:
            return rows  # a claim must not become a statement of the model
        note = f"written out for {letter} = 2 and {letter} = 3"
        both = [_both(a, b, note) for a, b in zip(*made, strict=True)]
        # what holds for every t needs no steps
        return [row if row.ok else step for row, step in zip(rows, both, strict=True)]

    def _judged(
        self, display: s.Display, statements: list[s.Chain], integers: dict[str, int]
    ) -> tuple[list[r.Row], Theory]:
        """The rows, at two values of every limit, and at others where these are too like."""
        rows, theory = self._rows_at(display, statements, integers)
        if not integers:
            return rows, theory
        larger = {name: value + 1 for name, value in integers.items()}
        more, _ = self._rows_at(display, statements, larger)
        note = "written out for " + " and ".join(
            ", ".join(f"{n} = {v}" for n, v in chosen.items()) for chosen in (integers, larger)
        )
        rows = [_both(a, b, note) for a, b in zip(rows, more, strict=True)]

        def unless_wrong(value: int, tried: list[bool]) -> list[r.Row]:
            others, _ = self._rows_at(display, statements, dict.fromkeys(integers, value))
            if len(others) != len(rows):
                return rows
            wrong = [b.verdict == r.REFUTED and b.method != "shapes" for b in others]
            every = zip(rows, others, wrong, tried, strict=True)
            return [b if w and t else a for a, b, w, t in every]

        if any(row.relation in {"<", ">"} for row in rows):  # K = 1 makes many things equal
            rows = unless_wrong(1, [True] * len(rows))
        bounded = [row.verdict == r.TESTED and row.relation in {"<=", ">="} for row in rows]
        if any(bounded) and any(int(n) >= FEW for n in re.findall(r"\d{1,9}", self.text)):
            rows = unless_wrong(MANY, bounded)  # what holds for few things may fail for many
        return rows, theory

    def _rows_at(
        self,
        display: s.Display,
        statements: list[s.Chain],
        integers: dict[str, int],
        told: dict[str, int] | None = None,
    ) -> tuple[list[r.Row], Theory]:
        """The rows at these limits; counterexamples say at which they were found."""
        scope, steps = self._elaborated(display, statements, integers)
        rows = self._decide(scope, steps)
        limits = "; ".join(f"{shown(name)} = {value}" for name, value in (told or integers).items())
        for k, row in enumerate(rows if limits else ()):
            example = dict(row.counterexample or {})
            if example.get("description"):
                example["description"] = f"{limits}; {example['description']}"
                rows[k] = replace(row, counterexample=example)
        return rows, scope.theory

    def _elaborated(
        self, display: s.Display, statements: list[s.Chain], integers: dict[str, int]
    ) -> tuple[Scope, list[Step]]:
        """Elaborate twice: the first time shows what shapes the letters have."""
        first = self._scope(display, statements, integers, None)
        steps = self._steps(first, display, statements)
        learnt = first.declared_shapes or first.declared_tags or first.theory.functions
        self.guesses |= guesses(first, statements, display, self.shapes)
        if not (learnt or first.numbered or self.guesses):
            return first, steps  # nothing was learnt, so nothing would be read differently
        scope = self._scope(display, statements, integers, first)
        return scope, self._steps(scope, display, statements)

    def _scope(
        self,
        display: s.Display,
        statements: list[s.Chain],
        integers: dict[str, int],
        learnt: Scope | None,
    ) -> Scope:
        earlier = self._earlier(display, statements)
        trees: list[s.Node] = [*statements, *(chain for _, chain in earlier), *display.chains]
        theory = Theory()
        scope = Scope(theory, look.survey(trees, len(statements)), integers=dict(integers))
        for tree in trees:
            for node in walk(tree):
                if isinstance(node, s.Derivative | s.Extremum):
                    items = node.variables if isinstance(node, s.Derivative) else node.over
                    if isinstance(node, s.Derivative):
                        items = items or scope.survey.gradient_variables(node.body)
                    scope.differentiated |= {
                        spell(inner) for item in items for inner in names_in(item)
                    }
        for chain in display.chains:
            scope.loose |= loose_names(chain)
            scope.sequences |= any(isinstance(n, s.Range | s.BigOperator) for n in walk(chain))
        heads = {name for name in scope.loose if name.split("_")[0] in scope.survey.signatures}
        for _ in [] if scope.sequences else statements:
            for chain in statements:  # what speaks of x_t and of x_{t-1} makes both of them loose
                names = loose_names(chain)
                scope.loose |= names if names & (scope.loose - heads) else set()
        scope.declared_shapes.update(self.shapes)
        if learnt is not None:
            scope.declared_shapes.update(learnt.declared_shapes)
            scope.declared_tags.update(learnt.declared_tags)
            scope.copies |= learnt.copies
            scope.known_numbered |= learnt.numbered
            functions = learnt.theory.functions.items()  # not those that the display defines
            own = learnt.macros.keys() | self.guesses.keys()
            theory.functions.update({k: f for k, f in functions if k not in own})
        if self.guesses:
            scope.guesses = sized(scope, self.guesses, statements, display)
            scope.declared_shapes.update({**scope.guesses, **self.shapes})
        for text, chain in earlier:
            hypotheses = Hypotheses(scope, text)
            hypotheses.read([chain])
        return scope

    def _earlier(self, display: s.Display, statements: list[s.Chain]) -> list[tuple[str, s.Chain]]:
        """Definitions of earlier displays that this one uses, directly or through each other."""
        if not self.definitions:
            return []
        parsed = [(text, parse_statements(text)[0]) for text in self.definitions]
        wanted = {spell(n) for chain in (*display.chains, *statements) for n in names_in(chain)}
        # A variable that has a density here is not the quantity once defined by the same letter.
        wanted -= set(look.survey([*statements, *display.chains]).random)
        used: list[tuple[str, s.Chain]] = []
        changed = True
        while changed:
            changed = False
            for pair in reversed(parsed):
                head = _defined_name(pair[1].left)
                if (
                    head in wanted
                    and pair not in used
                    and not any(_defined_name(c.left) == head for _, c in used)
                ):
                    used.append(pair)
                    wanted |= {spell(n) for n in names_in(pair[1])}
                    changed = True
        return list(reversed(used))


def _both(first: r.Row, second: r.Row, note: str) -> r.Row:
    """The verdict on a general limit from two concrete ones: never more than tested."""
    worse = min(first, second, key=lambda row: r.ORDER.index(row.verdict))
    made = replace(worse, seconds=first.seconds + second.seconds)
    if worse.verdict in (r.PROVED, r.COMPUTED):
        return replace(made, verdict=r.TESTED, method=f"{worse.method}, {note}")
    return made


def _defined_name(node: s.Node | None) -> str:
    if isinstance(node, s.Call):
        return spell(node.head)
    return spell(node)
