"""One seed from its world to its verdict, and what a failed one tells: the smallest faults and a short timeline.

`run_seed(n)` gives the same history every time. Phases: trouble for some minutes, then no new faults (what was in
flight must settle within the quarantine and two sweeps), then Sync Now twice, then rest and the final checks.
"""

from __future__ import annotations

import random
import shutil
import smtplib
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache, partial
from multiprocessing.util import Finalize
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import select
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import StaticPool

from models import Base, Connection, make_engine, make_sessions
from sync.settings import ORDERS
from sync.tokens import store_new_grant
from tests.simulation import mailing, purchasing
from tests.simulation.actors import Actors
from tests.simulation.database import Database
from tests.simulation.dialects import DIALECTS
from tests.simulation.faults import Bounds, Faults
from tests.simulation.identity import RING, ROTATIONS, SimIdentity
from tests.simulation.invariants import final, i20_in_the_books_means_complete
from tests.simulation.kernel import Event, Kernel, Process, TooLong
from tests.simulation.machine import JOBS, Bells, Services, SteppingSession
from tests.simulation.outside import approve_the_rest
from tests.simulation.platforms import SimLedger, SimSource
from tests.simulation.postbox import Postbox
from tests.simulation.reading import by_source
from tests.simulation.watcher import CREATIONS, QUARANTINE, Violation, Watcher, install
from tests.simulation.world import Tenant, make_tenant
from workers import enqueue, jobs

SETTLES_WITHIN = QUARANTINE + 2 * 30.0 + 15
"""Seconds after the last fault: the quarantine, two sweeps, and the calls themselves."""
FOUND_WITHIN = 150.0
"""The same for what the ledger has: a lease that runs out, a sweep, and the look-up."""
IN_FLIGHT = ("SENDING", "UNKNOWN", "READY")
BUSY = (
    "runs WHERE finished_at IS NULL",
    "postings WHERE state IN ('READY', 'SENDING', 'UNKNOWN')",
    "postings WHERE state = 'CONFIRMED' AND next_action_at IS NOT NULL",
    "postings WHERE state = 'NEW' AND next_action_at IS NOT NULL AND kind NOT IN ('customer', 'vendor', 'item')",
    "documents WHERE due_at IS NOT NULL",
    "todos WHERE ended_at IS NULL AND (next_action_at IS NOT NULL OR state = 'sending')",
    "todo_states WHERE dirty_at IS NOT NULL",
    "error_marks WHERE state IN ('wanted', 'clearing')",
    "error_mark_states WHERE dirty_at IS NOT NULL",
    "company_leases WHERE holder IS NOT NULL",
)
"""While one of these has a row, something still moves."""
NEAR_A_WRITE = frozenset({
    "after_reserve", "after_freeze", "after_intent", "submitted", "before_send", "about to send",
    "waits for an answer", "after_send", "after_confirm", "look-up", "look-up answered", "after_look_up",
    "after_write_back", "before_done", "waits for calls",
})  # fmt: skip
"""Where a death or a freeze matters most."""
IDLE = ("no job", "next look", "thinks")
"""Where a death or a freeze would show nothing."""
LONGEST_TROUBLE = 3600.0
MIXES = (("quickbooks",), ("xero",), ("quickbooks", "quickbooks"), ("xero", "xero"), ("quickbooks", "xero"))
"""Whose books the companies of a seed keep."""
ENDED = ("CONFIRMED", "DONE", "NEEDS_HUMAN")
REST = 4 * 3600.0
"""Virtual seconds within which everything must have come to rest after the last Sync Now."""
MAIL_MOMENTS, CLOCKS_APART = 20, 1300.0
"""So often the clock is set on to a mail that waits; what is due by one process's clock is later by another's."""
ASK_AGAIN = 2.0
"""Virtual seconds until it is asked again whether a phase is over."""


