"""The simulated installation: sessions that yield at commits, the pool, the queue, services for the real jobs.

`workers.jobs` and `workers.schedule` run as they are; only what connects them to Redis, HTTP and threads is
replaced here: the queue, the connectors, the pool, clock and waiting.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from connectors.errors import NeedsReconnect, NotSent, Unavailable
from sync.runtime import Finished, Runtime, Times
from sync.tokens import CLAIM, TokenService
from tests.simulation.database import Database
from tests.simulation.faults import Faults
from tests.simulation.identity import RING, SimIdentity
from tests.simulation.kernel import Kernel, Process, Task
from tests.simulation.platforms import SimLedger, SimSource
from tests.simulation.postbox import Postbox

JOBS = ("serve", "scan", "poll", "tool")
"""What the queue carries here, and `mails` where a mail server is played."""
TRIES_AGAIN = 3
"""So often a job that failed is put back into the queue, as `workers.enqueue` asks of RQ."""


class SteppingSession(Session):
    """A session whose beginning and end are yield points: before it, and after its commit or rollback."""

    def __init__(self, *, kernel: Kernel, **options: Any) -> None:
        kernel.step("begin")
        super().__init__(**options)
        self._kernel, self._task = kernel, kernel.current
        self._task.open_sessions += 1
        self._open = True

    def close(self) -> None:
        super().close()
        if self._open:
            self._open = False
            self._kernel.commits += 1
            self._task.open_sessions -= 1
            self._kernel.step("end of transaction")


class SimPool:
    """Calls side by side: each is a task of the process that submitted it."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.owner = kernel, kernel.current
        self.done: list[Finished] = []
        self.running = 0

    def submit(self, tag: Any, call: Callable[[], Any]) -> None:
        self.running += 1

        def work() -> None:
            try:
                finished = Finished(tag, value=call())
            except AssertionError:
                raise
            except Exception as error:  # noqa: BLE001 - handed to the task that decides
                finished = Finished(tag, error=error)
            self.done.append(finished)
            self.kernel.wake(self.owner)

        self.kernel.spawn(self.owner.process, f"{self.owner.name}/call", work)
        self.kernel.step("submitted")

    def wait(self, seconds: float) -> list[Finished]:
        if not self.done and self.running and seconds > 0:
            self.kernel.sleep(seconds, "waits for calls")
        done, self.done = self.done, []
        self.running -= len(done)
        return done


@dataclass
class ProcessClock:
    """The wall clock of one process, which may be wrong; its monotonic clock is not."""

    kernel: Kernel
    process: Process

    def now(self) -> datetime:
        return self.kernel.now() + timedelta(seconds=self.process.skew_s)

    def monotonic(self) -> float:
        return self.kernel.monotonic()


@dataclass(frozen=True)
class Bell:
    """One job in the queue."""

    at: float
    function: str
    ids: tuple[int, ...]
    retries_left: int = TRIES_AGAIN

    @property
    def company_id(self) -> int | None:
        """None: it is about the whole installation."""
        return self.ids[0] if self.ids else None

    def __str__(self) -> str:
        return f"{self.function}{self.ids}"


@dataclass
class Bells:
    """The queue: bells get lost, doubled and late. Order is not kept."""

    kernel: Kernel
    faults: Faults
    jobs: tuple[str, ...] = JOBS
    waiting: list[Bell] = field(default_factory=list)

    def put_all(self, services: object, name: str, function: str, each: Iterable[tuple[int, ...]]) -> bool:
        """In place of `workers.enqueue.put_all`: what stands in the queue is not put there again. A late one does not
        stand there: a worker took it and is slow to begin."""
        standing = {(one.function, one.ids) for one in self.waiting if one.at <= self.kernel.now_s}
        heard = True
        for ids in each:
            if function in self.jobs and (function, ids) not in standing:
                heard = self._put(function, ids) and heard
        return heard

    def _put(self, function: str, ids: tuple[int, ...]) -> bool:
        self.kernel.step(f"rings {function}")
        if self.faults.happens("bell_lost"):
            self.kernel.note(f"bell {function}{ids} lost", ids[0] if ids else None)
            return False
        self._add(function, ids)
        if self.faults.happens("bell_twice"):
            self._add(function, ids)
        return True

    def _add(self, function: str, ids: tuple[int, ...]) -> None:
        late = self.faults.seconds(5, 600) if self.faults.happens("bell_late") else 0.0
        self.waiting.append(Bell(self.kernel.now_s + late, function, ids))

    def again(self, failed: Bell) -> None:
        """RQ puts a job that failed back at once, until its tries are used up."""
        if failed.retries_left:
            self.waiting.append(replace(failed, at=self.kernel.now_s, retries_left=failed.retries_left - 1))

    def take(self, rng: Any) -> Bell | None:
        ready = [one for one in self.waiting if one.at <= self.kernel.now_s]
        if not ready:
            return None
        chosen: Bell = rng.choice(ready)
        self.waiting.remove(chosen)
        return chosen


