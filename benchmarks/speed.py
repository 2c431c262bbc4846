"""Steps a second, side by side: this trainer, the recipe of pytorch/examples, and pythae.

    python -m benchmarks.speed --folder MNIST --output vaedocs/training/measured/speed.json

One process, one thread. The same network from the same parameters, the same data, batch and Adam;
before anything is timed, all arms must give the same loss on a frozen batch. Each is then trained
for 1,000 steps, because a fresh decoder is sure of nothing and a trained one makes subnormal
numbers (:func:`vaedocs.training.device.subnormals_as_zero`; one arm is our trainer without it).
Then, round after round, each arm makes 20 steps in random order; what is reported is the median
over rounds of the *ratio within a round*, so that a busy machine slows all arms alike. The ratio
of processor times stands beside it. Two more arms make parts of a step and nothing else: its
matrix products, at the network's own shapes (the rate a perfect loop would have there), and Adam's
walk. Without ``--folder`` the images are random bytes; they cost the same but for the subnormals.

The other two stand in :mod:`benchmarks.peers`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.peers import STEPS, Arm, Loss, pythae, pytorch_examples
from vaedocs.training import idx
from vaedocs.training.adam import adam_step
from vaedocs.training.data import Dataset, Source, prepare
from vaedocs.training.device import bf16_gain, subnormals_as_zero
from vaedocs.training.loop import Trainer, make_step
from vaedocs.training.settings import Settings

TRAINED = 1000  # steps before the first that is timed
SIZES = {
    "mnist": Settings(
        latent=20, layers=(400,), activation="relu", batch=128, learning_rate=1e-3,
        likelihood="gaussian", validation=0.0,
    ),
    "digits": Settings(
        latent=2, layers=(64, 64), batch=64, learning_rate=1e-3, likelihood="gaussian",
        validation=0.0,
    ),
}  # fmt: skip


def images(size: str, folder: str | None) -> np.ndarray:
    """The rows to train on, as bytes 0..255."""
    if size == "digits":
        from sklearn.datasets import load_digits

        return (load_digits().data * 255 / 16).astype(np.uint8)
    if folder:
        array = idx.load(Path(folder), "mnist")[0]
        return array.reshape(len(array), -1)
    return np.random.default_rng(0).integers(0, 256, (60_000, 784), dtype=np.uint8)


def ours(settings: Settings, rows: np.ndarray, precision: str) -> tuple[Arm, Loss, Trainer]:
    """The trainer as ``vaedocs train`` runs it; only the check of the domain is left out.

    ``fp32 plain`` computes with subnormal numbers, as PyTorch does by default.
    """
    precision, _, plain = precision.partition(" ")
    side = int(rows.shape[1] ** 0.5)
    source = Source("rows", rows, rows[:100], None, None, (side, side), 255)
    data: Dataset = prepare(source, settings)  # grey levels in 0..1
    settings = replace(settings, likelihood="bernoulli", precision=precision)
    trainer = Trainer(settings, data)
    step = make_step(
        trainer.objective, trainer.optimiser, trainer.data, settings, trainer.group,
        trainer.generator,
    )  # fmt: skip

    def forever() -> Iterator[Tensor]:
        while True:
            order = torch.randperm(len(data.train), generator=trainer.generator)
            yield from order.split(settings.batch)

    index = forever()

    def arm() -> None:
        with nullcontext() if plain else subnormals_as_zero():
            for _ in range(STEPS):
                step(next(index))

    return arm, lambda x, noise: trainer.objective(x, noise).mean(), trainer


def check_same_loss(losses: dict[str, Loss], x: Tensor, latent: int) -> dict[str, float]:
    """Refuse to time arms that do not compute the same thing, gradients of x included."""
    noise = torch.randn(len(x), latent, generator=torch.Generator().manual_seed(0))
    found, slopes = {}, {}
    for name, loss in losses.items():
        point = x.clone().requires_grad_()
        value = loss(point, noise)
        (slopes[name],) = torch.autograd.grad(value, point)
        found[name] = value.item()
    for name in found:
        tolerance = 1e-2 if "bf16" in name else 1e-5
        if abs(found[name] / found["ours"] - 1) > tolerance:
            raise SystemExit(f"the arms differ on a frozen batch: {found}")
        if "bf16" not in name:
            torch.testing.assert_close(slopes[name], slopes["ours"], rtol=1e-3, atol=1e-5)
    return found


def matmul_rate(dtype: torch.dtype, size: int = 2048) -> float:
    """Floating-point operations a second of a square matrix product, the best of three."""
    a = torch.ones(size, size, dtype=dtype)
    seconds = []
    for _ in range(3):
        start = time.process_time()  # as the steps are timed, so that a busy machine cancels
        a @ a
        seconds.append(time.process_time() - start)
    return 2 * size**3 / min(seconds)


def weights_of(settings: Settings, size: int) -> list[tuple[int, int]]:
    """(inputs, outputs) of every layer, encoder and decoder."""
    encoder = [size, *settings.layers, 2 * settings.latent]
    decoder = [settings.latent, *settings.layers[::-1], size]
    return [*pairwise(encoder), *pairwise(decoder)]


def products(settings: Settings, size: int, dtype: torch.dtype) -> Arm:
    """The matrix products of 20 steps and nothing else, in the order of a step."""
    layers = [
        [
            torch.randn(shape).to(dtype)
            for shape in ((settings.batch, i), (o, i), (settings.batch, o))
        ]
        for i, o in weights_of(settings, size)
    ]
    gradients = [torch.empty_like(weight) for _, weight, _ in layers]

    @torch.no_grad()
    def arm() -> None:
        for _ in range(STEPS):
            for x, weight, _ in layers:
                x @ weight.t()
            for place in reversed(range(len(layers))):
                x, weight, d = layers[place]
                torch.mm(d.t(), x, out=gradients[place])
                if place:
                    d @ weight

    return arm


def walks(trainer: Trainer) -> Arm:
    """Adam's part of 20 steps and nothing else, on parameters and gradients of the same shapes."""
    parameters = [p.detach().clone().requires_grad_() for p in trainer.objective.parameters()]
    for p in parameters:
        p.grad = torch.randn_like(p)
    step = adam_step(torch.optim.Adam(parameters, trainer.settings.learning_rate, fused=True))

    def arm() -> None:
        for _ in range(STEPS):
            step()

    return arm


