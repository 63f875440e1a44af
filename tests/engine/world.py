"""A small world for the engine: SQLite, a virtual clock, the memory source and ledger, calls run in line."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from connectors.ledgers.base import Kind
from connectors.ledgers.memory import MemoryCompany, MemoryLedger
from connectors.sources.memory import MemorySource
from domain.documents import Catalog, Code, Party, SourceDocument, SourceHeader, SourceLine
from domain.settings import InvoiceSettings, MissingItem, SyncState
from models import Company, CompanyLease, Document, MirrorState, Posting, Run, SettingsVersion
from sync import codec, gather, requests
from sync.apply import serve
from sync.runtime import Finished, Runtime, Times
from tests.infra.database import Sessions

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass
class VirtualClock:
    instant: datetime = START

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@dataclass
class InlinePool:
    """Runs a call when it is submitted; hands the result over at the next wait."""

    done: list[Finished] = field(default_factory=list)

    def submit(self, tag: Any, call: Callable[[], Any]) -> None:
        try:
            self.done.append(Finished(tag, value=call()))
        except Exception as error:  # noqa: BLE001 - handed over, as the real pool does
            self.done.append(Finished(tag, error=error))

    def wait(self, seconds: float) -> list[Finished]:
        done, self.done = self.done, []
        return done

    @property
    def running(self) -> int:
        return len(self.done)


@dataclass
class World:
    """One company on both sides. `sync()` is what a press on Sync Now does, through the real code."""

    sessions: Sessions
    clock: VirtualClock
    rt: Runtime
    source: MemorySource
    books: MemoryCompany
    ledger: MemoryLedger
    company_id: int
    rung: list[int]

    def sync(self, *, confirmed: bool = True) -> int:
        run_id = self.release(confirmed=confirmed)
        self.serve_until_rest()
        return run_id

    def release(self, *, confirmed: bool = True) -> int:
        """Sync Now, read and handed on; nothing is served yet."""
        with self.sessions() as db, db.begin():
            run, _ = requests.ask_sync(
                db, db.get_one(Company, self.company_id), now=self.clock.now(), user=None, confirmed=confirmed
            )
            run_id = run.id
        gather.scan(self.rt, self.company_id, self.source, self.ledger, run_id)
        return run_id

    def dies_at(self, point: str) -> None:
        """Serve until the process dies at this point; its lease runs out."""
        def die(name: str) -> None:
            if name == point:
                raise RuntimeError("killed")

        with suppress(RuntimeError):
            serve(replace(self.rt, failpoint=die), self.company_id, self.source, self.ledger)
        self.clock.advance(300)

    def serve_until_rest(self, limit: int = 400) -> None:
        """Serve, and let time pass to the next wake-up, as the scheduler would."""
        for _ in range(limit):
            serve(self.rt, self.company_id, self.source, self.ledger)
            with self.sessions() as db:
                wake = db.get_one(CompanyLease, self.company_id).wake_at
            if wake is None:
                return
            self.clock.instant = max(self.clock.instant, wake)
        raise AssertionError("the company never comes to rest")

    def documents(self) -> dict[str, Document]:
        with self.sessions() as db:
            return {row.source_id: row for row in db.scalars(select(Document))}

    def postings(self) -> list[Posting]:
        with self.sessions() as db:
            return list(db.scalars(select(Posting).order_by(Posting.id)))

    def run(self, run_id: int) -> Run:
        with self.sessions() as db:
            return db.get_one(Run, run_id)


def make_world(sessions: Sessions, **changes: Any) -> World:
    """A connected company with the default settings of the tests (missing items created, everything in scope), in a
    database that has its tables."""
    clock = VirtualClock()
    source = MemorySource()
    books = MemoryCompany(clock=clock.now)
    account = books.add(Kind.ACCOUNT, "Sales", type="Income").id
    settings = InvoiceSettings(
        start_date=date(2026, 1, 1), sync_state=SyncState.OFF, missing_item=MissingItem.CREATE,
        created_item_account=account, run_limit=5000,
    )
    settings = codec.load(InvoiceSettings, {**codec.dump(settings), **changes})
    with sessions() as db, db.begin():
        company = Company(
            name="Harbor Point IT", ledger="quickbooks", ledger_tenant=books.tenant, source_tenant=source.tenant,
            country="US", currency="USD", created_at=clock.now(), profile={}, setup_step="ready",
        )
        db.add(company)
        db.flush()
        db.add_all([
            CompanyLease(company_id=company.id, fence=0, step=""), MirrorState(company_id=company.id, progress={}),
            SettingsVersion(company_id=company.id, area="invoices", version=1, values=codec.dump(settings), changes=[],
                            saved_at=clock.now()),
        ])
        company_id = company.id
    rung: list[int] = []
    rt = Runtime(
        sessions=sessions, clock=clock, pause=clock.advance, new_key=lambda: str(uuid.uuid4()), pool=InlinePool,
        ring=rung.append, worker="worker-1", lease_now=lambda db: clock.now(), times=Times(),
    )
    return World(sessions, clock, rt, source, books, MemoryLedger(books), company_id, rung)


def invoice(
    id: str, total: str = "100.00", *, party: str | None = "175", number: str | None = None, code: str = "1",
    tax: str = "0", lines: tuple[SourceLine, ...] | None = None, **header: Any,
) -> SourceDocument:
    """A finished invoice of one line, created a week ago."""
    amount = Decimal(total)
    made = lines if lines is not None else (line(f"{id}-1", str(amount - Decimal(tax)), code=code, tax=tax),)
    values: dict[str, Any] = {
        "kind": "invoice", "id": id, "number": number or f"AT-{id}", "party_id": party,
        "document_date": date(2026, 11, 13), "created_at": START - timedelta(days=7), "due_date": date(2026, 12, 13),
        "total": amount, "tax_total": Decimal(tax), **header,
    }
    return SourceDocument(SourceHeader(**values), made)


def line(id: str, amount: str, *, code: str = "1", tax: str = "0", quantity: str = "1", text: str = "Support",
         rate: str | None = None) -> SourceLine:
    return SourceLine(
        id=id, line_type="Labor", name="Support", text=text, quantity=Decimal(quantity), rate=Decimal(rate or amount),
        extended_price=Decimal(amount), tax=Decimal(tax), code_id=code,
    )


def furnish(world: World, parties: int = 3) -> None:
    """Companies 175, 176 … and billing codes 1 and 2 in the source; nothing in the ledger yet."""
    world.source.put_party(*(Party(str(175 + n), f"Customer {175 + n}") for n in range(parties)))
    world.source.lists = Catalog({"1": Code("1", "Remote support", "LAB-1"), "2": Code("2", "Hardware", "HW-2")})
