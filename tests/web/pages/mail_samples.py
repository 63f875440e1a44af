"""Samples of the pages that mails lead to, and of Settings, Mails."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

OFFICE = "books@harborpoint.example"
PARTNER = "jordan@partner.example"
UNTIL = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)
WHO = {"company": "Harbor Point IT", "address": PARTNER}
EVENTS = [
    ("reports", "Reports of runs", "What was posted and what needs somebody, with the CSV.", True),
    ("problems", "Problems", "The first at once, further ones at most hourly.", False),
    ("silence", "Nothing ran", "When nothing was checked for 24 hours.", True),
]


def confirm() -> dict[str, Any]:
    return {**WHO, "asked_by": "Office", "until": UNTIL, "tool": False, "action": "/page/mail-report"}


def gone() -> dict[str, Any]:
    return {}


def preferences() -> dict[str, Any]:
    events = [{"name": n, "label": label, "hint": hint, "wanted": on} for n, label, hint, on in EVENTS]
    return {**WHO, "token": "sample", "events": events}


def _page(**more: Any) -> dict[str, Any]:
    return {
        **WHO, "token": "sample", "csv_url": "/page/mail-report", "ledger": "QuickBooks Online", "at": UNTIL,
        "asked_by": "Office", "message": "", **more,
    }


def report() -> dict[str, Any]:
    rows = [
        ("10449", "Summit & Vale <Accounting>", "Complete", "", "1214.00"),
        ("10476", "Silverline Freight", "Complete", "Posted as a credit memo", "-180.00"),
        ("10461", "Wrenfield Optics", "Fault", "Item “Backup 1TB” is not in QuickBooks", "960.00"),
    ]
    return _page(
        tool=False, headline="2 posted, 1 needs you", run_title="Sync Invoices Now", found=3,
        found_totals=[("USD", Decimal("1994.00"))],
        outcomes=[
            {"status": "Complete", "count": 2, "totals": [("USD", Decimal("1034.00"))]},
            {"status": "Fault", "count": 1, "totals": [("USD", Decimal("960.00"))]},
        ],
        rows=[
            {"number": n, "customer": c, "status": s, "reason": r, "amount": Decimal(a), "currency": "USD"}
            for n, c, s, r, a in rows
        ],
        more_rows=2022,
    )


def tool() -> dict[str, Any]:
    return _page(
        tool=True, headline="2 of 3 billing codes have an item", title="Compare Billing Codes and Items",
        figures=[("Match", "2"), ("Missing", "1")], columns=["Billing code", "Result", "Item"],
        rows=[["Remote support", "match", "LAB-1"], ["Hardware", "match", "HW-2"], ["Backup 1TB", "missing", ""]],
        more=0,
    )


def settings() -> dict[str, Any]:
    listens = [{"address": OFFICE, "listens": True}, {"address": PARTNER, "listens": False}]
    goes_to = [listens, [], listens[:1]]
    return {
        "may_save": True, "nobody": ["Problems"], "when": "Reports of scheduled runs go once a day.",
        "change_url": "/page/settings",
        "events": [
            {"label": label, "hint": hint, "addresses": to}
            for (_, label, hint, _), to in zip(EVENTS, goes_to, strict=True)
        ],
        "addresses": [
            {"id": 1, "address": PARTNER, "note": "Known since 18 Nov: pressed the button of a notice.",
             "known": True, "bounced": False},
            {"id": 2, "address": OFFICE, "note": "Came back on 20 Nov: the mailbox is full.",
             "known": False, "bounced": True},
        ],
    }


def settings_viewer() -> dict[str, Any]:
    return {**settings(), "may_save": False, "nobody": [], "addresses": []}
