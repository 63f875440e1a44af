"""Queries of the simulated Autotask: the filter language, paging and its traps, metadata."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.autotask.tenants import find_tenant, set_switches
from sandbox.server import running
from sandbox.world import World, open_world
from tests.sandbox.autotask_client import EVERY, Autotask, seeded


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One world for all tests here: they only read."""
    world = open_world()
    yield world
    world.close()


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[Autotask]:
    with running(world) as url:
        yield seeded(world, url, invoices=12, problems=True)


def numbers(rows: list[dict[str, Any]]) -> list[str]:
    return [row["invoiceNumber"] for row in rows]


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"op": "eq", "field": "invoiceNumber", "value": "at-10003"}, ["AT-10003"]),
        ({"op": "beginsWith", "field": "INVOICENUMBER", "value": "AT-1000"}, [f"AT-1000{n}" for n in range(1, 10)]),
        ({"op": "endsWith", "field": "invoiceNumber", "value": "0012"}, ["AT-10012"]),
        ({"op": "contains", "field": "invoiceNumber", "value": "TAKEN"}, ["AT-TAKEN-1"]),
        ({"op": "in", "field": "invoiceNumber", "value": ["AT-10001", "AT-10002"]}, ["AT-10001", "AT-10002"]),
        (
            {
                "op": "or",
                "items": [
                    {"op": "eq", "field": "invoiceNumber", "value": "ERROR"},
                    {
                        "op": "and",
                        "items": [
                            {"op": "eq", "field": "invoiceNumber", "value": "AT-10001"},
                            {"op": "gt", "field": "id", "value": 0},
                        ],
                    },
                ],
            },
            ["AT-10001", "ERROR"],
        ),
        ({"op": "eq", "field": "id", "value": "5"}, []),
        ({"op": "notExist", "field": "invoiceNumber"}, [None]),
    ],
)
def test_operators(api: Autotask, filters: dict[str, Any], wanted: list[str]) -> None:
    assert numbers(api.query("Invoices", filters)) == wanted


def test_every_comparison_splits_the_rows_without_remainder(api: Autotask) -> None:
    middle = sorted(row["invoiceTotal"] for row in api.query("Invoices"))[5]
    sizes = {
        op: len(api.query("Invoices", {"op": op, "field": "invoiceTotal", "value": middle}))
        for op in ("eq", "noteq", "gt", "gte", "lt", "lte")
    }
    total = len(api.query("Invoices"))
    assert sizes["eq"] + sizes["noteq"] == sizes["gt"] + sizes["lte"] == sizes["lt"] + sizes["gte"] == total
    assert 0 < sizes["eq"] <= sizes["gte"] < total
    inside = api.query("Invoices", {"op": "notIn", "field": "id", "value": [api.query("Invoices")[0]["id"]]})
    assert len(inside) == total - 1


@pytest.mark.parametrize(
    ("filters", "text"),
    [
        ([], "at least one filter"),
        ([{"op": "eq", "field": "dueDate", "value": "2026-01-01"}], "not queryable"),
        ([{"op": "eq", "field": "nothingLikeIt", "value": 1}], "Unable to find nothingLikeIt in the Invoice Entity"),
        ([{"op": "like", "field": "id", "value": 1}], "not a valid operator"),
        ([{"op": "eq", "field": "isVoided", "value": "false"}], "must be true or false"),
        ([{"op": "in", "field": "id", "value": list(range(501))}], "500 or fewer 'OR' conditions"),
        (
            [
                {"op": "eq", "field": "a", "value": "1", "udf": True},
                {"op": "eq", "field": "b", "value": "1", "udf": True},
            ],
            "one user-defined field",
        ),
    ],
)
def test_refused_queries_are_500_with_a_text(api: Autotask, filters: list[dict[str, Any]], text: str) -> None:
    status, message = api.refusal(api.call("POST", "Invoices/query", {"filter": filters}))
    assert (status, text in message) == (500, True), message


def test_blank_text_is_null_or_empty_by_switch(world: World, api: Autotask) -> None:
    blank, empty = {"op": "notExist", "field": "invoiceNumber"}, {"op": "eq", "field": "invoiceNumber", "value": ""}
    assert (len(api.query("Invoices", blank)), len(api.query("Invoices", empty))) == (1, 0)
    tenant = find_tenant(world, api.seeded["ci"])
    assert tenant is not None
    set_switches(tenant, {"blank_strings": "empty"})
    assert (len(api.query("Invoices", blank)), len(api.query("Invoices", empty))) == (0, 1)
    set_switches(tenant, {"blank_strings": "null"})


