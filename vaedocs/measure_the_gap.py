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
Parameters = tuple[Tensor, Tensor]  # mean and log-variance of a diagonal Gaussian, [B, M] each

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
    """log p(x) of x ``[B, D]`` by a uniform grid over z, halved until two grids agree.

    The grid covers [-half_width, half_width] in each of the 1 or 2 latent dimensions. It
    begins with ``points`` an axis, never has more than ``max_points``, and ends where two
    grids differ by at most ``tolerance`` nats. For a smooth decoder the error falls faster
    than any power of the step (Poisson summation). A spike that both grids step over stays
    unseen; `measure_gap` catches it where the lower bound sees it.

    Raises:
        ValueError: the latent size is not 1 or 2, x is not ``[B, D]``, or the decoder gives
            another shape, NaN or plus infinity.
        UncertifiedEvidenceError: two grids disagree at ``max_points``, or the posterior
            reaches the edge of the grid.

    With p(x|z) = N(z, 1) the evidence is N(0, 2):

    >>> x = torch.tensor([[1.0]], dtype=torch.float64)
    >>> found = log_evidence(lambda x, z: gaussian_log_likelihood(x, z, 1.0), x, 1)
    >>> round(found.log_evidence.item(), 6), found.points
    (-1.515512, 201)
    """
    _require_grid_size(latent_size, max_points)
    if x.ndim != 2:
        raise ValueError(f"x has shape {list(x.shape)}; expected [B, D], one row an example")
    if not 2 <= points <= max_points:
        raise ValueError(f"points = {points}; expected at least 2 and at most {max_points}")

    def mass(rows: Tensor, shift: tuple[float, ...]) -> Tensor:
        """The grid of ``points``, shifted along its axes by parts of a step."""
        place = torch.arange(points, dtype=x.dtype, device=x.device)
        step = 2 * half_width / (points - 1)
        axes = [(place + part) * step - half_width for part in shift]
        return _log_sums(log_likelihood, rows, _nodes(axes), edge=half_width - 1)

    def cell() -> float:
        return latent_size * math.log(2 * half_width / (points - 1))

    before, value = torch.zeros_like(x[:, 0]), torch.zeros_like(x[:, 0])
    open_rows = torch.arange(len(x), device=x.device)  # the examples not yet certified
    sums = mass(x, (0.0,) * latent_size)  # [2, B]: the whole grid, and its outermost shell
    _refuse_impossible(sums[0])
    coarse = sums[0] + cell()
    while True:
        # Half the step: the same grid again, shifted by half a step along some of the axes.
        for shift in product((0.0, 0.5), repeat=latent_size):
            if any(shift):
                sums = torch.logaddexp(sums, mass(x[open_rows], shift))
        points = 2 * points - 1
        fine = sums[0] + cell()
        before[open_rows], value[open_rows] = coarse, fine
        done = (fine - coarse).abs() <= tolerance
        _refuse_edge(sums[:, done], open_rows[done], half_width, tolerance)
        open_rows, coarse, sums = open_rows[~done], fine[~done], sums[:, ~done]
        if not len(open_rows):
            return Evidence(value, (value - before).abs(), points)
        if 2 * points - 1 > max_points:
            _refuse_edge(sums, open_rows, half_width, tolerance)
            _refuse_disagreement(before, value, points, tolerance)


def _require_grid_size(latent_size: int, max_points: int) -> None:
    if latent_size not in (1, 2):
        nodes = f", and {max_points}^{latent_size} is too many nodes" if latent_size > 2 else ""
        raise ValueError(
            f"the latent size is {latent_size}; the grid takes 1 or 2 latent dimensions{nodes}: "
            "use vaedocs.tighter_bounds.importance_weighted, a lower bound with a standard error"
        )


def _nodes(axes: list[Tensor]) -> Tensor:
    """All points of a grid from its one or two axes: ``[S, M]``."""
    return torch.cartesian_prod(*axes).reshape(-1, len(axes))


def log_prior(z: Tensor) -> Tensor:
    """Log-density of N(0, I) at z in nats, ``[..., M] -> [...]``.

    >>> round(log_prior(torch.zeros(2)).item(), 4)
    -1.8379
    """
    return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)


