"""What both sides' currencies allow, and whose exchange rate goes along."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.currencies import in_words
from domain.customers import CREATE_NEW
from domain.documents import Party, SourceLine
from domain.known import Facts
from domain.plan import Plan, plan
from domain.settings import RateSource
from tests.domain.test_placing import CHOSEN, FACTS, LISTS, document, line

MANY = replace(FACTS, multi_currency=True)


def planned(
    party_currency: str | None, facts: Facts, home: str | None, several: bool, remembered: str = "",
    rate: RateSource = RateSource.LEDGER, made: SourceLine | None = None,
) -> Plan:
    catalog = replace(LISTS.catalog, home_currency=home, multi_currency=several)
    party = Party("175", "Harbor Point", currency=party_currency)
    lists = replace(LISTS, parties={"175": party}, customers_by_name={}, customers={}, catalog=catalog,
                    links={("customer", "175"): CREATE_NEW}, currencies=remembered)
    one = made or line(1, Decimal("10.00"))
    settings = replace(CHOSEN, rate_source=rate)
    return plan(document((one,), one.extended_price), settings, lists, facts, marker="ref:ABCD1234")


@pytest.mark.parametrize(
    ("currency", "facts", "home", "several", "remembered", "reasons"),
    [
        (None, FACTS, None, False, "", []),
        (None, FACTS, "USD", False, "", []),
        (None, FACTS, "GBP", False, "", ["home_currencies_differ"]),
        (None, MANY, "GBP", False, "GBP/USD+", ["home_currencies_differ"]),
        (None, MANY, "USD", False, "", ["currency_assumed"]),
        (None, MANY, "USD", False, "USD/USD+", []),
        ("USD", FACTS, "USD", True, "", []),
        ("EUR", FACTS, "USD", True, "", ["foreign_currency"]),
        ("EUR", MANY, "USD", True, "", []),
        ("EUR", MANY, "GBP", True, "GBP+/USD+", []),
        (None, MANY, "USD", False, "USD/USD", ["currencies_switched"]),
        ("EUR", MANY, "USD", True, "USD/USD+", ["currencies_switched"]),
    ],
)  # fmt: skip
def test_the_four_cases_of_two_sides_and_what_changes_in_mid_life(
    currency: str | None, facts: Facts, home: str | None, several: bool, remembered: str, reasons: list[str]
) -> None:
    assert [why.code for why in planned(currency, facts, home, several, remembered).reasons] == reasons


@pytest.mark.parametrize(
    ("currency", "home", "source_home", "choice", "rate"),
    [
        ("EUR", "1080", "USD", RateSource.LEDGER, None),
        ("EUR", "1080", "USD", RateSource.SOURCE, Decimal("1.08")),
        ("EUR", "1080", "GBP", RateSource.SOURCE, None),
        ("EUR", "1000", "USD", RateSource.SOURCE, None),
        ("EUR", "0", "USD", RateSource.SOURCE, None),
        ("EUR", None, "USD", RateSource.SOURCE, None),
        ("USD", "1080", "USD", RateSource.SOURCE, None),
        ("JPY", "6.61", "USD", RateSource.SOURCE, Decimal("0.00661")),
    ],
)
def test_a_rate_is_sent_only_when_chosen_and_never_0_or_1(
    currency: str, home: str | None, source_home: str, choice: RateSource, rate: Decimal | None
) -> None:
    made = replace(line(1, Decimal("1000")), home_price=None if home is None else Decimal(home))
    draft = planned(currency, MANY, source_home, several=True, rate=choice, made=made).draft
    assert draft is not None
    assert (draft.rate, draft.foreign, draft.total) == (rate, currency != "USD", Decimal("1000"))
    assert (rate is None) or any("rate goes along" in note for note in draft.notes)


def test_a_remembered_pair_is_told_in_words() -> None:
    assert in_words("USD+/GBP") == "Autotask: USD and others, ledger: GBP only"
