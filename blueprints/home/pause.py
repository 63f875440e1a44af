"""Resume: a person says that the other app is switched off, and posting goes on."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue

from blueprints.access import Need, may
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.home.routes import blueprint
from models import User
from sync import audit, pauses
from workers import enqueue


def note() -> dict[str, Any] | None:
    """What Home and Connections say while posting is paused (home/_paused.html); None otherwise."""
    found = pauses.current(db(), company().id)
    if found is None:
        return None
    return {
        "sentence": pauses.sentence(found, company().time_zone),
        "steps": pauses.how(found),
        "resume_url": url_for("home.resume") if may(g.role, Need.STAFF) else "",
    }


@blueprint.post("/c/<int:company_id>/resume")
def resume(company_id: int) -> ResponseReturnValue:
    """Posting goes on. Pressing twice is harmless."""
    with writing() as write:
        user = write.get_one(User, the_user().id)
        pause = pauses.current(write, company_id)
        ended = pauses.resume(write, company_id, now(), user.email)
        if pause is not None and ended:
            why = "after a restore" if pause.code == pauses.RESTORED else "another app was switched off"
            audit.record(write, company_id, now(), user.email, "posting resumed", why)
    if ended:
        ring(enqueue.ring, company_id)
        flash("Posting goes on. What stands ready goes with the next automatic sync, or with Sync Now.", "ok")
    else:
        flash("Posting is not paused.", "plain")
    return redirect(url_for("home.index"))
