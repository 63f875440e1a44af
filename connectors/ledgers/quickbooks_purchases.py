"""How QuickBooks Online spells bills, purchase orders, vendors and items that are bought. Pure.

Field rules: Intuit's API reference of Bill, PurchaseOrder, Vendor and Item, and "Manage linked transactions". A bill
has neither class nor customer on its head; a vendor's terms are called `TermRef`, a bill's `SalesTermRef`.
"""

from __future__ import annotations

from typing import Any

from connectors.ledgers.base import Kind
from connectors.ledgers.quickbooks_spelling import (
    COMPANY_NAME_MAX,
    PHONE_MAX,
    SKU_MAX,
    Ids,
    Spelling,
    address,
    amount,
    note,
    ref,
    usable_email,
)
from domain.documents import Draft, DraftLine, ItemDraft, PartyDraft

KINDS = (Kind.BILL, Kind.PURCHASE_ORDER)
PURCHASE_TEXT_MAX = 1000
VENDOR_MEMO_MAX = 4000
ACCOUNT_DETAIL, ITEM_DETAIL = "AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail"


def document(draft: Draft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    """A bill or a purchase order. A rate of 1 is sent only where the draft asks for it (a person confirmed it)."""
    body: dict[str, Any] = {"VendorRef": ref(draft.party, ids)}
    if draft.number is not None:
        body["DocNumber"] = draft.number
    body["TxnDate"] = draft.date.isoformat()
    if draft.payable is not None:
        body["APAccountRef"] = ref(draft.payable, ids)
    if draft.kind == Kind.BILL:
        if draft.due_date is not None:
            body["DueDate"] = draft.due_date.isoformat()
        if draft.term is not None:
            body["SalesTermRef"] = ref(draft.term, ids)
    if spelling.multi_currency:
        body["CurrencyRef"] = {"value": draft.currency}
        if draft.foreign and draft.rate:
            body["ExchangeRate"] = draft.rate
    body["PrivateNote"] = note(draft.memo, draft.marker)
    if draft.kind == Kind.PURCHASE_ORDER:
        if draft.message:
            body["Memo"] = draft.message[:VENDOR_MEMO_MAX]
        if draft.ship_to:
            body["ShipAddr"] = {f"Line{n}": text[:500] for n, text in enumerate(draft.ship_to[:5], start=1)}
    if draft.location is not None:
        body["DepartmentRef"] = ref(draft.location, ids)
    if spelling.country != "US":
        coded = any(line.tax_code is not None for line in draft.lines)
        body["GlobalTaxCalculation"] = "TaxExcluded" if coded else "NotApplicable"
    body["Line"] = [_line(number, line, draft, ids, spelling) for number, line in enumerate(draft.lines, start=1)]
    return body


def _line(number: int, line: DraftLine, draft: Draft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    """A line that fulfils one of an order goes without a number of its own, as Intuit asks."""
    body: dict[str, Any] = {} if line.ordered is not None else {"LineNum": number}
    body["Amount"] = amount(line.amount, draft.currency)
    if line.text:
        body["Description"] = line.text
    if line.ordered is not None:
        body["LinkedTxn"] = [
            {"TxnId": line.ordered.order_id, "TxnType": "PurchaseOrder", "TxnLineId": line.ordered.line_id}
        ]
    if line.item.kind == "account":
        kind = ACCOUNT_DETAIL
        detail: dict[str, Any] = {"AccountRef": ref(line.item, ids)}
    else:
        kind = ITEM_DETAIL
        detail = {"ItemRef": ref(line.item, ids), "Qty": line.quantity, "UnitPrice": line.unit_price}
    if line.tax_code is not None:
        detail["TaxCodeRef"] = ref(line.tax_code, ids)
    elif spelling.country == "US":
        detail["TaxCodeRef"] = {"value": "NON"}
    if line.tracked is not None:
        detail["ClassRef"] = ref(line.tracked, ids)
    if line.customer is not None:
        detail["CustomerRef"] = ref(line.customer, ids)
        detail["BillableStatus"] = "Billable" if line.billable else "NotBillable"
    return {**body, "DetailType": kind, kind: detail}


def vendor(draft: PartyDraft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    """The suffix that tells a vendor from a customer stands in the display name only."""
    company = (draft.company_name or draft.name)[:COMPANY_NAME_MAX].rstrip()
    body: dict[str, Any] = {"DisplayName": draft.name, "CompanyName": company}
    if draft.email and usable_email(draft.email):
        body["PrimaryEmailAddr"] = {"Address": draft.email.strip()}
    if draft.phone and len(draft.phone) <= PHONE_MAX:
        body["PrimaryPhone"] = {"FreeFormNumber": draft.phone}
    if found := address(draft.address):
        body["BillAddr"] = found
    if draft.term is not None:
        body["TermRef"] = ref(draft.term, ids)
    if draft.currency is not None and spelling.multi_currency:
        body["CurrencyRef"] = {"value": draft.currency}
    return body


def bought_item(draft: ItemDraft, ids: Ids) -> dict[str, Any]:
    """Non-inventory: stock is not ours to move."""
    body: dict[str, Any] = {"Name": draft.name, "Type": "NonInventory"}
    if draft.description:
        body["PurchaseDesc"] = draft.description[:PURCHASE_TEXT_MAX]
    body["ExpenseAccountRef"] = ref(draft.account, ids)
    if draft.sku and len(draft.sku) <= SKU_MAX:
        body["Sku"] = draft.sku
    if draft.tax_code is not None and (code := ref(draft.tax_code, ids))["value"] not in ("TAX", "NON"):
        body["PurchaseTaxCodeRef"] = code
    return body
