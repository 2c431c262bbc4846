# ruff: noqa: E501 (a table of pairs reads better with each pair on one line)
"""Whole builds of a small foreign site with its own notation: what passes, and what stops one."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vaedocs.site import gate, ledger

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]

CONFIG = """
site_name: Elsewhere
site_url: http://127.0.0.1/
theme: {name: material, font: false}
extra_css: [assets/vaedocs/vaedocs.css]
extra_javascript: [assets/vaedocs/vaedocs.js]
markdown_extensions:
  - admonition
  - vaedocs.site:
      check: true
      ledger: ledger.md
      macros: {'\\\\Ent': '\\mathrm{H}', '\\\\Ex': '\\mathbb{E}_{#1}\\left[ #2 \\right]'}
nav: [index.md, two.md, ledger.md]
"""

HOME = r"""---
description: A page elsewhere.
---
# A bound

We know that $p(x)$ is small; it costs $5. See \eqref{eq:bound} and \eqref{eq:twice}.

<!-- given:
\mathcal{L} := \Ex{q(z \mid x)}{\log p(x, z) - \log q(z \mid x)}
-->
$$ \label{eq:bound}
\begin{aligned}
\log p(x) &= \Ex{q(z \mid x)}{\log \frac{p(x, z)}{p(z \mid x)}} \\
  &= \mathcal{L} + \Ex{q(z \mid x)}{\log \frac{q(z \mid x)}{p(z \mid x)}}
\end{aligned}
$$

!!! note "Bits"

    $$ 2 \log x = \log x^2 $$

/// source | numbers_of_ours.half
///

