"""Turning a ledger's answer into state: confirmed, refused, unknown, absent. Within the caller's transaction.

An answer is YES only when the echo agrees with what was sent. A "number already used" is not a no: it may be our
own document, so it is looked up. Nothing here talks to a platform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities, Done, Kind, LedgerFault, Refusal, Refused, Sought
from domain.documents import Draft, ItemDraft, PartyDraft
from domain.matching import fold
from domain.reasons import Reason, reason
from domain.statuses import Flag, PostingState, Status
from models import Attempt, BatchRow, Document, Posting, PostingNeed
from sync import codec, mirror
from sync.documents import drop, set_flag, set_status, step
from sync.prepare import add_link

MAX_SENDS = 12
MAX_LOOKUPS = 40


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

    # ---- answers to a send ----------------------------------------------------------------------------------

    def done(self, posting: Posting, done: Done, by: str) -> None:
        """YES: the record exists. Echo differences go to a person; a differing total is flagged, never hidden."""
        self._touch(posting)
        posting.ledger_id, posting.ledger_number = done.ledger_id, done.number
        posting.confirmed_by = by
        if posting.document_id is None:
            self._created(posting, done)
        else:
            self._posted(posting, done, by)

    def refused(self, posting: Posting, refused: Refused) -> None:
        """NO, or not sure yet: a duplicate may be our own; a no after a lost answer proves nothing of the first."""
        fault = refused.faults[0]
        self._touch(posting)
        why = self._reason(posting, fault)
        if fault.refusal in (Refusal.DUPLICATE_NUMBER, Refusal.DUPLICATE_NAME, Refusal.TRANSIENT):
            transient = fault.refusal is Refusal.TRANSIENT
            self.unknown(posting, f"{fault.code} {fault.message}"[:200], wait=2 if transient else 0)
            if not transient:
                hint = {"hint": str(fault.refusal), "ledger_id": fault.ledger_id or ""}
                posting.reasons = [Reason(why.code, {**why.params, **hint}).to_json()]
            return
        if posting.sends > 1:
            posting.last_sent_at = self._sent_before(posting)
            self.unknown(posting, f"refused after a lost answer: {fault.message}"[:200], wait=0)
            posting.reasons, posting.renew = [why.to_json()], True
            return
        self.reject(posting, [why], replan=fault.refusal is Refusal.BAD_REFERENCE)

    def unknown(self, posting: Posting, evidence: str, *, wait: float = 1) -> None:
        self._touch(posting)
        posting.state = PostingState.UNKNOWN
        posting.next_action_at = self.now + timedelta(seconds=wait)
        document = self._document(posting)
        if document is not None:
            set_status(self.db, document, Status.PROCESSING, [reason("checking", evidence=evidence)], self.now)
            told = "The answer was lost; QuickBooks is asked before anything else"
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
        document = self._document(posting)
        if document is not None:
            set_status(self.db, document, Status.PENDING, [told], self.now)

    def reject(self, posting: Posting, reasons: Sequence[Reason], *, replan: bool = False) -> None:
        """A definite no: nothing is in the ledger. What waited for this record is told why."""
        self._touch(posting)
        drop(self.db, posting, PostingState.REJECTED, reasons, self.now)
        document = self._document(posting)
        if document is None:
            self._tell_dependents(posting, reasons[0])
            return
        again = replan and document.due_at is not None and document.reason_code != "reference_refused"
        if replan:
            self.references_refused = True
        if again:
            due = document.due_at
            set_status(self.db, document, Status.PENDING, [Reason("reference_refused", reasons[0].params)], self.now)
            document.due_at, document.prepared = due, False
        else:
            set_status(self.db, document, Status.FAULT, reasons, self.now)
        step(self.db, document, self.now, "refused", reasons[0].sentence())

    def person(self, posting: Posting, reasons: Sequence[Reason]) -> None:
        self._touch(posting)
        posting.state, posting.next_action_at = PostingState.NEEDS_HUMAN, None
        posting.reasons = [r.to_json() for r in reasons]
        document = self._document(posting)
        if document is None:
            self._tell_dependents(posting, reasons[0])
            return
        set_status(self.db, document, Status.FAULT, reasons, self.now)
        step(self.db, document, self.now, "person", reasons[0].sentence())

    # ---- look-ups -------------------------------------------------------------------------------------------

    def sought(self, posting: Posting) -> list[Sought]:
        """What to ask for: by the id a refusal named, by number, by name, else by creation time."""
        key, kind = str(posting.id), Kind(posting.ledger_kind)
        draft = codec.load_draft(posting.ledger_kind, posting.draft)
        since = (posting.first_sent_at or self.now) - timedelta(minutes=10)
        if isinstance(draft, Draft):
            named = self._hint(posting).get("ledger_id") or None
            return [Sought(key, kind, number=draft.number, since=None if draft.number else since, ledger_id=named)]
        wanted = [Sought(key, kind, name=draft.name)]
        if isinstance(draft, PartyDraft) and self._hint(posting):
            wanted.append(Sought(f"{key}/vendor", Kind.VENDOR, name=draft.name))
        return wanted

    def looked_up(self, posting: Posting, found: Sequence[Done], vendors: Sequence[Done] = ()) -> None:
        """Settle one UNKNOWN by what the ledger holds now."""
        posting.lookups += 1
        live = [record for record in found if record.echo.live]
        draft = codec.load_draft(posting.ledger_kind, posting.draft)
        if isinstance(draft, Draft):
            ours = [record for record in live if posting.marker in (record.echo.marker or "")]
            self._document_found(posting, draft, ours, [r for r in live if r not in ours])
            return
        same = [record for record in live if fold(record.echo.name or "") == fold(draft.name)]
        if same:
            self.done(posting, same[0], "lookup")
        elif [record for record in vendors if record.echo.live]:
            self.reject(posting, [reason("customer_is_vendor", name=draft.name)])
        else:
            self._absent(posting, protected=posting.ledger_kind in self.capabilities.refuses_second_copy)

    def _document_found(self, posting: Posting, draft: Draft, ours: list[Done], others: list[Done]) -> None:
        if ours:
            ours.sort(key=lambda record: (record.echo.created_at is None, record.echo.created_at, record.ledger_id))
            self.done(posting, ours[0], "lookup")
            document = self._document(posting)
            if len(ours) > 1 and document is not None:
                step(self.db, document, self.now, "alarm", f"QuickBooks holds {len(ours)} copies: "
                     + ", ".join(record.ledger_id for record in ours))
        elif others and draft.number and self._hint(posting).get("hint") == Refusal.DUPLICATE_NUMBER:
            self.person(posting, [reason("number_taken", number=draft.number, ledger_id=others[0].ledger_id)])
        else:
            numbered = draft.number is not None
            self._absent(posting, protected=numbered and posting.ledger_kind in self.capabilities.refuses_second_copy)

    def _absent(self, posting: Posting, *, protected: bool) -> None:
        """Not there (as far as the ledger shows): wait, send again under the same key, or end."""
        self._touch(posting)
        ends = (posting.last_sent_at or self.now) + timedelta(seconds=self.quarantine)
        # A no ends the document only when an earlier request can no longer arrive, whatever the ledger checks:
        # a Fault says that nothing is in the books. Room for another try is safe where a second copy is refused.
        if posting.renew and (self.now >= ends or (protected and not posting.reasons)):
            posting.renew = False
            if posting.reasons:
                self.reject(posting, [Reason.from_json(value) for value in posting.reasons])
            else:
                self._make_room(posting)
        elif posting.sends >= MAX_SENDS or posting.lookups >= MAX_LOOKUPS:
            number = str(posting.draft.get("number") or posting.draft.get("name") or "")
            self.person(posting, [reason("cannot_settle", tries=posting.lookups, number=number)])
        elif self._hint(posting):
            # The ledger says "already used" and does not show it: its reads lag behind. Ask again, ever more slowly.
            posting.next_action_at = self.now + timedelta(seconds=min(2.0 ** min(posting.lookups, 5), 30.0))
        elif (posting.renew or not protected) and self.now < ends:
            posting.next_action_at = ends
        else:
            posting.state = PostingState.READY
            backoff = 0.0 if posting.sends < 3 else min(2.0 ** posting.sends, 60.0)
            posting.next_action_at = self.now + timedelta(seconds=backoff)

    def _make_room(self, posting: Posting) -> None:
        """A person asked for another try and the ledger has nothing: the next generation goes under a new key."""
        drop(self.db, posting, PostingState.REJECTED, [], self.now)
        document = self._document(posting)
        if document is None:
            for waiting in self._dependents(posting):
                self.db.get_one(Document, waiting.document_id).prepared = False
            return
        document.prepared = False
        code = "waits_for_sync" if document.due_at is None else "queued"
        set_status(self.db, document, Status.PENDING, [reason(code)], self.now)

    def _dependents(self, need: Posting) -> Sequence[Posting]:
        """Documents' postings that wait for this customer or item."""
        return self.db.scalars(
            select(Posting).join(PostingNeed, PostingNeed.posting_id == Posting.id)
            .where(PostingNeed.need_id == need.id, Posting.state == PostingState.NEW)
        ).all()

    # ---- details --------------------------------------------------------------------------------------------

    def _touch(self, posting: Posting) -> None:
        posting.fence, posting.changed_at = self.fence, self.now

    def _sent_before(self, posting: Posting) -> datetime | None:
        """When it was sent before the send that was answered with a no just now: that one is still unsettled."""
        rows = self.db.execute(
            select(Attempt.started_at, BatchRow.members).join(BatchRow, BatchRow.id == Attempt.batch_id)
            .where(BatchRow.company_id == posting.company_id, BatchRow.key == posting.batch_key)
            .order_by(Attempt.id.desc())
        ).all()
        mine = [at for at, members in rows if any(member[0] == posting.id for member in members)]
        return mine[1] if len(mine) > 1 else posting.last_sent_at

    def _document(self, posting: Posting) -> Document | None:
        return self.db.get(Document, posting.document_id) if posting.document_id else None

    def _hint(self, posting: Posting) -> dict[str, str]:
        """What a refusal "already used" told, while it is not settled."""
        params = (posting.reasons[0].get("params") or {}) if posting.reasons else {}
        return params if params.get("hint") else {}

    def _created(self, posting: Posting, done: Done) -> None:
        """A customer or item exists now: link it, put it into the mirror, let the documents go."""
        posting.state, posting.next_action_at, posting.reasons = PostingState.DONE, None, []
        how = "created" if posting.confirmed_by == "response" else "found by name"
        name = str(posting.draft.get("name", ""))
        if posting.kind == "customer":
            add_link(self.db, posting.company_id, "customer", posting.source_id, name, done.ledger_id, how, self.now)
        if done.echo.record is not None:
            mirror.merge(self.db, posting.company_id, [done.echo.record], self.now)

    def _posted(self, posting: Posting, done: Done, by: str) -> None:
        document = self.db.get_one(Document, posting.document_id)
        draft = codec.load(Draft, posting.draft)
        document.ledger_kind, document.ledger_id = posting.ledger_kind, done.ledger_id
        document.ledger_number = done.number
        problem = echo_problem(draft, done, self.tenant, posting)
        if problem is not None:
            self.person(posting, [reason("echo_differs", what=problem)])
            return
        posting.state, posting.reasons = PostingState.CONFIRMED, []
        posting.marked_at = posting.marked_at or self.now.replace(microsecond=0)
        posting.next_action_at = self.now
        document.ledger_total, document.completed_at = done.echo.total, self.now
        total = done.echo.total
        document.rounded = (-draft.rounded if draft.kind == Kind.CREDIT_MEMO else draft.rounded) or None
        set_flag(document, Flag.ROUNDED, bool(draft.rounded))
        set_flag(document, Flag.DIFFERS, total is not None and total != draft.total)
        set_status(self.db, document, Status.COMPLETE, [], self.now)
        found = "Found in QuickBooks after no answer; not sent again"
        text = "Confirmed by QuickBooks' answer" if by == "response" else found
        step(self.db, document, self.now, "confirmed", text, ledger_id=done.ledger_id, number=done.number, by=by)

    def _tell_dependents(self, need: Posting, why: Reason) -> None:
        told = why
        if why.code != "customer_is_vendor":
            code = "customer_refused" if need.kind == "customer" else "item_refused"
            message = why.params.get("message") or why.sentence()
            told = reason(code, name=need.draft.get("name"), message=message, code=why.params.get("code", ""))
        for posting in self._dependents(need):
            self.reject(posting, [told])

    def _reason(self, posting: Posting, fault: LedgerFault) -> Reason:
        number = str(posting.draft.get("number") or "")
        code = {
            Refusal.DUPLICATE_NUMBER: "number_taken",
            Refusal.BAD_REFERENCE: "reference_refused",
            Refusal.SUBSCRIPTION: "subscription",
        }.get(fault.refusal, "ledger_refused")
        if fault.refusal is Refusal.CLOSED_PERIOD:
            return reason("ledger_refused", message=fault.message, code=fault.code)
        return reason(code, number=number, message=fault.message, code=fault.code)


