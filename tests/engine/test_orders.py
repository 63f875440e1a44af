"""Purchase orders through the engine: read, planned, posted once, marked, and what happens to them afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import RetryLater
from connectors.ledgers.base import Alike, Answer, Batch, Kind
from connectors.ledgers.memory import MemoryLedger
from connectors.ledgers.memory_purchases import line_ids
from domain.documents import Party, SourceDocument, SourceLine
from domain.held import Held
from domain.order_documents import OrderHead, OrderStatus
from domain.order_settings import Becomes, Freight, OrderNumbers, OrderSettings, VendorNumber
from domain.settings import MissingItem
from domain.statuses import Flag, Status
from models import Company, Document, Run
from sync import alike, documents, gather, mirror, order_changes, requests, scheduled, settings
from sync.apply import serve
from sync.areas import ORDERS
from tests.domain.order_samples import line, order, receipt
from tests.engine.world import START, World, invoice

CREATED = START - timedelta(days=3)


@pytest.fixture
def bought(world: World) -> World:
    """A vendor in the source; AP, expense and freight accounts in the ledger; orders become bills at once."""
    return supplied(world)


def supplied(world: World) -> World:
    world.source.put_party(Party("41", "Northwind Supplies"), Party("90", "Harbor Point"))
    account = {
        name: world.books.add(Kind.ACCOUNT, name, type=kind).id
        for name, kind in (("Payable", "Accounts Payable"), ("Purchases", "Cost of Goods Sold"), ("Freight", "Expense"))
    }
    choose(world, days=30, active=True, becomes=Becomes.BILL, payable=account["Payable"],
           freight_account=account["Freight"], created_item_account=account["Purchases"],
           missing_item=MissingItem.CREATE)
    return world


def choose(world: World, **values: Any) -> OrderSettings:
    with world.sessions() as db, db.begin():
        chosen = replace(settings.load_orders(db, world.company_id), **values)
        settings.save_orders(db, world.company_id, chosen, now=world.clock.now(), user=None)
    return chosen


def put(
    world: World, id: str, *lines: SourceLine, number: str | None = None, created: Any = CREATED, **head: Any
) -> None:
    made = order(*(lines or (line(f"{id}-1"),)), **head)
    header = replace(made.header, id=id, number=number or f"PO-{id}", created_at=created)
    world.source.put(SourceDocument(header, made.lines))


def head(world: World, id: str) -> OrderHead:
    found = world.source.contents[id].header.order
    assert found is not None
    return found


def receive(world: World, id: str, *lines: SourceLine, status: OrderStatus = OrderStatus.PARTLY_RECEIVED) -> None:
    there = world.source.contents[id]
    header = replace(there.header, order=replace(head(world, id), status=status))
    world.source.contents[id] = replace(there, header=header, lines=lines)


def released(world: World) -> int:
    """Sync Now of orders, read and handed on; nothing is served yet."""
    with world.sessions() as db, db.begin():
        run, _ = requests.ask(
            db, db.get_one(Company, world.company_id), kind="sync", trigger="button", now=world.clock.now(), user=None,
            confirmed=True, area="orders",
        )
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    return run_id


def sync(world: World) -> Run:
    run_id = released(world)
    world.serve_until_rest()
    return world.run(run_id)


def reserve_only(world: World) -> int:
    """Sync Now of orders whose first page is reserved; the process dies before it sends."""
    run_id = released(world)
    world.dies_at("after_reserve")
    return run_id


def scan_only(world: World) -> None:
    gather.scan(world.rt, world.company_id, world.source, world.ledger, None, area=ORDERS)


def look(world: World) -> None:
    """The schedule's minute."""
    scheduled.look(world.rt, world.company_id, world.source, lambda: world.ledger)
    world.serve_until_rest()


def bills(world: World) -> list[Any]:
    return [entry for entry in world.books.entries if entry.kind is Kind.BILL and entry.live]


