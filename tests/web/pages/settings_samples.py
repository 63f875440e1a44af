"""Sample contexts of the pages under templates/settings, tools and account."""

# ruff: noqa: E501 - samples are sentences, and read better unbroken
from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from wtforms import (
    BooleanField,
    EmailField,
    FileField,
    Form,
    RadioField,
    StringField,
)

from blueprints.settings.fields import filled
from blueprints.settings.invoices import sections_context
from blueprints.settings.section import Scene
from blueprints.settings.tools_row import TOOLS
from connectors import registry
from domain.settings import InvoiceSettings, MissingItem
from models import Company
from tests.web.pages import tool_samples
from tests.web.pages.facts import ago, usd

LISTED = {"account": [("79", "4000 Managed services income")], "tax_code": [("10", "No VAT")], "term": [("3", "Net 30")], "source_term": [("1", "Net 30"), ("2", "45 days")]}


@dataclass
class Listed:
    """An entry of a ledger list."""

    ledger_id: str
    name: str
    active: bool = True
    details: Any = field(default_factory=lambda: {"type": "Income"})


class Invitation(Form):
    email = EmailField("E-mail address")
    role = RadioField("Role", choices=[("admin", "Admin"), ("staff", "Staff"), ("viewer", "Viewer")])


class Addresses(Form):
    alternate = StringField("Alternate Email")
    additional = StringField("Additional Email")


class Look(Form):
    theme = RadioField("Appearance", choices=[("", "As the system"), ("light", "Light"), ("dark", "Dark")])
    shortcuts = BooleanField("Keyboard shortcuts")


ANSWERS = InvoiceSettings(
    start_date=date(2026, 9, 1), missing_item=MissingItem.CREATE, created_item_account="79", recipients=("books@harborpoint.example",),
    time_zone="America/Chicago", source_time_zone="America/Chicago",
)  # fmt: skip
READY = {"state": "ready", "text": "62 income accounts, 6 tax codes, 1,248 customers.", "read_at": ago(minutes=50), "done": 7, "total": 7, "may_refresh": True}  # fmt: skip
SAVED = {"version": 7, "at": ago(days=7), "by": "Office"}


def index() -> dict[str, Any]:
    return {
        "saved": SAVED,
        "answers": [("Sync state", "Do not sync invoices"), ("Start date", "1 Sep 2026"), ("Report addresses", "books@harborpoint.example")],
        "people": [("Members", "3"), ("Open invitations", "1")],
        "lists": READY,
        "lists_url": "/page/settings",
        "may_save": True,
    }  # fmt: skip


def scene(*, listed: bool = True, **changed: Any) -> Scene:
    company = Company(name="Harbor Point IT", country="GB", profile={"own_numbers": True})

    def entries(kind: str) -> list[Listed]:
        return [Listed(each, name) for each, name in LISTED.get(kind, [])] if listed else []

    return Scene(company, replace(ANSWERS, **changed), entries, "QuickBooks", registry.capabilities_of("quickbooks"))


def page(seen: Scene, form: Any = None) -> dict[str, Any]:
    form = form or filled(seen, sent=False, meta={"csrf": False})
    return {
        "form": form,
        "saved": SAVED,
        "lists": READY,
        "lists_url": "/live/settings-reading",
        "may_save": True,
        "older": {"count": 142, "totals": usd("311904.10")},
        "opens": None,
        "more_count": 6,
        "more_changed": 0,
        "kept": {**SAVED, "count": 2},
        "tools_row": [{"label": label, "url": "/page/tools"} for label, _ in TOOLS],
        "cancel_url": "/page/settings",
        **sections_context(form, seen),
    }


def invoices() -> dict[str, Any]:
    return page(scene())


def invoices_errors() -> dict[str, Any]:
    seen = scene(recipients=("partner@ledgerlane",))
    form = filled(seen, sent=False, meta={"csrf": False})
    form.numbering.errors = [
        "QuickBooks has its own numbers switched off, so it would ignore Autotask’s number. Switch on “Custom transaction numbers” in QuickBooks, then save again, or choose the third answer."
    ]  # fmt: skip
    form.recipients.errors = ["“partner@ledgerlane” is not a complete mail address."]
    form.look_back_days.errors = ["Enter a number of days from 1 to 365."]
    return {**page(seen, form), "opens": {"count": 142, "totals": usd("311904.10")}, "saved": None}


def invoices_reading() -> dict[str, Any]:
    reading = {**READY, "state": "reading", "text": "Accounts, 2 of 7 lists.", "done": 2, "read_at": None}
    return {**page(scene(listed=False, created_item_account=None)), "lists": reading, "may_save": False}


