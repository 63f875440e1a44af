"""Settings → Purchase Orders as typed values with their defaults (accounting reference, sections 1.12 and 3).

Account, item, class, location, term and tax code ids are the ledger's. `None` where a choice has no default:
nothing is posted before it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.settings import ClosedPeriod, InitialStatus, MissingItem, SyncState


class Becomes(StrEnum):
    """What an order becomes in the ledger (R70)."""

    BILL = "bill"
    """A bill at once: the debt is booked before goods or an invoice exist."""
    ORDER = "order"
    """A purchase order: nothing is booked until somebody bills it."""
    ON_RECEIPT = "on_receipt"
    """A bill for what was received, one per vendor invoice number: the debt when it exists."""
    ORDER_AND_BILLS = "order_and_bills"
    """A purchase order at once, and bills on receipt that are linked to its lines."""


class OrderNumbers(StrEnum):
    """`Assign QBO PO Number from`: whose number a purchase order carries in the ledger. Bills: see `domain.orders`."""

    LEDGER = "ledger"
    SOURCE = "source"


class VendorNumber(StrEnum):
    """Which number a bill carries where the vendor's own is not known."""

    ORDER = "order"
    NONE = "none"


class Freight(StrEnum):
    """On which of an order's bills its freight stands (R76). Booked once either way."""

    FIRST = "first"
    BY_VALUE = "by_value"


@dataclass(frozen=True, slots=True)
class VendorRule:
    """What holds for one vendor instead of the company's choice; None: the company's."""

    party_id: str
    """The source's company id."""
    becomes: Becomes | None = None
    tax_code: str | None = None
    home_currency_confirmed: bool = False
    """A person confirmed that this vendor's amounts, which name no currency, are in the ledger vendor's currency."""


@dataclass(frozen=True, slots=True)
class OrderSettings:
    days: int = 0
    """`Number of days in the past to look for unsynced POs`; 0 = Paused."""
    active: bool = False
    """Orders are posted by themselves. False until the first one was posted by hand."""
    becomes: Becomes | None = None
    numbers: OrderNumbers = OrderNumbers.LEDGER
    bill_number: VendorNumber = VendorNumber.ORDER
    external_prefix: str = "BILL-"
    """Before a bill's id in External P.O. Number where the bill has no number."""
    missing_item: MissingItem = MissingItem.HOLD
    """`create a new item` / `error out and stop processing`"""
    created_item_account: str | None = None
    """`for created items, select the expense account to use:`"""
    payable: str | None = None
    """`Select the AP account to which the bill is credited`"""
    freight_account: str | None = None
    freight: Freight = Freight.FIRST
    term: str | None = None
    """For orders without terms of equal name; None: the ledger vendor's own."""
    order_class: str | None = None
    """The class of every line; None: none."""
    location: str | None = None
    purchase_for: bool = True
    """Lines name the customer they were purchased for, where the ledger takes one."""
    billable: bool = False
    tax_code: str | None = None
    """Purchase code of every line outside the US ("no VAT" among them)."""
    vendor_suffix: str = " (V)"
    """Behind a new vendor's name where a customer has the same."""
    vendors: tuple[VendorRule, ...] = ()
    closed_period: ClosedPeriod = ClosedPeriod.STOP
    initial_status: InitialStatus = InitialStatus.DRAFT
    """As what bills and orders stand in the ledger at the end, where it knows drafts."""
    duplicate_days: int = 30
    """A bill of the same vendor and amount within that many days is asked about before posting (R73)."""
    error_todos: bool = True
    todo_action_type: str | None = None
    """`Type of To-Do Action when there is an error.`: the source's id."""
    todo_resource: str | None = None
    """`Default resource to whom the error To-Dos will be assigned.`: the source's id."""
    todo_per_order: bool = False
    """One to-do per order; else one per cause."""
    mark_errors: bool = False
    """Write `ERROR` into External P.O. Number of an order that needs a person."""
    run_limit: int = 200
    """Above so many orders a run asks before it posts."""
    source_time_zone: str = "UTC"
    time_zone: str = "UTC"

    @property
    def paused(self) -> bool:
        """Nothing is looked for."""
        return self.days == 0

    @property
    def sync_state(self) -> SyncState:
        """In the engine's words: whether what can be posted is posted by itself."""
        return SyncState.ON if self.active and not self.paused else SyncState.OFF

    def rule(self, party_id: str | None) -> VendorRule | None:
        return next((rule for rule in self.vendors if rule.party_id == party_id), None)
