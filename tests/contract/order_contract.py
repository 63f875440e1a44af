"""What every source that has purchase orders must keep. Subclasses say how the world is made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.errors import BadAnswer
from connectors.sources.base import Source
from domain.documents import SourceDocument, SourceHeader, Window
from domain.order_documents import ORDER, OrderStatus

NOW = datetime.now(UTC).replace(microsecond=0)
WINDOW = Window(since=NOW - timedelta(days=14))


class OrderBench(ABC):
    """A source and the hands of the people who order."""

    source: Source

    @abstractmethod
    def vendor(self, name: str) -> str: ...

    @abstractmethod
    def order(
        self,
        vendor: str,
        lines: Sequence[tuple[int, str]],
        *,
        status: OrderStatus = OrderStatus.SUBMITTED,
        age: timedelta = timedelta(),
        submitted: timedelta | None = None,
        external: str | None = None,
        freight: str | None = None,
        number: str | None = None,
    ) -> str:
        """Lines are (quantity, unit cost) of one product with a code. `number`: the vendor's invoice number."""
        ...

    @abstractmethod
    def receive(self, order: str, quantities: Sequence[int], number: str | None) -> None: ...

    @abstractmethod
    def cancel(self, order: str) -> None: ...


def found(source: Source, window: Window = WINDOW) -> list[SourceHeader]:
    return [header for page in source.headers(ORDER, window) for header in page]


def document(bench: OrderBench, id: str) -> SourceDocument:
    [[one]] = list(bench.source.documents(bench.source.headers_by_id(ORDER, [id])))
    return one


