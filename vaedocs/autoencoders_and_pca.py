"""Autoencoders and principal component analysis: what a narrow passage keeps of the data.

Sources: Eckart & Young (1936); Bourlard & Kamp (1988); Baldi & Hornik (1989).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs.domains import require_finite, require_same_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class PrincipalAxes(NamedTuple):
    """The mean ``[N]``, the axes U ``[N, M]`` (orthonormal columns), all N eigenvalues, falling."""

    mean: Tensor
    axes: Tensor
    eigenvalues: Tensor


def principal_axes(x: Tensor, components: int, *, centre: bool = True) -> PrincipalAxes:
    """Top eigenvectors of the covariance (dividing by the number of rows) of data ``[n, N]``.

    ``centre=False`` leaves the mean in, which is the mistake that the page shows. Raises
    ``ValueError`` where the data are not a finite matrix, or components is not from 1 to N.
    Source: Eckart & Young (1936).

    >>> x = torch.tensor([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]])
    >>> found = principal_axes(x, 1)
    >>> found.eigenvalues, found.axes.abs().squeeze()
    (tensor([9., 1.]), tensor([1., 0.]))
    """
    require_finite(x, "x")
    if x.ndim != 2:
        raise ValueError(f"x has shape {list(x.shape)}; expected [n, N], one row per example")
    if not 1 <= components <= x.shape[1]:
        raise ValueError(
            f"components is {components}; expected a whole number from 1 to N = {x.shape[1]}"
        )
    mean = x.mean(0) if centre else torch.zeros_like(x[0])
    covariance = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, eigenvectors = torch.linalg.eigh(covariance)  # rising, so turn both round
    return PrincipalAxes(mean, eigenvectors.flip(-1)[:, :components], eigenvalues.flip(-1))


def encode(x: Tensor, mean: Tensor, axes: Tensor) -> Tensor:
    """Code z = Uᵀ(x - mean) of each row: ``[..., N] -> [..., M]``.

    >>> encode(torch.tensor([2.0, 5.0]), torch.zeros(2), torch.tensor([[1.0], [0.0]]))
    tensor([2.])
    """
    _require_axes(x, axes, "x", 0)
    return (x - mean) @ axes


def decode(z: Tensor, mean: Tensor, axes: Tensor) -> Tensor:
    """Reconstruction mean + Uz of each row: ``[..., M] -> [..., N]``.

    >>> decode(torch.tensor([2.0]), torch.zeros(2), torch.tensor([[1.0], [0.0]]))
    tensor([2., 0.])
    """
    _require_axes(z, axes, "z", 1)
    return z @ axes.T + mean


def reconstruction_loss(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Squared norm ‖x - x̂‖², summed over the N coordinates and averaged over the examples.

    Raises ``ValueError`` where shapes differ.

    >>> reconstruction_loss(torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.zeros(2, 2))
    tensor(12.5000)
    """
    require_same_shape(x, reconstruction, ("x", "reconstruction"))
    return (x - reconstruction).square().sum(-1).mean()


def _kept_loss(x: Tensor, mean: Tensor, axes: Tensor) -> float:
    """Reconstruction loss of the linear autoencoder with these axes."""
    return reconstruction_loss(x, decode(encode(x, mean, axes), mean, axes)).item()


def _require_axes(t: Tensor, axes: Tensor, name: str, side: int) -> None:
    if axes.ndim != 2 or not t.ndim or t.shape[-1] != axes.shape[side]:
        raise ValueError(
            f"axes has shape {list(axes.shape)} and cannot take {name} of shape {list(t.shape)}; "
            f"expected axes [N, M] and {name} [..., {'NM'[side]}]"
        )


@lru_cache(maxsize=1)
def digits() -> tuple[Tensor, Tensor]:
    """Images ``[1797, 64]`` and labels ``[1797]`` of scikit-learn's digits; pixels from 0 to 1.

    >>> images, labels = digits()
    >>> list(images.shape), images.max().item(), labels[:3].tolist()
    ([1797, 64], 1.0, [0, 1, 2])
    """
    from sklearn.datasets import load_digits

    bundle = load_digits()
    return torch.from_numpy(bundle.data) / 16, torch.from_numpy(bundle.target)


def shape_refusal() -> str:
    """The checker's words on z = e x with e of shape N x M, the transposed mistake.

    >>> "matrix cannot multiply" in shape_refusal()
    True
    """
    from vaedocs.derivation import check

    given = [r"x \in \mathbb{R}^{N}", r"e \in \mathbb{R}^{N \times M}"]
    problem = check(r"z = e \, x", given).problems()[0]
    return problem.splitlines()[0].split("is wrong: ")[1]


class Tail(NamedTuple):
    """Loss of the best linear autoencoder on the digits, and the eigenvalues it leaves out."""

    images: int
    pixels: int
    components: int
    loss: float
    tail: float
    kept_percent: float


