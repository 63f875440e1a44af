"""Compare Lists in words: headline, figures, cells and CSV, the same on the page, in the mail and in the file."""

from __future__ import annotations

from domain.formats import format_plural
from domain.list_compare import Same
from domain.reasons import Reason
from models import Run, ToolRow
from sync.list_compare import CUSTOMER, ITEM, LISTS, TAX_CODE, TERM, VENDOR
from sync.reports import safe

TITLE = "Compare Lists"
NAMES = {CUSTOMER: "Customers", ITEM: "Items", VENDOR: "Vendors", TERM: "Terms", TAX_CODE: "Tax codes"}
STATES: dict[str, str] = {
    Same.SIMILAR: "Similar", Same.TWICE: "Twice", Same.UNUSABLE: "Cannot be used", Same.NEW: "New", Same.EXACT: "Exact",
    Same.LINKED: "Linked",
}
"""The words of each state, in the order of the page: what needs a person first."""
ASKS = (Same.SIMILAR, Same.TWICE, Same.UNUSABLE)
COLUMNS = ("List", "Autotask", "Ledger", "Result", "Note")
CSV_COLUMNS = (
    "Result", "List", "Autotask ID", "Autotask name", "AccsID", "Ledger name", "Could be", "Note",
)


def counts(run: Run) -> dict[str, dict[str, int]]:
    """List → state → number, as kept when the run ended."""
    kept = (run.summary or {}).get("counts") or {}
    return {which: {str(k): int(v) for k, v in kept[which].items()} for which in LISTS if which in kept}


def headline(run: Run) -> str:
    found = counts(run)
    total = sum(sum(each.values()) for each in found.values())
    asks = sum(each.get(state, 0) for each in found.values() for state in ASKS)
    if not total:
        return "Nothing to compare yet"
    if not asks:
        return f"{format_plural(total, 'name')} compared, none asks you"
    return f"{asks:,} of {format_plural(total, 'name')} {'asks' if asks == 1 else 'ask'} you"


def figures(run: Run) -> list[tuple[str, str]]:
    told = []
    for which, found in counts(run).items():
        parts = [f"{found[state]:,} {label.lower()}" for state, label in reversed(STATES.items()) if found.get(state)]
        told.append((NAMES[which], ", ".join(parts) or "none"))
    return told


def notes(row: ToolRow, ledger: str) -> list[str]:
    told = [Reason.from_json(value).sentence(ledger) for value in row.data.get("reasons", ())]
    return told + list(row.data.get("notes", ()))


def could_be(row: ToolRow) -> list[str]:
    """Names of the records a person may mean, where nothing was chosen."""
    return [name for _, name in row.data["candidates"]] if row.data["state"] in ASKS else []


def cells(row: ToolRow, ledger: str) -> list[str]:
    data = row.data
    there = data["ledger_name"] or " or ".join(f"“{name}”" for name in could_be(row)[:3]) or "–"
    return [NAMES[data["list"]], data["name"], there, STATES[data["state"]], ". ".join(notes(row, ledger))]


def line(row: ToolRow, ledger: str) -> list[str]:
    data = row.data
    return [
        STATES[data["state"]], NAMES[data["list"]], safe(data["key"]), safe(data["name"]), safe(data["ledger_id"]),
        safe(data["ledger_name"]), safe(" · ".join(could_be(row))), safe(" · ".join(notes(row, ledger))),
    ]
