"""Tables of the first migration: mirror, links, parties, documents. Frozen."""

from __future__ import annotations

import sqlalchemy as sa


def links(metadata: sa.MetaData) -> None:
    sa.Table(
        "links", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source_key", sa.String(200), nullable=False),
        sa.Column("source_name", sa.String(500), nullable=False),
        sa.Column("ledger_id", sa.String(64), nullable=False),
        sa.Column("how", sa.String(40), nullable=False),
        sa.Column("made_by", sa.Integer(), sa.ForeignKey("users.id")),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("company_id", "kind", "source_key"),
        sa.Index("ix_links_company_id", "company_id"),
    )


def mirror_entries(metadata: sa.MetaData) -> None:
    sa.Table(
        "mirror_entries", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("ledger_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("folded", sa.String(500), nullable=False),
        sa.Column("loose", sa.String(500), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("company_id", "kind", "ledger_id"),
        sa.Index("ix_mirror_folded", "company_id", "kind", "folded"),
        sa.Index("ix_mirror_loose", "company_id", "kind", "loose"),
    )


def mirror_states(metadata: sa.MetaData) -> None:
    sa.Table(
        "mirror_states", metadata,
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), primary_key=True),
        sa.Column("watermark", sa.DateTime(timezone=True)),
        sa.Column("whole_at", sa.DateTime(timezone=True)),
        sa.Column("catalog", sa.Text()),
        sa.Column("catalog_at", sa.DateTime(timezone=True)),
        sa.Column("progress", sa.Text(), nullable=False),
    )


def parties(metadata: sa.MetaData) -> None:
    sa.Table(
        "parties", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("source_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("folded", sa.String(500), nullable=False),
        sa.Column("loose", sa.String(500), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("company_id", "source_id"),
        sa.Index("ix_parties_company_id", "company_id"),
        sa.Index("ix_parties_folded", "company_id", "folded"),
        sa.Index("ix_parties_loose", "company_id", "loose"),
    )


def documents(metadata: sa.MetaData) -> None:
    sa.Table(
        "documents", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("source_tenant", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source_id", sa.String(64), nullable=False),
        sa.Column("number", sa.String(100)),
        sa.Column("party_id", sa.String(64)),
        sa.Column("party_name", sa.String(500), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("source_created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("tax_total", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.String(60)),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("header", sa.Text(), nullable=False),
        sa.Column("header_hash", sa.String(64), nullable=False),
        sa.Column("lines", sa.Text()),
        sa.Column("lines_read_at", sa.DateTime(timezone=True)),
        sa.Column("fingerprint", sa.String(64)),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unfinished_since", sa.DateTime(timezone=True)),
        sa.Column("reread_at", sa.DateTime(timezone=True)),
        sa.Column("before_start", sa.Boolean(), nullable=False),
        sa.Column("included_at", sa.DateTime(timezone=True)),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("runs.id")),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("interactive", sa.Boolean(), nullable=False),
        sa.Column("prepared", sa.Boolean(), nullable=False),
        sa.Column("posting_id", sa.Integer()),
        sa.Column("ledger_kind", sa.String(20)),
        sa.Column("ledger_id", sa.String(64)),
        sa.Column("ledger_number", sa.String(64)),
        sa.Column("ledger_total", sa.BigInteger()),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("company_id", "source_tenant", "kind", "source_id"),
        sa.Index("ix_documents_company_id", "company_id"),
        sa.Index("ix_documents_due", "company_id", "due_at"),
        sa.Index("ix_documents_number", "company_id", "number"),
        sa.Index("ix_documents_posting_id", "posting_id"),
        sa.Index("ix_documents_reason_code", "reason_code"),
        sa.Index("ix_documents_run_id", "run_id"),
        sa.Index("ix_documents_status", "company_id", "status", "document_date"),
    )


TABLES = (links, mirror_entries, mirror_states, parties, documents)
