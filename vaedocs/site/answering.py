"""The process that answers: it imports the book's package, and evaluates, draws and checks.

    python -m vaedocs.site.answering

reads one question a line, as JSON, and writes one answer a line. ``vaedocs.site.worker`` asks.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vaedocs.site import objects
from vaedocs.site.worker import ALT_SLOT, WorkerError


def resolve(name: str) -> Any:
    """Import what can be imported of a dotted name, then follow attributes, keys and calls.

    A function of no arguments is called on the way and at the end, so that
    ``module.triangle.direct`` is the field ``direct`` of what ``triangle()`` returns.

    Raises:
        WorkerError: a part does not exist, or a function needs arguments or raises.
    """
    parts = name.split(".")
    count = len(parts)
    module = None
    while count:
        try:
            module = importlib.import_module(".".join(parts[:count]))
            break
        except ModuleNotFoundError as error:
            if not error.name or not ".".join(parts[:count]).startswith(error.name):
                raise WorkerError(f"importing {'.'.join(parts[:count])} failed: {error}") from error
            count -= 1
    if module is None:
        raise WorkerError(f'no package "{parts[0]}" can be imported from here')
    found: Any = module
    for number, part in enumerate(parts[count:], count):
        found = _called(found, ".".join(parts[:number]))
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif hasattr(found, part):
            found = getattr(found, part)
        else:
            here = (
                list(found) if isinstance(found, dict) else [n for n in dir(found) if n[0] != "_"]
            )
            close = objects._close(part, here)
            raise WorkerError(f'{".".join(parts[:number])} has no "{part}"{close}')
    return _called(found, name)


_results: dict[str, Any] = {}  # the source does not change below a process, so once is enough


def _called(found: Any, name: str) -> Any:
    if not callable(found) or isinstance(found, type):
        return found
    if name in _results:
        return _results[name]
    try:
        _results[name] = found()
        return _results[name]
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        raise WorkerError(f"{name}() raised {type(error).__name__}: {error} ({where})") from error


def _value(request: dict[str, Any]) -> str:
    name, form = request["name"], request["form"]
    found = resolve(name)
    if hasattr(found, "item") and getattr(found, "ndim", 0) == 0:
        found = found.item()
    if isinstance(found, float):
        if found != found:
            raise WorkerError(f"{name} is not a number (nan)")
        if not form:
            raise WorkerError(f"{name} is {found!r}; say how many digits: {{{{ {name} | .3f }}}}")
    if not isinstance(found, (int, float, str)):
        raise WorkerError(f"{name} is a {type(found).__name__}; expected one number or text")
    try:
        text = format(found, form)
    except ValueError as error:
        raise WorkerError(f'format "{form}" does not fit {found!r}: {error}') from error
    # A hyphen is not a minus sign.
    return "\u2212" + text[1:] if isinstance(found, (int, float)) and text[:1] == "-" else text


def _figure(request: dict[str, Any]) -> str:
    from vaedocs import drawing

    name = request["name"]
    title = name.rpartition(".")[2].removeprefix("figure_").replace("_", " ").capitalize()
    found = resolve(name)
    if isinstance(found, str):
        if not found.lstrip().startswith("<svg"):
            raise WorkerError(f"{name}() returned text that is not an <svg> element")
        return drawing.describe(found, title, ALT_SLOT)
    if not hasattr(found, "savefig"):
        raise WorkerError(f"{name}() returned a {type(found).__name__}; expected a Figure or SVG")
    try:
        return drawing.svg(found, title, ALT_SLOT)
    except ValueError as error:
        raise WorkerError(f"{name}: {error}") from error


def _check(request: dict[str, Any]) -> dict[str, Any]:
    from vaedocs.site import checking

    return checking.answer(request)


def _displays(request: dict[str, Any]) -> dict[str, Any]:
    from vaedocs.site import checking

    return checking.displays(request)


_HANDLERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "value": _value,
    "figure": _figure,
    "check": _check,
    "displays": _displays,
}


def main() -> None:
    """Answer JSON lines from standard input until it closes."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what the book's functions print is not an answer
    os.environ.setdefault("MPLBACKEND", "svg")
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"answer": _HANDLERS[request["kind"]](request)}
        except WorkerError as error:
            answer = {"error": str(error)}
        except BaseException as error:  # a crash is an answer too, and the build must hear it
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            answer = {"error": f"{type(error).__name__}: {error} ({where})"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
