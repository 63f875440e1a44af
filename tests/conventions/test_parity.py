"""docs/parity-*.md and certification-*.md: each test that is named exists, each address is ours, each row has a test
unless it says that it is not here, not met, or a person's."""

from __future__ import annotations

import ast
import re

import pytest

from tests.conventions.source import NAMED, ROOT, missing_tests, python_files, rows, tree

PAGES = sorted(page for name in ("parity", "certification") for page in (ROOT / "docs").glob(f"{name}-*.md"))
WITHOUT = ("not here: ", "**not met**", "**person**")
ADDRESS = re.compile(r"`(/[a-z/-]+)`")


def addresses() -> set[str]:
    """Every address of the pages, below a company or not."""
    texts = (node.value for path in python_files("blueprints") for node in ast.walk(tree(path))
             if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {text.removeprefix("/c/<int:company_id>") for text in texts if text.startswith("/")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_row_names_a_test_that_exists_and_an_address_of_ours(page) -> None:  # type: ignore[no-untyped-def]
    text = page.read_text()
    assert len(rows(text)) > 20
    assert [row for row in rows(text) if not NAMED.search(row) and not any(word in row for word in WITHOUT)] == []
    assert missing_tests(text) == []
    assert [each for each in ADDRESS.findall(text) if each not in addresses()] == []
