"""An honest small ledger in memory, for unit tests and the seeded simulation. It keeps the port's promises.

`MemoryCompany` is the server: books, unique names and numbers, replays of (key, short id), a change feed, versions.
`MemoryLedger` is the connector. A simulation loses answers by calling `company.execute(batch)` and throwing the
result away, delays a request by calling it later, and sets `company.hidden_since` (stale reads) or calls
`company.forget_replays()`. No QuickBooks word is used here; its shapes are in quickbooks_payloads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors import jsonbytes
from connectors.ledgers import memory_purchases as purchases
from connectors.ledgers.base import (
    CLOSED,
    Alike,
    Answer,
    Batch,
    Capabilities,
    Change,
    Changes,
    Done,
    Kind,
    LedgerFault,
    LedgerProfile,
    Member,
    Outcome,
    Record,
    Refusal,
    Refused,
    Sought,
    is_alike,
)
from connectors.ledgers.memory_papers import MemoryPapers
from connectors.ledgers.memory_records import DOCUMENTS, SALES, done_of, held_of, matches, record_of, same, version_of
from connectors.limits import Used
from domain.documents import AnyDraft, ItemDraft, PartyDraft, Reference
from domain.held import Held
from domain.taxes import TaxModel

_SHARED_NAMES = (Kind.CUSTOMER, Kind.VENDOR)


@dataclass(slots=True)
class Entry:
    """One record of the books. `body` is what was sent; documents carry `total`."""

    kind: Kind
    id: str
    body: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    version: int = 0
    live: bool = True
    total: Decimal | None = None
    number: str | None = None
    paid: Decimal = Decimal(0)
    mailed: bool = False
    tax: Decimal = Decimal(0)
    status: str = ""
    """draft, submitted or approved, where the company knows such states."""


@dataclass(slots=True)
class MemoryCompany:
    """The server side. One instance is one ledger company; several connectors may share it."""

    clock: Callable[[], datetime]
    tenant: str = "9130000000000001"
    currency: str = "USD"
    multi_currency: bool = False
    tracks: bool = False
    """It has classes and locations."""
    rates: dict[str, Decimal] = field(default_factory=dict)
    """Its own list of exchange rates; a currency that is not in it is booked with 1, as QuickBooks does."""
    own_numbers: bool = True
    own_order_numbers: bool = False
    """False: it numbers its purchase orders by itself. Bills bear the number they are sent with, or none."""
    bills: bool = True
    purchase_orders: bool = True
    """False: its plan does not have the kind."""
    checked_numbers: frozenset[Kind] = frozenset({Kind.INVOICE})
    either_numbers: bool = False
    """It keeps a number of ours and gives one where it is sent none, whatever `own_numbers` says."""
    drafts: bool = False
    """Documents begin as what they are sent as (draft, submitted, approved) and are approved by their ids."""
    versions: bool = True
    """False: a change applies to whatever stands there."""
    keeps_voided: frozenset[Kind] = frozenset({Kind.INVOICE})
    """Kinds of which a void leaves the record; of others it takes it away."""
    tax_model: TaxModel = TaxModel.EXPLICIT_TOTAL
    honours_tax: bool = True
    """False: the ledger books `own_tax` whatever amount it is sent."""
    own_tax: Decimal = Decimal(0)
    entries: list[Entry] = field(default_factory=list)
    closed_through: date | None = None
    takes_early_due: bool = True
    """False: a due date before the document's date is refused."""
    hidden_since: datetime | None = None
    """Look-ups do not see what was created at or after this instant (a stale read)."""
    mails: list[tuple[str, str]] = field(default_factory=list)
    """(record, address) of every mail that went to a customer."""
    files: list[tuple[str, str, bool]] = field(default_factory=list)
    """(record, name, shown to the customer) of every attachment."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """(record, text) of every note in a history."""
    unreadable: str = ""
    """A call that holds this text anywhere is refused as a whole."""
    shows_mails: bool = True
    """False: the delivery state of a mail is lost."""
    calls: list[str] = field(default_factory=list)
    """One word per call, in order: what a journal would hold."""
    _replays: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    _last_id: int = 0

    def add(self, kind: Kind, name: str, **details: str | bool | None) -> Record:
        """A list entry that was there before us."""
        return record_of(self._store(kind, {"name": name, "details": details}))

    def execute(self, batch: Batch) -> Answer:
        """The effect of one batch on the books, and the answer that may or may not arrive."""
        outcomes: dict[str, Outcome] = {}
        if self.unreadable and self.unreadable.encode() in batch.body:
            fault = LedgerFault(Refusal.OTHER, "2010", "The request could not be read.")
            return Answer({one.short_id: Refused((fault,), whole=True) for one in batch.members}, 400, "memory")
        for member in batch.members:
            pair = (batch.key, member.short_id)
            if pair not in self._replays:
                outcome = self._one(member)
                self._replays[pair] = outcome
            outcomes[member.short_id] = self._replays[pair]
        return Answer(outcomes, 200, f"memory-{len(self.calls)}")

    def forget_replays(self) -> None:
        """The idempotency keys lose their effect, as public reports say can happen."""
        self._replays.clear()

    def documents(self, *, live: bool = True) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind in DOCUMENTS and (entry.live or not live)]

    def void(self, ledger_id: str) -> None:
        entry = next(one for one in self.entries if one.id == ledger_id)
        entry.live, entry.version, entry.updated_at = False, entry.version + 1, self.clock()

    def pay(self, ledger_id: str, amount: str) -> None:
        """A payment is applied to a document: its version grows as with every change."""
        entry = next(one for one in self.entries if one.id == ledger_id)
        entry.paid, entry.version, entry.updated_at = Decimal(amount), entry.version + 1, self.clock()

    def rename(self, ledger_id: str, name: str) -> None:
        """Somebody else changes a list entry: the feed and the version tell."""
        entry = next(one for one in self.entries if one.id == ledger_id)
        entry.body = {**entry.body, "name": name}
        entry.version, entry.updated_at = entry.version + 1, self.clock()

    def visible(self) -> list[Entry]:
        return [one for one in self.entries if self.hidden_since is None or one.created_at < self.hidden_since]

    def _one(self, member: Member) -> Outcome:
        body = jsonbytes.load(member.payload)
        if member.operation != "create":
            return self._changed(member, body)
        fault = self._document_fault(member.kind, body) if member.kind in DOCUMENTS else self._name_fault(member, body)
        if fault is not None:
            return Refused((fault,))
        entry = self._store(member.kind, body)
        return done_of(entry, self)

    def _changed(self, member: Member, body: Mapping[str, Any]) -> Outcome:
        """Only the version that the change names is changed; a record that is gone cannot be."""
        entry = next((one for one in self.entries if one.kind is member.kind and one.id == body["id"]), None)
        if entry is None or not entry.live:
            return Refused((LedgerFault(Refusal.BAD_REFERENCE, "610", "The record is gone.", str(body["id"])),))
        if member.operation == "send":
            return self._mail(entry, body.get("address") or entry.body.get("email"))
        if member.operation in ("promote", "close"):
            return self._promote(entry, body["status"])
        if self.drafts and body["version"].partition("/")[2] != entry.status and member.operation != "update":
            why = "Not of valid status for modification."
            return Refused((LedgerFault(Refusal.NOT_CHANGEABLE, "10", why, entry.id),))
        if self.versions and version_of(entry) != body["version"]:
            return Refused((LedgerFault(Refusal.STALE, "5010", "The record was changed.", entry.id),))
        if self.closed_through is not None and date.fromisoformat(entry.body["date"]) <= self.closed_through:
            return Refused((LedgerFault(Refusal.CLOSED_PERIOD, "6210", "The period is closed.", entry.id),))
        if member.operation in ("void", "delete"):
            if linked := purchases.linked(entry, self.entries):
                return Refused(linked)
            self.void(entry.id)
            if member.operation == "delete" or entry.kind not in self.keeps_voided:
                self.entries.remove(entry)
            return done_of(entry, self)
        fresh = body["draft"]
        if (fault := self._document_fault(member.kind, fresh, entry)) is not None:
            return Refused((fault,))
        entry.body, entry.total, entry.number = fresh, _total(fresh), fresh.get("number") or entry.number
        entry.version, entry.updated_at = entry.version + 1, self.clock()
        return done_of(entry, self)

    def _promote(self, entry: Entry, status: str) -> Outcome:
        """What is approved stays approved until it is closed: going again changes nothing."""
        if entry.status not in (status, CLOSED, *(["approved"] if status != CLOSED else [])):
            entry.status, entry.version, entry.updated_at = status, entry.version + 1, self.clock()
        return done_of(entry, self)

    def _mail(self, entry: Entry, address: str | None) -> Outcome:
        if not address:
            return Refused((LedgerFault(Refusal.OTHER, "2020", "An e-mail address is required.", entry.id),))
        self.mails.append((entry.id, address))
        entry.mailed = self.shows_mails
        entry.version, entry.updated_at = entry.version + 1, self.clock()
        return done_of(entry, self)

    def _document_fault(
        self, kind: Kind, body: Mapping[str, Any], old: Entry | None = None
    ) -> LedgerFault | None:
        rule = self._purchase_fault if kind in purchases.PURCHASES else self._sale_fault
        if (fault := rule(kind, body) or self._date_fault(kind, body)) is not None:
            return fault
        number = body.get("number")
        if number is None or not (self.own_numbers or self.either_numbers) or kind not in self.checked_numbers:
            return None
        held = next((one for one in self.documents() if one.kind is kind and same(one.number, number)), None)
        if held is None or held is old:
            return None
        return LedgerFault(Refusal.DUPLICATE_NUMBER, "6140", f"Number {number} is in use.", held.id)

    def _sale_fault(self, kind: Kind, body: Mapping[str, Any]) -> LedgerFault | None:
        if not any(one.kind is Kind.CUSTOMER and one.live and one.id == body["party"] for one in self.entries):
            return LedgerFault(Refusal.BAD_REFERENCE, "2500", f"No customer {body['party']}.")
        for line in body["lines"]:
            listed = Kind.ACCOUNT if line.get("on_account") else Kind.ITEM
            if not any(one.kind is listed and one.id == line["item"] for one in self.entries):
                return LedgerFault(Refusal.BAD_REFERENCE, "2500", f"No item or account {line['item']}.")
        return None

    def _purchase_fault(self, kind: Kind, body: Mapping[str, Any]) -> LedgerFault | None:
        if not (self.bills if kind is Kind.BILL else self.purchase_orders):
            return LedgerFault(Refusal.FEATURE_OFF, "5020", f"The plan has no {kind}.")
        return purchases.fault(kind, body, self.entries)

    def _date_fault(self, kind: Kind, body: Mapping[str, Any]) -> LedgerFault | None:
        books = kind is not Kind.PURCHASE_ORDER  # an order books nothing, so that no period is closed to it
        if books and self.closed_through is not None and date.fromisoformat(body["date"]) <= self.closed_through:
            return LedgerFault(Refusal.CLOSED_PERIOD, "6210", "The period is closed.")
        if not self.takes_early_due and (body.get("due") or body["date"]) < body["date"]:
            return LedgerFault(Refusal.DUE_DATE, "6000", "The due date is before the date.")
        return None

    def _name_fault(self, member: Member, body: Mapping[str, Any]) -> LedgerFault | None:
        space = _SHARED_NAMES if member.kind in _SHARED_NAMES else (member.kind,)
        held = next((one for one in self.entries if one.kind in space and same(one.body["name"], body["name"])), None)
        if held is None:
            return None
        return LedgerFault(Refusal.DUPLICATE_NAME, "6240", f"The name {body['name']} is in use.", held.id)

    def _store(self, kind: Kind, body: Mapping[str, Any]) -> Entry:
        self._last_id += 1
        now = self.clock()
        entry = Entry(kind, str(self._last_id), body, now, now)
        if kind in DOCUMENTS:
            entry.tax = Decimal(body["tax"]) if self.honours_tax else self.own_tax
            entry.total = _total(body) - Decimal(body["tax"]) + entry.tax
            entry.number = self._number(kind, body.get("number"))
            entry.status = body["status"] if self.drafts else ""
        self.entries.append(entry)
        return entry

    def _number(self, kind: Kind, sent: str | None) -> str | None:
        """The number that it is sent with, where it keeps that, else one of its own. Bills may have none."""
        if kind is Kind.BILL or (sent and self.either_numbers):
            return sent
        takes = self.own_order_numbers if kind is Kind.PURCHASE_ORDER else self.own_numbers
        return sent if takes and not self.either_numbers else str(1000 + self._last_id)


class MemoryLedger(MemoryPapers):
    """The connector on a `MemoryCompany`. Limits never bite: `slot` always grants."""

    def __init__(self, company: MemoryCompany) -> None:
        self.company = company
        self.tenant = company.tenant
        refuses = {Kind.CUSTOMER.value, Kind.VENDOR.value, Kind.ITEM.value}
        if company.own_numbers:
            refuses |= {kind.value for kind in company.checked_numbers}
        self.capabilities = Capabilities(
            name="Memory Books",
            batch_members=30,
            batch_bytes=1_000_000,
            calls_in_flight=4,
            number_length=21,
            party_name_length=500,
            item_name_length=100,
            line_text_length=4000,
            memo_length=4000,
            quantity_decimals=5,
            taxed_lines=750,
            refuses_second_copy=frozenset(refuses),
            can_void=frozenset(kind.value for kind in company.keeps_voided),
            can_delete=frozenset(kind.value for kind in DOCUMENTS), unlinks=frozenset({Kind.BILL.value}),
            can_update=frozenset(kind.value for kind in DOCUMENTS),
            can_mail=frozenset(kind.value for kind in SALES),
            can_attach=frozenset(kind.value for kind in SALES),
            attachment_bytes=1_000_000,
            can_note=frozenset(kind.value for kind in SALES),
            note_length=2000,
            originals=frozenset(kind.value for kind in (*SALES, Kind.PURCHASE_ORDER)),
        )

    def check(self) -> LedgerProfile:
        self.company.calls.append("check")
        return LedgerProfile(
            tenant=self.tenant,
            company_name="Memory Company",
            country="US" if self.company.tax_model is not TaxModel.CODE_PER_LINE else "GB",
            currency=self.company.currency,
            multi_currency=self.company.multi_currency,
            classes=self.company.tracks,
            locations=self.company.tracks,
            tax_model=self.company.tax_model,
            own_numbers=self.company.own_numbers,
            bills=self.company.bills,
            purchase_orders=self.company.purchase_orders,
            own_order_numbers=self.company.own_order_numbers,
            purchases_by_customer=True,
            purchase_tax=self.company.tax_model is TaxModel.CODE_PER_LINE,
            closed_through=self.company.closed_through.isoformat() if self.company.closed_through else None,
        )

    def changes(self, kinds: Sequence[Kind], since: datetime) -> Changes:
        self.company.calls.append("changes")
        touched = [one for one in self.company.visible() if one.kind in kinds and one.updated_at >= since]
        return self._changes(touched)

    def lists(self, kinds: Sequence[Kind]) -> Changes:
        self.company.calls.append("lists")
        return self._changes([one for one in self.company.visible() if one.kind in kinds])

    def payload(self, draft: AnyDraft, references: Mapping[tuple[str, str], str]) -> bytes:
        return jsonbytes.dump(_body(draft, references))

    def change(self, change: Change) -> bytes:
        known = ("void", "delete", "update", "send", *(["promote", "close"] if self.company.drafts else []))
        if change.operation not in known or change.kind not in DOCUMENTS:
            raise ValueError(f"this ledger cannot {change.operation} a record of kind {change.kind}")
        draft = _body(change.draft, {}) if change.draft is not None else None
        body = {"id": change.ledger_id, "version": change.version, "draft": draft}
        if change.operation == "close":
            body = {"id": change.ledger_id, "status": CLOSED}
        if change.operation == "promote":
            body = {"id": change.ledger_id, "status": change.draft.promote_to if change.draft else "approved"}
        return jsonbytes.dump({**body, "address": change.address} if change.operation == "send" else body)

    def call_of(self, kind: Kind, operation: str) -> str:
        return ""

    def compose(self, members: Sequence[Member]) -> bytes:
        parts = (b'"' + one.short_id.encode() + b'":' + one.payload for one in members)
        return b"{" + b",".join(parts) + b"}"

    def usage(self) -> Sequence[Used]:
        return ()

    def slot(self, operation: str) -> float:
        return 0.0

    def send(self, batch: Batch) -> Answer:
        if batch.tenant != self.tenant:
            raise ValueError("this batch was frozen for another company")
        self.company.calls.append("send")
        return self.company.execute(batch)

    def find(self, sought: Sequence[Sought]) -> Mapping[str, Sequence[Done]]:
        self.company.calls.append("find")
        visible = self.company.visible()
        return {one.key: [done_of(entry, self.company) for entry in visible if matches(entry, one)] for one in sought}

    def read(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Held]:
        self.company.calls.append("read")
        wanted = [one for one in self.company.visible() if one.kind is kind and one.id in set(ids)]
        return {one.id: held_of(one, self.company) for one in wanted}

    def alike(self, sought: Sequence[Alike]) -> Mapping[str, Sequence[Held]]:
        self.company.calls.append("alike")
        kept = [held_of(one, self.company) for one in self.company.visible() if one.kind in DOCUMENTS and one.live]
        return {
            one.key: tuple(held for held in kept if held.kind == one.kind and is_alike(one, held)) for one in sought
        }

    def _changes(self, entries: Sequence[Entry]) -> Changes:
        watermark = self.company.clock() - timedelta(minutes=5)
        return Changes(tuple(record_of(one) for one in entries), (), watermark, complete=True)


def _body(draft: AnyDraft, ids: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    if isinstance(draft, PartyDraft):
        details = {"currency": draft.currency, "email": draft.email, "taxable": not draft.tax_exempt}
        details |= {"parent_id": _id(draft.parent, ids)} if draft.parent else {}
        return {"name": draft.name, "details": {**details, **purchases.party_kind(draft)}}
    if isinstance(draft, ItemDraft):
        return {"name": draft.name, "details": purchases.item_details(draft, _id(draft.account, ids))}
    return {
        "party": _id(draft.party, ids),
        "status": draft.status,
        "number": draft.number,
        "date": draft.date.isoformat(),
        "currency": draft.currency,
        "rate": draft.rate,
        "location": draft.location.ledger_id if draft.location else None,
        "tax": draft.tax_total,
        "marker": f"{draft.memo} {draft.marker}".strip(),
        "message": draft.message,
        "email": draft.email,
        "due": draft.due_date.isoformat() if draft.due_date else None,
        "lines": [
            {
                "item": _id(line.item, ids), "text": line.text, "amount": line.amount,
                "quantity": line.quantity, "price": line.unit_price,
                "class": line.tracked.ledger_id if line.tracked else None, **purchases.line_details(line),
            }
            for line in draft.lines
        ],
        **purchases.document_details(draft),
    }


def _total(body: Mapping[str, Any]) -> Decimal:
    return sum((Decimal(line["amount"]) for line in body["lines"]), Decimal(0)) + Decimal(body["tax"])


def _id(reference: Reference, ids: Mapping[tuple[str, str], str]) -> str:
    return reference.ledger_id if reference.ledger_id is not None else ids[(reference.kind, reference.key)]
