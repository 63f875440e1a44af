"""What a simulated company buys: settings, vendors, orders, what is received of them, and what must become of each.

An order is one `Wanted`; each vendor invoice number it is received under is another one. Totals there are those of the
goods: on which bill the freight stands depends on which was reserved first, so it is judged over the whole order.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind
from connectors.ledgers.memory import Entry
from domain.documents import Party, SourceDocument, SourceHeader, SourceLine
from domain.order_documents import ORDER, Goods, OrderHead, OrderStatus, Receipt
from domain.order_parts import fully_received, parts_of
from domain.order_settings import Becomes, Freight, OrderNumbers, OrderSettings, VendorNumber
from domain.settings import ClosedPeriod, InitialStatus, MissingItem
from sync import settings
from tests.simulation.kernel import START, Kernel
from tests.simulation.world import BY_HAND, PARTY_NAMES, TODO_ACTION, TODO_PERSON, Purchases, Tenant, Wanted

VENDORS = ("Northwind Supplies", "Granite Wholesale", "Cobalt Parts")
VENDOR_NAMES = {str(300 + index): name for index, name in enumerate(VENDORS)}
BOTH = {id: PARTY_NAMES[id] for id in ("176", "178")}
"""Customers of whom is bought, too, where a customer and a vendor of one name are one record."""
ORDERED_ON, RECEIVED_ON = date(2026, 11, 12), date(2026, 11, 16)
FIRST_ID = 5000
MARKED_BY_BILLS = (Becomes.ON_RECEIPT, Becomes.ORDER_AND_BILLS)


def furnish(db: Session, tenant: Tenant, rng: random.Random, most: int) -> None:
    """Settings, vendors and orders; some orders are submitted later."""
    books = tenant.books
    ids = {
        name: books.add(Kind.ACCOUNT, name, type=kind).id for name, kind in (
            ("Payable", "Accounts Payable"), ("Purchases", "Cost of Goods Sold"), ("Freight", "Cost of Goods Sold"),
        )
    }  # fmt: skip
    tenant.purchases = Purchases(rng.choice(tuple(Becomes)), ids["Freight"], rng.choice(tuple(Freight)))
    numbers = rng.choice(tuple(OrderNumbers)) if books.either_numbers else OrderNumbers.LEDGER
    tenant.purchases.numbered = numbers is OrderNumbers.SOURCE
    chosen = OrderSettings(
        days=30, active=rng.random() < 0.6, becomes=tenant.purchases.becomes,
        numbers=numbers,
        bill_number=rng.choice(tuple(VendorNumber)), payable=ids["Payable"], freight_account=ids["Freight"],
        created_item_account=ids["Purchases"], missing_item=MissingItem.CREATE, freight=tenant.purchases.freight,
        closed_period=ClosedPeriod.OPEN_DAY if tenant.closes else ClosedPeriod.STOP,
        tax_code=tenant.untaxed, error_todos=rng.random() < 0.4, todo_action_type=TODO_ACTION,
        todo_resource=TODO_PERSON, todo_per_order=rng.random() < 0.5, mark_errors=rng.random() < 0.5,
        initial_status=rng.choice(tuple(InitialStatus)),
    )  # fmt: skip
    settings.save_orders(db, tenant.company_id, chosen, now=START, user=None)
    tenant.source.has_orders = True
    for id, name in _vendors(tenant).items():
        if id not in tenant.source.companies:
            tenant.source.put_party(Party(id, name))
        tenant.source.vendor_ids.add(id)
        if rng.random() < 0.5:
            books.add(Kind.VENDOR, name)
    for n in range(1, max(2, min(most, rng.choice((4, 10, 24)))) + 1):
        document = _order(str(FIRST_ID + n), tenant, rng)
        (tenant.later.append if rng.random() < 0.4 else tenant.source.put)(document)


def _vendors(tenant: Tenant) -> dict[str, str]:
    """Names by the source's ids."""
    return VENDOR_NAMES if tenant.dialect.one_name_list else VENDOR_NAMES | BOTH