@dataclass
class Services:
    """What `workers.wiring.Services` is to the jobs, for one simulated installation."""

    kernel: Kernel
    sessions: sessionmaker[Session]
    plain: sessionmaker[Session]
    """Without yield points: for the checker and the set-up."""
    bells: Bells
    database: Database
    ledgers: dict[int, Callable[[], SimLedger]]
    sources: dict[int, Callable[[], SimSource]]
    postbox: Postbox | None = None
    """None: nobody mails."""
    grants: dict[int, tuple[int, SimIdentity]] = field(default_factory=dict)
    """By company: its grant, and who renews its tokens. Without one, calls need no token."""
    calls_in_flight: int = 1
    times: Times = field(default_factory=Times)
    config: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(
            scaled=float, poll_seconds=60.0, smtp_url="smtp://postbox.invalid", secret_key="s" * 40,
            mail_from="Bookbridge <reports@bookbridge.invalid>", public_url="https://bookbridge.invalid",
            report_strangers="notice",
        )
    )
    redis: None = None
    _keys: int = 0

    @property
    def clock(self) -> ProcessClock:
        return ProcessClock(self.kernel, self.kernel.current.process)

    def now(self) -> datetime:
        """By the clock of the process that asks."""
        return self.clock.now()

    def memories(self) -> list[Any]:
        """Nothing is restored here."""
        return []

    @contextmanager
    def taped(self, company_id: int) -> Iterator[None]:
        """No document is in Diagnostic Mode."""
        yield None

    def ledger(self, company_id: int, tape: None = None) -> SimLedger:
        return self.ledgers[company_id]()

    def source(self, company_id: int, *, interactive: bool = False, tape: None = None) -> SimSource:
        made = self.sources[company_id]()
        if self.kernel.now_s < made.line.away_until and not interactive:
            raise NeedsReconnect("Autotask is not connected.", platform="Autotask")
        return made

    def token(self, company_id: int, documents: int) -> None:
        """What the connectors do before a call: a token of the installation's own service, renewed when it is due or
        refused. One that cannot be had just now is a no for the call that it was for."""
        if company_id not in self.grants:
            return
        grant_id, identity = self.grants[company_id]
        service = TokenService(
            self.sessions, RING, {identity.rotation.provider: identity}, self.now,
            lambda seconds: self.kernel.sleep(seconds, "pause"), self.kernel.current.process.prefix,
            self._failpoint, patience_s=CLAIM.total_seconds() + 10.0,
        )  # fmt: skip
        access = service.access(grant_id)
        if self.bells.faults.happens("token_cut", 5.0 if documents else 1.0):
            self.database.asking = self.kernel.current
        try:
            token = access.token()
            if identity.refuses(token):
                access.renew(token)
        except Unavailable as problem:
            raise NotSent(problem.message, platform=problem.platform) from problem

    def new_key(self) -> str:
        self._keys += 1
        return str(uuid.UUID(int=self.kernel.rng.getrandbits(128), version=4))

    def runtime(self) -> Runtime:
        kernel = self.kernel
        task: Task = kernel.current
        self._keys += 1
        return Runtime(
            sessions=self.sessions,
            clock=self.clock,
            pause=lambda seconds: kernel.sleep(max(0.0, seconds), "pause"),
            new_key=self.new_key,
            pool=lambda: SimPool(kernel),
            ring=self._ring,
            worker=f"{task.process.prefix}{self._keys}",
            lease_now=lambda db: kernel.now(),
            times=self.times,
            failpoint=self._failpoint,
            calls_in_flight=self.calls_in_flight,
        )

    def _ring(self, company_id: int) -> None:
        from workers import enqueue

        enqueue.ring(self, company_id)  # type: ignore[arg-type]

    def _failpoint(self, name: str) -> None:
        if self.kernel.current.open_sessions:
            self.kernel.may_die(name)
        else:
            self.kernel.step(name)
