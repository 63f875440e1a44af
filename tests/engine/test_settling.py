"""Lost answers followed by a no, limits in the middle of a re-send, and what was changed while it was reserved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from connectors.errors import RetryLater
from connectors.ledgers.base import Answer, Batch, Kind, LedgerFault, Refusal, Refused, Unknown
from connectors.ledgers.memory import MemoryLedger
from domain.settings import Numbering
from domain.statuses import PostingState, Status
from models import Attempt, BatchRow, Company, Document, ItemClaim, Posting, Run
from sync import decisions, gather, requests
from sync.apply import serve
from sync.settle import LOOK_AGAIN_S
from tests.engine.world import World, furnish, invoice, line, make_world
from tests.infra.database import Sessions

Script = Callable[[Batch], Answer]
NO = Refused((LedgerFault(Refusal.SUBSCRIPTION, "6190", "The subscription has lapsed."),))


class Scripted(MemoryLedger):
    """Answers sends of documents by a script, one entry per send; afterwards honestly."""

    def __init__(self, world: World, *script: Script) -> None:
        super().__init__(world.books)
        self.script = list(script)
        self.held: list[Batch] = []
        """Batches that are still on their way."""

    def send(self, batch: Batch) -> Answer:
        if self.script and batch.members[0].kind in (Kind.INVOICE, Kind.CREDIT_MEMO):
            return self.script.pop(0)(batch)
        return super().send(batch)

    def late(self, batch: Batch) -> Answer:
        """The request is under way and the sender stops waiting."""
        self.held.append(batch)
        return Answer({member.short_id: Unknown("no answer") for member in batch.members}, None, None)

    def lose(self, batch: Batch) -> Answer:
        """The ledger carries it out, and its answer is lost."""
        self.company.execute(batch)
        return Answer({member.short_id: Unknown("no answer") for member in batch.members}, None, None)

    def refuse(self, batch: Batch) -> Answer:
        return Answer({member.short_id: NO for member in batch.members}, 200, None)


def start(world: World) -> int:
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        run, _ = requests.ask_sync(db, company, now=world.clock.now(), user=None, confirmed=True)
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    return run_id


def seconds_to_the_fault(world: World, ledger: Scripted, *script: Script) -> float:
    """An invoice is sent by this script; the last no is the lapsed subscription's."""
    ledger.script, world.ledger = list(script), ledger
    world.source.put(invoice("1"))
    begin = world.clock.now()
    start(world)
    world.serve_until_rest()
    assert (world.documents()["1"].status, world.documents()["1"].reason_code) == (Status.FAULT, "subscription")
    return (world.clock.now() - begin).total_seconds()


def test_a_no_after_a_lost_answer_ends_nothing_while_the_first_request_may_arrive(world: World) -> None:
    """Also where the ledger checks numbers: a Fault says that nothing is in the books."""
    scripted = Scripted(world)
    scripted.script = [scripted.late, scripted.refuse]
    world.ledger = scripted
    world.source.put(invoice("1"))
    start(world)
    serve(world.rt, world.company_id, world.source, world.ledger)
    assert world.documents()["1"].status == Status.PROCESSING
    world.books.execute(scripted.held[0])
    world.serve_until_rest()
    assert world.documents()["1"].status == Status.COMPLETE
    assert len(world.books.documents()) == 1


def test_a_no_after_a_request_that_never_arrived_is_a_fault_in_the_end(world: World) -> None:
    scripted = Scripted(world)
    assert seconds_to_the_fault(world, scripted, scripted.late, scripted.refuse) >= world.rt.times.quarantine


def test_a_no_under_a_new_key_waits_for_the_request_under_the_former_one_and_no_longer(world: World) -> None:
    """The quarantine counts from what is unsettled, whatever key that went under."""

    def limited(batch: Batch) -> Answer:
        raise RetryLater("Too many requests.", world.clock.now() + timedelta(seconds=120))

    scripted = Scripted(world)
    scripted.capabilities = replace(scripted.capabilities, key_lasts_s=60.0)
    waited = seconds_to_the_fault(world, scripted, scripted.late, limited, scripted.refuse)
    keys = {posting.batch_key for posting in world.postings() if posting.document_id}
    assert keys != {scripted.held[0].key}
    assert world.rt.times.quarantine <= waited < world.rt.times.quarantine + 60


