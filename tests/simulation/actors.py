"""Who acts in a simulated installation: workers, schedulers and people at the pages.

Workers and schedulers run the real `workers.jobs` and `workers.schedule.tick`; people do what the pages do.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from connectors.ledgers.memory_records import version_of
from domain.statuses import Status
from models import Company, Connection, Document, Run
from sync import (
    alike,
    codec,
    decisions,
    delivery,
    operations,
    order_changes,
    promoting,
    reconciling,
    replacing,
    requests,
    tools,
    voids,
)
from sync.lease import wake
from sync.settings import INVOICES, ORDERS
from tests.simulation.database import was_drawn
from tests.simulation.kernel import Kernel, Process
from tests.simulation.machine import Bell, Services
from tests.simulation.mailing import Readers
from tests.simulation.outside import dearer, outside
from tests.simulation.world import Tenant
from workers import enqueue, jobs, schedule

RETRIES = 3


@dataclass
class Actors:
    """Starts the processes of one installation and keeps them alive as a supervisor would."""

    kernel: Kernel
    services: Services
    tenants: list[Tenant]
    rng: random.Random
    job_errors: list[str] = field(default_factory=list)
    jobs: dict[Process, Bell] = field(default_factory=dict)
    """What each worker carries out."""
    readers: list[Readers] = field(default_factory=list)
    resting: bool = False
    """Set when faults are over: the office and the people stop acting."""

    def start(self, *, workers: int, schedulers: int) -> None:
        for number in range(workers):
            self._supervise(f"worker-{number + 1}", self._worker)
        for number in range(schedulers):
            self._supervise(f"scheduler-{number + 1}", self._scheduler)
        for tenant in self.tenants:
            self._supervise(f"person-{tenant.company_id}", lambda t=tenant: self._person(t))
            for name, act in outside(self.kernel, self.services, tenant, self.rng, self).items():
                self._supervise(f"{name}-{tenant.company_id}", act, mortal=False)
        for readers in self.readers:
            self._supervise(f"reader-{readers.tenant.company_id}", readers.act, mortal=False)

    def _supervise(self, name: str, run: Callable[[], None], *, mortal: bool = True) -> None:
        lives = 0

        def begin(after: float = 0.0) -> None:
            nonlocal lives
            process = Process(name, mortal, life=lives)
            lives += 1
            process.on_death = again
            if mortal and self.services.bells.faults.happens("clock_wrong"):
                process.skew_s = self.services.bells.faults.seconds(-600, 600)
                self.kernel.note(f"begins with a clock that is {process.skew_s:+.0f} s off", who=name)
            self.kernel.spawn(process, name, run, after=after)

        def again() -> None:
            begin(self.rng.uniform(1, 30))

        begin()

    # ---- processes ------------------------------------------------------------------------------------------

    def _worker(self) -> None:
        while True:
            taken = self.services.bells.take(self.rng)
            if taken is None:
                self.kernel.sleep(1.5, "no job")
                continue
            self._job(taken)

    def _job(self, bell: Bell) -> None:
        """One job. The process that RQ forks for it ends with it, and with that what it left running."""
        company_id = bell.company_id
        self.jobs[self.kernel.current.process] = bell
        self.kernel.note(f"begins {bell}", company_id)
        try:
            getattr(jobs, bell.function)(*bell.ids)
        except AssertionError:
            raise
        except Exception as error:  # noqa: BLE001 - an error nobody caught is a finding, whatever it is
            self.kernel.note(f"{bell} FAILED: {type(error).__name__}: {error}", company_id)
            if isinstance(error, OperationalError) and was_drawn(error):
                self.services.bells.again(bell)
            else:
                self.job_errors.append(f"{bell.function}: {type(error).__name__}: {error}")
            self.kernel.end_others()
        self.kernel.note(f"ends {bell}", company_id)

    def mails(self, process: Process) -> bool:
        """Whether it hands mails over now, or did last."""
        bell = self.jobs.get(process)
        return bell is not None and bell.function == "mails"

    def current_job(self) -> Bell | None:
        """In place of RQ's `get_current_job`."""
        return self.jobs.get(self.kernel.current.process)

    def _scheduler(self) -> None:
        """As `workers.schedule.run` does, which says that it could not look and looks again."""
        while True:
            self._unless_broken(lambda: schedule.tick(self.services, 1))  # type: ignore[arg-type]
            if self.services.postbox is not None:  # every fifth of the real one's ticks
                self._unless_broken(lambda: enqueue.mails(self.services))  # type: ignore[arg-type]
            self.kernel.sleep(self.rng.uniform(8, 30), "next look")

    def _unless_broken(self, act: Callable[[], object]) -> None:
        """What the database fails ends there."""
        try:
            act()
        except OperationalError as error:
            if not was_drawn(error):
                raise
            self.kernel.note("gave up, as the database failed")

    # ---- people ---------------------------------------------------------------------------------------------

    def _person(self, tenant: Tenant) -> None:
        """Presses Sync Now now and then, often twice, and sometimes Stop, Retry, Void or Replace."""
        while not self.resting:
            self._unless_broken(lambda: self.press(tenant))
            self.kernel.sleep(self.rng.choice((5.0, 30.0, 60.0, 150.0)), "thinks")
            if self.resting:
                return
            for page in self._pages(tenant):
                self._unless_broken(page)

    def _pages(self, tenant: Tenant) -> list[Callable[[], object]]:
        """What the person asks for next. A request that the database fails is an error page, and no more."""
        draw = self.rng.random()
        for most, page in (
            (0.12, self.stop), (0.3, self.retry), (0.45, self.decide_voids), (0.55, self.replace_one),
            (0.62, self.copy_anew), (0.7, self.approve_drafts),
        ):  # fmt: skip
            if draw < most:
                return [partial(page, tenant)]
        if draw < 0.9 and tenant.purchases is not None:
            return [partial(self.press, tenant, ORDERS), partial(self.decide_orders, tenant)]
        return [partial(self.press, tenant)] * self.rng.choice((0, 0, 1, 2))

    def press(self, tenant: Tenant, area: str = INVOICES) -> int:
        """Sync Now, confirmed, with a report to two addresses."""
        made, now = self.services, self.kernel.now()
        asked: list[dict[str, Any]] = [
            {"address": address, "kind": "additional"} for address in ("one@customer.invalid", "Two@customer.invalid")
        ]
        with made.sessions() as db, db.begin():
            company = db.get_one(Company, tenant.company_id)
            run, new = requests.ask(
                db, company, kind="sync", trigger="button", now=now, user=None, recipients=asked, confirmed=True,
                area=area,
            )
            run_id = run.id
        self.kernel.note(f"pressed Sync Now ({area}): run {run_id}{' (new)' if new else ''}", tenant.company_id)
        if new:
            enqueue.scan(made, tenant.company_id, run_id)  # type: ignore[arg-type]
        return run_id

    def reconcile(self, tenant: Tenant) -> None:
        """Presses Compare now; the run is carried out by whoever presses."""
        made = self.services
        with made.sessions() as db, db.begin():
            company = db.get_one(Company, tenant.company_id)
            run, new = tools.ask(db, company, reconciling.KIND, {}, now=self.kernel.now(), user=None)
            db.flush()
            run_id = run.id
        if new:
            jobs.tool(tenant.company_id, run_id)

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

    def decide_voids(self, tenant: Tenant) -> None:
        """What was voided in the source and stands in the ledger: voided there too, sometimes kept."""
        now = self.kernel.now()
        with self.services.sessions() as db, db.begin():
            rows = db.scalars(
                select(Document)
                .where(Document.company_id == tenant.company_id)
                .where(Document.reason_code.in_((*voids.DECIDABLE, *voids.CORRECTABLE)))
                .order_by(Document.id)
            ).all()
            for row in rows:
                if self.rng.random() < 0.8:
                    decide = voids.correct if row.reason_code in voids.CORRECTABLE else voids.void
                    done = decide(db, row, now=now, who="a person")
                else:
                    done = voids.keep(db, row, why="as agreed", now=now, who="a person")
                self.kernel.note(f"decided about the void of invoice {row.source_id}: {done}", tenant.company_id)
        if rows:
            enqueue.ring(self.services, tenant.company_id)  # type: ignore[arg-type]

    def decide_orders(self, tenant: Tenant) -> None:
        """What changed after it was billed is settled; a bill that was typed in is the one, or another one."""
        try:
            decided = self._decide_orders(tenant)
        finally:
            self._note_allowed(tenant)
        if decided:
            enqueue.ring(self.services, tenant.company_id)  # type: ignore[arg-type]

    def _decide_orders(self, tenant: Tenant) -> int:
        """How many were decided about."""
        now, capabilities = self.kernel.now(), self.services.ledger(tenant.company_id).capabilities
        with self.services.sessions() as db, db.begin():
            rows = db.scalars(select(Document).where(
                Document.company_id == tenant.company_id, Document.status == Status.FAULT,
                Document.reason_code.in_((*order_changes.DECIDABLE, "bill_exists")),
            ).order_by(Document.id)).all()  # fmt: skip
            for row in rows:
                if self.rng.random() < 0.6 and order_changes.may_take_out(db, row):
                    done = order_changes.take_out(db, row, why="it was cancelled", now=now, who="a person")
                elif row.reason_code != "bill_exists":
                    done = order_changes.settle(db, row, why="as agreed", now=now, who="a person")
                elif self.rng.random() < 0.5:
                    done = alike.post_anyway(db, row, why="another one", now=now, who="a person")
                else:
                    found = row.alike["found"][0]["id"]
                    done = alike.adopt(db, row, capabilities, found, why="it is", now=now, who="a person")
                self.kernel.note(f"decided about order {_key(row)}: {done}", tenant.company_id)
        return len(rows)

    def _note_allowed(self, tenant: Tenant) -> None:
        """What may be posted beside another bill, by the database: the request that asked for it may have failed."""
        with self.services.plain() as db:
            rows = db.scalars(select(Document).where(
                Document.company_id == tenant.company_id, Document.alike.is_not(None)
            ))  # fmt: skip
            for row in rows:
                if "post_anyway" in (row.alike or {}):
                    tenant.wanted[_key(row)].posts = True

    def approve_drafts(self, tenant: Tenant) -> None:
        """Has every draft of ours approved, where the ledger knows drafts."""
        if not tenant.books.drafts:
            return
        with self.services.sessions() as db, db.begin():
            asked = promoting.approve_all(db, tenant.company_id, self.kernel.now(), "a person")
        if asked:
            self.kernel.note(f"asked for {asked} drafts to be approved", tenant.company_id)
            enqueue.ring(self.services, tenant.company_id)  # type: ignore[arg-type]

    def copy_anew(self, tenant: Tenant) -> None:
        """Takes an invoice out of the ledger and has it posted anew; never one that was, or may be, mailed."""
        with self.services.sessions() as db, db.begin():
            rows = self._in_books(db, tenant)
            held = {one.id: one for one in tenant.books.visible()}
            rows = [row for row in rows if row.ledger_id in held and not held[row.ledger_id].mailed
                    and delivery.of(db, row) is None]  # fmt: skip
            if not rows:
                return
            row = self.rng.choice(rows)
            draft = replacing.last_written(db, row)
            if draft is None:
                return
            operations.reserve(
                db, row, operations.REMOVE, codec.dump(draft), now=self.kernel.now(), interactive=1,
                terms={"by": "a person", "version": version_of(held[str(row.ledger_id)]), "reviewed": None},
            )
        self.kernel.note(f"asked to copy invoice {row.source_id} anew", tenant.company_id)
        enqueue.ring(self.services, tenant.company_id)  # type: ignore[arg-type]

    def _in_books(self, db: Session, tenant: Tenant) -> list[Document]:
        rows = db.scalars(
            select(Document)
            .where(Document.company_id == tenant.company_id, Document.status == Status.COMPLETE)
            .order_by(Document.id)
        ).all()
        return [row for row in rows if row.kind == "invoice" and replacing.in_books(db, row)
                and not tenant.wanted[row.source_id].voided]  # fmt: skip

    def replace_one(self, tenant: Tenant) -> None:
        """An invoice that is in the books changes in the source, and a person replaces the ledger's version."""
        with self.services.sessions() as db, db.begin():
            rows = self._in_books(db, tenant)
            if not rows:
                return
            row = self.rng.choice(rows)
            draft = replacing.last_written(db, row)
            held = next((one for one in tenant.books.visible() if one.id == row.ledger_id), None)
            if draft is None or held is None:
                return
            changed = dearer(tenant, row.source_id, Decimal(self.rng.randrange(1, 50)))
            first, *rest = draft.lines
            more = abs(changed.header.total) - draft.total
            amount = first.amount + more
            first = replace(first, amount=amount, unit_price=amount, quantity=Decimal(1))
            fresh = replace(draft, lines=(first, *rest), total=draft.total + more)
            operations.reserve(
                db,
                row,
                operations.UPDATE,
                codec.dump(fresh),
                now=self.kernel.now(),
                interactive=1,
                terms={"by": "a person", "version": version_of(held)},
            )
        self.kernel.note(f"asked to replace invoice {row.source_id}: {fresh.total}", tenant.company_id)
        enqueue.ring(self.services, tenant.company_id)  # type: ignore[arg-type]

    def reconnect(self, tenant: Tenant, sessions: sessionmaker[Session]) -> None:
        """An admin connects again: the connections are good and what waited is due."""
        with sessions() as db, db.begin():
            for connection in db.scalars(select(Connection).where(Connection.company_id == tenant.company_id)):
                connection.state, connection.problem = "connected", None
            wake(db, tenant.company_id, self.kernel.now())
        self.kernel.note("connected again", tenant.company_id)


def _key(row: Document) -> str:
    """What a document stands under in a company's `wanted`."""
    return f"{row.source_id}/{row.part}" if row.part else row.source_id
