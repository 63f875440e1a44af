"""One company, real worker processes and times divided by ten: what the outage tests have in common.

The judge is the sandbox: its audit compares source, books and mailbox and never asks the app.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from sqlalchemy import and_, func, or_, select

from domain.statuses import Status
from models import (
    Attempt,
    BatchRow,
    CompanyLease,
    Document,
    ErrorMark,
    ErrorMarkState,
    Posting,
    Run,
    TodoRow,
    TodoState,
)  # fmt: skip
from sandbox.qbo import books
from sandbox.world import World
from sync import error_marks, todos
from tests.infra.company import ask_sync, config_for, connect
from tests.infra.processes import Processes, Started
from tools.waiting import WaitedTooLong, wait_until
from workers import enqueue
from workers.wiring import Services

FACTOR = 10
"""Lease 9 s, quarantine 30 s, sweep 3 s."""
PATIENCE_S = 1200 / FACTOR
"""Twenty minutes at the product's own pace, divided as its times are, for what takes seconds on an idle machine."""
ROLES = {"worker": ["worker"], "second": ["worker"], "scheduler": ["scheduler"]}


def die(processes: Processes, doomed: Started, point: str) -> None:
    """Wait until it has killed itself there, and end what is left of it."""
    processes.wait_log(doomed, f"killing itself at {point}", timeout_s=PATIENCE_S)
    doomed.kill9()


