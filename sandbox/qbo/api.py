"""Routes of the simulated QuickBooks Online v3 REST API: parse the request, call the rules, word the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, g, request

from sandbox import jsonio
from sandbox.qbo import batch, cdc, currencies, files, guard, metering, replay, taxservice, wire, writes
from sandbox.qbo.errors import QboFault, fault, not_found
from sandbox.qbo.realm import Realm
from sandbox.qbo.select import run, stale_horizon

Handler = Callable[[Realm], Response]


def blueprint(world: Any) -> Blueprint:
    """The API under ``/qbo/v3/company/<realm>/``; also sets the platform's gate and refusals."""
    routes = Blueprint("qbo", __name__, url_prefix="/qbo")
    world.platforms["qbo"].gate = lambda incoming: guard.gate(world, incoming)
    world.platforms["qbo"].refusal = lambda status, params: guard.refusal(world, status, params)

    def call(realm_id: str, handler: Handler) -> Response:
        return _guarded(world, realm_id, handler)

    base = "/v3/company/<realm_id>"
    routes.add_url_rule(f"{base}/query", "query", lambda realm_id: call(realm_id, _query), methods=["GET", "POST"])
    routes.add_url_rule(f"{base}/batch", "batch", lambda realm_id: call(realm_id, _batch), methods=["POST"])
    routes.add_url_rule(f"{base}/cdc", "cdc", lambda realm_id: call(realm_id, _cdc), methods=["GET"])

    routes.add_url_rule(f"{base}/exchangerate", "rate", lambda realm_id: call(realm_id, _rate), methods=["GET", "POST"])
    routes.add_url_rule(f"{base}/upload", "upload", lambda realm_id: call(realm_id, _upload), methods=["POST"])
    routes.add_url_rule(
        f"{base}/taxservice/taxcode", "tax_service", lambda realm_id: call(realm_id, _tax_service), methods=["POST"]
    )

    @routes.get(f"{base}/download/<ident>")
    def download(realm_id: str, ident: str) -> Response:
        return call(realm_id, lambda realm: _bytes(files.content(realm, ident), "application/octet-stream"))

    @routes.get(f"{base}/<entity>/<ident>/pdf")
    def pdf(realm_id: str, entity: str, ident: str) -> Response:
        return call(realm_id, lambda realm: _pdf(realm, entity, ident))

    @routes.post(f"{base}/<entity>/<ident>/send")
    def send(realm_id: str, entity: str, ident: str) -> Response:
        return call(realm_id, lambda realm: _send(realm, entity, ident))

    @routes.get(f"{base}/<entity>")
    @routes.get(f"{base}/<entity>/<ident>")
    def read(realm_id: str, entity: str, ident: str = "1") -> Response:
        return call(realm_id, lambda realm: _read(realm, entity, ident))

    @routes.post(f"{base}/<entity>")
    def write(realm_id: str, entity: str) -> Response:
        return call(realm_id, lambda realm: _write(realm, entity))

    return routes


def _guarded(world: Any, realm_id: str, handler: Handler) -> Response:
    """Token check, then the handler; a fault undoes what the handler wrote and becomes a 400."""
    refused = guard.check_token(world, request, realm_id)
    if refused is not None:
        return refused
    realm = Realm(world, realm_id)
    try:
        with world.store.transaction():
            response = handler(realm)
    except QboFault as problem:
        return wire.fault_answer(realm.now().astimezone(realm.zone), problem)
    g.entry.effects.extend(realm.effects)
    return response


def _envelope(realm: Realm, members: Mapping[str, Any]) -> Response:
    return wire.answer(realm.now().astimezone(realm.zone), members)


def _json_body() -> Any:
    try:
        return jsonio.loads(request.get_data())
    except UnicodeDecodeError:
        raise fault("500", "MalformedByteSequence: Invalid byte of UTF-8 sequence.", status=500) from None
    except ValueError as problem:
        raise fault("2010", f"The request body is not JSON: {problem}") from None


def _query(realm: Realm) -> Response:
    statement = request.args.get("query", "") if request.method == "GET" else _statement()
    answer = run(realm, statement)
    g.entry.items = int(answer.get("maxResults", 0))
    metering.count(realm.world, core_plus=1)
    return _envelope(realm, {"QueryResponse": answer})


def _statement() -> str:
    """The body of POST /query: ``application/text`` or ``text/plain``, UTF-8."""
    kind = (request.content_type or "").split(";")[0].strip().lower()
    if kind not in ("application/text", "text/plain"):
        raise fault("500", f"Content type {kind or 'none'} is not supported for query.")
    try:
        return request.get_data().decode("utf-8")
    except UnicodeDecodeError:
        raise fault("500", "MalformedByteSequence: Invalid byte of UTF-8 sequence.", status=500) from None


