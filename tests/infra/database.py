"""Databases for the tests: migrated ones, of which tests get copies, and one that they find empty one after the other.

A copy is a file or a database of its own: processes may open it and die with it. The other one keeps its engine as
long as the test process lives, because what SQLAlchemy compiled for one test then serves all that follow.
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session, sessionmaker

from models import Base, make_engine, make_sessions
from tests.infra import postgres

Sessions = sessionmaker[Session]


def migrate(url: str) -> None:
    """Bring the database at url to the newest schema, exactly as the release step of production does."""
    from models.migrate import upgrade

    upgrade(url)


def migrated_sqlite(folder: Path) -> Path:
    """Make a migrated SQLite file in folder and return its path."""
    path = folder / "template.sqlite"
    migrate(f"sqlite:///{path}")
    return path


def copy_sqlite(template: Path, target: Path) -> str:
    """Copy a database nobody has open, with what its write-ahead log still holds; return the copy's URL."""
    for suffix in ("", "-wal"):
        source = template.with_name(template.name + suffix)
        if source.exists():
            shutil.copyfile(source, target.with_name(target.name + suffix))
    return f"sqlite:///{target}"


def migrated_postgres(server_url: str) -> str:
    """Make a migrated PostgreSQL database on the server and return its name, to be used as a template."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    migrate(postgres.create(server_url, name))
    return name


def with_tables(url: str) -> Engine:
    """Make every table in the empty database at url."""
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    return engine


def emptied(engine: Engine) -> Sessions:
    """Take out whatever earlier tests left in the tables; numbering begins at 1 again."""
    with engine.begin() as db:
        for table in reversed(Base.metadata.sorted_tables):
            db.execute(table.delete())
        if engine.dialect.name == "postgresql":
            _begin_numbering_again(db)
    return make_sessions(engine)


def _begin_numbering_again(db: Connection) -> None:
    """SQLite does it by itself in a table without rows."""
    db.execute(text("SELECT setval(format('%I.%I', schemaname, sequencename), 1, false) FROM pg_sequences"))
