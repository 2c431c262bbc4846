"""Names with indices: an entry of a vector or a matrix, one of several copies, or a name of its
own.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.flows import Flows
from vaedocs.derivation.elaborate.scope import NeedsShape
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.letters import INDEX_LETTERS
from vaedocs.derivation.rewrite.trees import split_indices
from vaedocs.derivation.spelling import names_in, spell, stem, walk
from vaedocs.derivation.theory import Fact, Shape


class Entries(Flows):
    """Reads indices."""

    def _entry_of(self, node: s.Name) -> Expr | None:
        r"""\mu_{q,j}, where the index j is bound: the entry j of \mu_q, or one of a family."""
        parts, survey = split_indices(node.subscripts), self.scope.survey
        if len(parts) != 2 or node.indices or {stem(node)} & {*survey.bare, *self.theory.shapes}:
            return None
        if len(self.scope.declared_shapes.get(stem(node) + "_", ())) == 1:
            return None  # x_{ij} of vectors x_i
        dot = s.Name(r"\cdot", span=node.span)
        for kept, index, places in ((*parts, (parts[0], dot)), (*parts[::-1], (dot, parts[1]))):
            whole, counts = replace(node, subscripts=(kept,)), self._is_index(index)
            if self._is_index(kept):
                continue
            if spell(whole) in survey.bare and counts:
                if not self.shape(vector := self.expression(whole)):
                    hint = rf"write {spell(whole)} \in \mathbb{{R}}^{{n}}"
                    raise self.refuse(node, f"{spell(whole)} is no vector and has no entries", hint)
                return e.Component(vector, [self.scalar(index)])
            family = spell(replace(node, subscripts=places))
            known = family in self.scope.known_numbered and isinstance(index, s.Number)
            free = counts or not self._looks_like_index(kept)
            if free and spell(whole) not in survey.bare:
                if counts:
                    self.scope.numbered.add(family)
                if counts or known:
                    return e.Item(self.symbol(family, family), self.scalar(index))
        return None

    def _indexed(self, node: s.Name, name: str) -> Expr:
        """A name with its indices: a component, one of a family of copies, or a name of its own."""
        base = stem(node)
        if sizes := self._sizes_of_two(node):
            raise NeedsShape(base, sizes)
        whole = len(self.scope.declared_shapes.get(base, ())) == 2  # a_{nj} of a matrix a
        if not whole and (entry := self._entry_of(node)) is not None:
            return entry
        if len(split_indices(node.subscripts)) == len(self._shape_of_whole(node)) == 2:
            node = replace(node, subscripts=split_indices(node.subscripts))
        if (entry := self._entry_of_numbered(node)) is not None:
            return entry
        if node.indices and all(self._is_index(part) for part in node.indices):
            if node.subscripts and self.is_entry(replace(node, indices=())):
                copy = e.Item(self._whole(node), self.scalar(node.indices[0]))
                return e.Component(copy, self.entry(node.subscripts, self._shape_of_whole(node)))
            family = self._indexed(replace(node, indices=()), spell(replace(node, indices=())))
            if isinstance(family, e.Component):  # x^{(i)}_j: the entry of a copy
                return e.Component(
                    e.Item(family.args[0], self.scalar(node.indices[0])), family.args[1]
                )
            return e.Item(family, self.scalar(node.indices[0]))
        if node.subscripts and not node.indices:
            declared = () if base in self.scope.copies else self._shape_of_whole(node)
            fits = bool(declared) and len(node.subscripts) == len(declared)
            bound = all(self._is_index(p) or isinstance(p, s.Number) for p in node.subscripts)
            if fits and bound and not self.scope.declared_shapes.get(name):
                entries = [self.scalar(part) for part in node.subscripts]
                return e.Component(self._whole(node), entries)
            own = {name, base + "_"} & self.scope.declared_shapes.keys()
            if fits and not own and all(map(self._may_be_index, node.subscripts, declared)):
                return e.Component(self._whole(node), self.entry(node.subscripts, declared))
            number = self._number_of_copy(node, name) if len(node.subscripts) == 1 else None
            if number is not None:
                return e.Item(self._family(base), number)
            if len(node.subscripts) == 2 and all(map(self._is_index, node.subscripts)):
                first, second = map(self.scalar, node.subscripts)
                return e.Item(e.Item(self._family(base), first), second)
        if any(isinstance(n, s.Extremum) for part in node.subscripts for n in walk(part)):
            raise self.refuse(node, "which entry is this?", r"write \max_k a_k for the largest")
        return self.symbol(name, base)

    def _number_of_copy(self, node: s.Name, name: str) -> Expr | None:
        """The i of x_i, where there are several x."""
        (part,), base, scope, survey = node.subscripts, stem(node), self.scope, self.scope.survey
        if self._is_index(part):
            scope.numbered.add(base)
            return self.scalar(part)
        family = base + "_" in scope.declared_shapes
        if base in survey.index_hints:
            if isinstance(part, s.Number):
                if not (family or self._is_sequence(base) or base in scope.unrolled):
                    return self.scalar(part)
            elif self._looks_like_index(part) and base not in survey.random:
                return self._free_index(part, self.dimension(survey.index_hints[base]))
        other = {base} & (scope.unrolled | survey.random.keys() | survey.separate)
        if base not in scope.known_numbered or other or name in scope.declared_shapes:
            return None
        if not self._could_be_index(part):
            return None
        if base in survey.counted and isinstance(part, s.Name):
            size = self.dimension(s.Name("n", span=node.span))  # as far as the sum counts
            return self._free_index(part, size)
        return self._index(part)

    def _sizes_of_two(self, node: s.Name) -> Shape:
        r"""How far the indices of an undeclared ``\gamma_{nk}`` run, of which a sum binds one: as
        far as sums over what stands in their places; () if it is no such name.
        """
        parts, base, survey = split_indices(node.subscripts), stem(node), self.scope.survey
        known = self.scope.declared_shapes.keys() | self.scope.macros.keys() | survey.random.keys()
        if len(parts) != 2 or node.indices or {base, base + "_", spell(node)} & known:
            return ()
        letters = [part for part in parts if self._may_be_index(part)]
        if len(letters) < 2 or not any(map(self._is_index, parts)) or base in survey.bare:
            return ()
        if base in survey.separate | survey.iid | self.scope.copies | survey.called:
            return ()
        nodes = [node for tree in survey.trees for node in walk(tree)]
        ends = {
            spell(index): one.upper
            for one in nodes
            if isinstance(one, s.BigOperator) and one.upper is not None
            for index in one.indices
        }
        alike = [
            split_indices(n.subscripts) for n in nodes if isinstance(n, s.Name) and stem(n) == base
        ]
        if any(len(one) != 2 for one in alike) or "oo" in map(spell, ends.values()):
            return ()
        made = []
        for place in (0, 1):
            here = [one[place] for one in alike if isinstance(one[place], s.Name)]
            told = [ends[spell(one)] for one in here if spell(one) in ends]
            if not (told or here):
                return ()
            own = s.Name(spell(here[0]).upper(), span=node.span) if here else node
            made.append(self.dimension(told[0] if told else own))
        return (made[0], made[1])

    def _entry_of_numbered(self, node: s.Name) -> Expr | None:
        r"""The ``\sigma_{2,j}`` of a vector ``\sigma_2``, the ``x_{ij}`` of vectors x_i."""
        *kept, last = split_indices(node.subscripts) or (None,)
        if not kept or node.indices or last is None or not self._may_be_index(last):
            return None
        shapes, whole = self.scope.declared_shapes, replace(node, subscripts=tuple(kept))
        numbered = stem(node) + "_" if len(kept) == 1 else ""
        size = shapes.get(spell(whole)) or shapes.get(numbered, ())
        if len(size) != 1 or {spell(node), stem(node)} & shapes.keys():
            return None
        made = self.expression(whole)
        return e.Component(made, self.entry((last,), size)) if self.shape(made) == size else None

    def entry(self, subscripts: tuple[s.Node, ...], sizes: Shape) -> list[Expr]:
        """The indices of an entry: numbers, indices that a sum binds, free ones."""
        return [
            self._free_index(part, size)
            if isinstance(part, s.Name) and not self._is_index(part)
            else self._index(part)
            for part, size in zip(subscripts, sizes, strict=True)
        ]

    def _whole(self, node: s.Name) -> Expr:
        """What has this name without its subscripts."""
        base = stem(node)
        if self._made(base):
            return self.expression(replace(node, subscripts=(), indices=()))
        return self.symbol(base, base)

    def _family(self, base: str) -> Symbol:
        r"""What all a_i are one of; the number ``a := \sum_i a_i`` is something else."""
        total = self.macro(base, ()) is not None and not self._made(base)
        return self.symbol(base + "_" * total, base)

    def _made(self, base: str) -> bool:
        r"""Whether a vector was defined, and not the number ``a := \sum_i a_i``."""
        macro = self.macro(base, ())
        return macro is not None and not any(
            isinstance(n, s.Name) and stem(n) == base for n in walk(macro.body)
        )

    def _shape_of_whole(self, node: s.Name) -> Shape:
        """The shape of what has this name without its subscripts; () if none is known."""
        base = stem(node)
        if self._made(base) and base not in self.scope.declared_shapes:
            with suppress(NotCheckable):
                return self.shape(self._whole(node))
        return self.scope.declared_shapes.get(base, ())

    def is_entry(self, node: s.Name) -> bool:
        """Whether a name is an entry of a vector or a matrix with a declared shape."""
        made, parts = self._shape_of_whole(node), split_indices(node.subscripts)
        own = {spell(node), stem(node) + "_"} & set(self.scope.declared_shapes)
        if not made or own or node.indices or stem(node) in self.scope.copies:
            return False
        return len(parts) == len(made) and all(map(self._may_be_index, parts, made))

    def _may_be_index(self, node: s.Node, size: Expr | None = None) -> bool:
        """Whether a subscript can be the index of an entry: also the s of an x in R^S."""
        if isinstance(node, s.Name) and spell(node).isalpha() and spell(node).upper() == str(size):
            return True
        return isinstance(node, s.Number) or self._is_index(node) or self._looks_like_index(node)

    def _free_index(self, node: s.Node, size: Expr) -> Expr:
        """An index that no sum binds: any one from 1 to the size."""
        index = self.dimension(node)
        if (
            isinstance(index, Symbol)
            and spell(node) not in self.indices
            and not any(fact.left == index for fact in self.theory.constraints)
        ):
            self.theory.constraints.append(Fact("<=", index, size, f"{index} is an index"))
            self.theory.add_tags(index, "index")
        return index

    def _could_be_index(self, node: s.Node) -> bool:
        """``1``, ``t``, ``T`` or ``t - 1``."""
        parts = list(walk(node))
        plain = all(isinstance(part, s.Number | s.Name | s.Sum) for part in parts)
        names = [part for part in parts if isinstance(part, s.Name)]
        letters = INDEX_LETTERS | {"T", "N", "K", "M"}
        return plain and letters.issuperset(map(spell, names))

    def _index(self, node: s.Node) -> Expr:
        """The value of an index that no sum binds: its letters are whole numbers."""
        for part in walk(node):
            if isinstance(part, s.Name) and spell(part) not in self.indices:
                self.dimension(part)
        return self.scalar(node)

    def _is_sequence(self, base: str) -> bool:
        return base in self.scope.survey.separate

    def _looks_like_index(self, node: s.Node) -> bool:
        """r, s and t number what comes one after the other, rather than entries."""
        return spell(node) in INDEX_LETTERS - {"r", "s", "t"} | {"d"}

    def _is_index(self, node: s.Node) -> bool:
        """Whether a subscript is made of bound indices and numbers."""
        names = names_in(node)
        return bool(names) and all(
            spell(inner) in self.indices or spell(inner) in self.scope.integers for inner in names
        )
