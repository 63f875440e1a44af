"""Tables of the first migration: users, companies, grants, connections, settings, audit. Frozen."""

from __future__ import annotations

import sqlalchemy as sa


def companies(metadata: sa.MetaData) -> None:
    sa.Table(
        "companies", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("ledger", sa.String(20), nullable=False),
        sa.Column("ledger_tenant", sa.String(64), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("source_tenant", sa.String(64)),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("setup_step", sa.String(20), nullable=False),
        sa.Column("first_posted_at", sa.DateTime(timezone=True)),
        sa.Column("last_checked_at", sa.DateTime(timezone=True)),
        sa.Column("next_poll_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("ledger", "ledger_tenant"),
        sa.Index("ix_companies_next_poll_at", "next_poll_at"),
    )


def grants(metadata: sa.MetaData) -> None:
    sa.Table(
        "grants", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("access_token", sa.LargeBinary()),
        sa.Column("refresh_token", sa.LargeBinary()),
        sa.Column("previous_refresh_token", sa.LargeBinary()),
        sa.Column("previous_until", sa.DateTime(timezone=True)),
        sa.Column("access_expires_at", sa.DateTime(timezone=True)),
        sa.Column("refresh_expires_at", sa.DateTime(timezone=True)),
        sa.Column("hard_expires_at", sa.DateTime(timezone=True)),
        sa.Column("refreshing_until", sa.DateTime(timezone=True)),
        sa.Column("refreshing_by", sa.String(64)),
        sa.Column("rejected_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("provider", "subject"),
    )


def users(metadata: sa.MetaData) -> None:
    sa.Table(
        "users", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("theme", sa.String(8), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def audit(metadata: sa.MetaData) -> None:
    sa.Table(
        "audit", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(320), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("chain", "n"),
        sa.Index("ix_audit_company_at", "company_id", "at"),
    )


def connections(metadata: sa.MetaData) -> None:
    sa.Table(
        "connections", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("grant_id", sa.Integer(), sa.ForeignKey("grants.id")),
        sa.Column("user_name", sa.String(200)),
        sa.Column("secret", sa.LargeBinary()),
        sa.Column("integration_code", sa.LargeBinary()),
        sa.Column("api_url", sa.String(300)),
        sa.Column("web_url", sa.String(300)),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("connected_by", sa.Integer(), sa.ForeignKey("users.id")),
        sa.Column("connected_at", sa.DateTime(timezone=True)),
        sa.Column("last_success_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("company_id", "side"),
        sa.Index("ix_connections_company_id", "company_id"),
    )


def identities(metadata: sa.MetaData) -> None:
    sa.Table(
        "identities", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("issuer", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("issuer", "subject"),
        sa.Index("ix_identities_user_id", "user_id"),
    )


def invitations(metadata: sa.MetaData) -> None:
    sa.Table(
        "invitations", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("invited_by", sa.Integer(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True)),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("token_hash"),
        sa.Index("ix_invitations_company_id", "company_id"),
    )


def memberships(metadata: sa.MetaData) -> None:
    sa.Table(
        "memberships", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("company_id", "user_id"),
        sa.Index("ix_memberships_company_id", "company_id"),
        sa.Index("ix_memberships_user_id", "user_id"),
    )


def oauth_states(metadata: sa.MetaData) -> None:
    sa.Table(
        "oauth_states", metadata,
        sa.Column("state_hash", sa.String(64), primary_key=True),
        sa.Column("session_hash", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("verifier", sa.String(128), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id")),
        sa.Column("next_path", sa.String(200)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def sessions(metadata: sa.MetaData) -> None:
    sa.Table(
        "sessions", metadata,
        sa.Column("id_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id")),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True)),
        sa.Index("ix_sessions_user_id", "user_id"),
    )


def settings_versions(metadata: sa.MetaData) -> None:
    sa.Table(
        "settings_versions", metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), sa.ForeignKey("companies.id"), nullable=False),
        sa.Column("area", sa.String(20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("saved_by", sa.Integer(), sa.ForeignKey("users.id")),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("company_id", "area", "version"),
        sa.Index("ix_settings_versions_company_id", "company_id"),
    )


TABLES = (
    companies,
    grants,
    users,
    audit,
    connections,
    identities,
    invitations,
    memberships,
    oauth_states,
    sessions,
    settings_versions,
)
