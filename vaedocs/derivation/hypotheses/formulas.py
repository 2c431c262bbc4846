"""Formulas on the right of a density: what they show of shapes, and whose density they are."""

from __future__ import annotations

import math
from dataclasses import replace

from sympy import Add, And, Eq, Expr, Integer, Piecewise, true

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.scope import Mismatch, NeedsShape
from vaedocs.derivation.hypotheses.joints import taken_apart
from vaedocs.derivation.hypotheses.statements import Statements
from vaedocs.derivation.hypotheses.written_out import family_of, formula_alone
from vaedocs.derivation.letters import DENSITY_LETTERS
from vaedocs.derivation.prove import follows
from vaedocs.derivation.rewrite.trees import rebuild
from vaedocs.derivation.spelling import names_in, spell, stem, walk
from vaedocs.derivation.theory import Fact, Family, FunctionInfo, Variable
from vaedocs.derivation.worlds import Counterexample, test


class Unnormalised(Mismatch):
    """A formula that is said to be a density, and has another mass than 1."""

    method = "normalisation"

    def __init__(self, source: str, chain: s.Chain, discrete: bool, found: Counterexample) -> None:
        what = "probabilities add up to 1, these" if discrete else "a density integrates to 1, this"
        message = f"{what} to {found.left:.6g}"
        super().__init__(message, source, *chain.span, hint="is its normaliser right?")
        told = f"when {found.description}" if found.description else ""
        self.counterexample = {"description": told, "values": found.values}


CONSTANTS = frozenset("ZCcA")  # what a constant is called that is not written out


def is_explicit(formula: Expr, value: Expr, variable: Variable) -> bool:
    """Whether a formula has a mass that can be computed: of known functions of a number on the
    line, or of a variable with finitely many values.
    """
    tables = [part for part in formula.atoms(e.Item, e.Component) if part.args[1].has(value)]
    if tables or not formula_alone(formula):
        return False  # π_z is a table
    if variable.values or (variable.discrete and variable.high is not None):
        return True
    counted = variable.discrete or bool(variable.symbol.is_integer)
    return not counted and not variable.shape and value in formula.free_symbols


