"""What all readers of hypotheses share: the names a statement speaks of, and what is kept about
them.
"""

from __future__ import annotations

from collections.abc import Callable

from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate import Elaborator, Scope
from vaedocs.derivation.letters import is_index_letter
from vaedocs.derivation.rewrite.trees import split_indices
from vaedocs.derivation.spelling import spell, stem


class Statements:
    """The scope, its reader, and names."""

    def __init__(self, scope: Scope, source: str) -> None:
        self.scope = scope
        self.theory = scope.theory
        self.source = source
        self.reader = Elaborator(scope, source)
        self.uniform: list[tuple[s.Call, str, s.Chain]] = []  # densities, over what they are so
        self.normalisers: set[str] = set()  # the constants that are said to be some
        self.normalised: dict[str, str] = {}  # the densities that constants normalise
        self.deferred: list[Callable[[], None]] = []  # what is judged when all else is known

    def _member(self, node: s.Node, target: s.Node) -> None:
        """Read that a name or a value lies in a set."""
        raise NotImplementedError

    def _names(self, node: s.Node) -> list[s.Node]:
        items = s.members(node)
        flat: list[s.Node] = []
        for item in items:
            if isinstance(item, s.Range):
                flat += [part for part in (item.start, item.stop) if part is not None]
            else:
                flat.append(item)
        return flat

    def _key(self, node: s.Node) -> str:
        """Under which name a statement about ``node`` is kept: ``\\mu_i`` with a free index speaks
        of all ``\\mu_\\cdot``.
        """
        if isinstance(node, s.Call):
            return spell(node.head)
        if isinstance(node, s.Name):
            if len(node.subscripts) == 1 and is_index_letter(node.subscripts[0]):
                return stem(node) + "_"
            parts = split_indices(node.subscripts)
            if len(set(map(spell, parts))) == 2 and all(map(is_index_letter, parts)):
                return stem(node) + "__"
            if node.indices and is_index_letter(node.indices[0]):
                return stem(node)
            return self._in_use(spell(node))
        raise self.reader.refuse(node, "a name is needed on the left of this hypothesis")

    def _in_use(self, name: str) -> str:
        """``x \\geq 0`` where only the random X is written speaks of X, and the other way round."""
        other = name.swapcase()
        random, uses = self.scope.survey.random, self.scope.survey.uses
        alone = len(name) == 1 and name not in random and uses[name] < 2
        return other if alone and other in random else name

    def _models_of(self, slots: set[str]) -> list[str]:
        """The models that words about variables speak of: p, or where no p is written, every
        density of all these variables.
        """
        uses = self.scope.survey.signatures
        model = self.scope.survey.model
        if model in uses:
            return [model]
        heads = [
            head
            for head, signatures in uses.items()
            if slots <= {name for one in signatures for name in (*one.left, *one.right)}
        ]
        return heads or [model]

    def _tag(self, key: str, *tags: str) -> None:
        self.scope.declared_tags.setdefault(key, set()).update(tags)
