"""The contract of purchase orders on the memory fake and on Autotask (over HTTP, on the sandbox)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from connectors.errors import NotAllowed
from connectors.sources.memory import MemorySource
from domain.documents import Party, SourceDocument, SourceHeader, SourceLine, Window
from domain.order_documents import ORDER, Goods, OrderHead, OrderStatus, Receipt
from sandbox.autotask import purchasing
from sandbox.autotask.tenants import set_switches
from sandbox.server import World
from tests.connectors.autotask_bench import AutotaskTenant, utc_now
from tests.contract.order_contract import NOW, WINDOW, OrderBench, OrderContract, document, found


class MemoryOrders(OrderBench):
    def __init__(self) -> None:
        self.source: MemorySource = MemorySource()
        self._next = 100

    def vendor(self, name: str) -> str:
        self._next += 1
        self.source.put_party(Party(str(self._next), name))
        self.source.vendor_ids.add(str(self._next))
        return str(self._next)

    def order(
        self, vendor: str, lines: Sequence[tuple[int, str]], *, status: OrderStatus = OrderStatus.SUBMITTED,
        age: timedelta = timedelta(), submitted: timedelta | None = None, external: str | None = None,
        freight: str | None = None, number: str | None = None,
    ) -> str:  # fmt: skip
        self._next += 1
        id, created = str(self._next), NOW - age
        at = created if submitted is None else NOW - submitted
        head = OrderHead(status, external, at, vendor_invoice=number, freight=Decimal(freight or 0))
        header = SourceHeader(ORDER, id, f"PO{id}", vendor, at.date(), created, None, Decimal(0), Decimal(0),
                              voided=status is OrderStatus.CANCELLED, order=head)  # fmt: skip
        self.source.put(SourceDocument(header, tuple(
            SourceLine(f"{id}{place}", "", "Switch", "Switch, boxed", Decimal(quantity), Decimal(cost),
                       quantity * Decimal(cost), Decimal(0), None, goods=Goods("7", "SW-24"))
            for place, (quantity, cost) in enumerate(lines)
        )))  # fmt: skip
        return id

    def receive(self, order: str, quantities: Sequence[int], number: str | None) -> None:
        held = self.source.contents[order]
        lines = []
        for line, quantity in zip(held.lines, quantities, strict=True):
            self._next += 1
            more = (Receipt(str(self._next), Decimal(quantity), NOW.date(), number),) if quantity else ()
            assert line.goods is not None
            lines.append(replace(line, goods=replace(line.goods, receipts=line.goods.receipts + more)))
        assert held.header.order is not None
        full = all(line.goods and line.goods.received >= line.quantity for line in lines)
        status = OrderStatus.RECEIVED if full else OrderStatus.PARTLY_RECEIVED
        header = replace(held.header, order=replace(held.header.order, status=status))
        self.source.put(SourceDocument(header, tuple(lines)))

    def cancel(self, order: str) -> None:
        self.source.void(order, utc_now())


class AutotaskOrders(OrderBench):
    def __init__(self, world: World, base: str) -> None:
        self.at = AutotaskTenant(world, base, inventory=True)
        self.source = self.at.source()
        self.at.tenant.add("InventoryLocations", {"locationName": "Store", "isActive": True})
        product = {"name": "Switch", "description": "Switch, boxed", "sku": "SW-24", "isActive": True}
        self.product = self.at.tenant.add("Products", product)

    def vendor(self, name: str) -> str:
        return self.at.company(name, companyType=self.at.tenant.pick("companyType", "Vendor"))

    def order(
        self, vendor: str, lines: Sequence[tuple[int, str]], *, status: OrderStatus = OrderStatus.SUBMITTED,
        age: timedelta = timedelta(), submitted: timedelta | None = None, external: str | None = None,
        freight: str | None = None, number: str | None = None,
    ) -> str:  # fmt: skip
        rows = [{"productID": self.product, "quantity": quantity, "unitCost": cost} for quantity, cost in lines]
        sent: datetime | None = None if submitted is None else NOW - submitted
        with self.at.world.store.transaction():
            return str(purchasing.order(
                self.at.tenant, int(vendor), rows, status=status.value, at=NOW - age, submitted=sent, freight=freight,
                externalPONumber=external, vendorInvoiceNumber=number,
            ))  # fmt: skip

    def receive(self, order: str, quantities: Sequence[int], number: str | None) -> None:
        with self.at.world.store.transaction():
            purchasing.receive(self.at.tenant, int(order), quantities, number=number)

    def cancel(self, order: str) -> None:
        with self.at.world.store.transaction():
            purchasing.cancel(self.at.tenant, int(order))


class TestMemoryOrders(OrderContract):
    @pytest.fixture
    def bench(self) -> OrderBench:
        return MemoryOrders()


class TestAutotaskOrders(OrderContract):
    @pytest.fixture
    def bench(self, sandbox_world: World, sandbox: str) -> OrderBench:
        return AutotaskOrders(sandbox_world, sandbox)

    def test_an_idle_poll_is_one_call_and_reading_orders_takes_few(self, bench: AutotaskOrders) -> None:
        bench.source.check()
        calls = bench.at.calls
        calls.clear()
        assert found(bench.source) == [] and len(calls) == 1
        vendor = bench.vendor("Parts")
        for _ in range(3):
            bench.order(vendor, [(2, "10"), (1, "5")])
        calls.clear()
        headers = found(bench.source)
        assert [len(one.lines) for page in bench.source.documents(headers) for one in page] == [2, 2, 2]
        assert len(calls) == 4  # orders, the labels of their states, items, products; nothing was received

    @pytest.mark.parametrize("blank", ["null", "empty"])
    def test_blank_texts_may_be_null_or_empty(self, bench: AutotaskOrders, blank: str) -> None:
        set_switches(bench.at.tenant, {"blank_strings": blank})
        id = bench.order(bench.vendor("Parts"), [(1, "10")])
        bench.source.mark_synced(ORDER, id, number="7", at=NOW)
        bench.source.clear_mark(ORDER, id)
        [header] = found(bench.source)
        assert header.order is not None and header.order.external_number is None

    def test_older_databases_know_no_invoice_number_of_a_receipt(self, bench: AutotaskOrders) -> None:
        id = bench.order(bench.vendor("Parts"), [(2, "10")], number="V-9")
        bench.receive(id, [2], None)
        set_switches(bench.at.tenant, {"receipt_invoice_numbers": False})
        one = document(bench, id)
        assert one.header.order is not None and one.header.order.vendor_invoice == "V-9"
        assert [receipt.vendor_invoice for line in one.lines if line.goods for receipt in line.goods.receipts] == [None]

    @pytest.mark.parametrize(
        ("switches", "step"),
        [({"inventory": False}, "headers"), ({"orders_patch": False}, "mark"), ({"costs_visible": False}, "documents")],
    )
    def test_a_missing_module_or_right_says_so(
        self, bench: AutotaskOrders, switches: dict[str, object], step: str
    ) -> None:
        id = bench.order(bench.vendor("Parts"), [(1, "10")])
        headers = found(bench.source)
        set_switches(bench.at.tenant, switches)
        with pytest.raises(NotAllowed):
            if step == "headers":
                list(bench.source.headers(ORDER, Window(WINDOW.since)))
            elif step == "mark":
                bench.source.mark_synced(ORDER, id, number="7", at=NOW)
            else:
                list(bench.source.documents(headers))
        check = bench.source.check()
        assert check.has_purchase_orders is (step != "headers")
        assert any("not mark them" in note for note in check.notes) is (step == "mark")

    def test_a_vendor_tells_its_currency_where_there_are_several(self, sandbox_world: World, sandbox: str) -> None:
        at = AutotaskTenant(sandbox_world, sandbox, inventory=True, multi_currency=True)
        id = at.company("Parts", companyType=at.tenant.pick("companyType", "Vendor"),
                        currencyID=at.laid.currencies["EUR"])  # fmt: skip
        assert [one.currency for one in at.source().parties([id])] == ["EUR"]
