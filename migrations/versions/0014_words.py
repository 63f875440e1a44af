"""The flag for changes made in the ledger is kept without its name: pages say it in the company's words.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NAMED, _NEUTRAL = "Changed in QuickBooks", "Changed in {the_ledger}"


def upgrade() -> None:
    _replace(_NAMED, _NEUTRAL)


def downgrade() -> None:
    _replace(_NEUTRAL, _NAMED)


def _replace(old: str, new: str) -> None:
    for table in ("documents", "run_items"):
        op.execute(f"UPDATE {table} SET flags = REPLACE(flags, '{old}', '{new}') WHERE flags LIKE '%{old}%'")  # noqa: S608
