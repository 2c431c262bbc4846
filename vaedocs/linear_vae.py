"""The linear variational autoencoder, where the evidence and every optimum have closed forms.

With p(z) = N(0, I) and p(x|z) = N(W z + m, c I) the model is probabilistic principal component
analysis: p(x) is Gaussian, its best parameters come from an eigendecomposition, and the lower
bound of a diagonal encoder can be compared with the truth to the last digit. Shapes: B examples,
N data dimensions, M latent ones. Means over the data, in nats. The maximum-likelihood covariance
(divided by B, not B - 1) is used throughout.
Sources: Tipping & Bishop (1999); Lucas, Tucker, Grosse & Norouzi (2019).
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from vaedocs.domains import require_finite, require_positive
from vaedocs.kl_divergence import diagonal_to_standard_normal
from vaedocs.lower_bound_reformulated import gaussian_log_likelihood
from vaedocs.reparameterization import sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class LinearModel(NamedTuple):
    """p(z) = N(0, I), p(x|z) = N(weight z + offset, variance I)."""

    weight: Tensor
    """W, ``[N, M]``."""
    offset: Tensor
    """m, ``[N]``."""
    variance: Tensor
    """c, a positive number (a tensor without dimensions)."""


class LinearEncoder(NamedTuple):
    """q(z|x) = N(weight (x - offset), diag(exp(log_variance))), one variance for every x."""

    weight: Tensor
    """V, ``[M, N]``."""
    offset: Tensor
    """m, ``[N]``."""
    log_variance: Tensor
    """``[M]``."""

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: ``[B, N]`` -> mean and log-variance, ``[B, M]`` each."""
        mean = (x - self.offset) @ self.weight.T
        return mean, self.log_variance.expand_as(mean)


def covariance(x: Tensor) -> Tensor:
    """Maximum-likelihood covariance of the rows of x, ``[B, N] -> [N, N]`` (divided by B).

    >>> covariance(torch.tensor([[1.0], [3.0]]))
    tensor([[1.]])
    """
    centred = x - x.mean(0)
    return centred.T @ centred / len(x)


def log_likelihood(x: Tensor, model: LinearModel) -> Tensor:
    """Mean of log p(x) over the rows of x: the exact evidence, N(m, W Wᵀ + c I).

    Tipping & Bishop (1999), equation 4, in nats an example.

    Raises:
        ValueError: the variance is not positive, or x is not ``[B, N]``.

    >>> model = LinearModel(torch.tensor([[1.0], [0.0]]), torch.zeros(2), torch.tensor(1.0))
    >>> round(log_likelihood(torch.zeros(1, 2), model).item(), 4)  # -log(2 pi) - log(2) / 2
    -2.1845
    """
    _require_model(x, model)
    size = model.weight.shape[0]
    identity = torch.eye(size, dtype=x.dtype, device=x.device)
    factor = torch.linalg.cholesky(model.weight @ model.weight.T + model.variance * identity)
    whitened = torch.linalg.solve_triangular(factor, (x - model.offset).T, upper=False)  # [N, B]
    log_det = 2 * factor.diagonal().log().sum()
    nats: Tensor = size * math.log(2 * math.pi) + log_det + whitened.square().sum(0)
    return -0.5 * nats.mean()


def _require_model(x: Tensor, model: LinearModel) -> None:
    require_positive(model.variance, "variance")
    if x.ndim != 2 or x.shape[1] != len(model.weight) or model.offset.shape != x.shape[1:]:
        raise ValueError(
            f"x has shape {list(x.shape)}, weight {list(model.weight.shape)} and offset "
            f"{list(model.offset.shape)}; expected [B, N], [N, M] and [N]"
        )


class Spectrum(NamedTuple):
    """Eigenvalues of the covariance of the data, largest first, with their axes in columns."""

    eigenvalues: Tensor
    axes: Tensor


def spectrum(x: Tensor) -> Spectrum:
    """Eigendecomposition of the maximum-likelihood covariance of x, largest first."""
    eigenvalues, axes = torch.linalg.eigh(covariance(x))
    return Spectrum(eigenvalues.flip(0), axes.flip(1))


