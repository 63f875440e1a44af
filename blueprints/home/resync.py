"""What staff do with a document that is in the books: read both sides again, write its mark again."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from blueprints.context import now, ring, the_user, writing
from blueprints.home.actions import find
from blueprints.home.routes import blueprint
from blueprints.rows import number_of
from blueprints.tools.manual_copy import start
from models import Document
from sync import audit, decisions
from sync.copy_outcome import Asked
from workers import enqueue


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/resync")
def resync(company_id: int, document_id: int) -> ResponseReturnValue:
    """Read one document again on both sides; what differs is shown before anything is written."""
    row = find(document_id)
    asked = Asked(number_of(row), source_id=row.source_id, compare=True, mail=False)
    return start(company_id, asked, [], decision="resync")


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/mark")
def mark_again(company_id: int, document_id: int) -> ResponseReturnValue:
    """The mark in Autotask is written once more, by the serving process."""
    row = find(document_id)
    with writing() as write:
        done = decisions.mark_again(write, write.get_one(Document, row.id), now=now(), who=the_user().name)
        if done:
            audit.record(write, company_id, now(), the_user().email, "mark written again", number_of(row))
    if done:
        ring(enqueue.ring, company_id)
        flash("The mark is being written to Autotask again.", "ok")
    else:
        flash("Nothing was done: the document is not in the books, or its mark is being written now.", "warn")
    return redirect(url_for("home.document", document_id=document_id))
