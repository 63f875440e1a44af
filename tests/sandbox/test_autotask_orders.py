"""Purchase orders, receiving and products of the simulated Autotask, as its API and its people see them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox.autotask.tenants import find_tenant
from sandbox.world import World
from tests.sandbox.autotask_client import Autotask, seeded


@pytest.fixture
def api(sandbox: str, sandbox_world: World) -> Autotask:
    api = seeded(sandbox_world, sandbox, switches={"inventory": True})
    api.world = sandbox_world  # type: ignore[attr-defined]
    return api


def labels(api: Autotask) -> dict[str, int]:
    fields = api.call("GET", "PurchaseOrders/entityInformation/fields").json()["fields"]
    values = next(one for one in fields if one["name"] == "status")["picklistValues"]
    return {one["label"]: int(one["value"]) for one in values}


def put(api: Autotask, path: str, **body: Any) -> int:
    answer = api.call("POST", path, body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["itemId"])


def control(api: Autotask, path: str, body: Any = None) -> Any:
    answer = requests.post(f"{api.base}/control/{path}", json=body, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


def vendor(api: Autotask, name: str = "Parts Wholesale", kind: int = 7) -> int:
    owner = api.query("Resources")[0]["id"]
    return put(api, "Companies", companyName=name, companyType=kind, phone="1", ownerResourceID=owner)


def product(api: Autotask, name: str = "Switch 24p", **more: Any) -> int:
    code = api.query("BillingCodes")[0]["id"]
    return put(api, "Products", name=name, productBillingCodeID=code, isActive=True, isSerialized=False, **more)


def order(api: Autotask, status: str = "New", **more: Any) -> int:
    body = {"shipToName": "Us", "shipToAddress1": "1 Street", "freight": Decimal("15.00"), **more}
    body.setdefault("vendorID", 0) if "vendorID" in body else body.update(vendorID=vendor(api))
    return put(api, "PurchaseOrders", status=labels(api)[status], **body)


def item(api: Autotask, order: int, quantity: int = 10, cost: str = "42") -> int:
    found = api.query("InventoryLocations")
    place = found[0]["id"] if found else put(api, "InventoryLocations", locationName="Store", isActive=True)
    return put(api, f"PurchaseOrders/{order}/Items", orderID=order, productID=product(api), quantity=quantity,
               unitCost=Decimal(cost), inventoryLocationID=place)  # fmt: skip


def state(api: Autotask, order: int) -> str:
    status = api.one("PurchaseOrders", order)["status"]
    return next(label for label, number in labels(api).items() if number == status)


def submit(api: Autotask, order: int) -> None:
    assert api.call("PATCH", "PurchaseOrders", {"id": order, "status": labels(api)["Submitted"]}).status_code == 200


def receive(api: Autotask, item: int, quantity: int, number: str | None = None) -> requests.Response:
    body = {"purchaseOrderItemID": item, "quantityNowReceiving": quantity, "vendorInvoiceNumber": number}
    return api.call("POST", f"PurchaseOrderItems/{item}/Receiving", {k: v for k, v in body.items() if v is not None})


def test_an_order_lives_from_new_to_received_in_full_and_gathers_the_vendors_invoice_numbers(api: Autotask) -> None:
    made = order(api)
    line = item(api, made)
    assert api.refusal(receive(api, line, 1))[1].startswith("Items can only be received once")
    submit(api, made)
    shown = api.one("PurchaseOrders", made)
    assert shown["submitDateTime"] and shown["purchaseOrderNumber"].startswith("PO") and not shown["externalPONumber"]
    assert receive(api, line, 6, "V-1").status_code == 200
    assert state(api, made) == "Received Partial"
    assert api.refusal(receive(api, line, 5))[1] == "quantityNowReceiving is more than was ordered or received."
    assert receive(api, line, 4, "V-2").status_code == 200
    shown = api.one("PurchaseOrders", made)
    assert (state(api, made), shown["vendorInvoiceNumber"], shown["additionalVendorInvoiceNumbers"]) == (
        "Received Full", "V-1", "V-2",
    )  # fmt: skip
    receipts = api.query("PurchaseOrderItemReceiving", {"op": "eq", "field": "purchaseOrderItemID", "value": line})
    assert [(one["quantityPreviouslyReceived"], one["quantityBackOrdered"]) for one in receipts] == [(0, 4), (6, 0)]
    assert receive(api, line, -4, "V-2").status_code == 200
    assert state(api, made) == "Received Partial"


def test_items_are_added_only_to_new_orders_and_changed_until_all_is_received(api: Autotask) -> None:
    made = order(api)
    line = item(api, made)
    change = {"id": line, "orderID": made, "unitCost": Decimal("41.12345")}
    submit(api, made)
    late = {"orderID": made, "quantity": 1, "unitCost": 1, "inventoryLocationID": 1}
    assert api.call("POST", f"PurchaseOrders/{made}/Items", late).status_code == 500
    assert api.call("PATCH", f"PurchaseOrders/{made}/Items", change).status_code == 200
    assert api.one("PurchaseOrderItems", line)["unitCost"] == Decimal("41.12345")
    receive(api, line, 10)
    assert api.call("PATCH", f"PurchaseOrders/{made}/Items", change).status_code == 500


def test_what_is_refused(api: Autotask) -> None:
    customer = vendor(api, "Acme", kind=1)
    body = {"status": labels(api)["New"], "shipToName": "Us", "shipToAddress1": "1 Street", "vendorID": customer}
    assert "is not a vendor" in api.refusal(api.call("POST", "PurchaseOrders", body))[1]
    made = order(api)
    for change in ({"vendorID": vendor(api, "Other")}, {"purchaseOrderNumber": "X"}, {"externalPONumber": "x" * 51},
                   {"status": labels(api)["Received Full"]}):  # fmt: skip
        assert api.call("PATCH", "PurchaseOrders", {"id": made, **change}).status_code == 500, change
    submit(api, made)
    assert api.call("PATCH", "PurchaseOrders", {"id": made, "externalPONumber": "BILL-7"}).status_code == 200
    assert api.call("PATCH", "PurchaseOrders", {"id": made, "externalPONumber": None}).status_code == 200
    assert api.call("POST", "PurchaseOrderItems", {}).status_code == 405


def test_switches_take_away_the_module_the_right_to_write_costs_and_the_newer_field(api: Autotask) -> None:
    ci, made = api.seeded["ci"], order(api)
    line = item(api, made)
    submit(api, made)
    control(api, f"switches/{ci}", {"costs_visible": False, "receipt_invoice_numbers": False})
    assert api.one("PurchaseOrderItems", line)["unitCost"] is None
    assert receive(api, line, 1, "V-1").status_code == 500 and receive(api, line, 1).status_code == 200
    assert "vendorInvoiceNumber" not in api.query("PurchaseOrderItemReceiving")[0]
    control(api, f"switches/{ci}", {"orders_patch": False})
    assert api.call("PATCH", "PurchaseOrders", {"id": made, "externalPONumber": "1"}).status_code == 500
    info = api.call("GET", "PurchaseOrders/entityInformation").json()["info"]
    assert (info["userAccessForQuery"], info["userAccessForUpdate"]) == (1, 0)
    control(api, f"switches/{ci}", {"inventory": False})
    assert api.call("GET", "PurchaseOrders/entityInformation").json()["info"]["userAccessForQuery"] == 0
    assert "permissions" in api.refusal(api.call("GET", f"PurchaseOrders/{made}/Items"))[1]
    assert api.query("Products")


def test_an_order_in_a_foreign_vendors_currency_shows_the_same_in_the_own(sandbox: str, sandbox_world: World) -> None:
    api = seeded(sandbox_world, sandbox, switches={"inventory": True, "multi_currency": True})
    euro = next(one for one in api.query("Currencies") if one["name"] == "EUR")
    who = vendor(api)
    assert api.call("PATCH", "Companies", {"id": who, "currencyID": euro["id"]}).status_code == 200
    line = item(api, made := order(api, vendorID=who), cost="11.50")
    assert api.one("PurchaseOrderItems", line)["internalCurrencyUnitCost"] == 10
    assert api.one("PurchaseOrders", made)["internalCurrencyFreight"] == Decimal("13.0435")


def test_people_order_receive_take_back_cancel_and_look(api: Autotask) -> None:
    ci, who = api.seeded["ci"], vendor(api)
    lines = [{"productID": product(api), "quantity": 10, "unitCost": "42"}, {"quantity": 2, "unitCost": "3.5"}]
    made = control(api, f"actions/{ci}/order", {"vendor": who, "lines": lines, "freight": "15"})["id"]
    control(api, f"actions/{ci}/receive", {"order": made, "quantities": [6, 0], "number": "V-1"})
    page = requests.get(f"{api.base}/psa/{ci}/orders/{made}", timeout=20).text
    assert "V-1" in page and "442.00" in page and "Received Partial" in page
    assert "Parts Wholesale" in requests.get(f"{api.base}/psa/{ci}/orders?q=parts", timeout=20).text
    control(api, f"actions/{ci}/take_back", {"order": made})
    assert state(api, made) == "Submitted"
    control(api, f"actions/{ci}/change", {"entity": "PurchaseOrders", "id": made, "changes": {"freight": "9"}})
    pressed = requests.post(f"{api.base}/psa/{ci}/orders/{made}/cancel", timeout=20)
    assert pressed.status_code == 200 and state(api, made) == "Canceled"
    again = requests.post(f"{api.base}/psa/{ci}/orders/{made}/cancel", timeout=20)
    assert f"order {made} is Canceled" in again.text
    tenant = find_tenant(api.world, ci)  # type: ignore[attr-defined]
    assert tenant is not None and tenant.row("PurchaseOrders", made)["freight"] == 9  # type: ignore[index]
