"""Sample contexts of review, release, hold and batch previews."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.web.pages import home_samples
from tests.web.pages.facts import ago, usd


def review() -> dict[str, Any]:
    rows = [
        {**row, "reason": "Ready, waits for your release", "status": "Pending Sync"}
        for row in home_samples.documents()["rows"][:4]
    ]
    return {
        "on": True, "sync_state": "Review first", "q": "", "rows": rows, "page": None, "count": 128,
        "totals": usd("48210.55"), "may_act": True, "may_post": True, "orders": 2,
        "holds": [
            {"id": 1, "name": "10448", "what": "Document", "url": "/page/document", "why": "Waits for the order number",
             "who": "Mara Lind", "at": ago(minutes=90), "count": 1, "action": "/page/review-release"},
            {"id": 2, "name": "Northwind Dental", "what": "Customer", "url": "", "why": "In dispute about November",
             "who": "Mara Lind", "at": ago(hours=30), "count": 3, "action": "/page/review-release"},
        ],
    }  # fmt: skip


def review_viewer() -> dict[str, Any]:
    return {**review(), "may_act": False, "may_post": False, "on": False, "sync_state": "Sync invoices"}


def review_none() -> dict[str, Any]:
    return {**review(), "rows": [], "count": 0, "totals": [], "holds": [], "orders": 0}


def release() -> dict[str, Any]:
    rows = home_samples.documents()["rows"]
    return {
        "count": 2, "kinds": [{"label": "Invoices", "count": 2, "totals": usd("1530.00")}], "totals": usd("1530.00"),
        "ids": [1, 2], "documents": rows[:2], "more": 0, "changed": True, "fields": {"confirmed": "yes"},
        "action": "/page/review-release", "keep_url": "/page/review-first",
    }  # fmt: skip


def hold() -> dict[str, Any]:
    return {**home_samples.skip(), "customer": "", "ids": [1]}


def hold_customer() -> dict[str, Any]:
    return {**hold(), "customer": "Northwind Dental", "ids": []}


def void_keep() -> dict[str, Any]:
    return {"number": "10449", "customer": "Northwind Dental", "action": "/page/document", "back_url": "/page/document",
            "form": home_samples.Reason()}


def post_anyway() -> dict[str, Any]:
    return {**void_keep(), "old": "10431", "amount": Decimal("1280.00"), "currency": "USD"}


def _row(number: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": 1, "number": number, "url": "/page/document", "customer": "Northwind Dental", "day": date(2026, 11, 20),
        "amount": Decimal("1280.00"), "currency": "USD", "ready": True, "outcome": "Ready", "reasons": [],
        "changed": "", "notes": [], **changes,
    }  # fmt: skip


def preview() -> dict[str, Any]:
    sums = {
        "currency": "USD", "count": 2, "total": Decimal("2646.00"), "tax": Decimal("86.00"),
        "accounts": [("Accounts Receivable (A/R)", Decimal("2646.00"), None), ("Services", None, Decimal("2560.00")),
                     ("Sales Tax Payable", None, Decimal("86.00"))],
        "debit": Decimal("2646.00"), "credit": Decimal("2646.00"),
        "codes": [("TAX", 4, Decimal("2560.00"))], "customers": [("Northwind Dental", 2, Decimal("2646.00"))],
    }  # fmt: skip
    run = {
        "number": 12, "title": "Preview", "running": False, "failed": False, "state": "Finished", "message": "",
        "step": "", "started_at": ago(minutes=3), "ended_at": ago(minutes=2), "asked_by": "Mara Lind", "joined": False,
    }  # fmt: skip
    return {
        "run": run, "headline": "2 of 4 documents are ready", "live_url": "", "csv_url": "/page/check-result",
        "again_url": "/page/review-first", "mails": [],
        "tabs": [{"label": "All", "href": "?", "current": True, "count": 4}], "count": 4, "ready": 2, "sums": [sums],
        "rows": [
            _row("10448", notes=["Line 3 goes as 1 × 12.50: (3 × 4.1667) does not give that amount exactly."]),
            _row("10449", changed="Total 1,280.00 → 1,300.00."),
            _row("10450", ready=False, outcome="Stopped", reasons=["Item “Backup 1TB” is missing"]),
        ],
        "page": None, "may_act": True, "may_post": True, "release_fields": {"all": "yes", "preview": "12"},
    }  # fmt: skip


def preview_running() -> dict[str, Any]:
    shown = preview()
    running = {**shown["run"], "running": True, "ended_at": None, "step": "Planning: 300 of 2,025"}
    return {**shown, "run": running, "live_url": "/page/preview-running"}
