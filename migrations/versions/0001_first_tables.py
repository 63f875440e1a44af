"""The first tables, and triggers that keep the audit trail from being changed or cut.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.first_tables import company, documents, postings, runs

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The same names on both databases, so that later migrations can speak of them.
_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
_SQLITE = (
    "CREATE TRIGGER audit_keep_{word} BEFORE {word} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'audit rows are never changed or deleted'); END"
)
_POSTGRESQL = (
    "CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit rows are never changed or deleted'; END $$",
    "CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_keep()",
)


def tables() -> sa.MetaData:
    metadata = sa.MetaData(naming_convention=_NAMING)
    for area in (company, runs, documents, postings):
        for define in area.TABLES:
            define(metadata)
    return metadata


def upgrade() -> None:
    bind = op.get_bind()
    tables().create_all(bind)
    if bind.dialect.name == "sqlite":
        for word in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(word=word))
    else:
        for statement in _POSTGRESQL:
            op.execute(statement)


def downgrade() -> None:
    bind = op.get_bind()
    tables().drop_all(bind)
    if bind.dialect.name != "sqlite":
        op.execute("DROP FUNCTION IF EXISTS audit_keep()")
