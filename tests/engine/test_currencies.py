"""Currencies of both sides through the engine, judged by the ledger's records."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from domain.statuses import Flag
from models import Company, User
from sync import currencies, mirror, settings
from tests.engine.world import World, furnish, invoice, line


def several(world: World, *, source: bool = True) -> None:
    """Multicurrency on in the ledger, and in the source; customer 175 is billed in euros."""
    furnish(world)
    world.books.multi_currency = True
    world.source.put_party(replace(world.source.companies["175"], currency="EUR" if source else None))
    world.source.lists = replace(world.source.lists, home_currency="USD", multi_currency=source)


def test_a_foreign_invoice_leaves_the_rate_to_the_ledger_and_says_so_where_that_is_1(world: World) -> None:
    several(world)
    world.books.rates["EUR"] = Decimal("1.08")
    world.source.put(invoice("1", "100.00"))
    world.sync()
    del world.books.rates["EUR"]
    world.source.put(invoice("2", "50.00"), invoice("3", "20.00", party="176"))
    world.sync()
    made = {one.number: one.body for one in world.books.entries if one.number}
    assert [(made[n]["currency"], made[n]["rate"]) for n in ("AT-1", "AT-2")] == [("EUR", None), ("EUR", None)]
    flags = {id: str(Flag.RATE_ONE) in row.flags for id, row in world.documents().items()}
    assert flags == {"1": False, "2": True, "3": False}


def test_autotasks_rate_goes_along_where_it_was_chosen(world: World) -> None:
    several(world)
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, rate_source="source")
    one = replace(line("1-1", "1000.00"), home_price=Decimal("1080.00"))
    world.source.put(invoice("1", "1000.00", lines=(one,)))
    world.sync()
    assert [each.body["rate"] for each in world.books.entries if each.number == "AT-1"] == [Decimal("1.08")]
    assert str(Flag.RATE_ONE) not in world.documents()["1"].flags


def test_amounts_without_a_currency_wait_for_one_confirmation_and_a_later_switch_for_another(world: World) -> None:
    several(world, source=False)
    world.source.put(invoice("1", "10.00"))
    world.sync()
    assert world.documents()["1"].reason_code == "currency_assumed"
    assert not confirm(world, "USD/USD")
    assert confirm(world, "USD/USD+")
    world.sync()
    assert [one.number for one in world.books.documents()] == ["AT-1"]
    world.source.lists = replace(world.source.lists, multi_currency=True)
    mirror.refresh(world.rt, world.company_id, world.ledger, world.source, whole=True)
    world.source.put(invoice("2", "20.00", party="176"))
    world.sync()
    assert world.documents()["2"].reason_code == "currencies_switched"
    assert confirm(world, "USD+/USD+")
    world.sync()
    assert [one.number for one in world.books.documents()] == ["AT-1", "AT-2"]


def confirm(world: World, shown: str) -> bool:
    with world.sessions() as db, db.begin():
        user = User(name="Ann", email="ann@acme.example", created_at=world.clock.now())
        db.add(user)
        return currencies.confirm(
            db, db.get_one(Company, world.company_id), shown, now=world.clock.now(), user=user
        )
