"""The normal form: two expressions with the same one are equal.

Every density becomes a ratio of marginals of its head's joint, p(z | x) = p(x, z) / p(x);
logarithms of positive products become sums;
integrals are split, factors free of the variable pulled out, and the one rule of integration
applied: a marginal loses a variable that nothing
else depends on. Bound variables get canonical names. What no rule can do stays as an atom, so
equality is never claimed by guessing.

The parts ask each other: the form itself (``form``), what integrates away (``integration``),
products and powers (``powers``), vectors and matrices (``linear``), Gaussians (``gaussians``) and
derivatives (``calculus``).

``Rules`` switches single facts off; a step uses a fact exactly if it fails without it.
"""

from vaedocs.derivation.normal_form.base import Rules, TooLarge
from vaedocs.derivation.normal_form.form import NormalForm

__all__ = ["NormalForm", "Rules", "TooLarge"]