def maximum_likelihood(x: Tensor, latent_size: int) -> LinearModel:
    """The exact optimum: c is the mean discarded eigenvalue, W = U (Λ - c I)^(1/2).

    Any rotation of W fits as well; this one has orthogonal columns, which is the one a diagonal
    encoder needs. Tipping & Bishop (1999), equations 7 and 8.

    Raises:
        ValueError: the latent size is not in 1 .. N - 1, or the data have no variance left over.

    >>> x = torch.tensor([[3.0, 1.0], [-3.0, -1.0], [3.0, -1.0], [-3.0, 1.0]])
    >>> model = maximum_likelihood(x, latent_size=1)  # covariance diag(9, 1)
    >>> round(model.variance.item(), 4), round(model.weight.square().sum().item(), 4)
    (1.0, 8.0)
    """
    if not 1 <= latent_size < x.shape[1]:
        raise ValueError(
            f"latent_size = {latent_size}; expected 1 to {x.shape[1] - 1} for data of "
            f"{x.shape[1]} dimensions"
        )
    eigenvalues, axes = spectrum(x)
    variance = eigenvalues[latent_size:].mean()
    if not variance > 1e-12 * eigenvalues[0]:
        raise ValueError(
            f"the data lie in {latent_size} dimensions: the mean discarded eigenvalue is "
            f"{variance.item():.3g}, so the likelihood has no maximum; use fewer latent dimensions"
        )
    return LinearModel(
        _principal_weight(eigenvalues, axes, variance, latent_size), x.mean(0), variance
    )


def _principal_weight(
    eigenvalues: Tensor, axes: Tensor, variance: Tensor | float, latent_size: int
) -> Tensor:
    """Columns √(λ_j - c) u_j, zero where λ_j is at most c."""
    kept = (eigenvalues[:latent_size] - variance).clamp_min(0)
    return axes[:, :latent_size] * kept.sqrt()


def fixed_variance_optimum(x: Tensor, latent_size: int, variance: float) -> LinearModel:
    """The best W and m when c is held fixed: components with λ_j at most c are switched off.

    >>> x = torch.tensor([[3.0, 1.0], [-3.0, -1.0], [3.0, -1.0], [-3.0, 1.0]])
    >>> fixed_variance_optimum(x, 1, 10.0).weight.abs().sum()
    tensor(0.)
    """
    c = torch.as_tensor(variance, dtype=x.dtype)
    require_positive(c, "variance")
    eigenvalues, axes = spectrum(x)
    return LinearModel(_principal_weight(eigenvalues, axes, c, latent_size), x.mean(0), c)


def optimal_encoder(model: LinearModel) -> LinearEncoder:
    """The best diagonal Gaussian encoder of a linear decoder: it eliminates the encoder.

    The exact posterior is N((cΛ)⁻¹Wᵀ(x - m), Λ⁻¹) with cΛ = WᵀW + cI. The best diagonal Gaussian
    has the same mean and the variances 1 / Λ_jj.

    >>> model = LinearModel(torch.tensor([[1.0], [0.0]]), torch.zeros(2), torch.tensor(1.0))
    >>> optimal_encoder(model).log_variance.exp()
    tensor([0.5000])
    """
    scaled = _scaled_precision(model)
    weight = torch.linalg.solve(scaled, model.weight.T)
    return LinearEncoder(weight, model.offset, model.variance.log() - scaled.diagonal().log())


def _scaled_precision(model: LinearModel) -> Tensor:
    """cΛ = WᵀW + cI, c times the precision of the posterior."""
    size = model.weight.shape[1]
    identity = torch.eye(size, dtype=model.weight.dtype, device=model.weight.device)
    return model.weight.T @ model.weight + model.variance * identity


def elbo(x: Tensor, model: LinearModel, encoder: LinearEncoder) -> Tensor:
    """Mean lower bound over the rows of x, with the expectation over z done exactly.

    Under q the squared error is |x - m - W mean|² plus sum_j std_j² |w_j|²: that second sum is
    what sampling would estimate.

    >>> model = LinearModel(torch.tensor([[1.0], [0.0]]), torch.zeros(2), torch.tensor(1.0))
    >>> round(elbo(torch.zeros(1, 2), model, optimal_encoder(model)).item(), 4)
    -2.1845
    """
    _require_model(x, model)
    mean, log_variance = encoder(x)
    at_mean = gaussian_log_likelihood(x, mean @ model.weight.T + model.offset, model.variance)
    spread = (log_variance.exp() * model.weight.square().sum(0)).sum(-1) / (2 * model.variance)
    bound: Tensor = at_mean - spread - diagonal_to_standard_normal(mean, log_variance)
    return bound.mean()


