"""The page of a batch preview: sums first, then its documents, each compared with what would be sent now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from flask import g, request, url_for
from sqlalchemy import case, func, select

from blueprints.access import Need, may
from blueprints.context import company, db, services
from blueprints.queries import address, paged
from blueprints.shell import ledger_names
from connectors.errors import PlatformError
from domain import changes
from domain.reasons import Reason
from domain.stages import Outcome
from domain.statuses import Status
from models import Document, Run, ToolRow
from sync import release
from sync.reading import plans_for
from sync.settings import load_invoices
from sync.tool_report import OUTCOMES, reasons_of


def preview_context(run: Run) -> dict[str, Any]:
    """What tools/_preview_result.html asks for."""
    counts = {
        row[0]: row[1]
        for row in db().execute(
            select(ToolRow.outcome, func.count()).where(ToolRow.run_id == run.id).group_by(ToolRow.outcome)
        )
    }
    tab = request.args.get("tab", "") if request.args.get("tab") in set(Outcome) else ""
    order = case({str(each): place for place, each in enumerate(OUTCOMES)}, value=ToolRow.outcome)
    statement = select(ToolRow).where(ToolRow.run_id == run.id).order_by(order, ToolRow.id)
    listed = paged(db(), statement.where(ToolRow.outcome == tab) if tab else statement, 50)
    changed = _changed(run.company_id, listed.rows)
    ready = counts.get(str(Outcome.READY), 0)
    return {
        "tabs": [_tab(key, label, counts, tab) for key, label in [("", "All"), *OUTCOMES.items()]],
        "count": sum(counts.values()),
        "ready": ready,
        "sums": [_sums(currency, each) for currency, each in ((run.summary or {}).get("totals") or {}).items()],
        "rows": [_row(row, changed) for row in listed.rows],
        "page": listed.pager,
        "may_act": may(g.role, Need.STAFF),
        "may_post": may(g.role, Need.STAFF) and company().first_posted_at is not None,
        "release_fields": {"all": "yes", "preview": str(run.id)},
        "again_url": url_for("home.review"),
    }


def _tab(key: str, label: str, counts: Mapping[str, int], current: str) -> dict[str, Any]:
    count = counts.get(str(key), 0) if key else sum(counts.values())
    return {
        "label": label, "count": count, "current": str(key) == current, "href": address(tab=str(key), page=""),
        "bad": key == Outcome.STOPPED,
    }  # fmt: skip


def _sums(currency: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    accounts = [(name, Decimal(amount)) for name, amount in kept["accounts"]]
    return {
        "currency": currency,
        "count": kept["count"],
        "total": Decimal(kept["total"]),
        "tax": Decimal(kept["tax"]),
        "accounts": [(name, amount if amount > 0 else None, -amount if amount < 0 else None)
                     for name, amount in accounts if amount],
        "debit": sum((amount for _, amount in accounts if amount > 0), Decimal(0)),
        "credit": -sum((amount for _, amount in accounts if amount < 0), Decimal(0)),
        "codes": [(name, count, Decimal(amount)) for name, count, amount in kept["codes"]],
        "customers": [(name, count, Decimal(amount)) for name, count, amount in kept["customers"][:200]],
    }  # fmt: skip


def _row(row: ToolRow, changed: Mapping[int, str]) -> dict[str, Any]:
    data = row.data
    _long, short = ledger_names(company())
    reasons = [Reason.from_json(value).sentence(short) for value in data["reasons"]]
    return {
        "id": data["document_id"],
        "number": data["number"],
        "url": url_for("home.document", document_id=data["document_id"]),
        "customer": data["customer"] or "(no customer)",
        "day": date.fromisoformat(data["day"]),
        "amount": Decimal(data["amount"]),
        "currency": data["currency"],
        "ready": row.outcome == Outcome.READY,
        "outcome": OUTCOMES[Outcome(row.outcome)],
        "reasons": reasons,
        "notes": reasons_of(row, short)[len(reasons) :],
        "changed": changed.get(int(data["document_id"]), ""),
    }


def _changed(company_id: int, rows: Sequence[ToolRow]) -> dict[int, str]:
    """Document id → what is not as this preview showed it, for the rows of one page."""
    seen = {int(row.data["document_id"]): row.data["seen"] for row in rows if row.data.get("seen")}
    if not seen:
        return {}
    try:
        capabilities = services().ledger(company_id).capabilities
    except PlatformError:
        return {}
    with services().sessions() as own:
        own.connection(execution_options={"read_only": True})
        with own.no_autoflush:  # planning touches the rows it reads; nothing of it is kept
            found = own.scalars(select(Document).where(
                Document.company_id == company_id, Document.id.in_(seen)).order_by(Document.id)).all()  # fmt: skip
            told = {row.id: f"It is {row.status} now." for row in found if row.status != Status.PENDING}
            open_rows = [row for row in found if row.status == Status.PENDING and row.lines is not None]
            plans = plans_for(own, company_id, open_rows, capabilities, load_invoices(own, company_id))
            for row, planned in zip(open_rows, plans, strict=True):
                now_seen = release.looked_at(planned)
                if now_seen is None:
                    told[row.id] = "It cannot be posted any more."
                elif now_seen["digest"] != seen[row.id]["digest"]:
                    what = changes.sentence(changes.differences(seen[row.id]["face"], now_seen["face"]))
                    told[row.id] = f"{what[:1].upper()}{what[1:]}." if what else "A text differs."
    return told
