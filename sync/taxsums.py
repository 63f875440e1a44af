"""Tax of documents and runs as stored: what a ledger's answer booked, summed by region and code. Database only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Echo
from domain import taxsums
from domain.documents import Draft
from domain.formats import format_money, format_plural
from domain.taxsums import TaxSum
from models import Document, RunItem
from sync import codec


def stored(draft: Draft, echo: Echo) -> dict[str, Any]:
    """What is kept of one posted document. `sent`: the amount went along explicitly."""
    rows = taxsums.of_document(draft, echo.tax, echo.nets, echo.taxes)
    return {"sent": draft.send_tax, "choice": draft.tax_choice, "rows": codec.dump(rows, list[TaxSum])}


def loaded(kept: Any) -> list[TaxSum]:
    return codec.load(list[TaxSum], kept["rows"]) if kept else []


def of_run(items: Iterable[RunItem]) -> list[tuple[str, list[TaxSum]]]:
    """(currency, sums by region and code) of what a run posted."""
    by_currency: dict[str, list[TaxSum]] = {}
    for item in items:
        by_currency.setdefault(item.currency, []).extend(loaded(item.tax_sums))
    return [(currency, taxsums.add_up(rows)) for currency, rows in sorted(by_currency.items()) if rows]


def sentences(items: Sequence[RunItem], ledger: str) -> list[str]:
    """The tax part of a report in words: differing totals first, then net and tax by region and code."""
    told = []
    for item in items:
        if item.ledger_total is not None and item.ledger_total != abs(item.amount):
            there = format_money(-item.ledger_total if item.amount < 0 else item.ledger_total, item.currency)
            here = format_money(item.amount, item.currency)
            told.append(f"Differs: {item.number or item.source_id} is {here} in Autotask and {there} in {ledger}.")
    for currency, sums in of_run(items):
        for one in sums:
            if not one.tax and not one.ledger_tax:
                continue
            net, tax = format_money(one.net, currency), format_money(one.tax, currency)
            text = f"Tax {one.region}, {one.code}: net {net}, tax {tax}"
            same = one.ledger_tax == one.tax and one.ledger_net in (None, one.net)
            if one.ledger_tax is None:
                told.append(f"{text}.")
            elif same:
                told.append(f"{text}, the same in {ledger}.")
            else:
                net = f"net {format_money(one.ledger_net, currency)}, " if one.ledger_net is not None else ""
                told.append(f"{text}; in {ledger} {net}tax {format_money(one.ledger_tax, currency)}.")
    return told


def words(item: RunItem) -> str:
    """One document's tax by region and code, for a cell: "NY Albany, Taxable: 500.00 + 41.25 (ledger 41.25)"."""
    parts = []
    for one in loaded(item.tax_sums):
        there = "" if one.ledger_tax is None else f" (ledger {one.ledger_tax:.2f})"
        parts.append(f"{one.region}, {one.code}: {one.net:.2f} + {one.tax:.2f}{there}")
    return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Documents on which the ledger booked a tax of its own although the amount was sent; the first of them."""

    count: int
    first: Document


def ignored(db: Session, company_id: int) -> Ignored | None:
    """None while every answer repeated the amount. Home and settings warn with it."""
    other = (
        Document.company_id == company_id, Document.ledger_tax.is_not(None),
        Document.ledger_tax != func.abs(Document.tax_total),
    )
    rows = [row for row in db.scalars(select(Document).where(*other).order_by(Document.id)) if _sent(row)]
    return Ignored(len(rows), rows[0]) if rows else None


def _sent(row: Document) -> bool:
    return bool(row.tax_sums and row.tax_sums.get("sent")) and row.ledger_tax != abs(row.tax_total or Decimal(0))


def warning(db: Session, company_id: int, ledger: str) -> str:
    """One sentence for the tax setting once an answer did not repeat the amount; empty before."""
    found = ignored(db, company_id)
    if found is None:
        return ""
    first = found.first
    booked = format_money(first.ledger_tax or Decimal(0), first.currency)
    return (
        f"{ledger} booked a tax of its own on {format_plural(found.count, 'document')} although Autotask's was sent, "
        f"first on {first.number or first.source_id}: {booked} instead of "
        f"{format_money(abs(first.tax_total), first.currency)}."
    )
