"""KaTeX runs in Python, refuses what it cannot read, and says where."""

from __future__ import annotations

import threading

import pytest

from vaedocs.site import typesetting
from vaedocs.site.typesetting import BadFormula, expand, height, typeset


def test_both_for_the_eye_and_for_a_screen_reader() -> None:
    markup = typeset(r"\log p_\theta(x \mid z)")
    assert "<math" in markup
    assert 'aria-hidden="true" data-search-exclude>' in markup
    assert markup.count("<vaedocs-math") == markup.count("</vaedocs-math>") == 1


def test_only_a_display_carries_its_source() -> None:
    assert "annotation" in typeset("x < y", display=True)
    assert "annotation" not in typeset("x < y")


@pytest.mark.parametrize(
    ("latex", "words", "place"),
    [
        (r"a + \fracc{1}{2}", "Undefined control sequence: \\fracc", 4),
        ("x_a_b", "Double subscript", 3),
        (r"\href{https://example.org}{x}", "not trusted", -1),
    ],
)
def test_what_katex_refuses(latex: str, words: str, place: int) -> None:
    if "href" in latex:
        # Without trust, KaTeX shows a command that could load or run something as an error.
        assert "example.org" not in typeset(latex).partition("<math")[0]
        assert 'href="' not in typeset(latex)
        return
    with pytest.raises(BadFormula, match=words.replace("\\", "\\\\")) as caught:
        typeset(latex)
    assert caught.value.position == place


def test_height_grows_with_the_rows() -> None:
    def tall(rows: int) -> float:
        body = r"\\ ".join([r"a &= \frac{b}{c}"] * rows)
        return height(typeset(rf"\begin{{aligned}} {body} \end{{aligned}}", display=True))

    assert tall(1) < tall(2) < tall(4)
    assert tall(4) - tall(3) == pytest.approx(tall(3) - tall(2), abs=0.01)


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\KL{q}{p}", r"D_{\mathrm{KL}}\left(q \,\|\, p\right)"),
        (
            r"\KL{q(z\mid x)}{\frac{1}{2}}",
            r"D_{\mathrm{KL}}\left(q(z\mid x) \,\|\, \frac{1}{2}\right)",
        ),
        (r"\E x", r"\mathbb{E}x"),
        (r"\Entropy", r"\Entropy"),
    ],
)
def test_macros_are_written_out_for_the_checker(latex: str, expected: str) -> None:
    assert expand(latex, typesetting.shared_macros()) == expected


def test_a_macro_looks_the_same_written_out() -> None:
    short, long = r"\KL{q}{p}", expand(r"\KL{q}{p}", typesetting.shared_macros())
    drawn = [typeset(text).partition("<vaedocs-math")[2] for text in (short, long)]
    assert drawn[0] == drawn[1]


def test_own_macros() -> None:
    assert "H" in typesetting.plain(typeset(r"\Ent", macros={r"\Ent": r"\mathrm{H}"}))


def test_each_thread_has_its_own_engine() -> None:
    """A server rebuilds in a second thread, and QuickJS does not cross threads."""
    found: list[str] = []
    typeset("a_{1}")
    thread = threading.Thread(target=lambda: found.append(typeset("a_{2}")))
    thread.start()
    thread.join()
    assert "<math" in found[0]
