"""The list of documents: search, filters, sorting, pages and export, all of it in the address."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Select, Text, and_, func, or_, select, type_coerce

from blueprints.access import Need, may
from blueprints.context import company, db, now
from blueprints.exports import csv_file
from blueprints.home.routes import blueprint
from blueprints.queries import KINDS, address, before_start, of_kind, paged, sums
from blueprints.rows import document_row
from domain.statuses import Flag, Status
from models import Document
from sync import settings
from sync.reports import safe

OPEN = (Status.PENDING, Status.PROCESSING, Status.FAULT)
TABS: dict[str, tuple[str, tuple[Status, ...]]] = {
    "open": ("Unfinished", OPEN),
    "fault": ("Faults", (Status.FAULT,)),
    "complete": ("Complete", (Status.COMPLETE,)),
    "skipped": ("Skipped Over", (Status.SKIPPED,)),
    "outside": ("Outside", ()),
    "all": ("All", tuple(Status)),
}
DATES = [("", "Any date"), ("7", "Last 7 days"), ("30", "Last 30 days"), ("90", "Last 90 days")]
SORTS = {
    "status": Document.status,
    "number": Document.number,
    "customer": Document.party_name,
    "day": Document.document_date,
    "due": Document.document_date,
    "amount": Document.total,
    "waits": Document.seen_at,
}
EXPORT_MAX = 50_000


@blueprint.get("/c/<int:company_id>/documents")
def documents(company_id: int) -> ResponseReturnValue:
    chosen = _chosen()
    where = _where(chosen)
    listed = paged(db(), _sorted(select(Document).where(*where), chosen["sort"]), 50)
    _count, totals = sums(db(), company_id, *where[1:])
    everything = (
        db().execute(select(func.count()).select_from(Document).where(Document.company_id == company_id)).scalar_one()
    )
    return render_template(
        "home/documents.html",
        since=_since(company_id),
        tabs=[_tab(key, chosen["tab"]) for key in TABS],
        q=chosen["q"],
        filters=_filters(chosen),
        sort=chosen["sort"],
        rows=[document_row(row) for row in listed.rows],
        totals=totals,
        one_currency=totals[0][0] if len(totals) == 1 else "",
        page=_page(listed),
        outside=_outside(chosen),
        csv_url=address(page="").replace("/documents", "/documents.csv", 1),
        may_act=may(g.role, Need.STAFF),
        may_sync=may(g.role, Need.STAFF) and company().first_posted_at is not None,
        total=everything,
    )


@blueprint.get("/c/<int:company_id>/documents.csv")
def documents_csv(company_id: int) -> ResponseReturnValue:
    """Exactly the filtered rows, in the list's columns."""
    chosen = _chosen()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        (
            "Status",
            "Number",
            "Kind",
            "Customer",
            "Invoice date",
            "Amount",
            "Currency",
            "StatusCode",
            "Reason",
            "Autotask ID",
            "Ledger ID",
            "Ledger number",
        )
    )
    for row in db().scalars(_sorted(select(Document).where(*_where(chosen)), chosen["sort"]).limit(EXPORT_MAX)):
        shown = document_row(row)
        writer.writerow(
            [
                row.status,
                safe(shown["number"]),
                shown["kind"],
                safe(shown["customer"]),
                row.document_date.isoformat(),
                f"{row.total:.2f}",
                row.currency,
                row.reason_code or "",
                safe(shown["reason"]),
                row.source_id,
                row.ledger_id or "",
                safe(row.ledger_number or ""),
            ]
        )
    return csv_file(out.getvalue(), "bookbridge-documents.csv", "documents")


def _chosen() -> dict[str, str]:
    names = ("tab", "q", "status", "kind", "found", "flag", "sort")
    args = {name: request.args.get(name, "").strip() for name in names}
    args["tab"] = args["tab"] if args["tab"] in TABS else "open"
    args["status"] = args["status"] if args["status"] in list(Status) else ""
    args["kind"] = args["kind"] if args["kind"] in dict(KINDS) else ""
    args["flag"] = args["flag"] if args["flag"] in Flag.__members__ else ""
    args["found"] = args["found"] if args["found"] in dict(DATES) else ""
    args["sort"] = args["sort"] if args["sort"].removeprefix("-") in SORTS else "-day"
    return args


