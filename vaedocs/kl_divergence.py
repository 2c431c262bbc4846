"""Kullback-Leibler divergence: what it costs to take one distribution for another.

All values are in nats. Sources: Kullback & Leibler (1951); Cover & Thomas (2006), chapters 2
and 8; Kingma & Welling (2014), appendix B, for ``diagonal_to_standard_normal``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs.domains import (
    require_covariance,
    require_finite,
    require_positive,
    require_probabilities,
    require_same_shape,
)
from vaedocs.information import normal_log_density

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LogDensity = Callable[[Tensor], Tensor]


def categorical(p: Tensor, q: Tensor) -> Tensor:
    """KL divergence of two probability mass functions, ``[..., K], [..., K] -> [...]``, in nats.

    An outcome with p = 0 adds nothing. An outcome with p > 0 and q = 0 makes the result infinite.
    Raises ``ValueError`` where a row is not a probability mass function or shapes differ.
    Source: Cover & Thomas (2006), equation 2.26.

    >>> coin, loaded = torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1])
    >>> round(categorical(coin, loaded).item(), 4), round(categorical(loaded, coin).item(), 4)
    (0.5108, 0.3681)
    >>> categorical(coin, torch.tensor([1.0, 0.0]))
    tensor(inf)
    """
    require_probabilities(p, "p")
    require_probabilities(q, "q")
    require_same_shape(p, q, ("p", "q"))
    # xlogy(0, y) = 0, which is the convention 0 log 0 = 0.
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)


def gaussian(mean_p: Tensor, std_p: Tensor, mean_q: Tensor, std_q: Tensor) -> Tensor:
    """KL divergence of univariate Gaussians, elementwise, in nats; ``std`` is no variance.

    All four have one shape (a tensor without dimensions goes with any). Raises
    ``ValueError`` where shapes differ, a mean is not finite, or a standard deviation is not
    positive.
    Source: derived on the page; Cover & Thomas (2006), chapter 8.

    >>> zero, one, two = (torch.tensor(v) for v in (0.0, 1.0, 2.0))
    >>> round(gaussian(zero, one, zero, two).item(), 4)
    0.3181
    >>> round(gaussian(zero, two, zero, one).item(), 4)
    0.8069
    """
    require_finite(mean_p, "mean_p")
    require_positive(std_p, "std_p")
    require_finite(mean_q, "mean_q")
    require_positive(std_q, "std_q")
    parameters = {"mean_p": mean_p, "std_p": std_p, "mean_q": mean_q, "std_q": std_q}
    widest = max(parameters, key=lambda name: parameters[name].ndim)
    for name, value in parameters.items():
        require_same_shape(value, parameters[widest], (name, widest))
    spread = (std_p / std_q).square()
    offset = ((mean_p - mean_q) / std_q).square()
    return 0.5 * (spread + offset - 1 - spread.log())


def diagonal_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL of N(mean, diag(exp(log_variance))) from N(0, I), ``[..., M] -> [...]``, in nats.

    The term of the loss of a variational autoencoder: it runs at every training step, so it
    checks shapes and nothing else. Raises ``ValueError`` where they differ.
    Source: Kingma & Welling (2014), appendix B.

    >>> diagonal_to_standard_normal(torch.zeros(3, 2), torch.zeros(3, 2))
    tensor([0., 0., 0.])
    >>> diagonal_to_standard_normal(torch.tensor([1.0, 2.0]), torch.zeros(2))
    tensor(2.5000)
    """
    if mean.shape != log_variance.shape:
        require_same_shape(mean, log_variance, ("mean", "log_variance"))
    return 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(-1)


