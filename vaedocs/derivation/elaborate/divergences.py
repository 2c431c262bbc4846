"""KL divergence, entropy, cross-entropy and mutual information."""

from __future__ import annotations

import sympy
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.distributions import Distributions
from vaedocs.derivation.spelling import spell


class Divergences(Distributions):
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
            if isinstance(q, e.Density) and isinstance(p, e.Density):
                left, right = {slot for slot, _ in p.values}, {slot for slot, _ in q.values}
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

    def _vector(self, name: s.Name) -> bool:
        """Whether a name is a vector of probabilities, as in ``\\sum_k p_k \\log p_k``."""
        return spell(name) in self.scope.survey.vectors

    def _entries(self, p: s.Name, q: s.Name) -> tuple[tuple[Expr, Expr], Symbol, Expr]:
        """The k-th entries of two vectors, k and how many there are."""
        size = self.dimension(self.scope.survey.vectors[spell(p)])
        index = Symbol("k'", integer=True, positive=True)
        made = [self.symbol(spell(name), spell(name)) for name in (p, q)]
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
        names = [item for group in node.groups for item in group]
        if len(names) <= 2 and all(isinstance(n, s.Name) and self._vector(n) for n in names):
            p, q = names[0], names[-1]
            body, index, size = self._entries(p, q)  # type: ignore[arg-type]
            return -e.Sum(body[0] * sympy.log(body[1]), 1, size, (index,))
        if all(self._is_distribution(item) for item in first) and not (
            node.separators
            and node.separators[0] == "|"
            and isinstance(first[0], s.Name)
            and not look.is_density_head(first[0])
        ):
            items = [item for group in node.groups for item in group]
            p, bound = self.distribution(items[0])
            if len(items) == 1:
                return e.Entropy(p, bound)
            if len(items) == 2:
                q, _ = self.distribution(items[1], bound if self._wants_partner(items[1]) else ())
                return e.CrossEntropy(p, q, bound)
        owner = self._subscript_head(head)
        name = self.head_name(owner, set())[0] if owner else "p"
        return self._entropy_of(first, name, node.groups[1] if len(node.groups) > 1 else ())

    def _entropy_of(
        self, items: tuple[s.Node, ...], head: str, given: tuple[s.Node, ...] = ()
    ) -> Expr:
        """The (conditional) entropy of random variables."""
        joint = self._joint((*items, *given), head)
        bound = tuple(v for _, v in joint.values)
        if given:
            return e.Expectation(-sympy.log(self._joint(items, head, given)), joint, bound)
        return e.Entropy(joint, bound)

    def _information(self, node: s.Call) -> Expr:
        owner = self._subscript_head(node.head)  # type: ignore[arg-type]
        name = self.head_name(owner, set())[0] if owner else "p"
        groups = list(node.groups)
        given: tuple[s.Node, ...] = ()
        if node.separators and node.separators[-1] == "|":
            given = groups.pop()
        if len(groups) == 1:
            if len(groups[0]) != 2:
                raise self.refuse(node, "mutual information needs two variables", "write I(x; z)")
            groups = [(groups[0][0],), (groups[0][1],)]
        if [spell(item) for item in groups[0]] == [spell(item) for item in groups[1]]:
            return self._entropy_of(groups[0], name, given)
        joint = self._joint((*groups[0], *groups[1]), name, given)
        parts = self._joint(groups[0], name, given) * self._joint(groups[1], name, given)
        bound = tuple(v for _, v in joint.values)
        if given:
            whole = self._joint((*groups[0], *groups[1], *given), name)
            everything = tuple(v for _, v in whole.values)
            return e.Expectation(sympy.log(joint / parts), whole, everything)
        return e.KL(joint, parts, bound)
