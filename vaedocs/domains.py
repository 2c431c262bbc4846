"""The argument checks that every numeric function of the book shares.

Each check passes silently or raises one ``ValueError`` that says which argument is wrong, where,
what was found there, and what was expected.
"""

import torch
from torch import Tensor

SUM_TOLERANCE = 1e-6
"""How far a float64 probability vector may miss one (float32 and coarser get their own slack)."""


def _first(bad: Tensor) -> tuple[int, ...]:
    """Index of the first True entry."""
    return tuple(int(i) for i in torch.nonzero(bad)[0])


def _place(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def _require_tensor(t: Tensor, name: str) -> None:
    if not isinstance(t, Tensor):
        raise ValueError(
            f"{name} is a {type(t).__name__}; expected a torch tensor: "
            f"write torch.tensor({name}, dtype=torch.float64)"
        )
    if not t.is_floating_point():
        raise ValueError(
            f"{name} has dtype {t.dtype}; expected floating point: write {name}.to(torch.float64)"
        )


def _refuse(bad: Tensor, t: Tensor, name: str, expected: str) -> None:
    if bool(bad.any()):
        index = _first(bad)
        raise ValueError(f"{_place(name, index)} = {t[index].item():.6g}; expected {expected}")


def require_finite(t: Tensor, name: str) -> None:
    """Refuse NaN and infinite entries.

    >>> require_finite(torch.tensor([1.0, float("nan")]), "mean")
    Traceback (most recent call last):
    ...
    ValueError: mean[1] = nan; expected a finite number
    """
    _require_tensor(t, name)
    _refuse(~torch.isfinite(t), t, name, "a finite number")


def require_positive(t: Tensor, name: str) -> None:
    """Refuse entries that are zero, negative, NaN or infinite.

    >>> require_positive(torch.tensor([1.0, -2.0]), "std")
    Traceback (most recent call last):
    ...
    ValueError: std[1] = -2; expected a positive finite number
    """
    _require_tensor(t, name)
    _refuse(~((t > 0) & torch.isfinite(t)), t, name, "a positive finite number")


def require_unit_interval(t: Tensor, name: str) -> None:
    """Refuse entries that are not probabilities of events, numbers between 0 and 1.

    >>> require_unit_interval(torch.tensor(1.5), "probability")
    Traceback (most recent call last):
    ...
    ValueError: probability = 1.5; expected a probability between 0 and 1
    """
    _require_tensor(t, name)
    _refuse(~((t >= 0) & (t <= 1)), t, name, "a probability between 0 and 1")


def require_probabilities(p: Tensor, name: str) -> None:
    """Refuse tensors ``[..., K]`` whose rows are not probability mass functions.

    >>> require_probabilities(torch.tensor([[0.5, 0.5], [0.5, 0.25]]), "p")
    Traceback (most recent call last):
    ...
    ValueError: p[1] sums to 0.75; expected probabilities that sum to 1 over the last dimension: \
divide by p.sum(-1, keepdim=True), or use softmax
    """
    _require_tensor(p, name)
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ValueError(
            f"{name} has shape {tuple(p.shape)}; expected [..., K] with at least one outcome"
        )
    _refuse(~((p >= 0) & torch.isfinite(p)), p, name, "a probability, at least 0")
    total = p.sum(-1)
    slack = max(SUM_TOLERANCE, 4 * float(torch.finfo(p.dtype).eps) * p.shape[-1])
    bad = (total - 1).abs() > slack
    if bool(bad.any()):
        index = _first(bad)
        raise ValueError(
            f"{_place(name, index)} sums to {total[index].item():.6g}; expected probabilities that "
            f"sum to 1 over the last dimension: divide by {name}.sum(-1, keepdim=True), "
            "or use softmax"
        )


def require_same_shape(a: Tensor, b: Tensor, names: tuple[str, str]) -> None:
    """Refuse two tensors of different shapes; a tensor without dimensions goes with any other.

    Broadcasting ``[3]`` against ``[3, 1]`` would give nine numbers where three were meant.

    >>> require_same_shape(torch.zeros(3), torch.zeros(3, 1), ("mean", "std"))
    Traceback (most recent call last):
    ...
    ValueError: mean has shape [3] and std has shape [3, 1]; expected equal shapes
    """
    if a.shape != b.shape and a.ndim and b.ndim:
        raise ValueError(
            f"{names[0]} has shape {list(a.shape)} and {names[1]} has shape {list(b.shape)}; "
            "expected equal shapes"
        )


def require_matching(a: Tensor, b: Tensor, names: tuple[str, str]) -> None:
    """Refuse two tensors whose last dimensions differ or whose leading ones do not broadcast.

    Leading dimensions may broadcast, so that ``[K, B, N]`` (K latent samples) meets ``[B, N]``.
    The last one may not: a size of 1 stretched to N is nearly always a mistake, and it would
    count one term N times.

    >>> require_matching(torch.zeros(5, 1), torch.zeros(5, 64), ("x", "mean"))
    Traceback (most recent call last):
    ...
    ValueError: x has shape [5, 1] and mean has shape [5, 64]; expected equal last dimensions and \
leading dimensions that broadcast
    """
    if a.shape == b.shape:
        return
    if a.ndim and b.ndim and a.shape[-1] == b.shape[-1]:
        try:
            torch.broadcast_shapes(a.shape, b.shape)
        except RuntimeError:
            pass
        else:
            return
    raise ValueError(
        f"{names[0]} has shape {list(a.shape)} and {names[1]} has shape {list(b.shape)}; "
        "expected equal last dimensions and leading dimensions that broadcast"
    )


def require_covariance(t: Tensor, name: str) -> None:
    """Refuse tensors ``[..., M, M]`` that are not symmetric positive definite matrices.

    >>> require_covariance(torch.tensor([[1.0, 2.0], [2.0, 1.0]]), "covariance")
    Traceback (most recent call last):
    ...
    ValueError: covariance has smallest eigenvalue -1; expected a positive definite matrix: \
are two variables copies of one another, or was a standard deviation taken for a variance?
    """
    _require_tensor(t, name)
    if t.ndim < 2 or t.shape[-1] != t.shape[-2] or t.shape[-1] == 0:
        raise ValueError(f"{name} has shape {list(t.shape)}; expected square matrices [..., M, M]")
    require_finite(t, name)
    scale = t.diagonal(dim1=-2, dim2=-1).abs().amax(-1)[..., None, None]
    uneven = (t - t.mT).abs() > 1e-6 * scale
    if bool(uneven.any()):
        index = _first(uneven)
        mirror = (*index[:-2], index[-1], index[-2])
        raise ValueError(
            f"{_place(name, index)} = {t[index].item():.6g} but {_place(name, mirror)} = "
            f"{t[mirror].item():.6g}; expected a symmetric matrix"
        )
    # Cholesky is the cheap test; the eigenvalues are computed only to say what is wrong.
    failed = torch.linalg.cholesky_ex(t).info > 0
    if bool(failed.any()):
        index = _first(failed)
        smallest = torch.linalg.eigvalsh(t[index]).amin().item()
        raise ValueError(
            f"{_place(name, index)} has smallest eigenvalue {smallest:.6g}; expected a positive "
            "definite matrix: are two variables copies of one another, or was a standard "
            "deviation taken for a variance?"
        )