def _order(id: str, tenant: Tenant, rng: random.Random) -> SourceDocument:
    draw = rng.random()
    count = rng.choice((1, 1, 2, 3))
    lines = tuple(
        _line(f"{id}-{n}", rng.randrange(1, 12), Decimal(rng.randrange(100, 9_000_000)) / 100) for n in range(count)
    )
    freight = Decimal(rng.randrange(500, 9000)) / 100 if rng.random() < 0.4 else Decimal(0)
    head = OrderHead(
        OrderStatus.SUBMITTED, None, submitted_at=START, freight=freight,
        vendor_invoice=f"INV-{id}" if rng.random() < 0.3 else None,
    )  # fmt: skip
    header = SourceHeader(
        kind=ORDER, id=id, number=f"PO-{id}", party_id=None if draw < 0.06 else rng.choice(tuple(_vendors(tenant))),
        document_date=ORDERED_ON, created_at=START, due_date=None, total=Decimal(0), tax_total=Decimal(0), order=head,
    )  # fmt: skip
    document = SourceDocument(header, lines)
    if draw < 0.12:
        document = replace(document, lines=())
    whole = tenant.purchases_of().becomes is not Becomes.ON_RECEIPT
    healthy = draw >= 0.12
    tenant.want(Wanted(
        id, healthy and whole, [goods(lines)], why="order" if healthy else "names no vendor, or nothing",
        party=_vendors(tenant).get(header.party_id or "", ""), kind=ORDER,
    ))  # fmt: skip
    if healthy and 0.12 <= draw < 0.2 and head.vendor_invoice and tenant.purchases_of().becomes is Becomes.BILL:
        _typed_in(tenant, document, head.vendor_invoice)
    made = tenant.purchases_of()
    if healthy and draw < 0.25 and made.becomes is Becomes.ORDER and made.numbered:
        _numbered_by_hand(tenant, document)
    if healthy and tenant.purchases_of().becomes in MARKED_BY_BILLS:
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            document = received(tenant, document, rng)
    return document


def _line(id: str, quantity: int, cost: Decimal) -> SourceLine:
    name = f"Part {int(id.partition('-')[2]) + 1}"
    return SourceLine(
        id=id, line_type="Product", name=name, text=f"item {id}", quantity=Decimal(quantity), rate=cost,
        extended_price=quantity * cost, tax=Decimal(0), code_id=None, goods=Goods(f"P{name}", name.replace(" ", "-")),
    )  # fmt: skip


def goods(lines: tuple[SourceLine, ...]) -> Decimal:
    return sum(((line.quantity * line.rate).quantize(Decimal("0.01")) for line in lines), Decimal(0))


def _typed_in(tenant: Tenant, document: SourceDocument, number: str) -> None:
    """Somebody typed the vendor's bill into the ledger: a person decides, so nothing is posted by itself."""
    books, wanted = tenant.books, tenant.wanted[document.header.id]
    vendor = next((one.id for one in books.entries if one.kind is Kind.VENDOR and one.body["name"] == wanted.party), "")
    entry = books._store(Kind.BILL, {
        "party": vendor or books.add(Kind.VENDOR, wanted.party).id, "number": number.lower(), "date": "2026-11-01",
        "currency": "USD", "tax": Decimal(0), "marker": BY_HAND, "status": "approved",
        "lines": [{"item": "0", "text": "By hand", "amount": Decimal("5.00"), "quantity": Decimal(1)}],
    })  # fmt: skip
    _long_ago(tenant, entry)
    wanted.posts, wanted.why = False, "the vendor's bill was typed in by hand"


def _long_ago(tenant: Tenant, entry: Entry) -> None:
    """A document of somebody else's, old enough to be shown by every read: nobody can see what is not shown yet."""
    tenant.foreign[entry.id] = entry.total or Decimal(0)
    tenant.books.shown_at.pop(entry.id, None)


def _numbered_by_hand(tenant: Tenant, document: SourceDocument) -> None:
    """Somebody keeps an order of the same number in the ledger, where writing one under that number would change it."""
    vendor = next((one.id for one in tenant.books.entries if one.kind is Kind.VENDOR), None)
    entry = tenant.books._store(Kind.PURCHASE_ORDER, {
        "party": vendor or tenant.books.add(Kind.VENDOR, "Walk-in vendor").id, "number": document.header.number,
        "date": "2026-11-01", "currency": "USD", "tax": Decimal(0), "marker": BY_HAND, "status": "approved",
        "lines": [{"item": "0", "text": "By hand", "amount": Decimal("5.00"), "quantity": Decimal(1)}],
    })  # fmt: skip
    _long_ago(tenant, entry)
    wanted = tenant.wanted[document.header.id]
    wanted.posts, wanted.why = False, "its number is another order's"


# ---- what happens to orders -------------------------------------------------------------------------------------


