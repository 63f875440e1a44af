"""Writing the name lists: customers, vendors, employees, items, accounts, terms, classes, departments.

Names are unique without regard to case: display names across customers, vendors and employees together,
item, account, class and department names among those of one parent. Nothing is ever deleted: a record made
inactive shows " (deleted)" after its name, which frees the name. Source: entity pages, section 3 of the
project's fact sheet on the API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.qbo import accounts
from sandbox.qbo.entities import ENTITIES, Entity
from sandbox.qbo.errors import business, fault
from sandbox.qbo.fields import clean, needs
from sandbox.qbo.realm import CURRENCY_NAMES, Realm

PEOPLE = ("Customer", "Vendor", "Employee")
DELETED = " (deleted)"
Body = dict[str, Any]


def write(realm: Realm, entity: Entity, body: Mapping[str, Any], old: Mapping[str, Any] | None) -> Body:
    """Create (``old`` None) or update one list record; returns the stored record.

    A sparse update changes what it names; a full one clears every writable property it leaves out.
    """
    sent = clean(entity.kind, body, entity.fields, realm.rules)
    before = dict(old["entity"]) if old else {}
    if old and before.get("Active") is False:
        before[entity.name] = before[entity.name].removesuffix(DELETED)
    draft = _merge(entity, before, sent, sparse=body.get("sparse") is True)
    for name, spec in entity.fields.items():
        if spec.kind == "ref" and draft.get(name) and spec.target not in ("Currency",):
            draft[name] = realm.ref(spec.target, draft[name], inactive_ok=draft[name] == before.get(name))
    draft.setdefault("Active", True)
    _RULES[entity.kind](realm, draft, old)
    key = _claim_name(realm, entity, draft, old)
    if draft["Active"] is False:
        draft[entity.name] = draft[entity.name] + DELETED
    ident = old["id"] if old else realm.new_id("names" if entity.kind in PEOPLE else entity.kind)
    return realm.replace(old, draft, key) if old else realm.insert(entity.kind, draft, ident, key)


def _merge(entity: Entity, before: Body, sent: Body, *, sparse: bool) -> Body:
    """The entity after the request; read-only properties stay as stored."""
    kept = {
        name: value
        for name, value in before.items()
        if sparse or entity.fields[name].kind == "read-only" or name in ("Active", "CurrencyRef", "Type")
    }
    merged = {**kept, **sent}
    return {name: value for name, value in merged.items() if value is not None}


def _claim_name(realm: Realm, entity: Entity, draft: Body, old: Mapping[str, Any] | None) -> dict[str, str | None]:
    """The look-up values of the record. Raises ``QboFault`` 6240 when an active record holds the name."""
    name = draft[entity.name]
    scope = "" if entity.kind in PEOPLE else str((draft.get("ParentRef") or {}).get("value", ""))
    value = f"{scope}/{name.casefold()}"
    if draft["Active"] is False:
        return {"name": None}
    own = (entity.kind, old["id"]) if old else None
    for kind in PEOPLE if entity.kind in PEOPLE else (entity.kind,):
        for other in realm.find(kind, "name", value):
            if (kind, other["id"]) != own:
                raise _name_taken(entity.kind, other["id"])
    return {"name": value}


def _name_taken(kind: str, holder: str) -> Exception:
    if kind in PEOPLE:
        return fault(
            "6240",
            "The name supplied already exists. : Another customer, vendor or employee is already using this \n"
            f"name. Please use a different name. : Id={holder}",
        )
    return fault(
        "6240",
        f"The name supplied already exists. : Another {kind.lower()} is already using this name. "
        f"Please use a different name. : Id={holder}",
    )


def _plain_name(draft: Body, prop: str, forbidden: str) -> None:
    """Trim the name; refuse a blank one and the characters its list cannot hold."""
    name = str(draft.get(prop) or "").strip()
    if not name:
        raise fault("6080", f"{prop} must not be blank", prop)
    bad = next((sign for sign in name if sign in forbidden), None)
    if bad is not None:
        raise fault("2040", f"{prop} must not contain {bad!r}", prop)
    draft[prop] = name


# Rules per kind: fill in what the server computes, refuse what cannot be.


def _person(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    if not str(draft.get("DisplayName") or "").strip():
        parts = [draft.get(name) for name in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")]
        draft["DisplayName"] = " ".join(str(part) for part in parts if part)
    _plain_name(draft, "DisplayName", ":\t\n\r")
    draft.setdefault("PrintOnCheckName", draft.get("CompanyName") or draft["DisplayName"][:110])


def _currency(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    """A customer or vendor has one currency for life; the home currency unless it says otherwise."""
    wanted = str((draft.get("CurrencyRef") or {}).get("value") or realm.currency)
    if old and wanted != old["entity"]["CurrencyRef"]["value"]:
        raise business("You can't change the currency of a customer or vendor.", "CurrencyRef")
    if wanted != realm.currency and not realm.preference("CurrencyPrefs", "MultiCurrencyEnabled", False):
        raise fault("5030", "Multi currency feature is not enabled", "CurrencyRef")
    draft["CurrencyRef"] = realm.currency_ref(wanted)
    if wanted != realm.currency:
        accounts.ensure_foreign(realm, wanted)


def _customer(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    _person(realm, draft, old)
    _currency(realm, draft, old)
    parent = draft.get("ParentRef")
    if parent:
        above = realm.resolve("Customer", parent)
        draft["Job"], draft["Level"] = True, int(above.get("Level", 0)) + 1
        if draft["Level"] > 4:
            raise business("A customer can have at most five levels.", "ParentRef")
        draft["FullyQualifiedName"] = f"{above['FullyQualifiedName']}:{draft['DisplayName']}"
    else:
        draft["FullyQualifiedName"] = draft["DisplayName"]
        draft["Job"] = False
    draft.setdefault("Taxable", realm.country == "US")
    draft.setdefault("BillWithParent", False)
    draft.setdefault("PreferredDeliveryMethod", "Print")
    draft["IsProject"] = False


def _vendor(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    _person(realm, draft, old)
    _currency(realm, draft, old)
    draft.setdefault("Vendor1099", False)
    if draft.get("TaxIdentifier"):
        draft["TaxIdentifier"] = "X" * 5 + str(draft["TaxIdentifier"])[-4:]


def _employee(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    if not draft.get("GivenName") and not draft.get("FamilyName") and not draft.get("DisplayName"):
        raise fault("6080", "GivenName or FamilyName must not be blank")
    _person(realm, draft, old)


def _item(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    _plain_name(draft, "Name", ":\t\n\r")
    draft.setdefault("Type", "Service")
    if old and old["entity"]["Type"] == "Inventory" and draft["Type"] != "Inventory":
        raise business("You can't change the type of an inventory item.", "Type")
    if draft["Type"] in ("Service", "Inventory", "NonInventory"):
        accounts.check_item(realm, draft)
        draft.setdefault("UnitPrice", Decimal(0))
        draft.setdefault("PurchaseCost", Decimal(0))
        draft.setdefault("Taxable", False)
        draft.setdefault("TrackQtyOnHand", False)
    _place(realm, "Item", draft, "SubItem")


def _place(realm: Realm, kind: str, draft: Body, flag: str) -> None:
    """FullyQualifiedName and the sub-record flag from the parent."""
    parent = draft.get("ParentRef")
    above = realm.resolve(kind, parent) if parent else None
    draft[flag] = above is not None
    draft["FullyQualifiedName"] = f"{above['FullyQualifiedName']}:{draft['Name']}" if above else draft["Name"]


def _account(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    _plain_name(draft, "Name", ':"\t\n\r')
    accounts.check_account(realm, draft)
    _place(realm, "Account", draft, "SubAccount")


def _term(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    _plain_name(draft, "Name", "\t\n\r")
    driven = draft.get("DayOfMonthDue") is not None
    if not driven and draft.get("DueDays") is None:
        needs(draft, "DueDays")
    most = (("DayOfMonthDue", 31), ("DiscountDayOfMonth", 31)) if driven else (("DueDays", 999), ("DiscountDays", 999))
    for name, limit in most:
        value = draft.get(name)
        if value is not None and not 0 <= Decimal(str(value)) <= limit:
            raise fault("2090", f"{name} must lie between 0 and {limit}", name)
    draft["Type"] = "DATE_DRIVEN" if driven else "STANDARD"


def _tree(flag: str, kind: str) -> Callable[[Realm, Body, Mapping[str, Any] | None], None]:
    def rule(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
        _plain_name(draft, "Name", ":\t\n\r")
        _place(realm, kind, draft, flag)
        if draft["FullyQualifiedName"].count(":") > 4:
            raise business(f"A {kind.lower()} can have at most five levels.", "ParentRef")

    return rule


def _payment_method(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    _plain_name(draft, "Name", "\t\n\r")
    draft.setdefault("Type", "NON_CREDIT_CARD")


def _company_currency(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    """A code of the list of currencies; its name follows from the code."""
    code = str(draft.get("Code") or "").upper()
    if code not in CURRENCY_NAMES:
        raise fault("2170", f"Code {code} is not a currency", "Code")
    draft["Code"], draft["Name"] = code, CURRENCY_NAMES[code]


def _tax_agency(realm: Realm, draft: Body, old: Mapping[str, Any] | None) -> None:
    _plain_name(draft, "DisplayName", "\t\n\r")


_RULES: dict[str, Callable[[Realm, Body, Mapping[str, Any] | None], None]] = {
    "Customer": _customer,
    "Vendor": _vendor,
    "Employee": _employee,
    "Item": _item,
    "Account": _account,
    "Term": _term,
    "Class": _tree("SubClass", "Class"),
    "Department": _tree("SubDepartment", "Department"),
    "PaymentMethod": _payment_method,
    "TaxAgency": _tax_agency,
    "CompanyCurrency": _company_currency,
}


def seed(realm: Realm, kind: str, **body: Any) -> str:
    """Create one list record through the ordinary rules; returns its id. For company set-up."""
    return str(write(realm, ENTITIES[kind.lower()], body, None)["id"])
