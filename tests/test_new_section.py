"""A section started by `nox -s new_section` is whole: its own test passes at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from house import ROOT
from new_section import write


def test_a_new_section_passes_its_own_test(tmp_path: Path) -> None:
    """Page, module and test carry the name, and the test runs against the new module."""
    for folder in ("docs", "vaedocs", "tests"):
        (tmp_path / folder).mkdir()
    for file in ("__init__", "domains"):
        (tmp_path / "vaedocs" / f"{file}.py").write_bytes(
            (ROOT / "vaedocs" / f"{file}.py").read_bytes()
        )
    page, module, test = write("dance_of_dice", "The dance of dice", tmp_path)
    assert [page.name, module.name, test.name] == [
        "dance_of_dice.md",
        "dance_of_dice.py",
        "test_dance_of_dice.py",
    ]
    assert "\\eqref{eq:dance_of_dice}" in page.read_text(encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "--doctest-modules", str(test), str(module)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert answer.returncode == 0, answer.stdout
    assert "4 passed" in answer.stdout


@pytest.mark.parametrize("name", ["My-Section", "class", "2fast", "entropy/x"])
def test_a_name_that_is_no_module_is_refused(name: str, tmp_path: Path) -> None:
    """The message quotes the name and says what would do."""
    with pytest.raises(ValueError, match="cannot name a module; use lower-case words"):
        write(name, "Title", tmp_path)


def test_nothing_is_overwritten() -> None:
    """A section that exists is left alone."""
    with pytest.raises(ValueError, match="is there already"):
        write("entropy", "Entropy")