def multivariate_gaussian(
    mean_p: Tensor, covariance_p: Tensor, mean_q: Tensor, covariance_q: Tensor
) -> Tensor:
    """KL of multivariate Gaussians, ``[..., M]`` and ``[..., M, M] -> [...]``, in nats.

    Raises ``ValueError`` where shapes differ, a mean is not finite, or a covariance is not
    symmetric positive definite. Source: derived on the page.

    >>> mean, identity = torch.zeros(2), torch.eye(2)
    >>> covariance = torch.tensor([[1.0, 0.8], [0.8, 1.0]])
    >>> round(multivariate_gaussian(mean, covariance, mean, identity).item(), 4)
    0.5108
    """
    for name, mean, covariance in (
        ("p", mean_p, covariance_p),
        ("q", mean_q, covariance_q),
    ):
        require_finite(mean, f"mean_{name}")
        require_covariance(covariance, f"covariance_{name}")
        if covariance.shape != (*mean.shape, *mean.shape[-1:]):
            raise ValueError(
                f"mean_{name} has shape {list(mean.shape)} and covariance_{name} has shape "
                f"{list(covariance.shape)}; expected [..., M] and [..., M, M]"
            )
    require_same_shape(mean_p, mean_q, ("mean_p", "mean_q"))
    factor_p = torch.linalg.cholesky(covariance_p)  # covariance = factor factorᵀ
    factor_q = torch.linalg.cholesky(covariance_q)
    # tr(Σq⁻¹ Σp) is the squared Frobenius norm of Lq⁻¹ Lp; the offset is whitened alike.
    spread = torch.linalg.solve_triangular(factor_q, factor_p, upper=False)
    offset = torch.linalg.solve_triangular(factor_q, (mean_q - mean_p)[..., None], upper=False)
    log_ratio: Tensor = (
        factor_q.diagonal(dim1=-2, dim2=-1) / factor_p.diagonal(dim1=-2, dim2=-1)
    ).log()
    dimensions = mean_p.shape[-1]
    squares: Tensor = spread.square().sum((-2, -1)) + offset.square().sum((-2, -1))
    half_log_determinants: Tensor = log_ratio.sum(-1)  # ½ log det Σq - ½ log det Σp
    return 0.5 * (squares - dimensions) + half_log_determinants


class Pair(NamedTuple):
    """A KL divergence in both directions, in nats."""

    forward: float
    reverse: float


def asymmetry() -> Pair:
    """KL of N(0, 1) from N(0, 2²), and of N(0, 2²) from N(0, 1).

    >>> [round(value, 4) for value in asymmetry()]
    [0.3181, 0.8069]
    """
    zero, one, two = _numbers(0, 1, 2)
    return Pair(gaussian(zero, one, zero, two).item(), gaussian(zero, two, zero, one).item())


def symmetric_pair() -> Pair:
    """KL of N(0, 1) from N(1, 1), and back: equal, so asymmetry is not universal.

    >>> symmetric_pair()
    Pair(forward=0.5, reverse=0.5)
    """
    zero, one = _numbers(0, 1)
    return Pair(gaussian(zero, one, one, one).item(), gaussian(one, one, zero, one).item())


def mistaken() -> float:
    """KL from N(0, 1) for who reads N(1, 4) as standard deviation 4: the exercise's wrong answer.

    >>> round(mistaken(), 4)
    6.6137
    """
    zero, one, four = _numbers(0, 1, 4)
    return gaussian(one, four, zero, one).item()


class Triangle(NamedTuple):
    """KL between three unit-variance Gaussians with means 0, 1, 2, in nats."""

    direct: float
    first_leg: float
    second_leg: float
    detour: float


def triangle() -> Triangle:
    """Show that a detour can be shorter: KL from mean 0 to 2 exceeds 0 to 1 plus 1 to 2.

    >>> triangle().direct > triangle().detour
    True
    """
    zero, one, two = _numbers(0, 1, 2)
    first, second = gaussian(zero, one, one, one).item(), gaussian(one, one, two, one).item()
    return Triangle(gaussian(zero, one, two, one).item(), first, second, first + second)


class UniformPair(NamedTuple):
    """KL of the uniform density on [0, 1] from that on [0, a], and back, in nats."""

    narrow_q: float
    wide_q: float


def uniform_pair() -> UniformPair:
    """KL of U[0, 1] from U[0, ½] is infinite; KL of U[0, ½] from U[0, 1] is log 2.

    Both come from the mass functions on two halves, since each density is constant on them.

    >>> uniform_pair().narrow_q
    inf
    """
    whole = torch.tensor([0.5, 0.5], dtype=torch.float64)
    half = torch.tensor([1.0, 0.0], dtype=torch.float64)
    return UniformPair(categorical(whole, half).item(), categorical(half, whole).item())


class Estimate(NamedTuple):
    """The KL of N(1, 2²) from N(0, 1): exact, by Monte Carlo, and by quadrature, in nats."""

    exact: float
    monte_carlo: float
    standard_error: float
    samples: int
    quadrature: float
    quadrature_error: float
    points: int


