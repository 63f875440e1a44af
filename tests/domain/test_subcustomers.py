"""Invoices to a parent for one of its sub-companies: to the parent, or to a sub-customer that is billed with it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.documents import Party, PartyDraft, SourceLine
from domain.known import Entry, Lists
from domain.matching import fold, loose
from domain.plan import Plan, plan
from domain.settings import SubCustomers
from domain.subcustomers import sub_key
from tests.domain.test_rounding import CHOSEN, FACTS, LISTS, document, line

PARENT, BRANCH, OTHER = (
    Party("175", "Harbor Point", email="pay@harbor.example"),
    Party("180", "Harbor Point North", parent_id="175", tax_exempt=True), Party("181", "Harbor Pier", parent_id="175"),
)  # fmt: skip
THERE = Entry("50", "Harbor Point", True, {})
CHOSEN_ON = replace(CHOSEN, sub_customers=SubCustomers.ON)


def known(*entries: Entry, links: dict[tuple[str, str], str] | None = None) -> Lists:
    by_name: dict[str, tuple[Entry, ...]] = {}
    by_loose: dict[str, tuple[Entry, ...]] = {}
    for entry in entries:
        by_name[fold(entry.name)] = (*by_name.get(fold(entry.name), ()), entry)
        by_loose[loose(entry.name)] = (*by_loose.get(loose(entry.name), ()), entry)
    return replace(
        LISTS, parties={each.id: each for each in (PARENT, BRANCH, OTHER)}, links=links or {},
        customers={entry.id: entry for entry in entries}, customers_by_name=by_name, customers_by_loose=by_loose,
    )  # fmt: skip


def lines(*owners: str | None) -> tuple[SourceLine, ...]:
    return tuple(replace(line(n, Decimal("100.00")), party_id=owner) for n, owner in enumerate(owners))


def planned(*owners: str | None, lists: Lists, chosen: object = CHOSEN_ON) -> Plan:
    of = lines(*owners)
    return plan(document(of, Decimal(100 * len(of))), chosen, lists, FACTS, marker="ref:ABCD1234")  # type: ignore[arg-type]


def test_all_lines_of_one_sub_company_go_to_its_sub_customer_made_under_the_parent() -> None:
    found = planned("180", "180", lists=known(THERE))
    assert found.draft is not None and found.draft.party.name == "Harbor Point North"
    made = next(each for each in found.creations if isinstance(each, PartyDraft))
    assert made.parent is not None and made.parent.ledger_id == "50"
    assert (made.email, made.tax_exempt) == ("pay@harbor.example", False)  # who pays decides, as in the source


def test_a_parent_that_is_new_is_created_before_what_stands_under_it() -> None:
    found = planned("180", lists=known())
    made = [each for each in found.creations if isinstance(each, PartyDraft)]
    assert [each.name for each in made] == ["Harbor Point", "Harbor Point North"]
    assert made[1].parent is not None and (made[1].parent.key, made[1].parent.ledger_id) == ("175", None)


@pytest.mark.parametrize("owners", [("180", "181"), ("180", None), (None,), ("175",)])
def test_lines_of_several_companies_stay_with_the_parent_on_one_document(owners: tuple[str | None, ...]) -> None:
    found = planned(*owners, lists=known(THERE))
    assert found.draft is not None and found.draft.party.ledger_id == "50"
    assert not [each for each in found.creations if isinstance(each, PartyDraft)]
    named = [each.text.partition(":")[0] for each in found.draft.lines if ":" in each.text]
    assert named == [{"180": "Harbor Point North", "181": "Harbor Pier"}[o] for o in owners if o in ("180", "181")]


def test_by_default_and_for_a_company_that_is_not_below_the_billed_one_it_is_the_parent() -> None:
    found = planned("180", lists=known(THERE), chosen=CHOSEN)
    assert found.draft is not None and found.draft.party.ledger_id == "50"
    elsewhere = replace(known(THERE), parties={"175": PARENT, "180": replace(BRANCH, parent_id="9")})
    found = planned("180", lists=elsewhere)
    assert found.draft is not None and found.draft.party.ledger_id == "50"


def test_one_that_stands_there_already_is_taken_by_name_or_by_its_link() -> None:
    below = Entry("51", "harbor point north", True, {"parent_id": "50"})
    found = planned("180", lists=known(THERE, below))
    assert found.draft is not None and found.draft.party.ledger_id == "51"
    renamed = replace(below, name="North branch")
    found = planned("180", lists=known(THERE, renamed, links={("customer", sub_key("180", "175")): "51"}))
    assert found.draft is not None and found.draft.party.ledger_id == "51"


@pytest.mark.parametrize(
    "other",
    [
        Entry("51", "Harbor Point North", True, {}), Entry("51", "Harbor Point North", True, {"parent_id": "99"}),
        Entry("51", "Harbor Point North", False, {"parent_id": "50"}), Entry("51", "Harbor-Point North Ltd", True, {}),
    ],
)  # fmt: skip
def test_a_customer_of_that_name_elsewhere_is_never_billed_instead(other: Entry) -> None:
    found = planned("180", lists=known(THERE, other))
    assert found.draft is None and [why.code for why in found.reasons] == ["sub_customer_unfit"]
