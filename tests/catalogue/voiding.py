"""Documents voided in Autotask, billed again, or replaced (domain/catalogue/voids.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from connectors.ledgers.base import Answer, Batch, Refusal
from connectors.ledgers.memory import Entry
from domain.settings import VoidPolicy
from models import Posting
from sync.operations import UPDATE
from sync.operations import reserve as reserve_change
from tests.catalogue.stage import Case, Stage, Where, invoice, line
from tests.engine.test_voids import decide, post_anyway, press_correct, voided
from tests.engine.world import START
from tests.tools_pages.test_copy_anew import copy, once, other_customer

ITEM = (line("77", "100.00"),)


def _only(stage: Stage) -> Entry:
    [entry] = stage.books.documents(live=False)
    return entry


def _open(stage: Stage) -> None:
    voided(stage.world)
    stage.sync()


def _void(stage: Stage) -> None:
    """*Void in QuickBooks* on the document's page."""
    assert decide(stage.world, "void")
    stage.rest()


def _keep(stage: Stage) -> None:
    assert decide(stage.world, "keep")


def _by_itself(stage: Stage) -> None:
    stage.watch_sends()
    _open(stage)


def _then_void(*before: Callable[[Stage], object]) -> Callable[[Stage], None]:
    """Voided in Autotask; something happens in the ledger; a person says void."""

    def provoke(stage: Stage) -> None:
        stage.ledger.concerns = lambda member: member.operation != "create"
        _open(stage)
        for each in before:
            each(stage)
        _void(stage)

    return provoke


def _pay(stage: Stage) -> None:
    stage.books.pay(_only(stage).id, "40.00")


def _close(stage: Stage) -> None:
    stage.books.closed_through = date(2026, 11, 30)


def _lapse(stage: Stage) -> None:
    stage.refuses(Refusal.SUBSCRIPTION, "6190", "The subscription has lapsed.", always=True)


def _then_correct(*before: Callable[[Stage], object]) -> Callable[[Stage], None]:
    """The void was impossible, its period being closed; a person chooses the correction."""

    def provoke(stage: Stage) -> None:
        _then_void(_close)(stage)
        stage.ledger.concerns = lambda member: True
        for each in before:
            each(stage)
        stage.watch_sends()
        _correct(stage)

    return provoke


def _correct(stage: Stage) -> None:
    assert press_correct(stage.world)
    stage.rest()


def _correct_at_last(stage: Stage) -> None:
    stage.honest()
    _correct(stage)


def _another_total(stage: Stage) -> None:
    _only(stage).total = Decimal("90.00")


def _undone(stage: Stage) -> None:
    _only(stage).total = Decimal("100.00")
    _correct(stage)


def _busy_hand(stage: Stage) -> None:
    """Somebody changes the record each time just before the void arrives."""

    def quicker(batch: Batch) -> Answer:
        entry = _only(stage)
        entry.version, entry.updated_at = entry.version + 1, stage.world.clock.now()
        return stage.books.execute(batch)

    stage.ledger.always = quicker


def _void_at_last(stage: Stage) -> None:
    stage.honest()
    _void(stage)


def _bills_again(stage: Stage) -> None:
    voided(stage.world)
    stage.put(invoice("2", lines=ITEM))
    stage.sync()


def _old_one_goes(stage: Stage) -> None:
    assert decide(stage.world, "void")
    stage.rest()


def _bills_kept_again(stage: Stage) -> None:
    _open(stage)
    _keep(stage)
    stage.put(invoice("2", lines=ITEM))
    stage.sync()


def _bills_like(stage: Stage) -> None:
    """Un-posting gave its lines new ids."""
    voided(stage.world)
    stage.put(invoice("2", lines=(line("78", "100.00"),), created_at=START - timedelta(hours=1)))
    stage.sync()


def _anyway(stage: Stage) -> None:
    assert post_anyway(stage.world, "2")


def _replace(*before: Callable[[Stage], object], seen: str | None = None) -> Callable[[Stage], None]:
    """A person confirmed the replacement of the version that was shown."""

    def provoke(stage: Stage) -> None:
        stage.ledger.concerns = lambda member: member.operation != "create"
        stage.put(invoice("1"))
        stage.sync()
        for each in before:
            each(stage)
        stage.watch_sends()
        _reserve(stage, seen)
        stage.rest()

    return provoke


def _reserve(stage: Stage, seen: str | None = None) -> None:
    stage.with_row(lambda db, row: reserve_change(
        db, row, UPDATE, db.get_one(Posting, row.posting_id).draft, terms={"by": "Robin", "version": seen},
        now=stage.world.clock.now(),
    ))


def _edit(stage: Stage) -> None:
    entry = _only(stage)
    place = stage.books.entries.index(entry)
    stage.books.entries[place] = replace(entry, version=entry.version + 1)


def _delete(stage: Stage) -> None:
    stage.books.void(_only(stage).id)


def _replace_now(stage: Stage) -> None:
    stage.honest()
    _reserve(stage)
    stage.rest()
    assert stage.row.status == "Complete", stage.row.reasons


def _anew(*before: Callable[[Stage], object]) -> Callable[[Stage], None]:
    """Billed to another customer since: a person agreed that the copy is taken out and copied again."""

    def provoke(stage: Stage) -> None:
        stage.ledger.concerns = lambda member: member.operation in ("delete", "void")
        shown = other_customer(stage.world)
        for each in before:
            each(stage)
        stage.watch_sends()
        copy(stage.world, anew=True, version=shown["held"]["version"])

    return provoke


def _anew_now(stage: Stage) -> None:
    """Compared again, and decided anew."""
    stage.honest()
    shown = copy(stage.world, overwrite=True).summary
    copy(stage.world, anew=True, version=shown["held"]["version"])
    once(stage.world)


CASES: dict[str, Case] = {
    "void_queued": Case(
        _by_itself, on=(), where=Where.SEEN, ends=0, settings={"voids": VoidPolicy.VOID}),
    "voided_open": Case(_open, _void, on=(), left=1, ends=0),
    "void_paid": Case(_then_void(_pay), _void, on=(), left=1, ends=0),
    "void_closed": Case(_then_void(_close), _keep, on=(), left=1),
    "correct_queued": Case(_then_correct(), on=(), where=Where.SEEN, left=2, ends=2),
    "correct_refused": Case(_then_correct(_lapse), _correct_at_last, on=(), left=1, ends=2),
    "correct_changed": Case(_then_correct(_another_total), _undone, on=(), left=1, ends=2),
    "void_refused": Case(_then_void(_lapse), _void_at_last, on=(), left=1, ends=0),
    "void_changing": Case(_then_void(_busy_hand), _void_at_last, on=(), left=1, ends=0),
    "reissue_waits": Case(_bills_again, _old_one_goes, on=("sync",), subject="2", left=1),
    "reissue_kept": Case(_bills_kept_again, _anyway, subject="2", left=1, ends=2),
    "reissue_like": Case(_bills_like, _anyway, subject="2", left=1, ends=2),
    "update_queued": Case(_replace(), on=(), where=Where.SEEN, left=1),
    "remove_queued": Case(_anew(), on=(), where=Where.SEEN, left=1),
    "remove_refused": Case(_anew(_lapse), _anew_now, on=(), left=1),
    "remove_changed": Case(_anew(_busy_hand), _anew_now, on=(), left=1),
    "overwrite_refused": Case(_replace(_lapse), _replace_now, on=(), left=1),
    "overwrite_changed": Case(_replace(_edit, seen="0"), _replace_now, on=(), left=1),
    "overwrite_gone": Case(_replace(_delete), on=(), left=0, ends=0),
}
