"""Derivatives, evaluation at a point, optima, and the claims in braces."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, Integer, Symbol

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.scope import Claimed, NeedsInteger
from vaedocs.derivation.elaborate.sums import Sums
from vaedocs.derivation.letters import is_index_letter
from vaedocs.derivation.rewrite.sets import bounding
from vaedocs.derivation.rewrite.trees import used_indices
from vaedocs.derivation.shapes import shape
from vaedocs.derivation.spelling import names_in, spell, stem, walk
from vaedocs.derivation.theory import Fact, FunctionInfo, Shape


class Calculus(Sums):
    """Reads derivatives, optima and braces."""

    def _derivative(self, node: s.Derivative) -> Expr:
        if (through := self._through_transform(node)) is not None:
            return through
        node = self._at_variable(node)
        if len(node.variables) == 1 and (flow := self.flow(node.variables[0])) is not None:
            body, (at,) = node.body, node.variables
            assert isinstance(at, s.Name)
            own = self.flow(body) is not None and isinstance(body, s.Name) and self.steps(body)
            head = call.head if isinstance(call := flow.body, s.Call) and not own else None
            if isinstance(body, s.Name) and isinstance(head, s.Name) and stem(body) == stem(head):
                body = s.Call(body, ((at,),), span=body.span)  # the map of any step, there
            if self.steps(at) is not None:
                return self.slope(self.step(flow, own) if own else body, self.concrete(at), node)
        items = node.variables or self.scope.survey.gradient_variables(node.body)
        if not items:
            if (there := self._gradient_there(node)) is not None:
                return there
            raise self.refuse(node, "a gradient must say in which variable", r"write \nabla_\phi")
        if len(items) == 1 and isinstance(items[0], s.Transpose):  # \partial x^\top: in a row
            made = self.expression(replace(node, variables=(items[0].operand,)))
            return e.Transpose(made) if len(self.shape(made)) == 1 else made
        if len(items) == 1 and isinstance(items[0], s.Power):
            return self._by_an_inverse(node, items[0])
        body = self.expression(node.body)
        variables = [self._derivative_variable(item, node) for item in items]
        self._refuse_unknown_dependence(node, body, variables)
        inner, by = self.shape(body), self.shape(variables[0])
        if node.kind == "divergence" and by and not inner:  # of a field, whatever else it is not
            parts = [f for f in sympy.Mul.make_args(body) if isinstance(f, e.Apply)]
            fields = [f for f in parts if f.name not in self.scope.valued]
            body = body.xreplace({f: self._reshape(f, by) for f in fields[:1] if len(parts) == 1})
            inner = self.shape(body)
        kind: str = node.kind
        if kind == "partial" and (inner or by) and len(variables) == 1:
            kind = "jacobian" if inner and by else "gradient" if by else "partial"
        if kind == "partial" and len(variables) == 2 and by:
            kind = "hessian"
        if kind == "gradient" and inner and by:
            kind = "jacobian"
        made = e.Derivative(kind, body, variables, True)
        scalar = not shape(e.Derivative(kind, body, variables, False), self.theory)
        return made if scalar else e.Derivative(kind, body, variables, False)

    def _by_an_inverse(self, node: s.Derivative, item: s.Power) -> Expr:
        r"""``\frac{\partial f}{\partial \Sigma^{-1}}``: the slope in T of f at Σ = T^{-1}."""
        base, value = self._derivative_variable(item.base, node), self.expression(item)
        if spell(item.exponent) != "-1" or self.shape(value) != self.shape(base):
            raise self.refuse(item, "a derivative is taken in a name or in its inverse")
        shape, body = self.shape(base), self.expression(node.body)
        while told := body.atoms(Symbol) & self.theory.definitions.keys():
            body = body.xreplace({name: self.theory.definitions[name].right for name in told})
        self._refuse_unknown_dependence(node, body, [base])
        at = self.point("t'", shape)
        self.theory.add_tags(at, *self.theory.tags(base) & {"invertible"})
        body = body.xreplace({value: at}).xreplace({base: e.Inverse(at) if shape else 1 / at})
        kind = "jacobian" if shape and self.shape(body) else "gradient" if shape else "partial"
        made = e.Derivative(kind, body, (at,), not shape)
        return e.Evaluated(made, ((at, value),))

    def _gradient_there(self, node: s.Derivative) -> Expr | None:
        r"""``\nabla f(A x + b)``: the gradient of f, at A x + b."""
        call = node.body if node.kind == "gradient" and not self.scope.survey.parameters else None
        if not isinstance(call, s.Call) or [len(group) for group in call.groups] != [1]:
            return None
        value, name = self.expression(call.groups[0][0]), s.Name("t", primes=1, span=call.span)
        shape = self.shape(value)
        at = self.point("t'", shape)
        with self.counting({"t'": at}):
            body = self.expression(replace(call, groups=((name,),)))
        if self.shape(body):
            return None
        made = e.Derivative("gradient" if shape else "partial", body, (at,), not shape)
        return e.Evaluated(made, ((at, value),))

    def _at_variable(self, node: s.Derivative) -> s.Derivative:
        r"""``\partial f / \partial z`` of a function f as ``\partial f(z) / \partial z``."""
        body = node.body
        if not isinstance(body, s.Name) or len(set(map(spell, node.variables))) != 1:
            return node
        if self.under and spell(body) in self.scope.survey.bare_functions:
            return node
        macros = self.scope.macros.get(spell(body), []) + self.scope.macros.get(
            spell(self.concrete(body)), []
        )
        made = any(len(macro.parameters) == 1 for macro in macros)
        flowing = self.flow(node.variables[0]) is not None
        known = {*self.theory.functions, *(self.scope.survey.called if flowing else ())}
        if not made and (macros or self.flow(body) is not None or spell(body) not in known):
            return node
        call = s.Call(body, (node.variables[:1],), (), span=body.span)
        if not made and not flowing and (space := self.shape(self.expression(node.variables[0]))):
            info = self.theory.functions.get(spell(body))
            if info is None or not (info.shape or info.invertible):
                return node  # a number, or a vector
            self.valued_alike(call, space)
        return replace(node, body=call)

    def valued_alike(self, call: s.Call, shape: Shape, invertible: bool = False) -> None:
        head = call.head
        if not isinstance(head, s.Name) or self.macro(spell(head), call.groups[0], call):
            return
        name = spell(self.concrete(head))
        info = self.theory.functions.get(name, FunctionInfo(name))
        self.theory.functions[name] = replace(
            info, shape=info.shape or shape, invertible=info.invertible or invertible
        )

    def _through_transform(self, node: s.Derivative) -> Expr | None:
        r"""``\frac{dg}{dx}`` where ``x = f(z)`` is given: by the chain rule, over dx/dz."""
        outer = node.variables[0] if len(node.variables) == 1 else None
        if node.kind != "partial" or not isinstance(outer, s.Name):
            return None
        made = self.scope.transforms.get(self.slot(outer))
        if made is None or self.slot(outer) in self.held:
            return None
        names = {self.slot(n): n for n in names_in(made.body)}
        sources = names.keys() & self.scope.survey.random.keys()
        if len(sources) != 1:
            return None
        (slot,) = sources
        source, body = self.variable(slot).symbol, self.expression(node.body)
        if slot in self.held or source not in body.free_symbols:
            return None
        kind = "jacobian" if self.shape(source) else "partial"
        slope = e.Derivative(kind, self.expression(outer), (source,), kind == "partial")
        inverse = e.Inverse(slope) if self.shape(source) else 1 / slope
        if body == source:
            return inverse
        if self.shape(source):
            raise self.refuse(node, "this derivative in a made variable is not in the language")
        return e.Derivative("partial", body, (source,), True) * inverse

    def _refuse_unknown_dependence(
        self, node: s.Derivative, body: Expr, variables: list[Expr]
    ) -> None:
        """A name of which nothing is known is no constant: its derivative is not 0 but unknown."""
        own = {inner for variable in variables for inner in variable.free_symbols}
        if isinstance(body, Symbol) and body not in self.theory.definitions and body not in own:
            name, by = body.name, str(variables[0])
            raise self.refuse(
                node,
                f"nothing says how {name} depends on {by}, so its derivative is unknown",
                f"define it in what is given, for example {name} := …, or write {name}({by})",
            )

    def _derivative_variable(self, item: s.Node, node: s.Derivative) -> Expr:
        made = self.expression(item)
        if not isinstance(made, Symbol | e.Component | e.Item):
            raise self.refuse(
                node, "a derivative is taken in a variable", r"write \frac{\partial}{\partial x}"
            )
        return made

    def _evaluated(self, node: s.Evaluated) -> Expr:
        pairs = []
        with self.counting({}):
            for where in node.substitutions:
                value, name, left = self.expression(where.right), spell(where.left), where.left
                if self.shape(value) and isinstance(left, s.Name) and not self._declared(name):
                    self.indices[name] = self.point(name, self.shape(value))
                pairs.append((self.expression(left), value))
            return e.Evaluated(self.expression(node.body), pairs)

    def _extremum(self, node: s.Extremum) -> Expr:
        if not node.over:
            body = s.bare(node.body)
            if isinstance(body, s.Sequence) and node.name in {"max", "min"}:
                made = [self.scalar(item) for item in body.items]
                return sympy.Max(*made) if node.name == "max" else sympy.Min(*made)
            raise self.refuse(node, f"{node.name} must say over what", rf"write \{node.name}_\phi")
        if (entry := self._largest_entry(node)) is not None:
            return entry
        over: list[Expr] = []
        unit: list[Expr] = []  # the u of \|u\| = 1
        for item in node.over:
            target = item.left if isinstance(item, s.Relation) else item
            if isinstance(target, s.Bars) and target.double and isinstance(item, s.Relation):
                euclidean = target.order is None or spell(target.order) == "2"
                if (item.symbol, spell(item.right), euclidean) == ("=", "1", True):
                    target = target.body
                    unit.append(self.expression(target))
            elif bounding(item):
                hint = "say above the display where it lies, and write its name below"
                raise self.refuse(item, f"which values are these of {spell(target)}?", hint)
            if isinstance(target, s.Call):
                if look.is_density_call(target, self.scope.survey):
                    chosen = self.expression(target)
                    if isinstance(chosen, e.Density):
                        self.theory.chosen[chosen.head] = chosen.key
                target = target.head
            if (square := self._as_square(target)) is not None:
                over.append(square)
                continue
            if not isinstance(target, s.Name):
                raise self.refuse(
                    item, "an optimum is taken over a name", "write the variable below it, _\\phi"
                )
            if (owner := self._of_one_model(target)) is not None:
                over.append(Symbol(self.head_name(owner, set())[0]))
            elif look.is_density_head(target, self.scope.survey) and self.knows_head(target):
                over.append(Symbol(self.head_name(target, set())[0]))
            elif spell(target) in self.scope.survey.called - self.scope.survey.bare:
                over.append(Symbol(spell(target)))  # over all functions
            else:
                over.append(self.expression(target))
        body, own = self.scalar(node.body), {inner for v in over for inner in v.free_symbols}
        body = body.xreplace({u: u / e.Norm(u, Integer(2)) for u in unit})
        told = body.atoms(Symbol) & self.theory.definitions.keys() or body.atoms(e.Node)
        if not told and not own & body.free_symbols:
            raise self.refuse(node, "what is optimised does not depend on what it is taken over")
        return e.Extremum(node.name, body, over)

    def _of_one_model(self, letter: s.Name) -> s.Name | None:
        r"""The p_G of ``\min_G``, where G is any generator and stands for what it draws."""
        if not letter.base.isupper() or spell(letter) != letter.base or len(letter.base) > 1:
            return None
        found = {
            spell(n.head): n.head
            for tree in self.scope.survey.trees
            for n in walk(tree)
            if isinstance(n, s.Call) and isinstance(n.head, s.Name)
            if n.head.subscripts == (letter,) and look.is_density_call(n, self.scope.survey)
        }
        return next(iter(found.values())) if len(found) == 1 else None

    def _as_square(self, node: s.Node) -> Symbol | None:
        r"""The variance of ``\arg\max_{\sigma^2}``, of which σ is the root from now on."""
        if not (isinstance(node, s.Power) and isinstance(node.base, s.Name)):
            return None
        root, square = self.expression(node.base), self.theory.symbols.get(spell(node))
        if square is not None:
            return square
        free = isinstance(root, Symbol) and root not in self.theory.definitions
        if spell(node.exponent) != "2" or not free or not root.is_positive:
            return None
        square = Symbol(spell(node), positive=True)
        self.theory.symbols[square.name] = square
        name = f"{root} is the root of {square}"
        self.theory.definitions[root] = Fact("=", root, sympy.sqrt(square), name, "")
        return square

    def _largest_entry(self, node: s.Extremum) -> Expr | None:
        r"""``\max_k a_k``, written out; None if it is no maximum over an index."""
        if len(node.over) != 1:
            return None
        item = node.over[0]
        if isinstance(item, s.Range) and isinstance(item.start, s.Relation):  # k = 1, \dots, K
            item = replace(item.start, right=replace(item, start=item.start.right))
        limits = item.right if isinstance(item, s.Relation) else None
        index = item.left if isinstance(item, s.Relation) else item
        if not isinstance(index, s.Name) or spell(index) not in used_indices(node.body):
            return None
        if self.slot(index) in self.scope.survey.random or not is_index_letter(index):
            return None
        if isinstance(limits, s.Group) and isinstance(limits.body, s.Node):
            limits = limits.body
        lower, upper = 1, self._size_below(node.body, spell(index))
        if isinstance(limits, s.Range):
            lower, upper = self._integer(limits.start), self._integer(limits.stop)
        elif limits is not None:
            raise self.refuse(item, "these limits are not read", r"write k = 1, \dots, K")
        if upper is None:
            hint = rf"write {spell(index)} = 1, \dots, K below {node.name}"
            raise self.refuse(node, f"up to what does {spell(index)} run?", hint)
        made = []
        for k in range(lower, upper + 1):
            with self.counting({spell(index): Integer(k)}):
                made.append(self.scalar(node.body))
        if node.name.startswith("arg"):
            return _place_of_largest(made if node.name == "argmax" else [-a for a in made], lower)
        return sympy.Max(*made) if node.name in {"max", "sup"} else sympy.Min(*made)

    def _size_below(self, body: s.Node, index: str) -> int | None:
        """How many values an index takes, from the names that carry it."""
        for name in walk(body):
            if not isinstance(name, s.Name) or [spell(i) for i in name.subscripts] != [index]:
                continue
            if (made := self.scope.declared_shapes.get(stem(name))) and len(made) == 1:
                if made[0].is_Integer:
                    return int(made[0])
                raise NeedsInteger(str(made[0]))
            if (hint := self.scope.survey.index_hints.get(stem(name))) is not None:
                return self._integer(hint)
        sums = [
            n for t in self.scope.survey.display for n in walk(t) if isinstance(n, s.BigOperator)
        ]
        ends = {spell(n.upper): n.upper for n in sums if n.upper and spell(n.indices[0]) == index}
        return self._integer(next(iter(ends.values()))) if len(ends) == 1 else None

    def _underbrace(self, node: s.Underbrace) -> Expr:
        body = self.expression(node.body)
        for claim in node.claims:
            self._claim(claim, body)
        return body

    def _claim(self, claim: s.Claim, body: Expr) -> None:
        right = self.concrete(claim.right) if isinstance(claim.right, s.Name) else claim.right
        name = spell(right)
        if (
            claim.relation in {"=", ":=", "=:"}
            and isinstance(right, s.Name | s.Call)
            and self._nowhere_said(right)
            and not (self.macro(name, ()) or self.macro(spell(claim.right), ()))
            and not (isinstance(right, s.Name) and self._one_of_a_family(claim.right, right))
            and name not in self.theory.symbols
        ):
            symbol = self.symbol(name, name)
            self.theory.definitions[symbol] = Fact(
                "=", symbol, body, f"the definition of {name}", name
            )
            self.claims.append(Claimed(":=", symbol, body, claim.span, symbol))
            return
        self.claims.append(Claimed(claim.relation, body, self.expression(claim.right), claim.span))

    def _one_of_a_family(self, node: s.Node, settled: s.Name) -> bool:
        """Whether L_{t-1} is given for every t; the first and the last, L_0 and L_T, are not."""
        parts = node.subscripts if isinstance(node, s.Name) else ()
        counted = any(is_index_letter(n) for part in parts for n in walk(part))
        return counted and self.of_every_index(settled) is not None

    def _nowhere_said(self, node: s.Name | s.Call) -> bool:
        """Whether a brace gives a name for the first time: ``\\mathcal{L}(\\theta)``."""
        if isinstance(node, s.Name):
            return not self.knows_head(node)
        head = node.head
        if not isinstance(head, s.Name) or not head.style or look.family(head):
            return False
        if look.is_divergence_call(node) or look.is_density_call(node, self.scope.survey):
            return False
        items = node.items
        names = all(isinstance(item, s.Name | s.Conditioned) for item in items)
        known = spell(head) in self.theory.functions or spell(head) in self.scope.macros
        return names and not known and head.base not in {"H", "h", "I", "MI"}


def _place_of_largest(values: list[Expr], first: int) -> Expr:
    """The index of the largest of some numbers, counted from ``first``; of equal ones the first."""
    *before, last = enumerate(values)
    branches = [
        (Integer(first + k), sympy.And(*(a >= b for b in values[k + 1 :]))) for k, a in before
    ]
    return sympy.Piecewise(*branches, (Integer(first + last[0]), sympy.true), evaluate=False)
