"""Find objects by dotted name in the source, without importing anything.

Reading instead of importing means that a page which shows code needs none of that code's
dependencies, and that a misspelt name is answered with the names that are there.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

SOURCES = (".py", ".toml", ".json", ".npz", ".csv")  # what an answer may rest on


class NoSuchObject(LookupError):
    """A dotted name that leads nowhere; the message says where it stopped and what is there."""


@dataclass(frozen=True)
class Source:
    """Where an object is written: lines from 1, both included."""

    name: str
    file: Path
    first: int
    last: int
    text: str


def find(name: str) -> Source:
    """Find a function, class, method, constant or module by its dotted name.

    Raises:
        NoSuchObject: with close matches.

    >>> find("vaedocs.site.objects.find").first > 1
    True
    >>> find("vaedocs.site.objects.fnid")
    Traceback (most recent call last):
      ...
    vaedocs.site.objects.NoSuchObject: vaedocs.site.objects has no "fnid"; did you mean "find"?
    """
    file, module, rest = locate(name)
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    if not rest:
        return Source(name, file, 1, len(lines), text)
    body: list[ast.stmt] = _tree(file, file.stat().st_mtime_ns).body
    where, node = module, None
    for part in rest:
        names = dict(_names(body))
        if part not in names and (origin := _imported(body, part)):
            return find(".".join([origin, *rest[rest.index(part) + 1 :]]))
        if part not in names:
            raise NoSuchObject(f'{where} has no "{part}"{_close(part, names)}')
        node = names[part]
        where = f"{where}.{part}"
        body = node.body if isinstance(node, ast.ClassDef) else []
    assert node is not None
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    last = node.end_lineno or node.lineno
    return Source(name, file, first, last, "\n".join(lines[first - 1 : last]))


def locate(name: str) -> tuple[Path, str, list[str]]:
    """The module's file, the module's name, and what of the dotted name lies inside it.

    Raises:
        NoSuchObject: no such package or module.
    """
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise NoSuchObject(f'"{name}" is not a dotted name such as package.module.function')
    try:
        spec = importlib.util.find_spec(parts[0])
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise NoSuchObject(f'no package "{parts[0]}" can be imported from here')
    folders = [Path(folder) for folder in spec.submodule_search_locations or []]
    file = Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    module, rest = parts[0], parts[1:]
    while rest and folders:
        found = [f / f"{rest[0]}.py" for f in folders if (f / f"{rest[0]}.py").is_file()]
        below = [f / rest[0] for f in folders if (f / rest[0]).is_dir()]
        if found:
            file, folders = found[0], []
        elif any((f / "__init__.py").is_file() for f in below):
            file, folders = below[0] / "__init__.py", below
        else:
            break
        module, rest = f"{module}.{rest[0]}", rest[1:]
    if file is None or not file.is_file():
        raise NoSuchObject(f'"{module}" has no Python source to show')
    if rest and folders:
        # Still in a package: perhaps its __init__ has the name, else a module was misspelt.
        tree = _tree(file, file.stat().st_mtime_ns)
        here = dict(_names(tree.body))
        if rest[0] not in here and not _imported(tree.body, rest[0]):
            modules = {p.stem: p for f in folders for p in f.glob("*.py") if p.stem != "__init__"}
            raise NoSuchObject(f'{module} has no "{rest[0]}"{_close(rest[0], {**here, **modules})}')
    return file, module, rest


def _close(part: str, names: object) -> str:
    known = [str(name) for name in names]  # type: ignore[attr-defined]
    close = difflib.get_close_matches(part, known, 3, 0.5)
    if not close:
        return "; if it was renamed, write its new name"
    return "; did you mean " + " or ".join(f'"{name}"' for name in close) + "?"


@lru_cache(maxsize=512)
def _tree(file: Path, stamp: int) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def _imported(body: list[ast.stmt], part: str) -> str:
    """Where a name comes from that a module only hands on."""
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if (alias.asname or alias.name) == part:
                    return f"{node.module}.{alias.name}"
    return ""


def _names(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node


# --- what covers an object ------------------------------------------------------------------------


@dataclass(frozen=True)
class Test:
    name: str
    file: Path
    line: int


def tests_of(name: str, folder: Path) -> list[Test]:
    """The test functions below `folder` whose body names the object.

    The names are followed through the test file's imports, so that ``kl.gaussian`` is recognised
    after ``from vaedocs import kl_divergence as kl``.
    """
    return [
        test for file in sorted(folder.rglob("test_*.py")) for test in _uses(file).get(name, [])
    ]


def _uses(file: Path) -> dict[str, list[Test]]:
    return _uses_at(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=512)
def _uses_at(file: Path, stamp: int) -> dict[str, list[Test]]:
    try:
        tree = _tree(file, stamp)
    except SyntaxError:
        return {}
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                aliases[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    found: dict[str, list[Test]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test"):
            continue
        test = Test(node.name, file, node.lineno)
        names = {_dotted(inner, aliases) for inner in ast.walk(node)} - {""}
        for name in names:
            found.setdefault(name, []).append(test)
    return found


def _dotted(node: ast.AST, aliases: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return aliases.get(node.id, "")
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value, aliases)
        return f"{before}.{node.attr}" if before else ""
    return ""


# --- what an object rests on ----------------------------------------------------------------------


def fingerprint(name: str) -> str:
    """A hash of everything in its own package that the module of `name` can reach, and of versions.

    Imports are followed wherever they stand in a file, so one inside a function counts. Data files
    beside the modules count too. A cached answer under this key cannot outlive a change.

    Raises:
        NoSuchObject: no such module.
    """
    file, module, _ = locate(name)
    top = module.split(".")[0]
    root = file
    for _ in range(module.count(".") + (file.name == "__init__.py")):
        root = root.parent
    digest = hashlib.sha256(sys.version.encode())
    for library in ("torch", "numpy", "sympy", "matplotlib", "scipy", "scikit-learn"):
        try:
            digest.update(f"{library} {metadata.version(library)}".encode())
        except metadata.PackageNotFoundError:
            continue
    seen: set[Path] = set()
    waiting = [file]
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        waiting.extend(_imports(file, file.stat().st_mtime_ns, top))
    folders = {file.parent for file in seen}
    data = (p for f in folders for p in f.iterdir() if p.suffix in SOURCES and p.suffix != ".py")
    for path in sorted(seen | {p for p in data if p.name != "package-lock.json"}):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


@lru_cache(maxsize=512)
def _imports(file: Path, stamp: int, top: str) -> tuple[Path, ...]:
    names: set[str] = set()
    for node in ast.walk(_tree(file, stamp)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
            names.add(node.module)
    files = []
    for name in names:
        if name.split(".")[0] == top:
            try:
                files.append(locate(name)[0])
            except NoSuchObject:
                continue
    return tuple(files)
