"""The company's mirror of ledger lists and the source's small lists: refreshed cheaply, read by planning.

The watermark is the ledger's own time of the last clean pass less five minutes (the connector subtracts them); entries
merge by id. Reading a list
twice is safe. Nothing here needs the lease: entries only ever follow the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from connectors.errors import Unavailable
from connectors.ledgers.base import Changes, Kind, Ledger, LedgerProfile, Record
from connectors.sources.base import Source
from domain.documents import Catalog
from domain.matching import fold, loose
from models import Company, MirrorEntry, MirrorState
from sync import codec, currencies, todo_state
from sync.connection import same_company, succeeded
from sync.lease import exclusive
from sync.runtime import Runtime

FEED_KINDS = (Kind.CUSTOMER, Kind.VENDOR, Kind.ITEM, Kind.ACCOUNT, Kind.TERM)
DAILY_KINDS = (Kind.TAX_CODE,)
TRACKED_KINDS = (Kind.CLASS, Kind.LOCATION)
"""Read with the daily ones where the ledger company uses them."""
FEED_REACH = timedelta(days=29)
"""The shortest reach of a change feed (QuickBooks: 30 days; Intuit, change data capture)."""
DAY = timedelta(days=1)
CLOSING_DATE_AGE = timedelta(minutes=1)
"""How old the closing date may be when a run or a person asks."""
SUSPICIOUS = 10
"""A list of at least so many entries that is suddenly empty is not believed (safety stop)."""
_EMPTY = (
    "The ledger shows no {kind} any more, although {known:,} were known. Nothing was changed and nothing is posted: "
    "check that the right company is connected, then refresh the lists."
)


def refresh(
    rt: Runtime, company_id: int, ledger: Ledger, source: Source | None, *, whole: bool = False,
    profile_within: timedelta = timedelta(days=1), deletions: bool = False,
) -> None:
    """Bring mirror, profile and catalog up to date: one metered read when little is needed, all when asked.

    `profile_within`: how old the ledger's preferences (its closing date is one) may be at most. `deletions`: lists
    whose feed does not tell what was deleted are read whole.
    """
    with rt.sessions() as db:
        same_company(db, company_id, ledger.tenant)
        state = db.get(MirrorState, company_id)
        watermark = state.watermark if state else None
        profile_at = state.profile_at if state else None
        whole_at = state.whole_at if state else None
        catalog_at = state.catalog_at if state else None
        todo_lists_at = state.todo_lists_at if state else None
    now = rt.clock.now()
    old = whole or watermark is None or watermark < now - FEED_REACH
    daily = whole_at is None or whole_at < now - DAY
    if old or daily:
        profile = _refresh_profile(rt, company_id, ledger)
        _progress(rt, company_id, "{the_ledger} tax codes")
        used = [kind for kind, on in zip(TRACKED_KINDS, (profile.classes, profile.locations), strict=True) if on]
        kinds = (*DAILY_KINDS, *used, *((Kind.THEME,) if ledger.capabilities.themes else ()))
        _store(rt, company_id, ledger.lists(kinds), whole_kinds=kinds, daily=True)
    elif profile_at is None or profile_at <= now - profile_within:
        _refresh_profile(rt, company_id, ledger)
    if not old and watermark is not None:
        changes = ledger.changes(FEED_KINDS, watermark)
        if changes.complete:
            _store(rt, company_id, changes)
        else:
            old = True
    if old:
        _refresh_whole(rt, company_id, ledger)
    elif unfed := tuple(Kind(kind) for kind in sorted(ledger.capabilities.unfed_deletions) if daily or deletions):
        _store(rt, company_id, ledger.lists(unfed), whole_kinds=unfed)
    if source is not None and (whole or catalog_at is None or catalog_at < now - DAY):
        _progress(rt, company_id, "Autotask billing codes, terms and taxes")
        _store_catalog(rt, company_id, source.catalog())
    if source is not None and (whole or todo_lists_at is None or todo_lists_at < now - DAY):
        todo_state.read_lists(rt, company_id, source)
    _progress(rt, company_id, None)
    with rt.sessions() as db, db.begin():
        succeeded(db, company_id, "ledger", rt.clock.now())
        currencies.remember_harmless(db, db.get_one(Company, company_id))


def _refresh_whole(rt: Runtime, company_id: int, ledger: Ledger) -> None:
    """All fed lists. The watermark is that of the first list and set last: a crash in between reads all again."""
    watermarks: list[datetime] = []
    for kind in FEED_KINDS:
        _progress(rt, company_id, f"{{the_ledger}} {kind.value}s")
        changes = ledger.lists((kind,))
        watermarks.append(changes.watermark)
        _store(rt, company_id, changes, whole_kinds=(kind,))
    with rt.sessions() as db, db.begin():
        _state(db, company_id).watermark = min(watermarks)


def _refresh_profile(rt: Runtime, company_id: int, ledger: Ledger) -> LedgerProfile:
    _progress(rt, company_id, "{the_ledger} company and preferences")
    profile = ledger.check()
    with rt.sessions() as db, db.begin():
        company = db.get_one(Company, company_id)
        company.profile = codec.dump(profile)
        _state(db, company_id).profile_at = rt.clock.now()
        company.name, company.country, company.currency = profile.company_name, profile.country, profile.currency
    return profile


def _progress(rt: Runtime, company_id: int, reading: str | None) -> None:
    """What the settings page shows while lists are read ("Reading QuickBooks items"); None when done."""
    with rt.sessions() as db, db.begin():
        state = _state(db, company_id)
        state.progress = {"reading": reading, "at": rt.clock.now().isoformat()} if reading else {}


def _state(db: Session, company_id: int) -> MirrorState:
    state = db.get(MirrorState, company_id)
    if state is None:
        state = MirrorState(company_id=company_id, progress={})
        db.add(state)
        db.flush()
    return state


def _store(
    rt: Runtime, company_id: int, changes: Changes, *, whole_kinds: tuple[Kind, ...] = (), daily: bool = False
) -> None:
    now = rt.clock.now()
    with rt.sessions() as db, db.begin():
        exclusive(db, company_id)
        for kind in whole_kinds:
            seen = {record.id for record in changes.records if record.kind is kind}
            known = db.scalars(
                select(MirrorEntry.ledger_id).where(MirrorEntry.company_id == company_id, MirrorEntry.kind == kind)
            ).all()
            if not seen and len(known) >= SUSPICIOUS:
                raise Unavailable(_EMPTY.format(kind=kind.value.replace("_", " "), known=len(known)))
            forget(db, company_id, [(kind, ledger_id) for ledger_id in known if ledger_id not in seen])
        merge(db, company_id, changes.records, now)
        forget(db, company_id, changes.removed)
        state = _state(db, company_id)
        if daily:
            state.whole_at = now
        elif not whole_kinds:
            state.watermark = changes.watermark


def merge(db: Session, company_id: int, records: Iterable[Record], now: datetime) -> None:
    """Insert or update entries by id."""
    records = list(records)
    known: dict[tuple[str, str], MirrorEntry] = {}
    for start in range(0, len(records), 500):
        part = records[start : start + 500]
        found = db.scalars(
            select(MirrorEntry).where(
                MirrorEntry.company_id == company_id,
                MirrorEntry.kind.in_({r.kind.value for r in part}),
                MirrorEntry.ledger_id.in_([r.id for r in part]),
            )
        )
        known.update({(entry.kind, entry.ledger_id): entry for entry in found})
    for record in records:
        entry = known.get((record.kind.value, record.id))
        if entry is None:
            entry = MirrorEntry(company_id=company_id, kind=record.kind.value, ledger_id=record.id)
            known[(record.kind.value, record.id)] = entry
            db.add(entry)
        entry.name, entry.folded, entry.loose = record.name, fold(record.name), loose(record.name)
        entry.version, entry.active, entry.details = record.version, record.active, dict(record.details)
        entry.read_at = now


def forget(db: Session, company_id: int, removed: Iterable[tuple[Kind, str]]) -> None:
    for kind, ledger_id in removed:
        db.execute(
            delete(MirrorEntry).where(
                MirrorEntry.company_id == company_id, MirrorEntry.kind == kind.value,
                MirrorEntry.ledger_id == ledger_id,
            )
        )


def _store_catalog(rt: Runtime, company_id: int, catalog: Catalog) -> None:
    with rt.sessions() as db, db.begin():
        state = _state(db, company_id)
        state.catalog, state.catalog_at = codec.dump(catalog), rt.clock.now()


def refresh_catalog(rt: Runtime, company_id: int, source: Source) -> None:
    """Read the source's small lists now, whatever their age."""
    _store_catalog(rt, company_id, source.catalog())


