"""Plain pages of the simulated Autotask: companies, invoices, and the buttons a person presses there.

The links the API's zone information points to (`webUrl`) lead here. Buttons are POST forms without a login: the
sandbox has no secrets and listens on this machine only.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from sandbox import psa_orders
from sandbox.autotask import actions, todos
from sandbox.autotask.entities import BILLING_ITEMS, COMPANIES, INVOICES
from sandbox.autotask.tenants import Tenant, find_tenant
from sandbox.autotask.views import View
from sandbox.world import World

PAGE = 100


def _tenant(world: World, ci: str) -> Tenant:
    tenant = find_tenant(world, ci)
    if tenant is None:
        abort(404)
    return tenant


def _companies(tenant: Tenant) -> dict[Any, str]:
    return {row["id"]: row["companyName"] for row in tenant.rows("Companies")}


def _overview(tenant: Tenant) -> str:
    view, names = View(tenant, INVOICES), _companies(tenant)
    rows = sorted(tenant.rows("Invoices"), key=lambda row: (row["createDateTime"], row["id"]), reverse=True)
    wanted = request.args.get("q", "").strip().casefold()
    if wanted:
        rows = [
            row
            for row in rows
            if wanted in str(row.get("invoiceNumber", "")).casefold()
            or wanted in names.get(row.get("companyID"), "").casefold()
        ]
    page = max(request.args.get("page", 1, type=int), 1)
    waiting: dict[int, int] = {}
    for item in tenant.rows("BillingItems"):
        if item.get("invoiceID") is None and item.get("companyID") is not None:
            waiting[item["companyID"]] = waiting.get(item["companyID"], 0) + 1
    shown = rows[(page - 1) * PAGE : page * PAGE]
    return render_template(
        "psa_home.html",
        tenant=tenant,
        invoices=[view.item(row) for row in shown],
        names=names,
        waiting=waiting,
        total=len(rows),
        page=page,
        pages=-(-len(rows) // PAGE),
        q=wanted,
    )


def _invoice(tenant: Tenant, id: int) -> str:
    row = tenant.row("Invoices", id)
    if row is None:
        abort(404)
    view = View(tenant, BILLING_ITEMS)
    items = [view.item(item) for item in tenant.rows("BillingItems", invoiceID=id)]
    hidden = len(tenant.world.store.find(tenant.space, actions.WAITING, "invoiceID", id))
    return render_template(
        "psa_invoice.html",
        tenant=tenant,
        invoice=View(tenant, INVOICES).item(row),
        items=items,
        names=_companies(tenant),
        hidden=hidden,
        message=request.args.get("message", ""),
    )


def _company(tenant: Tenant, id: int) -> str:
    row = tenant.row("Companies", id)
    if row is None:
        abort(404)
    invoices = [View(tenant, INVOICES).item(invoice) for invoice in tenant.rows("Invoices", companyID=id)]
    todos = tenant.rows("CompanyToDos", companyID=id)
    return render_template(
        "psa_company.html",
        tenant=tenant,
        company=View(tenant, COMPANIES).item(row),
        invoices=invoices,
        todos=todos,
        contacts=tenant.rows("Contacts", companyID=id),
    )


def _press(tenant: Tenant, id: int, action: str) -> Response:
    """One button on an invoice; a refusal comes back as a message on the same page."""
    buttons: dict[str, Callable[[Tenant, int], Any]] = {
        "void": actions.void,
        "reissue": actions.reissue,
        "clear-mark": actions.clear_mark,
        "finish": actions.finish,
    }
    if action not in buttons:
        abort(404)
    try:
        result = buttons[action](tenant, id)
    except actions.ActionError as error:
        return redirect(f"/psa/{tenant.ci}/invoices/{id}?{urlencode({'message': str(error)})}", 303)
    return redirect(f"/psa/{tenant.ci}/invoices/{result if action == 'reissue' else id}", 303)


def _approve(tenant: Tenant, company: int) -> Response:
    try:
        return redirect(f"/psa/{tenant.ci}/invoices/{actions.approve(tenant, company)}", 303)
    except actions.ActionError:
        return redirect(f"/psa/{tenant.ci}", 303)


def _todos(tenant: Tenant) -> str:
    """The local organisation's list, open ones first."""
    rows = sorted(todos.listed(tenant), key=lambda row: (row["completed"] is not None, -row["id"]))
    return render_template("psa_todos.html", tenant=tenant, todos=rows, names=_companies(tenant))


def _complete(tenant: Tenant, id: int) -> Response:
    try:
        todos.complete(tenant, id)
    except actions.ActionError:
        abort(404)
    return redirect(f"/psa/{tenant.ci}/todos", 303)


def blueprint(world: World) -> Blueprint:
    """`/psa/{ci}` and below."""
    bp = Blueprint("psa", __name__, url_prefix="/psa/<ci>")

    @bp.get("/")
    def home(ci: str) -> str:
        return _overview(_tenant(world, ci))

    @bp.get("/invoices/<int:id>")
    def invoice(ci: str, id: int) -> str:
        return _invoice(_tenant(world, ci), id)

    @bp.get("/companies/<int:id>")
    def company(ci: str, id: int) -> str:
        return _company(_tenant(world, ci), id)

    @bp.post("/invoices/<int:id>/<action>")
    def press(ci: str, id: int, action: str) -> Response:
        return _press(_tenant(world, ci), id, action)

    @bp.get("/todos")
    def todo_list(ci: str) -> str:
        return _todos(_tenant(world, ci))

    @bp.post("/todos/<int:id>/complete")
    def complete_todo(ci: str, id: int) -> Response:
        return _complete(_tenant(world, ci), id)

    @bp.post("/companies/<int:id>/approve")
    def approve(ci: str, id: int) -> Response:
        return _approve(_tenant(world, ci), id)

    psa_orders.add_pages(bp, lambda ci: _tenant(world, ci))
    return bp
