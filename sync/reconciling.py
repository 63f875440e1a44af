"""Reconciling a company: our documents against the ledger's, as a run that reads only. Nightly, and when asked.

Two metered reads per thousand documents: what the ledger made since the company was connected, by kind, and by id
what it does not list there. Bills and purchase orders are read where the company has any (`domain.reconcile` says
what of them is compared). What is found are rows of the run; what bears our marker and is unknown is looked up where
it is reserved already, and remembered otherwise, so that a document which is reserved later is looked up before it is
sent (after a restore the ledger knows more than we). An invoice that the ledger holds so and the database has never
seen is read from the source by its number: its mark keeps it from being listed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from connectors.errors import PlatformError
from connectors.ledgers.base import Done, Kind, Ledger, Sought
from connectors.sources.base import Source
from domain.documents import Draft
from domain.order_documents import ORDER
from domain.reconcile import PURCHASES, Ours, Outcome, Pair, Theirs, counted, markers_in, reconcile
from domain.statuses import Flag, PostingState, RunState
from models import Company, Document, MirrorEntry, Pause, Posting, Run, ToolRow
from sync import codec, mirror, operations, pauses, promoting, reports, requests
from sync.areas import INVOICES
from sync.lease import exclusive
from sync.looking import look_for_copy, remember_where
from sync.mirror import Sighting
from sync.reading import marker_of, new_document, rows_of
from sync.runtime import Runtime
from sync.settings import load_invoices, load_orders

KIND = reports.RECONCILE
SOLD, BOUGHT = (Kind.INVOICE, Kind.CREDIT_MEMO), (Kind.BILL, Kind.PURCHASE_ORDER)
KEPT_RUNS = 14
"""So many reconciliations keep all their lines; older ones keep what was wrong."""
MOST_FORGOTTEN = 200
"""So many forgotten invoices are asked for at once; the next comparison asks for more."""
AGAIN, AGAIN_RESTORED = timedelta(hours=1), timedelta(minutes=10)
"""When a comparison that failed is due again; and while posting waits for it, ever later."""
_SLACK = timedelta(minutes=10)


def read(
    rt: Runtime, company_id: int, ledger: Ledger, run_id: int, source: Source | None = None
) -> Mapping[str, Any]:
    """Gather both sides, compare, keep one row per document. Raises PlatformError; safe to repeat. Without a `source`
    what was forgotten stays unknown."""
    with rt.sessions() as db:
        since = db.get_one(Company, company_id).created_at - _SLACK
        kinds = _kinds(db, company_id)
    found = _listed(ledger, kinds, since)
    with rt.sessions() as db:
        ours = _ours(db, company_id)
    found |= _asked_by_id(ledger, ours, found)
    if source is not None and _read_forgotten(rt, company_id, source, _forgotten(ours, found)):
        with rt.sessions() as db:
            ours = _ours(db, company_id)
    with rt.sessions() as db, db.begin():
        # Read again: what was posted while the ledger answered is in its list only by chance.
        now_ours = {one.marker: one for one in _ours(db, company_id)}
        steady = [one for one in ours if now_ours.get(one.marker) == one]
        names = _names(db, company_id)
        moving = _moving(db, company_id)
        pairs = reconcile(steady, [_theirs(done, names) for done in found.values() if done.echo.live])
        told = [pair for pair in pairs if not _in_hand(pair, moving, ours, steady)]
        exclusive(db, company_id)  # what is reserved is decided upon from here on
        _remember_where(db, company_id, _unknown(pairs, found))
        promoting.shown(db, company_id, found, rt.clock.now())
        return _keep(db, db.get_one(Run, run_id), told, _unknown(told, found), rt.clock.now())


def _kinds(db: Session, company_id: int) -> tuple[Kind, ...]:
    """Purchases too, once an order is known or orders are looked for: a restored database may know none yet."""
    some = select(Document.id).where(Document.company_id == company_id, Document.kind == ORDER).limit(1)
    buys = not load_orders(db, company_id).paused or db.execute(some).first() is not None
    return (*SOLD, *BOUGHT) if buys else SOLD


def _listed(ledger: Ledger, kinds: Sequence[Kind], since: datetime) -> dict[tuple[str, str], Done]:
    found = ledger.find([Sought(kind.value, kind, since=since) for kind in kinds])
    return {(kind.value, done.ledger_id): done for kind in kinds for done in found.get(kind.value, ())}


def _asked_by_id(
    ledger: Ledger, ours: Sequence[Ours], found: Mapping[tuple[str, str], Done]
) -> dict[tuple[str, str], Done]:
    """What we hold and the list did not show: older documents that were taken over, or records that are gone."""
    asked = [one for one in ours if one.posted and one.ledger_id and (one.kind, one.ledger_id) not in found]
    if not asked:
        return {}
    sought = [Sought(one.marker, Kind(one.kind), ledger_id=one.ledger_id) for one in asked]
    answers = ledger.find(sought)
    return {(one.kind, done.ledger_id): done for one in asked for done in answers.get(one.marker, ())}


def _forgotten(ours: Sequence[Ours], found: Mapping[tuple[str, str], Done]) -> dict[str, str]:
    """Marker → number of the ledger's invoices and credits that no document of ours belongs to."""
    known, forgotten = {one.marker for one in ours}, {}
    for (kind, _), done in sorted(found.items()):
        marker = markers_in(done.echo.marker)
        if kind in SOLD and marker and done.echo.live and done.number and marker not in known:
            forgotten[marker] = done.number
    return dict(list(forgotten.items())[:MOST_FORGOTTEN])


