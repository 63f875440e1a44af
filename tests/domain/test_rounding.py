"""The total of a draft is the source's to the smallest unit of its currency, or the document waits and says why."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.documents import Catalog, Code, Party, SourceDocument, SourceHeader, SourceLine
from domain.known import Entry, Facts, Lists
from domain.money import round_money, smallest_unit
from domain.plan import Plan, plan
from domain.settings import InvoiceSettings, MissingItem, PennyPolicy, ZeroTotal
from domain.taxes import TaxModel
from tests.domain import strategies as some

SALES = Entry("9", "Sales", True, {"type": "Income"})
ROUNDING = Entry("90", "Rounding", True, {"type": "Other Income"})
CHOSEN = InvoiceSettings(
    start_date=dt.date(2026, 1, 1), missing_item=MissingItem.CREATE, created_item_account="9",
    zero_total=ZeroTotal.POST, rounding_account="90",
)  # fmt: skip
FACTS = Facts(
    ledger="QuickBooks", currency="USD", country="US", multi_currency=False, tax_model=TaxModel.EXPLICIT_TOTAL,
    own_numbers=True, closed_through=None, latin1_only=False, number_length=21, party_name_length=500,
    item_name_length=100, line_text_length=4000, quantity_decimals=5, taxed_lines=750,
)  # fmt: skip
LISTS = Lists(
    parties={"175": Party("175", "Harbor Point")}, catalog=Catalog({"1": Code("1", "Labour", "LAB")}),
    accounts={"9": SALES, "90": ROUNDING},
)  # fmt: skip


def line(number: int, amount: Decimal, quantity: Decimal = Decimal(1)) -> SourceLine:
    rate = (amount / quantity).quantize(Decimal("0.000001")) if quantity else amount
    return SourceLine(f"L{number}", "Labor", "Support", "Support", quantity, rate, amount, Decimal(0), "1")


def document(lines: tuple[SourceLine, ...], total: Decimal) -> SourceDocument:
    header = SourceHeader(
        "invoice", "1", "AT-1", "175", dt.date(2026, 11, 13), some.CREATED, dt.date(2026, 12, 13), total, Decimal(0)
    )  # fmt: skip
    return SourceDocument(header, lines)


def planned(*amounts: str, total: str, chosen: InvoiceSettings = CHOSEN, lists: Lists = LISTS) -> Plan:
    lines = tuple(line(n, Decimal(amount)) for n, amount in enumerate(amounts))
    return plan(document(lines, Decimal(total)), chosen, lists, FACTS, marker="ref:ABCD1234")


@settings(max_examples=150)
@given(
    st.lists(st.tuples(some.fine, some.quantities), min_size=1, max_size=400),
    st.sampled_from(("USD", "JPY", "KWD")), st.integers(-3, 3),
)  # fmt: skip
def test_the_drafts_total_is_the_sources_or_it_waits(
    items: list[tuple[Decimal, Decimal]], currency: str, off: int
) -> None:
    lines = tuple(line(n, amount, quantity) for n, (amount, quantity) in enumerate(items))
    exact = sum((amount for amount, _ in items), Decimal(0))
    total = round_money(exact, currency) + off * smallest_unit(currency)
    found = plan(document(lines, total), CHOSEN, LISTS, replace(FACTS, currency=currency), marker="ref:ABCD1234")
    if found.draft is None:
        assert {why.code for why in found.reasons} <= {"source_mismatch", "remainder"}
        return
    sign = -1 if total < 0 else 1
    draft = found.draft
    assert draft.total == total * sign == sum((each.amount for each in draft.lines), Decimal(0))
    assert abs(draft.rounded) <= smallest_unit(currency) / 2 * len(lines)
    assert len(draft.lines) == len(lines) + bool(draft.rounded)
    assert all(round_money(e.quantity * e.unit_price, currency) == e.amount for e in draft.lines)


def test_labour_at_four_decimals_gets_a_rounding_line_on_an_item_of_its_own() -> None:
    found = planned("160.6122", "160.6122", "160.6121", total="481.84")
    assert found.draft is not None
    last = found.draft.lines[-1]
    assert (last.amount, last.item.name, last.taxed) == (Decimal("0.01"), "Rounding", False)
    assert last.account is not None and last.account.ledger_id == "90"
    assert [made.name for made in found.creations if made.key == last.item.key] == ["Rounding"]


@pytest.mark.parametrize(
    ("changes", "accounts", "code"),
    [
        ({"rounding_account": None}, {}, "rounding_account_missing"),
        ({"penny_policy": PennyPolicy.STOP}, {}, "remainder_stops"),
        ({"rounding_account": "91"}, {}, "account_gone"),
        ({}, {"90": replace(ROUNDING, active=False)}, "account_inactive"),
        ({}, {"90": replace(ROUNDING, details={"type": "Expense"})}, "account_unfit"),
    ],
)  # fmt: skip
def test_without_a_usable_account_it_waits_with_its_own_reason(
    changes: dict[str, object], accounts: dict[str, Entry], code: str
) -> None:
    lists = replace(LISTS, accounts={**LISTS.accounts, **accounts})
    found = planned("160.6122", "160.6122", "160.6121", total="481.84", chosen=replace(CHOSEN, **changes), lists=lists)
    assert [why.code for why in found.reasons] == [code]
    assert planned("1.00", total="1.00", chosen=replace(CHOSEN, **changes), lists=lists).draft is not None


def test_an_item_of_that_name_on_another_account_is_left_alone() -> None:
    other = Entry("60", "Rounding", True, {"type": "Service", "income_account_id": "9"})
    lists = replace(LISTS, items={"60": other}, items_by_name={"rounding": (other,)})
    found = planned("160.6122", "160.6122", "160.6121", total="481.84", lists=lists)
    assert found.draft is not None and found.draft.lines[-1].item.name == "Rounding (Rounding)"
    right = Entry("61", "Rounding", True, {"type": "Service", "income_account_id": "90"})
    lists = replace(LISTS, items={"61": right}, items_by_name={"rounding": (right,)})
    found = planned("160.6122", "160.6122", "160.6121", total="481.84", lists=lists)
    assert found.draft is not None and found.draft.lines[-1].item.ledger_id == "61"
