"""The words of the book: terms that mislead are not used, and spelling is British."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from house import DOCS, PACKAGE, ROOT

# What not to write, and why. A page that quotes a wrong term puts it into quotation marks.
AVOIDED = {
    r"KL[- ]distance|Kullback[-–]Leibler distance": "it has no triangle inequality: divergence",
    r"Kullback[-–]Liebler": "Leibler",
    r"\bprobability density at (a )?point is the probability": "a density is not a probability",
    r"formally verified": "derived by rewriting; no proof assistant stands behind it",
    r"\b(it is )?(obvious|trivial|clear)(ly)? that\b": "show it, or say why",
    r"\bsimply\b|\bof course\b": "the reader decides what is simple",
    r"variance\s+`?std`?\b|`std`\s+variance": "std is a standard deviation",
}
AMERICAN = {
    r"\b\w*(?<!s)(?<!pr)ize[sd]?\b": "-ise",
    r"\b(regular|normal|optim|marginal|general)ization\b": "-isation",
    r"\bcolors?\b": "colour",
    r"\bbehaviors?\b": "behaviour",
    r"\bcenter(ed|s)?\b": "centre",
    r"\bmodeling\b|\bmodeled\b": "modelling, modelled",
}
# Names and words in which the pattern is right.
RIGHT = re.compile(
    r"\b(size[sd]?|prize[sd]?|seize[sd]?|resize[sd]?|horizontal|capsize|figsize|linearize)\b"
    r"|Variational inference: a review for statisticians"
)
FENCE = re.compile(r"^(```.*?^```|    .*?$|\$\$.*?^\$\$|/// .*?$)", re.M | re.S)
ASIDE = re.compile(r"`[^`]*`|\$[^$]*\$|\{\{.*?\}\}|\]\([^)]*\)|“[^”]*”|\"[^\"\n]*\"|<[^>\n]*>")


def complaints(text: str, patterns: dict[str, str]) -> list[str]:
    """The passages of ``text`` that a pattern forbids, with the reason; code is not prose.

    >>> complaints("The KL distance is small.", AVOIDED)
    ["line 1: 'KL distance' (it has no triangle inequality: divergence)"]
    >>> complaints('Many call it a "KL distance", and it is not one.', AVOIDED)
    []
    >>> complaints("We regularize it", AMERICAN), complaints("`resize` the size", AMERICAN)
    (["line 1: 'regularize' (-ise)"], [])
    """
    blank = FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    blank = ASIDE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), blank)
    blank = RIGHT.sub(lambda match: " " * len(match.group()), blank)
    return [
        f"line {blank.count(chr(10), 0, match.start()) + 1}: {match.group()!r} ({reason})"
        for pattern, reason in patterns.items()
        for match in re.finditer(pattern, blank, re.IGNORECASE)
    ]


PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_uses_the_books_words(page: Path) -> None:
    """Terminology first, then spelling."""
    text = page.read_text(encoding="utf-8")
    if page.name == "references.md":
        text = re.sub(r"^\*\*.*?^\{:", "", text, flags=re.M | re.S)  # titles are as published
    assert not complaints(text, AVOIDED | AMERICAN)


@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.py")), ids=lambda m: m.stem)
def test_a_module_uses_the_books_terms(module: Path) -> None:
    """Docstrings and comments say "KL divergence" too."""
    text = module.read_text(encoding="utf-8")
    patterns = {p: r for p, r in AVOIDED.items() if "simply" not in p}
    lines = [line for line in text.splitlines() if not line.strip().startswith(('r"', "r'"))]
    assert not complaints("\n".join(line.strip() for line in lines), patterns)