def _batch(realm: Realm) -> Response:
    texts, count = batch.execute(realm, _json_body(), request.args.get("requestid"))
    g.entry.items = count
    now = wire.moment(realm.now().astimezone(realm.zone))
    return wire.text_answer(f'{{"BatchItemResponse":[{",".join(texts)}],"time":"{now}"}}')


def _cdc(realm: Realm) -> Response:
    answer = cdc.changes(realm, request.args.get("entities", ""), request.args.get("changedSince", ""))
    groups = answer["CDCResponse"][0]["QueryResponse"]
    g.entry.items = sum(int(group.get("maxResults", 0)) for group in groups)
    metering.count(realm.world, core_plus=1)
    return _envelope(realm, answer)


def _read(realm: Realm, name: str, ident: str) -> Response:
    entity = writes.entity_named(name)
    if entity.kind in ("CompanyInfo", "Preferences"):
        ident = "1"
    record = _found(realm, entity.kind, ident)
    metering.count(realm.world, core_plus=1)
    return _envelope(realm, {entity.kind: realm.present(record)})


def _write(realm: Realm, name: str) -> Response:
    request_id = request.args.get("requestid")
    replay.check_id(request_id)
    known = replay.recall(realm, request_id) if request_id else None
    if known is not None:
        return wire.text_answer(known)
    entity = writes.entity_named(name)
    operation = request.args.get("operation", "create").lower()
    if operation not in writes.OPERATIONS:
        raise fault("500", f"Operation {operation} is not supported.")
    options = [part.strip() for part in request.args.get("include", "").lower().split(",")]
    response = _envelope(realm, {entity.kind: writes.perform(realm, entity, operation, _json_body(), options)})
    if request_id:
        replay.keep(realm, request_id, response.get_data(as_text=True))
    metering.count(realm.world, core=1)
    return response


def _found(realm: Realm, kind: str, ident: str) -> dict[str, Any]:
    """A record a reader sees. Raises ``QboFault`` 610."""
    record = realm.record(kind, ident)
    horizon = stale_horizon(realm)
    unseen = record is not None and horizon is not None and record["born"] > horizon
    if record is None or unseen or record["state"] == "deleted":
        raise not_found(kind, ident)
    return record


def _rate(realm: Realm) -> Response:
    if request.method == "POST":
        metering.count(realm.world, core=1)
        return _envelope(realm, {"ExchangeRate": currencies.write_rate(realm, _json_body())})
    metering.count(realm.world, core_plus=1)
    code, day = request.args.get("sourcecurrencycode", ""), request.args.get("asofdate", "")
    return _envelope(realm, {"ExchangeRate": currencies.read_rate(realm, code, day)})


def _upload(realm: Realm) -> Response:
    answers = files.upload(realm, request.content_type or "", request.get_data())
    metering.count(realm.world, core=1)
    return _envelope(realm, {"AttachableResponse": answers})


def _tax_service(realm: Realm) -> Response:
    made = taxservice.create(realm, _json_body())
    metering.count(realm.world, core=1)
    return wire.text_answer(jsonio.dumps(made))


def _mailable(realm: Realm, name: str, ident: str) -> dict[str, Any]:
    """A document that can be mailed, as far as the simulator mails."""
    return _printable(realm, name, ident, ("Invoice", "CreditMemo"))


def _printable(realm: Realm, name: str, ident: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    entity = writes.entity_named(name)
    if entity.kind not in kinds:
        raise fault("500", f"Operation on entity {entity.kind} is not supported.")
    return _found(realm, entity.kind, ident)


def _pdf(realm: Realm, name: str, ident: str) -> Response:
    metering.count(realm.world, core_plus=1)
    record = _printable(realm, name, ident, ("Invoice", "CreditMemo", "PurchaseOrder"))
    return _bytes(files.pdf(realm, record), "application/pdf")


def _send(realm: Realm, name: str, ident: str) -> Response:
    request_id = request.args.get("requestid")
    replay.check_id(request_id)
    known = replay.recall(realm, request_id) if request_id else None
    if known is not None:
        return wire.text_answer(known)
    record = _mailable(realm, name, ident)
    metering.count(realm.world, core=1)
    response = _envelope(realm, {record["kind"]: files.send(realm, record, request.args.get("sendTo"))})
    if request_id:
        replay.keep(realm, request_id, response.get_data(as_text=True))
    return response


def _bytes(content: bytes, kind: str) -> Response:
    return wire.finish(Response(content, 200, content_type=kind))
