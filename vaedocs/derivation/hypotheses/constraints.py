"""Every other relation: a constraint that instances respect and steps may use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import sympy
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import syntax as s
from vaedocs.derivation.constants import certain
from vaedocs.derivation.hypotheses.functions import Functions
from vaedocs.derivation.letters import is_index_letter
from vaedocs.derivation.prove import follows
from vaedocs.derivation.rewrite.trees import split_indices
from vaedocs.derivation.spelling import children, spell, stem
from vaedocs.derivation.theory import Fact
from vaedocs.derivation.worlds import test


def _never(symbol: str, left: Expr, right: Expr) -> bool:
    """Whether two plain numbers are certainly not in a relation."""
    opposite = {"=": "!=", "==": "!=", "<": ">=", ">": "<=", "<=": ">", ">=": "<"}.get(symbol)
    return opposite is not None and certain(opposite, left, right)


class Constraints(Functions):
    """Reads what remains."""

    def _constraint(self, chain: s.Chain) -> None:
        if chain.left is None or not chain.links:
            raise self.reader.refuse(chain, "this hypothesis is not understood")
        if self._simplex(chain):
            return
        if name := next(self._of_every_copy(chain), None):
            raise self.reader.refuse(
                name,
                f"of every {spell(name)} only a definition, a law or a sign can be given",
                f"write it out, or define {spell(name)} := …",
            )
        left_node = chain.left
        text = self.source[chain.span[0] : chain.span[1]].strip()
        for link in chain.links:
            if link.symbol == "perp":
                self._orthogonal_variables(left_node, link.right)
                return
            if link.symbol not in {"=", "<", ">", "<=", ">=", "!=", "==", ":="}:
                raise self.reader.refuse(
                    chain, f"a hypothesis with “{link.symbol}” is not understood"
                )
            left = self.reader.expression(left_node)
            with self.reader.sized(self.reader.shape(left)):
                right = self.reader.expression(link.right)
            if link.symbol in {"=", ":="} and self._says_what_is_read(left, right):
                left_node = link.right
                continue
            if link.symbol == ":=":
                if isinstance(left_node, s.Name) and len(chain.links) > 1:
                    hint = "make it two statements"
                    raise self.reader.refuse(chain, "a definition, and an equation behind it", hint)
                self.deferred.append(partial(self._agree, left_node, left, right))
                left_node = link.right
                continue
            if _never(link.symbol, left, right):
                raise self.reader.refuse(
                    chain,
                    "these are two numbers, for which this never holds",
                    r"\pi and e are known numbers: use another letter, or say 0 < \pi < 1",
                )
            if link.symbol in {"=", "=="} and self._symmetric(left, right):
                return
            self._orthonormal(left, right)
            if link.symbol == "=" and self._eigenvector(left, right, text):
                left_node = link.right
                continue
            if self._bounded(left, link.symbol, right):
                left_node = link.right
                continue
            self.theory.constraints.append(
                Fact("=" if link.symbol == "==" else link.symbol, left, right, text, text)
            )
            left_node = link.right

    def _symmetric(self, left: Expr, right: Expr) -> bool:
        """``k(x, y) = k(y, x)``, of all x and y."""
        if not isinstance(left, e.Apply) or not isinstance(right, e.Apply):
            return False
        here, there = tuple(left.args[2]), tuple(right.args[2])
        if left.name != right.name or len(here) != 2 or here != there[::-1]:
            return False
        known = self.theory.functions[left.name]
        self.theory.functions[left.name] = replace(known, symmetric=True)
        return True

    def _says_what_is_read(self, left: Expr, right: Expr) -> bool:
        r"""``\mathbb{E}[x \mid y] := \int x \, p(x \mid y) \, dx`` is how it is read anyway."""
        averages = (e.Expectation, e.Variance, e.Entropy, e.KL)
        if not left.has(*averages) or not right.has(e.Integral, *averages):
            return False
        return follows(self.theory, "=", left, right)

    def _agree(self, node: s.Node, left: Expr, right: Expr) -> None:
        r"""Refuse ``\|A\|_F^2 := …`` where that is something else than what is read."""
        if follows(self.theory, "=", left, right):
            return
        outcome = test("=", left, right, self.theory)
        if outcome.status != "agrees":
            found = outcome.counterexample
            other = f": it is {found.left:.6g}, and not {found.right:.6g}" if found else ""
            message = f"this has a meaning of its own, and cannot be defined anew{other}"
            raise self.reader.refuse(node, message, "use another name")

    def _of_every_copy(self, node: s.Node) -> Iterator[s.Name]:
        """The x_i of a relation with a free i, where a sum of the display counts the x_i."""
        if isinstance(node, s.Expectation | s.BigOperator):
            return
        if isinstance(node, s.Name) and len(node.subscripts) == 1:
            counted = stem(node) in self.scope.known_numbered
            if counted and is_index_letter(node.subscripts[0]):
                yield node
        for child in children(node):
            yield from self._of_every_copy(child)

    def _eigenvector(self, left: Expr, right: Expr, text: str) -> bool:
        r"""``S v = \lambda v``: S is λ along v, and any other matrix M across it."""
        factors = right.args if isinstance(right, sympy.Mul) else (right,)
        if not isinstance(left, sympy.Mul) or len(left.args) != 2 or factors[-1] != left.args[1]:
            return False
        matrix, v = left.args
        made, value = self.reader.shape(matrix), sympy.Mul(*factors[:-1])
        plain = isinstance(matrix, Symbol) and isinstance(v, Symbol) and len(made) == 2
        if not plain or self.reader.shape(value) or matrix in self.theory.definitions:
            return False
        name = f"\\breve{{{matrix}}}"
        self.scope.declared_shapes[name] = made
        other = self.reader.symbol(name)
        self.theory.add_tags(other, *self.theory.tags(matrix))
        if "spd" in self.theory.tags(matrix) and isinstance(value, Symbol):
            self.theory.add_tags(value, "positive")
        along = v * e.Transpose(v) / e.Scalar(e.Transpose(v) * v)
        across = e.Identity(made[0]) - along
        whole = value * along + across * other * across
        self.theory.definitions[matrix] = Fact("=", matrix, whole, text, text)
        return True

    def _simplex(self, chain: s.Chain) -> bool:
        """``\\sum_k \\pi_k = 1``: a probability vector."""
        left, link = chain.left, chain.links[0]
        if not (
            isinstance(left, s.BigOperator)
            and link.symbol == "="
            and isinstance(link.right, s.Number)
            and link.right.text == "1"
        ):
            return False
        if not isinstance(left.body, s.Name) or left.name != "sum":
            return False
        parts, index = split_indices(left.body.subscripts), spell(left.indices[0])
        if len(parts) == 2 and index in map(spell, parts):  # \sum_k \gamma_{nk} = 1
            rows = spell(parts[1]) == index
            self._tag(stem(left.body) + "__", "simplex", "rows" if rows else "columns")
            return True
        if len(left.body.subscripts) != 1:
            return False
        name = stem(left.body)
        size = self.reader.upper(left) if left.domain is None else None
        self._tag(name, "simplex", "positive")
        if size is not None:
            self.scope.declared_shapes.setdefault(name, (size,))
        return True

    def _orthogonal_variables(self, left: s.Node, right: s.Node) -> None:
        """``x \\perp y \\mid z``: p(x | y, z) = p(x | z)."""
        given = right.conditions if isinstance(right, s.Conditioned) else ()
        kept = frozenset(self.reader.slot(item) for item in given if isinstance(item, s.Name))
        target = right.items if isinstance(right, s.Conditioned) else self._names(right)
        others = frozenset(self.reader.slot(item) for item in target if isinstance(item, s.Name))
        own = [self.reader.slot(item) for item in self._names(left) if isinstance(item, s.Name)]
        slots = {*own, *others, *kept}
        for head in self._models_of(slots):
            self.reader.register(head, sorted(slots))
            self.theory.independences.append((head, frozenset(own), kept, others))

    def _orthonormal(self, left: Expr, right: Expr) -> bool:
        """``U^T U = I``: a tag on U, from which instances are drawn; the relation stays as a fact
        for proofs.
        """
        if not isinstance(right, e.Identity):
            return False
        if not isinstance(left, sympy.Mul) or len(left.args) != 2:
            return False
        first, second = left.args
        for outer, inner, tag in (
            (first, second, "orthonormal"),
            (second, first, "orthonormal_rows"),
        ):
            transposed = isinstance(outer, e.Transpose) and outer.args[0] == inner
            if transposed and isinstance(inner, Symbol):
                self.theory.add_tags(inner, tag)
                return True
        return False
