"""A reconciliation in words: headline, figures, cells and CSV, the same on the page, in the mail and in the file."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.formats import format_money, format_plural
from domain.reconcile import PURCHASES, Counts, Outcome
from models import Run, ToolRow
from sync.reports import safe

TITLE = "Reconciliation"
WORDS: dict[str, str] = {
    Outcome.DUPLICATE: "Twice in the ledger", Outcome.MISSING: "Missing in the ledger",
    Outcome.ORPHAN: "Unknown to Bookbridge", Outcome.DRIFT: "Changed in the ledger", Outcome.AGREE: "Agrees",
}
"""The words of each outcome, in the order of the page: what needs a person first."""
WRONG = (Outcome.DUPLICATE, Outcome.MISSING, Outcome.ORPHAN)
MEANING: dict[str, tuple[str, str]] = {
    Outcome.DUPLICATE: (
        "A second live copy bears the same marker.",
        "Compare both in {ledger}, void the one without payments, then reconcile again.",
    ),
    Outcome.MISSING: (
        "It was posted, and {ledger} holds it void or not at all.",
        "If that was meant, void the invoice in Autotask too. If not, post it again with Manually Copy.",
    ),
    Outcome.ORPHAN: (
        "It bears a marker of ours, and by our account it is not in the books.",
        "It is taken over by itself when its invoice is read. If no invoice belongs to it, look at it in {ledger}.",
    ),
    Outcome.DRIFT: (
        "Somebody changed it in {ledger} since it was posted.",
        "Open the document and press Resync to see both sides; replace it, or keep the ledger's version.",
    ),
}
"""Outcome → what happened, what to do."""
BOUGHT: dict[str, tuple[str, str]] = {
    Outcome.MISSING: (
        "It was posted, and {ledger} does not hold it any more.",
        "If that was meant, External P.O. Number in Autotask still says so. If not, enter it in {ledger} "
        "again: Bookbridge posts an order once.",
    ),
    Outcome.ORPHAN: (
        "It bears a marker of ours, and by our account it is not in the books.",
        "It is taken over by itself when its order is read. If no order belongs to it, look at it in {ledger}.",
    ),
    Outcome.DUPLICATE: (
        "A second live copy bears the same marker.",
        "Compare both in {ledger}, delete the one without payments, then reconcile again.",
    ),
}
"""The same for bills and purchase orders, where it is something else."""
COLUMNS = ("Number", "Customer or vendor", "Date", "Result", "Bookbridge", "Ledger", "Open", "Difference")
CSV_COLUMNS = (
    "Result", "Autotask ID", "Number", "Kind", "Customer or vendor", "Date", "Currency", "Net", "Tax", "Total",
    "Open when posted", "Ledger ID", "Ledger number", "Ledger customer or vendor", "Ledger date", "Ledger currency",
    "Ledger net", "Ledger tax", "Ledger total", "Ledger open", "Difference",
)  # fmt: skip


def counts(run: Run) -> Counts | None:
    """As kept when the run ended; None before."""
    kept = (run.summary or {}).get("counts")
    return Counts(**{key: int(value) for key, value in kept.items()}) if kept else None


def headline(run: Run) -> str:
    """"412 of 412, 0 duplicates, 0 missing"."""
    found = counts(run)
    if found is None:
        return "Not compared yet"
    there = found.agree + found.drift
    told = (f"{there:,} of {found.of:,} in the books, {format_plural(found.duplicate, 'duplicate')}, "
            f"{found.missing:,} missing")  # fmt: skip
    more = [f"{found.orphan:,} unknown" if found.orphan else "", f"{found.drift:,} changed" if found.drift else ""]
    return ", ".join([told, *(one for one in more if one)])


def figures(run: Run) -> list[tuple[str, str]]:
    """Sums of what stands on both sides, by currency. Bills are debts: they stand apart, net; orders book nothing."""
    kept, told = run.summary or {}, []
    for names, part in ((("Posted", "In the ledger", "Open in the ledger"), "sums"),
                        (("Bills posted, net", "Bills in the ledger, net", "Bills to pay in the ledger"), "bills")):
        for currency, by in sorted((kept.get(part) or {}).items()):
            amounts = (by.get(key, "0") for key in ("ours", "theirs", "open"))
            told += [(f"{name}, {currency}", format_money(Decimal(amount), currency))
                     for name, amount in zip(names, amounts, strict=True)]
    return told


def differences(row: ToolRow) -> str:
    return "; ".join(f"{label}: {mine} here, {found} in the ledger" for label, mine, found in row.data["differs"])


def why(row: ToolRow, ledger: str) -> str:
    """What differs, or what the outcome means; empty where both sides agree."""
    if row.data["differs"]:
        return differences(row)
    meaning = MEANING | BOUGHT if row.data["kind"] in PURCHASES else MEANING
    return " ".join(meaning[row.outcome]).format(ledger=ledger) if row.outcome in meaning else ""


def cells(row: ToolRow, ledger: str) -> list[str]:
    data = row.data
    currency = data["currency"] or data["theirs"].get("currency", "")
    return [
        data["number"], data["customer"], data["day"], WORDS[row.outcome], _compared(data, "ours", currency),
        _compared(data, "theirs", currency), _money(data["theirs"].get("open"), currency), why(row, ledger),
    ]


def _compared(data: dict[str, Any], side: str, currency: str) -> str:
    """The amount that was compared: the total, of purchases the net."""
    if data["kind"] not in PURCHASES:
        return _money(data[side].get("total"), currency)
    net = data[side].get("net")
    return f"{_money(net, currency)} net" if net else "–"


def _money(amount: str | None, currency: str) -> str:
    return format_money(Decimal(amount), currency) if amount and currency else "–"


@dataclass(frozen=True, slots=True)
class Side:
    """A document as one side has it, in words; "–" where that side has it not, or names none. `day`: ISO, or empty."""

    customer: str = "–"
    day: str = ""
    net: str = "–"
    tax: str = "–"
    total: str = "–"
    open: str = "–"


def sides(row: ToolRow) -> tuple[Side, Side]:
    """Ours and the ledger's. What is open is ours as of the posting."""
    data, there = row.data, row.data["theirs"]
    mine = _side(data["ours"], data["customer"], data["day"], data["currency"]) if data["ours"] else Side()
    theirs = _side(there, there["customer"], there["day"], there["currency"] or data["currency"]) if there else Side()
    return mine, theirs


def _side(amounts: dict[str, str], customer: str, day: str, currency: str) -> Side:
    net, tax, total, open_ = (_money(amounts.get(name), currency) for name in ("net", "tax", "total", "open"))
    return Side(customer or "–", day, net, tax, total, open_)


def line(row: ToolRow, ledger: str) -> list[str]:
    data, mine, found = row.data, row.data["ours"], row.data["theirs"]
    net = mine.get("net", "")
    return [
        WORDS[row.outcome], data["source_id"], safe(data["number"]), data["kind"], safe(data["customer"]), data["day"],
        data["currency"], net, mine.get("tax", ""), mine.get("total", ""), mine.get("open", ""), data["ledger_id"],
        safe(found.get("number", "")), safe(found.get("customer", "")), found.get("day", ""), found.get("currency", ""),
        found.get("net", ""), found.get("tax", ""), found.get("total", ""), found.get("open", ""),
        safe(why(row, ledger)),
    ]
