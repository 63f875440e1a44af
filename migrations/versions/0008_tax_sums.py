"""What the ledger booked as tax, summed by region and code; differing totals that a person accepted.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("ledger_tax", sa.BigInteger()))
    op.add_column("documents", sa.Column("tax_sums", sa.Text()))
    op.add_column("documents", sa.Column("accepted", sa.Text()))
    op.add_column("run_items", sa.Column("ledger_total", sa.BigInteger()))
    op.add_column("run_items", sa.Column("tax_sums", sa.Text()))


def downgrade() -> None:
    for table, column in (
        ("run_items", "tax_sums"), ("run_items", "ledger_total"),
        ("documents", "accepted"), ("documents", "tax_sums"), ("documents", "ledger_tax"),
    ):  # fmt: skip
        op.drop_column(table, column)
