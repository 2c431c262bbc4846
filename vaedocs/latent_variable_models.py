"""Bayes' rule and models with a latent variable: prior, likelihood, evidence, posterior.

Two kinds of model have exact answers, and they are the ground on which everything
later is tested: a latent variable with finitely many values, and a linear decoder
with Gaussian noise. All logarithms are natural, all log-densities in nats.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs.domains import (
    require_finite,
    require_matching,
    require_positive,
    require_probabilities,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXAMPLE_WEIGHT, EXAMPLE_VARIANCE, EXAMPLE_X = 2.0, 1.0, 3.0
"""The running example of pages 6 to 11: p(z) = N(0, 1), p(x|z) = N(2 z, 1), observed x = 3."""


def finite_posterior(prior: Tensor, likelihood: Tensor) -> tuple[Tensor, Tensor]:
    """Evidence and posterior where the latent variable takes K values.

    Args:
        prior: p(z), probabilities, ``[K]``.
        likelihood: p(x|z) of the observed x for each z, ``[..., K]``; a density may
            exceed 1.

    Returns:
        The evidence p(x), ``[...]``, and the posterior p(z|x), ``[..., K]``.

    Raises:
        ValueError: ``prior`` does not sum to one, or ``likelihood`` is not positive
            and finite.

    >>> prior, likelihood = torch.tensor([0.75, 0.25]), torch.tensor([0.2, 0.6])
    >>> evidence, posterior = finite_posterior(prior, likelihood)
    >>> round(evidence.item(), 4), posterior
    (0.3, tensor([0.5000, 0.5000]))
    """
    require_probabilities(prior, "prior")
    require_positive(likelihood, "likelihood")
    require_matching(prior, likelihood, ("prior", "likelihood"))
    joint = prior * likelihood
    evidence = joint.sum(-1)
    return evidence, joint / evidence[..., None]


def linear_gaussian_posterior(
    x: Tensor, weight: Tensor, offset: Tensor, variance: Tensor | float
) -> tuple[Tensor, Tensor]:
    """Mean and covariance of p(z|x) for p(z) = N(0, I) and p(x|z) = N(W z + b, c I).

    The precision is ``I + W^T W / c``; it does not depend on x.
    Tipping & Bishop (1999), section 3; Bishop (2006), section 2.3.3.

    Args:
        x: ``[..., N]``.
        weight: W, ``[N, M]``.
        offset: b, ``[N]``.
        variance: c, one positive number.

    Returns:
        Mean ``[..., M]`` and covariance ``[M, M]``.

    Raises:
        ValueError: shapes that do not fit, or a variance that is not positive.

    >>> one = torch.ones(1, 1)
    >>> linear_gaussian_posterior(3 * one[0], 2 * one, 0 * one[0], 1.0)
    (tensor([1.2000]), tensor([[0.2000]]))
    """
    c = _require_linear(x, weight, offset, variance)
    latent = weight.shape[1]
    identity = torch.eye(latent, dtype=weight.dtype, device=weight.device)
    covariance = torch.linalg.inv(identity + weight.mT @ weight / c)
    return (x - offset) @ weight @ covariance / c, covariance


def linear_gaussian_log_evidence(
    x: Tensor, weight: Tensor, offset: Tensor, variance: Tensor | float
) -> Tensor:
    """Log p(x) for p(z) = N(0, I), p(x|z) = N(W z + b, c I): N(b, W W^T + c I).

    Arguments and errors as in :func:`linear_gaussian_posterior`. Nats, ``[...]``.
    Tipping & Bishop (1999), section 3.

    >>> one = torch.ones(1, 1)
    >>> linear_gaussian_log_evidence(3 * one[0], 2 * one, 0 * one[0], 1.0)
    tensor(-2.6237)
    """
    c = _require_linear(x, weight, offset, variance)
    identity = torch.eye(weight.shape[0], dtype=weight.dtype, device=weight.device)
    factor = torch.linalg.cholesky(weight @ weight.mT + c * identity)
    centred = (x - offset)[..., None]
    whitened = torch.linalg.solve_triangular(factor, centred, upper=False)
    log_determinant = 2 * factor.diagonal().log().sum()
    constant = weight.shape[0] * math.log(2 * math.pi)
    squared = whitened.square().sum((-2, -1))
    return torch.as_tensor(-0.5 * (squared + log_determinant + constant))


def _require_linear(x: Tensor, weight: Tensor, offset: Tensor, variance: Tensor | float) -> Tensor:
    c = torch.as_tensor(variance, dtype=weight.dtype, device=weight.device)
    require_finite(weight, "weight")
    require_positive(c, "variance")
    if weight.ndim != 2:
        raise ValueError(
            f"weight has shape {list(weight.shape)}; expected [N, M], data by latent dimensions"
        )
    if c.ndim:
        raise ValueError(f"variance has shape {list(c.shape)}; expected one number c")
    for name, vector in (("x", x), ("offset", offset)):
        if vector.ndim == 0 or vector.shape[-1] != weight.shape[0]:
            raise ValueError(
                f"{name} has shape {list(vector.shape)}; expected a last dimension of "
                f"{weight.shape[0]}, as weight has shape {list(weight.shape)}"
            )
    return c


def grid_log_evidence(log_joint: Tensor, grid: Tensor) -> Tensor:
    """Log p(x) from log p(x, z) on an even grid of one latent variable, by the trapezoid rule.

    For a smooth joint density that is negligible at both ends this converges faster
    than any power of the spacing. It is the honest way for one latent variable, and
    hopeless for twenty.

    Args:
        log_joint: log p(x, z) at the points of the grid, ``[..., G]``, nats.
        grid: increasing, evenly spaced, ``[G]``.

    Raises:
        ValueError: the grid is not even and increasing, or the shapes do not match.

    >>> grid = torch.linspace(-8, 8, 201, dtype=torch.float64)
    >>> standard_normal = -0.5 * grid.square() - 0.5 * math.log(2 * math.pi)
    >>> abs(grid_log_evidence(standard_normal, grid).item()) < 1e-12
    True
    """
    require_matching(log_joint, grid, ("log_joint", "grid"))
    steps = grid.diff()
    spacing = (grid[-1] - grid[0]) / (len(grid) - 1)
    if not bool(((steps - spacing).abs() < 1e-6 * spacing.abs()).all() and spacing > 0):
        raise ValueError("grid is not evenly spaced and increasing: use torch.linspace")
    ends = torch.zeros_like(grid)
    ends[[0, -1]] = math.log(2)  # the trapezoid rule counts both ends by half
    return torch.logsumexp(log_joint - ends, -1) + spacing.log()


def prior_sampling_relative_variance(x: Tensor, weight: Tensor, variance: Tensor) -> Tensor:
    """Relative variance of the estimate p(x|z) of p(x) from one z of the prior.

    For p(z) = N(0, 1) and p(x|z) = N(w z, c), scalar and elementwise. The average
    of K draws has 1/K of it, so K must be this number times 100 for a relative
    error of a tenth. For M independent copies, one plus the relative variance is a
    product of M such factors.

    Raises:
        ValueError: ``variance`` is not positive.

    >>> one = torch.tensor(1.0)
    >>> round(prior_sampling_relative_variance(one, one, 0.01 * one).item(), 2)
    10.66
    """
    require_positive(variance, "variance")
    # The squared likelihood is a Gaussian bump of variance c/2, times a factor.
    factor = 1 / (2 * (math.pi * variance).sqrt())
    second_moment = factor * _normal(x, weight.square() + variance / 2)
    return second_moment / _normal(x, weight.square() + variance).square() - 1


def _normal(x: Tensor, variance: Tensor) -> Tensor:
    return torch.exp(-0.5 * x.square() / variance) / (2 * math.pi * variance).sqrt()


# ---------------------------------------------------------------- numbers and figures of the page


class Example(NamedTuple):
    """The running example: what is inferred from x = 3, and what is inferred without a prior."""

    weight: float
    variance: float
    x: float
    posterior_mean: float
    posterior_variance: float
    log_evidence: float
    evidence: float
    without_prior_mean: float
    without_prior_mass: float


def example() -> Example:
    """Posterior and evidence of the running example, with what forgetting the prior gives.

    >>> print(round(example().posterior_mean, 6), round(example().without_prior_mean, 6))
    1.2 1.5
    """
    w, c = EXAMPLE_WEIGHT, EXAMPLE_VARIANCE
    x = torch.tensor([EXAMPLE_X], dtype=torch.float64)
    weight, offset = torch.full((1, 1), w, dtype=x.dtype), torch.zeros_like(x)
    mean, covariance = linear_gaussian_posterior(x, weight, offset, c)
    log_evidence = linear_gaussian_log_evidence(x, weight, offset, c).item()
    # As a function of z, N(3; 2z, 1) is a Gaussian bump at 3/2 whose integral is 1/2, not 1.
    grid = torch.linspace(-8, 8, 2001, dtype=x.dtype)
    likelihood = _normal(x - w * grid, torch.tensor(c, dtype=x.dtype))
    mass = torch.trapezoid(likelihood, grid)
    return Example(
        w,
        c,
        EXAMPLE_X,
        mean.item(),
        covariance.item(),
        log_evidence,
        math.exp(log_evidence),
        (torch.trapezoid(grid * likelihood, grid) / mass).item(),
        (mass / math.exp(log_evidence)).item(),
    )


class Diagnosis(NamedTuple):
    """A test for a rare condition: what a positive result means with and without the prior."""

    prior: float
    sensitivity: float
    false_alarm: float
    evidence: float
    posterior: float
    without_prior: float
    false_per_true: float
    overstated: float


def diagnosis() -> Diagnosis:
    """A condition that one person in a hundred has, and a test that is right nine times in ten.

    >>> round(diagnosis().posterior, 4)
    0.0833
    """
    prior = torch.tensor([0.99, 0.01], dtype=torch.float64)
    positive = torch.tensor([0.1, 0.9], dtype=torch.float64)
    evidence, posterior = finite_posterior(prior, positive)
    without_prior = positive / positive.sum()
    return Diagnosis(
        prior[1].item(),
        positive[1].item(),
        positive[0].item(),
        evidence.item(),
        posterior[1].item(),
        without_prior[1].item(),
        (posterior[0] / posterior[1]).item(),
        (without_prior[1] / posterior[1]).item(),
    )


def repeated_diagnosis() -> float:
    """The posterior after two positive tests with independent errors.

    >>> round(repeated_diagnosis(), 2)
    0.45
    """
    once = diagnosis()
    prior = torch.tensor([1 - once.posterior, once.posterior], dtype=torch.float64)
    positive = torch.tensor([once.false_alarm, once.sensitivity], dtype=torch.float64)
    return finite_posterior(prior, positive)[1][1].item()


class Cost(NamedTuple):
    """How the two naive ways to compute the evidence grow: as powers of ten."""

    points: int
    dimensions: int
    grid_power: int
    relative_variance: float
    sample_power: float


def cost() -> Cost:
    """A grid of 100 points a dimension, and draws from the prior, both in 20 dimensions.

    The draws are for 20 independent copies of w = 1, c = 0.01, x = 1, and a
    relative error of a tenth.

    >>> cost().grid_power, round(cost().sample_power, 2)
    (40, 23.33)
    """
    points, dimensions = 100, 20
    one = torch.tensor(1.0, dtype=torch.float64)
    single = prior_sampling_relative_variance(one, one, 0.01 * one).item()
    samples = ((1 + single) ** dimensions - 1) / 0.1**2
    grid_power = round(dimensions * math.log10(points))
    return Cost(points, dimensions, grid_power, single, math.log10(samples))


def figure_graph() -> Figure:
    """The model as a graph: z is drawn from the prior, then x from the likelihood."""
    from vaedocs import drawing

    figure, ax = drawing.diagram(5.6, 2.5)
    z = drawing.box(ax, 1.4, 1.35, "$z$", width=0.9, shape="circle", colour="blue", fill=0.0)
    x = drawing.box(ax, 4.2, 1.35, "$x$", width=0.9, shape="circle", colour="blue", fill=0.25)
    drawing.arrow(ax, z, x, r"$p(x\mid z)$", colour="blue", size=13)
    drawing.arrow(ax, x, z, colour="orange", bend=-0.4, dashed=True)
    ax.text(2.8, 0.5, r"$p(z\mid x)$", ha="center", color=drawing.COLOURS["orange"], size=13)
    ax.text(1.4, 0.62, "latent, $p(z)$", ha="center", color=drawing.COLOURS["ink"])
    ax.text(4.2, 0.62, "observed, $p(x)$", ha="center", color=drawing.COLOURS["ink"])
    return figure


def figure_bayes() -> Figure:
    """Prior, likelihood as a function of z, and exact posterior of the running example."""
    from vaedocs import drawing

    answer = example()
    z = torch.linspace(-3, 3.6, 400, dtype=torch.float64)
    prior = _normal(z, torch.ones_like(z))
    likelihood = _normal(answer.x - answer.weight * z, torch.full_like(z, answer.variance))
    posterior = prior * likelihood / answer.evidence
    figure, ax = drawing.axes(height=3.2)
    for values, colour, words, at, shift in (
        (prior, "muted", "prior $p(z)$", -2.1, 0.16),
        (likelihood, "orange", "likelihood\n$p(x\\mid z)$ at $x=3$", 2.95, 0.2),
        (posterior, "blue", "posterior\n$p(z\\mid x)$", 0.1, 0.62),
    ):
        ax.plot(z, values, color=drawing.COLOURS[colour])
        ax.text(at, shift, words, color=drawing.COLOURS[colour], ha="center", va="bottom")
    ax.fill_between(z, posterior, color=drawing.COLOURS["blue"], alpha=0.12, linewidth=0)
    ax.set(xlabel="latent variable $z$", ylabel="density", ylim=(0, 1))
    return figure
