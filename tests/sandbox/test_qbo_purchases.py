"""Bills, purchase orders and their payments in the simulated QuickBooks: double entry, links, plans, numbers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox import jsonio
from sandbox.qbo import books, ledger, preferences
from sandbox.qbo.realm import Realm
from tests.sandbox.qbo_client import Company, company


@pytest.fixture
def us() -> Iterator[Company]:
    with company("us-ast") as running:
        yield running


def vendor(at: Company, name: str = "Parts Wholesale", **more: Any) -> dict[str, str]:
    return {"value": at.make("Vendor", DisplayName=name, **more)["Id"]}


def item(at: Company, name: str = "Switch 24p", **more: Any) -> dict[str, str]:
    body: dict[str, Any] = {"Type": "NonInventory", "ExpenseAccountRef": at.account("Cost of Goods Sold"), **more}
    return {"value": at.make("Item", Name=name, **body)["Id"]}


def goods(ref: dict[str, str], quantity: int, price: str, **line: Any) -> dict[str, Any]:
    detail = {"ItemRef": ref, "Qty": quantity, "UnitPrice": Decimal(price), **line.pop("detail", {})}
    return {"Amount": Decimal(price) * quantity, "DetailType": "ItemBasedExpenseLineDetail",
            "ItemBasedExpenseLineDetail": detail, **line}  # fmt: skip


def freight(at: Company, amount: str) -> dict[str, Any]:
    return {"Amount": Decimal(amount), "Description": "Freight", "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": {"AccountRef": at.account("Freight")}}  # fmt: skip


def order(at: Company, vendor: dict[str, str], *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return at.make("PurchaseOrder", VendorRef=vendor, APAccountRef=at.account("Accounts Payable (A/P)"),
                   Line=list(lines), **more)  # fmt: skip


def linked(made: dict[str, Any], place: int = 0) -> dict[str, Any]:
    link = {"TxnId": made["Id"], "TxnType": "PurchaseOrder", "TxnLineId": made["Line"][place]["Id"]}
    return {"LinkedTxn": [link]}


def status(at: Company, made: dict[str, Any]) -> tuple[str, list[Any]]:
    row = at.query(f"SELECT * FROM PurchaseOrder WHERE Id = '{made['Id']}'")["PurchaseOrder"][0]
    return row["POStatus"], row["LinkedTxn"]


def test_a_bill_with_freight_debits_its_accounts_and_credits_the_payable(us: Company) -> None:
    us.make("Bill", VendorRef=vendor(us), DocNumber="SUP-1", Line=[goods(item(us), 2, "210"), freight(us, "15")])
    [row] = books.purchases(us.world, us.realm)
    found = {line["account"]: (line["debit"], line["credit"]) for line in row["journal"]}
    assert found == {
        "Cost of Goods Sold": (Decimal(420), 0), "Freight": (Decimal(15), 0),
        "Accounts Payable (A/P)": (0, Decimal(435)),
    }  # fmt: skip
    assert (row["total"], row["net"], row["balance"], row["live"]) == (435, 435, 435, True)


def test_an_order_posts_nothing_numbers_itself_and_is_closed_by_the_bills_that_take_it_up(us: Company) -> None:
    who, what = vendor(us), item(us)
    made = order(us, who, goods(what, 10, "42"), freight(us, "15"))
    assert (made["DocNumber"], made["POStatus"], made["TotalAmt"]) == ("1001", "Open", 435)
    assert Realm(us.world, us.realm).balance(f"account:{us.account('Accounts Payable (A/P)')['value']}") == 0
    first = us.make("Bill", VendorRef=who, Line=[goods(what, 6, "42", **linked(made)),
                                                 {**freight(us, "15"), **linked(made, 1)}])  # fmt: skip
    assert first["LinkedTxn"] == [{"TxnId": made["Id"], "TxnType": "PurchaseOrder"}]
    assert status(us, made) == ("Open", [{"TxnId": first["Id"], "TxnType": "Bill"}])
    second = us.make("Bill", VendorRef=who, Line=[goods(what, 4, "42", **linked(made))])
    assert status(us, made)[0] == "Closed"
    # Taken up twice: the order is closed. Deleting needs unlinking first; that opens the order again.
    late = {"VendorRef": who, "Line": [goods(what, 1, "42", **linked(made))]}
    assert us.fault(us.post("bill", late)) == (400, "620")
    gone = us.post("bill", {"Id": second["Id"], "SyncToken": "0"}, operation="delete")
    assert us.fault(gone) == (400, "6000")
    us.make("Bill", **{**second, "Line": [goods(what, 4, "42")]})
    assert status(us, made)[0] == "Open"
    assert us.post("bill", {"Id": second["Id"], "SyncToken": "1"}, operation="delete").status_code == 200


@pytest.mark.parametrize(
    ("link", "code"),
    [({"TxnLineId": None}, "620"), ({"TxnId": "999"}, "620"), ({"TxnType": "Estimate"}, "620")],
)
def test_a_link_that_is_none_is_refused(us: Company, link: dict[str, Any], code: str) -> None:
    who, what = vendor(us), item(us)
    made = order(us, who, goods(what, 1, "42"))
    [good] = linked(made)["LinkedTxn"]
    line = goods(what, 1, "42", LinkedTxn=[{**good, **link}])
    assert us.fault(us.post("bill", {"VendorRef": who, "Line": [line]})) == (400, code)


def test_a_bill_dated_before_its_order_is_refused_where_the_switch_says_so(us: Company) -> None:
    who, what = vendor(us), item(us)
    made = order(us, who, goods(what, 2, "42"), TxnDate="2026-11-20")
    body = {"VendorRef": who, "TxnDate": "2026-11-19", "Line": [goods(what, 1, "42", **linked(made))]}
    assert us.post("bill", body).status_code == 200
    Realm(us.world, us.realm).set_switches({"bill_before_order_refused": True})
    assert us.fault(us.post("bill", body)) == (400, "6000")


@pytest.mark.parametrize(
    ("sku", "kind", "code"),
    [("Essentials", "purchaseorder", "5020"), ("Simple Start", "bill", "5020"), ("Essentials", "bill", None)],
)
def test_a_poorer_plan_has_no_orders_or_bills(sku: str, kind: str, code: str | None) -> None:
    with company("us-ast", sku=f"QuickBooks Online {sku}") as at:
        body = {"VendorRef": vendor(at), "APAccountRef": at.account("Accounts Payable (A/P)"),
                "Line": [freight(at, "5")]}  # fmt: skip
        answer = at.post(kind, body)
        assert answer.status_code == 200 if code is None else at.fault(answer) == (400, code)


def test_own_numbers_of_orders_follow_their_own_preference_and_are_checked(us: Company) -> None:
    who = vendor(us)
    preferences.change(
        Realm(us.world, us.realm), "OtherPrefs",
        NameValue=[{"Name": "VendorAndPurchasesPrefs.UseCustomTxnNumbers", "Value": "true"}],
    )  # fmt: skip
    assert "DocNumber" not in order(us, who, freight(us, "5"))
    assert order(us, who, freight(us, "5"), DocNumber="PO-1")["DocNumber"] == "PO-1"
    body = {"VendorRef": who, "APAccountRef": us.account("Accounts Payable (A/P)"), "DocNumber": "po-1",
            "Line": [freight(us, "5")]}  # fmt: skip
    assert us.fault(us.post("purchaseorder", body)) == (400, "6140")
    assert us.post("purchaseorder", body, include="allowduplicatedocnum").status_code == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"APAccountRef": "Freight"}, "6430"),
        ({"line": {"Amount": 41}}, "6070"),
        ({"detail": {"BillableStatus": "Billable"}}, "6310"),
        ({"item": {"Type": "Service", "ExpenseAccountRef": None}}, "6000"),
        ({"detail": {"ClassRef": {"value": "999"}}}, "2500"),
    ],
)
def test_what_is_refused(us: Company, change: dict[str, Any], code: str) -> None:
    more = dict(change.get("item", {}))
    if more:
        more |= {"IncomeAccountRef": us.account("Hardware")}
    line = {**goods(item(us, **more), 1, "42", detail=change.get("detail", {})), **change.get("line", {})}
    body: dict[str, Any] = {"VendorRef": vendor(us), "Line": [line]}
    if "APAccountRef" in change:
        body["APAccountRef"] = us.account(change["APAccountRef"])
    assert us.fault(us.post("bill", body)) == (400, code)


def test_the_payable_account_is_that_of_the_vendors_currency() -> None:
    with company("us-ast", multicurrency=True) as at:
        who = vendor(at, CurrencyRef={"value": "EUR"})
        body = {"VendorRef": who, "Line": [freight(at, "100")], "ExchangeRate": Decimal("1.1")}
        made = at.make("Bill", **body)
        assert made["APAccountRef"]["name"] == "Accounts Payable (A/P) - EUR"
        assert (made["TotalAmt"], made["HomeTotalAmt"]) == (100, 110)
        wrong = {**body, "APAccountRef": at.account("Accounts Payable (A/P)")}
        assert at.fault(at.post("bill", wrong)) == (400, "6000")
        assert at.fault(at.post("bill", {**body, "CurrencyRef": {"value": "USD"}})) == (400, "6000")


def test_outside_the_us_the_code_of_a_line_brings_the_tax_on_purchases() -> None:
    with company("uk") as at:
        who, code = vendor(at), {"TaxCodeRef": at.code("20.0% S")}
        line = goods(item(at), 10, "42", detail=code)
        at.make("Bill", VendorRef=who, GlobalTaxCalculation="TaxExcluded", Line=[line])
        [row] = books.purchases(at.world, at.realm)
        journal = {one["account"]: one["debit"] - one["credit"] for one in row["journal"]}
        assert journal == {"Cost of Goods Sold": 420, "VAT Control": 84, "Accounts Payable (A/P)": -504}
        bare = {"VendorRef": who, "GlobalTaxCalculation": "TaxExcluded", "Line": [freight(at, "5")]}
        assert at.fault(at.post("bill", bare)) == (400, "6000")


def test_goods_on_an_inventory_item_go_into_stock_and_out_again(us: Company) -> None:
    what = item(us, Type="Inventory", TrackQtyOnHand=True, QtyOnHand=5, InvStartDate="2026-01-01",
                AssetAccountRef=us.account("Inventory Asset"), IncomeAccountRef=us.account("Hardware"))  # fmt: skip
    made = us.make("Bill", VendorRef=vendor(us), Line=[goods(what, 3, "42")])

    def on_hand() -> Any:
        return us.query(f"SELECT * FROM Item WHERE Id = '{what['value']}'")["Item"][0]["QtyOnHand"]

    assert on_hand() == 8
    assert books.purchases(us.world, us.realm)[0]["journal"][0]["account"] == "Inventory Asset"
    us.post("bill", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")
    assert on_hand() == 5


def test_a_paid_bill_shows_its_payment_and_cannot_be_deleted_until_that_is_void(us: Company) -> None:
    who = vendor(us)
    bill = us.make("Bill", VendorRef=who, Line=[freight(us, "100")])
    paid = us.make("BillPayment", VendorRef=who, TotalAmt=60, PayType="Check",
                   CheckPayment={"BankAccountRef": us.account("Checking")},
                   Line=[{"Amount": 60, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}])  # fmt: skip
    row = us.query(f"SELECT * FROM Bill WHERE Id = '{bill['Id']}'")["Bill"][0]
    assert (row["Balance"], row["LinkedTxn"]) == (40, [{"TxnId": paid["Id"], "TxnType": "BillPaymentCheck"}])
    delete = {"Id": bill["Id"], "SyncToken": row["SyncToken"]}
    assert us.fault(us.post("bill", delete, operation="delete")) == (400, "6000")
    assert us.post("billpayment", {"Id": paid["Id"], "SyncToken": "0"}, operation="void").status_code == 200
    token = us.query(f"SELECT * FROM Bill WHERE Id = '{bill['Id']}'")["Bill"][0]["SyncToken"]
    assert us.post("bill", {**delete, "SyncToken": token}, operation="delete").status_code == 200
    assert ledger.trial_balance(Realm(us.world, us.realm)) == [
        row for row in ledger.trial_balance(Realm(us.world, us.realm)) if row["name"] not in ("Checking", "Freight")
    ]


def test_changes_batches_and_pages_know_bills_and_orders(us: Company) -> None:
    who = vendor(us)
    made = order(us, who, freight(us, "5"))
    items = [{"bId": "1", "operation": "create", "Bill": {"VendorRef": who, "Line": [freight(us, "7")]}}]
    answer = jsonio.loads(us.post("batch", {"BatchItemRequest": items}, requestid="r").content)
    bill = answer["BatchItemResponse"][0]["Bill"]
    changed = jsonio.loads(
        us.get("cdc", entities="Bill,PurchaseOrder", changedSince="2026-11-01T00:00:00-08:00").content
    )
    parts = changed["CDCResponse"][0]["QueryResponse"]
    assert [parts[0]["Bill"][0]["Id"], parts[1]["PurchaseOrder"][0]["Id"]] == [bill["Id"], made["Id"]]
    for path in ("", f"/bill/{bill['Id']}", f"/purchaseorder/{made['Id']}"):
        page = us.http.get(f"{us.base}/books/{us.realm}{path}")
        assert page.status_code == 200 and "Parts Wholesale" in page.text
