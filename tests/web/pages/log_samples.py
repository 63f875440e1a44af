"""Sample contexts of the pages under templates/logs."""

# ruff: noqa: E501 - samples are sentences, and read better unbroken
from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.web.pages.facts import ago, pager, problem, rows, usd

RUN = {
    "number": 412,
    "title": "Sync Invoices Now",
    "asked_by": "Office",
    "started_at": ago(minutes=4),
    "ended_at": None,
    "elapsed": timedelta(minutes=4, seconds=12),
    "waited": None,
    "message": "",
    "joined_at": ago(minutes=1),
    "can_stop": True,
    "faults": 14,
    "post_all": None,
}
COUNTS = [
    {"status": "Complete", "count": 37, "totals": usd("54912.20")},
    {"status": "Fault", "count": 14, "totals": usd("18932.45")},
    {"status": "Processing Now", "count": 2, "totals": usd("2701.00")},
    {"status": "Pending Sync", "count": 7, "totals": usd("9705.00")},
    {"status": "Skipped Over", "count": 0, "totals": []},
]


def run() -> dict[str, Any]:
    steps = [
        ("done", "Read 60 invoices from Autotask", "", timedelta(seconds=3.1)),
        ("done", "Checked and totalled: USD 86,250.65, every line sum equals its header", "", None),
        ("now", "Checking 10468 Summit & Vale Accounting.", "QuickBooks did not answer. We are looking there before trying again, so nothing is posted twice.", None),
        ("wait", "Batch 2 of 2 continues at 14:05:", "QuickBooks allows 40 batch calls a minute, and other apps use them too.", None),
    ]  # fmt: skip
    return {
        "run": RUN,
        "counts": COUNTS,
        "total": 60,
        "totals": usd("86250.65"),
        "steps": [{"kind": k, "text": t, "detail": d, "span": s} for k, t, d, s in steps],
        "stats": [],
        "tabs": tabs("all"),
        "records": rows(),
        "caption": "Records of run 412",
        "empty_text": "No record yet.",
        "one_currency": "USD",
        "page": pager(60),
        "todos": [("To-do 812", "assigned to Billing Desk, open in Autotask for Backup 1TB")],
        "recipients": [
            {"address": "books@harborpoint.example", "state": "queued", "note": "At the end, with the CSV", "again_url": ""},
            {"address": "partner@ledgerlane.example", "state": "queued", "note": "At the end, a notice without names or amounts", "again_url": ""},
        ],
        "files": [],
        "csv_url": "",
        "live_url": "/live/run",
        "figures": ["3 rounding lines, USD 0.02 in all."],
        "poll_s": 2,
    }  # fmt: skip


def run_finished() -> dict[str, Any]:
    ended = {
        **RUN,
        "state": "Finished with problems",
        "ended_at": ago(minutes=0),
        "waited": timedelta(minutes=4),
        "elapsed": timedelta(minutes=8, seconds=3),
        "joined_at": None,
        "can_stop": False,
    }
    recipients = [
        ("books@harborpoint.example", "sent", "Sent with the CSV", ""),
        ("partner@ledgerlane.example", "waiting", "Waiting for the first click: got a notice without names or amounts", "/page/run"),
        ("ops@harbourpoint.example", "bounced", "Bounced: the domain does not exist", "/page/run-finished"),
    ]  # fmt: skip
    return {
        **run(),
        "run": ended,
        "counts": [*COUNTS[:2], {"status": "Skipped Over", "count": 3, "totals": usd("0")}],
        "stats": [
            {"label": "Posted", "amount": Decimal("67318.20"), "currency": "USD", "note": "45 invoices, 1 credit memo"},
            {"label": "Needs you", "amount": Decimal("18932.45"), "currency": "USD", "note": "14 documents, 5 causes", "href": "/page/errors"},
            {"label": "Duplicates", "text": "0", "note": "counted in QuickBooks at 14:06"},
            {"label": "Skipped Over", "text": "3", "note": "zero total"},
        ],
        "steps": [],
        "recipients": [{"address": a, "state": s, "note": n, "again_url": u} for a, s, n, u in recipients],
        "files": [{"label": "Step log", "url": "/page/steps"}],
        "csv_url": "/page/run",
        "live_url": "",
    }  # fmt: skip


def run_stopped() -> dict[str, Any]:
    stopped = {
        **run_finished()["run"],
        "state": "Stopped",
        "faults": 0,
        "message": "This scheduled run found 1,825 documents, more than the 200 a run may post without asking. Nothing was posted.",
        "post_all": {"count": 1825, "totals": usd("1284201.10"), "url": "/page/sync-confirm"},
    }
    return {**run_finished(), "run": stopped, "records": [], "page": None, "recipients": [], "empty_text": "Nothing was posted by this run."}  # fmt: skip


RUN["state"] = "In process"


def tabs(current: str) -> list[dict[str, Any]]:
    items = [
        ("all", "All Records", 60, False),
        ("success", "Success Records", 46, False),
        ("error", "Error Records", 14, True),
    ]
    return [
        {"label": label, "count": count, "href": "/page/run", "current": key == current, "bad": bad}
        for key, label, count, bad in items
    ]