Half is {{ numbers_of_ours.half | .2f }}.
"""

TWO = "# Two\n\n<!-- given: x > 0 -->\n$$ \\label{eq:twice} \\log x + \\log x = 2 \\log x $$\n"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(CONFIG.replace("\\\\", "\\"), encoding="utf-8")
    (tmp_path / "docs" / "index.md").write_text(
        HOME.replace("    $$ 2", "    <!-- given: x > 0 -->\n    $$ 2"), encoding="utf-8"
    )
    (tmp_path / "docs" / "two.md").write_text(TWO, encoding="utf-8")
    (tmp_path / "docs" / "ledger.md").write_text("# Ledger\n\n/// ledger\n///\n", encoding="utf-8")
    (tmp_path / "numbers_of_ours.py").write_text(
        'def half():\n    """Half.\n\n    >>> half()\n    0.5\n    """\n    return 0.5\n', "utf-8"
    )
    return tmp_path


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a builder: this package and the foreign one can be imported."""
    paths = [str(ROOT), str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NO_MKDOCS_2_WARNING": "1"}


def build(folder: Path, *command: str) -> tuple[int, str]:
    result = subprocess.run(
        [sys.executable, "-m", *(command or ("mkdocs", "build", "--strict", "--clean"))],
        cwd=folder,
        env=surroundings(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def displays(site: Path) -> list[str]:
    """Id and verdict of every display of a built site."""
    found = []
    for file in sorted(site.rglob("index.html")):
        for tag in re.findall(r'<div class="vaedocs-equation"[^>]*>', file.read_text("utf-8")):
            identifier, verdict = (
                re.search(rf'{name}="([^"]*)"', tag) for name in ("\\bid", "data-verdict")
            )
            assert identifier is not None
            assert verdict is not None
            found.append(f"{file.parent.name} {identifier[1]} {verdict[1]}")
    return found


def test_a_foreign_site_is_built_checked_and_passes_the_gate(foreign: Path) -> None:
    code, told = build(foreign)
    assert code == 0, told
    site = foreign / "site"
    written = ledger.export(site)
    assert [file.name for file in written] == ["ledger.json", "badge.svg"]
    assert gate.inspect(site) == []
    verdicts = [line.split()[-1] for line in displays(site)]
    assert verdicts == ["proved"] * 3
    home = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="two/#eq:twice" title="Two, equation 1">(1) of Two</a>' in home
    assert "Half is 0.50." in home


def with_code(folder: Path) -> None:
    """Give the foreign site pages of the code that it shows."""
    settings = (folder / "mkdocs.yml").read_text(encoding="utf-8")
    settings = settings.replace("check: true", "check: true\n      code: code")
    (folder / "mkdocs.yml").write_text(settings + "not_in_nav: /code/\n", encoding="utf-8")


def test_a_foreign_site_shows_its_code(foreign: Path) -> None:
    with_code(foreign)
    code, told = build(foreign)
    assert code == 0, told
    site = foreign / "site"
    ledger.export(site)
    assert gate.inspect(site) == []
    assert 'href="code/numbers_of_ours/#L1-L7"' in (site / "index.html").read_text(encoding="utf-8")
    page = (site / "code" / "numbers_of_ours" / "index.html").read_text(encoding="utf-8")
    assert 'id="L1-L7"' in page
    assert "md-header" in page, "in the dress of the theme"
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    assert "code/numbers_of_ours" not in index


@pytest.mark.parametrize(
    ("page", "old", "new", "told"),
    [
        ("index.md", "\\mathcal{L} +", "\\mathcal{L} -", "docs/index.md:14: row 2"),
        ("two.md", "2 \\log x", "3 \\log x", "docs/two.md:4: row 1"),
        ("index.md", "/// source", "/// sorce", 'docs/index.md:23: no block is called "sorce"'),
        ("index.md", ".half\n///", ".hlaf\n///", 'docs/index.md:23: numbers_of_ours has no "hlaf"'),
        ("index.md", "{eq:twice}", "{eq:thrice}", 'docs/index.md:6:69: no equation is called "eq:thr'),
        ("index.md", "\\log x^2", "\\log x^{2", "docs/index.md:21:"),
        ("two.md", "given: x", "gievn: x", 'docs/two.md:3: comment "gievn"; did you mean "given"?'),
    ],
)  # fmt: skip
def test_one_mistake_stops_the_build(
    foreign: Path, page: str, old: str, new: str, told: str
) -> None:
    file = foreign / "docs" / page
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    code, output = build(foreign)
    assert code != 0
    assert told in output
    assert "Traceback" not in output


@pytest.fixture
def served(foreign: Path, checker: str) -> Iterator[tuple[Path, str, Path]]:
    """`mkdocs serve` on the foreign site, with a checker of its own: folder, address, its log."""
    (foreign / "checks.py").write_text(checker, encoding="utf-8")
    with_code(foreign)
    settings = (foreign / "mkdocs.yml").read_text(encoding="utf-8")
    settings = settings.replace("check: true", "check: true\n      checker: checks.check")
    settings += "watch: [checks.py, numbers_of_ours.py]\n"
    (foreign / "mkdocs.yml").write_text(settings, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = foreign.parent / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "serve", "-a", f"127.0.0.1:{port}"],
            cwd=foreign,
            env=surroundings(foreign),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        yield foreign, f"http://127.0.0.1:{port}/", log
        server.terminate()
        server.wait()


def until(condition: Callable[[], bool], seconds: float = 300) -> bool:
    """Wait for a server to come round; on a busy machine that takes a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if condition():
                return True
        time.sleep(0.3)
    return False


def test_a_server_shows_nothing_stale(served: tuple[Path, str, Path]) -> None:
    """A mistake is told at its line, mended it is gone, and a changed checker speaks at once."""
    folder, address, log = served

    def shown(page: str, words: str) -> bool:
        return words in urllib.request.urlopen(address + page, timeout=60).read().decode()

    page, checker = folder / "docs" / "two.md", folder / "checks.py"
    assert until(lambda: shown("two/", 'data-verdict="proved"')), log.read_text()
    page.write_text(TWO.replace("= 2", "\\text{refuted} = 2"), encoding="utf-8")
    assert until(lambda: "docs/two.md:4: row 1 is wrong" in log.read_text()), log.read_text()
    assert "Traceback" not in log.read_text()
    page.write_text(TWO.replace("# Two", "# Mended"), encoding="utf-8")
    assert until(lambda: shown("two/", "Mended")), log.read_text()
    text = checker.read_text(encoding="utf-8").replace('"proved"', '"computed"')
    checker.write_text(text, encoding="utf-8")
    for name in ("two/", ""):
        assert until(lambda at=name: shown(at, 'data-verdict="computed"')), log.read_text()
    numbers = folder / "numbers_of_ours.py"
    numbers.write_text("# Moved down.\n" + numbers.read_text(encoding="utf-8"), encoding="utf-8")
    assert until(lambda: shown("code/numbers_of_ours/", 'id="L2-L8"')), log.read_text()
    assert until(lambda: shown("", 'numbers_of_ours/#L2-L8"')), log.read_text()


def test_zensical_shows_the_same_displays_with_the_same_verdicts(foreign: Path) -> None:
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("Zensical is not installed")
    with_code(foreign)
    assert build(foreign)[0] == 0
    wanted = displays(foreign / "site")
    code, told = build(foreign, "zensical", "build", "--clean")
    assert code == 0, told
    assert displays(foreign / "site") == wanted
    home = (foreign / "site" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'href="(?:\./)?code/numbers_of_ours/#L1-L7"', home)
    ledger.export(foreign / "site")
    assert gate.inspect(foreign / "site") == []
    file = foreign / "docs" / "two.md"
    file.write_text(TWO.replace("= 2", "= 3"), encoding="utf-8")
    code, told = build(foreign, "zensical", "build", "--clean")
    assert code != 0
    assert "docs/two.md:4: row 1" in told
