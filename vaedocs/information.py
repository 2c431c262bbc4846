"""Information: how surprising an outcome is, measured by minus the logarithm of its probability.

Values are in nats unless a name says bits. Source: Shannon (1948), section 6.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs.domains import (
    require_finite,
    require_positive,
    require_same_shape,
    require_unit_interval,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def information(probability: Tensor) -> Tensor:
    """Information of an event with the given probability, elementwise, in nats.

    Never negative; 0 for a certain event; infinite for an impossible one. Raises
    ``ValueError`` where a value is not between 0 and 1: a density is not a probability, see
    ``normal_log_density``. Source: Shannon (1948), section 6.

    >>> information(torch.tensor([1.0, 0.5, 0.0]))
    tensor([0.0000, 0.6931,    inf])
    """
    require_unit_interval(probability, "probability")
    return torch.log(1 / probability)  # not -log(p), which would write -0.0 at p = 1


def in_bits(nats: Tensor) -> Tensor:
    """Convert nats to bits: one bit is log 2 nats.

    >>> in_bits(information(torch.tensor(0.125)))
    tensor(3.)
    """
    return nats / math.log(2)


def normal_log_density(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Logarithm of the density N(x; mean, std²), elementwise; of any sign.

    All three have one shape (a tensor without dimensions goes with any). Raises
    ``ValueError`` where shapes differ, a value is not finite or a standard deviation is not
    positive.

    >>> zero, narrow = torch.tensor(0.0), torch.tensor(0.1)
    >>> round(normal_log_density(zero, zero, narrow).item(), 4)
    1.3836
    """
    require_finite(x, "x")
    require_finite(mean, "mean")
    require_positive(std, "std")
    require_same_shape(x, mean, ("x", "mean"))
    require_same_shape(x, std, ("x", "std"))
    require_same_shape(mean, std, ("mean", "std"))
    return -0.5 * ((x - mean) / std).square() - std.log() - 0.5 * math.log(2 * math.pi)


class Examples(NamedTuple):
    """Information of the page's events, in nats and in bits."""

    coin_nats: float
    coin_bits: float
    die_nats: float
    die_bits: float
    both_nats: float
    lottery_bits: float
    rare_rain_nats: float
    common_rain_nats: float


def examples() -> Examples:
    """Compute the events that the page quotes: a coin, a die, both, a lottery ticket, rain.

    The chance of rain is 1 in 100 at the dry place and 2 in 3 at the wet one.

    >>> examples().coin_bits
    1.0
    """
    coin, die = torch.tensor(1 / 2, dtype=torch.float64), torch.tensor(1 / 6, dtype=torch.float64)
    lottery = torch.tensor(1 / math.comb(49, 6), dtype=torch.float64)
    rare, common = torch.tensor([1 / 100, 2 / 3], dtype=torch.float64)
    return Examples(
        coin_nats=information(coin).item(),
        coin_bits=in_bits(information(coin)).item(),
        die_nats=information(die).item(),
        die_bits=in_bits(information(die)).item(),
        both_nats=information(coin * die).item(),
        lottery_bits=in_bits(information(lottery)).item(),
        rare_rain_nats=information(rare).item(),
        common_rain_nats=information(common).item(),
    )


class NarrowDensity(NamedTuple):
    """A density of standard deviation 0.1 at its peak, in metres and again in millimetres."""

    std: float
    density: float
    negative_log: float
    negative_log_millimetres: float
    change: float
    probability: float
    information: float

    @property
    def millionths(self) -> float:
        """``information`` less ``negative_log_millimetres``, in millionths of a nat."""
        return 1e6 * (self.information - self.negative_log_millimetres)


