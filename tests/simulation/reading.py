"""What the checker reads from the simulated books: whose each document is, by its marker alone, and what it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from connectors.ledgers.memory import Entry
from domain.plan import marker
from sync.operations import CORRECT
from tests.simulation.world import Tenant

Finding = Iterator[tuple[str, ...]]
MARKER = re.compile(r"ref:\w{8}")


def by_source(tenant: Tenant, entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Ledger documents by what they are wanted for, read from their markers alone; "?" are those of nobody."""
    whose = (str(tenant.company_id), tenant.books.tenant, tenant.source.tenant)
    known = {
        marker(*whose, one.kind, one.id, *((one.part,) if one.part else ())): key for key, one in tenant.wanted.items()
    }
    known |= {marker(*whose, one.kind, one.id, CORRECT): "" for one in tenant.wanted.values()}
    found: dict[str, list[Entry]] = {id: [] for id in tenant.wanted}
    for entry in entries:
        reference = MARKER.search(str(entry.body["marker"]))
        if reference is not None:
            found.setdefault(known.get(reference.group(), "?"), []).append(entry)
    found.pop("", None)  # what corrects a document is not that document
    return found


def corrections(tenant: Tenant) -> dict[str, list[Entry]]:
    """Live documents that correct one of a closed period, by what that is wanted for."""
    whose = (str(tenant.company_id), tenant.books.tenant, tenant.source.tenant)
    known = {marker(*whose, one.kind, one.id, CORRECT): key for key, one in tenant.wanted.items()}
    found: dict[str, list[Entry]] = {}
    for entry in tenant.books.documents():
        reference = MARKER.search(str(entry.body["marker"]))
        if reference is not None and reference.group() in known:
            found.setdefault(known[reference.group()], []).append(entry)
    return found


def ours(tenant: Tenant) -> dict[str, list[Entry]]:
    """Live ledger documents by what they are wanted for."""
    return by_source(tenant, tenant.books.documents())


def removed(tenant: Tenant) -> set[str]:
    """Source ids of documents that somebody voided in the ledger's own pages."""
    dead = [entry for entry in tenant.books.documents(live=False) if entry.id in tenant.books.removed_by_hand]
    return {id for id, entries in by_source(tenant, dead).items() if entries}


def written(entry: Entry) -> Decimal:
    """Its total as it was written, whatever people made of it in the ledger's own pages."""
    return sum((Decimal(one["amount"]) for one in entry.body["lines"]), Decimal(entry.body["tax"]))


def freight_of(tenant: Tenant, entry: Entry) -> Decimal:
    account = tenant.purchases.freight_account if tenant.purchases is not None else None
    return sum((Decimal(one["amount"]) for one in entry.body["lines"] if one["item"] == account), Decimal(0))
