"""IDX files, the format of MNIST and Fashion-MNIST: read with every check, or fetched."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaedocs.training.settings import UserError

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
# md5 of the content, so that a .gz packed by anyone is recognised, and of the published .gz.
CONTENT_MD5: dict[str, tuple[str, ...]] = {
    "mnist": (
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
}
PACKED_MD5: dict[str, tuple[str, ...]] = {
    "mnist": (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion-mnist": (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
}
SOURCES = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
}
KINDS = {2049: (1, "labels"), 2051: (3, "images")}


def read(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array in one IDX file, gzipped or not; ``dimensions`` is 3 for images, 1 for labels.

    Raises:
        UserError: the file is missing, truncated, too long, damaged, or holds labels where images
            were expected (or the other way round).
    """
    content = contents(path)
    wanted = "images" if dimensions == 3 else "labels"
    magic = struct.unpack(">I", content[:4])[0] if len(content) >= 4 else 0
    if magic not in KINDS:
        raise UserError(
            f"{path}: not an IDX file of bytes: it begins with {content[:4].hex(' ')}; expected "
            "00 00 08 03 (images) or 00 00 08 01 (labels)"
        )
    found, kind = KINDS[magic]
    if found != dimensions:
        raise UserError(
            f"{path}: holds {kind} where {wanted} were expected; are two files swapped or renamed?"
        )
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise UserError(f"{path}: truncated inside its header ({len(content)} bytes)")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) - start != math.prod(shape):
        state = "truncated" if len(content) - start < math.prod(shape) else "too long"
        raise UserError(
            f"{path}: {state}: its header promises {math.prod(shape)} values "
            f"({' x '.join(map(str, shape))}) and {len(content) - start} follow; copy it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def contents(path: Path) -> bytes:
    """The bytes of the file, unpacked if its name ends in .gz."""
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    if path.suffix != ".gz":
        return packed
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: damaged or truncated gzip file ({error}); copy it again") from (
            error
        )


def find(folder: Path, name: str) -> Path:
    """The file of that name in the folder, gzipped or not.

    >>> find(Path("nowhere"), FILES[0])
    Traceback (most recent call last):
    vaedocs.training.settings.UserError: nowhere: no such folder; give the one that holds \
train-images-idx3-ubyte(.gz) and its three companions
    """
    if not folder.is_dir():
        raise UserError(
            f"{folder}: no such folder; give the one that holds {FILES[0]}(.gz) and its three "
            "companions"
        )
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise UserError(
        f"{folder}: no file {name} or {name}.gz; expected all of {', '.join(FILES)}, gzipped or not"
    )


def verify(path: Path, name: str, position: int) -> None:
    """Refuse a file whose md5 is not that of the published data set's file ``position``."""
    if name in CONTENT_MD5:
        known, data, what = CONTENT_MD5[name], contents(path), "content"
    elif path.suffix == ".gz":
        known, data, what = PACKED_MD5[name], path.read_bytes(), "file"
    else:
        return  # Only the packed files' sums are published; shape and kind are still checked.
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if found == known[position]:
        return
    hint = (
        f"this is the published {FILES[known.index(found)]}: two files are swapped"
        if found in known
        else "it is damaged or another data set; use --data with the folder's path to train on it "
        "as it is"
    )
    raise UserError(
        f"{path}: md5 of its {what} is {found}, expected {known[position]} for {name}; {hint}"
    )


def load(folder: Path, name: str | None) -> list[NDArray[np.uint8]]:
    """Train images and labels, test images and labels; md5 is checked where ``name`` is known."""
    arrays = []
    for position, file in enumerate(FILES):
        path = find(folder, file)
        array = read(path, dimensions=1 if position % 2 else 3)
        if name is not None:
            verify(path, name, position)
        arrays.append(array)
    for first, part in ((0, "train"), (2, "test")):
        images, labels = arrays[first : first + 2]
        if len(images) != len(labels):
            raise UserError(
                f"{folder}: {len(images)} {part} images but {len(labels)} {part} labels"
            )
    if arrays[0].shape[1:] != arrays[2].shape[1:]:
        raise UserError(
            f"{folder}: train images are {arrays[0].shape[1:]} and test images "
            f"{arrays[2].shape[1:]}; expected one size"
        )
    return arrays


def fetch(name: str) -> Path:
    """Download the data set into the user's cache with pooch, md5 checked; give the folder."""
    import pooch

    folder = Path(pooch.os_cache("vaedocs")) / name
    for file, digest in zip(FILES, PACKED_MD5[name], strict=True):
        try:
            pooch.retrieve(
                SOURCES[name] + file + ".gz",
                known_hash=f"md5:{digest}",
                fname=file + ".gz",
                path=folder,
            )
        except (OSError, ValueError) as error:
            raise UserError(
                f"{SOURCES[name]}{file}.gz: could not be fetched ({type(error).__name__}: "
                f"{str(error).splitlines()[0][:120]}); put the four files into a folder and give "
                "it with --folder"
            ) from error
    return folder
