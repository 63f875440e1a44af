"""A customer's currency is for life: the twin in the right one is linked or created with its currency in the name."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.customers import CREATE_NEW
from domain.documents import Party, PartyDraft
from domain.known import Entry, Facts
from domain.matching import fold, loose
from domain.plan import Plan, plan
from tests.domain.test_rounding import CHOSEN, FACTS, LISTS, document, line

DOLLARS = Entry("50", "Harbor Point", True, {"currency": "USD"})
BOTH = replace(FACTS, multi_currency=True)


def planned(currency: str | None, link: str | None = None, facts: Facts = BOTH) -> Plan:
    lists = replace(
        LISTS, parties={"175": Party("175", "Harbor Point", currency=currency)}, customers={"50": DOLLARS},
        customers_by_name={"harbor point": (DOLLARS,)}, links={("customer", "175"): link} if link else {},
    )  # fmt: skip
    return plan(document((line(1, Decimal("10.00")),), Decimal("10.00")), CHOSEN, lists, facts, marker="ref:ABCD1234")


@pytest.mark.parametrize(
    ("currency", "facts", "reasons"),
    [
        ("USD", BOTH, []), ("EUR", BOTH, ["customer_currency"]), (None, BOTH, []), ("USD", FACTS, []),
        ("EUR", FACTS, ["foreign_currency"]), (None, replace(BOTH, currency="GBP"), ["customer_currency"]),
    ],
)  # fmt: skip
def test_both_sides_agree_on_the_currency_or_it_waits(currency: str | None, facts: Facts, reasons: list[str]) -> None:
    assert [why.code for why in planned(currency, facts=facts).reasons] == reasons


def test_a_new_customer_beside_the_one_in_dollars_is_named_with_its_currency() -> None:
    found = planned("EUR", CREATE_NEW)
    assert found.draft is not None
    assert (found.draft.party.name, found.draft.currency) == ("Harbor Point (EUR)", "EUR")
    assert [getattr(made, "currency", None) for made in found.creations][:1] == ["EUR"]


HELD = Entry("60", "Long gone", False, {"number": "AT-175"})
NUMBERS = replace(FACTS, party_numbers="AT-")


@pytest.mark.parametrize(
    ("there", "exact", "found"),
    [
        ("HARBOR  point", False, "50"), ("HARBOR point", True, ["customer_similar"]), ("Harbor  Point", True, "50"),
        ("Harbor Point Ltd", False, ["customer_similar"]),
    ],
)  # fmt: skip
def test_a_name_in_another_case_is_the_same_unless_somebody_wants_it_exact(
    there: str, exact: bool, found: str | list[str]
) -> None:
    entry = Entry("50", there, True)
    lists = replace(
        LISTS, parties={"175": Party("175", "Harbor Point")}, customers={"50": entry}, exact_names=exact,
        customers_by_name={fold(there): (entry,)}, customers_by_loose={loose(there): (entry,)}, links={},
    )  # fmt: skip
    result = plan(document((line(1, Decimal("10.00")),), Decimal("10.00")), CHOSEN, lists, FACTS, marker="ref:ABCD1234")
    if isinstance(found, list):
        assert [why.code for why in result.reasons] == found
    else:
        assert result.draft is not None and result.draft.party.ledger_id == found


@pytest.mark.parametrize("link", [None, CREATE_NEW])
def test_our_number_on_an_archived_record_is_a_persons_question(link: str | None) -> None:
    links = {("customer", "175"): link} if link else {}
    lists = replace(
        LISTS, parties={"175": Party("175", "Harbor Point")}, customers={"60": HELD}, customers_by_name={},
        customers_by_loose={}, customers_by_number={"AT-175": (HELD,)}, links=links,
    )  # fmt: skip
    source = document((line(1, Decimal("10.00")),), Decimal("10.00"))
    result = plan(source, CHOSEN, lists, NUMBERS, marker="ref:ABCD1234")
    if link is None:
        assert [why.code for why in result.reasons] == ["customer_number_held"]
    else:
        assert [made.numbered for made in result.creations if isinstance(made, PartyDraft)] == [False]
