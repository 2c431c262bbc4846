"""Adam's step, its moments looked up once: the same numbers as ``optimiser.step``."""

import copy

import pytest
import torch

from vaedocs.training.adam import adam_step


def networks(count, **options):
    """Equal small networks, each with an Adam of its own."""
    torch.manual_seed(0)
    first = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3))
    made = [first, *(copy.deepcopy(first) for _ in range(count - 1))]
    return [(m, torch.optim.Adam(m.parameters(), 1e-2, fused=True, **options)) for m in made]


def train(network, update, optimiser, steps, skipped=0):
    """Steps on random data; the rate falls, the gradients are new tensors every time."""
    generator = torch.Generator().manual_seed(1)
    for x in [torch.randn(6, 5, generator=generator) for _ in range(skipped + steps)][skipped:]:
        network.zero_grad(set_to_none=True)
        network(x).square().sum().backward()
        update()
        optimiser.param_groups[0]["lr"] *= 0.9


def same(a, b):
    return all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


@pytest.mark.parametrize(
    "options", [{}, {"weight_decay": 0.1}, {"eps": 1e-4}, {"betas": (0.5, 0.9)}]
)
def test_the_parameters_are_those_of_the_optimiser_itself(options):
    (ours, one), (theirs, two) = networks(2, **options)
    train(ours, adam_step(one), one, 20)
    train(theirs, two.step, two, 20)
    assert same(ours, theirs)
    assert one.state_dict()["state"][0]["step"] == 20


def test_it_goes_on_from_a_state_that_was_loaded_before():
    (ours, one), (theirs, two), (third, three) = networks(3)
    train(theirs, two.step, two, 12)
    train(ours, adam_step(one), one, 5)
    third.load_state_dict(ours.state_dict())
    three.load_state_dict(one.state_dict())
    train(third, adam_step(three), three, 7, skipped=5)
    assert same(third, theirs)


def test_a_gradient_that_is_missing_is_told():
    ((network, optimiser),) = networks(1)
    update = adam_step(optimiser)
    train(network, update, optimiser, 1)
    network.zero_grad(set_to_none=True)
    with pytest.raises((TypeError, RuntimeError)):
        update()
