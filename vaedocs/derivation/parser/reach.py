"""What an operator without brackets may take along: letters and numbers, ratios, coefficients."""

from __future__ import annotations

from vaedocs.derivation import syntax as s
from vaedocs.derivation.spelling import walk


def plain(node: s.Node) -> bool:
    """Letters and numbers only: after a bare ``\\log`` these belong to it."""
    if isinstance(node, (s.Name, s.Number)):
        return True
    if isinstance(node, s.Power):
        return plain(node.base)
    if isinstance(node, s.Transpose):
        return plain(node.operand)
    if isinstance(node, s.Fraction):
        return plain(node.numerator) and plain(node.denominator)
    if isinstance(node, (s.Product,)):
        return all(plain(factor) for factor in node.factors)
    if isinstance(node, s.Function) and node.name == "sqrt":
        return constant(node.argument)
    return isinstance(node, s.Function) and node.typed != ""


def coefficient(node: s.Node) -> bool:
    r"""One over letters, numbers and roots of them: what stands before the e of a density."""
    if isinstance(node, s.Function) and node.name == "sqrt":
        return plain(node.argument)
    if isinstance(node, s.Fraction):
        return all(coefficient(side) for side in (node.numerator, node.denominator))
    if isinstance(node, s.Product):
        return all(map(coefficient, node.factors))
    return coefficient(node.base) if isinstance(node, s.Power) else plain(node)


def numeric(node: s.Node) -> bool:
    """A number, or one over a number or name: a coefficient that cannot end an operand."""
    if isinstance(node, s.Fraction):
        return isinstance(node.numerator, s.Number) and plain(node.denominator)
    return isinstance(node, s.Number)


def ratio(node: s.Node) -> bool:
    """A quotient of two values of functions: beside its like, both are inside one logarithm."""
    return isinstance(node, s.Fraction) and all(
        any(isinstance(inner, s.Call) for inner in walk(side))
        for side in (node.numerator, node.denominator)
    )


def constant(node: s.Node) -> bool:
    r"""``2\pi``: nothing in it varies, so nobody takes a power of its logarithm."""
    if isinstance(node, s.Product):
        return all(constant(factor) for factor in node.factors)
    return isinstance(node, s.Number) or (isinstance(node, s.Name) and node.base in ("pi", "e"))
