"""How Xero spells our drafts, and the exact body of one call. Pure: equal drafts give equal bytes.

Amounts of tax are never sent: Xero computes them per line (certification, "Taxes"). A contact inside a document is its
id alone, because more would edit the contact. Field rules: Xero's API reference of Invoices, CreditNotes, Contacts,
Items.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors import jsonbytes
from connectors.ledgers.base import Change, Kind, LedgerProfile, Member
from domain.documents import Address, AnyDraft, Draft, DraftLine, ItemDraft, PartyDraft, Reference
from domain.matching import party_number
from domain.money import smallest_unit

REFERENCE_MAX = 255
ITEM_NAME_MAX = 50
EMAIL_MAX = 255
PHONE_MAX = 50
RATE_DECIMALS = 6
NUMBER_PREFIX = "AT-"
"""Before a party's source id in a contact's number, so that no other numbering is taken for ours."""

INVOICES = frozenset({Kind.INVOICE})
DOCUMENTS = frozenset({Kind.INVOICE, Kind.CREDIT_MEMO})
ENVELOPE = {
    Kind.CUSTOMER: "Contacts", Kind.VENDOR: "Contacts", Kind.ITEM: "Items", Kind.INVOICE: "Invoices",
    Kind.CREDIT_MEMO: "CreditNotes",
}  # fmt: skip
NUMBER = {Kind.INVOICE: "InvoiceNumber", Kind.CREDIT_MEMO: "CreditNoteNumber"}
ID = {
    Kind.CUSTOMER: "ContactID", Kind.VENDOR: "ContactID", Kind.ITEM: "ItemID", Kind.INVOICE: "InvoiceID",
    Kind.CREDIT_MEMO: "CreditNoteID",
}  # fmt: skip
_TYPE = {Kind.INVOICE: "ACCREC", Kind.CREDIT_MEMO: "ACCRECCREDIT"}
_STATUS = {"draft": "DRAFT", "submitted": "SUBMITTED", "approved": "AUTHORISED"}
_EMAIL = re.compile(r"^[^@\s,;<>]+@[^@\s,;<>]+$")

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


def payload(draft: AnyDraft, ids: Ids, spelling: Spelling) -> bytes:
    if isinstance(draft, Draft):
        return jsonbytes.dump(_document(draft, ids, spelling))
    if isinstance(draft, PartyDraft):
        return jsonbytes.dump(_contact(draft))
    return jsonbytes.dump(_item(draft, ids))


def change(change: Change, spelling: Spelling) -> bytes:
    """A change by id. Xero knows no version that a change could name: the record was read a moment before.

    `void` deletes what is not approved yet: an approved document can only be voided, a draft only deleted.
    """
    head: dict[str, Any] = {ID[change.kind]: change.ledger_id}
    if change.operation == "update":
        if change.draft is None:
            raise ValueError("an update needs a draft")
        body = _document(change.draft, {}, spelling)
        return jsonbytes.dump({**head, **{name: value for name, value in body.items() if name != "Status"}})
    if change.operation == "promote":
        return jsonbytes.dump({**head, **_promotion(change)})
    if change.operation == "send" and change.kind in INVOICES:
        return jsonbytes.dump(head)
    if change.operation != "void" or change.kind not in DOCUMENTS:
        raise ValueError(f"Xero cannot {change.operation} a record of kind {change.kind}")
    return jsonbytes.dump({**head, "Status": "DELETED" if status_of(change.version) in _OPEN else "VOIDED"})


_OPEN = ("DRAFT", "SUBMITTED")


def _promotion(change: Change) -> dict[str, Any]:
    body: dict[str, Any] = {"Status": _STATUS[change.draft.promote_to if change.draft else "approved"]}
    if change.draft is not None and change.draft.mark_sent and body["Status"] == "AUTHORISED":
        body["SentToContact"] = True
    return body


def version(updated: str, status: str) -> str:
    """What stands for a version: the instant of the last change, and the status, which decides how to take it back."""
    return f"{updated}/{status}"


def status_of(version: str) -> str:
    return version.rpartition("/")[2]


def call_of(kind: Kind, operation: str) -> str:
    """Writes that may travel together: one endpoint, one method. Creating is PUT, everything else POST by id."""
    return f"{'PUT' if operation == 'create' else 'POST'} {ENVELOPE[kind]}"


def compose(members: Sequence[Member]) -> bytes:
    """The body of one call. Every payload stands in it byte for byte as it was frozen. A `send` is alone."""
    if members and members[0].operation == "send":
        return members[0].payload
    calls = {call_of(member.kind, member.operation) for member in members}
    if len(calls) > 1:
        raise ValueError(f"one call to Xero cannot be {' and '.join(sorted(calls))}")
    envelope = ENVELOPE[members[0].kind] if members else "Invoices"
    return b'{"' + envelope.encode() + b'":[' + b",".join(member.payload for member in members) + b"]}"


def reference(draft: Draft) -> str:
    """The customer's order and our marker. The rest is cut where needed, the marker never: it proves that the record
    is ours."""
    room = REFERENCE_MAX - len(draft.marker) - 1
    cut = (draft.order_number or "").strip()[:room].rstrip()
    return f"{cut} {draft.marker}" if cut else draft.marker


def _document(draft: Draft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    kind = Kind(draft.kind)
    body: dict[str, Any] = {"Type": _TYPE[kind], "Contact": {"ContactID": _id(draft.party, ids)}}
    if draft.number is not None:
        body[NUMBER[kind]] = draft.number
    body["Reference"] = reference(draft)
    body["Date"] = draft.date.isoformat()
    if kind is Kind.INVOICE:
        body["DueDate"] = (draft.due_date or draft.date).isoformat()
        if spelling.back:
            body["Url"] = f"{spelling.back}{draft.marker}"
    body["LineAmountTypes"] = "Exclusive" if any(line.tax_code for line in draft.lines) else "NoTax"
    body["CurrencyCode"] = draft.currency
    if draft.foreign and draft.rate is not None and draft.rate not in (0, 1):
        body["CurrencyRate"] = (1 / draft.rate).quantize(Decimal(1).scaleb(-RATE_DECIMALS))
    body["Status"] = _STATUS[draft.status]
    if draft.theme is not None:
        body["BrandingThemeID"] = _id(draft.theme, ids)
    if draft.mark_sent and draft.status == "approved" and kind is Kind.INVOICE:
        body["SentToContact"] = True
    body["LineItems"] = [_line(line, draft, ids, spelling) for line in draft.lines]
    return {**body, **_rounding(draft)}


def _rounding(draft: Draft) -> dict[str, Any]:
    """Cents that make the total the source's. Xero takes them only together with the totals they belong to."""
    if not draft.rounding:
        return {}
    unit = smallest_unit(draft.currency)
    net = sum((line.amount for line in draft.lines), Decimal(0))
    return {
        "RoundingAmount": draft.rounding.quantize(unit), "SubTotal": net.quantize(unit),
        "TotalTax": draft.tax_total.quantize(unit), "Total": draft.total.quantize(unit),
    }  # fmt: skip


