"""Taking our copy out of the ledger so that the document can be posted anew: void or delete, then create.

For what cannot be replaced in place, and for a copy that somebody deleted. The end of the removal and the start of
the new creation are one transaction: a process that dies before it has removed nothing for good or looks first, one
that dies after it leaves a document that is due. Two live copies cannot be: the creation is planned only then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from connectors.ledgers.base import Capabilities, Change, Done, Ledger, LedgerFault
from domain.reasons import Reason, reason
from domain.statuses import Flag, PostingState, Status
from models import Company, Posting
from sync import mirror
from sync.documents import set_flag, set_status, step
from sync.operations.base import kind_of
from sync.operations.change import RecordChange, Void

if TYPE_CHECKING:
    from sync.settle import Settling

REMOVE = "remove"
OF_THE_COPY = (
    Flag.CHANGED_SOURCE, Flag.CHANGED_LEDGER, Flag.ROUNDED, Flag.DIFFERS, Flag.RATE_ONE, Flag.ACCEPTED, Flag.REDATED,
    Flag.MARK_CLEARED, Flag.NOT_ATTACHED, Flag.NOT_MAILED,
)
"""Flags that tell of the copy which is gone."""


class Remove(Void):
    """Its terms name the version a person agreed to remove ("" where the record was gone): nothing else is touched."""

    name = REMOVE
    sent = "Removal sent to {the_ledger}, to be copied again"
    refused_code, changed_code = "remove_refused", "remove_changed"

    def wire(self, capabilities: Capabilities, posting: Posting) -> str:
        """Deleted where the ledger can: a void copy may keep the number."""
        return "delete" if posting.ledger_kind in capabilities.can_delete else "void"

    def payload(self, ledger: Ledger, posting: Posting, created: Mapping[tuple[str, str], str]) -> bytes:
        operation = self.wire(ledger.capabilities, posting)
        return ledger.change(Change(kind_of(posting), operation, posting.target_id or "", posting.base_version or ""))

    def objection(self, s: Settling, posting: Posting, record: Done) -> Reason | None:
        if posting.terms.get("version") != record.echo.version:  # a payment or a mail makes another version too
            return reason(self.changed_code, number=record.number)
        closed = mirror.profile_of(s.db.get_one(Company, posting.company_id)).closed_through
        if closed and record.echo.date is not None and record.echo.date <= date.fromisoformat(closed):
            return reason(self.refused_code, number=record.number, message=f"books closed through {closed}", code="–")
        return None

    def waits(self, s: Settling, posting: Posting) -> bool:
        return False

    def done(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        if done.echo.live:
            s.unknown(posting, "the ledger's answer shows it as it was", wait=0)
            return
        self._removed(s, posting, by, "Removed from {the_ledger}")

    def gone(self, s: Settling, posting: Posting, record: Done | None) -> None:
        text = "{the_ledger} does not hold it any more" if record is None else "Found void in {the_ledger}"
        self._removed(s, posting, "lookup", text)

    def moved_on(self, s: Settling, posting: Posting, record: Done) -> None:
        s.reject(posting, [reason(self.changed_code, number=posting.ledger_number)])

    def reason(self, posting: Posting, fault: LedgerFault) -> Reason:
        return RecordChange.reason(self, posting, fault)

    def _removed(self, s: Settling, posting: Posting, by: str, text: str) -> None:
        """The copy is gone for certain. Its billing items stay this document's; the new creation takes them over."""
        document = self._end(s, posting, by)
        created = s.db.get_one(Posting, document.posting_id)
        created.state, created.next_action_at = PostingState.REJECTED, None
        created.fence, created.changed_at = s.fence, s.now
        document.ledger_kind = document.ledger_id = document.ledger_number = document.completed_at = None
        document.ledger_total = document.ledger_open = document.ledger_tax = document.ledger_date = None
        document.rounded = document.default_lines = document.tax_sums = document.accepted = None
        for flag in OF_THE_COPY:
            set_flag(document, flag, on=False)
        document.reviewed = posting.terms.get("reviewed")
        document.due_at, document.prepared, document.interactive = s.now, False, True
        set_status(s.db, document, Status.PENDING, [reason("queued")], s.now)
        step(s.db, document, s.now, "removed", f"{text}; it is copied again", ledger_id=posting.target_id, by=by)
