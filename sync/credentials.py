"""A connection's row and its sealed secrets: the source's API user. The ledger's tokens are in `tokens.py`.

Nothing here talks to a platform. Secrets are sealed with the row they belong to as context, so a value copied to
another row does not open.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models import Connection, KeyRing
from sync.connection import of

LEDGER, SOURCE = "ledger", "source"
CONNECTED, RECONNECT, DISCONNECTED, TESTED = "connected", "reconnect", "disconnected", "tested"
"""`tested`: the credentials work, but the person has not pressed Connect yet."""


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A source's API user in clear. `integration_code` None: the installation's own code is used."""

    user_name: str
    secret: str
    integration_code: str | None


def ensure(db: Session, company_id: int, side: str, platform: str, tenant: str) -> Connection:
    """The connection row of one side, made when it is missing (state `disconnected`)."""
    connection = of(db, company_id, side)
    if connection is None:
        connection = Connection(
            company_id=company_id, side=side, platform=platform, tenant=tenant, state=DISCONNECTED, found={}
        )
        db.add(connection)
        db.flush()
    return connection


def put_credentials(connection: Connection, credentials: Credentials, key_ring: KeyRing) -> None:
    """Seal user, secret and code into the row (which needs its id)."""
    code = credentials.integration_code
    connection.user_name = credentials.user_name
    connection.secret = key_ring.seal(credentials.secret, _context(connection, "secret"))
    connection.integration_code = key_ring.seal(code, _context(connection, "integration_code")) if code else None


def credentials_of(connection: Connection, key_ring: KeyRing) -> Credentials | None:
    """The stored credentials in clear; None when there are none. Raises SealBroken when they do not open."""
    if connection.secret is None or not connection.user_name:
        return None
    code = connection.integration_code
    return Credentials(
        connection.user_name,
        key_ring.open(connection.secret, _context(connection, "secret")),
        key_ring.open(code, _context(connection, "integration_code")) if code else None,
    )


def _context(connection: Connection, field: str) -> str:
    return f"connection:{connection.id}:{field}"
