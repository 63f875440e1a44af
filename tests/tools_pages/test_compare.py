"""Compare Billing Codes and Items: each way two lists can disagree, and creating what is missing, once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from connectors.ledgers.base import Kind
from domain.compare import Result
from domain.documents import Catalog, Code
from domain.settings import MatchBy
from models import Company, Outbox, Posting, Run, ToolRow
from sync import mail, tools
from tests.engine.test_mails import POST
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions

CODES = (
    Code("1", "Remote support", "LAB-1"), Code("2", "Hardware", "HW-2"), Code("3", "Backup 1TB"),
    Code("4", "Old service"), Code("5", "Bundles"), Code("6", "Twice"), Code("7", "Twice"),
    Code("8", "Licence", "LIC"), Code("9", "Gone", active=False), Code("10", "Double"),
)  # fmt: skip


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions, match_by="name")
    furnish(made)
    made.source.lists = Catalog({code.id: code for code in CODES})
    sold: dict[str, Any] = {"type": "Service", "income_account_id": "1"}
    for name in ("Remote support", "HARDWARE", "Twice", "Double", "Double"):
        made.books.add(Kind.ITEM, name, **sold)
    made.books.add(Kind.ITEM, "Licence", **sold, sku="OTHER")
    made.books.add(Kind.ITEM, "Bundles", type="Category")
    return made


def carry_out(world: World, kind: str, match_by: str = "name") -> Run:
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        address = {"address": "office@people.example", "kind": "additional"}
        run, _ = tools.ask(
            db, company, kind, {"match_by": match_by}, now=world.clock.now(), user=None, recipients=[address]
        )
        run_id = run.id
    tools.read(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()
    return world.run(run_id)


def results(world: World, run: Run) -> dict[str, ToolRow]:
    with world.sessions() as db:
        return {row.data["code_id"]: row for row in db.scalars(select(ToolRow).where(ToolRow.run_id == run.id))}


def items(world: World) -> list[str]:
    return [str(entry.body.get("name")) for entry in world.books.entries if entry.kind is Kind.ITEM]


def test_each_way_of_disagreeing_has_its_word(world: World) -> None:
    found = results(world, carry_out(world, "compare"))
    assert {id: row.outcome for id, row in found.items()} == {
        "1": Result.MATCH, "2": Result.DIFFERS, "3": Result.MISSING, "4": Result.MISSING, "5": Result.UNUSABLE,
        "6": Result.SHARED, "7": Result.SHARED, "8": Result.DIFFERS, "10": Result.AMBIGUOUS,
    }  # fmt: skip
    assert found["2"].data["notes"] == ["Spelled “HARDWARE” there"]
    assert found["5"].data["notes"] == ["It is a category: it takes no quantity and no amount"]
    assert found["8"].data["notes"] == ["SKU is OTHER, External Number is LIC"]


def test_the_external_number_falls_back_to_the_name(world: World) -> None:
    world.books.add(Kind.ITEM, "LAB-1", type="Service", income_account_id="1")
    found = results(world, carry_out(world, "compare", MatchBy.NUMBER))
    assert (found["1"].outcome, found["1"].data["item"]) == (Result.MATCH, "LAB-1")
    assert (found["3"].outcome, found["3"].data["name"]) == (Result.MISSING, "Backup 1TB")


def test_the_comparison_writes_nothing(world: World) -> None:
    before = items(world)
    run = carry_out(world, "compare")
    assert items(world) == before and world.postings() == []
    assert run.summary["counts"]["missing"] == 2


def test_what_is_missing_is_created_once_and_in_one_call(world: World) -> None:
    before = len(items(world))
    sends = world.books.calls.count("send")
    run = carry_out(world, "copy_items")
    assert (run.state, run.summary["counts"]["created"]) == ("Finished", 2)
    assert sorted(items(world)[before:]) == ["Backup 1TB", "Old service"]
    assert world.books.calls.count("send") == sends + 1
    assert {id for id, row in results(world, run).items() if row.outcome == "created"} == {"3", "4"}
    again = carry_out(world, "copy_items")
    assert len(items(world)) == before + 2
    assert again.summary["counts"].get("created") is None


def test_two_codes_of_one_missing_name_make_one_item(world: World) -> None:
    world.source.lists = Catalog({id: Code(id, "Brand new") for id in ("1", "2")})
    run = carry_out(world, "copy_items")
    assert items(world).count("Brand new") == 1
    assert [row.outcome for row in results(world, run).values()] == ["created", "shared"]
    assert run.summary["counts"]["created"] == 1


def test_invoices_use_the_copied_item_and_make_no_second_one(world: World) -> None:
    carry_out(world, "copy_items")
    world.source.put(invoice("1", code="3"))
    world.sync()
    assert items(world).count("Backup 1TB") == 1
    assert world.documents()["1"].status == "Complete"


def test_an_item_renamed_there_is_created_anew(world: World) -> None:
    carry_out(world, "copy_items")
    old = next(entry for entry in world.books.entries if entry.body.get("name") == "Old service")
    world.clock.advance(60)
    world.books.rename(old.id, "Retired service")
    run = carry_out(world, "copy_items")
    assert run.summary["counts"]["created"] == 1
    with world.sessions() as db:
        made = db.scalars(select(Posting).where(Posting.source_id == "old service")).all()
    assert [row.generation for row in made] == [1, 2]


def test_creations_of_a_run_that_ended_are_not_sent(world: World) -> None:
    """Only an open run asks for a creation by itself."""
    before = len(items(world))
    with world.sessions() as db, db.begin():
        run, _ = tools.ask(
            db, db.get_one(Company, world.company_id), "copy_items", {}, now=world.clock.now(), user=None
        )
        run_id = run.id
    tools.read(world.rt, world.company_id, world.source, world.ledger, run_id)
    with world.sessions() as db, db.begin():
        db.get_one(Run, run_id).finished_at = world.clock.now()
    world.serve_until_rest()
    assert len(items(world)) == before


def test_the_mail_carries_the_comparison(world: World) -> None:
    carry_out(world, "compare")
    with world.sessions() as db:
        queued = db.scalars(select(Outbox)).one()
        queued.kind = "tool"
        letter = mail.compose(db, queued, POST, world.clock.now())
    body = letter.get_body(("plain",))
    assert body is not None and "Backup 1TB" in body.get_content()
    [attached] = letter.iter_attachments()
    assert "Match with a difference,2,Hardware,HW-2,Hardware" in attached.get_content()
