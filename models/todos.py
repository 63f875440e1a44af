"""Error to-dos and `ERROR` marks in the source, pauses of posting: what a person outside, or another program, has to
be told or asked.

A to-do's row is committed before anything is sent; its marker is random and stands in the text, so that a to-do whose
answer was lost is found again. Rules are in `sync/todos.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.types import Instant, Json

_OPEN = "ended_at IS NULL"


class TodoRow(Base):
    """One to-do: one cause from its first document to its last. At most one is open per cause."""

    __tablename__ = "todos"
    __table_args__ = (
        UniqueConstraint("company_id", "marker"),
        Index(
            "uq_todos_open", "company_id", "area", "cause", unique=True,
            sqlite_where=text(_OPEN), postgresql_where=text(_OPEN),
        ),
        Index("ix_todos_due", "company_id", "next_action_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    source_tenant: Mapped[str] = mapped_column(String(64))
    area: Mapped[str] = mapped_column(String(20))
    """The product area whose settings say whom it is for: invoices."""
    cause: Mapped[str] = mapped_column(String(200))
    code: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(300))
    marker: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    """wanted · sending · checking · open, and ended: done · closed (by a person there) · withdrawn (never sent)"""
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    written_digest: Mapped[str | None] = mapped_column(String(64))
    """Of the text that the source has; another one than `digest`: it is written again."""
    documents: Mapped[Any] = mapped_column(Json, default=list)
    """Ids of the documents that wait for the cause (bounded)."""
    count: Mapped[int] = mapped_column(Integer, default=0)
    todo_id: Mapped[str | None] = mapped_column(String(64))
    action_type: Mapped[str | None] = mapped_column(String(64))
    resource: Mapped[str | None] = mapped_column(String(64))
    resource_name: Mapped[str] = mapped_column(String(200), default="")
    sends: Mapped[int] = mapped_column(Integer, default=0)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    """Refusals in a row."""
    problem: Mapped[str | None] = mapped_column(Text)
    last_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    next_action_at: Mapped[datetime | None] = mapped_column(Instant)
    written_at: Mapped[datetime | None] = mapped_column(Instant)
    cleared_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since when no document waits for the cause."""
    opened_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)


class FaultFollower(Base):
    """Per product area: is something that tells of Faults wanted, and did Faults change since it was last compared."""

    __abstract__ = True
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True)
    area: Mapped[str] = mapped_column(String(20), primary_key=True)
    wanted: Mapped[bool] = mapped_column(Boolean, default=False)
    dirty_at: Mapped[datetime | None] = mapped_column(Instant)
    checked_at: Mapped[datetime | None] = mapped_column(Instant)


class TodoState(FaultFollower):
    """Error to-dos, and why they can not be written."""

    __tablename__ = "todo_states"
    problem: Mapped[Any] = mapped_column(Json, nullable=True)
    """A reason as JSON: the person or action type is not available any more."""


class ErrorMark(Base):
    """A document that bears, or is to bear, the word `ERROR` where the source keeps the other system's number."""

    __tablename__ = "error_marks"
    __table_args__ = (Index("ix_error_marks_due", "company_id", "next_action_at"),)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    source_tenant: Mapped[str] = mapped_column(String(64))
    area: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(20))
    source_id: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    """wanted · marked · clearing · left (not written, `problem` says why)"""
    sends: Mapped[int] = mapped_column(Integer, default=0)
    """How often writing it was begun; the intent is committed before each."""
    tries: Mapped[int] = mapped_column(Integer, default=0)
    problem: Mapped[str | None] = mapped_column(Text)
    last_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    marked_at: Mapped[datetime | None] = mapped_column(Instant)
    next_action_at: Mapped[datetime | None] = mapped_column(Instant)
    """None while a call is under way, and while nothing is to be done."""
    fence: Mapped[int] = mapped_column(BigInteger, default=0)


class ErrorMarkState(FaultFollower):
    """`ERROR` marks."""

    __tablename__ = "error_mark_states"


class Pause(Base):
    """Posting of a company stands still until a person resumes it. At most one is open."""

    __tablename__ = "pauses"
    __table_args__ = (
        Index("uq_pauses_open", "company_id", unique=True, sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    code: Mapped[str] = mapped_column(String(60))
    detail: Mapped[Any] = mapped_column(Json, default=dict)
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[str | None] = mapped_column(String(200))
