"""Bound plus gap is the evidence: closed forms against quadrature and Monte Carlo."""

from itertools import pairwise

import pytest
import torch
from torch.distributions import Normal

from vaedocs.drawing import svg
from vaedocs.lower_bound import (
    Derivation,
    ascent,
    both_rise,
    derivation,
    elbo,
    figure_bars,
    linear_elbo,
    positive,
    split,
)

GRID = torch.linspace(-14, 14, 8001, dtype=torch.float64)
CASES = [(3.0, 2.0, 1.0, 0.0, 1.0), (2.0, 0.4, 1.0, 0.5, 1.0), (0.0, 0.1, 0.01, 0.3, 0.5)]


@pytest.mark.parametrize(("x", "w", "c", "mean", "std"), CASES)
class TestSplit:
    def test_the_two_parts_add_up(self, x, w, c, mean, std):
        one = split(x, w, c, mean, std)
        assert one.elbo + one.kl == pytest.approx(one.log_evidence, abs=1e-12)

    def test_all_three_agree_with_quadrature(self, x, w, c, mean, std):
        q = Normal(torch.tensor(mean, dtype=torch.float64), std)
        log_q = q.log_prob(GRID)
        log_joint = Normal(0.0, 1.0).log_prob(GRID) + Normal(w * GRID, c**0.5).log_prob(
            torch.tensor(x, dtype=torch.float64)
        )
        evidence = torch.trapezoid(log_joint.exp(), GRID).log()
        bound = torch.trapezoid(log_q.exp() * (log_joint - log_q), GRID)
        gap = torch.trapezoid(log_q.exp() * (log_q - log_joint + evidence), GRID)
        one = split(x, w, c, mean, std)
        assert one.log_evidence == pytest.approx(evidence.item(), abs=1e-10)
        assert one.elbo == pytest.approx(bound.item(), abs=1e-10)
        assert one.kl == pytest.approx(gap.item(), abs=1e-10)

    def test_monte_carlo_agrees_within_its_standard_error(self, x, w, c, mean, std):
        generator = torch.Generator().manual_seed(9)
        noise = torch.randn(100_000, generator=generator, dtype=torch.float64)
        z = mean + std * noise
        log_joint = Normal(0.0, 1.0).log_prob(z) + Normal(w * z, c**0.5).log_prob(
            torch.tensor(x, dtype=torch.float64)
        )
        log_q = Normal(mean, std).log_prob(z)
        error = (log_joint - log_q).std() / len(z) ** 0.5
        estimate = elbo(log_joint, log_q)
        assert abs(estimate - split(x, w, c, mean, std).elbo) < 5 * error


def test_bound_is_below_the_evidence_everywhere():
    generator = torch.Generator().manual_seed(10)
    draw = torch.randn(5, 500, generator=generator, dtype=torch.float64)
    x, w, c, mean, std = draw[0], draw[1], draw[2].exp(), draw[3], draw[4].exp()
    evidence = Normal(0.0, (w.square() + c).sqrt()).log_prob(x)
    assert (linear_elbo(x, w, c, mean, std) < evidence).all()


def test_with_a_fixed_decoder_the_gap_falls_as_the_bound_rises():
    stages = ascent()
    for earlier, later in pairwise(stages):
        assert later.elbo > earlier.elbo
        assert later.kl < earlier.kl
        assert later.log_evidence == earlier.log_evidence
    assert stages.best.kl == pytest.approx(0, abs=1e-12)


def test_with_a_learned_decoder_both_can_rise():
    pair = both_rise()
    assert (pair.before.elbo, pair.after.elbo) == pytest.approx((-2.744, -2.644), abs=5e-4)
    assert (pair.before.kl, pair.after.kl) == pytest.approx((0.027, 0.258), abs=5e-4)
    assert pair.after.log_evidence > pair.before.log_evidence


def test_evidence_and_bound_may_be_positive():
    answer = positive()
    assert answer.log_evidence == pytest.approx(1.0370729695, abs=1e-9)
    assert answer.elbo_at_posterior == pytest.approx(answer.log_evidence, abs=1e-12)
    assert 0 < answer.elbo_at_prior < answer.log_evidence
    assert answer.evidence > 1


class TestDerivation:
    def test_every_step_is_proved(self):
        report = derivation().verify()
        assert [row.verdict for row in report.rows] == ["proved"] * 5
        assert [row.relation for row in report.rows] == ["=", "=", "=", "=", ">="]

    def test_the_last_step_rests_on_gibbs(self):
        assert any("Gibbs" in fact for fact in derivation().verify().rows[-1].uses)

    @pytest.mark.parametrize("row", range(1, 5))
    def test_a_row_with_its_sign_turned_is_refuted_and_no_other(self, row):
        rows, relations = derivation()
        wrong = (*rows[:row], -rows[row], *rows[row + 1 :])
        report = Derivation(wrong, relations).verify()
        assert [r.number - 1 for r in report.rows if r.verdict == "refuted"] == [row]

    def test_a_reversed_inequality_is_refuted(self):
        rows, _ = derivation()
        assert Derivation((rows[0], rows[-1]), (r"\leq",)).verify().verdict == "refuted"


def test_words():
    with pytest.raises(ValueError, match=r"log_joint has shape \[2\].*at least one sample"):
        elbo(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match="at least one sample"):
        elbo(torch.zeros(0), torch.zeros(0))
    one = torch.tensor(1.0)
    with pytest.raises(ValueError, match="std = -1; expected a positive finite number"):
        linear_elbo(one, one, one, one, -one)
    with pytest.raises(ValueError, match="variance = 0; expected a positive finite number"):
        linear_elbo(one, one, 0 * one, one, one)


def test_every_bar_ends_at_the_evidence():
    figure = figure_bars()
    for ax, stages in zip(figure.axes, (ascent(), both_rise()), strict=True):
        bounds, gaps = ax.patches[0::2], ax.patches[1::2]
        for stage, bound, gap in zip(stages, bounds, gaps, strict=True):
            assert bound.get_y() + bound.get_height() == pytest.approx(stage.elbo)
            assert gap.get_y() + gap.get_height() == pytest.approx(stage.log_evidence)
    assert svg(figure, "a title").startswith("<svg")
