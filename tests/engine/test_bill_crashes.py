"""Bills have no number that a ledger keeps unique: whatever dies, gets lost or is refused, exactly one is in the books.

Half of the cases are the hardest there are: the ledger has forgotten the key of the call, so that nothing but the
look-up by creation time and marker, and the quarantine, stands between one bill and two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.ledgers.base import Answer, Batch, Kind, Unknown
from connectors.ledgers.memory import Entry, MemoryLedger
from domain.documents import Party
from domain.order_documents import OrderStatus
from domain.order_settings import Becomes, OrderSettings, VendorNumber
from domain.settings import MissingItem
from domain.statuses import PostingState, Status
from models import Company, Document
from sync import decisions, gather, requests, settings
from sync.apply import serve
from tests.domain.order_samples import line, order, receipt
from tests.engine.world import START, World

POINTS = (
    "after_reserve", "after_freeze", "after_intent", "before_send", "after_send", "after_confirm", "after_write_back",
    "before_done",
)
QUARANTINE = timedelta(minutes=5)


class Killed(BaseException):
    """The process is gone: nobody catches it, as nobody catches `kill -9`."""


@dataclass
class DiesAt:
    point: str
    died: bool = False

    def __call__(self, name: str) -> None:
        if name == self.point and not self.died:
            self.died = True
            raise Killed(name)


@dataclass
class Wire:
    """What becomes of each call that carries bills. Calls with creations pass."""

    inner: MemoryLedger
    clock: Callable[[], datetime]
    fates: list[str] = field(default_factory=list)
    sent_at: list[datetime] = field(default_factory=list)
    late: list[tuple[datetime, Batch]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        self.arrive()
        return getattr(self.inner, name)

    def send(self, batch: Batch) -> Answer:
        self.arrive()
        if batch.members[0].kind not in (Kind.BILL, Kind.PURCHASE_ORDER):
            return self.inner.send(batch)
        self.sent_at.append(self.clock())
        fate = self.fates.pop(0) if self.fates else ""
        if fate == "answer lost":
            self.inner.send(batch)
            self.inner.company.forget_replays()
        elif fate == "delivered late":
            self.late.append((self.clock() + timedelta(seconds=100), batch))
        elif not fate:
            return self.inner.send(batch)
        return Answer({member.short_id: Unknown(fate) for member in batch.members}, None, None)

    def arrive(self) -> None:
        due = [batch for at, batch in self.late if at <= self.clock()]
        self.late = [(at, batch) for at, batch in self.late if at > self.clock()]
        for batch in due:
            self.inner.company.execute(batch)
            self.inner.company.forget_replays()


@pytest.fixture
def buying(world: World) -> World:
    """One submitted order of a vendor that the ledger does not know, to be billed at once, without any number."""
    world.source.put_party(Party("41", "Northwind Supplies"))
    ids = {name: world.books.add(Kind.ACCOUNT, name, type=kind).id
           for name, kind in (("Payable", "Accounts Payable"), ("Purchases", "Cost of Goods Sold"))}  # fmt: skip
    chosen = OrderSettings(
        days=30, active=True, becomes=Becomes.BILL, bill_number=VendorNumber.NONE, payable=ids["Payable"],
        created_item_account=ids["Purchases"], missing_item=MissingItem.CREATE, error_todos=False,
    )  # fmt: skip
    with world.sessions() as db, db.begin():
        settings.save_orders(db, world.company_id, chosen, now=world.clock.now(), user=None)
    made = order(line("1"))
    world.source.put(replace(made, header=replace(made.header, created_at=START - timedelta(days=3))))
    return world


def read(world: World) -> None:
    """What a press on Sync Now does up to the posting."""
    with world.sessions() as db, db.begin():
        run, _ = requests.ask(
            db, db.get_one(Company, world.company_id), kind="sync", trigger="button", now=world.clock.now(), user=None,
            confirmed=True, area=settings.ORDERS,
        )
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)


def live(world: World, kind: Kind = Kind.BILL) -> list[Entry]:
    return [entry for entry in world.books.documents() if entry.kind is kind]


def ends_well(world: World, count: int = 1) -> None:
    """That many bills, the order marked with one of them, every document Complete."""
    assert len(live(world)) == count
    head = world.source.contents["411"].header.order
    assert head is not None and head.external_number in {f"BILL-{entry.id}" for entry in live(world)} | {
        entry.number for entry in live(world)}
    assert {row.status for row in world.documents().values()} == {Status.COMPLETE}
    newest = {row.document_id: row.state for row in world.postings() if row.document_id is not None}
    assert set(newest.values()) == {PostingState.DONE}


def killed_at(world: World, point: str) -> None:
    """The first worker dies there; another one serves when the dead one's lease has run out."""
    doom = DiesAt(point)
    first, world.rt = world.rt, replace(world.rt, failpoint=doom)
    with pytest.raises(Killed):
        world.serve_until_rest()
    assert doom.died
    world.clock.advance(first.times.lease + first.times.sweep)
    world.rt = replace(first, worker="worker-2")


