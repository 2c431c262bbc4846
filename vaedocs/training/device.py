"""What the machine can do: which device there is, and how it multiplies fastest."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

import torch

from vaedocs.training.settings import UserError


def find_device(name: str) -> torch.device:
    """The device of that name, if this machine has it.

    >>> find_device("abacus")
    Traceback (most recent call last):
    vaedocs.training.settings.UserError: --device abacus: expected cpu, cuda or cuda:N
    """
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()):
        raise UserError(f"--device {name}: expected cpu, cuda or cuda:N")
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(number or 0) >= count:
            raise UserError(f"--device {name}: this machine has {count} CUDA devices; try cpu")
        device = torch.device("cuda", int(number or os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
        return device
    return torch.device("cpu")


def bf16_gain(
    device: torch.device, batch: int = 128, inputs: int = 784, width: int = 400, repeats: int = 20
) -> float:
    """How much faster this device multiplies in bf16 than in fp32: a batch by the first layer.

    On a processor without instructions for it bf16 is emulated and the ratio is below 1; for
    small layers the conversions, which are counted, eat the gain.
    """
    seconds = []
    h, weight = (torch.ones(n, inputs, device=device) for n in (batch, width))
    for dtype in (torch.float32, torch.bfloat16):
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            (h.to(dtype) @ weight.to(dtype).t()).float()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            times.append(time.perf_counter() - start)
        seconds.append(sorted(times)[repeats // 4])
    return seconds[0] / seconds[1]


@contextlib.contextmanager
def subnormals_as_zero() -> Iterator[None]:
    """Inside, a processor takes numbers below the smallest normal one as 0.

    A trained decoder is sure of its dark pixels: their logits fall below -44, and the square of
    exp(-44) is subnormal. A processor computes such numbers in microcode, ten times slower, and
    they add less than 1e-37 nats to a loss. Where it cannot leave them out nothing changes.

    >>> tiny = torch.tensor(torch.finfo(torch.float32).tiny)
    >>> with subnormals_as_zero():
    ...     inside = (tiny / 2).item()
    >>> inside, (tiny / 2).item() > 0
    (0.0, True)
    """
    tiny = torch.tensor(torch.finfo(torch.float32).tiny)
    before = not (tiny / 2).item()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
