"""Imports run one way, like the calls; each package uses only what belongs to it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conventions.source import LAYERS, LEAVES, PRODUCT, ROOT, imports, python_files, tree

OWN = {*PRODUCT, "sandbox", "bench", "tools", "tests"}
# Clock, randomness, waiting, threads, transport and queue reach these packages as arguments, so that a
# simulation can drive exactly this code.
AMBIENT = {"time", "random", "secrets", "threading", "concurrent", "asyncio", "multiprocessing", "rq"}
# These may be imported by every layer, and import no layer themselves.
WEB_ONLY = {"flask", "flask_login", "flask_wtf", "flask_limiter", "werkzeug", "wtforms", "jinja2_fragments"}


def test_the_walk_sees_the_project() -> None:
    """The rules below are worth nothing when no file is found."""
    seen = {path.relative_to(ROOT).parts[0] for path in python_files()}
    assert {"domain", "connectors", "sandbox", "tests"} <= seen


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_itself_and_what_stands_below(layer: str) -> None:
    allowed = {*LAYERS[LAYERS.index(layer) :], *LEAVES}
    broken = [
        str(each)
        for path in python_files(layer)
        for each in imports(path)
        if each.top in OWN and each.top not in allowed
    ]
    assert broken == []


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_imports_no_layer(leaf: str) -> None:
    # Column types speak of the domain's money and statuses, which are vocabulary and import nothing.
    allowed = {"models": {"models", "config", "domain", "migrations"}, "config": {"config"}}[leaf]
    broken = [
        str(each)
        for path in python_files(leaf)
        for each in imports(path)
        if each.top in OWN and each.top not in allowed
    ]
    assert broken == []


def test_the_domain_uses_the_standard_library_only() -> None:
    broken = [
        str(each)
        for path in python_files("domain")
        for each in imports(path)
        if each.top != "domain" and each.top not in sys.stdlib_module_names
    ]
    assert broken == []


@pytest.mark.parametrize("package", ["sync", "connectors", "domain"])
def test_clock_chance_and_threads_come_in_as_arguments(package: str) -> None:
    broken = [str(each) for path in python_files(package) for each in imports(path) if each.top in AMBIENT]
    assert broken == []


@pytest.mark.parametrize("package", ["sync", "connectors", "domain", "models"])
def test_flask_stays_in_the_web_layer(package: str) -> None:
    broken = [str(each) for path in python_files(package) for each in imports(path) if each.top in WEB_ONLY]
    assert broken == []


def test_only_the_workers_know_the_queue() -> None:
    broken = [
        str(each)
        for path in python_files("app", "blueprints", "sync", "connectors", "domain", "models", "config")
        for each in imports(path)
        if each.top == "rq"
    ]
    assert broken == []


def test_nobody_asks_the_domain_for_the_time_of_day() -> None:
    """`now()` and `today()` are arguments in the pure code."""
    broken = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files("domain", "sync", "connectors")
        for node in _attributes(path)
        if node.attr in {"now", "utcnow", "today"} and _last_name(node.value) in {"datetime", "date"}
    ]
    assert broken == []


def test_the_sandbox_and_the_product_share_no_code() -> None:
    into = [
        str(each)
        for path in python_files("sandbox")
        for each in imports(path)
        if each.top in OWN and each.top != "sandbox"
    ]
    out = [str(each) for path in python_files(*PRODUCT) for each in imports(path) if each.top == "sandbox"]
    assert (into, out) == ([], [])


def test_the_product_imports_no_tool_test_or_benchmark() -> None:
    broken = [
        str(each)
        for path in python_files(*PRODUCT)
        for each in imports(path)
        if each.top in {"tools", "tests", "bench"}
    ]
    assert broken == []


def _attributes(path: Path) -> Iterator[ast.Attribute]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute))


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
