"""A company in which one problem is brought about, what a person or time does about it, and what is told of it.

Here: the moves of a story. Not here: the stories (a module per subject) and what must hold of each (test_entries.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from connectors.errors import PlatformError
from connectors.ledgers.base import Answer, Batch, Done, Kind, LedgerFault, Member, Refusal, Refused, Unknown
from connectors.ledgers.memory import Entry, MemoryCompany, MemoryLedger
from domain.documents import SourceDocument, SourceLine
from domain.reasons import Reason
from models import Company, Document, Posting, User
from sync import decisions, gather, mirror, requests, scheduled, settings, tools
from sync.apply import serve
from tests.engine.world import World, furnish, invoice, line, make_world

__all__ = ["Case", "Stage", "Where", "invoice", "line"]

WHO = "Robin"


class Where(StrEnum):
    """Where the reason stands."""

    DOCUMENT = "document"
    FOLLOWS = "what follows the document"
    SEEN = "seen on the way"
    """It stood on the document for moments only."""
    TOLD = "told by a tool"


@dataclass(frozen=True, slots=True)
class Case:
    """One entry of the catalogue, brought about once.

    `provoke` ends with the reason in place. `mend` does what the fix says, short of Retry; then the document goes on
    in the ways that `on` names ("retry", "sync", "itself"; none: it does not go on). `left` and `ends` are how many
    documents stand in the ledger while the reason stands, and in the end.
    """

    provoke: Callable[[Stage], object]
    mend: Callable[[Stage], object] | None = None
    on: tuple[str, ...] = ("retry",)
    settings: Mapping[str, Any] = field(default_factory=dict)
    where: Where = Where.DOCUMENT
    left: int = 0
    ends: int = 1
    subject: str = "1"


class ScriptedLedger(MemoryLedger):
    """Answers what `script` says to sends that `concerns` picks, one entry per send; honest otherwise."""

    def __init__(self, books: MemoryCompany) -> None:
        super().__init__(books)
        self.script: list[Callable[[Batch], Answer]] = []
        self.always: Callable[[Batch], Answer] | None = None
        self.concerns: Callable[[Member], bool] = lambda member: member.kind is Kind.INVOICE
        self.watch: Callable[[], object] = lambda: None
        self.blind = False
        """Look-ups find nothing."""

    def slot(self, operation: str) -> float:
        self.watch()
        return 0.0

    def send(self, batch: Batch) -> Answer:
        self.watch()
        if any(self.concerns(member) for member in batch.members):
            if self.script:
                return self.script.pop(0)(batch)
            if self.always is not None:
                return self.always(batch)
        return super().send(batch)

    def find(self, sought: Any) -> Mapping[str, Any]:
        self.watch()
        return {one.key: [] for one in sought} if self.blind else super().find(sought)


@dataclass
class Stage:
    """One world with the moves of its people."""

    world: World
    subject: str = "1"
    seen: list[tuple[str, list[Reason]]] = field(default_factory=list)
    """Status and reasons of the subject, each time somebody looked in between."""
    told: list[Reason] = field(default_factory=list)
    """What a tool told, where a tool was asked."""

    # ---- what is there --------------------------------------------------------------------------------------

    @property
    def books(self) -> MemoryCompany:
        return self.world.books

    @property
    def ledger(self) -> ScriptedLedger:
        assert isinstance(self.world.ledger, ScriptedLedger)
        return self.world.ledger

    def put(self, *documents: SourceDocument) -> None:
        self.world.source.put(*documents)

    def change(self, id: str = "1", *, lines: tuple[SourceLine, ...] | None = None, **header: Any) -> None:
        """Somebody corrects an invoice in Autotask."""
        old = self.world.source.contents[id]
        changed = replace(old, header=replace(old.header, **header))
        self.put(changed if lines is None else replace(changed, lines=lines))

    def entry(self, name: str) -> Entry:
        return next(one for one in self.books.entries if one.body.get("name") == name)

    def edit(self, name: str, **details: Any) -> None:
        """Somebody edits a list entry in the ledger: `active`, or one of its details."""
        one = self.entry(name)
        one.live = details.pop("active", one.live)
        one.body = {**one.body, "details": {**one.body["details"], **details}}
        one.version, one.updated_at = one.version + 1, self.world.clock.now()

    def gone(self, ledger_id: str) -> None:
        """Somebody deletes or merges a record of the ledger."""
        self.books.entries[:] = [one for one in self.books.entries if one.id != ledger_id]
        self.refresh()

    # ---- what people do -------------------------------------------------------------------------------------

    def sync(self) -> int:
        return self.world.sync()

    def read(self) -> None:
        """The schedule reads while syncing is off."""
        gather.scan(self.world.rt, self.world.company_id, self.world.source, self.world.ledger, None)

    def press(self) -> int:
        """Sync Now was pressed and read; nothing is served yet."""
        with self.world.sessions() as db, db.begin():
            company = db.get_one(Company, self.world.company_id)
            run_id = requests.ask_sync(db, company, now=self.world.clock.now(), user=None, confirmed=True)[0].id
        gather.scan(self.world.rt, self.world.company_id, self.world.source, self.world.ledger, run_id)
        return run_id

    def serve(self) -> None:
        """The serving process has its turn once."""
        serve(self.world.rt, self.world.company_id, self.world.source, self.world.ledger)

    def rest(self) -> None:
        self.world.serve_until_rest()

    def retry(self) -> None:
        with self.world.sessions() as db, db.begin():
            company, rows = db.get_one(Company, self.world.company_id), db.scalars(select(Document)).all()
            run_id = decisions.retry(db, company, rows, now=self.world.clock.now(), user=None).id
        gather.scan(self.world.rt, self.world.company_id, self.world.source, self.world.ledger, run_id)
        self.rest()

    def look(self, seconds: float = 60.0) -> None:
        """Time passes, and the schedule looks."""
        self.world.clock.advance(seconds)
        scheduled.look(self.world.rt, self.world.company_id, self.world.source, lambda: self.world.ledger)
        self.rest()

    def choose(self, **values: Any) -> None:
        """Settings are saved with other answers."""
        with self.world.sessions() as db, db.begin():
            db.get_one(Company, self.world.company_id).first_posted_at = self.world.clock.now()
            settings.change(db, self.world.company_id, now=self.world.clock.now(), user=None, **values)

    def refresh(self) -> None:
        """*Refresh Lists* in Settings."""
        mirror.refresh(self.world.rt, self.world.company_id, self.world.ledger, self.world.source, whole=True)

    def link(self, party: str, ledger_id: str | None) -> None:
        """*Link This*, or *Create New* without an id."""
        self.with_row(lambda db, row: decisions.link_customer(
            db, db.get_one(Company, self.world.company_id), party, "", ledger_id, now=self.world.clock.now(),
            user=None,
        ))

    def with_row(self, act: Callable[[Any, Document], object], source_id: str | None = None) -> Any:
        """A decision about one document (the subject unless another is named), in a transaction."""
        with self.world.sessions() as db, db.begin():
            row = db.scalars(select(Document).where(Document.source_id == (source_id or self.subject))).one()
            return act(db, row)

    def tool(self, kind: str, asked: Mapping[str, Any]) -> int:
        """*Do It Now* of a tool that reads; returns its run."""
        with self.world.sessions() as db, db.begin():
            company = db.get_one(Company, self.world.company_id)
            run, new = tools.ask(db, company, kind, dict(asked), now=self.world.clock.now(), user=None)
            assert new
            run_id = run.id
        tools.read(self.world.rt, self.world.company_id, self.world.source, self.world.ledger, run_id)
        self.rest()
        return run_id

    def user(self) -> User:
        with self.world.sessions() as db, db.begin():
            made = User(name=WHO, email="robin@people.example", theme="auto", created_at=self.world.clock.now())
            db.add(made)
            db.flush()
            db.expunge(made)
            return made

    # ---- what the ledger does -------------------------------------------------------------------------------

    def refuses(self, refusal: Refusal, code: str, message: str, *, always: bool = False) -> None:
        """The next send (or every one) is refused with these words."""

        def no(batch: Batch) -> Answer:
            fault = LedgerFault(refusal, code, message)
            concerned = [member for member in batch.members if self.ledger.concerns(member)]
            others = tuple(member for member in batch.members if member not in concerned)
            done = self.books.execute(replace(batch, members=others)).outcomes
            return Answer({**done, **{member.short_id: Refused((fault,)) for member in concerned}}, 200, None)

        if always:
            self.ledger.always = no
        else:
            self.ledger.script.append(no)

    def loses(self) -> None:
        """The next send is never answered, and never arrives."""
        self.ledger.script.append(
            lambda batch: Answer({member.short_id: Unknown("no answer") for member in batch.members}, None, None)
        )

    def fails(self, error: Callable[[], PlatformError]) -> None:
        """The next send ends with this error."""

        def fail(batch: Batch) -> Answer:
            raise error()

        self.ledger.script.append(fail)

    def answers_otherwise(self, **echo: Any) -> None:
        """The next send is done, and the ledger says that it holds something else."""

        def other(batch: Batch) -> Answer:
            answer = self.books.execute(batch)
            changed = {
                short: replace(one, echo=replace(one.echo, **echo)) if isinstance(one, Done) else one
                for short, one in answer.outcomes.items()
            }
            return replace(answer, outcomes=changed)

        self.ledger.script.append(other)

    def honest(self) -> None:
        self.ledger.script, self.ledger.always, self.ledger.blind = [], None, False

    # ---- what is told ---------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Look at the subject now: what stands there for moments only."""
        row = self.world.documents().get(self.subject)
        if row is not None:
            self.seen.append((row.status, [Reason.from_json(value) for value in row.reasons or ()]))

    def watch_sends(self) -> None:
        self.ledger.watch = self.watch

    @property
    def row(self) -> Document:
        return self.world.documents()[self.subject]

    def reasons(self, where: Where) -> list[Reason]:
        if where is Where.TOLD:
            return self.told
        if where is Where.SEEN:
            return [why for _, reasons in self.seen for why in reasons]
        if where is Where.FOLLOWS:
            return [Reason.from_json(value) for one in self._follow() for value in one.reasons or ()]
        return [Reason.from_json(value) for value in self.row.reasons or ()]

    def status(self, where: Where, code: str) -> str:
        """The document's status while the reason stood."""
        if where is Where.SEEN:
            return next(status for status, reasons in self.seen if code in [why.code for why in reasons])
        return self.row.status

    def _follow(self) -> list[Posting]:
        return [one for one in self.world.postings() if one.operation in ("send", "attach", "note")]

    def live(self) -> int:
        return len(self.books.documents())


def make_stage(sessions: Any, case: Case) -> Stage:
    world = make_world(sessions, **case.settings)
    furnish(world)
    world.ledger = ScriptedLedger(world.books)
    return Stage(world, case.subject)

