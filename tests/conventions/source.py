"""Reading the project's own files for the conventions tests: what git knows or would add, and its imports."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Directions of calls, outermost first (ARCHITECTURE.md): a layer may import itself and what stands after it.
LAYERS = ("app", "blueprints", "workers", "sync", "connectors", "domain")
LEAVES = ("models", "config")
PRODUCT = (*LAYERS, *LEAVES, "migrations")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
"""How a page of docs/ names a test."""


@dataclass(frozen=True)
class Import:
    """One imported module and where it is imported."""

    module: str
    path: Path
    line: int

    @property
    def top(self) -> str:
        return self.module.split(".")[0]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} imports {self.module}"


@cache
def tracked() -> tuple[Path, ...]:
    """Every file git tracks or would add (not what .gitignore names)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return tuple(ROOT / name for name in sorted(set(names)) if name and (ROOT / name).is_file())


def python_files(*tops: str) -> list[Path]:
    """Python files of these packages or top-level modules; all Python files when none is named."""
    found = [path for path in tracked() if path.suffix == ".py"]
    return [path for path in found if top_of(path) in tops] if tops else found


def top_of(path: Path) -> str:
    """The package or module a file belongs to: `sync/store.py` and `app.py` give `sync` and `app`."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path, *, at_run_time: bool = False) -> Iterator[Import]:
    """Every import of a file, also those inside functions; relative ones are made absolute.

    at_run_time leaves out what stands under `if TYPE_CHECKING:`, which nothing executes.
    """
    skipped = set(map(id, _for_types_only(tree(path)))) if at_run_time else set()
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(tree(path)):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(name.name, path, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            yield Import(".".join([*base, *([node.module] if node.module else [])]), path, node.lineno)


def _for_types_only(module: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(module):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for inner in node.body:
                yield from ast.walk(inner)


def rows(text: str) -> list[str]:
    """Rows of a page's tables without their heads."""
    found = [line for line in text.splitlines() if line.startswith("|")]
    heads = {place for place, line in enumerate(found) if set(line) <= set("|- ")}
    return [line for place, line in enumerate(found) if place not in heads and place + 1 not in heads]


def missing_tests(text: str) -> list[str]:
    """Tests that a page names and that do not exist."""
    tests: dict[str, set[str]] = {}
    for file, _ in NAMED.findall(text):
        nodes = ast.walk(tree(ROOT / file)) if (ROOT / file).is_file() else ()
        tests[file] = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return [f"{file}::{name}" for file, name in NAMED.findall(text) if name not in tests[file]]
