"""Closing a purchase order that is billed whole, by its id. Going again is harmless; the proof is the record's status.

It is a courtesy: an order that cannot be closed stays open in the ledger, and nobody is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from connectors.ledgers.base import CLOSED, Change, Done, Ledger, Refusal, Refused, Sought
from domain.statuses import PostingState
from models import Document, Posting
from sync.closing import CLOSE
from sync.documents import step
from sync.operations.base import Operation, kind_of
from sync.operations.change import absence_proves

if TYPE_CHECKING:
    from sync.settle import Settling


class Close(Operation):
    name = CLOSE
    reads_first = True
    follows = True
    sent = "Closing sent to {the_ledger}"

    def payload(self, ledger: Ledger, posting: Posting, created: Mapping[tuple[str, str], str]) -> bytes:
        return ledger.change(Change(kind_of(posting), CLOSE, posting.target_id or "", posting.base_version or ""))

    def sought(self, s: Settling, posting: Posting) -> list[Sought]:
        return [Sought(str(posting.id), kind_of(posting), ledger_id=posting.target_id)]

    def read(self, s: Settling, posting: Posting, found: Sequence[Done]) -> None:
        record = found[0] if found else None
        if not self._settled(s, posting, record) and record is not None:
            posting.base_version, posting.next_action_at = record.echo.version or "", s.now

    def done(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        if done.echo.status == CLOSED:
            self._closed(s, posting, by)
        else:
            s.unknown(posting, "the ledger's answer shows it as it was", wait=0)

    def refused(self, s: Settling, posting: Posting, refused: Refused) -> None:
        """The record itself says what became of it; only then a no counts."""
        fault = refused.faults[0]
        transient = fault.refusal is Refusal.TRANSIENT
        s.unknown(posting, f"{fault.code} {fault.message}".strip()[:200], wait=2 if transient else 0)
        if not transient:
            posting.reasons = [self.reason(posting, fault).to_json()]

    def looked_up(self, s: Settling, posting: Posting, found: Sequence[Done], vendors: Sequence[Done]) -> None:
        if self._settled(s, posting, found[0] if found else None):
            return
        if s.divided(posting):
            return
        if posting.reasons:
            self._left_open(s, posting, "{the_ledger} did not close it: it stays open there")
        else:
            s.absent(posting, protected=True)

    def cannot_settle(self, s: Settling, posting: Posting) -> None:
        self._left_open(s, posting, "{the_ledger} was asked to close it again and again: it stays open there")

    def _settled(self, s: Settling, posting: Posting, record: Done | None) -> bool:
        """It is closed, or gone; or not shown yet, and asked for later."""
        if record is None and not absence_proves(s, posting):
            return True
        if record is None or not record.echo.live:
            self._left_open(s, posting, "{the_ledger} does not hold it any more: nothing is to be closed")
        elif record.echo.status == CLOSED:
            self._closed(s, posting, "lookup")
        else:
            return False
        return True

    def _closed(self, s: Settling, posting: Posting, by: str) -> None:
        self._end(s, posting, PostingState.DONE)
        posting.ledger_id, posting.confirmed_by = posting.target_id, by
        text = "Closed in {the_ledger}: all of it is billed" if posting.sends else "{the_ledger} shows it as closed"
        step(s.db, s.db.get_one(Document, posting.document_id), s.now, "closed", text, by=by)

    def _left_open(self, s: Settling, posting: Posting, text: str) -> None:
        self._end(s, posting, PostingState.SKIPPED)
        step(s.db, s.db.get_one(Document, posting.document_id), s.now, "not closed", text)

    def _end(self, s: Settling, posting: Posting, state: PostingState) -> None:
        posting.state, posting.reasons, posting.next_action_at, posting.changed_at = state, [], None, s.now
