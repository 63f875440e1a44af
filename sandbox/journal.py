"""The record of every request a platform received: the judge in tests and in the demo.

One row per request, written after the request's own transaction has committed and before any answer leaves.
Paths are kept without their query string and headers are not kept, so no secret can stand here.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox import jsonio
from sandbox.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, tenant TEXT, at TEXT NOT NULL,
    row TEXT NOT NULL);
"""


@dataclass
class Entry:
    """One request while it is being handled (`flask.g.entry`); handlers fill in what they know.

    `effects` are dicts {kind, id, action}, for example {"kind": "Invoice", "id": "145", "action": "create"}.
    """

    platform: str
    operation: str
    method: str
    path: str
    at: datetime
    tenant: str | None = None
    request_id: str | None = None
    status: int | None = None
    seconds: float = 0.0
    items: int = 0
    request_bytes: int = 0
    request_sha256: str = ""
    """Of the body as it was received: proves what was sent without keeping it."""
    response_bytes: int = 0
    faults: list[str] = field(default_factory=list)
    effects: list[dict[str, Any]] = field(default_factory=list)

    def effect(self, kind: str, id: str | int, action: str) -> None:
        """Note that this request created, changed or removed something."""
        self.effects.append({"kind": kind, "id": str(id), "action": action})


class Journal:
    """All requests since the last reset, in order. Rows are plain dicts, ids only grow."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.db.executescript(_SCHEMA)

    def record(self, entry: Entry) -> int:
        """Add one row and give its id."""
        body = {**vars(entry), "at": entry.at.isoformat(), "fault": ", ".join(entry.faults) or None}
        with self._store.lock:
            cursor = self._store.db.execute(
                "INSERT INTO journal (platform, tenant, at, row) VALUES (?, ?, ?, ?)",
                (entry.platform, entry.tenant, body["at"], jsonio.dumps(body)),
            )
            return int(cursor.lastrowid or 0)

    def rows(
        self,
        platform: str | None = None,
        tenant: str | None = None,
        since_id: int = 0,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """The rows after `since_id`, oldest first."""
        where: list[str] = ["id > ?"]
        values: list[Any] = [since_id]
        for column, wanted in (("platform", platform), ("tenant", tenant)):
            if wanted is not None:
                where.append(f"{column} = ?")
                values.append(wanted)
        tail = f" LIMIT {int(limit)}" if limit else ""
        with self._store.lock:
            found = self._store.db.execute(
                f"SELECT id, row FROM journal WHERE {' AND '.join(where)} ORDER BY id{tail}",  # noqa: S608 - our words
                values,
            ).fetchall()
        return [{"id": id, **jsonio.loads(row)} for id, row in found]

    def counts(self, platform: str | None = None, tenant: str | None = None, since_id: int = 0) -> dict[str, int]:
        """How many requests per operation, with a `total`."""
        counted = Counter(row["operation"] for row in self.rows(platform, tenant, since_id))
        return {"total": counted.total(), **dict(sorted(counted.items()))}

    def mark(self) -> int:
        """The id of the last row: pass it as `since_id` later."""
        with self._store.lock:
            return int(self._store.db.execute("SELECT COALESCE(MAX(id), 0) FROM journal").fetchone()[0])

    def clear(self) -> None:
        """Forget all rows; ids go on counting."""
        with self._store.lock:
            self._store.db.execute("DELETE FROM journal")
