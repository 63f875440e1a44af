"""What a ledger can do, and how one company of it is set up: what rules ask instead of asking for its name."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from domain.taxes import TaxModel


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What rules may ask of a ledger instead of asking for its name."""

    name: str
    batch_members: int
    batch_bytes: int
    calls_in_flight: int
    number_length: int
    party_name_length: int
    item_name_length: int
    line_text_length: int
    memo_length: int
    quantity_decimals: int
    taxed_lines: int
    """Most lines a taxed document may have."""
    refuses_second_copy: frozenset[str]
    """Kinds of which the ledger itself refuses a second copy (own number, unique name): a re-send is safe."""
    short_id_length: int = 10
    can_void: frozenset[str] = frozenset()
    """Kinds whose records keep id and number at zero when they are taken out of the books."""
    can_delete: frozenset[str] = frozenset()
    """Kinds that can be deleted: nothing of the record stays, and its number is free."""
    unlinks: frozenset[str] = frozenset()
    """Kinds of which a document must be taken off the order it fulfils before it is voided or deleted."""
    can_update: frozenset[str] = frozenset()
    """Kinds that can be replaced in place: same id, another content."""
    can_mail: frozenset[str] = frozenset()
    """Kinds that the ledger itself sends to the customer. A `send` goes in a call of its own, never in a batch with
    others."""
    can_attach: frozenset[str] = frozenset()
    """Kinds on which a file can hang."""
    attachment_bytes: int = 0
    """The largest file that we hand over."""
    can_note: frozenset[str] = frozenset()
    """Kinds whose history takes a note of ours."""
    note_length: int = 0
    originals: frozenset[str] = frozenset()
    """Kinds of which the ledger has a printed copy (`original`)."""
    bill_number_length: int = 21
    one_name_list: bool = True
    """Customers and vendors share one list of names (QuickBooks); False: one record can be both (Xero)."""
    can_promote: frozenset[str] = frozenset()
    """Kinds that may be created as drafts and approved later, many in one call."""
    key_lasts_s: float | None = None
    """How long the same whole body may go again under its key; later, or for a part of it, a new key is taken, after a
    look-up. None: for ever, and for any part."""
    unfed_deletions: frozenset[str] = frozenset()
    """Kinds whose deletions the change feed does not tell: they are read whole once a day, and after a refusal."""
    versions: bool = True
    """A change names the version it saw and is refused when the record moved on; else it was read a moment before."""
    lines_on_accounts: bool = False
    """A line names its account, an item beside it is optional; else the account of a line is its item's."""
    negative_quantities: bool = True
    """False: what is taken off is a negative price."""
    tax_per_line: bool = False
    """The tax of each line is rounded, then added up; else it is rounded per rate over the document."""
    rounding_most: Decimal = Decimal(0)
    """The largest amount that an approved document may carry beside its lines to make its total the source's."""
    keeps_memos: bool = True
    """Documents have a private note and a text for the customer."""
    party_numbers: str = ""
    """Before the source's id in the number that a customer's record has of us; empty: records have no such number."""
    themes: bool = False
    """A document may name the look it is printed in, one of the company's list."""
    keeps_terms: bool = True
    """Payment terms are a list of the ledger; else a document has a due date and nothing more."""
    chooses_payable: bool = True
    """A bill names its payable account; else the ledger has one for all."""
    names_customers: bool = True
    """A line of a purchase may name the customer it is bought for, where the company keeps track of that."""
    parties_have_currency: bool = True
    """A customer or vendor is kept in one currency; else any document has its own."""
    edited_by_number: frozenset[str] = frozenset()
    """Kinds of which a creation under a number in use changes the record that has it: looked up before the first
    send."""
    can_close: frozenset[str] = frozenset()
    """Kinds that are closed by a write of their own once all of them is billed; else a bill's lines name the lines of
    the order that they fulfil, which closes it."""
    mails_to_any: bool = True
    """A mail goes to the address that it is told; else to what the customer's record has."""


@dataclass(frozen=True, slots=True)
class LedgerProfile:
    """The ledger company as it is set up now. `closed_through` is the last closed day or None."""

    tenant: str
    company_name: str
    country: str
    currency: str
    multi_currency: bool
    tax_model: TaxModel
    own_numbers: bool | None
    """True when the ledger accepts our document numbers, False when it numbers by itself, None when it does either."""
    closed_through: str | None = None
    latin1_only: bool = False
    edition: str = ""
    classes: bool = False
    """Each line of a document may have a class."""
    locations: bool = False
    fiscal_month: int = 1
    """The month in which the fiscal year begins, 1 to 12."""
    applies_credits: bool = False
    """The ledger applies open credits to invoices by itself."""
    tracking: tuple[str, ...] = ()
    """What the company calls its lists of classes and locations, where it has names of its own for them."""
    short_code: str = ""
    """What the company's pages are found by, where that is not its id."""
    takes_early_due: bool = True
    """Whether a due date before the document's own date is taken. Not a preference: learned from a refusal, forgotten
    with the next reading."""
    bills: bool = True
    purchase_orders: bool = True
    """The company's plan has them."""
    own_order_numbers: bool | None = False
    """True when the ledger accepts our numbers for its purchase orders, False when it numbers them by itself, None when
    it does either."""
    purchases_by_customer: bool = False
    """Lines of bills and purchase orders may name a customer, and be billable."""
    purchase_tax: bool = False
    """A purchase line needs a tax code (outside the US)."""
