"""Mail to customers through the ledger: at most one per document, counted in the ledger's own outgoing mail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from connectors.errors import RetryLater
from connectors.ledgers.base import Answer, Batch, Kind, LedgerFault, Refusal, Refused, Unknown
from connectors.ledgers.memory import MemoryLedger
from domain.documents import Party
from domain.statuses import Flag, PostingState, Status
from models import Document, Posting, make_sessions
from sync import delivery
from sync.apply import serve
from sync.operations import UPDATE, VOID, reserve
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions, with_tables

ADDRESS = "ap@customer175.example"


class Scripted(MemoryLedger):
    """Mails follow a script of words; afterwards they are honest."""

    def __init__(self, world: World, *script: str) -> None:
        super().__init__(world.books)
        self.world, self.script = world, list(script)

    def send(self, batch: Batch) -> Answer:
        assert len(batch.members) == 1 or all(member.operation != "send" for member in batch.members)
        if not self.script or batch.members[0].operation != "send":
            return super().send(batch)
        word = self.script.pop(0)
        if word == "limit":
            raise RetryLater("Too many requests.", self.world.clock.now())
        if word == "refused":
            no = Refused((LedgerFault(Refusal.OTHER, "6000", "The mail limit of today is reached."),))
            return Answer({batch.members[0].short_id: no}, 200, None)
        if word == "answer lost":
            super().send(batch)
        return Answer({batch.members[0].short_id: Unknown("no answer")}, None, None)


def mailing(sessions: Sessions, *script: str, email: str | None = ADDRESS) -> World:
    world = make_world(sessions, mail_customers=True)
    furnish(world)
    world.source.put_party(Party("175", "Customer 175", email=email))
    world.ledger = Scripted(world, *script)
    return world


def mail(world: World) -> Posting:
    [row] = [one for one in world.postings() if one.operation == delivery.SEND]
    return row


def decide(world: World, what: str) -> bool:
    act = delivery.it_was_sent if what == "sent" else delivery.send_again
    with world.sessions() as db, db.begin():
        return act(db, db.scalars(select(Document)).one(), now=world.clock.now(), who="Robin")


def told(world: World) -> tuple[str, str | None]:
    row = world.documents()["1"]
    return row.status, row.reason_code


@pytest.mark.parametrize("script", [[], ["answer lost"], ["limit", "limit"], ["limit", "answer lost"]])
def test_one_mail_goes_to_the_customer_whatever_answer_is_lost(any_sessions: Sessions, script: list[str]) -> None:
    world = mailing(any_sessions, *script)
    world.source.put(invoice("1"))
    world.sync()
    assert [address for _, address in world.books.mails] == [ADDRESS]
    assert (mail(world).state, mail(world).terms["to"], told(world)) == (
        PostingState.DONE, ADDRESS, (Status.COMPLETE, None))
    world.sync()
    assert len(world.books.mails) == 1


def test_a_process_that_dies_after_the_mail_went_sends_no_second_one(any_sessions: Sessions) -> None:
    world = mailing(any_sessions)
    world.source.put(invoice("1"))
    deaths = iter(("create", "send"))

    def die(name: str) -> None:
        if name == "after_send" and next(deaths, "") == "send":
            raise SystemExit

    world.rt = replace(world.rt, failpoint=die)
    with pytest.raises(SystemExit):
        for _ in range(9):
            world.sync()
    world.clock.advance(world.rt.times.lease + 1)
    world.serve_until_rest()
    assert (len(world.books.mails), mail(world).state, told(world)[0]) == (1, PostingState.DONE, Status.COMPLETE)


@pytest.mark.parametrize(("gone", "answer", "mails"), [
    ("answer lost", "sent", 1), ("never arrived", "again", 1), ("answer lost", "again", 2),
])
def test_without_proof_a_person_decides(any_sessions: Sessions, gone: str, answer: str, mails: int) -> None:
    """The second mail of the last case is the person's own word, given with the doubt in view."""
    world = mailing(any_sessions, gone)
    world.books.shows_mails = False
    world.source.put(invoice("1"))
    world.sync()
    assert (told(world), mail(world).state) == ((Status.FAULT, "mail_unsure"), PostingState.NEEDS_HUMAN)
    assert mail(world).sends == 1
    assert decide(world, answer)
    world.serve_until_rest()
    assert (len(world.books.mails), told(world), mail(world).state) == (
        mails, (Status.COMPLETE, None), PostingState.DONE)
    assert not decide(world, "again") and not decide(world, "sent")


def test_what_certainly_was_not_mailed_leaves_the_document_complete(sessions: Sessions) -> None:
    world = mailing(sessions, email=None)
    world.source.put(invoice("1"))
    world.sync()
    row = world.documents()["1"]
    assert (row.status, row.reason_code, row.flags) == (Status.COMPLETE, None, [Flag.NOT_MAILED])
    assert [one["code"] for one in mail(world).reasons] == ["mail_no_address"]
    world.ledger = Scripted(world, "refused")
    [entry] = world.books.documents()
    entry.body = {**entry.body, "email": "new@customer175.example"}
    assert decide(world, "again")
    world.serve_until_rest()
    assert [one["code"] for one in mail(world).reasons] == ["mail_refused"] and world.books.mails == []
    assert decide(world, "again")
    world.serve_until_rest()
    assert [address for _, address in world.books.mails] == ["new@customer175.example"]
    assert world.documents()["1"].flags == []


def test_credits_zero_totals_and_a_company_that_wants_none_are_not_mailed(
    sessions: Sessions, sqlite_url: str
) -> None:
    world = mailing(sessions)
    world.source.put(invoice("1", "-50.00"))
    world.sync()
    assert [entry.kind for entry in world.books.documents()] == [Kind.CREDIT_MEMO]
    off = make_world(make_sessions(with_tables(sqlite_url)))
    furnish(off)
    off.source.put(invoice("1"))
    off.sync()
    assert (world.books.mails, off.books.mails, len(off.books.documents())) == ([], [], 1)


def test_replacing_or_posting_again_brings_no_second_mail(sessions: Sessions) -> None:
    world = mailing(sessions)
    world.source.put(invoice("1"))
    world.sync()
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document)).one()
        draft = db.get_one(Posting, row.posting_id).draft
        reserve(db, row, UPDATE, draft, terms={}, now=world.clock.now())
    world.serve_until_rest()
    assert len(world.books.mails) == 1
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document)).one()
        reserve(db, row, VOID, row and db.get_one(Posting, row.posting_id).draft, terms={}, now=world.clock.now())
    world.serve_until_rest()
    assert (world.books.documents(), len(world.books.mails)) == ([], 1)


def test_what_somebody_sent_from_the_ledger_first_is_not_sent_again(sessions: Sessions) -> None:
    world = mailing(sessions)
    world.source.put(invoice("1"))
    world.rt = replace(world.rt, failpoint=lambda name: _mark_mailed(world, name))
    world.sync()
    assert (world.books.mails, mail(world).state, mail(world).sends) == ([], PostingState.DONE, 0)


def _mark_mailed(world: World, name: str) -> None:
    if name == "after_confirm":
        for entry in world.books.documents():
            entry.mailed = True


def test_serving_twice_changes_nothing(sessions: Sessions) -> None:
    world = mailing(sessions)
    world.source.put(invoice("1"))
    world.sync()
    serve(world.rt, world.company_id, world.source, world.ledger)
    assert len(world.books.mails) == 1
