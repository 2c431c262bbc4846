r"""Words that repeat how something is read anyway, ``q(z \mid x)`` “is a density of z”, or say
of what it does not depend: they are held against the formulas, and refused where these differ.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace

from sympy import Expr, Integer, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.hypotheses.statements import Statements
from vaedocs.derivation.letters import is_index_letter, is_parameter
from vaedocs.derivation.parser import parse_statements
from vaedocs.derivation.parser.conventions import NORMALISER
from vaedocs.derivation.prove import follows
from vaedocs.derivation.rewrite.trees import split_indices
from vaedocs.derivation.spelling import spell, stem, walk
from vaedocs.derivation.theory import FunctionInfo

MASS = r"(?:probability\s+)?mass\s+functions?|pmfs?|discrete\s+(?:probability\s+)?distributions?"
DENSITY = re.compile(
    r"(?:(?:is|are|denotes?|be)\s+)?(?:(?:all|both)\s+)?(?:(?:an?|the|any|some|two|three|four)\s+)?"
    r"(?:(?:(?P<kind>conditional|joint)|probability|normali[sz]ed|arbitrary|smooth|differentiable|"
    r"(?:strictly\s+)?positive|continuous|valid|proper|fixed)(?:,?\s+(?:and\s+)?))*"
    rf"(?:(?P<mass>{MASS})|densit(?:y|ies)|(?:probability\s+)?distributions?|pdfs?|density\s+functions?)"
    r"(?:\s+(?:of|over|on|for)\s+(?P<of>[^,]+?))?(?:,?\s+(?:given|conditional\s+on)\s+(?P<given>[^,]+?))?"
    r"(?:,?\s+(?:and\s+|that\s+(?:is|are)\s+)?(?:(?:continuously\s+)?differentiable|smooth|positive)"
    r"(?:\s+in\s+(?P<smooth>[^\s,]+))?)?"
)
FREE = re.compile(r"(?:do(?:es)?\s+not|don't|doesn't)\s+(?:depend\s+on|involve)\s+(?P<on>.+)")
ENTRY = re.compile(
    r"(?:is|are|denotes?)\s+(?:the|an)\s+(?:\$?\(?(?P<at>\w(?:\s*,\s*\w)?)\)?\$?\s*-?\s*(?:st|nd|rd|th)?\s+)?"
    r"(?:entry|entries|components?|coordinates?|elements?|features?)\s+of\s+(?P<whole>\S+)"
)
UNIFORM = re.compile(
    r"(?:is|are)\s+(?:(?:an?|the)\s+)?uniform(?:ly\s+distributed)?"
    r"(?:\s+(?:distribution|density|law|prior))?(?:\s+(?:over|on)\s+(?P<on>.+))?"
)
VANISHES = re.compile(
    r"(?:vanish|decay|goes?|tends?)(?:e?s)?\s.*(?P<where>infinity|boundar)(?:y|ies)?"
)
NORMALISES = re.compile(rf"{NORMALISER}(?P<law>\S+)")
CONSTANT = re.compile(
    r"(?:(?:is|are)\s+)?(?:(?:an?|known|unknown|fixed|some)\s+)*constants?"
    r"(?:,?\s+the\s+(?:true|observed|known|fixed|given)\s+(?:values?|targets?|labels?))?"
)
EVERYWHERE = re.compile(
    r"(?:the|all)\s+integrals?\s+(?:runs?|(?:is|are)\s+(?:taken\s+)?)\s*over\s+(?:the\s+(?:whole\s+)?"
    r"(?P<line>real\s+line)|(?:all\s+of\s+)?(?:the\s+)?(?:whole|entire)\s+space)"
)
ENDS = re.compile(r"(?:the|all)?\s*boundary\s+terms?\s+vanish(?:es)?(?:\s+at\s+infinity)?")
UP_TO = "up to "


class Sayings(Statements):
    """Reads words that add nothing, or little, to the formulas."""

    def _saying(self, node: s.Node, words: str, chain: s.Chain) -> bool:
        """Whether these words are such, and read."""
        if words.startswith(UP_TO):
            self.deferred.append(lambda: self._constant_in(words, [node], chain))
        elif known := FREE.fullmatch(words):
            on = self._listed(known["on"], chain)
            self.deferred.append(lambda: self._does_not_depend(node, on, chain))
        elif (known := UNIFORM.fullmatch(words)) and isinstance(node, s.Call):
            self.uniform.append((node, known["on"] or "", chain))
        elif known := VANISHES.fullmatch(words):
            at_infinity = known["where"] == "infinity"
            self.deferred.append(lambda: self._vanishes(node, at_infinity, chain))
        elif known := NORMALISES.fullmatch(words):
            (law,) = self._listed(known["law"], chain)
            self.normalisers.add(spell(node))
            self.deferred.append(lambda: self._normalises(node, law, chain))
        elif CONSTANT.fullmatch(words):
            signatures = self.scope.survey.signatures.values()
            if self._slots([node]) & {slot for uses in signatures for u in uses for slot in u.left}:
                raise self.reader.refuse(chain, f"{spell(node)} is a random variable here")
        elif EVERYWHERE.fullmatch(words):
            self._of_integrals(words, chain)
        elif known := ENTRY.fullmatch(words):
            self._is_entry(node, known, chain)
        elif known := DENSITY.fullmatch(words):
            self._is_density(node, known, chain)
        else:
            return False
        return True

    def _listed(self, text: str, chain: s.Chain) -> list[s.Node]:
        """The names of a list in words."""
        with suppress(NotCheckable, ValueError):
            (made,) = parse_statements(re.sub(r"\s+(?:and|or)\s+", ", ", text))
            if not made.links and made.left is not None and not isinstance(made.left, s.Words):
                return self._names(made.left)
        raise self.reader.refuse(chain, f"“{text}” names nothing", "write names, as z or x_i")

    def _slots(self, nodes: list[s.Node]) -> set[str]:
        return {self.reader.slot(one) for one in nodes if isinstance(one, s.Name)}

    def _is_density(self, node: s.Node, known: re.Match[str], chain: s.Chain) -> None:
        head = node.head if isinstance(node, s.Call) else node
        said = {k: self._slots(self._listed(known[k], chain)) for k in ("of", "given") if known[k]}
        if not isinstance(head, s.Name) or not look.is_density_head(head, self.scope.survey):
            raise self.reader.refuse(chain, f"{spell(head)} is no name of a density")
        if isinstance(node, s.Call):
            left, right, _ = look.arguments(node)
            is_so = {"of": self._slots(left), "given": self._slots(right)}
            kinds = {"joint": len(is_so["of"]) > 1, "conditional": bool(right), None: True}
            kinds["joint"] |= any(self.scope.survey.is_list(slot) for slot in is_so["of"])
            if any(said[k] != is_so[k] for k in said) or not kinds[known["kind"]]:
                raise self.reader.refuse(
                    chain,
                    f"these words do not fit {spell(node)}",
                    r"p(x \mid z) is a density of x given z",
                )
            values = is_so["of"]
        else:
            uses = self.scope.survey.signatures.get(look.head_stem(head), [])
            values = said.get("of") or {slot for use in uses for slot in use.left} or {"x"}
            slots = sorted(values | said.get("given", set()))
            if not any(values <= {*use.left} for use in uses):
                self.reader.register(self.reader.head_name(head, set())[0], slots)
        if known["mass"]:
            for slot in values:
                variable = self.reader.variable(slot)
                self.theory.variables[slot] = replace(variable, discrete=True)

    def _is_entry(self, node: s.Node, known: re.Match[str], chain: s.Chain) -> None:
        r"""``x_{ij}`` “is the j-th entry of x_i”, which is declared to be a vector."""
        (whole,) = self._listed(known["whole"], chain)
        marks = re.split(r"\s*,\s*", known["at"]) if known["at"] else []
        known_size = False
        if isinstance(node, s.Name) and isinstance(whole, s.Name) and stem(node) == stem(whole):
            own = [*map(spell, split_indices(node.subscripts))]
            before = [*map(spell, split_indices(whole.subscripts))]
            size = self.scope.declared_shapes.get(self._key(whole), ())
            after = own[len(before) :]
            if own[: len(before)] == before and after == (marks or after):
                known_size = len(after) == len(size) > 0
        if known_size:
            return
        raise self.reader.refuse(
            chain,
            f"{spell(node)} is not read as an entry of {spell(whole)}",
            r"say of which length it is, as in x_i \in \mathbb{R}^D, and write x_{ij} or A_{ij}",
        )

    def _constant_in(self, words: str, nodes: list[s.Node], chain: s.Chain) -> None:
        r"""“\propto in z”: what is left out may depend on all but z."""
        for node in nodes:
            made = self.reader.expression(node)
            if not isinstance(made, Symbol):
                raise self.reader.refuse(chain, f"{spell(node)} is no variable")
            for relation in (r"\propto", "const") if "const" in words else (r"\propto",):
                kept = self.theory.varying.get(relation, ())
                self.theory.varying[relation] = (*kept, made)

    def _does_not_depend(self, node: s.Node, on: list[s.Node], chain: s.Chain) -> None:
        """A constant of the display, a quantity that is defined without these, or a density that
        they do not enter.
        """
        survey, name = self.scope.survey, spell(node)
        if self._of_function(node, on, chain):
            return
        head = spell(node.head) if isinstance(node, s.Call) else name
        defined = self.scope.macros.get(head)
        free = isinstance(node, s.Name) and name not in {*survey.random, *survey.called}
        free = free and not defined and name not in survey.bare_functions
        free = free and self.reader.slot(node) not in survey.random  # type: ignore[arg-type]
        if isinstance(node, s.Words) or (free and name == "C"):
            self._constant_in("const", on, chain)
        if isinstance(node, s.Words):
            return
        made, others = self.reader.expression(node), [*map(self.reader.expression, on)]
        plain = all(isinstance(one, Symbol) for one in others)
        if free and isinstance(made, Symbol) and plain:
            self.theory.free_of[made] = tuple(others)
            return
        parameters = any(map(is_parameter, on))  # which enter a density without being written
        if isinstance(made, e.Density) and plain and not parameters:
            slots = frozenset(self._slots(on))
            if slots <= survey.random.keys() and not slots & (made.key[1] | made.key[2]):
                self.reader.register(made.head, sorted({*made.key[1], *made.key[2], *slots}))
                self.theory.independences.append((*made.key, slots))
                return
        elif defined and plain:
            parts = self._expanded(made)
            written = not any(part.atoms(e.Density, e.Apply) for part in parts)
            if set(others) & {symbol for part in parts for symbol in part.free_symbols}:
                raise self.reader.refuse(chain, f"{name} does depend on {spell(on[0])}")
            if written or not parameters:
                return
        raise self.reader.refuse(
            chain, f"the words “{chain.words}” are not understood", r"write x \perp y \mid z"
        )

    def _of_function(self, node: s.Node, on: list[s.Node], chain: s.Chain) -> bool:
        """Whether it is a function that is said to be free of a letter, and is so as written."""
        survey = self.scope.survey
        head = node.head if isinstance(node, s.Call) else node
        if spell(head) not in survey.called or spell(head) in self.scope.macros:
            return False
        if look.is_density_head(head, survey):
            return False
        uses = [n for tree in survey.trees for n in walk(tree) if isinstance(n, s.Call)]
        calls = [node] if isinstance(node, s.Call) else [n for n in uses if n.head == head]
        made = [self.reader.expression(call) for call in calls]
        others = [*map(self.reader.expression, on)]
        written = {spell(n) for call in calls for n in walk(call)}
        if written & set(map(spell, on)) or any(one.has(*others) for one in made):
            raise self.reader.refuse(chain, f"{spell(node)} does depend on {spell(on[0])}")
        return True

    def _vanishes(self, node: s.Node, at_infinity: bool, chain: s.Chain) -> None:
        r"""``p(x) f(x)`` “vanishes at infinity” as all densities here do; an f of its own is one
        that does.
        """
        factors = node.factors if isinstance(node, s.Product) else (node,)
        calls = [item for item in factors if isinstance(item, s.Call)]
        densities = [call for call in calls if look.is_density_call(call, self.scope.survey)]
        inside = {slot for call in calls for slot in self._slots(list(call.items))}
        called = {spell(node), spell(node) + "'"} & self.scope.survey.called
        if not at_infinity and self._has_ends(inside):
            pass
        elif densities and len(calls) == len(factors):
            return
        elif (called or calls) and len(factors) == 1:
            self._fade({spell(calls[0].head if calls else node)})
            return
        raise self.reader.refuse(
            chain,
            f"that {spell(node)} vanishes is not understood",
            "say it of one function, f vanishes at infinity, or of its product with a density",
        )

    def _has_ends(self, slots: set[str]) -> bool:
        known = self.theory.variables
        return any(s in known and (known[s].low, known[s].high) != (None, None) for s in slots)

    def _fade(self, names: set[str]) -> None:
        for name in names:
            known = self.theory.functions.get(name, FunctionInfo(name))
            self.theory.functions[name] = replace(known, fading=True)

    def _of_integrals(self, text: str, chain: s.Chain) -> bool:
        """“The integral runs over the real line”, “boundary terms vanish”: as integrals without
        limits are read, and of functions that fade.
        """
        everywhere, ends = EVERYWHERE.fullmatch(text), ENDS.fullmatch(text)
        if not (everywhere or ends):
            return False
        survey = self.scope.survey
        nodes = [n for tree in survey.trees for n in walk(tree)]
        integrals = [n for n in nodes if isinstance(n, s.Integral)]
        bound = [name for n in integrals for name in n.variables]
        shaped = any(self.scope.declared_shapes.get(spell(name)) for name in bound)
        limits = any(n.lower is not None or n.upper is not None for n in integrals)
        if (
            limits
            or self._has_ends(self._slots(bound))
            or (everywhere and everywhere["line"] and shaped)
        ):
            raise self.reader.refuse(chain, f"“{text}” does not fit the integrals of the display")
        if ends and not any(
            look.is_density_call(n, survey) for n in nodes if isinstance(n, s.Call)
        ):
            self.deferred.append(lambda: self._fade({name.rstrip("'") for name in survey.called}))
        return True

    def _normalises(self, node: s.Node, law: s.Node, chain: s.Chain) -> None:
        """Hold it against what was found when the formula of the density was read."""
        head = spell(law.head if isinstance(law, s.Call) else law)
        facts = [f for key, f in self.theory.density_definitions.items() if key[0] == head]
        masses = [e.Integral(f.right, (), tuple(v for _, v in f.left.values)) for f in facts]
        defined = spell(node) in self.scope.macros and len(facts) == 1
        if defined and follows(self.theory, "=", masses[0], Integer(1)):
            return
        found = self.normalised.get(spell(node), "")
        named = law.head if isinstance(law, s.Call) else law
        if isinstance(named, s.Name) and named.subscripts and is_index_letter(named.subscripts[-1]):
            found, head = (one.rpartition("_")[0] for one in (found, head))  # the q of every q_j
        if found != head:
            raise self.reader.refuse(
                chain,
                f"{spell(node)} is not read as what normalises {head}",
                r"give the formula of the density, as in p(x) = f(x) / Z",
            )

    def _expanded(self, made: Expr) -> list[Expr]:
        """A quantity and all that the definitions in it say."""
        known, parts = self.theory.definitions, [made]
        for part in parts:
            parts += [known[v].right for v in part.free_symbols & known.keys()]
        return parts
