"""The mechanics of the simulated Accounting API: envelopes, bulk writes, keys, filters, pages, limits, refusals."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox import jsonio
from sandbox.xero import profiles
from sandbox.xero_identity import tokens
from tests.sandbox.xero_client import Xero, line, messages, organisation

ZERO = "00000000-0000-0000-0000-000000000000"
TAKEN = (
    "The contact name Acme Ltd is already assigned to another contact. The contact name must be unique across all "
    "active contacts."
)


@pytest.fixture
def it() -> Iterator[Xero]:
    with organisation() as made:
        yield made


def test_the_envelope_and_its_dates(it: Xero) -> None:
    answer = it.get("Organisation")
    assert list(answer) == ["Id", "Status", "ProviderName", "DateTimeUTC", "Organisations"]
    assert answer["DateTimeUTC"].startswith("/Date(") and "+" not in answer["DateTimeUTC"]
    made = it.put("Invoices", it.invoice(Contact={"ContactID": it.contact()}, Date="/Date(1793577600000)/"))[0]
    assert (made["Date"], made["DateString"]) == ("/Date(1793577600000+0000)/", "2026-11-02T00:00:00")
    assert not [name for name, value in made.items() if value is None]


def test_xml_is_the_default_and_paths_have_no_case(it: Xero) -> None:
    it.http.headers.pop("Accept")
    assert (
        it.call(
            "GET",
            "Organisation",
        )
        .headers["Content-Type"]
        .startswith("text/xml")
    )
    it.http.headers["Accept"] = "application/json"
    assert it.get("organisation")["Organisations"] and it.get("INVOICES", PAGE="1", PAGESIZE="1")["pagination"]


def test_bodies_may_be_an_envelope_of_any_case_or_one_object_and_numbers_may_be_text(it: Xero) -> None:
    for body in ({"contacts": [{"Name": "A"}]}, {"Name": "B"}, {"CONTACTS": [{"Name": "C"}]}):
        assert it.call("PUT", "Contacts", body).status_code == 200
    body = it.invoice(Contact={"Name": "A"}, LineItems=[line() | {"Quantity": "2", "UnitAmount": "10.5"}])
    assert it.put("Invoices", body)[0]["Total"] == jsonio.loads("25.2")


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("{not json", 14),
        ("", 17),
        ('{"Invoices":[]}', 17),
        ('{"Invoices":["x"]}', 14),
        ('{"Type":"SALE"}', 14),
        ('{"Type":"ACCREC","Status":"APPROVED"}', 14),
        ('{"Type":"ACCREC","LineAmountTypes":"NO_TAX"}', 14),
        ('{"Type":"ACCREC","Date":"soon"}', 14),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(it: Xero, body: str, number: int) -> None:
    answer = it.http.put(f"{it.url}/Invoices", data=body, headers={"Content-Type": "application/json"}, timeout=5)
    assert (answer.status_code, answer.json()["ErrorNumber"]) == (400, number)
    assert "Elements" not in answer.json()


def test_what_is_not_there_answers_404_without_a_body(it: Xero) -> None:
    for path in ("Invoices/nothing", "Contacts/nothing", "Nonsense", f"Payments/{ZERO[:-1]}1"):
        answer = it.call("GET", path)
        assert (answer.status_code, answer.content) == (404, b"")
        assert answer.headers["Content-Type"].startswith("text/html")
    assert it.call("DELETE", "Invoices").status_code == 405


def test_one_unknown_contact_id_answers_404_for_the_whole_call(it: Xero) -> None:
    good = it.invoice(Contact={"ContactID": it.contact()}, InvoiceNumber="G-1")
    lost = it.invoice(Contact={"ContactID": "11111111-1111-4111-8111-111111111111"}, InvoiceNumber="L-1")
    answer = it.call("PUT", "Invoices", {"Invoices": [good, lost]}, summarizeErrors="false")
    assert (answer.status_code, answer.content) == (404, b"")
    assert it.get("Invoices", InvoiceNumbers="G-1,L-1")["Invoices"] == []


def test_errors_summarised_refuse_the_whole_call_and_save_nothing(it: Xero) -> None:
    answer = it.call("PUT", "Contacts", {"Contacts": [{"Name": "Good"}, {"Name": "Acme Ltd"}, {"Name": "Acme Ltd"}]})
    assert it.refused(answer) == [TAKEN]
    [element] = answer.json()["Elements"]
    assert (element["ContactID"], element["HasValidationErrors"]) == (ZERO, True)
    assert it.get("Contacts", where='Name=="Good"')["Contacts"] == []
    it.org.set_switches({"good_siblings_saved": True})
    assert it.call("PUT", "Contacts", {"Contacts": [{"Name": "Good"}, {"Name": "Good"}]}).status_code == 400
    assert len(it.get("Contacts", where='Name=="Good"')["Contacts"]) == 1


def test_errors_per_element_save_the_others(it: Xero) -> None:
    contact = {"ContactID": it.contact()}
    sent = [it.invoice(Contact=contact, InvoiceNumber=number) for number in ("A-1", "A-1", "A-2")]
    rows = it.put("Invoices", *sent, summarizeErrors="False")
    assert [row["StatusAttributeString"] for row in rows] == ["OK", "ERROR", "OK"]
    assert (rows[1]["InvoiceID"], rows[1]["HasErrors"]) == (ZERO, True)
    assert messages(rows) == ["Invoice # must be unique."]


def test_answers_may_come_in_another_order_than_they_were_sent() -> None:
    with organisation(shuffle_elements=True) as it:
        sent = [{"Name": f"Contact {place}"} for place in range(12)]
        told = [row["Name"] for row in it.put("Contacts", *sent)]
        assert told != [row["Name"] for row in sent] and sorted(told) == sorted(row["Name"] for row in sent)


def test_a_key_is_answered_from_memory_for_six_minutes(it: Xero) -> None:
    body = {"Contacts": [{"Name": "Once"}]}
    first = it.call("PUT", "Contacts", body, key="k1")
    assert it.call("PUT", "Contacts", body, key="k1").content == first.content
    other = it.call("PUT", "Contacts", {"Contacts": [{"Name": "Other"}]}, key="k1")
    assert (other.status_code, other.json()["Message"]) == (
        400,
        "Idempotency Key: k1 is used with a different request.",
    )
    it.org.set_switches({"idempotency_words_in": "ValidationErrors"})
    assert "Idempotency Key" in it.refused(it.call("PUT", "Contacts", {}, key="k1"))[0]
    it.world.clock.advance(360)
    assert it.refused(it.call("PUT", "Contacts", body, key="k1"))[0].startswith("The contact name Once")
    assert it.call("PUT", "Contacts", body, key="k" * 129).status_code == 400


def test_a_key_forgotten_makes_a_second_bill(it: Xero) -> None:
    bill = {
        "Type": "ACCPAY", "Contact": {"ContactID": it.contact()}, "InvoiceNumber": "V-1",
        "LineItems": [line(AccountCode="310", TaxType="INPUT2")],
    }  # fmt: skip
    body = {"Invoices": [bill]}
    for _ in range(2):
        it.call("PUT", "Invoices", body, key="bill")
    it.world.clock.advance(360)
    it.call("PUT", "Invoices", body, key="bill")
    found = it.get("Invoices", where='Type=="ACCPAY" AND InvoiceNumber=="V-1"')["Invoices"]
    assert len(found) == 2


def test_refusals_and_failures_are_kept_under_a_key_as_well(it: Xero) -> None:
    body = {"Contacts": [{"Name": ""}]}
    refused = it.call("PUT", "Contacts", body, key="k1")
    assert refused.status_code == 400 and it.call("PUT", "Contacts", body, key="k1").content == refused.content
    it.world.faults.plan("error_500_kept", "xero", "contacts PUT")
    sound = {"Contacts": [{"Name": "Sound"}]}
    assert [it.call("PUT", "Contacts", sound, key="k2").status_code for _ in range(2)] == [500, 500]
    assert it.get("Contacts", where='Name=="Sound"')["Contacts"] == []
    assert it.call("PUT", "Contacts", sound, key="k3").status_code == 200


def test_the_key_space_belongs_to_the_app_not_to_the_organisation(it: Xero) -> None:
    body = {"Contacts": [{"Name": "Shared"}]}
    first = it.call("PUT", "Contacts", body, key="same")
    other = profiles.create_organisation(it.world, "other")
    it.http.headers["Authorization"] = f"Bearer {tokens.access_token(it.world, other)}"
    it.http.headers["xero-tenant-id"] = other
    assert it.call("PUT", "Contacts", body, key="same").content == first.content
    assert it.get("Contacts", where='Name=="Shared"')["Contacts"] == []


def make_many(it: Xero) -> None:
    contact = {"ContactID": it.contact("Many")}
    rows = [
        it.invoice(Contact=contact, InvoiceNumber=f"M-{place:02d}", Date=f"2026-11-{place + 1:02d}")
        for place in range(9)
    ]
    rows[8]["Reference"] = "Needle in the stack"
    it.put("Invoices", *rows)


def test_lists_of_documents_have_lines_only_in_pages(it: Xero) -> None:
    make_many(it)
    whole = it.get("Invoices")
    assert "pagination" not in whole and all(row["LineItems"] == [] for row in whole["Invoices"])
    page = it.get("Invoices", page="2", pageSize="4")
    assert page["pagination"] == {"page": 2, "pageSize": 4, "pageCount": 3, "itemCount": 11}
    assert list(page).index("pagination") < list(page).index("Invoices") and page["Invoices"][0]["LineItems"]
    assert it.get("Invoices", page="9")["Invoices"] == []
    assert it.call("GET", "Invoices", page="0").status_code == 400
    summary = it.get("Invoices", summaryOnly="True")
    assert summary["pagination"]["pageSize"] == 100 and summary["Invoices"][0]["LineItems"] == []


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"where": 'InvoiceNumber=="M-03"'}, 1),
        ({"where": 'Type="ACCREC" && Contact.Name == "many"'}, 9),
        ({"where": "Date>=DateTime(2026,11,05) AND Date<DateTime(2026,11,08)"}, 3),
        ({"where": 'InvoiceNumber=="M-01" OR (InvoiceNumber=="M-02" AND Status!="VOIDED")'}, 2),
        ({"where": 'InvoiceNumber.StartsWith("M-") AND AmountDue>25'}, 9),
        ({"where": 'Reference!=null AND Reference.Contains("needle")'}, 1),
        ({"InvoiceNumbers": "M-01,M-02,none"}, 2),
        ({"Statuses": "DRAFT,AUTHORISED"}, 11),
        ({"Statuses": "VOIDED"}, 0),
        ({"SearchTerm": "needle"}, 1),
        ({"createdByMyApp": "true"}, 9),
    ],
)
def test_filters(it: Xero, params: dict[str, str], count: int) -> None:
    make_many(it)
    assert len(it.get("Invoices", **params)["Invoices"]) == count


@pytest.mark.parametrize(
    "where",
    ['Nonsense=="x"', "Status==", 'Status=="A" XOR Type=="B"', 'Reference.Contains("x")', "Date==DateTime(2026)"],
)
def test_a_filter_that_cannot_be_read_is_refused(it: Xero, where: str) -> None:
    answer = it.call("GET", "Invoices", where=where)
    assert (answer.status_code, answer.json()["Type"]) == (400, "QueryParseException")


def test_order_and_ids(it: Xero) -> None:
    make_many(it)
    newest = it.get("Invoices", order="Date DESC", page="1", pageSize="2")["Invoices"]
    assert {row["InvoiceNumber"] for row in newest} == {"SHOP-1", "SHOP-2"}  # dated today
    contact = it.get("Contacts", where='Name=="Many"')["Contacts"][0]["ContactID"]
    assert len(it.get("Invoices", ContactIDs=contact, order="InvoiceNumber")["Invoices"]) == 9
    assert len(it.get("Contacts", IDs=contact)["Contacts"]) == 1


def test_if_modified_since_shows_what_changed(it: Xero) -> None:
    it.world.clock.advance(60)
    made = it.contact("Late")
    now = it.world.clock.now().astimezone(UTC)
    since = f"{now - timedelta(seconds=30):%Y-%m-%dT%H:%M:%S}"
    assert [row["ContactID"] for row in it.get("Contacts", since=since)["Contacts"]] == [made]
    assert it.get("Invoices", since=since)["Invoices"] == [] and it.get("Accounts", since=since)["Accounts"] == []
    later = f"{now + timedelta(seconds=30):%Y-%m-%dT%H:%M:%S}+00:00"
    assert it.get("Contacts", since=later)["Contacts"] == []
    it.org.set_switches({"not_modified_304": True})
    headers = {"If-Modified-Since": later}
    assert it.http.get(f"{it.url}/Contacts", headers=headers, timeout=5).status_code == 304
    it.org.set_switches({"modified_since": "strict"})
    exact = f"{datetime.fromtimestamp(int(it.org.record('Contact', made)['touched']), UTC):%Y-%m-%dT%H:%M:%S}"  # type: ignore[index]
    assert it.http.get(f"{it.url}/Contacts", headers={"If-Modified-Since": exact}, timeout=5).status_code == 304


def test_limits_answer_an_empty_429_that_names_the_limit(it: Xero) -> None:
    it.world.limits.switch(on=True)
    answers = [it.call("GET", "Organisation") for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert [answers[0].headers[f"X-{name}Limit-Remaining"] for name in ("Min", "Day", "AppMin")] == [
        "59",
        "4999",
        "9999",
    ]
    last = answers[-1]
    assert (last.content, last.headers.get("Content-Type"), last.headers["X-Rate-Limit-Problem"]) == (
        b"",
        None,
        "minute",
    )
    assert 0 < int(last.headers["Retry-After"]) <= 60


def test_the_day_limit_says_for_how_long(it: Xero) -> None:
    it.org.set_switches({"day_calls": 2})
    it.world.limits.switch(on=True)
    answers = [it.call("GET", "Organisation") for _ in range(3)]
    assert answers[-1].headers["X-Rate-Limit-Problem"] == "day"
    assert int(answers[-1].headers["Retry-After"]) > 60_000
    assert answers[1].headers["X-DayLimit-Remaining"] == "0"


def test_five_calls_in_flight(it: Xero) -> None:
    it.world.limits.switch(on=True)
    it.world.faults.plan("slow", "xero", "organisation GET", times=6, seconds=0.5)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(it.call("GET", "Organisation"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [answer for answer in found if answer.status_code == 429]
    assert len(refused) == 1 and refused[0].headers["X-Rate-Limit-Problem"] == "concurrent"
    assert "Retry-After" not in refused[0].headers


def test_an_organisation_that_is_offline_says_so_in_plain_text(it: Xero) -> None:
    it.org.set_switches({"offline": True})
    answer = it.call("GET", "Organisation")
    assert (answer.status_code, answer.text) == (503, "The Organisation is offline")


def test_the_journal_knows_each_call_its_elements_and_what_it_made(it: Xero) -> None:
    made = it.put("Contacts", {"Name": "A"}, {"Name": "B"})
    row = it.world.journal.rows("xero", it.tenant)[-1]
    assert (row["operation"], row["items"], row["status"]) == ("contacts PUT", 2, 200)
    assert {effect["id"] for effect in row["effects"]} == {each["ContactID"] for each in made}
    it.call("GET", f"Contacts/{made[0]['ContactID']}/History")
    assert it.world.journal.counts("xero", it.tenant)["contacts/id/history GET"] == 1


@pytest.mark.parametrize("fault", ["response_lost", "error_500_after", "empty_200"])
def test_a_lost_answer_leaves_what_was_made(it: Xero, fault: str) -> None:
    it.world.faults.plan(fault, "xero", "contacts PUT")
    body = {"Contacts": [{"Name": "Made"}]}
    try:
        assert it.call("PUT", "Contacts", body, key="k").content != b"OK"
    except Exception as lost:  # noqa: BLE001 - the connection closed
        assert "Connection" in type(lost).__name__
    assert len(it.get("Contacts", where='Name=="Made"')["Contacts"]) == 1
    assert it.call("PUT", "Contacts", body, key="k").status_code == 200  # the same key: answered from memory
    assert len(it.get("Contacts", where='Name=="Made"')["Contacts"]) == 1
