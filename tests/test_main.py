"""The command line: what it needs, what it says, and its exit statuses."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from vaedocs import __main__ as command_line

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "numpy", "sklearn", "matplotlib", "pooch", "rich", "mkdocs", "markdown")


def with_sympy_alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `vaedocs …` in an interpreter that finds none of the heavy packages."""
    code = (
        "import sys\n"
        f"for name in {HEAVY}: sys.modules[name] = None\n"
        "from vaedocs.__main__ import main\n"
        f"raise SystemExit(main({list(arguments)!r}))"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("command", ["train", "evaluate", "figures"])
def test_a_missing_extra_is_one_line_that_says_how_to_install_it(command: str) -> None:
    """No traceback: the command, what is absent, and what to type."""
    answer = with_sympy_alone(command)
    if answer.returncode == 2 and "usage:" in answer.stderr:  # it has a required argument
        answer = with_sympy_alone(command, "runs/absent")
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert len(answer.stderr.strip().splitlines()) == 1
    assert answer.stderr.startswith(f"vaedocs {command} needs torch, ")
    assert "python -m pip install 'vaedocs[train]'" in answer.stderr


def test_check_works_with_sympy_alone(tmp_path: Path) -> None:
    """A right row passes and a wrong one is found, with nothing but SymPy."""
    right, wrong = tmp_path / "right.md", tmp_path / "wrong.md"
    right.write_text("$$\n\\log p(x, z) = \\log p(x \\mid z) + \\log p(z)\n$$\n", encoding="utf-8")
    wrong.write_text("$$\n\\log p(x, z) = \\log p(x \\mid z) - \\log p(z)\n$$\n", encoding="utf-8")
    passed = with_sympy_alone("check", str(right))
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert with_sympy_alone("check", str(wrong)).returncode == 1


def test_help_is_readable_with_sympy_alone() -> None:
    """`vaedocs train --help` explains itself before anything is installed."""
    answer = with_sympy_alone("train", "--help")
    assert answer.returncode == 0
    assert "--epochs" in answer.stdout


def test_no_command_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    """Bare `vaedocs` prints the help on standard error and exits with 2."""
    assert command_line.main([]) == 2
    assert "usage: vaedocs" in capsys.readouterr().err


def stub(monkeypatch: pytest.MonkeyPatch, run: object) -> None:
    """Give the command line one subcommand, `work`, that calls ``run``."""
    parser = argparse.ArgumentParser(prog="vaedocs")
    parser.add_argument("--version", action="store_true")
    subparsers = parser.add_subparsers(dest="command")
    subparsers.add_parser("work").set_defaults(run=run)
    monkeypatch.setattr(command_line, "parser", lambda: parser)


def test_the_status_of_a_subcommand_is_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `run` returns is what the shell sees."""
    stub(monkeypatch, lambda options: 7)
    assert command_line.main(["work"]) == 7


def test_ctrl_c_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interrupt that a subcommand does not handle ends with status 130 and no traceback."""

    def interrupted(options: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    stub(monkeypatch, interrupted)
    assert command_line.main(["work"]) == 130
    assert capsys.readouterr().err.strip() == "vaedocs work: stopped by Ctrl-C"
