"""Purchase orders as rules and as what people do with them: create, submit, receive, take back, cancel.

Vendor developer help: items are added only while an order is New, changed while it is not fully received, received
only once it is Submitted; a negative receipt takes goods back; an order has neither total nor currency of its own
(the vendor's counts). What is not published is a switch of the tenant. Amounts are Decimal in the vendor's currency.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.autotask import answers
from sandbox.autotask.actions import ActionError, internal_rate
from sandbox.autotask.entities import INVENTORY_MODULE
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import Row, moment_text

NEW, SUBMITTED, PARTIAL, FULL, CANCELED = "New", "Submitted", "Received Partial", "Received Full", "Canceled"
_OPEN = (NEW, SUBMITTED, PARTIAL)
_ORDERS, _ITEMS, _RECEIVING = "PurchaseOrders", "PurchaseOrderItems", "PurchaseOrderItemReceiving"


def permitted(tenant: Tenant, entity: str, verb: str) -> None:
    """What a missing module and the API user's security level leave out. Raises Refused."""
    status = int(tenant.switch("permission_status"))
    if entity in ("Services", "ServiceBundles") and not tenant.switch("services_visible"):
        raise answers.no_permission(status, f"query {entity}")
    if entity not in INVENTORY_MODULE:
        return
    if not tenant.switch("inventory"):
        raise answers.no_permission(status, f"query {entity}")
    if verb not in ("query", "GET") and not tenant.switch("orders_patch"):
        raise answers.no_permission(status, f"edit {entity}")


def status_of(tenant: Tenant, order: Mapping[str, Any]) -> str:
    """The label of an order's status."""
    return tenant.label("purchaseOrderStatus", order.get("status"))


def created(tenant: Tenant, entity: str, row: Row) -> Row:
    """A row about to be added, with what the service fills in. Raises Refused."""
    now = moment_text(tenant.world.clock.now())
    if entity == _ORDERS:
        row["purchaseOrderNumber"] = next_number(tenant)
        if status_of(tenant, row) not in (NEW, SUBMITTED):
            raise answers.errors("A purchase order can only be created as New or Submitted.")
        if status_of(tenant, row) == SUBMITTED:
            row["submitDateTime"] = now
        _vendor(tenant, row["vendorID"])
        row |= _home(tenant, row["vendorID"], freight=row.get("freight"))
    elif entity == _ITEMS:
        order = _order(tenant, row["orderID"])
        if status_of(tenant, order) != NEW:
            raise answers.errors("Items can only be added while the purchase order is New.")
        row |= _home(tenant, order["vendorID"], unitCost=row["unitCost"])
    elif entity == _RECEIVING:
        _receipt(tenant, row, now)
    return row


def changed(tenant: Tenant, entity: str, before: Row, after: Row) -> Row:
    """A row about to be changed. Raises Refused."""
    if entity == _ITEMS:
        order = _order(tenant, after["orderID"])
        if status_of(tenant, order) not in _OPEN:
            raise answers.errors(f"Items of a purchase order that is {status_of(tenant, order)} cannot be changed.")
    if entity == _ORDERS:
        was, now = status_of(tenant, before), status_of(tenant, after)
        if was == FULL and not tenant.switch("received_orders_patch"):
            raise answers.errors("A purchase order that is Received Full cannot be changed.")
        if was != now:
            return {**after, **_moved(tenant, was, now)}
    return after


def _moved(tenant: Tenant, was: str, now: str) -> Row:
    stamp = moment_text(tenant.world.clock.now())
    if (was, now) == (NEW, SUBMITTED):
        return {"submitDateTime": stamp}
    if now == CANCELED and was in _OPEN:
        return {"cancelDateTime": stamp}
    raise answers.errors(f"A purchase order that is {was} cannot become {now}.")


def _home(tenant: Tenant, vendor: Any, **amounts: Decimal | None) -> Row:
    """The same amounts in the tenant's own currency, under the names that the service gives them."""
    rate = internal_rate(tenant, vendor)
    return {
        f"internalCurrency{name[0].upper()}{name[1:]}": (amount * rate).quantize(Decimal("0.0001"))
        for name, amount in amounts.items()
        if amount is not None
    }


def _vendor(tenant: Tenant, company: Any) -> None:
    row = tenant.row("Companies", company) or {}
    if tenant.label("companyType", row.get("companyType")) != "Vendor":
        raise answers.errors(f"The value {company} of vendorID is not a vendor.")


def _order(tenant: Tenant, id: Any) -> Row:
    row = tenant.row(_ORDERS, id)
    if row is None:
        raise answers.errors(f"The value {id} of orderID does not exist or is invalid.")
    return row


