"""Densities: families, formulas, factorisations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product

import sympy
from sympy import Expr, Integer, Symbol, oo

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.hypotheses.formulas import Formulas
from vaedocs.derivation.hypotheses.normalisers import know_normaliser
from vaedocs.derivation.hypotheses.written_out import family_of
from vaedocs.derivation.letters import is_index_letter
from vaedocs.derivation.parser import parse_statements
from vaedocs.derivation.rewrite.trees import substitute
from vaedocs.derivation.spelling import names_in, spell, walk
from vaedocs.derivation.theory import Fact, FunctionInfo

OWN = r"(?:(?:all|its|the)\s+)*values"
COUNT = re.compile(
    r"(?:the\s+)?(?P<count>\d+|\\?[A-Za-z](?:_\w)?)\s+(?:possible\s+)?"
    r"(?:values|classes|categories|labels|states|outcomes|components)"
)


class Densities(Formulas):
    """Reads density statements."""

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
        self.give_shapes(left, right)
        target, made = self.reader.expression(left), self.reader.expression(right)
        if not isinstance(target, e.Density):
            return False
        if len(target.values) == 1:
            ((slot, value),) = target.values
            found = family_of(made, value, self.theory.variables[slot], self.theory)
            if found is not None and isinstance(found[0], e.Normal | e.Exponential | e.Laplace):
                self.declare_formula(target, found[0], text)
                return True
        bound = tuple(value for _, value in target.values)
        normalised = made / e.Integral(made, (), bound)
        fact = Fact("=", target, normalised, f"the definition of {spell(left)}", text)
        self.theory.density_definitions[target.key] = fact
        return True

    def read_family(self, left: s.Node, symbol: str, right: s.Node, chain: s.Chain) -> bool:
        """Enter one density statement into the theory; False if it is none."""
        text = self.source[chain.span[0] : chain.span[1]].strip()
        law = isinstance(right, s.Call) and bool(look.family(right.head))
        if symbol == "~" and not (isinstance(left, s.Call) and law):  # p(x) \sim N(0, 1)
            return self._sampled(left, right, text)
        left, right = self._of_labels(left, right)
        with self._labelled(left):
            return self._read_density(left, right, chain, text)

    def _of_labels(self, left: s.Node, right: s.Node) -> tuple[s.Node, s.Node]:
        r"""``p(z = k) = \pi_k`` for every k says ``p(z) = \mathrm{Cat}(z; \pi)``, and ``q(z = k
        \mid x) = \pi_k(x)`` says ``q(z \mid x) = \mathrm{Cat}(z; \pi(x))``; ``p(k) = \pi_k`` does.
        """
        item = left.groups[0][0] if isinstance(left, s.Call) else None
        if isinstance(item, s.Name) and is_index_letter(item):
            item = s.Relation("=", item, item, span=item.span)
        if not isinstance(item, s.Relation) or not isinstance(item.left, s.Name):
            return left, right
        if (
            not isinstance(left, s.Call)
            or len(left.groups[0]) > 1
            or not is_index_letter(item.right)
        ):
            return left, right
        head = right.head if isinstance(right, s.Call) else right
        if not isinstance(head, s.Name) or head.subscripts[-1:] != (item.right,):
            return left, right
        variable = self.reader.variable(self.reader.slot(item.left))
        numbered = tuple(range(1, len(variable.values) + 1))
        if variable.values != numbered or variable.low not in {None, 1}:
            return left, right
        if spell(item.right) in self.scope.integers:
            return left, right
        whole: s.Node = replace(head, subscripts=head.subscripts[:-1])
        whole = replace(right, head=whole) if isinstance(right, s.Call) else whole
        kind = s.Name("Cat", style="rm", span=right.span)
        family = s.Call(kind, ((item.left,), (whole,)), (";",), span=right.span)
        return replace(left, groups=((item.left,), *left.groups[1:])), family

    @contextmanager
    def _labelled(self, left: s.Node) -> Iterator[None]:
        """In ``p(z = k) = …`` and ``p(x \\mid z = k) = …`` with a free k, k stands for z."""
        values: dict[str, Expr] = {}
        for item in left.items if isinstance(left, s.Call) else ():
            if not isinstance(item, s.Relation) or not isinstance(item.left, s.Name):
                continue
            if item.symbol == "=" and is_index_letter(item.right):
                name = spell(item.right)
                if name not in self.reader.indices and name not in self.scope.integers:
                    values[name] = self.reader.variable(self.reader.slot(item.left)).symbol
        with self.reader.counting(values):
            yield

    def _for_every_index(self, left: s.Node, right: s.Node) -> tuple[s.Node, s.Node]:
        r"""``p(y_n \mid x_n) = \mathcal{N}(y_n; x_n, 1)``, said for every n, is said of y and x."""
        after = look.arguments(left)[:2] if isinstance(left, s.Call) else ()
        plain: dict[str, s.Node] = {}
        names = [one for group in after for one in group if isinstance(one, s.Name)]
        for item in (n for n in names if n.subscripts and is_index_letter(n.subscripts[-1])):
            one = replace(item, subscripts=item.subscripts[:-1])
            if self.reader.slot(item) != spell(one):
                return left, right
            plain[spell(item)] = one
        names = [*names_in(left), *names_in(right)]
        stems = {name.split("_")[0] for name in plain}
        if any(spell(n).split("_")[0] in stems and spell(n) not in plain for n in names):
            return left, right  # x_t and x_{t-1}
        return (substitute(left, plain), substitute(right, plain)) if plain else (left, right)

    def _read_density(self, left: s.Node, right: s.Node, chain: s.Chain, text: str) -> bool:
        left, right = self._for_every_index(left, self._over_entries(left, right))
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
                    variable = self.reader.variable("z").symbol  # of all heads without one
                    head, _ = self.reader.head_name(left, set())
                    slot = self.reader.slot_of(variable)
                    self.reader.register(head, [slot])
                    target = e.Density(head, [(slot, variable)])
            else:
                target = self.reader.expression(left)
            self.declare(target, right, text)
            return True
        self.give_shapes(left, right)
        know_normaliser(self.scope, left, right, text)
        target = self.reader.expression(left)
        if not isinstance(target, e.Density):
            raise self.reader.refuse(left, "a density is needed on the left")
        if any(value.is_number for _, value in target.values):
            hint = r"say which values there are, as y \in \{0, 1\}, or give the whole law"
            raise self.reader.refuse(left, "what is the probability of the other values?", hint)
        made = self.reader.expression(right)
        fixed = set(self.scope.determined)
        try:
            return self._read_formula(target, left, made, chain, text)
        finally:
            head = spell(left.head) if isinstance(left, s.Call) else ""
            self.normalised |= dict.fromkeys(self.scope.determined - fixed, head)

    def _read_formula(
        self, target: e.Density, left: s.Node, made: Expr, chain: s.Chain, text: str
    ) -> bool:
        target = self.reader.expression(left)  # shapes may have become known on the right
        self._one_of_the_values(target, made)
        self._alike(target, made)
        if isinstance(made, e.Density | sympy.Mul) and self._factorisation(target, made):
            return True
        target, made = self._beside_conditionals(target, made)
        if isinstance(made, e.Family):
            self.declare_formula(target, made, text)
            return True
        if isinstance(made, sympy.Mul) and self._one_by_one(target, made, text):
            return True
        read = self._written_out if len(target.values) == 1 else self._joint_written_out
        if read(target, made, chain, text):
            return True
        self.theory.density_definitions[target.key] = Fact(
            "=", target, made, f"the definition of {spell(left)}", text
        )
        if self.normalisers & {symbol.name for symbol in made.free_symbols}:
            bound = tuple(value for _, value in target.values)
            self._fixes_a_constant(e.Integral(made, (), bound), None)
        self._weights_add_up(target, made)
        return True

    def _beside_conditionals(self, target: e.Density, made: Expr) -> tuple[e.Density, Expr]:
        r"""The q(n) and 1/N of ``q(n, z) = \frac1N q(z \mid n)``: what stands beside a conditional
        of the same head is the law of the other variables.
        """
        for part in made.args if isinstance(made, sympy.Mul) else ():
            if not isinstance(part, e.Density) or part.head != target.head:
                continue
            rest, beside = [v for v in target.values if v[0] not in part.key[1]], made / part
            if not rest or part.key[1] & target.key[2]:
                continue
            one = e.Density(target.head, rest, target.conditions)
            drawn = {value for _, value in part.values}
            if part.key[2] == one.key[1] | one.key[2] and not drawn & beside.free_symbols:
                return self._beside_conditionals(one, beside)
        return target, made

    def _alike(self, target: e.Density, made: Expr) -> None:
        """Where ``p(z) = 1/K`` is said of a z with a sum over its values, these are K."""
        (slot, value), *more = target.values
        variable, count = self.theory.variables[slot], 1 / made
        if more or variable.values or variable.high or count in (value, 1):
            return
        nodes = (node for tree in self.scope.survey.trees for node in walk(tree))
        sums = [n.indices for n in nodes if isinstance(n, s.BigOperator) and n.upper is None]
        summed = variable.discrete or any(slot in map(spell, indices) for indices in sums)
        if isinstance(count, Symbol) and summed:
            ends = Integer(1), self.reader.dimension(s.Name(count.name, span=(0, 0)))
            variable = replace(variable, discrete=True, low=ends[0], high=ends[1])
            self.theory.variables[slot] = variable

    def _uniform(self, node: s.Call, on: str, chain: s.Chain) -> None:
        r"""“p(z) is uniform over K values”: each has the mass 1/K; on [a, b] it is a density."""
        target = self.reader.expression(node)
        if not isinstance(target, e.Density) or len(target.values) != 1:
            raise self.reader.refuse(chain, f"{spell(node)} is no density of one variable")
        ((slot, value),) = target.values
        count: Expr | None = None
        if told := COUNT.fullmatch(on):
            (named,) = parse_statements(told["count"])
            assert named.left is not None
            count = self.reader.dimension(named.left)
        elif on and not re.fullmatch(OWN, on):
            inside, *more = parse_statements(rf"x \in {on}")
            if more or len(inside.links) != 1 or inside.words:
                raise self.reader.refuse(chain, f"the words “{on}” are not understood")
            self._member(node.groups[0][0], inside.links[0].right)
        variable = self.theory.variables[slot]
        low, high, known = variable.low, variable.high, None
        if variable.values:
            known = Integer(len(variable.values))
        elif variable.discrete and low is not None and high is not None:
            known = high - low + 1
        elif variable.shape and "onehot" in self.theory.tags(value):
            known = variable.shape[0]
        elif not variable.discrete and low is not None and high is not None and not count:
            known = high - low
        if oo in {known, count} or (known is None and variable.shape):
            known = count = None
        elif known is None and count is None and variable.discrete:
            free = "K" not in self.scope.survey.uses  # else it may be the number of something else
            count = self.reader.dimension(s.Name("K", span=(0, 0))) if free else None
        mass = known or count
        if mass is None or (count or known) != mass:
            raise self.reader.refuse(
                chain,
                f"over how many values {spell(node)} is uniform is not clear",
                rf"say “{spell(node)} is uniform over K values”, or z \in [a, b]",
            )
        if known is None:
            variable = replace(variable, discrete=True, low=Integer(1), high=count)
            self.theory.variables[slot] = variable
        text = self.source[slice(*chain.span)].strip()
        fact = Fact("=", target, 1 / mass, f"{spell(node)} is uniform", text)
        if variable.discrete or variable.values or variable.shape:
            self.theory.density_definitions[target.key] = fact
        else:
            self.declare_formula(target, e.Uniform(value, low, high), text)

    def _one_of_the_values(self, target: Expr, made: Expr) -> None:
        r"""In ``q(z = k \mid x) = \mathbf{1}[k = k^*]`` nobody says what k^* is: a value of z."""
        values = {value: slot for slot, value in target.values}
        equations = made.atoms(sympy.Eq)
        for value in values.keys() & {side for one in equations for side in one.args}:
            variable = self.theory.variables[values[value]]
            if not (variable.discrete or variable.values or variable.high):  # one of 1, …, K
                ends = Integer(1), self.reader.dimension(s.Name("K", span=(0, 0)))
                variable = replace(variable, discrete=True, low=ends[0], high=ends[1])
                self.theory.variables[values[value]] = variable
        for sides in (equation.args for equation in equations):
            for value, name in (sides, sides[::-1]):
                known = self.theory.definitions.keys() | {
                    v.symbol for v in self.theory.variables.values()
                }
                if value not in values or name in known:
                    continue
                slot = values[value]
                variable = self.theory.variables[slot]
                if isinstance(name, e.Apply):
                    info = self.theory.functions.get(name.name, FunctionInfo(name.name))
                    self.theory.functions[name.name] = replace(info, values_of=slot)
                if not isinstance(name, Symbol):
                    continue
                if variable.values:
                    self.theory.variables[name.name] = replace(variable, symbol=name)
                elif variable.low is not None and variable.high is not None and variable.discrete:
                    self.theory.add_tags(name, "index")
                    ends = ((">=", variable.low), ("<=", variable.high))
                    self.theory.constraints += [
                        Fact(sign, name, end, f"{name} is a value of {value}") for sign, end in ends
                    ]

    def _target_of_head(self, left: s.Name) -> e.Density | None:
        if self.scope.survey.signatures.get(look.head_stem(left)):
            made, _ = self.reader.bare_head(left)
            return made if isinstance(made, e.Density) else None
        return None

    def declare(self, target: Expr, right: s.Call, text: str) -> None:
        """A family for a density; shapes follow from it."""
        if not isinstance(target, e.Density) or len(target.values) != 1:
            raise self.reader.refuse(right, "a family is declared for a density of one variable")
        slot, _ = target.values[0]
        variable = self.theory.variables[slot]
        formula = self.reader.make_family(right, variable.symbol)
        variable = self.theory.variables[slot]
        written = right.groups[0][0] if len(right.groups) == 2 else None
        if isinstance(written, s.Name) and self.reader.slot(written) != slot:
            name = spell(written)
            raise self.reader.refuse(right, f"a density of {name}; on the left is one of {slot}")
        if any(variable.symbol in part.free_symbols for part in formula.args[1:]):
            raise self.reader.refuse(right, f"the law of {slot} depends on {slot} itself")
        if formula.args[0] != variable.symbol and isinstance(formula.args[0], Symbol):
            self.theory.variables[slot] = replace(
                variable, symbol=formula.args[0], shape=self.reader.shape(formula.args[0])
            )
        known, samples = self.theory.families.get(target.key), self.theory.sampled.get(slot)
        of_value = any(value.is_number for _, value in target.conditions)  # p(x | y = 1)
        other = known is not None and known.formula not in (formula, samples)
        if other and not (self.numbered or of_value):
            message = f"the law of {slot} is already said to be something else"
            raise self.reader.refuse(right, message)
        self.declare_formula(target, formula, text)

    numbered = False  # whether the law is that of samples z_k

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
                given = [pair for c in conditions for pair in self.reader.fill(c, None)]
                symbol = self.theory.variables[slot].symbol
                target = e.Density(head, [(slot, symbol)], given)
                known = self.theory.families.get(target.key)
                self.numbered = bool(item.subscripts or item.indices)
                self.declare(target, right, text)
                if self.numbered:  # samples, of this density or of another one
                    self.theory.sampled[slot] = self.theory.families[target.key].formula
                    self.theory.families[target.key] = known or self.theory.families[target.key]
                self.numbered = False
                continue
            if isinstance(right, s.Call) and look.is_density_call(right, self.scope.survey):
                law = self.reader.expression(right)  # the density that the symbol stands for
                if isinstance(law, e.Density) and len(law.values) == 1:
                    self.theory.sampled[law.values[0][0]] = law
                continue
            if not isinstance(right, s.Name):
                hint = r"of a family that has no name here, write P(X = k) = \dots or p(x) = \dots"
                raise self.reader.refuse(right, "a distribution is needed behind ∼", hint)
        return True

    def _one_by_one(self, target: e.Density, made: sympy.Mul, text: str) -> bool:
        r"""``p(x_1, x_2 \mid \mu) = \mathcal{N}(x_1; \mu, 1)\,\mathcal{N}(x_2; \mu, 1)``: a law
        for each variable, and what they depend on.
        """
        slots = {value: slot for slot, value in target.values}
        parts = [part for part in made.args if isinstance(part, e.Family)]
        if len(parts) < len(made.args) or {part.args[0] for part in parts} != slots.keys():
            return False
        if len(parts) != len(slots) or any(
            part.args[0] in q.free_symbols for part in parts for q in parts if q is not part
        ):
            return False
        for part in parts:
            value = part.args[0]
            one = e.Density(target.head, [(slots[value], value)], target.conditions)
            self.declare_formula(one, part, text)
            others = frozenset(slots.values()) - {slots[value]}
            kept = target.key[2]
            self.theory.independences.append((target.head, frozenset({slots[value]}), kept, others))
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
            ready = next((f for f in factors if f.key[2] <= known and not f.key[1] & known), None)
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

    def _for_every_version(self) -> None:
        r"""What is given of p(x; θ) holds of p(x; θ') as well, with θ' in the place of θ."""
        survey, theory = self.scope.survey, self.theory
        for base, names in survey.parameter_heads.items():
            letters = survey.twofold.get(base, set())
            twofold = sorted(n for n in names if survey.parameters[n].base in letters)
            heads = {f"{base}_{{{name}}}": name for name in twofold}
            for head, slot in product(heads, sorted(survey.priors.get(base, set()))):
                variable = self.reader.variable(slot).symbol
                own, prior = (e.Density(name, [(slot, variable)]) for name in (head, base))
                fact = Fact("=", own, prior, f"no parameter enters {base}({slot})")
                theory.density_definitions.setdefault(own.key, fact)
            for head, name in heads.items():
                for other, version in heads.items():
                    if head == other or survey.parameters[name].base != (
                        survey.parameters[version].base
                    ):
                        continue
                    theory.independences += [
                        (other, *rule[1:])
                        for rule in theory.independences
                        if rule[0] == head and (other, *rule[1:]) not in theory.independences
                    ]
                    self._repeat(head, other, {self.reader.symbol(name): version})

    def _repeat(self, head: str, other: str, change: dict[Symbol, str]) -> None:
        """Declare the formulas of one head for another one, with its own parameter."""

        def renamed(made: Expr) -> Expr:
            own = {d for d in made.atoms(e.Density) if d.head == head}
            made = made.xreplace({d: e.Density(other, d.values, d.conditions) for d in own})
            return made.xreplace({old: self.reader.symbol(new) for old, new in change.items()})

        for key, family in list(self.theory.families.items()):
            if key[0] == head and (other, *key[1:]) not in self.theory.families:
                made = replace(family, key=(other, *key[1:]), formula=renamed(family.formula))
                self.theory.families[made.key] = made
        for key, fact in list(self.theory.density_definitions.items()):
            if any(d.head == other for d in fact.right.atoms(e.Density)):
                continue  # p_{\theta_0} := p_\theta at \theta = \theta_0 defines no p_\theta
            if key[0] == head and (other, *key[1:]) not in self.theory.density_definitions:
                self.theory.density_definitions[(other, *key[1:])] = replace(
                    fact, left=renamed(fact.left), right=renamed(fact.right)
                )
