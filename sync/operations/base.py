"""What differs between the kinds of ledger writes. The protocol around it (sync.settle, sync.freeze) is one.

A rule says how a write is spelled, how it is proven done, whether it may go again before that is known, and what
follows. Within the caller's transaction; nothing here talks to a platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from connectors.ledgers.base import Capabilities, Done, Kind, Ledger, LedgerFault, Refusal, Refused, Sought
from domain.reasons import Reason, reason
from models import Posting

if TYPE_CHECKING:
    from sync.settle import Settling


_NOT_IN_PLAN = {Kind.BILL.value: "no_bills", Kind.PURCHASE_ORDER.value: "no_purchase_orders"}
"""What the ledger company's plan does not have."""


class Operation:
    """One kind of write. `reads_first`: the record it changes is read before anything is sent."""

    name: ClassVar[str]
    writes: ClassVar[str] = ""
    """What the ledger is asked for, where that has another name."""
    reads_first: ClassVar[bool] = False
    follows: ClassVar[bool] = False
    """It comes after the document is in the books and never changes the document's own status by itself."""
    sent: ClassVar[str] = "Sent to {the_ledger}"
    """What the step log says when it is sent."""

    def wire(self, capabilities: Capabilities, posting: Posting) -> str:
        """What the connector calls it."""
        return self.writes or self.name

    def payload(self, ledger: Ledger, posting: Posting, created: Mapping[tuple[str, str], str]) -> bytes:
        """The bytes to freeze. `created` has the ids of records that were made for this posting."""
        raise NotImplementedError

    def sought(self, s: Settling, posting: Posting) -> list[Sought]:
        """What to ask the ledger for when it is not known whether the write was done."""
        raise NotImplementedError

    def read(self, s: Settling, posting: Posting, found: Sequence[Done]) -> None:
        """The record as it stands before the write: go on, or end. Only where `reads_first`."""
        raise NotImplementedError

    def done(self, s: Settling, posting: Posting, done: Done, by: str) -> None:
        """YES, as far as the ledger says: check what it says it holds, and what follows."""
        raise NotImplementedError

    def looked_up(self, s: Settling, posting: Posting, found: Sequence[Done], vendors: Sequence[Done]) -> None:
        """Settle one UNKNOWN by what the ledger holds now."""
        raise NotImplementedError

    def refused(self, s: Settling, posting: Posting, refused: Refused) -> None:
        """A no for this member."""
        raise NotImplementedError

    def cannot_settle(self, s: Settling, posting: Posting) -> None:
        """It was sent, or looked for, as often as makes sense: a person decides."""
        number = str(posting.draft.get("number") or posting.draft.get("name") or "")
        s.person(posting, [reason("cannot_settle", tries=posting.lookups, number=number)])

    def reason(self, posting: Posting, fault: LedgerFault) -> Reason:
        """What a refusal is called."""
        if fault.refusal is Refusal.FEATURE_OFF and posting.ledger_kind in _NOT_IN_PLAN:
            return reason(_NOT_IN_PLAN[posting.ledger_kind])
        code = {
            Refusal.DUPLICATE_NUMBER: "number_taken",
            Refusal.BAD_REFERENCE: "reference_refused",
            Refusal.SUBSCRIPTION: "subscription",
            Refusal.CLOSED_PERIOD: "period_refused",
            Refusal.DUE_DATE: "due_date_refused",
            Refusal.CURRENCY: "currency_refused",
            Refusal.TAX: "tax_refused",
            Refusal.AMOUNT: "amount_refused",
            Refusal.PLAN_LIMIT: "plan_limit",
            Refusal.NOT_CHANGEABLE: "not_changeable",
        }.get(fault.refusal, "ledger_refused")
        number = str(posting.draft.get("number") or "")
        day = str(posting.draft.get("date") or "")
        return reason(code, number=number, date=day, message=fault.message, code=fault.code)


def kind_of(posting: Posting) -> Kind:
    return Kind(posting.ledger_kind)
