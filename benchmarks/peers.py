"""The other trainers of :mod:`benchmarks.speed`, made to start from our parameters.

pytorch/examples (vae/main.py, commit 77f55b9) is written anew here from its published settings:
a Dataset that turns each image into a tensor when asked, DataLoader, sigmoid and binary
cross-entropy, default Adam, ``.item()`` at every step. pythae 0.1.2 is used as it is, through its
BaseTrainer, from PyPI: ``pip install --no-deps pythae==0.1.2`` and pydantic cloudpickle imageio
tqdm. Grey levels under a Bernoulli likelihood, as both of them do, are no log-likelihood; here
they are a load to be timed.
"""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vaedocs.training.loop import Trainer
from vaedocs.training.settings import Settings

STEPS = 20  # of one slice
Arm = Callable[[], None]  # makes STEPS steps
Loss = Callable[[Tensor, Tensor], Tensor]  # (x, noise) -> nats an example


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