def rotation_cost(model: LinearModel) -> Tensor:
    """log p(x) - ELBO of the best diagonal encoder: ½ (Σ log Λ_jj - log det Λ), for every x.

    Zero when the columns of W are orthogonal, positive otherwise (Hadamard's inequality).
    Lucas et al. (2019), section 4.

    >>> weight = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    >>> round(rotation_cost(LinearModel(weight, torch.zeros(2), torch.tensor(0.5))).item(), 5)
    0.15508
    """
    scaled = _scaled_precision(model)  # cΛ: the powers of c cancel
    log_det: Tensor = torch.linalg.slogdet(scaled).logabsdet
    return 0.5 * (scaled.diagonal().log().sum() - log_det)


def rotated(model: LinearModel, angle: float, other: int = 1) -> LinearModel:
    """Turn latent axis 0 towards latent axis ``other`` by ``angle`` radians: the same p(x).

    >>> model = LinearModel(torch.eye(2), torch.zeros(2), torch.tensor(1.0))
    >>> rotated(model, math.pi / 2).weight.round().abs()
    tensor([[0., 1.],
            [1., 0.]])
    """
    first, second = model.weight[:, 0], model.weight[:, other]
    weight = model.weight.clone()
    weight[:, 0] = math.cos(angle) * first + math.sin(angle) * second
    weight[:, other] = math.cos(angle) * second - math.sin(angle) * first
    return model._replace(weight=weight)


def active_units(eigenvalues: Tensor, variance: float) -> int:
    """How many latent units the optimum uses when c is fixed: the number of λ_j above c.

    >>> active_units(torch.tensor([9.0, 4.0, 1.0]), 2.0)
    2
    """
    require_finite(eigenvalues, "eigenvalues")
    return int((eigenvalues > variance).sum())


def unit_divergence(eigenvalues: Tensor, variance: float) -> Tensor:
    """Mean KL of each unit at the optimum with c fixed: ½ log(λ_j / c), or 0 where switched off.

    >>> unit_divergence(torch.tensor([4.0, 1.0]), 2.0)
    tensor([0.3466, 0.0000])
    """
    require_positive(eigenvalues, "eigenvalues")
    return 0.5 * (eigenvalues / variance).log().clamp_min(0)


class Fit(NamedTuple):
    """A fitted model with the lower bound after every evaluation."""

    model: LinearModel
    trace: list[float]


def same_moments(x: Tensor) -> Tensor:
    """At most 2 N points with the mean and the covariance of the rows of x, ``[B, N] -> [.., N]``.

    The lower bound of a linear model is quadratic in x, so these points give the same value as x.
    They come from a QR decomposition of the centred rows.

    >>> x = torch.tensor([[3.0, 1.0], [-3.0, -1.0], [3.0, -1.0], [-3.0, 1.0], [0.0, 0.0]]).double()
    >>> torch.allclose(covariance(same_moments(x)), covariance(x))
    True
    """
    factor = torch.linalg.qr(x - x.mean(0), mode="r").R  # factorᵀ factor = B times the covariance
    offsets = math.sqrt(len(factor) / len(x)) * factor
    return torch.cat([x.mean(0) + offsets, x.mean(0) - offsets])


def fit(x: Tensor, latent_size: int, *, steps: int = 600, seed: int = 0) -> Fit:
    """Raise the lower bound by L-BFGS over W and log c, the encoder eliminated, m the data mean.

    At every step the encoder is the best one for the decoder at hand, so its slow chase after a
    moving decoder, in which joint gradient ascent spends most of its time, is gone.

    >>> x = torch.tensor([[3.0, 1.0], [-3.0, -1.0], [3.0, -1.0], [-3.0, 1.0]]).double()
    >>> found = fit(x, latent_size=1)
    >>> best = log_likelihood(x, maximum_likelihood(x, 1)).item()
    >>> abs(found.trace[-1] - best) < 1e-9
    True
    """
    generator = torch.Generator().manual_seed(seed)
    points, offset = same_moments(x), x.mean(0)
    scaled = 0.3 * torch.randn(x.shape[1], latent_size, generator=generator, dtype=x.dtype)
    scaled.requires_grad_()  # W / √c: a change of c then keeps the posterior as it is
    log_c = x.var(0, correction=0).mean().log().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [scaled, log_c],
        max_iter=steps,
        history_size=100,
        tolerance_grad=1e-9,
        tolerance_change=1e-13,
        line_search_fn="strong_wolfe",
    )
    trace: list[float] = []

    def model() -> LinearModel:
        return LinearModel(torch.exp(0.5 * log_c) * scaled, offset, log_c.exp())

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = -elbo(points, model(), optimal_encoder(model()))
        torch.autograd.backward(value)
        trace.append(-value.item())
        return value

    optimiser.step(loss)
    with torch.no_grad():
        return Fit(model(), trace)


