"""What was read: mirror of ledger lists, links, the source's small lists, documents with their snapshots."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.types import Instant, Json, Money


class MirrorEntry(Base):
    """One record of a ledger list. `folded` decides sameness, `loose` similarity (domain.matching)."""

    __tablename__ = "mirror_entries"
    __table_args__ = (
        UniqueConstraint("company_id", "kind", "ledger_id"),
        Index("ix_mirror_folded", "company_id", "kind", "folded"),
        Index("ix_mirror_loose", "company_id", "kind", "loose"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    kind: Mapped[str] = mapped_column(String(20))
    ledger_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(500))
    folded: Mapped[str] = mapped_column(String(500))
    loose: Mapped[str] = mapped_column(String(500))
    version: Mapped[str] = mapped_column(String(40))
    active: Mapped[bool] = mapped_column(Boolean)
    details: Mapped[Any] = mapped_column(Json, default=dict)
    read_at: Mapped[datetime] = mapped_column(Instant)


class MirrorState(Base):
    """How far a company's lists were read, and the progress the page shows while they are."""

    __tablename__ = "mirror_states"
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True)
    watermark: Mapped[datetime | None] = mapped_column(Instant)
    whole_at: Mapped[datetime | None] = mapped_column(Instant)
    profile_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the ledger's company and preferences were read."""
    catalog: Mapped[Any] = mapped_column(Json, nullable=True)
    """The source's Catalog (billing codes, terms, taxes)."""
    catalog_at: Mapped[datetime | None] = mapped_column(Instant)
    todo_lists: Mapped[Any] = mapped_column(Json, nullable=True)
    """The source's people and action types (domain.todos.TodoLists)."""
    todo_lists_at: Mapped[datetime | None] = mapped_column(Instant)
    voids_looked_at: Mapped[datetime | None] = mapped_column(Instant)
    orders_looked_at: Mapped[datetime | None] = mapped_column(Instant)
    """When posted orders were looked at for cancellations and further receivings."""
    progress: Mapped[Any] = mapped_column(Json, default=dict)
    unknown_in_ledger: Mapped[Any] = mapped_column(Json, nullable=True)
    """Of the last reconciliation: marker → when the ledger made a document that bears it and that we do not know."""
    currencies: Mapped[str] = mapped_column(String(20), default="", server_default="")
    """Both sides' currencies as remembered or confirmed (`domain.currencies.Pairing.text`)."""


