"""Whether a document is in scope and finished (domain/catalogue/scope.py), and what a person decided about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from domain.reasons import Reason
from domain.settings import Numbering, SyncState, ZeroTotal
from domain.statuses import Status
from models import ToolRow
from sync import decisions, holds, requests
from sync.check import Asked
from tests.catalogue.stage import WHO, Case, Stage, Where, invoice, line
from tests.engine.test_another_app import transferred
from tests.engine.test_review import let_go, review
from tests.engine.world import START

TEN_MINUTES = 601.0


def _put(*args: Any, **header: Any) -> Callable[[Stage], None]:
    """An invoice is there, and Sync Now is pressed."""

    def provoke(stage: Stage) -> None:
        stage.put(invoice("1", *args, **header))
        stage.sync()

    return provoke


def _zero_cancels(stage: Stage) -> None:
    stage.put(invoice("1", "0.00", lines=(line("1-1", "50.00"), line("1-2", "-50.00", code="2"))))
    stage.sync()


def _voided(stage: Stage) -> None:
    stage.put(invoice("1"))
    stage.read()
    stage.world.source.void("1")
    stage.sync()


def _marked(*, booked: bool, serve: bool = True) -> Callable[[Stage], None]:
    def provoke(stage: Stage) -> None:
        stage.put(invoice("1"))
        stage.read()
        transferred(stage.world, "1", booked=booked)
        stage.press()
        if serve:
            stage.rest()

    return provoke


def _stamped(stage: Stage) -> None:
    """It stands there until the ledger was asked; then it is told what the ledger said."""
    _marked(booked=True, serve=False)(stage)
    stage.watch()
    stage.rest()
    assert stage.row.reason_code == "in_books_elsewhere"


def _numbered(stage: Stage) -> None:
    stage.books.own_numbers = False
    blank = invoice("1")
    stage.put(replace(blank, header=replace(blank.header, number=None)))
    stage.read()
    stage.change(number="X-77")
    stage.sync()


def _posted_already(stage: Stage) -> None:
    """Its mark is taken off in Autotask, and Check Ready is asked."""
    _put()(stage)
    stage.world.source.clear_mark("invoice", "1")
    run_id = stage.tool("check", Asked(Numbering.SOURCE, 30).to_json())
    with stage.world.sessions() as db:
        rows = db.scalars(select(ToolRow).where(ToolRow.run_id == run_id)).all()
    stage.told = [Reason.from_json(value) for row in rows for value in row.data["reasons"]]


def _skipped(stage: Stage) -> None:
    stage.put(invoice("1"))
    stage.read()
    stage.with_row(lambda db, row: decisions.skip(db, row, why="a trial", now=stage.world.clock.now(), who=WHO))


def _unskip(stage: Stage) -> None:
    stage.with_row(lambda db, row: decisions.unskip(db, row, now=stage.world.clock.now(), who=WHO))


def _post_zero(stage: Stage) -> None:
    stage.choose(zero_total=ZeroTotal.POST)
    _unskip(stage)


def _include(stage: Stage) -> None:
    stage.with_row(lambda db, row: requests.include(db, [row], now=stage.world.clock.now(), who=WHO))


def _waits_for_lines(stage: Stage) -> None:
    """Shorter than its total for less than ten minutes."""
    stage.choose(sync_state=SyncState.ON)
    stage.put(invoice("1", "100.00", lines=(line("1-1", "60.00"),)))
    stage.look()


def _finish(stage: Stage) -> None:
    stage.change(lines=(line("1-1", "60.00"), line("1-2", "40.00")))


def _young(stage: Stage) -> None:
    def pause(seconds: float) -> None:
        stage.watch()
        stage.world.clock.advance(seconds)

    stage.world.rt = replace(stage.world.rt, pause=pause)
    stage.put(invoice("1", created_at=START - timedelta(seconds=5)))
    stage.sync()


def _never_adds_up(lines: tuple[Any, ...]) -> Callable[[Stage], None]:
    """Lines and total still differ after ten minutes."""

    def provoke(stage: Stage) -> None:
        stage.put(invoice("1", "100.00", lines=lines))
        stage.sync()
        stage.world.clock.advance(TEN_MINUTES)
        stage.sync()

    return provoke


def _review(stage: Stage) -> None:
    review(stage.world)
    stage.put(invoice("1"))
    stage.look()


def _changed_since(stage: Stage) -> None:
    _review(stage)
    stage.with_row(lambda db, row: setattr(row, "lines", row.lines.replace("Support", "Consulting")))
    let_go(stage.world, "1")


def _let_go(stage: Stage) -> None:
    let_go(stage.world, "1")


def _hold(stage: Stage) -> None:
    stage.put(invoice("1"))
    stage.read()
    stage.with_row(lambda db, row: holds.hold_document(db, row, why="in dispute", now=stage.world.clock.now(), who=WHO))


def _release_hold(stage: Stage) -> None:
    with stage.world.sessions() as db, db.begin():
        for each in holds.live(db, stage.world.company_id):
            holds.release(db, each, now=stage.world.clock.now(), who=WHO)
    assert stage.row.status == Status.PENDING


CASES: dict[str, Case] = {
    "zero_total": Case(_put("0.00"), _post_zero, on=("sync",)),
    "zero_total_cancels": Case(_zero_cancels, _post_zero, on=("sync",)),
    "voided_in_source": Case(_voided, on=(), ends=0),
    "marked_elsewhere": Case(
        _marked(booked=False), lambda s: s.world.source.clear_mark("invoice", "1"), on=("sync",)),
    "numbered_elsewhere": Case(
        _numbered, lambda s: s.change(number=None), on=("sync",), settings={"numbering": "ledger"}),
    "stamped_meanwhile": Case(_stamped, on=("itself",), where=Where.SEEN, left=1),
    "in_books_elsewhere": Case(_marked(booked=True), on=(), left=1),
    "already_posted": Case(_posted_already, on=(), where=Where.TOLD, left=1),
    "before_start": Case(_put(document_date=date(2025, 12, 31)), _include, on=("sync",)),
    "skipped_by_person": Case(_skipped, _unskip, on=("sync",)),
    "still_building": Case(_waits_for_lines, _finish, on=("itself",)),
    "young": Case(_young, on=("itself",), where=Where.SEEN, left=1),
    "source_mismatch": Case(
        _never_adds_up((line("1-1", "60.00"),)), lambda s: s.change(total=Decimal("60.00"))),
    "no_lines": Case(_never_adds_up(()), lambda s: s.change(lines=(line("1-1", "100.00"),))),
    "waits_for_release": Case(_review, _let_go, on=()),
    "changed_since_preview": Case(_changed_since, _let_go, on=()),
    "held": Case(_hold, _release_hold, on=("sync",)),
}
