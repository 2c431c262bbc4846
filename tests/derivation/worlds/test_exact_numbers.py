"""Polynomials in logarithms of primes: equal exactly when they are equal."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaedocs.derivation.worlds.arithmetic import (
    Digits,
    Exact,
    Floats,
    Inexact,
    LogNumber,
    Undefined,
    exact_log,
    is_zero,
    sign,
    spell,
)

F = Fraction

positive = st.fractions(min_value=F(1, 1000), max_value=1000, max_denominator=1000)


@given(positive, positive)
def test_the_logarithm_of_a_product_is_the_sum_exactly(a: F, b: F) -> None:
    assert is_zero(exact_log(a * b) - exact_log(a) - exact_log(b))


@given(positive, positive, positive, st.fractions(max_denominator=50))
def test_arithmetic_agrees_with_floats(a: F, b: F, c: F, k: F) -> None:
    exact = (exact_log(a) * k + c) * exact_log(b) - exact_log(c) / 3 + 1
    plain = (math.log(a) * float(k) + float(c)) * math.log(b) - math.log(c) / 3 + 1
    assert float(exact) == pytest.approx(plain, rel=1e-9, abs=1e-9)


def test_a_difference_far_below_double_precision_is_seen() -> None:
    big = 10**40
    gap = exact_log(F(big + 1, big))
    assert not is_zero(gap)
    assert sign(gap) == 1


def test_composite_factors_are_refined_to_coprime_ones() -> None:
    p, q = 1_000_003, 1_000_033  # primes beyond the trial divisions
    assert is_zero(exact_log(F(p * q)) - exact_log(F(p)) - exact_log(F(q)))
    assert is_zero(exact_log(F(p**2 * q)) - 2 * exact_log(F(p)) - exact_log(F(q)))
    assert not is_zero(exact_log(F(p * q)) - 2 * exact_log(F(p)))


def test_squares_of_logarithms() -> None:
    x, y = exact_log(F(2)), exact_log(F(3))
    assert is_zero((x + y) * (x - y) - x * x + y * y)
    assert not is_zero(x * y - 1)


def test_exp_undoes_log_and_refuses_other_numbers() -> None:
    numbers = Exact()
    assert numbers.exp(exact_log(F(3, 4)) - exact_log(F(5))) == F(3, 20)
    with pytest.raises(Inexact):
        numbers.exp(F(1, 2))
    with pytest.raises(Inexact):
        numbers.exp(exact_log(F(2)) / 2)
    assert numbers.sqrt(F(9, 16)) == F(3, 4)
    with pytest.raises(Inexact):
        numbers.sqrt(F(2))


@pytest.mark.parametrize("numbers", [Exact(), Floats(), Digits()])
def test_no_kind_of_number_has_a_logarithm_of_zero(numbers: object) -> None:
    with pytest.raises(Undefined):
        numbers.log(numbers.number(F(0)))  # type: ignore[attr-defined]


def test_spelling() -> None:
    assert spell(exact_log(F(3, 8)) * F(1, 2) - 1) == "-3/2*log(2) + 1/2*log(3) - 1"
    assert spell(-exact_log(F(2))) == "-log(2)"
    assert isinstance(exact_log(F(2)), LogNumber)