def _read_forgotten(rt: Runtime, company_id: int, source: Source, forgotten: Mapping[str, str]) -> int:
    """Store the headers of these invoices, asked by number, one read each; whose marker is another one is a stranger's
    number. They are read and looked up like every new document. Returns how many; a source that is away: the next
    comparison asks again."""
    try:
        headers = [header for number in sorted(set(forgotten.values()))
                   for header in source.headers_by_number(INVOICES.kind, number)]  # fmt: skip
    except PlatformError:
        return 0
    with rt.sessions() as db, db.begin():
        exclusive(db, company_id)
        company, settings, now = db.get_one(Company, company_id), load_invoices(db, company_id), rt.clock.now()
        rows = [new_document(company, source.tenant, header, settings, now) for header in headers]
        known = rows_of(db, company_id, source.tenant, [row.source_id for row in rows])
        fresh = {row.source_id: row for row in rows
                 if row.source_id not in known and marker_of(company, row) in forgotten}  # fmt: skip
        db.add_all(fresh.values())
        return len(fresh)


def _ours(db: Session, company_id: int) -> list[Ours]:
    company = db.get_one(Company, company_id)
    rows = db.execute(
        select(Document, Posting).outerjoin(Posting, Posting.id == Document.posting_id)
        .where(Document.company_id == company_id).order_by(Document.id)
    ).all()
    drafts = _last_written(db, company_id)
    return [_our(company, row, posting, drafts) for row, posting in rows] + _corrections(db, company_id)


def _corrections(db: Session, company_id: int) -> list[Ours]:
    """What corrects a document of a closed period stands in the ledger beside it, under a marker of its own."""
    rows = db.execute(
        select(Document, Posting).join(Posting, Posting.document_id == Document.id)
        .where(Posting.company_id == company_id, Posting.operation == operations.CORRECT, Posting.sends > 0)
        .order_by(Posting.id)
    ).all()
    found: dict[int, Ours] = {}
    for row, posting in rows:  # a later generation takes the place of one that was refused
        draft, posted = codec.load(Draft, posting.draft), posting.state in (PostingState.CONFIRMED, PostingState.DONE)
        found[row.id] = Ours(
            document_id=row.id, source_id=row.source_id, number=posting.ledger_number or draft.number or "",
            marker=posting.marker, kind=posting.ledger_kind or "", posted=posted, ledger_id=posting.ledger_id,
            party=row.party_name, party_id=draft.party.ledger_id, date=draft.date, currency=draft.currency,
            total=_cents(draft.total), tax=None, open_amount=None,
        )  # fmt: skip
    return list(found.values())


def _last_written(db: Session, company_id: int) -> dict[tuple[int | None, str | None], Any]:
    """Document and ledger id → the draft that was written last, where a replacement followed the creation of that
    very record: another copy may have taken its place since."""
    rows = db.execute(
        select(Posting.document_id, Posting.target_id, Posting.draft)
        .where(Posting.company_id == company_id, Posting.operation == "update",
               Posting.state.in_((PostingState.CONFIRMED, PostingState.DONE)))
        .order_by(Posting.id)
    )
    return {(document_id, target_id): draft for document_id, target_id, draft in rows}


