"""Reasons as pages show them: a short title per cause, the problem box, and the button that mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from blueprints.context import company
from domain.reasons import CATALOGUE, Reason, Turn
from sync import voids

_PAGES = {
    "settings": "settings.invoices",
    "lines": "settings.lines",
    "currencies": "settings.currencies",
    "tax_map": "settings.tax_map",
    "connections": "connect.connections",
    "sync_now": "tools.sync_now",
    "review": "home.review",
    "in_process": "tools.in_process",
    "manual_copy": "tools.manual_copy",
    "orders": "settings.orders",
}


def title(code: str | None) -> str:
    """The cause as lists name it; a code of an older version that is no longer known is spelled out."""
    entry = CATALOGUE.get(code or "")
    return entry.title if entry else (code or "No reason given").replace("_", " ").capitalize()


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


_DECIDED_ABOVE = (*voids.DECIDABLE, *voids.CORRECTABLE)
"""What a person decides with the buttons of the note on the page: it is in the books, so trying again does nothing."""


def help_action(code: str) -> dict[str, Any]:
    """The page that explains this reason; open to everybody."""
    return {
        "label": "More about this",
        "url": url_for("help.error", code=code, ledger=company().ledger),
        "kind": "quiet",
    }


def actions_for(reason: Reason, document_id: int, *, staff: bool, group: bool = False) -> list[dict[str, Any]]:
    """The action of the catalogue first; Retry beside it where it is another one. `group`: for all of a cause, which
    has its own Retry, and where nothing is offered that settles one document alone."""
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
    elif key in ("link_customer", "link_vendor") and staff and not group:
        offered.append({"label": label, "url": url_for("home.customer", document_id=document_id)})
    elif key == "order_decision" and staff and not group:
        offered.append({"label": label, "url": url_for("home.order_decision", document_id=document_id)})
    elif key == "no_company" and staff:
        offered.append({"label": label, "url": url_for("home.no_company", document_id=document_id)})
    elif key == "reissue" and staff and not group:
        offered.append({"label": label, "url": url_for("home.post_anyway", document_id=document_id)})
        offered.append({"label": "Skip…", "url": url_for("home.skip", id=document_id)})
    elif key == "adopt" and staff and not group:
        offered.append({"label": label, "url": url_for("home.resync", document_id=document_id), "method": "post"})
    elif key == "approve" and staff and not group:
        return [{"label": label, "url": url_for("home.approve", document_id=document_id), "method": "post"}]
    if staff and reason.turn is Turn.FAULT and not group and reason.code not in _DECIDED_ABOVE:
        offered.append(retry)
    return offered
