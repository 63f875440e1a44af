"""Settings, Lines: the table of billing code and kind of line to item or account, with what is suggested for it.

Every change is a new version of the settings and counts from the next posting on. Where lines of a code went so far is
the journal's business; here stands where they will go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.access import Need, may
from blueprints.context import company, db, now, the_user, writing
from blueprints.problems import Problem
from blueprints.settings.routes import blueprint
from domain.accounts import INCOME_TYPES, OWED_TYPES
from domain.documents import Code
from domain.line_kinds import ROW_KINDS
from domain.matching import loose
from domain.settings import InvoiceSettings, LineRule
from models import MirrorEntry, User
from sync import audit, mirror, settings

SUGGESTED = 20


@blueprint.get("/c/<int:company_id>/settings/lines")
def lines(company_id: int) -> ResponseReturnValue:
    current = settings.load_invoices(db(), company_id)
    accounts, items = _accounts(), _entries("item")
    codes = mirror.catalog_of(db(), company_id).codes
    names = {**{f"account/{a.ledger_id}": a.name for a in accounts}, **{f"item/{i.ledger_id}": i.name for i in items}}
    return render_template(
        "settings/lines.html",
        rules=[_rule(rule, codes, names) for rule in current.line_map],
        codes=sorted(((code.id, code.name) for code in codes.values() if code.active), key=lambda pair: pair[1]),
        kinds=list(ROW_KINDS),
        accounts=[(f"account/{a.ledger_id}", a.name, a.details.get("type")) for a in accounts],
        items=[(f"item/{i.ledger_id}", i.name) for i in items],
        suggestions=_suggestions(current, codes, accounts),
        default=next((a.name for a in accounts if a.ledger_id == current.created_item_account), ""),
        may_save=may(g.role, Need.ADMIN),
    )


@blueprint.post("/c/<int:company_id>/settings/lines")
def save_line(company_id: int) -> ResponseReturnValue:
    """Add a rule, or replace the one of the same billing code and kind; with `remove` take it away."""
    code, kind, target = (request.form.get(name, "") for name in ("code", "kind", "target"))
    removing = request.form.get("remove") == "1"
    known = {"", *mirror.catalog_of(db(), company_id).codes}
    if (code not in known and not removing) or kind not in {"", *ROW_KINDS}:
        raise Problem(400, "400")
    if not removing and (not (code or kind) or not _offered(target)):
        flash("Choose a billing code or a kind of line, and where such lines go.", "bad")
        return redirect(url_for("settings.lines"))
    current = settings.load_invoices(db(), company_id)
    kept = tuple(rule for rule in current.line_map if (rule.code_id, rule.kind) != (code, kind))
    where, _, ledger_id = target.partition("/")
    rule = LineRule(code, kind)
    rule = replace(rule, item=ledger_id) if where == "item" else replace(rule, account=ledger_id)
    with writing() as write:
        user = write.get_one(User, the_user().id)
        wanted = kept if removing else (*kept, rule)
        version = settings.change(write, company_id, now=now(), user=user, line_map=wanted)
        if version is not None:
            audit.record(write, company_id, now(), user.email, "settings saved", f"version {version.version}",
                         {"fields": ["line_map"]})
    text = f"Saved as version {version.version}. It holds from the next posting on." if version else "Nothing changed."
    flash(text, "ok" if version else "plain")
    return redirect(url_for("settings.lines"))


def _entries(kind: str) -> list[MirrorEntry]:
    statement = select(MirrorEntry).where(
        MirrorEntry.company_id == company().id, MirrorEntry.kind == kind, MirrorEntry.active.is_(True)
    )
    return list(db().scalars(statement.order_by(MirrorEntry.folded)))


def _accounts() -> list[MirrorEntry]:
    """Accounts an item may book on."""
    return [a for a in _entries("account") if a.details.get("type") in (*INCOME_TYPES, *OWED_TYPES)]


def _offered(target: str) -> bool:
    where, _, ledger_id = target.partition("/")
    entries = _accounts() if where == "account" else _entries("item") if where == "item" else []
    return any(each.ledger_id == ledger_id for each in entries)


def _rule(rule: LineRule, codes: dict[str, Code], names: dict[str, str]) -> dict[str, Any]:
    target = f"item/{rule.item}" if rule.item else f"account/{rule.account}"
    code = codes.get(rule.code_id)
    return {
        "code_id": rule.code_id,
        "kind": rule.kind,
        "code": code.name if code else "Any billing code" if not rule.code_id else f"id {rule.code_id}",
        "kind_name": rule.kind or "Any kind",
        "where": "Item" if rule.item else "Account",
        "target": names.get(target, f"{target.partition('/')[2]} (not there any more, or inactive)"),
    }


def _suggestions(
    current: InvoiceSettings, codes: dict[str, Code], accounts: list[MirrorEntry]
) -> list[dict[str, Any]]:
    """Accounts named like the general-ledger account of a billing code, number aside; only where no rule stands."""
    by_name = {loose(account.name): account for account in accounts}
    ruled = {rule.code_id for rule in current.line_map}
    found = []
    for code in sorted(codes.values(), key=lambda each: each.name):
        words = (code.gl_account or "").split(" ", 1)
        plain = words[1] if len(words) == 2 and words[0].isdigit() else code.gl_account or ""
        account = by_name.get(loose(plain)) if plain else None
        if account is not None and code.active and code.id not in ruled:
            target = f"account/{account.ledger_id}"
            found.append({"code_id": code.id, "code": code.name, "gl": code.gl_account, "account": account.name,
                          "target": target})
    return found[:SUGGESTED]
