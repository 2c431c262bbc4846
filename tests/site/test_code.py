"""The code as pages of the site: a link lands on the lines where the object stands."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from house import DOCS, PACKAGE
from lxml import html
from markup import complaint

from vaedocs.site import code, gate, objects, pages

if TYPE_CHECKING:
    from conftest import Convert

TRICKY = '''"""Strange ``strings`` & signs."""

TEXT = """
/// source | x
$$ a < b $$ {{ c }} \\\\eqref{d} <b>
"""


class Disc:
    """A disc."""

    def grow(self):
        return 1


def area(r):
    return r
'''


@pytest.fixture
def tricky(docs: Path) -> Path:
    """A module with whatever has a meaning on a page, a test of it, and a page that shows both."""
    (docs.parent / "tricky.py").write_text(TRICKY, encoding="utf-8")
    (docs.parent / "tests").mkdir()
    (docs.parent / "tests" / "test_tricky.py").write_text(
        "import tricky\n\n\ndef test_area():\n    assert tricky.area(1)\n", encoding="utf-8"
    )
    return docs


SHOWS = (
    "/// source | tricky.Disc.grow\n///\n\n/// source | tricky.Disc\n///\n\n"
    "/// source | tricky.area\n///"
)


def listing(convert: Convert, docs: Path, source: str) -> html.HtmlElement:
    """The page of a file, as a builder would make it after ``convert`` has written it."""
    page = (docs / source).read_text(encoding="utf-8")
    return html.fromstring(f"<main>{convert(page, source, code='code')}</main>")


def test_a_caption_leads_to_the_lines_and_the_test(convert: Convert, tricky: Path) -> None:
    tree = html.fromstring(f"<div>{convert(SHOWS, code='code')}</div>")
    links = tree.xpath("//figcaption//a")
    assert [link.get("href") for link in links] == [
        "../code/tricky/#L12-L13",
        "../code/tricky/#L9-L13",
        "../code/tricky/#L16-L17",
        "../code/tests/test_tricky/#L4",
    ]
    assert {link.get("target") for link in links} == {"_self"}, "a swapped page marks no line"
    file = listing(convert, tricky, "code/tricky.md")
    for name, anchor in (("Disc.grow", "L12-L13"), ("Disc", "L9-L13"), ("area", "L16-L17")):
        (lines,) = file.xpath(f'//*[@id="{anchor}"]')
        assert lines.text_content().rstrip("\n") == objects.find(f"tricky.{name}").text
    tests = listing(convert, tricky, "code/tests/test_tricky.md")
    assert tests.xpath('string(//*[@id="L4"])') == "def test_area():\n"


def test_a_file_is_shown_as_it_is(convert: Convert, tricky: Path, tmp_path: Path) -> None:
    convert(SHOWS, code="code")
    tree = listing(convert, tricky, "code/tricky.md")
    (shown,) = tree.xpath("//pre[@tabindex='0'][@role='group']/code")
    assert shown.text_content() == TRICKY
    assert [line.get("id") for line in shown.xpath(".//span[starts-with(@id, 'L')]")].count(
        "L9"
    ) == 1
    assert "Strange strings & signs. Shown or named in Page." in tree.text_content()
    assert tree.xpath("//p/code")[0].text == "strings"
    built = tmp_path / "built"
    built.mkdir()
    (built / "index.html").write_text(html.tostring(tree, encoding="unicode"), encoding="utf-8")
    assert [found for found in gate.inspect(built) if found.rule != "dead link"] == []


def test_what_begins_together_is_nested(convert: Convert, docs: Path) -> None:
    (docs.parent / "first.py").write_text("def one():\n    return 1\n\n\nX = 2\n", "utf-8")
    convert("/// source | first.one\n///\n\n/// source | first\n///", code="code")
    tree = listing(convert, docs, "code/first.md")
    assert tree.xpath("//*[@id='L1-L5']/*[@id='L1-L2']/*[@id='L1']")
    assert tree.xpath("string(//*[@id='L1-L2'])") == "def one():\n    return 1\n"


def test_the_gate_finds_a_line_that_is_not_there(
    convert: Convert, tricky: Path, tmp_path: Path
) -> None:
    built = {"page/index.html": convert(SHOWS, code="code")}
    for name in ("tricky", "tests/test_tricky"):
        page = (tricky / f"code/{name}.md").read_text(encoding="utf-8")
        built[f"code/{name}/index.html"] = convert(page, f"code/{name}.md", code="code")
    for place, markup in built.items():
        (tmp_path / "site" / place).parent.mkdir(parents=True)
        (tmp_path / "site" / place).write_text(f"<main>{markup}</main>", encoding="utf-8")
    assert gate.inspect(tmp_path / "site") == []
    file = tmp_path / "site" / "page" / "index.html"
    file.write_text(file.read_text(encoding="utf-8").replace("#L16-L17", "#L16-L18"), "utf-8")
    (found,) = gate.inspect(tmp_path / "site")
    assert str(found).endswith('#L16-L18" leads to no anchor "L16-L18"')


def test_the_files_are_listed(convert: Convert, tricky: Path) -> None:
    convert(SHOWS, code="code")
    listed = convert("# Code\n\n/// code\n///", "code.md", code="code")
    tree = html.fromstring(f"<div>{listed}</div>")
    assert tree.xpath("//dt/a/@href") == ["tricky/", "tests/test_tricky/"]
    assert tree.xpath("//h2/text()") == ["Modules", "Tests"]
    assert tree.xpath("//dd/a/@href") == ["../page/", "../page/"]


def test_pages_of_files_come_and_go(convert: Convert, tricky: Path) -> None:
    convert(SHOWS, code="code")
    page, own = tricky / "code" / "tricky.md", tricky / "code" / "own.md"
    own.write_text("# By hand\n", encoding="utf-8")
    before = page.stat().st_mtime_ns
    convert(SHOWS, code="code")
    assert page.stat().st_mtime_ns == before, "a server that watches the folder is not set off"
    (tricky.parent / "tricky.py").write_text("\n\n" + TRICKY, encoding="utf-8")
    assert "../code/tricky/#L18-L19" in convert(SHOWS, code="code")
    assert listing(convert, tricky, "code/tricky.md").xpath("//*[@id='L18-L19']")
    convert("Nothing is shown.", code="code")
    convert("Nothing is shown.", code="code")
    assert not page.exists()
    assert own.exists()


def test_without_the_option_nothing_is_written(convert: Convert, tricky: Path) -> None:
    assert "<a" not in convert(SHOWS)
    assert not (tricky / "code").exists()
    assert "needs the option code" in complaint(convert, "/// code\n///")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/// source | tricky.aera\n///", 'page.md:1: tricky has no "aera"; did you mean "area"?'),
        ("/// source | tricky.area\n///\n\n/// code | tricki.py\n///",
         'md:4: no file that a page speaks of is called "tricki.py"; did you mean "tricky.py"'),
        ("/// code\nText.\n///", "page.md:2: /// code takes no text; this line is lost"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told(
    convert: Convert, tricky: Path, text: str, expected: str
) -> None:
    assert expected in complaint(convert, text, code="code")


def names() -> list[str]:
    """What the pages of the book show."""
    return sorted({name for page in DOCS.glob("*.md") for name in code._sources(page)})


@pytest.mark.parametrize("name", names())
def test_every_link_of_the_book_lands_where_python_finds_the_object(name: str) -> None:
    parts = name.split(".")
    count = max(k for k in range(len(parts)) if _is_module(".".join(parts[:k])))
    found = importlib.import_module(".".join(parts[:count]))
    for part in parts[count:]:
        found = getattr(found, part)
    lines, first = inspect.getsourcelines(inspect.unwrap(found))
    file = Path(str(inspect.getsourcefile(inspect.unwrap(found))))
    path = code.path_of(file, PACKAGE.parent)
    shown = code.shown(DOCS, PACKAGE.parent / "tests", "code")
    assert (first, first + len(lines) - 1) in shown[path].ranges
    markup = code.listing(shown[path], lambda page: pages.title(DOCS / page), str)
    anchor = code.anchor(first, first + len(lines) - 1)
    assert html.fromstring(markup).xpath(f'string(//*[@id="{anchor}"])') == "".join(lines)


def _is_module(name: str) -> bool:
    return bool(name) and not objects.locate(name)[2]
