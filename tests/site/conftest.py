"""A small site in a temporary folder, a checker that says what it is told to, a browser."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import markdown
import pytest
from house import DOCS, PACKAGE, SITE
from reader import Quiet, Reader, cannot

from vaedocs.site import extension, vendor

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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


@pytest.fixture
def drawings(docs: Path) -> None:
    """A module beside the docs folder with numbers, figures and failures."""
    (docs.parent / "drawings.py").write_text(
        "from typing import NamedTuple\n\n"
        "class Sides(NamedTuple):\n    direct: float\n    detour: float\n\n"
        "half = {'nats': -0.6931}\n\n"
        "def triangle():\n    return Sides(2.0, 1.0)\n\n"
        "def number():\n    return 0.15484\n\n"
        "def missing():\n    return float('nan')\n\n"
        "def broken():\n    return 1 / 0\n\n"
        "def needs(x):\n    return x\n\n"
        "def dies():\n    import os\n    os._exit(3)\n\n"
        "def figure():\n    '''A dot.\n\n    >>> 1\n    1\n    '''\n"
        '    return \'<svg viewBox="0 0 9 9"><circle r="3"/></svg>\'\n',
        encoding="utf-8",
    )


# --- the built book in a browser ------------------------------------------------------------------


@pytest.fixture(scope="module")
def site() -> Path:
    """The built site, if it is there and not older than what it is made of."""
    home = SITE / "index.html"
    if not home.is_file():
        cannot("site/ is not built; run `nox -s site` first")
    sources = [*DOCS.rglob("*.md"), *PACKAGE.rglob("*.py")]
    newest = max(sources, key=lambda file: file.stat().st_mtime)
    if newest.stat().st_mtime > home.stat().st_mtime:
        cannot(f"site/ is older than {newest.name}; run `nox -s site` first")
    return SITE


@pytest.fixture(scope="module")
def address(site: Path) -> str:
    """Where the book believes it is served: instant navigation needs this to be true."""
    canonical = re.search(r'rel="canonical" href="([^"]+)"', (site / "index.html").read_text())
    assert canonical, "the home page has no canonical address"
    return canonical[1]


@pytest.fixture(scope="module")
def browser(site: Path, address: str) -> Iterator[Browser]:
    """Chromium, in which the book's address leads to a server of this test on a free port."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
    if executable is None:
        cannot("no Chromium found; on Debian: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    where = urllib.parse.urlsplit(address)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    book = f"{where.hostname}:{where.port or 80}"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                f"--host-resolver-rules=MAP {book} 127.0.0.1:{server.server_port}",
            ],
        )
        yield browser
        browser.close()
    server.shutdown()
    server.server_close()


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Reader]:
    """A fresh reader, who prefers light, at a desk."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    yield Reader(context, address)
    context.close()
