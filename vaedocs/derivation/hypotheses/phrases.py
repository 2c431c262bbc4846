"""Plain phrases: ``x discrete``, ``f deterministic``, ``x and y independent given z``."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.hypotheses.sayings import Sayings
from vaedocs.derivation.parser import parse_statements
from vaedocs.derivation.spelling import spell
from vaedocs.derivation.theory import FunctionInfo

TAG_WORDS = {
    r"(symmetric )?positive[- ]semi-?definite|\bpsd\b": "psd",
    r"(symmetric )?positive[- ]definite|\bspd\b|\bpd\b|covariance( matrix)?": "spd",
    r"\bsymmetric\b": "symmetric",
    r"\borthogonal\b(?! columns| rows)": "orthogonal",
    r"orthonormal( columns)?\b": "orthonormal",
    r"\binvertible\b|non-?singular|full rank": "invertible",
    r"(with )?(a )?positive diagonal\b": "positive diagonal",
    r"(?<!upper )\b(lower )?triangular\b": "triangular",
    r"\bdiagonal\b": "diagonal",
    r"natural number|positive integer": "integer",
    r"non-?negative": "nonnegative",
    r"\bpositive\b": "positive",
    r"\b(an )?integer\b|whole number": "whole",
    r"probability vector|\bsimplex\b|sums? to one": "simplex",
    r"\b(one|1)-?hot( (vectors?|labels?|encod(ed|ing)))?": "onehot",
}


FUNCTION_WORDS = {
    r"((symmetric|positive|(semi-?)?definite|psd|pd|mercer|reproducing)[- ])*kernel": "kernel",
    r"(symmetric )?positive[- ]definite|\bspd\b|covariance( matrix)?": "spd",
    r"\bconvex\b": "convex",
    r"\bconcave\b": "concave",
    r"\binvertible\b|\bbijecti(ve|on)\b|diffeomorphism": "invertible",
    r"(monotonic(ally)? |monotone )?\bincreasing\b": "increasing",
    r"\bsymmetric\b": "symmetric",
    r"non-?negative": "nonnegative",
    r"\bpositive\b": "positive",
}


HARMLESS = re.compile(
    r"deterministic|(continuously )?differentiable|smooth|continuous(ly)?\b|live[s]? in different "
    r"spaces|normali[sz]ed|integrable|finite\b|"
    r"measurable|is a (probability )?density|are densities|is a distribution|are "
    r"distributions|probability distributions?|"
    r"arbitrary|fixed\b|constants?\b|parameters?\b|any (density|distribution)|random "
    r"variables?|scalars?|real\b|vectors?\b|natural log(arithms?)?|regular|"
    r"(negative |minus (the )?)?(\bN?ELBO\b|(evidence|variational) (lower )?bound)( loss)?"
)

DISCRETE = re.compile(r"\bdiscrete\b|(probability )?mass functions?|\bpmf\b")
BESIDES = re.compile(  # U is orthogonal and \\Lambda diagonal
    r"(?<=[a-z]{4}),?\s+and\s+(?=(?:\\[A-Za-z]+|(?!a\s)[A-Za-z](?![A-Za-z]))(?:_\w|_\{[^{}]*\})?"
    r"\s+(?:is\s+|are\s+)?[a-z]{4,})"
)
FILLING = re.compile(
    r"\b(is|are|be|a|an|the|and|with|has|have|of|its|all|both|every|strictly|real|square|"
    r"matrix|matrices|functions?|vectors?|numbers?|variables?|densit(y|ies)|values?|entries)\b"
)
INDEPENDENT = re.compile(
    r"\bi\.?\s?i\.?\s?d\b\.?|independent(ly)?|identically|distributed|mutually|jointly|"
    r"statistically|conditionally|given|draws?|drawn|samples?|copies|noise|from|each|other|under"
)


def unread(words: str, *known: str | re.Pattern[str]) -> str:
    """The first word that is in none of the known patterns: ``not`` of ``is not symmetric``.

    >>> unread("is a symmetric matrix", "symmetric"), unread("is not symmetric", "symmetric")
    ('', 'not')
    """
    for pattern in (*known, FILLING):
        words = re.sub(pattern, " ", words)
    left: list[str] = re.findall(r"(?<!\\)\b[A-Za-z]{2,}\b|\bno\b|-", words)
    return left[0] if left else ""


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


class Phrases(Sayings):
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
        if self._of_integrals(text.strip(" ."), chain):
            return
        if besides := BESIDES.search(text):
            self._phrase(chain, text[: besides.start()])
            self._phrase(chain, text[besides.end() :])
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
        if HARMLESS.search(text) and not unread(text, HARMLESS):
            return
        raise self.reader.refuse(
            chain,
            f"the hypothesis “{text.strip()}” is not understood",
            "write it in LaTeX, for example c > 0 or x \\in \\mathbb{R}^N, or as “x discrete”",
        )

    def _independent(self, text: str, chain: s.Chain) -> None:
        """``x and y independent given z``, ``x independent of y and z``, ``x_1, …, x_N i.i.d.``"""
        said, _, behind = text.partition(" given ")
        odd = unread(text, INDEPENDENT)
        if not odd and "conditionally" in text and not behind:
            odd = "conditionally"
        if not odd and text.count("independent") > 1:
            odd = "independent"
        if odd:
            raise self.reader.refuse(
                chain,
                f"the word “{odd}” is not understood here",
                r"say “x and y independent given z”, or write x \perp y \mid z",
            )
        first, of, second = said.partition(" of ")
        if of and not behind and (function := self._function_named(first)):
            on = self._listed(second, chain)
            self.deferred.append(lambda: self._does_not_depend(function, on, chain))
            return
        kept = frozenset(self._variables(behind, every=True))
        left, right = ([s for s in self._variables(t) if s not in kept] for t in (first, second))
        if not of:
            chosen = [([slot], left[:k]) for k, slot in enumerate(left) if k]
        else:
            chosen = [(left, right)] if left and right else []
        slots = {*left, *right, *kept}
        for head in self._models_of(slots) if chosen else ():
            self.reader.register(head, sorted(slots))
            self.theory.independences += [
                (head, frozenset(own), kept, frozenset(others)) for own, others in chosen
            ]

    def _function_named(self, text: str) -> s.Node | None:
        """The function of “f(x) is independent”."""
        named, _ = split_phrase(text)
        with suppress(NotCheckable, ValueError):
            (made,) = parse_statements(named)
            head = made.left.head if isinstance(made.left, s.Call) else made.left
            if not isinstance(head, s.Name) or look.is_density_head(head, self.scope.survey):
                return None
            return made.left if spell(head) in self.scope.survey.called else None
        return None

    def _variables(self, text: str, every: bool = False) -> list[str]:
        """The random variables that words name; what stands behind “given” is one in any case."""
        made = [self.reader.slot(n) for r in look.listed_in(text) for n in self.reader.expand(r)]
        random, bare = self.scope.survey.random, self.scope.survey.bare
        for name in re.findall(r"\\[a-zA-Z]+|\b[a-zA-Z](?:_\w)?\b", re.sub(FILLING, " ", text)):
            if name in random or (name.isupper() and name in bare and name.lower() not in random):
                made.append(name)
            elif name.lower() in random or every:
                made.append(name.lower())
        return list(dict.fromkeys(made))

    def _tag_words(self, node: s.Node, words: str, chain: s.Chain) -> None:
        words = words.strip()
        if self._saying(node, words, chain):
            return
        if DISCRETE.search(words):
            self._all_read(words, chain, DISCRETE)
            slots = list(look.arguments(node)[0]) if isinstance(node, s.Call) else [node]
            for item in slots:
                if isinstance(item, s.Name):
                    slot = self.reader.slot(item)
                    self.theory.variables[slot] = replace(self.reader.variable(slot), discrete=True)
            return
        if isinstance(node, s.Call) and look.is_density_call(node, self.scope.survey):
            self._all_read(words, chain, HARMLESS, "positive")
            return
        if _tags(words, TAG_WORDS) == {"invertible"} and isinstance(node, s.Product | s.Sum):
            self._all_read(words, chain, *TAG_WORDS)
            return  # X^\top X of all that is drawn is; where it is not, its inverse has no value
        key = self._key(node)
        is_function = isinstance(node, s.Call) or key in self.scope.survey.called
        if is_function and not (
            key in self.scope.survey.bare and key in self.scope.declared_shapes
        ):
            self._all_read(words, chain, *FUNCTION_WORDS, HARMLESS)
            found = _tags(words, FUNCTION_WORDS)
            if found:
                old = self.theory.functions.get(key, FunctionInfo(key))
                self.theory.functions[key] = replace(old, **_flags(found))
            return
        if INDEPENDENT.search(words):
            return
        self._all_read(words, chain, *TAG_WORDS, HARMLESS)
        found = _tags(words, TAG_WORDS)
        size = self.scope.declared_shapes.get(key, ())
        if "orthogonal" in found and len(set(size)) == 2:
            raise self.reader.refuse(
                chain, "an orthogonal matrix is square", "say “orthonormal columns”"
            )
        if "psd" in found:
            found |= {"symmetric", "nonnegative"}
        self._tag(key, *found)
        if found & {"simplex", "onehot"} and not size and isinstance(node, s.Name):
            hint = self.scope.survey.index_hints.get(key, s.Name("K", span=node.span))
            self.scope.declared_shapes[key] = (self.reader.dimension(hint),)

    def _all_read(self, words: str, chain: s.Chain, *known: str | re.Pattern[str]) -> None:
        """Refuse words of which one is unknown: what it takes back or adds would be lost."""
        left = words
        for pattern in (*known, FILLING):
            left = re.sub(pattern, " ", left)
        if unread(words, *known) or re.search(r"\\?\b[A-Za-z]|\d", left):
            raise self.reader.refuse(
                chain,
                f"the words “{words}” are not understood",
                "the language knows: discrete, symmetric, positive definite, orthonormal, "
                "orthogonal, invertible, diagonal, positive, integer, convex, concave",
            )


def _flags(found: set[str]) -> dict[str, Any]:
    return dict.fromkeys(found, True)


def _tags(words: str, known: dict[str, str]) -> set[str]:
    """The tags of the patterns found, the longer ones first: what they hold is read once."""
    found = set()
    for pattern, tag in known.items():
        words, count = re.subn(pattern, " ", words)
        if count:
            found.add(tag)
    return found
