"""Sample contexts of the pages under templates/connect."""

# ruff: noqa: E501 - samples are sentences, and read better unbroken
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from wtforms import Form, PasswordField, StringField

from tests.web.pages.facts import ago, journal, pager, paper, rows, usd

LEDGER = {
    "company": "Harbor Point IT",
    "country": "United States",
    "currency": "USD",
    "signed_in_as": "books@harborpoint.example",
    "signed_in_at": ago(days=1),
    "facts": [("Books open from", "1 Sep 2026"), ("Own numbers", "On"), ("Sales tax", "Automated")],
}
RESULT = {
    "count": 96,
    "since": date(2026, 9, 1),
    "finished_at": ago(minutes=20),
    "lists": [
        {"name": "Customers", "found": 252, "exact": 212, "similar": 9, "new": 31, "url": "/page/errors"},
        {"name": "Items", "found": 64, "exact": 61, "similar": 2, "new": 1, "url": "/page/errors"},
        {"name": "Terms", "found": 4, "exact": 4, "similar": 0, "new": 0, "url": ""},
    ],
    "outcomes": [
        {
            "status": "Pending Sync",
            "count": 88,
            "totals": usd("139862.14"),
            "text": "Ready: 84 invoices and 4 credit memos",
        },
        {"status": "Fault", "count": 6, "totals": usd("9120.00"), "text": "Waits for an answer from you"},
        {"status": "Skipped Over", "count": 2, "totals": usd("0"), "text": "Zero total"},
    ],
    "ready": 88,
    "asks": 6,
    "older": {"count": 142, "totals": usd("311904.10")},
    "all_url": "/page/documents",
}


class Autotask(Form):
    username = StringField("API user name")
    secret = PasswordField("API secret")
    integration_code = StringField("Integration code")


def start() -> dict[str, Any]:
    return {"sandbox": True, "contact": ""}


def consent() -> dict[str, Any]:
    return {"launched": True, "signed_in": False, "company_hint": ""}


def autotask() -> dict[str, Any]:
    lines = [
        ("yes", "API-only user, sees all lines of business"),
        ("yes", "1,204 companies, 96 invoices of the last 30 days"),
        ("yes", "May write invoice numbers"),
        ("dash", "Purchase orders no: this Autotask has no inventory module"),
    ]
    found = {
        "ok": True,
        "title": "Connected to Autotask zone “America East 2”",
        "lines": [{"kind": k, "text": t} for k, t in lines],
        "todo": "",
    }
    form = Autotask(data={"username": "api@harbor.sandbox.invalid", "integration_code": "SANDBOXINTEGRATIONCODE00001"})
    return {"form": form, "test": found, "ledger": LEDGER, "fixing": False, "secret_kept": True}


def autotask_refused() -> dict[str, Any]:
    form = Autotask(data={"username": "api@harbor.sandbox.invalid"})
    form.integration_code.errors = ["Enter the integration code. It stands in Autotask under API Tracking Identifier."]
    refused = {
        "ok": False,
        "title": "Autotask refused the user or the secret",
        "lines": [{"kind": "no", "text": "It does not say which of the two is wrong."}],
        "todo": "Generate a new secret for this user in Autotask and paste it here. Nothing was saved.",
    }
    return {"form": form, "test": refused, "ledger": LEDGER, "fixing": True, "secret_kept": False}


def review() -> dict[str, Any]:
    source = {
        "user": "api@harbor.sandbox.invalid",
        "zone": "America East 2",
        "database": "Harbor Point IT",
        "facts": [("Companies", "1,204"), ("Invoices", "96 of the last 30 days"), ("Time zone", "America/Chicago")],
        "tested_at": ago(minutes=1),
    }
    return {"ledger": LEDGER, "source": source, "start_date": date(2026, 11, 19), "problems": []}


def connections() -> dict[str, Any]:
    good = {
        "id": 1, "name": "QuickBooks Online", "kind": "ok", "word": "Connected", "problem": "", "problem_text": "",
        "facts": [("Company", "Harbor Point IT, United States, USD"), ("Connected by", "Office, since 3 Oct 2026"), ("Last success", "19 Nov 2026, 13:59"), ("Sign in again by", "27 Feb 2027")],
        "primary": None, "reconnect": {"label": "Reconnect", "url": "/page/consent", "method": "post"}, "disconnect_url": "/page/disconnect",
    }  # fmt: skip
    bad = {
        **good, "id": 2, "name": "Autotask PSA", "kind": "warn", "word": "Needs you",
        "problem": "Autotask refused the API user at 13:40.",
        "problem_text": "Its secret was changed there. Posting waits; nothing is lost.",
        "facts": [("Database", "America East 2, Harbor Point IT"), ("Last success", "19 Nov 2026, 13:39")],
        "primary": {"label": "Fix connection", "url": "/page/autotask-refused"}, "reconnect": None,
    }  # fmt: skip
    return {
        "connections": [good, bad],
        "scan": {"text": "The first scan is on: 3 of 7 lists read.", "url": "/page/scan"},
        "may_change": True,
    }


def disconnect() -> dict[str, Any]:
    return {"name": "QuickBooks Online", "action": "/page/disconnect", "keep_url": "/page/connections", "picture": "quickbooks-disconnect", "open": {"count": 9, "totals": usd("12406.00")}, "recent_sign_in_needed": False}  # fmt: skip


def disconnected() -> dict[str, Any]:
    return {"company": "Harbor Point IT", "signed_in": True}


