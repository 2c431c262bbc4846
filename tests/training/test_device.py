"""What the machine can do, and that a run leaves the process as it found it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vaedocs.training.data import load
from vaedocs.training.device import subnormals_as_zero
from vaedocs.training.loop import Trainer
from vaedocs.training.settings import Settings


def keeps_subnormals() -> bool:
    return (torch.tensor(torch.finfo(torch.float32).tiny) / 2).item() > 0


def test_a_run_leaves_subnormal_numbers_out_and_gives_them_back() -> None:
    seen: list[bool] = []
    settings = replace(Settings(), epochs=1, layers=(4,), latent=1)
    trainer = Trainer(settings, load(settings), report=lambda _: seen.append(keeps_subnormals()))
    trainer.run()
    assert seen == [False]
    assert keeps_subnormals()


def test_they_are_given_back_when_a_run_breaks_off() -> None:
    with pytest.raises(KeyboardInterrupt), subnormals_as_zero():
        raise KeyboardInterrupt
    assert keeps_subnormals()


def test_one_inside_another_gives_back_what_it_found() -> None:
    with subnormals_as_zero():
        with subnormals_as_zero():
            assert not keeps_subnormals()
        assert not keeps_subnormals()
    assert keeps_subnormals()


def test_the_loss_of_a_confident_decoder_does_not_change() -> None:
    """What is left out is below 1e-37 a pixel, far under the rounding of the sum."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(16, 784, generator=generator) * 30 - 60
    x = torch.rand(16, 784, generator=generator)
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    with subnormals_as_zero():
        without = loss(logits, x, reduction="none").sum(-1)
    assert torch.equal(without, loss(logits, x, reduction="none").sum(-1))
