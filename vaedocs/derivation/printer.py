r"""Expressions as LaTeX that the parser reads back: ``parse(print(e)) == e``.

Used for residuals, for the ledger and in notebooks; what a reader sees on a page is the author's
own LaTeX.
"""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from vaedocs.derivation import expressions as e

ADD, MUL, POW, ATOM = 1, 2, 3, 4
_FUNCTIONS = {
    "tanh": r"\tanh",
    "sinh": r"\sinh",
    "cosh": r"\cosh",
    "sin": r"\sin",
    "cos": r"\cos",
    "tan": r"\tan",
}


def latex(expr: Expr) -> str:
    r"""An expression of the language in LaTeX.

    >>> x, z = Symbol("x"), Symbol("z")
    >>> latex(sympy.log(e.density("p", x, given=(z,))))
    '\\log p(x \\mid z)'
    """
    return _print(expr)[0]


def _wrap(expr: Expr, level: int) -> str:
    text, own = _print(expr)
    return text if own >= level else rf"\left({text}\right)"


def _arguments(pairs: tuple[tuple[str, Expr], ...]) -> str:
    return ", ".join(
        latex(v) if slot == latex(v) or _is_copy(slot, v) else f"{slot} = {latex(v)}"
        for slot, v in pairs
    )


def _is_copy(slot: str, value: Expr) -> bool:
    return isinstance(value, Symbol | e.Item) and str(
        value if isinstance(value, Symbol) else value.args[0]
    ).startswith(slot)


def _density(expr: e.Density) -> str:
    below = "_{" + ",".join(slot for slot, _ in expr.conditions) + "}"  # q_n(z) is given n
    conditions = () if expr.conditions and expr.head.endswith(below) else expr.conditions
    given = rf" \mid {_arguments(conditions)}" if conditions else ""
    return f"{expr.head}({_arguments(expr.values)}{given})"


def _print(expr: Expr) -> tuple[str, int]:
    match expr:
        case Symbol():
            return expr.name, ATOM
        case Rational():
            return _number(expr)
        case Add():
            return _sum(expr), ADD
        case Mul():
            return _product(expr)
        case Pow():
            return _power(expr)
        case sympy.log():
            return rf"\log {_operand(expr.args[0])}", MUL
        case sympy.exp():
            return rf"\exp\left({latex(expr.args[0])}\right)", ATOM
        case sympy.Abs():
            return rf"\left|{latex(expr.args[0])}\right|", ATOM
        case e.Density():
            return _density(expr), ATOM
        case e.Family():
            return _family(expr), ATOM
        case e.Stack():
            body, size, index = expr.args[0], expr.args[1], expr.bound[0]
            ends = [latex(body.xreplace({index: end})) for end in (Integer(1), size)]
            return rf"\left[ {ends[0]}, \dots, {ends[1]} \right]", ATOM
        case e.Binder():
            return _binder(expr)
        case e.Language() | e.Matrixlike() | e.Mixed():
            return _algebra(expr)
    if expr == sympy.pi:
        return r"\pi", ATOM
    if expr == sympy.E:
        return "e", ATOM
    if expr == sympy.oo:
        return r"\infty", ATOM
    if expr.func.__name__ in _FUNCTIONS:
        return rf"{_FUNCTIONS[expr.func.__name__]}\left({latex(expr.args[0])}\right)", ATOM
    if isinstance(expr, sympy.Max | sympy.Min):
        name = "max" if isinstance(expr, sympy.Max) else "min"
        return rf"\{name}\left({', '.join(map(latex, expr.args))}\right)", ATOM
    return str(sympy.latex(expr)), ADD


def _number(expr: Expr) -> tuple[str, int]:
    if isinstance(expr, Integer):
        return str(expr), ATOM if expr >= 0 else ADD
    sign = "-" if expr < 0 else ""
    return rf"{sign}\frac{{{abs(expr.p)}}}{{{expr.q}}}", ATOM if expr >= 0 else ADD


