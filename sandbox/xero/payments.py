"""Payments and allocations: what takes something off a document. Payments are made and deleted, never edited.

Source: Xero, api/accounting/payments and creditnotes; fact sheet section 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.double_entry import gather
from sandbox.xero import documents, forms, shown, wire
from sandbox.xero.elements import Call, Element
from sandbox.xero.errors import Invalid, bad_data, not_found
from sandbox.xero.forms import CREDIT_NOTE, INVOICE, Form
from sandbox.xero.ledger import SALES, remaining
from sandbox.xero.organisation import Organisation, r2

Body = dict[str, Any]
EXCEEDS = "Payment amount exceeds the amount outstanding on this document"
UNAPPROVED = "Payments can only be made against Authorised documents"
_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}


def write(call: Call, element: Element) -> Body:
    """PUT: one payment against an approved document, or a refund of a credit note."""
    org = call.org
    form, record = _target(org, element)
    account = _account(org, element.get("Account") or {})
    amount = wire.read_number(element.get("Amount", 0), "Payments[0].Amount")
    day = wire.read_day(element["Date"], "Payments[0].Date") if element.get("Date") else org.today()
    if record["entity"]["Status"] not in forms.POSTED:
        raise Invalid([UNAPPROVED])
    if account is None:
        raise Invalid(["Account must be a bank account or have payments enabled."])  # inferred
    words = org.locked(day)
    if words:
        raise Invalid([words])
    if amount <= 0 or amount > remaining(record):
        raise Invalid([EXCEEDS])
    entity = {
        "Date": day,
        "Amount": amount,
        "Reference": str(element.get("Reference", "")),
        "CurrencyRate": record["entity"]["CurrencyRate"],
        "PaymentType": _TYPES[record["entity"]["Type"]],
        "Status": "AUTHORISED",
        "IsReconciled": bool(element.get("IsReconciled")),
        "Target": {"kind": form.kind, "id": record["id"]},
        "AccountID": account["id"],
    }
    payment = org.insert("Payment", entity, {"target": record["id"]}, journal=_entries(org, record, entity))
    apply(org, record, {"by": "Payment", "id": payment["id"], "amount": amount, "date": day})
    return present(org, payment)


def _target(org: Organisation, element: Element) -> tuple[Form, Body]:
    given = [form for form in (INVOICE, CREDIT_NOTE) if element.get(form.kind)]
    if len(given) != 1:
        raise Invalid(["Exactly one of Invoice, CreditNote, Prepayment or Overpayment must be supplied."])  # inferred
    form = given[0]
    sent: Mapping[str, Any] = element[form.kind]
    found = org.record(form.kind, str(sent.get(form.id, "")))
    if found is None and sent.get(form.number):
        found = documents.by_number(org, form, str(sent[form.number]))
    if found is None:
        raise not_found()
    return form, found


def _account(org: Organisation, sent: Mapping[str, Any]) -> Body | None:
    found = org.account(ident=str(sent["AccountID"])) if sent.get("AccountID") else org.account(str(sent.get("Code")))
    if found is None or found["entity"]["Status"] != "ACTIVE":
        return None
    entity = found["entity"]
    return found if entity["Type"] == "BANK" or entity.get("EnablePaymentsToAccount") else None


def _entries(org: Organisation, record: Body, entity: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The bank against the receivable or payable. Both at the document's rate: no gain or loss is booked here."""
    document = record["entity"]
    sign = 1 if document["Type"] in ("ACCREC", "ACCPAYCREDIT") else -1
    amount = sign * r2(entity["Amount"] / Decimal(str(document["CurrencyRate"])))
    control = org.system_account("DEBTORS" if document["Type"] in SALES else "CREDITORS")
    return gather([(entity["AccountID"], amount, None), (control, -amount, document["ContactID"])])


def apply(org: Organisation, record: Body, row: Body) -> None:
    """Take something off a document; it is PAID when nothing is left. Its time of change moves."""
    _settle(org, record, [*record.get("applied", []), row])


def _settle(org: Organisation, record: Body, rows: list[Body]) -> None:
    form = forms.FORMS[record["kind"]]
    rest = remaining({**record, "applied": rows})
    entity = {**record["entity"], "Status": "AUTHORISED" if rest else "PAID"}
    org.replace(record, entity, forms.keys(form, entity, entity["ContactID"]), "apply", applied=rows)


