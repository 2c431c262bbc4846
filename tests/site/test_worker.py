"""The process that evaluates: never stale, never endless, and what it prints is no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaedocs.site.worker import Worker, WorkerError

HERE = Path(__file__).parent


def test_a_changed_package_is_evaluated_anew(package: Path) -> None:
    """As under a server: the asking process lives on, and the package changes below it."""
    worker = Worker(None)
    try:
        assert worker.value("shapes.number.PI", "d") == "3"
        (package / "number.py").write_text("PI = 44\n", "utf-8")
        worker.look_again()
        assert worker.value("shapes.number.PI", "d") == "44"
    finally:
        worker.close()


def test_a_slow_function_runs_once_for_all_its_fields(package: Path) -> None:
    (package / "number.py").write_text(
        "calls = []\nPI = 3\n\ndef trained():\n    calls.append(1)\n"
        "    return {'loss': 0.5, 'runs': len(calls)}\n",
        "utf-8",
    )
    worker = Worker(None)
    try:
        assert worker.value("shapes.number.trained.loss", ".1f") == "0.5"
        assert worker.value("shapes.number.trained.runs", "d") == "1"
    finally:
        worker.close()


def test_what_a_function_prints_is_not_an_answer(package: Path) -> None:
    (package / "number.py").write_text("def loud():\n    print('{}')\n    return 7\n", "utf-8")
    worker = Worker(None)
    try:
        assert worker.value("shapes.number.loud", "") == "7"
    finally:
        worker.close()


def test_a_question_that_takes_too_long_is_given_up(package: Path) -> None:
    (package / "number.py").write_text(
        "import time\nPI = 3\n\ndef slow():\n    time.sleep(60)\n", "utf-8"
    )
    worker = Worker(None, timeout=3)
    try:
        with pytest.raises(WorkerError, match="no answer within 3 s; it was stopped"):
            worker.value("shapes.number.slow", "")
        worker.timeout = 60
        assert worker.value("shapes.number.PI", "d") == "3"
    finally:
        worker.close()


def test_two_processes_give_one_answer(package: Path) -> None:
    """Even where the order of a set shows, a page is built the same way twice."""
    (package / "number.py").write_text(
        "PI = 3\n\ndef words():\n    return ' '.join({'mean', 'scale', 'rate', 'shape', 'loc'})\n",
        "utf-8",
    )
    said = set()
    for _ in range(3):
        worker = Worker(None)
        said.add(worker.value("shapes.number.words", ""))
        worker.close()
    assert len(said) == 1
