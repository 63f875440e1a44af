"""`/control`: seed, faults, limits, waiting times, clock, journal, books, switches, actions, audit. All JSON.

For whoever drives the sandbox (demo, tests, a person with curl); no simulated platform has it. A request that
makes no sense gets 400 with `{"error": …}` and changes nothing.
"""

from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox import audit, audit_orders, faults, jsonio, ledgers
from sandbox.autotask import actions, purchasing, todos
from sandbox.autotask.tenants import SPACE, SWITCHES, Tenant, all_tenants, find_tenant, find_user, set_switches
from sandbox.autotask.views import parse_moment
from sandbox.seeds import msp, order_problems, retail
from sandbox.seeds.ledger import opened
from sandbox.world import World

Body = dict[str, Any]


class ControlError(ValueError):
    """The request names something that is not there or is not of the right form."""


def _body() -> Body:
    data = request.get_data()  # whatever the content type: curl sends forms unless told otherwise
    body = jsonio.loads(data) if data.strip() else {}
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body


def _tenant(world: World, name: str | int | None) -> Tenant:
    tenant = find_tenant(world, name) if name is not None else None
    if tenant is None:
        raise ControlError(f"there is no Autotask tenant {name!r}")
    return tenant


def _day(name: str) -> date | None:
    text = request.args.get(name)
    return date.fromisoformat(text) if text else None


def _health(world: World) -> Body:
    return {
        "ok": True,
        "now": world.clock.now(),
        "tenants": len(all_tenants(world)),
        "limits": "on" if world.limits.on else "off",
        "latency": world.latency.mode,
        "smtp_port": world.smtp_port,
        "app_url": world.app_url,
        "public_url": world.public_url,
    }


def _tenants(world: World) -> Body:
    return {
        "autotask": [
            {**tenant.body, "switches": {name: tenant.switch(name) for name in SWITCHES}}
            for tenant in all_tenants(world)
        ],
        "quickbooks": ledgers.QBO.books.companies(world),
        "xero": ledgers.XERO.books.companies(world),
    }


def _seed_retail(world: World) -> Body:
    body = _body()
    data = body.get("data") or Path(__file__).parent / "data" / "online-retail"
    if "again" in body:
        return retail.again(world, data, slug=str(body.get("slug", "retail")), prefix=str(body["again"]))
    return retail.load(
        world,
        data,
        slug=str(body.get("slug", "retail")),
        profile=str(body.get("profile", "uk")),
        switches=body.get("switches"),
        days_ago_last=int(body.get("days_ago_last", 1)),
    )


def _seed_msp(world: World) -> Body:
    return msp.generate(world, **_body())


def _plan(world: World) -> Body:
    body = _body()
    if "name" not in body:
        raise ControlError("a fault needs a name; GET /control/faults/catalogue lists them")
    return {"id": world.faults.plan(**body)}


def _limits(world: World) -> Body:
    body = _body()
    if body:
        world.limits.switch(body.get("on"), None if body.get("scale") is None else float(body["scale"]))
    return {"on": world.limits.on, "scale": world.limits.scale}


def _latency(world: World) -> Body:
    body = _body()
    if body:
        world.latency.switch(
            body.get("mode"), None if body.get("scale") is None else float(body["scale"]), body.get("seed")
        )
    return {"mode": world.latency.mode, "scale": world.latency.scale, "seed": world.latency.seed}


def _clock(world: World) -> Body:
    body = _body()
    if "offset" in body:
        world.clock.set_offset(int(body["offset"]))
    if "advance" in body:
        world.clock.advance(int(body["advance"]))
    return {"now": world.clock.now(), "offset": world.clock.offset}


def _journal_filter() -> Body:
    return {
        "platform": request.args.get("platform"),
        "tenant": request.args.get("tenant"),
        "since_id": request.args.get("since_id", 0, type=int),
    }


def _switches(world: World, tenant: str) -> Body:
    """Switches of an Autotask tenant (by ci or slug), a ledger, or an identity service (`intuit`, `xero_identity`).

    A realm's body may also hold `preferences`: {group: {member: value}}, such as a closing date; an organisation's
    `period_lock`, `year_lock` (ISO dates or null), `currencies` (list) and `pays_tax`.
    """
    if tenant in ("intuit", "xero_identity"):
        identity = import_module(f"sandbox.{tenant}.settings")
        if request.get_data():
            identity.set_switches(world, **_body())
        return {name: identity.switch(world, name) for name in identity.SWITCHES}
    found = find_tenant(world, tenant)
    if found is not None:
        return set_switches(found, _body())
    if ledgers.kind_of(world, tenant) is ledgers.XERO:
        return _organisation_switches(world, tenant)
    realm_module = import_module("sandbox.qbo.realm")
    realm = realm_module.Realm(world, tenant)
    if request.get_data():
        body = _body()
        for group, members in body.pop("preferences", {}).items():
            import_module("sandbox.qbo.preferences").change(realm, group, **members)
        realm.set_switches(body)
    return {name: realm.switch(name) for name in realm_module.SWITCHES}


