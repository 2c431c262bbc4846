"""Worlds in which both sides of a relation have numbers: exact finite ones, and smooth ones with an
error bound."""

from vaedocs.derivation.worlds.arithmetic import CannotEvaluate, Undefined
from vaedocs.derivation.worlds.outcome import Counterexample, Outcome
from vaedocs.derivation.worlds.search import evaluate, test, worlds_for

__all__ = [
    "CannotEvaluate",
    "Counterexample",
    "Outcome",
    "Undefined",
    "evaluate",
    "test",
    "worlds_for",
]
