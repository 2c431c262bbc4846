"""Definitions and densities: named quantities, families, factorisations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import sympy
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate import Macro
from vaedocs.derivation.elaborate.trees import is_index_letter, rebuild
from vaedocs.derivation.hypotheses.statements import Statements
from vaedocs.derivation.spelling import spell, walk
from vaedocs.derivation.theory import DensityKey, Fact, Family, FunctionInfo


class Densities(Statements):
    """Reads definitions and density statements."""

    def _definition(self, chain: s.Chain) -> bool:
        if len(chain.links) != 1 or chain.left is None:
            return False
        link, left = chain.links[0], chain.left
        if link.symbol not in {":=", "=", "=="}:
            return False
        right = link.right
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
                parameters = tuple(item for group in left.groups for item in group)
                self.scope.aliases[spell(left.head)] = Macro(parameters, right, spell(left), text)
                return True
            return False
        if isinstance(left, s.Name) and look.is_density_head(left, self.scope.survey):
            if isinstance(right, s.Call) and look.is_density_call(right, self.scope.survey):
                self.scope.aliases[spell(left)] = Macro((), right, spell(left), text)
                return True  # a bare q stands for q(z | x)
            if self.reader.knows_head(left):
                return False
        if isinstance(right, s.Call) and look.family(right.head) and len(right.groups) == 1:
            return False
        if isinstance(left, s.Name) and self._is_transform(left, right):
            slot = self.reader.slot(left)
            self._shape_of_values(left, right)
            self.scope.transforms[slot] = Macro((), right, spell(left), text)
            return True
        if isinstance(left, s.Name) and (link.symbol == ":=" or self._fresh(left, right)):
            self.scope.macros.setdefault(spell(left), []).insert(
                0, Macro((), right, spell(left), text, left)
            )
            return True
        if (
            isinstance(left, s.Call)
            and isinstance(left.head, s.Name)
            and (link.symbol == ":=" or self._fresh(left.head, right))
        ):
            parameters = tuple(item for group in left.groups for item in group)
            self.scope.macros.setdefault(spell(left.head), []).insert(
                0, Macro(parameters, right, spell(left), text)
            )
            return True
        return False

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

    def _is_transform(self, left: s.Name, right: s.Node) -> bool:
        """``z = \\mu + \\sigma \\epsilon``: one random variable made of others."""
        slot, random = self.reader.slot(left), self.scope.survey.random
        if left.subscripts or left.indices or slot not in random:
            return False
        if any(isinstance(n, s.Expectation | s.Integral | s.BigOperator) for n in walk(right)):
            return False
        inside = {self.reader.slot(n) for n in walk(right) if isinstance(n, s.Name)}
        return bool(inside & set(random)) and slot not in inside

    def _carry_densities(self) -> None:
        """Of an invertible z = f(x), one density follows from the other:
        p(x) = p(z = f(x)) |det ∂f/∂x|.
        """
        for slot, made in self.scope.transforms.items():
            names = {self.reader.slot(n) for n in walk(made.body) if isinstance(n, s.Name)}
            sources = [name for name in names if name in self.scope.survey.random]
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
                known = any(k[0] == head for k in self.theory.families)
                if known or not {(slot,), (sources[0],)} <= plain:
                    continue
                self._carry(head, key, slot, value, source)

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
        if (
            spelt in self.scope.declared_shapes
            and self.scope.declared_shapes[spelt]
            and spelt in self.scope.survey.random
        ):
            return True
        return not any(
            isinstance(inner, s.Name) and spell(inner) == spelt for inner in walk(right)
        ) and not isinstance(right, s.Number)

    def _family(self, chain: s.Chain) -> bool:
        """``q(z | x) = \\mathcal{N}(…)``, ``z \\sim …``, ``q = …``: a density with a formula; any
        other equation between densities.
        """
        if len(chain.links) != 1 or chain.left is None:
            return False
        link, left = chain.links[0], chain.left
        if link.symbol == "prop" and look.is_density_call(left, self.scope.survey):
            return self._proportional(left, link.right, self.source[slice(*chain.span)].strip())
        if link.symbol not in {"=", ":=", "~", "=="}:
            return False
        return self.read_family(left, link.symbol, link.right, chain)

    def _proportional(self, left: s.Node, right: s.Node, text: str) -> bool:
        """``q(z) \\propto …``: the right side over its integral."""
        target, made = self.reader.expression(left), self.reader.expression(right)
        if not isinstance(target, e.Density):
            return False
        bound = tuple(value for _, value in target.values)
        normalised = made / e.Integral(made, (), bound)
        fact = Fact("=", target, normalised, f"the definition of {spell(left)}", text)
        self.theory.density_definitions[target.key] = fact
        return True

    def read_family(self, left: s.Node, symbol: str, right: s.Node, chain: s.Chain) -> bool:
        """Enter one density statement into the theory; False if it is none."""
        text = self.source[chain.span[0] : chain.span[1]].strip()
        if symbol == "~":
            return self._sampled(left, right, text)
        with self._labelled(left):
            return self._read_density(left, right, chain, text)

    @contextmanager
    def _labelled(self, left: s.Node) -> Iterator[None]:
        """In ``p(x \\mid z = k) = …`` with a free k, k stands for the value of z."""
        added: list[str] = []
        for item in left.groups[-1] if isinstance(left, s.Call) else ():
            if not isinstance(item, s.Relation) or not isinstance(item.left, s.Name):
                continue
            if item.symbol == "=" and is_index_letter(item.right):
                name = spell(item.right)
                if name not in self.reader.indices and name not in self.scope.integers:
                    self.reader.indices[name] = self.reader.variable(
                        self.reader.slot(item.left)
                    ).symbol
                    added.append(name)
        yield
        for name in added:
            del self.reader.indices[name]

    def _read_density(self, left: s.Node, right: s.Node, chain: s.Chain, text: str) -> bool:
        right = self._over_entries(left, right)
        is_density = isinstance(left, s.Call) and look.is_density_call(left, self.scope.survey)
        bare = (
            isinstance(left, s.Name)
            and look.is_density_head(left, self.scope.survey)
            and (isinstance(right, s.Call) and bool(look.family(right.head)))
        )
        if not (is_density or bare):
            return False
        if isinstance(right, s.Call) and look.family(right.head):
            if bare:
                assert isinstance(left, s.Name)
                target = self._target_of_head(left)
                if target is None:
                    variable = self._shared_variable(right)
                    head, _ = self.reader.head_name(left, set())
                    slot = self.reader.slot_of(variable)
                    self.reader.register(head, [slot])
                    target = e.Density(head, [(slot, variable)])
            else:
                target = self.reader.expression(left)
            self.declare(target, right, text)
            return True
        target = self.reader.expression(left)
        if not isinstance(target, e.Density):
            raise self.reader.refuse(left, "a density is needed on the left")
        made = self.reader.expression(right)
        target = self.reader.expression(left)  # shapes may have become known on the right
        if isinstance(made, e.Density | sympy.Mul) and self._factorisation(target, made):
            return True
        if isinstance(made, e.Family):
            self.declare_formula(target, made, text)
            return True
        self.theory.density_definitions[target.key] = Fact(
            "=", target, made, f"the definition of {spell(left)}", text
        )
        return True

    def _over_entries(self, left: s.Node, right: s.Node) -> s.Node:
        r"""``\prod_{i=1}^{D} \mathrm{Bern}(x_i; y_i)`` as the family of the vectors x and y."""
        if not isinstance(right, s.BigOperator) or right.name != "prod" or right.upper is None:
            return right
        body, index = right.body, right.indices[0] if len(right.indices) == 1 else None
        items = look.arguments(left)[0] if isinstance(left, s.Call) else []
        if not isinstance(body, s.Call) or not look.family(body.head) or len(body.groups) != 2:
            return right
        value = body.groups[0][0]
        whole = items[0] if len(items) == 1 else None
        if not isinstance(value, s.Name) or not isinstance(whole, s.Name) or index is None:
            return right
        if value.subscripts != (index,) or spell(replace(value, subscripts=())) != spell(whole):
            return right
        size = self.reader.dimension(right.upper)

        def vector(inner: s.Node) -> s.Node | None:
            if not isinstance(inner, s.Name) or inner.subscripts != (index,):
                return None
            if inner.base in look.DENSITY_LETTERS:
                return None  # \pi_j(z) is a function, \pi(z) would be a density
            plain = replace(inner, subscripts=())
            if spell(inner) in self.scope.survey.called:
                known = self.theory.functions.get(spell(plain), FunctionInfo(spell(plain)))
                self.theory.functions[spell(plain)] = replace(known, shape=(size,))
            else:
                self.scope.declared_shapes.setdefault(spell(plain), (size,))
            return plain

        self.scope.declared_shapes.setdefault(spell(whole), (size,))
        parameters = [rebuild(item, vector) for item in body.groups[1]]
        if any(spell(n) == spell(index) for item in parameters for n in walk(item)):
            return right
        if look.family(body.head) == "normal":
            spread = parameters[1]
            scaled = s.Product((spread, s.Name("I", span=spread.span)), ("",), span=spread.span)
            same = spread == body.groups[1][1]
            parameters[1] = scaled if same else s.Function("diag", spread, span=spread.span)
        elif look.family(body.head) != "bernoulli":
            return right
        return replace(body, groups=((whole,), tuple(parameters)))

    def _target_of_head(self, left: s.Name) -> e.Density | None:
        if self.scope.survey.signatures.get(look.head_stem(left)):
            made, _ = self.reader.bare_head(left)
            return made if isinstance(made, e.Density) else None
        return None

    def _shared_variable(self, right: s.Call) -> Symbol:
        """The variable of heads that never name one (``q = \\mathcal{N}(…)``), one for all."""
        if "z" not in self.theory.variables:
            self.reader.variable("z")
        return self.theory.variables["z"].symbol

    def declare(self, target: Expr, right: s.Call, text: str) -> None:
        """A family for a density; shapes follow from it."""
        if not isinstance(target, e.Density) or len(target.values) != 1:
            raise self.reader.refuse(right, "a family is declared for a density of one variable")
        slot, _ = target.values[0]
        variable = self.theory.variables[slot]
        formula = self.reader.make_family(right, variable.symbol)
        variable = self.theory.variables[slot]
        if formula.args[0] != variable.symbol and isinstance(formula.args[0], Symbol):
            self.theory.variables[slot] = replace(
                variable, symbol=formula.args[0], shape=self.reader.shape(formula.args[0])
            )
        self.declare_formula(target, formula, text)

    def declare_formula(self, target: e.Density, formula: Expr, text: str) -> None:
        """Keep a family under the density's key, in the slots' own symbols."""
        self.theory.families[target.key] = Family(target.key, formula, text)

    def _sampled(self, left: s.Node, right: s.Node, text: str) -> bool:
        """``z \\sim \\mathcal{N}(0, I)``; ``x \\mid z \\sim …`` (a call-less bar) declares p."""
        conditions: tuple[s.Node, ...] = ()
        if isinstance(left, s.Conditioned):
            conditions, left = left.conditions, s.Sequence(left.items, span=left.span)
        if isinstance(left, s.Call) and not look.is_density_call(left, self.scope.survey):
            return False
        for item in self._names(left):
            if not isinstance(item, s.Name):
                return False
            slot = self.reader.slot(item)
            self.reader.variable(slot)
            if isinstance(right, s.Call) and look.family(right.head):
                head = self.reader.owner_of([item])
                self.reader.register(head, [slot])
                self.declare(
                    e.Density(
                        head,
                        [(slot, self.theory.variables[slot].symbol)],
                        [pair for c in conditions for pair in self.reader.fill(c, None)],
                    ),
                    right,
                    text,
                )
                continue
            if isinstance(right, s.Call) and look.is_density_call(right, self.scope.survey):
                continue  # names the density that the symbol stands for elsewhere
            if not isinstance(right, s.Name):
                raise self.reader.refuse(right, "a distribution is needed behind ∼")
        return True

    def _factorisation(self, target: e.Density, made: Expr) -> bool:
        """``p(x, z) = p(x|z) p(z)`` and independences, ``p(x|z, y) = p(x|z)``: what each factor
        leaves out of what stands before it.
        """
        factors = list(made.args) if isinstance(made, sympy.Mul) else [made]
        if not all(isinstance(f, e.Density) and f.head == target.head for f in factors):
            return False
        known = target.key[2]
        while factors:
            ready = next((f for f in factors if f.key[2] <= known), None)
            if ready is None:
                return False
            factors.remove(ready)
            _, slots, conditions = ready.key
            if known - conditions:
                self.theory.independences.append(
                    (target.head, slots, conditions, known - conditions)
                )
            known |= slots
        return known == target.key[1] | target.key[2]
