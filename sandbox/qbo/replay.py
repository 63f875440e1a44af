"""Answers kept under a request id, so that the same request sent again is not carried out again.

Key: the ``requestid`` of the URL, for a batch (requestid, bId). The body is not compared, as on the real
service. How long answers are kept and whether refusals are kept is not documented: switches of the company.
"""

from __future__ import annotations

from sandbox.qbo.errors import QboFault, fault
from sandbox.qbo.realm import Realm

MOST, MOST_BATCH, MOST_ITEM = 50, 36, 10


def check_id(request_id: str | None, *, batch: bool = False) -> None:
    """Raise ``QboFault`` 2130 for an id of the wrong length."""
    limit = MOST_BATCH if batch else MOST
    if request_id is not None and not 0 < len(request_id) <= limit:
        raise fault("2130", f"Request Id must have 1 to {limit} characters", "requestid")


def check_item_id(item_id: str) -> QboFault | None:
    """The fault of a batch item whose id is too long to be remembered, or None."""
    if len(item_id) > MOST_ITEM:
        return fault("2130", f"bId must have at most {MOST_ITEM} characters when a requestid is given", "bId")
    return None


def recall(realm: Realm, key: str) -> str | None:
    """The stored answer, or None: never seen, too old, or forgotten by the fault ``requestid_forgotten``."""
    found = realm.store.get(realm.space, "_replay", key)
    if found is None or realm.world.faults.active("requestid_forgotten", "qbo", realm.id) is not None:
        return None
    if realm.now().timestamp() - float(found["at"]) > float(realm.switch("replay_seconds")):
        return None
    return str(found["body"])


def keep(realm: Realm, key: str, body: str) -> None:
    """Remember an answer inside the transaction that made its effects."""
    realm.store.put(realm.space, "_replay", key, {"body": body, "at": realm.now().timestamp()}, {})
