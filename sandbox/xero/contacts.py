"""Contacts: customers and suppliers in one list, names unique among the active ones.

Source: Xero, api/accounting/contacts; texts of refusals from real recordings quoted in the fact sheet, 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.xero import ledger, wire
from sandbox.xero.elements import Call, Element
from sandbox.xero.errors import Invalid, Problems, bad_value, not_found
from sandbox.xero.organisation import Organisation

KIND = "Contact"
LIMITS = {
    "Name": 255,
    "ContactNumber": 50,
    "AccountNumber": 50,
    "FirstName": 255,
    "LastName": 255,
    "EmailAddress": 255,
    "TaxNumber": 50,
    "CompanyNumber": 50,
    "BankAccountDetails": 500,
    "DefaultCurrency": 3,
    "AccountsReceivableTaxType": 50,
    "AccountsPayableTaxType": 50,
}
PHONES = ("DEFAULT", "DDI", "FAX", "MOBILE")
ADDRESSES = ("STREET", "POBOX")
_PHONE = {"PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20}
_ADDRESS = {
    "AddressLine1": 500,
    "AddressLine2": 500,
    "AddressLine3": 500,
    "AddressLine4": 500,
    "City": 255,
    "Region": 255,
    "PostalCode": 50,
    "Country": 50,
    "AttentionTo": 255,
}
ARCHIVED = (
    "The specified contact details matched an archived contact. Archived contacts cannot currently be edited via the "
    "API."
)
SUMMARY_DROPS = ("Addresses", "ContactPersons", "IsSupplier", "IsCustomer", "ContactGroups", "PaymentTerms")
_LATER = ("ContactPersons", "PaymentTerms", "DefaultCurrency", "ContactGroups")


def write(call: Call, element: Element) -> Element:
    """Create or update one contact; the contact as it is answered."""
    record = store(call.org, element, creating=call.creating)
    return present(call.org, record)


def store(org: Organisation, element: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """Create or update one contact by the rules of PUT (``creating``) or POST. Raises ``Invalid``."""
    old = None if creating else matching(org, element)
    problems = Problems()
    if old is not None and old["entity"]["ContactStatus"] != "ACTIVE" and element.get("ContactStatus") != "ACTIVE":
        raise Invalid([ARCHIVED], {"ContactID": old["id"], "ContactStatus": "ARCHIVED"})
    before = dict(old["entity"]) if old else {"ContactStatus": "ACTIVE", "IsSupplier": False, "IsCustomer": False}
    draft = {**before, **_texts(org, element, problems)}
    draft["ContactStatus"] = _status(element.get("ContactStatus", draft["ContactStatus"]))
    for name in ("Phones", "Addresses", "ContactPersons", "PaymentTerms"):
        if name in element:
            draft[name] = element[name]
    _check_parts(draft, problems)
    if not draft.get("Name"):
        problems.add("The Contact Name must be specified.")  # inferred
    _check_unique(org, draft, old, problems)
    problems.check({"ContactID": old["id"]} if old else None)
    if old:
        return org.replace(old, draft, _keys(draft))
    return org.insert(KIND, draft, _keys(draft))


def matching(org: Organisation, element: Mapping[str, Any]) -> dict[str, Any] | None:
    """The contact an element means: by id, else number, else name. An unknown id answers 404 for the whole call."""
    ident = element.get("ContactID")
    if ident and ident != wire.ZERO_GUID:
        found = org.record(KIND, str(ident))
        if found is None:
            raise not_found()
        return found
    number = element.get("ContactNumber")
    if number:
        by_number = org.find(KIND, "number", str(number))
        if by_number:
            return by_number[0]
    name = str(element.get("Name") or "").strip()
    by_name = org.find(KIND, "name", name.casefold()) if name else []
    return by_name[0] if by_name else None


def _keys(draft: Mapping[str, Any]) -> dict[str, str | None]:
    active = draft["ContactStatus"] == "ACTIVE"
    return {"name": draft["Name"].casefold() if active else None, "number": draft.get("ContactNumber") or None}


def _texts(org: Organisation, element: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, limit in LIMITS.items():
        if name not in element:
            continue
        text = str(element[name])
        if len(text) > limit:
            problems.add(f"The {name} field cannot exceed {limit} characters.")  # inferred
        found[name] = text
    name = found.get("Name")
    if name is not None:
        if "<" in name or ">" in name:
            problems.add("The Contact Name cannot contain the characters < or >.")  # inferred
        tidy = re.sub(r"\s+", " ", name).strip()
        if tidy != name and org.switch("contact_spaces") == "refused":
            problems.add("The Contact Name cannot begin or end with a space or contain double spaces.")  # inferred
        found["Name"] = tidy
    return found


def _status(value: Any) -> str:
    if value not in ("ACTIVE", "ARCHIVED", "GDPRREQUEST"):
        raise bad_value(value, "Contacts[0].ContactStatus")
    return str(value)


def _check_parts(draft: Mapping[str, Any], problems: Problems) -> None:
    for rows, limits in ((draft.get("Phones", []), _PHONE), (draft.get("Addresses", []), _ADDRESS)):
        for row in rows:
            for name, limit in limits.items():
                if len(str(row.get(name, ""))) > limit:
                    problems.add(f"The {name} field cannot exceed {limit} characters.")  # inferred
    if any(any(sign.isdigit() for sign in str(row.get("Country", ""))) for row in draft.get("Addresses", [])):
        problems.add("Country must only contain letters.")  # inferred
    if len(draft.get("ContactPersons", [])) > 5:
        problems.add("A contact can have at most 5 ContactPersons.")  # inferred


def _check_unique(
    org: Organisation, draft: Mapping[str, Any], old: Mapping[str, Any] | None, problems: Problems
) -> None:
    own = old["id"] if old else None
    name = str(draft.get("Name") or "")
    if draft["ContactStatus"] == "ACTIVE" and any(
        each["id"] != own for each in org.find(KIND, "name", name.casefold())
    ):
        problems.add(
            f"The contact name {name} is already assigned to another contact. The contact name must be unique across "
            "all active contacts."
        )
    number = draft.get("ContactNumber")
    if number and any(each["id"] != own for each in org.find(KIND, "number", str(number))):
        problems.add(f"The contact number {number} is already assigned to another contact.")


def mark(org: Organisation, record: Mapping[str, Any], flag: str) -> None:
    """Set IsCustomer or IsSupplier when a document appears; the time of change stays, as on the real service."""
    if not record["entity"].get(flag):
        org.replace(record, {**record["entity"], flag: True}, _keys(record["entity"]), "flag", touch=False)
        org.effects.pop()  # no request asked for it


def present(org: Organisation, record: Mapping[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """The contact as an answer shows it; without pages some members are left out."""
    entity = record["entity"]
    shown = {name: entity[name] for name in ("ContactID", "ContactNumber", "AccountNumber") if entity.get(name)}
    shown |= {"ContactStatus": entity["ContactStatus"], "Name": entity["Name"]}
    shown |= {name: entity[name] for name in ("FirstName", "LastName", "CompanyNumber", "TaxNumber") if name in entity}
    shown["EmailAddress"] = entity.get("EmailAddress", "")
    shown["BankAccountDetails"] = entity.get("BankAccountDetails", "")
    for name in ("AccountsReceivableTaxType", "AccountsPayableTaxType"):
        if entity.get(name):
            shown[name] = entity[name]
    shown["Addresses"] = [_slot(entity.get("Addresses", []), "AddressType", each, _ADDRESS) for each in ADDRESSES]
    shown["Phones"] = [_slot(entity.get("Phones", []), "PhoneType", each, _PHONE) for each in PHONES]
    shown["UpdatedDateUTC"] = wire.ms(wire.moment(record["touched"]))
    if whole:
        shown |= {name: entity[name] for name in _LATER if entity.get(name)}
        shown.setdefault("ContactGroups", [])
        shown.setdefault("ContactPersons", [])
    shown |= {"IsSupplier": entity["IsSupplier"], "IsCustomer": entity["IsCustomer"]}
    if whole:
        shown |= _balances(org, record["id"])
    return {**shown, "HasAttachments": bool(record.get("attachments")), "HasValidationErrors": False}


def _balances(org: Organisation, ident: str) -> dict[str, Any]:
    receivable, payable = ledger.owed(org, ident), ledger.owed(org, ident, "payable")
    if not receivable and not payable:
        return {}
    zero = wire.number(0)
    return {
        "Balances": {
            "AccountsReceivable": {"Outstanding": wire.number(receivable), "Overdue": zero},
            "AccountsPayable": {"Outstanding": wire.number(payable), "Overdue": zero},
        }
    }


def _slot(rows: list[dict[str, Any]], member: str, kind: str, names: Mapping[str, int]) -> dict[str, Any]:
    """One of the fixed slots every answer carries; City, Region and the like are there even when empty."""
    row = next((each for each in rows if each.get(member) == kind), {})
    always = ("City", "Region", "PostalCode", "Country", *_PHONE)
    return {member: kind, **{name: row.get(name, "") for name in names if name in always or row.get(name)}}


def thin(record: Mapping[str, Any]) -> dict[str, Any]:
    """The contact inside a document."""
    entity = record["entity"]
    shown = {"ContactID": record["id"], "ContactStatus": entity["ContactStatus"], "Name": entity["Name"]}
    return {**shown, "Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": []}
