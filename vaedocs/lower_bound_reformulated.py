"""The lower bound as a reconstruction term less a KL term, and the likelihoods it may use.

The three log-likelihoods stand in the training loop, so they check shapes and
nothing else. All values are in nats, summed over the last dimension.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from vaedocs.domains import require_finite, require_matching, require_positive
from vaedocs.kl_divergence import gaussian
from vaedocs.latent_variable_models import EXAMPLE_VARIANCE, EXAMPLE_WEIGHT, EXAMPLE_X
from vaedocs.latent_variable_models import example as running_example
from vaedocs.lower_bound import linear_elbo

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def bernoulli_log_likelihood(x: Tensor, logits: Tensor) -> Tensor:
    """Log-probability of binary x under independent Bernoulli pixels, in nats.

    ``x`` and ``logits = log(p / (1 - p))``: ``[..., N] -> [...]``. From the logits, so that no
    logarithm of a rounded 0 is taken. For grey values it is no log-density. Raises
    ``ValueError`` where shapes do not match. Kingma & Welling (2014), appendix C.1.

    >>> x = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    >>> bernoulli_log_likelihood(x, torch.zeros(2, 2))
    tensor([-1.3863, -1.3863])
    """
    require_matching(x, logits, ("x", "logits"))
    x, logits = torch.broadcast_tensors(x, logits)
    costs = functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    return -costs.sum(-1)


def log_binomial_coefficient(counts: Tensor, trials: int) -> Tensor:
    """Logarithm of the number of ways to have ``counts`` successes in ``trials``, elementwise.

    It depends on the data alone: a loop may compute it once. Counts outside
    0..trials give minus infinity, as they should.

    >>> log_binomial_coefficient(torch.tensor([0.0, 1.0, 2.0, 3.0]), 2).exp()
    tensor([1., 2., 1., 0.])
    """
    return math.lgamma(trials + 1) - torch.lgamma(counts + 1) - torch.lgamma(trials - counts + 1)


def binomial_log_likelihood(counts: Tensor, logits: Tensor, trials: int) -> Tensor:
    """Log-probability of counts out of ``trials`` under independent binomial pixels, in nats.

    ``counts`` (whole numbers, as floating point) and ``logits = log(p / (1 - p))``:
    ``[..., N] -> [...]``. The binomial coefficient is part of it, so that the probabilities of
    0..trials sum to one. Raises ``ValueError`` where shapes do not match or ``trials`` is
    below 1.

    >>> counts = torch.tensor([[0.0], [1.0], [2.0]])
    >>> binomial_log_likelihood(counts, torch.zeros(3, 1), trials=2).exp()
    tensor([0.2500, 0.5000, 0.2500])
    """
    require_matching(counts, logits, ("counts", "logits"))
    if trials < 1:
        raise ValueError(f"trials is {trials}; expected a whole number of at least 1")
    counts, logits = torch.broadcast_tensors(counts, logits)
    cross_entropy = functional.binary_cross_entropy_with_logits(
        logits, counts / trials, reduction="none"
    )
    return (log_binomial_coefficient(counts, trials) - trials * cross_entropy).sum(-1)


def gaussian_log_likelihood(x: Tensor, mean: Tensor, variance: Tensor | float) -> Tensor:
    """Log-density of x under independent Gaussians N(mean, variance), in nats.

    ``x`` and ``mean``: ``[..., N] -> [...]``; ``variance`` is a number, or a tensor that
    broadcasts to ``[..., N]``. The result may be positive. Raises ``ValueError`` where shapes
    do not match.

    >>> x = torch.zeros(1, 2)
    >>> gaussian_log_likelihood(x, x, 0.01)
    tensor([2.7673])
    """
    require_matching(x, mean, ("x", "mean"))
    variance = torch.as_tensor(variance, dtype=mean.dtype, device=mean.device)
    if variance.ndim and variance.shape[-1] not in (1, mean.shape[-1]):
        raise ValueError(
            f"variance has shape {list(variance.shape)}; expected a number, or a "
            f"last dimension of 1 or {mean.shape[-1]} to meet mean of shape "
            f"{list(mean.shape)}"
        )
    squared = (x - mean).square() / variance
    return -0.5 * (squared + torch.log(2 * math.pi * variance)).sum(-1)


def bernoulli_mass(logits: Tensor) -> Tensor:
    """The integral over 0..1 of ``p^x (1 - p)^(1 - x)``, elementwise, with p = sigmoid(logits).

    It is ``(2 p - 1) / logit(p) = tanh(logits / 2) / logits``, and 1/2 at p = 1/2.
    A density would give 1; this never does, so cross-entropy on grey levels is not
    minus a log-likelihood. Loaiza-Ganem & Cunningham (2019) divide by it.

    Raises:
        ValueError: a logit that is not finite.

    >>> bernoulli_mass(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.3808])
    """
    require_finite(logits, "logits")
    # tanh(t) / t = 1 - t^2 / 3 + ...: below 1e-4 the first term is exact to float32.
    small = logits.abs() < 1e-4
    safe = torch.where(small, torch.ones_like(logits), logits)
    return torch.where(small, torch.full_like(logits, 0.5), torch.tanh(safe / 2) / safe)


def implied_variance(error_weight: float, kl_weight: float = 1.0) -> float:
    """The noise variance that ``error_weight |x - f(z)|^2 + kl_weight KL`` assumes.

    ``error_weight`` multiplies the *summed* squared error, so it is 1/N for a mean. Raises
    ``ValueError`` for a weight that is not a positive finite number.

    >>> implied_variance(1.0), round(implied_variance(1 / 784), 9)
    (0.5, 392.0)
    """
    for name, weight in (("error_weight", error_weight), ("kl_weight", kl_weight)):
        if not (weight > 0 and math.isfinite(weight)):
            raise ValueError(f"{name} is {weight}; expected a positive finite number")
    return kl_weight / (2 * error_weight)


def linear_reconstruction(
    x: Tensor, weight: Tensor, variance: Tensor, mean: Tensor, std: Tensor
) -> Tensor:
    """Exact E_q[log p(x|z)] for p(x|z) = N(w z, c) and q(z|x) = N(mean, std^2), in nats.

    Scalar and elementwise. The error of the mean and the spread of q each add their
    part.

    Raises:
        ValueError: ``variance`` or ``std`` is not positive.

    >>> one = torch.tensor(1.0)
    >>> round(linear_reconstruction(3 * one, 2 * one, one, 1.5 * one, 0.1 * one).item(), 3)
    -0.939
    """
    require_positive(variance, "variance")
    require_positive(std, "std")
    error = (x - weight * mean).square() + (weight * std).square()
    return -0.5 * (error / variance + torch.log(2 * math.pi * variance))


# ---------------------------------------------------------------- numbers and figures of the page


def _numbers(*values: float) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(value, dtype=torch.float64) for value in values)


class Candidate(NamedTuple):
    """One q: the bound, the bound without its constant, their quotient and their difference."""

    mean: float
    std: float
    elbo: float
    without_constant: float
    quotient: float
    difference: float


class Constant(NamedTuple):
    """Three candidates q in the model p(z) = N(0, 1), p(x|z) = N(z, 1/4), x = 1."""

    variance: float
    prior: Candidate
    between: Candidate
    posterior: Candidate


def constant_not_factor() -> Constant:
    """Dropping -1/2 log(2 pi c) shifts the bound: differences agree, quotients do not.

    >>> answer = constant_not_factor()
    >>> [round(q.difference, 5) for q in answer[1:]], [round(q.quotient, 3) for q in answer[1:]]
    ([-0.22579, -0.22579, -0.22579], [1.056, 1.156, 1.187])
    """

    def candidate(mean: float, std: float) -> Candidate:
        x, w, c, m, s = _numbers(1.0, 1.0, 0.25, mean, std)
        bound = linear_elbo(x, w, c, m, s).item()
        alpha = 1 / (2 * c)
        error = (x - w * m).square() + (w * s).square()
        short = (-alpha * error - gaussian(m, s, *_numbers(0.0, 1.0))).item()
        return Candidate(mean, std, bound, short, bound / short, bound - short)

    return Constant(0.25, candidate(0.0, 1.0), candidate(0.5, 0.5), candidate(0.8, math.sqrt(0.2)))


PIXELS = 28 * 28  # of an MNIST image


class SumOrMean(NamedTuple):
    """What noise variance a few common losses assume, for grey and for colour images."""

    pixels: int
    sum_of_squares: float
    half_sum_of_squares: float
    mean_of_squares: float
    colour_side: int
    colour_values: int
    kl_weight: float
    weighted: float
    digits_dimensions: int
    digits_mean_of_squares: float
    digits_largest_variance: float


def sum_or_mean() -> SumOrMean:
    """Implied noise variances, beside the largest variance that the digits have in any direction.

    The digits are scikit-learn's, scaled to 0..1. The weighted loss is a mean of squares plus
    ``kl_weight`` times the KL term, as one widely copied collection has it.

    >>> round(sum_or_mean().mean_of_squares, 9)
    392.0
    """
    from sklearn.datasets import load_digits

    digits = torch.from_numpy(load_digits().data).double() / 16
    centred = digits - digits.mean(0)
    largest = torch.linalg.eigvalsh(centred.mT @ centred / len(centred))[-1].item()
    side, kl_weight, dimensions = 64, 0.00025, digits.shape[1]
    colour = side * side * 3
    return SumOrMean(
        PIXELS,
        implied_variance(1.0),
        implied_variance(0.5),
        implied_variance(1 / PIXELS),
        side,
        colour,
        kl_weight,
        implied_variance(1 / colour, kl_weight),
        dimensions,
        implied_variance(1 / dimensions),
        largest,
    )


class Grey(NamedTuple):
    """What cross-entropy makes of grey levels."""

    mass_at_half: float
    mass_at_nine_tenths: float
    cost_of_perfect_half: float


def grey() -> Grey:
    """The missing mass at p = 0.5 and 0.9, and the price of reconstructing x = 0.5 exactly.

    >>> round(grey().mass_at_nine_tenths, 3)
    0.364
    """
    half, nine_tenths = _numbers(0.0, math.log(9.0))
    price = -bernoulli_log_likelihood(torch.full((1,), 0.5), torch.zeros(1)).item()
    return Grey(bernoulli_mass(half).item(), bernoulli_mass(nine_tenths).item(), price)


def kl_at_optimum() -> float:
    """KL term of the running example where q is the exact posterior N(1.2, 0.2), in nats.

    >>> round(kl_at_optimum(), 4)
    1.1247
    """
    precision = 1 + EXAMPLE_WEIGHT**2 / EXAMPLE_VARIANCE
    mean = EXAMPLE_WEIGHT * EXAMPLE_X / EXAMPLE_VARIANCE / precision
    return gaussian(*_numbers(mean, math.sqrt(1 / precision), 0.0, 1.0)).item()


class CleanImages(NamedTuple):
    """The weight of the KL term beside a mean of squares, for noise of a standard deviation."""

    std: float
    beta: float


def clean_images() -> CleanImages:
    """For images of 784 pixels and noise that the eye would accept.

    >>> std, beta = clean_images()
    >>> round(implied_variance(1 / PIXELS, beta) - std**2, 9)
    0.0
    """
    return CleanImages(0.1, 2 * 0.1**2 / PIXELS)


class AtTheMean(NamedTuple):
    """The best value of the bound's formula with f(mean of q) for f(z), and log p(x), in nats."""

    value: float
    log_evidence: float


