"""Steps a second, side by side: this trainer, the recipe of pytorch/examples, and pythae.

    python -m benchmarks.speed --folder MNIST --output vaedocs/training/measured/speed.json

One process, one thread. The same network from the same parameters, the same data, batch and Adam;
before anything is timed, all arms must give the same loss on a frozen batch. Then, round after
round, each arm makes 20 steps in random order; what is reported is the median over rounds of the
*ratio within a round*, so that a busy machine slows all arms alike. The ratio of processor times
stands beside it. One more arm makes the matrix products of a step and nothing else, at the
network's own shapes: the rate a perfect loop would have there. Without ``--folder`` the images are
random bytes, which cost the same.

pytorch/examples (vae/main.py, commit 77f55b9) is written anew here from its published settings:
a Dataset that turns each image into a tensor when asked, DataLoader, sigmoid and binary
cross-entropy, default Adam, ``.item()`` at every step. pythae 0.1.2 is used as it is, through its
BaseTrainer, from PyPI: ``pip install --no-deps pythae==0.1.2`` and pydantic cloudpickle imageio
tqdm. Grey levels under a Bernoulli likelihood, as both of them do, are no log-likelihood; here
they are a load to be timed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vaedocs.training import idx
from vaedocs.training.data import Dataset, Source, prepare
from vaedocs.training.loop import Trainer, bf16_gain, make_step
from vaedocs.training.settings import Settings

STEPS = 20  # of one slice
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
Arm = Callable[[], None]  # makes STEPS steps
Loss = Callable[[Tensor, Tensor], Tensor]  # (x, noise) -> nats an example


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
    """The trainer as ``vaedocs train`` runs it; only the check of the domain is left out."""
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
        for _ in range(STEPS):
            step(next(index))

    return arm, lambda x, noise: trainer.objective(x, noise).mean(), trainer


class Example(nn.Module):
    """The network of pytorch/examples at any widths: two heads, a sigmoid at the end."""

    def __init__(self, encoder: nn.Module, heads: list[nn.Linear], decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.heads = nn.ModuleList(heads)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encoder(x.view(len(x), -1))
        mu, logvar = self.heads[0](hidden), self.heads[1](hidden)
        std = torch.exp(0.5 * logvar)
        z = mu + torch.randn_like(std) * std
        return torch.sigmoid(self.decoder(z)), mu, logvar


def copied(trainer: Trainer) -> tuple[nn.Module, list[nn.Linear], nn.Module]:
    """The parameters of our networks in the parts that the others are made of."""
    import copy

    model = copy.deepcopy(trainer.objective.model)
    both = model.encoder.parameters_of_q
    heads = []
    for half in range(2):
        head = nn.Linear(both.in_features, both.out_features // 2)
        with torch.no_grad():
            head.weight.copy_(both.weight.chunk(2)[half])
            head.bias.copy_(both.bias.chunk(2)[half])
        heads.append(head)
    return (
        model.encoder.hidden,
        heads,
        nn.Sequential(model.decoder.hidden, model.decoder.parameter_of_p),
    )


def pytorch_examples(settings: Settings, rows: np.ndarray, trainer: Trainer) -> tuple[Arm, Loss]:
    """The published recipe: an image becomes a tensor when it is asked for, one at a time."""
    from PIL import Image

    side = int(rows.shape[1] ** 0.5)
    stored = torch.tensor(rows).view(-1, side, side)

    class Images(torch.utils.data.Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return len(stored)

        def __getitem__(self, index: int) -> tuple[Tensor, int]:
            image = Image.fromarray(stored[index].numpy())
            pixels = torch.from_numpy(np.array(image, np.uint8, copy=True))
            return pixels.view(side, side, 1).permute(2, 0, 1).contiguous().div(255), 0

    loader = torch.utils.data.DataLoader(Images(), batch_size=settings.batch, shuffle=True)
    model = Example(*copied(trainer))
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)

    def loss_function(recon: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        bce = functional.binary_cross_entropy(recon, x.view(len(x), -1), reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return bce + kld

    def forever() -> Iterator[Tensor]:
        while True:
            for x, _ in loader:
                yield x

    batches, state = forever(), {"train_loss": 0.0}

    def loss_of(x: Tensor) -> Tensor:
        recon, mu, logvar = model(x)
        return loss_function(recon, x, mu, logvar)

    def arm() -> None:
        model.train()
        for _ in range(STEPS):
            x = next(batches)
            optimiser.zero_grad()
            loss = loss_of(x)
            loss.backward()
            state["train_loss"] += loss.item()
            optimiser.step()

    def frozen(x: Tensor, noise: Tensor) -> Tensor:
        with frozen_noise(noise):
            return loss_of(x) / len(x)

    return arm, frozen


def pythae(settings: Settings, rows: np.ndarray, trainer: Trainer) -> tuple[Arm, Loss]:
    """pythae's VAE and BaseTrainer, with our networks as its encoder and decoder."""
    logging.disable(logging.WARNING)
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    hidden, heads, decoding = copied(trainer)
    side = int(rows.shape[1] ** 0.5)

    class Encoder(BaseEncoder):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.mean, self.log_variance = hidden, *heads

        def forward(self, x: Tensor) -> Any:
            h = self.hidden(x.reshape(len(x), -1))
            return ModelOutput(embedding=self.mean(h), log_covariance=self.log_variance(h))

    class Decoder(BaseDecoder):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layers = decoding

        def forward(self, z: Tensor) -> Any:
            pixels = torch.sigmoid(self.layers(z)).reshape(len(z), 1, side, side)
            return ModelOutput(reconstruction=pixels)

    config = VAEConfig(
        input_dim=(1, side, side), latent_dim=settings.latent, reconstruction_loss="bce"
    )
    model = VAE(config, Encoder(), Decoder())
    data = BaseDataset(
        torch.tensor(rows).view(-1, 1, side, side).float() / 255, torch.zeros(len(rows))
    )
    its = BaseTrainer(
        model,
        data,
        training_config=BaseTrainerConfig(
            output_dir=tempfile.mkdtemp(),
            num_epochs=1,
            per_device_train_batch_size=settings.batch,
            learning_rate=settings.learning_rate,
            optimizer_cls="Adam",
            no_cuda=True,
        ),
    )
    its.prepare_training()
    loader = its.train_loader

    class Slice:
        """The next 20 batches of its own loader: train_step takes a whole loader."""

        dataset = data

        def __init__(self) -> None:
            self.batches = self.forever()

        def forever(self) -> Iterator[Any]:
            while True:
                yield from loader

        def __len__(self) -> int:
            return STEPS

        def __iter__(self) -> Iterator[Any]:
            for _ in range(STEPS):
                yield next(self.batches)

    its.train_loader = Slice()

    def arm() -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            its.train_step(1)

    def frozen(x: Tensor, noise: Tensor) -> Tensor:
        with frozen_noise(noise):
            loss: Tensor = model({"data": x.view(-1, 1, side, side)}).loss
            return loss

    return arm, frozen


@contextlib.contextmanager
def frozen_noise(noise: Tensor) -> Iterator[None]:
    """torch.randn_like gives this noise: both others draw theirs with it."""
    drawing = torch.randn_like
    torch.randn_like = lambda *_, **__: noise  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.randn_like = drawing


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
    arms["pytorch_examples"], losses["pytorch_examples"] = pytorch_examples(settings, rows, trainer)
    arms["pythae"], losses["pythae"] = pythae(settings, rows, trainer)
    frozen = check_same_loss(losses, trainer.data.train[: settings.batch], settings.latent)
    arms["products_fp32"] = products(settings, rows.shape[1], torch.float32)
    arms["products_bf16"] = products(settings, rows.shape[1], torch.bfloat16)
    for warm_up in arms.values():
        warm_up(), warm_up()
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
            for other in ("pytorch_examples", "pythae")
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
