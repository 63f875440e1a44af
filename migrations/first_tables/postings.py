"""Tables of the first migration: postings, batches, attempts, claims, leases. Frozen."""

from __future__ import annotations

import sqlalchemy as sa


def batches(metadata: sa.MetaData) -> None:
    sa.Table(
        "batches", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("ledger_tenant", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Index("ix_batches_company_id", "company_id"),
        sa.Index("ix_batches_key", "key"),
    )


def company_leases(metadata: sa.MetaData) -> None:
    sa.Table(
        "company_leases", metadata,
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), primary_key=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(100)),
        sa.Column("step", sa.String(300), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True)),
        sa.Column("wake_at", sa.DateTime(timezone=True)),
        sa.Column("rung_at", sa.DateTime(timezone=True)),
        sa.Index("ix_company_leases_wake_at", "wake_at"),
    )


def attempts(metadata: sa.MetaData) -> None:
    sa.Table(
        "attempts", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("batch_id", sa.Integer(), sa.ForeignKey("batches.id"), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.String(100), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("http_status", sa.Integer()),
        sa.Column("request_id", sa.String(100)),
        sa.Column("outcome", sa.Text()),
        sa.Column("seen", sa.Text()),
        sa.Index("ix_attempts_batch_id", "batch_id"),
        sa.Index("ix_attempts_company_id", "company_id"),
    )


def postings(metadata: sa.MetaData) -> None:
    sa.Table(
        "postings", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("documents.id")),
        sa.Column("ledger_tenant", sa.String(64), nullable=False),
        sa.Column("source_tenant", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source_id", sa.String(200), nullable=False),
        sa.Column("operation", sa.String(20), nullable=False),
        sa.Column("part", sa.String(100), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("ledger_kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("plan_digest", sa.String(64), nullable=False),
        sa.Column("marker", sa.String(20), nullable=False),
        sa.Column("payload", sa.LargeBinary()),
        sa.Column("payload_sha256", sa.String(64)),
        sa.Column("batch_key", sa.String(36)),
        sa.Column("short_id", sa.String(10)),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("lookups", sa.Integer(), nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True)),
        sa.Column("last_sent_at", sa.DateTime(timezone=True)),
        sa.Column("next_action_at", sa.DateTime(timezone=True)),
        sa.Column("interactive", sa.Integer(), nullable=False),
        sa.Column("renew", sa.Boolean(), nullable=False),
        sa.Column("ledger_id", sa.String(64)),
        sa.Column("ledger_number", sa.String(64)),
        sa.Column("confirmed_by", sa.String(20)),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True)),
        sa.Column("written_back_at", sa.DateTime(timezone=True)),
        sa.Column("write_back_tries", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("company_id", "batch_key", "short_id"),
        sa.UniqueConstraint(
            "company_id", "ledger_tenant", "source_tenant", "kind", "source_id", "operation", "part", "generation",
            name="uq_postings_identity",
        ),
        sa.Index("ix_postings_company_id", "company_id"),
        sa.Index("ix_postings_document_id", "document_id"),
        sa.Index("ix_postings_due", "company_id", "state", "next_action_at"),
        sa.Index(
            "uq_postings_ledger_id", "company_id", "ledger_kind", "ledger_id", "operation", unique=True,
            sqlite_where=sa.text("ledger_id IS NOT NULL AND ledger_kind IN ('invoice', 'credit_memo')"),
            postgresql_where=sa.text("ledger_id IS NOT NULL AND ledger_kind IN ('invoice', 'credit_memo')"),
        ),
    )


def item_claims(metadata: sa.MetaData) -> None:
    sa.Table(
        "item_claims", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("source_tenant", sa.String(64), nullable=False),
        sa.Column("item_id", sa.String(64), nullable=False),
        sa.Column("posting_id", sa.Integer(), sa.ForeignKey("postings.id"), nullable=False),
        sa.UniqueConstraint("company_id", "source_tenant", "item_id"),
        sa.Index("ix_item_claims_company_id", "company_id"),
        sa.Index("ix_item_claims_posting_id", "posting_id"),
    )


def posting_needs(metadata: sa.MetaData) -> None:
    sa.Table(
        "posting_needs", metadata,
        sa.Column("posting_id", sa.Integer(), sa.ForeignKey("postings.id"), primary_key=True),
        sa.Column("need_id", sa.Integer(), sa.ForeignKey("postings.id"), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Index("ix_posting_needs_company_id", "company_id"),
        sa.Index("ix_posting_needs_need_id", "need_id"),
    )


TABLES = (batches, company_leases, attempts, postings, item_claims, posting_needs)