def delete(org: Organisation, ident: str, body: Any) -> Body:
    """POST ``{"Status":"DELETED"}`` to a payment: the document is open again."""
    found = org.record("Payment", ident)
    if found is None:
        raise not_found()
    sent = next(iter(body.get("Payments", [body]))) if isinstance(body, dict) else {}
    if sent.get("Status") != "DELETED" or found["entity"]["Status"] == "DELETED":
        raise bad_data("A payment can only be deleted, and only once.")
    target = found["entity"]["Target"]
    record = org.record(target["kind"], target["id"])
    if record is None:
        raise not_found()
    _settle(org, record, [row for row in record["applied"] if row["id"] != found["id"]])
    entity = {**found["entity"], "Status": "DELETED"}
    return present(org, org.replace(found, entity, {"target": target["id"]}, "delete", journal=[]))


def present(org: Organisation, record: Mapping[str, Any]) -> Body:
    """The payment as an answer shows it, with a thin document."""
    entity = record["entity"]
    account = org.record("Account", entity["AccountID"])
    target = org.record(entity["Target"]["kind"], entity["Target"]["id"])
    touched = wire.moment(record["touched"])
    answer: Body = {
        "PaymentID": record["id"],
        "Date": wire.day(entity["Date"]),
        "BankAmount": wire.number(entity["Amount"]),
        "Amount": wire.number(entity["Amount"]),
        "Reference": entity["Reference"],
        "CurrencyRate": wire.number(entity["CurrencyRate"]),
        "PaymentType": entity["PaymentType"],
        "Status": entity["Status"],
        "UpdatedDateUTC": wire.ms(touched),
        "UpdatedDateUTCString": f"{touched:%Y-%m-%dT%H:%M:%SZ}",
        "HasAccount": True,
        "IsReconciled": entity["IsReconciled"],
    }
    if account:
        named = {name: account["entity"][name] for name in ("Code", "Name") if name in account["entity"]}
        answer["Account"] = {"AccountID": account["id"], **named}
    if target:
        answer[target["kind"]] = _thin(org, target)
    return {**answer, "HasValidationErrors": False}


def _thin(org: Organisation, record: Body) -> Body:
    whole = shown.document(org, record, whole=False)
    form = forms.FORMS[record["kind"]]
    names = ("Type", form.id, form.number, "AmountDue", "AmountPaid", "Contact", "CurrencyCode", "Status", "LineItems")
    return {name: whole[name] for name in names if name in whole}


def allocate(call: Call, ident: str, element: Element) -> Body:
    """PUT /CreditNotes/{id}/Allocations: a credit note against an invoice of the same contact. Nothing is booked."""
    org = call.org
    note = org.record("CreditNote", ident)
    invoice = org.record("Invoice", str((element.get("Invoice") or {}).get("InvoiceID", "")))
    if note is None or invoice is None:
        raise not_found()
    amount = wire.read_number(element.get("Amount", element.get("AppliedAmount", 0)), "Allocations[0].Amount")
    day = wire.read_day(element["Date"], "Allocations[0].Date") if element.get("Date") else org.today()
    if any(each["entity"]["Status"] != "AUTHORISED" for each in (note, invoice)):
        raise Invalid([UNAPPROVED])
    if note["entity"]["ContactID"] != invoice["entity"]["ContactID"]:
        raise Invalid(["The credit note and the invoice must have the same contact."])  # inferred
    if not 0 < amount <= min(remaining(note), remaining(invoice)):
        raise Invalid([EXCEEDS])
    number = forms.FORMS["Invoice"].number, forms.FORMS["CreditNote"].number
    row = {"amount": amount, "date": day}
    apply(org, note, {**row, "by": "Invoice", "id": invoice["id"], "number": invoice["entity"].get(number[0], "")})
    apply(org, invoice, {**row, "by": "CreditNote", "id": note["id"], "number": note["entity"].get(number[1], "")})
    return {"Amount": wire.number(amount), "Date": wire.day(day), "Invoice": {"InvoiceID": invoice["id"]}}