def narrow_density() -> NarrowDensity:
    """Evaluate N(0, 0.1²) at its peak, and the probability of one millimetre around the peak.

    The density exceeds 1, so its negative logarithm is below 0; in millimetres it is not. The
    probability of an interval, which is what the density stands for, behaves.

    >>> round(narrow_density().negative_log, 4)
    -1.3836
    """
    zero, std = torch.zeros((), dtype=torch.float64), torch.tensor(0.1, dtype=torch.float64)
    log_density = normal_log_density(zero, zero, std)
    millimetres = normal_log_density(zero, zero, 1000 * std)
    # P(|x| <= half) = erf(half / (std √2)), with half a millimetre on either side.
    probability = torch.erf(0.0005 / (std * math.sqrt(2)))
    return NarrowDensity(
        std=std.item(),
        density=log_density.exp().item(),
        negative_log=-log_density.item(),
        negative_log_millimetres=-millimetres.item(),
        change=(log_density - millimetres).item(),
        probability=probability.item(),
        information=information(probability).item(),
    )


class Guessing(NamedTuple):
    """What one yes-or-no question about a number from 1 to 16 tells."""

    questions: float
    halving_bits: float
    lucky_yes_bits: float
    lucky_no_bits: float


def guessing() -> Guessing:
    """Compare two first questions about a number from 1 to 16: "above 8?" and "is it 7?".

    >>> guessing().questions
    4.0
    """
    chance = torch.tensor([1 / 16, 1 / 2, 1 / 16, 15 / 16], dtype=torch.float64)
    return Guessing(*in_bits(information(chance)).tolist())


def three_nats() -> float:
    """Ratio of two probabilities whose logarithms differ by 3 nats.

    >>> round(three_nats(), 2)
    20.09
    """
    return math.exp(3)


def peak_threshold() -> float:
    """Standard deviation below which the peak of a Gaussian density exceeds 1: 1/√(2π).

    >>> round(peak_threshold(), 4)
    0.3989
    """
    return 1 / math.sqrt(2 * math.pi)


def figure_information() -> Figure:
    """Information against probability, with a coin, a die and a sure thing marked."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.4)
    probability = torch.linspace(0.005, 1, 200, dtype=torch.float64)
    ax.plot(probability, information(probability), color=COLOURS["blue"])
    events = [(1 / 36, "two sixes"), (1 / 6, "one six"), (1 / 2, "heads"), (1.0, "certain")]
    for chance, label in events:
        place = (chance, information(torch.tensor(chance)).item())
        ax.plot(*place, "o", color=COLOURS["orange"], clip_on=False, zorder=3)
        offset, side = ((9, 6), "left") if chance < 1 else ((-4, 10), "right")
        ax.annotate(label, place, xytext=offset, textcoords="offset points", ha=side)

    def in_nats(bits: Tensor) -> Tensor:
        return bits * math.log(2)

    ax.secondary_yaxis("right", functions=(in_bits, in_nats)).set_ylabel("bits")
    ax.set(xlabel="probability of the event", ylabel="information (nats)", xlim=(0, 1), ylim=(0, 5))
    return figure


def figure_density_against_mass() -> Figure:
    """Minus the log of a narrow density dips below 0; minus the log of a mass never does."""
    from vaedocs.drawing import COLOURS, axes

    figure, (left, right) = axes(height=3.2, columns=2, sharey=True)
    x = torch.linspace(-0.35, 0.35, 101, dtype=torch.float64)
    std = torch.tensor(0.1, dtype=torch.float64)
    code = -normal_log_density(x, torch.zeros_like(std), std)
    left.plot(x, code, color=COLOURS["blue"])
    left.fill_between(x, code, 0, where=(code < 0).numpy(), color=COLOURS["red"], alpha=0.25)
    left.set(title="density: any sign", xlabel="x (metres)", ylabel="minus log (nats)")
    width = 0.05
    middles = torch.arange(-0.35, 0.3501, width, dtype=torch.float64)
    edges = torch.cat([middles - width / 2, middles[-1:] + width / 2])
    mass = torch.special.ndtr(edges / std).diff()  # ndtr: distribution function of N(0, 1)
    heights = information(mass).numpy()
    right.bar(middles.numpy(), heights, 0.8 * width, color=COLOURS["blue"], alpha=0.75)
    right.set(title="bins of 5 cm: never negative", xlabel="x (metres)")
    for ax in (left, right):
        ax.axhline(0, color=COLOURS["muted"], linewidth=1)
        ax.set(xlim=(-0.4, 0.4), ylim=(-2, 8), xticks=[-0.3, 0, 0.3])
    return figure
