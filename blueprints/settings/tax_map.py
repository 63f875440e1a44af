"""Settings, Tax map: which tax code of the ledger each region and category stands for, confirmed by a person.

The map is part of the invoice settings: every save is a version of those. We never create codes or rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.access import Need, may
from blueprints.context import company, db, now, ring, the_user, writing
from blueprints.settings.lists import context as lists_context
from blueprints.settings.routes import blueprint
from blueprints.shell import ledger_names
from domain.formats import format_plural
from domain.known import Entry
from domain.settings import InvoiceSettings
from domain.taxes import MARKED_LINES, TaxModel
from domain.taxmap import fallen_together
from domain.taxrates import percent_of
from models import User
from sync import audit, lease, settings, taxmap, taxsums
from workers import enqueue

UNTAXED = (
    ("zero_rated", "Zero-rated", "Taxed at 0 %: Autotask has a tax of 0 for the region and category."),
    ("exempt", "Exempt", "The company is tax-exempt in Autotask."),
    ("out_of_scope", "Out of scope", "Autotask has no tax for it. Rounding lines take this code too."),
)


@blueprint.get("/c/<int:company_id>/settings/tax-map")
def tax_map(company_id: int) -> ResponseReturnValue:
    current = settings.load_invoices(db(), company_id)
    known = taxmap.codes(db(), company_id)
    found = taxmap.rows(db(), company_id, current)
    coded = _model() is TaxModel.CODE_PER_LINE
    return render_template(
        "settings/tax_map.html",
        rows=[_row(number, row, known, coded) for number, row in enumerate(found)],
        untaxed=[_untaxed(name, label, why, current, known) for name, label, why in UNTAXED] if coded else [],
        together=fallen_together(current.tax_map, known) if coded else [],
        before=current.untaxed_code if coded and not _chosen(current) else None,
        why=_why(),
        warning=taxsums.warning(db(), company_id, ledger_names(company())[1]),
        waits=[
            f"Region {region} has no usable tax code: {format_plural(count, 'invoice waits', 'invoices wait')}."
            for region, count in sorted(taxmap.waiting(db(), company_id).items())
        ],
        may_save=may(g.role, Need.ADMIN),
        **lists_context(),
    )


@blueprint.post("/c/<int:company_id>/settings/tax-map")
def save_tax_map(company_id: int) -> ResponseReturnValue:
    """What was chosen is confirmed; an empty choice takes an entry out. An unknown code or row changes nothing."""
    with writing() as write:
        lease.exclusive(write, company_id)
        current = settings.load_invoices(write, company_id)
        known = taxmap.codes(write, company_id)
        chosen = []
        for row in taxmap.rows(write, company_id, current):
            sent = request.form.get(_key(row))
            if sent is not None and (sent == "" or sent in known):
                chosen.append((row, known.get(sent)))
        fresh = taxmap.with_codes(current.tax_map, chosen)
        own: dict[str, Any] = {
            name: request.form[name] or None for name, _, _ in UNTAXED if _known(request.form.get(name), known)
        }
        fresh = replace(fresh, **own)
        user = write.get_one(User, the_user().id)
        version = settings.change(write, company_id, now=now(), user=user, tax_map=fresh)
        if version is not None:
            audit.record(write, company_id, now(), user.email, "tax map confirmed", f"version {version.version}")
            lease.wake(write, company_id, now())
    flash(f"Saved as version {version.version}. Retry what waits." if version else "Nothing was changed.", "ok")
    ring(enqueue.ring, company_id)
    return redirect(url_for("settings.tax_map"))


def _model() -> TaxModel | None:
    kept = (company().profile or {}).get("tax_model")
    return TaxModel(kept) if kept else None


def _why() -> str:
    _long, short = ledger_names(company())
    if _model() is TaxModel.GROUP_AND_TOTAL:
        return f"{short} wants one rate group on a taxed document; Autotask's amount goes along with it."
    if _model() in MARKED_LINES:
        return (
            f"{short} takes Autotask's tax as an amount, so this map may stay empty. A code chosen here goes along "
            "with the amount, and its rate estimates the tax where the ledger computes."
        )
    return f"Each line of a document takes the {short} tax code of its region and category."


def _row(number: int, row: taxmap.MapRow, known: Mapping[str, Entry], coded: bool) -> dict[str, Any]:
    chosen = row.entry.code if row.entry else row.proposed.id if row.proposed else ""
    return {
        "key": _key(row), "number": number, "region": row.region or "(no region)",
        "category": row.category or "Every category",
        "percent": f"{row.source_percent.normalize():f} %" if row.source_percent is not None else "–",
        "chosen": chosen, "choices": _choices(known, chosen, coded), "waiting": row.waiting,
        "state": "confirmed" if row.entry else "proposed" if row.proposed else "open",
        "problem": row.problem, "code": row.code.name if row.code else row.entry.code_name if row.entry else "",
    }


def _choices(known: Mapping[str, Entry], chosen: str, coded: bool) -> list[tuple[str, str]]:
    """Active codes (where lines are only taxable or not, those with a rate), and the chosen one whatever it is."""
    offered = [
        (code.id, _named(code)) for code in known.values()
        if code.id == chosen or (code.active and (coded or percent_of(code) is not None))
    ]
    gone = [] if not chosen or chosen in known else [(chosen, f"{chosen} (gone)")]
    return [("", "Choose a tax code"), *gone, *offered]


def _named(code: Entry) -> str:
    percent = percent_of(code)
    rate = f", {percent.normalize():f} %" if percent is not None else ""
    return f"{code.name}{rate}" + ("" if code.active else " (inactive)")


def _untaxed(name: str, label: str, why: str, current: InvoiceSettings, known: Mapping[str, Entry]) -> dict[str, Any]:
    chosen = getattr(current.tax_map, name) or ""
    return {"name": name, "label": label, "why": why, "chosen": chosen, "choices": _choices(known, chosen, True)}


def _chosen(current: InvoiceSettings) -> bool:
    return any(getattr(current.tax_map, name) for name, _, _ in UNTAXED)


def _known(sent: str | None, known: Mapping[str, Entry]) -> bool:
    return sent is not None and (sent == "" or sent in known)


def _key(row: taxmap.MapRow) -> str:
    """The row's field: by region and category, so that a list read anew meanwhile confirms nothing else."""
    return f"code:{row.region_id or ''}:{row.region}:{row.category}"
