"""Evaluate the book's functions in a process of their own, and keep what they said.

``mkdocs serve`` keeps old modules in memory after the package changed, so nothing is evaluated in
its process. A worker is started on demand, fed one JSON line per question, and replaced when the
source it may have imported changes. Answers are kept under ``.cache/vaedocs/``, keyed by the
question and by a fingerprint of the code that answers it.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import queue
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

from vaedocs.site import objects

ALT_SLOT = (
    "\u27e8what is to be seen\u27e9"  # the page's words take its place: a figure outlives them
)


class WorkerError(RuntimeError):
    """The question could not be answered; the message is for the page's author."""


class Worker:
    """Ask questions of the package's present source.

    Args:
        cache: the folder of kept answers, or None to keep none.
        timeout: seconds before a question is given up.
    """

    def __init__(self, cache: Path | None, timeout: float = 600.0):
        self.cache, self.timeout = cache, timeout
        self.process: subprocess.Popen[str] | None = None
        self.stamp = ""
        self.marks = dict[tuple[str, str], tuple[str, str]]()
        self.lock = threading.Lock()
        atexit.register(self.close)

    def look_again(self) -> None:
        """Forget what the source was: to be called before each page, for someone may edit it."""
        with self.lock:
            self.marks = {}

    def value(self, name: str, form: str) -> str:
        """The number (or text) that `name` gives, written with the format `form`."""
        return str(self.ask("value", name, {"name": name, "form": form}))

    def figure(self, name: str) -> str:
        """The inline ``<svg>`` that the figure function `name` draws."""
        return str(self.ask("figure", name, {"name": name}))

    def check(self, request: dict[str, Any]) -> dict[str, Any]:
        """The checker's report on one display, as plain data."""
        answer = self.ask("check", str(request["checker"]).rpartition(".")[0], request)
        assert isinstance(answer, dict)
        return answer

    def displays(self, path: str, text: str) -> dict[str, Any]:
        """The displays of a page as the checker reads them."""
        answer = self.ask("displays", "vaedocs.derivation", {"path": path, "text": text})
        assert isinstance(answer, dict)
        return answer

    def ask(self, kind: str, name: str, request: dict[str, Any]) -> Any:
        """Answer from the cache, else from the worker.

        Raises:
            WorkerError: the function raised, died or took too long.
            NoSuchObject: no such module.
        """
        with self.lock:
            mark, stamp = self._marks(kind, name)
            text = json.dumps({"kind": kind, **request}, sort_keys=True)
            key = hashlib.sha256(f"{mark}\n{text}".encode()).hexdigest()[:32]
            kept = self.cache / f"{kind}-{key}.json" if self.cache else None
            if kept and kept.is_file():
                with contextlib.suppress(ValueError, KeyError):
                    return json.loads(kept.read_text(encoding="utf-8"))["answer"]
            answer = self._ask_process(text, stamp)
            if "error" in answer:
                raise WorkerError(answer["error"])
            if kept and _state(name) == stamp:  # else the answer may be of newer code than its key
                kept.parent.mkdir(parents=True, exist_ok=True)
                scratch = kept.with_suffix(f".{os.getpid()}.tmp")
                scratch.write_text(json.dumps(answer), encoding="utf-8")
                scratch.replace(kept)
            return answer["answer"]

    def _marks(self, kind: str, name: str) -> tuple[str, str]:
        """What the answer depends on: the code that gives it, and all that a process may hold.

        Read once a page, which asks dozens of questions; hashed only when a file has changed.
        """
        module = objects.locate(name)[1]
        if (kind, module) not in self.marks:
            state = _state(name)
            self.marks[kind, module] = (_fingerprint(kind, name, state), state)
        return self.marks[kind, module]

    def _ask_process(self, text: str, stamp: str) -> dict[str, Any]:
        if self.process is not None and (self.process.poll() is not None or stamp != self.stamp):
            self.close()
        if self.process is None:
            paths = [path for path in sys.path if path]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *paths])}
            # The order of what is printed may follow hashes: the same page in every build.
            environment["PYTHONHASHSEED"] = "0"
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vaedocs.site.answering"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=environment,
            )
            self.stamp = stamp
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        lines: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(
            target=lambda out=process.stdout: lines.put(out.readline()),
            daemon=True,
        )
        try:
            process.stdin.write(text + "\n")
            process.stdin.flush()
            reader.start()
            line = lines.get(timeout=self.timeout)
        except queue.Empty:
            process.kill()
            self.close()
            raise WorkerError(f"no answer within {self.timeout:g} s; it was stopped") from None
        except BrokenPipeError:
            line = ""
        if not line:
            code = process.wait()
            self.close()
            raise WorkerError(f"the process that evaluated it died (exit status {code})")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        if self.process is not None:
            with contextlib.suppress(OSError):
                self.process.terminate()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()
            self.process = None


@lru_cache(maxsize=512)
def _fingerprint(kind: str, name: str, state: str) -> str:
    """A hash of the code that answers, while no file of the package changes from `state`."""
    modules = [name, "vaedocs.site.answering", *(["vaedocs.drawing"] if kind == "figure" else [])]
    return "".join(objects.fingerprint(module) for module in modules)


def _state(name: str) -> str:
    """A cheap mark of the package's files: any of them may be in the worker's memory."""
    file, module, _ = objects.locate(name)
    root = file.parent
    for _ in range(module.count(".") - (file.name != "__init__.py")):
        root = root.parent
    alone = file.name != "__init__.py" and "." not in module  # beside a whole project, perhaps
    found = [*(root.glob("*") if alone else root.rglob("*")), *Path(__file__).parents[1].rglob("*")]
    marks = sorted(
        (str(path), path.stat().st_mtime_ns) for path in found if path.suffix in objects.SOURCES
    )
    return hashlib.sha256(repr(marks).encode()).hexdigest()
