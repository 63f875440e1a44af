"""To-dos in Autotask: written below the customer's own organisation (company 0), found again by their marker.

Facts: developer help, entities CompanyToDos, Resources, ActionTypes. A to-do has neither title nor state; a completed
date ends it. API-only users cannot own one. There is no idempotency key: whoever creates looks first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import NotAllowed
from connectors.sources.autotask_http import AutotaskClient, since_text
from connectors.sources.autotask_payloads import moment, text
from connectors.sources.base import Todo
from domain.todos import Choice, TodoDraft, TodoLists

ENTITY = "CompanyToDos"
LOCAL_ORGANISATION = 0
_PATH = f"Companies/{LOCAL_ORGANISATION}/ToDos"
_TODO_VIEWS = ("to do", "both")


def lists(client: AutotaskClient) -> TodoLists:
    """People and action types; empty and not readable where the user's security level hides them. Four calls."""
    try:
        licences = client.labels("Resources", "licenseType")
        people = client.rows("Resources", fields=("firstName", "lastName", "email", "isActive", "licenseType"))
        views = client.labels("ActionTypes", "view")
        types = client.rows("ActionTypes")
    except NotAllowed:
        return TodoLists(readable=False)
    owners = [row for row in people if "api" not in licences.get(str(row.get("licenseType")), "").lower()]
    shown = [row for row in types if views.get(str(row.get("view")), "both").lower() in _TODO_VIEWS]
    return TodoLists(_sorted(map(_person, owners)), _sorted(map(_action_type, shown)))


def find(client: AutotaskClient, marker: str) -> list[Todo]:
    """By rising id, so the oldest first."""
    rows = client.rows(ENTITY, [
        {"op": "eq", "field": "companyID", "value": LOCAL_ORGANISATION},
        {"op": "beginsWith", "field": "activityDescription", "value": marker},
    ], ("activityDescription", "completedDate"))
    return [
        Todo(str(row["id"]), text(row.get("activityDescription")) or "", moment(row.get("completedDate")))
        for row in rows
    ]


def create(client: AutotaskClient, draft: TodoDraft) -> str:
    return client.create(ENTITY, {
        "companyID": LOCAL_ORGANISATION,
        "actionType": int(draft.action_type),
        "assignedToResourceID": int(draft.resource),
        "startDateTime": since_text(draft.start),
        "endDateTime": since_text(draft.end),
        "activityDescription": draft.text,
    }, path=_PATH)


def change(client: AutotaskClient, id: str, values: Mapping[str, Any]) -> None:
    client.patch(ENTITY, {"id": int(id), **values}, path=_PATH)


def _person(row: Mapping[str, Any]) -> Choice:
    names = (text(row.get("firstName")), text(row.get("lastName")))
    email = text(row.get("email")) or ""
    name = " ".join(name for name in names if name) or email
    return Choice(str(row["id"]), name, row.get("isActive") not in (0, False), email)


def _action_type(row: Mapping[str, Any]) -> Choice:
    return Choice(str(row["id"]), text(row.get("name")) or "", row.get("isActive") not in (0, False))


def _sorted(found: Any) -> tuple[Choice, ...]:
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.id)))
