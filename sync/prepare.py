"""Reserving: released documents are planned once more under the lease and become postings with their needs.

One posting row per identity and generation; the unique key absorbs whatever is pressed twice. Claims on billing
items are taken in the same transaction (I21). Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities
from domain.customers import CREATE_NEW
from domain.documents import Draft, ItemDraft, PartyDraft
from domain.order_documents import ORDER
from domain.plan import Plan
from domain.reasons import Reason, Turn, reason
from domain.reissues import objection
from domain.statuses import PostingState, Status
from models import Company, Document, ItemClaim, Link, Posting, PostingNeed
from sync import alike, codec, holds, mirror, orders, reissues, release
from sync.areas import INVOICES, Area, by_area
from sync.documents import drop, end_unsent, park, set_status, step
from sync.looking import FRESH, look_first, look_for_copy, look_for_earlier, may_be_in_books
from sync.reading import marker_of, plans_for, status_of
from sync.tracing import planned as trace_plans

MAY_BE_REDRAFTED = (PostingState.NEW,)
ENDED = (PostingState.REJECTED, PostingState.SKIPPED)
REPLANNED = ("reference_refused", "period_refused", "due_date_refused")
"""Refusals after which a document is planned anew by itself, against lists and preferences read again."""


@dataclass(slots=True)
class Preparation:
    """One page of released documents turned into postings, within the caller's transaction."""

    db: Session
    company: Company
    now: datetime
    fence: int
    creations: dict[tuple[str, str], Posting] = field(default_factory=dict)
    reserved: list[tuple[Document, Plan, Posting]] = field(default_factory=list)
    links: set[tuple[str, str]] = field(default_factory=set)
    """Parties that are linked already: (customer or vendor, key)."""
    held: set[str] = field(default_factory=set)
    """Billing items that were claimed before this page."""
    unknown: Mapping[str, mirror.Sighting] = field(default_factory=dict)
    """What the last reconciliation found in the ledger and we have no posting for, by marker."""
    kept_back: dict[int, Reason] = field(default_factory=dict)
    """Documents that a person holds."""
    area: Area = INVOICES
    by_number: frozenset[str] = frozenset()
    """Kinds of which a creation changes the record that bears its number."""
    refusing: frozenset[str] = frozenset()
    """Kinds of which the ledger refuses a second copy by its number."""

    def page(self, rows: Sequence[Document], capabilities: Capabilities) -> None:
        """Documents of any area, each planned with its own settings."""
        self.by_number, self.refusing = capabilities.edited_by_number, capabilities.refuses_second_copy
        for area, part in by_area(rows):
            self._page(area, part, capabilities)

    def _page(self, area: Area, rows: Sequence[Document], capabilities: Capabilities) -> None:
        """Each row ends with a posting, or with a status that says why not; none stays due without one."""
        for row in rows:
            if row.lines is None:  # its header changed since it was released: it is read first
                for each in (row, *orders.waiting_bills(self.db, row)):
                    park(self.db, each)
                    set_status(self.db, each, Status.PENDING, [reason("waits_for_reading")], self.now)
        rows = _one_of_an_order([row for row in rows if row.lines is not None])
        self.area, self.reserved = area, []
        plans = plans_for(self.db, self.company.id, rows, capabilities, area.load(self.db, self.company.id))
        trace_plans(self.db, rows, plans, self.now)
        self._known_creations(plans)
        self.kept_back = holds.reasons(self.db, self.company.id, rows)
        self.unknown = mirror.unknown_of(self.db, self.company.id)
        claims = self._claims(plans)
        for row, planned in zip(rows, plans, strict=True):
            self._one(row, planned, claims)
        needs = [[self._creation(draft, p.interactive) for draft in plan.creations] for _, plan, p in self.reserved]
        self.db.flush()
        self._known_links()
        self._clear_needs()
        self._below_parents()
        for (row, planned, posting), wanted in zip(self.reserved, needs, strict=True):
            self._tie(row, planned, posting, wanted)
        self.db.flush()

    def _one(self, row: Document, planned: Plan, claims: dict[str, int]) -> None:
        row.prepared = True
        former = self.db.get(Posting, row.posting_id) if row.posting_id else None
        if former is not None and former.state not in (*MAY_BE_REDRAFTED, *ENDED):
            return
        if row.id in self.kept_back:
            holds.keep_back(self.db, row, self.kept_back[row.id], self.now)
            return
        if former is not None and may_be_in_books(former):  # set aside, and brought back by whatever way
            look_first(self.db, former, row, self.now)
            return
        if planned.draft is None:
            set_status(self.db, row, status_of(planned), planned.reasons, self.now)
            row.due_at = None
            end_unsent(self.db, row, planned.reasons, self.now)
            return
        if alike.unasked(row, planned.draft):
            if former is not None:
                former.next_action_at = None
            alike.look_again(row)
            return
        beside = [(other, plan.draft) for other, plan, _ in self.reserved if plan.draft is not None]
        there = alike.objection(self.db, row, planned, beside)
        if there is not None:
            set_status(self.db, row, Status.FAULT, [there], self.now)
            if former is not None and former.state == PostingState.NEW:
                drop(self.db, former, PostingState.REJECTED, [there], self.now)
            return
        unchanged = self._refused_before(row, former, planned.draft)
        if unchanged is not None:
            set_status(self.db, row, Status.FAULT, unchanged, self.now)
            return
        other_plan = release.changed(row, planned)
        if other_plan is not None:
            release.ask_again(self.db, row, planned, other_plan, self.now)
            return
        other = self._claimed_elsewhere(row, planned, claims)
        if other is not None:
            self._wait_for(row, other)
            return
        self._reserve(row, planned, planned.draft, former)
        items = set(self.area.claims(planned))
        for item in [item for item, holder in claims.items() if holder == row.id and item not in items]:
            del claims[item]  # It is no longer on this document.
            self.held.discard(item)
        claims.update(dict.fromkeys(items, row.id))

    def _refused_before(self, row: Document, former: Posting | None, draft: Draft) -> list[Reason] | None:
        """After a refusal of the lists or dates that were planned with, only a changed plan is sent again by itself."""
        if former is None or former.state != PostingState.REJECTED or row.reason_code not in REPLANNED:
            return None
        if former.plan_digest != codec.digest(codec.dump(draft)):
            return None
        return [Reason.from_json(value) for value in former.reasons]

    def _reserve(self, row: Document, planned: Plan, draft: Draft, former: Posting | None) -> None:
        posting = former if former is not None and former.state == PostingState.NEW else None
        if posting is None:
            posting = Posting(
                company_id=self.company.id, document_id=row.id, ledger_tenant=self.company.ledger_tenant,
                source_tenant=row.source_tenant, kind=row.kind, source_id=row.source_id, operation="create",
                part=row.part, generation=former.generation + 1 if former else 1, state=PostingState.NEW,
                marker=marker_of(self.company, row), created_at=self.now, sends=0, lookups=0,
            )
            self.db.add(posting)
        posting.ledger_kind, posting.draft = draft.kind, codec.dump(draft)
        posting.target_id, posting.base_version = self._would_change(draft), None
        if row.kind == ORDER:
            orders.record(row, planned.document, draft)
        posting.plan_digest = codec.digest(posting.draft)
        posting.next_action_at, posting.interactive = self.now, int(row.interactive)
        posting.fence, posting.changed_at = self.fence, self.now
        row.fingerprint = posting.plan_digest
        if row.reason_code != "queued":
            set_status(self.db, row, Status.PENDING, [reason("queued")], self.now)
        self._look_first_if_there(row, posting)
        self._look_first_if_tried(row, posting, former, draft)
        self.reserved.append((row, planned, posting))
        step(self.db, row, self.now, "checked", "Checked and reserved for posting", generation=posting.generation,
             notes=list(draft.notes))

    def _would_change(self, draft: Draft) -> str | None:
        """The number whose record is read before the first send, where a creation under it would change that record."""
        return draft.number[:64] if draft.number and draft.kind in self.by_number else None

    def _look_first_if_there(self, row: Document, posting: Posting) -> None:
        """The last reconciliation saw a document of this marker in the ledger: it is looked up before it is sent, once,
        whatever was known of the document before (a restored database may know an earlier try)."""
        seen = self.unknown.get(posting.marker)
        if seen is not None:
            look_for_copy(self.db, posting, row, seen, self.now)
            mirror.looked_for(self.db, self.company.id, [posting.marker])

    def _look_first_if_tried(self, row: Document, posting: Posting, former: Posting | None, draft: Draft) -> None:
        """Where the ledger would take a second copy, another try looks for the one before, not long before it goes."""
        if former is None or former.state != PostingState.REJECTED or former.first_sent_at is None:
            return
        refuses = draft.number is not None and draft.kind in self.refusing
        looked = not former.sends and self.now - former.changed_at < FRESH
        if posting.state == PostingState.NEW and not refuses and not looked:
            look_for_earlier(self.db, posting, former, row, self.now)

    def _tie(self, row: Document, planned: Plan, posting: Posting, needs: Sequence[Posting]) -> None:
        """The posting has its id now: the document, its billing items, its needs and its customer point to it."""
        if row.posting_id not in (None, posting.id):  # a copy that was taken out held them until now
            self.db.execute(
                update(ItemClaim).where(ItemClaim.posting_id == row.posting_id).values(posting_id=posting.id))
        row.posting_id = posting.id
        self._take_claims(row, planned, posting)
        self.db.add_all([
            PostingNeed(posting_id=posting.id, need_id=need_id, company_id=self.company.id)
            for need_id in dict.fromkeys(need.id for need in needs)
        ])
        if planned.draft is not None:
            self._link(planned.draft)

    # ---- billing items: billed once -------------------------------------------------------------------------

    def _claims(self, plans: Sequence[Plan]) -> dict[str, int]:
        """Claimed billing items of these documents → the document whose posting holds them."""
        ids = [key for planned in plans for key in self.area.claims(planned)]
        claims: dict[str, int] = {}
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            found = self.db.execute(
                select(ItemClaim.item_id, Posting.document_id)
                .join(Posting, Posting.id == ItemClaim.posting_id)
                .where(ItemClaim.company_id == self.company.id, ItemClaim.item_id.in_(part),
                       ItemClaim.source_tenant == self.company.source_tenant)
            )
            claims.update({item_id: document_id for item_id, document_id in found if document_id is not None})
        self.held = set(claims)
        return claims

    def _claimed_elsewhere(self, row: Document, planned: Plan, claims: dict[str, int]) -> Document | None:
        """The document that holds one of its items; one beside which a person said to post it does not count."""
        holders = {claims[key] for key in self.area.claims(planned) if key in claims}
        allowed = (row.reissue_allowed or {}).get("of")
        for document_id in sorted(holders - {row.id, allowed}):
            return self.db.get_one(Document, document_id)
        return None

    def _wait_for(self, row: Document, other: Document) -> None:
        """Its items are in the books on another document; which was voided in the source, maybe."""
        park(self.db, row)
        why = reason("billed_before", other=other.ledger_number or other.number or other.source_id)
        if other.voided_at is not None:  # of another customer, or the plan had seen it
            row.reissue_of = other.id
            why = objection(reissues.earlier(other), same_items=True) or why
        status = Status.FAULT if why.turn is Turn.FAULT else Status.PENDING
        set_status(self.db, row, status, [why], self.now)

    def _take_claims(self, row: Document, planned: Plan, posting: Posting) -> None:
        """New claims; those the same document holds already stay, those of items no longer on it end."""
        items = self.area.claims(planned)
        self.db.execute(delete(ItemClaim).where(
            ItemClaim.posting_id == posting.id, ItemClaim.item_id.not_in(items)
        ))
        self.db.add_all([
            ItemClaim(company_id=self.company.id, source_tenant=row.source_tenant, item_id=item, posting_id=posting.id)
            for item in items if item not in self.held
        ])

    # ---- what must exist first ------------------------------------------------------------------------------

    def _known_creations(self, plans: Sequence[Plan]) -> None:
        wanted: dict[str, set[str]] = {"customer": set(), "vendor": set(), "item": set()}
        for planned in plans:
            for draft in planned.creations:
                wanted[_kind(draft)].add(draft.key)
        for kind, keys in wanted.items():
            ordered = sorted(keys)
            for start in range(0, len(ordered), 500):
                rows = self.db.scalars(select(Posting).where(
                    Posting.company_id == self.company.id, Posting.kind == kind,
                    Posting.ledger_tenant == self.company.ledger_tenant,
                    Posting.source_id.in_(ordered[start : start + 500]),
                ).order_by(Posting.generation))
                self.creations.update({(kind, row.source_id): row for row in rows})

    def _clear_needs(self) -> None:
        """What an earlier plan of these postings needed; a posting planned again may need something else."""
        ids = [posting.id for _, _, posting in self.reserved]
        if ids:
            self.db.execute(delete(PostingNeed).where(PostingNeed.posting_id.in_(ids)))

    def _below_parents(self) -> None:
        """A sub-customer is created after its parent."""
        below = [
            (self.creations["customer", made.key].id, self.creations["customer", made.parent.key].id)
            for _, planned, _ in self.reserved for made in planned.creations
            if isinstance(made, PartyDraft) and made.parent is not None and made.parent.ledger_id is None
        ]
        known = set(self.db.execute(select(PostingNeed.posting_id, PostingNeed.need_id).where(
            PostingNeed.posting_id.in_([sub for sub, _ in below])
        )).tuples()) if below else set()  # fmt: skip
        self.db.add_all([
            PostingNeed(posting_id=sub, need_id=parent, company_id=self.company.id)
            for sub, parent in dict.fromkeys(below) if (sub, parent) not in known
        ])

    def _creation(self, draft: PartyDraft | ItemDraft, interactive: int) -> Posting:
        kind = _kind(draft)
        need = self.creations.get((kind, draft.key))
        if need is None or need.state in ENDED:
            need = Posting(
                company_id=self.company.id, ledger_tenant=self.company.ledger_tenant,
                source_tenant=self.company.source_tenant or "", kind=kind, source_id=draft.key, operation="create",
                part="", generation=need.generation + 1 if need else 1, ledger_kind=kind, state=PostingState.NEW,
                draft=codec.dump(draft), plan_digest=codec.digest(codec.dump(draft)), created_at=self.now,
                sends=0, lookups=0,
            )
            self.db.add(need)
            self.creations[(kind, draft.key)] = need
        if need.state == PostingState.NEEDS_HUMAN:
            # Asked for again: the ledger is looked at first, and only what is proven absent is created anew.
            need.state, need.renew, need.reasons, need.lookups = PostingState.UNKNOWN, True, [], 0
            need.next_action_at, need.fence, need.changed_at = self.now, self.fence, self.now
        if need.state == PostingState.NEW:
            need.next_action_at, need.fence, need.changed_at = self.now, self.fence, self.now
            need.interactive = max(need.interactive or 0, interactive)
        return need

    def _known_links(self) -> None:
        keys = sorted({planned.draft.party.key for _, planned, _ in self.reserved if planned.draft is not None})
        self.links.update((kind, key) for kind, key in self.db.execute(select(Link.kind, Link.source_key).where(
            Link.company_id == self.company.id, Link.kind.in_(("customer", "vendor")), Link.source_key.in_(keys),
            Link.ledger_id != CREATE_NEW,
        )))

    def _link(self, draft: Draft) -> None:
        """A customer or vendor found by its exact name is linked once, so that a later renaming changes nothing."""
        party = draft.party
        if party.ledger_id is not None and (party.kind, party.key) not in self.links:
            known = (party.key, party.name, party.ledger_id)
            add_link(self.db, self.company.id, party.kind, *known, "exact name", self.now)
            self.links.add((party.kind, party.key))


def add_link(
    db: Session, company_id: int, kind: str, key: str, name: str, ledger_id: str, how: str, now: datetime
) -> None:
    """Insert the link unless there is one; "create new" becomes the record that was created. Repeating is safe."""
    known = db.execute(select(Link).where(
        Link.company_id == company_id, Link.kind == kind, Link.source_key == key
    )).scalar_one_or_none()
    if known is not None and known.ledger_id == CREATE_NEW:
        known.ledger_id, known.how, known.made_at = ledger_id, how, now
    if known is None:
        db.add(Link(company_id=company_id, kind=kind, source_key=key, source_name=name, ledger_id=ledger_id,
                    how=how, made_at=now))
        db.flush()


def _kind(draft: PartyDraft | ItemDraft) -> str:
    return draft.kind if isinstance(draft, PartyDraft) else "item"


def _one_of_an_order(rows: Sequence[Document]) -> list[Document]:
    """Each bill of an order is planned knowing those before it: what they billed, and their share of its freight. The
    others stay due for the page that follows."""
    first: dict[str, Document] = {}
    return [row for row in rows if not row.part or first.setdefault(row.source_id, row) is row]
