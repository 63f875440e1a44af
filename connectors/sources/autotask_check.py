"""What "Test connection" finds out about an Autotask database and its user. Reads only.

Time zones: Autotask shows Windows-like names ("(GMT-05:00) Eastern Time (US & Canada)"); the common ones are
turned into IANA names as a proposal, which the settings page lets a person change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.errors import BadAnswer, NotAllowed
from connectors.sources.autotask_http import AutotaskClient
from connectors.sources.autotask_payloads import text
from connectors.sources.base import SourceCheck

Json = Mapping[str, Any]

_ZONES = (
    ("eastern time", "America/New_York"),
    ("central time", "America/Chicago"),
    ("mountain time", "America/Denver"),
    ("arizona", "America/Phoenix"),
    ("pacific time", "America/Los_Angeles"),
    ("alaska", "America/Anchorage"),
    ("hawaii", "Pacific/Honolulu"),
    ("atlantic time", "America/Halifax"),
    ("london", "Europe/London"),
    ("dublin", "Europe/London"),
    ("amsterdam", "Europe/Amsterdam"),
    ("berlin", "Europe/Berlin"),
    ("paris", "Europe/Paris"),
    ("madrid", "Europe/Madrid"),
    ("perth", "Australia/Perth"),
    ("adelaide", "Australia/Adelaide"),
    ("brisbane", "Australia/Brisbane"),
    ("sydney", "Australia/Sydney"),
    ("melbourne", "Australia/Melbourne"),
    ("auckland", "Pacific/Auckland"),
)


def check(client: AutotaskClient) -> SourceCheck:
    """Find the zone, sign in, say what this user can see. About seven calls."""
    zone = client.zone()
    invoices = _information(client, "Invoices")
    currencies = _rows(client, "Currencies")
    can_read, can_mark = _may(invoices, "Query"), _may(invoices, "Update")
    orders = _information(client, "PurchaseOrders")
    return SourceCheck(
        tenant=zone.tenant,
        web_url=zone.web_url,
        api_url=zone.url,
        time_zone=_time_zone(_rows(client, "InternalLocations")),
        currency=_currency(currencies),
        multi_currency=sum(1 for row in currencies if row.get("isActive") is not False) > 1,
        parties=client.count("Companies"),
        can_read_invoices=can_read,
        can_mark_invoices=can_mark,
        has_purchase_orders=_may(orders, "Query"),
        notes=(*_notes(client, can_read, can_mark), *_order_notes(orders)),
    )


def iana_zone(name: str) -> str | None:
    """The IANA zone an Autotask name means, None when unknown."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        lowered = name.lower()
    found = next((zone for word, zone in _ZONES if word in lowered), None)
    return found or ("UTC" if "coordinated universal" in lowered else None)


def _information(client: AutotaskClient, entity: str) -> Json:
    """What the user may do with an entity; nothing when even asking is refused (a module that is not there)."""
    try:
        answer = client.get(f"{entity}/entityInformation", entity=entity)
    except (NotAllowed, BadAnswer):
        return {}
    info = answer.get("info")
    return info if isinstance(info, Mapping) else {}


def _may(info: Json, verb: str) -> bool:
    return info.get(f"can{verb}") is True and info.get(f"userAccessFor{verb}") != 0


def _rows(client: AutotaskClient, entity: str) -> list[Json]:
    try:
        return client.rows(entity)
    except NotAllowed:
        return []


def _time_zone(locations: Sequence[Json]) -> str | None:
    first = next((row for row in locations if row.get("isDefault") is True), locations[0] if locations else {})
    name = text(first.get("timeZone"))
    return iana_zone(name) if name else None


def _currency(currencies: Sequence[Json]) -> str | None:
    return next((text(row.get("name")) for row in currencies if row.get("isInternalCurrency") is True), None)


def _notes(client: AutotaskClient, can_read: bool, can_mark: bool) -> tuple[str, ...]:
    notes = [_who(client)]
    if not can_read:
        notes.append("This user may not read invoices: its security level needs View on invoices.")
    elif not can_mark:
        notes.append("This user may read invoices but not mark them: its security level needs Edit on invoices.")
    used = client.threshold()
    if used is not None:
        allowed, counted = used
        notes.append(f"All integrations together used {counted:,} of {allowed:,} calls in the last hour.")
    return tuple(note for note in notes if note)


def _order_notes(orders: Json) -> tuple[str, ...]:
    if not _may(orders, "Query") or _may(orders, "Update"):
        return ()
    return ("This user may read purchase orders but not mark them: its security level needs Edit on them.",)


def _who(client: AutotaskClient) -> str:
    """Whether the user is API-only, where Autotask lets us see the user itself. Picklists are read by label."""
    user = client.user
    same = [{"op": "eq", "field": field, "value": user} for field in ("userName", "email")]
    try:
        found = client.rows("Resources", [{"op": "or", "items": same}], ("licenseType",))
        labels = client.labels("Resources", "licenseType") if found else {}
    except (NotAllowed, BadAnswer):
        return ""
    if not found:
        return ""
    licence = labels.get(str(found[0].get("licenseType")), "")
    if "api" in licence.lower():
        return "This is an API-only user: it cannot sign in to Autotask itself."
    return "This user can also sign in to Autotask itself; an API-only user is safer and free of charge."
