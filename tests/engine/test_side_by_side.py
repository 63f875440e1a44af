"""Two at once: what somebody does while the ledger is asked, while a lease is given back, while a run ends.

On PostgreSQL where it takes two transactions that are open side by side: one is held open while the other one runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from connectors.errors import RetryLater, Unavailable
from connectors.ledgers.base import Answer, Batch, Done, Kind, Sought
from connectors.ledgers.memory import MemoryLedger
from domain.documents import SourceHeader
from domain.order_settings import Becomes, OrderNumbers
from domain.statuses import Flag, PostingState, Status
from models import Company, CompanyLease, Document, Posting, Run, make_sessions
from sync import decisions, due, gather, one_order, replacing, requests, settings, voids
from sync.apply import Serving
from sync.areas import ORDERS
from sync.copy_outcome import Asked as CopyAsked
from sync.copy_outcome import Outcome
from sync.copying import Copy
from sync.documents import set_flag, set_status
from sync.lease import Lease, exclusive, wake
from tests.domain.order_samples import line
from tests.engine.test_orders import bought, choose, put, released, row, supplied, sync
from tests.engine.world import START, World, furnish, invoice, make_world
from tests.infra.database import with_tables
from tools.waiting import wait_until

__all__ = ["bought"]


# ---- while the ledger is asked ------------------------------------------------------------------------------


class Asked(MemoryLedger):
    """Its orders are looked for by their number before the first send, and every call is full with one of them.
    `meanwhile` happens while it is asked."""

    def __init__(self, world: World, meanwhile: Callable[[], None] = lambda: None, *, fails: bool = False) -> None:
        super().__init__(world.books)
        asks = frozenset({Kind.PURCHASE_ORDER.value})
        self.capabilities = replace(self.capabilities, edited_by_number=asks, batch_members=1)
        self.meanwhile, self.fails, self.over = meanwhile, fails, False

    def find(self, sought: Sequence[Sought]) -> Mapping[str, Sequence[Done]]:
        found = super().find(sought)
        if not self.over and any(one.kind is Kind.PURCHASE_ORDER for one in sought):
            self.over = True
            self.meanwhile()
            if self.fails:
                raise Unavailable("The ledger is not answering properly (status 503).", platform="The ledger")
        return found


@pytest.fixture
def ordering(bought: World) -> World:
    """Orders become purchase orders under the source's number."""
    bought.books.own_order_numbers = True
    choose(bought, becomes=Becomes.ORDER, numbers=OrderNumbers.SOURCE)
    put(bought, "411", line("1", 10, "42"))
    return bought


def read_one(world: World, id: str) -> int:
    """Sync one PO: read and handed on; nothing is served yet."""
    with world.sessions() as db, db.begin():
        run, _ = one_order.ask(
            db, db.get_one(Company, world.company_id), id, now=world.clock.now(), user=None, recipients=[]
        )
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    return run_id


def ordered(world: World) -> list[tuple[str | None, str]]:
    return [(one.number, str(one.total)) for one in world.books.entries if one.kind is Kind.PURCHASE_ORDER and one.live]


def order_of(world: World) -> Posting:
    [posting] = [one for one in world.postings() if one.ledger_kind == Kind.PURCHASE_ORDER.value]
    return posting


@pytest.mark.parametrize("fails", [False, True], ids=["answered", "not answered"])
def test_a_stop_is_not_overtaken_by_the_answer_of_a_look_up(ordering: World, fails: bool) -> None:
    def stop() -> None:
        with ordering.sessions() as db, db.begin():
            requests.withdraw(db, db.get_one(Run, run_id), ordering.clock.now())

    ordering.ledger = Asked(ordering, stop, fails=fails)
    run_id = released(ordering)
    ordering.serve_until_rest()
    assert ordered(ordering) == []
    assert (order_of(ordering).state, order_of(ordering).next_action_at) == (PostingState.NEW, None)
    assert (row(ordering, "411").status, row(ordering, "411").reason_code) == (Status.PENDING, "run_stopped")
    sync(ordering)
    assert ordered(ordering) == [("PO-411", "420.00")]


