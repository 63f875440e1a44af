"""Settings somebody wants but has not saved: one per company, kept beside the versions until saved or dropped."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from domain.settings import InvoiceSettings
from models import SettingsVersion, User
from sync import codec
from sync.settings import changes, from_values, load_invoices, newest

AREA = "wanted"


def kept(db: Session, company_id: int) -> SettingsVersion | None:
    """The wanted settings with who kept them and when; None when nothing is wanted."""
    return newest(db, company_id, AREA)


def keep(db: Session, company_id: int, wanted: InvoiceSettings, *, now: datetime, user: User) -> SettingsVersion:
    """Keep these instead of what was wanted before. Nothing that holds is changed."""
    before = kept(db, company_id)
    number = before.version + 1 if before else 1
    drop(db, company_id)
    row = SettingsVersion(
        company_id=company_id, area=AREA, version=number, values=codec.dump(wanted),
        changes=changes(load_invoices(db, company_id), wanted), saved_by=user.id, saved_at=now,
    )
    db.add(row)
    db.flush()
    return row


def settings_of(row: SettingsVersion) -> InvoiceSettings:
    return from_values(row.values)


def drop(db: Session, company_id: int) -> None:
    """Forget what was wanted. Repeating is safe."""
    db.execute(delete(SettingsVersion).where(
        SettingsVersion.company_id == company_id, SettingsVersion.area == AREA
    ))
