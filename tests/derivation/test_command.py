"""``vaedocs check`` as its user meets it: messages, exit status, JSON, annotations."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vaedocs.__main__ import main

RIGHT = "$$ p(x, z) = p(x \\mid z)\\, p(z) $$\n"
WRONG = (
    "text\n\n$$\n\\begin{aligned}\n"
    "p(x, z) &= p(x \\mid z)\\, p(x) \\\\\n&= p(z)\n\\end{aligned}\n$$\n"
)
UNREADABLE = "$$ \\mathcal{L} = \\log p(x) q(z) $$\n"


@pytest.fixture
def page(tmp_path: Path):
    def write(text: str, name: str = "notes.md") -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_a_right_page_passes(page, capsys):
    assert main(["check", page(RIGHT)]) == 0
    assert capsys.readouterr().out.startswith("1 display, 1 row: 1 proved (")


def test_a_wrong_row_is_named_with_its_line_and_numbers_that_differ(page, capsys):
    path = page(WRONG)
    assert main(["check", path]) == 1
    out = capsys.readouterr().out
    assert f"{path}:5: row 1 is wrong" in out
    assert "left side = " in out


def test_what_cannot_be_read_is_shown_with_column_and_caret(page, capsys):
    path = page(UNREADABLE)
    assert main(["check", path]) == 1
    out = capsys.readouterr().out.split("\n")
    assert out[0] == f"{path}:1:28: is this factor inside the logarithm?"
    assert out[2].strip() == "^"


def test_every_line_of_a_problem_stays_in_one_annotation(page, capsys):
    path = page(WRONG)
    main(["check", path, "--format", "github"])
    first = capsys.readouterr().out.split("\n")[0]
    assert first.startswith(f"::error file={path},line=5::row 1 is wrong")
    assert "%0A" in first


def test_json_holds_everything(page, tmp_path):
    target = tmp_path / "out.json"
    main(["check", page(WRONG), page(RIGHT, "b.md"), "--json", str(target)])
    displays = json.loads(target.read_text())
    assert [d["verdict"] for d in displays] == ["refuted", "proved"]
    rows = displays[0]["rows"]
    assert {
        "line",
        "relation",
        "verdict",
        "method",
        "uses",
        "counterexample",
        "message",
        "seconds",
    } <= set(rows[0])
    assert rows[0]["counterexample"]["left"] != rows[0]["counterexample"]["right"]


def test_explain_says_how_each_row_was_decided(page, capsys):
    main(["check", page(RIGHT), "--explain"])
    assert "proved (normal form)  uses the product rule for p" in capsys.readouterr().out


def test_standard_input_is_read_as_markdown():
    done = subprocess.run(
        [sys.executable, "-m", "vaedocs", "check", "-"],
        input=WRONG,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "<stdin>:5: row 1 is wrong" in done.stdout


def test_misuse_is_one_line_and_status_two(tmp_path, capsys):
    assert main(["check", str(tmp_path / "absent.md")]) == 2
    assert capsys.readouterr().err.strip().endswith("absent.md: no such file or folder")
    assert main(["check", str(tmp_path), "--json", str(tmp_path / "no" / "folder.json")]) == 2


def test_a_broken_file_is_reported_and_the_others_are_checked(page, capsys):
    broken, good = page("$$ x = y\n", "broken.md"), page(RIGHT, "good.md")
    assert main(["check", broken, good]) == 1
    out = capsys.readouterr().out
    assert f"{broken}:1: the display opened here with $$ is never closed" in out
    assert "1 display, 1 row: 1 proved" in out


def test_a_gallery_piece_must_be_refuted_in_the_row_it_names(page, capsys):
    assert main(["check", page("<!-- wrong: 1 -->\n" + WRONG.removeprefix("text\n\n"))]) == 0
    assert main(["check", page("<!-- wrong -->\n" + RIGHT)]) == 1
    assert "declared wrong, but no row of it was refuted" in capsys.readouterr().out


def test_strict_asks_for_a_reason_where_nothing_was_proved(page, capsys):
    text = "<!-- given: u, v \\in \\mathbb{R}^n -->\n$$ u^\\top v \\leq \\|u\\| \\|v\\| $$\n"
    assert main(["check", page(text)]) == 0
    assert main(["check", page(text), "--strict"]) == 1
    assert "tested, not proved" in capsys.readouterr().out
    assert (
        main(
            [
                "check",
                page("<!-- tested: Cauchy and Schwarz have no lemma here -->\n" + text),
                "--strict",
            ]
        )
        == 0
    )


def test_statements_given_on_the_command_line_hold_for_all(page):
    path = page("$$ \\log p(x) \\leq 0 $$\n")
    assert main(["check", path]) == 1
    assert main(["check", path, "--given", "x discrete"]) == 0
