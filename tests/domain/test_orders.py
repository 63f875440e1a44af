"""Purchase orders become bills or orders: each rule of the accounting reference, R70 to R82, and every bad input."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.documents import Catalog, ItemDraft, OrderedLine, Party, PartyDraft
from domain.formats import format_rate
from domain.journal import journal_of_purchase
from domain.known import Entry
from domain.order_documents import OrderStatus
from domain.order_parts import LedgerOrder, OrderHistory, order_total, parts_of
from domain.order_settings import Becomes, Freight, OrderNumbers, OrderSettings, VendorNumber, VendorRule
from domain.plan import Plan
from domain.reasons import Turn
from domain.settings import ClosedPeriod, MissingItem
from tests.domain.order_samples import FACTS, SETTINGS, VENDOR, accounts, codes, line, lists, order, planned, receipt

RECEIPTS = replace(SETTINGS, becomes=Becomes.ON_RECEIPT)
ORDERS = replace(SETTINGS, becomes=Becomes.ORDER)
ABROAD = replace(FACTS, currency="GBP", country="GB", purchase_tax=True)
SEVERAL = replace(FACTS, multi_currency=True)


def rows(plan: Plan) -> list[tuple[str, Decimal, Decimal]]:
    assert plan.draft is not None, codes(plan)
    return [(row.account, row.debit, row.credit) for row in journal_of_purchase(plan.draft, {})]


# ---- what an order becomes -----------------------------------------------------------------------------------


def test_a_bill_at_once_books_goods_and_freight_against_the_payable_account() -> None:
    plan = planned(order(line(), freight=Decimal("15")))
    assert rows(plan) == [
        ("Purchases", Decimal("420.00"), Decimal(0)), ("Freight", Decimal("15.00"), Decimal(0)),
        ("Accounts Payable (A/P)", Decimal(0), Decimal("435.00")),
    ]  # fmt: skip
    assert plan.draft is not None
    assert plan.draft.kind == "bill"


def test_a_purchase_order_books_nothing() -> None:
    plan = planned(order(line(), freight=Decimal("15")), settings=ORDERS)
    assert plan.draft is not None
    assert (plan.draft.kind, plan.draft.total, rows(plan)) == ("purchase_order", Decimal("435.00"), [])


def test_nothing_is_assumed_about_what_an_order_becomes() -> None:
    assert codes(planned(order(line()), settings=replace(SETTINGS, becomes=None))) == ["becomes_missing"]
    rule = VendorRule("41", becomes=Becomes.ORDER)
    plan = planned(order(line()), settings=replace(SETTINGS, becomes=None, vendors=(rule,)))
    assert plan.draft is not None
    assert plan.draft.kind == "purchase_order"


def test_bills_on_receipt_are_one_per_vendor_invoice_number_and_freight_is_booked_once() -> None:
    bought = order(line("1", 10, "42", receipt(6, "V-1"), receipt(4, "V-2", 17)), freight=Decimal("15"))
    first = planned(replace(bought, part="V-1"), settings=RECEIPTS)
    assert rows(first) == [
        ("Purchases", Decimal("252.00"), Decimal(0)), ("Freight", Decimal("15.00"), Decimal(0)),
        ("Accounts Payable (A/P)", Decimal(0), Decimal("267.00")),
    ]  # fmt: skip
    billed = OrderHistory({"1": Decimal(6)}, frozenset({"V-1"}), freight=Decimal("15.00"))
    second = planned(replace(bought, part="V-2"), lists(history={("411", "V-2"): billed}), RECEIPTS)
    assert rows(second) == [
        ("Purchases", Decimal("168.00"), Decimal(0)), ("Accounts Payable (A/P)", Decimal(0), Decimal("168.00")),
    ]  # fmt: skip
    assert first.draft is not None
    assert second.draft is not None
    assert (first.draft.number, first.draft.date, second.draft.number) == ("V-1", dt.date(2026, 11, 16), "V-2")


def test_an_order_billed_on_receipt_waits_for_goods() -> None:
    plan = planned(order(line()), settings=RECEIPTS)
    assert (codes(plan), plan.turn) == (["waits_for_receipt"], Turn.WAIT)


def test_a_part_that_was_taken_back_is_set_aside() -> None:
    taken = order(line("1", 10, "42", receipt(6, "V-1"), receipt(-6, "V-1", 17)), part="V-1")
    assert codes(planned(taken, settings=RECEIPTS)) == ["part_taken_back"]


def test_billed_never_exceeds_received() -> None:
    back = order(line("1", 10, "42", receipt(6, "V-1"), receipt(4, "V-2", 17), receipt(-3, None, 18)), part="V-2")
    history = {("411", "V-2"): OrderHistory({"1": Decimal(8)}, frozenset({"V-1"}))}
    assert codes(planned(back, lists(history=history), RECEIPTS)) == ["billed_above_received"]


def test_freight_by_value_adds_up_to_the_whole() -> None:
    settings = replace(RECEIPTS, freight=Freight.BY_VALUE)
    bought = order(line("1", 3, "10", receipt(1, "A"), receipt(1, "B", 17), receipt(1, "C", 18)), freight=Decimal("10"))
    booked, billed, parts = Decimal(0), Decimal(0), frozenset[str]()
    for key in ("A", "B", "C"):
        history = {("411", key): OrderHistory({"1": billed}, parts, freight=booked)}
        draft = planned(replace(bought, part=key), lists(history=history), settings).draft
        assert draft is not None
        booked += sum((each.amount for each in draft.lines if each.item.kind == "account"), Decimal(0))
        billed, parts = billed + 1, parts | {key}
    assert booked == Decimal("10.00")


def test_a_bill_is_linked_to_our_order_and_never_dated_before_it() -> None:
    ours = LedgerOrder("257", dt.date(2026, 11, 20), {"1": "7"})
    bought = order(line("1", 10, "42", receipt(6, "V-1")), part="V-1")
    settings = replace(SETTINGS, becomes=Becomes.ORDER_AND_BILLS)
    draft = planned(bought, lists(history={("411", "V-1"): OrderHistory(order=ours)}), settings).draft
    assert draft is not None
    assert draft.lines[0].ordered == OrderedLine("257", "7")
    assert draft.date == dt.date(2026, 11, 20)
    assert draft.notes


# ---- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "chosen", "number"),
    [("SUP-1", VendorNumber.ORDER, "SUP-1"), (None, VendorNumber.ORDER, "PO-1203"), (None, VendorNumber.NONE, None)],
)
def test_a_bill_has_the_vendors_number_else_the_orders_else_none(
    theirs: str | None, chosen: VendorNumber, number: str | None
) -> None:
    draft = planned(order(line(), vendor_invoice=theirs), settings=replace(SETTINGS, bill_number=chosen)).draft
    assert draft is not None
    assert draft.number == number
    assert "PO-1203" in draft.memo


def test_unnumbered_bills_of_one_order_are_told_apart() -> None:
    bought = order(line("1", 10, "42", receipt(6), receipt(4, None, 17)))
    numbers = []
    for part in parts_of(bought):
        draft = planned(replace(bought, part=part.key), settings=RECEIPTS).draft
        assert draft is not None
        numbers.append(draft.number)
    assert numbers == ["PO-1203", "PO-1203-2"]


def test_an_order_is_numbered_by_the_side_that_was_chosen_and_the_ledger_must_agree() -> None:
    assert planned(order(line()), settings=ORDERS).draft.number is None  # type: ignore[union-attr]
    own = replace(ORDERS, numbers=OrderNumbers.SOURCE)
    assert codes(planned(order(line()), settings=own)) == ["order_numbering_contradicted"]
    draft = planned(order(line()), settings=own, facts=replace(FACTS, own_order_numbers=True)).draft
    assert draft is not None
    assert draft.number == "PO-1203"


# ---- every bad input has its reason ---------------------------------------------------------------------------

SWITCH = {"type": "NonInventory", "expense_account_id": "81"}
KEPT_IN_EUR = Entry("V1", VENDOR.name, True, {"currency": "EUR"})
EUROS = Party("41", VENDOR.name, currency="EUR")
ALIKE = Entry("V1", "Northwind-Supplies Ltd", True)
STOPS = replace(SETTINGS, missing_item=MissingItem.HOLD)
CLOSED_AP = Entry("33", "AP", False, {"type": "Accounts Payable"})


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("no_vendor", lambda: planned(order(line(), party_id=None))),
        ("vendor_unreadable", lambda: planned(order(line(), party_id="99"))),
        ("vendor_inactive", lambda: planned(order(line()), lists(vendors=(Entry("V1", VENDOR.name, False),)))),
        ("vendor_similar", lambda: planned(order(line()), lists(vendors=(ALIKE,)))),
        ("vendor_twice_in_source", lambda: planned(order(line()), lists(twins=frozenset({"northwind supplies"})))),
        ("vendor_twice_in_ledger", lambda: planned(
            order(line()), lists(vendors=(Entry("V1", VENDOR.name, True), Entry("V2", VENDOR.name, True))))),
        ("vendor_link_gone", lambda: planned(order(line()), lists(links={("vendor", "41"): "V9"}))),
        ("vendor_currency", lambda: planned(
            order(line()), lists(vendors=(Entry("V1", VENDOR.name, True, {"currency": "USD"}),), party=EUROS,
                                 catalog=Catalog(multi_currency=True)), facts=SEVERAL)),
        ("vendor_rate_one", lambda: planned(order(line()), lists(vendors=(KEPT_IN_EUR,)), facts=SEVERAL)),
        ("orders_need_currencies", lambda: planned(order(line()), lists(catalog=Catalog(multi_currency=True)))),
        ("order_line_nameless", lambda: planned(order(line(name="", goods=None)))),
        ("order_item_missing", lambda: planned(order(line()), settings=STOPS)),
        ("no_expense_account", lambda: planned(order(line()), settings=replace(SETTINGS, created_item_account=None))),
        ("item_not_purchasable", lambda: planned(
            order(line()), lists(items=(Entry("38", "Switch 24p", True, {"type": "Service"}),)))),
        ("item_inactive", lambda: planned(order(line()), lists(items=(Entry("38", "Switch 24p", False, SWITCH),)))),
        ("item_unusable", lambda: planned(
            order(line()), lists(items=(Entry("38", "Switch 24p", True, {"type": "Category"}),)))),
        ("order_of_nothing", lambda: planned(order(line("1", 0)))),
        ("order_empty", lambda: planned(order())),
        ("order_zero", lambda: planned(order(line("1", 5, "0")))),
        ("order_negative", lambda: planned(order(line("1", 1, "42"), line("2", -3, "42", name="Cable")))),
        ("order_negative", lambda: planned(order(line("1", 1, "-5")), settings=ORDERS)),
        ("order_cancelled", lambda: planned(order(line(), status=OrderStatus.CANCELLED))),
        ("order_not_submitted", lambda: planned(order(line(), status=OrderStatus.NEW))),
        ("payable_missing", lambda: planned(order(line()), settings=replace(SETTINGS, payable=None))),
        ("account_gone", lambda: planned(order(line()), settings=replace(SETTINGS, payable="77"))),
        ("account_unfit", lambda: planned(order(line()), settings=replace(SETTINGS, payable="81"))),
        ("account_inactive", lambda: planned(
            order(line()), lists(accounts={**accounts(), "33": CLOSED_AP}))),
        ("freight_account_missing", lambda: planned(
            order(line(), freight=Decimal(15)), settings=replace(SETTINGS, freight_account=None))),
        ("purchase_code_missing", lambda: planned(order(line()), facts=ABROAD)),
        ("purchase_code_unfit", lambda: planned(
            order(line()), lists(tax_codes={"5": Entry("5", "20.0% S", True, {"purchases": False})}),
            replace(SETTINGS, tax_code="5"), ABROAD)),
        ("no_purchase_orders", lambda: planned(
            order(line()), settings=ORDERS, facts=replace(FACTS, purchase_orders=False))),
        ("no_bills", lambda: planned(order(line()), facts=replace(FACTS, bills=False))),
        ("order_number_too_long", lambda: planned(order(line(), vendor_invoice="N" * 22))),
        ("closed_period", lambda: planned(order(line()), facts=replace(FACTS, closed_through=dt.date(2026, 11, 30)))),
        ("bought_for_unknown", lambda: planned(
            order(line(), customer_id="90"), settings=replace(SETTINGS, billable=True),
            facts=replace(FACTS, purchases_by_customer=True))),
    ],
)  # fmt: skip
def test_a_bad_input_has_its_own_reason(code: str, make: Callable[[], Plan]) -> None:
    plan = make()
    assert code in codes(plan)
    assert plan.draft is None
    assert all("–" not in why.sentence() for why in plan.reasons)


def test_all_reasons_are_told_at_once() -> None:
    plan = planned(order(line(), party_id=None), settings=replace(SETTINGS, payable=None, created_item_account=None))
    assert codes(plan) == ["no_vendor", "no_expense_account", "payable_missing"]


# ---- what goes through ---------------------------------------------------------------------------------------


def test_what_is_sent_back_beside_what_is_bought_comes_off_the_bill() -> None:
    draft = planned(order(line("1", 3, "42"), line("2", -1, "42", name="Cable"))).draft
    assert draft is not None
    assert ([each.amount for each in draft.lines], draft.total) == ([Decimal(126), Decimal(-42)], Decimal(84))


def test_a_vendor_called_like_a_customer_gets_the_suffix_and_the_preview_says_so() -> None:
    plan = planned(order(line()), lists(customers=(Entry("C1", VENDOR.name, True),)))
    made = next(each for each in plan.creations if isinstance(each, PartyDraft))
    assert (made.kind, made.name, made.company_name) == ("vendor", "Northwind Supplies (V)", "Northwind Supplies")
    assert plan.draft is not None
    assert any("(V)" in note for note in plan.draft.notes)


def test_the_suffixed_vendor_is_found_the_next_time() -> None:
    known = lists(customers=(Entry("C1", VENDOR.name, True),), vendors=(Entry("V1", "Northwind Supplies (V)", True),))
    plan = planned(order(line()), known)
    assert plan.draft is not None
    assert plan.draft.party.ledger_id == "V1"


def test_a_created_item_is_bought_on_the_chosen_account() -> None:
    made = next(each for each in planned(order(line())).creations if isinstance(each, ItemDraft))
    assert (made.bought, made.name, made.account.ledger_id, made.sku) == (True, "Switch 24p", "81", "SKU-1")


def test_a_product_without_a_code_is_told_by_its_name() -> None:
    bare = line()
    assert bare.goods is not None
    plan = planned(order(replace(bare, goods=replace(bare.goods, code=None, product_id=None))))
    assert [each.name for each in plan.creations if isinstance(each, ItemDraft)] == ["Switch 24p"]


def test_stock_that_will_rise_is_said() -> None:
    stocked = Entry("38", "Switch 24p", True, {"type": "Inventory"})
    draft = planned(order(line()), lists(items=(stocked,))).draft
    assert draft is not None
    assert any("quantity will rise" in note for note in draft.notes)


def test_a_line_of_quantity_0_beside_others_is_left_out_and_said() -> None:
    draft = planned(order(line("1", 2), line("2", 0, name="Cable"))).draft
    assert draft is not None
    assert [each.quantity for each in draft.lines] == [Decimal(2)]
    assert any("quantity 0" in note for note in draft.notes)


def test_a_cost_with_five_decimals_gives_the_rounded_amount() -> None:
    draft = planned(order(line("1", 3, "1.23456"))).draft
    assert draft is not None
    assert (draft.total, draft.lines[0].quantity, draft.lines[0].unit_price) == (
        Decimal("3.70"), Decimal(3), Decimal("1.23456")
    )  # fmt: skip


def test_an_order_of_300_lines_keeps_them_all() -> None:
    draft = planned(order(*(line(str(n), 1, "1.11", name=f"Part {n}") for n in range(300)))).draft
    assert draft is not None
    assert (len(draft.lines), draft.total) == (300, Decimal("333.00"))


def test_a_confirmed_vendor_is_booked_in_its_currency_at_a_rate_of_1() -> None:
    settings = replace(SETTINGS, vendors=(VendorRule("41", home_currency_confirmed=True),))
    draft = planned(order(line()), lists(vendors=(KEPT_IN_EUR,)), settings, SEVERAL).draft
    assert draft is not None
    assert (draft.currency, draft.rate, draft.foreign) == ("EUR", Decimal(1), True)


def test_a_foreign_order_takes_the_payable_account_of_its_currency() -> None:
    euros = Entry("34", "Accounts Payable (A/P) - EUR", True, {"type": "Accounts Payable", "currency": "EUR"})
    known = lists(
        vendors=(KEPT_IN_EUR,), party=EUROS, catalog=Catalog(multi_currency=True), accounts={**accounts(), "34": euros}
    )
    draft = planned(order(line()), known, facts=SEVERAL).draft
    assert draft is not None
    assert draft.payable is not None
    assert (draft.payable.ledger_id, draft.currency, draft.rate) == ("34", "EUR", None)


def test_for_a_new_foreign_vendor_a_bill_needs_no_payable_account_of_its_currency_and_an_order_does() -> None:
    """QuickBooks makes that account with the first bill; a purchase order must name one that is there."""
    known = lists(party=EUROS, catalog=Catalog(multi_currency=True))
    bill = planned(order(line()), known, facts=SEVERAL)
    assert bill.draft is not None
    assert (bill.draft.payable, bill.draft.currency) == (None, "EUR")
    made = [(each.kind, each.currency) for each in bill.creations if isinstance(each, PartyDraft)]
    assert made == [("vendor", "EUR")]
    whole = planned(order(line()), known, ORDERS, SEVERAL)
    assert codes(whole) == ["payable_currency"] and "EUR" in whole.reasons[0].sentence()


def test_abroad_each_line_has_the_vendors_or_the_companys_purchase_code() -> None:
    tax_codes = {"5": Entry("5", "20.0% P", True, {}), "6": Entry("6", "No VAT", True, {})}
    settings = replace(SETTINGS, tax_code="5", vendors=(VendorRule("41", tax_code="6"),))
    draft = planned(order(line(), freight=Decimal(5)), lists(tax_codes=tax_codes), settings, ABROAD).draft
    assert draft is not None
    assert [each.tax_code.ledger_id for each in draft.lines if each.tax_code] == ["6", "6"]
    assert (draft.tax_total, draft.send_tax) == (Decimal(0), False)


def test_class_location_terms_and_customer_stand_where_they_were_chosen() -> None:
    settings = replace(SETTINGS, order_class="7", location="8", term="9")
    terms = {"net 15": (Entry("9", "Net 15", True, {"days": "15"}),)}
    known = lists(
        customers=(Entry("C9", "Harbor Point", True),), classes={"7": Entry("7", "Hardware", True)},
        locations={"8": Entry("8", "North", True)}, terms_by_name=terms,
    )  # fmt: skip
    draft = planned(
        order(line(), customer_id="90"), known, settings, replace(FACTS, purchases_by_customer=True)
    ).draft
    assert draft is not None
    first = draft.lines[0]
    assert [each.ledger_id for each in (first.tracked, first.customer, draft.location, draft.term) if each] == [
        "7", "C9", "8", "9"
    ]  # fmt: skip
    assert not first.billable


def test_a_bill_in_a_closed_period_goes_on_the_first_open_day_when_that_was_chosen() -> None:
    settings = replace(SETTINGS, closed_period=ClosedPeriod.OPEN_DAY)
    draft = planned(order(line()), settings=settings, facts=replace(FACTS, closed_through=dt.date(2026, 11, 30))).draft
    assert draft is not None
    assert (draft.date, draft.moved_from) == (dt.date(2026, 12, 1), dt.date(2026, 11, 13))
    assert "13 November 2026" in draft.memo


@pytest.mark.parametrize(("rate", "currency", "shown"), [
    ("42", "USD", "42.00"), ("1234.5", "USD", "1,234.50"), ("1.23456", "USD", "1.23456"), ("100", "JPY", "100"),
    ("-3", "EUR", "\N{MINUS SIGN}3.00"), ("0.1", "KWD", "0.100"), ("1E+3", "USD", "1,000.00"),
])  # fmt: skip
def test_a_cost_is_written_as_money_with_all_the_decimals_it_has(rate: str, currency: str, shown: str) -> None:
    assert format_rate(Decimal(rate), currency) == shown


# ---- properties ---------------------------------------------------------------------------------------------

COSTS = st.integers(0, 10**8).map(lambda n: Decimal(n) / 10**5)


@st.composite
def received_orders(draw: st.DrawFn) -> Any:
    """Orders received in any number of portions, under any numbers, a few of them taken back."""
    made = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        portions = draw(st.lists(st.tuples(
            st.integers(1, 20), st.sampled_from((None, "V-1", "V-2", "V-3")), st.integers(14, 20)), max_size=4))
        receipts = [receipt(count, key, day, f"{number}/{n}") for n, (count, key, day) in enumerate(portions)]
        total = sum(count for count, _, _ in portions)
        if total and draw(st.booleans()):
            receipts.append(receipt(-draw(st.integers(1, total)), None, 21, f"{number}/back"))
        made.append(line(str(number), draw(st.integers(1, 80)), str(draw(COSTS)), *receipts, name=f"Part {number}"))
    return order(*made, freight=draw(st.sampled_from((Decimal(0), Decimal("15"), Decimal("7.77")))))


@given(received_orders())
def test_parts_share_out_exactly_what_is_received(document: Any) -> None:
    parts = parts_of(document)
    assert len({part.key for part in parts}) == len(parts)
    for each in document.lines:
        shared = sum((part.quantities.get(each.id, Decimal(0)) for part in parts), Decimal(0))
        assert shared == each.goods.received
        assert all(part.quantities.get(each.id, Decimal(1)) > 0 for part in parts)


@given(received_orders(), st.sampled_from(Freight))
def test_the_bills_of_an_order_never_exceed_it_and_book_the_freight_once(document: Any, freight: Freight) -> None:
    assume(order_total(document) > 0)
    settings = replace(RECEIPTS, freight=freight)
    billed: dict[str, Decimal] = {}
    booked, done = Decimal(0), frozenset[str]()
    for part in parts_of(document):
        history = {("411", part.key): OrderHistory(dict(billed), done, freight=booked)}
        draft = planned(replace(document, part=part.key), lists(history=history), settings).draft
        assert draft is not None
        booked += sum((each.amount for each in draft.lines if each.item.kind == "account"), Decimal(0))
        for key, count in part.quantities.items():
            billed[key] = billed.get(key, Decimal(0)) + count
        done |= {part.key}
    assert booked <= document.header.order.freight
    assert freight is Freight.BY_VALUE or not done or booked == document.header.order.freight
    assert all(billed.get(each.id, Decimal(0)) <= each.goods.received for each in document.lines)


@given(st.lists(st.tuples(st.integers(1, 500), COSTS), min_size=1, max_size=6), st.sampled_from(("USD", "JPY", "KWD")))
def test_a_bill_at_once_is_the_order_to_half_a_unit_per_line(pairs: Any, currency: str) -> None:
    bought = order(*(line(str(n), count, str(cost), name=f"Part {n}") for n, (count, cost) in enumerate(pairs)))
    plan = planned(bought, facts=replace(FACTS, currency=currency))
    if plan.draft is None:
        assert codes(plan) == ["order_zero"]
        return
    unit = {"USD": Decimal("0.005"), "JPY": Decimal("0.5"), "KWD": Decimal("0.0005")}[currency]
    assert abs(plan.draft.total - order_total(bought)) <= unit * len(pairs)
    assert plan == planned(bought, facts=replace(FACTS, currency=currency))


def test_settings_find_the_rule_of_a_vendor() -> None:
    rule = VendorRule("41", becomes=Becomes.ORDER)
    assert OrderSettings(vendors=(rule,)).rule("41") == rule
    assert OrderSettings(vendors=(rule,)).rule("42") is None
