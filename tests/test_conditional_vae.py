"""The conditional bound, the prior that must not see y, and the plain VAE as a special case."""

import math

import pytest
import torch
from torch import Tensor

from vaedocs import conditional_vae, drawing, linear_vae
from vaedocs.conditional_vae import ConditionalVariationalAutoencoder, World
from vaedocs.from_lower_bound_to_vae import VariationalAutoencoder, negative_elbo
from vaedocs.lower_bound_reformulated import bernoulli_log_likelihood, gaussian_log_likelihood


def tables(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.softmax(torch.randn(*shape, generator=generator, dtype=torch.float64), -1)


def world() -> World:
    return World(tables(2, 3), tables(2, 3, 4, seed=1))


def test_bound_plus_divergence_is_the_conditional_evidence() -> None:
    model, q = world(), tables(2, 4, 3, seed=2)
    joint = model.prior[:, None] * model.likelihood.mT  # p(z|x) p(y|x, z), [X, Y, Z]
    posterior = joint / joint.sum(-1, keepdim=True)
    divergence = (q * (q / posterior).log()).sum(-1)
    total = conditional_vae.bound(model, q) + divergence
    assert (total - conditional_vae.log_conditional(model)).abs().max() < 1e-12
    assert (divergence > 0).all()


def test_prior_that_sees_y_breaks_the_bound() -> None:
    """For the best q under a prior equal to it, nothing is left but the reconstruction term."""
    model = world()
    truth = conditional_vae.log_conditional(model)
    q = torch.softmax(20 * model.likelihood.mT.log(), -1)
    leaky = conditional_vae.bound(model, q, prior=q)
    assert (leaky > truth).all()
    assert (leaky.exp().sum(-1) > 1).all()
    assert (conditional_vae.bound(model, q) <= truth).all()


def test_numbers_of_the_counterexample() -> None:
    found = conditional_vae.leaky_prior()
    assert found.log_conditional == pytest.approx(math.log(0.5))
    assert found.leaky_bound == pytest.approx(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert found.honest_bound <= found.log_conditional + 1e-12 < found.leaky_bound
    assert found.honest_total == pytest.approx(1)
    assert found.leaky_total > 1.4


def test_mass_and_density_differ_in_sign() -> None:
    found = conditional_vae.signs()
    assert found.bernoulli < 0 < found.gaussian
    assert found.gaussian == pytest.approx(-0.5 * math.log(2 * math.pi * 0.02), abs=1e-6)


def test_without_a_condition_it_is_the_plain_vae() -> None:
    torch.manual_seed(0)
    model = ConditionalVariationalAutoencoder(output=5, condition=0, latent=2, layers=(4,))
    plain = VariationalAutoencoder(model.encoder, model.decoder)
    y, noise = torch.rand(7, 5).round(), torch.randn(7, 2)
    outputs, q, prior = model(y, torch.zeros(7, 0), noise)
    expected, mean, log_variance = plain(y, noise)
    assert torch.equal(outputs, expected)
    loss = conditional_vae.negative_conditional_elbo(y, outputs, q, prior, bernoulli_log_likelihood)
    assert torch.allclose(loss, negative_elbo(y, expected, mean, log_variance), atol=1e-6)
    assert model.generate(torch.zeros(7, 0), noise).shape == (7, 5)


def test_only_a_leaky_prior_changes_with_y() -> None:
    """A dependency check: the derivative of the prior in y is zero, or it is a leak."""
    torch.manual_seed(0)
    for leaky in (False, True):
        model = ConditionalVariationalAutoencoder(3, 2, 1, (4,), leaky=leaky)
        y = torch.randn(6, 3, requires_grad=True)
        _, _, (mean, log_variance) = model(y, torch.randn(6, 2), torch.randn(6, 1))
        (slope,) = torch.autograd.grad(
            (mean + log_variance).sum() + 0 * y.sum(), y, allow_unused=False
        )
        assert bool(slope.abs().max() > 0) is leaky


def test_gradient_of_the_loss_is_that_of_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = tuple(
        torch.randn(3, 2, generator=generator, dtype=torch.float64, requires_grad=True)
        for _ in range(5)
    )
    y = torch.zeros(3, 2, dtype=torch.float64)

    def loss(outputs: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
        return conditional_vae.negative_conditional_elbo(
            y, outputs, (a, b), (c, d), lambda y, f: gaussian_log_likelihood(y, f, 0.5)
        )

    assert torch.autograd.gradcheck(loss, inputs)


def test_trained_bound_lies_below_the_density_and_the_leaky_claim_above_the_truth() -> None:
    found = conditional_vae.measured()
    assert found.smallest_gap > 0
    assert found.bound < found.log_conditional < found.truth + 0.05
    # No density of y given x beats the truth on average; the leaky number does, by more than a nat.
    assert found.excess > 1


def test_density_of_the_trained_model_integrates_to_one() -> None:
    x = torch.full((601, 1), 0.3, dtype=torch.float64)
    y = torch.linspace(-3, 3, 601, dtype=torch.float64)[:, None]
    density = conditional_vae.log_conditional_density(conditional_vae.train(), x, y).exp()
    assert density.sum().item() * 0.01 == pytest.approx(1, abs=1e-4)


def test_claimed_bound_agrees_with_sampling() -> None:
    model = conditional_vae.train()
    x, y = conditional_vae.branches(3, seed=9)
    many = 100_000
    noise = torch.randn(many, 3, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean, log_variance = model.encoder(y, x)
    z = mean + torch.exp(0.5 * log_variance) * noise
    terms = conditional_vae.negative_conditional_elbo(
        y, model.decoder(z, x.expand(many, 3, 1)), (mean, log_variance), model.prior(x, 1),
        lambda y, f: gaussian_log_likelihood(y, f, conditional_vae.VARIANCE),
    )  # fmt: skip
    error = terms.std(0) / math.sqrt(many)
    assert ((terms.mean(0) + conditional_vae.claimed_bound(model, x, y)).abs() < 4 * error).all()


def test_leaky_model_defines_no_density() -> None:
    model = ConditionalVariationalAutoencoder(1, 1, 1, (4,), leaky=True).double()
    x, y = conditional_vae.branches(2, seed=0)
    with pytest.raises(ValueError, match=r"reads y, so it defines no p\(y\|x\)"):
        conditional_vae.log_conditional_density(model, x, y)
    with pytest.raises(ValueError, match="condition = -1"):
        ConditionalVariationalAutoencoder(1, -1, 1)


def test_regression_then_principal_components_is_the_maximum() -> None:
    """No slope is left in any parameter of the linear conditional model."""
    digits = linear_vae.digits()
    x, y = digits[:300, 18:22], digits[:300, 42:46]
    fitted = conditional_vae.fit_linear(x, y, 2)
    regression, weight, variance = (
        t.clone().requires_grad_()
        for t in (fitted.regression, fitted.residual.weight, fitted.residual.variance)
    )
    ones = torch.ones(300, 1, dtype=torch.float64)
    residual = y - torch.cat([x, ones], 1) @ regression.T
    zero = torch.zeros(4, dtype=torch.float64)
    linear_vae.log_likelihood(residual, linear_vae.LinearModel(weight, zero, variance)).backward()
    for parameter in (regression, weight, variance):
        assert parameter.grad is not None
        assert parameter.grad.abs().max() < 1e-8


def test_top_half_tells_of_the_bottom_half() -> None:
    assert conditional_vae.halves_measured().gained > 1


@pytest.mark.parametrize("name", ["figure_networks", "figure_branches", "figure_halves"])
def test_figure_is_drawn_in_the_colours_of_the_book(name: str) -> None:
    picture = drawing.svg(getattr(conditional_vae, name)(), "a figure of this page")
    assert "var(--vaedocs-" in picture
