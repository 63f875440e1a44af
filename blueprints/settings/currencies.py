"""Settings, Currencies: what both sides keep, what follows from it, and the one confirmation that some cases need."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.access import Need, may
from blueprints.context import company, db, now, the_user, writing
from blueprints.settings.routes import blueprint
from blueprints.shell import ledger_names
from domain.currencies import Pairing, in_words
from models import Company, User
from sync import currencies as kept


@blueprint.get("/c/<int:company_id>/settings/currencies")
def currencies(company_id: int) -> ResponseReturnValue:
    pair, before = kept.pair_of(db(), company()), kept.remembered(db(), company_id)
    state, text = _state(pair, before)
    return render_template(
        "settings/currencies.html", rows=_rows(pair) if pair else [], state=state, text=text,
        before=in_words(before) if before and pair and before != pair.text else "",
        shown=pair.text if pair else "", may_save=may(g.role, Need.ADMIN), lists_url=url_for("settings.lists"),
    )


@blueprint.post("/c/<int:company_id>/settings/currencies")
def confirm_currencies(company_id: int) -> ResponseReturnValue:
    """The currencies as they were shown are right. Retry brings the invoices that waited for it."""
    with writing() as write:
        found, user = write.get_one(Company, company_id), write.get_one(User, the_user().id)
        done = kept.confirm(write, found, request.form.get("shown", ""), now=now(), user=user)
    if done:
        flash("Confirmed. Invoices that waited for it can be tried again in Error Logs.", "ok")
    else:
        flash("The currencies are others by now, so nothing was confirmed. Look at them once more.", "bad")
    return redirect(url_for("settings.currencies"))


def _rows(pair: Pairing) -> list[dict[str, Any]]:
    ledger = ledger_names(company())[0]
    alone = "None: amounts bear no currency of their own"
    return [
        {"side": "Autotask", "home": pair.source, "others": "Multicurrency is on" if pair.source_multi else alone},
        {"side": ledger, "home": pair.ledger, "others": "Multicurrency is on" if pair.ledger_multi else "None"},
    ]


def _state(pair: Pairing | None, before: str) -> tuple[str, str]:
    """`unread`, `apart`, `confirm` or `ok`, and what it means for invoices."""
    short = ledger_names(company())[1]
    if pair is None:
        return "unread", "Autotask's currencies were not read yet, or this API user may not see them."
    if pair.apart:
        return "apart", (
            f"Autotask's only currency is {pair.source}, {short}'s own is {pair.ledger}. No invoice is posted: amounts "
            f"would be booked in the wrong currency. Connect the company that is kept in {pair.source}."
        )
    if pair.assumed:
        text = f"Autotask has one currency, {short} has several: every invoice is booked in {pair.ledger}, and a " \
               "customer kept in another currency waits."
    elif pair.source_multi and pair.ledger_multi:
        text = "An invoice is booked in its customer's currency; where the two sides disagree on it, it waits."
    elif pair.source_multi:
        text = f"Only invoices in {pair.ledger} are posted; others wait, because {short} keeps one currency."
    else:
        text = f"Both sides keep {pair.ledger} only."
    open_ = before != pair.text if before else pair.assumed
    return "confirm" if open_ else "ok", text
