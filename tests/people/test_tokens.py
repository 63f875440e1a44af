"""The token service against the simulated identity service: one refresh at a time, nothing lost, nobody cut off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from connectors.endpoints import endpoints
from connectors.errors import NeedsReconnect, Unavailable
from connectors.http import Http
from connectors.oauth import TokenSet
from connectors.oauth_intuit import IntuitIdentity
from models import Grant, KeyRing, SealBroken, make_engine, make_sessions
from sandbox.intuit import tokens as intuit
from sandbox.intuit.settings import API_SCOPE, set_switches
from sandbox.world import World
from sync.tokens import Access, TokenService, destroy, refresh_token_of, store_new_grant

RING = KeyRing([("k1", b"1" * 32)])


@dataclass
class Clock:
    at: datetime

    def now(self) -> datetime:
        return self.at


def wait_a_moment(_seconds: float) -> None:
    """Let the other threads go on; a hundredth of the second that is asked for."""
    threading.Event().wait(0.01)


@dataclass
class Bench:
    """A grant of the simulated service with the service that looks after it, on a clock the test moves."""

    world: World
    sessions: sessionmaker[Session]
    identity: IntuitIdentity
    clock: Clock
    grant_id: int
    refresh: str

    def service(self, worker: str = "w1") -> TokenService:
        return TokenService(self.sessions, RING, {"intuit": self.identity}, self.clock.now, wait_a_moment, worker)

    def grant(self) -> Grant:
        with self.sessions() as db:
            return db.get_one(Grant, self.grant_id)

    def advance(self, **parts: float) -> None:
        """Both sides live in the same time."""
        self.clock.at += timedelta(**parts)
        self.world.clock.advance(int(timedelta(**parts).total_seconds()))

    def refreshes(self) -> int:
        return self.world.journal.counts("intuit").get("token", 0)


@pytest.fixture
def bench(sandbox_world: World, sandbox: str, migrated_sqlite_url: str) -> Iterator[Bench]:
    clock = Clock(datetime.now(tz=UTC))
    identity = IntuitIdentity(
        http=Http(time.monotonic),
        endpoints=endpoints(sandbox),
        client_id=sandbox_world.client_id,
        client_secret=sandbox_world.client_secret,
        redirect_uri="http://app.test/callback",
        clock=clock.now,
    )
    with sandbox_world.store.transaction():
        answer = intuit.issue(sandbox_world, intuit.grant(sandbox_world, "sandbox-admin", "9130", [API_SCOPE]))
    engine = make_engine(migrated_sqlite_url)
    sessions = make_sessions(engine)
    with sessions() as db, db.begin():
        grant = store_new_grant(
            db, RING, provider="intuit", subject="9130", tokens=tokens_of(answer, clock), now=clock.at
        )
    yield Bench(sandbox_world, sessions, identity, clock, grant.id, answer["refresh_token"])
    engine.dispose()


def tokens_of(answer: dict[str, Any], clock: Clock) -> TokenSet:
    return TokenSet(
        answer["access_token"],
        answer["refresh_token"],
        clock.at + timedelta(seconds=answer["expires_in"]),
        clock.at + timedelta(seconds=answer["x_refresh_token_expires_in"]),
        None,
    )


def test_a_fresh_token_is_handed_out_without_asking_anybody(bench: Bench) -> None:
    assert bench.service().access_token(bench.grant_id)
    assert bench.refreshes() == 0


def test_a_token_about_to_end_is_renewed_once_and_kept(bench: Bench) -> None:
    before = bench.service().access_token(bench.grant_id)
    bench.advance(minutes=56)
    after = bench.service().access_token(bench.grant_id)
    assert after != before
    assert bench.service("w2").access_token(bench.grant_id) == after
    assert bench.refreshes() == 1
    assert bench.grant().version == 2 and bench.grant().hard_expires_at is not None


def test_many_workers_at_once_make_one_refresh(bench: Bench) -> None:
    """The simulated service kills a grant that is refreshed twice side by side, as Intuit may."""
    set_switches(bench.world, parallel_refresh="kill")
    bench.advance(minutes=58)
    found: list[str] = []
    gate = threading.Barrier(6)

    def ask(number: int) -> None:
        gate.wait()
        found.append(bench.service(f"w{number}").access_token(bench.grant_id))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 6
    assert bench.refreshes() == 1
    assert bench.grant().ended_at is None


def test_a_token_the_ledger_refused_is_replaced_for_all_who_ask(bench: Bench) -> None:
    access = Access(bench.service(), bench.grant_id)
    old = access.token()
    new = access.renew(old)
    assert new != old
    assert access.renew(old) == new  # somebody else's 401 for the same old token
    assert bench.refreshes() == 1


def test_the_former_refresh_token_stays_for_its_grace(bench: Bench) -> None:
    bench.advance(hours=25)
    bench.service().access_token(bench.grant_id)
    grant = bench.grant()
    assert grant.previous_refresh_token is not None and grant.previous_until is not None
    assert RING.open(grant.previous_refresh_token, f"grant:{grant.id}:previous_refresh_token") == bench.refresh
    assert refresh_token_of(grant, RING) != bench.refresh


def test_a_lost_answer_of_a_rotation_is_made_good_with_the_former_token(bench: Bench) -> None:
    bench.advance(hours=25)
    bench.world.faults.plan(name="response_lost", platform="intuit", operation="token", times=1)
    with pytest.raises(Unavailable):
        bench.service().access_token(bench.grant_id)
    assert bench.service().access_token(bench.grant_id)
    assert bench.grant().ended_at is None


def test_an_outage_of_the_token_service_disconnects_nobody(bench: Bench) -> None:
    bench.advance(minutes=56)
    bench.world.faults.plan(name="status_503", platform="intuit", times=None)
    still_good = bench.service().access_token(bench.grant_id)  # four minutes are left of it
    assert still_good
    bench.advance(minutes=10)
    for _ in range(3):
        with pytest.raises(Unavailable):
            bench.service().access_token(bench.grant_id)
        bench.advance(minutes=2)
    grant = bench.grant()
    assert (grant.ended_at, grant.rejected_at, grant.version) == (None, None, 1)
    bench.world.faults.clear()
    assert bench.service().access_token(bench.grant_id)


def test_a_database_that_fails_while_a_call_asks_for_its_token_is_asked_again_later(bench: Bench) -> None:
    """To the ledger's connector it is a token that cannot be had just now: the call was certainly never made."""
    access, engine = bench.service().access(bench.grant_id), bench.sessions.kw["bind"]
    good = access.token()
    with engine.begin() as db:
        db.execute(text("ALTER TABLE grants RENAME TO away"))
    for ask in (access.token, lambda: access.renew(good)):
        with pytest.raises(Unavailable, match="database"):
            ask()
    with engine.begin() as db:
        db.execute(text("ALTER TABLE away RENAME TO grants"))
    assert access.token() == good


