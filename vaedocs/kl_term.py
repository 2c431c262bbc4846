"""What the KL term of the lower bound does: surgery, collapse, and the weight beta.

Averaged over the data, the KL term is the information that z carries about which example was
encoded, plus how far the aggregate of all q(z|x) lies from the prior. In a linear model its effect
on every unit is known exactly, and so is the whole curve of rate against distortion.
All values are in nats. Shapes: D examples, M latent dimensions, N data dimensions.
Sources: Hoffman & Johnson (2016); Lucas et al. (2019); Higgins et al. (2017); Alemi et al. (2018);
Cover & Thomas (2006), section 10.3.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs import linear_vae
from vaedocs.domains import require_finite, require_positive
from vaedocs.kl_divergence import diagonal_to_standard_normal
from vaedocs.measure_the_gap import log_prior
from vaedocs.reparameterization import sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Surgery(NamedTuple):
    """The mean KL term and its two parts, each computed by itself, in nats."""

    mean_divergence: float
    """(1/D) sum_n KL(q(z|x_n) || p(z)), from the closed form."""
    information: float
    """I(n; z): what z tells about which of the D examples was encoded, from quadrature."""
    aggregate_divergence: float
    """KL(q(z) || p(z)) of the aggregate q(z) = (1/D) sum_n q(z|x_n), from quadrature."""
    most_information: float
    """log D, which the information cannot exceed."""

    @property
    def residual(self) -> float:
        """mean_divergence - information - aggregate_divergence: 0 but for rounding."""
        return self.mean_divergence - self.information - self.aggregate_divergence


def surgery(mean: Tensor, log_variance: Tensor, points: int = 61) -> Surgery:
    """Cut the mean KL term of D encoded examples into information and aggregate divergence.

    The expectations under each q(z|x_n) are uniform grids in its own noise (``points`` per
    dimension on [-8, 8]), so the latent size is 1 or 2. The closed form of the mean divergence
    takes no part in the other two terms, so ``residual`` says how far to trust the grid.
    Hoffman & Johnson (2016).

    Args:
        mean: means of q(z|x_n), ``[D, M]``.
        log_variance: their log-variances, ``[D, M]``.
        points: grid points per latent dimension.

    Raises:
        ValueError: shapes differ, values are not finite, or the latent size is not 1 or 2.

    >>> apart = torch.tensor([[-9.0], [9.0]], dtype=torch.float64)
    >>> found = surgery(apart, torch.zeros_like(apart))
    >>> round(found.information, 6), round(found.most_information, 6)
    (0.693147, 0.693147)
    """
    require_finite(mean, "mean")
    require_finite(log_variance, "log_variance")
    if mean.ndim != 2 or mean.shape[1] not in (1, 2):
        raise ValueError(
            f"mean has shape {list(mean.shape)}; expected [D, 1] or [D, 2], the quadrature is a "
            "grid: for more latent dimensions use surgery_by_sampling"
        )
    axis = torch.linspace(-8, 8, points, dtype=mean.dtype)
    noise = torch.cartesian_prod(*[axis] * mean.shape[1]).reshape(-1, mean.shape[1])
    weight = torch.softmax(log_prior(noise), 0)
    return _surgery(mean, log_variance, noise, weight)


def surgery_by_sampling(
    mean: Tensor,
    log_variance: Tensor,
    samples: int = 64,
    *,
    generator: torch.Generator | None = None,
) -> Surgery:
    """The same cut for any latent size, the expectations by samples of each q(z|x_n).

    The aggregate is over the D examples given and is evaluated exactly at every sample, so the
    estimate of the information never exceeds log D. The residual shows the sampling error.

    >>> apart = torch.tensor([[-9.0] * 5, [9.0] * 5], dtype=torch.float64)
    >>> found = surgery_by_sampling(apart, torch.zeros_like(apart))
    >>> round(found.information, 6)
    0.693147
    """
    require_finite(mean, "mean")
    require_finite(log_variance, "log_variance")
    noise = torch.randn(samples, mean.shape[-1], generator=generator, dtype=mean.dtype)
    return _surgery(mean, log_variance, noise, torch.full((samples,), 1 / samples).to(mean.dtype))


def _surgery(mean: Tensor, log_variance: Tensor, noise: Tensor, weight: Tensor) -> Surgery:
    count = len(mean)
    information, aggregate = 0.0, 0.0
    for row in range(count):  # one example at a time: [S, D] numbers, not [D, S, D]
        z = sample(mean[row], log_variance[row], noise)
        log_each = _log_gaussian(z[:, None], mean, log_variance)  # log q(z|x_m), [S, D]
        log_aggregate = log_each.logsumexp(-1) - math.log(count)
        information += (weight @ (log_each[:, row] - log_aggregate)).item()
        aggregate += (weight @ (log_aggregate - log_prior(z))).item()
    divergence = diagonal_to_standard_normal(mean, log_variance).mean().item()
    return Surgery(divergence, information / count, aggregate / count, math.log(count))


def _log_gaussian(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """log N(z; mean, diag(exp(log_variance))), the change of variables of the prior's density."""
    return log_prior((z - mean) * torch.exp(-0.5 * log_variance)) - 0.5 * log_variance.sum(-1)