def _receipt(tenant: Tenant, row: Row, now: str) -> None:
    """Fill in a receipt and refuse one that receives too much, takes back too much, or comes too early."""
    if row.get("vendorInvoiceNumber") and not tenant.switch("receipt_invoice_numbers"):
        raise answers.errors("Unable to find vendorInvoiceNumber in the PurchaseOrderItemReceiving Entity.")
    item = tenant.row(_ITEMS, row["purchaseOrderItemID"]) or {}
    order = _order(tenant, item.get("orderID"))
    if status_of(tenant, order) not in (SUBMITTED, PARTIAL, FULL):
        raise answers.errors("Items can only be received once the purchase order is Submitted.")
    before = received(tenant, item["id"])
    after = before + row["quantityNowReceiving"]
    if not 0 <= after <= item["quantity"] or row["quantityNowReceiving"] == 0:
        raise answers.errors("quantityNowReceiving is more than was ordered or received.")
    row |= {"quantityPreviouslyReceived": before, "quantityBackOrdered": item["quantity"] - after, "receiveDate": now}
    row.setdefault("receivedByResourceID", tenant.body.get("billing_resource"))


def received(tenant: Tenant, item: int) -> int:
    """How many of an item were received and not taken back."""
    return sum(int(row["quantityNowReceiving"]) for row in tenant.rows(_RECEIVING, purchaseOrderItemID=item))


def settle(tenant: Tenant, entity: str, row: Mapping[str, Any]) -> None:
    """After a receipt was added: the order's status and its list of the vendor's invoice numbers follow.

    That the first number becomes the order's own and further ones are listed beside it is inferred from the pages.
    """
    if entity != _RECEIVING:
        return
    item = tenant.row(_ITEMS, row["purchaseOrderItemID"]) or {}
    order = _order(tenant, item.get("orderID"))
    items = tenant.rows(_ITEMS, orderID=order["id"])
    counted = [(received(tenant, one["id"]), one["quantity"]) for one in items]
    status = SUBMITTED if not any(have for have, _ in counted) else PARTIAL
    if all(have >= wanted for have, wanted in counted):
        status = FULL
    number = row.get("vendorInvoiceNumber")
    more = [part for part in str(order.get("additionalVendorInvoiceNumbers") or "").split(", ") if part]
    if number and not order.get("vendorInvoiceNumber"):
        order["vendorInvoiceNumber"] = number
    elif number and number != order.get("vendorInvoiceNumber") and number not in more:
        order["additionalVendorInvoiceNumbers"] = ", ".join([*more, number])
    tenant.save(_ORDERS, {**order, "status": tenant.pick("purchaseOrderStatus", status)})


def next_number(tenant: Tenant) -> str:
    """The next number of the tenant's own sequence of orders."""
    return f"PO{tenant.world.store.next_id(tenant.space, 'order number', 20001)}"


# ---- what people do ------------------------------------------------------------------------------------------


def order(
    tenant: Tenant,
    vendor: int,
    lines: Sequence[Mapping[str, Any]],
    *,
    status: str = SUBMITTED,
    at: datetime | None = None,
    submitted: datetime | None = None,
    **header: Any,
) -> int:
    """Write an order with items `{productID, quantity, unitCost, memo …}` and give its id.

    `at` is the moment of creation, `submitted` that of submission (the same moment unless given). No field is
    checked: people's databases hold what an API would refuse.
    """
    stamp = moment_text(at or tenant.world.clock.now())
    sent = moment_text(submitted) if submitted else stamp
    freight = header.get("freight")
    body: Row = {
        "status": tenant.pick("purchaseOrderStatus", status),
        "vendorID": vendor,
        "purchaseOrderNumber": next_number(tenant),
        "createDateTime": stamp,
        "submitDateTime": None if status == NEW else sent,
        "creatorResourceID": tenant.body.get("billing_resource"),
        "useItemDescriptionsFrom": tenant.pick("useItemDescriptionsFrom", "Product (Catalog)"),
        "shipToName": tenant.body["name"],
        "shipToAddress1": "1 Example Street",
        **header,
        "freight": None if freight is None else Decimal(str(freight)),
    }
    body |= _home(tenant, vendor, freight=body["freight"])
    id = tenant.add(_ORDERS, body)
    for line in lines:
        item = {**line, "unitCost": Decimal(str(line["unitCost"])), "orderID": id}
        item.setdefault("inventoryLocationID", _location(tenant))
        item |= _home(tenant, vendor, unitCost=item["unitCost"])
        tenant.add(_ITEMS, item)
    return id


def _location(tenant: Tenant) -> int | None:
    return next((int(row["id"]) for row in tenant.rows("InventoryLocations")), None)


