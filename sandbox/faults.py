"""Faults on request: which one strikes which call, and when.

The server carries out the faults that concern the connection or the whole answer (`WIRE`); a platform's
handler asks for its own (`HANDLER`). Faults are planned by name and counted here; nothing is random unless a
probability and a seed are given. README.md lists the names with their numbers in the fault catalogue.
"""

import random
import threading
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from sandbox.store import Store

WIRE = {
    "request_lost": "F10: the connection closes before the request is handled",
    "response_lost": "F09: handled and committed, then the connection closes without an answer",
    "delivered_late": "F11: the connection closes at once, the request is handled `seconds` later",
    "status_401": "F15: refused as if the credentials had expired",
    "status_429": "F14: refused as too many requests (`retry_after` seconds, optional)",
    "error_500_before": "F19: fails before anything is done",
    "error_500_after": "F20: handled and committed, then answered as a failure",
    "status_503": "F19: an HTML page of a proxy, nothing done",
    "cut_json": "F21: handled, status 200, the body ends in the middle",
    "html_200": "F21: handled, status 200, an HTML page instead of the answer",
    "empty_200": "F21: handled, status 200, no body",
    "slow": "F23: waits `seconds` before handling",
    "slow_after": "F23: handled and committed, then waits `seconds` before answering",
}
HANDLER = {
    "batch_item_fault": "F24: some members of a batch fail",
    "stale_reads": "F27: reads do not show what was created in the last `seconds`",
    "requestid_forgotten": "F12: a stored answer to a request id or idempotency key is gone",
    "error_500_kept": "F20: fails, nothing done, and the failure is kept under the idempotency key (Xero)",
    "tax_ignored": "the ledger computes its own tax whatever it is told",
    "mail_refused": "the mailbox answers 550 for addresses like `recipient`",
    "mail_deferred": "the mailbox answers 451 for addresses like `recipient`",
}


@dataclass
class Fault:
    """One planned fault: it lets `after` matching calls pass, then strikes `times` calls (None: all)."""

    id: int
    name: str
    platform: str
    operation: str | None = None
    tenant: str | None = None
    after: int = 0
    times: int | None = 1
    probability: float | None = None
    seed: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    matched: int = 0
    struck: int = 0

    def concerns(self, platform: str, operation: str | None, tenant: str | None) -> bool:
        """Whether such a call is one of those this fault waits for; operations compare without case."""
        if self.platform not in ("*", platform):
            return False
        if self.tenant is not None and self.tenant != tenant:
            return False
        return self.operation is None or fnmatchcase((operation or "").lower(), self.operation.lower())

    @property
    def spent(self) -> bool:
        """It has struck as often as it was planned to."""
        return self.times is not None and self.struck >= self.times


class Faults:
    """The plan. Kept in memory and in the store, so that a restarted sandbox goes on with it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._planned: list[Fault] = [Fault(**row) for row in store.kv_get("sandbox", "faults", [])]
        self._random: dict[int, random.Random] = {}

    def plan(
        self,
        name: str,
        platform: str = "*",
        operation: str | None = None,
        tenant: str | None = None,
        after: int = 0,
        times: int | None = 1,
        probability: float | None = None,
        seed: int | None = None,
        **params: Any,
    ) -> int:
        """Plan a fault and give its id. `operation` is a shell pattern. ValueError: unknown name."""
        if name not in WIRE and name not in HANDLER:
            raise ValueError(f"no fault is called {name!r}; there are {', '.join(sorted({**WIRE, **HANDLER}))}")
        id = self._store.next_id("sandbox", "fault")
        with self._lock:
            self._planned.append(
                Fault(
                    id,
                    name,
                    platform,
                    operation,
                    tenant,
                    after,
                    times,
                    None if probability is None else float(probability),
                    seed,
                    params,
                )
            )
        self._save()
        return id

    def clear(self) -> None:
        """Drop every plan."""
        with self._lock:
            self._planned = []
        self._save()

    def planned(self) -> list[dict[str, Any]]:
        """What is planned and how often it has struck."""
        with self._lock:
            return [asdict(fault) for fault in self._planned]

    def due(self, platform: str, operation: str | None, tenant: str | None) -> list[Fault]:
        """The wire faults that strike this call. Asked exactly once per call: asking counts."""
        return [
            fault
            for fault in self._matching(platform, operation, tenant)
            if fault.name in WIRE and self._strikes(fault)
        ]

    def active(
        self, name: str, platform: str, tenant: str | None = None, operation: str | None = None
    ) -> dict[str, Any] | None:
        """The parameters of a handler fault that lasts, without counting; None when there is none."""
        for fault in self._matching(platform, operation, tenant):
            if fault.name == name:
                return fault.params
        return None

    def take(
        self, name: str, platform: str, tenant: str | None = None, operation: str | None = None
    ) -> dict[str, Any] | None:
        """Like `active`, but counts: honours `after`, `times` and `probability`."""
        for fault in self._matching(platform, operation, tenant):
            if fault.name == name and self._strikes(fault):
                return fault.params
        return None

    def _matching(self, platform: str, operation: str | None, tenant: str | None) -> list[Fault]:
        if not self._planned:
            return []
        with self._lock:
            return [f for f in self._planned if not f.spent and f.concerns(platform, operation, tenant)]

    def _strikes(self, fault: Fault) -> bool:
        with self._lock:
            if fault.spent:
                return False
            fault.matched += 1
            if fault.matched <= fault.after:
                return False
            if fault.probability is not None:
                dice = self._random.setdefault(fault.id, random.Random(fault.seed))
                if dice.random() >= fault.probability:
                    return False
            fault.struck += 1
        self._save()
        return True

    def _save(self) -> None:
        self._store.kv_set("sandbox", "faults", self.planned())
