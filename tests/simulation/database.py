"""The simulated database's trouble: SQLite behind a connection that breaks where a driver's does.

Only what mortal processes do in transactions of their own is struck. The error is raised by the driver, in a statement
or in the commit, so that the product gets what SQLAlchemy makes of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from tests.simulation.faults import Faults
from tests.simulation.kernel import Kernel, Process, Task


class Broken(sqlite3.OperationalError):
    """The database failed because a fault was drawn."""


def was_drawn(error: OperationalError) -> bool:
    """Whether a fault of ours is behind it. Any other error of the database is a finding."""
    return isinstance(error.orig, Broken)


@dataclass
class Database:
    """When the database fails whom. `met`: counts the documents in hand of a process that a fault strikes in a
    transaction of that connection."""

    kernel: Kernel
    faults: Faults
    met: Callable[[str, Process, sqlite3.Connection], None]
    away_until: float = 0.0
    full_until: float = 0.0
    asking: Task | None = None
    """Who asks for a token over a connection that is gone already."""
    _lost: str = ""
    """Why the connection is gone: nothing works until the transaction is rolled back."""

    def behind(self, engine: Engine) -> None:
        """The engine's connections break from now on. Call it before the first one is made."""

        @event.listens_for(engine, "do_connect")
        def _connect(_dialect: Any, _record: Any, _positional: Any, named: dict[str, Any]) -> None:
            named["factory"] = partial(BreakingConnection, self)

    def recover(self) -> None:
        self.away_until = self.full_until = 0.0

    def statement(self, connection: sqlite3.Connection) -> None:
        """Before each statement."""
        if not self._strikes():
            return
        if self._lost:
            raise Broken(self._lost)
        if self.kernel.now_s < self.away_until:
            self._strike(connection, "database_away", "the database does not answer")
        if self.asking is self.kernel.running:
            self.asking = None
            self._strike(connection, "token_cut", "the connection was cut while a token was asked for")
        if self.faults.happens("connection_cut"):
            self._strike(connection, "connection_cut", "the connection was cut")

    def before_commit(self, connection: sqlite3.Connection, *, writes: bool) -> None:
        if not self._strikes():
            return
        if self._lost:
            raise Broken(self._lost)
        if writes and self.kernel.now_s < self.full_until:
            self._strike(connection, "disk_full", "database or disk is full")
        if self.faults.happens("commit_lost"):
            self._strike(connection, "commit_lost", "the connection was cut before the commit")

    def after_commit(self, connection: sqlite3.Connection) -> None:
        if self._strikes() and self.faults.happens("commit_answer_lost"):
            self._strike(connection, "commit_answer_lost", "the connection was cut after the commit")

    def rolled_back(self) -> None:
        self._lost = ""

    def _strikes(self) -> bool:
        """The set-up, the checker and the world outside are never struck, nor what a dead process unwinds."""
        task = self.kernel.running
        return task is not None and task.open_sessions > 0 and task.process.mortal and not task.process.dead

    def _strike(self, connection: sqlite3.Connection, name: str, why: str) -> None:
        self.met(name, self.kernel.current.process, connection)
        self.kernel.note(f"DATABASE: {why}")
        self._lost = why
        raise Broken(why)


class BreakingConnection(sqlite3.Connection):
    """SQLAlchemy asks for a cursor before each statement, and for nothing else of the driver's but these."""

    def __init__(self, database: Database, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        self._database = database
        self._changes = 0

    def cursor(self, *positional: Any, **named: Any) -> sqlite3.Cursor:
        self._database.statement(self)
        return super().cursor(*positional, **named)

    def commit(self) -> None:
        self._database.before_commit(self, writes=self.total_changes > self._changes)
        super().commit()
        self._changes = self.total_changes
        self._database.after_commit(self)

    def rollback(self) -> None:
        super().rollback()
        self._changes = self.total_changes
        self._database.rolled_back()
