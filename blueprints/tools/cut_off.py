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
from sync.cut_off import Absence, CutOff
from sync.reports import safe

SHOWN = 200
"""Documents on the page; the CSV has all of them."""
COLUMNS = (
    "Not in the books because", "Status", "Number", "Kind", "Customer or vendor", "Date", "Amount", "Currency",
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
        "yes": found.yes, "sentence": _sentence(found, format_day(through)), "basis": _basis(found),
        "kind": "warn" if found.absent else "ok", "rows": [_row(*each) for each in found.absent[:SHOWN]],
        "more": max(0, len(found.absent) - SHOWN),
        "csv_url": url_for("tools.cut_off_csv", through=through.isoformat()) if found.absent else "",
    }  # fmt: skip


@blueprint.get("/c/<int:company_id>/tools/not-in-the-books.csv")
def cut_off_csv(company_id: int) -> ResponseReturnValue:
    """Every document that is dated to the day and not in the books. Without a day: back to the question."""
    through = day(request.args.get("through", ""))
    if through is None:
        return redirect(url_for("tools.reconcile"))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for why, row in cut_off.answer(db(), company_id, through).absent:
        shown = _row(why, row)
        writer.writerow((
            why, row.status, safe(shown["number"]), shown["kind"], safe(shown["customer"]),
            row.document_date.isoformat(), f"{row.total:.2f}", row.currency, row.reason_code or "",
            safe(shown["reason"]), row.source_id, row.ledger_id or "",
        ))  # fmt: skip
    name = f"bookbridge-not-in-the-books-{through}.csv"
    return csv_file(out.getvalue(), name, f"what is not in the books, {through}")


def _row(why: Absence, row: Document) -> dict[str, Any]:
    shown = document_row(row)
    # It is Complete by our account: without this the list would not say why it stands here.
    return {**shown, "reason": str(why)} if why is Absence.MISSING else shown


def _sentence(found: CutOff, through: str) -> str:
    """What a person keeps out is told as an exception; what waits or is missing makes it a no."""
    counted = [(found.count(why), str(why)) for why in (Absence.SET_ASIDE, Absence.HELD)]
    kept = " and ".join(f"{number:,} {words[0].lower()}{words[1:]}" for number, words in counted if number)
    if found.yes:
        begin = f"Yes, except {kept}: everything else" if kept else "Yes: everything"
        return f"{begin} dated to {through} that Bookbridge knows of is in the books."
    missing = found.count(Absence.MISSING)
    number = missing + found.count(Absence.WAITS)
    told = f"No: {number:,} {'document is' if number == 1 else 'documents are'} dated to {through} and not in the books"
    told += f", {missing:,} of them posted and missing in the ledger" if missing else ""
    return f"{told}; besides {kept}." if kept else f"{told}."


def _basis(found: CutOff) -> str:
    """How far the ledger itself was asked."""
    if found.compared_at is None:
        return "Both sides were not compared yet: this is Bookbridge's own account."
    return f"Both sides were compared last {format_moment(found.compared_at, company().time_zone)}."
