"""Pictures of a run, drawn by the book's own drawing. Without a run they show the site's run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaedocs import drawing
from vaedocs.kl_divergence import diagonal_to_standard_normal
from vaedocs.training import site_run
from vaedocs.training.run_folder import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = drawing.COLOURS


def tiles(run: Run, rows: Tensor, columns: int) -> NDArray[np.float64]:
    """Rows of data [N, D] as one picture of N tiles, ``columns`` across, a white line between."""
    high, wide = run.data.shape
    top = {"bernoulli": 1.0, "binomial": float(run.data.trials)}.get(run.settings.likelihood)
    values = rows.detach().double().reshape(-1, high, wide).numpy()
    low, top = (0.0, top) if top else (min(0.0, values.min()), max(1.0, values.max()))
    values = (values - low) / (top - low)
    gap = 1 if max(high, wide) < 20 else 2
    down = -(-len(values) // columns)
    picture = np.zeros((down * (high + gap) - gap, columns * (wide + gap) - gap))
    for i, tile in enumerate(values):
        y, x = (i // columns) * (high + gap), (i % columns) * (wide + gap)
        picture[y : y + high, x : x + wide] = tile
    return picture


def show(ax: Axes, picture: NDArray[np.float64]) -> None:
    """Draw a picture of tiles: 1 is dark, as ink on paper, on a light and on a dark page."""
    ax.imshow(picture, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)


def encoded(run: Run, limit: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """x, mean, log-variance and labels of test rows: all, or ``limit`` of them at random."""
    generator = torch.Generator().manual_seed(0)
    x = run.data.draw(run.data.test, generator)
    chosen = torch.randperm(len(x), generator=generator)[: limit or len(x)]
    y = condition(run, run.data.test_labels, chosen)
    with torch.no_grad():
        mean, log_variance = run.model.encoder(x[chosen], y)
    labels = None if run.data.test_labels is None else run.data.test_labels[chosen]
    return x[chosen], mean, log_variance, labels


def condition(run: Run, labels: Tensor | None, chosen: Tensor) -> Tensor | None:
    """The labels of some rows for a conditional model, None for any other."""
    return run.data.one_hot(labels, chosen) if run.settings.conditional else None


@torch.no_grad()
def decoded(run: Run, z: Tensor, labels: Tensor | None = None) -> Tensor:
    """E[x|z] for some z [N, M]; a conditional model takes turns through the labels."""
    y = None
    if run.settings.conditional:
        turn = torch.arange(len(z)) % run.data.classes if labels is None else labels
        y = torch.nn.functional.one_hot(turn, run.data.classes).to(z.dtype)
    return run.likelihood.mean(run.model.decoder(z, y))


def busiest(run: Run) -> list[int]:
    """The latent units in order of their mean KL, the most used first."""
    _, mean, log_variance, _ = encoded(run)
    units = diagonal_to_standard_normal(mean[..., None], log_variance[..., None]).mean(0)
    return [int(i) for i in units.argsort(descending=True)]


def plane(run: Run) -> list[int]:
    """The two units that a picture of a plane uses (the same one twice for one latent unit)."""
    first = busiest(run)[:2]
    return first if len(first) == 2 else first * 2


def reconstructions(run: Run | None = None) -> Figure:
    """Test examples, and below each the mean of p(x|z) at the mean of q(z|x)."""
    run = run or site_run()
    x, mean, _, labels = encoded(run, 24)
    back = decoded(run, mean, labels)
    order = [row for start in (0, 12) for part in (x, back) for row in part[start : start + 12]]
    figure, ax = drawing.axes(6.4, 2.4 if run.data.shape[0] > 1 else 1.2)
    picture = tiles(run, torch.stack(order), 12)
    show(ax, picture)
    step = (picture.shape[0] + 1) / 4
    ax.set_yticks([step * (i + 0.5) - 1 for i in range(4)], ["data", "model"] * 2)
    ax.tick_params(length=0)
    return figure


def samples(run: Run | None = None) -> Figure:
    """The mean of p(x|z), and a draw from it, for z drawn from the prior."""
    run = run or site_run()
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(48, run.settings.latent, generator=generator)
    means = decoded(run, z)
    labels = torch.arange(48) % max(run.data.classes, 1) if run.settings.conditional else None
    y = condition(run, labels, torch.arange(48))
    with torch.no_grad():
        draws = run.likelihood.draw(run.model.decoder(z, y), generator)
    figure, (left, right) = drawing.axes(6.4, 2.9, columns=2)
    show(left, tiles(run, means, 8))
    show(right, tiles(run, draws, 8))
    left.set_title("mean of p(x|z)")
    right.set_title("a draw from it")
    return figure


def latent_plane(run: Run | None = None) -> Figure:
    """Where the encoder puts the test examples: the means of q(z|x), each shown by its label."""
    run = run or site_run()
    _, mean, _, labels = encoded(run, 250)
    i, j = plane(run)
    figure, ax = drawing.axes(6.4, 5.2)
    paints = ("ink", "blue", "orange", "green", "red", "purple")
    if labels is None:
        ax.scatter(mean[:, i], mean[:, j], s=12, color=COLOURS["blue"], alpha=0.7)
    else:
        for point, label in zip(mean, labels.tolist(), strict=True):
            ax.text(
                float(point[i]), float(point[j]), str(label), ha="center", va="center",
                fontsize=11, color=COLOURS[paints[label % len(paints)]], clip_on=True,
            )  # fmt: skip
    reach = float(mean[:, [i, j]].abs().max()) * 1.08
    for radius in (1, 2, 3):
        angle = np.linspace(0, 2 * math.pi, 200)
        ax.plot(radius * np.cos(angle), radius * np.sin(angle), color=COLOURS["grid"], lw=1)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel=f"mean of unit {i + 1}", ylabel=f"mean of unit {j + 1}")
    return figure


def manifold(run: Run | None = None) -> Figure:
    """The decoder over a grid of equal prior mass in two latent units, the others at 0."""
    run = run or site_run()
    count = 16 if run.data.shape[0] <= 10 else 12
    axis = torch.special.ndtri((torch.arange(count) + 0.5) / count)
    z = torch.zeros(count * count, run.settings.latent)
    i, j = plane(run)
    z[:, i] = axis.repeat(count)
    z[:, j] = -axis.repeat_interleave(count)
    figure, ax = drawing.axes(6.0, 6.0)
    show(ax, tiles(run, decoded(run, z), count))
    ax.set(xlabel=f"unit {i + 1}, from low to high", ylabel=f"unit {j + 1}")
    return figure


def traversals(run: Run | None = None) -> Figure:
    """One latent unit at a time from -3 to 3, the others at 0: the most used units, row by row."""
    run = run or site_run()
    units, steps = busiest(run)[:8], 12
    z = torch.zeros(len(units) * steps, run.settings.latent)
    for row, unit in enumerate(units):
        z[row * steps : (row + 1) * steps, unit] = torch.linspace(-3, 3, steps)
    figure, ax = drawing.axes(6.4, max(1.5, 0.55 * len(units) + 0.7))
    picture = tiles(run, decoded(run, z), steps)
    show(ax, picture)
    step = (picture.shape[0] + 1) / len(units)
    ax.set_yticks(
        [step * (i + 0.5) - 1 for i in range(len(units))], [f"unit {unit + 1}" for unit in units]
    )
    width = picture.shape[1] / steps
    ax.set_xticks([width / 2, picture.shape[1] / 2, picture.shape[1] - width / 2], ["-3", "0", "3"])
    ax.tick_params(length=0)
    return figure


def collapse(run: Run | None = None) -> Figure:
    """The mean KL of each latent unit, sorted: units at 0 are not used."""
    run = run or site_run()
    _, mean, log_variance, _ = encoded(run)
    units = diagonal_to_standard_normal(mean[..., None], log_variance[..., None]).mean(0)
    order = units.argsort(descending=True)
    active = (mean.var(0) > 0.01)[order]
    figure, ax = drawing.axes(6.4, 3.0)
    paints = [COLOURS["blue" if on else "muted"] for on in active]
    ax.bar(range(1, len(units) + 1), units[order].tolist(), color=paints)
    ax.set(xlabel="latent unit, sorted", ylabel="mean KL (nats)")
    ax.set_title(f"{int(active.sum())} of {len(units)} units active")
    ax.xaxis.get_major_locator().set_params(integer=True)
    return figure


def training_curves(run: Run | None = None) -> Figure:
    """The ELBO and its two terms on the validation part, epoch by epoch."""
    run = run or site_run()
    epochs = [metrics["epoch"] for metrics in run.history]
    figure, (left, right) = drawing.axes(6.4, 3.0, columns=2)

    def draw(ax: Axes, name: str, paint: str, label: str) -> None:
        ax.plot(epochs, [m[name] for m in run.history], color=COLOURS[paint], label=label)

    left.plot(epochs, [-m["train_loss"] for m in run.history], color=COLOURS["muted"],
              label="training")  # fmt: skip
    draw(left, "elbo", "blue", "validation")
    draw(right, "kl", "purple", "KL term")
    floor = sorted(m["elbo"] for m in run.history)[len(epochs) // 20]
    top = max(max(m["elbo"], -m["train_loss"]) for m in run.history)
    left.set_ylim(floor - 0.1 * (top - floor), top + 0.1 * (top - floor))
    left.set(xlabel="epoch", ylabel="ELBO (nats)")
    right.set(xlabel="epoch", ylabel="KL term (nats)", ylim=(0, None))
    left.legend()
    return figure


PICTURES: dict[str, tuple[Callable[[Run | None], Any], str]] = {
    "reconstructions": (reconstructions, "Test examples and their reconstructions"),
    "samples": (samples, "Samples of the model"),
    "latent_plane": (latent_plane, "Test examples in the latent plane"),
    "manifold": (manifold, "The decoder over a grid of the latent plane"),
    "traversals": (traversals, "One latent unit at a time"),
    "collapse": (collapse, "KL of each latent unit"),
    "training_curves": (training_curves, "ELBO and KL term during training"),
}


def draw_all(run: Run) -> Iterator[tuple[str, str]]:
    """Every picture of a run as (name, SVG)."""
    for name, (draw, title) in PICTURES.items():
        yield name, drawing.svg(draw(run), title, f"Run in {run.folder.name}.")