def _operand(expr: Expr) -> str:
    """What stands behind ``\\log``: brackets unless it is one piece."""
    single = isinstance(expr, Symbol | e.Density | e.Component | e.Item | e.Determinant) or (
        expr.is_Integer and expr >= 0
    )
    if isinstance(expr, Rational) and not expr.is_Integer and expr > 0:
        single = True
    return latex(expr) if single else rf"\left({latex(expr)}\right)"


def _sum(expr: Add) -> str:
    made = ""
    for term in expr.as_ordered_terms():
        negative = term.could_extract_minus_sign()
        text = _wrap(-term if negative else term, MUL)
        made += (" - " if negative else " + ") + text
    return (
        made.removeprefix(" + ").replace(" - ", "-", 1)
        if made.startswith(" - ")
        else made.removeprefix(" + ")
    )


def _product(expr: Mul) -> tuple[str, int]:
    if expr.could_extract_minus_sign():
        text = _wrap(-expr, MUL)
        return f"-{text}", ADD
    above, below = [], []
    for factor in expr.args:
        if isinstance(factor, Pow) and factor.exp.is_Rational and factor.exp < 0:
            below.append(factor.base**-factor.exp)
        elif isinstance(factor, Rational) and not factor.is_Integer:
            above += [Integer(factor.p)] if factor.p != 1 else []
            below.append(Integer(factor.q))
        else:
            above.append(factor)
    if any(isinstance(f, Add) for f in below) and any(f.is_Integer for f in below):
        # SymPy would multiply 2 (a + b) out: the number gets a fraction of its own.
        number, rest = expr.as_coeff_Mul()
        return rf"{_number(number)[0]} \cdot {_wrap(rest, POW)}", MUL
    top = r" \cdot ".join(_wrap(f, POW if len(above) > 1 else MUL) for f in above) or "1"
    if not below:
        return top, MUL
    bottom = r" \cdot ".join(_wrap(f, POW if len(below) > 1 else ADD) for f in below)
    return rf"\frac{{{top}}}{{{bottom}}}", MUL


def _power(expr: Pow) -> tuple[str, int]:
    base, exponent = expr.base, expr.exp
    if exponent == Rational(1, 2):
        return rf"\sqrt{{{latex(base)}}}", ATOM
    if exponent.is_Rational and exponent < 0:
        return rf"\frac{{1}}{{{latex(base**-exponent)}}}", MUL
    text = (
        latex(base)
        if isinstance(base, Symbol) and "^" not in base.name
        else rf"\left({latex(base)}\right)"
    )
    return f"{text}^{{{latex(exponent)}}}", POW


def _family(expr: e.Family, shown: bool = True) -> str:
    name = {"Normal": r"\mathcal{N}", "Uniform": r"\mathcal{U}"}.get(
        type(expr).__name__, rf"\mathrm{{{type(expr).__name__}}}"
    )
    value, *parameters = expr.args
    head = f"{latex(value)}; " if shown else ""
    return f"{name}({head}{', '.join(map(latex, parameters))})"


def _scalar(product: Expr) -> str:
    """A matrix product that is a number; a numeric factor stands in front of it, not around it."""
    if isinstance(product, Mul) and product.args[0].is_Rational:
        number, *rest = product.args
        shown = "-" if number == -1 else rf"{_number(number)[0]} \cdot "
        return shown + r" \cdot ".join(_wrap(factor, POW) for factor in rest)
    return latex(product)