def received(
    tenant: Tenant, document: SourceDocument, rng: random.Random, *, late: bool = False
) -> SourceDocument:
    """Something of the order arrives, under a vendor invoice number or none; what is wanted of it grows."""
    made = tenant.purchases_of()
    open_ = [line for line in document.lines if line.goods and line.goods.received < line.quantity]
    if not open_:
        return document
    made.receipts += 1
    number = rng.choice((f"V-{document.header.id}-{made.receipts}", f"V-{document.header.id}-1", None))
    chosen = {line.id for line in rng.sample(open_, rng.randint(1, len(open_)))}
    lines = tuple(
        _with(line, Receipt(
            f"{line.id}/{made.receipts}", rng.choice((line.quantity - line.goods.received, Decimal(1))),
            RECEIVED_ON, number,
        )) if line.id in chosen and line.goods else line for line in document.lines
    )  # fmt: skip
    return _changed(tenant, document, lines, late=late)


def taken_back(tenant: Tenant, document: SourceDocument, rng: random.Random) -> SourceDocument:
    """One piece of what was received goes back."""
    some = [line for line in document.lines if line.goods and line.goods.received > 0]
    if not some:
        return document
    tenant.purchases_of().receipts += 1
    tenant.purchases_of().sent_back.add(document.header.id)
    chosen = rng.choice(some)
    back = Receipt(f"{chosen.id}/{tenant.purchases_of().receipts}", Decimal(-1), RECEIVED_ON)
    return _changed(tenant, document, tuple(_with(line, back) if line is chosen else line for line in document.lines))


def _with(line: SourceLine, receipt: Receipt) -> SourceLine:
    assert line.goods is not None
    return replace(line, goods=replace(line.goods, receipts=(*line.goods.receipts, receipt)))


def _changed(
    tenant: Tenant, document: SourceDocument, lines: tuple[SourceLine, ...], *, late: bool = False
) -> SourceDocument:
    head = document.header.order
    assert head is not None
    after = replace(document, lines=lines)
    status = OrderStatus.RECEIVED if fully_received(after) else OrderStatus.PARTLY_RECEIVED
    after = replace(after, header=replace(document.header, order=replace(head, status=status)))
    _want_parts(tenant, after, late)
    return after


def _want_parts(tenant: Tenant, document: SourceDocument, late: bool) -> None:
    """Each part is a bill of its own. One that changed on its way may be booked as it was, or wait for a person."""
    order = tenant.wanted[document.header.id]
    costs = {line.id: line.rate for line in document.lines}
    there = {part.key: part for part in parts_of(document)}
    for key, part in there.items():
        total = sum(((count * costs[line]).quantize(Decimal("0.01")) for line, count in part.quantities.items()),
                    Decimal(0))  # fmt: skip
        wanted = tenant.wanted.get(f"{order.id}/{key}")
        if wanted is None:
            tenant.want(Wanted(
                order.id, True, [total], why="received", party=order.party, kind=ORDER, part=key, late=late
            ))
        elif wanted.totals[-1] != total:
            wanted.totals.append(total)
    for wanted in tenant.wanted.values():
        if wanted.kind == ORDER and wanted.id == order.id and wanted.part:
            wanted.voided = wanted.part not in there  # what went back may be received again


class Buying:
    """The office's part of it: more arrives, something goes back, an order is cancelled."""

    def __init__(self, kernel: Kernel, tenant: Tenant, rng: random.Random) -> None:
        self.kernel, self.tenant, self.rng = kernel, tenant, rng

    def act(self) -> None:
        contents = self.tenant.source.contents
        healthy = [one for one in self.tenant.wanted.values()
                   if one.kind == ORDER and not one.part and one.why == "order" and not one.voided
                   and one.id in contents and not fully_received(contents[one.id])]  # such an order is over
        if not healthy:
            return
        chosen, draw = self.rng.choice(healthy), self.rng.random()
        if draw < 0.15:
            for one in self.tenant.wanted.values():
                one.voided = one.voided or (one.kind == ORDER and one.id == chosen.id)
            self.tenant.source.void(chosen.id, self.kernel.now())
            told = "cancelled"
        elif self.tenant.purchases_of().becomes in MARKED_BY_BILLS:
            old = contents[chosen.id]
            back = draw < 0.3
            fresh = taken_back(self.tenant, old, self.rng) if back else received(
                self.tenant, old, self.rng, late=True)  # fmt: skip
            self.tenant.source.put(fresh)
            told = "taken back in part" if back else "received further"
        else:
            return
        self.kernel.note(f"order {chosen.id} {told}", self.tenant.company_id)
