"""Information: Shannon's properties, and the density that is not a probability."""

import math

import pytest
import torch
from sections import drawn, figures, refusal

from vaedocs import information as page

GENERATOR = torch.Generator().manual_seed(2)


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_independent_events_add():
    p, q = torch.rand(2, 100, generator=GENERATOR, dtype=torch.float64)
    torch.testing.assert_close(page.information(p * q), page.information(p) + page.information(q))


def test_never_negative_and_falling():
    p = torch.linspace(0, 1, 1001, dtype=torch.float64)
    values = page.information(p)
    assert values[0] == math.inf
    assert math.copysign(1, values[-1].item()) == 1  # 0.0, not -0.0
    assert (values.diff()[1:] < 0).all()


def test_bits():
    assert page.in_bits(page.information(f64(1 / 1024))).item() == pytest.approx(10)


def test_normal_log_density_against_torch_distributions():
    x, mean, log_std = torch.randn(3, 50, generator=GENERATOR, dtype=torch.float64)
    witness = torch.distributions.Normal(mean, log_std.exp()).log_prob(x)
    torch.testing.assert_close(page.normal_log_density(x, mean, log_std.exp()), witness)


def test_narrow_density():
    found = page.narrow_density()
    assert found.negative_log == pytest.approx(-1.3836465597893728)
    assert found.change == pytest.approx(math.log(1000))
    assert found.probability == pytest.approx(0.001 * found.density, rel=1e-5)
    assert found.information > 0 > found.negative_log


def test_peak_threshold_is_where_the_peak_is_one():
    zero, std = f64(0)[0], f64(page.peak_threshold())[0]
    assert page.normal_log_density(zero, zero, std).item() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: page.information(f64(0.5, 3.99)),
            "probability[1] = 3.99; expected a probability between 0 and 1",
        ),
        (
            lambda: page.normal_log_density(f64(0), f64(0), f64(-1)),
            "std[0] = -1; expected a positive finite number",
        ),
        (
            lambda: page.normal_log_density(f64(0, 1), f64(0), f64(1)),
            "x has shape [2] and mean has shape [1]; expected equal shapes",
        ),
    ],
)
def test_bad_arguments_in_full(call, words):
    assert refusal(call) == words


@pytest.mark.parametrize("figure", figures(page))
def test_figures_keep_to_the_colours_of_the_book(figure):
    assert drawn(figure).startswith("<svg")
