"""A vendor, products and a ledger company for tests of orders; every value can be replaced."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

from domain.documents import Catalog, Party, SourceDocument, SourceHeader, SourceLine, Term
from domain.known import Entry, Facts, Lists
from domain.matching import fold, loose
from domain.order_documents import ORDER, Goods, OrderHead, OrderStatus, Receipt
from domain.order_settings import Becomes, OrderSettings
from domain.orders import plan_order
from domain.plan import Plan
from domain.settings import MissingItem
from domain.taxes import TaxModel

MARKER = "ref:ABCD1234"
DAY = dt.date(2026, 11, 13)
CREATED = dt.datetime(2026, 11, 12, 9, 0, tzinfo=dt.UTC)
VENDOR = Party("41", "Northwind Supplies", currency="USD")

SETTINGS = OrderSettings(
    days=30, active=True, becomes=Becomes.BILL, payable="33", freight_account="54", created_item_account="81",
    missing_item=MissingItem.CREATE,
)
FACTS = Facts(
    ledger="QuickBooks", currency="USD", country="US", multi_currency=False, tax_model=TaxModel.EXPLICIT_TOTAL,
    own_numbers=True, closed_through=None, latin1_only=True, number_length=21, party_name_length=500,
    item_name_length=100, line_text_length=4000, quantity_decimals=5, taxed_lines=750, classes=True, locations=True,
)  # fmt: skip


def receipt(quantity: int | str, number: str | None = None, day: int = 16, id: str = "") -> Receipt:
    return Receipt(id or f"{number}/{day}/{quantity}", Decimal(quantity), dt.date(2026, 11, day), number)


def line(
    id: str = "1", quantity: int | str = 10, cost: str = "42", *receipts: Receipt, name: str = "Switch 24p",
    **changes: Any,
) -> SourceLine:
    count, rate = Decimal(quantity), Decimal(cost)
    made = SourceLine(
        id=id, line_type="Product", name=name, text="", quantity=count, rate=rate, extended_price=count * rate,
        tax=Decimal(0), code_id=None, goods=Goods(f"P{id}", f"SKU-{id}", tuple(receipts)),
    )  # fmt: skip
    return replace(made, **changes)


def order(*lines: SourceLine, part: str = "", party_id: str | None = "41", **head: Any) -> SourceDocument:
    known: dict[str, Any] = {"status": OrderStatus.SUBMITTED, "external_number": None, **head}
    cancelled = known["status"] is OrderStatus.CANCELLED
    header = SourceHeader(
        kind=ORDER, id="411", number="PO-1203", party_id=party_id, document_date=DAY, created_at=CREATED, due_date=None,
        total=Decimal(0), tax_total=Decimal(0), voided=cancelled, order=OrderHead(**known),
    )  # fmt: skip
    return SourceDocument(header, lines, part)


def accounts() -> dict[str, Entry]:
    kinds = {"33": ("Accounts Payable (A/P)", "Accounts Payable"), "54": ("Freight", "Cost of Goods Sold"),
             "81": ("Purchases", "Cost of Goods Sold"), "9": ("Sales", "Income")}
    return {id: Entry(id, name, True, {"type": kind}) for id, (name, kind) in kinds.items()}


def lists(
    *, vendors: tuple[Entry, ...] = (), customers: tuple[Entry, ...] = (), items: tuple[Entry, ...] = (),
    party: Party = VENDOR, **changes: Any,
) -> Lists:
    made = Lists(
        parties={party.id: party, "90": Party("90", "Harbor Point")}, catalog=Catalog(terms={"3": Term("3", "Net 30")}),
        accounts=accounts(), vendors={e.id: e for e in vendors}, vendors_by_name=_by(vendors, fold),
        vendors_by_loose=_by(vendors, loose), customers={e.id: e for e in customers},
        customers_by_name=_by(customers, fold), items={e.id: e for e in items}, items_by_name=_by(items, fold),
    )  # fmt: skip
    return replace(made, **changes)


def _by(entries: tuple[Entry, ...], key: Any) -> dict[str, tuple[Entry, ...]]:
    return {key(entry.name): tuple(each for each in entries if key(each.name) == key(entry.name)) for entry in entries}


def planned(
    document: SourceDocument, known: Lists | None = None, settings: OrderSettings = SETTINGS, facts: Facts = FACTS
) -> Plan:
    return plan_order(document, settings, known or lists(), facts, marker=MARKER)


def codes(plan: Plan) -> list[str]:
    return [why.code for why in plan.reasons]
