"""The certified log p(x), its refusals, and the two parts of the gap."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vaedocs import drawing
from vaedocs import measure_the_gap as gap
from vaedocs.lower_bound_reformulated import bernoulli_log_likelihood, gaussian_log_likelihood


def linear(weight: Tensor, variance: float) -> gap.LogLikelihood:
    return lambda x, z: gaussian_log_likelihood(x, z @ weight.T, variance)


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("latent", [1, 2])
@pytest.mark.parametrize("variance", [1.0, 0.05])
def test_linear_decoder_has_a_gaussian_evidence(latent: int, variance: float) -> None:
    weight, x = draws(4, latent), draws(7, 4, seed=1)
    covariance = weight @ weight.T + variance * torch.eye(4, dtype=torch.float64)
    truth = MultivariateNormal(torch.zeros(4, dtype=torch.float64), covariance).log_prob(x)
    found = gap.log_evidence(linear(weight, variance), x, latent, tolerance=1e-9)
    assert (found.log_evidence - truth).abs().max() < 1e-11
    assert found.change.max() <= 1e-9
    assert found.points <= (201 if variance == 1 else 801)


def test_evidence_of_all_binary_images_sums_to_one() -> None:
    """An independent witness for a decoder that is not linear: probabilities add up."""
    weight = draws(6, 2)
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 6)
    found = gap.log_evidence(
        lambda x, z: bernoulli_log_likelihood(x, 3 * torch.tanh(z @ weight.T)), images, 2
    )
    assert found.log_evidence.exp().sum().item() == pytest.approx(1, abs=1e-6)


def test_grids_that_disagree_are_refused_with_both_values() -> None:
    with pytest.raises(gap.UncertifiedEvidenceError) as refusal:
        gap.log_evidence(linear(torch.eye(2).double(), 1e-6), draws(3, 2), 2, max_points=401)
    words = str(refusal.value)
    assert "the grids of 201 and 401 points per axis disagree for x[" in words
    assert words.count("e+") + words.count("-") >= 2
    assert "log p(x) = " in words
    assert "tanh or softplus in place of ReLU" in words


def test_posterior_at_the_edge_of_the_grid_is_refused() -> None:
    x = torch.tensor([[0.0], [7.9]], dtype=torch.float64)
    with pytest.raises(gap.UncertifiedEvidenceError, match=r"x\[1\] lies within 1 of the edge"):
        gap.log_evidence(linear(torch.ones(1, 1).double(), 0.01), x, 1)
    # Half of this posterior lies in the outermost unit, and two grids agree within the tolerance.
    x = torch.tensor([[14.0]], dtype=torch.float64)
    with pytest.raises(gap.UncertifiedEvidenceError, match="raise half_width, which is 8"):
        gap.log_evidence(linear(torch.ones(1, 1).double(), 1.0), x, 1, tolerance=0.01)


@pytest.mark.parametrize("latent", [0, 3])
def test_latent_sizes_without_a_grid_are_refused(latent: int) -> None:
    with pytest.raises(ValueError, match=rf"latent size is {latent}.*importance_weighted"):
        gap.log_evidence(linear(torch.eye(3).double(), 1.0), draws(2, 3), latent)


def test_bad_decoders_and_bad_data_are_refused() -> None:
    x = draws(2, 3)
    with pytest.raises(ValueError, match=r"gave shape \[2, 9, 3\].*expected \[2, 9\]"):
        gap.log_evidence(lambda x, z: x * z[..., :1], x, 2, points=3)
    half_bad = torch.tensor([[0.5, 1.0, 0.5], [0.5, -1.0, 0.5]], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"gave nan for x\[1\] at z = "):
        gap.log_evidence(
            lambda x, z: linear(torch.eye(3, 2).double(), 1.0)(x.log(), z), half_bad, 2
        )
    with pytest.raises(ValueError, match=r"p\(x\|z\) = 0 at every point of the grid for x\[0\]"):
        gap.log_evidence(lambda x, z: (0 * x * z).sum(-1) - math.inf, x[:, :2], 2)
    with pytest.raises(ValueError, match=r"expected \[B, D\]"):
        gap.log_evidence(linear(torch.eye(3).double(), 1.0), x[0], 2)
    with pytest.raises(ValueError, match="points = 1"):
        gap.log_evidence(linear(torch.eye(3, 2).double(), 1.0), x, 2, points=1)


def test_spike_between_the_grids_is_caught_by_the_bound() -> None:
    """Two grids agree on a spike that both step over; the lower bound that sees it objects."""

    def spiked(x: Tensor, z: Tensor) -> Tensor:
        spike = 5 - 0.5 * (z[..., 0] - 0.0371).square() / 1e-8
        return torch.logaddexp(torch.full_like(spike, -5.0), spike).expand(len(x), -1)

    x = torch.zeros(1, 1, dtype=torch.float64)
    blind = gap.log_evidence(spiked, x, 1)
    assert blind.log_evidence.item() == pytest.approx(-5)
    mean, log_variance = torch.full_like(x, 0.0371), torch.full_like(x, math.log(1e-8))
    with pytest.raises(gap.UncertifiedEvidenceError, match="stepped over a narrow peak"):
        gap.measure_gap(spiked, x, mean, log_variance)


def test_bound_is_the_evidence_less_the_divergence_from_the_posterior() -> None:
    model = gap.example()
    x = model.x[:5]
    mean, log_variance = model.encoder(x)
    axis = torch.linspace(-8, 8, 401, dtype=torch.float64)
    grid, cell = torch.cartesian_prod(axis, axis), 0.04**2
    joint = model.log_likelihood(x[:, None], grid[None]) + gap.log_prior(grid)
    log_q = gaussian_log_likelihood(grid, mean[:, None], log_variance[:, None].exp())
    log_p = (joint.logsumexp(-1) + math.log(cell))[:, None]
    divergence = (log_q.exp() * (log_q - joint + log_p)).sum(-1) * cell
    bound = gap.elbo(model.log_likelihood, x, mean, log_variance)
    assert (log_p[:, 0] - bound - divergence).abs().max() < 1e-10


def test_bound_agrees_with_sampling_and_its_gradient_with_differences() -> None:
    model = gap.example()
    x = model.x[:2]
    mean, log_variance = (t.requires_grad_() for t in model.encoder(x))

    def bound(mean: Tensor, log_variance: Tensor) -> Tensor:
        return gap.elbo(model.log_likelihood, x, mean, log_variance)

    assert torch.autograd.gradcheck(bound, (mean, log_variance), atol=1e-7)
    noise = draws(2, 200_000, 2)
    z = mean[:, None] + torch.exp(log_variance[:, None] / 2) * noise
    log_q = gaussian_log_likelihood(z, mean[:, None], log_variance[:, None].exp())
    terms = model.log_likelihood(x[:, None], z) + gap.log_prior(z) - log_q
    errors = terms.std(-1) / math.sqrt(200_000)
    assert ((terms.mean(-1) - bound(mean, log_variance)).abs() < 4 * errors).all()


def test_family_gap_of_a_correlated_posterior_is_the_closed_form() -> None:
    """W = [[1, 1], [0, 1]] and c = 1/2 leave the best diagonal Gaussian 0.15508 nats short."""
    weight = torch.tensor([[1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    precision = weight.T @ weight / 0.5 + torch.eye(2, dtype=torch.float64)
    exact = 0.5 * (precision.diagonal().log().sum() - precision.logdet())
    x = draws(4, 2)
    start = torch.zeros_like(x)
    found = gap.measure_gap(linear(weight, 0.5), x, start, start, tolerance=1e-10)
    assert exact.item() == pytest.approx(0.15508, abs=5e-6)
    assert (found.family - exact).abs().max() < 1e-7
    assert (found.amortisation + found.family - found.total).abs().max() < 1e-12


def test_bound_lies_below_the_evidence_on_every_unseen_point() -> None:
    found = gap.example_gap()
    assert len(found.elbo) == 60
    assert (found.elbo < found.log_evidence).all()
    assert (found.amortisation >= 0).all()
    assert (found.family > 0).all()
    assert found.change.max() <= 1e-7


def test_moments_of_the_posterior_are_exact_for_a_linear_decoder() -> None:
    weight, x = draws(4, 2), draws(3, 4, seed=2)
    inverse = torch.linalg.inv(weight.T @ weight + 0.3 * torch.eye(2, dtype=torch.float64))
    mean, log_variance = gap.posterior_moments(linear(weight, 0.3), x, 2)
    assert (mean - x @ weight @ inverse).abs().max() < 1e-9
    assert (log_variance.exp() - 0.3 * inverse.diagonal()).abs().max() < 1e-9


def test_gauss_hermite_under_the_prior_is_no_oracle() -> None:
    """Good for a wide posterior, wrong for a narrow one, where the uniform grid is right."""
    x, weight = torch.tensor([[1.3]], dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)

    def error(variance: float) -> float:
        truth = gap.log_evidence(linear(weight, variance), x, 1).log_evidence
        found = gap.gauss_hermite_under_prior(linear(weight, variance), x, 1, 40)
        return abs((found - truth).item())

    assert error(1.0) < 1e-10
    assert error(0.001) > 0.1


def test_smooth_decoders_converge_faster_than_kinked_ones() -> None:
    errors = gap.rule_errors()
    at = gap.AXIS_POINTS.index(241)
    assert errors["uniform, tanh"][at] < 1e-10
    assert errors["uniform, ReLU"][at] > 1e-6
    assert errors["Gauss-Hermite, tanh"][at] > 1e-6


@pytest.mark.parametrize("name", ["figure_rules", "figure_posteriors", "figure_split"])
def test_figure_is_drawn_in_the_colours_of_the_book(name: str) -> None:
    picture = drawing.svg(getattr(gap, name)(), "a figure of this page")
    assert "var(--vaedocs-" in picture
