"""Pages around sign-in: the start, what is read and written, where QuickBooks leads people, refusals."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.connect.routes import blueprint
from blueprints.context import db, ring, services
from blueprints.forms import safe_path
from domain.ledger_words import words_of
from models import Company
from sync import access
from workers import enqueue

SENTENCES: dict[str, tuple[str, str]] = {
    "consent": (
        "Nothing was connected",
        "The sign-in service says that the consent was not given. Nothing was read or stored.",
    ),
    "state": (
        "Please start again",
        "This sign-in was not started here, is older than ten minutes, or was used before. Nothing was changed.",
    ),
    "untrusted": (
        "The sign-in could not be trusted",
        "What the sign-in service sent back does not fit what was asked for. Nothing was changed; please start again.",
    ),
    "code": (
        "Please start again",
        "The sign-in service does not accept this sign-in any more: its code was used or is too old.",
    ),
    "email": (
        "Your e-mail address is not verified",
        "The e-mail address of this account is not verified. Verify it in that account, then "
        "sign in again.",
    ),
    "away": (
        "The sign-in service is not answering",
        "Nothing was changed. Try again in a minute; what runs already goes on.",
    ),
    "no_company": ("No company was chosen", "Intuit named no QuickBooks company. Start again and choose one."),
    "other_realm": (
        "This is another QuickBooks company",
        "The connection belongs to one QuickBooks company and never moves to another. To use the other "
        "one as well, connect it as a company of its own; both stay apart.",
    ),
    "other_organisation": (
        "This is another Xero organisation",
        "The connection belongs to one organisation and never moves to another. To use the other one as well, connect "
        "it as a company of its own; both stay apart.",
    ),
    "no_organisation": ("No organisation was chosen", "Xero named no organisation. Start again and choose one."),
    "several": (
        "More than one organisation was chosen",
        "Each organisation is connected by itself, so that nothing is posted to the wrong one. Start again and choose "
        "one; repeat it for the others.",
    ),
    "not_offered": (
        "This sign-in is not offered here",
        "Whoever runs this installation has not registered it at that service yet.",
    ),
}


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """Signed-in people go to their company, everybody else sees what this is."""
    again = "again" in request.args
    if g.user is not None and not again:
        return redirect(home_of_user())
    if again:
        session["next"] = safe_path(request.args.get("next")) or "/"
        flash("For this, please sign in once more. Your last sign-in is more than ten minutes ago.", "warn")
    return render_template("connect/start.html", sandbox=services().config.sandbox_url is not None, contact="")


def home_of_user() -> str:
    mine = access.companies_of(db(), g.user.id)
    return url_for("home.index", company_id=mine[0][0].id) if len(mine) == 1 else url_for("home.boards")


@blueprint.get("/launch")
def launch() -> ResponseReturnValue:
    """From My Apps. Whatever comes along is a hint at most: who it is and which company, only Intuit's sign-in says."""
    realm = request.args.get("realmId", "")[:64]
    if g.user is not None:
        for company, _role in access.companies_of(db(), g.user.id):
            if company.ledger_tenant == realm:
                return redirect(url_for("home.index", company_id=company.id))
        if not realm:
            return redirect(home_of_user())
    return redirect(url_for("connect.consent", launched=1))


@blueprint.get("/connect")
def consent() -> ResponseReturnValue:
    """What is read, written and never done, before anything is asked of the ledger."""
    return render_template(
        "connect/consent.html",
        launched="launched" in request.args,
        signed_in=g.user is not None,
        company_hint="",
    )


@blueprint.get("/reconnect")
def reconnect() -> ResponseReturnValue:
    """Intuit's "Reconnect URL". A hint as well: signing in with the company's consent renews the connection."""
    return redirect(url_for("connect.consent"))


@blueprint.get("/disconnect/intuit")
def disconnected() -> ResponseReturnValue:
    """Where QuickBooks leads the browser after a disconnect there. Anybody can open this address, so nothing is
    changed by it: a job asks Intuit whether the access is really gone."""
    realm = request.args.get("realmId", "")[:64]
    company = db().scalars(select(Company).where(Company.ledger_tenant == realm)).first() if realm else None
    name = ""
    if company is not None:
        ring(enqueue.verify_ledger, company.id)
        if g.user is not None and access.role_in(db(), company.id, g.user.id):
            name = company.name
    return render_template("connect/disconnected.html", company=name, signed_in=g.user is not None)


@blueprint.get("/connect/problem")
def problem() -> ResponseReturnValue:
    """Why the last sign-in or connection did not work. The callback only redirects, so that no code stays open."""
    key = session.get("sign_in_problem", "")
    if key not in SENTENCES:
        return redirect(url_for("connect.start"))
    title, sentence = SENTENCES[key]
    page = render_template(
        "connect/denied.html",
        title=title,
        sentence=sentence,
        company="",
        admins=[],
        signed_in_as=_me(),
    )
    return page, 200 if key in ("consent", "no_company", "other_realm") else 400


@blueprint.get("/connect/denied")
def denied() -> ResponseReturnValue:
    """Somebody whose company is connected already, but who is no member, is told who can let them in."""
    company = db().get(Company, int(session.get("denied_company", 0)))
    if company is None or g.user is None:
        return redirect(url_for("connect.start"))
    g.words = words_of(company.ledger)
    sentence = (
        f"{company.name} is connected to Bookbridge already, and you are not one of its members here. Being an admin "
        "in {the_ledger} is not enough: an admin of the company in Bookbridge invites you."
    )
    admins = [_admin(user.name, user.email) for user in access.admins(db(), company.id)]
    page = render_template(
        "connect/denied.html",
        title="You are not a member yet",
        sentence=sentence,
        company=company.name,
        admins=admins,
        signed_in_as=_me(),
    )
    return page, 403


def _me() -> str:
    return g.user.email if g.user is not None else ""


def _admin(name: str, email: str) -> dict[str, Any]:
    """Enough to know whom to ask; the address is not given to somebody who may not know it."""
    local, _, domain = email.partition("@")
    return {"name": name, "email": f"{local[:1]}…@{domain}" if domain else ""}
