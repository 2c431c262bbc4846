"""Small matrices over fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Undefined
from vaedocs.derivation.worlds.matrices import Mat, column, identity

F = Fraction

A = Mat([[F(2), F(1)], [F(1), F(3)]])
B = Mat([[F(0), F(1), F(2)], [F(1), F(0), F(1)]])


def test_products_transposes_and_traces() -> None:
    assert (A * B).rows == ((1, 2, 5), (3, 1, 5))
    assert B.transpose().shape == (3, 2)
    assert (B * B.transpose()).trace() == 7
    assert (column([F(1), F(2)]).transpose() * A * column([F(1), F(2)])).rows == ((18,),)


def test_determinant_and_inverse_with_a_zero_pivot() -> None:
    c = Mat([[F(0), F(1), F(2)], [F(1), F(0), F(3)], [F(4), F(-3), F(8)]])
    assert c.determinant() == -2
    assert c * c.inverse() == identity(3, F(1))
    assert A.power(-2) * A.power(2) == identity(2, F(1))
    with pytest.raises(Undefined, match="singular"):
        Mat([[F(1), F(2)], [F(2), F(4)]]).inverse()


def test_cholesky() -> None:
    low = Mat([[4.0, 2.0], [2.0, 5.0]]).cholesky(lambda v: v**0.5)
    assert low.rows == ((2.0, 0.0), (1.0, 2.0))
    with pytest.raises(Undefined, match="not positive definite"):
        Mat([[1.0, 2.0], [2.0, 1.0]]).cholesky(lambda v: v**0.5)


def test_shape_errors_say_both_shapes() -> None:
    with pytest.raises(CannotEvaluate, match="a 2 × 3 matrix cannot multiply a 2 × 2 matrix"):
        B * A
    with pytest.raises(CannotEvaluate, match="cannot add a 2 × 2 matrix and a 2 × 3 matrix"):
        A + B
    with pytest.raises(CannotEvaluate, match="a 2 × 3 matrix has no determinant"):
        B.determinant()
