"""The simulated ledger's server: the honest memory ledger, whose reads lag behind and whose keys are forgotten.

Bytes reach it by `deliver`, once or twice, early or late. It keeps what the checker wants to know of each record:
which delivery made it, when that was intended, when reads first showed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors import jsonbytes
from connectors.ledgers.base import Answer, Batch, Done, Kind, LedgerFault, Member, Outcome, Refusal, Refused, Sought
from connectors.ledgers.memory import Entry, MemoryCompany
from connectors.ledgers.memory_records import DOCUMENTS, SALES, matches
from tests.simulation.faults import Faults
from tests.simulation.kernel import Kernel


def documents_of(batch: Batch) -> int:
    """How many members of a batch are writes of documents: what a fault that meets the batch counts for."""
    return sum(1 for member in batch.members if member.kind in DOCUMENTS)


@dataclass
class Delivery:
    """One execution of a batch by the ledger, for the checker."""

    at: float
    intended_at: float
    batch: Batch


@dataclass
class SimBooks(MemoryCompany):
    """The books of one company. Reads may lag behind; some numbers and names are refused."""

    kernel: Kernel | None = None
    faults: Faults | None = None
    company_id: int = 0
    refused_numbers: frozenset[str] = frozenset()
    refused_names: frozenset[str] = frozenset()
    deliveries: list[Delivery] = field(default_factory=list)
    shown_at: dict[str, float] = field(default_factory=dict)
    made_by: dict[str, Delivery] = field(default_factory=dict)
    """Ledger id → the delivery that made it."""
    made: list[Entry] = field(default_factory=list)
    """Every document that was ever made, whatever became of it."""
    forgotten_at: list[float] = field(default_factory=list)
    forgotten: set[tuple[str, str]] = field(default_factory=set)
    """(key, short id) of answers that the ledger had and forgot."""
    removed_by_hand: set[str] = field(default_factory=set)
    """Ledger ids of documents that somebody voided in the ledger's own pages."""
    mailed_by: list[Delivery] = field(default_factory=list)
    """The deliveries that sent `mails`, in their order."""
    applied: set[tuple[str, str]] = field(default_factory=set)
    """(key, short id) of every write that took effect."""
    current: Delivery | None = None
    lapsed_until: float = 0.0
    """Until then the ledger refuses every write, definitely and not for good."""

    def deliver(self, batch: Batch, intended_at: float) -> Answer:
        assert self.kernel is not None
        self.current = Delivery(self.kernel.now_s, intended_at, batch)
        self.deliveries.append(self.current)
        return self.execute(batch)

    def visible(self) -> list[Entry]:
        assert self.kernel is not None
        return [one for one in self.entries if self.shown_at.get(one.id, 0.0) <= self.kernel.now_s]

    def hidden_from(self, sought: Sequence[Sought]) -> int:
        """How many of these a look-up does not show now although the books hold them."""
        assert self.kernel is not None
        hidden = [one for one in self.entries if self.shown_at.get(one.id, 0.0) > self.kernel.now_s]
        return sum(1 for one in sought if one.kind in DOCUMENTS and any(matches(entry, one) for entry in hidden))

    def forget_replays(self) -> None:
        assert self.kernel is not None
        self.forgotten |= set(self._replays)
        super().forget_replays()
        self.forgotten_at.append(self.kernel.now_s)

    def key_ended(self, made: Sequence[Delivery]) -> bool:
        """Whether the ledger forgot a key while these deliveries of one write were on their way."""
        begin, end = min(one.intended_at for one in made), max(one.at for one in made)
        return any(begin <= moment <= end for moment in self.forgotten_at)

    def edit_by_hand(self, entry: Entry) -> None:
        """Somebody adds a memo, or to the amount, in the ledger's own pages, or approves a draft: the version grows."""
        assert self.faults is not None
        if entry.kind in SALES and self.faults.rng.random() < 0.15:
            entry.total = (entry.total or Decimal(0)) + 1  # its body stays what we wrote
        if entry.status and self.faults.rng.random() < 0.5:
            entry.status = "approved"
        entry.version, entry.updated_at = entry.version + 1, self.clock()

    def take_away(self, party: Entry) -> None:
        """Somebody archives a customer or vendor by mistake, until `bring_back`."""
        party.live, party.version, party.updated_at = False, party.version + 1, self.clock()

    def bring_back(self) -> None:
        for entry in self.entries:
            if not entry.live and entry.kind in (Kind.CUSTOMER, Kind.VENDOR):
                entry.live, entry.version, entry.updated_at = True, entry.version + 1, self.clock()

    def remove_by_hand(self, entry: Entry) -> None:
        self.void(entry.id)
        self.removed_by_hand.add(entry.id)

    def execute(self, batch: Batch) -> Answer:
        """As the honest ledger, but a passing refusal is no answer that a key would fetch again."""
        assert self.faults is not None
        again = {(batch.key, member.short_id) for member in batch.members if member.kind in DOCUMENTS} & self.forgotten
        self.faults.touch("keys_forgotten", len(again))
        self.forgotten -= again
        answer = super().execute(batch)
        for short_id, outcome in answer.outcomes.items():
            if isinstance(outcome, Done):
                self.applied.add((batch.key, short_id))
            if isinstance(outcome, Refused) and outcome.faults[0].refusal in (Refusal.TRANSIENT, Refusal.SUBSCRIPTION):
                del self._replays[batch.key, short_id]
        return answer

    def _one(self, member: Member) -> Outcome:
        assert self.faults is not None
        body = jsonbytes.load(member.payload)
        document = 1 if member.kind in DOCUMENTS else 0
        if self.faults.happens("member_refused_for_now", documents=document):
            return Refused((LedgerFault(Refusal.TRANSIENT, "10000", "An unexpected error occurred."),))
        if self.kernel is not None and self.kernel.now_s < self.lapsed_until:
            self.faults.touch("subscription_lapsed", document)
            return Refused((LedgerFault(Refusal.SUBSCRIPTION, "6190", "The subscription has lapsed."),))
        if body.get("number") in self.refused_numbers or body.get("name") in self.refused_names:
            return Refused((LedgerFault(Refusal.OTHER, "2010", "This is not accepted here."),))
        return super()._one(member)

    def _mail(self, entry: Entry, address: str | None) -> Outcome:
        outcome = super()._mail(entry, address)
        if isinstance(outcome, Done) and self.current is not None:
            self.mailed_by.append(self.current)
        return outcome

    def _store(self, kind: Kind, body: Mapping[str, Any]) -> Entry:
        entry = super()._store(kind, body)
        if self.faults is not None and self.kernel is not None:
            if self.current is not None:
                self.made_by[entry.id] = self.current
                if kind in DOCUMENTS:
                    self.made.append(entry)
            if self.faults.happens("stale_read"):
                self.shown_at[entry.id] = self.kernel.now_s + self.faults.seconds(1, self.faults.bounds.stale)
        return entry
