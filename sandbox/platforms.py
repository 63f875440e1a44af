"""What the server must know of a platform before its own code runs: how to name a call, when to refuse it.

The namings here are the defaults, from the path alone; a platform's package replaces what it knows better:
`world.platforms["qbo"].gate = ...`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Request, Response

from sandbox import jsonio

Describe = Callable[[Request], tuple[str, str | None]]
Refusal = Callable[[int, dict[str, Any]], Response]


def no_gate(request: Request) -> Response | None:
    """Let every call in."""
    return None


def plain_refusal(status: int, params: dict[str, Any]) -> Response:
    """The body of an injected 401, 429 or 500 where the platform has given no form of its own."""
    response = Response(
        jsonio.dumps({"errors": [f"The sandbox answers {status} because it was told to."]}),
        status,
        mimetype="application/json",
    )
    if params.get("retry_after") is not None:
        response.headers["Retry-After"] = str(params["retry_after"])
    return response


def describe_intuit(request: Request) -> tuple[str, str | None]:
    """(operation, None): the part of the path that tells the identity endpoints apart."""
    path = request.path.lower()
    names = {
        "tokens/bearer": "token",
        "tokens/revoke": "revoke",
        "userinfo": "userinfo",
        "jwks": "jwks",
        "connect/oauth2": "authorize",
        "myapps": "myapps",
        "openid_": "discovery",
    }
    return next((name for part, name in names.items() if part in path), path.removeprefix("/intuit/")), None


def describe_qbo(request: Request) -> tuple[str, str | None]:
    """(operation, realm): `batch`, `query`, `cdc`, `invoice read`, `invoice create`, `invoice void` …"""
    found = re.match(r"/qbo/v3/company/([^/]+)/([^/]+)(/.*)?", request.path, re.IGNORECASE)
    if not found:
        return request.path, None
    realm, entity, rest = found.group(1), found.group(2).lower(), found.group(3) or ""
    if entity in ("batch", "query", "cdc", "companyinfo", "preferences", "upload"):
        return entity, realm
    verb = request.args.get("operation", "read" if request.method == "GET" else "create").lower()
    tail = rest.rsplit("/", 1)[-1].lower()
    return f"{entity} {tail if tail in ('pdf', 'send') else verb}", realm


def describe_xero_identity(request: Request) -> tuple[str, str | None]:
    """(operation, None): `token`, `revoke`, `connections GET`, `connections DELETE`, `authorize` …"""
    path = request.path.lower().removeprefix("/xero/")
    names = {
        "connect/token": "token",
        "connect/revocation": "revoke",
        "connect/userinfo": "userinfo",
        "connect/authorize": "authorize",
        "/jwks": "jwks",
        "openid-configuration": "discovery",
        "api/connections": f"connections {request.method}",
    }
    return next((name for part, name in names.items() if part in path), path), None


def describe_xero(request: Request) -> tuple[str, str | None]:
    """(operation, organisation): `invoices GET`, `invoices PUT`, `invoices/id POST`, `invoices/id/attachments PUT` …"""
    parts = request.path.lower().removeprefix("/xero/api/api.xro/2.0").strip("/").split("/")
    named = [parts[0], "id" if parts[1:] else "", *parts[2:3]]
    tenant = request.headers.get("xero-tenant-id", "").lower() or None
    return f"{'/'.join(filter(None, named))} {request.method}", tenant


def members_of_qbo(request: Request) -> int:
    """Items of a batch; 1 for anything else."""
    return _length(request, "BatchItemRequest") if request.path.lower().endswith("/batch") else 1


def members_of_xero(request: Request) -> int:
    """Elements of a write; 1 for a read and for a single object."""
    if request.method not in ("PUT", "POST"):
        return 1
    return _length(request, request.path.rstrip("/").rsplit("/", 1)[-1])


def _length(request: Request, name: str) -> int:
    try:
        body = jsonio.loads(request.get_data())
        rows = next(value for member, value in body.items() if member.lower() == name.lower())
        return max(1, len(rows))
    except (ValueError, AttributeError, StopIteration, TypeError):
        return 1  # the handler will say what is wrong with it


def describe_autotask(request: Request) -> tuple[str, str | None]:
    """(operation, None) such as `invoices/query`, `invoices PATCH`; the tenant is known by the user name."""
    path = re.sub(r"^/autotask/atservicesrest/(v1\.0/)?", "", request.path.lower()).strip("/")
    path = re.sub(r"/-?\d+", "", path)
    if path.endswith(("query", "query/next", "query/count", "information")):
        return path, None
    return f"{path} {request.method}", None


def one_member(request: Request) -> int:
    """A call about one thing."""
    return 1


@dataclass
class Platform:
    """One simulated service. `gate` runs first, outside any transaction, and may refuse (rate limits);
    `refusal(status, params)` words an injected 401, 429 or 500 as the platform would; `members` counts the items
    of a bulk call, for its waiting time."""

    name: str
    prefix: str
    describe: Describe
    gate: Callable[[Request], Response | None] = no_gate
    refusal: Refusal = plain_refusal
    members: Callable[[Request], int] = one_member


def all_platforms() -> dict[str, Platform]:
    """The services of the sandbox. Of two whose prefixes both fit, the first one is meant."""
    return {
        "intuit": Platform("intuit", "/intuit", describe_intuit),
        "qbo": Platform("qbo", "/qbo", describe_qbo, members=members_of_qbo),
        "xero": Platform("xero", "/xero/api/api.xro", describe_xero, members=members_of_xero),
        "xero_identity": Platform("xero_identity", "/xero", describe_xero_identity),
        "autotask": Platform("autotask", "/autotask", describe_autotask),
    }
