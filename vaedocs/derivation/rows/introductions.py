"""The first relation of a chain: a claim, or does it introduce a name or state the model?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vaedocs.derivation import expressions as e
from vaedocs.derivation import report as r
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate import (
    Elaborator,
    Macro,
    Mismatch,
    Scope,
)
from vaedocs.derivation.elaborate.stacks import of_entries
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.hypotheses import Hypotheses
from vaedocs.derivation.letters import is_parameter
from vaedocs.derivation.rewrite.data import of_data
from vaedocs.derivation.rewrite.trees import split_indices
from vaedocs.derivation.rows.named import is_elbo
from vaedocs.derivation.rows.places import Step
from vaedocs.derivation.rows.stated import (
    Stated,
    combined,
    names_family,
    variance_of,
    without_point,
)
from vaedocs.derivation.shapes import describe, shape
from vaedocs.derivation.spelling import names_in, spell, stem, walk


class Introductions(Stated):
    """Tells definitions and model statements from claims."""

    def _introduction(self, scope: Scope, reader: Elaborator, chain: s.Chain) -> Step | None:
        """The first link if it introduces a name or states the model; None for a claim."""
        link, left = chain.links[0], chain.left
        assert left is not None
        if link.symbol not in {"=", ":=", "==", "~", "in"}:
            return None
        if isinstance(left, s.Call) and (
            left.separators or look.is_density_call(left, scope.survey)
        ):
            for one in chain.links:
                Hypotheses(scope, self.text).give_shapes(left, one.right)
        texts = (self._source(left), self._source(link.right))
        step = Step(link.row, link.symbol, None, None, link.span, texts)
        try:
            data = of_data(left, link.right) if link.symbol == "=" else None
            if data is None and link.symbol == "=":
                self._members(scope, reader, left, link)
            if data is not None and not self._knows(scope, reader, data[0]):
                step.role = r.ASSUMPTION
                made = s.Chain(data[0], (replace(link, right=data[1]),), span=chain.span)
                Hypotheses(scope, self.text).read([made])
                step.left = step.right = reader.expression(left)
                return step
            if link.symbol != "in" and self._determined(scope, reader, left, link.right, step):
                return step
            if link.symbol == "=" and self._reparameterised(scope, reader, left, link.right, step):
                return step
            if link.symbol in {"~", "in"} or self._states_model(scope, left, link):
                step.role = r.ASSUMPTION
                self._assume(scope, left, link)
                if link.symbol not in {"~", "in"} and isinstance(left, s.Call):
                    step.left = step.right = reader.expression(left)
                return step
            stated = link.symbol == "=" and (
                self._states_density(scope, reader, left, link.right)
                or self._states_formula(scope, reader, left, link.right)
                or self._states_chain(scope, left, link.right)
            )
            if stated or (link.symbol == ":=" and look.is_density_call(left, scope.survey)):
                step.role = r.ASSUMPTION if stated else r.DEFINITION
                self._assume(scope, left, link)
                step.left = step.right = reader.expression(left)
                return step
            root = variance_of(left, link.symbol)
            if not self._introduces(scope, root or left, link):
                return None
            step.role = r.DEFINITION
            if root is None:
                self._define(scope, reader, left, link, step)
            else:  # of two roots the positive one
                half = s.Function("sqrt", link.right, span=link.right.span)
                self._define(scope, reader, root, replace(link, right=half), step)
                step.left = step.right = made = reader.expression(link.right)
                if made.is_negative:
                    raise reader.refuse(link.right, "the square of a number is not negative")
        except NotCheckable as error:
            step.error, step.left, step.right = error, None, None
        return step

    def _members(self, scope: Scope, reader: Elaborator, left: s.Node, link: s.Link) -> None:
        r"""In ``p(D) = \prod_n \mathcal{N}(x_n; 0, 1)`` where the law of x is known, the data D are
        the x_n: what is left to be claimed is their law.
        """
        data = of_data(left, link.right, by_law=True)
        if data is None or self._knows(scope, reader, data[0]):
            return
        whole, product = data
        assert isinstance(product.body, s.Call)
        one = replace(whole, groups=(product.body.groups[0], *whole.groups[1:]))
        members = replace(link, right=replace(product, body=one))
        made = reader.expression(replace(product, body=one)).atoms(e.Density)
        if {d.key for d in made} & scope.theory.families.keys():
            Hypotheses(scope, self.text).read([s.Chain(whole, (members,), span=link.span)])

    def _determined(
        self, scope: Scope, reader: Elaborator, left: s.Node, right: s.Node, step: Step
    ) -> bool:
        """Fill the step with the claim that ``p(x) = \\mathcal{N}(…)`` is where p(x) follows from
        what is known already; False where it says something new.
        """
        right = without_point(left, right)
        if not (isinstance(right, s.Call) and look.family(right.head) and len(right.groups) == 1):
            return False
        if step.relation == "=" and (of := combined(scope, left)) is not None:
            step.left, step.right = reader.claim_of_image(of, right)
            return True
        if step.relation == "~" and isinstance(left, s.Sum | s.Product | s.Fraction):
            step.left, step.right = reader.claim_of_image(left, right)
            step.relation = "="
            return True
        target = self._spoken_of(scope, reader, left)
        if target is None or len(target.values) != 1:
            return False
        slot, value = target.values[0]
        if target.key in scope.theory.families or scope.theory.follows(target.key):
            step.left, step.right = target, reader.make_family(right, value)
        elif (image := reader.image(slot)) is not None:
            step.left, step.right = reader.claim_of_image(image, right)
        else:
            return False
        step.relation = "="
        return True

    def _reparameterised(
        self, scope: Scope, reader: Elaborator, left: s.Node, right: s.Node, step: Step
    ) -> bool:
        """Fill the step with what ``z = \\mu + \\sigma\\epsilon`` claims where the laws of z and of
        the noise are both declared: that the one follows from the other.
        """
        if not isinstance(left, s.Name) or left.subscripts or left.indices:
            return False
        slot, families = reader.slot(left), scope.theory.families
        laws = {key: f.formula for key, f in families.items() if key[1] == {slot}}
        names = {reader.slot(n) for n in names_in(right)}
        noise = [key for key in families if len(key[1]) == 1 and key[1] <= names and not key[2]]
        if not laws or len(noise) != 1 or slot in names or slot in scope.transforms:
            return False
        chosen = [f for key, f in laws.items() if key[0] == "q"] or [*laws.values()]
        if len(chosen) > 1:
            heads = " or ".join(sorted(key[0] for key in laws))
            raise reader.refuse(left, f"from which density is {slot} drawn, {heads}?", "name one")
        step.left, step.right = reader.claim_of_law(right, chosen[0])
        return True

    @staticmethod
    def _knows(scope: Scope, reader: Elaborator, left: s.Call) -> bool:
        """Whether something is said of a density already."""
        made, theory = reader.expression(left), scope.theory
        return not isinstance(made, e.Density) or made.key in {
            **theory.families,
            **theory.density_definitions,
        }

    def _spoken_of(self, scope: Scope, reader: Elaborator, left: s.Node) -> e.Density | None:
        """The density that stands, or is meant, on the left of a family."""
        if isinstance(left, s.Call) and look.is_density_call(left, scope.survey):
            made = reader.expression(left)
        elif isinstance(left, s.Name) and look.is_density_head(left, scope.survey):
            known = {key[0] for key in scope.theory.families}
            if not {look.head_stem(left)} & (known | scope.survey.signatures.keys()):
                return None
            made, _ = reader.bare_head(left)
        elif isinstance(left, s.Name | s.Conditioned):
            items = left.items if isinstance(left, s.Conditioned) else (left,)
            given = left.conditions if isinstance(left, s.Conditioned) else ()
            names = [item for item in items if isinstance(item, s.Name)]
            if len(names) != 1 or not all(isinstance(item, s.Name | s.Range) for item in given):
                return None
            made = reader.joint(names, reader.owner_of(names), given)
        else:
            return None
        return made if isinstance(made, e.Density) else None

    def _assume(self, scope: Scope, left: s.Node, link: s.Link) -> None:
        """Read one relation as a hypothesis of what follows."""
        span = (left.span[0], link.right.span[1])
        Hypotheses(scope, self.text).read([s.Chain(left, (link,), span=span)])

    def _define(
        self, scope: Scope, reader: Elaborator, left: s.Node, link: s.Link, step: Step
    ) -> None:
        """Enter the name on the left of ``link`` with its right side."""
        parameters: tuple[s.Node, ...] = ()
        name = left
        if isinstance(left, s.Call):
            parameters, name = left.items, left.head
        assert isinstance(name, s.Name)
        spelt = spell(name)
        scope.theory.symbols.pop(spell(left), None)  # a use before its definition meant nothing
        step.left = step.right = right = reader.expression(link.right)
        declared, made = scope.declared_shapes.get(spelt), shape(right, scope.theory)
        if declared is not None and declared != made:
            message = (
                f"{spelt} is declared {describe(declared)}, the right side is {describe(made)}"
            )
            step.error = Mismatch(message, self.text, *link.span)
        if Hypotheses(scope, self.text).is_transform(name, link.right):
            self._assume(scope, name, link)  # y = a x + b: its law follows from that of x
        elif spelt not in scope.survey.random:
            text = self.text[left.span[0] : link.right.span[1]]
            if not text:  # … = \mathcal{L}(x): the name stands on the right
                text = " := ".join(self.text[slice(*side.span)] for side in (left, link.right))
            macro = Macro(parameters, link.right, spell(left), text, name)
            scope.macros.setdefault(spelt, []).append(macro)  # what was said before still holds
            scope.know_whole(of_entries(left, link.right, text))
            self.introduced.append(f"{step.texts[0]} := {step.texts[1]}")
            if not parameters and spelt not in scope.theory.definitions:
                reader.expression(name)  # enters the symbol and its definition into the theory
        for claim in reader.claims:
            if claim.defines is None:
                inner = Step(link.row, claim.relation, claim.left, claim.right, claim.span)
                step.claims.append(inner)
        reader.claims.clear()
        step.claims += [
            c for chain in self._promised.pop(spelt, ()) for c in self._due(scope, chain)
        ]

    def _due(self, scope: Scope, chain: s.Chain) -> Iterator[Step]:
        """What a hypothesis about a name claims once the name is defined."""
        reader, left = Elaborator(scope, self.given), chain.left
        said = " ".join(self.given[slice(*chain.span)].split())
        scope.theory.assumed.append(said)
        for link in chain.links:
            assert left is not None
            sides = reader.expression(left), reader.expression(link.right)
            yield Step(link.row, link.symbol, *sides, link.span, said=said)
            left = link.right

    def _states_model(self, scope: Scope, left: s.Node, link: s.Link) -> bool:
        """``p(z) = \\mathcal{N}(0, I)``: a model statement, unless declared already."""
        if link.symbol == "~" or not names_family(scope, left, link):
            return False
        if isinstance(left, s.Call):
            made = Elaborator(scope, self.text).expression(left)
            return not (isinstance(made, e.Density) and made.key in scope.theory.families)
        return True

    def _introduces(self, scope: Scope, left: s.Node, link: s.Link) -> bool:
        name = left.head if isinstance(left, s.Call) else left
        if not isinstance(name, s.Name) or look.family(name):
            return False
        spelt = spell(name)
        if self._is_indicator(scope, left, link.right) or self._circular(scope, spelt, link.right):
            return False
        if link.symbol == ":=" and not self._means_something(scope, left, link):
            return not look.is_density_call(left, scope.survey)
        if self._of_all_data(scope, left, link.right):
            return True
        if spelt in self._premises or self._entry_of_declared(scope, left, link.right):
            return False
        function = spell(replace(name, primes=0))
        if name.primes and isinstance(left, s.Call):
            reader = Elaborator(scope, self.text)
            if function in scope.theory.functions or reader.is_logistic(function):
                return False  # the derivative of a known function
        if name.primes and function in scope.macros:
            return False
        known = spelt in scope.macros or spelt in self._known or spelt in scope.determined
        known = known or self._in_brace(scope, spelt)
        if known and not self._of_more(scope, left):
            return False
        if Elaborator(scope, self.text).of_every_index(name, len(getattr(left, "items", ()))):
            return False
        if isinstance(left, s.Name) and self._of_known_array(scope, left, link.right):
            return False
        if isinstance(left, s.Call):
            plain = s.Name | s.Call | s.Conditioned | s.Number | s.Relation | s.Sequence | s.Range
            if not all(isinstance(item, plain) for item in left.items):
                return False  # f(a x) = … is a claim about f
            of_values = any(isinstance(item, s.Call) for item in left.items)
            calls = [n for part in (*left.items, link.right) for n in walk(part)]
            if of_values and any(isinstance(n, s.Call) and n.head == name for n in calls):
                return False  # and so is f(g(x)) = g(f(x))
            if (
                look.is_divergence_call(left)
                or (look.symmetric_divergence(left) and self._of_known_densities(scope, left, link))
                or look.is_density_call(left, scope.survey)
                or spelt in scope.theory.functions
            ):
                return False
            if Elaborator(scope, self.text).is_gamma(left):
                return False
            items = {spell(item) for item in left.items}
            if items <= scope.survey.not_densities:
                return True  # H(p) of a probability p
            if name.base == "H" or (name.base == "h" and self._of_capitals(name, left)):
                return False
            if Elaborator(scope, self.text).is_entropy(left):
                return False
            return not (
                name.base in look.INFORMATION and (left.separators or len(left.groups[0]) > 1)
            )
        if look.is_density_head(name, scope.survey) and Elaborator(scope, self.text).knows_head(
            name
        ):
            return False
        if name.base == "pi" and not name.subscripts:
            return False
        seen = {spell(n) for n in names_in(link.right)}
        return spelt not in seen and (not name.indices or is_parameter(name))  # \theta^{(t+1)}

    @staticmethod
    def _of_known_densities(scope: Scope, left: s.Call, link: s.Link) -> bool:
        """Whether ``D_{JS}(p \\| q) = …`` speaks of p and q alone: of no m without a meaning."""
        own = {stem(item) for item in left.items if isinstance(item, s.Name)}
        calls = [n for n in walk(link.right) if isinstance(n, s.Call)]
        calls = [call for call in calls if not look.is_density_call(call, scope.survey)]
        used = {stem(i) for c in calls for i in c.items if isinstance(i, s.Name)}
        return {name.lower() for name in used - scope.macros.keys()} <= set(map(str.lower, own))

    def _means_something(self, scope: Scope, left: s.Node, link: s.Link) -> bool:
        """Whether ``:=`` gives a meaning to what has one: a divergence, an entropy, the ELBO, a
        name of this display. Then it is a claim."""
        name = left.head if isinstance(left, s.Call) else left
        assert isinstance(name, s.Name)
        if self._introduced_here(spell(left)) or self._in_brace(scope, spell(left)):
            return True
        if is_elbo(spell(left)) and spell(left) in scope.macros.keys() - self._known:
            return True
        if not isinstance(left, s.Call) or spell(name) in scope.macros:
            return False
        reader = Elaborator(scope, self.text)
        return (
            look.is_divergence_call(left)
            or (look.symmetric_divergence(left) and self._of_known_densities(scope, left, link))
            or reader.is_entropy(left)
            or reader.is_gamma(left)
            or (name.base in look.INFORMATION and ";" in left.separators)
        )

    def _introduced_here(self, name: str) -> bool:
        return any(text.startswith(f"{name} :=") for text in self.introduced)

    def _circular(self, scope: Scope, name: str, right: s.Node) -> bool:
        """Whether ``b = a + 1`` comes after ``a = b``: it claims something then. A right side with
        "const" claims something too.
        """
        reached, todo = set[str](), [right]
        while todo:
            inside = {spell(n) for n in walk(todo.pop()) if isinstance(n, s.Name)}
            for one in filter(self._introduced_here, inside - reached):
                todo += [macro.body for macro in scope.macros.get(one, ())]
            if name in inside and reached:
                return True
            reached |= inside
        return any(isinstance(n, s.Words) for n in walk(right))

    @staticmethod
    def _in_brace(scope: Scope, name: str) -> bool:
        """Whether a brace said what a name is."""
        return any(symbol.name == name for symbol in scope.theory.definitions)

    def _is_indicator(self, scope: Scope, left: s.Node, right: s.Node) -> bool:
        """``\\mathbb{1}[x > 0]``, and Kronecker's delta where its cases are told."""
        if isinstance(left, s.Name):
            double = left.base == "delta" and len(split_indices(left.subscripts)) == 2
            return double and isinstance(right, s.Cases)
        items = left.items  # type: ignore[attr-defined]
        return Elaborator(scope, self.text).indicated(left.head, items) is not None  # type: ignore[attr-defined]

    def _entry_of_declared(self, scope: Scope, left: s.Node, right: s.Node) -> bool:
        """``x_4 = x_5`` of a vector x with a declared shape: a claim about an entry."""
        if not isinstance(left, s.Name) or stem(left) not in scope.declared_shapes:
            return False
        numbers = left.subscripts and all(isinstance(n, s.Number) for n in left.subscripts)
        if not numbers or not scope.declared_shapes[stem(left)]:
            return False
        return any(isinstance(n, s.Name) and stem(n) == stem(left) for n in walk(right))

    @staticmethod
    def _of_more(scope: Scope, left: s.Node) -> bool:
        """``H(p, q) = …`` where H(p) is defined: a function of its own."""
        if not isinstance(left, s.Call):
            return False
        number, known = sum(map(len, left.groups)), scope.macros.get(spell(left.head), [])
        return bool(known) and all(len(m.parameters) not in {0, number} for m in known)

    def _of_known_array(self, scope: Scope, left: s.Name, right: s.Node) -> bool:
        """``A_{ij} = \\dots`` where A is known already, or stands on the right: no definition."""
        if not Elaborator(scope, self.text).is_entry(left):
            return False
        known = stem(left) in self._known or stem(left) in scope.macros
        return known or any(isinstance(n, s.Name) and stem(n) == stem(left) for n in walk(right))

    @staticmethod
    def _of_capitals(name: s.Name, left: s.Call) -> bool:
        """``h(X)``, the differential entropy, and not a function h of a point."""
        items = left.items
        return bool(name.style) or all(isinstance(i, s.Name) and i.base.isupper() for i in items)

    @staticmethod
    def _of_all_data(scope: Scope, left: s.Node, right: s.Node) -> bool:
        """``L(X) = \\sum_i L(x^{(i)})``: known of one point, this is that of all."""
        if not (isinstance(left, s.Call) and isinstance(left.head, s.Name)):
            return False
        known = scope.macros.get(spell(left.head), [])
        if any(macro.literal == spell(left) for macro in known):
            return False
        capitals = [i for i in left.items if isinstance(i, s.Name) and i.base.isupper()]
        sums = [n for n in walk(right) if isinstance(n, s.BigOperator) and n.name == "sum"]
        heads = {spell(n.head) for node in sums for n in walk(node.body) if isinstance(n, s.Call)}
        return bool(capitals) and spell(left.head) in heads and spell(left.head) in scope.macros
