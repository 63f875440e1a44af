"""Who acts in a simulated world: workers, schedulers, people at the pages, the office that edits its invoices.

Workers and schedulers run the real `workers.jobs` and `workers.schedule.tick`; people do what the pages do.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from domain.statuses import Status
from models import Company, Connection, Document, Run
from sync import decisions, requests
from sync.lease import wake
from tests.simulation.kernel import Kernel, Process
from tests.simulation.machine import Services
from tests.simulation.world import Tenant, Wanted
from workers import enqueue, jobs, schedule

RETRIES = 3


@dataclass
class Actors:
    """Starts the processes of one installation and keeps them alive as a supervisor would."""

    kernel: Kernel
    services: Services
    tenants: list[Tenant]
    rng: random.Random
    crashes: int = 0
    job_errors: list[str] = field(default_factory=list)
    resting: bool = False
    """Set when faults are over: the office and the people stop acting."""

    def start(self, *, workers: int, schedulers: int) -> None:
        for number in range(workers):
            self._supervise(f"worker-{number + 1}", self._worker)
        for number in range(schedulers):
            self._supervise(f"scheduler-{number + 1}", self._scheduler)
        for tenant in self.tenants:
            self._supervise(f"person-{tenant.company_id}", lambda t=tenant: self._person(t))
            self._supervise(f"office-{tenant.company_id}", lambda t=tenant: self._office(t), mortal=False)
            self._supervise(f"weather-{tenant.company_id}", lambda t=tenant: self._weather(t), mortal=False)

    def _supervise(self, name: str, run: Callable[[], None], *, mortal: bool = True) -> None:
        def begin(after: float = 0.0) -> None:
            process = Process(name, mortal)
            process.on_death = again
            self.kernel.spawn(process, name, run, after=after)

        def again() -> None:
            self.crashes += 1
            begin(self.rng.uniform(1, 30))

        begin()

    # ---- processes ------------------------------------------------------------------------------------------

    def _worker(self) -> None:
        while True:
            taken = self.services.bells.take(self.rng)
            if taken is None:
                self.kernel.sleep(1.5, "no job")
                continue
            self._job(*taken)

    def _job(self, function: str, ids: tuple[int, ...]) -> None:
        self.kernel.note(f"begins {function}{ids}", ids[0])
        try:
            getattr(jobs, function)(*ids)
        except AssertionError:
            raise
        except Exception as error:  # noqa: BLE001 - as the queue: a job failed and is noted
            self.kernel.note(f"{function}{ids} FAILED: {type(error).__name__}: {error}", ids[0])
            self.job_errors.append(f"{function}: {type(error).__name__}: {error}")
        self.kernel.note(f"ends {function}{ids}", ids[0])

    def _scheduler(self) -> None:
        while True:
            schedule.tick(self.services, 1)  # type: ignore[arg-type]
            self.kernel.sleep(self.rng.uniform(8, 30), "next look")

    # ---- people ---------------------------------------------------------------------------------------------

    def _person(self, tenant: Tenant) -> None:
        """Presses Sync Now now and then, often twice, and sometimes Stop."""
        while not self.resting:
            self.press(tenant)
            self.kernel.sleep(self.rng.choice((5.0, 60.0, 150.0, 300.0)), "thinks")
            if self.resting:
                return
            draw = self.rng.random()
            if draw < 0.12:
                self.stop(tenant)
                continue
            if draw < 0.3:
                self.retry(tenant)
                continue
            for _ in range(self.rng.choice((0, 0, 1, 2))):
                self.press(tenant)

    def press(self, tenant: Tenant) -> int:
        """Sync Now, confirmed, with a report to two addresses."""
        made, now = self.services, self.kernel.now()
        asked: list[dict[str, Any]] = [
            {"address": address, "kind": "additional"} for address in ("one@customer.invalid", "Two@customer.invalid")
        ]
        with made.sessions() as db, db.begin():
            company = db.get_one(Company, tenant.company_id)
            run, new = requests.ask_sync(db, company, now=now, user=None, recipients=asked, confirmed=True)
            run_id = run.id
        self.kernel.note(f"pressed Sync Now: run {run_id}{' (new)' if new else ''}", tenant.company_id)
        if new:
            enqueue.scan(made, tenant.company_id, run_id)  # type: ignore[arg-type]
        return run_id

    def stop(self, tenant: Tenant) -> None:
        with self.services.sessions() as db, db.begin():
            run = requests.open_run(db, tenant.company_id)
            if run is None:
                return
            requests.stop(db, db.get_one(Run, run.id), now=self.kernel.now(), user=None)
        self.kernel.note("pressed Stop", tenant.company_id)

    def retry(self, tenant: Tenant) -> None:
        """Resubmit everything that stands as Fault."""
        made = self.services
        with made.sessions() as db, db.begin():
            faults = db.scalars(
                select(Document).where(Document.company_id == tenant.company_id, Document.status == Status.FAULT)
            ).all()
            if not faults:
                return
            company = db.get_one(Company, tenant.company_id)
            run_id = decisions.retry(db, company, faults, now=self.kernel.now(), user=None).id
        self.kernel.note(f"pressed Retry for {len(faults)}: run {run_id}", tenant.company_id)
        enqueue.scan(made, tenant.company_id, run_id)  # type: ignore[arg-type]

    def reconnect(self, tenant: Tenant, sessions: sessionmaker[Session]) -> None:
        """An admin connects again: the connections are good and what waited is due."""
        with sessions() as db, db.begin():
            for connection in db.scalars(select(Connection).where(Connection.company_id == tenant.company_id)):
                connection.state, connection.problem = "connected", None
            wake(db, tenant.company_id, self.kernel.now())
        self.kernel.note("connected again", tenant.company_id)

    # ---- the world outside ----------------------------------------------------------------------------------

    def _office(self, tenant: Tenant) -> None:
        """New invoices are approved, some are voided or changed while they are on their way."""
        while not self.resting:
            self.kernel.sleep(self.rng.uniform(5, 100), "works")
            if self.resting:
                return
            draw = self.rng.random()
            if tenant.later and draw < 0.6:
                tenant.approve(tenant.later.pop(), self.kernel.now())
            elif draw < 0.7:
                self._void(tenant)
            elif draw < 0.85:
                self._edit(tenant)

    def approve_the_rest(self, tenant: Tenant) -> None:
        while tenant.later:
            tenant.approve(tenant.later.pop(), self.kernel.now() - timedelta(minutes=5))

    def _void(self, tenant: Tenant) -> None:
        """An invoice is voided; its items may come back at once under another id."""
        open_ = self._changeable(tenant)
        if not open_:
            return
        chosen = self.rng.choice(open_)
        chosen.voided = True
        tenant.source.void(chosen.id)
        self.kernel.note(f"invoice {chosen.id} voided in the source", tenant.company_id)
        if self.rng.random() < 0.5:
            self._issue_again(tenant, chosen)

    def _issue_again(self, tenant: Tenant, voided: Wanted) -> None:
        old = tenant.source.contents[voided.id]
        new_id = str(100 + int(voided.id))
        number = f"AT-{new_id}" if tenant.books.own_numbers else None
        header = replace(old.header, id=new_id, number=number, voided=False, marked_at=None)
        tenant.wanted[new_id] = Wanted(new_id, True, [header.total], why="issued again", instead_of=voided.id)
        tenant.approve(replace(old, header=header), self.kernel.now())
        self.kernel.note(f"its items are billed again on invoice {new_id}", tenant.company_id)

    def _changeable(self, tenant: Tenant) -> list[Wanted]:
        """Approved, healthy, not in the books as far as the source knows, never issued again."""
        contents = tenant.source.contents
        return [
            one for one in tenant.wanted.values()
            if one.posts and not one.voided and one.instead_of is None and one.id in contents
            and contents[one.id].header.marked_at is None
        ]  # fmt: skip

    def _edit(self, tenant: Tenant) -> None:
        """Another amount, on the line and in the header alike."""
        open_ = self._changeable(tenant)
        if not open_:
            return
        chosen = self.rng.choice(open_)
        old = tenant.source.contents[chosen.id]
        more = Decimal(self.rng.randrange(1, 50)) * (1 if old.header.total > 0 else -1)
        first, *rest = old.lines
        first = replace(first, extended_price=first.extended_price + more, rate=first.rate + more)
        changed = replace(old, header=replace(old.header, total=old.header.total + more), lines=(first, *rest))
        tenant.source.put(changed)
        chosen.totals.append(changed.header.total)
        self.kernel.note(f"invoice {chosen.id} changed to {changed.header.total}", tenant.company_id)

    def _weather(self, tenant: Tenant) -> None:
        """Grants that stop working for a while, and idempotency keys that the ledger forgets."""
        faults = self.services.bells.faults
        while not self.resting:
            self.kernel.sleep(60.0, "weather")
            if faults.happens("outage"):
                line = self.rng.choice((tenant.ledger_line, tenant.source_line))
                line.away_until = self.kernel.now_s + faults.seconds(20, 400)
                self.kernel.note(f"{line.platform} refuses the grant for a while", tenant.company_id)
                self.kernel.sleep(line.away_until - self.kernel.now_s, "until somebody connects again")
                self.reconnect(tenant, self.services.sessions)
            if faults.happens("subscription_lapsed"):
                tenant.books.lapsed_until = self.kernel.now_s + faults.seconds(20, 200)
                self.kernel.note("the ledger's subscription has lapsed", tenant.company_id)
            if faults.happens("keys_forgotten"):
                tenant.books.forget_replays()
                self.kernel.note("the ledger forgot its keys", tenant.company_id)