def test_the_send_before_a_no_is_found_however_much_a_company_sent_meanwhile(world: World) -> None:
    """Found by the simulation (seed 50020): the quarantine began again, because the send was looked for among the
    newest two hundred."""
    scripted, proven_absent = Scripted(world), world.rt.times.quarantine + 120

    def limited(batch: Batch) -> Answer:
        _send_elsewhere(world, 250)
        raise RetryLater("Too many requests.", world.clock.now() + timedelta(seconds=proven_absent))

    assert seconds_to_the_fault(world, scripted, scripted.late, limited, scripted.refuse) < proven_absent + 60


def _send_elsewhere(world: World, calls: int) -> None:
    """So many calls of the same company with members of their own."""
    now = world.clock.now()
    with world.sessions() as db, db.begin():
        for n in range(calls):
            sent = BatchRow(company_id=world.company_id, key=f"key-{n}", ledger_tenant=world.books.tenant, body=b"",
                            body_sha256="", members=[[10_000 + n, str(n)]], created_at=now)  # fmt: skip
            db.add(sent)
            db.flush()
            db.add(Attempt(company_id=world.company_id, batch_id=sent.id, fence=1, worker="w", started_at=now))


@pytest.fixture
def numbers_itself(sessions: Sessions) -> World:
    """One invoice, and a ledger that gives it its number: it refuses no second copy."""
    world = make_world(sessions, numbering=Numbering.LEDGER)
    furnish(world)
    world.books.own_numbers = False
    found = invoice("1")
    world.source.put(replace(found, header=replace(found.header, number=None)))
    return world


def sent_at(world: World) -> list[datetime]:
    """When the one document was sent, each time."""
    [posting] = [each for each in world.postings() if each.document_id]
    with world.sessions() as db:
        rows = db.execute(select(Attempt.started_at, BatchRow.members).join(BatchRow, BatchRow.id == Attempt.batch_id)
                          .order_by(Attempt.id))  # fmt: skip
        return [at for at, members in rows if members[0][0] == posting.id]


def test_what_reads_show_late_is_confirmed_about_a_minute_after_it_was_sent(numbers_itself: World) -> None:
    """Found by the simulation (seed 20000): it was looked for again only when the quarantine ended."""
    world, scripted = numbers_itself, Scripted(numbers_itself)
    scripted.script, world.ledger = [scripted.lose], scripted
    world.clock.advance(1)  # the accounts stay visible
    world.books.hidden_since = begin = world.clock.now()
    start(world)
    serve(world.rt, world.company_id, world.source, world.ledger)
    assert world.documents()["1"].status == Status.PROCESSING
    world.clock.instant = max(world.clock.now(), begin + timedelta(seconds=30))
    world.books.hidden_since = None
    world.serve_until_rest()
    document = world.documents()["1"]
    assert document.status == Status.COMPLETE and document.completed_at is not None
    [sent] = sent_at(world)
    assert document.completed_at - sent <= timedelta(seconds=LOOK_AGAIN_S + 10)
    assert len(world.books.documents()) == 1


@pytest.mark.parametrize("twin", [True, False], ids=["twin", "no twin"])
def test_a_refused_call_that_the_network_delivers_again_is_found_by_the_next_try(
    numbers_itself: World, twin: bool
) -> None:
    """Found by the simulation (seed 52013): refused as the subscription had lapsed, it was taken two minutes later,
    when the bytes came once more, and the next try posted it a second time."""
    world, refused = numbers_itself, list[Batch]()

    def refuse(batch: Batch) -> Answer:
        refused.append(batch)
        return Answer({member.short_id: NO for member in batch.members}, 200, None)

    world.ledger = Scripted(world, refuse)
    start(world)
    world.serve_until_rest()
    assert world.documents()["1"].status == Status.FAULT
    world.clock.advance(120)
    if twin:
        world.books.execute(refused[0])
    begin = world.clock.now()
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        run_id = decisions.retry(db, company, db.scalars(select(Document)).all(), now=begin, user=None).id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()
    assert world.documents()["1"].status == Status.COMPLETE
    assert len(world.books.documents()) == 1
    assert (world.clock.now() - begin).total_seconds() < 30


def test_what_is_never_shown_is_asked_for_each_minute_and_goes_again_after_quarantine(numbers_itself: World) -> None:
    world, scripted = numbers_itself, Scripted(numbers_itself)
    scripted.script, world.ledger = [scripted.late], scripted
    start(world)
    world.serve_until_rest()
    first, second = sent_at(world)
    assert timedelta() <= second - first - timedelta(seconds=world.rt.times.quarantine) < timedelta(seconds=10)
    assert world.books.calls.count("find") >= world.rt.times.quarantine / LOOK_AGAIN_S
    assert world.documents()["1"].status == Status.COMPLETE
    assert len(world.books.documents()) == 1


