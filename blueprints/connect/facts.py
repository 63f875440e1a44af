"""What the connection pages say about the ledger company and its Autotask side. Reads the database only."""

from __future__ import annotations

from typing import Any

from babel import Locale
from sqlalchemy import func, select

from blueprints.context import db
from blueprints.shell import ledger_names
from domain.formats import format_count, format_day
from models import Company, Connection, MirrorEntry, User
from sync import connection, credentials

_ENGLISH = Locale("en")
NUMBERS = {True: "ours are accepted", False: "made by the ledger", None: "ours, or made by the ledger"}


def country_name(code: str) -> str:
    return str(_ENGLISH.territories.get(code, code)) if code else "Country not read yet"


def who(user_id: int | None) -> str:
    user = db().get(User, user_id) if user_id else None
    return user.name if user else "–"


def ledger_facts(company: Company) -> dict[str, Any]:
    """Step 1 as it stands."""
    row = connection.of(db(), company.id, credentials.LEDGER)
    profile = company.profile or {}
    facts: list[tuple[str, str]] = [("Program", ledger_names(company)[0])]
    if profile:
        facts.append(("Document numbers", NUMBERS[profile["own_numbers"]]))
        closed = profile.get("closed_through")
        facts.append(("Books closed through", closed or "not closed"))
    facts += [(label, f"{format_count(n)}") for label, n in mirror_counts(company.id)]
    return {
        "company": company.name,
        "country": country_name(company.country),
        "currency": company.currency or "currency being read",
        "signed_in_as": who(row.connected_by if row else None),
        "signed_in_at": row.connected_at if row and row.connected_at else company.created_at,
        "facts": facts,
    }


def mirror_counts(company_id: int) -> list[tuple[str, int]]:
    rows = db().execute(
        select(MirrorEntry.kind, func.count())
        .where(MirrorEntry.company_id == company_id, MirrorEntry.active.is_(True))
        .group_by(MirrorEntry.kind)
    )
    counts = {kind: number for kind, number in rows}  # noqa: C416 (rows are tuples of unknown length to the checker)
    labels = (("customer", "Customers"), ("item", "Items"), ("account", "Accounts"))
    return [(label, counts[kind]) for kind, label in labels if counts.get(kind)]


def source_facts(row: Connection) -> dict[str, Any]:
    """Step 2 as it was found by the last test."""
    found = row.found or {}
    return {
        "user": row.user_name or "–",
        "zone": row.api_url or "–",
        "database": row.tenant,
        "facts": [
            ("Companies", format_count(found.get("parties", 0))),
            ("Invoices", "can be read and marked" if found.get("can_mark_invoices") else "can be read"),
            ("Purchase orders", "yes" if found.get("has_purchase_orders") else "no inventory module"),
            ("Time zone", found.get("time_zone") or "not told"),
        ],
        "tested_at": row.connected_at,
    }


def day_or_dash(value: Any) -> str:
    return format_day(value.date()) if value else "–"
