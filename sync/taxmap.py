"""The tax map of a company as a person sees it: regions and categories of the source, codes of the ledger, who waits.

Rules are in `domain.taxmap`; the map is kept in the invoice settings. Reads only, saving is `sync.settings`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind
from domain.documents import Catalog
from domain.known import Entry
from domain.matching import fold
from domain.settings import InvoiceSettings
from domain.statuses import Status
from domain.taxmap import EVERY_CATEGORY, TaxEntry, TaxMap, confirm, proposal, renamed
from domain.taxrates import percent_of, rules_for, source_rate
from models import Document, MirrorEntry
from sync import mirror

WAITING_CODES = ("tax_unmapped", "tax_region_renamed", "tax_code_inactive", "tax_rate_inactive", "tax_code_gone")


@dataclass(frozen=True, slots=True)
class MapRow:
    """One region and category. Percents are None where a side has none; `waiting` counts Faults of the region."""

    region: str
    region_id: str | None
    category: str
    source_percent: Decimal | None
    entry: TaxEntry | None
    code: Entry | None
    proposed: Entry | None
    waiting: int
    problem: str


def codes(db: Session, company_id: int) -> dict[str, Entry]:
    """The ledger's tax codes, inactive ones too."""
    rows = db.scalars(select(MirrorEntry).where(
        MirrorEntry.company_id == company_id, MirrorEntry.kind == Kind.TAX_CODE.value
    ).order_by(MirrorEntry.folded))
    return {row.ledger_id: Entry(row.ledger_id, row.name, row.active, row.details or {}) for row in rows}


def rows(db: Session, company_id: int, settings: InvoiceSettings) -> list[MapRow]:
    """Regions that charge tax, those that documents wait for, and every entry there is; ordered by name."""
    catalog, known = mirror.catalog_of(db, company_id), codes(db, company_id)
    waits = waiting(db, company_id)
    ids = {name: id for id, name in catalog.tax_regions.items()}
    pairs = {(rule.region, rule.category or EVERY_CATEGORY) for rule in catalog.taxes if rule.region}
    named = {region for region, _ in pairs}
    pairs |= {(region, EVERY_CATEGORY) for region in waits if region not in named}
    made = [_row(region, ids.get(region), category, catalog, known, settings.tax_map, waits)
            for region, category in sorted(pairs)]
    shown = {row.entry for row in made}
    lone = [entry for entry in settings.tax_map.entries if entry not in shown]
    return made + [
        _row(entry.region, entry.region_id, entry.category, catalog, known, settings.tax_map, waits) for entry in lone
    ]


def _row(
    region: str, region_id: str | None, category: str, catalog: Catalog, known: Mapping[str, Entry],
    tax_map: TaxMap, waits: Mapping[str, int],
) -> MapRow:
    found = tax_map.find(region, region_id, category)
    entry = found if found is not None and found.category == category else None
    code = known.get(entry.code) if entry else None
    taxes = rules_for(catalog.taxes, region, category or None)
    by_name: dict[str, tuple[Entry, ...]] = {}
    for each in known.values():
        by_name[fold(each.name)] = (*by_name.get(fold(each.name), ()), each)
    offered = proposal(region, category or None, catalog.taxes, by_name) if entry is None else None
    percent = source_rate(taxes) * 100 if taxes else None
    return MapRow(
        region, region_id, category, percent, entry, code, known.get(offered.id) if offered else None,
        waits.get(region, 0), _problem(region, entry, code, percent),
    )


def _problem(region: str, entry: TaxEntry | None, code: Entry | None, percent: Decimal | None) -> str:
    """What a person should look at, in words; empty when nothing is wrong."""
    if entry is None:
        return ""
    if code is None:
        return f"The code “{entry.code_name or entry.code}” does not exist any more."
    if not code.active:
        return f"The code “{code.name}” is inactive."
    if code.details.get("rate_active") is False:
        return f"A rate of “{code.name}” is inactive."
    if renamed(entry, region):
        return f"The region was called “{entry.region}” when this was confirmed."
    theirs = percent_of(code)
    if percent is not None and theirs is not None and percent != theirs:
        return f"Autotask charges {percent.normalize():f} %, the code {theirs.normalize():f} %."
    return ""


def waiting(db: Session, company_id: int) -> Counter[str]:
    """Region → invoices that wait for the map."""
    counted: Counter[str] = Counter()
    for code in WAITING_CODES:
        found = db.scalars(select(Document.reasons).where(
            Document.company_id == company_id, Document.status == Status.FAULT,
            type_coerce(Document.reasons, Text).like(f'%"{code}"%'),
        ))
        for reasons in found:
            counted.update({each["params"].get("region", "") for each in reasons if each["code"] == code})
    return counted


def with_codes(tax_map: TaxMap, chosen: Sequence[tuple[MapRow, Entry | None]]) -> TaxMap:
    """The map with these rows as a person confirmed them; None takes a row's entry out. Other entries stay."""
    entries = {(entry.region_id or entry.region, entry.category): entry for entry in tax_map.entries}
    for row, code in chosen:
        old = row.entry
        if old is not None:
            entries.pop((old.region_id or old.region, old.category), None)
        if code is not None:
            fresh = TaxEntry(row.region, row.category, code.id, code.name, row.region_id)
            entries[row.region_id or row.region, row.category] = confirm(old, fresh)
    return replace(tax_map, entries=tuple(entries[key] for key in sorted(entries)))


def proposed_map(db: Session, company_id: int, settings: InvoiceSettings) -> TaxMap:
    """The map with every proposal taken over, as a person who confirms all of them would leave it."""
    open_rows = [(row, row.proposed) for row in rows(db, company_id, settings) if row.proposed is not None]
    return with_codes(settings.tax_map, open_rows)
