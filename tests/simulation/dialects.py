"""Whose books a simulated company keeps: what its connector can do, and how its server differs. One engine for all.

A dialect is a row of `DIALECTS`. Capabilities and the rule of what travels in one call are the real connectors' own;
the server of `XeroBooks` keeps its promises otherwise: an idempotency key holds a whole body for six minutes (errors
too), one unknown contact refuses the whole call, voided documents stay, drafts are approved by their ids, and a change
names no version. Source: Xero, "Idempotent requests", "Invoices", "Contacts".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from connectors import jsonbytes
from connectors.ledgers import xero_calls, xero_payloads
from connectors.ledgers.base import (
    Answer,
    Batch,
    Capabilities,
    Kind,
    LedgerFault,
    Member,
    Outcome,
    Record,
    Refusal,
    Refused,
    Unknown,
)
from connectors.ledgers.memory import Entry, MemoryLedger
from connectors.ledgers.memory_records import DOCUMENTS, done_of, record_of, same
from domain.taxes import TaxModel
from tests.simulation.books import Delivery, SimBooks

KEY_LIVES_S = 360.0
PARTIES = (Kind.CUSTOMER, Kind.VENDOR)


@dataclass
class XeroBooks(SimBooks):
    """The books of one Xero organisation."""

    either_numbers: bool = True
    own_order_numbers: bool = True
    drafts: bool = True
    versions: bool = False
    keeps_voided: frozenset[Kind] = frozenset(DOCUMENTS)
    tax_model: TaxModel = TaxModel.CODE_PER_LINE
    answers: dict[str, tuple[float, str, Answer]] = field(default_factory=dict)
    """Key → when it was first used, digest of the body, the answer that was given."""

    def execute(self, batch: Batch) -> Answer:
        assert self.kernel is not None
        assert self.faults is not None
        digest = hashlib.sha256(batch.body).hexdigest()
        used, body, answer = self.answers.get(batch.key, (-KEY_LIVES_S, "", None))
        if answer is not None and self.kernel.now_s < used + KEY_LIVES_S:
            if body == digest:
                return answer
            why = Unknown("the idempotency key is used with a different request")
            return Answer({one.short_id: why for one in batch.members}, 400, None)
        if answer is not None:
            self.faults.touch("keys_forgotten", sum(1 for one in batch.members if one.kind in DOCUMENTS))
        self._replays.clear()
        answer = self._whole(batch) or super().execute(batch)
        if answer.http_status != 503:  # what is answered before the key is looked at is not kept under it
            self.answers[batch.key] = self.kernel.now_s, digest, answer
        return answer

    def _whole(self, batch: Batch) -> Answer | None:
        """One contact that it does not know, and nothing of the call is done."""
        assert self.faults is not None
        calls = {xero_payloads.call_of(one.kind, one.operation) for one in batch.members}
        assert len(calls) == 1, f"one call cannot be {calls}"
        parties = {
            str(jsonbytes.load(one.payload).get("party")) for one in batch.members
            if one.kind in DOCUMENTS and one.operation == "create"
        }  # fmt: skip
        gone = parties - {one.id for one in self.entries if one.live and one.kind in (Kind.CUSTOMER, Kind.VENDOR)}
        if not gone:
            return None
        self.faults.touch("party_away", sum(1 for one in batch.members if one.kind in DOCUMENTS))
        fault = LedgerFault(Refusal.BAD_REFERENCE, "404", "The resource you're looking for cannot be found")
        refused: Outcome = Refused((fault,), whole=len(batch.members) > 1)
        return Answer({one.short_id: refused for one in batch.members}, 404, None)

    def forget_replays(self) -> None:
        super().forget_replays()
        self.forgotten |= {(key, short_id) for key, (_, _, told) in self.answers.items() for short_id in told.outcomes}
        self.answers.clear()

    def key_ended(self, made: Sequence[Delivery]) -> bool:
        """Or it ended by itself, after its minutes: what goes again then has a key of its own."""
        moments, keys = [one.at for one in made], {one.batch.key for one in made}
        return len(keys) > 1 or max(moments) - min(moments) >= KEY_LIVES_S or super().key_ended(made)

    def _one(self, member: Member) -> Outcome:
        """A purchase order created under a number in use changes the order that has it."""
        assert self.kernel is not None
        body = jsonbytes.load(member.payload)
        creates = member.kind is Kind.PURCHASE_ORDER and member.operation == "create" and body.get("number")
        held = [one for one in self.entries if creates and one.live and one.kind is member.kind
                and same(one.number, body["number"])]  # fmt: skip
        if not held or self.kernel.now_s < self.lapsed_until:
            return super()._one(member)
        entry = held[0]
        entry.body, entry.version, entry.updated_at = body, entry.version + 1, self.clock()
        entry.total = sum((Decimal(line["amount"]) for line in body["lines"]), Decimal(0))
        return done_of(entry, self)

    def add(self, kind: Kind, name: str, **details: str | bool | None) -> Record:
        """A contact of that name stands in both lists already."""
        held = [one for one in self.entries if kind in PARTIES and one.kind is kind and same(one.body["name"], name)]
        return record_of(held[0]) if held else super().add(kind, name, **details)

    def _store(self, kind: Kind, body: Mapping[str, Any]) -> Entry:
        """A customer and a vendor of one name are one contact: it stands in both lists under one id."""
        entry = super()._store(kind, body)
        self.entries += [replace(entry, kind=other) for other in PARTIES if kind in PARTIES and other is not kind]
        return entry

    def take_away(self, party: Entry) -> None:
        for one in [one for one in self.entries if one.id == party.id]:
            super().take_away(one)

    def _mail(self, entry: Entry, address: str | None) -> Outcome:
        if entry.status == "draft":
            return Refused((LedgerFault(Refusal.NOT_CHANGEABLE, "10", "A draft is not mailed.", entry.id),))
        return super()._mail(entry, address)


@dataclass(frozen=True)
class Dialect:
    """`profile`: what the ledger company says of itself beyond what the books in memory tell."""

    ledger: str
    books: type[SimBooks]
    capabilities: Callable[[MemoryLedger], Capabilities]
    call_of: Callable[[Kind, str], str]
    profile: Mapping[str, Any] = field(default_factory=dict)
    one_name_list: bool = True
    purchases: bool = True
    """Its connector writes bills and purchase orders."""
    shared_grant: bool = False
    """One person's grant serves all companies that this person connected."""
    keys_end: bool = False
    """What goes again later than its key holds takes another one, with the same bytes."""


QUICKBOOKS = Dialect("quickbooks", SimBooks, lambda inner: inner.capabilities, lambda kind, operation: "")
XERO = Dialect(
    "xero", XeroBooks, lambda inner: xero_calls.CAPABILITIES, xero_payloads.call_of,
    {"own_numbers": None, "own_order_numbers": None, "purchases_by_customer": False}, one_name_list=False,
    keys_end=True, shared_grant=True,
)  # fmt: skip
DIALECTS = {one.ledger: one for one in (QUICKBOOKS, XERO)}
