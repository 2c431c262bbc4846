"""What a run leaves on disk. Each file is written whole or not at all.

settings.json    every choice of the run
versions.json    Python, torch, numpy, this package, the processor, the data's sha256
metrics.csv      one line an evaluated epoch; metrics.json holds the same
last.pt          the state after the last finished epoch: networks, optimiser, generator
best.pt          the networks at the best validation ELBO
"""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch

import vaedocs
from vaedocs.from_lower_bound_to_vae import Decoder, Encoder, VariationalAutoencoder
from vaedocs.training.data import Dataset, load
from vaedocs.training.likelihoods import Likelihood, likelihood
from vaedocs.training.settings import Settings, UserError

FORMAT = 1  # of the checkpoint; raise it when its contents change meaning


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, sees the old one or the new one.

    Raises:
        UserError: the disk is full or the folder cannot be written; the old file is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise UserError(
            f"{path}: cannot be written: {error.strerror}; "
            + ("free some space" if full else "choose a folder you may write to with --output")
            + (f"; {path.name} of before is intact" if path.exists() else "")
        ) from error
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # The new name itself must reach the disk.
    finally:
        os.close(folder)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint; it is packed in memory first, so that a full disk shows in one place."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    write_atomically(path, buffer.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """Read a checkpoint: tensors and plain values only, no code is run.

    Raises:
        UserError: missing, damaged, or of another format.
    """
    if not path.is_file():
        raise UserError(f"{path}: no checkpoint there; is this the folder of a run?")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found = state["format"]
    except Exception as error:  # torch raises a dozen kinds, and a stranger's file any other
        others = [name for name in ("last.pt", "best.pt") if name != path.name]
        whole = [name for name in others if (path.parent / name).is_file()]
        raise UserError(
            f"{path}: not a checkpoint that can be read ({str(error).splitlines()[0][:100]}): "
            "it is damaged, or no file of this trainer; "
            + (f"see whether {whole[0]} beside it can be, or " if whole else "")
            + "train again"
        ) from error
    if found != FORMAT:
        raise UserError(
            f"{path}: checkpoint format {found}; this version of vaedocs reads {FORMAT}; use the "
            "version named in versions.json beside it, or train again"
        )
    return state


def versions(data: Dataset) -> dict[str, Any]:
    """What the run was made with."""
    return {
        "vaedocs": getattr(vaedocs, "__version__", "unknown"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "data": data.name,
        "data sha256": data.digest,
        "preprocessing": list(data.notes),
    }


def start(folder: Path, settings: Settings, data: Dataset) -> None:
    """Make the folder of a new run.

    Raises:
        UserError: it already holds a run, or cannot be made.
    """
    if (folder / "last.pt").exists():
        raise UserError(
            f"{folder}: already holds a run; go on with --resume {folder}, or choose another "
            "--output"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--output {folder}: cannot be made: {error.strerror}") from error
    write_json(folder / "settings.json", settings.as_dict())
    write_json(folder / "versions.json", versions(data))


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON."""
    write_atomically(path, (json.dumps(value, indent=2) + "\n").encode())


def write_metrics(folder: Path, history: list[dict[str, float]]) -> None:
    """Write metrics.csv and metrics.json: one entry an evaluated epoch, nats an example."""
    text = io.StringIO()
    if history:
        writer = csv.DictWriter(text, list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
    write_atomically(folder / "metrics.csv", text.getvalue().encode())
    write_json(folder / "metrics.json", history)


def read_settings(folder: Path) -> Settings:
    """The settings of the run in a folder."""
    path = folder / "settings.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{folder}: not the folder of a run ({path.name}: {error.strerror})"
        ) from error
    except ValueError as error:
        raise UserError(f"{path}: not JSON: {error}") from error
    return Settings.from_dict(values, str(path))


def build(settings: Settings, data: Dataset) -> tuple[VariationalAutoencoder, Likelihood]:
    """The networks and the likelihood of a run, freshly initialised from its seed.

    Weights as Glorot & Bengio (2010) for tanh layers, biases 0, except that the decoder begins at
    the mean of the training data whatever z is: so begin Burda et al. (2016) in their code.
    """
    size = data.train.shape[1]
    classes = data.classes if settings.conditional else 0
    shape = (settings.layers, settings.activation, classes)
    with torch.random.fork_rng(devices=[]):  # leave the caller's random numbers alone
        torch.manual_seed(settings.seed)
        model = VariationalAutoencoder(
            Encoder(size, settings.latent, *shape),
            Decoder(settings.latent, size, settings.layers[::-1], *shape[1:]),
        )
        for layer in model.modules():
            if isinstance(layer, torch.nn.Linear):
                torch.nn.init.xavier_uniform_(layer.weight)
                torch.nn.init.zeros_(layer.bias)
    law = likelihood(settings.likelihood, data.trials, settings.noise_variance)
    with torch.no_grad():
        model.decoder.parameter_of_p.bias.copy_(law.outputs_with_mean(data.train.mean(0)))
    return model, law


@dataclass(frozen=True)
class Run:
    """A trained model with all it came from: what evaluation and figures read."""

    folder: Path
    settings: Settings
    data: Dataset
    model: VariationalAutoencoder
    likelihood: Likelihood
    history: list[dict[str, float]]

    @classmethod
    def open(cls, folder: Path | str, best: bool = True) -> Run:
        """Read a run folder; the networks are those of the best validation ELBO, if there is one.

        Raises:
            UserError: no run there, other data than it was trained on, or networks of another
                shape.
        """
        folder = Path(folder)
        settings = read_settings(folder)
        data = load(settings)
        model, law = build(settings, data)
        path = folder / "best.pt" if best and (folder / "best.pt").exists() else folder / "last.pt"
        state = load_state(path)
        require_same_data(state, data, path)
        load_networks(model, law, state, path)
        return cls(folder, settings, data, model.eval(), law.eval(), state["history"])


def require_same_data(state: dict[str, Any], data: Dataset, path: Path) -> None:
    """Refuse to go on with other data than the checkpoint was trained on."""
    if state["data"] != data.digest:
        raise UserError(
            f"{path}: trained on data with sha256 {state['data'][:12]}…, but {data.name} now has "
            f"{data.digest[:12]}…; give the same files"
        )


def load_networks(
    model: VariationalAutoencoder, law: Likelihood, state: dict[str, Any], path: Path
) -> None:
    """Put the parameters of a checkpoint into the networks, or name the first that does not fit."""
    for module, values in ((model, state["model"]), (law, state["likelihood"])):
        own = module.state_dict()
        for name in sorted(own.keys() | values.keys()):
            there = list(values[name].shape) if name in values else "missing"
            here = list(own[name].shape) if name in own else "missing"
            if there != here:
                raise UserError(
                    f"{path}: {name} is {there} in the checkpoint and {here} by settings.json; "
                    "this checkpoint is of another network"
                )
        module.load_state_dict(values)
