"""The page of Compare Lists: a tab for each list, its states, and what can be decided about each row."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for
from sqlalchemy import case, func, select

from blueprints.access import Need, may
from blueprints.context import company, db
from blueprints.queries import address, paged
from blueprints.shell import ledger_names
from domain.list_compare import Same
from models import Run, ToolRow
from sync import list_decisions, list_report, tools
from sync.list_compare import ITEM, KIND, LISTS, OF_SETTINGS, TAX_CODE, TERM, VENDOR, outcome
from sync.list_report import ASKS, NAMES, STATES

MEANS = {
    ITEM: "A new item is created, or its invoices wait, as Settings say.",
    VENDOR: "Vendors are companies of that type in Autotask. A link is kept for documents that name the vendor.",
    TERM: "An invoice whose terms have no counterpart carries its due date alone. Terms are never created.",
    TAX_CODE: "These are the entries of the tax map: confirmed ones are linked, equal names are proposed. Codes are "
    "never created.",
}
CUSTOMERS = "Companies that the invoices read so far bill. A new one is created with the first invoice that needs it."


def context(run: Run) -> dict[str, Any]:
    counted = _counted(run)
    shown = [which for which in LISTS if which in list_report.counts(run)] or list(LISTS)
    which = request.args.get("list", "")
    which = which if which in shown else shown[0]
    tab = request.args.get("tab", "") if request.args.get("tab") in STATES else ""
    listed = paged(db(), _rows(run, which, tab), 50)
    staff = may(g.role, Need.STAFF)
    return {
        "lists": [_list_tab(name, counted, name == which) for name in shown],
        "tabs": _state_tabs(which, counted, tab),
        "which": which,
        "list_name": NAMES[which],
        "means": MEANS.get(which, CUSTOMERS),
        "rows": [_row(row, run, tab) for row in listed.rows],
        "page": listed.pager,
        "exact": counted.get(outcome(which, Same.EXACT), 0) if may(g.role, _needed(which)) and which != TERM else 0,
        "accept_url": url_for("tools.accept_exact", run_id=run.id),
        "again_url": url_for("tools.do_compare_lists"),
        "staff": staff,
        "of_set_up": bool(((run.summary or {}).get("asked") or {}).get("scan")),
        "newer_url": _newer(run),
    }


def _needed(which: str) -> Need:
    return Need.ADMIN if which in OF_SETTINGS else Need.STAFF


def _newer(run: Run) -> str:
    """Where the newest comparison is, when it is not this one."""
    newest = tools.last(db(), company().id, KIND)
    return url_for("tools.result", run_id=newest.id) if newest is not None and newest.id != run.id else ""


def _counted(run: Run) -> dict[str, int]:
    rows = db().execute(select(ToolRow.outcome, func.count()).where(ToolRow.run_id == run.id).group_by(ToolRow.outcome))
    return {row[0]: row[1] for row in rows}


def _rows(run: Run, which: str, tab: str) -> Any:
    states = [tab] if tab else list(STATES)
    places = {outcome(which, Same(state)): place for place, state in enumerate(states)}
    return (
        select(ToolRow)
        .where(ToolRow.run_id == run.id, ToolRow.outcome.in_(places))
        .order_by(case(places, value=ToolRow.outcome), ToolRow.id)
    )


def _list_tab(which: str, counted: dict[str, int], current: bool) -> dict[str, Any]:
    asks = sum(counted.get(outcome(which, state), 0) for state in ASKS)
    href = address(list=which, tab="", page="")
    return {"label": NAMES[which], "count": asks or None, "bad": True, "href": href, "current": current}


def _state_tabs(which: str, counted: dict[str, int], tab: str) -> list[dict[str, Any]]:
    found = {state: counted.get(outcome(which, Same(state)), 0) for state in STATES}
    labels = [("", "All", sum(found.values()))]
    labels += [(state, label, found[state]) for state, label in STATES.items() if found[state] or state == tab]
    return [
        {"label": label, "count": count, "href": address(tab=key, page=""), "current": key == tab}
        for key, label, count in labels
    ]


def _row(row: ToolRow, run: Run, tab: str) -> dict[str, Any]:
    data = row.data
    which, state = data["list"], data["state"]
    open_here = may(g.role, _needed(which)) and which != TAX_CODE and state != Same.LINKED
    open_here = open_here and (which, state) != (TERM, Same.EXACT)  # terms of equal name need no link
    return {
        "name": data["name"],
        "key": data["key"] if which != TAX_CODE else "",
        "ledger": data["ledger_name"],
        "ledger_id": data["ledger_id"],
        "could_be": ", ".join(list_report.could_be(row)[:3]),
        "kind": "ok" if state in (Same.LINKED, Same.EXACT) else "wait" if state == Same.NEW else "warn",
        "result": STATES[state],
        "notes": list_report.notes(row, ledger_names(company())[1]),
        "choices": [(each[0], f"{each[1]} (AccsID {each[0]})") for each in data["candidates"]] if open_here else [],
        "exact": state == Same.EXACT,
        "enter": open_here and not data["candidates"],
        "create": open_here and data["creatable"] and which in list_decisions.CREATABLE and state != Same.EXACT,
        "map_url": url_for("settings.tax_map") if which == TAX_CODE and state != Same.LINKED else "",
        "url": url_for(
            "tools.choose_match", run_id=run.id, row_id=row.id, list=which, tab=tab or None,
            page=request.args.get("page"),
        ),
    }  # fmt: skip
