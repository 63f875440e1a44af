"""Rounding lines and uses of the default account, per document and per row of a run.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("documents", "run_items")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("rounded", sa.BigInteger()))
        op.add_column(table, sa.Column("default_lines", sa.Integer()))


def downgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("default_lines")
            batch.drop_column("rounded")
