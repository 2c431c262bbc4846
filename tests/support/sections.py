"""What the tests of several sections ask of their modules."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from vaedocs.drawing import svg


def figures(section: ModuleType) -> list[Callable[[], object]]:
    """The functions of a section that draw.

    >>> from vaedocs import entropy
    >>> all(figure.__name__.startswith("figure_") for figure in figures(entropy))
    True
    """
    return [getattr(section, name) for name in dir(section) if name.startswith("figure_")]


def drawn(figure: Callable[[], object]) -> str:
    """A figure as the page shows it; a colour that is not the book's is an error."""
    return svg(figure(), figure.__name__)


def refusal(call: Callable[[], object]) -> str:
    """What a function says in full when it refuses its arguments."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011  whoever asks compares the words
        call()
    return str(refused.value)