@dataclass(frozen=True)
class Profile:
    """How hard a seed is. The default is what a release must survive; ablations use a harder one."""

    without: frozenset[str] = frozenset()
    rates: tuple[tuple[str, float], ...] = ()
    bounds: Bounds | None = None
    kept: frozenset[int] | None = None
    """Only the faults of these numbers happen: how a failing seed is shortened."""
    known: bool = False
    """The ledgers have every customer and item: documents meet the faults, not the creations that they wait for."""
    hard: bool = False
    """The ledgers check no document number: everything rests on key, look-up and quarantine."""
    ledgers: tuple[str, ...] = ()
    """The ledger of each company; empty: drawn."""
    database: bool = True
    """The database fails, too."""
    mails: bool = True
    """Runs are mailed to their recipients, by a mail server that has trouble of its own."""
    purchases: bool = True
    """Companies buy, too."""
    most: int = 500
    """So many documents wait in a company at most. What a seed costs grows with them."""


@dataclass
class Outcome:
    """What one seed did and showed. `faults`: by kind, once for every document whose running step changed."""

    seed: int
    ledgers: tuple[str, ...]
    documents: int
    crashes: int
    recoveries: int
    drawn: int
    counts: Counter[str]
    faults: Counter[str]
    violations: list[Violation]
    """Errors that nobody caught come first: what else broke may only follow from them."""
    events: list[Event]
    trace: str
    found_s: list[float] = field(default_factory=list)
    """What was in flight when the faults ended and stood in the books: seconds until it was settled."""
    absent_s: list[float] = field(default_factory=list)
    """The same for what did not stand in the books."""

    def count(self, kind: str) -> int:
        return sum(1 for violation in self.violations if violation.kind == kind)

    @property
    def ok(self) -> bool:
        return all(violation.kind == "residual" for violation in self.violations)


def run_seed(seed: int, profile: Profile = Profile()) -> Outcome:
    """Simulate one world. Raises nothing for a violation: the outcome tells."""
    with tempfile.TemporaryDirectory(prefix="bb-sim-", dir=memory()) as folder:
        path = Path(folder) / "sim.sqlite"
        shutil.copyfile(template(), path)
        return Simulation(seed, profile, path).run()


