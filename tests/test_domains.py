"""The argument checks: each names the argument, the place, the value and the expectation."""

import pytest
import torch

from vaedocs import domains

NAN, INFINITY = float("nan"), float("inf")


def matrix(*rows):
    return torch.tensor(rows, dtype=torch.float64)


REFUSALS = [
    (domains.require_finite, matrix(1, INFINITY), "mean[1] = inf; expected a finite number"),
    (domains.require_positive, matrix(1, 0), "mean[1] = 0; expected a positive finite number"),
    (domains.require_positive, matrix(NAN), "mean[0] = nan; expected a positive finite number"),
    (
        domains.require_unit_interval,
        matrix([0.5, 1.0], [-0.1, 0.5]),
        "mean[1, 0] = -0.1; expected a probability between 0 and 1",
    ),
    (
        domains.require_probabilities,
        matrix(1.2, -0.2),
        "mean[1] = -0.2; expected a probability, at least 0",
    ),
    (
        domains.require_probabilities,
        matrix(0.5, 0.4),
        "mean sums to 0.9; expected probabilities that sum to 1 over the last dimension: "
        "divide by mean.sum(-1, keepdim=True), or use softmax",
    ),
    (
        domains.require_probabilities,
        matrix(NAN, 1),
        "mean[0] = nan; expected a probability, at least 0",
    ),
    (
        domains.require_covariance,
        matrix([1.0, 0.5], [0.4, 1.0]),
        "mean[0, 1] = 0.5 but mean[1, 0] = 0.4; expected a symmetric matrix",
    ),
    (
        domains.require_covariance,
        matrix([1.0, 1.0], [1.0, 0.5]),
        "mean has smallest eigenvalue -0.280776; expected a positive definite matrix: "
        "are two variables copies of one another, or was a standard deviation taken for a "
        "variance?",
    ),
    (
        domains.require_covariance,
        matrix(1, 2),
        "mean has shape [2]; expected square matrices [..., M, M]",
    ),
    (
        domains.require_finite,
        0.5,
        "mean is a float; expected a torch tensor: write torch.tensor(mean, dtype=torch.float64)",
    ),
    (
        domains.require_positive,
        torch.tensor([1, 2]),
        "mean has dtype torch.int64; expected floating point: write mean.to(torch.float64)",
    ),
]


@pytest.mark.parametrize(("check", "value", "words"), REFUSALS)
def test_refusal_in_full(check, value, words):
    with pytest.raises(ValueError) as refused:  # noqa: PT011  the words are compared below
        check(value, "mean")
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (domains.require_finite, matrix(-1, 0, 1)),
        (domains.require_positive, matrix(1e-300, 1)),
        (domains.require_unit_interval, matrix(0, 0.5, 1)),
        (domains.require_probabilities, matrix([0.0, 1.0], [0.25, 0.75])),
        (domains.require_probabilities, torch.softmax(torch.randn(4, 1000), -1)),
        (domains.require_covariance, matrix([2.0, -1.0], [-1.0, 2.0])),
        (domains.require_covariance, 1e-12 * torch.eye(3).expand(5, 3, 3)),
    ],
)
def test_inside_the_domain(check, value):
    check(value, "mean")


def test_shapes_must_be_equal_but_a_plain_number_goes_with_all():
    domains.require_same_shape(torch.zeros(3), torch.tensor(1.0), ("mean", "std"))
    with pytest.raises(ValueError, match=r"mean has shape \[3\] and std has shape \[3, 1\]"):
        domains.require_same_shape(torch.zeros(3), torch.zeros(3, 1), ("mean", "std"))
