"""The end of a run: its outcome, who is told, and the report's figures and CSV. Effects: database only.

Mails are rows of the outbox, written in the transaction that finishes the run; `sync/mail.py` renders and sends.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind
from domain.ledger_words import words_named
from domain.mails import Rhythm
from domain.money import smallest_unit
from domain.order_documents import ORDER
from domain.reasons import Reason
from domain.settings import SyncState
from domain.statuses import RunState, Status
from models import Company, Document, MirrorEntry, PartyEntry, Run, RunItem
from sync import alerts, comparing, copy_outcome, diagnosis, one_order, requests, settings, taxsums
from sync.addresses import connected_address as connected_address
from sync.addresses import is_known, recipients
from sync.outbox import queue_mail as queue_mail

COMPARE_LISTS = "compare_lists"
RECONCILE = "reconcile"
TOOLS = ("check", "compare", comparing.COPY, COMPARE_LISTS, "preview", copy_outcome.KIND, diagnosis.KIND,
         RECONCILE)
"""Kinds of run whose result is a tool's: rows of their own, no document is posted."""
CSV_COLUMNS = (
    "Status", "StatusCode", "Reason", "Autotask ID", "Number", "Kind", "Customer", "Date", "Amount", "Currency",
    "Ledger ID", "Ledger number", "Run", "Rounding line", "Lines on default account",
    "Ledger total", "Flags", "Tax by region and code", "Ledger date",
)


def finish_run(
    db: Session, run: Run, now: datetime, *, state: RunState | None = None, message: str | None = None
) -> None:
    """Close the run, queue its report, and keep what follows from it. Repeating is safe: a finished run stays."""
    if run.finished_at is not None:
        return
    if run.kind in TOOLS:
        finish_tool(db, run, now, state=state, message=message)
        return
    requests.finish(db, run, now, state=state, message=message)
    company = db.get_one(Company, run.company_id)
    _remember_first_posting(db, company, run, now)
    if run.kind == "sync":
        _turn_off_after_batch(db, run, now)
    worth_telling = own_run(run) or run.state != RunState.FINISHED or _items(db, run) > 0
    if run.kind in ("sync", "retry", "first_posting", "release", one_order.KIND) and worth_telling:
        _tell(db, run, now)


def finish_tool(
    db: Session, run: Run, now: datetime, *, summary: Mapping[str, Any] | None = None,
    state: RunState | None = None, message: str | None = None,
) -> None:
    """Close a tool's run, keep its summary and queue its mails. Repeating is safe: a finished run stays."""
    if run.finished_at is not None:
        return
    kept = dict(run.summary or {}) | dict(summary or {})
    if run.kind == comparing.COPY and state is not RunState.FAILED:
        kept["counts"] = comparing.settle_rows(db, run)
        state = state or (RunState.PROBLEMS if comparing.REFUSED in kept["counts"] else RunState.FINISHED)
    if run.kind == copy_outcome.KIND and state is not RunState.FAILED:
        kept, ended = copy_outcome.settle(db, run, kept)
        state = state or ended
    if run.kind == RECONCILE and state is not RunState.FAILED and not kept.get("green"):
        state = RunState.PROBLEMS
    requests.finish(db, run, now, state=state or RunState.FINISHED, message=message)
    run.summary = kept
    if run.kind == RECONCILE and run.trigger == "schedule" and (state is None or _told_today(db, run, now)):
        return  # A green night is told on the pages, and so are the repetitions of one that is not.
    if run.kind == "preview" or copy_outcome.is_quiet(kept):
        return  # It is looked at where it was asked for.
    for address in recipients(db, run):
        kind = "tool" if is_known(db, run.company_id, address) else "tool_notice"
        queue_mail(db, run.company_id, kind, f"run:{run.id}:{address.casefold()}", address, now, run_id=run.id)


def _told_today(db: Session, run: Run, now: datetime) -> bool:
    """An earlier comparison by schedule was mailed since the last night."""
    return db.execute(select(Run.id).where(
        Run.company_id == run.company_id, Run.kind == RECONCILE, Run.trigger == "schedule", Run.id < run.id,
        Run.state.in_((RunState.PROBLEMS, RunState.FAILED)), Run.finished_at > now - timedelta(hours=20),
    ).limit(1)).first() is not None  # fmt: skip


def _items(db: Session, run: Run) -> int:
    return db.execute(select(func.count()).select_from(RunItem).where(RunItem.run_id == run.id)).scalar_one()


def _remember_first_posting(db: Session, company: Company, run: Run, now: datetime) -> None:
    if company.first_posted_at is None and run.kind == "first_posting" and (run.counts or {}).get(Status.COMPLETE):
        company.first_posted_at, company.setup_step = now, "ready"


def _turn_off_after_batch(db: Session, run: Run, now: datetime) -> None:
    """`Sync next batch of invoices and then turn off sync`: this was the batch."""
    current = settings.load_invoices(db, run.company_id)
    posted = (run.counts or {}).get(Status.COMPLETE, 0)
    if current.sync_state is SyncState.NEXT_BATCH and posted:
        settings.change(db, run.company_id, now=now, user=None, sync_state=SyncState.OFF)


def finish_first_scan(db: Session, run: Run, now: datetime) -> None:
    """The first scan only reads: its summary is what was matched, similar and new, and what each document would do."""
    requests.finish(db, run, now, state=RunState.FINISHED)
    run.summary = scan_summary(db, run.company_id)
    company = db.get_one(Company, run.company_id)
    if company.setup_step == "scan":
        company.setup_step = "first"


