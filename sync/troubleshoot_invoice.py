"""One invoice under Troubleshoot: Autotask now, our row with its postings and sends, the ledger's record now.

Which invoice is meant and what it would become are asked of Manually Copy's own steps, so that both tools never
disagree. Reads only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind
from connectors.sources.base import Source
from domain.documents import SourceDocument
from domain.formats import format_day, format_money
from domain.held import Held
from domain.reasons import CATALOGUE, Reason
from domain.statuses import Status
from models import Attempt, BatchRow, Company, Document, Posting, Step
from sync import codec, copy_outcome, mirror, tracing
from sync.copying import Copy, Seen, held_of
from sync.diagnosis import BAD, OK, PLAIN, WARN, Asked
from sync.invoices import taken
from sync.passes import Scan
from sync.reading import rows_of
from sync.settings import load_invoices
from sync.troubleshoot_company import Diagnosis

STEPS = 200


def invoice_part(made: Diagnosis, source: Source, asked: Asked) -> Mapping[str, Any]:
    """Findings, causes and papers of the invoice; returns what the summary needs beside (`hits`, `document_id`)."""
    with made.rt.sessions() as db:
        current = load_invoices(db, made.company_id)
    fields = copy_outcome.Asked(asked.wanted, source_id=asked.source_id)
    scan = Scan(made.rt, made.company_id, source, made.ledger.capabilities if made.ledger else None, made.run_id)
    if made.ledger is None:
        made.found("Invoice", "Not looked at", f"It is compared when {made.words.the_ledger} is connected", WARN)
        return {}
    ledger = made.ledger
    made.ask("Invoice", "Lists", lambda: mirror.refresh(made.rt, made.company_id, ledger, source))
    with made.rt.sessions() as db:
        if not db.get_one(Company, made.company_id).profile:
            return {}
    copy = Copy(made.rt, made.company_id, source, ledger, made.run_id, fields, current, scan)
    hits = made.ask("Invoice", "Autotask", copy.hits)
    if hits is None:
        return {}
    if len(hits) > 1:
        made.found("Invoice", "Several fit", ", ".join(f"{hit.id} ({hit.number or 'no number'})" for hit in hits), WARN)
        return {"hits": [{"source_id": hit.id, "number": hit.number or "", "day": hit.document_date.isoformat(),
                          "total": str(hit.total)} for hit in hits[:20]]}
    document = made.ask("Invoice", "Autotask, lines", lambda: copy.read(hits[0])) if hits else None
    if document is None:
        if not hits:
            made.found("Invoice", "In Autotask", f"No invoice {asked.wanted} is visible", BAD)
            made.cause(65, "not_in_source", wanted=asked.wanted)
        return {}
    with made.rt.sessions() as db:
        seen = copy.see(db, document)
        row = rows_of(db, made.company_id, source.tenant, [document.header.id]).get(document.header.id)
        _in_source(made, copy, document, seen)
        _ours(made, db, row, seen, copy)
        known = (row.ledger_kind, row.ledger_id) if row is not None else (None, None)
        document_id = row.id if row is not None else None
        db.rollback()  # planning touches the rows it reads; nothing of it is kept
    held = _in_ledger(made, copy, seen, known)
    _papers(made, document, seen, held)
    return {"document_id": document_id}


def _in_source(made: Diagnosis, copy: Copy, document: SourceDocument, seen: Seen) -> None:
    header, now = document.header, made.rt.clock.now()
    total = format_money(header.total, seen.currency)
    made.found("Invoice in Autotask", "Invoice", f"{header.number or 'no number'}, id {header.id}, {total}")
    made.found("Invoice in Autotask", "Customer", seen.party or "not readable", OK if seen.party else BAD)
    made.found("Invoice in Autotask", "Date", format_day(header.document_date))
    made.found("Invoice in Autotask", "Created", format_day(header.created_at.date()))
    made.found("Invoice in Autotask", "Lines", len(document.lines), OK if document.lines else BAD)
    mark = f"{header.marked_at:%d %b %Y %H:%M} UTC" if header.marked_at else "not transferred yet"
    made.found("Invoice in Autotask", "Mark of a transfer", mark)
    made.found("Invoice in Autotask", "Voided", "Yes" if header.voided else "No", WARN if header.voided else OK)
    days = copy.settings.look_back_days
    if now - header.created_at > timedelta(days=days) and seen.document_id is None:
        made.cause(45, "outside_window", created=format_day(header.created_at.date()), days=days)


def _ours(made: Diagnosis, db: Session, row: Document | None, seen: Seen, copy: Copy) -> None:
    """Our row with postings and sends; a plan made now where it is not in the books."""
    complete = row is not None and row.status == Status.COMPLETE
    if row is None:
        made.found("Our records", "Document", "Never seen by a sync", WARN)
    else:
        verdict = {Status.COMPLETE: OK, Status.FAULT: BAD}.get(Status(row.status), PLAIN)
        made.found("Our records", "Status", ", ".join([row.status, *(row.flags or [])]), verdict)
        for place, value in enumerate(row.reasons or ()):
            if value["code"] in CATALOGUE:
                made.causes.append((60 - place, Reason.from_json(value)))
        _postings(made, db, row)
    if complete:
        return
    for place, why in enumerate(seen.planned.reasons):
        made.found("A plan made now", str(why.entry.stage), why.sentence(), BAD)
        made.causes.append((58 - place, why))
    if seen.planned.draft is not None:
        made.found("A plan made now", "Result", "It could be posted as it is", OK)
    marked = taken(seen.document.header, copy.settings)
    if marked is not None:
        made.causes.append((59, marked))


def _postings(made: Diagnosis, db: Session, row: Document) -> None:
    postings = db.scalars(select(Posting).where(Posting.document_id == row.id).order_by(Posting.id)).all()
    told = []
    for one in postings:
        text = f"{one.state}, sent {one.sends} times, looked up {one.lookups} times"
        made.found("Our records", f"{one.operation.capitalize()}, try {one.generation}", text)
        told.append({
            "id": one.id, "operation": one.operation, "generation": one.generation, "state": one.state,
            "sends": one.sends, "lookups": one.lookups, "ledger_id": one.ledger_id, "reasons": one.reasons,
            "payload": (one.payload or b"").decode(errors="replace"), "attempts": _attempts(db, one),
            "confirmed_by": one.confirmed_by, "changed_at": one.changed_at.isoformat(),
        })
    steps = db.scalars(
        select(Step).where(Step.document_id == row.id).order_by(Step.id.desc()).limit(STEPS)
    ).all()
    made.papers["postings"] = told
    made.papers["steps"] = [
        {"at": one.at.isoformat(), "name": one.name, "text": one.text, "detail": one.detail} for one in reversed(steps)
    ]
    made.papers["row"] = {
        "id": row.id, "status": row.status, "reasons": row.reasons, "flags": row.flags, "number": row.number,
        "total": str(row.total), "ledger_id": row.ledger_id, "ledger_number": row.ledger_number,
    }
    made.papers["trace"] = tracing.told(db, row.company_id, row.id)


def _attempts(db: Session, posting: Posting) -> list[dict[str, Any]]:
    if posting.batch_key is None:
        return []
    rows = db.scalars(
        select(Attempt).join(BatchRow, BatchRow.id == Attempt.batch_id)
        .where(BatchRow.company_id == posting.company_id, BatchRow.key == posting.batch_key).order_by(Attempt.id)
    )
    return [{
        "started_at": one.started_at.isoformat(),
        "finished_at": one.finished_at.isoformat() if one.finished_at else None,
        "http_status": one.http_status, "request_id": one.request_id, "outcome": one.outcome,
        "seen": (one.seen or {}).get(str(posting.id)),
    } for one in rows]


def _in_ledger(made: Diagnosis, copy: Copy, seen: Seen, known: tuple[str | None, str | None]) -> Held | None:
    """The ledger's record whole: the one we made (`known`: its kind and id), else a live one of this number."""
    area, foreign = "Invoice in the ledger", False
    ledger_kind, ledger_id = known
    kind = Kind(ledger_kind) if ledger_kind else (
        Kind.CREDIT_MEMO if seen.document.header.total < 0 else Kind.INVOICE)
    if ledger_id is None:
        found = made.ask(area, "Looked up", lambda: copy.in_ledger(seen))
        if found is None:
            return None
        ours, others = found
        foreign = bool(others) and not ours
        ledger_id = (ours or others)[0].ledger_id if ours or others else None
    if ledger_id is None:
        made.found(area, "Record", "None of this number", OK)
        return None
    held = made.ask(area, "Read", lambda: held_of(copy, kind, ledger_id))
    if held is None:
        made.found(area, "Record", f"{ledger_id} is not there any more", BAD)
        return None
    _compare(made, seen, held, foreign=foreign)
    return held


