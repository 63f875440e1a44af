"""The lines of a tool's result.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tool_rows",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("posting_id", sa.Integer(), sa.ForeignKey("postings.id")),
        sa.Column("data", sa.Text(), nullable=False),
    )
    op.create_index("ix_tool_rows_outcome", "tool_rows", ["run_id", "outcome"])
    op.create_index("ix_tool_rows_company_id", "tool_rows", ["company_id"])
    op.create_index("ix_tool_rows_posting_id", "tool_rows", ["posting_id"])


def downgrade() -> None:
    op.drop_table("tool_rows")