def _where(chosen: dict[str, str]) -> list[ColumnElement[bool]]:
    """Conditions of the filter; the first one is always the company."""
    where: list[ColumnElement[bool]] = [Document.company_id == company().id, *_of_tab(chosen["tab"])]
    if chosen["status"]:
        where.append(Document.status == chosen["status"])
    if chosen["kind"]:
        where.append(of_kind(chosen["kind"]))
    if chosen["found"]:
        where.append(Document.document_date >= now().date() - timedelta(days=int(chosen["found"])))
    if chosen["flag"]:
        where.append(type_coerce(Document.flags, Text).like(f'%"{Flag[chosen["flag"]]}"%'))
    if chosen["q"]:
        where.append(_matches(chosen["q"]))
    return where


def _of_tab(tab: str) -> list[ColumnElement[bool]]:
    if tab == "outside":
        return [Document.before_start.is_(True)]
    if tab in ("open", "fault"):
        return [Document.status.in_(TABS[tab][1]), Document.before_start.is_(False)]
    return [Document.status.in_(TABS[tab][1])]


def _matches(q: str) -> ColumnElement[bool]:
    """One box for number, ledger number, customer, amount and date."""
    found: list[ColumnElement[bool]] = [
        Document.number.icontains(q, autoescape=True),
        Document.party_name.icontains(q, autoescape=True),
        Document.ledger_number.icontains(q, autoescape=True),
        Document.source_id == q,
    ]
    amount = _amount(q)
    if amount is not None:
        found += [Document.total == amount, Document.total == -amount]
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", q):
        try:
            found.append(Document.document_date == date.fromisoformat(q))
        except ValueError:
            return or_(*found)
    return or_(*found)


def _amount(q: str) -> Decimal | None:
    try:
        value = Decimal(q.replace(",", "").replace("\N{MINUS SIGN}", "-"))
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    return value if isinstance(exponent, int) and exponent >= -4 and abs(value) < 10**12 else None


def _sorted(statement: Select[Document], sort: str) -> Select[Document]:
    column = SORTS[sort.removeprefix("-")]
    return statement.order_by(column.desc() if sort.startswith("-") else column, Document.id.desc())


def _tab(key: str, current: str) -> dict[str, Any]:
    count = (
        db()
        .execute(
            select(func.count()).select_from(Document).where(and_(Document.company_id == company().id, *_of_tab(key)))
        )
        .scalar_one()
    )
    return {
        "label": TABS[key][0],
        "count": count,
        "current": key == current,
        "bad": key == "fault",
        "href": address(tab=key, page="", status="", kind="", flag="", found=""),
    }


def _filters(chosen: dict[str, str]) -> dict[str, Any]:
    return {
        **{name: chosen[name] for name in ("tab", "status", "kind", "found", "flag")},
        "kinds": KINDS,
        "dates": DATES,
        "statuses": [("", "Any status"), *((str(each), str(each)) for each in Status)],
        "flags": [("", "Any flag"), *((each.name, str(each)) for each in Flag)],
    }


def _page(listed: Any) -> dict[str, Any] | None:
    """The list always shows its pager once there is a row, because the export stands beside it."""
    if listed.pager is not None or not listed.rows:
        return listed.pager
    return {"first": 1, "last": len(listed.rows), "total": listed.total, "previous": None, "next": None}


def _outside(chosen: dict[str, str]) -> dict[str, Any] | None:
    count, totals = before_start(db(), company().id)
    if not count or chosen["tab"] == "outside":
        return None
    return {"count": count, "totals": totals, "url": url_for("home.documents", tab="outside")}


def _since(company_id: int) -> date | None:
    found = db().execute(select(func.min(Document.document_date)).where(Document.company_id == company_id)).scalar_one()
    return found or settings.load_invoices(db(), company_id).start_date
