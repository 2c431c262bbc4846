"""Displays are found where readers see them, with their line, and with the comments above them."""

import json
from pathlib import Path

import pytest

from vaedocs.derivation.sources import SourceError, find_displays, find_files


def found(text, name="page.md"):
    return [(d.line, d.latex.strip()) for d in find_displays(name, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n\n$$ x = y $$\n", [(3, "x = y")]),
        ("$$\nx = y\n$$\n", [(1, "x = y")]),
        ("\\[ x = y \\]\n\ntext\n\\[\nu = v\n\\]", [(1, "x = y"), (4, "u = v")]),
        ("```math\nx = y\n```\n", [(1, "x = y")]),
        ("- item\n\n    $$ x = y $$\n", [(3, "x = y")]),
        ("> $$\n> x = y\n> $$\n", [(1, "x = y")]),
        (
            "\\begin{equation}\nx = y\n\\end{equation}",
            [(1, "\\begin{equation}\nx = y\n\\end{equation}")],
        ),
        ("```python\n$$ x = y $$\n```\n", []),
        ("the code `$$ x = y $$` is no display\n", []),
        ("a price of \\$$5 and \\$$6\n", []),
        ("an inline $$x$$ in running text, as some blogs write\n", []),
        ("---\ntitle: $$ x = y $$\n---\n\n$$ u = v $$\n", [(5, "u = v")]),
    ],
)
def test_markdown(text, expected):
    assert found(text) == expected


def test_latex_environments_and_comment_lines_of_a_tex_file():
    text = (
        "% given: c > 0\n%   d > 0\n% holds: d = c\n\\begin{align*}\nc &= d\n\\end{align*}\n"
        "% an ordinary comment\n\\[ u = v \\]\n"
    )
    first, second = find_displays("a.tex", text)
    assert (first.line, second.line) == (4, 8)
    assert (first.holds, second.holds) == (("d = c",), ())
    assert [line.strip() for line in first.given[0].split("\n")] == ["c > 0", "d > 0"]
    assert second.given == ()


def test_notebook_cells_and_percent_scripts():
    cells = [
        {"cell_type": "code", "source": ["x = '$$'\n"]},
        {"cell_type": "markdown", "source": ["Text\n", "\n", "$$ x = y $$\n"]},
    ]
    notebook = json.dumps({"cells": cells, "nbformat": 4})
    assert [d.latex.strip() for d in find_displays("a.ipynb", notebook)] == ["x = y"]
    script = "# %%\nx = 1\n# %% [markdown]\n# Text\n#\n# $$ x = y $$\n"
    assert found(script, "a.py") == [(6, "x = y")]


def test_the_comments_above_a_display_belong_to_it():
    text = (
        "<!-- given page: c > 0 -->\n\n<!-- given:\nx discrete\n-->\n<!-- wrong: 2 -->\n"
        "$$ x = y $$\n\n<!-- tested: no lemma -->\n<!-- holds:\nv = u\n-->\n$$ u = v $$\n"
    )
    first, second = find_displays("a.md", text)
    assert (first.given, first.wrong, first.tested) == (("c > 0", "x discrete"), "2", None)
    assert (second.given, second.wrong, second.tested) == (("c > 0",), None, "no lemma")
    assert (first.holds, second.holds) == ((), ("v = u",))


def test_a_gallery_page_holds_wrong_displays_unless_they_are_marked_right():
    text = "---\nwrong: true\n---\n$$ x = y $$\n\n<!-- right -->\n$$ u = v $$\n"
    assert [d.wrong for d in find_displays("a.md", text)] == ["", None]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a\n\n$$ x = y\n", 3, "never closed: $$ is missing"),
        ("\\begin{align}\nx\n", 1, r"\end{align} is missing"),
        ("<!-- given: c > 0 -->\n\nSome words.\n\n$$ x = y $$\n", 1, "belongs to no display"),
        ("<!-- given: c > 0 -->\n", 1, "belongs to no display"),
        ("<!-- tested: -->\n$$ x = y $$", 1, "needs a reason"),
        ("a\n<!-- given: c > 0\n\n$$ x = y $$\n", 2, "never closed: --> is missing"),
        ("a\n<!-- givne: c > 0 -->\n$$ x = y $$\n", 2, "is it “given”?"),
    ],
)
def test_what_cannot_be_told_is_an_error_with_its_line(text, line, words):
    with pytest.raises(SourceError) as caught:
        find_displays("a.md", text)
    assert caught.value.line == line
    assert words in caught.value.message


@pytest.mark.parametrize("text", ["[]", '{"cells": 3}', '{"cells": [7]}'])
def test_a_file_that_is_no_notebook_is_told(text):
    with pytest.raises(SourceError) as caught:
        find_displays("a.ipynb", text)
    assert "no notebook" in caught.value.message


def test_a_byte_order_mark_hides_no_display():
    assert found("\ufeff$$ x = y $$\n") == [(1, "x = y")]


def test_folders_are_searched_for_pages_and_notebooks_only(tmp_path: Path):
    for name, text in {
        "a.md": "",
        "b/c.tex": "",
        "d.py": "x = 1",
        "e.py": "# %% [markdown]\n",
        ".hidden/f.md": "",
        "g.txt": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert [str(p.relative_to(tmp_path)) for p in find_files([tmp_path])] == [
        "a.md",
        "b/c.tex",
        "e.py",
    ]
