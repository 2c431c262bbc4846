r"""What f(z) > 0 and f(z) \geq 0 say differs in zero."""

import pytest

from vaedocs.derivation import check

CLAIMS = [
    # claim, under f(z) > 0, under f(z) >= 0
    (r"f(z) \geq 0", True, True),
    (r"f(z) > 0", True, False),
    (r"\mathbb{E}_{q(z)}[f(z)] \geq 0", True, True),
    (r"\mathbb{E}_{q(z)}[f(z)] > 0", True, False),
    (r"f(z) \leq 0", False, False),
]


@pytest.mark.parametrize(("latex", "positive", "nonnegative"), CLAIMS)
def test_zero_is_a_value_where_it_was_not_excluded(
    latex: str, positive: bool, nonnegative: bool
) -> None:
    told = {"f(z) > 0": positive, r"f(z) \geq 0": nonnegative, "f(z) nonnegative": nonnegative}
    for given, holds in told.items():
        report = check(latex, given)
        assert report.ok == holds, (given, str(report))
        assert holds or report.verdict == "refuted"
