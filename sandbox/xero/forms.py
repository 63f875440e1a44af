"""What the three kinds of document have in common and where they differ: tables, numbers, states.

Source: Xero's entity pages; fact sheet sections 3.2 and 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.xero.errors import Problems
from sandbox.xero.organisation import Organisation

LIVE = ("DRAFT", "SUBMITTED", "AUTHORISED")
POSTED = ("AUTHORISED", "PAID")
STATUSES = (*LIVE, "PAID", "VOIDED", "DELETED", "BILLED")
NOT_MODIFIABLE = "Invoice not of valid status for modification"
UNIQUE = "Invoice # must be unique."


@dataclass(frozen=True)
class Form:
    """One kind of document. ``posts``: whether it has entries in the books."""

    kind: str
    envelope: str
    types: tuple[str, ...]
    prefix: str
    posts: bool = True

    @property
    def id(self) -> str:
        return f"{self.kind}ID"

    @property
    def number(self) -> str:
        return f"{self.kind}Number"


INVOICE = Form("Invoice", "Invoices", ("ACCREC", "ACCPAY"), "INV")
CREDIT_NOTE = Form("CreditNote", "CreditNotes", ("ACCRECCREDIT", "ACCPAYCREDIT"), "CN")
ORDER = Form("PurchaseOrder", "PurchaseOrders", (), "PO", posts=False)
FORMS = {form.kind: form for form in (INVOICE, CREDIT_NOTE, ORDER)}

_OPEN = (*LIVE, "DELETED")
_NEXT: dict[str, tuple[str, ...]] = {
    "": LIVE,
    "DRAFT": _OPEN,
    "SUBMITTED": _OPEN,
    "AUTHORISED": ("AUTHORISED", "VOIDED"),
    "PAID": ("PAID", "AUTHORISED"),  # an update of what may still change names either
    "VOIDED": (),
    "DELETED": (),
}
_ORDER_OPEN = (*LIVE, "BILLED", "DELETED")
_ORDER_NEXT: dict[str, tuple[str, ...]] = {
    "": (*LIVE, "BILLED"),
    **dict.fromkeys((*LIVE, "BILLED"), _ORDER_OPEN),
    "DELETED": (),
}


def settle_status(form: Form, draft: dict[str, Any], old: str, wanted: str, problems: Problems) -> None:
    """Move a document to another state, or say that it cannot go there. Approved is never deleted, only voided."""
    table = _NEXT if form.posts else _ORDER_NEXT
    if wanted in table[old]:
        draft["Status"] = "PAID" if old == "PAID" else wanted
        return
    if form.posts:
        problems.add(NOT_MODIFIABLE)
        return
    problems.add("PurchaseOrder status change is invalid")
    if old == "DELETED":
        problems.add("Deleted PurchaseOrders cannot be updated")


def keys(form: Form, draft: Mapping[str, Any], contact: str) -> dict[str, str | None]:
    """Look-up values: a deleted invoice gives its number back, a deleted purchase order keeps it."""
    number = draft.get(form.number)
    freed = draft["Status"] == "DELETED" and form.posts
    value = number_key(draft.get("Type", ""), str(number)) if number and not freed else None
    return {"number": value, "contact": contact}


def number_key(type_: str, number: str) -> str:
    return f"{type_}/{number.casefold()}"


def holders(org: Organisation, form: Form, type_: str, number: str) -> list[dict[str, Any]]:
    """The documents of one type that bear a number."""
    return org.find(form.kind, "number", number_key(type_, number))


def settle_number(
    org: Organisation, form: Form, draft: dict[str, Any], old: Mapping[str, Any] | None, problems: Problems
) -> None:
    """Give the next number where none was sent; refuse one in use. Bills have none by themselves and may repeat."""
    type_, number = draft.get("Type", ""), str(draft.get(form.number) or "")
    if len(number) > 255 or any(not 32 <= ord(sign) < 127 for sign in number):
        problems.add("The number must have at most 255 printable characters")  # inferred
    if not number:
        if type_ != "ACCPAY" and old is None:
            draft[form.number] = _next_number(org, form, type_)
        return
    same = old is not None and old["entity"].get(form.number) == number
    if same or not _checked(org, form, type_):
        return
    if any(old is None or each["id"] != old["id"] for each in holders(org, form, type_, number)):
        problems.add(UNIQUE if form is INVOICE else f"{form.kind} number must be unique")


def _checked(org: Organisation, form: Form, type_: str) -> bool:
    if form is CREDIT_NOTE:
        return type_ == "ACCRECCREDIT" and bool(org.switch("credit_note_numbers_checked"))
    return type_ != "ACCPAY"


def _next_number(org: Organisation, form: Form, type_: str) -> str:
    while True:
        number = f"{form.prefix}-{org.store.next_id(org.space, f'number:{form.kind}{type_}'):04d}"
        if not holders(org, form, type_, number):
            return number