def eckart_young(components: int = 8) -> Tail:
    """Compare the loss on the digits with the sum of the discarded eigenvalues.

    >>> found = eckart_young(8)
    >>> abs(found.loss - found.tail) < 1e-12
    True
    """
    x, _ = digits()
    mean, axes, eigenvalues = principal_axes(x, components)
    tail = eigenvalues[components:].sum().item()
    kept_percent = 100 * (1 - tail / eigenvalues.sum().item())
    loss = _kept_loss(x, mean, axes)
    return Tail(len(x), x.shape[1], components, loss, tail, kept_percent)


class TwoAxes(NamedTuple):
    """Losses of one-dimensional codes for data of covariance diag(9, 1) in the plane."""

    long_axis: float
    short_axis: float
    diagonal: float
    scale: float
    rescaled: float


def two_axes(scale: float = 7.3) -> TwoAxes:
    """Keep one axis of four points of covariance diag(9, 1): orthonormal is not enough.

    The last loss has the encoder Uᵀ/scale and the decoder scale·U, an invertible map A = scale.

    >>> [round(value, 6) for value in two_axes()]
    [1.0, 9.0, 5.0, 7.3, 1.0]
    """
    x = torch.tensor([[3, 1], [3, -1], [-3, 1], [-3, -1]], dtype=torch.float64)
    zero, half = torch.zeros(2, dtype=torch.float64), math.sqrt(0.5)

    def loss(axis: list[float], scale: float = 1.0) -> float:
        axes = torch.tensor(axis, dtype=torch.float64)[:, None]
        code = encode(x, zero, axes / scale)
        return reconstruction_loss(x, decode(code, zero, scale * axes)).item()

    return TwoAxes(loss([1, 0]), loss([0, 1]), loss([half, half]), scale, loss([1, 0], scale))


class Uncentred(NamedTuple):
    """First axis and loss for the same four points moved up by ten, with and without centring."""

    centred_axis: tuple[float, float]
    centred_loss: float
    raw_axis: tuple[float, float]
    raw_loss: float


def uncentred() -> Uncentred:
    """Move the four points to the mean (0, 10), and forget to subtract it.

    >>> uncentred().raw_axis
    (0.0, 1.0)
    """
    x = torch.tensor([[3, 11], [3, 9], [-3, 11], [-3, 9]], dtype=torch.float64)
    found = []
    for centre in (True, False):
        mean, axes, _ = principal_axes(x, 1, centre=centre)
        first, second = axes.abs().squeeze(-1).tolist()
        found.append(((first, second), _kept_loss(x, mean, axes)))
    return Uncentred(*found[0], *found[1])


class TrainedLinear(NamedTuple):
    """A linear autoencoder trained on the digits by descent, held against the principal axes."""

    components: int
    loss: float
    best: float
    largest_angle: float
    alignment: float

    @property
    def millionths(self) -> float:
        """How far the loss is above the best one, in millionths."""
        return 1e6 * (self.loss - self.best)


