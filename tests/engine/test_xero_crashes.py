"""A worker that dies at any point of a write to Xero, over HTTP: sales, bills and approvals are in the books once.

Xero keeps an answer under its key for minutes only and takes a second bill of the same number, so half of the cases let
seven minutes pass: then nothing but the look-up stands between one document and two. The judge is the simulated
organisation's own books.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connectors.ledgers.base import Answer, Batch, Kind, Unknown
from domain.settings import InitialStatus, Numbering
from domain.statuses import PostingState, Status
from models import BatchRow, Company
from sandbox.xero import books
from sync import gather, requests, settings
from tests.engine.test_bill_crashes import Killed
from tests.engine.test_xero import Bridge
from tests.engine.test_xero import bridge as bridge
from tests.engine.test_xero_orders import Buying
from tests.engine.test_xero_orders import buying as buying
from tests.engine.world import invoice

PER_CALL = ("after_freeze", "after_intent", "before_send", "after_send", "after_confirm")
LATER = ("after_reserve", "after_look_up", "after_write_back", "before_done")
CREATED, APPROVED = 2, 3
"""Which call of the run dies: contacts go first, then documents as drafts, then their approval."""
KEY_S = 360


@dataclass
class DiesAt:
    point: str
    time: int
    seen: int = 0

    def __call__(self, name: str) -> None:
        self.seen += name == self.point
        if name == self.point and self.seen == self.time:
            raise Killed(name)


def killed(it: Bridge, point: str, time: int, *, old: bool) -> None:
    """The first worker dies there; another one serves when its lease has run out, or when keys are forgotten too."""
    world, doom = it.world, DiesAt(point, time)
    first, world.rt = world.rt, replace(world.rt, failpoint=doom)
    with pytest.raises(Killed):
        world.serve_until_rest()
    assert doom.seen >= time
    away = KEY_S + 60 if old else first.times.lease + first.times.sweep
    world.clock.advance(away)
    it.at.world.clock.advance(int(away))
    world.rt = replace(first, worker="worker-2")
    world.serve_until_rest()


def read(it: Bridge, area: str) -> None:
    """What a press on Sync Now does up to the posting."""
    with it.world.sessions() as db, db.begin():
        company = db.get_one(Company, it.world.company_id)
        run_id = requests.ask(
            db, company, kind="sync", trigger="button", now=it.world.clock.now(), user=None, confirmed=True, area=area,
        )[0].id  # fmt: skip
    gather.scan(it.world.rt, it.world.company_id, it.world.source, it.world.ledger, run_id)


def once(it: Bridge, type: str, state: str = "AUTHORISED") -> None:
    """One live document of the type, in that state, and all of ours settled."""
    rows = [row["entity"] for row in it.at.org.records("Invoice") if row["entity"]["Type"] == type]
    assert [row["Status"] for row in rows] == [state]
    documents = list(it.world.documents().values())
    assert {row.status for row in documents} == {Status.COMPLETE}, [row.reasons for row in documents]
    newest = {(p.document_id, p.operation): p.state for p in it.world.postings() if p.document_id is not None}
    assert set(newest.values()) == {PostingState.DONE}


CASES = [(point, False) for point in PER_CALL] + [(point, True) for point in ("before_send", "after_send")]
NAMES = {True: "key forgotten", False: "key in time"}


@pytest.mark.parametrize(("point", "old"), CASES, ids=NAMES.get)
@pytest.mark.parametrize("time", [CREATED, APPROVED], ids=["created", "approved"])
def test_a_sale_is_there_once(bridge: Callable[..., Bridge], point: str, old: bool, time: int) -> None:
    it = bridge(numbering=Numbering.LEDGER if time == APPROVED else Numbering.SOURCE)
    made = invoice("1")
    number = None if time == APPROVED else "AT-1"  # what Xero numbers is a draft first
    it.world.source.put(replace(made, header=replace(made.header, number=number)))
    read(it, settings.INVOICES)
    killed(it, point, time, old=old)
    once(it, "ACCREC")


@pytest.mark.parametrize(("point", "old"), CASES, ids=NAMES.get)
@pytest.mark.parametrize("time", [CREATED, APPROVED], ids=["created", "approved"])
def test_a_bill_is_there_once(buying: Callable[..., Buying], point: str, old: bool, time: int) -> None:
    it = buying()
    it.buy("411")
    read(it, settings.ORDERS)
    killed(it, point, time, old=old)
    once(it, "ACCPAY")
    assert it.external("411") == "PO-411"


@pytest.mark.parametrize("point", LATER)
def test_a_bill_is_there_once_wherever_else_it_dies(buying: Callable[..., Buying], point: str) -> None:
    it = buying()
    it.buy("411")
    if point == "after_look_up":
        it.at.world.faults.plan("response_lost", "xero", "invoices PUT")
    read(it, settings.ORDERS)
    killed(it, point, 1, old=False)
    once(it, "ACCPAY")


@dataclass
class Late:
    """A request that is given up as lost, and carried out long after."""

    inner: Any
    twins: list[Batch] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def send(self, batch: Batch) -> Answer:
        if batch.members[0].kind is Kind.BILL and batch.members[0].operation == "create" and not self.twins:
            self.twins.append(batch)
            return Answer({one.short_id: Unknown("lost") for one in batch.members}, None, None)
        answer: Answer = self.inner.send(batch)
        return answer


def test_a_late_twin_of_a_bill_stays_a_draft_and_no_debt(buying: Callable[..., Buying]) -> None:
    it = buying(initial_status=InitialStatus.APPROVED)
    late = Late(it.world.ledger)
    it.world.ledger = late  # type: ignore[assignment]
    it.buy("411")
    it.sync()
    once(it, "ACCPAY")
    with it.world.sessions() as db:
        keys = [row.key for row in db.query(BatchRow) if b"ACCPAY" in bytes(row.body)]
    assert len(set(keys)) == 2, "what goes again after its key is forgotten goes under another one"
    it.at.world.clock.advance(KEY_S + 60)
    late.inner.send(late.twins[0])
    assert sorted(state for _, _, state in it.bills()) == ["AUTHORISED", "DRAFT"]
    [owed] = [row for row in books.trial_balance(it.at.world, it.at.tenant) if row["name"] == "Accounts Payable"]
    assert owed["credit"] == 420 and it.row("411").status == Status.COMPLETE