def echo_problem(draft: Draft, done: Done, tenant: str, posting: Posting) -> str | None:
    """What differs between the draft and what the ledger says it holds; None when it is the same document."""
    echo = done.echo
    if echo.tenant != tenant:
        return "it is in another company"
    if draft.party.ledger_id and echo.party_id and echo.party_id != draft.party.ledger_id:
        return f"customer {echo.party_id} instead of {draft.party.ledger_id}"
    if draft.number is not None and echo.number != draft.number:
        return f"number {echo.number or 'none'} instead of {draft.number}"
    if echo.currency and echo.currency != draft.currency:
        return f"currency {echo.currency} instead of {draft.currency}"
    if echo.lines is not None and echo.lines != len(draft.lines):
        return f"{echo.lines} lines instead of {len(draft.lines)}"
    return None


def resolved(draft: Draft | PartyDraft | ItemDraft, ids: dict[tuple[str, str], str]) -> Draft | PartyDraft | ItemDraft:
    """The draft with ids in place of "new customer Acme". Raises KeyError while one is missing."""


    if not isinstance(draft, Draft):
        return draft
    party = draft.party if draft.party.ledger_id else replace(draft.party, ledger_id=ids["customer", draft.party.key])
    lines = tuple(
        line if line.item.ledger_id else replace(line, item=replace(line.item, ledger_id=ids["item", line.item.key]))
        for line in draft.lines
    )
    return replace(draft, party=party, lines=lines)


