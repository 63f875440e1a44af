"""The engine on Xero, over HTTP: the same protocol with calls of one sort, keys that end, drafts that are approved.

The judge is the simulated organisation's own books.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.ledgers.base import Kind
from domain.settings import InitialStatus, Numbering
from domain.statuses import Flag, PostingState, Status
from models import BatchRow, Company, Document, Link, Posting
from sandbox.server import World as Sandbox
from sync import codec, promoting
from tests.connectors.xero_bench import XeroOrganisation
from tests.engine.world import World, furnish, invoice, line, make_world
from tests.infra.database import Sessions


class Bridge:
    """A company joined to a simulated organisation."""

    def __init__(self, sessions: Sessions, at: XeroOrganisation, **changes: Any) -> None:
        self.at = at
        accounts = at.ledger.lists([Kind.ACCOUNT]).records
        account = next(one.id for one in accounts if one.details["type"] == "Income")
        self.account = account
        chosen = {
            "created_item_account": account, "untaxed_code": "NONE", "rounding_account": account,
            "initial_status": InitialStatus.APPROVED, **changes,
        }  # fmt: skip
        self.world: World = make_world(sessions, **chosen)
        with self.world.sessions() as db, db.begin():
            company = db.get_one(Company, self.world.company_id)
            company.ledger, company.ledger_tenant = "xero", at.tenant
            company.profile = codec.dump(at.profile)
        self.world.ledger = at.ledger  # type: ignore[assignment]
        furnish(self.world)

    def sync(self) -> dict[str, Any]:
        self.world.sync()
        return self.world.documents()

    def writes(self, word: str) -> int:
        return sum(1 for call in self.at.calls if call.path.endswith(word) and call.method in ("PUT", "POST"))

    def states(self) -> list[str]:
        return sorted(row["entity"]["Status"] for row in self.at.org.records("Invoice"))


@pytest.fixture
def bridge(sessions: Sessions, sandbox_world: Sandbox, sandbox: str) -> Callable[..., Bridge]:
    at = XeroOrganisation(sandbox_world, sandbox)
    return lambda **changes: Bridge(sessions, at, **changes)


def test_invoices_and_credits_arrive_once_and_to_the_cent_without_an_item(bridge: Callable[..., Bridge]) -> None:
    it = bridge()
    discount = (line("3-1", "100.00"), line("3-2", "-25.00", quantity="-1", rate="25.00"))
    it.world.source.put(invoice("1"), invoice("2", "-40.00"), invoice("3", "75.00", lines=discount))
    documents = it.sync()
    assert {row.status for row in documents.values()} == {Status.COMPLETE}, [row.reasons for row in documents.values()]
    assert sorted(it.at.documents()) == [
        ("AT-1", Decimal("100.00")), ("AT-2", Decimal("40.00")), ("AT-3", Decimal("75.00")),
    ]  # fmt: skip
    assert it.states() == ["AUTHORISED", "AUTHORISED"] and list(it.at.org.records("Item")) == []
    assert [it.writes(word) for word in ("/Contacts", "/Invoices", "/CreditNotes")] == [1, 1, 1]
    assert it.sync()["1"].status == Status.COMPLETE and len(it.at.documents()) == 3


def test_drafts_are_flagged_and_stay_drafts_until_somebody_approves(bridge: Callable[..., Bridge]) -> None:
    it = bridge(initial_status=InitialStatus.DRAFT)
    it.world.source.put(invoice("1"))
    assert Flag.DRAFT in it.sync()["1"].flags
    assert it.states() == ["DRAFT"]


@pytest.mark.parametrize("fault", [None, "response_lost", "request_lost"])
@pytest.mark.parametrize("strikes", ["invoices PUT", "invoices POST"])
def test_what_xero_numbers_is_a_draft_first_and_approved_once(
    bridge: Callable[..., Bridge], fault: str | None, strikes: str
) -> None:
    it = bridge(numbering=Numbering.LEDGER)
    it.world.source.put(*(replace(one, header=replace(one.header, number=None)) for one in map(invoice, "123")))
    if fault:
        it.at.world.faults.plan(fault, "xero", strikes)
    documents = it.sync()
    assert {row.status for row in documents.values()} == {Status.COMPLETE}, [row.reasons for row in documents.values()]
    assert it.states() == ["AUTHORISED"] * 3 and len({row.ledger_number for row in documents.values()}) == 3
    assert not any(Flag.DRAFT in (row.flags or []) for row in documents.values())


@pytest.mark.parametrize("fault", ["response_lost", "request_lost", "error_500_kept", "cut_json"])
def test_a_lost_answer_is_looked_up_and_nothing_is_there_twice(bridge: Callable[..., Bridge], fault: str) -> None:
    it = bridge()
    it.world.source.put(*(invoice(str(number)) for number in range(1, 6)), invoice("6", "-10.00"))
    for struck in ("contacts PUT", "invoices PUT", "creditnotes PUT"):
        it.at.world.faults.plan(fault, "xero", struck)
    documents = it.sync()
    assert {row.status for row in documents.values()} == {Status.COMPLETE}, [row.reasons for row in documents.values()]
    assert sorted(number for number, _ in it.at.documents()) == [f"AT-{number}" for number in range(1, 7)]


def test_a_call_goes_again_under_its_key_whole_and_in_time_and_otherwise_under_another(
    bridge: Callable[..., Bridge],
) -> None:
    it = bridge()
    it.world.source.put(*(invoice(str(number)) for number in range(1, 4)))
    it.at.world.faults.plan("request_lost", "xero", "invoices PUT", times=2)
    it.sync()
    keys = [posting.batch_key for posting in it.world.postings() if posting.kind == "invoice"]
    sent = [row for row in it.at.world.journal.rows(platform="xero") if row["operation"] == "invoices PUT"]
    assert len(set(keys)) == 1 and len(sent) == 3 and len(it.at.documents()) == 3


def test_a_late_twin_of_a_call_makes_no_second_document_after_its_key_is_forgotten(
    bridge: Callable[..., Bridge],
) -> None:
    """The request is carried out long after we gave it up and sent it again under a new key."""
    it = bridge()
    it.world.source.put(invoice("1"), invoice("2"))
    it.at.world.faults.plan("request_lost", "xero", "invoices PUT")
    it.at.world.faults.plan("requestid_forgotten", "xero", times=None)
    it.sync()
    [body] = {bytes(row.body) for row in _batches(it) if b'"InvoiceNumber"' in row.body}
    late = it.at.ledger._connection.call(bulk=True).ask(
        "create_invoices", body, summarize_errors=False, idempotency_key="forgotten"
    )
    assert all(element["HasErrors"] for element in late["Invoices"]) and len(it.at.documents()) == 2


def test_a_contact_that_is_gone_stops_its_own_invoice_only(bridge: Callable[..., Bridge]) -> None:
    it = bridge()
    it.world.source.put(*(invoice(str(number), party=str(175 + number % 3)) for number in range(1, 7)))
    it.sync()
    with it.world.sessions() as db, db.begin():
        [link] = [each for each in db.query(Link).all() if each.source_key == "176"]
        gone = link.ledger_id
    record = it.at.org.record("Contact", gone)
    assert record is not None
    it.at.world.store.delete(it.at.org.space, "Contact", gone)
    it.world.source.put(*(invoice(str(number), party=str(175 + number % 3)) for number in range(11, 17)))
    documents = it.sync()
    stopped = {id for id, row in documents.items() if row.status == Status.FAULT}
    assert stopped == {id for id, row in documents.items() if int(id) > 10 and row.party_id == "176"}
    assert len(stopped) == 2 and len(it.at.documents()) == 10


def test_a_draft_that_was_changed_is_not_approved_unasked(bridge: Callable[..., Bridge]) -> None:
    it = bridge(initial_status=InitialStatus.DRAFT)
    it.world.source.put(invoice("1"))
    it.sync()
    [row] = it.at.org.records("Invoice")
    less = Decimal("90.00")
    lines = [{**each, "UnitAmount": less, "LineAmount": less} for each in row["entity"]["LineItems"]]
    changed = {**row["entity"], "LineItems": lines, "SubTotal": less, "Total": less}
    it.at.org.replace(row, changed, {"number": "ACCREC/at-1", "contact": changed["ContactID"]})
    with it.world.sessions() as db, db.begin():
        assert promoting.approve_all(db, it.world.company_id, it.world.clock.now(), "A person") == 1
    it.world.serve_until_rest()
    found = it.world.documents()["1"]
    assert (found.status, found.reason_code) == (Status.FAULT, "promote_changed") and it.states() == ["DRAFT"]
    [row] = it.at.org.records("Invoice")
    it.at.org.replace(row, {**row["entity"], "Status": "AUTHORISED"}, {"number": "ACCREC/at-1"})  # approved over there
    with it.world.sessions() as db, db.begin():
        document = db.get_one(Document, found.id)
        promoting.ask(db, document, db.get_one(Posting, document.posting_id), it.world.clock.now(), "A person")
    it.world.serve_until_rest()
    assert it.world.documents()["1"].status == Status.COMPLETE


def test_an_approval_that_never_arrives_ends_with_a_person_who_may_ask_again(bridge: Callable[..., Bridge]) -> None:
    it = bridge(numbering=Numbering.LEDGER)
    it.world.source.put(replace(invoice("1"), header=replace(invoice("1").header, number=None)))
    it.at.world.faults.plan("request_lost", "xero", "invoices POST", times=None)
    found = it.sync()["1"]
    assert (found.status, found.reason_code) == (Status.FAULT, "promote_refused") and it.states() == ["DRAFT"]
    it.at.world.faults.clear()
    with it.world.sessions() as db, db.begin():
        document = db.get_one(Document, found.id)
        promoting.ask(db, document, db.get_one(Posting, document.posting_id), it.world.clock.now(), "A person")
    it.world.serve_until_rest()
    assert it.world.documents()["1"].status == Status.COMPLETE and it.states() == ["AUTHORISED"]


def test_ten_drafts_are_approved_in_one_call(bridge: Callable[..., Bridge]) -> None:
    it = bridge(initial_status=InitialStatus.DRAFT)
    it.world.source.put(*(invoice(str(number)) for number in range(1, 11)))
    it.sync()
    with it.world.sessions() as db, db.begin():
        assert promoting.waiting(db, it.world.company_id) == 10
        promoting.approve_all(db, it.world.company_id, it.world.clock.now(), "A person")
    it.world.serve_until_rest()
    assert it.states() == ["AUTHORISED"] * 10
    sent = [row for row in it.at.world.journal.rows(platform="xero") if row["operation"] == "invoices POST"]
    assert len(sent) == 1
    assert {p.state for p in it.world.postings() if p.operation == "promote"} == {PostingState.DONE}


def _batches(it: Bridge) -> list[Any]:
    with it.world.sessions() as db:
        return list(db.query(BatchRow).all())