class OrderContract:
    """Subclasses provide the fixture `bench`."""

    def test_a_poll_finds_submitted_orders_without_a_mark_in_order_of_id(self, bench: OrderBench) -> None:
        vendor = bench.vendor("Parts")
        assert found(bench.source) == []
        ids = [bench.order(vendor, [(1, "10")]) for _ in range(2)]
        failed = bench.order(vendor, [(1, "10")], external="ERROR")
        bench.order(vendor, [(1, "10")], external="BILL-7")
        bench.order(vendor, [(1, "10")], age=timedelta(days=20))
        for status in (OrderStatus.NEW, OrderStatus.CANCELLED, OrderStatus.RECEIVED):
            bench.order(vendor, [(1, "10")], status=status)
        headers = found(bench.source)
        assert [header.id for header in headers] == [*ids, failed]
        assert {header.party_id for header in headers} == {vendor}

    def test_received_and_later_submitted_orders_are_found_where_they_are_asked_for(self, bench: OrderBench) -> None:
        vendor = bench.vendor("Parts")
        late = bench.order(vendor, [(1, "10")], age=timedelta(days=60), submitted=timedelta(days=1))
        arrived = [bench.order(vendor, [(1, "10")], status=status)
                   for status in (OrderStatus.PARTLY_RECEIVED, OrderStatus.RECEIVED)]  # fmt: skip
        window = Window(since=WINDOW.since, submitted_since=WINDOW.since)
        assert [header.id for header in found(bench.source, window)] == [late]
        window = Window(since=WINDOW.since, received=True)
        assert [header.id for header in found(bench.source, window)] == arrived

    def test_a_header_tells_state_dates_freight_and_numbers(self, bench: OrderBench) -> None:
        id = bench.order(bench.vendor("Parts"), [(1, "10")], age=timedelta(days=3), submitted=timedelta(days=1),
                         freight="15.00", number="V-1")  # fmt: skip
        [header] = bench.source.headers_by_id(ORDER, [id, "999999999"])
        head = header.order
        assert head is not None and header.kind == ORDER and header.number
        assert (head.status, head.external_number, head.vendor_invoice, head.freight) == (
            OrderStatus.SUBMITTED, None, "V-1", Decimal(15),
        )  # fmt: skip
        assert head.submitted_at == NOW - timedelta(days=1) and header.created_at == NOW - timedelta(days=3)
        assert [one.id for one in bench.source.headers_by_number(ORDER, header.number)] == [id]
        assert bench.source.headers_by_number(ORDER, "nothing") == []

    def test_lines_bring_exact_costs_products_and_what_was_received(self, bench: OrderBench) -> None:
        vendor = bench.vendor("Parts")
        id = bench.order(vendor, [(10, "42"), (3, "1.33333")])
        other = bench.order(vendor, [(1, "5")])
        lines = document(bench, id).lines
        assert [(line.quantity, line.rate, line.extended_price) for line in lines] == [
            (Decimal(10), Decimal(42), Decimal(420)), (Decimal(3), Decimal("1.33333"), Decimal("3.99999")),
        ]  # fmt: skip
        assert all(line.goods and line.goods.code and line.name and not line.goods.receipts for line in lines)
        bench.receive(id, [6, 0], "V-1")
        bench.receive(id, [4, 3], "V-2")
        bench.receive(id, [-1, 0], "V-2")
        first, second = (line.goods for line in document(bench, id).lines)
        assert first is not None and second is not None
        assert [(one.quantity, one.vendor_invoice) for one in first.receipts] == [(6, "V-1"), (4, "V-2"), (-1, "V-2")]
        assert (first.received, second.received) == (9, 3)
        status = bench.source.headers_by_id(ORDER, [id])[0].order
        assert status is not None and status.status is OrderStatus.PARTLY_RECEIVED
        assert document(bench, other).lines[0].goods == second.__class__(second.product_id, second.code)

    def test_an_order_without_lines_is_there_without_lines(self, bench: OrderBench) -> None:
        assert document(bench, bench.order(bench.vendor("Parts"), [])).lines == ()

    def test_the_mark_is_a_number_and_is_read_back_and_cleared(self, bench: OrderBench) -> None:
        id = bench.order(bench.vendor("Parts"), [(1, "10")])
        for _ in range(2):
            bench.source.mark_synced(ORDER, id, number="BILL-151", at=NOW)
        [mark] = bench.source.marks(ORDER, [id, "999999999"])
        assert (mark.id, mark.number, mark.failed) == (id, "BILL-151", False)
        assert found(bench.source) == []
        for _ in range(2):
            bench.source.clear_mark(ORDER, id)
        assert [one.number for one in bench.source.marks(ORDER, [id])] == [None]
        assert [header.id for header in found(bench.source)] == [id]

    def test_a_mark_without_a_number_is_a_mistake_and_one_of_nothing_is_refused(self, bench: OrderBench) -> None:
        id = bench.order(bench.vendor("Parts"), [(1, "10")])
        with pytest.raises(ValueError, match="number"):
            bench.source.mark_synced(ORDER, id, number=None, at=NOW)
        with pytest.raises(BadAnswer):
            bench.source.mark_synced(ORDER, "999999999", number="1", at=NOW)

    def test_the_word_for_failed_is_no_number_and_goes_away(self, bench: OrderBench) -> None:
        id = bench.order(bench.vendor("Parts"), [(1, "10")])
        bench.source.set_error(ORDER, id)
        assert [(one.number, one.failed) for one in bench.source.marks(ORDER, [id])] == [(None, True)]
        assert [header.id for header in found(bench.source)] == [id]
        bench.source.clear_error(ORDER, id, number=None)
        assert [(one.number, one.failed) for one in bench.source.marks(ORDER, [id])] == [(None, False)]
        bench.source.set_error(ORDER, id)
        bench.source.clear_error(ORDER, id, number="BILL-1")
        assert [(one.number, one.failed) for one in bench.source.marks(ORDER, [id])] == [("BILL-1", False)]

    def test_what_was_cancelled_lately_is_found_marked_or_not(self, bench: OrderBench) -> None:
        vendor = bench.vendor("Parts")
        ids = [bench.order(vendor, [(1, "10")], external=mark) for mark in (None, "BILL-1")]
        before = datetime.now(UTC) - timedelta(days=1)
        assert bench.source.voided(ORDER, before) == []
        for id in ids:
            bench.cancel(id)
        assert [one.id for one in bench.source.voided(ORDER, before)] == ids
        assert all(header.voided for header in bench.source.headers_by_id(ORDER, ids))
        assert found(bench.source) == []
