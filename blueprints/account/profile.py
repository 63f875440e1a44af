"""Who I am, my companies, how it looks, where I am signed in. There is no password: a ledger's sign-in is used."""

from __future__ import annotations

import re
from typing import Any, cast

from flask import flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import BooleanField, RadioField
from wtforms.validators import InputRequired

from blueprints.account.routes import blueprint
from blueprints.context import db, now, services, the_user, writing
from blueprints.forms import Form
from blueprints.mails.links import preferences_token
from blueprints.problems import Problem
from blueprints.sessions import BrowserSession
from models import Identity, User, WebSession
from sync import access, audit

THEMES = [("auto", "As the system"), ("light", "Light"), ("dark", "Dark")]
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


class ThemeForm(Form):
    theme = RadioField("Colours", [InputRequired("Choose one.")], choices=THEMES)
    shortcuts = BooleanField("Keyboard shortcuts")


@blueprint.get("/account")
def profile() -> ResponseReturnValue:
    user = the_user()
    form = ThemeForm(formdata=None, theme=user.theme, shortcuts=session.get("shortcuts", True))
    return _page(form)


def _signed_in_with(user_id: int) -> list[str]:
    """The services whose accounts are this user's."""
    issuers = db().scalars(select(Identity.issuer).where(Identity.user_id == user_id).order_by(Identity.id)).all()
    of_xero = services().platforms.endpoints.xero_identity
    return list(dict.fromkeys("Xero" if issuer == of_xero else "Intuit" for issuer in issuers)) or ["Intuit"]


def _page(form: ThemeForm) -> str:
    user = the_user()
    rows = (
        db()
        .scalars(select(WebSession).where(WebSession.user_id == user.id).order_by(WebSession.seen_at.desc()).limit(20))
        .all()
    )
    return render_template(
        "account/profile.html",
        form=form,
        user={"name": user.name, "email": user.email, "identity": " and ".join(_signed_in_with(user.id))},
        companies=[
            {
                "name": company.name,
                "role": role,
                "url": url_for("home.index", company_id=company.id),
                "mails_url": url_for("mails.preferences", token=preferences_token(company.id, user.email)),
            }
            for company, role in access.companies_of(db(), user.id)
        ],
        sessions=[_session(row) for row in rows],
    )


def _session(row: WebSession) -> dict[str, Any]:
    """`id` is a prefix of the stored hash: enough to name the row, of no use to sign in with."""
    here = row.id_hash == cast(BrowserSession, session).key
    return {
        "id": row.id_hash[:16],
        "here": here,
        "agent": agent_words((row.data or {}).get("agent", "")),
        "started_at": row.signed_in_at or row.created_at,
        "seen_at": now() if here else row.seen_at,
    }


def agent_words(text: str) -> str:
    """A browser's description in two words."""
    browser = next((name for mark, name in _BROWSERS if re.search(mark, text)), "A browser")
    system = next((name for mark, name in _SYSTEMS if re.search(mark, text)), "")
    return f"{browser} on {system}" if system else browser


@blueprint.post("/account/theme")
def theme() -> ResponseReturnValue:
    form = ThemeForm()
    if not form.validate():
        return _page(form), 422
    with writing() as write:
        write.get_one(User, the_user().id).theme = form.theme.data
    session["shortcuts"] = bool(form.shortcuts.data)
    flash("Saved.", "ok")
    return redirect(url_for("account.profile"))


@blueprint.post("/account/sessions/<session_id>/end")
def end_session(session_id: str) -> ResponseReturnValue:
    with writing() as write:
        found = [
            row
            for row in write.scalars(select(WebSession).where(WebSession.user_id == the_user().id))
            if row.id_hash[:16] == session_id
        ]
        if not found:
            raise Problem(404, "404")
        for row in found:
            write.delete(row)
        audit.record(write, None, now(), the_user().email, "session ended elsewhere")
    flash("That device is signed out.", "ok")
    return redirect(url_for("account.profile"))


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    with writing() as write:
        audit.record(write, None, now(), the_user().email, "signed out")
    cast(BrowserSession, session).end()
    return redirect(url_for("connect.start"))
