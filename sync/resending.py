"""*Send again*: a person asks for one mail once more. Limited, so that nobody is flooded by a button."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from models import Outbox
from sync import addresses

PAUSE = timedelta(minutes=5)
MOST = 5
OVER = ("sent", "refused", "unsure", "bounced", "withheld")
"""States of a mail on which nothing happens any more by itself."""


def trouble(row: Outbox, now: datetime) -> str:
    """Why this mail may not be sent again now, in a sentence; empty when it may."""
    if row.state not in OVER:
        return "This mail is on its way already."
    if row.again >= MOST:
        return f"This mail was sent again {MOST} times; download the CSV instead."
    if row.again_at is not None and row.again_at > now - PAUSE:
        return "This mail was sent again a moment ago. Wait five minutes."
    return ""


def send_again(db: Session, row: Outbox, now: datetime) -> None:
    """Due now. An unsure mail keeps its Message-ID, so that who got it sees it once; others are new messages."""
    if row.state != "unsure":
        row.message_id = None
    if row.state == "bounced":
        address = addresses.find(db, row.company_id, row.recipient)
        if address is not None:
            address.bounced_at = address.bounce = None
    row.again, row.again_at = row.again + 1, now
    row.state, row.problem, row.tries, row.next_at, row.sent_at = "due", None, 0, now, None
