"""Manually Copy an Invoice: read one invoice, look whether the ledger has it, and release it or say why not.

Reads both platforms; what may be posted goes through the serving process like every document. An invoice that is not
copied leaves no document of ours behind, so history is never posted later because somebody asked about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Done, Kind, Ledger, Sought
from connectors.sources.base import Source
from domain.documents import SourceDocument, SourceHeader, SourceLine
from domain.held import Held
from domain.plan import Plan, effective_number, marker, plan, source_reason
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings
from domain.statuses import PostingState, Status
from domain.wanted import wanted
from models import Company, Document, Posting, Run
from sync import adopting, codec, mirror, replacing, requests
from sync.copy_outcome import Asked, Outcome, add_lines, invoice_data
from sync.documents import add_to_run, step
from sync.invoices import marked_by_us, taken
from sync.lease import exclusive
from sync.lists import facts, prefetch
from sync.looking import look_first, may_be_in_books
from sync.passes import Scan
from sync.reading import KIND, new_document, refresh_header, rows_of, touchable
from sync.runtime import Runtime
from sync.settings import load_invoices

Summary = Mapping[str, Any]
MAX_HITS = 20
DECIDED = ("echo_differs", "skipped_by_person")
"""A document with one of these may be in the books; another decision of a person comes first."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One invoice as it is now, planned. `open_plan` leaves the closed period out: linking writes nothing there."""

    document: SourceDocument
    planned: Plan
    open_plan: Plan
    party: str
    currency: str
    document_id: int | None


