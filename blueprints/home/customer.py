"""Which ledger customer (of an order: vendor) is this Autotask company? Link This, or Create New. The choice is kept.

Names that are only similar are never linked by themselves: a wrong merge of two customers cannot be undone.
"""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from blueprints.chosen import find
from blueprints.context import company, db, now, the_user, writing
from blueprints.home.routes import blueprint
from blueprints.logs.retry import retry_run
from blueprints.problems import Problem
from blueprints.queries import sums
from blueprints.rows import number_of
from domain.matching import fold, loose
from domain.order_documents import ORDER
from domain.statuses import Status
from models import Company, Document, Link, MirrorEntry, PartyEntry, User
from sync import audit, decisions

SHOWN = 20
NEW = "new"
VENDOR = "vendor"


def kind_of(row: Document) -> str:
    """The ledger's list in which the document's Autotask company stands."""
    return VENDOR if row.kind == ORDER else "customer"


@blueprint.get("/c/<int:company_id>/documents/<int:document_id>/customer")
def customer(company_id: int, document_id: int) -> ResponseReturnValue:
    row, name = _party(document_id)
    kind = kind_of(row)
    q = request.args.get("q", "").strip()
    waiting, totals = sums(
        db(),
        company_id,
        Document.party_id == row.party_id,
        Document.status == Status.FAULT,
        Document.reason_code.in_(decisions.VENDOR_CODES if kind == VENDOR else decisions.CUSTOMER_CODES),
    )
    return render_template(
        "home/customer.html",
        name=name,
        what=kind,
        q=q,
        document={"id": row.id, "number": number_of(row), "url": url_for("home.document", document_id=row.id)},
        candidates=[_candidate(entry) for entry in _candidates(company_id, kind, name, q)],
        exact=_has_exact(company_id, kind, name) and not _in_another_currency(row),
        created_as=f"{name} ({row.currency})" if _in_another_currency(row) else name,
        linked=_linked(company_id, kind, row.party_id or ""),
        waiting=waiting,
        totals=totals,
        action=url_for("home.choose_customer", document_id=row.id),
        here=url_for("home.customer", document_id=row.id),
    )


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/customer")
def choose_customer(company_id: int, document_id: int) -> ResponseReturnValue:
    """Keep the choice and try the documents that waited for it again."""
    row, name = _party(document_id)
    chosen, kind = request.form.get("customer", ""), kind_of(row)
    if chosen != NEW and _entry(db(), company_id, kind, chosen) is None:
        raise Problem(400, "400")
    with writing() as write:
        user = write.get_one(User, the_user().id)
        found = decisions.link_customer(
            write,
            write.get_one(Company, company_id),
            row.party_id or "",
            name,
            None if chosen == NEW else chosen,
            now=now(),
            user=user,
            kind=kind,
        )
        ids = [document.id for document in found]
        audit.record(write, company_id, now(), user.email, f"{kind} linked", name[:200], {kind: chosen})
    if not ids:
        flash("The choice is kept. It holds from the next document of this company on.", "ok")
        return redirect(url_for("home.document", document_id=row.id))
    return redirect(retry_run(company_id, ids))


def _party(document_id: int) -> tuple[Document, str]:
    """The document and the name of its Autotask company; 404 where it names none."""
    row = find(document_id)
    if not row.party_id:
        raise Problem(404, "404")
    entry = (
        db()
        .scalars(
            select(PartyEntry).where(PartyEntry.company_id == row.company_id, PartyEntry.source_id == row.party_id)
        )
        .one_or_none()
    )
    return row, entry.name if entry else row.party_name


def _candidates(company_id: int, kind: str, name: str, q: str) -> list[MirrorEntry]:
    """Similar names first; with a search, what contains its words."""
    statement = select(MirrorEntry).where(
        MirrorEntry.company_id == company_id, MirrorEntry.kind == kind, MirrorEntry.active.is_(True)
    )
    if q:
        statement = statement.where(MirrorEntry.name.icontains(q, autoescape=True))
    else:
        statement = statement.where(or_(MirrorEntry.folded == fold(name), MirrorEntry.loose == loose(name)))
    return list(db().scalars(statement.order_by(MirrorEntry.folded).limit(SHOWN)))


def _candidate(entry: MirrorEntry) -> dict[str, Any]:
    details = entry.details or {}
    return {
        "id": entry.ledger_id,
        "name": entry.name,
        "email": details.get("email") or "",
        "currency": details.get("currency") or company().currency,
    }


def _in_another_currency(row: Document) -> bool:
    """Its customer is kept in another currency for life, so a new one is named with the currency."""
    return row.reason_code == "customer_currency" and row.currency != company().currency


def _has_exact(company_id: int, kind: str, name: str) -> bool:
    """A record of exactly this name exists, so a second one cannot be created under it."""
    statement = select(MirrorEntry.id).where(
        MirrorEntry.company_id == company_id,
        MirrorEntry.kind == kind,
        MirrorEntry.folded == fold(name),
    )
    return db().execute(statement.limit(1)).first() is not None


def _linked(company_id: int, kind: str, party_id: str) -> str:
    """What was decided before, in words; empty when nothing was."""
    link = (
        db()
        .scalars(
            select(Link).where(Link.company_id == company_id, Link.kind == kind, Link.source_key == party_id)
        )
        .one_or_none()
    )
    if link is None:
        return ""
    entry = _entry(db(), company_id, kind, link.ledger_id)
    return entry.name if entry else f"a new {kind}" if link.ledger_id == NEW else f"AccsID {link.ledger_id}"


def _entry(session: Session, company_id: int, kind: str, ledger_id: str) -> MirrorEntry | None:
    return session.scalars(
        select(MirrorEntry).where(
            MirrorEntry.company_id == company_id,
            MirrorEntry.kind == kind,
            MirrorEntry.ledger_id == ledger_id,
        )
    ).one_or_none()