def at_the_mean() -> AtTheMean:
    """Decoding the mean of q only: in the running example that ends above log p(x).

    Nothing but the KL term holds the variance of q, so it is the prior's, and the KL is mean^2 / 2.

    >>> value, log_evidence = at_the_mean()
    >>> round(value, 3), value > log_evidence
    (-1.819, True)
    """
    mean = torch.linspace(-1, 3, 4001, dtype=torch.float64)[:, None]
    found = gaussian_log_likelihood(
        torch.full_like(mean, EXAMPLE_X), EXAMPLE_WEIGHT * mean, EXAMPLE_VARIANCE
    )
    return AtTheMean(
        (found - 0.5 * mean[:, 0].square()).max().item(), running_example().log_evidence
    )


class Pulls(NamedTuple):
    """Where each term of the bound would put the mean of q, and where their sum puts it."""

    reconstruction: float
    prior: float
    bound: float
    error_at_bound: float


def _terms(mean: Tensor) -> tuple[Tensor, Tensor]:
    """Both terms of the running example's bound, as the mean of q moves and its variance stays."""
    x, w, c, s = _numbers(EXAMPLE_X, EXAMPLE_WEIGHT, EXAMPLE_VARIANCE, math.sqrt(0.2))
    s = s.expand_as(mean)
    return linear_reconstruction(x, w, c, mean, s), gaussian(mean, s, *_numbers(0.0, 1.0))


