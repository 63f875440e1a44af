"""The double entry behind the simulated books of a Xero organisation. Only authorised and paid documents post.

The trial balance is summed from the documents' entries; there are no running balances.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.double_entry import signed
from sandbox.xero.organisation import Organisation

POSTING = ("Invoice", "CreditNote", "Payment")
SALES = ("ACCREC", "ACCRECCREDIT")
CREDITS = ("ACCRECCREDIT", "ACCPAYCREDIT")
OPEN = ("AUTHORISED", "PAID")


def documents(org: Organisation) -> Iterator[dict[str, Any]]:
    """Every record that may carry entries."""
    for kind in POSTING:
        yield from org.records(kind)


def trial_balance(org: Organisation) -> list[dict[str, Any]]:
    """One row per account with a balance: id, code, name, type, debit, credit (base currency)."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for document in documents(org):
        for line in document["journal"]:
            sums[line["account"]] += signed(line)
    rows = []
    for account in org.records("Account"):
        amount = sums.get(account["id"], Decimal(0))
        if amount:
            entity = account["entity"]
            rows.append(
                {
                    "id": account["id"],
                    "code": entity.get("Code", ""),
                    "name": entity["Name"],
                    "type": entity["Type"],
                    "debit": max(amount, Decimal(0)),
                    "credit": max(-amount, Decimal(0)),
                }
            )
    return rows


def account_entries(org: Organisation, account: str) -> list[dict[str, Any]]:
    """The entries of one account in order of document date, each with its document and a running sum."""
    found = [(each, line) for each in documents(org) for line in each["journal"] if line["account"] == account]
    found.sort(key=lambda pair: (pair[0]["entity"]["Date"], pair[0]["born"]))
    running = Decimal(0)
    rows = []
    for document, line in found:
        running += signed(line)
        rows.append({"document": document, "debit": line["debit"], "credit": line["credit"], "running": running})
    return rows


def owed(org: Organisation, contact: str, sign: str = "receivable") -> Decimal:
    """What a contact owes (or is owed), in document currency, credits taken off."""
    types = SALES if sign == "receivable" else ("ACCPAY", "ACCPAYCREDIT")
    total = Decimal(0)
    for kind in ("Invoice", "CreditNote"):
        for found in org.find(kind, "contact", contact):
            entity = found["entity"]
            if entity["Type"] in types and entity["Status"] in OPEN:
                rest = remaining(found)
                total += -rest if entity["Type"] in CREDITS else rest
    return total


def remaining(record: dict[str, Any]) -> Decimal:
    """What is open of a document, in its own currency."""
    taken = sum((Decimal(str(each["amount"])) for each in record.get("applied", [])), Decimal(0))
    return Decimal(str(record["entity"]["Total"])) - taken


def receivables(org: Organisation) -> list[dict[str, Any]]:
    """Open sales documents, credits negative, oldest due first: kind, id, entity, open (document currency)."""
    rows = []
    for kind in ("Invoice", "CreditNote"):
        for found in org.records(kind):
            entity = found["entity"]
            if entity["Type"] in SALES and entity["Status"] == "AUTHORISED" and remaining(found):
                sign = -1 if entity["Type"] in CREDITS else 1
                rows.append({"kind": kind, "id": found["id"], "entity": entity, "open": sign * remaining(found)})
    rows.sort(key=lambda row: (row["entity"].get("DueDate") or row["entity"]["Date"], row["id"]))
    return rows
