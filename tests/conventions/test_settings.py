"""Every setting is asked somewhere, has words, and stands in docs/defaults.md with its default and its reason."""

from __future__ import annotations

import re
from dataclasses import fields

from blueprints.settings.fields import unasked
from blueprints.settings.words import label
from domain.order_settings import OrderSettings
from domain.settings import InvoiceSettings
from tests.conventions.source import ROOT

NAMES = {each.name for each in fields(InvoiceSettings)}
OF_ORDERS = {each.name for each in fields(OrderSettings)}


def test_every_setting_has_a_row_with_its_reason() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs" / "defaults.md").read_text(), re.M)
    explained = {name for setting, *_ in rows for name in re.findall(r"`([a-z_]+)`", setting)}
    assert (NAMES | OF_ORDERS) - explained == set()
    assert explained - NAMES - OF_ORDERS == set()


def test_every_setting_is_asked_on_the_page() -> None:
    assert unasked() == set()
    assert all(label(name).strip() for name in NAMES)
