"""Renewing Xero's tokens against the simulated identity service: they rotate, the former one has half an hour."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connectors.endpoints import endpoints
from connectors.errors import NeedsReconnect, Unavailable
from connectors.http import Http
from connectors.oauth import TokenSet
from connectors.oauth_xero import XeroIdentity
from models import Grant, make_engine, make_sessions
from sandbox.world import World
from sandbox.xero_identity import settings, tokens, users
from sync.tokens import TokenService, refresh_token_of, store_new_grant
from tests.people.test_tokens import RING, Clock, wait_a_moment


class Bench:
    """A Xero user's grant with the service that looks after it; both sides live in the same time."""

    def __init__(self, world: World, base: str, database_url: str) -> None:
        self.world, self.clock = world, Clock(datetime.now(tz=UTC))
        self.identity = XeroIdentity(
            http=Http(time.monotonic), endpoints=endpoints(base), client_id=world.client_id,
            client_secret=world.client_secret, redirect_uri="http://app.test/callback", clock=self.clock.now,
        )  # fmt: skip
        user = users.USERS[0]
        with world.store.transaction():
            self.first = tokens.issue(world, tokens.new_set(world, user, tuple(settings.SCOPES), "event-1"))
        self.engine = make_engine(database_url)
        self.sessions = make_sessions(self.engine)
        given = TokenSet(
            self.first["access_token"], self.first["refresh_token"],
            self.clock.at + timedelta(seconds=self.first["expires_in"]), self.clock.at + timedelta(days=60), None,
        )  # fmt: skip
        with self.sessions() as db, db.begin():
            grant = store_new_grant(
                db, RING, provider="xero", subject=user.xero_userid, tokens=given, now=self.clock.at
            )
        self.grant_id = grant.id

    def ask(self, worker: str = "w1", *, force: bool = False) -> str:
        service = TokenService(self.sessions, RING, {"xero": self.identity}, self.clock.now, wait_a_moment, worker)
        return service.access_token(self.grant_id, force=force)

    def grant(self) -> Grant:
        with self.sessions() as db:
            return db.get_one(Grant, self.grant_id)

    def advance(self, **parts: float) -> None:
        self.clock.at += timedelta(**parts)
        self.world.clock.advance(int(timedelta(**parts).total_seconds()))

    def refreshes(self) -> int:
        return self.world.journal.counts("xero_identity").get("token", 0)


@pytest.fixture
def bench(sandbox_world: World, sandbox: str, migrated_sqlite_url: str) -> Iterator[Bench]:
    made = Bench(sandbox_world, sandbox, migrated_sqlite_url)
    yield made
    made.engine.dispose()


def test_tokens_rotate_with_every_renewal_and_the_former_one_is_kept_for_half_an_hour(bench: Bench) -> None:
    seen = [bench.first["refresh_token"]]
    for _ in range(3):
        bench.advance(minutes=26)
        access = bench.ask()
        assert tokens.live_set(bench.world, access) is not None
        grant = bench.grant()
        assert grant.previous_refresh_token is not None
        assert RING.open(grant.previous_refresh_token, f"grant:{grant.id}:previous_refresh_token") == seen[-1]
        assert grant.previous_until == bench.clock.at + timedelta(minutes=30)
        seen.append(str(refresh_token_of(grant, RING)))
    assert len(set(seen)) == 4 and bench.refreshes() == 3


def test_many_workers_at_once_make_one_renewal(bench: Bench) -> None:
    bench.advance(minutes=29)
    found: list[str] = []
    gate = threading.Barrier(5)

    def ask(number: int) -> None:
        gate.wait()
        found.append(bench.ask(f"w{number}"))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 5 and bench.refreshes() == 1
    assert (bench.grant().version, bench.grant().ended_at) == (2, None)


@pytest.mark.parametrize("again", ["another", "same"])
def test_a_lost_answer_is_made_good_within_the_grace(bench: Bench, again: str) -> None:
    settings.set_switches(bench.world, grace_second_use=again)
    bench.advance(minutes=31)
    bench.world.faults.plan("response_lost", "xero_identity", "token")
    with pytest.raises(Unavailable):
        bench.ask()
    bench.advance(minutes=29)
    assert tokens.live_set(bench.world, bench.ask()) is not None or again == "same"
    assert (bench.grant().ended_at, bench.grant().version) == (None, 2)


def test_a_lost_answer_that_is_asked_for_after_the_grace_ends_the_grant_at_the_second_refusal(bench: Bench) -> None:
    """Sixty days would be left of the token: it was replaced by one that never arrived."""
    bench.advance(minutes=31)
    bench.world.faults.plan("response_lost", "xero_identity", "token")
    with pytest.raises(Unavailable):
        bench.ask()
    bench.advance(minutes=31)
    with pytest.raises(Unavailable, match="once more in a minute"):
        bench.ask()
    bench.advance(seconds=61)
    with pytest.raises(NeedsReconnect, match="Xero no longer accepts"):
        bench.ask()
    assert bench.grant().ended_at is not None