def _organisation_switches(world: World, tenant: str) -> Body:
    organisation = import_module("sandbox.xero.organisation")
    org = organisation.Organisation(world, tenant)
    facts = ("period_lock", "year_lock", "currencies", "pays_tax")
    body = _body()
    org.set_switches({name: value for name, value in body.items() if name not in facts})
    org.keep(org.settings | {name: body[name] for name in facts if name in body})
    return {name: org.switch(name) for name in organisation.SWITCHES} | {name: org.settings.get(name) for name in facts}


def _act(world: World, tenant: str, action: str) -> Body:
    """Carry out one action of a person in Autotask; the body holds its arguments."""
    found, body = _tenant(world, tenant), _body()
    if action not in ACTIONS:
        raise ControlError(f"no action is called {action!r}; there are {', '.join(ACTIONS)}")
    return ACTIONS[action](found, body)


def _issue(tenant: Tenant, body: Body) -> Body:
    lines = [dict(line) for line in body.pop("lines", [])]
    company = body.pop("company", None)
    number = body.pop("number", "")
    return {
        "id": actions.issue(
            tenant, company, lines, number=number, still_building=int(body.pop("still_building", 0)), **body
        )
    }


def _unlock(tenant: Tenant, body: Body) -> Body:
    user = find_user(tenant.world, str(body.get("user", f"api@{tenant.slug}.sandbox.invalid")))
    if user is None:
        raise ControlError("there is no such user")
    tenant.world.store.put(SPACE, "user", user["name"].lower(), {**user, "failures": 0, "locked_at": None})
    return {"unlocked": user["name"]}


def _invoice_action(action: Callable[[Tenant, int], None]) -> Callable[[Tenant, Body], Body]:
    """An action on one invoice that gives nothing back."""

    def act(tenant: Tenant, body: Body) -> Body:
        action(tenant, int(body["invoice"]))
        return {"done": True}

    return act


def _order(tenant: Tenant, body: Body) -> Body:
    lines = [dict(line) for line in body.pop("lines", [])]
    for name in ("at", "submitted"):
        if name in body:
            body[name] = parse_moment(str(body[name]))
    return {"id": purchasing.order(tenant, int(body.pop("vendor")), lines, **body)}


def _receipt(body: Body) -> Body:
    return {name: body.get(name) for name in ("quantities", "number")}


def _order_action(action: Callable[[Tenant, int], None]) -> Callable[[Tenant, Body], Body]:
    """An action on one purchase order that gives nothing back."""

    def act(tenant: Tenant, body: Body) -> Body:
        action(tenant, int(body["order"]))
        return {"done": True}

    return act


def _change(tenant: Tenant, body: Body) -> Body:
    purchasing.change(tenant, str(body["entity"]), int(body["id"]), body["changes"])
    return {"done": True}


def _edit(tenant: Tenant, body: Body) -> Body:
    actions.edit(tenant, int(body["invoice"]), body["changes"])
    return {"done": True}


def _on_record(action: Callable[[Tenant, int], None]) -> Callable[[Tenant, Body], Body]:
    """An action on the record named by `id`."""

    def act(tenant: Tenant, body: Body) -> Body:
        action(tenant, int(body["id"]))
        return {"done": True}

    return act


def _set_active(tenant: Tenant, body: Body) -> Body:
    todos.set_active(tenant, str(body["entity"]), int(body["id"]), bool(body["active"]))
    return {"done": True}


ACTIONS: dict[str, Callable[[Tenant, Body], Body]] = {
    "issue": _issue,
    "approve": lambda tenant, body: {"id": actions.approve(tenant, int(body["company"]))},
    "void": _invoice_action(actions.void),
    "reissue": lambda tenant, body: {"id": actions.reissue(tenant, int(body["invoice"]))},
    "more": lambda tenant, body: {"invoices": actions.more(tenant, int(body["count"]))},
    "clear_mark": _invoice_action(actions.clear_mark),
    "edit": _edit,
    "finish": lambda tenant, body: {"lines": actions.finish(tenant, int(body["invoice"]))},
    "unlock": _unlock,
    "order": _order,
    "receive": lambda tenant, body: {"ids": purchasing.receive(tenant, int(body.pop("order")), **_receipt(body))},
    "take_back": lambda tenant, body: {"ids": purchasing.take_back(tenant, int(body["order"]))},
    "submit_order": _order_action(purchasing.submit),
    "cancel_order": _order_action(purchasing.cancel),
    "change": _change,
    "complete_todo": _on_record(todos.complete),
    "remove_todo": _on_record(todos.remove),
    "set_active": _set_active,
}