# The example of the page: three encoded points on a line.


@cache
def example() -> Surgery:
    """Three examples encoded at -2, 0.5 and 1.5 with standard deviations 0.4, 0.5 and 0.6."""
    mean = torch.tensor([[-2.0], [0.5], [1.5]], dtype=torch.float64)
    std = torch.tensor([[0.4], [0.5], [0.6]], dtype=torch.float64)
    return surgery(mean, 2 * std.log(), points=401)


def example_residual() -> float:
    """Size of the residual of the example, in nats."""
    return abs(example().residual)


def ceiling_of_ten_thousand() -> float:
    """The most that a code can tell about which of 10,000 images it came from, in nats.

    >>> round(ceiling_of_ten_thousand(), 2)
    9.21
    """
    return math.log(10_000)


def unit_log_likelihood(signal: Tensor, eigenvalue: Tensor, variance: Tensor) -> Tensor:
    """What one principal axis adds to log p(x) when the decoder gives it w² = ``signal``.

    The data have variance ``eigenvalue`` along it and the model ``signal + variance``; with an
    orthogonal decoder it is also what the axis adds to the lower bound. Elementwise, in nats.

    >>> three, one = torch.tensor(3.0), torch.tensor(1.0)
    >>> gain = unit_log_likelihood(torch.tensor(2.0), three, one)  # the optimum, w² = λ - c
    >>> bool(gain > unit_log_likelihood(torch.tensor([0.0, 1.9, 2.1]), three, one).max())
    True
    """
    require_positive(eigenvalue, "eigenvalue")
    require_positive(variance, "variance")
    total = signal + variance
    return -0.5 * (torch.log(2 * math.pi * total) + eigenvalue / total)


class RateDistortion(NamedTuple):
    """Rate and distortion of the linear VAE, over all units."""

    rate: Tensor
    """Mean KL term in nats, ``[...]``."""
    distortion: Tensor
    """Mean squared error of a decoded sample of q, ``[...]``."""


def rate_distortion(eigenvalues: Tensor, level: Tensor) -> RateDistortion:
    """Rate and distortion of the best linear VAE with beta times c equal to ``level``.

    Units with λ above the level get ½ log(λ / level) nats and leave the error ``level``; the
    others are off and leave all of λ. These are exactly the numbers of reverse water-filling, the
    best that any code for a Gaussian source can do. Cover & Thomas (2006), theorem 10.3.3.

    Args:
        eigenvalues: of the covariance of the data, ``[N]``.
        level: beta times c, ``[...]``, positive.

    >>> found = rate_distortion(torch.tensor([4.0, 1.0]), torch.tensor([2.0]))
    >>> found.rate, found.distortion
    (tensor([0.3466]), tensor([3.]))
    """
    require_positive(eigenvalues, "eigenvalues")
    require_positive(level, "level")
    rate = 0.5 * (eigenvalues / level[..., None]).log().clamp_min(0).sum(-1)
    return RateDistortion(rate, torch.minimum(eigenvalues, level[..., None]).sum(-1))


class Digits(NamedTuple):
    """The linear VAE on the digits when beta times c is 20."""

    rate: float
    distortion: float
    total_variance: float
    active: int
    collapsed_above: float


@cache
def digits() -> Digits:
    """What the page quotes of the digits."""
    eigenvalues = _positive_eigenvalues()
    found = rate_distortion(eigenvalues, torch.tensor(20.0, dtype=torch.float64))
    return Digits(
        found.rate.item(),
        found.distortion.item(),
        eigenvalues.sum().item(),
        linear_vae.active_units(eigenvalues, 20.0),
        eigenvalues[0].item(),
    )


