"""What the results page says in words follows from the files that the benchmarks wrote."""

import re
from pathlib import Path

import pytest

from vaedocs.training import results

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "results.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("size", ["mnist", "digits"])
def test_the_arms_computed_the_same_loss_in_enough_rounds(size):
    found = results.speed()[size]
    losses = found["loss_on_frozen_batch"]
    assert found["rounds"] >= 15
    for name, loss in losses.items():
        assert loss == pytest.approx(losses["ours"], rel=1e-2 if "bf16" in name else 1e-5)


def test_the_loop_of_the_book_was_measured_to_be_the_faster_one_in_fp32():
    for size in ("mnist", "digits"):
        times = results.speed()[size]["arms"]["ours"]["times"]
        for ratio in (times["pytorch_examples"], times["pythae"]):
            assert ratio["wall"]["low"] > 1
            assert ratio["wall"]["median"] == pytest.approx(ratio["processor"]["median"], rel=0.15)


@pytest.mark.parametrize("seed", range(3))
def test_the_five_minutes_were_five_minutes_of_the_network_on_the_page(seed):
    found = results.five_minutes()[f"seed_{seed}"]
    assert found["recipe"] == "burda-2016-five-minutes"
    assert found["seed"] == seed
    assert 300 <= found["processor_seconds_in_all"] < 310
    assert found["test"]["examples"] == found["importance_weighted"]["examples"] == 10_000
    assert found["test"]["negative_elbo"] > found["importance_weighted"]["negative_bound"]


def test_every_number_of_the_tables_comes_from_a_file():
    """A table row holds no typed decimal number: only values and names."""
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    typed = re.findall(r"\d+\.\d+", " ".join(re.sub(r"\{\{.*?\}\}", "", row) for row in rows))
    assert set(typed) <= {"0.1"}, typed  # of pythae's version


def test_every_value_on_the_page_is_in_the_files():
    paths = re.findall(r"\{\{ vaedocs\.training\.results\.([\w.]+)", PAGE)
    assert len(paths) > 15
    for path in paths:
        name, *keys = path.split(".")
        value = getattr(results, name)()
        for key in keys:
            value = value[key]
        assert isinstance(value, int | float | str), path
