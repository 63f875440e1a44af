"""Reasons as pages show them: a short title per cause, the problem box, and the button that mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from domain.reasons import CATALOGUE, Reason, Turn

TITLES: dict[str, str] = {
    "zero_total": "The total is 0.00",
    "zero_total_cancels": "The total is 0.00 because the lines cancel out",
    "voided_in_source": "Voided in Autotask",
    "marked_elsewhere": "Marked by another program",
    "already_posted": "In the books already",
    "numbered_elsewhere": "The invoice already has a number",
    "before_start": "Dated before the start date",
    "skipped_by_person": "Set aside by a person",
    "still_building": "Autotask is still building it",
    "young": "Created moments ago",
    "source_mismatch": "Autotask's own figures do not agree",
    "no_lines": "The invoice has no lines",
    "no_customer": "The invoice names no customer",
    "customer_unreadable": "Autotask did not show the company",
    "customer_similar": "A customer with a similar name exists",
    "customer_twice_in_source": "Two Autotask companies share a name",
    "customer_twice_in_ledger": "The ledger has the customer twice",
    "customer_inactive": "The customer is inactive",
    "customer_is_vendor": "The name belongs to a vendor",
    "customer_currency": "The customer is kept in another currency",
    "customer_exempt_here": "Tax-exempt in Autotask only",
    "customer_exempt_there": "Tax-exempt in the ledger only",
    "link_gone": "The linked customer is gone",
    "number_too_long": "The number is too long",
    "number_repeats": "Two invoices have one number",
    "number_taken": "The number is used already",
    "no_billing_code": "A line has no billing code",
    "item_missing": "An item is missing",
    "item_inactive": "An item is inactive",
    "item_unusable": "An item takes no amount",
    "no_item_account": "No account for created items",
    "tax_off": "Sales tax is switched off",
    "tax_not_set_up": "Sales tax was never set up",
    "tax_without_line": "Tax without a taxed line",
    "tax_unmapped": "The tax region has no tax code",
    "untaxed_code_missing": "No tax code for untaxed documents",
    "tax_differs": "The tax would differ",
    "too_many_taxed_lines": "Too many lines for a taxed document",
    "blank_text": "A line has no text",
    "remainder": "The rounded lines miss the total by a remainder",
    "closed_period": "The books are closed",
    "numbering_contradicted": "The numbering does not fit the ledger",
    "ledger_refused": "The ledger refused it",
    "reference_refused": "A record it uses is no longer accepted",
    "subscription": "The ledger's subscription has ended",
    "customer_refused": "The customer could not be created",
    "item_refused": "An item could not be created",
    "echo_differs": "The ledger stored it differently",
    "cannot_settle": "It is not certain whether the ledger has it",
    "waits_for_sync": "Ready, goes with the next Sync",
    "queued": "Ready, in line",
    "waits_for_reading": "Found, its lines are read with the next Sync",
    "run_stopped": "The run was stopped before it",
    "checking": "Checking in the ledger",
    "in_hand": "Being sent",
    "ledger_limit": "Waits for the ledger's limit",
    "ledger_away": "The ledger cannot be reached",
    "billed_before": "Its items are in the books already",
    "reconnect": "Waits for a connection",
}
_PAGES = {"settings": "settings.invoices", "connections": "connect.connections", "sync_now": "tools.sync_now"}


def title(code: str | None) -> str:
    return TITLES.get(code or "", (code or "No reason given").replace("_", " ").capitalize())


def first(reasons: Sequence[Mapping[str, Any]] | None) -> Reason | None:
    """The StatusCode: the first of the stored reasons; None when there is none or its code is unknown now."""
    found = reasons[0] if reasons else None
    return Reason.from_json(found) if found and found.get("code") in CATALOGUE else None


def sentence(reasons: Sequence[Mapping[str, Any]] | None, ledger: str) -> str:
    found = first(reasons)
    return found.sentence(ledger) if found else ""


def problem(reason: Reason, ledger: str, actions: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What happened, why, what to do (macros/problems.html)."""
    detail = [("Code", reason.code), ("Stage", str(reason.entry.stage))]
    detail += [(name.replace("_", " ").capitalize(), value) for name, value in reason.params.items() if value]
    return {
        "happened": reason.sentence(ledger) + ".",
        "why": reason.cause(ledger),
        "todo": [reason.fix(ledger)],
        "actions": [*actions, help_action(reason.code)],
        "detail": detail,
    }


def help_action(code: str) -> dict[str, Any]:
    """The page that explains this reason; open to everybody."""
    return {"label": "More about this", "url": url_for("help.error", code=code), "kind": "quiet"}


def actions_for(reason: Reason, document_id: int, *, staff: bool) -> list[dict[str, Any]]:
    """The action of the catalogue first; Retry beside it where it is another one."""
    label, key = reason.entry.action
    retry = {
        "label": "Retry",
        "url": url_for("home.retry", document_id=document_id),
        "method": "post",
        "icon": "rotate",
    }
    offered: list[dict[str, Any]] = []
    if key in _PAGES:
        offered.append({"label": label, "url": url_for(_PAGES[key])})
    elif key == "link_customer" and staff:
        offered.append({"label": label, "url": url_for("home.customer", document_id=document_id)})
    if staff and reason.turn is Turn.FAULT:
        offered.append(retry)
    return offered
