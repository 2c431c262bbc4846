"""How far a lower bound lies below log p(x), and whose fault it is.

With one or two latent variables the evidence ``log p(x) = log ∫ p(x|z) p(z) dz`` is an integral
that a computer can do to many digits: a uniform grid, halved until two grids agree.
Against it the lower bound of a given encoder leaves a gap, which splits into what the encoder
missed (amortisation) and what no diagonal Gaussian could reach (family).

A decoder is given by one function ``log_likelihood(x, z)``: data ``[B, 1, D]`` and latent points
``[1, S, M]`` or ``[B, S, M]`` to log p(x|z) in nats, ``[B, S]``. The prior is N(0, I). Shapes: B
examples, D data dimensions, S latent points, M latent dimensions. Everything here wants float64.
Sources: Trefethen & Weideman (2014) for the grid, Cremer, Li & Duvenaud (2018) for the split.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs.from_lower_bound_to_vae import Encoder
from vaedocs.kl_divergence import diagonal_to_standard_normal
from vaedocs.lower_bound_reformulated import gaussian_log_likelihood
from vaedocs.reparameterization import sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LogLikelihood = Callable[[Tensor, Tensor], Tensor]

ELEMENTS_AT_ONCE = 2**22
"""Entries of the largest ``[B, S, D]`` that a log-likelihood is asked for: 32 MiB in float64."""


class UncertifiedEvidenceError(ArithmeticError):
    """The grid cannot vouch for log p(x); the message says for which example and why."""


class Evidence(NamedTuple):
    """The logarithm of the evidence with the change that the last halving of the grid made."""

    log_evidence: Tensor
    """log p(x) in nats, ``[B]``."""
    change: Tensor
    """|fine grid - coarse grid| in nats, ``[B]``: at most the tolerance."""
    points: int
    """Points per axis of the finest grid that any example needed."""


def log_evidence(
    log_likelihood: LogLikelihood,
    x: Tensor,
    latent_size: int,
    *,
    tolerance: float = 1e-4,
    half_width: float = 8.0,
    points: int = 101,
    max_points: int = 1601,
) -> Evidence:
    """Compute log p(x) by a uniform grid over z, halved until two grids agree.

    For a smooth decoder the error falls faster than any power of the step (Poisson summation), so
    the change at the last halving is a generous bound of what is left. It is evidence, not proof: a
    spike that both grids step over stays unseen. `measure_gap` catches that where the lower bound
    sees the spike.

    Args:
        log_likelihood: the decoder, see the top of this module.
        x: data, ``[B, D]``.
        latent_size: number of latent dimensions, 1 or 2.
        tolerance: how far, in nats, two grids may differ.
        half_width: the grid covers [-half_width, half_width] in each dimension.
        points: points per axis of the first grid, odd or even.
        max_points: no grid gets more points per axis than this.

    Returns:
        ``Evidence`` with values ``[B]`` in nats.

    Raises:
        ValueError: the latent size is not 1 or 2, x is not ``[B, D]``, or the decoder returns
            another shape, NaN or plus infinity.
        UncertifiedEvidenceError: two grids disagree at ``max_points``, or the posterior
            reaches the edge of the grid.

    With p(x|z) = N(z, 1) the evidence is N(0, 2):

    >>> x = torch.tensor([[1.0]], dtype=torch.float64)
    >>> found = log_evidence(lambda x, z: gaussian_log_likelihood(x, z, 1.0), x, latent_size=1)
    >>> round(found.log_evidence.item(), 6), found.points
    (-1.515512, 201)
    """
    _require_grid_size(latent_size, max_points)
    if x.ndim != 2:
        raise ValueError(f"x has shape {list(x.shape)}; expected [B, D], one row an example")
    if not 2 <= points <= max_points:
        raise ValueError(f"points = {points}; expected at least 2 and at most {max_points}")
    step = 2 * half_width / (points - 1)
    corner = torch.arange(points, dtype=x.dtype, device=x.device) * step - half_width

    # Halving the step adds the same grid again, shifted by half a step along some of the axes.
    def mass(rows: Tensor, shift: tuple[float, ...]) -> Tensor:
        axes = [corner + step * part for part in shift]
        grid = torch.cartesian_prod(*axes).reshape(-1, latent_size)
        return _log_sums(log_likelihood, rows, grid, edge=half_width - 1)

    before, value = torch.zeros_like(x[:, 0]), torch.zeros_like(x[:, 0])
    open_rows = torch.arange(len(x), device=x.device)  # the examples not yet certified
    sums = mass(x, (0.0,) * latent_size)  # [2, B]: the whole grid, and its outermost shell
    _refuse_impossible(sums[0])
    coarse = sums[0] + latent_size * math.log(step)
    while True:
        rows = x[open_rows]
        for shift in product((0.0, 0.5), repeat=latent_size):
            if any(shift):
                sums = torch.logaddexp(sums, mass(rows, shift))
        step, points = step / 2, 2 * points - 1
        corner = torch.arange(points, dtype=x.dtype, device=x.device) * step - half_width
        fine = sums[0] + latent_size * math.log(step)
        before[open_rows], value[open_rows] = coarse, fine
        done = (fine - coarse).abs() <= tolerance
        _refuse_edge(sums[:, done], open_rows[done], half_width, tolerance)
        open_rows, coarse, sums = open_rows[~done], fine[~done], sums[:, ~done]
        if not len(open_rows):
            return Evidence(value, (value - before).abs(), points)
        if 2 * points - 1 > max_points:
            _refuse_edge(sums, open_rows, half_width, tolerance)
            worst = int(open_rows[(value - before)[open_rows].abs().argmax()])
            raise UncertifiedEvidenceError(
                f"the grids of {(points + 1) // 2} and {points} points per axis disagree for "
                f"x[{worst}]: log p(x) = {before[worst].item():.6g} and {value[worst].item():.6g}; "
                f"expected agreement within {tolerance:g} nats. The posterior is narrower than the "
                "grid, or the decoder has kinks: raise max_points, or train with tanh or "
                "softplus in place of ReLU"
            )


def _require_grid_size(latent_size: int, max_points: int) -> None:
    if latent_size not in (1, 2):
        nodes = f", and {max_points}^{latent_size} is too many nodes" if latent_size > 2 else ""
        raise ValueError(
            f"the latent size is {latent_size}; the grid takes 1 or 2 latent dimensions{nodes}: "
            "use vaedocs.tighter_bounds.importance_weighted, a lower bound with a standard error"
        )


def log_prior(z: Tensor) -> Tensor:
    """Log-density of N(0, I) at z in nats, ``[..., M] -> [...]``.

    >>> round(log_prior(torch.zeros(2)).item(), 4)
    -1.8379
    """
    return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)


def _log_sums(log_likelihood: LogLikelihood, x: Tensor, grid: Tensor, edge: float) -> Tensor:
    """Log of the sum of p(x|z) p(z) over the grid, and over its outermost shell: ``[2, B]``."""
    sums = x.new_full((2, len(x)), -math.inf)
    size = max(1, ELEMENTS_AT_ONCE // max(1, x.numel()))
    for z in grid.split(size):
        joint = evaluate(log_likelihood, x, z[None]) + log_prior(z)
        outer = z.abs().amax(-1) > edge
        sums[0] = torch.logaddexp(sums[0], joint.logsumexp(-1))
        if bool(outer.any()):
            sums[1] = torch.logaddexp(sums[1], joint[:, outer].logsumexp(-1))
    return sums


def evaluate(log_likelihood: LogLikelihood, x: Tensor, z: Tensor) -> Tensor:
    """log p(x|z) of x ``[B, D]`` at z ``[1 or B, S, M]``: ``[B, S]``, shape and values checked."""
    found = log_likelihood(x[:, None, :], z)
    expected = (len(x), z.shape[1])
    if found.shape != expected:
        raise ValueError(
            f"log_likelihood gave shape {list(found.shape)} for x {[len(x), 1, x.shape[1]]} and z "
            f"{list(z.shape)}; expected {list(expected)}: one number for each example and point"
        )
    bad = found.isnan() | (found == math.inf)
    if bool(bad.any()):
        row, column = (int(i) for i in bad.nonzero()[0])
        where = z.expand(len(x), -1, -1)[row, column].tolist()
        raise ValueError(
            f"log_likelihood gave {found[row, column].item()} for x[{row}] at z = {where}; "
            "expected a finite number or minus infinity: are the data inside the domain?"
        )
    return found


def _refuse_impossible(sums: Tensor) -> None:
    bad = sums == -math.inf
    if bool(bad.any()):
        raise ValueError(
            f"p(x|z) = 0 at every point of the grid for x[{int(bad.nonzero()[0])}]; expected a "
            "positive value somewhere: are the data inside the domain of the likelihood?"
        )


def _refuse_edge(sums: Tensor, rows: Tensor, half_width: float, tolerance: float) -> None:
    """Refuse examples whose posterior mass in the outermost shell is not negligible."""
    share = (sums[1] - sums[0]).exp()
    bad = ~(share <= tolerance)
    if bool(bad.any()):
        first = int(bad.nonzero()[0])
        raise UncertifiedEvidenceError(
            f"{share[first].item():.3g} of the mass found for x[{int(rows[first])}] lies within 1 "
            f"of the edge of the grid; expected at most {tolerance:g}: raise half_width, which is "
            f"{half_width:g}"
        )


def gauss_hermite_under_prior(
    log_likelihood: LogLikelihood, x: Tensor, latent_size: int, points: int
) -> Tensor:
    """Estimate log p(x), ``[B]``, by Gauss-Hermite quadrature with the prior as the weight.

    Shown because it looks like the natural choice and is not: its nodes lie where the *prior* has
    its mass, and a sharp posterior falls between them. Not used by anything else.

    >>> x = torch.tensor([[1.0]], dtype=torch.float64)
    >>> wide = gauss_hermite_under_prior(lambda x, z: gaussian_log_likelihood(x, z, 1.0), x, 1, 40)
    >>> round(wide.item(), 6)
    -1.515512
    """
    import numpy as np

    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    with np.errstate(divide="ignore"):  # far weights may be 0 in float64; their log is -inf
        log_weights = torch.as_tensor(np.log(weights / weights.sum()), dtype=x.dtype)
    axis = torch.as_tensor(nodes, dtype=x.dtype)
    grid = torch.cartesian_prod(*[axis] * latent_size).reshape(-1, latent_size)
    tensor_weights = torch.cartesian_prod(*[log_weights] * latent_size).reshape(-1, latent_size)
    log_weight = tensor_weights.sum(-1)
    total = x.new_full((len(x),), -math.inf)
    size = max(1, ELEMENTS_AT_ONCE // max(1, x.numel()))
    for z, w in zip(grid.split(size), log_weight.split(size), strict=True):
        total = torch.logaddexp(total, (evaluate(log_likelihood, x, z[None]) + w).logsumexp(-1))
    return total


def elbo(
    log_likelihood: LogLikelihood, x: Tensor, mean: Tensor, log_variance: Tensor, points: int = 71
) -> Tensor:
    """The lower bound of q = N(mean, diag(exp(log_variance))) for each x, without sampling noise.

    The expectation under q is a uniform grid in the noise (latent size 1 or 2, ``points`` per
    axis on [-7, 7]), which is differentiable in ``mean`` and ``log_variance``. Exact for a
    linear decoder; for a smooth one the error falls faster than any power of the step.

    Args:
        log_likelihood: the decoder, see the top of this module.
        x: data, ``[B, D]``.
        mean: ``[B, M]``.
        log_variance: ``[B, M]``.
        points: grid points per latent dimension.

    Returns:
        Nats, ``[B]``.

    Raises:
        ValueError: shapes differ, or the latent size is not 1 or 2.

    >>> x, mean, variance = (torch.tensor([[v]], dtype=torch.float64) for v in (1.0, 0.2, 0.81))
    >>> decoder = lambda x, z: gaussian_log_likelihood(x, z, 1.0)
    >>> round(elbo(decoder, x, mean, variance.log()).item(), 6)
    -1.674299
    """
    _require_grid_size(mean.shape[-1], points)
    noise, weight = _standard_normal_grid(points, mean)
    rows = max(1, ELEMENTS_AT_ONCE // (len(noise) * x.shape[1]))
    expected = []
    for part in zip(x.split(rows), mean.split(rows), log_variance.split(rows), strict=True):
        z = sample(part[1][:, None, :], part[2][:, None, :], noise[None])
        expected.append((weight * evaluate(log_likelihood, part[0], z)).sum(-1))
    return torch.cat(expected) - diagonal_to_standard_normal(mean, log_variance)


def _standard_normal_grid(points: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes ``[S, M]`` and weights ``[S]``, of sum one, of a uniform grid under N(0, I)."""
    axis = torch.linspace(-7, 7, points, dtype=like.dtype, device=like.device)
    size = like.shape[-1]
    noise = torch.cartesian_prod(*[axis] * size).reshape(-1, size)
    return noise, torch.softmax(log_prior(noise), 0)


