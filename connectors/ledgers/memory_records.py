"""What the ledger in memory tells of a record (list entry, echo, whole document), and how records are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.ledgers import memory_purchases as purchases
from connectors.ledgers.base import Done, Echo, Kind, Record, Sought
from domain.held import Held, HeldLine, tracked_as

if TYPE_CHECKING:
    from connectors.ledgers.memory import Entry, MemoryCompany

SALES = (Kind.INVOICE, Kind.CREDIT_MEMO)
DOCUMENTS = (*SALES, *purchases.PURCHASES)


def version_of(entry: Entry) -> str:
    """Grows with every change; where documents begin as drafts, the status stands behind it."""
    return f"{entry.version}/{entry.status}" if entry.status else str(entry.version)


def record_of(entry: Entry) -> Record:
    known = dict(entry.body.get("details", {}))
    details = {name: value for name, value in known.items() if not isinstance(value, dict)}
    return Record(entry.kind, entry.id, entry.body["name"], str(entry.version), entry.live, details)


def _rate(body: Mapping[str, Any], company: MemoryCompany) -> Decimal | None:
    if not company.multi_currency or body.get("currency") in (None, company.currency):
        return None
    sent = body.get("rate")
    return Decimal(sent) if sent else company.rates.get(str(body["currency"]), Decimal(1))


def done_of(entry: Entry, company: MemoryCompany) -> Done:
    total = entry.total if entry.live else Decimal(0)
    echo = Echo(
        tenant=company.tenant,
        kind=entry.kind,
        party_id=entry.body.get("party"),
        number=entry.number,
        currency=entry.body.get("currency"),
        rate=_rate(entry.body, company),
        total=entry.total,
        version=version_of(entry),
        status=entry.status,
        balance=None if total is None else total - entry.paid,
        date=date.fromisoformat(entry.body["date"]) if entry.kind in DOCUMENTS else None,
        lines=len(entry.body["lines"]) if entry.kind in DOCUMENTS else None,
        marker=entry.body.get("marker"),
        name=entry.body.get("name"),
        created_at=entry.created_at.astimezone(UTC),
        live=entry.live,
        mailed=entry.mailed,
        mailed_at=entry.updated_at.astimezone(UTC) if entry.mailed else None,
        email=entry.body.get("email"),
        tax=entry.tax if entry.kind in DOCUMENTS else None,
        line_ids=purchases.line_ids(entry.body) if entry.kind is Kind.PURCHASE_ORDER else (),
    )
    if entry.kind not in DOCUMENTS:
        echo = replace(echo, record=record_of(entry))
    return Done(entry.id, entry.number, echo)


def held_of(entry: Entry, company: MemoryCompany) -> Held:
    """The document as its books show it. Bodies come back from JSON, so dates are texts."""
    body = entry.body
    names = {one.id: str(one.body.get("name", "")) for one in company.entries}
    return Held(
        kind=entry.kind.value, ledger_id=entry.id, version=version_of(entry), number=entry.number,
        date=_day(body.get("date")), due_date=_day(body.get("due")), party_id=body.get("party"),
        party=names.get(str(body.get("party")), ""), currency=body.get("currency"), total=entry.total or Decimal(0),
        tax=Decimal(body.get("tax") or 0), applied=entry.paid, note=str(body.get("marker") or ""),
        message=str(body.get("message") or ""), mailed=entry.mailed, live=entry.live, changed_at=entry.updated_at,
        lines=tuple(_held_line(line, names) for line in body["lines"]), linked=("Payment 1",) if entry.paid else (),
        location=tracked_as(body.get("location"), names.get(str(body.get("location")), "")),
    )


def _held_line(line: Mapping[str, Any], names: Mapping[str, str]) -> HeldLine:
    quantity, price = (None if line.get(key) is None else Decimal(line[key]) for key in ("quantity", "price"))
    item, tracked = line["item"], tracked_as(line.get("class"), names.get(str(line.get("class")), ""))
    return HeldLine(item, names.get(item, ""), line["text"], quantity, price, Decimal(line["amount"]), tracked)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def matches(entry: Entry, sought: Sought) -> bool:
    if entry.kind is not sought.kind:
        return False
    if sought.ledger_id is not None:
        return entry.id == sought.ledger_id
    if sought.number is not None:
        return same(entry.number, sought.number)
    if sought.name is not None:
        return same(entry.body.get("name"), sought.name)
    if sought.since is None:
        raise ValueError("a look-up needs an id, a number, a name or an instant")
    return entry.created_at >= sought.since


def same(one: str | None, other: str | None) -> bool:
    """Names and numbers are compared without regard to letter case, as ledgers do."""
    return one is not None and other is not None and one.strip().casefold() == other.strip().casefold()
