"""Server-side sessions in the database: the cookie holds a random id, only its hash is stored.

Idle for 30 minutes or 12 hours old: gone. Signing in gives a new id. Flask-Login keeps the user's id in it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, or_, update
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import CallbackDict

from models import WebSession
from workers.wiring import Services

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
RECENT = timedelta(minutes=10)
TOUCH = timedelta(seconds=60)
"""`seen_at` is written at most this often, so that most pages write nothing."""
SECURE_NAME, DEMO_NAME = "__Host-bookbridge", "bookbridge-demo"
_WITHOUT = ("/static/", "/healthz", "/readyz")
NEVER_KEPT = "/setup"
"""The page that works before there are tables: nothing about its visitor is read or written."""


def id_hash(raw_id: str) -> str:
    return hashlib.sha256(raw_id.encode()).hexdigest()


class BrowserSession(CallbackDict[str, Any], SessionMixin):
    """The values of one browser. `broken`: the database did not answer, nothing is known about the visitor."""

    def __init__(self, values: dict[str, Any], raw_id: str | None = None, *, broken: bool = False) -> None:
        def changed(this: BrowserSession) -> None:
            this.modified = True

        super().__init__(values, changed)
        self.modified = False
        self.accessed = True
        self.raw_id = raw_id
        self.broken = broken
        self.renewed = False
        self.ended = False
        self.touch = False

    @property
    def key(self) -> str | None:
        """The stored hash of this session's id; None while it has no row."""
        return id_hash(self.raw_id) if self.raw_id else None

    @property
    def signed_in_at(self) -> datetime | None:
        text = self.get("signed_in_at")
        return datetime.fromisoformat(text) if text else None

    def begin(self, user_id: int, now: datetime, agent: str) -> None:
        """A person signed in: new id, nothing of the former visitor stays."""
        self.clear()
        self.update({"_user_id": str(user_id), "signed_in_at": now.isoformat(), "agent": agent})
        self.renewed = True

    def end(self) -> None:
        self.clear()
        self.ended = True


class DatabaseSessions(SessionInterface):
    """Flask's session interface over the `sessions` table."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._secure = services.config.secure_cookies
        self.name = SECURE_NAME if self._secure else DEMO_NAME

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        if request.path.startswith(NEVER_KEPT):
            return BrowserSession({}, broken=True)
        raw_id = request.cookies.get(self.name)
        if not raw_id or len(raw_id) > 200 or request.path.startswith(_WITHOUT):
            return BrowserSession({})
        try:
            with self._services.sessions() as db:
                db.connection(execution_options={"read_only": True})
                row = db.get(WebSession, id_hash(raw_id))
        except SQLAlchemyError:
            return BrowserSession({}, broken=True)
        now = self._services.now()
        if row is None or now - row.seen_at > IDLE or now - (row.signed_in_at or row.created_at) > ABSOLUTE:
            return BrowserSession({})
        session = BrowserSession(dict(row.data or {}), raw_id)
        session.touch = now - row.seen_at > TOUCH
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not isinstance(session, BrowserSession) or session.broken:
            return
        if session.ended:
            self._forget(session.key)
            response.delete_cookie(self.name, path="/", secure=self._secure, httponly=True, samesite="Lax")
        elif session.raw_id is None or session.renewed:
            if session:
                self._create(session, response)
        elif session.modified or session.touch:
            self._update(session)

    def _create(self, session: BrowserSession, response: Response) -> None:
        raw_id, now = secrets.token_urlsafe(32), self._services.now()
        self._forget(session.key)
        with self._services.sessions() as db, db.begin():
            db.add(
                WebSession(
                    id_hash=id_hash(raw_id),
                    user_id=_user_id(session),
                    data=dict(session),
                    created_at=now,
                    seen_at=now,
                    signed_in_at=session.signed_in_at,
                )
            )
            if session.renewed:
                _sweep(db, now)
        response.set_cookie(self.name, raw_id, path="/", secure=self._secure, httponly=True, samesite="Lax")

    def _update(self, session: BrowserSession) -> None:
        """A row that somebody deleted meanwhile (signed out elsewhere, role changed) does not come back."""
        with self._services.sessions() as db, db.begin():
            db.execute(
                update(WebSession)
                .where(WebSession.id_hash == session.key)
                .values(data=dict(session), seen_at=self._services.now(), user_id=_user_id(session))
            )

    def _forget(self, key: str | None) -> None:
        if key is None:
            return
        with self._services.sessions() as db, db.begin():
            db.execute(delete(WebSession).where(WebSession.id_hash == key))


def _user_id(session: BrowserSession) -> int | None:
    text = session.get("_user_id")
    return int(text) if text else None


def _sweep(db: Any, now: datetime) -> None:
    """Whoever signs in clears away what has expired."""
    db.execute(
        delete(WebSession).where(or_(WebSession.seen_at < now - IDLE, WebSession.created_at < now - 2 * ABSOLUTE))
    )