def posterior_moments(
    log_likelihood: LogLikelihood,
    x: Tensor,
    latent_size: int,
    *,
    half_width: float = 8.0,
    points: int = 201,
) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of the exact posterior p(z|x) on a uniform grid, ``[B, M]`` each.

    >>> x = torch.tensor([[1.0]], dtype=torch.float64)
    >>> mean, log_variance = posterior_moments(
    ...     lambda x, z: gaussian_log_likelihood(x, z, 1.0), x, latent_size=1
    ... )
    >>> round(mean.item(), 6), round(log_variance.exp().item(), 6)
    (0.5, 0.5)
    """
    _require_grid_size(latent_size, points)
    axis = torch.linspace(-half_width, half_width, points, dtype=x.dtype, device=x.device)
    grid = torch.cartesian_prod(*[axis] * latent_size).reshape(-1, latent_size)
    rows = max(1, ELEMENTS_AT_ONCE // (len(grid) * x.shape[1]))
    means, log_variances = [], []
    for part in x.split(rows):
        joint = evaluate(log_likelihood, part, grid[None]) + log_prior(grid)
        weight = torch.softmax(joint, -1)  # [B, S]
        mean = weight @ grid
        spread = (weight[..., None] * (grid - mean[:, None]).square()).sum(1)
        # A posterior narrower than the step has no spread on the grid; the step is the least it is.
        least = (2 * half_width / (points - 1)) ** 2 / 12
        means.append(mean)
        log_variances.append(spread.clamp_min(least).log())
    return torch.cat(means), torch.cat(log_variances)


def best_diagonal_gaussian(
    log_likelihood: LogLikelihood,
    x: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    *,
    steps: int = 100,
    points: int = 29,
) -> tuple[Tensor, Tensor]:
    """Raise the lower bound of each x by itself, starting at the given q; never lower it.

    L-BFGS over the two parameters of every example together, in the coordinates in which the start
    is N(0, I), because there the curvature is near one for every example. The search uses a coarser
    grid (``points`` per axis) than the comparison with the start.

    Returns:
        Mean and log-variance, ``[B, M]`` each. A local optimum: start in more than one place.

    >>> x = torch.tensor([[1.0]], dtype=torch.float64)
    >>> start = torch.zeros(1, 1, dtype=torch.float64)
    >>> mean, log_variance = best_diagonal_gaussian(
    ...     lambda x, z: gaussian_log_likelihood(x, z, 1.0), x, start, start
    ... )
    >>> round(mean.item(), 5), round(log_variance.exp().item(), 5)
    (0.5, 0.5)
    """
    mean, log_variance = mean.detach(), log_variance.detach()
    offset = torch.zeros_like(mean).requires_grad_()
    growth = torch.zeros_like(mean).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [offset, growth],
        max_iter=steps,
        tolerance_grad=1e-9,
        tolerance_change=1e-12,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def moved() -> tuple[Tensor, Tensor]:
        return mean + torch.exp(0.5 * log_variance) * offset, log_variance + growth

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = -elbo(log_likelihood, x, *moved(), points).sum()
        torch.autograd.backward(value, inputs=[offset, growth])
        return value

    optimiser.step(loss)
    with torch.no_grad():
        found_mean, found_log_variance = moved()
        better = elbo(log_likelihood, x, *moved()) >= elbo(log_likelihood, x, mean, log_variance)
        keep = better[:, None]
        return (
            torch.where(keep, found_mean, mean),
            torch.where(keep, found_log_variance, log_variance),
        )


class Gap(NamedTuple):
    """The gap between log p(x) and the lower bound and its two parts, in nats, ``[B]`` each."""

    log_evidence: Tensor
    """log p(x), certified."""
    best: Tensor
    """The lower bound of the best diagonal Gaussian found for this x."""
    elbo: Tensor
    """The lower bound of the encoder's q."""
    change: Tensor
    """What the last halving of the grid changed."""

    @property
    def total(self) -> Tensor:
        """log p(x) - ELBO = KL(q || p(z|x)): amortisation + family."""
        return self.log_evidence - self.elbo

    @property
    def amortisation(self) -> Tensor:
        """What a free mean and variance for this x would win over the encoder's."""
        return self.best - self.elbo

    @property
    def family(self) -> Tensor:
        """What remains, because the posterior is not a diagonal Gaussian."""
        return self.log_evidence - self.best