def receive(
    tenant: Tenant,
    order: int,
    quantities: Sequence[int] | None = None,
    *,
    number: str | None = None,
    at: datetime | None = None,
) -> list[int]:
    """Receive so many of each item in their order (all that is open when None) under one vendor invoice number.

    Negative quantities take goods back. Gives the ids of the receipts.
    """
    row = existing(tenant, order)
    if status_of(tenant, row) not in (SUBMITTED, PARTIAL, FULL):
        raise ActionError(f"order {order} is {status_of(tenant, row)}: nothing can be received")
    items = tenant.rows(_ITEMS, orderID=order)
    wanted = quantities or [int(item["quantity"]) - received(tenant, item["id"]) for item in items]
    ids = []
    for item, quantity in zip(items, wanted, strict=False):
        before = received(tenant, item["id"])
        if not quantity:
            continue
        if not 0 <= before + quantity <= item["quantity"]:
            raise ActionError(f"item {item['id']}: {before} of {item['quantity']} are received")
        receipt: Row = {
            "purchaseOrderItemID": item["id"],
            "quantityNowReceiving": int(quantity),
            "quantityPreviouslyReceived": before,
            "quantityBackOrdered": item["quantity"] - before - quantity,
            "receiveDate": moment_text(at or tenant.world.clock.now()),
            "receivedByResourceID": tenant.body.get("billing_resource"),
            "vendorInvoiceNumber": number,
        }
        ids.append(tenant.add(_RECEIVING, receipt))
        settle(tenant, _RECEIVING, receipt)
    return ids


def take_back(tenant: Tenant, order: int) -> list[int]:
    """Take back all that was received, each under the number it was received with."""
    ids = []
    for item in tenant.rows(_ITEMS, orderID=existing(tenant, order)["id"]):
        by_number: dict[str | None, int] = {}
        for receipt in tenant.rows(_RECEIVING, purchaseOrderItemID=item["id"]):
            number = receipt.get("vendorInvoiceNumber")
            by_number[number] = by_number.get(number, 0) + int(receipt["quantityNowReceiving"])
        places = [one["id"] for one in tenant.rows(_ITEMS, orderID=order)]
        for number, quantity in by_number.items():
            if quantity:
                wanted = [-quantity if one == item["id"] else 0 for one in places]
                ids += receive(tenant, order, wanted, number=number)
    return ids


def submit(tenant: Tenant, order: int) -> None:
    """Send a new order to its vendor."""
    row = existing(tenant, order)
    if status_of(tenant, row) != NEW:
        raise ActionError(f"order {order} is {status_of(tenant, row)}")
    stamp = moment_text(tenant.world.clock.now())
    tenant.save(_ORDERS, {**row, "status": tenant.pick("purchaseOrderStatus", SUBMITTED), "submitDateTime": stamp})


def cancel(tenant: Tenant, order: int) -> None:
    """Cancel an order, received in part or not at all."""
    row = existing(tenant, order)
    if status_of(tenant, row) not in _OPEN:
        raise ActionError(f"order {order} is {status_of(tenant, row)}")
    stamp = moment_text(tenant.world.clock.now())
    tenant.save(_ORDERS, {**row, "status": tenant.pick("purchaseOrderStatus", CANCELED), "cancelDateTime": stamp})


def change(tenant: Tenant, entity: str, id: int, changes: Mapping[str, Any]) -> None:
    """A person edits an order, an item, a product or a vendor; decimals may come as text."""
    if entity not in (_ORDERS, _ITEMS, "Products", "Companies"):
        raise ActionError(f"{entity} is not edited here")
    row = tenant.row(entity, id)
    if row is None:
        raise ActionError(f"there is no {entity} {id}")
    decimals = ("freight", "unitCost")
    sent = {
        name: Decimal(str(value)) if name in decimals and value is not None else value
        for name, value in changes.items()
    }
    tenant.save(entity, {**row, **sent})


def existing(tenant: Tenant, order: int) -> Row:
    """The order's row. Raises ActionError when there is none."""
    row = tenant.row(_ORDERS, order)
    if row is None:
        raise ActionError(f"there is no purchase order {order}")
    return row


def currency_of(tenant: Tenant, order: Mapping[str, Any]) -> str:
    """The vendor's currency: an order has none of its own."""
    vendor = tenant.row("Companies", order.get("vendorID")) or {}
    currency = tenant.row("Currencies", vendor.get("currencyID")) or {}
    return str(currency.get("name") or tenant.body["currency"])


def total(tenant: Tenant, order: Mapping[str, Any]) -> Decimal:
    """What the order comes to: quantities at their cost and the freight, in the vendor's currency."""
    items = tenant.rows(_ITEMS, orderID=order["id"])
    goods = sum((Decimal(item["quantity"]) * item["unitCost"] for item in items), Decimal(0))
    return goods + (order.get("freight") or Decimal(0))
