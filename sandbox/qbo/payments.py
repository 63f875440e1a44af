"""Customer payments: applied to invoices and credit memos, moved back when those disappear.

A payment debits the deposit account and credits receivables. Applying it lowers the document's Balance, links
both ways and bumps the document's SyncToken. In a foreign currency the receivable falls at the document's own
rate and the rest is exchange gain or loss. Source: Intuit, "Manage linked transactions", Payment entity page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sandbox.double_entry import Entry, gather
from sandbox.qbo import ledger, transactions
from sandbox.qbo.accounts import by_role
from sandbox.qbo.entities import Entity
from sandbox.qbo.errors import business, fault, required
from sandbox.qbo.fields import clean, number_of
from sandbox.qbo.realm import Realm, money

Body = dict[str, Any]
TARGETS = ("Invoice", "CreditMemo")


def write(
    realm: Realm, entity: Entity, body: Mapping[str, Any], old: Mapping[str, Any] | None, options: Collection[str]
) -> Body:
    """Create or update a payment; its lines are always taken as a whole. Returns the stored record."""
    sent = clean(entity.kind, body, entity.fields, realm.rules)
    before = dict(old["entity"]) if old else {}
    kept = (
        before
        if body.get("sparse") is True
        else {name: before[name] for name in ("TxnDate", "CurrencyRef", "CustomerRef") if name in before}
    )
    draft = {name: value for name, value in {**kept, **sent}.items() if value is not None}
    if "Line" not in sent and old is not None:
        draft["Line"] = before.get("Line", [])
    if not draft.get("CustomerRef"):
        raise required("CustomerRef")
    customer = realm.resolve("Customer", draft["CustomerRef"])
    draft["CustomerRef"] = realm.ref("Customer", draft["CustomerRef"])
    draft.setdefault("TxnDate", realm.today())
    transactions.check_period(realm, draft["TxnDate"], before.get("TxnDate"))
    transactions.settle_currency(realm, draft, customer)
    if draft.get("TotalAmt") is None:
        raise required("TotalAmt")
    draft["TotalAmt"] = money(draft["TotalAmt"])
    if draft["TotalAmt"] < 0:
        raise fault("2290", "Transaction amount must be zero or greater.", "TotalAmt")
    deposit = draft.get("DepositToAccountRef") or {"value": by_role(realm, "undeposited")}
    draft["DepositToAccountRef"] = realm.ref("Account", deposit)
    draft.setdefault("ProcessPayment", False)
    if old is not None:
        _release(realm, old)
    lines = _lines(draft.get("Line") or [])
    ident = old["id"] if old else realm.new_id("transactions")
    draft["Line"] = [_apply(realm, ident, draft, line) for line in lines]
    draft["UnappliedAmt"] = draft["TotalAmt"] - _net(draft["Line"])
    if draft["UnappliedAmt"] < 0:
        raise business("The amount applied is more than the amount of the payment.", "Line")
    journal = _journal(realm, draft)
    ledger.move(realm, old["journal"] if old else [], journal)
    keys = {"customer": draft["CustomerRef"]["value"]}
    if old:
        return realm.replace(old, draft, keys, journal=journal)
    return realm.insert("Payment", draft, ident, keys, journal=journal)


def _lines(sent: Any) -> list[Body]:
    """Lines as amount and target. Raises ``QboFault`` 620 for a link that is none."""
    if not isinstance(sent, list):
        raise fault("2010", "Property Name:Line must be a list", "Line")
    lines = []
    for line in sent:
        links = line.get("LinkedTxn") or []
        if not links:
            continue
        kind, ident = str(links[0].get("TxnType")), str(links[0].get("TxnId"))
        if kind not in TARGETS:
            raise fault("620", f"{kind} {ident} cannot be linked to a payment", "LinkedTxn")
        lines.append({"Amount": money(number_of("Amount", line.get("Amount", 0))), "kind": kind, "id": ident})
    return lines


def _apply(realm: Realm, payment: str, draft: Mapping[str, Any], line: Body) -> Body:
    """Take the amount off one document and link it."""
    target = realm.record(line["kind"], line["id"])
    if target is None or target["state"] != "live":
        raise fault("620", f"{line['kind']} {line['id']} was not found", "LinkedTxn")
    entity = target["entity"]
    if not _same_customer(realm, entity["CustomerRef"]["value"], draft["CustomerRef"]["value"]):
        raise business("The transaction belongs to another customer.", "LinkedTxn")
    open_amount = Decimal(str(entity["Balance"]))
    if not 0 <= line["Amount"] <= open_amount:
        raise business(f"The amount applied is more than the open balance of {open_amount}.", "Amount")
    link = {"TxnId": payment, "TxnType": "Payment"}
    links = [known for known in entity.get("LinkedTxn", []) if known != link] + [link]
    _set_balance(realm, target, open_amount - line["Amount"], links)
    return {"Amount": line["Amount"], "LinkedTxn": [{"TxnId": line["id"], "TxnType": line["kind"]}]}


def _same_customer(realm: Realm, customer: str, payer: str) -> bool:
    """The payer itself or a sub-customer of it."""
    seen = 0
    while customer != payer and seen < 6:
        found = realm.record("Customer", customer)
        parent = (found["entity"].get("ParentRef") or {}).get("value") if found else None
        if parent is None:
            return False
        customer, seen = parent, seen + 1
    return customer == payer


def _set_balance(realm: Realm, target: Mapping[str, Any], balance: Decimal, links: list[Body]) -> None:
    entity = {**target["entity"], "Balance": balance, "LinkedTxn": links}
    if target["kind"] == "CreditMemo":
        entity["RemainingCredit"] = balance
    keys = transactions.number_key(entity.get("DocNumber")) | {"customer": entity["CustomerRef"]["value"]}
    realm.replace(target, entity, keys)


def _release(realm: Realm, payment: Mapping[str, Any]) -> None:
    """Give every applied amount back to its document."""
    for line in payment["entity"].get("Line", []):
        link = line["LinkedTxn"][0]
        target = realm.record(link["TxnType"], link["TxnId"])
        if target is None or target["state"] != "live":
            continue
        mine = {"TxnId": payment["id"], "TxnType": "Payment"}
        links = [known for known in target["entity"].get("LinkedTxn", []) if known != mine]
        balance = Decimal(str(target["entity"]["Balance"])) + Decimal(str(line["Amount"]))
        _set_balance(realm, target, balance, links)


def _net(lines: list[Body]) -> Decimal:
    """Money needed: what is applied to invoices less the credits used."""
    return sum((_sign(line) * Decimal(str(line["Amount"])) for line in lines), Decimal(0))


def _sign(line: Mapping[str, Any]) -> int:
    return 1 if line["LinkedTxn"][0]["TxnType"] == "Invoice" else -1


def _journal(realm: Realm, draft: Mapping[str, Any]) -> list[Entry]:
    rate = Decimal(str(draft.get("ExchangeRate", 1)))
    receivable = money(Decimal(str(draft["UnappliedAmt"])) * rate)
    for line in draft["Line"]:
        link = line["LinkedTxn"][0]
        target = realm.record(link["TxnType"], link["TxnId"])
        own = Decimal(str(target["entity"].get("ExchangeRate", 1))) if target else rate
        receivable += _sign(line) * money(Decimal(str(line["Amount"])) * own)
    received = money(Decimal(str(draft["TotalAmt"])) * rate)
    account = by_role(realm, "receivable", draft["CurrencyRef"]["value"])
    return gather(
        [
            (draft["DepositToAccountRef"]["value"], received, None),
            (account, -receivable, draft["CustomerRef"]["value"]),
            (by_role(realm, "exchange"), receivable - received, None),
        ]
    )


def void(realm: Realm, old: Mapping[str, Any]) -> Body:
    """Amounts to zero, applied amounts back to their documents."""
    transactions.check_period(realm, old["entity"]["TxnDate"])
    _release(realm, old)
    ledger.move(realm, old["journal"], [])
    note = old["entity"].get("PrivateNote")
    entity = {
        **old["entity"],
        "TotalAmt": Decimal(0),
        "UnappliedAmt": Decimal(0),
        "Line": [],
        "PrivateNote": f"Voided - {note}" if note else "Voided",
    }
    return realm.replace(old, entity, {"customer": entity["CustomerRef"]["value"]}, "void", journal=[], state="voided")


def delete(realm: Realm, old: Mapping[str, Any]) -> Body:
    """Take the payment out of the books; what it paid is open again."""
    transactions.check_period(realm, old["entity"]["TxnDate"])
    _release(realm, old)
    ledger.move(realm, old["journal"], [])
    return realm.replace(old, old["entity"], {"customer": None}, "delete", journal=[], state="deleted")


def detach(realm: Realm, document: Mapping[str, Any]) -> None:
    """A document goes away: its payments lose the lines to it and hold the money unapplied."""
    for link in document["entity"].get("LinkedTxn", []):
        payment = realm.record("Payment", str(link.get("TxnId"))) if link.get("TxnType") == "Payment" else None
        if payment is None or payment["state"] != "live":
            continue
        gone = {"TxnId": document["id"], "TxnType": document["kind"]}
        entity = dict(payment["entity"])
        entity["Line"] = [line for line in entity["Line"] if line["LinkedTxn"][0] != gone]
        entity["UnappliedAmt"] = Decimal(str(entity["TotalAmt"])) - _net(entity["Line"])
        journal = _journal(realm, entity)
        ledger.move(realm, payment["journal"], journal)
        realm.replace(payment, entity, {"customer": entity["CustomerRef"]["value"]}, journal=journal)
