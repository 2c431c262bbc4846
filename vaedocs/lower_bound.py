"""The evidence lower bound: log p(x) = ELBO + KL(q(z|x) || p(z|x)).

The numbers of the page come from scalar models, p(z) = N(0, 1) and p(x|z) = N(w z, c),
where the bound, the gap and the evidence each have a closed form of their own:
that they add up is a check, not a definition.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs.domains import require_finite, require_positive
from vaedocs.kl_divergence import gaussian
from vaedocs.latent_variable_models import (
    EXAMPLE_VARIANCE,
    EXAMPLE_WEIGHT,
    EXAMPLE_X,
    linear_gaussian_log_evidence,
    linear_gaussian_posterior,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from sympy import Expr

    from vaedocs.derivation import Report


def elbo(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """Monte Carlo estimate of the bound, E_q[log p(x, z) - log q(z|x)], in nats.

    Unbiased for any joint density that can be evaluated. Jordan et al. (1999).

    Args:
        log_joint: log p(x, z) at samples z of q, ``[K, ...]``.
        log_q: log q(z|x) at the same samples, ``[K, ...]``.

    Returns:
        The average over the first dimension, ``[...]``.

    Raises:
        ValueError: the shapes differ or there is no sample.

    >>> elbo(torch.tensor([-2.0, -1.0]), torch.tensor([-1.0, -1.0]))
    tensor(-0.5000)
    """
    if log_joint.shape != log_q.shape or log_joint.ndim == 0 or len(log_joint) == 0:
        raise ValueError(
            f"log_joint has shape {list(log_joint.shape)} and log_q has shape "
            f"{list(log_q.shape)}; expected one shape [K, ...] with at least one "
            "sample"
        )
    return (log_joint - log_q).mean(0)


def linear_elbo(x: Tensor, weight: Tensor, variance: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Exact lower bound for p(z) = N(0, 1), p(x|z) = N(w z, c), q(z|x) = N(mean, std^2), in nats.

    Scalar and elementwise. It is the expected log-joint plus the entropy of q, with
    ``E[z] = mean`` and ``E[z^2] = mean^2 + std^2``.

    Raises:
        ValueError: ``variance`` or ``std`` is not positive.

    >>> one = torch.tensor(1.0)
    >>> round(linear_elbo(2 * one, 0.4 * one, one, 0.5 * one, one).item(), 3)
    -2.744
    """
    require_finite(mean, "mean")
    require_positive(variance, "variance")
    require_positive(std, "std")
    error = (x - weight * mean).square() + (weight * std).square()  # E (x - w z)^2
    log_likelihood = -0.5 * (error / variance + torch.log(2 * math.pi * variance))
    log_prior = -0.5 * (mean.square() + std.square() + math.log(2 * math.pi))
    entropy = 0.5 * torch.log(2 * math.pi * math.e * std.square())
    return log_likelihood + log_prior + entropy


class Derivation(NamedTuple):
    """A chain of SymPy expressions, with the relation that leads to each row but the first."""

    rows: tuple[Expr, ...]
    relations: tuple[str, ...]

    def verify(self) -> Report:
        """Check every step; ``report.rows`` has one verdict for each relation."""
        from vaedocs.derivation import check
        from vaedocs.derivation.printer import latex

        first, *others = map(latex, self.rows)
        steps = zip(self.relations, others, strict=True)
        lines = [first, *(f"&{relation} {row}" for relation, row in steps)]
        break_ = r" \\" + "\n"
        return check(r"\begin{aligned}" + break_.join(lines) + r"\end{aligned}")


