"""The source's PDF on the ledger document: once, and the document is Complete whatever becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from connectors.errors import Unavailable
from connectors.http import LostAnswer
from connectors.ledgers.base import Kind
from connectors.ledgers.memory import MemoryLedger
from domain.documents import Party
from domain.statuses import Flag, PostingState, Status
from models import Document, Posting
from sync import attaching
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions

NAME = "Autotask invoice 1.pdf"


class Scripted(MemoryLedger):
    """Uploads follow a script of words; afterwards they are honest."""

    def __init__(self, world: World, *script: str) -> None:
        super().__init__(world.books)
        self.script = list(script)

    def attach(self, kind: Kind, ledger_id: str, name: str, content: bytes, *, shown: bool) -> None:
        word = self.script.pop(0) if self.script else ""
        if word != "never arrived":
            super().attach(kind, ledger_id, name, content, shown=shown)
        if word:
            raise LostAnswer("QuickBooks did not answer.")


def attached_world(sessions: Sessions, *script: str, **settings: Any) -> World:
    world = make_world(sessions, attach_pdf=True, **settings)
    furnish(world)
    world.source.put_party(Party("175", "Customer 175", email="ap@customer175.example"))
    world.ledger = Scripted(world, *script)
    world.source.put(invoice("1"))
    return world


def file(world: World) -> Posting:
    [row] = [one for one in world.postings() if one.operation == attaching.ATTACH]
    return row


@pytest.mark.parametrize("script", [[], ["answer lost"], ["never arrived"], ["answer lost", "answer lost"]])
def test_one_file_hangs_there_whatever_answer_is_lost(any_sessions: Sessions, script: list[str]) -> None:
    world = attached_world(any_sessions, *script)
    world.sync()
    assert [(name, shown) for _, name, shown in world.books.files] == [(NAME, False)]
    assert (file(world).state, world.documents()["1"].status) == (PostingState.DONE, Status.COMPLETE)


def test_a_process_that_dies_after_the_upload_leaves_one_file(any_sessions: Sessions) -> None:
    world = attached_world(any_sessions)

    def die(name: str) -> None:
        if name == "after_attach":
            raise SystemExit

    honest = world.rt
    world.rt = replace(world.rt, failpoint=die)
    with pytest.raises(SystemExit):
        world.sync()
    world.rt = honest
    world.clock.advance(world.rt.times.lease + 1)
    world.serve_until_rest()
    assert (len(world.books.files), file(world).state) == (1, PostingState.DONE)


def test_a_pdf_that_cannot_be_had_is_told_and_leaves_the_document_complete(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = attached_world(sessions, attach_shown=True, mail_customers=True)

    def away(kind: str, id: str) -> bytes:
        raise Unavailable("Autotask did not send a PDF of this invoice.")

    with monkeypatch.context() as patched:
        patched.setattr(world.source, "original", away)
        world.sync()
    row = world.documents()["1"]
    assert (row.status, row.flags, file(world).state) == (Status.COMPLETE, [Flag.NOT_ATTACHED], PostingState.REJECTED)
    assert len(world.books.mails) == 1 and world.books.files == []
    with world.sessions() as db, db.begin():
        assert attaching.try_again(db, db.scalars(select(Document)).one(), now=world.clock.now(), who="Robin")
    world.serve_until_rest()
    assert (len(world.books.files), world.documents()["1"].flags) == (1, [])


def test_the_mail_that_shows_the_pdf_goes_after_it(sessions: Sessions) -> None:
    world = attached_world(sessions, "never arrived", attach_shown=True, mail_customers=True)
    order: list[tuple[int, int]] = []
    world.rt = replace(world.rt, failpoint=lambda name: order.append((len(world.books.files), len(world.books.mails))))
    world.sync()
    assert (0, 1) not in order and order[-1] == (1, 1)
    assert [shown for _, _, shown in world.books.files] == [True]


def test_a_pdf_above_the_bound_is_not_handed_over(sessions: Sessions) -> None:
    world = attached_world(sessions)
    world.ledger.capabilities = replace(world.ledger.capabilities, attachment_bytes=5)
    world.sync()
    assert (world.books.files, file(world).state) == ([], PostingState.REJECTED)
    assert "more than is taken" in file(world).reasons[0]["params"]["message"]


def test_the_file_of_a_copy_that_was_taken_out_says_nothing_of_the_one_in_its_place(sessions: Sessions) -> None:
    """Found by the simulation (seed 53151): it was tried for an hour, and then the document was told to have no PDF."""
    world = attached_world(sessions)

    class Taken(MemoryLedger):
        def attach(self, kind: Kind, ledger_id: str, name: str, content: bytes, *, shown: bool) -> None:
            with world.sessions() as db, db.begin():
                db.scalars(select(Document)).one().ledger_id = "another copy"
            raise Unavailable("The record is gone.")

    world.ledger = Taken(world.books)
    world.sync()
    assert (file(world).state, file(world).lookups) == (PostingState.REJECTED, 0)
    assert Flag.NOT_ATTACHED not in world.documents()["1"].flags
