"""Overview of the settings in words, and every saved version with what it changed."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from blueprints.access import Need, may
from blueprints.context import company, db, now
from blueprints.problems import Problem
from blueprints.queries import paged
from blueprints.settings import tax_words
from blueprints.settings.fields import differing
from blueprints.settings.invoices import saved, scene_now
from blueprints.settings.lists import context as lists_context
from blueprints.settings.registry import FIRST, MORE, QUESTIONS
from blueprints.settings.routes import blueprint
from blueprints.settings.section import Scene
from blueprints.settings.words import EMPTY, label, shown
from domain.settings import InvoiceSettings
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
            "changes": _told(row.changes or [], scene),
            "note": "Made when the company was connected" if row.version == 1 else "",
        }
        for row in listed.rows
    ]
    return render_template("settings/history.html", versions=versions, page=listed.pager, newest=_newest(company_id))


def _newest(company_id: int) -> int:
    row = settings.newest(db(), company_id)
    return row.version if row else 0


def _who(row: SettingsVersion) -> str:
    user = db().get(User, row.saved_by) if row.saved_by else None
    return user.name if user else "Bookbridge"


@blueprint.get("/c/<int:company_id>/settings/history/compare")
def compare(company_id: int) -> ResponseReturnValue:
    """Any two versions, whatever lies between them; the first and the one in use where none is named."""
    before = version_of(request.args.get("before", "1"))
    after = version_of(request.args.get("after", str(_newest(company_id))))
    scene = scene_now()
    numbers = db().scalars(
        select(SettingsVersion.version)
        .where(SettingsVersion.company_id == company_id, SettingsVersion.area == settings.INVOICES)
        .order_by(SettingsVersion.version.desc())
    )
    return render_template(
        "settings/compare.html",
        numbers=[(str(each), f"Version {each}") for each in numbers],
        before=_head(before),
        after=_head(after),
        changes=in_words(settings.from_values(before.values), settings.from_values(after.values), scene),
    )


def version_of(number: str | None) -> SettingsVersion:
    """The version of this number, or 404: nothing else is a version of this company."""
    found = None
    if number and number.isascii() and number.isdigit() and len(number) < 10:
        found = db().scalars(
            select(SettingsVersion).where(
                SettingsVersion.company_id == company().id,
                SettingsVersion.area == settings.INVOICES,
                SettingsVersion.version == int(number),
            )
        ).first()
    if found is None:
        raise Problem(404, "404")
    return found


def _head(row: SettingsVersion) -> dict[str, Any]:
    return {"version": row.version, "at": row.saved_at, "by": _who(row)}


def in_words(before: InvoiceSettings, after: InvoiceSettings, scene: Scene) -> list[dict[str, str]]:
    """What differs, as `changes` of templates/settings/_changes.html."""
    return _told(settings.changes(before, after), scene)


def _told(changes: list[dict[str, Any]], scene: Scene) -> list[dict[str, str]]:
    return [_change(each["field"], each["before"], each["after"], scene) for each in changes]


def _change(field: str, before: Any, after: Any, scene: Scene) -> dict[str, str]:
    """One setting's change. A map has many entries: only those that changed are told."""
    if field == "tax_map":
        told = tax_words.differing(before, after, scene)
    else:
        told = shown(field, before, scene), shown(field, after, scene)
    return {"label": label(field), "before": told[0] or EMPTY, "after": told[1] or EMPTY}
