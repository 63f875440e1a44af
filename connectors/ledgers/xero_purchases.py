"""How Xero spells bills and purchase orders, and where our note stands on each. Pure.

A bill has neither a private note nor a reference of its own (its number is what Xero shows as "Reference"), and whether
Xero shows its link again is not confirmed. So the note, with our marker, is a line of text at its end: such a line
books nothing. A purchase order has a reference. Field rules: Xero's API reference of Invoices and PurchaseOrders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.ledgers.base import Kind
from connectors.ledgers.xero_spelling import NUMBER, STATUS, TYPE, Ids, Spelling, amounts, ident, line, marked
from domain.documents import Draft

Json = Mapping[str, Any]
INSTRUCTIONS_MAX = 500
ADDRESS_MAX = 500


def document(draft: Draft, ids: Ids, spelling: Spelling) -> dict[str, Any]:
    """A bill needs a due date to be approved; a purchase order has none."""
    kind = Kind(draft.kind)
    body: dict[str, Any] = {"Type": TYPE[kind]} if kind in TYPE else {}
    body["Contact"] = {"ContactID": ident(draft.party, ids)}
    if draft.number is not None:
        body[NUMBER[kind]] = draft.number
    body["Date"] = draft.date.isoformat()
    lines = [line(each, draft, ids, spelling) for each in draft.lines]
    note = marked(" ".join(draft.memo.split()), draft.marker)
    if kind is Kind.BILL:
        body["DueDate"] = (draft.due_date or draft.date).isoformat()
        if spelling.back:
            body["Url"] = f"{spelling.back}{draft.marker}"
        lines.append({"Description": note})
    else:
        body["Reference"] = note
        if draft.message:
            body["DeliveryInstructions"] = draft.message[:INSTRUCTIONS_MAX]
        if draft.ship_to:
            body["DeliveryAddress"] = "\n".join(draft.ship_to)[:ADDRESS_MAX]
    return {**body, **amounts(draft), "Status": STATUS[draft.status], "LineItems": lines}


def is_note(line: Json) -> bool:
    """A line of text alone: it names neither an account nor an amount."""
    return not line.get("AccountID") and not line.get("AccountCode") and not line.get("LineAmount")


def note(body: Json) -> str:
    """The texts of a bill that book nothing, in one line. Whoever adds one in Xero adds to them."""
    rows = body.get("LineItems")
    found = [row for row in rows if isinstance(row, Mapping) and is_note(row)] if isinstance(rows, list) else []
    return " ".join(str(row.get("Description") or "").strip() for row in found).strip()
