"""Overview of the settings in words, and every saved version with what it changed."""

from __future__ import annotations

from typing import Any

from flask import g, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from blueprints.access import Need, may
from blueprints.context import company, db, now
from blueprints.queries import paged
from blueprints.settings.fields import BLANK, LABELS, MATCH_BY, MISSING, NUMBERING, ZERO
from blueprints.settings.invoices import saved
from blueprints.settings.lists import context as lists_context
from blueprints.settings.routes import blueprint
from domain.formats import format_count, format_long_day
from domain.settings import InvoiceSettings
from models import Membership, MirrorEntry, SettingsVersion, User
from sync import access, settings

WORDS: dict[str, dict[str, str]] = {
    "numbering": {str(value): label for value, label in NUMBERING},
    "match_by": {str(value): label for value, label in MATCH_BY},
    "missing_item": {str(value): label for value, label in MISSING},
    "zero_total": {str(value): label for value, label in ZERO},
    "blank_text": {str(value): label for value, label in BLANK},
}


@blueprint.get("/c/<int:company_id>/settings")
def index(company_id: int) -> ResponseReturnValue:
    current = settings.load_invoices(db(), company_id)
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
        answers=_answers(current),
        people=[
            ("Admins", counted.get("admin", 0)),
            ("Staff", counted.get("staff", 0)),
            ("Viewers", counted.get("viewer", 0)),
            ("Open invitations", invited),
        ],
        may_save=may(g.role, Need.ADMIN),
        **lists_context(),
    )


def _answers(current: InvoiceSettings) -> list[tuple[str, str]]:
    values = [
        ("sync_state", str(current.sync_state)),
        ("start_date", format_long_day(current.start_date)),
        ("numbering", current.numbering),
        ("match_by", current.match_by),
        ("missing_item", current.missing_item),
        ("created_item_account", current.created_item_account),
        ("untaxed_code", current.untaxed_code),
        ("look_back_days", current.look_back_days),
        ("run_limit", format_count(current.run_limit)),
        ("recipients", ", ".join(current.recipients)),
    ]
    return [(LABELS[name], _shown(name, value)) for name, value in values]


@blueprint.get("/c/<int:company_id>/settings/history")
def history(company_id: int) -> ResponseReturnValue:
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
            "changes": _changes(row),
            "note": "Made when the company was connected" if row.version == 1 else "",
        }
        for row in listed.rows
    ]
    return render_template("settings/history.html", versions=versions, page=listed.pager)


def _who(row: SettingsVersion) -> str:
    user = db().get(User, row.saved_by) if row.saved_by else None
    return user.name if user else "Bookbridge"


def _changes(row: SettingsVersion) -> list[dict[str, str]]:
    return [
        {
            "label": LABELS.get(each["field"], each["field"]),
            "before": _shown(each["field"], each["before"]),
            "after": _shown(each["field"], each["after"]),
        }
        for each in row.changes or []
    ]


def _shown(name: str, value: Any) -> str:
    """A stored value in words: choices by their labels, accounts and tax codes by their names."""
    if value in (None, "", [], ()):
        return "–"
    if name in WORDS:
        return WORDS[name].get(str(value), str(value))
    if name in ("created_item_account", "untaxed_code"):
        kind = "account" if name == "created_item_account" else "tax_code"
        found = (
            db()
            .execute(
                select(MirrorEntry.name).where(
                    MirrorEntry.company_id == company().id,
                    MirrorEntry.kind == kind,
                    MirrorEntry.ledger_id == str(value),
                )
            )
            .scalar_one_or_none()
        )
        return found or f"id {value}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
