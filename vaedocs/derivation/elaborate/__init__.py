"""From the syntax tree to expressions: what each name means, and whether it may stand there.

The elaborator knows the hypotheses (:class:`~vaedocs.derivation.theory.Theory`) and has surveyed
every use of every name; what it cannot give a meaning it refuses, with the place. Its parts build
on each other in one line, from names over arithmetic and densities to calls; each is a module of
its own.
"""

from vaedocs.derivation.elaborate.calls import Calls
from vaedocs.derivation.elaborate.scope import (
    CONST,
    Claimed,
    Macro,
    Mismatch,
    NeedsInteger,
    NeedsShape,
    Scope,
)
from vaedocs.derivation.elaborate.trees import named_heads, substitute


class Elaborator(Calls):
    """Gives one source text its meaning: ``expression(node)`` for numbers, vectors and matrices."""


__all__ = [
    "CONST",
    "Claimed",
    "Elaborator",
    "Macro",
    "Mismatch",
    "NeedsInteger",
    "NeedsShape",
    "Scope",
    "named_heads",
    "substitute",
]