class Link(Base):
    """Source record ↔ ledger record, made once. `how` says by whom and why (`AccsID` to our users)."""

    __tablename__ = "links"
    __table_args__ = (UniqueConstraint("company_id", "kind", "source_key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    source_key: Mapped[str] = mapped_column(String(200))
    source_name: Mapped[str] = mapped_column(String(500), default="")
    ledger_id: Mapped[str] = mapped_column(String(64))
    how: Mapped[str] = mapped_column(String(40))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(Instant)


class PartyEntry(Base):
    """A source party as last read (name, address, e-mail, currency), refreshed with the documents that need it."""

    __tablename__ = "parties"
    __table_args__ = (
        UniqueConstraint("company_id", "source_id"),
        Index("ix_parties_folded", "company_id", "folded"),
        Index("ix_parties_loose", "company_id", "loose"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    source_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(500))
    folded: Mapped[str] = mapped_column(String(500))
    loose: Mapped[str] = mapped_column(String(500))
    data: Mapped[Any] = mapped_column(Json)
    read_at: Mapped[datetime] = mapped_column(Instant)


class Document(Base):
    """A source document as we know it. Once seen it stays until Complete or Skipped Over."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("company_id", "source_tenant", "kind", "source_id", "part", name="uq_documents_part"),
        Index("ix_documents_status", "company_id", "status", "document_date"),
        Index("ix_documents_number", "company_id", "number"),
        Index("ix_documents_due", "company_id", "due_at"),
        Index(
            "ix_documents_traced", "company_id", sqlite_where=text("traced_since IS NOT NULL"),
            postgresql_where=text("traced_since IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    source_tenant: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(20))
    source_id: Mapped[str] = mapped_column(String(64))
    part: Mapped[str] = mapped_column(String(100), default="", server_default="")
    """Which of several ledger documents of one order (a bill on receipt: its vendor invoice number); else blank."""
    number: Mapped[str | None] = mapped_column(String(100))
    party_id: Mapped[str | None] = mapped_column(String(64))
    party_name: Mapped[str] = mapped_column(String(500), default="")
    document_date: Mapped[date] = mapped_column(Date)
    source_created_at: Mapped[datetime] = mapped_column(Instant)
    total: Mapped[Decimal] = mapped_column(Money)
    tax_total: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(20))
    reasons: Mapped[Any] = mapped_column(Json, default=list)
    """Reasons as [{code, params}] (domain.reasons); the first is the StatusCode."""
    reason_code: Mapped[str | None] = mapped_column(String(60), index=True)
    flags: Mapped[Any] = mapped_column(Json, default=list)
    header: Mapped[Any] = mapped_column(Json)
    header_hash: Mapped[str] = mapped_column(String(64))
    lines: Mapped[str | None] = mapped_column(Text)
    """Source lines as JSON; None until read."""
    lines_read_at: Mapped[datetime | None] = mapped_column(Instant)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    """Hash of everything the last plan used: snapshot, settings version, mirror entries."""
    reviewed: Mapped[Any] = mapped_column(Json, nullable=True)
    """{digest, face}: the plan that stands ready or that a person looked at; a release posts exactly this one."""
    traced_since: Mapped[datetime | None] = mapped_column(Instant)
    """Diagnostic Mode: when it was switched on (`sync.tracing`); None: nothing of the document is traced."""
    seen_at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime] = mapped_column(Instant)
    unfinished_since: Mapped[datetime | None] = mapped_column(Instant)
    reread_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the unfinished-invoice guard wants the lines read again."""
    before_start: Mapped[bool] = mapped_column(Boolean, default=False)
    """Dated before the start date: counted and listed, never posted by itself."""
    included_at: Mapped[datetime | None] = mapped_column(Instant)
    """A person included it although it is dated before the start date."""
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"), index=True)
    """The run this document is released to; None when nothing asked for it."""
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the serving process shall take it (None: not released)."""
    interactive: Mapped[bool] = mapped_column(Boolean, default=False)
    prepared: Mapped[bool] = mapped_column(Boolean, default=False)
    """Its creations (customer, items) are reserved."""
    posting_id: Mapped[int | None] = mapped_column(Integer, index=True)
    ledger_kind: Mapped[str | None] = mapped_column(String(20))
    ledger_id: Mapped[str | None] = mapped_column(String(64))
    ledger_number: Mapped[str | None] = mapped_column(String(64))
    ledger_total: Mapped[Decimal | None] = mapped_column(Money)
    """The total the ledger's answer named, as positive as the draft's."""
    rounded: Mapped[Decimal | None] = mapped_column(Money)
    """The rounding line as it is booked, negative in a credit memo; None without one."""
    default_lines: Mapped[int | None] = mapped_column(Integer)
    ledger_date: Mapped[date | None] = mapped_column(Date)
    """The date in the ledger where it is not the document's own (a closed period)."""
    ledger_open: Mapped[Decimal | None] = mapped_column(Money)
    """What of the ledger document was open when it was written; of a credit, what can be applied."""
    """How many lines went to the default account because nothing else was chosen for them."""
    ledger_tax: Mapped[Decimal | None] = mapped_column(Money)
    tax_sums: Mapped[Any] = mapped_column(Json, nullable=True)
    """Net and tax by region and code, from the source and from the ledger's answer (domain.taxsums)."""
    accepted: Mapped[Any] = mapped_column(Json, nullable=True)
    """A differing total that a person accepted: {by, at, why}."""
    voided_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the source voided it after it was posted, or when that was noticed; None: it was not."""
    reissue_of: Mapped[int | None] = mapped_column(Integer, index=True)
    """The voided document (its id here) whose lines this one bills again, as far as that is known."""
    reissue_allowed: Mapped[Any] = mapped_column(Json, nullable=True)
    """A person said to post it although that one stands in the ledger: {by, at, why, of}."""
    alike: Mapped[Any] = mapped_column(Json, nullable=True)
    """Bills that somebody else made and that may be this one: {looked_at, asked: [vendor, number, total, date],
    found: [{id, number, date, text}]}, and a person's answer {post_anyway: {by, at, why}} (`sync.alike`)."""
    on_record: Mapped[Any] = mapped_column(Json, nullable=True)
    """Of a purchase: what its ledger document takes of the order: {lines: source line ids in the draft's order,
    quantities, freight, ids: those lines' ids in the ledger}."""
    completed_at: Mapped[datetime | None] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class Hold(Base):
    """A person keeps a document, or everything of a customer, from being posted until somebody releases it."""

    __tablename__ = "holds"
    __table_args__ = (
        Index(
            "uq_holds_live", "company_id", "kind", "key", unique=True,
            sqlite_where=text("released_at IS NULL"), postgresql_where=text("released_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    """document · party"""
    key: Mapped[str] = mapped_column(String(64))
    """The document's row id, or the source's id of the party."""
    name: Mapped[str] = mapped_column(String(500))
    why: Mapped[str] = mapped_column(String(300))
    placed_by: Mapped[str] = mapped_column(String(200))
    placed_at: Mapped[datetime] = mapped_column(Instant)
    released_by: Mapped[str | None] = mapped_column(String(200))
    released_at: Mapped[datetime | None] = mapped_column(Instant)
