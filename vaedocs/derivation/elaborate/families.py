"""Densities with a formula: normal, Bernoulli and the others."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Integer, Symbol, oo

from vaedocs.derivation import expressions as e
from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.elaborate.events import Events
from vaedocs.derivation.elaborate.scope import NeedsShape
from vaedocs.derivation.shapes import describe
from vaedocs.derivation.spelling import spell
from vaedocs.derivation.theory import FunctionInfo, Shape

SUPPORTS = {
    "poisson": (Integer(0), oo),
    "beta": (Integer(0), Integer(1)),
    "gamma": (Integer(0), oo),
}
SCALES = frozenset([r"\theta", "s", r"\tau", r"\sigma"])  # letters of a scale: Γ(k, θ)


class Families(Events):
    r"""Reads ``\mathcal{N}(z; \mu, \sigma^2)`` and its kin."""

    def family_density(self, node: s.Call) -> Expr:
        """``\\mathcal{N}(z; \\mu, \\sigma^2)``: the density at z."""
        if len(node.groups) < 2:
            raise self.refuse(
                node,
                "a distribution is no number",
                r"write \mathcal{N}(z; \mu, \sigma^2) for its density at z",
            )
        value = self.expression(node.groups[0][0])
        if isinstance(node.groups[0][0], s.Name):
            self.variable(self.slot(node.groups[0][0]))
            self.scope.survey.random.setdefault(self.slot(node.groups[0][0]), None)
        return self.make_family(node, value)

    def make_family(self, node: s.Call, value: Expr | None) -> Expr:
        """The family's density at ``value`` (a fresh variable if None)."""
        assert isinstance(node.head, s.Name)
        kind = look.family(node.head)
        parameters = list(node.groups[-1])
        expected = {
            "normal": 2,
            "bernoulli": 1,
            "categorical": 1,
            "uniform": 2,
            "binomial": 2,
            "exponential": 1,
            "laplace": 2,
            "poisson": 1,
            "beta": 2,
            "gamma": 2,
        }[kind]
        if len(parameters) != expected:
            raise self.refuse(
                node,
                f"{spell(node.head)} takes {expected} parameter{'s' * (expected > 1)}, found "
                f"{len(parameters)}",
                r"write \mathcal{N}(\mu, \sigma^2), \mathrm{Bern}(\pi), \mathrm{Exp}(\lambda)",
            )
        if kind == "normal":
            return self._normal(node, parameters[0], parameters[1], value)
        if kind == "categorical":
            self._probabilities(parameters[0])
            self._one_hot(value, parameters[0])
        made = [self.expression(item) for item in parameters]
        if value is None:
            value = self.fresh_variable(self.shape(made[0]) if kind == "bernoulli" else ())
        if kind == "bernoulli" and self.shape(value) and not self.shape(made[0]):
            made[0] = self._reshape(made[0], self.shape(value))
        if kind == "gamma" and spell(parameters[1]) in SCALES:
            raise self.refuse(
                parameters[1],
                "is this the scale or the rate of the gamma distribution?",
                r"name a rate \beta, or write the density out",
            )
        self._supported(value, kind)
        for inner in made:
            if isinstance(inner, Symbol) and kind in SUPPORTS:
                self.theory.add_tags(inner, "positive")
            if (
                isinstance(inner, Symbol)
                and kind in {"bernoulli", "binomial"}
                and inner is made[-1]
            ):
                self.theory.add_tags(inner, "unit")
            if isinstance(inner, Symbol) and kind == "categorical":
                self.theory.add_tags(inner, "simplex")
            if isinstance(inner, e.Apply) and kind in {"bernoulli"}:
                info = self.theory.functions[inner.name]
                self.theory.functions[inner.name] = replace(info, unit=True)
        if kind in {"bernoulli", "categorical", "binomial"}:
            slot = self.slot_of(value)
            if slot in self.theory.variables:
                values = (Integer(0), Integer(1)) if kind == "bernoulli" else ()
                self.theory.variables[slot] = replace(
                    self.theory.variables[slot], discrete=True, values=values
                )
        maker = {
            "bernoulli": e.Bernoulli,
            "categorical": e.Categorical,
            "uniform": e.Uniform,
            "binomial": e.Binomial,
            "exponential": e.Exponential,
            "laplace": e.Laplace,
            "poisson": e.Poisson,
            "beta": e.Beta,
            "gamma": e.Gamma,
        }[kind]
        return maker(value, *made)

    def _supported(self, value: Expr, kind: str) -> None:
        """A variable takes the values that its family has."""
        slot = self.slot_of(value)
        if kind in SUPPORTS and slot in self.theory.variables:
            known = self.theory.variables[slot]
            if known.low is None and not known.values:
                low, high = SUPPORTS[kind]
                self.theory.variables[slot] = replace(
                    known, low=low, high=high, discrete=kind == "poisson"
                )

    def _probabilities(self, node: s.Node) -> None:
        r"""The \pi of ``\mathrm{Cat}(\pi)`` is a vector of probabilities, not 3.14, and so are the
        values of \pi in ``\mathrm{Cat}(\pi(x))``.
        """
        head = node.head if isinstance(node, s.Call) else node
        if not isinstance(head, s.Name) or look.family(head) or self.macro(spell(head), ()):
            return
        name = spell(head)
        if isinstance(node, s.Call):
            known = self.theory.functions.get(name, FunctionInfo(name))
            size = known.shape or (self.dimension(self._counted_to(name, node)),)
            if len(size) == 1:
                made = replace(known, shape=size, positive=True, simplex=True)
                self.theory.functions[name] = made
            return
        self.scope.declared_tags.setdefault(name, set()).update(("simplex", "positive"))
        if name not in self.scope.declared_shapes and name not in self.theory.symbols:
            self.scope.declared_shapes[name] = (self.dimension(self._counted_to(name, node)),)

    def _counted_to(self, name: str, node: s.Node) -> s.Node:
        """The last index of a vector of probabilities: K, where nothing else is said."""
        return self.scope.survey.index_hints.get(name, s.Name("K", span=node.span))

    def _one_hot(self, value: Expr | None, probabilities: s.Node) -> None:
        r"""The x of ``\mathrm{Cat}(x; \pi)`` where ``\pi_k^{x_k}`` stands too has K entries."""
        hints = self.scope.survey.index_hints
        if not isinstance(value, Symbol) or self.shape(value) or value.name not in hints:
            return
        limit = hints[value.name]
        if spell(limit) == spell(hints.get(spell(probabilities))):
            raise NeedsShape(value.name, (self.dimension(limit),))

    def fresh_variable(self, made: Shape) -> Symbol:
        """A variable nobody named, for ``KL(N(…) ‖ N(…))``."""
        for number in range(100):
            name = "u" if number == 0 else f"u_{number}"
            if name not in self.theory.symbols or (
                name in self.theory.variables and self.theory.variables[name].shape == made
            ):
                break
        if made:
            self.scope.declared_shapes[name] = made
        return self.variable(name).symbol

    def _shapes_in_mean(self, mean: s.Node, made: Shape) -> None:
        r"""In the ``Wz + \mu`` that is the mean of an x in R^D, with a z in R^L, W is a D × L
        matrix and μ is in R^D, unless they were said to be something else.
        """
        known, guesses = self.scope.declared_shapes, self.scope.guesses
        for _, term in mean.terms if isinstance(mean, s.Sum) and len(made) == 1 else ():
            named, shape = term, made
            if isinstance(term, s.Product) and len(term.factors) == 2:
                named, shape = term.factors[0], made + known.get(spell(term.factors[1]), ())
                if len(shape) == 1 or (shape == made * 2 and spell(named) not in guesses):
                    continue  # a number may stand before a vector of this size
            if not isinstance(named, s.Name) or self.slot(named) in self.scope.survey.random:
                continue
            name = spell(named)
            told = shape == known.get(name) or known.get(name) != guesses.get(name)
            if not told and name not in self.scope.macros:
                raise NeedsShape(name, shape)

    def _normal(
        self, node: s.Call, mean_node: s.Node, covariance_node: s.Node, value: Expr | None
    ) -> Expr:
        wanted = self.shape(value) if value is not None else ()
        outer, self._value_size = self._value_size, (wanted[0] if wanted else None)
        try:
            self._shapes_in_mean(mean_node, wanted)
            mean = self.expression(mean_node)
            if wanted and isinstance(mean, e.Component) and isinstance(mean_node, s.Name):
                raise NeedsShape(spell(mean_node), wanted)  # N(w | w_0, P): no entry of w
            wants_vector = (
                bool(self.shape(mean)) or bool(wanted) or self._is_matrix_syntax(covariance_node)
            )
            if wants_vector and self._value_size is None:
                self._value_size = (
                    self.shape(mean)[0] if self.shape(mean) else self._hinted_size(mean)
                )
            covariance = self.expression(covariance_node)  # a bare I has the size of the variable
        finally:
            size, self._value_size = self._value_size, outer
        if self.shape(covariance) or wants_vector:
            if size is None and not self.shape(covariance):
                hint = r"say of which length the variable is, as in x \in \mathbb{R}^n"
                raise self.refuse(covariance_node, "the size of this covariance is not known", hint)
            size = size if size is not None else self.shape(covariance)[0]
            if value is None:
                value = self.fresh_variable((size,))
            elif not self.shape(value):
                value = self._reshape(value, (size,))
            mean = e.Zeros(size) if mean == 0 else self._reshape(mean, (size,))
            covariance = self._as_matrix(covariance, size, covariance_node)
            for what, made in (("mean", self.shape(mean)), ("covariance", self.shape(covariance))):
                target = (size,) if what == "mean" else (size, size)
                if made != target:
                    if what == "mean" and self.guessed(value) and len(made) == 1:
                        raise NeedsShape(str(value), made)
                    if what == "covariance" and self.guessed(covariance):
                        raise NeedsShape(str(covariance), target)
                    if describe(made) == describe(target):  # m is in R^m
                        hint = "use two letters"
                        raise self.refuse(node, f"one letter is a size and the {what}", hint)
                    raise self.mismatch(
                        node, f"the {what} is {describe(made)}, the variable is {describe((size,))}"
                    )
        elif value is None:
            value = self.fresh_variable(())
        return e.Normal(value, mean, covariance)
