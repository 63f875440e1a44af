"""Which to-dos there should be: Faults grouped by cause, compared with the rows that stand for to-dos.

Called under the company's lease. A row is committed here before anything is sent; `sync/todo_work.py` sends it. One
to-do stands for one cause; a cause with very many subjects gets one for all of them, because nobody reads 317.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from domain import todos as rules
from domain.causes import cause_key, cause_subject
from domain.formats import format_long_day, format_money
from domain.order_settings import OrderSettings
from domain.reasons import CATALOGUE, Reason
from domain.settings import InvoiceSettings
from domain.statuses import Status
from domain.todos import TodoLists, TodoSettings, Waiting
from models import Document, TodoRow, TodoState
from sync import areas
from sync.todo_state import AREA_OF, comparing_due, lists_of

OPEN_AFTER = timedelta(seconds=20)
"""A scan finds its Faults page by page: the first text shall be nearly whole."""
UPDATE_EVERY = timedelta(minutes=5)
CLEAR_AFTER = timedelta(seconds=30)
"""A retry that fails again must not close one to-do and open the next."""
SUBJECTS = 5
"""More subjects of one code than this share one to-do."""
KEPT_IDS = 2000

WANTED, SENDING, CHECKING, OPEN = "wanted", "sending", "checking", "open"
DONE, CLOSED, WITHDRAWN = "done", "closed", "withdrawn"


@dataclass(slots=True)
class Cause:
    """Documents that wait for one and the same thing."""

    key: str
    reason: Reason
    subject: str
    documents: list[Document] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.reason.entry.title}: {self.subject}" if self.subject else self.reason.entry.title


@dataclass(frozen=True, slots=True)
class Writer:
    """What a text needs besides the database."""

    new_key: Callable[[], str]
    ledger: str
    public_url: str
    source_tenant: str
    fence: int


def todo_settings(current: InvoiceSettings | OrderSettings) -> TodoSettings:
    per_order = isinstance(current, OrderSettings) and current.todo_per_order
    return TodoSettings(current.error_todos, current.todo_action_type, current.todo_resource, per_order)


def chosen(db: Session, company_id: int, area: str) -> TodoSettings:
    """What Settings say for one product area."""
    return todo_settings(areas.named(area).load(db, company_id))


# ---- what there should be -----------------------------------------------------------------------------------


def causes(rows: Iterable[Document], ledger: str, lumped: frozenset[str] = frozenset()) -> dict[str, Cause]:
    """Faults by cause. Codes in `lumped` stay together although they have few subjects now."""
    by_code: dict[str, dict[str, Cause]] = {}
    for row in rows:
        stored = row.reasons[0] if row.reasons else None
        if not stored or stored.get("code") not in CATALOGUE:
            continue
        why = Reason.from_json(stored)
        key = cause_key(why)
        cause = by_code.setdefault(why.code, {}).setdefault(key, Cause(key, why, cause_subject(why)))
        cause.documents.append(row)
        if len(cause.sentences) < SUBJECTS and why.sentence(ledger) not in cause.sentences:
            cause.sentences.append(why.sentence(ledger))
    found: dict[str, Cause] = {}
    for code, group in by_code.items():
        if len(group) > SUBJECTS or (code in lumped and len(group) > 1):
            found[code] = _together(code, list(group.values()))
        else:
            found |= group
    return found


def one_each(rows: Iterable[Document], ledger: str) -> dict[str, Cause]:
    """A cause of its own for every Fault."""
    found: dict[str, Cause] = {}
    for row in rows:
        stored = row.reasons[0] if row.reasons else None
        if stored and stored.get("code") in CATALOGUE:
            why, name = Reason.from_json(stored), row.number or f"id {row.source_id}"
            key = f"{why.code}#{row.id}"
            found[key] = Cause(key, why, f"order {name}", [row], [why.sentence(ledger)])
    return found


def _together(code: str, group: Sequence[Cause]) -> Cause:
    documents = sorted((row for cause in group for row in cause.documents), key=lambda row: row.id)
    sentences = [sentence for cause in group for sentence in cause.sentences[:1]][:SUBJECTS]
    return Cause(code, group[0].reason, f"{len(group):,} of them", documents, sentences)


def compare(db: Session, company_id: int, writer: Writer, now: datetime) -> None:
    """Bring the rows in line with the Faults of every area, each with its settings."""
    lists = lists_of(db, company_id)
    for state in db.scalars(select(TodoState).where(TodoState.company_id == company_id)):
        settings = chosen(db, company_id, state.area)
        state.wanted, state.dirty_at, state.checked_at = settings.on, None, now
        problem = rules.problem(settings, lists) if lists is not None else None
        state.problem = problem.to_json() if problem is not None else None
        blocked = problem is not None or lists is None
        Comparison(db, company_id, state.area, writer, now, blocked).carry_out(settings, lists or TodoLists())


@dataclass(slots=True)
class Comparison:
    """One area of one company at one moment."""

    db: Session
    company_id: int
    area: str
    writer: Writer
    now: datetime
    blocked: bool
    """Nothing may be created now: the person or the action type is gone."""

    def carry_out(self, settings: TodoSettings, lists: TodoLists) -> None:
        known = self._known()
        lumped = frozenset(row.code for key, row in known.items() if key == row.code)
        wanted: dict[str, Cause] = {}
        if settings.on and settings.per_document:
            wanted = one_each(self._faults(), self.writer.ledger)
        elif settings.on:
            wanted = causes(self._faults(), self.writer.ledger, lumped)
        closed = self._closed(wanted)
        names = {one.id: one.name for one in lists.people}
        for key, cause in wanted.items():
            row = known.pop(key, None)
            if row is None and not _news(cause, closed.get(key)):
                continue
            row = row or self._new(cause)
            if row.state == WANTED:
                row.action_type, row.resource = settings.action_type, settings.resource
                row.resource_name = names.get(settings.resource or "", "")
            self._say(row, cause)
        for row in known.values():
            self._clear(row)

    def _faults(self) -> Iterable[Document]:
        kinds = [kind for kind, area in AREA_OF.items() if area == self.area]
        return self.db.scalars(select(Document).options(load_only(
            Document.source_id, Document.number, Document.party_name, Document.document_date, Document.total,
            Document.currency, Document.reasons,
        )).where(
            Document.company_id == self.company_id, Document.status == Status.FAULT, Document.kind.in_(kinds)
        ).order_by(Document.id))

    def _known(self) -> dict[str, TodoRow]:
        return {row.cause: row for row in self.db.scalars(select(TodoRow).where(
            TodoRow.company_id == self.company_id, TodoRow.area == self.area, TodoRow.ended_at.is_(None)
        ))}

    def _closed(self, wanted: Mapping[str, Any]) -> dict[str, TodoRow]:
        """To-dos that people closed while their cause lasts. Those whose cause is over are forgotten."""
        found: dict[str, TodoRow] = {}
        for row in self.db.scalars(select(TodoRow).where(
            TodoRow.company_id == self.company_id, TodoRow.area == self.area, TodoRow.state == CLOSED,
            TodoRow.cleared_at.is_(None),
        ).order_by(TodoRow.id)):
            if row.cause in wanted:
                found[row.cause] = row
            else:
                row.cleared_at = self.now
        return found

    def _new(self, cause: Cause) -> TodoRow:
        row = TodoRow(
            company_id=self.company_id, source_tenant=self.writer.source_tenant, area=self.area, cause=cause.key,
            code=cause.reason.code, marker=rules.marker(self.writer.new_key()), state=WANTED, text="", digest="",
            documents=[], count=0, resource_name="", sends=0, tries=0, opened_at=self.now,
            next_action_at=self.now + OPEN_AFTER,
        )
        self.db.add(row)
        return row

    def _say(self, row: TodoRow, cause: Cause) -> None:
        row.title, row.cleared_at, row.fence = cause.title[:300], None, self.writer.fence
        row.documents, row.count = [one.id for one in cause.documents[:KEPT_IDS]], len(cause.documents)
        row.text = rules.text(
            row.marker, row.title, cause.reason, cause.sentences, [_waiting(one) for one in cause.documents[:26]],
            row.count, ledger=self.writer.ledger, link=self._link(cause),
        )
        row.digest = rules.digest(row.text)
        if row.state == WANTED:
            due = row.next_action_at or self.now + OPEN_AFTER
            row.next_action_at = None if self.blocked else due
        elif row.state == OPEN:
            row.next_action_at = following(row, self.now)

    def _link(self, cause: Cause) -> str:
        if not self.writer.public_url:
            return ""
        base = self.writer.public_url.rstrip("/")
        return f"{base}/c/{self.company_id}/errors?view=document&cause={quote(cause.key)}"

    def _clear(self, row: TodoRow) -> None:
        """Nothing waits for it any more: completed after a moment; one that was never made is dropped."""
        row.cleared_at, row.fence = row.cleared_at or self.now, self.writer.fence
        if row.state == WANTED:
            row.state, row.ended_at, row.next_action_at = WITHDRAWN, self.now, None
        elif row.state == OPEN:
            row.next_action_at = following(row, self.now)


def following(row: TodoRow, now: datetime) -> datetime | None:
    """When an open to-do is next written: completed when its cause is over, else when its text changed."""
    if row.cleared_at is not None:
        return max(now, row.cleared_at + CLEAR_AFTER)
    if row.digest == row.written_digest:
        return None
    return max(now, row.written_at + UPDATE_EVERY) if row.written_at else now


def _news(cause: Cause, closed: TodoRow | None) -> bool:
    """A to-do that a person closed is not made again for the same documents."""
    return closed is None or not {row.id for row in cause.documents} <= set(closed.documents)


def _waiting(row: Document) -> Waiting:
    amount = format_money(row.total, row.currency)
    return Waiting(row.number or f"id {row.source_id}", row.party_name, format_long_day(row.document_date), amount)


# ---- what is due --------------------------------------------------------------------------------------------


def next_row(db: Session, company_id: int, tenant: str) -> TodoRow | None:
    """The row whose time comes first."""
    return db.scalars(
        select(TodoRow).where(
            TodoRow.company_id == company_id, TodoRow.source_tenant == tenant, TodoRow.ended_at.is_(None),
            TodoRow.next_action_at.is_not(None), TodoRow.state != SENDING,
        ).order_by(TodoRow.next_action_at, TodoRow.id).limit(1)
    ).first()


def next_wake(db: Session, company_id: int, tenant: str, not_before: datetime) -> datetime | None:
    """When to-dos need the serving process; None: not before Faults change."""
    row = next_row(db, company_id, tenant)
    moments = (comparing_due(db, company_id, TodoState), row.next_action_at if row else None)
    due = [at for at in moments if at is not None]
    abandoned = db.execute(select(TodoRow.id).where(
        TodoRow.company_id == company_id, TodoRow.source_tenant == tenant, TodoRow.state == SENDING
    ).limit(1)).first()
    due += [not_before] if abandoned else []
    return max(min(due), not_before) if due else None
