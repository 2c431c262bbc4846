"""KL divergence: closed forms against quadrature, Monte Carlo and torch.distributions."""

import math

import pytest
import torch
from sections import drawn, figures, refusal
from torch import distributions

from vaedocs import kl_divergence

GENERATOR = torch.Generator().manual_seed(5)


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def random_covariance(dimensions, batch=()):
    root = torch.randn(*batch, dimensions, dimensions + 2, generator=GENERATOR, dtype=torch.float64)
    return root @ root.mT / dimensions


def test_gaussian_against_quadrature():
    for mean_p, std_p, mean_q, std_q in [(1, 2, 0, 1), (0, 1, 3, 0.5), (-2, 0.1, -2.05, 0.2)]:
        x = torch.linspace(mean_p - 14 * std_p, mean_p + 14 * std_p, 4001, dtype=torch.float64)
        log_p = distributions.Normal(*f64(mean_p, std_p)).log_prob(x)
        log_q = distributions.Normal(*f64(mean_q, std_q)).log_prob(x)
        witness = torch.trapezoid(log_p.exp() * (log_p - log_q), x)
        closed = kl_divergence.gaussian(*f64(mean_p, std_p, mean_q, std_q))
        assert closed.item() == pytest.approx(witness.item(), abs=1e-12)


def test_gaussian_known_value():
    assert kl_divergence.gaussian(*f64(1, 2, 0, 1)).item() == pytest.approx(2 - math.log(2))


def test_categorical_against_torch_distributions():
    p, q = torch.softmax(torch.randn(2, 50, 7, generator=GENERATOR, dtype=torch.float64), -1)
    witness = distributions.kl_divergence(
        distributions.Categorical(p), distributions.Categorical(q)
    )
    torch.testing.assert_close(kl_divergence.categorical(p, q), witness)


@pytest.mark.parametrize(
    ("p", "q", "value"),
    [
        ([0.5, 0.5, 0.0], [0.25, 0.5, 0.25], 0.5 * math.log(2)),  # p = 0 adds nothing
        ([0.25, 0.5, 0.25], [0.5, 0.5, 0.0], math.inf),  # q = 0 where p > 0
        ([0.5, 0.5, 0.0], [0.5, 0.5, 0.0], 0.0),  # both zero
    ],
)
def test_categorical_where_probabilities_vanish(p, q, value):
    assert kl_divergence.categorical(f64(*p), f64(*q)).item() == pytest.approx(value)


def test_multivariate_against_torch_distributions_in_a_batch():
    mean_p, mean_q = torch.randn(2, 6, 4, generator=GENERATOR, dtype=torch.float64)
    covariance_p, covariance_q = random_covariance(4, (6,)), random_covariance(4, (6,))
    witness = distributions.kl_divergence(
        distributions.MultivariateNormal(mean_p, covariance_p),
        distributions.MultivariateNormal(mean_q, covariance_q),
    )
    closed = kl_divergence.multivariate_gaussian(mean_p, covariance_p, mean_q, covariance_q)
    torch.testing.assert_close(closed, witness)


def test_multivariate_against_monte_carlo():
    mean_p, mean_q = torch.randn(2, 3, generator=GENERATOR, dtype=torch.float64)
    covariance_p, covariance_q = random_covariance(3), random_covariance(3)
    p = distributions.MultivariateNormal(mean_p, covariance_p)
    q = distributions.MultivariateNormal(mean_q, covariance_q)
    noise = torch.randn(200_000, 3, generator=GENERATOR, dtype=torch.float64)
    x = mean_p + noise @ torch.linalg.cholesky(covariance_p).mT
    log_ratio = p.log_prob(x) - q.log_prob(x)
    standard_error = log_ratio.std() / len(x) ** 0.5
    closed = kl_divergence.multivariate_gaussian(mean_p, covariance_p, mean_q, covariance_q)
    assert abs(log_ratio.mean() - closed) < 4 * standard_error
    assert standard_error < 0.02 * closed  # else the line above would pass for anything