@pytest.mark.parametrize("fails", [False, True], ids=["answered", "not answered"])
def test_what_changed_in_the_source_while_the_ledger_was_asked_is_posted_as_it_is_now(
    ordering: World, fails: bool
) -> None:
    def change() -> None:
        put(ordering, "411", line("1", 12, "42"), number="PO-411-B")
        gather.poll(ordering.rt, ordering.company_id, ordering.source, ORDERS)

    ordering.ledger = Asked(ordering, change, fails=fails)
    released(ordering)
    ordering.serve_until_rest()
    assert ordered(ordering) == [] and row(ordering, "411").reason_code == "waits_for_reading"
    sync(ordering)
    assert ordered(ordering) == [("PO-411-B", "504.00")]


class Full(Asked):
    """Its limit is reached at the first write: what was frozen waits."""

    full = True

    def send(self, batch: Batch) -> Answer:
        if self.full and batch.members[0].kind is Kind.PURCHASE_ORDER:
            self.full = False
            raise RetryLater("Too many requests.", self.company.clock() + timedelta(minutes=10))
        return super().send(batch)


def test_a_number_that_was_looked_up_too_long_ago_is_asked_again_by_whoever_holds_the_lease_now(
    ordering: World
) -> None:
    """Found by the simulation (seed 1 on Xero): it was put back to be looked up under the fence of the one before."""
    asked: list[tuple[str, bool, bool, str]] = []

    def look() -> None:
        with ordering.sessions() as db:
            posting = db.scalars(select(Posting).where(Posting.ledger_kind == Kind.PURCHASE_ORDER.value)).one()
            lease = db.get_one(CompanyLease, ordering.company_id)
            fresh = ordering.clock.now() - posting.changed_at < timedelta(seconds=5)
            status = db.get_one(Document, posting.document_id).status
            asked.append((posting.state, posting.fence == lease.fence, fresh, status))
        ledger.over = False

    ordering.ledger = ledger = Full(ordering, look)
    sync(ordering)
    assert asked[-1] == (PostingState.UNKNOWN, True, True, Status.PROCESSING)
    assert ordered(ordering) == [("PO-411", "420.00")]


def test_an_answer_about_one_number_says_nothing_about_another(ordering: World) -> None:
    """Planned anew under another number while the ledger was asked for the first: the second is asked for too."""
    ordering.ledger = Asked(ordering)
    released(ordering)
    lease = Lease.acquire(ordering.rt, ordering.company_id)
    assert lease is not None
    serving = Serving(ordering.rt, lease, ordering.company_id, ordering.source, ordering.ledger)
    ids = [document.id for document in ordering.documents().values()]
    assert serving._prepare(ids) and serving._look_up()
    put(ordering, "411", line("1", 10, "42"), number="PO-411-B")
    gather.poll(ordering.rt, ordering.company_id, ordering.source, ORDERS)
    assert serving._prepare(ids) and row(ordering, "411").due_at is None
    read_one(ordering, "411")
    assert serving._prepare(ids) and serving._harvest(0)
    assert (order_of(ordering).target_id, order_of(ordering).base_version) == ("PO-411-B", None)


# ---- two transactions ---------------------------------------------------------------------------------------


@pytest.fixture
def side(postgres_url: str) -> World:
    made = make_world(make_sessions(with_tables(postgres_url)))
    furnish(made)
    return made


@pytest.fixture
def meanwhile(side: World) -> Iterator[Callable[..., Future[Any]]]:
    """Start something beside a transaction of this test: it has ended, or waits for that transaction."""
    waits = text(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )

    def blocked() -> bool:
        with side.sessions() as db:
            return bool(db.execute(waits).scalar_one())

    with ThreadPoolExecutor(1) as threads:
        def start(call: Callable[..., Any], *given: Any) -> Future[Any]:
            future = threads.submit(call, *given)
            wait_until(lambda: future.done() or blocked(), timeout_s=20, what="the other one ends or waits")
            return future

        yield start


def wake_at(world: World) -> datetime | None:
    with world.sessions() as db:
        return db.get_one(CompanyLease, world.company_id).wake_at


