"""The judge of purchase orders: what the source holds, what the books hold; one ledger document each, to the cent?

It reads the sandbox's own records, never the app's database. A ledger document belongs to the order whose number
stands in its private note as a word. An order is *eligible* by the sandbox's own reading when it is submitted (with
`received`: received too), created in the window, has items and a total, and no planted problem that ought to stop it.
Amounts are net, in the vendor's currency.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox import ledgers
from sandbox.autotask import purchasing, todos
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import CENT, Row, parse_moment
from sandbox.seeds.order_problems import PLANTED
from sandbox.world import World

_OPEN = (purchasing.SUBMITTED,)
_RECEIVED = (purchasing.SUBMITTED, purchasing.PARTIAL, purchasing.FULL)
_FAILED = "ERROR"
_WORD = re.compile(r"[A-Za-z0-9-]+")


@dataclass
class Ordered:
    """One source order, with the outcome that the sandbox expects and what the books have of it."""

    id: int
    number: str
    net: Decimal
    currency: str
    external: str
    expected: str | None
    problem: str
    documents: list[dict[str, Any]] = field(default_factory=list)

    def words(self) -> str:
        """What is wrong with it; "" when nothing is."""
        bills = [one for one in self.documents if one["type"] == "Bill"]
        parts = [
            text
            for text, holds in (
                ("missing in the ledger", self.expected == "post" and not self.documents),
                ("in the ledger although it must not be", self.expected in ("fault", "out") and self.documents),
                ("in the ledger, its External P.O. Number is blank", self.documents and not self.external),
                ("marked, not in the ledger", self.external and self.expected == "post" and not self.documents),
                ("in the ledger more than once", len(bills) > 1 and not _parts(bills)),
            )
            if holds
        ]
        return "; ".join(parts)


def _parts(bills: list[dict[str, Any]]) -> bool:
    """Several bills of one order that bear different numbers are parts of it."""
    numbers = [one["DocNumber"] for one in bills]
    return None not in numbers and len(set(numbers)) == len(numbers)


def audit(
    world: World, ci: int, realm: str, *, window_start: date | None = None, received: bool = False
) -> dict[str, Any]:
    """The account of a run over orders as one JSON object; see README for each figure."""
    tenant = Tenant(world, ci)
    orders = read(tenant, window_start, received)
    stray = pair(world, realm, orders)
    documents = [one for order in orders for one in order.documents]
    wrong = {order.number: words for order in orders if (words := order.words())}
    return {
        "orders": len(orders),
        "eligible": sum(1 for order in orders if order.expected == "post"),
        "bills": sum(1 for one in documents if one["type"] == "Bill"),
        "purchase_orders": sum(1 for one in documents if one["type"] == "PurchaseOrder"),
        "posted": sum(1 for order in orders if order.documents),
        "missing": sum(1 for order in orders if order.expected == "post" and not order.documents),
        "duplicates": sum(1 for order in orders if "more than once" in order.words()),
        "unmarked": sum(1 for order in orders if order.documents and not order.external),
        "stopped": dict(sorted(Counter(o.problem for o in orders if o.problem and not o.documents).items())),
        "strays": [one["id"] for one in stray],
        "wrong": wrong,
        "totals": _totals(orders),
        "todos": todos.account(tenant),
    }


def read(tenant: Tenant, window_start: date | None, received: bool) -> list[Ordered]:
    """The orders that count: created in the window, not planted to be left alone."""
    zone = ZoneInfo(tenant.zone_name)
    planted = (
        {row["id"]: row for row in tenant.rows(PLANTED)} if tenant.world.store.count(tenant.space, PLANTED) else {}
    )
    found = []
    for row in tenant.rows("PurchaseOrders"):
        created = parse_moment(row["createDateTime"]).astimezone(zone).date()
        problem = planted.get(row["id"], {})
        if problem.get("outcome") == "out" or (window_start is not None and created < window_start):
            continue
        external = str(row.get("externalPONumber") or "")
        found.append(
            Ordered(
                row["id"],
                row["purchaseOrderNumber"],
                _net(tenant, row),
                purchasing.currency_of(tenant, row),
                "" if external == _FAILED else external,
                _expected(tenant, row, problem, received),
                problem.get("problem", ""),
            )
        )
    return found


def _net(tenant: Tenant, row: Row) -> Decimal:
    """Each item at its cost half-up to the cent, and the freight."""
    items = tenant.rows("PurchaseOrderItems", orderID=row["id"])
    goods = [(Decimal(one["quantity"]) * one["unitCost"]).quantize(CENT, ROUND_HALF_UP) for one in items]
    return sum(goods, row.get("freight") or Decimal(0))


def _expected(tenant: Tenant, row: Row, problem: Row, received: bool) -> str | None:
    """`post`, `fault`, or None where it depends on a setting or a person."""
    if problem.get("outcome", "post") != "post":
        return "fault" if problem["outcome"] == "fault" else None
    if purchasing.status_of(tenant, row) not in (_RECEIVED if received else _OPEN):
        return None
    return "post" if _net(tenant, row) else None


def pair(world: World, realm: str, orders: list[Ordered]) -> list[dict[str, Any]]:
    """Give each live document that came through the API to its order. Rest: strays."""
    kind = ledgers.kind_of(world, realm)
    created = {
        (effect["kind"], effect["id"])
        for row in world.journal.rows(kind.platform, realm)
        for effect in row["effects"]
        if effect["action"] == "create"
    }
    by_number = {order.number.casefold(): order for order in orders}
    stray = []
    for document in kind.books.purchases(world, realm):
        names = {(document["type"], document["id"]), ("Invoice", document["id"])}  # Xero keeps bills among its invoices
        if not document["live"] or created.isdisjoint(names):
            continue
        words = _WORD.findall(str(document["PrivateNote"] or ""))
        order = next((found for word in words if (found := by_number.get(word.casefold()))), None)
        if order is None:
            stray.append(document)
        else:
            order.documents.append(document)
    return stray


def _totals(orders: list[Ordered]) -> dict[str, dict[str, Decimal]]:
    """Per currency: net of the orders that ought to be in the books (or may, and are), net of their documents; beside
    bills the order in the ledger does not count."""
    sums: dict[str, dict[str, Decimal]] = {}
    zero = Decimal("0.00")
    for order in orders:
        if order.expected == "post" or (order.expected is None and order.documents):
            entry = sums.setdefault(order.currency, {"expected": zero, "posted": zero})
            entry["expected"] += order.net
        bills = [one for one in order.documents if one["type"] == "Bill"]
        for document in bills or order.documents:
            entry = sums.setdefault(document["currency"], {"expected": zero, "posted": zero})
            entry["posted"] += document["net"]
    return sums
