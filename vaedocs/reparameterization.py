"""A sample of q(z|x) that gradients can pass through: z = mu + sigma * zeta."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs.domains import require_matching
from vaedocs.kl_divergence import diagonal_to_standard_normal

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sample(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Move standard normal noise to N(mean, diag(exp(log_variance))).

    Half of the log-variance, because a *standard deviation* multiplies the noise. Parameters
    ``[..., M]``, draws from N(0, I) as ``noise`` ``[..., M]``, result of the broadcast shape:
    more leading dimensions of the noise give more samples. Raises ``ValueError`` where shapes
    do not match. Kingma & Welling (2014), section 2.4.

    >>> mean, log_variance = torch.tensor([0.0, 5.0]), torch.tensor([4.0, 9.0]).log()
    >>> sample(mean, log_variance, noise=torch.ones(2)).round(decimals=4)
    tensor([2., 8.])
    """
    if mean.shape != log_variance.shape:
        raise ValueError(
            f"mean has shape {list(mean.shape)} and log_variance has shape "
            f"{list(log_variance.shape)}; expected the same shape"
        )
    require_matching(mean, noise, ("mean", "noise"))
    return mean + torch.exp(0.5 * log_variance) * noise


def pathwise_gradients(
    function: Callable[[Tensor], Tensor], mean: Tensor, log_variance: Tensor, noise: Tensor
) -> Tensor:
    """Estimates of the gradient of E_q[function(z)] in the mean, through the sample.

    A differentiable ``function`` ``[K, M] -> [K]``, parameters ``[M]`` and draws from N(0, I)
    ``[K, M]`` give one estimate a draw, ``[K, M]``. Raises ``ValueError`` where shapes do not
    match. Kingma & Welling (2014), section 2.4; Mohamed et al. (2020), section 5.

    >>> zero = torch.zeros(1)
    >>> square, noise = lambda z: z.square().sum(-1), torch.tensor([[0.5]])
    >>> pathwise_gradients(square, zero + 1, zero, noise)
    tensor([[3.]])
    """
    copies = mean.expand_as(noise).detach().requires_grad_()
    value = function(sample(copies, log_variance.expand_as(noise), noise)).sum()
    (gradients,) = torch.autograd.grad(value, copies)
    return gradients


def score_gradients(
    function: Callable[[Tensor], Tensor], mean: Tensor, log_variance: Tensor, noise: Tensor
) -> Tensor:
    """Estimates of the same gradient by the score, which never differentiate ``function``.

    Arguments, result and errors as in :func:`pathwise_gradients`. Williams (1992); Mohamed et
    al. (2020), section 4.

    >>> zero = torch.zeros(1)
    >>> square, noise = lambda z: z.square().sum(-1), torch.tensor([[0.5]])
    >>> score_gradients(square, zero + 1, zero, noise)
    tensor([[1.1250]])
    """
    z = sample(mean, log_variance, noise)
    return function(z)[..., None] * (z - mean) * torch.exp(-log_variance)


PATHWISE_VARIANCE = 4.0  # of one pathwise estimate of d/dmean E[z^2], z ~ N(mean, 1), everywhere


def score_variance(mean: float, baseline: float = 0.0) -> float:
    """Variance of one score estimate ``(z^2 - baseline) (z - mean)`` of d/dmean E[z^2].

    With no baseline it is ``mean^4 + 14 mean^2 + 15``; the best constant baseline,
    ``mean^2 + 3``, leaves ``8 mean^2 + 6``.

    >>> score_variance(1.0), score_variance(1.0, baseline=4.0)
    (30.0, 14.0)
    """
    shift = mean**2 - baseline
    return shift**2 + 6 * shift + 8 * mean**2 + 15


# ---------------------------------------------------------------- numbers and figures of the page

DRAWS = 200_000


class Measured(NamedTuple):
    """Gradient of E[z^2] at mean 1 by both estimators: exact and measured."""

    draws: int
    exact_gradient: float
    pathwise_mean: float
    pathwise_variance: float
    pathwise_exact: float
    score_mean: float
    score_variance: float
    score_exact: float
    baseline_exact: float
    ratio: float


def _square(z: Tensor) -> Tensor:
    return z.square().sum(-1)