@pytest.mark.parametrize("remembers", [True, False], ids=["key remembered", "key forgotten"])
@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_any_point_leaves_exactly_one_bill(buying: World, point: str, remembers: bool) -> None:
    read(buying)
    killed_at(buying, point)
    if not remembers:
        buying.books.forget_replays()
    buying.serve_until_rest()
    ends_well(buying)


def test_a_death_after_the_look_up_leaves_exactly_one_bill(buying: World) -> None:
    wire = Wire(buying.ledger, buying.clock.now, ["answer lost"])
    buying.ledger = wire  # type: ignore[assignment]
    read(buying)
    killed_at(buying, "after_look_up")
    buying.serve_until_rest()
    ends_well(buying)
    assert len(wire.sent_at) == 1


@pytest.mark.parametrize(
    ("fates", "sends"),
    [(["answer lost"], 1), (["request lost"], 2), (["delivered late"], 1), (["request lost", "answer lost"], 2)],
    ids=lambda value: " then ".join(value) if isinstance(value, list) else "",
)
def test_what_is_lost_on_the_way_is_looked_up_and_goes_again_only_after_the_quarantine(
    buying: World, fates: list[str], sends: int
) -> None:
    wire = Wire(buying.ledger, buying.clock.now, list(fates))
    buying.ledger = wire  # type: ignore[assignment]
    read(buying)
    buying.serve_until_rest()
    ends_well(buying)
    assert len(wire.sent_at) == sends
    assert all(later - before >= QUARANTINE for before, later in zip(wire.sent_at, wire.sent_at[1:], strict=False))


def test_reads_that_lag_behind_do_not_make_a_second_bill(buying: World) -> None:
    """For two minutes no look-up shows the bill that is there: within the quarantine that proves nothing."""
    wire = Wire(buying.ledger, buying.clock.now, ["answer lost"])
    buying.ledger = wire  # type: ignore[assignment]
    read(buying)
    buying.books.hidden_since = buying.clock.now()
    until = buying.clock.now() + timedelta(minutes=2)
    while buying.clock.now() < until:
        buying.rt.pause(10)
        serve(buying.rt, buying.company_id, buying.source, buying.ledger)
        assert len(live(buying)) <= 1 and len(wire.sent_at) <= 1
    buying.books.hidden_since = None
    buying.serve_until_rest()
    ends_well(buying)
    assert len(wire.sent_at) == 1


def test_a_plan_that_lost_its_bills_says_so_and_nothing_is_lost(buying: World) -> None:
    """It had them when the lists were read: the refusal (5020) tells, and the plan is read again."""
    read(buying)
    buying.books.bills = False
    buying.serve_until_rest()
    [row] = buying.documents().values()
    assert (row.status, row.reason_code, live(buying)) == (Status.FAULT, "no_bills", [])
    with buying.sessions() as db:
        assert db.get_one(Company, buying.company_id).profile["bills"] is False
    buying.books.bills = True
    with buying.sessions() as db, db.begin():
        again = decisions.retry(db, db.get_one(Company, buying.company_id), [db.get_one(Document, row.id)],
                                now=buying.clock.now(), user=None).id  # fmt: skip
    gather.scan(buying.rt, buying.company_id, buying.source, buying.ledger, again)
    buying.serve_until_rest()
    ends_well(buying)


@pytest.mark.parametrize("point", ["after_intent", "after_send", "after_confirm"])
def test_two_vendor_invoices_make_two_bills_and_never_three(buying: World, point: str) -> None:
    with buying.sessions() as db, db.begin():
        chosen = replace(settings.load_orders(db, buying.company_id), becomes=Becomes.ON_RECEIPT)
        settings.save_orders(db, buying.company_id, chosen, now=buying.clock.now(), user=None)
    made = order(line("1", 10, "42", receipt(6, "V-1"), receipt(4, "V-2", day=17)), status=OrderStatus.RECEIVED)
    buying.source.put(replace(made, header=replace(made.header, created_at=START - timedelta(days=3))))
    read(buying)
    killed_at(buying, point)
    buying.books.forget_replays()
    buying.serve_until_rest()
    there = sorted((str(bill.number), str(bill.total)) for bill in live(buying))
    assert there == [("V-1", "252.00"), ("V-2", "168.00")]
