"""Where lines end up, judged by the ledger's records: rounding lines and what is told of them."""

from __future__ import annotations

from decimal import Decimal

from connectors.ledgers.base import Kind
from domain.statuses import Flag, Status
from sync import line_figures, settings
from tests.engine.world import World, furnish, invoice, line


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
        assert line_figures.of_run(db, run_id).sentences == ["3 rounding lines, USD 0.01 in all."]
