"""What can be wrong with a purchase order, planted order by order, and how a person mends it on either platform.

Each is recorded as `PlantedOrder` with the outcome a careful product should reach: `post`, `fault`, `ask` (depends
on a setting or a person), `skip` or `out` (must not be looked at). Those with a `cure` become sound orders by it. The
audit of orders reads them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.autotask import purchasing
from sandbox.autotask.tenants import Tenant
from sandbox.seeds.ledger import Books

if TYPE_CHECKING:
    from sandbox.seeds.orders import Buyer

PLANTED = "PlantedOrder"
Mend = dict[str, Any]
Planted = tuple[int, Mend]
Build = Callable[["Buyer", int], Planted]
CLOSED_DAYS_AGO = 9  # before every sound order, inside the window of 14 days


@dataclass(frozen=True)
class Problem:
    """`build` plants it (its second argument counts up) and gives the order with what mending needs."""

    name: str
    outcome: str
    build: Build


def _vendor_inactive(b: "Buyer", n: int) -> Planted:
    name = f"Retired Supplies {n}"
    return b.order(vendor=b.vendor(name)), _books("Vendor", b.books.vendor(name, active=False), Active=True)


def _vendor_currency(b: "Buyer", n: int) -> Planted:
    name = f"Overseas Goods {n}"
    vendor = b.vendor(name)
    b.books.vendor(name, "EUR")
    return b.order(vendor=vendor), _source("Companies", vendor, currencyID=b.provider.laid.currencies["EUR"])


def _vendor_missing(b: "Buyer", n: int) -> Planted:
    return (id := b.order(vendor=900000 + n)), _source("PurchaseOrders", id, vendorID=b.vendors[0])


def _vendor_similar(b: "Buyer", n: int) -> Planted:
    vendor = b.vendor(f"Rowanfield Trading {n} Ltd")
    b.books.vendor(f"Rowanfield Trading {n} Limited")
    return b.order(vendor=vendor), _source("Companies", vendor, companyName=f"Rowanfield Trading {n} Limited")


def _not_purchasable(b: "Buyer", n: int) -> Planted:
    name = f"Sold only {n}"
    item = b.books.item(name, f"SO-{n}", "Hardware")
    order = b.order(b.line(b.product(name, f"SO-{n}", "12.00")))
    return order, _books("Item", item, ExpenseAccountRef=b.books.expense)


def _item_inactive(b: "Buyer", n: int) -> Planted:
    name = f"Old stock {n}"
    item = b.books.purchasable(name, f"OS-{n}", active=False)
    return b.order(b.line(b.product(name, f"OS-{n}", "8.00"))), _books("Item", item, Active=True)


def _item_category(b: "Buyer", n: int) -> Planted:
    name = f"Cabling works {n}"
    b.books.category(name)
    product = b.product(name, None, "20.00")
    return b.order(b.line(product)), _source("Products", product, name=f"Cabling works {n}, material")


def _no_product(b: "Buyer", n: int) -> Planted:
    id = b.order({"productID": None, "quantity": 3, "unitCost": "9.00"})
    [item] = b.tenant.rows("PurchaseOrderItems", orderID=id)
    return id, _source("PurchaseOrderItems", item["id"], productID=b.products[0])


def _quantity_zero(b: "Buyer", n: int) -> Planted:
    id = b.order(b.line(quantity=0))
    [item] = b.tenant.rows("PurchaseOrderItems", orderID=id)
    return id, _source("PurchaseOrderItems", item["id"], quantity=2)


def _zero_beside_goods(b: "Buyer", n: int) -> Planted:
    return b.order(b.line(quantity=0), b.line()), {}


def _quantity_negative(b: "Buyer", n: int) -> Planted:
    return b.order(b.line(b.products[0], -2), b.line(b.products[0], 9)), {}


def _typed_in(b: "Buyer", n: int) -> Planted:
    number, id = f"HAND-{n}", b.order(vendor=b.vendors[0], vendorInvoiceNumber=f"HAND-{n}")
    return id, {"delete": b.books.bill(_name(b, 0), number, Decimal("12.34"))}


def _same_amount(b: "Buyer", n: int) -> Planted:
    id = b.order(vendor=b.vendors[1])
    total = purchasing.total(b.tenant, purchasing.existing(b.tenant, id))
    return id, {"delete": b.books.bill(_name(b, 1), f"OTHER-{n}", total)}


def _long_number(b: "Buyer", n: int) -> Planted:
    id = b.order(vendorInvoiceNumber=f"VENDOR-INVOICE-NUMBER-{n}-OF-2026")
    return id, _source("PurchaseOrders", id, vendorInvoiceNumber=f"LONG-{n}")


def _number_twice(b: "Buyer", n: int) -> Planted:
    first = b.order(vendor=b.vendors[2], vendorInvoiceNumber=f"TWICE-{n}")
    second = b.order(vendor=b.vendors[2], vendorInvoiceNumber=f"TWICE-{n}")
    return second, _source("PurchaseOrders", second, vendorInvoiceNumber=f"TWICE-{n}b") | {"beside": first}


def _closed_period(b: "Buyer", n: int) -> Planted:
    return b.order(days_ago=CLOSED_DAYS_AGO + 2), {"open_books": True}


def _customer_similar(b: "Buyer", n: int) -> Planted:
    from sandbox.seeds.msp import company

    b.books.customer(f"Sycamore Dental {n} Limited")
    return b.order(purchaseForCompanyID=company(b.provider, f"Sycamore Dental {n} Ltd", place=700 + n)), {}


def _vendor_is_customer(b: "Buyer", n: int) -> Planted:
    name = f"Both Ways Media {n}"
    b.books.customer(name)
    return b.order(vendor=b.vendor(name)), {}


def _vendor_inactive_in_source(b: "Buyer", n: int) -> Planted:
    vendor = b.vendor(f"Closed Down {n}", isActive=False)
    return b.order(vendor=vendor), _source("Companies", vendor, isActive=True)


def _product_without_code(b: "Buyer", n: int) -> Planted:
    return b.order(b.line(b.product(f"Unlabelled part {n}", None, "6.00"))), {}


def _five_decimals(b: "Buyer", n: int) -> Planted:
    return b.order(b.line(quantity=7, unitCost="1.33333"), b.line()), {}


def _many_lines(b: "Buyer", n: int) -> Planted:
    return b.order(*(b.line(quantity=1) for _ in range(300))), {}


def _no_items(b: "Buyer", n: int) -> Planted:
    id = b.order()
    for item in b.tenant.rows("PurchaseOrderItems", orderID=id):
        b.tenant.world.store.delete(b.tenant.space, "PurchaseOrderItems", item["id"])
    return id, {}


def _costs_nothing(b: "Buyer", n: int) -> Planted:
    return b.order(b.line(unitCost="0")), {}


def _error_mark(b: "Buyer", n: int) -> Planted:
    return b.order(externalPONumber="ERROR"), {}


def _unknown_terms(b: "Buyer", n: int) -> Planted:
    term = b.tenant.add("PaymentTerms", {"name": f"Net 4{n}", "paymentDueInDays": 40 + n, "isActive": True})
    return b.order(paymentTerm=term), {}


def _new(b: "Buyer", n: int) -> Planted:
    return b.order(status="New"), {}


def _cancelled(b: "Buyer", n: int) -> Planted:
    id = b.order()
    purchasing.cancel(b.tenant, id)
    return id, {}


def _received(b: "Buyer", n: int) -> Planted:
    id = b.order()
    purchasing.receive(b.tenant, id)
    return id, {}


def _old(b: "Buyer", n: int) -> Planted:
    return b.order(days_ago=60), {}


def _submitted_later(b: "Buyer", n: int) -> Planted:
    return b.order(days_ago=60, submitted=b.provider.moment(1)), {}


def _marked(b: "Buyer", n: int) -> Planted:
    return b.order(externalPONumber=f"20{n}"), {}


def _name(b: "Buyer", place: int) -> str:
    return str((b.tenant.row("Companies", b.vendors[place]) or {})["companyName"])


def _source(entity: str, id: int, **changes: Any) -> Mend:
    return {"source": {"entity": entity, "id": id, "changes": changes}}


def _books(kind: str, id: str, **changes: Any) -> Mend:
    return {"books": {"kind": kind, "id": id, "changes": changes}}


# Those with a cure come first: `problems` orders are planted from the top, round and round.
PROBLEMS: tuple[Problem, ...] = (
    Problem("vendor inactive in the ledger", "fault", _vendor_inactive),
    Problem("vendor missing in the source", "fault", _vendor_missing),
    Problem("similar vendor name", "fault", _vendor_similar),
    Problem("not a purchasable item", "fault", _not_purchasable),
    Problem("inactive item", "fault", _item_inactive),
    Problem("item that is a category", "fault", _item_category),
    Problem("line without a product", "fault", _no_product),
    Problem("nothing but quantity zero", "fault", _quantity_zero),
    Problem("bill typed in by hand", "fault", _typed_in),
    Problem("bill of the same amount", "fault", _same_amount),
    Problem("number over the ledger's limit", "fault", _long_number),
    Problem("one vendor invoice number on two orders", "fault", _number_twice),
    Problem("closed period", "fault", _closed_period),
    Problem("vendor in another currency", "fault", _vendor_currency),
)
FURTHER: tuple[Problem, ...] = (
    Problem("vendor that is a customer", "ask", _vendor_is_customer),
    Problem("similar customer name", "ask", _customer_similar),
    Problem("negative quantity beside others", "ask", _quantity_negative),
    Problem("quantity zero beside others", "ask", _zero_beside_goods),
    Problem("vendor inactive in the source", "ask", _vendor_inactive_in_source),
    Problem("product without a code", "ask", _product_without_code),
    Problem("cost with five decimals", "post", _five_decimals),
    Problem("300 lines", "post", _many_lines),
    Problem("no items", "ask", _no_items),
    Problem("total zero", "ask", _costs_nothing),
    Problem("external number ERROR", "ask", _error_mark),
    Problem("terms the ledger lacks", "ask", _unknown_terms),
    Problem("not submitted", "out", _new),
    Problem("cancelled", "out", _cancelled),
    Problem("received before it was read", "ask", _received),
    Problem("older than the window", "out", _old),
    Problem("submitted inside the window, created before it", "ask", _submitted_later),
    Problem("marked by another tool", "out", _marked),
)


def plant(buyer: "Buyer", wanted: int, *, further: bool = False) -> list[dict[str, Any]]:
    """Plant `wanted` orders over the curable problems in turn, and one of each further one when asked."""
    outcomes = buyer.books.outcomes
    usable = [one for one in PROBLEMS if one.build is not _vendor_currency or "EUR" in buyer.provider.laid.currencies]
    usable = [one for one in usable if outcomes.get(one.name, one.outcome) == "fault"]
    cases = [(usable[n % len(usable)], n // len(usable)) for n in range(wanted)]
    cases += [(one, 0) for one in FURTHER] if further else []
    planted = []
    for problem, count in cases:
        id, mend = problem.build(buyer, count + 1)
        body = {"id": id, "problem": problem.name, "outcome": problem.outcome, "mend": mend}
        buyer.tenant.world.store.put(buyer.tenant.space, PLANTED, id, body)
        planted.append(body)
    if any(one["problem"] == "closed period" for one in planted):
        closed = buyer.provider.moment(CLOSED_DAYS_AGO).date()
        buyer.books.close_books(closed.isoformat())
    return planted


def cure(tenant: Tenant, books: Books, problems: list[str] | None = None) -> list[int]:
    """Mend what was planted (of these problems, or all), as a person would; gives the orders that are sound now."""
    cured = []
    for row in tenant.rows(PLANTED):
        if not row["mend"] or (problems is not None and row["problem"] not in problems):
            continue
        _mend(tenant, books, row["mend"])
        tenant.world.store.put(tenant.space, PLANTED, row["id"], {**row, "outcome": "post", "mend": {}})
        cured.append(int(row["id"]))
    return cured


def _mend(tenant: Tenant, books: Books, mend: Mapping[str, Any]) -> None:
    if "source" in mend:
        purchasing.change(tenant, **mend["source"])
    if "books" in mend:
        books.change(**mend["books"])
    if "delete" in mend:
        books.delete("Bill", mend["delete"])
    if mend.get("open_books"):
        books.close_books(None)
