"""Writing to the simulated Autotask: what may be changed, and how everything else is refused."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.world import World
from tests.sandbox.autotask_client import Autotask, seeded


@pytest.fixture
def api(sandbox: str, sandbox_world: World) -> Autotask:
    return seeded(sandbox_world, sandbox, invoices=4)


@pytest.fixture
def invoice(api: Autotask) -> dict[str, Any]:
    return api.query("Invoices")[0]


def test_the_three_writable_fields_of_an_invoice(sandbox_world: World, api: Autotask, invoice: dict[str, Any]) -> None:
    answer = api.call(
        "PATCH",
        "Invoices",
        {
            "ID": invoice["id"],
            "InvoiceNumber": "QB-1",
            "webServiceDate": "2026-11-22T02:15:00.5",
            "paidDate": "2026-12-02T17:00:00",
        },
    )
    assert (answer.status_code, answer.json()) == (200, {"itemId": invoice["id"]})
    after = api.one("Invoices", invoice["id"])
    assert (after["invoiceNumber"], after["webServiceDate"], after["paidDate"]) == (
        "QB-1",
        "2026-11-22T02:15:00.500Z",
        "2026-12-02T00:00:00Z",
    )
    row = sandbox_world.journal.rows("autotask")[-2]
    assert (row["operation"], row["effects"]) == (
        "Invoices PATCH",
        [{"kind": "Invoices", "id": str(invoice["id"]), "action": "update"}],
    )
    api.call("PATCH", "Invoices", {"id": invoice["id"], "webServiceDate": None})
    assert api.one("Invoices", invoice["id"])["webServiceDate"] is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"invoiceTotal": 1}, "read-only"),
        ({"noSuchField": 1}, "Unable to find"),
        ({"invoiceNumber": "x" * 101}, "maximum length of 100"),
        ({"webServiceDate": "yesterday"}, "not a valid datetime"),
    ],
)
def test_refused_changes_change_nothing(
    api: Autotask, invoice: dict[str, Any], changes: dict[str, Any], text: str
) -> None:
    answer = api.call("PATCH", "Invoices", {"id": invoice["id"], "webServiceDate": "2026-11-22T00:00:00", **changes})
    status, message = api.refusal(answer)
    assert (status, text in message) == (500, True), message
    assert api.one("Invoices", invoice["id"])["webServiceDate"] is None


def test_updates_go_to_the_collection_and_name_an_existing_row(api: Autotask, invoice: dict[str, Any]) -> None:
    wrong = api.call("PATCH", f"Invoices/{invoice['id']}", {"webServiceDate": None})
    assert (wrong.status_code, wrong.json()) == (
        405,
        {"Message": "The requested resource does not support http method 'PATCH'."},
    )
    assert "No matching records found" in api.refusal(api.call("PATCH", "Invoices", {"id": 1}))[1]
    assert api.call("POST", "Invoices", {"companyID": 0}).status_code == 405
    assert api.call("PATCH", "BillingCodes", {"id": api.query("BillingCodes")[0]["id"]}).status_code == 405


def todo(api: Autotask, invoice: dict[str, Any], **changes: Any) -> dict[str, Any]:
    person = next(row for row in api.query("Resources") if row["lastName"] == "Desk")
    action = next(row for row in api.query("ActionTypes") if row["name"] == "Note: Billing")
    return {
        "companyID": invoice["companyID"],
        "actionType": action["id"],
        "assignedToResourceID": person["id"],
        "startDateTime": "2026-11-22T14:00:00",
        "endDateTime": "2026-11-22T14:30:00",
        "activityDescription": "[SYNC:invoice:1] look at this",
        **changes,
    }


def test_a_todo_is_made_found_completed_and_deleted_below_its_company(api: Autotask, invoice: dict[str, Any]) -> None:
    below = f"Companies/{invoice['companyID']}/ToDos"
    made = api.call("POST", below, todo(api, invoice)).json()["itemId"]
    found = api.query(
        "CompanyToDos",
        {"op": "beginsWith", "field": "activityDescription", "value": "[sync:invoice:1]"},
        {"op": "notExist", "field": "completedDate"},
    )
    assert [row["id"] for row in found] == [made] and found[0]["createDateTime"]
    assert api.call("PATCH", below, {"id": made, "completedDate": "2026-11-22T15:00:00"}).status_code == 200
    assert api.call("GET", below).json()["items"][0]["completedDate"] == "2026-11-22T15:00:00Z"
    assert api.call("DELETE", f"{below}/{made}").json() == {"itemId": made}
    assert api.call("DELETE", f"{below}/{made}").status_code == 500
    assert api.call("POST", "CompanyToDos", todo(api, invoice)).status_code == 405


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"actionType": 1}, "Picklist value [1] does not exist for actionType."),
        ({"startDateTime": None}, "Missing Required Field: startDateTime."),
        ({"endDateTime": "2026-11-22T13:00:00"}, "before startDateTime"),
        ({"assignedToResourceID": 1}, "does not exist or is invalid"),
        ({"companyID": 0}, "does not match the parent"),
    ],
)
def test_todos_are_checked(api: Autotask, invoice: dict[str, Any], changes: dict[str, Any], text: str) -> None:
    answer = api.call("POST", f"Companies/{invoice['companyID']}/ToDos", todo(api, invoice, **changes))
    status, message = api.refusal(answer)
    assert (status, text in message) == (500, True), message


def test_a_todo_is_never_assigned_to_the_api_user(api: Autotask, invoice: dict[str, Any]) -> None:
    user = next(row for row in api.query("Resources") if row["firstName"] == "API")
    answer = api.call(
        "POST", f"Companies/{invoice['companyID']}/ToDos", todo(api, invoice, assignedToResourceID=user["id"])
    )
    assert "API-only" in api.refusal(answer)[1]


def test_put_empties_what_it_leaves_out_and_required_fields_stay(api: Autotask) -> None:
    made = api.call("POST", "PaymentTerms", {"name": "Net 90", "paymentDueInDays": 90, "isActive": "True"}).json()
    assert api.call("PUT", "PaymentTerms", {"id": made["itemId"], "name": "Net 91"}).status_code == 200
    row = api.one("PaymentTerms", made["itemId"])
    assert (row["name"], row["paymentDueInDays"], row["isActive"]) == ("Net 91", None, None)
    assert (
        "Missing Required Field: name"
        in api.refusal(api.call("PATCH", "PaymentTerms", {"id": made["itemId"], "name": None}))[1]
    )


def test_impersonation_is_recorded_and_refused_for_api_users(api: Autotask, invoice: dict[str, Any]) -> None:
    rows = api.query("Resources")
    person = next(row["id"] for row in rows if row["lastName"] == "Desk")
    user = next(row["id"] for row in rows if row["firstName"] == "API")
    below = f"Companies/{invoice['companyID']}/ToDos"
    made = api.call("POST", below, todo(api, invoice), headers={"ImpersonationResourceId": str(person)}).json()
    row = api.one("CompanyToDos", made["itemId"])
    assert (row["creatorResourceID"], row["impersonatorCreatorResourceID"]) == (person, user)
    refused = api.call("GET", "Companies/0", headers={"ImpersonationResourceId": str(user)})
    assert "permissions" in api.refusal(refused)[1]
