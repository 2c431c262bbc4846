"""Plain phrases: ``x discrete``, ``f deterministic``, ``x and y independent given z``."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.hypotheses.statements import Statements
from vaedocs.derivation.parser import parse_statements
from vaedocs.derivation.theory import FunctionInfo

TAG_WORDS = {
    r"symmetric positive[- ]definite|positive[- ]definite|spd|\bpd\b|covariance matrix": "spd",
    r"\bsymmetric\b": "symmetric",
    r"\borthogonal\b": "orthogonal",
    r"orthonormal columns|\borthonormal\b": "orthonormal",
    r"\binvertible\b|non-?singular|full rank": "invertible",
    r"\bdiagonal\b": "diagonal",
    r"\bpositive\b": "positive",
    r"non-?negative": "nonnegative",
    r"\binteger\b|whole number": "integer",
    r"probability vector|\bsimplex\b|sums? to one": "simplex",
}


FUNCTION_WORDS = {
    r"positive[- ]definite|\bspd\b|covariance": "spd",
    r"\bconvex\b": "convex",
    r"\bconcave\b": "concave",
    r"invertible|bijecti|diffeomorphism": "invertible",
    r"increasing|monoton": "increasing",
    r"positive": "positive",
    r"non-?negative": "nonnegative",
}


HARMLESS = re.compile(
    r"deterministic|differentiable|smooth|continuous(ly)?\b|live[s]? in different "
    r"spaces|normali[sz]ed|integrable|finite\b|"
    r"measurable|is a (probability )?density|are densities|is a distribution|are "
    r"distributions|probability distributions?|"
    r"arbitrary|fixed\b|constants?\b|parameters?\b|any (density|distribution)|random "
    r"variables?|scalar|real\b|vectors?\b|natural log|regular|"
    r"\bELBO\b|(evidence|variational) (lower )?bound"
)


def split_phrase(text: str) -> tuple[str, str]:
    """``x and y discrete`` as subject and words: the words begin with the first English word."""
    for match in re.finditer(r"(?<![\\\w{])([A-Za-z][a-z.-]+)\b(?![^()]*\))", text):
        if match[1] in {"and", "or"} or text[: match.start()].count("{") > text[
            : match.start()
        ].count("}"):
            continue
        subject = re.sub(r"\s+(?:and|or)\s+", ", ", text[: match.start()]).strip(" ,")
        return subject, text[match.start() :]
    return text, ""


class Phrases(Statements):
    """Reads words."""

    def _described(self, chain: s.Chain, subject: s.Node, words: str) -> None:
        for item in self._names(subject):
            self._tag_words(item, words, chain)

    def _phrase(self, chain: s.Chain, text: str) -> None:
        """A plain phrase: ``x discrete``, ``f deterministic``, ``p(y|x) is a probability mass
        function``.
        """
        if re.search(r"i\.?i\.?d|\bindependent", text):
            self._independent(text, chain)
            return
        subject, words = split_phrase(text)
        if subject and words:
            try:
                parsed = parse_statements(subject)
            except NotCheckable:
                parsed = []
            if (
                len(parsed) == 1
                and not parsed[0].links
                and parsed[0].left is not None
                and not isinstance(parsed[0].left, s.Words)
            ):
                for item in self._names(parsed[0].left):
                    self._tag_words(item, words, chain)
                return
        if HARMLESS.search(text):
            return
        raise self.reader.refuse(
            chain,
            f"the hypothesis “{text.strip()}” is not understood",
            "write it in LaTeX, for example c > 0 or x \\in \\mathbb{R}^N, or as “x discrete”",
        )

    def _independent(self, text: str, chain: s.Chain) -> None:
        names = [
            name
            for name in re.findall(r"\\[a-zA-Z]+|\b[a-zA-Z](?:_\w)?\b", text)
            if name in self.scope.survey.random
            or name.lower() in self.scope.survey.random
            or (name.isupper() and name in self.scope.survey.bare)
        ]
        lower = {name for name in names if name.lower() in self.scope.survey.random}
        slots = [
            name.lower() if name in lower and name not in self.scope.survey.random else name
            for name in names
        ]
        if "given" in text.split():
            position = text.split().index("given")
            after = set(re.findall(r"\b[a-zA-Z]\b", " ".join(text.split()[position:])))
            conditions = frozenset(slot for slot in slots if slot in after or slot.upper() in after)
        else:
            conditions = frozenset()
        named = [slot for slot in dict.fromkeys(slots) if slot not in conditions]
        for head in self._models_of({*slots, *conditions}):
            self.reader.register(head, sorted({*slots, *conditions}))
            self.theory.independences += [
                (head, frozenset({slot}), conditions, frozenset(named[:position]))
                for position, slot in enumerate(named[1:], 1)
            ]

    def _tag_words(self, node: s.Node, words: str, chain: s.Chain) -> None:
        if re.search(r"\bdiscrete\b|mass function|\bpmf\b", words):
            slots = list(look.arguments(node)[0]) if isinstance(node, s.Call) else [node]
            for item in slots:
                if isinstance(item, s.Name):
                    slot = self.reader.slot(item)
                    self.theory.variables[slot] = replace(self.reader.variable(slot), discrete=True)
            return
        if isinstance(node, s.Call) and look.is_density_call(node, self.scope.survey):
            if HARMLESS.search(words):
                return
            raise self.reader.refuse(chain, f"the words “{words.strip()}” are not understood")
        key = self._key(node)
        understood = bool(HARMLESS.search(words))
        is_function = isinstance(node, s.Call) or key in self.scope.survey.called
        if is_function and not (
            key in self.scope.survey.bare and key in self.scope.declared_shapes
        ):
            old = self.theory.functions.get(key, FunctionInfo(key))
            found: dict[str, Any] = {
                flag: True for pattern, flag in FUNCTION_WORDS.items() if re.search(pattern, words)
            }
            if "spd" in found:
                found.pop("positive", None)  # a matrix with negative entries may be one
            if found:
                self.theory.functions[key] = replace(old, **found)
                understood = True
            if understood:
                return
        if re.search(r"independent|i\.?i\.?d", words):
            return
        for pattern, tag in TAG_WORDS.items():
            if re.search(pattern, words):
                self._tag(key, tag)
                understood = True
                if tag in {"spd"}:
                    break
        if not understood:
            raise self.reader.refuse(
                chain,
                f"the words “{words.strip()}” are not understood",
                "the language knows: discrete, symmetric, positive definite, orthonormal, "
                "orthogonal, invertible, diagonal, positive, integer, convex, concave",
            )
