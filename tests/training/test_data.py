"""Every way in for data: what is accepted, and the words for what is refused."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from vaedocs.training import idx
from vaedocs.training.data import Rows, load
from vaedocs.training.settings import Settings, UserError

MNIST = (
    next(
        (p for p in Path(__file__).resolve().parents if (p / "shared/data/mnist").is_dir()), Path()
    )
    / "shared/data/mnist"
)


def idx_bytes(array):
    """An IDX file of bytes."""
    kind = {1: 2049, 3: 2051}[array.ndim]
    return struct.pack(f">I{array.ndim}I", kind, *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    """Four small IDX files, two of them gzipped."""
    rng = np.random.default_rng(0)
    for name, count in (("train", 30), ("t10k", 12)):
        images = rng.integers(0, 256, (count, 4, 3), dtype=np.uint8)
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (tmp_path / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels)))
    return tmp_path


def array(tmp_path, values, name="x.npy"):
    np.save(tmp_path / name, values)
    return str(tmp_path / name)


def refused(**options):
    """The message with which these settings are refused."""
    with pytest.raises(UserError) as caught:
        load(Settings(**options).check())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_digits_are_counts_of_sixteen_and_the_parts_do_not_overlap():
    data = load(Settings(likelihood="binomial"))
    assert data.trials == 16
    assert data.train.max() == 16
    assert (len(data.train), len(data.validation), len(data.test)) == (1294, 143, 360)
    from sklearn.datasets import load_digits

    together = torch.cat([data.train, data.validation, data.test])
    assert sorted(map(tuple, together.int().tolist())) == sorted(
        map(tuple, load_digits().data.astype(int).tolist())
    )


def test_the_split_does_not_depend_on_the_seed_of_the_run():
    one, other = load(Settings(seed=1)), load(Settings(seed=2))
    assert torch.equal(one.test, other.test)
    assert one.digest == other.digest


def test_labels_stay_with_their_rows():
    """A digit 0 has an empty middle, a digit 8 has not: so would a shuffled label show."""
    data = load(Settings(likelihood="binomial"))
    for rows, labels in ((data.train, data.train_labels), (data.test, data.test_labels)):
        middle = rows.reshape(-1, 8, 8)[:, 3:5, 3:5].mean((1, 2))
        assert middle[labels == 0].mean() < 1 < 8 < middle[labels == 8].mean()


def test_a_threshold_is_at_half_the_levels():
    counts, binary = load(Settings(likelihood="binomial")), load(Settings())
    assert torch.equal(binary.train, (counts.train >= 8).float())


def test_dynamic_binarisation_is_seeded_and_has_the_grey_level_as_its_mean():
    data = load(Settings(binarise="dynamic"))
    rows = data.train[:1].expand(20_000, -1)
    first, again = (data.draw(rows, torch.Generator().manual_seed(3)) for _ in range(2))
    other = data.draw(rows, torch.Generator().manual_seed(4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert set(first.unique().tolist()) == {0, 1}
    assert (first.mean(0) - rows[0]).abs().max() < 4 * 0.5 / 20_000**0.5
    assert torch.equal(first[:, rows[0] == 1], torch.ones_like(first[:, rows[0] == 1]))


def test_real_numbers_for_a_gaussian_are_left_alone(tmp_path):
    values = np.random.default_rng(0).normal(size=(40, 5)) - 7
    data = load(Settings(data=array(tmp_path, values), likelihood="gaussian"))
    together = torch.cat([data.train, data.validation, data.test]).double().numpy()
    np.testing.assert_allclose(np.sort(together, 0), np.sort(values, 0), rtol=1e-6)


def test_bytes_for_a_gaussian_are_divided_by_255(tmp_path):
    values = np.full((20, 4), 51, np.uint8)
    data = load(Settings(data=array(tmp_path, values), likelihood="gaussian"))
    assert data.train.unique().tolist() == pytest.approx([0.2])


def test_an_archive_may_bring_labels_and_a_test_part(tmp_path):
    path = tmp_path / "a.npz"
    labels = np.arange(20) % 3
    np.savez(path, x=np.eye(20, dtype=np.uint8), y=labels, test=np.eye(20, dtype=np.uint8)[:11])
    data = load(Settings(data=str(path)))
    assert (data.classes, len(data.test)) == (3, 11)
    assert torch.equal(data.train.argmax(1) % 3, data.train_labels)


def test_a_folder_of_images_is_read_as_grey_levels(tmp_path):
    from PIL import Image

    for i in range(12):
        Image.new("RGB", (3, 2), (255, 0, 0) if i % 2 else (0, 0, 0)).save(tmp_path / f"{i}.png")
    data = load(Settings(data=str(tmp_path), likelihood="binomial"))
    assert data.shape == (2, 3)
    assert data.trials == 255
    assert set(torch.cat([data.train, data.test]).unique().tolist()) == {0, 76}  # 0.299 * 255


def test_shapes_and_ppca_are_what_they_say():
    shapes, ppca = (
        load(Settings(data=name, likelihood=law))
        for name, law in (("shapes", "bernoulli"), ("ppca", "gaussian"))
    )
    assert shapes.classes == 3
    assert 0.05 < shapes.train.mean() < 0.5
    rows = torch.cat([ppca.train, ppca.validation, ppca.test]).double()
    values = torch.linalg.eigvalsh(rows.T @ rows / len(rows)).flip(0)
    expected = torch.tensor([9, 4, 2, 0.5, 0.5, 0.5, 0.5, 0.5], dtype=torch.float64)
    assert torch.allclose(values, expected, rtol=0.12)


def test_idx_files_gzipped_or_not(folder):
    data = load(Settings(data=str(folder)))
    assert data.shape == (4, 3)
    assert data.dynamic
    assert (len(data.train), len(data.validation), len(data.test)) == (27, 3, 12)


def damage_truncate(folder):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-5])


def damage_gzip(folder):
    path = folder / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])


def damage_swap_kinds(folder):
    labels = gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes())
    (folder / "train-images-idx3-ubyte").write_bytes(labels)


def damage_lengthen(folder):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes() + b"xx")


def damage_magic(folder):
    (folder / "train-images-idx3-ubyte").write_bytes(b"\x89PNG....")


def damage_remove(folder):
    (folder / "t10k-images-idx3-ubyte").unlink()


def damage_count(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(idx_bytes(np.zeros(11, np.uint8)))
    )


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damage_truncate, ["train-images", "truncated", "promises 360 values", "355 follow"]),
        (damage_gzip, ["t10k-labels", "damaged or truncated gzip"]),
        (damage_swap_kinds, ["train-images", "holds labels where images were expected", "swapped"]),
        (damage_lengthen, ["too long", "362 follow"]),
        (damage_magic, ["not an IDX file", "89 50 4e 47", "00 00 08 03"]),
        (damage_remove, ["no file t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz"]),
        (damage_count, ["12 test images but 11 test labels"]),
    ],
)
def test_damaged_idx_files_are_named(folder, damage, words):
    damage(folder)
    message = refused(data=str(folder))
    assert all(word in message for word in words), message


def test_other_content_under_the_name_of_mnist_is_refused(folder):
    message = refused(data="mnist", folder=str(folder))
    assert "md5" in message
    assert "6bbc9ace898e44ae57da46a324031adb" in message


def test_mnist_without_files_says_how_to_get_them():
    assert "--folder" in refused(data="mnist")
    assert "--download" in refused(data="mnist")


@pytest.mark.skipif(not MNIST.is_dir(), reason="the real MNIST is not beside this checkout")
def test_the_real_mnist_is_recognised_and_swapped_files_are_named(tmp_path):
    data = load(Settings(data="mnist", folder=str(MNIST), validation=0))
    assert (tuple(data.train.shape), tuple(data.test.shape)) == ((60_000, 784), (10_000, 784))
    for name in idx.FILES:
        other = name.replace("train", "t10k") if "train" in name else name.replace("t10k", "train")
        (tmp_path / f"{name}.gz").symlink_to(MNIST / f"{other}.gz")
    message = refused(data="mnist", folder=str(tmp_path))
    assert "this is the published t10k-images-idx3-ubyte: two files are swapped" in message


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (
            np.full((20, 3), 0.5),
            {},
            ["0.5 at row 0, column 0", "law on 0 and 1 only", "--binarise"],
        ),
        (np.full((20, 3), 1.5), {"binarise": "dynamic"}, ["1.5 is no probability"]),
        (np.full((20, 3), -1.0), {"binarise": "dynamic"}, ["-1 is no probability"]),
        (np.full((20, 3), 2.5), {"likelihood": "binomial", "trials": 4}, ["2.5", "0..4"]),
        (np.full((20, 3), 9), {"likelihood": "binomial", "trials": 4}, ["9 at row", "0..4"]),
        (np.full((20, 3), 0.5), {"likelihood": "binomial"}, ["--trials"]),
        (np.full((20, 3), np.nan), {"likelihood": "gaussian"}, ["nan at [0, 0]", "finite"]),
        (np.full((20, 3), np.inf), {"likelihood": "gaussian"}, ["inf at [0, 0]", "finite"]),
        (np.zeros(20), {}, ["shape (20,)", "at least 10 rows"]),
        (np.zeros((3, 4)), {}, ["shape (3, 4)", "at least 10 rows"]),
        (np.full((20, 3), "a"), {}, ["expected numbers"]),
        (np.eye(20, dtype=np.uint8), {"conditional": True}, ["no labels"]),
        (np.eye(20, dtype=np.uint8), {"validation": 0.99}, []),
    ],
)
def test_values_outside_the_domain_are_refused_with_alternatives(tmp_path, values, options, words):
    path = array(tmp_path, values)
    if not words:
        assert len(load(Settings(data=path, **options)).train) == 1
        return
    message = refused(data=path, **options)
    assert all(word in message for word in words), message


def test_files_that_are_no_data_are_refused(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"no")
    assert "not a NumPy file" in refused(data=str(tmp_path / "x.npy"))
    assert "no such file" in refused(data=str(tmp_path / "y.npy"))
    np.savez(tmp_path / "a.npz", wrong=np.eye(20))
    assert "called x or train" in refused(data=str(tmp_path / "a.npz"))
    assert "no images" in refused(data=str(tmp_path))
    (tmp_path / "a.png").write_bytes(b"no")
    assert "not an image" in refused(data=str(tmp_path))
    assert "neither a known data set (digits" in refused(data="dgits")


def test_images_of_two_sizes_are_refused(tmp_path):
    from PIL import Image

    Image.new("L", (3, 2)).save(tmp_path / "a.png")
    Image.new("L", (4, 2)).save(tmp_path / "b.png")
    assert "4 x 2 pixels, but a.png has 3 x 2" in refused(data=str(tmp_path))


def test_fetching_says_what_failed(monkeypatch, tmp_path):
    import pooch

    def fail(url, **options):
        assert options["known_hash"].startswith("md5:")
        raise OSError("no route")

    monkeypatch.setattr(pooch, "retrieve", fail)
    message = refused(data="fashion-mnist", download=True)
    assert "train-images-idx3-ubyte.gz: could not be fetched" in message
    assert "--folder" in message


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("values", "levels", "kept"),
    [
        (torch.arange(256).double() / 255, 255, torch.uint8),  # grey levels
        (torch.arange(256) % 2, 255, torch.uint8),  # bits of pictures that had 255 levels
        (torch.arange(256) % 17, 16, torch.uint8),  # counts
        (torch.arange(256), 255, torch.uint8),  # counts up to 255
        (torch.arange(256).double() / 255, 100, None),  # not the levels that were said
        (torch.arange(256).double() / -255, 255, None),
        (torch.linspace(0, 1, 256) ** 2, 255, None),
        (torch.arange(256).double() / 255, 0, None),  # real numbers
        (torch.arange(256) * 2, 510, None),  # no bytes
    ],
)
def test_rows_kept_as_bytes_are_the_rows(values, levels, kept, dtype):
    rows = values.to(dtype).reshape(64, 4)
    index = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    packed = Rows(rows, levels, many=0)
    assert packed.kept.dtype == (kept or dtype)
    taken = packed.take(index)
    assert taken.dtype == dtype
    assert torch.equal(taken, rows[index])


def test_few_rows_are_kept_as_they_are():
    rows = torch.zeros(8, 4)
    assert Rows(rows, 1).kept is rows
