"""Somebody who opens the built book in Chromium, and writes down what goes wrong there."""

from __future__ import annotations

import http.server
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

PATIENCE = 120_000  # ms: the machine may be busy with something else


def cannot(reason: str) -> None:
    """Skip loudly where a person works; fail where nobody would read the skip."""
    if os.environ.get("CI"):
        pytest.fail(f"the browser tests cannot run: {reason}")
    pytest.skip(f"BROWSER NOT TESTED: {reason}")


def url_of(page: str) -> str:
    """The address of a page below the site's.

    >>> url_of("index.md"), url_of("entropy.md"), url_of("labs/a.py")
    ('', 'entropy/', 'labs/a/')
    """
    return "" if page == "index.md" else page.rsplit(".", 1)[0] + "/"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files and keep the test's output free of a line per request."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


class Reader:
    """A page of the browser that writes down what goes wrong on it."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.problems: list[str] = []
        self.loads = 0
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("request", self._see_request)
        self.page.on("response", self._see_response)

    def _hear(self, message: object) -> None:
        if message.type in ("error", "warning"):  # type: ignore[attr-defined]
            self.problems.append(f"console: {message.text}")  # type: ignore[attr-defined]

    def _see_request(self, request: object) -> None:
        url = request.url  # type: ignore[attr-defined]
        if not url.startswith((self.address, "data:", "blob:")):
            self.problems.append(f"request to another host: {url}")
        self.loads += request.is_navigation_request()  # type: ignore[attr-defined]

    def _see_response(self, response: object) -> None:
        if response.status >= 400:  # type: ignore[attr-defined]
            self.problems.append(f"{response.status}: {response.url}")  # type: ignore[attr-defined]

    def open(self, page: str) -> Page:
        """Open a page of the book and wait until it has settled."""
        self.page.goto(self.address + url_of(page), wait_until="networkidle")
        return self.page
