"""Invoices and credit memos of the simulated QuickBooks: what the server computes, refuses and books."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.qbo import books, preferences
from sandbox.qbo.realm import Realm
from tests.sandbox.qbo_client import Company, company, line


@pytest.fixture
def us() -> Iterator[Company]:
    with company("us-ast") as made:
        yield made


@pytest.fixture
def uk() -> Iterator[Company]:
    with company("uk") as made:
        yield made


def party(it: Company, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    customer = it.make("Customer", DisplayName="Northwind IT", **more)
    item = it.make("Item", Name="Support", Type="Service", IncomeAccountRef=it.account("Services"))
    return customer, item


def balanced(it: Company) -> None:
    rows = books.trial_balance(it.world, it.realm)
    assert sum(row["debit"] for row in rows) == sum(row["credit"] for row in rows) > 0
    realm = Realm(it.world, it.realm)
    for row in rows:
        assert realm.balance(f"account:{row['id']}") == row["debit"] - row["credit"]


def booked(it: Company, name: str) -> Decimal:
    return sum(
        (row["debit"] - row["credit"] for row in books.trial_balance(it.world, it.realm) if row["name"] == name),
        Decimal(0),
    )


def test_invoice_gets_what_the_server_fills_in(us: Company) -> None:
    net30 = us.query("SELECT * FROM Term WHERE Name = 'net 30'")["Term"][0]
    customer, item = party(
        us,
        PrimaryEmailAddr={"Address": "ap@northwind.invalid"},
        BillAddr={"Line1": "1 Main St"},
        SalesTermRef={"value": net30["Id"]},
    )
    made = us.make(
        "Invoice",
        CustomerRef={"value": customer["Id"]},
        DocNumber="AT-1",
        TxnDate="2026-11-20",
        Line=[line(item, Decimal("150.00"), Qty=Decimal("1.5"), UnitPrice=100)],
    )
    assert made["DueDate"] == "2026-12-20" and made["SalesTermRef"]["name"] == "Net 30"
    assert made["BillEmail"] == {"Address": "ap@northwind.invalid"} and made["BillAddr"]["Line1"] == "1 Main St"
    assert made["TotalAmt"] == made["Balance"] == Decimal("150.00")
    assert made["Line"][-1] == {
        "Amount": Decimal("150.00"),
        "DetailType": "SubTotalLineDetail",
        "SubTotalLineDetail": {},
    }
    assert made["SyncToken"] == "0" and made["CustomerRef"]["name"] == "Northwind IT"
    shown = us.get(f"customer/{customer['Id']}").json()["Customer"]
    assert shown["Balance"] == 150
    balanced(us)


def test_explicit_total_tax_is_honoured_and_split_in_the_books(us: Company) -> None:
    customer, item = party(us)
    made = us.make(
        "Invoice",
        CustomerRef={"value": customer["Id"]},
        TxnTaxDetail={"TotalTax": Decimal("41.25")},
        Line=[line(item, 500, "TAX")],
    )
    assert made["TotalAmt"] == Decimal("541.25")
    assert booked(us, "Sales Tax Payable") == Decimal("-41.25")
    assert booked(us, "Services") == Decimal("-500")
    balanced(us)


def test_tax_ignored_by_automated_sales_tax() -> None:
    with company("us-ast-ignores") as it:
        customer, item = party(it)
        made = it.make(
            "Invoice",
            CustomerRef={"value": customer["Id"]},
            TxnTaxDetail={"TotalTax": Decimal("41.25")},
            Line=[line(item, 500, "TAX")],
        )
        assert made["TotalAmt"] == 540


@pytest.mark.parametrize("profile", ["us-none", "us-ast-not-set-up"])
def test_tax_is_dropped_where_sales_tax_does_not_work(profile: str) -> None:
    with company(profile) as it:
        customer, item = party(it)
        made = it.make(
            "Invoice",
            CustomerRef={"value": customer["Id"]},
            TxnTaxDetail={"TotalTax": 5},
            Line=[line(item, 100, "TAX")],
        )
        assert made["TotalAmt"] == 100 and "TxnTaxDetail" not in made


def test_uk_tax_is_computed_per_rate_over_the_document(uk: Company) -> None:
    customer, item = party(uk)
    code = uk.code("20.0% S")["value"]
    body = {"CustomerRef": {"value": customer["Id"]}, "GlobalTaxCalculation": "TaxExcluded"}
    made = uk.make("Invoice", **body, Line=[line(item, Decimal("0.33"), code) for _ in range(3)])
    assert made["TotalAmt"] == Decimal("1.19")
    Realm(uk.world, uk.realm).set_switches({"tax_rounding": "line"})
    made = uk.make("Invoice", **body, Line=[line(item, Decimal("0.33"), code) for _ in range(3)])
    assert made["TotalAmt"] == Decimal("1.20")
    balanced(uk)


def test_uk_rules_about_codes(uk: Company) -> None:
    customer, item = party(uk)
    ref = {"value": customer["Id"]}
    bare = [line(item, 10)]
    zero = [line(item, 10, uk.code("0.0% Z")["value"])]
    assert uk.fault(uk.post("invoice", {"CustomerRef": ref, "Line": zero})) == (400, "2020")
    excluded = {"CustomerRef": ref, "GlobalTaxCalculation": "TaxExcluded"}
    assert uk.fault(uk.post("invoice", {**excluded, "Line": bare})) == (400, "6000")
    assert uk.fault(uk.post("invoice", {**excluded, "Line": [line(item, 10, "NON")]})) == (400, "2500")
    none = {"CustomerRef": ref, "GlobalTaxCalculation": "NotApplicable", "TxnTaxDetail": {"TotalTax": 1}}
    assert uk.fault(uk.post("invoice", {**none, "Line": bare})) == (400, "6170")
    assert uk.make("Invoice", **excluded, Line=zero)["TotalAmt"] == 10


def test_credit_memo_reduces_receivable(us: Company) -> None:
    customer, item = party(us)
    us.make("Invoice", CustomerRef={"value": customer["Id"]}, Line=[line(item, 100)])
    memo = us.make(
        "CreditMemo", CustomerRef={"value": customer["Id"]}, DocNumber="C-1", Line=[line(item, 150), line(item, -30)]
    )
    assert memo["TotalAmt"] == memo["RemainingCredit"] == 120
    assert us.get(f"customer/{customer['Id']}").json()["Customer"]["Balance"] == -20
    balanced(us)


def test_numbers_are_unique_per_kind_and_freed_by_delete(us: Company) -> None:
    customer, item = party(us)
    body = {"CustomerRef": {"value": customer["Id"]}, "DocNumber": "AT-7", "Line": [line(item, 5)]}
    first = us.make("Invoice", **body)
    refused = us.post("invoice", {**body, "DocNumber": "at-7"})
    assert us.fault(refused) == (400, "6140")
    assert f"with TxnId={first['Id']}" in refused.json()["Fault"]["Error"][0]["Detail"]
    us.make("CreditMemo", **body)
    us.make("CreditMemo", **body)  # not checked for credit memos unless switched on
    assert us.post("invoice", body, include="allowduplicatedocnum").status_code == 200
    assert us.post("invoice", {"Id": first["Id"], "SyncToken": "0"}, operation="delete").json()["Invoice"] == {
        "domain": "QBO",
        "status": "Deleted",
        "Id": first["Id"],
    }
    assert us.fault(us.get(f"invoice/{first['Id']}")) == (400, "610")
    balanced(us)


def test_automatic_numbers_when_custom_numbers_are_off() -> None:
    with company("us-none", custom_numbers=False) as it:
        customer, item = party(it)
        body = {"CustomerRef": {"value": customer["Id"]}, "Line": [line(item, 5)]}
        numbers = [it.make("Invoice", **body)["DocNumber"] for _ in range(2)]
        assert numbers == ["1001", "1002"]
        assert it.make("Invoice", **body, DocNumber="1002")["DocNumber"] == "1002"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"DocNumber": "x" * 22}, "2050"),
        ({"Wrong": 1}, "2010"),
        ({"CustomerRef": {"value": "999"}}, "2500"),
        ({"CustomerRef": None}, "2020"),
        ({"Line": None}, "2020"),
        ({"PrivateNote": "n" * 4001}, "2050"),
        ({"PrivateNote": "smile ☺"}, "2040"),
        ({"BillEmail": {"Address": "no address"}}, "2210"),
        ({"TxnDate": "20.11.2026"}, "2180"),
        ({"CustomField": [{"DefinitionId": str(n), "StringValue": "x"} for n in (1, 2, 3, 1)]}, "2010"),
    ],
)
def test_refused_headers(us: Company, change: dict[str, Any], code: str) -> None:
    customer, item = party(us)
    body = {"CustomerRef": {"value": customer["Id"]}, "Line": [line(item, 5)]} | change
    assert us.fault(us.post("invoice", body)) == (400, code)
    assert us.query("SELECT count(*) FROM Invoice")["totalCount"] == 2  # the unrelated ones


@pytest.mark.parametrize(
    ("amount", "detail", "code"),
    [
        (10, {"Qty": 3, "UnitPrice": 3}, "6070"),
        (-5, {}, "2290"),
        (10, {"ItemRef": {"value": "999"}}, "2500"),
        (10, {"TaxCodeRef": {"value": "5"}}, "6100"),
        (10, {"ClassRef": {"value": "9"}}, "2500"),
        (10, {"Colour": "red"}, "2010"),
    ],
)
def test_refused_lines(us: Company, amount: int, detail: dict[str, Any], code: str) -> None:
    customer, item = party(us)
    response = us.post("invoice", {"CustomerRef": {"value": customer["Id"]}, "Line": [line(item, amount, **detail)]})
    assert us.fault(response) == (400, code)


def test_inactive_item_and_category_are_refused(us: Company) -> None:
    customer, item = party(us)
    us.make("Item", Id=item["Id"], SyncToken="0", sparse=True, Active=False)
    category = us.make("Item", Name="Things", Type="Category")
    for refused, code in ((item, "2500"), (category, "6000")):
        response = us.post("invoice", {"CustomerRef": {"value": customer["Id"]}, "Line": [line(refused, 5)]})
        assert us.fault(response) == (400, code)


def test_seven_decimals_post_to_the_cent_and_text_lines_book_nothing(us: Company) -> None:
    customer, item = party(us)
    made = us.make(
        "Invoice",
        CustomerRef={"value": customer["Id"]},
        Line=[
            line(item, Decimal("123.46"), Qty=Decimal("1.2345678"), UnitPrice=100),
            {"Description": "only words", "Amount": 77, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {}},
        ],
    )
    assert made["TotalAmt"] == Decimal("123.46")
    assert made["Line"][0]["SalesItemLineDetail"]["Qty"] == Decimal("1.23457")
    assert made["Line"][1]["DetailType"] == "DescriptionOnly" and "Amount" not in made["Line"][1]


def test_more_than_750_taxed_lines_are_refused(us: Company) -> None:
    customer, item = party(us)
    body = {"CustomerRef": {"value": customer["Id"]}, "Line": [line(item, 1, "TAX") for _ in range(751)]}
    assert us.fault(us.post("invoice", body)) == (400, "6000")
    untaxed = [line(item, 1) for _ in range(751)]
    assert us.make("Invoice", CustomerRef={"value": customer["Id"]}, Line=untaxed)["TotalAmt"] == 751


def test_sparse_update_full_update_and_stale_token(us: Company) -> None:
    customer, item = party(us)
    made = us.make(
        "Invoice",
        CustomerRef={"value": customer["Id"]},
        PrivateNote="a",
        DocNumber="S-1",
        Line=[line(item, 5), line(item, 6)],
    )
    key = {"Id": made["Id"], "SyncToken": "0"}
    sparse = us.make("Invoice", **key, sparse=True, PrivateNote="b")
    assert (sparse["TotalAmt"], sparse["PrivateNote"], sparse["SyncToken"]) == (11, "b", "1")
    assert us.fault(us.post("invoice", {**key, "sparse": True, "PrivateNote": "c"})) == (400, "5010")
    kept = {**line(item, 7), "Id": made["Line"][1]["Id"]}
    full = us.make("Invoice", Id=made["Id"], SyncToken="1", CustomerRef={"value": customer["Id"]}, Line=[kept])
    assert full["TotalAmt"] == 7 and full["Line"][0]["Id"] == "2" and "PrivateNote" not in full
    balanced(us)


def test_void_leaves_number_and_takes_the_amounts_out(us: Company) -> None:
    customer, item = party(us)
    made = us.make(
        "Invoice", CustomerRef={"value": customer["Id"]}, DocNumber="V-1", PrivateNote="ours", Line=[line(item, 50)]
    )
    voided = us.post("invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="void").json()["Invoice"]
    assert (voided["TotalAmt"], voided["Balance"], voided["DocNumber"]) == (0, 0, "V-1")
    assert voided["PrivateNote"].startswith("Voided") and voided["Line"][0]["Amount"] == 0
    assert us.get(f"customer/{customer['Id']}").json()["Customer"]["Balance"] == 0
    document = books.documents(us.world, us.realm)[-1]
    assert (document["live"], document["state"]) == (False, "voided")
    balanced(us)


def test_closed_books(us: Company) -> None:
    customer, item = party(us)
    preferences.change(Realm(us.world, us.realm), "AccountingInfoPrefs", BookCloseDate="2026-10-31")
    body = {"CustomerRef": {"value": customer["Id"]}, "TxnDate": "2026-10-31", "Line": [line(item, 5)]}
    assert us.fault(us.post("invoice", body)) == (400, "6200")
    Realm(us.world, us.realm).set_switches({"closing_password": True})
    assert us.fault(us.post("invoice", body)) == (400, "6210")
    assert us.make("Invoice", **body | {"TxnDate": "2026-11-01"})["TotalAmt"] == 5