def derivation() -> Derivation:
    """From the log-evidence to the bound, as expressions of :mod:`vaedocs.derivation`.

    The densities are abstract: no family, no dimension, only that p is one joint model
    and that q integrates to one. Which facts a step needs is found by the checker, by
    leaving out each in turn.

    >>> report = derivation().verify()
    >>> [row.verdict for row in report.rows]
    ['proved', 'proved', 'proved', 'proved', 'proved']
    >>> "q normalises" in report.rows[0].uses
    True

    A wrong step is found, and shown with numbers:

    >>> rows, relations = derivation()
    >>> wrong = Derivation((rows[0], -rows[0]), ("=",)).verify()
    >>> wrong.verdict, wrong.rows[0].counterexample is not None
    ('refuted', True)
    """
    # Imported here: training needs this file, and never the checker.
    from sympy import Symbol, log

    from vaedocs.derivation.expressions import KL, Expectation, density

    x, z = Symbol("x"), Symbol("z")
    prior, likelihood = density("p", z), density("p", x, given=(z,))
    joint, posterior = density("p", x, z), density("p", z, given=(x,))
    q = density("q", z, given=(x,))
    gap = KL(q, posterior, (z,))
    terms = Expectation(log(likelihood), q, (z,)) - KL(q, prior, (z,))
    return Derivation(
        rows=(
            log(density("p", x)),
            Expectation(log(density("p", x)), q, (z,)),
            Expectation(log(joint / posterior), q, (z,)),
            Expectation(log(joint / q), q, (z,)) + gap,
            terms + gap,
            terms,
        ),
        relations=("=", "=", "=", "=", r"\geq"),
    )


# ---------------------------------------------------------------- numbers and figures of the page


class Split(NamedTuple):
    """Evidence, bound and gap of one q in one model, in nats, and the q they belong to."""

    mean: float
    std: float
    elbo: float
    kl: float
    log_evidence: float


def split(x: float, weight: float, variance: float, mean: float, std: float) -> Split:
    """Bound, gap and evidence of one scalar linear model, each from its own formula.

    >>> one = split(x=3.0, weight=2.0, variance=1.0, mean=0.0, std=1.0)
    >>> abs(one.elbo + one.kl - one.log_evidence) < 1e-12
    True
    """
    x_, w, c, m, s = (
        torch.tensor(value, dtype=torch.float64) for value in (x, weight, variance, mean, std)
    )
    matrix, offset = w.reshape(1, 1), torch.zeros(1, dtype=torch.float64)
    centre, covariance = linear_gaussian_posterior(x_[None], matrix, offset, variance)
    kl = gaussian(m, s, centre[0], covariance[0, 0].sqrt())
    evidence = linear_gaussian_log_evidence(x_[None], matrix, offset, variance)
    return Split(mean, std, linear_elbo(x_, w, c, m, s).item(), kl.item(), evidence.item())


class Ascent(NamedTuple):
    """Where an ascent on the bound stands after ``STEPS``, and its best; the decoder is fixed."""

    start: Split
    first: Split
    second: Split
    third: Split
    best: Split


class Steps(NamedTuple):
    """After how many steps of the ascent the page shows where it stands."""

    start: int
    first: int
    second: int
    third: int


STEP_SIZE, STEPS = 0.1, Steps(0, 1, 3, 10)


def ascent() -> Ascent:
    """Improve q by gradient ascent on the bound of the running example; the decoder is fixed.

    The stages are after each of ``STEPS`` on the mean and the log-variance, and at the exact
    optimum. The evidence is the same in all of them.

    >>> [round(stage.kl, 3) for stage in ascent()]  # doctest: +ELLIPSIS
    [4.795, ..., 0.0]
    """
    x, w, c = (
        torch.tensor(v, dtype=torch.float64) for v in (EXAMPLE_X, EXAMPLE_WEIGHT, EXAMPLE_VARIANCE)
    )
    q = torch.zeros(2, dtype=torch.float64, requires_grad=True)  # mean, log-variance
    stages = []
    for step in range(STEPS.third + 1):
        mean, std = q[0], (0.5 * q[1]).exp()
        if step in STEPS:
            stages.append((mean.item(), std.item()))
        (slope,) = torch.autograd.grad(linear_elbo(x, w, c, mean, std), q)
        q = (q + STEP_SIZE * slope).detach().requires_grad_()
    precision = EXAMPLE_WEIGHT**2 / EXAMPLE_VARIANCE + 1
    optimum = EXAMPLE_WEIGHT * EXAMPLE_X / EXAMPLE_VARIANCE / precision
    stages.append((optimum, math.sqrt(1 / precision)))
    example = EXAMPLE_X, EXAMPLE_WEIGHT, EXAMPLE_VARIANCE
    return Ascent(*(split(*example, *stage) for stage in stages))


