"""The likelihoods against sums over their domain, torch.distributions and themselves."""

import itertools

import pytest
import torch
from torch.distributions import Normal

from vaedocs.training.likelihoods import Bernoulli, Binomial, Gaussian, likelihood

LAWS = [Bernoulli(), Binomial(3), Gaussian(0.3)]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_the_matrix_product_gives_the_same_numbers(law):
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 2, (4, 6), generator=generator).double()
    outputs = torch.randn(5, 6, generator=generator, dtype=torch.float64)
    direct = law.double()(x[:, None], outputs[None])
    torch.testing.assert_close(law.table(x, outputs), direct, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize(("law", "values"), [(LAWS[0], (0, 1)), (LAWS[1], (0, 1, 2, 3))])
def test_probabilities_sum_to_one(law, values):
    x = torch.tensor(list(itertools.product(values, repeat=2)), dtype=torch.float64)
    outputs = torch.tensor([[0.7, -1.9]], dtype=torch.float64).expand(len(x), -1)
    assert law(x, outputs).exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_the_gaussian_agrees_with_torch_and_its_variance_is_learned():
    law = likelihood("gaussian").double()
    x, mean = torch.tensor([[0.3, 2.0]]).double(), torch.tensor([[0.0, 1.5]]).double()
    expected = Normal(mean, 1).log_prob(x).sum()
    assert law(x, mean).item() == pytest.approx(expected.item())
    optimiser = torch.optim.LBFGS(law.parameters(), line_search_fn="strong_wolfe")

    def loss():
        optimiser.zero_grad()
        value = -law(x, mean).sum()
        value.backward()
        return value

    optimiser.step(loss)
    assert law.variance.item() == pytest.approx((0.09 + 0.25) / 2, rel=1e-4)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_outputs_with_a_mean_have_that_mean(law):
    mean = torch.tensor([0.2, 0.9])
    torch.testing.assert_close(law.float().mean(law.outputs_with_mean(mean)), mean)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_draws_have_the_mean_they_should(law):
    outputs = torch.tensor([[0.7, -1.0]]).expand(40_000, -1)
    draws = law.float().draw(outputs, torch.Generator().manual_seed(0))
    error = draws.std(0) / len(draws) ** 0.5
    assert ((draws.mean(0) - law.mean(outputs[0])).abs() < 4.5 * error).all()
