"""Random chains of valid rewrites are never rejected, and never refuted."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rewrites import Rewriter, theory

from vaedocs.derivation.prove import prove
from vaedocs.derivation.worlds import test as try_worlds

QUIET = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
    "database": None,
}


def accepted(seed: int, length: int) -> None:
    rewriter = Rewriter(seed)
    first, last = rewriter.chain(length)
    steps = " → ".join(rewriter.steps)
    assert prove(theory(), "=", first, last) is not None, f"not proved: {steps}\n{first}\n{last}"
    if seed % 10 == 0:
        outcome = try_worlds("=", first, last, theory(), seed=seed)
        assert outcome.status != "refuted", f"refuted: {steps}\n{outcome.counterexample}"


@settings(max_examples=150, **QUIET)
@given(seed=st.integers(0, 10**6), length=st.integers(1, 5))
def test_short_chains_are_accepted(seed, length):
    accepted(seed, length)


@pytest.mark.slow
@settings(max_examples=2000, **QUIET)
@given(seed=st.integers(0, 10**9), length=st.integers(2, 8))
def test_two_thousand_chains_are_accepted(seed, length):
    accepted(seed, length)
