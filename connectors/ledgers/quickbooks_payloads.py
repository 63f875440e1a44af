"""How QuickBooks Online spells our drafts, and the exact body of a batch. Pure: equal drafts give equal bytes.

Payloads are composed here, not by the client library's objects, which would send defaults of their own
(an exchange rate of 1 among them). Field rules: Intuit's API reference of Invoice, CreditMemo, Customer, Item. What is
bought is spelled in quickbooks_purchases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors import jsonbytes
from connectors.ledgers import quickbooks_purchases as purchases
from connectors.ledgers.base import Change, Kind, Member
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
from domain.documents import AnyDraft, Draft, DraftLine, ItemDraft, PartyDraft

CUSTOMER_MEMO_MAX = 1000

ENTITY = {
    Kind.CUSTOMER: "Customer",
    Kind.VENDOR: "Vendor",
    Kind.ITEM: "Item",
    Kind.ACCOUNT: "Account",
    Kind.TERM: "Term",
    Kind.TAX_CODE: "TaxCode",
    Kind.CLASS: "Class",
    Kind.LOCATION: "Department",
    Kind.INVOICE: "Invoice",
    Kind.CREDIT_MEMO: "CreditMemo",
    Kind.BILL: "Bill",
    Kind.PURCHASE_ORDER: "PurchaseOrder",
}
_OPERATIONS = frozenset({"create", "update", "void", "delete"})
VOIDED = frozenset({Kind.INVOICE})
DELETED = frozenset({Kind.CREDIT_MEMO, *purchases.KINDS})
"""Source: Intuit's API reference: invoices have void; credit memos, bills and orders only delete (QuickBooks' own pages
void them too). A bill that is linked to others must be unlinked before."""


def payload(draft: AnyDraft, ids: Ids, spelling: Spelling) -> bytes:
    if isinstance(draft, Draft):
        return jsonbytes.dump(_document(draft, ids, spelling))
    if isinstance(draft, PartyDraft):
        party = purchases.vendor if draft.kind == Kind.VENDOR else _customer
        return jsonbytes.dump(party(draft, ids, spelling))
    return jsonbytes.dump(purchases.bought_item(draft, ids) if draft.bought else _item(draft, ids))


def change(change: Change, spelling: Spelling) -> bytes:
    """A change names the SyncToken it saw: QuickBooks refuses it (5010) when the record was changed since.

    An update is sparse, so that what we do not know of stays (a message, custom fields); its lines replace all lines.
    """
    head: dict[str, Any] = {"Id": change.ledger_id, "SyncToken": change.version}
    if change.operation == "update":
        if change.draft is None:
            raise ValueError("an update needs a draft")
        return jsonbytes.dump({**head, "sparse": True, **_document(change.draft, {}, spelling)})
    if change.operation == "send":
        return jsonbytes.dump({"Id": change.ledger_id, "sendTo": change.address})
    if change.operation not in ("void", "delete") or change.kind not in VOIDED | DELETED:
        raise ValueError(f"QuickBooks cannot {change.operation} a record of kind {change.kind}")
    return jsonbytes.dump(head)


def attachment(kind: Kind, ledger_id: str, name: str, *, shown: bool) -> bytes:
    """What describes a PDF to `POST /upload`. Source: Intuit, Attachable."""
    record = {"EntityRef": {"type": ENTITY[kind], "value": ledger_id}, "IncludeOnSend": shown}
    return jsonbytes.dump({"AttachableRef": [record], "FileName": name, "ContentType": "application/pdf"})


def compose(members: Sequence[Member]) -> bytes:
    """The body of `POST /batch`. Every payload stands in it byte for byte as it was frozen. A `send` is alone."""
    if members and members[0].operation == "send":
        return members[0].payload
    return b'{"BatchItemRequest":[' + b",".join(_member(member) for member in members) + b"]}"


def _member(member: Member) -> bytes:
    if member.operation not in _OPERATIONS:
        raise ValueError(f"QuickBooks batches know no operation {member.operation!r}")
    operation = "delete" if member.operation == "void" and member.kind in DELETED else member.operation
    head = {"bId": member.short_id, "operation": operation}
    return jsonbytes.dump(head)[:-1] + b',"' + ENTITY[member.kind].encode() + b'":' + member.payload + b"}"


def _document(draft: Draft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    if draft.kind in purchases.KINDS:
        return purchases.document(draft, ids, spelling)
    body: dict[str, Any] = {"CustomerRef": ref(draft.party, ids)}
    if draft.number is not None:
        body["DocNumber"] = draft.number
    body["TxnDate"] = draft.date.isoformat()
    if draft.kind == Kind.INVOICE:
        if draft.due_date is not None:
            body["DueDate"] = draft.due_date.isoformat()
        if draft.term is not None:
            body["SalesTermRef"] = ref(draft.term, ids)
    if spelling.multi_currency:
        body["CurrencyRef"] = {"value": draft.currency}
        if draft.foreign and draft.rate not in (None, 0, 1):  # QuickBooks would book a rate of 1 as it stands
            body["ExchangeRate"] = draft.rate
    body["PrivateNote"] = note(draft.memo, draft.marker)
    if draft.message:
        body["CustomerMemo"] = {"value": draft.message[:CUSTOMER_MEMO_MAX]}
    if draft.email and usable_email(draft.email):
        body["BillEmail"] = {"Address": draft.email.strip()}
    if draft.location is not None:
        body["DepartmentRef"] = ref(draft.location, ids)
    if spelling.country != "US":
        coded = any(line.tax_code is not None for line in draft.lines)
        body["GlobalTaxCalculation"] = "TaxExcluded" if coded else "NotApplicable"
    body["Line"] = [_line(number, line, draft, ids, spelling) for number, line in enumerate(draft.lines, start=1)]
    tax = _tax_detail(draft, ids)
    if tax:
        body["TxnTaxDetail"] = tax
    return body


def _tax_detail(draft: Draft, ids: Ids) -> dict[str, Any]:
    """The explicit amount, with the rate group where the map names one. Whether automated sales tax honours the
    amount without a group is not confirmed (intuit/QuickBooks-V3-PHP-SDK#199): the echo is compared either way."""
    detail: dict[str, Any] = {}
    if draft.tax_group is not None:
        detail["TxnTaxCodeRef"] = ref(draft.tax_group, ids)
    if draft.send_tax:
        detail["TotalTax"] = amount(draft.tax_total, draft.currency)
    return detail


def _line(number: int, line: DraftLine, draft: Draft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    detail: dict[str, Any] = {"ItemRef": ref(line.item, ids)}
    detail["Qty"] = line.quantity
    detail["UnitPrice"] = line.unit_price
    code = _tax_code(line, draft, ids, spelling)
    if code is not None:
        detail["TaxCodeRef"] = {"value": code}
    if line.tracked is not None:
        detail["ClassRef"] = ref(line.tracked, ids)
    if line.service_date is not None:
        detail["ServiceDate"] = line.service_date.isoformat()
    body: dict[str, Any] = {"LineNum": number, "Amount": amount(line.amount, draft.currency)}
    if line.text:
        body["Description"] = line.text
    return {**body, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}


def _tax_code(line: DraftLine, draft: Draft, ids: Ids, spelling: Spelling) -> str | None:
    """The line's own code; without one the US pseudo codes. A US line without any would be taxed as its item is."""
    if line.tax_code is not None:
        return ref(line.tax_code, ids)["value"]
    if spelling.country == "US" or draft.send_tax:
        return "TAX" if line.taxed else "NON"
    return None


def _customer(draft: PartyDraft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    body: dict[str, Any] = {"DisplayName": draft.name, "CompanyName": draft.name[:COMPANY_NAME_MAX].rstrip()}
    if draft.email and usable_email(draft.email):
        body["PrimaryEmailAddr"] = {"Address": draft.email.strip()}
    if draft.phone and len(draft.phone) <= PHONE_MAX:
        body["PrimaryPhone"] = {"FreeFormNumber": draft.phone}
    if found := address(draft.address):
        body["BillAddr"] = found
    if draft.term is not None:
        body["SalesTermRef"] = ref(draft.term, ids)
    if draft.currency is not None and spelling.multi_currency:
        body["CurrencyRef"] = {"value": draft.currency}
    if draft.tax_exempt and spelling.country == "US":
        body["Taxable"] = False
    if draft.parent is not None:
        body |= {"ParentRef": ref(draft.parent, ids), "Job": True, "BillWithParent": True}
    return body


def _item(draft: ItemDraft, ids: Ids) -> dict[str, Any]:
    body: dict[str, Any] = {"Name": draft.name, "Type": "Service"}
    if draft.description:
        body["Description"] = draft.description
    body["IncomeAccountRef"] = ref(draft.account, ids)
    if draft.sku and len(draft.sku) <= SKU_MAX:
        body["Sku"] = draft.sku
    if draft.tax_code is not None:
        code = ref(draft.tax_code, ids)
        if code["value"] in ("TAX", "NON"):
            body["Taxable"] = code["value"] == "TAX"
        else:
            body["SalesTaxCodeRef"] = code
    return body
