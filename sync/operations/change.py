"""Changes of a record that exists: void it, replace its content. Each names the version of the record it saw.

The ledger applies such a write to that version or not at all, so going again before it is looked up is safe: a second
copy is refused as stale. The look-up is the record's own state. Once its version moved on, nothing of ours that is
still under way can apply any more, so the next generation may begin at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Change, Done, Ledger, LedgerFault, Refusal, Refused, Sought
from domain.documents import Draft
from domain.money import plain
from domain.reasons import Reason, reason
from domain.statuses import OPEN_STATES, Flag, PostingState, Status
from models import Company, Document, Posting
from sync import claims, codec, mirror
from sync.documents import set_flag, set_status, step
from sync.lease import wake
from sync.operations.base import Operation, kind_of
from sync.operations.create import compared_total, echo_problem, holds, resolved

if TYPE_CHECKING:
    from datetime import datetime

    from sync.settle import Settling

MOST_GENERATIONS = 5
"""How often a change is planned again by itself because somebody else was quicker."""
VOID, UPDATE, UNLINK = "void", "update", "unlink"
_QUEUED = {UNLINK: VOID}
"""What waits for an operation is told in the words of another: it is only a step on the way."""


class RecordChange(Operation):
    """What voiding and replacing have in common."""

    refused_code: ClassVar[str]
    changed_code: ClassVar[str]
    """The Fault when the record changed again and again while it was about to be written."""
    unsure: ClassVar[frozenset[Refusal]] = frozenset({Refusal.STALE})
    """Refusals that only the record itself explains: our own write, or somebody else's."""

    def sought(self, s: Settling, posting: Posting) -> list[Sought]:
        return [Sought(str(posting.id), kind_of(posting), ledger_id=posting.target_id)]

    def read(self, s: Settling, posting: Posting, found: Sequence[Done]) -> None:
        record = found[0] if found else None
        if record is None and not absence_proves(s, posting):
            return
        if record is None or not record.echo.live:
            self.gone(s, posting, record)
            return
        objection = self.objection(s, posting, record)
        if objection is not None:
            s.reject(posting, [objection])
            return
        if not self.waits(s, posting):
            posting.base_version, posting.next_action_at = record.echo.version or "", s.now

    def refused(self, s: Settling, posting: Posting, refused: Refused) -> None:
        """The record itself says what became of it; only then a no counts."""
        fault = refused.faults[0]
        why = self.reason(posting, fault)
        s.profile_refused |= fault.refusal is Refusal.CLOSED_PERIOD
        if fault.refusal is Refusal.TRANSIENT:
            s.unknown(posting, f"{fault.code} {fault.message}"[:200], wait=2)
        elif posting.sends > 1:
            s.refused_after_lost(posting, why, fault.message)
        else:
            s.unknown(posting, f"{fault.code} {fault.message}"[:200], wait=0)
            posting.reasons = [why.to_json()]
        if fault.refusal in self.unsure:  # told apart as soon as the ledger shows the new version
            posting.renew = False
            posting.reasons = [Reason(why.code, {**why.params, "hint": str(fault.refusal)}).to_json()]

    def looked_up(self, s: Settling, posting: Posting, found: Sequence[Done], vendors: Sequence[Done]) -> None:
        record = found[0] if found else None
        if record is None and not absence_proves(s, posting):
            return
        if record is None or not record.echo.live:
            self.gone(s, posting, record)
        elif record.echo.version != posting.base_version:
            self.moved_on(s, posting, record)
        elif posting.reasons and posting.sends <= 1 and not s.hint(posting):
            s.reject(posting, [Reason.from_json(value) for value in posting.reasons])
        else:
            s.absent(posting, protected=True)

    def reason(self, posting: Posting, fault: LedgerFault) -> Reason:
        return reason(self.refused_code, number=posting.ledger_number, message=fault.message, code=fault.code)

    # ---- what each of them decides --------------------------------------------------------------------------

    def objection(self, s: Settling, posting: Posting, record: Done) -> Reason | None:
        """Why the record, as it stands, is not to be touched."""
        raise NotImplementedError

    def waits(self, s: Settling, posting: Posting) -> bool:
        """Something else must be written first: it was reserved, and this generation ended."""
        return False

    def gone(self, s: Settling, posting: Posting, record: Done | None) -> None:
        """The record is void or deleted."""
        raise NotImplementedError

    def moved_on(self, s: Settling, posting: Posting, record: Done) -> None:
        """The record is there in another version than the one we wanted to change."""
        raise NotImplementedError

    def _end(self, s: Settling, posting: Posting, by: str) -> Document:
        posting.state, posting.reasons, posting.next_action_at = PostingState.DONE, [], None
        posting.ledger_id, posting.confirmed_by = posting.target_id, by
        return s.db.get_one(Document, posting.document_id)


