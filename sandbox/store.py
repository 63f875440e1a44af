"""Where the simulators keep their state: JSON documents in one SQLite file, with a cache in memory.

Documents live under (space, kind, id): the space is a tenant (`realm:<id>`, `ci:<n>`, `intuit`, `mail`), the
kind an entity. Nothing here knows what a document means. A killed process loses nothing that was committed
(write-ahead log); a power cut may lose the last moments, which a sandbox can afford.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox import jsonio

Keys = Mapping[str, str | int | None]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS docs (
    seq INTEGER PRIMARY KEY, space TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    keys TEXT NOT NULL, UNIQUE (space, kind, id));
CREATE TABLE IF NOT EXISTS counters (
    space TEXT NOT NULL, kind TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (space, kind));
CREATE TABLE IF NOT EXISTS kv (
    space TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (space, name));
"""


class _Table:
    """One (space, kind) in memory: documents in order of creation, and their look-up values."""

    def __init__(self) -> None:
        self.docs: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, dict[str, str]] = {}
        self.index: dict[tuple[str, str], dict[str, None]] = {}

    def place(self, id: str, body: dict[str, Any] | None, keys: dict[str, str]) -> None:
        """Put, or with body None remove, one document and its look-up values."""
        for pair in self.keys.pop(id, {}).items():
            self.index.get(pair, {}).pop(id, None)
        if body is None:
            self.docs.pop(id, None)
            return
        self.docs[id] = body
        if keys:
            self.keys[id] = keys
            for pair in keys.items():
                self.index.setdefault(pair, {})[id] = None


