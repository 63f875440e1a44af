"""Who may call: sign-in by headers with its odd statuses, lock-out, hourly and per-endpoint limits.

Observed behaviour is imitated where it differs from the documentation: a wrong secret is 401, an unknown user
and a wrong integration code are 500.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Request, Response, g

from sandbox.autotask import answers
from sandbox.autotask.tenants import SPACE, Tenant, find_user
from sandbox.autotask.views import moment_text, parse_moment
from sandbox.world import World

THREADS = 3
HOUR = 3600
LOCKED_FOR = timedelta(minutes=30)


@dataclass(frozen=True)
class Caller:
    """A signed-in API user and its database."""

    tenant: Tenant
    user: dict[str, Any]
    impersonated: int | None = None

    @property
    def resource(self) -> int:
        """The caller's own row in Resources."""
        return int(self.user["resource"])


def sign_in(world: World, request: Request, zone: int) -> Caller:
    """Check the three headers. Raises Refused."""
    name = request.headers.get("UserName", "")
    user = find_user(world, name)
    if user is None:
        raise answers.errors("The user name or password is not valid.")
    tenant = Tenant(world, int(user["ci"]))
    if zone != int(tenant.switch("zone")) or _locked(world, user):
        raise answers.Refused(Response(status=401))
    if request.headers.get("Secret", "") != user["secret"]:
        _count_failure(world, tenant, user)
        raise answers.Refused(Response(status=401))
    if user["failures"]:
        _save_user(world, {**user, "failures": 0, "locked_at": None})
    if request.headers.get("ApiIntegrationCode", "") != user["code"]:
        raise answers.errors("IntegrationCode is invalid.")
    return Caller(tenant, user, _impersonated(tenant, request))


def _locked(world: World, user: dict[str, Any]) -> bool:
    since = user.get("locked_at")
    return bool(since) and world.clock.now() < parse_moment(str(since)) + LOCKED_FOR


def _count_failure(world: World, tenant: Tenant, user: dict[str, Any]) -> None:
    failures = user["failures"] + 1
    locked = moment_text(world.clock.now()) if failures >= int(tenant.switch("lock_after")) else None
    _save_user(world, {**user, "failures": failures, "locked_at": locked})


def _save_user(world: World, user: dict[str, Any]) -> None:
    world.store.put(SPACE, "user", user["name"].lower(), user)


def _impersonated(tenant: Tenant, request: Request) -> int | None:
    value = request.headers.get("ImpersonationResourceId")
    if not value:
        return None
    row = tenant.row("Resources", value) if value.isdigit() else None
    if row is None or tenant.label("licenseType", row.get("licenseType")).startswith("API"):
        raise answers.no_permission(int(tenant.switch("permission_status")), "impersonate this resource")
    return int(value)


def gate(world: World, request: Request, endpoint: str) -> Response | None:
    """Three requests in flight per integration code and endpoint, ten thousand an hour per database.

    Half of the hourly allowance used makes each request 0.5 s slower, three quarters 1.0 s (inferred steps).
    Runs before the handler and outside its transaction; `release` gives the place back.
    """
    user = find_user(world, request.headers.get("UserName", ""))
    if user is None or not world.limits.on:
        return None
    tenant = Tenant(world, int(user["ci"]))
    key = f"autotask/{request.headers.get('ApiIntegrationCode', '')}/{tenant.ci}/{endpoint.lower()}"
    if not world.limits.enter(key, THREADS):
        return answers.answer({"errors": [f"The thread threshold of {THREADS} threads has been exceeded."]}, 429)
    g.autotask_place = key
    threshold = int(tenant.switch("hourly_threshold"))
    hour = f"autotask/{tenant.ci}/hour"
    if world.limits.take(hour, threshold, HOUR) > 0:
        return answers.answer({"errors": ["The hourly request threshold has been exceeded."]}, 429)
    used = world.limits.used(hour, HOUR)
    if used * 2 >= threshold:
        time.sleep((1.0 if used * 4 >= threshold * 3 else 0.5) / world.limits.scale)
    return None


def release(world: World) -> None:
    """Give back the place taken by `gate`."""
    key = g.pop("autotask_place", None)
    if key is not None:
        world.limits.leave(key)


def threshold_information(tenant: Tenant) -> dict[str, int]:
    """The answer of `/ThresholdInformation`; the call itself counts."""
    return {
        "externalRequestThreshold": int(tenant.switch("hourly_threshold")),
        "requestThresholdTimeframe": 60,
        "currentTimeframeRequestCount": tenant.world.limits.used(f"autotask/{tenant.ci}/hour", HOUR),
    }
