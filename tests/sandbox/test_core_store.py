"""The sandbox's store: all-or-nothing, look-ups, exact numbers, nothing lost when the process dies."""

from __future__ import annotations

import signal
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from sandbox.store import Store
from tests.infra.processes import Processes
from tools.waiting import free_port


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state.sqlite")


def test_numbers_keep_every_digit_over_a_restart(store: Store, tmp_path: Path) -> None:
    body = {"a": Decimal("1.50"), "b": Decimal("-0.0000001"), "c": [Decimal("100")], "text": 'quote " and \\'}
    store.put("s", "k", 1, body)
    store.close()
    again = Store(tmp_path / "state.sqlite").get("s", "k", 1)
    assert again is not None
    assert (str(again["a"]), again["b"], again["text"]) == ("1.50", Decimal("-0.0000001"), body["text"])


def test_find_follows_changed_look_up_values(store: Store) -> None:
    store.put("s", "k", 1, {"n": 1}, {"number": "A", "party": 7})
    store.put("s", "k", 2, {"n": 2}, {"number": "A", "party": None})
    assert [row["n"] for row in store.find("s", "k", "number", "A")] == [1, 2]
    assert [row["n"] for row in store.find("s", "k", "party", 7)] == [1]
    store.put("s", "k", 1, {"n": 1}, {"number": "B"})
    store.delete("s", "k", 2)
    assert store.find("s", "k", "number", "A") == [] == store.find("s", "k", "party", 7)


def test_an_exception_undoes_everything_and_an_inner_one_only_its_part(store: Store) -> None:
    store.put("s", "k", 1, {"n": "before"}, {"x": "1"})
    store.kv_set("s", "name", "before")

    class Stop(Exception):
        pass

    with pytest.raises(Stop), store.transaction():
        store.put("s", "k", 1, {"n": "after"}, {"x": "2"})
        store.put("s", "k", 2, {"n": "new"})
        store.delete("s", "k", 1)
        store.kv_set("s", "name", "after")
        raise Stop
    assert store.get("s", "k", 1) == {"n": "before"} and store.get("s", "k", 2) is None
    assert store.kv_get("s", "name") == "before" and store.find("s", "k", "x", 2) == []

    with store.transaction():
        store.put("s", "k", 2, {"n": "outer"})
        with pytest.raises(Stop), store.transaction():
            store.put("s", "k", 3, {"n": "inner"})
            raise Stop
    assert store.get("s", "k", 2) == {"n": "outer"} and store.get("s", "k", 3) is None


def test_ids_only_grow(store: Store) -> None:
    assert [store.next_id("s", "k", 100) for _ in range(3)] == [100, 101, 102]


def test_what_comes_out_may_be_changed_without_harm(store: Store) -> None:
    store.put("s", "k", 1, {"n": 1})
    (store.get("s", "k", 1) or {})["n"] = 2
    assert store.get("s", "k", 1) == {"n": 1}


def test_a_killed_sandbox_starts_again_with_its_state(processes: Processes, tmp_path: Path) -> None:
    port = free_port()
    command = ["-m", "sandbox", "--port", str(port), "--smtp-port", "0", "--state", str(tmp_path / "world.sqlite")]
    url = f"http://127.0.0.1:{port}"
    first = processes.python("sandbox", *command)
    processes.wait_http(first, f"{url}/control/health")
    seeded = requests.post(f"{url}/control/seed/msp", json={"invoices": 3}, timeout=20).json()
    requests.post(f"{url}/control/clock", json={"advance": 3600}, timeout=5)
    requests.post(f"{url}/control/faults", json={"name": "status_503", "platform": "qbo"}, timeout=5)
    first.popen.send_signal(signal.SIGKILL)
    first.popen.wait(10)

    second = processes.python("sandbox", *command)
    processes.wait_http(second, f"{url}/control/health")
    tenants = requests.get(f"{url}/control/tenants", timeout=5).json()
    assert [row["ci"] for row in tenants["autotask"]] == [seeded["ci"]]
    assert requests.get(f"{url}/control/clock", timeout=5).json()["offset"] == 3600
    assert [row["name"] for row in requests.get(f"{url}/control/faults", timeout=5).json()] == ["status_503"]
