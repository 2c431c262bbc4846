"""Sums over the values of a variable, also by their number k or as x_i."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy
from sympy import Expr, Integer, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.expectations import Expectations
from vaedocs.derivation.rewrite.trees import rebuild, split_indices, substitute, used_indices
from vaedocs.derivation.spelling import names_in, spell, stem, walk


class Values(Expectations):
    """Reads sums over all values."""

    def _label(self, node: s.BigOperator) -> tuple[s.Name, s.Name] | None:
        """The k and z of ``\\sum_{k=1}^{K} p(z = k) \\dots``: k runs over the values of z."""
        index = node.indices[0] if len(node.indices) == 1 else None
        if not isinstance(index, s.Name) or node.name != "sum" or node.condition is not None:
            return None
        if node.lower is not None and spell(node.lower) != "1" and not look.endless(node):
            return None
        if not isinstance(node.upper, s.Name | s.Number | None):
            return None
        found: dict[str, s.Name] = {}
        for call in self._opened(node.body):
            head = call.head if isinstance(call, s.Call) else call
            if isinstance(head, s.Name) and look.is_density_head(head, self.scope.survey):
                given = look.arguments(call)[1:] if isinstance(call, s.Call) else ()
                number = self.scope.survey.number(head, [one for part in given for one in part])
                if number is not None and spell(number) == spell(index):
                    letter = self.scope.survey.numbered[stem(head)]
                    found[letter] = s.Name(letter, span=head.span)
            if not isinstance(call, s.Call) or not look.is_density_call(call, self.scope.survey):
                continue
            left, right, _ = look.arguments(call)
            if node.upper is not None and self.counted(call) is not None:
                continue
            for item in (*left, *right):
                name, value = item, item
                if isinstance(item, s.Relation) and not look.is_event(item):
                    name, value = item.left, item.right
                if isinstance(name, s.Name) and spell(value) == spell(index):
                    found[self.slot(name)] = name
        if len(found) > 1:
            raise self.refuse(
                node, f"{spell(index)} runs over the values of {' and of '.join(sorted(found))}"
            )
        return (index, next(iter(found.values()))) if found else None

    def _opened(self, body: s.Node) -> Iterator[s.Node]:
        r"""All in a tree, and in what the \gamma_k and \gamma(k) in it were defined to be."""
        for node in walk(body):
            yield node
            head = node.head if isinstance(node, s.Call) else node
            if not isinstance(head, s.Name) or not self.scope.macros:
                continue
            if isinstance(node, s.Call):
                macro, items = self.macro(spell(head), tuple(node.items), node), tuple(node.items)
                own = macro.parameters if macro is not None else ()
            else:
                items = (*head.subscripts, *head.indices)
                macro = self.of_every_index(head) or self.macro(spell(head), ())
                name = macro.name if macro is not None else None
                own = (*name.subscripts, *name.indices) if name is not None else ()
            if macro is not None:
                pairs = zip(split_indices(own), split_indices(items), strict=False)
                yield from walk(substitute(macro.body, {spell(a): b for a, b in pairs}))

    def _over_labels(self, node: s.BigOperator, index: s.Name, name: s.Name) -> Expr:
        """The sum over all values of a variable, 1, …, K."""
        slot = self.slot(name)
        made = self.variable(slot)
        self.theory.variables[slot] = made = replace(made, discrete=True)
        family = next((f.formula for k, f in self.theory.families.items() if k[1] == {slot}), None)
        probabilities = family.args[1] if isinstance(family, e.Categorical) else None
        if look.endless(node):
            return self._over_counts(node, index, name)
        count: Expr | None = Integer(len(made.values)) if made.values else made.high
        if probabilities is not None and self.shape(probabilities):
            count = self.shape(probabilities)[0]
        if count is not None:
            if node.upper is not None and self.dimension(node.upper) != count:
                raise self.refuse(node.upper, f"{slot} takes {count} values")
        elif spell(index) not in used_indices(node.body):
            limit = spell(node.upper) if node.upper is not None else ""
            if limit and self.scope.survey.limits[limit] < self.scope.survey.uses[limit]:
                made = replace(made, low=Integer(1), high=self.upper(node))  # … <= log K
                self.theory.variables[slot] = made
        elif node.upper is not None or slot in self.scope.survey.numbered.values():
            high = self._size_beside(node, index) or self.upper(node)
            self.theory.variables[slot] = made = replace(made, low=Integer(1), high=high)
        else:
            raise self.refuse(
                node,
                f"which values {slot} takes, nobody said",
                rf"say {slot} \in \{{1, 2, 3\}}, or p({slot}) = \mathrm{{Cat}}({slot}; \pi)",
            )
        symbol: Expr = made.symbol
        if index.primes and self.slot(index) == slot:  # \sum_{k'=1}^K p(k') is \sum_{k'} p(k')
            return self._sum_over_variables(replace(node, lower=None, upper=None))
        if slot in self.held:  # another value of the variable than the one bound above
            taken = {str(value) for value in self.indices.values()}
            primes = next(n for n in range(1, len(taken) + 2) if slot + "'" * n not in taken)
            symbol = self._copy(replace(name, primes=name.primes + primes), slot, made)
        with self.holding(slot), self.counting({spell(index): symbol}):
            body = self.expression(node.body)
        return e.Integral(body, (), self.refresh((symbol,)))

    def _over_counts(self, node: s.BigOperator, index: s.Name, name: s.Name) -> Expr:
        r"""``\sum_{k=0}^{\infty} k P(X = k)``: over all values of X from the lower limit on."""
        slot, first = self.slot(name), self.scalar(node.lower) if node.lower else Integer(1)
        made = self.variable(slot)
        if made.low is None and not made.values:
            low = Integer(self.scope.survey.endless.get(slot, 0))
            self.theory.variables[slot] = made = replace(made, low=low, high=sympy.oo)
        at = s.Relation(">=", index, node.lower or s.Number("1", span=node.span), span=node.span)
        reached = made.low is not None and made.low >= first
        body = node.body
        if not reached:
            inside = s.Name("1", span=node.span), ((at,),)
            body = s.Product((s.Call(*inside, span=node.span), body), ("",), span=node.span)
        return self._over_labels(replace(node, lower=None, upper=None, body=body), index, name)

    def _size_beside(self, node: s.BigOperator, index: s.Name) -> Expr | None:
        r"""How many entries the π of ``\sum_k \pi_k q_k(x)`` has, where that is declared."""
        for inner in walk(node.body) if node.upper is None else ():
            if isinstance(inner, s.Name) and inner.subscripts == (index,):
                made = self.scope.declared_shapes.get(spell(replace(inner, subscripts=())))
                if made:
                    return made[0]
        return None

    def _over_set(self, node: s.BigOperator, domain: s.Group) -> Expr:
        """``\\sum_{x \\in \\{0, 1\\}}``: one term for each element."""
        items = s.members(domain.body)
        index = node.indices[0]
        if isinstance(index, s.Name) and self.slot(index) in self.scope.survey.random:
            slot = self.slot(index)
            values = tuple(self.scalar(item) for item in items)
            self.theory.variables[slot] = replace(self.variable(slot), discrete=True, values=values)
            return self._sum_over_variables(node)
        result: Expr = Integer(0) if node.name == "sum" else Integer(1)
        for item in items:
            term = self.expression(substitute(node.body, {spell(index): item}))
            result = result + term if node.name == "sum" else result * term
        return result

    def _sums_over_variables(self, node: s.BigOperator) -> bool:
        return all(
            isinstance(index, s.Name)
            and (
                self.slot(index) in self.scope.survey.random
                or self.slot(index) in self.theory.variables
            )
            for index in node.indices
        )

    def _by_number(self, node: s.BigOperator) -> s.BigOperator:
        r"""With p(c = k) for the p(c_k) of a discrete c, where k counts more: ``\sum_k p(c_k)
        A_k``."""
        index = node.indices[0] if len(node.indices) == 1 and node.name == "sum" else None
        if index is None:
            return node
        marked = {spell(n): n for n in walk(node.body) if _marks(n) == [spell(index)]}
        heavy = look.weighed(node.body) & marked.keys() if len(marked) > 1 else set[str]()
        item = marked[heavy.pop()] if len(heavy) == 1 else None
        if not isinstance(item, s.Name):
            return node
        plain = replace(item, subscripts=(), indices=())
        made = self.theory.variables.get(self.slot(plain))
        upper = node.upper or s.Name("n", span=node.span)
        if made is None or not made.discrete or made.values:
            return node
        if made.high is not None and made.high != self.dimension(upper):
            return node
        value = s.Relation("=", plain, index, span=item.span)

        def change(inner: s.Node) -> s.Node | None:
            if not isinstance(inner, s.Call) or not look.is_density_call(inner):
                return None
            groups = tuple(tuple(value if i == item else i for i in g) for g in inner.groups)
            return replace(inner, groups=groups)

        body = rebuild(node.body, change)
        kept = any(isinstance(n, s.Name) and spell(n) == spell(item) for n in walk(body))
        return node if kept else replace(node, body=body, upper=upper)

    def _indexed_outcomes(self, node: s.BigOperator) -> s.Node | None:
        """The ``x_i`` of ``\\sum_i p(x_i) \\dots``: an index that runs over the values of x.

        p(x_i) weighs every term, and i counts nothing else: in ``\\sum_i \\log p(x_i)`` it counts
        data, and so it does in ``\\sum_i \\sum_{z_i} q(z_i) \\log p(x_i, z_i)``.
        """
        if len(node.indices) != 1 or node.name != "sum" or node.condition is not None:
            return None
        index = spell(node.indices[0])
        inside = list(walk(node.body))
        if any(isinstance(one, s.Expectation) for one in inside):
            return None
        counted = {spell(one): one for one in inside if _marks(one) == [index]}
        item = next(iter(counted.values())) if len(counted) == 1 else None
        events = [one for one in inside if isinstance(one, s.Relation) and _value(one) == item]
        if not isinstance(item, s.Name):
            return None
        if stem(item) in self.scope.survey.partitions:
            return item
        plain = replace(item, subscripts=(), indices=())
        if spell(item) not in look.weighed(node.body) or self.slot(item) != self.slot(plain):
            return None
        letter = look.stem_of_variable(item)
        unsure = bool(self.scope.survey.sampled & {"", letter})
        if node.upper is not None:
            made = self.theory.variables.get(self.slot(item))
            if made is not None and (made.values or made.high not in (None, self.upper(node))):
                return None
            discrete = made is not None and made.discrete
            if spell(node.lower) != "1" or (unsure and not discrete):
                return None
            alone = isinstance(node.body, s.Call) and len(look.arguments(node.body)[0]) == 1
            if alone and not discrete and spell(node) not in self.scope.survey.ones:
                return None
        if unsure:
            hint = rf"write \sum_{letter} for the sum over all values, where {letter} is discrete"
            raise self.refuse(node, f"does {index} count data, or the values of {letter}?", hint)
        return events[0] if events else item

    def _sum_over_variables(self, node: s.BigOperator) -> Expr:
        body_node = node.body
        outcome = self._indexed_outcomes(node)
        indices: list[s.Name] = []
        if outcome is not None:
            value = _value(outcome)
            assert isinstance(value, s.Name)
            plain = replace(value, subscripts=(), indices=())
            if isinstance(outcome, s.Relation) and isinstance(outcome.left, s.Name):
                plain = outcome.left  # P(X = x_i)
            body_node = substitute(body_node, {spell(outcome): plain, spell(value): plain})
            indices = [plain]
        else:
            indices = [index for index in node.indices if isinstance(index, s.Name)]
        values = []
        for index in indices:
            slot = self.slot(index)
            made = self.variable(slot)
            self.theory.variables[slot] = made = replace(made, discrete=True)
            limit = spell(node.upper) if node.upper is not None else ""
            count = self.scope.survey.limits[limit]
            if node.upper is not None and count < self.scope.survey.uses[limit]:  # … <= log n
                high = self.upper(node)
                self.theory.variables[slot] = made = replace(made, low=Integer(1), high=high)
            values.append(self.drawn(index))
        if node.name == "prod":
            raise self.refuse(
                node,
                "a product over all values of a variable is not in the language",
                r"write a product over an index, \prod_{i=1}^{N} p(x_i)",
            )
        primed = {spell(i): v for i, v in zip(indices, values, strict=True) if i.primes}  # \pi_{k'}
        with self.holding(*(self.slot(index) for index in indices)), self.counting(primed):
            body = self.expression(body_node)
            if node.condition is not None:
                body = body * self.indicator(node.condition)
            listed = isinstance(node.domain, s.Group) and node.domain.bracket == "{"
            if node.domain is not None and not listed:
                body = body * self.within(node.domain, tuple(indices), tuple(values))
        return e.Integral(body, (), self.refresh(tuple(values)))

    def upper(self, node: s.BigOperator) -> Expr:
        """How far a sum counts: where it does not say so, as far as others do, or to n."""
        if node.upper is not None:
            upper = self.dimension(node.upper)
            if upper.is_infinite and node.name == "prod":
                hint = "write a product up to n"
                raise self.refuse(node, "products without end are not in the language", hint)
            return upper
        told = set(map(spell, node.indices))  # where k counts to K, as was said
        for fact in self.theory.constraints if node.domain is None else ():
            counts = isinstance(fact.left, Symbol) and "index" in self.theory.tags(fact.left)
            if counts and fact.relation == "<=" and str(fact.left) in told:
                return fact.right
        return self.dimension(self.last(node))

    def last(self, node: s.BigOperator) -> s.Node:
        """The last of the indices of a sum without a limit."""
        if node.domain is not None:  # the same for all sums over i in S
            node = self.scope.survey.index_sets.get(spell(node.domain), node)
            own = {*map(spell, node.indices)}
            named = [n for n in names_in(node.body) if own & {*map(spell, n.subscripts)}]
            node = replace(node, body=s.Sequence(tuple(named), span=node.span))
        taken = any(spell(index) == "n" for index in node.indices)
        return self.same_end(node) or s.Name("N" if taken else "n", span=node.span)

    def same_end(self, node: s.BigOperator) -> s.Node | None:
        """The limit with which the same letters are summed elsewhere, if there is one."""
        names = [n for n in names_in(node.body) if n.subscripts]
        made = (self.macro(spell(name), ()) or self.of_every_index(name) for name in names)
        below = [n for macro in made if macro for n in names_in(macro.body) if n.subscripts]
        for stems in ({*map(stem, names)}, {*map(stem, below)}):  # and of what these are made of
            limits = {spell(h): h for n, h in self.scope.survey.index_hints.items() if n in stems}
            if limits:
                return next(iter(limits.values())) if len(limits) == 1 else None
        return None


def _marks(item: s.Node) -> list[str]:
    """What numbers a name: the i of x_i."""
    return [spell(p) for p in (*item.subscripts, *item.indices)] if isinstance(item, s.Name) else []


def _value(item: s.Node) -> s.Node:
    """The x_i of x_i and of X = x_i."""
    return item.right if isinstance(item, s.Relation) and item.symbol == "=" else item