def _audit(world: World) -> Body:
    ci, realm = request.args.get("ci"), request.args.get("realm")
    if not realm:
        raise ControlError("the audit needs ci and realm")
    options: Body = {
        "window_start": _day("window_start"),
        "start": _day("start"),
        "to": request.args.get("to"),
        "skip_zero": request.args.get("skip_zero", "1") == "1",
        "stand_in": request.args.get("stand_in") == "1",
    }
    tenant = _tenant(world, ci)
    account = audit.audit(world, tenant.ci, realm, since_mark=request.args.get("since_mark", 0, type=int), **options)
    if request.args.get("details") == "1":
        account["details"] = audit.details(world, tenant.ci, realm, **options)
    return account


def _audit_orders(world: World) -> Body:
    tenant, realm = _tenant(world, request.args.get("ci")), request.args.get("realm")
    if not realm:
        raise ControlError("the audit needs ci and realm")
    return audit_orders.audit(
        world,
        tenant.ci,
        realm,
        window_start=_day("window_start"),
        received=request.args.get("received") == "1",
    )


def _cure(world: World) -> Body:
    """A person mends what was planted in orders, on either platform."""
    body = _body()
    books = opened(world, str(body["realm"]))
    return {"cured": order_problems.cure(_tenant(world, body["ci"]), books, body.get("problems"))}


def _reset(world: World) -> Body:
    world.reset()
    return {"done": True}


def _clear_faults(world: World) -> Body:
    world.faults.clear()
    return {"done": True}


def _books(world: World, realm: str) -> Body:
    books = ledgers.kind_of(world, realm).books
    return {
        "documents": books.documents(world, realm),
        "purchases": books.purchases(world, realm),
        "trial_balance": books.trial_balance(world, realm),
    }


def _set_app(world: World) -> Body:
    body = _body()
    world.app_url = str(body.get("app_url", world.app_url)).rstrip("/")
    world.redirect_uris = [str(uri) for uri in body.get("redirect_uris", world.redirect_uris)]
    return {"app_url": world.app_url, "redirect_uris": world.redirect_uris, "client_id": world.client_id}


def blueprint(world: World) -> Blueprint:
    """All control addresses."""
    bp = Blueprint("control", __name__)
    routes: list[tuple[str, str, Callable[..., Any]]] = [
        ("GET", "/health", lambda: _health(world)),
        ("GET", "/tenants", lambda: _tenants(world)),
        ("POST", "/app", lambda: _set_app(world)),
        ("POST", "/reset", lambda: _reset(world)),
        ("POST", "/seed/retail", lambda: _seed_retail(world)),
        ("POST", "/seed/msp", lambda: _seed_msp(world)),
        ("GET", "/faults", lambda: world.faults.planned()),
        ("POST", "/faults", lambda: _plan(world)),
        ("DELETE", "/faults", lambda: _clear_faults(world)),
        ("GET", "/faults/catalogue", lambda: {**faults.WIRE, **faults.HANDLER}),
        ("GET POST", "/limits", lambda: _limits(world)),
        ("GET POST", "/latency", lambda: _latency(world)),
        ("GET POST", "/clock", lambda: _clock(world)),
        ("GET", "/journal", lambda: world.journal.rows(**_journal_filter(), limit=request.args.get("limit", type=int))),
        ("GET", "/journal/counts", lambda: world.journal.counts(**_journal_filter())),
        ("GET", "/journal/mark", lambda: {"mark": world.journal.mark()}),
        ("GET", "/metering", lambda: import_module("sandbox.qbo.metering").read(world)),
        ("GET", "/books/<realm>", lambda realm: _books(world, realm)),
        ("GET POST", "/switches/<tenant>", lambda tenant: _switches(world, tenant)),
        ("POST", "/actions/<tenant>/<action>", lambda tenant, action: _act(world, tenant, action)),
        ("GET", "/todos/<tenant>", lambda tenant: todos.listed(_tenant(world, tenant))),
        ("GET", "/audit/orders", lambda: _audit_orders(world)),
        ("POST", "/cure/orders", lambda: _cure(world)),
        ("GET", "/audit", lambda: _audit(world)),
    ]
    for methods, path, answer in routes:
        bp.add_url_rule(
            f"/control{path}",
            f"{methods} {path}".replace("/", "_").replace(".", "_"),
            _json(answer),
            methods=methods.split(),
        )
    bp.register_error_handler(Exception, _refuse)
    return bp


def _json(answer: Callable[..., Any]) -> Callable[..., Response]:
    return lambda **values: jsonify(answer(**values))


def _refuse(error: Exception) -> tuple[Response, int]:
    """400 for what the caller got wrong; anything else is a defect and stays one."""
    if isinstance(error, HTTPException):
        return jsonify({"error": error.description}), error.code or 500
    if isinstance(error, ValueError | KeyError | TypeError):
        return jsonify({"error": str(error) or type(error).__name__, "kind": type(error).__name__}), 400
    raise error
