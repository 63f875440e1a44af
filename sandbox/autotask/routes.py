"""The addresses of the simulated Autotask. Everything under `/autotask` is case-insensitive, like the real one.

`/autotask[/zone<n>]/ATServicesRest/v1.0/{Entity}/…`; zone discovery needs no credentials.
"""

import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Request, Response, g, request

from sandbox import jsonio
from sandbox.autotask import access, answers, documents, metadata, purchasing, reads, todos, writes
from sandbox.autotask.access import Caller
from sandbox.autotask.entities import BY_LOWER, CHILDREN, INVENTORY_MODULE, Entity
from sandbox.autotask.tenants import Tenant, find_user
from sandbox.autotask.views import View
from sandbox.world import World

URL_MAX = 2048
_PATH = re.compile(r"^/autotask(?:/zone(?P<zone>\d+))?/atservicesrest(?:/v1\.0)?(?:/(?P<rest>.*?))?/*$", re.IGNORECASE)
_PLAIN = {
    "zoneinformation": "zoneInformation",
    "versioninformation": "VersionInformation",
    "thresholdinformation": "ThresholdInformation",
}


@dataclass(frozen=True)
class Target:
    """What a path names: an entity, perhaps below a parent, perhaps one record, perhaps an action on it."""

    entity: Entity
    parent_id: int | None = None
    id: int | None = None
    action: str = ""
    as_child: bool = False


def blueprint(world: World) -> Blueprint:
    """The routes, and the platform's own naming, gate and refusals for the server."""
    platform = world.platforms["autotask"]
    platform.describe = lambda req: describe(world, req)
    platform.gate = lambda req: _gate(world, req)
    platform.refusal = answers.injected
    bp = Blueprint("autotask", __name__)
    verbs = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    bp.add_url_rule("/autotask/<path:rest>", "any", lambda rest: _guarded(world), methods=verbs)
    bp.add_url_rule("/AutoTask/<path:rest>", "other_case", lambda rest: _guarded(world), methods=verbs)
    bp.teardown_app_request(lambda error: access.release(world))
    return bp


def _segments(req: Request) -> tuple[int, list[str]]:
    """(zone number, path below the service root in its parts)."""
    found = _PATH.match(req.path)
    if not found:
        return 1, []
    return int(found["zone"] or 1), [part for part in (found["rest"] or "").split("/") if part]


def describe(world: World, req: Request) -> tuple[str, str | None]:
    """Names for the journal: `Invoices/query`, `Invoices PATCH`, `CompanyToDos POST`, `zoneInformation` …"""
    name = req.headers.get("UserName") or req.args.get("user") or ""
    user = find_user(world, name)
    tenant = str(user["ci"]) if user else None
    _, parts = _segments(req)
    if not parts:
        return "root", tenant
    if parts[0].lower() in _PLAIN:
        return _PLAIN[parts[0].lower()], tenant
    target = _target(parts)
    if target is None:
        return f"{parts[0]} {req.method}", tenant
    action = "query" if target.action == "query/next" else target.action
    return f"{target.entity.name}/{action}" if action else f"{target.entity.name} {req.method}", tenant


def _target(parts: list[str]) -> Target | None:
    lower = [part.lower() for part in parts]
    root = BY_LOWER.get(lower[0])
    if len(parts) >= 3 and _is_id(parts[1]) and (lower[0], lower[2]) in CHILDREN:
        child = CHILDREN[(lower[0], lower[2])]
        id = int(parts[3]) if len(parts) > 3 and _is_id(parts[3]) else None
        rest = lower[4 if id is not None else 3 :]
        return Target(child, int(parts[1]), id, "/".join(rest), True)
    if root is None:
        return None
    if len(parts) > 1 and _is_id(parts[1]):
        return Target(root, None, int(parts[1]), "/".join(lower[2:]))
    return Target(root, action="/".join(lower[1:]))


def _is_id(text: str) -> bool:
    return text.lstrip("-").isdigit()


def _gate(world: World, req: Request) -> Response | None:
    _, parts = _segments(req)
    if not parts or parts[0].lower() == "zoneinformation":
        return None
    return access.gate(world, req, g.entry.operation.split("/")[0].split(" ")[0])


def _guarded(world: World) -> Response:
    try:
        return _answer(world)
    except answers.Refused as refused:
        return refused.response


def _answer(world: World) -> Response:
    if len(request.url) > URL_MAX:
        raise answers.no_route(request.base_url)
    zone, parts = _segments(request)
    if not parts:
        raise answers.no_route(request.base_url)
    first = parts[0].lower()
    if first == "versioninformation":
        return answers.answer({"apiVersions": ["1.0"]})
    if first == "zoneinformation":
        return answers.answer(_zone(world))
    caller = access.sign_in(world, request, zone)
    if first == "thresholdinformation":
        return answers.answer(access.threshold_information(caller.tenant))
    target = _target(parts)
    if target is None:
        raise answers.no_route(request.base_url)
    return answers.answer(_dispatch(caller, target))