def history() -> dict[str, Any]:
    changes = [
        {"label": "Start date", "before": "19 Nov 2026", "after": "1 Sep 2026"},
        {"label": "Run limit", "before": "200", "after": "5,000"},
    ]
    return {
        "newest": 7,
        "versions": [
            {"version": 7, "at": ago(days=7), "by": "Office", "changes": changes, "note": "in use"},
            {"version": 1, "at": ago(days=9), "by": "Office", "changes": [], "note": ""},
        ],
        "page": None,
    }


CHANGES = [
    {"label": "Invoice numbering option", "before": "Use the Autotask Invoice ID", "after": "Let the ledger generate the number"},
    {"label": "Documents a run may post without asking", "before": "200", "after": "5,000"},
]  # fmt: skip


def compare() -> dict[str, Any]:
    numbers = [("7", "Version 7"), ("1", "Version 1")]
    return {"numbers": numbers, "before": {**SAVED, "version": 1}, "after": SAVED, "changes": CHANGES}


class Import(Form):
    file = FileField("Settings file")


def import_page() -> dict[str, Any]:
    form = Import()
    form.file.errors = ["This is no file of exported settings. Export them under Settings, Invoices."]
    return {"form": form, "cancel_url": "/page/settings"}


def wanted() -> dict[str, Any]:
    row = {
        "number": "10438", "url": "/page/document", "customer": "Harbor Dental", "day": date(2026, 11, 20), "amount": Decimal("1240.50"),
        "currency": "USD", "words": "would wait", "before": "", "after": "No item is called “Backup 1TB”", "changes": [], "more": 0,
    }  # fmt: skip
    changed = {**row, "number": "10440", "words": "would be written differently", "after": "", "more": 2,
               "changes": [{"label": "Number", "before": "10440", "after": "29684"}]}  # fmt: skip
    figures = [("would wait", 6, "would_wait"), ("would be written differently", 312, "changed"), ("stay as they are", 18, "")]
    return {
        "kept": SAVED, "changes": CHANGES, "may_save": True, "opens": {"count": 142, "totals": usd("311904.10")}, "running": False,
        "failed": "", "step": "", "live_url": "", "days": 30, "unread": 3, "effect": "would_wait", "page": None, "csv_url": "/page/wanted",
        "ended_at": ago(minutes=1), "rows": [row, changed],
        "figures": [{"words": w, "count": n, "totals": usd("1240.50"), "url": f"/page/settings-wanted?effect={e}" if e else ""} for w, n, e in figures],
    }  # fmt: skip


def wanted_running() -> dict[str, Any]:
    return {**wanted(), "running": True, "step": "100 of 340 documents planned", "opens": None}


def remove_confirm() -> dict[str, Any]:
    person = {"id": 2, "name": "Reception", "email": "reception@harborpoint.example", "role": "staff"}
    return {"person": person, "reported": True}


def tax_map() -> dict[str, Any]:
    choices = [("", "Choose a tax code"), ("10", "20.0% S, 20 %"), ("11", "No VAT")]
    row = {"key": "code:4:UK:Standard", "number": 0, "region": "UK", "category": "Standard", "percent": "20 %",
           "chosen": "10", "choices": choices, "waiting": 0, "state": "confirmed", "problem": "", "code": "20.0% S"}
    other = {**row, "key": "code:5:Jersey:", "region": "Jersey", "category": "Every category", "percent": "–",
             "chosen": "", "waiting": 14, "state": "open"}
    old = {**row, "key": "code:6:Leeds:", "region": "Leeds", "problem": "The code “20.0% S” is inactive."}
    return {
        "rows": [row, other, old], "why": "Each line of a document takes the QuickBooks tax code of its region.",
        "untaxed": [{"name": "exempt", "label": "Exempt", "why": "The company is exempt.", "chosen": "11",
                     "choices": choices}],
        "together": ["Exempt and out of scope sales share the code “No VAT”: they stand in one place on the return."],
        "before": None, "warning": "QuickBooks booked a tax of its own on 1 document although Autotask's was sent.",
        "waits": ["Region Jersey has no usable tax code: 14 invoices wait."], "may_save": True,
        "lists": READY, "lists_url": "/page/settings",
    }


def people() -> dict[str, Any]:
    roles = [("admin", "Admin"), ("staff", "Staff"), ("viewer", "Viewer")]
    members = [("Office", "admin", True, True), ("Reception", "staff", False, False), ("Kim", "viewer", False, False)]
    return {
        "members": [
            {"id": i, "name": n, "email": f"{n.lower()}@harborpoint.example", "role": r, "since": date(2026, 10, 3), "last_seen": None if i == 2 else ago(hours=i), "you": y, "roles": roles, "only_admin": o}
            for i, (n, r, y, o) in enumerate(members)
        ],
        "invitations": [{"id": 1, "email": "lee@harborpoint.example", "role": "staff", "by": "Office", "expires_at": ago(days=-5)}],
        "form": Invitation(data={"role": "staff"}),
    }  # fmt: skip