def held(world: World) -> Lease:
    lease = Lease.acquire(world.rt, world.company_id)
    assert lease is not None
    return lease


def press(world: World, db: Session) -> int:
    company = db.get_one(Company, world.company_id)
    return requests.ask_sync(db, company, now=world.clock.now(), user=None, confirmed=True)[0].id


def test_work_added_while_the_lease_is_given_back_rings(side: World, meanwhile: Callable[..., Future[Any]]) -> None:
    with side.sessions() as db, db.begin():
        wake(db, side.company_id, side.clock.now())  # what is served now
    lease = held(side)

    def next_wake(db: Session) -> datetime | None:
        return side.clock.now() if requests.open_run(db, side.company_id) else None

    with side.sessions() as db, db.begin():
        wake(db, side.company_id, side.clock.now())
        press(side, db)
        db.flush()
        given_back = meanwhile(lease.release, next_wake)
    given_back.result(20)
    assert wake_at(side) == side.clock.now()


def test_work_added_just_after_the_lease_was_given_back_rings(
    side: World, meanwhile: Callable[..., Future[Any]]
) -> None:
    with side.sessions() as db, db.begin():
        wake(db, side.company_id, side.clock.now())
    lease, added = held(side), []

    def add() -> None:
        with side.sessions() as db, db.begin():
            wake(db, side.company_id, side.clock.now())

    def nothing(db: Session) -> None:
        added.append(meanwhile(add))

    lease.release(nothing)
    added[0].result(20)
    assert wake_at(side) == side.clock.now()


def test_what_a_dead_process_left_rings_although_nothing_was_noted_before(world: World) -> None:
    world.source.put(invoice("1"))
    world.release()
    with world.sessions() as db, db.begin():
        db.get_one(CompanyLease, world.company_id).wake_at = None
    world.dies_at("after_intent")
    with world.sessions() as db:
        assert due.companies_to_ring(db, world.clock.now(), 30) == [world.company_id]


def test_a_void_that_is_settled_while_a_sync_takes_it_in_is_not_due_for_ever(
    side: World, meanwhile: Callable[..., Future[Any]]
) -> None:
    side.source.put(invoice("1"))
    side.sync()
    side.source.void("1", side.clock.now())
    side.sync()
    with side.sessions() as db, db.begin():
        assert voids.void(db, db.scalars(select(Document)).one(), now=side.clock.now(), who="Robin")
    lease = held(side)
    with side.sessions() as db, db.begin():
        run_id = press(side, db)

    def tell() -> None:
        with side.sessions() as db, db.begin():
            voids.tell(db, db.get_one(Run, run_id), side.clock.now(), "invoice")

    with lease.transaction() as db:
        set_status(db, db.scalars(select(Document)).one(), Status.COMPLETE, [], side.clock.now())
        db.flush()
        told = meanwhile(tell)
    told.result(20)
    assert side.documents()["1"].due_at is None


def test_a_settled_document_holds_no_run_open(world: World) -> None:
    world.source.put(invoice("1"))
    run_id = world.sync()
    with world.sessions() as db, db.begin():
        document = db.scalars(select(Document)).one()
        document.due_at, document.run_id = world.clock.now(), run_id
    with world.sessions() as db:
        assert not due.released(db, run_id)


class Between(gather.Scan):
    """Something happens after the headers were stored; no lines are read."""

    between: Callable[[], None]

    def _read_lines(self, headers: Sequence[SourceHeader], settings: Any) -> None:
        self.between()


