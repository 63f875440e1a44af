"""Who may be told what: addresses that mails went to, their choices, and the runs that a collected mail tells of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.types import Instant, Json


class MailAddress(Base):
    """What a company knows about one address beyond membership and settings. Absent: nothing special."""

    __tablename__ = "mail_addresses"
    __table_args__ = (UniqueConstraint("company_id", "folded"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    folded: Mapped[str] = mapped_column(String(320))
    """The address in lower case: how it is found."""
    address: Mapped[str] = mapped_column(String(320))
    known_at: Mapped[datetime | None] = mapped_column(Instant)
    """Its owner pressed the button of a notice: reports go to it in full from then on."""
    removed_at: Mapped[datetime | None] = mapped_column(Instant)
    """An admin took it out; links made before that no longer open anything."""
    muted: Mapped[Any] = mapped_column(Json, default=list)
    """Events (`domain.mails.Event`) that this address does not want to hear of."""
    bounced_at: Mapped[datetime | None] = mapped_column(Instant)
    bounce: Mapped[str | None] = mapped_column(Text)
    """Why mail to it came back. While it stands, nothing is sent there by itself."""
    created_at: Mapped[datetime] = mapped_column(Instant)


class MailRun(Base):
    """A run that a collected mail (daily report, problems of an hour) tells of."""

    __tablename__ = "mail_runs"
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"), primary_key=True)
    run_id: Mapped[int] = mapped_column(Integer, ForeignKey("runs.id"), primary_key=True, index=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
