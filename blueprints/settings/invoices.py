"""Settings, Invoices: five questions first, the rest under More settings. Every save is a new version.

An earlier start date is asked about once, with how many documents it lets in and how much they are.
"""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from blueprints.access import Need, may
from blueprints.connect.review import begin_scan
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.queries import Totals, before_start, sums
from blueprints.settings.fields import check, differing, filled, values
from blueprints.settings.lists import context as lists_context
from blueprints.settings.lists import mirror_ready
from blueprints.settings.registry import FIRST, MORE, QUESTIONS, SECTIONS
from blueprints.settings.routes import blueprint
from blueprints.settings.section import Scene, Section, scene_of
from blueprints.settings.tools_row import tools_row
from blueprints.shell import ledger_names
from domain.settings import InvoiceSettings, SyncState
from models import Company, Document, SettingsVersion, User
from sync import audit, lease, requests, settings, start_date, what_if
from sync import wanted as pending
from workers import enqueue


@blueprint.get("/c/<int:company_id>/settings/invoices")
def invoices(company_id: int) -> ResponseReturnValue:
    scene = scene_now()
    return page(filled(scene, sent=False), scene, None), 200


@blueprint.post("/c/<int:company_id>/settings/invoices")
def save_invoices(company_id: int) -> ResponseReturnValue:
    scene = scene_now()
    form = filled(scene, sent=True)
    if not check(form, scene, lists_ready=mirror_ready(company_id)):
        return page(form, scene, None), 422
    wanted = values(form, scene.current)
    if request.form.get("action") == "try":
        return what_would_change(company_id, wanted)
    opens = opened(company_id, scene.current, wanted)
    if opens is not None and not form.confirm_start_date.data:
        return page(form, scene, opens), 200
    with writing() as write:
        scan_id = save(write, company_id, wanted)
    if scan_id is not None:
        ring(enqueue.first_scan, company_id, scan_id)
    return redirect(url_for("settings.invoices"))


def scene_now() -> Scene:
    """The company of the address with the settings that hold now."""
    current = settings.load_invoices(db(), company().id)
    return scene_of(db(), company(), current, ledger_names(company())[1])


def opened(company_id: int, current: InvoiceSettings, wanted: InvoiceSettings) -> tuple[int, Totals] | None:
    """Known documents that an earlier start date would let in; None when there are none."""
    if wanted.start_date >= current.start_date:
        return None
    found = sums(db(), company_id, Document.before_start.is_(True), Document.document_date >= wanted.start_date)
    return found if found[0] else None


def what_would_change(company_id: int, wanted: InvoiceSettings) -> ResponseReturnValue:
    """Keep the answers without saving them, and have it counted what they would change."""
    with writing() as write:
        user = write.get_one(User, the_user().id)
        row = pending.keep(write, company_id, wanted, now=now(), user=user)
        found = write.get_one(Company, company_id)
        run, _new = requests.ask(write, found, kind=what_if.KIND, trigger="button", now=now(), user=user)
        audit.record(write, company_id, now(), user.email, "settings tried", f"answers {row.version}")
        run_id = run.id
    ring(enqueue.what_if, company_id, run_id)
    return redirect(url_for("settings.wanted_page"))


def save(write: Session, company_id: int, wanted: InvoiceSettings) -> int | None:
    """A new version and what follows from it. Returns the id of a scan to start, during set-up only."""
    lease.exclusive(write, company_id)
    found = write.get_one(Company, company_id)
    user = write.get_one(User, the_user().id)
    version = settings.save(write, company_id, wanted, now=now(), user=user)
    if version is None:
        flash("Nothing was changed.", "plain")
        return None
    changed = [each["field"] for each in version.changes]
    audit.record(
        write, company_id, now(), user.email, "settings saved", f"version {version.version}", {"fields": changed}
    )
    found.time_zone = wanted.time_zone
    if "start_date" in changed:
        start_date.apply(write, company_id, wanted.start_date, now())
    if wanted.sync_state is not SyncState.OFF:
        found.next_poll_at = now()
    lease.wake(write, company_id, now())
    return _tell(write, found, version, wanted)


def _tell(write: Session, found: Company, version: SettingsVersion, wanted: InvoiceSettings) -> int | None:
    finished_setup = found.first_posted_at is not None
    rescan = (
        not finished_setup and found.source_tenant is not None and not requests.open_run(write, found.id, "first_scan")
    )
    text = f"Saved as version {version.version}."
    if rescan:
        text += " The first scan runs again with these settings."
    if wanted.sync_state is not SyncState.OFF and not finished_setup:
        text += " Automatic syncing begins after the first posting, which you do by hand."
    kept = pending.kept(write, found.id)
    if kept is not None and kept.values == version.values:
        pending.drop(write, found.id)
    flash(text, "ok")
    return begin_scan(write, found).id if rescan else None


def page(form: Any, scene: Scene, opens: tuple[int, Totals] | None) -> str:
    older_count, older_totals = before_start(db(), company().id)
    rest = [name for section in MORE for name in section.names()]
    return render_template(
        "settings/invoices.html",
        form=form,
        saved=saved(settings.newest(db(), company().id)),
        may_save=may(g.role, Need.ADMIN),
        older={"count": older_count, "totals": older_totals},
        opens={"count": opens[0], "totals": opens[1]} if opens else None,
        cancel_url=url_for("settings.index"),
        more_count=len(rest),
        more_changed=differing(rest, scene),
        tools_row=tools_row(),
        kept=_kept(),
        **lists_context(),
        **sections_context(form, scene),
    )


def _kept() -> dict[str, Any] | None:
    """Answers that somebody tried and did not save."""
    row = pending.kept(db(), company().id)
    return {**(saved(row) or {}), "count": len(row.changes)} if row is not None else None


def sections_context(form: Any, scene: Scene) -> dict[str, Any]:
    """`first`, `questions` and `more` of settings/invoices.html, and what the sections' own partials need."""
    own: dict[str, Any] = {}
    for section in SECTIONS:
        own |= section.context(form, scene)
    return {
        **own,
        "first": _view(FIRST, form, scene),
        "questions": [_view(each, form, scene) for each in QUESTIONS],
        "more": [_view(each, form, scene) for each in MORE],
    }


def _view(section: Section, form: Any, scene: Scene) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title,
        "why": section.why.format(ledger=scene.ledger),
        "anchor": f"section-{section.key}",
        "template": f"settings/sections/_{section.key}.html",
        "whole": section.whole,
        "wrong": any(form[name].errors for name in vars(section.Fields) if name in form),
        "changed": differing(section.names(), scene),
    }


def saved(version: SettingsVersion | None) -> dict[str, Any] | None:
    """Who saved the newest version and when; None while nobody did (version 1 is made by connecting)."""
    if version is None or version.saved_by is None:
        return None
    user = db().get(User, version.saved_by)
    return {"version": version.version, "at": version.saved_at, "by": user.name if user else "somebody who left"}
