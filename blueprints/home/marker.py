"""Where a document in the ledger links back to: the page of the document that bears this marker."""

from __future__ import annotations

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.context import db, the_user
from blueprints.home.routes import blueprint
from blueprints.problems import Problem
from models import Membership, Posting


@blueprint.get("/open/<marker>")
def open_marker(marker: str) -> ResponseReturnValue:
    """For members of the document's company; for everybody else there is nothing here."""
    found = db().execute(
        select(Posting.company_id, Posting.document_id)
        .join(Membership, Membership.company_id == Posting.company_id)
        .where(Membership.user_id == the_user().id, Posting.marker == marker, Posting.document_id.is_not(None))
        .limit(1)
    ).first()
    if found is None:
        raise Problem(404, "404")
    return redirect(url_for("home.document", company_id=found.company_id, document_id=found.document_id))
