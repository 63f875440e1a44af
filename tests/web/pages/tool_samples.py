"""Sample contexts of the further tools' pages under templates/tools."""

# ruff: noqa: E501 - samples are sentences, and read better unbroken
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from wtforms import BooleanField, Form, IntegerField, SelectField, StringField

from domain.stages import cells, outcome_of
from tests.web.pages.facts import ago, usd

MAILS = [{"address": "books@harborpoint.example", "state": "sent", "note": "sent at 13:58", "again_url": ""}]


class Check(Form):
    numbering = SelectField("Invoice Number Options", choices=[("source", "Use the invoice number in Autotask if available")])
    max_age_days = IntegerField("Invoice Max Age")
    other = StringField("Other Email")


def cards() -> list[dict[str, Any]]:
    last = {"kind": "ok", "text": "7 of 12 invoices are ready, 3 h ago", "url": "/page/check-result"}
    return [
        {"id": "check", "title": "Check Which Invoices are Ready for Billing", "text": "Shows which invoices would go.", "icon": "list-check", "button": "Check for Invoices", "url": "/page/check", "last": last},
        {"id": "compare", "title": "Compare Billing Codes and Items", "text": "Shows how they match.", "icon": "equal", "button": "compare items", "url": "/page/check", "last": None},
    ]  # fmt: skip


def check() -> dict[str, Any]:
    return {"form": Check(data={"max_age_days": 14, "numbering": "source"}), "last": cards()[0]["last"], "connected": True}


def check_errors() -> dict[str, Any]:
    form = Check(data={"max_age_days": -3, "numbering": "source", "other": "partner@"})
    form.max_age_days.errors = ["Enter a number of days from 1 to 400."]
    form.other.errors = ["“partner@” is not an e-mail address. Write it like name@company.example."]
    return {"form": form, "last": None, "connected": False}


def in_process() -> dict[str, Any]:
    facts = [("Doing", "Sending 30 to the ledger"), ("Last progress", "7 min ago"), ("Last sign of life", "12 s ago"), ("Sent, answer not known yet", "30 documents")]
    runs = [{"title": "Sync Invoices Now, run 412", "step": "Posting: 30 of 60 in the books", "started_at": ago(minutes=20), "url": "/page/run", "stop_url": "/page/stop"}]
    return {"busy": True, "alive": False, "clearable": True, "facts": facts, "runs": runs, "unsettled": 30, "last": None,
            "documents": [in_process_row("10452", "Not known; QuickBooks is asked first"), in_process_row("10453", "Yes: QuickBooks answered with id 812")]}


def in_process_row(number: str, there: str) -> dict[str, Any]:
    return {"number": number, "customer": "Fabrikam", "url": "/page/document", "sent_at": ago(minutes=7), "step": "Sent to QuickBooks",
            "step_at": ago(minutes=7), "there": there}  # fmt: skip


def in_process_alive() -> dict[str, Any]:
    return {**in_process(), "alive": True, "clearable": False}


def in_process_none() -> dict[str, Any]:
    return {"busy": False, "alive": False, "clearable": False, "facts": [("Doing", "No process works on it now")], "runs": [], "unsettled": 0, "documents": [],
            "last": {"kind": "ok", "text": "Cleared 3 days ago by ada@harborpoint.example", "url": "/page/in-process"}}


def help_known() -> dict[str, Any]:
    reasons = [{"title": "Still being built in Autotask", "url": "/page/help-error"}]
    issue = {"key": "unfinished", "title": "An invoice that was made moments ago waits", "what": "Autotask shows an invoice before its lines are there.", "do": "Nothing.", "reasons": reasons}
    return {"issues": [issue]}


def help_error() -> dict[str, Any]:
    from domain import help as texts

    related = [{"title": "Two invoices have one number", "url": "/page/help-error"}]
    return {"title": "The number is used already", "page": texts.page("number_taken", "QuickBooks"), "related": related}


