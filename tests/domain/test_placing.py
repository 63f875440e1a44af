"""Where lines go: the table's most particular row, prepaid work never to income unasked, joined lines to the cent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.documents import SourceLine
from domain.known import Entry, Lists
from domain.line_kinds import LONG_SERVICES, LineKind, kind_of
from domain.plan import Plan, plan
from domain.settings import InvoiceSettings, LineDetail, LineRule
from tests.domain.test_rounding import CHOSEN, FACTS, LISTS, document, line

UNEARNED = Entry("24", "Unearned Revenue", True, {"type": "Other Current Liability"})
LABOUR = Entry("60", "LAB", True, {"type": "Service", "income_account_id": "9"})
KNOWN = replace(
    LISTS, accounts={**LISTS.accounts, "24": UNEARNED}, items={"60": LABOUR}, items_by_name={"lab": (LABOUR,)}
)  # fmt: skip


def planned(*lines: SourceLine, rules: tuple[LineRule, ...] = (), lists: Lists = KNOWN, **changes: object) -> Plan:
    chosen: InvoiceSettings = replace(CHOSEN, line_map=rules, **changes)  # type: ignore[arg-type]
    total = sum((each.extended_price for each in lines), Decimal(0))
    return plan(document(lines, total), chosen, lists, FACTS, marker="ref:ABCD1234")


def booked(found: Plan) -> list[tuple[str, str, Decimal]]:
    assert found.draft is not None, [why.sentence() for why in found.reasons]
    return [(e.item.name, e.account.name if e.account else "", e.amount) for e in found.draft.lines]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Labor", LineKind.LABOUR), ("Ticket Cost", LineKind.CHARGES), ("Contract Charge", LineKind.CHARGES),
        ("Recurring Service Bundle Adjustment", LineKind.SERVICES), ("Contract Block", LineKind.BLOCKS),
        ("Contract Retainer", LineKind.RETAINERS), ("Contract Incident", LineKind.TICKETS), ("Odd", None),
        ("Setup Fee", LineKind.SETUP_FEES), ("Milestone", LineKind.MILESTONES), ("Expense", LineKind.EXPENSES),
    ],
)  # fmt: skip
def test_the_sources_words_are_read_as_the_ten_kinds(word: str, kind: LineKind | None) -> None:
    assert kind_of(word) is kind


def test_a_block_purchase_waits_until_somebody_chose_and_then_goes_to_the_liability() -> None:
    block = replace(line(1, Decimal("1500.00"), Decimal(10)), line_type="Contract Block")
    assert [why.code for why in planned(block).reasons] == ["prepaid_account"]
    rule = LineRule("", "Block Purchases", account="24")
    found = planned(block, line(2, Decimal("200.00")), rules=(rule,))
    assert booked(found) == [
        ("Unearned Revenue", "Unearned Revenue", Decimal("1500.00")), ("LAB", "Sales", Decimal("200.00")),
    ]  # fmt: skip
    assert [made.name for made in found.creations] == ["Harbor Point", "Unearned Revenue"]
    said_income = planned(block, rules=(LineRule("1", "", account="9"),))
    assert booked(said_income) == [("LAB", "Sales", Decimal("1500.00"))]


def service(months: int | None, amount: str = "1200.00") -> SourceLine:
    return replace(line(1, Decimal(amount)), line_type="Recurring Services", months=months)


def test_a_service_billed_for_a_year_waits_until_its_own_row_chose_an_account() -> None:
    deferred = LineRule("", LONG_SERVICES, account="24")
    assert [why.code for why in planned(service(12)).reasons] == ["long_service_account"]
    for other in (LineRule("1", "", account="9"), LineRule("", "Services/Bundles", account="9")):
        assert [why.code for why in planned(service(12), rules=(other,)).reasons] == ["long_service_account"]
        found = planned(service(12), rules=(other, deferred))
        assert booked(found) == [("Unearned Revenue", "Unearned Revenue", Decimal("1200.00"))]
    assert found.draft is not None and found.draft.lines[0].text == "Support (billed for 12 months)"
    assert any("revenue is not spread" in note for note in found.draft.notes)
    said_income = planned(service(12), rules=(LineRule("1", LONG_SERVICES, account="9"), deferred))
    assert booked(said_income) == [("LAB", "Sales", Decimal("1200.00"))]


def test_a_month_is_no_longer_period_and_settings_say_what_is() -> None:
    for months, longest in ((None, 1), (1, 1), (3, 3)):
        found = planned(service(months), long_service_months=longest)
        assert booked(found) == [("LAB", "Sales", Decimal("1200.00"))]
        assert found.draft is not None and found.draft.lines[0].text == "Support"
    assert planned(service(3), long_service_months=1).draft is None


def test_the_most_particular_row_wins() -> None:
    rules = (LineRule("", "Labor", account="24"), LineRule("1", "", account="24"), LineRule("1", "Labor", item="60"))
    assert booked(planned(line(1, Decimal("10.00")), rules=rules)) == [("LAB", "Sales", Decimal("10.00"))]
    assert booked(planned(line(1, Decimal("10.00")), rules=rules[:2]))[0][1] == "Unearned Revenue"


@pytest.mark.parametrize(
    ("rule", "entries", "code"),
    [
        (LineRule("1", "", item="77"), {}, "mapped_item_gone"),
        (LineRule("1", "", item="60"), {"items": {"60": replace(LABOUR, active=False)}}, "item_inactive"),
        (LineRule("1", "", account="25"), {}, "account_gone"),
        (LineRule("1", "", account="24"), {"accounts": {"24": replace(UNEARNED, active=False)}}, "account_inactive"),
        (LineRule("1", "", account="24"), {"accounts": {"24": replace(UNEARNED, details={"type": "Bank"})}},
         "account_unfit"),
    ],
)  # fmt: skip
def test_what_was_changed_in_the_ledger_after_saving_is_a_reason_of_its_own(
    rule: LineRule, entries: dict[str, dict[str, Entry]], code: str
) -> None:
    lists = replace(KNOWN, **{name: {**getattr(KNOWN, name), **found} for name, found in entries.items()})
    assert [why.code for why in planned(line(1, Decimal("10.00")), rules=(rule,), lists=lists).reasons] == [code]


def test_lines_on_the_account_for_created_items_are_counted_unless_a_row_chose_it() -> None:
    found = planned(line(1, Decimal("10.00")), line(2, Decimal("5.00")))
    assert found.draft is not None and found.draft.default_lines == 2
    chosen = planned(line(1, Decimal("10.00")), rules=(LineRule("1", "", account="9"),))
    assert chosen.draft is not None and chosen.draft.default_lines == 0


def test_joined_lines_are_added_before_they_are_rounded() -> None:
    lines = tuple(line(n, Decimal(amount)) for n, amount in enumerate(("160.6122", "160.6122", "160.6121")))
    total = Decimal("481.84")
    for detail, count in ((LineDetail.EVERY, 4), (LineDetail.ITEM, 1), (LineDetail.DOCUMENT, 1)):
        chosen = replace(CHOSEN, line_detail=detail)
        found = plan(document(lines, total), chosen, KNOWN, FACTS, marker="ref:ABCD1234")
        assert found.draft is not None and len(found.draft.lines) == count
        assert found.draft.total == total and bool(found.draft.rounded) is (detail is LineDetail.EVERY)
        assert {each.id for each in found.document.lines} == {"L0", "L1", "L2"}


def test_only_what_is_printed_as_one_line_is_joined_and_taxed_stays_apart() -> None:
    one, two, three, four = (line(n, Decimal("10.00")) for n in range(4))
    printed = (
        replace(one, group_id="7", group_text="Support in May"),
        replace(two, group_id="7", group_text="Support in May"),
        replace(three, group_id="8"), replace(four, group_id="7", tax=Decimal("1.00")),
    )  # fmt: skip
    source = document(printed, Decimal("41.00"))
    source = replace(source, header=replace(source.header, tax_total=Decimal("1.00")))
    chosen = replace(CHOSEN, line_detail=LineDetail.PRINTED)
    draft = plan(source, chosen, KNOWN, FACTS, marker="ref:ABCD1234").draft
    assert draft is not None
    assert [(e.text, e.amount, e.taxed) for e in draft.lines] == [
        ("Support in May", Decimal("20.00"), False), ("Support", Decimal("10.00"), False),
        ("Support", Decimal("10.00"), True),
    ]  # fmt: skip
