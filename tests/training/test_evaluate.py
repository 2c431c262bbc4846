"""Evaluation against exact answers: quadrature, closed forms, the linear model."""

from dataclasses import replace

import pytest
import torch

from vaedocs import linear_vae, measure_the_gap
from vaedocs.training import run_folder, site_run
from vaedocs.training.data import load
from vaedocs.training.evaluate import Posterior, evaluate, exact, importance, lower_bound, table
from vaedocs.training.loop import Trainer
from vaedocs.training.reference import numbers
from vaedocs.training.run_folder import Run
from vaedocs.training.settings import Settings


def quick_run(folder, **options):
    settings = replace(Settings(epochs=2, layers=(8,), batch=200), **options).check()
    data = load(settings)
    run_folder.start(folder, settings, data)
    Trainer(settings, data, folder).run()
    return Run.open(folder)


@pytest.mark.parametrize("count", [40, pytest.param(360, marks=pytest.mark.slow)])
def test_the_bound_is_below_log_p_on_every_test_digit(count):
    """Held-out digits of the site's run (all 360 in the slow case); two grids certify each."""
    posterior = Posterior(site_run(), torch.float64, seed=0)
    x, mean, log_variance = posterior.chosen(count)
    with torch.no_grad():
        evidence = measure_the_gap.log_evidence(posterior.log_likelihood, x, 2)
        bound = measure_the_gap.elbo(posterior.log_likelihood, x, mean, log_variance)
    assert len(bound) == count
    assert evidence.change.max() <= 1e-4
    assert (bound < evidence.log_evidence).all()
    assert (evidence.log_evidence - bound).mean() < 2


def test_the_gap_of_the_site_run_is_the_sum_of_its_parts():
    found = numbers()
    assert found.gap == pytest.approx(found.amortisation + found.family)
    assert min(found.amortisation, found.family, found.smallest_gap) >= 0
    assert found.active_units == 2
    assert found.elbo > -21, "the site's run should be a trained one"


def test_one_sample_agrees_with_quadrature_and_more_samples_come_nearer():
    posterior = Posterior(site_run(), torch.float64, seed=0)
    x, mean, log_variance = posterior.chosen(100)
    with torch.no_grad():
        bound = measure_the_gap.elbo(posterior.log_likelihood, x, mean, log_variance)
        evidence = measure_the_gap.log_evidence(posterior.log_likelihood, x, 2).log_evidence
    estimates = [lower_bound(posterior, 100)["elbo"]["mean"] for _ in range(50)]
    spread = torch.tensor(estimates).std().item() / 50**0.5
    assert abs(sum(estimates) / 50 - bound.mean().item()) < 4.5 * spread
    few, many = (importance(posterior, k, 100)["bound"]["mean"] for k in (5, 500))
    assert bound.mean() < few < many < evidence.mean() + 0.02


def test_the_two_parts_of_the_divergence_add_up():
    found = evaluate(site_run(), samples=2, examples=0, exact_examples=0, seed=0)
    split = found["aggregate_posterior"]
    assert split["information"] + split["kl_of_aggregate"] == pytest.approx(
        split["mean_kl"], abs=1e-3
    )
    assert split["mean_kl"] == pytest.approx(found["kl"]["mean"], rel=0.05)
    assert split["information"] <= split["at_most"]
    assert sum(found["kl_of_units"]) == pytest.approx(found["kl"]["mean"], abs=1e-4)


def test_a_latent_size_of_three_is_refused_by_the_grid_in_words(tmp_path):
    run = quick_run(tmp_path, latent=3)
    found = evaluate(run, samples=2, examples=50, exact_examples=5, seed=0)
    assert "the latent size is 3; the grid takes 1 or 2" in found["exact"]["refused"]
    assert "exact log p(x): not reported: the latent size is 3" in table(found)


def test_a_conditional_run_is_measured_with_its_labels(tmp_path):
    run = quick_run(tmp_path, conditional=True)
    posterior = Posterior(run, torch.float64, seed=0)
    shuffled = Posterior(run, torch.float64, seed=0)
    shuffled.x[:, 64:] = shuffled.x[:, 64:].roll(1, 0)
    assert exact(posterior, 4)["elbo"] != exact(shuffled, 4)["elbo"]
    assert exact(posterior, 4)["smallest_gap"] > 0


def test_the_trained_linear_model_reaches_probabilistic_pca(tmp_path):
    """The stochastic trainer, through every part of it, against the closed form.

    Two latent dimensions, c learned, the data of a known model: the ELBO on the training rows
    comes within 0.01 nats of the largest possible log-likelihood.
    """
    settings = Settings(
        data="ppca", likelihood="gaussian", layers=(), latent=2, epochs=120, batch=100,
        learning_rate=2e-2, validation=0.0, precision="fp64", evaluate_every=120,
    ).check()  # fmt: skip
    data = load(settings)
    trainer = Trainer(settings, data)
    trainer.run()
    x = trainer.data.train
    model = linear_vae.maximum_likelihood(x, 2)
    best = linear_vae.log_likelihood(x, model).mean().item()
    mean, log_variance = trainer.objective.model.encoder(x)
    with torch.no_grad():
        bound = measure_the_gap.elbo(
            lambda x, z: trainer.objective.likelihood(x, trainer.objective.model.decoder(z)),
            x, mean, log_variance, points=31,
        ).mean()  # fmt: skip
    assert best - 0.01 < bound.item() < best
    c = trainer.objective.likelihood.variance.item()
    assert c == pytest.approx(float(model.variance), rel=0.02)