def _our(
    company: Company, row: Document, posting: Posting | None, drafts: Mapping[tuple[int | None, str | None], Any]
) -> Ours:
    written = drafts.get((row.id, row.ledger_id)) or (posting.draft if posting is not None else None)
    draft = codec.load(Draft, written) if written and posting is not None and posting.sends else None
    live = posting is not None and posting.state in (PostingState.CONFIRMED, PostingState.DONE)
    posted = bool(row.ledger_id) and live and str(Flag.VOIDED) not in (row.flags or [])
    bought = row.ledger_kind in PURCHASES
    total = row.ledger_total if row.ledger_total is not None else abs(row.total)
    if bought:
        total = draft.total if draft is not None else row.total
    return Ours(
        document_id=row.id, source_id=row.source_id, number=row.ledger_number or row.number or row.source_id,
        marker=marker_of(company, row), kind=row.ledger_kind or "", posted=posted, ledger_id=row.ledger_id,
        party=row.party_name, party_id=draft.party.ledger_id if draft else None,
        date=draft.date if draft else row.ledger_date or row.document_date, currency=row.currency,
        total=_cents(total), tax=None if bought else _cents(row.ledger_tax), open_amount=_cents(row.ledger_open),
        taken_over=bought and posted and draft is None,
    )


def _theirs(done: Done, names: Mapping[tuple[str, str], str]) -> Theirs:
    echo = done.echo
    party = (Kind.VENDOR.value if echo.kind in BOUGHT else Kind.CUSTOMER.value, echo.party_id or "")
    return Theirs(
        kind=echo.kind.value, ledger_id=done.ledger_id, number=done.number, marker=markers_in(echo.marker),
        party=names.get(party, echo.party_id or ""), party_id=echo.party_id, date=echo.date,
        currency=echo.currency, total=_cents(echo.total), tax=_cents(echo.tax), balance=_cents(echo.balance),
    )


def _cents(value: Decimal | None) -> Any:
    """Both sides in the same number of places; Decimal or None."""
    return None if value is None else value.quantize(Decimal("0.0001")).normalize() + 0


def _names(db: Session, company_id: int) -> dict[tuple[str, str], str]:
    """(kind, id) of customers and vendors → name."""
    rows = db.execute(select(MirrorEntry.kind, MirrorEntry.ledger_id, MirrorEntry.name).where(
        MirrorEntry.company_id == company_id, MirrorEntry.kind.in_((Kind.CUSTOMER.value, Kind.VENDOR.value))
    ))
    return {(row[0], row[1]): row[2] for row in rows}


def _moving(db: Session, company_id: int) -> set[str]:
    """Markers of documents of which a write is under way now: the next reconciliation tells of them. After a restore
    nothing that is frozen goes, and its copy may be there already."""
    states = [PostingState.SENDING, PostingState.UNKNOWN]
    if not _restored(db, company_id):
        states.append(PostingState.READY)
    return set(db.scalars(select(Posting.marker).where(
        Posting.company_id == company_id, Posting.state.in_(states), Posting.marker != ""
    )))


def _in_hand(pair: Pair, moving: set[str], ours: Sequence[Ours], steady: Sequence[Ours]) -> bool:
    """It changed while both sides were read."""
    marker = pair.ours.marker if pair.ours is not None else pair.theirs.marker if pair.theirs is not None else ""
    if marker in moving:
        return True
    changed = {one.marker for one in ours} - {one.marker for one in steady}
    return marker in changed


# ---- what is kept -------------------------------------------------------------------------------------------


def _keep(
    db: Session, run: Run, pairs: Sequence[Pair], unknown: Mapping[str, Sighting], now: datetime
) -> Mapping[str, Any]:
    db.add_all(
        ToolRow(company_id=run.company_id, run_id=run.id, outcome=pair.outcome.value, data=_data(pair))
        for pair in pairs
    )
    counts = counted(pairs)
    looked_up = _look_up_reserved(db, run.company_id, unknown, now)
    left = {marker: seen for marker, seen in unknown.items() if marker not in looked_up}
    mirror.keep_unknown(db, run.company_id, left)
    _forget_old(db, run)
    _lift(db, run.company_id, pairs, now)
    sold, bought = ([pair for pair in pairs if (_kind(pair) in PURCHASES) is flag] for flag in (False, True))
    bills = [pair for pair in bought if _kind(pair) == Kind.BILL]
    return {"counts": asdict(counts), "green": counts.green, "sums": _sums(sold), "bills": _sums(bills)}