def fit_by_sampling(
    x: Tensor, latent_size: int, *, steps: int = 12_000, batch: int = 128, seed: int = 0
) -> tuple[LinearModel, LinearEncoder]:
    """Train encoder and decoder together as a VAE is trained: batches, one sample z, Adam.

    The learning rate falls to zero along a cosine, which averages the noise of the last steps.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=x.dtype)

    scale = x.std()
    weight = (scale / math.sqrt(x.shape[1]) * normal(x.shape[1], latent_size)).requires_grad_()
    reader = (normal(latent_size, x.shape[1]) / (scale * x.shape[1])).requires_grad_()
    log_variance = torch.zeros(latent_size, dtype=x.dtype, requires_grad=True)
    log_c = x.var().log().requires_grad_()
    offset = x.mean(0)
    parameters = [weight, reader, log_variance, log_c]
    optimiser = torch.optim.Adam(parameters, lr=0.02, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        rows = x[torch.randint(len(x), (batch,), generator=generator)]
        mean, log_var = LinearEncoder(reader, offset, log_variance)(rows)
        z = sample(mean, log_var, normal(*mean.shape))
        log_p = gaussian_log_likelihood(rows, z @ weight.T + offset, log_c.exp())
        loss = (diagonal_to_standard_normal(mean, log_var) - log_p).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    weight, reader, log_variance, log_c = (p.detach() for p in parameters)
    return LinearModel(weight, offset, log_c.exp()), LinearEncoder(reader, offset, log_variance)


# The data of the page: scikit-learn's 1,797 digits of 8 × 8 counts, raw.


@cache
def digits() -> Tensor:
    """The bundled digits, ``[1797, 64]``, each value a count from 0 to 16, in float64."""
    from sklearn.datasets import load_digits

    return torch.as_tensor(load_digits().data, dtype=torch.float64)


@cache
def digits_fit(latent_size: int) -> Fit:
    """`fit` of the digits, computed once for each latent size."""
    return fit(digits(), latent_size)


@cache
def digits_spectrum() -> Spectrum:
    """`spectrum` of the digits, computed once."""
    return spectrum(digits())


class Numbers(NamedTuple):
    """What the page quotes of the digits, in nats an image."""

    images: int
    pixels: int
    exact_2: float
    exact_10: float
    score_below: float
    """By how much scikit-learn's covariance, divided by one less, lowers the value."""
    variance_10: float
    missing_10: float
    evaluations_to_a_millionth: int
    rotation_10: float
    """What a random rotation of the best W costs."""
    largest_eigenvalue: float


