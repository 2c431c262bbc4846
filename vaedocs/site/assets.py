"""Put the style sheet, the script and KaTeX's fonts where a site finds them.

An extension of Python-Markdown cannot add files to a site. So they are written below the docs
folder, to ``assets/vaedocs/``, before the files there are listed; ``extra_css`` and
``extra_javascript`` name them. They are written only when they differ, so that a server that
watches the folder is not set off. Keep the folder out of version control.
"""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

from vaedocs.site import vendor

FOLDER = "assets/vaedocs"
_done: set[tuple[Path, str]] = set()


def publish(docs: Path) -> Path:
    """Write the assets below `docs`; return their folder.

    Raises:
        VendorError: KaTeX is not here and could not be fetched.
    """
    katex = vendor.ensure()
    ours = resources.files("vaedocs.site") / "static"
    style = (ours / "vaedocs.css").read_text(encoding="utf-8")
    script = (ours / "vaedocs.js").read_text(encoding="utf-8")
    target = docs / FOLDER
    mark = (target, f"{hash(style)} {hash(script)} {vendor.katex_version()}")
    if mark in _done and (target / "vaedocs.css").is_file():
        return target
    licence = f"/* KaTeX {vendor.katex_version()}, MIT licence: see KATEX-LICENSE. */\n"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    _write(
        target / "vaedocs.css",
        (licence + (katex / "katex.min.css").read_text("utf-8") + "\n" + style).encode(),
    )
    _write(target / "vaedocs.js", script.encode())
    _write(target / "KATEX-LICENSE", (katex / "LICENSE").read_bytes())
    for font in (katex / "fonts").glob("*.woff2"):
        _write(target / "fonts" / font.name, font.read_bytes())
    _done.add(mark)
    return target


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)


def main() -> int:
    """``python -m vaedocs.site.assets docs`` writes them without a build."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    if not folder.is_dir():
        print(f"{folder} is not a folder; give the docs folder", file=sys.stderr)
        return 1
    print(publish(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
