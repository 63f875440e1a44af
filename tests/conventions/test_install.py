"""docs/install.md names every variable with its default, and every address that the marketplaces are given is ours."""

from __future__ import annotations

import re

from blueprints.setup.page import ADDRESSES
from config import Config
from tests.conventions.source import ROOT
from tests.conventions.test_parity import addresses

TEXT = (ROOT / "docs" / "install.md").read_text()


def test_every_variable_stands_there_with_its_default() -> None:
    told = {name.lower(): default for name, default in re.findall(r"^\| `([A-Z_]+)` \| ([^|]*) \|", TEXT, re.M)}
    assert set(told) == set(Config.model_fields)
    wrong = {}
    for name, field in Config.model_fields.items():
        default = field.default
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        expected = "" if field.is_required() else "–" if default is None else f"`{shown}`"
        if told[name].strip() != expected:
            wrong[name] = told[name]
    assert wrong == {}


def test_every_address_to_register_is_answered_and_told() -> None:
    ours = addresses()
    for rows in ADDRESSES.values():
        for label, path in rows:
            assert path in ours or path in {"/connect/intuit/callback", "/connect/xero/callback"}, label
            assert f"<PUBLIC_URL>{path}" in TEXT, label


def test_every_document_it_leads_to_exists() -> None:
    missing = [each for each in re.findall(r"\]\(([^)#]+)\)", TEXT) if not (ROOT / "docs" / each).exists()]
    assert missing == []
