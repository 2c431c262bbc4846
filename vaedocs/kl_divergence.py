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
    for name, mean, covariance in (("p", mean_p, covariance_p), ("q", mean_q, covariance_q)):
        require_finite(mean, f"mean_{name}")
        require_covariance(covariance, f"covariance_{name}")
        if covariance.shape != (*mean.shape, *mean.shape[-1:]):
            raise ValueError(
                f"mean_{name} has shape {list(mean.shape)} and covariance_{name} has shape "
                f"{list(covariance.shape)}; expected [..., M] and [..., M, M]"
            )
    require_same_shape(mean_p, mean_q, ("mean_p", "mean_q"))
    factor_p, factor_q = torch.linalg.cholesky(covariance_p), torch.linalg.cholesky(covariance_q)
    # With Σ = L Lᵀ the trace is the sum of the squared entries of Lq⁻¹ Lp, and the quadratic
    # form that of Lq⁻¹ (μp - μq): one triangular system gives both.
    sides = torch.cat([factor_p, (mean_p - mean_q)[..., None]], -1)
    whitened: Tensor = torch.linalg.solve_triangular(factor_q, sides, upper=False)
    squares = whitened.square().sum((-2, -1))
    ratio = factor_q.diagonal(dim1=-2, dim2=-1) / factor_p.diagonal(dim1=-2, dim2=-1)
    half_log_determinants: Tensor = ratio.log().sum(-1)  # ½ log det Σq - ½ log det Σp
    return 0.5 * (squares - mean_p.shape[-1]) + half_log_determinants


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
    log_p: LogDensity, log_q: LogDensity, low: float, high: float, points: int
) -> Tensor:
    """KL divergence of two densities on the line by the trapezoidal rule, in nats, float64.

    [low, high] must hold all of p that matters. The rule converges faster than any power of the
    spacing for smooth densities that vanish at both ends.

    >>> round(by_quadrature(_normal(0, 1), _normal(0, 2), -12, 12, 41).item(), 4)
    0.3181
    """
    x = torch.linspace(low, high, points, dtype=torch.float64)
    return torch.trapezoid(log_p(x).exp() * (log_p(x) - log_q(x)), x)


def _normal(mean: float, std: float) -> LogDensity:
    """The log density of N(mean, std²) as a function."""
    m, s = (torch.tensor(value, dtype=torch.float64) for value in (mean, std))

    def log_density(x: Tensor) -> Tensor:
        return normal_log_density(x, m, s)

    return log_density


# ---------------------------------------------------------------- numbers and figures of the page


class Examples(NamedTuple):
    """The divergences between two given distributions that the page quotes, in nats."""

    narrow_from_wide: float
    wide_from_narrow: float
    shifted: float
    shifted_back: float
    direct: float
    first_leg: float
    second_leg: float
    whole_from_half: float
    half_from_whole: float
    right: float
    mistaken: float


def examples() -> Examples:
    """N(0, 1) and N(0, 2²); N(0, 1) and N(1, 1); means 0, 1, 2; U[0, 1] and U[0, ½]; N(1, 4).

    The uniform densities are constant on two halves, so their mass functions do. The last two are
    the exercise: N(1, 4) from N(0, 1), and with 4 mistaken for the standard deviation.

    >>> examples().direct > examples().first_leg + examples().second_leg
    True
    >>> examples().whole_from_half
    inf
    """

    def between(*parameters: float) -> float:
        return gaussian(*(torch.tensor(v, dtype=torch.float64) for v in parameters)).item()

    whole = torch.tensor([0.5, 0.5], dtype=torch.float64)
    half = torch.tensor([1.0, 0.0], dtype=torch.float64)
    return Examples(
        narrow_from_wide=between(0, 1, 0, 2),
        wide_from_narrow=between(0, 2, 0, 1),
        shifted=between(0, 1, 1, 1),
        shifted_back=between(1, 1, 0, 1),
        direct=between(0, 1, 2, 1),
        first_leg=between(0, 1, 1, 1),
        second_leg=between(1, 1, 2, 1),
        whole_from_half=categorical(whole, half).item(),
        half_from_whole=categorical(half, whole).item(),
        right=between(1, 2, 0, 1),
        mistaken=between(1, 4, 0, 1),
    )


