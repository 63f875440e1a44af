"""A tool's result in words: headline, figures, table and CSV, the same on the page, in the mail and in the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.compare import Result
from domain.formats import format_money, format_plural, format_totals
from domain.ledger_words import words_named, words_of
from domain.reasons import Reason, Stage
from domain.stages import Outcome
from domain.statuses import RunState
from models import Company, Run, ToolRow
from sync import copy_report, diagnosis, list_compare, list_report, reconcile_report, reconciling, settings
from sync.comparing import COPY, CREATED, REFUSED
from sync.copy_outcome import KIND as MANUAL_COPY
from sync.reports import safe

MAIL_ROWS = 200
OUTCOMES = {
    Outcome.READY: "Ready", Outcome.STOPPED: "Stopped", Outcome.WAITING: "Waiting", Outcome.SKIPPED: "Skipped Over",
}
ORDER = (Outcome.STOPPED, Outcome.WAITING, Outcome.READY, Outcome.SKIPPED)
Totals = list[tuple[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Tool:
    """How one tool tells its result. `cells` are those of a row in the mail, `line` those of a row in the CSV."""

    title: str
    csv_name: str
    headline: Callable[[Run], str]
    figures: Callable[[Run], list[tuple[str, str]]]
    columns: tuple[str, ...]
    cells: Callable[[ToolRow, str], list[str]]
    csv_columns: tuple[str, ...]
    line: Callable[[ToolRow, str], list[str]]
    head: Callable[[Run, str], list[str]] | None = None
    """Cells of the run itself, before those of each of its rows (one line without any where there is no row)."""


def rows_of(db: Session, run: Run, outcomes: Sequence[str] = ()) -> Sequence[ToolRow]:
    """The run's lines in the order in which they were found; those that need somebody first."""
    query = select(ToolRow).where(ToolRow.run_id == run.id).order_by(ToolRow.id)
    if outcomes:
        query = query.where(ToolRow.outcome.in_(outcomes))
    order = {str(outcome): place for place, outcome in enumerate(ORDER)}
    return sorted(db.scalars(query), key=lambda row: (order.get(row.outcome, 0), row.id))


def csv_text(run: Run, rows: Iterable[ToolRow], ledger: str) -> str:
    """Header and one line per row. Text is safe for spreadsheets; amounts are plain numbers."""
    tool = TOOLS[run.kind]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(tool.csv_columns)
    before = tool.head(run, ledger) if tool.head is not None else []
    lines = [[*before, *tool.line(row, ledger)] for row in rows]
    writer.writerows(lines or ([before] if before else []))
    return out.getvalue()


def csv_name(run: Run) -> str:
    return f"{TOOLS[run.kind].csv_name}-{run.id}.csv"


def mail_context(db: Session, company: Company, run: Run, public_url: str) -> dict[str, Any]:
    """Everything mail/tool.html and mail/tool_notice.html show (the latter neither names nor amounts)."""
    tool = TOOLS[run.kind]
    base = f"{public_url.rstrip('/')}/c/{company.id}"
    zone = settings.load_invoices(db, company.id).time_zone
    words, ledger = words_of(company.ledger), words_of(company.ledger).ledger_in_full
    rows = rows_of(db, run)
    ended = run.finished_at or run.started_at
    failed = run.state == RunState.FAILED
    headline = f"{tool.title}: it failed" if failed else words.fill(tool.headline(run))
    figures = [] if failed else [(words.fill(label), words.fill(text)) for label, text in tool.figures(run)]
    return {
        "subject": f"{headline} - {company.name} - {ended.astimezone(ZoneInfo(zone)):%d %b}", "headline": headline,
        "company": company.name, "ledger": ledger, "title": tool.title, "at": ended, "zone": zone,
        "zone_name": zone.rpartition("/")[2].replace("_", " ") + " time",
        "asked_by": run.requested_by_name or "Somebody", "message": run.message or "",
        "figures": figures, "columns": tool.columns,
        "rows": [tool.cells(row, ledger) for row in rows[:MAIL_ROWS]], "more": max(0, len(rows) - MAIL_ROWS),
        "csv_name": csv_name(run), "result_url": f"{base}/tools/results/{run.id}",
        "settings_url": f"{base}/settings/mails",
        "why_you": f"You get this because your address receives the reports of {company.name}.",
    }


# ---- Check Which Invoices are Ready for Billing -------------------------------------------------------------


