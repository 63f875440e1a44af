"""A call refused as a whole is divided until the culprit stands alone; what was held back by a limit can be stopped."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from connectors.errors import RetryLater, Unavailable
from connectors.ledgers.base import Answer, Batch, Kind
from connectors.ledgers.memory import MemoryLedger
from domain.documents import Party
from domain.statuses import Flag, PostingState, RunState, Status
from models import Company, Document, ItemClaim, Run
from sync import gather, promoting, requests, voids
from sync.apply import serve
from sync.promoting import PROMOTE
from tests.engine.world import World, invoice, line

BAD = "UNREADABLE"


class Noting(MemoryLedger):
    """Keeps what was sent, and loses the first `lost` answers of calls with documents."""

    def __init__(self, world: World, *, lost: int = 0) -> None:
        super().__init__(world.books)
        self.batches: list[Batch] = []
        self.lost = lost

    def send(self, batch: Batch) -> Answer:
        self.batches.append(batch)
        answer = super().send(batch)
        if self.lost and any(member.kind is Kind.INVOICE for member in batch.members):
            self.lost -= 1
            raise Unavailable("The answer was cut off.", platform="QuickBooks")
        return answer


def bad(id: str) -> object:
    return invoice(id, lines=(line(f"{id}-1", "100.00", text=f"Work {BAD}"),))


def noting(world: World, **how: int) -> Noting:
    world.books.unreadable = BAD
    world.ledger = ledger = Noting(world, **how)
    return ledger


def numbers(world: World) -> Counter[str]:
    return Counter(entry.number or "" for entry in world.books.documents())


@pytest.mark.parametrize("culprits", [(), (1,), (30,), (7, 8), (1, 15, 16, 30)])
def test_only_the_culprits_are_refused(world: World, culprits: tuple[int, ...]) -> None:
    ledger = noting(world)
    world.source.put(*(bad(str(n)) if n in culprits else invoice(str(n)) for n in range(1, 41)))  # type: ignore[arg-type]
    run = world.run(world.sync())
    assert numbers(world) == Counter(f"AT-{n}" for n in range(1, 41) if n not in culprits)
    faults = {key for key, row in world.documents().items() if row.status == Status.FAULT}
    assert faults == {str(n) for n in culprits} and run.counts.get(Status.FAULT, 0) == len(culprits)
    assert {row.reason_code for row in world.documents().values() if row.status == Status.FAULT} <= {"ledger_refused"}
    assert run.state == (RunState.PROBLEMS if culprits else RunState.FINISHED)
    assert len(ledger.batches) <= 3 + 11 * len(culprits), "halving, not one by one"


def test_every_smaller_call_has_a_key_of_its_own_and_every_generation_one_payload(world: World) -> None:
    ledger = noting(world)
    world.source.put(bad("1"), *(invoice(str(n)) for n in range(2, 9)))  # type: ignore[arg-type]
    world.sync()
    keys = [batch.key for batch in ledger.batches]
    assert len(keys) == len(set(keys))
    of_one = [p for p in world.postings() if p.source_id == "1" and p.kind == "invoice"]
    assert [p.generation for p in of_one] == [1, 2, 3, 4]
    assert {p.state for p in of_one} == {PostingState.REJECTED} and len({p.batch_key for p in of_one}) == 4
    with world.sessions() as db:
        claimed = {claim.posting_id for claim in db.query(ItemClaim)}
    assert claimed == {p.id for p in world.postings() if p.state == PostingState.DONE and p.kind == "invoice"}


def test_customers_and_items_are_divided_too_and_their_documents_follow(world: World) -> None:
    noting(world)
    world.source.put_party(*(Party(str(300 + n), f"Client {n}") for n in range(6)), Party("310", f"Client {BAD}"))
    world.source.put(*(invoice(str(n + 1), party=str(300 + n)) for n in range(6)), invoice("9", party="310"))
    world.sync()
    assert numbers(world) == Counter(f"AT-{n}" for n in range(1, 7))
    assert world.documents()["9"].reason_code == "customer_refused"
    names = Counter(one.body["name"] for one in world.books.entries if one.kind is Kind.CUSTOMER)
    assert names == Counter(f"Client {n}" for n in range(6))


def test_a_correction_that_shared_its_call_with_the_culprit_still_takes_back_what_was_posted(world: World) -> None:
    world.source.put(bad("1"), invoice("2"))  # type: ignore[arg-type]
    world.sync()
    world.books.closed_through = date(2026, 11, 30)
    for id in ("1", "2"):
        world.source.void(id, world.clock.now())
    world.sync()
    ledger = noting(world)
    for decide in (voids.void, voids.correct):
        with world.sessions() as db, db.begin():
            for row in db.query(Document):
                assert decide(db, row, now=world.clock.now(), who="Robin")
        world.serve_until_rest()
    assert [len(batch.members) for batch in ledger.batches[1:]] == [2, 1, 1]  # after the voids
    [correction] = [entry for entry in world.books.documents() if entry.kind is Kind.CREDIT_MEMO]
    assert (correction.number, correction.total) == ("AT-2-C2", Decimal("100.00"))
    assert "Corrects invoice AT-2 of" in correction.body["message"]
    rows = world.documents()
    assert (rows["1"].reason_code, rows["2"].status) == ("correct_refused", Status.COMPLETE)


def test_a_whole_refusal_after_a_lost_answer_proves_nothing_of_the_first_call(any_world: World) -> None:
    """The first call was carried out, its answer lost; the ledger shows it late and refuses the second whole."""
    world, ledger = any_world, noting(any_world)
    world.books.unreadable, ledger.lost = "", 1
    world.books.add(Kind.CUSTOMER, "Customer 175")
    world.books.add(Kind.ITEM, "LAB-1", type="Service")
    world.clock.advance(1)
    world.source.put(*(invoice(str(n)) for n in range(1, 5)))
    world.books.hidden_since = world.clock.now()
    start(world)
    for _ in range(12):
        serve(world.rt, world.company_id, world.source, world.ledger)
        world.clock.advance(2)
        world.books.unreadable = "AT-1"
    assert len(ledger.batches) > 1 and len(world.books.documents()) == 4
    world.books.hidden_since = None
    world.serve_until_rest()
    assert numbers(world) == Counter(f"AT-{n}" for n in range(1, 5))
    assert {row.status for row in world.documents().values()} == {Status.COMPLETE}


def test_a_whole_refusal_after_a_lost_request_is_divided_once_that_one_cannot_arrive(world: World) -> None:
    class Undelivered(Noting):
        def send(self, batch: Batch) -> Answer:
            if self.lost and any(member.kind is Kind.INVOICE for member in batch.members):
                self.lost -= 1
                raise Unavailable("No answer.", platform="QuickBooks")
            return super().send(batch)

    world.books.unreadable = BAD
    world.ledger = Undelivered(world, lost=1)
    world.source.put(bad("1"), *(invoice(str(n)) for n in range(2, 5)))  # type: ignore[arg-type]
    began = world.clock.now()
    world.sync()
    assert numbers(world) == Counter(f"AT-{n}" for n in range(2, 5))
    assert world.documents()["1"].reason_code == "ledger_refused"
    assert world.clock.now() - began >= timedelta(seconds=world.rt.times.quarantine)


@pytest.mark.parametrize("lost", [0, 1], ids=["answered", "after a lost request"])
def test_approvals_that_are_refused_in_one_call_are_divided_too(world: World, lost: int) -> None:
    class Approves(Noting):
        def send(self, batch: Batch) -> Answer:
            if self.lost and batch.members[0].operation == PROMOTE:
                self.lost -= 1
                raise Unavailable("No answer.", platform="Xero")
            return super().send(batch)

    world.books.drafts = True
    world.ledger = ledger = Approves(world)
    ledger.capabilities = replace(ledger.capabilities, can_promote=frozenset({Kind.INVOICE.value}))
    world.source.put(*(invoice(str(n)) for n in range(1, 9)))
    world.sync()
    culprit = next(entry for entry in world.books.documents() if entry.number == "AT-3")
    world.books.unreadable, ledger.lost = f'"id":"{culprit.id}"', lost
    with world.sessions() as db, db.begin():
        assert promoting.approve_all(db, world.company_id, world.clock.now(), "Robin") == 8
    world.serve_until_rest()
    assert Counter(entry.status for entry in world.books.documents()) == {"approved": 7, "draft": 1}
    rows = world.documents()
    assert {key for key, row in rows.items() if row.status == Status.FAULT} == {"3"}
    assert rows["3"].reason_code == "promote_refused"
    assert not any(Flag.DRAFT in (row.flags or []) for key, row in rows.items() if key != "3")


class Dies(BaseException):
    """The process ends here."""


def test_a_process_that_dies_while_dividing_posts_nothing_twice(any_world: World) -> None:
    world, died = any_world, []
    noting(world)

    def die(name: str) -> None:
        died.append(name)
        if name in ("after_send", "after_confirm", "after_intent") and len(died) % 5 == 0:
            raise Dies

    world.source.put(*(bad(str(n)) if n in (3, 9) else invoice(str(n)) for n in range(1, 13)))  # type: ignore[arg-type]
    start(world)
    alive = world.rt
    world.rt = replace(alive, failpoint=die)
    for _ in range(30):
        try:
            serve(world.rt, world.company_id, world.source, world.ledger)
        except Dies:
            world.clock.advance(200)  # its lease expires
        world.clock.advance(10)
    world.rt = alive
    world.serve_until_rest()
    assert len(died) > 10
    assert numbers(world) == Counter(f"AT-{n}" for n in range(1, 13) if n not in (3, 9))
    assert {row.status for key, row in world.documents().items() if key in ("3", "9")} == {Status.FAULT}


# ---- Stop ---------------------------------------------------------------------------------------------------


def start(world: World) -> int:
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        run_id = requests.ask_sync(db, company, now=world.clock.now(), user=None, confirmed=True)[0].id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    return run_id


class Limited(MemoryLedger):
    """Every write is refused for an hour before anything is written: customers first, or documents first."""

    def __init__(self, world: World, kind: Kind) -> None:
        super().__init__(world.books)
        self.world, self.kind = world, kind

    def send(self, batch: Batch) -> Answer:
        if any(member.kind is self.kind for member in batch.members):
            raise RetryLater("Too many requests.", self.world.clock.now() + timedelta(hours=1), platform="QuickBooks")
        return super().send(batch)


@pytest.mark.parametrize("kind", [Kind.INVOICE, Kind.CUSTOMER])
def test_what_a_limit_holds_back_is_withdrawn_by_stop_and_goes_with_the_next_sync(any_world: World, kind: Kind) -> None:
    world = any_world
    world.source.put(*(invoice(str(n)) for n in range(1, 6)))
    whole, world.ledger = world.ledger, Limited(world, kind)
    run_id = start(world)
    serve(world.rt, world.company_id, world.source, world.ledger)
    assert PostingState.READY in {p.state for p in world.postings()}
    with world.sessions() as db, db.begin():
        requests.stop(db, db.get_one(Run, run_id), now=world.clock.now(), user=None)
    serve(world.rt, world.company_id, world.source, world.ledger)
    assert world.run(run_id).state == RunState.STOPPED, "at once, not when the limit ends"
    assert {(row.status, row.reason_code) for row in world.documents().values()} == {(Status.PENDING, "run_stopped")}
    world.ledger = whole
    world.serve_until_rest()
    world.clock.advance(7200)
    assert not world.books.documents(), "nothing of it goes by itself"
    world.sync()
    assert numbers(world) == Counter(f"AT-{n}" for n in range(1, 6))
    customers = [one for one in world.books.entries if one.kind is Kind.CUSTOMER]
    assert len(customers) == 1
