"""The jobs: each wires the engine for one company and delegates. Repeating any of them is safe."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from rq import get_current_job

from config import get_config
from connectors.errors import NeedsReconnect, NotAllowed, PlatformError
from connectors.ledgers.base import Ledger
from connectors.registry import side_of
from connectors.trace import Tape
from models import MirrorState, Run
from sync import diagnosis, gather, mail, mirror, order_changes, reconciling, scheduled, tools, what_if
from sync.apply import serve as serve_company
from sync.areas import ORDERS
from sync.connection import needs_reconnect, of, same_company, succeeded
from sync.troubleshoot import diagnose
from sync.troubleshoot_company import Around
from sync.waiting import without_connection
from workers import enqueue
from workers.wiring import Services, post

T = TypeVar("T")
log = logging.getLogger("bookbridge.jobs")
LOST_CONNECTION_S, AWAY_S = 300.0, 30.0
"""Seconds until work without a connection is looked at again; connecting again rings at once."""


@lru_cache(maxsize=1)
def services() -> Services:
    """One set of services per process. RQ's forked work-horses make their own on first use."""
    return Services.from_config(get_config())


_UNEXPECTED = (
    "Reading was ended by something unexpected, which the log names. Nothing was posted twice or lost: "
    "press Sync Now again."
)


def serve(company_id: int) -> None:
    """Serve a company's due work. Without a usable connection its runs say so and the work stays."""
    made = services()
    with made.taped(company_id) as tape:
        _serve(made, company_id, tape)
    enqueue.mails(made)


def _serve(made: Services, company_id: int, tape: Tape | None) -> None:
    try:
        source, ledger = made.source(company_id, tape=tape), made.ledger(company_id, tape)
        _prove(made, company_id, ledger)
    except PlatformError as error:
        log.warning("company %s waits: %s", company_id, error.message)
        lost = isinstance(error, (NeedsReconnect, NotAllowed))
        again = LOST_CONNECTION_S if lost else AWAY_S
        without_connection(made.runtime(), company_id, error.message, again_s=made.config.scaled(again))
        return
    serve_company(made.runtime(), company_id, source, ledger)


def _prove(made: Services, company_id: int, ledger: Ledger) -> None:
    """It leads to the right company; one that was lost is asked with a read before anything is sent over it again."""
    with made.sessions() as db:
        same_company(db, company_id, ledger.tenant)
        connection = of(db, company_id, "ledger")
    if connection is not None and connection.state == "reconnect":
        ledger.check()
        with made.sessions() as db, db.begin():
            succeeded(db, company_id, "ledger", made.now())


def scan(company_id: int, run_id: int) -> None:
    """Read for one run (Sync Now, schedule, first scan)."""
    made = services()
    rt = made.runtime()
    with made.sessions() as db:
        kind = db.get_one(Run, run_id).kind
    if kind in tools.KINDS:  # the scheduler rings for every run whose reading died in the same way
        tool(company_id, run_id)
        return
    if kind == what_if.KIND:
        what_would_change(company_id, run_id)
        return
    try:
        with made.taped(company_id) as tape:
            source, ledger = made.source(company_id, interactive=True, tape=tape), made.ledger(company_id, tape)
            gather.scan(rt, company_id, source, ledger, run_id, whole=kind == "first_scan")
    except PlatformError as error:
        _fail(made, company_id, run_id, error)
    except Exception:
        # A defect of ours or a database that is away: RQ repeats the job; at the last try the run says so.
        if _last_try():
            gather.reading_failed(rt, run_id, _UNEXPECTED)
        raise
    enqueue.mails(made)


def _last_try() -> bool:
    job = get_current_job()
    return job is None or not job.retries_left


def tool(company_id: int, run_id: int) -> None:
    """Carry out a tool's run: it reads, and what it found is kept and mailed."""
    made = services()
    rt = made.runtime()
    with made.sessions() as db:
        kind = db.get_one(Run, run_id).kind
    if kind == diagnosis.KIND:
        troubleshooting(made, company_id, run_id)
        return
    if kind == reconciling.KIND:
        reconciliation(made, company_id, run_id)
        return
    try:
        with made.taped(company_id) as tape:
            source, ledger = made.source(company_id, interactive=True, tape=tape), made.ledger(company_id, tape)
            tools.read(rt, company_id, source, ledger, run_id)
    except PlatformError as error:
        tools.fail(rt, run_id, error.message)
        _note_connection(made, company_id, error)
    enqueue.mails(made)