def help_errors() -> dict[str, Any]:
    return {"groups": [{"stage": "Number", "pages": [{"title": "The number is used already", "url": "/page/help-error"}]}]}


class Compare(Form):
    action = SelectField("ACTIONS", choices=[("compare", "Show Comparison"), ("copy_items", "Copy missing items to QuickBooks Online")])
    match_by = SelectField("Match Item Using", choices=[("setting", "The field chosen in Settings")])


def compare() -> dict[str, Any]:
    last = {"kind": "ok", "text": "21 of 24 billing codes have their item, 3 h ago", "url": "/page/compare-result"}
    return {"form": Compare(data={"match_by": "setting"}), "last": last, "copied": None, "lists": None, "field_now": "Billing Code Name", "connected": True}


def compare_errors() -> dict[str, Any]:
    form = Compare(data={"action": "copy_items", "match_by": "setting"})
    form.action.errors = ["Choose the account for created items in Settings, Invoices first."]
    return {**compare(), "form": form, "last": None, "connected": False}


def compare_result() -> dict[str, Any]:
    rows = [
        ("Backup 1TB", "Backup 1TB", "", "bad", "Missing", []),
        ("Hardware", "HW-2", "hw-2", "warn", "Match with a difference", ["Spelled “hw-2” there", "SKU is X, External Number is HW-2"]),
        ("Remote support", "LAB-1", "LAB-1", "ok", "Match", []),
    ]  # fmt: skip
    names = ("code", "name", "item", "kind", "result", "notes")
    return {
        "run": run(title="Compare Billing Codes and Items"), "headline": "2 of 3 billing codes have their item", "live_url": "",
        "mails": MAILS, "csv_url": "/page/compare-result", "again_url": "/page/compare", "page": None, "count": 3, "missing": 1,
        "copied": False, "matched_by": "Billing Code Name", "rows": [{"code_id": str(n), **dict(zip(names, row, strict=True))} for n, row in enumerate(rows)],
        "tabs": [{"label": "All", "count": 3, "href": "/page/compare-result", "current": True, "bad": False}],
    }  # fmt: skip


def reconcile() -> dict[str, Any]:
    rows = [
        {"document_url": "/page/document", "number": "AT-1040", "customer": "Kestrel Logistics", "day": date(2026, 11, 28), "status": "Fault", "standing": "Waits", "reason": "The customer is similar to another one", "amount": Decimal("1210.00"), "currency": "USD"},
        {"document_url": "/page/document", "number": "AT-1044", "customer": "Blue Finch Bakery", "day": date(2026, 11, 30), "status": "Pending Sync", "standing": "Waits", "reason": "Goes with the next Sync", "amount": Decimal("89.95"), "currency": "USD"},
    ]
    last = {"text": "412 of 412 in the books, 0 duplicates, 0 missing, checked 30 Nov 2026, 03:10", "at": "30 Nov 2026, 03:10", "kind": "ok", "message": "", "url": "/page/reconcile-result"}
    basis = "Both sides were compared last 30 Nov 2026, 03:10."
    cut_off = {
        "kind": "warn", "sentence": "No: 2 documents are dated to 30 Nov 2026 and not in the books.", "basis": basis,
        "rows": rows, "more": 0, "csv_url": "/page/reconcile",
    }  # fmt: skip
    return {"last": last, "through": date(2026, 11, 30), "cut_off": cut_off, "result_url": "/page/reconcile-result", "connected": True, "next_at": ago(hours=-12)}


def reconcile_yes() -> dict[str, Any]:
    sentence = "Yes: everything dated to 31 Oct 2026 that Bookbridge knows of is in the books."
    basis = "Both sides were not compared yet: this is Bookbridge's own account."
    cut_off = {"kind": "ok", "sentence": sentence, "basis": basis, "rows": [], "more": 0, "csv_url": ""}
    return {**reconcile(), "through": date(2026, 10, 31), "cut_off": cut_off}


