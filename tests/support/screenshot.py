"""Take a picture of the built home page: `nox -s screenshot`, after `nox -s site`.

python tests/support/screenshot.py docs/images/home.png
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import sys
import threading

from house import SITE


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files without a line per request."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def main(arguments: list[str]) -> int:
    """Write the picture to the one path given; 2 for misuse, 1 where it cannot be taken."""
    if len(arguments) != 1:
        print("usage: python tests/support/screenshot.py PICTURE.png", file=sys.stderr)
        return 2
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if executable is None:
        print("no Chromium found; on Debian: apt-get install chromium", file=sys.stderr)
        return 1
    if not (SITE / "index.html").is_file():
        print("site/ is not built; run `nox -s site` first", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    handler = functools.partial(Quiet, directory=str(SITE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1150}, color_scheme="light")
        page.goto(f"http://127.0.0.1:{server.server_port}/", wait_until="networkidle")
        page.screenshot(path=arguments[0])
        browser.close()
    server.shutdown()
    print(f"wrote {arguments[0]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
