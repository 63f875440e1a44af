"""Headless Chromium through Playwright, with the machine's own browser and nothing downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PAGE_TIMEOUT_MS = 15_000


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Yield a started Chromium; one for each test process is enough."""
    from playwright.sync_api import sync_playwright

    path = chromium.find()
    if path is None:
        raise RuntimeError("there is no Chromium; run tools/setup.sh test, which says how to get one")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=chromium.flags(), downloads_path=folder / "downloads"
        )
        try:
            yield started
        finally:
            started.close()


@contextmanager
def context(running: Browser, *, width: int = 1280, height: int = 900, dark: bool = False,
            javascript: bool = True) -> Iterator[BrowserContext]:  # fmt: skip
    """Yield a fresh profile (no cookies) that reaches this machine only."""
    fresh = running.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=javascript,
        accept_downloads=True,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    fresh.set_default_timeout(PAGE_TIMEOUT_MS)
    try:
        yield fresh
    finally:
        fresh.close()


def watch(page: Page) -> list[str]:
    """Collect what the browser complains about: script errors, CSP violations, failed sub-resources.

    The list fills while the page is used; a test asserts that it is empty at its end.
    """
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    page.on(
        "console",
        lambda message: complaints.append(f"console: {message.text}") if message.type == "error" else None,
    )
    return complaints
