"""The gradient of the loss by hand, for the networks of this book: the chain rule written out.

Automatic differentiation records a graph of some fifty nodes at every step. For networks this
small, keeping those records takes as long as the arithmetic. Here is the arithmetic alone, written
where the gradient will be read. It is the same gradient: the tests hold it against autograd to
1e-12 in double precision and 1e-6 in single.

What it knows beside the chain rule: each likelihood is an exponential family in what the decoder
returns, so the derivative of -log p(x|z) there is (E[x|z] - x) / scale; and the KL term pulls the
mean by ``mean`` and the log-variance by ``(variance - 1) / 2``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vaedocs.from_lower_bound_to_vae import beside, negative_elbo
from vaedocs.reparameterization import sample
from vaedocs.training.objective import Objective

Gradient = Callable[[Tensor, Tensor, Tensor | None, float], Tensor]
Kept = list[tuple[nn.Linear, Tensor, Tensor]]  # layer, its input, its weight in the precision used

# d is the derivative of the loss in act(a), h = act(a); the result is the one in a.
SLOPES: dict[type[nn.Module], Callable[[Tensor, Tensor], Tensor]] = {
    nn.Tanh: lambda d, h: torch.addcmul(d, d * h, h, value=-1),  # tanh' = 1 - tanh^2
    nn.Softplus: lambda d, h: -d * torch.expm1(-h),  # the logistic function of a
    nn.ReLU: lambda d, h: torch.ops.aten.threshold_backward(d, h, 0),  # d where h > 0, else 0
}


def serves(objective: Objective) -> bool:
    """Whether this file knows the gradient: the ELBO at one sample, c not learned, no GPU."""
    settings = objective.settings
    return (
        settings.objective in ("elbo", "beta")
        and settings.samples == 1
        and not list(objective.likelihood.parameters())
        and all(p.device.type == "cpu" for p in objective.parameters())
    )


def gradient(objective: Objective) -> Gradient:
    """``(x [B, N], noise [B, M], y, weight) -> loss``; the gradient is left in ``.grad``.

    The loss is the sum over the examples of minus the bound in nats, times ``weight``. With
    ``low_precision`` matrices are multiplied in bf16 and all else is done in single precision,
    as autocast does.
    """
    model, law = objective.model, objective.likelihood
    beta, half = objective.settings.beta, objective.low_precision
    encoder = [*model.encoder.hidden, model.encoder.parameters_of_q]
    decoder = [*model.decoder.hidden, model.decoder.parameter_of_p]
    latent = objective.settings.latent

    @torch.no_grad()
    def fill(x: Tensor, noise: Tensor, y: Tensor | None, weight: float) -> Tensor:
        q, to_q = forward(encoder, x if y is None else beside(x, y), half)
        mean, log_variance = q.chunk(2, dim=-1)
        z = sample(mean, log_variance, noise)
        outputs, to_p = forward(decoder, z if y is None else beside(z, y), half)

        d_outputs = (law.mean(outputs) - x).mul_(weight / law.scale)
        d_z = backward(decoder, to_p, d_outputs)[:, :latent]
        d_mean = d_z + beta * weight * mean
        deviation = torch.exp(0.5 * log_variance)
        d_log_variance = 0.5 * (d_z * deviation * noise + beta * weight * (deviation**2 - 1))
        backward(encoder, to_q, torch.cat([d_mean, d_log_variance], dim=-1), to_inputs=False)
        return negative_elbo(x, outputs, mean, log_variance, law, beta).sum() * weight

    return fill


def forward(layers: list[nn.Module], h: Tensor, half: bool) -> tuple[Tensor, Kept]:
    """Through the layers, keeping what the way back will need; the result in full precision."""
    kept: Kept = []
    for layer in layers:
        if isinstance(layer, nn.Linear):
            dtype = torch.bfloat16 if half else h.dtype
            h, weight = h.to(dtype), layer.weight.to(dtype)
            kept.append((layer, h, weight))
            h = torch.addmm(layer.bias.to(dtype), h, weight.t())
        else:
            h = layer(h)
    return (h.float() if half else h), kept


def backward(layers: list[nn.Module], kept: Kept, d: Tensor, to_inputs: bool = True) -> Tensor:
    """From the derivative in the last outputs to that in the first inputs, filling ``.grad``."""
    dtype = d.dtype
    for place in reversed(range(len(kept))):
        layer, h, weight = kept[place]
        d = d.to(weight.dtype)
        if layer.weight.grad is None or layer.bias.grad is None:
            layer.weight.grad = torch.empty_like(layer.weight)
            layer.bias.grad = torch.empty_like(layer.bias)
        if d.dtype == dtype:
            torch.mm(d.t(), h, out=layer.weight.grad)
            torch.sum(d, 0, out=layer.bias.grad)
        else:
            layer.weight.grad.copy_(d.t() @ h)
            layer.bias.grad.copy_(d.sum(0))
        if place or to_inputs:
            d = d @ weight
        if place:  # the input of this layer was the activation of the one before
            d = SLOPES[type(layers[2 * place - 1])](d, h)
    return d.to(dtype)
