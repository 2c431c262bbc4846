"""``/// output``: what a function says, shown as a terminal would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vaedocs.site.pages import PageErrors

Convert = Callable[..., str]


@pytest.fixture
def speaker(docs: Path) -> None:
    (docs.parent / "speaker.py").write_text(
        'def hello():\n    return "a < b\\n  ^ here"\n\n\ndef nothing():\n    return ""\n', "utf-8"
    )


@pytest.mark.usefixtures("speaker")
def test_what_a_function_says_is_shown_as_it_is(convert: Convert) -> None:
    page = convert("/// output | speaker.hello\n///")
    assert "<code>a &lt; b\n  ^ here</code>" in page
    assert "speaker.hello" in page
    assert 'tabindex="0"' in page


@pytest.mark.usefixtures("speaker")
@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("speaker.nothing", "gave no text to show"),
        ("speaker.helo", "did you mean"),
    ],
)
def test_silence_and_misspellings_stop_the_build(
    convert: Convert, block: str, message: str
) -> None:
    with pytest.raises(PageErrors, match=message):
        convert(f"/// output | {block}\n///")