class BothRise(NamedTuple):
    """One q, two decoders: learning the decoder raised the bound and the gap together."""

    before: Split
    after: Split


def both_rise() -> BothRise:
    """x = 2, c = 1, q = N(1/2, 1); the weight of the decoder goes from 0.4 to 0.8.

    >>> pair = both_rise()
    >>> pair.after.elbo > pair.before.elbo and pair.after.kl > pair.before.kl
    True
    """
    return BothRise(
        split(x=2.0, weight=0.4, variance=1.0, mean=0.5, std=1.0),
        split(x=2.0, weight=0.8, variance=1.0, mean=0.5, std=1.0),
    )


class Positive(NamedTuple):
    """A model in which the log-evidence and the bound are above zero."""

    weight: float
    variance: float
    log_evidence: float
    evidence: float
    elbo_at_prior: float
    elbo_at_posterior: float


def positive() -> Positive:
    """p(z) = N(0, 1), p(x|z) = N(0.1 z, 0.01), observed x = 0.

    >>> round(positive().log_evidence, 3), round(positive().elbo_at_prior, 3)
    (1.037, 0.884)
    """
    weight, variance = 0.1, 0.01
    at_prior = split(x=0.0, weight=weight, variance=variance, mean=0.0, std=1.0)
    std = math.sqrt(1 / (1 + weight**2 / variance))
    at_posterior = split(x=0.0, weight=weight, variance=variance, mean=0.0, std=std)
    return Positive(
        weight,
        variance,
        at_prior.log_evidence,
        math.exp(at_prior.log_evidence),
        at_prior.elbo,
        at_posterior.elbo,
    )


def figure_bars() -> Figure:
    """Left: a fixed decoder, the gap falls as the bound rises. Right: a learned one, both rise."""
    from vaedocs import drawing

    paint = drawing.COLOURS
    figure, (left, right) = drawing.axes(height=3.7, columns=2, width_ratios=(5, 3))
    for ax, stages, labels, floor, title in (
        (left, ascent(), (*map(str, STEPS), "best"), -8.0, "decoder fixed"),
        (right, both_rise(), ("$w=0.4$", "$w=0.8$"), -3.0, "decoder learned"),
    ):
        for place, stage in enumerate(stages):
            ax.bar(place, stage.elbo - floor, bottom=floor, color=paint["blue"], width=0.7)
            ax.bar(place, stage.kl, bottom=stage.elbo, color=paint["orange"], alpha=0.75, width=0.7)
            ax.plot(
                [place - 0.45, place + 0.45],
                [stage.log_evidence] * 2,
                color=paint["ink"],
                linewidth=2.5,
            )
        ax.set_xticks(range(len(labels)), labels)
        ax.set(title=title, ylim=(floor, stages[-1].log_evidence + 0.06 * -floor))
    left.set(xlabel="steps of ascent on $q$", ylabel="nats")
    right.set(xlabel="weight of the decoder")
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure.legend(
        handles=[
            Line2D([], [], color=paint["ink"], linewidth=2.5, label=r"$\log p(x)$"),
            Patch(color=paint["orange"], alpha=0.75, label="KL: the gap"),
            Patch(color=paint["blue"], label="up to the bound"),
        ],
        loc="outside upper center",
        ncols=3,
        frameon=False,
    )
    return figure
