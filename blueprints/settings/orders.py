"""Settings, Purchase Orders: the old app's fields under their own names, and what an order becomes.

A save is a new version. Then come the review and Connect, which switches the days on and looks for orders at once.
"""

from __future__ import annotations

from dataclasses import replace

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from blueprints.access import Need, may
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.settings.lists import mirror_ready
from blueprints.settings.order_fields import (
    BECOMES,
    OrdersForm,
    check,
    filled,
    for_purchases,
    purchase_taxed,
    summary,
    values,
    vendor_rows,
)
from blueprints.settings.routes import blueprint
from blueprints.settings.section import Scene, scene_of
from blueprints.shell import ledger_names
from domain.order_documents import ORDER
from domain.order_settings import Becomes, OrderNumbers, OrderSettings, VendorRule
from domain.statuses import Status
from models import Document, PartyEntry, User
from sync import audit, settings
from workers import enqueue


@blueprint.get("/c/<int:company_id>/settings/orders")
def orders(company_id: int) -> ResponseReturnValue:
    scene, current = _now()
    return _page(filled(scene, current, sent=False), scene, current)


@blueprint.post("/c/<int:company_id>/settings/orders")
def save_orders(company_id: int) -> ResponseReturnValue:
    """Save leads to the review while orders were never looked for, else back."""
    scene, current = _now()
    form = filled(scene, current, sent=True)
    if not check(form, scene, current, lists_ready=mirror_ready(company_id)):
        return _page(form, scene, current), 422
    wanted = values(form, current)
    saved = _save(company_id, wanted)
    flash("Saved. It holds from the next posting on." if saved else "Nothing was changed.", "ok" if saved else "plain")
    if wanted.paused:
        flash("Purchase orders are Paused: the number of days is 0.", "warn")
    first = not wanted.active and not _posted(company_id)
    return redirect(url_for("settings.review_orders" if first else "settings.orders"))


@blueprint.get("/c/<int:company_id>/settings/orders/review")
def review_orders(company_id: int) -> ResponseReturnValue:
    """Step 2 complete: what was chosen, and Connect."""
    scene, current = _now()
    return render_template(
        "settings/orders_review.html", rows=summary(current, scene), paused=current.paused,
        may_save=may(g.role, Need.ADMIN),
    )  # fmt: skip


@blueprint.post("/c/<int:company_id>/settings/orders/connect")
def connect_orders(company_id: int) -> ResponseReturnValue:
    """Connect: orders are looked for at once. The first one is posted by hand."""
    _scene, current = _now()
    if current.paused:
        flash("Set the number of days first: with 0 the product is Paused.", "warn")
        return redirect(url_for("settings.orders"))
    with writing() as write:
        audit.record(write, company_id, now(), the_user().email, "purchase orders connected", f"{current.days} days")
    ring(enqueue.poll, company_id)
    flash("Connected. Autotask is being read for purchase orders now.", "busy")
    return redirect(url_for("tools.orders"))


@blueprint.post("/c/<int:company_id>/settings/orders/active")
def activate_orders(company_id: int) -> ResponseReturnValue:
    """Post orders by themselves from now on, or not. Offered once the first one is in the books."""
    _scene, current = _now()
    asked = request.form.get("active")
    active = asked == "yes"
    if asked not in {"yes", "no"}:
        flash("Nothing was changed: choose to post orders automatically or by hand.", "bad")
    elif active and not _posted(company_id):
        flash("Post one order by hand first, and look at it.", "warn")
    elif _save(company_id, replace(current, active=active)):
        flash("Orders are posted by themselves now." if active else "Orders wait until somebody posts them.", "ok")
        ring(enqueue.poll, company_id)
    return redirect(url_for("tools.orders"))


@blueprint.post("/c/<int:company_id>/settings/orders/vendors")
def save_vendor(company_id: int) -> ResponseReturnValue:
    """What holds for one vendor instead of the company's choice; with `remove` take it away."""
    scene, current = _now()
    party, becomes = request.form.get("party", ""), request.form.get("becomes", "")
    code = request.form.get("tax_code", "")
    codes = {value for value, _ in scene.choices("tax_code")}
    known = party in dict(_vendors(company_id)) or current.rule(party) is not None
    if not known or becomes not in {"", *Becomes} or code not in {"", *codes}:
        flash("Choose a vendor of the list.", "bad")
        return redirect(url_for("settings.orders"))
    kept = tuple(rule for rule in current.vendors if rule.party_id != party)
    rule = VendorRule(
        party, Becomes(becomes) if becomes else None, code or None, request.form.get("confirmed") == "y"
    )
    removing = request.form.get("remove") == "1"
    saved = _save(company_id, replace(current, vendors=kept if removing else (*kept, rule)))
    flash("Saved. It holds from the next posting on." if saved else "Nothing was changed.", "ok" if saved else "plain")
    return redirect(url_for("settings.orders"))


def _now() -> tuple[Scene, OrderSettings]:
    scene = scene_of(db(), company(), settings.load_invoices(db(), company().id), ledger_names(company())[1])
    current = settings.load_orders(db(), company().id)
    here, there = scene.current.time_zone, scene.current.source_time_zone
    current = replace(current, time_zone=here, source_time_zone=there)
    either = (scene.company.profile or {}).get("own_order_numbers", False) is None
    if either and settings.newest(db(), company().id, settings.ORDERS) is None:
        # Our number can be looked for before anything is sent; so it is proposed where the ledger takes either.
        current = replace(current, numbers=OrderNumbers.SOURCE)
    return scene, current


def _save(company_id: int, wanted: OrderSettings) -> bool:
    with writing() as write:
        user = write.get_one(User, the_user().id)
        version = settings.save_orders(write, company_id, wanted, now=now(), user=user)
        if version is not None:
            changed = {"fields": [each["field"] for each in version.changes]}
            told = f"purchase orders, version {version.version}"
            audit.record(write, company_id, now(), user.email, "settings saved", told, changed)
    return version is not None


def _posted(company_id: int) -> bool:
    return db().execute(select(func.count()).select_from(Document).where(
        Document.company_id == company_id, Document.kind == ORDER, Document.status == Status.COMPLETE
    )).scalar_one() > 0


def _vendors(company_id: int) -> list[tuple[str, str]]:
    """Vendors of orders that were read, by name."""
    ids = select(Document.party_id).where(Document.company_id == company_id, Document.kind == ORDER)
    rows = db().execute(select(PartyEntry.source_id, PartyEntry.name).where(
        PartyEntry.company_id == company_id, PartyEntry.source_id.in_(ids)
    ).order_by(PartyEntry.folded))
    return [(id, name) for id, name in rows]


def _page(form: OrdersForm, scene: Scene, current: OrderSettings) -> str:
    vendors = _vendors(company().id)
    profile = company().profile or {}
    return render_template(
        "settings/orders.html", form=form, paused=current.paused, may_save=may(g.role, Need.ADMIN), vendors=vendors,
        rules=vendor_rows(current, dict(vendors), scene), becomes=[(str(value), label) for value, label in BECOMES],
        codes=scene.choices("tax_code", keep=for_purchases) if purchase_taxed(scene) else [],
        has_orders=bool(profile.get("purchase_orders", True)), able=scene.capabilities,
        either_number=profile.get("own_order_numbers", False) is None,
        several=bool(profile.get("multi_currency")) and scene.capabilities.parties_have_currency,
    )  # fmt: skip
