"""The control API: what it takes, what it refuses, and that a refusal changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from sandbox.world import World

EMPTY = {"autotask": [], "quickbooks": [], "xero": []}


def test_a_body_is_read_whatever_its_content_type(sandbox: str) -> None:
    answer = requests.post(
        f"{sandbox}/control/limits",
        data='{"on": false}',
        timeout=5,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.json()["on"] is False
    assert requests.get(f"{sandbox}/control/limits", timeout=5).json()["on"] is False


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("seed/msp", "[1]"),
        ("seed/msp", "{not json"),
        ("seed/msp", '{"region": "mars"}'),
        ("seed/msp", '{"colour": 1}'),
        ("seed/retail", '{"data": "/nowhere/at/all"}'),
        ("limits", '{"scale": 0}'),
        ("latency", '{"mode": "fast"}'),
        ("faults", "{}"),
        ("actions/nobody/void", '{"invoice": 1}'),
        ("audit", None),
    ],
)
def test_nonsense_is_a_400_with_a_reason_and_changes_nothing(sandbox: str, path: str, body: str | None) -> None:
    method = "GET" if body is None else "POST"
    answer = requests.request(method, f"{sandbox}/control/{path}", data=body, timeout=10)
    assert answer.status_code == 400 and answer.json()["error"]
    assert requests.get(f"{sandbox}/control/tenants", timeout=5).json() == EMPTY


def test_an_unreadable_file_is_named_with_line_and_column(sandbox: str, tmp_path: Path) -> None:
    (tmp_path / "broken.csv").write_text("InvoiceNo,StockCode\n1,2\n")
    answer = requests.post(f"{sandbox}/control/seed/retail", json={"data": str(tmp_path)}, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "broken.csv, line 1, column Description: the header lacks it",
    )


def test_the_clock_jumps_and_stands(sandbox: str, sandbox_world: World) -> None:
    url = f"{sandbox}/control/clock"
    assert requests.post(url, json={"advance": 86400}, timeout=5).json()["offset"] == 86400
    assert requests.post(url, json={"advance": -400}, timeout=5).json()["offset"] == 86000
    assert requests.post(url, json={"offset": 0}, timeout=5).json()["offset"] == 0 == sandbox_world.clock.offset


def test_the_journal_counts_by_operation_since_a_mark(sandbox: str) -> None:
    seeded = requests.post(f"{sandbox}/control/seed/msp", json={"invoices": 1}, timeout=20).json()
    params = {"user": seeded["autotask"]["user"]}
    zone = f"{sandbox}/autotask/ATServicesRest/V1.0/zoneInformation"
    requests.get(zone, params=params, timeout=5)
    mark = requests.get(f"{sandbox}/control/journal/mark", timeout=5).json()["mark"]
    requests.get(zone, params=params, timeout=5)
    requests.get(f"{sandbox}/intuit/.well-known/openid_configuration", timeout=5)
    counts = requests.get(f"{sandbox}/control/journal/counts", params={"since_id": mark}, timeout=5).json()
    assert counts == {"total": 2, "discovery": 1, "zoneInformation": 1}
    rows = requests.get(f"{sandbox}/control/journal", params={"platform": "autotask", "since_id": mark}, timeout=5)
    row = rows.json()[0]
    assert (row["tenant"], row["status"], row["method"]) == (str(seeded["ci"]), 200, "GET")
    assert "?" not in row["path"] and seeded["autotask"]["secret"] not in rows.text


def test_reset_empties_the_world_and_seeding_may_begin_again(sandbox: str, sandbox_world: World) -> None:
    for _ in range(2):
        seeded = requests.post(f"{sandbox}/control/seed/msp", json={"invoices": 1}, timeout=20)
        assert seeded.status_code == 200, seeded.text
        assert requests.get(f"{sandbox}/books/{seeded.json()['realm']}", timeout=5).status_code == 200
        requests.post(f"{sandbox}/control/reset", json={}, timeout=5)
        assert requests.get(f"{sandbox}/control/tenants", timeout=5).json() == EMPTY
        assert sandbox_world.journal.rows() == []


def test_books_and_switches_of_a_company_are_within_reach(sandbox: str) -> None:
    seeded = requests.post(f"{sandbox}/control/seed/msp", json={"invoices": 1}, timeout=20).json()
    books = requests.get(f"{sandbox}/control/books/{seeded['realm']}", timeout=5).json()
    assert {row["DocNumber"] for row in books["documents"]} == {"SHOP-1", "SHOP-2"}
    debit = sum(row["debit"] for row in books["trial_balance"])
    assert debit == pytest.approx(sum(row["credit"] for row in books["trial_balance"])) and debit > 0
    url = f"{sandbox}/control/switches/{seeded['realm']}"
    assert requests.post(url, json={"shuffle_batch": False}, timeout=5).json()["shuffle_batch"] is False
    assert requests.post(url, json={"no_such_switch": 1}, timeout=5).status_code == 400
