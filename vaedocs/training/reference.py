"""The run that the pages of the book show, and its numbers.

Digits, black and white, two latent dimensions, smooth networks: small enough to train in seconds
on one processor and to compute log p(x) exactly.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch

from vaedocs import (
    from_lower_bound_to_vae,
    kl_divergence,
    lower_bound_reformulated,
    reparameterization,
)
from vaedocs.training import data, evaluate, likelihoods, loop, run_folder
from vaedocs.training.run_folder import Run
from vaedocs.training.settings import Settings

SITE_SETTINGS = Settings(epochs=150, learning_rate=5e-3).check()
MADE_WITH = (
    from_lower_bound_to_vae, kl_divergence, lower_bound_reformulated, reparameterization,
    data, likelihoods, loop, run_folder,
)  # fmt: skip


def key(settings: Settings = SITE_SETTINGS) -> str:
    """A name for what a run would be: its settings, the code that trains it, torch's version.

    >>> key() == key(), key() == key(Settings(seed=1))
    (True, False)
    """
    digest = hashlib.sha256(json.dumps(settings.as_dict(), sort_keys=True).encode())
    digest.update(torch.__version__.encode())
    for module in MADE_WITH:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]


@cache
def site_run(settings: Settings = SITE_SETTINGS) -> Run:
    """Read the run from ``build/runs`` if one of this key is there, else train it now.

    It is trained in a folder of its own and then moved into place, so that two builds at once
    cannot spoil each other.
    """
    home = Path(os.environ.get("VAEDOCS_BUILD", "build")) / "runs"
    folder = home / f"{settings.data}-{key(settings)}"
    if not (folder / "last.pt").exists():
        working = home / f"{folder.name}.{os.getpid()}"
        shutil.rmtree(working, ignore_errors=True)
        threads = torch.get_num_threads()
        torch.set_num_threads(settings.threads)
        try:
            rows = data.load(settings)
            trainer = loop.Trainer(settings, rows, working)
            run_folder.start(working, settings, rows)
            trainer.run()
        finally:
            torch.set_num_threads(threads)
        try:
            working.rename(folder)
        except OSError:  # another build was first
            shutil.rmtree(working, ignore_errors=True)
    return Run.open(folder)


class Numbers(NamedTuple):
    """What the run measures on the digits it was not trained on, nats an example."""

    train: int
    """Digits trained on."""
    test: int
    """Digits held out, all of them in the ELBO below."""
    epochs: int
    elbo: float
    elbo_error: float
    """Standard error over the examples."""
    kl: float
    active_units: int
    exact_examples: int
    """Digits drawn at random for the exact values below."""
    log_evidence: float
    gap: float
    amortisation: float
    family: float
    smallest_gap: float


@cache
def numbers() -> Numbers:
    """The numbers of :func:`site_run` that pages may quote."""
    run = site_run()
    found = evaluate.evaluate(run, samples=50, examples=0, exact_examples=12, seed=0)
    certain = found["exact"]
    return Numbers(
        len(run.data.train),
        len(run.data.test),
        run.settings.epochs,
        found["elbo"]["mean"],
        found["elbo"]["standard_error"],
        found["kl"]["mean"],
        found["active_units"],
        certain["examples"],
        certain["log_evidence"]["mean"],
        certain["gap"]["mean"],
        certain["amortisation"]["mean"],
        certain["family"]["mean"],
        certain["smallest_gap"],
    )
