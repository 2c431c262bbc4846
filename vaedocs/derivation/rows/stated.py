"""Densities that a first row states: made of others, or written out as a formula."""

from __future__ import annotations

from dataclasses import replace

import sympy

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate import Elaborator, Scope
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.hypotheses.formulas import is_explicit
from vaedocs.derivation.hypotheses.joints import taken_apart
from vaedocs.derivation.hypotheses.written_out import family_of, formula_alone
from vaedocs.derivation.rows.places import Places
from vaedocs.derivation.spelling import names_in, root_of, spell, stem, walk
from vaedocs.derivation.survey.quotients import quotients
from vaedocs.derivation.worlds import test


def names_family(scope: Scope, left: s.Node | None, link: s.Link) -> bool:
    r"""Whether a relation says of which family a density is: ``p(z) = \\mathcal{N}(0, I)``, ``z
    \\sim \\mathcal{N}(0, I)``.
    """
    right = link.right
    if not (isinstance(right, s.Call) and look.family(right.head) and len(right.groups) == 1):
        return False
    if link.symbol == "~":
        return isinstance(left, s.Name | s.Conditioned)
    if isinstance(left, s.Call):
        return look.is_density_call(left, scope.survey)
    return isinstance(left, s.Name) and look.is_density_head(left, scope.survey)


def combined(scope: Scope, left: s.Node) -> s.Sum | None:
    r"""The ``a x + b y`` of ``p(a x + b y) = \mathcal{N}(…)``, a law of two random variables."""
    items = left.items if isinstance(left, s.Call) and not left.separators else ()
    if len(items) != 1 or not isinstance(items[0], s.Sum):
        return None
    random = {spell(n) for n in names_in(items[0])} & scope.survey.random.keys()
    return items[0] if len(random) > 1 and look.is_density_call(left, scope.survey) else None


def value_of(left: s.Node | None) -> s.Node | None:
    r"""The z of ``p(z \mid x)``, or of z itself."""
    return look.arguments(left)[0][0] if isinstance(left, s.Call) else left


def variance_of(left: s.Node, symbol: str) -> s.Name | s.Call | None:
    r"""The \hat\sigma of ``\hat\sigma^2 = …``, where a variance or an estimate is introduced; the
    \sigma(t) of ``\sigma^2(t) = …``, and the a of ``a^2 := …``.
    """
    root = root_of(left)
    name = root.head if isinstance(root, s.Call) else root
    if not isinstance(name, s.Name):
        return None
    variance = name.base in {"sigma", "tau"} or name.accents == ("hat",)
    return root if variance or (symbol == ":=" and name is root) else None


def without_point(left: s.Node, right: s.Node) -> s.Node:
    r"""The ``\mathcal{N}(0, 1)`` of ``p(z) = \mathcal{N}(z; 0, 1)``."""
    if not (isinstance(right, s.Call) and look.family(right.head) and len(right.groups) == 2):
        return right
    same = [spell(item) for item in right.groups[0]] == [spell(value_of(left))]
    return replace(right, groups=right.groups[1:], separators=()) if same else right