def catalog_of(db: Session, company_id: int) -> Catalog:
    state = db.get(MirrorState, company_id)
    return codec.load(Catalog, state.catalog) if state and state.catalog else Catalog()


def profile_of(company: Company) -> LedgerProfile:
    """The last reading of the ledger's preferences. Raises LookupError before the first one."""
    if not company.profile:
        raise LookupError(f"the ledger of company {company.id} was never read")
    return replace(codec.load(LedgerProfile, company.profile))


def learn(db: Session, company_id: int, *, takes_early_due: bool) -> None:
    """What an answer of the ledger told about it, until its preferences are read again."""
    company = db.get_one(Company, company_id)
    company.profile = codec.dump(replace(profile_of(company), takes_early_due=takes_early_due))


def ready(db: Session, company_id: int) -> bool:
    """Lists and catalog were read at least once: drop-downs are filled and planning is possible."""
    state = db.get(MirrorState, company_id)
    return bool(state and state.watermark and state.whole_at and state.catalog_at)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A document under a marker of ours as the ledger showed it. `made`: when (ISO); empty where it does not say."""

    kind: str
    ledger_id: str
    made: str


def unknown_of(db: Session, company_id: int) -> Mapping[str, Sighting]:
    """What the last reconciliation found in the ledger and we had no posting for, by marker."""
    state = db.get(MirrorState, company_id)
    kept = (state.unknown_in_ledger or {}) if state is not None else {}
    # Kept by an earlier release: the instant alone.
    return {marker: Sighting(**it) if isinstance(it, dict) else Sighting("", "", it) for marker, it in kept.items()}


def keep_unknown(db: Session, company_id: int, unknown: Mapping[str, Sighting]) -> None:
    """In place of what the reconciliation before found."""
    state = db.get(MirrorState, company_id)
    if state is not None:
        state.unknown_in_ledger = {marker: asdict(seen) for marker, seen in unknown.items()}


def looked_for(db: Session, company_id: int, markers: Iterable[str]) -> None:
    """These are looked up now, so they are no longer unknown: what proves absent is sent. Under the company's lease."""
    state, done = db.get_one(MirrorState, company_id), set(markers)
    state.unknown_in_ledger = {
        marker: seen for marker, seen in (state.unknown_in_ledger or {}).items() if marker not in done
    }


def counts(db: Session, company_id: int) -> dict[str, int]:
    """Active entries by kind."""
    rows = db.execute(
        select(MirrorEntry.kind, func.count()).where(
            MirrorEntry.company_id == company_id, MirrorEntry.active.is_(True)
        ).group_by(MirrorEntry.kind)
    )
    return {str(kind): int(number) for kind, number in rows}