def row(world: World, id: str, part: str = "") -> Document:
    with world.sessions() as db:
        found = [each for each in db.query(Document) if each.source_id == id and each.part == part]
        return found[0]


def told(document: Document) -> tuple[str, str | None]:
    return document.status, document.reason_code


def test_an_order_becomes_one_bill_with_its_vendor_and_item_and_is_marked(bought: World) -> None:
    put(bought, "411", line("1", 10, "42"), freight=Decimal("15"))
    run = sync(bought)
    assert (run.state, run.counts) == ("Finished", {Status.COMPLETE: 1})
    assert [(bill.total, bill.number) for bill in bills(bought)] == [(Decimal("435.00"), "PO-411")]
    assert [entry.body["name"] for entry in bought.books.entries if entry.kind is Kind.VENDOR] == ["Northwind Supplies"]
    assert head(bought, "411").external_number == "PO-411"
    sync(bought)
    assert len(bills(bought)) == 1


def test_an_unnumbered_bill_leaves_its_id_behind_a_prefix(bought: World) -> None:
    choose(bought, bill_number=VendorNumber.NONE)
    put(bought, "411")
    sync(bought)
    assert head(bought, "411").external_number == f"BILL-{bills(bought)[0].id}"


def test_a_purchase_order_is_numbered_by_the_ledger_and_the_number_goes_back(bought: World) -> None:
    choose(bought, becomes=Becomes.ORDER, numbers=OrderNumbers.LEDGER)
    put(bought, "411")
    sync(bought)
    made = [entry for entry in bought.books.entries if entry.kind is Kind.PURCHASE_ORDER]
    assert len(made) == 1
    assert head(bought, "411").external_number == (made[0].number or f"BILL-{made[0].id}")
    assert bills(bought) == []


def test_each_vendor_invoice_number_is_one_bill_and_later_receivings_are_noticed(bought: World) -> None:
    choose(bought, becomes=Becomes.ON_RECEIPT)
    put(bought, "411", line("1", 10, "42"), freight=Decimal("15"))
    sync(bought)
    assert told(row(bought, "411")) == (Status.PENDING, "waits_for_receipt")
    receive(bought, "411", line("1", 10, "42", receipt(6, "V-1")))
    sync(bought)
    assert [(bill.number, bill.total) for bill in bills(bought)] == [("V-1", Decimal("267.00"))]
    bought.clock.advance(26 * 3600)
    everything = line("1", 10, "42", receipt(6, "V-1"), receipt(4, "V-2", 21))
    receive(bought, "411", everything, status=OrderStatus.RECEIVED)
    sync(bought)
    sync(bought)
    assert [(bill.number, bill.total) for bill in bills(bought)] == [
        ("V-1", Decimal("267.00")), ("V-2", Decimal("168.00"))
    ]  # fmt: skip
    assert told(row(bought, "411")) == (Status.SKIPPED, "billed_in_parts")
    assert head(bought, "411").external_number == "V-1"


def test_bills_of_one_order_that_go_together_share_its_freight_to_the_cent(bought: World) -> None:
    choose(bought, becomes=Becomes.ON_RECEIPT, freight=Freight.BY_VALUE)
    everything = line("1", 12, "42", receipt(3, "V-1"), receipt(3, "V-2"), receipt(3, "V-3"), receipt(2, "V-4"))
    put(bought, "411", everything, status=OrderStatus.PARTLY_RECEIVED, freight=Decimal("0.02"))
    sync(bought)
    assert [bill.total for bill in bills(bought)] == [*map(Decimal, ("126.01", "126.01", "126.00", "84.00"))]


def test_a_bill_of_goods_received_already_goes_after_its_order_and_links_to_it(bought: World) -> None:
    choose(bought, becomes=Becomes.ORDER_AND_BILLS)
    put(bought, "411", line("1", 10, "42", receipt(10, "V-1")), status=OrderStatus.RECEIVED)
    assert sync(bought).state == "Finished"
    [made] = [entry for entry in bought.books.entries if entry.kind is Kind.PURCHASE_ORDER]
    [bill] = bills(bought)
    assert [one["ordered"] for one in bill.body["lines"]] == [[made.id, *line_ids(made.body)]]


