"""What a person decides about rows of Compare Lists: Link This, Create New, accept all exact ones. Database only.

A decision is kept as a link; for tax codes and terms as an entry of their map, which is saved with the settings.
Nothing here replaces a link that is there; each decision is audited by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.customers import CREATE_NEW
from domain.list_compare import CHOSEN_NEW, Same
from domain.matching import fold
from domain.settings import TermRule
from models import Company, Document, Link, MirrorEntry, Run, ToolRow, User
from sync import decisions, list_compare, settings, taxmap
from sync.lease import exclusive
from sync.list_compare import CUSTOMER, TAX_CODE, TERM, outcome

CREATABLE = (CUSTOMER, list_compare.VENDOR)
ACCEPTED = "exact name, accepted by a person"


class Refused(Exception):
    """The decision does not hold any more; the text says why, as a sentence for the page."""


def accept_exact(db: Session, company: Company, run: Run, which: str, *, now: datetime, user: User) -> int:
    """Link every row of a list whose name is equal. Returns how many links were made; pressing twice makes none.

    A row is left out when a link exists by now, or when its counterpart is gone, inactive or called otherwise since.
    """
    exclusive(db, company.id)
    rows = db.scalars(select(ToolRow).where(
        ToolRow.run_id == run.id, ToolRow.company_id == company.id, ToolRow.outcome == outcome(which, Same.EXACT)
    )).all()
    if which == TERM:
        return 0  # terms of equal name are used by themselves
    if which == TAX_CODE:
        return _confirm_taxes(db, company, rows, now, user)
    links, entries = _links(db, company.id, which), _entries(db, company.id, which)
    made = 0
    for row in rows:
        key, entry = row.data["key"], entries.get(row.data["ledger_id"])
        if key in links:
            _mark(row, entries.get(links[key].ledger_id), links[key].ledger_id)
        elif entry is not None and entry.active and fold(entry.name) == fold(row.data["ledger_name"]):
            db.add(_link(company, which, row, entry.ledger_id, ACCEPTED, now, user))
            _mark(row, entry, entry.ledger_id)
            made += 1
    return made


def _confirm_taxes(db: Session, company: Company, rows: Sequence[ToolRow], now: datetime, user: User) -> int:
    """Proposals that are still the same become entries of the tax map, in one version of the settings."""
    current = settings.load_invoices(db, company.id)
    wanted = {row.data["key"]: row for row in rows}
    chosen = []
    for each in taxmap.rows(db, company.id, current):
        row = wanted.get(list_compare.tax_key(each))
        if row is not None and each.entry is None and each.proposed and each.proposed.id == row.data["ledger_id"]:
            chosen.append((each, each.proposed))
            _keep(row, Same.LINKED, each.proposed.id, each.proposed.name, [])
    if chosen:
        settings.change(db, company.id, now=now, user=user, tax_map=taxmap.with_codes(current.tax_map, chosen))
    return len(chosen)


def choose(db: Session, company: Company, row: ToolRow, wanted: str, *, now: datetime, user: User) -> list[Document]:
    """`Link This` with an id or an exact name of the ledger, or `Create New` ("new"). Raises Refused.

    Returns the Faults that waited for it and can be retried now.
    """
    exclusive(db, company.id)
    which, entries = row.data["list"], _entries(db, company.id, row.data["list"])
    before = _links(db, company.id, which).get(row.data["key"])
    if which == TAX_CODE:
        raise Refused("Tax codes are chosen in Settings, Tax map.")
    if before is not None and _holds(before, entries):
        _mark(row, entries.get(before.ledger_id), before.ledger_id)
        raise Refused(f"“{row.data['name']}” is linked already; nothing was changed.")
    if which == TERM:
        return _map_term(db, company, row, _sought(entries, wanted), entries, now, user)
    entry = None
    if wanted == CREATE_NEW:
        if which not in CREATABLE or not row.data["creatable"]:
            raise Refused("This cannot be created from here: the name is taken, or the list is kept by hand.")
    else:
        entry = _sought(entries, wanted)
    if before is not None:
        db.delete(before)
        db.flush()
    waiting: list[Document] = []
    if which == CUSTOMER:
        waiting = decisions.link_customer(
            db, company, row.data["key"], row.data["name"], entry.ledger_id if entry else None, now=now, user=user
        )
    else:
        how = "linked by a person" if entry else "create new, said a person"
        db.add(_link(company, which, row, entry.ledger_id if entry else CREATE_NEW, how, now, user))
    _mark(row, entry, entry.ledger_id if entry else CREATE_NEW)
    return waiting


def _map_term(
    db: Session, company: Company, row: ToolRow, entry: MirrorEntry, entries: dict[str, MirrorEntry], now: datetime,
    user: User,
) -> list[Document]:
    """Terms of another name stand in Settings, Dates and terms; terms of equal name need no entry."""
    current = settings.load_invoices(db, company.id)
    mapped = {rule.term_id: rule for rule in current.term_map}
    old = entries.get(mapped[row.data["key"]].ledger_id) if row.data["key"] in mapped else None
    if old is not None and old.active:
        _mark(row, old, old.ledger_id)
        raise Refused(f"“{row.data['name']}” is linked already; change it in Settings, Dates and terms.")
    if row.data["state"] == Same.EXACT:
        raise Refused("Terms of equal name are used by themselves; there is nothing to link.")
    kept = tuple(rule for rule in current.term_map if rule.term_id != row.data["key"])
    fresh = (*kept, TermRule(row.data["key"], entry.ledger_id))
    settings.change(db, company.id, now=now, user=user, term_map=fresh)
    _mark(row, entry, entry.ledger_id)
    return []


def _sought(entries: dict[str, MirrorEntry], wanted: str) -> MirrorEntry:
    """The active record with this id, else the only one with this name."""
    entry = entries.get(wanted)
    if entry is None or not entry.active:
        named = [each for each in entries.values() if each.active and each.folded == fold(wanted)]
        if not wanted:
            raise Refused("Choose a record, or enter its name or id.")
        if not named:
            raise Refused(f"No active record is called “{wanted}” or has this id. Refresh the lists if it is new.")
        if len(named) > 1:
            raise Refused(f"{len(named)} records are called “{wanted}”: enter the id of one of them.")
        entry = named[0]
    return entry


def _holds(link: Link, entries: dict[str, MirrorEntry]) -> bool:
    """A link to something that is gone or inactive may be replaced; every other one stays."""
    entry = entries.get(link.ledger_id)
    return link.ledger_id == CREATE_NEW or (entry is not None and entry.active)


def _links(db: Session, company_id: int, which: str) -> dict[str, Link]:
    return {
        link.source_key: link
        for link in db.scalars(select(Link).where(Link.company_id == company_id, Link.kind == which))
    }


def _entries(db: Session, company_id: int, which: str) -> dict[str, MirrorEntry]:
    rows = db.scalars(select(MirrorEntry).where(MirrorEntry.company_id == company_id, MirrorEntry.kind == which))
    return {row.ledger_id: row for row in rows}


def _link(company: Company, which: str, row: ToolRow, ledger_id: str, how: str, now: datetime, user: User) -> Link:
    return Link(
        company_id=company.id, kind=which, source_key=row.data["key"], source_name=row.data["name"][:500],
        ledger_id=ledger_id, how=how, made_by=user.id, made_at=now,
    )


def _mark(row: ToolRow, entry: MirrorEntry | None, ledger_id: str) -> None:
    """The row shows the link from now on."""
    notes = [CHOSEN_NEW] if ledger_id == CREATE_NEW else []
    _keep(row, Same.LINKED, entry.ledger_id if entry else "", entry.name if entry else "", notes)


def _keep(row: ToolRow, state: Same, ledger_id: str, ledger_name: str, notes: list[str]) -> None:
    row.outcome = outcome(row.data["list"], state)
    row.data = {**row.data, "state": str(state), "ledger_id": ledger_id, "ledger_name": ledger_name,
                "candidates": [], "reasons": [], "notes": notes}
