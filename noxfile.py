"""The chores of the book. `nox -l` lists them; bare `nox` is what a pull request needs.

Every session works in one environment, `.venv`, made on first use and brought up to date when a
dependency changes, so PyTorch is installed once. `constraints.txt` pins what goes into it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "prose", "types", "tests", "site", "browser"]

ROOT = Path(__file__).parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
SITE = ROOT / "site"
ZENSICAL = "zensical==0.0.73"  # the newest whose parts are all on PyPI

WORKERS = ("-n", "auto", "--dist", "worksteal")  # slow tests stand together: who is done takes some

# What the tests rest on: when none of it has changed since they passed, they hold.
TESTED = ("vaedocs", "tests", "docs", "benchmarks")
BADGE = ROOT / "docs" / "images" / "equations.svg"
WRITTEN = tuple(ROOT / "docs" / name for name in ("assets/vaedocs", "code", "images"))
WRITTEN += (ROOT / "vaedocs" / "site" / "katex",)
SETTINGS = ("pyproject.toml", "constraints.txt", "mkdocs.yml", "noxfile.py", "hatch_build.py")


@nox.session
def tests(session: nox.Session) -> None:
    """Run every doctest and test of the package and the pages (`nox -s tests -- -k kl`)."""
    prepare(session)
    workers = () if "-n" in session.posargs else WORKERS
    run(session, "pytest", "-m", "not browser", "-rs", *workers, *session.posargs)
    if not session.posargs:
        passed().write_text(digest(), encoding="utf-8")


@nox.session
def site(session: nox.Session) -> None:
    """Build the book into site/: tests first, then train the small VAE, build strictly, gate."""
    prepare(session)
    require_tests(session)
    train(session)
    build(session)
    session.log(f"The book is in {SITE}. Read it: nox -s read")


@nox.session
def browser(session: nox.Session) -> None:
    """Open the built book in Chromium: errors, foreign requests, mathematics, search, dark mode."""
    prepare(session)
    run(session, "pytest", "-m", "browser", "-rs", "tests/site", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the code's style with ruff; `nox -s format` mends what it can."""
    prepare(session)
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")


