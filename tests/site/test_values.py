"""Numbers, code and figures on a page: computed, shown as they run, or the build stops."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import html
from markup import complaint, words

if TYPE_CHECKING:
    from conftest import Convert


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ drawings.number | .3f }} nats", "0.155 nats"),
        ("{{drawings.triangle.direct|.0f}}", "2"),
        ("{{ drawings.half.nats | .2f }}", "\u22120.69"),
        ("`{{ drawings.number }}`", "{{ drawings.number }}"),
        ("$x = {{ drawings.half.nats | .1f }}$", "x=\u22120.7"),
    ],
)
def test_values_are_computed(convert: Convert, drawings: None, text: str, expected: str) -> None:
    assert expected in words(convert(text)).replace(" ", " ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ drawings.number }}", "drawings.number is 0.15484; say how many digits: {{ "),
        ("{{ drawings.numbr | .1f }}", 'drawings has no "numbr"; did you mean "number"?'),
        ("{{ drawings.triangle.dircet | .1f }}", 'has no "dircet"; did you mean "direct"'),
        ("{{ drawings.triangle }}", "drawings.triangle is a Sides; expected one number or text"),
        ("{{ drawings.missing | .1f }}", "drawings.missing is not a number (nan)"),
        (
            "{{ drawings.broken | .1f }}",
            "drawings.broken() raised ZeroDivisionError: division by zero",
        ),
        (
            "{{ drawings.needs | .1f }}",
            "drawings.needs() raised TypeError: needs() missing 1 required",
        ),
        ("{{ drawings.number | .3q }}", 'format ".3q" does not fit 0.15484'),
        ("{{ drawings.dies | .1f }}", "the process that evaluated it died (exit status 3)"),
    ],
)
def test_a_value_that_cannot_be_had_stops_the_build(
    convert: Convert, drawings: None, text: str, expected: str
) -> None:
    told = complaint(convert, f"Text\nand {text}")
    assert told.startswith("docs/page.md:2:5: ")
    assert expected in told


def test_code_is_shown_as_it_runs(convert: Convert, docs: Path, drawings: None) -> None:
    tests = docs.parent / "tests"
    tests.mkdir()
    (tests / "test_drawings.py").write_text(
        "import drawings as d\n\ndef test_dot():\n    assert d.figure()\n\n"
        "def test_other():\n    assert d.number()\n",
        encoding="utf-8",
    )
    text = "/// source | drawings.figure\n///"
    markup = convert(text, repo_url="https://example.org/r", require_tests=True)
    assert ">>> 1" in html.fromstring(markup).text_content()
    source = (docs.parent / "drawings.py").read_text(encoding="utf-8").split("\n")
    first = source.index("def figure():") + 1
    link = f"https://example.org/r/blob/main/drawings.py#L{first}-L{first + 6}"
    assert f'<a href="{link}">drawings.py, lines {first} to {first + 6}</a>' in markup
    assert "its doctest and <a" in markup
    assert "tests/test_drawings.py#L3" in markup
    assert "test_other" not in markup


def test_code_without_a_test_can_be_refused(convert: Convert, drawings: None) -> None:
    text = "/// source | drawings.broken\n///"
    assert "tested by" not in convert(text)
    told = complaint(convert, text, require_tests=True)
    assert "drawings.broken is shown, but no test below tests/ names it" in told


def test_a_power_of_ten_is_written_as_people_write_it(convert: Convert, drawings: None) -> None:
    value = "{{ drawings.number | .0e }}"
    markup = convert(f"{value} nats, $x = {value}$")
    assert "2\u00a0\u00d7\u00a010<sup>\u22121</sup> nats" in markup
    assert markup.count("<msup>") == 1
    assert "<mo>\u00d7</mo>" in markup
    assert "e-01" not in markup


def test_numbers_in_a_description_are_computed(convert: Convert, drawings: None) -> None:
    block = "/// figure | drawings.figure\n    alt: At {} nats.\n///"
    markup = convert(block.format("{{ drawings.number | .2f }} or {{ drawings.number | .0e }}"))
    described = html.fromstring(markup).xpath("string(.//desc)")
    assert described == "At 0.15 or 2\u00a0\u00d7\u00a010\u207b\u00b9 nats."
    told = complaint(convert, "Text\n\n" + block.format("{{ drawings.numbr | .2f }}"))
    assert told.startswith("docs/page.md:3: ")
    assert 'did you mean "number"' in told


def test_a_figure_has_its_words(convert: Convert, drawings: None) -> None:
    markup = convert(
        "/// figure | drawings.figure\n    alt: A dot & <more>\n\nThe *caption* of $x$.\n///"
    )
    tree = html.fromstring(markup)
    assert tree.xpath("string(.//desc)") == "A dot & <more>"
    assert tree.xpath("string(.//title)") == "Figure"
    assert tree.xpath("string(.//figcaption//em)") == "caption"
    assert tree.xpath(".//figcaption//math")
    assert "wzxhzdk" not in markup
