"""Diagnostic Mode: a full, masked trace of one document until a person switches it off.

Kept are: requests and answers of both platforms as far as they concern the document, what each plan was given and
what it decided, and each change of its status. Bounded in size and days; the oldest goes first. Exchanges come from
a `Tape` that the workers hand to the connectors of a company that has such a document; other companies keep nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from connectors.registry import side_of
from connectors.trace import Exchange, Tape
from domain.plan import Plan, marker
from domain.reasons import Reason
from domain.statuses import Flag
from models import Company, Document, Posting, TraceEntry
from sync import codec, masking, words

DAYS = timedelta(days=30)
MOST_CHARACTERS = 1_000_000
"""Of one document; about twenty posts and their look-ups."""
MOST_DOCUMENTS = 5
"""In Diagnostic Mode at once, per company."""
_IDS = ("id", "invoiceid", "txnid")


def traced(db: Session, company_id: int) -> Sequence[Document]:
    return db.scalars(
        select(Document).where(Document.company_id == company_id, Document.traced_since.is_not(None))
    ).all()


def switch(db: Session, row: Document, on: bool, now: datetime) -> bool:
    """Switch Diagnostic Mode. False: it stands so already, or too many documents are in it. What was kept stays."""
    if on == (row.traced_since is not None):
        return False
    if on and len(traced(db, row.company_id)) >= MOST_DOCUMENTS:
        return False
    row.traced_since = now if on else None
    flags = [each for each in row.flags or [] if each != Flag.DIAGNOSTIC]
    row.flags = [*flags, str(Flag.DIAGNOSTIC)] if on else flags
    return True


def note(
    db: Session, row: Document, now: datetime, what: str, title: str, data: Any, secrets: Collection[str] = ()
) -> None:
    """Keep one entry of a document in Diagnostic Mode; nothing of any other. In the caller's transaction."""
    if row.traced_since is None:
        return
    kept = masking.mask(data, secrets)
    size = len(json.dumps(kept, ensure_ascii=False))
    db.add(TraceEntry(
        company_id=row.company_id, document_id=row.id, at=now, what=what,
        title=str(masking.mask(words.fill(db, row.company_id, title), secrets))[:300], data=kept, size=size,
    ))
    _bound(db, row.id, now)


def _bound(db: Session, document_id: int, now: datetime) -> None:
    db.flush()
    db.execute(delete(TraceEntry).where(TraceEntry.document_id == document_id, TraceEntry.at < now - DAYS))
    sizes = db.execute(
        select(TraceEntry.id, TraceEntry.size).where(TraceEntry.document_id == document_id)
        .order_by(TraceEntry.id.desc())
    ).all()
    total = 0
    for entry_id, size in sizes:
        total += size
        if total > MOST_CHARACTERS:
            db.execute(delete(TraceEntry).where(TraceEntry.document_id == document_id, TraceEntry.id <= entry_id))
            return


def purge(db: Session, now: datetime) -> int:
    """Drop what is older than 30 days, whatever became of its document. Returns how many entries went."""
    old = db.execute(select(func.count()).select_from(TraceEntry).where(TraceEntry.at < now - DAYS)).scalar_one()
    if old:
        db.execute(delete(TraceEntry).where(TraceEntry.at < now - DAYS))
    return old


def planned(db: Session, rows: Iterable[Document], plans: Iterable[Plan], now: datetime) -> None:
    """What each plan of a traced document was given and what it decided."""
    for row, plan in zip(rows, plans, strict=True):
        if row.traced_since is None:
            continue
        told = {
            "header": row.header, "lines": json.loads(row.lines) if row.lines else None,
            "draft": codec.dump(plan.draft) if plan.draft is not None else None,
            "reasons": [why.to_json() for why in plan.reasons],
        }
        title = "; ".join(why.sentence() for why in plan.reasons) or "It can be posted"
        note(db, row, now, "plan", f"Planned: {title}", told)


def changed(db: Session, row: Document, status: str, reasons: Sequence[Reason], now: datetime) -> None:
    """A change of status of a traced document."""
    if row.traced_since is not None:
        why = reasons[0].sentence() if reasons else ""
        note(db, row, now, "state", f"{status}{': ' if why else ''}{why}", {
            "before": row.status, "after": status, "reasons": [each.to_json() for each in reasons],
        })


def told(db: Session, company_id: int, document_id: int) -> list[dict[str, Any]]:
    """Everything kept of one document, the oldest first."""
    rows = db.scalars(
        select(TraceEntry).where(TraceEntry.company_id == company_id, TraceEntry.document_id == document_id)
        .order_by(TraceEntry.at, TraceEntry.id)
    )
    return [{"at": one.at.isoformat(), "what": one.what, "title": one.title, "data": one.data} for one in rows]