def measure_gap(
    log_likelihood: LogLikelihood,
    x: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    *,
    tolerance: float = 1e-4,
    max_points: int = 1601,
) -> Gap:
    """Split log p(x) - ELBO into the amortisation gap and the family gap, example by example.

    The best q is searched from two starts, the encoder's q and the moments of the exact posterior;
    it is a local optimum, so the amortisation gap is a lower bound and the family gap an upper one.

    Args:
        log_likelihood: the decoder, see the top of this module.
        x: data, ``[B, D]``.
        mean: the encoder's means, ``[B, M]``, M at most 2.
        log_variance: the encoder's log-variances, ``[B, M]``.
        tolerance: handed to `log_evidence`.
        max_points: handed to `log_evidence`.

    Raises:
        ValueError: as `log_evidence`.
        UncertifiedEvidenceError: as `log_evidence`, or a lower bound lies above the evidence,
            which means that the grid stepped over a narrow peak.
    """
    with torch.no_grad():
        evidence = log_evidence(
            log_likelihood, x, mean.shape[-1], tolerance=tolerance, max_points=max_points
        )
        bound = elbo(log_likelihood, x, mean, log_variance)
        starts = [
            (mean, log_variance),
            posterior_moments(log_likelihood, x, mean.shape[-1]),
        ]
    best = bound
    for start in starts:
        found = best_diagonal_gaussian(log_likelihood, x, *start)
        with torch.no_grad():
            best = torch.maximum(best, elbo(log_likelihood, x, *found))
    _refuse_bound_above_evidence(best, evidence, tolerance)
    return Gap(evidence.log_evidence, best, bound, evidence.change)