def test_an_order_that_changes_once_it_is_reserved_takes_its_bills_back_with_it(bought: World) -> None:
    """Goods come in between reserving and sending: the run ends, and the next one posts the order before its bills."""
    choose(bought, becomes=Becomes.ORDER_AND_BILLS)
    put(bought, "411", line("1", 10, "42", receipt(6, "V-1")), status=OrderStatus.PARTLY_RECEIVED)
    run_id = reserve_only(bought)
    receive(bought, "411", line("1", 10, "42", receipt(6, "V-1"), receipt(4, "V-2", 21)), status=OrderStatus.RECEIVED)
    gather.poll(bought.rt, bought.company_id, bought.source, ORDERS)  # the heads; its lines are read later
    bought.serve_until_rest()
    scan_only(bought)
    bought.serve_until_rest()
    assert bought.run(run_id).finished_at is not None and bills(bought) == []
    assert {told(row(bought, "411", part)) for part in ("", "V-1", "V-2")} == {(Status.PENDING, "waits_for_sync")}
    assert sync(bought).id != run_id
    [made] = [entry for entry in bought.books.entries if entry.kind is Kind.PURCHASE_ORDER]
    assert [(bill.number, bill.body["lines"][0]["ordered"][0]) for bill in bills(bought)] == [
        ("V-1", made.id), ("V-2", made.id)
    ]  # fmt: skip


def test_an_order_that_was_parked_reserved_holds_no_bill_of_another_run_up(bought: World) -> None:
    choose(bought, becomes=Becomes.ORDER_AND_BILLS)
    put(bought, "411", line("1", 10, "42", receipt(6, "V-1")), status=OrderStatus.PARTLY_RECEIVED)
    reserve_only(bought)
    with bought.sessions() as db, db.begin():
        documents.park(db, db.query(Document).filter_by(source_id="411", part="").one())
    bought.serve_until_rest()
    assert [bill.number for bill in bills(bought)] == ["V-1"]


def test_an_order_that_cannot_be_posted_holds_no_bill_up(bought: World) -> None:
    choose(bought, becomes=Becomes.ORDER_AND_BILLS, numbers=OrderNumbers.SOURCE)
    bought.books.own_order_numbers = True
    put(bought, "411", line("1", 10, "42", receipt(10, "V-1")), number="PO-" + "9" * 30, status=OrderStatus.RECEIVED)
    sync(bought)
    assert told(row(bought, "411"))[0] == Status.FAULT
    assert [(bill.number, "ordered" in bill.body["lines"][0]) for bill in bills(bought)] == [("V-1", False)]


def test_what_is_taken_back_after_it_was_billed_asks_and_names_the_credit(bought: World) -> None:
    choose(bought, becomes=Becomes.ON_RECEIPT)
    put(bought, "411", line("1", 10, "42", receipt(6, "V-1")), status=OrderStatus.PARTLY_RECEIVED)
    sync(bought)
    bought.clock.advance(26 * 3600)
    receive(bought, "411", line("1", 10, "42", receipt(6, "V-1"), receipt(-2, "V-1", 21)))
    sync(bought)
    billed = row(bought, "411", "V-1")
    assert told(billed) == (Status.FAULT, "unreceived_after_billing")
    assert billed.reasons[0]["params"]["credit"] == "84.00"
    with bought.sessions() as db, db.begin():
        assert order_changes.settle(db, db.get_one(Document, billed.id), why="credit entered", now=START, who="A staff")
    bought.clock.advance(26 * 3600)
    sync(bought)
    assert told(row(bought, "411", "V-1")) == (Status.COMPLETE, None)
    assert len(bills(bought)) == 1


