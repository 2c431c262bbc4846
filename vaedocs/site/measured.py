"""What a reader waits for, as ``python -m benchmarks.typesetting`` measured it.

The table on the page "Use it on your own site" reads these numbers; none of them is typed.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "typesetting.json"


@cache
def typesetting() -> dict[str, Any]:
    """The last measurements, whole: page, versions, machine, and medians for each network.

    Raises:
        FileNotFoundError: outside a source checkout.

    >>> sorted(typesetting()["networks"])
    ['fast', 'slow']
    """
    if not RESULT.is_file():
        raise FileNotFoundError(
            f"{RESULT} is missing: run python -m benchmarks.typesetting in a source checkout"
        )
    found: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    return found


def style_weight() -> float:
    """What the style sheets in a page weigh, compressed, in kB.

    >>> 10 < style_weight() < 60
    True
    """
    return float(typesetting()["style_bytes"]) / 1000


def slow() -> dict[str, dict[str, float]]:
    """The telephone: each way of typesetting, with kilobytes and seconds.

    >>> sorted(slow())
    ['built', 'katex', 'mathjax', 'none']
    """
    return _readable("slow")


def fast() -> dict[str, dict[str, float]]:
    """The same without slowing anything down.

    >>> fast()["built"]["first"] < fast()["mathjax"]["first"]
    True
    """
    return _readable("fast")


def _readable(network: str) -> dict[str, dict[str, float]]:
    return {
        way: {
            "kilobytes": seen["bytes"] / 1000,
            "requests": int(seen["requests"]),
            "first": (seen["first_ms"] or 0.0) / 1000,
            "paint": seen["paint_ms"] / 1000,
            "shift": seen["shift"],
            "shift_link": seen["shift_link"],
            "shift_reading": seen["shift_reading"],
        }
        for way, seen in typesetting()["networks"][network].items()
    }