class Store:
    """Documents, counters and single values, all-or-nothing inside `transaction()`.

    Safe for threads: one lock, held for the whole of a transaction, so a reader never sees half of one.
    The dicts that come out are copies of the top level only: change them and `put` them back, but build a new
    list or dict for anything nested instead of changing it in place.
    """

    def __init__(self, path: str | Path) -> None:
        if str(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self.db = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=OFF")
        self.db.executescript(_SCHEMA)
        self._tables: dict[tuple[str, str], _Table] = {}
        self._kv: dict[tuple[str, str], Any] = {}
        self._undo: list[Callable[[], None]] = []
        self._depth = 0

    def close(self) -> None:
        """Close the file; the store is unusable afterwards."""
        with self.lock:
            self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit on exit, roll back on an exception. May be nested: an inner one undoes only itself."""
        with self.lock:
            name = f"s{self._depth}"
            mark = len(self._undo)
            self.db.execute("BEGIN" if self._depth == 0 else f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                self._roll_back(name, mark)
                raise
            self._depth -= 1
            if self._depth == 0:
                self.db.execute("COMMIT")
                self._undo.clear()
            else:
                self.db.execute(f"RELEASE {name}")

    def _roll_back(self, name: str, mark: int) -> None:
        if self._depth == 0:
            self.db.execute("ROLLBACK")
        else:
            self.db.execute(f"ROLLBACK TO {name}")
            self.db.execute(f"RELEASE {name}")
        while len(self._undo) > mark:
            self._undo.pop()()

    def _note(self, undo: Callable[[], None]) -> None:
        if self._depth:
            self._undo.append(undo)

    def _table(self, space: str, kind: str) -> _Table:
        table = self._tables.get((space, kind))
        if table is None:
            table = self._tables[(space, kind)] = _Table()
            rows = self.db.execute(
                "SELECT id, body, keys FROM docs WHERE space = ? AND kind = ? ORDER BY seq", (space, kind)
            )
            for id, body, keys in rows.fetchall():
                table.place(id, jsonio.loads(body), jsonio.loads(keys) if keys else {})
        return table

    def put(self, space: str, kind: str, id: str | int, body: Mapping[str, Any], keys: Keys | None = None) -> None:
        """Write one document whole. `keys` are its look-up values for `find`; a key of None is left out."""
        id = str(id)
        text = {name: str(value) for name, value in (keys or {}).items() if value is not None}
        with self.lock:
            table = self._table(space, kind)
            old, old_keys = table.docs.get(id), table.keys.get(id, {})
            self.db.execute(
                "INSERT INTO docs (space, kind, id, body, keys) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
                "(space, kind, id) DO UPDATE SET body = excluded.body, keys = excluded.keys",
                (space, kind, id, jsonio.dumps(body), jsonio.dumps(text) if text else ""),
            )
            table.place(id, dict(body), text)
            self._note(lambda: table.place(id, old, old_keys))

    def get(self, space: str, kind: str, id: str | int) -> dict[str, Any] | None:
        """One document, or None."""
        with self.lock:
            body = self._table(space, kind).docs.get(str(id))
            return None if body is None else dict(body)

    def find(self, space: str, kind: str, name: str, value: str | int) -> list[dict[str, Any]]:
        """The documents whose look-up value `name` equals `value` exactly, oldest first."""
        with self.lock:
            table = self._table(space, kind)
            return [dict(table.docs[id]) for id in table.index.get((name, str(value)), ())]

    def all(self, space: str, kind: str) -> Iterator[dict[str, Any]]:
        """Every document of a kind in order of creation: a snapshot taken when called."""
        with self.lock:
            bodies = list(self._table(space, kind).docs.values())
        return (dict(body) for body in bodies)

    def count(self, space: str, kind: str) -> int:
        """How many documents of a kind there are."""
        with self.lock:
            return len(self._table(space, kind).docs)

    def delete(self, space: str, kind: str, id: str | int) -> bool:
        """Remove one document; False when there was none."""
        id = str(id)
        with self.lock:
            table = self._table(space, kind)
            old, old_keys = table.docs.get(id), table.keys.get(id, {})
            if old is None:
                return False
            self.db.execute("DELETE FROM docs WHERE space = ? AND kind = ? AND id = ?", (space, kind, id))
            table.place(id, None, {})
            self._note(lambda: table.place(id, old, old_keys))
            return True

    def spaces(self, prefix: str = "") -> list[str]:
        """Names of the spaces that hold documents or values and start with `prefix`."""
        with self.lock:
            rows = self.db.execute("SELECT space FROM docs UNION SELECT space FROM kv ORDER BY 1").fetchall()
        return [space for (space,) in rows if space.startswith(prefix)]

    def next_id(self, space: str, kind: str, start: int = 1) -> int:
        """A number never given before for this space and kind, counting up from `start`."""
        with self.lock:
            row = self.db.execute(
                "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT (space, kind) DO UPDATE SET last = last + 1 "
                "RETURNING last",
                (space, kind, start),
            ).fetchone()
            return int(row[0])

    def kv_get(self, space: str, name: str, default: Any = None) -> Any:
        """A single value, or `default`."""
        with self.lock:
            if (space, name) not in self._kv:
                row = self.db.execute("SELECT value FROM kv WHERE space = ? AND name = ?", (space, name)).fetchone()
                if row is None:
                    return default
                self._kv[(space, name)] = jsonio.loads(row[0])
            return self._kv[(space, name)]

    def kv_set(self, space: str, name: str, value: Any) -> None:
        """Keep a single value (anything JSON can hold)."""
        with self.lock:
            self.db.execute(
                "INSERT INTO kv VALUES (?, ?, ?) ON CONFLICT (space, name) DO UPDATE SET value = excluded.value",
                (space, name, jsonio.dumps(value)),
            )
            self._kv.pop((space, name), None)
            self._note(lambda: self._forget(space, name))

    def _forget(self, space: str, name: str) -> None:
        self._kv.pop((space, name), None)

    def clear(self, space: str | None = None) -> None:
        """Empty one space, or everything. Not meant to be rolled back."""
        with self.lock:
            for table in ("docs", "counters", "kv"):
                if space is None:
                    self.db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the line above
                else:
                    self.db.execute(f"DELETE FROM {table} WHERE space = ?", (space,))  # noqa: S608 - likewise
            self._tables = {k: v for k, v in self._tables.items() if space is not None and k[0] != space}
            self._kv = {k: v for k, v in self._kv.items() if space is not None and k[0] != space}
