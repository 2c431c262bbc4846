"""A name before brackets: which of all these it is, or an unknown function."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.calculus import Calculus
from vaedocs.derivation.elaborate.scope import Macro
from vaedocs.derivation.letters import INDEX_LETTERS, is_parameter
from vaedocs.derivation.rewrite.trees import split_indices, substitute
from vaedocs.derivation.spelling import names_in, spell, stem, walk
from vaedocs.derivation.theory import FunctionInfo


class Calls(Calculus):
    """Reads a head with its arguments."""

    def _call(self, node: s.Call) -> Expr:
        head = node.head
        if not isinstance(head, s.Name):
            return self._applied(node)
        items = node.items
        if (indicator := self.indicated(head, items)) is not None:
            return indicator
        name = spell(self.concrete(head))
        macro = self.macro(name, items, node) or self.macro(spell(head), items)
        macro = macro or self.of_every_index(head, len(items))
        if macro and isinstance(macro.body, s.Call) and not macro.parameters:
            macro = None if spell(macro.body.head) == spell(head) else macro  # A := A(t)
        own = macro and (macro.parameters or self._belongs(macro, items))
        if macro and (not own or self._times_itself(name, items)):
            with self.shapes_at(node):  # the name times what stands in brackets
                return self._combine(self.expression(head), "", self._only(node), node)
        if macro:
            return self._defined(node, spell(node) if macro.parameters else name, macro, items)
        if look.family(head):
            return self.family_density(node)
        if look.is_divergence_call(node):
            return self._divergence(node)
        if kind := look.symmetric_divergence(node):
            return self._symmetric_divergence(kind, items)
        if (jacobian := self._jacobian(node)) is not None:
            return jacobian
        if "||" in node.separators:
            raise self.refuse(
                node,
                f"which divergence {spell(head)} is, nobody said",
                "define it above the display, for example D_f(p \\,\\|\\, q) := "
                r"\int q(x) f\left(\frac{p(x)}{q(x)}\right) dx",
            )
        if self.is_entropy(node) and name not in self.theory.functions:
            return self._entropy(node)
        if head.base in look.INFORMATION and (node.separators[:1] == (";",) or len(items) >= 2):
            return self._information(node)
        if look.is_density_call(node, self.scope.survey):
            return self._density(node)
        if self._is_delta(node) and name not in self.scope.survey.bare:
            raise self.refuse(
                node,
                "Dirac's delta has a meaning under an integral over its variable only",
                r"write \int \delta(x - a) f(x)\,dx, or declare \delta if it is a function",
            )
        if self.is_gamma(node):
            return sympy.factorial(self.scalar(items[0]) - 1)
        return self._applied(node)

    @staticmethod
    def _times_itself(name: str, items: tuple[s.Node, ...]) -> bool:
        r"""Whether ``\sigma (1 - \sigma)`` is a product: a function of itself would be written
        with its argument.
        """
        inside = [node for item in items for node in walk(item)]
        called = any(isinstance(n, s.Call) and spell(n.head) == name for n in inside)
        return not called and any(isinstance(n, s.Name) and spell(n) == name for n in inside)

    def is_gamma(self, node: s.Call) -> bool:
        """``\\Gamma(a)`` of one number, where nobody says what Γ is."""
        if spell(node.head) != r"\Gamma" or [len(g) for g in node.groups] != [1]:
            return False
        return r"\Gamma" not in {*self.theory.functions, *self.scope.declared_shapes}

    def _jacobian(self, node: s.Call) -> Expr | None:
        r"""``J_f(z)``, the derivative of a function at z; None for anything else."""
        head = node.head
        if not isinstance(head, s.Name) or head.base != "J" or len(head.subscripts) != 1:
            return None
        function = head.subscripts[0]
        base = function.base if isinstance(function, s.Power) else function
        if not isinstance(base, s.Name) or len(node.groups) != 1 or len(node.groups[0]) != 1:
            return None
        if spell(base) not in {*self.scope.survey.called, *self.theory.functions}:
            return None
        item = node.groups[0][0]
        value = replace(node, head=function)
        return self.expression(s.Derivative("partial", value, (item,), span=node.span))

    def _belongs(self, macro: Macro, items: tuple[s.Node, ...]) -> bool:
        """Whether a name defined without arguments may be written with these: parameters of it."""
        inside = {spell(inner) for inner in names_in(macro.body)}
        return all(
            isinstance(item, s.Name)
            and (is_parameter(item) or spell(item) in inside or look.is_density_head(item))
            for item in items
        )

    def _only(self, node: s.Call) -> Expr:
        if len(node.groups) != 1 or len(node.groups[0]) != 1:
            raise self.refuse(node, f"{spell(node.head)} was defined without arguments")
        return self.expression(node.groups[0][0])

    def is_entropy(self, node: s.Call) -> bool:
        """``H(X)``, ``\\mathbb{H}[p]``; an upright or plain ``h`` of capitals, ``h(X)``."""
        head = node.head
        assert isinstance(head, s.Name)
        if head.base not in look.ENTROPIES:
            return False
        items = node.items
        if items and {spell(item) for item in items} <= self.scope.survey.not_densities:
            return False  # H(p) of a probability p is a function
        if head.base == "H" or head.style or spell(head) in self.scope.survey.entropic:
            return True
        capital = [i for i in items for n in names_in(i) if n.base.isupper()]
        densities = [i for i in items if isinstance(i, s.Name) and look.is_density_head(i)]
        if items and len(densities) == len(items):
            return all(self.scope.survey.signatures.get(look.head_stem(i)) for i in densities)
        return bool(capital) and spell(head) not in self.scope.survey.bare

    def _applied(self, node: s.Call) -> Expr:
        if isinstance(node.head, s.Power) and self._is_power_of_function(node, node.head):
            assert isinstance(node.head.base, s.Name)
            if spell(node.head.exponent) == "-1":
                return self._inverse(node.head.base, node)
            inner = self.expression(replace(node, head=node.head.base))
            return self.raised(inner, node.head.exponent, node)
        if isinstance(node.head, s.Name) and node.head.subscripts:
            whole = replace(node.head, subscripts=node.head.subscripts[:-1])
            info = self.theory.functions.get(spell(whole))
            index = node.head.subscripts[-1]
            if (
                info is not None
                and len(info.shape) == 1
                and (
                    self._is_index(index)
                    or isinstance(index, s.Number)
                    or self._looks_like_index(index)
                )
            ):
                return e.Component(self.apply(replace(node, head=whole)), [self.dimension(index)])
        if parts := self.call_as_product(node):
            with self.shapes_at(node):
                return self._combine(parts[0], "", parts[1], node)
        if not isinstance(node.head, s.Name):
            raise self.refuse(
                node,
                "only a name can be applied to arguments",
                r"write \cdot if a product is meant",
            )
        return self.apply(node)

    def _is_power_of_function(self, node: s.Call, head: s.Power) -> bool:
        r"""Whether a call is ``\sigma^2(z)`` or ``f^{-1}(x)``, and not ``\Sigma^{-1}(x - \mu)``, a
        product with the inverse of a matrix.
        """
        name = spell(head.base)
        matrix = name in {r"\Sigma", r"\Lambda"} and name not in self.theory.functions
        if isinstance(head.base, s.Name) and stem(head.base) in self.theory.functions:
            return not matrix  # the \sigma_j^2(x) of a vector \sigma(x)
        plain = isinstance(head.base, s.Name) and self._is_function(replace(node, head=head.base))
        return plain and not matrix

    def _inverse(self, function: s.Name, node: s.Call) -> Expr:
        """``f^{-1}(x)``: a function of its own, with values of the shape of x."""
        named = replace(function, base=f"{function.base}^{{-1}}")
        if len(node.groups) == 1 and len(node.groups[0]) == 1:
            argument = self.expression(node.groups[0][0])
            if isinstance(argument, e.Apply) and argument.name == spell(function):
                return argument.args[2][0]
            info = FunctionInfo(spell(named), self.shape(argument), invertible=True)
            self.theory.functions.setdefault(spell(named), info)
        return self.apply(replace(node, head=named))

    def call_as_product(self, node: s.Call) -> tuple[Expr, Expr] | None:
        """Head and argument of a call that is a product, ``a(b + c)``; None for a function."""
        if len(node.groups) != 1 or len(node.groups[0]) != 1 or node.separators:
            return None
        if not isinstance(node.head, s.Name):
            if isinstance(node.head, s.Power) and self._is_power_of_function(node, node.head):
                return None
            if isinstance(node.head, s.Transpose | s.Power | s.Group):
                return self.expression(node.head), self.expression(node.groups[0][0])
            return None
        if self._is_function(node):
            return None
        return self.expression(node.head), self.expression(node.groups[0][0])

    def _is_function(self, node: s.Call) -> bool:
        head = node.head
        assert isinstance(head, s.Name)
        name = spell(self.concrete(head))
        if name in self.theory.functions:
            return True
        if (
            look.family(head)
            or look.is_divergence_call(node)
            or look.is_density_call(node, self.scope.survey)
        ):
            return True
        if macro := self.macro(name, tuple(node.groups[0]), node):  # \Sigma := … is no function
            return bool(macro.parameters) or self._belongs(macro, node.groups[0])
        if head.base in {"H", "I", "MI"}:
            return True
        argument = node.groups[0][0]
        number = (
            name in self.indices
            or name in self.scope.declared_shapes
            or name in self.theory.symbols
            or name in self.scope.survey.bare
            or name in self.scope.declared_tags
            or self._is_entry(head)
        )
        if number and name == r"\sigma" and isinstance(argument, s.Name | s.Call):
            raise self.refuse(
                node,
                r"\sigma is a number elsewhere: is this the logistic function, or a product?",
                r"write \operatorname{sigmoid}(…) for the one, \sigma \cdot … for the other",
            )
        if number:
            return False
        if head.base == "pi" and not head.style and not head.subscripts:
            return False
        if len(head.base) == 1 and not head.style and isinstance(argument, s.Sum | s.Number):
            return head.base in "fghstuvwTFG" or head.base in {"mu", "sigma", "epsilon", "Sigma"}
        return True

    def _is_entry(self, head: s.Name) -> bool:
        """``a_j`` or ``A_{jk}`` of a declared array, at bound indices: a number, and a factor."""
        indices = split_indices(head.subscripts)
        declared = self.scope.declared_shapes.get(stem(head), ())
        return 0 < len(indices) == len(declared) and all(map(self._is_index, indices))

    def apply(self, node: s.Call) -> Expr:
        """An unknown function at its arguments; a subscript that the display differentiates in
        becomes an argument.
        """
        head = node.head
        assert isinstance(head, s.Name)
        head, counts = self._numbered(head)
        name = spell(self.concrete(head))
        arguments = [
            self.expression(item)
            for group, separator in zip(node.groups, ("", *node.separators), strict=True)
            for item in group
            if separator != ";" or not is_parameter(item)
        ] + counts
        if self.is_logistic(name) and len(arguments) == 1:
            return (
                e.Sigmoid(arguments[0])
                if not self.shape(arguments[0])
                else e.Elementwise("sigmoid", arguments[0])
            )
        for part in head.subscripts:
            if spell(part) in self.scope.differentiated and isinstance(part, s.Name):
                arguments.append(self.symbol(spell(part)))
        if (
            head.primes
            and len(arguments) == 1 + len(counts)
            and not self.shape(arguments[0])
            and name not in self.theory.functions
        ):
            return self._derived(replace(head, primes=0), head.primes, *arguments)
        info = self.theory.functions.get(name)
        if info is None:
            info = FunctionInfo(
                name, self.scope.declared_shapes.get(name, ()), positive=name.startswith(r"\sigma")
            )
            self.theory.functions[name] = info
        if (info.symmetric or info.kernel) and len(arguments) == 2:
            arguments.sort(key=str)
        return e.Apply(name, not info.shape, arguments)

    def _numbered(self, head: s.Name) -> tuple[s.Name, list[Expr]]:
        """The f and the k of ``f_k(x)`` where a sum or an average is over k: k is an argument."""
        key, parts = stem(head) + "_", split_indices(head.subscripts)
        letters = {spell(n) for part in parts for n in names_in(part)}
        if letters & (self.indices.keys() | self.held):
            self.scope.numbered.add(key)
        elif key not in self.scope.known_numbered:
            return head, []
        held = [part for part in parts if spell(part) in self.held]
        counts = [part for part in parts if part in held or self._could_be_index(part)]
        plain = s.Name(r"\cdot", span=head.span)
        made = replace(head, subscripts=(*(p for p in parts if p not in counts), plain))
        known = self.theory.functions
        if counts and spell(made) not in known:
            said = [
                name for name in known if name.removeprefix(key) in {spell(head), *INDEX_LETTERS}
            ]
            for name in said[:1]:
                known[spell(made)] = replace(known[name], name=spell(made))
        numbers = [self.scalar(part) if part in held else self._index(part) for part in counts]
        return (made, numbers) if counts else (head, [])

    def is_logistic(self, name: str) -> bool:
        r"""Whether ``\sigma(a)`` is the logistic function: it was not said to be another."""
        survey = self.scope.survey
        other = {*self.theory.functions, *survey.bare, *survey.family_functions, *self.scope.macros}
        return name == r"\sigma" and name not in other

    def _derived(self, head: s.Name, order: int, argument: Expr, *counts: Expr) -> Expr:
        """``f'(a)``: the derivative of f, at a."""
        point = Symbol("t'", real=True)
        name = spell(head)
        inner: Expr = e.Sigmoid(point)
        if not self.is_logistic(name):
            self.theory.functions.setdefault(name, FunctionInfo(name))
            inner = e.Apply(name, True, (point, *counts))
        macro = self.macro(name, (head,))
        if macro is not None and len(macro.parameters) == 1:
            name_there = s.Name("t", primes=1, span=head.span)
            with self.counting({"t'": point}):
                inner = self.expression(
                    substitute(macro.body, {spell(macro.parameters[0]): name_there})
                )
        return e.Evaluated(e.Derivative("partial", inner, (point,) * order), ((point, argument),))
