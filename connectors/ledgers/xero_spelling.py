"""What Xero's documents share: how kinds, endpoints, ids and numbers are called, and how a line is spelled. Pure.

Field rules: Xero's API reference of Invoices, CreditNotes and PurchaseOrders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.ledgers.base import Kind, LedgerProfile
from domain.documents import Draft, DraftLine, Reference

REFERENCE_MAX = 255
RATE_DECIMALS = 6

SALES = frozenset({Kind.INVOICE, Kind.CREDIT_MEMO})
PURCHASES = frozenset({Kind.BILL, Kind.PURCHASE_ORDER})
DOCUMENTS = SALES | PURCHASES
ENVELOPE = {
    Kind.CUSTOMER: "Contacts", Kind.VENDOR: "Contacts", Kind.ITEM: "Items", Kind.INVOICE: "Invoices",
    Kind.CREDIT_MEMO: "CreditNotes", Kind.BILL: "Invoices", Kind.PURCHASE_ORDER: "PurchaseOrders",
    Kind.ACCOUNT: "Accounts",
}  # fmt: skip
NUMBER = {
    Kind.INVOICE: "InvoiceNumber", Kind.CREDIT_MEMO: "CreditNoteNumber", Kind.BILL: "InvoiceNumber",
    Kind.PURCHASE_ORDER: "PurchaseOrderNumber",
}  # fmt: skip
ID = {
    Kind.CUSTOMER: "ContactID", Kind.VENDOR: "ContactID", Kind.ITEM: "ItemID", Kind.INVOICE: "InvoiceID",
    Kind.CREDIT_MEMO: "CreditNoteID", Kind.BILL: "InvoiceID", Kind.PURCHASE_ORDER: "PurchaseOrderID",
}  # fmt: skip
TYPE = {Kind.INVOICE: "ACCREC", Kind.CREDIT_MEMO: "ACCRECCREDIT", Kind.BILL: "ACCPAY"}
"""Sales invoices and bills are records of one endpoint; credit notes of vendors are none of ours."""
STATUS = {"draft": "DRAFT", "submitted": "SUBMITTED", "approved": "AUTHORISED"}

Ids = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Spelling:
    """What of organisation and installation decides how drafts are written. `back` is where a document's link leads,
    with the marker at its end; empty: no link."""

    tracking: tuple[str, ...] = ()
    """Names of the categories for the class of a line and the location of a document."""
    back: str = ""

    @classmethod
    def of(cls, profile: LedgerProfile | None, back: str) -> Spelling:
        return cls(profile.tracking if profile else (), back)


def ident(reference: Reference, ids: Ids) -> str:
    return reference.ledger_id if reference.ledger_id is not None else ids[(reference.kind, reference.key)]


def marked(text: str, marker: str) -> str:
    """A reference with our marker behind it. The text is cut where needed, the marker never: it proves that the record
    is ours."""
    cut = text.strip()[: REFERENCE_MAX - len(marker) - 1].rstrip()
    return f"{cut} {marker}".strip() if cut else marker


def amounts(draft: Draft) -> dict[str, Any]:
    """Tax mode and currency. Amounts of tax are never sent."""
    body: dict[str, Any] = {
        "LineAmountTypes": "Exclusive" if any(line.tax_code for line in draft.lines) else "NoTax",
        "CurrencyCode": draft.currency,
    }
    if draft.foreign and draft.rate is not None and draft.rate not in (0, 1):
        body["CurrencyRate"] = (1 / draft.rate).quantize(Decimal(1).scaleb(-RATE_DECIMALS))
    return body


def line(line: DraftLine, draft: Draft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    body: dict[str, Any] = {"Description": line.text or line.item.name}
    body["Quantity"], body["UnitAmount"] = line.quantity, line.unit_price
    if line.item.kind == "item":
        body["ItemCode"] = ident(line.item, ids)
    account = line.item if line.item.kind == "account" else line.account
    if account is not None:
        body["AccountID"] = ident(account, ids)
    if line.tax_code is not None:
        body["TaxType"] = ident(line.tax_code, ids)
    tracked = [
        {"Name": name, "Option": option.name}
        for name, option in zip(spelling.tracking, (line.tracked, draft.location), strict=False) if option is not None
    ]
    return {**body, "Tracking": tracked} if tracked else body