def operations(settings: Settings, size: int) -> int:
    """Multiplications and additions of one example, forward and backward, in the matrix products.

    Each weight costs 2 forward, 2 for its own gradient and 2 for that of its input, which the
    first layer does not need.
    """
    weights = [i * o for i, o in weights_of(settings, size)]
    return 6 * sum(weights) - 2 * weights[0]


def quartiles(values: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return {"median": middle, "low": low, "high": high}


def compare(size: str, folder: str | None, rounds: int) -> dict[str, Any]:
    """One network: check the arms against each other, then time them."""
    settings, rows = SIZES[size], images(size, folder)
    arms: dict[str, Arm] = {}
    losses: dict[str, Loss] = {}
    arms["ours"], losses["ours"], trainer = ours(settings, rows, "fp32")
    arms["ours_bf16"], losses["ours_bf16"], _ = ours(settings, rows, "bf16")
    arms["ours_plain"], losses["ours_plain"], _ = ours(settings, rows, "fp32 plain")
    arms["pytorch_examples"], losses["pytorch_examples"] = pytorch_examples(settings, rows, trainer)
    arms["pythae"], losses["pythae"] = pythae(settings, rows, trainer)
    frozen = check_same_loss(losses, trainer.data.train[: settings.batch], settings.latent)
    arms["adam"] = walks(trainer)
    arms["products_fp32"] = products(settings, rows.shape[1], torch.float32)
    arms["products_bf16"] = products(settings, rows.shape[1], torch.bfloat16)
    for train in arms.values():
        for _ in range(TRAINED // STEPS):
            train()
    random = np.random.default_rng(0)
    wall: dict[str, list[float]] = {name: [] for name in arms}
    processor: dict[str, list[float]] = {name: [] for name in arms}
    rates = []
    for _ in range(rounds):
        rates.append(matmul_rate(torch.float32))
        for name in random.permutation(list(arms)):
            start, clock = time.perf_counter(), time.process_time()
            arms[name]()
            wall[name].append(time.perf_counter() - start)
            processor[name].append(time.process_time() - clock)
    examples, flops = STEPS * settings.batch, operations(settings, rows.shape[1])
    found: dict[str, Any] = {
        "network": "-".join(map(str, (rows.shape[1], *settings.layers, settings.latent))),
        "batch": settings.batch,
        "rounds": rounds,
        "loss_on_frozen_batch": frozen,
        "gflops_fp32": quartiles([rate / 1e9 for rate in rates]),
        "gflops_fp32_own_shapes": quartiles(
            [examples * flops / t / 1e9 for t in processor["products_fp32"]]
        ),
        "arms": {},
    }
    for name in losses:
        found["arms"][name] = {
            "examples_a_second": quartiles([examples / t for t in wall[name]]),
            "examples_a_processor_second": quartiles([examples / t for t in processor[name]]),
            "milliseconds_a_step": quartiles([1e3 * t / STEPS for t in processor[name]]),
            "share_of_fp32_matmul_rate": quartiles(
                [a / b for a, b in zip(processor["products_fp32"], processor[name], strict=True)]
            ),
            "share_of_adam": quartiles(
                [a / b for a, b in zip(processor["adam"], processor[name], strict=True)]
            ),
            "share_of_large_fp32_matmul_rate": quartiles(
                [examples * flops / t / r for t, r in zip(processor[name], rates, strict=True)]
            ),
        }
    for name in ("ours", "ours_bf16"):
        found["arms"][name]["times"] = {
            other: {
                "wall": quartiles([b / a for a, b in zip(wall[name], wall[other], strict=True)]),
                "processor": quartiles(
                    [b / a for a, b in zip(processor[name], processor[other], strict=True)]
                ),
            }
            for other in ("pytorch_examples", "pythae", "ours_plain")
        }
    return found


def main() -> None:
    """Compare at both sizes and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="the IDX files of MNIST; else random bytes of its shape")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.rounds < 15:
        parser.error("--rounds: at least 15, or the median means little")
    torch.set_num_threads(1)
    found: dict[str, Any] = {
        "command": "python -m benchmarks.speed",
        "machine": {
            "architecture": platform.machine(),
            "instructions": [
                name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
                if name in Path("/proc/cpuinfo").read_text().split()
            ] if Path("/proc/cpuinfo").exists() else [],
            "processors": os.cpu_count(),
            "load_before": [round(x, 2) for x in os.getloadavg()],
        },
        "torch": torch.__version__,
        "python": platform.python_version(),
        "threads": 1,
        "steps_before": TRAINED,
        "steps_of_a_slice": STEPS,
        "bf16_gain_probed": round(bf16_gain(torch.device("cpu")), 2),
    }  # fmt: skip
    for size in SIZES:
        found[size] = compare(size, options.folder, options.rounds)
        for name, arm in found[size]["arms"].items():
            print(f"{size:8}{name:20}{arm['milliseconds_a_step']['median']:8.3f} ms a step", end="")
            print(f"{arm['share_of_fp32_matmul_rate']['median']:8.0%} of the fp32 matmul rate")
            for other, ratio in arm.get("times", {}).items():
                wall, processor = ratio["wall"], ratio["processor"]
                print(
                    f"{'':28}{wall['median']:.2f}x {other} (quartiles {wall['low']:.2f} to "
                    f"{wall['high']:.2f}; by processor time {processor['median']:.2f}x)"
                )
    found["machine"]["load_after"] = [round(x, 2) for x in os.getloadavg()]
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
