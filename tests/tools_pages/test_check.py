"""Check Which Invoices are Ready for Billing: every reason is told, and neither platform nor our documents change."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connectors.errors import RetryLater
from domain.reasons import Stage, reason
from domain.settings import BlankText, MissingItem, Numbering
from domain.stages import Cell, Outcome, cells, outcome_of
from models import Company, Document, Outbox, Run, ToolRow
from sync import mail, mirror, tool_report, tools
from sync.check import Asked
from tests.engine.test_mails import POST
from tests.engine.world import START, World, furnish, invoice, line, make_world
from tests.infra.database import Sessions


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions)
    furnish(made)
    return made


def check(world: World, numbering: Numbering = Numbering.SOURCE, days: int = 14) -> Run:
    """What Do It Now leaves, and the job that follows."""
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        asked = Asked(numbering, days).to_json()
        address = {"address": "office@people.example", "kind": "additional"}
        run, _ = tools.ask(
            db, company, "check", asked, now=world.clock.now(), user=None, recipients=[address]
        )
        run_id = run.id
    tools.read(world.rt, world.company_id, world.source, world.ledger, run_id)
    return world.run(run_id)


def rows(world: World, run: Run) -> dict[str, ToolRow]:
    with world.sessions() as db:
        found = db.scalars(select(ToolRow).where(ToolRow.run_id == run.id)).all()
    return {row.data["source_id"]: row for row in found}


def codes(row: ToolRow) -> list[str]:
    return [value["code"] for value in row.data["reasons"]]


def test_every_reason_is_told_not_only_the_first(sessions: Sessions) -> None:
    world = make_world(sessions, missing_item=MissingItem.HOLD, blank_text=BlankText.HOLD)
    furnish(world)
    blank = (line("1-1", "60.00"), line("1-2", "40.00", text="", code="9"))
    world.source.put(invoice("1", lines=(*blank, line("1-3", "0.00", text=" ")), party=None))
    found = rows(world, check(world))["1"]
    assert found.outcome == Outcome.STOPPED
    assert codes(found) == ["no_customer", "item_missing", "no_billing_code"]
    assert found.data["stages"][Stage.CUSTOMER] == Cell.STOPPED
    assert found.data["stages"][Stage.ITEMS] == Cell.STOPPED
    assert found.data["stages"][Stage.NUMBER] == Cell.PASSED


def test_text_is_checked_without_a_customer_too(sessions: Sessions) -> None:
    world = make_world(sessions, blank_text=BlankText.HOLD)
    furnish(world)
    world.source.put(invoice("1", lines=(line("1-1", "100.00", text=""),), party=None))
    assert codes(rows(world, check(world))["1"]) == ["no_customer", "blank_text"]


def test_nothing_is_written_to_either_side_and_no_document_of_ours_appears(world: World) -> None:
    world.source.put(invoice("1"), invoice("2"), invoice("3", party=None))
    run = check(world)
    assert run.state == "Finished"
    assert set(world.source.calls) <= {"headers", "documents", "parties", "catalog", "todo_lists"}
    assert world.postings() == [] and world.documents() == {} and world.rung == []
    assert {id: row.outcome for id, row in rows(world, run).items()} == {"1": "ready", "2": "ready", "3": "stopped"}
    assert run.summary["sums"]["ready"]["USD"] == {"count": 2, "amount": "200.00"}


def test_what_is_ready_is_what_sync_now_posts(world: World) -> None:
    world.source.put(invoice("1"), invoice("2", party=None), invoice("3", code="77"))
    found = rows(world, check(world))
    world.sync()
    posted = {id for id, row in world.documents().items() if row.status == "Complete"}
    assert posted == {id for id, row in found.items() if row.outcome == Outcome.READY} == {"1"}


def test_a_longer_window_shows_more_and_syncs_nothing_more(world: World) -> None:
    world.source.put(invoice("1"), invoice("2", created_at=START - timedelta(days=90)))
    assert set(rows(world, check(world))) == {"1"}
    assert set(rows(world, check(world, days=100))) == {"1", "2"}
    world.sync()
    assert set(world.documents()) == {"1"}


def test_another_numbering_holds_for_the_check_only(world: World) -> None:
    long = "N" * 40
    world.source.put(invoice("1", number=long))
    assert codes(rows(world, check(world))["1"]) == ["number_too_long"]
    assert rows(world, check(world, Numbering.SOURCE_ID))["1"].outcome == Outcome.READY


def test_two_invoices_of_one_number_are_not_both_ready(world: World) -> None:
    world.source.put(invoice("1", number="77"), invoice("2", number="77"))
    found = rows(world, check(world))
    assert found["1"].outcome == Outcome.READY
    assert codes(found["2"]) == ["number_repeats"]


def test_a_number_that_is_used_in_the_ledger_is_found(world: World) -> None:
    """Somebody typed it there: no document of ours bears the number."""
    world.source.put(invoice("1", number="77"))
    world.sync()
    for entry in world.books.documents():
        entry.body = {**entry.body, "marker": "", "PrivateNote": ""}
    world.source.put(invoice("2", number="78"), invoice("3", number="77"))
    with world.sessions() as db, db.begin():
        stored = db.scalars(select(Document)).one()
        stored.number, stored.source_id = "9", "900"
    found = rows(world, check(world))
    assert found["2"].outcome == Outcome.READY
    assert codes(found["3"]) == ["number_taken"]


def test_what_is_posted_and_lost_its_mark_is_not_called_ready(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    world.source.clear_mark("invoice", "1")
    found = rows(world, check(world))["1"]
    assert (found.outcome, codes(found)) == (Outcome.SKIPPED, ["already_posted"])


def test_before_the_start_date_and_moments_old(world: World) -> None:
    early = invoice("1", document_date=date(2025, 12, 31))
    young = invoice("2", created_at=START - timedelta(seconds=30))
    world.source.put(early, young)
    found = rows(world, check(world))
    assert [codes(found["1"]), codes(found["2"])] == [["before_start"], ["young"]]
    assert found["1"].outcome == found["2"].outcome == Outcome.WAITING


def test_reading_again_after_a_crash_leaves_no_row_twice(world: World) -> None:
    world.source.put(invoice("1"))
    run = check(world)
    with world.sessions() as db, db.begin():
        again = db.get_one(Run, run.id)
        again.finished_at, again.phase = None, "reading"
    tools.read(world.rt, world.company_id, world.source, world.ledger, run.id)
    with world.sessions() as db:
        assert len(db.scalars(select(ToolRow)).all()) == 1
        assert len(db.scalars(select(Outbox)).all()) == 1


def test_a_platform_that_is_away_ends_the_run_with_its_sentence(world: World, monkeypatch: Any) -> None:
    def away(kind: str, window: Any) -> Any:
        raise RetryLater("Autotask's limit is used up.", platform="Autotask", until=START + timedelta(minutes=5))

    monkeypatch.setattr(world.source, "headers", away)
    run = check(world)
    assert (run.state, run.message) == ("Failed", "Autotask's limit is used up.")


def test_the_mail_lists_every_invoice_and_carries_the_csv(world: World) -> None:
    world.source.put(invoice("1"), invoice("2", party=None, number="=1+1"))
    run = check(world)
    with world.sessions() as db:
        queued = db.scalars(select(Outbox)).one()
        assert (queued.kind, queued.recipient) == ("tool_notice", "office@people.example")
        queued.kind = "tool"
        letter = mail.compose(db, queued, POST, world.clock.now())
        text = tool_report.csv_text(run, tool_report.rows_of(db, run), "QuickBooks")
    assert letter["Subject"].startswith("1 of 2 invoices is ready - Memory Company")
    body = letter.get_body(("plain",))
    assert body is not None and "AT-1" in body.get_content() and "names no customer" in body.get_content()
    assert [part.get_filename() for part in letter.iter_attachments()] == [f"bookbridge-ready-{run.id}.csv"]
    table = list(csv.DictReader(io.StringIO(text)))
    assert [(row["Number"], row["Result"], row["Customer"]) for row in table] == [
        ("'=1+1", "Stopped", ""), ("AT-1", "Ready", "Customer 175"),
    ]  # fmt: skip
    assert table[0][f"Check: {Stage.CUSTOMER}"] == "stopped"


def test_a_stranger_gets_neither_names_nor_amounts(world: World) -> None:
    world.source.put(invoice("1"))
    check(world)
    with world.sessions() as db:
        queued = db.scalars(select(Outbox)).one()
        letter = mail.compose(db, queued, POST, world.clock.now())
    whole = letter.as_string()
    assert "Customer 175" not in whole and "100.00" not in whole and not list(letter.iter_attachments())


def test_the_mirror_is_read_before_the_first_check(world: World) -> None:
    check(world)
    with world.sessions() as db:
        assert mirror.ready(db, world.company_id)
        assert db.scalars(select(Document)).first() is None


def test_cells_say_what_stands_in_the_way() -> None:
    assert outcome_of([]) is Outcome.READY
    skipped = cells([reason("voided_in_source")], taxed=True)
    assert skipped[Stage.SCOPE] is Cell.STOPPED and skipped[Stage.ITEMS] is Cell.UNSEEN
    waiting = cells([reason("young")], taxed=False)
    assert waiting[Stage.COMPLETE] is Cell.WAITING and waiting[Stage.TAX] is Cell.UNNEEDED
    stopped = cells([reason("young"), reason("number_taken")], taxed=True)
    assert stopped[Stage.NUMBER] is Cell.STOPPED and stopped[Stage.TOTALS] is Cell.UNSEEN
    assert replace(reason("young"), params={}) == reason("young")
