"""How much may be computed for one claim, counted in evaluated points and not in seconds."""

from __future__ import annotations

import time

from vaedocs.derivation.worlds.arithmetic import OutOfTime

PATIENCE = 20.0  # seconds, the last resort on a machine that is very slow


class Effort:
    """A purse of evaluated points: the same claim gets the same answer on every machine.

    >>> effort = Effort(10)
    >>> effort.spend(4)
    >>> effort.spent, effort.left()
    (4, 6)
    """

    def __init__(self, points: int, patience: float = PATIENCE) -> None:
        self.limit = points
        self.spent = 0
        self.deadline = time.perf_counter() + patience

    def spend(self, points: int = 1) -> None:
        """Count ``points``; raises :class:`OutOfTime` once the purse is empty."""
        self.spent += points
        if self.spent > self.limit or time.perf_counter() > self.deadline:
            raise OutOfTime

    def left(self) -> int:
        """What may still be spent."""
        return self.limit - self.spent
