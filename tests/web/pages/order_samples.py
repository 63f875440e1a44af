"""Sample contexts of the purchase orders' pages."""

# ruff: noqa: E501 - samples are sentences, and read better unbroken
from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from blueprints.settings.order_fields import BECOMES, OrdersForm, filled, summary, vendor_rows
from blueprints.settings.section import Scene
from blueprints.tools.orders import OnePoForm
from connectors import registry
from domain.order_settings import Becomes, OrderSettings, VendorRule
from models import Company
from tests.web.pages import home_samples, settings_samples
from tests.web.pages.facts import TODAY, ago, problem
from tests.web.pages.settings_samples import Listed

SAVED = OrderSettings(
    days=30, becomes=Becomes.ORDER_AND_BILLS, active=True, payable="33", created_item_account="81", freight_account="82",
    purchase_for=True, error_todos=True, todo_action_type="7", todo_resource="29", tax_code="12",
    vendors=(VendorRule("41", Becomes.BILL), VendorRule("44", None, "12", True)),
)  # fmt: skip
LISTED = {
    "account": [("33", "2000 Accounts payable", "Accounts Payable"), ("81", "5000 Hardware purchased", "Cost of Goods Sold"), ("82", "5900 Freight and courier", "Expense")],
    "tax_code": [("12", "20.0% S", ""), ("10", "No VAT", "")], "term": [("3", "Net 30", "")], "class": [("5", "Projects", "")],
    "person": [("29", "Billing Desk", "")], "action_type": [("7", "To-Do: Phone Call", "")],
}  # fmt: skip
VENDORS = [("41", "Northwind Supplies"), ("44", "Brightwater Distribution of the Northern Lakes GmbH")]


def _scene(ledger: str = "quickbooks") -> Scene:
    def entries(kind: str) -> list[Listed]:
        return [Listed(id, name, details={"type": type}) for id, name, type in LISTED.get(kind, [])]

    company = Company(name="Harbor Point IT", country="GB", ledger=ledger, profile={})
    can = registry.capabilities_of(ledger)
    return Scene(company, settings_samples.ANSWERS, entries, can.name, can, ["desk@harborpoint.example"])


def _form(current: OrderSettings, seen: Scene) -> OrdersForm:
    return filled(seen, current, sent=False)


def _settings(current: OrderSettings, ledger: str = "quickbooks") -> dict[str, Any]:
    seen = _scene(ledger)
    return {
        "form": _form(current, seen), "paused": current.paused, "may_save": True, "vendors": VENDORS,
        "rules": vendor_rows(current, dict(VENDORS), seen), "becomes": [(str(value), label) for value, label in BECOMES],
        "codes": seen.choices("tax_code"), "has_orders": True, "several": True,
        "able": seen.capabilities, "either_number": False,
    }  # fmt: skip


def settings() -> dict[str, Any]:
    """Nothing saved yet: Paused."""
    return _settings(OrderSettings()) | {"vendors": [], "several": False, "has_orders": False}


def settings_on_accounts() -> dict[str, Any]:
    """A ledger with drafts, whose lines name their accounts and whose contacts are customers and vendors in one."""
    return _settings(SAVED, "xero") | {"several": False, "either_number": True}


def settings_active() -> dict[str, Any]:
    return _settings(SAVED)


def settings_viewer() -> dict[str, Any]:
    return _settings(SAVED) | {"may_save": False}


def settings_errors() -> dict[str, Any]:
    shown = _settings(replace(SAVED, payable=None, becomes=None))
    form = shown["form"]
    form.days.errors = ["Enter a number of days from 0 to 365."]
    form.becomes.errors = ["Choose what an order becomes: there is no default."]
    form.payable.errors = ["Choose an AP account: active, and of type Accounts payable."]
    form.billable.errors = ["Billable lines need the “purchase for” customer."]
    form.todo_resource.errors = ["Choose a resource that is active in Autotask."]
    form.form_errors = ["The lists of the ledger are still being read. Save again in a moment."]
    return shown


def review() -> dict[str, Any]:
    return {"rows": summary(SAVED, _scene()), "paused": False, "may_save": True}


def review_paused() -> dict[str, Any]:
    return {"rows": summary(OrderSettings(), _scene()), "paused": True, "may_save": True}


