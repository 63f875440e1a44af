"""Postings that change a record which exists: what they change, the version they saw, what was agreed to.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COLUMNS = ["company_id", "ledger_kind", "ledger_id", "operation"]
_DOCUMENTS = "ledger_id IS NOT NULL AND ledger_kind IN ('invoice', 'credit_memo')"


def upgrade() -> None:
    op.add_column("postings", sa.Column("target_id", sa.String(64)))
    op.add_column("postings", sa.Column("base_version", sa.String(40)))
    op.add_column("postings", sa.Column("terms", sa.Text(), nullable=False, server_default="{}"))
    _unique(f"{_DOCUMENTS} AND operation = 'create'")


def downgrade() -> None:
    _unique(_DOCUMENTS)
    for name in ("terms", "base_version", "target_id"):
        op.drop_column("postings", name)


def _unique(where: str) -> None:
    """A record is created by one posting; it may be changed by many."""
    op.drop_index("uq_postings_ledger_id", "postings")
    op.create_index(
        "uq_postings_ledger_id", "postings", _COLUMNS, unique=True, sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