@lru_cache(maxsize=1)
def trained_linear_autoencoder(components: int = 2, seed: int = 0) -> TrainedLinear:
    """Minimise ‖x - d e x‖² over free matrices e ``[M, N]`` and d ``[N, M]``, at random first.

    ``largest_angle`` (degrees) is between the decoder's column space and the principal
    subspace; ``alignment`` is the largest |cosine| of a decoder column with a principal axis.

    >>> found = trained_linear_autoencoder()
    >>> found.millionths < 1 and found.largest_angle < 0.1
    True
    """
    x, _ = digits()
    mean, axes, eigenvalues = principal_axes(x, components)
    centred = x - mean
    generator = torch.Generator().manual_seed(seed)
    e, d = (
        (0.1 * torch.randn(shape, generator=generator, dtype=torch.float64)).requires_grad_()
        for shape in ((components, x.shape[1]), (x.shape[1], components))
    )
    optimiser = torch.optim.LBFGS([e, d], max_iter=400, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = reconstruction_loss(centred, centred @ e.T @ d.T)
        loss.backward()
        return loss

    optimiser.step(closure)
    loss, columns = closure().item(), d.detach()
    best = eigenvalues[components:].sum().item()
    span, _ = torch.linalg.qr(columns)
    # The sine of the largest principal angle is the spectral norm of what the axes leave of
    # the span; unlike an arc cosine it stays exact for small angles.
    sine = torch.linalg.matrix_norm(span - axes @ (axes.T @ span), 2).item()
    cosines = (columns / columns.norm(dim=0)).T @ axes
    angle = math.degrees(math.asin(sine))
    return TrainedLinear(components, loss, best, angle, cosines.abs().max().item())


def figure_autoencoder(components: int = 8) -> Figure:
    """Diagram: input, encoder, narrow code, decoder, output, with a real digit at both ends."""
    from vaedocs.drawing import arrow, box, diagram

    figure, ax = diagram(6.4, 2.3)
    x, _ = digits()
    mean, axes, _ = principal_axes(x, components)
    output = decode(encode(x[0], mean, axes), mean, axes)
    for image, left in ((x[0], 0.1), (output, 5.2)):
        _show(ax, image, left, 0.75, 1.1)
    encoder = box(
        ax, 2.0, 1.3, "encoder\n$e$", width=1.0, height=1.5, shape="encoder", colour="blue", size=14
    )
    code = box(ax, 3.2, 1.3, "$z$", width=0.45, height=0.8, colour="orange", size=16)
    decoder = box(
        ax,
        4.4,
        1.3,
        "decoder\n$d$",
        width=1.0,
        height=1.5,
        shape="decoder",
        colour="green",
        size=14,
    )
    arrow(ax, (1.22, 1.3), encoder.left)
    arrow(ax, encoder, code)
    arrow(ax, code, decoder)
    arrow(ax, decoder.right, (5.19, 1.3))
    ax.text(0.65, 0.52, "$x$", ha="center", va="center", fontsize=16)
    ax.text(5.75, 0.52, "$\\hat{x}$", ha="center", va="center", fontsize=16)
    for place, text in ((0.65, "N numbers"), (3.2, "M numbers, M < N"), (5.75, "N numbers")):
        ax.text(place, 0.18, text, ha="center", va="center", fontsize=13)
    return figure


def figure_linear_autoencoder(components: int = 6) -> Figure:
    """The linear autoencoder with its real numbers: x, the rows of Uᵀ, the code, U, and x̂."""
    from vaedocs.drawing import COLOURS, arrow, diagram

    figure, ax = diagram(6.4, 3.1)
    x, _ = digits()
    mean, axes, _ = principal_axes(x, components)
    code = encode(x[0], mean, axes)
    middle, size, gap = 1.75, 0.4, 0.045
    _show(ax, x[0] - mean, 0.05, middle - 0.5, 1.0, signed=True)
    _show(ax, decode(code, mean, axes) - mean, 5.35, middle - 0.5, 1.0, signed=True)
    for index in range(components):
        bottom = middle + (components / 2 - 1 - index) * (size + gap)
        for left in (1.65, 4.3):  # a row of Uᵀ is a column of U: the same 64 weights
            _show(ax, axes[:, index], left, bottom, size, signed=True)
        value = code[index].item()
        ax.plot(
            [3.2, 3.2 + 0.3 * value],
            [bottom + size / 2] * 2,
            linewidth=8,
            color=COLOURS["orange"],
            solid_capstyle="butt",
        )
    ax.plot([3.2, 3.2], [0.45, 3.05], color=COLOURS["muted"], linewidth=1)
    for start, end in ((1.1, 1.58), (2.1, 2.55), (3.75, 4.25), (4.78, 5.3)):
        arrow(ax, (start, middle), (end, middle))
    for place, text in ((0.55, "$x$"), (1.85, r"$U^\top$"), (3.2, "$z$"), (4.5, "$U$")):
        ax.text(place, 0.2, text, ha="center", va="center", fontsize=14)
    ax.text(5.85, 0.2, "$\\hat{x}$", ha="center", va="center", fontsize=14)
    return figure


def figure_error_against_components() -> Figure:
    """Loss on the digits against M, on top of the sum of the discarded eigenvalues."""
    from vaedocs.drawing import COLOURS, axes

    figure, ax = axes(height=3.4)
    x, _ = digits()
    sizes = list(range(1, 65, 3))
    mean, basis, eigenvalues = principal_axes(x, 64)
    generator = torch.Generator().manual_seed(0)
    random, _ = torch.linalg.qr(torch.randn(64, 64, generator=generator, dtype=torch.float64))
    chance, losses = ([_kept_loss(x, mean, u[:, :size]) for size in sizes] for u in (random, basis))
    tail = eigenvalues.sum() - eigenvalues.cumsum(0)
    ax.plot(sizes, chance, "--", color=COLOURS["muted"], label="random orthonormal columns")
    ax.plot(range(1, 65), tail, color=COLOURS["orange"], label="sum of discarded eigenvalues")
    dots = {"markersize": 5, "clip_on": False, "zorder": 3}
    ax.plot(sizes, losses, "o", color=COLOURS["blue"], label="loss, principal axes", **dots)
    ax.set(xlabel="code size M", ylabel="reconstruction loss", xlim=(0, 64), ylim=(0, None))
    ax.legend(loc="upper right", frameon=False)
    return figure


def _show(
    ax: Axes, image: Tensor, left: float, bottom: float, size: float, *, signed: bool = False
) -> None:
    """Put an 8 by 8 image on a diagram, ink on paper; signed values are centred on mid-grey."""
    reach = image.abs().max().item()
    limits = (-reach, reach) if signed else (0.0, 1.0)
    ax.imshow(
        image.reshape(8, 8).numpy(),
        cmap="gray_r",
        vmin=limits[0],
        vmax=limits[1],
        extent=(left, left + size, bottom, bottom + size),
        interpolation="none",
        aspect="auto",
        zorder=2,
    )
