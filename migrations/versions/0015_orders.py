"""Purchase orders: several ledger documents of one source document, and runs of another area than invoices.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_OPEN = sa.text("finished_at IS NULL")
_OLD = "ledger_id IS NOT NULL AND ledger_kind IN ('invoice', 'credit_memo') AND operation = 'create'"
_NEW = (
    "ledger_id IS NOT NULL AND ledger_kind IN ('invoice', 'credit_memo', 'bill', 'purchase_order') "
    "AND operation = 'create'"
)
_BEFORE = ["company_id", "source_tenant", "kind", "source_id"]
_NAMING = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}


def upgrade() -> None:
    op.add_column("runs", sa.Column("area", sa.String(20), nullable=False, server_default="invoices"))
    op.drop_index("uq_runs_open", table_name="runs")
    op.create_index("uq_runs_open", "runs", ["company_id", "kind", "area"], unique=True, sqlite_where=_OPEN,
                    postgresql_where=_OPEN)
    op.add_column("documents", sa.Column("part", sa.String(100), nullable=False, server_default=""))
    op.add_column("documents", sa.Column("alike", sa.Text()))
    op.add_column("documents", sa.Column("on_record", sa.Text()))
    op.add_column("mirror_states", sa.Column("orders_looked_at", sa.DateTime(timezone=True)))
    with op.batch_alter_table("documents", naming_convention=_NAMING) as batch:
        batch.drop_constraint(_former_name(), type_="unique")
        batch.create_unique_constraint("uq_documents_part", [*_BEFORE, "part"])
    _ledger_ids(_NEW)


def downgrade() -> None:
    _ledger_ids(_OLD)
    with op.batch_alter_table("documents") as batch:
        batch.drop_constraint("uq_documents_part", type_="unique")
        batch.create_unique_constraint("uq_documents_company_id_source_tenant_kind_source_id", _BEFORE)
    for column in ("on_record", "alike", "part"):
        op.drop_column("documents", column)
    op.drop_column("mirror_states", "orders_looked_at")
    op.drop_index("uq_runs_open", table_name="runs")
    op.create_index("uq_runs_open", "runs", ["company_id", "kind"], unique=True, sqlite_where=_OPEN,
                    postgresql_where=_OPEN)
    op.drop_column("runs", "area")


def _former_name() -> str:
    """The constraint had no name of ours: PostgreSQL gave it one, SQLite has none (the naming convention names it)."""
    found = sa.inspect(op.get_bind()).get_unique_constraints("documents")
    named = next((each["name"] for each in found if each["column_names"] == _BEFORE), None)
    return named or "uq_documents_company_id_source_tenant_kind_source_id"


def _ledger_ids(which: str) -> None:
    """Two source documents never have one ledger document: purchases count too."""
    op.drop_index("uq_postings_ledger_id", table_name="postings")
    op.create_index(
        "uq_postings_ledger_id", "postings", ["company_id", "ledger_kind", "ledger_id", "operation"], unique=True,
        sqlite_where=sa.text(which), postgresql_where=sa.text(which),
    )
