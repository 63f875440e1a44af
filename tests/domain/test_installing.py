"""Each check of /setup on an installation that lacks just this one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.installing import Answer, Area, Connected, Kind, Marketplace, Seen, findings, ready

GOOD = Seen(
    public_url="https://books.firm.example", simulated=False, secret_letters=40, reached=Answer.GOOD,
    database=Answer.GOOD, database_kind="postgresql", clock_apart_s=0.1, sealed=4, unreadable=0, queue=Answer.GOOD,
    queue_keeps=True, queue_evicts=False, serving=2, answering=1, beat_age_s=12.0, mail=Answer.GOOD,
    mail_from="Bookbridge <reports@firm.example>",
    marketplaces=(Marketplace("quickbooks", True, Answer.GOOD), Marketplace("xero", True, Answer.GOOD)),
    integration_code=True, companies=(Connected("Acme", "xero", "connected", "connected"),), admins=1,
)  # fmt: skip
INTUIT = Marketplace("quickbooks", True, Answer.GOOD)
LACKS: dict[str, tuple[dict[str, Any], str, Kind, str]] = {
    "http": ({"public_url": "http://books.firm.example"}, "Public address", Kind.BAD, "Set PUBLIC_URL"),
    "localhost": ({"public_url": "https://localhost"}, "Public address", Kind.BAD, "real domain"),
    "a number": ({"public_url": "https://10.0.0.7"}, "Public address", Kind.BAD, "real domain"),
    "a path": ({"public_url": "https://firm.example/books"}, "Public address", Kind.BAD, "alone"),
    "not reached": ({"reached": Answer.AWAY}, "Reachable under that address", Kind.WARN, "certificate"),
    "another program": ({"reached": Answer.OTHER}, "Reachable under that address", Kind.BAD, "web process"),
    "a weak secret": ({"secret_letters": 3}, "SECRET_KEY", Kind.BAD, "token_urlsafe"),
    "no database": ({"database": Answer.AWAY}, "Database", Kind.BAD, "DATABASE_URL"),
    "old tables": ({"database": Answer.OTHER}, "Database", Kind.BAD, "migrate"),
    "a clock that is off": ({"clock_apart_s": -6.0}, "Clock", Kind.WARN, "NTP"),
    "a clock that is far off": ({"clock_apart_s": 300.0}, "Clock", Kind.BAD, "NTP"),
    "a lost key": ({"unreadable": 2}, "Encryption keys", Kind.BAD, "ENCRYPTION_KEYS"),
    "no queue": ({"queue": Answer.AWAY}, "Redis", Kind.BAD, "REDIS_URL"),
    "a forgetful queue": ({"queue_keeps": False}, "Redis", Kind.WARN, "appendonly"),
    "an evicting queue": ({"queue_evicts": True}, "Redis", Kind.BAD, "noeviction"),
    "no worker": ({"serving": 0}, "Worker", Kind.BAD, "python -m workers worker"),
    "nobody for people": ({"answering": 0}, "Worker for what people wait for", Kind.BAD, "--queue interactive"),
    "no scheduler": ({"beat_age_s": None}, "Scheduler", Kind.BAD, "python -m workers scheduler"),
    "a dead scheduler": ({"beat_age_s": 61.0}, "Scheduler", Kind.BAD, "python -m workers scheduler"),
    "no mail server": ({"mail": Answer.AWAY}, "Mail server", Kind.BAD, "SMTP_URL"),
    "a wrong mail account": ({"mail": Answer.REFUSED}, "Mail server", Kind.BAD, "password"),
    "no sender": ({"mail_from": "Bookbridge <reports@localhost>"}, "Sender of mails", Kind.BAD, "MAIL_FROM"),
    "no app": (
        {"marketplaces": (INTUIT, Marketplace("xero", False))}, "Xero", Kind.WARN, "register an app at Xero",
    ),
    "wrong keys": (
        {"marketplaces": (replace(INTUIT, app=Answer.REFUSED),)}, "QuickBooks Online", Kind.BAD, "Copy both",
    ),
    "a service that is away": (
        {"marketplaces": (Marketplace("xero", True, Answer.AWAY),)}, "Xero", Kind.BAD, "internet",
    ),
    "test companies": (
        {"marketplaces": (replace(INTUIT, development=True),)}, "QuickBooks Online", Kind.WARN, "production",
    ),
    "simulated": ({"simulated": True}, "QuickBooks Online", Kind.WARN, "SANDBOX_URL"),
    "no way in": ({"marketplaces": (Marketplace("xero", False),)}, "A way in", Kind.BAD, "Register at least one"),
    "no company": ({"companies": (), "admins": 0}, "First admin", Kind.WARN, "is its admin"),
    "a lost ledger": (
        {"companies": (Connected("Acme", "xero", "reconnect", "connected"),)}, "Ledger connections", Kind.WARN,
        "opens Connections",
    ),
    "no Autotask": (
        {"companies": (Connected("Acme", "xero", "connected", ""),)}, "Autotask credentials", Kind.WARN,
        "opens Connections",
    ),
}  # fmt: skip


def test_an_installation_that_has_everything_is_ready() -> None:
    found = findings(GOOD)
    assert {each.kind for each in found} == {Kind.OK} and ready(found)
    assert {each.area for each in found} == set(Area)


@pytest.mark.parametrize("lack", LACKS)
def test_what_is_missing_is_named_with_what_to_do(lack: str) -> None:
    change, title, kind, todo = LACKS[lack]
    found = findings(replace(GOOD, **change))
    [line] = [each for each in found if each.title == title]
    assert (line.kind, todo in line.todo) == (kind, True), line
    assert ready(found) is (kind is not Kind.BAD)


def test_each_check_can_fail() -> None:
    """A check that is always green proves nothing; the integration code has no wrong answer."""
    failing = {title for _, title, _, _ in LACKS.values()}
    assert {each.title for each in findings(GOOD)} - failing == {"Autotask integration code"}


ANSWERS = st.sampled_from(Answer)


@given(database=ANSWERS, queue=ANSWERS, mail=ANSWERS, reached=ANSWERS, app=ANSWERS, simulated=st.booleans())
def test_nothing_missing_is_called_ready_and_every_problem_says_what_to_do(
    database: Answer, queue: Answer, mail: Answer, reached: Answer, app: Answer, simulated: bool
) -> None:
    market = (Marketplace("quickbooks", True, app),)
    found = findings(replace(
        GOOD, database=database, queue=queue, mail=mail, reached=reached, marketplaces=market, simulated=simulated,
    ))  # fmt: skip
    good = all(each is Answer.GOOD for each in (database, queue, mail, app)) and reached is not Answer.OTHER
    assert ready(found) is good
    assert all(each.todo for each in found if each.kind is Kind.BAD)
