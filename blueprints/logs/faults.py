"""Which Faults Error Logs show: search, filters, and groups by cause (what is to be mended, not its kind alone).

The page, its CSV and *Retry all* ask here, so that what is exported or tried again is what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from flask import Request
from sqlalchemy import ColumnElement, Select, Text, func, or_, select, type_coerce
from werkzeug.datastructures import MultiDict

from blueprints.context import company, db, now
from blueprints.queries import KINDS, of_kind
from domain.causes import KEY_MAX, cause_key, code_of
from domain.reasons import CATALOGUE, Reason
from domain.statuses import Status
from models import Document, RunItem

VIEWS = ("cause", "document", "resolved")
WAITS = {"": "Waiting however long", "1": "Waiting over a day", "7": "Over 7 days", "30": "Over 30 days"}
RESOLVED_DAYS = 30


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address (or the form of *Retry all*) asks for. Anything unknown is as if it were not there."""

    view: str = "cause"
    q: str = ""
    code: str = ""
    """The kind of fault: a code of the catalogue."""
    cause: str = ""
    """One cause: a key of `domain.causes`, or a code alone, which is every cause of that kind."""
    kind: str = ""
    """The kind of document: a key of `queries.KINDS`."""
    waits: str = ""
    """Found at least so many days ago."""

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.code or self.cause or self.kind or self.waits)

    def fields(self) -> dict[str, str]:
        """As parameters of an address or hidden fields of a form; empty ones are left out."""
        names = ("view", "q", "code", "cause", "kind", "waits")
        given = {name: str(getattr(self, name)) for name in names}
        return {name: value for name, value in given.items() if value}


@dataclass(slots=True)
class Group:
    """One cause: its key, the first reason that told it, and its documents, the oldest first."""

    key: str
    why: Reason | None
    code: str | None
    ids: list[int] = field(default_factory=list)
    amounts: list[tuple[str, Decimal]] = field(default_factory=list)


def asked(request: Request) -> Filter:
    """From the address, or from the form where something is to be done."""
    values: MultiDict[str, str] = request.form if request.method == "POST" else request.args
    view, waits, code, kind = (values.get(name, "") for name in ("view", "waits", "code", "kind"))
    return Filter(
        view=view if view in VIEWS else "cause",
        q=values.get("q", "").strip()[:200],
        code=code if code in CATALOGUE else "",
        cause=values.get("cause", "")[:KEY_MAX],
        kind=kind if kind in dict(KINDS) else "",
        waits=waits if waits in WAITS else "",
    )


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return Document.company_id == company().id, Document.status == Status.FAULT


def resolved() -> Select[Document]:
    """Posted or set aside within the last 30 days after having been a Fault in some run."""
    was_fault = select(RunItem.document_id).where(RunItem.company_id == company().id, RunItem.status == Status.FAULT)
    return select(Document).where(
        Document.company_id == company().id,
        Document.status.in_((Status.COMPLETE, Status.SKIPPED)),
        Document.changed_at > now() - timedelta(days=RESOLVED_DAYS),
        Document.id.in_(was_fault),
    )


def rows(wanted: Filter) -> Select[Document]:
    """Documents of this filter, the latest first."""
    whole = resolved() if wanted.view == "resolved" else select(Document).where(*_waiting())
    statement = whole.where(*_narrowed(wanted))
    if wanted.cause and wanted.view != "resolved":
        # One cause: its documents share a code, and their subject stands in the stored reason only.
        ids = [each for group in groups(wanted) for each in group.ids]
        statement = statement.where(Document.id.in_(ids))
    return statement.order_by(Document.document_date.desc(), Document.id.desc())


def groups(wanted: Filter) -> list[Group]:
    """Faults of this filter by cause, the largest first."""
    statement = (
        select(Document.id, Document.reason_code, Document.reasons, Document.currency, Document.total)
        .where(*_waiting(), *_narrowed(wanted))
        .order_by(Document.id)
    )
    found: dict[str, Group] = {}
    for document_id, code, reasons, currency, total in db().execute(statement):
        why = Reason.from_json(reasons[0]) if reasons and code in CATALOGUE else None
        key = cause_key(why) if why else code or ""
        if wanted.cause and wanted.cause not in (key, code):
            continue
        group = found.setdefault(key, Group(key, why, code))
        group.ids.append(document_id)
        group.amounts.append((currency or "USD", total))
    return sorted(found.values(), key=lambda group: (-len(group.ids), group.ids[0]))


def kinds() -> Iterable[str]:
    """Codes that Faults of the company have now."""
    statement = select(Document.reason_code).where(*_waiting()).distinct()
    return sorted(code for code in db().scalars(statement) if code in CATALOGUE)


def count_resolved() -> int:
    return db().execute(select(func.count()).select_from(resolved().subquery())).scalar_one()


def _narrowed(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.code:
        found.append(Document.reason_code == wanted.code)
    if wanted.cause and wanted.view != "resolved":
        found.append(Document.reason_code == code_of(wanted.cause))
    if wanted.kind:
        found.append(of_kind(wanted.kind))
    if wanted.waits:
        found.append(Document.seen_at <= now() - timedelta(days=int(wanted.waits)))
    if wanted.q:
        amount = _amount(wanted.q)
        words = [
            Document.number.icontains(wanted.q, autoescape=True),
            Document.party_name.icontains(wanted.q, autoescape=True),
            type_coerce(Document.reasons, Text).icontains(wanted.q, autoescape=True),
            Document.source_id == wanted.q,
        ]
        found.append(or_(*words, *([Document.total == amount] if amount is not None else [])))
    return found


def _amount(text: str) -> Decimal | None:
    """`1,234.50` or `USD 99` as an amount; None where it is none."""
    try:
        amount = Decimal(text.split()[-1].replace(",", ""))
    except (InvalidOperation, IndexError):
        return None
    fits = amount.is_finite() and abs(amount) < Decimal(10) ** 12 and amount == round(amount, 4)
    return amount if fits else None