class Estimates(NamedTuple):
    """The KL of N(1, 2²) from N(0, 1), by Monte Carlo and by quadrature, in nats."""

    samples: int
    monte_carlo: float
    standard_error: float
    points: int
    quadrature: float
    digits: int


@lru_cache(maxsize=1)
def estimates(samples: int = 100_000, points: int = 25) -> Estimates:
    """Estimate 2 - log 2; ``digits`` says how many decimal places of the quadrature are right.

    >>> estimates().digits
    10
    """
    p, q = _normal(1, 2), _normal(0, 1)
    noise = torch.randn(samples, dtype=torch.float64, generator=torch.Generator().manual_seed(20))
    mean, error = by_monte_carlo(p, q, 1 + 2 * noise)
    integral = by_quadrature(p, q, -19, 21, points).item()
    digits = math.floor(-math.log10(abs(integral - examples().right)))
    return Estimates(samples, mean.item(), error.item(), points, integral, digits)


LEFT_WEIGHT, RIGHT_WEIGHT, BUMP_STD = 0.7, 0.3, 0.6


def two_bumps(x: Tensor) -> Tensor:
    """Log density of the page's mixture 0.7 N(-2, 0.6²) + 0.3 N(2, 0.6²), elementwise.

    >>> x = torch.linspace(-8, 8, 2001, dtype=torch.float64)
    >>> round(torch.trapezoid(two_bumps(x).exp(), x).item(), 9)
    1.0
    """
    left = math.log(LEFT_WEIGHT) + _normal(-2, BUMP_STD)(x)
    return torch.logaddexp(left, math.log(RIGHT_WEIGHT) + _normal(2, BUMP_STD)(x))


class BumpFit(NamedTuple):
    """A Gaussian fitted to the two bumps: its mean, standard deviation, and KL in nats."""

    mean: float
    std: float
    kl: float


class BumpFits(NamedTuple):
    """The forward fit, the reverse fits that start on either bump, and -log of each weight."""

    forward: BumpFit
    left: BumpFit
    right: BumpFit
    left_information: float
    right_information: float


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
    prices = -math.log(LEFT_WEIGHT), -math.log(RIGHT_WEIGHT)
    return BumpFits(forward, _reverse_fit(-2.0), _reverse_fit(2.0), *prices)


