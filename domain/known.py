"""What rules may know about the ledger company and its lists: prefetched values that plans read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from domain.documents import Catalog, Party
from domain.order_parts import OrderHistory
from domain.reissues import Earlier
from domain.taxes import TaxModel


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a ledger list as rules see it (details by kind: see the ledger port's `Record`)."""

    id: str
    name: str
    active: bool
    details: Mapping[str, str | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """The ledger company and what its connector can do."""

    ledger: str
    currency: str
    country: str
    multi_currency: bool
    tax_model: TaxModel
    own_numbers: bool | None
    closed_through: date | None
    latin1_only: bool
    number_length: int
    party_name_length: int
    item_name_length: int
    line_text_length: int
    quantity_decimals: int
    taxed_lines: int
    customer_memo_length: int = 1000
    fiscal_month: int = 1
    """The month in which the fiscal year begins, 1 to 12."""
    takes_early_due: bool = True
    """Whether a due date before the document's own date is taken; learned from a refusal."""
    classes: bool = False
    """Lines may have a class (QuickBooks: tracked per line)."""
    locations: bool = False
    bills: bool = True
    purchase_orders: bool = True
    """The ledger company's plan has them."""
    own_order_numbers: bool | None = False
    """It accepts our numbers for its purchase orders; else it numbers them. None: either."""
    bill_number_length: int = 21
    purchases_by_customer: bool = False
    """Lines of bills and orders may name a customer, and be billable."""
    purchase_tax: bool = False
    """A purchase line without a tax code is refused (outside the US)."""
    party_numbers: str = ""
    """Before the source's id in the number of a customer that we made; empty: customers have no number."""
    one_name_list: bool = True
    """Customers and vendors share one list of names."""
    lines_on_accounts: bool = False
    """A line names its account, an item beside it is optional."""
    negative_quantities: bool = True
    tax_per_line: bool = False
    """The ledger rounds the tax of each line."""
    rounding_most: Decimal = Decimal(0)
    """The largest amount an approved document may carry beside its lines."""
    can_promote: bool = False
    """Documents may be created as drafts and approved later."""
    keeps_terms: bool = True
    """Terms are a list of the ledger; else a document has a due date only."""
    chooses_payable: bool = True
    """A bill names its payable account."""
    keeps_memos: bool = True
    themes: bool = False
    """A document may name a branding theme."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What planning may look up, prefetched for the documents at hand. Keys of `*_by_name` are folded names."""

    parties: Mapping[str, Party] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=Catalog)
    links: Mapping[tuple[str, str], str] = field(default_factory=dict)
    customers: Mapping[str, Entry] = field(default_factory=dict)
    customers_by_name: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    customers_by_number: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    """By the number of ours that they bear (`matching.party_number`)."""
    exact_names: bool = False
    """Names of customers must agree in upper and lower case too (a setting)."""
    customers_by_loose: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    vendors_by_name: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    accounts: Mapping[str, Entry] = field(default_factory=dict)
    items: Mapping[str, Entry] = field(default_factory=dict)
    items_by_name: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    terms_by_name: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    tax_codes: Mapping[str, Entry] = field(default_factory=dict)
    twins: frozenset[str] = frozenset()
    """Folded names that more than one source party bears."""
    look_alikes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Source party id → names of other source parties that are similar to its own."""
    voided: Mapping[str, tuple[Earlier, ...]] = field(default_factory=dict)
    """Source party id → its documents that the source voided after they were posted."""
    answered: frozenset[str] = frozenset()
    """Source ids of documents that are not asked whether they bill a voided one again."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """Effective number → the lowest source id among documents that bear it."""
    classes: Mapping[str, Entry] = field(default_factory=dict)
    locations: Mapping[str, Entry] = field(default_factory=dict)
    themes: Mapping[str, Entry] = field(default_factory=dict)
    vendors: Mapping[str, Entry] = field(default_factory=dict)
    vendors_by_number: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    """As customers_by_number."""
    vendors_by_loose: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    history: Mapping[tuple[str, str], OrderHistory] = field(default_factory=dict)
    """Source id and part of an order → what its other documents hold in the ledger."""
    posted: frozenset[tuple[str | None, str]] = frozenset()
    """(source party id, number) of invoices in the ledger that texts of credits may name."""
    currencies: str = ""
    """The currencies of both sides as they were remembered (`domain.currencies.Pairing.text`)."""
