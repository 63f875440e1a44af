"""Class of a line and location of a document, and what stops them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.documents import Party
from domain.known import Entry
from domain.plan import Plan, plan
from domain.settings import InvoiceSettings, LineDetail, TrackBy, TrackRule
from tests.domain.test_placing import CHOSEN, FACTS, LISTS, document, line

ON = replace(FACTS, classes=True, locations=True)
CLASSES = {"c1": Entry("c1", "Service", True), "c2": Entry("c2", "Projects", True), "c9": Entry("c9", "Old", False)}
PLACES = {"l1": Entry("l1", "West", True), "l2": Entry("l2", "East:Onsite", True)}


def planned(settings: InvoiceSettings, businesses: tuple[str | None, ...] = ("b1",), facts=ON) -> Plan:  # type: ignore[no-untyped-def]
    codes = {id: replace(code, department_id="d1") for id, code in LISTS.catalog.codes.items()}
    catalog = replace(
        LISTS.catalog, codes=codes, departments={"d1": "SERVICE "}, businesses={"b1": "West", "b2": "East:Onsite"},
        territories={"t1": "West"},
    )  # fmt: skip
    parties = {id: replace(party, territory_id="t1") for id, party in LISTS.parties.items()}
    lists = replace(LISTS, catalog=catalog, parties=parties, classes=CLASSES, locations=PLACES)
    lines = tuple(
        replace(line(n, Decimal("10.00")), business_id=business) for n, business in enumerate(businesses, 1)
    )
    total = Decimal("10.00") * len(lines)
    return plan(document(lines, total), settings, lists, facts, marker="ref:ABCD1234")


RULE = (TrackRule(TrackBy.BUSINESS, "b1", "c2"),)


@pytest.mark.parametrize(
    ("chosen", "facts", "found"),
    [
        ({}, ON, None),
        ({"class_by": TrackBy.DEPARTMENT}, ON, "c1"),
        ({"class_by": TrackBy.DEPARTMENT}, FACTS, None),
        ({"class_by": TrackBy.BUSINESS}, ON, ["class_unmatched"]),
        ({"class_by": TrackBy.BUSINESS, "class_default": "c1"}, ON, "c1"),
        ({"class_by": TrackBy.BUSINESS, "class_map": RULE}, ON, "c2"),
        ({"class_by": TrackBy.BUSINESS, "class_default": "c9"}, ON, ["tracking_gone"]),
        ({"class_by": TrackBy.DEPARTMENT, "class_map": RULE}, ON, "c1"),
    ],
)  # fmt: skip
def test_a_line_takes_the_class_of_its_value_by_row_by_name_or_by_default(chosen, facts, found) -> None:  # type: ignore[no-untyped-def]
    result = planned(replace(CHOSEN, **chosen), facts=facts)
    if isinstance(found, list):
        assert [why.code for why in result.reasons] == found
    else:
        assert result.draft is not None
        tracked = result.draft.lines[0].tracked
        assert (tracked.ledger_id if tracked else None) == found


def test_a_line_without_a_value_asks_for_a_default() -> None:
    chosen = replace(CHOSEN, class_by=TrackBy.BUSINESS, class_map=RULE)
    assert [why.code for why in planned(chosen, ("b1", None, None)).reasons] == ["class_missing"]


@pytest.mark.parametrize(
    ("by", "businesses", "default", "found"),
    [
        (TrackBy.TERRITORY, ("b2",), None, "l1"),
        (TrackBy.BUSINESS, ("b2", "b2"), None, "l2"),
        (TrackBy.BUSINESS, ("b1", "b2"), None, ["location_mixed"]),
        (TrackBy.BUSINESS, ("b1", "b2"), "l2", "l2"),
        (TrackBy.BUSINESS, (None,), None, None),
        (TrackBy.DEPARTMENT, ("b1",), None, ["location_unmatched"]),
    ],
)
def test_a_document_has_the_location_of_all_its_lines_or_the_default(by, businesses, default, found) -> None:  # type: ignore[no-untyped-def]
    result = planned(replace(CHOSEN, location_by=by, location_default=default), businesses)
    if isinstance(found, list):
        assert [why.code for why in result.reasons] == found
    else:
        assert result.draft is not None
        assert (result.draft.location.ledger_id if result.draft.location else None) == found


def test_lines_of_two_classes_are_never_joined() -> None:
    rules = (*RULE, TrackRule(TrackBy.BUSINESS, "b2", "c1"))
    chosen = replace(CHOSEN, class_by=TrackBy.BUSINESS, class_map=rules, line_detail=LineDetail.DOCUMENT)
    draft = planned(chosen, ("b1", "b2", "b1")).draft
    assert draft is not None
    assert [(one.tracked and one.tracked.ledger_id, one.amount) for one in draft.lines] == [
        ("c2", Decimal("20.00")), ("c1", Decimal("10.00")),
    ]  # fmt: skip


def test_a_merged_customer_proposes_the_one_that_is_there_now() -> None:
    party = Party("175", "Harbor Point Ltd")
    there = Entry("71", "Harbor Point Limited", True)
    lists = replace(LISTS, parties={"175": party}, customers={"71": there}, customers_by_name={},
                    customers_by_loose={"harborpoint": (there,)}, links={("customer", "175"): "50"})
    result = plan(document((line(1, Decimal("10.00")),), Decimal("10.00")), CHOSEN, lists, ON, marker="ref:A")
    assert [(why.code, why.params["survivor_id"]) for why in result.reasons] == [("customer_merged", "71")]