def test_an_order_cancelled_after_posting_asks_and_one_cancelled_before_is_set_aside(bought: World) -> None:
    put(bought, "411")
    sync(bought)
    put(bought, "412")
    scan_only(bought)
    for id in ("411", "412"):
        bought.source.void(id, bought.clock.now())
    sync(bought)
    assert told(row(bought, "411")) == (Status.FAULT, "order_cancelled_after")
    assert told(row(bought, "412")) == (Status.SKIPPED, "order_cancelled")
    assert len(bills(bought)) == 1


def test_a_bill_that_was_typed_in_is_asked_about_and_posted_beside_it_only_when_a_person_says_so(bought: World) -> None:
    put(bought, "411", line("1", 10, "42"), vendor_invoice="V-1")
    put(bought, "500", line("9", 1, "7", name="Cable"))
    sync(bought)
    mine = bills(bought)[0]
    bought.books._store(Kind.BILL, {**mine.body, "number": "V-9", "note": "typed in", "marker": ""})
    put(bought, "412", line("2", 10, "42"), vendor_invoice="v-9")
    sync(bought)
    waits = row(bought, "412")
    assert told(waits) == (Status.FAULT, "bill_exists")
    assert "V-9" in waits.reasons[0]["params"]["what"]
    with bought.sessions() as db, db.begin():
        assert alike.post_anyway(db, db.get_one(Document, waits.id), why="another one", now=START, who="A staff")
    sync(bought)
    assert told(row(bought, "412")) == (Status.COMPLETE, None)


def test_a_bill_that_was_typed_in_is_adopted_instead_and_the_order_gets_its_number(bought: World) -> None:
    put(bought, "411", line("1", 10, "42"), vendor_invoice="V-1")
    sync(bought)
    bought.books._store(Kind.BILL, {**bills(bought)[0].body, "number": "V-9", "note": "typed in", "marker": ""})
    put(bought, "412", line("2", 10, "42"), vendor_invoice="V-9")
    sync(bought)
    waits = row(bought, "412")
    theirs, capabilities = waits.alike["found"][0]["id"], bought.ledger.capabilities
    with bought.sessions() as db, db.begin():
        mine, said = db.get_one(Document, waits.id), {"why": "the same", "now": bought.clock.now(), "who": "A staff"}
        assert not alike.adopt(db, mine, capabilities, "999", **said)
        assert alike.adopt(db, mine, capabilities, theirs, **said)
    bought.serve_until_rest()
    assert (row(bought, "412").ledger_id, head(bought, "412").external_number) == (theirs, "V-9")
    assert len(bills(bought)) == 2


def typed_in(world: World, vendor: str) -> None:
    """Somebody types bill V-9 of this vendor into the ledger."""
    world.books._store(Kind.BILL, {
        "party": vendor, "number": "V-9", "date": "2026-11-01", "currency": "USD", "tax": Decimal(0), "marker": "",
        "status": "approved", "lines": [{"item": "0", "text": "By hand", "amount": Decimal("5.00")}],
    })  # fmt: skip


def test_bills_of_a_vendor_who_turns_out_to_be_there_are_looked_at_before_the_order_goes(bought: World) -> None:
    put(bought, "411", vendor_invoice="V-9")
    reserve_only(bought)
    vendor = bought.books.add(Kind.VENDOR, row(bought, "411").party_name).id
    typed_in(bought, vendor)
    bought.serve_until_rest()
    assert told(row(bought, "411")) == (Status.FAULT, "bill_exists")
    assert len(bills(bought)) == 1