def _zone(world: World) -> dict[str, Any]:
    """Zone discovery. An unknown user is a 500."""
    user = find_user(world, request.args.get("user", ""))
    if user is None:
        raise answers.errors("Zone information could not be determined")
    tenant = Tenant(world, int(user["ci"]))
    zone = int(tenant.switch("zone"))
    folder = "" if zone == 1 else f"/zone{zone}"
    return {
        "zoneName": f"Sandbox {zone}",
        "url": f"{world.public_url}/autotask{folder}/ATServicesRest/",
        "webUrl": f"{world.public_url}/psa/{tenant.ci}/",
        "ci": tenant.ci,
    }


def _dispatch(caller: Caller, target: Target) -> dict[str, Any]:
    """One answer body for a target. Raises Refused."""
    action, method = target.action, request.method
    if action.startswith("entityinformation"):
        _only("GET")
        return _metadata(caller, target.entity, action)
    verb = "query" if action.startswith("query") else method
    todos.permitted(caller.tenant, target.entity.name, verb)
    purchasing.permitted(caller.tenant, target.entity.name, verb)
    if action in ("query", "query/next", "query/count"):
        return _query(caller, target.entity, action)
    if target.id is not None and target.entity.name == "Invoices" and action in documents.ACTIONS:
        _only("GET")
        return documents.ACTIONS[action](caller.tenant, target.id)
    if action:
        raise answers.no_route(request.base_url)
    if target.id is not None:
        if method == "DELETE" and "DELETE" in _verbs(target):
            return _wrote(target, writes.delete(caller, target.entity, target.id, target.parent_id), "delete")
        _only("GET")
        return reads.one(caller, target.entity, target.id, target.parent_id)
    if method == "GET" and target.as_child:
        wanted = {"filter": [{"op": "eq", "field": target.entity.parent_field, "value": target.parent_id}]}
        body = reads.page(caller, target.entity, wanted, request.base_url, None, None)
        g.entry.items = len(body["items"])
        return body
    return _write(caller, target)


def _verbs(target: Target) -> frozenset[str]:
    return target.entity.child_verbs if target.as_child else target.entity.verbs


def _only(*methods: str) -> None:
    if request.method not in methods:
        raise answers.wrong_verb(request.method)


def _metadata(caller: Caller, entity: Entity, action: str) -> dict[str, Any]:
    hidden = entity.name in INVENTORY_MODULE and not caller.tenant.switch("inventory")
    if action == "entityinformation":
        return (
            metadata.hidden_information(entity.singular)
            if hidden
            else metadata.information(entity, _updatable(caller, entity))
        )
    if hidden:
        return {"fields": []}
    if action == "entityinformation/fields":
        return metadata.fields(caller.tenant, entity)
    if action == "entityinformation/userdefinedfields":
        return {"fields": []}
    raise answers.no_route(request.base_url)


def _updatable(caller: Caller, entity: Entity) -> bool:
    switch = {"Invoices": "invoices_patch", "PurchaseOrders": "orders_patch"}.get(entity.name)
    return switch is None or bool(caller.tenant.switch(switch))


def _query(caller: Caller, entity: Entity, action: str) -> dict[str, Any]:
    _only("GET", "POST")
    search = request.args.get("search") if request.method == "GET" else None
    if request.method == "GET" and search is None:
        # The next page of a POST query asked for with GET: no such action on the web server.
        raise answers.wrong_verb("GET")
    body = _object(search if search is not None else request.get_data(as_text=True))
    if action == "query/count":
        rows = reads.matching(caller, entity, View(caller.tenant, entity), body)
        return {"queryCount": len(rows)}
    paging = _object(request.args.get("paging", "")) if action == "query/next" else None
    address = f"{request.base_url.removesuffix('/').removesuffix('/next')}/next"
    answer = reads.page(caller, entity, body, address, paging, search)
    g.entry.items = len(answer["items"])
    return answer


def _object(text: str) -> dict[str, Any]:
    try:
        value = jsonio.loads(text)
    except ValueError as error:
        raise answers.errors(f"The request is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise answers.errors("The request must be a JSON object.")
    return value


def _write(caller: Caller, target: Target) -> dict[str, Any]:
    method, entity = request.method, target.entity
    if method not in _verbs(target):
        raise answers.wrong_verb(method)
    if entity.name == "Invoices" and not caller.tenant.switch("invoices_patch"):
        raise answers.no_permission(int(caller.tenant.switch("permission_status")), "edit Invoices")
    body = _object(request.get_data(as_text=True))
    if method == "POST":
        return _wrote(target, writes.create(caller, entity, body, target.parent_id), "create")
    changed = writes.update(caller, entity, body, target.parent_id, whole=method == "PUT")
    return _wrote(target, changed, "update")


def _wrote(target: Target, id: int, action: str) -> dict[str, Any]:
    g.entry.effect(target.entity.name, id, action)
    g.entry.items = 1
    return {"itemId": id}
