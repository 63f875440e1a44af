"""What only purchase orders of the source have: their state, what was ordered, and what was received so far.

These values hang on `SourceHeader.order` and `SourceLine.goods`, so that orders travel through the same reading,
storing and planning as invoices. Quantities are units as the source counts them; costs are net, per unit, in the
vendor's currency; instants are aware UTC.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ORDER = "purchase_order"
"""The source's record type of a purchase order: `SourceHeader.kind`, `Document.kind`, `Posting.kind`."""


class OrderStatus(StrEnum):
    """The five states of an order, resolved by the source's labels (Autotask's numbers differ by tenant)."""

    NEW = "New"
    SUBMITTED = "Submitted"
    PARTLY_RECEIVED = "Received Partial"
    RECEIVED = "Received Full"
    CANCELLED = "Canceled"
    OTHER = "Other"
    """A label that we do not know: never eligible."""


@dataclass(frozen=True, slots=True)
class OrderHead:
    """What stands on an order beside its number, vendor (`party_id`), terms and memo (`comments`)."""

    status: OrderStatus
    external_number: str | None
    """External P.O. Number: the sync mark. None when blank; it may read `ERROR`."""
    submitted_at: dt.datetime | None = None
    cancelled_at: dt.datetime | None = None
    vendor_invoice: str | None = None
    """The vendor's invoice number as it stands on the order; None when blank."""
    customer_id: str | None = None
    """The company it was purchased for; None for own stock."""
    freight: Decimal = Decimal(0)
    """Net, in the vendor's currency."""
    ship_to: tuple[str, ...] = ()
    """Name and address as lines, blank ones left out."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receiving of an order line. A negative quantity takes back what was received before."""

    id: str
    quantity: Decimal
    received_on: dt.date
    """The calendar day (DESIGN section 7)."""
    vendor_invoice: str | None = None
    """The vendor's invoice number given with the receiving; None when blank, or where the source has no such field."""


@dataclass(frozen=True, slots=True)
class Goods:
    """What an order line buys. A line made of a charge has no product.

    The line's `name` is the product's (or the charge's) name, its `text` the line's own memo, else the description;
    `quantity` is what was ordered, `rate` the unit cost as received, `extended_price` their exact product.
    """

    product_id: str | None
    code: str | None = None
    """The product's own number: SKU, else its internal or vendor's product number; None when blank."""
    receipts: tuple[Receipt, ...] = ()
    """All receivings of this line, oldest first."""
    active: bool = True

    @property
    def received(self) -> Decimal:
        return sum((receipt.quantity for receipt in self.receipts), Decimal(0))
