"""Approving a document that arrived as a draft. Going again is harmless: what is approved stays approved once.

Many go in one call, by their ids. The proof is the record's own status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from connectors.ledgers.base import CLOSED, Change, Done, Ledger, LedgerFault, Refusal, Refused, Sought
from domain.documents import Draft
from domain.money import plain
from domain.reasons import Reason, reason
from domain.settings import InitialStatus
from domain.statuses import Flag, PostingState, Status
from models import Document, Posting
from sync import codec
from sync.documents import set_flag, set_status, step
from sync.operations.base import Operation, kind_of
from sync.operations.change import absence_proves
from sync.operations.create import compared_total
from sync.promoting import PROMOTE

if TYPE_CHECKING:
    from sync.settle import Settling


class Promote(Operation):
    name = PROMOTE
    reads_first = True
    follows = True
    sent = "Approval sent to {the_ledger}"

    def payload(self, ledger: Ledger, posting: Posting, created: Mapping[tuple[str, str], str]) -> bytes:
        draft = codec.load(Draft, posting.draft)
        target, version = posting.target_id or "", posting.base_version or ""
        return ledger.change(Change(kind_of(posting), PROMOTE, target, version, draft))

    def sought(self, s: Settling, posting: Posting) -> list[Sought]:
        return [Sought(str(posting.id), kind_of(posting), ledger_id=posting.target_id)]

    def read(self, s: Settling, posting: Posting, found: Sequence[Done]) -> None:
        """A draft that somebody changed is not approved unasked: what was checked is not what would be booked."""
        record = found[0] if found else None
        if self._settled(s, posting, record):
            return
        draft = codec.load(Draft, posting.draft)
        held = compared_total(draft, record) if record is not None else None
        if held not in (None, draft.total):
            shown = plain(held or draft.total, draft.currency)
            why = reason("promote_changed", number=posting.ledger_number, total=plain(draft.total, draft.currency),
                         held=shown)
            self._not_approved(s, posting, why)
        elif record is not None:
            posting.base_version, posting.next_action_at = record.echo.version or "", s.now

    def done(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        if done.echo.status == self._wanted(posting):
            self._approved(s, posting, by)
        else:
            s.unknown(posting, "the ledger's answer shows it as it was", wait=0)

    def refused(self, s: Settling, posting: Posting, refused: Refused) -> None:
        """The record itself says what became of it; only then a no counts."""
        fault = refused.faults[0]
        wait = 2 if fault.refusal is Refusal.TRANSIENT else 0
        s.unknown(posting, f"{fault.code} {fault.message}".strip()[:200], wait=wait)
        if fault.refusal is not Refusal.TRANSIENT:
            posting.reasons = [self.reason(posting, fault).to_json()]

    def looked_up(self, s: Settling, posting: Posting, found: Sequence[Done], vendors: Sequence[Done]) -> None:
        if self._settled(s, posting, found[0] if found else None):
            return
        if s.divided(posting):
            return
        if posting.reasons:
            self._not_approved(s, posting, Reason.from_json(posting.reasons[0]))
        else:
            s.absent(posting, protected=True)

    def cannot_settle(self, s: Settling, posting: Posting) -> None:
        told = f"it was asked {posting.sends} times and still shows the draft"
        self._not_approved(s, posting, reason("promote_refused", number=posting.ledger_number, message=told))

    def reason(self, posting: Posting, fault: LedgerFault) -> Reason:
        return reason("promote_refused", number=posting.ledger_number, message=fault.message)

    def _wanted(self, posting: Posting) -> str:
        return codec.load(Draft, posting.draft).promote_to or InitialStatus.APPROVED

    def _settled(self, s: Settling, posting: Posting, record: Done | None) -> bool:
        """It is approved, or gone; or not shown yet, and asked for later."""
        if record is None and not absence_proves(s, posting):
            return True
        if record is None or not record.echo.live:
            self._not_approved(s, posting, reason("promote_gone", number=posting.ledger_number))
            return True
        if record.echo.status not in (self._wanted(posting), InitialStatus.APPROVED, CLOSED):
            return False
        self._approved(s, posting, "lookup")
        return True

    def _approved(self, s: Settling, posting: Posting, by: str) -> None:
        posting.state, posting.reasons, posting.next_action_at = PostingState.DONE, [], None
        posting.ledger_id, posting.confirmed_by, posting.changed_at = posting.target_id, by, s.now
        document = s.db.get_one(Document, posting.document_id)
        set_flag(document, Flag.DRAFT, on=self._wanted(posting) != InitialStatus.APPROVED)
        if document.status == Status.FAULT and str(document.reason_code).startswith("promote_"):
            set_status(s.db, document, Status.COMPLETE, [], s.now)
        text = "Approved in {the_ledger}" if posting.sends else "{the_ledger} shows it as approved already"
        step(s.db, document, s.now, "approved", text, by=by)

    def _not_approved(self, s: Settling, posting: Posting, why: Reason) -> None:
        """It stays a draft, and a person's turn."""
        s.reject(posting, [why])
        document = s.db.get_one(Document, posting.document_id)
        step(s.db, document, s.now, "not approved", why.sentence())
        if document.status == Status.COMPLETE:
            set_status(s.db, document, Status.FAULT, [why], s.now)
