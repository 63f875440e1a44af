"""The exactly-once record: postings, batches, attempts, item claims, the company's lease."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.types import Instant, Json

# Two parties may rightly share one ledger customer; two source documents never one ledger document.
_DOCUMENTS = (
    "ledger_id IS NOT NULL AND ledger_kind IN ('invoice', 'credit_memo', 'bill', 'purchase_order') "
    "AND operation = 'create'"
)


class Posting(Base):
    """One intended ledger write. Its identity row is unique; its payload, once frozen, never changes."""

    __tablename__ = "postings"
    __table_args__ = (
        UniqueConstraint(
            "company_id", "ledger_tenant", "source_tenant", "kind", "source_id", "operation", "part", "generation",
            name="uq_postings_identity",
        ),
        UniqueConstraint("company_id", "batch_key", "short_id"),
        Index("ix_postings_due", "company_id", "state", "next_action_at"),
        Index(
            "uq_postings_ledger_id", "company_id", "ledger_kind", "ledger_id", "operation", unique=True,
            sqlite_where=text(_DOCUMENTS), postgresql_where=text(_DOCUMENTS),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"), index=True)
    ledger_tenant: Mapped[str] = mapped_column(String(64))
    source_tenant: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(20))
    """The source's record type: invoice, customer, item …"""
    source_id: Mapped[str] = mapped_column(String(200))
    operation: Mapped[str] = mapped_column(String(20), default="create")
    """create · void · update (sync.operations)"""
    part: Mapped[str] = mapped_column(String(100), default="")
    generation: Mapped[int] = mapped_column(Integer, default=1)
    ledger_kind: Mapped[str] = mapped_column(String(20))
    """What it becomes in the ledger: invoice, credit_memo, bill, purchase_order, customer, vendor, item."""
    state: Mapped[str] = mapped_column(String(20))
    draft: Mapped[Any] = mapped_column(Json)
    target_id: Mapped[str | None] = mapped_column(String(64))
    """The ledger record that this write changes; None for a creation."""
    base_version: Mapped[str | None] = mapped_column(String(40))
    """The version of that record when it was read before the write; None until then, and nothing is sent until then."""
    terms: Mapped[Any] = mapped_column(Json, default=dict)
    """What was agreed to: {by, applied, version …}. The record must still be so when it is read."""
    plan_digest: Mapped[str] = mapped_column(String(64), default="")
    """Of the draft as planned, so that an unchanged plan is not sent again after a refusal."""
    marker: Mapped[str] = mapped_column(String(20), default="")
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    payload_sha256: Mapped[str | None] = mapped_column(String(64))
    batch_key: Mapped[str | None] = mapped_column(String(36))
    short_id: Mapped[str | None] = mapped_column(String(10))
    sends: Mapped[int] = mapped_column(Integer, default=0)
    lookups: Mapped[int] = mapped_column(Integer, default=0)
    first_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    last_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    next_action_at: Mapped[datetime | None] = mapped_column(Instant)
    interactive: Mapped[int] = mapped_column(Integer, default=0)
    renew: Mapped[bool] = mapped_column(Boolean, default=False)
    """Once proven absent it ends as REJECTED, so that the next generation may go under a new key."""
    ledger_id: Mapped[str | None] = mapped_column(String(64))
    ledger_number: Mapped[str | None] = mapped_column(String(64))
    confirmed_by: Mapped[str | None] = mapped_column(String(20))
    """response · lookup · person"""
    reasons: Mapped[Any] = mapped_column(Json, default=list)
    marked_at: Mapped[datetime | None] = mapped_column(Instant)
    """The value written to the source's sync mark: absolute, so writing it again is safe."""
    written_back_at: Mapped[datetime | None] = mapped_column(Instant)
    write_back_tries: Mapped[int] = mapped_column(Integer, default=0)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class PostingNeed(Base):
    """A document's posting waits for the creation of a customer or item: the barrier."""

    __tablename__ = "posting_needs"
    posting_id: Mapped[int] = mapped_column(ForeignKey("postings.id"), primary_key=True)
    need_id: Mapped[int] = mapped_column(ForeignKey("postings.id"), primary_key=True, index=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)


class BatchRow(Base):
    """One bulk call: its random key, exact body and members, committed before the first byte is sent."""

    __tablename__ = "batches"
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    key: Mapped[str] = mapped_column(String(36), index=True)
    """Idempotency key. A re-send of any subset has a row of its own under the same key."""
    ledger_tenant: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    body_sha256: Mapped[str] = mapped_column(String(64))
    members: Mapped[Any] = mapped_column(Json)
    """[[posting id, short id]]"""
    created_at: Mapped[datetime] = mapped_column(Instant)


class Attempt(Base):
    """One send of a batch. Completed once, by its answer; never changed afterwards."""

    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"), index=True)
    fence: Mapped[int] = mapped_column(BigInteger)
    worker: Mapped[str] = mapped_column(String(100))
    started_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    http_status: Mapped[int | None] = mapped_column(Integer)
    request_id: Mapped[str | None] = mapped_column(String(100))
    outcome: Mapped[str | None] = mapped_column(Text)
    seen: Mapped[Any] = mapped_column(Json, nullable=True)
    """{posting id: {outcome, ledger id}}: ids seen are stored even when the fence was lost."""


class ItemClaim(Base):
    """A source billing item is in at most one live ledger document (I21)."""

    __tablename__ = "item_claims"
    __table_args__ = (UniqueConstraint("company_id", "source_tenant", "item_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    source_tenant: Mapped[str] = mapped_column(String(64))
    item_id: Mapped[str] = mapped_column(String(64))
    posting_id: Mapped[int] = mapped_column(ForeignKey("postings.id"), index=True)


class CompanyLease(Base):
    """At most one process serves a company. The fence only grows; state changes carry it.

    `wake_at` is when the company next has work (None: never); `rung_at` when its bell was last rung.
    """

    __tablename__ = "company_leases"
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    holder: Mapped[str | None] = mapped_column(String(100))
    step: Mapped[str] = mapped_column(String(300), default="")
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    heartbeat_at: Mapped[datetime | None] = mapped_column(Instant)
    wake_at: Mapped[datetime | None] = mapped_column(Instant, index=True)
    rung_at: Mapped[datetime | None] = mapped_column(Instant)