def reconcile_none() -> dict[str, Any]:
    return {"last": None, "through": None, "cut_off": None, "result_url": "", "connected": False, "next_at": None}


def reconcile_result() -> dict[str, Any]:
    rows = [
        ("AT-1002", "Harbor Point Clinic", "bad", "Twice in the ledger", "USD 480.00", "USD 480.00", "A second live copy bears the same marker. Compare both in QuickBooks, void the one without payments, then reconcile again.", "2207"),
        ("AT-1019", "Maple Street Dental", "bad", "Missing in the ledger", "USD 75.20", "", "It was posted, and QuickBooks holds it void or not at all. If that was meant, void the invoice in Autotask too. If not, post it again with Manually Copy.", "2188"),
        ("AT-1021", "Kestrel Logistics", "warn", "Changed in the ledger", "USD 1,210.00", "USD 1,200.00", "Total: 1,210.00 here, 1,200.00 in the ledger", "2190"),
        ("AT-1001", "Blue Finch Bakery", "ok", "Agrees", "USD 89.95", "USD 89.95", "", "2170"),
    ]
    names = ("number", "customer", "kind", "result", "ours", "theirs", "why", "ledger_id")

    def side(customer: str, amount: str) -> dict[str, Any]:
        if not amount:
            return {"customer": "–", "day": None, **dict.fromkeys(("net", "tax", "total", "open"), "–")}
        return {"customer": customer, "day": date(2026, 11, 13), "net": amount, "tax": "USD 0.00", "total": amount, "open": amount}

    shown = [dict(zip(names, row, strict=True)) for row in rows]
    both = [{**row, "ours": side(row["customer"], row["ours"]), "theirs": side(row["customer"], row["theirs"]), "renumbered": "BK-7" if row["kind"] == "warn" else ""} for row in shown]
    return {
        "run": run(title="Reconciliation"), "headline": "410 of 411 in the books, 1 duplicate, 1 missing, 1 changed", "live_url": "",
        "mails": MAILS, "csv_url": "/page/reconcile-result", "again_url": "/page/reconcile", "page": None, "count": 412, "green": False, "wrong": "2 documents",
        "figures": [("Posted, USD", "USD 186,210.75"), ("In the ledger, USD", "USD 186,200.75"), ("Open in the ledger, USD", "USD 61,884.20"), ("Bills posted, net, USD", "USD 20,410.00"), ("Bills in the ledger, net, USD", "USD 20,410.00"), ("Bills to pay in the ledger, USD", "USD 9,120.50")],
        "rows": [{"url": "/page/document", **row} for row in both],
        "tabs": [{"label": "All", "count": 412, "href": "/page/reconcile-result", "current": True, "bad": False}, {"label": "Twice in the ledger", "count": 1, "href": "/page/reconcile-result", "current": False, "bad": True}],
    }  # fmt: skip


def lists_result() -> dict[str, Any]:
    choices = [("58", "Nearby Dental (AccsID 58)"), ("61", "Nearby Dentists (AccsID 61)")]
    rows = [
        ("Nearby Dental Limited", "175", "", "", "Nearby Dental, Nearby Dentists", "warn", "Similar", ["A customer's name is similar: “Nearby Dental” or “Nearby Dentists”"], choices, False, False, True),
        ("Same Name", "180", "", "", "", "warn", "Twice", ["Autotask has “Same Name” more than once"], [], False, True, True),
        ("Brand New Bakery", "181", "", "", "", "wait", "New", [], [], False, True, True),
        ("Acme Ltd", "182", "Acme Ltd", "12", "", "ok", "Exact", [], [("12", "Acme Ltd (AccsID 12)")], True, False, False),
        ("Northwind", "183", "Northwind Traders", "14", "", "ok", "Linked", [], [], False, False, False),
    ]  # fmt: skip
    names = ("name", "key", "ledger", "ledger_id", "could_be", "kind", "result", "notes", "choices", "exact", "enter", "create")
    tabs = [{"label": label, "count": count, "href": "/page/lists-result", "current": label == "All"} for label, count in (("All", 5), ("Similar", 1), ("New", 1))]
    lists = [{"label": label, "count": count, "bad": True, "href": "/page/lists-result", "current": label == "Customers"} for label, count in (("Customers", 2), ("Items", None), ("Vendors", None), ("Terms", 1), ("Tax codes", None))]
    return {
        "run": run(title="Compare Lists"), "headline": "2 of 5 names ask you", "live_url": "", "mails": MAILS, "csv_url": "/page/lists-result",
        "lists": lists, "tabs": tabs, "which": "customer", "list_name": "Customers", "means": "Companies that the invoices read so far bill.",
        "rows": [{**dict(zip(names, row, strict=True)), "map_url": "", "url": "/page/lists-result"} for row in rows], "page": None, "exact": 1,
        "accept_url": "/page/lists-result", "again_url": "/page/compare", "newer_url": "/page/lists-result", "staff": True, "of_set_up": True,
    }  # fmt: skip