@cache
def numbers() -> Numbers:
    """Fit ten latent units to the digits from a random start; compare with the exact optimum."""
    from sklearn.decomposition import PCA

    x = digits()
    best = maximum_likelihood(x, 10)
    exact = log_likelihood(x, best).item()
    trace = digits_fit(10).trace
    turn = torch.linalg.qr(
        torch.randn(10, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ).Q
    return Numbers(
        len(x),
        x.shape[1],
        log_likelihood(x, maximum_likelihood(x, 2)).item(),
        exact,
        exact - float(PCA(10).fit(x.numpy()).score(x.numpy())),
        best.variance.item(),
        exact - trace[-1],
        next(i for i, value in enumerate(trace, start=1) if exact - value < 1e-6),
        rotation_cost(best._replace(weight=best.weight @ turn)).item(),
        digits_spectrum().eigenvalues[0].item(),
    )


class Early(NamedTuple):
    """The fit of ten units to the digits, stopped after fifty steps, in nats an image."""

    evaluations: int
    missing: float
    """Exact maximum less lower bound: the sum of the next two."""
    evidence: float
    """Exact maximum less log p(x) of the fitted decoder."""
    rotation: float
    """log p(x) of the fitted decoder less its lower bound."""
    degrees: float
    """The largest angle between the span of the fitted W and that of the best one."""


@cache
def early() -> Early:
    """Where the fit stands while most of its work is still ahead."""
    x = digits()
    best = maximum_likelihood(x, 10)
    exact = log_likelihood(x, best).item()
    model, trace = fit(x, 10, steps=50)
    spans = [torch.linalg.qr(weight).Q for weight in (model.weight, best.weight)]
    cosines = torch.linalg.svdvals(spans[0].T @ spans[1]).clamp_max(1)
    return Early(
        len(trace),
        exact - elbo(x, model, optimal_encoder(model)).item(),
        exact - log_likelihood(x, model).item(),
        rotation_cost(model).item(),
        cosines.min().arccos().rad2deg().item(),
    )


class Active(NamedTuple):
    """Active units on the digits at four fixed variances."""

    at_3: int
    at_20: int
    at_32: int
    """c where the loss is the mean squared error over 64 pixels."""
    at_200: int


def active() -> Active:
    """The counts that the page quotes."""
    eigenvalues = digits_spectrum().eigenvalues
    return Active(*(active_units(eigenvalues, c) for c in (3, 20, 32, 200)))


def figure_rotation() -> Figure:
    """The lower bound less log p(x) as one latent axis of the digits' model is turned."""
    from vaedocs.drawing import COLOURS, axes

    x = digits()
    best = maximum_likelihood(x, 10)
    angles = torch.linspace(0, math.pi, 91).tolist()
    figure, ax = axes(height=3.0)
    for other, colour in ((4, "orange"), (9, "blue")):
        gaps = []
        for angle in angles:
            model = rotated(best, angle, other)
            gaps.append((elbo(x, model, optimal_encoder(model)) - log_likelihood(x, model)).item())
        degrees = [math.degrees(angle) for angle in angles]
        label = f"axis 1 towards axis {other + 1}"
        ax.plot(degrees, gaps, color=COLOURS[colour], label=label)
    ax.axhline(0, color=COLOURS["ink"], linewidth=1.2, linestyle="--")
    ax.text(135, 0.006, "log p(x)", ha="center", va="bottom", color=COLOURS["ink"])
    ax.set(xlabel="rotation in degrees", ylabel="ELBO - log p(x), nats")
    ax.set_xticks([0, 45, 90, 135, 180])
    ax.margins(y=0.15)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def figure_spectrum() -> Figure:
    """The eigenvalues of the digits and the divergence of each unit at two fixed variances."""
    from vaedocs.drawing import COLOURS, axes

    eigenvalues = digits_spectrum().eigenvalues[:40]
    place = range(1, 41)
    figure, (left, right) = axes(height=3.2, columns=2)
    left.semilogy(place, eigenvalues, "o", color=COLOURS["ink"], markersize=4)
    for c, colour in ((20.0, "blue"), (3.0, "orange")):
        left.axhline(c, color=COLOURS[colour], linewidth=1.5, linestyle="--")
        left.text(1, c * 1.1, f"c = {c:g}", ha="left", va="bottom", color=COLOURS[colour])
        right.plot(
            place, unit_divergence(eigenvalues, c), "o-", color=COLOURS[colour], markersize=4
        )
        label = f"c = {c:g}: {active_units(digits_spectrum().eigenvalues, c)} on"
        place_of_label = (40, -0.2) if c > 10 else (40, 1.05)
        right.text(*place_of_label, label, ha="right", color=COLOURS[colour])
    left.set(xlabel="unit", title="eigenvalue")
    right.set(xlabel="unit", title="KL in nats", ylim=(-0.3, None))
    return figure


def figure_convergence() -> Figure:
    """Distance of the fitted lower bound from the exact maximum, against evaluations."""
    from vaedocs.drawing import COLOURS, axes

    x = digits()
    figure, ax = axes(height=3.0)
    for size, colour in ((2, "orange"), (10, "blue")):
        exact = log_likelihood(x, maximum_likelihood(x, size)).item()
        missing = [max(exact - value, 1e-13) for value in digits_fit(size).trace]
        ax.semilogy(missing, color=COLOURS[colour], label=f"{size} latent units")
    ax.axhline(1e-6, color=COLOURS["muted"], linewidth=1, linestyle="--")
    ax.text(620, 2e-6, "a millionth", ha="right", va="bottom", color=COLOURS["muted"])
    ax.set(xlabel="evaluations of the bound", ylabel="nats below the optimum")
    ax.legend()
    return figure