def orders() -> dict[str, Any]:
    counts = [("Pending Sync", 3), ("Processing Now", 0), ("Fault", 2), ("Complete", 118), ("Skipped Over", 4)]
    return {
        "state": "Active", "paused": False, "automatic": True, "posted": True, "chosen": True, "may_admin": True, "may_post": True,
        "counts": counts, "page": None, "rows": [
            _waiting("PO-10412", "Waits for the next posting", ready=True),
            _waiting("PO-10410 · INV-77812/2026-11", "Waits for the vendor’s receipt"),
            _waiting("PO-10102", "Created 2 Sep 2026, before the days that are looked at", early=True),
        ],
    }  # fmt: skip


def _waiting(number: str, why: str, *, ready: bool = False, early: bool = False) -> dict[str, Any]:
    return {
        "id": 1, "number": number, "vendor": VENDORS[1][1], "day": TODAY, "amount": Decimal("12480.50"), "currency": "USD",
        "why": why, "url": "/page/order-preview", "ready": ready, "early": early,
    }  # fmt: skip


def orders_first() -> dict[str, Any]:
    """One was posted by hand; the rest is not automatic yet."""
    return orders() | {"state": "Looking, posting by hand", "automatic": False}


def orders_paused() -> dict[str, Any]:
    return orders() | {"state": "Paused", "paused": True, "automatic": False, "posted": False, "rows": []}


def sync_po() -> dict[str, Any]:
    return {"form": _one(), "running": False, "asked": "", "error": None, "done": [], "waits": "", "run_url": "",
            "connected": True, "live_url": ""}  # fmt: skip


def _one(**data: str) -> OnePoForm:
    return OnePoForm(formdata=None, data=data)


def sync_po_errors() -> dict[str, Any]:
    form = _one(alternate="partner@")
    form.order.errors = ["Enter the id of the purchase order."]
    form.alternate.errors = ["“partner@” is not an e-mail address. Write it like name@company.example."]
    return sync_po() | {"form": form}


def sync_po_failed() -> dict[str, Any]:
    return sync_po() | {"form": _one(order="411"), "error": problem(), "run_url": "/page/run-finished"}


def sync_po_running() -> dict[str, Any]:
    return sync_po() | {"running": True, "asked": "PO-10415", "run_url": "/page/run", "live_url": "/page/sync-po-running"}


def sync_po_done() -> dict[str, Any]:
    done = [{"number": "PO-411", "ledger_number": "1043"}, {"number": "PO-411", "ledger_number": ""}]
    return sync_po() | {"done": done, "run_url": "/page/run-finished"}


def order_logs() -> dict[str, Any]:
    rows = [
        _entry(1, "PO-10415", "Item “Switch 24p” is not in QuickBooks"),
        _entry(2, "PO-10409", "", part="INV-77812/2026-11", running=True),
    ]
    return {"rows": rows, "page": None, "running": True}


def _entry(id: int, number: str, error: str, *, part: str = "", running: bool = False) -> dict[str, Any]:
    return {"id": id, "number": number, "part": part, "vendor": VENDORS[1][1], "at": ago(hours=3 * id), "error": error,
            "running": running, "url": "/page/order-log"}  # fmt: skip


def order_logs_none() -> dict[str, Any]:
    return {"rows": [], "page": None, "running": False}


def order_log() -> dict[str, Any]:
    entry = _entry(1, "PO-10415", "Item “Switch 24p” is not in QuickBooks", part="INV-77812/2026-11")
    return {"entry": entry, "status": "Fault", "running": False, "may_retry": True, "document_url": "/page/order-document",
            "problem": problem(), "facts": [("ERROR in Autotask", "stands in External P.O. Number since 22 Nov 2026")],
            "live_url": ""}  # fmt: skip


def order_log_running() -> dict[str, Any]:
    return order_log() | {"running": True, "live_url": "/page/order-log-running"}


def order_log_done() -> dict[str, Any]:
    return order_log() | {"status": "Complete", "problem": None}