def by_monte_carlo(
    log_p: LogDensity, log_q: LogDensity, samples_of_p: Tensor
) -> tuple[Tensor, Tensor]:
    """Average of log p - log q over samples of p, and its standard error, in nats.

    >>> x = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    >>> mean, error = by_monte_carlo(lambda x: -x**2 / 2, lambda x: -((x - 1) ** 2) / 2, x)
    >>> bool(abs(mean - 0.5) < 3 * error)
    True
    """
    log_ratio = log_p(samples_of_p) - log_q(samples_of_p)
    return log_ratio.mean(), log_ratio.std() / math.sqrt(log_ratio.numel())


def by_quadrature(
    log_p: LogDensity, log_q: LogDensity, low: float, high: float, points: int = 20_001
) -> Tensor:
    """KL divergence of two densities on the line by the trapezoidal rule, in nats, float64.

    [low, high] must hold all of p that matters. The rule converges faster than any power of the
    spacing for smooth densities that vanish at both ends.

    >>> from vaedocs.information import normal_log_density
    >>> zero, one, two = (torch.tensor(v, dtype=torch.float64) for v in (0.0, 1.0, 2.0))
    >>> p, q = (lambda x: normal_log_density(x, zero, one)), (
    ...     lambda x: normal_log_density(x, zero, two))
    >>> round(by_quadrature(p, q, -12, 12).item(), 4)
    0.3181
    """
    x = torch.linspace(low, high, points, dtype=torch.float64)
    log_ratio = log_p(x) - log_q(x)
    return torch.trapezoid(log_p(x).exp() * log_ratio, x)


@lru_cache(maxsize=1)
def estimates(samples: int = 100_000, points: int = 25) -> Estimate:
    """Estimate KL(N(1, 2²) ‖ N(0, 1)) = 2 - log 2 in two ways.

    >>> abs(estimates().quadrature_error) < 1e-9
    True
    """
    zero, one, two = _numbers(0, 1, 2)
    exact = gaussian(one, two, zero, one).item()
    p, q = _normal(1, 2), _normal(0, 1)
    noise = torch.randn(samples, dtype=torch.float64, generator=torch.Generator().manual_seed(20))
    mean, error = by_monte_carlo(p, q, 1 + 2 * noise)
    integral = by_quadrature(p, q, -19, 21, points).item()
    return Estimate(
        exact, mean.item(), error.item(), samples, integral, abs(integral - exact), points
    )


class DiagonalFits(NamedTuple):
    """Variances of the diagonal Gaussians nearest to a correlated one, in two directions."""

    forward: Tensor
    reverse: Tensor


def closest_diagonal(covariance: Tensor) -> DiagonalFits:
    """Variances of the diagonal Gaussian q nearest to p = N(0, covariance), two of ``[M]``.

    Forward, arg min of KL(p ‖ q): the diagonal of the covariance ``[M, M]``.
    Reverse, arg min of KL(q ‖ p): one over the diagonal of its inverse, never larger.
    Raises ``ValueError`` where the covariance is not symmetric positive definite.
    Source: Bishop (2006), section 10.1.2.

    >>> fits = closest_diagonal(torch.tensor([[1.0, 0.6], [0.6, 1.0]]))
    >>> fits.forward, fits.reverse
    (tensor([1., 1.]), tensor([0.6400, 0.6400]))
    """
    require_covariance(covariance, "covariance")
    precision: Tensor = torch.linalg.inv(covariance)
    return DiagonalFits(covariance.diagonal(), 1 / precision.diagonal())


class CorrelatedFit(NamedTuple):
    """The page's correlated Gaussian: its correlation, the two fits and their divergences."""

    correlation: float
    forward_std: float
    reverse_std: float
    forward_kl: float
    reverse_kl: float


def correlated_fit(correlation: float = 0.9) -> CorrelatedFit:
    """Fit a Gaussian of unit variances and a correlation by a diagonal one, both ways.

    >>> round(correlated_fit().reverse_std, 4)
    0.4359
    """
    covariance = torch.tensor([[1, correlation], [correlation, 1]], dtype=torch.float64)
    mean = torch.zeros(2, dtype=torch.float64)
    fits = closest_diagonal(covariance)
    return CorrelatedFit(
        correlation,
        fits.forward[0].sqrt().item(),
        fits.reverse[0].sqrt().item(),
        multivariate_gaussian(mean, covariance, mean, fits.forward.diag()).item(),
        multivariate_gaussian(mean, fits.reverse.diag(), mean, covariance).item(),
    )


