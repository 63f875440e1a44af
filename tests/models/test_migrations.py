"""The migrations make exactly the tables the code speaks of, on both databases, and the audit trail holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models import Base, make_engine, make_sessions, migrate
from sync import audit

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_the_migrations_and_the_models_say_the_same(migrated_url: str) -> None:
    engine = make_engine(migrated_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, Base.metadata)
        assert migrate.is_current(connection)
    assert differences == []
    engine.dispose()


def test_an_empty_database_is_not_current(database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.connect() as connection:
        assert not migrate.is_current(connection)
    engine.dispose()


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'somebody else'", "DELETE FROM audit"])
def test_audit_rows_cannot_be_changed_or_deleted(migrated_url: str, statement: str) -> None:
    engine = make_engine(migrated_url)
    sessions = make_sessions(engine)
    with sessions() as db, db.begin():
        audit.record(db, None, NOW, "somebody", "signed in")
    with pytest.raises(DBAPIError, match="never changed or deleted"), sessions() as db, db.begin():
        db.execute(text(statement))
    with sessions() as db:
        assert audit.verify(db, None) is None
    engine.dispose()
