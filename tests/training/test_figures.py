"""The run that the pages show, and its pictures."""

import numpy as np
import pytest
import torch

from vaedocs import drawing
from vaedocs.training import figures, reference, site_run
from vaedocs.training.settings import Settings


@pytest.mark.parametrize("name", figures.PICTURES)
def test_a_figure_needs_no_arguments_and_uses_the_colours_of_the_book(name):
    draw, title = figures.PICTURES[name]
    picture = drawing.svg(draw(), title, "Of the site's run.")
    assert title in picture
    assert len(picture) < 150_000


def test_the_site_run_is_trained_once_and_again_when_its_settings_change(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEDOCS_BUILD", str(tmp_path))
    settings = Settings(epochs=1, layers=(4,))
    first = reference.site_run.__wrapped__(settings)
    stamp = (first.folder / "last.pt").stat().st_mtime_ns
    again = reference.site_run.__wrapped__(settings)
    assert again.folder == first.folder
    assert (again.folder / "last.pt").stat().st_mtime_ns == stamp
    other = reference.site_run.__wrapped__(Settings(epochs=2, layers=(4,)))
    assert other.folder != first.folder
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == sorted(
        [first.folder.name, other.folder.name]
    )


def test_the_site_run_is_trained_again_when_its_code_changes(tmp_path, monkeypatch):
    class Changed:
        __file__ = str(tmp_path / "loop.py")

    before = reference.key()
    (tmp_path / "loop.py").write_text("changed")
    monkeypatch.setattr(reference, "MADE_WITH", (*reference.MADE_WITH[:-1], Changed))
    assert reference.key() != before


def test_tiles_keep_rows_in_order_and_draw_ink_for_one():
    run = site_run()
    rows = torch.zeros(3, 64)
    rows[2] = 1
    picture = figures.tiles(run, rows, columns=2)
    assert picture.shape == (17, 17)
    assert picture[9:, :8].min() == 1
    assert np.count_nonzero(picture) == 64


def test_reconstructions_show_the_examples_they_reconstruct():
    """A trained model's picture is nearer its own example than any other on average."""
    run = site_run()
    x, mean, _, _ = figures.encoded(run, 200)
    distance = torch.cdist(figures.decoded(run, mean), x)
    assert distance.diagonal().mean() < 0.7 * distance.mean()
