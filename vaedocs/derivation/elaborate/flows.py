r"""Variables made step by step, ``z_k = f_k(z_{k-1})``: what z_K is, and which density it has."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.definitions import Definitions
from vaedocs.derivation.elaborate.scope import Macro, NeedsInteger
from vaedocs.derivation.letters import NOISE, is_index_letter, is_parameter
from vaedocs.derivation.rewrite.trees import at_index, rebuild, substitute
from vaedocs.derivation.spelling import names_in, spell, stem, walk
from vaedocs.derivation.theory import Shape


class Flows(Definitions):
    """Reads the steps of a flow at concrete numbers of steps."""

    def flow(self, name: s.Node) -> Macro | None:
        """The step that leads from each member of a sequence to the next; None without one."""
        if not isinstance(name, s.Name) or len(name.subscripts) != 1 or name.indices:
            return None
        for macro in (one for kept in self.scope.macros.values() for one in kept):
            made = macro.name
            if made is None or stem(made) != stem(name) or len(made.subscripts) != 1:
                continue
            names = names_in(macro.body)
            before = {tuple(map(spell, n.subscripts)) for n in names if stem(n) == stem(name)}
            (letter,) = made.subscripts
            if is_index_letter(letter) and before == {(f"{spell(letter)}-1",)}:
                return macro
            alone = spell(made) == spell(self.concrete(name)) and spell(letter).isdigit()
            if alone and before == {(str(int(spell(letter)) - 1),)}:
                return macro  # z_2 = f_2(z_1), said of this step alone
        return None

    def sure_flow(self, name: s.Name) -> Macro | None:
        r"""The same without noise: the steps of ``x_t = a x_{t-1} + b \epsilon_t`` have some."""
        if (flow := self.flow(name)) is None:
            return None
        heads = {call.head for call in walk(flow.body) if isinstance(call, s.Call)}
        others = [n for n in names_in(flow.body) if stem(n) != stem(name) and n not in heads]
        random = (self.slot(n) in self.scope.survey.random or stem(n) in NOISE for n in others)
        numbered = any(n.subscripts or n.indices for n in others)
        return None if numbered or any(random) else flow

    def steps(self, name: s.Name) -> int | None:
        """How many steps lead to ``z_2`` or ``z_K``; None where the index is not known yet."""
        (part,) = self.concrete(name).subscripts
        if isinstance(part, s.Number):
            return int(part.text) if part.text.isdigit() else None
        if isinstance(part, s.Name) and spell(part) == part.base and part.base.isupper():
            raise NeedsInteger(part.base)
        return None

    def step(self, flow: Macro, k: int) -> s.Node:
        r"""What ``z_k`` is made of: ``f_2(z_1)``, or the formula where f_k is defined by one."""
        assert flow.name is not None
        (letter,), body = flow.name.subscripts, flow.body
        if isinstance(body, s.Call) and len(body.groups) == 1 and len(body.groups[0]) == 1:
            for macro in self.scope.macros.get(spell(body.head), []):
                if len(macro.parameters) == 1 and isinstance(macro.parameters[0], s.Name):
                    body = substitute(macro.body, {spell(macro.parameters[0]): body.groups[0][0]})
                    break
        number = s.Number(str(k), span=letter.span)

        def settled(node: s.Node) -> s.Node | None:
            terms = node.terms if isinstance(node, s.Sum) else ()
            made = [sign * int(t.text) for sign, t in terms if isinstance(t, s.Number)]
            whole = terms and len(made) == len(terms)
            return s.Number(str(sum(made)), span=node.span) if whole else None

        inside = at_index(body, {spell(letter): number} if is_index_letter(letter) else {})
        return rebuild(
            inside,
            lambda node: (
                replace(node, subscripts=tuple(rebuild(part, settled) for part in node.subscripts))
                if isinstance(node, s.Name) and node.subscripts
                else None
            ),
        )

    def of_every_index(self, node: s.Name, arguments: int = 0) -> Macro | None:
        """What a name of a sequence is; of a flow, what ``z_K`` is one step back."""
        flow = self.flow(node)
        if flow is None:
            return super().of_every_index(node, arguments)
        k = self.steps(node)
        if not k:
            return None
        return replace(flow, body=self.step(flow, k), literal=spell(self.concrete(node)), name=None)

    def density_of_flow(self, node: s.Call) -> Expr | None:
        r"""``q_K(z_K)`` as ``q_0(z_0) \prod_k |\det \partial f_k / \partial z_{k-1}|^{-1}``; so
        the p(x) of an ``x = z_K``.
        """
        head, item = node.head, node.groups[0][0]
        made = self.scope.transforms.get(spell(item)) if not self.held else None
        end = made is not None and self.flow(made.body) is not None
        item = made.body if made is not None and end else item
        flow = self.flow(item)
        if flow is None or not isinstance(head, s.Name) or not isinstance(item, s.Name):
            return None
        k = self._counted_steps(item)
        if not k:
            return None
        zero, span = s.Number("0", span=node.span), node.span
        start = replace(item, subscripts=(zero,))
        groups = ((start, *node.groups[0][1:]), *node.groups[1:])
        loose = bool(head.subscripts) and all(map(is_parameter, head.subscripts))
        if end or (loose and self._law_of(start) is None):  # the only density of z_0 in sight
            calls = (n for tree in self.scope.survey.trees for n in walk(tree))
            starts = [n.head for n in calls if isinstance(n, s.Call) and n.groups == groups]
            starts = [n for n in starts if end or (isinstance(n, s.Name) and n.base == head.base)]
            own = replace(head, subscripts=(zero,)) if head.subscripts and not loose else head
            (only, *others) = {*starts} or {own}
            first = only if isinstance(only, s.Name) and not others else own
        elif (known := self._first(head, start, k)) is None:
            return None  # a prior p(z_K) beside z_0 \sim q_0 is a density of its own
        else:
            first = known
        made = self.expression(replace(node, head=first, groups=groups))
        for j in range(1, k + 1):
            before, after = (
                replace(item, subscripts=(s.Number(str(i), span=span),)) for i in (j - 1, j)
            )
            if (flow := self.flow(after)) is None:
                raise self.refuse(node, f"nothing says what {spell(after)} is made of")
            self._must_be_one_to_one(flow, node)
            slope = self.slope(self.step(flow, j), before, node, invertible=True)
            made = made / sympy.Abs(e.Determinant(slope) if self.shape(slope) else slope)
        return made

    def _counted_steps(self, item: s.Name) -> int | None:
        """How many steps lead to a member of the sequence, once its index is known."""
        part = item.subscripts[0]
        if is_index_letter(part) and spell(part) not in {*self.indices, *self.scope.integers}:
            raise NeedsInteger(spell(part))
        return self.steps(item)

    def from_start(self, sampling: s.Sampling) -> s.Sampling:
        r"""An average over z_K, or under a bare q_K, as the average over the z_0 of the flow."""
        law = sampling.distribution
        head = law.head if isinstance(law, s.Call) else law
        named = [macro.name for kept in self.scope.macros.values() for macro in kept]
        flows = [name for name in named if name is not None and self.sure_flow(name)]
        if not flows or not isinstance(head, s.Name):
            return sampling
        items = sampling.variables or (law.groups[0] if isinstance(law, s.Call) else ())
        bare = not items and len(flows) == 1 and len(head.subscripts) == 1
        item = replace(flows[0], subscripts=head.subscripts) if bare else [*items, None][0]
        if not isinstance(item, s.Name) or len(items) > 1 or self.sure_flow(item) is None:
            return sampling
        k, span = self._counted_steps(item), sampling.span
        if k is None:
            return sampling
        start = replace(item, subscripts=(s.Number("0", span=span),))
        if k:
            first = self._first(head, start, k)
            if first is None:
                return sampling
            head = first
        call = s.Call(head, ((start,),), span=span)
        if isinstance(law, s.Call):
            call = replace(law, head=head, groups=((start,), *law.groups[1:]))
        return s.Sampling((start,), call, span=span)

    def starts(self, sampling: s.Sampling) -> str:
        """The letter of the flow over whose start is averaged; empty without one."""
        for item in sampling.variables:
            if isinstance(item, s.Name) and self.sure_flow(item):
                return stem(item) if spell(item.subscripts[0]) == "0" else ""
        return ""

    def value_of_step(self, item: s.Name) -> Expr | None:
        """What z_k is, if z_0 has a law or is averaged over: no variable of its own."""
        if not self.scope.macros or self.sure_flow(item) is None or not self.steps(item):
            return None
        start = replace(item, subscripts=(s.Number("0", span=item.span),))
        averaged = stem(item) in self.flown
        free = self.slot(item) not in self.held and self._law_of(start) is not None
        return self.expression(item) if averaged or free else None

    def _first(self, head: s.Name, start: s.Name, k: int) -> s.Name | None:
        """The density of z_0 that makes this one of z_k; None if it has nothing to do with it."""
        marks = [spell(one) for one in self.concrete(head).subscripts if not is_parameter(one)]
        if (law := self._law_of(start)) is not None and marks != [str(k)]:
            return law if law.base == head.base else None
        if marks not in ([str(k)], []):
            hint = f"write q_{k}(z_{k}), and q_0(z_0) at the start"
            raise self.refuse(head, "which density of the sequence is this?", hint)
        return replace(head, subscripts=start.subscripts) if marks else head  # q_0(z_0), p(z_0)

    def _law_of(self, start: s.Name) -> s.Name | None:
        r"""The q_0 of ``z_0 \sim q_0(z_0 \mid x)``."""
        for tree in self.scope.survey.trees:
            if isinstance(tree, s.Chain) and tree.left == start and tree.only:
                law = tree.only.right if tree.only.symbol == "~" else None
                law = law.head if isinstance(law, s.Call) else law
                if isinstance(law, s.Name) and not look.family(law):
                    return law
        return None

    def slope(self, body: s.Node, at: s.Name, node: s.Node, invertible: bool = False) -> Expr:
        """The derivative of ``body`` in a member of the sequence, which may be made of others."""
        value = self.expression(at)
        shape = self.shape(value)
        point = self.point("t'", shape)
        name = s.Name("t", primes=1, span=at.span)
        body = rebuild(body, lambda n: self.concrete(n) if isinstance(n, s.Name) else None)
        for call in walk(body):
            if isinstance(call, s.Call) and at in call.groups[0]:
                self.valued_alike(call, shape, invertible)
        with self.counting({"t'": point}):
            inner = self.expression(substitute(body, {spell(at): name}))
        if self.shape(inner) != shape:
            raise self.refuse(node, "a step of this sequence changes the dimension")
        made = e.Derivative("jacobian" if shape else "partial", inner, (point,), not shape)
        return e.Evaluated(made, ((point, value),))

    def point(self, name: str, shape: Shape) -> Symbol:
        """A variable of this shape, at which a derivative is taken before it gets its value."""
        if not shape:
            return Symbol(name, real=True)
        made = Symbol(name, commutative=False)
        self.theory.shapes[made] = shape
        return made

    def valued_alike(self, call: s.Call, shape: Shape, invertible: bool = False) -> None:
        """Take down that an unknown function has values of its argument's shape."""
        raise NotImplementedError

    def _must_be_one_to_one(self, flow: Macro, node: s.Node) -> None:
        """Refuse a density of what nobody said to be invertible."""
        assert flow.name is not None
        body = flow.body
        head = body.head if isinstance(body, s.Call) else None
        keys = {stem(head) + "_", spell(head), stem(head)} if isinstance(head, s.Name) else set()
        said = any("invertible" in self.scope.declared_tags.get(key, ()) for key in keys)
        known = [self.theory.functions.get(key) for key in keys]
        if not said and not any(info and info.invertible for info in known):
            what = spell(head) if isinstance(head, s.Name) else "f_k"
            raise self.refuse(
                node,
                f"{spell(flow.name)} has a density of its own only if its steps are invertible",
                f"say so: {what} invertible" if keys else "name them: z_k = f_k(z_{k-1})",
            )