def test_a_vendor_who_becomes_known_while_other_bills_are_looked_for_is_looked_at_too(bought: World) -> None:
    """The lists are refreshed by a reading that runs beside the serving process."""

    class Refreshed(MemoryLedger):
        def alike(self, sought: Sequence[Alike]) -> Mapping[str, Sequence[Held]]:
            found = super().alike(sought)
            if not [one for one in self.company.entries if one.body.get("name") == "Coyote Cables"]:
                vendor = self.company.add(Kind.VENDOR, "Coyote Cables")
                typed_in(bought, vendor.id)
                with bought.sessions() as db, db.begin():
                    mirror.merge(db, bought.company_id, [vendor], bought.clock.now())
            return found

    bought.source.put_party(Party("42", "Coyote Cables"))
    bought.books.add(Kind.VENDOR, "Northwind Supplies")
    bought.ledger = Refreshed(bought.books)
    put(bought, "411", vendor_invoice="V-1")
    put(bought, "412", line("2"), party_id="42", vendor_invoice="V-9")
    sync(bought)
    assert told(row(bought, "411")) == (Status.COMPLETE, None)
    assert told(row(bought, "412")) == (Status.FAULT, "bill_exists")


class Limited(MemoryLedger):
    """A limit holds calls up until then: before they are frozen, or when they are sent."""

    until = START
    at_send = False

    def slot(self, operation: str) -> float:
        return 0.0 if self.at_send else max(0.0, (self.until - self.company.clock()).total_seconds())

    def send(self, batch: Batch) -> Answer:
        if self.company.clock() < self.until:
            raise RetryLater("The day's limit.", self.until, platform="QuickBooks")
        return super().send(batch)


def test_another_number_is_looked_for_however_fresh_the_look_for_the_first_is(bought: World) -> None:
    put(bought, "411", vendor_invoice="V-1")
    sync(bought)
    typed_in(bought, bills(bought)[0].body["party"])
    bought.ledger = ledger = Limited(bought.books)
    ledger.until = bought.clock.now() + timedelta(seconds=30)
    put(bought, "412", line("2", 1, "7"), vendor_invoice="V-2")
    released(bought)
    serve(bought.rt, bought.company_id, bought.source, ledger)
    put(bought, "412", line("2", 1, "7"), vendor_invoice="V-9")
    gather.poll(bought.rt, bought.company_id, bought.source, ORDERS)  # it is read again, and not sent as it was
    bought.serve_until_rest()
    sync(bought)
    assert told(row(bought, "412")) == (Status.FAULT, "bill_exists") and len(bills(bought)) == 2


@pytest.mark.parametrize("at_send", [False, True], ids=["before it is frozen", "when it is sent"])
@pytest.mark.parametrize("typed", [False, True], ids=["alone", "typed in"])
def test_a_bill_that_a_limit_held_up_is_looked_for_again(bought: World, typed: bool, at_send: bool) -> None:
    put(bought, "411", line("1", 1, "7"), vendor_invoice="V-1")
    sync(bought)
    bought.ledger = ledger = Limited(bought.books)
    ledger.until, ledger.at_send = bought.clock.now() + timedelta(hours=1), at_send
    put(bought, "412", line("1", 1, "7"), vendor_invoice="V-9")
    released(bought)
    serve(bought.rt, bought.company_id, bought.source, ledger)
    if typed:
        typed_in(bought, bills(bought)[0].body["party"])
    bought.serve_until_rest()
    assert told(row(bought, "412")) == ((Status.FAULT, "bill_exists") if typed else (Status.COMPLETE, None))
    assert sorted(bill.number or "" for bill in bills(bought)) == ["V-1", "V-9"]


@pytest.mark.parametrize(("days", "asked"), [(-31, False), (-30, True), (30, True), (31, False)])
def test_a_bill_of_the_same_amount_is_asked_about_within_thirty_days(bought: World, days: int, asked: bool) -> None:
    put(bought, "411")
    sync(bought)
    mine = bills(bought)[0].body
    typed = (date.fromisoformat(mine["date"]) + timedelta(days=days)).isoformat()
    bought.books._store(Kind.BILL, {**mine, "number": "V-9", "note": "typed in", "marker": "", "date": typed})
    put(bought, "412")
    sync(bought)
    assert told(row(bought, "412")) == ((Status.FAULT, "bill_exists") if asked else (Status.COMPLETE, None))


