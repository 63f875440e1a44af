"""Manually Copy: which invoice is meant, what stands against it, what is written once, adopted, or left alone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select

from connectors.ledgers.base import Kind
from domain.settings import SyncState
from domain.statuses import Flag
from domain.wanted import Wanted, wanted
from models import Company, Document, ItemClaim, Outbox, Posting, PostingNeed, Run
from sync import decisions, holds, tools
from sync.copy_outcome import KIND, Asked
from tests.engine.world import START, World, furnish, invoice, line, make_world
from tests.infra.database import Sessions


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions, sync_state=SyncState.OFF)
    furnish(made)
    return made


def copy(world: World, text: str = "1", **asked: Any) -> Run:
    """What Do It Now leaves, the job that follows, and the serving process."""
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        address = {"address": "office@people.example", "kind": "additional"}
        run, new = tools.ask(
            db, company, KIND, Asked(text, **asked).to_json(), now=world.clock.now(), user=None, recipients=[address]
        )
        assert new
        run_id = run.id
    tools.read(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()
    return world.run(run_id)


def told(run: Run) -> tuple[str, list[str]]:
    summary = run.summary
    return summary["outcome"], [why["code"] for why in summary.get("reasons", [])]


def typed_by_hand(world: World, number: str, total: str = "100.00", party: str = "Customer 175") -> str:
    """A document somebody made in the ledger; returns its id."""
    known = {one.body.get("name"): one.id for one in world.books.entries}
    customer = known.get(party) or world.books.add(Kind.CUSTOMER, party).id
    item = known.get("Remote support") or world.books.add(Kind.ITEM, "Remote support", type="Service").id
    body = {
        "party": customer, "number": number, "date": "2026-11-10", "currency": "USD", "tax": "0", "marker": "",
        "lines": [{"item": item, "text": "By hand", "amount": total, "quantity": "1", "price": total}],
    }
    return world.books._store(Kind.INVOICE, body).id


# ---- which invoice is meant ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "meant"), [
    ("1042", Wanted("1042", "1042")),
    (" AT-10 ", Wanted("", "AT-10")),
    ("https://ww5.autotask.net/ExecuteCommand.aspx?Code=OpenInvoice&InvoiceID=88", Wanted("88")),
    ("https://ww5.autotask.net/x?InvoiceNumber=2026-7", Wanted(number="2026-7")),
    ("http://127.0.0.1:8400/psa/513558/invoices/77", Wanted("77")),
    ("https://ww5.autotask.net/ExecuteCommand.aspx?Code=OpenAccount&AccountID=9", Wanted()),
    ("http://[", Wanted()), ("1\n2", Wanted()), ("9" * 400, Wanted()), ("", Wanted()), ("-5", Wanted("", "-5")),
])  # fmt: skip
def test_an_id_a_number_or_a_pasted_address(text: str, meant: Wanted) -> None:
    assert wanted(text) == meant


def test_several_hits_are_offered_and_nothing_is_written(world: World) -> None:
    world.source.put(invoice("7", number="1"), invoice("1", number="900"))
    run = copy(world, "1")
    assert told(run)[0] == "choose"
    assert {hit["source_id"] for hit in run.summary["hits"]} == {"1", "7"}
    assert world.books.documents() == [] and world.documents() == {}
    assert told(copy(world, "1", source_id="7"))[0] == "copied"
    assert [entry.number for entry in world.books.documents()] == ["1"]


def test_an_unknown_number_is_told_and_mailed(world: World) -> None:
    run = copy(world, "no such")
    assert (told(run)[0], run.state) == ("not_found", "Finished with problems")
    with world.sessions() as db:
        assert db.scalars(select(Outbox)).one().recipient == "office@people.example"


# ---- copying ------------------------------------------------------------------------------------------------


def test_it_is_posted_once_marked_and_told_with_its_lines(world: World) -> None:
    lines = (line("1-1", "60.00"), line("1-2", "40.00", code="2", text="Cable"))
    world.source.put(invoice("1", lines=lines), invoice("2"))
    run = copy(world, "AT-1")
    assert (told(run)[0], run.state) == ("copied", "Finished")
    [entry] = world.books.documents()
    assert (entry.number, run.summary["invoice"]["ledger_id"]) == ("AT-1", entry.id)
    assert world.source.contents["1"].header.marked_at is not None
    assert set(world.documents()) == {"1"}  # nothing else was read, stored or posted


def test_older_than_the_window_goes_at_once(world: World) -> None:
    world.source.put(invoice("1", created_at=START - timedelta(days=200)))
    assert told(copy(world))[0] == "copied"


def test_history_and_other_programs_marks_are_shown_and_need_a_yes(world: World) -> None:
    old = invoice("1", document_date=date(2025, 12, 31), marked_at=START - timedelta(days=2))
    world.source.put(old)
    assert told(copy(world)) == ("ask", ["before_start", "marked_elsewhere"])
    assert told(copy(world, confirmed=("before_start",))) == ("ask", ["marked_elsewhere"])
    assert world.documents() == {}  # asking leaves nothing that a later Sync would post
    assert told(copy(world, confirmed=("before_start", "marked_elsewhere")))[0] == "copied"
    assert len(world.books.documents()) == 1


def test_what_cannot_be_posted_is_refused_with_every_reason(world: World) -> None:
    world.source.put(invoice("1", party=None, code="77"), invoice("2", voided=True), invoice("3", total="0"))
    assert told(copy(world)) == ("refused", ["no_customer", "no_billing_code"])
    assert told(copy(world, "2")) == ("refused", ["voided_in_source"])
    assert told(copy(world, "3")) == ("refused", ["zero_total"])
    assert world.documents() == {} and world.books.documents() == []


def test_a_second_copy_is_never_made_without_overwrite(world: World) -> None:
    world.source.put(invoice("1"))
    copy(world)
    run = copy(world)
    assert (told(run)[0], run.state) == ("exists", "Finished with problems")
    assert run.summary["invoice"]["ledger_id"] == world.books.documents()[0].id
    assert len(world.books.documents()) == 1


def test_lines_that_do_not_add_up_yet_wait(world: World) -> None:
    world.source.put(invoice("1", total="100.00", lines=(line("1-1", "60.00"),), created_at=START))
    run = copy(world)
    assert told(run) == ("waiting", ["still_building"])


# ---- adopting -----------------------------------------------------------------------------------------------


def test_a_foreign_document_of_this_number_is_offered_and_linked_once(world: World) -> None:
    ledger_id = typed_by_hand(world, "AT-1")
    world.source.put(invoice("1"))
    run = copy(world)
    assert (told(run)[0], run.summary["problems"]) == ("foreign", [])
    assert world.documents() == {}
    version = run.summary["held"]["version"]
    assert told(copy(world, adopt=ledger_id, version=version))[0] == "adopted"
    [row] = world.documents().values()
    assert (row.status, row.ledger_id, row.ledger_number) == ("Complete", ledger_id, "AT-1")
    [posting] = [one for one in world.postings() if one.document_id]
    assert (posting.state, posting.confirmed_by, posting.sends) == ("DONE", "person", 0)
    assert world.source.contents["1"].header.marked_at is not None
    world.sync()
    assert [entry.id for entry in world.books.documents()] == [ledger_id]
    with world.sessions() as db:
        assert [claim.item_id for claim in db.scalars(select(ItemClaim))] == ["1-1"]


def test_what_differs_is_refused_until_it_is_accepted(world: World) -> None:
    ledger_id = typed_by_hand(world, "AT-1", total="90.00", party="Somebody else")
    world.source.put(invoice("1"))
    shown = copy(world).summary
    assert len(shown["problems"]) == 2
    version = shown["held"]["version"]
    assert told(copy(world, adopt=ledger_id, version=version))[0] == "foreign"
    assert told(copy(world, adopt=ledger_id, version=version, differences=True))[0] == "adopted"
    assert world.documents()["1"].flags == [Flag.DIFFERS]


def test_a_document_that_changed_after_it_was_shown_is_shown_again(world: World) -> None:
    ledger_id = typed_by_hand(world, "AT-1")
    world.source.put(invoice("1"))
    assert told(copy(world, adopt=ledger_id, version="7"))[0] == "changed"
    assert world.documents() == {}


def test_adoption_ends_the_fault_number_taken(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()  # customer and item exist now
    ledger_id = typed_by_hand(world, "AT-2")
    world.source.put(invoice("2"))
    world.sync()
    assert world.documents()["2"].reason_code == "number_taken"
    shown = copy(world, "2").summary
    assert shown["outcome"] == "foreign"
    assert told(copy(world, "2", adopt=ledger_id, version=shown["held"]["version"]))[0] == "adopted"
    row = world.documents()["2"]
    assert (row.status, row.ledger_id) == ("Complete", ledger_id)
    assert len(world.books.documents()) == 2


def test_adoption_of_what_was_sent_and_is_held_takes_over_the_posting_that_holds_its_items(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    ledger_id = typed_by_hand(world, "AT-2")
    world.source.put(invoice("2"))
    world.sync()
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document).where(Document.reason_code == "number_taken")).one()
        assert holds.hold_document(db, row, why="looked at later", now=world.clock.now(), who="Robin")
    shown = copy(world, "2").summary
    assert told(copy(world, "2", adopt=ledger_id, version=shown["held"]["version"]))[0] == "adopted"
    [posting] = [one for one in world.postings() if one.source_id == "2" and one.document_id]
    assert (posting.generation, posting.state, posting.ledger_id) == (1, "DONE", ledger_id)
    assert world.documents()["2"].status == "Complete"
    with world.sessions() as db:
        assert {claim.item_id for claim in db.scalars(select(ItemClaim))} == {"1-1", "2-1"}


def test_number_taken_by_a_document_that_is_gone_is_posted_after_a_look(world: World) -> None:
    world.source.put(invoice("1"))
    world.sync()
    ledger_id = typed_by_hand(world, "AT-2")
    world.source.put(invoice("2"))
    world.sync()
    world.books.entries = [one for one in world.books.entries if one.id != ledger_id]
    assert told(copy(world, "2"))[0] == "copied"
    assert sorted(entry.number or "" for entry in world.books.documents()) == ["AT-1", "AT-2"]


def test_two_invoices_never_share_one_ledger_document(world: World) -> None:
    world.source.put(invoice("1"))
    copy(world)
    [entry] = world.books.documents()
    world.source.put(invoice("2", number="AT-2"))
    entry.number = "AT-2"
    run = copy(world, "2", adopt=entry.id, version="0", differences=True)
    assert told(run) == ("refused", ["linked_elsewhere"])


def test_our_own_document_that_we_forgot_is_settled_as_ours(world: World) -> None:
    """After a restored backup the ledger holds a document with our marker that no posting knows."""
    world.source.put(invoice("1"))
    copy(world)
    with world.sessions() as db, db.begin():
        for table in (ItemClaim, PostingNeed, Posting):
            db.execute(delete(table))
        row = db.scalars(select(Document)).one()
        row.status, row.posting_id, row.ledger_id = "Pending Sync", None, None
    assert told(copy(world))[0] == "adopted"
    assert len(world.books.documents()) == 1
    assert world.documents()["1"].status == "Complete"


# ---- in the books: compared before anything is written --------------------------------------------------------


def test_a_cleared_mark_is_flagged_and_written_again_only_when_asked(world: World) -> None:
    world.source.put(invoice("1"))
    copy(world)
    world.source.clear_mark("invoice", "1")
    world.sync()
    assert world.documents()["1"].flags == []  # an older look may still be without the mark
    world.clock.advance(600)
    world.sync()
    assert world.documents()["1"].flags == [Flag.MARK_CLEARED]
    assert world.source.contents["1"].header.marked_at is None and len(world.books.documents()) == 1
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Document)).one()
        assert decisions.mark_again(db, row, now=world.clock.now(), who="Robin")
        assert not decisions.mark_again(db, row, now=world.clock.now(), who="Robin")
    world.serve_until_rest()
    assert world.source.contents["1"].header.marked_at is not None
    assert (world.documents()["1"].flags, len(world.books.documents())) == ([], 1)


def test_resync_shows_what_changed_on_which_side_and_sets_the_flags(world: World) -> None:
    world.source.put(invoice("1", lines=(line("1-1", "60.00"), line("1-2", "40.00", code="2"))))
    copy(world)
    assert told(copy(world, compare=True)) == ("same", [])
    [entry] = world.books.documents()
    entry.body = {**entry.body, "date": "2026-11-14"}
    lines = (line("1-1", "60.00"), line("1-2", "50.00", code="2"))
    world.source.put(invoice("1", total="110.00", lines=lines))
    run = copy(world, overwrite=True)
    assert told(run) == ("compare", [])
    changes = {change["label"]: change["by"] for change in run.summary["changes"]}
    assert changes == {"Date": "ledger", "Total": "source", "Line 2": "source"}
    assert sorted(world.documents()["1"].flags) == [Flag.CHANGED_SOURCE, Flag.CHANGED_LEDGER]
    assert [one.total for one in world.books.documents()] == [100]  # nothing was written


def test_a_class_and_a_location_that_a_person_gave_are_shown_and_never_lost_unseen(world: World) -> None:
    world.source.put(invoice("1"))
    copy(world)
    [entry] = world.books.documents()
    projects, north = world.books.add(Kind.CLASS, "Projects").id, world.books.add(Kind.LOCATION, "North").id
    [sold] = entry.body["lines"]
    entry.body = {**entry.body, "location": north, "lines": [{**sold, "class": projects}]}
    run = copy(world, overwrite=True)
    assert told(run) == ("compare", [])
    changes = {change["label"]: (change["by"], change["ledger"]) for change in run.summary["changes"]}
    assert changes["Location"] == ("ledger", f"North [{north}]")
    assert changes["Line 1"][0] == "ledger" and changes["Line 1"][1].endswith(f"Projects [{projects}]")
    assert entry.body["location"] == north


@pytest.mark.parametrize(("change", "said"), [
    ({"live": False}, "voided"), ({"gone": True}, "deleted"),
])  # fmt: skip
def test_a_document_that_is_gone_in_the_ledger_is_said_to_be(world: World, change: dict[str, Any], said: str) -> None:
    world.source.put(invoice("1"))
    copy(world)
    [entry] = world.books.documents()
    if change.get("gone"):
        world.books.entries.remove(entry)
    else:
        entry.live = False
    run = copy(world, overwrite=True)
    assert (told(run)[0], run.summary["gone"]) == ("compare", said)
    assert world.documents()["1"].flags == [Flag.CHANGED_LEDGER]


def test_what_stands_against_replacing_is_said(world: World) -> None:
    world.source.put(invoice("1"))
    copy(world)
    [entry] = world.books.documents()
    entry.paid, entry.mailed = Decimal(90), True
    world.source.put(invoice("1", total="80.00", party="176"))
    run = copy(world, overwrite=True)
    facts, obstacles = run.summary["facts"], run.summary["obstacles"]
    assert any("90.00 of it is paid" in fact for fact in facts) and any("mailed" in fact for fact in facts)
    assert [text.split(" ")[0] for text in obstacles] == ["The", "90.00"]


def test_a_confirmed_replacement_updates_the_same_document_and_frees_what_left_it(world: World) -> None:
    world.source.put(invoice("1", lines=(line("1-1", "60.00"), line("1-2", "40.00", code="2"))))
    copy(world)
    [entry] = world.books.documents()
    world.source.put(invoice("1", total="75.00", lines=(line("1-1", "60.00"), line("1-3", "15.00", code="2"))))
    shown = copy(world, overwrite=True).summary
    assert world.books.documents()[0].total == 100
    run = copy(world, overwrite=True, replace=True, version=shown["held"]["version"])
    assert (told(run), run.state) == (("replaced", []), "Finished")
    [now] = world.books.documents(live=False)
    assert (now.id, now.total, now.version) == (entry.id, Decimal("75.00"), 1)
    row = world.documents()["1"]
    assert (row.status, row.flags, row.total) == ("Complete", [], Decimal(75))
    with world.sessions() as db:
        assert sorted(db.scalars(select(ItemClaim.item_id))) == ["1-1", "1-3"]
    assert told(copy(world, compare=True))[0] == "same"
    world.source.put(invoice("1", total="80.00", lines=(line("1-1", "60.00"), line("1-3", "20.00", code="2"))))
    assert told(copy(world, replace=True, version="1"))[0] == "replaced"  # and again later
    assert [one.total for one in world.books.documents(live=False)] == [Decimal(80)]


def test_what_a_person_changed_after_it_was_shown_is_never_overwritten(world: World) -> None:
    world.source.put(invoice("1"))
    copy(world)
    world.source.put(invoice("1", total="75.00"))
    version = copy(world, overwrite=True).summary["held"]["version"]
    [entry] = world.books.documents()
    entry.body, entry.version = {**entry.body, "date": "2026-11-14"}, entry.version + 1
    assert told(copy(world, replace=True, version=version))[0] == "changed"
    assert (entry.total, entry.body["date"]) == (100, "2026-11-14")
