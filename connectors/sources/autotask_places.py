"""Departments, lines of business, territories and invoice templates of an Autotask database: names by id, read with the
small lists.

Lines of business are an association of two levels ("West:Onsite"). Sources: Autotask developer help, the entities
Departments, OrganizationalLevelAssociations, OrganizationalLevel1s, OrganizationalLevel2s and InvoiceTemplates;
territoryID of Companies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import BadAnswer, NotAllowed
from connectors.sources.autotask_http import AutotaskClient
from connectors.sources.autotask_payloads import key, text


def read(client: AutotaskClient) -> dict[str, dict[str, str]]:
    """The four lists as fields of a `Catalog`; what this user may not see, or an older database lacks, is empty."""
    return {
        "departments": _names(client, "Departments"),
        "businesses": _businesses(client),
        "territories": _territories(client),
        "templates": _names(client, "InvoiceTemplates"),
    }


def _businesses(client: AutotaskClient) -> dict[str, str]:
    pairs = _rows(client, "OrganizationalLevelAssociations")
    if not pairs:
        return {}
    upper, lower = _names(client, "OrganizationalLevel1s"), _names(client, "OrganizationalLevel2s")
    found = {}
    for row in pairs:
        names = (
            upper.get(key(row.get("organizationalLevel1ID")) or "", ""),
            lower.get(key(row.get("organizationalLevel2ID")) or "", ""),
        )
        found[str(row["id"])] = ":".join(name for name in names if name)
    return found


def _territories(client: AutotaskClient) -> dict[str, str]:
    try:
        return client.labels("Companies", "territoryID")
    except (NotAllowed, BadAnswer):
        return {}


def _names(client: AutotaskClient, entity: str) -> dict[str, str]:
    return {str(row["id"]): text(row.get("name")) or "" for row in _rows(client, entity)}


def _rows(client: AutotaskClient, entity: str) -> list[Mapping[str, Any]]:
    try:
        return list(client.rows(entity))
    except (NotAllowed, BadAnswer):
        return []
