"""From steps to verdicts: a proof is looked for and a counterexample too, for every row."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import sympy
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import report as r
from vaedocs.derivation.constants import METHOD as INTERVALS
from vaedocs.derivation.elaborate import (
    CONST,
    Scope,
)
from vaedocs.derivation.prove import Proof, prove
from vaedocs.derivation.residual import residual
from vaedocs.derivation.rows.estimates import (
    averaged,
    closeness,
    free_variables,
    opposite_optima,
    up_to,
)
from vaedocs.derivation.rows.places import Places, Step
from vaedocs.derivation.rows.possible import judged, out_of_its_domain, within_meaning
from vaedocs.derivation.spelling import names_in
from vaedocs.derivation.theory import Theory
from vaedocs.derivation.worlds import Outcome, test

GLANCE = 7_000  # points for the second opinion on what was derived
COMPARISONS = {"=", "==", ":=", "<=", ">=", "<", ">", "!=", "prop", "~~"}


class Verdicts(Places):
    """Decides steps."""

    def _decide(self, scope: Scope, steps: list[Step]) -> list[r.Row]:
        first: dict[int, Expr | None] = {}
        for step in steps:
            step.subject = first.setdefault(step.chain, step.left)
        rows = [self._row(scope, step) for step in steps]
        rows = judged(rows, steps, scope.theory, self.seed)
        rows = within_meaning(scope, rows, self.seed)
        rows = self._blame(scope, steps, rows)
        rows = self._equivalences(steps, rows)
        return [replace(row, index=position) for position, row in enumerate(rows, 1)]

    @staticmethod
    def _equivalences(steps: list[Step], rows: list[r.Row]) -> list[r.Row]:
        """A ⟺ B where neither holds always says something that no row alone can show."""
        made = list(rows)
        for k, step in enumerate(steps[1:], 1):
            pair = (k - 1, k)
            new_chain = steps[k - 1].chain != step.chain and step.connective == "<=>"
            if new_chain and all(rows[j].verdict == r.REFUTED for j in pair):
                for j in pair:
                    made[j] = replace(
                        rows[j],
                        verdict=r.NOT_CHECKABLE,
                        method="",
                        counterexample=None,
                        residual="",
                        message="neither side of this equivalence holds always",
                        hint="whether they hold together is beyond the language",
                    )
        return made

    def _blame(self, scope: Scope, steps: list[Step], rows: list[r.Row]) -> list[r.Row]:
        """Two wrong neighbours are one wrong expression between them: compare what stands around
        it.
        """
        made = list(rows)
        for k in range(len(rows) - 1):
            one, two = steps[k], steps[k + 1]
            if (
                one.chain != two.chain
                or made[k].verdict != r.REFUTED
                or made[k + 1].verdict != r.REFUTED
            ):
                continue
            if (
                one.relation not in {"=", "=="}
                or one.left is None
                or two.right is None
                or one.error
                or two.error
            ):
                continue
            around = self._row(scope, replace(two, left=one.left, claims=[]))
            if around.ok:
                note = (
                    f"compared with row {one.row - 1}, since row {one.row} is wrong"
                    if one.row > 1
                    else "compared with the first side, since row 1 is wrong"
                )
                first = f"row {one.row - 1}" if one.row > 1 else "the first side"
                sign = r.SYMBOLS.get(two.relation, two.relation)
                before = (
                    f"{first} and row {two.row} agree with each other"
                    if two.relation in {"=", "=="}
                    else f"{first} {sign} row {two.row} holds without it"
                )
                made[k] = replace(
                    made[k],
                    message=before if not made[k].message else f"{made[k].message} ({before})",
                )
                made[k + 1] = replace(around, message=note)
        return made

    def _row(self, scope: Scope, step: Step) -> r.Row:
        started = time.perf_counter()
        if step.error is not None:
            return self.refused(step.error, step=step)
        line, column = self._place(step.span[0])
        row = r.Row(
            self._line_of_display(step.span[0]),
            line,
            column,
            step.relation,
            *step.texts,
            verdict=step.role,
            author_hint=step.hint,
        )
        if step.role == "claim":
            row = self._guarded(scope, step, row)
            if step.relation == ":=" and row.verdict == r.PROVED and not row.uses:
                row = replace(row, verdict=r.DEFINITION, method="is what the notation stands for")
        elif step.role == r.DEFINITION:
            row = replace(row, method=f"introduces {step.texts[0]}; nothing is claimed")
            if step.right is not None and out_of_its_domain(scope, step.right, self.seed):
                message = "what is declared of the name leaves no room for this definition"
                row = replace(row, verdict=r.VACUOUS, method="", message=message)
        else:
            row = replace(row, method="states the model")
        for inner in step.claims:
            made = self._guarded(
                scope, inner, replace(row, message="", uses=(), counterexample=None)
            )
            sign = r.SYMBOLS.get(inner.relation, inner.relation)
            if inner.said:
                row = self._with_hypothesis(row, made, inner.said)
                if row.ok:
                    continue
                return replace(row, seconds=time.perf_counter() - started)
            if not made.ok:
                where = self._place(inner.span[0])
                return replace(
                    made,
                    line=where[0],
                    message=f"the claim in the brace{self._braced(inner.span)} "
                    f"(“{sign} {self._text(inner.span)}”) fails"
                    + (f": {made.message}" if made.message else ""),
                    seconds=time.perf_counter() - started,
                )
            if row.ok and r.ORDER.index(made.verdict) < r.ORDER.index(row.verdict):
                row = replace(row, verdict=made.verdict, method=made.method)
            row = replace(row, uses=tuple(dict.fromkeys((*row.uses, *made.uses))))
        return replace(row, seconds=time.perf_counter() - started)

    @staticmethod
    def _with_hypothesis(row: r.Row, made: r.Row, said: str) -> r.Row:
        """The row of a definition of which a hypothesis speaks, with the verdict on that."""
        uses = tuple(dict.fromkeys((*row.uses, *made.uses)))
        if not made.ok:
            what = "does not hold for" if made.verdict == r.REFUTED else "cannot be decided of"
            message = f"the hypothesis “{said}” {what} what is defined here"
            return replace(made, message=f"{message}: {made.message}".removesuffix(": "))
        if row.verdict == r.TESTED:  # one link of 0 ≤ F ≤ log p(x) is as good as the other
            return replace(row, uses=uses)
        how = "was tested on" if made.verdict == r.TESTED else "follows by"
        method = f"introduces {row.left}; “{said}” {how} {made.method}"
        verdict = r.TESTED if made.verdict == r.TESTED else row.verdict
        return replace(row, method=method, uses=uses, verdict=verdict)

    def _guarded(self, scope: Scope, step: Step, row: r.Row) -> r.Row:
        """The verdict on a claim; a failure of the checker itself is told, and passes nothing."""
        try:
            return self._claim(scope, step, row)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError) as error:
            message = f"the checker failed on this row ({type(error).__name__}: {error})"
            hint = "this is a bug of the checker, please report it"
            return replace(row, verdict=r.NOT_CHECKABLE, message=message, hint=hint)

    def _claim(self, scope: Scope, step: Step, row: r.Row) -> r.Row:
        theory, left, right = scope.theory, step.left, step.right
        if left is None or right is None:
            return replace(row, verdict=r.NOT_CHECKABLE, message="this row has no left side")
        if step.relation not in COMPARISONS:
            sign = r.SYMBOLS.get(step.relation, step.relation)
            return replace(
                row,
                verdict=r.NOT_CHECKABLE,
                message=f"“{sign}” is no relation that can be decided",
                hint=r"write an equation, an inequality, \propto or \approx",
            )
        if step.relation == "~~":
            return self._approximation(scope, step, row, left, right)
        relation, left, right, free_of = self._normalised(
            step.relation, left, right, theory, step.subject
        )
        if self._is_fact(theory, relation, left, right):
            return replace(row, verdict=r.DEFINITION, method="is what the name was defined to be")
        for part in (left.atoms(e.Density) | right.atoms(e.Density)) if scope.noise else ():
            slots = part.key[1] | part.key[2]
            if made := [f"{z} is made of {n}" for z, n in scope.noise.items() if {z, n} <= slots]:
                message = f"since {made[0]}, both together have no density"
                return replace(row, verdict=r.NOT_CHECKABLE, message=message)
        proof = prove(theory, relation, left, right, free_of)
        outcome = test(
            relation,
            left,
            right,
            theory,
            seed=self.seed,
            free_of=free_of,
            **({"points": GLANCE} if proof else {}),
        )
        if proof is not None and proof.method == INTERVALS and _same_digits(outcome):
            outcome = Outcome("agrees", outcome.method, 1)  # e^{-100} > 0: too close to tell there
        if proof is None and outcome.status == "undecided":
            opposite = opposite_optima(left, right, theory, self.seed)
            if opposite is not None:
                message = "where one side is best the other is worst: "
                message += "is one of them arg min and the other arg max?"
                return self._verdict(replace(row, message=message), None, opposite, ("", ""))
        if outcome.status == "refuted" and proof is None:
            beyond = self._beyond(scope, left, right)
            if beyond:
                return replace(row, verdict=r.NOT_CHECKABLE, message=beyond[0], hint=beyond[1])
        told = outcome.status in {"agrees", "undecided"}
        if told and self._is_given(theory, relation, left, right):
            return replace(row, verdict=r.ASSUMPTION, method="is one of the hypotheses")
        failed = outcome.status == "refuted" and relation == "="
        return self._verdict(
            row, proof, outcome, residual(theory, left, right) if failed else ("", "")
        )

    @staticmethod
    def _beyond(scope: Scope, left: Expr, right: Expr) -> tuple[str, str] | None:
        """What no world respects, so that numbers refute nothing: message and hint."""
        theory = scope.theory
        parts = [*sympy.preorder_traversal(left), *sympy.preorder_traversal(right)]
        for part in parts:
            if isinstance(part, e.Apply) and "^{-1}" in part.name:
                other = part.name.replace("^{-1}", "")
                if any(isinstance(p, e.Apply) and p.name == other for p in parts):
                    return (
                        f"that {part.name} inverts {other} is beyond the language",
                        "state the step with one of the two functions alone",
                    )
            if isinstance(part, e.Density):
                made = [slot for slot, _ in part.values if slot in scope.transforms]
                known = [k for k in (*theory.families, *theory.density_definitions) if made]
                told = any(k[0] == part.head and made[0] in k[1] for k in known)
                if (
                    made
                    and not told
                    and not any(
                        key[0] == part.head and set(key[1]) <= inner_names(scope, made[0])
                        for key in theory.density_definitions
                    )
                ):
                    text = scope.transforms[made[0]].text
                    return (
                        f"since {text}, the density of {made[0]} follows from the others",
                        f"state it, for example q({made[0]} \\mid x) = \\mathcal{{N}}(…)",
                    )
        return None

    def _approximation(
        self, scope: Scope, step: Step, row: r.Row, left: Expr, right: Expr
    ) -> r.Row:
        """``≈``: an average over samples must have the right mean; what else it leaves out, nobody
        can decide.
        """
        means = averaged(left, scope.theory), averaged(right, scope.theory)
        made = self._claim(
            scope, replace(step, relation="=", left=means[0], right=means[1], claims=[]), row
        )
        if made.verdict in (r.PROVED, r.COMPUTED, r.TESTED, r.DEFINITION):
            return replace(
                made,
                relation="~~",
                method=f"the estimate is unbiased: {made.method}"
                if means != (left, right)
                else made.method,
            )
        if means != (left, right):
            return replace(
                made, relation="~~", message="the average over the samples has another mean"
            )
        note = closeness(scope.theory, *means)
        if made.verdict == r.REFUTED and note.startswith("far"):
            return replace(made, relation="~~", message=f"the two sides are {note}")
        note = note or "how good it is was not checked"
        return replace(row, verdict=r.ASSUMPTION, method=f"an approximation; {note}")

    def _verdict(
        self, row: r.Row, proof: Proof | None, outcome: Outcome, left_over: tuple[str, str]
    ) -> r.Row:
        if outcome.status == "refuted" and outcome.counterexample is not None:
            example = {
                "left": outcome.counterexample.left,
                "right": outcome.counterexample.right,
                "description": outcome.counterexample.description or "nothing in it can vary",
                "values": outcome.counterexample.values,
            }
            if proof is not None:
                return replace(
                    row,
                    verdict=r.NOT_CHECKABLE,
                    method="contradiction",
                    counterexample=example,
                    message="the checker contradicts itself here: the step was derived by "
                    "rewriting and refuted by an instance; this is a bug of the checker, "
                    "please report it",
                )
            return replace(
                row,
                verdict=r.REFUTED,
                method=outcome.method,
                counterexample=example,
                instances=outcome.instances,
                residual=left_over[0],
                hint=left_over[1],
            )
        if proof is not None and outcome.status != "vacuous":
            return replace(
                row,
                verdict=r.COMPUTED if proof.computed else r.PROVED,
                method=proof.method,
                uses=proof.uses,
                instances=outcome.instances,
            )
        if outcome.status == "agrees":
            return replace(
                row,
                verdict=r.TESTED,
                method=f"{outcome.instances} {outcome.method}",
                instances=outcome.instances,
            )
        if outcome.status == "undecided":
            return replace(
                row,
                verdict=r.NOT_CHECKABLE,
                method=outcome.method,
                message=f"row {row.number} could not be decided: {outcome.reason}",
            )
        return replace(
            row,
            verdict=r.VACUOUS,
            method=outcome.method,
            message=outcome.reason or "no admissible instance could be drawn",
        )

    def _normalised(
        self, relation: str, left: Expr, right: Expr, theory: Theory, subject: Expr | None
    ) -> tuple[str, Expr, Expr, tuple[Symbol, ...]]:
        """What ``∝`` and ``+ const`` claim: equality up to a factor or a term free of some
        variables, of this side or of the first in the chain.
        """
        free = free_variables(left, right, theory)
        if not free and subject is not None:
            free = free_variables(subject, right, theory)
        relation = {"==": "=", ":=": "="}.get(relation, relation)
        unknown = {CONST} | theory.free_of.keys() - theory.definitions.keys()
        found = unknown & (left.free_symbols | right.free_symbols)
        told = theory.free_of | {CONST: theory.varying.get("const", free)}
        if relation == "=" and found and (parts := up_to(left, right, found)) is not None:
            first, *others = (told[one] for one in found)
            return *parts, tuple(v for v in first if all(v in other for other in others))
        if relation in {"=", "prop"} and CONST in found:
            left, right = (side.xreplace({CONST: sympy.Integer(0)}) for side in (left, right))
            return "const", left, right, told[CONST]
        if relation == "prop":
            return "prop", left, right, theory.varying.get(r"\propto", free)
        return relation, left, right, ()

    @staticmethod
    def _is_given(theory: Theory, relation: str, left: Expr, right: Expr) -> bool:
        """Whether a claim is what a hypothesis says, either way round."""
        said = {(f.relation, f.left, f.right) for f in theory.constraints if f.text}
        turned = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}.get(relation, relation)
        return bool(said & {(relation, left, right), (turned, right, left)})

    @staticmethod
    def _is_fact(theory: Theory, relation: str, left: Expr, right: Expr) -> bool:
        if relation != "=":
            return False
        fact = theory.definitions.get(left) if isinstance(left, Symbol) else None
        return fact is not None and fact.right == right


def _same_digits(outcome: Outcome) -> bool:
    """Whether the two sides of a counterexample are told apart by a tolerance alone."""
    found = outcome.counterexample
    return found is not None and math.isclose(found.left, found.right, rel_tol=1e-9, abs_tol=1e-9)


def inner_names(scope: Scope, slot: str) -> set[str]:
    """The random variables that a variable is made of."""
    names = (n for n in names_in(scope.transforms[slot].body))
    return {scope.survey.slot(name) for name in names} & set(scope.survey.random)
