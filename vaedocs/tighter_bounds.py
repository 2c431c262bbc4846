"""Several samples instead of one: the importance-weighted bound, its bias and its standard error.

The weight of a sample is ``w = p(x, z) / q(z|x)``. The ELBO averages log w; the
importance-weighted bound takes the logarithm of the average of K weights, which lies between the
ELBO and log p(x) and rises with K. Decoders are given as in :mod:`vaedocs.measure_the_gap`.
All values are in nats. Source: Burda, Grosse & Salakhutdinov (2016).
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs import measure_the_gap
from vaedocs.kl_divergence import gaussian
from vaedocs.lower_bound_reformulated import gaussian_log_likelihood
from vaedocs.measure_the_gap import ELEMENTS_AT_ONCE, LogLikelihood, log_prior
from vaedocs.reparameterization import sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def log_mean_exp(log_weights: Tensor, dim: int = 0) -> Tensor:
    """Logarithm of the mean of exp(log_weights) along ``dim``: the importance-weighted bound.

    With one sample it is the log weight itself, so the ELBO is the case K = 1. Training
    maximises this value; its gradient weights each sample by its normalised weight.
    Burda, Grosse & Salakhutdinov (2016), equations 8 and 14.

    Raises:
        ValueError: no sample along ``dim``.

    >>> weights = torch.tensor([1.0, 3.0])
    >>> round(log_mean_exp(weights.log()).exp().item(), 6)
    2.0
    """
    samples = log_weights.shape[dim]
    if samples < 1:
        raise ValueError(f"log_weights has shape {list(log_weights.shape)}; expected a sample")
    return log_weights.logsumexp(dim) - math.log(samples)


def log_weight(
    log_likelihood_at_z: Tensor, z: Tensor, mean: Tensor, log_variance: Tensor
) -> Tensor:
    """log p(x|z) + log p(z) - log q(z|x), with prior N(0, I), in nats, ``[...]``.

    Args:
        log_likelihood_at_z: log p(x|z), ``[...]``.
        z: samples of q, ``[..., M]``.
        mean: mean of q(z|x), broadcasts to ``[..., M]``.
        log_variance: natural logarithm of the variances of q(z|x), like ``mean``.

    >>> z = torch.zeros(2)
    >>> log_weight(torch.tensor(-3.0), z, z, z)  # q equals the prior, so only p(x|z) is left
    tensor(-3.0000)
    """
    log_q = gaussian_log_likelihood(z, mean, log_variance.exp())
    return log_likelihood_at_z + log_prior(z) - log_q


class Estimate(NamedTuple):
    """An importance-weighted estimate of log p(x) for each example, with how far to trust it."""

    value: Tensor
    """The bound estimated by one set of K weights, nats, ``[B]``: on average below log p(x)."""
    standard_error: Tensor
    """Of ``value``, nats, ``[B]``: the spread of the weights seen, over their mean and sqrt(K)."""
    effective_samples: Tensor
    """(sum w)^2 / sum w^2, ``[B]``, between 1 and K."""

    @property
    def mean(self) -> float:
        """The average over the examples."""
        return self.value.mean().item()

    @property
    def mean_standard_error(self) -> float:
        """Standard error of ``mean`` from the sampling of z alone, not from the choice of data."""
        return (self.standard_error.square().sum().sqrt() / len(self.value)).item()


def importance_weighted(
    log_likelihood: LogLikelihood,
    x: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    samples: int,
    *,
    generator: torch.Generator | None = None,
) -> Estimate:
    """Estimate log p(x) from below with K = ``samples`` weights for each x, any latent size.

    The samples come in blocks, so that K may be large. The standard error is that of the
    logarithm of a mean (delta method), computed from the weights that were seen. Where q misses
    the posterior, the weights that matter were *not* seen: then both value and error mislead.

    Args:
        log_likelihood: the decoder, x ``[B, 1, N]`` and z ``[B, S, M]`` to ``[B, S]``.
        x: data, ``[B, N]``.
        mean: of q(z|x), ``[B, M]``.
        log_variance: of q(z|x), ``[B, M]``.
        samples: K, at least 2, so that there is a spread.
        generator: the source of noise.

    Returns:
        ``Estimate`` with values ``[B]``.

    Raises:
        ValueError: K is below 2, or the decoder returns another shape, NaN or plus infinity.

    >>> x, mean, variance = (torch.tensor([[v]], dtype=torch.float64) for v in (1.0, 0.2, 0.81))
    >>> found = importance_weighted(
    ...     lambda x, z: gaussian_log_likelihood(x, z, 1.0), x, mean, variance.log(), 100_000,
    ...     generator=torch.Generator().manual_seed(0),
    ... )
    >>> abs(found.value.item() - -1.515512) < 4 * found.standard_error.item() < 0.006
    True
    """
    if samples < 2:
        raise ValueError(
            f"samples = {samples}; expected at least 2, one weight has no spread: for K = 1 use "
            "the ELBO"
        )
    sums = x.new_full((2, len(x)), -math.inf)  # logs of sum w and of sum w^2
    block = max(1, ELEMENTS_AT_ONCE // max(1, x.numel()))
    for start in range(0, samples, block):
        size = (len(x), min(block, samples - start), mean.shape[-1])
        noise = torch.randn(size, generator=generator, dtype=x.dtype, device=x.device)
        z = sample(mean[:, None], log_variance[:, None], noise)
        at_z = measure_the_gap.evaluate(log_likelihood, x, z)
        weights = log_weight(at_z, z, mean[:, None], log_variance[:, None])
        sums = torch.logaddexp(sums, torch.stack([weights, 2 * weights]).logsumexp(-1))
    value = sums[0] - math.log(samples)
    effective = torch.exp(2 * sums[0] - sums[1])
    # Var(w) / (K (mean w)^2) = (K / effective - 1) / (K - 1), with the unbiased variance.
    relative = ((samples / effective - 1).clamp_min(0) / (samples - 1)).sqrt()
    return Estimate(value, relative, effective)


# The example of the page: p(z) = N(0, 1), p(x|z) = N(z, 1), x = 1 and q = N(0.2, 0.81).

X, MEAN, VARIANCE = 1.0, 0.2, 0.81
POSTERIOR_MEAN, POSTERIOR_VARIANCE = 0.5, 0.5


class Example(NamedTuple):
    """Exact numbers of the example, in nats."""

    log_evidence: float
    elbo: float
    gap: float
    half_variance: float
    """Var(w / p(x)) / 2: the limit of K times the gap."""


def example() -> Example:
    """The closed forms of the example.

    >>> round(example().log_evidence, 6), round(example().elbo, 6)
    (-1.515512, -1.674299)
    """
    log_p = gaussian_log_likelihood(_column(X), _column(0.0), 2.0).item()
    gap = _gaussian_kl(MEAN, VARIANCE, POSTERIOR_MEAN, POSTERIOR_VARIANCE)
    return Example(log_p, log_p - gap, gap, relative_variance(VARIANCE) / 2)


def _column(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def _gaussian_kl(mean_p: float, variance_p: float, mean_q: float, variance_q: float) -> float:
    std_p, std_q = math.sqrt(variance_p), math.sqrt(variance_q)
    return gaussian(_column(mean_p), _column(std_p), _column(mean_q), _column(std_q)).item()


def relative_variance(variance: float) -> float:
    """Var(w / p(x)) when q = N(0.2, variance) and the posterior is N(0.5, 0.5).

    It is the integral of posterior^2 / q, less 1, and infinite where ``variance`` is at most half
    the posterior's: then q is too thin in the tails.

    Raises:
        ValueError: the variance is not positive.

    >>> round(relative_variance(0.81), 4), relative_variance(0.25)
    (0.173, inf)
    """
    if not variance > 0:
        raise ValueError(f"variance = {variance}; expected a positive number")
    room = 2 * variance - POSTERIOR_VARIANCE
    if room <= 0:
        return math.inf
    offset = (POSTERIOR_MEAN - MEAN) ** 2
    return variance / math.sqrt(POSTERIOR_VARIANCE * room) * math.exp(offset / room) - 1


@cache
def exact_gap(samples: int) -> float:
    """log p(x) - L_K of the example, without sampling, for any K.

    With u = w / p(x) and S the mean of K such weights, Frullani's integral gives
    E log S = ∫ (exp(-t) - E[exp(-t u / K)]^K) dt / t: one integral over z inside one over
    log t, both by uniform grids.

    >>> round(exact_gap(1), 6)  # KL(q || posterior)
    0.158787
    """
    noise = torch.linspace(-10, 10, 1601, dtype=torch.float64)
    weight = torch.softmax(-0.5 * noise.square(), 0)
    z = MEAN + math.sqrt(VARIANCE) * noise
    log_u = gaussian_log_likelihood(
        z[:, None], torch.full_like(z[:, None], POSTERIOR_MEAN), POSTERIOR_VARIANCE
    ) - gaussian_log_likelihood(z[:, None], torch.full_like(z[:, None], MEAN), VARIANCE)
    log_t = torch.arange(-40, 40, 0.04, dtype=torch.float64)
    # expm1 and log1p keep the digits of 1 - E[exp(-t u / K)], which is tiny for small t.
    inner = torch.expm1(-torch.exp(log_t[:, None] - math.log(samples) + log_u)) @ weight
    power = torch.expm1(samples * torch.log1p(inner))  # E[...]^K - 1
    integrand = torch.expm1(-log_t.exp()) - power
    return -0.04 * integrand.sum().item()


class Gaps(NamedTuple):
    """log p(x) - L_K of the example for five K."""

    one: float
    two: float
    ten: float
    fifty: float
    thousand: float


def gaps() -> Gaps:
    """The gaps that the page quotes."""
    return Gaps(*(exact_gap(k) for k in (1, 2, 10, 50, 1000)))


def times_gap() -> Gaps:
    """K times the gap at the same K.

    >>> round(times_gap().thousand, 4), round(example().half_variance, 4)
    (0.0865, 0.0865)
    """
    return Gaps(*(k * gap for k, gap in zip((1, 2, 10, 50, 1000), gaps(), strict=True)))


def two_weights() -> float:
    """The two-sample estimate from log-weights of -100 and -104.

    >>> round(two_weights(), 3)
    -100.675
    """
    return log_mean_exp(torch.tensor([-100.0, -104.0], dtype=torch.float64)).item()


class WrongEstimators(NamedTuple):
    """Where three popular wrong formulas end for the example, less log p(x): positive is above."""

    softmax_of_log_weights: float
    """sum of softmax(log w) log w as K grows: KL(posterior || q) above."""
    softmax_of_loss: float
    """sum of softmax(-log w) log w as K grows: below even the ELBO."""
    plug_in_mean: float
    """log p(x|mean) - KL(q || prior): the sample left out."""

    @property
    def below(self) -> float:
        """How far the softmax of the loss ends below log p(x)."""
        return -self.softmax_of_loss


def wrong_estimators() -> WrongEstimators:
    """The exact limits of three wrong estimators, relative to log p(x), in nats.

    >>> [round(v, 3) for v in wrong_estimators()]
    [0.105, -2.058, 0.246]
    """
    above = _gaussian_kl(POSTERIOR_MEAN, POSTERIOR_VARIANCE, MEAN, VARIANCE)
    # Weights in proportion to 1/w draw from q^2 / posterior, a Gaussian for these numbers.
    precision = 2 / VARIANCE - 1 / POSTERIOR_VARIANCE
    mean = (2 * MEAN / VARIANCE - POSTERIOR_MEAN / POSTERIOR_VARIANCE) / precision
    tilted = (mean, 1 / precision)
    below = _gaussian_kl(*tilted, MEAN, VARIANCE) - _gaussian_kl(
        *tilted, POSTERIOR_MEAN, POSTERIOR_VARIANCE
    )
    log_p_at_mean = gaussian_log_likelihood(_column(X), _column(MEAN), 1.0).item()
    plug_in = log_p_at_mean - _gaussian_kl(MEAN, VARIANCE, 0.0, 1.0)
    return WrongEstimators(above, below, plug_in - example().log_evidence)


class Outlier(NamedTuple):
    """What ``samples`` weights say of the worst of ``points`` stretched four times."""

    points: int
    samples: int
    log_evidence: float
    value: float
    standard_error: float
    miss: float
    errors_away: float
    beyond_four: int
    """How many of the points have log p(x) more than four standard errors above the estimate."""


@cache
def outlier() -> Outlier:
    """Hold the estimate of many samples against the grid where the encoder never trained."""
    samples = 10_000
    model = measure_the_gap.example()
    x = 4 * model.x
    mean, log_variance = model.encoder(x)
    truth = measure_the_gap.log_evidence(model.log_likelihood, x, 2).log_evidence
    found = importance_weighted(
        model.log_likelihood,
        x,
        mean,
        log_variance,
        samples,
        generator=torch.Generator().manual_seed(0),
    )
    miss = truth - found.value
    worst = int(miss.argmax())
    error = found.standard_error[worst].item()
    return Outlier(
        len(x),
        samples,
        truth[worst].item(),
        found.value[worst].item(),
        error,
        miss[worst].item(),
        miss[worst].item() / error,
        int((miss > 4 * found.standard_error).sum()),
    )


def figure_bounds() -> Figure:
    """The bound against K, and K times the gap against its limit."""
    from vaedocs.drawing import COLOURS, axes

    many = [1, 2, 3, 5, 8, 13, 20, 32, 50, 80, 128, 200, 320, 500, 1000]
    truth, limit = example().log_evidence, example().half_variance
    figure, (left, right) = axes(height=3.2, columns=2)
    left.semilogx(many, [truth - exact_gap(k) for k in many], "o-", color=COLOURS["blue"])
    left.axhline(truth, color=COLOURS["ink"], linewidth=1.2, linestyle="--")
    left.text(1, truth + 0.004, "log p(x)", va="bottom", color=COLOURS["ink"])
    left.text(1.6, truth - 0.155, "ELBO, K = 1", color=COLOURS["blue"])
    left.set(xlabel="K", ylabel="nats", title="the bound", ylim=(truth - 0.18, truth + 0.03))
    right.semilogx(many, [k * exact_gap(k) for k in many], "o-", color=COLOURS["blue"])
    right.axhline(limit, color=COLOURS["ink"], linewidth=1.2, linestyle="--")
    right.text(1000, limit - 0.003, "½ Var(w / p(x))", ha="right", va="top", color=COLOURS["ink"])
    right.set(xlabel="K", title="K × gap", ylim=(0.07, 0.165))
    return figure


REPETITIONS = 4000  # of each estimator in the figure


def figure_wrong() -> Figure:
    """The bound and two wrong estimators against K, averaged over seeded repetitions."""
    from vaedocs.drawing import COLOURS, axes

    many = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    noise = torch.randn(
        REPETITIONS, many[-1], 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    mean, log_variance = _column(MEAN), _column(VARIANCE).log()
    z = sample(mean, log_variance, noise)
    log_w = log_weight(gaussian_log_likelihood(_column(X), z, 1.0), z, mean, log_variance)
    curves: dict[str, list[float]] = {"red": [], "blue": [], "orange": []}
    for k in many:
        some = log_w[:, :k]
        curves["blue"].append(log_mean_exp(some, 1).mean().item())
        curves["red"].append((torch.softmax(some, 1) * some).sum(1).mean().item())
        curves["orange"].append((torch.softmax(-some, 1) * some).sum(1).mean().item())
    figure, ax = axes(height=3.4)
    labels = {
        "red": "softmax of log w",
        "blue": "log of the mean w",
        "orange": "softmax of the loss",
    }
    for colour, values in curves.items():
        ax.semilogx(many, values, "o-", color=COLOURS[colour], label=labels[colour])
    truth = example().log_evidence
    ax.axhline(truth, color=COLOURS["ink"], linewidth=1.2, linestyle="--")
    ax.text(512, truth - 0.04, "log p(x)", ha="right", va="top", color=COLOURS["ink"])
    ax.set(xlabel="K", ylabel="nats")
    ax.legend(loc="lower left")
    return figure