def sums_of(run: Run) -> dict[Outcome, tuple[int, Totals]]:
    """Count and totals per outcome, as kept when the check ended."""
    kept: Mapping[str, Mapping[str, Mapping[str, Any]]] = (run.summary or {}).get("sums") or {}
    found = {}
    for outcome in Outcome:
        by = kept.get(str(outcome), {})
        totals = [(currency, Decimal(each["amount"])) for currency, each in sorted(by.items())]
        found[outcome] = (sum(int(each["count"]) for each in by.values()), totals)
    return found


def check_headline(run: Run) -> str:
    sums = sums_of(run)
    total = sum(count for count, _ in sums.values())
    if not total:
        return "No invoice waits in Autotask"
    ready = sums[Outcome.READY][0]
    return f"{ready:,} of {format_plural(total, 'invoice')} {'is' if 1 in (ready, total) else 'are'} ready"


def check_figures(run: Run) -> list[tuple[str, str]]:
    found = []
    for outcome, (count, totals) in sums_of(run).items():
        if count:
            found.append((OUTCOMES[outcome], f"{count:,}, {format_totals(totals)}"))
    return found


def reasons_of(row: ToolRow, ledger: str) -> list[str]:
    """Every reason of a line as a sentence; what was adjusted on the way stands after them."""
    told = [Reason.from_json(value).sentence(ledger) for value in row.data.get("reasons", ())]
    return told + list(row.data.get("notes", ()))


def _check_cells(row: ToolRow, ledger: str) -> list[str]:
    data = row.data
    amount = format_money(Decimal(data["amount"]), data["currency"])
    why = ". ".join(reasons_of(row, ledger)) or "Ready"
    return [data["number"], data["customer"] or "no customer", amount, OUTCOMES[Outcome(row.outcome)], why]


def _check_line(row: ToolRow, ledger: str) -> list[str]:
    data = row.data
    credit = Decimal(data["amount"]) < 0
    return [
        OUTCOMES[Outcome(row.outcome)], data["source_id"], safe(data["number"]),
        words_named(ledger).credit_memo if credit else "invoice",
        safe(data["customer"]), data["day"], data["amount"], data["currency"],
        *(data["stages"].get(str(stage), "") for stage in Stage),
        safe(" · ".join(reasons_of(row, ledger))), " ".join(value["code"] for value in data["reasons"]),
    ]


# ---- Compare Billing Codes and Items ------------------------------------------------------------------------


RESULTS: dict[str, str] = {
    Result.MATCH: "Match", Result.DIFFERS: "Match with a difference", Result.MISSING: "Missing",
    Result.INACTIVE: "Inactive", Result.AMBIGUOUS: "Ambiguous", Result.SHARED: "Shared",
    Result.UNUSABLE: "Takes no quantity", CREATED: "Created", REFUSED: "Not created",
}
"""The words of each result, in the order of the page."""


def counts_of(run: Run) -> dict[str, int]:
    """Billing codes per result, as kept when the run ended; results that do not occur are left out."""
    kept = (run.summary or {}).get("counts") or {}
    return {result: int(kept[result]) for result in RESULTS if kept.get(result)}


def _compare_headline(run: Run) -> str:
    counts = counts_of(run)
    total = sum(counts.values())
    if not total:
        return "Autotask has no active billing code"
    good = counts.get(Result.MATCH, 0) + counts.get(Result.DIFFERS, 0) + counts.get(Result.SHARED, 0)
    have = "has its" if 1 in (good, total) else "have their"
    return f"{good:,} of {format_plural(total, 'billing code')} {have} item"


def _copy_headline(run: Run) -> str:
    counts = counts_of(run)
    made, refused = counts.get(CREATED, 0), counts.get(REFUSED, 0)
    tail = f", {refused:,} not created" if refused else ""
    return f"{format_plural(made, 'item')} created{tail}" if made or refused else "No item was missing"


def _compare_figures(run: Run) -> list[tuple[str, str]]:
    return [(RESULTS[result], f"{count:,}") for result, count in counts_of(run).items()]


def _compare_cells(row: ToolRow, ledger: str) -> list[str]:
    data = row.data
    return [data["code"], data["name"], data["item"] or "–", RESULTS[row.outcome], ". ".join(data["notes"])]


