"""Autoencoders and PCA: the optimum against the singular value decomposition and random rivals."""

import pytest
import torch
from sections import drawn, figures, refusal

from vaedocs import autoencoders_and_pca as page

GENERATOR = torch.Generator().manual_seed(1)


def random(*shape):
    return torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


def loss_of(x, encoder, decoder, mean):
    return page.reconstruction_loss(x, (x - mean) @ encoder.T @ decoder.T + mean).item()


@pytest.mark.parametrize("components", [1, 3, 5])
def test_loss_is_that_of_the_truncated_singular_value_decomposition(components):
    x = random(40, 6) @ random(6, 6) + 3
    mean, axes, eigenvalues = page.principal_axes(x, components)
    reconstruction = page.decode(page.encode(x, mean, axes), mean, axes)
    left, values, right = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    best = left[:, :components] * values[:components] @ right[:components]
    torch.testing.assert_close(reconstruction, best + x.mean(0))
    loss = page.reconstruction_loss(x, reconstruction).item()
    assert loss == pytest.approx(eigenvalues[components:].sum().item(), abs=1e-12)


def test_no_random_pair_of_matrices_does_better():
    x = random(60, 5) @ random(5, 5)
    mean, axes, eigenvalues = page.principal_axes(x, 2)
    best = eigenvalues[2:].sum().item()
    for _ in range(200):  # near the optimum and far from it, orthonormal or not
        spread = 10 ** (-3 + 4 * torch.rand(1, generator=GENERATOR, dtype=torch.float64))
        e, d = axes.T + spread * random(2, 5), axes + spread * random(5, 2)
        assert loss_of(x, e, d, mean) > best
        e = random(2, 5)
        d = (x - mean).T @ (x - mean) @ e.T  # the best decoder for a random encoder
        d = d @ torch.linalg.inv(e @ (x - mean).T @ (x - mean) @ e.T)
        assert loss_of(x, e, d, mean) >= best


def test_an_invertible_map_changes_the_code_and_not_the_loss():
    x = random(30, 5)
    mean, axes, _ = page.principal_axes(x, 3)
    a = random(3, 3)
    plain = loss_of(x, axes.T, axes, mean)
    mixed = loss_of(x, torch.linalg.inv(a) @ axes.T, axes @ a, mean)
    assert mixed == pytest.approx(plain, rel=1e-9)
    assert not torch.allclose(axes @ a, axes)


def test_orthonormal_axes_and_falling_eigenvalues():
    x, _ = page.digits()
    _, axes, eigenvalues = page.principal_axes(x, 10)
    torch.testing.assert_close(axes.T @ axes, torch.eye(10, dtype=torch.float64))
    assert (eigenvalues.diff() <= 1e-12).all()


def test_scikit_learn_finds_the_same_subspace():
    from sklearn.decomposition import PCA

    x, _ = page.digits()
    _, axes, eigenvalues = page.principal_axes(x, 5)
    other = PCA(5, svd_solver="full").fit(x.numpy())
    torch.testing.assert_close(
        (torch.from_numpy(other.components_) @ axes).abs(), torch.eye(5, dtype=torch.float64)
    )
    # scikit-learn divides by n - 1, this book by n.
    scaled = eigenvalues[:5] * len(x) / (len(x) - 1)
    torch.testing.assert_close(scaled, torch.from_numpy(other.explained_variance_))


def test_descent_reaches_the_subspace_and_not_the_axes():
    found = page.trained_linear_autoencoder()
    assert 0 <= found.millionths < 1
    assert found.largest_angle < 0.1
    assert found.alignment < 0.99


def test_uncentred_data_lead_to_the_wrong_axis():
    found = page.uncentred()
    assert found.centred_axis == (1.0, 0.0)
    assert found.raw_axis == (0.0, 1.0)
    assert found.raw_loss > 8 * found.centred_loss


def test_the_checker_refuses_the_transposed_encoder_and_accepts_the_right_one():
    from vaedocs.derivation import check

    assert "N×M" in page.shape_refusal()
    right = [r"x \in \mathbb{R}^{N}", r"e \in \mathbb{R}^{M \times N}"]
    assert check(r"\hat{z} := e \, x", right).problems() == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: page.principal_axes(random(4, 3), 4),
            "components is 4; expected a whole number from 1 to N = 3",
        ),
        (
            lambda: page.principal_axes(random(4), 1),
            "x has shape [4]; expected [n, N], one row per example",
        ),
        (
            lambda: page.encode(random(7, 3), random(3), random(2, 3)),
            "axes has shape [2, 3] and cannot take x of shape [7, 3]; "
            "expected axes [N, M] and x [..., N]",
        ),
        (
            lambda: page.decode(random(7, 3), random(3), random(3, 2)),
            "axes has shape [3, 2] and cannot take z of shape [7, 3]; "
            "expected axes [N, M] and z [..., M]",
        ),
        (
            lambda: page.reconstruction_loss(random(4, 3), random(3)),
            "x has shape [4, 3] and reconstruction has shape [3]; expected equal shapes",
        ),
    ],
)
def test_bad_arguments_in_full(call, words):
    assert refusal(call) == words


@pytest.mark.parametrize("figure", figures(page))
def test_figures_keep_to_the_colours_of_the_book(figure):
    assert drawn(figure).startswith("<svg")