def _evaluated(expr: e.Evaluated) -> str:
    """f'(a), or a derivative with a bar behind it that says where it is taken."""
    body, pairs = expr.args
    slope = isinstance(body, e.Derivative) and body.args[0].name == "partial"
    if slope and isinstance(body.args[1], e.Apply) and len(pairs) == 1:
        point = pairs[0][0]
        if body.args[1].args[2] == (point,) and set(body.args[2]) == {point}:
            marks = "'" * len(body.args[2])
            return rf"{body.args[1].name}{marks}\left({latex(pairs[0][1])}\right)"
    where = ", ".join(f"{latex(x)} = {latex(a)}" for x, a in pairs)
    return rf"\left. {latex(body)} \right|_{{{where}}}"


def _compared(expr: e.Binder, position: int) -> str:
    """A density in a divergence; families of one bound variable are written without it."""
    pair = expr.args[:2]
    if all(isinstance(p, e.Family) and (p.args[0],) == expr.bound for p in pair):
        return _family(pair[position], shown=False)
    return latex(pair[position])


def _weight(weight: Expr) -> str:
    """The subscript of an expectation: ``q(z | x)``, or ``z_1 ∼ q(z | x), …``."""
    factors = weight.args if isinstance(weight, Mul) else (weight,)
    if len(factors) == 1 and isinstance(weight, e.Density):
        return _density(weight)
    return ", ".join(_density(f) if isinstance(f, e.Density) else latex(f) for f in factors)


def _is_letter(bound: tuple[Symbol, ...]) -> bool:
    """Whether one letter is bound: 1 summed over its values is the size of its alphabet."""
    return len(bound) == 1 and isinstance(bound[0], Symbol) and len(bound[0].name) == 1


def _binder(expr: e.Binder) -> tuple[str, int]:
    match expr:
        case e.Expectation():
            return (
                rf"\mathbb{{E}}_{{{_weight(expr.args[1])}}}"
                rf"\left[{latex(expr.args[0])}\right]",
                ATOM,
            )
        case e.Variance():
            return (
                rf"\mathrm{{Var}}_{{{_weight(expr.args[1])}}}"
                rf"\left[{latex(expr.args[0])}\right]",
                ATOM,
            )
        case e.Covariance():
            return (
                rf"\mathrm{{Cov}}_{{{_weight(expr.args[2])}}}"
                rf"\left[{latex(expr.args[0])}, {latex(expr.args[1])}\right]",
                ATOM,
            )
        case e.KL():
            return (
                rf"D_{{\mathrm{{KL}}}}\left({_compared(expr, 0)} \,\|\, "
                rf"{_compared(expr, 1)}\right)",
                ATOM,
            )
        case e.Entropy():
            return rf"\mathrm{{H}}\left({latex(expr.args[0])}\right)", ATOM
        case e.CrossEntropy():
            return rf"\mathrm{{H}}\left({latex(expr.args[0])}, {latex(expr.args[1])}\right)", ATOM
        case e.Integral() if expr.args[:2] == (1, ()) and _is_letter(expr.bound):
            return rf"\left|\mathcal{{{expr.bound[0].name.upper()}}}\right|", ATOM
        case e.Integral():
            limits = ""
            if expr.args[1]:
                low, high = expr.args[1][0]
                limits = rf"_{{{latex(low)}}}^{{{latex(high)}}}"
            differentials = r"\,".join(f"d{v.name}" for v in expr.bound)
            return rf"\int{limits} {_wrap(expr.args[0], MUL)} \, {differentials}", MUL
        case e.Sum() | e.Product():
            name = "sum" if isinstance(expr, e.Sum) else "prod"
            index = expr.bound[0].name
            return (
                rf"\{name}_{{{index}={latex(expr.args[1])}}}^{{{latex(expr.args[2])}}} "
                rf"{_wrap(expr.args[0], MUL)}",
                MUL,
            )
        case e.Extremum():
            name = expr.args[0].name
            command = rf"\arg\{name[3:]}" if name.startswith("arg") else rf"\{name}"
            return (
                rf"{command}_{{{', '.join(v.name for v in expr.bound)}}} "
                rf"{_wrap(expr.args[1], MUL)}",
                MUL,
            )
    return str(expr), ATOM


