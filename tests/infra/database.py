"""Migrated databases for the tests: the migrations run once for each test process, tests get copies."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from tests.infra import postgres


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
