"""Rules all transactions share: document numbers, dates, closed periods, currency and rate.

Source: Intuit's entity pages and "Preferences"; section 2.8, 2.9 and 3.4 of the project's fact sheet.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.qbo.errors import QboFault, business, fault
from sandbox.qbo.realm import Realm

ALLOW_DUPLICATES = "allowduplicatedocnum"


def number_key(number: str | None) -> dict[str, str | None]:
    """The look-up value of a document number; numbers compare without case."""
    return {"number": number.casefold() if number else None}


def settle_number(
    realm: Realm, kind: str, draft: dict[str, Any], old: Mapping[str, Any] | None, options: Collection[str]
) -> None:
    """Fill in or check ``DocNumber`` as the company's numbering preference says.

    Custom numbers on: the sent one is used, none stays none. Off: the next number is given; a sent one is
    stored as it is and does not move the counter. Raises ``QboFault`` 6140 with the holder's id.
    """
    custom = realm.preference("SalesFormsPrefs", "CustomTxnNumbers", False)
    number = draft.get("DocNumber")
    if not number:
        if not custom and old is None:
            draft["DocNumber"] = str(realm.store.next_id(realm.space, f"number:{kind}", 1001))
        return
    same = old is not None and old["entity"].get("DocNumber") == number
    if custom and not same and ALLOW_DUPLICATES not in options and _checked(realm, kind):
        for holder in realm.find(kind, "number", number.casefold()):
            if old is None or holder["id"] != old["id"]:
                raise number_taken(kind, number, holder["id"])


def number_taken(kind: str, number: str, holder: str) -> QboFault:
    """Code 6140 with the tail that names the holder."""
    return fault(
        "6140",
        "You must specify a different number. This number has already been used. "
        f"DocNumber={number} is assigned to TxnType={kind} with TxnId={holder}",
        "DocNumber",
    )


def _checked(realm: Realm, kind: str) -> bool:
    if not realm.switch("warn_duplicate_numbers"):
        return False
    return kind != "CreditMemo" or bool(realm.switch("credit_memo_numbers_checked"))


def check_period(realm: Realm, *days: str | None) -> None:
    """Refuse a date on or before the closing date of the books: 6200, or 6210 where a password is set."""
    closed = realm.preference("AccountingInfoPrefs", "BookCloseDate")
    if closed and any(day is not None and day <= closed for day in days):
        if realm.switch("closing_password"):
            raise fault(
                "6210",
                "The account period has closed and the account books cannot be updated through the QuickBooks "
                "Online Services API. Please use the QuickBooks Online website to make these changes.",
                "TxnDate",
            )
        raise fault("6200", f"The account period has closed; the closing date is {closed}.", "TxnDate")


def due_date(realm: Realm, day: str, term: Mapping[str, Any] | None) -> str:
    """The transaction date plus the days of the term; without a term the date itself."""
    start = date.fromisoformat(day)
    if term is None:
        return day
    if term.get("Type") == "DATE_DRIVEN":
        return _day_of_month(start, int(term["DayOfMonthDue"]), int(term.get("DueNextMonthDays") or 0)).isoformat()
    return (start + timedelta(days=int(term.get("DueDays") or 0))).isoformat()


def _day_of_month(start: date, day: int, grace: int) -> date:
    month, year = start.month, start.year
    candidate = date(year, month, min(day, calendar.monthrange(year, month)[1]))
    if candidate < start or (candidate - start).days < grace:
        month, year = (1, year + 1) if month == 12 else (month + 1, year)
        candidate = date(year, month, min(day, calendar.monthrange(year, month)[1]))
    return candidate


def settle_currency(realm: Realm, draft: dict[str, Any], party: Mapping[str, Any]) -> Decimal:
    """Complete ``CurrencyRef`` and ``ExchangeRate``; returns the rate, home units per foreign unit.

    The currency is that of the customer or vendor. A sent rate is booked as it is, 1 included: that is a
    documented trap of the real service. Without one the rate table of the company decides, else 1.
    """
    code = str(party["CurrencyRef"]["value"])
    multi = bool(realm.preference("CurrencyPrefs", "MultiCurrencyEnabled", False))
    sent = (draft.get("CurrencyRef") or {}).get("value")
    if sent is not None and sent != code:
        raise business(f"The currency of the transaction must be {code}, the currency of the name.", "CurrencyRef")
    draft["CurrencyRef"] = realm.currency_ref(code)
    if not multi:
        draft.pop("ExchangeRate", None)
        return Decimal(1)
    if code == realm.currency:
        draft["ExchangeRate"] = Decimal(1)
        return Decimal(1)
    if draft.get("ExchangeRate") in (None, 0):
        draft["ExchangeRate"] = rate_on(realm, code, draft["TxnDate"])
    return Decimal(str(draft["ExchangeRate"]))


def rate_on(realm: Realm, code: str, day: str) -> Decimal:
    """The company's rate for a currency on a day: the last one set on or before it, else 1."""
    known = [
        (found["entity"]["AsOfDate"], Decimal(str(found["entity"]["Rate"])))
        for found in realm.find("ExchangeRate", "source", code)
        if found["entity"]["AsOfDate"] <= day
    ]
    return max(known)[1] if known else Decimal(1)


def check_custom_fields(draft: Mapping[str, Any]) -> None:
    """At most three classic custom fields with definition ids 1 to 3."""
    fields = draft.get("CustomField") or []
    if len(fields) > 3 or any(found.get("DefinitionId") not in ("1", "2", "3") for found in fields):
        raise fault("2010", "CustomField holds more than the three defined fields", "CustomField")
