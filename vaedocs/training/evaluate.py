"""Hold a trained run against exact answers, on its test data.

ELBO with its standard error; the importance-weighted bound; where the latent size is 1 or 2 the
certified log p(x) and the gap, split in two; active units; the aggregate posterior. All values are
nats an example. Examples are drawn at random from the whole test part, never taken as a prefix.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vaedocs.kl_divergence import diagonal_to_standard_normal
from vaedocs.kl_term import surgery, surgery_by_sampling
from vaedocs.measure_the_gap import LogLikelihood, UncertifiedEvidenceError, measure_gap
from vaedocs.reparameterization import sample
from vaedocs.tighter_bounds import importance_weighted
from vaedocs.training.device import find_device
from vaedocs.training.likelihoods import Gaussian
from vaedocs.training.run_folder import Run
from vaedocs.training.settings import UserError

ROWS_AT_ONCE = 2000


class Posterior:
    """The test examples of a run with the encoder's q for each, in a chosen precision.

    A conditional model sees its label: it travels as further columns of ``x``, so that every
    function that splits the rows keeps the two together.
    """

    def __init__(self, run: Run, dtype: torch.dtype, seed: int, device: str = "cpu") -> None:
        where, self.seed = find_device(device), seed
        data = run.data.to(where, dtype)
        self.model = copy.deepcopy(run.model).to(where, dtype)
        self.law = copy.deepcopy(run.likelihood).to(where, dtype)
        self.generator = torch.Generator(where).manual_seed(seed)
        self.size = data.test.shape[1]
        x = data.draw(data.test, self.generator)
        if run.settings.conditional:
            every = torch.arange(len(x), device=where)
            x = torch.cat([x, data.one_hot(data.test_labels, every)], -1)
        self.x = x[torch.randperm(len(x), generator=self.generator, device=where)]
        with torch.no_grad():
            self.mean, self.log_variance = self.model.encoder(self.x)

    @property
    def log_likelihood(self) -> LogLikelihood:
        """log p(x|z), in the form of :mod:`vaedocs.measure_the_gap`."""

        def log_p(x: Tensor, z: Tensor) -> Tensor:
            if x.shape[-1] == self.size and len(z) == 1 and x.shape[1] == 1:
                return self.law.table(x[:, 0], self.model.decoder(z[0]))
            y = x[..., self.size :] if x.shape[-1] > self.size else None
            value: Tensor = self.law(x[..., : self.size], self.model.decoder(z, y))
            return value

        return log_p

    def chosen(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """x, mean and log-variance of the first ``count`` in the random order; 0: of all."""
        count = count or len(self.x)
        return self.x[:count], self.mean[:count], self.log_variance[:count]


def with_error(values: Tensor) -> dict[str, float]:
    """The mean of some values and its standard error over the examples.

    >>> with_error(torch.tensor([1.0, 3.0], dtype=torch.float64).repeat(2))["mean"]
    2.0
    """
    error = values.std().item() / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return {"mean": values.mean().item(), "standard_error": error}


@torch.no_grad()
def lower_bound(posterior: Posterior, count: int) -> dict[str, Any]:
    """The ELBO with one sample an example, its two terms, the KL of each unit, the active units."""
    x, mean, log_variance = posterior.chosen(count)
    noise = torch.randn(mean.shape, generator=posterior.generator,
                        dtype=mean.dtype, device=mean.device)  # fmt: skip
    z = sample(mean, log_variance, noise)
    reconstruction = torch.cat(
        [
            posterior.log_likelihood(part, latent)
            for part, latent in zip(x.split(ROWS_AT_ONCE), z.split(ROWS_AT_ONCE), strict=True)
        ]
    )
    kl = diagonal_to_standard_normal(mean, log_variance)
    units = diagonal_to_standard_normal(mean[..., None], log_variance[..., None]).mean(0)
    return {
        "elbo": with_error(reconstruction - kl),
        "reconstruction": with_error(reconstruction),
        "kl": with_error(kl),
        "kl_of_units": [round(value, 6) for value in units.tolist()],
        "active_units": int((mean.var(0) > 0.01).sum()),
        "examples": len(x),
    }


@torch.no_grad()
def importance(posterior: Posterior, samples: int, count: int) -> dict[str, Any]:
    """The importance-weighted bound: its mean, and both sources of error.

    ``standard_error`` is over the examples; ``sampling_error`` is that of the weights.
    """
    values, errors = [], []
    x, mean, log_variance = (t.split(ROWS_AT_ONCE) for t in posterior.chosen(count))
    for rows, m, v in zip(x, mean, log_variance, strict=True):
        found = importance_weighted(
            posterior.log_likelihood, rows, m, v, samples, generator=posterior.generator
        )
        values.append(found.value)
        errors.append(found.standard_error)
    value, error = torch.cat(values), torch.cat(errors)
    return {
        "samples": samples,
        "bound": with_error(value),
        "sampling_error": (error.square().sum().sqrt() / len(error)).item(),
        "examples": len(value),
    }


def exact(posterior: Posterior, count: int) -> dict[str, Any]:
    """log p(x) by the certified grid, and the gap of the bound in its two parts; or why not."""
    x, mean, log_variance = posterior.chosen(count)
    for parameter in (*posterior.model.parameters(), *posterior.law.parameters()):
        parameter.requires_grad_(False)
    try:
        gap = measure_gap(posterior.log_likelihood, x, mean, log_variance)
    except (UncertifiedEvidenceError, ValueError) as error:
        return {"refused": str(error)}
    return {
        "log_evidence": with_error(gap.log_evidence),
        "elbo": with_error(gap.elbo),
        "gap": with_error(gap.total),
        "amortisation": with_error(gap.amortisation),
        "family": with_error(gap.family),
        "largest_change_of_grid": gap.change.max().item(),
        "smallest_gap": gap.total.min().item(),
        "examples": len(x),
    }


@torch.no_grad()
def aggregate(posterior: Posterior, count: int) -> dict[str, float]:
    """The mean KL term split in two: what z tells about the example, and how q(z) misses p(z).

    By quadrature on at most 200 examples where the latent size allows it, else by sampling on at
    most 1,000; see :mod:`vaedocs.kl_term`. Both parts depend on the number of examples.
    """
    few = posterior.mean.shape[1] <= 2
    most = 200 if few else 1000
    _, mean, log_variance = (t.cpu().double() for t in posterior.chosen(min(count or most, most)))
    generator = torch.Generator().manual_seed(posterior.seed)
    found = (
        surgery(mean, log_variance, points=41)
        if few
        else surgery_by_sampling(mean, log_variance, 32, generator=generator)
    )
    return {
        "mean_kl": found.mean_divergence,
        "information": found.information,
        "at_most": found.most_information,
        "kl_of_aggregate": found.aggregate_divergence,
        "residual": found.residual,
        "examples": len(mean),
    }


def evaluate(
    run: Run,
    samples: int,
    examples: int,
    exact_examples: int,
    seed: int,
    device: str = "cpu",
    say: Callable[[str], None] = lambda doing: None,
) -> dict[str, Any]:
    """Everything about a run that can be measured on its test data; ``say`` hears what is next."""
    if examples > len(run.data.test) or exact_examples > len(run.data.test):
        raise UserError(
            f"--examples {examples}, --exact {exact_examples}: {run.data.name} has "
            f"{len(run.data.test)} test examples"
        )
    if samples < 2:
        raise UserError(f"--samples is {samples}; expected at least 2, for K = 1 is the ELBO")
    posterior = Posterior(run, torch.float32, seed, device)
    count = examples or len(run.data.test)
    found: dict[str, Any] = {
        "data": run.data.name,
        "likelihood": run.settings.likelihood,
        "seed": seed,
        **lower_bound(posterior, examples),
    }
    say(f"importance-weighted bound: {samples} samples for each of {count} examples")
    found["importance_weighted"] = importance(posterior, samples, examples)
    say("aggregate posterior")
    found["aggregate_posterior"] = aggregate(posterior, examples)
    if isinstance(posterior.law, Gaussian):
        found["noise_variance"] = posterior.law.variance.item()
    if exact_examples:
        say(f"exact log p(x) by quadrature and the best q: {exact_examples} examples")
        found["exact"] = exact(Posterior(run, torch.float64, seed, device), exact_examples)
    return found


def table(found: dict[str, Any]) -> str:
    """The measures as lines for a reader."""

    def line(name: str, value: dict[str, float], note: str = "") -> str:
        return f"{name:<28}{value['mean']:>10.3f} ± {value['standard_error']:.3f}  {note}".rstrip()

    weighted, split = found["importance_weighted"], found["aggregate_posterior"]
    lines = [
        f"{found['data']}, {found['likelihood']}, {found['examples']} test examples; nats an "
        "example, ± one standard error over the examples",
        line("ELBO", found["elbo"]),
        line("  reconstruction", found["reconstruction"]),
        line("  KL", found["kl"]),
        line(
            f"IWAE, K = {weighted['samples']}",
            weighted["bound"],
            f"sampling error {weighted['sampling_error']:.3f}",
        ),
        f"{'active units':<28}{found['active_units']:>10d} of {len(found['kl_of_units'])}",
        f"{'information z, example':<28}{split['information']:>10.3f}, at most "
        f"log {split['examples']} = {split['at_most']:.3f}",
        f"{'KL(q(z) || p(z))':<28}{split['kl_of_aggregate']:>10.3f}",
    ]
    if "noise_variance" in found:
        lines.append(f"{'noise variance c':<28}{found['noise_variance']:>10.5f}")
    certain = found.get("exact", {})
    if "refused" in certain:
        lines.append(f"exact log p(x): not reported: {certain['refused']}")
    elif certain:
        lines += [
            f"on {certain['examples']} of them, log p(x) by quadrature (two grids agree within "
            f"{certain['largest_change_of_grid']:.1e}):",
            line("log p(x)", certain["log_evidence"]),
            line("ELBO, without sampling", certain["elbo"]),
            line("gap", certain["gap"], f"smallest {certain['smallest_gap']:.4f}"),
            line("  amortisation", certain["amortisation"]),
            line("  family", certain["family"]),
        ]
    return "\n".join(lines)
