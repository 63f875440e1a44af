"""How Xero spells bills and purchase orders: where our note stands, and what is a record of which kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors import jsonbytes
from connectors.ledgers import xero_held, xero_lookup, xero_payloads, xero_purchases, xero_records
from connectors.ledgers.base import Alike, Batch, Change, Done, Kind, Member, Refused, Sought
from connectors.ledgers.xero_faults import element_faults
from connectors.ledgers.xero_payloads import Spelling
from domain.documents import Draft, DraftLine, OrderedLine, Reference
from sandbox.server import World
from sandbox.xero import contacts
from tests.connectors.xero_bench import XeroOrganisation

MARKER = "ref:k3jd82ma"
BACK = Spelling(("Department",), "https://bookbridge.example/d/")
COST = Reference("account", "310", "310 · Cost of Goods Sold", "cost-id")


def draft(kind: str = "bill", **changes: Any) -> Draft:
    item = Reference("item", "sw-24", "SW-24", "SW-24")
    lines = (
        DraftLine(item, "Switch", Decimal(10), Decimal("42"), Decimal(420), False, account=COST,
                  customer=Reference("customer", "9", "Acme", "c9"), billable=True,
                  ordered=OrderedLine("po", "1")),
        DraftLine(COST, "Cable", Decimal(1), Decimal(15), Decimal(15), False, account=COST,
                  tracked=Reference("class", "5", "Projects", "5")),
    )  # fmt: skip
    made = Draft(
        kind=kind, party=Reference("vendor", "41", "Northwind", "v41"), number="V-1", date=date(2026, 11, 16),
        due_date=None, term=Reference("term", "3", "Net 30", "3"), currency="USD", lines=lines, tax_total=Decimal(0),
        send_tax=False, total=Decimal(435), memo="Autotask order PO-1", marker=MARKER, status="draft",
        promote_to="approved", message="Leave at the door", ship_to=("Harbor Point", "1 Quay"),
        payable=Reference("account", "33", "AP", "33"),
    )  # fmt: skip
    return replace(made, **changes)


def spelled(made: Draft, spelling: Spelling = BACK) -> dict[str, Any]:
    return dict(jsonbytes.load(xero_payloads.payload(made, {}, spelling)))


def test_a_bill_is_a_draft_with_a_due_date_its_link_and_a_line_of_text_that_books_nothing() -> None:
    body = spelled(draft())
    assert (body["Type"], body["InvoiceNumber"], body["Status"], body["DueDate"]) == (
        "ACCPAY", "V-1", "DRAFT", "2026-11-16",
    )  # fmt: skip
    assert body["Contact"] == {"ContactID": "v41"} and body["Url"].endswith(MARKER)
    assert body["LineItems"] == [
        {"Description": "Switch", "Quantity": 10, "UnitAmount": 42, "ItemCode": "SW-24", "AccountID": "cost-id"},
        {"Description": "Cable", "Quantity": 1, "UnitAmount": 15, "AccountID": "cost-id",
         "Tracking": [{"Name": "Department", "Option": "Projects"}]},
        {"Description": f"Autotask order PO-1 {MARKER}"},
    ]  # fmt: skip
    assert "Url" not in spelled(draft(), Spelling()) and "Reference" not in body


def test_an_order_has_its_note_as_reference_and_says_where_to_deliver() -> None:
    body = spelled(draft("purchase_order"))
    assert (body["PurchaseOrderNumber"], body["Reference"]) == ("V-1", f"Autotask order PO-1 {MARKER}")
    assert (body["DeliveryInstructions"], body["DeliveryAddress"]) == ("Leave at the door", "Harbor Point\n1 Quay")
    assert len(body["LineItems"]) == 2 and "DueDate" not in body and "Type" not in body


def test_the_marker_is_never_cut() -> None:
    for kind in ("bill", "purchase_order"):
        body = spelled(draft(kind, memo="x" * 400))
        note = body["LineItems"][-1]["Description"] if kind == "bill" else body["Reference"]
        assert len(note) == 255 and note.endswith(f" {MARKER}")


@pytest.mark.parametrize(
    ("kind", "version", "status"),
    [(Kind.BILL, "1/DRAFT", "DELETED"), (Kind.BILL, "1/AUTHORISED", "VOIDED"),
     (Kind.PURCHASE_ORDER, "1/AUTHORISED", "DELETED")],
)  # fmt: skip
def test_taking_back_is_deleting_or_voiding_as_its_state_allows(kind: Kind, version: str, status: str) -> None:
    body = jsonbytes.load(xero_payloads.change(Change(kind, "void", "id", version), BACK))
    assert body["Status"] == status


def test_only_an_order_is_closed() -> None:
    closing = jsonbytes.load(xero_payloads.change(Change(Kind.PURCHASE_ORDER, "close", "id", "0"), BACK))
    assert closing == {"PurchaseOrderID": "id", "Status": "BILLED"}
    with pytest.raises(ValueError, match="cannot close"):
        xero_payloads.change(Change(Kind.BILL, "close", "id", "0"), BACK)


# ---- answers ------------------------------------------------------------------------------------------------


def test_what_a_bookkeeper_writes_below_a_bill_is_no_line_of_it_and_no_change_of_an_amount() -> None:
    made = draft()
    body = spelled(made) | {"InvoiceID": "b1", "Total": 435, "TotalTax": 0}
    lines = [
        {**row, "LineAmount": amount} if amount else {**row, "Quantity": 0, "LineAmount": 0}
        for row, amount in zip(body["LineItems"], (420, 15, 0), strict=True)
    ]
    held = xero_held.held({**body, "LineItems": lines}, Kind.BILL)
    assert held is not None
    assert [line.amount for line in held.lines] == [Decimal(420), Decimal(15)]
    assert held.note.endswith(MARKER) and held.keeps_notes


@pytest.mark.parametrize(
    ("element", "answers"),
    [
        ({"Type": "ACCPAY", "LineItems": [{"Description": f"autotask  order PO-1 {MARKER}"}]}, True),
        ({"Type": "ACCREC", "LineItems": [{"Description": f"Autotask order PO-1 {MARKER}"}]}, False),
        ({"Type": "ACCPAY", "InvoiceNumber": "V-1", "LineItems": [{"Description": "ref:other"}]}, False),
        ({"Type": "ACCPAY", "InvoiceNumber": "V-1", "Contact": {"ContactID": "v41"}}, True),
        ({"Type": "ACCPAY", "InvoiceNumber": "V-1", "Contact": {"ContactID": "v42"}}, False),
        ({"Type": "ACCPAY"}, False),
    ],
)  # fmt: skip
def test_a_bill_is_known_by_its_note_and_else_by_vendor_and_number(element: dict[str, Any], answers: bool) -> None:
    assert xero_records.is_answer(element, spelled(draft()), Kind.BILL) is answers


def test_a_bill_without_a_number_is_never_taken_for_another_one() -> None:
    sent = spelled(draft(number=None))
    assert not xero_records.is_answer({"Type": "ACCPAY", "Contact": {"ContactID": "v41"}}, sent, Kind.BILL)


def test_refused_bills_in_one_call_are_told_apart_from_those_that_were_taken(
    sandbox_world: World, sandbox: str
) -> None:
    at = XeroOrganisation(sandbox_world, sandbox)
    accounts = {one.details["number"]: one.id for one in at.ledger.lists([Kind.ACCOUNT]).records}
    vendor = contacts.store(at.org, {"Name": "Northwind"}, creating=True)["id"]
    party = Reference("vendor", "41", "Northwind", vendor)

    def made(number: str, account: str) -> bytes:
        on = Reference("account", account, account, accounts[account])
        line = DraftLine(on, "Cable", Decimal(1), Decimal(15), Decimal(15), False, account=on)
        return at.ledger.payload(
            draft(number=number, party=party, lines=(line,), total=Decimal(15), marker=f"ref:{number}{account}",
                  status="approved"), {})  # fmt: skip

    members = [
        Member("0", Kind.BILL, "create", made("SAME", "310")), Member("1", Kind.BILL, "create", made("SAME", "800")),
        Member("2", Kind.BILL, "create", made("OTHER", "429")),
    ]  # fmt: skip
    batch = Batch("one call", at.tenant, tuple(members), at.ledger.compose(members))
    outcomes = at.ledger.send(batch).outcomes
    assert [type(outcomes[str(n)]) for n in range(3)] == [Done, Refused, Done]


# ---- look-ups -----------------------------------------------------------------------------------------------


class Asked:
    """What a look-up asked for."""

    def __init__(self, rows: list[dict[str, Any]] | None = None) -> None:
        self.lists: list[tuple[Kind, dict[str, Any]]] = []
        self.singles: list[str] = []
        self.found = rows or []

    def rows(self, kind: Kind, **options: Any) -> list[dict[str, Any]]:
        self.lists.append((kind, options))
        return self.found

    def one(self, kind: Kind, ident: str) -> list[dict[str, Any]]:
        self.singles.append(ident)
        return [row for row in self.found if row.get("PurchaseOrderNumber") == ident]


def test_a_few_orders_are_asked_one_by_one_and_more_by_reading_them_whole() -> None:
    few, many, odd = Asked(), Asked(), Asked()
    for asked, numbers in ((few, ["P-1", "P-2"]), (many, [f"P-{n}" for n in range(40)]), (odd, ["P 1/2"])):
        lookup = xero_lookup.Lookup(asked.rows, asked.one, "t")
        lookup.find([Sought(number, Kind.PURCHASE_ORDER, number=number) for number in numbers])
    assert (few.singles, few.lists) == (["P-1", "P-2"], [])
    assert [(asked.singles, len(asked.lists)) for asked in (many, odd)] == [([], 1), ([], 1)]


def test_bills_and_sales_share_a_list_and_are_asked_by_their_type() -> None:
    asked = Asked([{"InvoiceID": "s", "Type": "ACCREC", "InvoiceNumber": "V-1", "Contact": {"ContactID": "v41"}}])
    lookup = xero_lookup.Lookup(asked.rows, asked.one, "t")
    assert lookup.find([Sought("b", Kind.BILL, number="V-1")])["b"] == ()
    day = date(2026, 11, 16)
    lookup.alike([Alike(str(n), Kind.BILL, f"v{n}", "V-1", Decimal(1), day, day) for n in range(20)])
    wheres = [options["where"] for _, options in asked.lists if "where" in options]
    assert len(wheres) == 2 and all(text.startswith('Type=="ACCPAY" AND (') for text in wheres)


def test_a_line_of_text_is_told_from_a_line_of_an_unfinished_bill() -> None:
    assert xero_purchases.is_note({"Description": "ref:x"})
    assert not xero_purchases.is_note({"Description": "Chairs", "LineAmount": Decimal(7)})
    assert xero_purchases.note({"LineItems": "odd"}) == ""


def test_a_dead_orders_number_is_refused_in_words_of_its_own() -> None:
    told = {"ValidationErrors": [{"Message": "PurchaseOrder status change is invalid"},
                                 {"Message": "Deleted PurchaseOrders cannot be updated"}]}  # fmt: skip
    assert {one.refusal.value for one in element_faults(told)} == {"not_changeable"}
