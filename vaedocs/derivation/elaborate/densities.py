"""Densities at a point: heads, parameters, slots and what fills them."""

from __future__ import annotations

from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.functions import Functions
from vaedocs.derivation.elaborate.trees import (
    substitute,
)
from vaedocs.derivation.spelling import is_parameter, spell, stem
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

    def head_name(self, head: s.Name, variables: set[str]) -> tuple[str, list[s.Node]]:
        """The head without its parameters, and subscripts that are random variables outside the
        arguments (``q_x(z)``).
        """
        base = look.head_stem(head)
        if base in self.scope.survey.measures:
            return "p", []
        kept = base != stem(head)
        names: list[s.Node] = []
        rest: list[str] = []
        spelt = self.scope.survey.parameter_heads.get(base, set())
        stems = {name.split("_")[0].split("^")[0].rstrip("'") for name in spelt}
        ambiguous = len(spelt) > len(stems)
        for part in head.subscripts:
            if is_parameter(part):
                if ambiguous:
                    rest.append(spell(part))
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
        return base + (f"_{{{','.join(rest)}}}" if rest else ""), names

    def fill(self, item: s.Node, default: str | None) -> list[tuple[str, Expr]]:
        """Slot and value of one argument of a density; a range gives several."""
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

    def _copy(self, item: s.Name, slot: str, made: Variable) -> Expr:
        if spell(item) == slot:
            inside = self.made_of(slot)
            return self.variable(slot).symbol if inside is None else inside
        value = self._indexed(item, spell(item))
        if isinstance(value, Symbol) and made.shape and not self.shape(value):
            value = self.set_shape(value, made.shape)
        return value

    def _density(self, node: s.Call) -> Expr:
        left, right, _ = look.arguments(node)
        head = node.head
        assert isinstance(head, s.Name)
        if any(look.is_event(item) for item in left):
            return self._probability(node)
        left = [item for item in left if not self._is_dot(item)] or left
        plain = {self.slot(item) for item in left if isinstance(item, s.Name)}
        default = self._sole_slot(head)
        inside = look.subscripted_variable(head, left, self.scope.survey)
        if inside is not None:
            default = self.slot(inside)
            plain.add(default)
        alias = self.scope.aliases.get(spell(head))
        if alias is not None and len(alias.parameters) == len(left):
            mapping = dict(zip(map(spell, alias.parameters), left, strict=True))
            return self.expression(substitute(alias.body, mapping))
        name, extra = self.head_name(head, plain)
        if name == "p" and self._is_data(node, frozenset(plain) if not right else None):
            name = DATA
        values: list[tuple[str, Expr]] = []
        for item in left:
            values += self.fill(item, default)
        conditions: list[tuple[str, Expr]] = []
        for item in (*right, *extra):
            if is_parameter(item) and spell(item) not in self.scope.survey.random_parameters:
                continue
            if isinstance(item, s.Name) and self._is_parameter_like(item):
                continue
            conditions += self.fill(item, None)
        if not values:
            raise self.refuse(node, "this density has nothing on the left of its bar")
        self.register(name, [slot for slot, _ in (*values, *conditions)])
        return e.Density(name, values, conditions)

    def _is_data(self, node: s.Node, slots: frozenset[str] | None) -> bool:
        """Whether a p without parameter is another density than the model that has one."""
        data = self.scope.survey.data
        return slots is not None and slots in data and not look.has_parameter(node)

    def _is_dot(self, item: s.Node) -> bool:
        return isinstance(item, s.Name) and item.base == "cdot"

    def _is_parameter_like(self, item: s.Name) -> bool:
        """A condition that is declared to be a number and is nowhere a variable."""
        slot = self.slot(item)
        signatures = [sig for used in self.scope.survey.signatures.values() for sig in used]
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
        for name in sorted(self.scope.survey.parameter_heads.get(head, set())):
            if name in self.scope.differentiated:
                symbol = self.symbol(name)
                if symbol not in self.theory.parameters.get(head, ()):
                    self.theory.parameters[head] = (*self.theory.parameters.get(head, ()), symbol)