def _noise(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(DRAWS, 1, generator=generator, dtype=torch.float64)


def measured() -> Measured:
    """Both estimators on the same draws at mean 1.

    >>> answer = measured()
    >>> answer.pathwise_exact, answer.score_exact, answer.ratio
    (4.0, 30.0, 7.5)
    """
    noise, mean = _noise(20), torch.ones(1, dtype=torch.float64)
    path = pathwise_gradients(_square, mean, torch.zeros_like(mean), noise)
    score = score_gradients(_square, mean, torch.zeros_like(mean), noise)
    return Measured(
        DRAWS,
        2.0,
        path.mean().item(),
        path.var().item(),
        PATHWISE_VARIANCE,
        score.mean().item(),
        score.var().item(),
        score_variance(1.0),
        score_variance(1.0, baseline=4.0),
        score_variance(1.0) / PATHWISE_VARIANCE,
    )


class Wiggly(NamedTuple):
    """Measured variances of both estimators for sin(k z), z ~ N(1, 1)."""

    k: float
    pathwise: float
    score: float


def wiggly() -> Wiggly:
    """A function for which the score estimate is the better one: near 1/2 against k^2 / 2.

    >>> answer = wiggly()
    >>> answer.score < 1 < answer.pathwise
    True
    """
    k, noise, mean = 10.0, _noise(22), torch.ones(1, dtype=torch.float64)

    def wave(z: Tensor) -> Tensor:
        return torch.sin(k * z).sum(-1)

    path, score = (
        estimator(wave, mean, torch.zeros_like(mean), noise).var().item()
        for estimator in (pathwise_gradients, score_gradients)
    )
    return Wiggly(k, path, score)


class Conventions(NamedTuple):
    """One network output h read in four ways: the variance of z that results, and the KL."""

    output: float
    as_variance: float
    kl_as_variance: float
    as_deviation: float
    kl_as_deviation: float
    as_log_variance: float
    kl_as_log_variance: float
    as_log_deviation: float
    kl_as_log_deviation: float
    outer_rank: int


def conventions() -> Conventions:
    """What h = 4 means as variance or standard deviation or the log of either; rank of h h^T.

    >>> round(conventions().kl_as_variance, 3), round(conventions().kl_as_deviation, 3)
    (0.807, 6.114)
    """
    h = 4.0

    def divergence(variance: float) -> float:
        logarithm = torch.tensor([math.log(variance)], dtype=torch.float64)
        return diagonal_to_standard_normal(torch.zeros_like(logarithm), logarithm).item()

    column = torch.tensor([1.0, 2.0], dtype=torch.float64)
    return Conventions(
        h,
        h,
        divergence(h),
        h**2,
        divergence(h**2),
        math.exp(h),
        divergence(math.exp(h)),
        math.exp(2 * h),
        divergence(math.exp(2 * h)),
        int(torch.linalg.matrix_rank(torch.outer(column, column))),
    )


def figure_graphs() -> Figure:
    """Left: z is drawn, and no derivative passes. Right: z is computed from noise, and one does."""
    from vaedocs import drawing

    figure, ax = drawing.diagram(6.4, 3.5)
    ink = drawing.COLOURS["ink"]
    for left, title in ((0.0, "drawn"), (3.2, "reparameterised")):
        ax.text(left + 1.6, 3.25, title, ha="center", va="center", color=ink, size=13)
        through = left > 0
        code = drawing.box(ax, left + 0.75, 0.5, r"$\mu,\ \log\sigma^2$", width=1.25, colour="blue")
        z = drawing.box(
            ax,
            left + 0.75,
            1.55,
            "$z$",
            width=0.75,
            shape="box" if through else "circle",
            height=0.6,
            colour="blue" if through else "orange",
        )
        loss = drawing.box(ax, left + 0.75, 2.6, "$g(z)$", width=0.95, colour="blue")
        drawing.arrow(ax, code, z)
        drawing.arrow(ax, z, loss)
        drawing.arrow(ax, (left + 1.55, 2.6), (left + 1.55, 1.7), colour="red")
        if through:
            noise = drawing.box(
                ax, left + 2.55, 1.55, r"$\zeta$", width=0.75, shape="circle", colour="orange"
            )
            drawing.arrow(ax, noise, z, dashed=True)
            drawing.arrow(ax, (left + 1.55, 1.4), (left + 1.55, 0.5), colour="red")
            ax.text(left + 1.7, 2.2, "gradient", color=drawing.COLOURS["red"], va="center")
            ax.text(left + 2.55, 0.98, "noise", color=ink, ha="center")
        else:
            ax.text(
                left + 1.33,
                1.12,
                "$\\times$ no gradient",
                color=drawing.COLOURS["red"],
                va="center",
            )
    return figure


def figure_variances() -> Figure:
    """Variances of both estimators against the mean: exact curves, measured points."""
    from vaedocs import drawing

    noise, zero = _noise(21), torch.zeros(1, dtype=torch.float64)
    points = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
    line = [3 * step / 60 for step in range(61)]
    figure, ax = drawing.axes(height=3.2)
    paint = drawing.COLOURS
    scores = [score_gradients(_square, zero + m, zero, noise) for m in points]
    with_baseline = [s - (m**2 + 3) * noise for s, m in zip(scores, points, strict=True)]
    pathwise = [pathwise_gradients(_square, zero + m, zero, noise) for m in points]
    for colour, style, curve, estimates in (
        ("orange", "-", [score_variance(m) for m in line], scores),
        ("purple", "--", [score_variance(m, m**2 + 3) for m in line], with_baseline),
        ("blue", "-", [PATHWISE_VARIANCE for _ in line], pathwise),
    ):
        ax.plot(line, curve, color=paint[colour], linestyle=style)
        ax.plot(points, [e.var().item() for e in estimates], "o", color=paint[colour])
    for at, height, words, colour in (
        (1.15, 110, "score", "orange"),
        (1.75, 15, "score, best baseline", "purple"),
        (1.6, 5, "pathwise", "blue"),
    ):
        ax.text(at, height, words, color=paint[colour])
    ax.set(yscale="log", xlabel=r"$\mu$", ylabel="variance of one draw", ylim=(2.5, 400))
    ax.set_yticks([3, 10, 30, 100, 300], ["3", "10", "30", "100", "300"])
    ax.minorticks_off()
    return figure