@dataclass
class Story:
    """A Sync Now that something happens to."""

    url: str
    world: World
    processes: Processes
    services: Services
    made: dict[str, Any]
    company_id: int
    running: dict[str, Started] = field(default_factory=dict)
    aside: set[str] = field(default_factory=set)
    """Source ids of what a person set aside before anything was asked for."""

    @classmethod
    def begin(
        cls, url: str, world: World, processes: Processes, *, invoices: int = 12,
        seeded: Mapping[str, Any] | None = None, chosen: Mapping[str, Any] | None = None, **settings: Any,
    ) -> Story:
        """Seed, connect, and prepare the environment of the processes; nothing runs yet. `seeded` overlays the month,
        `chosen` the company's settings; other keywords are the installation's."""
        config = config_for(url, **{"time_factor": FACTOR, "guard_young_seconds": 0.0, **settings})
        services = Services.from_config(config)
        options = {"seed": 5, "invoices": invoices, "lines": 2, "days": 10, "known_customers": False, "slug": "outage"}
        answer = requests.post(f"{url}/control/seed/msp", json={**options, **(seeded or {})}, timeout=60)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        company_id = connect(services, world, made, **{"look_back_days": 30, **(chosen or {})})
        processes.env = {name.upper(): str(value) for name, value in config.model_dump(exclude_none=True).items()}
        return cls(url, world, processes, services, made, company_id)

    # ---- processes ------------------------------------------------------------------------------------------

    def start(self, *roles: str, **env: str) -> None:
        for role in roles:
            self.running[role] = self.processes.workers(role, *ROLES[role], env=env)

    def keep_alive(self) -> None:
        """What a supervisor does: a process that ended is started again."""
        for role, process in list(self.running.items()):
            if not process.alive:
                self.start(role)

    def freeze(self, role: str) -> None:
        """SIGSTOP the process and the horse it forked."""
        for pid in self._family(role):
            os.kill(pid, signal.SIGSTOP)

    def wake(self, role: str) -> None:
        for pid in self._family(role):
            os.kill(pid, signal.SIGCONT)

    def _family(self, role: str) -> list[int]:
        """The process and its children: a horse has a process group of its own."""
        parent = self.running[role].pid
        found = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False).stdout
        return [parent, *map(int, found.split())]

    # ---- the run --------------------------------------------------------------------------------------------

    def press(self) -> int:
        """Sync Now, with its bell."""
        run_id = ask_sync(self.services, self.company_id)
        enqueue.scan(self.services, self.company_id, run_id)
        return run_id

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
        def ask() -> object:
            self.keep_alive()
            return condition()

        wait_until(ask, timeout_s=timeout_s, what=what, every_s=0.2)

    def attempts(self) -> int:
        with self.services.sessions() as db:
            return db.execute(select(func.count()).select_from(Attempt)).scalar_one()

    def fence(self) -> int:
        with self.services.sessions() as db:
            return db.get_one(CompanyLease, self.company_id).fence

    def at_rest(self) -> bool:
        """No run is open, no document is due, and no write is under way or about to be: to the ledger, or of a Fault to
        Autotask."""
        moving = or_(
            Posting.state.in_(("READY", "SENDING", "UNKNOWN")),
            and_(Posting.state.in_(("NEW", "CONFIRMED")), Posting.next_action_at.is_not(None)),
        )
        open_ = (
            select(Run.id).where(Run.finished_at.is_(None)), select(Posting.id).where(moving),
            select(Document.id).where(Document.status == Status.PENDING, Document.due_at.is_not(None)),
            select(TodoRow.id).where(TodoRow.state.in_((todos.WANTED, todos.SENDING, todos.CHECKING))),
            select(ErrorMark.document_id).where(ErrorMark.state.in_((error_marks.WANTED, error_marks.CLEARING))),
            *(select(table.company_id).where(table.wanted, table.dirty_at.is_not(None))
              for table in (TodoState, ErrorMarkState)),
        )  # fmt: skip
        with self.services.sessions() as db:
            return not any(db.execute(each.limit(1)).first() for each in open_)

    def last_call(self) -> set[tuple[str, str]]:
        """Operations and kinds of record of the ledger call that was composed last."""
        with self.services.sessions() as db:
            newest = db.scalars(select(BatchRow).order_by(BatchRow.id.desc()).limit(1)).one()
            members = [posting_id for posting_id, _ in newest.members]
            rows = db.execute(select(Posting.operation, Posting.ledger_kind).where(Posting.id.in_(members)))
            return {(row.operation, row.ledger_kind) for row in rows}

    def settle(self) -> None:
        """Wait until it rests; who waits too long reads what is open."""
        try:
            self.wait(self.at_rest, "everything has settled after the crash")
        except WaitedTooLong as late:
            with self.services.sessions() as db:
                postings = db.execute(
                    select(Posting.kind, Posting.operation, Posting.state, Posting.next_action_at, func.count())
                    .where(Posting.state != "DONE").group_by(Posting.kind, Posting.operation, Posting.state)
                ).all()
                runs = db.execute(
                    select(Run.id, Run.phase, Run.step, Run.message).where(Run.finished_at.is_(None))
                ).all()
                lease = db.get_one(CompanyLease, self.company_id)
                held = (lease.holder, lease.expires_at, lease.wake_at, lease.rung_at, lease.step)
            raise AssertionError(f"postings {postings}, runs {runs}, lease {held}") from late

    def finished(self, run_id: int) -> bool:
        with self.services.sessions() as db:
            states = set(db.scalars(select(Posting.state).where(Posting.document_id.is_not(None))))
            return db.get_one(Run, run_id).finished_at is not None and states == {"DONE"}

    # ---- the verdict ----------------------------------------------------------------------------------------

    def once_each(self) -> None:
        """Every invoice is in the books exactly once, and marked in the source."""
        query = {"ci": self.made["ci"], "realm": self.made["realm"], "details": 1}
        verdict = requests.get(f"{self.url}/control/audit", params=query, timeout=30).json()
        counted = {name: verdict[name] for name in ("duplicates", "missing", "unmarked")}
        assert counted == {"duplicates": 0, "missing": 0, "unmarked": 0}, verdict
        documents = books.documents(self.world, str(self.made["realm"]))
        live = [d for d in documents if d["live"] and "ref:" in (d["PrivateNote"] or "")]
        assert len(live) == verdict["seen"] == verdict["posted"] + verdict["credit_memos"]
        assert max(Counter(d["DocNumber"] for d in live).values()) == 1
