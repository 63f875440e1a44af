"""The cut-off question of the reconciliation's page: its answer in words, its rows, and the same as a CSV."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.context import company, db
from blueprints.exports import csv_file
from blueprints.rows import document_row
from blueprints.tools.routes import blueprint
from domain.formats import format_day, format_moment
from models import Document
from sync import cut_off
from sync.cut_off import CutOff, Standing
from sync.reports import safe

SHOWN = 200
"""Documents on the page; the CSV has all of them."""
COLUMNS = (
    "How it stands", "Status", "Number", "Kind", "Customer or vendor", "Date", "Amount", "Currency",
    "StatusCode", "Reason", "Autotask ID", "Ledger ID",
)  # fmt: skip


def day(text: str) -> date | None:
    """A date as a form's field or a stored line spells it; None where it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def context(through: date) -> dict[str, Any]:
    """What the page shows of the answer (tools/reconcile.html)."""
    found = cut_off.answer(db(), company().id, through)
    return {
        "sentence": _sentence(found, format_day(through)), "basis": _basis(found),
        "kind": "warn" if found.told else "ok", "rows": [_row(*each) for each in found.told[:SHOWN]],
        "more": max(0, len(found.told) - SHOWN),
        "csv_url": url_for("tools.cut_off_csv", through=through.isoformat()) if found.told else "",
    }  # fmt: skip


@blueprint.get("/c/<int:company_id>/tools/not-in-the-books.csv")
def cut_off_csv(company_id: int) -> ResponseReturnValue:
    """Every document that is dated to the day and not in the books, or there and should not be. Without a day: back
    to the question."""
    through = day(request.args.get("through", ""))
    if through is None:
        return redirect(url_for("tools.reconcile"))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for standing, row in cut_off.answer(db(), company_id, through).told:
        shown = _row(standing, row)
        writer.writerow((
            standing, row.status, safe(shown["number"]), shown["kind"], safe(shown["customer"]),
            row.document_date.isoformat(), f"{row.total:.2f}", row.currency, row.reason_code or "",
            safe(shown["reason"]), row.source_id, row.ledger_id or "",
        ))  # fmt: skip
    name = f"bookbridge-not-in-the-books-{through}.csv"
    return csv_file(out.getvalue(), name, f"what is not in the books, {through}")


def _row(standing: Standing, row: Document) -> dict[str, Any]:
    shown = document_row(row)
    # By our account it is Complete: without this the list would not say why it stands here.
    told = shown["reason"]
    if standing in (Standing.MISSING, Standing.DRAFT):
        told = str(standing)
    elif standing is Standing.LATER and row.ledger_date is not None:
        told = f"Booked on {format_day(row.ledger_date)}, the first open day"
    return {**shown, "reason": told, "standing": str(standing)}


def _sentence(found: CutOff, through: str) -> str:
    """What is not in the books makes it a no, and a person's decision an exception. What is there and should not be
    is told behind either."""
    kept = _counted(found, Standing.SET_ASIDE, Standing.HELD)
    if not found.absent:
        begin = f"Yes, except {kept}: everything else" if kept else "Yes: everything"
        told = f"{begin} dated to {through} that Bookbridge knows of is in the books."
    else:
        number = found.absent
        told = f"No: {number:,} {_are(number)} dated to {through} and not in the books"
        missing, drafts = found.count(Standing.MISSING), found.count(Standing.DRAFT)
        told += f", {missing:,} of them posted and missing in the ledger" if missing else ""
        told += f", {drafts:,} of them in the ledger as a draft that nobody approved" if drafts else ""
        told += f"; besides {kept}." if kept else "."
    undue, later = found.count(Standing.UNDUE), found.count(Standing.LATER)
    if undue:
        told += f" {undue:,} {_are(undue)} in the books and should not be: voided or cancelled in Autotask."
    return told + (f" {later:,} {_are(later)} in the books on a later day." if later else "")


def _are(number: int) -> str:
    return "document is" if number == 1 else "documents are"


def _counted(found: CutOff, *standings: Standing) -> str:
    """"2 set aside by a person and 1 held by a person"; empty without any."""
    counted = [(found.count(each), str(each)) for each in standings]
    return " and ".join(f"{number:,} {words[0].lower()}{words[1:]}" for number, words in counted if number)


def _basis(found: CutOff) -> str:
    """How far Autotask and the ledger themselves were asked."""
    mine = company()
    at = mine.last_checked_at
    read = f" Autotask was read last {format_moment(at, mine.time_zone)}." if at is not None else ""
    if found.compared_at is None:
        return f"Both sides were not compared yet: this is Bookbridge's own account.{read}"
    return f"Both sides were compared last {format_moment(found.compared_at, mine.time_zone)}.{read}"