@dataclass(slots=True)
class Copy:
    """One run. Each method reads, or decides in one transaction."""

    rt: Runtime
    company_id: int
    source: Source
    ledger: Ledger
    run_id: int
    asked: Asked
    settings: InvoiceSettings
    scan: Scan

    # ---- which invoice --------------------------------------------------------------------------------------

    def hits(self) -> list[SourceHeader]:
        """Invoices that are meant: exactly one when a person chose, else what bears the id or the number."""
        if self.asked.source_id:
            return self.source.headers_by_id(KIND, [self.asked.source_id])
        meant = wanted(self.asked.wanted)
        found = self.source.headers_by_id(KIND, [meant.id]) if meant.id else []
        known = {header.id for header in found}
        if meant.number:
            found += [one for one in self.source.headers_by_number(KIND, meant.number) if one.id not in known]
        return found

    def read(self, header: SourceHeader) -> SourceDocument | None:
        """The invoice with its lines; one that was created moments ago is read twice. None: it is gone."""
        document = self._lines(header)
        if document is None or self.rt.clock.now() - header.created_at >= timedelta(seconds=self.rt.times.young):
            return document
        self.scan.progress("Reading an invoice created moments ago a second time")
        self.rt.pause(self.rt.times.reread)
        again = self.source.headers_by_id(KIND, [header.id])
        return self._lines(again[0]) if again else None

    def _lines(self, header: SourceHeader) -> SourceDocument | None:
        found = [one for page in self.source.documents([header]) for one in page]
        if not found:
            return None
        parties = {header.party_id, *(line.party_id for line in found[0].lines)}
        self.scan.read_parties({party for party in parties if party})
        return found[0]

    # ---- what stands against it -----------------------------------------------------------------------------

    def see(self, db: Session, document: SourceDocument) -> Seen:
        """Plan it against today's lists, without a row of ours."""
        company = db.get_one(Company, self.company_id)
        the_facts = facts(mirror.profile_of(company), self.ledger.capabilities)
        lists = prefetch(db, self.company_id, [document], mirror.catalog_of(db, self.company_id), self.settings,
                         the_facts)
        header = document.header
        mark = marker(str(company.id), company.ledger_tenant, self.source.tenant, KIND, header.id)
        planned = plan(document, self.settings, lists, the_facts, marker=mark)
        opened = plan(document, self.settings, lists, replace(the_facts, closed_through=None), marker=mark)
        party = lists.parties.get(header.party_id or "")
        currency = (party.currency if party else None) or the_facts.currency
        row = rows_of(db, self.company_id, self.source.tenant, [header.id]).get(header.id)
        return Seen(document, planned, opened, party.name if party else "", currency, row.id if row else None)

    def against(self, db: Session, seen: Seen) -> tuple[Outcome, tuple[Reason, ...]] | None:
        """Why it is not copied now, from what is known here; None when nothing is against it."""
        header = seen.document.header
        row = db.get(Document, seen.document_id) if seen.document_id else None
        posting = db.get(Posting, row.posting_id) if row is not None and row.posting_id else None
        if row is not None and not touchable(db, row):
            if posting is None or posting.state != PostingState.NEEDS_HUMAN:
                return Outcome.WAITING, _kept(row)
            if row.reason_code != "number_taken":
                return Outcome.REFUSED, _kept(row)
        set_aside = posting is not None and posting.state == PostingState.SKIPPED and may_be_in_books(posting)
        if set_aside and row is not None:
            return Outcome.REFUSED, _kept(row)  # Un-skip looks in the ledger first
        mismatch = source_reason(seen.document, seen.currency)
        young = self.rt.clock.now() - header.created_at < timedelta(seconds=self.rt.times.give_up)
        if mismatch is not None and young and not header.voided:
            found = mismatch.params.get("found", "–")
            return Outcome.WAITING, (reason("still_building", found=found, total=header.total),)
        if seen.planned.draft is None:
            return Outcome.REFUSED, seen.planned.reasons
        doubts = tuple(why for why in self._doubts(db, row, header) if why.code not in self.asked.confirmed)
        return (Outcome.ASK, doubts) if doubts else None

    def _doubts(self, db: Session, row: Document | None, header: SourceHeader) -> list[Reason]:
        """What a person may confirm: history, another program's mark, a colleague's decision."""
        doubts = []
        if header.document_date < self.settings.start_date and (row is None or row.included_at is None):
            doubts.append(reason("before_start", date=header.document_date, start=self.settings.start_date))
        marked = taken(header, self.settings)
        if marked is not None and not header.voided and not (
            row is not None and marked_by_us(db, row, header)
        ):
            doubts.append(marked)
        if row is not None and row.status == Status.SKIPPED and row.reason_code == "skipped_by_person":
            doubts += _kept(row)
        return doubts

    def in_ledger(self, seen: Seen) -> Found:
        """Live documents of this number in the ledger: (ours, others). Asked of the ledger itself."""
        header = seen.document.header
        number = effective_number(header, self.settings) or header.number
        if not number:
            return (), ()
        kind = Kind.CREDIT_MEMO if header.total < 0 else Kind.INVOICE
        found = self.ledger.find([Sought("one", kind, number=number)]).get("one", ())
        live = [done for done in found if done.echo.live]
        mark = seen.open_plan.draft.marker if seen.open_plan.draft else ""
        ours = tuple(done for done in live if mark and mark in (done.echo.marker or ""))
        return ours, tuple(done for done in live if done not in ours)

    # ---- releasing ------------------------------------------------------------------------------------------

    def release(self, db: Session, run: Run, seen: Seen, now: datetime) -> bool:
        """Store the invoice and hand it to the serving process. False: somebody else has it in hand by now."""
        exclusive(db, self.company_id)
        db.expire_all()
        header = seen.document.header
        row = rows_of(db, self.company_id, self.source.tenant, [header.id]).get(header.id)
        if row is None:
            row = new_document(db.get_one(Company, self.company_id), self.source.tenant, header, self.settings, now)
            db.add(row)
            db.flush()
        elif not touchable(db, row):
            return self._ask_again(db, run, row, now)
        else:
            refresh_header(db, row, header, self.settings, now)
        if row.before_start:
            row.included_at, row.before_start = now, False
        row.lines, row.lines_read_at = codec.dump_text(seen.document.lines, tuple[SourceLine, ...]), now
        row.reread_at, row.party_name, row.currency = None, seen.party, seen.currency
        who = run.requested_by_name
        step(db, row, now, "asked", "A person asked for this invoice to be copied", who=who,
             confirmed=list(self.asked.confirmed))
        requests.release(db, run, [row], now, interactive=True)
        run.phase, run.step, run.heartbeat_at = "posting", "Posting one invoice", now
        return True

    def _ask_again(self, db: Session, run: Run, row: Document, now: datetime) -> bool:
        """The number was taken by another document, which is gone: looked at once more, then it goes as a new try."""
        posting = db.get(Posting, row.posting_id) if row.posting_id else None
        if posting is None or posting.state != PostingState.NEEDS_HUMAN or row.reason_code != "number_taken":
            return False
        add_to_run(db, run, [row], now)
        look_first(db, posting, row, now)
        row.due_at, row.prepared, row.interactive = now, True, True
        run.phase, run.step, run.heartbeat_at = "posting", "Posting one invoice", now
        return True


Found = tuple[tuple[Done, ...], tuple[Done, ...]]