def lists_running() -> dict[str, Any]:
    now = run(title="Compare Lists", running=True, state="In process", step="Reading the lists", ended_at=None)
    return {**lists_result(), "run": now, "live_url": "/live/lists-running", "csv_url": "", "mails": []}


def copy_running() -> dict[str, Any]:
    now = run(title="Copy missing items", running=True, state="In process", step="Creating the items", ended_at=None)
    return {**compare_result(), "run": now, "copied": True, "live_url": "/live/copy-running", "csv_url": "", "mails": []}


def compare_failed() -> dict[str, Any]:
    return {**compare_result(), "run": run(failed=True, state="Failed", message="Autotask did not answer."), "csv_url": ""}


def run(**changes: Any) -> dict[str, Any]:
    return {
        "number": 414, "title": "Check Which Invoices are Ready for Billing", "running": False, "failed": False, "state": "Finished",
        "message": "", "step": "", "started_at": ago(minutes=4), "ended_at": ago(minutes=3), "asked_by": "Office", "joined": False, **changes,
    }  # fmt: skip


def check_result() -> dict[str, Any]:
    from domain.reasons import Stage, reason

    stopped = [reason("item_missing", item="Backup 1TB"), reason("blank_text", line=4)]
    rows = []
    for number, reasons, amount in (("10452", stopped, "1460.00"), ("10469", [], "751.00"), ("10470", [reason("young")], "-180.00")):
        states = cells(reasons, taxed=number != "10469")
        rows.append({
            "number": number, "url": "/page/document" if reasons else "", "customer": "Fernhill Veterinary", "day": date(2026, 11, 18),
            "amount": Decimal(amount), "currency": "USD", "cells": [(str(stage), str(state)) for stage, state in states.items()],
            "ready": outcome_of(reasons) == "ready", "reasons": [each.sentence("QuickBooks") for each in reasons],
        })  # fmt: skip
    return {
        "run": run(), "headline": "1 of 3 invoices is ready", "live_url": "", "mails": MAILS, "csv_url": "/page/check-result",
        "stages": [str(stage) for stage in Stage], "rows": rows, "page": None, "totals": usd("751.00"), "ready": 1, "count": 3,
        "tabs": [{"label": "All", "count": 3, "href": "/page/check-result", "current": True, "bad": False}],
        "numbering": "Use the Autotask Invoice ID", "days": 14, "again_url": "/page/check",
    }  # fmt: skip


def check_running() -> dict[str, Any]:
    now = run(running=True, state="In process", step="Checking invoices of Autotask: 51 checked", ended_at=None, joined=True)
    return {**check_result(), "run": now, "live_url": "/live/check-running", "csv_url": "", "mails": []}


def check_failed() -> dict[str, Any]:
    return {**check_result(), "run": run(failed=True, state="Failed", message="Autotask did not answer."), "csv_url": ""}


