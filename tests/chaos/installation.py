"""The installation that is broken: its processes and whoever starts them again, its companies and their months."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from connectors.oauth import TokenSet
from models import Connection, Document, Grant, Posting, Run, migrate
from sandbox.intuit import tokens as sandbox_tokens
from sandbox.world import World
from sync.lease import wake
from sync.tokens import store_new_grant
from tests.chaos.servers import Disk, OwnPostgres, OwnRedis
from tests.infra import postgres
from tests.infra.company import ask_sync, config_for, connect
from tests.infra.processes import Processes, Started
from tools.waiting import free_port
from workers import enqueue
from workers.wiring import Services

FACTOR = 10
"""Lease 9 s, quarantine 30 s, sweep 3 s."""
ROLES = {
    "worker-1": ("-m", "workers", "worker"), "worker-2": ("-m", "workers", "worker"),
    "worker-3": ("-m", "workers", "worker", "--queue", "interactive"),
    "scheduler-1": ("-m", "workers", "scheduler"), "scheduler-2": ("-m", "workers", "scheduler"),
}  # fmt: skip
OPEN = ("READY", "SENDING", "UNKNOWN")


@dataclass
class Month:
    """A company and the month that the sandbox made for it."""

    company_id: int
    made: dict[str, Any]


@dataclass
class Installation:
    folder: Path
    url: str
    world: World
    rng: random.Random
    disk: Disk = field(init=False)
    database: OwnPostgres = field(init=False)
    redis: OwnRedis = field(init=False)
    services: Services = field(init=False)
    processes: Processes = field(init=False)
    running: dict[str, Started] = field(default_factory=dict)
    months: list[Month] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    _lock: Any = field(default_factory=threading.RLock)
    _seen: int = 0

    def __post_init__(self) -> None:
        self.disk = Disk(self.folder / "disk")
        (self.folder / "disk").chmod(0o755)
        self.database = OwnPostgres(self.folder / "disk")
        self.redis = OwnRedis(self.folder)
        database_url = postgres.create(self.database.url, "chaos")
        config = config_for(
            self.url, database_url=database_url, redis_url=self.redis.url, time_factor=FACTOR, guard_young_seconds=0.0,
            calls_in_flight=4, public_url=f"http://127.0.0.1:{free_port()}", poll_seconds=30,
        )
        migrate.upgrade(database_url)
        self.services = Services.from_config(config)
        environment = {name.upper(): str(value) for name, value in config.model_dump(exclude_none=True).items()}
        self.processes = Processes(self.folder, environment)

    # ---- processes ------------------------------------------------------------------------------------------

    def start(self) -> None:
        for role in (*ROLES, "web-1", "web-2"):
            self.launch(role)
        threading.Thread(target=self._supervise, daemon=True).start()

    def launch(self, role: str, **env: str) -> None:
        with self._lock:
            if role.startswith("web"):
                bind = {"WEB_BIND": f"127.0.0.1:{free_port()}", "WEB_CONCURRENCY": "1"}
                program = ("-m", "gunicorn", "-c", "gunicorn.conf.py", "app:create_app()")
                self.running[role] = self.processes.python(role, *program, env={**bind, **env})
            else:
                self.running[role] = self.processes.python(role, *ROLES[role], env=env)

    def _supervise(self) -> None:
        """What ended is started again within a second."""
        while not self.stopping.wait(1.0):
            with self._lock:
                for role, process in list(self.running.items()):
                    if not process.alive:
                        self.launch(role)

    def kill(self, role: str) -> None:
        with self._lock:
            family = self._family(role)
            for pid in family:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.running[role].popen.wait(timeout=10)

    def freeze(self, role: str, *, thaw: bool = False) -> None:
        for pid in self._family(role):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT if thaw else signal.SIGSTOP)

    def replace(self, role: str, **env: str) -> None:
        """The process ends as it is asked to, and another one takes its place."""
        with self._lock:
            self.running[role].stop(timeout_s=25)
            self.launch(role, **env)

    def _family(self, role: str) -> list[int]:
        """The process and its children: a horse has a process group of its own."""
        parent = self.running[role].pid
        found = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False).stdout
        return [parent, *map(int, found.split())]

    # ---- companies ------------------------------------------------------------------------------------------

    def open_month(self, invoices: int) -> None:
        """One more company with a month of invoices; somebody presses Sync Now."""
        number = len(self.months) + 1
        options = {
            "seed": self.rng.randrange(1, 10_000), "invoices": invoices, "lines": 2, "days": 10,
            "known_customers": False, "slug": f"chaos-{number}",
        }  # fmt: skip
        answer = requests.post(f"{self.url}/control/seed/msp", json=options, timeout=120)
        answer.raise_for_status()
        company_id = connect(self.services, self.world, answer.json(), look_back_days=30)
        self.months.append(Month(company_id, answer.json()))
        self.press(self.months[-1])

    def press(self, month: Month) -> None:
        enqueue.scan(self.services, month.company_id, ask_sync(self.services, month.company_id))

    def reconnect(self, month: Month) -> None:
        """An admin gives a new consent: a new grant in place of the old one."""
        with self.world.store.transaction():
            granted = sandbox_tokens.grant(
                self.world, "sandbox-admin", str(month.made["realm"]), [sandbox_tokens.settings.API_SCOPE]
            )
            answer = sandbox_tokens.issue(self.world, granted)
        now = self.services.now()
        tokens = TokenSet(
            answer["access_token"], answer["refresh_token"], now + timedelta(seconds=answer["expires_in"]),
            now + timedelta(seconds=answer["x_refresh_token_expires_in"]), None,
        )  # fmt: skip
        with self.services.sessions() as db, db.begin():
            realm = str(month.made["realm"])
            store_new_grant(db, self.services.key_ring, provider="quickbooks", subject=realm, tokens=tokens, now=now)
            db.execute(
                update(Connection).where(Connection.company_id == month.company_id)
                .values(state="connected", problem=None)
            )  # fmt: skip
            wake(db, month.company_id, now)

    def expire_tokens(self) -> None:
        """Every access token has less than its spare time left."""
        with self.services.sessions() as db, db.begin():
            db.execute(update(Grant).values(access_expires_at=self.services.now() - timedelta(minutes=1)))

    # ---- what is in flight ----------------------------------------------------------------------------------

    def in_flight(self) -> int:
        """Documents with an unanswered write, or about to be sent; the last count while the database is away."""
        with suppress(SQLAlchemyError), self.services.sessions() as db:
            self._seen = db.execute(
                select(func.count()).select_from(Posting)
                .where(Posting.document_id.is_not(None), Posting.state.in_(("NEW", *OPEN)))
            ).scalar_one()  # fmt: skip
        return self._seen

    def waiting(self) -> dict[int, tuple[str, int]]:
        """Postings whose answer is open: id → (state, sends)."""
        with self.services.sessions() as db:
            rows = db.execute(select(Posting.id, Posting.state, Posting.sends).where(
                Posting.document_id.is_not(None), Posting.state.in_(OPEN)
            ))  # fmt: skip
            return {id: (state, sends) for id, state, sends in rows}

    def at_rest(self) -> bool:
        with self.services.sessions() as db:
            busy = db.execute(select(func.count()).select_from(Run).where(Run.finished_at.is_(None))).scalar_one()
            due = db.execute(
                select(func.count()).select_from(Document).where(Document.due_at.is_not(None))
            ).scalar_one()
            unmarked = db.execute(select(func.count()).select_from(Posting).where(
                Posting.document_id.is_not(None), Posting.state.in_(("NEW", "CONFIRMED", *OPEN)),
                Posting.next_action_at.is_not(None),
            )).scalar_one()  # fmt: skip
        return not (busy or due or unmarked or self.waiting())

    def what_waits(self) -> str:
        """For whoever reads the output: what is still open."""
        with self.services.sessions() as db:
            runs = db.execute(
                select(Run.kind, Run.phase, func.count()).where(Run.finished_at.is_(None)).group_by(Run.kind, Run.phase)
            ).all()
            postings = db.execute(
                select(Posting.state, func.count()).where(Posting.next_action_at.is_not(None)).group_by(Posting.state)
            ).all()
        return f"runs {[tuple(row) for row in runs]}, postings {[tuple(row) for row in postings]}"

    def recoveries(self) -> int:
        with self.services.sessions() as db:
            return db.execute(select(func.count()).select_from(Posting).where(
                Posting.document_id.is_not(None), Posting.confirmed_by == "lookup"
            )).scalar_one()  # fmt: skip

    def close(self) -> None:
        self.stopping.set()
        for role in list(self.running):
            self.freeze(role, thaw=True)
        self.processes.stop_all()
        self.services.engine.dispose()
        self.redis.stop()
        self.database.close()
        self.disk.close()
