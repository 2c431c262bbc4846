"""The importance-weighted bound: monotone, with its 1/K law, its error and its failures."""

import math
from itertools import pairwise

import pytest
import torch

from vaedocs import drawing, measure_the_gap, tighter_bounds
from vaedocs.lower_bound_reformulated import gaussian_log_likelihood

EXAMPLE = tuple(
    torch.tensor([[v]], dtype=torch.float64)
    for v in (tighter_bounds.X, tighter_bounds.MEAN, math.log(tighter_bounds.VARIANCE))
)


def decoder(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    return gaussian_log_likelihood(x, z, 1.0)


def log_weights(*shape: int, seed: int = 0) -> torch.Tensor:
    """Draws of log w for the example of the page."""
    x, mean, log_variance = EXAMPLE
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(*shape, 1, generator=generator, dtype=torch.float64)
    z = mean + torch.exp(log_variance / 2) * noise
    return tighter_bounds.log_weight(decoder(x, z), z, mean, log_variance)


def test_numbers_of_the_example() -> None:
    found = tighter_bounds.example()
    assert found.log_evidence == pytest.approx(-1.515512, abs=5e-7)
    assert found.elbo == pytest.approx(-1.674299, abs=5e-7)
    assert found.half_variance == pytest.approx(0.0865, abs=5e-5)
    x, mean, log_variance = EXAMPLE
    assert measure_the_gap.elbo(decoder, x, mean, log_variance).item() == pytest.approx(found.elbo)


def test_bound_of_two_samples_by_a_grid_in_both() -> None:
    """Another rule for the same number: log of (w1 + w2) / 2 under q(z1) q(z2)."""
    axis = torch.linspace(-9, 9, 721, dtype=torch.float64)
    x, mean, log_variance = EXAMPLE
    z = (mean + torch.exp(log_variance / 2) * axis[:, None])[:, None]
    log_w = tighter_bounds.log_weight(decoder(x, z), z, mean, log_variance).reshape(-1)
    weight = torch.softmax(-0.5 * axis.square(), 0)
    pairs = torch.logaddexp(log_w[:, None], log_w) - math.log(2)
    bound = weight @ pairs @ weight
    expected = tighter_bounds.example().log_evidence - tighter_bounds.exact_gap(2)
    assert bound.item() == pytest.approx(expected, abs=1e-11)


def test_bound_rises_with_every_sample() -> None:
    gaps = [tighter_bounds.exact_gap(k) for k in range(1, 30)]
    assert all(later < earlier for earlier, later in pairwise(gaps))
    assert gaps[0] == pytest.approx(tighter_bounds.example().gap, abs=1e-12)


def test_gap_follows_half_the_variance_over_k() -> None:
    limit = tighter_bounds.example().half_variance
    excess = [k * tighter_bounds.exact_gap(k) - limit for k in (250, 500, 1000, 2000)]
    assert 0 < excess[-1] < 5e-5
    # The next term of the expansion is of order 1/K, so doubling K halves the excess.
    for earlier, later in pairwise(excess):
        assert earlier / later == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("k", [2, 5, 50])
def test_sampling_agrees_with_the_exact_bound(k: int) -> None:
    values = tighter_bounds.log_mean_exp(log_weights(k, 20_000, seed=k), 0)
    error = values.std().item() / math.sqrt(20_000)
    exact = tighter_bounds.example().log_evidence - tighter_bounds.exact_gap(k)
    assert abs(values.mean().item() - exact) < 4 * error < 0.02


def test_standard_error_is_the_spread_of_repetitions() -> None:
    x, mean, log_variance = (t.expand(1000, 1) for t in EXAMPLE)
    generator = torch.Generator().manual_seed(0)
    found = tighter_bounds.importance_weighted(
        decoder, x, mean, log_variance, 200, generator=generator
    )
    assert found.value.std().item() == pytest.approx(found.standard_error.mean().item(), rel=0.1)
    bias = found.value.mean().item() - tighter_bounds.example().log_evidence
    assert abs(bias + tighter_bounds.exact_gap(200)) < 4 * found.mean_standard_error
    assert found.mean == found.value.mean().item()
    # K / (1 + Var(w / p(x))) for many samples.
    effective = 200 / (1 + 2 * tighter_bounds.example().half_variance)
    assert found.effective_samples.mean().item() == pytest.approx(effective, rel=0.02)


def test_blocks_change_the_noise_but_not_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tighter_bounds, "ELEMENTS_AT_ONCE", 7)
    generator = torch.Generator().manual_seed(0)
    found = tighter_bounds.importance_weighted(decoder, *EXAMPLE, 1000, generator=generator)
    truth = tighter_bounds.example().log_evidence
    assert abs(found.value.item() - truth) < 4 * found.standard_error.item() < 0.1