def read_copy(rt: Runtime, company_id: int, source: Source, ledger: Ledger, run_id: int) -> Summary | None:
    """One Manually Copy. Returns the summary to keep; None when the serving process ends the run."""
    with rt.sessions() as db:
        asked, current = Asked.of(db.get_one(Run, run_id)), load_invoices(db, company_id)
    copy = Copy(rt, company_id, source, ledger, run_id, asked, current,
                Scan(rt, company_id, source, ledger.capabilities, run_id))
    copy.scan.progress("Reading lists that changed in the ledger")
    mirror.refresh(rt, company_id, ledger, source, profile_within=mirror.CLOSING_DATE_AGE)
    copy.scan.progress("Reading the invoice from Autotask")
    hits = copy.hits()
    if len(hits) > 1:
        return {"outcome": Outcome.CHOOSE, "hits": [_hit(copy, header) for header in hits[:MAX_HITS]]}
    document = copy.read(hits[0]) if hits else None
    if document is None:
        return {"outcome": Outcome.NOT_FOUND}
    return _decide(copy, document)


def _decide(copy: Copy, document: SourceDocument) -> Summary | None:
    with copy.rt.sessions() as db:
        seen = copy.see(db, document)
        row = db.get(Document, seen.document_id) if seen.document_id else None
        complete = row is not None and replacing.in_books(db, row)
        against = None if complete else copy.against(db, seen)
    _keep_lines(copy, seen)
    told: dict[str, Any] = {"invoice": invoice_data(document, seen.party, seen.currency, seen.document_id)}
    if complete and row is not None:
        return _with(told, replacing.posted(copy, seen, row.id))
    copy.scan.progress("Looking in the ledger for this number")
    ours, others = copy.in_ledger(seen)
    if (ours or others) and not _in_hand(against):
        return _with(told, adopting.found(copy, seen, (ours or others)[0].ledger_id, ours=bool(ours)))
    if against is not None:
        outcome, reasons = against
        return {**told, "outcome": outcome, "reasons": [why.to_json() for why in reasons]}
    return _release(copy, seen, told)


def _in_hand(against: tuple[Outcome, tuple[Reason, ...]] | None) -> bool:
    """It may be on its way to the ledger, or waits for another decision: what is found there is not judged now."""
    if against is None:
        return False
    outcome, reasons = against
    refused = outcome is Outcome.REFUSED and any(why.code in DECIDED for why in reasons)
    return outcome is Outcome.WAITING or refused


def _with(told: Summary, found: Summary | None) -> Summary | None:
    return None if found is None else {**told, **found}


def _release(copy: Copy, seen: Seen, told: dict[str, Any]) -> Summary | None:
    now = copy.rt.clock.now()
    with copy.rt.sessions() as db, db.begin():
        run = db.get_one(Run, copy.run_id)
        if not copy.release(db, run, seen, now):
            return {**told, "outcome": Outcome.WAITING, "reasons": [reason("in_hand").to_json()]}
        row = rows_of(db, copy.company_id, copy.source.tenant, [seen.document.header.id])[seen.document.header.id]
        told["invoice"] = {**told["invoice"], "document_id": row.id}
        run.summary = {**(run.summary or {}), **told, "released": row.id}
    copy.rt.ring(copy.company_id)
    return None


def _keep_lines(copy: Copy, seen: Seen) -> None:
    with copy.rt.sessions() as db, db.begin():
        draft = seen.open_plan.draft
        add_lines(db, db.get_one(Run, copy.run_id), seen.document, seen.currency, draft)


def _kept(row: Document) -> tuple[Reason, ...]:
    return tuple(Reason.from_json(value) for value in row.reasons or ())


def _hit(copy: Copy, header: SourceHeader) -> dict[str, Any]:
    """One of several invoices that may be meant."""
    with copy.rt.sessions() as db:
        row = db.scalars(select(Document).where(
            Document.company_id == copy.company_id, Document.source_tenant == copy.source.tenant,
            Document.kind == KIND, Document.source_id == header.id,
        )).one_or_none()
        currency = row.currency if row else db.get_one(Company, copy.company_id).currency
        party = row.party_name if row else ""
    return invoice_data(SourceDocument(header, ()), party, currency, row.id if row else None) | {
        "voided": header.voided
    }


def held_of(copy: Copy, kind: Kind, ledger_id: str) -> Held | None:
    return copy.ledger.read(kind, [ledger_id]).get(ledger_id)
