"""``Idempotency-Key``: the answer to a write, kept for six minutes under a key of the app.

The key space is the app's, not the organisation's: the same key from another organisation gets the first one's
answer. After six minutes a key is new again. Source: Xero, guides/idempotent-requests; fact sheet section 2.6.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Request, Response

from sandbox.xero.errors import CallRefused
from sandbox.xero.organisation import Organisation

SPACE, KIND = "xero", "_key"
LONGEST = 128
METHODS = ("POST", "PUT", "PATCH")


def key_of(request: Request) -> str | None:
    """The key of a write, or None. Raises 400 for one that is empty or too long."""
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method not in METHODS:
        return None
    if not 0 < len(key) <= LONGEST:
        raise _refused(f"Idempotency Key: {key} has {len(key)} characters, the maximum is {LONGEST}.", "Message")
    return key


def _fingerprint(request: Request) -> str:
    parts = (request.method.encode(), request.full_path.encode(), request.get_data())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def recall(org: Organisation, key: str, request: Request) -> Response | None:
    """The stored answer to the same request; None when the key is new or forgotten. Raises 400 for another request."""
    found = org.store.get(SPACE, KIND, key)
    forgotten = org.world.faults.active("requestid_forgotten", "xero", org.id) is not None
    if found is None or forgotten or org.now().timestamp() - float(found["at"]) >= float(org.switch("key_seconds")):
        return None
    if found["print"] != _fingerprint(request):
        raise _refused(f"Idempotency Key: {key} is used with a different request.", org.switch("idempotency_words_in"))
    return Response(found["body"], found["status"], content_type=found["type"])


def keep(org: Organisation, key: str, request: Request, response: Response) -> None:
    """Remember an answer; errors too, unless the switch says otherwise."""
    if response.status_code >= 400 and not org.switch("errors_replayed"):
        return
    body = {
        "print": _fingerprint(request),
        "status": response.status_code,
        "body": response.get_data(as_text=True),
        "type": response.content_type,
        "at": org.now().timestamp(),
    }
    org.store.put(SPACE, KIND, key, body, {})


def _refused(text: str, place: str) -> CallRefused:
    body: dict[str, Any] = {"ErrorNumber": 10, "Type": "ValidationException"}
    if place == "Message":
        return CallRefused(400, body | {"Message": text})
    words = {"Message": "A validation exception occurred", "Elements": [{"ValidationErrors": [{"Message": text}]}]}
    return CallRefused(400, body | words)
