"""Whom to bill for invoices that name no company: one customer for all of them, or for one document.

The choice for all is a setting (a new version, admins); the one for a document is a link (staff). Either way the
documents that waited for it are tried again at once.
"""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from blueprints.access import Need, may
from blueprints.context import company, db, now, the_user, writing
from blueprints.home.actions import find
from blueprints.home.routes import blueprint
from blueprints.logs.retry import retry_run
from blueprints.problems import Problem
from blueprints.queries import sums
from blueprints.rows import number_of
from domain.statuses import Status
from models import Company, Document, MirrorEntry, User
from sync import audit, decisions, settings

SHOWN = 20
NAME_LENGTH = 100


@blueprint.get("/c/<int:company_id>/documents/<int:document_id>/no-company")
def no_company(company_id: int, document_id: int) -> ResponseReturnValue:
    return _named(document_id) or (_page(document_id), 200)


def _page(document_id: int, name: str = "", error: str = "") -> str:
    row, q = find(document_id), request.args.get("q", "").strip()
    waiting, totals = sums(db(), row.company_id, *_waiting())
    return render_template(
        "home/no_company.html",
        document={"id": row.id, "number": number_of(row), "url": url_for("home.document", document_id=row.id)},
        q=q,
        name=name,
        error=error,
        candidates=[_candidate(entry) for entry in _candidates(row.company_id, q)],
        waiting=waiting,
        totals=totals,
        chosen=_chosen(row.company_id),
        may_all=may(g.role, Need.ADMIN),
        all_url=url_for("home.no_company_all", document_id=row.id),
        one_url=url_for("home.no_company_one", document_id=row.id),
        here=url_for("home.no_company", document_id=row.id),
    )


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/no-company/all")
def no_company_all(company_id: int, document_id: int) -> ResponseReturnValue:
    """An existing customer, or the name of one to create, for every document without a company."""
    elsewhere = _named(document_id)
    if elsewhere is not None:
        return elsewhere
    chosen, name = request.form.get("customer", ""), request.form.get("name", "").strip()
    if chosen and _entry(db(), company_id, chosen) is None:
        raise Problem(400, "400")
    if not chosen and not 0 < len(name) <= NAME_LENGTH:
        return _page(document_id, name, f"Enter the name of the customer, at most {NAME_LENGTH} characters."), 422
    with writing() as write:
        user = write.get_one(User, the_user().id)
        settings.change(
            write, company_id, now=now(), user=user, no_company_customer=chosen or None,
            no_company_name=None if chosen else name,
        )  # fmt: skip
        detail = {"customer": chosen, "name": name}
        audit.record(write, company_id, now(), user.email, "customer for invoices without a company", "all", detail)
    ids = db().scalars(select(Document.id).where(Document.company_id == company_id, *_waiting())).all()
    return redirect(_tried_again(company_id, list(ids)))


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/no-company")
def no_company_one(company_id: int, document_id: int) -> ResponseReturnValue:
    """An existing customer for this document alone."""
    row, chosen = find(document_id), request.form.get("customer", "")
    elsewhere = _named(document_id)
    if elsewhere is not None:
        return elsewhere
    if _entry(db(), company_id, chosen) is None:
        raise Problem(400, "400")
    with writing() as write:
        user = write.get_one(User, the_user().id)
        decisions.bill_to(
            write, write.get_one(Company, company_id), write.get_one(Document, row.id), chosen, now=now(), user=user
        )
        audit.record(
            write, company_id, now(), user.email, "customer for an invoice without a company", number_of(row),
            {"customer": chosen},
        )  # fmt: skip
    return redirect(_tried_again(company_id, [row.id]))


def _tried_again(company_id: int, ids: list[int]) -> str:
    if ids:
        return retry_run(company_id, ids)
    flash("The choice is kept. It holds from the next such invoice on.", "ok")
    return url_for("logs.errors")


def _named(document_id: int) -> ResponseReturnValue | None:
    """A document that names its company has a page of its own for this question."""
    row = find(document_id)
    if not row.party_id:
        return None
    flash("This document names its company; nothing was changed.", "plain")
    return redirect(url_for("home.document", document_id=row.id))


def _waiting() -> tuple[Any, ...]:
    codes = ("no_customer", *decisions.CUSTOMER_CODES)
    return (Document.party_id.is_(None), Document.status == Status.FAULT, Document.reason_code.in_(codes))


def _candidates(company_id: int, q: str) -> list[MirrorEntry]:
    statement = select(MirrorEntry).where(
        MirrorEntry.company_id == company_id, MirrorEntry.kind == "customer", MirrorEntry.active.is_(True)
    )
    if q:
        statement = statement.where(MirrorEntry.name.icontains(q, autoescape=True))
    return list(db().scalars(statement.order_by(MirrorEntry.folded).limit(SHOWN)))


def _candidate(entry: MirrorEntry) -> dict[str, Any]:
    return {"id": entry.ledger_id, "name": entry.name, "currency": entry.details.get("currency") or company().currency}


def _chosen(company_id: int) -> str:
    """Who is billed for all of them now, in words; empty while nobody was chosen."""
    current = settings.load_invoices(db(), company_id)
    if current.no_company_customer:
        entry = _entry(db(), company_id, current.no_company_customer)
        return entry.name if entry else f"AccsID {current.no_company_customer}"
    return current.no_company_name or ""


def _entry(session: Session, company_id: int, ledger_id: str) -> MirrorEntry | None:
    return session.scalars(
        select(MirrorEntry).where(
            MirrorEntry.company_id == company_id,
            MirrorEntry.kind == "customer",
            MirrorEntry.ledger_id == ledger_id,
            MirrorEntry.active.is_(True),
        )
    ).one_or_none()
