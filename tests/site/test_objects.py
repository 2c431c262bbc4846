"""Objects are found by name without importing, and a fingerprint follows what they rest on."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from vaedocs.site import objects

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("shapes.round.LIMIT", 3, 3),
        ("shapes.round.area", 6, 8),
        ("shapes.area", 6, 8),
        ("shapes.round.Disc", 11, 15),
        ("shapes.round.Disc.grow", 14, 15),
        ("shapes.round.Disc.colour", 12, 12),
        ("shapes.apart", 1, 1),
    ],
)
def test_objects_are_found_without_importing(
    package: Path, name: str, first: int, last: int
) -> None:
    found = objects.find(name)
    assert (found.first, found.last) == (first, last)
    assert "shapes.apart" not in sys.modules


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shapes.round.aera", 'shapes.round has no "aera"; did you mean "area"?'),
        ("shapes.ruond.area", 'shapes has no "ruond"; did you mean "round"'),
        ("shapes.round.Disc.grwo", 'shapes.round.Disc has no "grwo"; did you mean "grow"?'),
        ("shpaes.round", 'no package "shpaes" can be imported from here'),
        ("shapes.deep.x", 'shapes.deep has no "x"'),
        ("shapes.round()", '"shapes.round()" is not a dotted name'),
    ],
)
def test_a_wrong_name_is_answered_with_near_ones(package: Path, name: str, words: str) -> None:
    with pytest.raises(objects.NoSuchObject, match=re.escape(words)):
        objects.find(name)


def test_a_fingerprint_follows_imports_and_nothing_else(package: Path) -> None:
    def mark() -> str:
        return objects.fingerprint("shapes.round.area")

    before = mark()
    (package / "apart.py").write_text("x = 1\n", "utf-8")
    assert mark() == before
    (package / "number.py").write_text("PI = 4\n", "utf-8")
    changed = mark()
    assert changed != before
    (package / "table.toml").write_text("a = 1\n", "utf-8")
    assert mark() != changed