def two_bumps(x: Tensor) -> Tensor:
    """Log density of the page's mixture 0.7 N(-2, 0.6²) + 0.3 N(2, 0.6²), elementwise.

    >>> x = torch.linspace(-8, 8, 2001, dtype=torch.float64)
    >>> round(torch.trapezoid(two_bumps(x).exp(), x).item(), 9)
    1.0
    """
    return torch.logaddexp(math.log(0.7) + _normal(-2, 0.6)(x), math.log(0.3) + _normal(2, 0.6)(x))


class BumpFit(NamedTuple):
    """A Gaussian fitted to the two bumps: its mean, standard deviation, and KL in nats."""

    mean: float
    std: float
    kl: float


class BumpFits(NamedTuple):
    """The forward fit, and the reverse fits that start on the left and on the right bump."""

    forward: BumpFit
    left: BumpFit
    right: BumpFit


@lru_cache(maxsize=1)
def bump_fits() -> BumpFits:
    """Fit one Gaussian to ``two_bumps``: forward by its moments, reverse by descent (L-BFGS).

    The reverse KL has one minimum per bump; which one descent finds depends on where it starts.

    >>> fits = bump_fits()
    >>> fits.forward.std > 3 * fits.left.std
    True
    """
    x = torch.linspace(-12, 12, 1201, dtype=torch.float64)
    density = two_bumps(x).exp()
    mean = torch.trapezoid(density * x, x).item()
    std = math.sqrt(torch.trapezoid(density * (x - mean) ** 2, x).item())
    forward = BumpFit(mean, std, by_quadrature(two_bumps, _normal(mean, std), -12, 12, 1201).item())
    return BumpFits(forward, _reverse_fit(-2.0), _reverse_fit(2.0))


def _reverse_fit(start: float) -> BumpFit:
    """Minimise KL(N(mean, std²) ‖ two_bumps) by descent from a mean and standard deviation ½."""
    noise = torch.linspace(-8, 8, 401, dtype=torch.float64)
    weight = _normal(0, 1)(noise).exp() * (noise[1] - noise[0])
    parameters = torch.tensor([start, math.log(0.5)], dtype=torch.float64, requires_grad=True)

    def divergence() -> Tensor:  # E_q[log q - log p], with q's samples written mean + std noise
        mean, log_std = parameters
        log_q = _normal(0, 1)(noise) - log_std
        total: Tensor = (weight * (log_q - two_bumps(mean + log_std.exp() * noise))).sum()
        return total

    optimiser = torch.optim.LBFGS([parameters], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = divergence()
        loss.backward()
        return loss

    optimiser.step(closure)
    mean, log_std = parameters.detach()
    return BumpFit(mean.item(), log_std.exp().item(), divergence().item())


def _numbers(*values: float) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(value, dtype=torch.float64) for value in values)


def _normal(mean: float, std: float) -> LogDensity:
    """The log density of N(mean, std²) as a function."""
    m, s = _numbers(mean, std)

    def log_density(x: Tensor) -> Tensor:
        return normal_log_density(x, m, s)

    return log_density


