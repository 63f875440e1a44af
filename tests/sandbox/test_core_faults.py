"""Faults of the wire: each does what its name says, to the call it was planned for, and the journal knows."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.faults import Faults
from sandbox.store import Store
from sandbox.world import World
from tests.sandbox.autotask_client import Autotask, seeded
from tools.waiting import wait_until


@pytest.fixture
def api(sandbox: str, sandbox_world: World) -> Autotask:
    return seeded(sandbox_world, sandbox, invoices=2)


@pytest.fixture
def invoice(api: Autotask) -> int:
    return int(api.query("Invoices")[0]["id"])


def mark(api: Autotask, id: int) -> requests.Response:
    return api.call("PATCH", "Invoices", {"id": id, "webServiceDate": "2026-11-22T02:15:00"})


def marked(api: Autotask, id: int) -> bool:
    return api.one("Invoices", id)["webServiceDate"] is not None


@pytest.mark.parametrize(("name", "done"), [("response_lost", True), ("request_lost", False)])
def test_a_lost_answer_is_committed_and_a_lost_request_is_not(
    sandbox_world: World, api: Autotask, invoice: int, name: str, done: bool
) -> None:
    sandbox_world.faults.plan(name, "autotask", operation="invoices patch")
    with pytest.raises(requests.ConnectionError):
        mark(api, invoice)
    assert marked(api, invoice) is done
    row = next(row for row in sandbox_world.journal.rows("autotask") if row["fault"])
    assert (row["fault"], bool(row["effects"])) == (name, done)
    assert mark(api, invoice).status_code == 200


def test_a_request_delivered_late_arrives_after_the_client_gave_up(
    sandbox_world: World, api: Autotask, invoice: int
) -> None:
    sandbox_world.faults.plan("delivered_late", "autotask", operation="Invoices PATCH", seconds=0.3)
    with pytest.raises(requests.ConnectionError):
        mark(api, invoice)
    assert not marked(api, invoice)
    wait_until(lambda: marked(api, invoice), timeout_s=5, what="the late request")


@pytest.mark.parametrize(
    ("name", "status", "done", "body"),
    [
        ("status_401", 401, False, ""),
        ("status_429", 429, False, "thread threshold"),
        ("error_500_before", 500, False, "errors"),
        ("error_500_after", 500, True, "errors"),
        ("status_503", 503, False, "<html>"),
        ("cut_json", 200, True, '{"item'),
        ("html_200", 200, True, "<html>"),
        ("empty_200", 200, True, ""),
    ],
)
def test_spoilt_answers(
    sandbox_world: World, api: Autotask, invoice: int, name: str, status: int, done: bool, body: str
) -> None:
    params: dict[str, Any] = {"retry_after": 7} if name == "status_429" else {}
    sandbox_world.faults.plan(name, "autotask", tenant=str(api.seeded["ci"]), operation="Invoices PATCH", **params)
    answer = mark(api, invoice)
    assert (answer.status_code, body in answer.text) == (status, True)
    assert answer.headers.get("Retry-After") == ("7" if params else None)
    if status == 200:
        with pytest.raises(requests.JSONDecodeError):
            answer.json()
    assert marked(api, invoice) is done


def test_plans_wait_strike_and_end() -> None:
    faults = Faults(Store(":memory:"))
    faults.plan("slow", "qbo", operation="batch*", tenant="1", after=1, times=2)

    def strikes(operation: str, tenant: str = "1") -> int:
        return len(faults.due("qbo", operation, tenant))

    assert [strikes("query"), strikes("batch", "2")] == [0, 0]
    assert [strikes("Batch") for _ in range(4)] == [0, 1, 1, 0]
    assert (faults.planned()[0]["matched"], faults.planned()[0]["struck"]) == (3, 2)


def test_a_probability_strikes_the_same_calls_for_the_same_seed() -> None:
    def pattern(seed: int) -> list[int]:
        faults = Faults(Store(":memory:"))
        faults.plan("slow", "qbo", times=None, probability=0.3, seed=seed)
        return [len(faults.due("qbo", "batch", "1")) for _ in range(60)]

    assert pattern(5) == pattern(5) != pattern(6)
    assert 5 < sum(pattern(5)) < 35


def test_handler_faults_are_asked_for_by_name() -> None:
    faults = Faults(Store(":memory:"))
    faults.plan("stale_reads", "qbo", times=None, seconds=60)
    faults.plan("batch_item_fault", "qbo", tenant="1", code="6000")
    assert faults.due("qbo", "query", "1") == []
    assert faults.active("stale_reads", "qbo", "1") == {"seconds": 60}
    assert [faults.take("batch_item_fault", "qbo", "1") for _ in range(2)] == [{"code": "6000"}, None]
    faults.clear()
    assert faults.active("stale_reads", "qbo", "1") is None


def test_an_unknown_fault_is_refused_with_the_names_there_are(sandbox: str) -> None:
    answer = requests.post(f"{sandbox}/control/faults", json={"name": "gremlins"}, timeout=5)
    assert answer.status_code == 400
    assert "response_lost" in answer.json()["error"]