def people_viewer() -> dict[str, Any]:
    return {**people(), "form": None, "invitations": []}


def tools() -> dict[str, Any]:
    return {
        "recipients": ["books@harborpoint.example"],
        "sync": {"ready": 9, "totals": usd("12406.00")},
        "last": {"kind": "warn", "text": "19 Nov 2026, 13:58: 46 posted, 14 need you", "url": "/page/run-finished"},
        "faults": {"count": 14, "causes": 5, "totals": usd("18932.45")},
        "form": Addresses(),
        "first_posting_url": "",
        "running": {"url": "/page/run", "text": "51 of 60 decided.", "started_at": ago(minutes=4)},
        "cards": tool_samples.cards(),
    }


def tools_before() -> dict[str, Any]:
    return {**tools(), "running": None, "last": None, "faults": {"count": 0, "causes": 0, "totals": []}, "first_posting_url": "/page/first-choose"}  # fmt: skip


def sync_now() -> dict[str, Any]:
    form = Addresses(data={"alternate": "partner@"})
    form.alternate.errors = ["“partner@” is not a complete mail address."]
    return {**tools(), "form": form, "sync": {"ready": 0, "totals": []}, "running": None}


def sync_confirm() -> dict[str, Any]:
    kinds = [("Invoices", 1400, "668210.14"), ("Credit memos", 308, "-113606.12")]
    return {
        "count": 1708,
        "totals": [("GBP", Decimal("554604.02"))],
        "kinds": [{"label": label, "count": n, "totals": [("GBP", Decimal(t))]} for label, n, t in kinds],
        "limit": 200,
        "over": True,
        "new_customers": 31,
        "strangers": True,
        "first_day": date(2026, 10, 21),
        "last_day": date(2026, 11, 21),
        "fields": {"alternate": "", "additional": "", "confirmed": "1"},
        "action": "/page/sync-confirm",
        "faults": 0,
        "keep_url": "/page/tools",
    }


def profile() -> dict[str, Any]:
    return {
        "user": {"name": "Office", "email": "books@harborpoint.example", "identity": "Intuit"},
        "companies": [{"name": "Harbor Point IT", "role": "admin", "url": "/page/home", "mails_url": "/page/home"}],
        "form": Look(data={"theme": "", "shortcuts": True}),
        "sessions": [
            {
                "id": "a",
                "here": True,
                "agent": "Firefox on Linux",
                "started_at": ago(hours=3),
                "seen_at": ago(minutes=1),
            },
            {
                "id": "b",
                "here": False,
                "agent": "Safari on iPhone",
                "started_at": ago(hours=9),
                "seen_at": ago(hours=2),
            },
        ],
    }


def demo() -> dict[str, Any]:
    texts = {
        "admin": "Connects, changes settings, invites people.",
        "staff": "Uses the tools, fixes and retries.",
        "viewer": "Looks at everything, changes nothing.",
    }
    return {
        "people": [{"role": role, "name": role.capitalize(), "text": text} for role, text in texts.items()],
        "links": [{"label": "Mailbox", "url": "/page/demo", "text": "Every mail the demo sent"}],
    }  # fmt: skip


def currencies() -> dict[str, Any]:
    return {
        "rows": [
            {"side": "Autotask", "home": "USD", "others": "None: amounts bear no currency of their own"},
            {"side": "QuickBooks Online", "home": "USD", "others": "Multicurrency is on"},
        ],
        "state": "confirm", "text": "Autotask has one currency, QuickBooks has several: every invoice is booked in USD.",
        "before": "", "shown": "USD/USD+", "may_save": True, "lists_url": "#",
    }  # fmt: skip


def lines() -> dict[str, Any]:
    return {
        "rules": [
            {"code_id": "", "kind": "Block Purchases", "code": "Any billing code", "kind_name": "Block Purchases",
             "where": "Account", "target": "Unearned Revenue"},
            {"code_id": "7", "kind": "", "code": "Remote Support", "kind_name": "Any kind", "where": "Item",
             "target": "LAB-REM"},
        ],
        "codes": [("7", "Remote Support"), ("8", "Firewall Appliance")], "kinds": ["Labor", "Block Purchases"],
        "accounts": [("account/24", "Unearned Revenue", "Other Current Liability")], "items": [("item/60", "LAB-REM")],
        "suggestions": [
            {"code_id": "8", "code": "Firewall Appliance", "gl": "4200 Hardware", "account": "Hardware",
             "target": "account/79"},
        ],
        "default": "Sales", "may_save": True,
    }  # fmt: skip
