"""Which mails an address gets: a page behind a signed link, and the one click of mail programs (RFC 8058).

GET shows and changes nothing. The link stays good: an old mail must still be a way out.
"""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from blueprints.context import db, now, writing
from blueprints.mails.links import gone, opened
from blueprints.mails.routes import blueprint
from domain.mails import EVENT_OF_KIND, EVENT_WORDS, Event
from sync import addresses, audit
from sync.mail_links import PREFERENCES, Link


@blueprint.get("/mail/preferences/<token>")
def preferences(token: str) -> ResponseReturnValue:
    found = opened(PREFERENCES, token)
    if found is None:
        return gone()
    link, company = found
    row = addresses.find(db(), company.id, link.address)
    muted = set(row.muted or []) if row else set()
    return render_template(
        "mails/preferences.html", company=company.name, address=link.address, token=token,
        events=[
            {"name": str(event), "label": label, "hint": hint, "wanted": event not in muted}
            for event, (label, hint) in EVENT_WORDS.items()
        ],
    )


@blueprint.post("/mail/preferences/<token>")
def save_preferences(token: str) -> ResponseReturnValue:
    """Ticked events are wanted; the button *None of these* sends none."""
    found = opened(PREFERENCES, token)
    if found is None:
        return gone()
    wanted = set(request.form.getlist("event")) if "none" not in request.form else set()
    with writing() as write:
        _mute(write, found[0], [event for event in Event if event not in wanted])
    flash("Saved. It holds from the next mail on.", "ok")
    return redirect(url_for("mails.preferences", token=token))


@blueprint.get("/mail/unsubscribe/<token>")
def unsubscribe(token: str) -> ResponseReturnValue:
    """A person who follows the header's link chooses on the page."""
    return redirect(url_for("mails.preferences", token=token))


@blueprint.post("/mail/unsubscribe/<token>")
def unsubscribe_now(token: str) -> ResponseReturnValue:
    """A mail program's one click: no more mails of this kind. Repeating is safe."""
    found = opened(PREFERENCES, token)
    if found is None:
        return gone()
    link, company = found
    event = EVENT_OF_KIND.get(request.args.get("kind", ""))
    events = [event] if event else list(Event)
    with writing() as write:
        row = addresses.find(write, company.id, link.address)
        muted = {*(row.muted or [])} if row else set()
        _mute(write, link, [each for each in Event if each in muted or each in events])
    return "", 200


def _mute(write: Session, link: Link, muted: list[Event]) -> None:
    addresses.mute(write, link.company_id, link.address, muted, now())
    audit.record(
        write, link.company_id, now(), link.address, "mails chosen", link.address, {"without": [str(e) for e in muted]}
    )
