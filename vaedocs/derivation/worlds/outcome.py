"""What a comparison in worlds found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Method = Literal[
    "exact finite spaces",
    "finite spaces at 40 digits",
    "finite spaces and a search",
    "random smooth models",
]


@dataclass(frozen=True)
class Counterexample:
    """One admissible world in which a relation fails.

    ``left`` and ``right`` are the values of both sides (of the entry that differs most, where they
    are matrices),
    ``exact`` their exact spelling where it is short, ``description`` the world in a few lines,
    ``values`` the same for JSON.
    """

    left: float
    right: float
    difference: float
    description: str
    exact: tuple[str, str] = ("", "")
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """``refuted`` with a counterexample, ``agrees`` in ``instances`` worlds, ``vacuous`` or
    ``undecided`` for a ``reason``."""

    status: Literal["refuted", "agrees", "vacuous", "undecided"]
    method: Method
    instances: int = 0
    counterexample: Counterexample | None = None
    reason: str = ""
