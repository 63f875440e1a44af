"""What every view needs: the services of this process, the time, a session to read with, one to write with.

Reading and writing are apart: GET never changes anything, and no transaction is open while a platform is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import structlog
from flask import abort, current_app, g
from flask_login import UserMixin
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from models import Company, User
from workers.wiring import Services

ROOT = Path(__file__).resolve().parent.parent
"""Where templates and static files are."""
log = structlog.get_logger("web")


def services() -> Services:
    return cast(Services, current_app.extensions["services"])


def now() -> datetime:
    return services().now()


def db() -> Session:
    """The session this request reads with: one read-only transaction, opened when first needed."""
    if "db" not in g:
        session = services().sessions()
        session.connection(execution_options={"read_only": True, "postgresql_readonly": True})
        g.db = session
    return cast(Session, g.db)


def stop_reading(_error: BaseException | None = None) -> None:
    """End the reading transaction; what was loaded keeps its values."""
    session = g.pop("db", None)
    if session is not None:
        session.close()


@contextmanager
def writing() -> Iterator[Session]:
    """A transaction that commits at its end. What is read afterwards sees it."""
    stop_reading()
    with services().sessions() as session, session.begin():
        yield session
    stop_reading()


def company() -> Company:
    """The company of the address, loaded by the guard. 404 where there is none."""
    found = g.get("company")
    if found is None:
        abort(404)
    return cast(Company, found)


def the_user() -> User:
    """Who is signed in. Only in views whose role demands it."""
    return cast(User, g.user)


def ring(enqueue: Callable[..., Any], *args: Any) -> bool:
    """Put a job in the queue after the commit. False when Redis is away: the database knows what is due, and the
    scheduler rings as soon as the queue is back."""
    try:
        enqueue(services(), *args)
    except RedisError as problem:
        log.warning("queue is away", job=getattr(enqueue, "__name__", "job"), problem=str(problem))
        return False
    return True


class Visitor(UserMixin):
    """Flask-Login's view of a user; everything else reads `g.user`."""

    def __init__(self, user: User) -> None:
        self.id = str(user.id)


def load_user(user_id: str) -> Visitor | None:
    user = db().get(User, int(user_id))
    return Visitor(user) if user is not None and user.disabled_at is None else None