def _algebra(expr: Expr) -> tuple[str, int]:
    first = expr.args[0] if expr.args else None
    match expr:
        case e.Scalar():
            return _scalar(first), MUL
        case e.Evaluated():
            return _evaluated(expr), ATOM
        case e.Transpose():
            return rf"{_wrap(first, ATOM)}^\top", POW
        case e.Inverse():
            return rf"{_wrap(first, ATOM)}^{{-1}}", POW
        case e.Trace():
            return rf"\mathrm{{tr}}\left({latex(first)}\right)", ATOM
        case e.Determinant():
            return rf"\det\left({latex(first)}\right)", ATOM
        case e.Diag():
            return rf"\mathrm{{diag}}\left({latex(first)}\right)", ATOM
        case e.Norm():
            order = "" if expr.args[1] == 2 else f"_{{{expr.args[1]}}}"
            return rf"\left\|{latex(first)}\right\|{order}", ATOM
        case e.Hadamard():
            return r" \odot ".join(_wrap(a, POW) for a in expr.args), MUL
        case e.Elementwise():
            name, inner = expr.args[0].name, expr.args[1]
            if name == "square":
                return f"{_wrap(inner, ATOM)}^{{2}}", POW
            if name == "reciprocal":
                return f"{_wrap(inner, ATOM)}^{{-1}}", POW
            if name == "power":
                return f"{_wrap(inner, ATOM)}^{{{latex(expr.args[2])}}}", POW
            return rf"\{name}\left({latex(inner)}\right)", ATOM
        case e.Identity():
            return f"I_{{{latex(first)}}}", ATOM
        case e.Ones():
            return r"\mathbf{1}", ATOM
        case e.Zeros():
            return "0", ATOM
        case e.Array():
            rows = r" \\ ".join(" & ".join(map(latex, row)) for row in expr.args)
            return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}", ATOM
        case e.Apply():
            shown = [latex(argument) for argument in expr.args[2]]
            while len(shown) > 1 and f"_{{{shown[-1]}}}" in expr.name:
                shown.pop()  # f_φ(z) is a function of z and φ, and φ is written once
            return f"{expr.name}({', '.join(shown)})", ATOM
        case e.Component():
            indices = ",".join(map(latex, expr.args[1]))
            return (
                f"{first.name}_{{{indices}}}"
                if isinstance(first, Symbol)
                else f"{_wrap(first, ATOM)}_{{{indices}}}"
            ), ATOM
        case e.Item():
            if isinstance(first, Symbol):
                family = first.name.removesuffix("_")  # of a_i, where a itself is their sum
                return f"{family}_{{{latex(expr.args[1])}}}", ATOM
            return f"{_wrap(first, ATOM)}^{{({latex(expr.args[1])})}}", ATOM
        case e.Derivative():
            return _derivative(expr), MUL
        case e.Sigmoid():
            return rf"\mathrm{{sigmoid}}\left({latex(first)}\right)", ATOM
        case e.Softplus():
            return rf"\mathrm{{softplus}}\left({latex(first)}\right)", ATOM
    return str(expr), ADD


def _derivative(expr: e.Derivative) -> str:
    kind, body, variables = expr.args[0].name, expr.args[1], expr.args[2]
    names = list(map(latex, variables))
    if kind in {"partial", "jacobian"}:
        power = f"^{len(names)}" if len(names) > 1 else ""
        below = " ".join(rf"\partial {name}" for name in names)
        return rf"\frac{{\partial{power}}}{{{below}}} {_wrap(body, POW)}"
    symbol = {
        "gradient": r"\nabla",
        "hessian": r"\nabla^2",
        "laplacian": r"\Delta",
        "divergence": r"\nabla",
    }[kind]
    dot = r" \cdot" if kind == "divergence" else ""
    return rf"{symbol}_{{{', '.join(names)}}}{dot} {_wrap(body, POW)}"