def _line(line: DraftLine, draft: Draft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    body: dict[str, Any] = {"Description": line.text or line.item.name}
    body["Quantity"], body["UnitAmount"] = line.quantity, line.unit_price
    if line.item.kind == "item":
        body["ItemCode"] = _id(line.item, ids)
    account = line.item if line.item.kind == "account" else line.account
    if account is not None:
        body["AccountID"] = _id(account, ids)
    if line.tax_code is not None:
        body["TaxType"] = _id(line.tax_code, ids)
    tracked = [
        {"Name": name, "Option": option.name}
        for name, option in zip(spelling.tracking, (line.tracked, draft.location), strict=False) if option is not None
    ]
    return {**body, "Tracking": tracked} if tracked else body


def _contact(draft: PartyDraft) -> dict[str, Any]:
    body: dict[str, Any] = {"Name": draft.name}
    number = party_number(NUMBER_PREFIX, draft.key) if draft.numbered else None
    if number:
        body["ContactNumber"] = number
    if draft.email and _usable(draft.email):
        body["EmailAddress"] = draft.email.strip()
    address = _address(draft.address)
    if address:
        body["Addresses"] = [{"AddressType": "POBOX", **address}]
    if draft.phone and len(draft.phone) <= PHONE_MAX:
        body["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": draft.phone}]
    return body


def _item(draft: ItemDraft, ids: Ids) -> dict[str, Any]:
    """Sold, not stocked. Account and tax stand on every line, so that the item needs neither."""
    name = (draft.description or draft.name)[:ITEM_NAME_MAX].rstrip()
    body: dict[str, Any] = {"Code": draft.name, "Name": name, "IsSold": True, "IsPurchased": False}
    if draft.description:
        body["Description"] = draft.description
    return body


def _address(address: Address) -> dict[str, str]:
    fields = {
        "AddressLine1": (address.line1, 500), "AddressLine2": (address.line2, 500), "City": (address.city, 255),
        "Region": (address.region, 255), "PostalCode": (address.postal_code, 50),
    }  # fmt: skip
    country = address.country.strip()[:50]
    found = {name: text.strip()[:most] for name, (text, most) in fields.items() if text.strip()}
    # Xero refuses a country with anything but letters in it, and with it the whole contact.
    return {**found, "Country": country} if country and not any(sign.isdigit() for sign in country) else found


def _id(reference: Reference, ids: Ids) -> str:
    return reference.ledger_id if reference.ledger_id is not None else ids[(reference.kind, reference.key)]


def _usable(email: str) -> bool:
    return len(email.strip()) <= EMAIL_MAX and bool(_EMAIL.match(email.strip()))
