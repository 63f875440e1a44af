"""*Send again* at one mail of a run."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from blueprints.context import company, now, ring, the_user, writing
from blueprints.logs.routes import blueprint
from blueprints.problems import Problem
from blueprints.runs import find
from models import MailRun, Outbox
from sync import audit, resending
from workers import enqueue


@blueprint.post("/c/<int:company_id>/runs/<int:run_id>/mails/<int:mail_id>/again")
def send_again(company_id: int, run_id: int, mail_id: int) -> ResponseReturnValue:
    """At most five times a mail, and five minutes apart."""
    find(run_id)
    with writing() as write:
        row = write.get(Outbox, mail_id, with_for_update=True)
        told = row is not None and (row.run_id == run_id or write.get(MailRun, (mail_id, run_id)) is not None)
        if row is None or row.company_id != company().id or not told:
            raise Problem(404, "404")
        trouble = resending.trouble(row, now())
        if not trouble:
            resending.send_again(write, row, now())
            audit.record(write, company_id, now(), the_user().email, "mail sent again", row.recipient)
        address = row.recipient
    if trouble:
        flash(trouble, "warn")
    else:
        ring(enqueue.mails)
        flash(f"The mail to {address} goes again.", "ok")
    return redirect(url_for("logs.run", run_id=run_id))
