"""Tax through the engine: the amount must come back, a difference is shown and never posted again; the map waits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from connectors.ledgers.base import Kind
from domain.documents import Catalog, TaxRule
from domain.settings import TaxSource
from domain.statuses import Flag, Status
from domain.taxes import TaxModel
from models import Company
from sync import decisions, settings, taxmap, taxsums
from sync.reports import csv_text, items
from tests.engine.world import World, invoice


def test_a_ledger_that_ignores_the_amount_is_shown_once_and_never_sent_again(world: World) -> None:
    world.books.honours_tax, world.books.own_tax = False, Decimal("40.00")
    world.source.put(invoice("1", "541.25", tax="41.25", tax_region="NY Albany"))
    run_id = world.sync()
    world.sync()
    [kept] = world.books.documents()
    row = world.documents()["1"]
    assert (row.status, row.flags, kept.total) == (Status.COMPLETE, [Flag.DIFFERS], Decimal("540.00"))
    with world.sessions() as db:
        found = taxsums.ignored(db, world.company_id)
        rows = items(db, run_id)
        told = taxsums.sentences(rows, "Books")
        assert "540.00,Differs,\"NY Albany, Taxable: 500.00 + 41.25 (ledger 40.00)\"" in csv_text(rows, run_id, "Books")
    assert found is not None
    assert (found.count, found.first.source_id) == (1, "1")
    assert told[0] == "Differs: AT-1 is USD 541.25 in Autotask and USD 540.00 in Books."
    assert "tax USD 41.25; in Books" in told[1]
    with world.sessions() as db, db.begin():
        decisions.accept_difference(db, db.get_one(type(row), row.id), why="Known", now=world.clock.now(), who="Anna")
    accepted = world.documents()["1"]
    assert (accepted.flags, accepted.accepted["why"]) == ([Flag.ACCEPTED], "Known")


def test_an_amount_that_comes_back_leaves_no_warning(world: World) -> None:
    world.source.put(invoice("1", "541.25", tax="41.25"), invoice("2", "-108.25", tax="-8.25"))
    run_id = world.sync()
    assert {entry.total for entry in world.books.documents()} == {Decimal("541.25"), Decimal("108.25")}
    with world.sessions() as db:
        assert taxsums.ignored(db, world.company_id) is None
        [(currency, [one])] = taxsums.of_run(items(db, run_id))
    assert (currency, one.net, one.tax, one.ledger_tax) == ("USD", 400, 33, 33)


def test_an_unmapped_region_waits_until_a_person_confirms_its_code(world: World) -> None:
    world.books.tax_model = TaxModel.CODE_PER_LINE
    code = world.books.add(Kind.TAX_CODE, "Standard", rate="20", components="r=20").id
    world.source.lists = replace(
        world.source.lists, tax_regions={"4": "UK"},
        taxes=(TaxRule("UK", None, "Standard", Decimal("0.2"), region_id="4"),),
    )
    made = invoice("1", "120.00", tax="20.00", tax_region="UK", tax_region_id="4")
    world.source.put(made)
    world.sync()
    assert world.documents()["1"].reason_code == "tax_unmapped"
    with world.sessions() as db, db.begin():
        current = settings.load_invoices(db, world.company_id)
        [row] = taxmap.rows(db, world.company_id, current)
        assert (row.region, row.waiting, row.entry, row.proposed and row.proposed.id) == ("UK", 1, None, code)
        fresh = taxmap.proposed_map(db, world.company_id, current)
        settings.change(db, world.company_id, now=world.clock.now(), user=None, tax_map=fresh)
    with world.sessions() as db, db.begin():
        rows = [world.documents()["1"]]
        decisions.retry(db, db.get_one(Company, world.company_id), [db.merge(row) for row in rows],
                        now=world.clock.now(), user=None)
    run_id = world.sync()
    [kept] = world.books.documents()
    assert kept.total == Decimal("120.00")
    assert world.run(run_id).finished_at is not None


def test_none_from_us_refuses_a_taxed_invoice_and_posts_an_untaxed_one(world: World) -> None:
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, tax_source=TaxSource.NONE)
    world.source.put(invoice("1", "108.25", tax="8.25"), invoice("2", "100.00"))
    world.sync()
    rows = world.documents()
    assert (rows["1"].reason_code, rows["2"].status) == ("tax_none_charged", Status.COMPLETE)
    assert isinstance(world.source.lists, Catalog)
