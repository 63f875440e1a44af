"""The word ERROR in the source, for documents that could not be posted.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "error_marks",
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("documents.id"), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("source_tenant", sa.String(64), nullable=False),
        sa.Column("area", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source_id", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("last_sent_at", _INSTANT),
        sa.Column("marked_at", _INSTANT),
        sa.Column("next_action_at", _INSTANT),
        sa.Column("fence", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_error_marks_due", "error_marks", ["company_id", "next_action_at"])
    op.create_table(
        "error_mark_states",
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), primary_key=True),
        sa.Column("area", sa.String(20), primary_key=True),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("dirty_at", _INSTANT),
        sa.Column("checked_at", _INSTANT),
    )


def downgrade() -> None:
    op.drop_table("error_mark_states")
    op.drop_table("error_marks")
