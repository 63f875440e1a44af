"""What every ledger must keep about bills, purchase orders, vendors and what is bought. The cases are the same for all;
what ledgers do differently is asked as a capability."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.ledgers.base import Alike, Change, Done, Kind, Member, Refusal, Refused, Sought, Unknown
from domain.documents import Address, Draft, DraftLine, ItemDraft, OrderedLine, PartyDraft, Reference
from domain.held import adoption_problems, equals
from tests.contract.ledger_contract import LedgerBench, made

DAY = date(2026, 11, 20)


class PurchaseBench(LedgerBench):
    """A ledger company that buys: one expense account and one payable account."""

    expense: str
    payable: str

    @abstractmethod
    def bought(self, kind: Kind) -> list[tuple[str | None, Decimal]]:
        """(number, net) of every live document of the kind, from the books."""
        ...

    @abstractmethod
    def order_closed(self, ledger_id: str) -> bool:
        """Whether the order's lines are all taken up by bills, from the books."""
        ...

    @abstractmethod
    def pay_bill(self, ledger_id: str, amount: str) -> None:
        """Somebody pays that much of a bill."""
        ...

    @abstractmethod
    def without_orders(self) -> bool:
        """The company's plan loses its purchase orders. False: every plan of this ledger has them."""
        ...

    def vendor(self, name: str) -> str:
        number = str(sum(map(ord, name)))
        return made(self.create(Kind.VENDOR, PartyDraft(number, name, kind="vendor"))).ledger_id

    def bought_item(self, name: str) -> str:
        account = Reference("account", "e", "Cost", self.expense)
        return made(self.create(Kind.ITEM, ItemDraft("1", name, "Goods", account, bought=True))).ledger_id

    def bill(self, vendor: str | None = None, item: str | None = None, **changes: object) -> Draft:
        vendor, item = vendor or self.vendor("Parts Wholesale"), item or self.bought_item("Switch 24p")
        return replace(self._draft(vendor, item), **changes)  # type: ignore[arg-type]

    def order(self, vendor: str, item: str, **changes: object) -> Draft:
        return replace(self._draft(vendor, item), kind="purchase_order", number=None, **changes)  # type: ignore[arg-type]

    def _draft(self, vendor: str, item: str) -> Draft:
        account = Reference("account", "f", "Freight", self.expense)
        goods = DraftLine(Reference("item", "switch", "Switch 24p", item), "Switch 24p, boxed", Decimal(10),
                          Decimal("42"), Decimal("420.00"), taxed=False, account=account)  # fmt: skip
        freight = DraftLine(account, "Freight", Decimal(1), Decimal("15.00"), Decimal("15.00"), False, account=account)
        return Draft(
            kind="bill", party=Reference("vendor", "7", "Parts Wholesale", vendor), number="V-1", date=DAY,
            due_date=None, term=None, currency="USD", lines=(goods, freight), tax_total=Decimal(0), send_tax=False,
            total=Decimal("435.00"), memo="Autotask order PO20001", marker="ref:k3jd82ma", tax_choice="none",
            payable=Reference("account", "p", "Accounts Payable", self.payable),
        )  # fmt: skip


def part_of(draft: Draft, order: Done, quantity: int, number: str) -> Draft:
    """A bill over so many of an order's first line, linked to it."""
    line = draft.lines[0]
    linked = replace(
        line, quantity=Decimal(quantity), amount=line.unit_price * quantity,
        ordered=OrderedLine(order.ledger_id, order.echo.line_ids[0]),
    )  # fmt: skip
    return replace(draft, number=number, lines=(linked,), total=linked.amount)


