"""The components the other tests stand on are real and clean."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import requests
from playwright.sync_api import Error, Page
from redis import Redis
from sqlalchemy import create_engine, text

from tests.infra.processes import ProcessEnded, Processes
from tools.waiting import WaitedTooLong, free_port, port_is_free, wait_until


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_redis(redis: Redis, turn: int) -> None:
    assert redis.dbsize() == 0
    redis.set("left-behind", turn)


def test_a_database_is_fresh_and_takes_statements(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (n INTEGER)"))
        connection.execute(text("INSERT INTO seen VALUES (42)"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT n FROM seen")).scalar_one() == 42
    engine.dispose()


def test_two_tests_never_share_a_postgres_database(postgres_server: str, postgres_url: str) -> None:
    name = postgres_url.rsplit("/", 1)[1].split("?")[0]
    with psycopg.connect(postgres_server) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname = %s", [name]).fetchall()
    assert found == [(name,)]


def test_the_sandbox_answers_over_http(sandbox: str) -> None:
    assert requests.get(f"{sandbox}/control/health", timeout=5).status_code == 200


def test_a_process_is_awaited_killed_and_its_log_kept(processes: Processes) -> None:
    port = free_port()
    server = processes.python("files", "-m", "http.server", str(port), "--bind", "127.0.0.1")
    processes.wait_http(server, f"http://127.0.0.1:{port}/")
    server.kill9()
    assert not server.alive
    wait_until(lambda: port_is_free(port), timeout_s=5, what="the port is free again")
    assert "GET / HTTP/1.1" in server.log()


def test_waiting_for_a_process_that_ended_fails_at_once_with_its_log(processes: Processes) -> None:
    ended = processes.python("ends", "-c", "print('no room left'); raise SystemExit(3)")
    with pytest.raises(ProcessEnded, match="no room left"):
        processes.wait_log(ended, "never printed", timeout_s=20)


def test_waiting_has_a_deadline_and_says_what_for() -> None:
    with pytest.raises(WaitedTooLong, match="the moon is blue"):
        wait_until(lambda: False, timeout_s=0, what="the moon is blue")


def test_the_browser_runs_and_reaches_this_machine_only(page: Page, processes: Processes, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><link rel=icon href=data:,><title>Here</title><h1>Here</h1>")
    port = free_port()
    server = processes.python(
        "files", "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)
    )
    processes.wait_http(server, f"http://127.0.0.1:{port}/")
    page.goto(f"http://127.0.0.1:{port}/index.html")
    assert page.title() == "Here"
    # An address in numbers is refused as a name is: not even asked for, though something could answer there.
    for elsewhere in ("http://elsewhere.invalid/", f"http://127.0.0.2:{port}/"):
        with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
            page.goto(elsewhere)
