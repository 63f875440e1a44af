"""Both sides' currencies as remembered or confirmed.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mirror_states", sa.Column("currencies", sa.String(20), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("mirror_states", "currencies")
