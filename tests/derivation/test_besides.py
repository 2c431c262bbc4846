r"""What must hold besides: a definition, or a row that stays true with a sign turned, is told."""

from __future__ import annotations

import re

import pytest

from vaedocs.derivation import check
from vaedocs.derivation.page import check_page, problems
from vaedocs.derivation.sources import find_displays

INFORMATION = r"I(x) := -\log p(x)"
SQUARE = r"""\mathbb{E}_{p(\zeta)}\left[ (\mu + \zeta)^2 \zeta \right]
  = \mathbb{E}_{p(\zeta)}\left[ \mu^2 \zeta + 2 \mu \zeta^2 + \zeta^3 \right]"""
NOISE = r"p(\zeta) = \mathcal{N}(0, 1)"
EXPANDED = r"\mu^2 \zeta + 2 \mu \zeta^2 + \zeta^3 = (\mu + \zeta)^2 \zeta"


def told(latex: str, given: str, holds: str) -> str:
    return "\n".join(check(latex, given, holds=holds, path="a.md", line=5).problems())


@pytest.mark.parametrize(
    ("latex", "given", "holds", "turned"),
    [
        (INFORMATION, "x discrete", r"I(x) \geq 0", ("-\\log", "+\\log")),
        (SQUARE, NOISE, EXPANDED, ("+ \\zeta^3", "- \\zeta^3")),
        # What a display says of a density or of a model is known too.
        (
            r"q(z) := \frac{1}{2} \left( p(z) + p(z) \right)",
            "",
            "q(z) = p(z)",
            ("+ p(z)", "- p(z)"),
        ),
        (
            r"p(z) = \mathcal{N}(1 + m, 1)",
            "",
            r"\mathbb{E}_{p(z)}[z] = 1 + m",
            ("1 + m, 1", "1 - m, 1"),
        ),
        # What stands over a brace may be meant without it, and of a long sum two terms.
        (
            r"\underbrace{D_{KL}(q(z) \| p(z))}_{\geq 0} + \mathbb{E}_{q(z)}[\log p(z)] + c"
            r" = \mathbb{E}_{q(z)}[\log q(z)] + c",
            "",
            r"D_{KL}(q(z) \| p(z)) + \mathbb{E}_{q(z)}[\log p(z)] = \mathbb{E}_{q(z)}[\log q(z)]",
            ("\\| p(z))}_{\\geq 0} + ", "\\| p(z))}_{\\geq 0} - "),
        ),
        (r"2 \sigma \cos(0) = 2 \sigma", "", r"\sigma \cos(0) = \sigma", ("", "")),
    ],
)
def test_what_holds_passes_and_a_turned_sign_does_not(
    latex: str, given: str, holds: str, turned: tuple[str, str]
) -> None:
    assert told(latex, given, holds) == ""
    if all(turned):
        assert turned[0] in latex
        assert re.match(r"a\.md:[56]: row 1 is ", told(latex.replace(*turned), given, holds))


def test_a_definition_is_told_by_its_consequence_with_numbers() -> None:
    assert told(r"I(x) := +\log p(x)", "x discrete", r"I(x) \geq 0") == (
        "a.md:5: row 1 is wrong: the comment above the display says that $I(x) \\geq 0$ holds, "
        "and it does not\n"
        "  left side = -0.69315   right side = 0   when\n"
        "  x takes 2 values; p(x) = 1/2; x is observed at its 1st value"
    )


def test_a_changed_part_is_told_at_its_line_with_what_stands_there() -> None:
    changed = SQUARE.replace("+ \\zeta^3", "- \\zeta^3")
    assert check(changed, NOISE).ok, "without the comment nobody would know"
    assert told(changed, NOISE, EXPANDED) == (
        "a.md:6: row 1 is not as the comment above the display has it, which says what holds of "
        "“\\mu^2 \\zeta + 2 \\mu \\zeta^2 + \\zeta^3”; here stands “\\mu^2 \\zeta + 2 \\mu "
        "\\zeta^2 - \\zeta^3”\n"
        "  mend the row or the comment: what must hold begins with an expression of the display, "
        "or uses a name that it defines"
    )


@pytest.mark.parametrize(
    ("holds", "words"),
    [
        (r"I(x) = -\log p(x)", "row 1 is not checked: that $I(x) = -\\log p(x)$ is nothing new"),
        (r"I(x) = \foo", "row 1 is not checked: cannot read what must hold, “I(x) = \\foo”"),
        (r"I(x) = \log", "row 1 is not checked: cannot read what must hold, “I(x) = \\log”"),
        (r"I(x) < \mathcal{M}", "row 1 is not checked: whether $I(x) < \\mathcal{M}$ holds"),
        (
            r"I(x) \in \mathbb{R}",
            "row 1 is not checked: that $I(x) \\in \\mathbb{R}$ is nothing new",
        ),
        (r"\log q(x) \leq 0", "row 1 is not as the comment above the display has it"),
    ],
)
def test_what_pins_nothing_down_is_no_check(holds: str, words: str) -> None:
    assert words in told(INFORMATION, "x discrete", holds)


def test_a_wrong_piece_is_held_too() -> None:
    text = (
        "<!-- wrong: 1 -->\n<!-- holds:\n"
        r"\log p(x) + \log p(z) = \log (p(x) p(z))"
        "\n-->\n$$ \\log p(x, z) = \\log p(x) + \\log p(z) $$\n"
    )
    for page, wanted in ((text, 0), (text.replace("p(x) + \\log p(z) $$", "p(x) - 1 $$"), 1)):
        ((display, report),) = check_page(find_displays("a.md", page))
        assert len(problems(display, report, strict=True)) == wanted


def test_a_report_tells_what_held() -> None:
    report = check(INFORMATION, "x discrete", holds=[r"I(x) \geq 0", r"I(x) = \log \frac{1}{p(x)}"])
    assert [(row.number, row.verdict) for row in report.held] == [(1, "proved")] * 2
    assert "1  proved besides: I(x) \\geq 0" in str(report)
    assert report.to_json()["holds"][0]["left"] == r"I(x) \geq 0"
    assert report.verdict == "definition"
