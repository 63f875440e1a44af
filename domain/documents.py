"""What travels: source documents as read, and the ledger-neutral drafts made from them.

Everything here is an immutable value. Amounts are `Decimal` in the document's own currency, net of tax unless
said otherwise; dates are calendar dates; instants are aware UTC datetimes. Rules that turn one into the other
live in `plan.py` and `drafts.py`; how a ledger spells a draft lives in its connector.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from domain.order_documents import Goods, OrderHead


@dataclass(frozen=True, slots=True)
class Window:
    """Which source documents a poll looks for. `since` is the first instant (UTC) of creation, inclusive.

    Purchase orders: Submitted, External P.O. Number blank (or reading `ERROR`); `submitted_since` adds those created
    earlier and submitted since.
    """

    since: dt.datetime
    number_blank: bool = False
    """True when "unsynced" means a blank number (the ledger numbers), else a blank sync mark."""
    submitted_since: dt.datetime | None = None
    received: bool = False
    """Orders that were received in part or in full since they were submitted count too (bills on receipt)."""


@dataclass(frozen=True, slots=True)
class SourceHeader:
    """One source document without its lines, as the poll sees it (about half a kilobyte).

    `number` is None when blank. `marked_at` is the source's own "processed" mark (Autotask: Web Service Date).
    Purchase orders (`kind` purchase_order, `order` present): `party_id` is the vendor, `document_date` the day of
    submission (else of creation), `total` zero since the source keeps none (`domain.orders.order_total` adds the lines
    up), `voided` means cancelled, `comments` is the general memo; the mark is `order.external_number`.
    """

    kind: str
    id: str
    number: str | None
    party_id: str | None
    document_date: dt.date
    created_at: dt.datetime
    due_date: dt.date | None
    total: Decimal
    tax_total: Decimal
    tax_region: str | None = None
    """The region's name as the document was issued under."""
    tax_region_id: str | None = None
    term_id: str | None = None
    order_number: str | None = None
    comments: str | None = None
    voided: bool = False
    marked_at: dt.datetime | None = None
    order: OrderHead | None = None
    template_id: str | None = None
    """The template that the source prints it with."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One billed or ordered item. `extended_price` is the net line amount exactly as received (two or four decimals);
    of an order line quantity × unit cost, unrounded (`domain.order_documents.Goods`)."""

    id: str
    line_type: str
    name: str
    text: str
    quantity: Decimal
    rate: Decimal
    extended_price: Decimal
    tax: Decimal
    code_id: str | None
    party_id: str | None = None
    tax_category: str | None = None
    service_date: dt.date | None = None
    group_id: str | None = None
    """Lines that share it are one line on the source's printed document."""
    group_text: str = ""
    home_price: Decimal | None = None
    """`extended_price` in the source's home currency, where the source tells it."""
    business_id: str | None = None
    """Its line of business."""
    goods: Goods | None = None
    """Of an order line."""
    months: int | None = None
    """How many months the service on it is billed for at once; None where the source does not tell."""


@dataclass(frozen=True, slots=True)
class SourceDocument:
    header: SourceHeader
    lines: tuple[SourceLine, ...]
    part: str = ""
    """Which of several ledger documents of one order: of a bill on receipt its vendor invoice number (`Posting.part`).
    Connectors leave it blank."""


@dataclass(frozen=True, slots=True)
class Address:
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """A company of the source: who is billed. `currency` is an ISO code, None without multi-currency."""

    id: str
    name: str
    email: str | None = None
    phone: str | None = None
    address: Address = Address()
    currency: str | None = None
    tax_exempt: bool = False
    parent_id: str | None = None
    active: bool = True
    mailed: bool | None = None
    """The source mails this company its invoices itself; None where it does not tell."""
    territory_id: str | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """A billing code of the source: what a line is billed as. `number` is Autotask's External Number."""

    id: str
    name: str
    number: str | None = None
    gl_account: str | None = None
    description: str | None = None
    active: bool = True
    department_id: str | None = None


@dataclass(frozen=True, slots=True)
class Term:
    id: str
    name: str
    days: int | None = None


