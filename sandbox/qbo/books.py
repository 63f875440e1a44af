"""What stands in a simulated company's books, as plain values for the control side and the audit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.qbo import ledger
from sandbox.qbo.realm import Realm

KINDS = ("Invoice", "CreditMemo")


def companies(world: Any) -> list[dict[str, Any]]:
    """Every company of the sandbox: ``{"id", "slug", "name"}``."""
    return list(world.store.all("intuit", "company"))


def documents(world: Any, realm_id: str) -> list[dict[str, Any]]:
    """All sales documents ever created, oldest first, deleted and voided ones with ``live`` False.

    Members: id, type (Invoice or CreditMemo), DocNumber, PrivateNote, customer (name), date (ISO), total and
    balance (document currency), currency, created (aware UTC datetime), live, state, lines (item lines:
    item, description, amount).
    """
    realm = Realm(world, realm_id)
    found = [record for kind in KINDS for record in realm.store.all(realm.space, kind)]
    found.sort(key=lambda record: (record["born"], int(record["id"])))
    return [_document(record) for record in found]


def _document(record: dict[str, Any]) -> dict[str, Any]:
    entity = record["entity"]
    return {
        "id": record["id"],
        "type": record["kind"],
        "DocNumber": entity.get("DocNumber"),
        "PrivateNote": entity.get("PrivateNote"),
        "customer": entity["CustomerRef"]["name"],
        "date": entity["TxnDate"],
        "total": Decimal(str(entity["TotalAmt"])),
        "balance": Decimal(str(entity["Balance"])),
        "currency": entity["CurrencyRef"]["value"],
        "created": datetime.fromtimestamp(float(record["born"]), UTC),
        "live": record["state"] == "live",
        "state": record["state"],
        "lines": [_line(line) for line in entity["Line"] if line["DetailType"] == "SalesItemLineDetail"],
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "item": line["SalesItemLineDetail"]["ItemRef"]["name"],
        "description": line.get("Description"),
        "amount": Decimal(str(line["Amount"])),
    }


def trial_balance(world: Any, realm_id: str) -> list[dict[str, Any]]:
    """Accounts with a balance: id, name, type, debit, credit in home currency. Debits equal credits."""
    return ledger.trial_balance(Realm(world, realm_id))


def receivables(world: Any, realm_id: str) -> list[dict[str, Any]]:
    """Open documents of customers: kind, id, entity, open (document currency, credits negative)."""
    return ledger.receivables(Realm(world, realm_id))
