"""What the ledger answered, and what a document waits for (domain/catalogue/ledger.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.errors import NeedsReconnect, NotSent, PlatformError, RetryLater
from connectors.ledgers.base import Answer, Kind, LedgerFault, Refusal, Refused
from domain.documents import Party
from domain.reasons import Reason
from models import Run
from sync import copy_outcome, gather, requests
from tests.catalogue.stage import Case, Stage, Where, invoice, line
from tests.engine.test_voids import decide

WORDS = "Business Validation Error: a rule of this company that nobody has heard of"


def _refused(refusal: Refusal, code: str, message: str = WORDS, kind: Kind = Kind.INVOICE) -> Callable[[Stage], None]:
    def provoke(stage: Stage) -> None:
        stage.ledger.concerns = lambda member: member.kind is kind
        stage.refuses(refusal, code, message, always=True)
        stage.put(invoice("1"))
        stage.sync()

    return provoke


def _honest(stage: Stage) -> None:
    stage.honest()


def _corrected(stage: Stage) -> None:
    """The customer's data is corrected in Autotask."""
    stage.world.source.put_party(Party("175", "Customer 175", email="ap@customer175.example"))
    stage.honest()


def _other_echo(stage: Stage) -> None:
    stage.answers_otherwise(currency="EUR")
    stage.put(invoice("1"))
    stage.sync()


def _never_shown(stage: Stage) -> None:
    """The ledger says "already used" and does not show by what."""
    stage.refuses(Refusal.DUPLICATE_NUMBER, "6140", "Duplicate number.", always=True)
    stage.ledger.blind = True
    stage.put(invoice("1"))
    stage.sync()


def _read(stage: Stage) -> None:
    stage.put(invoice("1"))
    stage.read()


def _only_headers(stage: Stage) -> None:
    stage.refresh()
    stage.put(invoice("1"))
    gather.poll(stage.world.rt, stage.world.company_id, stage.world.source)


def _pressed(stage: Stage) -> None:
    stage.put(invoice("1"))
    stage.press()


def _stopped(stage: Stage) -> None:
    stage.put(invoice("1"))
    run_id = stage.press()
    with stage.world.sessions() as db, db.begin():
        requests.stop(db, db.get_one(Run, run_id), now=stage.world.clock.now(), user=None)
    stage.rest()


def _lost(stage: Stage) -> None:
    stage.loses()
    stage.watch_sends()
    stage.put(invoice("1"))
    stage.sync()


def _tried_again(stage: Stage) -> None:
    """It is in the books, which a retry finds out before anything is sent."""
    stage.answers_otherwise(number="7")
    stage.put(invoice("1"))
    stage.sync()
    stage.watch_sends()
    stage.retry()


def _whole_call(stage: Stage) -> None:
    """The call of two is refused as one; each then goes by itself."""
    fault = LedgerFault(Refusal.OTHER, "2020", "Something in it.")
    stage.ledger.script.append(
        lambda batch: Answer({one.short_id: Refused((fault,), whole=True) for one in batch.members}, 400, None)
    )
    stage.watch_sends()
    stage.put(invoice("1"), invoice("2"))
    stage.sync()


def _on_its_way(stage: Stage) -> None:
    stage.watch_sends()
    stage.put(invoice("1"))
    stage.sync()


def _failed(error: Callable[[Stage], PlatformError]) -> Callable[[Stage], None]:
    """The call did not go through; the serving process had its turn."""

    def provoke(stage: Stage) -> None:
        stage.fails(lambda: error(stage))
        stage.put(invoice("1"))
        stage.press()
        short = stage.world.rt
        stage.world.rt = replace(short, times=replace(short.times, serve=2))
        stage.serve()
        stage.world.rt = short

    return provoke


def _limit(stage: Stage) -> PlatformError:
    return RetryLater("Too many requests.", stage.world.clock.now() + timedelta(minutes=20))


def _shared_item(stage: Stage) -> None:
    shared = (line("77", "100.00"),)
    stage.put(invoice("1", lines=shared))
    stage.sync()
    stage.put(invoice("2", lines=shared))
    stage.sync()


def _first_is_voided(stage: Stage) -> None:
    """In Autotask; then, as it is offered, in the ledger."""
    stage.world.source.void("1", stage.world.clock.now())
    stage.sync()
    assert decide(stage.world, "void")
    stage.rest()
    assert stage.live() == 0


def _adopts_anothers(stage: Stage) -> None:
    """Somebody renumbered our document in the ledger, and another invoice of that number is copied."""
    stage.put(invoice("1"), invoice("2", number="AT-7"))
    _copy(stage, "1")
    [entry] = stage.books.documents()
    entry.number = "AT-7"
    run = _copy(stage, "2", adopt=entry.id, version="0", differences=True)
    stage.told = [Reason.from_json(value) for value in run.summary["reasons"]]


def _copy(stage: Stage, source_id: str, **asked: Any) -> Run:
    fields = copy_outcome.Asked(source_id, source_id=source_id, **asked).to_json()
    return stage.world.run(stage.tool(copy_outcome.KIND, fields))


CASES: dict[str, Case] = {
    "ledger_refused": Case(_refused(Refusal.OTHER, "9731"), _honest, on=("retry", "sync")),
    "reference_refused": Case(_refused(Refusal.BAD_REFERENCE, "2500"), _honest, on=("retry", "sync")),
    "period_refused": Case(_refused(Refusal.CLOSED_PERIOD, "6210"), _honest),
    "due_date_refused": Case(_refused(Refusal.DUE_DATE, "6000"), _honest),
    "subscription": Case(_refused(Refusal.SUBSCRIPTION, "6190"), _honest),
    "currency_refused": Case(_refused(Refusal.CURRENCY, "10"), _honest),
    "tax_refused": Case(_refused(Refusal.TAX, "6000"), _honest),
    "amount_refused": Case(_refused(Refusal.AMOUNT, "6070"), _honest),
    "plan_limit": Case(_refused(Refusal.PLAN_LIMIT, "10"), _honest),
    "not_changeable": Case(_refused(Refusal.NOT_CHANGEABLE, "10"), _honest),
    "customer_refused": Case(_refused(Refusal.OTHER, "2210", kind=Kind.CUSTOMER), _corrected),
    "item_refused": Case(_refused(Refusal.OTHER, "6000", kind=Kind.ITEM), _honest),
    "echo_differs": Case(_other_echo, left=1),
    "cannot_settle": Case(_never_shown, _honest),
    "waits_for_sync": Case(_read, on=("sync",)),
    "queued": Case(_pressed, on=("itself",)),
    "waits_for_reading": Case(_only_headers, on=("sync",)),
    "run_stopped": Case(_stopped, on=("sync",)),
    "checking": Case(_lost, on=(), where=Where.SEEN, left=1),
    "looked_for": Case(_tried_again, on=(), where=Where.SEEN, left=1),
    "divided": Case(_whole_call, on=(), where=Where.SEEN, left=2, ends=2),
    "in_hand": Case(_on_its_way, on=(), where=Where.SEEN, left=1),
    "ledger_limit": Case(_failed(_limit), on=("itself",)),
    "ledger_away": Case(_failed(lambda stage: NotSent("No connection.")), on=("itself",)),
    "reconnect": Case(_failed(lambda stage: NeedsReconnect("Signed out.", platform="QuickBooks")), on=("itself",)),
    "billed_before": Case(_shared_item, _first_is_voided, on=("sync",), subject="2", left=1),
    "linked_elsewhere": Case(_adopts_anothers, on=(), where=Where.TOLD, left=1),
}
