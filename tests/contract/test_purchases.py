"""The contract for purchases on the memory fake, on QuickBooks and on Xero (both over HTTP, on the sandbox)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.ledgers.base import Kind
from connectors.ledgers.memory_purchases import open_quantities
from sandbox.qbo import books
from sandbox.qbo.realm import Realm
from sandbox.qbo.writes import entity_named, perform
from sandbox.server import World
from sandbox.xero import books as xero_books
from sandbox.xero import payments
from sandbox.xero.elements import Call
from tests.contract.purchase_contract import PurchaseBench, PurchaseContract
from tests.contract.test_ledger import MemoryBench, QuickBooksBench, XeroBench


class MemoryPurchases(MemoryBench, PurchaseBench):
    def __init__(self) -> None:
        super().__init__()
        self.expense = self.company.add(Kind.ACCOUNT, "Cost", type="Cost of Goods Sold").id
        self.payable = self.company.add(Kind.ACCOUNT, "Accounts Payable", type="Accounts Payable").id

    def bought(self, kind: Kind) -> list[tuple[str | None, Decimal]]:
        return [(one.number, one.total or Decimal(0)) for one in self.company.documents() if one.kind is kind]

    def order_closed(self, ledger_id: str) -> bool:
        order = next(one for one in self.company.entries if one.id == ledger_id)
        return not any(open_quantities(order, self.company.entries))

    def pay_bill(self, ledger_id: str, amount: str) -> None:
        self.company.pay(ledger_id, amount)

    def without_orders(self) -> bool:
        self.company.purchase_orders = False
        return True


class QuickBooksPurchases(QuickBooksBench, PurchaseBench):
    def __init__(self, world: World, base: str) -> None:
        super().__init__(world, base)
        by_type = {one.details["type"]: one.id for one in self.ledger.lists([Kind.ACCOUNT]).records}
        self.expense, self.payable = by_type["Cost of Goods Sold"], by_type["Accounts Payable"]
        self.bank = by_type["Bank"]

    def bought(self, kind: Kind) -> list[tuple[str | None, Decimal]]:
        rows = books.purchases(self.at.world, self.at.realm)
        entity = kind.value.replace("_", "")
        return [(row["DocNumber"], row["net"]) for row in rows if row["live"] and row["type"].lower() == entity]

    def order_closed(self, ledger_id: str) -> bool:
        rows = books.purchases(self.at.world, self.at.realm)
        return next(row for row in rows if row["id"] == ledger_id)["status"] == "Closed"

    def pay_bill(self, ledger_id: str, amount: str) -> None:
        realm = Realm(self.at.world, self.at.realm)
        record = realm.record("Bill", ledger_id)
        assert record is not None
        body = {
            "VendorRef": record["entity"]["VendorRef"], "TotalAmt": Decimal(amount), "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": self.bank}},
            "Line": [{"Amount": Decimal(amount), "LinkedTxn": [{"TxnId": ledger_id, "TxnType": "Bill"}]}],
        }  # fmt: skip
        perform(realm, entity_named("BillPayment"), "create", body)

    def without_orders(self) -> bool:
        realm = Realm(self.at.world, self.at.realm)
        sku = "QuickBooks Online Essentials"
        realm.store.kv_set(realm.space, "settings", {**realm.settings, "sku": sku})
        info = realm.record("CompanyInfo", "1")
        assert info is not None
        realm.replace(info, {**info["entity"], "NameValue": [{"Name": "OfferingSku", "Value": sku}]}, {})
        return True


class XeroPurchases(XeroBench, PurchaseBench):
    payable = ""

    def __init__(self, world: World, base: str) -> None:
        super().__init__(world, base)
        accounts = self.ledger.lists([Kind.ACCOUNT]).records
        self.expense = next(one.id for one in accounts if one.details["type"] == "Cost of Goods Sold")

    def bought(self, kind: Kind) -> list[tuple[str | None, Decimal]]:
        rows = xero_books.purchases(self.at.world, self.at.tenant)
        entity = kind.value.replace("_", "")
        return [(row["DocNumber"], row["net"]) for row in rows if row["live"] and row["type"].lower() == entity]

    def order_closed(self, ledger_id: str) -> bool:
        record = self.at.org.record("PurchaseOrder", ledger_id)
        assert record is not None
        return bool(record["entity"]["Status"] == "BILLED")

    def pay_bill(self, ledger_id: str, amount: str) -> None:
        sent = {"Invoice": {"InvoiceID": ledger_id}, "Account": {"Code": "090"}, "Amount": Decimal(amount)}
        payments.write(Call(self.at.org, "PUT", {}), sent)

    def without_orders(self) -> bool:
        return False


class TestMemoryPurchases(PurchaseContract):
    @pytest.fixture
    def bench(self) -> PurchaseBench:
        return MemoryPurchases()


class TestQuickBooksPurchases(PurchaseContract):
    @pytest.fixture
    def bench(self, sandbox_world: World, sandbox: str) -> PurchaseBench:
        return QuickBooksPurchases(sandbox_world, sandbox)


class TestXeroPurchases(PurchaseContract):
    @pytest.fixture
    def bench(self, sandbox_world: World, sandbox: str) -> PurchaseBench:
        return XeroPurchases(sandbox_world, sandbox)
