"""The sample has the right law, the right derivative, and clear words for wrong shapes."""

import pytest
import sympy
import torch
from sympy.stats import E, Normal

from vaedocs.drawing import svg
from vaedocs.reparameterization import (
    DRAWS,
    PATHWISE_VARIANCE,
    conventions,
    figure_graphs,
    figure_variances,
    measured,
    pathwise_gradients,
    sample,
    score_gradients,
    score_variance,
    wiggly,
)


def test_moments_are_those_of_q():
    generator = torch.Generator().manual_seed(11)
    mean = torch.tensor([1.0, -2.0], dtype=torch.float64)
    variance = torch.tensor([0.25, 4.0], dtype=torch.float64)
    count = 200_000
    noise = torch.randn(count, 2, generator=generator, dtype=torch.float64)
    z = sample(mean, variance.log(), noise)
    # Five standard errors: sqrt(v / n) for the mean, v sqrt(2 / n) for the variance.
    assert ((z.mean(0) - mean).abs() < 5 * (variance / count).sqrt()).all()
    assert ((z.var(0) - variance).abs() < 5 * variance * (2 / count) ** 0.5).all()


def test_gradient_agrees_with_finite_differences():
    generator = torch.Generator().manual_seed(12)
    arguments = [
        torch.randn(3, 2, generator=generator, dtype=torch.float64, requires_grad=True)
        for _ in range(3)
    ]
    assert torch.autograd.gradcheck(sample, arguments)


def test_more_noise_gives_more_samples():
    mean = torch.zeros(4, 2)
    assert sample(mean, mean, torch.ones(5, 4, 2)).shape == (5, 4, 2)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([(4, 2), (4, 1), (4, 2)], r"mean has shape \[4, 2\] and log_variance has shape \[4, 1\]"),
        ([(4, 2), (4, 2), (4, 1)], r"mean has shape \[4, 2\] and noise has shape \[4, 1\]"),
        ([(4, 2), (4, 2), (3, 2)], r"leading dimensions that broadcast"),
    ],
)
def test_a_mismatch_is_said_in_words(shapes, words):
    with pytest.raises(ValueError, match=words):
        sample(*(torch.zeros(shape) for shape in shapes))


FUNCTIONS = [
    lambda z: z.square().sum(-1),
    lambda z: torch.sin(z).prod(-1),
    lambda z: torch.exp(-z.square().sum(-1)),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("estimator", [pathwise_gradients, score_gradients])
def test_both_estimators_average_to_the_gradient(function, estimator):
    mean = torch.tensor([0.4, -0.8], dtype=torch.float64)
    log_variance = torch.tensor([-0.5, 0.3], dtype=torch.float64)

    def expectation(mean):
        line = torch.linspace(-9, 9, 301, dtype=torch.float64)
        noise = torch.cartesian_prod(line, line)
        weight = torch.exp(-0.5 * noise.square().sum(-1))
        return (weight * function(sample(mean, log_variance, noise))).sum() / weight.sum()

    step = 1e-4 * torch.eye(2, dtype=torch.float64)
    exact = torch.stack([expectation(mean + e) - expectation(mean - e) for e in step]) / 2e-4
    generator = torch.Generator().manual_seed(13)
    noise = torch.randn(100_000, 2, generator=generator, dtype=torch.float64)
    gradients = estimator(function, mean, log_variance, noise)
    error = gradients.std(0) / len(noise) ** 0.5
    assert ((gradients.mean(0) - exact).abs() < 5 * error).all()


def test_exact_variances_are_the_gaussian_moments():
    mu, baseline = sympy.symbols("mu b", real=True)
    zeta = Normal("zeta", 0, 1)
    score = ((mu + zeta) ** 2 - baseline) * zeta
    path = 2 * (mu + zeta)
    for estimate in (score, path):
        assert sympy.expand(E(sympy.expand(estimate))) == 2 * mu
    variance = sympy.expand(E(sympy.expand(score**2)) - 4 * mu**2)
    assert sympy.expand(variance.subs(baseline, 0)) == mu**4 + 14 * mu**2 + 15
    assert sympy.solve(sympy.diff(variance, baseline), baseline) == [mu**2 + 3]
    assert sympy.expand(variance.subs(baseline, mu**2 + 3)) == 8 * mu**2 + 6
    for m, b in [(0.0, 0.0), (1.0, 0.0), (-2.5, 1.5)]:
        assert score_variance(m, b) == pytest.approx(float(variance.subs({mu: m, baseline: b})))
    assert float(sympy.expand(E(sympy.expand(path**2)) - 4 * mu**2)) == PATHWISE_VARIANCE


def test_measured_variances_agree_with_the_exact_ones():
    answer = measured()
    assert answer.pathwise_variance == pytest.approx(answer.pathwise_exact, rel=0.02)
    assert answer.score_variance == pytest.approx(answer.score_exact, rel=0.05)
    for average, variance in (
        (answer.pathwise_mean, answer.pathwise_exact),
        (answer.score_mean, answer.score_exact),
    ):
        assert abs(average - 2) < 5 * (variance / answer.draws) ** 0.5
    assert answer.baseline_exact == 14


def test_four_readings_of_one_output():
    answer = conventions()
    assert (answer.as_variance, answer.as_deviation) == (4, 16)
    assert answer.kl_as_variance == pytest.approx(0.806853, abs=1e-6)
    assert answer.kl_as_deviation == pytest.approx(6.113706, abs=1e-6)
    for variance, divergence in (
        (answer.as_log_variance, answer.kl_as_log_variance),
        (answer.as_log_deviation, answer.kl_as_log_deviation),
    ):
        q = torch.distributions.Normal(0.0, variance**0.5)
        exact = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).item()
        assert divergence == pytest.approx(exact, rel=1e-5)
    assert answer.as_log_deviation == pytest.approx(answer.as_log_variance**2)
    assert answer.outer_rank == 1


def test_a_wiggly_function_turns_the_order_round():
    """Exactly: the mean squares of k cos(k z) and sin(k z) zeta, less the square of the mean."""
    answer = wiggly()
    zeta = torch.linspace(-9, 9, 20001, dtype=torch.float64)
    weight = torch.softmax(-0.5 * zeta.square(), 0)
    z = 1 + zeta
    for measured_variance, estimate in (
        (answer.pathwise, answer.k * torch.cos(answer.k * z)),
        (answer.score, torch.sin(answer.k * z) * zeta),
    ):
        mean = weight @ estimate
        exact = (weight @ (estimate - mean).square()).item()
        spread = (weight @ ((estimate - mean).square() - exact).square()).sqrt().item()
        assert abs(measured_variance - exact) < 5 * spread / DRAWS**0.5
    assert answer.score == pytest.approx(0.5, abs=0.02)
    assert answer.pathwise == pytest.approx(answer.k**2 / 2, rel=0.02)


def test_the_measured_points_lie_on_the_exact_curves():
    figure = figure_variances()
    (ax,) = figure.axes
    assert len(ax.lines) == 6
    for curve, points in zip(ax.lines[::2], ax.lines[1::2], strict=True):
        exact = dict(zip(*map(list, curve.get_data()), strict=True))
        for mean, measured_variance in zip(*points.get_data(), strict=True):
            assert measured_variance == pytest.approx(exact[mean], rel=0.05)
    for drawn in (figure, figure_graphs()):
        assert svg(drawn, "a title").startswith("<svg")