def decision() -> dict[str, Any]:
    return {
        "form": home_samples.Reason(data={"reason": ""}), "number": "PO-10415", "beside": True,
        "sentence": "QuickBooks has a bill that may be this one: V-9, 13 Nov 2026, USD 420.00",
        "found": [{"id": "9", "text": "V-9, 13 Nov 2026, USD 420.00"}], "takes_out": False, "action": "/page/order-decision",
        "skip_url": "/page/skip", "back_url": "/page/order-document",
    }  # fmt: skip


def decision_several() -> dict[str, Any]:
    """Two alike, and the reason forgotten."""
    shown = decision()
    shown["form"].reason.errors = ["Say why, in a few words: it stands in the report."]
    return shown | {"found": [*shown["found"], {"id": "12", "text": "V-9-COPY/2026-11, 14 Nov 2026, USD 420.00"}]}


def settle() -> dict[str, Any]:
    text = "4 of Switch 24p were taken back after bill V-9 was posted: a vendor credit of USD 168.00 is due"
    return decision() | {"beside": False, "found": [], "sentence": text}


def decision_cancelled() -> dict[str, Any]:
    text = "The order was cancelled in Autotask on 20 Nov 2026; V-9 still stands in QuickBooks"
    return settle() | {"sentence": text, "takes_out": True}


def _way(name: str, ordered: str, received: str, billed: str, cost: str) -> dict[str, str]:
    return {"name": name, "ordered": ordered, "received": received, "billed": billed, "cost": cost}


def _paper(system: str, title: str) -> dict[str, Any]:
    lines = [
        {"text": "Switch 24p", "detail": "10 × 42.00", "amount": Decimal("420.00")},
        {"text": "Freight", "detail": "", "amount": Decimal("18.50")},
    ]
    return {
        "system": system, "title": title, "number": "PO-10415", "day": date(2026, 11, 13), "due": None, "party": VENDORS[0][1],
        "address": ["18 Harbor Road", "Millbrook IL 60000"], "lines": lines, "net": Decimal("438.50"), "tax_label": "Tax",
        "tax": Decimal(0), "total": Decimal("438.50"), "currency": "USD",
    }  # fmt: skip


def _journal() -> dict[str, Any]:
    rows = [("5000 Hardware purchased", "1 line", "420.00", None), ("5900 Freight and courier", "", "18.50", None),
            ("2000 Accounts payable", VENDORS[0][1], None, "438.50")]  # fmt: skip
    booked = [
        {"account": a, "origin": o, "debit": Decimal(d) if d else None, "credit": Decimal(c) if c else None}
        for a, o, d, c in rows
    ]
    return {"currency": "USD", "rows": booked, "debit": Decimal("438.50"), "credit": Decimal("438.50")}


def document() -> dict[str, Any]:
    """A bill in the books; the vendor sent the rest since."""
    shown = home_samples.document()
    head = {**shown["document"], "number": "PO-10415", "kind": "Bill", "customer": VENDORS[0][1], "flags": ["Changed in Autotask"],
            "amount": Decimal("438.50"), "sentence": "in QuickBooks as V-9"}  # fmt: skip
    return shown | {
        "document": head, "note": None, "ours": _paper("Autotask", "Purchase order PO-10415"), "theirs": _paper("QuickBooks", "Bill V-9"),
        "differs": [], "journal": _journal(), "chain": [], "todos": [],
        "ways": [_way("Switch 24p", "10", "6", "6", "42"), _way("Rack shelf, 2 units high, with cage nuts and screws", "4.5", "0", "0", "18.75")],
    }  # fmt: skip


def preview() -> dict[str, Any]:
    """Nothing is in the ledger yet: what would be sent, and Post now."""
    shown = document()
    head = {**shown["document"], "kind": "Purchase order", "status": "Pending Sync", "flags": [], "sentence": "", "ledger_url": "", "ledger_number": ""}
    return shown | {
        "document": head, "waiting": "Waits until somebody posts it. Press Post now, or let orders post by themselves.",
        "theirs": _paper("QuickBooks, as it would be sent", "Bill"), "journal_planned": True,
        "first": ["Creates the vendor “Northwind Supplies (V)”.", "Creates the item “Switch 24p”."],
        "writes_back": ["External P.O. Number of order PO-10415 gets the ledger's number, or “BILL-” and its id where it has none."],
        "post": {"label": "Post now", "url": "/page/order-document", "method": "post", "fields": {"digest": "d", "seen": "s"}},
    }  # fmt: skip
