"""Correcting a document that was voided in the source and stands in a closed period: the opposite document on the
first open day, exactly once. The corrected record is read first and never written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.ledgers.base import Done, Kind, LedgerFault, Sought
from domain.documents import Draft
from domain.money import plain
from domain.plan import marker
from domain.reasons import Reason, reason
from domain.reversal import reversal
from domain.statuses import Flag, PostingState, Status
from models import Company, Document, Posting
from sync import claims, codec, mirror
from sync.documents import set_flag, set_status, step
from sync.operations.change import absence_proves
from sync.operations.create import Create, echo_problem

if TYPE_CHECKING:
    from sync.settle import Settling

CORRECT = "correct"
CORRECTS = "corrects"
"""In a posting's terms: the draft that it takes back, once its own is made from it."""


class Correct(Create):
    """A creation of its own beside the document, with a number, a marker and a look-up of its own."""

    name = CORRECT
    writes = "create"
    reads_first = True
    sent = "The correction was sent to {the_ledger}"

    def sought(self, s: Settling, posting: Posting) -> list[Sought]:
        """The record to correct, before anything is sent; then the correction."""
        if posting.state != PostingState.NEW:
            return super().sought(s, posting)
        document = s.db.get_one(Document, posting.document_id)
        return [Sought(str(posting.id), Kind(document.ledger_kind or ""), ledger_id=posting.target_id)]

    def read(self, s: Settling, posting: Posting, found: Sequence[Done]) -> None:
        record = found[0] if found else None
        if record is None and not absence_proves(s, posting):
            return
        document = s.db.get_one(Document, posting.document_id)
        if record is None or not record.echo.live:
            self._gone(s, posting, document)
            return
        objection = self._objection(s, posting, document, record)
        if objection is not None:
            s.reject(posting, [objection])
            return
        # Kept, as the generation that follows a divided call begins with this one's draft.
        posting.terms = {CORRECTS: posting.draft, **posting.terms}
        original = codec.load(Draft, posting.terms[CORRECTS])
        company = s.db.get_one(Company, posting.company_id)
        who = (str(company.id), posting.ledger_tenant, posting.source_tenant, posting.kind, posting.source_id, CORRECT)
        posting.marker = marker(*who)
        draft = reversal(
            original, document.ledger_number, _closed_through(s, posting) + timedelta(days=1), posting.marker,
            attempt=posting.generation, number_length=s.capabilities.number_length,
        )  # fmt: skip
        posting.draft = codec.dump(draft)
        posting.base_version, posting.next_action_at = record.echo.version or "", s.now

    def reason(self, posting: Posting, fault: LedgerFault) -> Reason:
        return reason("correct_refused", number=posting.terms.get("number"), message=fault.message, code=fault.code)

    # ---- what it decides ------------------------------------------------------------------------------------

    def _gone(self, s: Settling, posting: Posting, document: Document) -> None:
        """Somebody was quicker: there is nothing to correct, and the document is out of the books."""
        s.superseded(posting)
        set_flag(document, Flag.VOIDED)
        set_status(s.db, document, Status.COMPLETE, [], s.now)
        step(s.db, document, s.now, "voided", "{the_ledger} does not hold it any more: nothing was left to correct")
        claims.release(s.db, document, s.now)

    def _objection(self, s: Settling, posting: Posting, document: Document, record: Done) -> Reason | None:
        """Changed by somebody, or in a period that is open again: then another decision is due."""
        number, posted, held = document.ledger_number or document.number, document.ledger_total, record.echo.total
        if posted is not None and held is not None and held != posted:
            was, now = plain(posted, document.currency), plain(held, document.currency)
            return reason("correct_changed", number=number, was=was, now=now)
        if record.echo.date is not None and record.echo.date > _closed_through(s, posting):
            return reason("voided_open", number=number)
        return None

    def _document_found(
        self, s: Settling, posting: Posting, draft: Draft, ours: list[Done], others: list[Done]
    ) -> None:
        """A number that somebody else uses ends this try; the next one has another number."""
        if not ours and others and draft.number and s.hint(posting):
            message = f"number {draft.number} is in use"
            s.reject(posting, [reason("correct_refused", number=posting.terms.get("number"), message=message)])
            return
        super()._document_found(s, posting, draft, ours, others)

    def _posted(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        draft, document = codec.load(Draft, posting.draft), s.db.get_one(Document, posting.document_id)
        problem = echo_problem(draft, done, s.tenant)
        if problem is not None:
            message = f"it holds another one than was sent, {problem}"
            s.person(posting, [reason("correct_refused", number=posting.terms.get("number"), message=message)])
            return
        posting.state, posting.reasons, posting.next_action_at = PostingState.DONE, [], None
        set_flag(document, Flag.CORRECTED)
        set_status(s.db, document, Status.COMPLETE, [], s.now)
        kind = "invoice" if draft.kind == Kind.INVOICE else "{credit_memo}"
        told = f"Corrected by {kind} {done.number or ''} of {draft.date:%d %b %Y}; the closed period stays as it was"
        step(s.db, document, s.now, "corrected", told, ledger_id=done.ledger_id, number=done.number, by=by)
        claims.release(s.db, document, s.now)


def _closed_through(s: Settling, posting: Posting) -> date:
    closed = mirror.profile_of(s.db.get_one(Company, posting.company_id)).closed_through
    return date.fromisoformat(closed) if closed else date.min
