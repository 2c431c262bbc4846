"""The labs run as plain Python, and a raising cell stops the build of the book."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
import yaml
from house import CONFIGURATION, ROOT

LABS = sorted((ROOT / "docs" / "labs").glob("*.py"))


@pytest.fixture
def tidy() -> Iterator[None]:
    """A lab may set a seed, a precision or open figures: give them back."""
    precision, state = torch.get_default_dtype(), torch.get_rng_state()
    backend = plt.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(backend)
    torch.set_default_dtype(precision)
    torch.set_rng_state(state)


@pytest.mark.usefixtures("tidy")
@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.stem)
def test_a_lab_runs(lab: Path) -> None:
    """Run under pytest, a failing cell is an ordinary traceback with its line."""
    runpy.run_path(str(lab), run_name="__main__")


def test_there_is_a_lab() -> None:
    """An empty folder would make the test above pass by not existing."""
    assert LABS


def build(folder: Path, cell: str) -> subprocess.CompletedProcess[str]:
    """Build a book of one lab, with the notebook settings of our own mkdocs.yml."""
    (folder / "docs" / "labs").mkdir(parents=True)
    (folder / "docs" / "index.md").write_text("# Home\n", encoding="utf-8")
    (folder / "docs" / "labs" / "lab.py").write_text(
        f"# %% [markdown]\n# # A lab\n\n# %%\n{cell}\n", encoding="utf-8"
    )
    settings = {
        "site_name": "one lab",
        "nav": ["index.md", "labs/lab.py"],
        "plugins": CONFIGURATION["plugins"],
    }
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )


@pytest.mark.slow
def test_a_raising_cell_fails_the_build(tmp_path: Path) -> None:
    """By default the plugin publishes the traceback as a page and exits 0: ours must not."""
    answer = build(tmp_path, "assert 1 + 1 == 3, 'arithmetic is broken'")
    assert answer.returncode != 0
    assert "arithmetic is broken" in answer.stdout + answer.stderr


@pytest.mark.slow
def test_a_good_cell_is_built_with_its_result(tmp_path: Path) -> None:
    """The same project with a right cell builds, so the test above failed for its cell alone."""
    answer = build(tmp_path, "print('the sum is', 20 + 22)")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    page = (tmp_path / "site" / "labs" / "lab" / "index.html").read_text(encoding="utf-8")
    assert "the sum is 42" in page


def test_the_notebook_settings_are_the_safe_ones() -> None:
    """The cache forgets that the imported package changed; other .py files are not notebooks."""
    (settings,) = [
        plugin["mkdocs-jupyter"]
        for plugin in CONFIGURATION["plugins"]
        if isinstance(plugin, dict) and "mkdocs-jupyter" in plugin
    ]
    assert settings["execute"] is True
    assert settings["allow_errors"] is False
    assert settings["cache"] is False
    assert settings["include"] == ["labs/*.py"]
