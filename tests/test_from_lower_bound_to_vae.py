"""The numbers of the page: both pulls on the encoder, the optimum, the price of one encoder."""

import inspect
import re
from pathlib import Path

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaedocs import from_lower_bound_to_vae
from vaedocs.drawing import svg
from vaedocs.from_lower_bound_to_vae import (
    Decoder,
    Encoder,
    VariationalAutoencoder,
    amortised,
    figure_architecture,
    layers_of,
    negative_elbo,
    optimum,
    pull,
)
from vaedocs.lower_bound import linear_elbo
from vaedocs.lower_bound_reformulated import gaussian_log_likelihood
from vaedocs.reparameterization import sample
from vaedocs.training import by_hand


@pytest.mark.parametrize(("mean", "log_variance"), [(0.0, 0.0), (0.7, -1.0), (-2.0, 0.4)])
def test_pulls_agree_with_the_formulas(mean, log_variance):
    """d/dmu of alpha ((x - w mu)^2 + w^2 s^2) is -2 alpha w (x - w mu), and so on by hand."""
    answer = pull(mean, log_variance)
    alpha, w, x, variance = 0.5, 2.0, 3.0, 2.718281828459045**log_variance
    assert answer.error_by_mean == pytest.approx(-2 * alpha * w * (x - w * mean))
    assert answer.kl_by_mean == pytest.approx(mean)
    assert answer.error_by_log_variance == pytest.approx(alpha * w**2 * variance)
    assert answer.kl_by_log_variance == pytest.approx(0.5 * (variance - 1))


def test_the_optimum_is_where_the_pulls_cancel_and_the_bound_is_highest():
    answer = optimum()
    assert answer.best.error_by_mean + answer.best.kl_by_mean == pytest.approx(0, abs=1e-12)
    assert answer.best.error_by_log_variance + answer.best.kl_by_log_variance == pytest.approx(
        0, abs=1e-12
    )
    assert answer.best.error_by_mean != 0
    x, w, c = (torch.tensor(v, dtype=torch.float64) for v in (3.0, 2.0, 1.0))
    mean = answer.mean + torch.linspace(-1, 1, 201, dtype=torch.float64)[:, None]
    std = answer.variance**0.5 * torch.linspace(0.5, 1.5, 201, dtype=torch.float64)
    bound = linear_elbo(x, w, c, mean, std)
    assert bound.argmax().item() == 100 * 201 + 100


def test_the_loss_averages_to_minus_the_bound():
    """The loss of the training loop, on the linear model where the bound is known."""
    generator = torch.Generator().manual_seed(14)
    noise = torch.randn(200_000, 1, generator=generator, dtype=torch.float64)
    x, mean, log_variance = (torch.full_like(noise, value) for value in (3.0, 0.8, -0.7))
    outputs = 2.0 * sample(mean, log_variance, noise)
    loss = negative_elbo(
        x, outputs, mean, log_variance, lambda x, f: gaussian_log_likelihood(x, f, 1.0)
    )
    one = torch.ones((), dtype=torch.float64)
    std = (0.5 * log_variance[0, 0]).exp()
    bound = linear_elbo(3 * one, 2 * one, one, 0.8 * one, std)
    assert abs(loss.mean() + bound) < 5 * loss.std() / len(loss) ** 0.5


def test_the_amortised_slope_is_the_best_and_its_gap_is_a_divergence():
    answer = amortised()
    x = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    std = torch.tensor(0.2, dtype=torch.float64).sqrt()

    def gap(slope):
        return kl_divergence(Normal(slope * x, std), Normal(0.4 * (x - 1), std)).mean().item()

    assert answer.gap == pytest.approx(gap(answer.slope))
    assert answer.gap < min(gap(answer.slope + 0.01), gap(answer.slope - 0.01))
    assert answer.exact_slope == pytest.approx(0.4)


def test_the_networks_have_the_shapes_they_say():
    model = VariationalAutoencoder(Encoder(6, 3, (5, 4)), Decoder(3, 6, (4, 5)))
    x, noise = torch.rand(7, 6), torch.randn(2, 7, 3)
    outputs, mean, log_variance = model(x, noise)
    assert outputs.shape == (2, 7, 6)
    assert mean.shape == log_variance.shape == (7, 3)


def test_the_pass_is_encoder_then_sample_then_decoder():
    model = VariationalAutoencoder(Encoder(6, 3, (5,)), Decoder(3, 6, (5,)))
    x, noise = torch.rand(4, 6), torch.randn(4, 3)
    outputs, mean, log_variance = model(x, noise)
    z = mean + (log_variance / 2).exp() * noise
    torch.testing.assert_close(outputs, model.decoder(z))
    assert not torch.equal(outputs, model(x, -noise)[0])


def test_without_layers_both_networks_are_affine():
    encoder, decoder = Encoder(6, 3, ()), Decoder(3, 6, ())
    a, b, c, d = torch.randn(1, 6), torch.randn(1, 6), torch.randn(1, 3), torch.randn(1, 3)
    for network, one, other in ((lambda x: encoder(x)[0], a, b), (decoder, c, d)):
        middle = network((one + other) / 2)
        torch.testing.assert_close(middle, (network(one) + network(other)) / 2)


def test_the_label_changes_what_a_conditional_network_gives():
    encoder, decoder = Encoder(6, 3, (5,), classes=2), Decoder(3, 6, (5,), classes=2)
    x, z = torch.rand(1, 6), torch.randn(1, 3)
    first, second = torch.eye(2)[:1], torch.eye(2)[1:]
    assert not torch.equal(encoder(x, first)[0], encoder(x, second)[0])
    assert not torch.equal(decoder(z, first), decoder(z, second))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Encoder(6, 0), "latent size 0; expected a whole number of at least 1"),
        (lambda: Encoder(6, 2, (4, 0)), "a layer of width 0"),
        (lambda: Decoder(2, 6, (4,), "sine"), "unknown activation 'sine'; expected one of tanh"),
        (lambda: layers_of([2, -1], "tanh"), "a layer of width -1"),
    ],
)
def test_impossible_networks_are_refused_in_words(build, words):
    with pytest.raises(ValueError, match=words):
        build()


def test_the_loss_refuses_shapes_that_do_not_match():
    x, nothing = torch.ones(4, 5), torch.zeros(4, 2)
    with pytest.raises(ValueError, match="shape"):
        negative_elbo(x, torch.zeros(4, 6), nothing, nothing)
    with pytest.raises(ValueError, match="shape"):
        negative_elbo(x, torch.zeros(4, 5), nothing, torch.zeros(4, 3))


def test_the_architecture_names_every_part():
    words = svg(figure_architecture(), "a title")
    for part in ("encoder", "decoder", "KL to the prior", "noise", "loss"):
        assert part in words


def test_every_line_beside_the_equation_is_a_line_that_runs():
    """The table of the page quotes code, and code changes."""
    page = Path(__file__).parents[1] / "docs" / "from_lower_bound_to_vae.md"
    table = page.read_text(encoding="utf-8").partition("| the line that runs |")[2]
    quoted = re.findall(r"\| `([^`]+)` \|", table.partition("\n\n")[0])
    assert len(quoted) == 7
    source = inspect.getsource(from_lower_bound_to_vae) + inspect.getsource(by_hand)
    assert [line for line in quoted if line not in source] == []
