"""Adam's step for a network that keeps its tensors: the moments are looked up once.

``torch.optim.Adam.step`` collects parameters, gradients and moments anew at every step; for a
network as small as that of the digits this takes longer than the arithmetic. Here the moments are
collected when the first step has made them, and handed to the function that ``Adam.step`` calls
too: the numbers are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim.adam import adam

SAME_NAME = (
    "lr", "eps", "weight_decay", "decoupled_weight_decay", "amsgrad", "maximize", "foreach",
    "capturable", "differentiable", "fused",
)  # fmt: skip


def adam_step(optimiser: torch.optim.Optimizer) -> Callable[[], None]:
    """What does the same as ``optimiser.step``, for an Adam whose parameters all have gradients.

    The settings, the rate among them, are read at every step. A state that is loaded into the
    optimiser later on is not seen: load first.

    >>> weights = [torch.ones(2, requires_grad=True) for _ in range(2)]
    >>> ours, theirs = (torch.optim.Adam([w], lr=0.1, fused=True) for w in weights)
    >>> update = adam_step(ours)
    >>> for _ in range(3):
    ...     for w, step in zip(weights, (update, theirs.step)):
    ...         w.grad = 2 * w.detach()
    ...         _ = step()
    >>> weights[0].tolist() == weights[1].tolist() != [1, 1]
    True
    """
    (group,) = optimiser.param_groups
    parameters: list[Tensor] = group["params"]
    moments: list[list[Tensor]] = []

    @torch.no_grad()
    def step() -> None:
        if not moments:
            optimiser.step()
            states = [optimiser.state[p] for p in parameters]
            moments.extend([s[name] for s in states] for name in ("exp_avg", "exp_avg_sq", "step"))
            return
        first, second, steps = moments
        beta1, beta2 = group["betas"]
        gradients = [p.grad for p in parameters if p.grad is not None]
        settings = {name: group[name] for name in SAME_NAME}
        adam(parameters, gradients, first, second, [], steps, beta1=beta1, beta2=beta2, **settings)

    return step
