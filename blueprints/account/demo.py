"""The demo's door: one press signs in as admin, staff or viewer. Answers 404 unless the demo runs on a sandbox."""

from __future__ import annotations

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from blueprints.account.routes import blueprint
from blueprints.connect.arrival import begin_session
from blueprints.connect.pages import home_of_user
from blueprints.context import now, services, writing
from blueprints.problems import Problem
from models import Company, Membership, User
from models.company import ROLES
from sync import access, audit

ISSUER = "demo"
PEOPLE = {
    "admin": ("Demo admin", "Connects, changes settings, invites people and uses every tool."),
    "staff": ("Demo staff", "Uses the tools, fixes Faults and retries them. Looks at settings."),
    "viewer": ("Demo viewer", "Looks at everything and changes nothing."),
}


@blueprint.get("/demo/sign-in")
def demo() -> ResponseReturnValue:
    base = (services().config.sandbox_url or "").rstrip("/")
    links = [
        {
            "label": "Intuit: My Apps",
            "url": f"{base}/intuit/myapps",
            "text": "Launch and disconnect, as QuickBooks shows them",
        },
        {
            "label": "Xero: Connected apps",
            "url": f"{base}/xero-go",
            "text": "Launch and disconnect, as Xero shows them",
        },
        {
            "label": "The simulated platforms",
            "url": f"{base}/",
            "text": "Autotask, QuickBooks, Xero, their books and the mailbox",
        },
        {"label": "Mailbox", "url": f"{base}/mailbox", "text": "The reports and invitations that were mailed"},
    ]
    people = [{"role": role, "name": name, "text": text} for role, (name, text) in PEOPLE.items()]
    return render_template("account/demo.html", people=people, links=links)


@blueprint.post("/demo/sign-in")
@blueprint.post("/demo/sign-in/<role>")
def demo_sign_in(role: str = "") -> ResponseReturnValue:
    """Become one of the three people, a member of every company of the demo with that role."""
    role = role or request.form.get("role", "")
    if role not in ROLES:
        raise Problem(404, "404")
    with writing() as write:
        name, _text = PEOPLE[role]
        user = access.sign_in(
            write, issuer=ISSUER, subject=role, name=name, email=f"{role}@demo.sandbox.invalid", now=now()
        )
        _join_all(write, user, role)
        audit.record(write, None, now(), user.email, "signed in", "demo", {"role": role})
    begin_session(user)
    return redirect(home_of_user())


def _join_all(write: Session, user: User, role: str) -> None:
    mine = set(write.scalars(select(Membership.company_id).where(Membership.user_id == user.id)))
    for company_id in write.scalars(select(Company.id)).all():
        if company_id not in mine:
            access.add_member(write, company_id, user, role, now())