def _reverse_fit(start: float) -> BumpFit:
    """Minimise KL(N(mean, std²) ‖ two_bumps) by descent from a mean and standard deviation ½."""
    noise = torch.linspace(-8, 8, 401, dtype=torch.float64)
    log_noise = _normal(0, 1)(noise)
    weight = log_noise.exp() * (noise[1] - noise[0])
    q = torch.tensor([start, math.log(0.5)], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([q], max_iter=200, line_search_fn="strong_wolfe")

    def divergence() -> Tensor:  # E_q[log q - log p], with q's samples written mean + std noise
        optimiser.zero_grad()
        mean, log_std = q
        log_p = two_bumps(mean + log_std.exp() * noise)
        total: Tensor = (weight * (log_noise - log_std - log_p)).sum()
        total.backward()
        return total

    optimiser.step(divergence)
    return BumpFit(q[0].item(), q[1].exp().item(), divergence().item())


def figure_gibbs() -> Figure:
    """The inequality behind Gibbs': log t lies below its tangent t - 1."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.2)
    t = torch.linspace(0.03, 3, 100, dtype=torch.float64)
    ax.axhline(0, color=COLOURS["grid"], linewidth=1)
    ax.fill_between(t, t.log(), t - 1, color=COLOURS["green"], alpha=0.18)
    ax.plot(t, t - 1, color=COLOURS["orange"], label="$t - 1$")
    ax.plot(t, t.log(), color=COLOURS["blue"], label=r"$\log t$")
    ax.plot(1, 0, "o", color=COLOURS["ink"])
    ax.annotate("they touch at $t = 1$", (1, 0), xytext=(8, -16), textcoords="offset points")
    ax.set(xlabel=r"$t$, the ratio $q(x) \,/\, p(x)$", xlim=(0, 3), ylim=(-3, 2.2))
    ax.legend(loc="lower right", frameon=False)
    return figure


def figure_asymmetry() -> Figure:
    """What is integrated in the two directions, for N(0, 1) and N(0, 2²)."""
    from vaedocs.drawing import COLOURS, axes

    figure, grid = axes(height=4.6, rows=2, columns=2, sharex=True, sharey="row")
    x = torch.linspace(-8, 8, 161, dtype=torch.float64)
    narrow, wide = _normal(0, 1)(x), _normal(0, 2)(x)
    cases = (
        (narrow, wide, examples().narrow_from_wide, "$p$ narrow, $q$ wide"),
        (wide, narrow, examples().wide_from_narrow, "$p$ wide, $q$ narrow"),
    )
    for (top, bottom), (p, q, value, title) in zip(grid.T, cases, strict=True):
        top.plot(x, p.exp(), color=COLOURS["blue"], label="$p$")
        top.plot(x, q.exp(), "--", color=COLOURS["orange"], label="$q$")
        top.legend(loc="upper right", frameon=False)
        top.set(title=title)
        integrand = p.exp() * (p - q)
        bottom.axhline(0, color=COLOURS["muted"], linewidth=1)
        for part, colour in ((integrand.clamp(min=0), "green"), (integrand.clamp(max=0), "red")):
            bottom.fill_between(x, part, color=COLOURS[colour], alpha=0.35, linewidth=0)
        bottom.plot(x, integrand, color=COLOURS["ink"], linewidth=1.2)
        bottom.set(xlabel="$x$", title=f"area {value:.3f} nats")
    grid[0, 0].set(ylabel="densities")
    grid[1, 0].set(ylabel=r"$p \;\log(p \,/\, q)$")
    return figure


def figure_forward_reverse() -> Figure:
    """One Gaussian fitted to two bumps, in both directions."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.2)
    x = torch.linspace(-7, 7, 281, dtype=torch.float64)
    fits = bump_fits()
    ax.fill_between(x, two_bumps(x).exp(), color=COLOURS["muted"], alpha=0.3, lw=0, label="$p$")
    for fit, colour, style, words in (
        (fits.forward, "orange", "-", "forward fit"),
        (fits.left, "blue", "--", "reverse, from the left"),
        (fits.right, "blue", ":", "reverse, from the right"),
    ):
        density = _normal(fit.mean, fit.std)(x).exp()
        ax.plot(x, density, style, color=COLOURS[colour], label=words)
    ax.set(xlabel="$x$", ylabel="density")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def figure_estimators() -> Figure:
    """Error of Monte Carlo and of the trapezoidal rule against the number of evaluations."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.4)
    p, q = _normal(1, 2), _normal(0, 1)
    exact = examples().right
    counts = [5, 9, 13, 17, 21, 25, 33, 49, 65, 129, 257, 1025, 4097, 16385, 65537]
    noise = torch.randn(
        20, counts[-1], dtype=torch.float64, generator=torch.Generator().manual_seed(7)
    )
    found = [torch.stack([by_monte_carlo(p, q, 1 + 2 * s[:n])[0] for s in noise]) for n in counts]
    errors = [(means - exact).square().mean().sqrt().item() for means in found]
    # Rounding can make the error of the rule zero, which a logarithmic axis cannot show.
    grids = [max(abs(by_quadrature(p, q, -19, 21, n).item() - exact), 1e-16) for n in counts]
    for values, style, colour, words in (
        (errors, "o-", "orange", "Monte Carlo"),
        (grids, "s-", "blue", "trapezoidal rule"),
    ):
        ax.loglog(counts, values, style, color=COLOURS[colour], markersize=4, label=words)
    ax.set(xlabel=r"evaluations of $\log p - \log q$", ylabel="error (nats)")
    ax.legend(loc="center right", frameon=False)
    return figure
