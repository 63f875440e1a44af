"""Two at once: what somebody does while the ledger is asked, while a lease is given back, while a run ends.

On PostgreSQL where it takes two transactions that are open side by side: one is held open while the other one runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from connectors.errors import Unavailable
from connectors.ledgers.base import Done, Kind, Sought
from connectors.ledgers.memory import MemoryLedger
from domain.order_settings import Becomes, OrderNumbers
from domain.statuses import PostingState, Status
from models import Company, Posting, Run
from sync import gather, one_order, requests
from sync.apply import Serving
from sync.areas import ORDERS
from sync.lease import Lease
from tests.domain.order_samples import line
from tests.engine.test_orders import bought, choose, put, released, row, sync
from tests.engine.world import World

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
