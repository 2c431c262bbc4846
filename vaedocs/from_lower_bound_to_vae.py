"""Two networks and one loss: the lower bound written as a variational autoencoder.

The encoder network reads x and gives the two parameters of q(z|x) = N(mean, diag(variance)); the
decoder network reads z and gives the parameters of p(x|z). Both leading terms of the bound come
from the pages before this one: the KL term from :mod:`vaedocs.kl_divergence`, the likelihood from
:mod:`vaedocs.lower_bound_reformulated`, the sample from :mod:`vaedocs.reparameterization`.
Shapes: B examples, N data dimensions, M latent dimensions, K latent samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from vaedocs.kl_divergence import diagonal_to_standard_normal
from vaedocs.latent_variable_models import EXAMPLE_VARIANCE, EXAMPLE_WEIGHT, EXAMPLE_X
from vaedocs.lower_bound_reformulated import bernoulli_log_likelihood, linear_reconstruction
from vaedocs.reparameterization import sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "relu": nn.ReLU,
}
LogLikelihood = Callable[[Tensor, Tensor], Tensor]


def layers_of(widths: Sequence[int], activation: str) -> nn.Sequential:
    """Fully connected layers of the given widths, each followed by the activation.

    Tanh and softplus are smooth, so that the integral over z converges quickly when log p(x) is
    computed exactly; relu is there for comparison with published examples.

    Raises:
        ValueError: a width below 1, or an activation that is not in ``ACTIVATIONS``.

    >>> layers_of([4, 3], "tanh")
    Sequential(
      (0): Linear(in_features=4, out_features=3, bias=True)
      (1): Tanh()
    )
    """
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"unknown activation {activation!r}; expected one of {', '.join(ACTIVATIONS)}"
        )
    if bad := [width for width in widths if width < 1]:
        raise ValueError(f"a layer of width {bad[0]}; expected whole numbers of at least 1")
    modules: list[nn.Module] = []
    for before, after in pairwise(widths):
        modules += [nn.Linear(before, after), ACTIVATIONS[activation]()]
    return nn.Sequential(*modules)


def beside(inputs: Tensor, y: Tensor) -> Tensor:
    """Lay a label beside the inputs of a network; leading dimensions broadcast.

    >>> beside(torch.zeros(5, 3, 2), torch.ones(3, 4)).shape
    torch.Size([5, 3, 6])
    """
    shape = torch.broadcast_shapes(inputs.shape[:-1], y.shape[:-1])
    return torch.cat([inputs.expand(*shape, -1), y.expand(*shape, -1)], dim=-1)


class Encoder(nn.Module):
    """The network that reads x and gives q(z|x): its mean and its log-variances.

    ``classes`` above 0 makes it q(z|x, y): a one-hot label y is laid beside x.
    With ``layers=()`` both parameters are affine in x, as in the linear VAE.
    Kingma & Welling (2014), appendix C.2.

    >>> encoder = Encoder(data=6, latent=2, layers=(5,))
    >>> mean, log_variance = encoder(torch.zeros(3, 6))
    >>> mean.shape, log_variance.shape
    (torch.Size([3, 2]), torch.Size([3, 2]))
    """

    def __init__(
        self,
        data: int,
        latent: int,
        layers: Sequence[int] = (64, 64),
        activation: str = "tanh",
        classes: int = 0,
    ) -> None:
        super().__init__()
        if latent < 1:
            raise ValueError(f"latent size {latent}; expected a whole number of at least 1")
        widths = [data + classes, *layers]
        self.hidden = layers_of(widths, activation)
        self.parameters_of_q = nn.Linear(widths[-1], 2 * latent)

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x: [..., N] (and y: [..., classes]) -> mean, log_variance: [..., M] each."""
        inputs = x if y is None else beside(x, y)
        mean, log_variance = self.parameters_of_q(self.hidden(inputs)).chunk(2, dim=-1)
        return mean, log_variance


