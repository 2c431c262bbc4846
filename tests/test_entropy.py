"""Entropy: closed forms against quadrature and torch.distributions; mass and density apart."""

import math

import pytest
import torch
from sections import drawn, figures, refusal
from torch import distributions

from vaedocs import entropy as page
from vaedocs import kl_divergence

GENERATOR = torch.Generator().manual_seed(3)


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def random_pmf(*shape):
    return torch.softmax(2 * torch.randn(*shape, generator=GENERATOR, dtype=torch.float64), -1)


def test_categorical_against_torch_distributions():
    p = random_pmf(40, 6)
    torch.testing.assert_close(page.categorical(p), distributions.Categorical(p).entropy())


def test_mass_entropy_lies_between_zero_and_log_of_the_number_of_outcomes():
    values = page.categorical(random_pmf(1000, 5))
    assert (values >= 0).all()
    assert (values <= math.log(5)).all()
    assert page.categorical(f64(0, 1, 0)).item() == 0
    assert page.categorical(f64(*[0.2] * 5)).item() == pytest.approx(math.log(5))


@pytest.mark.parametrize("std", [0.01, 0.24197, 1.0, 30.0])
def test_gaussian_against_quadrature(std):
    normal = distributions.Normal(f64(0.5)[0], f64(std)[0])
    witness = page.differential(normal.log_prob, 0.5 - 12 * std, 0.5 + 12 * std, 4001)
    assert page.gaussian(f64(std)[0]).item() == pytest.approx(witness.item(), abs=1e-10)


def test_multivariate_against_torch_distributions_in_a_batch():
    root = torch.randn(7, 3, 5, generator=GENERATOR, dtype=torch.float64)
    covariance = root @ root.mT
    witness = distributions.MultivariateNormal(torch.zeros(7, 3).double(), covariance).entropy()
    torch.testing.assert_close(page.multivariate_gaussian(covariance), witness)


def test_correlation_lowers_the_entropy_below_the_sum_of_the_marginals():
    found = page.correlated()
    assert found.together < found.apart == pytest.approx(2 * page.gaussian(f64(1)[0]).item())


def test_sign_changes_at_the_threshold():
    threshold = page.zero_threshold()
    assert page.gaussian(f64(threshold)[0]).item() == pytest.approx(0, abs=1e-15)
    assert page.gaussian(f64(0.999 * threshold)[0]).item() < 0 < page.uniform(f64(1.001)[0]).item()
    assert page.uniform_half() == pytest.approx(-math.log(2))


def test_change_of_unit_adds_its_logarithm():
    found = page.gaussians()
    assert found.millimetres - found.narrow == pytest.approx(math.log(1000))
    assert found.narrow_quadrature == pytest.approx(found.narrow, abs=1e-10)


def test_cross_entropy_is_entropy_plus_divergence():
    p, q = random_pmf(30, 4), random_pmf(30, 4)
    split = page.categorical(p) + kl_divergence.categorical(p, q)
    torch.testing.assert_close(page.cross_entropy(p, q), split)
    assert page.cross_entropy(f64(0.5, 0.5), f64(1, 0)).item() == math.inf


def test_binned_entropy_tends_to_the_differential_entropy_minus_log_width():
    errors = [abs(page.binned(w).entropy - page.binned(w).predicted) for w in (0.2, 0.1, 0.05)]
    assert errors[0] > errors[1] > errors[2]
    assert page.binned(3.0).entropy < 1e-9  # one bin holds nearly everything
    assert page.binned(3.0).predicted < 0  # where the prediction would be negative


def test_gaussian_has_the_largest_entropy_of_variance_one():
    found = page.unit_variance()
    scale = 1 / math.sqrt(2)
    laplace = distributions.Laplace(f64(0)[0], f64(scale)[0])
    assert found.laplace == pytest.approx(laplace.entropy().item())
    assert found.gaussian > max(found.laplace, found.uniform, found.two_bumps)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    bumps = sum(
        0.5 * distributions.Normal(f64(m)[0], 0.19**0.5).log_prob(x).exp() for m in (-0.9, 0.9)
    )
    assert torch.trapezoid(bumps * x**2, x).item() == pytest.approx(1)  # its variance is 1 too


def test_chain_rule_on_the_digits():
    found = page.label_and_pixel()
    assert found.joint == pytest.approx(found.pixel + found.label_given_pixel, abs=1e-12)
    assert found.shared == pytest.approx(found.label + found.pixel - found.joint, abs=1e-12)
    assert 0 < found.shared < found.pixel


def test_prefix_code_meets_the_entropy():
    found = page.code()
    assert found.matched == pytest.approx(found.entropy) == 1.75


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: page.categorical(f64(0.5, 0.25)),
            "p sums to 0.75; expected probabilities that sum to 1 over the last dimension: "
            "divide by p.sum(-1, keepdim=True), or use softmax",
        ),
        (
            lambda: page.cross_entropy(f64(0.5, 0.5), f64(1)),
            "p has shape [2] and q has shape [1]; expected equal shapes",
        ),
        (lambda: page.gaussian(f64(1, 0)), "std[1] = 0; expected a positive finite number"),
        (
            lambda: page.differential(distributions.Normal(0.0, 1.0).log_prob, 0, 1),
            "the density integrates to 0.341345 on [0, 1] with 20001 points; "
            "expected 1: widen the interval or take more points",
        ),
    ],
)
def test_bad_arguments_in_full(call, words):
    assert refusal(call) == words


@pytest.mark.parametrize("figure", figures(page))
def test_figures_keep_to_the_colours_of_the_book(figure):
    assert drawn(figure).startswith("<svg")
