"""Find a Chromium for the browser tests and say how it is started headless.

Here: the search and the flags, shared by set-up and tests. Not here: driving it (tests/infra/browser.py).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
MAC_PATHS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# No background traffic: the tests must reach the local servers and nothing else.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def find() -> str | None:
    """The path of a Chromium or Chrome, or None. CHROMIUM in the environment wins."""
    wanted = os.environ.get("CHROMIUM")
    if wanted:
        return wanted if Path(wanted).is_file() else shutil.which(wanted)
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return next((path for path in MAC_PATHS if Path(path).is_file()), None)


def flags() -> list[str]:
    """Start-up flags; root has no user namespace to sandbox in, so only root gets --no-sandbox."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*FLAGS, "--no-sandbox"] if as_root else list(FLAGS)


if __name__ == "__main__":
    print(find() or "")
    sys.exit(0 if find() else 1)