def _kind(pair: Pair) -> str:
    return (pair.ours.kind if pair.ours else "") or (pair.theirs.kind if pair.theirs else "")


def _unknown(pairs: Sequence[Pair], found: Mapping[tuple[str, str], Done]) -> dict[str, Sighting]:
    """What stands in the ledger without our knowing, by marker; the oldest where there are several."""
    seen: dict[str, Sighting] = {}
    for pair in pairs:
        if pair.outcome is Outcome.ORPHAN and pair.theirs is not None:
            there = pair.theirs
            created = found[there.kind, there.ledger_id].echo.created_at
            one = Sighting(there.kind, there.ledger_id, created.isoformat() if created else "")
            seen[there.marker] = min(seen.get(there.marker, one), one, key=lambda each: each.made)
    return seen


def _remember_where(db: Session, company_id: int, unknown: Mapping[str, Sighting]) -> None:
    """What is on its way and stands there already: it is looked up in any case, and under this id from now on."""
    for posting in db.scalars(select(Posting).where(
        Posting.company_id == company_id, Posting.operation == "create",
        Posting.state.in_((PostingState.SENDING, PostingState.UNKNOWN)),
    ).execution_options(populate_existing=True)):  # fmt: skip
        if posting.marker in unknown:
            remember_where(posting, unknown[posting.marker])


def _look_up_reserved(db: Session, company_id: int, unknown: Mapping[str, Sighting], now: datetime) -> set[str]:
    """What is reserved or frozen would be sent as it is: its copy is looked for first. Returns the markers."""
    rows = db.execute(
        select(Document, Posting).join(Posting, Posting.id == Document.posting_id).where(
            Posting.company_id == company_id, Posting.operation == "create",
            Posting.state.in_((PostingState.NEW, PostingState.READY)),
        ).execution_options(populate_existing=True)
    ).all()  # fmt: skip
    known = [(row, posting) for row, posting in rows if posting.marker in unknown]
    for row, posting in known:
        look_for_copy(db, posting, row, unknown[posting.marker], now)
    return {posting.marker for _, posting in known}


def _restored(db: Session, company_id: int) -> bool:
    """Posting waits because the database was restored."""
    pause = pauses.current(db, company_id)
    return pause is not None and pause.code == pauses.RESTORED


def _lift(db: Session, company_id: int, pairs: Sequence[Pair], now: datetime) -> None:
    """After a restore posting goes on once nothing is there twice, nothing is missing, and what stands in the ledger
    without our knowing will be found before anything of it is sent."""
    if not _restored(db, company_id):
        return
    known = {marker for pair in pairs if pair.outcome is Outcome.ORPHAN and pair.ours is not None
             for marker in (pair.ours.marker,)}  # fmt: skip
    if not blocking(pairs, known):
        pauses.resume(db, company_id, now, "the reconciliation")
    else:
        _soon(db, company_id, now)


def ended(db: Session, run_id: int, now: datetime) -> None:
    """One that failed is tried once more before the next night; again and again while posting waits for it. Within
    the caller's transaction; repeating is safe."""
    run = db.get_one(Run, run_id)
    before = db.scalars(select(Run.state).where(
        Run.company_id == run.company_id, Run.kind == KIND, Run.id < run_id
    ).order_by(Run.id.desc()).limit(1)).first()  # fmt: skip
    if run.state == RunState.FAILED and (before != RunState.FAILED or _restored(db, run.company_id)):
        _soon(db, run.company_id, now)


def _soon(db: Session, company_id: int, now: datetime) -> None:
    """Due again before the night."""
    company, pause = db.get_one(Company, company_id), pauses.current(db, company_id)
    wait = AGAIN
    if pause is not None and pause.code == pauses.RESTORED:
        wait = max(AGAIN_RESTORED, (now - pause.began_at) / 2)
    company.reconcile_at = min(now + wait, next_night(now, company.time_zone))


def blocking(pairs: Iterable[Pair], found_first: set[str]) -> list[Pair]:
    """What keeps posting blocked after a restore. `found_first`: markers of documents that are looked up before they
    are sent, so that their copy in the ledger is taken over and not made again."""
    return [
        pair for pair in pairs
        if pair.outcome in (Outcome.DUPLICATE, Outcome.MISSING)
        or (pair.outcome is Outcome.ORPHAN and pair.theirs is not None and pair.theirs.marker not in found_first)
    ]  # fmt: skip


