"""The customer's mail on a document's page: where it stands, and what a person decides when nobody can tell."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from blueprints.causes import first
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.home.actions import find
from blueprints.home.routes import blueprint
from blueprints.rows import number_of
from blueprints.shell import ledger_names
from domain.formats import format_moment
from domain.statuses import PostingState
from models import Document, Posting
from sync import attaching, audit, delivery
from workers import enqueue


def note(row: Document, *, staff: bool) -> dict[str, Any] | None:
    """What a person may do about the mail; None where there is nothing."""
    mail = delivery.of(db(), row)
    if mail is None or mail.state not in (PostingState.NEEDS_HUMAN, PostingState.REJECTED) or not row.ledger_id:
        return _file_note(row, staff=staff)
    _long, short = ledger_names(company())
    again = {"label": "Send again", "url": url_for("home.mail_again", document_id=row.id), "method": "post"}
    if mail.state == PostingState.REJECTED:
        why = first(mail.reasons)
        text = f"{why.sentence(short)}. {why.fix(short)}" if why else "It was not mailed to the customer."
        return {"kind": "warn", "text": text, "actions": [again] if staff else []}
    sent = {"label": "It was sent", "url": url_for("home.mail_sent", document_id=row.id), "method": "post"}
    text = f"The customer may have the mail already: {short} gave no answer and does not show it as sent."
    return {"kind": "warn", "text": text, "actions": [sent, again] if staff else []}


def facts(row: Document) -> list[tuple[str, str]]:
    """Where the mail stands, to whom and when; the PDF, and the note in the history."""
    mail = delivery.of(db(), row)
    told = [("Mail to customer", _words(mail))] if mail is not None else []
    hanging = [(label, attaching.of(db(), row, operation)) for operation, label in _HANGING]
    return [*told, *((label, attaching.status(each)) for label, each in hanging if each is not None)]


_HANGING = ((attaching.ATTACH, "Autotask's PDF"), (attaching.NOTE, "Note in the history"))


def _file_note(row: Document, *, staff: bool) -> dict[str, Any] | None:
    """What is said of the PDF, else of the note, while it does not hang there."""
    found = [each for operation, _ in _HANGING if (each := attaching.of(db(), row, operation)) and each.reasons]
    file = found[0] if found else None
    why = attaching.why_not(file) if file is not None else None
    if file is None or why is None or file.state not in (PostingState.NEW, PostingState.REJECTED):
        return None
    told = why.sentence(ledger_names(company())[1])
    if file.state == PostingState.NEW:
        return {"kind": "plain", "text": f"{told}. It is tried again by itself.", "actions": []}
    verb = "Attach" if file.operation == attaching.ATTACH else "Write"
    again = {"label": f"{verb} again", "url": url_for("home.attach_again", document_id=row.id), "method": "post"}
    return {"kind": "warn", "text": f"{told}.", "actions": [again] if staff else []}


def _words(mail: Posting) -> str:
    parts = [delivery.status(mail)]
    if mail.terms.get("to"):
        parts.append(f"to {mail.terms['to']}")
    if mail.state == PostingState.DONE and mail.terms.get("at"):
        parts.append(format_moment(datetime.fromisoformat(mail.terms["at"]), company().time_zone))
    return ", ".join(parts)


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/mail/sent")
def mail_sent(company_id: int, document_id: int) -> ResponseReturnValue:
    """A person knows that the customer has the mail."""
    row = find(document_id)
    with writing() as write:
        done = delivery.it_was_sent(write, write.get_one(Document, row.id), now=now(), who=the_user().name)
        if done:
            audit.record(write, company_id, now(), the_user().email, "mail was sent", number_of(row))
    flash("Noted: the customer has it." if done else "There is nothing to decide now.", "ok" if done else "warn")
    return redirect(url_for("home.document", document_id=document_id))


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/mail/again")
def mail_again(company_id: int, document_id: int) -> ResponseReturnValue:
    """Have the ledger mail it (again); the ledger is asked first whether it shows it as sent by now."""
    row = find(document_id)
    with writing() as write:
        done = delivery.send_again(write, write.get_one(Document, row.id), now=now(), who=the_user().name)
        if done:
            audit.record(write, company_id, now(), the_user().email, "mail asked", number_of(row))
    if done:
        ring(enqueue.ring, company_id)
        flash("It is mailed as soon as the ledger was asked whether it shows it as sent by now.", "ok")
    else:
        flash("Nothing was done: the mail is on its way, or was sent.", "warn")
    return redirect(url_for("home.document", document_id=document_id))


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/attach")
def attach_again(company_id: int, document_id: int) -> ResponseReturnValue:
    """Try once more to hang the source's PDF on the document."""
    row = find(document_id)
    with writing() as write:
        done = attaching.try_again(write, write.get_one(Document, row.id), now=now(), who=the_user().name)
        if done:
            audit.record(write, company_id, now(), the_user().email, "attachment asked", number_of(row))
    if done:
        ring(enqueue.ring, company_id)
    flash("It is tried again." if done else "It hangs there, or is being tried.", "ok" if done else "warn")
    return redirect(url_for("home.document", document_id=document_id))
