"""Change one sign in a display of the book: the page is not published, and the row is named."""

from __future__ import annotations

import random
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import markdown
import pytest

from vaedocs.site.pages import BLOCKS, PageErrors
from vaedocs.site.pieces import front_matter
from vaedocs.site.reading import read

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
# Displays in which the first sign, turned over, makes a false claim (a lost constant may not).
LABELS = [
    "eq:noise-slope",
    "eq:gap",
    "eq:gap-split",
    "eq:softmax-weighted",
    "eq:linear-joint-split",
    "eq:leave-one-out",
    "eq:mean-variance",
    "eq:complete-square",
    "eq:elbo-kl",
    "eq:surgery",
]
# A plus or minus between two terms; not in an index, and not where a name is introduced.
SIGN = re.compile(r"(?<=[\w})\]] )[+-](?= [\w\\(])")


@dataclass(frozen=True)
class Change:
    """One sign of one page: where it stands, and what stands there instead."""

    page: str
    line: int
    column: int
    label: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}:{self.column}"


def changes(page: Path) -> list[Change]:
    """Every sign of a page's displays that can be turned over and makes a claim false."""
    text = page.read_text(encoding="utf-8")
    meta, above = front_matter(text)
    if "wrong" in meta:
        return []
    found = []
    for display in read(text.split("\n")[above:], BLOCKS).displays:
        if ":=" in display.latex or "wrong" in display.notes:
            continue
        for match in SIGN.finditer(display.latex):
            line, column = display.place(match.start())
            found.append(Change(page.stem, line + above, column, display.label))
    return found


def turned_over(change: Change, docs: Path) -> Path:
    """A copy of the docs folder with that sign turned over."""
    shutil.copytree(ROOT / "docs", docs, ignore=shutil.ignore_patterns("assets", "images"))
    page = docs / f"{change.page}.md"
    lines = page.read_text(encoding="utf-8").split("\n")
    line, at = lines[change.line - 1], change.column - 1
    lines[change.line - 1] = line[:at] + {"+": "-", "-": "+"}[line[at]] + line[at + 1 :]
    page.write_text("\n".join(lines), encoding="utf-8")
    return page


def publish(page: Path) -> None:
    """Convert one page as a builder does, every display checked."""
    text = page.read_text(encoding="utf-8")
    body = "\n".join(text.split("\n")[front_matter(text)[1] :])
    options = {"check": True, "docs": str(page.parent), "cache": str(ROOT / ".cache/vaedocs")}
    md = markdown.Markdown(
        extensions=["tables", "attr_list", "md_in_html", "footnotes", "vaedocs.site"],
        extension_configs={"vaedocs.site": options},
    )
    md.convert(body)


def some(count: int, seed: int) -> list[Change]:
    """Signs of `count` random displays, no two of one display."""
    everything = [c for page in sorted((ROOT / "docs").glob("*.md")) for c in changes(page)]
    random.Random(seed).shuffle(everything)
    chosen: dict[tuple[str, int], Change] = {}
    for change in everything:
        chosen.setdefault((change.page, change.line), change)
    return list(chosen.values())[:count]


def labelled() -> list[Change]:
    """The first sign of each display in LABELS."""
    everything = [c for page in sorted((ROOT / "docs").glob("*.md")) for c in changes(page)]
    first = {change.label: change for change in reversed(everything)}
    return [first[label] for label in LABELS if label in first]


def test_the_displays_are_there() -> None:
    """A label that went out of use must not thin the test out unnoticed."""
    assert len(labelled()) >= 8


@pytest.mark.parametrize("change", labelled(), ids=str)
def test_one_sign_stops_the_page(
    change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message gives the page, a line of the display, and the row or its neighbour."""
    monkeypatch.chdir(ROOT)
    page = turned_over(change, tmp_path / "docs")
    with pytest.raises(PageErrors) as caught:
        publish(page)
    told = [line for line in str(caught.value).split("\n") if f"{change.page}.md:" in line]
    rows = [re.search(r":(\d+):?\d*: row (\d+) is (wrong|not|vacuous)", line) for line in told]
    assert any(row and abs(int(row[1]) - change.line) <= 1 for row in rows), str(caught.value)


if __name__ == "__main__":  # python tests/site/test_signs.py 10 7: what is said of ten more
    import tempfile

    for one in some(int(sys.argv[1]), int(sys.argv[2])):
        with tempfile.TemporaryDirectory() as folder:
            try:
                publish(turned_over(one, Path(folder) / "docs"))
                print(one, "WAS PUBLISHED")
            except PageErrors as error:
                print(one, "->", str(error).replace(folder, "")[:300].replace("\n", "\n      "))