def history() -> dict[str, Any]:
    states = [
        ("In process", "", 37, 14),
        ("Finished", "", 5, 0),
        ("Finished with problems", "", 7, 2),
        ("Stopped", "Above the run limit: nothing was posted.", 0, 0),
        ("Failed", "Autotask refused the API user at 13:40.", 0, 0),
        ("Resubmitted", "", 12, 0),
    ]
    return {
        "runs": [_run_row(412 - i, *each) for i, each in enumerate(states)],
        "tabs": [{"label": "All", "count": 412, "href": "/page/history", "current": True}],
        "q": "",
        "filters": {"tab": "all", "found": "", "options": [("", "Any date"), ("7", "Last 7 days")]},
        "page": pager(412),
        "running": None,
    }


def _run_row(number: int, state: str, message: str, posted: int, faults: int) -> dict[str, Any]:
    return {
        "number": number,
        "url": "/page/run",
        "started_at": ago(hours=412 - number),
        "title": "Sync Invoices Now",
        "asked_by": "Office" if number % 2 else "Schedule",
        "state": state,
        "message": message,
        "posted": posted,
        "faults": faults,
        "skipped": 0,
        "totals": usd("54912.20") if posted else [],
        "elapsed": timedelta(seconds=40 * (413 - number)),
    }


def history_none() -> dict[str, Any]:
    return {**history(), "runs": [], "page": None}


def errors() -> dict[str, Any]:
    faults = [each for each in rows() if each["status"] == "Fault"]
    group = {
        "title": "6 invoices wait for item “Backup 1TB”",
        "sentence": "First seen 16 Nov 2026, 09:12",
        "totals": usd("7140.00"),
        "fix": None,
        "reason": problem(),
        "facts": [("Billing code", "Backup 1TB"), ("Income account", "4200 Licences resold"), ("Tries again", "When you fix it. Not by itself.")],
        "rows": faults[:2],
        "more_url": "/page/errors-list",
    }  # fmt: skip
    other = {
        **group,
        "title": "3 invoices: is “Granite Ridge CU” your “Granite Ridge Credit Union”?",
        "sentence": "One customer in Autotask, a similar name in QuickBooks. Same ZIP code and billing e-mail.",
        "fix": {"label": "Link This", "url": "/page/errors", "method": "post"},
        "facts": [],
        "rows": faults[2:],
        "more_url": "",
        "totals": [("GBP", Decimal("12.00")), ("USD", Decimal("5230.00"))],
    }
    return {
        "view": "cause",
        "tabs": [
            {"label": "By cause", "count": 5, "href": "/page/errors", "current": True, "bad": True},
            {"label": "By document", "count": 14, "href": "/page/errors-list", "current": False},
            {"label": "Resolved in the last 30 days", "count": 61, "href": "/page/errors-none", "current": False},
        ],
        "faults": 14,
        "totals": usd("18932.45"),
        "csv_url": "/page/errors",
        "groups": [group, other],
        "rows": [],
        "page": None,
        "q": "",
        "code": "",
        "waits": "",
        "kinds": [("", "Every kind"), ("item_missing", "An item is missing")],
        "documents": [("", "Any kind"), ("order", "Purchase orders")], "kind": "",
        "ages": [("", "Waiting however long"), ("1", "Waiting over a day")],
        "narrowed": False,
        "fields": {"view": "cause"},
        "matching": 14,
        "one_cause": "",
        "may_retry": True,
    }


def errors_list() -> dict[str, Any]:
    return {**errors(), "view": "document", "groups": [], "rows": rows(), "page": pager(61), "narrowed": True, "one_cause": "14 invoices wait for item “Backup 1TB”"}


def errors_none() -> dict[str, Any]:
    return {**errors(), "view": "cause", "groups": [], "faults": 0, "matching": 0, "totals": []}


def steps() -> dict[str, Any]:
    entries = [
        ("Read", "ok", "4 lines, sum equals the header", []),
        ("Checked", "ok", "7 of 7 stages, settings version 6", []),
        ("Sent", "warn", "QuickBooks did not answer within 60 s", [("Batch", "388-2"), ("Request", "1f0c…"), ("intuit_tid", "1-6720")]),
        ("Looked up", "ok", "Found in QuickBooks; not sent again", [("Ledger id", "8790")]),
        ("Written back", "wait", "Waits for Autotask’s hourly allowance, continues at 15:00", []),
    ]  # fmt: skip
    return {
        "document": {"number": "10468", "customer": "Summit & Vale Accounting", "url": "/page/document", "status": "Processing Now"},
        "entries": [
            {"at": ago(minutes=9 - i), "run": 412, "run_url": "/page/run", "stage": stage, "kind": kind, "text": text, "detail": detail}
            for i, (stage, kind, text, detail) in enumerate(entries)
        ],
        "page": None,
    }  # fmt: skip


def stop() -> dict[str, Any]:
    return {
        "run": {"number": 412, "url": "/page/run"},
        "in_flight": 30,
        "waiting": 7,
        "waiting_totals": usd("9705.00"),
        "automatic": False,
    }
