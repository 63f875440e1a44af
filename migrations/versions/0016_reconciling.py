"""Reconciling: when it is due, what the ledger holds without our knowing, and what tells a restored database.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("companies", sa.Column("reconcile_at", _INSTANT))
    op.create_index("ix_companies_reconcile_at", "companies", ["reconcile_at"])
    op.add_column("mirror_states", sa.Column("unknown_in_ledger", sa.Text()))
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("beaten_at", _INSTANT, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("installation")
    op.drop_column("mirror_states", "unknown_in_ledger")
    op.drop_index("ix_companies_reconcile_at", table_name="companies")
    op.drop_column("companies", "reconcile_at")
