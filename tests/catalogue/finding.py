"""What Troubleshoot finds about a company (domain/catalogue/diagnosis.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from connectors.errors import NeedsReconnect
from connectors.limits import Used
from connectors.trace import Exchange, Tape
from models import Company, Connection, Grant, Run
from sync import requests
from sync.troubleshoot_company import Around
from tests.catalogue.stage import Case, Stage, Where, invoice
from tests.engine.world import START
from tests.tools_pages.test_manual_copy import typed_by_hand
from tests.tools_pages.test_troubleshoot import causes_of, troubleshoot


def _ask(text: str = "", *before: Callable[[Stage], Any], **sides: Any) -> Callable[[Stage], None]:
    """Troubleshoot, Do It Now."""

    def provoke(stage: Stage) -> None:
        with stage.world.sessions() as db, db.begin():
            for side, platform in (("source", "autotask"), ("ledger", "quickbooks")):
                ours = {"company_id": stage.world.company_id, "tenant": "1", "found": {}}
                db.add(Connection(side=side, platform=platform, **ours))
        around = None
        for each in before:
            around = each(stage) or around
        writes = [len(stage.books.entries), stage.world.source.calls.count("mark_synced")]
        stage.told = list(causes_of(troubleshoot(stage.world, text, around, **sides)))
        assert writes == [len(stage.books.entries), stage.world.source.calls.count("mark_synced")]

    return provoke


class Refusing:
    """A platform that no longer lets us in."""

    def check(self) -> Any:
        raise NeedsReconnect("Autotask does not accept the user.", platform="Autotask")

    def usage(self) -> Sequence[Used]:
        return ()


def _ends_soon(stage: Stage) -> None:
    now = stage.world.clock.now()
    with stage.world.sessions() as db, db.begin():
        grant = Grant(
            provider="quickbooks", subject="1", version=1, created_at=now, access_token=b"", refresh_token=b"",
            refresh_expires_at=now + timedelta(days=5),
        )
        db.add(grant)
        db.flush()
        db.scalars(select(Connection).where(Connection.side == "ledger")).one().grant_id = grant.id


def _clock_off(stage: Stage) -> Around:
    tape = Tape(stage.world.clock.now)
    tape(Exchange("Autotask", "GET", "https://x/", {}, b"", 200, b"{}", "Fri, 20 Nov 2026 08:58:00 GMT", 0.2))
    return Around(tape)


def _permits(**may: bool) -> Callable[[Stage], None]:
    def change(stage: Stage) -> None:
        check = stage.world.source.check
        stage.world.source.check = lambda: replace(check(), **may)  # type: ignore[method-assign]

    return change


def _stuck(stage: Stage) -> None:
    """A run was asked for and nobody has moved it since."""
    with stage.world.sessions() as db, db.begin():
        company = db.get_one(Company, stage.world.company_id)
        run, _ = requests.ask_sync(db, company, now=stage.world.clock.now(), user=None)
        assert isinstance(run, Run)
    stage.world.clock.advance(400)


def _posted(stage: Stage) -> None:
    stage.put(invoice("1"))
    stage.sync()


def _other_total(stage: Stage) -> None:
    _posted(stage)
    stage.books.documents()[0].total = Decimal("107")


def _by_hand(stage: Stage) -> None:
    typed_by_hand(stage.world, "AT-1")
    stage.put(invoice("1"))


def _nearly_used(stage: Stage) -> None:
    stage.ledger.usage = lambda: (Used("QuickBooks calls a minute", 480, 0.0, 500),)  # type: ignore[method-assign]


def _old(stage: Stage) -> None:
    stage.put(invoice("1", created_at=START - timedelta(days=400)))


def _case(provoke: Callable[[Stage], None], left: int = 0) -> Case:
    return Case(provoke, on=(), where=Where.TOLD, left=left, ends=left)


CASES: dict[str, Case] = {
    "platform_refused": _case(_ask(source=Refusing())),
    "token_ends": _case(_ask("", _ends_soon)),
    "clock_off": _case(_ask("", _clock_off)),
    "source_unreadable": _case(_ask("", _permits(can_read_invoices=False))),
    "mark_not_allowed": _case(_ask("", _permits(can_mark_invoices=False))),
    "work_stuck": _case(_ask("", _stuck)),
    "sync_is_off": _case(_ask()),
    "outside_window": _case(_ask("1", _old)),
    "not_in_source": _case(_ask("77")),
    "sides_differ": _case(_ask("AT-1", _other_total), 1),
    "number_in_ledger": _case(_ask("1", _by_hand), 1),
    "limit_near": _case(_ask("", _nearly_used)),
}
