"""Plain pages of purchase orders in the simulated Autotask, with the buttons a person presses there."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from sandbox.autotask import purchasing
from sandbox.autotask.actions import ActionError
from sandbox.autotask.entities import ENTITIES
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import Row, View

PAGE = 100
BUTTONS: dict[str, Callable[[Tenant, int], Any]] = {
    "submit": purchasing.submit,
    "receive": lambda tenant, id: purchasing.receive(tenant, id, number=request.form.get("number") or None),
    "take-back": lambda tenant, id: purchasing.take_back(tenant, id),
    "cancel": purchasing.cancel,
    "clear-mark": lambda tenant, id: purchasing.change(tenant, "PurchaseOrders", id, {"externalPONumber": None}),
}


def add_pages(bp: Blueprint, tenant_of: Callable[[str], Tenant]) -> None:
    """`/psa/{ci}/orders` and below."""

    @bp.get("/orders")
    def orders(ci: str) -> str:
        return _list(tenant_of(ci))

    @bp.get("/orders/<int:id>")
    def order(ci: str, id: int) -> str:
        return _order(tenant_of(ci), id)

    @bp.post("/orders/<int:id>/<action>")
    def press_order(ci: str, id: int, action: str) -> Response:
        return _press(tenant_of(ci), id, action)


def _names(tenant: Tenant) -> dict[Any, str]:
    return {row["id"]: row["companyName"] for row in tenant.rows("Companies")}


def _list(tenant: Tenant) -> str:
    view, names = View(tenant, ENTITIES["PurchaseOrders"]), _names(tenant)
    rows = sorted(tenant.rows("PurchaseOrders"), key=lambda row: (row["createDateTime"], row["id"]), reverse=True)
    wanted = request.args.get("q", "").strip().casefold()
    if wanted:
        rows = [
            row
            for row in rows
            if wanted in row["purchaseOrderNumber"].casefold() or wanted in names.get(row["vendorID"], "").casefold()
        ]
    page = max(request.args.get("page", 1, type=int), 1)
    shown = [
        view.item(row)
        | {
            "total": purchasing.total(tenant, row),
            "currency": purchasing.currency_of(tenant, row),
            "state": purchasing.status_of(tenant, row),
        }
        for row in rows[(page - 1) * PAGE : page * PAGE]
    ]
    pages = -(-len(rows) // PAGE)
    return render_template(
        "psa_orders.html", tenant=tenant, orders=shown, names=names, total=len(rows), page=page, pages=pages, q=wanted
    )


def _order(tenant: Tenant, id: int) -> str:
    row = tenant.row("PurchaseOrders", id)
    if row is None:
        abort(404)
    products = {one["id"]: one["name"] for one in tenant.rows("Products")}
    items: list[Row] = []
    receipts: list[Row] = []
    for item in tenant.rows("PurchaseOrderItems", orderID=id):
        told = {"product": products.get(item.get("productID"), "none")}
        items.append({**item, **told, "received": purchasing.received(tenant, item["id"])})
        found = tenant.rows("PurchaseOrderItemReceiving", purchaseOrderItemID=item["id"])
        receipts += [{**receipt, **told} for receipt in found]
    return render_template(
        "psa_order.html",
        tenant=tenant,
        order=View(tenant, ENTITIES["PurchaseOrders"]).item(row),
        state=purchasing.status_of(tenant, row),
        items=items,
        receipts=sorted(receipts, key=lambda one: (one["receiveDate"], one["id"])),
        names=_names(tenant),
        total=purchasing.total(tenant, row),
        currency=purchasing.currency_of(tenant, row),
        message=request.args.get("message", ""),
    )


def _press(tenant: Tenant, id: int, action: str) -> Response:
    """One button; a refusal comes back as a message on the same page."""
    if action not in BUTTONS:
        abort(404)
    address = f"/psa/{tenant.ci}/orders/{id}"
    try:
        BUTTONS[action](tenant, id)
    except ActionError as error:
        return redirect(f"{address}?{urlencode({'message': str(error)})}", 303)
    return redirect(address, 303)
