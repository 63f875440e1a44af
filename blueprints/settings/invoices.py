"""Settings, Invoices: five questions first, the rest under More settings. Every save is a new version.

An earlier start date is asked about once, with how many documents it lets in and how much they are.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from blueprints.access import Need, may
from blueprints.connect.review import begin_scan
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.queries import Totals, before_start, sums
from blueprints.settings.fields import InvoicesForm, check, filled, needs_untaxed_code
from blueprints.settings.lists import context as lists_context
from blueprints.settings.lists import mirror_ready
from blueprints.settings.routes import blueprint
from blueprints.shell import ledger_names
from domain.settings import InvoiceSettings, SyncState
from models import Company, Document, SettingsVersion, User
from sync import audit, lease, requests, settings, start_date
from workers import enqueue

MORE = ("look_back_days", "zero_total", "blank_text", "run_limit", "time_zone", "source_time_zone")


@blueprint.get("/c/<int:company_id>/settings/invoices")
def invoices(company_id: int) -> ResponseReturnValue:
    current = settings.load_invoices(db(), company_id)
    return _page(filled(db(), company(), current, empty=False), current, None), 200


@blueprint.post("/c/<int:company_id>/settings/invoices")
def save_invoices(company_id: int) -> ResponseReturnValue:
    current = settings.load_invoices(db(), company_id)
    form = filled(db(), company(), current, empty=True)
    if not check(form, company(), lists_ready=mirror_ready(company_id)):
        return _page(form, current, None), 422
    wanted = form.over(current)
    opens = _opened(company_id, current, wanted)
    if opens is not None and not form.confirm_start_date.data:
        return _page(form, current, opens), 200
    with writing() as write:
        scan_id = _save(write, company_id, wanted)
    if scan_id is not None:
        ring(enqueue.first_scan, company_id, scan_id)
    return redirect(url_for("settings.invoices"))


def _opened(company_id: int, current: InvoiceSettings, wanted: InvoiceSettings) -> tuple[int, Totals] | None:
    """Known documents that an earlier start date would let in; None when there are none."""
    if wanted.start_date >= current.start_date:
        return None
    found = sums(db(), company_id, Document.before_start.is_(True), Document.document_date >= wanted.start_date)
    return found if found[0] else None


def _save(write: Session, company_id: int, wanted: InvoiceSettings) -> int | None:
    """A new version and what follows from it. Returns the id of a scan to start, during set-up only."""
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
    flash(text, "ok")
    return begin_scan(write, found).id if rescan else None


def _page(form: InvoicesForm, current: InvoiceSettings, opens: tuple[int, Totals] | None) -> str:
    older_count, older_totals = before_start(db(), company().id)
    newest = settings.newest(db(), company().id)
    return render_template(
        "settings/invoices.html",
        form=form,
        saved=saved(newest),
        may_save=may(g.role, Need.ADMIN),
        older={"count": older_count, "totals": older_totals},
        tax_sentence=tax_sentence(company()),
        opens={"count": opens[0], "totals": opens[1]} if opens else None,
        cancel_url=url_for("settings.index"),
        more={"count": len(MORE), "changed": _differing(current)},
        **lists_context(),
        tools=[
            {"label": "compare items", "url": url_for("tools.compare")},
            {"label": "Check for Invoices", "url": url_for("tools.check")},
            {"label": "Sync Invoices Now", "url": url_for("tools.sync_now")},
            {"label": "View Error Logs", "url": url_for("logs.errors")},
            {"label": "Clear In-Process Status", "url": url_for("tools.in_process")},
        ],
    )


def saved(version: SettingsVersion | None) -> dict[str, Any] | None:
    """Who saved the newest version and when; None while nobody did (version 1 is made by connecting)."""
    if version is None or version.saved_by is None:
        return None
    user = db().get(User, version.saved_by)
    return {"version": version.version, "at": version.saved_at, "by": user.name if user else "somebody who left"}


def _differing(current: InvoiceSettings) -> int:
    """How many of the further settings are not at their default; the zones' default is the company's own."""
    default = {field.name: field.default for field in fields(InvoiceSettings)}
    plain = sum(getattr(current, name) != default[name] for name in MORE[:4])
    return plain + (current.source_time_zone != current.time_zone)


def tax_sentence(found: Company) -> str:
    _long, short = ledger_names(found)
    if needs_untaxed_code(found):
        return (
            f"Each line takes the {short} tax code named like the invoice's tax region in Autotask, or like its "
            "one tax. What does not give Autotask's tax waits with the difference."
        )
    return f"{short} ends with Autotask's tax: lines are marked as taxed or not, and the amount is sent as it is."
