"""The likelihoods against torch.distributions, against their own normalisation, and their words."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Binomial, ContinuousBernoulli, Normal, kl_divergence

from vaedocs.drawing import svg
from vaedocs.lower_bound import linear_elbo
from vaedocs.lower_bound_reformulated import (
    at_the_mean,
    bernoulli_log_likelihood,
    bernoulli_mass,
    binomial_log_likelihood,
    clean_images,
    constant_not_factor,
    figure_mass,
    figure_pulls,
    gaussian_log_likelihood,
    grey,
    implied_variance,
    kl_at_optimum,
    linear_reconstruction,
    pulls,
    sum_or_mean,
)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(8)


def draw(generator, *shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_bernoulli_agrees_with_torch(generator):
    logits = 3 * draw(generator, 5, 7)
    x = (draw(generator, 5, 7) > 0).double()
    expected = Bernoulli(logits=logits).log_prob(x).sum(-1)
    torch.testing.assert_close(bernoulli_log_likelihood(x, logits), expected)


def test_bernoulli_does_not_take_the_logarithm_of_a_rounded_zero():
    x, logits = torch.tensor([[0.0], [1.0]]), torch.tensor([[200.0], [-200.0]])
    assert bernoulli_log_likelihood(x, logits).tolist() == [-200.0, -200.0]


def test_binomial_agrees_with_torch(generator):
    logits = draw(generator, 5, 7)
    counts = torch.randint(0, 17, (5, 7), generator=generator).double()
    expected = Binomial(16, logits=logits).log_prob(counts).sum(-1)
    torch.testing.assert_close(binomial_log_likelihood(counts, logits, 16), expected)


@pytest.mark.parametrize("trials", [1, 2, 16])
def test_binomial_probabilities_sum_to_one(trials):
    counts = torch.arange(trials + 1, dtype=torch.float64)[:, None]
    logits = torch.full_like(counts, 0.7)
    total = binomial_log_likelihood(counts, logits, trials).exp().sum()
    assert total.item() == pytest.approx(1.0, abs=1e-12)


def test_binomial_of_one_trial_is_bernoulli(generator):
    logits = draw(generator, 4, 3)
    x = (draw(generator, 4, 3) > 0).double()
    torch.testing.assert_close(
        binomial_log_likelihood(x, logits, 1), bernoulli_log_likelihood(x, logits)
    )


def test_binomial_gives_impossible_counts_no_probability():
    counts = torch.tensor([[17.0], [-1.0]])
    assert binomial_log_likelihood(counts, torch.zeros(2, 1), 16).tolist() == [-math.inf] * 2


@pytest.mark.parametrize("variance_shape", [(), (7,), (5, 1), (5, 7)])
def test_gaussian_agrees_with_torch(generator, variance_shape):
    x, mean = draw(generator, 5, 7), draw(generator, 5, 7)
    variance = draw(generator, *variance_shape).exp()
    expected = Normal(mean, variance.sqrt()).log_prob(x).sum(-1)
    torch.testing.assert_close(gaussian_log_likelihood(x, mean, variance), expected)


def test_gaussian_density_integrates_to_one():
    x = torch.linspace(-20, 20, 4001, dtype=torch.float64)[:, None]
    density = gaussian_log_likelihood(x, torch.full_like(x, 0.3), 2.0).exp()
    assert torch.trapezoid(density, x[:, 0]).item() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    "likelihood",
    [
        bernoulli_log_likelihood,
        lambda x, y: binomial_log_likelihood(x, y, 16),
        lambda x, y: gaussian_log_likelihood(x, y, 1.0),
    ],
)
class TestShapes:
    def test_leading_dimensions_broadcast(self, likelihood, generator):
        x = (draw(generator, 4, 3) > 0).double()
        y = draw(generator, 6, 4, 3)
        each = torch.stack([likelihood(x, one) for one in y])
        torch.testing.assert_close(likelihood(x, y), each)

    @pytest.mark.parametrize(
        ("shape", "other"), [((4, 3), (4, 1)), ((4, 3), (5, 3)), ((3,), ()), ((4, 1), (4, 3))]
    )
    def test_a_mismatch_is_said_in_words(self, likelihood, shape, other):
        with pytest.raises(ValueError, match="equal last dimensions") as error:
            likelihood(torch.zeros(shape), torch.zeros(other))
        assert str(list(shape)) in str(error.value)
        assert str(list(other)) in str(error.value)


def test_other_bad_arguments_are_said_in_words():
    zeros = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="trials is 0; expected a whole number of at least 1"):
        binomial_log_likelihood(zeros, zeros, 0)
    with pytest.raises(ValueError, match=r"variance has shape \[2\].* of 1 or 3"):
        gaussian_log_likelihood(zeros, zeros, torch.ones(2))


@pytest.mark.parametrize("logit", [-6.0, -1.0, -1e-5, 0.0, 1e-9, 2e-4, 2.197, 30.0])
def test_bernoulli_mass_agrees_with_quadrature(logit):
    nodes, weights = map(torch.from_numpy, np.polynomial.legendre.leggauss(60))
    x = (nodes + 1) / 2
    logits = torch.full((60,), logit, dtype=torch.float64)
    integral = (weights / 2 * bernoulli_log_likelihood(x[:, None], logits[:, None]).exp()).sum()
    assert bernoulli_mass(logits[0]).item() == pytest.approx(integral.item(), rel=1e-8)


def test_dividing_by_the_mass_gives_the_continuous_bernoulli():
    logits = torch.tensor([-3.0, 0.4, 2.0], dtype=torch.float64)
    x = torch.tensor([0.1, 0.5, 0.7], dtype=torch.float64)
    repaired = bernoulli_log_likelihood(x[:, None], logits[:, None]) - bernoulli_mass(logits).log()
    torch.testing.assert_close(repaired, ContinuousBernoulli(logits=logits).log_prob(x))


def test_reconstruction_less_divergence_is_the_bound(generator):
    x, w, mean = draw(generator, 3, 50)
    c, std = draw(generator, 2, 50).exp()
    divergence = kl_divergence(Normal(mean, std), Normal(0.0, 1.0))
    torch.testing.assert_close(
        linear_reconstruction(x, w, c, mean, std) - divergence, linear_elbo(x, w, c, mean, std)
    )


def test_reconstruction_agrees_with_quadrature():
    x, w, c, mean, std = (torch.tensor(v, dtype=torch.float64) for v in (1.3, -0.7, 0.4, 0.2, 0.6))
    z = torch.linspace(-8, 8, 2001, dtype=torch.float64)
    log_likelihood = gaussian_log_likelihood(x.expand(2001, 1), (w * z)[:, None], c)
    integral = torch.trapezoid(Normal(mean, std).log_prob(z).exp() * log_likelihood, z)
    torch.testing.assert_close(linear_reconstruction(x, w, c, mean, std), integral)


@pytest.mark.parametrize(("error_weight", "kl_weight"), [(1.0, 1.0), (1 / 784, 1.0), (0.5, 3.0)])
def test_a_weighted_loss_is_minus_a_bound_scaled_and_shifted(error_weight, kl_weight, generator):
    """Gradients of the loss and of the bound with the implied variance differ by a factor only."""
    c = torch.tensor(implied_variance(error_weight, kl_weight), dtype=torch.float64)
    x, w, mean = (value.clone().requires_grad_() for value in draw(generator, 3, 1))
    std = draw(generator, 1).exp().requires_grad_()
    error = (x - w * mean).square() + (w * std).square()
    loss = error_weight * error + kl_weight * kl_divergence(Normal(mean, std), Normal(0.0, 1.0))
    bound = -kl_weight * linear_elbo(x, w, c, mean, std)
    variables = (x, w, mean, std)
    for left, right in zip(
        torch.autograd.grad(loss, variables), torch.autograd.grad(bound, variables), strict=True
    ):
        torch.testing.assert_close(left, right)


class TestNumbersOfThePage:
    def test_a_constant_is_dropped_not_a_factor(self):
        answer = constant_not_factor()
        for candidate in answer[1:]:
            assert candidate.difference == pytest.approx(-0.5 * math.log(2 * math.pi * 0.25))
        assert len({round(candidate.quotient, 2) for candidate in answer[1:]}) == 3
        assert answer.posterior.elbo > answer.between.elbo > answer.prior.elbo

    def test_implied_variances(self):
        answer = sum_or_mean()
        assert answer.sum_of_squares == 0.5
        assert answer.half_sum_of_squares == 1.0
        assert answer.mean_of_squares == pytest.approx(392)
        assert answer.weighted == pytest.approx(1.536)
        assert answer.digits_largest_variance < answer.digits_mean_of_squares == 32

    def test_grey_levels(self):
        assert grey() == pytest.approx((0.5, 0.8 / math.log(9), math.log(2)))

    def test_kl_at_the_optimum_is_not_zero(self):
        expected = kl_divergence(Normal(1.2, 0.2**0.5), Normal(0.0, 1.0)).item()
        assert kl_at_optimum() == pytest.approx(expected, rel=1e-6)

    def test_the_weight_that_suits_clean_images(self):
        std, beta = clean_images()
        assert std == 0.1
        assert implied_variance(1 / 784, beta) == pytest.approx(std**2)

    def test_decoding_the_mean_alone_passes_the_log_evidence(self):
        """log p(3) under N(0, 5); by hand the other is at mean 6/5: -0.18 - log(2 pi)/2 - 0.72."""
        value, log_evidence = at_the_mean()
        assert log_evidence == pytest.approx(Normal(0.0, 5**0.5).log_prob(torch.tensor(3.0)).item())
        assert value == pytest.approx(-0.9 - 0.5 * math.log(2 * math.pi))
        assert value > log_evidence

    def test_pulls(self):
        assert pulls() == pytest.approx((1.5, 0.0, 1.2, 0.6), abs=1e-9)


@pytest.mark.parametrize("weights", [(0.0, 1.0), (1.0, -2.0), (math.inf, 1.0), (math.nan, 1.0)])
def test_a_weight_that_is_not_positive_is_said_in_words(weights):
    with pytest.raises(ValueError, match=r"(error|kl)_weight is .*; expected a positive finite"):
        implied_variance(*weights)


def test_a_logit_that_is_not_finite_is_said_in_words():
    with pytest.raises(ValueError, match=r"logits\[0\] = inf; expected a finite number"):
        bernoulli_mass(torch.tensor([math.inf]))


def test_figures_show_what_they_say():
    figure = figure_pulls()
    (ax,) = figure.axes
    peaks = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1]
    assert peaks == pytest.approx([1.5, 0.0, 1.2], abs=0.02)
    for drawn in (figure, figure_mass()):
        assert svg(drawn, "a title").startswith("<svg")
