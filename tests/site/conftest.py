"""A small site in a temporary folder, and a checker that says what a test tells it to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import markdown
import pytest

from vaedocs.site import extension, vendor

CHECKER = '''
"""A checker for tests: the verdict of a row is the word in its \\text{...}, else "proved"."""
import re
from types import SimpleNamespace


def check(text, given=(), definitions=()):
    rows = []
    for number, row in enumerate(re.split(r"\\\\\\\\\\\\\\\\", text), 1):
        word = re.search(r"\\\\text\\{([a-z ]+)\\}", row)
        verdict = word[1] if word else "proved"
        if verdict == "crash":
            raise RuntimeError("the checker stumbled")
        rows.append(
            SimpleNamespace(
                line=text.count("\\n", 0, text.index(row.strip())) + 1,
                relation="=",
                verdict=verdict,
                method="normal form",
                uses=["product rule"] if verdict == "proved" else [],
                counterexample="left 1, right 2" if verdict == "refuted" else None,
                seconds=0.25,
                hypotheses=list(given),
            )
        )
    return SimpleNamespace(rows=rows)
'''.replace("\\\\\\\\\\\\\\\\", "\\\\\\\\")


@pytest.fixture(scope="session", autouse=True)
def katex() -> None:
    """KaTeX is fetched once; without it and without a network these tests cannot run."""
    try:
        vendor.ensure()
    except vendor.VendorError as error:
        pytest.skip(f"MATHEMATICS NOT TESTED: {error}", allow_module_level=True)


@pytest.fixture
def checker() -> str:
    """The source of that checker."""
    return CHECKER


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty docs folder; the working folder is the one above it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "docs").mkdir()
    (tmp_path / "checks.py").write_text(CHECKER, encoding="utf-8")
    yield tmp_path / "docs"
    for worker in extension._workers.values():
        worker.close()
    extension._workers.clear()


Convert = Callable[..., str]


@pytest.fixture
def convert(docs: Path) -> Convert:
    """Write a page, convert it as a builder does (front matter off), and return its HTML."""

    def run(text: str, name: str = "page.md", **options: object) -> str:
        (docs / name).write_text(text, encoding="utf-8")
        body = text
        if text.startswith("---\n"):
            body = text.partition("\n---\n")[2].lstrip("\n")
        others = ["admonition", "pymdownx.details", "pymdownx.superfences", "tables", "toc"]
        md = markdown.Markdown(
            extensions=[*others, "attr_list", "vaedocs.site"],
            extension_configs={"vaedocs.site": options},
        )
        return md.convert(body)

    return run


@pytest.fixture
def checked(convert: Convert) -> Convert:
    """As ``convert``, with the tests' checker."""
    return lambda text, **options: convert(text, check=True, checker="checks.check", **options)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shapes"
    (folder / "deep").mkdir(parents=True)
    (folder / "__init__.py").write_text("from shapes.round import area\n", "utf-8")
    (folder / "deep" / "__init__.py").write_text("", "utf-8")
    (folder / "round.py").write_text(
        "import shapes.number\n\nLIMIT = 3\n\n\n@property\ndef area(r):\n    return r\n\n\n"
        "class Disc:\n    colour: str = 'red'\n\n    def grow(self):\n        return 1\n",
        "utf-8",
    )
    (folder / "number.py").write_text("PI = 3\n", "utf-8")
    (folder / "apart.py").write_text("raise RuntimeError('imported')\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return folder
