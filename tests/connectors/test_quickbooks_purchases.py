"""How bills, orders, vendors and bought items are spelled for QuickBooks, and what its answers about them mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors import jsonbytes
from connectors.ledgers import quickbooks_faults as faults
from connectors.ledgers import quickbooks_records as records
from connectors.ledgers.base import Alike, Kind, Refusal
from connectors.ledgers.quickbooks_lookup import Lookup
from connectors.ledgers.quickbooks_payloads import payload
from connectors.ledgers.quickbooks_spelling import Spelling
from domain.documents import Address, Draft, DraftLine, ItemDraft, OrderedLine, PartyDraft, Reference
from domain.taxes import TaxModel

US = Spelling(TaxModel.EXPLICIT_TOTAL, "US", False)
UK = Spelling(TaxModel.CODE_PER_LINE, "GB", False)
DAY = date(2026, 11, 20)
TERM, PLACE, CODE = Reference("term", "3", "Net 30", "3"), Reference("location", "8", "West", "8"), "5"
GOODS = DraftLine(Reference("item", "sw", "Switch", "38"), "Switch", Decimal(2), Decimal(210), Decimal(420), False)


def draft(**changes: Any) -> Draft:
    account = Reference("account", "54", "Freight", "54")
    freight = DraftLine(account, "Freight", Decimal(1), Decimal(15), Decimal(15), False)
    one = Draft(
        kind="bill", party=Reference("vendor", "7", "Parts", "41"), number="SUP-1", date=DAY, due_date=None,
        term=TERM, currency="USD", lines=(GOODS, freight), tax_total=Decimal(0), send_tax=False, total=Decimal(435),
        memo="Autotask order PO1", marker="ref:a", payable=Reference("account", "33", "A/P", "33"), location=PLACE,
        message="Leave at the door", ship_to=("Us", "1 Street"),
    )  # fmt: skip
    return replace(one, **changes)


def spelled(one: Any, spelling: Spelling = US) -> dict[str, Any]:
    body: dict[str, Any] = jsonbytes.load(payload(one, {}, spelling))
    return body


def test_a_bill_names_vendor_payable_terms_and_location_and_nothing_a_bill_does_not_have() -> None:
    assert spelled(draft()) == {
        "VendorRef": {"value": "41"}, "DocNumber": "SUP-1", "TxnDate": "2026-11-20", "APAccountRef": {"value": "33"},
        "SalesTermRef": {"value": "3"}, "PrivateNote": "Autotask order PO1 ref:a", "DepartmentRef": {"value": "8"},
        "Line": [
            {"LineNum": 1, "Amount": Decimal("420.00"), "Description": "Switch",
             "DetailType": "ItemBasedExpenseLineDetail",
             "ItemBasedExpenseLineDetail": {"ItemRef": {"value": "38"}, "Qty": 2, "UnitPrice": 210,
                                            "TaxCodeRef": {"value": "NON"}}},
            {"LineNum": 2, "Amount": Decimal("15.00"), "Description": "Freight",
             "DetailType": "AccountBasedExpenseLineDetail",
             "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "54"}, "TaxCodeRef": {"value": "NON"}}},
        ],
    }  # fmt: skip


def test_an_order_has_a_memo_to_the_vendor_and_an_address_and_no_terms() -> None:
    body = spelled(draft(kind="purchase_order", number=None))
    assert (body["Memo"], body["ShipAddr"]) == ("Leave at the door", {"Line1": "Us", "Line2": "1 Street"})
    assert "SalesTermRef" not in body and "DocNumber" not in body


def test_a_line_that_fulfils_an_order_names_its_line_and_has_no_number_of_its_own() -> None:
    customer = Reference("customer", "9", "Acme", "73")
    one = replace(GOODS, ordered=OrderedLine("257", "1"), customer=customer, billable=True)
    [line] = spelled(draft(lines=(one,)))["Line"]
    assert line["LinkedTxn"] == [{"TxnId": "257", "TxnType": "PurchaseOrder", "TxnLineId": "1"}]
    assert "LineNum" not in line
    detail = line["ItemBasedExpenseLineDetail"]
    assert (detail["CustomerRef"], detail["BillableStatus"]) == ({"value": "73"}, "Billable")


def test_outside_the_us_lines_carry_their_code_or_the_document_none() -> None:
    coded = replace(GOODS, tax_code=Reference("tax_code", CODE, "20%", CODE))
    body = spelled(draft(lines=(coded,)), UK)
    assert body["GlobalTaxCalculation"] == "TaxExcluded"
    assert body["Line"][0]["ItemBasedExpenseLineDetail"]["TaxCodeRef"] == {"value": CODE}
    bare = spelled(draft(), UK)
    assert bare["GlobalTaxCalculation"] == "NotApplicable"
    assert "TaxCodeRef" not in bare["Line"][0]["ItemBasedExpenseLineDetail"]


@pytest.mark.parametrize(("rate", "sent"), [(None, None), (Decimal("1.1"), Decimal("1.1")), (Decimal(1), Decimal(1))])
def test_a_rate_is_sent_only_where_the_draft_has_one(rate: Decimal | None, sent: Decimal | None) -> None:
    many = replace(US, multi_currency=True)
    body = spelled(draft(currency="EUR", foreign=True, rate=rate), many)
    assert (body["CurrencyRef"], body.get("ExchangeRate")) == ({"value": "EUR"}, sent)
    assert "ExchangeRate" not in spelled(draft(rate=rate), many)


def test_a_vendors_suffix_stands_in_its_display_name_only() -> None:
    one = PartyDraft("7", "Acme (V)", email="ap@acme.example", address=Address(line1="7 Park"), term=TERM,
                     currency="EUR", kind="vendor", company_name="Acme")  # fmt: skip
    assert spelled(one, replace(US, multi_currency=True)) == {
        "DisplayName": "Acme (V)", "CompanyName": "Acme", "PrimaryEmailAddr": {"Address": "ap@acme.example"},
        "BillAddr": {"Line1": "7 Park"}, "TermRef": {"value": "3"}, "CurrencyRef": {"value": "EUR"},
    }  # fmt: skip


def test_a_bought_item_is_non_inventory_on_its_expense_account() -> None:
    account = Reference("account", "60", "COGS", "60")
    one = ItemDraft("sw", "Switch", "Switch, boxed", account, sku="SW-24", bought=True)
    assert spelled(one) == {"Name": "Switch", "Type": "NonInventory", "PurchaseDesc": "Switch, boxed",
                            "ExpenseAccountRef": {"value": "60"}, "Sku": "SW-24"}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "detail", "refusal"),
    [
        ("5020", "You do not have permission to use PurchaseOrder", Refusal.FEATURE_OFF),
        ("620", "PurchaseOrder 7 is closed", Refusal.BAD_REFERENCE),
        ("6000", "The item on this line is not a purchasable item.", Refusal.BAD_REFERENCE),
        ("6430", "You must select an account of type Accounts Payable", Refusal.BAD_REFERENCE),
        ("6140", "DocNumber=V-1 is assigned to TxnType=Bill with TxnId=151", Refusal.DUPLICATE_NUMBER),
    ],
)
def test_what_refusals_mean(code: str, detail: str, refusal: Refusal) -> None:
    [found] = faults.faults_of({"Error": [{"code": code, "Message": "", "Detail": detail}]})
    assert found.refusal is refusal


@pytest.mark.parametrize(
    ("sku", "bills", "orders"),
    [("QuickBooks Online Plus", True, True), ("QuickBooks Online Essentials", True, False),
     ("QuickBooks Online Simple Start", False, False), ("A plan nobody heard of", True, True)],
)  # fmt: skip
def test_a_plan_tells_what_it_has(sku: str, bills: bool, orders: bool) -> None:
    company = {"Country": "GB", "NameValue": [{"Name": "OfferingSku", "Value": sku}]}
    bought = {"BillableExpenseTracking": True, "TrackingByCustomer": True}
    numbers = [{"Name": "VendorAndPurchasesPrefs.UseCustomTxnNumbers", "Value": "true"}]
    taxed = {"TaxPrefs": {"UsingSalesTax": True}}
    found = records.profile(
        company, {"VendorAndPurchasesPrefs": bought, "OtherPrefs": {"NameValue": numbers}, **taxed}, "1"
    )
    assert (found.bills, found.purchase_orders) == (bills, orders)
    assert (found.own_order_numbers, found.purchases_by_customer, found.purchase_tax) == (True, True, True)
    bare = records.profile({}, {}, "1")
    assert (bare.own_order_numbers, bare.purchases_by_customer, bare.purchase_tax) == (False, False, False)


def test_a_code_without_rates_on_purchases_cannot_stand_on_one() -> None:
    both = {"Id": "1", "SalesTaxRateList": {}, "PurchaseTaxRateList": {}}
    codes = [both, {"Id": "2", "SalesTaxRateList": {}}, {"Id": "3"}]
    assert [one.details["purchases"] for one in records.tax_codes(codes, [])] == [True, False, True]


@pytest.mark.parametrize(("vendors", "queries"), [(1, 2), (5, 6), (6, 2), (30, 2)])
def test_many_bills_are_searched_for_with_few_reads(vendors: int, queries: int) -> None:
    asked: list[str] = []

    def rows(entity: str, statement: str) -> list[Any]:
        asked.append(statement)
        return []

    sought = [Alike(str(n), Kind.BILL, str(n), f"V'{n}", Decimal(1), DAY - timedelta(30), DAY) for n in range(vendors)]
    assert Lookup(rows, "1").alike(sought) == {str(n): () for n in range(vendors)}
    assert len(asked) == queries and "DocNumber IN ('V\\'0'" in asked[0]
