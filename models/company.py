"""Who uses the product and what is connected: users, companies, grants, connections, settings, audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base
from models.types import Instant, Json, Sealed

ROLES = ("viewer", "staff", "admin")


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(320))
    theme: Mapped[str] = mapped_column(String(8), default="auto")
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)


class Identity(Base):
    """A sign-in: issuer and subject, never the e-mail address. A user may have several."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)
    user: Mapped[User] = relationship()


class WebSession(Base):
    """A server-side session. The cookie holds a random id; only its hash is stored."""

    __tablename__ = "sessions"
    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    data: Mapped[Any] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    signed_in_at: Mapped[datetime | None] = mapped_column(Instant)


class OAuthState(Base):
    """One started sign-in: single use, ten minutes, bound to the browser session. Consumed by deletion."""

    __tablename__ = "oauth_states"
    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_hash: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(20))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    purpose: Mapped[str] = mapped_column(String(20))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id"))
    next_path: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)


class Company(Base):
    """One ledger company joined to one source. Everything else is scoped by its id."""

    __tablename__ = "companies"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    ledger: Mapped[str] = mapped_column(String(20))
    ledger_tenant: Mapped[str] = mapped_column(String(64))
    """QuickBooks realm or Xero tenant id: frozen, never changed by a reconnect."""
    source: Mapped[str] = mapped_column(String(20), default="autotask")
    source_tenant: Mapped[str | None] = mapped_column(String(64))
    """Autotask's `ci`: set by the first connection, frozen from then on."""
    country: Mapped[str] = mapped_column(String(2), default="")
    currency: Mapped[str] = mapped_column(String(3), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    profile: Mapped[Any] = mapped_column(Json, default=dict)
    """Last reading of the ledger's preferences (connectors.ledgers.base.LedgerProfile as JSON)."""
    setup_step: Mapped[str] = mapped_column(String(20), default="source")
    """source → review → scan → first → ready."""
    first_posted_at: Mapped[datetime | None] = mapped_column(Instant)
    last_checked_at: Mapped[datetime | None] = mapped_column(Instant)
    reconcile_at: Mapped[datetime | None] = mapped_column(Instant, index=True)
    """When both sides are compared next."""
    next_poll_at: Mapped[datetime | None] = mapped_column(Instant, index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (UniqueConstraint("ledger", "ledger_tenant"),)


class Membership(Base):
    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("company_id", "user_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(Instant)
    user: Mapped[User] = relationship()
    company: Mapped[Company] = relationship()


class Invitation(Base):
    """An admin's signed link, valid seven days, single use."""

    __tablename__ = "invitations"
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    email: Mapped[str] = mapped_column(String(320))
    role: Mapped[str] = mapped_column(String(10))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)


class Grant(Base):
    """One OAuth token set. Encrypted, versioned, refreshed one at a time (`sync/tokens.py`)."""

    __tablename__ = "grants"
    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(200))
    """QuickBooks: the realm. Xero: the Xero user."""
    version: Mapped[int] = mapped_column(Integer, default=1)
    access_token: Mapped[bytes | None] = mapped_column(Sealed)
    refresh_token: Mapped[bytes | None] = mapped_column(Sealed)
    previous_refresh_token: Mapped[bytes | None] = mapped_column(Sealed)
    previous_until: Mapped[datetime | None] = mapped_column(Instant)
    access_expires_at: Mapped[datetime | None] = mapped_column(Instant)
    refresh_expires_at: Mapped[datetime | None] = mapped_column(Instant)
    hard_expires_at: Mapped[datetime | None] = mapped_column(Instant)
    refreshing_until: Mapped[datetime | None] = mapped_column(Instant)
    refreshing_by: Mapped[str | None] = mapped_column(String(64))
    rejected_at: Mapped[datetime | None] = mapped_column(Instant)
    """First of the two rejections, at least a minute apart, that end a grant."""
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (UniqueConstraint("provider", "subject"),)


class Connection(Base):
    """What joins a company to a platform: its ledger grant, or its source's user, secret and zone."""

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("company_id", "side"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    side: Mapped[str] = mapped_column(String(10))
    """`ledger` or `source`."""
    platform: Mapped[str] = mapped_column(String(20))
    tenant: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20), default="connected")
    """connected · reconnect · disconnected"""
    problem: Mapped[str | None] = mapped_column(Text)
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("grants.id"))
    user_name: Mapped[str | None] = mapped_column(String(200))
    secret: Mapped[bytes | None] = mapped_column(Sealed)
    integration_code: Mapped[bytes | None] = mapped_column(Sealed)
    api_url: Mapped[str | None] = mapped_column(String(300))
    web_url: Mapped[str | None] = mapped_column(String(300))
    found: Mapped[Any] = mapped_column(Json, default=dict)
    """What the last "Test connection" found."""
    connected_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    connected_at: Mapped[datetime | None] = mapped_column(Instant)
    last_success_at: Mapped[datetime | None] = mapped_column(Instant)
    grant: Mapped[Grant | None] = relationship()


class SettingsVersion(Base):
    """Settings are never changed, only followed by a newer version. The newest per area holds."""

    __tablename__ = "settings_versions"
    __table_args__ = (UniqueConstraint("company_id", "area", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    area: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer)
    values: Mapped[Any] = mapped_column(Json)
    changes: Mapped[Any] = mapped_column(Json, default=list)
    saved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    saved_at: Mapped[datetime] = mapped_column(Instant)


class Audit(Base):
    """Who did what, hash-chained per company (0 = the installation). Rows are never changed or deleted."""

    __tablename__ = "audit"
    __table_args__ = (UniqueConstraint("chain", "n"), Index("ix_audit_company_at", "company_id", "at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    chain: Mapped[int] = mapped_column(Integer)
    n: Mapped[int] = mapped_column(Integer)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    who: Mapped[str] = mapped_column(String(320))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200), default="")
    detail: Mapped[Any] = mapped_column(Json, default=dict)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class Installation(Base):
    """One row: what tells a database that was restored from one that was not (`sync.installation`)."""

    __tablename__ = "installation"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(36))
    beat: Mapped[int] = mapped_column(Integer)
    """Only grows. It is remembered outside the database too: one that is behind was restored."""
    place: Mapped[str] = mapped_column(String(200), default="")
    """The database that holds the row, as it names itself."""
    beaten_at: Mapped[datetime] = mapped_column(Instant)
