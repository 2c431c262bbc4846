"""Definitions: named quantities, and random variables that are made of others."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate import Macro
from vaedocs.derivation.elaborate.stacks import of_entries
from vaedocs.derivation.hypotheses.densities import Densities
from vaedocs.derivation.letters import NOISE, is_parameter
from vaedocs.derivation.spelling import names_in, root_of, spell, walk
from vaedocs.derivation.theory import DensityKey, Fact, FunctionInfo


class Definitions(Densities):
    """Reads definitions, and carries densities along invertible ones."""

    def _definition(self, chain: s.Chain) -> bool:
        if len(chain.links) != 1 or chain.left is None:
            return False
        link, left = chain.links[0], chain.left
        if link.symbol not in {":=", "=", "=="}:
            return False
        right = link.right
        if isinstance(left, s.Call) and look.family(left.head):
            return False  # \mathcal{N}(x; \mu, \sigma^2) means what it means
        if link.symbol == ":=" and isinstance(left, s.Sum) and [n for n, _ in left.terms] == [-1]:
            left = left.terms[0][1]  # -\mathcal{L} := …
            right = s.Sum(((-1, s.Group(right, span=right.span)),), span=right.span)
        root = root_of(left)  # of two roots the positive one
        if root is not None and (link.symbol == ":=" or isinstance(root, s.Call)):
            left, right = root, s.Function("sqrt", right, span=right.span)
        if isinstance(left, s.Call) and isinstance(right, s.BigOperator) and self._of_iid(left):
            return True  # the survey has seen that the copies are independent
        text = self.source[chain.span[0] : chain.span[1]].strip()
        if (
            isinstance(left, s.Call)
            and isinstance(left.head, s.Name)
            and look.is_density_call(left, self.scope.survey)
        ):
            if (
                isinstance(right, s.Call)
                and look.is_density_call(right, self.scope.survey)
                and spell(right.head) != spell(left.head)
            ):
                if self._same_without_parameters(left, right):
                    return True  # p_\theta(z) = p(z) says nothing of p_\theta(x | z)
                self._leads_elsewhere(left, right)
                if sorted(map(spell, left.items)) == sorted(map(spell, right.items)):
                    return False  # of the same variables
                self.scope.aliases[spell(left.head)] = Macro(left.items, right, spell(left), text)
                return True
            return False
        if isinstance(left, s.Name) and look.is_density_head(left, self.scope.survey):
            if isinstance(right, s.Call) and look.is_density_call(right, self.scope.survey):
                self.scope.aliases[spell(left)] = Macro((), right, spell(left), text)
                return True  # a bare q stands for q(z | x)
            if isinstance(right, s.Name) and look.is_density_head(right, self.scope.survey):
                self._leads_elsewhere(left, right)
                self.scope.aliases[spell(left)] = Macro((), right, spell(left), text)
                return True
            if self.reader.knows_head(left):
                return False
        if isinstance(right, s.Call) and look.family(right.head) and len(right.groups) == 1:
            return False
        if isinstance(left, s.Name) and self.is_transform(left, right):
            slot = self.reader.slot(left)
            self._shape_of_values(left, right)
            self.scope.transforms[slot] = Macro((), right, spell(left), text)
            return True
        if isinstance(left, s.Name) and (link.symbol == ":=" or self._fresh(left, right)):
            self.scope.macros.setdefault(spell(left), []).insert(
                0, Macro((), right, spell(left), text, left)
            )
            self.scope.know_whole(of_entries(left, right, text))
            return True
        if (
            isinstance(left, s.Call)
            and isinstance(left.head, s.Name)
            and (link.symbol == ":=" or self._fresh(left.head, right))
        ):
            parameters = left.items
            self.scope.macros.setdefault(spell(left.head), []).insert(
                0, Macro(parameters, right, spell(left), text, left.head)
            )
            return True
        return False

    @staticmethod
    def _same_without_parameters(left: s.Call, right: s.Call) -> bool:
        """Whether two densities differ in the parameters that are written with them alone."""
        heads = (left.head, right.head)
        kept = [
            replace(h, subscripts=tuple(part for part in h.subscripts if not is_parameter(part)))
            for h in heads
            if isinstance(h, s.Name)
        ]
        same = len(kept) == 2 and spell(kept[0]) == spell(kept[1])
        return same and spell(replace(left, head=kept[0])) == spell(replace(right, head=kept[0]))

    def _leads_elsewhere(self, left: s.Call | s.Name, right: s.Node) -> None:
        """p := q where q := p says of neither what it is."""

        def head(node: s.Node) -> str:
            return spell(node.head if isinstance(node, s.Call) else node)

        while head(right) != head(left) and (other := self.scope.aliases.get(head(right))):
            right = other.body
        if head(right) == head(left):
            raise self.reader.refuse(left, f"{spell(left)} is defined by itself")

    def _of_iid(self, left: s.Call) -> bool:
        if not look.is_density_call(left, self.scope.survey):
            return False
        return any(self.reader.is_list_of_copies(item) for item in look.arguments(left)[0])

    def _shape_of_values(self, left: s.Name, right: s.Node) -> None:
        """Of ``x = f(z)`` with a declared x, f has values of its shape."""
        made = self.scope.declared_shapes.get(spell(left))
        if made and isinstance(right, s.Call) and isinstance(right.head, s.Name):
            name = spell(right.head)
            known = self.theory.functions.get(name, FunctionInfo(name))
            self.theory.functions[name] = replace(known, shape=known.shape or made)

    def is_transform(self, left: s.Name, right: s.Node) -> bool:
        """``z = \\mu + \\sigma \\epsilon``: one random variable made of others."""
        slot, random = self.reader.slot(left), self.scope.survey.random
        if left.subscripts or left.indices or slot not in random:
            return False
        if any(isinstance(n, s.Expectation | s.Integral | s.BigOperator) for n in walk(right)):
            return False
        inside = {self.reader.slot(n) for n in names_in(right)}
        return bool(inside & set(random)) and slot not in inside

    def _carry_densities(self) -> None:
        """Of an invertible z = f(x), one density follows from the other:
        p(x) = p(z = f(x)) |det ∂f/∂x|.
        """
        self._independent_noise()
        for slot, made in self.scope.transforms.items():
            names = [self.reader.slot(n) for n in names_in(made.body)]
            sources = [n for n in dict.fromkeys(names) if n in self.scope.survey.random]
            if len(sources) > 1:
                self._carry_noise(slot, sources)
            if len(sources) != 1:
                continue
            value = self.reader.made_of(slot)
            source = self.reader.variable(sources[0]).symbol
            if value is None or not self._invertible(value, source):
                continue
            if self._carry_family(slot, value, sources[0]):
                continue
            for head, uses in self.scope.survey.signatures.items():
                plain = {one.left for one in uses if not one.right}
                key = (head, frozenset(sources), frozenset[str]())
                families = [k for k in self.theory.families if k[0] == head]
                known = any(k[1] | k[2] != {slot} for k in families)
                if known or not {(slot,), (sources[0],)} <= plain:
                    continue
                self._carry(head, key, slot, value, source)

    def _independent_noise(self) -> None:
        r"""The \epsilon of ``z = x + \epsilon``, drawn on its own, is independent of x."""
        drawn = {key[1]: key[0] for key in self.theory.families if not key[2]}
        for slot in sorted(NOISE):
            head = drawn.get(frozenset({slot}))
            for macro in (m for kept in self.scope.macros.values() for m in kept if head):
                names = {self.reader.slot(n) for n in names_in(macro.body)}
                others = frozenset(names & self.scope.survey.random.keys() - {slot})
                if head and slot in names and others:
                    rule = (head, frozenset({slot}), frozenset[str](), others)
                    self.theory.independences.append(rule)

    def _carry_noise(self, slot: str, sources: list[str]) -> None:
        r"""Of ``z = f(x) + \sigma \epsilon`` with independent noise: the density of z given x."""
        value, model = self.reader.made_of(slot), self.scope.survey.model
        target = self.reader.variable(slot).symbol
        if value is None or any(slot in key[1] for key in self.theory.families):
            return
        drawn = {s for key in self.theory.families if not key[2] for s in key[1]}
        last = [n for n in sources if n not in drawn] + [n for n in sources if n in drawn]
        for source in reversed(last):  # the ε of x + ε, the Z of X + Z
            noise, others = self.reader.variable(source).symbol, {*sources} - {source}
            slope = self.reader.coefficient(value, noise)
            alone = all(self.reader.are_independent({source, other}) for other in others)
            if slope is None or not alone:
                continue
            given = [(other, self.reader.variable(other).symbol) for other in others]
            made = e.Density(model, [(slot, target)], given)
            own = (model, frozenset({source}), frozenset[str]())
            known = self.theory.families.get(own)
            law, text = known.formula if known else None, self.scope.transforms[slot].text
            self.reader.register(model, [slot, *sources])
            self.scope.noise[slot] = source
            rule = (model, frozenset({source}), frozenset[str](), frozenset(others))
            self.theory.independences.append(rule)
            if isinstance(law, e.Normal):
                turned = e.Transpose(slope) if self.reader.shape(slope) else slope
                spread = slope * law.args[2] * turned
                mean = value.xreplace({noise: law.args[1]})
                self.declare_formula(made, e.Normal(target, mean, spread), text)
            elif not known and not self.reader.shape(value):
                # a head of its own: what stands behind p(z | x) is no other factor of p
                free = e.Density(f"{model}_{source}", [(source, noise)])
                moved = (target - value.xreplace({noise: sympy.Integer(0)})) / slope
                moved = e.Density(free.head, [(source, moved)]) / sympy.Abs(slope)
                self.reader.register(free.head, [source])
                for left, right in ((e.Density(model, free.values), free), (made, moved)):
                    self.theory.density_definitions[left.key] = Fact("=", left, right, text, text)
            return

    def _carry_family(self, slot: str, value: Expr, source: str) -> bool:
        """Of ``x = a z + b`` with a normal z: the normal density of x."""
        variable = self.reader.variable(source).symbol
        wanted = (frozenset({source}), frozenset[str]())
        key = next((k for k in self.theory.families if k[1:] == wanted), None)
        known = self.theory.families[key].formula if key is not None else None
        target = self.reader.variable(slot).symbol
        if key is None or not isinstance(known, e.Normal) or self.reader.shape(value):
            return False
        slope = sympy.diff(value, variable)
        if slope == 0 or variable in slope.free_symbols or not isinstance(target, Symbol):
            return False
        mean, variance = known.args[1:]
        made = e.Density(key[0], [(slot, target)])
        if made.key not in self.theory.families:
            self.reader.register(key[0], [slot])
            formula = e.Normal(target, value.xreplace({variable: mean}), slope**2 * variance)
            self.declare_formula(made, formula, self.scope.transforms[slot].text)
        return True

    def _carry(self, head: str, key: DensityKey, slot: str, value: Expr, source: Symbol) -> None:
        shape = self.reader.shape(value)
        slope = e.Derivative("jacobian" if shape else "partial", value, (source,), not shape)
        volume = sympy.Abs(e.Determinant(slope) if shape else slope)
        formula = e.Density(head, [(slot, value)]) * volume
        target = e.Density(head, [(next(iter(key[1])), source)])
        fact = Fact("=", target, formula, "the change of variables")
        self.theory.density_definitions.setdefault(key, fact)

    def _invertible(self, value: Expr, source: Symbol) -> bool:
        """A function declared so, at the variable itself, or a straight line."""
        if isinstance(value, e.Apply):
            info = self.theory.functions.get(value.name)
            return bool(info and info.invertible) and tuple(value.args[2]) == (source,)
        if self.reader.shape(value):
            return False
        slope = sympy.diff(value, source)
        return slope != 0 and source not in slope.free_symbols

    def _fresh(self, name: s.Name, right: s.Node) -> bool:
        """Whether ``name = …`` introduces the name: it is nowhere declared and not part of its own
        right side.
        """
        spelt = spell(name)
        if spelt in self.scope.macros:
            return False  # \Lambda := \Sigma^{-1}; \Lambda = (A, B; C, D)
        if (
            spelt in self.scope.declared_shapes
            and self.scope.declared_shapes[spelt]
            and spelt in self.scope.survey.random
        ):
            return True
        return not any(
            isinstance(inner, s.Name) and spell(inner) == spelt for inner in walk(right)
        ) and not isinstance(right, s.Number)
