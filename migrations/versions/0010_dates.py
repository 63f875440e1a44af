"""The date in the ledger where a closed period moved it, what of a document is open, and the age of the preferences.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("ledger_date", sa.Date()))
    op.add_column("documents", sa.Column("ledger_open", sa.BigInteger()))
    op.add_column("run_items", sa.Column("ledger_date", sa.Date()))
    op.add_column("mirror_states", sa.Column("profile_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    for table, column in (
        ("mirror_states", "profile_at"), ("run_items", "ledger_date"),
        ("documents", "ledger_open"), ("documents", "ledger_date"),
    ):  # fmt: skip
        op.drop_column(table, column)