def _data(pair: Pair) -> dict[str, Any]:
    mine, found = pair.ours, pair.theirs
    day = mine.date if mine else found.date if found else None
    return {
        "document_id": mine.document_id if mine else None, "source_id": mine.source_id if mine else "",
        "number": mine.number if mine else (found.number if found else "") or "",
        "kind": _kind(pair),
        "customer": mine.party if mine else found.party if found else "", "day": day.isoformat() if day else "",
        "currency": (mine.currency if mine else found.currency if found else "") or "",
        "ours": {"total": "" if mine.kind in PURCHASES else _t(mine.total), "tax": _t(mine.tax), "net": _t(mine.net),
                 "open": _t(mine.open_amount)} if mine else {},
        "ledger_id": found.ledger_id if found else (mine.ledger_id if mine else "") or "",
        "theirs": {"total": _t(found.total), "tax": _t(found.tax), "net": _t(found.net), "open": _t(found.balance),
                   "customer": found.party, "day": found.date.isoformat() if found.date else "",
                   "currency": found.currency or "", "number": found.number or ""} if found else {},
        "differs": [list(one) for one in pair.differs],
    }  # fmt: skip


def _t(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def _sums(pairs: Sequence[Pair]) -> dict[str, dict[str, str]]:
    """Currency → our total and the ledger's, of what stands on both sides; credits count against, of purchases the net
    counts."""
    sums: dict[str, Counter[str]] = {}
    for pair in pairs:
        if pair.ours is None or pair.theirs is None or not pair.ours.posted:
            continue
        sign = -1 if pair.ours.kind == Kind.CREDIT_MEMO else 1
        by = sums.setdefault(pair.ours.currency, Counter())
        by["ours"] += sign * pair.ours.total  # type: ignore[assignment]
        theirs = pair.theirs.net if pair.ours.kind in PURCHASES else pair.theirs.total
        by["theirs"] += sign * (theirs or Decimal(0))  # type: ignore[assignment]
        by["open"] += sign * (pair.theirs.balance or Decimal(0))  # type: ignore[assignment]
    return {currency: {key: f"{value:f}" for key, value in by.items()} for currency, by in sums.items()}


def _forget_old(db: Session, run: Run) -> None:
    """Lines that agree are kept for the newest reconciliations; the figures and what was wrong stay."""
    old = db.scalars(
        select(Run.id).where(Run.company_id == run.company_id, Run.kind == KIND).order_by(Run.id.desc())
        .offset(KEPT_RUNS)
    ).all()
    if old:
        db.execute(delete(ToolRow).where(ToolRow.run_id.in_(old), ToolRow.outcome == Outcome.AGREE.value))


# ---- when ---------------------------------------------------------------------------------------------------


def claim_due(db: Session, now: datetime) -> list[int]:
    """Companies whose night has come, each claimed by exactly one scheduler: three o'clock in the company's own zone.
    One that was never reconciled is due as soon as something was posted; one that waits for it after a restore, in any
    case. Within the caller's transaction."""
    before = or_(Company.reconcile_at.is_(None), Company.reconcile_at <= now)
    restored = exists().where(
        Pause.company_id == Company.id, Pause.ended_at.is_(None), Pause.code == pauses.RESTORED
    )
    due = db.execute(
        select(Company.id, Company.time_zone).where(or_(Company.first_posted_at.is_not(None), restored), before)
    ).all()
    return [
        company_id for company_id, zone in due
        if db.execute(
            update(Company).where(Company.id == company_id, before).values(reconcile_at=next_night(now, zone))
            .returning(Company.id).execution_options(synchronize_session=False)
        ).scalar_one_or_none() is not None
    ]


def next_night(now: datetime, zone: str) -> datetime:
    """The next three o'clock in the zone, at least an hour away."""
    local = (now + timedelta(hours=1)).astimezone(ZoneInfo(zone))
    night = local.replace(hour=3, minute=0, second=0, microsecond=0)
    return (night if night >= local else night + timedelta(days=1)).astimezone(UTC)


def ask_by_schedule(db: Session, company_id: int, now: datetime) -> int | None:
    """A run of its own; None while one is on. Nobody gets a mail for a green night."""
    run, new = requests.ask(
        db, db.get_one(Company, company_id), kind=KIND, trigger="schedule", now=now, user=None, confirmed=True
    )
    db.flush()
    return run.id if new else None
