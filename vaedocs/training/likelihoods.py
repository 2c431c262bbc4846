"""The three likelihoods p(x|z) a run may use: domain, log-likelihood, mean, a draw.

The formulas are those of :mod:`vaedocs.lower_bound_reformulated`; here they are bound to what a
run has to know beside them (the number of trials, the variance c and whether it is learned).
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from vaedocs.lower_bound_reformulated import (
    bernoulli_log_likelihood,
    binomial_log_likelihood,
    gaussian_log_likelihood,
)


class Likelihood(nn.Module):
    """p(x|z) given what the decoder returned, nats summed over the data dimensions."""

    @abstractmethod
    def forward(self, x: Tensor, outputs: Tensor) -> Tensor:
        """log p(x|z): x [B, N], outputs [(K,) B, N] -> [(K,) B]."""

    @abstractmethod
    def mean(self, outputs: Tensor) -> Tensor:
        """E[x|z], in the units of x."""

    @abstractmethod
    def outputs_with_mean(self, mean: Tensor) -> Tensor:
        """The outputs that give this mean (kept away from the ends of the domain)."""

    @abstractmethod
    def draw(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        """One x from p(x|z) for every row of outputs."""

    def table(self, x: Tensor, outputs: Tensor) -> Tensor:
        """log p(x|z) of every x [B, N] at every output [S, N] as one matrix product, [B, S].

        All three laws are exponential families, log p(x|z) = x . eta - A(eta) + h(x) with eta
        the outputs over :attr:`scale`. The terms that do not mix x and z are read off the
        likelihood itself at x = 0 and at outputs = 0.

        >>> x, outputs = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.5, -2.0]])
        >>> torch.allclose(Bernoulli().table(x, outputs), Bernoulli()(x, outputs)[:, None])
        True
        """
        nothing = torch.zeros_like(x[:1])
        mixed = x @ outputs.T / self.scale
        of_x: Tensor = self(x, nothing) - self(nothing, nothing)
        of_z: Tensor = self(nothing, outputs)
        return mixed + of_z + of_x[:, None]

    @property
    def scale(self) -> Tensor | float:
        """By what the outputs are divided to give the natural parameter."""
        return 1.0


class Bernoulli(Likelihood):
    """Independent binary pixels; the decoder gives logits.

    >>> Bernoulli()(torch.ones(1, 3), torch.zeros(1, 3))
    tensor([-2.0794])
    """

    def forward(self, x: Tensor, outputs: Tensor) -> Tensor:
        return bernoulli_log_likelihood(x, outputs)

    def mean(self, outputs: Tensor) -> Tensor:
        return outputs.sigmoid()

    def outputs_with_mean(self, mean: Tensor) -> Tensor:
        return mean.clamp(0.001, 0.999).logit()

    def draw(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        return torch.bernoulli(outputs.sigmoid(), generator=generator)


class Binomial(Likelihood):
    """Independent counts out of ``trials``; the decoder gives logits.

    >>> Binomial(16).mean(torch.zeros(1, 2))
    tensor([[8., 8.]])
    """

    def __init__(self, trials: int) -> None:
        super().__init__()
        self.trials = trials

    def forward(self, x: Tensor, outputs: Tensor) -> Tensor:
        return binomial_log_likelihood(x, outputs, self.trials)

    def mean(self, outputs: Tensor) -> Tensor:
        return self.trials * outputs.sigmoid()

    def outputs_with_mean(self, mean: Tensor) -> Tensor:
        return (mean / self.trials).clamp(0.001, 0.999).logit()

    def draw(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        trials = torch.full_like(outputs, float(self.trials))
        return torch.binomial(trials, outputs.sigmoid(), generator=generator)


class Gaussian(Likelihood):
    """N(outputs, c I) with one variance c for all dimensions, fixed or learned.

    A learned c is found together with the networks: its logarithm is a parameter. In the linear
    case it ends at the mean of the discarded eigenvalues (Tipping & Bishop, 1999).

    >>> Gaussian(0.25).variance.item()
    0.25
    >>> [name for name, _ in Gaussian("learned").named_parameters()]
    ['log_c']
    """

    log_c: Tensor

    def __init__(self, variance: float | str = "learned") -> None:
        super().__init__()
        if variance == "learned":
            self.log_c = nn.Parameter(torch.zeros(()))
        else:
            self.register_buffer("log_c", torch.tensor(math.log(float(variance))))

    @property
    def variance(self) -> Tensor:
        """c, a scalar tensor."""
        return self.log_c.exp()

    @property
    def scale(self) -> Tensor | float:
        return self.variance

    def forward(self, x: Tensor, outputs: Tensor) -> Tensor:
        return gaussian_log_likelihood(x, outputs, self.variance)

    def mean(self, outputs: Tensor) -> Tensor:
        return outputs

    def outputs_with_mean(self, mean: Tensor) -> Tensor:
        return mean

    def draw(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.randn(
            outputs.shape, generator=generator, device=outputs.device, dtype=outputs.dtype
        )
        return outputs + self.variance.sqrt() * noise


def likelihood(name: str, trials: int = 0, variance: float | str = "learned") -> Likelihood:
    """The likelihood of that name.

    >>> likelihood("binomial", trials=16).trials
    16
    """
    if name == "binomial":
        return Binomial(trials)
    return Gaussian(variance) if name == "gaussian" else Bernoulli()