def test_an_order_that_is_sent_while_somebody_names_it_keeps_its_posting(
    side: World, meanwhile: Callable[..., Future[Any]]
) -> None:
    """It was cancelled in the source, and the serving process is committing that it is sent."""
    put(supplied(side), "411")
    released(side)
    lease = held(side)
    Serving(side.rt, lease, side.company_id, side.source, side.ledger)._prepare([row(side, "411").id])
    side.source.void("411", START)
    with side.sessions() as db, db.begin():
        company = db.get_one(Company, side.company_id)
        run, _ = one_order.ask(db, company, "411", now=side.clock.now(), user=None, recipients=[])
    scan = Between(side.rt, side.company_id, side.source, side.ledger.capabilities, run.id, ORDERS)
    with side.sessions() as sending:
        def send() -> None:
            exclusive(sending, side.company_id)
            posting = sending.scalars(select(Posting).where(Posting.ledger_kind == Kind.BILL.value)).one()
            posting.state = PostingState.SENDING
            sending.flush()

        scan.between = send
        named = meanwhile(scan.one, side.source.contents["411"].header, settings.load_orders(sending, side.company_id))
        sending.commit()
    named.result(20)
    assert [one.state for one in side.postings() if one.ledger_kind == Kind.BILL.value] == [PostingState.SENDING]


def test_an_order_that_another_run_is_about_to_post_stays_a_row_of_that_run(bought: World) -> None:
    put(bought, "411")
    first = released(bought)
    named = read_one(bought, "411")
    assert row(bought, "411").run_id == first
    bought.serve_until_rest()
    assert bought.run(first).counts == {Status.COMPLETE: 1}
    assert bought.run(named).counts == {} and "asked for before" in (bought.run(named).message or "")


def test_a_comparison_keeps_the_flags_that_were_set_meanwhile(
    side: World, meanwhile: Callable[..., Future[Any]]
) -> None:
    side.source.put(invoice("1"))
    run_id = side.sync()
    with side.sessions() as db:
        chosen = settings.load_invoices(db, side.company_id)
    scan = gather.Scan(side.rt, side.company_id, side.source, side.ledger.capabilities, run_id)
    copy = Copy(
        side.rt, side.company_id, side.source, side.ledger, run_id, CopyAsked("AT-1", compare=True), chosen, scan
    )
    shown = {"changes": [], "gone": "voided", "outcome": Outcome.COMPARE}
    with held(side).transaction() as db:
        document = db.scalars(select(Document)).one()
        set_flag(document, Flag.VOIDED)
        db.flush()
        compared = meanwhile(replacing._flag, copy, document.id, shown)
    compared.result(20)
    assert set(side.documents()["1"].flags) == {Flag.VOIDED, Flag.CHANGED_LEDGER}


def test_a_run_that_somebody_joins_as_it_ends_goes_on(side: World, meanwhile: Callable[..., Future[Any]]) -> None:
    side.source.put(invoice("1"))
    gather.scan(side.rt, side.company_id, side.source, side.ledger, None)
    lease = held(side)
    serving = Serving(side.rt, lease, side.company_id, side.source, side.ledger)
    with side.sessions() as db, db.begin():
        company = db.get_one(Company, side.company_id)
        run, _ = requests.ask(
            db, company, kind="first_posting", trigger="button", now=side.clock.now(), user=None, confirmed=True
        )
        run.phase = "posting"  # what it was about is settled
    with side.sessions() as db, db.begin():
        document = db.scalars(select(Document)).one()
        joined = requests.ask_one(
            db, db.get_one(Company, side.company_id), document, now=side.clock.now(), user=None
        )
        db.flush()
        ended = meanwhile(serving._finish_runs)
    assert ended.result(20) is False and joined.id == run.id
    lease.release(lambda db: side.clock.now())
    side.serve_until_rest()
    assert side.run(run.id).counts == {Status.COMPLETE: 1}


def test_nobody_joins_a_retry_that_begins_to_read(side: World, meanwhile: Callable[..., Future[Any]]) -> None:
    def under_way() -> int | None:
        with side.sessions() as db, db.begin():
            found = decisions.retry_under_way(db, side.company_id)
            return found.id if found else None

    with side.sessions() as db, db.begin():
        company = db.get_one(Company, side.company_id)
        run = decisions.retry(db, company, [], now=side.clock.now(), user=None)
    assert under_way() is None
    with side.sessions() as db, db.begin():
        exclusive(db, side.company_id)
        db.get_one(Run, run.id).phase = "reading"
        db.flush()
        joining = meanwhile(under_way)
    assert joining.result(20) == run.id
