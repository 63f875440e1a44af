"""Files and functions stay small and say what they are; nothing is swallowed, left open or guessed at."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

from tests.conventions.source import PRODUCT, ROOT, python_files, tracked, tree

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
PLATFORMS = {"quickbooks", "qbo", "xero", "autotask", "intuit"}
Node = TypeVar("Node", bound=ast.AST)


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    long = {
        _rel(path): n for path in python_files() if (n := len(path.read_text().splitlines())) > FILE_LINES_MAX
    }
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{_rel(path)}:{node.lineno} {node.name} ({_length(node)} lines)"
        for path, node in _nodes(ast.FunctionDef)
        if _length(node) > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_every_module_says_what_is_here() -> None:
    silent = [
        _rel(path)
        for path in python_files()
        if path.read_text().strip() and not ast.get_docstring(tree(path))
    ]
    assert silent == []


def test_no_exception_is_swallowed_in_silence() -> None:
    swallowed = [
        f"{_rel(path)}:{node.lineno}"
        for path, node in _nodes(ast.ExceptHandler)
        if all(isinstance(each, ast.Pass) or _is_ellipsis(each) for each in node.body)
    ]
    assert swallowed == []


def test_no_test_waits_a_fixed_time() -> None:
    sleeping = [
        f"{_rel(path)}:{node.lineno}"
        for path, node in _nodes(ast.Call)
        if _rel(path).startswith("tests/") and ast.unparse(node.func) in {"time.sleep", "sleep"}
    ]
    assert sleeping == []


def test_money_is_never_a_float() -> None:
    """`float(...)` of anything named like money is a rounding error waiting for its day."""
    money = re.compile(r"amount|total|price|balance|money|rate\b|tax", re.IGNORECASE)
    floats = [
        f"{_rel(path)}:{node.lineno} {ast.unparse(node)}"
        for path, node in _nodes(ast.Call, *PRODUCT)
        if ast.unparse(node.func) == "float" and node.args and money.search(ast.unparse(node.args[0]))
    ]
    assert floats == []


@pytest.mark.parametrize("package", ["domain", "sync", "models", "workers", "blueprints", "app"])
def test_no_decision_names_a_platform(package: str) -> None:
    """Outside the connectors the code asks a capability: a second ledger adds a file, not branches."""
    named = [
        f"{_rel(path)}:{node.lineno} {ast.unparse(node)}"
        for path, node in _nodes(ast.Compare, package)
        if any(_is_platform(each) for each in ast.walk(node))
    ]
    assert named == []


def test_no_template_decides_by_a_platform() -> None:
    names = "|".join(sorted(PLATFORMS))
    question = re.compile(r"\{%-?\s*(?:el)?if\b[^%]*['\"](?:" + names + r")['\"]", re.IGNORECASE)
    named = [_rel(path) for path in _templates() if question.search(path.read_text(encoding="utf-8"))]
    assert named == []


def test_templates_carry_no_inline_script_or_style() -> None:
    """The content security policy forbids both. Mails are the exception: no reader loads a stylesheet."""
    inline = re.compile(r"<style\b|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)|javascript:", re.IGNORECASE)
    pages = [path for path in _templates() if "mail" not in path.parts and path.suffix == ".html"]
    found = [
        f"{_rel(path)}: {match.group(0).strip()}"
        for path in pages
        if (
            match := inline.search(
                re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            )
        )
    ]
    assert found == []


def test_templates_load_nothing_from_elsewhere() -> None:
    """No page loads a script, style, font or picture from another host; links may lead anywhere."""
    loads = re.compile(
        r"(?:src|srcset|action|data-src)=[\"']?(?:https?:)?//|@import|url\(\s*['\"]?https?:", re.I
    )
    styles = [path for path in tracked() if path.suffix == ".css" and path.is_relative_to(ROOT / "static")]
    found = [
        _rel(path) for path in [*_templates(), *styles] if loads.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def _templates() -> list[Path]:
    folder = ROOT / "templates"
    return [path for path in tracked() if path.is_relative_to(folder)]


def _nodes(kind: type[Node], *tops: str) -> Iterator[tuple[Path, Node]]:
    for path in python_files(*tops):
        for node in ast.walk(tree(path)):
            if isinstance(node, kind):
                yield path, node


def _length(node: ast.FunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def _is_platform(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lower() in PLATFORMS


def _rel(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


LEDGER_NAMES = re.compile(r"\b(QuickBooks|Xero)\b")
# Where a name is meant: the table of words itself, and pages that lead to one ledger's sign-in.
NAMED_ON_PURPOSE = {"domain/known_issues.py", "domain/ledger_words.py", "sync/tokens.py", "workers/wiring.py"}
NAMED_FOLDERS = ("blueprints/connect/", "blueprints/account/")


def test_no_text_names_a_ledger() -> None:
    """Texts hold tokens; the company's ledger fills them (`domain/ledger_words.py`)."""
    named = [
        f"{_rel(path)}:{node.lineno}"
        for path, node in _nodes(ast.Constant, "domain", "sync", "blueprints")
        if isinstance(node.value, str) and LEDGER_NAMES.search(node.value) and node.lineno not in _docs(path)
        and _rel(path) not in NAMED_ON_PURPOSE and not _rel(path).startswith(NAMED_FOLDERS)
    ]
    assert named == []


@cache
def _docs(path: Path) -> frozenset[int]:
    """Lines on which a text stands alone as a statement: docstrings."""
    texts = (node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Expr))
    return frozenset(text.lineno for text in texts if isinstance(text, ast.Constant))
