"""The linear VAE against probabilistic PCA, to the last digit."""

import math

import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor
from torch.distributions import MultivariateNormal

from vaedocs import drawing, linear_vae
from vaedocs.kl_divergence import multivariate_gaussian
from vaedocs.measure_the_gap import elbo as elbo_by_grid


def data(n: int = 200, seed: int = 0) -> Tensor:
    """Rows with well-separated variances, rotated and off centre."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 6, generator=generator, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(6, 6, generator=generator, dtype=torch.float64)).Q
    scales = torch.tensor([5.0, 3.0, 2.0, 1.0, 0.7, 0.5], dtype=torch.float64)
    return (x * scales) @ turn + 2.0


def random_model(latent: int = 2, seed: int = 1) -> linear_vae.LinearModel:
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(6, latent, generator=generator, dtype=torch.float64)
    offset = torch.randn(6, generator=generator, dtype=torch.float64)
    return linear_vae.LinearModel(weight, offset, torch.tensor(0.7, dtype=torch.float64))


def test_evidence_is_the_gaussian_of_torch() -> None:
    x, model = data(), random_model()
    covariance = model.weight @ model.weight.T + model.variance * torch.eye(6).double()
    truth = MultivariateNormal(model.offset, covariance).log_prob(x).mean()
    assert linear_vae.log_likelihood(x, model).item() == pytest.approx(truth.item(), abs=1e-11)


@pytest.mark.parametrize("latent", [1, 2, 4])
def test_maximum_likelihood_is_that_of_scikit_learn(latent: int) -> None:
    """scikit-learn divides by N - 1, so it is given data stretched to make up for it."""
    x = linear_vae.digits()[:, 20:30]
    n = len(x)
    stretched = x.mean(0) + (x - x.mean(0)) * math.sqrt((n - 1) / n)
    theirs = PCA(latent).fit(stretched.numpy()).score(x.numpy())
    ours = linear_vae.log_likelihood(x, linear_vae.maximum_likelihood(x, latent)).item()
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_maximum_likelihood_has_no_slope_and_no_better_neighbour() -> None:
    x = data()
    weight, offset, variance = (
        t.clone().requires_grad_() for t in linear_vae.maximum_likelihood(x, 2)
    )
    value = linear_vae.log_likelihood(x, linear_vae.LinearModel(weight, offset, variance))
    value.backward()
    for parameter in (weight, offset, variance):
        assert parameter.grad is not None
        assert parameter.grad.abs().max() < 1e-10


def test_bound_agrees_with_a_grid_in_z() -> None:
    x, model = data(5), random_model()
    encoder = linear_vae.optimal_encoder(model)

    def decoder(x: Tensor, z: Tensor) -> Tensor:
        mean = z @ model.weight.T + model.offset
        return linear_vae.gaussian_log_likelihood(x, mean, model.variance)

    by_grid = elbo_by_grid(decoder, x, *encoder(x)).mean()
    assert linear_vae.elbo(x, model, encoder).item() == pytest.approx(by_grid.item(), abs=1e-9)


def test_bound_touches_the_evidence_at_the_optimum() -> None:
    x = linear_vae.digits()
    for latent in (2, 10):
        best = linear_vae.maximum_likelihood(x, latent)
        bound = linear_vae.elbo(x, best, linear_vae.optimal_encoder(best))
        assert abs((bound - linear_vae.log_likelihood(x, best)).item()) < 1e-10


def test_gap_of_any_decoder_is_the_divergence_from_the_posterior() -> None:
    x, model = data(), random_model(3)
    encoder = linear_vae.optimal_encoder(model)
    gap = linear_vae.log_likelihood(x, model) - linear_vae.elbo(x, model, encoder)
    precision = model.weight.T @ model.weight + model.variance * torch.eye(3).double()
    posterior = model.variance * torch.linalg.inv(precision)
    mean, log_variance = encoder(x[:1])
    divergence = multivariate_gaussian(
        mean[0], torch.diag(log_variance[0].exp()), mean[0], posterior
    )
    assert gap.item() == pytest.approx(divergence.item(), abs=1e-11)
    assert gap.item() == pytest.approx(linear_vae.rotation_cost(model).item(), abs=1e-11)
    assert gap.item() > 0.01


def test_encoder_is_the_best_diagonal_one() -> None:
    x, model = data(), random_model()
    best = linear_vae.optimal_encoder(model)
    pieces = [t.clone().requires_grad_() for t in (best.weight, best.log_variance)]
    encoder = linear_vae.LinearEncoder(pieces[0], best.offset, pieces[1])
    linear_vae.elbo(x, model, encoder).backward()
    for piece in pieces:
        assert piece.grad is not None
        assert piece.grad.abs().max() < 1e-10


def test_rotation_leaves_the_evidence_and_costs_the_bound() -> None:
    x = linear_vae.digits()
    best = linear_vae.maximum_likelihood(x, 3)
    for angle in (0.3, 0.7, 2.0):
        turned = linear_vae.rotated(best, angle, 2)
        evidence = linear_vae.log_likelihood(x, turned)
        bound = linear_vae.elbo(x, turned, linear_vae.optimal_encoder(turned))
        assert evidence.item() == pytest.approx(
            linear_vae.log_likelihood(x, best).item(), abs=1e-10
        )
        cost = linear_vae.rotation_cost(turned).item()
        assert (evidence - bound).item() == pytest.approx(cost, abs=1e-10)
        assert cost > 1e-3


def test_gradient_of_the_bound_is_that_of_differences() -> None:
    x, start = data(20), random_model()

    def bound(weight: Tensor, log_c: Tensor) -> Tensor:
        model = linear_vae.LinearModel(weight, start.offset, log_c.exp())
        return linear_vae.elbo(x, model, linear_vae.optimal_encoder(model))

    inputs = (start.weight.requires_grad_(), start.variance.log().requires_grad_())
    assert torch.autograd.gradcheck(bound, inputs)


def test_eliminated_encoder_reaches_the_optimum_within_a_millionth() -> None:
    numbers = linear_vae.numbers()
    assert abs(numbers.missing_10) < 1e-6
    assert numbers.evaluations_to_a_millionth < 600
    assert numbers.rotation_10 > 0.1
    assert 1e-6 < numbers.score_below < 1e-5


def test_what_an_early_fit_lacks_is_half_evidence_and_half_rotation() -> None:
    """The page says so; the sum is an identity, the shares are measured."""
    found = linear_vae.early()
    assert found.missing == pytest.approx(found.evidence + found.rotation, abs=1e-10)
    assert 0.3 < found.rotation / found.missing < 0.7
    assert 0 < found.degrees < 3


def test_compressed_data_give_the_same_bound() -> None:
    x, model = data(), random_model()
    encoder = linear_vae.optimal_encoder(model)
    small = linear_vae.same_moments(x)
    assert len(small) == 12
    expected = linear_vae.elbo(x, model, encoder).item()
    assert linear_vae.elbo(small, model, encoder).item() == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(
    ("variance", "count"), [(0.3, 4), (2.0, 3), (6.0, 2), (15.0, 1), (60.0, 0)]
)
def test_active_units_are_the_eigenvalues_above_c(variance: float, count: int) -> None:
    """Train W by itself with c held fixed, and look which of its directions survive."""
    x = data(400)
    c = torch.tensor(variance, dtype=torch.float64)
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(6, 4, generator=generator, dtype=torch.float64).requires_grad_()
    optimiser = torch.optim.LBFGS([weight], max_iter=500, line_search_fn="strong_wolfe")
    optimiser.param_groups[0].update(tolerance_grad=1e-11, tolerance_change=1e-15)

    def model() -> linear_vae.LinearModel:
        return linear_vae.LinearModel(weight, x.mean(0), c)

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = -linear_vae.elbo(x, model(), linear_vae.optimal_encoder(model()))
        value.backward()
        return value

    optimiser.step(loss)
    eigenvalues = linear_vae.spectrum(x).eigenvalues
    mean, log_variance = linear_vae.optimal_encoder(model())(x)
    divergence = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).mean(0)
    found = divergence.detach().sort(descending=True).values
    expected = linear_vae.unit_divergence(eigenvalues[:4], variance)
    assert linear_vae.active_units(eigenvalues[:4], variance) == count
    assert (found - expected).abs().max() < 1e-3
    assert int((found > 0.005).sum()) == count
    best = linear_vae.fixed_variance_optimum(x, 4, variance)
    bound = -loss().item()
    assert bound == pytest.approx(linear_vae.log_likelihood(x, best).item(), abs=1e-7)


def test_bad_input_is_refused() -> None:
    x = data()
    with pytest.raises(ValueError, match="latent_size = 6; expected 1 to 5 for data of 6"):
        linear_vae.maximum_likelihood(x, 6)
    with pytest.raises(ValueError, match="the data lie in 2 dimensions"):
        linear_vae.maximum_likelihood(x[:, :2] @ x[:2], 2)
    with pytest.raises(ValueError, match=r"expected \[B, N\], \[N, M\] and \[N\]"):
        linear_vae.log_likelihood(x[:, :5], random_model())
    with pytest.raises(ValueError, match="variance = -1"):
        linear_vae.fixed_variance_optimum(x, 2, -1.0)


def test_units_that_stay_on_are_those_of_the_figure() -> None:
    """The description of the figure names the first two counts."""
    assert linear_vae.active()[:2] == (37, 14)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_training_by_sampling_comes_within_a_hundredth_of_a_nat(seed: int) -> None:
    x = linear_vae.digits()
    model, encoder = linear_vae.fit_by_sampling(x, 2, seed=seed)
    best = linear_vae.log_likelihood(x, linear_vae.maximum_likelihood(x, 2)).item()
    assert 0 < best - linear_vae.elbo(x, model, encoder).item() < 0.01


@pytest.mark.parametrize("name", ["figure_rotation", "figure_spectrum", "figure_convergence"])
def test_figure_is_drawn_in_the_colours_of_the_book(name: str) -> None:
    picture = drawing.svg(getattr(linear_vae, name)(), "a figure of this page")
    assert "var(--vaedocs-" in picture
