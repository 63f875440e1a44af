"""Where lines end up, judged by the ledger's records: rounding lines and what is told of them."""

from __future__ import annotations

from decimal import Decimal

from connectors.ledgers.base import Kind
from domain.statuses import Flag, Status
from models import Company, Document
from sync import decisions, line_figures, settings
from tests.engine.world import World, furnish, invoice, line


def test_a_credit_names_the_invoice_of_its_customer_that_its_lines_show(world: World) -> None:
    world.source.put(invoice("1"), invoice("2", party="176"))
    world.sync()
    texts = {"3": "Correction of AT-1", "4": "Correction of AT-2"}  # AT-2 is somebody else's
    world.source.put(*(
        invoice(id, "-10.00", number=f"CR-{id}", lines=(line(f"{id}-1", "-10.00", text=text),))
        for id, text in texts.items()
    ))
    world.sync()
    memos = {entry.number: entry.body["marker"] for entry in world.books.documents()}
    assert "corrects AT-1" in memos["CR-3"] and "corrects" not in memos["CR-4"]


def test_a_rounding_line_is_booked_flagged_and_summed(world: World) -> None:
    furnish(world)
    pennies = world.books.add(Kind.ACCOUNT, "Rounding", type="Other Income").id
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, rounding_account=pennies)
    amounts = ("160.6122", "160.6122", "160.6121")
    many = tuple(line(f"a{n}", amount, rate="160.6122") for n, amount in enumerate(amounts))
    less = tuple(line(f"b{n}", f"-{amount}", rate="160.6122") for n, amount in enumerate(amounts))
    world.source.put(
        invoice("1", "481.84", lines=many), invoice("2", "-481.84", lines=less), invoice("3", "50.00"),
        invoice("4", "481.84", lines=tuple(line(f"c{n}", a, rate="160.6122") for n, a in enumerate(amounts))),
    )  # fmt: skip
    run_id = world.sync()
    totals = {one.number: one.total for one in world.books.documents()}
    assert totals["AT-1"] == totals["AT-4"] == totals["AT-2"] == Decimal("481.84")
    items = [one for one in world.books.entries if one.kind is Kind.ITEM and one.body["name"] == "Rounding"]
    assert [one.body["details"]["income_account_id"] for one in items] == [pennies]
    rows = world.documents()
    assert rows["1"].status == Status.COMPLETE
    assert [str(Flag.ROUNDED) in rows[id].flags for id in ("1", "2", "3")] == [True, True, False]
    assert rows["2"].rounded == Decimal("-0.01")
    with world.sessions() as db:
        assert line_figures.of_run(db, run_id).sentences == [
            "3 rounding lines, USD 0.01 in all.", "10 lines on the account for created items.",
        ]  # fmt: skip


def customers(world: World) -> dict[str, list[str]]:
    """Customer's name → numbers of the documents it was billed."""
    names = {one.id: one.body["name"] for one in world.books.entries if one.kind is Kind.CUSTOMER}
    found: dict[str, list[str]] = {}
    for one in world.books.documents():
        found.setdefault(names[one.body["party"]], []).append(one.number or "")
    return found


def change(world: World, **values: object) -> None:
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, **values)


def test_invoices_without_a_company_go_to_the_customer_chosen_for_all_or_for_one(world: World) -> None:
    furnish(world)
    shop = world.books.add(Kind.CUSTOMER, "Shop").id
    world.source.put(*(invoice(str(n), "10.00", party=None) for n in range(1, 4)))
    world.sync()
    assert {row.reason_code for row in world.documents().values()} == {"no_customer"}
    with world.sessions() as db, db.begin():
        row = db.get_one(Document, world.documents()["2"].id)
        decisions.bill_to(db, db.get_one(Company, world.company_id), row, shop, now=world.clock.now(), user=None)
    change(world, no_company_name="Walk-in")
    world.sync()
    assert customers(world) == {"Shop": ["AT-2"], "Walk-in": ["AT-1", "AT-3"]}
    change(world, no_company_name=None, no_company_customer=shop)
    world.source.put(invoice("4", "10.00", party=None))
    world.sync()
    assert customers(world)["Shop"] == ["AT-2", "AT-4"]


def test_a_customer_chosen_for_all_that_was_merged_away_stops_them_with_its_reason(world: World) -> None:
    furnish(world)
    change(world, no_company_customer="999")
    world.source.put(invoice("1", "10.00", party=None))
    world.sync()
    assert world.documents()["1"].reason_code == "link_gone"
    assert world.books.documents() == []
