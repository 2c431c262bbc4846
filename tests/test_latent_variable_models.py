"""Exact posteriors and evidences, each against a witness that shares no formula with it."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from vaedocs.drawing import svg
from vaedocs.latent_variable_models import (
    cost,
    diagnosis,
    example,
    figure_bayes,
    figure_graph,
    finite_posterior,
    grid_log_evidence,
    linear_gaussian_log_evidence,
    linear_gaussian_posterior,
    prior_sampling_relative_variance,
    repeated_diagnosis,
)


@pytest.fixture
def model():
    generator = torch.Generator().manual_seed(6)
    draw = lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)  # noqa: E731
    return {"x": draw(4, 3), "weight": draw(3, 2), "offset": draw(3), "variance": 0.3}


def joint(z, x, weight, offset, variance):
    prior = Normal(0.0, 1.0).log_prob(z).sum(-1)
    likelihood = Normal(z @ weight.mT + offset, math.sqrt(variance)).log_prob(x).sum(-1)
    return prior + likelihood


def test_bayes_holds_at_any_latent_point(model):
    mean, covariance = linear_gaussian_posterior(**model)
    evidence = linear_gaussian_log_evidence(**model)
    for z in (torch.zeros(4, 2).double(), torch.ones(4, 2).double(), mean):
        posterior = MultivariateNormal(mean, covariance).log_prob(z)
        torch.testing.assert_close(joint(z, **model), posterior + evidence)


def test_evidence_agrees_with_quadrature_in_the_plane(model):
    line = torch.linspace(-8, 8, 401, dtype=torch.float64)
    z = torch.cartesian_prod(line, line)[:, None]
    spacing = (line[1] - line[0]).item()
    total = torch.logsumexp(joint(z, **model), 0) + 2 * math.log(spacing)
    torch.testing.assert_close(linear_gaussian_log_evidence(**model), total)


def test_finite_posterior_enumerates():
    generator = torch.Generator().manual_seed(7)
    prior = torch.rand(5, generator=generator, dtype=torch.float64)
    prior /= prior.sum()
    likelihood = 3 * torch.rand(2, 5, generator=generator, dtype=torch.float64)
    evidence, posterior = finite_posterior(prior, likelihood)
    for row in range(2):
        total = math.fsum((prior[k] * likelihood[row, k]).item() for k in range(5))
        assert evidence[row].item() == pytest.approx(total)
        for k in range(5):
            expected = (prior[k] * likelihood[row, k]).item() / total
            assert posterior[row, k].item() == pytest.approx(expected)


def test_grid_counts_both_ends_by_half():
    grid = torch.linspace(0, 1, 11, dtype=torch.float64)
    assert grid_log_evidence(grid.exp().log(), grid).exp().item() == pytest.approx(
        torch.trapezoid(grid.exp(), grid).item()
    )


@pytest.mark.parametrize("decoder", [torch.tanh, torch.sin])
def test_grid_has_converged_for_a_curved_decoder(decoder):
    def log_evidence(points):
        grid = torch.linspace(-9, 9, points, dtype=torch.float64)
        log_joint = Normal(0.0, 1.0).log_prob(grid) + Normal(2 * decoder(grid), 0.5).log_prob(
            torch.tensor(1.3, dtype=torch.float64)
        )
        return grid_log_evidence(log_joint, grid).item()

    assert log_evidence(401) == pytest.approx(log_evidence(801), abs=1e-12)


def test_relative_variance_of_prior_sampling_agrees_with_quadrature():
    x, w, c = (torch.tensor(v, dtype=torch.float64) for v in (1.0, 0.7, 0.2))
    z = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    prior, likelihood = (
        Normal(0.0, 1.0).log_prob(z).exp(),
        Normal(w * z, c.sqrt()).log_prob(x).exp(),
    )
    first = torch.trapezoid(prior * likelihood, z)
    second = torch.trapezoid(prior * likelihood**2, z)
    torch.testing.assert_close(prior_sampling_relative_variance(x, w, c), second / first**2 - 1)


class TestNumbersOfThePage:
    def test_running_example(self):
        answer = example()
        assert answer.posterior_mean == pytest.approx(1.2)
        assert answer.posterior_variance == pytest.approx(0.2)
        assert answer.evidence == pytest.approx(
            Normal(0.0, 5**0.5).log_prob(torch.tensor(3.0)).exp()
        )
        assert answer.without_prior_mean == pytest.approx(1.5)
        # The integral of N(3; 2 z, 1) over z is 1/2.
        assert answer.without_prior_mass * answer.evidence == pytest.approx(0.5)

    def test_diagnosis(self):
        answer = diagnosis()
        assert answer.posterior == pytest.approx(0.009 / 0.108)
        assert answer.without_prior == pytest.approx(0.9)
        assert answer.false_per_true == pytest.approx(0.099 / 0.009)
        assert answer.overstated == pytest.approx(0.9 / (0.009 / 0.108))

    def test_repeated_diagnosis(self):
        assert repeated_diagnosis() == pytest.approx(81 / 180)

    def test_cost_grows_as_a_power(self):
        answer = cost()
        assert answer.grid_power == 40
        expected = 20 * math.log10(1 + answer.relative_variance) + 2
        assert answer.sample_power == pytest.approx(expected, rel=1e-9)


class TestWords:
    def test_prior_that_does_not_sum_to_one(self):
        with pytest.raises(ValueError, match=r"prior sums to 0\.9; expected probabilities"):
            finite_posterior(torch.tensor([0.5, 0.4]), torch.ones(2))

    def test_likelihood_of_zero(self):
        with pytest.raises(ValueError, match=r"likelihood\[1\] = 0; expected a positive finite"):
            finite_posterior(torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0]))

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"variance": -1.0}, r"variance = -1; expected a positive finite number"),
            ({"variance": torch.ones(2)}, r"variance has shape \[2\]; expected one number c"),
            ({"weight": torch.ones(3)}, r"weight has shape \[3\]; expected \[N, M\]"),
            ({"x": torch.ones(4, 2)}, r"x has shape \[4, 2\]; expected a last dimension of 3"),
            ({"offset": torch.ones(2)}, r"offset has shape \[2\]; expected a last dimension of 3"),
        ],
    )
    @pytest.mark.parametrize("function", [linear_gaussian_posterior, linear_gaussian_log_evidence])
    def test_linear_model(self, model, function, change, words):
        with pytest.raises(ValueError, match=words):
            function(**{**model, **change})

    @pytest.mark.parametrize("grid", [[0.0, 1.0, 3.0], [2.0, 1.0, 0.0]])
    def test_uneven_grid(self, grid):
        with pytest.raises(ValueError, match="grid is not evenly spaced and increasing"):
            grid_log_evidence(torch.zeros(3), torch.tensor(grid))


def test_figures_show_what_they_say():
    figure = figure_bayes()
    (ax,) = figure.axes
    posterior = ax.lines[2].get_xydata()
    assert posterior[posterior[:, 1].argmax(), 0] == pytest.approx(1.2, abs=0.02)
    area = torch.trapezoid(torch.tensor(posterior[:, 1]), torch.tensor(posterior[:, 0]))
    assert area.item() == pytest.approx(1, abs=1e-3)
    for drawn in (figure, figure_graph()):
        assert svg(drawn, "a title").startswith("<svg")