def _log_sums(log_likelihood: LogLikelihood, x: Tensor, grid: Tensor, edge: float) -> Tensor:
    """Log of the sum of p(x|z) p(z) over the grid, and over its outermost shell: ``[2, B]``."""
    sums = x.new_full((2, len(x)), -math.inf)
    for z in grid.split(max(1, ELEMENTS_AT_ONCE // max(1, x.numel()))):
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


def _refuse_disagreement(before: Tensor, value: Tensor, points: int, tolerance: float) -> None:
    worst = int((value - before).abs().argmax())
    raise UncertifiedEvidenceError(
        f"the grids of {(points + 1) // 2} and {points} points per axis disagree for x[{worst}]: "
        f"log p(x) = {before[worst].item():.6g} and {value[worst].item():.6g}; expected agreement "
        f"within {tolerance:g} nats. The posterior is narrower than the grid, or the decoder has "
        "kinks: raise max_points, or train with tanh or softplus in place of ReLU"
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
    from numpy.polynomial.hermite_e import hermegauss

    axis, weights = (torch.as_tensor(part, dtype=x.dtype) for part in hermegauss(points))
    log_weights = _nodes([(weights / weights.sum()).log()] * latent_size).sum(-1)
    nodes = _nodes([axis] * latent_size)
    return (evaluate(log_likelihood, x, nodes[None]) + log_weights).logsumexp(-1)


def elbo(
    log_likelihood: LogLikelihood,
    x: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    points: int = 71,
) -> Tensor:
    """The lower bound of q = N(mean, diag(exp(log_variance))) for each x, without sampling.

    x ``[B, D]`` and both parameters ``[B, M]`` give ``[B]``, nats. The expectation under q is
    a uniform grid in the noise, ``points`` an axis on [-7, 7]: differentiable, exact for a
    linear decoder, and for a smooth one its error falls faster than any power of the step.
    Raises ``ValueError`` where shapes differ or the latent size is not 1 or 2.

    >>> x, mean, variance = torch.tensor([1.0, 0.2, 0.81], dtype=torch.float64)[:, None, None]
    >>> decoder = lambda x, z: gaussian_log_likelihood(x, z, 1.0)
    >>> round(elbo(decoder, x, mean, variance.log()).item(), 6)
    -1.674299
    """
    _require_grid_size(mean.shape[-1], points)
    axis = torch.linspace(-7, 7, points, dtype=mean.dtype, device=mean.device)
    noise = _nodes([axis] * mean.shape[-1])
    weight = torch.softmax(log_prior(noise), 0)
    rows = max(1, ELEMENTS_AT_ONCE // (len(noise) * x.shape[1]))
    expected = []
    parts = (whole.split(rows) for whole in (x, mean, log_variance))
    for some, m, v in zip(*parts, strict=True):
        z = sample(m[:, None, :], v[:, None, :], noise[None])
        expected.append((weight * evaluate(log_likelihood, some, z)).sum(-1))
    return torch.cat(expected) - diagonal_to_standard_normal(mean, log_variance)


def posterior_moments(log_likelihood: LogLikelihood, x: Tensor, latent_size: int) -> Parameters:
    """Mean and log-variance of the exact posterior p(z|x) on a uniform grid, ``[B, M]`` each.

    >>> x = torch.tensor([[1.0]], dtype=torch.float64)
    >>> mean, log_variance = posterior_moments(
    ...     lambda x, z: gaussian_log_likelihood(x, z, 1.0), x, latent_size=1
    ... )
    >>> round(mean.item(), 6), round(log_variance.exp().item(), 6)
    (0.5, 0.5)
    """
    axis = torch.linspace(-8, 8, 201, dtype=x.dtype, device=x.device)
    grid = _nodes([axis] * latent_size)
    means, variances = [], []
    for part in x.split(max(1, ELEMENTS_AT_ONCE // (len(grid) * x.shape[1]))):
        joint = evaluate(log_likelihood, part, grid[None]) + log_prior(grid)
        weight = torch.softmax(joint, -1)  # [B, S]
        means.append(weight @ grid)
        spread = (grid - means[-1][:, None]).square()
        variances.append((weight[..., None] * spread).sum(1))
    # A posterior narrower than the step has no spread on the grid; the step is the least it is.
    least = float(axis[1] - axis[0]) ** 2 / 12
    return torch.cat(means), torch.cat(variances).clamp_min(least).log()


def best_diagonal_gaussian(
    log_likelihood: LogLikelihood,
    x: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    *,
    steps: int = 100,
    points: int = 29,
) -> Parameters:
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

    def moved() -> Parameters:
        return mean + torch.exp(0.5 * log_variance) * offset, log_variance + growth

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = -elbo(log_likelihood, x, *moved(), points).sum()
        torch.autograd.backward(value, inputs=[offset, growth])
        return value

    optimiser.step(loss)
    with torch.no_grad():
        return _better(log_likelihood, x, moved(), (mean, log_variance))


def _better(
    log_likelihood: LogLikelihood, x: Tensor, one: Parameters, other: Parameters
) -> Parameters:
    """For each x, whichever of two diagonal Gaussians has the higher lower bound."""
    first = (elbo(log_likelihood, x, *one) >= elbo(log_likelihood, x, *other))[:, None]
    return torch.where(first, one[0], other[0]), torch.where(first, one[1], other[1])


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
    best_q: Parameters
    """The diagonal Gaussian that has the bound ``best``."""

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
    """Split log p(x) - ELBO into amortisation gap and family gap, example by example.

    x ``[B, D]``, the encoder's parameters ``[B, M]``, M at most 2; the rest goes to
    `log_evidence`. The best q is searched from two starts, the encoder's q and the moments
    of the exact posterior. It is a local optimum, so the amortisation gap is a lower bound
    and the family gap an upper one.

    Raises:
        ValueError: as `log_evidence`.
        UncertifiedEvidenceError: as `log_evidence`, or a lower bound lies above the evidence,
            which means that the grid stepped over a narrow peak.
    """
    size = mean.shape[-1]
    with torch.no_grad():
        evidence = log_evidence(log_likelihood, x, size, tolerance=tolerance, max_points=max_points)
        bound = elbo(log_likelihood, x, mean, log_variance)
        moments = posterior_moments(log_likelihood, x, size)
    starts = ((mean, log_variance), moments)
    found = [best_diagonal_gaussian(log_likelihood, x, *start) for start in starts]
    with torch.no_grad():
        best_q = _better(log_likelihood, x, *found)
        best = elbo(log_likelihood, x, *best_q)
    _refuse_bound_above_evidence(best, evidence, tolerance)
    return Gap(evidence.log_evidence, best, bound, evidence.change, best_q)


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

LATENT, HIDDEN, DATA = 2, 8, 3  # sizes of the decoder; the encoder has as many hidden units
VARIANCE = 0.05  # c, the variance of x given z
SEEN, UNSEEN = 300, 60  # draws the encoder is fitted to, and others


class Example(NamedTuple):
    """A known decoder, an encoder fitted to ``SEEN`` draws from it, and ``UNSEEN`` other draws."""

    log_likelihood: LogLikelihood
    encoder: Encoder
    x: Tensor


def decoder_log_likelihood(activation: Callable[[Tensor], Tensor] = torch.tanh) -> LogLikelihood:
    """The decoder of the page: one hidden layer with seeded weights, Gaussian noise of variance c.

    >>> x, z = torch.zeros(4, 1, 3).double(), torch.zeros(1, 5, 2).double()
    >>> decoder_log_likelihood()(x, z).shape
    torch.Size([4, 5])
    """
    decode = _decoder(activation)
    return lambda x, z: gaussian_log_likelihood(x, decode(z), VARIANCE)


def _decoder(activation: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    seed = torch.Generator().manual_seed(5)
    inner = 1.2 * torch.randn(HIDDEN, LATENT, generator=seed, dtype=torch.float64)
    bias = 0.7 * torch.randn(HIDDEN, generator=seed, dtype=torch.float64)
    outer = torch.randn(DATA, HIDDEN, generator=seed, dtype=torch.float64) / math.sqrt(HIDDEN)
    return lambda z: activation(z @ inner.T + bias) @ outer.T


@cache
def example() -> Example:
    """Draw data from the decoder, fit an encoder to the first of them."""
    decode, log_likelihood = _decoder(torch.tanh), decoder_log_likelihood()
    seed = torch.Generator().manual_seed(0)
    z = torch.randn(SEEN + UNSEEN, LATENT, generator=seed, dtype=torch.float64)
    noise = torch.randn(SEEN + UNSEEN, DATA, generator=seed, dtype=torch.float64)
    x = decode(z) + math.sqrt(VARIANCE) * noise
    seen, unseen = x[:SEEN], x[SEEN:]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = Encoder(data=DATA, latent=LATENT, layers=(HIDDEN,)).double()
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
    """The gap of the example's encoder on its unseen points."""
    log_likelihood, encoder, x = example()
    return measure_gap(log_likelihood, x, *encoder(x), tolerance=1e-7)


def summary() -> dict[str, float]:
    """The numbers of the page in nats: the gap of the example, averaged over its unseen points."""
    gap = example_gap()
    numbers = {
        "log_evidence": gap.log_evidence.mean(),
        "elbo": gap.elbo.mean(),
        "total": gap.total.mean(),
        "amortisation": gap.amortisation.mean(),
        "family": gap.family.mean(),
        "smallest_gap": gap.total.min(),
        "largest_gap": gap.total.max(),
        "largest_change": gap.change.max(),
        "amortisation_share": gap.amortisation.mean() / gap.total.mean(),
    }
    return {name: value.item() for name, value in numbers.items()}


RULE_POINTS = 10
AXIS_POINTS = (11, 21, 31, 41, 61, 81, 121, 161, 241)


@cache
def rule_errors() -> dict[str, list[float]]:
    """Largest error in nats over a few points of three rules, by points per axis.

    The uniform grid on a tanh decoder, the same on a ReLU decoder with the same weights, and
    Gauss-Hermite under the prior on the tanh decoder.
    """
    x = example().x[:RULE_POINTS]
    tanh, relu = decoder_log_likelihood(), decoder_log_likelihood(torch.relu)

    def uniform(log_likelihood: LogLikelihood, points: int) -> Tensor:
        axis = torch.linspace(-8, 8, points, dtype=x.dtype)
        sums = _log_sums(log_likelihood, x, _nodes([axis, axis]), edge=7.0)
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


QUOTED_POINTS = 81


def errors_quoted() -> dict[str, float]:
    """The three errors that the page quotes, with ``QUOTED_POINTS`` per axis, in nats."""
    errors = [error[AXIS_POINTS.index(QUOTED_POINTS)] for error in rule_errors().values()]
    return dict(zip(("uniform", "relu", "gauss_hermite"), errors, strict=True))


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
    ax.legend(loc="lower left", frameon=False)
    return figure


def figure_posteriors() -> Figure:
    """Two exact posteriors with the encoder's Gaussian and the best diagonal one."""
    from matplotlib.patches import Ellipse

    from vaedocs.drawing import COLOURS, axes

    model, gap = example(), example_gap()
    chosen = [int(gap.family.argmax()), int(gap.amortisation.argmax())]
    candidates = {"orange": model.encoder(model.x), "green": gap.best_q}
    horizontal = torch.linspace(-4.2, 3.4, 181, dtype=torch.float64)
    vertical = torch.linspace(-3.2, 2.2, 136, dtype=torch.float64)
    grid = torch.cartesian_prod(horizontal, vertical)
    figure, panels = axes(height=3.2, columns=2, sharey=True)
    for ax, row in zip(panels, chosen, strict=True):
        joint = model.log_likelihood(model.x[row][None, None], grid[None])[0] + log_prior(grid)
        density = (joint - gap.log_evidence[row]).exp().reshape(181, 136).T
        top = density.max().item()
        for level in (0.02, 0.1, 0.25, 0.5, 0.75):
            levels, blue = [level * top, top * 1.01], [COLOURS["blue"]]
            ax.contourf(horizontal, vertical, density, levels=levels, colors=blue, alpha=0.18)
        for colour, (mean, log_variance) in candidates.items():
            # The ellipse of two standard deviations.
            width, height = (4 * torch.exp(0.5 * log_variance[row])).tolist()
            shape = Ellipse(mean[row].tolist(), width, height, fill=False, linewidth=2)
            shape.set_edgecolor(COLOURS[colour])
            ax.add_patch(shape)
        ax.set(
            xlabel="first coordinate of z",
            title=f"amortisation {gap.amortisation[row].item():.2f}\n"
            f"family {gap.family[row].item():.2f} nats",
            aspect="equal",
        )
    panels[0].set_ylabel("second coordinate")
    panels[1].text(-3.4, 1.2, "encoder", color=COLOURS["orange"])
    panels[1].text(1.0, -1.4, "best", color=COLOURS["green"])
    return figure


def figure_split() -> Figure:
    """The gap of each unseen point as a bar: the amortisation part on the family part."""
    from vaedocs.drawing import COLOURS, axes

    gap = example_gap()
    order = gap.total.argsort(descending=True)
    figure, ax = axes(height=3.2)
    below = torch.zeros(len(order))
    for part, colour, words in (
        (gap.family, "green", "family gap"),
        (gap.amortisation, "orange", "amortisation gap"),
    ):
        ax.bar(range(len(order)), part[order], 0.85, below, color=COLOURS[colour], label=words)
        below = part[order]
    words = f"{len(order)} unseen points, by their gap"
    ax.set(xlabel=words, ylabel="gap in nats", xticks=[])
    ax.legend(loc="upper right", frameon=False)
    return figure
