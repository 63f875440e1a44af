"""Manually Copy in words: headline, what it means, the invoice's details and lines, for page, mail and CSV."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from domain.formats import format_day, format_money
from domain.ledger_words import STORED, words_named
from domain.reasons import Reason
from models import Run, ToolRow
from sync.copy_outcome import Outcome, outcome_of
from sync.reports import safe

TITLE = "Manually Copy an Invoice"
HEADLINES: dict[Outcome, str] = {
    Outcome.COPIED: "{which} was copied to {the_ledger}",
    Outcome.REPLACED: "{which} was replaced in {the_ledger}",
    Outcome.ANEW: "{which} was copied to {the_ledger} again",
    Outcome.ADOPTED: "{which} is linked to {the_ledgers} document",
    Outcome.MARKED: "{which} is marked in Autotask again",
    Outcome.SAME: "{which} is the same on both sides",
    Outcome.EXISTS: "{which} was not copied: {the_ledger} has it already",
    Outcome.FOREIGN: "{which} was not copied: {the_ledger} has another document of this number",
    Outcome.COMPARE: "{which}: what differs",
    Outcome.CHOOSE: "Which invoice is meant?",
    Outcome.ASK: "{which} was not copied yet: it needs your yes",
    Outcome.NOT_FOUND: "No invoice was found",
    Outcome.REFUSED: "{which} was not copied",
    Outcome.WAITING: "{which} is not copied yet",
    Outcome.CHANGED: "{which} was changed in {the_ledger} meanwhile",
}
MEANINGS: dict[Outcome, str] = {
    Outcome.COPIED: "It is in the books once, and marked in Autotask.",
    Outcome.REPLACED: "The same document in {the_ledger} has Autotask's figures now; payments stayed applied.",
    Outcome.ANEW: "The copy that was there is gone, and a new one with another id stands in its place: one, not two.",
    Outcome.ADOPTED: "Nothing was posted: the document that was there stands for this invoice now.",
    Outcome.MARKED: "Nothing was posted.",
    Outcome.SAME: "There is nothing to replace. Nothing was written.",
    Outcome.EXISTS: "Nothing was written, because Overwrite was not chosen. With Overwrite you see first what differs.",
    Outcome.FOREIGN: "Nothing was written. If it is the same invoice, adopt it: it is linked, and nothing is posted.",
    Outcome.COMPARE: "Nothing was written yet.",
    Outcome.CHOOSE: "More than one invoice of Autotask has this id or number. Nothing was written.",
    Outcome.ASK: "Nothing was written. What follows would keep it from being posted by itself.",
    Outcome.NOT_FOUND: (
        "Autotask shows no invoice with this id or number. The API user may not be allowed to see it, or the number "
        "has a typing error. Nothing was written."
    ),
    Outcome.REFUSED: "Nothing was written.",
    Outcome.WAITING: "Nothing is lost: it goes by itself, or you copy it again in a moment.",
    Outcome.CHANGED: "It is not the version you saw, so nothing was written. Look at it again.",
}


def which(run: Run) -> str:
    """The invoice as a headline names it."""
    invoice = (run.summary or {}).get("invoice") or {}
    asked = (run.summary or {}).get("asked") or {}
    return f"Invoice {invoice.get('number') or invoice.get('source_id') or asked.get('wanted') or ''}".strip()


def headline(run: Run, ledger: str = STORED.the_ledger) -> str:
    outcome = outcome_of(run)
    if outcome is None:
        return TITLE
    return HEADLINES[outcome].format(**{**words_named(ledger).tokens(), "which": which(run)})


def meaning(run: Run, ledger: str = STORED.the_ledger) -> str:
    outcome = outcome_of(run)
    return words_named(ledger).fill(MEANINGS[outcome]) if outcome is not None else ""


def sentences(run: Run, ledger: str = STORED.the_ledger) -> list[str]:
    """Every reason as a sentence, and what an adoption would have to accept."""
    summary = run.summary or {}
    told = [Reason.from_json(value).sentence(ledger) for value in summary.get("reasons") or ()]
    fill = words_named(ledger).fill
    return told + [fill(str(text)) for text in (*summary.get("problems", ()), *summary.get("obstacles", ()))]


def figures(run: Run) -> list[tuple[str, str]]:
    """The invoice's details: what the seed calls the details in report form."""
    found = [("Result", headline(run)), ("Meaning", meaning(run))]
    found += [("Reason", text) for text in sentences(run)]
    return found + details((run.summary or {}).get("invoice") or {})


def details(invoice: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not invoice:
        return []
    currency = str(invoice["currency"])
    due = invoice.get("due")
    found = [
        ("Autotask ID", invoice["source_id"]), ("Number", invoice["number"] or "–"),
        ("Customer", invoice["customer"] or "no customer"), ("Date", format_day(date.fromisoformat(invoice["date"]))),
        ("Due date", format_day(date.fromisoformat(due)) if due else "–"),
        ("Order number", invoice.get("order") or ""), ("Tax region", invoice.get("region") or ""),
        ("Tax", format_money(Decimal(invoice["tax"]), currency)),
        ("Total", format_money(Decimal(invoice["total"]), currency)),
        ("{the_ledger} number", invoice.get("ledger_number") or ""),
        ("{the_ledger} ID", invoice.get("ledger_id") or ""),
    ]
    return [(label, str(text)) for label, text in found if text]


COLUMNS = ("Line", "Text", "Item", "Quantity × rate", "Amount")


def cells(row: ToolRow, ledger: str) -> list[str]:
    data = row.data
    return [
        str(data["number"]), data["text"] or "(no text)", data["item"] or "–", f"{data['quantity']} × {data['rate']}",
        data["amount"],
    ]


CSV_COLUMNS = ("Line", "Type", "Text", "Item", "Quantity", "Rate", "Amount", "Tax")
HEAD_COLUMNS = (
    "Result", "Autotask ID", "Number", "Customer", "Date", "Total", "Currency", "Ledger ID", "Ledger number", "Reasons",
)


def line(row: ToolRow, ledger: str) -> list[str]:
    data = row.data
    return [
        str(data["number"]), safe(data["type"]), safe(data["text"]), safe(data["item"]), data["quantity"],
        data["rate"], data["amount"], data["tax"],
    ]


def head(run: Run, ledger: str) -> list[str]:
    """The invoice's own columns, before those of each of its lines."""
    summary = run.summary or {}
    invoice = summary.get("invoice") or {}
    return [
        headline(run, ledger), invoice.get("source_id", ""), safe(invoice.get("number", "")),
        safe(invoice.get("customer", "")), invoice.get("date", ""), invoice.get("total", ""),
        invoice.get("currency", ""), invoice.get("ledger_id", ""), safe(invoice.get("ledger_number", "")),
        safe(" · ".join(sentences(run, ledger))),
    ]
