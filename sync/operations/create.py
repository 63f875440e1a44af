"""Creations: documents, customers and items. Proven by number, by name, or by creation time and our marker.

A re-send before a look-up is safe only where the ledger itself refuses a second copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select

from connectors.ledgers.base import Done, Kind, Ledger, Refusal, Refused, Sought
from domain.documents import Draft, ItemDraft, PartyDraft
from domain.matching import fold
from domain.order_documents import ORDER
from domain.reasons import Reason, reason
from domain.statuses import Flag, PostingState, Status
from models import Document, Posting
from sync import attaching, closing, codec, delivery, mirror, orders, promoting, taxsums
from sync.documents import set_flag, set_status, step
from sync.looking import THERE, where
from sync.operations.base import Operation, kind_of
from sync.prepare import REPLANNED, add_link

if TYPE_CHECKING:
    from sync.settle import Settling


ABSENT = "absent"
"""In place of the version of a record that was looked for before the first send: nothing bears the number."""


class Create(Operation):
    name = "create"

    def payload(self, ledger: Ledger, posting: Posting, created: Mapping[tuple[str, str], str]) -> bytes:
        draft = resolved(codec.load_draft(posting.ledger_kind, posting.draft), created)
        posting.draft = codec.dump(draft)
        return ledger.payload(draft, {})

    # ---- a creation that would change what bears its number --------------------------------------------------

    def read(self, s: Settling, posting: Posting, found: Sequence[Done]) -> None:
        """What bears the number, where a creation under it would change that record: nobody else's is touched."""
        gone = _removed(s, posting)
        live = [record for record in found if record.echo.live and record.ledger_id not in gone]
        others = [record for record in live if posting.marker not in (record.echo.marker or "")]
        if others:
            s.reject(posting, [reason("number_taken", number=posting.target_id, ledger_id=others[0].ledger_id)])
        elif live:
            s.done(posting, live[0], "lookup")
        else:
            posting.base_version, posting.next_action_at = ABSENT, s.now

    # ---- answers --------------------------------------------------------------------------------------------

    def done(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        posting.ledger_id, posting.ledger_number = done.ledger_id, done.number
        posting.confirmed_by = by
        if posting.document_id is None:
            self._created(s, posting, done)
        else:
            self._posted(s, posting, done, by)

    def refused(self, s: Settling, posting: Posting, refused: Refused) -> None:
        """Not sure yet: a duplicate may be our own; a no after a lost answer proves nothing of the first."""
        fault = refused.faults[0]
        why = self.reason(posting, fault)
        if fault.refusal in (Refusal.DUPLICATE_NUMBER, Refusal.DUPLICATE_NAME, Refusal.TRANSIENT):
            transient = fault.refusal is Refusal.TRANSIENT
            s.unknown(posting, f"{fault.code} {fault.message}"[:200], wait=2 if transient else 0)
            if not transient:
                hint = {"hint": str(fault.refusal), "ledger_id": fault.ledger_id or ""}
                posting.reasons = [Reason(why.code, {**why.params, **hint}).to_json()]
            return
        if posting.sends > 1:
            s.refused_after_lost(posting, why, fault.message)
            return
        s.profile_refused |= fault.refusal in (Refusal.CLOSED_PERIOD, Refusal.FEATURE_OFF)
        if fault.refusal is Refusal.DUE_DATE:
            mirror.learn(s.db, posting.company_id, takes_early_due=False)
        s.reject(posting, [why], replan=why.code in REPLANNED)

    # ---- look-ups -------------------------------------------------------------------------------------------

    def sought(self, s: Settling, posting: Posting) -> list[Sought]:
        """By the id that an answer or the reconciliation named, by number, by name, else by creation time."""
        key, kind = str(posting.id), kind_of(posting)
        draft = codec.load_draft(posting.ledger_kind, posting.draft)
        since = (posting.first_sent_at or s.now) - timedelta(minutes=10)
        if isinstance(draft, Draft):
            there, named = where(posting), s.hint(posting).get("ledger_id") or None
            if there is not None:
                kind, named = Kind(there[0]), there[1]
            return [Sought(key, kind, number=draft.number, since=None if draft.number else since, ledger_id=named)]
        wanted = [Sought(key, kind, name=draft.name)]
        if isinstance(draft, PartyDraft) and s.hint(posting):
            other = Kind.CUSTOMER if kind is Kind.VENDOR else Kind.VENDOR
            wanted.append(Sought(f"{key}/vendor", other, name=draft.name))
        return wanted

    def looked_up(self, s: Settling, posting: Posting, found: Sequence[Done], vendors: Sequence[Done]) -> None:
        gone = _removed(s, posting)
        live = [record for record in found if record.echo.live and record.ledger_id not in gone]
        draft = codec.load_draft(posting.ledger_kind, posting.draft)
        if isinstance(draft, Draft):
            ours = [record for record in live if posting.marker in (record.echo.marker or "")]
            self._document_found(s, posting, draft, ours, [r for r in live if r not in ours])
            return
        same = [record for record in live if fold(record.echo.name or "") == fold(draft.name)]
        if same:
            s.done(posting, same[0], "lookup")
        elif [record for record in vendors if record.echo.live]:
            clash = "vendor_is_customer" if posting.kind == Kind.VENDOR else "customer_is_vendor"
            s.references_refused = True
            s.reject(posting, [reason(clash, name=draft.name)])
        else:
            s.absent(posting, protected=posting.ledger_kind in s.capabilities.refuses_second_copy)

    def _document_found(
        self, s: Settling, posting: Posting, draft: Draft, ours: list[Done], others: list[Done]
    ) -> None:
        if ours:
            ours.sort(key=lambda record: (record.echo.created_at is None, record.echo.created_at, record.ledger_id))
            s.done(posting, ours[0], "lookup")
            document = s.document(posting)
            if len(ours) > 1 and document is not None:
                step(s.db, document, s.now, "alarm", f"{{the_ledger}} holds {len(ours)} copies: "
                     + ", ".join(record.ledger_id for record in ours))
        elif others and draft.number and posting.ledger_kind in s.capabilities.edited_by_number:
            s.person(posting, [reason("number_taken", number=draft.number, ledger_id=others[0].ledger_id)])
        elif others and draft.number and s.hint(posting).get("hint") == Refusal.DUPLICATE_NUMBER:
            taken = [reason("number_taken", number=draft.number, ledger_id=others[0].ledger_id)]
            if posting.sends == 1 and posting.ledger_kind not in s.capabilities.refuses_second_copy:
                # Its only send was refused for a number that the ledger does not number by: the source may give
                # another one (a bill's is the vendor's), and then it is planned anew.
                s.reject(posting, taken)
            else:
                s.person(posting, taken)
        else:
            numbered = draft.number is not None
            s.absent(posting, protected=numbered and posting.ledger_kind in s.capabilities.refuses_second_copy)

    # ---- what follows ---------------------------------------------------------------------------------------

    def _created(self, s: Settling, posting: Posting, done: Done) -> None:
        """A customer or item exists now: link it, put it into the mirror, let the documents go."""
        posting.state, posting.next_action_at, posting.reasons = PostingState.DONE, None, []
        how = "created" if posting.confirmed_by == "response" else "found by name"
        name = str(posting.draft.get("name", ""))
        if posting.kind in ("customer", "vendor"):
            add_link(s.db, posting.company_id, posting.kind, posting.source_id, name, done.ledger_id, how, s.now)
        if done.echo.record is not None:
            mirror.merge(s.db, posting.company_id, [done.echo.record], s.now)
        if posting.kind == Kind.VENDOR and how != "created":
            s.plan_again(posting)  # Bills of a vendor who was there already may be there, too.

    def _posted(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        document = s.db.get_one(Document, posting.document_id)
        draft = codec.load(Draft, posting.draft)
        document.ledger_kind, document.ledger_id = done.echo.kind, done.ledger_id
        document.ledger_number = done.number
        recognised = by == "lookup" and THERE in (posting.terms or {})
        problem = echo_problem(draft, done, s.tenant, renumbered=recognised)
        if problem is not None:
            s.person(posting, [reason("echo_differs", what=problem)])
            return
        posting.state, posting.reasons = PostingState.CONFIRMED, []
        posting.marked_at = posting.marked_at or s.now.replace(microsecond=0)
        posting.next_action_at = s.now
        document.completed_at = s.now
        holds(document, draft, done)
        set_status(s.db, document, Status.COMPLETE, [], s.now)
        found = "Found in {the_ledger} after no answer; not sent again"
        text = "Confirmed by {the_ledgers} answer" if by == "response" else found
        step(s.db, document, s.now, "confirmed", text, ledger_id=done.ledger_id, number=done.number, by=by)
        if recognised and draft.number not in (None, done.number):
            told = f"It was given another number there since: {done.number or 'none'} instead of {draft.number}"
            step(s.db, document, s.now, "renumbered", told)
        if done.echo.warnings:
            step(s.db, document, s.now, "warned", "Taken, with a warning: " + "; ".join(done.echo.warnings))
        if draft.foreign and done.echo.rate == 1:
            told = f"The ledger booked it with rate 1: one {draft.currency} as one of its own currency"
            step(s.db, document, s.now, "rate 1", told)
        if document.kind == ORDER:
            orders.confirmed(s.db, document, posting, done)
            closing.want(s, document, posting)
        else:
            attaching.want(s, document, posting, done)
            delivery.want(s, document, posting, done)
        promoting.want(s, document, posting, done)
        total = compared_total(draft, done)
        if total not in (None, draft.total):
            told = "The ledger's total is another one ({} instead of {}); it is not posted again"
            step(s.db, document, s.now, "differs", told.format(total, draft.total))


def compared_total(draft: Draft, done: Done) -> Decimal | None:
    """The ledger's total as it is compared with the draft's: of a purchase the net, as no tax is transferred (R78)."""
    total, tax = done.echo.total, done.echo.tax
    bought = draft.kind in (Kind.BILL, Kind.PURCHASE_ORDER)
    return total - tax if bought and total is not None and tax else total


def _removed(s: Settling, posting: Posting) -> set[str | None]:
    """Copies of this document that were taken out before it: a lagging read may still show them."""
    if posting.document_id is None or posting.generation == 1:
        return set()
    return set(s.db.scalars(select(Posting.ledger_id).where(
        Posting.document_id == posting.document_id, Posting.operation == posting.operation,
        Posting.generation < posting.generation, Posting.ledger_id.is_not(None),
    )))


def holds(document: Document, draft: Draft, done: Done) -> None:
    """What the ledger holds now for this document; another total is flagged, never hidden."""
    total = compared_total(draft, done)
    document.ledger_total = done.echo.total
    document.rounded = (-draft.rounded if draft.kind == Kind.CREDIT_MEMO else draft.rounded) or None
    document.default_lines = draft.default_lines or None
    document.ledger_date = draft.date if draft.moved_from else None
    document.ledger_open = done.echo.balance
    set_flag(document, Flag.ROUNDED, bool(draft.rounded))
    set_flag(document, Flag.DIFFERS, total is not None and total != draft.total)
    set_flag(document, Flag.REDATED, draft.moved_from is not None)
    set_flag(document, Flag.RATE_ONE, draft.foreign and done.echo.rate == 1)
    set_flag(document, Flag.ACCEPTED, on=False)
    document.ledger_tax, document.tax_sums = done.echo.tax, taxsums.stored(draft, done.echo)
    document.accepted = None  # an earlier difference was another one


def echo_problem(draft: Draft, done: Done, tenant: str, *, renumbered: bool = False) -> str | None:
    """What differs between the draft and what the ledger says it holds; None when it is the same document.
    `renumbered`: it is known by its marker, and people may have given it another number."""
    echo = done.echo
    if echo.tenant != tenant:
        return "it is in another company"
    if echo.kind != draft.kind:
        return f"{echo.kind} instead of {draft.kind}".replace("_", " ")
    if draft.party.ledger_id and echo.party_id and echo.party_id != draft.party.ledger_id:
        return f"{draft.party.kind} {echo.party_id} instead of {draft.party.ledger_id}"
    if draft.number is not None and echo.number != draft.number and not renumbered:
        return f"number {echo.number or 'none'} instead of {draft.number}"
    if echo.currency and echo.currency != draft.currency:
        return f"currency {echo.currency} instead of {draft.currency}"
    if echo.lines is not None and echo.lines != len(draft.lines):
        return f"{echo.lines} lines instead of {len(draft.lines)}"
    return None


def resolved(
    draft: Draft | PartyDraft | ItemDraft, ids: Mapping[tuple[str, str], str]
) -> Draft | PartyDraft | ItemDraft:
    """The draft with ids in place of "new customer Acme". Raises KeyError while one is missing."""
    if isinstance(draft, PartyDraft) and draft.parent is not None and draft.parent.ledger_id is None:
        return replace(draft, parent=replace(draft.parent, ledger_id=ids["customer", draft.parent.key]))
    if not isinstance(draft, Draft):
        return draft
    party = draft.party
    party = party if party.ledger_id else replace(party, ledger_id=ids[party.kind, party.key])
    lines = tuple(
        line if line.item.ledger_id else replace(line, item=replace(line.item, ledger_id=ids["item", line.item.key]))
        for line in draft.lines
    )
    return replace(draft, party=party, lines=lines)
