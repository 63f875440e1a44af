"""Every message of Xero's that people meet is provoked in the simulated Xero once, and means the right thing here.

Not here: what each meaning is called and what a person can do (tests/catalogue), faults of the wire (test_xero_wire).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors import jsonbytes
from connectors.errors import RetryLater
from connectors.ledgers.base import Answer, Batch, Done, Kind, Member, Outcome, Refusal, Refused
from sandbox.server import World
from sandbox.xero import contacts, payments
from sandbox.xero.elements import Call
from tests.connectors.autotask_bench import utc_now
from tests.connectors.xero_bench import XeroOrganisation


@pytest.fixture
def at(sandbox_world: World, sandbox: str) -> XeroOrganisation:
    return XeroOrganisation(sandbox_world, sandbox, "xero-uk", multicurrency=False)


Change = Callable[[XeroOrganisation, dict[str, Any]], None]


@dataclass(frozen=True)
class Message:
    """`provoke` spoils the organisation or the invoice that is about to be sent."""

    words: str
    means: Refusal
    provoke: Change


def line(**more: Any) -> dict[str, Any]:
    body = {"Description": "Work", "Quantity": 1, "UnitAmount": Decimal("100.00"), "AccountCode": "200"}
    return {**body, "TaxType": "OUTPUT2", **more}


def invoice(at: XeroOrganisation, number: str = "AT-1", **more: Any) -> dict[str, Any]:
    known = at.org.find("Contact", "name", "acme ltd") or [contacts.store(at.org, {"Name": "Acme Ltd"}, creating=True)]
    return {
        "Type": "ACCREC", "Contact": {"ContactID": known[0]["id"]}, "InvoiceNumber": number, "Date": "2026-11-02",
        "DueDate": "2026-11-30", "LineAmountTypes": "Exclusive", "Status": "AUTHORISED", "LineItems": [line()], **more,
    }  # fmt: skip


def send(at: XeroOrganisation, *bodies: dict[str, Any], operation: str = "create", kind: Kind = Kind.INVOICE) -> Answer:
    members = tuple(
        Member(str(place), kind, operation, jsonbytes.dump(body)) for place, body in enumerate(bodies)
    )
    return at.ledger.send(Batch(str(uuid.uuid4()), at.tenant, members, at.ledger.compose(members)))


def one(at: XeroOrganisation, body: dict[str, Any], operation: str = "create", kind: Kind = Kind.INVOICE) -> Outcome:
    return send(at, body, operation=operation, kind=kind).outcomes["0"]


def _number_in_use(at: XeroOrganisation, body: dict[str, Any]) -> None:
    assert isinstance(one(at, invoice(at)), Done)


def _paid(at: XeroOrganisation, body: dict[str, Any]) -> None:
    """An invoice of that number that is paid: the write becomes a change of it."""
    ident = _made(at)
    pay(at, ident, "120.00")
    body |= {"InvoiceID": ident, "LineItems": [line(UnitAmount=Decimal("90.00"))]}


def _part_paid(at: XeroOrganisation, body: dict[str, Any]) -> None:
    ident = _made(at)
    pay(at, ident, "20.00")
    body |= {"InvoiceID": ident, "LineItems": [line(UnitAmount=Decimal("90.00"))]}


def _voided(at: XeroOrganisation, body: dict[str, Any]) -> None:
    ident = _made(at)
    assert isinstance(one(at, {"InvoiceID": ident, "Status": "VOIDED"}, "void"), Done)
    body |= {"InvoiceID": ident}


def _made(at: XeroOrganisation) -> str:
    made = one(at, invoice(at))
    assert isinstance(made, Done)
    return made.ledger_id


def pay(at: XeroOrganisation, ident: str, amount: str) -> None:
    """A person takes a payment in Xero."""
    with at.world.store.transaction():
        element = {"Invoice": {"InvoiceID": ident}, "Account": {"Code": "090"}, "Amount": Decimal(amount)}
        payments.write(Call(at.org, "PUT", {}), element)


def _on_line(**more: Any) -> Change:
    def provoke(at: XeroOrganisation, body: dict[str, Any]) -> None:
        body["LineItems"] = [line(**more)]

    return provoke


def _archive(at: XeroOrganisation, body: dict[str, Any]) -> None:
    contacts.store(at.org, {**body["Contact"], "ContactStatus": "ARCHIVED"}, creating=False)


def _locked(which: str) -> Change:
    def provoke(at: XeroOrganisation, body: dict[str, Any]) -> None:
        at.org.keep(at.org.settings | {which: "2026-11-02"})

    return provoke


def _set(**switches: Any) -> Change:
    def provoke(at: XeroOrganisation, body: dict[str, Any]) -> None:
        at.org.set_switches(switches)

    return provoke


def _body(**more: Any) -> Change:
    def provoke(at: XeroOrganisation, body: dict[str, Any]) -> None:
        body |= more

    return provoke


_SEVEN = {"UnitAmount": Decimal("0.1234567"), "Quantity": 1000, "LineAmount": Decimal("123.46")}
"""Seven decimals, of which four are kept: 123.50."""
CREATING = (
    Message("Invoice # must be unique.", Refusal.DUPLICATE_NUMBER, _number_in_use),
    Message("has been archived", Refusal.BAD_REFERENCE, _on_line(AccountCode="299")),
    Message("is not a valid code for this document", Refusal.BAD_REFERENCE, _on_line(AccountCode="610")),
    Message("cannot be used with account code '200'", Refusal.TAX, _on_line(TaxType="INPUT2")),
    Message("Tax Rate must be active", Refusal.TAX, _on_line(TaxType="TAX001")),
    Message("has been archived", Refusal.BAD_REFERENCE, _archive),
    Message("Quantity must not be less than zero", Refusal.OTHER, _on_line(Quantity=-1, UnitAmount=-100)),
    Message("does not match the expected line total", Refusal.AMOUNT, _on_line(**_SEVEN)),
    Message("Organisation is not subscribed to currency EUR", Refusal.CURRENCY, _body(CurrencyCode="EUR")),
    Message("before the period lock date", Refusal.CLOSED_PERIOD, _locked("period_lock")),
    Message("before the end of year lock date", Refusal.CLOSED_PERIOD, _locked("year_lock")),
    Message("limit of invoices you can approve", Refusal.PLAN_LIMIT, _set(approve_cap=0)),
    Message("Item code 'NOPE' is not valid", Refusal.BAD_REFERENCE, _on_line(ItemCode="NOPE")),
)
CHANGING = (
    Message("cannot be edited as it has a payment or credit note", Refusal.NOT_CHANGEABLE, _paid),
    Message("cannot be edited as it has a payment or credit note", Refusal.NOT_CHANGEABLE, _part_paid),
    Message("not of valid status for modification", Refusal.NOT_CHANGEABLE, _voided),
)


@pytest.mark.parametrize("message", CREATING, ids=lambda each: each.words[:30])
def test_a_refused_invoice_says_why_and_its_sibling_is_made(at: XeroOrganisation, message: Message) -> None:
    body = invoice(at)
    message.provoke(at, body)
    sibling = invoice(at, "AT-2", Date="2026-11-03", Status="DRAFT")
    if message.provoke is _archive:
        sibling["Contact"] = {"Name": "Somebody else"}
    answer = send(at, body, sibling)
    refused = answer.outcomes["0"]
    assert isinstance(refused, Refused)
    assert message.words in refused.faults[0].message and refused.faults[0].refusal is message.means
    assert isinstance(answer.outcomes["1"], Done)


@pytest.mark.parametrize("message", CHANGING, ids=lambda each: each.provoke.__name__)
def test_a_refused_change_says_why(at: XeroOrganisation, message: Message) -> None:
    body = invoice(at)
    message.provoke(at, body)
    refused = one(at, body, "update")
    assert isinstance(refused, Refused)
    assert message.words in refused.faults[0].message and refused.faults[0].refusal is message.means


def test_a_void_of_what_is_paid_says_why(at: XeroOrganisation) -> None:
    ident = _made(at)
    pay(at, ident, "20.00")
    refused = one(at, {"InvoiceID": ident, "Status": "VOIDED"}, "void")
    assert isinstance(refused, Refused) and refused.faults[0].refusal is Refusal.NOT_CHANGEABLE


def test_a_contact_name_in_use_says_why(at: XeroOrganisation) -> None:
    contacts.store(at.org, {"Name": "Acme Ltd"}, creating=True)
    refused = one(at, {"Name": "ACME LTD"}, kind=Kind.CUSTOMER)
    assert isinstance(refused, Refused)
    assert "already assigned to another contact" in refused.faults[0].message
    assert refused.faults[0].refusal is Refusal.DUPLICATE_NAME


def test_an_unknown_contact_refuses_the_whole_call_and_names_nobody(at: XeroOrganisation) -> None:
    """Halves of the call are tried until the culprit stands alone: see tests/engine."""
    lost = invoice(at, "AT-2", Contact={"ContactID": "11111111-1111-4111-8111-111111111111"})
    answer = send(at, invoice(at), lost)
    assert not answer.outcomes or all(not isinstance(each, Done) for each in answer.outcomes.values())
    assert not [row for row in at.org.records("Invoice") if row["entity"].get("InvoiceNumber") in ("AT-1", "AT-2")]


def test_the_day_s_calls_are_used_up_until_a_moment_that_is_told(at: XeroOrganisation) -> None:
    at.org.set_switches({"day_calls": 1})
    at.world.limits.switch(on=True)
    with pytest.raises(RetryLater, match="for today") as told:
        for _ in range(2):
            at.ledger.check()
    assert told.value.until - utc_now() > timedelta(hours=23)