class Simulation:
    """The parts of one seed, wired together."""

    def __init__(self, seed: int, profile: Profile, path: Path) -> None:
        self.seed, self.rng = seed, random.Random(seed)
        self.kernel = Kernel(random.Random(self.rng.random()))
        draws = random.Random(self.rng.random())
        self.dialects = profile.ledgers or self.rng.choice(MIXES)
        self.faults = Faults.draw(
            draws,
            without=profile.without,
            rates=dict(profile.rates),
            bounds=profile.bounds,
            only=profile.kept,
            keys_end="xero" in self.dialects,
            database=profile.database,
            mails=profile.mails,
        )
        self.engine = make_engine(f"sqlite:///{path}", poolclass=StaticPool)  # No two transactions are ever open.
        self.database = Database(self.kernel, self.faults, self._met_in_transaction)
        self.database.behind(self.engine)
        plain = make_sessions(self.engine)
        stepping = sessionmaker(self.engine, class_=SteppingSession, expire_on_commit=False, kernel=self.kernel)
        self.tenants = self._tenants(plain, profile)
        self.watcher = Watcher(self.kernel, path, {t.company_id: t for t in self.tenants})
        self.services = Services(
            self.kernel, stepping, plain, Bells(self.kernel, self.faults), self.database,
            ledgers={t.company_id: partial(self._ledger, t) for t in self.tenants},
            sources={t.company_id: partial(SimSource, t.source_line, t.source) for t in self.tenants},
            calls_in_flight=self.rng.choice((1, 4)),
        )  # fmt: skip
        if profile.database:
            self._tokens_are_played(plain)
        self.readers: list[mailing.Readers] = []
        if profile.mails:
            self._mail_is_played(plain)
        self.actors = Actors(self.kernel, self.services, self.tenants, random.Random(self.rng.random()))
        self.actors.readers = self.readers
        self.trouble_s = 500.0 if profile.hard else self.rng.choice((300.0, 600.0, 900.0))
        self.longer_s = 1200.0 if profile.hard else LONGEST_TROUBLE
        self.crashes = 0
        self.ended_s = 0.0
        self.found_s: list[float] = []
        self.absent_s: list[float] = []
        self.kernel.fate = self._fate
        self.kernel.after_step = self.watcher.look
        self._asked_at = 0.0

    def _tenants(self, plain: sessionmaker, profile: Profile) -> list[Tenant]:  # type: ignore[type-arg]
        made = []
        with plain() as db, db.begin():
            for number, ledger in enumerate(self.dialects[:1] if profile.hard else self.dialects, 1):
                made.append(make_tenant(
                    db, number, self.kernel, self.faults, self.rng, DIALECTS[ledger], hard=profile.hard,
                    known=profile.known, most=profile.most,
                ))  # fmt: skip
                if made[-1].dialect.purchases and profile.purchases:
                    purchasing.furnish(db, made[-1], self.rng, profile.most)
        return made

    def _tokens_are_played(self, plain: sessionmaker) -> None:  # type: ignore[type-arg]
        """Each company has a grant of its own at Intuit; at Xero all of them share the one of whoever connected them.
        Randomness of its own, as with the mails. What goes wrong with renewals is played by the token races."""
        services, rng = self.services, random.Random(f"tokens of seed {self.seed}")
        with plain() as db, db.begin():
            for tenant in self.tenants:
                rotation = ROTATIONS[tenant.dialect.ledger]
                shared = [services.grants[one.company_id] for one in self.tenants
                          if one.dialect.shared_grant and one.company_id in services.grants
                          and one.dialect is tenant.dialect]  # fmt: skip
                if not shared:
                    identity = SimIdentity(rotation, self.kernel, rng, 0.0)
                    made = store_new_grant(
                        db, RING, provider=rotation.provider, subject=tenant.books.tenant, tokens=identity.first(),
                        now=self.kernel.now(),
                    )  # fmt: skip
                    shared = [(made.id, identity)]
                services.grants[tenant.company_id] = shared[0]
                db.scalars(select(Connection).where(
                    Connection.company_id == tenant.company_id, Connection.side == "ledger"
                )).one().grant_id = shared[0][0]  # fmt: skip

    def _mail_is_played(self, plain: sessionmaker) -> None:  # type: ignore[type-arg]
        """Randomness of its own: what else a seed has is the same without it."""
        rng, services = random.Random(f"mails of seed {self.seed}"), self.services
        services.postbox = Postbox(self.kernel, self.faults)
        services.bells.jobs = (*JOBS, "mails")
        services.config.report_strangers = rng.choice(("notice", "notice", "full", "never"))
        with plain() as db, db.begin():
            for tenant in self.tenants:
                mailing.furnish(db, tenant, rng, self.kernel.now())
                readers = mailing.Readers(services, tenant, random.Random(rng.random()), lambda: self.actors.resting)
                self.readers.append(readers)

    def _mail_server(self) -> AbstractContextManager[object]:
        postbox = self.services.postbox
        return patch.object(smtplib, "SMTP", postbox.connect) if postbox is not None else nullcontext()

    def _ledger(self, tenant: Tenant) -> SimLedger:
        books = tenant.books
        others = [other.books for other in self.tenants if other is not tenant and other.dialect is tenant.dialect]
        if self.kernel.now_s < tenant.relinked_until and others:
            books = others[0]
        token = partial(self.services.token, tenant.company_id)
        return SimLedger(tenant.ledger_line, books, tenant.dialect, tenant.members, self.watcher.sent, token)

    def _fate(self, process: Process, label: str) -> str | float | None:
        if label in IDLE:
            if self.faults.over:
                process.skew_s = 0.0  # put right by the database's, as it is in every process
            return None
        weight = 8.0 if label in NEAR_A_WRITE else 0.4
        if self.faults.happens("crash", weight):
            self.crashes += 1 if self._met("crash", process) else 0
            return "crash"
        if self.faults.happens("freeze", weight):
            self._met("freeze", process)
            return self.faults.seconds(5, self.faults.bounds.freeze)
        return None

    def _met(self, name: str, process: Process) -> int:
        """How many documents had a step running in the process that a fault strikes."""
        documents = process.hands + self.watcher.in_flight(process.prefix)
        self.faults.touch(name, documents)
        return documents

    def _met_in_transaction(self, name: str, process: Process, connection: sqlite3.Connection) -> None:
        """What the process has in flight, or what the transaction changed: whichever is more."""
        in_hand = process.hands + self.watcher.in_flight(process.prefix)
        self.faults.touch(name, max(in_hand, self.watcher.changed_in(connection)))

    # ---- the phases -----------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        self.play()
        self.judge()
        self.watcher.db.close()
        self.engine.dispose()
        return Outcome(
            self.seed, tuple(tenant.dialect.ledger for tenant in self.tenants),
            sum(sum(one.posts for one in t.wanted.values()) for t in self.tenants), self.crashes,
            self.watcher.recoveries, self.faults.drawn, self.faults.counts, self.faults.touched,
            sorted(self.watcher.violations, key=lambda one: one.kind != "error"),
            self.kernel.events, self.kernel.trace_hash(), self.found_s, self.absent_s,
        )  # fmt: skip

    def play(self) -> None:
        """The whole history, up to the last rest."""
        ours = patch.object(jobs, "services", lambda: self.services)
        job = patch.object(jobs, "get_current_job", self.actors.current_job)
        with patch.object(enqueue, "put_all", self.services.bells.put_all), ours, job, self._mail_server():
            self.actors.start(workers=self.rng.choice((2, 3)), schedulers=2)
            self._phases()

    def judge(self) -> None:
        """What must hold in the end. It reads and changes nothing but the list of violations."""
        final(self.watcher)
        for readers in self.readers:
            for subject, text, kind in mailing.Mails(self.watcher, self.services, readers, self.ended_s).findings():
                self.watcher.blame(kind, readers.tenant.company_id, subject, text)
        for problem in (*self.kernel.failures, *self.actors.job_errors):
            self.watcher.blame("error", 0, "a process", problem)

    def _phases(self) -> None:
        try:
            self.kernel.run(lambda: False, limit_s=self.trouble_s)
            self.kernel.run(self._mostly_posted, limit_s=self.longer_s)
            self._faults_end()
            self._come_to_rest()
            for tenant in self.tenants:
                for subject, text in i20_in_the_books_means_complete(self.watcher, tenant):
                    self.watcher.blame("I20", tenant.company_id, subject, text)
            for _ in range(2):
                self._sync_once_more()
                self._next_day()
            self._reconcile()
            if self.readers:
                self._mails_go()
        except TooLong as error:
            self.watcher.blame("stuck", 0, "the system", str(error))

    def _mostly_posted(self) -> bool:
        """Nearly everything went through the trouble: what is left would be posted in peace.

        Voided invoices, and those that wait for the void of another one, may never be posted: they do not count.
        """
        if not self._asks_again():
            return False
        sent = {(row.company_id, row.key) for row in self.watcher.postings.values()
                if row.document_id and row.state in ENDED}  # fmt: skip
        due = [(tenant.company_id, one.key) for tenant in self.tenants for one in tenant.wanted.values()
               if one.posts and not one.voided and not one.late and one.instead_of is None]  # fmt: skip
        return sum(one in sent for one in due) >= 0.9 * len(due)

    def _asks_again(self) -> bool:
        """Conditions over everything are asked now and then, not after every step."""
        again = self.kernel.now_s >= self._asked_at + ASK_AGAIN
        if again:
            self._asked_at = self.kernel.now_s
        return again

    def _faults_end(self) -> None:
        """No new faults: what was in flight settles within the quarantine and two sweeps (I15)."""
        self.faults.stop()
        self.database.recover()
        if self.services.postbox is not None:
            self.services.postbox.away_until = self.kernel.now_s
        self.actors.resting = True
        begin = self.ended_s = self.kernel.now_s
        self.kernel.note("no more faults from here on")
        for task in self.kernel.tasks:
            task.process.frozen_until = min(task.process.frozen_until, begin)
        for tenant in self.tenants:
            tenant.books.lapsed_until = begin
            tenant.books.bring_back()
            tenant.ledger_line.away_until = tenant.source_line.away_until = begin
            tenant.relinked_until = begin
            approve_the_rest(tenant, self.kernel)
            self.actors.reconnect(tenant, self.services.plain)
        # A platform that said until when it takes no calls keeps its word: that fault ends then.
        ended = {t.company_id: max(begin, t.ledger_line.limited_until) for t in self.tenants}
        waiting = self._waiting()
        self.kernel.run(lambda: not self._settle(waiting, ended), limit_s=REST)

    def _waiting(self) -> dict[int, bool]:
        """What is in flight: posting → whether the ledger has it."""
        held = {t.company_id: by_source(t, t.books.documents()) for t in self.tenants}
        applied = {t.company_id: t.books.applied for t in self.tenants}
        return {
            row.id: bool(held[row.company_id].get(row.key)) if row.operation == "create"
            else (row.batch_key, row.short_id) in applied[row.company_id]
            for row in self.watcher.unsettled() if row.kind not in CREATIONS
        }  # fmt: skip

    def _settle(self, waiting: dict[int, bool], ended: dict[int, float]) -> bool:
        """Note what is settled by now, and what should have been; whether something still waits."""
        for id, held in list(waiting.items()):
            row = self.watcher.postings[id]
            took = max(0.0, self.kernel.now_s - ended[row.company_id])
            if row.state not in IN_FLIGHT:
                (self.found_s if held else self.absent_s).append(took)
            elif took > (FOUND_WITHIN if held else SETTLES_WITHIN):
                told = f"still {row.state} ({row.operation}) {took:.0f} s after the last fault"
                self.watcher.blame("stuck", row.company_id, f"{row.kind} {row.source_id}", told)
            else:
                continue
            del waiting[id]
        return bool(waiting)

    def _sync_once_more(self) -> None:
        """A person retries what is at Fault and presses Sync Now in every company, until nothing moves."""
        person = Process("last-person", mortal=False)
        for tenant in self.tenants:
            self.kernel.spawn(person, f"last-person-{tenant.company_id}", partial(self._last_words, tenant))
        self.kernel.run(lambda: not person.tasks, limit_s=60)
        self._come_to_rest()

    def _next_day(self) -> None:
        """Received orders are read again once a day. Nobody acts in between."""
        if not any(tenant.purchases for tenant in self.tenants):
            return
        self.kernel.now_s += 86_400.0
        self.kernel.run(lambda: False, limit_s=150.0)
        self._come_to_rest()

    def _reconcile(self) -> None:
        """The reconciler, which knows nothing of the checker, has to find what the checker finds."""
        person = Process("reconciler", mortal=False)
        for tenant in self.tenants:
            self.kernel.spawn(person, f"reconciler-{tenant.company_id}", partial(self.actors.reconcile, tenant))
        self.kernel.run(lambda: not person.tasks, limit_s=600)

    def _mails_go(self) -> None:
        """Mails that wait for their hour: nobody acts until then, so the clock is set on."""
        for _ in range(MAIL_MOMENTS):
            moment = mailing.next_moment(self.services)
            if moment is None:
                return
            self.kernel.now_s = max(self.kernel.now_s, moment)
            self.kernel.run(self._no_mail_is_due, limit_s=CLOCKS_APART)
            self._come_to_rest()  # the night's comparison begins meanwhile

    def _no_mail_is_due(self) -> bool:
        if not self._asks_again():
            return False
        moment = mailing.next_moment(self.services)
        return moment is None or moment > self.kernel.now_s + CLOCKS_APART

    def _last_words(self, tenant: Tenant) -> None:
        self.actors.retry(tenant)
        self.actors.press(tenant)
        if tenant.purchases is not None:
            self.actors.press(tenant, ORDERS)

    def _come_to_rest(self) -> None:
        """Nothing moves any more within some hours; what does is told, whether it shows in the books or not."""
        if self.kernel.run(self._at_rest, limit_s=REST):
            return
        for moving in self._moving():
            self.watcher.blame("stuck", 0, "the system", f"never came to rest: {moving}")

    def _at_rest(self) -> bool:
        # Late bytes may still reach a ledger.
        return not self.kernel.on_their_way and self._asks_again() and not any(self._moving())

    def _moving(self) -> Iterator[str]:
        """Tables, and which of their rows are not done yet."""
        return (busy for busy in BUSY if self.watcher.db.execute(f"SELECT 1 FROM {busy} LIMIT 1").fetchone())


@cache
def template() -> Path:
    """A database with the tables and no rows, made once per test process."""
    folder = tempfile.mkdtemp(prefix="bb-sim-template-", dir=memory())
    Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=1)  # At the end of pool processes too.
    path = Path(folder) / "template.sqlite"
    engine = make_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    install(path)
    return path


def memory() -> str | None:
    """Files in memory where there is such a place: thousands of commits need no disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
