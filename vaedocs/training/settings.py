"""Every choice of a run, in one frozen record, and the named recipes.

No torch here: the command line reads the defaults and the help from this file.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHOICES: dict[str, tuple[str, ...]] = {
    "likelihood": ("bernoulli", "binomial", "gaussian"),
    "binarise": ("auto", "threshold", "dynamic", "none"),
    "activation": ("tanh", "softplus", "relu"),
    "objective": ("elbo", "beta", "iwae"),
    "precision": ("fp32", "bf16", "fp64", "auto"),
    "schedule": ("constant", "geometric", "burda"),
}


class UserError(Exception):
    """Something the user can mend: the message says what, where, what was expected, what to try."""


@dataclass(frozen=True)
class Settings:
    """The choices of one run. ``check()`` refuses the ones that make no sense.

    Sizes are counts, ``learning_rate`` is Adam's, ``budget`` is in processor seconds (0: none),
    ``noise_variance`` is the c of p(x|z) = N(f(z), c I), or "learned".

    >>> Settings(latent=2).check().layers
    (64, 64)
    >>> Settings(latent=0).check()
    Traceback (most recent call last):
    vaedocs.training.settings.UserError: --latent is 0; expected a whole number of at least 1
    """

    data: str = "digits"
    folder: str = ""
    download: bool = False
    likelihood: str = "bernoulli"
    binarise: str = "auto"
    trials: int = 0
    noise_variance: float | str = "learned"
    conditional: bool = False
    validation: float = 0.1
    latent: int = 2
    layers: tuple[int, ...] = (64, 64)
    activation: str = "tanh"
    objective: str = "elbo"
    beta: float = 1.0
    samples: int = 1
    epochs: int = 60
    batch: int = 64
    learning_rate: float = 2e-3
    schedule: str = "geometric"
    decay: float = 10.0
    adam_epsilon: float = 1e-8
    weight_decay: float = 0.0
    patience: int = 0
    budget: float = 0.0
    checkpoint_every: int = 1
    evaluate_every: int = 1
    seed: int = 0
    device: str = "cpu"
    precision: str = "fp32"
    threads: int = 1
    graph: bool = False

    def check(self) -> Settings:
        """Return self, or raise :class:`UserError` naming the option, its value and the cure."""
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise UserError(
                    f"--{name} is {getattr(self, name)!r}; expected one of {', '.join(allowed)}"
                )
        for name in (
            "latent", "epochs", "batch", "samples", "checkpoint_every", "evaluate_every",
            "threads",
        ):  # fmt: skip
            at_least(name, getattr(self, name), 1)
        for name in ("seed", "trials", "patience"):
            at_least(name, getattr(self, name), 0)
        if any(width < 1 for width in self.layers):
            raise UserError(
                f"--layers has a layer of {min(self.layers)} units; expected whole numbers of at "
                "least 1, or 'none' for a linear model"
            )
        for name in ("learning_rate", "adam_epsilon", "decay"):
            if not 0 < getattr(self, name) < float("inf"):
                raise UserError(
                    f"--{name.replace('_', '-')} is {getattr(self, name)}; expected a positive "
                    "number"
                )
        if not 0 <= self.validation < 1:
            raise UserError(
                f"--validation is {self.validation}; expected a share of the training data, 0 or "
                "more and below 1"
            )
        if self.noise_variance != "learned" and not (
            isinstance(self.noise_variance, int | float) and 0 < self.noise_variance < float("inf")
        ):
            raise UserError(
                f"--noise-variance is {self.noise_variance}; expected a positive number or "
                "'learned'"
            )
        if not 0 <= self.beta < float("inf"):
            raise UserError(f"--beta is {self.beta}; expected a number of at least 0")
        if self.objective != "beta" and self.beta != 1:
            raise UserError(f"--beta is {self.beta} but --objective is {self.objective}; "
                            "say --objective beta, or leave --beta out")  # fmt: skip
        if self.graph and not self.device.startswith("cuda"):
            raise UserError(f"--graph captures a CUDA graph, but --device is {self.device}")
        if self.graph and self.conditional:
            raise UserError("--graph and --conditional do not go together yet; leave one out")
        if self.patience and not self.validation:
            raise UserError(
                "--patience stops when the validation ELBO no longer rises, but --validation is "
                "0; give a share of the data to validation, for example --validation 0.1"
            )
        return self

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain values, for JSON."""
        return {**dataclasses.asdict(self), "layers": list(self.layers)}

    @classmethod
    def from_dict(cls, values: dict[str, Any], where: str) -> Settings:
        """Settings from plain values; an unknown or ill-typed name is refused.

        >>> Settings.from_dict({"latnet": 2}, "recipe.toml")
        Traceback (most recent call last):
        vaedocs.training.settings.UserError: recipe.toml: unknown setting 'latnet'; did you mean \
'latent'?
        """
        from difflib import get_close_matches

        known = {field.name: field for field in dataclasses.fields(cls)}
        for name, value in values.items():
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
                raise UserError(f"{where}: unknown setting {name!r}; {hint}")
            default = known[name].default
            expected = (
                (int, float, str) if name == "noise_variance"
                else (list, tuple) if name == "layers"
                else (int, float) if isinstance(default, float)
                else type(default)
            )  # fmt: skip
            if not isinstance(value, expected) or (
                isinstance(value, bool) and not isinstance(default, bool)
            ):
                raise UserError(
                    f"{where}: {name} is {value!r}; expected something like {default!r}"
                )
        return cls(**{**values, "layers": tuple(values.get("layers", cls.layers))}).check()


def at_least(name: str, value: int, least: int) -> None:
    """Refuse a count below ``least``, in the words of the command line."""
    if value < least:
        raise UserError(
            f"--{name.replace('_', '-')} is {value}; expected a whole number of at least {least}"
        )


def presets() -> dict[str, Path]:
    """The recipes that come with the package, by name.

    >>> sorted(presets())
    ['burda-2016', 'burda-2016-five-minutes']
    """
    return {path.stem: path for path in (Path(__file__).parent / "presets").glob("*.toml")}


def read_preset(name: str) -> dict[str, Any]:
    """The settings of a named recipe, or of a TOML file of the user's own.

    >>> read_preset("burda-2016")["layers"]
    [200, 200]
    """
    path = presets().get(name, Path(name))
    if not path.is_file():
        raise UserError(
            f"--preset {name}: neither a known recipe ({', '.join(sorted(presets()))}) nor a file"
        )
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a TOML file: {error}") from error
