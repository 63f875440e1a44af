"""Error to-dos, and pauses of posting.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "todos",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("source_tenant", sa.String(64), nullable=False),
        sa.Column("area", sa.String(20), nullable=False),
        sa.Column("cause", sa.String(200), nullable=False),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("marker", sa.String(40), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("written_digest", sa.String(64)),
        sa.Column("documents", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("todo_id", sa.String(64)),
        sa.Column("action_type", sa.String(64)),
        sa.Column("resource", sa.String(64)),
        sa.Column("resource_name", sa.String(200), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("last_sent_at", _INSTANT),
        sa.Column("next_action_at", _INSTANT),
        sa.Column("written_at", _INSTANT),
        sa.Column("cleared_at", _INSTANT),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("company_id", "marker", name="uq_todos_company_id_marker"),
    )
    op.create_index("uq_todos_open", "todos", ["company_id", "area", "cause"], unique=True,
                    sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("ix_todos_due", "todos", ["company_id", "next_action_at"])
    op.create_table(
        "todo_states",
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), primary_key=True),
        sa.Column("area", sa.String(20), primary_key=True),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("dirty_at", _INSTANT),
        sa.Column("checked_at", _INSTANT),
        sa.Column("problem", sa.Text()),
    )
    op.create_table(
        "pauses",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("ended_by", sa.String(200)),
    )
    op.create_index("uq_pauses_open", "pauses", ["company_id"], unique=True,
                    sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.add_column("mirror_states", sa.Column("todo_lists", sa.Text()))
    op.add_column("mirror_states", sa.Column("todo_lists_at", _INSTANT))


def downgrade() -> None:
    op.drop_column("mirror_states", "todo_lists_at")
    op.drop_column("mirror_states", "todo_lists")
    op.drop_table("pauses")
    op.drop_table("todo_states")
    op.drop_table("todos")
