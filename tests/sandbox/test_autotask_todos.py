"""To-dos of the simulated Autotask: whom they may be given to, what switches change, how they are counted."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.world import World
from tests.sandbox.autotask_client import Autotask, seeded


@pytest.fixture
def api(sandbox: str, sandbox_world: World) -> Autotask:
    return seeded(sandbox_world, sandbox)


def todo(api: Autotask, **changes: Any) -> dict[str, Any]:
    person = next(row for row in api.query("Resources") if row["lastName"] == "Desk")
    action = next(row for row in api.query("ActionTypes") if row["name"] == "To-Do: Phone Call")
    day = {"startDateTime": "2026-11-22T14:00:00", "endDateTime": "2026-11-22T14:30:00"}
    text = {"activityDescription": "[Bookbridge 1a2b3c4d] Item missing\n\nCreate it."}
    return {"companyID": 0, "actionType": action["id"], "assignedToResourceID": person["id"], **day, **text, **changes}


def control(api: Autotask, method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(method, f"{api.base}/control/{path}", json=body, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_todos_of_the_own_company_are_counted_and_ended_by_people(api: Autotask) -> None:
    ci = api.seeded["ci"]
    ids = [api.call("POST", "Companies/0/ToDos", todo(api)).json()["itemId"] for _ in range(2)]
    control(api, "POST", f"actions/{ci}/complete_todo", {"id": ids[0]})
    realm = api.seeded["realm"]
    assert control(api, "GET", f"audit?ci={ci}&realm={realm}")["todos"] == {"all": 2, "open": 1, "duplicates": 1}
    control(api, "POST", f"actions/{ci}/remove_todo", {"id": ids[1]})
    [left] = control(api, "GET", f"todos/{ci}")
    assert (left["id"], left["resource"], left["company"], bool(left["completed"])) == (ids[0], "Service Desk", 0, True)
    page = requests.get(f"{api.base}/psa/{ci}/todos", timeout=20)
    assert page.status_code == 200 and f"To-do {ids[0]}" in page.text


@pytest.mark.parametrize(
    ("switches", "change", "told"),
    [
        ({"todos": False}, {}, "permissions"),
        ({"todo_views": "to_do"}, {"actionType": "To-Do: Meeting"}, "not an action type of to-dos"),
        ({}, {"deactivate": "Resources"}, "active resource"),
        ({}, {"deactivate": "ActionTypes"}, "Picklist value"),
    ],
)
def test_what_autotask_refuses(api: Autotask, switches: Any, change: dict[str, str], told: str) -> None:
    ci, body = api.seeded["ci"], todo(api)
    if "deactivate" in change:
        wanted = {"Resources": body["assignedToResourceID"], "ActionTypes": None}[change["deactivate"]]
        if wanted is None:
            added = {"name": "Accounting Sync", "view": api.query("ActionTypes")[0]["view"], "isActive": True}
            wanted = body["actionType"] = api.call("POST", "ActionTypes", added).json()["itemId"]
        control(api, "POST", f"actions/{ci}/set_active",
                {"entity": change["deactivate"], "id": wanted, "active": False})
    elif change:
        body["actionType"] = next(r["id"] for r in api.query("ActionTypes") if r["name"] == change["actionType"])
    control(api, "POST", f"switches/{ci}", switches)
    assert told in api.refusal(api.call("POST", "Companies/0/ToDos", body))[1]
    assert control(api, "GET", f"todos/{ci}") == []


def test_a_user_without_sight_of_the_staff(api: Autotask) -> None:
    control(api, "POST", f"switches/{api.seeded['ci']}", {"staff_visible": False})
    answer = api.call("POST", "Resources/query", {"filter": [{"op": "gte", "field": "id", "value": 0}]})
    assert "permissions" in api.refusal(answer)[1]
