"""/setup on real services: who may open it, that nothing secret stands there, that what is taken away is noticed."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import redis
from flask.testing import FlaskClient
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from sqlalchemy import text

from models import Grant
from sandbox.world import World
from sync import mail
from tests.web import html_checks
from tests.web.site import BASE, Site, make_site
from workers import __main__ as command
from workers import inspection, schedule

TOKEN = "a-set-up-token-not-real"
Make = Callable[..., Site]


@pytest.fixture
def make(
    sandbox_world: World, sandbox: str, redis_url: str, _migrated_sqlite: Path, tmp_path: Path
) -> Iterator[Make]:
    made: list[Site] = []

    def one(**changes: Any) -> Site:
        keys = {"sandbox_url": sandbox, "redis_url": redis_url, "setup_token": TOKEN, **changes}
        made.append(make_site(_migrated_sqlite, tmp_path, **keys))
        return made[-1]

    yield one
    for site in made:
        site.services.engine.dispose()


def entered(site: Site) -> FlaskClient:
    client = site.app.test_client()
    answer = client.post("/setup", base_url=BASE, data={"token": TOKEN})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/setup")
    return client


def page(site: Site) -> str:
    answer = entered(site).get("/setup", base_url=BASE)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def line(text: str, title: str) -> str:
    """What the page says of one check."""
    found = re.search(rf"<li>(?:(?!</li>).)*<b>{title}</b>.*?</li>", text, re.DOTALL)
    assert found is not None, title
    return re.sub(r"<[^>]+>|\s+", " ", found.group(0))


def test_without_the_variable_there_is_no_such_address(make: Make) -> None:
    site = make(setup_token=None)
    for answer in (site.client("A admin").get("/setup", base_url=BASE), site.client().post("/setup", base_url=BASE)):
        assert answer.status_code == 404


def test_only_the_token_opens_it_and_for_half_an_hour(make: Make) -> None:
    site = make()
    for who in (None, "A admin"):
        client = site.client(who)
        assert "Set-up token" in client.get("/setup", base_url=BASE).get_data(as_text=True)
        refused = client.post("/setup", base_url=BASE, data={"token": TOKEN[:-1]})
        assert refused.status_code == 403 and "not the token" in refused.get_data(as_text=True)
    client = entered(site)
    cookie = client.get_cookie("bookbridge-setup", domain="app.test", path="/setup")
    assert cookie is not None and cookie.http_only and cookie.same_site == "Strict" and TOKEN not in cookie.value
    assert "Addresses for Intuit" in client.get("/setup", base_url=BASE).get_data(as_text=True)
    forged = site.app.test_client()
    forged.set_cookie("bookbridge-setup", cookie.value[:-2] + "zz", domain="app.test", path="/setup")
    assert "Set-up token" in forged.get("/setup", base_url=BASE).get_data(as_text=True)
    with mock.patch("time.time", lambda: datetime.now(UTC).timestamp() + 1801):
        assert "Set-up token" in client.get("/setup", base_url=BASE).get_data(as_text=True)


def test_it_names_what_is_to_be_registered_and_shows_nothing_secret(make: Make, sandbox_world: World) -> None:
    xero = {"xero_client_id": sandbox_world.client_id, "xero_client_secret": sandbox_world.client_secret}
    site = make(smtp_url="smtp://user:hunter-not-real@127.0.0.1:9", **xero)
    text = page(site)
    for path in ("/connect/intuit/callback", "/launch", "/get/intuit", "/reconnect", "/disconnect/intuit",
                 "/connect/xero/callback", "/launch/xero", "/get/xero"):  # fmt: skip
        assert f"{BASE}{path}</code>" in text, path
    config = site.services.config
    for secret in (TOKEN, config.secret_key, config.encryption_keys[3:], config.intuit_client_secret, "hunter",
                   config.intuit_client_id, config.xero_client_secret, "fake-secret"):  # fmt: skip
        assert str(secret) not in text
    assert html_checks.problems(text) == []
    assert "accepts the app" not in text and "simulated" in line(text, "QuickBooks Online")


def test_wrong_client_keys_and_a_service_that_is_away_are_told_apart(make: Make, sandbox_world: World) -> None:
    wrong = make(intuit_client_secret="SANDBOX-WRONG-NOT-REAL", xero_client_id=sandbox_world.client_id,
                 xero_client_secret="SANDBOX-WRONG-NOT-REAL")  # fmt: skip
    text = page(wrong)
    assert "Intuit does not know this client id" in line(text, "QuickBooks Online")
    assert "Xero does not know this client id" in line(text, "Xero")
    text = page(make(sandbox_url="http://127.0.0.1:9"))
    assert "Intuit’s sign-in service does not answer".replace("’", "&#39;") in text
    assert "Not offered" in line(text, "Xero")


def test_a_database_that_is_away_or_behind_is_told_on_the_page_itself(make: Make, tmp_path: Path) -> None:
    site = make()
    with site.services.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    shown = page(site)
    assert "not the newest" in line(shown, "Database") and "workers migrate" in line(shown, "Database")
    assert "once the database is ready" in line(shown, "Encryption keys")
    with site.services.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "newer release" in line(page(site), "Database")
    assert entered(site).get("/readyz", base_url=BASE).get_json()["database"] == "belongs to a newer release"
    with site.services.engine.begin() as connection:
        for table in ("sessions", "alembic_version"):
            connection.execute(text(f"DROP TABLE {table}"))
    assert "not the newest" in line(page(site), "Database")


def test_a_lost_key_a_missing_scheduler_and_companies_in_need_are_found(make: Make) -> None:
    site = make()
    shown = page(site)
    assert "never seen" in line(shown, "Scheduler") and "workers scheduler" in line(shown, "Scheduler")
    assert "All 4 stored secrets open" in line(shown, "Encryption keys")
    assert "2 companies connected" in line(shown, "Autotask credentials")
    schedule.tick(site.services, 0)
    with site.db() as db, db.begin():
        grant = db.get_one(Grant, 1)
        grant.refresh_token = b"gone." + (grant.refresh_token or b"")[3:]
        db.execute(text("UPDATE connections SET state = 'reconnect' WHERE id = 1"))
    shown = page(site)
    assert "seconds ago" in line(shown, "Scheduler")
    assert "1 stored secret does not open" in line(shown, "Encryption keys")
    assert "Not connected: Acme Support" in line(shown, "Ledger connections")
    site.clock.advance(minutes=2)
    assert "more than a minute" in line(page(site), "Scheduler")


@contextmanager
def worker(url: str, *names: str) -> Iterator[None]:
    """A worker that is registered and beats."""
    client = redis.Redis.from_url(url)
    queues = [Queue(name, connection=client, serializer=JSONSerializer) for name in names]
    made = Worker(queues, connection=client, serializer=JSONSerializer)
    made.register_birth()
    made.heartbeat()
    try:
        yield
    finally:
        made.register_death()
        client.close()


def test_redis_and_its_workers_are_looked_at(make: Make, redis_url: str) -> None:
    site = make()
    client = redis.Redis.from_url(redis_url)
    before = client.config_get("maxmemory-policy")["maxmemory-policy"]
    with worker(redis_url, "default", "interactive"):
        shown = page(site)
        assert "1 process running" in line(shown, "Worker")
        assert "None is running" in line(shown, "Worker for what people wait for")
        with worker(redis_url, "interactive"):
            assert "1 process running" in line(page(site), "Worker for what people wait for")
    try:
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert "noeviction" in line(page(site), "Redis")
    finally:
        client.config_set("maxmemory-policy", before)
        client.close()
    away = page(make(redis_url="unix:///nonexistent/redis.sock"))
    assert "does not answer" in line(away, "Redis") and "once Redis answers" in line(away, "Worker")


def test_the_mail_server_is_spoken_to_and_gets_no_mail(make: Make, sandbox_world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert mail.tried(f"smtp://127.0.0.1:{port}", 1) == "away"
    assert "does not answer" in line(page(make(smtp_url=f"smtp://127.0.0.1:{port}")), "Mail server")


def test_the_public_address_must_lead_to_this_program(make: Make, sandbox: str) -> None:
    site = make()
    assert inspection._reached(site.services) is inspection.Answer.AWAY  # app.test is no host
    object.__setattr__(site.services.config, "public_url", sandbox)
    assert inspection._reached(site.services) is inspection.Answer.OTHER


def test_the_command_prints_the_same_and_ends_with_one_while_something_is_missing(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    site = make()
    assert command.check(site.services) == 1
    told = capsys.readouterr().out
    assert "MISSING  Scheduler: It was never seen. Start python -m workers scheduler." in told
    assert site.services.config.secret_key not in told


def test_the_page_counts_no_visitor_session(make: Make) -> None:
    """It must work before there are tables; a cookie of the site itself is neither read nor set."""
    site = make()
    answer = entered(site).get("/setup", base_url=BASE)
    assert "bookbridge-demo" not in answer.headers.get("Set-Cookie", "")


def test_an_address_with_the_ledgers_name_stops_the_start(make: Make) -> None:
    """Xero refuses links to such an address."""
    with pytest.raises(ValueError, match="must not contain"):
        make(public_url="https://xero-bridge.example", xero_client_id="SANDBOX-ID",
             xero_client_secret="SANDBOX-SECRET-NOT-REAL")  # fmt: skip
    with pytest.raises(ValueError, match="at least one ledger"):
        make(intuit_client_id=None, intuit_client_secret=None)
    with pytest.raises(ValueError, match="base64 of 32 bytes"):
        make(encryption_keys="k1:c2hvcnQ=")


def test_over_https_cookies_are_secure_and_browsers_stay_there(make: Make) -> None:
    site = make(public_url="https://books.firm.example")
    client = site.app.test_client()
    for path in ("/", "/setup"):
        answer = client.post(path, base_url="https://books.firm.example", data={"token": TOKEN}) if path == "/setup" \
            else client.get(path, base_url="https://books.firm.example")  # fmt: skip
        cookie = answer.headers["Set-Cookie"]
        assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite" in cookie
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_an_installation_with_one_marketplace_offers_that_one(make: Make, sandbox_world: World) -> None:
    site = make(
        intuit_client_id=None, intuit_client_secret=None, xero_client_id=sandbox_world.client_id,
        xero_client_secret=sandbox_world.client_secret,
    )  # fmt: skip
    text = site.client().get("/", base_url=BASE).get_data(as_text=True)
    assert "Sign in with Xero" in text and "Sign in with Intuit" not in text
    led = site.client().post("/connect", base_url=BASE)
    assert led.headers["Location"] == "/connect/problem"
    assert "Not offered" in line(page(site), "QuickBooks Online")
