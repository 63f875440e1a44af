"""Clear In-Process Status: refused while something moves, and never a change of a posting's state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connectors.ledgers.base import Answer
from domain.statuses import PostingState
from models import Attempt, CompanyLease, Run
from sync import gather, in_process, requests
from sync.lease import FenceLost, Lease
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions
from tests.web.site import BASE, Site


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions)
    furnish(made)
    made.source.put(invoice("1"), invoice("2"))
    return made


class Frozen(BaseException):
    """The process stops dead, without any chance to tidy up."""


def stuck(world: World, monkeypatch: pytest.MonkeyPatch) -> int:
    """A run whose process froze after its batch went out: it holds the lease, and the answer is unknown."""
    from models import Company

    with world.sessions() as db, db.begin():
        run, _ = requests.ask_sync(
            db, db.get_one(Company, world.company_id), now=world.clock.now(), user=None, confirmed=True
        )
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)

    def freeze(batch: Any) -> Answer:
        world.books.execute(batch)
        raise Frozen

    with monkeypatch.context() as patched:
        patched.setattr(world.ledger, "send", freeze)
        with pytest.raises(Frozen):
            world.serve_until_rest()
    return run_id


def clear(world: World) -> in_process.InProcess | None:
    with world.sessions() as db, db.begin():
        return in_process.clear(db, world.company_id, world.clock.now())


def test_what_moves_is_not_cleared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck(world, monkeypatch)
    world.clock.advance(299)
    assert clear(world) is None
    with world.sessions() as db:
        found = in_process.look(db, world.company_id)
        assert found.held and found.alive(world.clock.now()) and found.unsettled > 0


def test_a_heartbeat_alone_is_no_progress(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck(world, monkeypatch)
    world.clock.advance(301)
    with world.sessions() as db, db.begin():
        lease = db.get_one(CompanyLease, world.company_id)
        lease.heartbeat_at, lease.expires_at = world.clock.now(), world.clock.now() + timedelta(seconds=90)
        assert in_process.look(db, world.company_id).clearable(world.clock.now())


def test_clearing_frees_the_lease_keeps_every_posting_and_posts_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = stuck(world, monkeypatch)
    before = {row.id: row.state for row in world.postings()}
    assert PostingState.SENDING in before.values()
    world.clock.advance(301)
    with world.sessions() as db:
        fence = db.get_one(CompanyLease, world.company_id).fence
        old = Lease(world.rt, world.company_id, fence, 1e12, world.clock.now(), world.clock.monotonic())
    assert clear(world) is not None
    assert {row.id: row.state for row in world.postings()} == before
    with pytest.raises(FenceLost), old.transaction():
        raise AssertionError("the old holder must not get this far")
    world.serve_until_rest()
    assert world.run(run_id).finished_at is not None
    numbers = [entry.number for entry in world.books.documents()]
    assert sorted(map(str, numbers)) == ["AT-1", "AT-2"]


def test_clearing_twice_does_nothing_the_second_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck(world, monkeypatch)
    world.clock.advance(301)
    assert clear(world) is not None
    assert clear(world) is None


def test_each_document_says_since_when_and_whether_the_ledger_is_known_to_have_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sync()
    world.source.put(invoice("3"))
    stuck(world, monkeypatch)
    with world.sessions() as db:
        [doing] = in_process.documents(db, world.company_id)
        assert (doing.document.source_id, doing.state, doing.seen_id) == ("3", PostingState.SENDING, None)
        assert doing.sent_at == world.clock.now() and doing.step.startswith("Sent to") and doing.step_at is not None
    posting = next(row for row in world.postings() if row.source_id == "3")
    with world.sessions() as db, db.begin():  # an answer that came after the lease was lost is kept
        attempt = db.scalars(select(Attempt).order_by(Attempt.id.desc())).first()
        assert attempt is not None
        attempt.seen = {str(posting.id): {"outcome": "Done", "ledger_id": "812"}}
    with world.sessions() as db:
        assert [one.seen_id for one in in_process.documents(db, world.company_id)] == ["812"]


def test_with_nothing_in_process_there_is_nothing_to_clear(world: World) -> None:
    world.sync()
    world.clock.advance(3600)
    assert clear(world) is None


def test_the_page_offers_clearing_only_when_stuck(site: Site) -> None:
    company_id = site.ids["A"]["company_id"]
    path = f"/c/{company_id}/tools/in-process"
    client = site.client("A staff")
    assert "Nothing is in process" in client.get(path, base_url=BASE).get_data(as_text=True)
    now = site.clock.now()
    with site.db() as db, db.begin():
        db.add(Run(company_id=company_id, kind="sync", trigger="button", state="In process", phase="posting",
                   step="Posting", started_at=now, heartbeat_at=now, counts={}, summary={}))  # fmt: skip
        lease = db.get_one(CompanyLease, company_id)
        lease.holder, lease.step, lease.fence = "worker-9", "Sending 30 to the ledger", 4
        lease.heartbeat_at = now
    assert "It is working" in client.get(path, base_url=BASE).get_data(as_text=True)
    client.post(f"{path}/clear", base_url=BASE, data={"company_id": company_id})
    with site.db() as db:
        assert db.get_one(CompanyLease, company_id).holder == "worker-9"
    site.clock.advance(minutes=6)
    text = client.get(path, base_url=BASE).get_data(as_text=True)
    assert "Nothing has moved for five minutes" in text and "Sending 30 to the ledger" in text
    assert ">Stop</a>" in text and "Clear In-Process Status" in text
    answer = client.post(f"{path}/clear", base_url=BASE, data={"company_id": company_id}, follow_redirects=True)
    assert "Cleared." in answer.get_data(as_text=True)
    with site.db() as db:
        lease = db.get_one(CompanyLease, company_id)
        assert (lease.holder, lease.fence) == (None, 5)
    tools = client.get(f"/c/{company_id}/tools", base_url=BASE, follow_redirects=True)
    assert "ago by " in tools.get_data(as_text=True)
