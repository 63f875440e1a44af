"""Sample contexts of the pages under templates/home."""

# ruff: noqa: E501 - samples are sentences, and read better unbroken
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from wtforms import Form, StringField

from tests.web.pages.facts import TODAY, ago, journal, pager, paper, problem, rows, shell, usd


class Reason(Form):
    reason = StringField("Reason")


PAUSED = {
    "sentence": "Another app is also transferring invoices (invoices 10461, 10462, 10463). Posting is paused since 19 Nov 2026, 13:40.",
    "steps": ("Switch off the accounting integration that was used before.", "Then press Resume."),
    "resume_url": "/page/home",
}  # fmt: skip


def home_paused() -> dict[str, Any]:
    return {**home(), "paused": PAUSED}


def home() -> dict[str, Any]:
    days = [(21, 0, 0), (18, 0, 0), (24, 1, 0), (0, 0, 0), (0, 0, 0), (31, 2, 0), (22, 2, 0), (38, 3, 0), (42, 4, 9)]
    runs = [("In process", 37, 14), ("Finished", 5, 0), ("Finished with problems", 7, 2), ("Stopped", 12, 0)]
    return {
        "today": TODAY,
        "lead": "1,248 customers, items and terms are linked. 14 documents need you before they can reach the books.",
        "stats": [
            {"label": "Posted today", "amount": Decimal("61884.20"), "currency": "USD", "note": "42 documents, last at 13:59"},
            {"label": "Posted in November", "amount": Decimal("486210.75"), "currency": "USD", "note": "318 documents, 4 credit memos"},
            {"label": "On its way", "amount": Decimal("12406.00"), "currency": "USD", "note": "9 documents, oldest 4 minutes"},
            {"label": "Needs you", "amount": Decimal("18932.45"), "currency": "USD", "note": "14 documents, 5 causes", "href": "/page/errors"},
        ],
        "next_look": "Next look at Autotask in 20 s.",
        "reconciled": {"kind": "ok", "text": "412 of 412 in the books, 0 duplicates, 0 missing, checked 30 Nov 2026, 03:10", "url": "/page/reconcile-result"},
        "month_figures": ["3 rounding lines, USD 0.02 in all."],
        "mail_sentence": "Reports go to 2 addresses.",
        "products": [
            {
                "name": "Sales invoices", "note": "Autotask → QuickBooks, every minute", "url": "/page/documents", "sync_kind": "ok",
                "sync_word": "Sync invoices", "pending": 9, "pending_totals": usd("12406.00"), "faults": 14,
                "links": [("Settings", "/page/settings-invoices"), ("History", "/page/history")],
            }
        ],
        "days": [
            {"day": TODAY - timedelta(days=len(days) - 1 - i), "complete": c, "fault": f, "waiting": w}
            for i, (c, f, w) in enumerate(days)
        ],
        "runs": [
            {"number": 412 - i, "url": "/page/run", "started_at": ago(hours=i * 5), "state": s, "asked_by": "Office, Sync Now",
             "posted": p, "totals": usd("54912.20"), "faults": f}
            for i, (s, p, f) in enumerate(runs)
        ],
        "needs": [
            {"title": "6 invoices wait for item “Backup 1TB”", "sentence": "USD 7,140.00, oldest 3 days", "action": {"label": "Show the cause", "url": "/page/errors"}},
            {"title": "Is “Granite Ridge CU” your “Granite Ridge Credit Union”?", "sentence": "3 invoices, USD 5,230.00", "action": {"label": "Link This", "url": "/page/errors", "method": "post"}},
        ],
        "faults": 14,
        "setup": [
            {"done": True, "label": "QuickBooks connected", "url": "", "hint": ""},
            {"done": True, "label": "Autotask tested", "url": "", "hint": ""},
            {"done": False, "label": "Switch on automatic syncing", "url": "/page/settings-invoices", "hint": "New invoices then post by themselves."},
        ],
        "running": {"url": "/page/run", "text": "51 of 60 decided.", "started_at": ago(minutes=4)},
        "first_posting_url": "",
        "may_sync": True,
    }  # fmt: skip