@nox.session
def format(session: nox.Session) -> None:
    """Put the code into ruff's format and mend what has one obvious remedy."""
    prepare(session)
    run(session, "ruff", "check", "--fix", ".")
    run(session, "ruff", "format", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of vaedocs/ with mypy, strictly."""
    prepare(session)
    run(session, "mypy")


@nox.session
def prose(session: nox.Session) -> None:
    """Check the spelling (codespell) and the book's terminology (`KL divergence`, ...)."""
    prepare(session)
    run(session, "codespell", "docs", "vaedocs", "tests", "README.md", "CONTRIBUTING.md")
    run(session, "pytest", "tests/test_prose.py", "-q")


@nox.session
def serve(session: nox.Session) -> None:
    """Serve the book at 127.0.0.1:8000 and rebuild it when a file is saved (no tests, no gate)."""
    prepare(session)
    train(session)
    # Not --dirtyreload: it leaves pages as they are when the checker or a function has changed.
    # Verdicts, figures and numbers are kept between builds; running the labs would take longest.
    session.env["VAEDOCS_RUN_LABS"] = "false"
    run(session, "mkdocs", "serve", *session.posargs)


@nox.session
def read(session: nox.Session) -> None:
    """Serve the built site/ at http://127.0.0.1:8000/ as a reader will get it."""
    session.run(sys.executable, "-m", "http.server", "8000", "--bind", "127.0.0.1", "-d", str(SITE))


@nox.session
def new_section(session: nox.Session) -> None:
    """Start a section: its page, module and test (`nox -s new_section -- my_section "Title"`)."""
    prepare(session)
    run(session, "python", "tests/support/new_section.py", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Time the trainer against its peers and write the table (minutes; one quiet machine)."""
    prepare(session)
    run(session, "python", "-m", "benchmarks", *session.posargs)


@nox.session
def screenshot(session: nox.Session) -> None:
    """Take the README's picture of the built home page anew (needs Chromium)."""
    prepare(session)
    run(session, "python", "tests/support/screenshot.py", "docs/images/home.png")


@nox.session
def zensical(session: nox.Session) -> None:
    """Build with Zensical: the same displays, the same verdicts as in site/ (blocks nothing)."""
    prepare(session)
    # In a folder of its own: what the other sessions are pinned to stays as it is.
    packages = ROOT / "build" / ZENSICAL
    if not (packages / "zensical").is_dir():
        scratch = Path(session.create_tmp()) / "packages"
        pins = ("-c", str(ROOT / "constraints.txt"), ZENSICAL)
        into = ("--upgrade", "--target", str(scratch))
        run(session, "python", "-m", "pip", "install", "-q", *into, *pins)
        shutil.move(scratch, packages)
    session.env["PYTHONPATH"] = str(packages)
    run(session, "pytest", "-q", "tests/site/test_builds.py", "-k", "zensical", "-rs")
    folder = ROOT / "build" / "zensical"
    session.env["VAEDOCS_SITE_DIR"] = str(folder.relative_to(ROOT))
    run(session, "python", "-m", "zensical", "build", "--clean")
    run(session, "python", "-m", "vaedocs.site.ledger", str(folder))
    same = ("--like", str(SITE)) if (SITE / "index.html").is_file() else ()
    run(session, "python", "-m", "vaedocs.site.gate", str(folder), *same)


@nox.session
def lock(session: nox.Session) -> None:
    """Pin anew what CI installs: constraints.txt from a fresh environment."""
    fresh = Path(session.create_tmp()) / "lock"
    session.run(sys.executable, "-m", "venv", "--clear", str(fresh))
    python = str(fresh / BIN.name / "python")
    session.run(python, "-m", "pip", "install", "-q", "-e", ".[dev]", "hatchling")
    frozen = session.run(python, "-m", "pip", "freeze", "--exclude-editable", silent=True)
    # `torch==2.13.0+cpu` names one wheel of many; the version without its suffix names them all.
    # Where torch comes with CUDA it pins those libraries itself; elsewhere there are none.
    lines = [line.split("+")[0] for line in str(frozen).splitlines() if "==" in line]
    lines = [line for line in lines if not line.startswith(("nvidia-", "cuda-", "triton"))]
    pins = ["# What CI installs. Written by `nox -s lock`; not edited by hand."]
    pins += sorted(lines, key=str.lower)
    (ROOT / "constraints.txt").write_text("\n".join(pins) + "\n", encoding="utf-8")


# What the sessions share.


def prepare(session: nox.Session) -> None:
    """Make `.venv`, or bring it up to date when the dependencies have changed."""
    if sys.version_info < (3, 11, 5):  # pip would only say that versions conflict
        mine = platform.python_version()
        session.error(f"this is Python {mine}; pymdown-extensions 13 asks for 3.11.5 or newer")
    wanted = digest(folders=())
    installed = VENV / "installed.txt"
    if installed.is_file() and installed.read_text(encoding="utf-8") == wanted:
        return
    if not (VENV / "pyvenv.cfg").is_file():
        session.run(sys.executable, "-m", "venv", str(VENV))
    # Through the environment the pins also hold for what builds the package.
    pins = {"PIP_CONSTRAINT": str(ROOT / "constraints.txt"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    session.run(str(BIN / "python"), "-m", "pip", "install", "-q", "-e", ".[dev]", env=pins)
    installed.write_text(wanted, encoding="utf-8")


def run(session: nox.Session, program: str, *arguments: str, **keywords: object) -> None:
    """Run a program of the shared environment."""
    environment = {
        "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)]),
        "VIRTUAL_ENV": str(VENV),
        "NO_MKDOCS_2_WARNING": "1",  # silences the theme's advertisement, nothing of ours
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),  # small tensors: faster
    }
    session.run(str(BIN / program), *arguments, env=environment, **keywords)


def require_tests(session: nox.Session) -> None:
    """Stop here unless the tests pass; they are run unless they passed on exactly these files."""
    if passed().is_file() and passed().read_text(encoding="utf-8") == digest():
        session.log("The tests passed on exactly these files: not run again.")
    else:
        session.log("The site is built only when the tests pass:")
        run(session, "pytest", "-m", "not browser", "-q", *WORKERS)
        passed().write_text(digest(), encoding="utf-8")


def train(session: nox.Session) -> None:
    """Train the small VAE that the pages show, unless the same code has already done so."""
    program = "from vaedocs.training.reference import site_run; print(site_run().folder)"
    run(session, "python", "-c", program)


def build(session: nox.Session) -> None:
    """Build the site; a warning, a raising notebook cell or leftover syntax is a failure."""
    run(session, "mkdocs", "build", "--clean", "--strict")
    run(session, "python", "-m", "vaedocs.site.notebooks", str(SITE), "--check")
    run(session, "python", "-m", "vaedocs.site.styles", str(SITE))
    run(session, "python", "-m", "vaedocs.site.ledger", str(SITE))
    run(session, "python", "-m", "vaedocs.site.gate", str(SITE))
    # The README shows the badge of the last build that passed.
    shutil.copyfile(SITE / "ledger" / "badge.svg", BADGE)


def passed() -> Path:
    """Where the digest of the files on which the tests last passed is kept."""
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    return folder / "tests-passed.txt"


def digest(folders: tuple[str, ...] = TESTED) -> str:
    """Hash the settings and every file of ``folders``, names and contents."""
    files = [ROOT / name for name in SETTINGS]
    for folder in folders:
        files += sorted(set((ROOT / folder).rglob("*")) - set((ROOT / folder).rglob("*.pyc")))
    state = hashlib.sha256(sys.version.encode())
    for file in files:
        if file.is_file() and not any(folder in file.parents for folder in WRITTEN):
            state.update(file.relative_to(ROOT).as_posix().encode())
            state.update(file.read_bytes())
    return state.hexdigest()
