"""Variational inference: the best member of a family, and what the family cannot express.

The posterior of the linear Gaussian model is a Gaussian whose axes are not those of
the coordinates. That makes it the smallest model in which a diagonal family must
lose something, and everything it loses can be computed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs.domains import require_covariance
from vaedocs.kl_divergence import multivariate_gaussian
from vaedocs.latent_variable_models import linear_gaussian_posterior

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reverse_fit(covariance: Tensor) -> Tensor:
    """Variances of the diagonal Gaussian q that minimises KL(q || p), p Gaussian.

    They are one over the diagonal of the *precision* matrix: q is as narrow as p is
    along each axis with the other coordinates held fixed. The means agree. Bishop
    (2006), section 10.1.2.

    Args:
        covariance: of p, ``[..., M, M]``.

    Returns:
        Variances, ``[..., M]``.

    Raises:
        ValueError: ``covariance`` is not symmetric positive definite.

    >>> reverse_fit(torch.tensor([[1.0, 0.8], [0.8, 1.0]]))
    tensor([0.3600, 0.3600])
    """
    require_covariance(covariance, "covariance")
    precisions: Tensor = torch.linalg.inv(covariance).diagonal(dim1=-2, dim2=-1)
    return 1 / precisions


def forward_fit(covariance: Tensor) -> Tensor:
    """Variances of the diagonal Gaussian q that minimises KL(p || q), p Gaussian.

    They are the diagonal of the *covariance*: q has the marginals of p.
    Arguments and errors as in :func:`reverse_fit`. Bishop (2006), section 10.1.2.

    >>> forward_fit(torch.tensor([[1.0, 0.8], [0.8, 1.0]]))
    tensor([1., 1.])
    """
    require_covariance(covariance, "covariance")
    return covariance.diagonal(dim1=-2, dim2=-1)


def mean_field_gap(covariance: Tensor) -> Tensor:
    """The least KL(q || p) that a diagonal Gaussian q can reach, in nats.

    ``1/2 (sum_j log P_jj - log det P)`` with the precision P: zero exactly when P
    is diagonal, by Hadamard's inequality. Arguments and errors as in
    :func:`reverse_fit`.

    >>> round(mean_field_gap(torch.tensor([[1.0, 0.8], [0.8, 1.0]])).item(), 4)
    0.5108
    """
    log_determinant: Tensor = torch.linalg.slogdet(covariance).logabsdet  # of p; minus log det P
    return 0.5 * (log_determinant - reverse_fit(covariance).log().sum(-1))


# ---------------------------------------------------------------- numbers and figures of the page

WEIGHT = [[1.0, 1.0], [0.0, 1.0]]
VARIANCE = 0.5
X = [2.0, 1.0]
STRONG_CORRELATION = 0.99


def _posterior() -> tuple[Tensor, Tensor]:
    weight = torch.tensor(WEIGHT, dtype=torch.float64)
    x = torch.tensor(X, dtype=torch.float64)
    return linear_gaussian_posterior(x, weight, torch.zeros_like(x), VARIANCE)


class MeanField(NamedTuple):
    """The example of the page: both diagonal fits to a tilted posterior, and what each costs."""

    noise: float
    precision_11: float
    precision_22: float
    precision_12: float
    determinant: float
    reverse_1: float
    reverse_2: float
    forward_1: float
    forward_2: float
    correlation: float
    gap: float
    gap_of_forward_fit: float
    gap_at_prior: float


def mean_field() -> MeanField:
    """Fits for W = [[1, 1], [0, 1]] and c = 1/2, whose posterior precision is [[3, 2], [2, 5]].

    >>> round(mean_field().gap, 5)
    0.15508
    """
    mean, covariance = _posterior()
    precision = torch.linalg.inv(covariance)
    reverse, forward = reverse_fit(covariance), forward_fit(covariance)

    def cost(variances: Tensor) -> float:
        return multivariate_gaussian(mean, torch.diag(variances), mean, covariance).item()

    identity = torch.eye(2, dtype=mean.dtype)
    at_prior = multivariate_gaussian(torch.zeros_like(mean), identity, mean, covariance)
    deviations = covariance.diagonal().sqrt()
    return MeanField(
        VARIANCE,
        precision[0, 0].item(),
        precision[1, 1].item(),
        precision[0, 1].item(),
        torch.linalg.det(precision).item(),
        reverse[0].item(),
        reverse[1].item(),
        forward[0].item(),
        forward[1].item(),
        (covariance[0, 1] / deviations.prod()).item(),
        mean_field_gap(covariance).item(),
        cost(forward),
        at_prior.item(),
    )


def gap_by_correlation(correlation: Tensor) -> Tensor:
    """Mean-field gap of a Gaussian pair with the given correlation: -1/2 log(1 - rho^2), nats.

    The same number is the mutual information of the two coordinates.

    Raises:
        ValueError: a correlation outside (-1, 1).

    >>> gap_by_correlation(torch.tensor([0.6, 0.8]))
    tensor([0.2231, 0.5108])
    """
    if bool((correlation.abs() >= 1).any()):
        raise ValueError("correlation is not inside (-1, 1): the pair would have no density")
    return -0.5 * torch.log1p(-correlation.square())


def strong_correlation_gap() -> float:
    """The gap at ``STRONG_CORRELATION``, in nats."""
    return gap_by_correlation(torch.tensor(STRONG_CORRELATION, dtype=torch.float64)).item()


def _ellipse(mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The curve at two standard deviations."""
    turn = torch.linspace(0, 2 * math.pi, 200, dtype=mean.dtype)
    circle = torch.stack([turn.cos(), turn.sin()])
    x, y = mean[:, None] + 2 * torch.linalg.cholesky(covariance) @ circle
    return x, y


