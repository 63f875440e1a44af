"""Who asked for what and when: runs, their items, the step log of documents, and the outbox of mails."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.types import Instant, Json, Money


class Run(Base):
    """One request for work. A company has at most one open run of a kind and area: a second press joins it."""

    __tablename__ = "runs"
    __table_args__ = (
        Index(
            "uq_runs_open", "company_id", "kind", "area", unique=True,
            sqlite_where=text("finished_at IS NULL"), postgresql_where=text("finished_at IS NULL"),
        ),
        Index("ix_runs_company", "company_id", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    kind: Mapped[str] = mapped_column(String(20))
    """sync · retry · first_scan · first_posting, and the tools' own: check · compare · copy_items · compare_lists ·
    manual_copy · preview · troubleshoot"""
    area: Mapped[str] = mapped_column(String(20), default="invoices", server_default="invoices")
    """What it reads and posts (`sync.areas`): invoices · orders"""
    trigger: Mapped[str] = mapped_column(String(10))
    """button · schedule"""
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    requested_by_name: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(30))
    phase: Mapped[str] = mapped_column(String(20), default="queued")
    """queued · reading · posting · finished"""
    step: Mapped[str] = mapped_column(String(300), default="")
    message: Mapped[str | None] = mapped_column(Text)
    recipients: Mapped[Any] = mapped_column(Json, default=list)
    confirmed: Mapped[bool] = mapped_column(Boolean, default=False)
    """A person confirmed count and total: the answer to the run limit."""
    stop_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    counts: Mapped[Any] = mapped_column(Json, default=dict)
    summary: Mapped[Any] = mapped_column(Json, default=dict)
    settings_version: Mapped[int | None] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(Instant)
    heartbeat_at: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class RunItem(Base):
    """One document's outcome in one run, as page, mail and CSV show it."""

    __tablename__ = "run_items"
    __table_args__ = (UniqueConstraint("run_id", "document_id"), Index("ix_run_items_status", "run_id", "status"))
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"), index=True)
    status: Mapped[str] = mapped_column(String(20))
    reasons: Mapped[Any] = mapped_column(Json, default=list)
    number: Mapped[str | None] = mapped_column(String(100))
    source_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(20))
    party_name: Mapped[str] = mapped_column(String(500))
    document_date: Mapped[date] = mapped_column(Date)
    amount: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str] = mapped_column(String(3))
    ledger_kind: Mapped[str | None] = mapped_column(String(20))
    ledger_id: Mapped[str | None] = mapped_column(String(64))
    ledger_number: Mapped[str | None] = mapped_column(String(64))
    ledger_total: Mapped[Decimal | None] = mapped_column(Money)
    tax_sums: Mapped[Any] = mapped_column(Json, nullable=True)
    flags: Mapped[Any] = mapped_column(Json, default=list)
    rounded: Mapped[Decimal | None] = mapped_column(Money)
    default_lines: Mapped[int | None] = mapped_column(Integer)
    ledger_date: Mapped[date | None] = mapped_column(Date)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class ToolRow(Base):
    """One line of a tool's result: an invoice that was checked, a billing code that was compared.

    Not a `RunItem`: what a tool looks at need not be a document of ours, and nothing is posted because of it.
    """

    __tablename__ = "tool_rows"
    __table_args__ = (Index("ix_tool_rows_outcome", "run_id", "outcome"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    outcome: Mapped[str] = mapped_column(String(20))
    posting_id: Mapped[int | None] = mapped_column(ForeignKey("postings.id"), index=True)
    """The creation that this line asked for; None while nothing is created for it."""
    data: Mapped[Any] = mapped_column(Json, default=dict)


class Step(Base):
    """The step log of one document: read, checked, sent, confirmed (how), written back."""

    __tablename__ = "steps"
    __table_args__ = (Index("ix_steps_document", "document_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    name: Mapped[str] = mapped_column(String(30))
    text: Mapped[str] = mapped_column(Text)
    detail: Mapped[Any] = mapped_column(Json, default=dict)
    who: Mapped[str] = mapped_column(String(200), default="")


class TraceEntry(Base):
    """One entry of a document's trace in Diagnostic Mode, masked before it was stored (`sync.tracing`)."""

    __tablename__ = "trace_entries"
    __table_args__ = (Index("ix_trace_entries_document", "document_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    what: Mapped[str] = mapped_column(String(10))
    """request · plan · state"""
    title: Mapped[str] = mapped_column(String(300))
    data: Mapped[Any] = mapped_column(Json, default=dict)
    size: Mapped[int] = mapped_column(Integer)
    """Characters of `data`; their sum per document is bounded."""


class Outbox(Base):
    """A mail to send, written in the transaction of the change that caused it. One per (subject, recipient)."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("company_id", "dedupe"), Index("ix_outbox_due", "state", "next_at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    """report · notice · tool · tool_notice · digest · problems · alert · invitation"""
    dedupe: Mapped[str] = mapped_column(String(400))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    recipient: Mapped[str] = mapped_column(String(320))
    data: Mapped[Any] = mapped_column(Json, default=dict)
    state: Mapped[str] = mapped_column(String(12), default="due")
    """due · sending · sent · refused · unsure · bounced · withheld"""
    tries: Mapped[int] = mapped_column(Integer, default=0)
    problem: Mapped[str | None] = mapped_column(Text)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    message_id: Mapped[str | None] = mapped_column(String(200), index=True)
    """Fixed before the first try, so that a mail that had to be sent twice is one mail to its reader."""
    again: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """How often a person pressed Send again, and when last."""
    again_at: Mapped[datetime | None] = mapped_column(Instant)
