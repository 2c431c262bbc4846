"""Sums and products over an index, over data, or written out."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, Integer, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.values import Values
from vaedocs.derivation.letters import is_index_letter
from vaedocs.derivation.rewrite.trees import rebuild
from vaedocs.derivation.spelling import names_in, spell, stem


class Sums(Values):
    r"""Reads ``\sum`` and ``\prod``."""

    def _bigoperator(self, node: s.BigOperator) -> Expr:
        names = [spell(index) for index in node.indices]
        if node.name == "stack":
            return self._stacked(node, *names)
        if node.name in {"cup", "cap"}:
            raise self.refuse(
                node, "a union or an intersection is an event", "write its probability"
            )
        if not names:
            what = "sum" if node.name == "sum" else "product"
            raise self.refuse(node, f"a {what} over what?", rf"write \{node.name}_{{i=1}}^{{n}}")
        if len(names) == 1 and (run := _run(node.domain)) is not None:
            node = replace(node, domain=None, lower=run.start, upper=run.stop)
        if (
            node.domain is not None
            and isinstance(node.domain, s.Group)
            and node.domain.bracket == "{"
            and len(names) == 1
        ):
            return self._over_set(node, node.domain)
        if (data := look.data_set(node)) is not None:
            return self._over_data(node, data)
        counts = names[0] in self.scope.survey.numbered.values()
        if counts and (label := self._label(node)) is not None:
            return self._over_labels(node, *label)
        if len(names) > 1 and node.upper is node.domain is node.condition is None:
            ones = [replace(node, indices=(index,)) for index in node.indices]
            if all(self._indexed_outcomes(one) is not None for one in ones):
                return self.expression(
                    replace(ones[0], body=replace(node, indices=node.indices[1:]))
                )
        node = self._by_number(node)
        of_values = node.lower is None and self._sums_over_variables(node)
        if not of_values and self._indexed_outcomes(node) is not None:
            of_values = node.upper is None or not self._must_unroll(node)
        if of_values:
            return self._sum_over_variables(node)
        if self._must_unroll(node):
            return self._unrolled(node)
        if (label := self._label(node)) is not None:
            return self._over_labels(node, *label)
        lower = self.scalar(node.lower) if node.lower is not None else Integer(1)
        upper = self.upper(node)
        return self._over(node, names, lower, upper)

    def _over_data(self, node: s.BigOperator, domain: s.Name) -> Expr:
        r"""``\sum_{x \in \mathcal{D}}``: the data are copies of x, and there are |D| of them."""
        members = node.indices
        if len(members) == 1 and isinstance(members[0], s.Group):  # \sum_{(x, y) \in \mathcal{D}}
            inside = members[0].body
            members = s.members(inside)
        names = [member for member in members if isinstance(member, s.Name)]
        if look.weighed(node.body) & set(map(spell, names)) and domain.base != "D":
            raise self.refuse(
                domain,
                f"is {spell(domain)} a set of data, or of all values?",
                rf"write \sum_{spell(names[0])} for the sum over all values",
            )
        used = {spell(n) for n in names_in(node.body)}
        marks = [part for name in names for part in (*name.subscripts, *name.indices)]
        if not names or len(names) < len(members) or not all(map(is_index_letter, marks)):
            raise self.refuse(
                domain,
                f"what is in {spell(domain)}, nobody said",
                r"number its members: \sum_{i=1}^{N} \dots x^{(i)}",
            )
        free = [letter for letter in "nmijklrst" if letter not in used | self.indices.keys()]
        index = marks[0] if marks else s.Name(free[0], span=node.span)
        stems = {stem(name) for name in names}
        for inner in self.with_definitions(node.body):
            if isinstance(inner, s.Name) and stem(inner) in stems and spell(inner) not in used:
                raise self.refuse(
                    node,
                    f"a name in this sum is made of {spell(inner)}",
                    rf"let it be a function, \mathcal{{L}}({spell(inner)}) := \dots",
                )

        def numbered(inner: s.Node) -> s.Node | None:
            if not isinstance(inner, s.Name) or stem(inner) not in stems or inner.indices:
                return None
            return replace(inner, indices=(index,))

        body = node.body if marks else rebuild(node.body, numbered)
        made = replace(node, indices=(index,), body=body, domain=None)
        size = self.size_of_set(domain)
        if len(self.scope.survey.sets) > 1:
            raise self.refuse(
                domain,
                f"what {' and '.join(sorted(self.scope.survey.sets))} share, nobody said",
                r"number the data: \sum_{i=1}^{N} \dots x^{(i)}",
            )
        if self._must_unroll(made):
            raise self.refuse(
                node, "these data depend on each other", r"number them: x_1, \dots, x_N"
            )
        return self._over(made, [spell(index)], Integer(1), size)

    def _over(self, node: s.BigOperator, names: list[str], lower: Expr, upper: Expr) -> Expr:
        if node.condition is not None and len(names) > 1:  # in \sum_i \sum_{j < i} the i is bound
            bound = [name for name in names if name in self.indices]
            names = (
                [name for name in names if name not in bound] if len(bound) < len(names) else names
            )
        random = self.scope.survey.random.keys() | self.theory.variables.keys()
        random |= set(self.scope.survey.numbered.values())
        symbols = tuple(  # an index is no random variable, although it may have the same letter
            Symbol(name + "'" * (name in random), integer=True, positive=True) for name in names
        )
        with self.counting(dict(zip(names, symbols, strict=True))):
            body = self.expression(node.body)
            if node.condition is not None:
                holds = self.indicator(node.condition)
                body = body * holds if node.name == "sum" else body**holds
            body = self._members(node, body, symbols)
        for name in names:
            made = self.theory.variables.get(name)
            if made is not None and made.symbol in body.free_symbols:
                raise self.refuse(  # p(n) would stay as it is while n counts
                    node,
                    f"{name} counts and is a random variable, and which values it takes, nobody "
                    "said",
                    rf"write \sum_{name} for the sum over all values, or count with another letter",
                )
        bare = node.lower is None and node.upper is None
        sizes = [(self._size_from_use(body, v) if bare else None) or upper for v in symbols]
        for symbol, size in zip(reversed(symbols), reversed(sizes), strict=True):
            body = (e.Sum if node.name == "sum" else e.Product)(body, lower, size, (symbol,))
        return body

    def _members(self, node: s.BigOperator, body: Expr, at: tuple[Expr, ...]) -> Expr:
        """A term, where the index lies in the set below the sum."""
        if node.domain is None:
            return body
        if isinstance(node.domain, s.Name) and node.domain.style == "bb":
            raise self.refuse(node.domain, "a sum without an end", r"write \sum_{i=1}^{\infty}")
        alone = zip(node.indices, at, strict=False)  # i, j \in S: each of them
        inside = sympy.Mul(*(self.within(node.domain, (name,), (one,)) for name, one in alone))
        return body * inside if node.name == "sum" else body**inside

    def _stacked(self, node: s.BigOperator, name: str) -> Expr:
        """The list of all terms, as many as what has the index as one has entries."""
        index = Symbol(name, integer=True, positive=True)
        with self.counting({name: index}):
            body = self.expression(node.body)
        size = self._size_from_use(body, index)
        if size is None:
            hint = r"say of what shape it is, \mathbb{R}^{n \times m}"
            raise self.refuse(node, f"up to what does {name} run?", hint)
        return e.Stack(body, size, (index,))

    def _size_from_use(self, body: Expr, index: Symbol) -> Expr | None:
        for inner in sympy.preorder_traversal(body):
            if isinstance(inner, e.Component) and index in inner.args[1]:
                made = self.shape(inner.args[0])
                return made[list(inner.args[1]).index(index)] if made else None
        return None

    def _must_unroll(self, node: s.BigOperator) -> bool:
        """Whether the index numbers variables of their own (x_t given x_{t-1}; z_1 … z_K), so that
        the sum is written out.
        """
        names = {spell(index) for index in node.indices}
        for inner in self.with_definitions(node.body):
            if isinstance(inner, s.Name) and (inner.subscripts or inner.indices):
                base = look.stem_of_variable(inner)
                uses = any(
                    spell(x) in names
                    for part in (*inner.subscripts, *inner.indices)
                    for x in names_in(part)
                )
                if uses and self.flow(inner) is not None:
                    return True
                if uses and (base in self.scope.survey.separate or base in self.scope.unrolled):
                    return True
        return False

    def _last(self, node: s.BigOperator) -> s.Node:
        r"""The upper limit; of ``\sum_i x_i`` beside ``x_1, \dots, x_n`` it is n."""
        if node.upper is not None:
            return node.upper
        inside = [n for n in names_in(node.body) if n.subscripts]
        known = [self.scope.survey.lists.get(look.stem_of_variable(n)) for n in inside]
        ends = [end for end in known if isinstance(end, s.Name | s.Number)]
        return ends[0] if ends else self.same_end(node) or node.indices[0]

    def _unrolled(self, node: s.BigOperator) -> Expr:
        index, *others = map(spell, node.indices)
        within = replace(node, indices=node.indices[1:])
        start = self._integer(node.lower) if node.lower is not None else 1
        stop = self._integer(self._last(node))
        result: Expr = Integer(0) if node.name == "sum" else Integer(1)
        saved = self.scope.integers.get(index)
        for k in range(start, stop + 1):
            self.scope.integers[index] = k
            if not others and node.condition is not None and not self._holds(node.condition):
                continue
            here = Integer(k)
            term = self._unrolled(within) if others else self.expression(node.body)
            term = self._members(node, term, (here,))
            result = result + term if node.name == "sum" else result * term
        if saved is None:
            self.scope.integers.pop(index, None)
        else:
            self.scope.integers[index] = saved
        return result

    def _holds(self, condition: s.Relation) -> bool:
        made = self.indicator(condition)
        if not made.is_number:
            raise self.refuse(condition, "this condition is no condition on the index")
        return bool(made)


def _run(domain: s.Node | None) -> s.Range | None:
    r"""The limits of ``i \in \{1, \dots, n\}`` and of ``i \in [n]``."""
    one, two = s.Number("1", span=(0, 0)), s.Number("2", span=(0, 0))
    match domain:
        case s.Group(bracket="[", body=s.Name() | s.Number() as last):
            return s.Range(one, last, span=last.span)
        case s.Group(bracket="{", body=s.Range() as run) if run.stop is not None:
            return run
        case s.Group(bracket="{", body=s.Sequence(items=(first, s.Range() as run))):
            if first == one and run.start == two:  # 1, 2, \dots, n
                return replace(run, start=one)
    return None
