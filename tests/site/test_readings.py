"""The page and the checker find the same displays."""

from __future__ import annotations

from pathlib import Path

from vaedocs.site import pages

HERE = Path(__file__).parent


def test_the_page_and_the_checker_see_the_same_displays() -> None:
    from vaedocs.derivation.sources import find_displays
    from vaedocs.site.pieces import front_matter
    from vaedocs.site.reading import read

    folder = HERE.parents[1] / "docs"
    seen = 0
    for file in sorted(folder.rglob("*.md")):
        text = file.read_text(encoding="utf-8")
        above = front_matter(text)[1]
        shown = read(text.split("\n")[above:], pages.BLOCKS).displays
        checked = find_displays(file)
        assert [(d.start + 1 + above, d.label or "") for d in shown] == [
            (d.line, d.label) for d in checked
        ], file
        seen += len(shown)
    assert seen > 50
