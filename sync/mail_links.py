"""Signed links in mails: they open one thing of one company for one address, without signing in.

A token is `payload.signature`, both in URL-safe base64; the signature is HMAC-SHA256 with the installation's key
and the link's purpose, so a token of one purpose opens nothing of another. Nothing about it is stored.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.mails import LINK_LIFE

REPORT, PREFERENCES = "report", "preferences"


@dataclass(frozen=True, slots=True)
class Link:
    """What a token opens. `run_id` 0: no run (preferences). `made_at` has whole seconds, UTC."""

    company_id: int
    address: str
    run_id: int
    made_at: datetime

    @property
    def until(self) -> datetime:
        return self.made_at + LINK_LIFE


def sign(secret: str, purpose: str, link: Link) -> str:
    values = [link.company_id, link.run_id, int(link.made_at.timestamp()), link.address]
    body = json.dumps(values, separators=(",", ":"))
    payload = _encode(body.encode())
    return f"{payload}.{_signature(secret, purpose, payload)}"


def read(secret: str, purpose: str, token: str) -> Link | None:
    """The link of a token that we signed for this purpose; None for anything else. Its age is the caller's rule."""
    payload, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(secret, purpose, payload).encode()):
        return None
    try:
        company_id, run_id, at, address = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error):
        return None
    return Link(int(company_id), str(address), int(run_id), datetime.fromtimestamp(int(at), UTC))


def _signature(secret: str, purpose: str, payload: str) -> str:
    key = f"bookbridge mail link {purpose}".encode() + b"\0" + secret.encode()
    return _encode(hmac.new(key, payload.encode(), hashlib.sha256).digest())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
