"""Densities at a point: heads, parameters, slots and what fills them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sympy import Expr, Integer, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.functions import Functions
from vaedocs.derivation.letters import is_parameter
from vaedocs.derivation.rewrite.trees import (
    substitute,
)
from vaedocs.derivation.spelling import spell, stem, walk
from vaedocs.derivation.theory import Variable

DATA = "p_{data}"  # p(x) where it stands beside another p_\theta(x)


class Densities(Functions):
    r"""Reads ``p(x \mid z)`` and its kin."""

    _NO_NAME = (s.Product, s.Call, s.Bars, s.Relation, s.Sequence, s.Range)

    def _numbers(self, part: s.Node) -> bool:
        """Whether a subscript tells heads apart, as in ``q_1`` or ``p_{\\text{data}}``."""
        return isinstance(part, s.Number | s.Words) or (
            isinstance(part, s.Name) and bool(part.style)
        )

    def head_name(
        self, head: s.Name, variables: set[str], given: Sequence[s.Node] = ()
    ) -> tuple[str, list[s.Node]]:
        """The head without its parameters, and subscripts that are random variables outside the
        arguments (``q_x(z)``). Where two values of one parameter occur, θ and θ', they are part of
        the head, whether they stand below it or among the conditions ``given``.
        """
        base = look.head_stem(head)
        if base in self.scope.survey.measures:
            return self.scope.survey.model, []
        kept = base != stem(head)
        names: list[s.Node] = []
        rest: list[str] = []
        versions: list[s.Node] = []  # of θ, where there are several
        number = self.scope.survey.number(head, given)
        if number is not None:  # one more condition, k of q_k(x)
            base = stem(head)
            letter = self.scope.survey.numbered[base]
            rest.append(letter)
            names.append(s.Relation("=", s.Name(letter, span=head.span), number, span=head.span))
        twofold = self.scope.survey.twofold.get(base, set())
        for part in given:
            if number is not None and look.index_of(part) == number:
                continue
            own = isinstance(part, s.Name) and part.base in twofold and self._fixed(part)
            if own or (twofold and spell(part) in twofold):
                rest.append(spell(part))
                versions.append(part)
        for part in head.subscripts:
            if number is not None and look.index_of(part) == number:
                continue
            if is_parameter(part):
                if isinstance(part, s.Name) and part.base in twofold:
                    rest.append(spell(part))
                    versions.append(part)
            elif isinstance(part, s.Name) and (self.slot(part) in variables):
                continue
            elif (
                isinstance(part, s.Name)
                and not part.style
                and self.slot(part) in self.scope.survey.random
            ):
                names.append(part)
            elif isinstance(part, self._NO_NAME) or (kept and self._numbers(part)):
                continue
            else:
                rest.append(spell(part))
        name = base + (f"_{{{','.join(rest)}}}" if rest else "")
        if len(versions) == len(rest) == 1 and isinstance(versions[0], s.Name):
            self.theory.versions[name] = (f"{base}_{versions[0].base}", rest[0])
            chosen = self.macro(rest[0], ())
            if chosen and isinstance(chosen.body, s.Extremum) and not self.scope.defining:
                self.expression(versions[0])  # which model this is, the theory must know
        self._depends(name, [part for part in rest if part in self.scope.differentiated])
        return name, names

    def _depends(self, head: str, names: Iterable[str]) -> None:
        r"""A density changes with these: the t of ``\partial_t \, p_t(x)``, θ."""
        for symbol in map(self.symbol, names):
            if symbol not in self.theory.parameters.get(head, ()):
                self.theory.parameters[head] = (*self.theory.parameters.get(head, ()), symbol)

    def _fixed(self, item: s.Node) -> bool:
        """Whether a condition is a parameter, which no density of the display is one of."""
        return is_parameter(item) and spell(item) not in self.scope.survey.random_parameters

    def fill(self, item: s.Node, default: str | None) -> list[tuple[str, Expr]]:
        """Slot and value of one argument of a density; a range gives several."""
        if isinstance(item, s.Power) and default is None and isinstance(item.exponent, s.Number):
            item = item.base  # the \sigma^2 of p(x \mid \mu, \sigma^2)
        if isinstance(item, s.Range):
            return [pair for one in self.expand(item) for pair in self.fill(one, None)]
        if isinstance(item, s.Relation) and item.symbol == "=" and isinstance(item.left, s.Name):
            slot = self.slot(item.left)
            self.variable(slot)
            return [(slot, self.expression(item.right))]
        if isinstance(item, s.Name):
            item = self.concrete(item)
            if len(item.subscripts) == 1 and isinstance(item.subscripts[0], s.Range):
                return [pair for one in self.members(item) for pair in self.fill(one, None)]
            slot = self.slot(item)
            made = self.variable(slot)
            if (value := self.value_of_step(item)) is not None:
                return [(slot, value)]
            if len(slot) == 1 and slot != spell(item) and slot == spell(item).lower():
                return [(slot, made.symbol)]
            return [(slot, self._copy(item, slot, made))]
        if default is not None:
            self.variable(default)
            return [(default, self.expression(item))]
        raise self.refuse(
            item,
            "inside p(…) stand random variables",
            r"write p(x = \dots) to put an expression in the place of x",
        )

    def drawn(self, item: s.Name) -> Expr:
        """The symbol of a variable, or of one of its copies."""
        slot = self.slot(item)
        made = self.variable(slot)
        plain = spell(item) == slot or slot == spell(item).lower()
        return made.symbol if plain else self._copy(item, slot, made)

    def _copy(self, item: s.Name, slot: str, made: Variable) -> Expr:
        if spell(item) == slot:
            inside = self.made_of(slot)
            return self.variable(slot).symbol if inside is None else inside
        self._refuse_end_of_flow(item)
        value = self._indexed(item, spell(item))
        if isinstance(value, Symbol) and made.shape and not self.shape(value):
            value = self.set_shape(value, made.shape)
        elif not made.shape and self.shape(value) and slot not in self.scope.survey.bare:
            # z_0 is a vector, and z is never alone: all members of the sequence are
            self.scope.declared_shapes.setdefault(f"{slot}_", self.shape(value))
        return value

    def _refuse_end_of_flow(self, item: s.Name) -> None:
        """Of ``z_k = f_k(z_{k-1})`` nothing follows yet for the density of z_K."""
        if not any(spell(part).isupper() for part in item.subscripts):
            return
        for macro in (one for kept in self.scope.macros.values() for one in kept):
            made = macro.name is not None and stem(macro.name) == stem(item)
            if made and isinstance(macro.body, s.Call) and macro.literal != spell(item):
                raise self.refuse(
                    item,
                    f"{macro.literal} is defined step by step, which says nothing of "
                    f"{spell(item)} alone",
                    "write the steps out, for example for three of them",
                )

    def _density(self, node: s.Call) -> Expr:
        if (made := self.density_of_flow(node)) is not None:
            return made
        left, right, after = look.arguments(node)
        head = node.head
        assert isinstance(head, s.Name)
        if any(look.is_event(item) for item in left):
            return self._probability(node)
        left = [item for item in left if not self._is_dot(item)] or left
        if any(map(self.is_list_of_copies, left)):
            return self._of_copies(node, left, right)
        if any(map(self.is_list_of_copies, right)):
            raise self.refuse(
                node,
                "a density given all of some i.i.d. copies is not in the language",
                "give the model as p(x_{1:N} \\mid \\theta) = \\prod_{i=1}^N p(x_i \\mid \\theta)",
            )
        plain = {self.slot(item) for item in left if isinstance(item, s.Name)}
        default = self._sole_slot(head)
        inside = look.subscripted_variable(head, left, self.scope.survey)
        if inside is not None:
            default = self.slot(inside)
            plain.add(default)
        alias = self.scope.aliases.get(spell(head))
        told = alias is not None and bool(right) == (r"\mid" in alias.literal)
        if alias is not None and isinstance(alias.body, s.Name):  # q = p
            return self.expression(replace(node, head=alias.body))
        if alias is not None and told and alike(alias.parameters, [*left, *right]):
            mapping = dict(zip(map(spell, alias.parameters), (*left, *right), strict=True))
            return self.expression(substitute(alias.body, mapping))
        name, extra = self.head_name(head, plain, (*right, *after))
        index = spell(left[0])
        if index in self.indices and (formula := self.counted(node)) is not None:
            return formula[0].xreplace({formula[1]: self.indices[index]})
        if name == "p" and self._is_data(node, frozenset(plain) if not right else None):
            name = DATA
        values: list[tuple[str, Expr]] = []
        for item in left:
            values += self.fill(item, default)
        conditions: list[tuple[str, Expr]] = []
        for item in (*right, *extra):
            if self._fixed(item):
                continue
            if isinstance(item, s.Name) and self._is_parameter_like(item):
                continue
            conditions += self.fill(item, None)
        if not values and any(isinstance(part, s.Range) for item in left for part in walk(item)):
            return Integer(1)  # q(z_{<l} | x) at l = 1
        if not values:
            raise self.refuse(node, "this density has nothing on the left of its bar")
        self.register(name, [slot for slot, _ in (*values, *conditions)])
        return e.Density(name, values, conditions)

    def counted(self, node: s.Call) -> tuple[Expr, Symbol] | None:
        """The plain formula of ``r(n) := 1 / K`` and its variable: it has a value at an index too,
        which runs over all values of n or not.
        """
        left, right, _ = look.arguments(node)
        if right or len(left) != 1 or not isinstance(left[0], s.Name):
            return None
        assert isinstance(node.head, s.Name)
        slot = self.slot(left[0])
        key = (self.head_name(node.head, {slot})[0], frozenset({slot}), frozenset[str]())
        fact = self.theory.density_definitions.get(key)
        if fact is None or not isinstance(fact.right, Expr) or fact.right.atoms(e.Node):
            return None
        return fact.right, self.variable(slot).symbol

    def is_list_of_copies(self, item: s.Node) -> bool:
        r"""``x_1, \dots, x_N`` or ``x_{1:N}`` of variables said to be i.i.d."""
        first = item.start if isinstance(item, s.Range) else item
        if not isinstance(first, s.Name):
            return False
        listed = isinstance(item, s.Range) or any(isinstance(p, s.Range) for p in first.subscripts)
        return listed and bool(self.scope.survey.iid & {look.stem_of_variable(first), ""})

    def _of_copies(self, node: s.Call, left: list[s.Node], right: list[s.Node]) -> Expr:
        """The density of i.i.d. copies: a product over their index."""
        index = s.Name("i", primes=1, span=node.span)
        ends: list[tuple[s.Node, s.Node]] = []

        def numbered(item: s.Node) -> s.Node:
            if not self.is_list_of_copies(item):
                return item
            if isinstance(item, s.Range):
                first, last = item.start, item.stop
                assert isinstance(first, s.Name)
                if not isinstance(last, s.Name):
                    raise self.refuse(item, "this list has no end", r"write x_1, \dots, x_N")
                marks = (first.subscripts or first.indices, last.subscripts or last.indices)
                if len(marks[0]) != 1 or len(marks[1]) != 1:
                    raise self.refuse(item, "it is not clear how this list goes on")
                ends.append((marks[0][0], marks[1][0]))
            else:
                assert isinstance(item, s.Name)
                first, part = item, item.subscripts[0]
                if not isinstance(part, s.Range) or part.start is None or part.stop is None:
                    raise self.refuse(item, "this list has no beginning or no end")
                ends.append((part.start, part.stop))
            if first.indices:
                return replace(first, indices=(index,))
            return replace(first, subscripts=(index,))

        copies = tuple(map(numbered, left))
        given = tuple(map(numbered, right))
        if not all(map(self.is_list_of_copies, left)) or len(set(ends)) != 1:
            raise self.refuse(node, "these lists are not of one length", "write the product out")
        groups = (copies, given) if given else (copies,)
        one = replace(node, groups=groups, separators=("|",) * bool(given))
        (lower, upper) = ends[0]
        product = s.BigOperator("prod", (index,), one, lower, upper, span=node.span)
        return self.expression(product)

    def _is_data(self, node: s.Node, slots: frozenset[str] | None) -> bool:
        """Whether a p without parameter is another density than the model that has one."""
        told = {slots, frozenset()} & self.scope.survey.data  # D(p || p_\theta) is of all of them
        return slots is not None and bool(told) and not look.has_parameter(node)

    def _is_dot(self, item: s.Node) -> bool:
        return isinstance(item, s.Name) and item.base == "cdot"

    def _is_parameter_like(self, item: s.Name) -> bool:
        """A condition that is declared to be a number, or a matrix such as the X of ``p(y \\mid X,
        w)``, and is nowhere a variable.
        """
        slot = self.slot(item)
        signatures = [sig for used in self.scope.survey.signatures.values() for sig in used]
        if len(self.scope.declared_shapes.get(spell(item), ())) == 2:
            return not any({slot, slot.lower()} & {*sig.left} for sig in signatures)
        return (
            spell(item) in self.theory.symbols
            and slot not in self.theory.variables
            and not any(slot in sig.left for sig in signatures)
            and bool(self.theory.tags(self.theory.symbols[spell(item)]))
        )

    def _sole_slot(self, head: s.Name) -> str | None:
        lefts = {
            sig.left
            for sig in self.scope.survey.signatures.get(look.head_stem(head), [])
            if len(sig.left) == 1
        }
        return lefts.pop()[0] if len(lefts) == 1 else None

    def register(self, head: str, slots: list[str]) -> None:
        known = self.theory.models.get(head, ())
        self.theory.models[head] = tuple(sorted({*known, *slots}))
        for slot in slots:
            self.variable(slot)
        if priors := self.scope.survey.priors.get(head):
            self.theory.fixed |= {(head, frozenset({slot})) for slot in priors}
        owned = self.scope.survey.parameters_of(head)
        self._depends(head, [name for name in owned if name in self.scope.differentiated])


def alike(parameters: tuple[s.Node, ...], items: list[s.Node]) -> bool:
    """Whether these are values of the variables that a density was given for."""
    return len(parameters) == len(items) and all(
        a.base == b.base
        for a, b in zip(parameters, items, strict=True)
        if isinstance(a, s.Name) and isinstance(b, s.Name)
    )