class PurchaseContract:
    """Subclasses provide the fixture `bench`."""

    # ---- creating -----------------------------------------------------------------------------------------

    def test_equal_drafts_give_equal_bytes_and_a_reference_without_an_id_is_a_mistake(
        self, bench: PurchaseBench
    ) -> None:
        draft = bench.bill("1", "2")
        assert bench.ledger.payload(draft, {}) == bench.ledger.payload(bench.bill("1", "2"), {})
        named = replace(draft, party=replace(draft.party, ledger_id=None))
        assert bench.ledger.payload(named, {("vendor", "7"): "1"}) == bench.ledger.payload(draft, {})
        with pytest.raises(KeyError):
            bench.ledger.payload(named, {})

    def test_a_bill_is_created_and_its_echo_says_what_was_sent(self, bench: PurchaseBench) -> None:
        draft = bench.bill()
        echo = made(bench.create(Kind.BILL, draft)).echo
        assert (echo.kind, echo.party_id, echo.number, echo.currency) == (
            Kind.BILL, draft.party.ledger_id, "V-1", "USD",
        )  # fmt: skip
        assert (echo.total, echo.balance, echo.lines, echo.date, echo.live) == (435, 435, 2, DAY, True)
        assert echo.marker is not None and echo.marker.endswith("ref:k3jd82ma")
        assert bench.bought(Kind.BILL) == [("V-1", Decimal(435))]

    def test_a_bill_needs_no_number(self, bench: PurchaseBench) -> None:
        assert made(bench.create(Kind.BILL, bench.bill(number=None))).number is None

    def test_an_order_is_numbered_by_the_ledger_and_names_its_lines(self, bench: PurchaseBench) -> None:
        done = made(bench.create(Kind.PURCHASE_ORDER, bench.order(bench.vendor("A"), bench.bought_item("B"))))
        assert done.number and len(done.echo.line_ids) == 2 and len(set(done.echo.line_ids)) == 2
        assert bench.bought(Kind.PURCHASE_ORDER) == [(done.number, Decimal(435))]

    def test_bills_that_are_linked_to_an_orders_lines_close_it(self, bench: PurchaseBench) -> None:
        vendor, item = bench.vendor("A"), bench.bought_item("B")
        draft = bench.order(vendor, item)
        order = made(bench.create(Kind.PURCHASE_ORDER, replace(draft, lines=draft.lines[:1], total=Decimal(420))))
        for quantity, number in ((6, "V-1"), (4, "V-2")):
            assert not bench.order_closed(order.ledger_id)
            made(bench.create(Kind.BILL, part_of(bench.bill(vendor, item), order, quantity, number)))
        if Kind.PURCHASE_ORDER in bench.ledger.capabilities.can_close:
            assert not bench.order_closed(order.ledger_id)
            closed = made(bench.change("close", Kind.PURCHASE_ORDER, order))
            assert (closed.ledger_id, closed.echo.status, closed.echo.live) == (order.ledger_id, "closed", True)
        assert bench.order_closed(order.ledger_id)

    def test_a_creation_under_a_number_in_use_changes_that_order_only_where_it_says_so(
        self, bench: PurchaseBench
    ) -> None:
        if Kind.PURCHASE_ORDER not in bench.ledger.capabilities.edited_by_number:
            return
        vendor, item = bench.vendor("A"), bench.bought_item("B")
        first, second = (
            made(bench.create(Kind.PURCHASE_ORDER, replace(bench.order(vendor, item), number="P-1", marker=marker)))
            for marker in ("ref:theirs", "ref:k3jd82ma")
        )
        assert first.ledger_id == second.ledger_id and len(bench.bought(Kind.PURCHASE_ORDER)) == 1

    def test_an_order_is_found_by_its_number_and_by_its_id(self, bench: PurchaseBench) -> None:
        vendor, item = bench.vendor("A"), bench.bought_item("B")
        made_ones = [made(bench.create(Kind.PURCHASE_ORDER, bench.order(vendor, item))) for _ in range(5)]
        for several in (made_ones[:1], made_ones):
            asked = [Sought(f"n{n}", Kind.PURCHASE_ORDER, number=one.number) for n, one in enumerate(several)]
            asked += [Sought(f"i{n}", Kind.PURCHASE_ORDER, ledger_id=one.ledger_id) for n, one in enumerate(several)]
            found = bench.ledger.find([*asked, Sought("none", Kind.PURCHASE_ORDER, number="NOBODY-HAS-IT")])
            assert {key: [one.ledger_id for one in hits] for key, hits in found.items()} == {
                **{f"{how}{n}": [one.ledger_id] for n, one in enumerate(several) for how in "ni"}, "none": [],
            }  # fmt: skip

    def test_a_bill_is_told_from_a_sale_of_the_same_number(self, bench: PurchaseBench) -> None:
        bill = made(bench.create(Kind.BILL, bench.bill()))
        sale = made(bench.create(Kind.INVOICE, bench.invoice(bench.customer("Acme"), bench.item("Work"), "V-1")))
        found = bench.ledger.find([Sought("b", Kind.BILL, number="V-1"), Sought("s", Kind.INVOICE, number="V-1")])
        assert [[one.ledger_id for one in found[key]] for key in "bs"] == [[bill.ledger_id], [sale.ledger_id]]
        assert bench.ledger.read(Kind.BILL, [bill.ledger_id]).keys() == {bill.ledger_id}

    def test_several_bills_of_one_number_in_one_call_are_told_apart(self, bench: PurchaseBench) -> None:
        vendors, item = [bench.vendor(name) for name in ("A", "B")], bench.bought_item("Switch 24p")
        drafts = [bench.bill(vendor, item, marker=f"ref:{n}") for n, vendor in enumerate(vendors)]
        members = [Member(str(n), Kind.BILL, "create", bench.ledger.payload(one, {})) for n, one in enumerate(drafts)]
        outcomes = bench.send(bench.batch(*members)).outcomes
        assert [made(outcomes[str(n)]).echo.party_id for n in range(2)] == vendors

    def test_a_link_to_what_is_not_there_is_refused(self, bench: PurchaseBench) -> None:
        if Kind.PURCHASE_ORDER in bench.ledger.capabilities.can_close:
            return  # no line names another
        vendor, item = bench.vendor("A"), bench.bought_item("B")
        draft = bench.bill(vendor, item)
        wrong = replace(draft.lines[0], ordered=OrderedLine("999999", "1"))
        refused = bench.create(Kind.BILL, replace(draft, lines=(wrong,), total=wrong.amount))
        assert isinstance(refused, Refused) and refused.faults[0].refusal is Refusal.BAD_REFERENCE
        assert bench.bought(Kind.BILL) == []

    def test_an_item_that_cannot_be_bought_is_refused(self, bench: PurchaseBench) -> None:
        if bench.ledger.capabilities.lines_on_accounts:
            return  # the account says what is bought
        refused = bench.create(Kind.BILL, bench.bill(item=bench.item("Sold only")))
        assert isinstance(refused, Refused) and refused.faults[0].refusal is Refusal.BAD_REFERENCE

    def test_a_line_may_name_a_customer_and_be_billable(self, bench: PurchaseBench) -> None:
        draft = bench.bill()
        customer = Reference("customer", "9", "Acme", bench.customer("Acme"))
        for billable in (False, True):
            lines = (replace(draft.lines[0], customer=customer, billable=billable), draft.lines[1])
            made(bench.create(Kind.BILL, replace(draft, lines=lines, number=f"V-{billable}")))
        assert len(bench.bought(Kind.BILL)) == 2

    def test_a_plan_without_orders_says_so_and_refuses(self, bench: PurchaseBench) -> None:
        vendor, item = bench.vendor("A"), bench.bought_item("B")
        assert bench.ledger.check().purchase_orders
        if not bench.without_orders():
            return
        profile = bench.ledger.check()
        assert (profile.bills, profile.purchase_orders) == (True, False)
        refused = bench.create(Kind.PURCHASE_ORDER, bench.order(vendor, item))
        assert isinstance(refused, Refused) and refused.faults[0].refusal is Refusal.FEATURE_OFF
        made(bench.create(Kind.BILL, bench.bill(vendor, item)))

    # ---- vendors and items --------------------------------------------------------------------------------

    def test_a_vendor_is_found_by_name_and_told_from_a_customer(self, bench: PurchaseBench) -> None:
        draft = PartyDraft("7", "Parts 'R' Us (V)", email="ap@parts.example", address=Address(line1="7 Trade Park"),
                           kind="vendor", company_name="Parts 'R' Us")  # fmt: skip
        vendor = made(bench.create(Kind.VENDOR, draft)).ledger_id
        found = bench.ledger.find([Sought("a", Kind.VENDOR, name="PARTS 'R' US (V)")])
        assert [one.ledger_id for one in found["a"]] == [vendor]
        listed = {one.id: one for one in bench.ledger.lists([Kind.VENDOR]).records}
        assert listed[vendor].name == "Parts 'R' Us (V)"

    def test_a_name_that_a_customer_bears_is_taken_where_both_share_one_list(self, bench: PurchaseBench) -> None:
        bench.customer("Acme")
        outcome = bench.create(Kind.VENDOR, PartyDraft("7", "ACME", kind="vendor"))
        if Kind.VENDOR in bench.ledger.capabilities.refuses_second_copy:
            assert isinstance(outcome, Refused) and outcome.faults[0].refusal is Refusal.DUPLICATE_NAME
        else:
            assert isinstance(outcome, Done)

    def test_a_bought_item_shows_its_expense_account(self, bench: PurchaseBench) -> None:
        item = bench.bought_item("Switch 24p")
        listed = {one.id: one for one in bench.ledger.lists([Kind.ITEM]).records}
        if not bench.ledger.capabilities.lines_on_accounts:
            assert listed[item].details["expense_account_id"] == bench.expense

    # ---- uncertain ----------------------------------------------------------------------------------------

    def test_no_second_copy_is_refused_so_a_lost_bill_is_looked_up_by_time_and_marker(
        self, bench: PurchaseBench
    ) -> None:
        assert Kind.BILL not in bench.ledger.capabilities.refuses_second_copy
        assert Kind.PURCHASE_ORDER not in bench.ledger.capabilities.refuses_second_copy
        start = datetime.now(UTC) - timedelta(minutes=5)
        draft = bench.bill(number=None)
        batch = bench.batch(Member("0", Kind.BILL, "create", bench.ledger.payload(draft, {})))
        assert isinstance(bench.send_and_lose_the_answer(batch).outcomes["0"], Unknown)
        found = bench.ledger.find([Sought("a", Kind.BILL, since=start), Sought("b", Kind.PURCHASE_ORDER, since=start)])
        assert [one.echo.marker and one.echo.marker.split()[-1] for one in found["a"]] == ["ref:k3jd82ma"]
        assert not found["b"]

    def test_the_same_batch_again_gives_no_second_bill(self, bench: PurchaseBench) -> None:
        batch = bench.batch(Member("0", Kind.BILL, "create", bench.ledger.payload(bench.bill(number=None), {})))
        first, second = (made(bench.send(batch).outcomes["0"]) for _ in range(2))
        assert first.ledger_id == second.ledger_id and len(bench.bought(Kind.BILL)) == 1

    def test_bills_that_may_be_the_same_are_found_by_vendor_and_number_or_net_amount(
        self, bench: PurchaseBench
    ) -> None:
        vendor, item = bench.vendor("A"), bench.bought_item("B")
        theirs = bench.bill(vendor, item, number="INV 77", memo="typed in", marker="")
        held = made(bench.create(Kind.BILL, theirs)).ledger_id
        around = {"since": DAY - timedelta(days=30), "until": DAY + timedelta(days=30)}
        asked = {
            "number": Alike("number", Kind.BILL, vendor, "inv 77", Decimal(1), **around),
            "spaced": Alike("spaced", Kind.BILL, vendor, "INV77", Decimal(1), **around),
            "net": Alike("net", Kind.BILL, vendor, "X", Decimal(435), **around),
            "no number": Alike("no number", Kind.BILL, vendor, None, Decimal("435.00"), **around),
            "old": Alike("old", Kind.BILL, vendor, "X", Decimal(435), DAY + timedelta(1), DAY + timedelta(30)),
            "by number whenever": Alike("by number whenever", Kind.BILL, vendor, "INV 77", Decimal(1),
                                        DAY + timedelta(1), DAY + timedelta(30)),
            "another vendor": Alike("another vendor", Kind.BILL, bench.vendor("C"), "INV 77", Decimal(435), **around),
            "an order": Alike("an order", Kind.PURCHASE_ORDER, vendor, "INV 77", Decimal(435), **around),
        }  # fmt: skip
        found = bench.ledger.alike(list(asked.values()))
        hits = {key: [one.ledger_id for one in held_ones] for key, held_ones in found.items()}
        assert hits == {
            key: [held] if key in ("number", "spaced", "net", "no number", "by number whenever") else []
            for key in asked
        }
        assert bench.ledger.alike([]) == {}

    # ---- reading and changing -----------------------------------------------------------------------------

    def test_a_bill_is_read_whole_and_equals_what_was_sent(self, bench: PurchaseBench) -> None:
        draft = bench.bill()
        sent = made(bench.create(Kind.BILL, draft)).ledger_id
        held = bench.ledger.read(Kind.BILL, [sent])[sent]
        assert equals(draft, held) == [] and adoption_problems(draft, held) == []
        assert held.untouched_by_money and held.party_id == draft.party.ledger_id
        assert equals(replace(draft, number="V-9"), held) == ["Number"]
        bench.pay_bill(sent, "35.00")
        paid = bench.ledger.read(Kind.BILL, [sent])[sent]
        assert paid.applied == Decimal(35) and not paid.untouched_by_money

    def test_an_order_is_read_whole_and_its_bills_are_no_money(self, bench: PurchaseBench) -> None:
        vendor, item = bench.vendor("A"), bench.bought_item("B")
        draft = bench.order(vendor, item, message="Leave at the door", ship_to=("Us", "1 Street"))
        order = made(bench.create(Kind.PURCHASE_ORDER, draft))
        made(bench.create(Kind.BILL, part_of(bench.bill(vendor, item), order, 6, "V-1")))
        held = bench.ledger.read(Kind.PURCHASE_ORDER, [order.ledger_id])[order.ledger_id]
        assert equals(draft, held) == [] and held.untouched_by_money

    def test_a_bill_is_taken_out_of_the_books_as_its_ledger_can(self, bench: PurchaseBench) -> None:
        able = bench.ledger.capabilities
        assert Kind.BILL in able.can_void | able.can_delete
        record = made(bench.create(Kind.BILL, bench.bill()))
        gone = made(bench.change("void", Kind.BILL, record))
        assert (gone.ledger_id, gone.echo.live) == (record.ledger_id, False)
        assert bench.bought(Kind.BILL) == []
        assert all(not one.echo.live for one in bench.now(Kind.BILL, record.ledger_id))

    def test_a_bill_that_hangs_on_an_order_is_taken_off_it_by_the_same_content_without_the_links(
        self, bench: PurchaseBench
    ) -> None:
        vendor, item = bench.vendor("A"), bench.bought_item("B")
        goods = bench.order(vendor, item)
        order = made(bench.create(Kind.PURCHASE_ORDER, replace(goods, lines=goods.lines[:1], total=Decimal(420))))
        draft = part_of(bench.bill(vendor, item), order, 10, "V-1")
        record = made(bench.create(Kind.BILL, draft))
        if Kind.BILL in bench.ledger.capabilities.unlinks:
            assert isinstance(bench.change("void", Kind.BILL, record), Refused)
            bare = replace(draft, lines=tuple(replace(line, ordered=None) for line in draft.lines))
            record = made(bench.change("update", Kind.BILL, record, bare))
            assert not bench.order_closed(order.ledger_id) and bench.bought(Kind.BILL) == [("V-1", Decimal(420))]
        assert not made(bench.change("void", Kind.BILL, record)).echo.live
        assert bench.bought(Kind.BILL) == [] and not bench.order_closed(order.ledger_id)

    def test_an_update_of_an_older_version_changes_nothing(self, bench: PurchaseBench) -> None:
        draft = bench.bill()
        first = made(bench.create(Kind.BILL, draft))
        second = made(bench.change("update", Kind.BILL, first, replace(draft, number="V-2")))
        assert (second.ledger_id, second.number) == (first.ledger_id, "V-2")
        late = bench.change("update", Kind.BILL, first, draft)
        if not bench.ledger.capabilities.versions:
            return  # read a moment before
        assert isinstance(late, Refused) and late.faults[0].refusal is Refusal.STALE
        assert bench.bought(Kind.BILL) == [("V-2", Decimal(435))]

    def test_what_purchases_cannot_have_is_a_mistake_of_the_caller(self, bench: PurchaseBench) -> None:
        with pytest.raises(ValueError, match="cannot"):
            bench.ledger.change(Change(Kind.VENDOR, "void", "1", "0"))

    def test_a_printed_copy_and_an_address_exist_where_the_ledger_has_them(self, bench: PurchaseBench) -> None:
        order = made(bench.create(Kind.PURCHASE_ORDER, bench.order(bench.vendor("A"), bench.bought_item("B"))))
        if Kind.PURCHASE_ORDER in bench.ledger.capabilities.originals:
            assert bench.ledger.original(Kind.PURCHASE_ORDER, order.ledger_id).startswith(b"%PDF")
        assert order.ledger_id in bench.ledger.link(Kind.PURCHASE_ORDER, order.ledger_id)
