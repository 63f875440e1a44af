"""Autotask's purchase orders behind the Source port: what is asked, and how rows are read.

An order has no total (its lines and freight are it), no currency (the vendor's counts), no change feed and no date of
its last change. Its state is a picklist, resolved by label. The sync mark is External P.O. Number. Source: Autotask
developer help, entity pages of PurchaseOrders, PurchaseOrderItems, PurchaseOrderItemReceiving and Products.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.errors import NotAllowed
from connectors.sources import autotask_payloads as rows
from connectors.sources.autotask_http import PLATFORM, AutotaskClient, since_text
from connectors.sources.base import Mark, Voided
from domain.documents import SourceDocument, SourceHeader, SourceLine, Window
from domain.order_documents import ORDER, Goods, OrderHead, OrderStatus, Receipt

Json = Mapping[str, Any]
_ORDERS, _ITEMS, _RECEIVING, _PRODUCTS = (
    "PurchaseOrders", "PurchaseOrderItems", "PurchaseOrderItemReceiving", "Products",
)
_MARK = "externalPONumber"
_HEADER_FIELDS = (
    "status", "vendorID", "purchaseForCompanyID", "purchaseOrderNumber", _MARK, "vendorInvoiceNumber",
    "createDateTime", "submitDateTime", "cancelDateTime", "paymentTerm", "freight", "generalMemo", "shipToName",
    "shipToAddress1", "shipToAddress2", "shipToCity", "shipToState", "shipToPostalCode",
)
_ITEM_FIELDS = ("orderID", "productID", "quantity", "unitCost", "internalCurrencyUnitCost", "memo")
_PRODUCT_FIELDS = (
    "name", "description", "sku", "internalProductID", "vendorProductNumber", "isActive",
)
_SHIP_TO = _HEADER_FIELDS[12:]
_WAITING = (OrderStatus.SUBMITTED,)
_ARRIVED = (OrderStatus.PARTLY_RECEIVED, OrderStatus.RECEIVED)
_SPELLINGS = {status.value.casefold(): status for status in OrderStatus} | {"cancelled": OrderStatus.CANCELLED}


class AutotaskOrders:
    """Reads and marks the orders of one database. Labels and products are read at most once per instance."""

    def __init__(self, client: AutotaskClient, zone: ZoneInfo) -> None:
        self._client = client
        self._zone = zone
        self._products: dict[str, Json] = {}

    # ---- reading ------------------------------------------------------------------------------------------

    def headers(self, window: Window) -> Iterator[list[SourceHeader]]:
        """States are compared here and not asked for: a poll that finds nothing needs no picklist and is one call."""
        wanted = (*_WAITING, *_ARRIVED) if window.received else _WAITING
        for page in self._client.pages(_ORDERS, _unsynced(window), _HEADER_FIELDS):
            found = [one for one in self._headers(page) if one.order is not None and one.order.status in wanted]
            if found:
                yield found

    def headers_by_id(self, ids: Sequence[str]) -> list[SourceHeader]:
        return self._headers(self._by_id(_ORDERS, "id", ids, _HEADER_FIELDS))

    def headers_by_number(self, number: str) -> list[SourceHeader]:
        same = [{"op": "eq", "field": "purchaseOrderNumber", "value": number}]
        return self._headers(self._client.rows(_ORDERS, same, _HEADER_FIELDS))

    def cancelled(self, since: datetime) -> list[Voided]:
        asked = [{"op": "gte", "field": "cancelDateTime", "value": since_text(since)}]
        return [
            Voided(str(row["id"]), rows.text(row.get("purchaseOrderNumber")), rows.moment(row.get("cancelDateTime")))
            for row in self._client.rows(_ORDERS, asked, ("purchaseOrderNumber", "cancelDateTime"))
        ]

    def documents(self, headers: Sequence[SourceHeader]) -> Iterator[list[SourceDocument]]:
        """Receivings are asked for only where something was received: everybody else has none."""
        for chunk in rows.chunks(headers):
            items = self._by_id(_ITEMS, "orderID", [one.id for one in chunk], _ITEM_FIELDS)
            arrived = {one.id for one in chunk if one.order is not None and one.order.status not in _WAITING}
            receipts = self._receipts([str(item["id"]) for item in items if str(item.get("orderID")) in arrived])
            self._learn_products(items)
            by_order: dict[str, list[SourceLine]] = {one.id: [] for one in chunk}
            for item in items:
                by_order.setdefault(str(item.get("orderID")), []).append(self._line(item, receipts))
            yield [SourceDocument(one, tuple(by_order[one.id])) for one in chunk]

    # ---- the mark -----------------------------------------------------------------------------------------

    def mark(self, id: str, number: str | None) -> None:
        """Raises ValueError without a number: the mark of an order is never blank after success."""
        if not number:
            raise ValueError("an order is marked with a number")
        self._client.patch(_ORDERS, {"id": int(id), _MARK: number})

    def clear(self, id: str) -> None:
        """Whether Autotask blanks a text by "" or by null is not published: the other is tried where one changed
        nothing."""
        self._client.patch(_ORDERS, {"id": int(id), _MARK: ""})
        if any(rows.text(row.get(_MARK)) for row in self._by_id(_ORDERS, "id", [id], (_MARK,))):
            self._client.patch(_ORDERS, {"id": int(id), _MARK: None})

    def marks(self, ids: Sequence[str]) -> list[Mark]:
        found = self._by_id(_ORDERS, "id", ids, (_MARK,))
        return [
            Mark(str(row["id"]), rows.number(row.get(_MARK)), None, failed=rows.failed(row.get(_MARK))) for row in found
        ]

    # ---- inside -------------------------------------------------------------------------------------------

    def _headers(self, page: Sequence[Json]) -> list[SourceHeader]:
        if not page:
            return []
        labels = self._client.labels(_ORDERS, "status")
        return [found for row in page if (found := _header(row, labels, self._zone)) is not None]

    def _by_id(self, entity: str, field: str, ids: Sequence[str], fields: Sequence[str]) -> list[Json]:
        return [
            row
            for chunk in rows.chunks(list(dict.fromkeys(ids)))
            for row in self._client.rows(entity, [rows.one_of(field, chunk)], fields)
        ]

    def _receipts(self, items: Sequence[str]) -> dict[str, list[Receipt]]:
        """By item, oldest first. All fields are asked for: older databases have no invoice number of a receipt, and
        refuse a question that names it."""
        found: dict[str, list[Receipt]] = {}
        for row in self._by_id(_RECEIVING, "purchaseOrderItemID", items, ()):
            at = rows.moment(row.get("receiveDate"))
            quantity = rows.decimal(row.get("quantityNowReceiving"))
            if at is None or quantity is None:
                continue
            day, number = rows.calendar_date(at, self._zone), rows.text(row.get("vendorInvoiceNumber"))
            of_item = found.setdefault(str(row.get("purchaseOrderItemID")), [])
            of_item.append(Receipt(str(row["id"]), quantity, day, number))
        return {item: sorted(each, key=lambda one: (one.received_on, int(one.id))) for item, each in found.items()}

    def _learn_products(self, items: Sequence[Json]) -> None:
        wanted = {rows.key(item.get("productID")) for item in items}
        fresh = sorted(id for id in wanted if id is not None and id not in self._products)
        for row in self._by_id(_PRODUCTS, "id", fresh, _PRODUCT_FIELDS):
            self._products[str(row["id"])] = row

    def _line(self, item: Json, receipts: Mapping[str, list[Receipt]]) -> SourceLine:
        cost = rows.decimal(item.get("unitCost"))
        if cost is None:
            message = "The Autotask user may not read costs: its security level needs them to read purchase orders."
            raise NotAllowed(message, platform=PLATFORM)
        quantity = rows.decimal(item.get("quantity")) or Decimal(0)
        home = rows.decimal(item.get("internalCurrencyUnitCost"))
        product_id = rows.key(item.get("productID"))
        product = self._products.get(product_id or "", {})
        name = rows.text(product.get("name")) or ""
        return SourceLine(
            id=str(item["id"]), line_type="", name=name,
            text=rows.text(item.get("memo")) or rows.text(product.get("description")) or name,
            quantity=quantity, rate=cost, extended_price=quantity * cost, tax=Decimal(0), code_id=None,
            home_price=None if home is None else quantity * home,
            goods=Goods(
                product_id=product_id, code=_code(product), receipts=tuple(receipts.get(str(item["id"]), ())),
                active=product.get("isActive") is not False,
            ),
        )


def _unsynced(window: Window) -> list[Json]:
    """Created (or, where asked, submitted) in the window and without a number of another program."""
    blank: list[Json] = [{"op": "notExist", "field": _MARK}]
    blank += [{"op": "eq", "field": _MARK, "value": value} for value in ("", rows.FAILED)]
    young: Json = {"op": "gte", "field": "createDateTime", "value": since_text(window.since)}
    if window.submitted_since is not None:
        later = {"op": "gte", "field": "submitDateTime", "value": since_text(window.submitted_since)}
        young = {"op": "or", "items": [young, later]}
    return [young, {"op": "or", "items": blank}]


def _header(row: Json, labels: Mapping[str, str], zone: ZoneInfo) -> SourceHeader | None:
    """None for a row without a moment of creation."""
    created = rows.moment(row.get("createDateTime"))
    if created is None:
        return None
    label = (labels.get(str(row.get("status"))) or "").casefold()
    status = _SPELLINGS.get(label, OrderStatus.OTHER)
    submitted = rows.moment(row.get("submitDateTime"))
    return SourceHeader(
        kind=ORDER, id=str(row["id"]), number=rows.text(row.get("purchaseOrderNumber")),
        party_id=rows.key(row.get("vendorID")), document_date=rows.calendar_date(submitted or created, zone),
        created_at=created, due_date=None, total=Decimal(0), tax_total=Decimal(0),
        term_id=rows.key(row.get("paymentTerm")), comments=rows.text(row.get("generalMemo")),
        voided=status is OrderStatus.CANCELLED,
        order=OrderHead(
            status=status, external_number=rows.text(row.get(_MARK)), submitted_at=submitted,
            cancelled_at=rows.moment(row.get("cancelDateTime")),
            vendor_invoice=rows.text(row.get("vendorInvoiceNumber")),
            customer_id=rows.key(row.get("purchaseForCompanyID")),
            freight=rows.decimal(row.get("freight")) or Decimal(0),
            ship_to=tuple(text for name in _SHIP_TO if (text := rows.text(row.get(name)))),
        ),
    )


def _code(product: Json) -> str | None:
    found = (rows.text(product.get(name)) for name in ("sku", "internalProductID", "vendorProductNumber"))
    return next((code for code in found if code), None)
