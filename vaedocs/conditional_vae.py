"""The conditional variational autoencoder: a distribution of outputs y for every input x.

Everything of the plain model gains a condition: prior p(z|x), decoder p(y|x, z), encoder
q(z|x, y). The one rule that is new is what each may see: the encoder reads y, the prior never.
Shapes: B examples, X conditions' dimensions, Y outputs' dimensions, M latent ones. In nats.
Source: Sohn, Lee & Yan (2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from vaedocs import kl_divergence, linear_vae
from vaedocs.domains import require_probabilities
from vaedocs.from_lower_bound_to_vae import Decoder, Encoder, LogLikelihood
from vaedocs.lower_bound_reformulated import gaussian_log_likelihood
from vaedocs.measure_the_gap import elbo, log_evidence
from vaedocs.reparameterization import sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ConditionalVariationalAutoencoder(nn.Module):
    """Encoder q(z|x, y), prior network p(z|x) and decoder p(y|x, z).

    With ``condition=0`` there is no x, the prior is N(0, I), and what is left is the plain VAE.
    ``leaky`` lets the prior read y as well. It breaks the bound; it is here to be caught.

    >>> model = ConditionalVariationalAutoencoder(output=5, condition=3, latent=2, layers=(4,))
    >>> outputs, q, prior = model(torch.zeros(7, 5), torch.zeros(7, 3), torch.zeros(7, 2))
    >>> outputs.shape, q[0].shape, prior[0].shape
    (torch.Size([7, 5]), torch.Size([7, 2]), torch.Size([7, 2]))
    """

    def __init__(
        self,
        output: int,
        condition: int,
        latent: int,
        layers: Sequence[int] = (64, 64),
        leaky: bool = False,
    ) -> None:
        super().__init__()
        if condition < 0:
            raise ValueError(f"condition = {condition}; expected 0 or more dimensions of x")
        self.encoder = Encoder(output, latent, layers, classes=condition)
        self.decoder = Decoder(latent, output, layers, classes=condition)
        seen = condition + output * leaky
        self.prior_network = Encoder(seen, latent, layers) if seen else None
        self.leaky = leaky

    def prior(self, x: Tensor, latent: int, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of p(z|x), ``[B, M]`` each; only a leaky prior is handed y."""
        if self.prior_network is None:
            zeros = x.new_zeros(*x.shape[:-1], latent)
            return zeros, zeros
        mean, log_variance = self.prior_network(x, y if self.leaky else None)
        return mean, log_variance

    def forward(
        self, y: Tensor, x: Tensor, noise: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """y: [B, Y], x: [B, X], noise: [B, M] -> outputs [B, Y]; q; prior."""
        mean, log_variance = self.encoder(y, x)
        outputs = self.decoder(sample(mean, log_variance, noise), x)
        return outputs, (mean, log_variance), self.prior(x, noise.shape[-1], y)

    def generate(self, x: Tensor, noise: Tensor) -> Tensor:
        """Predict: z from the *prior* p(z|x), since y is not there yet. x: [B, X] -> [B, Y]."""
        mean, log_variance = self.prior(x, noise.shape[-1])
        outputs: Tensor = self.decoder(sample(mean, log_variance, noise), x)
        return outputs


def negative_conditional_elbo(
    y: Tensor,
    outputs: Tensor,
    q: tuple[Tensor, Tensor],
    prior: tuple[Tensor, Tensor],
    log_likelihood: LogLikelihood,
) -> Tensor:
    """Minus the conditional bound: KL(q(z|x, y) || p(z|x)) - log p(y|x, z), one value an example.

    Args:
        y: ``[B, Y]``.
        outputs: what the decoder gave at one sample of q, ``[B, Y]``.
        q: mean and log-variance of q(z|x, y), ``[B, M]`` each.
        prior: mean and log-variance of p(z|x), ``[B, M]`` each.
        log_likelihood: ``(y, outputs) -> [B]``.

    Returns:
        Nats, ``[B]``; with a prior of N(0, I) it is the loss of the plain VAE.

    >>> zeros = torch.zeros(1, 2)
    >>> log_likelihood = lambda y, f: gaussian_log_likelihood(y, f, 1.0)
    >>> negative_conditional_elbo(zeros, zeros, (zeros, zeros), (zeros, zeros), log_likelihood)
    tensor([1.8379])
    """
    std, prior_std = (torch.exp(0.5 * log_variance) for _, log_variance in (q, prior))
    divergence = kl_divergence.gaussian(q[0], std, prior[0], prior_std).sum(-1)
    return divergence - log_likelihood(y, outputs)


# A world of finitely many x, z and y, where every number can be checked by hand.


class World(NamedTuple):
    """Probability tables: prior p(z|x) ``[X, Z]`` and likelihood p(y|x, z) ``[X, Z, Y]``."""

    prior: Tensor
    likelihood: Tensor


def log_conditional(world: World) -> Tensor:
    """log p(y|x) = log sum_z p(z|x) p(y|x, z), ``[X, Y]``; a probability, so at most 0.

    >>> world = World(torch.tensor([[0.5, 0.5]]), torch.tensor([[[0.9, 0.1], [0.2, 0.8]]]))
    >>> log_conditional(world).exp()
    tensor([[0.5500, 0.4500]])
    """
    require_probabilities(world.prior, "prior")
    require_probabilities(world.likelihood, "likelihood")
    return torch.einsum("xz,xzy->xy", world.prior, world.likelihood).log()


def bound(world: World, q: Tensor, prior: Tensor | None = None) -> Tensor:
    """E_q[log p(y|x, z)] - KL(q(z|x, y) || prior) for every x and y, ``[X, Y]``.

    Args:
        world: the tables.
        q: ``[X, Y, Z]``.
        prior: what is used in place of p(z|x), ``[X, Y, Z]``. A prior that changes with y gives
            numbers that are no bound: that is what this argument is for.

    >>> world = World(torch.tensor([[0.5, 0.5]]), torch.tensor([[[0.9, 0.1], [0.2, 0.8]]]))
    >>> q = torch.tensor([[[0.8, 0.2], [0.1, 0.9]]])
    >>> bool((bound(world, q) <= log_conditional(world)).all())
    True
    """
    used = world.prior[:, None].expand_as(q) if prior is None else prior
    divergence = kl_divergence.categorical(q, used)
    return (q * world.likelihood.mT.log()).sum(-1) - divergence


class LeakyPrior(NamedTuple):
    """One x, two z, two y: what a prior that sees y claims, and the truth."""

    log_conditional: float
    honest_bound: float
    leaky_bound: float
    honest_total: float
    """sum over y of exp(bound), with the honest prior: at most 1."""
    leaky_total: float
    """The same with the leaky prior: more than 1, so these cannot be probabilities."""


@cache
def leaky_prior() -> LeakyPrior:
    """p(z|x) = (1/2, 1/2) and y follows z with probability 0.9; q and the leak say z = y by 0.9."""
    half = torch.tensor([[0.5, 0.5]], dtype=torch.float64)
    follow = torch.tensor([[[0.9, 0.1], [0.1, 0.9]]], dtype=torch.float64)
    world = World(half, follow)
    honest, leaky = bound(world, follow)[0], bound(world, follow, prior=follow)[0]
    return LeakyPrior(
        log_conditional(world)[0, 0].item(),
        honest[0].item(),
        leaky[0].item(),
        honest.exp().sum().item(),
        leaky.exp().sum().item(),
    )


class Signs(NamedTuple):
    """log p(y|x) of a mass function and of a density, in nats."""

    bernoulli: float
    gaussian: float


def signs() -> Signs:
    """A binary y, and y = 0 under p(z) = N(0, 1), p(y|x, z) = N(0.1 z, 0.01)."""
    zero = torch.zeros(1, 1, dtype=torch.float64)
    density = log_evidence(lambda y, z: gaussian_log_likelihood(y, 0.1 * z, 0.01), zero, 1)
    return Signs(leaky_prior().log_conditional, density.log_evidence.item())


# The data of the page: two branches, y = ±(0.4 + 0.6 x²) with noise, and a small trained model.

NOISE = 0.15  # standard deviation of y around its branch
VARIANCE = NOISE**2
HIDDEN = 16  # units of each network
TRAINED = 400  # pairs
UNSEEN = 200  # pairs


def branches(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """x uniform on [-1, 1], y on the upper or the lower branch by a fair coin, ``[count, 1]``."""
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(count, 1, generator=generator, dtype=torch.float64) - 1
    side = torch.randint(2, (count, 1), generator=generator).double() * 2 - 1
    noise = torch.randn(count, 1, generator=generator, dtype=torch.float64)
    return x, side * (0.4 + 0.6 * x.square()) + NOISE * noise


def branch_log_density(x: Tensor, y: Tensor) -> Tensor:
    """log p(y|x) of the process that made the data, ``[B]``: no model beats it on average."""
    centre = 0.4 + 0.6 * x.square()
    sides = [gaussian_log_likelihood(y, side * centre, VARIANCE) for side in (1, -1)]
    return torch.logaddexp(*sides) - math.log(2)


@cache
def train(leaky: bool = False, steps: int = 1500) -> ConditionalVariationalAutoencoder:
    """Fit the model with one latent variable to the branches, its variance held at the truth."""
    x, y = branches(TRAINED, seed=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ConditionalVariationalAutoencoder(1, 1, 1, (HIDDEN,), leaky=leaky).double()
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        outputs, q, prior = model(y, x, torch.randn(len(x), 1, generator=generator).double())
        loss = negative_conditional_elbo(y, outputs, q, prior, _log_likelihood).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    return model.requires_grad_(False)


def _log_likelihood(y: Tensor, outputs: Tensor) -> Tensor:
    return gaussian_log_likelihood(y, outputs, VARIANCE)


def _without_prior(
    model: ConditionalVariationalAutoencoder, x: Tensor, y: Tensor
) -> tuple[LogLikelihood, Tensor, Tensor, Tensor]:
    """The same model with prior N(0, 1): decoder, data, and q's mean and log-variance.

    A prior network is absorbed by the decoder: with z = k(x) + l(x) e the variable e has prior
    N(0, 1), and the KL divergence does not change. So `measure_the_gap` serves unchanged, its
    data being y with x and the prior's parameters laid beside.
    """
    mean, log_variance = model.encoder(y, x)
    prior_mean, prior_log_variance = model.prior(x, 1, y)
    data = torch.cat([y, x, prior_mean, prior_log_variance], 1)

    def decode(data: Tensor, e: Tensor) -> Tensor:
        y, x, k, log_l2 = data.split(1, -1)
        z = k + torch.exp(0.5 * log_l2) * e
        return _log_likelihood(y, model.decoder(z, x.expand_as(z)))

    shifted = (mean - prior_mean) * torch.exp(-0.5 * prior_log_variance)
    return decode, data, shifted, log_variance - prior_log_variance


def claimed_bound(model: ConditionalVariationalAutoencoder, x: Tensor, y: Tensor) -> Tensor:
    """E_q[log p(y|x, z)] - KL(q || prior) of a trained model by a grid, ``[B]``, M = 1.

    A lower bound of log p(y|x) if the prior is honest, and of nothing if it is leaky.
    """
    return elbo(*_without_prior(model, x, y))


def log_conditional_density(
    model: ConditionalVariationalAutoencoder, x: Tensor, y: Tensor
) -> Tensor:
    """log p(y|x) of a trained model with one latent variable by a certified grid, ``[B]``.

    Raises:
        ValueError: the prior is leaky, so that the model defines no p(y|x).
    """
    if model.leaky:
        raise ValueError(
            "the prior of this model reads y, so it defines no p(y|x); expected a prior of x alone"
        )
    decode, data, _, _ = _without_prior(model, x, y)
    return log_evidence(decode, data, 1).log_evidence


class Branches(NamedTuple):
    """Means over unseen points of the branches, in nats."""

    truth: float
    log_conditional: float
    bound: float
    smallest_gap: float
    leaky_claim: float

    @property
    def excess(self) -> float:
        """By how much the leaky model claims to beat the process that made the data."""
        return self.leaky_claim - self.truth


@cache
def measured() -> Branches:
    """An honest and a leaky model on unseen points, against the density that made the data."""
    x, y = branches(UNSEEN, seed=2)
    density, honest = log_conditional_density(train(), x, y), claimed_bound(train(), x, y)
    return Branches(
        branch_log_density(x, y).mean().item(),
        density.mean().item(),
        honest.mean().item(),
        (density - honest).min().item(),
        claimed_bound(train(leaky=True), x, y).mean().item(),
    )


# A conditional model with an exact answer: a linear decoder on the digits, top half to bottom half.


class LinearConditional(NamedTuple):
    """p(y|x, z) = N(regression [x, 1] + W z, c I) with p(z) = N(0, I)."""

    regression: Tensor
    """``[Y, X + 1]``, least squares with an intercept."""
    residual: linear_vae.LinearModel
    """Probabilistic PCA of what the regression leaves."""

    def mean(self, x: Tensor) -> Tensor:
        """The regression of y on x: ``[B, X] -> [B, Y]``."""
        return _with_one(x) @ self.regression.T

    def log_likelihood(self, x: Tensor, y: Tensor) -> float:
        """Mean of log p(y|x), exact."""
        return float(linear_vae.log_likelihood(y - self.mean(x), self.residual))


def _with_one(x: Tensor) -> Tensor:
    return torch.cat([x, torch.ones_like(x[:, :1])], 1)


def fit_linear(x: Tensor, y: Tensor, latent_size: int) -> LinearConditional:
    """Maximum likelihood of the linear conditional model: regression, then PCA of the residuals.

    Every output has the same regressors, so least squares is the best regression whatever the
    covariance of the residuals; `linear_vae.maximum_likelihood` then gives W and c.
    With ``x`` of no columns it is the plain linear VAE.

    >>> y = linear_vae.digits()[:, 20:24]
    >>> plain = linear_vae.log_likelihood(y, linear_vae.maximum_likelihood(y, 2)).item()
    >>> without_x = fit_linear(y[:, :0], y, 2)
    >>> abs(without_x.log_likelihood(y[:, :0], y) - plain) < 1e-9
    True
    """
    # gelsd gives the shortest solution, since some pixels never change.
    solution = torch.linalg.lstsq(_with_one(x), y, driver="gelsd").solution.T
    model = linear_vae.maximum_likelihood(y - _with_one(x) @ solution.T, latent_size)
    return LinearConditional(solution, model)


@cache
def halves() -> tuple[LinearConditional, LinearConditional]:
    """Models of the bottom half of a digit with and without the top half, 8 latent units each.

    Fitted to the even rows of the bundled digits.
    """
    top, bottom = linear_vae.digits()[::2, :32], linear_vae.digits()[::2, 32:]
    return fit_linear(top, bottom, 8), fit_linear(top[:, :0], bottom, 8)


class Halves(NamedTuple):
    """Mean log-density of the unseen bottom halves, in nats, with and without the top half."""

    counts: int
    units: int
    conditional: float
    plain: float
    gained: float


@cache
def halves_measured() -> Halves:
    """Both models on the odd rows of the digits, which they have not seen."""
    top, bottom = linear_vae.digits()[1::2, :32], linear_vae.digits()[1::2, 32:]
    given, alone = halves()
    with_top = given.log_likelihood(top, bottom)
    without = alone.log_likelihood(top[:, :0], bottom)
    counts, units = given.residual.weight.shape
    return Halves(counts, units, with_top, without, with_top - without)


def figure_networks() -> Figure:
    """Who reads what: the three networks when training and when predicting."""
    from vaedocs.drawing import arrow, box, diagram

    figure, ax = diagram(6.4, 3.5)
    for left, title in ((0.0, "training"), (3.3, "predicting")):
        ax.text(left + 1.5, 3.3, title, ha="center", va="center", fontsize=12.5)
    # Training: q reads x and y; the divergence compares it with the prior, which reads x.
    x = box(ax, 0.45, 1.95, "$x$", width=0.5, shape="circle")
    y = box(ax, 0.45, 0.6, "$y$", width=0.5, shape="circle")
    prior = box(ax, 1.5, 2.7, "prior", width=0.95, height=0.55, colour="green")
    encoder = box(ax, 1.5, 0.9, "encoder", width=0.95, height=0.55, colour="blue")
    z = box(ax, 2.65, 0.9, "$z$", width=0.45, shape="circle", colour="blue")
    decoder = box(ax, 2.65, 1.95, "decoder", width=0.95, height=0.55, colour="orange")
    arrow(ax, x, prior)
    arrow(ax, x, encoder)
    arrow(ax, y, encoder)
    arrow(ax, encoder, z)
    arrow(ax, z, decoder)
    arrow(ax, x, decoder)
    arrow(ax, encoder, prior, dashed=True)
    ax.text(1.58, 2.2, "KL", fontsize=11)
    # Predicting: z comes from the prior, and y comes out.
    x = box(ax, 3.75, 1.95, "$x$", width=0.5, shape="circle")
    prior = box(ax, 4.8, 2.7, "prior", width=0.95, height=0.55, colour="green")
    z = box(ax, 5.9, 2.7, "$z$", width=0.45, shape="circle", colour="green")
    decoder = box(ax, 5.4, 1.55, "decoder", width=0.95, height=0.55, colour="orange")
    y = box(ax, 5.4, 0.5, "$y$", width=0.5, shape="circle")
    arrow(ax, x, prior)
    arrow(ax, prior, z)
    arrow(ax, z, decoder)
    arrow(ax, x, decoder)
    arrow(ax, decoder, y)
    return figure


def figure_branches() -> Figure:
    """The data, predictions from the prior, and the regression that goes between the branches."""
    from vaedocs.drawing import COLOURS, axes

    x, y = branches(TRAINED, seed=0)
    new_x, _ = branches(400, seed=3)
    generator = torch.Generator().manual_seed(4)
    noise = torch.randn(400, 2, generator=generator, dtype=torch.float64)
    drawn = train().generate(new_x, noise[:, :1]) + NOISE * noise[:, 1:]
    line = torch.linspace(-1, 1, 2, dtype=torch.float64)[:, None]
    regression = torch.linalg.lstsq(_with_one(x), y).solution
    figure, (left, right) = axes(height=3.2, columns=2, sharey=True)
    left.plot(x, y, ".", color=COLOURS["ink"], markersize=3, alpha=0.6)
    left.plot(line, _with_one(line) @ regression, color=COLOURS["red"])
    left.set(title="data, and a regression", xlabel="x", ylabel="y")
    right.plot(new_x, drawn, ".", color=COLOURS["orange"], markersize=3, alpha=0.8)
    right.set(title="conditional VAE, samples", xlabel="x")
    return figure


def figure_halves() -> Figure:
    """Top halves of unseen digits, their true bottom halves, and three samples of p(y|x)."""
    from vaedocs.drawing import COLOURS, axes

    rows = [1, 3, 9, 13, 17]
    top, bottom = linear_vae.digits()[rows, :32], linear_vae.digits()[rows, 32:]
    given, _ = halves()
    generator = torch.Generator().manual_seed(0)
    weight, offset, _ = given.residual
    noise = torch.randn(3, len(rows), weight.shape[1], generator=generator, dtype=torch.float64)
    samples = given.mean(top) + offset + noise @ weight.T  # the mean of p(y|x, z)
    figure, grid = axes(width=6.0, height=4.6, rows=4, columns=len(rows))
    names = ("seen", "sample", "sample", "sample")
    for line, (name, halves_shown) in enumerate(zip(names, (bottom, *samples), strict=True)):
        for column, ax in enumerate(grid[line]):
            image = (
                torch.cat([top[column], halves_shown[column].clamp(0, 16)]).reshape(8, 8).numpy()
            )
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=16, interpolation="none")
            ax.axhline(3.5, color=COLOURS["red"], linewidth=1)
            ax.set(xticks=[], yticks=[])
        grid[line][0].set_ylabel("true" if line == 0 else name)
    return figure
