"""Links that carry a signature: invitations. The token is random, signed and dated; its hash alone is stored."""

from __future__ import annotations

import secrets

from flask import current_app, url_for
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from blueprints.context import now, services
from models import Invitation
from sync import access


def new_invitation_token() -> str:
    """A signed random value, to be put into the link and to be stored as a hash."""
    return str(_signer().dumps(secrets.token_urlsafe(24)))


def invitation_url(token: str) -> str:
    return services().config.public_url.rstrip("/") + url_for("connect.invitation", token=token)


def open_invitation(db: Session, token: str) -> Invitation | None:
    """The invitation of a link that we signed and that can still be accepted; None otherwise."""
    try:
        _signer().loads(token)
    except BadSignature:
        return None
    return access.find_invitation(db, token, now())


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="invitation")
