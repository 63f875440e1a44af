"""What of bills, purchase orders, vendors and bought items the ledger in memory keeps, and its rules for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from connectors.ledgers.base import Kind, LedgerFault, Refusal
from domain.documents import Draft, DraftLine, ItemDraft, PartyDraft

PURCHASES = (Kind.BILL, Kind.PURCHASE_ORDER)


class Held(Protocol):
    """One record of the books, as far as these rules look at it."""

    kind: Kind
    id: str
    body: Mapping[str, Any]
    live: bool


def document_details(draft: Draft) -> dict[str, Any]:
    """What a purchase has beside what every document has."""
    if draft.kind not in PURCHASES:
        return {}
    return {"payable": draft.payable.ledger_id if draft.payable else None, "ship_to": list(draft.ship_to)}


def line_details(line: DraftLine) -> dict[str, Any]:
    """What a line of a purchase has beside what every line has; nothing on a sale."""
    found: dict[str, Any] = {}
    if line.item.kind == "account":
        found["on_account"] = True
    if line.customer is not None:
        found |= {"customer": line.customer.ledger_id, "billable": line.billable}
    if line.ordered is not None:
        found["ordered"] = [line.ordered.order_id, line.ordered.line_id]
    return found


def party_kind(draft: PartyDraft) -> dict[str, Any]:
    return {"company": draft.company_name} if draft.kind == Kind.VENDOR and draft.company_name else {}


def item_details(draft: ItemDraft, account: str) -> dict[str, Any]:
    if draft.bought:
        return {"type": "NonInventory", "expense_account_id": account, "sku": draft.sku}
    return {"type": "Service", "income_account_id": account, "sku": draft.sku}


def fault(kind: Kind, body: Mapping[str, Any], entries: Sequence[Held]) -> LedgerFault | None:
    """Why a bill or an order is refused for what it refers to; None when all of it is there."""
    known = {(one.kind, one.id): one for one in entries if one.live}
    if (Kind.VENDOR, body["party"]) not in known:
        return LedgerFault(Refusal.BAD_REFERENCE, "2500", f"No vendor {body['party']}.")
    if body.get("payable") is not None and (Kind.ACCOUNT, body["payable"]) not in known:
        return LedgerFault(Refusal.BAD_REFERENCE, "2500", f"No account {body['payable']}.")
    for line in body["lines"]:
        found = known.get((Kind.ACCOUNT if line.get("on_account") else Kind.ITEM, line["item"]))
        if found is None:
            return LedgerFault(Refusal.BAD_REFERENCE, "2500", f"No item or account {line['item']}.")
        if not line.get("on_account") and not found.body["details"].get("expense_account_id"):
            return LedgerFault(Refusal.BAD_REFERENCE, "6000", "The item is not a purchasable item.")
        if line.get("ordered"):
            order, ordered = known.get((Kind.PURCHASE_ORDER, line["ordered"][0])), line["ordered"][1]
            if order is None or ordered not in line_ids(order.body):
                return LedgerFault(Refusal.BAD_REFERENCE, "620", f"No line {ordered} of an order to link to.")
    return None


def linked(entry: Held, entries: Sequence[Held]) -> tuple[LedgerFault, ...]:
    """Why a bill or an order is not deleted: the one hangs on the other. Empty when nothing hangs on it."""
    bills = [entry] if entry.kind is Kind.BILL else [one for one in entries if one.kind is Kind.BILL and one.live]
    names = {line["ordered"][0] for bill in bills for line in bill.body["lines"] if line.get("ordered")}
    if entry.kind in PURCHASES and (names if entry.kind is Kind.BILL else entry.id in names):
        return (LedgerFault(Refusal.OTHER, "6000", "It is linked to others. Unlink it before you delete it."),)
    return ()


def line_ids(body: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(place) for place in range(1, len(body["lines"]) + 1))


def open_quantities(order: Held, entries: Sequence[Held]) -> list[Decimal]:
    """What of each line of an order no live bill has taken up yet: all zero is a closed order."""
    taken: dict[str, Decimal] = {}
    for bill in entries:
        for line in bill.body["lines"] if bill.kind is Kind.BILL and bill.live else ():
            if line.get("ordered") and line["ordered"][0] == order.id:
                key = line["ordered"][1]
                taken[key] = taken.get(key, Decimal(0)) + Decimal(line["quantity"])
    quantities = [Decimal(line["quantity"]) for line in order.body["lines"]]
    return [quantity - taken.get(id, Decimal(0)) for id, quantity in zip(line_ids(order.body), quantities, strict=True)]