def test_one_sample_has_no_standard_error() -> None:
    with pytest.raises(ValueError, match="samples = 1; expected at least 2"):
        tighter_bounds.importance_weighted(decoder, *EXAMPLE, 1)
    with pytest.raises(ValueError, match=r"shape \[0, 3\]; expected a sample"):
        tighter_bounds.log_mean_exp(torch.zeros(0, 3))


def test_gradient_is_the_normalised_weights() -> None:
    log_w = log_weights(6).reshape(-1).requires_grad_()
    tighter_bounds.log_mean_exp(log_w).backward()
    assert log_w.grad is not None
    assert torch.allclose(log_w.grad, torch.softmax(log_w.detach(), 0))
    assert torch.autograd.gradcheck(tighter_bounds.log_mean_exp, (log_w,))


def test_softmax_of_the_log_weights_is_never_below_the_bound() -> None:
    """It exceeds log-mean-exp by log K less the entropy of the normalised weights."""
    log_w = log_weights(50, 8, seed=3).squeeze(-1)
    normal = torch.softmax(log_w, 1)
    excess = (normal * log_w).sum(1) - tighter_bounds.log_mean_exp(log_w, 1)
    entropy = -(normal * normal.log()).sum(1)
    assert torch.allclose(excess, math.log(8) - entropy)
    assert (excess > 0).all()


def test_wrong_estimators_end_where_the_formulas_say() -> None:
    """The limits by a grid: averages of log w under weights w and 1/w."""
    axis = torch.linspace(-15, 15, 6001, dtype=torch.float64)
    x, mean, log_variance = EXAMPLE
    z = (mean + torch.exp(log_variance / 2) * axis[:, None])[:, None]
    log_w = tighter_bounds.log_weight(decoder(x, z), z, mean, log_variance).reshape(-1)
    log_q, truth = -0.5 * axis.square(), tighter_bounds.example().log_evidence
    found = tighter_bounds.wrong_estimators()
    above = (torch.softmax(log_q + log_w, 0) * log_w).sum().item() - truth
    below = (torch.softmax(log_q - log_w, 0) * log_w).sum().item() - truth
    assert found.softmax_of_log_weights == pytest.approx(above, abs=1e-9)
    assert found.softmax_of_loss == pytest.approx(below, abs=1e-9)
    assert below < tighter_bounds.example().elbo - truth < 0 < above
    # Without the sample the expected square s^2 / 2 goes missing: 0.81 / 2 here.
    plug_in = tighter_bounds.example().elbo - truth + tighter_bounds.VARIANCE / 2
    assert found.plug_in_mean == pytest.approx(plug_in)


def test_variance_of_the_weights_by_a_grid() -> None:
    z = torch.linspace(-12, 12, 9601, dtype=torch.float64)[:, None]
    middle = torch.full_like(z, 0.5)
    posterior = gaussian_log_likelihood(z, middle, 0.5)
    for variance in (0.3, 0.81, 2.0):
        q = gaussian_log_likelihood(z, torch.full_like(z, 0.2), variance)
        second = (2 * posterior - q).exp().sum().item() * 24 / 9600
        assert tighter_bounds.relative_variance(variance) == pytest.approx(second - 1, rel=1e-8)
    with pytest.raises(ValueError, match="variance = 0; expected a positive number"):
        tighter_bounds.relative_variance(0)


def test_ten_thousand_samples_miss_an_outlier_and_do_not_know_it() -> None:
    found = tighter_bounds.outlier()
    assert found.miss > 1
    assert found.beyond_four >= 3


@pytest.mark.parametrize("name", ["figure_bounds", "figure_wrong"])
def test_figure_is_drawn_in_the_colours_of_the_book(name: str) -> None:
    picture = drawing.svg(getattr(tighter_bounds, name)(), "a figure of this page")
    assert "var(--vaedocs-" in picture
