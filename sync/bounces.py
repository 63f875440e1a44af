"""A mail came back, or its reader called it spam: noted at the mail and its address, told to the admins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.mails import Event
from models import Outbox
from sync import addresses, alerts

WORDS_MAX = 300
FINAL, COMPLAINT, DELAY = "bounce", "complaint", "delay"


@dataclass(frozen=True, slots=True)
class Told:
    """What a mail service says about one mail to one address."""

    kind: str
    message_id: str
    recipient: str
    reason: str

    @classmethod
    def parse(cls, value: Any) -> Told:
        """From the webhook's JSON. Raises ValueError with the field that is missing or wrong."""
        if not isinstance(value, Mapping):
            raise ValueError("The body is not a JSON object.")
        fields = {name: value.get(name) for name in ("type", "message_id", "recipient", "reason")}
        for name, found in fields.items():
            if not isinstance(found, str) or (not found and name != "reason"):
                raise ValueError(f"{name} must be text.")
        if fields["type"] not in (FINAL, COMPLAINT, DELAY):
            raise ValueError("type must be bounce, complaint or delay.")
        reason = " ".join(str(fields["reason"]).split())[:WORDS_MAX]
        return cls(str(fields["type"]), str(fields["message_id"]).strip(), str(fields["recipient"]), reason)


def record(db: Session, told: Told, now: datetime) -> bool:
    """Whether it is a mail of ours to this address. A delay is only noted. Repeating is safe."""
    row = db.scalars(select(Outbox).where(Outbox.message_id == told.message_id)).first()
    if row is None or row.recipient.casefold() != told.recipient.casefold():
        return False
    if told.kind == DELAY:
        row.problem = row.problem or f"on its way, delayed: {told.reason}"
        return True
    if row.state == "bounced":
        return True
    why = told.reason or ("It was called spam." if told.kind == COMPLAINT else "The mail server did not say why.")
    row.state, row.problem, row.next_at = "bounced", why, None
    address = addresses.row_for(db, row.company_id, row.recipient, now)
    if told.kind == COMPLAINT:
        address.muted = [str(event) for event in Event]
        why = f"Its reader marked our mail as spam, so this address gets no more. {why}"
    else:
        address.bounced_at, address.bounce = now, why
    alerts.came_back(db, row.company_id, row.recipient, why, now)
    return True
