"""Many steps as one CUDA graph: for networks so small that launching kernels takes the time.

The arithmetic is that of the ordinary loop, the random numbers too; only the launching differs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vaedocs.training.settings import Settings

STEPS = 50  # of one graph: enough to hide a launch, few enough to capture in a moment
Pass = Callable[[Callable[[Tensor], Tensor], Tensor, int, torch.Generator], Tensor]


def capture(
    step: Callable[[Tensor], Tensor],
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    settings: Settings,
    generator: torch.Generator,
) -> Pass:
    """A pass over the rows that replays ``STEPS`` steps at once, and walks the rest one by one."""
    device = generator.device
    index = torch.arange(STEPS * settings.batch, device=device) % settings.batch

    def many() -> Tensor:
        return torch.stack([step(part) for part in index.split(settings.batch)])

    with Unchanged(module, optimiser, generator):  # capturing needs a few real steps before it
        stream = torch.cuda.Stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            for _ in range(3):
                step(index[: settings.batch])
        torch.cuda.current_stream(device).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    optimiser.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        losses = many()

    def one_pass(
        step: Callable[[Tensor], Tensor], rows: Tensor, batch: int, generator: torch.Generator
    ) -> Tensor:
        order = torch.randperm(len(rows), generator=generator, device=rows.device)
        seen = []
        for part in order.split(len(index)):
            if len(part) == len(index):
                index.copy_(part)
                graph.replay()
                seen.append(losses.clone())
            else:
                seen.append(torch.stack([step(rest) for rest in part.split(batch)]))
        return torch.cat(seen)

    return one_pass


class Unchanged:
    """A context that puts parameters, optimiser state and generator back as they were.

    The tensors stay the same objects, so that what a graph captured stays valid.

    >>> layer, generator = nn.Linear(2, 1), torch.Generator().manual_seed(0)
    >>> optimiser, before = torch.optim.Adam(layer.parameters()), layer.weight.detach().clone()
    >>> with Unchanged(layer, optimiser, generator):
    ...     _ = layer(torch.randn(3, 2, generator=generator)).sum().backward(), optimiser.step()
    >>> torch.equal(layer.weight, before), optimiser.state[layer.weight]["exp_avg"]
    (True, tensor([[0., 0.]]))
    """

    def __init__(
        self, module: nn.Module, optimiser: torch.optim.Optimizer, generator: torch.Generator
    ) -> None:
        self.module, self.optimiser, self.generator = module, optimiser, generator

    def __enter__(self) -> None:
        self.random = self.generator.get_state()
        self.values = [p.detach().clone() for p in self.module.parameters()]
        self.moments = {
            p: {name: t.clone() for name, t in state.items() if isinstance(t, Tensor)}
            for p, state in self.optimiser.state.items()
        }

    @torch.no_grad()
    def __exit__(self, *failure: object) -> None:
        self.generator.set_state(self.random)
        for own, value in zip(self.module.parameters(), self.values, strict=True):
            own.copy_(value)
        for p, state in self.optimiser.state.items():
            for name, tensor in state.items():
                if isinstance(tensor, Tensor):
                    old = self.moments.get(p, {}).get(name)
                    tensor.zero_() if old is None else tensor.copy_(old)