def reconciliation(made: Services, company_id: int, run_id: int) -> None:
    """Compare both sides. It needs the ledger, and the source only for what was forgotten; what it may set free after
    a restore is rung for."""
    rt = made.runtime()
    source = _connected(lambda: made.source(company_id))
    try:
        ledger = made.ledger(company_id)
        _prove(made, company_id, ledger)
        tools.carry(rt, run_id, lambda kind: reconciling.read(rt, company_id, ledger, run_id, source))
    except PlatformError as error:
        tools.fail(rt, run_id, error.message)
        _note_connection(made, company_id, error)
    with made.sessions() as db, db.begin():
        reconciling.ended(db, run_id, made.now())
    enqueue.ring(made, company_id)
    enqueue.mails(made)


def troubleshooting(made: Services, company_id: int, run_id: int) -> None:
    """A diagnosis, also of a company that has lost a connection. Its tape tells the platforms' time; it is not kept."""
    tape = Tape(made.clock.now)
    source = _connected(lambda: made.source(company_id, interactive=True, tape=tape))
    ledger = _connected(lambda: made.ledger(company_id, tape))
    with made.sessions() as db:
        around = Around(tape, made.secrets_of(db, company_id))
    rt = made.runtime()
    tools.carry(rt, run_id, lambda kind: diagnose(rt, company_id, source, ledger, run_id, around))
    enqueue.mails(made)


def _connected(connect: Callable[[], T]) -> T | None:
    """None where the company has no usable connection: the diagnosis reads why from its row."""
    try:
        return connect()
    except PlatformError:
        return None


def what_would_change(company_id: int, run_id: int) -> None:
    """Plan the last 30 days under the settings that are wanted; stored snapshots only."""
    made = services()
    try:
        capabilities = made.ledger(company_id).capabilities
    except PlatformError as error:
        what_if.fail(made.runtime(), run_id, error.message)
    else:
        what_if.run(made.runtime(), company_id, capabilities, run_id)


def _fail(made: Services, company_id: int, run_id: int, error: PlatformError) -> None:
    gather.reading_failed(made.runtime(), run_id, error.message)
    _note_connection(made, company_id, error)


def poll(company_id: int) -> None:
    """The minute's look: one call when nothing is new; else read, and post when syncing is on."""
    made = services()
    rt = made.runtime()
    try:
        with made.taped(company_id) as tape:
            scheduled.look(
                rt, company_id, made.source(company_id, tape=tape), lambda: made.ledger(company_id, tape)
            )
    except PlatformError as error:
        log.warning("company %s was not read: %s", company_id, error.message)
        _note_connection(made, company_id, error)
    enqueue.mails(made)


def order_opened(company_id: int, document_id: int) -> None:
    """Somebody opened the page of an order that may have moved on in the source: read it, and plan what is new."""
    made = services()
    rt = made.runtime()
    try:
        source = made.source(company_id, interactive=True)
        order_changes.look_at(rt, company_id, source, document_id)
        if gather.unplanned(rt, company_id, ORDERS):
            gather.scan(rt, company_id, source, made.ledger(company_id), None, area=ORDERS)
    except PlatformError as error:
        log.warning("order %s was not read again: %s", document_id, error.message)
        _note_connection(made, company_id, error)


def _note_connection(made: Services, company_id: int, error: PlatformError) -> None:
    if isinstance(error, (NeedsReconnect, NotAllowed)):
        with made.sessions() as db, db.begin():
            needs_reconnect(db, company_id, side_of(error.platform), error, made.now())


def refresh_lists(company_id: int) -> None:
    """Read the ledger's lists and the source's catalog; the settings page shows the progress."""
    made = services()
    try:
        ledger = made.ledger(company_id)
        try:
            source = made.source(company_id)
        except NeedsReconnect:
            source = None
        mirror.refresh(made.runtime(), company_id, ledger, source, whole=True)
    except PlatformError as error:
        _note_connection(made, company_id, error)
        with made.sessions() as db, db.begin():
            state = db.get(MirrorState, company_id)
            if state is not None:
                state.progress = {"problem": error.message, "at": made.now().isoformat()}


def verify_ledger(company_id: int) -> None:
    """Ask the identity service whether the grant lives; a hint alone never disconnects anybody."""
    made = services()
    with made.sessions() as db:
        connection = of(db, company_id, "ledger")
    if connection is None or connection.grant_id is None:
        return
    try:
        made.tokens.access_token(connection.grant_id, force=True)
    except NeedsReconnect as error:
        with made.sessions() as db, db.begin():
            needs_reconnect(db, company_id, "ledger", error, made.now())
    except PlatformError as error:
        log.warning("company %s: the grant could not be checked: %s", company_id, error.message)


def mails() -> None:
    """Deliver what is due in the outbox."""
    made = services()
    mail.deliver(made.sessions, made.clock.now, post(made.config))
