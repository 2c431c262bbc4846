"""Any data set as rows of numbers, and the one path from a file to what a likelihood accepts.

Every source gives a :class:`Source`: rows of whole numbers 0..levels, or of real numbers. Then
:func:`prepare` makes of it what the chosen likelihood is a law on, or refuses and says why:

    bernoulli   {0, 1}: a threshold at half the levels, a fresh draw every epoch, or as it is
    binomial    whole numbers 0..trials, as they are
    gaussian    real numbers: whole numbers are divided by the levels, real ones kept

Nothing is centred, rotated, padded or resized, and no pixel is dropped.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaedocs.training import idx
from vaedocs.training.settings import Settings, UserError

Array = NDArray[Any]
NAMES = ("digits", "mnist", "fashion-mnist", "shapes", "ppca")
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
SPLIT_SEED = 20140101  # the test part of a data set without one: the same for every run


@dataclass(frozen=True)
class Source:
    """Rows as they come from their file: whole numbers 0..levels, or reals when levels is 0."""

    name: str
    train: Array
    test: Array
    train_labels: Array | None
    test_labels: Array | None
    shape: tuple[int, int]  # how a row is drawn as a picture
    levels: int


@dataclass(frozen=True)
class Dataset:
    """What a run trains on: rows in the likelihood's domain, [N, D], in three parts.

    With ``dynamic`` the rows are probabilities, and :meth:`draw` turns them into 0 and 1 afresh.
    """

    name: str
    train: Tensor
    validation: Tensor
    test: Tensor
    train_labels: Tensor | None
    validation_labels: Tensor | None
    test_labels: Tensor | None
    shape: tuple[int, int]
    levels: int
    trials: int
    dynamic: bool
    digest: str
    notes: tuple[str, ...]

    @property
    def classes(self) -> int:
        """The number of labels, 0 where there are none."""
        return 0 if self.train_labels is None else int(self.train_labels.max()) + 1

    def draw(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """The rows as the likelihood sees them: binarised afresh where that was asked for."""
        if not self.dynamic:
            return rows
        uniform = torch.rand(
            rows.shape, generator=generator, device=rows.device, dtype=torch.float32
        )
        return (uniform < rows).to(rows.dtype)

    def one_hot(self, labels: Tensor | None, index: Tensor) -> Tensor:
        """The labels of these rows, each as a vector with a single 1, [B, classes]."""
        if labels is None:
            raise UserError(f"{self.name}: these rows have no labels to condition on")
        return torch.nn.functional.one_hot(labels[index], self.classes).to(self.train.dtype)

    def to(self, device: torch.device, dtype: torch.dtype) -> Dataset:
        """The same data on a device, rows in the precision of the run."""
        moved = {
            name: None if (part := getattr(self, name)) is None else part.to(device, kind)
            for names, kind in (
                (("train", "validation", "test"), dtype),
                (("train_labels", "validation_labels", "test_labels"), torch.int64),
            )
            for name in names
        }
        return Dataset(**{**self.__dict__, **moved})


class Rows:
    """Rows [N, D] to take a batch of, kept as bytes where that loses nothing and there are many.

    The rows of a batch lie all over the memory, and the processor waits for every byte of them.
    Bits, counts and grey levels k/levels are bytes: a quarter of what they are as numbers.

    >>> rows, index = torch.rand(9, 2).mul(255).round() / 255, torch.tensor([7, 1])
    >>> packed = Rows(rows, levels=255, many=0)
    >>> packed.kept.dtype, torch.equal(packed.take(index), rows[index])
    (torch.uint8, True)
    >>> Rows(rows + 0.1, levels=255, many=0).kept.dtype
    torch.float32
    """

    def __init__(self, rows: Tensor, levels: int, many: int = 1 << 22) -> None:
        self.kept, self.levels, self.dtype = rows, levels, rows.dtype
        if rows.numel() < many or not 0 < levels < 256:
            return
        if torch.equal(rows, rows.round()):  # bits and counts are whole numbers already
            self.levels = 1
        self.kept = (rows * self.levels).round().clamp(0, 255).to(torch.uint8)
        everything = torch.arange(len(rows), device=rows.device)
        if not all(torch.equal(self.take(i), rows[i]) for i in everything.split(10_000)):
            self.kept = rows

    def take(self, index: Tensor) -> Tensor:
        """The rows of these numbers, as they were given."""
        taken = self.kept.index_select(0, index)
        if taken.dtype == self.dtype:
            return taken
        return taken.to(self.dtype).div_(self.levels)


def load(settings: Settings) -> Dataset:
    """The data set the settings name, checked, split and in the domain of the likelihood.

    >>> digits = load(Settings())
    >>> digits.train.shape, digits.validation.shape, digits.test.shape, digits.train.unique()
    (torch.Size([1294, 64]), torch.Size([143, 64]), torch.Size([360, 64]), tensor([0., 1.]))
    """
    return prepare(read(settings), settings)


def read(settings: Settings) -> Source:
    """The source the settings name: one of ``NAMES``, or a path."""
    name, folder = settings.data, settings.folder
    if name in idx.PACKED_MD5:
        if not folder and not settings.download:
            raise UserError(
                f"--data {name}: give the folder of its IDX files with --folder, or --download to "
                "fetch them"
            )
        return idx_source(Path(folder) if folder else idx.fetch(name), name)
    if name == "digits":
        return digits()
    if name == "shapes":
        return shapes()
    if name == "ppca":
        return ppca()
    path = Path(name)
    if path.suffix in (".npy", ".npz"):
        return array_source(path)
    if path.is_dir():
        if any((path / f"{idx.FILES[0]}{end}").exists() for end in ("", ".gz")):
            return idx_source(path, None)
        return picture_source(path)
    raise UserError(
        f"--data {name}: neither a known data set ({', '.join(NAMES)}) nor a .npy or .npz file nor "
        "a folder of images or IDX files"
    )


def digits() -> Source:
    """scikit-learn's digits: 1797 images of 8 x 8, each pixel a count of 0..16 dark dots.

    The data is the test set of the UCI "optical recognition of handwritten digits" collection;
    a fifth of it, chosen once with a fixed seed, is kept for testing.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = bunch.data.astype(np.uint8)
    return split("digits", images, bunch.target.astype(np.int64), (8, 8), levels=16)


