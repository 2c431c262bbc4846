"""The recipe of Burda et al. (2016), one layer, k = 1: train, evaluate, print JSON.

    python -m benchmarks.burda_2016 --folder MNIST --device cuda --output build/burda

runs all 3280 passes; with ``--minutes 9`` it stops in time, and the same command goes on where it
stopped. The test images are binarised once at random; the log-likelihood is estimated with 5,000
importance samples an image, as in the paper. ``--batch 128`` is six times quicker and no longer
the paper's recipe; the JSON says which it was.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from vaedocs.training import run_folder
from vaedocs.training.data import load
from vaedocs.training.evaluate import Posterior, importance, lower_bound
from vaedocs.training.loop import Trainer
from vaedocs.training.settings import Settings, read_preset


class Timed(Trainer):
    """A trainer that stops at a wall-clock deadline, after a finished epoch."""

    deadline = float("inf")

    def enough(self) -> bool:
        return super().enough() or time.monotonic() > self.deadline


def main() -> None:
    """Train until the end or the deadline; evaluate when the end is reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True, help="the four IDX files of MNIST")
    parser.add_argument("--output", type=Path, required=True, help="the run folder, new or begun")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--preset", default="burda-2016")
    parser.add_argument("--batch", type=int, default=0, help="0: the recipe's")
    parser.add_argument("--epochs", type=int, default=0, help="0: the recipe's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--no-graph", action="store_true", help="launch every kernel by itself")
    parser.add_argument("--evaluate-anyway", action="store_true", help="even if stopped in time")
    options = parser.parse_args()
    begun = time.monotonic()
    settings = Settings.from_dict(
        {**read_preset(options.preset), "folder": options.folder, "device": options.device,
         "seed": options.seed, "graph": options.device != "cpu" and not options.no_graph},
        options.preset,
    )  # fmt: skip
    settings = replace(
        settings,
        batch=options.batch or settings.batch,
        epochs=options.epochs or settings.epochs,
    )
    data = load(settings)
    folder: Path = options.output

    def report(metrics: dict[str, float]) -> None:
        print(
            f"epoch {metrics['epoch']:.0f}  ELBO on training rows {metrics['elbo']:.2f}  "
            f"{time.monotonic() - begun:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    trainer = Timed(settings, data, folder, report=report)
    trainer.deadline = begun + 60 * options.minutes
    if (folder / "last.pt").exists():
        trainer.resume(folder / "last.pt")
    else:
        run_folder.start(folder, settings, data)
    first, training = trainer.progress.step, time.monotonic()
    end = trainer.run()
    trainer.save()
    seconds = time.monotonic() - training
    found = {
        "recipe": options.preset,
        "batch": settings.batch,
        "seed": settings.seed,
        "epochs": end.epoch,
        "of_epochs": settings.epochs,
        "finished": end.epoch == settings.epochs,
        "steps_a_second": round((end.step - first) / seconds, 1) if end.step > first else None,
        "seconds_this_call": round(seconds, 1),
        "processor_seconds_in_all": round(end.spent, 1),
        "precision": "bf16" if trainer.objective.low_precision else "fp32",
        "device": torch.cuda.get_device_name() if options.device != "cpu" else platform.machine(),
        "torch": torch.__version__,
    }
    if found["finished"] or trainer.settings.budget or options.evaluate_anyway:
        run = run_folder.Run(
            folder, settings, data, trainer.objective.model, trainer.objective.likelihood, []
        )
        posterior = Posterior(run, torch.float32, seed=0, device=options.device)
        test, weighted = lower_bound(posterior, 0), importance(posterior, options.samples, 0)
        found["test"] = {"negative_elbo": -test["elbo"]["mean"], **test}
        found["importance_weighted"] = {"negative_bound": -weighted["bound"]["mean"], **weighted}
    print(json.dumps(found, indent=2))
    (folder / "burda.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
