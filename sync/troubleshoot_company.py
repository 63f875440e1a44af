"""What Troubleshoot looks at for a company: connections, permissions, clocks, settings, runs, work, limits. Reads only.

A platform that does not answer is a finding, not a failure: the rest is told all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.errors import PlatformError
from connectors.ledgers.base import Ledger
from connectors.sources.base import Source
from connectors.trace import Tape
from domain.formats import format_age, format_day, format_plural
from domain.ledger_words import Words
from domain.reasons import CATALOGUE, Reason, reason
from domain.settings import SyncState
from domain.statuses import RunState, Status
from models import Connection, Document, MirrorState, Run, SettingsVersion
from sync import in_process
from sync.connection import of
from sync.diagnosis import BAD, OK, PLAIN, WARN, Asked
from sync.runtime import Runtime
from sync.settings import load_invoices

T = TypeVar("T")
CLOCKS_AGREE_S = 30.0
DAYS_OF_CHANGES = timedelta(days=14)
TOKEN_WARNING = timedelta(days=21)
RUNS = 10
TOP_FAULTS = 5


@dataclass(frozen=True, slots=True)
class Around:
    """What the process knows beside platforms and database: its tape, limits in use, secrets never to be told."""

    tape: Tape | None = None
    secrets: tuple[str, ...] = ()


@dataclass(slots=True)
class Diagnosis:
    """One run. `source` and `ledger` are None where the company has no usable connection."""

    rt: Runtime
    company_id: int
    run_id: int
    source: Source | None
    ledger: Ledger | None
    asked: Asked
    around: Around
    words: Words
    findings: list[tuple[str, str, str, str]] = field(default_factory=list)
    causes: list[tuple[int, Reason]] = field(default_factory=list)
    papers: dict[str, Any] = field(default_factory=dict)

    def found(self, area: str, label: str, value: object, verdict: str = PLAIN) -> None:
        self.findings.append((area, label, str(value), verdict))

    def cause(self, weight: int, code: str, **params: object) -> None:
        """`weight` ranks: what stops everything stands above what stops one document."""
        self.causes.append((weight, reason(code, **params)))

    def ask(self, area: str, label: str, call: Callable[[], T]) -> T | None:
        """One question to a platform; an error becomes a finding and a cause."""
        try:
            return call()
        except PlatformError as error:
            self.found(area, label, error.message, BAD)
            known = {why.params.get("platform") for _, why in self.causes}
            if (error.platform or area) not in known:
                self.cause(95, "platform_refused", platform=error.platform or area, message=error.message.rstrip("."))
            return None

    def progress(self, step: str) -> None:
        with self.rt.sessions() as db, db.begin():
            run = db.get_one(Run, self.run_id)
            run.step, run.heartbeat_at = step, self.rt.clock.now()

    # ---- the company ----------------------------------------------------------------------------------------

    def connections(self, db: Session) -> None:
        now = self.rt.clock.now()
        for side, platform in (("source", "Autotask"), ("ledger", self.words.the_ledger)):
            row = of(db, self.company_id, side)
            if row is None:
                self.found("Connections", platform, "Never connected", BAD)
                self.cause(100, "reconnect", platform=platform)
                continue
            good = row.state == "connected"
            text = row.state.capitalize() + (f": {row.problem}" if row.problem else "")
            self.found("Connections", platform, text, OK if good else BAD)
            if not good:
                self.cause(100, "reconnect", platform=platform)
            if row.last_success_at is not None:
                self.found("Connections", f"{platform}, last answer", f"{format_age(now - row.last_success_at)} ago")
            self._token(row, now)

    def _token(self, row: Connection, now: datetime) -> None:
        if row.grant is None:
            return
        grant = row.grant
        if row.connected_at is not None:
            self.found("Connections", "Consent given", f"{format_age(now - row.connected_at)} ago")
        ends = min((at for at in (grant.refresh_expires_at, grant.hard_expires_at) if at is not None), default=None)
        if ends is not None:
            soon = ends - now < TOKEN_WARNING
            self.found("Connections", "Consent ends", format_day(ends.date()), WARN if soon else OK)
            if soon:
                self.cause(85, "token_ends", day=format_day(ends.date()))
        if grant.access_expires_at is not None:
            left = grant.access_expires_at - now
            text = f"for {format_age(left)} yet" if left > timedelta(0) else "renewed with the next call"
            self.found("Connections", "Access token", f"version {grant.version}, {text}")

    def permissions(self) -> None:
        """Ask both platforms what this connection may do, and how the companies are set up now."""
        checked = self.ask("Permissions", "Autotask", self.source.check) if self.source is not None else None
        if checked is not None:
            for label, may in (("read", checked.can_read_invoices), ("mark", checked.can_mark_invoices)):
                self.found("Permissions", f"Autotask: {label} invoices", "Yes" if may else "No", OK if may else BAD)
            seen = OK if checked.parties else BAD
            self.found("Permissions", "Autotask: companies visible", f"{checked.parties:,}", seen)
            currency = checked.currency or "currency not told"
            self.found("Permissions", "Autotask database", f"{checked.tenant}, {currency}")
            for note in checked.notes:
                self.found("Permissions", "Autotask", note, WARN)
            if not checked.can_read_invoices:
                self.cause(90, "source_unreadable")
            elif not checked.can_mark_invoices:
                self.cause(88, "mark_not_allowed")
        name = self.words.the_ledger
        profile = self.ask("Permissions", name, self.ledger.check) if self.ledger is not None else None
        if profile is not None:
            self.found("Permissions", f"{name} company", f"{profile.company_name} ({profile.tenant})", OK)
            self.found("Permissions", f"{name} set-up", _profile_words(profile))

    def clocks(self) -> None:
        ahead = self.around.tape.ahead() if self.around.tape is not None else {}
        if not ahead:
            self.found("Clocks", "Clocks", "Not compared: no platform answered with its time")
        for platform, seconds in ahead.items():
            good = abs(seconds) <= CLOCKS_AGREE_S
            direction = "ahead of" if seconds > 0 else "behind"
            agrees = abs(seconds) < 2
            text = "Agrees with ours" if agrees else f"Ours is {abs(seconds):.0f} seconds {direction} it"
            self.found("Clocks", platform, text, OK if good else BAD)
            if not good:
                self.cause(80, "clock_off", seconds=f"{abs(seconds):.0f}", direction=direction, platform=platform)

    def settings(self, db: Session) -> None:
        current, now = load_invoices(db, self.company_id), self.rt.clock.now()
        off = current.sync_state is SyncState.OFF
        self.found("Settings", "Syncing", str(current.sync_state).replace("_", " "), WARN if off else OK)
        if off:
            self.cause(40, "sync_is_off")
        self.found("Settings", "Start date", format_day(current.start_date))
        self.found("Settings", "Numbering", str(current.numbering))
        versions = db.scalars(
            select(SettingsVersion)
            .where(SettingsVersion.company_id == self.company_id, SettingsVersion.saved_at > now - DAYS_OF_CHANGES)
            .order_by(SettingsVersion.id.desc()).limit(20)
        ).all()
        for version in versions:
            names = ", ".join(change["field"].replace("_", " ") for change in version.changes or ()) or "first version"
            self.found("Settings", f"Changed {format_age(now - version.saved_at)} ago", names)
        self.papers["settings"] = [
            {"version": each.version, "at": each.saved_at.isoformat(), "changes": each.changes} for each in versions
        ]
        state = db.get(MirrorState, self.company_id)
        if state is not None and state.watermark is not None:
            self.found("Settings", "Lists of the ledger read", f"{format_age(now - state.watermark)} ago")

    def runs(self, db: Session) -> None:
        now = self.rt.clock.now()
        rows = db.scalars(
            select(Run).where(Run.company_id == self.company_id, Run.id != self.run_id)
            .order_by(Run.id.desc()).limit(RUNS)
        ).all()
        for run in rows:
            bad = run.state == RunState.FAILED
            text = f"{run.state}, {format_age(now - run.started_at)} ago" + (f": {run.message}" if run.message else "")
            counted = ", ".join(f"{count} {status}" for status, count in (run.counts or {}).items() if count)
            self.found("Last runs", f"Run {run.id}, {run.kind}", text + (f" ({counted})" if counted else ""),
                       BAD if bad else WARN if run.state == RunState.PROBLEMS else OK)
        if not rows:
            self.found("Last runs", "Runs", "There was none yet")

    def work(self, db: Session) -> None:
        now = self.rt.clock.now()
        busy = in_process.look(db, self.company_id, leave_out=self.run_id)
        stuck = busy.clearable(now)
        self.found("Work", "In process", busy.step or ("yes" if busy.busy() else "Nothing"), BAD if stuck else OK)
        if busy.unsettled:
            told = format_plural(busy.unsettled, "document or record", "documents or records")
            self.found("Work", "Sent, answer not known yet", told, WARN)
        if stuck and busy.progress_at is not None:
            self.cause(70, "work_stuck", since=f"{busy.progress_at:%d %b %H:%M} UTC")
        counted = db.execute(
            select(Document.reason_code, func.count())
            .where(Document.company_id == self.company_id, Document.status == Status.FAULT)
            .group_by(Document.reason_code).order_by(func.count().desc()).limit(TOP_FAULTS)
        ).all()
        for place, (code, count) in enumerate(counted):
            told = CATALOGUE[code].title if code in CATALOGUE else str(code)
            self.found("Work", "Waits for you", f"{format_plural(count, 'document')}: {told}", WARN)
            if code in CATALOGUE and not self.asked.wanted:
                self._example(db, 30 - place, code)

    def _example(self, db: Session, weight: int, code: str) -> None:
        """A cause of waiting Faults, in the words of its newest document."""
        row = db.scalars(
            select(Document).where(Document.company_id == self.company_id, Document.reason_code == code,
                                   Document.status == Status.FAULT).order_by(Document.id.desc()).limit(1)
        ).first()
        if row is not None and row.reasons:
            self.causes.append((weight, Reason.from_json(row.reasons[0])))

    def limits(self) -> None:
        sides: list[Source | Ledger] = [side for side in (self.source, self.ledger) if side is not None]
        for one in [one for side in sides for one in self.ask("Limits", "Limits", side.usage) or ()]:
            near = bool(one.most) and one.used >= one.most * 0.9
            text = f"{one.used:,} of {one.most:,} used" + (f", paused for {one.paused_s:.0f} s" if one.paused_s else "")
            self.found("Limits", one.name, text, WARN if near or one.paused_s else OK)
            if near:
                self.cause(20, "limit_near", used=f"{one.used:,}", most=f"{one.most:,}", name=one.name)


def _profile_words(profile: Any) -> str:
    closed = f"closed through {profile.closed_through}" if profile.closed_through else "no closed period"
    words = {True: "takes our numbers", False: "numbers by itself", None: "takes our numbers or makes its own"}
    numbers = words[profile.own_numbers]
    return f"{profile.country}, {profile.currency}, {numbers}, {closed}"
