"""Overview of the settings in words, and every saved version with what it changed."""

from __future__ import annotations

from flask import g, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from blueprints.access import Need, may
from blueprints.context import db, now
from blueprints.queries import paged
from blueprints.settings.fields import differing
from blueprints.settings.invoices import saved, scene_now
from blueprints.settings.lists import context as lists_context
from blueprints.settings.registry import FIRST, MORE, QUESTIONS
from blueprints.settings.routes import blueprint
from blueprints.settings.section import Scene
from blueprints.settings.words import label, shown
from models import Membership, SettingsVersion, User
from sync import access, settings


@blueprint.get("/c/<int:company_id>/settings")
def index(company_id: int) -> ResponseReturnValue:
    people = (
        db()
        .execute(
            select(Membership.role, func.count()).where(Membership.company_id == company_id).group_by(Membership.role)
        )
        .all()
    )
    counted = dict((role, number) for role, number in people)  # noqa: C402
    invited = len(access.open_invitations(db(), company_id, now()))
    return render_template(
        "settings/index.html",
        saved=saved(settings.newest(db(), company_id)),
        answers=_answers(scene_now()),
        people=[
            ("Admins", counted.get("admin", 0)),
            ("Staff", counted.get("staff", 0)),
            ("Viewers", counted.get("viewer", 0)),
            ("Open invitations", invited),
        ],
        may_save=may(g.role, Need.ADMIN),
        **lists_context(),
    )


def _answers(scene: Scene) -> list[tuple[str, str]]:
    """The switch and the five questions, then what differs from its default under More settings."""
    asked = [name for section in (FIRST, *QUESTIONS) for name in section.names() if name not in section.hidden(scene)]
    changed = [name for section in MORE for name in section.names() if differing([name], scene)]
    return [(label(name), shown(name, getattr(scene.current, name), scene)) for name in (*asked, *changed)]


@blueprint.get("/c/<int:company_id>/settings/history")
def history(company_id: int) -> ResponseReturnValue:
    scene = scene_now()
    listed = paged(
        db(),
        select(SettingsVersion)
        .where(SettingsVersion.company_id == company_id, SettingsVersion.area == settings.INVOICES)
        .order_by(SettingsVersion.version.desc()),
        20,
    )
    versions = [
        {
            "version": row.version,
            "at": row.saved_at,
            "by": _who(row),
            "changes": _changes(row, scene),
            "note": "Made when the company was connected" if row.version == 1 else "",
        }
        for row in listed.rows
    ]
    return render_template("settings/history.html", versions=versions, page=listed.pager)


def _who(row: SettingsVersion) -> str:
    user = db().get(User, row.saved_by) if row.saved_by else None
    return user.name if user else "Bookbridge"


def _changes(row: SettingsVersion, scene: Scene) -> list[dict[str, str]]:
    return [
        {
            "label": label(each["field"]),
            "before": shown(each["field"], each["before"], scene),
            "after": shown(each["field"], each["after"], scene),
        }
        for each in row.changes or []
    ]
