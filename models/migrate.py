"""Bring a database to the newest schema, and tell whether it is there. Alembic does the work.

The scripts are in `migrations/`; the same ones serve SQLite and PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"


def settings(url: str) -> AlembicConfig:
    """Alembic's configuration for a database. The address stays out of its ini syntax (passwords hold `%`)."""
    made = AlembicConfig()
    made.set_main_option("script_location", str(_SCRIPTS))
    made.attributes["url"] = url
    return made


def upgrade(url: str) -> None:
    """Carry out what is missing. Safe to repeat; one process at a time (the release step)."""
    command.upgrade(settings(url), "head")


def newest() -> str | None:
    """The revision this code needs."""
    return ScriptDirectory(str(_SCRIPTS)).get_current_head()


def current(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def is_current(connection: Connection) -> bool:
    return current(connection) == newest()


def is_newer(connection: Connection) -> bool:
    """The database belongs to a newer release than this code, which does not know its revision."""
    revision = current(connection)
    known = {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}
    return revision is not None and revision not in known
