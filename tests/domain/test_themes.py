"""Which branding theme a document is printed in: row, equal name, default, and a chosen one that is gone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.known import Entry
from domain.plan import plan
from domain.settings import ThemeRule
from tests.domain.test_placing import CHOSEN, FACTS, LISTS, document, line

ON = replace(FACTS, themes=True)
THEMES = {"b1": Entry("b1", "Standard", True), "b2": Entry("b2", "Detailed Invoice", True)}
TEMPLATES = {"101": "Summary", "102": "detailed invoice"}
ROW = (ThemeRule("101", "b1"), ThemeRule("102", "b1"))


@pytest.mark.parametrize(
    ("template", "chosen", "facts", "found"),
    [
        ("101", {}, ON, None),
        ("102", {}, ON, "b2"),
        ("102", {}, FACTS, None),
        (None, {"theme_default": "b1"}, ON, "b1"),
        ("101", {"theme_default": "b2"}, ON, "b2"),
        ("102", {"theme_map": ROW, "theme_default": "b2"}, ON, "b1"),
        ("777", {"theme_map": ROW}, ON, None),
        ("101", {"theme_default": "b9"}, ON, ["theme_gone"]),
        ("101", {"theme_map": (ThemeRule("101", "b9"),), "theme_default": "b1"}, ON, ["theme_gone"]),
    ],
)  # fmt: skip
def test_row_then_equal_name_then_default(template, chosen, facts, found) -> None:  # type: ignore[no-untyped-def]
    lists = replace(LISTS, catalog=replace(LISTS.catalog, templates=TEMPLATES), themes=THEMES)
    source = document((line(1, Decimal("10.00")),), Decimal("10.00"))
    source = replace(source, header=replace(source.header, template_id=template))
    result = plan(source, replace(CHOSEN, **chosen), lists, facts, marker="ref:ABCD1234")
    if isinstance(found, list):
        assert [why.code for why in result.reasons] == found
    else:
        assert result.draft is not None
        assert (result.draft.theme.ledger_id if result.draft.theme else None) == found
