"""What an invoice waits for when Xero lets nobody in: the day's calls, a consent that is too narrow.

The words are the company's: its time of day, its ledger's name.
"""

from __future__ import annotations

import pytest

from domain.reasons import Reason
from domain.statuses import Status
from models import Company, Connection
from sandbox.server import World as Sandbox
from sandbox.xero_identity import users
from sync import credentials, gather, mirror, requests
from sync.apply import serve
from sync.connection import agreed
from tests.connectors.xero_bench import Tokens, XeroOrganisation
from tests.engine.test_xero import Bridge
from tests.engine.world import START, invoice
from tests.infra.database import Sessions

FIVE_HOURS = 5 * 3600 + 5 * 60


@pytest.fixture
def it(sessions: Sessions, sandbox_world: Sandbox, sandbox: str) -> Bridge:
    made = Bridge(sessions, XeroOrganisation(sandbox_world, sandbox))
    made.at.ledger = made.at.connect(profile=made.at.profile, clock=made.world.clock.now)
    made.world.ledger = made.at.ledger  # type: ignore[assignment]
    made.world.source.put(invoice("0"))
    made.sync()
    made.world.clock.instant = START
    return made


def press(it: Bridge) -> None:
    """Sync Now was pressed and read, and the serving process has its turn once."""
    world = it.world
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        run_id = requests.ask_sync(db, company, now=world.clock.now(), user=None, confirmed=True)[0].id
    gather.scan(world.rt, world.company_id, world.source, it.at.ledger, run_id)
    serve(world.rt, world.company_id, world.source, it.at.ledger)


@pytest.mark.parametrize(
    ("zone", "told"),
    [("UTC", "14:05"), ("America/New_York", "09:05"), ("Australia/Sydney", "21 Nov 2026, 01:05")],
)
def test_a_day_that_is_used_up_says_when_it_goes_on_in_the_companys_time(it: Bridge, zone: str, told: str) -> None:
    with it.world.sessions() as db, db.begin():
        db.get_one(Company, it.world.company_id).time_zone = zone
    it.world.source.put(invoice("1"))
    it.at.world.faults.plan("status_429", "xero", "invoices PUT", retry_after=FIVE_HOURS, problem="day")
    press(it)
    waiting = it.world.documents()["1"]
    assert (waiting.status, waiting.reason_code) == (Status.PENDING, "ledger_limit")
    assert Reason.from_json(waiting.reasons[0]).sentence("Xero") == f"Xero limit, continues at {told}"
    it.world.serve_until_rest()
    assert it.world.documents()["1"].status == Status.COMPLETE
    assert (it.world.clock.now() - START).total_seconds() >= FIVE_HOURS


def test_a_consent_that_is_too_narrow_asks_an_admin_to_agree_again_and_loses_nothing(it: Bridge) -> None:
    whole = it.at.ledger
    user = next(one for one in users.USERS if one.xero_userid != users.USERS[0].xero_userid)
    reading = ("openid", "offline_access", "accounting.settings", "accounting.contacts", "accounting.invoices.read")
    narrow = Tokens(it.at.world, it.at.tenant, reading, user)
    with it.world.sessions() as db, db.begin():
        db.add(Connection(
            company_id=it.world.company_id, side=credentials.LEDGER, state=credentials.CONNECTED, platform="xero",
            tenant=it.at.tenant,
        ))
    it.at.ledger = it.at.connect(access=narrow, profile=it.at.profile, clock=it.world.clock.now)
    it.world.source.put(invoice("1"))
    press(it)
    stopped = it.world.documents()["1"]
    assert (stopped.status, stopped.reason_code) == (Status.PENDING, "reconnect")
    for _ in range(2):  # what can be read all the same proves nothing
        with it.world.sessions() as db:
            row = db.query(Connection).filter_by(side=credentials.LEDGER).one()
            assert row.state == credentials.RECONNECT and "allows too little" in (row.problem or "")
        mirror.refresh(it.world.rt, it.world.company_id, it.at.ledger, None, whole=True)
    assert [number for number, _ in it.at.documents()] == ["AT-0"]
    with it.world.sessions() as db, db.begin():
        agreed(db.query(Connection).filter_by(side=credentials.LEDGER).one())
    it.world.ledger = it.at.ledger = whole
    it.world.serve_until_rest()
    assert it.world.documents()["1"].status == Status.COMPLETE
    assert len(it.at.documents()) == 2