def test_pages_are_ordered_by_id_and_the_next_page_of_a_post_must_be_posted(api: Autotask) -> None:
    body = {"filter": [EVERY], "MaxRecords": 20, "IncludeFields": ["ID"]}
    first = api.call("POST", "Invoices/query", body).json()
    assert (first["pageDetails"]["count"], first["pageDetails"]["requestCount"]) == (20, 20)
    url = first["pageDetails"]["nextPageUrl"]
    wrong = api.http.get(url, timeout=5)
    assert (wrong.status_code, list(wrong.json())) == (405, ["Message"])
    second = api.http.post(url, json=body, timeout=5).json()
    ids = [row["id"] for page in (first, second) for row in page["items"]]
    assert ids == sorted(set(ids)) and len(ids) == 40
    back = api.http.post(second["pageDetails"]["prevPageUrl"], json=body, timeout=5).json()
    assert [row["id"] for row in back["items"]] == ids[:20]
    last = api.query("Invoices", {"op": "gt", "field": "id", "value": ids[-1]})
    assert len(last) == api.call("POST", "Invoices/query/count", {"filter": [EVERY]}).json()["queryCount"] - 40


def test_get_queries_page_by_get_until_the_address_is_too_long(api: Autotask) -> None:
    search = '{"filter":[{"op":"gte","field":"id","value":0}],"MaxRecords":5}'
    first = api.call("GET", "Invoices/query", params={"search": search}).json()
    second = api.http.get(first["pageDetails"]["nextPageUrl"], timeout=5).json()
    assert first["items"][-1]["id"] < second["items"][0]["id"]
    ids = ",".join(str(n) for n in range(900))
    long = f'{{"filter":[{{"op":"in","field":"id","value":[{ids}]}}]}}'
    assert api.call("GET", "Invoices/query", params={"search": long}).status_code == 404


@pytest.mark.parametrize("size", [0, 501, "many"])
def test_page_sizes_outside_1_to_500_are_refused(api: Autotask, size: Any) -> None:
    assert api.call("POST", "Invoices/query", {"filter": [EVERY], "MaxRecords": size}).status_code == 500


def test_paths_are_case_insensitive_and_unknown_ones_404(api: Autotask) -> None:
    api.url = api.url.replace("ATServicesRest/V1.0", "atservicesrest/v1.0")
    assert api.call("GET", "COMPANIES/0/").json()["item"]["id"] == 0
    assert api.call("GET", "Companies/987654321").json() == {"item": None}
    assert api.call("GET", "Unicorns/1").status_code == 404


def test_answers_are_whole_exact_and_grow_unknown_fields(api: Autotask) -> None:
    row = api.query("BillingItems", {"op": "eq", "field": "quantity", "value": Decimal("1.2345678")})[0]
    assert (row["quantity"], row["extendedPrice"]) == (Decimal("1.2345678"), Decimal("148.15"))
    assert row["serviceID"] is None and any(name.startswith("futureField") for name in row)


def test_picklist_numbers_differ_between_tenants_and_are_served_as_strings(world: World, api: Autotask) -> None:
    other = seeded(world, api.base, slug="other", switches={"picklist_seed": 99})

    def values(client: Autotask) -> dict[str, str]:
        fields = client.call("GET", "BillingItems/entityInformation/fields/").json()["fields"]
        field = next(f for f in fields if f["name"] == "billingItemType")
        return {entry["label"]: entry["value"] for entry in field["picklistValues"]}

    mine, theirs = values(api), values(other)
    assert mine["Labor"] == theirs["Labor"] == "1"
    assert mine["Milestone"] != theirs["Milestone"] and set(mine) == set(theirs)
    line = api.query("BillingItems", {"op": "eq", "field": "billingItemType", "value": int(mine["Milestone"])})
    assert line and all(row["itemName"] == "Migration Milestone" for row in line)


def test_invoice_copies(api: Autotask) -> None:
    id = api.query("Invoices")[0]["id"]
    pdf = api.call("GET", f"Invoices/{id}/InvoicePDF").json()["item"]
    assert (pdf["contentType"], pdf["data"][:5]) == ("application/pdf", "JVBER")
    assert "AT-10001" in api.call("GET", f"Invoices/{id}/InvoiceMarkupHtml").json()["invoiceMarkup"]
    assert "<invoiceNumber>AT-10001" in api.call("GET", f"Invoices/{id}/invoicemarkupxml").json()["invoiceMarkup"]
