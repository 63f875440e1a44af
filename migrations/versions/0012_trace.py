"""Diagnostic Mode: which documents are traced, and what is kept of them.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_TRACED = sa.text("traced_since IS NOT NULL")


def upgrade() -> None:
    op.add_column("documents", sa.Column("traced_since", _INSTANT))
    op.create_index("ix_documents_traced", "documents", ["company_id"], sqlite_where=_TRACED, postgresql_where=_TRACED)
    op.create_table(
        "trace_entries",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("what", sa.String(10), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
    )
    op.create_index("ix_trace_entries_document", "trace_entries", ["document_id", "id"])
    op.create_index("ix_trace_entries_company_id", "trace_entries", ["company_id"])
    op.create_index("ix_trace_entries_at", "trace_entries", ["at"])


def downgrade() -> None:
    op.drop_table("trace_entries")
    op.drop_index("ix_documents_traced", table_name="documents")
    op.drop_column("documents", "traced_since")
