"""The latent space: the two terms are the KL divergence, and each regime fails in its own way."""

import pytest
import torch
from sections import drawn, figures, refusal

from vaedocs import kl_divergence
from vaedocs import probabilistic_latent_space as page

GENERATOR = torch.Generator().manual_seed(4)


def test_local_and_global_term_sum_to_the_divergence_from_the_prior():
    mean, log_variance = torch.randn(2, 20, 3, generator=GENERATOR, dtype=torch.float64)
    split = page.local_term((0.5 * log_variance).exp()) + page.global_term(mean)
    torch.testing.assert_close(split, kl_divergence.diagonal_to_standard_normal(mean, log_variance))


def test_the_loss_is_minus_a_gaussian_log_likelihood_plus_the_divergence():
    x, decoded = torch.rand(2, 7, 64, generator=GENERATOR, dtype=torch.float64)
    mean, log_variance = torch.randn(2, 7, 3, generator=GENERATOR, dtype=torch.float64)
    loss = page.regularised_loss(x, decoded, mean, (0.5 * log_variance).exp())
    likelihood = torch.distributions.Normal(decoded, page.NOISE_VARIANCE**0.5)
    constant = likelihood.log_prob(decoded).sum(-1)  # the value at the peak
    witness = constant - likelihood.log_prob(x).sum(-1)
    witness = witness + kl_divergence.diagonal_to_standard_normal(mean, log_variance)
    torch.testing.assert_close(loss, witness)


def test_each_term_is_zero_at_one_place_only():
    std = torch.tensor([[1.0, 1.0], [0.9, 1.0], [1.0, 1.1]], dtype=torch.float64)
    values = page.local_term(std)
    assert values[0] == 0
    assert (values[1:] > 0).all()
    assert page.global_term(std - 1)[0] == 0
    assert (page.global_term(std - 1)[1:] > 0).all()


def test_discontinuity_of_a_linear_decoder_is_its_stretch_and_ignores_units():
    decoder = torch.nn.Linear(2, 2, bias=False)
    decoder.weight.data = torch.diag(torch.tensor([3.0, 3.0]))
    codes = torch.randn(50, 2, generator=GENERATOR)
    speed = page.discontinuity(decoder, codes, torch.ones(2))
    torch.testing.assert_close(speed, torch.full((50,), 3.0), rtol=1e-3, atol=0)
    shrunk = torch.nn.Linear(2, 2, bias=False)
    shrunk.weight.data = 10 * decoder.weight.data
    same = page.discontinuity(shrunk, codes / 10, torch.full((2,), 0.1))
    torch.testing.assert_close(speed, same, rtol=1e-2, atol=0)
    blown_up = torch.nn.Linear(2, 2, bias=False)
    blown_up.weight.data = decoder.weight.data / 10  # codes ten times larger, same pictures
    slower = page.discontinuity(blown_up, 10 * codes, torch.ones(2))
    torch.testing.assert_close(slower, speed / 10, rtol=1e-2, atol=0)


def test_nearest_distance_against_a_loop():
    a, b = torch.randn(6, 3, generator=GENERATOR), torch.randn(9, 3, generator=GENERATOR)
    witness = torch.stack([min((x - y).norm() for y in b) for x in a])
    torch.testing.assert_close(page.nearest_distance(a, b), witness)


def test_the_split_keeps_the_parts_apart():
    x, labels, held_out, held_out_labels = page.split()
    assert len(x) + len(held_out) == len(labels) + len(held_out_labels) == 1797
    assert page.nearest_distance(held_out, x).min() > 0


def test_training_leaves_the_global_random_state_and_threads_alone():
    torch.manual_seed(11)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        page.trained("none", steps=3)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.slow
def test_the_regimes_fail_as_the_page_says():
    none, local, everywhere, both = page.regimes().values()
    # The prior reaches real-looking images only where both terms are there.
    assert both.incompleteness < 0.75 * min(
        none.incompleteness, local.incompleteness, everywhere.incompleteness
    )
    assert both.discontinuity < min(
        none.discontinuity, local.discontinuity, everywhere.discontinuity
    )
    assert local.spread > 5 * both.spread  # the local term alone lets codes flee
    assert everywhere.std < 0.01 < 0.1 < both.std  # the global term alone lets them shrink
    assert both.error > none.error  # and it costs reconstruction
    assert both.incompleteness_fitted < none.incompleteness_fitted < none.incompleteness
    reference = page.reference()
    assert reference.held_out < both.incompleteness < reference.pixel_gaussian
    assert none.error < reference.linear


@pytest.mark.slow
def test_two_numbers_of_the_encoder_tell_more_than_two_components():
    found = page.manifold()
    assert found.encoder > found.pca + 5 > found.chance + 30


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: page.trained("all"),
            'regime is "all"; expected one of none, local, global, both',
        ),
        (
            lambda: page.local_term(torch.tensor([1.0, 0.0])),
            "std[1] = 0; expected a positive finite number",
        ),
        (
            lambda: page.global_term(torch.tensor(float("inf"))),
            "mean = inf; expected a finite number",
        ),
    ],
)
def test_bad_arguments_in_full(call, words):
    assert refusal(call) == words


@pytest.mark.slow
@pytest.mark.parametrize("figure", figures(page))
def test_figures_keep_to_the_colours_of_the_book(figure):
    assert drawn(figure).startswith("<svg")
