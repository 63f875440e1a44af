"""What stands in a simulated organisation's books, as plain values for the control side and the audit.

The same members as ``qbo.books`` gives, so that one audit reads both.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.xero import ledger, wire
from sandbox.xero.forms import FORMS
from sandbox.xero.ledger import CREDITS, SALES
from sandbox.xero.organisation import Organisation
from sandbox.xero_identity.settings import SPACE

KINDS = ("Invoice", "CreditNote")
DEAD = ("VOIDED", "DELETED")


def companies(world: Any) -> list[dict[str, Any]]:
    """Every organisation of the sandbox: ``{"id", "slug", "name", "shortcode"}``."""
    return list(world.store.all(SPACE, "organisation"))


def documents(world: Any, tenant: str, *, sales: bool = True) -> list[dict[str, Any]]:
    """All sales documents (or bills and purchase orders) ever created, oldest first.

    Members: id, type (Invoice, CreditNote or PurchaseOrder), kind (ACCREC, …), DocNumber, PrivateNote (the reference),
    url, customer (name), date (ISO), total and balance (document currency), tax, currency, created (aware UTC
    datetime), live, state (Xero's status), lines (item, account, description, amount).
    """
    org = Organisation(world, tenant)
    kinds = KINDS if sales else (*KINDS, "PurchaseOrder")
    found = [
        _document(org, record)
        for kind in kinds
        for record in org.records(kind)
        if (record["entity"].get("Type") in SALES) == sales
    ]
    return sorted(found, key=lambda each: (each["created"], each["id"]))


def purchases(world: Any, tenant: str) -> list[dict[str, Any]]:
    """Bills, their credits and purchase orders as `qbo.books.purchases` gives them: type Bill, VendorCredit or
    PurchaseOrder, vendor (name), net; no journal and no links. A bill has no reference: what it says of its order
    stands in its link and its texts, which `PrivateNote` puts together."""
    kinds = {"Invoice": "Bill", "CreditNote": "VendorCredit"}
    return [
        {
            **row,
            "type": kinds.get(row["type"], row["type"]),
            "vendor": row["customer"],
            "net": row["total"] - row["tax"],
            "PrivateNote": " ".join(str(each) for each in (row["PrivateNote"], row["url"], _texts(row)) if each),
        }
        for row in documents(world, tenant, sales=False)
    ]


def _texts(row: dict[str, Any]) -> str:
    return " ".join(str(line["description"]) for line in row["lines"] if line["description"])


def _document(org: Organisation, record: dict[str, Any]) -> dict[str, Any]:
    entity, form = record["entity"], FORMS[record["kind"]]
    contact = org.record("Contact", entity["ContactID"])
    return {
        "id": record["id"],
        "type": record["kind"],
        "kind": entity.get("Type", ""),
        "credit": entity.get("Type") in CREDITS,
        "DocNumber": entity.get(form.number),
        "PrivateNote": entity.get("Reference"),
        "url": entity.get("Url"),
        "customer": contact["entity"]["Name"] if contact else "",
        "date": entity["Date"],
        "total": Decimal(str(entity["Total"])),
        "tax": Decimal(str(entity["TotalTax"])),
        "balance": ledger.remaining(record),
        "currency": entity["CurrencyCode"],
        "created": wire.moment(record["born"]),
        "live": entity["Status"] not in DEAD,
        "state": entity["Status"],
        "lines": [_line(line) for line in entity["LineItems"]],
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "item": line.get("ItemCode"),
        "account": line.get("AccountCode"),
        "description": line.get("Description"),
        "amount": Decimal(str(line.get("LineAmount", 0))),
    }


def trial_balance(world: Any, tenant: str) -> list[dict[str, Any]]:
    """Accounts with a balance: id, code, name, type, debit, credit in base currency. Debits equal credits."""
    return ledger.trial_balance(Organisation(world, tenant))