# ---- exchanges ----------------------------------------------------------------------------------------------


def keep(db: Session, company_id: int, tape: Tape, secrets: Collection[str], now: datetime) -> int:
    """Store the tape's exchanges under the traced documents they concern. Returns how many entries were kept."""
    kept = 0
    for row in traced(db, company_id):
        meant = {side: _meant(db, row, side) for side in ("source", "ledger")}
        for at, exchange in tape.entries:
            found = concerning(exchange, meant[side_of(exchange.platform)])
            if found is not None:
                path = exchange.url.partition("://")[2].partition("/")[2]
                answer = exchange.status if exchange.status is not None else exchange.error
                title = f"{exchange.platform}: {exchange.method} /{path} ({answer})"
                note(db, row, at, "request", title, found, secrets)
                kept += 1
        if tape.left_out:
            note(db, row, now, "request", f"{tape.left_out} exchanges were left out: the job was too large", {})
    return kept


@dataclass(frozen=True, slots=True)
class Meant:
    """How one side mentions a document: its ids there, its number, our marker, and our member of each batch."""

    ids: frozenset[str]
    numbers: frozenset[str]
    marker: str
    members: Mapping[str, str]

    def names(self, key: str, value: Any) -> bool:
        text, key = str(value), key.casefold()
        if self.marker and self.marker in text:
            return True
        return (key in _IDS and text in self.ids) or (text in self.numbers and "number" in key)


def _meant(db: Session, row: Document, side: str) -> Meant:
    company = db.get_one(Company, row.company_id)
    mark = marker(str(company.id), company.ledger_tenant, row.source_tenant, row.kind, row.source_id)
    postings = db.scalars(select(Posting).where(Posting.document_id == row.id)).all()
    ids = {row.source_id} if side == "source" else {row.ledger_id, *(one.ledger_id for one in postings)}
    return Meant(
        frozenset(each for each in ids if each),
        frozenset(each for each in (row.number, row.ledger_number) if each), mark,
        {one.batch_key: one.short_id for one in postings if one.batch_key and one.short_id},
    )


def concerning(exchange: Exchange, meant: Meant) -> dict[str, Any] | None:
    """The part of an exchange that concerns the document; None when nothing of it does. Lists keep only its members."""
    key = next((key for key in meant.members if key in exchange.url or key in map(str, exchange.params.values())), "")
    asked = _part(_json(exchange.asked), meant, meant.members.get(key))
    answered = _part(_json(exchange.answered), meant, meant.members.get(key))
    path = exchange.url.partition("?")[0].rstrip("/").split("/")
    by_path = bool(path) and path[-1] in meant.ids
    if asked is None and answered is None and not by_path:
        return None
    return {
        "url": exchange.url, "params": dict(exchange.params), "status": exchange.status, "error": exchange.error,
        "seconds": round(exchange.seconds, 3), "asked": asked if asked is not None else _json(exchange.asked),
        "answered": answered if answered is not None else (_json(exchange.answered) if by_path else "(not about it)"),
    }


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            return f"({len(value):,} bytes that are no text)"
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _part(value: Any, meant: Meant, member: str | None) -> Any:
    """The value without list members that are about something else; None when nothing in it is about the document."""
    if isinstance(value, Mapping):
        return _part_of_object(value, meant, member)
    if isinstance(value, list):
        parts = [part for part in (_part(each, meant, member) for each in value) if part is not None]
        left = len(value) - len(parts)
        return [*parts, f"({left} others left out)"] if parts and left else parts or None
    if isinstance(value, str) and any(f"'{each}'" in value for each in meant.numbers | meant.ids):
        return value  # a query in words
    return None


def _part_of_object(value: Mapping[str, Any], meant: Meant, member: str | None) -> Any:
    field = str(value.get("field", "")).casefold()
    if field in _IDS or "number" in field:  # one condition of a filter
        asked = value.get("value")
        wanted = asked if isinstance(asked, list) else [asked]
        hits = [each for each in wanted if str(each) in (meant.ids if field in _IDS else meant.numbers)]
        return {**value, "value": hits} if hits else None
    plain = {key: each for key, each in value.items() if not isinstance(each, Mapping | list)}
    if any(meant.names(key, each) for key, each in plain.items()):
        return dict(value)
    if member is not None and plain.get("bId") == member:
        return dict(value)
    parts = {key: _part(each, meant, member) for key, each in value.items() if key not in plain}
    parts = {key: each for key, each in parts.items() if each is not None}
    words = {key: each for key, each in plain.items() if isinstance(each, str) and _part(each, meant, None) is not None}
    return {**plain, **parts} if parts or words else None
