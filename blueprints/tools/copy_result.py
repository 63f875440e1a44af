"""The page of one Manually Copy: what became of it, the invoice in report form, and what a person can decide."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask import g, url_for

from blueprints.access import Need, may
from blueprints.causes import problem
from blueprints.context import company, db
from blueprints.doors import ledger_page
from blueprints.papers import held_paper, source_paper
from blueprints.shell import ledger_names
from domain.documents import SourceDocument
from domain.held import Held
from domain.reasons import CATALOGUE, Reason
from models import Document, Run, ToolRow
from sync import codec, copy_report
from sync.copy_outcome import GOOD, Outcome, outcome_of
from sync.tool_report import rows_of

WRITTEN = {"source": "in Autotask", "ledger": "in {the_ledger}", "both": "on both sides"}


def context(run: Run) -> dict[str, Any]:
    summary = run.summary or {}
    outcome = outcome_of(run)
    short = ledger_names(company())[1]
    invoice = summary.get("invoice") or {}
    decided = outcome in (Outcome.FOREIGN, Outcome.COMPARE, Outcome.CHANGED)
    return {
        "headline": copy_report.headline(run, short),
        "meaning": copy_report.meaning(run, short),
        "outcome": str(outcome or ""),
        "kind": "ok" if outcome in GOOD else "plain" if outcome in (Outcome.COMPARE, Outcome.CHOOSE) else "warn",
        "staff": may(g.role, Need.STAFF),
        "details": copy_report.details(invoice),
        "currency": invoice.get("currency", "USD"),
        "lines": [_line(row) for row in rows_of(db(), run)],
        "reasons": [
            problem(Reason.from_json(value), short)
            for value in summary.get("reasons") or () if value["code"] in CATALOGUE
        ],
        "hits": [_hit(hit) for hit in summary.get("hits") or ()],
        "problems": summary.get("problems") or [],
        "obstacles": summary.get("obstacles") or [],
        "facts": summary.get("facts") or [],
        "gone": summary.get("gone", ""),
        "anew": summary.get("anew", ""),
        "anew_obstacles": summary.get("anew_obstacles") or [],
        "changes": [_change(change, short) for change in summary.get("changes") or ()],
        **(_papers(summary, short) if decided else {"ours": None, "theirs": None, "differs": []}),
        **_links(run, invoice, summary.get("held") or {}),
        "decide_url": url_for("tools.decide_copy", run_id=run.id),
        "again_url": url_for("tools.manual_copy", invoice=invoice.get("source_id") or None),
    }  # fmt: skip


def _line(row: ToolRow) -> dict[str, Any]:
    return {**row.data, "amount": Decimal(row.data["amount"])}


def _hit(hit: dict[str, Any]) -> dict[str, Any]:
    return {
        "source_id": hit["source_id"], "number": hit["number"] or "no number", "customer": hit["customer"],
        "day": date.fromisoformat(hit["date"]), "total": Decimal(hit["total"]), "currency": hit["currency"],
        "voided": hit.get("voided", False),
    }  # fmt: skip


def _change(change: dict[str, Any], short: str) -> dict[str, Any]:
    where = WRITTEN[change["by"]].format(the_ledger=short)
    return {key: change[key] or "–" for key in ("label", "ours", "source", "ledger")} | {"where": where}


def _papers(summary: dict[str, Any], short: str) -> dict[str, Any]:
    """Both originals side by side, with what differs marked."""
    if not summary.get("held") or not summary.get("source"):
        return {"ours": None, "theirs": None, "differs": []}
    invoice = summary["invoice"]
    source, held = codec.load(SourceDocument, summary["source"]), codec.load(Held, summary["held"])
    ours = source_paper(source, None, invoice["currency"], "Autotask") | {"party": invoice["customer"] or "–"}
    theirs = held_paper(held, short)
    sign = -1 if source.header.total < 0 else 1
    pairs = {
        "day": (ours["day"], theirs["day"]), "due": (ours["due"], theirs["due"]),
        "party": (ours["party"], theirs["party"]), "tax": (ours["tax"] * sign, theirs["tax"]),
        "total": (ours["total"] * sign, theirs["total"]),
    }  # fmt: skip
    return {"ours": ours, "theirs": theirs, "differs": [key for key, (one, other) in pairs.items() if one != other]}


def _links(run: Run, invoice: dict[str, Any], held: dict[str, Any]) -> dict[str, Any]:
    """The document's page and both sides, as far as there are any."""
    document_id = invoice.get("document_id")
    row = db().get(Document, document_id) if document_id else None
    mine = row is not None and row.company_id == run.company_id
    ledger = ""
    if mine and row is not None and row.ledger_id:
        ledger = url_for("home.open_in", document_id=row.id, side="ledger")
    elif held:
        ledger = ledger_page(company(), held["kind"], held["ledger_id"])
    return {
        "document_url": url_for("home.document", document_id=document_id) if mine else "",
        "source_url": url_for("home.open_in", document_id=document_id, side="source") if mine else "",
        "ledger_url": ledger,
    }