def home_new() -> dict[str, Any]:
    stats = [
        {"label": label, "amount": Decimal(0), "currency": "USD", "note": "no document"}
        for label in ("Posted today", "Posted in November", "On its way", "Needs you")
    ]
    return {
        **home(),
        "shell": shell(faults=0, connection={"kind": "wait", "word": "Not connected", "look": "", "url": "/page/connections"}),
        "stats": stats,
        "days": [{"day": TODAY, "complete": 0, "fault": 0, "waiting": 0}],
        "runs": [],
        "needs": [],
        "faults": 0,
        "running": None,
        "first_posting_url": "/page/first-choose",
    }  # fmt: skip


def documents() -> dict[str, Any]:
    kinds = [("All sales", 23, True), ("Sales Invoices", 22, False), ("Sales Credit Notes", 1, False)]
    return {
        "since": date(2026, 9, 1),
        "tabs": [{"label": t, "count": n, "href": "/page/documents", "current": c} for t, n, c in kinds],
        "q": "",
        "filters": {
            "tab": "unfinished",
            "status": "",
            "kind": "", "kinds": [("", "Any kind"), ("credit_memo", "Credit memos")],
            "statuses": [("", "Unfinished"), ("Fault", "Fault"), ("Complete", "Complete")],
            "found": "",
            "dates": [("", "Any date"), ("7", "Last 7 days")],
            "flag": "",
            "flags": [("", "Any flag"), ("Rounded", "Rounded")],
        },
        "sort": "-amount",
        "rows": rows(),
        "totals": usd("31338.45"),
        "one_currency": "USD",
        "page": pager(),
        "outside": {"count": 142, "totals": usd("311904.10"), "url": "/page/documents"},
        "csv_url": "/page/documents",
        "may_act": True,
        "may_sync": True,
        "total": 4112,
    }


def documents_viewer() -> dict[str, Any]:
    return {**documents(), "may_act": False, "may_sync": False, "one_currency": "", "outside": None, "sort": ""}


def documents_none() -> dict[str, Any]:
    return {**documents(), "rows": [], "page": None, "total": 0, "outside": None}


def documents_search() -> dict[str, Any]:
    return {**documents(), "rows": [], "page": None, "q": "northwnd <b>", "outside": None}


def document() -> dict[str, Any]:
    events = [
        ("warn", "flag", "Changed in QuickBooks", "Due date 12 Dec → 26 Dec", "by a QuickBooks user"),
        ("ok", "check", "Report mailed", "books@harborpoint.example", ""),
        ("ok", "check", "Confirmed", "Answer of QuickBooks: id 8790, total 2,138.67, the same", ""),
        ("ok", "check", "Sent", "Batch 388-2, 1 attempt", "asked by the schedule"),
        ("ok", "check", "Read from Autotask", "2 lines, sum equals the header", ""),
    ]
    return {
        "document": {
            "id": 1, "number": "10438", "kind": "Invoice", "customer": "Northwind Dental", "status": "Complete",
            "flags": ["Changed in QuickBooks"], "amount": Decimal("2138.67"), "currency": "USD",
            "sentence": "posted 12 Nov 2026 as QuickBooks 10438", "source_url": "/page/home", "ledger_url": "/page/home", "ledger_number": "10438",
        },
        "reason": None,
        "note": {"kind": "warn", "text": "Somebody changed the due date in QuickBooks on 16 Nov. Nothing is overwritten unless you ask.", "actions": [{"label": "Keep QuickBooks’", "url": "/page/document", "method": "post"}]},
        "waiting": "",
        "ours": paper("Autotask", date(2026, 12, 12)),
        "theirs": paper("QuickBooks", date(2026, 12, 26)),
        "differs": ["due"],
        "journal": journal(),
        "journal_planned": False,
        "first": [],
        "writes_back": [],
        "others": [],
        "post": None,
        "ways": [],
        "events": [{"kind": k, "icon": i, "title": t, "at": ago(hours=n * 7), "detail": d, "who": w} for n, (k, i, t, d, w) in enumerate(events)],
        "facts": [("Autotask ID", "29104"), ("AccsID", "129 Northwind Dental"), ("QuickBooks id", "8790")],
        "chain": [{"number": "10431", "url": "/page/document", "current": False, "text": "USD 2,138.67, voided in Autotask 3 Nov 2026, out of QuickBooks"},
                  {"number": "10438", "url": "/page/document", "current": True, "text": "USD 2,138.67, Complete"}],
        "todos": [("To-do 812", "assigned to Billing Desk, open in Autotask")],
        "actions": [],
        "more": [{"label": "Resync", "url": "/page/document", "icon": "refresh", "note": "Reads it again and shows what differs; writes nothing", "method": "post"}, {"label": "Step log", "url": "/page/steps", "icon": "list-check"}],
        "steps_url": "/page/steps",
    }  # fmt: skip


