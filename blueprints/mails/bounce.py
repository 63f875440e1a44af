"""A mail service reports that a mail came back or was called spam: a signed POST. Format: docs/mail.md."""

from __future__ import annotations

import hashlib
import hmac
import json

from flask import abort, jsonify, request
from flask.typing import ResponseReturnValue

from blueprints.context import now, services, writing
from blueprints.mails.routes import blueprint
from sync import bounces

MAX_AGE_S = 300
BODY_BYTES = 64 * 1024


@blueprint.post("/webhooks/bounce")
def bounce() -> ResponseReturnValue:
    """404 while no BOUNCE_SECRET is set, 401 for a wrong or old signature, 400 for a body that cannot be read.

    Repeating is safe; a message that is not ours is answered with `known: false`.
    """
    secret = services().config.bounce_secret
    if not secret:
        abort(404)
    if (request.content_length or 0) > BODY_BYTES:
        abort(413)
    raw = request.get_data(cache=False)
    if not _signed(secret, raw, request.headers.get("X-Bookbridge-Signature", "")):
        return jsonify(error="The signature does not fit this body, or is older than five minutes."), 401
    try:
        told = bounces.Told.parse(json.loads(raw))
    except ValueError as problem:
        return jsonify(error=str(problem)), 400
    with writing() as write:
        known = bounces.record(write, told, now())
    return jsonify(known=known)


def _signed(secret: str, raw: bytes, header: str) -> bool:
    """`t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`, compared in constant time."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp, given = parts.get("t", ""), parts.get("v1", "")
    if not stamp.isdigit() or abs(now().timestamp() - int(stamp)) > MAX_AGE_S:
        return False
    wanted = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.encode(), wanted.encode())
