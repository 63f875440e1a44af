"""Addresses of mails with their choices, runs of collected mails, and what became of a sent mail.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_addresses",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("folded", sa.String(320), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True)),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.Column("muted", sa.Text(), nullable=False),
        sa.Column("bounced_at", sa.DateTime(timezone=True)),
        sa.Column("bounce", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("company_id", "folded"),
    )
    op.create_index("ix_mail_addresses_company_id", "mail_addresses", ["company_id"])
    op.create_table(
        "mail_runs",
        sa.Column("outbox_id", sa.Integer(), sa.ForeignKey("outbox.id"), primary_key=True),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
    )
    op.create_index("ix_mail_runs_run_id", "mail_runs", ["run_id"])
    op.create_index("ix_mail_runs_company_id", "mail_runs", ["company_id"])
    op.add_column("outbox", sa.Column("message_id", sa.String(200)))
    op.add_column("outbox", sa.Column("again", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("again_at", sa.DateTime(timezone=True)))
    op.create_index("ix_outbox_message_id", "outbox", ["message_id"])


def downgrade() -> None:
    op.drop_index("ix_outbox_message_id", "outbox")
    for column in ("again_at", "again", "message_id"):
        op.drop_column("outbox", column)
    op.drop_table("mail_runs")
    op.drop_table("mail_addresses")
