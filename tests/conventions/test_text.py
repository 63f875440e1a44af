"""Nothing is committed that must not be public: secrets, addresses of one machine, places of one person."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conventions.source import ROOT, tracked

TEXT_SUFFIXES = {
    ".py", ".md", ".txt", ".html", ".css", ".js", ".json", ".toml", ".cfg", ".ini", ".yml", ".yaml", ".sh",
    ".svg", ".mako", ".csv", "",
}  # fmt: skip
# Written so that these lines do not match themselves.
SECRETS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}",
    "cloud access key": r"\bAKIA[0-9A-Z]{16}\b",
    "source host token": r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bglpat-[A-Za-z0-9_-]{20}\b",
    "chat token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "signed token": r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{10,}",
    "client id of the ledger's portal": r"\bAB[A-Za-z0-9]{48}\b",
    "password in an address": r"://[^/\s:@'\"{}<>$]+:[^/\s:@'\"{}<>$]{3,}@",
    "literal secret": (
        r"(?i)(?:secret|passw(?:or)?d|api_?key|token)\w*\s*[:=]\s*['\"](?=[^'\"]*\d)[A-Za-z0-9+/_=-]{20,}['\"]"
    ),
}
VISIBLY_FAKE = re.compile(
    r"(?i)sandbox|not[-_ ]?real|fake|example|dummy|test|placeholder|\bu:p@|user:|:secret@"
)


def _text_files() -> list[Path]:
    return [path for path in tracked() if path.suffix in TEXT_SUFFIXES and path.stat().st_size < 2_000_000]


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret_is_committed(kind: str) -> None:
    """Values that say themselves that they are fake are fine: the sandbox's credentials do."""
    pattern = re.compile(SECRETS[kind])
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line) and not VISIBLY_FAKE.search(line)
    ]
    assert found == []


def test_the_scan_would_find_a_secret() -> None:
    planted = {
        "cloud access key": "AKIA" + "ABCDEFGHIJKLMNOP",
        "source host token": "ghp_" + "a1" * 18,
        "password in an address": "https://" + "bob:hunter22" + "@db.internal/",
        "literal secret": "client_secret" + ' = "q8Zk3vN0xW5rT7yB2mLs"',
    }
    for kind, text in planted.items():
        assert re.search(SECRETS[kind], text) and not VISIBLY_FAKE.search(text), kind


def test_no_path_of_one_machine_is_committed() -> None:
    places = re.compile(r"/wor[k]/|/far[m]/|/roo[t]/|/hom[e]/[a-z]+/|/User[s]/[A-Za-z]+/|file:///op[t]")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in _text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if places.search(line)
    ]
    assert found == []


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)


def test_no_file_points_a_package_manager_at_a_host() -> None:
    pointer = re.compile(r"--(?:extra-)?index-url|--find-links|^\s*registry\s*=|--registry[ =]", re.MULTILINE)
    own = Path(__file__)
    found = [
        str(path.relative_to(ROOT))
        for path in _text_files()
        if path != own and pointer.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


def test_every_dependency_is_pinned_exactly() -> None:
    loose = [
        line
        for name in ("requirements.txt", "requirements-dev.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
        if line
        and not line.startswith(("#", "-r "))
        and not re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", line)
    ]
    assert loose == []


def test_every_file_is_small_enough_for_a_repository() -> None:
    large = {str(p.relative_to(ROOT)): p.stat().st_size for p in tracked() if p.stat().st_size > 1_000_000}
    assert large == {}