def document_fault() -> dict[str, Any]:
    fault = {
        **document()["document"],
        "status": "Fault",
        "flags": [],
        "ledger_url": "",
        "ledger_number": "",
        "sentence": "",
    }
    return {
        **document(),
        "document": fault,
        "note": None,
        "reason": problem(),
        "theirs": None,
        "differs": [],
        "journal_planned": True,
        "first": [],
        "writes_back": [],
        "others": [],
        "post": None,
        "actions": [{"label": "Skip…", "url": "/page/skip"}, {"label": "Retry", "url": "/page/run", "method": "post"}],
        "more": [],
    }


def skip() -> dict[str, Any]:
    form = Reason(data={"reason": ""})
    form.reason.errors = ["Say why, in a few words: it stands in the report."]
    return {
        "documents": [{"id": 1, "number": "10448", "customer": "Northwind Dental", "amount": Decimal("1280.00"), "currency": "USD"}],
        "totals": usd("1280.00"),
        "action": "/page/skip",
        "keep_url": "/page/document-fault",
        "form": form,
    }  # fmt: skip


def accept_difference() -> dict[str, Any]:
    text = "Autotask's total is USD 541.25, QuickBooks holds USD 540.00: USD 1.25 less."
    return {"number": "10448", "text": text, "action": "/page/accept", "keep_url": "/page/document-done",
            "form": Reason(data={"reason": ""})}


def boards() -> dict[str, Any]:
    states = [
        ("Harbor Point IT", "ok", "Running", "last look 40 s ago", 9, 14),
        ("Harbor Point Canada", "warn", "Needs you", "QuickBooks asks to sign in again", 0, 0),
        ("Lakeside Managed IT", "wait", "Not connected", "", 0, 0),
    ]
    return {
        "shell": shell(company=None, connection=None),
        "companies": [
            {"id": i, "name": name, "url": "/page/home", "ledger": "QuickBooks Online", "currency": "USD", "kind": kind, "word": word,
             "look": look, "pending": _apart(pending, "12406.00"), "faults": faults, "errors_url": "/page/errors",
             "posted": _apart(318 if pending else 0, "486210.75", 41), "role": "admin"}
            for i, (name, kind, word, look, pending, faults) in enumerate(states)
        ],
        "connect_url": "/page/consent",
    }  # fmt: skip


def _apart(count: int, total: str, orders: int = 0) -> dict[str, Any]:
    invoices = {"words": "Invoices", "count": count, "totals": usd(total)}
    bought = {"words": "Purchase orders", "count": orders, "totals": usd("38412.20")}
    parts = [each for each in (invoices, bought) if count and each["count"]]
    return {"count": sum(each["count"] for each in parts), "parts": parts}


def boards_none() -> dict[str, Any]:
    return {
        "shell": shell(company=None, connection=None, companies=[]),
        "companies": [],
        "connect_url": "/page/consent",
    }


def customer() -> dict[str, Any]:
    return {
        "name": "ACME Limited", "what": "customer", "q": "", "document": {"id": 7, "number": "INV-2043", "url": "/page/document-fault"},
        "candidates": [
            {"id": "58", "name": "Acme Ltd", "email": "books@acme.example", "currency": "USD"},
            {"id": "61", "name": "Acme, Limited", "email": "", "currency": "USD"},
        ],
        "exact": False, "created_as": "ACME Limited", "linked": "", "waiting": 3, "totals": usd("1840.00"), "action": "/page/customer",
        "here": "/page/customer",
    }  # fmt: skip


def no_company() -> dict[str, Any]:
    return {
        "document": {"id": 7, "number": "INV-2043", "url": "/page/document-fault"}, "q": "", "name": "", "error": "",
        "candidates": [{"id": "58", "name": "Walk-in customers", "currency": "USD"}], "waiting": 177,
        "totals": usd("194353.00"), "chosen": "", "may_all": True, "all_url": "/page/no-company",
        "one_url": "/page/no-company", "here": "/page/no-company",
    }  # fmt: skip
