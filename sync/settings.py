"""A company's settings as versions: read the newest, save a following one with who changed what.

Values and their defaults are in `domain/settings.py`, forms in `blueprints/settings`. Settings are never changed
in place and survive a disconnect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.order_settings import OrderSettings
from domain.settings import InvoiceSettings
from models import Company, ErrorMarkState, SettingsVersion, TodoState, User
from sync import codec, todo_state

INVOICES, ORDERS = "invoices", "orders"


def newest(db: Session, company_id: int, area: str = INVOICES) -> SettingsVersion | None:
    """The version that holds now; None before the first one."""
    return db.scalars(
        select(SettingsVersion)
        .where(SettingsVersion.company_id == company_id, SettingsVersion.area == area)
        .order_by(SettingsVersion.version.desc())
        .limit(1)
    ).first()


def load_invoices(db: Session, company_id: int) -> InvoiceSettings:
    """The invoice settings that hold now. Raises LookupError for a company without any (never after connecting)."""
    version = newest(db, company_id)
    if version is None:
        raise LookupError(f"company {company_id} has no settings")
    return from_values(version.values)


def from_values(values: Mapping[str, Any]) -> InvoiceSettings:
    """Stored values as settings; a field that a stored version does not know takes its default."""
    known = {field.name for field in fields(InvoiceSettings)}
    return codec.load(InvoiceSettings, {name: value for name, value in values.items() if name in known})


def load_orders(db: Session, company_id: int) -> OrderSettings:
    """The purchase order settings that hold now; the defaults (paused) before anybody saved any."""
    version = newest(db, company_id, ORDERS)
    return orders_from_values(version.values) if version is not None else OrderSettings()


def orders_from_values(values: Mapping[str, Any]) -> OrderSettings:
    """Stored values as settings; a field that a stored version does not know takes its default."""
    known = {field.name for field in fields(OrderSettings)}
    return codec.load(OrderSettings, {name: value for name, value in values.items() if name in known})


def save_orders(
    db: Session, company_id: int, settings: OrderSettings, *, now: datetime, user: User | None
) -> SettingsVersion | None:
    """As `save`, for Settings → Purchase Orders."""
    before = newest(db, company_id, ORDERS)
    old = orders_from_values(before.values) if before else OrderSettings()
    if old == settings:
        return None
    return _add(db, company_id, before.version + 1 if before else 1, settings, changes(old, settings), now, user)


def begin(db: Session, company: Company, now: datetime) -> SettingsVersion:
    """Version 1 at connecting: defaults, the start date is today in the company's zone, syncing is off."""
    today = now.astimezone(ZoneInfo(company.time_zone)).date()
    settings = InvoiceSettings(start_date=today, time_zone=company.time_zone, source_time_zone=company.time_zone)
    return _add(db, company.id, 1, settings, [], now, None)


def save(
    db: Session, company_id: int, settings: InvoiceSettings, *, now: datetime, user: User | None
) -> SettingsVersion | None:
    """Append a version unless nothing differs (then None). `user` None: the product itself, e.g. after "next batch".

    Saving equal values twice adds one version. Two people saving at the same moment: the second save raises
    IntegrityError (unique version number) and nothing is lost.
    """
    before = newest(db, company_id)
    old = from_values(before.values) if before else None
    if old == settings:
        return None
    number = before.version + 1 if before else 1
    version = _add(db, company_id, number, settings, changes(old, settings) if old else [], now, user)
    _orders_follow(db, company_id, settings, now, user)
    return version


def _orders_follow(db: Session, company_id: int, settings: InvoiceSettings, now: datetime, user: User | None) -> None:
    """The company's time zone and Autotask's are asked once, for all products."""
    if newest(db, company_id, ORDERS) is None:
        return
    follows = replace(
        load_orders(db, company_id), time_zone=settings.time_zone, source_time_zone=settings.source_time_zone
    )
    save_orders(db, company_id, follows, now=now, user=user)


def change(db: Session, company_id: int, *, now: datetime, user: User | None, **values: Any) -> SettingsVersion | None:
    """Save the newest settings with some values replaced."""
    return save(db, company_id, replace(load_invoices(db, company_id), **values), now=now, user=user)


def changes(before: InvoiceSettings | OrderSettings, after: InvoiceSettings | OrderSettings) -> list[dict[str, Any]]:
    """[{field, before, after}] in plain JSON values."""
    old, new = codec.dump(before), codec.dump(after)
    return [{"field": name, "before": old[name], "after": new[name]} for name in new if old.get(name) != new[name]]


def _add(
    db: Session,
    company_id: int,
    number: int,
    settings: InvoiceSettings | OrderSettings,
    changed: list[dict[str, Any]],
    now: datetime,
    user: User | None,
) -> SettingsVersion:
    area = ORDERS if isinstance(settings, OrderSettings) else INVOICES
    version = SettingsVersion(
        company_id=company_id,
        area=area,
        version=number,
        values=codec.dump(settings),
        changes=changed,
        saved_by=user.id if user else None,
        saved_at=now,
    )
    db.add(version)
    db.flush()
    todo_state.choose(db, company_id, area, TodoState, settings.error_todos, now)
    todo_state.choose(db, company_id, area, ErrorMarkState, settings.mark_errors, now)
    return version