@dataclass(frozen=True, slots=True)
class TaxRule:
    """One component of the source's tax for a region and a category. `rate` is a fraction (0.0825)."""

    region: str
    category: str | None
    name: str
    rate: Decimal
    compounded: bool = False
    region_id: str | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """The source's small lists that planning needs, read once a day and on "Refresh lists"."""

    codes: dict[str, Code] = field(default_factory=dict)
    terms: dict[str, Term] = field(default_factory=dict)
    taxes: tuple[TaxRule, ...] = ()
    tax_regions: dict[str, str] = field(default_factory=dict)
    """Names of the tax regions by id, those without a tax too."""
    home_currency: str | None = None
    """ISO code of the source's own currency; None where it was not told."""
    multi_currency: bool = False
    departments: dict[str, str] = field(default_factory=dict)
    businesses: dict[str, str] = field(default_factory=dict)
    """Lines of business by id, a lower level behind a colon ("West:Onsite")."""
    territories: dict[str, str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    """Names of the invoice templates by id."""
    unreadable: tuple[str, ...] = ()
    """What the source's user may not see although rules ask for it, by the source's names ("Services")."""


# ---- drafts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """A ledger record a draft points at.

    `ledger_id` is None while the record does not exist yet ("new customer Acme"); then `key` names the
    creation (`customer` by source party id, `item` by folded item name) that will provide it.
    """

    kind: str
    key: str
    name: str
    ledger_id: str | None = None


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """The line of a purchase order in the ledger that a bill's line fulfils, so that the order closes."""

    order_id: str
    line_id: str


@dataclass(frozen=True, slots=True)
class DraftLine:
    """`quantity` × `unit_price` equals `amount` to the currency's smallest unit, by construction.

    `item` of kind `account` (freight) is booked on that account without an item.
    """

    item: Reference
    text: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    taxed: bool
    tax_code: Reference | None = None
    service_date: dt.date | None = None
    account: Reference | None = None
    """The account on which the item books, as far as it is known."""
    tracked: Reference | None = None
    """The ledger's class of the line."""
    customer: Reference | None = None
    """Of a purchase: whom it was bought for."""
    billable: bool = False
    """The ledger offers the line for invoicing to `customer`."""
    ordered: OrderedLine | None = None


@dataclass(frozen=True, slots=True)
class TaxRow:
    """The source's net and tax under one code of a document. `rates` are the ledger's rate ids of the code."""

    region: str
    code: str
    code_id: str
    net: Decimal
    tax: Decimal
    rates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """The ledger document we intend to write. Amounts are positive in a credit memo: the kind turns the sign.

    `kind` is `invoice`, `credit_memo`, `bill` or `purchase_order`; `party` of the last two is a `vendor`, their
    `total` is the net (no tax is transferred; outside the US lines carry a purchase code and the ledger adds its
    tax). A bill carries the vendor's invoice number. `tax_total` is sent as an explicit amount only when `send_tax`
    is true; otherwise it is what the ledger is expected to compute from the lines' tax codes. `number` None means that
    the ledger numbers. `marker` stands in the ledger document and proves that it is ours.
    """

    kind: str
    party: Reference
    number: str | None
    date: dt.date
    due_date: dt.date | None
    term: Reference | None
    currency: str
    lines: tuple[DraftLine, ...]
    tax_total: Decimal
    send_tax: bool
    total: Decimal
    memo: str
    marker: str
    email: str | None = None
    message: str = ""
    """What the customer (of an order: the vendor) reads on the document; `memo` is for those who keep the books."""
    rounded: Decimal = Decimal(0)
    """The amount of the rounding line; zero when there is none."""
    default_lines: int = 0
    """How many lines went to the account for created items because nothing else was chosen for them (R27)."""
    tax_choice: str = "source"
    """Whose tax it carries (`domain.settings.TaxSource`)."""
    tax_group: Reference | None = None
    """The ledger's rate group that goes along with the amount, where the map names one."""
    tax_rows: tuple[TaxRow, ...] = ()
    tax_estimate: Decimal | None = None
    """What the map's rate gives where only the ledger knows: never booked, shown beside the source's tax."""
    moved_from: dt.date | None = None
    """The source's date, where it lies in a closed period and the document goes on the first open day."""
    location: Reference | None = None
    foreign: bool = False
    """In another currency than the ledger company's own."""
    rate: Decimal | None = None
    """Home units for one of `currency`, sent along; None leaves it to the ledger."""
    order_number: str = ""
    """The customer's own order, where the ledger has a field for it."""
    status: str = "approved"
    """As what it is created: draft, submitted or approved. Only where the ledger knows such states."""
    promote_to: str = ""
    """What it becomes once it is certainly in the ledger; empty: it stays as it was created."""
    mark_sent: bool = False
    """The ledger shows it as sent to the customer, and sends nothing."""
    rounding: Decimal = Decimal(0)
    """What makes its total the source's, carried beside the lines (else there is a rounding line: `rounded`)."""
    notes: tuple[str, ...] = ()
    """What was adjusted on the way, in words ("text of line 3 was cut to 4,000 characters")."""
    payable: Reference | None = None
    """Of a bill or purchase order: the payable account it is credited to."""
    ship_to: tuple[str, ...] = ()
    """Of a purchase order: name and address as lines."""
    theme: Reference | None = None
    """The look it is printed in; None: the ledger's own default."""


@dataclass(frozen=True, slots=True)
class PartyDraft:
    """A customer or vendor (`kind`) to create. Names are already within the ledger's limits."""

    key: str
    name: str
    email: str | None = None
    phone: str | None = None
    address: Address = Address()
    term: Reference | None = None
    currency: str | None = None
    tax_exempt: bool = False
    kind: str = "customer"
    company_name: str = ""
    """The name as the source has it, where `name` bears a suffix."""
    numbered: bool = True
    """It gets our number, where the ledger's customers have one."""
    parent: Reference | None = None
    """It stands under this customer and is billed with it."""


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """An item to create, not stocked: sold on the income account chosen for created items, or, where `bought`,
    purchased (non-inventory) on the expense account chosen for those."""

    key: str
    name: str
    description: str
    account: Reference
    sku: str | None = None
    tax_code: Reference | None = None
    bought: bool = False


AnyDraft = Draft | PartyDraft | ItemDraft
