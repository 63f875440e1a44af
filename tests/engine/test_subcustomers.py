"""Sub-customers, judged by the ledger's records: made after their parents, once, and never without them."""

from __future__ import annotations

from dataclasses import replace

from connectors.ledgers.base import Kind
from domain.documents import Party, SourceDocument
from domain.settings import SubCustomers
from domain.statuses import Status
from models import Company
from sync import gather, requests, settings
from tests.engine.world import World, furnish, invoice, line


def branch_world(world: World) -> None:
    furnish(world)
    world.source.put_party(Party("180", "North branch", parent_id="175"))
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, sub_customers=SubCustomers.ON)


def for_branch(id: str, total: str = "100.00") -> SourceDocument:
    return invoice(id, total, lines=(replace(line(f"{id}-1", total), party_id="180"),))


def customers(world: World) -> dict[str, str | None]:
    """Name → the name of the customer it stands under."""
    found = [one for one in world.books.entries if one.kind is Kind.CUSTOMER]
    names = {one.id: str(one.body["name"]) for one in found}
    return {names[one.id]: names.get(str(one.body["details"].get("parent_id"))) for one in found}


def test_parent_and_sub_customer_are_made_in_order_and_once(any_world: World) -> None:
    world = any_world
    branch_world(world)
    world.source.put(for_branch("1"), for_branch("2", "50.00"), invoice("3", "10.00"))
    world.sync()
    assert {row.status for row in world.documents().values()} == {Status.COMPLETE}
    assert customers(world) == {"Customer 175": None, "North branch": "Customer 175"}
    by_number = {one.number: one for one in world.books.documents()}
    ids = {str(one.body["name"]): one.id for one in world.books.entries if one.kind is Kind.CUSTOMER}
    assert {number: one.body["party"] for number, one in by_number.items()} == {
        "AT-1": ids["North branch"], "AT-2": ids["North branch"], "AT-3": ids["Customer 175"],
    }  # fmt: skip
    world.source.put(for_branch("4"))
    world.sync()
    assert world.documents()["4"].status == Status.COMPLETE and len(customers(world)) == 2


def test_where_the_parent_is_refused_nothing_stands_under_nobody(world: World) -> None:
    branch_world(world)
    world.source.put(for_branch("1"))
    with world.sessions() as db, db.begin():
        run, _ = requests.ask_sync(
            db, db.get_one(Company, world.company_id), now=world.clock.now(), user=None, confirmed=True
        )
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.books.add(Kind.VENDOR, "Customer 175")  # after the lists were read: only the ledger's refusal tells
    world.serve_until_rest()
    assert world.documents()["1"].status == Status.FAULT
    assert customers(world) == {} and not world.books.documents()
