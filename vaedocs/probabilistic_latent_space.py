"""Why a probabilistic latent space: holes of a plain autoencoder, and two terms that close them.

Source: Bernard (2022) for the two words, continuity and completeness; here they are quantities.
Kingma & Welling (2014), appendix B, for the regularisation, whose two halves are shown apart.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from vaedocs.autoencoders_and_pca import (
    decode,
    digits,
    encode,
    principal_axes,
    reconstruction_loss,
)
from vaedocs.domains import require_finite, require_positive

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAINING_IMAGES = 1500  # of 1797, drawn once; the other 297 are held out
NOISE_VARIANCE = 0.05  # c: the squared error is divided by 2c
LATENT = 8  # dimensions where regimes are compared in numbers; pictures of planes take two
REGIMES = {"none": (0, 0), "local": (1, 0), "global": (0, 1), "both": (1, 1)}


def local_term(std: Tensor) -> Tensor:
    """Price of a code's spread, ½Σ(σ² - 1 - log σ²): ``[..., M] -> [...]``, in nats.

    Zero at σ = 1, infinite as σ tends to 0: it forbids codes that are points. Raises
    ``ValueError`` where a standard deviation is not positive. Source: Kingma & Welling (2014).

    >>> local_term(torch.tensor([[1.0, 1.0], [1.0, 0.001]]))
    tensor([0.0000, 6.4078])
    """
    require_positive(std, "std")
    return 0.5 * (std.square() - 1 - std.square().log()).sum(-1)


def global_term(mean: Tensor) -> Tensor:
    """Price of a code's place, ½Σμ²: ``[..., M] -> [...]``, in nats.

    Zero at the origin: it forbids codes that are far from the others. Raises
    ``ValueError`` where a mean is not finite. Source: Kingma & Welling (2014), appendix B.

    >>> global_term(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
    tensor([ 0.0000, 12.5000])
    """
    require_finite(mean, "mean")
    return 0.5 * mean.square().sum(-1)


def regularised_loss(
    x: Tensor, decoded: Tensor, mean: Tensor, std: Tensor, terms: tuple[int, int] = (1, 1)
) -> Tensor:
    """Loss of each image, ‖x - x̂‖² / 2c plus the two terms: ``[..., N] -> [...]``, in nats.

    The code has the mean and the standard deviation ``[..., M]``; ``terms``, of ones and
    zeros, switches the local and the global term on or off.

    >>> image, code = torch.zeros(64), torch.ones(2)
    >>> regularised_loss(image, image, mean=code, std=code)
    tensor(1.)
    >>> regularised_loss(image, image, mean=code, std=code, terms=(1, 0))
    tensor(0.)
    """
    error = (x - decoded).square().sum(-1) / (2 * NOISE_VARIANCE)
    return error + terms[0] * local_term(std) + terms[1] * global_term(mean)


def autoencoder(latent: int, hidden: int = 128) -> tuple[nn.Module, nn.Module]:
    """Two small networks: image ``[..., 64]`` to mean and log σ ``[..., 2M]``, code to image.

    >>> encoder, decoder = autoencoder(2)
    >>> decoder(encoder(torch.zeros(5, 64))[:, :2]).shape
    torch.Size([5, 64])
    """
    encoder = nn.Sequential(nn.Linear(64, hidden), nn.Tanh(), nn.Linear(hidden, 2 * latent))
    decoder = nn.Sequential(
        nn.Linear(latent, hidden), nn.Tanh(), nn.Linear(hidden, 64), nn.Sigmoid()
    )
    return encoder, decoder


class Trained(NamedTuple):
    """A decoder, and the codes that its encoder gives to the held-out and the training images."""

    decoder: nn.Module
    mean: Tensor
    std: Tensor
    training_mean: Tensor


@lru_cache(maxsize=4)
def split() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training images and labels, then held-out images and labels, float32.

    >>> [len(part) for part in split()]
    [1500, 1500, 297, 297]
    """
    images, labels = digits()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    first, rest = order[:TRAINING_IMAGES], order[TRAINING_IMAGES:]
    return images[first].float(), labels[first], images[rest].float(), labels[rest]


@lru_cache(maxsize=16)
def trained(regime: str, latent: int = 2, steps: int = 600, seed: int = 0) -> Trained:
    """Train on digits for about a second with one of four regimes: none, local, global, both.

    Where there is a term the code is a sample, mean + σ noise; without any it is the mean, and
    the autoencoder a plain one.

    >>> trained("both", steps=5).mean.shape
    torch.Size([297, 2])
    """
    if regime not in REGIMES:
        raise ValueError(f'regime is "{regime}"; expected one of {", ".join(REGIMES)}')
    terms = REGIMES[regime]
    x, _, held_out, _ = split()
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():  # seeds the initial weights without touching the caller's state
        torch.manual_seed(seed)
        encoder, decoder = autoencoder(latent)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # for matrices this small a second thread only waits
    optimiser = torch.optim.Adam(
        [*encoder.parameters(), *decoder.parameters()], lr=1e-2, fused=True
    )
    for _ in range(steps):
        batch = x[torch.randint(len(x), (128,), generator=generator)]
        mean, log_std = encoder(batch).chunk(2, -1)
        noise = torch.randn(mean.shape, generator=generator) if any(terms) else 0.0
        std = log_std.exp()
        loss = regularised_loss(batch, decoder(mean + std * noise), mean, std, terms)
        optimiser.zero_grad()
        loss.mean().backward()
        optimiser.step()
    torch.set_num_threads(threads)
    with torch.no_grad():
        mean, log_std = encoder(held_out).chunk(2, -1)
        training_mean = encoder(x).chunk(2, -1)[0]
    return Trained(decoder.requires_grad_(False), mean, log_std.exp(), training_mean)


def nearest_distance(images: Tensor, reference: Tensor) -> Tensor:
    """Euclidean distance of each image ``[n, N]`` to its nearest in ``[m, N]``, shape ``[n]``.

    >>> nearest_distance(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [9.0, 9.0]]))
    tensor([5.])
    """
    return torch.cdist(images, reference).amin(-1)


def discontinuity(decoder: nn.Module, codes: Tensor, scale: Tensor, step: float = 0.01) -> Tensor:
    """How fast the image changes: ‖d(z + h s u) - d(z)‖ / h at each code, ``[n, M] -> [n]``.

    u is a random direction of length 1; s, the ``scale`` ``[M]``, is the standard deviation
    of the codes along each axis, so that shrinking the latent space changes nothing.

    >>> twice = nn.Linear(2, 2, bias=False)
    >>> twice.weight.data = 2 * torch.eye(2)
    >>> speed = discontinuity(twice, torch.zeros(1, 2), torch.ones(2))
    >>> round(speed.item(), 4)
    2.0
    """
    direction = torch.randn(codes.shape, generator=torch.Generator().manual_seed(2))
    direction = direction / direction.norm(dim=-1, keepdim=True)
    moved: Tensor = decoder(codes + step * scale * direction) - decoder(codes)
    speed: Tensor = moved.norm(dim=-1) / step
    return speed


class Measures(NamedTuple):
    """What one regime gives; distances are between images, ``spread`` is that of the means."""

    error: float
    discontinuity: float
    incompleteness: float
    incompleteness_fitted: float
    std: float
    spread: float


def measures(regime: str) -> Measures:
    """Measure a regime: squared error, discontinuity, incompleteness, mean σ, spread of the codes.

    Incompleteness is the mean distance from a decoded draw of N(0, I) to the nearest training
    image. The fitted one draws from a Gaussian with the mean and covariance of the codes instead.

    >>> measures("both").error > 0
    True
    """
    x, _, held_out, _ = split()
    model = trained(regime, LATENT)
    codes = model.training_mean
    z = torch.randn(2000, LATENT, generator=torch.Generator().manual_seed(1))
    factor: Tensor = torch.linalg.cholesky(torch.cov(codes.T))
    fitted = codes.mean(0) + z @ factor.T
    return Measures(
        error=(held_out - model.decoder(model.mean)).square().sum(-1).mean().item(),
        discontinuity=discontinuity(model.decoder, model.mean, codes.std(0)).mean().item(),
        incompleteness=nearest_distance(model.decoder(z), x).mean().item(),
        incompleteness_fitted=nearest_distance(model.decoder(fitted), x).mean().item(),
        std=model.std.mean().item(),
        spread=codes.std(0).mean().item(),
    )


@lru_cache(maxsize=1)
def regimes() -> dict[str, Measures]:
    """Measure all four regimes; see ``measures``.

    >>> list(regimes())
    ['none', 'local', 'global', 'both']
    """
    return {regime: measures(regime) for regime in REGIMES}


class Reference(NamedTuple):
    """What the regimes are compared with: distances to the nearest training image, an error."""

    held_out: float
    pixel_gaussian: float
    linear: float
    images: int


@lru_cache(maxsize=1)
def reference() -> Reference:
    """Distances for held-out digits and for draws from one Gaussian fitted to the pixels.

    ``linear`` is the squared error of the linear autoencoder on the held-out digits, with the
    ``LATENT`` principal axes of the training images.

    >>> reference().held_out < reference().pixel_gaussian
    True
    """
    x, _, held_out, _ = split()
    mean, axes, eigenvalues = principal_axes(x.double(), x.shape[1])
    noise = torch.randn(2000, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    draws = mean + (noise * eigenvalues.clamp_min(0).sqrt()) @ axes.T
    kept, unseen = axes[:, :LATENT], held_out.double()
    return Reference(
        nearest_distance(held_out, x).mean().item(),
        nearest_distance(draws.float(), x).mean().item(),
        reconstruction_loss(unseen, decode(encode(unseen, mean, kept), mean, kept)).item(),
        len(held_out),
    )


def charge_for_points() -> float:
    """Charge of the local term for one dimension of standard deviation 1/1000, in nats.

    >>> round(charge_for_points(), 2)
    6.41
    """
    return local_term(torch.tensor([0.001], dtype=torch.float64)).item()


def circle_share(radius: float = 2.0) -> float:
    """Share of N(0, I) in two dimensions within a circle about the origin, in per cent.

    >>> round(circle_share(), 1)
    86.5
    """
    return 100 * (1 - math.exp(-(radius**2) / 2))


def aggregate_correlation(distance: float = 2.0, std: float = 0.1) -> float:
    """Correlation of the coordinates in an equal mixture of N((d, d), σ²I) and N((-d, -d), σ²I).

    The covariance is that of the means; each variance adds σ² to it.

    >>> round(aggregate_correlation(), 4)
    0.9975
    """
    means = torch.tensor([[distance, distance], [-distance, -distance]], dtype=torch.float64)
    covariance = means.T @ means / 2 + std**2 * torch.eye(2, dtype=torch.float64)
    return (covariance[0, 1] / covariance[0, 0]).item()


class Manifold(NamedTuple):
    """Share of held-out digits whose label the nearest training codes tell, in per cent."""

    neighbours: int
    encoder: float
    pca: float
    chance: float


@lru_cache(maxsize=1)
def manifold(neighbours: int = 10) -> Manifold:
    """Compare two numbers per digit: the encoder's, and the first two principal components.

    >>> manifold().encoder > manifold().pca
    True
    """
    x, labels, held_out, held_out_labels = split()
    model = trained("both")
    mean, axes, _ = principal_axes(x, 2)
    pairs = [
        (model.training_mean, model.mean),
        (encode(x, mean, axes), encode(held_out, mean, axes)),
    ]
    shares = []
    for codes, queries in pairs:
        nearest = torch.cdist(queries, codes).topk(neighbours, largest=False).indices
        votes = labels[nearest].mode(-1).values
        shares.append(100 * (votes == held_out_labels).double().mean().item())
    commonest = labels.bincount().argmax()
    chance = 100 * (held_out_labels == commonest).double().mean().item()
    return Manifold(neighbours, shares[0], shares[1], chance)


def figure_regimes() -> Figure:
    """Four latent planes: each code a cross of one standard deviation, four digits in colour."""
    from vaedocs.drawing import COLOURS, axes

    figure, grid = axes(height=6.6, rows=2, columns=2)
    labels = split()[3]
    coloured = {0: "blue", 1: "orange", 4: "green", 6: "purple"}
    groups = [(labels == digit, colour, f"digit {digit}") for digit, colour in coloured.items()]
    groups.insert(0, (~torch.isin(labels, torch.tensor(list(coloured))), "muted", "others"))
    titles = ("no term", "local term only", "global term only", "both terms")
    for ax, regime, title in zip(grid.flat, REGIMES, titles, strict=True):
        model = trained(regime)
        reach = max(3.2, 1.05 * model.mean.abs().max().item())
        # The plain autoencoder has no spread, and with the global term alone it vanishes: such
        # codes are drawn as dots.
        std = torch.zeros_like(model.std) if regime == "none" else model.std
        for chosen, colour, label in groups:
            centre, half = model.mean[chosen], std[chosen].clamp_min(0.004 * reach)
            across, up = half * torch.tensor([1, 0]), half * torch.tensor([0, 1])
            lift = torch.full_like(centre, torch.nan)  # lifts the pen: one path per digit
            stops = (centre - across, centre + across, lift, centre - up, centre + up, lift)
            x, y = torch.stack(stops, 1).flatten(0, 1).T
            style = {"linewidth": 1.6, "solid_capstyle": "round", "label": label}
            style["alpha"] = 0.35 if label == "others" else 1
            ax.plot(x, y, color=COLOURS[colour], **style)
        angle = torch.linspace(0, 6.2832, 61)
        ax.plot(2 * angle.cos(), 2 * angle.sin(), "--", color=COLOURS["muted"], linewidth=1.2)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=title)
    handles = grid[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=5, columnspacing=1, frameon=False)
    return figure


def figure_prior_draws(columns: int = 9) -> Figure:
    """Decoded draws of N(0, I): plain autoencoder above, both terms below, and real digits."""
    from vaedocs.drawing import axes

    z = torch.randn(columns, LATENT, generator=torch.Generator().manual_seed(3))
    rows = {
        "plain": trained("none", LATENT).decoder(z),
        "both terms": trained("both", LATENT).decoder(z),
        "real digits": split()[2][:columns],
    }
    figure, grid = axes(height=2.9, rows=3, columns=columns)
    for line, (title, images) in zip(grid, rows.items(), strict=True):
        line[0].set_title(title, loc="left", fontsize=12)
        for ax, image in zip(line, images, strict=True):
            pixels = image.reshape(8, 8).numpy()
            ax.imshow(pixels, cmap="gray_r", vmin=0, vmax=1, interpolation="none")
            ax.set_axis_off()
    return figure
