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


def purchases(world: Any, realm_id: str) -> list[dict[str, Any]]:
    """All bills and purchase orders ever created, oldest first, deleted ones with ``live`` False.

    Members: id, type (Bill or PurchaseOrder), DocNumber, PrivateNote, vendor (name), date (ISO), total, net and
    balance (document currency), currency, payable (account name), created (aware UTC datetime), live, status (of an
    order), orders (ids a bill is linked to), journal (double entry in home currency, account names), lines (item or
    account name, description, amount, quantity).
    """
    realm = Realm(world, realm_id)
    names = {found["id"]: found["entity"]["Name"] for found in realm.records("Account")}
    found = [record for kind in ("Bill", "PurchaseOrder") for record in realm.store.all(realm.space, kind)]
    found.sort(key=lambda record: (record["born"], int(record["id"])))
    return [_purchase(record, names) for record in found]


def _purchase(record: dict[str, Any], accounts: dict[str, str]) -> dict[str, Any]:
    entity = record["entity"]
    return {
        "id": record["id"],
        "type": record["kind"],
        "DocNumber": entity.get("DocNumber"),
        "PrivateNote": entity.get("PrivateNote"),
        "vendor": entity["VendorRef"]["name"],
        "date": entity["TxnDate"],
        "total": Decimal(str(entity["TotalAmt"])),
        "net": sum((Decimal(str(line["Amount"])) for line in entity["Line"]), Decimal(0)),
        "balance": Decimal(str(entity.get("Balance", 0))),
        "currency": entity["CurrencyRef"]["value"],
        "payable": entity["APAccountRef"]["name"],
        "created": datetime.fromtimestamp(float(record["born"]), UTC),
        "live": record["state"] == "live",
        "status": entity.get("POStatus"),
        "orders": [link["TxnId"] for link in entity["LinkedTxn"] if link["TxnType"] == "PurchaseOrder"],
        "journal": [{**line, "account": accounts[line["account"]]} for line in record["journal"]],
        "lines": [_expense(line) for line in entity["Line"]],
    }


def _expense(line: dict[str, Any]) -> dict[str, Any]:
    detail = line[line["DetailType"]]
    named = detail.get("ItemRef") or detail["AccountRef"]
    return {
        "name": named["name"],
        "description": line.get("Description"),
        "amount": Decimal(str(line["Amount"])),
        "quantity": detail.get("Qty"),
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
