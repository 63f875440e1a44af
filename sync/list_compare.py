"""Compare Lists: customers, items, vendors, terms and tax codes of both sides, one row each, as a run of a tool.

It reads only. Customers are those that stored documents bill: nobody else ever needs a customer. What a person
decides about a row is in `sync/list_decisions.py`; the rules are in `domain/list_compare.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities, Kind, Ledger
from connectors.sources.base import Source
from domain.compare import compare
from domain.documents import Party
from domain.known import Facts
from domain.list_compare import Pair, Same, by_name, customers, in_order, items
from domain.matching import fold
from domain.settings import InvoiceSettings
from models import Company, Run, ToolRow, User
from sync import comparing, lists, mirror, reports, requests, taxmap
from sync.runtime import Runtime
from sync.settings import load_invoices

KIND = reports.COMPARE_LISTS
CUSTOMER, ITEM, VENDOR, TERM, TAX_CODE = "customer", "item", "vendor", "term", "tax_code"
LISTS = (CUSTOMER, ITEM, VENDOR, TERM, TAX_CODE)
OF_SETTINGS = (TERM, TAX_CODE)
"""Their maps stand in the settings, which admins change."""
OF_SET_UP = (CUSTOMER, ITEM)
"""What the third step of set-up shows."""


def outcome(which: str, state: Same) -> str:
    """A row's outcome names its list too, so that rows of one list and state are found by the index."""
    return f"{which}:{state}"


def read(rt: Runtime, company_id: int, source: Source, ledger: Ledger, run_id: int) -> Mapping[str, Any]:
    """Read what changed, compare, keep one row per record of the source. Raises PlatformError; safe to repeat."""
    comparing.read_lists(rt, company_id, source, ledger)
    vendors = source.vendors()
    with rt.sessions() as db, db.begin():
        run = db.get_one(Run, run_id)
        return {"counts": write_rows(db, run, ledger.capabilities, LISTS, vendors)}


def after_scan(db: Session, scan: Run, capabilities: Capabilities, now: datetime) -> None:
    """The third step of set-up: customers and items as the first scan left them, as a run of its own.

    Mailed after the first one only. A comparison that somebody has just asked for is left to come.
    """
    company, user = db.get_one(Company, scan.company_id), db.get(User, scan.requested_by or 0)
    before = db.execute(select(Run.id).where(Run.company_id == company.id, Run.kind == KIND).limit(1)).first()
    asker = [{"address": user.email, "kind": "additional"}] if user else []
    run, new = requests.ask(
        db, company, kind=KIND, trigger="button", now=now, user=user, recipients=asker, confirmed=True
    )
    if new:
        run.summary = {"asked": {"scan": scan.id, "mail": before is None}}
        counts = write_rows(db, run, capabilities, OF_SET_UP, ())
        reports.finish_tool(db, run, now, summary={"counts": counts})


def write_rows(
    db: Session, run: Run, capabilities: Capabilities, which: Sequence[str], vendors: Sequence[Party]
) -> dict[str, dict[str, int]]:
    """One row per record of each list, in the order of the page; returns list → state → count."""
    company = db.get_one(Company, run.company_id)
    facts = lists.facts(mirror.profile_of(company), capabilities)
    settings = load_invoices(db, company.id)
    counts: dict[str, dict[str, int]] = {}
    for name in which:
        pairs = in_order(_pairs(db, company.id, name, settings, facts, vendors))
        db.add_all(
            ToolRow(company_id=company.id, run_id=run.id, outcome=outcome(name, pair.state), data=row_data(name, pair))
            for pair in pairs
        )
        counts[name] = dict(Counter(str(pair.state) for pair in pairs))
    db.flush()
    return counts


def _pairs(
    db: Session, company_id: int, which: str, settings: InvoiceSettings, facts: Facts, vendors: Sequence[Party]
) -> list[Pair]:
    catalog = mirror.catalog_of(db, company_id)
    if which == CUSTOMER:
        parties = lists.billed_parties(db, company_id)
        known = replace(lists.customer_lists(db, company_id, parties), exact_names=settings.exact_names)
        return customers(parties, known, facts)
    if which == ITEM:
        known = lists.item_lists(db, company_id, catalog)
        return items(compare(known, settings.match_by, facts), known)
    if which == VENDOR:
        names = [(party.id, party.name) for party in vendors]
        links = lists.links_of(db, company_id, VENDOR, [key for key, _ in names])
        entries = lists.entries_of(db, company_id, Kind.VENDOR)
        return by_name(VENDOR, names, entries, links, unique=True, creatable=True)
    if which == TERM:
        entries = lists.entries_of(db, company_id, Kind.TERM)
        equal = {fold(entry.name) for entry in entries if entry.active}
        names = [(term.id, term.name) for term in catalog.terms.values()]
        # The map of Settings holds only where the ledger has no terms of equal name.
        unnamed = {key for key, name in names if fold(name) not in equal}
        links = {(TERM, rule.term_id): rule.ledger_id for rule in settings.term_map if rule.term_id in unnamed}
        return by_name(TERM, names, entries, links, unique=False, creatable=False)
    return [tax_pair(row) for row in taxmap.rows(db, company_id, settings)]


def tax_pair(row: taxmap.MapRow) -> Pair:
    """A region and category of the tax map: confirmed there is linked, proposed by equal name is exact."""
    name = f"{row.region or 'No region'}{', ' + row.category if row.category else ''}"
    notes = (row.problem,) if row.problem else ()
    if row.entry is not None:
        usable = row.code is not None and row.code.active
        return Pair(tax_key(row), name, Same.LINKED if usable else Same.UNUSABLE, row.code, notes=notes)
    if row.proposed is not None:
        return Pair(tax_key(row), name, Same.EXACT, row.proposed, (row.proposed,))
    return Pair(tax_key(row), name, Same.NEW)


def tax_key(row: taxmap.MapRow) -> str:
    return f"{row.region_id or ''}:{row.region}:{row.category}"


def row_data(which: str, pair: Pair) -> dict[str, Any]:
    return {
        "list": which, "state": str(pair.state), "key": pair.key, "name": pair.name,
        "ledger_id": pair.entry.id if pair.entry else "", "ledger_name": pair.entry.name if pair.entry else "",
        "candidates": [[each.id, each.name] for each in pair.candidates],
        "creatable": pair.creatable, "reasons": [why.to_json() for why in pair.reasons], "notes": list(pair.notes),
    }
