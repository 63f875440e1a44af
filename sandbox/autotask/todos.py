"""To-dos as rules, as an account for the judge, and as what people do with them and with the staff.

A to-do hangs below a company (0 is the provider's own), has neither title nor state: a completed date ends it.
Public source: developer help, entity CompanyToDos. What is not published is a switch of the tenant.
"""

import re
from typing import Any

from sandbox.autotask import answers
from sandbox.autotask.actions import ActionError
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import Row, moment_text, parse_moment

_MARKER = re.compile(r"^\s*\[[^\]]{3,60}\]")


def check(tenant: Tenant, row: Row) -> None:
    """Rules between the fields of a to-do. Raises Refused."""
    resource = tenant.row("Resources", row["assignedToResourceID"]) or {}
    if not resource.get("isActive"):
        raise answers.errors("assignedToResourceID must be an active resource.")
    if tenant.label("licenseType", resource.get("licenseType")).startswith("API"):
        raise answers.errors("assignedToResourceID must not be an API-only resource.")
    if parse_moment(row["endDateTime"]) < parse_moment(row["startDateTime"]):
        raise answers.errors("endDateTime must not be before startDateTime.")
    contact = tenant.row("Contacts", row["contactID"]) if row.get("contactID") else None
    if contact is not None and (contact.get("companyID") != row["companyID"] or not contact.get("isActive")):
        raise answers.errors("contactID must be an active contact of the same company.")
    if tenant.switch("todo_views") == "to_do":
        action = tenant.row("ActionTypes", row["actionType"]) or {}
        if tenant.label("actionTypeView", action.get("view")) not in ("To Do", "Both"):
            raise answers.errors("actionType is not an action type of to-dos.")
    if tenant.switch("todo_line_breaks") == "spaces":
        row["activityDescription"] = " ".join(str(row.get("activityDescription") or "").split())


def permitted(tenant: Tenant, entity: str, method: str) -> None:
    """What the API user's security level may leave out. Raises Refused."""
    status = int(tenant.switch("permission_status"))
    if entity == "CompanyToDos" and not tenant.switch("todos"):
        raise answers.no_permission(status, f"{'query' if method == 'query' else 'edit'} CompanyToDos")
    if entity in ("Resources", "ActionTypes") and not tenant.switch("staff_visible"):
        raise answers.no_permission(status, f"query {entity}")


def listed(tenant: Tenant) -> list[dict[str, Any]]:
    """All to-dos by id with the names of their person and action type."""
    return [
        {
            "id": row["id"],
            "company": row["companyID"],
            "text": row.get("activityDescription", ""),
            "action": (tenant.row("ActionTypes", row["actionType"]) or {}).get("name", ""),
            "resource": _person(tenant.row("Resources", row["assignedToResourceID"]) or {}),
            "start": row["startDateTime"],
            "completed": row.get("completedDate"),
        }
        for row in sorted(tenant.rows("CompanyToDos"), key=lambda row: int(row["id"]))
    ]


def account(tenant: Tenant) -> dict[str, int]:
    """How many there are, how many are open, and how many bear a marker that another one bears too."""
    rows = listed(tenant)
    markers = [found[0].strip().casefold() for row in rows if (found := _MARKER.match(row["text"]))]
    return {
        "all": len(rows),
        "open": sum(1 for row in rows if not row["completed"]),
        "duplicates": len(markers) - len(set(markers)),
    }


def _person(row: Row) -> str:
    return f"{row.get('firstName', '')} {row.get('lastName', '')}".strip()


# ---- what people do ------------------------------------------------------------------------------------------


def complete(tenant: Tenant, id: int) -> None:
    """Somebody has dealt with it and completes it."""
    row = tenant.row("CompanyToDos", id)
    if row is None:
        raise ActionError(f"there is no to-do {id}")
    tenant.save("CompanyToDos", {**row, "completedDate": moment_text(tenant.world.clock.now())})


def remove(tenant: Tenant, id: int) -> None:
    """Somebody deletes it."""
    if tenant.row("CompanyToDos", id) is None:
        raise ActionError(f"there is no to-do {id}")
    tenant.world.store.delete(tenant.space, "CompanyToDos", id)


def set_active(tenant: Tenant, entity: str, id: int, active: bool) -> None:
    """Deactivate or reactivate a person or an action type. System action types stay active."""
    row = tenant.row(entity, id) if entity in ("Resources", "ActionTypes") else None
    if row is None:
        raise ActionError(f"there is no {entity} {id}")
    if row.get("isSystemActionType") and not active:
        raise ActionError("system action types cannot be deactivated")
    tenant.save(entity, {**row, "isActive": active})