@pytest.mark.parametrize("runs", [1, 2], ids=["in one run", "one after the other"])
def test_two_orders_under_one_number_of_their_vendor_are_asked_about_where_the_ledger_would_take_both(
    bought: World, runs: int
) -> None:
    put(bought, "411", line("1", 10, "42"), vendor_invoice="V-9")
    if runs == 2:
        sync(bought)
    put(bought, "412", line("2", 1, "7"), vendor_invoice="V-9")
    sync(bought)
    assert [bill.number for bill in bills(bought)] == ["V-9"]
    second = row(bought, "412")
    assert told(second) == (Status.FAULT, "bill_exists")
    assert "made for order PO-411" in second.reasons[0]["params"]["what"]
    with bought.sessions() as db, db.begin():
        assert alike.post_anyway(db, db.get_one(Document, second.id), why="one paper", now=START, who="A staff")
    sync(bought)
    assert [bill.number for bill in bills(bought)] == ["V-9", "V-9"]


def test_another_programs_mark_sets_an_order_aside(bought: World) -> None:
    put(bought, "411")
    scan_only(bought)
    bought.source.mark_synced("purchase_order", "411", number="77", at=START)
    sync(bought)
    assert told(row(bought, "411")) == (Status.SKIPPED, "order_marked_elsewhere")
    assert bills(bought) == []


def test_an_order_of_ours_whose_mark_somebody_cleared_is_not_posted_again(bought: World) -> None:
    put(bought, "411")
    sync(bought)
    bought.source.clear_mark("purchase_order", "411")
    for _ in range(2):
        bought.clock.advance(26 * 3600)
        sync(bought)
    assert row(bought, "411").status == Status.COMPLETE and len(bills(bought)) == 1


def test_an_order_created_before_the_window_and_submitted_in_it_waits_to_be_included(bought: World) -> None:
    put(bought, "411", created=START - timedelta(days=90), submitted_at=START - timedelta(days=1))
    sync(bought)
    early = row(bought, "411")
    assert told(early) == (Status.PENDING, "created_before_window")
    with bought.sessions() as db, db.begin():
        requests.include(db, [db.get_one(Document, early.id)], now=bought.clock.now(), who="A staff")
    sync(bought)
    assert len(bills(bought)) == 1


def test_the_schedule_posts_new_orders_within_its_minute_and_nothing_while_paused(bought: World) -> None:
    put(bought, "411")
    choose(bought, days=0)
    look(bought)
    assert bills(bought) == []
    choose(bought, days=30)
    look(bought)
    assert len(bills(bought)) == 1


def test_invoices_go_first_and_a_waiting_one_holds_no_order_up(bought: World) -> None:
    put(bought, "411")
    bought.source.put(invoice("1"), invoice("2", party=None))
    with bought.sessions() as db, db.begin():
        company = db.get_one(Company, bought.company_id)
        for area in ("orders", "invoices"):
            requests.ask(db, company, kind="sync", trigger="button", now=START, user=None, confirmed=True, area=area)
        runs = [run.id for run in db.query(Run)]
    for run_id in runs:
        gather.scan(bought.rt, bought.company_id, bought.source, bought.ledger, run_id)
    bought.serve_until_rest()
    made = [entry.kind for entry in bought.books.entries if entry.kind in (Kind.BILL, Kind.INVOICE)]
    assert made == [Kind.INVOICE, Kind.BILL]
    assert told(row(bought, "2")) == (Status.FAULT, "no_customer")


def test_a_changed_order_is_flagged_and_posted_once(bought: World) -> None:
    put(bought, "411", line("1", 10, "42"))
    sync(bought)
    bought.clock.advance(26 * 3600)
    receive(bought, "411", line("1", 12, "42"), status=OrderStatus.SUBMITTED)
    sync(bought)
    assert str(Flag.CHANGED_SOURCE) in row(bought, "411").flags
    assert len(bills(bought)) == 1