def _compare(made: Diagnosis, seen: Seen, held: Held, *, foreign: bool) -> None:
    area, header = "Invoice in the ledger", seen.document.header
    currency = held.currency or seen.currency
    made.found(area, "Record", f"{held.number or 'no number'}, id {held.ledger_id}", OK if held.live else BAD)
    made.found(area, "Made here", "No" if foreign else "Yes", WARN if foreign else OK)
    same = held.total == abs(header.total)
    made.found(area, "Total", format_money(held.total, currency), OK if same else BAD)
    made.found(area, "Paid or credited", format_money(held.applied, currency))
    made.found(area, "Voided", "No" if held.live else "Yes", OK if held.live else WARN)
    if held.changed_at is not None:
        made.found(area, "Last changed", f"{held.changed_at:%d %b %Y %H:%M} UTC")
    if foreign:
        made.cause(57, "number_in_ledger", number=held.number or "–")
    elif not same and held.live:
        made.cause(62, "sides_differ", what="Total", source=format_money(abs(header.total), seen.currency),
                   ledger=format_money(held.total, currency))


def _papers(made: Diagnosis, document: SourceDocument, seen: Seen, held: Held | None) -> None:
    made.papers["source"] = codec.dump(document)
    made.papers["plan"] = {
        "draft": codec.dump(seen.planned.draft) if seen.planned.draft is not None else None,
        "reasons": [why.to_json() for why in seen.planned.reasons],
    }
    made.papers["ledger"] = codec.dump(held) if held is not None else None