def _refuse_bound_above_evidence(bound: Tensor, evidence: Evidence, tolerance: float) -> None:
    bad = ~(bound <= evidence.log_evidence + tolerance)
    if bool(bad.any()):
        row = int(bad.nonzero()[0])
        raise UncertifiedEvidenceError(
            f"the lower bound of x[{row}] is {bound[row].item():.6g} nats, above log p(x) = "
            f"{evidence.log_evidence[row].item():.6g} of the grid of {evidence.points} points per "
            "axis; expected it below: the grid stepped over a narrow peak. Start with more points"
        )


# The model of the page: a known decoder, so that the truth is known, and an encoder fitted to it.

VARIANCE = 0.05  # c, the variance of x given z


class Example(NamedTuple):
    """A known decoder from two latent variables to three data dimensions, with data drawn from it.

    The encoder is fitted to the decoder on 300 draws; ``x`` holds 60 others.
    """

    log_likelihood: LogLikelihood
    encoder: Encoder
    x: Tensor


def decoder_log_likelihood(activation: Callable[[Tensor], Tensor] = torch.tanh) -> LogLikelihood:
    """The decoder of the page: 8 hidden units with seeded weights, Gaussian noise of variance c.

    >>> x, z = torch.zeros(4, 1, 3).double(), torch.zeros(1, 5, 2).double()
    >>> decoder_log_likelihood()(x, z).shape
    torch.Size([4, 5])
    """
    decode = _decoder(activation)
    return lambda x, z: gaussian_log_likelihood(x, decode(z), VARIANCE)


