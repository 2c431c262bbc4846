"""KL divergence, entropy, cross-entropy and mutual information."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy
from sympy import Expr, Integer, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.images import Images
from vaedocs.derivation.elaborate.scope import NeedsShape
from vaedocs.derivation.rewrite.trees import unbound_names
from vaedocs.derivation.spelling import spell


class Divergences(Images):
    """Reads divergences and entropies."""

    def _divergence(self, node: s.Call) -> Expr:
        parts = list(node.groups)
        if len(parts) == 1 and len(parts[0]) == 2:
            first, second = parts[0]
        elif len(parts) == 2 and len(parts[0]) == 1 and len(parts[1]) == 1:
            first, second = parts[0][0], parts[1][0]
        else:
            raise self.refuse(
                node,
                r"KL needs two densities separated by \|",
                r"write D_{\mathrm{KL}}\left(q \,\|\, p\right)",
            )
        if isinstance(first, s.Name) and isinstance(second, s.Name) and self._vector(first):
            made = self._over_vector(first, second)
            if made is not None:
                return made
        if self._family_without_value(first) and not self._family_without_value(second):
            q, bound = self.distribution(second)
            p, _ = self.distribution(first, bound)
        else:
            p, bound = self.distribution(first)
            q, other = self.distribution(second, bound if self._wants_partner(second) else ())
            bound = self.refresh(bound)
            p = self.refreshed(p)
            if isinstance(p, e.Family) and isinstance(q, e.Family) and len(other) == 1:
                (x,), (y,) = bound, other  # N(x; m, s) and N(y; n, t): each names its variable
                if y not in p.free_symbols and self.shape(x) == self.shape(y):
                    q = q.xreplace({y: x})
            if isinstance(q, e.Density) and isinstance(p, e.Density):
                left, right = {slot for slot, _ in p.values}, {slot for slot, _ in q.values}
                if left < right and not q.conditions:  # KL(q(z) \| p(x, z)), at one x
                    return e.Expectation(sympy.log(p) - sympy.log(q), p, bound)
                if left != right:
                    raise self.mismatch(
                        node,
                        f"a KL divergence compares two densities of the same variable; the "
                        f"first is a density of {', '.join(sorted(left))}, the second of "
                        f"{', '.join(sorted(right))}",
                    )
                if set(other) != set(bound):
                    q = e.Density(
                        q.head, [(slot, dict(p.values)[slot]) for slot, _ in q.values], q.conditions
                    )
        return e.KL(p, q, bound)

    def _symmetric_divergence(self, kind: str, items: tuple[s.Node, ...]) -> Expr:
        """The Jensen-Shannon divergence, or the total variation, of two densities."""
        first, second = items
        p, bound = self.distribution(first)
        q, _ = self.distribution(second, bound if self._wants_partner(second) else ())
        bound, p = self.refresh(bound), self.refreshed(p)
        if kind == "tv":
            return e.Integral(sympy.Abs(p - q), (), bound) / 2
        middle = (p + q) / 2
        return (e.KL(p, middle, bound) + e.KL(q, middle, bound)) / 2

    def _vector(self, name: s.Name) -> bool:
        """Whether a name is a vector of probabilities, as in ``\\sum_k p_k \\log p_k``."""
        return spell(name) in self.scope.survey.vectors

    def _entries(self, p: s.Name, q: s.Name) -> tuple[tuple[Expr, Expr], Symbol, Expr]:
        """The k-th entries of two vectors, k and how many there are."""
        size = self.dimension(self.scope.survey.vectors[spell(p)])
        index = Symbol("k'", integer=True, positive=True)
        made = [self.symbol(spell(name), spell(name)) for name in (p, q)]
        for vector in made:  # one of probabilities, which add up to 1
            if not self.shape(vector):
                raise NeedsShape(str(vector), (size,))
        a, b = (
            e.Component(vector, [index]) if self.shape(vector) else e.Item(vector, index)
            for vector in made
        )
        return (a, b), index, size

    def _over_vector(self, p: s.Name, q: s.Name) -> Expr | None:
        """``KL(p \\| q)`` of two vectors of probabilities."""
        if not self._vector(q):
            return None
        (a, b), index, size = self._entries(p, q)
        return e.Sum(a * sympy.log(a / b), 1, size, (index,))

    def _entropy(self, node: s.Call) -> Expr:
        head = node.head
        assert isinstance(head, s.Name)
        first = node.groups[0]
        names = node.items
        if len(names) <= 2 and all(isinstance(n, s.Name) and self._vector(n) for n in names):
            p, q = names[0], names[-1]
            body, index, size = self._entries(p, q)  # type: ignore[arg-type]
            return -e.Sum(body[0] * sympy.log(body[1]), 1, size, (index,))
        if (number := self._named_probability(names)) is not None:
            return -number * sympy.log(number) - (1 - number) * sympy.log(1 - number)
        if all(self._is_distribution(item) for item in first) and not (
            node.separators
            and node.separators[0] == "|"
            and isinstance(first[0], s.Name)
            and not look.is_density_head(first[0])
        ):
            items = node.items
            p, bound = self.distribution(items[0])
            if len(items) == 1:
                return e.Entropy(p, bound)
            if len(items) == 2:
                q, _ = self.distribution(items[1], bound if self._wants_partner(items[1]) else ())
                return e.CrossEntropy(p, q, bound)
        owner = self._subscript_head(head)
        name = self.head_name(owner, set())[0] if owner else self._only_head(names)
        if head.base == "h" and len(names) == 1 and not isinstance(first[0], s.Name):
            return self._entropy_of_image(node, first[0], name)
        given = node.groups[1] if len(node.groups) > 1 else ()
        self._told_apart(node, first, given)
        if len(names) == 1 and isinstance(first[0], s.Name) and not owner:
            slot = self.slot(first[0])
            uses = [use for found in self.scope.survey.signatures.values() for use in found]
            said = any(slot in use.left for use in uses) or self.theory.families
            calls = self.scope.survey.pictured.get(slot, [])
            if not said and len({spell(call) for call in calls}) == 1:
                return e.Entropy(
                    *self.distribution(calls[0])
                )  # N(d; 0, 1) is all that is said of d
            vectors = [s.Name(one, span=node.span) for one in self.scope.survey.vectors]
            if not said and len(vectors) == 1 and not given:
                body, index, size = self._entries(vectors[0], vectors[0])
                return -e.Sum(body[0] * sympy.log(body[1]), 1, size, (index,))  # of p_i
        return self._entropy_of(first, name, given)

    def _only_head(self, items: Sequence[s.Node]) -> str:
        """The only head that speaks of all these variables, q of n and z beside q(n) and
        q(z | n) for ``I(n; z)``; else p.
        """
        names = [item for item in items if isinstance(item, s.Name)]
        slots = {self.slot(name) for name in names}
        found = [
            head
            for head, uses in self.scope.survey.signatures.items()
            if slots <= {slot for use in uses for slot in use.left}
        ]
        model = self.scope.survey.model  # p of D(p || u) is one too
        one = len(found) == 1 and len(names) == len(items)
        return found[0] if one and model not in self.scope.survey.bare_heads else model

    def _told_apart(self, node: s.Call, one: tuple[s.Node, ...], other: tuple[s.Node, ...]) -> None:
        """``h(X \\mid X)`` and ``I(X; X)`` of a density are infinite."""
        for item in one:
            if not isinstance(item, s.Name) or spell(item) not in map(spell, other):
                continue
            if not self.variable(self.slot(item)).discrete:
                message = f"both sides know {spell(item)}: this is infinite for a density"
                raise self.refuse(node, message, f"say that {spell(item)} is discrete")

    def _named_probability(self, items: tuple[s.Node, ...]) -> Expr | None:
        r"""The P_e of ``H(P_e)``, where ``P_e := P(\hat{X} \neq X)``: a probability, no density."""
        macro = self.macro(spell(items[0]), ()) if len(items) == 1 else None
        body = macro.body if macro is not None and not macro.parameters else None
        if not isinstance(body, s.Call) or not look.is_density_call(body, self.scope.survey):
            return None
        events = any(map(look.is_event, look.arguments(body)[0]))
        return self.expression(items[0]) if events else None

    def _entropy_of(
        self, items: tuple[s.Node, ...], head: str, given: tuple[s.Node, ...] = ()
    ) -> Expr:
        """The (conditional) entropy of random variables; of ``H(X \\mid Y = y)`` y is one value."""
        if self._has_images((*items, *given)):
            return self._of_images(head, [(1, (*items, *given)), (-1, given)])
        fixed = tuple(item for item in given if isinstance(item, s.Relation))
        averaged = tuple(item for item in given if item not in fixed)
        joint = self.joint((*items, *averaged), head, fixed)
        bound = tuple(v for _, v in joint.values)
        if averaged:
            return e.Expectation(-sympy.log(self.joint(items, head, given)), joint, bound)
        return e.Entropy(joint, bound)

    def _has_images(self, items: tuple[s.Node, ...]) -> bool:
        made = s.Sum | s.Product | s.Power | s.Bars | s.Fraction
        return any(
            isinstance(item, made)
            or (isinstance(item, s.Call) and not look.is_density_call(item, self.scope.survey))
            for item in items
        )

    def _of_images(self, head: str, parts: list[tuple[int, tuple[s.Node, ...]]]) -> Expr:
        r"""``H(g(X))``, ``I(X; g(Y))`` of counted variables: -E[log] of the mass of all points with
        the same values, for every list of ``parts``, with its sign.
        """
        every = [item for _, items in parts for item in items]
        random = self.scope.survey.random.keys() | self.theory.variables.keys()
        names = [n for item in every for n in unbound_names(item)]
        found = {self.slot(n): n for n in names if self.slot(n) in random or n.base in "XYZ"}
        for item in every:
            beside = item.factors if isinstance(item, s.Product) and not any(item.operators) else ()
            if beside and all(isinstance(n, s.Name) and self.slot(n) in found for n in beside):
                hint = "put a comma or \\cdot between them"
                raise self.refuse(item, "is this the pair or the product of the two?", hint)
        joint = self.joint(tuple(found.values()), head)
        variables = [self.theory.variables[slot] for slot in found]
        if not found or any(v.shape or not (v.discrete or v.values) for v in variables):
            raise self.refuse(
                next(item for item in every if self._has_images((item,))),
                "the entropy of an expression is read where its variables take counted values",
                f"say {', '.join(found) or 'x'} discrete",
            )
        here = [value for _, value in joint.values]
        there = [Symbol(f"{value}'", real=True) for value in here]
        pairs = [(slot, t) for (slot, _), t in zip(joint.values, there, strict=True)]
        moved = dict(zip(here, there, strict=True))
        total: Expr = Integer(0)
        for sign, items in parts:
            with self.holding(*found):
                values = [self.expression(item) for item in items]
            for function in {a.name for value in values for a in value.atoms(e.Apply)}:
                info = self.theory.functions[function]
                self.theory.functions[function] = replace(info, many_to_one=not info.invertible)
            same = [sympy.Eq(value, value.xreplace(moved)) for value in values]
            ones = [sympy.Piecewise((Integer(1), one), (Integer(0), True)) for one in same]
            mass = e.Expectation(sympy.Mul(*ones), e.Density(joint.head, pairs), there)
            total = total - sign * sympy.log(mass) if items else total
        return e.Expectation(total, joint, here)

    def _entropy_of_image(self, node: s.Call, item: s.Node, head: str) -> Expr:
        """``h(a X + b)``: the density of the new variable is that of X over the volume |a|."""
        names = {
            self.slot(n): n
            for n in unbound_names(item)
            if self.slot(n) in self.scope.survey.random or spell(n) in {"X", "Y", "Z"}
        }
        hint = "name the new variable and its density"
        if len(names) != 1:
            raise self.refuse(node, f"the entropy of an expression in {len(names)} variables", hint)
        joint = self.joint(tuple(names.values()), head)
        ((_, variable),) = joint.values
        with self.holding(*names):
            value = self.expression(item)
        volume = self._volume(value, variable)
        if volume is not None:
            return e.Entropy(joint, (variable,)) + sympy.log(volume)
        slope = self._slope(value, variable)
        if slope is None:
            hint = f"say what makes it so: {variable} > 0, or that a function is invertible"
            raise self.refuse(node, "this is not known to be one to one", hint)
        stretched = e.Expectation(sympy.log(sympy.Abs(slope)), joint, (variable,))
        return e.Entropy(joint, (variable,)) + stretched

    def _information(self, node: s.Call) -> Expr:
        owner = self._subscript_head(node.head)  # type: ignore[arg-type]
        name = self.head_name(owner, set())[0] if owner else self._only_head(node.items)
        groups = list(node.groups)
        given: tuple[s.Node, ...] = ()
        if node.separators and node.separators[-1] == "|":
            given = groups.pop()
        if len(groups) == 1:
            if len(groups[0]) != 2:
                raise self.refuse(node, "mutual information needs two variables", "write I(x; z)")
            groups = [(groups[0][0],), (groups[0][1],)]
        self._told_apart(node, groups[0], (*groups[1], *given))
        if [spell(item) for item in groups[0]] == [spell(item) for item in groups[1]]:
            return self._entropy_of(groups[0], name, given)
        if self._has_images((*groups[0], *groups[1], *given)):
            first, second = ((*group, *given) for group in groups)
            both = (-1, (*groups[0], *second)), (-1, given)
            return self._of_images(name, [(1, first), (1, second), *both])
        joint = self.joint((*groups[0], *groups[1]), name, given)
        parts = self.joint(groups[0], name, given) * self.joint(groups[1], name, given)
        bound = tuple(v for _, v in joint.values)
        if given:
            whole = self.joint((*groups[0], *groups[1], *given), name)
            everything = tuple(v for _, v in whole.values)
            return e.Expectation(sympy.log(joint / parts), whole, everything)
        return e.KL(joint, parts, bound)