class Formulas(Statements):
    """Reads formulas."""

    def _written_out(self, target: e.Density, made: Expr, chain: s.Chain, text: str) -> bool:
        """A density that is the formula of a family: that family, if its mass is 1; False for
        another formula, of which no other mass was found.
        """
        ((slot, value),) = target.values
        variable = self.theory.variables[slot]
        found = family_of(made, value, variable, self.theory)
        if found is None and not is_explicit(made, value, variable):
            return False
        family, mass = found or (None, e.Integral(made, (), (value,)))
        discrete = isinstance(family, e.Bernoulli | e.Categorical) or variable.discrete
        if not (self._fixes_a_constant(mass, family) or self._is_one(mass, chain, discrete)):
            return False
        if family is None:
            return False
        if isinstance(family, e.Bernoulli | e.Categorical):
            values = (Integer(0), Integer(1)) if isinstance(family, e.Bernoulli) else ()
            self.theory.variables[slot] = replace(variable, discrete=True, values=values)
        self.declare_formula(target, family, text)
        return True

    def _is_one(self, mass: Expr, chain: s.Chain, discrete: bool) -> bool:
        """Whether a mass is 1, as far as can be seen; one that is another is refused."""
        if follows(self.theory, "=", mass, Integer(1)):
            return True
        outcome = test("=", mass, Integer(1), self.theory)
        if outcome.counterexample is not None:
            raise Unnormalised(self.source, chain, discrete, outcome.counterexample)
        return outcome.status == "agrees"

    def _joint_written_out(self, target: e.Density, made: Expr, chain: s.Chain, text: str) -> bool:
        """A joint density that is the formula of normal laws, one for each variable."""
        laws, mass = taken_apart(made, target, self.theory) or ([], Integer(0))
        if not laws or not (
            self._fixes_a_constant(mass, None) or self._is_one(mass, chain, discrete=False)
        ):
            return False
        for density, family in laws:
            self.declare_formula(density, family, text)
        return True

    def _fixes_a_constant(self, mass: Expr, family: e.Family | None) -> bool:
        """Whether the formula has a factor Z, of which this says that the mass is 1."""
        taken = set().union(*(part.free_symbols for part in family.args[1:])) if family else set()
        known = self.theory.definitions.keys() | taken | {f.left for f in self.theory.constraints}
        for symbol in sorted(mass.free_symbols - known, key=str):
            letter = symbol.name.split("_")[0].removeprefix(r"\mathcal{").removesuffix("}")
            if letter not in CONSTANTS and symbol.name not in self.normalisers:
                continue
            inner = mass.args[0] if isinstance(mass, e.Integral) else mass
            scale, rest = inner.as_independent(symbol)[::-1]
            if isinstance(mass, e.Integral):
                rest = e.Integral(rest, *mass.args[1:])
            if scale not in {symbol, 1 / symbol}:
                continue
            value = rest if scale == 1 / symbol else 1 / rest
            self.theory.constraints.append(Fact("=", symbol, value, f"{symbol} normalises"))
            self.scope.determined.add(symbol.name)
            return True
        return False

    def _weights_add_up(self, target: e.Density, made: Expr) -> None:
        r"""``\sum_k \pi_k \mathcal{N}(x; \mu_k, 1)`` is a density where the weights add up to 1."""
        values = {value for _, value in target.values}
        parts = [d for d in made.atoms(e.Family) if d.args[0] in values]
        parts += [d for d in made.atoms(e.Density) if values <= {value for _, value in d.values}]
        mass, twice = (made.xreplace(dict.fromkeys(parts, Integer(n))) for n in (1, 2))
        weights = mass.free_symbols - {v.symbol for v in self.theory.variables.values()}
        if not parts or not weights or mass.free_symbols & values:
            return
        linear = follows(self.theory, "=", twice, 2 * mass)
        if not linear or follows(self.theory, "=", mass, Integer(1)):
            return
        item = mass.args[0] if isinstance(mass, e.Sum) and mass.args[1] == 1 else None
        if isinstance(item, e.Item | e.Component):  # as \sum_k \pi_k = 1 is read
            name = item.args[0].name
            self.scope.declared_tags.setdefault(name, set()).update(("simplex", "positive"))
            self.scope.declared_shapes.setdefault(name, (mass.args[2],))
            return
        told = f"the density {target} integrates to one"
        self.theory.constraints.append(Fact("=", mass, Integer(1), told))
        for weight in mass.args if isinstance(mass, Add) else ():
            self.theory.constraints.append(Fact(">=", weight, Integer(0), told))

    def give_shapes(self, left: s.Node, right: s.Node) -> None:
        r"""Ask for the shapes that a formula shows of what it is a density of: ``x^\top x`` beside
        ``(2\pi)^{D/2}`` is one of x in R^D, and so is a product over ``x_1, \dots, x_D``.
        """
        (whole, *more) = left.groups[0] if isinstance(left, s.Call) else [left]
        if more or not isinstance(whole, s.Name):
            return
        shape = self.scope.declared_shapes.get(spell(whole))
        inside = [node for node in walk(right) if isinstance(node, s.Transpose | s.Bars)]
        vectors = [node for node in inside if isinstance(node, s.Transpose) or node.double]
        if not shape and any(spell(whole) == spell(n) for node in vectors for n in walk(node)):
            powers = [node for node in walk(right) if isinstance(node, s.Power)]
            of_pi = [p for p in powers if any(spell(n) == r"\pi" for n in walk(p.base))]
            sizes = {n for p in of_pi for n in names_in(p.exponent)}
            named = sizes.pop() if len(sizes) == 1 else s.Name("d", span=left.span)
            raise NeedsShape(spell(whole), (self.reader.dimension(named),))
        products = [node for node in walk(right) if isinstance(node, s.BigOperator)]
        for node in products:
            rows = [n for n in walk(node.body) if isinstance(n, s.Product) and _has_row(n)]
            beside = {spell(n) for row in rows for n in names_in(row)}  # the x_n of w^T x_n
            names = [n for n in names_in(node.body) if spell(n) not in beside]
            entries = [n for n in names if n.subscripts == node.indices and not n.indices]
            if node.name != "prod" or spell(whole) not in map(stem, entries):
                continue
            limit = None if node.upper is None else self.reader.dimension(node.upper)
            size = shape[0] if shape else limit
            for name in entries if size is not None else ():
                self._entry_of(name, size)

    def _entry_of(self, name: s.Name, size: Expr) -> None:
        """``\\mu_d`` below a product over the entries of a vector is an entry of a vector too."""
        plain = stem(name)
        if spell(name) in self.scope.survey.called:
            positive = plain.startswith(r"\sigma")
            known = self.theory.functions.get(plain, FunctionInfo(plain, positive=positive))
            self.theory.functions[plain] = replace(known, shape=(size,))
        elif not {plain, plain + "_"} & self.scope.declared_shapes.keys():
            raise NeedsShape(plain, (size,))

    def _over_entries(self, left: s.Node, right: s.Node) -> s.Node:
        r"""``\prod_{i=1}^{D} \mathrm{Bern}(x_i; y_i)`` as the family of the vectors x and y."""
        if not isinstance(right, s.BigOperator) or right.name != "prod" or right.upper is None:
            return right
        body, index = right.body, right.indices[0] if len(right.indices) == 1 else None
        items = look.arguments(left)[0] if isinstance(left, s.Call) else []
        if not isinstance(body, s.Call) or not look.family(body.head) or len(body.groups) != 2:
            return right
        value = body.groups[0][0]
        whole = items[0] if len(items) == 1 else None
        if not isinstance(value, s.Name) or not isinstance(whole, s.Name) or index is None:
            return right
        if value.subscripts != (index,) or spell(replace(value, subscripts=())) != spell(whole):
            return right
        size = self.reader.dimension(right.upper)
        declared = self.scope.declared_shapes.get(spell(whole)) or (size,)
        if spell(right.lower) != "1" or declared != (size,):
            raise self.reader.refuse(right, f"no density of {spell(whole)}: entries are left out")

        def vector(inner: s.Node) -> s.Node | None:
            if not isinstance(inner, s.Name) or inner.subscripts != (index,):
                return None
            if inner.base in DENSITY_LETTERS:
                return None  # \pi_j(z) is a function, \pi(z) would be a density
            plain = replace(inner, subscripts=())
            if spell(inner) in self.scope.survey.called | self.scope.survey.family_functions:
                known = self.theory.functions.get(spell(plain), FunctionInfo(spell(plain)))
                self.theory.functions[spell(plain)] = replace(known, shape=(size,))
            else:
                self.scope.declared_shapes.setdefault(spell(plain), (size,))
            return plain

        self.scope.declared_shapes.setdefault(spell(whole), (size,))
        if any(
            isinstance(n, s.Transpose)
            or (isinstance(n, s.Call) and any(index in walk(i) for g in n.groups for i in g))
            for n in walk(body.groups[1][0])
        ):
            return right  # w^\top x_n and f(x_n) are no entries of a vector
        parameters = [rebuild(item, vector) for item in body.groups[1]]
        if parameters[0] == body.groups[1][0] and not isinstance(parameters[0], s.Number):
            ones = s.Name("1", "bf", span=body.span)  # one mean for all entries
            parameters[0] = s.Product((parameters[0], ones), ("",), span=body.span)
        if any(spell(n) == spell(index) for item in parameters for n in walk(item)):
            return right
        if look.family(body.head) == "normal":
            spread = parameters[1]
            scaled = s.Product((spread, s.Name("I", span=spread.span)), ("",), span=spread.span)
            same = spread == body.groups[1][1]
            parameters[1] = scaled if same else s.Function("diag", spread, span=spread.span)
        elif look.family(body.head) != "bernoulli":
            return right
        return replace(body, groups=((whole,), tuple(parameters)))

    def declare_formula(self, target: e.Density, formula: Expr, text: str) -> None:
        """Keep a family under the density's key, in the slots' own symbols."""
        if any(value.is_number for _, value in target.conditions):
            formula = self._of_one_value(target, formula)
        self.theory.families[target.key] = Family(target.key, formula, text)

    def _of_one_value(self, target: e.Density, formula: Expr) -> Expr:
        r"""``p(x \mid y = 1) = \mathcal{N}(a, 1)`` says nothing of another y: with what was said of
        others before, and a density of its own for those that nobody speaks of.
        """
        given = [(slot, self.theory.variables[slot].symbol) for slot, _ in target.conditions]
        at = [(s, Eq(s, v)) for (_, s), (_, v) in zip(given, target.conditions, strict=True)]
        branches = self.scope.branches.setdefault(target.key, {})
        branches[And(*(equal for _, equal in at if equal is not true))] = formula
        values = [self.theory.variables[slot].values for slot, _ in given]
        made = [(law, condition) for condition, law in branches.items()]
        if len(branches) < math.prod(map(len, values)) or not all(values):
            rest = e.Density(f"{target.head}'", target.values, given)
            self.reader.register(rest.head, [slot for slot, _ in (*target.values, *given)])
            made.append((rest, true))
        else:
            made[-1] = (made[-1][0], true)
        laws = [law for law, _ in made]
        parts = list(zip(*(law.args for law in laws), strict=False))
        plain = isinstance(formula, e.Family) and {type(law) for law in laws} == {type(formula)}
        if plain and not any(self.reader.shape(arg) for law in laws for arg in law.args):
            rows = [[(a, c) for a, (_, c) in zip(args, made, strict=True)] for args in parts]
            return formula.func(*(Piecewise(*row) for row in rows))
        return Piecewise(*made)


def _has_row(node: s.Product) -> bool:
    return any(isinstance(factor, s.Transpose) for factor in node.factors)
