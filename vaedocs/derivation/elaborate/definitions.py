"""Named quantities: a definition is kept as syntax and elaborated where its name is used."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Integer, Symbol

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.scope import Base, Macro, Mismatch
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.letters import is_index_letter
from vaedocs.derivation.lexer.vocabulary import GREEK
from vaedocs.derivation.rewrite.trees import at_index, split_indices, substitute
from vaedocs.derivation.spelling import names_in, spell, stem, walk
from vaedocs.derivation.theory import Fact

DEEPEST = 40  # definitions inside definitions


class Definitions(Base):
    """Reads named quantities."""

    def macro(
        self, name: str, items: tuple[s.Node, ...], node: s.Call | None = None
    ) -> Macro | None:
        candidates = self.scope.macros.get(name, [])
        if node is not None:
            literal = spell(node)
            for macro in candidates:
                if macro.literal == literal:
                    return macro
        for macro in candidates:
            if not macro.parameters:
                return macro
        for macro in candidates:
            if len(macro.parameters) == len(items) and all(
                isinstance(p, s.Name) for p in macro.parameters
            ):
                return macro
        return None

    def at_its_own(self, name: str) -> Macro | None:
        r"""What f alone is beside ``f(x) := x^2``: its value at x."""
        found = self.scope.macros.get(name, [])
        if len(found) != 1 or name in self.theory.symbols or name in self.scope.declared_shapes:
            return None
        letters = all(isinstance(p, s.Name) for p in found[0].parameters)
        return found[0] if letters and not look.is_density_call(found[0].body) else None

    def of_every_index(self, node: s.Name, arguments: int = 0) -> Macro | None:
        r"""What ``w_1`` or ``w_{j-1}`` is where ``w_k := …`` was said of a free k; and the function
        ``f_2`` where ``f_k(x) := …`` was, the ``D_2`` of a ``D_\alpha(p \| q) := …``.
        """
        own = (*split_indices(node.subscripts), *node.indices)
        if not own:
            return None
        for macro in (one for kept in self.scope.macros.values() for one in kept):
            name = macro.name
            if name is None or stem(name) != stem(node) or not name.subscripts + name.indices:
                continue
            bare = not arguments and all(isinstance(item, s.Name) for item in macro.parameters)
            if len(macro.parameters) != arguments and not bare:
                continue  # L_2 alone is L_2(\theta)
            below = split_indices(name.subscripts)
            if len(below) + len(name.indices) != len(own) or len(name.indices) != len(node.indices):
                continue
            pairs = zip((*below, *name.indices), own, strict=True)
            changed = [(a, b) for a, b in pairs if spell(a) != spell(b)]
            inside = names_in(macro.body)
            letters = {spell(n) for n in inside if self._is_number(n)}  # the K of \mathcal{L}_K
            free = [is_index_letter(a) or spell(a) in letters for a, _ in changed]
            if not changed or not all(free):
                continue
            if macro.parameters and any(names_in(b) and not is_index_letter(b) for _, b in changed):
                continue  # D_{KL} is no D_\alpha
            if all(stem(n) != stem(name) for n in inside):
                body = at_index(macro.body, {spell(a): b for a, b in changed})
                kept = macro.parameters if arguments else ()
                return replace(macro, parameters=kept, body=body, literal=spell(node), name=None)
            ends = len(macro.parameters) == arguments and all(
                isinstance(a, s.Number) or spell(a).isupper() for a in own
            )
            if ends and spell(node) not in map(spell, inside):  # z_K, and z_k made of z_{k-1}
                raise self.refuse(
                    node,
                    f"{spell(name)} is defined step by step, which says nothing of "
                    f"{spell(node)} alone",
                    "write the steps out, for example for three of them",
                )
        return None

    def _is_number(self, name: s.Name) -> bool:
        """Whether a name is a plain letter for a number, neither a variable nor a density."""
        plain = not (name.subscripts or name.indices or name.accents or name.style)
        single = len(name.base) == 1 or name.base in GREEK
        known = spell(name) in self.scope.survey.random or look.is_density_head(name)
        return plain and single and not known

    def image(self, slot: str) -> s.Node | None:
        """What a variable is made of, where it was defined by other random variables."""
        made = self.scope.transforms.get(slot) or self.macro(slot, ())
        if made is None or made.parameters:
            return None
        random = self.scope.survey.random.keys() | self.theory.variables.keys()
        names = {self.slot(n) for n in names_in(made.body)}
        return made.body if names & random else None

    def _defined(self, node: s.Node, name: str, macro: Macro, items: tuple[s.Node, ...]) -> Expr:
        """A named quantity; what its definition refuses is told where the name stands."""
        key, open_ = (macro.literal, *map(spell, items)), self.scope.defining
        if key in open_ or len(open_) > DEEPEST:
            raise self.refuse(node, f"{macro.literal} is defined by itself", "use two names")
        open_.append(key)
        try:
            return self.quantity(name, macro, items)
        except NotCheckable as error:
            made = self.mismatch if isinstance(error, Mismatch) else self.refuse
            where = f"in the definition of {macro.literal}: "
            message = where + error.message.removeprefix(where)
            raise made(node, message, error.hint) from None
        finally:
            open_.pop()

    def quantity(self, name: str, macro: Macro, items: tuple[s.Node, ...]) -> Expr:
        """A named quantity: a symbol whose definition the theory holds."""
        if macro.parameters and not (
            len(items) == len(macro.parameters)
            and all(spell(a) == spell(b) for a, b in zip(items, macro.parameters, strict=True))
        ):
            new = dict(zip(map(spell, macro.parameters), items, strict=True))
            body = substitute(macro.body, {**self._values(new, macro.body), **new})
        else:
            body, name = macro.body, macro.literal
        if self.indices or self.scope.integers:
            return self.expression(body)
        known = self.theory.symbols.get(name)
        if known is not None and known in self.theory.definitions:
            return known
        inner = type(self)(self.scope, self.source)
        right = inner.expression(body)
        self.claims += inner.claims
        made = self.shape(right)
        if made:
            self.scope.declared_shapes[name] = made
        symbol = self.symbol(name, name)
        if isinstance(right, Expr) and right.is_positive and not made:
            symbol = Symbol(name, positive=True)
            self.theory.symbols[name] = symbol
        self.theory.definitions[symbol] = Fact(
            "=", symbol, right, f"the definition of {macro.literal}", macro.text
        )
        self._keep_sign(symbol, right)
        return symbol

    def _values(self, new: dict[str, s.Node], body: s.Node) -> dict[str, s.Node]:
        """Where ``H(X)`` is defined by p(x), ``H(Y)`` speaks of p(y); H(Z) of p(Z) where Z was said
        to be X + ε, and H(ε) of p(ε).
        """
        drawn, made = self.scope.survey.random, dict[str, s.Node]()
        heads = {spell(n.head) for n in walk(body) if isinstance(n, s.Call)}
        for name, item in new.items():
            if len(name) > 1 or not name.isupper() or name in heads or name.lower() in new:
                continue
            if not isinstance(item, s.Name):
                continue
            if len(item.base) == 1 and item.base.isupper():
                small = replace(item, base=item.base.lower())
                capital = spell(item) in drawn and spell(small) not in drawn
                made[name.lower()] = item if capital else small
            elif spell(item) in drawn and name.lower() in drawn:
                made[name.lower()] = item
        return made

    def _keep_sign(self, symbol: Symbol, right: Expr) -> None:
        """A name said to be positive stays so where it is defined: other instances are none."""
        tags = self.theory.tags(symbol)
        for tag, sign in (("positive", ">"), ("nonnegative", ">=")):
            known = right.is_positive or (tag == "nonnegative" and right.is_nonnegative)
            if tag in tags and not known and not self.shape(symbol):
                name = f"{symbol} is {tag}"
                self.theory.constraints.append(Fact(sign, symbol, Integer(0), name, name))