def _compare_line(row: ToolRow, ledger: str) -> list[str]:
    data = row.data
    return [
        RESULTS[row.outcome], data["code_id"], safe(data["code"]), safe(data["number"]), safe(data["name"]),
        data["item_id"] or "", safe(data["item"]), data["type"], safe(" · ".join(data["notes"])),
    ]


def _comparison(title: str, file: str, headline: Callable[[Run], str]) -> Tool:
    return Tool(
        title=title, csv_name=file, headline=headline, figures=_compare_figures,
        columns=("Billing code", "Looked for", "Item", "Result", "Difference"), cells=_compare_cells,
        csv_columns=(
            "Result", "Billing Code ID", "Billing Code Name", "External Number", "Looked for", "Item ID", "Item",
            "Item type", "Difference",
        ),
        line=_compare_line,
    )


# ---- Preview ------------------------------------------------------------------------------------------------


def _preview_headline(run: Run) -> str:
    counts = (run.summary or {}).get("counts") or {}
    total, ready = sum(counts.values()), counts.get(str(Outcome.READY), 0)
    if not total:
        return "Nothing to preview"
    return f"{ready:,} of {format_plural(total, 'document')} {'is' if 1 in (ready, total) else 'are'} ready"


def _preview_figures(run: Run) -> list[tuple[str, str]]:
    totals = (run.summary or {}).get("totals") or {}
    return [(each, format_money(Decimal(sums["total"]), each)) for each, sums in totals.items()]


def _preview_line(row: ToolRow, ledger: str) -> list[str]:
    data = row.data
    return [
        OUTCOMES[Outcome(row.outcome)], data["source_id"], safe(data["number"]), safe(data["customer"]), data["day"],
        data["amount"], data["tax"], data["currency"], safe(" · ".join(reasons_of(row, ledger))),
    ]


TOOLS: dict[str, Tool] = {
    "preview": Tool(
        title="Preview", csv_name="bookbridge-preview", headline=_preview_headline, figures=_preview_figures,
        columns=("Number", "Customer", "Amount", "Result", "Reasons"), cells=_check_cells,
        csv_columns=("Result", "Autotask ID", "Number", "Customer", "Date", "Amount", "Tax", "Currency", "Reasons"),
        line=_preview_line,
    ),
    "compare": _comparison("Compare Billing Codes and Items", "bookbridge-items", _compare_headline),
    COPY: _comparison("Copy missing items", "bookbridge-items-copied", _copy_headline),
    list_compare.KIND: Tool(
        title=list_report.TITLE, csv_name="bookbridge-lists", headline=list_report.headline,
        figures=list_report.figures, columns=list_report.COLUMNS, cells=list_report.cells,
        csv_columns=list_report.CSV_COLUMNS, line=list_report.line,
    ),
    MANUAL_COPY: Tool(
        title=copy_report.TITLE, csv_name="bookbridge-copy", headline=copy_report.headline,
        figures=copy_report.figures, columns=copy_report.COLUMNS, cells=copy_report.cells,
        csv_columns=(*copy_report.HEAD_COLUMNS, *copy_report.CSV_COLUMNS), line=copy_report.line,
        head=copy_report.head,
    ),
    reconciling.KIND: Tool(
        title=reconcile_report.TITLE, csv_name="bookbridge-reconciliation", headline=reconcile_report.headline,
        figures=reconcile_report.figures, columns=reconcile_report.COLUMNS, cells=reconcile_report.cells,
        csv_columns=reconcile_report.CSV_COLUMNS, line=reconcile_report.line,
    ),
    diagnosis.KIND: Tool(
        title=diagnosis.TITLE, csv_name="bookbridge-diagnosis", headline=diagnosis.headline, figures=diagnosis.figures,
        columns=diagnosis.COLUMNS, cells=diagnosis.cells, csv_columns=diagnosis.CSV_COLUMNS,
        line=lambda row, ledger: [safe(each) for each in diagnosis.cells(row, ledger)],
    ),
    "check": Tool(
        title="Check Which Invoices are Ready for Billing", csv_name="bookbridge-ready",
        headline=check_headline, figures=check_figures,
        columns=("Number", "Customer", "Amount", "Result", "Reasons"), cells=_check_cells,
        csv_columns=(
            "Result", "Autotask ID", "Number", "Kind", "Customer", "Date", "Amount", "Currency",
            *(f"Check: {stage}" for stage in Stage), "Reasons", "Codes",
        ),
        line=_check_line,
    ),
}