def _decoder(activation: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    seed = torch.Generator().manual_seed(5)
    inner = 1.2 * torch.randn(8, 2, generator=seed, dtype=torch.float64)
    bias = 0.7 * torch.randn(8, generator=seed, dtype=torch.float64)
    outer = torch.randn(3, 8, generator=seed, dtype=torch.float64) / math.sqrt(8)
    return lambda z: activation(z @ inner.T + bias) @ outer.T


@cache
def example() -> Example:
    """Draw data from the decoder, fit an encoder of 8 hidden units to 300 of them."""
    decode, log_likelihood = _decoder(torch.tanh), decoder_log_likelihood()
    seed = torch.Generator().manual_seed(0)
    z = torch.randn(360, 2, generator=seed, dtype=torch.float64)
    noise = torch.randn(360, 3, generator=seed, dtype=torch.float64)
    x = decode(z) + math.sqrt(VARIANCE) * noise
    seen, unseen = x[:300], x[300:]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = Encoder(data=3, latent=2, layers=(8,)).double()
    optimiser = torch.optim.LBFGS(
        encoder.parameters(), max_iter=150, history_size=30, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        mean, log_variance = encoder(seen)
        value = -elbo(log_likelihood, seen, mean, log_variance, points=11).mean()
        torch.autograd.backward(value)
        return value

    optimiser.step(loss)
    return Example(log_likelihood, encoder.requires_grad_(False), unseen)


@cache
def example_gap() -> Gap:
    """The gap of the example's encoder on its 60 unseen points."""
    log_likelihood, encoder, x = example()
    return measure_gap(log_likelihood, x, *encoder(x), tolerance=1e-7)


class Summary(NamedTuple):
    """Means over the unseen points of the example, in nats."""

    log_evidence: float
    elbo: float
    total: float
    amortisation: float
    family: float
    smallest_gap: float
    largest_gap: float
    largest_change: float
    amortisation_share: float


@cache
def summary() -> Summary:
    """The numbers of the page: the gap of the example, averaged over its 60 unseen points."""
    gap = example_gap()
    return Summary(
        gap.log_evidence.mean().item(),
        gap.elbo.mean().item(),
        gap.total.mean().item(),
        gap.amortisation.mean().item(),
        gap.family.mean().item(),
        gap.total.min().item(),
        gap.total.max().item(),
        gap.change.max().item(),
        (gap.amortisation.mean() / gap.total.mean()).item(),
    )


AXIS_POINTS = (11, 21, 31, 41, 61, 81, 121, 161, 241)


@cache
def rule_errors() -> dict[str, list[float]]:
    """Largest error in nats over 10 points of three rules, by points per axis (``AXIS_POINTS``).

    The uniform grid on a tanh decoder, the same on a ReLU decoder with the same weights, and
    Gauss-Hermite under the prior on the tanh decoder.
    """
    x = example().x[:10]
    tanh, relu = decoder_log_likelihood(), decoder_log_likelihood(torch.relu)

    def uniform(log_likelihood: LogLikelihood, points: int) -> Tensor:
        axis = torch.linspace(-8, 8, points, dtype=x.dtype)
        sums = _log_sums(log_likelihood, x, torch.cartesian_prod(axis, axis), edge=7.0)
        return sums[0] + 2 * math.log(16 / (points - 1))

    smooth, kinked = uniform(tanh, 641), uniform(relu, 1601)
    rules: dict[str, Callable[[int], Tensor]] = {
        "uniform, tanh": lambda n: uniform(tanh, n) - smooth,
        "uniform, ReLU": lambda n: uniform(relu, n) - kinked,
        "Gauss-Hermite, tanh": lambda n: gauss_hermite_under_prior(tanh, x, 2, n) - smooth,
    }
    return {
        name: [error(n).abs().max().item() for n in AXIS_POINTS] for name, error in rules.items()
    }


class RuleErrors(NamedTuple):
    """Largest errors in nats of the three rules with 81 points per axis."""

    uniform: float
    relu: float
    gauss_hermite: float


def errors_at_81() -> RuleErrors:
    """The three errors that the page quotes."""
    at = AXIS_POINTS.index(81)
    return RuleErrors(*(errors[at] for errors in rule_errors().values()))


def figure_rules() -> Figure:
    """Error of three quadrature rules against the number of points per axis."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.4)
    styles = (("blue", "o"), ("orange", "s"), ("purple", "^"))
    for (name, errors), (colour, marker) in zip(rule_errors().items(), styles, strict=True):
        floor = [max(e, 1e-14) for e in errors]
        ax.semilogy(AXIS_POINTS, floor, marker=marker, color=COLOURS[colour], label=name)
    ax.axhline(1e-4, color=COLOURS["muted"], linewidth=1, linestyle="--")
    ax.set(xlabel="points per axis", ylabel="largest error in nats", xscale="log")
    ax.set_xticks([11, 21, 41, 81, 161], ["11", "21", "41", "81", "161"])
    ax.minorticks_off()
    ax.legend(loc="lower left")
    return figure


def figure_posteriors() -> Figure:
    """Two exact posteriors with the encoder's Gaussian and the best diagonal one."""
    from matplotlib.patches import Ellipse

    from vaedocs.drawing import COLOURS, axes

    model, gap = example(), example_gap()
    chosen = [int(gap.family.argmax()), int(gap.amortisation.argmax())]
    x = model.x[chosen]
    starts = [
        model.encoder(x),
        posterior_moments(model.log_likelihood, x, 2),
    ]
    fits = [best_diagonal_gaussian(model.log_likelihood, x, *start) for start in starts]
    with torch.no_grad():
        heights = torch.stack([elbo(model.log_likelihood, x, *fit) for fit in fits])
    horizontal = torch.linspace(-4.2, 3.4, 181, dtype=torch.float64)
    vertical = torch.linspace(-3.2, 2.2, 136, dtype=torch.float64)
    grid = torch.cartesian_prod(horizontal, vertical)
    figure, panels = axes(height=3.2, columns=2, sharey=True)
    for column, (ax, row) in enumerate(zip(panels, chosen, strict=True)):
        best = fits[int(heights[:, column].argmax())]
        joint = model.log_likelihood(x[column : column + 1, None], grid[None])[0] + log_prior(grid)
        density = (joint - gap.log_evidence[row]).exp().reshape(181, 136).T
        top = density.max().item()
        for level in (0.02, 0.1, 0.25, 0.5, 0.75):
            ax.contourf(
                horizontal,
                vertical,
                density,
                levels=[level * top, top * 1.01],
                colors=[COLOURS["blue"]],
                alpha=0.18,
            )
        gaussians = {
            "orange": (starts[0][0][column], starts[0][1][column]),
            "green": (best[0][column], best[1][column]),
        }
        for colour, (mean, log_variance) in gaussians.items():
            # The ellipse of two standard deviations.
            width, height = (4 * torch.exp(0.5 * log_variance)).tolist()
            ax.add_patch(
                Ellipse(
                    (mean[0].item(), mean[1].item()),
                    width,
                    height,
                    fill=False,
                    linewidth=2,
                    edgecolor=COLOURS[colour],
                )
            )
        ax.set(
            xlabel="$z_1$",
            title=f"amortisation {gap.amortisation[row].item():.2f}\n"
            f"family {gap.family[row].item():.2f} nats",
            aspect="equal",
        )
    panels[0].set_ylabel("$z_2$")
    panels[1].text(-3.4, 1.2, "encoder", color=COLOURS["orange"])
    panels[1].text(1.0, -1.4, "best", color=COLOURS["green"])
    return figure


def figure_split() -> Figure:
    """The gap of each unseen point as a bar: the amortisation part on the family part."""
    from vaedocs.drawing import COLOURS, axes

    gap = example_gap()
    order = gap.total.argsort(descending=True)
    family, amortisation = gap.family[order].tolist(), gap.amortisation[order].tolist()
    figure, ax = axes(height=3.2)
    place = range(len(order))
    ax.bar(place, family, color=COLOURS["green"], width=0.85, label="family gap")
    ax.bar(
        place,
        amortisation,
        bottom=family,
        color=COLOURS["orange"],
        width=0.85,
        label="amortisation gap",
    )
    ax.set(xlabel="60 unseen points, by their gap", ylabel="log p(x) - ELBO, nats", xticks=[])
    ax.legend(loc="upper right")
    return figure
