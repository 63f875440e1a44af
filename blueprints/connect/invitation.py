"""An invitation opened from its mail: seven days, single use, accepted by whoever signs in with the link in hand."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from blueprints.connect.routes import blueprint
from blueprints.context import db, now, the_user, writing
from blueprints.links import open_invitation
from domain.ledger_words import words_of
from models import Company, User
from sync import access, audit


@blueprint.get("/invitation/<token>")
def invitation(token: str) -> ResponseReturnValue:
    found = open_invitation(db(), token)
    if found is None:
        return render_template("connect/invite.html", invitation=None, signed_in_as=""), 410
    session["next"] = url_for("connect.invitation", token=token)
    inviter, company = db().get_one(User, found.invited_by), db().get_one(Company, found.company_id)
    g.words = words_of(company.ledger)
    return render_template(
        "connect/invite.html",
        signed_in_as=g.user.email if g.user else "",
        invitation={
            "company": company.name,
            "role": found.role,
            "by": inviter.name,
            "email": found.email,
            "expires_at": found.created_at + access.INVITATION_LIFE,
            "accept_url": url_for("connect.accept_invitation", token=token),
            "ledger": company.ledger,
        },
    )


@blueprint.post("/invitation/<token>")
def accept_invitation(token: str) -> ResponseReturnValue:
    """The person who is signed in becomes a member. Somebody who is not comes back after signing in."""
    if g.user is None:
        return redirect(url_for("connect.invitation", token=token))
    with writing() as write:
        found = open_invitation(write, token)
        member = access.accept(write, found, write.get_one(User, the_user().id), now()) if found else None
        if found is None or member is None:
            return redirect(url_for("connect.invitation", token=token))
        audit.record(
            write, found.company_id, now(), the_user().email, "invitation accepted", found.email, {"role": member.role}
        )
    session.pop("next", None)
    flash("Welcome. You are a member now.", "ok")
    return redirect(url_for("home.index", company_id=found.company_id))
