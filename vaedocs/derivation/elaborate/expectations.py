"""Expectations in their many spellings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeGuard

import sympy
from sympy import Expr, Integer, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.integrals import Integrals
from vaedocs.derivation.elaborate.scope import NeedsShape
from vaedocs.derivation.letters import is_parameter
from vaedocs.derivation.rewrite.trees import at_index, substitute, unbound_names
from vaedocs.derivation.spelling import names_in, spell, walk


class Expectations(Integrals):
    """Reads expectations, variances and covariances."""

    def _samples(self, sampling: s.Sampling) -> tuple[Expr, tuple[Symbol, ...]]:
        """The density and the variables of ``z \\sim q(z | x)`` and its many spellings."""
        given: tuple[s.Node, ...] = ()
        items = sampling.variables
        if len(items) == 1 and isinstance(items[0], s.Conditioned):
            given, items = items[0].conditions, items[0].items
        variables = [one for item in items for one in self.expand(item)]
        node = sampling.distribution
        if node is None and any(
            map(is_parameter, given)
        ):  # E_{z | x, \theta}: under p(z | x, \theta)
            model = s.Name(self.scope.survey.model, span=sampling.span)
            node = s.Call(model, (tuple(items), given), ("|",), span=sampling.span)
        if node is not None and not variables and isinstance(node, s.Name):
            head = (
                look.is_density_head(node, self.scope.survey) or spell(node) in self.scope.aliases
            )
            if not head and not is_parameter(node):
                variables, node = self.expand(node), None
        if isinstance(node, s.Name) and any(
            isinstance(part, s.Name) and self.slot(part) in {self.slot(item) for item in variables}
            for part in node.subscripts
        ):  # the p_Y of y \sim p_Y
            made = self.joint(variables, look.head_stem(replace(node, subscripts=())))
            return made, tuple(v for _, v in made.values)
        if node is None and len({self.slot(item) for item in variables}) < len(variables):
            return self._copies(variables)
        law = self.scope.survey.laws.get(spell(variables[0])) if len(variables) == 1 else None
        if node is None and law is not None and not given:
            return self.distribution(law)  # z \sim q(z | x) is said
        if node is None:
            made = self.joint(variables, self.owner_of(variables), given)
            return made, tuple(v for _, v in made.values)
        if not variables:
            return self.distribution(node)
        symbols = [self.drawn(item) for item in variables]
        if isinstance(node, s.Call) and look.family(node.head):
            weight: Expr = Integer(1)
            drawn = []
            for symbol in symbols:
                if len(node.groups) == 1:
                    one = self.make_family(node, symbol)
                    drawn.append(one.args[0])
                else:
                    one = self.family_density(node)
                    one = one.xreplace({one.args[0]: symbol})
                    drawn.append(symbol)
                weight = weight * one
            return weight, tuple(drawn)
        if (
            isinstance(node, s.Name)
            and not look.is_density_head(node, self.scope.survey)
            and spell(node) not in self.scope.aliases
        ):
            made_joint = self.joint(variables, spell(node))
            return made_joint, tuple(v for _, v in made_joint.values)
        several = len({self.slot(item) for item in variables}) == len(variables) > 1
        if several and isinstance(node, s.Name) and spell(node) not in self.scope.aliases:
            if self.scope.survey.signatures.get(look.head_stem(node)):
                weight, bound = self.bare_head(node)
                if set(symbols) == set(bound):  # (y, z) \sim q beside q(y, z | x)
                    return weight, tuple(symbols)
            made_joint = self.joint(variables, self.head_name(node, set())[0])
            return made_joint, tuple(v for _, v in made_joint.values)  # x, y \sim p is p(x, y)
        weight, bound = self.distribution(node)
        if set(symbols) == set(bound):
            return weight, tuple(symbols)
        conditions = {s_ for s_, _ in weight.conditions} if isinstance(weight, e.Density) else set()
        if isinstance(node, s.Name) and conditions >= {self.slot(item) for item in variables}:
            made_joint = self.joint(variables, self.head_name(node, set())[0])
            return made_joint, tuple(v for _, v in made_joint.values)  # the x_0 of q(x_1 | x_0)
        if isinstance(weight, e.Density):
            slots = [self.slot(item) for item in variables]
            if len(weight.values) == len(symbols) and sorted(slots) == sorted(
                slot for slot, _ in weight.values
            ):
                pairs = [(slot, symbols[slots.index(slot)]) for slot, _ in weight.values]
                return e.Density(weight.head, pairs, weight.conditions), tuple(symbols)
            if len(weight.values) == 1:
                slot = weight.values[0][0]
                total: Expr = Integer(1)
                for symbol in symbols:
                    total = total * e.Density(weight.head, [(slot, symbol)], weight.conditions)
                return total, tuple(symbols)
        raise self.refuse(
            sampling,
            "the variables left of ∼ are not those of the density",
            r"write z \sim q(z \mid x)",
        )

    def _copies(self, variables: list[s.Name]) -> tuple[Expr, tuple[Symbol, ...]]:
        """The x_1 and x_2 of one density: drawn apart from each other."""
        weight: Expr = Integer(1)
        drawn: list[Symbol] = []
        for item in variables:
            plain = replace(item, subscripts=(), indices=(), primes=0)
            whole = self.joint([plain], self.owner_of([plain]))
            slot, _ = whole.values[0]
            symbol = self._copy(item, slot, self.variable(slot))
            weight = weight * e.Density(whole.head, [(slot, symbol)], whole.conditions)
            drawn.append(symbol)
        return weight, tuple(drawn)

    def expand(self, item: s.Node) -> list[s.Name]:
        if isinstance(item, s.Range):
            first, last = item.start, item.stop
            if isinstance(first, s.Name):
                self.scope.unrolled.add(look.stem_of_variable(first))
            if (
                isinstance(first, s.Name)
                and isinstance(last, s.Name)
                and len(first.subscripts) == 1
                and len(last.subscripts) == 1
            ):
                start, stop = self._integer(first.subscripts[0]), self._integer(last.subscripts[0])
                down = isinstance(last.subscripts[0], s.Number) and (
                    start > stop or not isinstance(first.subscripts[0], s.Number)
                )  # X_{i-1}, \dots, X_1
                return [
                    replace(first, subscripts=(s.Number(str(k), span=item.span),))
                    for k in (range(start, stop - 1, -1) if down else range(start, stop + 1))
                ]
            if (
                isinstance(first, s.Name)
                and isinstance(last, s.Name)
                and first.indices
                and last.indices
            ):
                start, stop = self._integer(first.indices[0]), self._integer(last.indices[0])
                return [
                    replace(first, indices=(s.Number(str(k), span=item.span),))
                    for k in range(start, stop + 1)
                ]
        if not isinstance(item, s.Name):
            raise self.refuse(
                item, "a random variable is needed here", "name one, as in H(X) or z \\sim q(z)"
            )
        item = self.concrete(item)
        if len(item.subscripts) == 1 and isinstance(item.subscripts[0], s.Range):
            return self.members(item)
        return [item]

    def _expectation(self, node: s.Expectation) -> Expr:
        events = [i for i in node.condition if isinstance(i, s.Relation) and i.symbol == "="]
        if events:  # in E[X Y | Y = y] Y is y
            values = {spell(event.left): event.right for event in events}
            node = replace(node, body=substitute(node.body, values))
        samplings = node.samplings
        if not samplings:
            samplings = (self._everything_random(node),)
            copy = samplings[0].variables[0]
            if len(samplings[0].variables) == 1 and self._is_copy(copy):  # E[X_i] is E[X]
                plain = replace(copy, subscripts=(), indices=())
                node = replace(node, body=substitute(node.body, {spell(copy): plain}))
                samplings = (replace(samplings[0], variables=(plain,)),)
        samplings = tuple(map(self.from_start, samplings)) if self.scope.macros else samplings
        weight: Expr = Integer(1)
        bound: tuple[Symbol, ...] = ()
        for sampling in samplings:
            one, variables = self._of_unsaid(node, sampling) or self._samples(sampling)
            weight, bound = weight * one, (*bound, *variables)
        if node.condition:
            if not isinstance(weight, e.Density):
                raise self.refuse(node, "a conditional expectation needs one density")
            given = [pair for item in node.condition for pair in self.fill(item, None)]
            weight = e.Density(weight.head, weight.values, [*weight.conditions, *given])
        node = replace(node, body=self._as_bound(node.body, bound))
        weight, bound = self._through_noise(weight, bound)
        outer, self.under = self.under, tuple(sorted(bound, key=str))
        flown, self.flown = self.flown, self.flown | {n for n in map(self.starts, samplings) if n}
        try:
            with self.holding(*(self.slot_of(v) for v in bound)):
                return self._moment(node, weight, bound)
        finally:
            self.under, self.flown = outer, flown

    def _as_bound(self, body: s.Node, bound: tuple[Symbol, ...]) -> s.Node:
        r"""The z_j of ``\mathbb{E}_q[z_j^2]`` under ``q(z_j)``, which is said for every j, is the z
        that is averaged over; so is the x of ``\mathbb{E}_{p(X)}[f(x)]``, where no X stands.
        """
        names = {spell(item): item for item in unbound_names(body)}
        for v in bound:
            small = names.get(str(v).lower()) if str(v).isupper() and str(v) not in names else None
            if small is not None and self.slot(small) not in {*self.theory.variables, *self.held}:
                body = substitute(body, {spell(small): replace(small, base=str(v))})
        plain = {self.slot_of(v) for v in bound if self.slot_of(v) == str(v)}
        loose = [name for name in self.scope.loose if name.split("_")[0] in plain]
        for item in list(unbound_names(body)) if len(loose) == 1 else ():
            if spell(item) in loose and self.slot(item) in plain and not self.is_entry(item):
                body = substitute(body, {spell(item): replace(item, subscripts=())})
        return body

    def _of_unsaid(
        self, node: s.Expectation, sampling: s.Sampling
    ) -> tuple[Expr, tuple[Symbol, ...]] | None:
        r"""The q and z of ``\mathbb{E}_q[f(z)]``, where nothing else says what q is over."""
        head = sampling.distribution
        if sampling.variables or not isinstance(head, s.Name):
            return None
        stem_ = look.head_stem(head)
        known = {key[0] for key in (*self.theory.families, *self.theory.density_definitions)}
        if not look.is_density_head(head, self.scope.survey) or stem_ in known:
            return None
        said = self.scope.survey.signatures.get(stem_) or self.macro(spell(head), ())
        if said or spell(head) in self.scope.aliases:
            return None
        free = [n for n in self._looked_through(node.body) if self.slot(n) not in self.held]
        slots = {self.slot(n): n for n in free if not is_parameter(n)}
        random = self.scope.survey.random.keys() | self.theory.variables.keys()
        chosen = [n for slot, n in slots.items() if slot in random]
        chosen = chosen or [n for n in slots.values() if n.base in set("xyzXYZ")]
        if len(chosen) > 1:
            raise self.refuse(
                head,
                f"an expectation over {' or '.join(map(spell, chosen))}?",
                rf"write \mathbb{{E}}_{{{spell(head)}({spell(chosen[-1])})}}",
            )
        if not chosen:
            return None
        return self.bare_head(head, (self.variable(self.slot(chosen[0])).symbol,))

    def _is_copy(self, node: s.Node) -> TypeGuard[s.Name]:
        """Whether this is one of several i.i.d. copies."""
        if not isinstance(node, s.Name) or not (node.subscripts or node.indices):
            return False
        base, survey = look.stem_of_variable(node), self.scope.survey
        return bool(survey.iid & {base, ""}) and base not in survey.separate

    def _moment(self, node: s.Expectation, weight: Expr, bound: tuple[Symbol, ...]) -> Expr:
        """The mean, variance or covariance under a weight."""
        if node.kind == "Cov" and isinstance(node.body, s.Sequence) and len(node.body.items) == 2:
            a, b = (self.expression(item) for item in node.body.items)
            return e.Covariance(a, b, weight, bound)
        body = self.expression(node.body)
        weight, bound = self.refreshed(weight), self.refresh(bound)
        self._entries_of(bound, body)
        if node.kind == "E":
            return e.Expectation(body, weight, bound) if bound or weight != 1 else body
        made = e.Variance(body, weight, bound)
        return sympy.sqrt(made) if node.kind == "Std" else made

    def _entries_of(self, bound: tuple[Symbol, ...], body: Expr) -> None:
        r"""The x of ``\mathbb{E}_{p(x)}[\sum_{j=1}^{D} x_j]`` is a vector: no draw is numbered."""
        drawn = {item for part in body.atoms(e.Density) for item in part.atoms(e.Item)}
        for item in body.atoms(e.Item) - drawn:
            family, index = item.args
            hint = self.scope.survey.index_hints.get(str(family))
            if hint is None or family not in bound or index.is_number:
                continue
            if not self.scope.survey.iid & {str(family), ""}:
                raise NeedsShape(str(family), (self.dimension(hint),))

    def _through_noise(
        self, weight: Expr, bound: tuple[Symbol, ...]
    ) -> tuple[Expr, tuple[Symbol, ...]]:
        """E over z = g(ε) as E over ε, where nothing else says what density z has."""
        if not isinstance(weight, e.Density) or len(bound) != 1:
            return weight, bound
        slot = self.slot_of(bound[0])
        made = self.scope.transforms.get(slot)
        if made is None or weight.key in self.theory.families:
            return weight, bound
        names = {self.slot(n): n for n in names_in(made.body)}
        given = {slot for slot, _ in weight.conditions}
        noise = [n for s_, n in names.items() if s_ in self.scope.survey.random and s_ not in given]
        if not noise:
            return weight, bound
        joint = self.joint(noise, self.owner_of(noise))
        return joint, tuple(v for _, v in joint.values)

    def _looked_through(self, node: s.Node) -> Iterator[s.Name]:
        """The free names of an expression, and instead of a defined one those it is made of."""
        for name in unbound_names(node):
            slot = self.slot(name)
            made = self.scope.transforms.get(slot) or self.macro(spell(name), ())
            if name.subscripts or name.indices:
                yield name
            elif made is not None and not made.parameters:
                yield from self._looked_through(made.body)
            elif (made := self.at_its_own(spell(name))) is None:
                yield name
            elif spell(name) not in map(spell, names_in(made.body)):  # f(x) := x^\top\theta
                own = set(map(spell, made.parameters))
                yield from (n for n in self._looked_through(made.body) if spell(n) not in own)

    def with_definitions(self, node: s.Node) -> Iterator[s.Node]:
        """Everything in ``node``, and in the definitions of the names in it."""
        for inner in walk(node):
            yield inner
            if isinstance(inner, s.Name):
                macro = self.macro(spell(inner), ()) or self.of_every_index(inner)
                if macro is not None and not macro.parameters:
                    yield from self.with_definitions(macro.body)

    def _everything_random(self, node: s.Expectation) -> s.Sampling:
        """The variables of ``\\mathbb{E}[f(X)]``: all random ones in the body that nothing else
        binds.
        """
        conditions = {self.slot(item) for item in node.condition if isinstance(item, s.Name)}
        found: dict[str, s.Name] = {}
        for inner in self._looked_through(node.body):
            if isinstance(inner, s.Name):
                if inner.subscripts and self.is_entry(inner):  # E[X_i X_j] is over all of X
                    inner = replace(inner, subscripts=())
                slot = self.slot(inner)
                known = slot in self.scope.survey.random or slot in self.theory.variables
                if known and slot not in conditions | self.scope.survey.fixed:
                    found.setdefault(self._spelt_now(inner), inner)
        if (law := self._by_laws(found, node.span)) is not None:
            return law
        slots = {self.slot(name) for name in found.values()}
        owners = {
            look.head_stem(call.head)
            for call in walk(node.body)
            if isinstance(call, s.Call)
            and isinstance(call.head, s.Name)
            and look.is_density_call(call, self.scope.survey)
            and slots & {self.slot(n) for n in look.arguments(call)[0] if isinstance(n, s.Name)}
        }
        either = owners | set(self._owners(slots))
        said = slots <= self.scope.survey.laws.keys()  # x \sim p(x)
        models = {self.scope.survey.model, *self.scope.survey.measures}
        if owners - models and len(either) > 1 and not said:
            written = [self._as_written(head, slots) for head in sorted(either)]
            below = " or ".join(rf"\mathbb{{E}}_{{{text}}}[\dots]" for text in written[::-1])
            raise self.refuse(
                node,
                f"an expectation over {' or '.join(sorted(either))}?",
                f"write the density below it, {below}",
            )
        noise = self.scope.survey.noise
        if found.keys() <= noise.keys():  # E[(X + \epsilon)^2] is over X too
            limits = {
                spell(inner.upper) for inner in walk(node.body) if isinstance(inner, s.BigOperator)
            }
            names = list(self._looked_through(node.body))
            names = [n for n in names if self.slot(n) not in self.scope.survey.fixed]
            if not [n for n in names if spell(n) not in self.scope.survey.called]:
                found = dict(noise)  # what is fixed is its own mean
            names = [n for n in names if len(self.scope.declared_shapes.get(spell(n), ())) < 2]
            capitals = [n for n in names if len(n.base) == 1 and n.base.isupper()]
            capitals = [n for n in capitals if spell(n) not in limits]
            small = [n for n in names if n.base in set("xyz")]
            if small and not any(n.base in set("XYZ") for n in capitals):
                capitals = []  # the A of Cov(A x) is a matrix
            letters = capitals or [n for n in names if n.base in set("xyzXYZ")]
            letters = letters or [n for n in names if n.accents[:1] == ("hat",)]  # an estimator
            letters = [n for n in letters if not found or n.base in set("XYZ")]
            found.update({spell(inner): inner for inner in letters})
        found = {key: name for key, name in found.items() if self.slot(name) not in conditions}
        if not found:
            raise self.refuse(
                node,
                "an expectation must name its density",
                r"write \mathbb{E}_{q(z \mid x)}[\dots]",
            )
        return self._as_copies(node, found) or s.Sampling(
            tuple(found.values()), None, span=node.span
        )

    def _by_laws(self, found: dict[str, s.Name], span: s.Span) -> s.Sampling | None:
        r"""Of x and z, beside ``x \sim p(x)`` and ``z \sim q(z \mid x)``: ``p(x) q(z \mid x)``;
        beside the second alone q(z | x), at one x.
        """
        laws = self.scope.survey.laws
        drawn = [name for name in found.values() if self.slot(name) in laws]
        over = {self.slot(name): laws[self.slot(name)] for name in drawn}
        given = {spell(n) for law in over.values() for n in look.arguments(law)[1]}
        free = {spell(name) for name in found.values() if self.slot(name) not in over}
        if not given or free - given:
            return None
        over |= {name: laws[name] for name in sorted(given & laws.keys())}
        factors = tuple(dict.fromkeys(over.values()))
        whole = s.Product(factors, ("",) * (len(factors) - 1), span=span)
        names = tuple(item for law in factors for item in look.arguments(law)[0])
        return s.Sampling(names, factors[0] if len(factors) == 1 else whole, span=span)

    def _spelt_now(self, name: s.Name) -> str:
        """The name with the numbers that its indices have now: X_i and X_j are the same X_1."""
        now = self.scope.integers
        found = [n for n in names_in(name) if spell(n) in now] if now else []
        numbers: dict[str, s.Node] = {
            spell(n): s.Number(str(now[spell(n)]), span=n.span) for n in found
        }
        return spell(at_index(name, numbers) if numbers else name)

    def _as_written(self, head: str, slots: set[str]) -> str:
        """A density of these variables as the display has it, ``q(z \\mid x)``."""
        uses = self.scope.survey.signatures.get(head, [])
        of_these = [use for use in uses if slots & set(use.left)]
        if not of_these:
            return head
        use = max(of_these, key=lambda one: len(slots & set(one.left)))
        given = r" \mid " + ", ".join(use.right) if use.right else ""
        return f"{head}({', '.join(use.left)}{given})"

    def _as_copies(self, node: s.Expectation, found: dict[str, s.Name]) -> s.Sampling | None:
        r"""In ``\mathrm{Var}[\frac1K \sum_{k=1}^K f(z_k)]`` all of z_1, …, z_K are random."""
        limits = {
            spell(index): inner
            for inner in self.with_definitions(node.body)
            if isinstance(inner, s.BigOperator)
            for index in inner.indices
        }
        lists: list[s.Node] = []
        apart = False
        for name in found.values():
            marks = name.subscripts or name.indices
            sum_ = limits.get(spell(marks[0])) if len(marks) == 1 else None
            separate = look.stem_of_variable(name) in self.scope.survey.separate
            told = look.stem_of_variable(name) in self.scope.survey.lists
            if sum_ is None or sum_.upper is None or (separate and not told):
                continue
            apart = apart or separate
            one = s.Number("1", span=name.span)
            first, last = (
                replace(name, subscripts=(end,))
                if name.subscripts
                else replace(name, indices=(end,))
                for end in (sum_.lower or one, sum_.upper)
            )
            lists.append(s.Range(first, last, span=name.span))
        if not lists:
            return None
        if apart:  # X_1, …, X_n with laws of their own
            return s.Sampling(tuple(lists), None, span=node.span)
        stems = {look.stem_of_variable(name) for name in found.values()}
        owners = self._owners(stems) or [self.scope.survey.model]
        if len(lists) != len(found) or len(stems) != 1 or len(owners) != 1:
            raise self.refuse(
                node, "over which density is this an average?", r"write \mathbb{E}_{z_k \sim q}"
            )
        plain = replace(next(iter(found.values())), subscripts=(), indices=())
        head = s.Name(owners[0], span=node.span)
        density = s.Call(head, ((plain,),), span=node.span)
        return s.Sampling(tuple(lists), density, span=node.span)
