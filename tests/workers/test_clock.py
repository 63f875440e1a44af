"""A process's clock is put right by the database's (fault F28)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import OperationalError

from models import make_engine, make_sessions
from workers.system import SystemClock, asking


def far(moment: datetime) -> timedelta:
    return abs(moment - datetime.now(UTC))


def test_a_clock_that_is_ten_minutes_off_tells_the_databases_time(database_url: str) -> None:
    sessions = make_sessions(make_engine(database_url))
    for wrong in (600.0, -600.0):
        assert far(SystemClock(wrong).now()) > timedelta(minutes=9)
        assert far(SystemClock(wrong, asking(sessions)).now()) < timedelta(seconds=30)


def test_the_clock_is_asked_while_a_transaction_is_open(database_url: str) -> None:
    sessions = make_sessions(make_engine(database_url))
    with sessions() as db, db.begin():
        db.connection()
        assert far(SystemClock(600.0, asking(sessions)).now()) < timedelta(seconds=30)


def test_a_database_that_is_away_stops_no_clock() -> None:
    def away() -> datetime:
        raise OperationalError("select", {}, Exception("away"))

    assert far(SystemClock(0.0, away).now()) < timedelta(seconds=30)