def scan_summary(db: Session, company_id: int) -> dict[str, Any]:
    """Counts for the first-scan page, from stored documents, parties and mirror alone."""
    rows = db.execute(
        select(Document.status, Document.reason_code, Document.currency, func.count(), func.sum(Document.total))
        .where(Document.company_id == company_id)
        .group_by(Document.status, Document.reason_code, Document.currency)
    ).all()
    outcomes = [
        {"status": status, "reason": code, "currency": currency, "count": count, "total": str(total)}
        for status, code, currency, count, total in rows
    ]
    parties = db.scalars(select(PartyEntry.folded).where(PartyEntry.company_id == company_id)).all()
    known = set(db.scalars(select(MirrorEntry.folded).where(
        MirrorEntry.company_id == company_id, MirrorEntry.kind == "customer", MirrorEntry.active.is_(True)
    )))
    matched = sum(1 for name in parties if name in known)
    similar = db.execute(select(func.count(func.distinct(Document.party_id))).where(
        Document.company_id == company_id, Document.reason_code == "customer_similar"
    )).scalar_one()
    return {
        "outcomes": outcomes,
        "customers": {"matched": matched, "similar": similar, "new": max(0, len(parties) - matched - similar)},
    }


# ---- who is told --------------------------------------------------------------------------------------------


def queue_report(db: Session, run: Run, now: datetime) -> list[str]:
    """One outbox row per recipient; the unique key makes a second one impossible (I17). Returns the addresses."""
    told = recipients(db, run)
    for address in told:
        kind = "report" if is_known(db, run.company_id, address) else "notice"
        queue_mail(db, run.company_id, kind, f"run:{run.id}:{address.casefold()}", address, now, run_id=run.id)
    return told


def own_run(run: Run) -> bool:
    """A person asked for it, or joined it while it was on: its report is not collected."""
    return run.trigger == "button" or bool(run.recipients)


def _tell(db: Session, run: Run, now: datetime) -> None:
    """The report at once or with the next collected one; new problems at once to those who did not get it."""
    rhythm = settings.load_invoices(db, run.company_id).scheduled_mails
    told: list[str] = []
    if own_run(run) or rhythm is Rhythm.EACH:
        told = queue_report(db, run, now)
    elif rhythm is not Rhythm.PROBLEMS:
        alerts.queue_digest(db, run, now)
    alerts.queue_problems(db, run, now, told)


# ---- the figures --------------------------------------------------------------------------------------------


def items(db: Session, run_id: int) -> Sequence[RunItem]:
    """The run's rows: what needs a person first, then by number found."""
    order = {Status.FAULT: 0, Status.PROCESSING: 1, Status.PENDING: 2, Status.COMPLETE: 3, Status.SKIPPED: 4}
    rows = db.scalars(select(RunItem).where(RunItem.run_id == run_id).order_by(RunItem.id)).all()
    return sorted(rows, key=lambda row: (order.get(Status(row.status), 9), row.id))


def to_release(rows: Sequence[RunItem]) -> int:
    """How many of a run's documents stand ready and wait for a person's release (Review first)."""
    codes = ("waits_for_release", "changed_since_preview")
    return sum(1 for row in rows if row.status == Status.PENDING and row.reasons and row.reasons[0]["code"] in codes)


def first_reason(row: RunItem | Document) -> Reason | None:
    return Reason.from_json(row.reasons[0]) if row.reasons else None


def kind_word(row: RunItem, ledger: str) -> str:
    if row.kind == ORDER:
        return "bill" if row.ledger_kind == Kind.BILL else "purchase order"
    credit = row.ledger_kind == "credit_memo" or (row.ledger_kind is None and row.amount < 0)
    return words_named(ledger).credit_memo if credit else "invoice"


def csv_rows(rows: Sequence[RunItem], run_id: int | None, ledger: str) -> Iterator[list[str]]:
    """Header and one row per document. Text is safe for spreadsheets (S29); amounts are plain numbers."""
    yield list(CSV_COLUMNS)
    for row in rows:
        why = first_reason(row)
        yield [
            row.status, safe(why.sentence(ledger)) if why else "", why.code if why else "", row.source_id,
            safe(row.number or ""), kind_word(row, ledger), safe(row.party_name), row.document_date.isoformat(),
            f"{row.amount.quantize(Decimal('0.01'))}", row.currency, row.ledger_id or "",
            safe(row.ledger_number or ""), str(run_id or row.run_id),
            f"{row.rounded.quantize(smallest_unit(row.currency))}" if row.rounded else "", str(row.default_lines or ""),
            _ledger_total(row), ", ".join(row.flags or []), safe(taxsums.words(row)),
            row.ledger_date.isoformat() if row.ledger_date else "",
        ]


def _ledger_total(row: RunItem) -> str:
    """What the ledger says it holds, with the sign of the amount beside it."""
    if row.ledger_total is None:
        return ""
    signed = -row.ledger_total if row.amount < 0 else row.ledger_total
    return f"{signed.quantize(smallest_unit(row.currency))}"


def safe(text: str) -> str:
    """Text that a spreadsheet might run as a formula gets a leading quote."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\0") else text


def csv_text(rows: Sequence[RunItem], run_id: int | None, ledger: str) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(csv_rows(rows, run_id, ledger))
    return out.getvalue()