class Decoder(nn.Module):
    """The network that reads z and gives the parameter of p(x|z), ``[..., N]``.

    It is a logit for a Bernoulli or binomial likelihood, a mean for a Gaussian one.
    With ``layers=()`` it is affine in z: the decoder of the linear VAE.

    >>> Decoder(latent=2, data=6, layers=(5,))(torch.zeros(3, 2)).shape
    torch.Size([3, 6])
    """

    def __init__(
        self,
        latent: int,
        data: int,
        layers: Sequence[int] = (64, 64),
        activation: str = "tanh",
        classes: int = 0,
    ) -> None:
        super().__init__()
        widths = [latent + classes, *layers]
        self.hidden = layers_of(widths, activation)
        self.parameter_of_p = nn.Linear(widths[-1], data)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """z: [..., M] (and y: [..., classes]) -> [..., N]."""
        inputs = z if y is None else beside(z, y)
        parameter: Tensor = self.parameter_of_p(self.hidden(inputs))
        return parameter


class VariationalAutoencoder(nn.Module):
    """Encoder, sample, decoder: one pass gives all that the lower bound needs.

    >>> autoencoder = VariationalAutoencoder(Encoder(6, 2, (5,)), Decoder(2, 6, (5,)))
    >>> x, noise = torch.zeros(3, 6), torch.zeros(3, 2)
    >>> outputs, mean, log_variance = autoencoder(x, noise)
    >>> outputs.shape, mean.shape
    (torch.Size([3, 6]), torch.Size([3, 2]))
    """

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(
        self, x: Tensor, noise: Tensor, y: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x: [B, N], noise: [(K,) B, M] -> outputs: [(K,) B, N], mean, log_variance."""
        mean, log_variance = self.encoder(x, y)  # mu and log sigma^2 of q(z|x)
        z = sample(mean, log_variance, noise)  # mu + sigma * zeta, one draw of q(z|x)
        return self.decoder(z, y), mean, log_variance  # f(z) comes first


def negative_elbo(
    x: Tensor,
    outputs: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    log_likelihood: LogLikelihood = bernoulli_log_likelihood,
    beta: float = 1.0,
) -> Tensor:
    """Minus the bound of every example in nats, estimated from one draw z: ``[...]``.

    ``x`` and what the decoder gave at z, ``outputs``: ``[..., N]``; parameters of q(z|x):
    ``[..., M]``. Summed over data and latent dimensions, *not* averaged over examples: the
    caller does that. With ``beta`` above 1 it is a looser bound (Higgins et al., 2017), below
    1 none. Raises ``ValueError`` where shapes do not match. Kingma & Welling (2014), eq. 10.

    A posterior equal to the prior costs nothing, so what remains is 4 fair coins:

    >>> x, nothing = torch.ones(1, 4), torch.zeros(1, 2)
    >>> negative_elbo(x, torch.zeros(1, 4), nothing, nothing)
    tensor([2.7726])
    """
    divergence = diagonal_to_standard_normal(mean, log_variance)  # exact
    return beta * divergence - log_likelihood(x, outputs)  # at the one draw


# ---------------------------------------------------------------- numbers and figures of the page


class Pull(NamedTuple):
    """Derivatives of both terms of the loss in the two outputs of the encoder."""

    error_by_mean: float
    kl_by_mean: float
    error_by_log_variance: float
    kl_by_log_variance: float


def pull(mean: float, log_variance: float) -> Pull:
    """What each term of the loss asks of the encoder, for the running example, by autograd.

    >>> pull(mean=0.0, log_variance=0.0).error_by_mean
    -6.0
    """
    x, w, c = (
        torch.tensor(v, dtype=torch.float64) for v in (EXAMPLE_X, EXAMPLE_WEIGHT, EXAMPLE_VARIANCE)
    )
    q = torch.tensor([mean, log_variance], dtype=torch.float64, requires_grad=True)
    error = -linear_reconstruction(x, w, c, q[0], (0.5 * q[1]).exp())
    divergence = diagonal_to_standard_normal(q[:1], q[1:])
    (of_error,) = torch.autograd.grad(error, q)
    (of_kl,) = torch.autograd.grad(divergence, q)
    (m_error, v_error), (m_kl, v_kl) = of_error.tolist(), of_kl.tolist()
    return Pull(m_error, m_kl, v_error, v_kl)


class Optimum(NamedTuple):
    """The best encoder outputs of the running example, and what both terms pull there."""

    mean: float
    variance: float
    start: Pull
    best: Pull


def optimum() -> Optimum:
    """mean = 2 alpha w x / (1 + 2 alpha w^2) and variance = 1 / (1 + 2 alpha w^2): the posterior.

    >>> answer = optimum()
    >>> answer.mean, answer.variance, round(answer.best.kl_by_mean, 9)
    (1.2, 0.2, 1.2)
    """
    alpha = 1 / (2 * EXAMPLE_VARIANCE)
    precision = 1 + 2 * alpha * EXAMPLE_WEIGHT**2
    mean = 2 * alpha * EXAMPLE_WEIGHT * EXAMPLE_X / precision
    return Optimum(mean, 1 / precision, pull(0.0, 0.0), pull(mean, -math.log(precision)))


class Amortised(NamedTuple):
    """The price of one encoder for all x, where that encoder is a little too simple."""

    slope: float
    exact_slope: float
    gap: float


def amortised() -> Amortised:
    """Encoder mean ``a x`` for p(x|z) = N(2 z + 1, 1), whose posterior mean is 2/5 (x - 1).

    For x in {0, 1, 3} the best slope and the average of KL(q(z|x) || p(z|x)) that is left, with
    the variance v of the exact posterior: (difference of the means)^2 / (2 v).

    >>> round(amortised().gap, 4)
    0.1867
    """
    x = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    variance = 1 / (1 + EXAMPLE_WEIGHT**2 / EXAMPLE_VARIANCE)
    exact = variance * EXAMPLE_WEIGHT / EXAMPLE_VARIANCE * (x - 1)
    slope = (x @ exact / (x @ x)).item()
    gap = ((slope * x - exact).square() / (2 * variance)).mean().item()
    return Amortised(slope, variance * EXAMPLE_WEIGHT / EXAMPLE_VARIANCE, gap)


def figure_architecture() -> Figure:
    """Encoder, sample and decoder, with the place of each term of the loss."""
    from vaedocs import drawing

    figure, ax = drawing.diagram(6.4, 3.3)
    ink = drawing.COLOURS["ink"]
    x = drawing.box(ax, 0.35, 1.9, "$x$", width=0.5, height=0.9, colour="muted")
    encoder = drawing.box(
        ax, 1.35, 1.9, "encoder", width=1.0, height=1.5, shape="encoder", colour="blue"
    )
    both = drawing.box(ax, 2.5, 1.9, width=0.95, height=1.55, colour="purple", fill=0.05)
    mean = drawing.box(ax, 2.5, 2.3, r"$\mu$", width=0.75, height=0.5, colour="blue")
    spread = drawing.box(ax, 2.5, 1.5, r"$\log\,\sigma^2$", width=0.75, height=0.5, colour="blue")
    z = drawing.box(ax, 3.65, 1.9, "$z$", width=0.6, height=0.6, colour="blue")
    noise = drawing.box(ax, 3.65, 2.95, r"$\zeta$", width=0.55, shape="circle", colour="orange")
    decoder = drawing.box(
        ax, 4.85, 1.9, "decoder", width=1.0, height=1.5, shape="decoder", colour="green"
    )
    out = drawing.box(ax, 6.0, 1.9, r"$f\,(z)$", width=0.6, height=0.9, colour="green")
    for start, end in (
        (x, encoder),
        (encoder, mean),
        (encoder, spread),
        (mean, z),
        (spread, z),
        (z, decoder),
        (decoder, out),
    ):
        drawing.arrow(ax, start, end)
    drawing.arrow(ax, noise, z, dashed=True)
    ax.text(4.02, 2.95, "noise", va="center", color=ink)
    divergence = drawing.box(
        ax, 2.5, 0.4, "KL to the prior", width=1.7, height=0.5, colour="purple"
    )
    error = drawing.box(
        ax, 4.85, 0.4, r"$-\log\,p(x\mid z)$", width=1.5, height=0.5, colour="purple"
    )
    again = drawing.box(ax, 6.12, 0.4, "$x$", width=0.4, height=0.5, colour="muted")
    drawing.arrow(ax, both, divergence, colour="purple")
    drawing.arrow(ax, (5.9, 1.45), (5.45, 0.67), colour="purple")
    drawing.arrow(ax, again, error, colour="purple")
    ax.text(3.72, 0.4, "+", ha="center", va="center", color=ink, size=15)
    ax.text(0.8, 0.4, "loss  =", ha="center", va="center", color=ink, size=13)
    return figure
