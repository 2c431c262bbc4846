"""The training loop, on one screen (:func:`epoch`), and what has to stand around it.

The loss is minus the lower bound in nats, summed over data and latent dimensions and averaged over
examples. One generator gives every random number of a run: its state is part of the checkpoint, so
that a resumed run has the same parameters as one that was never stopped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaedocs.kl_divergence import diagonal_to_standard_normal
from vaedocs.training import by_hand, run_folder
from vaedocs.training.adam import adam_step
from vaedocs.training.data import Dataset, Rows
from vaedocs.training.device import bf16_gain, find_device, subnormals_as_zero
from vaedocs.training.distributed import Group
from vaedocs.training.objective import Objective
from vaedocs.training.settings import Settings, UserError

Step = Callable[[Tensor], Tensor]
Pass = Callable[[Step, Tensor, int, torch.Generator], Tensor]


def make_step(
    objective: nn.Module,
    optimiser: torch.optim.Optimizer,
    data: Dataset,
    settings: Settings,
    group: Group,
    generator: torch.Generator,
) -> Step:
    """One step of Adam on the rows of a batch; it returns the loss, as a tensor on the device."""
    if isinstance(objective, Objective) and by_hand.serves(objective):
        gradient = by_hand.gradient(objective)
    else:
        gradient = by_autograd(objective)
    rows, update = Rows(data.train, data.levels), adam_step(optimiser)

    def step(index: Tensor) -> Tensor:
        x = data.draw(rows.take(index), generator)  # [B, N]
        noise = standard_normal(settings, x, generator)  # [(K,) B, M]
        y = data.one_hot(data.train_labels, index) if settings.conditional else None
        mine = group.share(len(x))  # all rows, unless several processes share the batch
        loss = gradient(
            x[mine], noise[..., mine, :], None if y is None else y[mine], group.size / len(x)
        )
        update()
        return loss  # no .item(): the processor must not wait for the device

    return step


def by_autograd(objective: nn.Module) -> by_hand.Gradient:
    """The gradient of any objective, left in ``.grad``; :mod:`by_hand` does the plain one."""

    def fill(x: Tensor, noise: Tensor, y: Tensor | None, weight: float) -> Tensor:
        objective.zero_grad(set_to_none=True)
        loss: Tensor = objective(x, noise, y).sum() * weight
        loss.backward()
        return loss.detach()

    return fill


def epoch(step: Step, rows: Tensor, batch: int, generator: torch.Generator) -> Tensor:
    """One pass over the training rows in random order; the loss of every step, [steps]."""
    order = torch.randperm(len(rows), generator=generator, device=rows.device)
    return torch.stack([step(index) for index in order.split(batch)])


def standard_normal(settings: Settings, x: Tensor, generator: torch.Generator) -> Tensor:
    """Noise for a batch: [B, M], or [K, B, M] when the objective uses K samples."""
    several = (settings.samples,) if settings.samples > 1 or settings.objective == "iwae" else ()
    shape = (*several, len(x), settings.latent)
    return torch.randn(shape, generator=generator, device=x.device, dtype=x.dtype)


def learning_rate(settings: Settings, epochs_done: int, spent: float) -> float:
    """Adam's learning rate for the next epoch.

    ``geometric`` falls by the factor ``decay`` over the run (or over its budget of processor
    seconds, whichever is further gone); ``burda`` is 3^i epochs at 10^(-i/7) of the start, for
    i = 0, 1, 2, …

    >>> burda = Settings(schedule="burda", learning_rate=1e-3)
    >>> [f"{learning_rate(burda, done, 0):.2e}" for done in (0, 1, 3, 4, 3279)]
    ['1.00e-03', '7.20e-04', '7.20e-04', '5.18e-04', '1.00e-04']
    """
    if settings.schedule == "burda":
        stage = int(math.log(2 * epochs_done + 1, 3) + 1e-9)
        return settings.learning_rate * 10 ** (-min(stage, 7) / 7)
    if settings.schedule == "geometric":
        gone = epochs_done / settings.epochs
        if settings.budget:
            gone = max(gone, min(spent / settings.budget, 1.0))
        return settings.learning_rate * math.pow(settings.decay, -gone)
    return settings.learning_rate


@torch.no_grad()
def measure(
    objective: Objective, rows: Tensor, labels: Tensor | None, data: Dataset, seed: int
) -> dict[str, float]:
    """ELBO, its two terms and the active units on some rows, with noise from a seed of its own.

    A unit is active when its posterior mean varies: variance over the data above 0.01 (Burda et
    al., 2016, section 5).
    """
    generator = torch.Generator(rows.device).manual_seed(seed)
    model, law = objective.model, objective.likelihood
    reconstruction, kl, means = [], [], []
    for start in range(0, len(rows), 1000):
        index = torch.arange(start, min(start + 1000, len(rows)), device=rows.device)
        x = data.draw(rows[index], generator)
        y = data.one_hot(labels, index) if objective.settings.conditional else None
        noise = torch.randn(
            (len(x), objective.settings.latent),
            generator=generator, device=x.device, dtype=x.dtype,
        )  # fmt: skip
        outputs, mean, log_variance = model(x, noise, y)
        reconstruction.append(law(x, outputs))
        kl.append(diagonal_to_standard_normal(mean, log_variance))
        means.append(mean)
    r, k = torch.cat(reconstruction).mean().item(), torch.cat(kl).mean().item()
    active = int((torch.cat(means).var(0) > 0.01).sum())
    return {"elbo": r - k, "reconstruction": r, "kl": k, "active_units": active}


@dataclass
class Progress:
    """Where a run stands; the part of a checkpoint that is neither network nor optimiser."""

    epoch: int = 0
    step: int = 0
    spent: float = 0.0  # processor seconds
    best: float = -math.inf
    waited: int = 0  # evaluations since the best one
    history: list[dict[str, float]] = field(default_factory=list)


class Trainer:
    """A run in progress: build it, or resume it, then :meth:`run` it.

    ``report(metrics)`` is called after every evaluated epoch, on the process that writes.
    """

    def __init__(
        self,
        settings: Settings,
        data: Dataset,
        folder: Path | None = None,
        group: Group | None = None,
        report: Callable[[dict[str, float]], None] = lambda metrics: None,
    ) -> None:
        self.settings, self.folder, self.report = settings, folder, report
        self.group = group or Group()
        self.device = find_device(settings.device)
        dtype = torch.float64 if settings.precision == "fp64" else torch.float32
        self.data = data.to(self.device, dtype)
        model, law = run_folder.build(settings, self.data)
        self.objective = Objective(model, law, settings).to(self.device, dtype)
        if settings.precision == "auto":
            width = max((*settings.layers, 2 * settings.latent))
            gain = bf16_gain(self.device, settings.batch, data.train.shape[1], width)
            self.objective.low_precision = self.group.same(gain) > 1.25
        self.generator = torch.Generator(self.device).manual_seed(settings.seed)
        self.optimiser = torch.optim.Adam(
            self.objective.parameters(),
            self.adam_rate(),
            eps=settings.adam_epsilon,
            weight_decay=settings.weight_decay,
            fused=True,
            capturable=settings.graph,
        )
        self.progress = Progress()

    @subnormals_as_zero()
    def run(self) -> Progress:
        """Train to the end: the epochs, the budget, or the patience, whichever comes first.

        Raises:
            UserError: the loss is no finite number any more; the message names the step, and the
                last checkpoint on disk is the one of before.
        """
        settings, here = self.settings, self.progress
        data, rows = self.data, self.data.train
        objective = self.group.wrap(self.objective, self.device)
        step = make_step(objective, self.optimiser, data, settings, self.group, self.generator)
        one_pass: Pass = epoch
        if settings.graph:
            from vaedocs.training.graph import capture

            one_pass = capture(step, self.objective, self.optimiser, settings, self.generator)
        if self.folder and self.group.writes and not here.epoch:
            self.save()
        while here.epoch < settings.epochs and not self.enough():
            clock = time.process_time()
            self.set_learning_rate(learning_rate(settings, here.epoch, here.spent))
            losses = self.group.mean(one_pass(step, rows, settings.batch, self.generator))
            self.stop_if_diverged(losses)
            here.epoch += 1
            here.step += len(losses)
            here.spent = self.group.same(here.spent + time.process_time() - clock)
            last = here.epoch == settings.epochs or self.enough()
            if self.group.writes:
                if here.epoch % settings.evaluate_every == 0 or last:
                    self.evaluate(float(losses.mean()))
                if self.folder and (here.epoch % settings.checkpoint_every == 0 or last):
                    self.save()
            here.waited = int(self.group.same(here.waited))
        return here

    def adam_rate(self) -> float | Tensor:
        """Where Adam finds its rate: a captured graph needs it on the device."""
        rate = self.settings.learning_rate
        return torch.tensor(rate, device=self.device) if self.settings.graph else rate

    def set_learning_rate(self, value: float) -> None:
        """Give Adam its rate; a captured graph reads it from a tensor, in place."""
        for group in self.optimiser.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(value)
            else:
                group["lr"] = value

    def enough(self) -> bool:
        """Whether the budget is spent or the patience is at its end."""
        budget, patience = self.settings.budget, self.settings.patience
        return bool((budget and self.progress.spent >= budget)
                    or (patience and self.progress.waited >= patience))  # fmt: skip

    def stop_if_diverged(self, losses: Tensor) -> None:
        """Refuse to go on after a loss that is not finite; one look at the end of an epoch."""
        bad = ~losses.isfinite()
        if not bad.any():
            return
        at = int(bad.nonzero()[0])
        kept = f"the last good checkpoint is {self.folder}/last.pt; " if self.folder else ""
        raise UserError(
            f"the loss became {losses[at].item()} at step {self.progress.step + at + 1} (epoch "
            f"{self.progress.epoch + 1}): training diverged; {kept}try a smaller --learning-rate"
            + (", or --precision fp32" if self.objective.low_precision else "")
        )

    def evaluate(self, loss: float) -> None:
        """Measure on the validation part (or the training part where there is none), and report."""
        here, data = self.progress, self.data
        held = len(data.validation) > 0
        rows, labels = (
            (data.validation, data.validation_labels)
            if held
            else (data.train[:1000], data.train_labels)
        )
        found = measure(self.objective, rows, labels, data, seed=1)
        metrics = {"epoch": here.epoch, "step": here.step, "cpu_seconds": round(here.spent, 3),
                   "learning_rate": float(self.optimiser.param_groups[0]["lr"]),
                   "train_loss": loss, **found}  # fmt: skip
        here.history.append(metrics)
        self.report(metrics)
        if held and found["elbo"] > here.best:
            here.best, here.waited = found["elbo"], 0
            if self.folder:
                run_folder.save_state(self.folder / "best.pt", self.networks())
        else:
            here.waited += 1

    def networks(self) -> dict[str, Any]:
        """What evaluation needs: parameters, history, and which data they belong to."""
        return {
            "model": self.objective.model.state_dict(),
            "likelihood": self.objective.likelihood.state_dict(),
            "history": self.progress.history,
            "epoch": self.progress.epoch,
            "data": self.data.digest,
        }

    def save(self) -> None:
        """Write last.pt and the metrics."""
        assert self.folder is not None
        state = {
            **self.networks(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "progress": vars(self.progress),
            "low_precision": self.objective.low_precision,
        }
        run_folder.save_state(self.folder / "last.pt", state)
        run_folder.write_metrics(self.folder, self.progress.history)

    def resume(self, path: Path) -> None:
        """Take up the state of a checkpoint.

        Raises:
            UserError: a checkpoint of other data, of another network, or that cannot be read.
        """
        state = run_folder.load_state(path)
        run_folder.require_same_data(state, self.data, path)
        model, law = self.objective.model, self.objective.likelihood
        run_folder.load_networks(model, law, state, path)
        self.optimiser.load_state_dict(state["optimiser"])
        for group in self.optimiser.param_groups:
            group["lr"] = self.adam_rate()
        try:
            self.generator.set_state(state["generator"])
        except (RuntimeError, TypeError) as error:
            raise UserError(
                f"{path}: its random numbers come from another kind of device than "
                f"{self.device}; give the --device the run was started with"
            ) from error
        self.progress = Progress(**state["progress"])
        # What "auto" found when the run began holds to its end, on whatever machine it goes on.
        self.objective.low_precision = state.get("low_precision", self.objective.low_precision)