def shapes(seed: int = 0, count: int = 4000) -> Source:
    """Squares, discs and triangles of random size and place, 16 x 16, black and white."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:16, 0:16]
    x, y, r = rng.uniform(5, 10, (3, count, 1, 1))
    r = 2 + (r - 5) / 2.5
    labels = rng.integers(0, 3, count)
    across, down = columns - x, rows - y
    masks = np.stack(
        [
            np.maximum(abs(across), abs(down)) <= r,
            across**2 + down**2 <= r**2,
            (abs(down) <= r) & (2 * abs(across) <= r + down),
        ]
    )
    images = masks[labels, np.arange(count)].reshape(count, 256).astype(np.uint8)
    return split("shapes", images, labels, (16, 16), levels=1)


def ppca(seed: int = 0, count: int = 5000) -> Source:
    """Draws of the model of probabilistic PCA: x = W z + noise, 3 directions in 8 dimensions.

    The eigenvalues of its covariance are 9, 4, 2 and five times the noise variance 0.5, so that a
    linear VAE can be held against the exact answer (Tipping & Bishop, 1999).
    """
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    weights = axes[:, :3] * np.sqrt(np.array([9.0, 4.0, 2.0]) - 0.5)
    rows = rng.normal(size=(count, 3)) @ weights.T + np.sqrt(0.5) * rng.normal(size=(count, 8))
    return split("ppca", rows - rows.mean(0), None, (1, 8), levels=0)


def idx_source(folder: Path, name: str | None) -> Source:
    """A folder of four IDX files; the md5 of each is checked where the data set is a known one."""
    train, train_labels, test, test_labels = idx.load(folder, name)
    return Source(
        name or folder.name,
        train.reshape(len(train), -1),
        test.reshape(len(test), -1),
        train_labels.astype(np.int64),
        test_labels.astype(np.int64),
        (train.shape[1], train.shape[2]),
        levels=255,
    )


def array_source(path: Path) -> Source:
    """A .npy array, or a .npz with ``x`` (or ``train``), and if wished ``test``, ``y``.

    Rows are examples; further dimensions are flattened. Bytes are counts 0..255, other whole
    numbers counts 0..max, anything else real numbers.
    """
    if not path.is_file():
        raise UserError(f"--data {path}: no such file")
    try:
        loaded = np.load(path, allow_pickle=False)
        parts = {"x": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not a NumPy file that can be read: {reason}") from error
    images = parts.get("x", parts.get("train"))
    if images is None:
        raise UserError(
            f"{path}: holds {', '.join(parts) or 'nothing'}; expected an array called x or train"
        )
    for key in ("x", "train", "test"):
        if key in parts:
            check_rows(parts[key], f"{path}[{key}]" if path.suffix == ".npz" else str(path))
    size = images.shape[1:]
    shape = (size[0], size[1]) if len(size) == 2 else (1, int(np.prod(size)))
    if len(size) == 1 and (side := round(size[0] ** 0.5)) ** 2 == size[0]:
        shape = (side, side)
    whole = images.dtype.kind in "uib"
    levels = 255 if images.dtype == np.uint8 and images.max() > 1 else int(images.max())
    rows, labels, test = images.reshape(len(images), -1), parts.get("y"), parts.get("test")
    if labels is not None and (labels.shape != (len(rows),) or labels.dtype.kind not in "ui"):
        raise UserError(
            f"{path}[y]: {labels.dtype} of shape {labels.shape}; expected one whole number for "
            f"each of the {len(rows)} rows"
        )
    if test is None:
        return split(path.stem, rows, labels, shape, max(levels, 1) if whole else 0)
    if test.shape[1:] != size:
        raise UserError(f"{path}[test]: rows of shape {test.shape[1:]}; expected {size}")
    return Source(
        path.stem,
        rows,
        test.reshape(len(test), -1),
        labels,
        None,
        shape,
        max(levels, 1) if whole else 0,
    )


def check_rows(array: Array, where: str) -> None:
    """Refuse what is not a table of finite numbers."""
    if array.dtype.kind not in "fuib":
        raise UserError(f"{where}: values of type {array.dtype}; expected numbers")
    if array.ndim < 2 or array.size == 0 or len(array) < 10:
        raise UserError(
            f"{where}: shape {array.shape}; expected at least 10 rows, one for each example"
        )
    bad = ~np.isfinite(array)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise UserError(f"{where}: {array[index]} at {list(index)}; expected finite numbers")


def picture_source(folder: Path) -> Source:
    """A folder of images, all of one size, read as 8-bit grey levels by Pillow.

    Colour is turned to grey by ITU-R 601 luma (0.299 R + 0.587 G + 0.114 B), transparency is
    dropped, the order is that of the sorted names. Nothing is resized.
    """
    from PIL import Image, UnidentifiedImageError

    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if not paths:
        raise UserError(
            f"{folder}: no images ({', '.join(sorted(PICTURES))}) and no IDX files in this folder"
        )
    images = []
    for path in paths:
        try:
            with Image.open(path) as image:
                images.append(np.asarray(image.convert("L")))
        except (OSError, UnidentifiedImageError) as error:
            raise UserError(f"{path}: not an image that can be read: {error}") from error
        if images[-1].shape != images[0].shape:
            raise UserError(
                f"{path}: {images[-1].shape[1]} x {images[-1].shape[0]} pixels, but "
                f"{paths[0].name} has {images[0].shape[1]} x {images[0].shape[0]}; "
                "expected one size"
            )
    array = np.stack(images)
    check_rows(array, str(folder))
    shape = (array.shape[1], array.shape[2])
    return split(folder.name, array.reshape(len(array), -1), None, shape, levels=255)


def split(
    name: str, rows: Array, labels: Array | None, shape: tuple[int, int], levels: int
) -> Source:
    """Keep a fifth for testing, chosen by a seed of its own: never a prefix, the same each run."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(rows))
    test, train = np.split(order, [-(-len(rows) // 5)])
    return Source(
        name,
        rows[train],
        rows[test],
        None if labels is None else labels[train],
        None if labels is None else labels[test],
        shape,
        levels,
    )


def prepare(source: Source, settings: Settings) -> Dataset:
    """Rows in the domain of the likelihood, with a validation part taken from the train part.

    Raises:
        UserError: a value outside the likelihood's domain; the message names the first one and
            the likelihoods and the binarisations that would take it.
    """
    trials = settings.trials or source.levels
    dynamic, parts = False, []
    notes: tuple[str, ...] = ()
    for rows, part in ((source.train, "train"), (source.test, "test")):
        where = f"{source.name}, {part} data"
        if settings.likelihood == "bernoulli":
            rows, dynamic, notes = binarise(rows, source.levels, settings.binarise, where)
        elif settings.likelihood == "binomial":
            require_counts(rows, trials, where)
        elif source.levels:
            rows = rows / source.levels
        parts.append(torch.tensor(rows, dtype=torch.float64 if rows.dtype == float else None))
    train, test = parts
    labels = None if source.train_labels is None else torch.tensor(source.train_labels)
    tests = None if source.test_labels is None else torch.tensor(source.test_labels)
    if settings.conditional and labels is None:
        raise UserError(f"--conditional: {source.name} has no labels to condition on")
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(SPLIT_SEED))
    kept, held = torch.split(
        order,
        [len(train) - (n := int(settings.validation * len(train))), n],
    )
    if len(kept) < 1:
        raise UserError(f"--validation {settings.validation} leaves nothing to train on")
    digest = hashlib.sha256(np.ascontiguousarray(source.train).tobytes())
    digest.update(np.ascontiguousarray(source.test).tobytes())
    return Dataset(
        source.name,
        train[kept],
        train[held],
        test,
        None if labels is None else labels[kept],
        None if labels is None else labels[held],
        tests,
        source.shape,
        source.levels,
        trials,
        dynamic,
        digest.hexdigest(),
        notes,
    ).to(torch.device("cpu"), torch.get_default_dtype())


def binarise(rows: Array, levels: int, how: str, where: str) -> tuple[Array, bool, tuple[str, ...]]:
    """Rows of 0 and 1, or of probabilities to be drawn from (then the second value is True)."""
    binary = bool(np.isin(rows, (0, 1)).all()) if levels <= 1 else False
    if how == "auto":
        how = "none" if levels <= 1 else "threshold" if levels < 255 else "dynamic"
    if how == "threshold":
        top = levels or 1
        return (rows >= top / 2).astype(np.uint8), False, (f"1 where x >= {top / 2:g}",)
    if how == "dynamic":
        rates = rows / (levels or 1)
        if rates.min() < 0 or rates.max() > 1:
            raise UserError(
                f"{where}: {rows.max() if rates.max() > 1 else rows.min():g} is no probability; "
                "--binarise dynamic needs values in 0..1, or whole numbers"
            )
        return rates, True, (f"x drawn afresh as Bernoulli(x / {levels or 1})",)
    if not binary:
        place = np.argwhere(~np.isin(rows, (0, 1)))
        index = tuple(int(i) for i in place[0]) if len(place) else (0, 0)
        raise UserError(
            f"{where}: {rows[index]:g} at row {index[0]}, column {index[1]}: the Bernoulli "
            "likelihood is a law on 0 and 1 only; choose --binarise threshold or dynamic, "
            "--likelihood binomial for counts, or --likelihood gaussian for real numbers"
        )
    return rows, False, ()


def require_counts(rows: Array, trials: int, where: str) -> None:
    """Refuse what is not a whole number in 0..trials."""
    bad = (rows < 0) | (rows > trials) | (rows != np.floor(rows)) if trials else np.ones_like(rows)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise UserError(
            f"{where}: {rows[index]:g} at row {index[0]}, column {index[1]}: the binomial "
            f"likelihood is a law on whole numbers 0..{trials or 'trials'}; say how many with "
            "--trials, or choose --likelihood gaussian for real numbers"
        )
