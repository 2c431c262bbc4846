"""Entropy of a probability mass function, and differential entropy of a density: two quantities.

All values are in nats. Sources: Shannon (1948), sections 6 and 20; Cover & Thomas (2006),
chapters 2 and 8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs.autoencoders_and_pca import digits
from vaedocs.domains import (
    require_covariance,
    require_positive,
    require_probabilities,
    require_same_shape,
)
from vaedocs.information import in_bits, information, normal_log_density

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def categorical(p: Tensor) -> Tensor:
    """Entropy of a mass function, ``[..., K] -> [...]``, between 0 and log K nats.

    Outcomes of probability 0 add nothing. Raises ``ValueError`` where a row is not a
    probability mass function. Source: Shannon (1948), section 6.

    >>> categorical(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
    tensor([0.6931, 0.0000])
    """
    require_probabilities(p, "p")
    return -torch.xlogy(p, p).sum(-1) + 0.0  # + 0.0 turns -0.0 into 0.0


def cross_entropy(p: Tensor, q: Tensor) -> Tensor:
    """Average of -log q under p, mass functions ``[..., K], [..., K] -> [...]``, in nats.

    Infinite where q gives no mass to an outcome that p allows. Raises ``ValueError`` where a
    row is not a probability mass function or shapes differ. Source: Cover & Thomas (2006).

    >>> p = torch.tensor([0.5, 0.25, 0.25])
    >>> bool(cross_entropy(p, torch.full((3,), 1 / 3)) > cross_entropy(p, p))
    True
    """
    require_probabilities(p, "p")
    require_probabilities(q, "q")
    require_same_shape(p, q, ("p", "q"))
    return -torch.xlogy(p, q).sum(-1) + 0.0


def gaussian(std: Tensor) -> Tensor:
    """Differential entropy of N(mean, std²), elementwise, in nats; any sign.

    Raises ``ValueError`` where a standard deviation is not positive. Source: Shannon
    (1948), section 20.

    >>> gaussian(torch.tensor([1.0, 0.1]))
    tensor([ 1.4189, -0.8836])
    """
    require_positive(std, "std")
    return 0.5 * (1 + math.log(2 * math.pi)) + std.log()


def multivariate_gaussian(covariance: Tensor) -> Tensor:
    """Differential entropy of a multivariate Gaussian, ``[..., M, M] -> [...]``, in nats.

    Raises ``ValueError`` where a covariance is not symmetric positive definite. Source: Cover &
    Thomas (2006), theorem 8.4.1.

    >>> multivariate_gaussian(torch.eye(2))
    tensor(2.8379)
    """
    require_covariance(covariance, "covariance")
    diagonal: Tensor = torch.linalg.cholesky(covariance).diagonal(dim1=-2, dim2=-1)
    dimensions = covariance.shape[-1]
    return 0.5 * dimensions * (1 + math.log(2 * math.pi)) + diagonal.log().sum(-1)


def uniform(width: Tensor) -> Tensor:
    """Differential entropy of the uniform density on an interval, elementwise: log(width) nats.

    Raises ``ValueError`` where a width is not positive.

    >>> uniform(torch.tensor([2.0, 1.0, 0.5]))
    tensor([ 0.6931,  0.0000, -0.6931])
    """
    require_positive(width, "width")
    return width.log()


def differential(
    log_density: Callable[[Tensor], Tensor], low: float, high: float, points: int = 20_001
) -> Tensor:
    """Differential entropy by the trapezoidal rule on [low, high], in nats, float64.

    The witness against which the closed forms are held. Raises ``ValueError`` where the density
    does not integrate to 1 on the interval within a millionth: too narrow, or too few points.

    >>> zero, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    >>> round(differential(lambda x: normal_log_density(x, zero, one), -12, 12).item(), 10)
    1.4189385332
    """
    x = torch.linspace(low, high, points, dtype=torch.float64)
    log_p = log_density(x)
    mass = torch.trapezoid(log_p.exp(), x).item()
    if not abs(mass - 1) < 1e-6:
        raise ValueError(
            f"the density integrates to {mass:.6g} on [{low:g}, {high:g}] with {points} points; "
            "expected 1: widen the interval or take more points"
        )
    return -torch.trapezoid(torch.where(log_p > -math.inf, log_p.exp() * log_p, 0.0), x)


def uniform_half() -> float:
    """Differential entropy of the uniform density on [0, 1/2].

    >>> round(uniform_half(), 4)
    -0.6931
    """
    return uniform(torch.tensor(0.5, dtype=torch.float64)).item()


def zero_threshold() -> float:
    """Standard deviation at which a Gaussian's differential entropy is 0: 1/√(2πe).

    >>> round(zero_threshold(), 5)
    0.24197
    """
    return 1 / math.sqrt(2 * math.pi * math.e)


class Gaussians(NamedTuple):
    """Differential entropies of N(0, 1), of N(0, 0.1²), and of the latter in millimetres."""

    unit: float
    narrow: float
    narrow_quadrature: float
    millimetres: float


def gaussians() -> Gaussians:
    """Evaluate the Gaussian entropies that the page quotes, one of them by quadrature too.

    >>> round(gaussians().unit, 4)
    1.4189
    """
    std = torch.tensor([1.0, 0.1, 100.0], dtype=torch.float64)
    unit, narrow, millimetres = gaussian(std).tolist()
    zero = torch.zeros((), dtype=torch.float64)
    quadrature = differential(lambda x: normal_log_density(x, zero, std[1]), -1.5, 1.5)
    return Gaussians(unit, narrow, quadrature.item(), millimetres)


class Code(NamedTuple):
    """A four-letter source: its entropy, and the average length of two prefix codes, in bits."""

    entropy: float
    matched: float
    fixed: float


def code() -> Code:
    """Average length of the prefix code 0, 10, 110, 111 and of two-bit words, for (½, ¼, ⅛, ⅛).

    >>> code()
    Code(entropy=1.75, matched=1.75, fixed=2.0)
    """
    p = torch.tensor([1 / 2, 1 / 4, 1 / 8, 1 / 8], dtype=torch.float64)
    lengths = torch.tensor([len(word) for word in ("0", "10", "110", "111")], dtype=torch.float64)
    return Code(in_bits(categorical(p)).item(), (p @ lengths).item(), math.log2(len(p)))


class DigitEntropies(NamedTuple):
    """Entropies of the label of a digit and of one of its pixels, in nats, and their relations."""

    label: float
    pixel: float
    joint: float
    label_given_pixel: float
    shared: float
    pixel_row: int
    pixel_column: int


@lru_cache(maxsize=1)
def label_and_pixel() -> DigitEntropies:
    """Chain rule on real data: the label of scikit-learn's digits and one pixel's brightness.

    The pixel (fourth row, fourth column) counts as bright from half of the full level up.

    >>> found = label_and_pixel()
    >>> abs(found.joint - found.pixel - found.label_given_pixel) < 1e-12
    True
    """
    row, column = 3, 3
    images, label = digits()
    bright = images[:, 8 * row + column] >= 0.5
    joint = torch.zeros(10, 2, dtype=torch.float64)
    joint.index_put_((label, bright.long()), torch.ones(len(label)).double(), accumulate=True)
    joint /= joint.sum()
    of_label, of_pixel = categorical(joint.sum(1)).item(), categorical(joint.sum(0)).item()
    of_both = categorical(joint.flatten()).item()
    # The definition, not the chain rule: average over the pixel of the entropy of the label.
    conditional = (joint.sum(0) * categorical((joint / joint.sum(0)).T)).sum().item()
    shared = of_label - conditional
    return DigitEntropies(of_label, of_pixel, of_both, conditional, shared, row + 1, column + 1)


class Binned(NamedTuple):
    """Entropy of N(0, 0.1²) rounded to bins, and what the differential entropy predicts."""

    width: float
    entropy: float
    predicted: float


def binned(width: float = 0.05) -> Binned:
    """Entropy of the mass function that N(0, 0.1²) gives to bins of a width: about h - log(width).

    Source: Cover & Thomas (2006), theorem 8.3.1.

    >>> small = binned(0.001)
    >>> abs(small.entropy - small.predicted) < 1e-5
    True
    """
    std = torch.tensor(0.1, dtype=torch.float64)
    half = math.ceil(1.0 / width)  # ten standard deviations on either side
    edges = width * (torch.arange(-half, half + 2, dtype=torch.float64) - 0.5)
    mass = torch.special.ndtr(edges / std).diff()  # ndtr: distribution function of N(0, 1)
    entropy = categorical(mass / mass.sum()).item()
    return Binned(width, entropy, gaussian(std).item() - math.log(width))


class UnitVariance(NamedTuple):
    """Differential entropies of densities that share variance 1, in nats."""

    gaussian: float
    laplace: float
    uniform: float
    two_bumps: float


@lru_cache(maxsize=1)
def unit_variance() -> UnitVariance:
    """Compare densities of variance 1: the Gaussian has the largest entropy.

    Laplace: 1 + log(2b) with b = 1/√2; uniform: log of the width √12; two bumps, an equal mixture
    of N(±0.9, 0.19), by quadrature.

    >>> max(unit_variance()) == unit_variance().gaussian
    True
    """
    one = torch.ones((), dtype=torch.float64)
    std = math.sqrt(0.19) * one

    def two_bumps(x: Tensor) -> Tensor:
        bumps = [normal_log_density(x, m * one, std) for m in (-0.9, 0.9)]
        return torch.logaddexp(*bumps) - math.log(2)

    return UnitVariance(
        gaussian(one).item(),
        1 + math.log(2 / math.sqrt(2)),
        uniform(math.sqrt(12) * one).item(),
        differential(two_bumps, -8, 8).item(),
    )


class Correlated(NamedTuple):
    """Differential entropy of two correlated standard Gaussians together, and of both apart."""

    correlation: float
    together: float
    apart: float


def correlated(correlation: float = 0.9) -> Correlated:
    """Differential entropy of N(0, ((1, ρ), (ρ, 1))), in nats, beside that of two independent ones.

    >>> [round(value, 4) for value in correlated()]
    [0.9, 2.0075, 2.8379]
    """
    eye = torch.eye(2, dtype=torch.float64)
    covariance = eye + correlation * eye.flip(0)
    together = multivariate_gaussian(torch.stack([covariance, eye])).tolist()
    return Correlated(correlation, *together)


def figure_binary_entropy() -> Figure:
    """Entropy of a coin against the probability of heads, with its two amounts of information."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.4)
    heads = torch.linspace(0.001, 0.999, 499, dtype=torch.float64)
    entropy = categorical(torch.stack([heads, 1 - heads], -1))
    ax.plot(heads, entropy, color=COLOURS["blue"], label="entropy")
    ax.plot(heads, information(heads), "--", color=COLOURS["orange"], label="information of heads")
    ax.plot(0.5, math.log(2), "o", color=COLOURS["blue"])
    ax.annotate("log 2", (0.5, math.log(2)), xytext=(0, 9), textcoords="offset points", ha="left")
    ax.set(xlabel="probability of heads", ylabel="nats", xlim=(0, 1), ylim=(0, 2))
    ax.set_yticks([0, 0.5, 1, 1.5, 2])
    ax.legend(loc="upper right", frameon=False)
    return figure


def figure_sign() -> Figure:
    """Differential entropy against width: the Gaussian and the uniform density cross zero."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.4)
    width = torch.logspace(-1.5, 0.7, 200, dtype=torch.float64)
    ax.axhline(0, color=COLOURS["muted"], linewidth=1)
    ax.axhspan(-3, 0, color=COLOURS["red"], alpha=0.08)
    ax.plot(width, gaussian(width), color=COLOURS["blue"], label="Gaussian, width σ")
    ax.plot(width, uniform(width), color=COLOURS["green"], label="uniform, width a")
    for x, y, colour in (
        (zero_threshold(), 0.0, "blue"),
        (1.0, 0.0, "green"),
        (0.5, uniform_half(), "green"),
    ):
        ax.plot(x, y, "o", color=COLOURS[colour], zorder=3)
    ax.annotate("U[0, ½]", (0.5, uniform_half()), xytext=(8, -12), textcoords="offset points")
    ax.set_xscale("log")
    ax.set(xlabel="width", ylabel="differential entropy (nats)", ylim=(-3, 3))
    ax.set_xticks([0.05, 0.1, 0.25, 0.5, 1, 2, 5], ["0.05", "0.1", "¼", "½", "1", "2", "5"])
    ax.minorticks_off()
    ax.legend(loc="upper left", frameon=False)
    return figure


def figure_bins() -> Figure:
    """Entropy of a rounded Gaussian grows as the bins shrink, and follows h minus log width."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.4)
    widths = torch.logspace(-3, 0.3, 60, dtype=torch.float64).tolist()
    results = [binned(width) for width in widths]
    ax.axhline(0, color=COLOURS["muted"], linewidth=1)
    lines = ([r.predicted for r in results], [r.entropy for r in results])
    ax.plot(widths, lines[0], "--", color=COLOURS["orange"], label="h − log(bin width)")
    ax.plot(widths, lines[1], color=COLOURS["blue"], label="entropy of the bins")
    at_one = (1, gaussian(torch.tensor(0.1)).item())
    ax.plot(*at_one, "o", color=COLOURS["orange"])
    style = {"xytext": (-8, -14), "textcoords": "offset points", "ha": "right"}
    ax.annotate("h of N(0, 0.1²)", at_one, **style)
    ax.set_xscale("log")
    ax.set(xlabel="bin width", ylabel="nats", ylim=(-2, 6.5))
    ax.legend(loc="upper right", frameon=False)
    return figure