def test_only_a_second_rejection_a_minute_later_ends_the_grant(bench: Bench) -> None:
    with bench.world.store.transaction():
        intuit.revoke_company(bench.world, "9130")
    for _ in range(2):
        with pytest.raises(Unavailable):
            bench.service().access_token(bench.grant_id, force=True)
        bench.advance(seconds=20)
    bench.advance(seconds=60)
    with pytest.raises(NeedsReconnect):
        bench.service().access_token(bench.grant_id, force=True)
    assert bench.grant().ended_at is not None
    assert bench.grant().refresh_token is not None  # tokens are never deleted on failure


def test_a_success_forgets_a_former_rejection(bench: Bench) -> None:
    with bench.sessions() as db, db.begin():
        db.get_one(Grant, bench.grant_id).rejected_at = bench.clock.at - timedelta(hours=1)
    assert bench.service().access_token(bench.grant_id, force=True)
    assert bench.grant().rejected_at is None


def test_a_refresh_on_its_way_does_not_overwrite_a_new_consent(bench: Bench) -> None:
    """The answer of a refresh that a reconnect overtook is thrown away."""
    bench.advance(minutes=56)
    with bench.world.store.transaction():
        newer = intuit.issue(bench.world, intuit.grant(bench.world, "sandbox-admin", "9130", [API_SCOPE]))
    tokens = tokens_of(newer, bench.clock)

    class Overtaken:
        """The real identity, but a person connects again while it answers."""

        grace = timedelta(hours=24)

        def refresh(self, refresh_token: str) -> TokenSet:
            answer = bench.identity.refresh(refresh_token)
            with bench.sessions() as db, db.begin():
                store_new_grant(db, RING, provider="intuit", subject="9130", tokens=tokens, now=bench.clock.at)
            return answer

    service = TokenService(bench.sessions, RING, {"intuit": Overtaken()}, bench.clock.now, lambda _s: None, "w1")  # type: ignore[arg-type]
    assert service.access_token(bench.grant_id) == newer["access_token"]
    assert refresh_token_of(bench.grant(), RING) == newer["refresh_token"]


def test_a_refresher_that_died_does_not_block_for_ever(bench: Bench) -> None:
    bench.advance(minutes=61)
    with bench.sessions() as db, db.begin():
        grant = db.get_one(Grant, bench.grant_id)
        grant.refreshing_until, grant.refreshing_by = bench.clock.at + timedelta(seconds=60), "dead"
    with pytest.raises(Unavailable, match="being renewed"):
        bench.service().access_token(bench.grant_id)
    bench.advance(seconds=61)
    assert bench.service().access_token(bench.grant_id)


def test_sealed_tokens_open_in_their_own_row_only(bench: Bench) -> None:
    grant = bench.grant()
    assert grant.access_token is not None
    with pytest.raises(SealBroken):
        RING.open(grant.access_token, f"grant:{grant.id + 1}:access_token")
    with pytest.raises(SealBroken):
        RING.open(grant.access_token, f"grant:{grant.id}:refresh_token")


def test_a_destroyed_grant_hands_out_nothing(bench: Bench) -> None:
    with bench.sessions() as db, db.begin():
        destroy(db.get_one(Grant, bench.grant_id), bench.clock.at)
    with pytest.raises(NeedsReconnect):
        bench.service().access_token(bench.grant_id)
