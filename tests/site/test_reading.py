# ruff: noqa: E501 (a table of pairs reads better with each pair on one line)
"""A page is read strictly: what looks like a display or a block and is not one is an error."""

from __future__ import annotations

import pytest

from vaedocs.site.pieces import Block, Prose, Verbatim, front_matter
from vaedocs.site.reading import read

OURS = ("source", "figure")


def faults(text: str) -> list[str]:
    return [f"{f.line}:{f.column} {f.message}" for f in read(text.split("\n"), OURS).faults]


def test_a_display_keeps_its_place_on_the_page() -> None:
    text = (
        "!!! note\n\n    Hear:\n\n    $$ \\label{eq:a}\n    x &= y \\\\\n      &= \\bad\n    $$\n"
    )
    (display,) = read(text.split("\n")).displays
    assert display.label == "eq:a"
    assert "\\label" not in display.latex
    assert display.place(display.latex.index("\\bad")) == (7, 10)


def test_a_comment_above_belongs_to_the_display_below() -> None:
    lines = ["<!-- given:", "\\sigma > 0", "-->", "", "<!-- wrong: row 2 -->", "$$ x $$"]
    (display,) = read(lines).displays
    assert display.notes == {"given": "\\sigma > 0", "wrong": "row 2"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Text\n$$ x $$", "2:1 a display stands alone: leave a blank line above $$"),
        ("$$ x $$\nText", "2:0 a display stands alone: leave a blank line below $$"),
        ("$$ x $$ {: #a}", '1:0 text after the display: "{: #a}"; a display stands alone'),
        ("$$\nx\n\ny $$", "1:1 this display is not closed: end it with $$ (no blank line inside)"),
        ("$$ $$", "1:0 an empty display"),
        ("$$\n<!-- given: -->\nx\n$$", "1:0 a comment inside a display: put it above the $$"),
        ("$$ \\label{one} x $$", '1:0 label "one"; write \\label{eq:name}: letters, digits, - and _'),
        ("$$ \\label{eq:a} \\label{eq:b} x $$", "1:0 one display, two labels (eq:a, eq:b): keep one"),
        ("$$ \\label x $$", "1:0 a \\label without its braces: write \\label{eq:name}"),
        ("/// sauce | a.b\n///", '1:0 no block is called "sauce"; did you mean "source"? '
         "(there are: figure, source)"),
        ("/// source | a.b\nText", '1:0 the block "/// source" is not closed: end it with a line "///"'),
        ("/// source | a\n/// figure | b\n///",
         '1:0 the block "/// source" is not closed: end it with a line "///"'),
        ("Text\n\n///", "3:0 /// closes nothing: no block is open here"),
        ("```\ncode", "1:0 the code that opens here with ``` is never closed"),
        ("<!-- given: x > 0 -->\n\nText", '1:0 this "given" comment belongs to no display: '
         "put it directly above the $$ it is for"),
        ("<!-- gvien: x -->", '1:0 comment "gvien"; did you mean "given"?'),
        ("<!-- given: x", "1:0 the comment that opens here is never closed: add -->"),
        ("<!-- tested: -->\n$$ x $$", '1:0 "tested:" needs a reason: why is the display not proved?'),
        ("/// figure | a\n    alt x\n///", '2:0 expected an option "name: value", found "alt x"'),
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_an_error(text: str, expected: str) -> None:
    assert expected in faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "```\n$$ x\n/// sauce\n```",
        "~~~~\n```\n$$\n~~~~",
        "Text\n\n    $$ code in a paragraph's depth",
        "- item\n\n        $$ code in an item",
        "<script>\nvar a = '$$';\n</script>",
        "<!-- $$ a remark -->",
        "A // comment, and/or",
    ],
)
def test_code_and_remarks_are_left_alone(text: str) -> None:
    assert faults(text) == []
    assert not read(text.split("\n")).displays


@pytest.mark.parametrize("opener", ["- item", "1. item", '!!! note "T"', '??? success "Answer"'])
def test_what_stands_in_a_container_is_not_code(opener: str) -> None:
    assert len(read(f"{opener}\n\n    $$ x $$\n".split("\n")).displays) == 1


def test_options_of_a_block() -> None:
    text = '/// figure | a.b\n    alt: "Two: humps"\n    long: one\n      two\n\nCaption.\n///'
    (block,) = (p for p in read(text.split("\n"), OURS).pieces if isinstance(p, Block))
    assert block.options == {"alt": "Two: humps", "long": "one two"}
    assert block.argument == "a.b"
    assert block.body == 4


def test_other_peoples_blocks_are_handed_on() -> None:
    reading = read(["/// tab | One", "Text", "///"], OURS, ("tab",))
    assert not reading.faults
    assert [type(piece) for piece in reading.pieces] == [Verbatim, Prose, Verbatim]


def test_every_line_is_in_exactly_one_piece() -> None:
    text = "# T\n\nText\n```\ncode\n```\n<!-- given: a -->\n$$\nx\n$$\n\n/// source | a\n///\n"
    lines = text.split("\n")
    covered = [n for piece in read(lines, OURS).pieces for n in range(piece.start, piece.end)]
    assert covered == list(range(len(lines)))


def test_front_matter() -> None:
    assert front_matter("---\ndescription: a: b\nwrong: true\n---\nText") == (
        {"description": "a: b", "wrong": "true"},
        4,
    )
    assert front_matter("---\nnever closed") == ({}, 0)
