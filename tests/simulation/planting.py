"""Finished worlds in which something is wrong on purpose: what the checker must then say is asked in `test_checker.py`.

One small seed without faults is played once; each plant works on a copy of its books, its source, its mailbox and its
database, so that plants do not see each other.
"""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from connectors.ledgers.memory import Entry
from models import TodoState, make_engine, make_sessions
from sync import settings, todo_state
from sync.settings import INVOICES, ORDERS
from tests.simulation.books import Delivery
from tests.simulation.campaign import Profile, Simulation
from tests.simulation.faults import RATES
from tests.simulation.kernel import START
from tests.simulation.reading import ours
from tests.simulation.watcher import KEY, Watcher
from tests.simulation.world import Tenant

Plant = Callable[["Planted"], object]
PLANTS: dict[str, tuple[str, str, Plant]] = {}
"""By name: the kind of violation, words of its text, and what spoils the world."""
CALM = Profile(without=frozenset(RATES), ledgers=("quickbooks", "xero"), most=6)
SEED = 4


def says(kind: str, words: str) -> Callable[[Plant], Plant]:
    """What the checker has to say of the plant below."""

    def note(plant: Plant) -> Plant:
        PLANTS[plant.__name__] = kind, words, plant
        return plant

    return note


def finished(path: Path) -> Simulation:
    """A company of each ledger at rest, whose settings want everything that can follow a document."""
    made = Simulation(SEED, CALM, path)
    with made.services.plain() as db, db.begin():
        for tenant in made.tenants:
            for area in (INVOICES, ORDERS):
                todo_state.choose(db, tenant.company_id, area, TodoState, True, START)
            wants = {"mail_customers": True, "attach_pdf": True, "error_todos": True}
            settings.change(db, tenant.company_id, now=START, user=None, **wants)
    made.services.config.report_strangers = "notice"
    made.trouble_s = made.longer_s = 60.0
    made.play()
    return made


class Planted:
    """A copy of a finished world, its checker, and short ways to what is wrong in it."""

    def __init__(self, whole: Simulation, path: Path) -> None:
        with closing(sqlite3.connect(path)) as target:
            whole.watcher.db.backup(target)
        self.kernel, shared = whole.kernel, (whole.kernel, whole.faults)
        same = {id(one): one for one in shared}
        self.tenants: list[Tenant] = copy.deepcopy(whole.tenants, same)
        self.watcher = Watcher(whole.kernel, path, {one.company_id: one for one in self.tenants})
        self.engine = make_engine(f"sqlite:///{path}")
        services = replace(whole.services, plain=make_sessions(self.engine))
        assert whole.services.postbox is not None
        self.postbox = services.postbox = replace(whole.services.postbox, taken=[*whole.services.postbox.taken])
        self.world = copy.copy(whole)
        self.world.watcher, self.world.services, self.world.tenants = self.watcher, services, self.tenants
        self.world.readers = [
            replace(one, services=services, tenant=tenant, standings=copy.deepcopy(one.standings))
            for one, tenant in zip(whole.readers, self.tenants, strict=True)
        ]
        self.look()

    def close(self) -> None:
        self.watcher.db.close()
        self.engine.dispose()

    def look(self) -> None:
        """As after a commit."""
        self.kernel.commits += 1
        self.watcher.look()

    def sql(self, statement: str, *values: object) -> None:
        """One commit of some process."""
        assert self.watcher.db.execute(statement, values).rowcount, f"nothing to change: {statement}"
        self.look()

    def one(self, select: str, *values: object) -> tuple[object, ...]:
        found = self.watcher.db.execute(select, values).fetchone()
        assert found is not None, f"nothing there: {select}"
        return tuple(found)

    def told(self) -> list[tuple[str, str]]:
        """Kind and text of all that the checker finds."""
        self.world.judge()
        return [(one.kind, f"{one.subject}: {one.text}") for one in self.watcher.violations]

    def columns(self, table: str, **other: str) -> str:
        """All columns of a table for a SELECT, some of them by another expression."""
        names = [str(row[1]) for row in self.watcher.db.execute(f"PRAGMA table_info({table})")]
        return ", ".join(other.get(name, name) for name in names)

    # ---- what there is to spoil -----------------------------------------------------------------------------

    def posted(self, kind: str = "invoice", ledger: str = "") -> tuple[Tenant, str, Entry]:
        """A Complete document that stands once in the books: its company, its key, its ledger document."""
        return next(self.all_posted(kind, ledger))

    def all_posted(self, kind: str = "invoice", ledger: str = "") -> Iterator[tuple[Tenant, str, Entry]]:
        for tenant in self.tenants:
            complete = dict(self.watcher.db.execute(
                f"SELECT {KEY}, ledger_id FROM documents WHERE company_id = ? AND status = 'Complete'",
                (tenant.company_id,),
            ))  # fmt: skip
            for key, entries in ours(tenant).items() if ledger in tenant.dialect.ledger else ():
                wanted = tenant.wanted.get(key)
                if (wanted and wanted.kind == kind and not wanted.voided and len(entries) == 1
                        and complete.get(key) == entries[0].id):  # fmt: skip
                    yield tenant, key, entries[0]

    def document(self, tenant: Tenant, key: str) -> int:
        """Its row."""
        return int(str(self.one(f"SELECT id FROM documents WHERE company_id = ? AND {KEY} = ?",
                                tenant.company_id, key)[0]))  # fmt: skip

    def posting(self, tenant: Tenant, entry: Entry) -> int:
        """The row of the creation that made it."""
        return int(str(self.one(
            "SELECT id FROM postings WHERE company_id = ? AND ledger_id = ? AND operation = 'create'"
            " AND document_id IS NOT NULL", tenant.company_id, entry.id,
        )[0]))  # fmt: skip

    def second(self, tenant: Tenant, entry: Entry, **delivered: float) -> Entry:
        """The same document once more in the books."""
        twin = replace(entry, id=str(90_000 + int(entry.id)), body=copy.deepcopy(entry.body))
        first = tenant.books.made_by[entry.id]
        tenant.books.entries.append(twin)
        tenant.books.made.append(twin)
        tenant.books.made_by[twin.id] = Delivery(
            delivered.get("at", first.at), delivered.get("intended_at", first.intended_at), first.batch
        )
        return twin

    def more(self, entry: Entry, amount: int = 7) -> None:
        """Its first line gets another amount, as we would have written it."""
        first, *rest = entry.body["lines"]
        first = {**first, "amount": Decimal(first["amount"]) + amount}
        entry.body = {**entry.body, "lines": [first, *rest]}


@contextmanager
def planted(whole: Simulation, path: Path) -> Iterator[Planted]:
    made = Planted(whole, path)
    try:
        yield made
    finally:
        made.close()


