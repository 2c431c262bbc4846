"""What a run minimises, as one module: network, likelihood and settings in, nats out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vaedocs.from_lower_bound_to_vae import VariationalAutoencoder, negative_elbo
from vaedocs.reparameterization import sample
from vaedocs.tighter_bounds import log_mean_exp, log_weight
from vaedocs.training.likelihoods import Likelihood
from vaedocs.training.settings import Settings


class Objective(nn.Module):
    """The loss of a run: x [B, N], noise [(K,) B, M] -> nats [B]."""

    def __init__(
        self, model: VariationalAutoencoder, likelihood: Likelihood, settings: Settings
    ) -> None:
        super().__init__()
        self.model, self.likelihood = model, likelihood
        self.settings, self.low_precision = settings, settings.precision == "bf16"

    def forward(self, x: Tensor, noise: Tensor, y: Tensor | None = None) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.low_precision):
            outputs, mean, log_variance = self.model(x, noise, y)
        if self.low_precision:  # matrix products in bf16, the loss itself in single precision
            outputs, mean, log_variance = outputs.float(), mean.float(), log_variance.float()
        if self.settings.objective == "iwae":
            z = sample(mean, log_variance, noise)  # [K, B, M], the one that gave the outputs
            return -log_mean_exp(log_weight(self.likelihood(x, outputs), z, mean, log_variance))
        loss = negative_elbo(x, outputs, mean, log_variance, self.likelihood, self.settings.beta)
        return loss if noise.ndim == 2 else loss.mean(0)
