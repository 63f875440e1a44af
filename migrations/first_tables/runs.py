"""Tables of the first migration: runs, their items, steps, outbox. Frozen."""

from __future__ import annotations

import sqlalchemy as sa


def runs(metadata: sa.MetaData) -> None:
    sa.Table(
        "runs", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("trigger", sa.String(10), nullable=False),
        sa.Column("requested_by", sa.Integer(), sa.ForeignKey("users.id")),
        sa.Column("requested_by_name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(30), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("step", sa.String(300), nullable=False),
        sa.Column("message", sa.Text()),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("settings_version", sa.Integer()),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Index("ix_runs_company", "company_id", "id"),
        sa.Index(
            "uq_runs_open", "company_id", "kind", unique=True,
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        ),
    )


def outbox(metadata: sa.MetaData) -> None:
    sa.Table(
        "outbox", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("dedupe", sa.String(400), nullable=False),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("runs.id")),
        sa.Column("recipient", sa.String(320), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("company_id", "dedupe"),
        sa.Index("ix_outbox_company_id", "company_id"),
        sa.Index("ix_outbox_due", "state", "next_at"),
    )


def run_items(metadata: sa.MetaData) -> None:
    sa.Table(
        "run_items", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("number", sa.String(100)),
        sa.Column("source_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("party_name", sa.String(500), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("ledger_kind", sa.String(20)),
        sa.Column("ledger_id", sa.String(64)),
        sa.Column("ledger_number", sa.String(64)),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("run_id", "document_id"),
        sa.Index("ix_run_items_company_id", "company_id"),
        sa.Index("ix_run_items_document_id", "document_id"),
        sa.Index("ix_run_items_status", "run_id", "status"),
    )


def steps(metadata: sa.MetaData) -> None:
    sa.Table(
        "steps", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("runs.id")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(30), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Index("ix_steps_company_id", "company_id"),
        sa.Index("ix_steps_document", "document_id", "id"),
    )


TABLES = (runs, outbox, run_items, steps)
