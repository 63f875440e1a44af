"""Purchase orders through the engine into Xero, over HTTP: bills as drafts that are approved, orders that are closed.

The judge is the simulated organisation's own books.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.ledgers.base import Kind
from domain.documents import Catalog, Party, SourceLine, Term
from domain.order_documents import OrderStatus
from domain.order_settings import Becomes, OrderNumbers, OrderSettings, VendorNumber
from domain.settings import InitialStatus, MissingItem
from domain.statuses import Flag, PostingState, Status
from models import Company, Document, Run
from sandbox.server import World as Sandbox
from sandbox.xero import books, contacts, documents, forms, items
from sandbox.xero.elements import Call
from sync import alike, decisions, gather, promoting
from tests.connectors.xero_bench import XeroOrganisation
from tests.domain.order_samples import line, order, receipt
from tests.engine import test_orders as engine
from tests.engine.test_xero import Bridge
from tests.engine.world import START, invoice
from tests.infra.database import Sessions


class Buying(Bridge):
    """A vendor in the source; orders become bills at once, approved, on Cost of Goods Sold."""

    def __init__(self, url: str, at: XeroOrganisation, **changes: Any) -> None:
        super().__init__(url, at)
        self.world.source.put_party(Party("41", "Northwind Supplies"), Party("90", "Harbor Point"))
        by_code = {one.details["number"]: one.id for one in at.ledger.lists([Kind.ACCOUNT]).records}
        engine.choose(self.world, **{
            "days": 30, "active": True, "becomes": Becomes.BILL, "freight_account": by_code["425"],
            "created_item_account": by_code["310"], "missing_item": MissingItem.CREATE, "error_todos": False,
            "initial_status": InitialStatus.APPROVED, **changes,
        })  # fmt: skip

    def buy(self, id: str, *lines: SourceLine, **head: Any) -> None:
        engine.put(self.world, id, *lines, **head)

    def sync(self) -> Run:  # type: ignore[override]
        return engine.sync(self.world)

    def choose(self, **values: Any) -> OrderSettings:
        return engine.choose(self.world, **values)

    def row(self, id: str, part: str = "") -> Document:
        return engine.row(self.world, id, part)

    def external(self, id: str) -> str | None:
        return engine.head(self.world, id).external_number

    def books(self, type: str = "Bill") -> list[dict[str, Any]]:
        return [row for row in books.purchases(self.at.world, self.at.tenant) if row["type"] == type and row["live"]]

    def bills(self) -> list[tuple[str | None, Decimal, str]]:
        return [(row["DocNumber"], row["net"], row["state"]) for row in self.books()]

    def orders(self) -> list[tuple[str | None, Decimal, str]]:
        return [(row["DocNumber"], row["net"], row["state"]) for row in self.books("PurchaseOrder")]

    def calls(self, operation: str) -> int:
        return sum(1 for row in self.at.world.journal.rows(platform="xero") if row["operation"] == operation)

    def typed_in(self, number: str, amount: str, vendor: str = "Northwind Supplies") -> str:
        """A bill that a bookkeeper entered."""
        body = {
            "Type": "ACCPAY", "Contact": {"Name": vendor}, "InvoiceNumber": number, "Date": "2026-11-14",
            "LineItems": [{"Description": "Goods", "UnitAmount": Decimal(amount), "AccountCode": "310"}],
        }  # fmt: skip
        return str(documents.store(Call(self.at.org, "PUT", {}), forms.INVOICE, body)["id"])


@pytest.fixture
def buying(sessions: Sessions, sandbox_world: Sandbox, sandbox: str) -> Callable[..., Buying]:
    def make(profile: str = "xero-us", switches: dict[str, Any] | None = None, **changes: Any) -> Buying:
        at = XeroOrganisation(sandbox_world, sandbox, profile, **(switches or {}))
        return Buying(sessions, at, **changes)

    return make


@pytest.mark.parametrize("echoed", [True, False], ids=["link shown again", "link not shown"])
def test_an_order_becomes_one_bill_that_is_a_draft_first_and_approved_by_its_id(
    buying: Callable[..., Buying], echoed: bool
) -> None:
    it = buying(switches={"url_echoed": echoed})
    it.buy("411", line("1", 10, "42"), freight=Decimal("15"))
    it.buy("412", line("2", 3, "7"), vendor_invoice="V-9")
    run = it.sync()
    assert (run.state, run.counts) == ("Finished", {Status.COMPLETE: 2}), it.row("411").reasons
    assert sorted(it.bills()) == [("PO-411", Decimal("435.00"), "AUTHORISED"), ("V-9", Decimal(21), "AUTHORISED")]
    assert [it.external("411"), it.external("412")] == ["PO-411", "V-9"]
    assert [it.calls(f"{what} PUT") for what in ("contacts", "items", "invoices")] == [1, 0, 1]
    assert it.calls("invoices POST") == 1
    assert "Autotask order PO-411" in it.books()[0]["PrivateNote"]
    assert {row["account"] for row in it.books()[0]["lines"] if row["amount"]} == {"310", "425"}
    assert [each["entity"]["Name"] for each in it.at.org.records("Contact")] == ["Northwind Supplies"]
    it.sync()
    assert len(it.bills()) == 2


def test_bills_stay_drafts_until_somebody_approves_them_and_a_changed_one_is_asked_about(
    buying: Callable[..., Buying],
) -> None:
    it = buying(initial_status=InitialStatus.DRAFT)
    it.buy("411")
    it.sync()
    assert [state for _, _, state in it.bills()] == ["DRAFT"] and Flag.DRAFT in it.row("411").flags
    assert it.row("411").status == Status.COMPLETE and it.external("411") == "PO-411"
    [row] = [row for row in it.at.org.records("Invoice") if row["entity"]["Type"] == "ACCPAY"]
    more = {"UnitAmount": Decimal(1), "LineAmount": Decimal(1)}
    lines = [{**each, **more} if each.get("LineAmount") else each for each in row["entity"]["LineItems"]]
    it.at.org.replace(row, {**row["entity"], "LineItems": lines, "SubTotal": Decimal(1), "Total": Decimal(1)}, {})
    with it.world.sessions() as db, db.begin():
        assert promoting.approve_all(db, it.world.company_id, it.world.clock.now(), "A person") == 1
    it.world.serve_until_rest()
    assert (it.row("411").status, it.row("411").reason_code) == (Status.FAULT, "promote_changed")
    assert [state for _, _, state in it.bills()] == ["DRAFT"]


def test_a_bill_without_a_number_leaves_its_id_behind_a_prefix(buying: Callable[..., Buying]) -> None:
    it = buying(bill_number=VendorNumber.NONE)
    it.buy("411")
    it.sync()
    [bill] = it.books()
    assert (bill["DocNumber"], it.external("411")) == (None, f"BILL-{bill['id']}"[:50])


def test_each_vendor_invoice_number_is_one_bill_and_the_order_is_closed_by_the_last(
    buying: Callable[..., Buying],
) -> None:
    it = buying(becomes=Becomes.ORDER_AND_BILLS, numbers=OrderNumbers.SOURCE)
    it.buy("411", line("1", 10, "42"), freight=Decimal("15"))
    it.sync()
    assert it.orders() == [("PO-411", Decimal("435.00"), "AUTHORISED")] and it.external("411") == "PO-411"
    engine.receive(it.world, "411", line("1", 10, "42", receipt(6, "V-1")))
    it.world.clock.advance(26 * 3600)
    it.sync()
    assert it.bills() == [("V-1", Decimal("267.00"), "AUTHORISED")]
    assert it.orders()[0][2] == "AUTHORISED"
    it.world.clock.advance(26 * 3600)
    everything = line("1", 10, "42", receipt(6, "V-1"), receipt(4, "V-2", 21))
    engine.receive(it.world, "411", everything, status=OrderStatus.RECEIVED)
    it.sync()
    it.sync()
    assert sorted(it.bills()) == [("V-1", Decimal(267), "AUTHORISED"), ("V-2", Decimal(168), "AUTHORISED")]
    assert it.orders() == [("PO-411", Decimal("435.00"), "BILLED")]
    assert {p.state for p in it.world.postings() if p.operation == "close"} == {PostingState.DONE}


def test_an_order_that_cannot_be_closed_stays_open_there_and_nobody_is_asked(buying: Callable[..., Buying]) -> None:
    it = buying(becomes=Becomes.ORDER_AND_BILLS, numbers=OrderNumbers.SOURCE)
    it.buy("411", line("1", 10, "42"))
    it.sync()
    it.at.world.faults.plan("request_lost", "xero", "purchaseorders POST", times=None)
    engine.receive(it.world, "411", line("1", 10, "42", receipt(10, "V-1")), status=OrderStatus.RECEIVED)
    it.world.clock.advance(26 * 3600)
    it.sync()
    assert it.bills() == [("V-1", Decimal(420), "AUTHORISED")] and it.orders()[0][2] == "AUTHORISED"
    assert {p.state for p in it.world.postings() if p.operation == "close"} == {PostingState.SKIPPED}
    assert it.row("411").status == Status.COMPLETE


def test_a_purchase_order_that_xero_numbers_is_a_draft_first(buying: Callable[..., Buying]) -> None:
    it = buying(becomes=Becomes.ORDER, numbers=OrderNumbers.LEDGER)
    it.buy("411")
    it.buy("412", line("2", 1, "9"))
    it.sync()
    assert sorted(state for _, _, state in it.orders()) == ["AUTHORISED"] * 2
    assert {it.external("411"), it.external("412")} == {number for number, _, _ in it.orders()}
    assert it.calls("purchaseorders POST") == 1


def test_a_number_in_use_is_looked_up_first_and_the_other_order_is_never_touched(buying: Callable[..., Buying]) -> None:
    it = buying(becomes=Becomes.ORDER, numbers=OrderNumbers.SOURCE)
    theirs = contacts.store(it.at.org, {"Name": "Somebody else"}, creating=True)["id"]
    body = {
        "Contact": {"ContactID": theirs}, "PurchaseOrderNumber": "PO-411",
        "LineItems": [{"Description": "Chairs", "UnitAmount": Decimal(7), "AccountCode": "429"}],
    }  # fmt: skip
    documents.store(Call(it.at.org, "PUT", {}), forms.ORDER, body)
    for number in range(411, 416):
        it.buy(str(number), line(f"{number}-1", 1, "9"))
    it.sync()
    assert (it.row("411").status, it.row("411").reason_code) == (Status.FAULT, "number_taken")
    assert sorted(it.orders())[0] == ("PO-411", Decimal(7), "DRAFT")
    assert len(it.orders()) == 5 and it.calls("purchaseorders PUT") == 1


def test_a_foreign_vendors_bill_is_in_its_currency_at_the_rate_of_the_ledger(buying: Callable[..., Buying]) -> None:
    it = buying("xero-uk", {"multicurrency": True}, tax_code="NONE")
    it.world.source.put_party(Party("41", "Northwind Supplies", currency="EUR"))
    it.world.source.lists = replace(it.world.source.lists, multi_currency=True)
    it.buy("411", line("1", 10, "42"))
    it.sync()
    [bill] = it.books()
    assert (bill["currency"], bill["total"], bill["state"]) == ("EUR", Decimal(420), "AUTHORISED")


def test_outside_the_us_a_purchase_code_is_chosen_and_the_net_is_compared(buying: Callable[..., Buying]) -> None:
    it = buying("xero-uk")
    it.buy("411", line("1", 10, "42"))
    it.sync()
    assert it.row("411").reason_code == "purchase_code_missing"
    it.choose(tax_code="INPUT2")
    it.sync()
    [bill] = it.books()
    assert (bill["net"], bill["tax"], bill["state"]) == (Decimal(420), Decimal(84), "AUTHORISED")
    assert it.row("411").status == Status.COMPLETE and Flag.DIFFERS not in (it.row("411").flags or [])


def test_an_item_of_the_products_number_is_named_and_its_own_account_is_booked(buying: Callable[..., Buying]) -> None:
    it = buying()
    for code, sides in (("SKU-1", {"PurchaseDetails": {"AccountCode": "429"}}), ("SKU-2", {"IsPurchased": False})):
        items.store(it.at.org, {"Code": code, "Name": code, **sides}, creating=True)
    it.buy("411", line("1", 10, "42"), line("2", 1, "5"), line("3", 1, "6", name="Cable"))
    it.sync()
    booked = [(row["item"], row["account"], row["amount"]) for row in it.books()[0]["lines"] if row["amount"]]
    assert booked == [("SKU-1", "429", Decimal(420)), (None, "310", Decimal(5)), (None, "310", Decimal(6))]


def test_a_line_without_an_account_waits_and_goes_once_one_is_chosen(buying: Callable[..., Buying]) -> None:
    it = buying(missing_item=MissingItem.HOLD)
    it.buy("411")
    run = it.sync()
    assert engine.told(it.row("411")) == (Status.FAULT, "order_account_missing") and it.bills() == []
    it.choose(missing_item=MissingItem.CREATE)
    retry(it, run)
    assert len(it.bills()) == 1 and it.row("411").status == Status.COMPLETE


def retry(it: Buying, run: Run) -> None:
    """A person presses Resubmit."""
    with it.world.sessions() as db, db.begin():
        company = db.get_one(Company, it.world.company_id)
        again = decisions.resubmit(db, company, db.get_one(Run, run.id), now=it.world.clock.now(), user=None).id
    gather.scan(it.world.rt, it.world.company_id, it.world.source, it.world.ledger, again)
    it.world.serve_until_rest()


def test_a_customer_that_supplies_as_well_is_one_contact_without_a_suffix(buying: Callable[..., Buying]) -> None:
    it = buying()
    it.world.source.put_party(Party("175", "Both Ways Media"))
    it.world.source.put(invoice("1", party="175"))
    it.world.sync()
    it.buy("411", party_id="175")
    it.sync()
    [contact] = it.at.org.records("Contact")
    assert contact["entity"]["Name"] == "Both Ways Media" and len(it.bills()) == 1
    renamed = {**contact["entity"], "Name": "Both Ways Media Group"}
    it.at.org.replace(contact, renamed, {"name": "both ways media group", "number": "at-175"})
    it.world.source.put_party(Party("44", "Second"))
    it.buy("412", line("2", 1, "5"), party_id="44")
    it.sync()
    assert len(list(it.at.org.records("Contact"))) == 2


def test_a_bill_that_was_typed_in_is_asked_about_and_adopted_or_posted_beside(buying: Callable[..., Buying]) -> None:
    it = buying()
    contacts.store(it.at.org, {"Name": "Northwind Supplies"}, creating=True)
    theirs = it.typed_in("v - 7", "1.00")
    it.typed_in("OTHER", "420.00")
    it.buy("411", line("1", 1, "9"), vendor_invoice="V-7")
    it.buy("412", line("2", 10, "42"), vendor_invoice="V-8")
    it.sync()
    assert {it.row(id).reason_code for id in ("411", "412")} == {"bill_exists"}
    capabilities, said = it.at.ledger.capabilities, {"why": "as I know", "now": it.world.clock.now(), "who": "A staff"}
    first, second = it.row("411").id, it.row("412").id
    with it.world.sessions() as db, db.begin():
        assert alike.adopt(db, db.get_one(Document, first), capabilities, theirs, **said)
        assert alike.post_anyway(db, db.get_one(Document, second), **said)
    it.sync()
    assert [it.row(id).status for id in ("411", "412")] == [Status.COMPLETE] * 2
    assert (it.row("411").ledger_id, it.external("411"), len(it.bills())) == (theirs, "v - 7", 3)


def test_terms_of_the_source_give_the_due_date(buying: Callable[..., Buying]) -> None:
    it = buying()
    it.world.source.lists = Catalog(terms={"3": Term("3", "Net 30", 30)})
    made = order(line("1", 10, "42"))
    header = replace(made.header, created_at=START - timedelta(days=3), term_id="3")
    it.world.source.put(replace(made, header=header))
    it.sync()
    [row] = [row["entity"] for row in it.at.org.records("Invoice") if row["entity"]["Type"] == "ACCPAY"]
    assert (row["Date"], row["DueDate"]) == ("2026-11-13", "2026-12-13")