class Stated(Places):
    """Tells statements about a density from claims."""

    def _states_density(
        self, scope: Scope, reader: Elaborator, left: s.Node, right: s.Node
    ) -> bool:
        """``q(z_1, z_2) = q_1(z_1) q_2(z_2)``, ``p(x) = \\sum_k \\pi_k \\mathcal{N}(…)``: a density
        said to be made of others.

        Only if nothing else is known of it: none of the factors has its own head, and no family is
        declared for that head. An average of q(z | x) over x, the aggregate posterior, is the one
        exception.
        """
        if not (isinstance(left, s.Call) and look.is_density_call(left, scope.survey)):
            return False
        pair = self._density_and_formula(reader, left, right)
        if pair is None:
            return False
        made, other = pair
        if any(slot in scope.transforms for slot, _ in made.values):
            return False  # of y = g(x) it follows from that of x
        known = (*scope.theory.families, *scope.theory.density_definitions)
        if any(key[0] == made.head for key in known):
            return False
        inner = list(sympy.preorder_traversal(other))
        heads = {part.head for part in inner if isinstance(part, e.Density)}
        if not heads and not any(isinstance(part, e.Family) for part in inner):
            values = {symbol for _, value in made.values for symbol in value.free_symbols}
            energy = any(isinstance(part, e.Apply) and values & part.free_symbols for part in inner)
            return energy and (other.has(sympy.exp) or any(quotients(left, right)))
        if made.head not in heads:
            return not (isinstance(other, e.Density) and len(heads) == 1)
        own = [part for part in inner if isinstance(part, e.Density) and part.head == made.head]
        average = (
            isinstance(other, e.Expectation | e.Integral | sympy.Mul | e.Sum)
            and not made.conditions
            and made.head != "p"
        )
        slots = {slot for slot, _ in made.values}
        return (
            average
            and len(heads) <= 2
            and all({slot for slot, _ in part.values} == slots and part.conditions for part in own)
            and (heads != {made.head} or all(self._of_data(part) for part in own))
        )

    @staticmethod
    def _states_chain(scope: Scope, left: s.Node, right: s.Node) -> bool:
        r"""``p(x_{0:T}) = p(x_T) \prod_t p(x_{t-1} \mid x_t)``: a Markov chain that nobody has
        spoken of before.
        """
        sides = [n for side in (left, right) for n in walk(side) if isinstance(n, s.Call)]
        heads = {look.head_stem(n.head) for n in sides if isinstance(n.head, s.Name)}
        theory = scope.theory
        told = {key[0] for key in (*theory.families, *theory.density_definitions)}
        told |= {fact[0] for fact in theory.independences}
        whole = isinstance(left, s.Call) and look.is_density_call(left, scope.survey)
        if not whole or len(heads) != 1 or told & heads:
            return False
        products = [n for n in walk(right) if isinstance(n, s.BigOperator) and n.name == "prod"]
        ranges = any(isinstance(n, s.Range) for n in walk(left))
        return ranges and any(_is_step(n, one) for one in products for n in walk(one))

    @staticmethod
    def _density_and_formula(
        reader: Elaborator, left: s.Node, right: s.Node
    ) -> tuple[e.Density, sympy.Expr] | None:
        """A density and what is said of it, where both can be read; braces claim nothing yet."""
        try:
            made, other = reader.expression(left), reader.expression(right)
        except NotCheckable:
            return None
        finally:
            reader.claims.clear()
        return (made, other) if isinstance(made, e.Density) else None

    def _states_formula(
        self, scope: Scope, reader: Elaborator, left: s.Node, right: s.Node
    ) -> bool:
        r"""``p(x) = \lambda e^{-\lambda x}``: a density of which nothing is known, said to be the
        formula of a family.
        """
        if not (isinstance(left, s.Call) and look.is_density_call(left, scope.survey)):
            return False
        pair = self._density_and_formula(reader, left, right)
        if pair is None:
            return False
        made, formula = pair
        theory = scope.theory
        known = (*theory.families, *theory.density_definitions)
        of_value = any(value.is_number for _, value in made.values)  # p(C = 1 | x)
        if theory.follows(made.key) or (of_value and any(key[0] == made.head for key in known)):
            return False
        said = [side for fact in theory.constraints for side in (fact.left, fact.right)]
        heads = {part.head for side in said for part in side.atoms(e.Density)}
        if made.head in heads or made.key in {**theory.families, **theory.density_definitions}:
            return False
        if len(made.values) > 1:
            discrete = all(theory.variables[slot].discrete for slot, _ in made.values)
            if taken_apart(formula, made, theory) is not None:
                return True
            if not discrete and formula.has(sympy.exp) and formula_alone(formula):
                raise reader.refuse(
                    right,
                    "a joint density that is written out is beyond the language",
                    "write the density of each variable, given those before it",
                )
            return False
        ((slot, value),) = made.values
        variable = theory.variables[slot]
        if family_of(formula, value, variable, theory) is not None:
            return True
        endless = variable.discrete and not variable.values and variable.high is None
        if not formula_alone(formula):
            return False
        if (endless or variable.symbol.is_integer) and value in formula.free_symbols:
            raise reader.refuse(
                right,
                f"whether this adds up to one over all values of {slot} is beyond the language",
                rf"name a family, or say {slot} \in \{{0, \dots, n\}}",
            )
        if not is_explicit(formula, value, variable):
            return False
        total = e.Integral(formula, (), (value,))
        if test("=", total, sympy.Integer(1), theory).status not in {"agrees", "refuted"}:
            raise reader.refuse(
                right,
                "whether this integrates to one could not be found out",
                "name a family, or say where the variable lives",
            )
        return True

    @staticmethod
    def _of_data(part: e.Density) -> bool:
        """Whether a density is conditioned on numbered data, q(z | x_n)."""
        return all(isinstance(value, e.Item) for _, value in part.conditions)


def _is_step(node: s.Node, product: s.BigOperator) -> bool:
    r"""Whether a call is the ``p(x_t \mid x_{t-1})`` of a product over t."""
    if not isinstance(node, s.Call) or node.separators != ("|",) or len(node.items) != 2:
        return False
    names = [n for n in node.items if isinstance(n, s.Name) and len(n.subscripts) == 1]
    if len(names) != 2 or stem(names[0]) != stem(names[1]) or len(product.indices) != 1:
        return False
    letter = product.indices[0]
    forms = {spell(name.subscripts[0]) for name in names}
    return spell(letter) in forms and bool(forms & {f"{spell(letter)}{x}" for x in ("-1", "+1")})
