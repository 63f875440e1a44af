"""One sandbox world: its state, clock, faults, limits, waiting times and journal in one hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.latency import Latency
from sandbox.limits import Limits
from sandbox.platforms import Platform, all_platforms
from sandbox.store import Store

CLIENT_ID = "SANDBOX-CLIENT-ID"
CLIENT_SECRET = "SANDBOX-CLIENT-SECRET-NOT-REAL"  # noqa: S105 - visibly fake, for the sandbox alone


def default_redirects(app_url: str) -> list[str]:
    """The redirect addresses registered for an app that names none."""
    return [f"{app_url}/connect/{service}/callback" for service in ("intuit", "xero")]


@dataclass
class World:
    """Everything a simulator needs. `public_url` and `app_url` come without a trailing slash."""

    store: Store
    clock: Clock
    faults: Faults
    limits: Limits
    latency: Latency
    journal: Journal
    public_url: str
    app_url: str
    redirect_uris: list[str]
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    smtp_port: int | None = None
    platforms: dict[str, Platform] = field(default_factory=all_platforms)

    def reset(self) -> None:
        """Empty the world: documents, journal, faults, clock and switches."""
        self.store.clear()
        self.journal.clear()
        self.faults.clear()
        self.limits.clear()

    def close(self) -> None:
        """Close the state file."""
        self.store.close()


def open_world(
    state_path: str | Path = ":memory:",
    public_url: str = "http://127.0.0.1:8400",
    app_url: str = "http://127.0.0.1:8300",
    redirect_uris: Sequence[str] = (),
) -> World:
    """Open, or begin, the world kept at `state_path`."""
    store = Store(state_path)
    app_url = app_url.rstrip("/")
    return World(
        store=store,
        clock=Clock(store),
        faults=Faults(store),
        limits=Limits(store),
        latency=Latency(store),
        journal=Journal(store),
        public_url=public_url.rstrip("/"),
        app_url=app_url,
        redirect_uris=list(redirect_uris) or default_redirects(app_url),
    )
