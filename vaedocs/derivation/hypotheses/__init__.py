"""What is given: statements in LaTeX and a few plain phrases, turned into a theory.

A statement that is not understood is an error at its place, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate import NeedsInteger
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.hypotheses.constraints import Constraints
from vaedocs.derivation.hypotheses.declarations import Declarations
from vaedocs.derivation.hypotheses.definitions import Definitions
from vaedocs.derivation.hypotheses.phrases import INDEPENDENT, unread
from vaedocs.derivation.parser.conventions import is_convention
from vaedocs.derivation.spelling import names_in, spell, walk

SEEN = r"(?:by|per|the)?\s*(?:definition|construction|assumption|convention)|\w"


class Hypotheses(Declarations, Definitions, Constraints):
    """Reads the statements of one ``given`` into a scope."""

    def read(self, statements: list[s.Chain]) -> None:
        """Read all statements: shapes and domains first, then families, definitions and what
        remains.
        """
        statements = [self._with_words(chain) for chain in statements]
        self._said_once(statements)
        later = [chain for chain in statements if not is_convention(chain)]
        later = [chain for chain in later if not self._declaration(chain)]
        for chain in later:
            self._behind(chain)
        for node, on, chain in self.uniform:
            self._uniform(node, on, chain)
        later = [chain for chain in later if not self._moment_of_law(chain, statements)]
        later = [chain for chain in later if not self._definition(chain)]
        later = [chain for chain in later if not self._instances(chain, self._family)]
        for chain in later:
            self._constraint(chain)
        for judge in self.deferred:
            judge()
        for chain in statements:  # \epsilon \sim \mathcal{N}(0, 1) independent of x
            drawn = bool(chain.links) and chain.links[-1].symbol == "~"
            if drawn and "independent of" in chain.words and chain.left is not None:
                self._independent(f"{self.source[slice(*chain.left.span)]} {chain.words}", chain)
        self._carry_densities()
        self._for_every_version()
        for chain in statements:
            start, end = chain.span
            text = self.source[start:end].strip()
            if text and text not in self.theory.assumed:
                self.theory.assumed.append(text)

    def _behind(self, chain: s.Chain) -> None:
        r"""Words behind an equation say what its left side is, ``\\Sigma = A A^\\top positive
        definite``, or how it is drawn.
        """
        words, left = chain.words.strip(" ,.()"), chain.left
        if not words or not chain.links or re.fullmatch(SEEN, words):
            return
        if chain.links[-1].symbol in {"~", "~~"}:
            if unread(words, INDEPENDENT, r"\bof\s.+"):
                raise self.reader.refuse(chain, f"the words “{words}” are not understood")
        elif isinstance(left, s.Name | s.Call) and len(chain.links) == 1:
            self._tag_words(left, words, chain)
        else:
            raise self.reader.refuse(
                chain, f"the words “{words}” are not understood", "make it two statements"
            )

    def _said_once(self, statements: list[s.Chain]) -> None:
        """Refuse a name that is defined twice, or a density with two formulas."""
        said: dict[str, s.Chain] = {}
        for chain in statements:
            left = chain.left
            if left is None or len(chain.links) != 1:
                continue
            (link,) = chain.links
            is_density = link.symbol in {"=", "==", "~"} and (
                look.is_density_call(left, self.scope.survey)
                or (isinstance(link.right, s.Call) and bool(look.family(link.right.head)))
            )
            if link.symbol != ":=" and not is_density:
                continue
            before = said.setdefault(spell(left), chain)
            if spell(before.links[0].right) != spell(link.right):
                name = self.source[slice(*left.span)]
                raise self.reader.refuse(chain, f"{name} is already said to be something else")

    def _moment_of_law(self, chain: s.Chain, statements: list[s.Chain]) -> bool:
        """Whether ``m := \\mathbb{E}_{p(x)}[x]`` is said of an m of which p(x) is made: a claim."""
        mean = chain.only and chain.only.right
        if not isinstance(mean, s.Expectation) or len(mean.samplings) != 1:
            return False
        law, own = mean.samplings[0].distribution, spell(chain.left)
        if not any(
            c.only and c.left == law and own in map(spell, names_in(c.only.right))
            for c in statements
        ):
            return False
        self.deferred.append(lambda: self._constraint(chain))
        return True

    def _with_words(self, chain: s.Chain) -> s.Chain:
        """A statement whose last words were read as the author's reason: they describe it."""
        hints = [link.hint for link in chain.links if link.hint]
        last = chain.links[-1] if chain.links else None
        if last is not None and last.symbol == "in" and isinstance(last.right, s.Product):
            *sets, words = last.right.factors
            said = words.text if isinstance(words, s.Words) else ""
            if isinstance(words, s.Name) and words.style == "rm" and words.base.islower():
                said = words.base
            if said and len(sets) == 1:
                chain = replace(chain, links=(*chain.links[:-1], replace(last, right=sets[0])))
                hints.append(said)
        if not hints:
            return chain
        links = tuple(replace(link, hint="") for link in chain.links)
        return replace(chain, links=links, words=" ".join((*hints, chain.words)).strip())

    def _instances(self, chain: s.Chain, read: Callable[[s.Chain], bool]) -> bool:
        """A statement about ``x_t`` with a free t holds for every t that is being tried."""
        letters = {
            spell(inner)
            for name in names_in(chain)
            if look.stem_of_variable(name) in self.scope.survey.separate
            for part in name.subscripts
            for inner in names_in(part)
            if not inner.style and inner.base not in {"T", "N", "K"}
        } - set(self.scope.integers)
        if len(letters) != 1:
            return read(chain)
        (letter_name,) = letters
        understood = False
        numbered = {
            spell(name)
            for name in names_in(chain)
            if any(spell(inner) in letters for part in name.subscripts for inner in walk(part))
        }
        if numbered & self.scope.loose:  # the display speaks of x_t as it stands
            understood = read(chain)
            if not self.scope.sequences:
                return understood
        if not self.scope.integers:
            raise NeedsInteger("T")
        for k in range(1, max(self.scope.integers.values()) + 1):
            self.scope.integers[letter_name] = k
            try:
                understood = read(chain) or understood
            except NotCheckable:
                pass  # t = 1 may have no predecessor
            finally:
                del self.scope.integers[letter_name]
        return understood


__all__ = ["Hypotheses"]
