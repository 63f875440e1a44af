"""Signing in to the simulated Autotask: the observed statuses, zones, lock-out, permissions, limits."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests

from sandbox.autotask.tenants import find_tenant, set_switches
from sandbox.world import World
from tests.sandbox.autotask_client import Autotask, seeded


@pytest.fixture
def api(sandbox: str, sandbox_world: World) -> Autotask:
    return seeded(sandbox_world, sandbox, invoices=6)


def switch(world: World, api: Autotask, **changes: Any) -> None:
    tenant = find_tenant(world, api.seeded["ci"])
    assert tenant is not None
    set_switches(tenant, changes)


def test_zone_discovery_needs_no_credentials_and_gives_a_mixed_case_address(sandbox: str, api: Autotask) -> None:
    answer = requests.get(
        f"{sandbox}/autotask/atservicesrest/v1.0/zoneInformation",
        params={"user": api.seeded["autotask"]["user"]},
        timeout=5,
    )
    assert answer.json() == {
        "zoneName": "Sandbox 1",
        "url": f"{sandbox}/autotask/ATServicesRest/",
        "webUrl": f"{sandbox}/psa/{api.seeded['ci']}/",
        "ci": api.seeded["ci"],
    }


@pytest.mark.parametrize("user", ["", "nobody@nowhere.invalid"])
def test_zone_discovery_of_an_unknown_user_is_a_500(sandbox: str, api: Autotask, user: str) -> None:
    answer = requests.get(f"{sandbox}/autotask/ATServicesRest/V1.0/ZoneInformation", params={"user": user}, timeout=5)
    assert (answer.status_code, answer.json()) == (500, {"errors": ["Zone information could not be determined"]})


@pytest.mark.parametrize(
    ("header", "value", "status", "text"),
    [
        ("Secret", "wrong", 401, None),
        ("UserName", "nobody@nowhere.invalid", 500, "user name"),
        ("ApiIntegrationCode", "WRONG", 500, "IntegrationCode is invalid."),
    ],
)
def test_bad_credentials_answer_as_observed(
    api: Autotask, header: str, value: str, status: int, text: str | None
) -> None:
    answer = api.call("GET", "Companies/0", headers={header: value})
    assert answer.status_code == status
    if text is None:
        assert answer.content == b""
    else:
        assert text in answer.json()["errors"][0]


def test_repeated_wrong_secrets_lock_the_user_until_unlocked(sandbox: str, sandbox_world: World, api: Autotask) -> None:
    switch(sandbox_world, api, lock_after=3)
    for _ in range(3):
        api.call("GET", "Companies/0", headers={"Secret": "wrong"})
    assert api.call("GET", "Companies/0").status_code == 401
    requests.post(f"{sandbox}/control/actions/{api.seeded['slug']}/unlock", json={}, timeout=5)
    assert api.call("GET", "Companies/0").status_code == 200


def test_a_moved_database_answers_401_in_the_old_zone_and_is_found_in_the_new(
    sandbox: str, sandbox_world: World, api: Autotask
) -> None:
    switch(sandbox_world, api, zone=2)
    assert api.call("GET", "Companies/0").status_code == 401
    zone = requests.get(
        f"{sandbox}/autotask/ATServicesRest/V1.0/ZoneInformation",
        params={"user": api.seeded["autotask"]["user"]},
        timeout=5,
    ).json()
    api.url = f"{zone['url']}V1.0"
    assert api.call("GET", "Companies/0").status_code == 200


def test_a_user_without_permission_may_not_mark_invoices(sandbox_world: World, api: Autotask) -> None:
    id = api.query("Invoices")[0]["id"]
    switch(sandbox_world, api, invoices_patch=False, permission_status=403)
    answer = api.call("PATCH", "Invoices", {"id": id, "webServiceDate": "2026-11-22T02:15:00"})
    assert api.refusal(answer) == (
        403,
        "The logged in Resource does not have the adequate permissions to edit Invoices.",
    )
    info = api.call("GET", "Invoices/entityInformation").json()["info"]
    assert (info["canUpdate"], info["userAccessForUpdate"]) == (False, 0)


def test_a_restricted_user_silently_sees_fewer_invoices(sandbox_world: World, api: Autotask) -> None:
    everything = api.query("Invoices")
    hidden = {row["id"] for row in everything if row["companyID"] % 3 == 0}
    assert hidden
    switch(sandbox_world, api, restricted=True)
    assert {row["id"] for row in api.query("Invoices")} == {row["id"] for row in everything} - hidden
    assert api.one("Invoices", min(hidden)) is None


def test_without_the_inventory_module_purchase_orders_are_described_as_forbidden(api: Autotask) -> None:
    assert api.call("GET", "PurchaseOrders/entityInformation").json()["info"]["userAccessForQuery"] == 0
    assert api.refusal(api.call("POST", "PurchaseOrders/query", {"filter": []}))[0] == 500


def test_a_fourth_call_in_flight_at_one_endpoint_is_refused(sandbox_world: World, api: Autotask) -> None:
    sandbox_world.faults.plan("slow", "autotask", operation="Invoices/query", times=3, seconds=0.5)
    answers: list[int] = []
    ready = threading.Barrier(4)

    def call() -> None:
        client = Autotask(api.base, api.seeded)
        ready.wait(5)
        answers.append(client.call("POST", "invoices/query", {"filter": [{"op": "exist", "field": "id"}]}).status_code)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(answers) == [200, 200, 200, 429]
    assert api.call("GET", "Companies/0").status_code == 200
    refused = [row for row in sandbox_world.journal.rows("autotask") if row["status"] == 429]
    assert [row["operation"] for row in refused] == ["Invoices/query"]


def test_the_hourly_threshold_counts_every_call_and_refuses_above_it(sandbox_world: World, api: Autotask) -> None:
    sandbox_world.limits.switch(scale=1000)
    switch(sandbox_world, api, hourly_threshold=4)
    sandbox_world.limits.clear()
    information = [api.call("GET", "ThresholdInformation").json() for _ in range(2)]
    assert [body["currentTimeframeRequestCount"] for body in information] == [1, 2]
    assert information[0]["externalRequestThreshold"] == 4
    statuses = [api.call("GET", "Companies/0").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    sandbox_world.limits.switch(on=False)
    assert api.call("GET", "Companies/0").status_code == 200
