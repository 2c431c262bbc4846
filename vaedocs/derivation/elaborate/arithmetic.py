"""Sums, products, powers and matrices, with the shapes that allow them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import sympy
from sympy import Expr, Integer, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.scope import NeedsShape
from vaedocs.derivation.elaborate.stacks import Stacks, is_list
from vaedocs.derivation.letters import MATRICES
from vaedocs.derivation.rewrite.trees import (
    has_bare_identity,
    split_indices,
    used_indices,
)
from vaedocs.derivation.shapes import ShapeMismatch, describe, multiply
from vaedocs.derivation.spelling import spell
from vaedocs.derivation.theory import Fact, Shape


class Arithmetic(Stacks):
    """Reads sums, products, powers and matrices."""

    def _group(self, node: s.Group) -> Expr:
        return self.expression(node.body)

    def _sum(self, node: s.Sum) -> Expr:
        pieces = self._under_their_sum(list(self._written_out(node)))
        target: Shape = ()
        done: dict[int, Expr] = {}
        for position, (_, term) in sorted(
            enumerate(pieces), key=lambda item: has_bare_identity(item[1][1])
        ):
            with self.sized(target if target and len(target) == 2 else None):
                done[position] = self.expression(term)
            target = target or self.shape(done[position])
        terms = [(sign, done[position], term) for position, (sign, term) in enumerate(pieces)]
        added: list[Expr] = []
        for sign, term, place in terms:
            if (
                target
                and isinstance(term, Symbol)
                and not self.shape(term)
                and not self.theory.tags(term)
                and term.name not in self.scope.declared_shapes
            ):
                term = self.set_shape(
                    term, target
                )  # an undeclared letter added to a vector is a vector
            elif target and isinstance(term, e.Apply) and term.name not in self.scope.valued:
                term = self._reshape(term, target)
            elif target and not self.shape(term) and term != 0:
                term = self._as_vector_term(term, target, place)
            if self.shape(term) != target and term != 0:
                letter = term.base if isinstance(term, sympy.Pow) and term.exp == -1 else term
                square = target == target[:1] * 2 and isinstance(letter, Symbol)
                if square and not self.shape(letter) and self.theory.tags(letter) & SQUARE:
                    raise NeedsShape(str(letter), target)  # X^\top X + P^{-1}
                if len(target) == len(self.shape(term)) and self.guessed(term):
                    raise NeedsShape(str(term), target)
                raise self.mismatch(
                    place,
                    f"this is {describe(self.shape(term))} and cannot be added to something "
                    f"{describe(target)}",
                )
            added.append(sign * term)
        return sympy.Add(*added)

    def _as_vector_term(self, term: Expr, target: Shape, place: s.Node) -> Expr:
        """``2 x_0`` beside a vector: the letter that nobody declared is a vector too."""
        factors = term.args if isinstance(term, sympy.Mul) else (term,)
        open_ = [
            part
            for part in factors
            if isinstance(part, Symbol)
            and not self.theory.tags(part)
            and part.name not in self.scope.declared_shapes
        ]
        random = [part for part in open_ if self.slot_of(part) in self.scope.survey.random]
        latin = [part for part in open_ if part.name[0].isalpha()]
        chosen = next((found for found in (random, latin, open_) if len(found) == 1), None)
        if chosen is None and open_:
            raise self.refuse(
                place,
                f"which of {', '.join(part.name for part in open_)} is {describe(target)}?",
                "declare it, for example x \\in \\mathbb{R}^N",
            )
        if chosen is None or len(target) != 1:
            return term
        made = self.set_shape(chosen[0], target)
        return sympy.Mul(*(made if part == chosen[0] else part for part in factors))

    def _under_their_sum(self, pieces: list[tuple[int, s.Node]]) -> list[tuple[int, s.Node]]:
        """``\\sum_i a_i + b_i``: a term that uses the index of the sum before it belongs under that
        sum.
        """
        for position, (sign, term) in enumerate(pieces):
            if not isinstance(term, s.BigOperator) or term.name != "sum":
                continue
            names = (
                {spell(index) for index in term.indices}
                - set(self.indices)
                - set(self.scope.integers)
            )
            users = [
                k for k in range(position + 1, len(pieces)) if names & used_indices(pieces[k][1])
            ]
            if not users:
                continue
            last = users[-1]
            if sign < 0:
                raise self.refuse(
                    pieces[users[0]][1],
                    f"this term uses the index {', '.join(sorted(names))} outside its sum",
                    r"put brackets around the whole summand: \sum_i \left( \dots \right)",
                )
            body = s.Sum(((1, term.body), *pieces[position + 1 : last + 1]), span=term.span)
            return [*pieces[:position], (sign, replace(term, body=body)), *pieces[last + 1 :]]
        return pieces

    def _written_out(self, node: s.Sum) -> Iterator[tuple[int, s.Node]]:
        """The terms, with ``x_1 + \\dots + x_n`` written out."""
        before: s.Node | None = None
        for sign, term in node.terms:
            if isinstance(term, s.Range):
                yield from ((sign, one) for one in self.pieces_behind(before, term))
            else:
                yield sign, term
            before = term

    def _product(self, node: s.Product) -> Expr:
        if any(isinstance(factor, s.Range) for factor in node.factors):
            factors = [
                one
                for before, factor in zip((None, *node.factors), node.factors, strict=False)
                for one in (
                    self.pieces_behind(before, factor) if isinstance(factor, s.Range) else [factor]
                )
            ]
            return self._product(
                replace(node, factors=tuple(factors), operators=("",) * (len(factors) - 1))
            )
        result = self._as_row(node.factors[0], node.factors[1])
        for k, (operator, factor) in enumerate(zip(node.operators, node.factors[1:], strict=True)):
            circle = result == 2 and spell(factor) == r"\pi" and self._is_array(r"\pi")
            right = self._as_row(factor, *node.factors[k + 2 : k + 3])
            right = sympy.pi if circle else right  # 2π beside weights π_k
            self._between_vectors(result, right)
            row = self.shape(result)
            last = len(row) == 2 and row[0] == 1 and factor is node.factors[-1]
            if last and isinstance(right, e.Apply) and right.name not in self.scope.valued:
                right = self._reshape(right, row[1:])  # the T of \eta^\top T(x)
            with self.shapes_at(factor):
                result = self._combine(result, operator, right, node)
        return result

    def _as_row(self, node: s.Node, following: s.Node | None = None) -> Expr:
        r"""A factor: ``(a, b)^\top`` before another one is a row, and so is ``(a, b)`` before
        ``(c, d)^\top``.
        """
        turned = isinstance(node, s.Transpose) and is_list(node.operand)
        beside = isinstance(following, s.Transpose) and is_list(following.operand)
        if turned and following is not None and isinstance(node, s.Transpose):
            return self._turned(self.expression(node.operand), node)
        made = self.expression(node)
        return (
            e.Transpose(made) if is_list(node) and beside and len(self.shape(made)) == 1 else made
        )

    def _between_vectors(self, row: Expr, right: Expr) -> None:
        r"""The \Sigma of ``x^\top \Sigma^{-1} x``, of which nobody said what it is, is a matrix."""
        size = self.shape(row)
        if len(size) != 2 or size[0] != 1:
            return
        for part in sympy.Mul.make_args(right):
            letter = part.base if isinstance(part, sympy.Pow) and part.exp == -1 else part
            name = letter.name if isinstance(letter, Symbol) and not self.shape(letter) else ""
            said = self.theory.tags(letter) or name in self.scope.macros
            if name in MATRICES and not said and name not in self.scope.survey.random:
                raise NeedsShape(name, (size[1], size[1]))

    def _combine(self, left: Expr, operator: str, right: Expr, node: s.Node) -> Expr:
        a, b = self.shape(left), self.shape(right)
        if operator == "slash":
            if not b:
                return left / right
            if a in ((), b):
                return self._hadamard(left, e.Elementwise("reciprocal", right))
            raise ShapeMismatch(f"cannot divide something {describe(a)} by something {describe(b)}")
        if operator in {"cup", "cap"}:
            raise self.refuse(
                node,
                "operations on sets are read in the probabilities of events only",
                r"write P(A \cup B), with capital letters for the events",
            )
        if operator in {"circ", "kron"}:
            shown = {"circ": r"\circ", "kron": r"\otimes"}[operator]
            raise self.refuse(
                node,
                f"the operator {shown} is not in the language",
                r"write \odot for the product element by element, f(g(x)) for functions in turn",
            )
        if operator == "hadamard" and a and b:
            if a != b:
                raise ShapeMismatch(
                    f"the elementwise product needs one shape: {describe(a)} against {describe(b)}"
                )
            return self._hadamard(left, right)
        if operator == "dot" and len(a) == 1 and a == b:
            return e.Scalar(e.Transpose(left) * right)
        if len(a) == 2 and b and a[1] != b[0]:
            self._fit(left, right, a, b)
        made = multiply(a, b)
        if a and b and not made:
            return e.Scalar(left * right)
        return left * right

    def _fit(self, left: Expr, right: Expr, a: Shape, b: Shape) -> None:
        """Of two factors that do not fit, ask for another shape of the one that was a guess."""
        for factor, made, size in (
            (right, (a[1], *b[1:]), a[1]),
            (left, (a[0], b[0]), b[0]),
            (right.args[0] if isinstance(right, e.Transpose) else None, (*b[1:], a[1]), a[1]),
            (left.args[0] if isinstance(left, e.Transpose) else None, (b[0], a[0]), b[0]),
        ):
            if isinstance(factor, Symbol) and self.guessed(factor):
                if len(made) == 2 and self.theory.tags(factor) & SQUARE:
                    made = (size, size)
                raise NeedsShape(str(factor), made)

    def _hadamard(self, left: Expr, right: Expr) -> Expr:
        if not self.shape(left) or not self.shape(right):
            return left * right
        return e.Hadamard(left, right)

    def _fraction(self, node: s.Fraction) -> Expr:
        top, bottom = self.expression(node.numerator), self.expression(node.denominator)
        with self.shapes_at(node):
            return self._combine(top, "slash", bottom, node)

    def _power(self, node: s.Power) -> Expr:
        if isinstance(node.base, s.Call) and (parts := self.call_as_product(node.base)):
            with self.shapes_at(node):
                return self._combine(parts[0], "", self.raised(parts[1], node.exponent, node), node)
        return self.raised(self.expression(node.base), node.exponent, node)

    def _root(self, base: Expr) -> Expr | None:
        r"""The ``\Sigma^{1/2}`` of a positive definite Σ: one like it, of which Σ is the square."""
        if not isinstance(base, Symbol) or "spd" not in self.theory.tags(base):
            return None
        name = f"{base}^{{1/2}}"
        self.scope.declared_shapes[name] = self.shape(base)
        root = self.symbol(name)
        self.theory.add_tags(root, "spd", "symmetric")
        square = Fact("=", base, root * root, f"the definition of {name}", name)
        known = self.theory.definitions.setdefault(base, square)
        return root if known.right == square.right else None

    def raised(self, base: Expr, exponent_node: s.Node, node: s.Node) -> Expr:
        """``base`` to a power, by the shape of the base."""
        exponent = self.scalar(exponent_node)
        base_shape = self.shape(base)
        if base.is_Number and exponent.is_Number and not _handy(base, exponent):
            raise self.refuse(
                node,
                "this number is too large to be worked with",
                f"the checker computes with numbers of up to {DIGITS} digits",
            )
        if not base_shape:
            return sympy.Pow(base, exponent)
        if len(base_shape) == 1:
            if exponent == 2:
                return e.Elementwise("square", base)
            if exponent == -1:
                return e.Elementwise("reciprocal", base)
            return e.Elementwise("power", base, exponent)
        if base_shape[0] != base_shape[1]:
            raise self.mismatch(node, f"a {describe(base_shape)} matrix has no powers")
        if exponent == -1:
            return e.Inverse(base)
        if exponent.is_Integer and exponent > 0:
            return base**exponent
        made = self.theory.definitions[base].right if base in self.theory.definitions else base
        if isinstance(made, e.Diag) or "diagonal" in self.theory.tags(base):
            entries = made.args[0] if isinstance(made, e.Diag) else e.Diag(base)
            return e.Diag(e.Elementwise("power", entries, exponent))
        if exponent.is_Integer and exponent < 0:
            return e.Inverse(base) ** (-exponent)
        if abs(exponent) == sympy.Rational(1, 2) and (root := self._root(base)) is not None:
            return root if exponent > 0 else e.Inverse(root)
        raise self.refuse(
            node,
            "this power of a matrix is not in the language",
            "write it with inverses and products",
        )

    def _transpose(self, node: s.Transpose) -> Expr:
        if isinstance(node.operand, s.Call) and (parts := self.call_as_product(node.operand)):
            with self.shapes_at(node):  # A (B + C)^\top: the brackets are transposed, A is not
                return self._combine(parts[0], "", self._turned(parts[1], node), node)
        operand = self.expression(node.operand)
        if node.lettered and not self.shape(operand) and "T" in self.scope.survey.bare:
            return self.raised(operand, s.Name("T", span=node.span), node)  # \gamma^T
        if is_list(node.operand) and len(self.shape(operand)) == 1:
            return operand  # x = (a, b)^\top is the column that people write in one line
        return self._turned(operand, node)

    def _turned(self, operand: Expr, node: s.Transpose) -> Expr:
        if not self.shape(operand):
            return operand
        if node.inverse:
            return e.Transpose(e.Inverse(operand))
        return operand.args[0] if isinstance(operand, e.Transpose) else e.Transpose(operand)

    def _bars(self, node: s.Bars) -> Expr:
        if isinstance(node.body, s.Name) and spell(node.body) in self.scope.survey.sets:
            return self.size_of_set(node.body)
        if (counted := self.scope.survey.index_sets.get(spell(node.body))) is not None:
            one = s.Number("1", span=node.span)
            return self.expression(replace(counted, body=one, upper=self.last(counted)))
        if (alphabet := self._alphabet(node.body)) and not node.double:
            made = self.variable(alphabet)
            self.theory.variables[alphabet] = replace(made, discrete=True)
            return e.Integral(Integer(1), (), (made.symbol,))  # how many values there are
        if node.double and (distance := self._of_densities(node)) is not None:
            return distance
        body = self.expression(node.body)
        inner = self.shape(body)
        if node.double:
            order = self._order(node.order)
            if len(inner) == 2 and node.order is not None and order != "F":
                hint = r"of a matrix the language has \|A\|_F"
                raise self.refuse(node, "this norm of a matrix is not in the language", hint)
            return e.Norm(body, order) if inner else sympy.Abs(body)
        if not inner:
            return sympy.Abs(body)
        if len(inner) == 1:
            return e.Norm(body, Integer(2))
        if inner[0] != inner[1]:
            raise self.mismatch(
                node, f"the determinant of a {describe(inner)} matrix does not exist"
            )
        return e.Determinant(body)

    def _of_densities(self, node: s.Bars) -> Expr | None:
        r"""``\|P - Q\|_1`` of two densities without arguments, and its half ``\|P - Q\|_{TV}``."""
        order = re.sub(r"\\(mathrm|text)|[{}]", "", spell(node.order))
        terms = node.body.terms if isinstance(node.body, s.Sum) else ()
        heads = [term for _, term in terms if look.is_density_head(term, self.scope.survey)]
        if [sign for sign, _ in terms] != [1, -1] or len(heads) != 2 or order not in {"1", "TV"}:
            return None
        if any(spell(head) in self.theory.symbols for head in heads):
            return None
        return self._symmetric_divergence("tv", tuple(heads)) * (2 if order == "1" else 1)

    def _alphabet(self, node: s.Node) -> str:
        r"""The variable whose set of values ``\mathcal{X}`` is; empty if there is none."""
        if not isinstance(node, s.Name) or node.style != "cal" or self._declared(spell(node)):
            return ""
        slot = self.slot(replace(node, style=""))
        return slot if slot in self.scope.survey.random or slot in self.theory.variables else ""

    def _order(self, node: s.Node | None) -> Expr | str:
        if node is None:
            return Integer(2)
        if isinstance(node, s.Name) and node.base == "F":
            return "F"
        if isinstance(node, s.Name) and node.base == "*":
            raise self.refuse(node, "a norm with a star is not in the language")
        return self.scalar(node)

    def _inner(self, node: s.Inner) -> Expr:
        a, b = self.expression(node.left), self.expression(node.right)
        if not self.shape(a):
            return a * b
        if self.shape(a) != self.shape(b):
            raise self.mismatch(
                node,
                f"an inner product needs one shape: {describe(self.shape(a))} against "
                f"{describe(self.shape(b))}",
            )
        return (
            e.Scalar(e.Transpose(a) * b) if len(self.shape(a)) == 1 else e.Trace(e.Transpose(a) * b)
        )

    def _component(self, node: s.Component) -> Expr:
        body = self.expression(node.body)
        subscripts = split_indices(node.subscripts)
        if not self.shape(body) and isinstance(body, e.Apply):
            body = self._reshape(body, (self.dimension(s.Name("d", span=node.span)),))
        sizes = self.shape(body)
        if not sizes and (names := sorted(v.name for v in body.free_symbols)):
            matrix, vector = r"\mathbb{R}^{N \times M}", r"\mathbb{R}^N"
            raise self.refuse(
                node,
                f"what has entries here is a number, since no shape of {', '.join(names)} is known",
                "say " + "; ".join(rf"{n} \in {matrix if n.isupper() else vector}" for n in names),
            )
        if len(sizes) != len(subscripts):
            raise self.mismatch(
                node, f"{describe(sizes)} has no entry with {len(subscripts)} indices"
            )
        return e.Component(body, self.entry(subscripts, sizes))


SQUARE = frozenset(["orthogonal", "symmetric", "spd", "psd", "invertible", "diagonal"])
DIGITS = 300


def _handy(base: Expr, exponent: Expr) -> bool:
    """Whether a power of two numbers has few enough digits to be written out."""
    size = max(len(str(abs(part))) for part in (base.as_numer_denom()))
    return not exponent.is_finite or bool(abs(exponent) * size <= DIGITS) or base in {0, 1, -1}
