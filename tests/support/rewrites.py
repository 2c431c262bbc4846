"""Random chains of valid rewrites: each rule turns an expression into an equal one, so the checker
must never reject the end of a chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import sympy
from sympy import Integer, Rational, Symbol, log

from vaedocs.derivation import expressions as e
from vaedocs.derivation.theory import Theory, Variable

X, Z, Y = (Symbol(name, real=True) for name in "xzy")
PAIRS = {"x": X, "z": Z, "y": Y}


def theory() -> Theory:
    """Two joint models over three variables and nothing else."""
    return Theory(
        variables={name: Variable(symbol) for name, symbol in PAIRS.items()},
        models={"p": ("x", "y", "z"), "q": ("x", "z")},
    )


def p(*variables, given=()):
    return e.density("p", *variables, given=given)


def q(*variables, given=()):
    return e.density("q", *variables, given=given)


STARTS = (
    log(p(X)),
    log(p(Z, given=(X,))),
    e.KL(q(Z, given=(X,)), p(Z, given=(X,)), (Z,)),
    e.KL(q(Z, given=(X,)), p(Z), (Z,)),
    e.Expectation(log(p(X, Z)) - log(q(Z, given=(X,))), q(Z, given=(X,)), (Z,)),
    e.Expectation(log(p(X, given=(Z,))), q(Z, given=(X,)), (Z,)),
    e.Entropy(p(X, Z), (X, Z)),
    e.KL(p(X, Z), p(X) * p(Z), (X, Z)),
    e.Expectation(e.KL(q(Z, given=(X,)), p(Z), (Z,)), p(X), (X,)),
    e.CrossEntropy(p(X), q(X), (X,)),
    e.Integral(p(X, given=(Z,)) * p(Z), (), (Z,)),
)


@dataclass
class Rewriter:
    """Applies ``count`` random rules; ``steps`` tells which."""

    seed: int
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.fresh = 0

    def chain(self, count: int) -> tuple[sympy.Expr, sympy.Expr]:
        """The first and the last expression of a chain."""
        start = self.random.choice(STARTS)
        made = start
        for _ in range(count):
            made = self.rewrite(made)
        return start, made

    def rewrite(self, expr):
        """One rule, at one place."""
        places = [node for node in sympy.preorder_traversal(expr) if isinstance(node, sympy.Expr)]
        self.random.shuffle(places)
        for place in places:
            rules = self.rules(place)
            if rules:
                name, new = self.random.choice(rules)
                self.steps.append(name)
                return new if place == expr else expr.xreplace({place: new})
        return self.around(expr)

    def around(self, expr):
        """Rules that fit every number."""
        other = self.random.choice(STARTS)
        name, made = self.random.choice(
            [
                ("add and subtract", e.Expectation(expr + other, q(Y), (Y,)) - other),
                ("average a constant", e.Expectation(expr, p(Y), (Y,))),
                ("halve twice", sympy.Add(expr / 2, expr / 2, evaluate=False)),
            ]
        )
        self.steps.append(name)
        return made

    def rules(self, node):
        """The rules that fit a node, with what they make of it."""
        made = []
        match node:
            case e.KL():
                first, second, bound = node.args[0], node.args[1], node.bound
                made.append(("open KL", e.Expectation(log(first) - log(second), first, bound)))
                made.append(("KL as a ratio", e.Expectation(log(first / second), first, bound)))
                made.append(
                    (
                        "KL as cross-entropy minus entropy",
                        e.CrossEntropy(first, second, bound) - e.Entropy(first, bound),
                    )
                )
            case e.Entropy():
                made.append(
                    ("open entropy", -e.Integral(node.args[0] * log(node.args[0]), (), node.bound))
                )
            case e.CrossEntropy():
                made.append(
                    (
                        "open cross-entropy",
                        -e.Expectation(log(node.args[1]), node.args[0], node.bound),
                    )
                )
            case e.Expectation():
                made += self._expectation(node)
            case e.Integral():
                made += self._integral(node)
            case sympy.log():
                made += self._log(node)
            case e.Density() if len(node.values) + len(node.conditions) >= 2:
                made += self._density(node)
        return made

    def _expectation(self, node):
        body, weight, bound = node.args[0], node.args[1], node.bound
        made = [("expectation as an integral", e.Integral(weight * body, (), bound))]
        if isinstance(body, sympy.Add):
            made.append(
                (
                    "linearity",
                    sympy.Add(*(e.Expectation(part, weight, bound) for part in body.args)),
                )
            )
        if len(bound) == 1:
            self.fresh += 1
            new = Symbol(f"{bound[0].name}_{self.fresh}", real=True)
            made.append(
                (
                    "rename",
                    e.Expectation(
                        body.xreplace({bound[0]: new}), weight.xreplace({bound[0]: new}), (new,)
                    ),
                )
            )
        if len(bound) == 2:
            made.append(("exchange", e.Expectation(body, weight, bound[::-1])))
        return made

    def _integral(self, node):
        body, bound = node.args[0], node.bound
        if isinstance(body, sympy.Add):
            return [
                (
                    "split the integral",
                    sympy.Add(*(e.Integral(part, (), bound) for part in body.args)),
                )
            ]
        if len(bound) == 2:
            return [("iterate", e.Integral(e.Integral(body, (), bound[:1]), (), bound[1:]))]
        return []

    def _log(self, node):
        argument = node.args[0]
        made = []
        if isinstance(argument, sympy.Mul) and argument.is_positive:
            made.append(
                ("split the logarithm", sympy.Add(*(log(factor) for factor in argument.args)))
            )
        if isinstance(argument, e.Density):
            other = self.random.choice([q(Z, given=(X,)), p(X), q(X)])
            made.append(
                ("multiply by one", sympy.Add(log(argument * other), -log(other), evaluate=False))
            )
            if len(argument.values) == 1 and not argument.conditions and argument.head == "p":
                hidden = Symbol(f"y_{self.random.randrange(9)}", real=True)
                joint = e.Density("p", [*argument.values, ("y", hidden)])
                if argument.values[0][0] != "y":
                    made.append(("marginalise", log(e.Integral(joint, (), (hidden,)))))
        made.append(("square inside", log(argument**2) / 2 if argument.is_positive else node))
        return made

    def _density(self, node):
        values, conditions = list(node.values), list(node.conditions)
        made = []
        if len(values) >= 2:
            first = self.random.randrange(len(values))
            one = values.pop(first)
            made.append(
                (
                    "product rule",
                    e.Density(node.head, [one], [*values, *conditions])
                    * e.Density(node.head, values, conditions),
                )
            )
        elif conditions:
            made.append(
                (
                    "definition of the conditional",
                    e.Density(node.head, [*values, *conditions]) / e.Density(node.head, conditions),
                )
            )
            inner = conditions[: 1 + self.random.randrange(len(conditions))]
            rest = [pair for pair in conditions if pair not in inner]
            bayes = (
                e.Density(node.head, inner, [*values, *rest])
                * e.Density(node.head, values, rest)
                / e.Density(node.head, inner, rest)
            )
            made.append(("Bayes", bayes))
        return made


def half(value) -> sympy.Expr:
    """One half of something, for the mutants."""
    return Rational(1, 2) * value if value != 0 else Integer(0)