def figure_fits() -> Figure:
    """The tilted posterior, and the diagonal Gaussians that the two directions of KL choose."""
    from vaedocs import drawing

    mean, covariance = _posterior()
    figure, ax = drawing.axes(5.6, 4.2)
    paint = drawing.COLOURS
    x, y = _ellipse(mean, covariance)
    ax.fill(x, y, color=paint["muted"], alpha=0.22, linewidth=0, label=r"posterior $p(z\mid x)$")
    ax.plot(x, y, color=paint["muted"])
    for variances, colour, style, words in (
        (reverse_fit(covariance), "blue", "solid", r"least KL$(q\,\|\,p)$: fits the precision"),
        (forward_fit(covariance), "orange", "dashed", r"least KL$(p\,\|\,q)$: fits the marginals"),
    ):
        x, y = _ellipse(mean, torch.diag(variances))
        ax.plot(x, y, color=paint[colour], linestyle=style, label=words)
    ax.plot(*mean, "+", color=paint["ink"], markersize=9)
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    figure.legend(loc="outside upper center", frameon=False)
    return figure


def figure_gap() -> Figure:
    """How much a diagonal family must lose, as the correlation of the posterior grows."""
    from vaedocs import drawing

    rho = torch.linspace(0, 0.995, 300, dtype=torch.float64)
    answer = mean_field()
    figure, ax = drawing.axes(height=2.7)
    ax.plot(rho, gap_by_correlation(rho), color=drawing.COLOURS["blue"])
    ax.plot(abs(answer.correlation), answer.gap, "o", color=drawing.COLOURS["orange"])
    ax.annotate(
        "our example",
        (abs(answer.correlation), answer.gap),
        xytext=(-8, 10),
        textcoords="offset points",
        ha="right",
        color=drawing.COLOURS["orange"],
    )
    ax.set(
        xlabel=r"size of the correlation of $z_1$ and $z_2$ under $p(z\mid x)$",
        ylabel="gap (nats)",
        xlim=(0, 1),
        ylim=(0, None),
    )
    return figure
