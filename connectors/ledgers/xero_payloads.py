"""How Xero spells our drafts, and the exact body of one call. Pure: equal drafts give equal bytes.

Amounts of tax are never sent: Xero computes them per line (certification, "Taxes"). A contact inside a document is its
id alone, because more would edit the contact. Field rules: Xero's API reference of Invoices, CreditNotes, Contacts,
Items.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connectors import jsonbytes
from connectors.ledgers import xero_purchases as purchases
from connectors.ledgers.base import Change, Kind, Member
from connectors.ledgers.xero_spelling import DOCUMENTS as DOCUMENTS
from connectors.ledgers.xero_spelling import ENVELOPE as ENVELOPE
from connectors.ledgers.xero_spelling import ID as ID
from connectors.ledgers.xero_spelling import NUMBER as NUMBER
from connectors.ledgers.xero_spelling import PURCHASES as PURCHASES
from connectors.ledgers.xero_spelling import REFERENCE_MAX as REFERENCE_MAX
from connectors.ledgers.xero_spelling import SALES as SALES
from connectors.ledgers.xero_spelling import STATUS, TYPE, Ids, amounts, ident, line, marked
from connectors.ledgers.xero_spelling import Spelling as Spelling
from domain.documents import Address, AnyDraft, Draft, ItemDraft, PartyDraft
from domain.matching import party_number
from domain.money import smallest_unit

ITEM_NAME_MAX = 50
EMAIL_MAX = 255
PHONE_MAX = 50
NUMBER_PREFIX = "AT-"
"""Before a party's source id in a contact's number, so that no other numbering is taken for ours."""

INVOICES = frozenset({Kind.INVOICE})
_EMAIL = re.compile(r"^[^@\s,;<>]+@[^@\s,;<>]+$")


def payload(draft: AnyDraft, ids: Ids, spelling: Spelling) -> bytes:
    if isinstance(draft, Draft):
        return jsonbytes.dump(_document(draft, ids, spelling))
    if isinstance(draft, PartyDraft):
        return jsonbytes.dump(_contact(draft))
    return jsonbytes.dump(_item(draft))


def change(change: Change, spelling: Spelling) -> bytes:
    """A change by id. Xero knows no version that a change could name: the record was read a moment before.

    `void` deletes what is not approved yet, and any purchase order: an approved document can only be voided, a draft
    only deleted. `close` sets a purchase order to billed, since no bill can name the order that it fulfils.
    """
    kind, head = change.kind, {ID[change.kind]: change.ledger_id}
    if change.operation == "update":
        if change.draft is None:
            raise ValueError("an update needs a draft")
        body = _document(change.draft, {}, spelling)
        return jsonbytes.dump({**head, **{name: value for name, value in body.items() if name != "Status"}})
    if change.operation == "promote":
        return jsonbytes.dump({**head, **_promotion(change)})
    if change.operation == "close" and kind is Kind.PURCHASE_ORDER:
        return jsonbytes.dump({**head, "Status": "BILLED"})
    if change.operation == "send" and kind in INVOICES:
        return jsonbytes.dump(head)
    if change.operation != "void" or kind not in DOCUMENTS:
        raise ValueError(f"Xero cannot {change.operation} a record of kind {kind}")
    unbooked = kind is Kind.PURCHASE_ORDER or status_of(change.version) in _OPEN
    return jsonbytes.dump({**head, "Status": "DELETED" if unbooked else "VOIDED"})


_OPEN = ("DRAFT", "SUBMITTED")


def _promotion(change: Change) -> dict[str, Any]:
    body: dict[str, Any] = {"Status": STATUS[change.draft.promote_to if change.draft else "approved"]}
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


def _document(draft: Draft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    kind = Kind(draft.kind)
    if kind in PURCHASES:
        return purchases.document(draft, ids, spelling)
    body: dict[str, Any] = {"Type": TYPE[kind], "Contact": {"ContactID": ident(draft.party, ids)}}
    if draft.number is not None:
        body[NUMBER[kind]] = draft.number
    body["Reference"] = marked(draft.order_number or "", draft.marker)
    body["Date"] = draft.date.isoformat()
    if kind is Kind.INVOICE:
        body["DueDate"] = (draft.due_date or draft.date).isoformat()
        if spelling.back:
            body["Url"] = f"{spelling.back}{draft.marker}"
    body |= amounts(draft)
    body["Status"] = STATUS[draft.status]
    if draft.theme is not None:
        body["BrandingThemeID"] = ident(draft.theme, ids)
    if draft.mark_sent and draft.status == "approved" and kind is Kind.INVOICE:
        body["SentToContact"] = True
    body["LineItems"] = [line(each, draft, ids, spelling) for each in draft.lines]
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


def _item(draft: ItemDraft) -> dict[str, Any]:
    """Sold or bought, not stocked. Account and tax stand on every line, so that the item needs neither."""
    name = (draft.description or draft.name)[:ITEM_NAME_MAX].rstrip()
    body: dict[str, Any] = {"Code": draft.name, "Name": name, "IsSold": not draft.bought, "IsPurchased": draft.bought}
    if draft.description:
        body["PurchaseDescription" if draft.bought else "Description"] = draft.description
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


def _usable(email: str) -> bool:
    return len(email.strip()) <= EMAIL_MAX and bool(_EMAIL.match(email.strip()))