def pulls() -> Pulls:
    """The running example: reconstruction wants 3/2, the KL term 0, the bound 6/5.

    >>> round(pulls().bound, 3)
    1.2
    """
    mean = torch.linspace(-1, 3, 4001, dtype=torch.float64)
    log_likelihood, divergence = _terms(mean)
    best = mean[(log_likelihood - divergence).argmax()].item()
    return Pulls(
        mean[log_likelihood.argmax()].item(),
        mean[divergence.argmin()].item(),
        best,
        EXAMPLE_X - EXAMPLE_WEIGHT * best,
    )


def figure_pulls() -> Figure:
    """Both terms of the bound and their sum, as the mean of q moves."""
    from vaedocs import drawing

    mean = torch.linspace(-0.4, 2.4, 200, dtype=torch.float64)
    log_likelihood, divergence = _terms(mean)
    figure, ax = drawing.axes(height=3.4)
    for values, colour, style, words in (
        (log_likelihood, "orange", "dashed", "reconstruction"),
        (-divergence, "green", "dotted", "minus KL to the prior"),
        (log_likelihood - divergence, "blue", "solid", "their sum, the bound"),
    ):
        ax.plot(mean, values, color=drawing.COLOURS[colour], linestyle=style, label=words)
        top = int(values.argmax())
        ax.plot(mean[top], values[top], "o", color=drawing.COLOURS[colour])
    ax.set(xlabel=r"mean $\mu$ of $q(z\mid x)$", ylabel="nats", ylim=(-6.5, 0))
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def figure_mass() -> Figure:
    """The integral of p^t (1-p)^(1-t) over grey levels t, which a density would keep at one."""
    from vaedocs import drawing

    p = torch.linspace(0.001, 0.999, 400, dtype=torch.float64)
    figure, ax = drawing.axes(height=2.8)
    ax.axhline(1, color=drawing.COLOURS["muted"], linestyle="dashed")
    ax.text(0.5, 0.97, "a density", ha="center", va="top", color=drawing.COLOURS["muted"])
    ax.plot(p, bernoulli_mass(torch.logit(p)), color=drawing.COLOURS["blue"])
    ax.text(0.5, 0.44, "Bernoulli formula", ha="center", va="top", color=drawing.COLOURS["blue"])
    ax.set(xlabel="output $p$ of the decoder", ylabel="integral over $t$", ylim=(0, 1.08))
    return figure
