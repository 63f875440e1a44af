"""How far the ledger's lists are read, for the pages that offer them; and reading them again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.access import Need, may
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.settings.routes import blueprint
from domain.formats import format_count, format_plural
from models import MirrorState
from sync import audit, connection, credentials, mirror
from workers import enqueue

ORDER = (
    "{the_ledger} company and preferences",
    "{the_ledger} tax codes",
    "{the_ledger} customers",
    "{the_ledger} vendors",
    "{the_ledger} items",
    "{the_ledger} accounts",
    "{the_ledger} terms",
    "Autotask billing codes, terms and taxes",
)
STUCK = timedelta(minutes=5)


@blueprint.get("/c/<int:company_id>/settings/lists")
def lists(company_id: int) -> ResponseReturnValue:
    """The fragment that polls while lists are being read."""
    return render_template("settings/_lists.html", **context())


@blueprint.post("/c/<int:company_id>/settings/lists")
def refresh_lists(company_id: int) -> ResponseReturnValue:
    with writing() as write:
        state = write.get(MirrorState, company_id)
        if state is not None and reading(state, now()) is None:
            state.progress = {"reading": ORDER[0], "at": now().isoformat()}
        audit.record(write, company_id, now(), the_user().email, "lists refreshed")
    ring(enqueue.refresh_lists, company_id)
    back = "settings.invoices" if "/settings/invoices" in (request.referrer or "") else "settings.index"
    return redirect(url_for(back))


def context() -> dict[str, Any]:
    """`lists` and `lists_url` of settings/_lists.html."""
    return {"lists": describe(), "lists_url": url_for("settings.lists")}


def describe() -> dict[str, Any]:
    company_id = company().id
    state = db().get(MirrorState, company_id)
    progress = (state.progress or {}) if state else {}
    ready = mirror_ready(company_id)
    current = reading(state, now()) if state else None
    shown: dict[str, Any] = {
        "done": 0,
        "total": len(ORDER),
        "read_at": state.whole_at if state else None,
        "may_refresh": may(g.role, Need.STAFF),
    }
    row = connection.of(db(), company_id, credentials.LEDGER)
    if row is None or row.state != credentials.CONNECTED:
        return {**shown, "state": "failed", "text": "The ledger is not connected, so its lists cannot be read."}
    if progress.get("problem"):
        return {**shown, "state": "failed", "text": f"The lists could not be read: {progress['problem']}"}
    if current is not None:
        return {**shown, "state": "reading", "text": current, "done": ORDER.index(current) if current in ORDER else 0}
    if progress.get("reading"):
        return {**shown, "state": "failed", "text": "Reading the lists stopped on the way. Refresh them."}
    if not ready:
        return {**shown, "state": "reading", "text": "Waiting for a worker"}
    return {**shown, "state": "ready", "text": _counts(company_id), "done": len(ORDER)}


def reading(state: MirrorState, at: datetime) -> str | None:
    """The list that is being read now; None when none is, or when nothing was heard for five minutes."""
    progress = state.progress or {}
    if not progress.get("reading") or at - datetime.fromisoformat(progress["at"]) > STUCK:
        return None
    return str(progress["reading"])


def mirror_ready(company_id: int) -> bool:
    """The ledger's lists were read once; the source's catalog may follow when it is connected."""
    state = db().get(MirrorState, company_id)
    return bool(state and state.watermark and state.whole_at)


def _counts(company_id: int) -> str:
    counts = mirror.counts(db(), company_id)
    parts = [
        format_plural(counts.get(kind, 0), kind.replace("_", " ")) for kind in ("customer", "item", "account", "term")
    ]
    codes = len(mirror.catalog_of(db(), company_id).codes)
    return ", ".join([*parts, f"{format_count(codes)} Autotask billing codes"]) + "."
