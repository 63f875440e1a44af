"""Members, their roles and invitations. Only admins change anything; giving away rights needs a recent sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from wtforms import EmailField, RadioField
from wtforms.validators import InputRequired

from blueprints.access import Need, may
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.forms import Address, Form
from blueprints.guard import recent_sign_in
from blueprints.links import invitation_url, new_invitation_token
from blueprints.problems import Problem
from blueprints.settings.routes import blueprint
from models import Invitation, Membership, User, WebSession
from models.company import ROLES
from sync import access, audit, reports, settings
from workers import enqueue

ROLE_CHOICES = [("viewer", "Viewer"), ("staff", "Staff"), ("admin", "Admin")]
MAX_INVITATIONS = 50


class InviteForm(Form):
    email = EmailField("E-mail address", [InputRequired("Enter the address of the person."), Address()])
    role = RadioField("Role", [InputRequired("Choose a role.")], choices=ROLE_CHOICES, default="staff")


@blueprint.get("/c/<int:company_id>/people")
def people(company_id: int) -> ResponseReturnValue:
    return _page(InviteForm(formdata=None)), 200


def _page(form: InviteForm) -> str:
    members = access.members(db(), company().id)
    admins = [member for member in members if member.role == "admin"]
    invitations = access.open_invitations(db(), company().id, now())
    return render_template(
        "settings/people.html",
        form=form if may(g.role, Need.ADMIN) else None,
        members=[_member(each, only_admin=admins == [each]) for each in members],
        invitations=[
            {
                "id": each.id,
                "email": each.email,
                "role": each.role,
                "by": db().get_one(User, each.invited_by).name,
                "expires_at": each.created_at + access.INVITATION_LIFE,
            }
            for each in invitations
        ],
    )


def _member(member: Membership, *, only_admin: bool) -> dict[str, Any]:
    seen = db().execute(select(func.max(WebSession.seen_at)).where(WebSession.user_id == member.user_id)).scalar()
    return {
        "id": member.id,
        "name": member.user.name,
        "email": member.user.email,
        "role": member.role,
        "since": member.created_at.date(),
        "last_seen": seen,
        "you": member.user_id == the_user().id,
        "roles": ROLE_CHOICES,
        "only_admin": only_admin,
    }


@blueprint.post("/c/<int:company_id>/people/invite")
@recent_sign_in
def invite(company_id: int) -> ResponseReturnValue:
    """A signed link by mail, seven days, single use. Inviting an address again withdraws its earlier link."""
    form = InviteForm()
    if not form.validate():
        return _page(form), 422
    if len(access.open_invitations(db(), company_id, now())) >= MAX_INVITATIONS:
        form.email.errors = [f"There are {MAX_INVITATIONS} open invitations. Withdraw some first."]
        return _page(form), 422
    token = new_invitation_token()
    with writing() as write:
        user = write.get_one(User, the_user().id)
        made = access.invite(
            write, company_id, email=form.email.data, role=form.role.data, token=token, by=user, now=now()
        )
        _queue_mail(write, made, user, token)
        audit.record(write, company_id, now(), user.email, "invited", made.email, {"role": made.role})
    ring(enqueue.mails)
    flash(f"The invitation to {form.email.data} is on its way. It is valid for seven days.", "ok")
    return redirect(url_for("settings.people"))


def _queue_mail(write: Session, made: Invitation, user: User, token: str) -> None:
    zone = company().time_zone
    expires: datetime = made.created_at + access.INVITATION_LIFE
    reports.queue_mail(
        write,
        made.company_id,
        "invitation",
        f"invitation:{made.id}",
        made.email,
        now(),
        data={
            "subject": f"{user.name} invites you to {company().name} in Bookbridge",
            "inviter": user.name,
            "role": made.role,
            "url": invitation_url(token),
            "expires_at": expires.isoformat(),
            "zone": zone,
            "zone_name": expires.astimezone(ZoneInfo(zone)).tzname() or zone,
        },
    )


@blueprint.post("/c/<int:company_id>/people/<int:member_id>/role")
@recent_sign_in
def role(company_id: int, member_id: int) -> ResponseReturnValue:
    wanted = request.form.get("role", "")
    if wanted not in ROLES:
        raise Problem(400, "400")
    with writing() as write:
        member = _of_company(write, Membership, member_id)
        before, person = member.role, member.user
        try:
            if before != wanted:
                access.change_role(write, member, wanted)
                audit.record(
                    write,
                    company_id,
                    now(),
                    the_user().email,
                    "role changed",
                    person.email,
                    {"before": before, "after": wanted},
                )
        except access.LastAdmin as problem:
            flash(f"{problem} Make somebody else an admin first.", "bad")
            return redirect(url_for("settings.people"))
    flash(f"{person.name} is {wanted} now and signs in again.", "ok")
    return redirect(url_for("settings.people"))


@blueprint.get("/c/<int:company_id>/people/<int:member_id>/remove")
def ask_remove(company_id: int, member_id: int) -> ResponseReturnValue:
    """Asks before a person loses access, and says what stays."""
    member = _of_company(db(), Membership, member_id)
    if member.user_id == the_user().id:
        flash("You cannot remove yourself. Another admin can.", "bad")
        return redirect(url_for("settings.people"))
    return render_template(
        "settings/remove_confirm.html",
        person={"id": member.id, "name": member.user.name, "email": member.user.email, "role": member.role},
        reported=member.user.email.casefold() in _report_addresses(company_id),
    )


def _report_addresses(company_id: int) -> set[str]:
    return {each.casefold() for each in settings.load_invoices(db(), company_id).recipients}


@blueprint.post("/c/<int:company_id>/people/<int:member_id>/remove")
@recent_sign_in
def remove(company_id: int, member_id: int) -> ResponseReturnValue:
    with writing() as write:
        member = _of_company(write, Membership, member_id)
        person = member.user
        try:
            access.remove_member(write, member)
            audit.record(write, company_id, now(), the_user().email, "member removed", person.email)
        except access.LastAdmin as problem:
            flash(f"{problem} Make somebody else an admin first.", "bad")
            return redirect(url_for("settings.people"))
    flash(f"{person.name} is no member of {company().name} any more.", "ok")
    return redirect(url_for("settings.people"))


@blueprint.post("/c/<int:company_id>/people/invitations/<int:invitation_id>/withdraw")
def withdraw(company_id: int, invitation_id: int) -> ResponseReturnValue:
    with writing() as write:
        found = _of_company(write, Invitation, invitation_id)
        if found.accepted_at is None and found.withdrawn_at is None:
            found.withdrawn_at = now()
            audit.record(write, company_id, now(), the_user().email, "invitation withdrawn", found.email)
    flash("The invitation is withdrawn; its link no longer works.", "ok")
    return redirect(url_for("settings.people"))


def _of_company(write: Session, kind: Any, row_id: int) -> Any:
    """A row of this company, or 404: ids of other companies do not exist here."""
    found = write.get(kind, row_id)
    if found is None or found.company_id != company().id:
        raise Problem(404, "404")
    return found
