"""Exchange rates and the list of currencies of a company with multicurrency.

A rate is home units for one foreign unit on a day. Source: Intuit, "Manage multiple currencies".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.qbo.errors import fault, required
from sandbox.qbo.fields import number_of
from sandbox.qbo.realm import CURRENCY_NAMES, Realm
from sandbox.qbo.transactions import rate_on


def _multicurrency(realm: Realm) -> None:
    if not realm.preference("CurrencyPrefs", "MultiCurrencyEnabled", False):
        raise fault("5030", "Multi currency feature is not enabled", "SourceCurrencyCode")


def read_rate(realm: Realm, code: str, day: str) -> dict[str, Any]:
    """The rate in force on a day; a rate never set is 1, as for the home currency."""
    _multicurrency(realm)
    if not code:
        raise required("sourcecurrencycode")
    day = _day(day) if day else realm.today()
    return {
        "SourceCurrencyCode": code.upper(),
        "TargetCurrencyCode": realm.currency,
        "AsOfDate": day,
        "Rate": rate_on(realm, code.upper(), day),
        "domain": "QBO",
        "sparse": False,
        "MetaData": {"LastUpdatedTime": realm.stamp(realm.now().timestamp())},
    }


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise fault("2180", f"AsOfDate is not a date: {text}", "AsOfDate") from None


def write_rate(realm: Realm, body: Mapping[str, Any]) -> dict[str, Any]:
    """Set the rate of a currency from a day on. Setting the same day again replaces it."""
    _multicurrency(realm)
    code = str(body.get("SourceCurrencyCode") or "").upper()
    if code not in CURRENCY_NAMES or code == realm.currency:
        raise fault("2170", f"SourceCurrencyCode {code} is not a foreign currency", "SourceCurrencyCode")
    rate = number_of("Rate", body.get("Rate"))
    if rate <= 0:
        raise fault("2090", "Rate must be greater than zero", "Rate")
    day = _day(str(body.get("AsOfDate") or realm.today()))
    entity = {"SourceCurrencyCode": code, "TargetCurrencyCode": realm.currency, "Rate": Decimal(rate), "AsOfDate": day}
    ident = f"{code}{day.replace('-', '')}"
    old = realm.record("ExchangeRate", ident)
    keys = {"source": code}
    record = realm.replace(old, entity, keys) if old else realm.insert("ExchangeRate", entity, ident, keys)
    return realm.present(record)
