"""Payments, bills, currencies and attachments of the simulated QuickBooks, and that the books always balance."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.qbo import books
from sandbox.qbo.realm import Realm
from tests.sandbox.qbo_client import Company, company, line


@pytest.fixture
def us() -> Iterator[Company]:
    with company("us-ast", unrelated=False) as made:
        yield made


def sums(it: Company) -> dict[str, Decimal]:
    """Debit less credit by account name; checks that the trial balance balances and agrees with running sums."""
    rows = books.trial_balance(it.world, it.realm)
    assert sum(row["debit"] for row in rows) == sum(row["credit"] for row in rows)
    realm = Realm(it.world, it.realm)
    for row in rows:
        assert realm.balance(f"account:{row['id']}") == row["debit"] - row["credit"]
    return {row["name"]: row["debit"] - row["credit"] for row in rows}


def invoice(it: Company, amount: int, **more: Any) -> tuple[dict[str, str], dict[str, Any]]:
    customer = it.make("Customer", DisplayName="Northwind IT", **more)
    item = it.make("Item", Name="Support", Type="Service", IncomeAccountRef=it.account("Services"))
    ref = {"value": customer["Id"]}
    return ref, it.make("Invoice", CustomerRef=ref, DocNumber="P-1", TxnDate="2026-11-20", Line=[line(item, amount)])


def applied(amount: int, **target: str) -> dict[str, Any]:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": ident, "TxnType": kind} for kind, ident in target.items()]}


def test_payment_applies_and_comes_back_when_voided(us: Company) -> None:
    ref, made = invoice(us, 100)
    too_much = us.post("payment", {"CustomerRef": ref, "TotalAmt": 500, "Line": [applied(101, Invoice=made["Id"])]})
    assert us.fault(too_much) == (400, "6000")
    payment = us.make("Payment", CustomerRef=ref, TotalAmt=70, Line=[applied(60, Invoice=made["Id"])])
    assert payment["UnappliedAmt"] == 10
    paid = us.get(f"invoice/{made['Id']}").json()["Invoice"]
    assert (paid["Balance"], paid["SyncToken"]) == (40, "1")
    assert paid["LinkedTxn"] == [{"TxnId": payment["Id"], "TxnType": "Payment"}]
    assert sums(us) == {
        "Services": Decimal(-100),
        "Undeposited Funds": Decimal(70),
        "Accounts Receivable (A/R)": Decimal(30),
    }
    voided = us.post(
        "payment", {"Id": payment["Id"], "SyncToken": "0", "sparse": True}, operation="update", include="void"
    ).json()["Payment"]
    assert voided["TotalAmt"] == 0 and voided["PrivateNote"].startswith("Voided")
    again = us.get(f"invoice/{made['Id']}").json()["Invoice"]
    assert (again["Balance"], again["LinkedTxn"], again["SyncToken"]) == (100, [], "2")
    assert sums(us) == {"Services": Decimal(-100), "Accounts Receivable (A/R)": Decimal(100)}


def test_voided_invoice_returns_money_to_the_payment(us: Company) -> None:
    ref, made = invoice(us, 100)
    payment = us.make("Payment", CustomerRef=ref, TotalAmt=100, Line=[applied(100, Invoice=made["Id"])])
    us.post("invoice", {"Id": made["Id"], "SyncToken": "1"}, operation="void")
    left = us.get(f"payment/{payment['Id']}").json()["Payment"]
    assert (left["UnappliedAmt"], left["Line"]) == (100, [])
    assert us.get(f"customer/{ref['value']}").json()["Customer"]["Balance"] == -100
    sums(us)


def test_credit_is_applied_by_a_payment_of_nothing(us: Company) -> None:
    ref, made = invoice(us, 100)
    item = us.query("SELECT * FROM Item")["Item"][0]
    memo = us.make("CreditMemo", CustomerRef=ref, Line=[line(item, 30)])
    us.make(
        "Payment",
        CustomerRef=ref,
        TotalAmt=0,
        Line=[applied(30, Invoice=made["Id"]), applied(30, CreditMemo=memo["Id"])],
    )
    assert us.get(f"invoice/{made['Id']}").json()["Invoice"]["Balance"] == 70
    assert us.get(f"creditmemo/{memo['Id']}").json()["CreditMemo"]["RemainingCredit"] == 0
    assert sums(us)["Accounts Receivable (A/R)"] == 70


def test_foreign_invoice_books_home_currency_and_exchange_difference() -> None:
    with company("us-none", multicurrency=True, unrelated=False) as it:
        for day, rate in (("2026-11-01", "1.10"), ("2026-11-21", "1.20")):
            it.make("ExchangeRate", SourceCurrencyCode="EUR", AsOfDate=day, Rate=Decimal(rate))
        ref, made = invoice(it, 100, CurrencyRef={"value": "EUR"})
        assert (made["ExchangeRate"], made["HomeTotalAmt"]) == (Decimal("1.10"), Decimal("110.00"))
        assert (
            it.get("exchangerate", sourcecurrencycode="EUR", asofdate="2026-11-21").json()["ExchangeRate"]["Rate"]
            == 1.2
        )
        it.make("Payment", CustomerRef=ref, TotalAmt=100, TxnDate="2026-11-21", Line=[applied(100, Invoice=made["Id"])])
        assert sums(it) == {
            "Services": Decimal(-110),
            "Undeposited Funds": Decimal(120),
            "Exchange Gain or Loss": Decimal(-10),
        }
        assert it.query("SELECT * FROM CompanyCurrency")["CompanyCurrency"][0]["Code"] == "EUR"
        wrong = it.post(
            "customer", {"Id": ref["value"], "SyncToken": "0", "sparse": True, "CurrencyRef": {"value": "USD"}}
        )
        assert it.fault(wrong) == (400, "6000")
    with company("us-none") as it:
        refused = it.post("customer", {"DisplayName": "Foreign", "CurrencyRef": {"value": "EUR"}})
        assert it.fault(refused) == (400, "5030")


def test_bill_posts_expense_and_payable(us: Company) -> None:
    vendor = us.make("Vendor", DisplayName="Supplier")
    item = us.make(
        "Item",
        Name="Switch",
        Type="NonInventory",
        IncomeAccountRef=us.account("Hardware"),
        ExpenseAccountRef=us.account("Cost of Goods Sold"),
    )
    body = {
        "VendorRef": {"value": vendor["Id"]},
        "DocNumber": "SUP-1",
        "Line": [
            {
                "Amount": 420,
                "DetailType": "ItemBasedExpenseLineDetail",
                "ItemBasedExpenseLineDetail": {"ItemRef": {"value": item["Id"]}, "Qty": 2, "UnitPrice": 210},
            },
            {
                "Amount": 15,
                "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": {"AccountRef": us.account("Freight")},
            },
        ],
    }
    made = us.make("Bill", **body)
    assert made["TotalAmt"] == made["Balance"] == 435
    assert us.get(f"vendor/{vendor['Id']}").json()["Vendor"]["Balance"] == 435
    assert us.fault(us.post("bill", body)) == (400, "6140")
    assert us.fault(us.post("bill", {"Id": made["Id"], "SyncToken": "0"}, operation="void")) == (400, "500")
    assert us.post("bill", {"Id": made["Id"], "SyncToken": "0"}, operation="delete").status_code == 200
    assert sums(us) == {}
    other = us.make("Item", Name="Not bought", Type="Service", IncomeAccountRef=us.account("Services"))
    line_ = {"Amount": 1, "ItemBasedExpenseLineDetail": {"ItemRef": {"value": other["Id"]}}}
    refused = us.post("bill", {"VendorRef": {"value": vendor["Id"]}, "Line": [line_]})
    assert us.fault(refused) == (400, "6000")


def test_pdf_send_and_note(us: Company) -> None:
    _, made = invoice(us, 100)
    answer = us.get(f"invoice/{made['Id']}/pdf")
    assert answer.headers["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF-")
    assert b"startxref" in answer.content
    assert us.fault(us.post(f"invoice/{made['Id']}/send", None)) == (400, "2020")  # no address anywhere
    sent = us.post(f"invoice/{made['Id']}/send", None, sendTo="ap@northwind.invalid").json()["Invoice"]
    assert sent["EmailStatus"] == "EmailSent" and sent["BillEmail"]["Address"] == "ap@northwind.invalid"
    note = us.make(
        "Attachable", Note="checked", AttachableRef=[{"EntityRef": {"type": "Invoice", "value": made["Id"]}}]
    )
    assert us.get(f"attachable/{note['Id']}").json()["Attachable"]["Note"] == "checked"


def test_upload_of_several_files(us: Company) -> None:
    files = {
        "file_metadata_01": (None, '{"FileName": "a.txt", "ContentType": "text/plain"}', "application/json"),
        "file_content_01": ("a.txt", b"one\r\n\r\ntwo", "text/plain"),
        "file_content_02": ("b.exe", b"no", "application/octet-stream"),
    }
    answers = us.http.post(f"{us.url}/upload", files=files).json()["AttachableResponse"]
    assert answers[0]["Attachable"]["Size"] == 10
    assert answers[1]["Fault"]["Error"][0]["code"] == "6041"
    assert us.http.get(answers[0]["Attachable"]["TempDownloadUri"]).content == b"one\r\n\r\ntwo"


def test_tax_service_makes_a_code_that_computes() -> None:
    with company("uk") as it:
        agency = it.query("SELECT * FROM TaxAgency")["TaxAgency"][0]["Id"]
        made = it.post(
            "taxservice/taxcode",
            {
                "TaxCode": "12.5% H",
                "TaxRateDetails": [{"TaxRateName": "12.5% H", "RateValue": "12.5", "TaxAgencyId": agency}],
            },
        ).json()
        customer = it.make("Customer", DisplayName="Pub")
        item = it.make("Item", Name="Meal", Type="Service", IncomeAccountRef=it.account("Sales"))
        total = it.make(
            "Invoice",
            CustomerRef={"value": customer["Id"]},
            GlobalTaxCalculation="TaxExcluded",
            Line=[line(item, 100, made["TaxCodeId"])],
        )["TotalAmt"]
        assert total == Decimal("112.50")
