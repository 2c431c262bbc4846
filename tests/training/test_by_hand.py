"""The gradient written out by hand is autograd's, for every network it says it serves."""

from dataclasses import replace

import pytest
import torch

from vaedocs.training import by_hand
from vaedocs.training.data import load
from vaedocs.training.loop import Trainer, by_autograd, make_step, standard_normal
from vaedocs.training.settings import Settings

BASE = Settings(layers=(16, 12), latent=3)
SERVED = [
    {},
    {"layers": ()},
    {"layers": (10,), "activation": "softplus"},
    {"activation": "relu"},
    {"objective": "beta", "beta": 4.0},
    {"likelihood": "binomial"},
    {"likelihood": "gaussian", "noise_variance": 0.3},
    {"conditional": True},
]


def both(settings, rows=37):
    """Loss and gradients by both ways, at parameters away from their beginning."""
    trainer = Trainer(settings.check(), load(settings))
    objective, data = trainer.objective, trainer.data
    with torch.no_grad():
        for p in objective.parameters():
            p += 0.1 * torch.randn(p.shape, generator=trainer.generator, dtype=p.dtype)
    index = torch.arange(rows)
    x = data.draw(data.train[index], trainer.generator)
    noise = standard_normal(settings, x, trainer.generator)
    y = data.one_hot(data.train_labels, index) if settings.conditional else None
    found = []
    for way in (by_autograd, by_hand.gradient):
        objective.zero_grad()
        loss = way(objective)(x, noise, y, 1 / rows)
        found.append((loss, [p.grad.clone() for p in objective.parameters()]))
    return found


@pytest.mark.parametrize("options", SERVED, ids=str)
@pytest.mark.parametrize(("precision", "tolerance"), [("fp64", 1e-12), ("fp32", 1e-6)])
def test_it_is_the_gradient_of_autograd(options, precision, tolerance):
    """To the tolerance, relative to the largest entry of each parameter's gradient."""
    settings = replace(BASE, precision=precision, **options)
    assert by_hand.serves(Trainer(settings, load(settings)).objective)
    (loss, exact), (also, found) = both(settings)
    assert also.item() == pytest.approx(loss.item(), rel=tolerance)
    for a, b in zip(exact, found, strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() <= tolerance * a.abs().max()


def test_in_bf16_it_is_that_of_autocast_up_to_its_rounding():
    (loss, exact), (also, found) = both(replace(BASE, precision="bf16"), rows=200)
    assert also.item() == pytest.approx(loss.item(), rel=1e-3)
    a, b = (torch.cat([g.flatten() for g in gradients]) for gradients in (exact, found))
    assert a.dtype == b.dtype == torch.float32
    assert (a - b).norm() < 0.01 * a.norm()


@pytest.mark.parametrize(
    "options",
    [
        {"objective": "iwae", "samples": 3},
        {"objective": "beta", "beta": 2.0, "samples": 2},
        {"likelihood": "gaussian"},
    ],
    ids=str,
)
def test_what_it_does_not_know_is_left_to_autograd(options):
    settings = replace(BASE, **options)
    assert not by_hand.serves(Trainer(settings, load(settings)).objective)


def test_a_step_overwrites_the_gradient_of_the_step_before():
    """A hundred steps by either way end at the same parameters, in double precision."""
    settings = replace(BASE, precision="fp64")
    ends = []
    for plain in (True, False):
        trainer = Trainer(settings, load(settings))
        objective = trainer.objective if plain else torch.nn.Sequential(trainer.objective)
        if not plain:
            objective.forward = trainer.objective.forward
        step = make_step(
            objective, trainer.optimiser, trainer.data, settings, trainer.group, trainer.generator
        )
        for index in torch.arange(1200).split(12):
            step(index)
        ends.append(torch.cat([p.detach().flatten() for p in trainer.objective.parameters()]))
    assert (ends[0] - ends[1]).abs().max() < 1e-9
