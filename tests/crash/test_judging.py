"""The judge of the crash matrix can fail: what is planted in books, source or database is named, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from models import Posting
from sandbox.qbo.realm import Realm
from tests.crash.asking import buying
from tests.crash.judging import invoices, live, mark_of, orders, problems, tenant
from tests.crash.story import Story
from tests.infra.company import sync_in_process
from tests.infra.orders import orders_in_process
from tests.infra.processes import Processes


class Undone(Exception):
    """Ends a transaction of the sandbox without a trace."""


@pytest.fixture
def story(
    sandbox: str, sandbox_world: Any, redis_url: str, processes: Processes, migrated_sqlite_url: str
) -> Story:
    """A QuickBooks company whose three invoices and three bills are in the books; no process of it runs."""
    seeded = {"invoices": 3, "orders": 3, "known_customers": True}
    told = Story.begin(sandbox, sandbox_world, processes, seeded=seeded, database_url=migrated_sqlite_url,
                       redis_url=redis_url)  # fmt: skip
    buying()(told)
    sync_in_process(told.services, told.company_id)
    orders_in_process(told.services, told.company_id)
    return told


@contextmanager
def planted(story: Story) -> Iterator[None]:
    """What is written in the sandbox inside is gone again behind it."""
    try:
        with story.world.store.transaction():
            yield
            raise Undone
    except Undone:
        assert found(story) == []


def found(story: Story) -> list[str]:
    return sorted(problems(story, invoices(story) | orders(story)))


def test_each_thing_that_is_wrong_is_named(story: Story) -> None:
    """One story for all: building it costs more than judging it."""
    assert found(story) == [] and len(live(story)) == 6
    realm = Realm(story.world, str(story.made["realm"]))
    row = tenant(story).rows("Invoices")[0]
    order = tenant(story).rows("PurchaseOrders")[0]
    name, number = f"invoice {row['id']}", order["purchaseOrderNumber"]
    ids = {each["marker"]: str(each["id"]) for each in live(story)}
    id, bill = ids[mark_of(story, "invoice", row["id"])], ids[mark_of(story, "purchase_order", order["id"])]
    record = realm.record("Invoice", id) or {}
    entity, amount = record["entity"], invoices(story)[mark_of(story, "invoice", row["id"])].amount

    with planted(story):
        realm.insert("Invoice", entity, "9001", {})
        assert found(story) == [f"{name} stands there 2 times"]
    with planted(story):
        realm.store.put(realm.space, "Invoice", id, {**record, "state": "void"})
        assert found(story) == [f"{name} is lost"]
    with planted(story):
        realm.store.delete(realm.space, "Bill", bill)
        assert f"order {number} is lost" in found(story)
    with planted(story):
        realm.replace(record, {**entity, "TotalAmt": amount + Decimal("0.01")}, {})
        assert found(story) == [f"{name} stands there with {amount + Decimal('0.01')} instead of {amount}"]
    with planted(story):
        realm.replace(record, {**entity, "PrivateNote": "as agreed"}, {})
        assert found(story) == [f"Invoice {id} was written without a marker", f"{name} is lost"]
    with planted(story):
        realm.replace(record, {**entity, "PrivateNote": "ref:AAAAAAAA"}, {})
        assert found(story) == [f"Invoice {id} ought not to stand there", f"{name} is lost"]
    with planted(story):
        tenant(story).save("Invoices", {**row, "webServiceDate": None})
        tenant(story).save("PurchaseOrders", {**order, "externalPONumber": None})
        assert found(story) == [f"{name} bears no mark in Autotask", f"order {number} bears no mark in Autotask"]
    in_database(story, name, id)


def in_database(story: Story, name: str, id: str) -> None:
    """The same for what the database holds, which nothing of the sandbox tells."""
    one = select(Posting.id).where(Posting.ledger_id == id, Posting.ledger_kind == "invoice").scalar_subquery()
    for wrong, told in (
        ({"state": "SENDING"}, [f"0 postings hold {name}", "create of invoice is SENDING"]),
        ({"ledger_id": "9002"}, [f"the database holds 9002 for what stands there as {id}"]),
    ):
        with story.services.sessions() as db, db.begin():
            key = db.execute(select(one)).scalar_one()
            db.execute(update(Posting).where(Posting.id == key).values(wrong))
        assert found(story) == told
        with story.services.sessions() as db, db.begin():
            db.execute(update(Posting).where(Posting.id == key).values(state="DONE", ledger_id=id))
    assert found(story) == []