def figure_gibbs() -> Figure:
    """The inequality behind Gibbs': log t lies below its tangent t - 1."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.2)
    t = torch.linspace(0.03, 3, 100, dtype=torch.float64)
    ax.axhline(0, color=COLOURS["grid"], linewidth=1)
    ax.fill_between(t, t.log(), t - 1, color=COLOURS["green"], alpha=0.18)
    ax.plot(t, t - 1, color=COLOURS["orange"], label="t - 1")
    ax.plot(t, t.log(), color=COLOURS["blue"], label="log t")
    ax.plot(1, 0, "o", color=COLOURS["ink"])
    ax.annotate("they touch at t = 1", (1, 0), xytext=(8, -16), textcoords="offset points")
    ax.set(xlabel="t, the ratio q(x) / p(x)", xlim=(0, 3), ylim=(-3, 2.2))
    ax.legend(loc="lower right", frameon=False)
    return figure


def figure_asymmetry() -> Figure:
    """What is integrated in the two directions, for N(0, 1) and N(0, 2²)."""
    from vaedocs.drawing import COLOURS, axes

    figure, grid = axes(height=4.6, rows=2, columns=2, sharex=True, sharey="row")
    x = torch.linspace(-7, 7, 141, dtype=torch.float64)
    narrow, wide = _normal(0, 1), _normal(0, 2)
    values = asymmetry()
    cases = [(narrow, wide, values.forward), (wide, narrow, values.reverse)]
    for column, (p, q, value) in enumerate(cases):
        top, bottom = grid[:, column]
        top.plot(x, p(x).exp(), color=COLOURS["blue"], label="p")
        top.plot(x, q(x).exp(), "--", color=COLOURS["orange"], label="q")
        top.legend(loc="upper right", frameon=False)
        integrand = p(x).exp() * (p(x) - q(x))
        bottom.axhline(0, color=COLOURS["muted"], linewidth=1)
        for sign, colour in ((1, "green"), (-1, "red")):
            bottom.fill_between(
                x,
                integrand,
                0,
                where=(sign * integrand > 0).numpy(),
                color=COLOURS[colour],
                alpha=0.35,
                linewidth=0,
            )
        bottom.plot(x, integrand, color=COLOURS["ink"], linewidth=1.2)
        bottom.set(xlabel="x", title=f"area {value:.3f} nats")
    grid[0, 0].set(ylabel="densities", title="p narrow, q wide")
    grid[0, 1].set(title="p wide, q narrow")
    grid[1, 0].set(ylabel="p log(p / q)")
    return figure


def figure_forward_reverse() -> Figure:
    """One Gaussian fitted both ways: to a correlated Gaussian, and to two bumps."""
    from vaedocs.drawing import COLOURS, axes

    figure, (left, right) = axes(height=3.4, columns=2, width_ratios=(1, 1.25))
    angle = torch.linspace(0, 2 * math.pi, 73, dtype=torch.float64)
    circle = 2 * torch.stack([angle.cos(), angle.sin()])
    fit = correlated_fit()
    covariance = torch.tensor([[1, fit.correlation], [fit.correlation, 1]], dtype=torch.float64)
    target = torch.linalg.cholesky(covariance) @ circle
    left.fill(*target, color=COLOURS["muted"], alpha=0.3, linewidth=0)
    left.plot(*(fit.forward_std * circle), color=COLOURS["orange"])
    left.plot(*(fit.reverse_std * circle), "--", color=COLOURS["blue"])
    left.set(aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2], title="correlated p")
    x = torch.linspace(-6, 6, 161, dtype=torch.float64)
    fits = bump_fits()
    right.fill_between(
        x, two_bumps(x).exp(), 0, color=COLOURS["muted"], alpha=0.3, linewidth=0, label="p"
    )
    right.plot(
        x,
        _normal(fits.forward.mean, fits.forward.std)(x).exp(),
        color=COLOURS["orange"],
        label="forward",
    )
    right.plot(
        x,
        _normal(fits.left.mean, fits.left.std)(x).exp(),
        "--",
        color=COLOURS["blue"],
        label="reverse",
    )
    right.plot(x, _normal(fits.right.mean, fits.right.std)(x).exp(), ":", color=COLOURS["blue"])
    right.set(title="p with two bumps", xlabel="x", yticks=[])
    figure.legend(
        *right.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    return figure


def figure_estimators() -> Figure:
    """Error of Monte Carlo and of the trapezoidal rule against the number of evaluations."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.4)
    p, q = _normal(1, 2), _normal(0, 1)
    exact = estimates().exact
    counts = [5, 9, 13, 17, 21, 25, 33, 49, 65, 129, 257, 1025, 4097, 16385, 65537]
    grids = [abs(by_quadrature(p, q, -19, 21, n).item() - exact) for n in counts]
    noise = torch.randn(
        20, counts[-1], dtype=torch.float64, generator=torch.Generator().manual_seed(7)
    )
    samples = 1 + 2 * noise
    errors = [
        torch.stack([by_monte_carlo(p, q, s[:n])[0] - exact for s in samples])
        .square()
        .mean()
        .sqrt()
        .item()
        for n in counts
    ]
    ax.loglog(counts, errors, "o-", color=COLOURS["orange"], markersize=4, label="Monte Carlo")
    ax.loglog(
        counts,
        [max(error, 1e-16) for error in grids],
        "s-",
        color=COLOURS["blue"],
        markersize=4,
        label="trapezoidal rule",
    )
    ax.set(xlabel="evaluations of log p - log q", ylabel="error (nats)")
    ax.legend(loc="center right", frameon=False)
    return figure