def _positive_eigenvalues() -> Tensor:
    """Those of the digits without the three pixels that are always 0."""
    eigenvalues = linear_vae.digits_spectrum().eigenvalues
    return eigenvalues[eigenvalues > 1e-9]


def figure_surgery() -> Figure:
    """The two parts of the mean KL term as eight encoded points move apart, against log 8."""
    from vaedocs.drawing import COLOURS, axes

    places = torch.linspace(-1, 1, 8, dtype=torch.float64)[:, None]
    spreads = torch.linspace(0.02, 4, 41, dtype=torch.float64).tolist()
    log_variance = torch.full_like(places, 2 * math.log(0.3))
    cuts = [surgery(spread * places, log_variance, points=161) for spread in spreads]
    information = [cut.information for cut in cuts]
    total = [cut.mean_divergence for cut in cuts]
    figure, ax = axes(height=3.3)
    ax.fill_between(spreads, 0, information, color=COLOURS["blue"], alpha=0.25, linewidth=0)
    ax.fill_between(spreads, information, total, color=COLOURS["orange"], alpha=0.25, linewidth=0)
    ax.plot(spreads, information, color=COLOURS["blue"])
    ax.plot(spreads, total, color=COLOURS["orange"])
    ax.axhline(math.log(8), color=COLOURS["ink"], linewidth=1.2, linestyle="--")
    ax.text(0.05, math.log(8) + 0.05, "log 8", va="bottom", color=COLOURS["ink"])
    ax.text(3.9, 0.5, "information I(n; z)", ha="right", color=COLOURS["blue"])
    ax.text(3.45, 2.22, "aggregate\nfrom prior", ha="center", color=COLOURS["orange"])
    ax.set(xlabel="half width of the eight means", ylabel="nats", xlim=(0, 4), ylim=(0, None))
    return figure


def figure_collapse() -> Figure:
    """What one unit adds to the bound against w², for data variances on both sides of c = 1."""
    from vaedocs.drawing import COLOURS, axes

    signal = torch.linspace(0, 4, 401, dtype=torch.float64)
    one = torch.ones((), dtype=torch.float64)
    figure, ax = axes(height=3.3)
    for value, colour in ((3.0, "blue"), (2.0, "green"), (0.7, "orange")):
        eigenvalue = torch.tensor(value, dtype=torch.float64)
        off = unit_log_likelihood(0 * one, eigenvalue, one)
        gain = unit_log_likelihood(signal, eigenvalue, one) - off
        best = int(gain.argmax())
        ax.plot(signal, gain, color=COLOURS[colour])
        ax.plot(signal[best], gain[best], "o", color=COLOURS[colour], clip_on=False, zorder=5)
        ax.text(3.3, gain[330] + 0.05, f"λ = {value:g}", ha="center", color=COLOURS[colour])
    ax.axhline(0, color=COLOURS["muted"], linewidth=1)
    ax.set(xlabel="w²", ylabel="nats gained over w = 0", xlim=(0, 4))
    return figure


def figure_rate_distortion() -> Figure:
    """Rate against distortion of the linear VAE on the digits as beta times c moves."""
    from vaedocs.drawing import COLOURS, axes

    eigenvalues = _positive_eigenvalues()
    level = torch.logspace(-0.5, math.log10(eigenvalues[0].item()), 200, dtype=torch.float64)
    curve = rate_distortion(eigenvalues, level)
    figure, ax = axes(height=3.4)
    ax.plot(curve.distortion, curve.rate, color=COLOURS["blue"])
    for value in (2.0, 5.0, 20.0, 60.0):
        point = rate_distortion(eigenvalues, torch.tensor([value], dtype=torch.float64))
        x, y = point.distortion.item(), point.rate.item()
        count = linear_vae.active_units(eigenvalues, value)
        ax.plot(x, y, "o", color=COLOURS["orange"])
        ax.annotate(
            f"βc = {value:g}: {count} active",
            (x, y),
            xytext=(8, 4),
            textcoords="offset points",
            color=COLOURS["orange"],
        )
    ax.set(
        xlabel="distortion: mean squared error of an image",
        ylabel="rate: mean KL in nats",
        ylim=(0, None),
    )
    return figure
