"""Having the ledger mail a document to its customer: at most once, whatever is lost (I22).

A mail cannot be taken back and names no version, so it never goes again by itself once it may have gone. The proof is
the ledger's own delivery state; where it does not tell, a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from connectors.ledgers.base import Change, Done, Kind, Ledger, LedgerFault, Refusal, Refused, Sought
from domain.reasons import Reason, reason
from domain.statuses import Flag, PostingState, Status
from models import Document, MirrorEntry, Posting
from sync import attaching
from sync.delivery import SEND, UNSURE
from sync.documents import set_flag, set_status, step
from sync.operations.base import Operation, kind_of
from sync.operations.change import absence_proves

if TYPE_CHECKING:
    from sync.settle import Settling


class Send(Operation):
    name = SEND
    reads_first = True
    follows = True
    sent = "{the_ledger} was asked to mail it to the customer"

    def payload(self, ledger: Ledger, posting: Posting, created: Mapping[tuple[str, str], str]) -> bytes:
        address = posting.terms.get("to") if posting.terms.get("given") else None
        target, version = posting.target_id or "", posting.base_version or ""
        return ledger.change(Change(kind_of(posting), SEND, target, version, address=address))

    def sought(self, s: Settling, posting: Posting) -> list[Sought]:
        return [Sought(str(posting.id), kind_of(posting), ledger_id=posting.target_id)]

    def read(self, s: Settling, posting: Posting, found: Sequence[Done]) -> None:
        record = found[0] if found else None
        if record is None and not absence_proves(s, posting):
            return
        if record is None or not record.echo.live:
            self._not_sent(s, posting, reason("mail_gone", number=posting.ledger_number))
        elif record.echo.mailed:
            self._sent(s, posting, record, "lookup")
        elif not record.echo.total:
            self._not_sent(s, posting, reason("mail_zero", number=posting.ledger_number))
        elif attaching.holds_up(s.db, s.db.get_one(Document, posting.document_id), s.now):
            posting.next_action_at = s.now + timedelta(seconds=30)
        else:
            self._address(s, posting, record)

    def _address(self, s: Settling, posting: Posting, record: Done) -> None:
        """The document's own address, else the customer's in the ledger."""
        address = record.echo.email or _customers_address(s, posting, record.echo.party_id)
        if not address:
            self._not_sent(s, posting, reason("mail_no_address", number=posting.ledger_number))
            return
        posting.terms = {**posting.terms, "to": address, "given": record.echo.email is None}
        posting.base_version, posting.next_action_at = record.echo.version or "", s.now

    def done(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        """The ledger took it."""
        self._sent(s, posting, done, by)

    def refused(self, s: Settling, posting: Posting, refused: Refused) -> None:
        fault = refused.faults[0]
        if fault.refusal is Refusal.TRANSIENT:
            s.unknown(posting, f"{fault.code} {fault.message}"[:200], wait=2)
        else:
            self._not_sent(s, posting, self.reason(posting, fault))

    def looked_up(self, s: Settling, posting: Posting, found: Sequence[Done], vendors: Sequence[Done]) -> None:
        """Sent, as the ledger shows; else it is asked until no request can still arrive, and then a person."""
        if found and found[0].echo.mailed:
            self._sent(s, posting, found[0], "lookup")
            return
        ends = (posting.last_sent_at or s.now) + timedelta(seconds=s.quarantine)
        if s.now < ends:
            again = s.now + timedelta(seconds=min(2.0 ** posting.lookups, 60.0))
            posting.next_action_at = min(again, ends)
            return
        why = reason(UNSURE, number=posting.ledger_number, address=posting.terms.get("to"))
        s.person(posting, [why])
        document = s.db.get_one(Document, posting.document_id)
        step(s.db, document, s.now, "person", why.sentence())
        if document.status == Status.COMPLETE:  # something else of it may wait for a person already
            set_status(s.db, document, Status.FAULT, [why], s.now)

    def reason(self, posting: Posting, fault: LedgerFault) -> Reason:
        return reason("mail_refused", number=posting.ledger_number, message=fault.message, code=fault.code)

    # ---- ends -----------------------------------------------------------------------------------------------

    def _sent(self, s: Settling, posting: Posting, record: Done, by: str) -> None:
        posting.state, posting.reasons, posting.next_action_at = PostingState.DONE, [], None
        posting.ledger_id, posting.confirmed_by, posting.changed_at = record.ledger_id, by, s.now
        at = record.echo.mailed_at or s.now
        to = posting.terms.get("to") or record.echo.email or ""
        posting.terms = {**posting.terms, "to": to, "at": at.isoformat()}
        document = s.db.get_one(Document, posting.document_id)
        set_flag(document, Flag.NOT_MAILED, on=False)
        seen = "{the_ledger} shows it as sent; it is not sent again"
        text = f"{{the_ledger}} mailed it to {to}" if posting.sends else seen
        step(s.db, document, s.now, "mailed", text, by=by)

    def _not_sent(self, s: Settling, posting: Posting, why: Reason) -> None:
        """Certainly not sent. The document is in the books and stays Complete."""
        s.reject(posting, [why])
        document = s.db.get_one(Document, posting.document_id)
        set_flag(document, Flag.NOT_MAILED)
        step(s.db, document, s.now, "not mailed", why.sentence())


def _customers_address(s: Settling, posting: Posting, party_id: str | None) -> str | None:
    entry = s.db.scalars(select(MirrorEntry).where(
        MirrorEntry.company_id == posting.company_id, MirrorEntry.kind == Kind.CUSTOMER.value,
        MirrorEntry.ledger_id == (party_id or ""),
    ).limit(1)).first()
    found = (entry.details or {}).get("email") if entry is not None else None
    return found if isinstance(found, str) and found else None
