r"""What a display and its hypotheses leave out, written in full: from tree to tree, before anyone
asks what the names mean.

Each module knows one kind of shorthand and gives the trees back as they are where it finds none.
What can be written out in notation that is read already belongs here. ``trees`` has the tools.
"""

from __future__ import annotations

from vaedocs.derivation import syntax as s
from vaedocs.derivation.rewrite.blocks import in_parts
from vaedocs.derivation.rewrite.columns import of_their_entries
from vaedocs.derivation.rewrite.data import apart, listed
from vaedocs.derivation.rewrite.dots import filled
from vaedocs.derivation.rewrite.draws import drawn
from vaedocs.derivation.rewrite.dummies import counted, one_variable
from vaedocs.derivation.rewrite.functions import of_all_values
from vaedocs.derivation.rewrite.laws import plainly
from vaedocs.derivation.rewrite.left_open import named_heads, of_pairs, without_nouns
from vaedocs.derivation.rewrite.means import by_letter, over_what
from vaedocs.derivation.rewrite.own import at_points, no_families, of_ones_own
from vaedocs.derivation.rewrite.parameters import parametric, posteriors
from vaedocs.derivation.rewrite.quotients import turned
from vaedocs.derivation.rewrite.sets import with_sets
from vaedocs.derivation.rewrite.short import in_full
from vaedocs.derivation.rewrite.sizes import sizes_apart

IN_ORDER = (
    *(no_families, over_what, by_letter, of_ones_own, at_points, sizes_apart, counted),
    *(one_variable, posteriors, turned, with_sets, in_full, apart, parametric, plainly, drawn),
    *(of_all_values, in_parts, filled, listed, of_their_entries),
)


def as_one(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    """A display and its hypotheses with all that the one leaves out and the other tells."""
    display, statements = named_heads(display), [*map(named_heads, statements)]
    display = of_pairs(without_nouns(display))
    for written_out in IN_ORDER:
        display, statements = written_out(display, statements)
    return display, statements


__all__ = ["as_one", "named_heads"]
