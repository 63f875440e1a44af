"""What people do in the simulated Autotask, through its pages and the control API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox.world import World
from tests.sandbox.autotask_client import Autotask, seeded


@pytest.fixture
def api(sandbox: str, sandbox_world: World) -> Autotask:
    return seeded(sandbox_world, sandbox, invoices=3)


def act(api: Autotask, action: str, **body: Any) -> dict[str, Any]:
    answer = requests.post(f"{api.base}/control/actions/{api.seeded['ci']}/{action}", json=body, timeout=5)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def lines(api: Autotask, invoice: int) -> list[dict[str, Any]]:
    return api.query("BillingItems", {"op": "eq", "field": "invoiceID", "value": invoice})


def test_approving_makes_an_invoice_of_the_waiting_items(api: Autotask) -> None:
    waiting = api.query("BillingItems", {"op": "notExist", "field": "invoiceID"})
    company = waiting[0]["companyID"]
    page = requests.post(f"{api.base}/psa/{api.seeded['ci']}/companies/{company}/approve", timeout=5)
    id = int(page.url.rsplit("/", 1)[1])
    invoice = api.one("Invoices", id)
    mine = [row for row in waiting if row["companyID"] == company]
    assert {row["id"] for row in lines(api, id)} == {row["id"] for row in mine}
    assert invoice["invoiceTotal"] == sum(row["extendedPrice"] + row["taxDollars"] for row in mine)
    assert invoice["invoiceNumber"] in page.text
    again = requests.post(
        f"{api.base}/control/actions/{api.seeded['ci']}/approve", json={"company": company}, timeout=5
    )
    assert (again.status_code, "no approved items" in again.json()["error"]) == (400, True)


@pytest.mark.parametrize("item_ids", ["same", "new"])
def test_a_voided_invoice_comes_back_under_a_new_id_and_number(api: Autotask, item_ids: str) -> None:
    requests.post(f"{api.base}/control/switches/{api.seeded['ci']}", json={"reissue_item_ids": item_ids}, timeout=5)
    old = api.query("Invoices")[0]
    before = {row["id"] for row in lines(api, old["id"])}
    act(api, "void", invoice=old["id"])
    voided = api.one("Invoices", old["id"])
    assert voided["isVoided"] and voided["voidedDate"] and lines(api, old["id"]) == []
    new = act(api, "reissue", invoice=old["id"])["id"]
    after = {row["id"] for row in lines(api, new)}
    assert (after == before) is (item_ids == "same") and len(after) == len(before)
    again = api.one("Invoices", new)
    assert again["invoiceTotal"] == old["invoiceTotal"] and again["invoiceNumber"] != old["invoiceNumber"]


def test_the_last_lines_of_a_new_invoice_may_be_late(api: Autotask) -> None:
    company = api.query("Invoices")[0]["companyID"]
    code = api.query("BillingCodes")[0]["id"]
    line = {"billingCodeID": code, "itemName": "Work", "quantity": 2, "rate": 50}
    id = act(api, "issue", company=company, lines=[line, line, line], still_building=2)["id"]
    assert len(lines(api, id)) == 1
    assert api.one("Invoices", id)["invoiceTotal"] == Decimal("300.00")
    page = requests.get(f"{api.base}/psa/{api.seeded['ci']}/invoices/{id}", timeout=5)
    assert "2 lines are not visible yet" in page.text
    assert act(api, "finish", invoice=id) == {"lines": 2}
    assert len(lines(api, id)) == 3


def test_editing_a_line_changes_the_total_and_clearing_the_mark_empties_it(api: Autotask) -> None:
    invoice = api.query("Invoices")[0]
    item = lines(api, invoice["id"])[0]
    act(
        api,
        "edit",
        invoice=invoice["id"],
        changes={"extendedPrice": {str(item["id"]): str(item["extendedPrice"] + 10)}, "comments": "changed"},
    )
    after = api.one("Invoices", invoice["id"])
    assert (after["invoiceTotal"] - invoice["invoiceTotal"], after["comments"]) == (10, "changed")
    api.call("PATCH", "Invoices", {"id": invoice["id"], "webServiceDate": "2026-11-22T00:00:00"})
    act(api, "clear_mark", invoice=invoice["id"])
    assert api.one("Invoices", invoice["id"])["webServiceDate"] is None


def test_a_button_that_makes_no_sense_says_why_on_the_page(api: Autotask) -> None:
    id = api.query("Invoices")[0]["id"]
    url = f"{api.base}/psa/{api.seeded['ci']}/invoices/{id}"
    requests.post(f"{url}/void", timeout=5)
    page = requests.post(f"{url}/void", timeout=5)
    assert page.status_code == 200 and f"invoice {id} is already void" in page.text
    assert requests.post(f"{url}/explode", timeout=5).status_code == 404


def test_pages_lead_to_companies_and_find_by_number(api: Autotask) -> None:
    ci, invoice = api.seeded["ci"], api.query("Invoices")[0]
    found = requests.get(f"{api.base}/psa/{ci}/", params={"q": invoice["invoiceNumber"]}, timeout=5).text
    assert "1 invoices" in found and f"/psa/{ci}/companies/{invoice['companyID']}" in found
    company = requests.get(f"{api.base}/psa/{ci}/companies/{invoice['companyID']}", timeout=5).text
    assert "payable-" in company and "nothing here is real" in company
    assert requests.get(f"{api.base}/psa/1/", timeout=5).status_code == 404
    assert f"/psa/{ci}" in requests.get(api.base, timeout=5).text


@pytest.mark.parametrize(
    ("switch", "value", "suffix"),
    [("utc_midnight", "utc_midnight", "T00:00:00Z"), ("local_midnight", "local_midnight", "T05:00:00Z")],
)
def test_dates_come_at_midnight_here_or_there(api: Autotask, switch: str, value: str, suffix: str) -> None:
    requests.post(f"{api.base}/control/switches/{api.seeded['ci']}", json={"invoice_dates": value}, timeout=5)
    requests.post(
        f"{api.base}/control/actions/{api.seeded['ci']}/edit",
        timeout=5,
        json={"invoice": api.query("Invoices")[0]["id"], "changes": {"invoiceDateTime": "2026-01-15T18:30:00Z"}},
    )
    assert api.query("Invoices")[0]["invoiceDateTime"] == f"2026-01-15{suffix}"


def test_an_unknown_switch_or_value_is_refused(api: Autotask) -> None:
    url = f"{api.base}/control/switches/{api.seeded['ci']}"
    for changes, word in (({"gravity": 0}, "gravity"), ({"blank_strings": "nil"}, "blank_strings")):
        answer = requests.post(url, json=changes, timeout=5)
        assert (answer.status_code, word in answer.json()["error"]) == (400, True)
    assert requests.post(f"{api.base}/control/switches/nowhere", json={}, timeout=5).status_code == 400
