"""The page of one diagnosis: causes ranked, findings by subject, and which invoice was meant where several fit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from flask import g, url_for

from blueprints.access import Need, may
from blueprints.causes import actions_for, problem
from blueprints.context import company, db
from blueprints.shell import ledger_names
from domain.reasons import Reason
from models import Document, Run
from sync.diagnosis import WORDS, Asked, causes_of
from sync.tool_report import rows_of


def context(run: Run) -> dict[str, Any]:
    summary, asked = run.summary or {}, Asked.of(run)
    short = ledger_names(company())[1]
    row = db().get(Document, summary.get("document_id") or 0)
    document = row if row is not None and row.company_id == run.company_id else None
    staff = may(g.role, Need.STAFF)
    found = [{**each.data, "kind": each.outcome, "word": WORDS[each.outcome]} for each in rows_of(db(), run)]
    order = list(dict.fromkeys(each["area"] for each in found))
    found.sort(key=lambda each: order.index(each["area"]))
    return {
        "looked_at": f"invoice {asked.wanted}" if asked.wanted else "the company",
        "causes": [_cause(why, document, short, staff) for why in causes_of(run)],
        "areas": [{"title": area, "rows": list(rows)} for area, rows in groupby(found, key=lambda each: each["area"])],
        "hits": [
            {**hit, "day": date.fromisoformat(hit["day"]), "total": Decimal(hit["total"])}
            for hit in summary.get("hits") or ()
        ],
        "wanted": asked.wanted,
        "staff": staff,
        "document_url": url_for("home.document", document_id=document.id) if document is not None else "",
        "trace_url": url_for("home.trace", document_id=document.id) if document is not None and staff else "",
        "bundle_url": url_for("tools.result_bundle", run_id=run.id) if staff and run.finished_at is not None else "",
        "again_url": url_for("tools.troubleshoot", invoice=asked.wanted or None),
    }  # fmt: skip


def _cause(why: Reason, document: Document | None, short: str, staff: bool) -> dict[str, Any]:
    actions = actions_for(why, document.id, staff=staff, group=True) if document is not None else ()
    return {"title": why.entry.title, **problem(why, short, actions)}
