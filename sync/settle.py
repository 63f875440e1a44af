"""Turning a ledger's answer into state: confirmed, refused, unknown, absent. Within the caller's transaction.

What an answer means for one kind of write stands in its rule (sync.operations); here is what all kinds share. Nothing
here talks to a platform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities, Done, Refused, Sought
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings
from domain.statuses import PostingState, Status
from models import Attempt, BatchRow, Document, Posting, PostingNeed
from sync import dividing
from sync.documents import drop, set_status, step
from sync.operations import rule_of
from sync.prepare import REPLANNED
from sync.settings import load_invoices

MAX_SENDS = 12
MAX_LOOKUPS = 40
LOOK_AGAIN_S = 60.0
"""How often the ledger is asked for what it did not show, until nothing of it can arrive any more."""


@dataclass(slots=True)
class Settling:
    db: Session
    capabilities: Capabilities
    tenant: str
    now: datetime
    fence: int
    quarantine: float
    references_refused: bool = False
    """Set when the ledger no longer knew a record: the mirror must be refreshed before the next plan."""
    profile_refused: bool = False
    """Set when the ledger's preferences are not what they were (a period was closed): they must be read again too."""
    _settings: InvoiceSettings | None = None

    # ---- answers to a send ----------------------------------------------------------------------------------

    def done(self, posting: Posting, done: Done, by: str) -> None:
        """YES, unless what the ledger says it holds is something else."""
        self._touch(posting)
        rule_of(posting).done(self, posting, done, by)

    def refused(self, posting: Posting, refused: Refused, members: int) -> None:
        """NO, or not sure yet: that depends on the kind of write. A call of several `members` that was refused as a
        whole is divided instead."""
        self._touch(posting)
        if dividing.divides(refused, members):
            dividing.divide(self, posting, refused, members)
        else:
            rule_of(posting).refused(self, posting, refused)

    def refused_after_lost(self, posting: Posting, why: Reason, message: str) -> None:
        """A no after a lost answer proves nothing of the first send: it is looked up until that one cannot arrive."""
        posting.last_sent_at = self._sent_before(posting)
        self.unknown(posting, f"refused after a lost answer: {message}"[:200], wait=0)
        posting.reasons, posting.renew = [why.to_json()], True

    def unknown(self, posting: Posting, evidence: str, *, wait: float = 1) -> None:
        self._touch(posting)
        posting.state = PostingState.UNKNOWN
        posting.next_action_at = self.now + timedelta(seconds=wait)
        document = self.document(posting)
        if document is not None:
            set_status(self.db, document, Status.PROCESSING, [reason("checking", evidence=evidence)], self.now)
            told = "The answer was lost; {the_ledger} is asked before anything else"
            step(self.db, document, self.now, "unknown", told, evidence=evidence)

    def not_sent(self, posting: Posting, why: str, until: datetime, told: Reason) -> None:
        """A definite no for the whole call: goes again under its key, unless an earlier send is still unsettled."""
        if posting.sends > 1:
            # Nothing was sent this time, and the look-up that follows is the last one again: no attempt is lost.
            posting.sends, posting.lookups = posting.sends - 1, max(0, posting.lookups - 1)
            posting.last_sent_at = self._sent_before(posting)
            self.unknown(posting, why, wait=max(0.0, (until - self.now).total_seconds()))
            return
        self._touch(posting)
        posting.state, posting.next_action_at, posting.sends = PostingState.READY, until, 0
        document = self.document(posting)
        if document is not None:
            set_status(self.db, document, Status.PENDING, [told], self.now)

    def reject(self, posting: Posting, reasons: Sequence[Reason], *, replan: bool = False) -> None:
        """A definite no: nothing is in the ledger. What waited for this record is told why."""
        self._touch(posting)
        drop(self.db, posting, PostingState.REJECTED, reasons, self.now)
        document = self.document(posting)
        if document is None:
            if posting.document_id is None:
                self._tell_dependents(posting, reasons[0])
            return
        again = replan and document.due_at is not None and document.reason_code not in REPLANNED
        if replan:
            self.references_refused = True
        if again:
            due = document.due_at
            set_status(self.db, document, Status.PENDING, reasons[:1], self.now)
            document.due_at, document.prepared = due, False
        else:
            set_status(self.db, document, Status.FAULT, reasons, self.now)
        step(self.db, document, self.now, "refused", reasons[0].sentence())

    def person(self, posting: Posting, reasons: Sequence[Reason]) -> None:
        self._touch(posting)
        posting.state, posting.next_action_at = PostingState.NEEDS_HUMAN, None
        posting.reasons = [r.to_json() for r in reasons]
        document = self.document(posting)
        if document is None:
            if posting.document_id is None:
                self._tell_dependents(posting, reasons[0])
            return
        set_status(self.db, document, Status.FAULT, reasons, self.now)
        step(self.db, document, self.now, "person", reasons[0].sentence())

    # ---- look-ups -------------------------------------------------------------------------------------------

    def sought(self, posting: Posting) -> list[Sought]:
        return rule_of(posting).sought(self, posting)

    def looked_up(self, posting: Posting, found: Sequence[Done], vendors: Sequence[Done] = ()) -> None:
        """Settle one UNKNOWN by what the ledger holds now."""
        posting.lookups += 1
        self._touch(posting)
        rule_of(posting).looked_up(self, posting, found, vendors)

    def read(self, posting: Posting, found: Sequence[Done]) -> None:
        """The record that a change is about to touch, as it stands now."""
        self._touch(posting)
        rule_of(posting).read(self, posting, found)

    def superseded(self, posting: Posting) -> None:
        """This generation can never apply any more and the next one takes its place."""
        drop(self.db, posting, PostingState.REJECTED, [], self.now)

    def absent(self, posting: Posting, *, protected: bool) -> None:
        """Not there (as far as the ledger shows): wait, send again under the same key, or end."""
        self._touch(posting)
        sent = posting.last_sent_at  # None: nothing of it is on its way, and one look is enough
        ends = sent + timedelta(seconds=self.quarantine) if sent else self.now
        # A no ends the document only when an earlier request can no longer arrive, whatever the ledger checks:
        # a Fault says that nothing is in the books. Room for another try is safe where a second copy is refused.
        if posting.renew and (self.now >= ends or (protected and not posting.reasons)):
            posting.renew = False
            if self.divided(posting):
                return
            if posting.reasons:
                self.reject(posting, [Reason.from_json(value) for value in posting.reasons])
            else:
                self._make_room(posting)
        elif posting.sends >= MAX_SENDS or posting.lookups >= MAX_LOOKUPS:
            rule_of(posting).cannot_settle(self, posting)
        elif self.hint(posting):
            # The ledger says "already used" and does not show it: its reads lag behind. Ask again, ever more slowly.
            posting.next_action_at = self.now + timedelta(seconds=min(2.0 ** min(posting.lookups, 5), 30.0))
        elif (posting.renew or not protected) and self.now < ends:
            # It may be there and reads lag behind: asked now and then meanwhile. Waiting is no failed look.
            posting.lookups -= 1
            posting.next_action_at = min(self.now + timedelta(seconds=LOOK_AGAIN_S), ends)
        else:
            posting.state = PostingState.READY
            backoff = 0.0 if posting.sends < 3 else min(2.0 ** posting.sends, 60.0)
            posting.next_action_at = self.now + timedelta(seconds=backoff)

    def divided(self, posting: Posting) -> bool:
        """It was refused with its whole call and is certainly not done: it goes again in a smaller one. False: it was
        refused alone, or not at all."""
        return dividing.proven_absent(self, posting)

    def _make_room(self, posting: Posting) -> None:
        """A person asked for another try and the ledger has nothing: the next generation goes under a new key."""
        drop(self.db, posting, PostingState.REJECTED, [], self.now)
        document = self.document(posting)
        if document is None:
            self.plan_again(posting)
            return
        document.prepared = False
        code = "waits_for_sync" if document.due_at is None else "queued"
        set_status(self.db, document, Status.PENDING, [reason(code)], self.now)

    def plan_again(self, need: Posting) -> None:
        """The documents that wait for this record are planned anew before they go."""
        for waiting in self._dependents(need):
            if waiting.document_id is not None:  # a sub-customer is asked for by its documents, too
                self.db.get_one(Document, waiting.document_id).prepared = False
                waiting.next_action_at = None

    def _dependents(self, need: Posting) -> Sequence[Posting]:
        """Postings that wait for this customer or item: documents, and sub-customers of a customer."""
        return self.db.scalars(
            select(Posting).join(PostingNeed, PostingNeed.posting_id == Posting.id)
            .where(PostingNeed.need_id == need.id, Posting.state == PostingState.NEW)
        ).all()

    # ---- details --------------------------------------------------------------------------------------------

    def _touch(self, posting: Posting) -> None:
        posting.fence, posting.changed_at = self.fence, self.now

    def _sent_before(self, posting: Posting) -> datetime | None:
        """When it was sent before the send that was answered with a no just now: that one is still unsettled. It may
        have gone under another key."""
        its_own = type_coerce(BatchRow.members, Text).contains(f"[{posting.id},")
        sends = self.db.scalars(
            select(Attempt.started_at).join(BatchRow, BatchRow.id == Attempt.batch_id)
            .where(Attempt.company_id == posting.company_id, Attempt.started_at >= posting.first_sent_at, its_own)
            .order_by(Attempt.id.desc()).limit(2)
        ).all()
        return sends[1] if len(sends) > 1 else posting.last_sent_at

    def document(self, posting: Posting) -> Document | None:
        """The document whose status this posting decides; None for lists and for what follows a document."""
        if posting.document_id is None or rule_of(posting).follows:
            return None
        return self.db.get(Document, posting.document_id)

    def settings(self, company_id: int) -> InvoiceSettings:
        """As they hold now; read once."""
        self._settings = self._settings or load_invoices(self.db, company_id)
        return self._settings

    def hint(self, posting: Posting) -> dict[str, str]:
        """What a refusal "already used" told, while it is not settled."""
        params = (posting.reasons[0].get("params") or {}) if posting.reasons else {}
        return params if params.get("hint") else {}

    def _tell_dependents(self, need: Posting, why: Reason) -> None:
        told = why
        if why.code not in ("customer_is_vendor", "vendor_is_customer"):
            code = f"{need.kind}_refused"
            message = why.params.get("message") or why.sentence()
            told = reason(code, name=need.draft.get("name"), message=message, code=why.params.get("code", ""))
        for posting in self._dependents(need):
            self.reject(posting, [told])
