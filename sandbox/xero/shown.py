"""Documents as answers show them: dates twice, totals as doubles, absent members left out.

Source: real recordings quoted in the fact sheet, sections 2.2, 2.3 and 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.papers import one_page
from sandbox.xero import contacts, lines, wire
from sandbox.xero.forms import FORMS, Form
from sandbox.xero.ledger import SALES, remaining
from sandbox.xero.organisation import Organisation

Body = dict[str, Any]
_DAYS = ("Date", "DueDate", "ExpectedPaymentDate", "PlannedPaymentDate", "DeliveryDate", "ExpectedArrivalDate")
_MORE = ("DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions")


def document(org: Organisation, record: Mapping[str, Any], *, whole: bool = True) -> Body:
    """A document of any kind. Not ``whole``: the row of an un-paged list, without lines."""
    form, entity = FORMS[record["kind"]], record["entity"]
    shown: Body = {"Type": entity["Type"]} if form.types else {}
    shown[form.id] = record["id"]
    shown[form.number] = entity.get(form.number, "")
    shown["Reference"] = entity.get("Reference", "")
    shown |= _applied(org, form, record) if form.posts else {}
    if entity.get("Url") and org.switch("url_echoed"):
        shown["Url"] = entity["Url"]
    if entity.get("Type") != "ACCPAY":
        shown["SentToContact"] = entity["SentToContact"]
    shown |= {"CurrencyRate": wire.number(entity["CurrencyRate"]), "IsDiscounted": False, "HasErrors": False}
    shown["HasAttachments"] = bool(record.get("attachments"))
    shown |= _times(record)
    shown["Contact"] = _contact(org, entity["ContactID"])
    for name in _DAYS:
        if entity.get(name):
            shown[f"{name}String"] = wire.day_string(entity[name])
            shown[name] = wire.day(entity[name])
    if entity.get("BrandingThemeID"):
        shown["BrandingThemeID"] = entity["BrandingThemeID"]
    shown |= {"Status": entity["Status"], "LineAmountTypes": entity["LineAmountTypes"]}
    shown["LineItems"] = [lines.present(line) for line in entity["LineItems"]] if whole else []
    for name in ("SubTotal", "TotalTax", "Total"):
        shown[name] = wire.number(entity[name])
    if entity.get("RoundingAmount"):
        shown["RoundingAmount"] = wire.number(entity["RoundingAmount"])
    shown |= {name: entity[name] for name in _MORE if entity.get(name)}
    return {**shown, "CurrencyCode": entity["CurrencyCode"]}


def _times(record: Mapping[str, Any]) -> Body:
    touched = wire.moment(record["touched"])
    return {"UpdatedDateUTC": wire.ms(touched), "UpdatedDateUTCString": f"{touched:%Y-%m-%dT%H:%M:%SZ}"}


def _contact(org: Organisation, ident: str) -> Body:
    found = org.record("Contact", ident)
    return contacts.thin(found) if found else {"ContactID": ident}


def _applied(org: Organisation, form: Form, record: Mapping[str, Any]) -> Body:
    """What payments and credits took off the document."""
    rows = record.get("applied", [])
    paid = sum((Decimal(str(each["amount"])) for each in rows if each["by"] == "Payment"), Decimal(0))
    credited = sum((Decimal(str(each["amount"])) for each in rows if each["by"] != "Payment"), Decimal(0))
    payments = [
        {"PaymentID": each["id"], "Date": wire.day(each["date"]), "Amount": wire.number(each["amount"])}
        for each in rows
        if each["by"] == "Payment"
    ]
    rest = Decimal(0) if record["entity"]["Status"] in ("VOIDED", "DELETED") else remaining(dict(record))
    if form.kind == "CreditNote":
        allocations = [
            {
                "Amount": wire.number(each["amount"]),
                "Date": wire.day(each["date"]),
                "Invoice": {"InvoiceID": each["id"], "InvoiceNumber": each["number"]},
            }
            for each in rows
            if each["by"] == "Invoice"
        ]
        return {"RemainingCredit": wire.number(rest), "Allocations": allocations, "Payments": payments}
    notes = [
        {"CreditNoteID": each["id"], "CreditNoteNumber": each["number"], "AppliedAmount": wire.number(each["amount"])}
        for each in rows
        if each["by"] == "CreditNote"
    ]
    return {
        "Payments": payments,
        "CreditNotes": notes,
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": wire.number(rest),
        "AmountPaid": wire.number(paid),
        "AmountCredited": wire.number(credited),
    }


def pdf(org: Organisation, record: Mapping[str, Any]) -> bytes:
    """A small PDF of a document: number, contact, lines, total. Plain text on one page."""
    form, entity = FORMS[record["kind"]], record["entity"]
    found = org.record("Contact", entity["ContactID"])
    title = {"Invoice": "INVOICE" if entity.get("Type") in SALES else "BILL"}.get(form.kind, form.kind)
    rows = [f"{title} {entity.get(form.number, '')}", found["entity"]["Name"] if found else "", entity["Date"]]
    rows += [f"{line.get('Description', '')[:80]}  {line.get('LineAmount', '')}" for line in entity["LineItems"]]
    return one_page([*rows, f"Total {entity['CurrencyCode']} {entity['Total']}"])
