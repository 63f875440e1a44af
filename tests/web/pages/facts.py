"""The invented company of the samples: people, moments, rows and amounts the pages share."""

# ruff: noqa: E501 - samples are sentences, and read better unbroken
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.statuses import Flag, RunState, Status

NOW = datetime(2026, 11, 19, 20, 1, tzinfo=UTC)
TODAY = date(2026, 11, 19)
LEDGER = "QuickBooks"


def usd(text: str) -> list[tuple[str, Decimal]]:
    return [("USD", Decimal(text))]


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def shell(**changes: Any) -> dict[str, Any]:
    company = {
        "id": 7,
        "name": "Harbor Point IT",
        "ledger": "QuickBooks Online",
        "ledger_short": LEDGER,
        "currency": "USD",
    }
    companies = [
        _company("Harbor Point IT", "QuickBooks Online · USD · Running", "ok", True),
        _company("Harbor Point Canada", "QuickBooks Online · CAD · Needs you: sign in again", "warn", False),
        _company("Lakeside Managed IT", "Not connected", "wait", False),
    ]
    return {
        "company": company,
        "companies": companies,
        "connection": {"kind": "ok", "word": "Running", "look": "last look 40 s ago", "url": "/page/connections"},
        "user": {"name": "Office", "role": "admin", "email": "books@harborpoint.example"},
        "admin": True,
        "faults": 14,
        "service": {"kind": "ok", "text": "Everything is running"},
        "zone": "Times are Chicago time (UTC−6)",
        "theme": "",
        "shortcuts": True,
        **changes,
    }


def _company(name: str, note: str, kind: str, current: bool) -> dict[str, Any]:
    return {"id": 7, "name": name, "note": note, "kind": kind, "current": current, "url": "/page/home"}


ROWS = [
    ("10448", "Northwind Dental", "1280.00", "Fault", "Item “Backup 1TB” is not in QuickBooks", []),
    ("10452", "Fernhill Veterinary", "1460.00", "Fault", "Item “Backup 1TB” is not in QuickBooks", ["Changed in Autotask"]),
    ("10444", "Granite Ridge CU", "2480.00", "Fault", "“Granite Ridge CU” looks like “Granite Ridge Credit Union”", []),
    ("10468", "Summit & Vale Accounting", "1950.00", "Processing Now", "Checking: QuickBooks did not answer; we look there first, so nothing is posted twice", []),
    ("10470", "Halcyon Physio", "1842.50", "Pending Sync", "Autotask is still building it", []),
    ("10472", "Alder Grove Hospice", "1206.75", "Complete", "In QuickBooks as 10472", ["Rounded"]),
    ("10473", "Orchard <Lane> \"Pediatrics\" of the Northern Lakes and Highlands Region", "987.00", "Skipped Over", "Zero total", ["Diagnostic Mode"]),
    ("10476", "Silverline Freight", "-180.00", "Complete", "Posted as a credit memo", ["Differs"]),
]  # fmt: skip


def row(number: str, customer: str, amount: str, status: str, reason: str, flags: list[str]) -> dict[str, Any]:
    done = status == "Complete"
    return {
        "id": int(number) + 18666,
        "number": number,
        "kind": "Credit memo" if amount.startswith("-") else "Invoice",
        "customer": customer,
        "day": TODAY - timedelta(days=3),
        "due": None if amount.startswith("-") else TODAY + timedelta(days=27),
        "amount": Decimal(amount),
        "currency": "USD",
        "status": status,
        "reason": reason,
        "flags": flags,
        "waits": "" if done else "3 d",
        "document_url": "/page/document",
        "source_url": "/page/home",
        "ledger_url": "/page/home" if done else "",
        "ledger_name": LEDGER,
        "ledger_id": "8846" if done else "",
        "skip_url": "/page/skip" if status == "Fault" else "",
        "url": "/page/first-look",
    }


def rows() -> list[dict[str, Any]]:
    return [row(*each) for each in ROWS]


def pager(total: int = 1204) -> dict[str, Any]:
    return {"first": 1, "last": 50, "total": total, "previous": None, "next": "/page/documents"}