def test_the_three_gaussian_forms_agree():
    mean, log_variance = torch.randn(2, 8, 5, generator=GENERATOR, dtype=torch.float64)
    std, zero, one = (0.5 * log_variance).exp(), torch.zeros_like(mean), torch.ones_like(mean)
    per_coordinate = kl_divergence.gaussian(mean, std, zero, one).sum(-1)
    full = kl_divergence.multivariate_gaussian(
        mean, torch.diag_embed(log_variance.exp()), zero, torch.diag_embed(one)
    )
    closed = kl_divergence.diagonal_to_standard_normal(mean, log_variance)
    torch.testing.assert_close(closed, per_coordinate)
    torch.testing.assert_close(closed, full)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: kl_divergence.gaussian(*f64(0, 1, 0, -2)),
            "std_q = -2; expected a positive finite number",
        ),
        (
            lambda: kl_divergence.gaussian(f64(0, 0), f64(1, 1), f64(0), f64(1)),
            "mean_q has shape [1] and mean_p has shape [2]; expected equal shapes",
        ),
        (
            lambda: kl_divergence.categorical(f64(0.5, 0.5), f64(0.2, 0.3, 0.5)),
            "p has shape [2] and q has shape [3]; expected equal shapes",
        ),
        (
            lambda: kl_divergence.diagonal_to_standard_normal(torch.zeros(4, 2), torch.zeros(4)),
            "mean has shape [4, 2] and log_variance has shape [4]; expected equal shapes",
        ),
        (
            lambda: kl_divergence.multivariate_gaussian(
                f64(0, 0), torch.eye(3), f64(0, 0), torch.eye(2)
            ),
            "mean_p has shape [2] and covariance_p has shape [3, 3]; expected [..., M] and "
            "[..., M, M]",
        ),
    ],
)
def test_bad_arguments_in_full(call, words):
    assert refusal(call) == words


def test_the_examples_the_page_quotes():
    found = kl_divergence.examples()
    assert found[:2] == pytest.approx((math.log(2) - 3 / 8, 1.5 - math.log(2)))
    assert (found.shifted, found.shifted_back) == pytest.approx((0.5, 0.5))
    assert (found.direct, found.first_leg, found.second_leg) == pytest.approx((2, 0.5, 0.5))
    assert found.whole_from_half == math.inf
    assert found.half_from_whole == pytest.approx(math.log(2))
    assert found.right == pytest.approx(2 - math.log(2))
    assert found.mistaken == pytest.approx((16 + 1 - 1) / 2 - math.log(4))


def test_never_negative_and_zero_only_for_equal_arguments():
    logits = torch.randn(2, 500, 4, generator=GENERATOR, dtype=torch.float64)
    p, q = torch.softmax(logits, -1)
    assert (kl_divergence.categorical(p, q) > 0).all()
    assert kl_divergence.categorical(p, p).abs().max() < 1e-15


def test_estimates_bracket_the_exact_value():
    found, exact = kl_divergence.estimates(), kl_divergence.examples().right
    assert abs(found.monte_carlo - exact) < 4 * found.standard_error
    assert found.standard_error < 0.01
    assert found.quadrature == pytest.approx(exact, abs=10.0**-found.digits, rel=0)
    assert found.quadrature != pytest.approx(exact, abs=10.0 ** -(found.digits + 1), rel=0)


def test_bump_fits_forward_spans_and_reverse_settles_on_one():
    fits = kl_divergence.bump_fits()
    assert fits.forward.mean == pytest.approx(0.7 * -2 + 0.3 * 2)
    assert fits.forward.std**2 == pytest.approx(0.36 + 0.7 * 0.3 * 16)
    assert fits.left.mean == pytest.approx(-2, abs=0.01)
    assert fits.right.mean == pytest.approx(2, abs=0.01)
    # A Gaussian that sits on one bump alone pays minus the log of that bump's weight.
    assert fits[3:] == pytest.approx((-math.log(0.7), -math.log(0.3)))
    assert (fits.left.kl, fits.right.kl) == pytest.approx(fits[3:], abs=0.005)
    x = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    log_q = distributions.Normal(*f64(fits.left.mean, fits.left.std)).log_prob(x)
    witness = torch.trapezoid(log_q.exp() * (log_q - kl_divergence.two_bumps(x)), x)
    assert fits.left.kl == pytest.approx(witness.item(), abs=1e-9)


def test_averaging_over_the_wider_gaussian_always_costs_more():
    mean, narrow, wider = torch.rand(3, 1000, generator=GENERATOR, dtype=torch.float64)
    narrow, wider = 0.01 + narrow, 0.011 + narrow + wider
    zero = torch.zeros_like(mean)
    over_wide = kl_divergence.gaussian(mean, wider, zero, narrow)
    assert (over_wide > kl_divergence.gaussian(zero, narrow, mean, wider)).all()


@pytest.mark.parametrize("figure", figures(kl_divergence))
def test_figures_keep_to_the_colours_of_the_book(figure):
    assert drawn(figure).startswith("<svg")
