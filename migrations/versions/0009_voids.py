"""Documents voided after they were posted, what bills their lines again, and when voids were looked for.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("voided_at", sa.DateTime(timezone=True)))
    op.add_column("documents", sa.Column("reissue_of", sa.Integer()))
    op.add_column("documents", sa.Column("reissue_allowed", sa.Text()))
    op.create_index("ix_documents_reissue_of", "documents", ["reissue_of"])
    op.add_column("mirror_states", sa.Column("voids_looked_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("mirror_states", "voids_looked_at")
    op.drop_index("ix_documents_reissue_of", "documents")
    for column in ("reissue_allowed", "reissue_of", "voided_at"):
        op.drop_column("documents", column)