def join() -> dict[str, Any]:
    return {"person": "pat@harborpoint.example", "me": "office@harborpoint.example", "service": "Xero", "company": "Harbor Point Ltd"}


def denied() -> dict[str, Any]:
    return {
        "title": "You are not a member of Harbor Point IT here",
        "sentence": "This QuickBooks company is connected already, and you may open it there. In Bookbridge, an admin invites its members.",
        "company": "Harbor Point IT",
        "admins": [{"name": "Office", "email": "b…@harborpoint.example"}],
        "signed_in_as": "new@harborpoint.example",
    }


def invite() -> dict[str, Any]:
    invitation = {
        "company": "Harbor Point IT",
        "role": "staff",
        "by": "Office",
        "email": "sam@harborpoint.example",
        "expires_at": ago(days=-6),
        "accept_url": "/page/invite",
        "ledger": "quickbooks",
    }
    return {"invitation": invitation, "signed_in_as": ""}


def invite_old() -> dict[str, Any]:
    return {"invitation": None, "signed_in_as": ""}


def scan() -> dict[str, Any]:
    steps = [
        {"kind": "done", "text": "Customers of QuickBooks", "detail": "1,248 read", "span": timedelta(seconds=4)},
        {"kind": "now", "text": "Invoices of Autotask", "detail": "500 so far", "span": None},
        {"kind": "wait", "text": "Billing codes", "detail": "", "span": None},
    ]
    running = {"state": "running", "steps": steps, "done": 3, "total": 7, "started_at": ago(seconds=20), "message": ""}
    return {"scan": running, "result": None, "compared": None, "live_url": "/live/scan"}


def scan_done() -> dict[str, Any]:
    done = {**scan()["scan"], "state": "finished", "done": 7}
    figures = [("Customers", "3 linked, 40 exact, 2 similar, 5 new"), ("Items", "20 exact, 4 new")]
    compared = {"headline": "2 of 74 names ask you", "figures": figures, "url": "/page/lists-result", "mails": [{"address": "books@harborpoint.example", "note": "sent at 13:58"}]}
    return {"scan": done, "result": RESULT, "compared": compared, "live_url": ""}


def first_choose() -> dict[str, Any]:
    return {
        "step": 2, "result": RESULT, "chosen": None, "candidates": rows(), "page": pager(88), "q": "", "sending": None,
        "posted": None, "rest": None, "automatic": False, "postable": True,
    }  # fmt: skip


def first_look() -> dict[str, Any]:
    chosen = {
        "id": 29104, "number": "10438", "customer": "Northwind Dental", "kind": "Invoice", "amount": Decimal("2138.67"), "currency": "USD",
        "journal": journal(), "paper": paper("QuickBooks", date(2026, 12, 12)), "notes": ["New customer Northwind Dental is created first."],
        "ready": True, "reason": "",
    }  # fmt: skip
    return {**first_choose(), "chosen": chosen, "candidates": [], "page": None}


def first_sending() -> dict[str, Any]:
    return {**first_choose(), "sending": {"number": "10438", "run_url": "/page/run", "live_url": "/page/first-sending"}}


def first_posted() -> dict[str, Any]:
    comparison = [
        {"label": "Lines", "source": "5", "ledger": "5", "strong": False},
        {"label": "Tax", "source": "32.67", "ledger": "32.67", "strong": False},
        {"label": "Total USD", "source": "1,118.92", "ledger": "1,118.92", "strong": True},
    ]
    posted = {
        "number": "10097", "kind": "Invoice", "customer": "Northwind Dental", "at": ago(minutes=2), "status": "Complete", "ledger_number": "10097",
        "ledger_url": "/page/home", "document_url": "/page/document", "currency": "USD", "comparison": comparison, "same": True, "reason": "",
    }  # fmt: skip
    rest = {
        "count": 87, "totals": usd("139862.14"), "sentence": "84 invoices and 3 credit memos.", "waiting": 8,
        "choices": [
            {"value": "all", "label": "All that are ready: 87 documents, USD 139,862.14", "note": "Dated 1 September to 3 October 2026. 31 customers and 1 item are created first."},
            {"value": "five", "label": "The next five, USD 6,204.00", "note": "To look at a few more before letting go."},
        ],
    }  # fmt: skip
    return {**first_choose(), "step": 3, "posted": posted, "rest": rest, "candidates": [], "page": None}


def first_automatic() -> dict[str, Any]:
    return {**first_posted(), "step": 4, "rest": None}


def setup() -> dict[str, Any]:
    """An installation that misses its scheduler, with one warning, one wait and what is ready."""
    rows = [
        ("Redis", "ok", "ready", "It answers.", ""),
        ("Worker", "wait", "not known yet", "Seen once Redis answers.", ""),
        ("Scheduler", "bad", "missing", "It was never seen.", "Start python -m workers scheduler."),
        ("Reachable under that address", "warn", "look at this", "This machine gets no answer there.",
         "Check DNS, certificate and proxy. Some networks do not let a machine reach its own public address."),
    ]  # fmt: skip
    keys = ("title", "kind", "word", "found", "todo")
    area = {"title": "Queue and processes", "id": "queue", "rows": [dict(zip(keys, row, strict=True)) for row in rows]}
    address = ("Redirect URI", "https://books.harborpoint.example/connect/intuit/callback")
    return {
        "ready": False, "missing": 1, "areas": [area, {"title": "Mail", "id": "mail", "rows": []}],
        "addresses": [{"title": "Intuit", "rows": [address]}],
    }  # fmt: skip
