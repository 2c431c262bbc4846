"""The surgery of the KL term, the collapse threshold, and beta as a change of c."""

import math

import pytest
import torch
from torch import Tensor

from vaedocs import drawing, kl_term, linear_vae
from vaedocs.from_lower_bound_to_vae import negative_elbo
from vaedocs.lower_bound_reformulated import gaussian_log_likelihood
from vaedocs.measure_the_gap import log_prior
from vaedocs.training import results


def encoded(count: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    mean = 1.5 * torch.randn(count, size, generator=generator, dtype=torch.float64)
    return mean, torch.rand(count, size, generator=generator, dtype=torch.float64) - 1.5


@pytest.mark.parametrize("size", [1, 2])
def test_surgery_adds_up(size: int) -> None:
    assert abs(kl_term.surgery(*encoded(12, size)).residual) < 1e-10


def test_parts_agree_with_a_grid_over_z() -> None:
    """Another rule: all three integrals over one grid in z, not in the noise of each q."""
    mean, log_variance = encoded(5, 1, seed=4)
    found = kl_term.surgery(mean, log_variance, points=401)
    z = torch.linspace(-12, 12, 24_001, dtype=torch.float64)[:, None]
    log_each = gaussian_log_likelihood(z[:, None], mean, log_variance.exp())  # [S, N]
    log_aggregate = log_each.logsumexp(1) - math.log(5)
    aggregate = (log_aggregate.exp() * (log_aggregate - log_prior(z))).sum() * 0.001
    information = (log_each.exp() * (log_each - log_aggregate[:, None])).sum() * 0.001 / 5
    assert found.aggregate_divergence == pytest.approx(aggregate.item(), abs=1e-10)
    assert found.information == pytest.approx(information.item(), abs=1e-10)


@pytest.mark.parametrize("spread", [0.0, 0.3, 3.0, 30.0])
def test_information_lies_between_nothing_and_log_n(spread: float) -> None:
    mean, log_variance = encoded(7, 1)
    found = kl_term.surgery(spread * mean, log_variance.mean().expand(7, 1))
    assert -1e-12 <= found.information <= math.log(7) + 1e-12
    assert found.aggregate_divergence >= 0
    assert found.most_information == pytest.approx(math.log(7))
    if spread == 0:
        assert found.information == pytest.approx(0, abs=1e-12)


def test_sampling_agrees_in_more_dimensions() -> None:
    """Independent coordinates: two copies of one axis carry what a product of encoders carries."""
    mean, log_variance = encoded(6, 2)
    exact = kl_term.surgery(mean, log_variance)
    seed = torch.Generator().manual_seed(0)
    found = kl_term.surgery_by_sampling(mean, log_variance, 20_000, generator=seed)
    assert found.information == pytest.approx(exact.information, abs=0.02)
    assert found.aggregate_divergence == pytest.approx(exact.aggregate_divergence, abs=0.05)
    assert found.information <= found.most_information
    five = kl_term.surgery_by_sampling(*encoded(6, 5), 4000, generator=seed)
    assert abs(five.residual) < 0.2


def test_surgery_refuses_what_it_cannot_integrate() -> None:
    with pytest.raises(ValueError, match=r"shape \[4, 3\].*use surgery_by_sampling"):
        kl_term.surgery(*encoded(4, 3))
    mean, log_variance = encoded(4, 1)
    with pytest.raises(ValueError, match=r"mean\[0, 0\] = nan"):
        kl_term.surgery(mean * math.nan, log_variance)


@pytest.mark.parametrize(("eigenvalue", "signal"), [(3.0, 2.0), (1.5, 0.5), (1.0, 0.0), (0.4, 0.0)])
def test_collapse_happens_where_the_eigenvalue_meets_c(eigenvalue: float, signal: float) -> None:
    grid = torch.linspace(0, 5, 5001, dtype=torch.float64)
    value = torch.tensor(eigenvalue, dtype=torch.float64)
    gain = kl_term.unit_log_likelihood(grid, value, torch.ones_like(value))
    assert grid[gain.argmax()].item() == pytest.approx(signal, abs=1e-9)


def test_unit_log_likelihood_is_the_bound_of_a_one_dimensional_model() -> None:
    x = torch.tensor([[-2.0], [0.5], [1.5]], dtype=torch.float64)
    x = x - x.mean()
    variance = torch.tensor(0.6, dtype=torch.float64)
    model = linear_vae.LinearModel(
        torch.tensor([[1.2]], dtype=torch.float64), torch.zeros(1, dtype=torch.float64), variance
    )
    bound = linear_vae.elbo(x, model, linear_vae.optimal_encoder(model))
    found = kl_term.unit_log_likelihood(torch.tensor(1.44).double(), x.square().mean(), variance)
    assert bound.item() == pytest.approx(found.item(), abs=1e-7)


def test_beta_is_a_change_of_c() -> None:
    """beta-loss at c equals beta times the plain loss at beta c, but for a constant."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    x, c, beta = draw(9, 5), 0.3, 4.0
    differences = []
    for _ in range(2):  # two different encoders and decoders
        outputs, mean, log_variance = draw(9, 5), draw(9, 2), draw(9, 2)
        weighted = negative_elbo(
            x, outputs, mean, log_variance, lambda x, f: gaussian_log_likelihood(x, f, c), beta
        )
        plain = negative_elbo(
            x, outputs, mean, log_variance, lambda x, f: gaussian_log_likelihood(x, f, beta * c)
        )
        differences.append(weighted - beta * plain)
    constant = 2.5 * (math.log(2 * math.pi * c) - beta * math.log(2 * math.pi * beta * c))
    for difference in differences:
        assert (difference - constant).abs().max() < 1e-11


def test_rate_and_distortion_are_those_of_the_optimal_model() -> None:
    """Measured on the model itself: mean KL, and mean squared error of a decoded sample of q."""
    x, level = linear_vae.digits()[:, 10:30], 12.0
    eigenvalues = linear_vae.spectrum(x).eigenvalues
    model = linear_vae.fixed_variance_optimum(x, 20, level)
    mean, log_variance = linear_vae.optimal_encoder(model)(x)
    rate = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(1).mean()
    error = (x - model.offset - mean @ model.weight.T).square().sum(1).mean()
    error = error + (log_variance[0].exp() * model.weight.square().sum(0)).sum()
    found = kl_term.rate_distortion(eigenvalues, torch.tensor([level], dtype=torch.float64))
    assert found.rate.item() == pytest.approx(rate.item(), abs=1e-9)
    assert found.distortion.item() == pytest.approx(error.item(), abs=1e-9)


def test_slope_of_the_rate_is_minus_half_over_the_level() -> None:
    eigenvalues = torch.tensor([5.0, 2.0, 0.3], dtype=torch.float64)
    level = torch.tensor([0.9], dtype=torch.float64, requires_grad=True)
    found = kl_term.rate_distortion(eigenvalues, level)
    (rate,) = torch.autograd.grad(found.rate, level, retain_graph=True)
    (distortion,) = torch.autograd.grad(found.distortion, level)
    assert (rate / distortion).item() == pytest.approx(-1 / (2 * 0.9))


def test_numbers_of_the_page() -> None:
    assert kl_term.example_residual() < 1e-10
    found = kl_term.digits()
    assert found.active == 14
    assert 0 < found.distortion < found.total_variance
    eigenvalues = linear_vae.digits_spectrum().eigenvalues
    counts = [linear_vae.active_units(eigenvalues, level) for level in (2, 5, 20, 60)]
    assert counts == [41, 30, 14, 5]  # the description of the figure says so


def test_more_than_half_of_a_measured_kl_term_is_divergence_of_the_aggregate() -> None:
    measured = results.five_minutes()["seed_0"]["test"]
    assert measured["examples"] == 10_000
    assert kl_term.ceiling_of_ten_thousand() < measured["kl"]["mean"] / 2


@pytest.mark.parametrize("name", ["figure_surgery", "figure_collapse", "figure_rate_distortion"])
def test_figure_is_drawn_in_the_colours_of_the_book(name: str) -> None:
    picture = drawing.svg(getattr(kl_term, name)(), "a figure of this page")
    assert "var(--vaedocs-" in picture
