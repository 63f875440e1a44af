"""Settings, Mails: who is told what, which addresses were confirmed, declined mails or bounce."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.access import Need, may
from blueprints.context import company, db, now, the_user, writing
from blueprints.problems import Problem
from blueprints.settings.routes import blueprint
from domain.mails import EVENT_WORDS, Event, Rhythm
from domain.settings import InvoiceSettings
from models import MailAddress
from sync import addresses, audit, settings


@blueprint.get("/c/<int:company_id>/settings/mails")
def mails(company_id: int) -> ResponseReturnValue:
    """Who is told what, and what stands in the way. The choices themselves are a section of Settings, Invoices."""
    rows = addresses.known_rows(db(), company_id)
    current = settings.load_invoices(db(), company_id)
    return render_template(
        "settings/mails.html",
        may_save=may(g.role, Need.ADMIN),
        nobody=[EVENT_WORDS[event][0] for event in addresses.nobody_hears(db(), company_id)],
        events=[_event(event) for event in Event],
        when=_when(current),
        addresses=[_address(row) for row in rows if row.known_at or row.bounced_at or row.muted],
        change_url=url_for("settings.invoices", _anchor="mails"),
    )


def _event(event: Event) -> dict[str, Any]:
    label, hint = EVENT_WORDS[event]
    chosen = addresses.of_event(db(), company().id, event)
    listening = set(addresses.listening(db(), company().id, event))
    return {
        "label": label,
        "hint": hint,
        "addresses": [{"address": each, "listens": each in listening} for each in chosen],
    }


def _when(current: InvoiceSettings) -> str:
    """When reports of automatic syncs go, in a sentence."""
    zone = current.time_zone.replace("_", " ")
    return {
        Rhythm.EACH: "Reports of automatic syncs go at the end of each run.",
        Rhythm.HOURLY: "Reports of automatic syncs are collected and go at the full hour.",
        Rhythm.DAILY: f"Reports of automatic syncs are collected and go at {current.mail_hour:02}:00, {zone}.",
        Rhythm.PROBLEMS: "Automatic syncs are not reported by mail, only their problems are.",
    }[current.scheduled_mails]


@blueprint.post("/c/<int:company_id>/settings/mails/addresses/<int:address_id>")
def mail_address(company_id: int, address_id: int) -> ResponseReturnValue:
    """`action`: remove (a stranger who confirmed is one again) or mail (try an address again that bounced)."""
    action = request.form.get("action", "")
    with writing() as write:
        row = write.get(MailAddress, address_id)
        if row is None or row.company_id != company().id:
            raise Problem(404, "404")
        if action == "remove":
            addresses.remove(write, row, now())
            said = f"{row.address} is not known any more. Links sent to it no longer open anything."
        elif action == "mail":
            row.bounced_at = row.bounce = None
            said = f"Mail goes to {row.address} again."
        else:
            return redirect(url_for("settings.mails"))
        audit.record(write, company_id, now(), the_user().email, f"address: {action}", row.address)
    flash(said, "ok")
    return redirect(url_for("settings.mails"))


def _address(row: MailAddress) -> dict[str, Any]:
    notes = []
    if row.known_at:
        notes.append("confirmed by its owner")
    if row.bounced_at:
        notes.append(f"came back: {row.bounce}")
    if row.muted:
        notes.append("does not want: " + ", ".join(EVENT_WORDS[name][0] for name in row.muted if name in EVENT_WORDS))
    return {
        "id": row.id,
        "address": row.address,
        "note": ". ".join(text[0].upper() + text[1:] for text in notes),
        "known": row.known_at is not None,
        "bounced": row.bounced_at is not None,
    }
