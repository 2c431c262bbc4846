"""Train a variational autoencoder, and hold what was trained against exact answers.

    data         any of the data sets as rows of numbers, with the checks a likelihood needs
    likelihoods  Bernoulli, binomial and Gaussian: the domain of the data, log p(x|z), a draw
    settings     every choice of a run, in one frozen record; the named recipes
    idx          the IDX files of MNIST and its kin, checked or fetched
    objective    network, likelihood and settings as one loss in nats
    by_hand      its gradient, written out; the tests hold it against autograd
    loop         the training loop, on one screen
    graph        an epoch as one captured CUDA graph
    device       what the machine can do: its devices, bf16, subnormal numbers
    run_folder   what a run leaves on disk, each file written whole or not at all
    distributed  several processes that compute what one would
    evaluate     ELBO, IWAE, exact log p(x), the gap and its parts
    figures      pictures of a run
    reference    the run that the pages show, and its numbers
    results      the measured numbers that the results page quotes
    command      ``vaedocs train``, ``vaedocs evaluate``, ``vaedocs figures``

Nothing here imports torch until it is used, so that the command line starts at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaedocs.training.run_folder import Run


def site_run() -> Run:
    """The run that the pages show: digits, two latent dimensions, trained in seconds on a CPU.

    It is kept under ``build/`` by a key made of its settings and of the code that trains it, so
    that a page never shows a stale picture: change either and it is trained again.
    """
    from vaedocs.training.reference import site_run as trained

    return trained()