def problem() -> dict[str, Any]:
    return {
        "happened": "QuickBooks has no product or service called “Backup 1TB”, so six invoices were not posted. Nothing of them is in your books.",
        "why": "Your setting matches items by Billing Code Name, exactly. QuickBooks has “Backup 1 TB”, with a space, which is close but not the same.",
        "todo": [
            "Create the item in QuickBooks under exactly this name, or rename the billing code in Autotask.",
            "Press Refresh lists and retry. All six invoices are tried again at once.",
        ],
        "actions": [
            {"label": "Refresh lists and retry 6", "url": "/page/run", "method": "post", "fields": {"cause": "item"}},
            {"label": "Open QuickBooks", "url": "/page/home", "icon": "external-link", "new_tab": True},
            {"label": "Change the setting", "url": "/page/settings-invoices", "kind": "quiet"},
        ],
        "detail": [("Code", "ITEM-MISSING"), ("Stage", "5 of 7, every line’s code known"), ("Reference", "7f3c-19e2-b04a")],
    }  # fmt: skip


def paper(system: str, due: date) -> dict[str, Any]:
    return {
        "system": system,
        "title": "Invoice 10438",
        "number": "10438",
        "day": date(2026, 11, 12),
        "due": due,
        "party": "Northwind Dental",
        "address": ["18 Harbor Road", "Millbrook IL 60000"],
        "lines": [
            {"text": "Managed Workstation Care", "detail": "18 × 95.00", "amount": Decimal("1710.00")},
            {"text": "Office licences", "detail": "18 × 22.00", "amount": Decimal("396.00")},
        ],
        "net": Decimal("2106.00"),
        "tax_label": "Sales tax",
        "tax": Decimal("32.67"),
        "total": Decimal("2138.67"),
        "currency": "USD",
    }


def journal() -> dict[str, Any]:
    lines = [
        ("1200 Accounts receivable", "Northwind Dental", "2138.67", None),
        ("4000 Managed services income", "1 line", None, "1710.00"),
        ("4200 Licences resold", "1 line", None, "396.00"),
        ("2200 Sales tax payable", "", None, "32.67"),
    ]
    return {
        "currency": "USD",
        "rows": [
            {"account": a, "origin": o, "debit": Decimal(d) if d else None, "credit": Decimal(c) if c else None}
            for a, o, d, c in lines
        ],
        "debit": Decimal("2138.67"),
        "credit": Decimal("2138.67"),
    }


def style_guide() -> dict[str, Any]:
    return {
        "document_words": [str(word) for word in Status],
        "run_words": [str(word) for word in RunState],
        "flags": [str(word) for word in Flag],
        "reason": problem(),
        "amount": Decimal("-1234.50"),
    }


def demo_strip() -> dict[str, Any]:
    steps = [("Connect", True), ("Post one by hand", True), ("Sync Now", False), ("Read the mail", False)]
    return {
        "sentence": "A one-minute tour with simulated platforms:",
        "steps": [{"label": label, "url": "/page/home", "done": done} for label, done in steps],
        "accounts_url": "/page/demo",
    }


def error_context(code: int) -> dict[str, Any]:
    texts = {
        404: ("This page does not exist", "The address leads nowhere, or to something of a company you are not a member of.", ["Check the address, or go back and choose it from a list."], ""),
        500: ("Something went wrong on our side", "The page could not be made. Nothing was posted by this.", ["Try again in a minute.", "If it stays, write to support with the reference below; no screenshot is needed."], "7f3c-19e2-b04a"),
        503: ("The database does not answer", "Bookbridge cannot read its own records at the moment. What is being posted is settled first; nothing is lost or posted twice.", ["Try again in a minute. It recovers by itself."], "7f3c-19e2-b04b"),
    }  # fmt: skip
    title, happened, todo, incident = texts[code]
    return {
        "code": code,
        "title": title,
        "happened": happened,
        "why": "",
        "todo": todo,
        "incident": incident,
        "home_url": "/page/home",
        "retry_url": "/page/error-503" if code == 503 else "",
    }
