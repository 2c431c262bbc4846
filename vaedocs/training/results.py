"""The measurements that the results page quotes, as the benchmark commands wrote them.

Each is a JSON file in ``measured/``, written by a command that is named in it and on the page. They
were taken on some machine on some day: the tests check that the page's claims follow from them,
not that this machine repeats them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parent / "measured"


@cache
def read(name: str) -> Any:
    """One file of measurements.

    >>> read("speed")["threads"]
    1
    """
    return json.loads((MEASURED / f"{name}.json").read_text(encoding="utf-8"))


def speed() -> Any:
    """Side by side with other trainers: written by ``python -m benchmarks.speed``."""
    return read("speed")


def five_minutes() -> dict[str, Any]:
    """Burda's network after 300 processor seconds, by seed: ``python -m benchmarks.burda_2016``.

    >>> sorted(five_minutes())
    ['mean', 'seed_0', 'seed_1', 'seed_2', 'spread']
    """
    runs = {f"seed_{seed}": read(f"burda-2016-five-minutes-seed-{seed}") for seed in range(3)}
    bounds = [run["test"]["negative_elbo"] for run in runs.values()]
    return {**runs, "mean": sum(bounds) / 3, "spread": max(bounds) - min(bounds)}


def instructions() -> str:
    """The vector instructions of the processor that the speeds were measured on.

    >>> isinstance(instructions(), str)
    True
    """
    return ", ".join(speed()["machine"]["instructions"]) or "none of note"
