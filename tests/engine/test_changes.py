"""Voids and replacements through the exactly-once protocol: every answer, lost or late, and every quicker hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from connectors.errors import RetryLater
from connectors.ledgers.base import Answer, Batch, LedgerFault, Refusal, Refused, Unknown
from connectors.ledgers.memory import Entry, MemoryLedger
from domain.statuses import Flag, PostingState, Status
from models import Company, Document, ItemClaim, Posting
from sync import codec, mirror
from sync.apply import serve
from sync.operations import UPDATE, VOID, reserve
from tests.engine.world import World, invoice, line


class Scripted(MemoryLedger):
    """Sends of changes follow a script of words; afterwards they are honest."""

    def __init__(self, world: World, *script: str) -> None:
        super().__init__(world.books)
        self.world, self.script = world, list(script)
        self.held: list[Batch] = []

    def send(self, batch: Batch) -> Answer:
        if not self.script or batch.members[0].operation == "create":
            return super().send(batch)
        word = self.script.pop(0)
        lost = Answer({member.short_id: Unknown("no answer") for member in batch.members}, None, None)
        if word == "answer lost":
            super().send(batch)
        elif word == "late":
            self.held.append(batch)
        elif word == "paid first":
            self.world.books.pay(only(self.world).id, "40.00")
            return super().send(batch)
        elif word == "limit":
            raise RetryLater("Too many requests.", self.world.clock.now())
        elif word == "refused":
            no = Refused((LedgerFault(Refusal.SUBSCRIPTION, "6190", "The subscription has lapsed."),))
            return Answer({member.short_id: no for member in batch.members}, 200, None)
        return lost


def only(world: World) -> Entry:
    [entry] = world.books.documents(live=False)
    return entry


def posted(world: World, total: str = "100.00") -> Document:
    world.source.put(invoice("1", total))
    world.sync()
    document = world.documents()["1"]
    assert document.status == Status.COMPLETE
    return document


def ask(world: World, operation: str, *, draft: Any = None, **terms: Any) -> int:
    with world.sessions() as db, db.begin():
        document = db.scalars(select(Document).where(Document.source_id == "1")).one()
        created = db.get_one(Posting, document.posting_id)
        terms = {"by": "rule", **terms}
        return reserve(
            db, document, operation, draft or created.draft, terms=terms, now=world.clock.now()
        ).id


def changes(world: World) -> list[Posting]:
    return [posting for posting in world.postings() if posting.operation != "create"]


def claims(world: World) -> int:
    with world.sessions() as db:
        return len(db.scalars(select(ItemClaim)).all())


@pytest.mark.parametrize("script", [
    [], ["answer lost"], ["limit", "limit"], ["late"], ["answer lost", "answer lost"], ["late", "answer lost"],
])  # fmt: skip
@pytest.mark.parametrize("forgotten", [False, True])
def test_a_void_is_done_once_whatever_happens_to_its_answer(
    world: World, script: list[str], forgotten: bool
) -> None:
    world.ledger = ledger = Scripted(world, *script)
    posted(world)
    ask(world, VOID)
    if forgotten:
        world.books.forget_replays()
    world.serve_until_rest()
    document = world.documents()["1"]
    assert (document.status, document.flags, document.reasons) == (Status.COMPLETE, [Flag.VOIDED], [])
    assert [(one.state, one.ledger_id) for one in changes(world)] == [(PostingState.DONE, only(world).id)]
    assert (only(world).live, only(world).version, claims(world)) == (False, 1, 0)
    for batch in ledger.held:
        world.books.forget_replays()
        world.books.execute(batch)
    assert only(world).version == 1


def test_a_process_that_dies_after_the_void_was_sent_leaves_it_to_a_look_up(any_world: World) -> None:
    world = any_world
    posted(world)
    ask(world, VOID)

    def die(name: str) -> None:
        if name == "after_send":
            raise SystemExit

    with pytest.raises(SystemExit):
        serve(replace(world.rt, failpoint=die), world.company_id, world.source, world.ledger)
    assert [one.state for one in changes(world)] == [PostingState.SENDING]
    world.clock.advance(world.rt.times.lease + 1)
    world.serve_until_rest()
    assert [(one.state, one.confirmed_by, one.sends) for one in changes(world)] == [(PostingState.DONE, "lookup", 1)]


def test_what_a_person_voided_in_the_ledger_counts_as_done(world: World) -> None:
    posted(world)
    world.books.void(only(world).id)
    sends = world.books.calls.count("send")
    ask(world, VOID)
    world.serve_until_rest()
    [void] = changes(world)
    assert (void.state, void.confirmed_by, void.sends) == (PostingState.DONE, "lookup", 0)
    assert world.documents()["1"].flags == [Flag.VOIDED]
    assert world.books.calls.count("send") == sends


def test_a_deleted_record_counts_only_when_it_is_old_enough_to_be_shown(world: World) -> None:
    posted(world)
    world.books.hidden_since = world.clock.now()  # reads lag behind
    made = only(world).created_at
    ask(world, VOID)
    serve(world.rt, world.company_id, world.source, world.ledger)
    assert world.documents()["1"].flags == []
    world.books.hidden_since = None
    world.serve_until_rest()
    assert (only(world).live, world.documents()["1"].flags) == (False, [Flag.VOIDED])
    assert (world.clock.now() - made).total_seconds() >= world.rt.times.quarantine


def test_a_payment_between_the_look_and_the_void_is_asked_about(world: World) -> None:
    world.ledger = Scripted(world, "paid first")
    posted(world)
    ask(world, VOID)
    world.serve_until_rest()
    document = world.documents()["1"]
    assert (document.status, document.reason_code) == (Status.FAULT, "void_paid")
    assert document.reasons[0]["params"]["applied"] == "40.00"
    assert only(world).live and claims(world) == 1
    ask(world, VOID, by="Robin", applied="40.00")
    world.serve_until_rest()
    assert not only(world).live and world.documents()["1"].flags == [Flag.VOIDED]


def test_nothing_in_a_closed_period_is_voided(world: World) -> None:
    posted(world)
    world.books.closed_through = date(2026, 11, 30)
    ask(world, VOID)  # the profile does not know of it yet: the ledger says no
    world.serve_until_rest()
    assert world.documents()["1"].reason_code == "void_closed"
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        company.profile = {**codec.dump(mirror.profile_of(company)), "closed_through": "2026-11-30"}
    sends = world.books.calls.count("send")
    ask(world, VOID)
    world.serve_until_rest()
    assert world.documents()["1"].reason_code == "void_closed"
    assert (only(world).live, world.books.calls.count("send")) == (True, sends)


def test_a_refused_void_leaves_the_document_to_a_person(world: World) -> None:
    world.ledger = Scripted(world, "refused")
    posted(world)
    ask(world, VOID)
    world.serve_until_rest()
    assert (world.documents()["1"].status, world.documents()["1"].reason_code) == (Status.FAULT, "void_refused")
    assert only(world).live and claims(world) == 1


def test_a_no_after_a_lost_void_ends_nothing_while_the_first_may_arrive(world: World) -> None:
    world.ledger = ledger = Scripted(world, "late", "refused")
    posted(world)
    ask(world, VOID)
    serve(world.rt, world.company_id, world.source, world.ledger)
    assert world.documents()["1"].status == Status.PROCESSING
    world.books.execute(ledger.held[0])
    world.serve_until_rest()
    assert world.documents()["1"].flags == [Flag.VOIDED]


@pytest.mark.parametrize("script", [[], ["answer lost"], ["late"], ["limit"]])
def test_a_replacement_keeps_the_id_and_is_marked_again(world: World, script: list[str]) -> None:
    posted(world)
    world.ledger = Scripted(world, *script)
    ask(world, UPDATE, draft=_smaller(world))
    world.serve_until_rest()
    document = world.documents()["1"]
    assert (document.status, document.ledger_total, document.flags) == (Status.COMPLETE, Decimal("60.00"), [])
    assert [(one.state, one.ledger_id) for one in changes(world)] == [(PostingState.DONE, document.ledger_id)]
    assert (only(world).total, only(world).version, only(world).live) == (Decimal("60.00"), 1, True)


def test_a_replacement_of_another_version_than_the_one_looked_at_is_asked_again(world: World) -> None:
    posted(world)
    world.books.pay(only(world).id, "10.00")
    ask(world, UPDATE, draft=_smaller(world), version="0")
    world.serve_until_rest()
    assert world.documents()["1"].reason_code == "overwrite_changed"
    assert only(world).total == Decimal("100.00")


def test_a_replacement_of_what_is_void_is_a_fault(world: World) -> None:
    posted(world)
    world.books.void(only(world).id)
    ask(world, UPDATE, draft=_smaller(world))
    world.serve_until_rest()
    assert world.documents()["1"].reason_code == "overwrite_gone"


def test_asking_twice_is_one_posting(world: World) -> None:
    posted(world)
    assert ask(world, VOID) == ask(world, VOID)
    world.serve_until_rest()
    assert len(changes(world)) == 1


def _smaller(world: World) -> Any:
    """The draft of the document with a line of 60.00 instead."""
    [draft] = [posting.draft for posting in world.postings() if posting.document_id]
    one = {**draft["lines"][0], "amount": "60.00", "unit_price": "60.00"}
    return {**draft, "lines": [one], "total": "60.00"}


def test_a_credit_memo_is_deleted_and_its_absence_proves_it(world: World) -> None:
    world.source.put(invoice("1", "-50.00", lines=(line("9", "-50.00"),)))
    world.sync()
    entry = only(world)
    world.ledger = Scripted(world, "answer lost")
    with world.sessions() as db, db.begin():
        document = db.scalars(select(Document)).one()
        reserve(db, document, VOID, {}, terms={}, now=world.clock.now())
    world.serve_until_rest()
    assert entry.kind == "credit_memo" and world.books.documents(live=False) == []
    assert (world.documents()["1"].flags, claims(world)) == ([Flag.VOIDED], 0)
