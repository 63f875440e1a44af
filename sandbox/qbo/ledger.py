"""The double entry behind the simulated books: entries of a document, running balances, trial balance.

An entry is ``{"account", "debit", "credit"}`` with, on receivables and payables, ``"name"`` (customer or
vendor id). Amounts are Decimal in the company's home currency. Debits equal credits in every document or
nothing is written. The trial balance is summed from the documents' entries, never from running balances.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from sandbox.double_entry import signed
from sandbox.qbo.realm import Realm

POSTING = ("Invoice", "CreditMemo", "Payment", "Bill", "BillPayment")


def move(realm: Realm, old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> None:
    """Bring the running balances from a document's old entries to its new ones."""
    change: dict[str, Decimal] = defaultdict(Decimal)
    for sign, lines in ((-1, old), (1, new)):
        for line in lines:
            change[f"account:{line['account']}"] += sign * signed(line)
            if "name" in line:
                change[f"name:{line['name']}"] += sign * signed(line)
    for key, amount in change.items():
        if amount:
            realm.store.put(realm.space, "_balance", key, {"amount": realm.balance(key) + amount})


def documents(realm: Realm) -> Iterator[dict[str, Any]]:
    """Every record that may carry entries, deleted ones left out."""
    for kind in POSTING:
        for found in realm.store.all(realm.space, kind):
            if found["state"] != "deleted":
                yield found


def trial_balance(realm: Realm) -> list[dict[str, Any]]:
    """One row per account with a balance: id, name, type, debit, credit (home currency)."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for document in documents(realm):
        for line in document["journal"]:
            sums[line["account"]] += signed(line)
    rows = []
    for account in realm.store.all(realm.space, "Account"):
        amount = sums.get(account["id"], Decimal(0))
        if amount:
            rows.append(
                {
                    "id": account["id"],
                    "name": account["entity"]["FullyQualifiedName"],
                    "type": account["entity"]["AccountType"],
                    "debit": max(amount, Decimal(0)),
                    "credit": max(-amount, Decimal(0)),
                }
            )
    return rows


def account_entries(realm: Realm, account: str) -> list[dict[str, Any]]:
    """The entries of one account in order of document date, each with its document and a running sum."""
    found = [
        (document, line) for document in documents(realm) for line in document["journal"] if line["account"] == account
    ]
    found.sort(key=lambda pair: (pair[0]["entity"]["TxnDate"], pair[0]["born"]))
    running = Decimal(0)
    rows = []
    for document, line in found:
        running += signed(line)
        rows.append({"document": document, "debit": line["debit"], "credit": line["credit"], "running": running})
    return rows


def receivables(realm: Realm) -> list[dict[str, Any]]:
    """Open invoices and credit memos in document currency, credits negative, oldest due first."""
    rows = []
    for kind, sign in (("Invoice", 1), ("CreditMemo", -1)):
        for found in realm.store.all(realm.space, kind):
            entity = found["entity"]
            amount = Decimal(str(entity.get("Balance", 0)))
            if found["state"] == "live" and amount:
                rows.append({"kind": kind, "id": found["id"], "entity": entity, "open": sign * amount})
    rows.sort(key=lambda row: (row["entity"].get("DueDate") or row["entity"]["TxnDate"], row["id"]))
    return rows