def check_none() -> dict[str, Any]:
    return {**check_result(), "rows": [], "count": 0, "ready": 0, "totals": [], "headline": "No invoice waits in Autotask"}


class CopyForm(Form):
    invoice = StringField("Autotask Invoice ID")
    overwrite = BooleanField("Overwrite")
    additional = StringField("Additional Email")


def manual_copy() -> dict[str, Any]:
    return {"form": CopyForm(), "last": cards()[0]["last"], "connected": True}


def manual_copy_result() -> dict[str, Any]:
    line = {"number": 1, "text": "Backup 1TB", "type": "Service", "item": "Backup", "quantity": "1", "rate": "75", "amount": Decimal("75.00"), "tax": "0"}
    change = {"label": "Total", "ours": "100.00", "source": "75.00", "ledger": "100.00", "where": "in Autotask"}
    return {
        "run": run(), "headline": "Invoice 10452: what differs", "meaning": "Nothing was written yet.", "live_url": "", "csv_url": "/page/check-result",
        "again_url": "/page/check", "decide_url": "/page/check", "staff": True, "mails": MAILS, "outcome": "compare", "kind": "plain",
        "details": [("Autotask ID", "412"), ("Total", "USD 75.00")], "currency": "USD", "lines": [line], "reasons": [], "hits": [], "problems": [],
        "obstacles": [], "facts": ["It was mailed to the customer, who has the old version"], "gone": "", "changes": [change], "ours": None,
        "theirs": None, "differs": [], "document_url": "/page/document", "source_url": "", "ledger_url": "/page/document",
        "anew": "", "anew_obstacles": [],
    }  # fmt: skip


def copy_anew() -> dict[str, Any]:
    """Another customer: the copy is taken out and made again after a yes."""
    obstacle = "The customer is Fabrikam now, not Contoso: payments and address belong to it"
    return manual_copy_result() | {"obstacles": [obstacle], "anew": "delete", "facts": []}


def copy_gone() -> dict[str, Any]:
    """Somebody deleted the copy in the ledger."""
    return manual_copy_result() | {"changes": [], "facts": [], "gone": "deleted", "anew": "again"}


def troubleshoot() -> dict[str, Any]:
    return {"form": CopyForm(), "last": cards()[0]["last"]}


def diagnosis_result() -> dict[str, Any]:
    cause = {"title": "Syncing is off", "happened": "Syncing is off.", "why": "So chosen.", "todo": ["Switch it on."], "actions": [], "detail": [("Code", "sync_is_off")]}
    rows = [{"label": "Autotask", "value": "Agrees with ours", "kind": "ok", "word": "Good"}, {"label": "QuickBooks", "value": "Ours is 90 seconds behind it", "kind": "bad", "word": "Problem"}]
    hit = {"source_id": "412", "number": "10452", "day": date(2026, 11, 13), "total": Decimal("75.00")}
    return {
        "run": run(), "headline": "1 possible cause found", "live_url": "", "csv_url": "/page/check-result", "bundle_url": "/page/check-result", "again_url": "/page/check",
        "document_url": "/page/document", "trace_url": "/page/trace", "looked_at": "invoice 412", "wanted": "412", "staff": True, "mails": MAILS,
        "causes": [cause], "areas": [{"title": "Clocks", "rows": rows}], "hits": [hit],
    }  # fmt: skip


def trace() -> dict[str, Any]:
    document = {"number": "10452", "customer": "Fabrikam", "status": "Fault", "flags": ["Diagnostic Mode"], "url": "/page/document"}
    entry = {"at": ago(minutes=5), "icon": "external-link", "title": "Autotask: POST /query (200)", "text": "{}"}
    return {
        "document": document, "since": ago(hours=2), "staff": True, "switch_url": "/page/trace", "troubleshoot_url": "/page/troubleshoot",
        "file_url": "/page/trace", "entries": [entry], "page": None, "percent": 3, "days": 30,
    }  # fmt: skip