def test_limits_take_no_attempt_away_from_a_document_that_is_sent_again(world: World) -> None:
    """A hundred refusals by a limit are a hundred times nothing: the document is not given up for them."""

    def limited(batch: Batch) -> Answer:
        raise RetryLater("Too many requests.", world.clock.now() + timedelta(seconds=60))

    scripted = Scripted(world)
    scripted.script = [scripted.late, *[limited] * 30]
    world.ledger = scripted
    world.source.put(invoice("1"))
    world.sync()
    assert world.documents()["1"].status == Status.COMPLETE
    assert [posting.sends for posting in world.postings() if posting.document_id] == [2]


def test_a_document_in_the_books_is_not_released_again(world: World) -> None:
    """An old tab asks for the first posting once more: nothing changes, and the run of it ends."""
    world.source.put(invoice("1"))
    world.sync()
    with world.sessions() as db, db.begin():
        company, document = db.get_one(Company, world.company_id), db.scalars(select(Document)).one()
        run_id = requests.ask_one(db, company, document, now=world.clock.now(), user=None).id
    world.serve_until_rest()
    assert world.documents()["1"].status == Status.COMPLETE
    assert world.run(run_id).finished_at is not None
    assert len(world.books.documents()) == 1


def test_a_reserved_document_whose_items_were_billed_elsewhere_is_not_sent(world: World) -> None:
    """Its posting exists already when it is changed: it must not go with what was planned before."""
    shared = line("77", "100.00")
    world.source.put(invoice("1", lines=(shared,)))
    world.sync()
    world.source.put(invoice("2"))
    run_id = start(world)
    _reserve_only(world)
    world.source.put(invoice("2", lines=(shared,), order_number="changed"))
    with world.sessions() as db, db.begin():
        db.get_one(Run, run_id).phase = "reading"
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()
    document = world.documents()["2"]
    assert (document.status, document.reason_code) == (Status.PENDING, "billed_before")
    assert len(world.books.documents()) == 1


def test_an_item_taken_off_an_invoice_is_free_again(world: World) -> None:
    first, second = line("11", "60.00"), line("12", "40.00")
    world.source.put(invoice("1", lines=(first, second)))
    run_id = start(world)
    _reserve_only(world)
    world.source.put(invoice("1", "60.00", lines=(first,)), invoice("2", "40.00", lines=(second,)))
    with world.sessions() as db, db.begin():
        db.get_one(Run, run_id).phase = "reading"
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()
    assert sorted(str(entry.total) for entry in world.books.documents()) == ["40.00", "60.00"]
    with world.sessions() as db:
        claims = {claim.item_id: claim.posting_id for claim in db.scalars(select(ItemClaim))}
        postings = {posting.id: posting.source_id for posting in db.scalars(select(Posting))}
    assert {item: postings[posting_id] for item, posting_id in claims.items()} == {"11": "1", "12": "2"}


class NoPlace(MemoryLedger):
    """The limiter grants nothing, so documents are reserved and none is sent."""

    def slot(self, operation: str) -> float:
        return 1000.0


def _reserve_only(world: World) -> None:
    rt = replace(world.rt, times=replace(world.rt.times, serve=5))
    serve(rt, world.company_id, world.source, NoPlace(world.books))
    states = {posting.state for posting in world.postings() if posting.source_id != "1" or posting.ledger_id is None}
    assert PostingState.NEW in states


def test_what_the_ledger_numbered_otherwise_stays_known_after_a_retry(world: World) -> None:
    """The preference changed since it was read: the ledger gives numbers by itself. The copy is looked for by id."""
    world.source.put(invoice("1"))
    start(world)
    world.books.own_numbers = False
    world.serve_until_rest()
    assert world.documents()["1"].reason_code == "echo_differs"
    for _ in range(2):
        with world.sessions() as db, db.begin():
            row, company = db.scalars(select(Document)).one(), db.get_one(Company, world.company_id)
            run_id = decisions.retry(db, company, [row], now=world.clock.now(), user=None).id
        gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
        world.serve_until_rest()
        assert len(world.books.documents()) == 1
        assert world.documents()["1"].reason_code == "echo_differs"
