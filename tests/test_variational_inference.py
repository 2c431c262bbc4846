"""The diagonal fits are optima, and the gap is what an optimiser finds."""

import math

import pytest
import torch

from vaedocs.drawing import svg
from vaedocs.kl_divergence import multivariate_gaussian
from vaedocs.variational_inference import (
    figure_fits,
    figure_gap,
    forward_fit,
    gap_by_correlation,
    mean_field,
    mean_field_gap,
    reverse_fit,
    strong_correlation_gap,
)


@pytest.fixture(params=[2, 3, 5])
def covariance(request):
    generator = torch.Generator().manual_seed(request.param)
    factor = torch.randn(request.param, request.param, generator=generator, dtype=torch.float64)
    return factor @ factor.mT + 0.1 * torch.eye(request.param, dtype=torch.float64)


def minimise(objective, start):
    variable = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([variable], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        value = objective(variable)
        value.backward()
        return value

    optimiser.step(closure)
    return variable.detach()


@pytest.mark.parametrize("direction", ["reverse", "forward"])
def test_fits_are_what_an_optimiser_finds(covariance, direction):
    size = len(covariance)
    zero = torch.zeros(size, dtype=torch.float64)

    def objective(parameters):
        q = parameters[:size], torch.diag(parameters[size:].exp())
        p = zero, covariance
        return (
            multivariate_gaussian(*q, *p)
            if direction == "reverse"
            else multivariate_gaussian(*p, *q)
        )

    found = minimise(objective, 0.3 * torch.ones(2 * size, dtype=torch.float64))
    expected = reverse_fit(covariance) if direction == "reverse" else forward_fit(covariance)
    torch.testing.assert_close(found[:size], zero, atol=1e-4, rtol=0)
    torch.testing.assert_close(found[size:].exp(), expected, atol=1e-4, rtol=1e-3)
    if direction == "reverse":
        assert objective(found).item() == pytest.approx(mean_field_gap(covariance).item(), abs=1e-7)


def test_gap_is_zero_for_a_diagonal_covariance_only(covariance):
    assert mean_field_gap(torch.diag(covariance.diagonal())).item() == pytest.approx(0, abs=1e-12)
    assert mean_field_gap(covariance) > 1e-3


def test_reverse_is_never_wider_than_forward(covariance):
    assert (reverse_fit(covariance) <= forward_fit(covariance) + 1e-12).all()


def test_gap_by_correlation_is_the_gap_of_such_a_pair():
    pair = torch.tensor([[4.0, 2 * 0.6], [2 * 0.6, 1.0]], dtype=torch.float64)
    assert gap_by_correlation(torch.tensor(0.6)).item() == pytest.approx(
        mean_field_gap(pair).item()
    )


def test_numbers_of_the_page():
    answer = mean_field()
    assert answer.gap == pytest.approx(0.5 * math.log(15 / 11))
    assert round(answer.gap, 5) == 0.15508
    precision = (answer.precision_11, answer.precision_22, answer.precision_12, answer.determinant)
    assert precision == pytest.approx((3, 5, 2, 11))
    assert (answer.reverse_1, answer.reverse_2) == pytest.approx((1 / 3, 1 / 5))
    assert (answer.forward_1, answer.forward_2) == pytest.approx((5 / 11, 3 / 11))
    assert answer.gap < answer.gap_of_forward_fit < answer.gap_at_prior
    assert strong_correlation_gap() == pytest.approx(-0.5 * math.log(1 - 0.99**2))


@pytest.mark.parametrize("function", [reverse_fit, forward_fit, mean_field_gap])
def test_a_matrix_that_is_no_covariance_is_said_in_words(function):
    with pytest.raises(ValueError, match="expected a positive definite matrix"):
        function(torch.tensor([[1.0, 2.0], [2.0, 1.0]]))


def test_a_correlation_of_one_is_said_in_words():
    with pytest.raises(ValueError, match=r"correlation is not inside \(-1, 1\)"):
        gap_by_correlation(torch.tensor([0.5, 1.0]))


def test_the_figure_shows_the_widths_of_both_fits():
    figure = figure_fits()
    (ax,) = figure.axes
    answer = mean_field()
    _, reverse, forward, _ = ax.lines
    for line, first, second in (
        (reverse, answer.reverse_1, answer.reverse_2),
        (forward, answer.forward_1, answer.forward_2),
    ):
        width, height = line.get_xydata().max(0) - line.get_xydata().min(0)
        assert width == pytest.approx(4 * first**0.5, rel=1e-3)
        assert height == pytest.approx(4 * second**0.5, rel=1e-3)
    for drawn in (figure, figure_gap()):
        assert svg(drawn, "a title").startswith("<svg")
