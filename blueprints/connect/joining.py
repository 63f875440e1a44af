"""Asks before a new identity becomes a second one of the person who is signed in.

Whoever completes a sign-in of their own in somebody's open browser must not become that person unseen. Until the answer
the arrival waits sealed in the browser's session, ten minutes at most; without a yes nothing of it is kept.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from flask import flash, g, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from blueprints.connect.arrival import Arrival, arrive
from blueprints.connect.authorizing import STATE_LIFE
from blueprints.connect.pages import home_of_user
from blueprints.connect.routes import blueprint
from blueprints.connect.trouble import SignInProblem, led
from blueprints.context import db, now, services
from domain.ledger_words import words_of
from models import SealBroken
from sync import access, codec

_KEY, _SEAL = "joining", "arrival that waits for a yes"


@dataclass(frozen=True, slots=True)
class Waiting:
    """`user_id` is who was signed in when it arrived: the answer counts for nobody else."""

    arrival: Arrival
    user_id: int
    since: datetime


def enter(arrival: Arrival) -> str:
    """Where an arrival goes on: in, or first to the question."""
    person = arrival.person
    if g.user is None or access.is_known(db(), issuer=person.issuer, subject=person.subject):
        return arrive(arrival)
    text = codec.dump_text(Waiting(arrival, g.user.id, now()))
    session[_KEY] = base64.b64encode(services().key_ring.seal(text, _SEAL)).decode()
    return url_for("connect.join")


@blueprint.get("/connect/join")
def join() -> ResponseReturnValue:
    """Who signed in, and as a part of whom."""
    waiting = _waiting()
    if waiting is None:
        return redirect(url_for("connect.start"))
    arrival = waiting.arrival
    chosen = arrival.chosen
    return render_template(
        "connect/join.html", person=arrival.person.email or "", me=g.user.email,
        service=words_of(arrival.ledger).ledger_sign_in,
        company=(chosen.name or "the company you chose") if chosen is not None else "",
    )  # fmt: skip


@blueprint.post("/connect/join")
def join_now() -> ResponseReturnValue:
    """The yes, once. It goes on as if the identity had been known before."""
    waiting = _waiting()
    session.pop(_KEY, None)

    def go() -> str:
        if waiting is None:
            raise SignInProblem("state", "nothing waits to be joined")
        return arrive(waiting.arrival, joins=waiting.user_id)

    return led(go)


@blueprint.post("/connect/join/apart")
def join_apart() -> ResponseReturnValue:
    """Neither joined nor sent away: the person goes on as who they signed in as, in a session of their own."""
    waiting = _waiting()
    session.pop(_KEY, None)

    def go() -> str:
        if waiting is None:
            raise SignInProblem("state", "nothing waits to be joined")
        return arrive(waiting.arrival)

    return led(go)


@blueprint.post("/connect/join/no")
def join_not() -> ResponseReturnValue:
    """The no: the tokens are dropped, not revoked, because a revocation would end that person's other companies."""
    session.pop(_KEY, None)
    flash("Nothing was joined and nothing was connected.", "plain")
    return redirect(home_of_user() if g.user is not None else url_for("connect.start"))


def _waiting() -> Waiting | None:
    sealed = session.get(_KEY)
    if g.user is None or not sealed:
        return None
    try:
        found = codec.load_text(Waiting, services().key_ring.open(base64.b64decode(sealed), _SEAL))
    except SealBroken:
        return None
    return found if found.user_id == g.user.id and now() - found.since <= STATE_LIFE else None