class Void(RecordChange):
    """Takes the record out of the books. Its terms say how much of it may be paid or credited: nothing, unless a
    person saw the amount and said so."""

    name = VOID
    sent = "Void sent to {the_ledger}"
    refused_code, changed_code = "void_refused", "void_changing"
    unsure = frozenset({Refusal.STALE, Refusal.BAD_REFERENCE})

    def payload(self, ledger: Ledger, posting: Posting, created: Mapping[tuple[str, str], str]) -> bytes:
        return ledger.change(Change(kind_of(posting), VOID, posting.target_id or "", posting.base_version or ""))

    def objection(self, s: Settling, posting: Posting, record: Done) -> Reason | None:
        echo, document = record.echo, s.db.get_one(Document, posting.document_id)
        number = document.ledger_number or document.number
        closed = mirror.profile_of(s.db.get_one(Company, posting.company_id)).closed_through
        if closed and echo.date is not None and echo.date <= date.fromisoformat(closed):
            return reason("void_closed", number=number, date=f"{echo.date:%d %b %Y}")
        if echo.total is None or echo.balance is None or echo.total == echo.balance:
            return None
        applied = plain(echo.total - echo.balance, document.currency)
        if applied == posting.terms.get("applied"):
            return None
        return reason(
            "void_paid", number=number, applied=applied, total=plain(echo.total, document.currency),
            currency=document.currency,
        )

    def waits(self, s: Settling, posting: Posting) -> bool:
        """A bill hangs on the order that it fulfils, and such a one is not deleted: it is taken off first."""
        if posting.ledger_kind not in s.capabilities.unlinks or posting.terms.get("unlinked"):
            return False
        document = s.db.get_one(Document, posting.document_id)
        draft = _written(s.db, document)
        if draft is None or not any(line.ordered for line in draft.lines):
            return False
        s.superseded(posting)
        reserve(s.db, document, UNLINK, codec.dump(draft), terms=_again(posting), now=s.now,
                interactive=posting.interactive)
        return True

    def done(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        if done.echo.live:
            s.unknown(posting, "the ledger's answer shows it as it was", wait=0)
            return
        done_to_it = "Voided" if _keeps_record(s, posting) else "Deleted"
        self._voided(s, posting, by, f"{done_to_it} in {{the_ledger}}")

    def gone(self, s: Settling, posting: Posting, record: Done | None) -> None:
        text = "Found void in {the_ledger}" if record is not None else "{the_ledger} does not hold it any more"
        self._voided(s, posting, "lookup", text if posting.sends else f"{text}: somebody was quicker")

    def moved_on(self, s: Settling, posting: Posting, record: Done) -> None:
        """Somebody changed it, or an unlinking was done: it is looked at again, as if it had just been asked for."""
        s.superseded(posting)
        if posting.generation >= posting.terms.get("first", 1) + MOST_GENERATIONS:
            s.reject(posting, [reason(self.changed_code, number=posting.ledger_number)])
            return
        document = s.db.get_one(Document, posting.document_id)
        reserve(
            s.db, document, self.name, posting.draft, terms=posting.terms, now=s.now, interactive=posting.interactive,
        )

    def reason(self, posting: Posting, fault: LedgerFault) -> Reason:
        if fault.refusal is Refusal.CLOSED_PERIOD:
            return reason("void_closed", number=posting.ledger_number, date="its date")
        return super().reason(posting, fault)

    def _voided(self, s: Settling, posting: Posting, by: str, text: str) -> None:
        document = self._end(s, posting, by)
        set_flag(document, Flag.VOIDED)
        set_status(s.db, document, Status.COMPLETE, [], s.now)
        step(s.db, document, s.now, "voided", text, ledger_id=posting.target_id, by=by)
        claims.release(s.db, document, s.now)


class Unlink(Void):
    """Takes a bill off the order that it fulfils: the same content without the links. Then the void itself follows,
    reserved in the transaction in which this is certainly done; a process that dies in between leaves one of the two
    open. A bill that a person changed there is left alone: what would be written is ours."""

    name = UNLINK
    writes = UPDATE
    sent = "Taken off its purchase order, sent to {the_ledger}"

    def payload(self, ledger: Ledger, posting: Posting, created: Mapping[tuple[str, str], str]) -> bytes:
        draft = codec.load(Draft, posting.draft)
        bare = replace(draft, lines=tuple(replace(line, ordered=None) for line in draft.lines))
        target, version = posting.target_id or "", posting.base_version or ""
        return ledger.change(Change(kind_of(posting), UPDATE, target, version, bare))

    def waits(self, s: Settling, posting: Posting) -> bool:
        return False

    def objection(self, s: Settling, posting: Posting, record: Done) -> Reason | None:
        changed = echo_problem(codec.load(Draft, posting.draft), record, s.tenant)
        if changed is not None:
            told = f"it was changed there ({changed}) and hangs on its order; take it off the order there"
            return reason(self.refused_code, number=record.number, message=told, code="–")
        return super().objection(s, posting, record)

    def done(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        document = self._end(s, posting, by)
        step(s.db, document, s.now, "unlinked", "Taken off its purchase order in {the_ledger}",
             ledger_id=posting.target_id, by=by)
        terms = {**_again(posting), "unlinked": True}
        reserve(s.db, document, VOID, posting.draft, terms=terms, now=s.now, interactive=posting.interactive)


class Update(RecordChange):
    """Replaces the content under the same id. Its terms may name the version a person looked at: another one is asked
    about again."""

    name = UPDATE
    sent = "Changes sent to {the_ledger}"
    refused_code, changed_code = "overwrite_refused", "overwrite_changed"

    def payload(self, ledger: Ledger, posting: Posting, created: Mapping[tuple[str, str], str]) -> bytes:
        draft = resolved(codec.load(Draft, posting.draft), created)
        posting.draft = codec.dump(draft)
        if not isinstance(draft, Draft):
            raise TypeError("only documents are replaced")
        target, version = posting.target_id or "", posting.base_version or ""
        return ledger.change(Change(kind_of(posting), UPDATE, target, version, draft))

    def objection(self, s: Settling, posting: Posting, record: Done) -> Reason | None:
        seen = posting.terms.get("version")
        if seen is not None and seen != record.echo.version:
            return reason(self.changed_code, number=record.number)
        return None

    def done(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        draft = codec.load(Draft, posting.draft)
        document = s.db.get_one(Document, posting.document_id)
        problem = echo_problem(draft, done, s.tenant) if done.echo.live else "it is void"
        if problem is not None:
            s.person(posting, [reason("echo_differs", what=problem)])
            return
        posting.ledger_id, posting.ledger_number, posting.confirmed_by = done.ledger_id, done.number, by
        posting.state, posting.reasons, posting.next_action_at = PostingState.CONFIRMED, [], s.now
        posting.marked_at = s.now.replace(microsecond=0)
        document.ledger_number, document.completed_at = done.number, s.now
        holds(document, draft, done)
        set_status(s.db, document, Status.COMPLETE, [], s.now)
        step(s.db, document, s.now, "replaced", "Replaced in {the_ledger} under the same id", ledger_id=done.ledger_id,
             by=by)

    def gone(self, s: Settling, posting: Posting, record: Done | None) -> None:
        s.reject(posting, [reason("overwrite_gone", number=posting.ledger_number)])

    def moved_on(self, s: Settling, posting: Posting, record: Done) -> None:
        """Ours, when it holds what was sent; otherwise a person decides with the new content in view."""
        draft = codec.load(Draft, posting.draft)
        same = compared_total(draft, record) == draft.total and posting.marker in (record.echo.marker or "")
        if posting.sends and same and echo_problem(draft, record, s.tenant) is None:
            s.done(posting, record, "lookup")
        else:
            s.reject(posting, [reason(self.changed_code, number=posting.ledger_number)])


def reserve(
    db: Session, document: Document, operation: str, draft: Any, *, terms: Mapping[str, Any], now: datetime,
    interactive: int = 0, ledger_kind: str | None = None,
) -> Posting:
    """Reserve a change of the document's ledger record; the serving process does the rest. An open one is joined.

    `draft` is a Draft as JSON (update) or a few words to show (void). The document is Pending Sync until it is sent.
    """
    original = db.get_one(Posting, document.posting_id)
    last = db.scalars(
        select(Posting).where(Posting.document_id == document.id, Posting.operation == operation)
        .order_by(Posting.generation.desc()).limit(1)
    ).first()
    if last is not None and last.state in OPEN_STATES:
        return last
    if last is not None and last.state == PostingState.NEEDS_HUMAN:  # it may be under way: the ledger is asked first
        last.state, last.reasons, last.lookups, last.sends = PostingState.UNKNOWN, [], 0, 1
        last.next_action_at, last.changed_at = now, now
        wake(db, document.company_id, now)
        return last
    generation = last.generation + 1 if last is not None else 1
    posting = Posting(
        company_id=document.company_id, document_id=document.id, ledger_tenant=original.ledger_tenant,
        source_tenant=original.source_tenant, kind=original.kind, source_id=original.source_id, operation=operation,
        part=original.part, generation=generation, ledger_kind=ledger_kind or document.ledger_kind,
        state=PostingState.NEW, draft=draft, marker=original.marker, target_id=document.ledger_id,
        terms={"first": generation, **terms}, ledger_number=document.ledger_number, next_action_at=now,
        interactive=interactive, created_at=now, changed_at=now, sends=0, lookups=0,
    )
    db.add(posting)
    db.flush()
    set_status(db, document, Status.PENDING, [reason(f"{_QUEUED.get(operation, operation)}_queued")], now)
    wake(db, document.company_id, now)
    return posting


def _again(posting: Posting) -> dict[str, Any]:
    """What was agreed to, for another operation, whose generations are counted by themselves."""
    return {name: value for name, value in posting.terms.items() if name != "first"}


def _written(db: Session, document: Document) -> Draft | None:
    """The frozen draft of our last write of the document's content."""
    posting = db.scalars(
        select(Posting).where(
            Posting.document_id == document.id, Posting.operation.in_(("create", UPDATE)),
            Posting.state.in_((PostingState.CONFIRMED, PostingState.DONE)),
        ).order_by(Posting.id.desc()).limit(1)
    ).first()
    draft = codec.load_draft(posting.ledger_kind, posting.draft) if posting is not None else None
    return draft if isinstance(draft, Draft) else None


def absence_proves(s: Settling, posting: Posting) -> bool:
    """A record that is not shown is gone only when it is old enough to be shown: reads lag behind. Else ask later."""
    made = s.db.get_one(Document, posting.document_id).completed_at or s.now
    ends = made + timedelta(seconds=s.quarantine)
    if s.now >= ends:
        return True
    posting.next_action_at = ends
    return False


def _keeps_record(s: Settling, posting: Posting) -> bool:
    return posting.ledger_kind in s.capabilities.can_void
