"""Every environment setting in one place: name, type, default, meaning. Wrong values stop the start, loudly.

Real platform hosts are the default; `SANDBOX_URL` points all of them at a sandbox. A leaf: imports nothing of ours.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Config(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore")

    database_url: str = "sqlite:///var/bookbridge.sqlite"
    redis_url: str = "redis://127.0.0.1:6379/0"
    public_url: str = "http://127.0.0.1:8300"
    """The address people use; OAuth redirects, links in mails and cookie security follow from it."""
    secret_key: str = Field(min_length=32)
    """Signs links and CSRF tokens."""
    encryption_keys: str = Field(min_length=10)
    """Key ring for tokens and secrets: `id:base64 of 32 bytes`, comma separated; the first one writes."""

    intuit_client_id: str | None = None
    """Of the app registered at Intuit; without it nobody is offered QuickBooks."""
    intuit_client_secret: str | None = None
    intuit_environment: Literal["production", "sandbox"] = "production"
    require_nonce: bool = False
    """Refuse an Intuit id_token without a nonce. Whether Intuit echoes it is unconfirmed."""
    xero_client_id: str | None = None
    """Of the app registered at Xero; without it nobody is offered Xero."""
    xero_client_secret: str | None = None
    autotask_integration_code: str | None = None
    """A marketplace vendor's tracking identifier; without it each company enters its own."""
    setup_token: str | None = Field(default=None, min_length=16)
    """Opens /setup, which checks the installation. Without it that address does not exist."""
    sandbox_url: str | None = None
    platform_limits: Literal["on", "off"] = "on"
    """`off`: nothing waits for the platforms' rate limits. Only together with SANDBOX_URL, whose limits are off too."""
    demo: bool = False
    """Shows the tour strip and the one-press sign-ins. Only together with SANDBOX_URL."""

    smtp_url: str = "smtp://127.0.0.1:25"
    """`smtp://[user:password@]host:port`; `smtp+starttls://` demands TLS."""
    mail_from: str = "Bookbridge <reports@localhost>"
    report_strangers: Literal["notice", "full", "never"] = "notice"
    """What an address gets that a company does not know: a notice without names or amounts, everything, nothing."""
    bounce_secret: str | None = Field(default=None, min_length=16)
    """Signs what a mail service reports to /webhooks/bounce (docs/mail.md). Without it the address answers 404."""

    time_factor: float = Field(default=1.0, gt=0)
    """Divides lease, heartbeat, sweep, margin and quarantine; only tests set it."""
    lease_seconds: float = 90
    heartbeat_seconds: float = 20
    sweep_seconds: float = 30
    guard_margin_seconds: float = 15
    quarantine_seconds: float = 300
    connect_timeout: float = 5
    read_timeout: float = 30
    write_timeout: float = 60
    calls_in_flight: int = Field(default=1, ge=1, le=10)
    """Bulk writes side by side per company; 1 must give the same books."""
    poll_seconds: float = 60
    serve_seconds: float = 60
    """How long one job serves a company before it lets others in."""
    guard_young_seconds: float = 120
    """An invoice younger than this is read twice before it counts as finished (unfinished-invoice guard)."""
    guard_reread_seconds: float = 5
    guard_give_up_seconds: float = 600

    clock_offset_seconds: float = 0.0
    """Tests against a sandbox only: how far this process's clock is wrong."""
    failpoint: str | None = None
    """Crash tests only: `name` or `name:count`; the process kills itself there."""
    log_level: str = "INFO"

    @field_validator("encryption_keys")
    @classmethod
    def _keys_of_32_bytes(cls, text: str) -> str:
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, _, value = part.partition(":")
            try:
                size = len(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
            except ValueError:
                size = 0
            if not name or size != 32:
                raise ValueError(f"key {name!r} must be `id:base64 of 32 bytes`")
        return text

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if (self.intuit_client_id is None) is not (self.intuit_client_secret is None):
            raise ValueError("INTUIT_CLIENT_ID and INTUIT_CLIENT_SECRET belong together")
        if (self.xero_client_id is None) is not (self.xero_client_secret is None):
            raise ValueError("XERO_CLIENT_ID and XERO_CLIENT_SECRET belong together")
        if self.intuit_client_id is None and self.xero_client_id is None:
            raise ValueError("at least one ledger: INTUIT_CLIENT_ID and …_SECRET, or XERO_CLIENT_ID and …_SECRET")
        if self.xero_client_id and "xero" in self.public_url.lower():
            raise ValueError("PUBLIC_URL must not contain \"xero\": Xero refuses links to such an address")
        if self.demo and not self.sandbox_url:
            raise ValueError("DEMO is only possible together with SANDBOX_URL")
        if self.platform_limits == "off" and not self.sandbox_url:
            raise ValueError("PLATFORM_LIMITS=off is only possible together with SANDBOX_URL")
        if self.database_url.startswith("sqlite") and self.redis_url.startswith(("rediss://",)):
            raise ValueError("SQLite means one machine: use PostgreSQL (DATABASE_URL) with a remote Redis")
        if self.clock_offset_seconds and not self.sandbox_url:
            raise ValueError("CLOCK_OFFSET_SECONDS is for tests against a sandbox only")
        if self.failpoint and not self.sandbox_url:
            raise ValueError("FAILPOINT is for tests against a sandbox only")
        longest = max(self.write_timeout, self.read_timeout)
        if self.quarantine_seconds / self.time_factor <= 0 or self.lease_seconds < self.heartbeat_seconds * 2:
            raise ValueError("LEASE_SECONDS must be at least twice HEARTBEAT_SECONDS")
        if self.time_factor == 1 and self.quarantine_seconds <= max(120.0, longest):
            raise ValueError("QUARANTINE_SECONDS must exceed the platforms' 120 s cut-off")
        if self.database_url.startswith("sqlite:///") and not self.database_url.startswith("sqlite:////"):
            Path(self.database_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        return self

    @property
    def secure_cookies(self) -> bool:
        return self.public_url.startswith("https://")

    def scaled(self, seconds: float) -> float:
        return seconds / self.time_factor


@lru_cache(maxsize=1)
def get_config() -> Config:
    """The configuration of this process. Raises pydantic's ValidationError naming every wrong variable."""
    return Config()  # type: ignore[call-arg]
