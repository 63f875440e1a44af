"""Which method of xero-python reads or writes which kind, what Xero can do with it, and how often it may be asked.

Sources: xero-python 15.2.0; Xero, "Limits", "Deep linking to Xero".
"""

from __future__ import annotations

from decimal import Decimal

from connectors.ledgers import xero_payloads as payloads
from connectors.ledgers.base import Capabilities, Kind
from connectors.ledgers.xero_http import PLATFORM
from connectors.ledgers.xero_lookup import UNIT_DECIMALS
from connectors.limits import Limit

GET = {
    Kind.CUSTOMER: "get_contacts",
    Kind.VENDOR: "get_contacts",
    Kind.ITEM: "get_items",
    Kind.ACCOUNT: "get_accounts",
    Kind.INVOICE: "get_invoices",
    Kind.CREDIT_MEMO: "get_credit_notes",
    Kind.BILL: "get_invoices",
    Kind.PURCHASE_ORDER: "get_purchase_orders",
}
GET_ONE = {Kind.PURCHASE_ORDER: "get_purchase_order"}
"""By an id or a number: Xero filters purchase orders by neither."""
PAGED = (Kind.CUSTOMER, Kind.VENDOR, *payloads.DOCUMENTS)
PRICED = ("Items", "Invoices", "CreditNotes")
"""Endpoints that keep two decimals of a price unless they are asked for four; purchase orders always keep four."""
WRITE = {
    "PUT Contacts": "create_contacts",
    "PUT Items": "create_items",
    "PUT Invoices": "create_invoices",
    "PUT CreditNotes": "create_credit_notes",
    "PUT PurchaseOrders": "create_purchase_orders",
    "POST Invoices": "update_or_create_invoices",
    "POST CreditNotes": "update_or_create_credit_notes",
    "POST PurchaseOrders": "update_or_create_purchase_orders",
}
PAPERS = {
    Kind.INVOICE: (
        "get_invoice_as_pdf", "get_invoice_attachments", "create_invoice_attachment_by_file_name", "invoice_id",
    ),
    Kind.CREDIT_MEMO: (
        "get_credit_note_as_pdf", "get_credit_note_attachments", "create_credit_note_attachment_by_file_name",
        "credit_note_id",
    ),
    Kind.PURCHASE_ORDER: (
        "get_purchase_order_as_pdf", "get_purchase_order_attachments",
        "create_purchase_order_attachment_by_file_name", "purchase_order_id",
    ),
}  # fmt: skip
HISTORY = {
    Kind.INVOICE: ("get_invoice_history", "create_invoice_history"),
    Kind.CREDIT_MEMO: ("get_credit_note_history", "create_credit_note_history"),
}
PAGES = {
    Kind.INVOICE: "/AccountsReceivable/View.aspx?InvoiceID={}",
    Kind.CREDIT_MEMO: "/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={}",
    Kind.BILL: "/AccountsPayable/Edit.aspx?InvoiceID={}",
    Kind.PURCHASE_ORDER: "/Accounts/Payable/PurchaseOrders/View/{}/",
    Kind.CUSTOMER: "/Contacts/View/{}",
    Kind.VENDOR: "/Contacts/View/{}",
    Kind.ITEM: "/Inventory/",
    Kind.ACCOUNT: "/GeneralLedger/ChartOfAccounts.aspx",
}
"""Source: Xero, "Deep linking to Xero"."""


DAY_CALLS = 5000
DAY_KNOWN_S = 3600.0


def limits_for(tenant: str, day_calls: int = DAY_CALLS) -> tuple[Limit, ...]:
    """Xero's 60 calls a minute per organisation, and its calls of a day: 1,000 for an app on the Starter tier, 5,000
    for others, as its answers tell. The windows are a little longer than Xero's and a few places are left free, because
    the service counts arrivals and we count departures."""
    scope = f"xero:{tenant}"
    return (Limit(f"{scope}:minute", 57, 60.5), Limit(f"{scope}:day", max(day_calls - 10, 1), 86_400.0))


_DOCUMENTS = frozenset(kind.value for kind in payloads.DOCUMENTS)
_SALES = frozenset(kind.value for kind in payloads.SALES)

CAPABILITIES = Capabilities(
    name=PLATFORM,
    batch_members=50,
    batch_bytes=3_500_000,
    calls_in_flight=4,
    number_length=255,
    party_name_length=255,
    item_name_length=30,
    line_text_length=4000,
    memo_length=payloads.REFERENCE_MAX,
    quantity_decimals=UNIT_DECIMALS,
    taxed_lines=10_000,
    refuses_second_copy=frozenset({Kind.CUSTOMER.value, Kind.VENDOR.value, Kind.ITEM.value, Kind.INVOICE.value}),
    can_void=_DOCUMENTS,
    can_update=_DOCUMENTS,
    can_mail=frozenset({Kind.INVOICE.value}),
    can_attach=_SALES,
    attachment_bytes=10_000_000,
    can_note=frozenset(kind.value for kind in HISTORY),
    note_length=2500,
    can_promote=_DOCUMENTS,
    edited_by_number=frozenset({Kind.PURCHASE_ORDER.value}),
    can_close=frozenset({Kind.PURCHASE_ORDER.value}),
    key_lasts_s=300.0,
    unfed_deletions=frozenset({Kind.ITEM.value}),
    versions=False,
    lines_on_accounts=True,
    negative_quantities=False,
    tax_per_line=True,
    rounding_most=Decimal("0.10"),
    keeps_memos=False,
    themes=True,
    keeps_terms=False,
    chooses_payable=False,
    names_customers=False,
    parties_have_currency=False,
    mails_to_any=False,
    party_numbers=payloads.NUMBER_PREFIX,
    originals=_SALES | {Kind.PURCHASE_ORDER.value},
    bill_number_length=255,
    one_name_list=False,
)
