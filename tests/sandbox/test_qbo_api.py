"""The mechanics of the simulated QuickBooks API: queries, batch, change data capture, replay, refusals, limits."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.intuit import tokens
from sandbox.qbo import metering, profiles
from sandbox.qbo.realm import Realm
from tests.sandbox.qbo_client import Company, company, line


@pytest.fixture
def us() -> Iterator[Company]:
    with company("us-ast") as made:
        yield made


def invoice_body(it: Company, number: str | None = None) -> dict[str, Any]:
    found = it.query("SELECT * FROM Customer WHERE DisplayName = 'harbour street bakery (walk-in)'")["Customer"]
    item = it.query("SELECT * FROM Item")["Item"][0]
    return {"CustomerRef": {"value": found[0]["Id"]}, "DocNumber": number, "Line": [line(item, 5)]}


def test_query_filters_orders_pages_and_counts(us: Company) -> None:
    for number in range(25):
        us.make("Customer", DisplayName=f"Client {number:02d}", CompanyName="Odd" if number % 2 else "Even's")
    page = us.query(
        "select * from customer where CompanyName = 'Even\\'s' order by DisplayName desc startposition 2 maxresults 3"
    )
    assert [row["DisplayName"] for row in page["Customer"]] == ["Client 22", "Client 20", "Client 18"]
    assert (page["startPosition"], page["maxResults"]) == (2, 3)
    assert us.query("SELECT count(*) FROM Customer WHERE DisplayName LIKE 'client 1%'") == {"totalCount": 10}
    both = us.query("SELECT Id, DisplayName FROM Customer WHERE DisplayName IN ('CLIENT 03', 'Client 04', 'x')")
    assert {row["DisplayName"] for row in both["Customer"]} == {"Client 03", "Client 04"}
    assert both["Customer"][0]["sparse"] is True and "CompanyName" not in both["Customer"][0]
    assert us.query("SELECT * FROM Customer WHERE DisplayName = 'nobody'") == {}


def test_query_by_post_and_by_time(us: Company) -> None:
    for kind in ("application/text", "text/plain"):
        response = us.http.post(
            f"{us.url}/query", "SELECT * FROM Invoice WHERE TotalAmt > '20'", headers={"Content-Type": kind}
        )
        assert [row["DocNumber"] for row in response.json()["QueryResponse"]["Invoice"]] == ["SHOP-1"]
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    earlier = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert us.query(f"SELECT * FROM Invoice WHERE MetaData.CreateTime > '{later}'") == {}
    assert us.query(f"SELECT count(*) FROM Invoice WHERE MetaData.CreateTime > '{earlier}'") == {"totalCount": 2}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT * FROM Invoice WHERE PrivateNote = 'x'", "4001"),
        ("SELECT * FROM Invoice WHERE Id > '3'", "4001"),
        ("SELECT * FROM Nonsense", "4001"),
        ("SELECT * FROM Invoice STARTPOSITION 0", "4001"),
        ("SELECT * FROM Invoice WHERE DocNumber = 'a' OR DocNumber = 'b'", "4000"),
        ("SELECT * FROM Invoice WHERE DocNumber = 'a", "4000"),
        ("UPDATE Invoice", "4000"),
    ],
)
def test_bad_queries(us: Company, statement: str, code: str) -> None:
    assert us.fault(us.get("query", query=statement)) == (400, code)


def test_inactive_names_are_freed_and_hidden(us: Company) -> None:
    made = us.make("Customer", DisplayName="Acme")
    us.make("Customer", Id=made["Id"], SyncToken="0", sparse=True, Active=False)
    assert us.query("SELECT * FROM Customer WHERE DisplayName = 'Acme'") == {}
    everyone = us.query("SELECT * FROM Customer WHERE Active IN (true, false) AND DisplayName LIKE 'Acme%'")
    assert everyone["Customer"][0]["DisplayName"] == "Acme (deleted)"
    us.make("Customer", DisplayName="ACME")
    again = us.post("customer", {"Id": made["Id"], "SyncToken": "1", "sparse": True, "Active": True})
    assert us.fault(again) == (400, "6240")


def test_names_are_shared_by_customers_vendors_and_employees(us: Company) -> None:
    for kind in ("customer", "vendor", "employee"):
        response = us.post(kind, {"DisplayName": " sandbox POWER and light ", "GivenName": "Power"})
        assert us.fault(response) == (400, "6240")
    for name, code in (("a:b", "2040"), ("  ", "6080"), ("x" * 501, "2050"), ("Smile ☺", "2040")):
        assert us.fault(us.post("customer", {"DisplayName": name})) == (400, code)
    odd = us.make("Customer", DisplayName='O\'Neil "Bob" \\ Söhne ')
    assert odd["DisplayName"] == 'O\'Neil "Bob" \\ Söhne'
    found = us.query("SELECT * FROM Customer WHERE DisplayName = 'O\\'Neil \"Bob\" \\\\ Söhne'")
    assert found["Customer"][0]["Id"] == odd["Id"]


def test_item_names_ignore_case_and_need_a_fitting_account(us: Company) -> None:
    us.make("Item", Name="Widget", Type="Service", IncomeAccountRef=us.account("Unearned Revenue"))
    sales = us.account("Sales")
    assert us.fault(us.post("item", {"Name": "WIDGET", "Type": "Service", "IncomeAccountRef": sales})) == (400, "6240")
    assert us.fault(us.post("item", {"Name": "Other", "Type": "Service"})) == (400, "2020")
    wrong = {"Name": "Other", "Type": "Service", "IncomeAccountRef": us.account("Checking")}
    assert us.fault(us.post("item", wrong)) == (400, "6430")


def test_request_id_replays_the_first_answer(us: Company) -> None:
    key = str(uuid.uuid4())
    first = us.post("invoice", invoice_body(us, "R-1"), requestid=key)
    second = us.post("invoice", {"nonsense": True}, requestid=key)
    assert first.status_code == second.status_code == 200 and first.text == second.text
    us.world.clock.advance(90_000)
    us.http.headers["Authorization"] = f"Bearer {tokens.access_token(us.world, us.realm)}"
    assert us.fault(us.post("invoice", invoice_body(us, "R-1"), requestid=key)) == (400, "6140")
    assert us.fault(us.post("invoice", invoice_body(us), requestid="k" * 51)) == (400, "2130")


def test_batch_items_are_independent_and_replayed_by_key(us: Company) -> None:
    key = str(uuid.uuid4())
    good, bad = invoice_body(us, "B-1"), invoice_body(us, "B" * 22)
    customer = {"DisplayName": "New in this batch"}
    items = [
        {"bId": "1", "operation": "create", "Invoice": good},
        {"bId": "2", "operation": "create", "Invoice": bad},
        {"bId": "3", "operation": "create", "Customer": customer},
        {"bId": "4", "Query": "SELECT count(*) FROM Customer WHERE DisplayName = 'New in this batch'"},
    ]
    first = us.post("batch", {"BatchItemRequest": items}, requestid=key)
    by_id = {item["bId"]: item for item in first.json()["BatchItemResponse"]}
    assert by_id["1"]["Invoice"]["DocNumber"] == "B-1" and by_id["3"]["Customer"]["Id"]
    assert by_id["2"]["Fault"]["Error"][0]["code"] == "2050"
    assert by_id["4"]["QueryResponse"] == {"totalCount": 0}
    again = us.post("batch", {"BatchItemRequest": items[:1]}, requestid=key).json()["BatchItemResponse"]
    assert again[0]["Invoice"] == by_id["1"]["Invoice"]
    fresh = us.post("batch", {"BatchItemRequest": items[:1]}, requestid=str(uuid.uuid4())).json()
    assert fresh["BatchItemResponse"][0]["Fault"]["Error"][0]["code"] == "6140"
    us.world.faults.plan("requestid_forgotten", "qbo", times=None)
    lost = us.post("batch", {"BatchItemRequest": items[:1]}, requestid=key).json()
    assert lost["BatchItemResponse"][0]["Fault"]["Error"][0]["code"] == "6140"


def test_batch_does_not_show_its_own_creations_to_references(us: Company) -> None:
    expected = int(us.make("Customer", DisplayName="Before")["Id"]) + 1
    items = [
        {"bId": "1", "operation": "create", "Customer": {"DisplayName": "Same call"}},
        {"bId": "2", "operation": "create", "Invoice": {**invoice_body(us), "CustomerRef": {"value": str(expected)}}},
    ]
    answer = us.post("batch", {"BatchItemRequest": items}).json()["BatchItemResponse"]
    by_id = {item["bId"]: item for item in answer}
    assert by_id["1"]["Customer"]["Id"] == str(expected)
    assert by_id["2"]["Fault"]["Error"][0]["code"] == "2500"
    too_many = {"BatchItemRequest": [{"bId": str(n), "Query": "SELECT * FROM Term"} for n in range(31)]}
    assert us.fault(us.post("batch", too_many)) == (400, "1040")


def test_planned_faults_of_batch_items(us: Company) -> None:
    us.world.faults.plan("batch_item_fault", "qbo", after=1, times=1, code="10000", detail="System Failure Error")
    items = [{"bId": str(n), "operation": "create", "Customer": {"DisplayName": f"C{n}"}} for n in range(3)]
    answer = us.post("batch", {"BatchItemRequest": items}).json()["BatchItemResponse"]
    failed = [item["bId"] for item in answer if "Fault" in item]
    assert failed == ["1"]


def test_cdc_lists_changes_and_tombstones(us: Company) -> None:
    made = us.make("Invoice", **invoice_body(us, "D-1"))
    us.post("invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")
    since = (datetime.now(UTC) - timedelta(minutes=5)).isoformat(timespec="seconds")
    answer = us.get("cdc", entities="Invoice,CreditMemo", changedSince=since).json()
    invoices, memos = answer["CDCResponse"][0]["QueryResponse"]
    assert [row.get("status") for row in invoices["Invoice"]] == [None, None, "Deleted"]
    assert invoices["Invoice"][-1]["Id"] == made["Id"] and memos == {}
    old = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    assert us.get("cdc", entities="Invoice", changedSince=old).status_code == 400


def test_stale_reads_hide_new_documents_from_readers_only(us: Company) -> None:
    us.world.clock.advance(120)
    us.world.faults.plan("stale_reads", "qbo", times=None, seconds=60)
    made = us.make("Invoice", **invoice_body(us, "F-1"))
    assert us.query("SELECT * FROM Invoice WHERE DocNumber = 'F-1'") == {}
    assert us.fault(us.get(f"invoice/{made['Id']}")) == (400, "610")
    assert us.fault(us.post("invoice", invoice_body(us, "F-1"))) == (400, "6140")
    us.world.clock.advance(61)
    assert us.query("SELECT * FROM Invoice WHERE DocNumber = 'F-1'")["Invoice"][0]["Id"] == made["Id"]


def test_tokens_are_checked(us: Company) -> None:
    def status(token: str | None, realm: str = us.realm) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = requests.get(f"{us.base}/qbo/v3/company/{realm}/companyinfo/{realm}", headers=headers)
        assert response.headers["intuit_tid"]
        return response.status_code, response.json()["fault"]["error"][0]["code"]

    other = profiles.create_company(us.world, "other", "uk", "Other")
    good = tokens.access_token(us.world, us.realm)
    assert status(None) == (401, "3202")
    assert status("nonsense") == (401, "3200")
    assert status(good, other) == (403, "3100")
    revoked = tokens.access_token(us.world, us.realm)
    assert tokens.revoke(us.world, revoked)
    assert status(revoked) == (401, "3200")
    us.world.clock.advance(3601)
    assert status(good) == (401, "3200")


def test_rate_limits_answer_429(us: Company) -> None:
    us.world.limits.switch(on=True)
    answers = [us.get("companyinfo/1") for _ in range(14)]
    assert [answer.status_code for answer in answers[:10]] == [200] * 10
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and all("ThrottleExceeded" in answer.text for answer in refused)
    kinds = {answer.headers["Content-Type"].split(";")[0] for answer in refused}
    assert kinds <= {"application/json", "application/xml"}


def test_preferences_meter_and_lapsed_subscription(us: Company) -> None:
    before = metering.read(us.world)
    found = us.get("preferences").json()["Preferences"]
    assert found["SalesFormsPrefs"]["CustomTxnNumbers"] is True and found["TaxPrefs"]["PartnerTaxEnabled"] is True
    changed = us.make("Preferences", Id="1", SyncToken=found["SyncToken"], SalesFormsPrefs={"CustomTxnNumbers": False})
    assert changed["SalesFormsPrefs"]["CustomTxnNumbers"] is False and changed["SalesFormsPrefs"]["AllowDiscount"]
    after = metering.read(us.world)
    assert (after["core_plus"] - before["core_plus"], after["core"] - before["core"]) == (1, 1)
    Realm(us.world, us.realm).set_switches({"subscription_lapsed": True})
    assert us.fault(us.post("customer", {"DisplayName": "late"})) == (400, "6190")
    assert us.get("companyinfo/1").json()["CompanyInfo"]["Country"] == "US"


def test_journal_holds_effects_and_a_second_world_goes_on(tmp_path: Any) -> None:
    from sandbox.server import open_world

    with company("uk", open_world(tmp_path / "state.sqlite")) as it:
        mark = it.world.journal.mark()
        it.make("Customer", DisplayName="Persistent")
        rows = it.world.journal.rows(platform="qbo", tenant=it.realm, since_id=mark)
        assert rows[-1]["operation"] == "customer create"
        assert rows[-1]["effects"][0]["kind"] == "Customer"
    with company("uk", open_world(tmp_path / "state.sqlite")) as it:
        assert it.query("SELECT * FROM Customer WHERE DisplayName = 'persistent'")["maxResults"] == 1
        assert it.query("SELECT count(*) FROM Invoice") == {"totalCount": 2}


def test_control_sets_switches_and_preferences(us: Company) -> None:
    answer = requests.post(
        f"{us.base}/control/switches/{us.realm}",
        json={"credit_memo_numbers_checked": True, "preferences": {"SalesFormsPrefs": {"CustomTxnNumbers": False}}},
    ).json()
    assert answer["credit_memo_numbers_checked"] is True
    assert us.get("preferences").json()["Preferences"]["SalesFormsPrefs"]["CustomTxnNumbers"] is False
    assert requests.post(f"{us.base}/control/switches/intuit", json={"echo_nonce": False}).json()["echo_nonce"] is False
    assert requests.post(f"{us.base}/control/switches/{us.realm}", json={"no_such": 1}).status_code == 400
    assert requests.post(f"{us.base}/control/switches/intuit", json={"no_such": 1}).status_code == 400


@pytest.mark.parametrize("name", ["response_lost", "error_500_after", "cut_json", "empty_200", "html_200"])
def test_an_answer_lost_after_the_commit_is_recovered_with_the_same_request_id(us: Company, name: str) -> None:
    us.world.faults.plan(name, "qbo", operation="batch")
    body = {"BatchItemRequest": [{"bId": "1", "operation": "create", "Invoice": invoice_body(us, "L-1")}]}
    key = str(uuid.uuid4())
    try:
        lost = us.post("batch", body, requestid=key)
        assert lost.status_code == 500 or not lost.text.endswith("}")
    except requests.ConnectionError:
        assert name == "response_lost"
    again = us.post("batch", body, requestid=key).json()["BatchItemResponse"][0]
    found = us.query("SELECT * FROM Invoice WHERE DocNumber = 'L-1'")["Invoice"]
    assert [row["Id"] for row in found] == [again["Invoice"]["Id"]]


def test_a_request_lost_before_the_commit_leaves_nothing(us: Company) -> None:
    us.world.faults.plan("request_lost", "qbo", operation="invoice create")
    with pytest.raises(requests.ConnectionError):
        us.post("invoice", invoice_body(us, "L-2"))
    assert us.query("SELECT * FROM Invoice WHERE DocNumber = 'L-2'") == {}
    us.world.faults.plan("status_401", "qbo", operation="query", xml=True)
    refused = us.get("query", query="SELECT * FROM Term")
    assert refused.status_code == 401 and refused.text.startswith("<?xml")
